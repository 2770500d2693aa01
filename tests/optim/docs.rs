//! `docs/optimizers.md` against the table in the code.

use uphill::optim::{Registry, Row};

use crate::{at, numbers, optimizer, params};

const PAGE: &str = include_str!("../../docs/optimizers.md");

/// Bytes of state a parameter of a 64 x 64 matrix, with all defaults, to two digits.
fn state_bytes(row: &Row) -> String {
    let (mut optimizer, mut params) = (optimizer(row.name), params(&[("w", &[64, 64])], &numbers(4096, 1)));
    for step in 0..3 {
        optimizer.step(&mut params, &numbers(4096, 2 + step), at(step)).expect("a step");
    }
    // A count of steps is a few bytes for all parameters together.
    let bytes = (optimizer.state_bytes() as f64 / 4096.0 * 10.0).round() / 10.0;
    bytes.to_string()
}

/// What the page must say of a row: its name, and its arguments with their defaults.
fn cells(row: &Row) -> [String; 2] {
    let signature = row.signature();
    let arguments = signature.trim_start_matches(row.name).trim_start_matches('(').trim_end_matches(')');
    [format!("`{}`", row.name), if arguments.is_empty() { String::new() } else { format!("`{arguments}`") }]
}

/// The cells of the row of the page that begins with this name.
fn row_of_page(name: &str) -> Option<Vec<&'static str>> {
    let rows = PAGE.lines().map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    rows.into_iter().find(|cells| cells[0] == name)
}

#[test]
fn the_page_of_optimizers_says_what_the_code_does() {
    let registry = Registry::default();
    let mut wrong = Vec::new();
    for row in registry.rows() {
        let [name, arguments] = cells(row);
        let mut expected = vec![arguments];
        if row.is_recipe() {
            expected.push(state_bytes(row));
        } else {
            expected.extend(row.place().map(|place| place.to_string()));
        }
        let found = row_of_page(&name).unwrap_or_default();
        for cell in expected {
            if !found.contains(&&*cell) {
                wrong.push(format!("{name} | {cell}"));
            }
        }
    }
    assert!(wrong.is_empty(), "docs/optimizers.md lacks:\n{}", wrong.join("\n"));
    // And nothing else.
    for line in PAGE.lines().filter(|line| line.starts_with("| `")) {
        let name = line.trim_start_matches("| `").split('`').next().expect("a name");
        assert!(registry.rows().iter().any(|row| row.name == name), "{name} is no word");
    }
}
