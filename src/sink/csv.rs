//! `metrics.csv`: a table with a column a metric.

use std::io;
use std::path::Path;

use super::rows_file::{Rows, RowsFile};
use super::{Make, Row, Sink};
use crate::metrics::Metrics;
use crate::{Error, Result};

pub(super) const ROW: Row = Row {
    name: "csv",
    summary: "a table with a column a metric, which every run has: pictures, findings and `--resume` read it",
    params: &[],
    make: Make { file: "metrics.csv", open: |_, path| Ok(Box::new(Csv::open(path)?)) },
};

/// An open `metrics.csv`.
pub(crate) struct Csv {
    file: RowsFile,
    /// The columns between those that every file has and the clock's: they are those of the first row.
    others: Vec<String>,
}

impl Csv {
    /// The file, which from now on is this process's alone; [`Csv::keep`] says what of it stays.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { file: RowsFile::open(path)?, others: Vec::new() })
    }

    /// Goes on after these rows, and drops all others.
    pub(crate) fn keep(&mut self, rows: &Rows) -> Result<()> {
        self.file.keep(rows)?;
        self.read_header()
    }

    /// Sees to it that all rows are on the disk, and says which they are.
    pub(crate) fn sync_rows(&mut self) -> Result<Rows> {
        self.file.sync()
    }

    fn read_header(&mut self) -> Result<()> {
        let path = self.file.path().to_path_buf();
        let mut table = csv::Reader::from_reader(self.file.reader()?);
        let header = table.headers().map_err(|e| Error::io(path)(e.into()))?;
        let others = header.iter().skip(Metrics::COLUMNS.len()).filter(|name| *name != Metrics::CLOCK);
        self.others = others.map(Into::into).collect();
        Ok(())
    }
}

impl Sink for Csv {
    fn row(&mut self, metrics: &Metrics) -> Result<()> {
        let first = self.file.is_empty();
        if first {
            self.others = metrics.others.iter().map(|(name, _)| (*name).into()).collect();
        }
        self.file.append(|rows| write(rows, metrics, &self.others, first))
    }

    fn sync(&mut self) -> Result<String> {
        Ok(self.file.sync()?.to_string())
    }

    fn resume(&mut self, mark: Option<&str>) -> Result<()> {
        self.file.keep_marked(mark)?;
        self.read_header()
    }

    fn take_notes(&mut self) -> Vec<String> {
        self.file.take_notes()
    }
}

/// Writes a row, and the header before the `first`.
fn write(rows: &mut Vec<u8>, m: &Metrics, others: &[String], first: bool) -> io::Result<()> {
    let mut row = csv::WriterBuilder::new().has_headers(false).from_writer(rows);
    if first {
        let others = others.iter().map(String::as_str);
        row.write_record(Metrics::COLUMNS.into_iter().chain(others).chain([Metrics::CLOCK]))?;
    }
    let value = |name: &String| m.others.iter().find(|(other, _)| other == name).map(|(_, value)| *value);
    let others: Vec<Option<f64>> = others.iter().map(value).collect();
    row.serialize((
        (m.update, m.env_steps, m.episodes, m.episode_return_mean, m.episode_length_mean),
        (m.policy_loss, m.value_loss, m.entropy, m.approx_kl, m.clip_fraction, m.explained_variance),
        (m.grad_norm, m.update_norm, m.lr),
        others,
        m.steps_per_second,
    ))?;
    row.flush()
}
