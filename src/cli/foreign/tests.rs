//! Where each key of another program's file goes, and what is said of those that go nowhere.

mod any_bytes;
mod libraries;

use std::fs;

use super::{Asked, Foreign, read};
use crate::{Catalogue, Config, Result};

fn asked(algo: Option<&str>, env: Option<&str>) -> Asked {
    Asked { algo: algo.map(Into::into), env: env.map(Into::into), steps: false }
}

fn read_as(file: &str, text: &str, asked: &Asked) -> Result<Option<Foreign>> {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join(file);
    fs::write(&path, text).expect("a file");
    read(&path, asked, &Catalogue::default())
}

/// Entries of one environment as a file of the zoo's.
fn zoo(file: &str, env: &str, entries: &str) -> Result<Foreign> {
    let entries: String = entries.lines().map(|line| format!("  {}\n", line.trim())).collect();
    let text = format!("{env}:\n  n_timesteps: 1000\n{entries}");
    read_as(file, &text, &asked(None, None)).map(|foreign| foreign.expect("another program's"))
}

fn ppo(entries: &str) -> Foreign {
    zoo("ppo.yml", "Pendulum-v1", entries).unwrap_or_else(|e| panic!("{entries}: {e}"))
}

fn error(entries: &str) -> String {
    zoo("ppo.yml", "Pendulum-v1", entries).err().unwrap_or_else(|| panic!("{entries}: it is read")).to_string()
}

fn config(foreign: &Foreign) -> Config {
    Config::from_table(foreign.table.clone()).expect("a configuration")
}

/// Asserts that lines of TOML are among the settings, written as `config.toml` has them.
fn has(foreign: &Foreign, lines: &str) {
    let written = config(foreign).to_toml().expect("TOML");
    for line in lines.lines().map(str::trim) {
        assert!(written.lines().any(|of_run| of_run == line), "no `{line}` in\n{written}");
    }
}

#[test]
fn what_a_file_of_the_zoo_does_not_say_is_as_stable_baselines3_has_it() {
    has(
        &ppo("policy: 'MlpPolicy'"),
        "algo = \"ppo\"\nsteps = 1000\nenvs = 1\nn_steps = 2048\nn_epochs = 10\nn_minibatches = 32\ngamma = 0.99
         gae_lambda = 0.95\nnormalize_advantage = true\nclip_range = 0.2\nclip_range_vf = inf\nent_coef = 0.0
         vf_coef = 1.0\ntarget_kl = inf\nlr = 0.0003\nanneal_lr = false\nmax_grad_norm = 0.5
         clip_grad_by = \"whole\"\noptimizer = \"adam(eps=1e-5)\"\nhidden = [64, 64]\nactivation = \"tanh\"
         init = \"orthogonal\"\nnormalize_observation = false\nnormalize_reward = false",
    );
    has(
        &zoo("a2c.yml", "Pendulum-v1", "").expect("a file"),
        "algo = \"a2c\"\nenvs = 1\nn_steps = 5\ngae_lambda = 1.0\nnormalize_advantage = false\nvf_coef = 1.0
         lr = 0.0007\nanneal_lr = false\nclip_grad_by = \"whole\"\noptimizer = \"rmsprop(eps=1e-5)\"",
    );
    // The critic's loss is half of theirs, of which Adam makes the same steps with half the eps.
    has(
        &zoo("trpo.yml", "Pendulum-v1", "").expect("a file"),
        "envs = 1\nn_steps = 2048\nn_epochs = 10\nn_minibatches = 16\nlr = 0.001\nmax_grad_norm = inf
         optimizer = \"adam(eps=5e-6)\"",
    );
    let trpo = zoo("trpo.yml", "Pendulum-v1", "").expect("a file");
    let algo = config(&trpo).algo.to_string();
    for part in ["max_kl=0.01", "cg_iterations=15", "cg_damping=0.1", "line_search_steps=10", "line_search_decay=0.8"] {
        assert!(algo.contains(part), "{algo}");
    }
}

