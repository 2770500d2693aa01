//! A setting that changes nothing beside the others is refused where it is said, and written by no run.

use std::fs;
use std::path::Path;
use std::process::Output;

use uphill::{Config, Trainer};

mod programs;

#[test]
fn a_setting_without_effect_is_refused_with_what_would_give_it_one() {
    for (text, name, remedy) in [
        ("vf_coef = 0\nnormalize_value = true", "normalize_value", "set vf_coef above 0"),
        ("vf_coef = 0\ncritic_hidden = [8]", "critic_hidden", "set vf_coef above 0"),
        ("vf_coef = 0\nclip_range_vf = 0.1", "clip_range_vf", "set vf_coef above 0"),
        ("vf_coef = 0\ncritic_lr_factor = 2", "critic_lr_factor", "set vf_coef above 0"),
        ("hidden = []\nactivation = 'relu'", "activation", "give it layers"),
        ("hidden = []\nshared_trunk = true", "shared_trunk", "give it layers"),
        ("hidden = []\nmodel = 'mlp_layer_norm(layer_norm_eps=0.1)'", "layer_norm_eps", "give it layers"),
        ("shared_trunk = true\ncritic_hidden = [8]", "critic_hidden", "leave one of them out"),
        ("algo = 'reinforce(baseline=false)'\ncritic_hidden = [8]", "critic_hidden", "set baseline = true"),
        ("algo = 'reinforce(baseline=false)'\nvf_coef = 0.5", "vf_coef", "set baseline = true"),
        ("algo = 'reinforce(baseline=false, vf_coef=1)'", "vf_coef", "set baseline = true"),
        ("algo = 'reinforce'\nbaseline = false\ncritic_lr_factor = 2", "critic_lr_factor", "set baseline = true"),
        ("algo = 'ppo(recompute_advantages=true, n_epochs=1)'", "recompute_advantages", "set n_epochs above 1"),
        ("algo = 'v_trace(recompute_advantages=true, vf_coef=0)'", "recompute_advantages", "set vf_coef above 0"),
        ("n_epochs = 1\ntarget_kl = 0.1", "target_kl", "set n_epochs above 1"),
        ("n_epochs = 1\nn_minibatches = 1\nclip_range = 0.1", "clip_range", "set one of them above 1"),
        ("n_epochs = 1\nn_minibatches = 1\nclip_range_vf = 0.1", "clip_range_vf", "set one of them above 1"),
        ("algo = 'ppo(dual_clip=3, n_epochs=1, n_minibatches=1)'", "dual_clip", "set one of them above 1"),
        ("algo = 'ppo(desired_kl=0.01, n_epochs=1, n_minibatches=1)'", "desired_kl", "set one of them above 1"),
        ("algo = 'dpo_drift(dpo_alpha=3, n_epochs=1, n_minibatches=1)'", "dpo_alpha", "set one of them above 1"),
        ("algo = 'dpo_drift(dpo_beta=1, n_epochs=1, n_minibatches=1)'", "dpo_beta", "set one of them above 1"),
        ("algo = 'ppo_kl(kl_coef=2, n_epochs=1, n_minibatches=1)'", "kl_coef", "set one of them above 1"),
        (
            "algo = 'trpo(line_search_steps=1)'\nline_search_decay = 0.5",
            "line_search_decay",
            "set line_search_steps above 1",
        ),
        ("gamma = 0\ngae_lambda = 0.5", "gae_lambda", "set gamma above 0"),
        ("algo = 'a2c(n_steps=1, gae_lambda=0.5)'", "gae_lambda", "set n_steps above 1"),
        ("algo = 'a2c(n_steps=1, estimator=upgo)'", "estimator", "set n_steps above 1"),
        ("algo = 'a2c(vf_coef=0, estimator=upgo, gae_lambda=0.5)'", "gae_lambda", "set vf_coef above 0"),
        ("algo = 'v_trace(n_steps=1, trace_lambda=0.5)'", "trace_lambda", "set n_steps above 1"),
        ("algo = 'v_trace(n_steps=1, clip_c=0.5)'", "clip_c", "set n_steps above 1"),
        ("algo = 'v_trace(n_epochs=1, clip_c=2)'", "clip_c", "set n_epochs above 1 or clip_c below 1"),
        ("algo = 'v_trace(n_epochs=1, clip_rho=inf)'", "clip_rho", "set n_epochs above 1 or clip_rho below 1"),
        ("algo = 'stream_ac(gamma=0, trace_lambda=0.5)'", "trace_lambda", "set gamma above 0"),
        ("algo = 'rloo'\nclip_grad_by = 'whole'", "clip_grad_by", "leave it out"),
        ("algo = 'reinforce(baseline=false)'\nclip_grad_by = 'whole'", "clip_grad_by", "set baseline = true"),
        ("algo = 'npg'\nclip_grad_by = 'whole'\nshared_trunk = true", "clip_grad_by", "leave it out"),
        ("algo = 'reinforce(discount_states=true)'\ngamma = 1", "discount_states", "set gamma below 1"),
        ("algo = 'reinforce(discount_states=true, gamma=1)'", "discount_states", "set gamma below 1"),
        ("mask_actions = false", "mask_actions", "leave it out"),
        ("hidden = []\nlayer_norm = true", "layer_norm", "give it layers"),
        ("hidden = []\nmodel = 'mlp(layer_norm=true)'", "layer_norm", "give it layers"),
        ("algo = 'stream_ac'\nhidden = []\nlayer_norm = true", "layer_norm", "give it layers"),
        (
            "algo = 'stream_ac(n_steps=1)'\nenv = 'Pendulum-v1'\ndistribution = 'gsde'\nsde_sample_freq = 4",
            "sde_sample_freq",
            "leave it out",
        ),
        (
            "algo = 'stream_ac'\nenv = 'Pendulum-v1'\ndistribution = 'gsde(sde_sample_freq=256)'",
            "sde_sample_freq",
            "set sde_sample_freq below 256",
        ),
        (
            "algo = 'a2c'\nenv = 'Pendulum-v1'\ndistribution = 'gsde(sde_sample_freq=8)'",
            "sde_sample_freq",
            "set sde_sample_freq below 5",
        ),
        (
            "algo = 'a2c(n_steps=1)'\nenv = 'Pendulum-v1'\ndistribution = 'gsde(sde_sample_freq=4)'",
            "sde_sample_freq",
            "leave it out",
        ),
    ] {
        let message = Config::from_toml(text).expect_err(text).to_string();
        assert!(message.starts_with(name) && message.contains(" has no effect: "), "{text}: {message}");
        assert!(message.contains("leave ") && message.ends_with(remedy), "{text}: {message}");
    }
    for text in [
        "vf_coef = 0",
        "hidden = []",
        // What the algorithm's network has unless said.
        "hidden = []\nalgo = 'stream_ac'",
        "hidden = []\nalgo = 'stream_ac'\nmodel = 'mlp(layer_norm=true)'",
        "algo = 'stream_ac'\nenv = 'Pendulum-v1'\ndistribution = 'gsde(sde_sample_freq=8)'",
        "algo = 'a2c'\nenv = 'Pendulum-v1'\ndistribution = 'gsde(sde_sample_freq=4)'",
        "hidden = []\ncritic_hidden = [8]\nactivation = 'relu'",
        "hidden = []\nmodel = 'minatar_cnn'\nshared_trunk = true\nenv = 'GridWorld-4x4-v0(observation=image)'",
        "algo = 'reinforce(baseline=false)'",
        "n_epochs = 1\nn_minibatches = 1",
        "n_epochs = 1\nclip_range = 0.1",
        "algo = 'rloo'\nclip_grad_by = 'whole'\nshared_trunk = true",
        "algo = 'stream_ac(n_steps=1, trace_lambda=0.5)'",
        "algo = 'v_trace(n_epochs=1, clip_rho=0.5)'",
        "mask_actions = false\nenv = 'Taxi-v3'",
        // That the critic has the actor's layers holds unless said.
        "vf_coef = 0\nmodel = 'mlp(critic_hidden=hidden)'",
    ] {
        let config = Config::from_toml(text).expect(text);
        let again = config.to_toml().expect("settings");
        assert_eq!(Config::from_toml(&again).expect(&again), config, "{again}");
    }
    // In code only what is another than the algorithm's own was meant.
    let code = |clip_range_vf| {
        let ppo = Config::for_algo("ppo").expect("an algorithm");
        Config { vf_coef: 0.0, clip_range_vf, ..ppo }.validate().map_err(|e| e.to_string())
    };
    assert!(code(0.1).is_err_and(|message| message.starts_with("clip_range_vf has no effect")));
    assert_eq!(code(0.2), Ok(()));
}

