//! What users bring along: their vectors of environments, factories and networks are checked at once, and guarded.

use candle_core::Tensor;
use std::sync::Arc;
use uphill::distributions::{Categorical, Distribution};
use uphill::envs::{
    Action, Actions, CartPole, End, Env, EnvError, Lanes, Space, Spec, Step, TimeLimit, Transitions, VecEnv, counted,
};
use uphill::{Collector, Config, Error, MlpConfig, MlpModel, Model, Params, Result, Scratch, Seed, Threads, Trainer};

/// What a vector does to what it was given to write.
type Deed = fn(&mut Transitions<'_>);

/// A vector of one's own that does something it must not in its seventh step.
struct Own {
    spec: Spec,
    lanes: usize,
    steps: u64,
    deed: Deed,
}

impl Own {
    fn boxed(lanes: usize, max_episode_steps: Option<u32>, deed: Deed) -> Box<dyn VecEnv> {
        let spec = Spec {
            id: "Own-v0".into(),
            observation: Space::uniform_box(2, 0.0, 1.0),
            action: Space::Discrete { n: 2 },
            max_episode_steps,
            reward_threshold: None,
        };
        Box::new(Self { spec, lanes, steps: 0, deed })
    }
}

impl VecEnv for Own {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn lanes(&self) -> usize {
        self.lanes
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.steps = 0;
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, _: Actions<'_>, _: &[bool], mut out: Transitions<'_>) -> Result<(), EnvError> {
        self.steps += 1;
        out.observation.fill(1.0 / self.steps as f32);
        out.reward.fill(1.0);
        out.end.fill(End::Not);
        if self.steps == 7 {
            (self.deed)(&mut out);
        }
        Ok(())
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.push(self.steps);
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[steps] = state else { return Err(EnvError::Saved { problem: "expected a count" }) };
        self.steps = steps;
        Ok(())
    }
}

fn own(envs: usize) -> Config {
    let a2c = Config::for_algo("a2c").expect("an algorithm");
    Config { env: "Own-v0".into(), envs, n_steps: 4, hidden: vec![4], threads: 1, ..a2c }
}

#[test]
fn a_vector_of_one_s_own_is_guarded_in_training_as_an_environment_is() {
    let seed = Seed(own(2).seed).derive("lanes", 0);
    let deeds: [(Deed, String); 3] = [
        (
            |out| out.reward[1] = f32::NAN,
            format!(
                "lane 1, step 6 of its episode, seed {}: the environment returned reward = NaN",
                seed.wrapping_add(1)
            ),
        ),
        (
            |out| out.observation[0] = f32::INFINITY,
            format!("lane 0, step 6 of its episode, seed {seed}: the environment returned observation[0] = inf"),
        ),
        (
            |_| panic!("out of rope"),
            format!(
                "one of lanes 0 to 1, step 6 since the reset, seed {seed} on: the environment panicked: out of rope"
            ),
        ),
    ];
    for (deed, said) in deeds {
        let mut trainer =
            Trainer::with_envs(&own(2), move |lanes| Ok(Own::boxed(lanes, None, deed))).expect("a trainer");
        trainer.step().expect("an update");
        // Twice: the first attempt left everything where it was.
        for _ in 0..2 {
            let error = trainer.step().expect_err("a deed");
            assert!(matches!(error, Error::Env(_)), "{error}");
            assert!(error.to_string().starts_with(&format!("Own-v0, {said}")), "{error}");
            assert_eq!(trainer.env_steps(), 8);
            trainer.checkpoint().expect("a whole state");
        }
    }
    // Several groups of lanes know their place among all.
    let config = Config { envs: 64, ..own(64) };
    let mut trainer =
        Trainer::with_envs(&config, |lanes| Ok(Own::boxed(lanes, None, |_| panic!("out of rope")))).expect("a trainer");
    trainer.step().expect("an update");
    let said = trainer.step().expect_err("a deed").to_string();
    assert!(said.starts_with("Own-v0, one of lanes 0 to 31, "), "{said}");
}

#[test]
fn an_episode_past_the_limit_of_its_spec_is_refused_by_name() {
    let mut trainer = Trainer::with_envs(&own(2), |lanes| Ok(Own::boxed(lanes, Some(6), |_| {}))).expect("a trainer");
    trainer.step().expect("an update");
    let said = trainer.step().expect_err("too long").to_string();
    for expected in ["Own-v0, lane 0, step 6", "max_episode_steps = 6", "`TimeLimit`"] {
        assert!(said.contains(expected), "{said}");
    }
}

fn refused<T>(outcome: Result<T>) -> String {
    match outcome {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_factory_makes_as_many_lanes_as_it_is_asked_for_under_the_name_that_the_configuration_has() {
    let quiet = |lanes| Own::boxed(lanes, None, |_| {});
    let said = refused(Trainer::with_envs(&own(4), move |_| Ok(quiet(3))));
    assert_eq!(said, "Own-v0: 3 lanes instead of 4; what makes them is told how many, for training and for evaluation");
    let config = Config { env: "CartPole-v1".into(), ..own(4) };
    let said = refused(Trainer::with_envs(&config, move |lanes| Ok(quiet(lanes))));
    assert!(said.starts_with("the environments made for env = `CartPole-v1` are called `Own-v0`: set env"), "{said}");
    // A policy says so when it is given them, not when it is judged.
    let policy =
        || Trainer::new(&Config::for_algo("ppo").expect("known")).expect("a trainer").into_policy().expect("one");
    let cart_poles = |lanes| Ok(Box::new(Lanes::new(vec![TimeLimit::new(CartPole::new()); lanes])?) as Box<dyn VecEnv>);
    for lanes in [1, 2, 3] {
        let said = refused(policy().with_envs(std::sync::Arc::new(move |_| cart_poles(lanes))));
        assert!(said.contains(&format!("{} instead of", counted(lanes, "lane"))), "{said}");
    }
    let said = refused(policy().with_envs(std::sync::Arc::new(move |lanes| Ok(quiet(lanes)))));
    assert!(said.contains("are called `Own-v0`"), "{said}");
    assert!(policy().with_envs(std::sync::Arc::new(cart_poles)).is_ok());
    // In files of earlier versions a world of one's own and `env` share a name.
    for text in ["[gridworld]\nmap = 'S.G'\nid = 'mine'", "env = 'mine'\n[gridworld]\nmap = 'S.G'"] {
        let config = Config::from_toml(text).expect("one name");
        assert_eq!(config.env.to_string(), r#"GridWorld(map=["S.G"], id="mine")"#);
    }
}

/// A cart-pole that shows two more numbers than its name says.
struct Wide(CartPole, Spec);

impl Env for Wide {
    fn spec(&self) -> &Spec {
        &self.1
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        self.0.reset(seed, &mut observation[..4])
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.0.step(action, &mut observation[..4])
    }
}

#[test]
fn what_a_network_and_groups_of_lanes_are_for_is_checked_at_once() {
    let wide = |lanes: usize| {
        let spec = Spec { observation: Space::uniform_box(6, -9.0, 9.0), ..CartPole::new().spec().clone() };
        let lanes = (0..lanes).map(|_| Wide(CartPole::new(), spec.clone())).collect();
        Ok(Box::new(Lanes::new(lanes)?) as Box<dyn VecEnv>)
    };
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    let policy = Trainer::new(&ppo).expect("a trainer").into_policy().expect("a policy");
    let said = refused(policy.with_envs(std::sync::Arc::new(wide)));
    assert_eq!(said, "the network's input has shape [4], expected [6]");
    let narrow = Lanes::new(vec![CartPole::new()]).expect("lanes");
    let said =
        refused(Collector::grouped(vec![Box::new(narrow), wide(1).expect("lanes")], Seed(1), Threads::default()));
    assert!(said.starts_with("the groups of lanes differ"), "{said}");
}

/// A network that answers with other numbers of numbers than it says.
struct Liar {
    network: MlpModel,
    width: usize,
    distribution: Arc<dyn Distribution>,
    outputs: usize,
    values: usize,
}

impl Model for Liar {
    fn observation_len(&self) -> usize {
        self.width
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        &self.distribution
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        self.network.forward(params, observation)
    }

    fn outputs(&self, _: &Params, _: &[f32], _: &mut Scratch, outputs: &mut Vec<f32>) -> Result<()> {
        *outputs = vec![0.0; self.outputs];
        Ok(())
    }

    fn values(&self, _: &Params, _: &[f32], _: &mut Scratch, values: &mut Vec<f32>) -> Result<()> {
        *values = vec![0.0; self.values];
        Ok(())
    }
}

#[test]
fn a_network_s_answers_are_counted_when_the_trainer_is_made() {
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    for ((width, actions), outputs, values, said) in [
        ((5, 2), 4, 2, "the network's input has shape [5], expected [4]"),
        (
            (4, 3),
            6,
            2,
            "CartPole-v1: the network's policy, Categorical { actions: 3 }, is not over its actions, Discrete { n: 2 }",
        ),
        ((4, 2), 3, 2, "the network's output has shape [3], expected [4]"),
        ((4, 2), 6, 2, "the network's output has shape [2, 3], expected [2, 2]"),
        ((4, 2), 4, 1, "the network's value has shape [1], expected [2]"),
        ((4, 2), 4, 4, "the network's value has shape [2, 2], expected [2, 1]"),
        ((4, 2), 4, 2, ""),
    ] {
        let made = Trainer::with_network(&ppo, |spec, device| {
            let (params, network) = MlpModel::new(spec, &MlpConfig::default(), Seed(1), device)?;
            let distribution: Arc<dyn Distribution> = Arc::new(Categorical { actions });
            Ok((params, Box::new(Liar { network, width, distribution, outputs, values })))
        });
        match made {
            Ok(_) => assert_eq!(said, ""),
            Err(error) => assert_eq!(error.to_string(), said),
        }
    }
}

#[test]
fn a_metric_that_is_not_finite_is_a_divergence_at_its_update() {
    // The critic's loss leaves f32 where its weight is zero and nobody descends it.
    let rich = |out: &mut Transitions<'_>| out.reward.fill(3e25);
    let config = Config { vf_coef: 0.0, n_steps: 8, ..own(2) };
    let mut trainer = Trainer::with_envs(&config, move |lanes| Ok(Own::boxed(lanes, None, rich))).expect("a trainer");
    let error = trainer.step().expect_err("infinite");
    assert!(matches!(error, Error::Diverged { update: 1, .. }), "{error}");
    assert!(error.to_string().contains("value_loss of the update"), "{error}");
}
