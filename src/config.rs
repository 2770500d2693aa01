//! Every setting of a run, by the field's own names: the same in code, on the command line and in `config.toml`.

mod continued;
mod effects;
pub(crate) use memory::Stepped;
mod memory;
mod misplaced;
mod on_device;
mod ranges;
mod resolve;
mod stop_at;
mod toml_text;
pub(crate) mod world;

use serde::{Deserialize, Serialize};
use uphill_envs::quoted;

use crate::catalogue::Catalogue;
use crate::device::DeviceChoice;
use crate::init::Initialiser;
use crate::models::Activation;
use crate::optim::{self, ClipGradBy, Row};
use crate::words::{self, Scheduled, Spec, Word, Wrapped};
use crate::{Error, OnDivergence, Precision, Result, algo, distributions, settings};

pub(crate) use misplaced::Misplaced;
pub use stop_at::StopAt;

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
        ///
        #[doc = include_str!("../docs/settings.md")]
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            $($(#[doc = $doc])+ pub $name: $type,)+
            /// The rows that its words are from; no file says them.
            #[serde(skip)]
            pub catalogue: Catalogue,
        }

        impl Config {
            /// Name and meaning of every setting, in order.
            pub const SETTINGS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($name), concat!($($doc),+)),)+];
        }
    };
}

