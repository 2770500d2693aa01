//! What a configuration stands for: environments, algorithm, optimizer, network.

use std::sync::Arc;

use uphill_envs::{Env, FiniteMdp, FrameStack, Lanes, MdpError, Spec, TimeLimit, VecEnv, counted, quoted};

use super::{OF_ALGOS, OF_MODELS};
use crate::algo::Algorithm;
use crate::catalogue::EnvRow;
use crate::collect::Collector;
use crate::distributions::{self, Distribution};
use crate::models::{MlpConfig, Model, NormalisedModel, PopArtModel, Site};
use crate::moments::Moments;
use crate::normaliser::{Normaliser, RewardScale, ValueScale};
use crate::optim::{Fallback, Optimizer, Pattern};
use crate::schedule::Schedule;
use crate::words::{Args, Kind, Param, Row, Value, Word, Wrapped};
use crate::{Buffers, Config, Error, Layout, MakeEnvs, Params, Result, Seed};

/// Lanes that make a group worth a thread of its own: with fewer, a step's matrix products are too small.
const GROUP: usize = 32;
/// The most groups: more would be played by the same few threads.
const MAX_GROUPS: usize = 16;

/// Groups that so many environments are in.
pub(super) fn groups(lanes: usize) -> usize {
    (lanes / GROUP).clamp(1, MAX_GROUPS)
}

impl Config {
    /// What makes the environments that this configuration names.
    pub(crate) fn env_maker(&self) -> MakeEnvs {
        let config = self.clone();
        Arc::new(move |lanes| config.make_envs(lanes))
    }

    /// What a word's row is given: its own arguments, and of the settings those that it has.
    pub(super) fn args<M>(&self, row: &Row<M>, word: &Word, fields: &[&str]) -> Result<Args> {
        let table = self.all()?;
        let setting = |param: &Param| table.get(param.name).filter(|_| fields.contains(&param.name));
        Args::within(row, word, &|param| Value::from_toml(setting(param)?).ok())
    }

    /// The environments, so many side by side.
    ///
    /// # Errors
    /// [`Error::Env`] for an unknown name and for a [`frame_stack`](Config::frame_stack) of what is not stacked,
    /// [`Error::Config`] for an impossible argument and for a wrapper that does not go around the environment, and what the
    /// environment's row fails with, such as [`Error::Env`] for an impossible map.
    pub fn make_envs(&self, lanes: usize) -> Result<Box<dyn VecEnv>> {
        if self.frame_stack != 1 || !self.env.wrappers.is_empty() {
            let envs = (0..lanes).map(|_| self.make_env()).collect::<Result<Vec<_>>>()?;
            return Ok(Box::new(Lanes::new(envs)?));
        }
        let (row, args) = self.env_row()?;
        row.make.lanes(&args, lanes)
    }

    /// The row of the environment within all wrappers, and its arguments.
    pub(crate) fn env_row(&self) -> Result<(&EnvRow, Args)> {
        let row = self.catalogue.env(&self.env.word.name)?;
        Ok((row, Args::new(row, &self.env.word)?))
    }

    /// The environment alone, within its limit and its wrappers, to be stepped by hand.
    ///
    /// # Errors
    /// As [`Config::make_envs`]; [`Error::Config`] for one that is made side by side only.
    pub fn make_env(&self) -> Result<Box<dyn Env>> {
        let (row, args) = self.env_row()?;
        let alone = || {
            let around = self.env.wrappers.first().map(|wrapper| format!(": {wrapper} cannot go around it"));
            Error::Config(format!("{} is made side by side only{}", row.name, around.unwrap_or_default()))
        };
        let mut env = row.make.one.ok_or_else(alone)?(&args)?;
        if !self.env.wrappers.is_empty() {
            // Its limit counts its own steps.
            env = Box::new(TimeLimit::new(env));
        }
        for (place, word) in self.env.wrappers.iter().enumerate() {
            let row = self.catalogue.wrapper(&word.name)?;
            let within = Wrapped { word: self.env.word.clone(), wrappers: self.env.wrappers[..place].to_vec() };
            let around = (row.make.around)(env, &Args::new(row, word)?);
            env = around.map_err(|e| Error::Config(format!("{word} cannot go around {}: {e}", within.shown())))?;
        }
        if self.frame_stack != 1 {
            return Ok(Box::new(TimeLimit::new(FrameStack::new(env, self.frame_stack)?)));
        }
        Ok(Box::new(TimeLimit::new(env)))
    }

