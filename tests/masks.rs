//! Actions that an environment forbids: never taken, not learnt from, the same on every path, saved and resumed.

use std::sync::Arc;

use candle_core::Device;
use candle_nn::{Module, linear};
use uphill::algo::OnPolicy;
use uphill::envs::{
    Action, End, Env, EnvError, FiniteMdp, Lanes, NumpyRng, Outcome, Space, Spec, Step, VecEnv, make_vec,
};
use uphill::models::Site;
use uphill::objective::RowSums;
use uphill::rollout::{Estimate, Minibatch};
use uphill::{
    Checkpoint, Collector, Config, Horizon, MlpConfig, MlpModel, Mode, Model, ModuleModel, Overrides, Params, Result,
    Scratch, Seed, Stop, Trainer, oracle,
};

const CPU: Device = Device::Cpu;
const CELLS: usize = 6;
/// To the left, to the right, stay, jump two to the right.
const ACTIONS: usize = 4;
const STEPS: u32 = 12;

/// A corridor that ends on the right. Some actions are forbidden in some cells, and an error if taken.
#[derive(Clone)]
struct Strict {
    spec: Spec,
    rng: NumpyRng,
    cell: usize,
    /// A cell in which nothing is legal, to be told of.
    dead_end: Option<usize>,
}

fn legal(cell: usize) -> [bool; ACTIONS] {
    [cell > 0, true, cell.is_multiple_of(2), cell + 2 < CELLS]
}

/// Where an action leads, and what it pays.
fn after(cell: usize, action: usize) -> (usize, f64) {
    match action {
        0 => (cell - 1, -0.2),
        1 => (cell + 1, -0.1),
        2 => (cell, 0.05),
        _ => (cell + 2, -0.4),
    }
}

impl Strict {
    fn new() -> Self {
        let spec = Spec {
            id: "Strict-v0".into(),
            observation: Space::uniform_box(CELLS, 0.0, 1.0),
            action: Space::Discrete { n: ACTIONS },
            max_episode_steps: Some(STEPS),
            reward_threshold: None,
        };
        Self { spec, rng: NumpyRng::new(0), cell: 0, dead_end: None }
    }

    fn show(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        observation[self.cell.min(CELLS - 1)] = 1.0;
    }

    fn lanes(lanes: usize) -> Result<Box<dyn VecEnv>> {
        Ok(Box::new(Lanes::new(vec![Self::new(); lanes])?))
    }

    fn model() -> FiniteMdp {
        let outcomes = (0..CELLS * ACTIONS).map(|pair| {
            let (cell, action) = (pair / ACTIONS, pair % ACTIONS);
            // Of a forbidden action nothing is said but that there is one.
            let (next, reward) = if legal(cell)[action] { after(cell, action) } else { (cell, 1_000.0) };
            let terminal = next >= CELLS;
            vec![Outcome { probability: 1.0, next: next.min(CELLS - 1), reward, terminal }]
        });
        let start = vec![1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0, 0.0, 0.0];
        let observations = (0..CELLS * CELLS).map(|i| if i / CELLS == i % CELLS { 1.0 } else { 0.0 }).collect();
        let mdp = FiniteMdp::new(ACTIONS, outcomes.collect(), start, observations).expect("a process");
        mdp.with_masks((0..CELLS).flat_map(legal).collect()).expect("masks")
    }
}

impl Env for Strict {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.rng.restart(seed);
        self.cell = (self.rng.random() * 3.0) as usize;
        self.show(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let action = self.spec.action.discrete(action)?;
        if !legal(self.cell)[action] {
            return Err(EnvError::Option { name: "action", value: action.to_string(), expected: "a legal one" });
        }
        let (next, reward) = after(self.cell, action);
        self.cell = next;
        self.show(observation);
        let end = if next >= CELLS { End::Terminated } else { End::Not };
        Ok(Step { reward: reward as f32, end })
    }

