//! A trained policy: acting with it, judging it, keeping it in a file.

mod acting;
mod player;
mod which;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use uphill_envs::{VecEnv, quoted};

use crate::config::Config;
use crate::distributions::Distribution;
use crate::evaluation::Evaluation;
use crate::models::{self, Model, Site};
use crate::rollout::ActionColumn;
use crate::seed::Seed;
use crate::stop::Flag;
use crate::{Block, Buffers, Catalogue, Error, Layout, MakeEnvs, Params, Result, own_folder, settings, whole_file};

pub use acting::{Memory, Mode};
use player::act;
pub(crate) use player::{Acting, Player};
pub use which::Which;

/// The file of a run's last policy.
pub(crate) const POLICY: &str = "policy.safetensors";
/// The file of the policy that was the best in training.
pub(crate) const BEST: &str = "best.safetensors";
/// The file of the policy that was the best by evaluation.
pub(crate) const BEST_BY_EVAL: &str = "best_by_eval.safetensors";
/// The file of a run's settings.
const CONFIG: &str = "config.toml";
/// The largest header of a policy's file, in bytes.
const MAX_HEADER: u64 = 1 << 24;

/// A network with its parameters and the configuration that made it.
pub struct Policy {
    config: Config,
    envs: MakeEnvs,
    /// Whether they are others than those of the configuration's name.
    #[cfg_attr(not(feature = "pictures"), expect(dead_code, reason = "what cannot be seen is not asked for"))]
    own_envs: bool,
    network: Box<dyn Model>,
    params: Params,
    acting: Mutex<Acting>,
}

impl Policy {
    /// A policy from its parts.
    #[must_use]
    pub fn new(config: Config, network: Box<dyn Model>, params: Params) -> Self {
        Self { envs: config.env_maker(), own_envs: false, config, network, params, acting: Mutex::default() }
    }

    /// The same for environments of one's own, in which it is then evaluated.
    ///
    /// # Errors
    /// What `envs` fails with when it is asked for one lane and for two; [`Error::Config`] if it makes another number or
    /// environments of another name than [`Config::env`], [`Error::Shape`] if the network is not for them.
    pub fn with_envs(self, envs: MakeEnvs) -> Result<Self> {
        for lanes in [1, 2] {
            let env = self.config.make_with(&envs, lanes)?;
            models::check_fits(&*self.network, env.spec())?;
        }
        Ok(self.in_envs(envs))
    }

    /// The same for environments that are known to be what its network is for.
    pub(crate) fn in_envs(self, envs: MakeEnvs) -> Self {
        Self { envs, own_envs: true, ..self }
    }

    /// Loads what a run left in its folder: `config.toml` and `policy.safetensors`.
    ///
    /// # Errors
    /// [`Error::File`] for a missing file and for one that does not hold what it should, [`Error::Io`] for one that cannot
    /// be read.
    pub fn load(run: impl AsRef<Path>) -> Result<Self> {
        Self::load_with(run, &Catalogue::default())
    }

    /// The same with rows of one's own.
    ///
    /// # Errors
    /// As [`Policy::load`]; [`Error::File`] naming the rows that the run needs and the catalogue does not have.
    pub fn load_with(run: impl AsRef<Path>, catalogue: &Catalogue) -> Result<Self> {
        let run = run.as_ref();
        // One that has a summary has ended, and lost its policy since.
        if run.join(CONFIG).exists() && !run.join(POLICY).exists() && !run.join("summary.json").exists() {
            return Err(Error::File { path: run.into(), problem: without_policy(run) });
        }
        let missing = "the folder of a finished run holds config.toml and policy.safetensors";
        Self::load_file(run, POLICY, missing, (catalogue, None))
    }