    /// The same configuration with another limit of an episode's steps, `None` for none, where the environment's row takes
    /// one as its argument `max_episode_steps`.
    #[must_use]
    pub fn with_limit(&self, limit: Option<u32>) -> Option<Self> {
        const NAME: &str = "max_episode_steps";
        self.catalogue.env(&self.env.word.name).ok()?.param(NAME)?;
        let limit = Value::Number(limit.map_or(f64::INFINITY, f64::from));
        Some(Self { env: self.env.clone().with(NAME, limit), ..self.clone() })
    }

    /// The environment's exact model, if it has one. What has wrappers or stacked frames has none: a model's states are shown
    /// as the environment within shows them.
    ///
    /// # Errors
    /// What the environment's row fails with.
    pub fn model_of_env(&self) -> Result<Option<FiniteMdp>> {
        let is_bare = self.env.wrappers.is_empty() && self.frame_stack == 1;
        if is_bare { self.model_within() } else { Ok(None) }
    }

    /// The model of an environment whose random and best policy earn what those of this one earn, if there is one.
    ///
    /// # Errors
    /// As [`Config::model_of_env`].
    pub(crate) fn model_of_returns(&self) -> Result<Option<FiniteMdp>> {
        if self.keeps_returns() { self.model_within() } else { Ok(None) }
    }

    /// Whether no wrapper changes what the random and the best policy earn.
    fn keeps_returns(&self) -> bool {
        let keeps = |word: &Word| self.catalogue.wrapper(&word.name).is_ok_and(|row| row.make.keeps_returns);
        self.env.wrappers.iter().all(keeps)
    }

    /// The exact model of what is within all wrappers, if it has one.
    fn model_within(&self) -> Result<Option<FiniteMdp>> {
        if self.catalogue.env(&self.env.word.name).is_err() {
            return Ok(None);
        }
        let (row, args) = self.env_row()?;
        let model = row.make.model.map(|model| model(&args)).transpose()?;
        Ok(if self.mask_actions { model } else { model.map(FiniteMdp::without_masks) })
    }

    /// The exact model, where it is not too large to be had.
    ///
    /// # Errors
    /// As [`Config::model_of_env`].
    #[cfg(feature = "cli")]
    pub(crate) fn model_that_fits(&self) -> Result<Option<FiniteMdp>> {
        if_it_fits(self.model_of_env())
    }

    /// The mean undiscounted returns of the uniformly random policy and of the best one, where the environment's row says them
    /// or they follow from its model, within the limit of its steps, and every wrapper keeps them.
    ///
    /// # Errors
    /// As [`Config::model_of_env`], [`Error::Mdp`] where they do not exist.
    pub fn known_returns(&self) -> Result<Option<(f64, f64)>> {
        let returns = self.catalogue.env(&self.env.word.name).ok().and_then(|row| row.make.returns);
        if let Some(returns) = returns.filter(|_| self.keeps_returns()) {
            let (_, args) = self.env_row()?;
            if let Some(returns) = returns(&args)? {
                return Ok(Some(returns));
            }
        }
        let Some(mdp) = if_it_fits(self.model_of_returns())? else { return Ok(None) };
        let uniform = mdp.uniform_policy();
        Ok(Some(match self.make_envs(1)?.spec().max_episode_steps {
            Some(limit) => (mdp.start_value_within(&uniform, limit)?, mdp.optimal_value_within(limit)),
            None => {
                let best = mdp.optimal_values(1.0)?;
                let optimum = mdp.start().iter().zip(best).map(|(p, value)| p * value).sum();
                (mdp.start_value(&uniform, 1.0)?, optimum)
            }
        }))
    }

