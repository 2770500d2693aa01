//! Whose policy tensors are, by their names, and which tensor is which block of a network here.

use uphill_envs::quoted;

use super::array::Arrays;
use super::part::{Part, Turn};
use super::said::{Said, word};
use super::unknown::unknown;
use crate::models::Activation;

/// A policy that is known.
pub(super) struct Recognised {
    pub(super) of: &'static str,
    pub(super) algo: &'static str,
    pub(super) model: String,
    pub(super) distribution: Option<&'static str>,
    /// What is taken to stand between its layers, where nothing says it.
    pub(super) assumed: Option<Activation>,
    pub(super) parts: Vec<Part>,
}

/// Pixels of the sides of the filters of nature_cnn.
const SIDES: [usize; 3] = [8, 4, 3];

/// Where the parts of a policy are found.
struct Names {
    /// Filters, and the hidden layer behind them.
    filters: Option<([String; 3], String)>,
    /// A recurrent cell, which heads stand on.
    cell: Option<&'static str>,
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
    pub(super) fn of(arrays: &Arrays, said: Option<&Said>, asked: Option<Activation>) -> Result<Self, String> {
        let (of, names) = Names::of(arrays)?;
        let of = said.map_or(of, |said| said.of);
        said.map_or(Ok(()), Said::check)?;
        let said_of_layers = said.map_or(Ok(None), Said::activation)?;
        // An activation stands behind hidden layers.
        let is_between = names.filters.is_none() && names.actor.len() + names.critic.len() > 2;
        let activation = match (asked, said_of_layers) {
            (Some(_), _) if names.filters.is_some() => {
                return Err("activation has no effect: in networks of images it is relu; leave it out".into());
            }
            (Some(_), _) if !is_between => {
                return Err(
                    "activation has no effect: there are no layers for it to stand between; leave it out".into()
                );
            }
            (Some(asked), Some(said)) if asked != said => {
                let (asked, said) = (word(asked), word(said));
                return Err(format!("activation = {asked}, and the file says {said}: leave it out"));
            }
            (asked, said) => asked.or(said),
        };
        let assumed = (is_between && activation.is_none()).then(Activation::default);
        let mut parts = Vec::new();
        let model = names.model(arrays, activation.unwrap_or_default(), &mut parts)?;
        let distribution = names.log_std(arrays, of, &mut parts)?;
        let known = |name: &String| parts.iter().any(|part| part.theirs == *name) || is_copy(arrays, name);
        if let Some(other) = arrays.keys().find(|name| !known(name)) {
            let other = quoted(other);
            return Err(format!("tensor `{other}` is no part of a policy of {of}'s that a network here is"));
        }
        Ok(Self { of, algo: said.map_or("ppo", |said| said.algo), model, distribution, assumed, parts })
    }
}

/// Whether a tensor is once more what both actor and critic see of images, as Stable-Baselines3 saves it.
fn is_copy(arrays: &Arrays, name: &str) -> bool {
    let rest = name.strip_prefix("pi_").or_else(|| name.strip_prefix("vf_"));
    rest.is_some_and(|rest| arrays.get(rest).is_some() && arrays.get(rest) == arrays.get(name))
}

impl Names {
    /// Where they are by what tensors there are, and whose policy it is.
    fn of(arrays: &Arrays) -> Result<(&'static str, Self), String> {
        let has = |name: &str| arrays.contains_key(name);
        if has("actor.head.weight") {
            return Err("this is a policy of uphill's own: give its folder to evaluate or export".into());
        }
        let is_theirs = has("action_net.weight") && has("value_net.weight");
        let is_atari = has("network.0.weight") && has("actor.weight") && has("critic.weight");
        let is_script = has("critic.0.weight") && (has("actor.0.weight") || has("actor_mean.0.weight"));
        let filters =
            |prefix: &str, hidden: &str| Some(([0, 2, 4].map(|stage| format!("{prefix}.{stage}")), hidden.to_string()));
        Ok(if is_theirs {
            let head = |net: &str, head: &str| {
                let hidden = layers(arrays, &format!("mlp_extractor.{net}"));
                hidden.into_iter().chain([head.to_string()]).collect()
            };
            let names = Self {
                filters: has("features_extractor.cnn.0.weight")
                    .then(|| filters("features_extractor.cnn", "features_extractor.linear.0"))
                    .flatten(),
                cell: has("lstm_actor.weight_ih_l0").then_some("lstm_actor"),
                actor: head("policy_net", "action_net"),
                critic: head("value_net", "value_net"),
                log_std: "log_std",
            };
            names.check_cell(arrays)?;
            (if names.cell.is_some() { "sb3-contrib" } else { "Stable-Baselines3" }, names)
        } else if is_atari {
            let [actor, critic] = ["actor", "critic"].map(|head| vec![head.to_string()]);
            let filters = filters("network", "network.7");
            ("CleanRL", Self { filters, cell: None, actor, critic, log_std: "actor_logstd" })
        } else if is_script {
            let actor = if has("actor_mean.0.weight") { "actor_mean" } else { "actor" };
            let (actor, critic) = (layers(arrays, actor), layers(arrays, "critic"));
            ("CleanRL", Self { filters: None, cell: None, actor, critic, log_std: "actor_logstd" })
        } else {
            return Err(unknown(arrays));
        })
    }