    fn action_mask(&self, mask: &mut [bool]) -> bool {
        if self.dead_end == Some(self.cell) {
            mask.fill(false);
        } else {
            mask.copy_from_slice(&legal(self.cell));
        }
        true
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend(self.rng.place());
        state.push(self.cell as u64);
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[a, b, c, cell] = state else { return Err(EnvError::Saved { problem: "expected four words" }) };
        (self.rng, self.cell) = (NumpyRng::at([a, b, c]), cell as usize);
        Ok(())
    }
}

fn config(algo: &str) -> Config {
    let defaults = Config::new(algo, "adam").expect("an algorithm");
    let config = match algo {
        "reinforce" | "rloo" => Config { episodes: 8, ..defaults },
        _ => Config { n_steps: 16, ..defaults },
    };
    Config { env: "Strict-v0".into(), envs: 8, hidden: vec![16], lr: 0.02, threads: 1, steps: 4_000, ..config }
}

/// Candle modules, which learn through tensors.
fn modules(spec: &Spec, seed: Seed, device: &Device) -> Result<(Params, Box<dyn Model>)> {
    let (params, model) = ModuleModel::new(&Site { device, ..Site::new(spec, seed) }, move |vb| {
        let (actor, critic) = (linear(CELLS, ACTIONS, vb.pp("actor"))?, linear(CELLS, 1, vb.pp("critic"))?);
        Ok(Box::new(move |x| Ok((actor.forward(x)?, critic.forward(x)?))))
    })?;
    Ok((params, Box::new(model)))
}

fn trainer(config: &Config, own_network: bool) -> Result<Trainer> {
    let seed = Seed(config.seed);
    let network: Option<uphill::BuildNetwork<'_>> =
        own_network.then(|| Box::new(move |spec: &Spec, device: &Device| modules(spec, seed, device)) as _);
    Trainer::with(config, Overrides { envs: Some(Arc::new(Strict::lanes)), network, ..Overrides::default() })
}

fn trained(mut trainer: Trainer) -> Trainer {
    while trainer.step().expect("an update").is_some() {}
    trainer
}

#[test]
fn no_algorithm_ever_takes_a_forbidden_action() {
    let best = Strict::model().optimal_value_within(STEPS);
    for algo in ["reinforce", "rloo", "a2c", "ppo", "ppo_kl", "dpo_drift", "v_trace", "npg", "trpo", "stream_ac"] {
        for own_network in [false, true] {
            let trainer = trained(trainer(&config(algo), own_network).expect("a trainer"));
            let mut policy = trainer.into_policy().expect("a policy");
            let judged = policy.evaluate(50, Seed(3)).expect("legal actions");
            let drawn = Mode::Sampled(&mut Seed(5).stream("actions", 0));
            policy.evaluate_with(50, Seed(4), drawn).expect("legal actions");
            assert!(judged.return_mean.expect("whole episodes") <= best + 0.3, "{algo}: {judged:?} {best}");
        }
    }
}

#[test]
fn masks_can_be_left_out() {
    let config = Config { mask_actions: false, ..config("ppo") };
    let mut trainer = trainer(&config, false).expect("a trainer");
    let message = trainer.step().expect_err("a forbidden action").to_string();
    assert!(message.contains("Strict-v0, lane") && message.contains("a legal one"), "{message}");
}

#[test]
fn to_leave_them_out_where_there_are_none_is_refused() {
    let config = Config { mask_actions: false, ..Config::for_algo("ppo").expect("an algorithm") };
    let message = Trainer::new(&config).err().expect("no masks").to_string();
    assert!(message.contains("mask_actions = false has no effect: CartPole-v1 forbids no action"), "{message}");
}

#[test]
fn a_state_without_a_legal_action_is_told_of_by_lane_and_step() {
    let dead = Strict { dead_end: Some(3), ..Strict::new() };
    let make = move |lanes| -> Result<Box<dyn VecEnv>> { Ok(Box::new(Lanes::new(vec![dead.clone(); lanes])?)) };
    let mut trainer = Trainer::with_envs(&config("ppo"), make).expect("a trainer");
    let message = trainer.step().expect_err("a dead end").to_string();
    let told = "the action mask allows no action: at least one must be legal in every state";
    assert!(message.contains("Strict-v0, lane ") && message.contains(", step ") && message.contains(told), "{message}");
}

