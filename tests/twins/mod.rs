//! The two twins of a distribution, its rows on the host and its tensors, asked the same.

use candle_core::{Device, Tensor, Var};
use serde::Deserialize;
use uphill::distributions::Distribution;
use uphill::envs::Actions;

pub(crate) const CPU: Device = Device::Cpu;

/// What PyTorch says of some rows, and the weights and tangents that it was asked with.
#[derive(Deserialize)]
pub(crate) struct Recorded {
    by_log_prob: Vec<f32>,
    by_entropy: Vec<f32>,
    tangents: Vec<f32>,
    log_prob: Vec<f64>,
    entropy: Vec<f64>,
    gradient: Vec<f64>,
    fisher: Vec<f64>,
    kl: Vec<f64>,
}

impl Recorded {
    /// Holds both twins to it, on the host also where rows are wider than they need be.
    pub(crate) fn check(&self, of: &dyn Distribution, outputs: &[f32], actions: Actions<'_>) {
        let by = [&self.by_log_prob[..], &self.by_entropy];
        for (name, found) in [
            ("host", on_host(of, outputs, actions, by, 0)),
            ("host, wider rows", on_host(of, outputs, actions, by, 2)),
            ("tensors", on_tensors(of, outputs, actions, by)),
        ] {
            let what = |which: &str| format!("{name}, {of:?}: {which}");
            near(&what("log-probability"), &found.log_prob, &self.log_prob, 1e-6);
            near(&what("entropy"), &found.entropy, &self.entropy, 1e-6);
            near(&what("gradient"), &found.gradient, &self.gradient, 2e-6);
        }
        let mut rows = of.rows();
        rows.set(outputs, of.outputs());
        let mut product = self.tangents.clone();
        rows.fisher(&mut product);
        near(&format!("{of:?}: Fisher"), &product, &self.fisher, 2e-6);
        let mut before = outputs.to_vec();
        before.rotate_right(of.outputs());
        near(&format!("{of:?}: divergence"), &kl_on_host(of, outputs, &before), &self.kl, 1e-6);
        near(&format!("{of:?}: divergence of tensors"), &kl_on_tensors(of, outputs, &before), &self.kl, 1e-6);
    }
}

/// Log-probabilities, entropies, and the gradient of `Σ u·log π + w·H` in the outputs.
pub(crate) struct Answer {
    pub(crate) log_prob: Vec<f32>,
    pub(crate) entropy: Vec<f32>,
    pub(crate) gradient: Vec<f32>,
}

/// On the host, with outputs in the first columns of rows of another length.
pub(crate) fn on_host(
    of: &dyn Distribution,
    outputs: &[f32],
    actions: Actions<'_>,
    by: [&[f32]; 2],
    spare: usize,
) -> Answer {
    let (width, stride) = (of.outputs(), of.outputs() + spare);
    let wide: Vec<f32> = outputs.chunks(width).flat_map(|row| [row, &vec![7.5; spare]].concat()).collect();
    let mut rows = of.rows();
    let (mut log_prob, mut entropy, mut out) = (vec![9.0], vec![9.0], vec![0.25; wide.len()]);
    // What was there before is forgotten.
    rows.set(&vec![0.0; 3 * width], width);
    rows.set(&wide, stride);
    rows.judge(actions, &mut log_prob, &mut entropy);
    rows.backward(actions, &entropy, by, &mut out, stride);
    assert!(out.chunks(stride).all(|row| row[width..].iter().all(|&x| x == 0.25)), "only its own columns");
    let gradient = out.chunks(stride).flat_map(|row| &row[..width]).copied().collect();
    Answer { log_prob, entropy, gradient }
}

pub(crate) fn on_tensors(of: &dyn Distribution, outputs: &[f32], actions: Actions<'_>, by: [&[f32]; 2]) -> Answer {
    let rows = outputs.len() / of.outputs();
    let outputs = Var::from_slice(outputs, (rows, of.outputs()), &CPU).expect("outputs");
    let policy = of.tensor(outputs.as_tensor()).expect("a policy");
    let action = match actions {
        Actions::Discrete(chosen) if of.action_len() == 1 => Tensor::from_slice(chosen, rows, &CPU),
        Actions::Discrete(chosen) => Tensor::from_slice(chosen, (rows, of.action_len()), &CPU),
        Actions::Continuous(numbers) => Tensor::from_slice(numbers, (rows, of.action_len()), &CPU),
    };
    let action = action.expect("actions");
    let (log_prob, entropy) = (policy.log_prob(&action).expect("a number"), policy.entropy().expect("a number"));
    let [u, w] = by.map(|by| Tensor::from_slice(by, rows, &CPU).expect("weights"));
    let sum = ((&log_prob * u).expect("one") + (&entropy * w).expect("other")).expect("both").sum_all().expect("a sum");
    let gradients = sum.backward().expect("gradients");
    let gradient = gradients.get(outputs.as_tensor()).expect("of the outputs");
    let numbers = |x: &Tensor| x.flatten_all().and_then(|x| x.to_vec1::<f32>()).expect("numbers");
    Answer { log_prob: numbers(&log_prob), entropy: numbers(&entropy), gradient: numbers(gradient) }
}

/// The divergences of rows from others, on the host.
pub(crate) fn kl_on_host(of: &dyn Distribution, outputs: &[f32], other: &[f32]) -> Vec<f32> {
    let [rows, other] = [outputs, other].map(|outputs| {
        let mut rows = of.rows();
        rows.set(outputs, of.outputs());
        rows
    });
    let mut kl = vec![9.0];
    rows.kl(&*other, &mut kl);
    kl
}

pub(crate) fn kl_on_tensors(of: &dyn Distribution, outputs: &[f32], other: &[f32]) -> Vec<f32> {
    let [policy, other] = [outputs, other].map(|outputs| {
        let outputs = Tensor::from_slice(outputs, (outputs.len() / of.outputs(), of.outputs()), &CPU);
        of.tensor(&outputs.expect("outputs")).expect("a policy")
    });
    policy.kl(&*other).and_then(|kl| Ok(kl.to_vec1()?)).expect("numbers")
}

#[track_caller]
pub(crate) fn near(what: &str, found: &[f32], expected: &[f64], bound: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (&found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(found) - expected).abs();
        assert!(error <= bound * expected.abs().max(1.0), "{what}, number {i}: {found} for {expected}");
    }
}

pub(crate) fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}
