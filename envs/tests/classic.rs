//! `MountainCar-v0` and `Acrobot-v1` against trajectories recorded from Gymnasium (`reference/record.py`).

use serde::Deserialize;
use uphill_envs::{Acrobot, Action, Drawing, End, Env, MountainCar, Shape, make};

#[derive(Deserialize)]
struct Trajectory {
    seed: u64,
    episodes: Vec<Episode>,
}

#[derive(Deserialize)]
struct Episode {
    first: Vec<f32>,
    actions: String,
    rewards: Vec<f32>,
    observations: Vec<Vec<f32>>,
    end: String,
}

fn bits(observation: &[f32]) -> Vec<u32> {
    observation.iter().map(|x| x.to_bits()).collect()
}

/// The first observation is Gymnasium's bit for bit; later ones within 1e-6, as numpy's sine and this machine's need not
/// round alike.
fn follow(id: &str, recorded: &str) {
    let trajectories: Vec<Trajectory> = serde_json::from_str(recorded).unwrap();
    let (mut ends, mut worst) = (Vec::new(), 0.0_f32);
    for trajectory in trajectories {
        let mut env = make(id).unwrap();
        let mut observation = vec![0.0; env.spec().observation_len()];
        for (i, episode) in trajectory.episodes.into_iter().enumerate() {
            let place = format!("{id}, seed {}, episode {i}", trajectory.seed);
            env.reset((i == 0).then_some(trajectory.seed), &mut observation).unwrap();
            assert_eq!(bits(&observation), bits(&episode.first), "{place}");
            let last = episode.actions.len() - 1;
            for (t, digit) in episode.actions.bytes().enumerate() {
                let step = env.step(Action::Discrete(u32::from(digit - b'0')), &mut observation).unwrap();
                let pairs = observation.iter().zip(&episode.observations[t]);
                let difference = pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
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
            ends.push(episode.end);
        }
    }
    println!("{id}: largest difference {worst:e}");
    assert!(["terminated", "truncated"].iter().all(|end| ends.iter().any(|e| e == end)), "{id}: {ends:?}");
}

#[test]
fn mountain_car_is_gymnasiums() {
    follow("MountainCar-v0", include_str!("reference/mountaincar.json"));
}

#[test]
fn acrobot_is_gymnasiums() {
    follow("Acrobot-v1", include_str!("reference/acrobot.json"));
}

/// numpy takes the sine of an f32 by a polynomial of its own, which is not always the nearest f32: seeds where it is not.
#[test]
fn acrobots_first_observation_is_numpys_where_f32_rounds_otherwise() {
    let recorded: Vec<(u64, [f32; 6])> = serde_json::from_str(include_str!("reference/acrobot_first.json")).unwrap();
    assert!(recorded.len() >= 10);
    for (seed, first) in recorded {
        let mut observation = [0.0; 6];
        Acrobot::new().reset(Some(seed), &mut observation).unwrap();
        assert_eq!(bits(&observation), bits(&first), "seed {seed}");
    }
}

#[test]
fn the_specs_are_gymnasiums() {
    let limits = |env: &dyn Env| (env.spec().max_episode_steps, env.spec().reward_threshold);
    let (car, acrobot) = (MountainCar::new(), Acrobot::new());
    assert_eq!(limits(&car), (Some(200), Some(-110.0)));
    assert_eq!(limits(&acrobot), (Some(500), Some(-100.0)));
    // numpy prints these of the observation spaces' bounds.
    let car = &car.spec().observation;
    assert!(car.contains(&[-1.2, -0.07]) && car.contains(&[0.6, 0.07]));
    assert!(!car.contains(&[-1.200_000_2, 0.0]) && !car.contains(&[0.0, 0.070_000_01]));
    let acrobot = &acrobot.spec().observation;
    assert!(acrobot.contains(&[1.0, -1.0, 1.0, -1.0, 12.566_371, -28.274_334]));
    assert!(!acrobot.contains(&[0.0, 0.0, 0.0, 0.0, 12.566_372, 0.0]));
    assert!(!acrobot.contains(&[0.0, 0.0, 0.0, 0.0, 0.0, 28.274_336]));
}

/// The wall on the left stops the car, and it stands still there.
#[test]
fn the_wall_takes_the_cars_speed() {
    let mut env = MountainCar::new();
    let mut observation = [0.0; 2];
    env.reset(Some(0), &mut observation).unwrap();
    let stopped = (0..1000).any(|_| {
        let [position, velocity] = observation;
        // It swings higher and higher, but brakes before the flag.
        let left = velocity <= 0.0 || position > 0.3;
        env.step(Action::Discrete(if left { 0 } else { 2 }), &mut observation).unwrap();
        observation == [-1.2, 0.0]
    });
    assert!(stopped, "{observation:?}");
}

fn polygons(drawing: &Drawing) -> Vec<&Vec<(f32, f32)>> {
    let shapes = drawing.shapes.iter();
    shapes.filter_map(|shape| if let Shape::Polygon(points, _) = shape { Some(points) } else { None }).collect()
}

/// The middle of a polygon's corners.
fn middle(points: &[(f32, f32)]) -> (f32, f32) {
    let n = points.len() as f32;
    (points.iter().map(|p| p.0).sum::<f32>() / n, points.iter().map(|p| p.1).sum::<f32>() / n)
}

/// The car stands upright on the track where its position says, below the flag.
#[test]
fn the_picture_of_the_car_shows_the_state() {
    let mut env = MountainCar::new();
    let mut observation = [0.0; 2];
    env.reset(Some(0), &mut observation).unwrap();
    for _ in 0..30 {
        env.step(Action::Discrete(2), &mut observation).unwrap();
    }
    let drawing = env.draw().unwrap();
    assert_eq!((drawing.width, drawing.height), (600.0, 400.0));
    let polygons = polygons(&drawing);
    let [track, car, pole, flag] = polygons[..] else { panic!("{} polygons", polygons.len()) };
    let x = (observation[0] + 1.2) / 1.8 * 600.0;
    let y = 400.0 - ((3.0 * observation[0]).sin() * 0.45 + 0.55) / 1.8 * 600.0;
    // Gymnasium tilts the car by cos(3x), its middle 10 above its foot, its foot 10 above the track.
    let (sin, cos) = (3.0 * observation[0]).cos().sin_cos();
    let (car_x, car_y) = middle(car);
    assert!((car_x - (x - 10.0 * sin)).abs() < 1e-2, "{car_x} is not above {x}");
    assert!((car_y - (y - 10.0 - 10.0 * cos)).abs() < 1e-2, "{car_y} is not above {y}");
    assert!(pole.iter().all(|p| (p.0 - 566.7).abs() < 1.1) && middle(flag).1 < middle(pole).1);
    assert!(track.iter().all(|p| (0.0..=600.0).contains(&p.0) && (0.0..=400.0).contains(&p.1)));
}

/// Hanging down at first, each link from the end of the one before.
#[test]
fn the_picture_of_the_links_shows_the_state() {
    let mut env = Acrobot::new();
    let mut observation = [0.0; 6];
    env.reset(Some(0), &mut observation).unwrap();
    for _ in 0..12 {
        env.step(Action::Discrete(if observation[5] >= 0.0 { 2 } else { 0 }), &mut observation).unwrap();
    }
    let drawing = env.draw().unwrap();
    let polygons = polygons(&drawing);
    let [line, upper, lower] = polygons[..] else { panic!("{} polygons", polygons.len()) };
    let scale = 500.0 / 4.4;
    assert!((middle(line).1 - (250.0 - scale)).abs() < 1.0);
    let [cos1, sin1, cos2, sin2, ..] = observation;
    let elbow = (250.0 + sin1 * scale, 250.0 + cos1 * scale);
    // The sum of the two angles.
    let (sin, cos) = (sin1 * cos2 + cos1 * sin2, cos1 * cos2 - sin1 * sin2);
    let near = |a: (f32, f32), b: (f32, f32)| (a.0 - b.0).abs() < 1e-2 && (a.1 - b.1).abs() < 1e-2;
    assert!(sin1.abs() > 0.05 && sin2.abs() > 0.05, "the links hardly move: {observation:?}");
    assert!(near(middle(upper), (250.0 + sin1 * scale / 2.0, 250.0 + cos1 * scale / 2.0)), "{:?}", middle(upper));
    assert!(near(middle(lower), (elbow.0 + sin * scale / 2.0, elbow.1 + cos * scale / 2.0)), "{:?}", middle(lower));
}

/// An angle that no step leads to, as a broken file may hold one, takes no time to bring back and is no panic.
#[test]
fn a_state_that_never_was_is_stepped_from() {
    for angle in [1e300, -1e300, f64::INFINITY, f64::NAN] {
        let mut env = Acrobot::new();
        env.reset(Some(0), &mut [0.0; 6]).unwrap();
        let mut state = Vec::new();
        env.save(&mut state);
        state[0] = angle.to_bits();
        env.restore(&state).unwrap();
        env.step(Action::Discrete(0), &mut [0.0; 6]).unwrap();
    }
}
