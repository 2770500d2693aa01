//! Hyperparameters of rl-baselines3-zoo: a file for an algorithm of Stable-Baselines3, an environment for each key at its top.
//!
//! What is not said is as Stable-Baselines3 and sb3-contrib have it, <https://stable-baselines3.readthedocs.io/>, and as the
//! zoo reads it, <https://rl-baselines3-zoo.readthedocs.io/>.

use std::path::Path;

use serde_json::{Map, Value};
use uphill_envs::{nearest, quoted};

use super::keys::{self, Keys};
use super::network::{self, Optimizer};
use super::{Asked, Reading, config_error};
use crate::names::listed;
use crate::{Catalogue, Error, Result};

/// An algorithm of theirs that is here, too.
pub(super) struct Algorithm {
    pub(super) name: &'static str,
    /// What it is by itself, in settings of ours.
    defaults: &'static str,
    /// Steps in a minibatch; of one that has none every rollout is one.
    batch_size: Option<i64>,
    /// Arguments that mean the same here by the same or another name.
    same: &'static [&'static str],
    /// Arguments whose meaning, or unit, is another one.
    others: &'static [&'static str],
}

const ALGORITHMS: [Algorithm; 3] = [
    Algorithm {
        name: "ppo",
        defaults: "envs = 1\nn_steps = 2048\nn_epochs = 10\ngamma = 0.99\ngae_lambda = 0.95\nnormalize_advantage = true\n\
                   clip_range = 0.2\nclip_range_vf = inf\nent_coef = 0.0\nvf_coef = 1.0\ntarget_kl = inf\nlr = 3e-4\n\
                   anneal_lr = false\nmax_grad_norm = 0.5\nclip_grad_by = 'whole'",
        batch_size: Some(64),
        same: &[
            "n_envs",
            "n_timesteps",
            "n_steps",
            "n_epochs",
            "gamma",
            "gae_lambda",
            "normalize_advantage",
            "ent_coef",
            "max_grad_norm",
            "seed",
            "frame_stack",
            "n_stack",
        ],
        others: &["batch_size", "vf_coef", "target_kl", "clip_range", "clip_range_vf", "learning_rate"],
    },
    Algorithm {
        name: "a2c",
        defaults: "envs = 1\nn_steps = 5\ngamma = 0.99\ngae_lambda = 1.0\nnormalize_advantage = false\nent_coef = 0.0\n\
                   vf_coef = 1.0\nlr = 7e-4\nanneal_lr = false\nmax_grad_norm = 0.5\nclip_grad_by = 'whole'",
        batch_size: None,
        same: &[
            "n_envs",
            "n_timesteps",
            "n_steps",
            "gamma",
            "gae_lambda",
            "normalize_advantage",
            "ent_coef",
            "max_grad_norm",
            "seed",
            "frame_stack",
            "n_stack",
        ],
        others: &["vf_coef", "learning_rate", "use_rms_prop", "rms_prop_eps"],
    },
    Algorithm {
        name: "trpo",
        defaults: "envs = 1\nn_steps = 2048\nn_epochs = 10\ngamma = 0.99\ngae_lambda = 0.95\nnormalize_advantage = true\n\
                   max_kl = 0.01\ncg_iterations = 15\ncg_damping = 0.1\nline_search_steps = 10\nline_search_decay = 0.8\n\
                   lr = 1e-3\nanneal_lr = false\nmax_grad_norm = inf",
        batch_size: Some(128),
        same: &[
            "n_envs",
            "n_timesteps",
            "n_steps",
            "n_critic_updates",
            "gamma",
            "gae_lambda",
            "normalize_advantage",
            "cg_max_steps",
            "cg_damping",
            "line_search_max_iter",
            "line_search_shrinking_factor",
            "seed",
            "frame_stack",
            "n_stack",
        ],
        others: &["batch_size", "target_kl", "learning_rate", "sub_sampling_factor"],
    },
];

/// What any of them has besides.
const COMMON: [&str; 8] = [
    "policy",
    "policy_kwargs",
    "normalize",
    "use_sde",
    "sde_sample_freq",
    "env_wrapper",
    "vec_env_wrapper",
    "env_kwargs",
];

const SIDE: &str = "what goes along with training changes nothing of it";