#[test]
fn observations_of_one_step_are_not_stacked() {
    for env in ["Bandit-v0", "GaussianBandit-v0", "GridWorld(map=['SG'], max_episode_steps=1)"] {
        let config = Config { env: env.into(), frame_stack: 4, ..Config::for_algo("ppo").expect("an algorithm") };
        let message = config.make_envs(2).map(drop).expect_err(env).to_string();
        assert!(message.contains("frame_stack") && message.contains("one step"), "{message}");
        assert!(Config { frame_stack: 1, ..config }.make_envs(2).is_ok());
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    programs::example("train").current_dir(folder).args(arguments).output().expect("the program runs")
}

#[test]
fn what_a_file_says_gives_way_to_a_line_that_leaves_it_without_effect() {
    let home = tempfile::tempdir().expect("a folder");
    let file = "steps = 64\nn_steps = 16\nhidden = [4]\nclip_range_vf = 0.3\ntarget_kl = 0.2\nnormalize_value = true\n\
                model = 'mlp(critic_hidden=[8])'\nactivation = 'relu'\n";
    fs::write(home.path().join("file.toml"), file).expect("a file");
    for line in [&["--vf-coef", "0"][..], &["--n-epochs", "1", "--n-minibatches", "1"], &["--shared-trunk", "true"]] {
        let output =
            run(home.path(), &[&["--config", "file.toml", "--force", "--out", "run", "--quiet"], line].concat());
        assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
        let again = run(home.path(), &["--config", "run/config.toml", "--force", "--out", "again", "--quiet"]);
        assert!(again.status.success(), "{line:?}: {}", String::from_utf8_lossy(&again.stderr));
    }
}

#[test]
fn what_another_environment_cannot_have_is_left_out_of_the_file() {
    let home = tempfile::tempdir().expect("a folder");
    for (name, file) in [
        (
            "numbers",
            "env = 'Pendulum-v1'\ndistribution = 'diag_gaussian'\nlog_std_init = -1\nlog_std_lr_factor = 0.5\n",
        ),
        ("auto", "env = 'Pendulum-v1'\nlog_std_init = -1\n"),
        ("taxi", "env = 'Taxi-v3'\nmask_actions = true\n"),
        ("frames", "env = 'MountainCar-v0'\nframe_stack = 4\n"),
    ] {
        let file = format!("{file}steps = 64\nn_steps = 16\nhidden = [4]\n");
        fs::write(home.path().join(format!("{name}.toml")), file).expect("a file");
    }
    for (file, env, expected) in [
        (
            "numbers",
            "CartPole-v1",
            &[
                "left out of the file: distribution = diag_gaussian: it is not over discrete actions, as CartPole-v1 has them",
                "left out of the file: log_std_lr_factor = 0.5 has no effect: the network has no parameters `*log_std`",
            ][..],
        ),
        ("numbers", "MountainCarContinuous-v0", &[]),
        (
            "auto",
            "CartPole-v1",
            &["left out of the file: distribution = auto(log_std_init=-1): over the actions of CartPole-v1 it is \
               categorical, which has no argument `log_std_init`"],
        ),
        (
            "taxi",
            "CartPole-v1",
            &["left out of the file: mask_actions = true has no effect: CartPole-v1 forbids no action"],
        ),
        (
            "frames",
            "Bandit-v0",
            &["left out of the file: frame_stack = 4 is impossible: episodes of one step have one observation"],
        ),
        ("frames", "CartPole-v1", &[]),
    ] {
        let config = format!("{file}.toml");
        let output = run(home.path(), &["--config", &config, "--env", env, "--force", "--out", "run"]);
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(output.status.success(), "{said}");
        assert_eq!(said.matches("left out of the file").count(), expected.len(), "{said}");
        expected.iter().for_each(|note| assert!(said.contains(note), "{note}: {said}"));
    }
    // What the line says itself is its mistake.
    let output = run(home.path(), &["--config", "taxi.toml", "--env", "CartPole-v1", "--mask-actions", "true"]);
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.starts_with("error: mask_actions = true has no effect"), "{said}");
}

