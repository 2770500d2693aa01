//! Numbers as actions from end to end: an environment of two aims, learnt, saved, resumed, judged; and a pendulum.

use std::sync::Arc;

use allocation_counter::measure;
use candle_nn::linear;
use uphill::envs::{Action, End, Env, EnvError, GridWorldConfig, Lanes, NumpyRng, Space, Spec, Step, VecEnv};
use uphill::models::Site;
use uphill::rollout::ActionKind;
use uphill::{
    Catalogue, Checkpoint, Collector, Config, Error, Horizon, MlpConfig, MlpModel, Mode, ModuleModel, Params, Policy,
    Result, RunFolder, Seed, Trainer, oracle,
};

mod actors;

use actors::{CPU, bits, modules, rows};

/// Aims in an episode.
const STEPS: u32 = 8;

/// Shows two numbers, and costs how far off the two of the action are. It refuses what lies outside ±1.
struct Aim {
    spec: Spec,
    rng: NumpyRng,
    aim: [f64; 2],
    steps: u32,
}

impl Aim {
    fn new() -> Self {
        let spec = Spec {
            id: "Aim-v0".into(),
            observation: Space::uniform_box(2, -1.0, 1.0),
            action: Space::uniform_box(2, -1.0, 1.0),
            max_episode_steps: Some(STEPS),
            reward_threshold: None,
        };
        Self { spec, rng: NumpyRng::new(0), aim: [0.0; 2], steps: 0 }
    }

    fn show(&mut self, observation: &mut [f32]) {
        self.aim = std::array::from_fn(|_| self.rng.uniform(-1.0, 1.0));
        observation.copy_from_slice(&self.aim.map(|x| x as f32));
    }

    fn lanes(lanes: usize) -> Result<Box<dyn VecEnv>> {
        Ok(Box::new(Lanes::new((0..lanes).map(|_| Self::new()).collect())?))
    }
}

impl Env for Aim {
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
        self.spec.action.check(action)?;
        let Action::Continuous(numbers) = action else { return Err(EnvError::NeedsReset) };
        if !self.spec.action.contains(numbers) {
            return Err(EnvError::NotFinite { what: "an action outside the space".into(), value: numbers[0] });
        }
        let off: f64 = numbers.iter().zip(self.aim).map(|(&a, aim)| (f64::from(a) - aim).powi(2)).sum();
        self.steps += 1;
        self.show(observation);
        let end = if self.steps == STEPS { End::Terminated } else { End::Not };
        Ok(Step { reward: -off as f32, end })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend(self.rng.place());
        state.extend(self.aim.map(f64::to_bits));
        state.push(self.steps.into());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[a, b, c, x, y, steps] = state else { return Err(EnvError::Saved { problem: "expected six words" }) };
        self.rng = NumpyRng::at([a, b, c]);
        self.aim = [x, y].map(f64::from_bits);
        self.steps = steps as u32;
        Ok(())
    }
}

fn config(algo: &str) -> Config {
    actors::config("Aim-v0", algo)
}

fn trainer(config: &Config, own_network: bool) -> Trainer {
    actors::trainer(config, Aim::lanes, own_network.then_some(2))
}

fn learns(config: &Config, own_network: bool) {
    let mut trainer = trainer(config, own_network);
    let own = trainer.params().layout().block("actor.log_std").expect("its own block").range();
    assert_eq!((own.len(), &trainer.params().snapshot().expect("values")[own.clone()]), (2, &[0.0; 2][..]));
    while trainer.step().expect("an update").is_some() {}
    let log_std = trainer.params().snapshot().expect("values")[own].to_vec();
    assert!(log_std.iter().all(|&l| l < -0.3), "{}: deviations become smaller, {log_std:?}", config.algo);
    let mut policy = trainer.into_policy().expect("a policy").with_envs(Arc::new(Aim::lanes)).expect("the same");
    // A policy that knows nothing costs 2/3 a step.
    let likeliest = policy.evaluate(50, Seed(1)).expect("an evaluation").return_mean.expect("returns");
    assert!(likeliest > -0.1 * f64::from(STEPS), "{}: {likeliest}", config.algo);
    let drawn = policy.evaluate_with(50, Seed(1), Mode::Sampled(&mut Seed(1).stream("draws", 0))).expect("another");
    assert!(drawn.return_mean.expect("returns") < likeliest, "{}: {drawn:?}", config.algo);
    let actions = policy.act(&[0.5, -0.5, -5.0, 5.0], &mut policy.memory(2), Mode::Likeliest).expect("actions");
    assert_eq!((actions.kind(), actions.len()), (ActionKind::Continuous, 4));
    assert!(actions.numbers().iter().all(|a| a.abs() <= 1.0), "clipped to the space: {actions:?}");
    assert!((actions.numbers()[0] - 0.5).abs() < 0.3 && (actions.numbers()[1] + 0.5).abs() < 0.3, "{actions:?}");
}

