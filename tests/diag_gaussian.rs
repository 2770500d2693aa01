//! Normal distributions over the numbers of an action: against PyTorch, against the definition and its differences, and the
//! host against the tensors.

use candle_core::Tensor;
use rand::RngExt;
use serde::Deserialize;
use uphill::distributions::{ActionKind, ActionMut, DiagGaussian, Distribution, OwnBlock, over};
use uphill::envs::{Actions, Space};
use uphill::{Error, Seed};

mod twins;

use twins::{CPU, Recorded, near, on_host, on_tensors, wide};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    numbers: usize,
    outputs: Vec<f32>,
    action: Vec<f32>,
    #[serde(flatten)]
    recorded: Recorded,
}

fn gaussian(k: usize) -> DiagGaussian {
    DiagGaussian::new(vec![-1.0; k], vec![1.0; k])
}

/// Outputs of so many rows, actions near them, and weights of log-probability and entropy.
fn anything(k: usize, rows: usize, seed: u64) -> (Vec<f32>, Vec<f32>, [Vec<f32>; 2]) {
    let mut rng = Seed(seed).stream("anything", 0);
    let mut numbers = |n: usize, far: f32| (0..n).map(|_| far * (rng.random::<f32>() - 0.5)).collect::<Vec<_>>();
    let (outputs, by) = (numbers(rows * 2 * k, 3.0), [numbers(rows, 2.0), numbers(rows, 2.0)]);
    let offsets = numbers(rows * k, 4.0);
    let action = outputs
        .chunks(2 * k)
        .zip(offsets.chunks(k))
        .flat_map(|(row, offsets)| (0..k).map(|i| row[i] + offsets[i] * row[k + i].exp()).collect::<Vec<_>>());
    (outputs.clone(), action.collect(), by)
}

#[test]
fn both_twins_say_what_pytorch_says() {
    let Reference { cases } =
        serde_json::from_str(include_str!("reference/diag_gaussian.json")).expect("the reference");
    assert!(cases.len() >= 5);
    for case in cases {
        case.recorded.check(&gaussian(case.numbers), &case.outputs, Actions::Continuous(&case.action));
    }
}

#[test]
fn gradients_are_the_slopes_of_the_definition() {
    let half_log_2pi = 0.5 * (2.0 * std::f64::consts::PI).ln();
    for k in [1, 3, 5] {
        let of = gaussian(k);
        let (outputs, action, by) = anything(k, 4, 5);
        // The definition in f64: a sum over numbers of the logarithm of the density, and of entropies.
        let value = |outputs: &[f64]| -> f64 {
            let row = |(i, (row, action)): (usize, (&[f64], &[f32]))| -> f64 {
                let number = |(j, &a): (usize, &f32)| {
                    let (mean, std) = (row[j], row[k + j].exp());
                    let log_prob = -0.5 * ((f64::from(a) - mean) / std).powi(2) - std.ln() - half_log_2pi;
                    f64::from(by[0][i]) * log_prob + f64::from(by[1][i]) * (0.5 + half_log_2pi + std.ln())
                };
                action.iter().enumerate().map(number).sum()
            };
            outputs.chunks(2 * k).zip(action.chunks(k)).enumerate().map(row).sum()
        };
        let at = wide(&outputs);
        let slope = |i: usize| {
            let moved = |by: f64| {
                value(&at.iter().enumerate().map(|(j, x)| if i == j { x + by } else { *x }).collect::<Vec<_>>())
            };
            (moved(1e-5) - moved(-1e-5)) / 2e-5
        };
        let slopes: Vec<f64> = (0..at.len()).map(slope).collect();
        assert!(slopes.iter().any(|s| s.abs() > 0.1), "not trivially zero");
        let weights = [&by[0][..], &by[1]];
        near("on the host", &on_host(&of, &outputs, Actions::Continuous(&action), weights, 0).gradient, &slopes, 3e-6);
        near("on tensors", &on_tensors(&of, &outputs, Actions::Continuous(&action), weights).gradient, &slopes, 3e-6);
    }
}

