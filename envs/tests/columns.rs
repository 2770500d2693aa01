//! [`Columns`] against [`Lanes`] of single environments, bit by bit.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use uphill_envs::{
    Action, Actions, CartPole, Columns, Dynamics, End, Env, EnvError, Lanes, NumpyRng, Space, Spec, Step, TimeLimit,
    Transitions, VecEnv, make_vec,
};

/// What no environment writes.
const MARK: f32 = 12345.0;

/// A vector and all that it has written.
struct Driven {
    env: Box<dyn VecEnv>,
    observation: Vec<f32>,
    final_observation: Vec<f32>,
    reward: Vec<f32>,
    end: Vec<End>,
}

impl Driven {
    fn new(env: Box<dyn VecEnv>) -> Self {
        let (n, d) = (env.lanes(), env.spec().observation_len());
        let (observation, final_observation) = (vec![MARK; n * d], vec![MARK; n * d]);
        Self { env, observation, final_observation, reward: vec![MARK; n], end: vec![End::Not; n] }
    }

    fn reset(&mut self, seed: Option<u64>) -> Result<(), EnvError> {
        self.env.reset(seed, &mut self.observation)
    }

    fn step(&mut self, actions: Actions<'_>, active: &[bool]) -> Result<(), EnvError> {
        let out = Transitions {
            observation: &mut self.observation,
            final_observation: &mut self.final_observation,
            reward: &mut self.reward,
            end: &mut self.end,
        };
        self.env.step(actions, active, out)
    }

    fn bits(&self) -> (Vec<u32>, &[End]) {
        let numbers = [&self.observation, &self.final_observation, &self.reward];
        (numbers.into_iter().flatten().map(|x| x.to_bits()).collect(), &self.end)
    }
}

/// Columns and lanes of the same environment, driven alike.
struct Pair {
    columns: Driven,
    lanes: Driven,
}

impl Pair {
    /// Of the registered environment, or of its variant.
    fn new(sutton_barto: bool, n: usize) -> Self {
        let (single, columns): (_, Box<dyn VecEnv>) = if sutton_barto {
            (CartPole::sutton_barto(), Box::new(Columns::new(CartPole::sutton_barto(), n).unwrap()))
        } else {
            (CartPole::new(), make_vec("CartPole-v1", n).unwrap())
        };
        let lanes = Lanes::new(vec![TimeLimit::new(single); n]).unwrap();
        Self { columns: Driven::new(columns), lanes: Driven::new(Box::new(lanes)) }
    }

    /// Does the same to both and compares what it returned and every bit that it left.
    fn both(&mut self, mut call: impl FnMut(&mut Driven) -> Result<(), EnvError>) -> Result<(), EnvError> {
        let (result, expected) = (call(&mut self.columns), call(&mut self.lanes));
        assert_eq!(result, expected);
        assert_eq!(self.columns.bits(), self.lanes.bits());
        result
    }

