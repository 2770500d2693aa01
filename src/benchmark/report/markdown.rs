//! Tables and numbers as Markdown.

use super::super::analysis::known;
use crate::stats::Interval;

/// A Markdown table.
pub(super) fn table(header: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    // A `|` would end the cell.
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

pub(super) fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A score with its interval: `0.91 [0.88, 0.93]`, or `0.91 [?]` where nothing is known of how uncertain it is. A narrow
/// interval has as many digits as tell its ends apart.
pub(super) fn estimate(interval: &Interval) -> String {
    let tells = |&digits: &usize| score(interval.low, digits) != score(interval.high, digits);
    let digits = (2..4).find(tells).filter(|_| known(interval)).unwrap_or(2);
    with_ends(interval, |x| score(x, digits))
}

/// A score with so many digits after the point.
pub(super) fn score(x: f64, digits: usize) -> String {
    let text = format!("{x:.digits$}");
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