settings! {
    /// Environment to train in: a name, which may have arguments, or for programs the file of a grid world; wrappers may follow, as in "Pendulum-v1 | action_repeat(4)".
    env: Wrapped,
    /// Network; its own arguments may stand in it, as in "mlp(hidden=[32, 32])".
    model: Word,
    /// What the network's outputs are a distribution of: auto, or such as "diag_gaussian(log_std_init=-1)".
    distribution: Word,
    /// Algorithm; its own arguments may stand in it, as in "ppo(n_epochs=10)".
    algo: Word,
    /// Optimizer: a name or a whole chain, such as "clip_by_value(1) | adam(lr=cosine(3e-4, 0))".
    optimizer: Spec,
    /// Seed of every stream of random numbers.
    seed: u64,
    /// Where tensors live: cpu, cuda, cuda:N, metal or auto.
    device: String,
    /// What forward and backward passes of learning are in: f32, bf16 or f16; parameters, optimizer, loss and acting stay f32.
    precision: Precision,
    /// Threads that share the work, 0 for one a core; their number changes no result.
    threads: usize,
    /// The most memory in GiB that a run may need by what is reckoned before it starts; inf sets no limit.
    max_memory: f64,
    /// Where the rows of a run go beside metrics.csv: none, or such as jsonl.
    sinks: Vec<Word>,
    /// Environment steps to train for, all lanes together; the last update may pass it.
    steps: u64,
    /// Environment steps from one evaluation of the policy to the next, on seeds and environments of its own; 0 never evaluates before the end.
    eval_every: u64,
    /// Whole episodes of such an evaluation, side by side.
    eval_episodes: usize,
    /// Whether it always takes the likeliest action; false draws actions as training does.
    eval_deterministic: bool,
    /// Mean return of such an evaluation at which training stops: a number, or reward_threshold for the environment's own; inf never stops.
    stop_at_return: StopAt,
    /// Evaluations in a row without a better one than before after which training stops; 0 never stops.
    stop_without_improvement: u64,
    /// Where the run was continued, as `resume --continue-for` writes it: the step, and the steps that it was to take until then.
    continued: Vec<u64>,
    /// Environments stepped side by side.
    envs: usize,
    /// Whether they are stepped on the device as tensors, each step of all of them at once: for thousands of them.
    envs_on_device: bool,
    /// Steps per lane between updates.
    n_steps: usize,
    /// Whole episodes per update, all lanes together; a multiple of envs.
    episodes: usize,
    /// Passes over each rollout.
    n_epochs: usize,
    /// Minibatches per pass.
    n_minibatches: usize,
    /// Discount factor, 0 to 1.
    gamma: f64,
    /// Lambda of generalised advantage estimation, 0 to 1.
    gae_lambda: f64,
    /// Whether to subtract the critic's value from returns.
    baseline: bool,
    /// Whether to give advantages mean 0 and deviation 1 over each minibatch.
    normalize_advantage: bool,
    /// How far a probability ratio may move from 1 before its gradient stops; it may be a schedule, such as linear(0.2, 0).
    clip_range: Scheduled,
    /// How far a value may move from the old one before its gradient stops; inf does not clip.
    clip_range_vf: f64,
    /// Weight of the entropy bonus; it may be a schedule, such as linear(0.01, 0).
    ent_coef: Scheduled,
    /// Weight of the value loss, which is half the mean squared error: the 0.5 of Stable-Baselines3 is 1.0 here.
    vf_coef: f64,
    /// Approximate KL divergence at which the passes over a rollout stop early; inf never stops.
    target_kl: f64,
    /// Learning rate of an optimizer that does not say its own lr.
    lr: f64,
    /// Learning rate of the critic, as a multiple of that of the rest.
    critic_lr_factor: f64,
    /// Learning rate of what actor and critic share, as such a multiple.
    trunk_lr_factor: f64,
    /// Learning rate of the logarithms of deviations, as such a multiple.
    log_std_lr_factor: f64,
    /// Whether that learning rate falls in a straight line to 0 over training.
    anneal_lr: bool,
    /// Largest norm of the gradient, unless the optimizer has a link that clips; inf does not clip.
    max_grad_norm: f64,
    /// What that norm is of: whole (all parameters together) or part (actor and critic each by itself).
    clip_grad_by: ClipGradBy,
    /// What to do when training leaves the real numbers: stop, rollback (go back some updates) or skip (the update).
    on_divergence: OnDivergence,
    /// Whether observations get mean 0 and deviation 1, by all that training has seen of them.
    normalize_observation: bool,
    /// How many deviations a normalised observation may be from 0; inf does not clip.
    clip_observation: f64,
    /// Whether rewards are learnt from in deviations of the discounted return; what is reported is as it is.
    normalize_reward: bool,
    /// How large such a reward may be; inf does not clip.
    clip_reward: f64,
    /// Whether the critic learns values in deviations from the mean of what they have been of late: PopArt.
    normalize_value: bool,
    /// Whether a policy takes only actions that the environment says are legal, where it says so.
    mask_actions: bool,
    /// How many of the last observations, boxes or images, are shown together; 1 shows the last alone.
    frame_stack: usize,
    /// Units of each hidden layer; [], on the command line also the word none, is a network without any, which is linear.
    hidden: Vec<usize>,
    /// Activation between layers: tanh, relu, silu, gelu, leaky_relu or identity.
    activation: Activation,
    /// How weights are drawn: orthogonal, xavier, kaiming or sparse.
    init: Initialiser,
    /// Whether actor and critic share their hidden layers.
    shared_trunk: bool,
}

/// Settings that are arguments of algorithms: a row that has one takes it from there.
const OF_ALGOS: [&str; 13] = [
    "n_steps",
    "episodes",
    "n_epochs",
    "n_minibatches",
    "gamma",
    "gae_lambda",
    "baseline",
    "normalize_advantage",
    "clip_range",
    "clip_range_vf",
    "ent_coef",
    "vf_coef",
    "target_kl",
];
/// Settings that are arguments of models.
const OF_MODELS: [&str; 4] = ["hidden", "activation", "init", "shared_trunk"];

impl Config {
    /// The defaults of an algorithm, which may say arguments, with an optimizer: a name or a whole [`Spec`]. One that is not
    /// of the algorithm's own kind (`adamw` is of `adam`'s) brings its own learning rate.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name, with the nearest known one, for an impossible argument, and for an impossible
    /// optimizer.
    pub fn new(algo: &str, optimizer: &str) -> Result<Self> {
        Self::new_with(algo, optimizer, &Catalogue::default())
    }

