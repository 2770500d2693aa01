//! What a page shows of one run.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::Value;

use super::ReportOptions;
use super::replay::Replay;
#[cfg(feature = "cli")]
use crate::plot::PlotError;
use crate::plot::{RecordedRun, Series, evaluations};
use crate::policy::POLICY;
use crate::{Catalogue, Error, Result, screen, settings, whole_file};

/// What a run's summary is in.
const SUMMARY: &str = "summary.json";
/// Far more than a summary has, in bytes.
const LONGEST: u64 = 1 << 20;

/// A run folder, read.
pub(super) struct ReportedRun {
    /// The folder, as it was given.
    pub(super) name: String,
    /// What it is.
    what: RecordedRun,
    /// Its columns that have values.
    pub(super) columns: Vec<RecordedRun>,
    pub(super) evaluations: Option<Series>,
    /// What it came to; null while it has not ended.
    summary: Value,
    /// Whether it is a policy without the run that made it: imported, or copied to be shared.
    pub(super) is_policy_alone: bool,
    /// `config.toml`, as it is.
    pub(super) config: String,
    /// An episode of its policy, or why there is none.
    pub(super) replay: std::result::Result<Replay, String>,
}

impl ReportedRun {
    pub(super) fn read(folder: &Path, options: &ReportOptions, catalogue: &Catalogue) -> Result<Self> {
        // A policy that was imported has no update, nor a run that was broken off before its first.
        let rows = std::fs::metadata(folder.join("metrics.csv")).map(|file| file.len()).ok();
        let has_none = rows == Some(0) || rows.is_none() && folder.join(POLICY).exists();
        let columns = if has_none { Vec::new() } else { RecordedRun::read_columns(folder)? };
        let replay = |_| match options.max_steps {
            0 => Err("none was asked for".into()),
            _ => Replay::of(folder, options, catalogue).map_err(|error| error.to_string()),
        };
        Self::of(folder, columns, replay)
    }

    /// The same while training goes on: there may be no row yet, and the episode is played once it has ended.
    #[cfg(feature = "cli")]
    pub(super) fn read_now(folder: &Path, catalogue: &Catalogue) -> Result<Self> {
        let columns = match RecordedRun::read_columns(folder) {
            Err(PlotError::NoValues { .. } | PlotError::Missing { file: "metrics.csv", .. }) => Vec::new(),
            columns => columns?,
        };
        let replay = |ended| match ended {
            false => Err("it is played once training has ended".into()),
            true => Replay::of(folder, &ReportOptions::default(), catalogue).map_err(|error| error.to_string()),
        };
        Self::of(folder, columns, replay)
    }

    /// The run with these columns, and an episode where there is one for one that has ended or not.
    fn of(
        folder: &Path,
        columns: Vec<RecordedRun>,
        replay: impl Fn(bool) -> std::result::Result<Replay, String>,
    ) -> Result<Self> {
        let evaluations = columns.first().and_then(|run| evaluations(std::slice::from_ref(run)).pop());
        let path = folder.join("config.toml");
        let config = whole_file::read(&path, settings::MAX_BYTES).map_err(Error::io(&path))?;
        let what = RecordedRun::described(&folder.display().to_string(), &config)?;
        let config = String::from_utf8_lossy(&config).into_owned();
        let (name, summary) = (screen::path(folder), summary(&folder.join(SUMMARY))?);
        let goes_on = folder.join("checkpoints").read_dir().is_ok_and(|mut there| there.next().is_some());
        let is_policy_alone = summary.is_null() && !goes_on && folder.join(POLICY).exists();
        let later = Err(String::new());
        let mut run = Self { name, what, columns, evaluations, summary, is_policy_alone, config, replay: later };
        // One of before, of a run that went on since.
        if run.summed("env_steps").is_some_and(|steps| steps < run.steps() as f64) {
            run.summary = Value::Null;
        }
        run.replay = replay(run.is_finished() || is_policy_alone);
        Ok(run)
    }

    pub(super) fn env(&self) -> &str {
        &self.what.env
    }

    pub(super) fn algo(&self) -> &str {
        &self.what.algo
    }

    pub(super) fn optimizer(&self) -> &str {
        &self.what.optimizer
    }

    pub(super) fn seed(&self) -> u64 {
        self.what.seed
    }

    /// Its other settings.
    pub(super) fn settings(&self) -> BTreeMap<&str, &str> {
        self.what.settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    /// Environment steps that its last row tells of.
    pub(super) fn steps(&self) -> u64 {
        self.columns.iter().filter_map(|run| run.env_steps.last()).copied().max().unwrap_or(0)
    }

    /// Whether it has ended, and has a summary.
    pub(super) fn has_ended(&self) -> bool {
        self.summary.is_object()
    }

    /// A number of its summary; one of the evaluation after the last update is `eval.return_mean`.
    pub(super) fn summed(&self, key: &str) -> Option<f64> {
        key.split('.').try_fold(&self.summary, |value, part| value.get(part)).and_then(Value::as_f64)
    }

    /// A text of its summary.
    pub(super) fn said(&self, key: &str) -> Option<&str> {
        self.summary.get(key).and_then(Value::as_str)
    }

    /// Whether it trained to its end.
    pub(super) fn is_finished(&self) -> bool {
        self.summary.get("finished").and_then(Value::as_bool).unwrap_or(false)
    }

    /// What held it back.
    pub(super) fn findings(&self) -> impl Iterator<Item = &str> {
        self.summary.get("findings").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }
}

/// The summary, or null where there is none yet.
fn summary(path: &Path) -> Result<Value> {
    let bytes = match whole_file::read(path, LONGEST) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Value::Null),
        read => read.map_err(Error::io(path))?,
    };
    let wrong = |problem: String| Error::File { path: path.into(), problem };
    match serde_json::from_slice(&bytes) {
        Ok(object @ Value::Object(_)) => Ok(object),
        Ok(_) => Err(wrong("it must hold a JSON object, as `train` leaves it".into())),
        Err(error) => Err(wrong(format!("this is not JSON ({error}); `train` leaves it at the end of a run"))),
    }
}
