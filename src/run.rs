//! The folder of a run: its configuration, metrics, checkpoints, policy, summary and picture.

mod checkpoints;
mod continued;
mod finish;
mod picture;
mod resume;
mod sinks;

use std::path::{Path, PathBuf};

use uphill_envs::quoted;

use crate::catalogue::Catalogue;
use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::metrics::Metrics;
use crate::own_folder::{self, Kind};
use crate::policy::{BEST, BEST_BY_EVAL, POLICY, write_params};
use crate::sink::{EVALUATIONS, Sink};
use crate::train::Trainer;
use crate::words::{self, Args, Word, Wrapped};
use crate::{Error, Result, whole_file};

use checkpoints::Checkpoints;
pub use checkpoints::Keep;
use sinks::Sinks;

/// The file of what a run came to.
const SUMMARY: &str = "summary.json";
/// The files of every run besides its checkpoints and those of its sinks, whether written yet or not.
const FILES: [&str; 7] = ["config.toml", POLICY, BEST, BEST_BY_EVAL, SUMMARY, "reward.png", EVALUATIONS.make.file];

/// All of them, with those of sinks.
fn files(catalogue: &Catalogue) -> impl Iterator<Item = &'static str> {
    let sinks = catalogue.sinks().iter().map(|row| row.make.file);
    FILES.into_iter().chain(sinks)
}

/// An open run folder. Each row of metrics is written whole, every other file appears whole, and what cannot be written is
/// kept in memory until it can.
pub struct RunFolder {
    path: PathBuf,
    config: Config,
    sinks: Sinks,
    /// The update whose row was the last, until its weights are shown.
    logged: Option<u64>,
    checkpoints: Checkpoints,
    /// The updates whose policies `best.safetensors` and `best_by_eval.safetensors` are known to hold.
    best: [Option<u64>; 2],
}

/// Episodes that a finished policy is judged by.
const EVAL_EPISODES: usize = 100;

impl RunFolder {
    /// The folder a run goes to by default: `runs/<env>-<algo>-<optimizer>-s<seed>`, `/` in a name becoming `-`.
    ///
    /// A name that an environment's argument `id` gives, which another may have too, is followed by `-` and eight digits that
    /// stand for all of its other arguments and its wrappers.
    ///
    /// The algorithm's own optimizer is there by its name alone, another one by
    /// [`Spec::file_name`](crate::words::Spec::file_name).
    #[must_use]
    pub fn default_path(config: &Config) -> PathBuf {
        let Config { algo, seed, .. } = config;
        let optimizer = match (Config::for_algo_with(&algo.name, &config.catalogue), config.optimizer.0.as_slice()) {
            (Ok(own), [link]) if own.optimizer == config.optimizer => link.name.clone(),
            _ => config.optimizer.file_name(),
        };
        let (env, algo) = (env_name(config), algo.file_name());
        Path::new("runs").join(format!("{env}-{algo}-{optimizer}-s{seed}").replace('/', "-"))
    }

    /// Makes the folder and writes the configuration into it.
    ///
    /// With `force` the files of an earlier run in it are removed first, if the folder's marker, `.uphill`, says that a run
    /// made them; whatever else it holds stays.
    ///
    /// # Errors
    /// [`Error::File`] if it holds a run already, files of a run's names that no run made, or another process trains in it;
    /// [`Error::Io`] if it cannot be written, or one of a run's names in it is a link: none is followed.
    pub fn create(path: impl Into<PathBuf>, config: &Config, force: bool) -> Result<Self> {
        let path = path.into();
        check_sinks(config)?;
        own_folder::make(&path)?;
        let checkpoints = Checkpoints::of_run(&path);
        check(&path, &checkpoints, &config.catalogue)?;
        let is_ours = own_folder::is_marked(&path, Kind::Run)?;
        // Metrics without a row are what a kill leaves that came before there was a run.
        let holds = |file: &PathBuf| file.metadata().is_ok_and(|file| file.len() > 0);
        let there = || files(&config.catalogue).map(|name| path.join(name)).filter(holds).chain(checkpoints.all());
        if let Some(file) = there().next().filter(|_| !is_ours) {
            let problem = format!(
                "no run of this version made this, as the folder has no {}: give --out another folder, or --resume to go \
                 on with a run of an earlier version",
                own_folder::MARKER
            );
            return Err(Error::File { path: file, problem });
        }
        if !force && there().next().is_some() {
            let problem = "this folder already holds a run: give --resume to go on with it, --force to replace it, or \
                           --out another folder";
            return Err(Error::File { path, problem: problem.into() });
        }
        // Before anything is removed, so that the run of another process is not.
        let mut sinks = Sinks::open(&path)?;
        sinks.begin()?;
        for file in there().filter(|file| !file.ends_with("metrics.csv")) {
            std::fs::remove_file(&file).map_err(Error::io(&file))?;
        }
        whole_file::remove_leftovers(&path);
        checkpoints.remove_leftovers();
        let mut run = Self::of(path, config, sinks);
        run.write_config()?;
        run.open_sinks()?;
        Ok(run)
    }