#[test]
fn host_and_tensors_agree_at_extreme_means_and_deviations_too() {
    let rows: [(&[f32], &[f32]); 8] = [
        (&[0.0, 0.0], &[0.0]),
        (&[1e6, 0.0], &[1e6 + 1.0]),
        (&[-3e38, 80.0], &[-2.9e38]),
        (&[0.5, -80.0], &[0.5]),
        (&[0.5, 80.0], &[1e30]),
        (&[1e-30, -2e-30, -60.0, 60.0], &[1e-28, 3e25]),
        (&[f32::MAX, f32::MIN, 0.0, 0.0], &[f32::MAX, f32::MIN]),
        (&[0.0, f32::from_bits(1), -0.0, 0.0, 5.0, -5.0], &[-0.0, 3.0, 0.01]),
    ];
    for (outputs, action) in rows {
        let of = gaussian(action.len());
        let (two, twice) = (outputs.repeat(2), action.repeat(2));
        let by = [&[0.7, -1.3][..], &[-0.4, 0.9]];
        let (host, tensors) = (
            on_host(&of, &two, Actions::Continuous(&twice), by, 1),
            on_tensors(&of, &two, Actions::Continuous(&twice), by),
        );
        for (what, host, tensors) in [
            ("log-probability", &host.log_prob, &tensors.log_prob),
            ("entropy", &host.entropy, &tensors.entropy),
            ("gradient", &host.gradient, &tensors.gradient),
        ] {
            assert!(host.iter().all(|x| x.is_finite()), "{outputs:?}: {what} {host:?}");
            near(&format!("{outputs:?}: {what}"), host, &wide(tensors), 1e-6);
        }
    }
    // As many rows as there may be in a block.
    for (seed, k) in [1, 2, 3, 6, 17].into_iter().enumerate() {
        let of = gaussian(k);
        let (outputs, action, by) = anything(k, 256, seed as u64);
        let by = [&by[0][..], &by[1]];
        let (host, tensors) = (
            on_host(&of, &outputs, Actions::Continuous(&action), by, 1),
            on_tensors(&of, &outputs, Actions::Continuous(&action), by),
        );
        near("log-probability", &host.log_prob, &wide(&tensors.log_prob), 1e-6);
        near("entropy", &host.entropy, &wide(&tensors.entropy), 1e-6);
        near("gradient", &host.gradient, &wide(&tensors.gradient), 2e-6);
    }
}

/// Where tenths of the standard normal distribution end.
const TENTHS: [f64; 9] = [
    -1.281_551_565_545,
    -0.841_621_233_573,
    -0.524_400_512_708,
    -0.253_347_103_136,
    0.0,
    0.253_347_103_136,
    0.524_400_512_708,
    0.841_621_233_573,
    1.281_551_565_545,
];

#[test]
fn numbers_are_drawn_as_often_as_they_are_probable_and_apart() {
    let (means, log_stds, n) = ([0.5f32, -20.0, 0.0], [0.3f32, 1.5, -2.0], 60_000);
    let of = gaussian(3);
    let outputs = [means, log_stds].concat();
    let mut rows = of.rows();
    rows.set(&[&[0.0; 6], &outputs[..]].concat(), 6);
    let (mut rng, mut counts, mut pairs) = (Seed(4).stream("draws", 0), [[0.0f64; 10]; 3], [[0.0f64; 10]; 10]);
    let mut drawn = Vec::new();
    for _ in 0..n {
        let mut action = [f32::NAN; 3];
        let log_prob = rows.sample(1, &mut rng, ActionMut::Continuous(&mut action)).expect("an action");
        let tenths = [0, 1, 2].map(|i| {
            let z = f64::from(action[i] - means[i]) / f64::from(log_stds[i]).exp();
            TENTHS.iter().filter(|&&end| end < z).count()
        });
        tenths.iter().zip(&mut counts).for_each(|(&tenth, counts)| counts[tenth] += 1.0);
        pairs[tenths[0]][tenths[1]] += 1.0;
        drawn.push((action, log_prob));
    }
    let chi_square = |counts: &[f64]| -> f64 {
        let expected = f64::from(n) / counts.len() as f64;
        counts.iter().map(|found| (found - expected).powi(2) / expected).sum()
    };
    // Beyond 27.9 of 9 degrees of freedom, and 148.2 of 99, once in a thousand times.
    for counts in &counts {
        assert!(chi_square(counts) < 27.9, "{counts:?}");
    }
    assert!(chi_square(pairs.as_flattened()) < 148.2, "{pairs:?}");
    // What is said of a draw is what is said of it later, to the bit.
    let (actions, none) = (drawn.iter().flat_map(|(a, _)| *a).collect::<Vec<_>>(), vec![0.0; n as usize]);
    let judged = on_host(&of, &outputs.repeat(n as usize), Actions::Continuous(&actions), [&none, &none], 0).log_prob;
    assert!(drawn.iter().zip(&judged).all(|((_, said), judged)| said.to_bits() == judged.to_bits()));
    // Lane after lane from one generator, and the mode is the mean.
    let again: Vec<f32> = {
        let mut rng = Seed(4).stream("draws", 0);
        let mut action = [0.0; 3];
        rows.sample(1, &mut rng, ActionMut::Continuous(&mut action)).expect("an action");
        action.to_vec()
    };
    assert_eq!(again, drawn[0].0);
    let mut mode = [9.0; 3];
    rows.mode(1, ActionMut::Continuous(&mut mode)).expect("an action");
    assert_eq!(mode, means);
}

