//! `evaluations.csv`: a row an evaluation.

use std::io;

use super::to_file::ToFile;
use super::{Make, Row};
use crate::evaluation::Evaluated;

/// Of every run with [`eval_every`](crate::Config::eval_every), so no setting names it. No clock decides on any column.
pub(crate) const ROW: Row = Row {
    name: "evaluations",
    summary: "a table with a row an evaluation",
    params: &[],
    make: Make { file: "evaluations.csv", open: |_, path| ToFile::of_evaluations(path, write) },
};

/// Its columns.
const COLUMNS: [&str; 8] =
    ["update", "env_steps", "episodes", "cut", "return_mean", "return_std", "return_min", "length_mean"];

/// Writes a row, and the header before the `first`.
fn write(rows: &mut Vec<u8>, evaluated: &Evaluated, first: bool) -> io::Result<()> {
    let mut row = csv::WriterBuilder::new().has_headers(false).from_writer(rows);
    if first {
        row.write_record(COLUMNS)?;
    }
    let Evaluated { update, env_steps, evaluation: it, .. } = evaluated;
    row.serialize((
        (update, env_steps, it.episodes, it.cut),
        (it.return_mean, it.return_std, it.return_min, it.length_mean),
    ))?;
    row.flush()
}
