//! Robust policy optimisation: means that are shifted where a policy learns, and nowhere else.

use candle_core::{Device, Tensor};
use uphill::envs::{End, Space, Spec};
use uphill::models::Site;
use uphill::objective::{Objective, Output, Report, RowSums, Sum, TensorBatch};
use uphill::rollout::{ActionColumn, Estimate, Minibatch};
use uphill::{
    Checkpoint, Config, Error, Horizon, MlpConfig, MlpModel, Model, Params, Result, Rollout, Scratch, Seed, Stop,
    Trainer,
};

mod on_tensors;
use on_tensors::OnTensors;

const CPU: Device = Device::Cpu;

/// A loss without a form on the host.
#[derive(Debug)]
struct OfTensors(Sum);

impl Objective for OfTensors {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        self.0.loss(batch, output, report)
    }
}

/// How a gradient is come by.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Path {
    Host,
    Fused,
    Tensors,
}

/// The gradient of PPO's loss in the steps at these places.
fn gradient(
    (config, path): (&Config, Path),
    (network, params): (&dyn Model, &Params),
    rollout: &Rollout,
    estimate: &Estimate,
    places: &[usize],
) -> Result<Vec<f32>> {
    let mut algo = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
    if path == Path::Tensors {
        algo.objective = Sum::of(OfTensors(algo.objective));
    }
    let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
    let batch = Minibatch { rollout, estimate, places, advantage: &advantage, stop: Stop::default() };
    let (mut found, mut sums, mut scratch) = (Vec::new(), RowSums::default(), Scratch::default());
    algo.gradient(network, params, batch, &mut scratch, &mut found, &mut sums).map(|()| found)
}

/// Adds to the biases that the policy's means are put out with.
fn move_means(params: &mut Params, by: &[f32]) {
    let is_of_means = |name: &str| name.starts_with("actor") && name.ends_with("bias");
    let block = params.layout().blocks().iter().rfind(|block| is_of_means(&block.name)).expect("biases").range();
    let mut theta = params.snapshot().expect("values");
    theta[block].iter_mut().zip(by).for_each(|(bias, by)| *bias += by);
    params.set(&theta).expect("values");
}

fn close(what: &str, found: &[f32], expected: &[f32]) {
    let most = expected.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(most > 0.01 && found.len() == expected.len() && apart < 2e-5 * most.max(1.0), "{what}: {apart} of {most}");
}

#[test]
fn the_gradient_behind_shifted_means_is_that_of_moved_biases() {
    for (settings, is_another) in [
        ("", false),
        ("shared_trunk = true", false),
        ("distribution = 'diag_gaussian(state_dependent_std=true)'", false),
        ("distribution = 'squashed_diag_gaussian'", false),
        ("distribution = 'gsde'", false),
        ("normalize_observation = true", false),
        ("model = 'gru(units=5)'", true),
        ("model = 'gru(units=5)'\nnormalize_observation = true", true),
    ] {
        let text = format!("env = 'Pendulum-v1'\nenvs = 3\nhidden = [6]\n{settings}");
        let config = Config::from_toml(&text).expect(settings);
        let env = config.make_envs(3).expect("environments");
        let site = Site::new(env.spec(), Seed(3));
        let (mut params, host) = config.make_model(&site).expect("a model");
        let (_, same) = config.make_model(&site).expect("the same");
        let tensors = OnTensors(&*same);
        let mut collector = uphill::Collector::new(env, Seed(3)).expect("a reset");
        let rollout = collector.collect(&*host, &params, Horizon::Steps(9), true).expect("a rollout").0.clone();
        let numbers = |far: usize| (0..27).map(|i| (i * far % 23) as f32 / 11.5 - 1.0).collect::<Vec<f32>>();
        let plain = Estimate { advantage: numbers(37), target: numbers(41), ..Estimate::default() };
        let shifted = Estimate { shift: vec![0.4; 27], ..plain.clone() };
        // Whole lanes where there is a memory.
        let places: Vec<usize> =
            (0..27).filter(|place| if is_another { place % 3 != 1 } else { place % 4 != 1 }).collect();
        let of = |path, params: &Params, estimate| {
            let network: &dyn Model = if path == Path::Host { &*host } else { &tensors };
            gradient((&config, path), (network, params), &rollout, estimate, &places).expect("a gradient")
        };
        let paths = [Path::Host, Path::Fused, Path::Tensors];
        let unmoved = of(Path::Host, &params, &plain);
        let found = paths.map(|path| of(path, &params, &shifted));
        let varied = Estimate { shift: numbers(5), ..plain.clone() };
        let [expected, rest @ ..] = paths.map(|path| of(path, &params, &varied));
        rest.iter().for_each(|found| close(&format!("{settings}, shifts that vary"), found, &expected));
        move_means(&mut params, &[0.4]);
        let expected = of(Path::Host, &params, &plain);
        assert!(unmoved.iter().zip(&expected).any(|(a, b)| (a - b).abs() > 0.01), "{settings}: it matters");
        for (path, found) in paths.iter().zip(&found) {
            close(&format!("{settings}, {path:?}"), found, &expected);
        }
    }
}