#[test]
fn a_number_that_is_none_makes_none_of_its_row_and_of_no_other() {
    let of = gaussian(2);
    let good = [0.1, 0.2, 0.3, 0.4];
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let means = (0..2).flat_map(|i| [nan, inf, -inf].map(|x| (i, x)));
    for (place, bad) in means.chain((2..4).flat_map(|i| [nan, inf, -inf, 90.0, -90.0].map(|x| (i, x)))) {
        let mut outputs = good.repeat(3);
        outputs[4 + place] = bad;
        let mut rows = of.rows();
        rows.set(&outputs, 4);
        let (mut rng, mut action) = (Seed(1).stream("draws", 0), [0.0; 2]);
        for row in 0..3 {
            let is_one = row != 1;
            let drawn = rows.sample(row, &mut rng, ActionMut::Continuous(&mut action));
            assert_eq!(drawn.is_some(), is_one, "{place} {bad}");
            assert_eq!(rows.mode(row, ActionMut::Continuous(&mut action)).is_some(), is_one, "{place} {bad}");
        }
        let (mut log_prob, mut entropy) = (Vec::new(), Vec::new());
        rows.judge(Actions::Continuous(&[0.0; 6]), &mut log_prob, &mut entropy);
        assert_eq!(log_prob.iter().map(|l| l.is_nan()).collect::<Vec<_>>(), [false, true, false]);
    }
}

#[test]
fn it_is_over_one_box_alone_clips_to_it_and_has_deviations_of_its_own() {
    let inf = f32::INFINITY;
    let space = Space::Box { low: vec![-2.0, -inf, 0.5], high: vec![2.0, 1.0, inf] };
    let of = over("Arm-v0", &space).expect("a distribution");
    assert_eq!((of.outputs(), of.network_outputs(), of.action_len()), (6, 3, 3));
    assert_eq!(of.own(), Some(OwnBlock { name: "log_std", len: 3, initial: 0.0 }));
    assert_eq!((of.action_kind(), of.max_entropy()), (ActionKind::Continuous, None));
    assert!(of.is_over(&space));
    assert!(!of.is_over(&Space::uniform_box(3, -1.0, 1.0)) && !of.is_over(&Space::Discrete { n: 3 }));
    let mut actions = [-3.0, -1e30, 0.0, 0.25, 7.0, 1e30];
    of.map_action(&mut actions);
    assert_eq!(actions, [-2.0, -1e30, 0.5, 0.25, 1.0, 1e30]);
    for columns in [0, 5] {
        let odd = Tensor::zeros((2, columns), candle_core::DType::F32, &CPU).expect("zeros");
        assert!(matches!(of.tensor(&odd), Err(Error::Shape { .. })), "{columns} columns");
    }
    let none = over("Arm-v0", &Space::uniform_box(0, 0.0, 1.0)).expect_err("no dimension");
    assert!(none.to_string().contains("at least 1 dimension"), "{none}");
}