/// What changes nothing that is learnt, and why it has no place; where that is empty, [`names`](crate::names) knows why.
const IDLE: [(&str, &str); 9] = [
    ("callback", SIDE),
    ("monitor_kwargs", SIDE),
    ("verbose", ""),
    ("tensorboard_log", ""),
    ("stats_window_size", "every update is a row of metrics.csv, with the episodes that ended in it"),
    ("device", "a run is on the CPU unless --device says another"),
    ("_init_setup_model", "a network is made when its run begins"),
    ("sde_sample_freq", "without use_sde it has no effect there"),
    ("rms_prop_eps", "where the optimizer is not RMSProp it has no effect there"),
];

const WRAPPER: &str = "without it the task is another one; what goes around an environment here stands after it, --env \"… | time_aware\", and \
                       `list wrappers` has it: leave the key out of the file where that is meant";

/// Keys at the top that are no environments.
const NO_ENVS: [&str; 2] = ["default", "atari"];

/// Reads the hyperparameters of an environment.
pub(super) fn read(
    path: &Path,
    root: Map<String, Value>,
    asked: &Asked,
    catalogue: &Catalogue,
    reading: &mut Reading,
) -> Result<()> {
    let algorithm = algorithm(path, asked)?;
    let (env, entry) = entry(root, asked, catalogue, reading)?;
    let is_box = asked.has_numbers_as_actions(&env, catalogue)?;
    reading.of = format!(
        "{env} by {} of rl-baselines3-zoo; what it does not say is as Stable-Baselines3 has it, and config.toml has it all",
        algorithm.name
    );
    reading.table = algorithm.defaults.parse().map_err(|e: toml::de::Error| Error::Config(e.to_string()))?;
    reading.set("env", env);
    reading.set("algo", algorithm.name);
    let mut keys = Keys::new(entry, "");
    if !keys.has("n_timesteps") && !asked.steps {
        return config_error("n_timesteps is missing: say how long to train, --steps 100_000".into());
    }
    if keys.has("frame_stack") && keys.has("n_stack") {
        return config_error("frame_stack and n_stack say the same: leave one of them out".into());
    }
    if keys.has("frame_stack") || keys.has("n_stack") {
        reading
            .nearly
            .push(("frame_stack", "what was before the first observation is shown as it, and there as zeros"));
    }
    for key in ["env_wrapper", "vec_env_wrapper", "env_kwargs"] {
        keys.refuse(key, is_empty, WRAPPER)?;
    }
    keys.refuse(
        "sub_sampling_factor",
        |value| keys::number(value) == Some(1.0),
        "a step learns from the whole rollout",
    )?;
    keys.same(algorithm.same, keys::row(algorithm.name, catalogue)?, reading)?;
    policy(&mut keys)?;
    normalize(&mut keys, reading)?;
    coefficients(&mut keys, algorithm, reading)?;
    let network = keys.take("policy_kwargs").map(|value| Keys::of(value, "policy_kwargs.")).transpose()?;
    let optimizer = optimizer(&mut keys, algorithm)?;
    let noise = noise(&mut keys)?;
    network::read(network, (optimizer, noise), is_box, algorithm.name == "trpo", reading)?;
    minibatches(&mut keys, algorithm, reading)?;
    let known: Vec<&str> = [algorithm.same, algorithm.others, &COMMON].concat();
    let idle: Vec<(&str, &str)> =
        IDLE.into_iter().filter(|(key, _)| *key != "rms_prop_eps" || algorithm.name == "a2c").collect();
    keys.finish(&idle, &known, &format!("{} of Stable-Baselines3", algorithm.name), reading)
}

/// The algorithm that the line says, or else the file's name.
fn algorithm(path: &Path, asked: &Asked) -> Result<&'static Algorithm> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_lowercase();
    let named = |name: &str| ALGORITHMS.iter().find(|algorithm| algorithm.name == name);
    let asked = asked.algo.as_deref().and_then(named);
    asked.or_else(|| named(&stem)).map_or_else(
        || {
            let known = ALGORITHMS.map(|algorithm| algorithm.name);
            let remedy = format!("of rl-baselines3-zoo, files of {} are read", listed(&known));
            config_error(format!(
                "`{}` is the name of no algorithm there is here: {remedy}; --algo says which one this is of",
                quoted(&stem)
            ))
        },
        Ok,
    )
}

