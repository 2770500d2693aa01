use super::{CategoricalRows, DistributionRows};
use crate::Seed;
use rand::RngExt;

#[test]
fn rows_are_the_definition_in_f64() {
    let mut rng = Seed(3).stream("logits", 0);
    for actions in 1..7 {
        // Some rows all but certain, some flat, one action of some impossible.
        let mut logits: Vec<f32> = (0..50 * actions).map(|_| 60.0 * rng.random::<f32>().powi(3) - 5.0).collect();
        logits.iter_mut().step_by(17 * actions.max(2)).skip(1).for_each(|l| *l = f32::NEG_INFINITY);
        if actions == 1 {
            logits.iter_mut().for_each(|l| *l = l.max(0.0));
        }
        let mut policy = CategoricalRows::new(actions);
        policy.set(&logits, actions);
        for (i, row) in logits.chunks_exact(actions).enumerate() {
            let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let largest = row.iter().position(|&l| l == max).expect("there is a largest");
            // The difference is taken in f32: its rounding is an argument's, and not the functions'.
            let apart = |l: f32| f64::from(l - max);
            let others = row.iter().enumerate().filter(|(a, _)| *a != largest);
            let log_total = others.map(|(_, &l)| apart(l).exp()).sum::<f64>().ln_1p();
            for (a, &l) in row.iter().enumerate() {
                let exact = apart(l) - log_total;
                let (log_prob, prob) = (f64::from(policy.log_probs(i)[a]), f64::from(policy.probs(i)[a]));
                assert!(log_prob == exact || (log_prob - exact).abs() <= 4e-7 * exact.abs(), "{log_prob} {exact}");
                assert!((prob - exact.exp()).abs() <= 4e-7 * exact.exp() + 2e-45, "{prob} {}", exact.exp());
            }
        }
    }
}

#[test]
fn samples_come_as_often_as_their_probability() {
    let logits = [0.0f32, 1.0, f32::NEG_INFINITY, -1.0];
    let total: f32 = logits.iter().map(|l| l.exp()).sum();
    let mut policy = CategoricalRows::new(4);
    policy.set(&logits, 4);
    let mut rng = Seed(1).stream("policy", 0);
    let n = 200_000;
    let mut counts = [0u32; 4];
    for _ in 0..n {
        let (action, log_prob) = policy.at(0, rng.random()).expect("a distribution");
        counts[action as usize] += 1;
        assert!((log_prob - (logits[action as usize] - total.ln())).abs() < 1e-6);
    }
    assert_eq!(counts[2], 0, "an action of probability 0");
    for (count, logit) in counts.iter().zip(logits) {
        let p = f64::from(logit.exp() / total);
        let error = f64::from(*count) / f64::from(n) - p;
        assert!(error.abs() <= 4.0 * (p * (1.0 - p) / f64::from(n)).sqrt(), "{counts:?}");
    }
}

#[test]
fn bad_logits_are_no_distribution() {
    let mut policy = CategoricalRows::new(2);
    for bad in [[f32::NAN, 0.0], [0.0, f32::NAN], [f32::INFINITY, 0.0], [f32::NEG_INFINITY, f32::NEG_INFINITY]] {
        policy.set(&[[0.0, 0.0], bad].concat(), 2);
        assert_eq!((policy.at(0, 0.3).map(|s| s.0), policy.at(1, 0.3)), (Some(0), None), "{bad:?}");
    }
}