#[test]
fn every_algorithm_finds_its_aim() {
    for algo in uphill::algo::ROWS {
        let steps = if ["reinforce", "rloo"].contains(&algo.name) { 40_000 } else { 24_000 };
        learns(&Config { steps, ..config(algo.name) }, false);
    }
}

#[test]
fn a_shared_trunk_and_modules_find_their_aim() {
    learns(&Config { steps: 24_000, shared_trunk: true, ..config("ppo") }, false);
    learns(&Config { steps: 24_000, ..config("ppo") }, true);
}

#[test]
fn a_run_goes_on_from_its_checkpoint_as_if_it_had_not_stopped_on_any_number_of_threads() {
    for (algo, env) in ["reinforce", "a2c", "ppo", "ppo_kl", "dpo_drift", "trpo"]
        .into_iter()
        .flat_map(|a| [(a, "Aim-v0"), (a, "Pendulum-v1")])
    {
        let config = Config { env: env.into(), envs: 40, steps: 1 << 30, ..config(algo) };
        let config = if algo == "reinforce" { Config { episodes: 40, ..config } } else { config };
        let make = |threads: usize| {
            let config = Config { threads, ..config.clone() };
            if env == "Aim-v0" { trainer(&config, false) } else { Trainer::new(&config).expect("a trainer") }
        };
        let mut whole = make(1);
        let first = rows(&mut whole, 2);
        let checkpoint: Checkpoint = whole.checkpoint().expect("a checkpoint");
        let rest = rows(&mut whole, 2);
        let mut resumed = make(2);
        resumed.restore(&checkpoint).expect("its own checkpoint");
        assert_eq!(rows(&mut resumed, 2), rest, "{algo} on {env}");
        assert_eq!(bits(&resumed), bits(&whole), "{algo} on {env}");
        let mut threads = make(2);
        assert_eq!(rows(&mut threads, 4), [first, rest].concat(), "{algo} on {env}");
        assert_eq!(bits(&threads), bits(&whole), "{algo} on {env}");
    }
}

#[test]
fn what_is_drawn_is_kept_and_what_is_clipped_is_taken_in_groups_of_any_size() {
    let spec = Aim::new().spec().clone();
    let (params, network) = MlpModel::new(&spec, &MlpConfig::default(), Seed(3), &CPU).expect("a network");
    let groups = |sizes: &[usize]| {
        let envs = sizes.iter().map(|&n| Aim::lanes(n).expect("lanes")).collect();
        let mut collector = Collector::grouped(envs, Seed(3), uphill::Threads::default()).expect("a reset");
        collector.collect(&network, &params, Horizon::Steps(10), true).expect("a rollout").0.clone()
    };
    let whole = groups(&[6]);
    assert_eq!((whole.action_len, whole.action.len(), whole.action.kind()), (2, 6 * 10 * 2, ActionKind::Continuous));
    // Deviations of 1: a third lies beyond, which the environment has not seen.
    let beyond = whole.action.numbers().iter().filter(|a| a.abs() > 1.0).count();
    assert!((20..60).contains(&beyond), "{beyond} of 120");
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
    let own = |params: &Params| params.layout().block("actor.log_std").expect("its own block").range();
    // The deviations are others than acted with, too.
    let change = |params: &mut Params| {
        let own = own(params);
        assert_eq!(own.end, params.layout().len(), "after all others");
        params.update(|values| values[own].copy_from_slice(&[0.3, -0.2])).expect("an update");
    };
    actors::gradients_agree(Aim::lanes, "Aim-v0", 2e-6, change, |(fused, params, rollout, gradient), [u, fu]| {
        let own = own(params);
        assert!(gradient[own.clone()].iter().all(|g| g.abs() > 0.01), "not trivially zero");
        let checked = uphill::gradient::check(fused, params, &rollout.observation.all()[..20]).expect("a check");
        checked.within(0.01).expect("slopes");
        // Of each logarithm of a deviation there are 2, and they have nothing to do with the rest.
        for i in own {
            assert!((fu[i] - 2.0 * u[i]).abs() < 1e-5, "{} for {}", fu[i], 2.0 * u[i]);
        }
    });
}

