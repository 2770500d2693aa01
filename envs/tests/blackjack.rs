//! `Blackjack-v1` against games recorded from Gymnasium, and its model against values worked out with Gymnasium's own
//! functions of hands (`reference/record.py`).

use std::collections::HashSet;

use serde::Deserialize;
use uphill_envs::{Action, Blackjack, End, Env, EnvError, NumpyRng, Shape};

#[derive(Deserialize)]
struct Recorded {
    trajectories: Vec<Trajectory>,
    random: f64,
    timid: f64,
    best: f64,
}

#[derive(Deserialize)]
struct Trajectory {
    seed: u64,
    episodes: Vec<Episode>,
}

#[derive(Deserialize)]
struct Episode {
    first: [f32; 3],
    actions: String,
    rewards: Vec<f32>,
    observations: Vec<[f32; 3]>,
    end: String,
}

fn recorded() -> Recorded {
    serde_json::from_str(include_str!("reference/blackjack.json")).unwrap()
}

#[test]
fn games_are_gymnasiums() {
    let (mut won, mut lost, mut drawn) = (0, 0, 0);
    for trajectory in recorded().trajectories {
        let mut env = Blackjack::new();
        assert_eq!((env.spec().max_episode_steps, env.spec().reward_threshold), (None, None));
        let mut observation = [0.0; 3];
        // An earlier life leaves nothing behind, half a random number least of all.
        let leaves_half = |seed: u64| {
            env.reset(Some(seed), &mut observation).unwrap();
            let mut state = Vec::new();
            env.save(&mut state);
            state[5] != 0
        };
        assert!((0..10).any(leaves_half));
        for (i, episode) in trajectory.episodes.into_iter().enumerate() {
            let place = format!("seed {}, game {i}", trajectory.seed);
            env.reset((i == 0).then_some(trajectory.seed), &mut observation).unwrap();
            assert_eq!(observation, episode.first, "{place}");
            let last = episode.actions.len() - 1;
            for (t, digit) in episode.actions.bytes().enumerate() {
                let step = env.step(Action::Discrete(u32::from(digit - b'0')), &mut observation).unwrap();
                assert_eq!(observation, episode.observations[t], "{place}, step {t}");
                assert_eq!(step.reward, episode.rewards[t], "{place}, step {t}");
                assert_eq!(step.end, if t < last { End::Not } else { End::Terminated }, "{place}, step {t}");
            }
            assert_eq!(episode.end, "terminated");
            match episode.rewards[last] {
                1.0 => won += 1,
                -1.0 => lost += 1,
                _ => drawn += 1,
            }
        }
    }
    assert!(won > 100 && lost > 100 && drawn > 10, "the reference shows too little: {won}, {lost}, {drawn}");
}

#[test]
fn the_model_is_worth_what_gymnasiums_hands_are() {
    let (model, recorded) = (Blackjack::new().model().unwrap(), recorded());
    let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-12, "{value} for {expected}");
    near(model.start_value(&vec![0.5; model.states() * 2], 1.0).unwrap(), recorded.random);
    let timid: Vec<f64> = model
        .observations()
        .chunks_exact(3)
        .flat_map(|seen| if seen[0] < 17.0 { [0.0, 1.0] } else { [1.0, 0.0] })
        .collect();
    near(model.start_value(&timid, 1.0).unwrap(), recorded.timid);
    near(model.start_value(&model.optimal_policy(1.0).unwrap(), 1.0).unwrap(), recorded.best);
    assert_eq!((model.states(), model.observation_len()), (390, 3));
    let space = Blackjack::new().spec().observation.clone();
    assert!(model.observations().chunks_exact(3).all(|seen| space.contains(seen)));
}

/// Every state that is played is one of the model's, and pays on average what the model says.
#[test]
fn the_model_is_what_is_played() {
    let model = Blackjack::new().model().unwrap();
    let expected = model.start_value(&vec![0.5; model.states() * 2], 1.0).unwrap();
    let bits = |seen: &[f32]| seen.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let seen: HashSet<_> = model.observations().chunks_exact(3).map(bits).collect();
    let games = 50_000;
    let mut env = Blackjack::new();
    let mut observation = [0.0; 3];
    env.reset(Some(3), &mut observation).unwrap();
    let mut chance = NumpyRng::new(8);
    let (mut total, mut squares) = (0.0, 0.0);
    for _ in 0..games {
        env.reset(None, &mut observation).unwrap();
        loop {
            assert!(seen.contains(&bits(&observation)), "{observation:?}");
            let step = env.step(Action::Discrete(u32::from(chance.random() < 0.5)), &mut observation).unwrap();
            if step.end.ended() {
                total += f64::from(step.reward);
                squares += f64::from(step.reward * step.reward);
                break;
            }
        }
    }
    let n = f64::from(games);
    let mean = total / n;
    let standard_error = ((squares / n - mean * mean) / n).sqrt();
    assert!((mean - expected).abs() < 4.0 * standard_error, "{mean} ± {standard_error} for {expected}");
}

/// Half of a random number is part of the state: between two draws it waits for the next.
#[test]
fn a_game_goes_on_from_between_two_halves() {
    let mut one = Blackjack::new();
    let mut observation = [0.0; 3];
    one.reset(Some(0), &mut observation).unwrap();
    let mut kept = 0;
    for _ in 0..50 {
        let mut state = Vec::new();
        one.save(&mut state);
        kept += u32::from(state[5] != 0);
        let mut other = Blackjack::new();
        other.restore(&state).unwrap();
        let mut elsewhere = [0.0; 3];
        for _ in 0..3 {
            one.reset(None, &mut observation).unwrap();
            other.reset(None, &mut elsewhere).unwrap();
            assert_eq!(observation, elsewhere);
        }
    }
    assert!((5..45).contains(&kept), "{kept}");
}

#[test]
fn what_is_no_game_is_refused() {
    let mut env = Blackjack::new();
    env.reset(Some(0), &mut [0.0; 3]).unwrap();
    let mut state = Vec::new();
    env.save(&mut state);
    // Sum, ace, cards, the dealer's two, half a number.
    for (place, word) in [(0, 32), (1, 2), (2, 32), (3, 0), (3, 11), (4, 0), (4, 11), (5, 1), (5, 2 << 32)] {
        let mut changed = state.clone();
        changed[place] = word;
        assert!(matches!(env.restore(&changed), Err(EnvError::Saved { .. })), "{word} at {place}");
    }
}

/// The bars are as long as the sums, and a usable ace has its disc.
#[test]
fn the_picture_shows_the_table() {
    let mut env = Blackjack::new();
    let mut discs = 0;
    for seed in 0..20 {
        let mut observation = [0.0; 3];
        env.reset(Some(seed), &mut observation).unwrap();
        let drawing = env.draw().unwrap();
        let length = |shape: &Shape| match shape {
            Shape::Polygon(corners, _) => corners[2].0 - corners[0].0,
            Shape::Disc { .. } | Shape::Picture { .. } => panic!("a bar"),
        };
        assert_eq!((length(&drawing.shapes[1]), length(&drawing.shapes[0])), (observation[0], observation[1]));
        let ace = drawing.shapes.iter().any(|shape| matches!(shape, Shape::Disc { .. }));
        assert_eq!(ace, observation[2] == 1.0);
        discs += u32::from(ace);
    }
    assert!((1..20).contains(&discs));
}