    /// An action that keeps the pole of `lane` upright.
    fn balance(&self, lane: usize) -> u32 {
        let row = &self.lanes.observation[lane * 4..(lane + 1) * 4];
        u32::from(row[2] + 0.5 * row[3] + 0.01 * row[0] + 0.05 * row[1] > 0.0)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Lanes, seeds, actions and masks at random, steps before the first reset, resets between, and all that is refused.
    #[test]
    fn columns_do_to_the_bit_what_lanes_do(
        n in 1..70_usize,
        seed in any::<u64>(),
        sutton_barto in any::<bool>(),
        activity in prop_oneof![Just(1.0), 0.0..1.0],
        skill in prop_oneof![Just(0.0), Just(1.0), 0.0..1.0],
        steps in 1..700_usize,
        drive in any::<u64>(),
    ) {
        let mut pair = Pair::new(sutton_barto, n);
        let mut rng = NumpyRng::new(drive);
        let early = pair.both(|env| env.step(Actions::Discrete(&vec![0; n]), &vec![true; n]));
        prop_assert!(matches!(early, Err(EnvError::Lane { lane: 0, seed: None, step: 0, .. })), "{:?}", early);
        pair.both(|env| env.reset((drive % 4 != 0).then_some(seed))).unwrap();
        for _ in 0..steps {
            let mut actions: Vec<u32> = (0..n)
                .map(|lane| if rng.random() < skill { pair.balance(lane) } else { u32::from(rng.random() < 0.5) })
                .collect();
            let active: Vec<bool> = (0..n).map(|_| rng.random() < activity).collect();
            let lane = (rng.random() * n as f64) as usize;
            match (rng.random() * 200.0) as u32 {
                0 => pair.both(|env| env.reset(None)).unwrap(),
                1 => pair.both(|env| env.reset(Some(seed ^ 1))).unwrap(),
                2 => drop(pair.both(|env| env.env.reset(Some(3), &mut [0.0; 3]))),
                3 => drop(pair.both(|env| env.step(Actions::Discrete(&actions[1..]), &active))),
                4 => drop(pair.both(|env| env.step(Actions::Discrete(&actions), &active[1..]))),
                5 => drop(pair.both(|env| env.step(Actions::Continuous(&vec![0.0; n]), &active))),
                6..16 => actions[lane] = 2 + (rng.random() * 9.0) as u32,
                _ => {}
            }
            let wrong = active[lane] && actions[lane] > 1;
            let result = pair.both(|env| env.step(Actions::Discrete(&actions), &active));
            prop_assert_eq!(result.is_err(), wrong, "{:?}", result);
        }
    }
}

/// Episodes that run into the limit, from lanes that are out of step with one another.
#[test]
fn columns_truncate_where_lanes_do() {
    const N: usize = 7;
    let mut pair = Pair::new(false, N);
    pair.both(|env| env.reset(Some(5))).unwrap();
    let mut truncated = [0; N];
    for t in 0..1200 {
        let actions: Vec<u32> = (0..N).map(|lane| pair.balance(lane)).collect();
        let active: Vec<bool> = (0..N).map(|lane| t % (lane + 2) != 0).collect();
        pair.both(|env| env.step(Actions::Discrete(&actions), &active)).unwrap();
        for lane in (0..N).filter(|&lane| active[lane] && pair.columns.end[lane] == End::Truncated) {
            truncated[lane] += 1;
        }
    }
    assert!(truncated.iter().all(|&count| count >= 1), "{truncated:?}");
}

/// Counts the times that action 1 is taken, and at the third returns what it was told to.
#[derive(Clone)]
struct Faulty {
    spec: Spec,
    reward: f32,
    observation: f32,
}

impl Faulty {
    fn new(reward: f32, observation: f32) -> Self {
        let spec = Spec {
            id: "Faulty-v0".into(),
            observation: Space::uniform_box(2, -1.0, 1.0),
            action: Space::Discrete { n: 2 },
            max_episode_steps: None,
            reward_threshold: None,
        };
        Self { spec, reward, observation }
    }
}

impl Dynamics<1> for Faulty {
    fn start(&self, _: &mut NumpyRng) -> [f64; 1] {
        [0.0]
    }

    fn advance(&self, [count]: [f64; 1], action: u32) -> ([f64; 1], Step) {
        let count = count + f64::from(action);
        ([count], Step { reward: if count < 3.0 { 1.0 } else { self.reward }, end: End::Not })
    }

    fn observe(&self, [count]: [f64; 1], observation: &mut [f32]) {
        observation.copy_from_slice(&[0.0, if count < 3.0 { 0.0 } else { self.observation }]);
    }
}

impl Env for Faulty {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: Option<u64>, _: &mut [f32]) -> Result<(), EnvError> {
        unreachable!("columns keep the state")
    }

    fn step(&mut self, _: Action<'_>, _: &mut [f32]) -> Result<Step, EnvError> {
        unreachable!("columns keep the state")
    }
}