    /// Loads the policy of a run that was the best in training so far, [`Trainer::best`](crate::Trainer::best) at its last
    /// checkpoint, whether it has ended or not: `config.toml` and `best.safetensors`.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn load_best(run: impl AsRef<Path>) -> Result<Self> {
        Self::load_best_with(run, &Catalogue::default())
    }

    /// The same with rows of one's own.
    ///
    /// # Errors
    /// As [`Policy::load_with`].
    pub fn load_best_with(run: impl AsRef<Path>, catalogue: &Catalogue) -> Result<Self> {
        let missing = "the folder of a run holds config.toml and, once 100 episodes count, best.safetensors";
        Self::load_file(run.as_ref(), BEST, missing, (catalogue, None))
    }

    /// Loads the policy of a run that was the best by evaluation so far,
    /// [`Trainer::best_by_eval`](crate::Trainer::best_by_eval) at its last checkpoint, whether it has ended or not:
    /// `config.toml` and `best_by_eval.safetensors`.
    ///
    /// # Errors
    /// As [`Policy::load`].
    pub fn load_best_by_eval(run: impl AsRef<Path>) -> Result<Self> {
        Self::load_best_by_eval_with(run, &Catalogue::default())
    }

    /// The same with rows of one's own.
    ///
    /// # Errors
    /// As [`Policy::load_with`].
    pub fn load_best_by_eval_with(run: impl AsRef<Path>, catalogue: &Catalogue) -> Result<Self> {
        let missing = "the folder of a run with eval_every holds config.toml and, once an evaluation had a mean return, \
                       best_by_eval.safetensors";
        Self::load_file(run.as_ref(), BEST_BY_EVAL, missing, (catalogue, None))
    }

    /// As [`Policy::load_with`], in environments that were made in code, of which no catalogue has a row: those that
    /// [`Trainer::with_envs`](crate::Trainer::with_envs) was given. What needs an environment by itself, such as a picture, is not to be
    /// had of them.
    ///
    /// # Errors
    /// As [`Policy::load_with`] and [`Policy::with_envs`].
    pub fn load_in(run: impl AsRef<Path>, catalogue: &Catalogue, envs: MakeEnvs) -> Result<Self> {
        let missing = "the folder of a finished run holds config.toml and policy.safetensors";
        Self::load_file(run.as_ref(), POLICY, missing, (catalogue, Some(envs)))
    }

    fn load_file(
        run: &Path,
        name: &str,
        missing: &str,
        (catalogue, envs): (&Catalogue, Option<MakeEnvs>),
    ) -> Result<Self> {
        let text = read(run, CONFIG, settings::MAX_BYTES, missing)?;
        let problem = |problem: String| Error::File { path: run.join(CONFIG), problem };
        let text = str::from_utf8(&text).map_err(|e| problem(format!("not UTF-8 text: {e}")))?;
        let config = Config::parse_toml(text).and_then(|table| Config::of_policy(table, catalogue));
        let config = config.map_err(|e| problem(e.to_string()))?;
        if let Some(lacking) = config.lacking(envs.is_some(), false) {
            return Err(problem(lacking));
        }
        let wrong = |e: Error| e.in_file(&run.join(CONFIG));
        let spec = config.make_with(envs.as_ref().unwrap_or(&config.env_maker()), 1).map_err(wrong)?.spec().clone();
        let site = Site { draw: false, ..Site::new(&spec, Seed(0)) };
        let layout = match config.layout(&spec).map_err(wrong)? {
            Some(layout) => layout,
            None => config.make_model(&site).map_err(wrong)?.0.layout().clone(),
        };
        let most = (size_of::<f32>() * layout.len()) as u64 + MAX_HEADER;
        let bytes = read(run, name, most, missing)?;
        let (mut params, network) = config.make_model(&site)?;
        read_params(&run.join(name), &bytes, &mut params)?;
        drop(bytes);
        let policy = Self::new(config, network, params);
        match envs {
            Some(envs) => policy.with_envs(envs),
            None => Ok(policy),
        }
    }

    /// What it was trained with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Its parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// What its network's outputs are a distribution of.
    #[must_use]
    pub fn distribution(&self) -> &dyn Distribution {
        &**self.network.distribution()
    }

    /// Its network.
    pub(crate) fn network(&self) -> &dyn Model {
        &*self.network
    }

    /// One lane of the environments that it is evaluated in.
    pub(crate) fn make_env(&self) -> Result<Box<dyn VecEnv>> {
        self.config.make_with(&self.envs, 1)
    }

    /// An environment by itself, to be seen.
    ///
    /// # Errors
    /// [`EnvError::NoPicture`](uphill_envs::EnvError::NoPicture) of environments of one's own, which are made many at a time; what making it fails with.
    #[cfg(feature = "pictures")]
    pub(crate) fn make_seen_env(&self) -> Result<Box<dyn uphill_envs::Env>> {
        if self.own_envs {
            let (id, reason) = (self.config.env.shown(), "it was made in code, many at a time".into());
            return Err(uphill_envs::EnvError::NoPicture { id, reason }.into());
        }
        self.config.make_env()
    }

    /// Writes its parameters as safetensors, one tensor a block.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written; an older one is then left whole.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_params(path, (self.params.layout(), &self.params.snapshot()?), self.params.buffers())
    }

    /// What it remembers of so many lanes, each at the beginning of an episode: nothing yet.
    #[must_use]
    pub fn memory(&self, lanes: usize) -> Memory {
        Memory::new(lanes, self.network.memory())
    }

    /// The action in each of `B` observations, `[B, D]` to `[B, K]`, one a lane of `memory`, which remembers them. `K` is the
    /// numbers of an action, 1 for a choice. Numbers are clipped to the space. [`ActionColumn::view`] makes them what
    /// environments take.
    ///
    /// ```
    /// use uphill::{Config, Mode, Seed, Trainer};
    ///
    /// let policy = Trainer::new(&Config::for_algo("ppo")?)?.into_policy()?;
    /// let mut memory = policy.memory(2);
    /// let observations = [0.0, 0.1, 0.0, -0.1, 0.02, 0.0, 0.0, 0.1];
    /// let likeliest = policy.act(&observations, &mut memory, Mode::Likeliest)?;
    /// let drawn = policy.act(&observations, &mut memory, Mode::Sampled(&mut Seed(7).stream("actions", 0)))?;
    /// assert_eq!((likeliest.len(), drawn.len()), (2, 2));
    /// # Ok::<(), uphill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Shape`] for another shape or a memory of another number of lanes, [`Error::NotFinite`] if the network gives no
    /// distribution, [`Error::Interrupted`] where [`Policy::stop_when`] broke it off. The memory is then to be made anew.
    pub fn act(&self, observation: &[f32], memory: &mut Memory, mode: Mode<'_>) -> Result<ActionColumn> {
        self.act_within(observation, None, memory, mode)
    }

    /// The same where only some choices are legal: `mask` is `[B, A]` as [`Env::action_mask`](crate::envs::Env::action_mask) tells.
    ///
    /// # Errors
    /// As [`Policy::act`]; [`Error::Shape`] for a mask of another length, [`Error::NotFinite`] for one that leaves a lane none.
    pub fn act_within(
        &self,
        observation: &[f32],
        mask: Option<&[bool]>,
        memory: &mut Memory,
        mode: Mode<'_>,
    ) -> Result<ActionColumn> {
        let mut acting = self.acting.lock().unwrap_or_else(PoisonError::into_inner);
        act((&*self.network, &self.params), &mut acting, (observation, mask), memory, mode)
    }

    /// Lets `stop` break off what takes long, between two steps of an evaluation and two few hundred observations:
    /// [`Policy::evaluate`] and [`Policy::act`] then fail with [`Error::Interrupted`]. It is asked often: it should look at
    /// a flag and do no more.
    pub fn stop_when(&mut self, stop: impl Fn() -> bool + Send + Sync + 'static) {
        self.set_stop(Flag::new(stop));
    }

    /// What lets break off, if anything.
    #[cfg(feature = "pictures")]
    pub(crate) fn stop(&self) -> Option<Flag> {
        self.acting.lock().unwrap_or_else(PoisonError::into_inner).scratch.stop.clone()
    }

    pub(crate) fn set_stop(&mut self, stop: Flag) {
        self.acting.get_mut().unwrap_or_else(PoisonError::into_inner).scratch.stop = Some(stop);
    }

    /// Plays `episodes` whole episodes, always taking the likeliest action: [`Policy::evaluate_with`].
    ///
    /// # Errors
    /// As [`Policy::evaluate_with`].
    pub fn evaluate(&mut self, episodes: usize, seed: Seed) -> Result<Evaluation> {
        self.evaluate_with(episodes, seed, Mode::Likeliest)
    }

    /// Plays `episodes` whole episodes with actions chosen by `mode`, on environment seeds of their own: those of the seed's
    /// stream `evaluation`, which training never sees. Where the task has no limit, episodes of more than 10,000 steps are
    /// cut off, and counted as such.
    ///
    /// # Errors
    /// [`Error::Config`] for no episodes or more than [`Config::MAX_ENVS`], which are played side by side, [`Error::Env`] if
    /// an environment fails, [`Error::NotFinite`] if the network gives no distribution, [`Error::Interrupted`] where
    /// [`Policy::stop_when`] broke it off.
    pub fn evaluate_with(&mut self, episodes: usize, seed: Seed, mode: Mode<'_>) -> Result<Evaluation> {
        self.evaluate_telling(episodes, seed, mode, &mut |_, _| {})
    }

    /// The same, which tells after each step how many of how many steps are done: those of an episode that has ended count as
    /// many as it might have taken.
    ///
    /// # Errors
    /// As [`Policy::evaluate_with`].
    pub fn evaluate_telling(
        &mut self,
        episodes: usize,
        seed: Seed,
        mode: Mode<'_>,
        told: &mut dyn FnMut(u64, u64),
    ) -> Result<Evaluation> {
        let Self { config, envs, network, params, acting, .. } = self;
        let acting = acting.get_mut().unwrap_or_else(PoisonError::into_inner);
        let player = Player { config, envs, network: &**network, params, acting, threads: None };
        player.evaluate(episodes, seed, mode, told)
    }
}