#[test]
fn a_component_without_a_legal_choice_is_told_of() {
    let space = Space::MultiDiscrete { n: vec![2, 3] };
    assert_eq!(space.choices(), 5);
    assert_eq!(space.check_mask(&[false, true, true, false, false]), Ok(()));
    let refused = space.check_mask(&[true, true, false, false, false]);
    assert_eq!(refused, Err(EnvError::NoLegalAction { component: Some(1) }));
    let message = refused.expect_err("none").to_string();
    assert!(message.contains("allows no action in component 1"), "{message}");
    assert!(matches!(space.check_mask(&[true; 4]), Err(EnvError::Length { expected: 5, got: 4, .. })));
}

/// A rollout of Taxi, in which nearly every state forbids something, with estimates out of the air.
fn taxi() -> (Spec, uphill::Rollout, Estimate) {
    let env = make_vec("Taxi-v4", 6).expect("taxis");
    let spec = env.spec().clone();
    let (params, network) = MlpModel::new(&spec, &small(), Seed(1), &CPU).expect("a network");
    let mut collector = Collector::new(env, Seed(1)).expect("a reset");
    let (rollout, _) = collector.collect(&network, &params, Horizon::Steps(20), true).expect("a rollout");
    let wave = |i: usize| (i as f32 * 0.7).sin();
    let len = rollout.reward.len();
    let estimate = Estimate {
        advantage: (0..len).map(wave).collect(),
        target: (0..len).map(|i| wave(i + 3)).collect(),
        ..Estimate::default()
    };
    (spec, rollout.clone(), estimate)
}

fn small() -> MlpConfig {
    MlpConfig { hidden: vec![12], ..MlpConfig::default() }
}

fn loop_of(config: &Config) -> OnPolicy {
    config.make_algo().expect("an algorithm").into_on_policy().expect("a loop over one objective")
}

#[test]
fn all_paths_give_one_gradient_in_which_what_is_forbidden_has_no_part() {
    let (spec, rollout, estimate) = taxi();
    assert_eq!((rollout.choices, rollout.mask.len()), (6, 120 * 6));
    let forbidden = rollout.mask.iter().filter(|legal| !**legal).count();
    assert!(forbidden > 200, "{forbidden} choices are forbidden");
    for (place, &action) in rollout.action.indices().iter().enumerate() {
        assert!(rollout.mask[place * 6 + action as usize], "place {place}");
    }
    let algo = loop_of(&Config { ent_coef: 0.1.into(), ..Config::for_algo("ppo").expect("an algorithm") });
    let places: Vec<usize> = (0..100).collect();
    let advantage = &estimate.advantage[..100];
    let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage, stop: Stop::default() };
    let of = |network: &MlpModel, params: &Params| {
        let (mut scratch, mut gradient, mut sums) = (Scratch::default(), Vec::new(), RowSums::default());
        algo.gradient(network, params, batch, &mut scratch, &mut gradient, &mut sums).expect("a gradient");
        (gradient, sums)
    };
    let (params, fused) = MlpModel::new(&spec, &small(), Seed(2), &CPU).expect("a network");
    let (_, plain) = MlpModel::new(&spec, &small(), Seed(2), &CPU).expect("a network");
    let (on_host, sums) = of(&fused, &params);
    let (on_tensors, tensor_sums) = of(&plain.plain(), &params);
    assert!(on_host.iter().all(|g| g.is_finite()));
    for (a, b) in on_host.iter().zip(&on_tensors) {
        assert!((a - b).abs() < 1e-6, "{a} on the host, {b} on tensors");
    }
    for ((name, a), (_, b)) in sums.entries().iter().zip(tensor_sums.entries()) {
        assert!((a - b).abs() < 1e-3, "{name}: {a} {b}");
    }
    // No term is fused: the objectives' own loss on tensors.
    let tensors = uphill::objective::TensorBatch::new(&rollout, &estimate, &places, advantage, &CPU).expect("tensors");
    let output = fused.answer(&params, &tensors.observation).expect("an answer");
    let output = output.masked(&**fused.distribution(), tensors.mask.as_ref()).expect("a mask");
    let mut report = uphill::objective::Report::default();
    let loss = uphill::objective::Objective::loss(&algo.objective, &tensors, &output, &mut report).expect("a loss");
    let plain: Vec<f32> = params.gradient(&loss).and_then(|g| Ok(g.to_vec1()?)).expect("a gradient");
    for (a, b) in on_host.iter().zip(&plain) {
        assert!((a - b).abs() < 1e-6, "{a} on the host, {b} by the objectives' own loss");
    }
}

