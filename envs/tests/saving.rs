//! Every registered environment can be saved at any step and goes on elsewhere as if nothing had happened.

use uphill_envs::{Action, Actions, End, Env, EnvError, Lanes, NumpyRng, Space, Spec, Step, Transitions, VecEnv};

/// The actions that shares of a space from 0 to 1 stand for, one a lane: indices, or numbers.
fn actions_of(space: &Space, shares: &[f64]) -> (Vec<u32>, Vec<f32>) {
    let number = |low: f32, high: f32, share: f64| low + share as f32 * (high - low);
    match space {
        Space::Discrete { n } => (shares.iter().map(|share| (share * *n as f64) as u32).collect(), Vec::new()),
        Space::Box { low, high } if low.len() == 1 => {
            (Vec::new(), shares.iter().map(|&share| number(low[0], high[0], share)).collect())
        }
        other => panic!("extend this test to {other:?}"),
    }
}

/// What some steps of random actions return.
fn play(env: &mut dyn VecEnv, steps: usize, actions: &mut NumpyRng) -> Vec<(Vec<u32>, Vec<u32>, Vec<End>)> {
    let (n, d) = (env.lanes(), env.spec().observation_len());
    let space = env.spec().action.clone();
    let mut told = Vec::new();
    for _ in 0..steps {
        let shares: Vec<f64> = (0..n).map(|_| actions.random()).collect();
        let (indices, numbers) = actions_of(&space, &shares);
        let (mut observation, mut final_observation) = (vec![0.0; n * d], vec![0.0; n * d]);
        let (mut reward, mut end) = (vec![0.0; n], vec![End::Not; n]);
        let out = Transitions {
            observation: &mut observation,
            final_observation: &mut final_observation,
            reward: &mut reward,
            end: &mut end,
        };
        let chosen = if numbers.is_empty() { Actions::Discrete(&indices) } else { Actions::Continuous(&numbers) };
        env.step(chosen, &vec![true; n], out).expect("a step");
        observation.extend(final_observation);
        let bits = |numbers: Vec<f32>| numbers.into_iter().map(f32::to_bits).collect();
        told.push((bits(observation), bits(reward), end));
    }
    told
}

#[test]
fn a_restored_vector_goes_on_as_the_one_that_was_saved() {
    for id in uphill_envs::ids().filter(|id| !id.starts_with("gym-rs/")) {
        for steps in [0, 1, 37, 180] {
            let mut one = uphill_envs::make_vec(id, 3).expect("an environment");
            one.reset(Some(5), &mut vec![0.0; 3 * one.spec().observation_len()]).expect("a reset");
            let mut actions = NumpyRng::new(1);
            play(&mut *one, steps, &mut actions);
            let mut state = vec![7];
            assert!(one.save(&mut state), "{id} can be saved");
            assert_eq!(state.remove(0), 7, "words are appended");

            let mut other = uphill_envs::make_vec(id, 3).expect("an environment");
            other.restore(&state).expect("its own state");
            let mut again = Vec::new();
            other.save(&mut again);
            assert_eq!(again, state, "{id}");
            let (then, elsewhere) = (play(&mut *one, 400, &mut actions.clone()), play(&mut *other, 400, &mut actions));
            assert_eq!(then, elsewhere, "{id} after {steps} steps");
        }
    }
}

/// What some steps of some lanes return, a history each; actions go by the lane's number.
fn play_lanes(env: &mut dyn VecEnv, steps: usize, lanes: &[usize]) -> Vec<Vec<(Vec<u32>, u32, End)>> {
    let (n, d) = (lanes.len(), env.spec().observation_len());
    let mut chance: Vec<NumpyRng> = lanes.iter().map(|&lane| NumpyRng::new(90 + lane as u64)).collect();
    let mut histories = vec![Vec::new(); n];
    for _ in 0..steps {
        let shares: Vec<f64> = chance.iter_mut().map(NumpyRng::random).collect();
        let (indices, numbers) = actions_of(&env.spec().action, &shares);
        let (mut observation, mut final_observation) = (vec![0.0; n * d], vec![0.0; n * d]);
        let (mut reward, mut end) = (vec![0.0; n], vec![End::Not; n]);
        let out = Transitions {
            observation: &mut observation,
            final_observation: &mut final_observation,
            reward: &mut reward,
            end: &mut end,
        };
        let chosen = if numbers.is_empty() { Actions::Discrete(&indices) } else { Actions::Continuous(&numbers) };
        env.step(chosen, &vec![true; n], out).expect("a step");
        for (lane, history) in histories.iter_mut().enumerate() {
            let seen = observation[lane * d..(lane + 1) * d].iter().map(|x| x.to_bits()).collect();
            history.push((seen, reward[lane].to_bits(), end[lane]));
        }
    }
    histories
}

