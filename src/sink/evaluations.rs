//! `evaluations.csv`: a row an evaluation.

use std::io;
use std::path::Path;

use super::Sink;
use super::rows_file::RowsFile;
use crate::Result;
use crate::evaluation::Evaluated;
use crate::metrics::Metrics;

/// An open `evaluations.csv`. No clock decides on any column of it.
pub(crate) struct EvaluationsCsv(RowsFile);

impl EvaluationsCsv {
    /// What the sink of it is called.
    pub(crate) const NAME: &str = "evaluations";
    /// The name of the file.
    pub(crate) const FILE: &str = "evaluations.csv";

    /// The file, which from now on is this process's alone.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self(RowsFile::open(path)?))
    }
}

/// Its columns.
const COLUMNS: [&str; 8] =
    ["update", "env_steps", "episodes", "cut", "return_mean", "return_std", "return_min", "length_mean"];

impl Sink for EvaluationsCsv {
    fn row(&mut self, _: &Metrics) -> Result<()> {
        Ok(())
    }

    fn evaluation(&mut self, evaluated: &Evaluated) -> Result<()> {
        let first = self.0.is_empty();
        self.0.append(|rows| write(rows, evaluated, first))
    }

    fn sync(&mut self) -> Result<String> {
        Ok(self.0.sync()?.to_string())
    }

    fn resume(&mut self, mark: Option<&str>) -> Result<()> {
        self.0.keep_marked(mark)
    }

    fn take_notes(&mut self) -> Vec<String> {
        self.0.take_notes()
    }
}

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