/// A linear policy, a table of logits.
fn table() -> (Params, MlpModel) {
    let config = MlpConfig { hidden: vec![], ..MlpConfig::default() };
    let (mut params, network) = MlpModel::new(&Strict::new().spec, &config, Seed(5), &CPU).expect("a network");
    let mut theta = params.snapshot().expect("values");
    theta.iter_mut().enumerate().for_each(|(i, x)| *x = ((i * 37 % 17) as f32 - 8.0) / 10.0);
    params.set(&theta).expect("values");
    (params, network)
}

#[test]
fn the_exact_gradient_is_the_slope_of_the_exact_return() {
    let (mut params, network) = table();
    let mdp = Strict::model();
    let policy = oracle::policy_table(&network, &params, &mdp).expect("a policy");
    for (p, legal) in policy.iter().zip((0..CELLS).flat_map(legal)) {
        assert_eq!(*p > 0.0, legal, "{policy:?}");
    }
    let gamma = 0.9;
    let exact = oracle::exact_policy_gradient(&network, &params, &mdp, gamma).expect("a gradient");
    let exact: Vec<f32> = exact.to_vec1().expect("numbers");
    let theta = params.snapshot().expect("values");
    let head = params.layout().block("actor.head.weight").expect("the policy").range();
    for i in head {
        let mut at = |by: f32| {
            let mut moved = theta.clone();
            moved[i] += by;
            params.set(&moved).expect("values");
            oracle::exact_return(&network, &params, &mdp, gamma).expect("a return")
        };
        let slope = (at(0.01) - at(-0.01)) / 0.02;
        assert!((slope - f64::from(exact[i])).abs() < 1e-4, "parameter {i}: {slope} {}", exact[i]);
    }
}

/// Sampled gradients of the masked policy are right on average: within four standard errors in every parameter.
#[test]
fn sampled_gradients_are_the_exact_one_on_average() {
    const BATCHES: usize = 400;
    let (params, network) = table();
    let exact = oracle::exact_episode_gradient(&network, &params, &Strict::model(), 1.0).expect("a gradient");
    let exact: Vec<f32> = exact.to_vec1().expect("numbers");
    let unlimited = Strict { spec: Spec { max_episode_steps: None, ..Strict::new().spec }, ..Strict::new() };
    let reinforce = Config { gamma: 1.0, baseline: false, normalize_advantage: false, ..config("reinforce") };
    let algo = loop_of(&reinforce);
    let env = Lanes::new(vec![unlimited; 8]).expect("lanes");
    let mut collector = Collector::new(Box::new(env), Seed(9)).expect("a reset");
    let (mut scratch, mut gradient, mut sums) = (Scratch::default(), Vec::new(), RowSums::default());
    let (mut sum, mut squares) = (vec![0.0f64; exact.len()], vec![0.0f64; exact.len()]);
    for _ in 0..BATCHES {
        let (rollout, _) = collector.collect(&network, &params, Horizon::Episodes(1), false).expect("a rollout");
        let estimate = algo.estimator.estimate(rollout, 1.0);
        let places: Vec<usize> = rollout.valid_steps().collect();
        let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
        let (places, advantage, stop) = (&places, &advantage, Stop::default());
        let batch = Minibatch { rollout, estimate: &estimate, places, advantage, stop };
        algo.gradient(&network, &params, batch, &mut scratch, &mut gradient, &mut sums).expect("a gradient");
        for ((sum, squares), &g) in sum.iter_mut().zip(&mut squares).zip(&gradient) {
            let g = -f64::from(g) * places.len() as f64 / 8.0;
            *sum += g;
            *squares += g * g;
        }
    }
    let head = params.layout().block("actor.head.weight").expect("the policy").range();
    let mut moving = 0;
    for i in head {
        let mean = sum[i] / BATCHES as f64;
        let error = ((squares[i] / BATCHES as f64 - mean * mean) / BATCHES as f64).sqrt();
        assert!(
            (mean - f64::from(exact[i])).abs() <= 4.0 * error + 1e-9,
            "parameter {i}: {mean} ± {error}, {}",
            exact[i]
        );
        moving += usize::from(error > 0.0);
    }
    assert!(moving > 10, "{moving} parameters have a part");
}

