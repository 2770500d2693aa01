//! Policies for other programs: as ONNX, as a C header, as Rust without a standard library.
//!
//! What is written is the whole way from an observation of the environment to the likeliest action, in the environment's units:
//! the normaliser of observations, the network's actor, and what the distribution makes of its outputs.
//!
//! ```no_run
//! use std::path::Path;
//! use uphill::{Policy, export::Actor};
//!
//! let policy = Policy::load(Path::new("runs/CartPole-v1-ppo-adam-s1"))?;
//! let actor = Actor::of(&policy)?;
//! std::fs::write("policy.onnx", actor.onnx()).expect("a file");
//! std::fs::write("policy.h", actor.c("policy")?).expect("a file");
//! # Ok::<(), uphill::Error>(())
//! ```

mod c;
mod graph;
mod onnx;
mod program;
mod rust;
#[cfg(test)]
mod tests;
mod trial;

use uphill_envs::{Space, Spec, quoted};

use crate::collect::Collector;
use crate::distributions::{self, Deviation, Distribution, Head};
use crate::models::Operation;
use crate::seed::Seed;
use crate::{Config, Error, Policy, Result};

pub use onnx::OPSET;

/// What a policy does where it takes the likeliest action, in a form that each format is written from.
#[derive(Debug, Clone)]
pub struct Actor {
    /// From an observation to the outputs of the network's last layer.
    operations: Vec<Operation>,
    head: Head,
    /// `L` of the head's deviations, where it is parameters of its own.
    log_std: Option<Vec<f32>>,
    /// The shape of an observation.
    shape: Vec<usize>,
    /// Whether an action is one index, and not an array of them.
    is_one_index: bool,
    /// How many choices the environment tells of whether they are legal; 0 if it tells of none.
    mask: usize,
    /// Name and value of what is told of it.
    about: Vec<(&'static str, String)>,
}

impl Actor {
    /// That of a policy, with its present parameters.
    ///
    /// # Errors
    /// [`Error::Config`] for a network or a distribution that does not say what it computes, or says otherwise than it does, and for
    /// one whose operations do not fit together; what its environments fail with.
    pub fn of(policy: &Policy) -> Result<Self> {
        let (config, network, params) = (policy.config(), policy.network(), policy.params());
        let distribution = network.distribution();
        let env = policy.make_env()?;
        let spec = env.spec().clone();
        let choices = if config.mask_actions { distribution.choices() } else { 0 };
        let mask = if choices > 0 && Collector::new(env, Seed(0))?.tells_masks()? { choices } else { 0 };
        let silent = |what: &str, by: &str, method: &str| {
            let remedy = format!("one of one's own says it by `{method}`");
            Error::Config(format!(
                "{what} = {by}: it does not say what it computes, so it cannot be exported; {remedy}"
            ))
        };
        let operations = network.actor(params)?;
        let operations = operations.ok_or_else(|| silent("model", &config.model.to_string(), "Model::actor"))?;
        let head = distribution.head();
        let word = of_network(config, &spec, &**distribution)?;
        let head = head.ok_or_else(|| silent("distribution", &word, "Distribution::head"))?;
        let own = distribution.own().map(|own| format!("actor.{}", own.name));
        let log_std = own.map(|name| {
            let place = params.layout().block(&name).map(|block| block.range());
            params.read(|theta| place.map(|place| theta[place].to_vec()).unwrap_or_default())
        });
        let shape = match spec.observation {
            Space::Image { height, width, channels, .. } => vec![height, width, channels],
            _ => vec![spec.observation_len()],
        };
        let actor = Self {
            operations,
            log_std: log_std.transpose()?,
            is_one_index: matches!(spec.action, Space::Discrete { .. }),
            mask,
            about: vec![
                ("uphill", env!("CARGO_PKG_VERSION").into()),
                ("environment", config.env.to_string()),
                ("model", config.model.to_string()),
                ("distribution", word),
                ("observation", observation(&spec.observation)),
                ("action", action(&spec.action, &head)),
            ],
            shape,
            head,
        };
        actor.check()?;
        actor.try_out(policy, &spec.observation)?;
        Ok(actor)
    }

