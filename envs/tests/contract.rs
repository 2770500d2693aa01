//! What every registered environment keeps to. A new row of the registry is tested here without a word more.

use uphill_envs::{
    Action, Actions, CartPole, End, Env, EnvError, NumpyRng, Space, Step, TimeLimit, Transitions, ids, make, make_vec,
    summary,
};

/// Steps that a random policy takes through each environment.
const STEPS: usize = 600;

/// Environments whose own authors let them leave their observation space: see `docs/gym-rs.md`.
const LEAVES_ITS_SPACE: &[&str] = &["gym-rs/CartPole-v0"];

/// An action, kept to be lent.
#[derive(Clone)]
enum Chosen {
    Index(u32),
    Numbers(Vec<f32>),
}

impl Chosen {
    /// From the first to past the last, or from the lower bounds to the upper ones, as `share` says, 0 to 1.
    fn of(space: &Space, mut share: impl FnMut() -> f64) -> Self {
        match space {
            Space::Discrete { n } => Self::Index((share() * *n as f64) as u32),
            Space::Box { low, high } => {
                Self::Numbers(low.iter().zip(high).map(|(&low, &high)| low + share() as f32 * (high - low)).collect())
            }
            other => panic!("extend this test to {}", other.kind()),
        }
    }

    fn first(space: &Space) -> Self {
        Self::of(space, || 0.0)
    }

    fn random(space: &Space, rng: &mut NumpyRng) -> Self {
        Self::of(space, || rng.random())
    }

    fn get(&self) -> Action<'_> {
        match self {
            Self::Index(index) => Action::Discrete(*index),
            Self::Numbers(numbers) => Action::Continuous(numbers),
        }
    }
}

/// The indices of all, and the numbers of all.
fn flat(chosen: &[Chosen]) -> (Vec<u32>, Vec<f32>) {
    let (mut indices, mut numbers) = (Vec::new(), Vec::new());
    for one in chosen {
        match one {
            Chosen::Index(index) => indices.push(*index),
            Chosen::Numbers(of_one) => numbers.extend_from_slice(of_one),
        }
    }
    (indices, numbers)
}

/// Everything a random policy sees in `STEPS` steps, with unseeded resets in between.
fn walk(env: &mut (impl Env + ?Sized), seed: u64) -> Vec<(Vec<f32>, Option<Step>)> {
    let (space, mut rng) = (env.spec().action.clone(), NumpyRng::new(99));
    let mut observation = vec![0.0; env.spec().observation_len()];
    env.reset(Some(seed), &mut observation).unwrap();
    let mut seen = vec![(observation.clone(), None)];
    for _ in 0..STEPS {
        let step = env.step(Chosen::random(&space, &mut rng).get(), &mut observation).unwrap();
        seen.push((observation.clone(), Some(step)));
        if step.end.ended() {
            env.reset(None, &mut observation).unwrap();
            seen.push((observation.clone(), None));
        }
    }
    seen
}

/// Steps until the episode ends, at most `steps`.
fn run_out(env: &mut (impl Env + ?Sized), steps: u32) -> Option<(u32, End)> {
    let (space, mut rng) = (env.spec().action.clone(), NumpyRng::new(7));
    let mut observation = vec![0.0; env.spec().observation_len()];
    (1..=steps).find_map(|t| {
        let step = env.step(Chosen::random(&space, &mut rng).get(), &mut observation).unwrap();
        step.end.ended().then_some((t, step.end))
    })
}

#[test]
fn each_row_makes_the_environment_that_it_names() {
    for id in ids() {
        let env = make(id).unwrap();
        assert_eq!(env.spec().id, id);
        assert_eq!(make_vec(id, 2).unwrap().spec(), env.spec());
        assert!(!summary(id).unwrap().is_empty());
        assert!(env.spec().observation_len() > 0 && env.spec().action.check_actions().is_ok(), "{id}");
        assert_ne!(env.spec().max_episode_steps, Some(0), "{id}");
    }
    let mut names: Vec<_> = ids().collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), ids().len(), "two rows have one name");
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    for found in [make("cartpole-v1").map(|_| ()), make_vec("cartpole-v1", 1).map(|_| ())] {
        let message = found.unwrap_err().to_string();
        assert!(message.contains("`cartpole-v1`") && message.contains("did you mean `CartPole-v1`"), "{message}");
        assert!(ids().all(|id| message.contains(id)), "{message}");
    }
    assert!(
        matches!(summary("FourRoms-v0"), Err(EnvError::Unknown { nearest: Some(nearest), .. }) if nearest == "FourRooms-v0")
    );
    let other = make("LunarLander-v3").map(|_| ()).unwrap_err().to_string();
    assert!(other.starts_with("no environment is called `LunarLander-v3` (all of them: CartPole-v1, "), "{other}");
}

