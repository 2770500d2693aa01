//! Every setting of a run, by the field's own names: the same in code, on the command line and in `config.toml`.

use serde::{Deserialize, Serialize};
use uphill_envs::{GridWorld, GridWorldConfig, Lanes, TimeLimit, VecEnv};

use crate::algo::{self, OnPolicy};
use crate::device::DeviceChoice;
use crate::nn::init::Initialiser;
use crate::nn::{Activation, MlpConfig};
use crate::optim::{Fallback, Optimizer, Registry, Row, Spec};
use crate::{Error, MakeEnvs, OnDivergence, Result, Seed, Threads, settings};

/// Writes the struct and, from the same doc comments, the table that `--help` is made of.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty,)+) => {
        /// A complete description of a run. The same configuration gives the same bits on the same machine's CPU.
        ///
        /// Made by [`Config::new`] with an algorithm's defaults; fields are public, so struct update works:
        ///
        /// ```
        /// use uphill::Config;
        /// let config = Config { steps: 20_000, lr: 1e-3, ..Config::new("ppo", "adam")? };
        /// config.validate()?;
        /// # Ok::<(), uphill::Error>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $name: $type,)+
            /// A grid world of one's own; then `env` is only its name.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub gridworld: Option<GridWorldConfig>,
        }

        impl Config {
            /// Name and meaning of every setting, in order.
            pub const SETTINGS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), concat!($($doc),+)),)+];
        }
    };
}

settings! {
    /// Environment to train in: a registered name.
    env: String,
    /// Algorithm.
    algo: String,
    /// Optimizer: a name or a whole chain, such as "clip_by_value(1) | adam(lr=cosine(3e-4, 0))".
    optimizer: Spec,
    /// Seed of every stream of random numbers.
    seed: u64,
    /// Where tensors live: cpu, cuda, cuda:N, metal or auto.
    device: String,
    /// Threads that share the work, 0 for one a core; their number changes no result.
    threads: usize,
    /// Environment steps to train for, all lanes together; the last update may pass it.
    steps: u64,
    /// Environments stepped side by side.
    envs: usize,
    /// Steps per lane between updates (a2c, ppo).
    n_steps: usize,
    /// Whole episodes per update, all lanes together; a multiple of envs (reinforce).
    episodes: usize,
    /// Passes over each rollout (ppo).
    n_epochs: usize,
    /// Minibatches per pass (ppo).
    n_minibatches: usize,
    /// Discount factor, 0 to 1.
    gamma: f64,
    /// Lambda of generalised advantage estimation, 0 to 1 (ppo; a2c below 1).
    gae_lambda: f64,
    /// Whether to subtract the critic's value from returns (reinforce).
    baseline: bool,
    /// Whether to give advantages mean 0 and deviation 1 over each minibatch.
    normalize_advantage: bool,
    /// How far a probability ratio may move from 1 before its gradient stops (ppo).
    clip_range: f64,
    /// How far a value may move from the old one before its gradient stops; inf does not clip (ppo).
    clip_range_vf: f64,
    /// Weight of the entropy bonus.
    ent_coef: f64,
    /// Weight of the value loss.
    vf_coef: f64,
    /// Approximate KL divergence at which the passes over a rollout stop early; inf never stops (ppo).
    target_kl: f64,
    /// Learning rate of an optimizer that does not say its own lr.
    lr: f64,
    /// Whether that learning rate falls in a straight line to 0 over training.
    anneal_lr: bool,
    /// Largest norm of the gradient over all parameters, unless the optimizer has a link that clips; inf does not clip.
    max_grad_norm: f64,
    /// What to do when training leaves the real numbers: stop, rollback (go back some updates) or skip (the update).
    on_divergence: OnDivergence,
    /// Units of each hidden layer.
    hidden: Vec<usize>,
    /// Activation between layers: tanh, relu or silu.
    activation: Activation,
    /// How weights are drawn: orthogonal, xavier or kaiming.
    init: Initialiser,
    /// Whether actor and critic share their hidden layers.
    shared_trunk: bool,
}

