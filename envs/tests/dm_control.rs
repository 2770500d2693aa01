//! Tasks of DeepMind's control suite against trajectories recorded from it (`reference/record_dm_control.py`).

use std::collections::BTreeMap;
use std::f64::consts::PI;

use serde::Deserialize;
use uphill_envs::{Action, DmAcrobot, DmCartPole, DmControl, DmPendulum, End, Env, EnvError, ids, make};

#[derive(Deserialize)]
struct Trajectory {
    start: Vec<f64>,
    actions: Vec<f32>,
    observations: Vec<Vec<f64>>,
    rewards: BTreeMap<String, Vec<f64>>,
    last: Vec<f64>,
}

/// A task, how to read the state off its observation, and its trajectories.
struct Domain {
    envs: Vec<Box<dyn Env>>,
    state: fn(&[f64]) -> Vec<f64>,
    recorded: &'static str,
}

/// How far apart two numbers are, relative to the second or to 1.
fn apart(ours: f64, theirs: f64) -> f64 {
    (ours - theirs).abs() / theirs.abs().max(1.0)
}

fn furthest(ours: impl IntoIterator<Item = f64>, theirs: &[f64]) -> f64 {
    ours.into_iter().zip(theirs).map(|(ours, &theirs)| apart(ours, theirs)).fold(0.0, f64::max)
}

/// Goes on from a state.
fn place(env: &mut dyn Env, state: &[f64]) {
    let words = state.iter().map(|x| x.to_bits()).chain([0, 0, 0, 0]).collect::<Vec<_>>();
    env.restore(&words).expect("a state, not to be reset, and a generator");
}

/// The numbers of the state that it is in.
fn state(env: &dyn Env, numbers: usize) -> Vec<f64> {
    let mut words = Vec::new();
    assert!(env.save(&mut words));
    words[..numbers].iter().map(|&word| f64::from_bits(word)).collect()
}

/// How far apart we are after one step from a recorded state, where the cart is within its rail and where it is past its end, and
/// after a whole trajectory.
#[derive(Debug, Default)]
struct Errors {
    step: f64,
    at_the_end_of_the_rail: f64,
    reward: f64,
    drift: f64,
}

impl Domain {
    fn follow(self, pays: f64) -> Errors {
        let mut errors = Errors::default();
        for mut env in self.envs {
            let (id, d) = (env.spec().id.clone(), env.spec().observation_len());
            let mut observation = vec![0.0; d];
            let trajectories: Vec<Trajectory> = serde_json::from_str(self.recorded).expect("trajectories");
            let mut paid = 0.0;
            for (i, recorded) in trajectories.into_iter().enumerate() {
                let rewards = &recorded.rewards[&id];
                let mut from = recorded.start.clone();
                for (t, &action) in recorded.actions.iter().enumerate() {
                    let at = || format!("{id}, trajectory {i}, step {t}");
                    place(&mut *env, &from);
                    let step = env.step(Action::Continuous(&[action]), &mut observation).expect("a step");
                    let theirs = &recorded.observations[t];
                    let seen = furthest(observation.iter().map(|&x| x.into()), theirs);
                    assert!(seen <= 1e-6, "{}: {observation:?} {theirs:?}", at());
                    assert!(apart(step.reward.into(), rewards[t]) <= 1e-6, "{}: {} {}", at(), step.reward, rewards[t]);
                    assert_eq!(step.end, End::Not);
                    let next = (self.state)(theirs);
                    let mut ours = state(&*env, next.len());
                    // What is read off has its angles within ±π.
                    for (ours, theirs) in ours.iter_mut().zip(&next).take(next.len() / 2) {
                        *ours -= ((*ours - theirs) / (2.0 * PI)).round() * 2.0 * PI;
                    }
                    let error = furthest(ours, &next);
                    let past = id.contains("cartpole") && from[0].abs().max(next[0].abs()) > 1.79;
                    let worst = if past { &mut errors.at_the_end_of_the_rail } else { &mut errors.step };
                    *worst = worst.max(error);
                    errors.reward = errors.reward.max((f64::from(step.reward) - rewards[t]).abs());
                    paid += rewards[t];
                    from = next;
                }
                place(&mut *env, &recorded.start);
                for (t, &action) in recorded.actions.iter().enumerate() {
                    env.step(Action::Continuous(&[action]), &mut observation).expect("a step");
                    let seen = furthest(observation.iter().map(|&x| x.into()), &recorded.observations[t]);
                    assert!(seen <= 1e-3, "{id}, trajectory {i}, step {t} from its start: {seen}");
                }
                let drift = furthest(state(&*env, recorded.last.len()), &recorded.last);
                println!("{id}, trajectory {i}: {drift:.0e} apart after {} steps", recorded.actions.len());
                errors.drift = errors.drift.max(drift);
            }
            assert!(paid > pays, "{id} pays {paid}: a record in which little is paid shows little");
        }
        errors
    }
}

#[test]
fn cartpole_does_what_was_recorded() {
    let tasks =
        [DmCartPole::balance(), DmCartPole::balance_sparse(), DmCartPole::swingup(), DmCartPole::swingup_sparse()];
    let errors = Domain {
        envs: tasks.map(|task| Box::new(DmControl::new(task)) as Box<dyn Env>).into(),
        state: |o| vec![o[0], o[2].atan2(o[1]), o[3], o[4]],
        recorded: include_str!("reference/dm_control_cartpole.json"),
    }
    .follow(200.0);
    println!("{errors:?}");
    assert!(errors.step < 2e-9 && errors.at_the_end_of_the_rail < 2e-6 && errors.drift < 1e-4, "{errors:?}");
}

