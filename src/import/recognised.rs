//! Whose policy tensors are, by their names, and which tensor is which block of a network here.

use serde_json::Value;
use uphill_envs::quoted;

use super::array::{Array, Arrays};
use crate::models::Activation;

/// A block of a network here, and the tensor that it is.
pub(super) struct Part {
    pub(super) ours: String,
    pub(super) theirs: String,
    turn: Turn,
}

/// How the numbers of a tensor come to lie.
#[derive(Clone, Copy)]
enum Turn {
    Same,
    /// Of each row planes `[channels, pixels]` become pixels with their channels side by side.
    ChannelsLast {
        channels: usize,
    },
}

impl Part {
    /// The numbers as they lie here.
    pub(super) fn turned(&self, array: &Array) -> Vec<f32> {
        let Turn::ChannelsLast { channels } = self.turn else { return array.numbers.clone() };
        let row = array.numbers.len() / array.shape.first().copied().unwrap_or(1).max(1);
        let pixels = row / channels.max(1);
        let mut turned = Vec::with_capacity(array.numbers.len());
        for row in array.numbers.chunks_exact(row.max(1)) {
            turned
                .extend((0..pixels).flat_map(|pixel| (0..channels).map(move |channel| row[channel * pixels + pixel])));
        }
        turned
    }
}

/// A policy that is known.
pub(super) struct Recognised {
    pub(super) of: &'static str,
    pub(super) algo: &'static str,
    pub(super) model: String,
    pub(super) distribution: Option<&'static str>,
    pub(super) parts: Vec<Part>,
}

/// Where the parts of a policy are found.
struct Names {
    /// Filters, and the hidden layer behind them.
    filters: Option<([String; 3], String)>,
    /// Hidden layers and head, of actor and critic.
    actor: Vec<String>,
    critic: Vec<String>,
    log_std: &'static str,
}

/// Layers `prefix.0`, `prefix.2`, … as far as there are.
fn layers(arrays: &Arrays, prefix: &str) -> Vec<String> {
    let names = (0..1000).step_by(2).map(|l| format!("{prefix}.{l}"));
    names.take_while(|name| arrays.contains_key(&format!("{name}.weight"))).collect()
}

impl Recognised {
    /// Recognises a policy by its tensors and what Stable-Baselines3 says of it.
    pub(super) fn of(arrays: &Arrays, data: &Value, activation: Option<Activation>) -> Result<Self, String> {
        let has = |name: &str| arrays.contains_key(name);
        if has("actor.head.weight") {
            return Err("this is a policy of uphill's own: give its folder to evaluate or export".into());
        }
        let is_theirs = has("action_net.weight") && has("value_net.weight");
        let is_atari = has("network.0.weight") && has("actor.weight") && has("critic.weight");
        let is_script = has("critic.0.weight") && (has("actor.0.weight") || has("actor_mean.0.weight"));
        let filters =
            |prefix: &str, hidden: &str| Some(([0, 2, 4].map(|stage| format!("{prefix}.{stage}")), hidden.to_string()));
        let (of, names) = if is_theirs {
            let head = |net: &str, head: &str| {
                let hidden = layers(arrays, &format!("mlp_extractor.{net}"));
                hidden.into_iter().chain([head.to_string()]).collect()
            };
            let names = Names {
                filters: has("features_extractor.cnn.0.weight")
                    .then(|| filters("features_extractor.cnn", "features_extractor.linear.0"))
                    .flatten(),
                actor: head("policy_net", "action_net"),
                critic: head("value_net", "value_net"),
                log_std: "log_std",
            };
            ("Stable-Baselines3", names)
        } else if is_atari {
            let [actor, critic] = ["actor", "critic"].map(|head| vec![head.to_string()]);
            ("CleanRL", Names { filters: filters("network", "network.7"), actor, critic, log_std: "actor_logstd" })
        } else if is_script {
            let actor = if has("actor_mean.0.weight") { "actor_mean" } else { "actor" };
            let (actor, critic) = (layers(arrays, actor), layers(arrays, "critic"));
            ("CleanRL", Names { filters: None, actor, critic, log_std: "actor_logstd" })
        } else {
            return Err(unknown(arrays));
        };
        for (name, what) in [
            ("squash_output", "its actions are squashed, which gsde here does not do"),
            ("use_expln", "its deviations grow as expln says, and here as exp does"),
        ] {
            if kwarg(data, name) == Some(&Value::Bool(true)) {
                return Err(format!("{name} = True has no place here: {what}"));
            }
        }
        if kwarg(data, "normalize_images") == Some(&Value::Bool(false)) {
            return Err("normalize_images = False has no place here: bytes of images are divided by 255".into());
        }
        let algo = if data.is_object() && data.get("clip_range").is_none() { "a2c" } else { "ppo" };
        let activation = match (activation, said(data)?) {
            (Some(_), _) if names.filters.is_some() => {
                return Err("activation has no effect: in networks of images it is relu; leave it out".into());
            }
            (Some(activation), Some(said)) if activation != said => {
                let (asked, said) = (word(activation), word(said));
                return Err(format!("activation = {asked}, and the file says {said}: leave it out"));
            }
            (activation, said) => activation.or(said).unwrap_or_default(),
        };
        let mut parts = Vec::new();
        let model = names.model(arrays, activation, &mut parts)?;
        let mut distribution = None;
        if let Some(array) = arrays.get(names.log_std) {
            parts.push(Part { ours: "actor.log_std".into(), theirs: names.log_std.into(), turn: Turn::Same });
            let is_matrix = array.shape.len() == 2 && of == "Stable-Baselines3";
            distribution = Some(if is_matrix { "gsde" } else { "diag_gaussian" });
        }
        let known = |name: &String| parts.iter().any(|part| part.theirs == *name) || is_copy(arrays, name);
        if let Some(other) = arrays.keys().find(|name| !known(name)) {
            let other = quoted(other);
            return Err(format!("tensor `{other}` is no part of a policy of {of}'s that a network here is"));
        }
        Ok(Self { of, algo, model, distribution, parts })
    }
}

