//! `policy_kwargs`: the network, what it begins as, and its optimizer.

use serde_json::Value;
use uphill_envs::quoted;

use super::keys::{self, Keys};
use super::{Reading, config_error};
use crate::Result;

/// What steps by a gradient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Optimizer {
    Adam,
    RmsProp { eps: f64 },
}

/// What Stable-Baselines3 gives to Adam where nobody says anything.
const ADAM_EPS: f64 = 1e-5;
/// What PyTorch does.
const TORCH_EPS: f64 = 1e-8;

const OTHER_NETWORK: &str = "without it the network is another one";
const OTHER_NOISE: &str = "without it the noise is another one";

/// Activations of PyTorch by their names there.
const ACTIVATIONS: [(&str, &str); 6] = [
    ("Tanh", "tanh"),
    ("ReLU", "relu"),
    ("SiLU", "silu"),
    ("GELU", "gelu"),
    ("LeakyReLU", "leaky_relu"),
    ("Identity", "identity"),
];

/// Reads them, if there are any; `by` is the optimizer by default and how long a noise is held, `is_box` whether actions are
/// numbers, and `whole_error` whether the loss is the critic's alone, and the whole squared error there.
pub(super) fn read(
    kwargs: Option<Keys>,
    by: (Optimizer, Option<f64>),
    is_box: bool,
    whole_error: bool,
    reading: &mut Reading,
) -> Result<()> {
    let mut kwargs = kwargs.unwrap_or_else(|| Keys::new(serde_json::Map::new(), ""));
    layers(&mut kwargs, reading)?;
    let activation = kwargs.word("activation_fn")?.unwrap_or_else(|| "nn.Tanh".into());
    let last = activation.rsplit('.').next().unwrap_or_default();
    match ACTIVATIONS.iter().find(|(theirs, _)| *theirs == last) {
        Some((_, ours)) => reading.set("activation", *ours),
        None => {
            let known = ACTIVATIONS.map(|(theirs, _)| theirs).join(", ");
            let problem = format!("activation_fn = {} has no place here; there are {known}", quoted(&activation));
            return config_error(format!("policy_kwargs.{problem}"));
        }
    }
    if kwargs.flag("ortho_init")?.unwrap_or(true) {
        reading.set("init", "orthogonal");
    } else {
        reading.set("init", "kaiming");
        let what = "false is init = kaiming, whose weights are larger than those of PyTorch; biases begin at 0";
        reading.nearly.push(("ortho_init", what));
    }
    let log_std_init = kwargs.number("log_std_init")?;
    let begins = log_std_init.map_or(String::new(), |log_std| format!("log_std_init={log_std}"));
    match by.1 {
        Some(held) => {
            let held = if held.is_finite() { format!("sde_sample_freq={held}") } else { String::new() };
            let args: Vec<String> = [begins, held].into_iter().filter(|arg| !arg.is_empty()).collect();
            let args = if args.is_empty() { String::new() } else { format!("({})", args.join(", ")) };
            reading.set("distribution", format!("gsde{args}"));
        }
        None if begins.is_empty() => {}
        None if is_box => reading.set("distribution", format!("diag_gaussian({begins})")),
        None => reading.leave_out("policy_kwargs.log_std_init", "choices have no deviation"),
    }
    let optimizer = optimizer(&mut kwargs, by.0, whole_error, reading)?;
    reading.set("optimizer", optimizer);
    let is = |expected: bool| move |value: &Value| keys::flag(value) == Some(expected);
    for key in [
        "features_extractor_class",
        "features_extractor_kwargs",
        "lstm_hidden_size",
        "n_lstm_layers",
        "enable_critic_lstm",
    ] {
        kwargs.refuse(key, |_| false, OTHER_NETWORK)?;
    }
    kwargs.refuse("use_expln", is(false), OTHER_NOISE)?;
    kwargs.refuse("full_std", is(true), OTHER_NOISE)?;
    kwargs.refuse("squash_output", is(false), "distribution = squashed_diag_gaussian is another thing")?;
    let idle = [
        ("share_features_extractor", "what MlpPolicy extracts has no parameters"),
        ("normalize_images", "observations are as the environment has them"),
    ];
    let known = ["net_arch", "activation_fn", "ortho_init", "log_std_init", "optimizer_class", "optimizer_kwargs"];
    kwargs.finish(&idle, &known, "a policy of Stable-Baselines3", reading)
}

