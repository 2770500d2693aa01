//! Normal distributions whose noise is a function of the state: against PyTorch, against the definition and its differences, what
//! is held and for how long, and in a policy.

use rand::RngExt;
use serde::Deserialize;
use uphill::distributions::{ActionMut, Distribution, DistributionRows, Gsde, OwnBlock};
use uphill::envs::{Actions, Space};
use uphill::{Error, Seed};

mod twins;

use twins::{CPU, Recorded, kl_on_host, near, on_host, on_tensors, wide};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    numbers: usize,
    features: usize,
    outputs: Vec<f32>,
    action: Vec<f32>,
    #[serde(flatten)]
    recorded: Recorded,
}

fn gsde(k: usize, f: usize) -> Gsde {
    Gsde::new(vec![-1.0; k], vec![1.0; k], f)
}

/// Numbers around 0.
fn anything(n: usize, far: f32, seed: u64) -> Vec<f32> {
    let mut rng = Seed(seed).stream("anything", 0);
    (0..n).map(|_| 2.0 * far * (rng.random::<f32>() - 0.5)).collect()
}

/// `μ` and `σ` of a row by the definition, in f64.
fn normal(k: usize, f: usize, row: &[f64]) -> Vec<(f64, f64)> {
    let (mean, features, log_std) = (&row[..k], &row[k..k + f], &row[k + f..]);
    let variance = |j: usize| (0..f).map(|i| (features[i] * log_std[i * k + j].exp()).powi(2)).sum::<f64>() + 1e-6;
    (0..k).map(|j| (mean[j], variance(j).sqrt())).collect()
}

#[test]
fn both_twins_say_what_pytorch_says() {
    let Reference { cases } = serde_json::from_str(include_str!("reference/gsde.json")).expect("the reference");
    assert!(cases.len() >= 5);
    for case in cases {
        let of = gsde(case.numbers, case.features);
        case.recorded.check(&of, &case.outputs, Actions::Continuous(&case.action));
    }
}

#[test]
fn gradients_are_the_slopes_of_the_definition_and_none_goes_into_features() {
    let half_log_2pi = 0.5 * (2.0 * std::f64::consts::PI).ln();
    for (k, f) in [(1, 1), (1, 6), (3, 4), (5, 2)] {
        let (of, rows, width) = (gsde(k, f), 4, k + f + f * k);
        let (outputs, action) = (anything(rows * width, 1.0, 5), anything(rows * k, 2.0, 6));
        let by = [anything(rows, 1.0, 7), anything(rows, 1.0, 8)];
        let value = |outputs: &[f64]| -> f64 {
            let row = |(i, (row, action)): (usize, (&[f64], &[f32]))| -> f64 {
                let number = |((mean, std), &a): ((f64, f64), &f32)| {
                    let log_prob = -0.5 * ((f64::from(a) - mean) / std).powi(2) - std.ln() - half_log_2pi;
                    f64::from(by[0][i]) * log_prob + f64::from(by[1][i]) * (0.5 + half_log_2pi + std.ln())
                };
                normal(k, f, row).into_iter().zip(action).map(number).sum()
            };
            outputs.chunks(width).zip(action.chunks(k)).enumerate().map(row).sum()
        };
        let at = wide(&outputs);
        let slope = |i: usize| {
            if (k..k + f).contains(&(i % width)) {
                return 0.0;
            }
            let moved = |by: f64| {
                value(&at.iter().enumerate().map(|(j, x)| if i == j { x + by } else { *x }).collect::<Vec<_>>())
            };
            (moved(1e-5) - moved(-1e-5)) / 2e-5
        };
        let slopes: Vec<f64> = (0..at.len()).map(slope).collect();
        assert!(slopes.iter().filter(|s| s.abs() > 0.1).count() > rows, "not trivially zero");
        let weights = [&by[0][..], &by[1]];
        near("on the host", &on_host(&of, &outputs, Actions::Continuous(&action), weights, 0).gradient, &slopes, 5e-6);
        near("on tensors", &on_tensors(&of, &outputs, Actions::Continuous(&action), weights).gradient, &slopes, 5e-6);
    }
}

