//! What a configuration stands for: environments, algorithm, optimizer, network.

use std::sync::Arc;

use uphill_envs::{GridWorld, GridWorldConfig, Lanes, TimeLimit, VecEnv, counted, quoted};

use crate::algo::{self, Algorithm};
use crate::models::MlpConfig;
use crate::optim::{Fallback, Optimizer, Registry};
use crate::{Config, Error, MakeEnvs, Result, Seed};

/// Lanes that make a group worth a thread of its own: with fewer, a step's matrix products are too small.
const GROUP: usize = 32;
/// The most groups: more would be played by the same few threads.
const MAX_GROUPS: usize = 16;

impl Config {
    /// What makes the environments that this configuration names.
    pub(crate) fn env_maker(&self) -> MakeEnvs {
        let config = self.clone();
        Arc::new(move |lanes| config.make_envs(lanes))
    }

    /// The environments, so many side by side.
    ///
    /// # Errors
    /// [`Error::Env`] for an unknown name or an impossible grid world.
    pub fn make_envs(&self, lanes: usize) -> Result<Box<dyn VecEnv>> {
        let Some(grid) = &self.gridworld else {
            return Ok(uphill_envs::make_vec(&self.env, lanes)?);
        };
        let world = TimeLimit::new(GridWorld::new(grid.clone())?);
        Ok(Box::new(Lanes::new(vec![world; lanes])?))
    }

    /// The grid world that the environment is, if it is one: then its model can be known.
    #[must_use]
    pub fn grid_world(&self) -> Option<GridWorldConfig> {
        self.gridworld.clone().or_else(|| GridWorldConfig::registered(&self.env))
    }

    /// Groups that the environments are in.
    pub(crate) fn groups(&self) -> usize {
        (self.envs / GROUP).clamp(1, MAX_GROUPS)
    }

    /// The environments to train in: `envs` of them, many of them in groups that threads play apart. How many groups
    /// there are depends on `envs` alone.
    ///
    /// # Errors
    /// What `make` fails with.
    pub(crate) fn make_groups(&self, make: &MakeEnvs) -> Result<Vec<Box<dyn VecEnv>>> {
        let groups = self.groups();
        let first = |group: usize| group * self.envs / groups;
        (0..groups).map(|group| self.make_with(make, first(group + 1) - first(group))).collect()
    }

    /// What `make` makes, [guarded](uphill_envs::guarded), if it is what was asked for.
    ///
    /// # Errors
    /// What `make` fails with; [`Error::Config`] for another number of lanes, or another name than [`Config::env`] where that
    /// is not only the name of a grid world of one's own.
    pub(crate) fn make_with(&self, make: &MakeEnvs, lanes: usize) -> Result<Box<dyn VecEnv>> {
        let envs = uphill_envs::guarded(make(lanes)?)?;
        let (id, env, got) = (quoted(&envs.spec().id), &self.env, envs.lanes());
        if self.gridworld.is_none() && envs.spec().id != *env {
            let remedy = "set env to that name, or name the environments so (`TimeLimit::named` does)";
            return Err(Error::Config(format!("the environments made for env = `{env}` are called `{id}`: {remedy}")));
        }
        if got != lanes {
            let remedy = "what makes them is told how many, for training and for evaluation";
            return Err(Error::Config(format!("{id}: {} instead of {lanes}; {remedy}", counted(got, "lane"))));
        }
        Ok(envs)
    }

    /// The algorithm.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name.
    pub fn make_algo(&self) -> Result<Box<dyn Algorithm>> {
        Ok((algo::recipe(&self.algo)?.build)(self))
    }

    /// The optimizer. What its spec says goes over the settings `lr`, `anneal_lr` and `max_grad_norm`: the first two
    /// apply to recipes that do not say `lr`, the last one where no link clips.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name or an impossible value.
    pub fn make_optimizer(&self) -> Result<Optimizer> {
        self.make_optimizer_with(&Registry::default())
    }

    /// As [`Config::make_optimizer`], with words of the user's own.
    ///
    /// # Errors
    /// As [`Config::make_optimizer`].
    pub fn make_optimizer_with(&self, registry: &Registry) -> Result<Optimizer> {
        let fallback = Fallback {
            lr: Some(self.lr),
            anneal_lr: self.anneal_lr,
            max_grad_norm: self.max_grad_norm,
            clip_grad_by: self.clip_grad_by,
            seed: Some(Seed(self.seed).derive("optimizer", 0) >> 14),
        };
        Ok(Optimizer::new(registry.chain_with(&self.optimizer, &fallback)?))
    }

    /// The shape of the network.
    #[must_use]
    pub fn mlp(&self) -> MlpConfig {
        MlpConfig {
            hidden: self.hidden.clone(),
            activation: self.activation,
            init: self.init,
            shared_trunk: self.shared_trunk,
        }
    }
}