#[test]
fn pendulum_does_what_was_recorded() {
    let errors = Domain {
        envs: vec![Box::new(DmControl::new(DmPendulum::swingup()))],
        state: |o| vec![o[1].atan2(o[0]), o[2]],
        recorded: include_str!("reference/dm_control_pendulum.json"),
    }
    .follow(100.0);
    println!("{errors:?}");
    assert!(errors.step < 2e-9 && errors.drift < 1e-6, "{errors:?}");
}

#[test]
fn acrobot_does_what_was_recorded() {
    let tasks = [DmAcrobot::swingup(), DmAcrobot::swingup_sparse()];
    let errors = Domain {
        envs: tasks.map(|task| Box::new(DmControl::new(task)) as Box<dyn Env>).into(),
        state: |o| {
            let upper = o[0].atan2(o[2]);
            vec![upper, o[1].atan2(o[3]) - upper, o[4], o[5]]
        },
        recorded: include_str!("reference/dm_control_acrobot.json"),
    }
    .follow(30.0);
    println!("{errors:?}");
    assert!(errors.step < 2e-9 && errors.drift < 1e-6, "{errors:?}");
}

/// Mean and deviation of each number of the states that episodes start in.
fn starts(env: &mut dyn Env, numbers: usize) -> Vec<(f64, f64)> {
    let n = 20_000;
    let mut observation = vec![0.0; env.spec().observation_len()];
    let drawn: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            env.reset((i == 0).then_some(3), &mut observation).expect("a reset");
            state(env, numbers)
        })
        .collect();
    (0..numbers)
        .map(|i| {
            let mean = drawn.iter().map(|state| state[i]).sum::<f64>() / f64::from(n);
            let variance = drawn.iter().map(|state| (state[i] - mean).powi(2)).sum::<f64>() / f64::from(n);
            (mean, variance.sqrt())
        })
        .collect()
}

#[test]
fn starts_are_distributed_as_dm_controls() {
    let near = |found: &[(f64, f64)], expected: &[(f64, f64)]| {
        for (i, (&(mean, deviation), &(right, spread))) in found.iter().zip(expected).enumerate() {
            // The standard error of a mean of 20,000 is 0.007 deviations.
            assert!((mean - right).abs() <= 0.03 * spread, "number {i}: {found:?}, not {expected:?}");
            assert!((deviation - spread).abs() <= 0.03 * spread, "number {i}: {found:?}, not {expected:?}");
        }
    };
    // A number uniform in ± 1 deviates by this.
    let uniform = 1.0 / 3.0_f64.sqrt();
    for env in [DmCartPole::balance(), DmCartPole::balance_sparse()] {
        let found = starts(&mut DmControl::new(env), 4);
        near(&found, &[(0.0, 0.1 * uniform), (0.0, 0.034 * uniform), (0.0, 0.01), (0.0, 0.01)]);
    }
    for env in [DmCartPole::swingup(), DmCartPole::swingup_sparse()] {
        near(&starts(&mut DmControl::new(env), 4), &[(0.0, 0.01), (PI, 0.01), (0.0, 0.01), (0.0, 0.01)]);
    }
    near(&starts(&mut DmControl::new(DmPendulum::swingup()), 2), &[(0.0, PI * uniform), (0.0, 0.0)]);
    for env in [DmAcrobot::swingup(), DmAcrobot::swingup_sparse()] {
        let found = starts(&mut DmControl::new(env), 4);
        near(&found, &[(0.0, PI * uniform), (0.0, PI * uniform), (0.0, 0.0), (0.0, 0.0)]);
    }
}

#[test]
fn episodes_are_cut_after_1000_steps_and_never_terminate() {
    let tasks: Vec<_> = ids().filter(|id| id.starts_with("dm_control/")).collect();
    assert_eq!(tasks.len(), 7);
    for id in tasks {
        let mut env = make(id).expect("a task");
        let mut observation = vec![0.0; env.spec().observation_len()];
        env.reset(Some(0), &mut observation).expect("a reset");
        for t in 1..=1000 {
            let step = env.step(Action::Continuous(&[1.0]), &mut observation).expect("a step");
            assert!((0.0..=1.0).contains(&step.reward), "{id}: {}", step.reward);
            assert_eq!(step.end, if t == 1000 { End::Truncated } else { End::Not }, "{id}, step {t}");
        }
    }
}

#[test]
fn an_action_beyond_the_bounds_is_the_bound_and_one_that_is_no_number_is_refused() {
    for id in ids().filter(|id| id.starts_with("dm_control/")) {
        let after = |action: f32| {
            let mut env = make(id).expect("a task");
            let mut observation = vec![0.0; env.spec().observation_len()];
            env.reset(Some(1), &mut observation).expect("a reset");
            let step = env.step(Action::Continuous(&[action]), &mut observation)?;
            Ok((step, observation))
        };
        assert_eq!(after(-7.0), after(-1.0), "{id}");
        assert_ne!(after(-0.5), after(-1.0), "{id}");
        assert!(matches!(after(f32::NAN), Err(EnvError::NotFinite { .. })), "{id}");
    }
}

/// The cart is pushed against the end of its rail and stays.
#[test]
fn the_rail_gives_way_a_little() {
    let mut env = DmControl::new(DmCartPole::swingup());
    let mut observation = [0.0; 5];
    env.reset(Some(0), &mut observation).expect("a reset");
    let mut most = 0.0_f32;
    for _ in 0..1000 {
        env.step(Action::Continuous(&[1.0]), &mut observation).expect("a step");
        most = most.max(observation[0]);
    }
    assert!(most > 1.85 && most < 2.1, "{most}");
    // The other way it is let go of at once.
    for _ in 0..100 {
        env.step(Action::Continuous(&[-1.0]), &mut observation).expect("a step");
    }
    assert!(observation[0] < 0.0, "{observation:?}");
}