#[test]
fn what_is_not_finite_is_named_with_its_lane_step_and_seed_and_needs_a_reset() {
    for (reward, observation, what) in
        [(1.0, f32::NAN, "observation[1]"), (f32::INFINITY, 0.0, "reward"), (f32::NEG_INFINITY, 0.5, "reward")]
    {
        let mut env = Driven::new(Box::new(Columns::new(Faulty::new(reward, observation), 3).unwrap()));
        env.reset(Some(40)).unwrap();
        let towards = Actions::Discrete(&[0, 1, 1]);
        for _ in 0..2 {
            env.step(towards, &[true; 3]).unwrap();
        }
        let failed = env.step(towards, &[true; 3]).unwrap_err();
        let EnvError::Lane { id, lane, seed, step, source } = failed else { panic!("{failed}") };
        assert_eq!((id.as_str(), lane, seed, step), ("Faulty-v0", 1, Some(41), 2));
        assert!(matches!(&*source, EnvError::NotFinite { what: found, .. } if found == what), "{source}");
        let refused = env.step(towards, &[true; 3]).unwrap_err();
        assert!(matches!(&refused, EnvError::Lane { source, .. } if **source == EnvError::NeedsReset), "{refused}");
        env.reset(None).unwrap();
        env.step(towards, &[true; 3]).unwrap();
    }
}

/// Ends with action 1, and panics at a start after so many.
struct Once {
    faulty: Faulty,
    starts_left: AtomicUsize,
}

impl Once {
    fn new(starts: usize) -> Self {
        Self { faulty: Faulty::new(1.0, 0.0), starts_left: AtomicUsize::new(starts) }
    }

    fn begin(&self) {
        assert!(self.starts_left.fetch_sub(1, Ordering::Relaxed) > 0, "out of starts");
    }
}

impl Dynamics<1> for Once {
    fn start(&self, _: &mut NumpyRng) -> [f64; 1] {
        self.begin();
        [0.0]
    }

    fn advance(&self, state: [f64; 1], action: u32) -> ([f64; 1], Step) {
        (state, Step { reward: 1.0, end: if action == 1 { End::Terminated } else { End::Not } })
    }

    fn observe(&self, _: [f64; 1], observation: &mut [f32]) {
        observation.fill(0.0);
    }
}

impl Env for Once {
    fn spec(&self) -> &Spec {
        &self.faulty.spec
    }

    fn reset(&mut self, _: Option<u64>, _: &mut [f32]) -> Result<(), EnvError> {
        self.begin();
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, _: &mut [f32]) -> Result<Step, EnvError> {
        Ok(self.advance([0.0], u32::from(action == Action::Discrete(1))).1)
    }
}

#[test]
fn a_panic_at_the_start_of_the_next_episode_is_named_with_its_lane() {
    let columns: Box<dyn VecEnv> = Box::new(Columns::new(Once::new(4), 4).unwrap());
    let lanes: Box<dyn VecEnv> = Box::new(Lanes::new((0..4).map(|_| Once::new(1)).collect()).unwrap());
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let failed = [columns, lanes].map(|env| {
        let mut env = Driven::new(env);
        env.reset(Some(40)).unwrap();
        env.step(Actions::Discrete(&[0, 0, 1, 0]), &[true; 4]).unwrap_err()
    });
    std::panic::set_hook(hook);
    for failed in failed {
        let EnvError::Lane { lane, seed, step, source, .. } = failed else { panic!("{failed}") };
        assert_eq!((lane, seed, step), (2, Some(42), 0));
        assert_eq!(*source, EnvError::Panicked { message: "out of starts".into() });
    }
}

#[test]
fn columns_need_a_lane_an_observation_and_discrete_actions() {
    let none = Columns::new(CartPole::new(), 0);
    assert!(matches!(none, Err(EnvError::Option { name: "lanes", .. })));
    let mut blind = Faulty::new(1.0, 0.0);
    blind.spec.observation = Space::uniform_box(0, 0.0, 0.0);
    assert!(matches!(Columns::new(blind, 1), Err(EnvError::Option { name: "observation length", .. })));
    for action in [Space::uniform_box(1, -1.0, 1.0), Space::MultiDiscrete { n: vec![2] }] {
        let mut steered = Faulty::new(1.0, 0.0);
        steered.spec.action = action;
        assert!(matches!(Columns::new(steered, 1), Err(EnvError::Option { name: "action space", .. })));
    }
}
