//! Networks with a memory: the cells are torch's, and every algorithm learns by back-propagation through it, saved, resumed and on
//! any number of threads with the same bits.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use candle_nn::{Module, linear};
use serde::Deserialize;
use uphill::algo::OnPolicy;
use uphill::envs::{CartPole, Env, Space, Spec, TimeLimit};
use uphill::landscape::Surface;
use uphill::models::{Cell, GRU, LSTM, RecurrentConfig, RecurrentModel, Sequences, Site};
use uphill::objective::RowSums;
use uphill::rollout::{Estimate, Minibatch};
use uphill::{
    Collector, Config, Error, Horizon, Mode, Model, ModuleModel, ObservationColumn, Params, Policy, Result, RunFolder,
    Scratch, Seed, Stop, Threads, Trainer, algo, gradient, oracle,
};

const CPU: Device = Device::Cpu;

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    cell: String,
    inputs: usize,
    units: usize,
    steps: usize,
    lanes: usize,
    begins: Vec<bool>,
    observation: Vec<f32>,
    memory: Vec<f32>,
    parameters: BTreeMap<String, Vec<f32>>,
    output: Vec<f64>,
    last: Vec<f64>,
    weight: Vec<f32>,
    gradients: BTreeMap<String, Vec<f64>>,
}

fn spec(observation: usize, actions: usize) -> Spec {
    Spec {
        id: "Test-v0".into(),
        observation: Space::uniform_box(observation, -1.0, 1.0),
        action: Space::Discrete { n: actions },
        max_episode_steps: None,
        reward_threshold: None,
    }
}

fn cell(name: &str) -> &'static Cell {
    if name == "gru" { &GRU } else { &LSTM }
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("numbers")
}

#[track_caller]
fn close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
    for (i, (&g, e)) in got.iter().zip(expected).enumerate() {
        assert!((f64::from(g) - e).abs() <= tolerance * scale, "{what}, {i}: {g} for {e}");
    }
}

/// A cell alone, its outputs those of the policy.
fn alone(case: &Case) -> (Params, RecurrentModel) {
    let config = RecurrentConfig { hidden: vec![], units: case.units, ..RecurrentConfig::default() };
    let spec = spec(case.inputs, case.units);
    let (mut params, model) = RecurrentModel::new(cell(&case.cell), &spec, &config, Seed(1), &CPU).expect("a network");
    let layout = params.layout().clone();
    params
        .update(|theta| {
            theta.fill(0.0);
            for (name, values) in &case.parameters {
                let block = layout.block(&format!("trunk.{}.{name}", case.cell)).expect("torch's own names");
                theta[block.range()].copy_from_slice(values);
            }
            let head = layout.block("actor.head.weight").expect("a head").range();
            (0..case.units).for_each(|i| theta[head.start + i * (case.units + 1)] = 1.0);
        })
        .expect("parameters");
    (params, model)
}

#[test]
fn the_cells_are_those_of_torch() {
    let reference: Reference = serde_json::from_str(include_str!("reference/recurrent.json")).expect("JSON");
    for case in &reference.cases {
        let what = format!("{} of {} units", case.cell, case.units);
        let (params, model) = alone(case);
        let (steps, lanes, m) = (case.steps, case.lanes, model.memory());
        let tensor = |x: &[f32], shape: &[usize]| Tensor::from_slice(x, shape, &CPU).expect("a tensor");
        let sequences = Sequences {
            observation: tensor(&case.observation, &[steps, lanes, case.inputs]),
            begins: case.begins.clone(),
            memory: tensor(&case.memory, &[lanes, m]),
        };
        let (outputs, _) = model.forward_along(&params, &sequences).expect("outputs");
        close(&what, &numbers(&outputs), &case.output, 1e-6);

        let weight = tensor(&case.weight, &[steps * lanes, case.units]);
        let loss = (&outputs * weight).and_then(|x| x.sum_all()).expect("a loss");
        let found = numbers(&params.gradient(&loss).expect("a gradient"));
        for (name, expected) in &case.gradients {
            let range = params.layout().block(&format!("trunk.{}.{name}", case.cell)).expect("a block").range();
            close(&format!("{what}: {name}"), &found[range], expected, 3e-6);
        }

        // Step by step on the host.
        let (mut memory, mut scratch, mut outputs) = (case.memory.clone(), Scratch::default(), Vec::new());
        for t in 0..steps {
            for lane in (0..lanes).filter(|lane| case.begins[t * lanes + lane]) {
                memory[lane * m..(lane + 1) * m].fill(0.0);
            }
            let observation = &case.observation[t * lanes * case.inputs..(t + 1) * lanes * case.inputs];
            model.answers_after(&params, observation, &mut memory, &mut scratch, &mut outputs, None).expect("outputs");
            let each = lanes * case.units;
            close(&format!("{what}, step {t}"), &outputs, &case.output[t * each..(t + 1) * each], 1e-6);
        }
        close(&what, &memory, &case.last, 1e-6);
    }
}