    /// A collector of so many lanes of the environments, each policy's actions masked or not.
    ///
    /// # Errors
    /// As [`Config::make_envs`], and [`Error::Env`] if a reset fails.
    pub(crate) fn collector(&self, lanes: usize, seed: Seed) -> Result<Collector> {
        self.collector_of(self.make_envs(lanes)?, seed)
    }

    /// The same of these environments.
    pub(crate) fn collector_of(&self, envs: Box<dyn VecEnv>, seed: Seed) -> Result<Collector> {
        let collector = Collector::new(envs, seed)?;
        if self.mask_actions { Ok(collector) } else { collector.without_masks() }
    }

    /// Refuses, before there is a network, what the environments or the network cannot have: another distribution, frames that
    /// are not stacked, a learning rate of what is not there.
    #[cfg(feature = "cli")]
    pub(crate) fn check_fits(&self) -> Result<()> {
        let envs = self.make_envs(1)?;
        self.make_distribution(envs.spec())?;
        let algo = self.make_algo()?;
        let Some(layout) = self.layout(envs.spec())? else { return Ok(()) };
        self.check_lr_factors(&layout, &*algo)?;
        self.make_optimizer()?.check_layout(&layout, algo.optimized().as_ref())
    }

    /// Refuses to be told of `mask_actions` where environments of the catalogue forbid no action.
    pub(crate) fn check_masks(&self) -> Result<()> {
        if self.catalogue.env(&self.env.word.name).is_err() || self.forbids_actions()? {
            return Ok(());
        }
        let (asked, shown) = (self.mask_actions, self.env.shown());
        let id = quoted(&shown);
        Err(Error::Config(format!("mask_actions = {asked} has no effect: {id} forbids no action; leave it out")))
    }

    /// Whether the environment says which actions are legal.
    ///
    /// # Errors
    /// What making it fails with.
    pub(crate) fn forbids_actions(&self) -> Result<bool> {
        Collector::new(self.make_envs(1)?, Seed(self.seed))?.tells_masks()
    }

    /// Environments to train in, so many of the `envs`, where they are many in groups that threads play apart. How many groups
    /// there are depends on their number alone.
    ///
    /// # Errors
    /// What `make` fails with.
    pub(crate) fn make_groups(&self, make: &MakeEnvs, lanes: usize) -> Result<Vec<Box<dyn VecEnv>>> {
        let groups = groups(lanes);
        let first = |group: usize| group * lanes / groups;
        (0..groups).map(|group| self.make_with(make, first(group + 1) - first(group))).collect()
    }