/// Lanes that make a group worth a thread of its own: with fewer, a step's matrix products are too small.
const GROUP: usize = 32;
/// The most groups: more would be played by the same few threads.
const MAX_GROUPS: usize = 16;

impl Config {
    // Limits far beyond any use, so that a slip of the hand is an error and not a machine out of memory.

    /// The most environments side by side.
    pub const MAX_ENVS: u64 = 1 << 16;
    /// The most steps, all lanes together, and the most episodes of one rollout.
    pub const MAX_ROLLOUT: u64 = 1 << 24;
    /// The most hidden layers.
    pub const MAX_LAYERS: usize = 256;
    /// The most weights between hidden layers, all together.
    pub const MAX_WEIGHTS: usize = 1 << 26;

    /// The defaults of an algorithm with an optimizer: a name or a whole [`Spec`]. One that is not of the algorithm's
    /// own kind (`adamw` is of `adam`'s) brings its own learning rate.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name, with the nearest known one, and for an impossible optimizer.
    pub fn new(algo: &str, optimizer: &str) -> Result<Self> {
        let registry = Registry::default();
        let config = Self::for_algo(algo)?.with_optimizer(optimizer.parse()?, &registry);
        config.make_optimizer_with(&registry)?;
        Ok(config)
    }

    /// The same with another optimizer, and its own learning rate where it is not of the same kind.
    fn with_optimizer(self, optimizer: Spec, registry: &Registry) -> Self {
        let kind = |spec: &Spec| registry.recipe_of(spec).map(|row| row.name.trim_end_matches('w'));
        let own_lr = match kind(&optimizer) == kind(&self.optimizer) {
            true => None,
            false => registry.recipe_of(&optimizer).and_then(Row::default_lr),
        };
        Self { lr: own_lr.unwrap_or(self.lr), optimizer, ..self }
    }

    /// The defaults of an algorithm with its own optimizer.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name, with the nearest known one.
    pub fn for_algo(algo: &str) -> Result<Self> {
        Ok((algo::recipe(algo)?.defaults)())
    }

    /// What every algorithm starts from before it sets its own.
    pub(crate) fn base(algo: &str) -> Self {
        Self {
            env: "CartPole-v1".into(),
            algo: algo.into(),
            optimizer: Spec::link("adam", &[("eps", 1e-5)]),
            seed: 1,
            device: DeviceChoice::Cpu.to_string(),
            threads: 0,
            steps: 500_000,
            envs: 4,
            n_steps: 128,
            episodes: 8,
            n_epochs: 1,
            n_minibatches: 1,
            gamma: 0.99,
            gae_lambda: 0.95,
            baseline: true,
            normalize_advantage: false,
            clip_range: 0.2,
            clip_range_vf: f64::INFINITY,
            ent_coef: 0.0,
            vf_coef: 0.5,
            target_kl: f64::INFINITY,
            lr: 2.5e-4,
            anneal_lr: true,
            max_grad_norm: 0.5,
            on_divergence: OnDivergence::Stop,
            hidden: vec![64, 64],
            activation: Activation::Tanh,
            init: Initialiser::Orthogonal,
            shared_trunk: false,
            gridworld: None,
        }
    }

