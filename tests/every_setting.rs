//! Every setting and argument with every algorithm: what is taken changes what is learnt, and what would change nothing is refused.

use uphill::words::Param;
use uphill::{Catalogue, Config, Trainer, algo};

/// What changes where a run goes or when it ends, and no bit of what it learns.
const BESIDE: [&str; 12] = [
    "device",
    "threads",
    "max_memory",
    "sinks",
    "eval_every",
    "eval_episodes",
    "eval_deterministic",
    "stop_at_return",
    "stop_without_improvement",
    "continued",
    "on_divergence",
    "env",
];

/// Settings and arguments, values to try, of which the first that the algorithm does not have anyway is, and what makes it felt in
/// a few updates.
#[rustfmt::skip]
const TRIED: &[(&str, &[&str], &str)] = &[
    ("precision", &["'bf16'"], ""),
    ("envs_on_device", &["true"], ""),
    ("model", &["'mlp(layer_norm=true)'", "'mlp'"], ""),
    ("distribution", &["'squashed_diag_gaussian'"], ""),
    ("optimizer", &["'lion(lr=1e-3)'"], ""),
    ("seed", &["9"], ""),
    ("steps", &["2000"], ""),
    ("envs", &["4"], ""),
    ("n_steps", &["6"], ""),
    ("episodes", &["12"], ""),
    ("n_epochs", &["3"], ""),
    ("n_minibatches", &["4"], ""),
    ("gamma", &["0.5"], ""),
    ("gae_lambda", &["0.3"], ""),
    ("baseline", &["false"], ""),
    ("normalize_advantage", &["true", "false"], ""),
    ("clip_range", &["0.001"], ""),
    ("clip_range_vf", &["0.001"], ""),
    ("ent_coef", &["0.5"], ""),
    ("vf_coef", &["1e-6"], ""),
    ("target_kl", &["1e-9"], ""),
    ("lr", &["0.05"], ""),
    ("critic_lr_factor", &["3.0"], ""),
    ("trunk_lr_factor", &["3.0"], "shared_trunk = true"),
    ("log_std_lr_factor", &["3.0"], ""),
    ("anneal_lr", &["true", "false"], ""),
    ("max_grad_norm", &["0.001"], ""),
    ("clip_grad_by", &["'whole'"], "max_grad_norm = 0.001"),
    ("normalize_observation", &["true", "false"], ""),
    ("clip_observation", &["0.1"], "normalize_observation = true"),
    ("normalize_reward", &["true", "false"], ""),
    ("clip_reward", &["0.01"], "normalize_reward = true"),
    ("normalize_value", &["true"], ""),
    ("mask_actions", &["false"], ""),
    ("frame_stack", &["2"], ""),
    ("hidden", &["[11]"], ""),
    ("activation", &["'relu'"], ""),
    ("init", &["'xavier'"], ""),
    ("shared_trunk", &["true"], ""),
    // Arguments.
    ("estimator", &["'upgo'"], ""),
    ("recompute_advantages", &["true"], ""),
    ("dual_clip", &["1.0001"], "lr = 0.1"),
    ("desired_kl", &["1e-9"], ""),
    ("rpo_alpha", &["0.5"], ""),
    ("kl_target", &["1e-9"], ""),
    ("kl_coef", &["100"], ""),
    ("dpo_alpha", &["0.1"], "lr = 0.1"),
    ("dpo_beta", &["0.01"], "lr = 0.1"),
    ("trace_lambda", &["0.1"], ""),
    ("clip_rho", &["0.1"], ""),
    ("clip_c", &["0.1"], ""),
    ("max_kl", &["0.0001"], ""),
    ("cg_iterations", &["1"], ""),
    ("cg_damping", &["10"], ""),
    ("line_search_steps", &["1"], "max_kl = 30.0\nline_search_decay = 0.2"),
    ("line_search_decay", &["0.1"], "max_kl = 30.0"),
    ("discount_states", &["true"], ""),
    ("kappa_policy", &["30"], ""),
    ("kappa_value", &["30"], ""),
    ("critic_hidden", &["[3]"], ""),
    ("layer_norm", &["true", "false"], ""),
    ("log_std_init", &["-1"], ""),
    ("state_dependent_std", &["true"], ""),
    ("sde_sample_freq", &["3"], "distribution = 'gsde'"),
];

