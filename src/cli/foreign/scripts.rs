//! Arguments of CleanRL's scripts of PPO, and those of PureJaxRL's in capitals.
//!
//! A script is for choices or for numbers as actions, so the environment says which one is meant:
//! <https://docs.cleanrl.dev/rl-algorithms/ppo/>, <https://github.com/luchris429/purejaxrl>.

use serde_json::{Map, Value};

use super::keys::{self, Keys};
use super::{Asked, Reading, config_error};
use crate::{Catalogue, Error, Result};

/// What both have, whatever is said.
const BOTH: &str = "algo = 'ppo'\noptimizer = 'adam(eps=1e-5)'\nclip_grad_by = 'whole'\nnormalize_advantage = true\n\
                    target_kl = inf\nactivation = 'tanh'\ninit = 'orthogonal'\nhidden = [64, 64]\n";

/// `ppo.py`
const CHOICES: &str = "steps = 500_000\nenvs = 4\nn_steps = 128\nn_epochs = 4\nn_minibatches = 4\ngamma = 0.99\ngae_lambda = 0.95\n\
                       clip_range = 0.2\nent_coef = 0.01\nvf_coef = 0.5\nlr = 2.5e-4\nanneal_lr = true\nmax_grad_norm = 0.5\n";

/// `ppo_continuous_action.py`
const NUMBERS: &str = "steps = 1_000_000\nenvs = 1\nn_steps = 2048\nn_epochs = 10\nn_minibatches = 32\ngamma = 0.99\n\
                       gae_lambda = 0.95\nclip_range = 0.2\nent_coef = 0.0\nvf_coef = 0.5\nlr = 3e-4\nanneal_lr = true\n\
                       max_grad_norm = 0.5\nnormalize_observation = true\nnormalize_reward = true\n";

/// What means the same by the same or another name.
const CLEANRL: [&str; 16] = [
    "total_timesteps",
    "num_envs",
    "num_steps",
    "update_epochs",
    "num_minibatches",
    "gamma",
    "gae_lambda",
    "norm_adv",
    "clip_coef",
    "ent_coef",
    "vf_coef",
    "max_grad_norm",
    "learning_rate",
    "anneal_lr",
    "seed",
    "rpo_alpha",
];

/// The same of PureJaxRL, where nothing has a default.
const PUREJAXRL: [&str; 13] = [
    "TOTAL_TIMESTEPS",
    "NUM_ENVS",
    "NUM_STEPS",
    "UPDATE_EPOCHS",
    "NUM_MINIBATCHES",
    "GAMMA",
    "GAE_LAMBDA",
    "CLIP_EPS",
    "ENT_COEF",
    "VF_COEF",
    "MAX_GRAD_NORM",
    "LR",
    "ANNEAL_LR",
];

const RECKONED: &str = "it follows from the others";
const NAMED: &str = "a run's name is that of its folder, --out";
const UPLOADS: &str = "nothing is uploaded, and a run's folder has its policy";

/// What changes nothing that is learnt, and why it has no place; where that is empty, [`names`](crate::names) knows why.
const IDLE: [(&str, &str); 16] = [
    ("exp_name", NAMED),
    ("torch_deterministic", ""),
    ("cuda", "a run is on the CPU unless --device says another"),
    ("track", ""),
    ("wandb_project_name", ""),
    ("wandb_entity", ""),
    ("capture_video", ""),
    ("save_model", UPLOADS),
    ("upload_model", UPLOADS),
    ("hf_entity", UPLOADS),
    ("batch_size", RECKONED),
    ("minibatch_size", RECKONED),
    ("num_iterations", RECKONED),
    ("NUM_UPDATES", RECKONED),
    ("MINIBATCH_SIZE", RECKONED),
    ("DEBUG", "progress is shown unless --quiet says no"),
];

/// Whether a table is theirs: of ours neither key would be one.
pub(super) fn is_theirs(root: &Map<String, Value>) -> bool {
    root.contains_key("env_id") || root.contains_key("ENV_NAME")
}

