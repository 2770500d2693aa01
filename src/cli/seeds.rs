//! A run of each of several seeds, side by side: `train --seeds`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::ArgMatches;
use serde_json::Value;

use super::interrupt::{EXIT_INTERRUPTED, is_interrupted, on_interrupt};
use super::settings::{self, configuration};
use super::train::{Seen, broken_off, go_on, keep, save};
use crate::benchmark::{BOOTSTRAP, CLAIM, Seeds};
use crate::envs::counted;
use crate::own_folder::{self, Kind};
use crate::plot::{self, PlotError, PlotOptions, RecordedRun};
use crate::screen::{self, Bar, amounts, say, tell};
use crate::stats::{Interval, Scores, mean};
use crate::{Catalogue, Config, Error, Event, Keep, Result, RunFolder, Trainer, whole_file};

/// The most seeds of one call.
const MOST: u64 = 1_000;
/// The table of them.
const TABLE: &str = "seeds.csv";
/// Their learning curve.
const PICTURE: &str = "reward.png";

/// The runs of one configuration.
struct Population {
    config: Config,
    seeds: Vec<u64>,
    folder: PathBuf,
    force: bool,
    keep: Keep,
    /// How many learn at once, and the threads of each.
    side_by_side: (usize, usize),
}

/// Trains them to the end, or until Ctrl-C; the same command goes on with what is left. Each is the same bits as if it were alone.
pub(super) fn train(seeds: &Seeds, args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let population = Population::of(seeds, args, catalogue)?;
    let Population { config, seeds, folder, .. } = &population;
    let quiet = args.get_flag("quiet");
    on_interrupt(Some("finishing what is under way; once more to leave at once"))?;
    let bar = (!quiet).then(|| Bar::new(&config.env.shown(), config.steps.saturating_mul(seeds.len() as u64)));
    let failures = population.train(bar.as_ref());
    drop(bar);
    let all = population.all();
    let outcomes = all.iter().filter_map(|&seed| Outcome::read(seed, &population.path(seed))).collect::<Vec<_>>();
    population.write(&outcomes)?;
    if !quiet {
        population.tell(&outcomes)?;
    }
    if is_interrupted() {
        let ended = outcomes.iter().filter(|outcome| seeds.contains(&outcome.seed)).count();
        let left = seeds.len() - ended;
        let left = counted(left, "seed");
        tell(format_args!("interrupted with {left} left: the same command goes on in {}", screen::path(folder)));
        return Ok(ExitCode::from(EXIT_INTERRUPTED));
    }
    failures.iter().for_each(|(seed, error)| tell(format_args!("seed {seed}: {error}")));
    if failures.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let failed = format!("{} of {} failed", failures.len(), counted(seeds.len(), "seed"));
    Err(Error::Config(format!("{failed}: the same command tries again, from the last checkpoints on")))
}

impl Population {
    /// Checks all that can be checked before the work.
    fn of(seeds: &Seeds, args: &ArgMatches, catalogue: &Catalogue) -> Result<Self> {
        let config = configuration(args, catalogue)?;
        let wrong = |problem: String| Err(Error::Config(format!("--seeds: {problem}")));
        if !(1..=MOST).contains(&seeds.count()) {
            return wrong(format!("they are {}; there may be 1 to {MOST}", seeds.count()));
        }
        let mut list = seeds.list();
        list.sort_unstable();
        if let Some(pair) = list.windows(2).find(|pair| pair[0] == pair[1]) {
            return wrong(format!("{} is named twice", pair[0]));
        }
        let config = Config { seed: list[0], ..config };
        for &seed in &list {
            Config { seed, ..config.clone() }.validate()?;
        }
        let trainer = Trainer::new(&config).map_err(|e| settings::of_trainer(args, catalogue, e))?;
        trainer.device_note().iter().for_each(tell);
        drop(trainer);
        let folder = args.get_one::<PathBuf>("out").cloned().unwrap_or_else(|| default_folder(&config));
        let (force, keep) = (args.get_flag("force"), keep(args));
        let side_by_side = side_by_side(&config, list.len())?;
        let population = Self { config, seeds: list, folder, force, keep, side_by_side };
        population.take_folder()?;
        Ok(population)
    }

    fn path(&self, seed: u64) -> PathBuf {
        self.folder.join(format!("s{seed}"))
    }

