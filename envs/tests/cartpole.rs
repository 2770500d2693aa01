//! `CartPole-v1` against trajectories recorded from Gymnasium (`reference/record.py`).

use serde::Deserialize;
use uphill_envs::{Action, Actions, CartPole, End, Env, EnvError, Lanes, Shape, TimeLimit, Transitions, make_vec};

#[derive(Deserialize)]
struct Recorded {
    trajectories: Vec<Trajectory>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Trajectory {
    seed: u64,
    sutton_barto: bool,
    episodes: Vec<Episode>,
}

#[derive(Deserialize)]
struct Episode {
    first: [f32; 4],
    actions: String,
    rewards: Vec<f32>,
    observations: Vec<[f32; 4]>,
    end: String,
}

#[derive(Deserialize)]
struct Vector {
    seed: u128,
    first: Vec<[f32; 4]>,
    steps: Vec<VectorStep>,
}

#[derive(Deserialize)]
struct VectorStep {
    actions: Vec<u32>,
    observations: Vec<[f32; 4]>,
    rewards: Vec<f32>,
    terminated: Vec<bool>,
    r#final: Vec<Option<[f32; 4]>>,
}

fn recorded() -> Recorded {
    serde_json::from_str(include_str!("reference/cartpole.json")).unwrap()
}

fn largest_difference(a: [f32; 4], b: [f32; 4]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

/// The first observation is Gymnasium's bit for bit; later ones within 1e-6, as numpy's sine and this machine's need not
/// round alike. On x86-64 Linux the largest difference over all recorded steps was 0.
#[test]
fn trajectories_are_gymnasiums() {
    let recorded = recorded();
    let mut ends = Vec::new();
    let mut worst = 0.0_f32;
    for trajectory in &recorded.trajectories {
        let inner = if trajectory.sutton_barto { CartPole::sutton_barto() } else { CartPole::new() };
        let mut env = TimeLimit::new(inner);
        let mut observation = [0.0; 4];
        for (i, episode) in trajectory.episodes.iter().enumerate() {
            let place = format!("seed {}, episode {i}", trajectory.seed);
            env.reset((i == 0).then_some(trajectory.seed), &mut observation).unwrap();
            assert_eq!(observation.map(f32::to_bits), episode.first.map(f32::to_bits), "{place}");
            let last = episode.actions.len() - 1;
            for (t, digit) in episode.actions.bytes().enumerate() {
                let step = env.step(Action::Discrete(u32::from(digit - b'0')), &mut observation).unwrap();
                let difference = largest_difference(observation, episode.observations[t]);
                assert!(difference <= 1e-6, "{place}, step {t}: off by {difference}");
                worst = worst.max(difference);
                assert_eq!(step.reward, episode.rewards[t], "{place}, step {t}");
                let end = match episode.end.as_str() {
                    _ if t < last => End::Not,
                    "terminated" => End::Terminated,
                    _ => End::Truncated,
                };
                assert_eq!(step.end, end, "{place}, step {t}");
            }
            ends.push((trajectory.sutton_barto, episode.end.clone()));
        }
    }
    println!("largest difference: {worst:e}");
    for end in ["terminated", "truncated"] {
        for variant in [false, true] {
            assert!(ends.contains(&(variant, end.into())), "no episode of the reference is {end}");
        }
    }
}

/// Lane `i` is seeded `seed + i`, and a lane whose episode ends is reset in that step, as Gymnasium's `SAME_STEP` mode.
#[test]
fn vectors_are_gymnasiums() {
    for vector in recorded().vectors {
        let lanes = vector.first.len();
        let mut env = make_vec("CartPole-v1", lanes).unwrap();
        let mut observation = vec![0.0; lanes * 4];
        env.reset_wide(vector.seed, &mut observation).unwrap();
        assert_eq!(observation, vector.first.concat());
        let (mut final_observation, mut reward, mut end) =
            (vec![0.0; lanes * 4], vec![0.0; lanes], vec![End::Not; lanes]);
        let mut ended = 0;
        for (t, step) in vector.steps.iter().enumerate() {
            let out = Transitions {
                observation: &mut observation,
                final_observation: &mut final_observation,
                reward: &mut reward,
                end: &mut end,
            };
            env.step(Actions::Discrete(&step.actions), &vec![true; lanes], out).unwrap();
            assert_eq!(reward, step.rewards, "step {t}");
            for i in 0..lanes {
                let row = |flat: &[f32]| -> [f32; 4] { flat[i * 4..(i + 1) * 4].try_into().unwrap() };
                assert!(largest_difference(row(&observation), step.observations[i]) <= 1e-6, "step {t}, lane {i}");
                assert_eq!(end[i] == End::Terminated, step.terminated[i], "step {t}, lane {i}");
                if let Some(expected) = step.r#final[i] {
                    assert!(largest_difference(row(&final_observation), expected) <= 1e-6, "step {t}, lane {i}");
                    ended += 1;
                }
            }
        }
        assert!(ended >= lanes, "the reference ends too few episodes to show anything");
    }
}

#[test]
fn the_spec_is_gymnasiums() {
    let env = CartPole::new();
    let spec = env.spec();
    assert_eq!((spec.max_episode_steps, spec.reward_threshold), (Some(500), Some(475.0)));
    // numpy prints these of `gymnasium.make("CartPole-v1").observation_space.high`.
    assert!(spec.observation.contains(&[4.8, f32::MAX, 0.418_879_03, f32::MIN]));
    assert!(!spec.observation.contains(&[4.800_001, 0.0, 0.0, 0.0]));
    assert!(!spec.observation.contains(&[0.0, 0.0, 0.418_879_06, 0.0]));
}

#[test]
fn a_refused_action_changes_nothing() {
    let mut env = CartPole::new();
    let mut observation = [0.0; 4];
    env.reset(Some(9), &mut observation).unwrap();
    let mut twin = env.clone();
    let refused = env.step(Action::Discrete(2), &mut observation);
    assert_eq!(refused, Err(EnvError::ActionOutOfRange { component: None, action: 2, n: 2 }));
    let mut expected = [0.0; 4];
    env.step(Action::Discrete(1), &mut observation).unwrap();
    twin.step(Action::Discrete(1), &mut expected).unwrap();
    assert_eq!(observation, expected);
}

/// Only the wrapper truncates: without it an episode outlasts the registered limit.
#[test]
fn without_its_limit_an_episode_goes_on() {
    let mut env = CartPole::new();
    let mut observation = [0.0; 4];
    env.reset(Some(0), &mut observation).unwrap();
    for t in 0..600 {
        let [x, x_dot, theta, theta_dot] = observation;
        let right = theta + 0.5 * theta_dot + 0.01 * x + 0.05 * x_dot > 0.0;
        let step = env.step(Action::Discrete(u32::from(right)), &mut observation).unwrap();
        assert_eq!(step.end, End::Not, "step {t}");
    }
}

#[test]
fn unseeded_it_starts_as_seed_zero_does() {
    let (mut unseeded, mut zero) = ([0.0; 4], [1.0; 4]);
    CartPole::new().reset(None, &mut unseeded).unwrap();
    CartPole::new().reset(Some(0), &mut zero).unwrap();
    assert_eq!(unseeded, zero);
}

/// The pole leans to the side that its angle says, and the cart stands where its position says.
#[test]
fn the_picture_shows_the_state() {
    let mut env = CartPole::new();
    env.reset(Some(0), &mut [0.0; 4]).unwrap();
    let mut observation = [0.0; 4];
    for _ in 0..8 {
        env.step(Action::Discrete(1), &mut observation).unwrap();
    }
    let drawing = env.draw().unwrap();
    assert_eq!((drawing.width, drawing.height), (600.0, 400.0));
    let cart = 300.0 + observation[0] * 125.0;
    let polygons: Vec<&Vec<(f32, f32)>> = drawing
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Polygon(points, _) => Some(points),
            Shape::Disc { .. } | Shape::Picture { .. } => None,
        })
        .collect();
    let middle = |points: &[(f32, f32)]| points.iter().map(|p| p.0).sum::<f32>() / points.len() as f32;
    assert!((middle(polygons[0]) - cart).abs() < 1e-3, "the cart stands at {}", middle(polygons[0]));
    // Pushed to the right, a pole falls to the left; its angle is negative then.
    assert!(observation[2] < 0.0 && middle(polygons[1]) < cart);
    let top = polygons[1].iter().map(|p| p.1).fold(f32::INFINITY, f32::min);
    assert!((160.0..200.0).contains(&top), "the pole is 125 long and ends at {top}");
}

#[test]
fn a_vector_without_lanes_is_refused() {
    assert!(matches!(Lanes::<CartPole>::new(Vec::new()), Err(EnvError::Option { name: "lanes", .. })));
}
