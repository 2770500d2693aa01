//! A sink whose rows are those of a file.

use std::io;
use std::path::Path;

use super::Sink;
use super::rows_file::RowsFile;
use crate::Result;
use crate::evaluation::Evaluated;
use crate::metrics::Metrics;

/// How a row is written of something; `true` of the first.
pub(super) type Write<T> = fn(&mut Vec<u8>, &T, bool) -> io::Result<()>;

/// What is not written is none of its rows.
pub(super) struct ToFile {
    file: RowsFile,
    update: Option<Write<Metrics>>,
    evaluation: Option<Write<Evaluated>>,
}

impl ToFile {
    /// A row an update.
    pub(super) fn of_updates(path: &Path, write: Write<Metrics>) -> Result<Box<dyn Sink>> {
        Ok(Box::new(Self { file: RowsFile::open(path)?, update: Some(write), evaluation: None }))
    }

    /// A row an evaluation.
    pub(super) fn of_evaluations(path: &Path, write: Write<Evaluated>) -> Result<Box<dyn Sink>> {
        Ok(Box::new(Self { file: RowsFile::open(path)?, update: None, evaluation: Some(write) }))
    }

    fn append<T>(&mut self, write: Option<Write<T>>, of: &T) -> Result<()> {
        let first = self.file.is_empty();
        write.map_or(Ok(()), |write| self.file.append(|rows| write(rows, of, first)))
    }
}

impl Sink for ToFile {
    fn row(&mut self, metrics: &Metrics) -> Result<()> {
        self.append(self.update, metrics)
    }

    fn evaluation(&mut self, evaluated: &Evaluated) -> Result<()> {
        self.append(self.evaluation, evaluated)
    }

    fn sync(&mut self) -> Result<String> {
        Ok(self.file.sync()?.to_string())
    }

    fn resume(&mut self, mark: Option<&str>) -> Result<()> {
        self.file.keep_marked(mark)
    }

    fn take_notes(&mut self) -> Vec<String> {
        self.file.take_notes()
    }
}