/// The environment and its keys: the one that the line says, or else the only one.
fn entry(
    mut root: Map<String, Value>,
    asked: &Asked,
    catalogue: &Catalogue,
    reading: &mut Reading,
) -> Result<(String, Map<String, Value>)> {
    let envs: Vec<String> = root.keys().filter(|name| !NO_ENVS.contains(&name.as_str())).cloned().collect();
    let ours: Vec<&str> = envs.iter().map(String::as_str).filter(|name| catalogue.env(name).is_ok()).collect();
    let env = match (asked.name_or(None), &envs[..]) {
        (Some(env), _) => env,
        (None, [env]) if ours.is_empty() => {
            return config_error(format!("`{}` is no environment that is here; `list envs` has ours", quoted(env)));
        }
        (None, [env]) => env.clone(),
        (None, _) if ours.is_empty() => {
            return config_error("none of its environments is here; `list envs` has ours".into());
        }
        (None, _) => {
            let remedy = format!("say which one by --env; of those that are here it has {}", listed(&ours));
            return config_error(format!("it is for {}: {remedy}", uphill_envs::counted(envs.len(), "environment")));
        }
    };
    catalogue.env(&env)?;
    let found = match root.remove(&env) {
        Some(entry) => Some(entry),
        None => root.remove("default").inspect(|_| {
            reading.nearly.push(("default", "the file has nothing of this environment by its own name"));
        }),
    };
    match found.and_then(super::object) {
        Some(entry) => Ok((env, entry)),
        None => {
            let meant = nearest(&env, envs.iter().map(String::as_str));
            let meant = meant.map_or(String::new(), |meant| format!("; did you mean `{}`?", quoted(meant)));
            let has = if ours.is_empty() { String::new() } else { format!("; of ours it has {}", listed(&ours)) };
            config_error(format!("it has nothing of `{}`{meant}{has}", quoted(&env)))
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn policy(keys: &mut Keys) -> Result<()> {
    let why = "without it the network is another one; of their policies MlpPolicy is read, and `list models` has what else there is";
    keys.refuse("policy", |value| *value == "MlpPolicy", why)
}

/// `normalize`: a switch, or the arguments of `VecNormalize`.
fn normalize(keys: &mut Keys, reading: &mut Reading) -> Result<()> {
    let Some(value) = keys.take("normalize") else { return Ok(()) };
    let is_flag = keys::flag(&value);
    if is_flag == Some(false) {
        return Ok(());
    }
    let given = if is_flag.is_some() { Value::Object(Map::new()) } else { value };
    let mut given = Keys::of(given, "normalize.")?;
    let (observation, reward) = (given.flag("norm_obs")?.unwrap_or(true), given.flag("norm_reward")?.unwrap_or(true));
    reading.set("normalize_observation", observation);
    reading.set("normalize_reward", reward);
    reading.set("clip_observation", given.number("clip_obs")?.unwrap_or(10.0));
    reading.set("clip_reward", given.number("clip_reward")?.unwrap_or(10.0));
    if observation && reading.table.contains_key("frame_stack") {
        reading.nearly.push(("normalize", "observations are scaled after they are stacked, and there before"));
    }
    // The zoo gives it the algorithm's.
    let gamma = reading.table.get("gamma").and_then(toml::Value::as_float);
    given.refuse("gamma", |value| keys::number(value) == gamma, "rewards are scaled by the gamma of the run")?;
    given.refuse(
        "training",
        |value| keys::flag(value) == Some(true),
        "what scales observations follows them in training",
    )?;
    let idle = [("epsilon", "1e-8 is added to a variance, whatever it says"), ("norm_obs_keys", "")];
    let known = ["norm_obs", "norm_reward", "clip_obs", "clip_reward", "gamma", "training"];
    given.finish(&idle, &known, "VecNormalize", reading)
}

/// What is weighed, limited or scheduled in another way.
fn coefficients(keys: &mut Keys, algorithm: &Algorithm, reading: &mut Reading) -> Result<()> {
    if algorithm.others.contains(&"vf_coef")
        && let Some(vf_coef) = keys.number("vf_coef")?
    {
        // Theirs weighs the whole squared error.
        reading.set("vf_coef", 2.0 * vf_coef);
    }
    if let Some((lr, falls)) = scheduled(keys, "learning_rate", reading)? {
        reading.set("lr", lr);
        reading.set("anneal_lr", falls);
    }
    if algorithm.name == "trpo" {
        if let Some(target_kl) = keys.number("target_kl")? {
            reading.set("max_kl", target_kl);
        }
        return Ok(());
    }
    if algorithm.name != "ppo" {
        return Ok(());
    }
    if let Some(target_kl) = keys.number("target_kl")? {
        reading.set("target_kl", 1.5 * target_kl);
        reading.nearly.push((
            "target_kl",
            "1.5 times it, at which training stops there; a pass is gone through to its end, and there broken off before a step",
        ));
    }
    if let Some((clip_range, falls)) = scheduled(keys, "clip_range", reading)? {
        let falling = || toml::Value::from(format!("linear({clip_range}, 0)"));
        reading.set("clip_range", if falls { falling() } else { clip_range.into() });
    }
    match scheduled(keys, "clip_range_vf", reading)? {
        None => {}
        Some((_, true)) => {
            return config_error("clip_range_vf = lin_… has no place here: it is a number that stays the same".into());
        }
        Some((clip_range_vf, false)) => {
            reading.set("clip_range_vf", clip_range_vf);
            reading.nearly.push((
                "clip_range_vf",
                "the larger of the errors of the clipped value and of the value itself counts, and there that of the clipped one",
            ));
        }
    }
    Ok(())
}

/// A number, and whether it falls to 0 in a straight line, as `lin_3e-4` does.
fn scheduled(keys: &mut Keys, key: &'static str, reading: &mut Reading) -> Result<Option<(f64, bool)>> {
    let Some(value) = keys.take(key) else { return Ok(None) };
    // Whatever is before it, as the zoo has it.
    let is_word = |text: &str| !text.is_empty() && text.chars().all(char::is_alphabetic);
    let falling = value.as_str().and_then(|text| text.split_once('_')).filter(|(before, _)| is_word(before));
    let falling = falling.map(|(_, number)| number);
    let number = match falling {
        Some(text) => keys::number(&text.into()),
        None => keys::number(&value),
    };
    if falling.is_some() {
        reading.nearly.push((
            key,
            "it falls with the steps before an update, and there with those after it, to 0 in the last one",
        ));
    }
    match number {
        Some(number) => Ok(Some((number, falling.is_some()))),
        None => Err(keys.wrong(key, &value, "a number, such as 3e-4, or lin_3e-4, which falls to 0")),
    }
}

/// The optimizer, before `policy_kwargs` say another.
fn optimizer(keys: &mut Keys, algorithm: &Algorithm) -> Result<Optimizer> {
    if algorithm.name != "a2c" {
        return Ok(Optimizer::Adam);
    }
    match keys.flag("use_rms_prop")?.unwrap_or(true) {
        true => Ok(Optimizer::RmsProp { eps: keys.number("rms_prop_eps")?.unwrap_or(1e-5) }),
        false => Ok(Optimizer::Adam),
    }
}

/// Steps that a noise of generalised state-dependent exploration is held for, where there is one; infinite for a rollout.
fn noise(keys: &mut Keys) -> Result<Option<f64>> {
    if !keys.flag("use_sde")?.unwrap_or(false) {
        return Ok(None);
    }
    let held = keys.count("sde_sample_freq")?.unwrap_or(-1);
    Ok(Some(if held < 1 { f64::INFINITY } else { held as f64 }))
}

/// `batch_size`, the steps of a minibatch, as their number.
fn minibatches(keys: &mut Keys, algorithm: &Algorithm, reading: &mut Reading) -> Result<()> {
    let Some(default) = algorithm.batch_size else { return Ok(()) };
    let said = keys.count("batch_size")?;
    let size = said.unwrap_or(default);
    let of = |name: &str| reading.table.get(name).and_then(toml::Value::as_integer).unwrap_or(1);
    let (envs, steps) = (of("envs"), of("n_steps"));
    let Some(rollout) = envs.checked_mul(steps).filter(|rollout| *rollout > 0 && size > 0) else {
        return config_error(format!(
            "batch_size = {size}, n_envs = {envs} and n_steps = {steps} are impossible: each must be a whole number, 1 or more"
        ));
    };
    // A larger one than there are steps has all of them.
    let size = size.min(rollout);
    if rollout % size != 0 {
        let divides = |size: &i64| *size > 0 && rollout % size == 0;
        let around = (1..size.min(1_000_000)).flat_map(|away| [size - away, size + away]);
        let would = around.into_iter().find(divides).unwrap_or(rollout);
        let by_default = if said.is_none() { ", which is the default," } else { "" };
        return config_error(format!(
            "batch_size = {size}{by_default} does not divide the {rollout} steps of a rollout, n_envs * n_steps = {envs} * {steps}: \
             minibatches here are of one size; {would} would divide them"
        ));
    }
    reading.set("n_minibatches", rollout / size);
    Ok(())
}
