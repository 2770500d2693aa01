//! What is run: `study.toml`.

use std::path::Path;

use serde::Deserialize;
use uphill::benchmark::Seeds;
use uphill::words::{Spec, Value};
use uphill::{Config, Error, Result};

use crate::noise::Noise;

/// Optimizers over sizes of batch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Study {
    /// Settings of every run, over PPO's defaults.
    pub(crate) settings: toml::Table,
    pub(crate) tuning: Tuning,
    pub(crate) reported: Reported,
    pub(crate) noise: Noise,
    pub(crate) optimizers: Vec<Optimizer>,
    /// Rising; the first one is what the scaling rules scale from.
    pub(crate) sizes: Vec<Size>,
}

/// How learning rates are found: as many at each size, on the same seeds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tuning {
    /// What an optimizer's `lr` is multiplied by at the first size, rising.
    pub(crate) base_multiples: Vec<f64>,
    /// What the best learning rate there is multiplied by at the others, rising.
    pub(crate) multiples: Vec<f64>,
    pub(crate) seeds: Seeds,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reported {
    /// None of those that are tuned on.
    pub(crate) seeds: Seeds,
    /// Of the bootstrap that intervals are from.
    pub(crate) replicates: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Optimizer {
    /// Without its learning rate.
    pub(crate) spec: Spec,
    /// The learning rate that the first ones are multiples of.
    pub(crate) lr: f64,
    /// Arguments that are multiplied as it is.
    #[serde(default)]
    pub(crate) scaled_too: Vec<String>,
}

/// A batch: all steps of a rollout, which every gradient is of.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Size {
    pub(crate) batch: u64,
    /// Environment steps from one evaluation to the next.
    pub(crate) eval_every: u64,
    /// Environment steps after which a run is over that has not got there.
    pub(crate) steps: u64,
}

/// How the learning rate of a size is come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The best of those that were tried at this size.
    Tuned,
    /// `lr · √(B / B₀)` of the best at the first size.
    ///
    /// Krizhevsky 2014, <https://arxiv.org/abs/1404.5997>.
    Sqrt,
    /// `lr · B / B₀` of it.
    ///
    /// Goyal et al. 2017, <https://arxiv.org/abs/1706.02677>.
    Linear,
}

impl Rule {
    pub(crate) const ALL: [Self; 3] = [Self::Tuned, Self::Sqrt, Self::Linear];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tuned => "tuned",
            Self::Sqrt => "sqrt",
            Self::Linear => "linear",
        }
    }

    /// What it multiplies the base learning rate by, where that follows from sizes alone.
    pub(crate) fn factor(self, batch: u64, base: u64) -> Option<f64> {
        let ratio = batch as f64 / base as f64;
        match self {
            Self::Tuned => None,
            Self::Sqrt => Some(ratio.sqrt()),
            Self::Linear => Some(ratio),
        }
    }
}

impl Optimizer {
    /// What it is called.
    pub(crate) fn name(&self) -> &str {
        self.spec.0.first().map_or("", |word| &word.name)
    }

    /// With what goes with its learning rate multiplied so.
    fn spec_at(&self, multiple: f64) -> Spec {
        let mut spec = self.spec.clone();
        for (name, value) in spec.0.iter_mut().flat_map(|word| &mut word.args) {
            if let (Some(name), Value::Number(number)) = (name, value)
                && self.scaled_too.contains(name)
            {
                *number *= multiple;
            }
        }
        spec
    }
}

impl Size {
    /// Rollouts of a run that does not get there.
    pub(crate) fn rollouts(&self) -> u64 {
        self.steps.div_ceil(self.batch)
    }

    /// Environment steps of a run that does not get there: all of its last rollout.
    pub(crate) fn all_steps(&self) -> u64 {
        self.rollouts() * self.batch
    }
}

impl Study {
    /// Reads it, and refuses what could not be run.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let wrong = |problem: String| Error::File { path: path.into(), problem };
        let text = std::fs::read_to_string(path).map_err(|source| Error::Io { path: path.into(), source })?;
        let study: Self = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        study.check().map_err(|e| wrong(e.to_string()))?;
        Ok(study)
    }

    fn check(&self) -> Result<()> {
        let wrong = |problem: String| Err(Error::Config(problem));
        let Self { tuning, reported, optimizers, sizes, .. } = self;
        if sizes.is_empty() || optimizers.is_empty() {
            return wrong("a study needs a size and an optimizer".into());
        }
        for (name, multiples) in [("base_multiples", &tuning.base_multiples), ("multiples", &tuning.multiples)] {
            if multiples.first().is_none_or(|&first| first <= 0.0) || !multiples.is_sorted_by(|a, b| a < b) {
                return wrong(format!("tuning.{name} must be numbers above 0 that rise"));
            }
        }
        if let Some(seed) = tuning.seeds.list().iter().find(|seed| reported.seeds.list().contains(seed)) {
            return wrong(format!("seed {seed} is tuned on and reported: take others for tuning.seeds"));
        }
        if !sizes.is_sorted_by(|a, b| a.batch < b.batch) {
            return wrong("sizes must rise".into());
        }
        for optimizer in optimizers {
            for size in sizes {
                self.config(optimizer, size, 1.0, 1)?.validate()?;
            }
        }
        Ok(())
    }

    /// The size that rules scale from.
    pub(crate) fn base(&self) -> Size {
        self.sizes[0]
    }

    /// What is tried at a size, as multiples of the optimizer's `lr`, where `base` is the best at the first one.
    pub(crate) fn tried(&self, size: &Size, base: Option<f64>) -> Vec<f64> {
        match base {
            Some(base) if size.batch > self.base().batch => {
                self.tuning.multiples.iter().map(|multiple| multiple * base).collect()
            }
            _ => self.tuning.base_multiples.clone(),
        }
    }

    /// The rules that a size is reported under: at the first one all are the same.
    pub(crate) fn rules(&self, size: &Size) -> &'static [Rule] {
        if size.batch == self.base().batch { &[Rule::Tuned] } else { &Rule::ALL }
    }

    /// Runs in all, the same run under two rules counted twice.
    pub(crate) fn runs(&self, size: &Size) -> u64 {
        let tuning = self.tried(size, Some(1.0)).len() as u64 * self.tuning.seeds.count();
        self.optimizers.len() as u64 * (tuning + self.rules(size).len() as u64 * self.reported.seeds.count())
    }

    /// The task.
    pub(crate) fn env(&self) -> String {
        self.settings.get("env").and_then(toml::Value::as_str).unwrap_or("CartPole-v1").into()
    }

    /// The settings of a run.
    pub(crate) fn config(&self, optimizer: &Optimizer, size: &Size, multiple: f64, seed: u64) -> Result<Config> {
        let mut table = self.settings.clone();
        let n_steps = table.get("n_steps").and_then(toml::Value::as_integer).unwrap_or(128).max(1) as u64;
        if !size.batch.is_multiple_of(n_steps) {
            let problem = format!("batch = {} is impossible: it must be a multiple of n_steps = {n_steps}", size.batch);
            return Err(Error::Config(problem));
        }
        let counts = [
            ("envs", size.batch / n_steps),
            ("eval_every", size.eval_every),
            ("steps", size.steps),
            ("seed", seed),
            ("threads", 1),
        ];
        table.extend(counts.map(|(name, count)| (name.to_string(), toml::Value::from(count as i64))));
        table.insert("optimizer".into(), optimizer.spec_at(multiple).to_string().into());
        table.insert("lr".into(), (optimizer.lr * multiple).into());
        Config::from_table(table)
    }
}