    /// Reads settings from TOML and puts them over the defaults of the algorithm and optimizer that they name.
    ///
    /// ```
    /// let config = uphill::Config::from_toml("algo = 'a2c'\nenvs = 16")?;
    /// assert_eq!((config.envs, config.n_steps), (16, 5));
    /// assert!(uphill::Config::from_toml("gama = 0.9").unwrap_err().to_string().contains("`gamma`"));
    /// # Ok::<(), uphill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for text that is not TOML, an unknown setting, or a value of the wrong type or out of range.
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::from_table(Self::parse_toml(text)?)
    }

    /// A TOML text as a table that nothing has looked at yet: for settings that others are to be laid over before
    /// [`Config::from_table`] takes them.
    ///
    /// # Errors
    /// [`Error::Config`] with line, column and that line for text that is not TOML.
    pub fn parse_toml(text: &str) -> Result<toml::Table> {
        settings::parse(text)
    }

    /// As [`Config::from_toml`], from a table that is already parsed.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown setting, or a value of the wrong type or out of range.
    pub fn from_table(table: toml::Table) -> Result<Self> {
        Self::from_table_with(table, &Registry::default())
    }

    /// As [`Config::from_table`], for an optimizer that may have words of the user's own.
    ///
    /// # Errors
    /// As [`Config::from_table`].
    pub fn from_table_with(table: toml::Table, registry: &Registry) -> Result<Self> {
        let config = Self::read(table, registry)?;
        config.validate_with(registry)?;
        Ok(config)
    }

    /// As [`Config::from_table`], but whatever the optimizer is called: a policy can be used without it.
    pub(crate) fn of_policy(table: toml::Table) -> Result<Self> {
        let config = Self::read(table, &Registry::default())?;
        config.validate_settings()?;
        Ok(config)
    }

    fn read(mut table: toml::Table, registry: &Registry) -> Result<Self> {
        let algo = match table.get("algo") {
            None => "ppo",
            Some(toml::Value::String(name)) => name,
            Some(other) => {
                return Err(Error::Config(format!("algo = {other} is impossible: it must be a name in quotes")));
            }
        };
        let mut defaults = Self::for_algo(algo)?;
        if let Some(optimizer) = table.remove("optimizer") {
            defaults = defaults.with_optimizer(Spec::try_from(&optimizer)?, registry);
        }
        let known = defaults.to_table()?;
        for (name, value) in &table {
            match (name.as_str(), value) {
                ("gridworld", toml::Value::Table(world)) => check_world(world)?,
                ("gridworld", other) => {
                    return Err(Error::Config(format!("gridworld = {other} is impossible: it must be a table")));
                }
                (name, value) if !known.contains_key(name) => {
                    return Err(defaults.unknown_setting(name, value, registry));
                }
                _ => {}
            }
        }
        settings::over::<Self>(known, table)?.try_into().map_err(|e: toml::de::Error| Error::Config(e.to_string()))
    }

    /// What is said of a setting that there is not, next to the others.
    fn unknown_setting(&self, name: &str, value: &toml::Value, registry: &Registry) -> Error {
        let known: Vec<(&str, &str)> = Self::SETTINGS.iter().copied().chain([("gridworld", "")]).collect();
        let remedy = if let Some(row) = registry.recipe_of(&self.optimizer).filter(|row| row.param(name).is_some()) {
            format!(": it goes into the optimizer, {}({name}={value})", row.name)
        } else if let Some(meant) = settings::meant(name, &known) {
            format!("; did you mean `{meant}`?")
        } else if value.is_table() {
            format!("; there are no sections but [gridworld]: what is in [{name}] goes to the top of the file")
        } else if world_defaults().is_ok_and(|world| world.contains_key(name)) {
            ": it belongs to a grid world, under [gridworld] or in a file of its own for `env`".into()
        } else {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            format!("; there are {}", names.join(", "))
        };
        Error::Config(format!("there is no setting `{name}`{remedy}"))
    }

    /// All settings as a TOML table.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that TOML cannot hold (a seed of 2⁶³ or more).
    pub fn to_table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(|e| Error::Config(format!("{e}: numbers must be below 2^63")))
    }

    /// All settings as TOML: [`Config::from_toml`] of it gives this configuration back.
    ///
    /// # Errors
    /// As [`Config::to_table`].
    pub fn to_toml(&self) -> Result<String> {
        // The writer would write any u64, the reader takes none from 2^63 on: the table refuses those.
        self.to_table()?;
        toml::to_string(self).map_err(|e| Error::Config(format!("{e}: numbers must be below 2^63")))
    }

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
        self.make_optimizer_with(registry).map(|_| ())
    }

    /// Checks everything but the optimizer.
    fn validate_settings(&self) -> Result<()> {
        let check = |ok: bool, name: &str, value: String, range: &str| {
            if ok { Ok(()) } else { Err(Error::Config(format!("{name} = {value} is impossible: {range}"))) }
        };
        algo::recipe(&self.algo)?;
        self.device.parse::<DeviceChoice>()?;
        let range = format!("there may be {} at most", Threads::MAX);
        check(self.threads <= Threads::MAX, "threads", self.threads.to_string(), &range)?;
        check(i64::try_from(self.seed).is_ok(), "seed", self.seed.to_string(), "it must be below 2^63")?;
        for (name, count, most) in [
            ("steps", self.steps, i64::MAX as u64),
            ("envs", self.envs as u64, Self::MAX_ENVS),
            ("n_steps", self.n_steps as u64, Self::MAX_ROLLOUT),
            ("episodes", self.episodes as u64, Self::MAX_ROLLOUT),
            ("n_epochs", self.n_epochs as u64, i64::MAX as u64),
            ("n_minibatches", self.n_minibatches as u64, Self::MAX_ROLLOUT),
        ] {
            check(count > 0, name, count.to_string(), "it must be at least 1")?;
            check(count <= most, name, count.to_string(), &format!("it must be at most {most}"))?;
        }
        for (name, share) in [("gamma", self.gamma), ("gae_lambda", self.gae_lambda)] {
            check((0.0..=1.0).contains(&share), name, share.to_string(), "it must lie in [0, 1]")?;
        }
        for (name, amount) in [("lr", self.lr), ("vf_coef", self.vf_coef)] {
            let ok = amount >= 0.0 && amount.is_finite();
            check(ok, name, amount.to_string(), "it must be finite and not negative")?;
        }
        check(self.ent_coef.is_finite(), "ent_coef", self.ent_coef.to_string(), "it must be finite")?;
        for (name, limit) in [
            ("clip_range", self.clip_range),
            ("clip_range_vf", self.clip_range_vf),
            ("target_kl", self.target_kl),
            ("max_grad_norm", self.max_grad_norm),
        ] {
            check(limit > 0.0, name, limit.to_string(), "it must be above 0 (inf turns it off)")?;
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
            let range = format!("there are only envs * n_steps = {batch} steps to split");
            check(self.n_minibatches <= batch, "n_minibatches", self.n_minibatches.to_string(), &range)?;
        }
        Ok(())
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

    /// The environments to train in: `envs` of them, many of them in groups that threads play apart. How many groups
    /// there are depends on `envs` alone.
    ///
    /// # Errors
    /// What `make` fails with.
    pub(crate) fn make_groups(&self, make: &MakeEnvs) -> Result<Vec<Box<dyn VecEnv>>> {
        let groups = (self.envs / GROUP).clamp(1, MAX_GROUPS);
        let first = |group: usize| group * self.envs / groups;
        (0..groups).map(|group| make(first(group + 1) - first(group))).collect()
    }

    /// The algorithm.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name.
    pub fn make_algo(&self) -> Result<OnPolicy> {
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

fn world_defaults() -> Result<toml::Table> {
    toml::Table::try_from(GridWorldConfig::default()).map_err(|e| Error::Config(e.to_string()))
}

/// Checks the keys of a grid world and the types of their values; what they may be the world itself checks.
fn check_world(world: &toml::Table) -> Result<()> {
    let known = world_defaults()?;
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    if let Some(name) = world.keys().find(|name| !known.contains_key(*name)) {
        return Err(Error::unknown("option of a grid world", name, names.iter().copied()));
    }
    if !world.contains_key("map") {
        return Err(Error::Config("the grid world has no map, its one key without a default: map = \"S..G\"".into()));
    }
    settings::over::<GridWorldConfig>(known, world.clone()).map(|_| ())
}
