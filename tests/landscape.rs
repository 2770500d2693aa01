//! Planes through parameters, their directions, and what stands above them.

use serde::Deserialize;
use uphill::envs::{Env, GridWorld, GridWorldConfig};
use uphill::landscape::{Plane, PrincipalDirections, Surface, filter_normalised};
use uphill::{Buffers, Config, Layout, MlpModel, Seed, Threads, Trainer, oracle};

fn length(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt()
}

#[test]
fn every_filter_of_a_direction_is_as_long_as_the_parameters_own() {
    let mut layout = Layout::default();
    layout.push("actor.0.weight", &[4, 3]);
    layout.push("actor.0.bias", &[4]);
    layout.push("conv.weight", &[2, 3, 2]);
    let mut theta: Vec<f32> = (0..layout.len()).map(|i| ((i * 29 % 13) as f32 - 6.0) * 0.3).collect();
    theta[3..6].fill(0.0);
    let mut rng = Seed(3).stream("directions", 0);
    let (one, two) = (filter_normalised(&theta, &layout, &mut rng), filter_normalised(&theta, &layout, &mut rng));
    assert_ne!(one, two);
    for direction in [&one, &two] {
        for filter in [0..3, 3..6, 6..9, 9..12, 16..22, 22..28] {
            let (got, expected) = (length(&direction[filter.clone()]), length(&theta[filter.clone()]));
            assert!((got - expected).abs() < 1e-5, "filter {filter:?}: length {got}, parameters' {expected}");
        }
        assert!(direction[12..16].iter().all(|&d| d == 0.0), "biases stay: {direction:?}");
        assert!(direction[0..3].iter().any(|&d| d < 0.0) || direction[6..12].iter().any(|&d| d < 0.0));
    }
}

#[derive(Deserialize)]
struct Reference {
    points: Vec<Vec<f32>>,
    directions: [Vec<f64>; 2],
    shares: [f64; 2],
}