#[test]
fn every_key_of_the_zoo_has_its_place() {
    let places = [
        ("n_envs: 8", "envs = 8\nn_minibatches = 256"),
        ("n_steps: 512", "n_steps = 512\nn_minibatches = 8"),
        ("batch_size: 128", "n_minibatches = 16"),
        ("batch_size: 4096", "n_minibatches = 1"),
        ("gae_lambda: 0.9", "gae_lambda = 0.9"),
        ("gamma: 0.9", "gamma = 0.9"),
        ("n_epochs: 20", "n_epochs = 20"),
        ("ent_coef: 1e-3", "ent_coef = 0.001"),
        ("learning_rate: !!float 1e-3", "lr = 0.001\nanneal_lr = false"),
        ("learning_rate: lin_1e-3", "lr = 0.001\nanneal_lr = true"),
        ("clip_range: 0.1", "clip_range = 0.1"),
        ("clip_range: lin_0.1", "clip_range = \"linear(0.1, 0)\""),
        ("clip_range_vf: 0.4", "clip_range_vf = 0.4"),
        ("clip_range_vf: null", "clip_range_vf = inf"),
        ("vf_coef: 0.7", "vf_coef = 1.4"),
        ("target_kl: 0.02", "target_kl = 0.03"),
        ("max_grad_norm: 2", "max_grad_norm = 2.0"),
        ("normalize_advantage: false", "normalize_advantage = false"),
        ("seed: 5", "seed = 5"),
        ("frame_stack: 3", "frame_stack = 3"),
        ("n_stack: 3", "frame_stack = 3"),
        (
            "normalize: true",
            "normalize_observation = true\nclip_observation = 10.0\nnormalize_reward = true\nclip_reward = 10.0",
        ),
        ("normalize: false", "normalize_observation = false\nnormalize_reward = false"),
        (
            "normalize: \"{'norm_obs': True, 'norm_reward': False}\"",
            "normalize_observation = true\nnormalize_reward = false",
        ),
        ("normalize: dict(norm_obs=False, clip_reward=5)", "normalize_observation = false\nclip_reward = 5.0"),
        ("normalize: {norm_reward: false, clip_obs: 7}", "normalize_reward = false\nclip_observation = 7.0"),
        ("use_sde: true", "distribution = \"gsde\""),
        ("use_sde: true\nsde_sample_freq: 4", "distribution = \"gsde(sde_sample_freq=4)\""),
        ("policy_kwargs: dict(net_arch=[32, 16])", "hidden = [32, 16]"),
        ("policy_kwargs: dict(net_arch=[])", "hidden = []"),
        ("policy_kwargs: dict(net_arch=dict(pi=[32], vf=[16]))", "hidden = [32]\nmodel = \"mlp(critic_hidden=[16])\""),
        ("policy_kwargs: dict(net_arch=[dict(pi=[32], vf=[32])])", "hidden = [32]\nmodel = \"mlp\""),
        ("policy_kwargs: \"dict(activation_fn=th.nn.ReLU)\"", "activation = \"relu\""),
        ("policy_kwargs: dict(log_std_init=-2)", "distribution = \"diag_gaussian(log_std_init=-2)\""),
        ("use_sde: true\npolicy_kwargs: dict(log_std_init=-2.5)", "distribution = \"gsde(log_std_init=-2.5)\""),
        ("policy_kwargs: dict(ortho_init=False)", "init = \"kaiming\""),
        ("policy_kwargs: {net_arch: [8], ortho_init: true}", "hidden = [8]\ninit = \"orthogonal\""),
        ("policy_kwargs: dict(optimizer_kwargs=dict(eps=1e-7))", "optimizer = \"adam(eps=1e-7)\""),
        ("policy_kwargs: dict(optimizer_class=th.optim.Adam)", "optimizer = \"adam(eps=1e-5)\""),
    ];
    for (entries, lines) in places {
        has(&ppo(entries), lines);
    }
    has(&zoo("a2c.yml", "CartPole-v1", "use_rms_prop: False").expect("a file"), "optimizer = \"adam(eps=1e-5)\"");
    has(&zoo("a2c.yml", "CartPole-v1", "rms_prop_eps: 1e-4").expect("a file"), "optimizer = \"rmsprop(eps=1e-4)\"");
    let trpo = "batch_size: 256\nn_critic_updates: 20\ncg_max_steps: 25\ncg_damping: 0.2\nline_search_max_iter: 5
                line_search_shrinking_factor: 0.5\ntarget_kl: 0.04\nsub_sampling_factor: 1";
    let trpo = zoo("trpo.yml", "CartPole-v1", trpo).expect("a file");
    has(&trpo, "n_minibatches = 8\nn_epochs = 20");
    let algo = config(&trpo).algo.to_string();
    for part in ["max_kl=0.04", "cg_iterations=25", "cg_damping=0.2", "line_search_steps=5", "line_search_decay=0.5"] {
        assert!(algo.contains(part), "{algo}");
    }
}