/// Reads the arguments of a run.
pub(super) fn read(
    root: Map<String, Value>,
    asked: &Asked,
    catalogue: &Catalogue,
    reading: &mut Reading,
) -> Result<()> {
    let mut keys = Keys::new(root, "");
    let is_jax = keys.has("ENV_NAME");
    let whose = if is_jax { "PureJaxRL's PPO" } else { "CleanRL's PPO" };
    let own = keys.word(if is_jax { "ENV_NAME" } else { "env_id" })?;
    let Some(env) = asked.name_or(own) else {
        let problem = "it is neither of rl-baselines3-zoo, which has an environment for each key at the top, nor of CleanRL or PureJaxRL, \
                       which say env_id or ENV_NAME";
        return config_error(problem.into());
    };
    catalogue.env(&env)?;
    let is_box = asked.has_numbers_as_actions(&env, catalogue)?;
    let defaults = format!("{BOTH}{}", if is_box { NUMBERS } else { CHOICES });
    reading.table = defaults.parse().map_err(|e: toml::de::Error| Error::Config(e.to_string()))?;
    reading.of = format!("{env} by {whose}; config.toml has all of it in settings of ours");
    reading.set("env", env);
    let row = keys::row("ppo", catalogue)?;
    match is_jax {
        true => {
            if let Some(missing) = PUREJAXRL.iter().find(|key| !keys.has(key)) {
                return config_error(format!("{missing} is missing: {whose} has no defaults"));
            }
            keys.same(&PUREJAXRL, row, reading)?;
            keys.same(&["SEED"], row, reading)?;
            let what = "they are divided by the deviation of a sample, and there by that of a population";
            reading.nearly.push(("advantages", what));
            network(&mut keys, is_box, reading)?;
        }
        false => keys.same(&CLEANRL, row, reading)?,
    }
    if let Some(target_kl) = keys.number("target_kl")? {
        reading.set("target_kl", target_kl);
    }
    // A switch: by as much as ratios.
    let clips = is_jax || keys.flag("clip_vloss")?.unwrap_or(true);
    let clip_range = reading.table.get("clip_range").cloned().unwrap_or(toml::Value::Float(f64::INFINITY));
    reading.set("clip_range_vf", if clips { clip_range } else { f64::INFINITY.into() });
    whole_updates(reading)?;
    reading.nearly.push((
        "episodes",
        "one that is cut off at its limit is worth what the critic expects of its last state, and nothing there",
    ));
    let known: Vec<&str> = match is_jax {
        true => PUREJAXRL.into_iter().chain(["ENV_NAME", "ACTIVATION", "NORMALIZE_ENV", "SEED"]).collect(),
        false => CLEANRL.into_iter().chain(["env_id", "target_kl", "clip_vloss"]).collect(),
    };
    keys.finish(&IDLE, &known, whose, reading)
}

/// The steps of as many whole updates as fit into what is said: neither begins another one.
fn whole_updates(reading: &mut Reading) -> Result<()> {
    let of = |name: &str| reading.table.get(name).and_then(toml::Value::as_integer).unwrap_or(1);
    let (steps, envs, n_steps) = (of("steps"), of("envs"), of("n_steps"));
    let Some(rollout) = envs.checked_mul(n_steps).filter(|rollout| envs > 0 && *rollout > 0 && *rollout <= steps)
    else {
        return config_error(format!(
            "{steps} steps are none of {envs} environments by {n_steps} each: no update fits into them"
        ));
    };
    reading.set("steps", steps / rollout * rollout);
    Ok(())
}

/// The network and the scales of PureJaxRL's two scripts.
fn network(keys: &mut Keys, is_box: bool, reading: &mut Reading) -> Result<()> {
    let activation = keys.word("ACTIVATION")?.unwrap_or_else(|| "tanh".into());
    if !["tanh", "relu"].contains(&activation.as_str()) {
        return Err(keys.wrong("ACTIVATION", &activation.as_str().into(), "tanh or relu"));
    }
    reading.set("activation", activation);
    if !is_box {
        return Ok(());
    }
    reading.set("hidden", vec![256, 256]);
    let scales = keys.flag("NORMALIZE_ENV")?.unwrap_or(false);
    for name in ["normalize_observation", "normalize_reward"] {
        reading.set(name, scales);
    }
    for name in ["clip_observation", "clip_reward"] {
        reading.set(name, f64::INFINITY);
    }
    Ok(())
}