#[test]
fn a_vector_has_at_least_one_lane() {
    for id in ids() {
        assert!(matches!(make_vec(id, 0), Err(EnvError::Option { name: "lanes", .. })), "{id}");
        assert_eq!(make_vec(id, 3).unwrap().lanes(), 3);
    }
}

#[test]
fn one_seed_gives_one_trajectory_and_another_seed_runs_on_differently() {
    for id in ids() {
        let first = walk(&mut make(id).unwrap(), 11);
        let mut env = make(id).unwrap();
        walk(&mut env, 12);
        assert_eq!(first, walk(&mut env, 11), "{id}: an earlier life shows through a seeded reset");
    }
}

#[test]
fn observations_are_finite_and_within_their_space() {
    for id in ids() {
        let mut env = make(id).unwrap();
        for (observation, _) in walk(&mut env, 3) {
            assert!(observation.iter().all(|x| x.is_finite()), "{id}: {observation:?}");
            let within = env.spec().observation.contains(&observation);
            assert!(within || LEAVES_ITS_SPACE.contains(&id), "{id}: {observation:?}");
        }
    }
}

#[test]
fn every_number_of_an_observation_is_written() {
    for id in ids() {
        let mut env = make(id).unwrap();
        let mut observation = vec![f32::NAN; env.spec().observation_len()];
        env.reset(Some(0), &mut observation).unwrap();
        assert!(observation.iter().all(|x| x.is_finite()), "{id}");
        observation.fill(f32::NAN);
        let first = Chosen::first(&env.spec().action);
        env.step(first.get(), &mut observation).unwrap();
        assert!(observation.iter().all(|x| x.is_finite()), "{id}");
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    for id in ids() {
        let (mut env, mut twin) = (make(id).unwrap(), make(id).unwrap());
        let (first, d) = (Chosen::first(&env.spec().action), env.spec().observation_len());
        let (mut observation, mut expected) = (vec![0.0; d], vec![0.0; d]);
        env.reset(Some(4), &mut observation).unwrap();
        twin.reset(Some(4), &mut expected).unwrap();

        if let Chosen::Index(n) = Chosen::of(&env.spec().action, || 1.0) {
            let refused = env.step(Action::Discrete(n), &mut observation);
            assert_eq!(refused, Err(EnvError::ActionOutOfRange { component: None, action: n, n: n as usize }), "{id}");
            let refused = env.step(Action::Continuous(&[0.0]), &mut observation);
            assert_eq!(refused, Err(EnvError::ActionKind { expected: "discrete", got: "continuous" }), "{id}");
        } else {
            let refused = env.step(Action::Discrete(0), &mut observation);
            assert_eq!(refused, Err(EnvError::ActionKind { expected: "continuous", got: "discrete" }), "{id}");
        }
        for length in [d - 1, d + 1] {
            let mut wrong = vec![0.0; length];
            let expected = EnvError::Length { what: "observation", expected: d, got: length };
            assert_eq!(env.step(first.get(), &mut wrong), Err(expected.clone()), "{id}");
            assert_eq!(env.reset(Some(5), &mut wrong), Err(expected), "{id}");
        }
        assert_eq!(observation, expected, "{id}: a refused call wrote");

        for t in 0..20 {
            let (step, same) = (env.step(first.get(), &mut observation), twin.step(first.get(), &mut expected));
            assert_eq!(step, same, "{id}, step {t}");
            assert_eq!(observation, expected, "{id}, step {t}");
            if step.unwrap().end.ended() {
                break;
            }
        }
    }
}

#[test]
fn a_step_before_a_reset_or_after_an_end_is_refused() {
    for id in ids() {
        let mut env = make(id).unwrap();
        let mut observation = vec![0.0; env.spec().observation_len()];
        let first = Chosen::first(&env.spec().action);
        assert_eq!(env.step(first.get(), &mut observation), Err(EnvError::NeedsReset), "{id}");
        env.reset(Some(0), &mut observation).unwrap();
        // Without a limit an episode can outlast any test; a goal that is not found in time has nothing to show here.
        let steps = env.spec().max_episode_steps.unwrap_or(100_000);
        let ended = run_out(&mut env, steps);
        assert!(ended.is_some() || env.spec().max_episode_steps.is_none(), "{id} ran past its limit");
        if ended.is_some() {
            for _ in 0..2 {
                assert_eq!(env.step(first.get(), &mut observation), Err(EnvError::NeedsReset), "{id}");
            }
            env.reset(None, &mut observation).unwrap();
            env.step(first.get(), &mut observation).unwrap();
        }
    }
}

/// Only the wrapper truncates, and at the limit: within it, the environment itself goes on.
#[test]
fn the_time_limit_truncates_at_the_limit_and_nothing_else_does() {
    for id in ids() {
        let mut unlimited = TimeLimit::with_limit(make(id).unwrap(), u32::MAX).unwrap();
        let mut observation = vec![0.0; unlimited.spec().observation_len()];
        for seed in 0..20 {
            // The registered limit is within `make`, so look at what happens before it.
            unlimited.reset(Some(seed), &mut observation).unwrap();
            let registered = unlimited.inner().spec().max_episode_steps;
            let Some((length, end)) = run_out(&mut unlimited, registered.unwrap_or(STEPS as u32)) else { continue };
            assert_eq!(end == End::Truncated, registered == Some(length) && end != End::Terminated, "{id}");
            if end == End::Truncated || length == 1 {
                continue;
            }
            let mut limited = TimeLimit::with_limit(make(id).unwrap(), length - 1).unwrap();
            limited.reset(Some(seed), &mut observation).unwrap();
            assert_eq!(run_out(&mut limited, length), Some((length - 1, End::Truncated)), "{id}, seed {seed}");
            let first = Chosen::first(&limited.spec().action);
            assert_eq!(limited.step(first.get(), &mut observation), Err(EnvError::NeedsReset), "{id}");
            // The limit falls on the step that terminates: termination wins.
            let mut exact = TimeLimit::with_limit(make(id).unwrap(), length).unwrap();
            exact.reset(Some(seed), &mut observation).unwrap();
            assert_eq!(run_out(&mut exact, length), Some((length, End::Terminated)), "{id}, seed {seed}");
        }
    }
    assert!(matches!(TimeLimit::with_limit(CartPole::new(), 0), Err(EnvError::Option { .. })));
}

/// Each lane is the single environment of seed `seed + i`; an end is followed by a reset within the step.
#[test]
fn lanes_are_single_environments_reset_where_they_end() {
    const LANES: usize = 3;
    for id in ids() {
        let mut vector = make_vec(id, LANES).unwrap();
        let mut singles: Vec<_> = (0..LANES).map(|_| make(id).unwrap()).collect();
        let d = vector.spec().observation_len();
        let space = singles[0].spec().action.clone();
        let mut observation = vec![0.0; LANES * d];
        vector.reset(Some(21), &mut observation).unwrap();
        let mut single = vec![0.0; d];
        for (i, env) in singles.iter_mut().enumerate() {
            env.reset(Some(21 + i as u64), &mut single).unwrap();
            assert_eq!(observation[i * d..(i + 1) * d], single, "{id}, lane {i}");
        }
        let mut rng = NumpyRng::new(5);
        // A mark that no environment writes shows what was left alone.
        let mark = 12345.0;
        for t in 0..STEPS {
            let taken: Vec<Chosen> = (0..LANES).map(|_| Chosen::random(&space, &mut rng)).collect();
            let (indices, numbers) = flat(&taken);
            let actions = if numbers.is_empty() { Actions::Discrete(&indices) } else { Actions::Continuous(&numbers) };
            let active: Vec<bool> = (0..LANES).map(|i| (t + i) % 4 != 0).collect();
            let mut final_observation = vec![mark; LANES * d];
            let (mut reward, mut end) = ([mark; LANES], [End::Not; LANES]);
            let before = observation.clone();
            let out = Transitions {
                observation: &mut observation,
                final_observation: &mut final_observation,
                reward: &mut reward,
                end: &mut end,
            };
            vector.step(actions, &active, out).unwrap();
            for i in 0..LANES {
                let row = i * d..(i + 1) * d;
                if !active[i] {
                    assert_eq!(observation[row.clone()], before[row.clone()], "{id}: lane {i} was not active");
                    assert_eq!((reward[i], end[i]), (mark, End::Not), "{id}: lane {i} was not active");
                    assert!(final_observation[row].iter().all(|&x| x == mark), "{id}: lane {i} was not active");
                    continue;
                }
                let step = singles[i].step(taken[i].get(), &mut single).unwrap();
                assert_eq!((reward[i], end[i]), (step.reward, step.end), "{id}, lane {i}, step {t}");
                if step.end.ended() {
                    assert_eq!(final_observation[row.clone()], single, "{id}, lane {i}, step {t}");
                    singles[i].reset(None, &mut single).unwrap();
                } else {
                    assert!(final_observation[row.clone()].iter().all(|&x| x == mark), "{id}, lane {i}, step {t}");
                }
                assert_eq!(observation[row], single, "{id}, lane {i}, step {t}");
            }
        }
    }
}

#[test]
fn pictures_lie_within_their_frame() {
    for id in ids() {
        let mut env = make(id).unwrap();
        env.reset(Some(0), &mut vec![0.0; env.spec().observation_len()]).unwrap();
        if let Some(drawing) = env.draw() {
            assert!(drawing.width > 0.0 && drawing.height > 0.0 && !drawing.shapes.is_empty(), "{id}");
        }
    }
}