    /// The same with rows of one's own.
    ///
    /// # Errors
    /// As [`Config::new`].
    pub fn new_with(algo: &str, optimizer: &str, catalogue: &Catalogue) -> Result<Self> {
        let config = Self::for_algo_with(algo, catalogue)?.with_optimizer(optimizer.parse()?);
        config.make_optimizer()?;
        Ok(config)
    }

    /// The same with another optimizer, and its own learning rate where it is not of the same kind.
    fn with_optimizer(self, optimizer: Spec) -> Self {
        let registry = self.catalogue.optim();
        let own_lr = match registry.same_kind(&optimizer, &self.optimizer) {
            true => None,
            false => registry.recipe_of(&optimizer).and_then(Row::default_lr),
        };
        Self { lr: own_lr.unwrap_or(self.lr), optimizer, ..self }
    }

    /// The defaults of an algorithm with its own optimizer.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown name, with the nearest known one, and for an impossible argument.
    pub fn for_algo(algo: &str) -> Result<Self> {
        Self::for_algo_with(algo, &Catalogue::default())
    }

    /// The same with rows of one's own.
    ///
    /// # Errors
    /// As [`Config::for_algo`].
    pub fn for_algo_with(algo: &str, catalogue: &Catalogue) -> Result<Self> {
        catalogue.check()?;
        let base = Self { catalogue: catalogue.clone(), algo: Word::parse("algo", algo)?, ..Self::base() };
        let model = base.model_of_algo()?.unwrap_or_else(|| base.model.clone());
        Self { model, ..base }.with_defaults(true)?.check_arguments()
    }

    /// The network that the algorithm's row has as its default, if it has one.
    fn model_of_algo(&self) -> Result<Option<Word>> {
        let settings = self.catalogue.algo(&self.algo.name).map_or(&[][..], |row| row.make.settings);
        settings.iter().find(|(name, _)| *name == "model").map(|(_, text)| Word::parse("model", text)).transpose()
    }

    /// Takes from the algorithm's default network the arguments that change nothing beside what is said of it.
    fn drop_idle_of_model(&mut self) {
        let idle = |name: &str| self.without_effect(name).is_some();
        let kept = self.model.args.iter().filter(|(name, _)| !name.as_deref().is_some_and(idle)).cloned().collect();
        self.model.args = kept;
    }

    /// Fails for an argument that is impossible.
    fn check_arguments(self) -> Result<Self> {
        self.args(self.catalogue.algo(&self.algo.name)?, &self.algo, &OF_ALGOS)?;
        Ok(self)
    }

    /// Sets what the rows of its algorithm and model have as defaults, over what they are set to, and moves their arguments
    /// that are settings to these. Rows that are not known are passed over unless they `must` be.
    fn with_defaults(self, must: bool) -> Result<Self> {
        let catalogue = self.catalogue.clone();
        let words = [
            ("env", &self.env.word),
            ("model", &self.model),
            ("distribution", &self.distribution),
            ("algo", &self.algo),
        ];
        if let Some(misplaced) = Misplaced::of(&words, &catalogue) {
            return Err(misplaced.error(|name| format!("it is a setting of the run, {name} = …")));
        }
        let (algo, model) = (catalogue.algo(&self.algo.name), catalogue.model(&self.model.name));
        let mut table = self.all()?;
        if let Ok(row) = &algo {
            self.set_defaults_of(row, &mut table)?;
            let word = settle(row, &self.algo, &OF_ALGOS, &mut table)?;
            table.insert("algo".into(), word_in_toml(&word)?);
        }
        if let Ok(row) = &model {
            let word = settle(row, &self.model, &OF_MODELS, &mut table)?;
            table.insert("model".into(), word_in_toml(&word)?);
        }
        if let Some(row) = catalogue.distributions().iter().find(|row| row.name == self.distribution.name) {
            let word = settle(row, &self.distribution, &[], &mut table)?;
            table.insert("distribution".into(), word_in_toml(&word)?);
        }
        if must {
            algo?;
            model?;
        }
        Ok(Self { env: self.settled_env()?, ..Self::typed(table, catalogue)? })
    }

