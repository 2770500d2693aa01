//! What is read is what the libraries themselves make of such files, as `tests/reference/foreign.py` found it.

use serde_json::{Map, Value, json};

use super::{asked, config, ppo, read_as};
use crate::advantage::normalize;
use crate::objective::{Objective, RowGradients, RowSums, Rows};
use crate::{Config, Trainer};

/// What `foreign.py` found in the libraries themselves.
fn library() -> Value {
    serde_json::from_str(include_str!("../../../../tests/reference/foreign.json")).expect("what foreign.py wrote")
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number") as f32).collect()
}

fn close(what: &str, found: &[f32], expected: &[f32], within: f32) {
    let far = |(a, b): (&f32, &f32)| (a - b).abs() > within * b.abs().max(1e-3);
    let apart = found.len() != expected.len() || found.iter().zip(expected).any(far);
    assert!(!apart, "{what}: {found:?}, where the library has {expected:?}");
}

/// A file of the zoo's with these keys.
fn of_keys(algo: &str, env: &str, keys: &Map<String, Value>) -> Config {
    let mut keys = keys.clone();
    keys.insert("n_timesteps".into(), json!(1000));
    let text = json!({ env: keys }).to_string();
    let foreign = read_as(&format!("{algo}.yml"), &text, &asked(None, None));
    config(&foreign.unwrap_or_else(|e| panic!("{text}: {e}")).expect("another program's"))
}

#[test]
fn defaults_are_those_that_the_constructors_of_stable_baselines3_have() {
    let library = library();
    for (algo, of) in library["sb3"].as_object().expect("algorithms") {
        for (env, network) in of["networks"].as_object().expect("environments") {
            let mut said = of["defaults"].as_object().expect("arguments").clone();
            let mut kwargs = json!({ "net_arch": network["net_arch"], "ortho_init": true });
            kwargs["activation_fn"] = format!("nn.{}", network["activation_fn"].as_str().expect("a name")).into();
            let optimizer = network["optimizer"].as_object().expect("an optimizer");
            match optimizer["class"].as_str() {
                Some("Adam") => {
                    let kept = optimizer.iter().filter(|(name, _)| *name != "class");
                    kwargs["optimizer_kwargs"] = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
                }
                _ => {
                    assert_eq!(said["rms_prop_eps"], optimizer["eps"], "{algo}");
                    let others = json!({ "class": "RMSprop", "momentum": 0, "alpha": 0.99, "eps": 1e-5, "centered": false, "weight_decay": 0 });
                    assert_eq!(Value::from(optimizer.clone()), others, "{algo}: what rmsprop has here");
                }
            }
            said.insert("policy_kwargs".into(), kwargs);
            said.insert("normalize".into(), json!(false));
            let unsaid = of_keys(algo, env, &Map::new());
            let written = |config: &Config| config.to_toml().expect("TOML");
            assert_eq!(written(&of_keys(algo, env, &said)), written(&unsaid), "{algo} on {env}");
            begins_as(&unsaid, network, &format!("{algo} on {env}"));
        }
    }
    let mut scaled = library["vec_normalize"].as_object().expect("arguments").clone();
    let same = |normalize: Value| {
        of_keys("ppo", "Pendulum-v1", json!({ "normalize": normalize }).as_object().expect("a key")).to_toml()
    };
    assert_eq!(same(true.into()).expect("TOML"), same(scaled.clone().into()).expect("TOML"));
    scaled.insert("clip_obs".into(), json!(5.0));
    assert_ne!(same(true.into()).expect("TOML"), same(scaled.into()).expect("TOML"));
}

/// Asserts that the network's blocks begin with the lengths that they have there: those of orthogonal rows, however they are drawn.
fn begins_as(config: &Config, network: &Value, what: &str) {
    let trainer = Trainer::new(config).expect("a trainer");
    let theta = trainer.params().snapshot().expect("parameters");
    let (mut weights, mut biases) = ([vec![], vec![]], 0.0);
    for block in trainer.params().layout().blocks() {
        let of_block = &theta[block.range()];
        match block.name.as_str() {
            name if name.contains("log_std") => close(what, of_block, &numbers(&network["log_std"]), 0.0),
            name if name.ends_with("bias") => biases += of_block.iter().map(|x| x.abs()).sum::<f32>(),
            name => {
                let length = of_block.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
                weights[usize::from(name.starts_with("critic"))].push(length as f32);
            }
        }
    }
    assert_eq!(f64::from(biases), network["biases"], "{what}");
    for (part, found) in ["actor", "critic"].into_iter().zip(&weights) {
        close(&format!("{what}, {part}"), found, &numbers(&network["norms"][part]), 1e-4);
    }
}

