//! Observations and rewards on one scale: by what they are scaled, where that is kept, and that all paths scale alike.

use uphill::algo::OnPolicy;
use uphill::envs::{Action, CartPole, Columns, Env, EnvError, Lanes, Spec, Step, TimeLimit, VecEnv};
use uphill::models::{GRU, NormalisedModel, RecurrentConfig, RecurrentModel};
use uphill::objective::RowSums;
use uphill::rollout::{Estimate, Minibatch};
use uphill::{
    ActionColumn, Buffers, Checkpoint, Collector, Config, Horizon, MlpModel, Mode, Model, Params, Policy, Result,
    RunFolder, Scratch, Seed, Stop, Trainer,
};

const CPU: candle_core::Device = candle_core::Device::Cpu;

fn config(algo: &str) -> Config {
    let defaults = Config::for_algo(algo).expect("an algorithm");
    Config { normalize_observation: true, normalize_reward: true, hidden: vec![16], steps: 6_000, ..defaults }
}

fn buffers(trainer: &Trainer) -> [Vec<f32>; 2] {
    let buffers = trainer.params().buffers();
    ["normaliser.mean", "normaliser.variance"].map(|name| buffers.get(name).expect("a buffer").to_vec())
}

/// Mean and variance of each column of `[B, D]`.
fn moments(observations: &[f32], d: usize) -> [Vec<f64>; 2] {
    let column = |k: usize| observations.iter().skip(k).step_by(d).map(|&x| f64::from(x));
    let mean = |k: usize| column(k).sum::<f64>() / column(k).count() as f64;
    let variance = |k: usize| column(k).map(|x| (x - mean(k)).powi(2)).sum::<f64>() / column(k).count() as f64;
    [(0..d).map(mean).collect(), (0..d).map(variance).collect()]
}

#[test]
fn a_rollout_counts_after_it_has_been_learnt_from() {
    let config = Config { env: "Pendulum-v1".into(), envs: 4, n_steps: 64, threads: 1, ..config("ppo") };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    assert_eq!(buffers(&trainer), [vec![0.0; 3], vec![1.0; 3]]);

    // What the first update is about to see, by the same seed.
    let mut collector = Collector::new(config.make_envs(4).expect("environments"), Seed(config.seed)).expect("a reset");
    let spec = collector.spec().clone();
    let (params, network) = MlpModel::new(&spec, &config.mlp(), Seed(config.seed), &CPU).expect("a network");
    let (rollout, _) = collector.collect(&network, &params, Horizon::Steps(64), true).expect("a rollout");
    let [mean, variance] = moments(&rollout.observation.all(), 3);

    trainer.step().expect("an update");
    let [known_mean, known_variance] = buffers(&trainer);
    for k in 0..3 {
        assert!((f64::from(known_mean[k]) - mean[k]).abs() < 1e-5, "{known_mean:?} {mean:?}");
        assert!((f64::from(known_variance[k]) / variance[k] - 1.0).abs() < 1e-5, "{known_variance:?} {variance:?}");
    }
    trainer.step().expect("an update");
    assert_ne!(buffers(&trainer)[0], known_mean);
}

/// CartPole in units of one's own, far from 0.
struct Odd(CartPole);

impl Env for Odd {
    fn spec(&self) -> &Spec {
        self.0.spec()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.0.reset(seed, observation)?;
        observation.iter_mut().for_each(|x| *x = 1e3 * *x - 400.0);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let step = self.0.step(action, observation)?;
        observation.iter_mut().for_each(|x| *x = 1e3 * *x - 400.0);
        Ok(Step { reward: 1e4 * step.reward, ..step })
    }
}

#[test]
fn what_is_learnt_does_not_depend_on_units() {
    let returns = |scaled: bool| {
        let config = Config { env: "CartPole-v1".into(), envs: 8, steps: 60_000, lr: 2e-3, ..config("ppo") };
        let config = Config { normalize_observation: scaled, normalize_reward: scaled, ..config };
        let make = |lanes: usize| -> Result<Box<dyn VecEnv>> {
            let envs = (0..lanes).map(|_| TimeLimit::new(Odd(CartPole::new()))).collect();
            Ok(Box::new(Lanes::new(envs)?))
        };
        let mut trainer = Trainer::with_envs(&config, make).expect("a trainer");
        let mut last = None;
        while let Some(metrics) = trainer.step().expect("an update") {
            last = metrics.episode_return_mean.or(last);
        }
        last.expect("episodes")
    };
    let (scaled, plain) = (returns(true), returns(false));
    assert!(scaled > 10.0 * 1e4 * 15.0, "returns are reported as they are, and CartPole is learnt: {scaled}");
    assert!(plain < scaled / 2.0, "without it, it is not: {plain}");
}