    /// The environment's words with their arguments by name, in the order of their rows, where these are known.
    fn settled_env(&self) -> Result<Wrapped> {
        let Wrapped { word, wrappers } = &self.env;
        let word = in_order(self.catalogue.env(&word.name), word, &[])?;
        let wrappers = wrappers.iter().map(|word| in_order(self.catalogue.wrapper(&word.name), word, &[]));
        Ok(Wrapped { word, wrappers: wrappers.collect::<Result<_>>()? })
    }

    /// Sets what an algorithm's row has as the defaults of a run's settings; an optimizer brings its own learning rate unless
    /// that is among them.
    fn set_defaults_of(&self, row: &algo::Row, table: &mut toml::Table) -> Result<()> {
        let names = || row.make.settings.iter().map(|(name, _)| *name);
        let wrong = |problem: String| Error::Config(format!("the row of {}: settings: {problem}", row.name));
        for &(name, text) in row.make.settings.iter().filter(|(name, _)| *name != "model") {
            let is_word = ["env", "distribution", "algo", "sinks"].contains(&name);
            if !Self::is_setting(name) || is_word || OF_ALGOS.contains(&name) || OF_MODELS.contains(&name) {
                return Err(wrong(format!("`{}` is no setting that it could change", quoted(name))));
            }
            let like = table.get(name).cloned();
            let value = words::value(text).map_err(|e| wrong(e.to_string()))?.to_toml(like.as_ref());
            let one = toml::Table::from_iter([(name.to_string(), value)]);
            *table = settings::over::<Self>(std::mem::take(table), one).map_err(|e| wrong(e.to_string()))?;
        }
        if names().any(|name| name == "optimizer") && names().all(|name| name != "lr") {
            let spec = Spec::try_from(&table["optimizer"])?;
            let lr = self.catalogue.optim().recipe_of(&spec).and_then(optim::Row::default_lr);
            lr.map(|lr| table.insert("lr".into(), lr.into()));
        }
        Ok(())
    }

    /// A table whose every key is known as a configuration.
    fn typed(table: toml::Table, catalogue: Catalogue) -> Result<Self> {
        let config: Self = table.try_into().map_err(|e: toml::de::Error| Error::Config(e.to_string()))?;
        Ok(Self { catalogue, ..config })
    }

    /// What every algorithm starts from before it sets its own.
    fn base() -> Self {
        Self {
            env: "CartPole-v1".into(),
            model: "mlp".into(),
            distribution: distributions::AUTO.into(),
            algo: "ppo".into(),
            optimizer: Spec::link("adam", &[("eps", 1e-5)]),
            seed: 1,
            device: DeviceChoice::Cpu.to_string(),
            precision: Precision::F32,
            threads: 0,
            max_memory: 4.0,
            sinks: Vec::new(),
            steps: 500_000,
            eval_every: 0,
            eval_episodes: 20,
            eval_deterministic: true,
            stop_at_return: StopAt::NEVER,
            stop_without_improvement: 0,
            continued: Vec::new(),
            envs: 4,
            envs_on_device: false,
            n_steps: 128,
            episodes: 8,
            n_epochs: 1,
            n_minibatches: 1,
            gamma: 0.99,
            gae_lambda: 0.95,
            baseline: true,
            normalize_advantage: false,
            clip_range: 0.2.into(),
            clip_range_vf: f64::INFINITY,
            ent_coef: 0.0.into(),
            vf_coef: 0.5,
            target_kl: f64::INFINITY,
            lr: 2.5e-4,
            critic_lr_factor: 1.0,
            trunk_lr_factor: 1.0,
            log_std_lr_factor: 1.0,
            anneal_lr: true,
            max_grad_norm: 0.5,
            clip_grad_by: ClipGradBy::Part,
            on_divergence: OnDivergence::Stop,
            normalize_observation: false,
            clip_observation: 10.0,
            normalize_reward: false,
            clip_reward: 10.0,
            normalize_value: false,
            mask_actions: true,
            frame_stack: 1,
            hidden: vec![64, 64],
            activation: Activation::Tanh,
            init: Initialiser::Orthogonal,
            shared_trunk: false,
            catalogue: Catalogue::default(),
        }
    }