#[test]
fn what_has_no_place_is_named_and_what_is_not_quite_the_same_too() {
    assert_eq!(ppo("gamma: 0.9").notes.len(), 1, "nothing to say but whose it is");
    let notes = ppo("verbose: 1\ncallback: a.B\nsde_sample_freq: 4\nnormalize: dict(epsilon=1e-6)").notes;
    assert_eq!(
        notes[1],
        "ppo.yml: without a place here: normalize.epsilon (1e-8 is added to a variance, whatever it says), callback (what goes along \
         with training changes nothing of it), sde_sample_freq (without use_sde it has no effect there), verbose (progress is shown \
         unless --quiet says no)"
    );
    for key in ["target_kl: 0.1", "clip_range_vf: 0.1", "frame_stack: 2", "policy_kwargs: dict(ortho_init=False)"] {
        let notes = ppo(key).notes;
        assert!(notes.len() == 2 && notes[1].starts_with("ppo.yml: not quite the same here: "), "{notes:?}");
    }
    let scaled = ppo("normalize: true").notes;
    assert!(scaled[1].contains("scales of observations and rewards (they stand still"), "{scaled:?}");
    let choices = zoo("ppo.yml", "CartPole-v1", "policy_kwargs: dict(log_std_init=-1)").expect("a file");
    assert!(choices.notes[1].contains("policy_kwargs.log_std_init (choices have no deviation)"), "{:?}", choices.notes);
}