/// A normalised network, its statistics out of the air, and a rollout of its.
fn played(plain: bool) -> (NormalisedModel, Params, uphill::Rollout, Estimate) {
    let mlp = config("ppo").mlp();
    let env = Columns::new(CartPole::new(), 8).expect("lanes");
    let (mut params, network) = MlpModel::new(env.spec(), &mlp, Seed(1), &CPU).expect("a network");
    let network: Box<dyn Model> = if plain { Box::new(network.plain()) } else { Box::new(network) };
    let network = NormalisedModel::new(network, &mut params, 1.5).expect("a normaliser");
    let set = |params: &mut Params, name: &str, values: [f32; 4]| {
        params.buffers_mut().get_mut(name).expect("a buffer").copy_from_slice(&values);
    };
    set(&mut params, "normaliser.mean", [0.01, -0.1, 0.02, 0.3]);
    set(&mut params, "normaliser.variance", [1e-4, 0.2, 0.0, 0.1]);
    let mut collector = Collector::new(Box::new(env), Seed(1)).expect("a reset");
    let (rollout, _) = collector.collect(&network, &params, Horizon::Steps(40), true).expect("a rollout");
    let wave = |i: usize| (i as f32 * 0.7).sin();
    let len = rollout.reward.len();
    let estimate = Estimate {
        advantage: (0..len).map(wave).collect(),
        target: (0..len).map(|i| wave(i + 3)).collect(),
        ..Estimate::default()
    };
    let rollout = rollout.clone();
    (network, params, rollout, estimate)
}

#[test]
fn tensors_and_host_scale_alike_and_rollouts_hold_what_the_environment_said() {
    let gradient = |plain: bool| {
        let (network, params, rollout, estimate) = played(plain);
        assert!(rollout.observation.all().iter().all(|x| x.abs() < 3.0), "as the environment said it");
        let algo: OnPolicy = config("ppo").make_algo().expect("an algorithm").into_on_policy().expect("a loop");
        let places: Vec<usize> = (0..rollout.reward.len()).step_by(3).collect();
        let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
        let (places, advantage, stop) = (&places, &advantage, Stop::default());
        let batch = Minibatch { rollout: &rollout, estimate: &estimate, places, advantage, stop };
        let (mut scratch, mut gradient, mut sums) = (Scratch::default(), Vec::new(), RowSums::default());
        let ways = network.host_gradient(&params, batch, &algo.objective, &mut scratch, &mut gradient, &mut sums);
        assert_eq!(ways.expect("a gradient").is_some(), !plain);
        algo.gradient(&network, &params, batch, &mut scratch, &mut gradient, &mut sums).expect("a gradient");
        let tensor = candle_core::Tensor::from_slice(&rollout.observation.all(), (rollout.reward.len(), 4), &CPU);
        let (on_tensors, _) = network.forward(&params, &tensor.expect("a tensor")).expect("outputs");
        let mut on_host = Vec::new();
        network.outputs(&params, &rollout.observation.all(), &mut scratch, &mut on_host).expect("outputs");
        let on_tensors: Vec<f32> = on_tensors.flatten_all().and_then(|x| x.to_vec1()).expect("numbers");
        for (a, b) in on_host.iter().zip(&on_tensors) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        gradient
    };
    let (host, tensors) = (gradient(false), gradient(true));
    assert!(host.iter().any(|g| g.abs() > 1e-4));
    for (a, b) in host.iter().zip(&tensors) {
        assert!((a - b).abs() < 1e-6, "{a} on the host, {b} on tensors");
    }
}

