use super::{Sampler, Space, Told};

fn spaces(count: usize) -> Vec<(String, Space)> {
    let real = Space::Real { low: 0.0, high: 1.0, log: false };
    (0..count).map(|k| (format!("x{k}"), real.clone())).collect()
}

/// How far the share of points in a box at 0 is from its size, at most: the star discrepancy in two dimensions, over a
/// fine grid of boxes.
fn discrepancy(points: &[Vec<f64>]) -> f64 {
    let mut most: f64 = 0.0;
    for (x, y) in (1..=64).flat_map(|x| (1..=64).map(move |y| (f64::from(x) / 64.0, f64::from(y) / 64.0))) {
        let inside = points.iter().filter(|point| point[0] < x && point[1] < y).count();
        most = most.max((inside as f64 / points.len() as f64 - x * y).abs());
    }
    most
}

#[test]
fn sobol_points_lie_more_evenly_than_random_ones() {
    let spaces = spaces(2);
    let of = |sampler: Sampler, seed| {
        let points = (0..64).map(|i| sampler.place(seed, i, &spaces, &[]).expect("a point"));
        discrepancy(&points.collect::<Vec<_>>())
    };
    for seed in 0..20 {
        let (even, random) = (of(Sampler::Sobol, seed), of(Sampler::Random, seed));
        assert!(even < 0.08 && even < random, "seed {seed}: {even} {random}");
    }
}

#[test]
fn places_are_in_range_differ_and_depend_on_seed_and_number_alone() {
    let spaces = spaces(7);
    for sampler in [Sampler::Random, Sampler::Sobol] {
        let of = |seed, i| sampler.place(seed, i, &spaces, &[]).expect("a point");
        let points: Vec<Vec<f64>> = (0..100).map(|i| of(1, i)).collect();
        assert!(points.iter().flatten().all(|u| (0.0..1.0).contains(u)));
        assert!((1..100).all(|i| !points[..i].contains(&points[i])));
        assert_eq!(points[40], of(1, 40));
        assert_ne!(points[40], of(2, 40));
    }
}

#[test]
fn parzen_estimators_draw_near_what_was_good_and_know_a_diverged_trial_as_bad() {
    let mut spaces = spaces(1);
    let choices = ["a", "b", "c"].map(toml::Value::from).to_vec();
    spaces.push(("choice".into(), Space::Choices(choices)));
    // Good near 0.8 with the second choice; without a score above 0.9.
    let told: Vec<(Vec<f64>, Option<f64>)> = (0..60)
        .map(|i| {
            let place = Sampler::Sobol.place(3, i, &spaces, &[]).expect("a point");
            let near = -(place[0] - 0.8).abs() + if (1.0 / 3.0..2.0 / 3.0).contains(&place[1]) { 1.0 } else { 0.0 };
            let score = (place[0] <= 0.9).then_some(near);
            (place, score)
        })
        .collect();
    let told: Vec<Told<'_>> = told.iter().map(|(place, score)| (place.as_slice(), *score)).collect();
    let drawn: Vec<Vec<f64>> = (60..90).map(|i| Sampler::Tpe.place(3, i, &spaces, &told).expect("a point")).collect();
    let near = drawn.iter().filter(|place| (0.6..0.95).contains(&place[0])).count();
    let second = drawn.iter().filter(|place| place[1] == 0.5).count();
    assert!(near > 20 && second > 20, "{near} {second} {drawn:?}");
    assert_eq!(drawn[5], Sampler::Tpe.place(3, 65, &spaces, &told).expect("a point"));
}

#[test]
fn rounds_add_up_to_the_trials() {
    for (sampler, rounds) in [(Sampler::Random, vec![14]), (Sampler::Sobol, vec![14]), (Sampler::Tpe, vec![8, 4, 2])] {
        let mut before = 0;
        for round in rounds {
            assert_eq!(sampler.round(before, 14), round);
            before += round;
        }
        assert_eq!(before, 14);
    }
}
