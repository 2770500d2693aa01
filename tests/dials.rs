//! Actions of several choices from end to end: an environment of three dials, learnt, saved, resumed, judged.

use std::sync::Arc;

use allocation_counter::measure;
use candle_core::{DType, Device, Tensor};
use candle_nn::{Module, linear};
use uphill::distributions::{Distribution, MultiCategorical};
use uphill::envs::{Action, End, Env, EnvError, GridWorldConfig, Lanes, NumpyRng, Space, Spec, Step, VecEnv};
use uphill::objective::{Objective, Report, RowSums, TensorBatch};
use uphill::rollout::{Estimate, Minibatch};
use uphill::{
    Checkpoint, Collector, Config, Error, Horizon, Metrics, MlpConfig, MlpModel, Mode, Model, ModuleModel, Overrides,
    Params, Result, Scratch, Seed, Stop, Trainer, oracle,
};

const CPU: Device = Device::Cpu;

/// Positions of each dial.
const DIALS: [usize; 3] = [3, 2, 4];
/// Codes in an episode.
const STEPS: u32 = 8;

/// Shows a code, a position for each dial, and pays for every dial that is turned to its own; then shows the next.
struct Dials {
    spec: Spec,
    rng: NumpyRng,
    code: [usize; 3],
    steps: u32,
}

impl Dials {
    fn new() -> Self {
        let spec = Spec {
            id: "Dials-v0".into(),
            observation: Space::uniform_box(DIALS.iter().sum(), 0.0, 1.0),
            action: Space::MultiDiscrete { n: DIALS.to_vec() },
            max_episode_steps: Some(STEPS),
            reward_threshold: None,
        };
        Self { spec, rng: NumpyRng::new(0), code: [0; 3], steps: 0 }
    }

    fn show(&mut self, observation: &mut [f32]) {
        self.code = DIALS.map(|n| (self.rng.random() * n as f64) as usize);
        observation.fill(0.0);
        let mut first = 0;
        for (n, own) in DIALS.into_iter().zip(self.code) {
            observation[first + own] = 1.0;
            first += n;
        }
    }

    fn lanes(lanes: usize) -> Result<Box<dyn VecEnv>> {
        Ok(Box::new(Lanes::new((0..lanes).map(|_| Self::new()).collect())?))
    }
}

impl Env for Dials {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.rng.restart(seed);
        self.steps = 0;
        self.show(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let chosen = self.spec.action.multi_discrete(action)?;
        let right = chosen.iter().zip(self.code).filter(|&(&chosen, own)| chosen as usize == own).count();
        self.steps += 1;
        self.show(observation);
        let end = if self.steps == STEPS { End::Terminated } else { End::Not };
        Ok(Step { reward: right as f32 / 3.0, end })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend(self.rng.place());
        state.extend(self.code.map(|own| own as u64));
        state.push(self.steps.into());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[a, b, c, x, y, z, steps] = state else { return Err(EnvError::Saved { problem: "expected seven words" }) };
        self.rng = NumpyRng::at([a, b, c]);
        self.code = [x, y, z].map(|own| own as usize);
        self.steps = steps as u32;
        Ok(())
    }
}

fn config(algo: &str) -> Config {
    let defaults = Config::new(algo, "adam").expect("an algorithm");
    let config = match algo {
        "reinforce" => Config { episodes: 16, ..defaults },
        "ppo" | "ppo_kl" => Config { n_steps: 32, ..defaults },
        _ => Config { n_steps: 8, ..defaults },
    };
    Config {
        env: "Dials-v0".into(),
        envs: 8,
        hidden: vec![16],
        lr: 0.01,
        gamma: 0.5,
        ent_coef: 0.0,
        threads: 1,
        steps: 12_000,
        ..config
    }
}

/// Candle modules with so many outputs.
fn modules(spec: &Spec, seed: Seed, device: &Device) -> Result<(Params, Box<dyn Model>)> {
    let (width, outputs) = (spec.observation_len(), DIALS.iter().sum());
    let (params, model) = ModuleModel::new(spec, seed, device, move |vb| {
        let trunk = linear(width, 16, vb.pp("trunk"))?;
        let (actor, critic) = (linear(16, outputs, vb.pp("actor"))?, linear(16, 1, vb.pp("critic"))?);
        Ok(Box::new(move |observation| {
            let features = trunk.forward(observation)?.tanh()?;
            Ok((actor.forward(&features)?, critic.forward(&features)?))
        }))
    })?;
    Ok((params, Box::new(model)))
}

fn trainer(config: &Config, own_network: bool) -> Trainer {
    let seed = Seed(config.seed);
    let network: Option<uphill::BuildNetwork<'_>> =
        own_network.then(|| Box::new(move |spec: &Spec, device: &Device| modules(spec, seed, device)) as _);
    Trainer::with(config, Overrides { envs: Some(Arc::new(Dials::lanes)), network, ..Overrides::default() })
        .expect("a trainer")
}