    /// How many numbers the network's last layer has to put out for the head, and of how many features that reads.
    fn check(&self) -> Result<()> {
        let wrong = |what: &str, expected: usize, got: usize| {
            Error::Config(format!("an actor cannot be exported: {what} is of {got} numbers, expected {expected}"))
        };
        let width = fits(&self.operations, self.observation_len());
        let width = width.map_err(|(at, expected, got)| wrong(&at, expected, got))?;
        let (own, features) = (self.log_std.as_ref().map(Vec::len), self.features());
        let (outputs, parameters) = match &self.head {
            Head::Choices(among) => (among.iter().sum(), None),
            Head::Switches(count) => (*count, None),
            Head::Normal { low, deviation: Deviation::Features { .. }, .. } => (low.len(), Some(features * low.len())),
            Head::Normal { low, .. } if own.is_some() => (low.len(), Some(low.len())),
            Head::Normal { low, .. } => (2 * low.len(), None),
        };
        if width != outputs {
            return Err(wrong("what its network puts out", outputs, width));
        }
        match (own, parameters) {
            (own, parameters) if own == parameters => Ok(()),
            (own, parameters) => {
                let what = "its logarithms of deviations";
                Err(wrong(what, parameters.unwrap_or_default(), own.unwrap_or_default()))
            }
        }
    }

    /// `D`, the numbers in one observation.
    fn observation_len(&self) -> usize {
        self.shape.iter().product()
    }

    /// `e^(L + shift)`, `[K]`, of logarithms of deviations that are parameters of their own.
    fn own_std(&self, shift: f32) -> Vec<f32> {
        let std = |log_std: &f32| (f64::from(*log_std) + f64::from(shift)).exp() as f32;
        self.log_std.iter().flatten().map(std).collect()
    }

    /// `e^2L` of the same, `[F, K]`.
    fn own_variance(&self) -> Vec<f32> {
        self.log_std.iter().flatten().map(|log_std| (2.0 * f64::from(*log_std)).exp() as f32).collect()
    }

    /// `K`, the numbers of an action.
    fn action_len(&self) -> usize {
        match &self.head {
            Head::Choices(among) => among.len(),
            Head::Switches(count) => *count,
            Head::Normal { low, .. } => low.len(),
        }
    }

    /// Of each recurrent cell what it remembers, one state after the other.
    fn memory(&self) -> Vec<usize> {
        let states = |operation: &Operation| match operation {
            Operation::Cell { recurrence, recurrent, .. } => vec![recurrent.inputs; recurrence.states()],
            _ => Vec::new(),
        };
        self.operations.iter().flat_map(states).collect()
    }

    /// The lengths of what goes in and comes out of a program, by name.
    fn lengths(&self) -> Vec<(&'static str, usize)> {
        let outputs = match &self.head {
            Head::Choices(among) => among.iter().sum(),
            Head::Switches(count) => *count,
            Head::Normal { low, .. } => 2 * low.len(),
        };
        let always = [("observation", self.observation_len()), ("action", self.action_len()), ("outputs", outputs)];
        let sometimes = [("memory", self.memory().iter().sum()), ("mask", self.mask)];
        always.into_iter().chain(sometimes.into_iter().filter(|(_, len)| *len > 0)).collect()
    }

    /// What a program's outputs are, in words.
    fn said(&self) -> &'static str {
        match &self.head {
            Head::Choices(_) | Head::Switches(_) => "logits",
            Head::Normal { .. } => "means, then deviations, before what is drawn is brought into the box",
        }
    }

    /// What a program's action is, in words.
    fn said_of_action(&self) -> String {
        let (_, action) = self.about.iter().find(|(key, _)| *key == "action").map_or(("", ""), |(k, v)| (*k, &**v));
        format!("The action: {action}")
    }

    /// `F`, what goes into the network's last layer.
    fn features(&self) -> usize {
        let before = self.operations.split_last().map_or(&[][..], |(_, before)| before);
        before.iter().fold(self.observation_len(), |width, operation| operation.outputs(width))
    }
}

/// What a network's distribution is called: by the row that made it, or by its own name where a network has another.
fn of_network(config: &Config, spec: &Spec, own: &dyn Distribution) -> Result<String> {
    let chosen = config.make_distribution(spec)?;
    let chosen = format!("{:?}", chosen.with_features(own.features()).unwrap_or(chosen));
    let own = format!("{own:?}");
    if own == chosen {
        let word = distributions::taken(config.catalogue.distributions(), &config.distribution, &spec.action)?;
        return Ok(word.to_string());
    }
    Ok(own.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().into())
}

