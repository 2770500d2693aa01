//! Categorical distributions on the host, as many as there are rows.

use rand::RngExt;
use uphill_envs::Actions;

use super::{ActionMut, DistributionRows, indices, kl_by_place};
use crate::kernels::{exp_in_place, log1p_in_place};
use crate::seed::Rng;

/// `B` categorical distributions over `A` actions on the host, in buffers that are kept: the twin of
/// [`CategoricalTensor`](super::CategoricalTensor) without tensors, for acting and for gradients without a graph.
///
/// ```
/// use uphill::distributions::{CategoricalRows, DistributionRows};
///
/// let mut policy = CategoricalRows::new(2);
/// policy.set(&[0.0, 0.0, 3.0, f32::NEG_INFINITY], 2);
/// assert_eq!(policy.at(0, 0.75), Some((1, -std::f32::consts::LN_2)));
/// assert_eq!(policy.at(1, 0.75), Some((0, 0.0)));
/// ```
#[derive(Debug)]
pub struct CategoricalRows {
    actions: usize,
    /// `[B, A]`.
    log_probs: Vec<f32>,
    /// `[B, A]`.
    probs: Vec<f32>,
    /// `[B]`: `Σ exp(logit − largest)` without the largest's own 1, then `ln` of the whole.
    rest: Vec<f32>,
    /// `[B]`: the first action with the largest logit; past the end where there is none.
    likeliest: Vec<u32>,
}

impl CategoricalRows {
    /// No row yet, over so many actions.
    #[must_use]
    pub fn new(actions: usize) -> Self {
        Self { actions, log_probs: Vec::new(), probs: Vec::new(), rest: Vec::new(), likeliest: Vec::new() }
    }

    /// `log π(a|s)` of every action of a row, `[A]`.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    #[track_caller]
    pub fn log_probs(&self, row: usize) -> &[f32] {
        &self.log_probs[self.places(row)]
    }

    /// `π(a|s)` of every action of a row, `[A]`.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    #[track_caller]
    pub fn probs(&self, row: usize) -> &[f32] {
        &self.probs[self.places(row)]
    }

    #[track_caller]
    fn places(&self, row: usize) -> std::ops::Range<usize> {
        let rows = self.rest.len();
        assert!(row < rows, "row {row} of {rows}");
        row * self.actions..(row + 1) * self.actions
    }

    /// The action of a row at which the distribution function passes `uniform`, a number in `[0, 1)`, and its
    /// log-probability. `None` if the row holds no distribution.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    #[track_caller]
    pub fn at(&self, row: usize, uniform: f32) -> Option<(u32, f32)> {
        let mut left = uniform;
        let mut chosen = None;
        // Rounding can leave a little mass past the end: it belongs to the last action that has any.
        for (a, &mass) in self.probs(row).iter().enumerate() {
            if mass > 0.0 {
                chosen = Some(a);
                left -= mass;
                if left < 0.0 {
                    break;
                }
            }
        }
        chosen.map(|a| (a as u32, self.log_probs(row)[a]))
    }
}

impl DistributionRows for CategoricalRows {
    // log πⱼ = lⱼ − max l − log1p( Σ exp(lⱼ − max l) − 1 ). The largest logit's own 1 stays out of the sum, so that nothing is lost
    // where one action is all but certain. A row with a NaN, with an infinity upwards or without any finite logit becomes NaN.
    fn set(&mut self, outputs: &[f32], stride: usize) {
        let actions = self.actions;
        assert!(
            (1..=stride).contains(&actions),
            "{actions} is no number of actions in rows of length {stride}: take 1 to {stride}"
        );
        let len = outputs.len();
        assert!(len.is_multiple_of(stride), "a length of {len} is no whole number of rows of {stride}");
        let Self { log_probs, probs, rest, likeliest, .. } = self;
        log_probs.clear();
        for row in outputs.chunks_exact(stride) {
            let max = row[..actions].iter().copied().fold(f32::NEG_INFINITY, f32::max);
            log_probs.extend(row[..actions].iter().map(|l| l - max));
        }
        probs.clear();
        probs.extend_from_slice(log_probs);
        exp_in_place(probs);
        rest.clear();
        likeliest.clear();
        for (row, shifted) in probs.chunks_exact(actions).zip(log_probs.chunks_exact(actions)) {
            let largest = shifted.iter().position(|&l| l == 0.0);
            likeliest.push(largest.map_or(u32::MAX, |a| a as u32));
            rest.push(row.iter().enumerate().filter(|(a, _)| Some(*a) != largest).map(|(_, p)| p).sum());
        }
        for (row, &rest) in probs.chunks_exact_mut(actions).zip(&*rest) {
            let total = 1.0 + rest;
            row.iter_mut().for_each(|p| *p /= total);
        }
        log1p_in_place(rest);
        for (row, &log_total) in log_probs.chunks_exact_mut(actions).zip(&*rest) {
            row.iter_mut().for_each(|l| *l -= log_total);
        }
    }

