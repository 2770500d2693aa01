//! The folder of a run: its configuration, metrics, checkpoints, policy, summary and picture.

mod checkpoints;
mod summary;

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::metrics_file::MetricsFile;
use crate::plot::{self, PlotError, PlotOptions};
use crate::policy::{BEST, POLICY, write_params};
use crate::seed::Seed;
use crate::train::Trainer;
use crate::whole_file;
use crate::{Error, Result};

use checkpoints::Checkpoints;
pub use checkpoints::Keep;
pub use summary::Summary;

/// The files of a run besides its checkpoints, whether written yet or not.
const FILES: [&str; 6] = ["config.toml", "metrics.csv", POLICY, BEST, "summary.json", "reward.png"];

/// An open run folder. Each row of metrics is written whole, every other file appears whole, and what cannot be written is
/// kept in memory until it can.
pub struct RunFolder {
    path: PathBuf,
    config: Config,
    metrics: MetricsFile,
    checkpoints: Checkpoints,
    /// The update whose policy `best.safetensors` is known to hold.
    best: Option<u64>,
}

/// Episodes that a finished policy is judged by.
const EVAL_EPISODES: usize = 100;

impl RunFolder {
    /// The folder a run goes to by default: `runs/<env>-<algo>-<optimizer>-s<seed>`, `/` in a name becoming `-`.
    ///
    /// The algorithm's own optimizer is there by its name alone, another one by
    /// [`Spec::file_name`](crate::optim::Spec::file_name).
    #[must_use]
    pub fn default_path(config: &Config) -> PathBuf {
        let Config { env, algo, seed, .. } = config;
        let optimizer = match (Config::for_algo(algo), config.optimizer.0.as_slice()) {
            (Ok(own), [link]) if own.optimizer == config.optimizer => link.name.clone(),
            _ => config.optimizer.file_name(),
        };
        Path::new("runs").join(format!("{env}-{algo}-{optimizer}-s{seed}").replace('/', "-"))
    }

    /// Makes the folder and writes the configuration into it.
    ///
    /// With `force` the files of an earlier run in it are removed first; whatever else it holds stays.
    ///
    /// # Errors
    /// [`Error::File`] if it holds a run already or another process trains in it, [`Error::Io`] if it cannot be written.
    pub fn create(path: impl Into<PathBuf>, config: &Config, force: bool) -> Result<Self> {
        let path = path.into();
        if let Some(file) = path.ancestors().find(|part| part.is_file()) {
            return Err(Error::File { path: file.into(), problem: "this is a file: give --out a folder".into() });
        }
        std::fs::create_dir_all(&path).map_err(Error::io(&path))?;
        let checkpoints = Checkpoints::of_run(&path);
        // Metrics without a row are what a kill leaves that came before there was a run.
        let holds = |file: &PathBuf| file.metadata().is_ok_and(|file| file.len() > 0);
        let there = || FILES.iter().map(|name| path.join(name)).filter(holds).chain(checkpoints.all());
        if !force && there().next().is_some() {
            let problem = "this folder already holds a run: give --resume to go on with it, --force to replace it, or \
                           --out another folder";
            return Err(Error::File { path, problem: problem.into() });
        }
        // Before anything is removed, so that the run of another process is not.
        let mut metrics = MetricsFile::open(&path.join("metrics.csv"))?;
        metrics.keep(0)?;
        for file in there().filter(|file| !file.ends_with("metrics.csv")) {
            std::fs::remove_file(&file).map_err(Error::io(&file))?;
        }
        let run = Self::of(path, config, metrics);
        run.write_config()?;
        Ok(run)
    }

    /// Opens the folder of a run that was broken off and goes on from its last checkpoint, or from the start where there
    /// is none yet. `make` makes the trainer, such as [`Trainer::new`].
    ///
    /// A checkpoint that cannot be read is passed over for the one before it, and told of in the notes.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::File`] for a folder without a run, or with none but bad checkpoints, or that another
    /// process trains in.
    pub fn resume(
        path: impl Into<PathBuf>,
        make: impl Fn(&Config) -> Result<Trainer>,
    ) -> Result<(Self, Trainer, Vec<String>)> {
        let path = path.into();
        let config_path = path.join("config.toml");
        if !config_path.exists() {
            return Err(Error::File { path, problem: "this folder holds no run: it has no config.toml".into() });
        }
        let text = std::fs::read_to_string(&config_path).map_err(Error::io(&config_path))?;
        let problem = |problem: String| Error::File { path: config_path.clone(), problem };
        let config = Config::parse_toml(&text).and_then(Config::of_policy).map_err(|e| problem(e.to_string()))?;
        // Before anything is cleared away, so that the half-written file of a process at work is not.
        let mut metrics = MetricsFile::open(&path.join("metrics.csv"))?;
        whole_file::remove_leftovers(&path);
        let checkpoints = Checkpoints::of_run(&path);
        checkpoints.remove_leftovers();
        let mut notes = Vec::new();
        let mut bad = None;
        for file in checkpoints.numbered().into_iter().rev() {
            let opened = Checkpoint::read(&file).and_then(|checkpoint| {
                let mut trainer = make(&config)?;
                let wrong = |e: Error| Error::File { path: file.clone(), problem: e.to_string() };
                trainer.restore(&checkpoint).map_err(wrong)?;
                metrics.keep(checkpoint.progress.metrics_bytes)?;
                Ok(trainer)
            });
            match opened {
                Ok(mut trainer) => {
                    notes.extend(trainer.take_notes());
                    let mut run = Self::of(path, &config, metrics);
                    run.checkpoints.last = Some(file);
                    return Ok((run, trainer, notes));
                }
                Err(e) => {
                    notes.push(format!("passed over: {e}"));
                    bad.get_or_insert(e);
                }
            }
        }
        match bad {
            Some(e) => Err(e),
            None => {
                let trainer = make(&config)?;
                metrics.keep(0)?;
                notes.push("there is no checkpoint yet: the run begins again".into());
                Ok((Self::of(path, &config, metrics), trainer, notes))
            }
        }
    }