#[test]
fn a_lane_goes_on_among_others() {
    for id in uphill_envs::ids().filter(|id| !id.starts_with("gym-rs/")) {
        let mut all = uphill_envs::make_vec(id, 3).expect("an environment");
        all.reset(Some(5), &mut vec![0.0; 3 * all.spec().observation_len()]).expect("a reset");
        play_lanes(&mut *all, 37, &[0, 1, 2]);
        let saved: Vec<Vec<u64>> = (0..3)
            .map(|lane| {
                let mut state = vec![7];
                assert!(all.save_lane(lane, &mut state), "{id} can be saved");
                assert_eq!(state.remove(0), 7, "words are appended");
                state
            })
            .collect();
        let whole = play_lanes(&mut *all, 300, &[0, 1, 2]);
        for lanes in [&[2, 0][..], &[1], &[0, 1, 2, 1]] {
            let mut some = uphill_envs::make_vec(id, lanes.len()).expect("an environment");
            some.reset(Some(99), &mut vec![0.0; lanes.len() * some.spec().observation_len()]).expect("a reset");
            for (place, &lane) in lanes.iter().enumerate() {
                let state = &saved[lane];
                assert!((0..state.len()).all(|len| some.restore_lane(place, &state[..len]).is_err()), "{id} cut off");
                assert!(some.restore_lane(place, &[&state[..], &[0]].concat()).is_err(), "{id} with a word too many");
                some.restore_lane(place, state).expect("its own state");
            }
            let expected: Vec<_> = lanes.iter().map(|&lane| whole[lane].clone()).collect();
            assert!(play_lanes(&mut *some, 300, lanes) == expected, "{id}: lanes {lanes:?}");
        }
    }
}

#[test]
fn one_environment_alone_goes_on_too() {
    for id in uphill_envs::ids().filter(|id| !id.starts_with("gym-rs/")) {
        let mut one = uphill_envs::make(id).expect("an environment");
        let mut observation = vec![0.0; one.spec().observation_len()];
        one.reset(Some(3), &mut observation).expect("a reset");
        let is_box = matches!(one.spec().action, Space::Box { .. });
        let numbers = [[-1.5], [0.5]];
        let chosen = |i: u32| if is_box { Action::Continuous(&numbers[i as usize]) } else { Action::Discrete(i) };
        one.step(chosen(1), &mut observation).expect("a step");
        let mut state = Vec::new();
        assert!(one.save(&mut state));
        let mut other = uphill_envs::make(id).expect("an environment");
        other.restore(&state).expect("its own state");
        let mut elsewhere = observation.clone();
        for action in [0, 1, 0, 1, 1] {
            let step = one.step(chosen(action), &mut observation);
            assert_eq!(step, other.step(chosen(action), &mut elsewhere), "{id}");
            assert_eq!(observation, elsewhere, "{id}");
            if step.expect("a step").end.ended() {
                break;
            }
        }
    }
}

#[test]
fn words_that_are_no_state_are_refused() {
    for id in uphill_envs::ids().filter(|id| !id.starts_with("gym-rs/")) {
        let mut env = uphill_envs::make_vec(id, 2).expect("an environment");
        env.reset(Some(0), &mut vec![0.0; 2 * env.spec().observation_len()]).expect("a reset");
        let mut state = Vec::new();
        env.save(&mut state);
        for len in 0..state.len() {
            assert!(env.restore(&state[..len]).is_err(), "{id} with {len} of {} words", state.len());
        }
        let mut longer = state.clone();
        longer.push(0);
        assert!(env.restore(&longer).is_err(), "{id} with a word too many");
        // Whatever a word is, it is refused or it is a state; nothing panics.
        for place in 0..state.len() {
            for word in [1, 2, u64::from(u32::MAX), u64::MAX] {
                let mut changed = state.clone();
                changed[place] = word;
                let _ = env.restore(&changed);
            }
        }
        env.restore(&state).expect("its own state");
    }
}

/// Does something it must not, in its third step.
#[derive(Clone)]
struct Rogue {
    spec: Spec,
    steps: u32,
    deed: fn(&mut [f32]) -> Step,
}

impl Env for Rogue {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.steps += 1;
        Ok(if self.steps == 3 { (self.deed)(observation) } else { Step { reward: 1.0, end: End::Not } })
    }
}

fn what_is_said(deed: fn(&mut [f32]) -> Step) -> String {
    let spec = Spec {
        id: "Rogue-v0".into(),
        observation: Space::uniform_box(2, 0.0, 1.0),
        action: Space::Discrete { n: 2 },
        max_episode_steps: None,
        reward_threshold: None,
    };
    let tame: fn(&mut [f32]) -> Step = |_| Step { reward: 1.0, end: End::Not };
    let lane = |deed| Rogue { spec: spec.clone(), steps: 0, deed };
    let mut env = Lanes::new(vec![lane(tame), lane(deed)]).expect("lanes");
    assert!(!env.save(&mut Vec::new()), "what cannot be saved says so");
    env.reset(Some(40), &mut [0.0; 4]).expect("a reset");
    for _ in 0..3 {
        let out = Transitions {
            observation: &mut [0.0; 4],
            final_observation: &mut [0.0; 4],
            reward: &mut [0.0; 2],
            end: &mut [End::Not; 2],
        };
        if let Err(e) = env.step(Actions::Discrete(&[0, 1]), &[true; 2], out) {
            return e.to_string();
        }
    }
    "nothing".into()
}

#[test]
fn what_an_environment_must_not_do_is_told_with_lane_step_seed_and_value() {
    let place = "Rogue-v0, lane 1, step 2 of its episode, seed 41: ";
    let said = what_is_said(|_| panic!("the pole fell off"));
    assert_eq!(said, format!("{place}the environment panicked: the pole fell off"));
    assert_eq!(what_is_said(|_| panic!("{}", 3)), format!("{place}the environment panicked: 3"));
    let said = what_is_said(|_| Step { reward: f32::NAN, end: End::Not });
    assert_eq!(said, format!("{place}the environment returned reward = NaN: it must be finite"));
    let said = what_is_said(|observation| {
        observation[1] = f32::INFINITY;
        Step { reward: 0.0, end: End::Not }
    });
    assert_eq!(said, format!("{place}the environment returned observation[1] = inf: it must be finite"));
    assert_eq!(what_is_said(|_| Step { reward: 5.0, end: End::Not }), "nothing");
}