    /// Refuses cells that stand where none stands here.
    fn check_cell(&self, arrays: &Arrays) -> Result<(), String> {
        let has = |name: &str| arrays.contains_key(name);
        let problem = if self.cell.is_none() {
            return Ok(());
        } else if has("lstm_critic.weight_ih_l0") || has("critic.weight") {
            "the critic has a cell or a layer of its own, and here it shares the actor's"
        } else if self.actor.len() + self.critic.len() > 2 {
            "it has hidden layers behind its cell, and here the heads stand on it"
        } else if has("lstm_actor.weight_ih_l1") {
            "it has several layers of cells, and here there is one"
        } else if self.filters.is_some() {
            "its cell stands behind filters, and here behind numbers"
        } else {
            return Ok(());
        };
        let fits = "policy_kwargs=dict(shared_lstm=True, enable_critic_lstm=False, net_arch=[])";
        Err(format!("its LSTM has no place here: {problem}; lstm(hidden=[]) is RecurrentPPO with {fits}"))
    }

    /// The distribution that deviations of their own tell, if there are any.
    fn log_std(&self, arrays: &Arrays, of: &str, parts: &mut Vec<Part>) -> Result<Option<&'static str>, String> {
        let Some(array) = arrays.get(self.log_std) else { return Ok(None) };
        let head = self.actor.last().and_then(|head| arrays.get(&format!("{head}.weight")));
        let Some(&[actions, features]) = head.map(|head| &*head.shape) else { return Ok(None) };
        parts.push(Part { ours: "actor.log_std".into(), theirs: self.log_std.into(), turn: Turn::Row });
        let is_matrix = array.shape.len() == 2 && of != "CleanRL";
        let is_like =
            if is_matrix { *array.shape == [features, actions] } else { array.shape.last() == Some(&actions) };
        if !is_like || (!is_matrix && array.numbers.len() != actions) {
            let (name, shape) = (self.log_std, &array.shape);
            return Err(format!(
                "tensor `{name}` has shape {shape:?}, for {actions} numbers of an action and {features} features"
            ));
        }
        Ok(Some(if is_matrix { "gsde" } else { "diag_gaussian" }))
    }

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
        if let Some(cell) = self.cell {
            for part in ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] {
                let (ours, theirs) = (format!("trunk.lstm.{part}"), format!("{cell}.{part}_l0"));
                if !arrays.contains_key(&theirs) {
                    return Err(format!("there is no tensor `{theirs}`"));
                }
                parts.push(Part { ours, theirs, turn: Turn::Same });
            }
            let units = arrays.get(&format!("{cell}.weight_hh_l0")).and_then(|weight| weight.shape.get(1));
            return Ok(format!("lstm(hidden=[], units={})", units.copied().unwrap_or_default()));
        }
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
        for ((theirs, stage), side) in filters.iter().zip([0, 2, 4]).zip(SIDES) {
            let &[filters, channels, rows, columns] = shape(theirs)? else {
                return Err(format!("tensor `{}.weight` is not of filters", quoted(theirs)));
            };
            if [rows, columns] != [side; 2] {
                let problem = format!("has filters of {rows} x {columns} pixels, and nature_cnn of {side} x {side}");
                return Err(format!("tensor `{}.weight` {problem}", quoted(theirs)));
            }
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
