//! What [`Lanes`] does with lanes that fail.

use uphill_envs::{
    Action, Actions, CartPole, End, Env, EnvError, Lanes, Space, Spec, Step, TimeLimit, Transitions, VecEnv,
};

/// Pays 1 a step, and from the third step on in an episode what it is told to.
struct Faulty {
    spec: Spec,
    reward: f32,
    observation: f32,
    steps: u32,
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
        Self { spec, reward, observation, steps: 0 }
    }
}

impl Env for Faulty {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.steps = 0;
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.steps += 1;
        observation.fill(0.0);
        let sound = self.steps < 3;
        if !sound {
            observation[1] = self.observation;
        }
        Ok(Step { reward: if sound { 1.0 } else { self.reward }, end: End::Not })
    }
}

/// Steps all lanes, with slices of the given lengths.
fn step(env: &mut impl VecEnv, actions: Actions<'_>, active: usize, lengths: [usize; 4]) -> Result<(), EnvError> {
    let out = Transitions {
        observation: &mut vec![0.0; lengths[0]],
        final_observation: &mut vec![0.0; lengths[1]],
        reward: &mut vec![0.0; lengths[2]],
        end: &mut vec![End::Not; lengths[3]],
    };
    env.step(actions, &vec![true; active], out)
}

fn third_step(seed: Option<u64>, reward: f32, observation: f32) -> Result<(), EnvError> {
    let mut lanes = Lanes::new(vec![Faulty::new(1.0, 0.0), Faulty::new(reward, observation)]).unwrap();
    lanes.reset(seed, &mut [0.0; 4]).unwrap();
    (0..3).try_for_each(|_| step(&mut lanes, Actions::Discrete(&[0, 0]), 2, [4, 4, 2, 2]))
}

#[test]
fn a_reward_that_is_not_finite_names_environment_lane_step_and_seed() {
    for reward in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let message = third_step(Some(40), reward, 0.0).unwrap_err().to_string();
        assert_eq!(
            message,
            format!(
                "Faulty-v0, lane 1, step 2 of its episode, seed 41: \
                 the environment returned reward = {reward}: it must be finite"
            )
        );
    }
    assert_eq!(third_step(Some(40), 2.0, 0.5), Ok(()));
}

#[test]
fn an_observation_that_is_not_finite_is_named_by_its_index() {
    let message = third_step(None, 1.0, f32::NAN).unwrap_err().to_string();
    assert!(message.starts_with("Faulty-v0, lane 1, step 2 of its episode: "), "{message}");
    assert!(message.contains("observation[1] = NaN"), "{message}");
}

#[test]
fn environments_that_show_nothing_have_no_lanes() {
    let mut blind = Faulty::new(1.0, 0.0);
    blind.spec.observation = Space::uniform_box(0, 0.0, 0.0);
    assert!(matches!(Lanes::new(vec![blind]), Err(EnvError::Option { name: "observation length", .. })));
}

#[test]
fn slices_of_another_length_are_refused() {
    let mut lanes = Lanes::new(vec![CartPole::new(), CartPole::new()]).unwrap();
    let refused = lanes.reset(None, &mut [0.0; 7]);
    assert_eq!(refused, Err(EnvError::Length { what: "observation", expected: 8, got: 7 }));
    lanes.reset(None, &mut [0.0; 8]).unwrap();
    let good = [8, 8, 2, 2];
    for (i, what) in ["observation", "final_observation", "reward", "end"].into_iter().enumerate() {
        let mut lengths = good;
        lengths[i] += 1;
        let refused = step(&mut lanes, Actions::Discrete(&[0, 0]), 2, lengths);
        assert_eq!(refused, Err(EnvError::Length { what, expected: good[i], got: good[i] + 1 }));
    }
    let refused = step(&mut lanes, Actions::Discrete(&[0]), 2, good);
    assert_eq!(refused, Err(EnvError::Length { what: "actions", expected: 2, got: 1 }));
    let refused = step(&mut lanes, Actions::Discrete(&[0, 0]), 1, good);
    assert_eq!(refused, Err(EnvError::Length { what: "active", expected: 2, got: 1 }));
    step(&mut lanes, Actions::Discrete(&[0, 0]), 2, good).unwrap();
}

/// A wrong action in the last lane leaves the first one where it was.
#[test]
fn a_refused_action_moves_no_lane() {
    let mut lanes = Lanes::new(vec![CartPole::new(), CartPole::new()]).unwrap();
    lanes.reset(Some(0), &mut [0.0; 8]).unwrap();
    let before = lanes.lane(0).unwrap().draw();
    let refused = step(&mut lanes, Actions::Discrete(&[1, 2]), 2, [8, 8, 2, 2]).unwrap_err();
    let EnvError::Lane { lane: 1, source, .. } = &refused else { panic!("{refused}") };
    assert_eq!(**source, EnvError::ActionOutOfRange { component: None, action: 2, n: 2 });
    let refused = step(&mut lanes, Actions::Continuous(&[0.0, 0.0]), 2, [8, 8, 2, 2]);
    assert!(matches!(refused, Err(EnvError::Lane { lane: 0, .. })), "{refused:?}");
    assert_eq!(lanes.lane(0).unwrap().draw(), before);
    // What is asked of a lane that is not active is nobody's business.
    let (mut observation, mut reward, mut end) = ([0.0; 8], [0.0; 2], [End::Not; 2]);
    let out = Transitions {
        observation: &mut observation,
        final_observation: &mut [0.0; 8],
        reward: &mut reward,
        end: &mut end,
    };
    lanes.step(Actions::Discrete(&[1, 9]), &[true, false], out).unwrap();
}

#[test]
fn lanes_that_are_stepped_apart_do_what_they_do_together() {
    let make = || Lanes::new(vec![TimeLimit::with_limit(CartPole::new(), 15).expect("a limit"); 5]).expect("lanes");
    let play = |apart: bool| {
        let mut env = make();
        let (mut observation, mut last, mut reward, mut end) = ([0.0; 20], [0.0; 20], [0.0; 5], [End::Not; 5]);
        env.reset(Some(3), &mut observation).expect("a reset");
        let mut all = Vec::new();
        for t in 0..100_u32 {
            let out = Transitions {
                observation: &mut observation,
                final_observation: &mut last,
                reward: &mut reward,
                end: &mut end,
            };
            let actions: [u32; 5] = std::array::from_fn(|lane| (t >> lane) & 1);
            let active: [bool; 5] = std::array::from_fn(|lane| !(t as usize + lane).is_multiple_of(7));
            let actions = Actions::Discrete(&actions);
            let stepped = match apart {
                // In another order than theirs.
                true => {
                    env.step_spread(actions, &active, out, &|tasks| tasks.into_iter().rev().for_each(|task| task()))
                }
                false => env.step(actions, &active, out),
            };
            stepped.expect("a step");
            all.push((observation, last, reward, end));
        }
        let mut words = Vec::new();
        assert!(env.save(&mut words));
        (all, words)
    };
    assert_eq!(play(true), play(false));
}
