//! What is no grid, and what would be right.

use std::collections::BTreeSet;

use super::cell::Plan;
use super::grid::{Grid, Protocol, Tuning};
use super::task::Task;
use crate::envs::shown;
use crate::words::{Args, Spec, Wrapped};
use crate::{Error, Result};

/// Settings that a grid's axes decide.
const DECIDED: [(&str, &str); 13] = [
    ("env", "it is the task's `env`"),
    ("algo", "it comes from `algos`"),
    ("optimizer", "it comes from `optimizers`"),
    ("lr", "write it into the optimizer, such as \"adam(lr=3e-4)\", or use `sweep` or `tuning`"),
    ("seed", "it comes from `seeds`"),
    ("threads", "every run has one thread, and runs go side by side"),
    ("device", "runs go side by side on the CPU"),
    ("eval_every", WHOLE),
    ("eval_episodes", "it is a key of the grid itself, of the evaluation at the end of a run"),
    ("eval_deterministic", WHOLE),
    ("stop_at_return", WHOLE),
    ("stop_without_improvement", WHOLE),
    ("continued", WHOLE),
];
/// What every run of a comparison is.
const WHOLE: &str = "every run takes all its steps, and is evaluated at its end alone";

/// The most runs of a grid: a slip of the hand is an error and not a machine out of memory.
const MAX_CELLS: u64 = 1_000_000;

impl Grid {
    /// Checks that every run of the grid is possible.
    ///
    /// # Errors
    /// [`Error::Config`] naming the first thing that is not, and what would be right.
    pub fn validate(&self) -> Result<()> {
        let wrong = |problem: String| Err(Error::Config(problem));
        for (name, empty) in [
            ("tasks", self.tasks.is_empty()),
            ("algos", self.algos.is_empty()),
            ("optimizers", self.optimizers.is_empty()),
            ("protocols", self.protocols.is_empty() && self.sweep.numbers().is_empty()),
            ("seeds", self.seeds.count() == 0),
        ] {
            if empty {
                return wrong(format!("{name} is empty: name at least one"));
            }
        }
        let (tuned, runs) = (self.protocols.contains(&Protocol::Tuned), self.cell_count());
        if runs > MAX_CELLS {
            return wrong(format!("the grid has {runs} runs: there may be {MAX_CELLS} at most"));
        }
        let texts: Vec<String> = self.optimizers.iter().map(Spec::to_string).collect();
        let labels: Vec<String> = self.tasks.iter().map(|task| task.label().to_string()).collect();
        let protocols: Vec<String> = self.protocols.iter().map(|protocol| format!("{protocol:?}")).collect();
        let seeds: Vec<String> = self.seeds.list().iter().map(u64::to_string).collect();
        for (name, list) in [
            ("tasks", &labels),
            ("algos", &self.algos),
            ("optimizers", &texts),
            ("protocols", &protocols),
            ("seeds", &seeds),
        ] {
            let mut seen = BTreeSet::new();
            if let Some(twice) = list.iter().find(|item| !seen.insert(*item)) {
                return wrong(format!("{name}: {twice} is there twice (a task may have a `name` of its own)"));
            }
        }
        for (name, count, most) in
            [("curve_points", self.curve_points, 10_000), ("eval_episodes", self.eval_episodes, 65_536)]
        {
            if !(1..=most).contains(&count) {
                return wrong(format!("{name} = {count} is impossible: it must be 1 to {most}"));
            }
        }
        let lists = [("sweep", &self.sweep), ("tuning.lr", &self.tuning.lr)];
        for (name, numbers) in lists.map(|(name, list)| (name, list.numbers())) {
            if let Some(bad) = numbers.iter().find(|x| !(x.is_finite() && **x > 0.0)) {
                return wrong(format!(
                    "{name} holds {}: learning rates and their multiples are finite and above 0",
                    shown(*bad)
                ));
            }
        }
        self.validate_settings()?;
        self.validate_tasks()?;
        if tuned {
            self.validate_tuning(&texts)?;
        }
        Plan::new(self).map(|_| ())
    }

    fn validate_settings(&self) -> Result<()> {
        let own = [("settings".to_string(), &self.settings)].into_iter();
        let by_algo = self.algo_settings.iter().map(|(algo, table)| (format!("algo_settings.{algo}"), algo, table));
        let tasks = self.tasks.iter().flat_map(|task| {
            let by_algo = task.algo_settings.iter();
            by_algo.map(|(algo, table)| (format!("{}: algo_settings.{algo}", task.label()), algo, table))
        });
        let by_algo: Vec<_> = by_algo.chain(tasks).collect();
        if let Some((place, algo, _)) = by_algo.iter().find(|(_, algo, _)| !self.algos.contains(algo)) {
            return Err(Error::Config(format!("{place}: {algo} is none of algos = {:?}", self.algos)));
        }
        let of_tasks = self.tasks.iter().map(|task| (format!("{}: settings", task.label()), &task.settings));
        let all = own.chain(by_algo.into_iter().map(|(place, _, table)| (place, table))).chain(of_tasks);
        for (place, table) in all {
            if let Some((name, why)) = DECIDED.iter().find(|(name, _)| table.contains_key(*name)) {
                return Err(Error::Config(format!("{place} has `{name}`: {why}")));
            }
        }
        Ok(())
    }

    /// No two tasks are the same in other words.
    fn validate_tasks(&self) -> Result<()> {
        let mut seen: Vec<(Vec<Args>, &Task)> = Vec::new();
        for task in &self.tasks {
            let env = Wrapped::parse("env", &task.env)?;
            let mut words = vec![Args::new(self.catalogue.env(&env.word.name)?, &env.word)?];
            for wrapper in &env.wrappers {
                words.push(Args::new(self.catalogue.wrapper(&wrapper.name)?, wrapper)?);
            }
            let plain = |task: &Task| Task { env: String::new(), name: None, ..task.clone() };
            let same = seen.iter().find(|(known, other)| *known == words && plain(other) == plain(task));
            if let Some((_, other)) = same {
                let names = format!("{} and {}", other.label(), task.label());
                return Err(Error::Config(format!(
                    "tasks: {names} are the same, and would count twice: leave one out"
                )));
            }
            seen.push((words, task));
        }
        Ok(())
    }

    fn validate_tuning(&self, optimizers: &[String]) -> Result<()> {
        let Tuning { seeds, search, trials, .. } = &self.tuning;
        if seeds.count() == 0 || *trials == 0 {
            return Err(Error::Config("tuning.seeds and tuning.trials must not be empty or 0".into()));
        }
        let reported: BTreeSet<u64> = self.seeds.list().into_iter().collect();
        if let Some(seed) = seeds.list().into_iter().find(|seed| reported.contains(seed)) {
            let why = "is among the reported seeds too: what is tuned on a seed must not be reported on it";
            return Err(Error::Config(format!("tuning.seeds: {seed} {why}")));
        }
        match search.keys().find(|key| !optimizers.contains(key)) {
            Some(key) => Err(Error::unknown("optimizer in this grid", key, optimizers.iter().map(String::as_str))),
            None => Ok(()),
        }
    }
}
