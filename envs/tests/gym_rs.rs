//! The adapter over gym-rs. Only with the feature `gym-rs`.
#![cfg(feature = "gym-rs")]

use gym_rs::{envs::classical_control::cartpole::CartPoleEnv, utils::renderer::RenderMode};
use uphill_envs::{Action, End, Env, EnvError, GymRs, NumpyRng, Space, make};

/// Mean and standard error of the return of a policy that takes each action as often, over seeded episodes.
fn random_policy(id: &str, episodes: u32) -> (f64, f64) {
    let mut env = make(id).unwrap();
    let Space::Discrete { n } = env.spec().action else { panic!("{id} takes no discrete actions") };
    let mut observation = vec![0.0; env.spec().observation_len()];
    let mut rng = NumpyRng::new(1);
    let returns: Vec<f64> = (0..episodes)
        .map(|episode| {
            env.reset((episode == 0).then_some(0), &mut observation).unwrap();
            let mut total = 0.0;
            loop {
                let action = (rng.random() * n as f64) as u32;
                let step = env.step(Action::Discrete(action), &mut observation).unwrap();
                total += f64::from(step.reward);
                if step.end.ended() {
                    return total;
                }
            }
        })
        .collect();
    let count = f64::from(episodes);
    let mean = returns.iter().sum::<f64>() / count;
    let variance = returns.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// The figures of `docs/gym-rs.md`: the two cart-poles are two tasks.
#[test]
fn a_random_policy_tells_the_cart_poles_apart() {
    for (id, documented) in [("gym-rs/CartPole-v0", 8.1), ("CartPole-v1", 22.3)] {
        let (mean, error) = random_policy(id, 10_000);
        println!("{id}: {mean:.2} ± {error:.2}");
        assert!((mean - documented).abs() < 4.0 * error + 0.05, "{id}: {mean} ± {error}, documented {documented}");
    }
}

#[test]
fn spaces_are_translated() {
    let cart = make("gym-rs/CartPole-v0").unwrap();
    assert_eq!(cart.spec().action, Space::Discrete { n: 2 });
    assert_eq!(cart.spec().observation, make("CartPole-v1").unwrap().spec().observation);
    let car = make("gym-rs/MountainCar-v0").unwrap();
    assert_eq!(car.spec().action, Space::Discrete { n: 3 });
    assert_eq!(car.spec().observation, Space::Box { low: vec![-1.2, -0.07], high: vec![0.6, 0.07] });
}

/// gym-rs would draw a seed from the operating system here; the adapter hands it one, and another one each time.
#[test]
fn unseeded_resets_repeat_from_run_to_run_and_differ_from_each_other() {
    let starts = || {
        let mut env = make("gym-rs/MountainCar-v0").unwrap();
        let mut observation = [0.0; 2];
        [Some(3), None, None].map(|seed| {
            env.reset(seed, &mut observation).unwrap();
            observation
        })
    };
    let [a, b, c] = starts();
    assert_eq!(starts(), [a, b, c]);
    assert!(a != b && b != c && a != c);
}

/// Half of the pole's whole length is added to its mass where Gymnasium multiplies; from there on all differs.
#[test]
fn the_dynamics_are_gym_rs() {
    let mut ours = make("gym-rs/CartPole-v0").unwrap();
    let mut theirs = CartPoleEnv::new(RenderMode::None);
    let mut observation = [0.0; 4];
    ours.reset(Some(0), &mut observation).unwrap();
    let (first, _) = gym_rs::core::Env::reset(&mut theirs, Some(NumpyRng::new(0).next_u64()), false, None);
    assert_eq!(Vec::<f64>::from(first).iter().map(|&x| x as f32).collect::<Vec<_>>(), observation);
    for action in [0, 1, 1, 0, 1] {
        let step = ours.step(Action::Discrete(action), &mut observation).unwrap();
        let expected = gym_rs::core::Env::step(&mut theirs, action as usize);
        assert_eq!(step.end.ended(), expected.done);
        assert_eq!(Vec::<f64>::from(expected.observation).iter().map(|&x| x as f32).collect::<Vec<_>>(), observation);
        if step.end == End::Terminated {
            break;
        }
    }
}

#[test]
fn an_environment_that_panics_is_an_error_here() {
    let dead = GymRs::new("Broken-v0", None, None, || -> CartPoleEnv { panic!("cannot be made") });
    assert!(matches!(dead, Err(EnvError::Stopped { id }) if id == "Broken-v0"));
}