    /// What is said of words that the catalogue does not know, that of the environment among them unless there are `own_envs`, and those
    /// of learning or not.
    pub(crate) fn lacking(&self, own_envs: bool, learning: bool) -> Option<String> {
        let (algo, none) = (Some(&self.algo).filter(|_| learning), Spec(Vec::new()));
        let known = Self::base().env;
        let env = if own_envs { &known } else { &self.env };
        let optimizer = if learning { &self.optimizer } else { &none };
        let sinks = if learning { &self.sinks[..] } else { &[] };
        let lacking =
            self.catalogue.lacks(env, [Some(&self.model), algo], &self.distribution, optimizer, sinks).join(", ");
        let remedy = "use the program that it was made with, or in code a `Catalogue` with such rows: `Policy::load_with` and \
                      `RunFolder::resume_with` take one, `Policy::load_in` environments, and `RunFolder::resume` what makes the trainer";
        (!lacking.is_empty()).then(|| format!("the run needs what is not known here: {lacking}; {remedy}"))
    }

    /// What a policy of it needs that only a program with rows of its own has.
    #[cfg(feature = "pictures")]
    pub(crate) fn own_rows(&self) -> Vec<String> {
        Catalogue::default().lacks(&self.env, [Some(&self.model), None], &self.distribution, &Spec(Vec::new()), &[])
    }

    /// Whether it may be the name of a row's argument: a run's own settings are other things than arguments of the same name.
    pub(crate) fn is_argument(name: &str) -> bool {
        !Self::is_setting(name) || OF_ALGOS.contains(&name) || OF_MODELS.contains(&name)
    }

    /// Whether it is the name of a setting.
    pub(crate) fn is_setting(name: &str) -> bool {
        Self::SETTINGS.iter().any(|(known, _)| *known == name)
    }
}

/// A word whose arguments are in its row's order, as they are where the word says them itself.
fn in_order<M>(row: Result<&words::Row<M>>, word: &Word, fields: &[&str]) -> Result<Word> {
    row.map_or_else(|_| Ok(word.clone()), |row| settle(row, word, fields, &mut toml::Table::new()))
}

fn word_in_toml(word: &Word) -> Result<toml::Value> {
    toml::Value::try_from(word).map_err(|e| Error::Config(e.to_string()))
}

/// Puts the arguments of a row that are `fields` into a table of settings: what the word says, else the row's default. The
/// word with the rest.
fn settle<M>(row: &words::Row<M>, word: &Word, fields: &[&str], table: &mut toml::Table) -> Result<Word> {
    let given = words::bind(row, word)?;
    let mut rest = Word::new(&word.name);
    for param in row.params {
        let said = given.iter().find(|(known, _)| known.name == param.name).map(|(_, value)| (*value).clone());
        said.iter().try_for_each(|value| param.check(&format!("{}: ", row.name), value))?;
        match (fields.contains(&param.name), said) {
            (true, said) if said.is_some() || !param.default.is_empty() => {
                let value = said.map_or_else(|| words::value(param.default), Ok)?;
                let value = value.to_toml(table.get(param.name));
                table.insert(param.name.into(), value);
            }
            (false, Some(value)) => rest = rest.with(param.name, param.kind.canonical(value)),
            _ => {}
        }
    }
    Ok(rest)
}
