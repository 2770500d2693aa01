//! The sinks of a run: `metrics.csv`, and those that it was given besides.

use std::collections::BTreeMap;
use std::path::Path;

use crate::catalogue::Catalogue;
use crate::checkpoint::Progress;
use crate::metrics::Metrics;
use crate::sink::{self, Csv, FIRST, Rows, Sink};
use crate::summary::Summary;
use crate::words::{Args, Word};
use crate::{Error, Result, own_folder};

/// Names the sink that an error is of.
fn of(name: &str) -> impl FnOnce(Error) -> Error {
    let name = name.to_owned();
    |source| Error::Sink { name, source: Box::new(source) }
}

pub(super) struct Sinks {
    csv: Csv,
    others: Vec<(String, Box<dyn Sink>)>,
    /// How far the sinks are that the checkpoint knows of.
    marks: BTreeMap<String, String>,
    /// Whether the run goes on from a checkpoint.
    goes_on: bool,
    notes: Vec<String>,
}

impl Sinks {
    /// Opens `metrics.csv`, which from now on is this process's alone; [`Sinks::begin`] or [`Sinks::resume`] say what of it
    /// stays.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let csv = Csv::open(&folder.join("metrics.csv"))?;
        Ok(Self { csv, others: Vec::new(), marks: BTreeMap::new(), goes_on: false, notes: Vec::new() })
    }

    /// Begins without a row.
    pub(super) fn begin(&mut self) -> Result<()> {
        self.csv.resume(None)
    }

    /// Goes on from a checkpoint.
    pub(super) fn resume(&mut self, progress: &Progress) -> Result<()> {
        self.csv.keep(&progress.metrics)?;
        (self.marks, self.goes_on) = (progress.sinks.clone(), true);
        Ok(())
    }

    /// Opens a sink by its word, unless it is open.
    pub(super) fn add_named(&mut self, folder: &Path, word: &Word, catalogue: &Catalogue) -> Result<()> {
        let row = catalogue.sink(&word.name)?;
        if self.has(row.name) {
            return Ok(());
        }
        let (args, path) = (Args::new(row, word)?, own_folder::file(folder, row.make.file)?);
        if self.goes_on && !self.marks.contains_key(row.name) {
            self.notes.extend(sink::put_aside(&path)?);
        }
        self.add(row.name, (row.make.open)(&args, &path).map_err(of(row.name))?)
    }

    /// Adds a sink of another name than those that are open.
    pub(super) fn add(&mut self, name: &str, mut sink: Box<dyn Sink>) -> Result<()> {
        if self.has(name) {
            let remedy = "each is told apart by its name in the checkpoints of the run";
            return Err(Error::Config(format!("two sinks are called `{}`: {remedy}", uphill_envs::quoted(name))));
        }
        sink.resume(self.marks.get(name).map(String::as_str)).map_err(of(name))?;
        self.others.push((name.into(), sink));
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        name == FIRST || self.others.iter().any(|(other, _)| other == name)
    }

    /// Hands a row to every sink, also after one that failed.
    pub(super) fn row(&mut self, metrics: &Metrics) -> Result<()> {
        let first = self.csv.row(metrics);
        self.others.iter_mut().map(|(name, sink)| sink.row(metrics).map_err(of(name))).fold(first, Result::and)
    }

    /// Sees to it that all rows are safe, and says how far they are: those of `metrics.csv` and the marks of the others.
    pub(super) fn sync(&mut self) -> Result<(Rows, BTreeMap<String, String>)> {
        // One that is not open this time may be again.
        let mut marks = self.marks.clone();
        for (name, sink) in &mut self.others {
            marks.insert(name.clone(), sink.sync().map_err(of(name))?);
        }
        Ok((self.csv.sync_rows()?, marks))
    }

    /// Tells every sink what the run came to, also after one that failed.
    pub(super) fn finish(&mut self, summary: &Summary) -> Result<()> {
        let first = self.csv.finish(summary);
        self.others.iter_mut().map(|(name, sink)| sink.finish(summary).map_err(of(name))).fold(first, Result::and)
    }

    pub(super) fn take_notes(&mut self) -> Vec<String> {
        let others = self.others.iter_mut().flat_map(|(_, sink)| sink.take_notes());
        self.notes.drain(..).chain(self.csv.take_notes()).chain(others).collect()
    }
}