/// A small run of an algorithm with a model.
fn config(algo: &str, model: &str) -> Config {
    let defaults = Config::for_algo(algo).expect("an algorithm");
    let model = format!("{model}(hidden=[8], units=6)");
    let toml = format!("algo = '{algo}'\nmodel = '{model}'\nenvs = 4\nsteps = 100_000\nthreads = 1");
    let config = Config::from_toml(&toml).expect("a configuration");
    match algo {
        "reinforce" | "rloo" => Config { episodes: 8, ..config },
        _ => Config { n_steps: 16, n_minibatches: defaults.n_minibatches.min(4), ..config },
    }
}

fn bits(trainer: &Trainer) -> Vec<u32> {
    trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect()
}

fn steps(trainer: &mut Trainer, count: usize) {
    for _ in 0..count {
        trainer.step().expect("an update").expect("steps are left");
    }
}

#[test]
fn every_algorithm_learns_and_goes_on_from_a_checkpoint_with_the_same_bits() {
    for row in algo::ROWS {
        for (model, normalize_observation) in [("gru", false), ("lstm", true)] {
            let config = Config { normalize_observation, ..config(row.name, model) };
            let mut trainer = Trainer::new(&config).expect("a trainer");
            let start = bits(&trainer);
            steps(&mut trainer, 2);
            let checkpoint = trainer.checkpoint().expect("a checkpoint");
            let bytes = checkpoint.to_bytes().expect("bytes");
            let mut elsewhere =
                Trainer::resume(&uphill::Checkpoint::from_bytes(&bytes).expect("a file")).expect("a trainer");
            steps(&mut trainer, 2);
            steps(&mut elsewhere, 2);
            assert_eq!(bits(&trainer), bits(&elsewhere), "{} with {model}", row.name);
            assert_ne!(bits(&trainer), start, "{} with {model}", row.name);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for model in ["gru", "lstm"] {
        let trained = |threads: usize| {
            let config = Config { envs: 70, n_minibatches: 3, threads, ..config("ppo", model) };
            let mut trainer = Trainer::new(&config).expect("a trainer");
            steps(&mut trainer, 2);
            bits(&trainer)
        };
        let one = trained(1);
        assert_eq!(one, trained(2), "{model}");
        assert_eq!(one, trained(3), "{model}");
    }
}

/// A module of candle-nn's with a memory: a plain recurrent layer.
fn elman(spec: &Spec, seed: Seed) -> Result<(Params, ModuleModel)> {
    let (inputs, actions) = (spec.observation_len(), spec.action.choices());
    ModuleModel::with_memory(&Site::new(spec, seed), (5, &[]), move |vb| {
        let cell = linear(inputs + 5, 5, vb.pp("cell"))?;
        let (actor, critic) = (linear(5, actions, vb.pp("actor"))?, linear(5, 1, vb.pp("critic"))?);
        Ok(Box::new(move |observation, memory| {
            let memory = cell.forward(&Tensor::cat(&[observation, memory], 1)?)?.tanh()?;
            Ok((actor.forward(&memory)?, critic.forward(&memory)?, memory))
        }))
    })
}

#[test]
fn a_module_of_ones_own_with_a_memory_learns() {
    let config = config("ppo", "gru");
    let mut trainer = Trainer::with_network(&config, |spec, _| {
        let (params, model) = elman(spec, Seed(2))?;
        Ok((params, Box::new(model)))
    })
    .expect("a trainer");
    let start = bits(&trainer);
    steps(&mut trainer, 2);
    let layout = trainer.params().layout().clone();
    let now = bits(&trainer);
    for block in layout.blocks() {
        assert_ne!(now[block.range()], start[block.range()], "{}", block.name);
    }
    // What goes from the memory to the memory, the last columns: nothing is remembered but through it.
    let cell = layout.block("cell.weight").expect("a block").range();
    for row in 0..5 {
        let columns = cell.start + 9 * row + 4..cell.start + 9 * (row + 1);
        assert!(columns.clone().all(|at| now[at] != start[at]), "{:?}", &now[columns]);
    }
    let spec = spec(4, 2);
    let wrong = ModuleModel::with_memory(&Site::new(&spec, Seed(1)), (3, &[]), |vb| {
        let both = linear(4, 3, vb)?;
        Ok(Box::new(move |observation, _| {
            let y = both.forward(observation)?;
            Ok((y.narrow(1, 0, 2)?, y.narrow(1, 2, 1)?, y.narrow(1, 0, 2)?))
        }))
    });
    let error = wrong.err().expect("refused");
    assert_eq!(error.to_string(), "what is to be remembered for 2 observations has shape [2, 2], expected [2, 3]");
}

/// What a network remembers learns nothing behind this, and nothing says so.
#[test]
fn a_memory_that_cuts_the_graph_is_refused() {
    let spec = spec(4, 2);
    let cut = |detach: bool| {
        ModuleModel::with_memory(&Site::new(&spec, Seed(1)), (5, &[]), move |vb| {
            let (input, memory) = (linear(4, 5, vb.pp("input"))?, linear(5, 5, vb.pp("memory"))?);
            let (actor, critic) = (linear(5, 2, vb.pp("actor"))?, linear(5, 1, vb.pp("critic"))?);
            Ok(Box::new(move |x, before| {
                let kept = memory.forward(before)?;
                let after = (input.forward(x)? + if detach { kept.detach() } else { kept })?.tanh()?;
                Ok((actor.forward(&after)?, critic.forward(&after)?, after))
            }))
        })
    };
    assert!(cut(false).is_ok());
    let error = cut(true).err().expect("refused").to_string();
    assert!(error.starts_with("the network learns wrongly in ") && error.contains("`memory.weight`"), "{error}");
}

#[test]
fn gradients_through_time_are_slopes() {
    let spec = spec(3, 4);
    let observations: Vec<f32> = (0..3 * 9).map(|i| ((i * 37 % 23) as f32 - 11.0) / 9.0).collect();
    for cell in [&GRU, &LSTM] {
        let config = RecurrentConfig { hidden: vec![7], units: 6, ..RecurrentConfig::default() };
        let (mut params, model) = RecurrentModel::new(cell, &spec, &config, Seed(4), &CPU).expect("a network");
        let moved: Vec<f32> =
            params.snapshot().expect("values").iter().enumerate().map(|(i, x)| x + (i as f32).sin() * 0.3).collect();
        params.set(&moved).expect("values");
        let found = gradient::check(&model, &mut params, &observations).and_then(|found| Ok(found.within(0.01)?));
        let found = found.expect("slopes");
        let recurrent = found.blocks.iter().find(|slope| slope.block.ends_with("weight_hh")).expect("a block");
        assert!(recurrent.autograd.abs() > 1e-3, "{recurrent:?}");
    }
}

/// A rollout of a run's policy in environments of its kind, with its estimate.
fn played(config: &Config, params: &Params, model: &dyn Model, horizon: Horizon) -> (uphill::Rollout, Estimate) {
    let mut collector = Collector::new(config.make_envs(config.envs).expect("environments"), Seed(8)).expect("a reset");
    collector.collect(model, params, horizon, true).expect("a rollout");
    let (rollout, _) = collector.collect(model, params, horizon, true).expect("a rollout");
    let loop_of: OnPolicy = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
    let estimate = loop_of.estimator.estimate(rollout, 0.99);
    (rollout.clone(), estimate)
}

fn model_of(config: &Config) -> (Params, Box<dyn Model>) {
    let spec = config.make_envs(1).expect("an environment").spec().clone();
    let (mut params, model) = config.make_model(&Site::new(&spec, Seed(5))).expect("a model");
    let moved: Vec<f32> =
        params.snapshot().expect("values").iter().enumerate().map(|(i, x)| x + (i as f32).cos() * 0.2).collect();
    params.set(&moved).expect("values");
    (params, model)
}

/// The gradient of the steps at some places, and the loss's sums.
fn gradient_of(
    config: &Config,
    (params, model): (&Params, &dyn Model),
    (rollout, estimate): (&uphill::Rollout, &Estimate),
    places: &[usize],
) -> Vec<f32> {
    let loop_of = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
    let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
    let batch = Minibatch { rollout, estimate, places, advantage: &advantage, stop: Stop::default() };
    let (mut found, mut sums) = (Vec::new(), RowSums::default());
    loop_of.gradient(model, params, batch, &mut Scratch::default(), &mut found, &mut sums).expect("a gradient");
    found
}

#[test]
fn a_gradient_is_that_of_each_lane_by_itself_and_parked_steps_count_for_nothing() {
    for name in ["gru", "lstm"] {
        for (algo, horizon) in [("ppo", Horizon::Steps(30)), ("reinforce", Horizon::Episodes(2))] {
            let config = config(algo, name);
            let (params, model) = model_of(&config);
            let (mut rollout, mut estimate) = played(&config, &params, &*model, horizon);
            let places: Vec<usize> = rollout.valid_steps().collect();
            let whole = gradient_of(&config, (&params, &*model), (&rollout, &estimate), &places);
            let mut sum = vec![0.0f64; whole.len()];
            for lane in 0..4 {
                let own: Vec<usize> = places.iter().copied().filter(|place| place % 4 == lane).collect();
                let share = own.len() as f64 / places.len() as f64;
                let found = gradient_of(&config, (&params, &*model), (&rollout, &estimate), &own);
                sum.iter_mut().zip(found).for_each(|(sum, g)| *sum += share * f64::from(g));
            }
            close(&format!("{name}, {algo}"), &whole, &sum, 1e-5);
            // In any order, too, and whatever stands where a lane was parked.
            let reversed: Vec<usize> = places.iter().rev().copied().collect();
            let found = gradient_of(&config, (&params, &*model), (&rollout, &estimate), &reversed);
            close(&format!("{name}, {algo}, reversed"), &found, &sum, 1e-5);
            for place in (0..rollout.valid.len()).filter(|&place| !rollout.valid[place]).collect::<Vec<_>>() {
                let ObservationColumn::Number(observation) = &mut rollout.observation else { panic!("no images") };
                observation[4 * place..4 * place + 4].fill(3.0);
                (estimate.advantage[place], estimate.target[place], rollout.log_prob[place]) = (50.0, 50.0, -9.0);
            }
            let again = gradient_of(&config, (&params, &*model), (&rollout, &estimate), &places);
            assert_eq!(again, whole, "{name}, {algo}");
        }
    }
}

#[test]
fn a_policy_from_a_folder_is_the_one_that_was_trained() {
    let folder = std::env::temp_dir().join(format!("uphill-recurrence-{}", std::process::id()));
    let config = Config { steps: 2_000, lr: 0.05, normalize_observation: true, ..config("ppo", "gru") };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let mut run = RunFolder::create(&folder, &config, true).expect("a folder");
    while let Some(metrics) = trainer.step().expect("an update") {
        run.log(&metrics).expect("a row");
    }
    let params = trainer.params().snapshot().expect("values");
    run.finish(trainer).expect("a summary");
    let mut policy = Policy::load(&folder).expect("a policy");
    std::fs::remove_dir_all(&folder).expect("its folder");
    assert_eq!(policy.params().snapshot().expect("values"), params);

    let whole = policy.evaluate(3, Seed(5)).expect("an evaluation");
    // The same by hand, one lane through all episodes, forgetting in between.
    let seed = Seed(5).derive("evaluation", 0);
    let mut memory = policy.memory(1);
    let mut returns = Vec::new();
    for episode in 0..3 {
        let mut env = TimeLimit::new(CartPole::new());
        let (mut observation, mut total) = ([0.0; 4], 0.0);
        env.reset(Some(seed + episode), &mut observation).expect("a reset");
        memory.forget(0);
        loop {
            let action = policy.act(&observation, &mut memory, Mode::Likeliest).expect("an action").indices()[0];
            let step = env.step(uphill::envs::Action::Discrete(action), &mut observation).expect("a step");
            total += f64::from(step.reward);
            if step.end.ended() {
                break;
            }
        }
        returns.push(Some(total));
    }
    assert_eq!(whole.returns, returns);
}

#[test]
fn a_surface_of_the_loss_is_the_loss_and_an_exact_return_is_refused() {
    let config = Config { n_minibatches: 1, normalize_advantage: false, ..config("a2c", "lstm") };
    let (params, _) = model_of(&config);
    let theta = params.snapshot().expect("values");
    let surface = Surface::loss(&config, (&theta, params.buffers()), Seed(3)).expect("a surface");
    // Along its own gradient, as differences take it.
    let height = |theta: &[f32]| surface.heights(&[theta.to_vec()], &Threads::default(), || {}).expect("a height")[0];
    let mut moved = theta.clone();
    let at = params.layout().block("trunk.lstm.weight_hh").expect("a block").range();
    moved[at].iter_mut().for_each(|x| *x += 0.1);
    assert!((height(&moved) - height(&theta)).abs() > 1e-6, "the memory counts");

    let grid = Config { env: "GridWorld-4x4-v0".into(), ..config };
    let (params, model) = model_of(&grid);
    let mdp = grid.model_of_env().expect("a world").expect("a model");
    let error = oracle::exact_return(&*model, &params, &mdp, 0.9).expect_err("refused").to_string();
    assert!(error.starts_with("the network has a memory"), "{error}");
    let surface = Surface::exact_return(&grid).expect("a surface");
    let error =
        surface.heights(&[params.snapshot().expect("values")], &Threads::default(), || {}).expect_err("refused");
    assert!(error.to_string().starts_with("the network has a memory"), "{error}");
}

/// Twins of one network: fused on the host, and in tensors; with environments of their own.
fn twins(env: &str, hidden: &[usize], units: usize) -> (Params, RecurrentModel, RecurrentModel) {
    let spec = uphill::envs::make(env).expect("an environment").spec().clone();
    let config = RecurrentConfig { hidden: hidden.to_vec(), units, ..RecurrentConfig::default() };
    let make = || RecurrentModel::new(&GRU, &spec, &config, Seed(6), &CPU).expect("a network");
    let ((mut params, fused), (_, plain)) = (make(), make());
    let moved: Vec<f32> =
        params.snapshot().expect("values").iter().enumerate().map(|(i, x)| x + (i as f32).cos() * 0.2).collect();
    params.set(&moved).expect("values");
    (params, fused, plain.plain())
}

#[test]
fn the_host_path_of_the_gru_is_that_of_tensors() {
    for (env, algo, hidden, units, envs, n_steps) in [
        ("CartPole-v1", "ppo", &[9][..], 7, 3, 20),
        ("CartPole-v1", "ppo_kl", &[], 1, 1, 40),
        ("Pendulum-v1", "ppo", &[5, 6], 16, 5, 33),
        ("MountainCarNoVelocity-v0", "v_trace", &[8], 20, 20, 130),
        ("GridWorld-4x4-v0", "a2c", &[8], 33, 6, 120),
        ("CartPole-v1", "reinforce", &[8], 6, 4, 0),
    ] {
        let (params, fused, plain) = twins(env, hidden, units);
        let config = Config { env: env.into(), envs, ..Config::for_algo(algo).expect("an algorithm") };
        let config =
            if algo == "reinforce" { Config { episodes: envs, ..config } } else { Config { n_steps, ..config } };
        let horizon = if n_steps == 0 { Horizon::Episodes(2) } else { Horizon::Steps(n_steps) };
        let (mut rollout, mut estimate) = played(&config, &params, &fused, horizon);
        let (by_tensors, _) = played(&config, &params, &plain, horizon);
        close(&format!("{env}, values"), &rollout.value, &wide(&by_tensors.value), 1e-5);
        // Of a size that shows what differs.
        estimate.advantage.iter_mut().enumerate().for_each(|(i, a)| *a = (i as f32 * 0.7).sin());
        for masked in [false, true] {
            if masked && matches!(rollout.action, uphill::ActionColumn::Discrete(_)) {
                rollout.choices = fused.distribution().choices();
                let (choices, taken) = (rollout.choices, rollout.action.indices());
                rollout.mask = (0..taken.len() * choices)
                    .map(|i| i % choices == taken[i / choices] as usize || i % 3 > 0)
                    .collect();
            }
            let places: Vec<usize> = rollout.valid_steps().filter(|place| place % envs != 2).collect();
            let of = |model| gradient_of(&config, (&params, model), (&rollout, &estimate), &places);
            let (found, expected) = (of(&fused), of(&plain));
            assert!(expected.iter().any(|g| g.abs() > 1e-3), "not trivially zero");
            close(&format!("{env}, {algo}, masked {masked}"), &found, &wide(&expected), 1e-5);
        }
    }
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

#[test]
fn the_host_path_of_the_gru_has_the_slopes_of_its_own_loss() {
    let (mut params, fused, _) = twins("CartPole-v1", &[5], 6);
    let config = Config { envs: 3, ..Config::for_algo("a2c").expect("a2c") };
    let (rollout, estimate) = played(&config, &params, &fused, Horizon::Steps(40));
    let places: Vec<usize> = rollout.valid_steps().collect();
    let advantage: Vec<f32> = places.iter().map(|&i| (i as f32).sin()).collect();
    let objective = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop").objective;
    let loss = |params: &Params, found: &mut Vec<f32>| {
        let batch = Minibatch {
            rollout: &rollout,
            estimate: &estimate,
            places: &places,
            advantage: &advantage,
            stop: Stop::default(),
        };
        let (scratch, sums) = (&mut Scratch::default(), &mut RowSums::default());
        fused.host_gradient(params, batch, &objective, scratch, found, sums).expect("a gradient").expect("fused")
    };
    let (mut found, theta) = (Vec::new(), params.snapshot().expect("values"));
    loss(&params, &mut found);
    let blocks: Vec<_> = params.layout().blocks().to_vec();
    for block in blocks {
        let h = 4e-3;
        let mut at = |by: f32| {
            let mut moved = theta.clone();
            moved[block.range()].iter_mut().enumerate().for_each(|(i, x)| *x += by * (i as f32 + 1.0).cos());
            params.set(&moved).expect("values");
            loss(&params, &mut Vec::new())
        };
        let slope = (at(h) - at(-h)) / (2.0 * f64::from(h));
        let direction = found[block.range()].iter().enumerate();
        let autograd: f64 = direction.map(|(i, g)| f64::from(*g) * f64::from((i as f32 + 1.0).cos())).sum();
        assert!((slope - autograd).abs() < 2e-3 * slope.abs().max(0.05), "{}: {slope} {autograd}", block.name);
    }
}

#[test]
fn a_gradient_along_lanes_is_broken_off_and_is_the_same_when_begun_again() {
    let (params, fused, _) = twins("CartPole-v1", &[5], 6);
    let config = Config { envs: 40, ..Config::for_algo("a2c").expect("a2c") };
    let (rollout, estimate) = played(&config, &params, &fused, Horizon::Steps(300));
    let places: Vec<usize> = rollout.valid_steps().collect();
    let advantage: Vec<f32> = places.iter().map(|&i| (i as f32).sin()).collect();
    for threads in [1, 3] {
        let (_, model, _) = twins("CartPole-v1", &[5], 6);
        let model = model.on(Threads::new(threads).expect("threads"));
        let gradient = |no: usize| {
            let asked = std::sync::atomic::AtomicUsize::new(0);
            let flag = || asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == no;
            let stop = Stop::when(&flag);
            let batch =
                Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage: &advantage, stop };
            let (mut found, mut sums) = (Vec::new(), RowSums::default());
            let objective = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop").objective;
            let loss = model.host_gradient(&params, batch, &objective, &mut Scratch::default(), &mut found, &mut sums);
            (loss, found, asked.load(std::sync::atomic::Ordering::Relaxed))
        };
        let (_, whole, asked) = gradient(usize::MAX);
        assert!((8..=16).contains(&asked), "{asked} times");
        for no in 0..asked {
            assert!(matches!(gradient(no).0, Err(Error::Interrupted)), "after {no}");
        }
        assert_eq!(gradient(usize::MAX).1, whole);
    }
}

/// Trains for so many steps, and plays with the policy that this makes.
fn mean_return(config: &Config, episodes: usize) -> f64 {
    let mut trainer = Trainer::new(config).expect("a trainer");
    while trainer.step().expect("an update").is_some() {}
    let mut policy = trainer.into_policy().expect("a policy");
    policy.evaluate(episodes, Seed(9)).expect("an evaluation").return_mean.expect("whole episodes")
}

/// A perceptron sees the same at the fork of both mazes: it turns to the goal in half of them at most, and to expect more than
/// (4 − 0.1) / 2 = 1.95 is beyond it.
#[test]
fn a_gru_solves_a_maze_in_which_a_perceptron_can_do_no_better_than_chance() {
    let toml = "env = 'TMaze-v0(length=4)'\nalgo = 'ppo'\nmodel = 'gru(hidden=[], units=16)'\nsteps = 32_000\nenvs = 16\n\
                n_steps = 32\nlr = 5e-3\nthreads = 1";
    let config = Config::from_toml(toml).expect("a configuration");
    assert_eq!(mean_return(&config, 100), 4.0, "every turn is right");
    let mlp = Config { model: "mlp".into(), hidden: vec![16], ..config };
    let mean = mean_return(&mlp, 100);
    assert!(mean < 2.7, "{mean}");
}
