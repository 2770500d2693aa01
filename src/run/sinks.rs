//! The sinks of a run: `metrics.csv`, and those that it was given besides.

use std::collections::BTreeMap;
use std::path::Path;

use crate::checkpoint::Progress;
use crate::evaluation::Evaluated;
use crate::metrics::Metrics;
use crate::sink::{self, Csv, EVALUATIONS, FIRST, Rows, Sink, Weights};
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

    /// Opens the sink of a row, unless it is open.
    pub(super) fn add_row(&mut self, folder: &Path, row: &sink::Row, word: &Word) -> Result<()> {
        if row.name == FIRST || self.is_open(row.name) {
            return Ok(());
        }
        let (args, path) = (Args::new(row, word)?, own_folder::file(folder, row.make.file)?);
        if self.goes_on && !self.marks.contains_key(row.name) {
            self.notes.extend(sink::put_aside(&path)?);
        }
        self.push(row.name, (row.make.open)(&args, &path).map_err(of(row.name))?)
    }

    /// Adds a sink of another name than those that there are.
    pub(super) fn add(&mut self, name: &str, sink: Box<dyn Sink>) -> Result<()> {
        if [FIRST, EVALUATIONS.name].contains(&name) || self.is_open(name) {
            let remedy = "each is told apart by its name in the checkpoints of the run";
            return Err(Error::Config(format!("two sinks are called `{}`: {remedy}", uphill_envs::quoted(name))));
        }
        self.push(name, sink)
    }

    fn push(&mut self, name: &str, mut sink: Box<dyn Sink>) -> Result<()> {
        sink.resume(self.marks.get(name).map(String::as_str)).map_err(of(name))?;
        self.others.push((name.into(), sink));
        Ok(())
    }

    fn is_open(&self, name: &str) -> bool {
        self.others.iter().any(|(other, _)| other == name)
    }

    /// Has every sink do something, also after one that failed.
    fn each(&mut self, does: impl Fn(&mut dyn Sink) -> Result<()>) -> Result<()> {
        let first = does(&mut self.csv);
        self.others.iter_mut().map(|(name, sink)| does(&mut **sink).map_err(of(name))).fold(first, Result::and)
    }

    /// Hands a row to every sink.
    pub(super) fn row(&mut self, metrics: &Metrics) -> Result<()> {
        self.each(|sink| sink.row(metrics))
    }

    /// Hands an evaluation to every sink.
    pub(super) fn evaluation(&mut self, evaluated: &Evaluated) -> Result<()> {
        self.each(|sink| sink.evaluation(evaluated))
    }

    /// Whether any sink takes a look at the weights after this update.
    pub(super) fn want_weights(&self, update: u64) -> bool {
        self.others.iter().any(|(_, sink)| sink.wants_weights(update))
    }

    /// Shows the weights to every sink that wants to see them now.
    pub(super) fn weights(&mut self, weights: &Weights<'_>) -> Result<()> {
        self.each(|sink| if sink.wants_weights(weights.update) { sink.weights(weights) } else { Ok(()) })
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

    /// Tells every sink what the run came to.
    pub(super) fn finish(&mut self, summary: &Summary) -> Result<()> {
        self.each(|sink| sink.finish(summary))
    }

    pub(super) fn take_notes(&mut self) -> Vec<String> {
        let others = self.others.iter_mut().flat_map(|(_, sink)| sink.take_notes());
        self.notes.drain(..).chain(self.csv.take_notes()).chain(others).collect()
    }
}