#[test]
fn host_and_tensors_agree_at_extreme_deviations_too() {
    for (outputs, action) in [
        // No feature at all, and deviations of nothing: the least variance is left.
        (&[0.5f32, 0.0, 0.0, 1.0, 2.0][..], &[0.502f32][..]),
        (&[0.5, 1.0, -1.0, -80.0, -60.0], &[0.499]),
        (&[0.0, 1.0, -1.0, 40.0, -60.0], &[1e17]),
        (&[1e6, 30.0, 1e-8, 1.0, 9.0], &[1e6 + 1.0]),
        (&[0.0, -0.0, 2.0, 0.0, 5.0], &[-0.5]),
    ] {
        let of = gsde(1, 2);
        let by = [&[0.7f32][..], &[-0.4]];
        let (host, tensors) = (
            on_host(&of, outputs, Actions::Continuous(action), by, 1),
            on_tensors(&of, outputs, Actions::Continuous(action), by),
        );
        for (what, host, tensors) in [
            ("log-probability", &host.log_prob, &tensors.log_prob),
            ("entropy", &host.entropy, &tensors.entropy),
            ("gradient", &host.gradient, &tensors.gradient),
        ] {
            assert!(host.iter().all(|x| x.is_finite()), "{outputs:?}: {what} {host:?}");
            near(&format!("{outputs:?}: {what}"), host, &wide(tensors), 3e-6);
        }
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
fn over_fresh_noise_numbers_are_drawn_as_often_as_they_are_probable_and_apart() {
    let (k, f, n) = (2, 5, 40_000);
    let (of, width) = (gsde(k, f), 2 + 5 + 10);
    for (far, renewed) in [(1.0, true), (1.0, false), (0.0, true)] {
        let mut outputs = anything(width, 1.5, 3);
        outputs[k..k + f].iter_mut().for_each(|feature| *feature *= far);
        let known = normal(k, f, &wide(&outputs));
        let mut rows = of.rows();
        rows.set(&[&vec![0.0; width], &outputs[..]].concat(), width);
        let (mut rng, mut counts, mut pairs) = (Seed(4).stream("draws", 0), [[0.0f64; 10]; 2], [[0.0f64; 10]; 10]);
        let mut drawn = Vec::new();
        for _ in 0..n {
            if renewed {
                rows.renew(1, 0, &mut rng);
            }
            let mut action = [f32::NAN; 2];
            let log_prob = rows.sample(1, &mut rng, ActionMut::Continuous(&mut action)).expect("an action");
            let tenths = [0, 1].map(|j| {
                let z = (f64::from(action[j]) - known[j].0) / known[j].1;
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
            assert!(chi_square(counts) < 27.9, "{far} {renewed}: {counts:?}");
        }
        assert!(chi_square(pairs.as_flattened()) < 148.2, "{far} {renewed}: {pairs:?}");
        // What is said of a draw is what is said of it later, to the bit.
        let (actions, none) = (drawn.iter().flat_map(|(a, _)| *a).collect::<Vec<_>>(), vec![0.0; n as usize]);
        let judged = on_host(&of, &outputs.repeat(n as usize), Actions::Continuous(&actions), [&none, &none], 0);
        assert!(drawn.iter().zip(&judged.log_prob).all(|((_, said), judged)| said.to_bits() == judged.to_bits()));
    }
}

/// The noise of a row in a state of such features and means.
fn noise(rows: &mut dyn DistributionRows, row: usize, (mean, features, own): (f32, &[f32], &[f32])) -> Vec<f64> {
    let k = own.len() / features.len();
    let outputs = [&vec![mean; k], features, own].concat();
    rows.set(&outputs.repeat(row + 1), outputs.len());
    let (mut action, mut unused) = (vec![f32::NAN; k], Seed(9).stream("unused", 0));
    rows.sample(row, &mut unused, ActionMut::Continuous(&mut action)).expect("an action");
    assert_eq!(unused, Seed(9).stream("unused", 0), "what is held is not drawn again");
    action.iter().map(|&a| f64::from(a) - f64::from(mean)).collect()
}

#[test]
fn noise_is_one_linear_function_of_the_features_as_long_as_it_is_held() {
    let (k, f) = (2, 4);
    let (one, other, own) = (anything(f, 1.0, 1), anything(f, 1.0, 2), anything(f * k, 1.0, 3));
    let both: Vec<f32> = one.iter().zip(&other).map(|(a, b)| a + b).collect();
    for (sample_freq, renewed_in) in [(None, &[0][..]), (Some(1), &[0, 1, 2, 3, 4, 5, 6]), (Some(3), &[0, 3, 6])] {
        let of = Gsde { sample_freq, ..gsde(k, f) };
        let (mut rows, mut rngs) = (of.rows(), [0, 1].map(|lane| Seed(4).stream("policy", lane)));
        let mut before: Option<Vec<f64>> = None;
        for step in 0..7 {
            (0..2).for_each(|row| rows.renew(row, step, &mut rngs[row]));
            let rows = &mut *rows;
            let now = noise(rows, 0, (0.0, &one, &own));
            let is_renewed = renewed_in.contains(&step);
            assert_eq!(before.as_ref() != Some(&now), is_renewed, "{sample_freq:?} {step}");
            let near = |what: &str, found: &[f64], expected: &[f64]| {
                let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(apart < 1e-5, "{what} in step {step}: {found:?} for {expected:?}");
            };
            near("with another mean", &noise(rows, 0, (3.0, &one, &own)), &now);
            let sum = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a + b).collect::<Vec<_>>();
            let (of_other, of_both) = (noise(rows, 0, (0.0, &other, &own)), noise(rows, 0, (0.0, &both, &own)));
            let of_none = noise(rows, 0, (0.0, &vec![0.0; f], &own));
            near("of a sum", &sum(&of_both, &of_none), &sum(&now, &of_other));
            assert!(of_none.iter().all(|x| x.abs() < 5e-3 && *x != 0.0), "the least of all: {of_none:?}");
            assert_ne!(noise(rows, 1, (0.0, &one, &own)), now, "lanes have noise of their own");
            before = Some(now);
        }
        // A rollout begins with noise of its own.
        rows.renew(0, 0, &mut rngs[0]);
        assert_ne!(Some(noise(&mut *rows, 0, (0.0, &one, &own))), before);
    }
}

#[test]
fn a_number_that_is_none_makes_none_of_its_row_and_of_no_other() {
    let of = gsde(2, 2);
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let good = [0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4];
    let places = (0..4).flat_map(|i| [nan, inf, -inf].map(|x| (i, x)));
    for (place, bad) in places.chain((4..8).flat_map(|i| [nan, inf, 90.0].map(|x| (i, x)))) {
        let mut outputs = good.repeat(3);
        outputs[8 + place] = bad;
        let mut rows = of.rows();
        let (mut rng, mut action) = (Seed(1).stream("draws", 0), [0.0; 2]);
        for held in [false, true] {
            rows.set(&outputs, 8);
            for row in 0..3 {
                if held {
                    rows.renew(row, 0, &mut rng);
                }
                let is_one = row != 1;
                let drawn = rows.sample(row, &mut rng, ActionMut::Continuous(&mut action));
                assert_eq!(drawn.is_some(), is_one, "{place} {bad}");
                assert_eq!(rows.mode(row, ActionMut::Continuous(&mut action)).is_some(), is_one, "{place} {bad}");
            }
        }
        let (mut log_prob, mut entropy) = (Vec::new(), Vec::new());
        rows.judge(Actions::Continuous(&[0.0; 6]), &mut log_prob, &mut entropy);
        assert_eq!(log_prob.iter().map(|l| l.is_nan()).collect::<Vec<_>>(), [false, true, false]);
    }
}

#[test]
fn it_is_over_one_box_alone_and_made_for_the_features_of_a_network() {
    let space = Space::Box { low: vec![-2.0, 0.5], high: vec![2.0, 7.0] };
    let unknown = Gsde { log_std_init: -1.5, ..Gsde::new(vec![-2.0, 0.5], vec![2.0, 7.0], 0) };
    assert_eq!((unknown.features(), unknown.own()), (0, None));
    let of = unknown.with_features(3).expect("it reads features");
    assert_eq!((of.outputs(), of.network_outputs(), of.features(), of.action_len()), (11, 2, 3, 2));
    assert_eq!(of.own(), Some(OwnBlock { name: "log_std", len: 6, initial: -1.5 }));
    assert!(of.is_over(&space) && !of.is_over(&Space::uniform_box(2, -2.0, 2.0)));
    let mut actions = [-3.0, 0.0, 0.25, 9.0];
    of.map_action(&mut actions);
    assert_eq!(actions, [-2.0, 0.5, 0.25, 7.0]);
    for columns in [2, 10, 12] {
        let odd = candle_core::Tensor::zeros((2, columns), candle_core::DType::F32, &CPU).expect("zeros");
        assert!(matches!(of.tensor(&odd), Err(Error::Shape { .. })), "{columns} columns");
    }
    let (mut rows, mut kl) = (of.rows(), Vec::new());
    rows.set(&[0.0; 11], 11);
    rows.kl(&*uphill::distributions::DiagGaussian::new(vec![-1.0], vec![1.0]).rows(), &mut kl);
    assert!(kl.len() == 1 && kl[0].is_nan(), "of another kind");
    assert_eq!(kl_on_host(&*of, &[0.3; 11], &[0.3; 11]), [0.0]);
}