/// `net_arch`: units of each hidden layer, of both networks or of each.
fn layers(kwargs: &mut Keys, reading: &mut Reading) -> Result<()> {
    let two = vec![64, 64];
    let Some(value) = kwargs.take("net_arch") else {
        reading.set("hidden", two);
        return Ok(());
    };
    let expected = "layers such as [64, 64], or dict(pi=[64, 64], vf=[64, 64])";
    let apart = match &value {
        // As versions before 1.8 have it.
        Value::Array(items) => match &items[..] {
            [Value::Object(apart)] => Some(apart),
            _ => None,
        },
        Value::Object(apart) => Some(apart),
        _ => None,
    };
    let Some(apart) = apart else {
        let units = units(&value).ok_or_else(|| kwargs.wrong("net_arch", &value, expected))?;
        reading.set("hidden", units);
        return Ok(());
    };
    if apart.keys().any(|key| !["pi", "vf"].contains(&key.as_str())) {
        return Err(kwargs.wrong("net_arch", &value, expected));
    }
    let of = |name: &str| apart.get(name).map_or(Some(Vec::new()), units);
    let (Some(actor), Some(critic)) = (of("pi"), of("vf")) else {
        return Err(kwargs.wrong("net_arch", &value, expected));
    };
    if actor != critic {
        reading.set("model", format!("mlp(critic_hidden={critic:?})"));
    }
    reading.set("hidden", actor);
    Ok(())
}

fn units(value: &Value) -> Option<Vec<i64>> {
    value.as_array()?.iter().map(keys::count).collect()
}

/// The optimizer as a word. Of a loss that is half of theirs Adam makes the same steps with half the `eps`.
fn optimizer(kwargs: &mut Keys, default: Optimizer, whole_error: bool, reading: &mut Reading) -> Result<String> {
    let class = kwargs.word("optimizer_class")?;
    let arguments = kwargs.take("optimizer_kwargs");
    let is_adam = class.as_deref().map(|class| class.rsplit('.').next() == Some("Adam"));
    match (is_adam, default) {
        (Some(false), _) => {
            let class = quoted(class.as_deref().unwrap_or_default());
            let problem = format!("policy_kwargs.optimizer_class = {class} has no place here");
            config_error(format!(
                "{problem}: Adam and a2c's own RMSprop are read; --optimizer says another where the key is left out"
            ))
        }
        (None, Optimizer::RmsProp { .. }) if arguments.is_some() => config_error(
            "policy_kwargs.optimizer_kwargs has no effect there: a2c makes its RMSprop of rms_prop_eps; leave it out"
                .into(),
        ),
        (None, Optimizer::RmsProp { eps }) => Ok(format!("rmsprop(eps={eps})")),
        _ => {
            let mut eps = if arguments.is_some() { TORCH_EPS } else { ADAM_EPS };
            if let Some(arguments) = arguments {
                let mut arguments = Keys::of(arguments, "policy_kwargs.optimizer_kwargs.")?;
                eps = arguments.number("eps")?.unwrap_or(eps);
                let other = "without it the optimizer is another one; --optimizer says one where the key is left out";
                arguments.refuse("weight_decay", |value| keys::number(value) == Some(0.0), other)?;
                arguments.refuse("amsgrad", |value| keys::flag(value) == Some(false), other)?;
                arguments.refuse("betas", |value| *value == serde_json::json!([0.9, 0.999]), other)?;
                arguments.finish(&[], &["eps", "weight_decay", "amsgrad", "betas"], "Adam", reading)?;
            }
            Ok(format!("adam(eps={})", if whole_error { eps / 2.0 } else { eps }))
        }
    }
}
