//! Values learnt on one scale: by what, that nothing they say changes with it, and that it is kept and goes on.

use uphill::models::PopArtModel;
use uphill::rollout::ValueUnit;
use uphill::{Checkpoint, Config, MlpModel, Model, Policy, RunFolder, Scratch, Seed, Trainer};

const CPU: candle_core::Device = candle_core::Device::Cpu;

fn config(algo: &str) -> Config {
    let defaults = Config::for_algo(algo).expect("an algorithm");
    Config { env: "GridWorld-4x4-v0".into(), normalize_value: true, hidden: vec![16], steps: 6_000, ..defaults }
}

fn unit(trainer: &Trainer) -> ValueUnit {
    match trainer.params().buffers().get("pop_art") {
        Some(&[mean, std]) => ValueUnit { mean, std },
        other => panic!("{other:?}"),
    }
}

fn values(config: &Config, trainer: &Trainer, observation: &[f32]) -> Vec<f32> {
    let (params, model) = config
        .model_at(trainer.spec(), &trainer.params().snapshot().expect("numbers"), trainer.params().buffers())
        .expect("the network");
    let mut values = Vec::new();
    model.values(&params, observation, &mut Scratch::default(), &mut values).expect("values");
    values
}

#[test]
fn the_network_answers_in_its_unit_and_acts_in_that_of_the_rewards() {
    let spec = uphill::envs::make("CartPole-v1").expect("an environment").spec().clone();
    for shared_trunk in [false, true] {
        let shape = uphill::MlpConfig { hidden: vec![8], shared_trunk, ..uphill::MlpConfig::default() };
        let (plain_params, plain) = MlpModel::new(&spec, &shape, Seed(1), &CPU).expect("a network");
        let (mut params, model) = MlpModel::new(&spec, &shape, Seed(1), &CPU).expect("the same");
        let model = PopArtModel::new(Box::new(model), &mut params).expect("a linear layer");
        params.buffers_mut().get_mut("pop_art").expect("a buffer").copy_from_slice(&[3.0, 2.0]);
        assert_eq!(model.value_unit(&params), ValueUnit { mean: 3.0, std: 2.0 });
        let x: Vec<f32> = (0..20).map(|i| (i as f32 * 0.7).sin()).collect();
        let (mut of_plain, mut found, mut scratch) = (Vec::new(), Vec::new(), Scratch::default());
        plain.values(&plain_params, &x, &mut scratch, &mut of_plain).expect("values");
        model.values(&params, &x, &mut Scratch::default(), &mut found).expect("values");
        assert_eq!(found, of_plain.iter().map(|v| 3.0 + 2.0 * v).collect::<Vec<_>>());
        let observation = candle_core::Tensor::from_slice(&x, (5, 4), &CPU).expect("a tensor");
        let raw = model.answer(&params, &observation).expect("an answer").value.to_vec1::<f32>().expect("numbers");
        raw.iter().zip(&of_plain).for_each(|(raw, plain)| assert!((raw - plain).abs() < 1e-6));
        let mut again = params;
        assert!(PopArtModel::new(Box::new(plain), &mut again).is_err(), "it has a scale already");
    }
}

#[test]
fn a_change_of_unit_changes_no_value() {
    no_value_changes_with_the_unit(false);
}

#[test]
fn a_change_of_unit_changes_no_value_where_environments_are_on_the_device() {
    no_value_changes_with_the_unit(true);
}

fn no_value_changes_with_the_unit(envs_on_device: bool) {
    // Without a step of the optimizer nothing but the unit moves.
    let config = Config { lr: 0.0, anneal_lr: false, threads: 1, envs_on_device, ..config("ppo") };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let x: Vec<f32> = (0..16 * trainer.spec().observation_len()).map(|i| f32::from(u8::from(i % 17 == 0))).collect();
    let before = values(&config, &trainer, &x);
    let mut units = vec![unit(&trainer)];
    for _ in 0..3 {
        trainer.step().expect("an update");
        units.push(unit(&trainer));
        let after = values(&config, &trainer, &x);
        before.iter().zip(&after).for_each(|(a, b)| assert!((a - b).abs() < 1e-5, "{a} {b} {units:?}"));
    }
    assert_eq!(units[0], ValueUnit::default());
    assert!(units.windows(2).all(|pair| pair[0] != pair[1]), "{units:?}");
}

/// The policy hardly changes: what values are regressed on is as large, and varies as much, wherever it was played.
#[test]
fn the_unit_is_the_same_where_environments_are_on_the_device() {
    let unit_after = |envs_on_device| {
        let base = Config { lr: 1e-9, anneal_lr: false, envs: 256, n_steps: 32, envs_on_device, ..config("ppo") };
        let mut trainer = Trainer::new(&Config { steps: 1 << 16, gamma: 0.9, ..base }).expect("a trainer");
        for _ in 0..3 {
            trainer.step().expect("an update");
        }
        unit(&trainer)
    };
    let [on_device, on_host] = [true, false].map(unit_after);
    assert!((on_device.mean - on_host.mean).abs() < 0.1 * on_host.std, "{on_device:?} {on_host:?}");
    assert!((on_device.std / on_host.std - 1.0).abs() < 0.1, "{on_device:?} {on_host:?}");
}