#[test]
fn what_would_make_another_run_is_refused() {
    let refusals = [
        (
            "env_wrapper: gymnasium.wrappers.AtariPreprocessing",
            "env_wrapper = \"gymnasium.wrappers.AtariPreprocessing\" has no place",
        ),
        ("env_wrapper:\n  - a.B: {x: 1}", "env_wrapper"),
        ("policy: CnnPolicy", "policy = \"CnnPolicy\" has no place here"),
        ("batch_size: 100", "128 would divide them"),
        ("n_steps: 100", "batch_size = 64, which is the default, does not divide the 100 steps"),
        ("batch_size: 0", "1 or more"),
        ("n_envs: many", "n_envs = \"many\" is impossible: it must be a whole number"),
        ("learning_rate: fast", "learning_rate = \"fast\" is impossible"),
        ("clip_range_vf: lin_0.2", "clip_range_vf"),
        ("n_epoch: 3", "ppo of Stable-Baselines3 has no `n_epoch`; did you mean `n_epochs`?"),
        ("buffer_size: 100", "ppo of Stable-Baselines3 has no `buffer_size`"),
        ("use_rms_prop: false", "ppo of Stable-Baselines3 has no `use_rms_prop`"),
        ("normalize: dict(gamma=0.5)", "normalize.gamma = 0.5 has no place here"),
        ("normalize: dict(norm_ob=True)", "VecNormalize has no `normalize.norm_ob`; did you mean `norm_obs`?"),
        ("policy_kwargs: dict(activation_fn=nn.ELU)", "there are Tanh, ReLU"),
        ("policy_kwargs: dict(net_arch=[64, dict(pi=[64])])", "net_arch"),
        ("policy_kwargs: dict(features_extractor_class=Mine)", "the network is another one"),
        ("policy_kwargs: dict(use_expln=True)", "the noise is another one"),
        ("policy_kwargs: dict(optimizer_class=RMSpropTFLike)", "optimizer_class"),
        ("policy_kwargs: dict(net_arch=open('x'))", "no call but that of dict"),
        ("policy_kwargs: \"dict(net_arch=[64\"", "no Python literal"),
        ("policy_kwargs: 5", "policy_kwargs = 5 is impossible: it must be a dict"),
        ("frame_stack: 2\nn_stack: 2", "leave one of them out"),
    ];
    for (entries, said) in refusals {
        let error = error(entries);
        assert!(error.contains(said) && !error.contains('\n'), "{entries}: {error}");
    }
    let a2c = zoo("a2c.yml", "CartPole-v1", "n_epochs: 3").expect_err("a2c has none").to_string();
    assert!(a2c.contains("a2c of Stable-Baselines3 has no `n_epochs`"), "{a2c}");
    let trpo = zoo("trpo.yml", "CartPole-v1", "sub_sampling_factor: 2").expect_err("all are learnt from").to_string();
    assert!(trpo.contains("sub_sampling_factor"), "{trpo}");
}

const MANY: &str = "default: &usual\n  n_timesteps: !!float 1e4\n  n_envs: 2\n  gamma: 0.9\n\
                    Pendulum-v1:\n  <<: *usual\n  gamma: 0.8\nCartPole-v1:\n  <<: *usual\nLunarLander-v3: {n_timesteps: 1}\n";

#[test]
fn the_environment_and_the_algorithm_are_the_lines_or_else_the_files() {
    let pendulum = read_as("PPO.yml", MANY, &asked(None, Some("Pendulum-v1"))).expect("a file").expect("theirs");
    has(&pendulum, "env = \"Pendulum-v1\"\nalgo = \"ppo\"\nsteps = 10000\nenvs = 2\ngamma = 0.8");
    let pole = read_as("mine.yaml", MANY, &asked(Some("trpo"), Some("CartPole-v1"))).expect("a file").expect("theirs");
    has(&pole, "env = \"CartPole-v1\"\nenvs = 2\ngamma = 0.9");
    let other = read_as("ppo.yml", MANY, &asked(None, Some("Acrobot-v1"))).expect("a file").expect("theirs");
    has(&other, "env = \"Acrobot-v1\"\ngamma = 0.9");
    assert!(other.notes[1].contains("default"), "{:?}", other.notes);
    let error = |file: &str, text: &str, algo: Option<&str>, env: Option<&str>| {
        read_as(file, text, &asked(algo, env)).expect_err("a mistake").to_string()
    };
    assert!(error("ppo.yml", MANY, None, None).contains("of those that are here it has CartPole-v1 and Pendulum-v1"));
    assert!(error("sac.yml", MANY, None, Some("CartPole-v1")).contains("files of ppo, a2c and trpo are read"));
    assert!(error("ppo.yml", MANY, None, Some("Pendulm-v1")).contains("did you mean `Pendulum-v1`?"));
    let without_default = "CartPole-v1: {n_timesteps: 1}\n";
    assert!(
        error("ppo.yml", without_default, None, Some("Pendulum-v1"))
            .contains("nothing of `Pendulum-v1`; of ours it has CartPole-v1")
    );
    assert!(
        error("ppo.yml", "Ant-v4: {n_timesteps: 1}\n", None, None).contains("`Ant-v4` is no environment that is here")
    );
    for nothing in ["CartPole-v1: {n_envs: 1}\n", "CartPole-v1:\n", "CartPole-v1: {}\nAnt-v4:\n"] {
        assert!(error("ppo.yml", nothing, None, Some("CartPole-v1")).contains("n_timesteps is missing"), "{nothing}");
    }
    for (text, said) in [("a: 1\na: 2\n", "duplicate mapping key: a at line"), ("a: .nan\n", "`.nan` rejected at line")]
    {
        assert!(error("ppo.yml", text, None, None).contains(said), "{}", error("ppo.yml", text, None, None));
    }
    let said = Asked { steps: true, ..asked(None, None) };
    assert!(read_as("ppo.yml", "CartPole-v1: {n_envs: 1}\n", &said).is_ok());
}

