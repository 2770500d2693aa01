//! Tables and numbers as Markdown.

use super::super::analysis::known;
use crate::stats::Interval;

/// A Markdown table of cells that are Markdown.
pub(super) fn table(header: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    // A `|` would end the cell, and so it does even in code.
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = vec!["---".to_string(); header.len()];
    let rows: String = rows.into_iter().map(|row| line(&row)).collect();
    format!("{}{}{rows}", line(header), line(&rule))
}

pub(super) fn owned<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_string).to_vec()
}

/// A name as Markdown that shows it as it is: on one line, and with no meaning but itself. (A `|` is a table's business.)
pub(crate) fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for c in one_line(name).chars() {
        match c {
            '&' => plain.push_str("&amp;"),
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            // `:` makes addresses links, `@` people and `$` formulas.
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '~' | ':' | '@' | '$' => plain.extend(['\\', c]),
            c => plain.push(c),
        }
    }
    plain.replace("www.", "www\\.")
}

/// Text as code, whatever is in it, on one line.
pub(super) fn code(text: &str) -> String {
    let text = one_line(text);
    let fence = fence(&text, 1);
    match text.contains('`') {
        // A blank at either end belongs to the fence.
        true => format!("{fence} {text} {fence}"),
        false => format!("{fence}{text}{fence}"),
    }
}

/// Lines of text as a block of code in a language.
pub(super) fn block(language: &str, text: &str) -> String {
    let fence = fence(text, 3);
    format!("{fence}{language}\n{}\n{fence}", text.trim_end())
}

/// Backticks, more than stand together in the text.
fn fence(text: &str, least: usize) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(least.max(longest + 1))
}

fn one_line(text: &str) -> String {
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(blank).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A score with its interval: `0.91 [0.88, 0.93]`, or `0.91 [?]` where nothing is known of how uncertain it is. A narrow
/// interval has as many digits as tell its ends apart.
pub(super) fn estimate(interval: &Interval) -> String {
    let tells = |&digits: &usize| score(interval.low, digits) != score(interval.high, digits);
    let digits = (2..4).find(tells).filter(|_| known(interval)).unwrap_or(2);
    with_ends(interval, |x| score(x, digits))
}

/// From here on digits before the point are no help.
pub(super) const LARGE: f64 = 1e12;

/// A score with so many digits after the point.
pub(super) fn score(x: f64, digits: usize) -> String {
    let text = if x.abs() < LARGE { format!("{x:.digits$}") } else { format!("{x:.digits$e}") };
    // No minus before zero.
    let zero = !text.chars().any(|c| c.is_ascii_digit() && c != '0');
    text.replace('-', if zero { "" } else { "−" })
}

/// Environment steps with their interval: `12.3k [11.0k, never]`.
pub(super) fn steps(interval: &Interval) -> String {
    with_ends(interval, |x| match x {
        x if x.is_infinite() => "never".into(),
        x if x >= 1e6 => format!("{:.2}M", x / 1e6),
        x if x >= 1e3 => format!("{:.1}k", x / 1e3),
        x => format!("{x:.0}"),
    })
}

/// Seconds with their interval.
pub(super) fn seconds(interval: &Interval) -> String {
    with_ends(interval, |x| if x.is_infinite() { "never".into() } else { format!("{x:.3}") })
}

fn with_ends(interval: &Interval, number: impl Fn(f64) -> String) -> String {
    let Interval { point, low, high } = interval;
    match known(interval) {
        true => format!("{} [{}, {}]", number(*point), number(*low), number(*high)),
        // Where no run got there, that is all there is to say.
        false if point.is_infinite() => number(*point),
        false => format!("{} [?]", number(*point)),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{block, code, plain};

    #[test]
    fn no_text_ends_its_own_code() {
        assert_eq!(code("adam"), "`adam`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(code("a\n\tb"), "`a b`");
        assert_eq!(block("toml", "x = 1\n"), "```toml\nx = 1\n```");
        assert_eq!(block("toml", "```\n<b>"), "````toml\n```\n<b>\n````");
    }

    #[test]
    fn a_plain_name_means_nothing_but_itself() {
        assert_eq!(plain("GridWorld-4x4-v0 (slip 0.1)"), "GridWorld-4x4-v0 (slip 0.1)");
        assert_eq!(plain("<b>&\n# x"), "&lt;b&gt;&amp; \\# x");
        assert_eq!(plain("www.example.org"), "www\\.example.org");
    }
}
