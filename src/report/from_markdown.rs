//! Our own Markdown as HTML: as much of it as a comparison's report is written in.

use super::markup::escaped;
use super::table::{Cell, table};

/// What stands in a report, block by block. `picture` has the image of a path as HTML, or nothing where there is none; the first
/// heading, which is the page's title, is left out. All text is escaped, and of addresses there stays what they are called.
pub(super) fn html(markdown: &str, picture: &dyn Fn(&str, &str) -> Option<String>) -> String {
    let (mut html, mut tables) = (String::new(), 0);
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        let fence = line.len() - line.trim_start_matches('`').len();
        // The lines that go on with this block.
        let mut rest = |goes_on: &dyn Fn(&str) -> bool| -> Vec<&str> {
            std::iter::from_fn(|| lines.next_if(|next| goes_on(next))).collect()
        };
        if line.trim().is_empty() || line.starts_with("# ") {
            continue;
        } else if fence >= 3 {
            let code = rest(&|next| next != &line[..fence]).join("\n");
            rest(&|next| next == &line[..fence]);
            html.push_str(&format!("<pre tabindex=\"0\">{}</pre>\n", escaped(&code)));
        } else if let Some(text) = line.strip_prefix("### ") {
            html.push_str(&format!("<h3>{}</h3>\n", inline(text)));
        } else if let Some(text) = line.strip_prefix("## ") {
            html.push_str(&format!("<h2>{}</h2>\n", inline(text)));
        } else if line.starts_with('|') {
            let rows = rest(&|next| next.starts_with('|'));
            let head: Vec<String> = cells(line).iter().map(|cell| inline(cell)).collect();
            // After the head there is a rule.
            let rows: Vec<Vec<Cell>> =
                rows.iter().skip(1).map(|row| cells(row).iter().map(|text| cell(text)).collect()).collect();
            tables += 1;
            html.push_str(&table(&format!("table-{tables}"), &head, &rows));
        } else if let Some((alt, path)) = image(line) {
            let alt = escaped(&plain(alt));
            let shown = picture(path, &alt).unwrap_or_else(|| format!("<p>{alt}: there is no picture.</p>\n"));
            html.push_str(&shown);
        } else if line == "<details>" || line == "</details>" {
            html.push_str(line);
        } else if let Some(text) = line.strip_prefix("<summary>") {
            let text = text.replace("</summary>", "").replace("<code>", "").replace("</code>", "");
            html.push_str(&format!("<summary>{}</summary>\n", escaped(&text)));
        } else if let Some(text) = line.strip_prefix("- ") {
            let mut items = vec![text.to_string()];
            for next in rest(&|next| next.starts_with("- ") || next.starts_with("  ")) {
                match (next.strip_prefix("- "), items.last_mut()) {
                    (None, Some(item)) => item.extend([" ", next.trim()]),
                    (text, _) => items.push(text.unwrap_or(next).into()),
                }
            }
            let items: String = items.iter().map(|item| format!("<li>{}</li>\n", inline(item))).collect();
            html.push_str(&format!("<ul>\n{items}</ul>\n"));
        } else {
            let mut text = line.to_string();
            let begins = |next: &str| ["#", "|", "- ", "```", "![", "<"].iter().any(|mark| next.starts_with(mark));
            rest(&|next| !next.trim().is_empty() && !begins(next))
                .iter()
                .for_each(|next| text.extend([" ", next.trim()]));
            html.push_str(&format!("<p>{}</p>\n", inline(&text)));
        }
    }
    html
}

