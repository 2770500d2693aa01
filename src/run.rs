//! The folder of a run: its configuration, its metrics, its policy, its summary and its picture.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::Config;
use crate::metrics::Metrics;
use crate::plot::{self, PlotOptions};
use crate::policy::Evaluation;
use crate::seed::Seed;
use crate::train::Trainer;
use crate::whole_file;
use crate::{Error, Result};

/// The files of a run, whether written yet or not.
const FILES: [&str; 5] = ["config.toml", "metrics.csv", "policy.safetensors", "summary.json", "reward.png"];

/// An open run folder. Each row of metrics is written whole, every other file appears whole.
pub struct RunFolder {
    path: PathBuf,
    metrics: csv::Writer<File>,
}

/// What `summary.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The environment.
    pub env: String,
    /// The algorithm.
    pub algo: String,
    /// The optimizer.
    pub optimizer: String,
    /// The seed.
    pub seed: u64,
    /// The device that was used, such as `cpu` or `cuda:0`.
    pub device: String,
    /// Environment steps taken, all lanes together.
    pub env_steps: u64,
    /// Seconds that training took, without the evaluation.
    pub wall_seconds: f64,
    /// `env_steps / wall_seconds`.
    pub steps_per_second: f64,
    /// Episodes finished in training.
    pub episodes: u64,
    /// Mean return of the last 100 episodes of training.
    pub episode_return_mean: Option<f64>,
    /// First environment step at which the mean of the last 100 episodes reached the environment's threshold.
    pub solved_at_step: Option<u64>,
    /// Whole episodes with the likeliest actions, on seeds of their own.
    pub eval: Evaluation,
    /// The version of this crate that did it.
    pub version: &'static str,
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
    /// [`Error::File`] if it holds a run already, [`Error::Io`] if it cannot be written.
    pub fn create(path: impl Into<PathBuf>, config: &Config, force: bool) -> Result<Self> {
        let path = path.into();
        std::fs::create_dir_all(&path).map_err(Error::io(&path))?;
        for file in FILES.map(|name| path.join(name)) {
            if !file.exists() {
                continue;
            }
            if !force {
                let problem = "this folder already holds a run: give --force to replace it, or --out another folder";
                return Err(Error::File { path, problem: problem.into() });
            }
            std::fs::remove_file(&file).map_err(Error::io(&file))?;
        }
        let config_path = path.join("config.toml");
        whole_file::write(&config_path, config.to_toml()?.as_bytes()).map_err(Error::io(&config_path))?;
        let metrics_path = path.join("metrics.csv");
        let metrics = csv::Writer::from_writer(File::create(&metrics_path).map_err(Error::io(&metrics_path))?);
        Ok(Self { path, metrics })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a row to `metrics.csv`.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn log(&mut self, metrics: &Metrics) -> Result<()> {
        let written = self.metrics.serialize(metrics).map_err(std::io::Error::from);
        written.and_then(|()| self.metrics.flush()).map_err(Error::io(self.path.join("metrics.csv")))
    }

    /// Keeps the policy, judges it over 100 episodes, and draws the reward curve.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be written, [`Error::Env`] if an environment fails.
    pub fn finish(self, trainer: Trainer) -> Result<Summary> {
        let config = trainer.config().clone();
        let device = crate::device_name(trainer.params().theta().device());
        let (env_steps, wall_seconds) = (trainer.env_steps(), trainer.wall_seconds());
        let history = trainer.history().clone();
        let mut policy = trainer.into_policy()?;
        policy.save(&self.path.join("policy.safetensors"))?;
        let eval = policy.evaluate(EVAL_EPISODES, Seed(config.seed))?;
        let threshold = config.make_envs(1)?.spec().reward_threshold;
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
            eval,
            version: env!("CARGO_PKG_VERSION"),
        };
        let path = self.path.join("summary.json");
        let mut json = serde_json::to_vec_pretty(&summary).map_err(|e| Error::io(&path)(e.into()))?;
        json.write_all(b"\n").map_err(Error::io(&path))?;
        whole_file::write(&path, &json).map_err(Error::io(&path))?;
        if history.episodes() > 0 {
            let options = PlotOptions { threshold, ..PlotOptions::default() };
            plot::reward_curve(&[plot::Run::read(&self.path)?], &options, self.path.join("reward.png"))?;
        }
        Ok(summary)
    }
}
