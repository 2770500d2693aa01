//! Other people's text within a message.

/// The most characters of it that a message shows.
const SHOWN: usize = 80;

/// The first 80 characters of a text, as one line in which nothing is left that a terminal would obey: control characters,
/// line and paragraph separators and the marks that turn the direction of writing stand as `\u{1b}`.
///
/// ```
/// assert_eq!(uphill_envs::quoted("a\u{1b}[31mb"), r"a\u{1b}[31mb");
/// assert_eq!(uphill_envs::quoted(&"x".repeat(100)).chars().count(), 81);
/// ```
#[must_use]
pub fn quoted(text: &str) -> String {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut quoted = String::new();
    let mut rest = text.chars();
    for c in rest.by_ref().take(SHOWN) {
        if obeyed(c) { quoted.extend(c.escape_debug()) } else { quoted.push(c) }
    }
    if rest.next().is_some() {
        quoted.push('…');
    }
    quoted
}
