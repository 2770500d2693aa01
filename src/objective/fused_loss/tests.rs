use std::sync::Arc;

use candle_core::{Device, Tensor, Var};

use super::fused_loss;
use crate::distributions::{Categorical, Distribution};
use crate::objective::{
    ClippedSurrogate, DiscoveredDrift, Eligibility, Entropy, KlPenalty, Objective, Output, PolicyGradient, Report,
    RowSums, TensorBatch, ValueLoss,
};
use crate::rollout::{Estimate, Minibatch, Rollout};

/// Loss and derivatives by logits and values, by the tensors and by the host.
fn twins(
    objective: &dyn Objective,
    (logits, actions): (&[f32], usize),
    value: f32,
    action: u32,
    [old_log_prob, advantage, old_value, target]: [f32; 4],
) -> [Vec<f32>; 2] {
    let rows = logits.len() / actions;
    let rollout = Rollout {
        action: vec![action; rows].into(),
        log_prob: vec![old_log_prob; rows],
        value: vec![old_value; rows],
        ..Rollout::new(1, 0)
    };
    let estimate = Estimate { advantage: vec![advantage; rows], target: vec![target; rows], ..Estimate::default() };
    let places: Vec<usize> = (0..rows).collect();
    let advantage = vec![advantage; rows];
    let batch = Minibatch {
        rollout: &rollout,
        estimate: &estimate,
        places: &places,
        advantage: &advantage,
        stop: crate::Stop::default(),
    };
    let logits = Var::from_slice(logits, (rows, actions), &Device::Cpu).expect("logits");
    let value = Var::from_vec(vec![value; rows], rows, &Device::Cpu).expect("values");
    let output = Output {
        policy: Categorical { actions }.tensor(logits.as_tensor()).expect("a policy"),
        value: value.as_tensor().clone(),
    };
    let tensors = TensorBatch::new(&rollout, &estimate, &places, &advantage, &Device::Cpu).expect("tensors");
    let plain = objective.loss(&tensors, &output, &mut Report::default()).expect("a loss");
    let fused = fused_loss(
        objective,
        &(Arc::new(Categorical { actions }) as Arc<dyn Distribution>),
        &output,
        batch,
        &mut RowSums::default(),
    )
    .expect("a loss")
    .expect("on the CPU");
    [plain, fused].map(|loss| {
        let all = loss.backward().expect("gradients");
        let mut numbers = vec![loss.to_scalar::<f32>().expect("a number")];
        for of in [&logits, &value] {
            let gradient = all.get(of.as_tensor()).cloned().unwrap_or(of.zeros_like().expect("zeros"));
            numbers.extend(gradient.flatten_all().and_then(|g| g.to_vec1::<f32>()).expect("numbers"));
        }
        numbers
    })
}

fn same(what: &str, [plain, fused]: &[Vec<f32>; 2]) {
    for (a, b) in plain.iter().zip(fused) {
        let close = (a - b).abs() <= 2e-6 * b.abs().max(1.0);
        assert!(close && a.is_finite(), "{what}: {plain:?} on tensors, {fused:?} on the host");
    }
}

#[test]
fn at_the_borders_of_the_policy_tensors_are_finite_and_what_the_host_says() {
    let inf = f32::INFINITY;
    let policies: [(&[f32], usize); 14] = [
        (&[0.0, 0.0, -inf], 3),
        (&[-inf, -inf, 0.5], 3),
        (&[-inf, 1.0, -inf, 1.0], 4),
        (&[3e38, -3e38, 0.0], 3),
        (&[f32::MAX, f32::MIN], 2),
        (&[f32::MIN, f32::MIN, f32::MIN], 3),
        (&[f32::MAX, f32::MAX, -inf], 3),
        (&[1e30, 1e30, -1e30], 3),
        (&[88.0, -88.0, 0.0], 3),
        (&[0.0, -103.0, -104.5, -200.0], 4),
        (&[7.0], 1),
        (&[-1e38], 1),
        (&[2.5, 2.5, 2.5, 2.5, 2.5], 5),
        (&[0.0, f32::from_bits(1), -0.0], 3),
    ];
    let terms: [(&str, Box<dyn Objective>); 7] = [
        ("entropy", Box::new(Entropy)),
        ("log-probability", Box::new(PolicyGradient)),
        ("surrogate", Box::new(ClippedSurrogate::new(0.2))),
        ("drift", Box::new(DiscoveredDrift { alpha: 2.0, beta: 0.6 })),
        ("eligibility", Box::new(Eligibility::new(0.3))),
        ("penalty", Box::new(KlPenalty::new(0.01, 0.7))),
        ("all", Box::new(ClippedSurrogate::new(0.2).plus(0.5, ValueLoss::default()).plus(-0.01, Entropy))),
    ];
    for (row, actions) in policies {
        let two = [row, row].concat();
        for (name, term) in &terms {
            let possible = (0..actions).filter(|&a| row.iter().all(|l| row[a] >= l - 50.0));
            for action in possible {
                let found = twins(&**term, (&two, actions), 0.3, action as u32, [-0.7, 1.3, 0.1, 0.8]);
                same(&format!("{name} of {row:?}, action {action}"), &found);
            }
        }
    }
    let [plain, _] = twins(&Entropy, (&[0.0, 0.0, -inf], 3), 0.0, 0, [0.0; 4]);
    assert!((plain[0] - std::f32::consts::LN_2).abs() < 1e-6, "{plain:?}");
}

