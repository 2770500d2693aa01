//! What each setting may be.

use std::collections::BTreeSet;

use uphill_envs::{Spec, counted, quoted};

use super::{OF_ALGOS, OF_MODELS};
use crate::catalogue::{FRAME_STACK, TIME_AWARE, TIME_LIMIT};
use crate::device::DeviceChoice;
use crate::distributions::AUTO;
use crate::envs::shown;
use crate::optim::Registry;
use crate::words::{Args, Wrapped};
use crate::{Config, Error, Precision, Result, Rollout, Threads};

impl Config {
    // Limits far beyond any use, so that a slip of the hand is an error and not a machine out of memory.

    /// The most environment steps of a run: at a million a second they take 31 years.
    pub const MAX_STEPS: u64 = 1_000_000_000_000_000;
    /// The most environments side by side.
    pub const MAX_ENVS: u64 = 1 << 16;
    /// The most steps, all lanes together, and the most episodes of one rollout.
    pub const MAX_ROLLOUT: u64 = Rollout::MAX_STEPS;
    /// The most hidden layers.
    pub const MAX_LAYERS: usize = 256;
    /// The most weights between hidden layers, all together.
    pub const MAX_WEIGHTS: usize = 1 << 26;

    /// Checks every setting's range.
    ///
    /// # Errors
    /// [`Error::Config`] naming the first setting that is impossible or has no effect, its value and what would be right.
    pub fn validate(&self) -> Result<()> {
        self.catalogue.check()?;
        self.catalogue.algo(&self.algo.name)?;
        self.catalogue.model(&self.model.name)?;
        self.check_distribution_word()?;
        self.validate_settings()?;
        self.check_env()?;
        for word in &self.sinks {
            Args::new(self.catalogue.sink(&word.name)?, word)?;
        }
        self.check_effects()?;
        let algo = self.make_algo()?;
        if self.precision != Precision::F32 && !algo.takes_precision() {
            let (precision, name) = (self.precision, &self.algo.name);
            let problem = format!("{name} learns in f32 alone");
            let remedy = "leave it out, or take an algorithm that descends a loss on tensors, such as ppo or a2c";
            return Err(Error::Config(format!("precision = {precision} is impossible: {problem}; {remedy}")));
        }
        self.check_envs_on_device()?;
        let optimizer = self.make_optimizer()?;
        if let Some((name, ..)) = self.lr_factor_settings().next().filter(|_| Registry::has_parts(&self.optimizer)) {
            let problem = "it divides the blocks among chains of its own; say their learning rates there, or leave one of them out";
            return Err(Error::Config(format!("{name} cannot go with optimizer = `{}`: {problem}", self.optimizer)));
        }
        if self.normalize_value && optimizer.holds_parameters() {
            let what = if optimizer.averages() { "averages parameters" } else { "goes by parameters of before" };
            let problem = format!("normalize_value cannot go with an optimizer that {what}");
            let reason = "those of different times are in different units; leave one of them out";
            return Err(Error::Config(format!("{problem}, as {} does: {reason}", self.optimizer)));
        }
        Ok(())
    }

    /// Checks what is said of the environment: one that is no row is known by its name alone.
    fn check_env(&self) -> Result<()> {
        let Wrapped { word, wrappers } = &self.env;
        let row = self.catalogue.env(&word.name);
        if let (Err(wrapper), Ok(_)) = (&row, self.catalogue.wrapper(&word.name)) {
            return Err(Error::Config(format!("env = {}: {wrapper}", self.env)));
        }
        if let Some((name, _)) = word.args.first().filter(|_| row.is_err()) {
            let name = quoted(name.as_deref().unwrap_or("an argument"));
            let problem = format!("env = {}: {name} is given to what is known by its name alone", word.name);
            return Err(Error::Config(problem));
        }
        if let (Err(unknown), false) = (row, wrappers.is_empty()) {
            let env = quoted(&self.env.to_string());
            return Err(Error::Config(format!("env = {env}: wrappers go around rows of the catalogue: {unknown}")));
        }
        wrappers.iter().try_for_each(|wrapper| self.catalogue.wrapper(&wrapper.name).map(drop))?;
        let mut shows_time = false;
        for wrapper in wrappers {
            if wrapper.name == TIME_AWARE && shows_time {
                let problem = format!("env = {}: the last {TIME_AWARE} has no effect", self.env);
                return Err(Error::Config(format!(
                    "{problem}: the share of that limit is shown already; leave it out"
                )));
            }
            // Of another limit it is another share.
            shows_time = (shows_time && wrapper.name != TIME_LIMIT) || wrapper.name == TIME_AWARE;
        }
        if self.frame_stack != 1 && wrappers.iter().any(|wrapper| wrapper.name == FRAME_STACK) {
            let problem = format!("frame_stack = {} and a wrapper of env = {}", self.frame_stack, self.env);
            return Err(Error::Config(format!("frame_stack is given twice: {problem}; leave one of them out")));
        }
        Ok(())
    }

    /// Checks the arguments of the distribution; which of them `auto` has is known with the environment.
    fn check_distribution_word(&self) -> Result<()> {
        let (word, rows) = (&self.distribution, self.catalogue.distributions());
        if word.name != AUTO {
            return Args::new(self.catalogue.distribution(&word.name)?, word).map(drop);
        }
        for (name, value) in word.args.iter().filter_map(|(name, value)| Some((name.as_ref()?, value))) {
            let known: BTreeSet<&str> = rows.iter().flat_map(|row| row.params).map(|param| param.name).collect();
            let param = rows.iter().find_map(|row| row.param(name));
            let unknown = || Error::unknown("argument of a distribution", name, known.into_iter());
            let param = param.ok_or_else(unknown)?;
            param.check(&format!("{AUTO}: "), value)?;
        }
        Ok(())
    }

