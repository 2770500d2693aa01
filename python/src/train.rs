//! Training, from settings to a run's folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use pyo3::prelude::*;
use uphill::{Config, Error, Event, Result, RunFolder, Trainer};

use crate::watched::watched;
use crate::{catalogue, raised};

/// The configuration of settings in JSON, or of a file of them.
fn config(settings: Option<&str>, file: Option<&Path>) -> Result<Config> {
    let table = match (settings, file) {
        (_, Some(file)) => Some(Config::read_toml(file)?),
        (settings, None) => {
            let table = settings.map(serde_json::from_str).transpose();
            table.map_err(|e| Error::Config(format!("settings: {e}")))?
        }
    };
    let mut table = table.unwrap_or_default();
    let beside = file.and_then(Path::parent).unwrap_or(Path::new(""));
    Config::settle_env(&mut table, beside, &catalogue())?;
    Config::from_table_with(table, &catalogue())
}

/// All settings, in TOML, of some of them.
#[pyfunction]
#[pyo3(signature = (settings, file=None))]
pub(crate) fn settings(settings: Option<&str>, file: Option<PathBuf>) -> PyResult<String> {
    config(settings, file.as_deref()).and_then(|config| config.to_toml()).map_err(raised)
}

/// Every environment's name, and what it is.
#[pyfunction]
pub(crate) fn environments() -> Vec<(&'static str, &'static str)> {
    let catalogue = catalogue();
    let families = catalogue.families().iter().map(|family| (family.name, family.summary));
    catalogue.envs().iter().map(|row| (row.name, row.summary)).chain(families).collect()
}

/// Trains by settings, in JSON or a file; returns the folder, and in JSON what the run came to.
#[pyfunction]
#[pyo3(signature = (settings, file, out, force, hear))]
pub(crate) fn train(
    py: Python<'_>,
    settings: Option<&str>,
    file: Option<PathBuf>,
    out: Option<PathBuf>,
    force: bool,
    hear: &Bound<'_, PyAny>,
) -> PyResult<(PathBuf, String)> {
    let begin = || -> Result<(RunFolder, Trainer, Vec<String>)> {
        let config = config(settings, file.as_deref())?;
        let trainer = Trainer::new(&config)?;
        let path = out.unwrap_or_else(|| RunFolder::default_path(&config));
        Ok((RunFolder::create(path, &config, force)?, trainer, Vec::new()))
    };
    let begun = py.detach(begin).map_err(raised)?;
    trained(py, begun, hear)
}

/// Goes on with the run in a folder.
#[pyfunction]
pub(crate) fn resume(py: Python<'_>, folder: PathBuf, hear: &Bound<'_, PyAny>) -> PyResult<(PathBuf, String)> {
    let begun = py.detach(|| RunFolder::resume_with(&folder, &catalogue())).map_err(raised)?;
    trained(py, begun, hear)
}

fn trained(
    py: Python<'_>,
    (run, mut trainer, notes): (RunFolder, Trainer, Vec<String>),
    hear: &Bound<'_, PyAny>,
) -> PyResult<(PathBuf, String)> {
    let path = run.path().to_path_buf();
    let summary = path.join("summary.json");
    if run.is_finished(&trainer) && summary.exists() {
        return Ok((path, std::fs::read_to_string(summary)?));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    trainer.stop_when(move || asked.load(Ordering::Relaxed));
    let mut hear = |_: Python<'_>, text: String| hear.call1((text,)).map(drop);
    let text = watched(py, &stop, &mut hear, |tell| {
        notes.into_iter().for_each(|text| note(tell, &text));
        trainer.device_note().into_iter().for_each(|text| note(tell, text));
        go_on(run, trainer, tell, &stop)
    })?;
    Ok((path, text))
}

fn note(tell: &Sender<String>, text: &str) {
    // Nobody hears it where an exception has ended the listening.
    let _ = tell.send(serde_json::json!({ "note": text }).to_string());
}

/// Trains to the end, or until it is asked to stop, and keeps what is due; in JSON what it came to.
fn go_on(mut run: RunFolder, mut trainer: Trainer, tell: &Sender<String>, stop: &AtomicBool) -> Result<String> {
    while !stop.load(Ordering::Relaxed) {
        let event = match trainer.advance() {
            Ok(Some(event)) => event,
            Ok(None) | Err(Error::Interrupted) => break,
            Err(error) => {
                // What is whole of it is kept, if it can be; the error says more than that it cannot.
                let _ = run.save(&mut trainer);
                return Err(error);
            }
        };
        trainer.take_notes().iter().for_each(|text| note(tell, text));
        if let Event::Update(metrics) = &event {
            run.log(metrics)?;
            let mut row = serde_json::to_value(metrics).map_err(|e| Error::Config(e.to_string()))?;
            for (name, number) in &metrics.others {
                row[*name] = (*number).into();
            }
            let _ = tell.send(row.to_string());
        }
        run.save_if_due(&mut trainer)?;
        run.take_notes().iter().for_each(|text| note(tell, text));
    }
    run.save(&mut trainer)?;
    match run.finish(trainer) {
        Ok(summary) => serde_json::to_string(&summary).map_err(|e| Error::Config(e.to_string())),
        // Whoever asked for it is told so by the exception that did.
        Err(Error::Interrupted) => Ok("null".into()),
        Err(error) => Err(error),
    }
}
