//! What each setting may be.

use uphill_envs::{Spec, counted, quoted};

use crate::device::DeviceChoice;
use crate::envs::shown;
use crate::optim::Registry;
use crate::{Config, Error, Result, Rollout, Threads, algo, settings};

impl Config {
    // Limits far beyond any use, so that a slip of the hand is an error and not a machine out of memory.

    /// The most environment steps of a run: at a million a second they take 31 years.
    pub const MAX_STEPS: u64 = 1_000_000_000_000_000;
    /// The most environments side by side.
    pub const MAX_ENVS: u64 = 1 << 16;
    /// The most steps, all lanes together, and the most episodes of one rollout.
    pub const MAX_ROLLOUT: u64 = Rollout::MAX_STEPS;
    /// The most passes over a rollout.
    pub const MAX_EPOCHS: u64 = 10_000;
    /// The most hidden layers.
    pub const MAX_LAYERS: usize = 256;
    /// The most weights between hidden layers, all together.
    pub const MAX_WEIGHTS: usize = 1 << 26;

    /// Checks every setting's range.
    ///
    /// # Errors
    /// [`Error::Config`] naming the first setting that is impossible, its value and what would be right.
    pub fn validate(&self) -> Result<()> {
        self.validate_with(&Registry::default())
    }

    /// As [`Config::validate`], for an optimizer that may have words of the user's own.
    ///
    /// # Errors
    /// As [`Config::validate`].
    pub fn validate_with(&self, registry: &Registry) -> Result<()> {
        self.validate_settings()?;
        self.check_effects()?;
        self.make_optimizer_with(registry).map(|_| ())
    }

    /// Refuses a setting of another algorithm's: it would have no effect.
    fn check_effects(&self) -> Result<()> {
        let recipe = algo::recipe(&self.algo)?;
        let (own, defaults) = (self.to_table()?, (recipe.defaults)().to_table()?);
        for (name, value) in own.iter().filter(|(name, _)| !recipe.settings.contains(&name.as_str())) {
            let others: Vec<_> = algo::ALGOS
                .iter()
                .filter(|other| other.settings.contains(&name.as_str()))
                .map(|other| other.name)
                .collect();
            let default = defaults.get(name);
            if !others.is_empty() && default != Some(value) {
                let (value, others) = (settings::shown(value), others.join(" and "));
                let rest =
                    default.map_or(String::new(), |default| format!(", or leave it at {}", settings::shown(default)));
                let problem = format!("{name} = {value} has no effect on {}: it is a setting of {others}", recipe.name);
                return Err(Error::Config(format!("{problem}; leave it out{rest}")));
            }
        }
        Ok(())
    }

    /// Checks everything but the optimizer.
    pub(super) fn validate_settings(&self) -> Result<()> {
        let check = |ok: bool, name: &str, value: String, range: &str| {
            if ok { Ok(()) } else { Err(Error::Config(format!("{name} = {value} is impossible: {range}"))) }
        };
        algo::recipe(&self.algo)?;
        if let Some(world) = &self.gridworld {
            Spec::check_id(&world.id)?;
        }
        let name = "a name has 1 to 80 visible characters and no part `..`";
        check(Spec::check_id(&self.env).is_ok(), "env", format!("\"{}\"", quoted(&self.env)), name)?;
        self.device.parse::<DeviceChoice>()?;
        let range = format!("there may be {} at most", Threads::MAX);
        check(self.threads <= Threads::MAX, "threads", self.threads.to_string(), &range)?;
        check(i64::try_from(self.seed).is_ok(), "seed", self.seed.to_string(), "it must be below 2^63")?;
        for (name, count, most) in [
            ("steps", self.steps, Self::MAX_STEPS),
            ("envs", self.envs as u64, Self::MAX_ENVS),
            ("n_steps", self.n_steps as u64, Self::MAX_ROLLOUT),
            ("episodes", self.episodes as u64, Self::MAX_ROLLOUT),
            ("n_epochs", self.n_epochs as u64, Self::MAX_EPOCHS),
            ("n_minibatches", self.n_minibatches as u64, Self::MAX_ROLLOUT),
        ] {
            check(count > 0, name, count.to_string(), "it must be at least 1")?;
            check(count <= most, name, count.to_string(), &format!("it must be at most {most}"))?;
        }
        for (name, share) in [("gamma", self.gamma), ("gae_lambda", self.gae_lambda)] {
            check((0.0..=1.0).contains(&share), name, shown(share), "it must lie in [0, 1]")?;
        }
        for (name, amount) in [("lr", self.lr), ("vf_coef", self.vf_coef)] {
            let ok = amount >= 0.0 && amount.is_finite();
            check(ok, name, shown(amount), "it must be finite and not negative")?;
        }
        check(
            self.max_memory > 0.0,
            "max_memory",
            shown(self.max_memory),
            "it must be above 0 GiB (inf sets no limit)",
        )?;
        check(self.ent_coef.is_finite(), "ent_coef", shown(self.ent_coef), "it must be finite")?;
        for (name, limit) in [
            ("clip_range", self.clip_range),
            ("clip_range_vf", self.clip_range_vf),
            ("target_kl", self.target_kl),
            ("max_grad_norm", self.max_grad_norm),
        ] {
            check(limit > 0.0, name, shown(limit), "it must be above 0 (inf turns it off)")?;
        }
        if let Some(units) = self.hidden.iter().find(|units| !(1..=65_536).contains(*units)) {
            check(false, "hidden", units.to_string(), "a layer has 1 to 65536 units")?;
        }
        let (layers, weights) =
            (self.hidden.len(), self.hidden.windows(2).map(|pair| pair[0] * pair[1]).sum::<usize>());
        let range = format!("there may be {} layers and {} weights between them", Self::MAX_LAYERS, Self::MAX_WEIGHTS);
        let size = format!("{layers} layers with {weights} weights between them");
        check(layers <= Self::MAX_LAYERS && weights <= Self::MAX_WEIGHTS, "hidden", size, &range)?;
        if self.algo == "reinforce" {
            let range = format!("it must be a multiple of envs, which is {}", self.envs);
            check(self.episodes.is_multiple_of(self.envs), "episodes", self.episodes.to_string(), &range)?;
        }
        if self.algo != "reinforce" {
            let batch = self.envs * self.n_steps;
            let range =
                format!("envs * n_steps = {batch} steps is more than the {} a rollout holds", Self::MAX_ROLLOUT);
            check(batch as u64 <= Self::MAX_ROLLOUT, "n_steps", self.n_steps.to_string(), &range)?;
            let range = format!("what it splits is envs * n_steps = {}", counted(batch, "step"));
            check(self.n_minibatches <= batch, "n_minibatches", self.n_minibatches.to_string(), &range)?;
        }
        Ok(())
    }
}