    fn sample(&self, row: usize, rng: &mut Rng, action: ActionMut<'_>) -> Option<f32> {
        let (chosen, log_prob) = self.at(row, rng.random())?;
        put(chosen, action);
        Some(log_prob)
    }

    fn mode(&self, row: usize, action: ActionMut<'_>) -> Option<()> {
        let log_probs = self.log_probs(row);
        let likeliest = self.likeliest[row];
        log_probs.get(likeliest as usize).filter(|l| l.is_finite()).map(|_| put(likeliest, action))
    }

    fn judge(&self, actions: Actions<'_>, log_prob: &mut Vec<f32>, entropy: &mut Vec<f32>) {
        log_prob.clear();
        entropy.clear();
        let rows = self.probs.chunks_exact(self.actions).zip(self.log_probs.chunks_exact(self.actions));
        for ((probs, log_probs), &a) in rows.zip(indices(actions)) {
            // An index out of range cannot come from a rollout; NaN would stop the update like any other bad number.
            log_prob.push(log_probs.get(a as usize).copied().unwrap_or(f32::NAN));
            // An action that is out of the question adds nothing: 0·log 0 = 0.
            entropy.push(probs.iter().zip(log_probs).fold(0.0, |h, (&p, l)| if p > 0.0 { h - p * l } else { h }));
        }
    }

    // ∂ log π(a) / ∂lⱼ = [j = a] − πⱼ          ∂H / ∂lⱼ = −πⱼ·(log πⱼ + H)
    fn backward(
        &self,
        actions: Actions<'_>,
        entropy: &[f32],
        [by_log_prob, by_entropy]: [&[f32]; 2],
        out: &mut [f32],
        stride: usize,
    ) {
        let action = indices(actions);
        let rows = self.probs.chunks_exact(self.actions).zip(self.log_probs.chunks_exact(self.actions));
        for (i, ((probs, log_probs), out)) in rows.zip(out.chunks_exact_mut(stride)).enumerate() {
            let (d, dh, h) = (by_log_prob[i], by_entropy[i], entropy[i]);
            for (j, ((out, &p), &log_p)) in out.iter_mut().zip(probs).zip(log_probs).enumerate() {
                let chosen = if j == action[i] as usize { 1.0 } else { 0.0 };
                let of_entropy = if p > 0.0 { p * (log_p + h) } else { 0.0 };
                *out = d * (chosen - p) - dh * of_entropy;
            }
        }
    }

    // M = diag(π) − π·πᵀ
    fn fisher(&self, tangents: &mut [f32]) {
        for (t, probs) in tangents.chunks_exact_mut(self.actions).zip(self.probs.chunks_exact(self.actions)) {
            let mean: f32 = t.iter().zip(probs).map(|(t, p)| t * p).sum();
            t.iter_mut().zip(probs).for_each(|(t, p)| *t = p * (*t - mean));
        }
    }

    // Σ π·(log π − log π′)
    fn kl(&self, other: &dyn DistributionRows, kl: &mut Vec<f32>) {
        kl_by_place(other, (self.rest.len(), self.actions), kl, |other: &Self, i| {
            let [p, l, of_other] = [self.probs[i], self.log_probs[i], other.log_probs[i]].map(f64::from);
            // What this one never does adds nothing; a row that is none has NaN.
            if p == 0.0 { 0.0 } else { p * (l - of_other) }
        });
    }
}

/// Writes the index of an action, in its one place.
#[expect(clippy::needless_pass_by_value, reason = "it is a place to write to, and written to once")]
fn put(index: u32, action: ActionMut<'_>) {
    if let ActionMut::Discrete([place, ..]) = action {
        *place = index;
    }
}

#[cfg(test)]
mod tests;