    /// The seeds that were asked for, and those of the folder that were trained before with the same settings, in order.
    fn all(&self) -> Vec<u64> {
        let names = std::fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let there = names.filter_map(|name| name.strip_prefix('s')?.parse::<u64>().ok());
        let same = |seed: &u64| RunFolder::check_settings(&self.path(*seed), &self.config(*seed)).is_ok();
        let mut all: Vec<u64> = there.filter(same).chain(self.seeds.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn config(&self, seed: u64) -> Config {
        Config { seed, ..self.config.clone() }
    }

    /// Makes the folder ours, unless somebody else's files are in our way, or runs of other settings.
    fn take_folder(&self) -> Result<()> {
        own_folder::make(&self.folder)?;
        if !own_folder::is_marked(&self.folder, Kind::Seeds)? {
            let taken = ["config.toml", TABLE, PICTURE].map(|name| self.folder.join(name));
            if let Some(path) = taken.into_iter().find(|path| path.symlink_metadata().is_ok()) {
                let problem = "several seeds need a folder of their own: give --out another one";
                return Err(Error::File { path, problem: problem.into() });
            }
            own_folder::mark(&self.folder, Kind::Seeds)?;
        }
        let begun = |seed: &&u64| self.path(**seed).join("config.toml").exists();
        match self.force {
            true => Ok(()),
            false => self
                .seeds
                .iter()
                .filter(begun)
                .try_for_each(|&seed| RunFolder::check_settings(&self.path(seed), &self.config(seed))),
        }
    }

    /// Trains each; those that failed, in the order of their seeds.
    fn train(&self, bar: Option<&Bar>) -> Vec<(u64, Error)> {
        let (next, failures) = (AtomicU64::new(0), Mutex::new(Vec::new()));
        let work = || {
            while let Some(&seed) = self.seeds.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                if is_interrupted() {
                    break;
                }
                if let Err(error) = self.train_one(seed, bar) {
                    failures.lock().unwrap_or_else(PoisonError::into_inner).push((seed, error));
                }
            }
        };
        std::thread::scope(|scope| {
            (1..self.side_by_side.0).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
        failures.sort_by_key(|(seed, _)| *seed);
        failures
    }

    fn train_one(&self, seed: u64, bar: Option<&Bar>) -> Result<()> {
        let (path, config, threads) = (self.path(seed), self.config(seed), self.side_by_side.1);
        let tell = |note: &str| tell(format_args!("seed {seed}: {note}"));
        let make = |config: &Config| {
            Trainer::new(&Config { threads, catalogue: self.config.catalogue.clone(), ..config.clone() })
        };
        let begun = !self.force && path.join("config.toml").exists();
        let (run, mut trainer) = if begun {
            let (run, trainer, notes) = RunFolder::resume_in(path, &self.config.catalogue, make)?;
            notes.iter().for_each(|note| tell(note));
            (run, trainer)
        } else {
            (RunFolder::create(&path, &config, self.force)?, make(&config)?)
        };
        let mut run = run.with_keep(self.keep);
        let mut reached = 0;
        let mut reach = |steps: u64| {
            bar.iter().for_each(|bar| bar.inc(steps.min(config.steps).saturating_sub(reached)));
            reached = steps.min(config.steps).max(reached);
        };
        reach(trainer.env_steps());
        if run.is_finished(&trainer) {
            reach(config.steps);
            return Ok(());
        }
        let trained = go_on(&mut run, &mut trainer, &mut |seen| match seen {
            Seen::Warning(text) => tell(text),
            Seen::Event(Event::Update(metrics), _) => reach(metrics.env_steps),
            Seen::Event(Event::Evaluation(_), _) => {}
        });
        trained.map_err(|error| broken_off(error, &mut run, &mut trainer))?;
        save(&mut run, &mut trainer)?;
        match run.finish(trainer) {
            Ok(_) | Err(Error::Interrupted) => {}
            Err(error) => return Err(error),
        }
        if !is_interrupted() {
            reach(config.steps);
        }
        Ok(())
    }

    /// The table and the picture of those that have ended.
    fn write(&self, outcomes: &[Outcome]) -> Result<()> {
        let path = own_folder::file(&self.folder, TABLE)?;
        let mut table = csv::Writer::from_writer(Vec::new());
        for outcome in outcomes {
            table.serialize(outcome).map_err(|e| Error::io(&path)(e.into()))?;
        }
        let bytes = table.into_inner().map_err(|e| Error::io(&path)(e.into_error()))?;
        whole_file::write_own(&path, &bytes).map_err(Error::io(&path))?;
        let runs = outcomes.iter().map(|outcome| (outcome.seed, RecordedRun::read(self.path(outcome.seed))));
        let drawn = runs.filter(|(seed, run)| match run {
            Err(PlotError::NoValues { .. }) => false,
            // Somebody may have changed what was trained before.
            Err(problem) if !self.seeds.contains(seed) => {
                tell(format_args!("left out of the picture: {problem}"));
                false
            }
            _ => true,
        });
        let runs = drawn.map(|(_, run)| run).collect::<Result<Vec<_>, _>>()?;
        if runs.is_empty() {
            return Ok(());
        }
        let threshold = self.config.make_envs(1)?.spec().reward_threshold;
        let options = PlotOptions { threshold, beside: plot::evaluations(&runs), ..PlotOptions::default() };
        let path = own_folder::file(&self.folder, PICTURE)?;
        match plot::reward_curve(&runs, &options, &path) {
            // Runs that an evaluation ended so early that they share no steps.
            Err(problem @ PlotError::Picture { .. }) => {
                tell(format_args!("{}: {problem}", screen::path(&path)));
                Ok(())
            }
            drawn => Ok(drawn?),
        }
    }

    /// What they came to, a line each, and all together.
    fn tell(&self, outcomes: &[Outcome]) -> Result<()> {
        let shown = |number: Option<f64>| number.map_or("-".into(), |x| amounts([x])[0].clone());
        let (widest, of) = (outcomes.iter().map(|one| one.seed.to_string().len()).max().unwrap_or(1), outcomes);
        for Outcome { seed, episode_return_mean, eval_return_mean, eval_return_std, .. } in of {
            let (training, eval, std) =
                (shown(*episode_return_mean), shown(*eval_return_mean), shown(*eval_return_std));
            say(format_args!("seed {seed:>widest$}  training {training:>8}  evaluation {eval:>8} ± {std}"))?;
        }
        let evals: Vec<f64> = of.iter().filter_map(|outcome| outcome.eval_return_mean).collect();
        if evals.len() > 1 {
            let Interval { point, low, high } = BOOTSTRAP.interval(&Scores::of_one_task(&evals)?, mean)?;
            let [point, low, high] = amounts([point, low, high]);
            let seeds = counted(evals.len(), "seed");
            let few = match evals.len() as u64 {
                ..CLAIM => format!("; fewer than {CLAIM} seeds are too few for a claim"),
                _ => String::new(),
            };
            say(format_args!("return   {point} by evaluation, mean of {seeds}; 95 % interval {low} to {high}{few}"))?;
        }
        let picture = self.folder.join(PICTURE);
        if !of.is_empty() && picture.is_file() {
            say(format_args!("curve    {}", screen::path(&picture)))?;
        }
        say(format_args!("table    {}", screen::path(&self.folder.join(TABLE))))
    }
}

/// `runs/<env>-<algo>-<optimizer>-seeds`.
fn default_folder(config: &Config) -> PathBuf {
    let alone = RunFolder::default_path(config);
    let name = alone.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = name.strip_suffix(&format!("-s{}", config.seed)).unwrap_or(&name).to_string();
    alone.with_file_name(format!("{name}-seeds"))
}

/// How many runs learn at once, and on how many threads each: as many as there are threads and as fit into
/// [`max_memory`](Config::max_memory) together.
fn side_by_side(config: &Config, seeds: usize) -> Result<(usize, usize)> {
    let threads = crate::Threads::new(config.threads)?.count();
    let fits = |&runs: &usize| {
        runs == 1 || Trainer::new(&Config { max_memory: config.max_memory / runs as f64, ..config.clone() }).is_ok()
    };
    let most = threads.min(seeds).max(1);
    let runs = (1..=most).rev().find(fits).unwrap_or(1);
    if runs < most {
        let limit = config.max_memory;
        tell(format_args!(
            "max_memory = {limit} has room for {runs} of these runs at a time; {most} could learn side by side"
        ));
    }
    Ok((runs, (threads / runs).max(1)))
}

/// What a run that has ended came to: a row of the table.
#[derive(serde::Serialize)]
struct Outcome {
    seed: u64,
    env_steps: u64,
    /// Of the last 100 episodes of training that count.
    episode_return_mean: Option<f64>,
    solved_at_step: Option<u64>,
    /// Of 100 episodes with the likeliest actions.
    eval_return_mean: Option<f64>,
    /// Over these episodes.
    eval_return_std: Option<f64>,
}

impl Outcome {
    /// `None` of a run that has not ended.
    fn read(seed: u64, folder: &Path) -> Option<Self> {
        let summary: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("summary.json")).ok()?).ok()?;
        (summary["finished"] == true).then(|| Self {
            seed,
            env_steps: summary["env_steps"].as_u64().unwrap_or_default(),
            episode_return_mean: summary["episode_return_mean"].as_f64(),
            solved_at_step: summary["solved_at_step"].as_u64(),
            eval_return_mean: summary["eval"]["return_mean"].as_f64(),
            eval_return_std: summary["eval"]["return_std"].as_f64(),
        })
    }
}