#[test]
fn a_run_that_cannot_begin_is_found_before_a_comparison_does() {
    let home = tempfile::tempdir().expect("a folder");
    for (settings, expected) in [
        (
            "distribution = 'squashed_diag_gaussian'",
            "Bandit-v0, ppo, adam: distribution = squashed_diag_gaussian: it is not",
        ),
        ("log_std_lr_factor = 2.0", "Bandit-v0, ppo, adam: log_std_lr_factor = 2 has no effect"),
        ("model = 'gru'\nn_minibatches = 64\nn_steps = 64", "Bandit-v0, ppo, adam: n_minibatches = 64 is impossible"),
    ] {
        let grid = format!(
            "algos = ['a2c', 'ppo']\noptimizers = ['adam']\nprotocols = ['defaults']\nseeds = [1]\n\
             tasks = [{{ env = 'Bandit-v0' }}]\n[settings]\nsteps = 1000\n[algo_settings.ppo]\n{settings}\n"
        );
        fs::write(home.path().join("grid.toml"), grid).expect("a file");
        let mut compare = programs::example("compare_optimizers");
        let output = compare.current_dir(home.path()).args(["--config", "grid.toml", "--out", "out"]).output();
        let said = String::from_utf8(output.expect("the program runs").stderr).expect("text");
        assert!(said.starts_with("error: ") && said.contains(expected), "{said}");
        assert!(!home.path().join("out").exists(), "{said}");
    }
}

