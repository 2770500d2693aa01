//! Actions of several choices from end to end: an environment of three dials, learnt, saved, resumed, judged.

use std::sync::Arc;

use allocation_counter::measure;
use candle_core::{DType, Device, Tensor};
use uphill::distributions::{Distribution, MultiCategorical};
use uphill::envs::{Action, End, Env, EnvError, GridWorldConfig, Lanes, NumpyRng, Space, Spec, Step, VecEnv};
use uphill::{
    Checkpoint, Collector, Config, Error, Horizon, Metrics, MlpConfig, MlpModel, Mode, Model, Overrides, Params,
    Result, Seed, Trainer, oracle,
};

mod actors;

use actors::{CPU, bits, rows};

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
    actors::config("Dials-v0", algo)
}

fn trainer(config: &Config, own_network: bool) -> Trainer {
    actors::trainer(config, Dials::lanes, own_network.then(|| DIALS.iter().sum()))
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

#[test]
fn a_trust_region_holds_for_all_choices_together() {
    let mut trainer = trainer(&config("trpo"), false);
    for _ in 0..5 {
        let row = trainer.step().expect("an update").expect("more to do");
        let told = |name: &str| row.others.iter().find(|(term, _)| *term == name).expect(name).1;
        assert!(told("kl") <= 0.01 && told("surrogate_improvement") > 0.0 && told("step_fraction") > 0.0, "{row:?}");
    }
}

/// Rows without their clock, and the parameters' bits.
fn rest(mut trainer: Trainer, updates: usize) -> (Vec<Metrics>, Vec<u32>) {
    (rows(&mut trainer, updates), bits(&trainer))
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
    actors::gradients_agree(Dials::lanes, "Dials-v0", 1e-6, |_| (), |_, _| ());
}

#[test]
fn an_oracle_refuses_another_number_of_combinations() {
    let mdp = uphill::envs::GridWorld::new(GridWorldConfig { map: "S.G".into(), ..GridWorldConfig::default() })
        .map(|world| world.model().expect("a model"))
        .expect("a world");
    let observation = Space::uniform_box(mdp.observation_len(), 0.0, 1.0);
    let table = |n: &[usize]| {
        let (observation, action) = (observation.clone(), Space::MultiDiscrete { n: n.to_vec() });
        let spec = Spec { observation, action, ..Dials::new().spec().clone() };
        let (params, network) = MlpModel::new(&spec, &MlpConfig::default(), Seed(1), &CPU).expect("a network");
        oracle::policy_table(&network, &params, &mdp)
    };
    // As many combinations as the world has moves, and as many outputs.
    assert_eq!(table(&[2, 2]).expect("four of them").len(), 4 * mdp.states());
    let refused = table(&[1, 3]).expect_err("three of them");
    assert!(matches!(refused, Error::Shape { ref got, .. } if got[1] == 3), "{refused}");
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