/// How many numbers operations make of so many; what of them does not fit, with what was expected and found.
fn fits(operations: &[Operation], mut width: usize) -> Result<usize, (String, usize, usize)> {
    for (i, operation) in operations.iter().enumerate() {
        let is = |what: &str, expected: usize, got: usize| match expected == got {
            true => Ok(()),
            false => Err((format!("{what} of operation {i}"), expected, got)),
        };
        match operation {
            Operation::Normalise { mean, scale, .. } => {
                is("the mean", width, mean.len()).and_then(|()| is("the scale", width, scale.len()))?;
            }
            Operation::Linear(layer) => {
                is("the input", layer.inputs, width)?;
                is("the weight", layer.inputs * layer.outputs(), layer.weight.len())?;
            }
            Operation::LayerNorm { affine: Some([gain, bias]), .. } => {
                is("the gain", width, gain.len()).and_then(|()| is("the bias", width, bias.len()))?;
            }
            Operation::Filters(sliding, layer) => {
                is("the image", sliding.image(), width)?;
                is("the window", sliding.side * sliding.side * sliding.channels, layer.inputs)?;
                is("the weight", layer.inputs * layer.outputs(), layer.weight.len())?;
            }
            Operation::Pool(sliding) => is("the image", sliding.image(), width)?,
            Operation::Residual(inner) => is("what is added", width, fits(inner, width)?)?,
            Operation::Cell { recurrence, input, recurrent } => {
                let gates = match recurrence {
                    crate::models::Recurrence::Gru => 3,
                    crate::models::Recurrence::Lstm => 4,
                };
                is("the input", input.inputs, width)?;
                for (layer, inputs) in [(input, width), (recurrent, recurrent.inputs)] {
                    is("the gates", gates * recurrent.inputs, layer.outputs())?;
                    is("the weight", inputs * layer.outputs(), layer.weight.len())?;
                }
            }
            Operation::Scale(_) | Operation::LayerNorm { affine: None, .. } | Operation::Activation(_) => {}
        }
        width = operation.outputs(width);
    }
    Ok(width)
}

/// What an observation is, in words.
fn observation(space: &Space) -> String {
    match space {
        Space::Image { height, width, channels, max } => {
            format!("an image of {height} x {width} pixels and {channels} channels, channels last, numbers 0 to {max}")
        }
        Space::Box { low, .. } => {
            format!("{} as the environment gives them", uphill_envs::counted(low.len(), "number"))
        }
        other => format!("{} ({})", uphill_envs::counted(other.flat_len(), "number"), other.kind()),
    }
}

/// What an action is, in words.
fn action(space: &Space, head: &Head) -> String {
    match head {
        Head::Choices(among) if matches!(space, Space::Discrete { .. }) => {
            format!(
                "the likeliest of {}, its index from 0",
                uphill_envs::counted(among.iter().sum::<usize>(), "action")
            )
        }
        Head::Choices(among) => {
            let among = among.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            format!("the likeliest of each choice among [{among}], its index from 0")
        }
        Head::Switches(count) => format!("whether each of {} is on", uphill_envs::counted(*count, "switch")),
        Head::Normal { low, high, is_squashed, .. } => {
            let how = if *is_squashed { "squashed into" } else { "clipped to" };
            let sides: Vec<String> =
                low.iter().zip(high).take(8).map(|(low, high)| format!("[{low}, {high}]")).collect();
            let more = if low.len() > sides.len() { ", ..." } else { "" };
            format!("the mean of each number, {how} {}{more}, in the environment's units", sides.join(", "))
        }
    }
}

/// Checks the name that a program's parts begin with. In small letters, as lengths and the guard have it in capitals: names that differ
/// in nothing else would be the same there; and what begins with _ is the compiler's.
fn check_name(name: &str) -> Result<()> {
    let is_letter = |c: char| c.is_ascii_lowercase();
    let good = name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c == '_' || c.is_ascii_digit());
    match good && name.len() <= 60 {
        true => Ok(()),
        false => Err(Error::Config(format!(
            "name = {}: what a program's parts begin with is made of small letters, digits and _, a letter first, 60 at most",
            quoted(name)
        ))),
    }
}