#[test]
fn what_is_said_of_an_environment_and_changes_nothing_is_refused() {
    for (env, expected) in [
        ("GridWorld(map=['S.G'], wind=[0, 0, 0])", Some("wind has no effect: it is 0 in every column; leave it out")),
        ("GridWorld(map=['S.G'], wind=[0, 1, 0])", None),
        (
            "Pendulum-v1 | time_aware | time_aware",
            Some("the last time_aware has no effect: the share of that limit is shown"),
        ),
        ("Pendulum-v1 | time_aware | hide([0]) | time_aware", Some("the last time_aware has no effect")),
        ("Pendulum-v1 | time_aware | time_limit(50) | time_aware", None),
    ] {
        let config = Config::from_toml(&format!("env = \"{env}\"")).and_then(|config| config.make_envs(1).map(drop));
        let message = config.err().map(|error| error.to_string());
        assert_eq!(message.is_some(), expected.is_some(), "{env}: {message:?}");
        assert!(message.is_none_or(|message| expected.is_some_and(|expected| message.contains(expected))), "{env}");
    }
}

/// Nine weights of ten are 0: of few inputs all are, and through two such layers nothing comes.
#[test]
fn a_network_without_weights_is_told_of() {
    for (settings, is_said) in [
        ("hidden = [9]", true),
        ("hidden = [64, 9]", true),
        ("hidden = [9]\nshared_trunk = true", true),
        ("hidden = [10]", false),
        ("hidden = []", false),
        ("hidden = [9]\ninit = 'orthogonal'", false),
        ("hidden = [9]\nenv = 'GridWorld-4x4-v0'", false),
    ] {
        let text = format!("algo = 'stream_ac'\nsteps = 512\n{settings}");
        let mut trainer = Trainer::new(&Config::from_toml(&text).expect("settings")).expect("a trainer");
        let notes = trainer.take_notes().join("\n");
        assert_eq!(notes.contains("init = sparse leaves no weight"), is_said, "{settings}: {notes}");
    }
}
