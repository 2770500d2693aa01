//! `MountainCarContinuous-v0` against trajectories recorded from Gymnasium (`reference/record.py`).

use serde::Deserialize;
use uphill_envs::{Action, End, Env, EnvError, MountainCarContinuous, make};

#[derive(Deserialize)]
struct Trajectory {
    seed: u64,
    episodes: Vec<Episode>,
}

#[derive(Deserialize)]
struct Episode {
    first: [f32; 2],
    actions: Vec<f32>,
    rewards: Vec<f32>,
    observations: Vec<[f32; 2]>,
    end: String,
}

#[test]
fn trajectories_are_gymnasiums() {
    let recorded: Vec<Trajectory> =
        serde_json::from_str(include_str!("reference/mountaincar_continuous.json")).unwrap();
    let (mut beyond, mut walls, mut ends, mut exact, mut steps) = (0, 0, Vec::new(), 0, 0);
    for Trajectory { seed, episodes } in recorded {
        let mut env = make("MountainCarContinuous-v0").unwrap();
        let mut observation = [0.0; 2];
        for (i, episode) in episodes.into_iter().enumerate() {
            env.reset((i == 0).then_some(seed), &mut observation).unwrap();
            assert_eq!(observation.map(f32::to_bits), episode.first.map(f32::to_bits), "seed {seed}, episode {i}");
            let last = episode.actions.len() - 1;
            for (t, &action) in episode.actions.iter().enumerate() {
                let step = env.step(Action::Continuous(&[action]), &mut observation).unwrap();
                let (place, theirs) = (format!("seed {seed}, episode {i}, step {t}"), episode.observations[t]);
                for (ours, theirs) in observation.iter().zip(theirs) {
                    assert!((ours - theirs).abs() <= 1e-6, "{place}: {observation:?} {theirs:?}");
                }
                assert!(
                    (step.reward - episode.rewards[t]).abs() <= 1e-6 * episode.rewards[t].abs().max(1.0),
                    "{place}"
                );
                let end = match episode.end.as_str() {
                    _ if t < last => End::Not,
                    "terminated" => End::Terminated,
                    _ => End::Truncated,
                };
                assert_eq!(step.end, end, "{place}");
                steps += 1;
                exact += usize::from(observation == theirs);
                beyond += usize::from(action.abs() > 1.0);
                walls += usize::from(observation[0] == -1.2);
            }
            ends.push(episode.end);
        }
    }
    println!("{exact} of {steps} observations are the same bits");
    assert!(beyond > 50 && walls > 5, "{beyond} pushes beyond the bounds, {walls} times at the wall");
    assert!(exact * 100 > steps * 99, "{exact} of {steps} observations are the same bits: steps are taken in f32");
    assert!(["terminated", "truncated"].iter().all(|end| ends.iter().any(|e| e == end)), "{ends:?}");
}

#[test]
fn the_spec_is_gymnasiums() {
    let env = MountainCarContinuous::new();
    let spec = env.spec();
    assert_eq!((spec.max_episode_steps, spec.reward_threshold), (Some(999), Some(90.0)));
    assert!(spec.observation.contains(&[-1.2, 0.07]) && !spec.observation.contains(&[-1.21, 0.0]));
    assert!(spec.action.contains(&[-1.0]) && !spec.action.contains(&[1.000_001]));
}

#[test]
fn what_is_no_push_is_refused_and_changes_nothing() {
    let mut env = MountainCarContinuous::new();
    let mut observation = [0.0; 2];
    assert_eq!(env.step(Action::Continuous(&[0.0]), &mut observation), Err(EnvError::NeedsReset));
    env.reset(Some(9), &mut observation).unwrap();
    let (mut twin, before) = (env.clone(), observation);
    let said = |action| env.clone().step(action, &mut [0.0; 2]).unwrap_err().to_string();
    assert!(said(Action::Discrete(0)).contains("a discrete action was given to a continuous action space"));
    for bad in [f32::NAN, f32::INFINITY] {
        let refused = env.step(Action::Continuous(&[bad]), &mut observation);
        assert!(matches!(&refused, Err(EnvError::NotFinite { what, .. }) if what == "action[0]"), "{refused:?}");
    }
    assert_eq!(observation, before);
    let mut expected = [0.0; 2];
    let far = env.step(Action::Continuous(&[3.0]), &mut observation).unwrap();
    let near = twin.step(Action::Continuous(&[1.0]), &mut expected).unwrap();
    assert!((observation[1] - expected[1]).abs() < 1e-8, "it moves as the hardest push: {observation:?} {expected:?}");
    assert_eq!((far.reward, near.reward), (-0.9, -0.1), "and costs what it says");
}
