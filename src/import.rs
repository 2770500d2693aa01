//! Policies of other programs: Stable-Baselines3's, and CleanRL's.
//!
//! Their files are torch's, and those are pickles within a zip. No pickle is ever executed: what one says is read as data, as far as a
//! table of tensors needs it, and all else is refused.

mod archive;
mod array;
mod npy;
mod part;
mod pickle;
mod recognised;
mod said;
mod unknown;

use std::path::Path;

use uphill_envs::quoted;

use crate::models::{Activation, Site};
use crate::moments::EPS;
use crate::seed::Seed;
use crate::{Buffers, Catalogue, Config, Error, Layout, Policy, Result, whole_file};

use archive::Found;
use array::{Array, Arrays};
use recognised::Recognised;
#[cfg(feature = "cli")]
pub(crate) use said::word;
use unknown::unwrapped;

/// The most bytes of a file that is read.
const MOST: u64 = 1 << 30;

/// What a file does not say.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The environment that the policy is for, as in [`Config::env`].
    pub env: String,
    /// What stands between layers, where the file does not say it and it is not what the program has by default.
    pub activation: Option<Activation>,
    /// Whether it was told which actions are legal, where the file does not say it.
    pub masks: bool,
}

/// What a file was found to hold.
#[non_exhaustive]
pub struct Imported {
    /// The policy, in the environments of its name.
    pub policy: Policy,
    /// Whose it is.
    pub of: &'static str,
    /// Its network, as [`Config::model`] is written.
    pub network: String,
    /// What was taken to stand between its layers, where neither the file nor anybody said it.
    pub assumed: Option<Activation>,
    /// Whether it was taken not to know which actions are legal, though the environment says it.
    pub any_action: bool,
    /// Whether observations are normalised and were taken to be clipped at 10 deviations, as nothing says where.
    pub clip_unsaid: bool,
}

/// Reads a policy: a zip that Stable-Baselines3 or sb3-contrib saved of an actor with a critic, a state dict that torch saved, such as CleanRL's, or the same
/// tensors under the same names as safetensors or npz. `normaliser` is an npz of `mean` and `var` of observations, of `clip` where
/// they are clipped elsewhere than at 10 deviations, and of `epsilon` where another number than 1e-8 is added to the variance.
///
/// # Errors
/// [`Error::File`] for what cannot be read, for a policy that no network here is, and for one that does not fit the environment;
/// what the environment fails with.
pub fn read(path: &Path, normaliser: Option<&Path>, asked: &Asked, catalogue: &Catalogue) -> Result<Imported> {
    let Found { arrays, said } = open(path)?;
    let problem = |problem: String| Error::File { path: path.into(), problem };
    let arrays = unwrapped(arrays).map_err(problem)?;
    let recognised = Recognised::of(&arrays, said.as_ref(), asked.activation).map_err(problem)?;
    let normaliser = normaliser.map(Statistics::read).transpose()?;
    let told = asked.masks || said.as_ref().is_some_and(|said| said.masks);
    let table = table(&recognised, normaliser.as_ref(), said.and_then(|said| said.steps), asked);
    let mut config = Config::from_table_with(table.clone(), catalogue)?;
    let forbids = config.forbids_actions()?;
    if asked.masks && !forbids {
        let shown = config.env.shown();
        let env = quoted(&shown);
        return Err(Error::Config(format!("masks = true has no effect: {env} forbids no action; leave it out")));
    }
    // Where all actions are legal there is nothing to say.
    let any_action = !told && forbids;
    if any_action {
        let table = table.into_iter().chain([("mask_actions".into(), false.into())]).collect();
        config = Config::from_table_with(table, catalogue)?;
    }
    let spec = config.make_envs(1)?.spec().clone();
    let site = Site { draw: false, ..Site::new(&spec, Seed(0)) };
    let (mut params, network) = config.make_model(&site).map_err(|e| problem(e.to_string()))?;
    let values = recognised.values(&arrays, params.layout()).map_err(|e| problem(format!("{}: {e}", spec.id)))?;
    params.update(|theta| theta.copy_from_slice(&values))?;
    let clip_unsaid = normaliser.as_ref().is_some_and(|statistics| statistics.clip.is_none());
    if let Some(statistics) = normaliser {
        let mut buffers = params.buffers().clone();
        statistics.fill(&mut buffers)?;
        params.set_buffers(&buffers)?;
    }
    let policy = Policy::new(config, network, params);
    Ok(Imported {
        policy,
        of: recognised.of,
        network: recognised.model,
        assumed: recognised.assumed,
        any_action,
        clip_unsaid,
    })
}

fn open(path: &Path) -> Result<Found> {
    let bytes = whole_file::read(path, MOST).map_err(Error::io(path))?;
    archive::read(bytes).map_err(|problem| Error::File { path: path.into(), problem })
}