/// Writes parameters and what goes with them as safetensors, one tensor a block.
pub(crate) fn write_params(path: &Path, params: (&Layout, &[f32]), buffers: &Buffers) -> Result<()> {
    let parts = [params, (buffers.layout(), buffers.values())];
    let bytes = parts.map(|(_, values)| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>());
    let width = size_of::<f32>();
    let problem = |e: safetensors::SafeTensorError| Error::File { path: path.into(), problem: e.to_string() };
    let mut tensors = Vec::new();
    for ((layout, _), bytes) in parts.into_iter().zip(&bytes) {
        for block in layout.blocks() {
            let range = block.range();
            let bytes = &bytes[range.start * width..range.end * width];
            tensors.push((&block.name, TensorView::new(Dtype::F32, block.shape.clone(), bytes).map_err(problem)?));
        }
    }
    let metadata = HashMap::from([("uphill".to_string(), env!("CARGO_PKG_VERSION").to_string())]);
    let bytes = safetensors::serialize(tensors, Some(metadata)).map_err(problem)?;
    whole_file::write(path, &bytes).map_err(Error::io(path))
}

/// What there is of a run that has left no policy, and what to do about it.
fn without_policy(run: &Path) -> String {
    let has_checkpoint = std::fs::read_dir(run.join("checkpoints")).is_ok_and(|mut files| files.next().is_some());
    let best = match [BEST_BY_EVAL, BEST].iter().any(|name| run.join(name).exists()) {
        true => "; `evaluate --best` judges the best one so far",
        false => "",
    };
    match has_checkpoint {
        true => format!("this run has not ended: `train --resume` goes on with it, and leaves its policy{best}"),
        false => format!(
            "this run has left neither {POLICY} nor a checkpoint: `train --resume` begins it anew from its {CONFIG}{best}"
        ),
    }
}

