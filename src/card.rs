//! A folder to be shared on the Hugging Face Hub: the policy, what it returns, and a page about it.

mod curve;
mod page;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::envs::EnvError;
use crate::policy::{POLICY, Which};
use crate::render::{self, Episode};
use crate::whole_folder::WholeFolder;
use crate::{Error, Evaluation, Mode, Policy, Result, Seed, own_folder, whole_file};

/// The files of a card.
const FILES: [&str; 7] =
    ["README.md", "config.toml", "metrics.csv", POLICY, "replay.gif", "results.json", "reward.png"];
/// Frames a second of the episode that is shown.
const FPS: u32 = 25;

/// What a card is of, and how it judges and shows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Card {
    /// The folder of the run.
    pub run: PathBuf,
    /// Which of its policies.
    pub which: Which,
    /// Whole episodes to judge it by, always taking its likeliest action.
    pub episodes: usize,
    /// Seed of the episodes' starts.
    pub seed: u64,
    /// What a licence is called there, such as `mit` or `apache-2.0`.
    pub license: Option<String>,
    /// Whether the picture of its learning is shown, where the run has one.
    pub curve: bool,
    /// Steps of the episode that is shown.
    pub steps: u32,
    /// The longer side of its pictures, in pixels.
    pub side: u32,
}

impl Card {
    /// Of a run's last policy, judged by 100 episodes.
    pub fn of(run: impl Into<PathBuf>) -> Self {
        let (run, which) = (run.into(), Which::default());
        Self { run, which, episodes: 100, seed: 1, license: None, curve: true, steps: 500, side: 600 }
    }

    /// Refuses a folder that has something in it, but for a card that `force` replaces: before the work.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn check(folder: &Path, force: bool) -> Result<()> {
        let there = match own_folder::contents(folder) {
            Ok(there) if !there.is_empty() => there,
            _ => return Ok(()),
        };
        let refused = |path: &Path, problem: &str| Err(Error::File { path: path.into(), problem: problem.into() });
        let is_of_a_card = |path: &PathBuf| path.is_file() && FILES.iter().any(|name| path.ends_with(name));
        if !is_card(folder) {
            return refused(folder, "this folder has something in it: give --out one that is new or empty");
        }
        if !force {
            return refused(
                folder,
                "this folder has a card already: give --force to replace it, or --out another folder",
            );
        }
        match there.iter().find(|path| !is_of_a_card(path)) {
            Some(other) => {
                refused(other, "this is no card's, and would be lost with it: move it, or give --out another folder")
            }
            None => Ok(()),
        }
    }

    /// Judges the policy, which is that of [`Card::which`], and makes the folder: a kill or an error at any moment leaves the whole
    /// card, or what was there. `told` hears how far the episodes are, as that of [`Policy::evaluate_telling`].
    ///
    /// # Errors
    /// As [`Card::check`] and [`Policy::evaluate_with`]; [`Error::Config`] where the mean return is not known, [`Error::Io`] and
    /// [`Error::File`] for a file of the run that cannot be read or of the card that cannot be written.
    pub fn write(
        &self,
        policy: &mut Policy,
        folder: &Path,
        force: bool,
        told: &mut dyn FnMut(u64, u64),
    ) -> Result<Evaluation> {
        Self::check(folder, force)?;
        let trained = Trained::of(&self.run)?;
        let curve = curve::read(&self.run)?;
        let seed = Seed(self.seed);
        let result = policy.evaluate_telling(self.episodes, seed, Mode::Likeliest, told)?;
        if let Some(problem) = result.unknown() {
            return Err(Error::Config(format!("the card's mean return is {problem}")));
        }
        let stop = policy.stop();
        let go_on = || crate::Stop::of(stop.as_ref()).check();
        let frames = match Episode::play(policy, seed, self.steps, false, go_on) {
            Err(Error::Env(EnvError::NoPicture { .. })) => Vec::new(),
            played => played?.frames,
        };
        let made = WholeFolder::beside(folder)?;
        if !frames.is_empty() {
            render::write_gif(&frames, FPS, self.side, made.path().join("replay.gif"))?;
        }
        let copies = [(self.which.file(), POLICY, true), ("config.toml", "config.toml", true)];
        for (name, copied, must) in copies.into_iter().chain([("reward.png", "reward.png", false)]) {
            let from = self.run.join(name);
            if must || self.curve && from.is_file() {
                let bytes = fs::read(&from).map_err(Error::io(&from))?;
                write(&made, copied, &bytes)?;
            }
        }
        if let Some(curve) = curve {
            write(&made, "metrics.csv", curve.as_bytes())?;
        }
        let numbers = self.numbers(policy, &result, trained.as_ref());
        write(&made, "results.json", format!("{numbers:#}\n").as_bytes())?;
        let page = page::page(self, policy.config(), (&result, trained.as_ref()), made.path())?;
        write(&made, "README.md", page.as_bytes())?;
        Self::check(folder, force)?;
        made.name()?;
        Ok(result)
    }

    /// What `results.json` holds.
    fn numbers(&self, policy: &Policy, result: &Evaluation, trained: Option<&Trained>) -> Value {
        let config = policy.config();
        json!({
            "env_id": config.env.shown(),
            "mean_reward": result.return_mean,
            "std_reward": result.return_std,
            "min_reward": result.return_min,
            "is_deterministic": true,
            "n_eval_episodes": result.episodes,
            "eval_seed": self.seed,
            "returns": result.returns,
            "policy": self.which.shown(),
            "n_envs": config.envs,
            "total_timesteps": trained.map(|trained| trained.env_steps),
            "library": LIBRARY,
        })
    }
}

/// What made a card.
const LIBRARY: &str = concat!("uphill ", env!("CARGO_PKG_VERSION"));

/// Whether one of ours is there, as its results say.
fn is_card(folder: &Path) -> bool {
    let results = fs::read(folder.join("results.json")).ok();
    let results: Option<Value> = results.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    results.is_some_and(|results| results["library"].as_str().is_some_and(|library| library.starts_with("uphill ")))
}

/// What the run's summary says of its training; a policy that was imported has none.
#[derive(Deserialize)]
struct Trained {
    env_steps: u64,
    version: String,
    finished: bool,
}

impl Trained {
    fn of(run: &Path) -> Result<Option<Self>> {
        let path = run.join("summary.json");
        if !path.exists() {
            return Ok(None);
        }
        let bytes = fs::read(&path).map_err(Error::io(&path))?;
        let problem = |e: serde_json::Error| Error::File {
            path: path.clone(),
            problem: format!("this is no summary of a run: {e}"),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(problem)
    }
}

/// Writes a file of the folder; an error names it as it would be called, and not the hidden folder.
fn write(made: &WholeFolder, name: &str, bytes: &[u8]) -> Result<()> {
    whole_file::write(&made.path().join(name), bytes).map_err(Error::io(&made.target().join(name)))
}