    fn of(path: PathBuf, config: &Config, sinks: Sinks) -> Self {
        Self {
            checkpoints: Checkpoints::of_run(&path),
            path,
            config: config.clone(),
            sinks,
            logged: None,
            best: [None; 2],
        }
    }

    /// The same with sinks of these names, those of its configuration's catalogue, beside `metrics.csv`: each writes a file of the folder. A run that
    /// is resumed has those that it had; where it is given another, that has the rows from here on, and a file that lies in
    /// its place gets another name.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name, [`Error::Io`] or [`Error::File`] if a file cannot be written or is a link.
    pub fn with_sinks<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        for name in names {
            let word = Word::parse("sinks", name)?;
            if !self.config.sinks.contains(&word) {
                self.config.sinks.push(word);
            }
        }
        check_sinks(&self.config)?;
        self.write_config()?;
        self.open_sinks()?;
        Ok(self)
    }

    /// The same with a sink of one's own. Resumed, the run is to be given it again, by the name that it had.
    ///
    /// # Errors
    /// [`Error::Config`] for a name that another has, and what [`Sink::resume`] fails with.
    pub fn with_sink(mut self, name: &str, sink: Box<dyn Sink>) -> Result<Self> {
        self.sinks.add(name, sink)?;
        Ok(self)
    }

    /// Opens the sinks of the configuration that are not open yet, and the file of its evaluations.
    fn open_sinks(&mut self) -> Result<()> {
        let Config { sinks, catalogue, eval_every, .. } = &self.config;
        if *eval_every > 0 {
            self.sinks.add_row(&self.path, &EVALUATIONS, &EVALUATIONS.name.into())?;
        }
        sinks.iter().try_for_each(|word| self.sinks.add_row(&self.path, catalogue.sink(&word.name)?, word))
    }

    /// The same with another rule for checkpoints.
    #[must_use]
    pub fn with_keep(mut self, keep: Keep) -> Self {
        self.checkpoints.keep = keep;
        self
    }

    fn write_config(&self) -> Result<()> {
        // The marker first: what comes after it is ours.
        own_folder::mark(&self.path, Kind::Run)?;
        let path = self.path.join("config.toml");
        whole_file::write_own(&path, self.config.to_toml()?.as_bytes()).map_err(Error::io(&path))
    }

    /// Whether training is over for a trainer that [`RunFolder::resume`] made, and what [`RunFolder::finish`] leaves is
    /// there.
    #[must_use]
    pub fn is_finished(&self, trainer: &Trainer) -> bool {
        let is_there = |name: &str| self.path.join(name).is_file();
        let finished =
            |text: String| serde_json::from_str(&text).is_ok_and(|s: serde_json::Value| s["finished"] == true);
        trainer.is_done()
            && is_there(POLICY)
            && (is_there("reward.png") || !picture::is_due(trainer.history()))
            && std::fs::read_to_string(self.path.join(SUMMARY)).is_ok_and(finished)
    }

    /// What it was configured with.
    #[cfg(all(feature = "cli", feature = "mpi"))]
    pub(crate) fn config(&self) -> &Config {
        &self.config
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

    /// Appends a row to `metrics.csv` and hands it to every other sink. A row that cannot be written is kept, and written with
    /// the next.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written, and what a [`Sink`] of one's own fails with; the other sinks have it then.
    pub fn log(&mut self, metrics: &Metrics) -> Result<()> {
        self.logged = Some(metrics.update);
        self.sinks.row(metrics)
    }

    /// Shows the weights to every sink that wants to see them after the trainer's last update, and has the trainer keep the gradient of
    /// the next where one wants to see that. Once before the first update, and after each.
    ///
    /// # Errors
    /// As [`RunFolder::log`].
    pub fn log_weights(&mut self, trainer: &mut Trainer) -> Result<()> {
        // Once each: a run that goes on has shown those of its last update.
        let is_new = self.logged.take() == Some(trainer.updates());
        let shown = match is_new && self.sinks.want_weights(trainer.updates()) {
            true => self.sinks.weights(&trainer.weights()),
            false => Ok(()),
        };
        trainer.keep_gradient(self.sinks.want_weights(trainer.updates() + 1));
        shown
    }

    /// What has been found since the last call: that another program removed, replaced or changed `metrics.csv` or the file
    /// of another sink, and what became of that. All rows are there again.
    pub fn take_notes(&mut self) -> Vec<String> {
        self.sinks.take_notes()
    }

    /// Hands the trainer's new [evaluations](Trainer::take_evaluations) to `evaluations.csv` and every other sink, and writes a
    /// checkpoint if one is due.
    ///
    /// # Errors
    /// As [`RunFolder::log`] and [`RunFolder::save`]; the next attempt at a checkpoint is then as far away as the next one
    /// would be.
    pub fn save_if_due(&mut self, trainer: &mut Trainer) -> Result<()> {
        let logged = self.log_evaluations(trainer);
        let saved = if self.is_due() { self.save(trainer) } else { Ok(()) };
        logged.and(saved)
    }

    /// Whether a checkpoint is due.
    pub(crate) fn is_due(&self) -> bool {
        self.checkpoints.are_due()
    }

    pub(crate) fn log_evaluations(&mut self, trainer: &mut Trainer) -> Result<()> {
        let new = trainer.take_evaluations();
        new.iter().map(|evaluated| self.sinks.evaluation(evaluated)).fold(Ok(()), Result::and)
    }

    /// Writes a checkpoint, `checkpoints/<update>.safetensors`, and removes all but the last few. Where a policy was better
    /// since than any before ([`Trainer::best`] and [`Trainer::best_by_eval`], whenever that was), it goes to
    /// `best.safetensors` or `best_by_eval.safetensors` first, and new evaluations to `evaluations.csv`.
    ///
    /// # Errors
    /// [`Error::Io`] if something cannot be written: the checkpoints before are then as they were. [`Error::NotFinite`] if
    /// the state is none to go on from, [`Error::Checkpoint`] if training broke off within an update.
    pub fn save(&mut self, trainer: &mut Trainer) -> Result<()> {
        let state = trainer.checkpoint();
        self.save_state(trainer, state)
    }

    /// The same with the trainer's state, or with what is wrong with it.
    pub(crate) fn save_state(&mut self, trainer: &mut Trainer, state: Result<Checkpoint>) -> Result<()> {
        self.checkpoints.begin();
        self.log_evaluations(trainer)?;
        // The rows first: a checkpoint never knows of rows that are not there.
        let (rows, marks) = self.sinks.sync()?;
        let mut checkpoint = state?;
        (checkpoint.progress.metrics, checkpoint.progress.sinks) = (rows, marks);
        if !self.path.join("config.toml").exists() {
            self.write_config()?;
        }
        self.save_best(trainer)?;
        self.checkpoints.write(&checkpoint)
    }

    /// Writes the best policies, unless they are there.
    fn save_best(&mut self, trainer: &Trainer) -> Result<()> {
        let best = [(BEST, trainer.best()), (BEST_BY_EVAL, trainer.best_by_eval())];
        for ((name, best), known) in best.into_iter().zip(&mut self.best) {
            let path = own_folder::file(&self.path, name)?;
            if let Some(best) = best.filter(|best| *known != Some(best.update) || !path.exists()) {
                write_params(&path, (trainer.params().layout(), &best.params), &best.buffers)?;
                *known = Some(best.update);
            }
        }
        Ok(())
    }
}