fn solves(config: &Config, own_network: bool) {
    let mut trainer = trainer(config, own_network);
    while trainer.step().expect("an update").is_some() {}
    let mut policy = trainer.into_policy().expect("a policy").with_envs(Arc::new(Dials::lanes)).expect("the same");
    let best = f64::from(STEPS);
    let likeliest = policy.evaluate(50, Seed(1)).expect("an evaluation");
    assert!(likeliest.return_mean.expect("returns") > 0.99 * best, "{}: {likeliest:?}", config.algo);
    let drawn = policy.evaluate_with(50, Seed(1), Mode::Sampled(&mut Seed(1).stream("draws", 0))).expect("another");
    assert!((0.8 * best..best).contains(&drawn.return_mean.expect("returns")), "{}: {drawn:?}", config.algo);
    // Two lanes, three numbers each: the code of each observation.
    let observations = [[1., 0., 0., 0., 1., 0., 0., 0., 1.], [0., 0., 1., 1., 0., 0., 1., 0., 0.]].concat();
    let actions = policy.act(&observations, &mut policy.memory(2), Mode::Likeliest).expect("actions");
    assert_eq!(actions.indices(), [0, 1, 3, 2, 0, 1], "{}", config.algo);
}

#[test]
fn every_algorithm_finds_the_code() {
    for algo in uphill::algo::ROWS {
        solves(&config(algo.name), false);
    }
}

#[test]
fn so_does_a_network_of_one_s_own() {
    for algo in ["reinforce", "a2c", "ppo"] {
        solves(&Config { steps: 24_000, ..config(algo) }, true);
    }
}

/// Rows without their clock, and the parameters' bits.
fn rest(mut trainer: Trainer, updates: usize) -> (Vec<Metrics>, Vec<u32>) {
    let mut rows = Vec::new();
    while rows.len() < updates {
        let row = trainer.step().expect("an update").expect("more to do");
        rows.push(Metrics { steps_per_second: 0.0, ..row });
    }
    (rows, trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect())
}

#[test]
fn a_run_goes_on_from_a_checkpoint_bit_for_bit() {
    for (algo, own_network) in uphill::algo::ROWS.iter().flat_map(|algo| [false, true].map(|own| (algo.name, own))) {
        let config = config(algo);
        let (rows, params) = rest(trainer(&config, own_network), 6);
        let mut first = trainer(&config, own_network);
        (0..3).for_each(|_| assert!(first.step().expect("an update").is_some()));
        let bytes = first.checkpoint().expect("a state").to_bytes().expect("a file");
        let mut second = trainer(&config, own_network);
        second.restore(&Checkpoint::from_bytes(&bytes).expect("a checkpoint")).expect("the same configuration");
        assert_eq!(rest(second, 3), (rows[3..].to_vec(), params), "{algo}");
    }
}

#[test]
fn any_number_of_threads_does_the_same() {
    let with = |threads: usize| {
        let config = Config { envs: 64, threads, n_steps: 12, ..config("ppo") };
        rest(trainer(&config, false), 3)
    };
    assert_eq!(with(1), with(2));
    // What is collected in several groups is what one would have collected.
    let (params, model) = MlpModel::new(Dials::new().spec(), &MlpConfig::default(), Seed(3), &CPU).expect("a network");
    let groups = |sizes: &[usize]| {
        let envs = sizes.iter().map(|&lanes| Dials::lanes(lanes).expect("lanes")).collect();
        let mut collector = Collector::grouped(envs, Seed(5), uphill::Threads::default()).expect("a reset");
        collector.collect(&model, &params, Horizon::Steps(10), true).expect("a rollout").0.clone()
    };
    let whole = groups(&[6]);
    assert_eq!((whole.action_len, whole.action.len()), (3, 6 * 10 * 3));
    assert!(whole.action.indices().chunks(3).all(|action| action.iter().zip(DIALS).all(|(&a, n)| (a as usize) < n)));
    assert!((0..3).all(|k| whole.action.indices().chunks(3).any(|action| action[k] > 0)), "every dial is turned");
    assert_eq!(groups(&[1, 3, 2]), whole);
}

#[test]
fn longer_rollouts_allocate_no_more() {
    let of = |n_steps: usize| {
        let config = Config { n_steps, hidden: vec![4], steps: 1 << 30, ..config("a2c") };
        let mut trainer = trainer(&config, false);
        (0..20).for_each(|_| drop(trainer.step().expect("an update")));
        measure(|| (0..5).for_each(|_| drop(trainer.step().expect("an update")))).count_total
    };
    let (short, long) = (of(8), of(64));
    assert!(long <= short + 5, "{short} allocations in 5 updates of 8 steps, {long} in 5 of 64");
}