#[test]
fn at_the_borders_of_ratio_and_value_tensors_are_finite_and_what_the_host_says() {
    let surrogate = ClippedSurrogate::new(0.2);
    let dual = surrogate.clone().dual_clip(3.0);
    let drift = DiscoveredDrift { alpha: 2.0, beta: 0.6 };
    // Ratios past what an f32 holds, and below; at and beside the clips.
    for old in [-300.0, -100.0, -88.8, -2.0, -1.5, -0.8, -0.7, 0.0, 100.0, 1e30, -1e30] {
        for advantage in [1.0, 0.0, -0.0, 1e-30, -1e-3, -1.0] {
            let surrogates: [(&str, &dyn Objective, bool); 3] =
                [("clipped once", &surrogate, false), ("clipped twice", &dual, true), ("drifting", &drift, false)];
            for (name, surrogate, is_bound) in surrogates {
                if old < -50.0 && advantage < 0.0 && !is_bound {
                    continue; // An infinite loss: not finite here nor there.
                }
                let found = twins(surrogate, (&[0.0, 0.0], 2), 0.0, 1, [old, advantage, 0.0, 0.0]);
                same(&format!("{name}, old log-probability {old}, advantage {advantage}"), &found);
            }
        }
    }
    for clip_range_vf in [0.2, 1e-30, f64::INFINITY] {
        let loss = ValueLoss { clip_range_vf };
        for [value, old, target] in [
            [0.0, 0.0, 0.0],
            [1.2, 1.0, 0.9],
            [1.2, 1.0, 3.0],
            [1.0, 1.2, 1.1],
            [1e-30, 2e-30, -1e-30],
            [1e-30, 1.0, 0.0],
            [1e18, -1e18, 1e17],
            [0.5, 0.3, 0.4],
        ] {
            let found = twins(&loss, (&[0.0, 0.0], 2), value, 0, [-0.7, 1.0, old, target]);
            same(&format!("clip {clip_range_vf}, value {value}, old {old}, target {target}"), &found);
        }
    }
}

#[test]
fn autograd_goes_through_it_as_through_plain_operations() {
    let numbers = |n: usize| (0..n).map(|i| (i * 37 % 23) as f32 / 11.5 - 1.0).collect::<Vec<f32>>();
    let rollout = Rollout {
        action: vec![0, 1, 2, 1, 0].into(),
        log_prob: vec![-1.0, -1.2, -0.9, -1.5, -0.4],
        value: numbers(5),
        ..Rollout::new(1, 0)
    };
    let estimate = Estimate { advantage: numbers(5), target: numbers(10)[5..].to_vec(), ..Estimate::default() };
    let places = [4, 0, 1, 3, 2];
    let advantage = [0.3, -0.8, 1.1, 0.5, -0.2];
    let batch = Minibatch {
        rollout: &rollout,
        estimate: &estimate,
        places: &places,
        advantage: &advantage,
        stop: crate::Stop::default(),
    };
    let objective = ClippedSurrogate::new(0.2).plus(0.5, ValueLoss { clip_range_vf: 0.1 }).plus(-0.01, Entropy);
    let logits = Var::from_vec(numbers(15), (5, 3), &Device::Cpu).expect("logits");
    let value = Var::from_vec(numbers(5), 5, &Device::Cpu).expect("values");
    // What goes in is part of a graph, and so is what comes out: thrice the loss has thrice the gradient.
    let output = || Output {
        policy: Categorical { actions: 3 }.tensor(&(logits.as_tensor() * 0.5).expect("half")).expect("a policy"),
        value: value.as_tensor().clone(),
    };
    let gradients = |loss: &Tensor| {
        let all = (loss * 3.0).and_then(|loss| loss.backward()).expect("gradients");
        [&logits, &value].map(|of| {
            let gradient = all.get(of.as_tensor()).expect("a gradient");
            gradient.flatten_all().and_then(|g| g.to_vec1::<f32>()).expect("numbers")
        })
    };
    let fused = fused_loss(
        &objective,
        &(Arc::new(Categorical { actions: 3 }) as Arc<dyn Distribution>),
        &output(),
        batch,
        &mut RowSums::default(),
    )
    .expect("a loss")
    .expect("on the CPU");
    let tensors = TensorBatch::new(&rollout, &estimate, &places, &advantage, &Device::Cpu).expect("tensors");
    let plain = objective.loss(&tensors, &output(), &mut Report::default()).expect("a loss");
    let [a, b] = [&fused, &plain].map(|loss| loss.to_scalar::<f32>().expect("a number"));
    assert!((a - b).abs() < 1e-6, "{a} {b}");
    for (ours, theirs) in gradients(&fused).iter().zip(&gradients(&plain)) {
        assert!(theirs.iter().any(|g| g.abs() > 0.05), "not trivially zero");
        assert!(ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-6), "{ours:?} {theirs:?}");
    }
}