/// What a file of a run's folder holds, if that is no more than `most` bytes; `missing` says where there would be one.
fn read(run: &Path, name: &str, most: u64, missing: &str) -> Result<Vec<u8>> {
    let path = run.join(name);
    whole_file::read(&path, most).map_err(|e| match e.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            let missing = || format!("there is no {name} here; {missing}");
            Error::File { path: run.into(), problem: own_folder::for_a_folder(run).unwrap_or_else(missing) }
        }
        _ => Error::io(&path)(e),
    })
}

/// Gives parameters and their buffers the values that a file has for them, all of which they have to be. Nothing is read
/// before all is known to be right, and no value is held a third time.
fn read_params(path: &Path, bytes: &[u8], params: &mut Params) -> Result<()> {
    let problem = |problem: String| Error::File { path: path.into(), problem };
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| problem(format!("not a safetensors file: {e}")))?;
    let check = |block: &Block| {
        let name = &block.name;
        let tensor = tensors
            .tensor(name)
            .map_err(|_| problem(format!("there is no tensor `{name}`, which the network of config.toml has")))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != block.shape {
            let (dtype, shape, expected) = (tensor.dtype(), tensor.shape(), &block.shape);
            return Err(problem(format!("tensor `{name}` is {dtype:?} {shape:?}, expected F32 {expected:?}")));
        }
        let is_finite = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes).is_finite();
        match tensor.data().as_chunks().0.iter().all(is_finite) {
            true => Ok(()),
            false => Err(problem(format!("tensor `{name}` holds a NaN or an infinity"))),
        }
    };
    let all = || params.layout().blocks().iter().chain(params.buffers().layout().blocks());
    all().try_for_each(check)?;
    if let Some(extra) = tensors.names().into_iter().find(|name| all().all(|block| block.name != **name)) {
        let extra = quoted(extra);
        return Err(problem(format!("tensor `{extra}` belongs to no block of the network of config.toml")));
    }
    // What has been checked is there.
    let fill = |blocks: &[Block], values: &mut [f32]| {
        for block in blocks {
            let Ok(tensor) = tensors.tensor(&block.name) else { continue };
            for (value, bytes) in values[block.range()].iter_mut().zip(tensor.data().as_chunks().0) {
                *value = f32::from_le_bytes(*bytes);
            }
        }
    };
    let blocks = params.layout().blocks().to_vec();
    params.update(|theta| fill(&blocks, theta))?;
    params.buffers_mut().update(fill);
    Ok(())
}
