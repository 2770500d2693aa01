//! `Pendulum-v1` against trajectories recorded from Gymnasium (`reference/record.py`).

use serde::Deserialize;
use uphill_envs::{Action, End, Env, EnvError, Pendulum, Shape, make};

#[derive(Deserialize)]
struct Trajectory {
    seed: u64,
    episodes: Vec<Episode>,
}

#[derive(Deserialize)]
struct Episode {
    first: [f32; 3],
    actions: Vec<f32>,
    rewards: Vec<f32>,
    observations: Vec<[f32; 3]>,
}

#[test]
fn trajectories_are_gymnasiums() {
    let recorded: Vec<Trajectory> = serde_json::from_str(include_str!("reference/pendulum.json")).unwrap();
    let mut clipped = 0;
    for Trajectory { seed, episodes } in recorded {
        let mut env = make("Pendulum-v1").unwrap();
        let mut observation = [0.0; 3];
        for (i, episode) in episodes.iter().enumerate() {
            env.reset((i == 0).then_some(seed), &mut observation).unwrap();
            assert_eq!(observation.map(f32::to_bits), episode.first.map(f32::to_bits), "seed {seed}, episode {i}");
            assert_eq!(episode.actions.len(), 200);
            for (t, &action) in episode.actions.iter().enumerate() {
                let step = env.step(Action::Continuous(&[action]), &mut observation).unwrap();
                let place = format!("seed {seed}, episode {i}, step {t}");
                let apart = |a: f32, b: f32| (a - b).abs();
                for (ours, theirs) in observation.iter().zip(episode.observations[t]) {
                    assert!(apart(*ours, theirs) <= 1e-6, "{place}: {observation:?} {:?}", episode.observations[t]);
                }
                assert!(apart(step.reward, episode.rewards[t]) <= 1e-6 * episode.rewards[t].abs().max(1.0), "{place}");
                assert_eq!(step.end, if t == 199 { End::Truncated } else { End::Not }, "{place}");
                clipped += usize::from(action.abs() > 2.0);
            }
        }
    }
    assert!(clipped > 50, "{clipped} torques of the reference are beyond the bounds");
}

#[test]
fn the_spec_is_gymnasiums() {
    let env = Pendulum::new();
    let spec = env.spec();
    assert_eq!((spec.max_episode_steps, spec.reward_threshold), (Some(200), None));
    assert!(spec.observation.contains(&[1.0, -1.0, 8.0]) && !spec.observation.contains(&[1.0, -1.0, 8.000_001]));
    assert!(spec.action.contains(&[-2.0]) && !spec.action.contains(&[2.000_001]));
}

#[test]
fn what_is_no_torque_is_refused_and_changes_nothing() {
    let mut env = Pendulum::new();
    let mut observation = [0.0; 3];
    assert_eq!(env.step(Action::Continuous(&[0.0]), &mut observation), Err(EnvError::NeedsReset));
    env.reset(Some(9), &mut observation).unwrap();
    let (mut twin, before) = (env.clone(), observation);
    let said = |action| env.clone().step(action, &mut [0.0; 3]).unwrap_err().to_string();
    assert!(said(Action::Discrete(0)).contains("a discrete action was given to a continuous action space"));
    assert!(matches!(
        env.step(Action::Continuous(&[0.0, 0.0]), &mut observation),
        Err(EnvError::Length { what: "action", expected: 1, got: 2 })
    ));
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let refused = env.step(Action::Continuous(&[bad]), &mut observation);
        assert!(matches!(&refused, Err(EnvError::NotFinite { what, .. }) if what == "action[0]"), "{refused:?}");
    }
    assert_eq!(observation, before);
    let mut expected = [0.0; 3];
    let step = env.step(Action::Continuous(&[1e30]), &mut observation);
    assert_eq!(step, twin.step(Action::Continuous(&[2.0]), &mut expected), "a torque beyond counts as the largest");
    assert_eq!(observation, expected);
}

/// Upright it points up, and to the left at a positive angle.
#[test]
fn the_picture_shows_the_state() {
    let mut env = Pendulum::new();
    for seed in 0..20 {
        let mut observation = [0.0; 3];
        env.reset(Some(seed), &mut observation).unwrap();
        let drawing = env.draw().unwrap();
        let discs: Vec<(f32, f32)> = drawing
            .shapes
            .iter()
            .filter_map(|shape| match shape {
                Shape::Disc { centre, .. } => Some(*centre),
                Shape::Polygon(..) | Shape::Picture { .. } => None,
            })
            .collect();
        let (x, y) = (discs[1].0 - 250.0, 250.0 - discs[1].1);
        let length = 500.0 / 4.4;
        assert!((y - length * observation[0]).abs() < 0.01 && (x + length * observation[1]).abs() < 0.01, "{discs:?}");
    }
}
