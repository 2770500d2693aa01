use std::collections::BTreeMap;

use super::{RecordedRun, curves};

fn run(algo: &str, seed: u64, points: &[(u64, f64)]) -> RecordedRun {
    RecordedRun {
        name: format!("{algo}-{seed}"),
        env: "CartPole-v1".to_owned(),
        algo: algo.to_owned(),
        optimizer: "adam".to_owned(),
        seed,
        settings: BTreeMap::from([("lr".to_owned(), "0.001".to_owned())]),
        metric: "episode_return_mean".to_owned(),
        env_steps: points.iter().map(|point| point.0).collect(),
        values: points.iter().map(|point| point.1).collect(),
    }
}

#[test]
fn smoothing_leaves_a_straight_line_and_pulls_a_spike_down() {
    // Uneven steps, so that a mean over points in place of one over steps would bend the line.
    let straight = run("ppo", 0, &[(0, 10.0), (10, 20.0), (500, 510.0), (1000, 1010.0)]);
    for (env_steps, value) in &curves(&[straight], 0.3).unwrap()[0].values {
        assert!((value.point - 10.0 - env_steps).abs() < 1e-9, "{env_steps} {value:?}");
    }
    let spike = run("ppo", 0, &[(0, 0.0), (499, 0.0), (500, 100.0), (501, 0.0), (1000, 0.0)]);
    let smoothed = curves(&[spike], 0.1).unwrap();
    let highest = smoothed[0].values.iter().map(|(_, value)| value.point).fold(0.0, f64::max);
    // The triangle's area, 100 steps high and 2 wide, over a window of 100 steps.
    assert!((highest - 1.0).abs() < 1e-9, "{highest}");
    assert_eq!(smoothed[0].raw.len(), 5);
}

#[test]
fn the_band_is_the_sample_standard_deviation_on_the_shared_steps() {
    let runs = [
        run("ppo", 1, &[(0, 1.0), (100, 1.0)]),
        run("ppo", 2, &[(50, 2.0), (200, 2.0)]),
        run("ppo", 3, &[(0, 6.0), (300, 6.0)]),
    ];
    let curves = curves(&runs, 0.0).unwrap();
    assert_eq!(curves.len(), 1);
    assert_eq!(curves[0].seeds, [1, 2, 3]);
    let values = &curves[0].values;
    assert_eq!((values[0].0, values[values.len() - 1].0), (50.0, 100.0));
    for (_, value) in values {
        assert!((value.point - 3.0).abs() < 1e-12);
        assert!((value.high - value.point - 7f64.sqrt()).abs() < 1e-12);
        assert!((value.point - value.low - 7f64.sqrt()).abs() < 1e-12);
    }
}

#[test]
fn a_curve_is_runs_that_differ_in_the_seed_alone() {
    let points = [(0, 1.0), (10, 2.0)];
    let mut runs = vec![run("ppo", 1, &points), run("a2c", 1, &points), run("ppo", 2, &points)];
    let mut other = run("ppo", 1, &points);
    other.settings.insert("lr".to_owned(), "0.01".to_owned());
    other.settings.insert("out".to_owned(), "elsewhere".to_owned());
    runs.push(other);
    let labels: Vec<(String, usize)> =
        curves(&runs, 0.0).unwrap().into_iter().map(|curve| (curve.label, curve.seeds.len())).collect();
    let expected = [("ppo · lr 0.001", 2), ("a2c", 1), ("ppo · lr 0.01", 1)];
    assert_eq!(labels, expected.map(|(label, seeds)| (label.to_owned(), seeds)));
}

#[test]
fn one_point_and_equal_steps_are_one_place() {
    for points in [&[(7, 3.0)][..], &[(7, 1.0), (7, 2.0), (7, 3.0)]] {
        for smooth in [0.0, 0.5] {
            let values = &curves(&[run("ppo", 1, points)], smooth).unwrap()[0].values;
            assert_eq!((values.len(), values[0].0, values[0].1.point), (1, 7.0, 3.0));
        }
    }
}