/// The loss's gradient in the steps of two of four lanes, by a GRU behind a normaliser.
#[test]
fn a_network_with_a_memory_scales_alike_along_its_lanes() {
    let gradient = |plain: bool| {
        let env = Columns::new(CartPole::new(), 4).expect("lanes");
        let shape = RecurrentConfig { hidden: vec![6], units: 5, ..RecurrentConfig::default() };
        let (mut params, gru) = RecurrentModel::new(&GRU, env.spec(), &shape, Seed(1), &CPU).expect("a network");
        let gru: Box<dyn Model> = if plain { Box::new(gru.plain()) } else { Box::new(gru) };
        let network = NormalisedModel::new(gru, &mut params, 1.5).expect("a normaliser");
        let variance = params.buffers_mut().get_mut("normaliser.variance").expect("a buffer");
        variance.copy_from_slice(&[1e-4, 0.2, 1e-3, 0.1]);
        let mut collector = Collector::new(Box::new(env), Seed(1)).expect("a reset");
        collector.collect(&network, &params, Horizon::Steps(30), true).expect("a rollout");
        let (rollout, _) = collector.collect(&network, &params, Horizon::Steps(30), true).expect("a rollout");
        assert!(rollout.memory.iter().any(|&m| m != 0.0) && rollout.end.iter().any(|end| end.ended()));
        let wave: Vec<f32> = (0..120).map(|i| (i as f32 * 0.7).sin()).collect();
        let estimate = Estimate { advantage: wave.clone(), target: wave, ..Estimate::default() };
        let algo: OnPolicy = config("ppo").make_algo().expect("an algorithm").into_on_policy().expect("a loop");
        let places: Vec<usize> = (0..120).filter(|place| [1, 3].contains(&(place % 4))).collect();
        let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
        let (places, advantage, stop) = (&places, &advantage, Stop::default());
        let batch = Minibatch { rollout, estimate: &estimate, places, advantage, stop };
        let (mut scratch, mut gradient, mut sums) = (Scratch::default(), Vec::new(), RowSums::default());
        let ways = network.host_gradient(&params, batch, &algo.objective, &mut scratch, &mut gradient, &mut sums);
        assert_eq!(ways.expect("a gradient").is_some(), !plain);
        algo.gradient(&network, &params, batch, &mut scratch, &mut gradient, &mut sums).expect("a gradient");
        gradient
    };
    let (host, tensors) = (gradient(false), gradient(true));
    assert!(host.iter().any(|g| g.abs() > 1e-4));
    for (a, b) in host.iter().zip(&tensors) {
        assert!((a - b).abs() < 1e-5, "{a} on the host, {b} on tensors");
    }
}

#[test]
fn a_normaliser_that_cannot_be_is_refused() {
    let env = Columns::new(CartPole::new(), 1).expect("a lane");
    let made = || MlpModel::new(env.spec(), &config("ppo").mlp(), Seed(1), &CPU).expect("a network");
    for clip in [0.0, -1.0, f64::NAN] {
        let (mut params, network) = made();
        let refused = NormalisedModel::new(Box::new(network), &mut params, clip).err().expect("no clip").to_string();
        assert!(refused.contains("clip = ") && refused.contains("above 0"), "{refused}");
    }
    let (mut params, network) = made();
    let once = NormalisedModel::new(Box::new(network), &mut params, 10.0).expect("a normaliser");
    let twice = NormalisedModel::new(Box::new(once), &mut params, 10.0).err().expect("one too many").to_string();
    assert!(twice.contains("normaliser.mean"), "{twice}");
}

#[test]
fn it_is_part_of_the_policys_file_and_stands_still_in_evaluation() {
    let home = tempfile::tempdir().expect("a folder");
    let config = Config { env: "CartPole-v1".into(), ..config("ppo") };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let mut run = RunFolder::create(home.path(), &config, false).expect("a run");
    while let Some(metrics) = trainer.step().expect("an update") {
        run.log(&metrics).expect("a row");
    }
    let known = buffers(&trainer);
    let best = trainer.best().expect("a best policy").buffers.clone();
    run.finish(trainer).expect("a summary");

    let mut policy = Policy::load(home.path()).expect("a policy");
    let of =
        |buffers: &Buffers| ["normaliser.mean", "normaliser.variance"].map(|name| buffers.get(name).unwrap().to_vec());
    assert_eq!(of(policy.params().buffers()), known);
    assert!(known[0].iter().any(|&mean| mean != 0.0) && known[1].iter().any(|&variance| variance != 1.0));
    let once = policy.evaluate(20, Seed(3)).expect("episodes");
    assert_eq!(policy.evaluate(20, Seed(3)).expect("episodes"), once);
    assert_eq!(of(policy.params().buffers()), known);
    assert_eq!(*Policy::load_best(home.path()).expect("the best").params().buffers(), best);

    // Without them the same parameters act otherwise.
    let theta = policy.params().snapshot().expect("values");
    let spec = CartPole::new().spec().clone();
    let refused = config.model_at(&spec, &theta, &Buffers::default()).err().expect("no buffers").to_string();
    assert!(refused.contains("normaliser.mean"), "{refused}");
    let (params, network) = config.model_at(&spec, &theta, policy.params().buffers()).expect("a network");
    let twin = Policy::new(config, network, params);
    let observations = [0.01, 0.2, -0.03, -0.4, 0.5, -0.1, 0.02, 0.9];
    let act = |policy: &Policy| policy.act(&observations, &mut policy.memory(2), Mode::Likeliest).expect("actions");
    let (ours, theirs): (ActionColumn, ActionColumn) = (act(&policy), act(&twin));
    assert_eq!(ours, theirs);
}

