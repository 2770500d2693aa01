//! The tables of a search.

use std::path::Path;

use super::found::{Found, Reported};
use super::home;
use super::space::text_of;
use super::trial::{Divergence, Trial};
use crate::{Config, Error, Result, own_folder, whole_file};

impl Found {
    /// Writes `trials.csv`, `report.csv` and `best.toml`; the last two only where there is a best trial.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let seeds = self.search.seeds.list();
        let names = self.search.ranges.iter().map(|(name, _)| name.clone());
        let head = ["trial", "state", "score", "rung_steps", "env_steps"].map(String::from).into_iter();
        let scores = seeds.iter().map(|seed| format!("score_s{seed}"));
        let head = head.chain(names).chain(scores).chain(["diverged".into()]).collect();
        csv(&folder.join(home::TRIALS), std::iter::once(head).chain(self.trials.iter().map(row)))?;
        if let Some(report) = &self.report {
            let head = ["seed", "score", "env_steps", "diverged"].map(String::from).to_vec();
            csv(&folder.join(home::REPORT), std::iter::once(head).chain(report.runs.iter().map(reported)))?;
        }
        if let Some(config) = self.config()? {
            let path = own_folder::file(folder, home::BEST)?;
            let text = format!("{}{}", self.heading(), plain(config).to_toml()?);
            whole_file::write_own(&path, text.as_bytes()).map_err(Error::io(&path))?;
        }
        Ok(())
    }

    /// What a reader of `best.toml` should know.
    fn heading(&self) -> String {
        let (number, count) = (self.best().map_or(0, |best| best.number), self.trials.len());
        format!("# Trial {number} of {count}, the best of a search. It is worth {}.\n", self.worth())
    }
}

/// As a run of its own is.
fn plain(config: Config) -> Config {
    Config { threads: 0, ..config }
}

fn row(trial: &Trial) -> Vec<String> {
    let number = |score: &Option<f64>| score.map_or(String::new(), |score| score.to_string());
    let own = [trial.number.to_string(), trial.state.name().into(), number(&trial.score)].into_iter();
    let steps = [trial.steps.to_string(), trial.env_steps.to_string()];
    let values = trial.values.iter().map(text_of);
    let diverged = trial.diverged.as_ref().map(|(seed, divergence)| format!("seed {seed}, {}", place(divergence)));
    own.chain(steps)
        .chain(values)
        .chain(trial.scores.iter().map(number))
        .chain([diverged.unwrap_or_default()])
        .collect()
}

fn reported(run: &Reported) -> Vec<String> {
    let score = run.score.map_or(String::new(), |score| score.to_string());
    let diverged = run.diverged.as_ref().map(place).unwrap_or_default();
    vec![run.seed.to_string(), score, run.env_steps.to_string(), diverged]
}

fn place(divergence: &Divergence) -> String {
    format!("update {}: {}", divergence.update, divergence.what)
}

/// Writes rows as CSV, as a file that is whole or not there.
fn csv(path: &Path, rows: impl Iterator<Item = Vec<String>>) -> Result<()> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for row in rows {
        table.write_record(row).map_err(|e| Error::io(path)(e.into()))?;
    }
    let bytes = table.into_inner().map_err(|e| Error::io(path)(e.into_error()))?;
    whole_file::write_own(path, &bytes).map_err(Error::io(path))
}