#[test]
fn large_returns_are_learnt_as_small_ones_are() {
    large_returns_are_learnt(false);
}

#[test]
fn large_returns_are_learnt_as_small_ones_are_where_environments_are_on_the_device() {
    large_returns_are_learnt(true);
}

fn large_returns_are_learnt(envs_on_device: bool) {
    let explained = |normalize_value: bool, goal: &str| {
        let env = format!("GridWorld(map='S..\n...\n..G', goal_reward={goal}, step_reward=0)");
        let config = Config {
            env: env.as_str().into(),
            normalize_value,
            envs_on_device,
            steps: 20_000,
            lr: 2e-3,
            ..config("ppo")
        };
        let mut trainer = Trainer::new(&config).expect("a trainer");
        let mut last = Vec::new();
        while let Some(metrics) = trainer.step().expect("an update") {
            last.extend(metrics.explained_variance);
        }
        let last = &last[last.len() - 10..];
        last.iter().sum::<f64>() / 10.0
    };
    let [with, without] = [true, false].map(|normalize| explained(normalize, "1000"));
    assert!(with > 0.5 && without < 0.2, "{with} {without}");
}

fn state(mut trainer: Trainer) -> Vec<u32> {
    while trainer.step().expect("an update").is_some() {}
    let unit = unit(&trainer);
    let theta = trainer.params().snapshot().expect("numbers");
    theta.iter().chain(&[unit.mean, unit.std]).map(|x| x.to_bits()).collect()
}

#[test]
fn killed_and_resumed_it_ends_with_the_same_bits_on_any_number_of_threads() {
    for (algo, model, observation) in [
        ("ppo", "mlp", false),
        ("a2c", "mlp", true),
        ("ppo", "gru", true),
        ("v_trace", "mlp", false),
        ("trpo", "mlp", true),
    ] {
        let with = |threads| {
            let base = Config { threads, envs: 4, normalize_observation: observation, ..config(algo) };
            Config { model: model.into(), steps: 3_000, ..base }
        };
        let whole = state(Trainer::new(&with(1)).expect("a trainer"));
        assert_eq!(whole, state(Trainer::new(&with(2)).expect("a trainer")), "{algo} {model}");
        let mut trainer = Trainer::new(&with(1)).expect("a trainer");
        trainer.step().expect("an update");
        trainer.step().expect("an update");
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("checkpoint");
        trainer.checkpoint().expect("a checkpoint").write(&path).expect("a file");
        let resumed = Trainer::resume(&Checkpoint::read(&path).expect("a file")).expect("a state");
        assert_eq!(whole, state(resumed), "{algo} {model}");
    }
}

#[test]
fn it_is_part_of_the_policys_file_and_refused_where_it_has_no_effect() {
    let home = tempfile::tempdir().expect("a folder");
    let config = Config { steps: 1_000, ..config("ppo") };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let mut run = RunFolder::create(home.path(), &config, false).expect("a run");
    while let Some(metrics) = trainer.step().expect("an update") {
        run.log(&metrics).expect("a row");
    }
    let known = trainer.params().buffers().clone();
    run.finish(trainer).expect("a summary");
    let policy = Policy::load(home.path()).expect("the policy");
    assert_eq!(*policy.params().buffers(), known);
    assert!(known.get("pop_art").is_some_and(|unit| unit != [0.0, 1.0]));
    for (text, expected) in [
        (
            "algo = 'reinforce(baseline=false)'\nnormalize_value = true",
            "normalize_value has no effect: no value is learnt",
        ),
        ("optimizer = 'adam() | ema(0.9)'\nnormalize_value = true", "averages parameters"),
        ("optimizer = 'schedule_free_adamw'\nnormalize_value = true", "averages parameters"),
        ("optimizer = 'trac(adam())'\nnormalize_value = true", "goes by parameters of before"),
        ("optimizer = 'decay_to_initial(0.1) | sgd'\nnormalize_value = true", "goes by parameters of before"),
        (
            "optimizer = 'partition(\"*\", accumulate(2, trac(sgd)))'\nnormalize_value = true",
            "goes by parameters of before",
        ),
    ] {
        let found = Config::from_toml(text).and_then(|config| config.validate()).expect_err("a mistake").to_string();
        assert!(found.contains(expected), "{text}: {found}");
    }
}

#[test]
fn the_first_update_is_in_the_unit_of_its_own_targets() {
    let env = "GridWorld(map='S..\n...\n..G', goal_reward=1000, step_reward=-10)";
    let with = |algo: &str| Config { env: env.into(), ..config(algo) };
    for algo in ["ppo", "a2c", "v_trace", "reinforce", "trpo"] {
        let mut trainer = Trainer::new(&with(algo)).expect("a trainer");
        let first = trainer.step().expect("an update").expect("steps are left");
        // In that of the rewards it would be hundreds.
        assert!(first.value_loss.is_some_and(|loss| loss < 10.0), "{algo}: {:?}", first.value_loss);
        assert_ne!(unit(&trainer), ValueUnit::default());
    }
}