    /// Checks everything but the optimizer.
    pub(crate) fn validate_settings(&self) -> Result<()> {
        let check = |ok: bool, name: &str, value: String, range: &str| {
            if ok { Ok(()) } else { Err(Error::Config(format!("{name} = {value} is impossible: {range}"))) }
        };
        let name = r"a name has 1 to 80 visible characters, and no part between / or \ that is empty, `.` or `..`";
        let Wrapped { word: env, wrappers } = &self.env.clone().checked("env")?;
        let of_word = format!("{}: id", quoted(&env.name));
        for (place, id) in [("env", &env.name), (&of_word, &env.id())] {
            check(Spec::check_id(id).is_ok(), place, format!("\"{}\"", quoted(id)), name)?;
        }
        self.device.parse::<DeviceChoice>()?;
        let range = format!("there may be {} at most", Threads::MAX);
        check(self.threads <= Threads::MAX, "threads", self.threads.to_string(), &range)?;
        check(i64::try_from(self.seed).is_ok(), "seed", self.seed.to_string(), "it must be below 2^63")?;
        for (name, count, most) in [("steps", self.steps, Self::MAX_STEPS), ("envs", self.envs as u64, Self::MAX_ENVS)]
        {
            check(count > 0, name, count.to_string(), "it must be at least 1")?;
            check(count <= most, name, count.to_string(), &format!("it must be at most {most}"))?;
        }
        let range = format!("it must be at most steps, which is {}: the run is over before the first one", self.steps);
        check(self.eval_every <= self.steps, "eval_every", self.eval_every.to_string(), &range)?;
        let (episodes, range) = (self.eval_episodes as u64, format!("it must be 1 to {}", Self::MAX_ENVS));
        check((1..=Self::MAX_ENVS).contains(&episodes), "eval_episodes", episodes.to_string(), &range)?;
        let stop = self.stop_at_return.number(None).is_none_or(|number| number > f64::NEG_INFINITY);
        check(stop, "stop_at_return", self.stop_at_return.to_string(), "it must be a return (inf never stops)")?;
        let range = format!("it must be at most {}", Self::MAX_STEPS);
        let count = self.stop_without_improvement;
        check(count <= Self::MAX_STEPS, "stop_without_improvement", count.to_string(), &range)?;
        let problem = self.check_continued().err();
        check(problem.is_none(), "continued", format!("{:?}", self.continued), problem.unwrap_or_default())?;
        for (name, count) in [
            ("n_steps", self.n_steps),
            ("episodes", self.episodes),
            ("n_epochs", self.n_epochs),
            ("n_minibatches", self.n_minibatches),
        ] {
            check(i64::try_from(count).is_ok(), name, count.to_string(), "it must be below 2^63")?;
        }
        let ok = self.lr >= 0.0 && self.lr.is_finite();
        check(ok, "lr", shown(self.lr), "it must be finite and not negative")?;
        for (name, factor) in [
            ("critic_lr_factor", self.critic_lr_factor),
            ("trunk_lr_factor", self.trunk_lr_factor),
            ("log_std_lr_factor", self.log_std_lr_factor),
        ] {
            let range = "it must be finite and not negative; 1 is the learning rate of the rest";
            check(factor >= 0.0 && factor.is_finite(), name, shown(factor), range)?;
        }
        check(
            self.max_memory > 0.0,
            "max_memory",
            shown(self.max_memory),
            "it must be above 0 GiB (inf sets no limit)",
        )?;
        for (name, limit) in [
            ("max_grad_norm", self.max_grad_norm),
            ("clip_observation", self.clip_observation),
            ("clip_reward", self.clip_reward),
        ] {
            check(limit > 0.0, name, shown(limit), "it must be above 0 (inf turns it off)")?;
        }
        let (algo, model) = (self.catalogue.algo(&self.algo.name).ok(), self.catalogue.model(&self.model.name).ok());
        algo.map(|row| self.args(row, &self.algo, &OF_ALGOS)).transpose()?;
        model.map(|row| self.args(row, &self.model, &OF_MODELS)).transpose()?;
        self.catalogue.env(&env.name).ok().map(|row| Args::new(row, env)).transpose()?;
        for wrapper in wrappers {
            self.catalogue.wrapper(&wrapper.name).ok().map(|row| Args::new(row, wrapper)).transpose()?;
        }
        let (layers, weights) =
            (self.hidden.len(), self.hidden.windows(2).map(|pair| pair[0] * pair[1]).sum::<usize>());
        let range = format!("there may be {} layers and {} weights between them", Self::MAX_LAYERS, Self::MAX_WEIGHTS);
        let size = format!("{layers} layers with {weights} weights between them");
        check(layers <= Self::MAX_LAYERS && weights <= Self::MAX_WEIGHTS, "hidden", size, &range)?;
        let has = |name: &str| algo.is_some_and(|row| row.param(name).is_some());
        if has("episodes") {
            let range = format!("it must be a multiple of envs, which is {}", self.envs);
            check(self.episodes.is_multiple_of(self.envs), "episodes", self.episodes.to_string(), &range)?;
        }
        if has("n_steps") {
            let batch = self.envs.saturating_mul(self.n_steps);
            let range =
                format!("envs * n_steps = {batch} steps is more than the {} a rollout holds", Self::MAX_ROLLOUT);
            check(batch as u64 <= Self::MAX_ROLLOUT, "n_steps", self.n_steps.to_string(), &range)?;
            if has("n_minibatches") {
                let range = format!("what it splits is envs * n_steps = {}", counted(batch, "step"));
                check(self.n_minibatches <= batch, "n_minibatches", self.n_minibatches.to_string(), &range)?;
            }
        }
        Ok(())
    }
}