#[test]
fn modules_have_deviations_of_their_own_and_say_what_their_actor_lacks() {
    let spec = Aim::new().spec().clone();
    let (mut params, model) = modules(&spec, 2, Seed(1), &CPU).expect("a network");
    assert!(params.layout().block("actor.log_std").is_some());
    uphill::gradient::check(&model, &mut params, &[0.1, -0.2, 0.3, 0.4])
        .expect("a check")
        .within(0.01)
        .expect("slopes");
    let wide = ModuleModel::new(&Site::new(&spec, Seed(1)), |vb| {
        let (actor, critic) = (linear(2, 4, vb.pp("actor"))?, linear(2, 1, vb.pp("critic"))?);
        Ok(uphill::models::apart(Box::new(actor), Box::new(critic)))
    });
    let said = wide.map(drop).expect_err("four outputs").to_string();
    assert_eq!(said, "the actor's output for 2 observations has shape [2, 4], expected [2, 2]");
}

#[test]
fn an_oracle_refuses_what_it_cannot_enumerate() {
    let mdp = uphill::envs::GridWorld::new(GridWorldConfig { map: "S.G".into(), ..GridWorldConfig::default() })
        .map(|world| world.model().expect("a model"))
        .expect("a world");
    // As many outputs as the world has moves.
    let observation = Space::uniform_box(mdp.observation_len(), 0.0, 1.0);
    let spec = Spec { observation, ..Aim::new().spec().clone() };
    let (params, network) = MlpModel::new(&spec, &MlpConfig::default(), Seed(1), &CPU).expect("a network");
    let refused = oracle::policy_table(&network, &params, &mdp).expect_err("numbers");
    let said = "is no choice among the MDP's 4 actions";
    assert!(matches!(refused, Error::Config(_)) && refused.to_string().ends_with(said), "{refused}");
}

#[test]
fn a_run_in_environments_made_in_code_is_loaded_in_them() {
    let home = tempfile::tempdir().expect("a folder");
    let config = Config { steps: 2_000, ..config("ppo") };
    let mut run = RunFolder::create(home.path().join("run"), &config, false).expect("a folder");
    let mut trainer = trainer(&config, false);
    while let Some(row) = trainer.step().expect("an update") {
        run.log(&row).expect("a row");
    }
    let eval = run.finish(trainer).expect("a run").eval;
    let load = |envs| Policy::load_in(home.path().join("run"), &Catalogue::default(), envs);
    let mut policy = load(Arc::new(Aim::lanes)).expect("a policy");
    assert_eq!(policy.evaluate(100, Seed(config.seed)).expect("episodes"), eval);
    let said = Policy::load(home.path().join("run")).err().expect("no such row").to_string();
    assert!(said.contains("environment `Aim-v0`") && said.contains("`Policy::load_in`"), "{said}");
    let said =
        load(Arc::new(|lanes| Ok(uphill::envs::make_vec("Pendulum-v1", lanes)?))).err().expect("others").to_string();
    assert!(said.contains("Pendulum-v1") || said.contains("Aim-v0"), "{said}");
}
