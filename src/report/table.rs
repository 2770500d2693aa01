//! A table whose columns a click sorts.

use super::markup::escaped;

/// A cell: what it shows, as HTML, and by what it is sorted if that is a number.
pub(super) struct Cell {
    pub(super) html: String,
    pub(super) value: Option<f64>,
}

impl Cell {
    pub(super) fn text(text: &str) -> Self {
        Self { html: escaped(text), value: None }
    }

    /// A number; an empty cell where there is none.
    pub(super) fn number(value: Option<f64>, shown: impl Fn(f64) -> String) -> Self {
        Self { html: value.map(|value| escaped(&shown(value))).unwrap_or_default(), value }
    }
}

/// The table, in a box of its own that scrolls where there is no room. Its heads are HTML; the first cell of a row is its head.
pub(super) fn table(id: &str, head: &[String], rows: &[Vec<Cell>]) -> String {
    let is_number = |column: usize| rows.iter().any(|row| row.get(column).is_some_and(|cell| cell.value.is_some()));
    let class = |column| if is_number(column) { " class=\"number\"" } else { "" };
    let heads = head.iter().enumerate().map(|(i, name)| {
        let class = class(i);
        format!("<th scope=\"col\"{class}><button type=\"button\">{name}</button></th>")
    });
    let cell = |(i, cell): (usize, &Cell)| {
        let value = cell.value.map(|value| format!(" data-value=\"{value}\"")).unwrap_or_default();
        let (class, text) = (class(i), &cell.html);
        match i {
            0 => format!("<th scope=\"row\"{class}{value}>{text}</th>"),
            _ => format!("<td{class}{value}>{text}</td>"),
        }
    };
    let row = |row: &Vec<Cell>| format!("<tr>{}</tr>\n", row.iter().enumerate().map(cell).collect::<String>());
    let (heads, rows): (String, String) = (heads.collect(), rows.iter().map(row).collect());
    format!(
        "<div class=\"scrolls\" tabindex=\"0\"><table class=\"sortable\" id=\"{id}\">\n<thead><tr>{heads}</tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n"
    )
}