#[test]
fn each_step_has_a_shift_of_its_own_for_each_number_of_an_action() {
    let spec = Spec {
        id: "Numbers-v0".into(),
        observation: Space::uniform_box(3, -1.0, 1.0),
        action: Space::uniform_box(2, -1.0, 1.0),
        max_episode_steps: None,
        reward_threshold: None,
    };
    let numbers = |len: usize, far: usize| (0..len).map(|i| (i * far % 23) as f32 / 11.5 - 1.0).collect::<Vec<f32>>();
    let rollout = Rollout {
        action_len: 2,
        observation: numbers(24, 31).into(),
        action: ActionColumn::from(numbers(16, 29)),
        log_prob: vec![-2.0; 8],
        end: vec![End::Not; 8],
        value: numbers(8, 7),
        ..Rollout::new(4, 3)
    };
    let config = Config::for_algo("ppo").expect("an algorithm");
    let plain = Estimate { advantage: numbers(8, 37), target: numbers(8, 41), ..Estimate::default() };
    let shifted = Estimate { shift: numbers(16, 5), ..plain.clone() };
    let mlp = MlpConfig { hidden: vec![6], ..MlpConfig::default() };
    let (mut params, fused) = MlpModel::new(&spec, &mlp, Seed(4), &CPU).expect("a network");
    let (_, same) = MlpModel::new(&spec, &mlp, Seed(4), &CPU).expect("the same");
    let tensors = OnTensors(&same);
    let ways: [(Path, &dyn Model); 3] = [(Path::Host, &fused), (Path::Fused, &tensors), (Path::Tensors, &tensors)];
    let places = [6, 1, 4, 3];
    let mut expected = vec![0.0; params.layout().len()];
    let theta = params.snapshot().expect("values");
    for place in places {
        move_means(&mut params, &shifted.shift[2 * place..2 * place + 2]);
        let of_one =
            gradient((&config, Path::Host), (&fused, &params), &rollout, &plain, &[place]).expect("a gradient");
        expected.iter_mut().zip(of_one).for_each(|(sum, g)| *sum += g / places.len() as f32);
        params.set(&theta).expect("values");
    }
    for (path, network) in ways {
        let found = gradient((&config, path), (network, &params), &rollout, &shifted, &places).expect("a gradient");
        close("a gradient", &found, &expected);
        // Too few of them are told of, and not read past their end.
        let few = Estimate { shift: vec![0.1; 8], ..plain.clone() };
        let error = gradient((&config, path), (network, &params), &rollout, &few, &places).expect_err("one a step");
        assert!(
            matches!(&error, Error::Shape { what, expected, got } if what.contains("shift") && (&expected[..], &got[..]) == (&[16][..], &[8][..])),
            "{error}"
        );
    }
}

/// The parameters' bits after some updates.
fn trained(config: &Config) -> Vec<u32> {
    let mut trainer = Trainer::new(config).expect("a trainer");
    (0..4).for_each(|_| drop(trainer.step().expect("an update").expect("steps are left")));
    trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect()
}

#[test]
fn it_learns_the_same_on_any_number_of_threads_and_something_else_than_without() {
    let of = |rpo_alpha: f64, threads: usize, seed: u64| {
        let ppo = Config { envs: 70, threads, seed, n_steps: 16, ..Config::for_algo("ppo").expect("an algorithm") };
        let algo = format!("ppo(rpo_alpha={rpo_alpha})").as_str().into();
        trained(&Config { env: "Pendulum-v1".into(), algo, steps: 1_000_000, hidden: vec![8], ..ppo })
    };
    let one = of(0.5, 1, 1);
    assert_eq!(one, of(0.5, 3, 1));
    assert_ne!(one, of(0.0, 1, 1));
    assert_ne!(one, of(0.5, 1, 2));
}

#[test]
fn a_resumed_run_draws_what_it_would_have_drawn() {
    let config =
        Config::from_toml("rpo_alpha = 0.5\nenv = 'Pendulum-v1'\nn_steps = 16\nhidden = [4]").expect("settings");
    let mut whole = Trainer::new(&config).expect("a trainer");
    let update = |trainer: &mut Trainer| drop(trainer.step().expect("an update").expect("steps are left"));
    update(&mut whole);
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("checkpoint");
    whole.checkpoint().expect("a checkpoint").write(&path).expect("a file");
    let mut resumed = Trainer::resume(&Checkpoint::read(&path).expect("a file")).expect("a state");
    (0..3).for_each(|_| [&mut whole, &mut resumed].into_iter().for_each(update));
    let [whole, resumed] = [&whole, &resumed].map(|trainer| trainer.params().snapshot().expect("values"));
    assert_eq!(whole, resumed);
}

#[test]
fn a_policy_without_means_is_refused() {
    for env in ["CartPole-v1", "Bandit-v0"] {
        let config = Config::from_toml(&format!("env = '{env}'\nrpo_alpha = 0.5")).expect("settings");
        let message = Trainer::new(&config).map(drop).expect_err(env).to_string();
        let expected = "rpo_alpha = 0.5 is impossible: it shifts means, and the policy, Categorical";
        assert!(message.starts_with(expected) && message.ends_with("take actions that are numbers"), "{message}");
    }
    let message = Config::from_toml("rpo_alpha = -1").expect_err("negative").to_string();
    assert!(message.contains("rpo_alpha = -1 is impossible: it must be finite and not negative"), "{message}");
    let message = Config::for_algo("rpo").expect_err("no row").to_string();
    assert!(message.contains("did you mean `ppo`? robust policy optimisation is ppo(rpo_alpha=0.5)"), "{message}");
}
