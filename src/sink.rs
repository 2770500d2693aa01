//! Where the rows of a run go: a [`Sink`] takes one [`Metrics`] an update. A new kind is a file here and a row of [`ROWS`].

mod csv;
mod evaluations;
mod jsonl;
mod kept;
mod prometheus;
mod rows_file;
mod tensorboard;
mod to_file;

use std::path::Path;

use crate::evaluation::Evaluated;
use crate::metrics::Metrics;
use crate::summary::Summary;
use crate::words::Args;
use crate::{Params, Result};

pub(crate) use csv::Csv;
pub(crate) use evaluations::ROW as EVALUATIONS;
pub(crate) use rows_file::{Rows, put_aside};

/// Takes every number that training reports: the fields of [`Metrics`], and what objective and optimizer report by names of
/// their own in [`Metrics::others`].
///
/// A [`RunFolder`](crate::RunFolder) hands its rows to `metrics.csv` and to each sink that it is given. A run may be killed
/// after any row, and resumed goes on from its last checkpoint: the updates since are made again, and their rows come again. So
/// a sink says at each checkpoint how far it is, and is taken back to there.
///
/// ```
/// use std::sync::{Arc, Mutex};
///
/// use uphill::{Config, Metrics, Result, RunFolder, Sink, Trainer};
///
/// /// The value loss of each update.
/// #[derive(Default, Clone)]
/// struct Losses(Arc<Mutex<Vec<f64>>>);
///
/// impl Sink for Losses {
///     fn row(&mut self, metrics: &Metrics) -> Result<()> {
///         self.0.lock().unwrap().extend(metrics.value_loss);
///         Ok(())
///     }
///
///     fn sync(&mut self) -> Result<String> {
///         Ok(self.0.lock().unwrap().len().to_string())
///     }
///
///     fn resume(&mut self, mark: Option<&str>) -> Result<()> {
///         let kept = mark.and_then(|mark| mark.parse().ok()).unwrap_or(0);
///         self.0.lock().unwrap().truncate(kept);
///         Ok(())
///     }
/// }
///
/// # let home = std::env::temp_dir().join(format!("uphill-doc-sink-{}", std::process::id()));
/// # let path = &home;
/// let config = Config { env: "GridWorld-4x4-v0".into(), steps: 1_024, ..Config::for_algo("ppo")? };
/// let losses = Losses::default();
/// let mut run = RunFolder::create(path, &config, false)?
///     .with_sinks(["jsonl"])?
///     .with_sink("losses", Box::new(losses.clone()))?;
/// let mut trainer = Trainer::new(&config)?;
/// while let Some(metrics) = trainer.step()? {
///     run.log(&metrics)?;
/// }
/// assert_eq!(losses.0.lock().unwrap().len(), 2);
/// # drop(run);
/// # std::fs::remove_dir_all(home).map_err(uphill::Error::part)?;
/// # Ok::<(), uphill::Error>(())
/// ```
pub trait Sink: Send {
    /// Takes the row of one update. After an error it has the row all the same: it keeps it, and writes it before the next.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn row(&mut self, metrics: &Metrics) -> Result<()>;

    /// Takes an evaluation, after the rows of all updates before it; like them, it comes again where a resumed run makes it
    /// again. In a loop over [`Trainer::step`](crate::Trainer::step), which makes an evaluation and the next update in one go, it
    /// comes after the row of that update. The default does nothing.
    ///
    /// # Errors
    /// As [`row`](Sink::row).
    fn evaluation(&mut self, _evaluated: &Evaluated) -> Result<()> {
        Ok(())
    }

    /// Whether it takes a look at the weights after this update; no by default.
    fn wants_weights(&self, _update: u64) -> bool {
        false
    }

    /// Takes a look at the weights, after the row of an update at which it [wants](Sink::wants_weights) to. The default does nothing.
    ///
    /// # Errors
    /// As [`row`](Sink::row).
    fn weights(&mut self, _weights: &Weights<'_>) -> Result<()> {
        Ok(())
    }

    /// Sees to it that every row is safe, and says how far it is, in words that only [`resume`](Sink::resume) reads. A checkpoint
    /// is written afterwards, with this mark.
    ///
    /// # Errors
    /// Where rows cannot be written: there is no checkpoint then, and the next is tried later.
    fn sync(&mut self) -> Result<String>;

    /// Goes on from a mark: the rows after it, whose updates are made again, are taken back. `None` where no checkpoint knows of
    /// this sink: there is no row yet. It is asked once, before the first row.
    ///
    /// # Errors
    /// For a mark of which the rows are no longer there, or are not what they were.
    fn resume(&mut self, mark: Option<&str>) -> Result<()>;

    /// Ends the run, which came to this. The default [syncs](Sink::sync).
    ///
    /// # Errors
    /// Where something cannot be written.
    fn finish(&mut self, _summary: &Summary) -> Result<()> {
        self.sync().map(drop)
    }

    /// What has been found since the last call that a user should be told; nothing by default.
    fn take_notes(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// What is learnt, as it is after an update.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Weights<'a> {
    /// Updates so far.
    pub update: u64,
    /// Environment steps so far, all lanes together.
    pub env_steps: u64,
    /// The parameters, with the names of their blocks.
    pub params: &'a Params,
    /// The gradient on the update's last minibatch, `[P]`, before anything was made of it; `None` where it was not kept: see
    /// [`Trainer::keep_gradient`](crate::Trainer::keep_gradient).
    pub gradient: Option<&'a [f32]>,
}

/// A named sink, which writes a file in the folder of a run.
pub type Row = crate::words::Row<Make>;

/// How a row makes a sink.
#[derive(Debug, Clone, Copy)]
pub struct Make {
    /// The name of its file.
    pub file: &'static str,
    /// Opens the file of this path, for this process alone; [`Sink::resume`] then says what of it stays.
    pub open: fn(&Args, &Path) -> Result<Box<dyn Sink>>,
}

/// The name of the sink that every run has.
pub(crate) const FIRST: &str = csv::ROW.name;

/// Every sink of this crate, the first that of each run.
pub const ROWS: &[Row] = &[csv::ROW, jsonl::ROW, tensorboard::ROW, prometheus::ROW];
