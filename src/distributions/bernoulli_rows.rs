//! Several independent switches on the host, as many times as there are rows.

use rand::RngExt;
use uphill_envs::Actions;

use super::{ActionMut, DistributionRows, indices, kl_by_place, places};
use crate::kernels::{exp_in_place, log1p_in_place};
use crate::seed::Rng;

/// `B` times `K` independent switches on the host, in buffers that are kept: the twin of
/// [`BernoulliTensor`](super::BernoulliTensor).
///
/// Switch after switch is drawn with the same generator.
///
/// ```
/// use uphill::distributions::{ActionMut, BernoulliRows, DistributionRows};
///
/// let mut policy = BernoulliRows::new(3);
/// policy.set(&[0.3, -2.0, 0.0], 3);
/// let mut action = [9; 3];
/// policy.mode(0, ActionMut::Discrete(&mut action));
/// assert_eq!(action, [1, 0, 0]);
/// ```
#[derive(Debug)]
pub struct BernoulliRows {
    len: usize,
    /// `[B, K]`: `l`.
    logits: Vec<f32>,
    /// `[B, K]`: `p`.
    on: Vec<f32>,
    /// `[B, K]`: `log(1 + e^l)`.
    softplus: Vec<f32>,
}

impl BernoulliRows {
    /// No row yet, of so many switches.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self { len, logits: Vec::new(), on: Vec::new(), softplus: Vec::new() }
    }

    /// A row's places, if it holds a distribution: those that are none are NaN.
    #[track_caller]
    fn row(&self, row: usize) -> Option<std::ops::Range<usize>> {
        let row = row * self.len..(row + 1) * self.len;
        assert!(row.end <= self.logits.len(), "row {} of {}", row.start / self.len, self.logits.len() / self.len);
        if self.logits[row.start].is_nan() { None } else { Some(row) }
    }

    /// `log π(a)` of one switch. An index that is no switch's cannot come from a rollout; NaN would stop the update.
    fn log_prob(&self, place: usize, action: u32) -> f32 {
        match action {
            0 => -self.softplus[place],
            1 => self.logits[place] - self.softplus[place],
            _ => f32::NAN,
        }
    }
}

impl DistributionRows for BernoulliRows {
    // A row with a logit that is not finite becomes NaN.
    fn set(&mut self, outputs: &[f32], stride: usize) {
        let k = self.len;
        assert!(
            (1..=stride).contains(&k),
            "{k} is no number of switches in rows of length {stride}: take 1 to {stride}"
        );
        let len = outputs.len();
        assert!(len.is_multiple_of(stride), "a length of {len} is no whole number of rows of {stride}");
        let Self { logits, on, softplus, .. } = self;
        logits.clear();
        outputs.chunks_exact(stride).for_each(|row| logits.extend_from_slice(&row[..k]));
        for row in logits.chunks_exact_mut(k) {
            if row.iter().any(|l| !l.is_finite()) {
                row.fill(f32::NAN);
            }
        }
        // e = e^−|l|, at most 1.
        on.clear();
        on.extend(logits.iter().map(|l| -l.abs()));
        exp_in_place(on);
        softplus.clone_from(on);
        log1p_in_place(softplus);
        for ((softplus, on), &l) in softplus.iter_mut().zip(on.iter_mut()).zip(&*logits) {
            *softplus += l.max(0.0);
            *on = if l < 0.0 { *on / (1.0 + *on) } else { 1.0 / (1.0 + *on) };
        }
    }

    fn sample(&self, row: usize, rng: &mut Rng, action: ActionMut<'_>) -> Option<f32> {
        let mut log_prob = 0.0;
        for (place, a) in self.row(row)?.zip(places(action)) {
            *a = u32::from(rng.random::<f32>() < self.on[place]);
            log_prob += self.log_prob(place, *a);
        }
        Some(log_prob)
    }

    fn mode(&self, row: usize, action: ActionMut<'_>) -> Option<()> {
        self.row(row)?.zip(places(action)).for_each(|(place, a)| *a = u32::from(self.logits[place] > 0.0));
        Some(())
    }

    fn judge(&self, actions: Actions<'_>, log_prob: &mut Vec<f32>, entropy: &mut Vec<f32>) {
        log_prob.clear();
        entropy.clear();
        for (row, action) in indices(actions).chunks_exact(self.len).enumerate() {
            let place = row * self.len..(row + 1) * self.len;
            log_prob.push(place.clone().zip(action).map(|(place, &a)| self.log_prob(place, a)).sum());
            entropy.push(place.map(|i| self.softplus[i] - self.on[i] * self.logits[i]).sum());
        }
    }

    // ∂ log π / ∂l = a − p          ∂H / ∂l = −l·p·(1 − p)
    fn backward(
        &self,
        actions: Actions<'_>,
        _entropy: &[f32],
        [by_log_prob, by_entropy]: [&[f32]; 2],
        out: &mut [f32],
        stride: usize,
    ) {
        let rows = indices(actions).chunks_exact(self.len).zip(out.chunks_exact_mut(stride));
        for (row, (action, out)) in rows.enumerate() {
            for ((place, &a), out) in (row * self.len..).zip(action).zip(out) {
                let (p, l) = (self.on[place], self.logits[place]);
                *out = by_log_prob[row] * (a as f32 - p) - by_entropy[row] * l * p * (1.0 - p);
            }
        }
    }

    // M = diag(p·(1 − p))
    fn fisher(&self, tangents: &mut [f32]) {
        tangents.iter_mut().zip(&self.on).for_each(|(t, p)| *t *= p * (1.0 - p));
    }

    // Σ p·(l − l′) − log(1 + e^l) + log(1 + e^l′)
    fn kl(&self, other: &dyn DistributionRows, kl: &mut Vec<f32>) {
        kl_by_place(other, (self.logits.len() / self.len, self.len), kl, |other: &Self, i| {
            let [l, p, softplus] = [self.logits[i], self.on[i], self.softplus[i]].map(f64::from);
            p * (l - f64::from(other.logits[i])) - softplus + f64::from(other.softplus[i])
        });
    }
}