#[test]
fn no_file_goes_too_deep_or_comes_to_too_much() {
    let bomb: String = (1..12)
        .map(|i| format!("k{i}: &k{i} [{}]\n", vec![format!("*k{}", i - 1); 9].join(", ")))
        .fold("k0: &k0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n".into(), |text: String, line| text + &line);
    let python = format!("CartPole-v1:\n  n_timesteps: 1\n  policy_kwargs: dict(net_arch={})\n", "[".repeat(100_000));
    let texts = [
        bomb,
        "[".repeat(100_000),
        "a: {b: ".repeat(10_000),
        python,
        "- 1\n".into(),
        String::new(),
        "a: *b".into(),
        "a: 1\na: 2".into(),
    ];
    for text in texts {
        let error = read_as("ppo.yml", &text, &asked(None, None)).expect_err("a mistake").to_string();
        assert!(error.len() < 1000 && !error.contains('\n'), "{error}");
    }
    let large = format!("# {}\nCartPole-v1: {{n_timesteps: 1}}\n", "x".repeat(1 << 23));
    let error = read_as("ppo.yml", &large, &asked(None, None)).expect_err("too large").to_string();
    assert!(error.contains("more than the 8388608 bytes"), "{error}");
}

#[test]
fn arguments_of_cleanrl_have_their_place() {
    let read = |text: &str| {
        let foreign = read_as("args.toml", text, &asked(None, None)).unwrap_or_else(|e| panic!("{text}: {e}"));
        foreign.expect("another program's")
    };
    // Of choices, and of numbers; as many steps as whole updates come to.
    has(
        &read("env_id = 'CartPole-v1'"),
        "algo = \"ppo\"\nsteps = 499712\nenvs = 4\nn_steps = 128\nn_epochs = 4\nn_minibatches = 4\nclip_range = 0.2
         clip_range_vf = 0.2\nent_coef = 0.01\nvf_coef = 0.5\nlr = 0.00025\nanneal_lr = true\nclip_grad_by = \"whole\"
         optimizer = \"adam(eps=1e-5)\"\nnormalize_observation = false",
    );
    has(
        &read("env_id = 'Pendulum-v1'"),
        "steps = 999424\nenvs = 1\nn_steps = 2048\nn_epochs = 10\nn_minibatches = 32\nent_coef = 0.0\nlr = 0.0003
         normalize_observation = true\nclip_observation = 10.0\nnormalize_reward = true\nclip_reward = 10.0",
    );
    let places = [
        ("total_timesteps = 10_000", "steps = 9728"),
        ("num_envs = 8", "envs = 8"),
        ("num_steps = 64", "n_steps = 64"),
        ("anneal_lr = false", "anneal_lr = false"),
        ("num_minibatches = 8", "n_minibatches = 8"),
        ("update_epochs = 2", "n_epochs = 2"),
        ("norm_adv = false", "normalize_advantage = false"),
        ("clip_coef = 0.1", "clip_range = 0.1\nclip_range_vf = 0.1"),
        ("clip_vloss = false", "clip_range = 0.2\nclip_range_vf = inf"),
        ("ent_coef = 0.5", "ent_coef = 0.5"),
        ("vf_coef = 0.7", "vf_coef = 0.7"),
        ("target_kl = 0.02", "target_kl = 0.02"),
        ("learning_rate = 1e-3", "lr = 0.001"),
        ("max_grad_norm = 2.0", "max_grad_norm = 2.0"),
        ("gamma = 0.9\ngae_lambda = 0.8\nseed = 3", "gamma = 0.9\ngae_lambda = 0.8\nseed = 3"),
    ];
    for (arguments, lines) in places {
        has(&read(&format!("env_id = 'CartPole-v1'\n{arguments}")), lines);
    }
    let notes = read("env_id = 'CartPole-v1'\ntrack = false\nbatch_size = 0").notes;
    assert!(notes[1].contains("track (") && notes[1].contains("batch_size (it follows from the others)"), "{notes:?}");
    let wrong = |text: &str| read_as("args.toml", text, &asked(None, None)).expect_err("a mistake").to_string();
    assert!(wrong("env_id = 'CartPole-v1'\nclip_coeff = 1").contains("did you mean `clip_coef`?"));
    assert!(wrong("env_id = 'CartPole-v2'").contains("CartPole-v1"));
    assert!(wrong("env_id = 'CartPole-v1'\nbuffer_size = 5").contains("CleanRL's PPO has no `buffer_size`"));
    assert!(wrong("env_id = 'CartPole-v1'\ntotal_timesteps = 5").contains("no update fits"));
    // What is ours stays ours.
    for ours in ["total_timesteps = 10", "env = 'CartPole-v1'", ""] {
        assert!(read_as("args.toml", ours, &asked(None, None)).expect("a table").is_none(), "{ours}");
    }
}