/// All that a resumed run must have again.
fn state(mut trainer: Trainer) -> (Vec<u32>, [Vec<f32>; 2]) {
    while trainer.step().expect("an update").is_some() {}
    let theta = trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect();
    (theta, buffers(&trainer))
}

#[test]
fn killed_and_resumed_it_ends_with_the_same_bits_on_any_number_of_threads() {
    for (algo, envs) in [("ppo", 64), ("a2c", 64), ("reinforce", 64)] {
        let config =
            Config { env: "Pendulum-v1".into(), envs, episodes: 64, steps: 40_000, threads: 1, ..config(algo) };
        let config = if algo == "reinforce" { config } else { Config { episodes: 8, n_steps: 32, ..config } };
        let whole = state(Trainer::new(&config).expect("a trainer"));
        for threads in [1, 3] {
            let config = Config { threads, ..config.clone() };
            let mut first = Trainer::new(&config).expect("a trainer");
            (0..2).for_each(|_| drop(first.step().expect("an update")));
            let home = tempfile::tempdir().expect("a folder");
            let path = home.path().join("checkpoint");
            first.checkpoint().expect("a checkpoint").write(&path).expect("a file");
            let second = Trainer::resume(&Checkpoint::read(&path).expect("a file")).expect("a state");
            assert_eq!(state(second), whole, "{algo}, {threads} threads");
        }
    }
}

#[test]
fn what_clips_without_a_normaliser_is_refused() {
    let said = |text: &str| Config::from_toml(text).and_then(|config| config.validate()).expect_err("idle").to_string();
    for name in ["clip_observation", "clip_reward"] {
        let message = said(&format!("algo = \"ppo\"\n{name} = 5.0\n"));
        assert!(message.contains(name), "{message}");
    }
    let message = said("algo = \"ppo\"\nnormalize_observation = true\nclip_observation = 0.0\n");
    assert!(message.contains("clip_observation = 0") && message.contains("above 0"), "{message}");
}

#[test]
fn tensors_are_brought_to_the_scale_of_now() {
    let spec = uphill::envs::make("CartPole-v1").expect("an environment").spec().clone();
    let (mut params, network) = MlpModel::new(&spec, &Default::default(), Seed(31), &CPU).expect("a network");
    let network = NormalisedModel::new(Box::new(network), &mut params, 10.0).expect("a normaliser");
    let observation: Vec<f32> = (0..12).map(|i| (i as f32 * 0.7).sin()).collect();
    let tensor = candle_core::Tensor::from_slice(&observation, (3, 4), &CPU).expect("observations");
    let (mut scratch, mut outputs) = (Scratch::default(), Vec::new());
    for [mean, variance] in [[0.0, 1.0], [0.5, 1.0], [0.5, 4.0], [0.0, 4.0]] {
        for (name, number) in [("normaliser.mean", mean), ("normaliser.variance", variance)] {
            params.buffers_mut().get_mut(name).expect("a buffer").fill(number);
        }
        network.outputs(&params, &observation, &mut scratch, &mut outputs).expect("outputs");
        let on_tensors = network.forward(&params, &tensor).expect("a pass").0;
        let on_tensors: Vec<f32> = on_tensors.flatten_all().and_then(|x| x.to_vec1()).expect("numbers");
        assert!(outputs.iter().zip(&on_tensors).all(|(a, b)| (a - b).abs() < 1e-6), "{mean} {variance}");
    }
}