#[test]
fn principal_directions_are_those_of_numpy() {
    let reference: Reference =
        serde_json::from_str(include_str!("reference/principal.json")).expect("tests/reference/principal.py wrote it");
    let PrincipalDirections { directions, shares } = PrincipalDirections::of(&reference.points).expect("directions");
    for (direction, expected) in directions.iter().zip(&reference.directions) {
        for (got, expected) in direction.iter().zip(expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{direction:?} for {expected:?}");
        }
    }
    for (got, expected) in shares.iter().zip(reference.shares) {
        assert!((got - expected).abs() < 1e-9, "{got} for {expected}");
    }
    // Where the way ended moves the points alike and no direction.
    let moved: Vec<Vec<f32>> = reference.points.iter().map(|point| point.iter().map(|x| x - 2.0).collect()).collect();
    let moved = PrincipalDirections::of(&moved).expect("directions");
    assert!(moved.directions[0].iter().zip(&directions[0]).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn what_spans_no_plane_is_refused() {
    let refused = |points: &[Vec<f32>]| PrincipalDirections::of(points).expect_err("refused").to_string();
    let line: Vec<Vec<f32>> = (0..5).map(|i| vec![i as f32, 2.0 * i as f32, -(i as f32)]).collect();
    for points in [&[][..], &line[..1], &line[..2], &line] {
        assert!(refused(points).contains("no two principal directions"));
    }
    assert!(refused(&[vec![0.0, 1.0], vec![1.0]]).contains("point 1 has shape [1], expected [2]"));
    assert!(refused(&[vec![0.0], vec![f32::NAN]]).contains("point 1 is not finite"));
    let plane = |one: &[f32], two: &[f32]| Plane::new(vec![0.0; 3], [one.to_vec(), two.to_vec()]);
    assert!(plane(&[1.0, 2.0, 0.0], &[2.0, 4.0, 0.0]).expect_err("a line").to_string().contains("span no plane"));
    assert!(plane(&[0.0; 3], &[1.0, 0.0, 0.0]).is_err() && plane(&[f32::NAN; 3], &[1.0, 0.0, 0.0]).is_err());
    assert!(plane(&[1.0], &[1.0, 0.0, 0.0]).expect_err("short").to_string().contains("a direction has shape [1]"));
}

#[test]
fn a_plane_leads_to_parameters_and_back() {
    // Not at a right angle, and not of length 1.
    let directions = [vec![2.0, 0.0, 0.0, 1.0], vec![1.0, 1.0, 0.0, 0.0]];
    let plane = Plane::new(vec![1.0, 2.0, 3.0, 4.0], directions).expect("a plane");
    assert_eq!(plane.at(0.0, 0.0), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(plane.at(1.0, -2.0), [1.0, 0.0, 3.0, 5.0]);
    let ((a, b), outside) = plane.project(&plane.at(1.5, -0.25)).expect("as long");
    assert!((a - 1.5).abs() < 1e-6 && (b + 0.25).abs() < 1e-6 && outside < 1e-6, "{a} {b} {outside}");
    // The third parameter is at a right angle to both: straight up by 3, beside a distance of √5 in the plane.
    let mut above = plane.at(1.0, 0.0);
    above[2] += 3.0;
    let ((a, b), outside) = plane.project(&above).expect("as long");
    assert!((a - 1.0).abs() < 1e-6 && b.abs() < 1e-6 && (outside - 9.0 / 14.0).abs() < 1e-6, "{a} {b} {outside}");
    assert_eq!(plane.project(&plane.at(0.0, 0.0)).expect("as long"), ((0.0, 0.0), 0.0));
    assert!(plane.project(&[0.0]).is_err());
}

fn config(env: &str) -> Config {
    Config { env: env.into(), hidden: vec![8], seed: 3, steps: 2_048, ..Config::for_algo("ppo").expect("ppo") }
}

/// Points on a line through initial parameters.
fn points(config: &Config, count: usize) -> Vec<Vec<f32>> {
    let theta = Trainer::new(config).expect("a trainer").params().snapshot().expect("values");
    (0..count).map(|i| theta.iter().map(|x| x * (1.0 + 0.1 * i as f32)).collect()).collect()
}

#[test]
fn the_exact_return_is_that_of_the_model() {
    let config = Config { gamma: 0.9, ..config("GridWorld-4x4-v0") };
    let points = points(&config, 5);
    let heights = Surface::exact_return(&config).expect("a model").heights(&points, &Threads::default(), || {});
    let world = GridWorld::new(GridWorldConfig::four_by_four()).expect("a world");
    let (mut params, network) =
        MlpModel::new(world.spec(), &config.mlp(), Seed(9), &candle_core::Device::Cpu).expect("a network");
    for (point, height) in points.iter().zip(heights.expect("heights")) {
        params.set(point).expect("as long");
        let exact = oracle::exact_return(&network, &params, &world.model().expect("a model"), 0.9).expect("a return");
        assert_eq!(height, exact);
    }
}

#[test]
fn the_mean_return_is_near_the_exact_one_and_the_same_twice() {
    // Undiscounted, and so short of the limit that it cuts few episodes off.
    let config = Config { gamma: 1.0, ..config("GridWorld-4x4-v0") };
    let points = points(&config, 3);
    let threads = Threads::default();
    let exact = Surface::exact_return(&config).expect("a model").heights(&points, &threads, || {}).expect("heights");
    let sampled = Surface::mean_return(&config, 400, Seed(1)).expect("a surface");
    let means = sampled.heights(&points, &threads, || {}).expect("heights");
    for (mean, exact) in means.iter().zip(&exact) {
        assert!((mean - exact).abs() < 0.1, "{means:?} for {exact:?}");
    }
    let again = sampled.heights(&[points[0].clone(), points[0].clone()], &threads, || {}).expect("heights");
    assert_eq!(again, [means[0], means[0]], "the same random numbers everywhere");
    let others = Surface::mean_return(&config, 400, Seed(2)).expect("a surface");
    assert_ne!(others.heights(&points[..1], &threads, || {}).expect("heights")[0], means[0]);
}

#[test]
fn the_loss_at_the_centre_is_that_of_the_rollout() {
    // Where the ratio is 1 the clipped surrogate is minus the mean advantage, which normalised is 0.
    let config = Config { ent_coef: 0.0.into(), vf_coef: 0.0, ..config("CartPole-v1") };
    let points = points(&config, 4);
    let surface = Surface::loss(&config, (&points[0], &Buffers::default()), Seed(1)).expect("a surface");
    let losses = surface.heights(&points, &Threads::default(), || {}).expect("heights");
    assert!(losses[0].abs() < 1e-5 && losses[3].abs() > 1e-5, "{losses:?}");
}

#[test]
fn threads_change_no_height() {
    let (grid, pole) = (config("GridWorld-4x4-v0"), config("CartPole-v1"));
    let (on_grid, on_pole) = (points(&grid, 40), points(&pole, 40));
    let surfaces = [
        (Surface::exact_return(&grid).expect("a model"), on_grid),
        (Surface::mean_return(&pole, 4, Seed(1)).expect("a surface"), on_pole.clone()),
        (Surface::loss(&pole, (&on_pole[0], &Buffers::default()), Seed(1)).expect("a surface"), on_pole),
    ];
    for (surface, points) in &surfaces {
        let heights =
            |threads| surface.heights(points, &Threads::new(threads).expect("threads"), || {}).expect("heights");
        let one = heights(1);
        assert!(one.windows(2).any(|pair| pair[0] != pair[1]), "{surface:?} is flat");
        assert_eq!(one, heights(3));
    }
}

#[test]
fn surfaces_that_cannot_be_are_refused() {
    let pole = config("CartPole-v1");
    let message = Surface::exact_return(&pole).expect_err("no model").to_string();
    assert_eq!(message, "CartPole-v1: it has no model to compute with, as grid worlds do");
    assert!(Surface::mean_return(&pole, 0, Seed(1)).expect_err("none").to_string().contains("impossible"));
    assert!(Surface::loss(&pole, (&[0.0], &Buffers::default()), Seed(1)).is_err());
    let surface = Surface::mean_return(&pole, 1, Seed(1)).expect("a surface");
    assert!(surface.heights(&[vec![0.0; 3]], &Threads::default(), || {}).is_err());
}

#[test]
fn the_registered_grid_worlds_are_known_by_name_and_take_another_limit() {
    for name in ["GridWorld-4x4-v0", "FourRooms-v0", "CliffWalking-v1", "CliffWalkingSlippery-v1"] {
        assert_eq!(GridWorldConfig::registered(name).map(|world| world.id).as_deref(), Some(name));
        // Like a lake's, their limit of steps is an argument.
        for (env, limit) in [(name, Some(300)), ("FrozenLake-v1", None)] {
            let limited = config(env).with_limit(limit).expect("another limit");
            assert_eq!(limited.make_envs(1).expect("environments").spec().max_episode_steps, limit);
        }
    }
    assert_eq!(config("CartPole-v1").with_limit(Some(300)), None);
}

/// The slope of a surface at a point, by differences.
fn slope(surface: &Surface, at: &[f32], places: std::ops::Range<usize>) -> Vec<f64> {
    const H: f32 = 0.05;
    let moved = |i: usize, by: f32| {
        let mut theta = at.to_vec();
        theta[i] += by;
        theta
    };
    let points: Vec<Vec<f32>> = places.flat_map(|i| [moved(i, H), moved(i, -H)]).collect();
    let heights = surface.heights(&points, &Threads::default(), || {}).expect("heights");
    heights.chunks_exact(2).map(|pair| (pair[0] - pair[1]) / (2.0 * f64::from(H))).collect()
}

#[test]
fn what_a_natural_gradient_brings_down_falls_along_the_exact_gradient() {
    for algo in ["npg", "trpo"] {
        let config = Config {
            // Short episodes, so that a rollout has thousands.
            env: "GridWorld(map=['S.G'], step_reward=-0.1)".into(),
            hidden: vec![],
            envs: 64,
            n_steps: 150,
            gae_lambda: 1.0,
            normalize_advantage: false,
            threads: 1,
            ..Config::for_algo(algo).expect("an algorithm")
        };
        let trainer = Trainer::new(&config).expect("a trainer");
        let (theta, layout) = (trainer.params().snapshot().expect("parameters"), trainer.params().layout());
        let mdp = config.model_of_env().expect("an environment").expect("a model");
        let (params, network) = config.model_at(trainer.spec(), &theta, &Buffers::default()).expect("a network");
        let exact = oracle::exact_episode_gradient(&*network, &params, &mdp, config.gamma).expect("a gradient");
        let exact: Vec<f32> = exact.to_vec1().expect("numbers");
        let surface = Surface::loss(&config, (&theta, &Buffers::default()), Seed(7)).expect("a surface");
        for block in layout.blocks() {
            let (found, exact) = (slope(&surface, &theta, block.range()), &exact[block.range()]);
            if block.name.starts_with("critic") {
                assert!(found.iter().all(|&d| d == 0.0), "{algo}: {} has no part in it: {found:?}", block.name);
                continue;
            }
            let inner: f64 = found.iter().zip(exact).map(|(a, &b)| a * f64::from(b)).sum();
            let found: Vec<f32> = found.iter().map(|&d| d as f32).collect();
            let cosine = inner / (length(&found) * length(exact));
            assert!(cosine < -0.95, "{algo}: {} of cosine {cosine}", block.name);
        }
    }
}