#[test]
fn the_gradient_on_the_host_and_of_the_fused_loss_is_that_through_the_graph() {
    let spec = Dials::new().spec().clone();
    let mlp = MlpConfig { hidden: vec![8], ..MlpConfig::default() };
    let mut collector = Collector::new(Dials::lanes(6).expect("lanes"), Seed(2)).expect("a reset");
    let (old, network) = MlpModel::new(&spec, &mlp, Seed(2), &CPU).expect("a network");
    let rollout = collector.collect(&network, &old, Horizon::Steps(60), true).expect("a rollout").0.clone();
    let numbers = |far: usize| (0..360).map(|i| (i * far % 23) as f32 / 11.5 - 1.0).collect::<Vec<f32>>();
    let (estimate, advantage) = (Estimate { advantage: numbers(37), target: numbers(41) }, numbers(29));
    let places: Vec<usize> = (0..360).rev().collect();
    let stop = Stop::default();
    let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage: &advantage, stop };
    for (shared_trunk, algo) in [false, true].into_iter().flat_map(|trunk| ["ppo", "a2c"].map(|algo| (trunk, algo))) {
        // The policy is another one than acted.
        let mlp = MlpConfig { shared_trunk, ..mlp.clone() };
        let (params, fused) = MlpModel::new(&spec, &mlp, Seed(9), &CPU).expect("a network");
        let (_, plain) = MlpModel::new(&spec, &mlp, Seed(9), &CPU).expect("a network");
        let plain = plain.plain();
        let config = Config { ent_coef: 0.3, ..config(algo) };
        let algo = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
        let tensors = TensorBatch::new(&rollout, &estimate, &places, &advantage, &CPU).expect("tensors");
        let output = plain.answer(&params, &tensors.observation).expect("outputs");
        let loss = algo.objective.loss(&tensors, &output, &mut Report::default()).expect("a loss");
        let expected: Vec<f32> = params.gradient(&loss).and_then(|g| Ok(g.to_vec1()?)).expect("a gradient");
        assert!(expected.iter().any(|g| g.abs() > 0.01), "not trivially zero");
        for network in [&fused, &plain] {
            let (mut gradient, mut sums, mut room) = (Vec::new(), RowSums::default(), Scratch::default());
            algo.gradient(network, &params, batch, &mut room, &mut gradient, &mut sums).expect("a gradient");
            let apart = gradient.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart < 1e-6, "{apart}");
        }
        // Tangents of the policy, through the Fisher information: symmetric, and of no negative length.
        let fisher = |vector: &[f32]| {
            let mut product = Vec::new();
            fused
                .fisher_vector_product(&params, &rollout.observation, vector, &mut Scratch::default(), &mut product)
                .expect("a product");
            product
        };
        let vectors = [37, 41].map(|far| (0..expected.len()).map(|i| (i * far % 23) as f32 / 11.5 - 1.0).collect());
        let [u, v]: [Vec<f32>; 2] = vectors;
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let (fu, fv) = (fisher(&u), fisher(&v));
        assert!(dot(&u, &fu) > 0.0 && (dot(&v, &fu) - dot(&u, &fv)).abs() < 1e-4 * dot(&u, &fu), "{fu:?} {fv:?}");
    }
}

#[test]
fn an_oracle_refuses_what_it_cannot_enumerate() {
    let mdp = uphill::envs::GridWorld::new(GridWorldConfig { map: "S.G".into(), ..GridWorldConfig::default() })
        .map(|world| world.model().expect("a model"))
        .expect("a world");
    // As many outputs as the world has moves.
    let observation = Space::uniform_box(mdp.observation_len(), 0.0, 1.0);
    let spec = Spec { observation, action: Space::MultiDiscrete { n: vec![2, 2] }, ..Dials::new().spec().clone() };
    let (params, network) = MlpModel::new(&spec, &MlpConfig::default(), Seed(1), &CPU).expect("a network");
    let refused = oracle::policy_table(&network, &params, &mdp).expect_err("two choices");
    let said = "the network's policy, MultiCategorical { actions: [2, 2] }, is no choice among the MDP's 4 actions";
    assert_eq!((matches!(refused, Error::Config(_)), refused.to_string()), (true, said.into()));
}

/// A policy over other dials.
struct Other(Arc<dyn Distribution>);

impl Model for Other {
    fn observation_len(&self) -> usize {
        DIALS.iter().sum()
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        &self.0
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        let rows = observation.dim(0)?;
        let outputs = Tensor::zeros((rows, self.0.outputs()), DType::F32, params.device())?;
        Ok((outputs, Tensor::zeros(rows, DType::F32, params.device())?))
    }
}

#[test]
fn a_policy_over_other_dials_is_refused() {
    let build = |_: &Spec, device: &Device| {
        let other = Other(Arc::new(MultiCategorical { actions: vec![3, 4, 2] }));
        let params = Params::new(uphill::Layout::default(), Vec::new(), device)?;
        Ok((params, Box::new(other) as Box<dyn Model>))
    };
    let parts =
        Overrides { envs: Some(Arc::new(Dials::lanes)), network: Some(Box::new(build)), ..Overrides::default() };
    let refused = Trainer::with(&config("ppo"), parts).map(drop).expect_err("other dials");
    assert_eq!(
        refused.to_string(),
        "Dials-v0: the network's policy, MultiCategorical { actions: [3, 4, 2] }, is not over its actions, MultiDiscrete { \
         n: [3, 2, 4] }"
    );
}