/// The cells of a table's row: a `|` after a `\` is one of the text.
fn cells(row: &str) -> Vec<String> {
    let row = row.trim().trim_start_matches('|').strip_suffix('|').unwrap_or(row);
    row.replace("\\|", "\u{0}").split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

/// A cell, sorted by the number that it begins with, where it does.
fn cell(text: &str) -> Cell {
    let first = text.trim_matches(['*', '`']).split([' ', '%']).next().unwrap_or_default();
    let (digits, factor) = match first.strip_suffix('k') {
        Some(thousands) => (thousands, 1e3),
        None => first.strip_suffix('M').map_or((first, 1.0), |millions| (millions, 1e6)),
    };
    let value = match first {
        // After all that came to an end.
        "never" => Some(f64::MAX),
        _ => digits.replace('−', "-").replace(',', "").parse::<f64>().ok().map(|number| number * factor),
    };
    Cell { html: inline(text), value: value.filter(|value| value.is_finite()) }
}

/// The words and the path of `![words](path)`, alone on its line.
fn image(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("![")?.strip_suffix(')')?.rsplit_once("](")
}

/// Text without its marks.
pub(super) fn plain(text: &str) -> String {
    text.replace('\\', "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A line's code, stress, links and escapes.
fn inline(text: &str) -> String {
    let (mut html, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let ticks = rest.len() - rest.trim_start_matches('`').len();
        let known = ["&amp;", "&lt;", "&gt;"].into_iter().find(|entity| rest.starts_with(entity));
        if ticks > 0 {
            let (code, next) = code(&rest[ticks..], ticks).unwrap_or((&rest[..ticks], &rest[ticks..]));
            html.push_str(&format!("<code>{}</code>", escaped(code)));
            rest = next;
        } else if let Some(entity) = known {
            html.push_str(entity);
            rest = &rest[entity.len()..];
        } else if let ('\\', Some(next)) = (c, after.chars().next().filter(char::is_ascii_punctuation)) {
            html.push_str(&escaped(&next.to_string()));
            rest = &after[next.len_utf8()..];
        } else if let Some((tag, inner, next)) = stress(rest) {
            html.push_str(&format!("<{tag}>{}</{tag}>", inline(inner)));
            rest = next;
        } else if let Some((words, next)) = link(rest) {
            html.push_str(&inline(words));
            rest = next;
        } else {
            html.push_str(&escaped(&c.to_string()));
            rest = after;
        }
    }
    html
}

/// The code up to as many backticks, and what comes after them.
fn code(text: &str, ticks: usize) -> Option<(&str, &str)> {
    let fence = "`".repeat(ticks);
    let ends = text.match_indices(&fence).map(|(at, _)| at);
    let mut alone = ends.filter(|&at| !text[at + ticks..].starts_with('`') && !text[..at].ends_with('`'));
    let at = alone.next()?;
    // A blank at either end belongs to the fence where that is long.
    let code = if ticks > 1 { text[..at].trim() } else { &text[..at] };
    Some((code, &text[at + ticks..]))
}

/// `*words*` and `**words**`: how they are stressed, the words, and what comes after them.
fn stress(text: &str) -> Option<(&'static str, &str, &str)> {
    let (mark, tag) = if text.starts_with("**") { ("**", "strong") } else { ("*", "em") };
    let inner = text.strip_prefix(mark).filter(|inner| !inner.starts_with([' ', '*']))?;
    let is_end = |at: &usize| !inner[..*at].ends_with(['\\', ' ']);
    let at = inner.match_indices(mark).map(|(at, _)| at).find(is_end)?;
    Some((tag, &inner[..at], &inner[at + mark.len()..]))
}

/// `[words](address)`: the words, and what comes after it.
fn link(text: &str) -> Option<(&str, &str)> {
    let (words, after) = text.strip_prefix('[')?.split_once("](")?;
    let (_, next) = after.split_once(')')?;
    (!words.contains(['[', ']'])).then_some((words, next))
}

#[cfg(test)]
mod tests {
    use super::{html, inline};

    #[test]
    fn every_mark_is_a_tag_and_all_else_is_text() {
        let of = |markdown: &str| html(markdown, &|path, alt| Some(format!("<{path} {alt}>\n")));
        assert_eq!(of("# Title\n\n## A `b`\nOne\ntwo.\n"), "<h2>A <code>b</code></h2>\n<p>One two.</p>\n");
        assert_eq!(of("- *a*: b\n  c\n- d\n"), "<ul>\n<li><em>a</em>: b c</li>\n<li>d</li>\n</ul>\n");
        assert_eq!(of("````toml\n```\n<b>\n````\nafter"), "<pre tabindex=\"0\">```\n&lt;b&gt;</pre>\n<p>after</p>\n");
        assert_eq!(of("![Scores\\, &lt;b&gt;](p/s.png)"), "<p/s.png Scores, &lt;b&gt;>\n");
        let table = of("| a | b |\n| --- | --- |\n| `x\\|y` | 12.3k [11k, never] |\n| z | never |\n");
        assert!(table.contains("<th scope=\"row\"><code>x|y</code></th>"), "{table}");
        assert!(table.contains("data-value=\"12300\">12.3k [11k, never]</td>"), "{table}");
        assert!(table.contains("<button type=\"button\">b</button>"), "{table}");
    }

    #[test]
    fn text_means_nothing_but_itself() {
        assert_eq!(
            inline("<script> & \"x\" &lt;b&gt; \\*a\\* \\_"),
            "&lt;script&gt; &amp; &quot;x&quot; &lt;b&gt; *a* _"
        );
        assert_eq!(inline("`` a`<b> `` **x** 2 * 3 * 4"), "<code>a`&lt;b&gt;</code> <strong>x</strong> 2 * 3 * 4");
        assert_eq!(
            inline("[as SVG](a.svg) [0.1, 0.2] `[?]` ` *"),
            "as SVG [0.1, 0.2] <code>[?]</code> <code>`</code> *"
        );
    }
}