    fn of(path: PathBuf, config: &Config, metrics: MetricsFile) -> Self {
        Self { checkpoints: Checkpoints::of_run(&path), path, config: config.clone(), metrics, best: None }
    }

    /// The same with another rule for checkpoints.
    #[must_use]
    pub fn with_keep(mut self, keep: Keep) -> Self {
        self.checkpoints.keep = keep;
        self
    }

    fn write_config(&self) -> Result<()> {
        let path = self.path.join("config.toml");
        whole_file::write(&path, self.config.to_toml()?.as_bytes()).map_err(Error::io(&path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last checkpoint that was written, or that the run went on from.
    #[must_use]
    pub fn last_checkpoint(&self) -> Option<&Path> {
        self.checkpoints.last.as_deref()
    }

    /// Appends a row to `metrics.csv`. A row that cannot be written is kept, and written with the next.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn log(&mut self, metrics: &Metrics) -> Result<()> {
        self.metrics.append(metrics)
    }

    /// Writes a checkpoint if one is due.
    ///
    /// # Errors
    /// As [`RunFolder::save`]; the next attempt is then as far away as the next checkpoint would be.
    pub fn save_if_due(&mut self, trainer: &mut Trainer) -> Result<()> {
        if self.checkpoints.are_due() { self.save(trainer) } else { Ok(()) }
    }

    /// Writes a checkpoint, `checkpoints/<update>.safetensors`, and removes all but the last few. Where a policy was better
    /// since than any before ([`Trainer::best`], whenever that was), it goes to `best.safetensors` first.
    ///
    /// # Errors
    /// [`Error::Io`] if something cannot be written: the checkpoints before are then as they were. [`Error::NotFinite`] if
    /// the state is none to go on from, [`Error::Checkpoint`] if training broke off within an update.
    pub fn save(&mut self, trainer: &mut Trainer) -> Result<()> {
        self.checkpoints.begin();
        // The rows first: a checkpoint never knows of rows that are not there.
        let metrics_bytes = self.metrics.sync()?;
        let mut checkpoint = trainer.checkpoint()?;
        checkpoint.progress.metrics_bytes = metrics_bytes;
        if !self.path.join("config.toml").exists() {
            self.write_config()?;
        }
        self.save_best(trainer)?;
        self.checkpoints.write(&checkpoint)
    }

    /// Writes the best policy, unless it is there.
    fn save_best(&mut self, trainer: &Trainer) -> Result<()> {
        let path = self.path.join(BEST);
        if let Some(best) = trainer.best().filter(|best| self.best != Some(best.update) || !path.exists()) {
            write_params(&path, trainer.params().layout(), &best.params)?;
            self.best = Some(best.update);
        }
        Ok(())
    }

    /// Keeps the policy, the best one too, judges it over 100 episodes, and draws the reward curve. The checkpoints stay.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be written, [`Error::Env`] if an environment fails.
    pub fn finish(mut self, trainer: Trainer) -> Result<Summary> {
        let config = trainer.config().clone();
        let device = crate::device_name(trainer.params().theta().device());
        let (env_steps, wall_seconds) = (trainer.env_steps(), trainer.wall_seconds());
        let (history, divergences) = (trainer.history().clone(), trainer.divergences());
        let best = trainer.best().map(|best| (best.return_mean, best.update));
        let finished = env_steps >= config.steps;
        let threshold = trainer.spec().reward_threshold;
        self.save_best(&trainer)?;
        let mut policy = trainer.into_policy()?;
        policy.save(&self.path.join(POLICY))?;
        let eval = policy.evaluate(EVAL_EPISODES, Seed(config.seed))?;
        let summary = Summary {
            env: config.env,
            algo: config.algo,
            optimizer: config.optimizer.to_string(),
            seed: config.seed,
            device,
            env_steps,
            wall_seconds,
            steps_per_second: env_steps as f64 / wall_seconds,
            episodes: history.episodes(),
            episode_return_mean: history.return_mean(),
            solved_at_step: history.solved_at_step(),
            best_return_mean: best.map(|(return_mean, _)| return_mean),
            best_update: best.map(|(_, update)| update),
            finished,
            divergences,
            eval,
            version: env!("CARGO_PKG_VERSION"),
        };
        let path = self.path.join("summary.json");
        let mut json = serde_json::to_vec_pretty(&summary).map_err(|e| Error::io(&path)(e.into()))?;
        json.write_all(b"\n").map_err(Error::io(&path))?;
        whole_file::write(&path, &json).map_err(Error::io(&path))?;
        match plot::Run::read(&self.path) {
            Ok(run) => {
                let options = PlotOptions { threshold, ..PlotOptions::default() };
                plot::reward_curve(&[run], &options, self.path.join("reward.png"))?;
            }
            // No mean return was ever known: there is nothing to draw.
            Err(PlotError::Empty { .. } | PlotError::NoValues { .. }) => {}
            Err(other) => return Err(other.into()),
        }
        Ok(summary)
    }
}