const JAX: &str = r#""LR": 1e-3, "NUM_ENVS": 8, "NUM_STEPS": 32, "TOTAL_TIMESTEPS": 1e4, "UPDATE_EPOCHS": 2, "NUM_MINIBATCHES": 8,
    "GAMMA": 0.9, "GAE_LAMBDA": 0.8, "CLIP_EPS": 0.1, "ENT_COEF": 0.02, "VF_COEF": 0.6, "MAX_GRAD_NORM": 0.7, "ACTIVATION": "relu",
    "ANNEAL_LR": false, "DEBUG": true"#;

#[test]
fn arguments_of_purejaxrl_have_their_place() {
    let read = |text: &str| read_as("run.json", &format!("{{{text}}}"), &asked(None, None));
    let choices = read(&format!("{JAX}, \"ENV_NAME\": \"CartPole-v1\"")).expect("a file").expect("theirs");
    has(
        &choices,
        "env = \"CartPole-v1\"\nlr = 0.001\nenvs = 8\nn_steps = 32\nsteps = 9984\nn_epochs = 2\nn_minibatches = 8\ngamma = 0.9
         gae_lambda = 0.8\nclip_range = 0.1\nclip_range_vf = 0.1\nent_coef = 0.02\nvf_coef = 0.6\nmax_grad_norm = 0.7
         activation = \"relu\"\nanneal_lr = false\nhidden = [64, 64]\nclip_grad_by = \"whole\"",
    );
    assert!(choices.notes[1].contains("DEBUG"), "{:?}", choices.notes);
    let numbers = read(&format!("{JAX}, \"ENV_NAME\": \"Pendulum-v1\", \"NORMALIZE_ENV\": true")).expect("a file");
    has(
        &numbers.expect("theirs"),
        "hidden = [256, 256]\nnormalize_observation = true\nclip_observation = inf\nnormalize_reward = true\nclip_reward = inf",
    );
    let missing = read(r#""ENV_NAME": "CartPole-v1", "LR": 1e-3"#).expect_err("a mistake").to_string();
    assert!(missing.contains("TOTAL_TIMESTEPS is missing"), "{missing}");
    let neither = read(r#""lr": 1e-3"#).expect_err("a mistake").to_string();
    assert!(neither.contains("neither of rl-baselines3-zoo"), "{neither}");
}