/// The settings that such a policy is evaluated with, but for masks.
fn table(recognised: &Recognised, normaliser: Option<&Statistics>, steps: Option<i64>, asked: &Asked) -> toml::Table {
    let mut table = toml::Table::new();
    let mut set = |name: &str, value: toml::Value| drop(table.insert(name.into(), value));
    set("algo", recognised.algo.into());
    set("env", asked.env.clone().into());
    set("model", recognised.model.clone().into());
    if let Some(distribution) = recognised.distribution {
        set("distribution", distribution.into());
    }
    if let Some(Statistics { clip, .. }) = normaliser {
        set("normalize_observation", true.into());
        set("clip_observation", clip.map_or(USUAL_CLIP, f64::from).into());
    }
    if let Some(steps) = steps {
        set("steps", steps.into());
    }
    table
}

/// Where `VecNormalize` and CleanRL clip observations, unless they are told otherwise.
const USUAL_CLIP: f64 = 10.0;

/// What is known of observations.
struct Statistics {
    path: std::path::PathBuf,
    mean: Array,
    variance: Array,
    clip: Option<f32>,
    /// What is added to a variance before its root divides.
    epsilon: f64,
}

impl Statistics {
    fn read(path: &Path) -> Result<Self> {
        let Found { mut arrays, .. } = open(path)?;
        let problem = |problem: String| Error::File { path: path.into(), problem };
        // As many were seen as is said: it weighs nothing where no more will be seen.
        let known = ["mean", "var", "clip", "epsilon", "count"];
        if let Some(other) = arrays.keys().find(|name| !known.contains(&name.as_str())) {
            let other = quoted(other);
            return Err(problem(format!("array `{other}` is none of those that it may hold: {}", known.join(", "))));
        }
        let mut number = |name: &str, what: &str, right: fn(f32) -> bool| match arrays.remove(name) {
            None => Ok(None),
            Some(array) => match &*array.numbers {
                &[number] if right(number) => Ok(Some(number)),
                _ => Err(problem(format!("array `{name}` is to be {what}"))),
            },
        };
        let clip = number("clip", "one number above 0, beyond which observations are clipped", |clip| clip > 0.0)?;
        let epsilon = number("epsilon", "one finite number, 0 or more, that is added to variances", |epsilon| {
            epsilon.is_finite() && epsilon >= 0.0
        })?;
        let mut take = |name: &str| {
            let missing = || format!("there is no array `{name}`: it holds `mean` and `var` of observations");
            arrays.remove(name).ok_or_else(|| problem(missing()))
        };
        let (mean, variance) = (take("mean")?, take("var")?);
        Ok(Self { path: path.into(), mean, variance, clip, epsilon: epsilon.map_or(EPS, f64::from) })
    }

    fn fill(self, buffers: &mut Buffers) -> Result<()> {
        for (theirs, ours, array) in
            [("mean", "normaliser.mean", self.mean), ("var", "normaliser.variance", self.variance)]
        {
            let problem = |problem: String| Error::File { path: self.path.clone(), problem };
            let Some(buffer) = buffers.get_mut(ours) else { continue };
            let (got, expected) = (&array.shape, [buffer.len()]);
            if *got != expected {
                return Err(problem(format!("array `{theirs}` has shape {got:?}, and an observation {expected:?}")));
            }
            if theirs == "var" && array.numbers.iter().any(|x| *x < 0.0) {
                return Err(problem("array `var` holds a number below 0: it is of variances".into()));
            }
            buffer.copy_from_slice(&array.numbers);
            if theirs == "var" {
                // Ours is added to it, and so theirs is in all.
                buffer.iter_mut().for_each(|x| *x = (f64::from(*x) + self.epsilon - EPS).max(0.0) as f32);
            }
        }
        Ok(())
    }
}

impl Recognised {
    /// The parameters of a network of this layout.
    fn values(&self, arrays: &Arrays, layout: &Layout) -> Result<Vec<f32>, String> {
        let mut values = vec![0.0; layout.len()];
        for block in layout.blocks() {
            let part = self.parts.iter().find(|part| part.ours == block.name);
            let part =
                part.ok_or_else(|| format!("the network has a block `{}`, for which there is no tensor", block.name))?;
            // What was recognised is there.
            let Some(array) = arrays.get(&part.theirs) else { continue };
            // As many numbers may be of another shape.
            if part.shape(array) != block.shape {
                let (shape, theirs) = (&array.shape, quoted(&part.theirs));
                let problem = format!("tensor `{theirs}` has shape {shape:?}, which is not `{}` of shape", block.name);
                return Err(format!("{problem} {:?}: is --env the environment that it was trained in?", block.shape));
            }
            values[block.range()].copy_from_slice(&part.turned(array));
        }
        Ok(values)
    }
}