    /// What `make` makes, [guarded](uphill_envs::guarded), if it is what was asked for.
    ///
    /// # Errors
    /// What `make` fails with; [`Error::Config`] for another number of lanes, or another name than [`Config::env`] has.
    pub(crate) fn make_with(&self, make: &MakeEnvs, lanes: usize) -> Result<Box<dyn VecEnv>> {
        let envs = uphill_envs::guarded(make(lanes)?)?;
        let (id, env, got) = (quoted(&envs.spec().id), &self.env, envs.lanes());
        if envs.spec().id != env.id() {
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
    /// [`Error::Config`] for an unknown name or an impossible argument.
    pub fn make_algo(&self) -> Result<Box<dyn Algorithm>> {
        let row = self.catalogue.algo(&self.algo.name)?;
        (row.make.build)(&self.args(row, &self.algo, &OF_ALGOS)?, self.envs)
    }

    /// The algorithm's numbers that change over training, by the names of their settings.
    ///
    /// # Errors
    /// As [`Config::make_algo`].
    pub(crate) fn schedules(&self) -> Result<Vec<(&'static str, Schedule)>> {
        let row = self.catalogue.algo(&self.algo.name)?;
        let args = self.args(row, &self.algo, &OF_ALGOS)?;
        let scheduled = row.params.iter().filter(|param| matches!(param.kind, Kind::Number(_)));
        let scheduled = scheduled.filter_map(|param| Some((param, args.value(param.name).ok()?)));
        let scheduled = scheduled.filter(|(_, value)| value.number().is_none());
        scheduled
            .map(|(param, value)| Ok((param.name, self.catalogue.optim().number(row.name, param, value)?)))
            .collect()
    }

    /// The optimizer. What its spec says goes over the settings `lr`, `anneal_lr` and `max_grad_norm`: the first two
    /// apply to recipes that do not say `lr`, the last one where no link clips.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name or an impossible value.
    pub fn make_optimizer(&self) -> Result<Optimizer> {
        let fallback = Fallback {
            lr: Some(self.lr),
            anneal_lr: self.anneal_lr,
            max_grad_norm: self.max_grad_norm,
            clip_grad_by: self.clip_grad_by,
            lr_factors: self.lr_factors(),
            seed: Some(Seed(self.seed).derive("optimizer", 0) >> 14),
        };
        Ok(Optimizer::new(self.catalogue.optim().chain_with(&self.optimizer, &fallback)?))
    }

    /// Blocks whose learning rate is another than that of the rest.
    fn lr_factors(&self) -> Vec<(Pattern, f64)> {
        self.lr_factor_settings().map(|(_, blocks, factor)| (Pattern::new(blocks), factor)).collect()
    }

    /// Refuses a factor of what the network does not have, or the optimizer does not move.
    pub(crate) fn check_lr_factors(&self, layout: &Layout, algo: &dyn Algorithm) -> Result<()> {
        let moved = algo.optimized().unwrap_or_else(|| Pattern::new("*"));
        for (name, blocks, factor) in self.lr_factor_settings() {
            let pattern = Pattern::new(blocks);
            let meant = layout.blocks().iter().filter(|block| pattern.matches(block));
            let why = match meant.map(|block| moved.matches(block)).max() {
                Some(true) => continue,
                None => format!("the network has no parameters `{blocks}`"),
                Some(false) => format!("by {} the optimizer does not move the parameters `{blocks}`", self.algo.name),
            };
            return Err(Error::Config(format!("{name} = {factor} has no effect: {why}; leave it out")));
        }
        Ok(())
    }

    /// The settings, what they are of, and what they are where that is not 1.
    pub(super) fn lr_factor_settings(&self) -> impl Iterator<Item = (&'static str, &'static str, f64)> {
        [
            ("log_std_lr_factor", "*log_std", self.log_std_lr_factor),
            ("critic_lr_factor", "critic.*", self.critic_lr_factor),
            ("trunk_lr_factor", "trunk.*", self.trunk_lr_factor),
        ]
        .into_iter()
        .filter(|(.., factor)| *factor != 1.0)
    }

    /// The network, with its parameters.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name or an impossible argument, and what the model's row fails with.
    pub fn make_model(&self, site: &Site<'_>) -> Result<(Params, Box<dyn Model>)> {
        let row = self.catalogue.model(&self.model.name)?;
        let site = self.site(site)?;
        self.normalised((row.make.build)(&self.args(row, &self.model, &OF_MODELS)?, &site)?)
    }

    /// The same site, for policies of this configuration's distribution.
    fn site<'a>(&self, site: &Site<'a>) -> Result<Site<'a>> {
        Ok(Site {
            distribution: Some(self.make_distribution(site.spec)?),
            threads: site.threads.clone(),
            world: site.world.clone(),
            ..*site
        })
    }