/// The environment in the name of a folder.
fn env_name(config: &Config) -> String {
    let Wrapped { word: env, wrappers } = &config.env;
    let row = config.catalogue.env(&env.name);
    let args = row.as_ref().ok().map(|row| (row, Args::new(row, env)));
    match args {
        Some((row, Ok(args))) if env.arg("id").is_some() => {
            let is_default = |name: &str, value| row.param(name).is_some_and(|param| param.is_default(value));
            let counts = |name: &str, value| ALWAYS.contains(&name) || !is_default(name, value);
            let others = args.values().iter().filter(|(name, value)| *name != "id" && counts(name, value));
            let others: Vec<String> = others.map(|(name, value)| format!("{name}={value}")).collect();
            let wrappers: String = wrappers.iter().map(|wrapper| format!(" | {wrapper}")).collect();
            format!("{}-{}", env.id(), words::digest(&(others.join(", ") + &wrappers)))
        }
        _ => config.env.file_name(),
    }
}

/// Arguments of a world that its folder's digits stand for in any case. Those that came after them do where they are not as by
/// default: a world that was there before keeps its folder.
const ALWAYS: [&str; 10] = [
    "map",
    "cell_rewards",
    "slip",
    "step_reward",
    "goal_reward",
    "pit_reward",
    "cliff_reward",
    "observation",
    "max_episode_steps",
    "reward_threshold",
];

/// Refuses two sinks of one name, and one whose file is another's or lies elsewhere.
fn check_sinks(config: &Config) -> Result<()> {
    let wrong = |name: &str, problem: String| Err(Error::Config(format!("sinks: {}: {problem}", quoted(name))));
    for (i, word) in config.sinks.iter().enumerate() {
        let file = config.catalogue.sink(&word.name)?.make.file;
        if config.sinks[..i].iter().any(|before| before.name == word.name) {
            return wrong(&word.name, "it is there twice".into());
        }
        let others = config.catalogue.sinks().iter().filter(|row| row.name != word.name).map(|row| row.make.file);
        let taken = FILES.into_iter().chain(["checkpoints", own_folder::MARKER]);
        if taken.chain(others).any(|other| other == file) {
            return wrong(&word.name, format!("its file {file} is another's"));
        }
        if Path::new(file).components().count() != 1 || Path::new(file).file_name().is_none() {
            return wrong(&word.name, format!("its file `{}` is no name in the run's folder", quoted(file)));
        }
    }
    Ok(())
}

/// Whether none of a run's names in its folder leads elsewhere.
fn check(run: &Path, checkpoints: &Checkpoints, catalogue: &Catalogue) -> Result<()> {
    files(catalogue).try_for_each(|name| own_folder::file(run, name).map(drop))?;
    checkpoints.check()
}