const ENVS: [&str; 2] = ["CartPole-v1 | time_limit(12)", "Pendulum-v1 | time_limit(12)"];

/// A run of few updates: its number of them, and its parameters.
fn learnt(config: &Config) -> (u64, Vec<u32>) {
    let mut trainer = Trainer::new(config).expect("a trainer");
    while trainer.step().expect("an update").is_some() {}
    let params = trainer.params().snapshot().expect("values");
    (trainer.updates(), params.into_iter().map(f32::to_bits).collect())
}

/// The smallest run of an algorithm.
fn text(row: &algo::Row, env: &str) -> toml::Table {
    let has = |param: &str| row.params.iter().any(|own| own.name == param);
    let mut text = format!("algo = '{}'\nenv = '{env}'\nenvs = 2\nhidden = [12]\nthreads = 1\n", row.name);
    for (name, value) in [("n_steps", 8), ("episodes", 4), ("n_epochs", 2), ("n_minibatches", 2)] {
        if has(name) {
            text += &format!("{name} = {value}\n");
        }
    }
    text += if has("episodes") { "steps = 200" } else { "steps = 64" };
    text.parse().expect("a table")
}

fn with(table: &toml::Table, more: &str) -> toml::Table {
    let mut table = table.clone();
    table.extend(more.parse::<toml::Table>().expect("settings"));
    table
}

#[test]
fn what_is_taken_changes_what_is_learnt() {
    let catalogue = Catalogue::default();
    let of_rows = |params: &'static [Param]| params.iter().map(|param| param.name);
    let mut names: Vec<&str> = Config::SETTINGS.iter().map(|(name, _)| *name).collect();
    names.retain(|name| !BESIDE.contains(name) && *name != "algo");
    names.extend(catalogue.algos().iter().flat_map(|row| of_rows(row.params)));
    names.extend(catalogue.distributions().iter().flat_map(|row| of_rows(row.params)));
    names.extend(of_rows(catalogue.model("mlp").expect("a model").params));
    for name in names {
        assert!(TRIED.iter().any(|(tried, ..)| *tried == name), "{name} is not tried");
    }
    let (mut felt, mut refused, mut idle) = (0, 0, Vec::new());
    for row in catalogue.algos() {
        for env in ENVS {
            let plain = text(row, env);
            let read = |table: toml::Table| Config::from_table_with(table, &catalogue);
            for (name, values, bites) in TRIED {
                let Ok(before) = read(with(&plain, bites)) else { continue };
                let shown: toml::Table = before.to_toml().expect("settings").parse().expect("a table");
                let is_other = |value: &&&str| {
                    let value = format!("x = {value}").parse::<toml::Table>().expect("a value")["x"].clone();
                    let of_model = before.model.arg(name).and_then(|own| own.word().map(String::from));
                    shown.get(*name) != Some(&value) && of_model != Some(value.to_string())
                };
                let value = values.iter().find(is_other).expect("another value");
                let after = match read(with(&plain, &format!("{bites}\n{name} = {value}"))) {
                    Ok(config) => Trainer::new(&config).map(|_| config),
                    Err(error) => Err(error),
                };
                match after {
                    Ok(after) if learnt(&after) != learnt(&before) => felt += 1,
                    Ok(_) => idle.push(format!("{} in {env}: {name} = {value}", row.name)),
                    Err(error) => {
                        let message = error.to_string();
                        let is_told = [
                            "no effect",
                            "no argument",
                            "it is not over",
                            "leave it out",
                            "leave that out",
                            "there is no",
                        ];
                        assert!(is_told.iter().any(|said| message.contains(said)), "{}: {name}: {message}", row.name);
                        refused += 1;
                    }
                }
            }
        }
    }
    println!("{felt} {refused}");
    assert!(idle.is_empty(), "taken, and nothing comes of it:\n{}", idle.join("\n"));
    assert!(felt > 500 && refused > 100, "{felt} {refused}");
}