/// Derivatives of the loss of a file with these keys, by log-probability, entropy and value.
fn slopes(algo: &str, keys: &Value, rows: &Value) -> [Vec<f32>; 3] {
    let config = of_keys(algo, "CartPole-v1", keys.as_object().expect("keys"));
    let algo = config.make_algo().expect("an algorithm").into_on_policy().expect("one objective");
    let [log_prob, entropy, value, old_log_prob, old_value, mut advantage, target] =
        ["log_prob", "entropy", "value", "old_log_prob", "old_value", "advantage", "target"]
            .map(|name| numbers(&rows[name]));
    if algo.normalize_advantage {
        normalize(&mut advantage);
    }
    let mut by = [(); 3].map(|()| vec![0.0; log_prob.len()]);
    let [by_log_prob, by_entropy, by_value] = &mut by;
    let mut out = RowGradients { log_prob: by_log_prob, entropy: by_entropy, value: by_value };
    let rows = Rows {
        log_prob: &log_prob,
        entropy: &entropy,
        value: &value,
        old_log_prob: &old_log_prob,
        advantage: &advantage,
        target: &target,
        old_value: &old_value,
    };
    algo.objective.rows(&rows, 1.0 / log_prob.len() as f32, &mut out, &mut RowSums::default());
    by
}

#[test]
fn losses_have_the_slopes_that_training_has_in_stable_baselines3() {
    let library = library();
    for case in library["losses"].as_array().expect("cases") {
        let algo = case["algo"].as_str().expect("a name");
        let found = slopes(algo, &case["keys"], &library["rows"]);
        for (name, found) in ["log_prob", "entropy", "value"].into_iter().zip(found) {
            close(&format!("{case} by {name}"), &found, &numbers(&case["slopes"][name]), 1e-5);
        }
    }
    // Of values that are clipped the larger error counts here, and there that of the clipped one, whose slope is none.
    let case = &library["clipped_values"];
    let [.., found] = slopes("ppo", &case["keys"], &library["rows"]);
    let [value, old, target] = ["value", "old_value", "target"].map(|name| numbers(&library["rows"][name]));
    let range = case["keys"]["clip_range_vf"].as_f64().expect("a number") as f32;
    let (mut same, mut other) = (0, 0);
    for (i, (found, there)) in found.iter().zip(numbers(&case["slopes"]["value"])).enumerate() {
        let clipped = old[i] + (value[i] - old[i]).clamp(-range, range);
        if (clipped - target[i]).abs() >= (value[i] - target[i]).abs() {
            close(&format!("row {i}"), &[*found], &[there], 1e-5);
            same += 1;
        } else {
            assert!(there == 0.0 && *found != 0.0, "row {i}: {found} and {there}");
            other += 1;
        }
    }
    assert!(same > 8 && other > 2, "{same} and {other}");
}

#[test]
fn passes_end_at_the_divergence_at_which_those_of_stable_baselines3_end() {
    for (target_kl, stops_at) in library()["stops_at"].as_object().expect("targets") {
        let found = config(&ppo(&format!("target_kl: {target_kl}"))).make_algo().expect("an algorithm");
        let found = found.into_on_policy().expect("one objective").target_kl;
        close(target_kl, &[found as f32], &[stops_at.as_f64().expect("a number") as f32], 1e-6);
    }
}

#[test]
fn defaults_are_those_of_the_scripts_of_cleanrl_and_purejaxrl() {
    let library = library();
    let settings = |keys: &Value, env: &str| {
        let foreign = read_as("args.json", &keys.to_string(), &asked(None, Some(env)));
        config(&foreign.unwrap_or_else(|e| panic!("{keys}: {e}")).expect("theirs")).to_toml().expect("TOML")
    };
    let scripts = [("ppo", "CartPole-v1"), ("ppo_continuous_action", "Pendulum-v1")];
    for (script, env) in scripts {
        let said = settings(&library["cleanrl"][script], env);
        // Seeds are ours where nothing is said.
        let unsaid = settings(&json!({ "env_id": env, "seed": 1 }), env);
        assert_eq!(said, unsaid, "{script}");
    }
    // PureJaxRL's of choices has the numbers of CleanRL's.
    let (script, env) = scripts[0];
    let mut keys = library["purejaxrl"][script].clone();
    keys["SEED"] = json!(1);
    assert_eq!(settings(&keys, env), settings(&library["cleanrl"][script], env));
    let found = settings(&library["purejaxrl"]["ppo_continuous_action"], "Pendulum-v1");
    for line in
        ["envs = 2048", "n_steps = 10", "steps = 49991680", "lr = 0.0003", "anneal_lr = false", "hidden = [256, 256]"]
    {
        assert!(found.lines().any(|of_run| of_run == line), "no `{line}` in\n{found}");
    }
}

#[test]
fn what_falls_is_an_update_later_than_in_stable_baselines3() {
    let there = &library()["schedule"];
    let keys = json!({ "n_steps": 250, "batch_size": 250, "n_epochs": 1, "learning_rate": "lin_1e-3" });
    let mut trainer = Trainer::new(&of_keys("ppo", "CartPole-v1", keys.as_object().expect("keys"))).expect("a trainer");
    let mut rates = Vec::new();
    while let Some(metrics) = trainer.step().expect("an update") {
        rates.extend(metrics.lr.map(|lr| lr as f32));
    }
    close("the first", &rates[..1], &[1e-3], 1e-6);
    close("the others", &rates[1..], &numbers(&there["lr"])[..3], 1e-6);
    // A rollout that is begun is played to its end in both.
    let keys = json!({ "n_steps": 300, "batch_size": 300, "n_epochs": 1 });
    let mut trainer = Trainer::new(&of_keys("ppo", "CartPole-v1", keys.as_object().expect("keys"))).expect("a trainer");
    while trainer.step().expect("an update").is_some() {}
    assert_eq!(json!(trainer.env_steps()), there["ends_at"]);
}