    /// The distribution of a policy over an environment's actions.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name or an impossible argument, and for one that is not over the environment's
    /// actions.
    pub fn make_distribution(&self, spec: &Spec) -> Result<Arc<dyn Distribution>> {
        distributions::named(self.catalogue.distributions(), &self.distribution, &spec.id, &spec.action)
    }

    /// Refuses a network that a distribution was chosen for and whose outputs are another's.
    pub(crate) fn check_distribution(&self, network: &dyn Model, spec: &Spec) -> Result<()> {
        let (chosen, own) = (self.make_distribution(spec)?, network.distribution());
        let chosen = chosen.with_features(own.features()).unwrap_or(chosen);
        let (chosen, own) = (format!("{chosen:?}"), format!("{own:?}"));
        if self.distribution == Word::new(distributions::AUTO) || chosen == own {
            return Ok(());
        }
        let remedy = "make it for `Site::distribution`, or leave the setting at auto";
        let (word, own) = (&self.distribution, quoted(&own));
        Err(Error::Config(format!("distribution = {word}: the network has another, {own}: {remedy}")))
    }

    /// A network as it learns: behind normalisers, if there are any.
    ///
    /// # Errors
    /// As [`NormalisedModel::new`].
    pub(crate) fn normalised(
        &self,
        (mut params, mut model): (Params, Box<dyn Model>),
    ) -> Result<(Params, Box<dyn Model>)> {
        if self.normalize_value {
            model = Box::new(PopArtModel::new(model, &mut params)?);
        }
        if !self.normalize_observation {
            return Ok((params, model));
        }
        let model = NormalisedModel::new(model, &mut params, self.clip_observation)?;
        Ok((params, Box::new(model)))
    }

    /// What follows observations and rewards in training.
    pub(crate) fn make_normaliser(&self, spec: &Spec) -> Normaliser {
        Normaliser {
            observation: self.normalize_observation.then(|| Moments::new(spec.observation_len())),
            reward: self.normalize_reward.then(|| RewardScale::new(self.envs, self.gamma, self.clip_reward)),
            value: self.normalize_value.then(ValueScale::default),
        }
    }

    /// The network on the CPU, with these parameters and these buffers, none where it has none.
    ///
    /// # Errors
    /// As [`Config::make_model`], [`Error::Shape`] if they are not the network's.
    pub fn model_at(&self, spec: &Spec, theta: &[f32], buffers: &Buffers) -> Result<(Params, Box<dyn Model>)> {
        let (mut params, model) = self.make_model(&Site { draw: false, ..Site::new(spec, Seed(0)) })?;
        params.set(theta)?;
        params.set_buffers(buffers)?;
        Ok((params, model))
    }

    /// The layout of the network's parameters, where it is known before they are drawn.
    ///
    /// # Errors
    /// As [`Config::make_model`].
    pub(crate) fn layout(&self, spec: &Spec) -> Result<Option<Layout>> {
        let row = self.catalogue.model(&self.model.name)?;
        let args = self.args(row, &self.model, &OF_MODELS)?;
        let site = self.site(&Site::new(spec, Seed(0)))?;
        row.make.layout.map(|layout| layout(&args, &site)).transpose()
    }

    /// The shape of the network that is an `mlp`.
    #[must_use]
    pub fn mlp(&self) -> MlpConfig {
        MlpConfig {
            hidden: self.hidden.clone(),
            critic_hidden: self.model.arg("critic_hidden").and_then(Value::counts),
            activation: self.activation,
            init: self.init,
            layer_norm: self.model.arg("layer_norm").and_then(Value::word) == Some("true"),
            shared_trunk: self.shared_trunk,
        }
    }
}

/// A model, or none where it is too large to be had.
fn if_it_fits(model: Result<Option<FiniteMdp>>) -> Result<Option<FiniteMdp>> {
    match model {
        Err(Error::Mdp(MdpError::TooLarge { .. } | MdpError::ManyNumbers { .. })) => Ok(None),
        model => model,
    }
}
