//! The table `[tune]` of a search's file.

use serde::{Deserialize, Serialize};

use super::halving::Pruner;
use super::objective::Objective;
use super::sampler::Sampler;
use crate::benchmark::Seeds;
use crate::{Error, Result, settings};

/// The table `[tune]`, but for the ranges.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    pub(super) trials: usize,
    pub(super) sampler: Sampler,
    pub(super) pruner: Pruner,
    pub(super) eta: u64,
    pub(super) rungs: u32,
    pub(super) objective: Objective,
    pub(super) eval_episodes: usize,
    pub(super) seeds: Seeds,
    pub(super) report_seeds: Seeds,
    pub(super) search_seed: u64,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            trials: 32,
            sampler: Sampler::Sobol,
            pruner: Pruner::Halving,
            eta: 3,
            rungs: 3,
            objective: Objective::FinalReturn,
            eval_episodes: 20,
            seeds: first_of(FIRST_TUNING_SEED, 3),
            report_seeds: first_of(1, 10),
            search_seed: 1,
        }
    }
}

/// What seeds begin with where a number alone says how many there are.
const FIRST_TUNING_SEED: u64 = 1_001;

fn first_of(first: u64, count: u64) -> Seeds {
    Seeds::Range { first, count }
}

impl Section {
    /// What is said over the defaults.
    pub(super) fn read(said: &toml::Table) -> Result<Self> {
        let defaults = Self::default().to_table()?;
        if let Some(name) = said.keys().find(|name| !defaults.contains_key(*name)) {
            let known = defaults.keys().map(String::as_str).chain(["ranges"]);
            return Err(Error::Config(format!("[tune]: {}", Error::unknown("key", name, known))));
        }
        let mut said = said.clone();
        for (name, first) in [("seeds", FIRST_TUNING_SEED), ("report_seeds", 1)] {
            if let Some(count) = said.get(name).and_then(toml::Value::as_integer).and_then(|n| u64::try_from(n).ok()) {
                said.insert(name.into(), toml::Value::try_from(first_of(first, count)).map_err(refused)?);
            }
        }
        let table = settings::over::<Self>(defaults, said.clone()).map_err(|e| Error::Config(format!("tune.{e}")))?;
        let mut section: Self = table.try_into().map_err(refused)?;
        if section.sampler == Sampler::Tpe {
            if said.contains_key("pruner") && section.pruner == Pruner::Halving {
                let why = "it draws a few trials at a time, each from what came of whole ones before";
                return Err(Error::Config(format!("pruner = \"halving\" does not go with sampler = \"tpe\": {why}")));
            }
            section.pruner = Pruner::None;
        }
        for (name, value, range) in [
            ("eta", section.eta, 2..=100),
            ("rungs", u64::from(section.rungs), 2..=20),
            ("eval_episodes", section.eval_episodes as u64, 1..=65_536),
        ] {
            if !range.contains(&value) {
                let (least, most) = (range.start(), range.end());
                return Err(Error::Config(format!(
                    "tune.{name} = {value} is impossible: it must be {least} to {most}"
                )));
            }
        }
        match said.keys().find_map(|name| Some((name, section.without_effect(name)?))) {
            Some((name, why)) => Err(Error::Config(format!("tune.{name} has no effect: {why}"))),
            None => Ok(section),
        }
    }

    /// Why a key has no effect, if it has none.
    pub(super) fn without_effect(&self, name: &str) -> Option<&'static str> {
        match name {
            "eta" | "rungs" if self.pruner == Pruner::None => {
                Some("with pruner = \"none\" there are no rungs; leave it out")
            }
            "eval_episodes" if self.objective != Objective::EvalReturn => {
                Some("nothing is evaluated unless objective = \"eval_return\"; leave it out")
            }
            _ => None,
        }
    }

    pub(super) fn to_table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(refused)
    }
}

fn refused(e: impl std::fmt::Display) -> Error {
    Error::Config(e.to_string())
}