/// Whether a tensor is once more what both actor and critic see of images, as Stable-Baselines3 saves it.
fn is_copy(arrays: &Arrays, name: &str) -> bool {
    let rest = name.strip_prefix("pi_").or_else(|| name.strip_prefix("vf_"));
    rest.is_some_and(|rest| arrays.get(rest).is_some() && arrays.get(rest) == arrays.get(name))
}

/// What is said of tensors that are nobody's.
fn unknown(arrays: &Arrays) -> String {
    let shown: Vec<String> = arrays.keys().take(4).map(|name| quoted(name)).collect();
    let more = if arrays.len() > shown.len() { ", ..." } else { "" };
    format!(
        "its tensors ({}{more}) are neither those of a PPO or A2C of Stable-Baselines3 (mlp_extractor.policy_net.0.weight, \
         action_net.weight, ...) nor those of CleanRL's ppo.py, ppo_continuous_action.py or ppo_atari.py (actor.0.weight, ...)",
        shown.join(", ")
    )
}

/// What Stable-Baselines3's policy was told by that name, if it was.
fn kwarg<'a>(data: &'a Value, name: &str) -> Option<&'a Value> {
    data.get("policy_kwargs").and_then(|kwargs| kwargs.get(name))
}

/// The activation that Stable-Baselines3 was told, if it was.
fn said(data: &Value) -> Result<Option<Activation>, String> {
    let said = kwarg(data, "activation_fn").and_then(Value::as_str);
    let Some(said) = said else { return Ok(None) };
    let last = said.trim_end_matches("'>").rsplit('.').next().unwrap_or_default();
    let found = ACTIVATIONS.iter().find(|(theirs, ..)| *theirs == last).map(|(_, _, ours)| *ours);
    let names = ACTIVATIONS.map(|(theirs, ..)| theirs).join(", ");
    found.map(Some).ok_or_else(|| format!("activation_fn = {} has no place here; there are {names}", quoted(said)))
}

/// Activations by torch's names, and by ours.
const ACTIVATIONS: [(&str, &str, Activation); 6] = [
    ("Tanh", "tanh", Activation::Tanh),
    ("ReLU", "relu", Activation::Relu),
    ("SiLU", "silu", Activation::Silu),
    ("GELU", "gelu", Activation::Gelu),
    ("LeakyReLU", "leaky_relu", Activation::LeakyRelu),
    ("Identity", "identity", Activation::Identity),
];

/// Our name of an activation.
fn word(activation: Activation) -> &'static str {
    ACTIVATIONS.iter().find(|(.., ours)| *ours == activation).map_or("", |(_, ours, _)| ours)
}

impl Names {
    /// Our word of the network, and its parts.
    fn model(&self, arrays: &Arrays, activation: Activation, parts: &mut Vec<Part>) -> Result<String, String> {
        let shape = |layer: &str| {
            let name = format!("{layer}.weight");
            let array = arrays.get(&name).ok_or_else(|| format!("there is no tensor `{}`", quoted(&name)))?;
            if !arrays.contains_key(&format!("{layer}.bias")) {
                return Err(format!("there is no tensor `{}.bias`", quoted(layer)));
            }
            Ok(array.shape.as_slice())
        };
        let mut layer = |ours: String, theirs: &str, turn: Turn| {
            for (part, turn) in [("weight", turn), ("bias", Turn::Same)] {
                parts.push(Part { ours: format!("{ours}.{part}"), theirs: format!("{theirs}.{part}"), turn });
            }
        };
        let mut sizes = Vec::new();
        for (net, names) in [("actor", &self.actor), ("critic", &self.critic)] {
            let mut hidden = Vec::new();
            for (l, theirs) in names.iter().enumerate() {
                let &[units, _] = shape(theirs)? else {
                    return Err(format!("tensor `{}.weight` is no matrix", quoted(theirs)));
                };
                let is_head = l + 1 == names.len();
                layer(if is_head { format!("{net}.head") } else { format!("{net}.{l}") }, theirs, Turn::Same);
                if !is_head {
                    hidden.push(units);
                }
            }
            sizes.push(hidden);
        }
        let [actor, critic] = [&sizes[0], &sizes[1]];
        let Some((filters, behind)) = &self.filters else {
            let other = if actor == critic { String::new() } else { format!(", critic_hidden={critic:?}") };
            return Ok(format!("mlp(hidden={actor:?}, activation={}{other})", word(activation)));
        };
        if !actor.is_empty() || !critic.is_empty() {
            return Err(
                "it has hidden layers of actor and critic behind those of its images, as no network here has".into()
            );
        }
        let mut last = 1;
        for (theirs, stage) in filters.iter().zip([0, 2, 4]) {
            let &[filters, channels, _, _] = shape(theirs)? else {
                return Err(format!("tensor `{}.weight` is not of filters", quoted(theirs)));
            };
            layer(format!("trunk.{stage}"), theirs, Turn::ChannelsLast { channels });
            last = filters;
        }
        let &[units, _] = shape(behind)? else {
            return Err(format!("tensor `{}.weight` is no matrix", quoted(behind)));
        };
        layer("trunk.hidden.0".into(), behind, Turn::ChannelsLast { channels: last });
        Ok(format!("nature_cnn(hidden=[{units}])"))
    }
}