#[test]
fn the_best_policy_and_the_uniform_one_keep_to_what_is_legal() {
    let (masked, free) = (Strict::model(), Strict::model().without_masks());
    assert!(masked.optimal_value_within(STEPS) < 10.0 && free.optimal_value_within(STEPS) > 1_000.0);
    let best = masked.optimal_policy(0.9).expect("a policy");
    let uniform = masked.uniform_policy();
    for policy in [&best, &uniform] {
        assert!(policy.iter().zip((0..CELLS).flat_map(legal)).all(|(&p, legal)| legal || p == 0.0), "{policy:?}");
    }
    assert_eq!(&uniform[..ACTIONS], &[0.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]);
    let refused = Strict::model().with_masks(vec![false; CELLS * ACTIONS]).expect_err("nothing is legal").to_string();
    assert!(refused.contains("no action in state 0"), "{refused}");
}

/// The parameters' bits.
fn bits(trainer: &Trainer) -> Vec<u32> {
    trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect()
}

#[test]
fn killed_and_resumed_it_ends_with_the_same_bits_on_any_number_of_threads() {
    let config = Config { envs: 64, steps: 12_000, ..config("ppo") };
    let whole = bits(&trained(trainer(&config, false).expect("a trainer")));
    for threads in [1, 3] {
        let config = Config { threads, ..config.clone() };
        let mut first = trainer(&config, false).expect("a trainer");
        for _ in 0..4 {
            first.step().expect("an update");
        }
        let file = tempfile::tempdir().expect("a folder");
        let path = file.path().join("checkpoint");
        first.checkpoint().expect("a checkpoint").write(&path).expect("a file");
        let mut second = trainer(&config, false).expect("a trainer");
        second.restore(&Checkpoint::read(&path).expect("a file")).expect("a state");
        assert_eq!(bits(&trained(second)), whole, "{threads} threads");
    }
}

#[test]
fn a_policy_acts_within_a_mask() {
    let policy = trained(trainer(&config("ppo"), false).expect("a trainer")).into_policy().expect("a policy");
    let observation: Vec<f32> = (0..CELLS).map(|i| if i == 2 { 1.0 } else { 0.0 }).collect();
    for only in 0..ACTIONS {
        let mask: Vec<bool> = (0..ACTIONS).map(|action| action == only).collect();
        let mut rng = Seed(7).stream("actions", 0);
        for mode in [Mode::Likeliest, Mode::Sampled(&mut rng)] {
            let mut memory = policy.memory(1);
            let action = policy.act_within(&observation, Some(&mask), &mut memory, mode).expect("an action");
            assert_eq!(action.indices(), [only as u32]);
        }
    }
    let mut memory = policy.memory(1);
    let refused = policy.act_within(&observation, Some(&[true; 3]), &mut memory, Mode::Likeliest).expect_err("3 of 4");
    assert!(refused.to_string().contains("action mask"), "{refused}");
    let none = policy.act_within(&observation, Some(&[false; 4]), &mut memory, Mode::Likeliest);
    assert!(none.is_err(), "{none:?}");
}
