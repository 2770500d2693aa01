//! Independent normal distributions on the host, as many times as there are rows.

use rand_distr::{Distribution, StandardNormal};
use uphill_envs::Actions;

use super::diag_gaussian::half_log_2pi;
use super::{ActionMut, DistributionRows, kl_by_place, numbers, numbers_of};
use crate::kernels::{all_finite, exp_in_place};
use crate::seed::Rng;

/// `B` times `K` independent normal distributions on the host, in buffers that are kept: the twin of
/// [`DiagGaussianTensor`](super::DiagGaussianTensor).
///
/// Number after number is drawn with the same generator.
///
/// ```
/// use uphill::distributions::{ActionMut, DiagGaussianRows, DistributionRows};
///
/// let mut policy = DiagGaussianRows::new(2, 0.0);
/// policy.set(&[0.5, -3.0, 0.0, 1.0], 4);
/// let mut action = [0.0; 2];
/// policy.mode(0, ActionMut::Continuous(&mut action));
/// assert_eq!(action, [0.5, -3.0]);
/// ```
#[derive(Debug)]
pub struct DiagGaussianRows {
    len: usize,
    /// `[B, K]`.
    mean: Vec<f32>,
    /// `[B, K]`.
    log_std: Vec<f32>,
    /// `[B, K]`: `σ`.
    std: Vec<f32>,
    /// `[B, K]`: `1/σ`.
    per_std: Vec<f32>,
    shift: f32,
}

impl DiagGaussianRows {
    /// No row yet, of so many numbers an action; `shift` is added to the outputs that are logarithms of deviations.
    #[must_use]
    pub fn new(len: usize, shift: f32) -> Self {
        Self { len, mean: Vec::new(), log_std: Vec::new(), std: Vec::new(), per_std: Vec::new(), shift }
    }

    /// `μ` and `σ` of every number, `[B, K]` each; NaN where a row is no distribution.
    pub(super) fn parameters(&self) -> (&[f32], &[f32]) {
        (&self.mean, &self.std)
    }

    /// `1/σ` of every number, `[B, K]`.
    pub(super) fn per_std(&self) -> &[f32] {
        &self.per_std
    }

    /// Whether a row holds a distribution: those that are none are NaN.
    #[track_caller]
    fn places(&self, row: usize) -> Option<std::ops::Range<usize>> {
        let places = row * self.len..(row + 1) * self.len;
        assert!(places.end <= self.mean.len(), "row {row} of {}", self.mean.len() / self.len.max(1));
        if self.mean[places.start].is_nan() { None } else { Some(places) }
    }

    /// `z = (a − μ)/σ` of a place.
    fn z(&self, place: usize, action: f32) -> f32 {
        (action - self.mean[place]) * self.per_std[place]
    }

    /// Each row's numbers of actions, with where they stand.
    pub(super) fn each<'a>(&self, actions: &'a [f32]) -> impl Iterator<Item = (usize, &'a [f32])> {
        let k = self.len;
        actions.chunks_exact(k).take(self.mean.len() / k).enumerate().map(move |(row, action)| (row * k, action))
    }

    /// The log-probability of a row's action; `None` if the row holds no distribution, or one that no action can be told of.
    pub(super) fn log_prob(&self, row: usize, action: &[f32]) -> Option<f32> {
        let mut log_prob = 0.0;
        for (place, &a) in self.places(row)?.zip(action) {
            let z = self.z(place, a);
            log_prob += -0.5 * z * z - self.log_std[place];
        }
        // A sum past what an f32 holds was drawn from no usable distribution.
        Some(log_prob - self.constant(half_log_2pi())).filter(|l| l.is_finite())
    }

    /// `∂L/∂μ` and `∂L/∂ log σ` of a place, given `∂L/∂ log π(a|s)` and `∂L/∂H`:
    /// `∂ log π / ∂μ = z/σ`, `∂ log π / ∂ log σ = z² − 1`, `∂H / ∂ log σ = 1`.
    pub(super) fn slopes(&self, place: usize, action: f32, [d, dh]: [f32; 2]) -> [f32; 2] {
        slopes(self.z(place, action), self.per_std[place], [d, dh])
    }

    /// The part of `K` log-probabilities, or entropies, that is the same for all: `K·c`.
    fn constant(&self, each: f64) -> f32 {
        (self.len as f64 * each) as f32
    }
}

/// The same of a `z` and a `1/σ`.
fn slopes(z: f32, per_std: f32, [d, dh]: [f32; 2]) -> [f32; 2] {
    [d * z * per_std, d * (z * z - 1.0) + dh]
}

impl DistributionRows for DiagGaussianRows {
    // A row with a number that is not finite, or a deviation that is too large or too small for one, becomes NaN.
    fn set(&mut self, outputs: &[f32], stride: usize) {
        let k = self.len;
        assert!(
            (2..=stride).contains(&(2 * k)),
            "{} is no number of outputs in rows of length {stride}: take 2 to {stride}",
            2 * k
        );
        let len = outputs.len();
        assert!(len.is_multiple_of(stride), "a length of {len} is no whole number of rows of {stride}");
        let Self { mean, log_std, std, per_std, shift, .. } = self;
        let rows = len / stride * k;
        [&mut *mean, log_std, std, per_std].into_iter().for_each(|column| column.resize(rows, 0.0));
        for ((row, mean), log_std) in
            outputs.chunks_exact(stride).zip(mean.chunks_exact_mut(k)).zip(log_std.chunks_exact_mut(k))
        {
            let (means, log_stds) = row.split_at(k);
            mean.iter_mut().zip(means).for_each(|(to, mean)| *to = *mean);
            log_std.iter_mut().zip(log_stds).for_each(|(to, l)| *to = l + *shift);
        }
        std.copy_from_slice(log_std);
        exp_in_place(std);
        per_std.iter_mut().zip(&*log_std).for_each(|(to, l)| *to = -l);
        exp_in_place(per_std);
        if [&*mean, std, per_std].iter().all(|column| all_finite(column)) {
            return;
        }
        for row in 0..mean.len() / k {
            let places = row * k..(row + 1) * k;
            // Zero times an infinity, or one by the other, is no number: it is what is finite on both sides.
            let usable = |i: usize| mean[i].is_finite() && std[i].is_finite() && per_std[i].is_finite();
            if !places.clone().all(usable) {
                [&mut *mean, log_std, std, per_std]
                    .into_iter()
                    .for_each(|column| column[places.clone()].fill(f32::NAN));
            }
        }
    }

    fn sample(&self, row: usize, rng: &mut Rng, action: ActionMut<'_>) -> Option<f32> {
        let numbers = numbers_of(action);
        for (place, a) in self.places(row)?.zip(&mut *numbers) {
            let normal: f32 = StandardNormal.sample(rng);
            *a = self.mean[place] + self.std[place] * normal;
        }
        // What came of rounding is judged, as learning will judge it.
        self.log_prob(row, numbers)
    }

    fn mode(&self, row: usize, action: ActionMut<'_>) -> Option<()> {
        self.places(row)?.zip(numbers_of(action)).for_each(|(place, a)| *a = self.mean[place]);
        Some(())
    }

    fn judge(&self, actions: Actions<'_>, log_prob: &mut Vec<f32>, entropy: &mut Vec<f32>) {
        log_prob.clear();
        entropy.clear();
        let (of_log_prob, of_entropy) = (self.constant(half_log_2pi()), self.constant(0.5 + half_log_2pi()));
        let actions = numbers(actions);
        let rows = actions.len().min(self.mean.len()) / self.len;
        [&mut *log_prob, entropy].into_iter().for_each(|column| column.resize(rows, 0.0));
        let places = actions.iter().zip(&self.mean).zip(&self.per_std).zip(&self.log_std);
        let mut places = places.map(|(((action, mean), per_std), log_std)| ((action - mean) * per_std, *log_std));
        for (log_prob, entropy) in log_prob.iter_mut().zip(entropy) {
            let (mut l, mut h) = (0.0, 0.0);
            for (z, log_std) in places.by_ref().take(self.len) {
                l += -0.5 * z * z - log_std;
                h += log_std;
            }
            (*log_prob, *entropy) = (l - of_log_prob, h + of_entropy);
        }
    }

    fn backward(
        &self,
        actions: Actions<'_>,
        _entropy: &[f32],
        [by_log_prob, by_entropy]: [&[f32]; 2],
        out: &mut [f32],
        stride: usize,
    ) {
        let mut places = numbers(actions).iter().zip(&self.mean).zip(&self.per_std);
        for (out, (&d, &dh)) in out.chunks_exact_mut(stride).zip(by_log_prob.iter().zip(by_entropy)) {
            let (means, rest) = out.split_at_mut(self.len);
            let of_row = places.by_ref().take(self.len);
            for ((((a, mean), &per_std), by_mean), by_log_std) in of_row.zip(means).zip(rest) {
                [*by_mean, *by_log_std] = slopes((a - mean) * per_std, per_std, [d, dh]);
            }
        }
    }

    // M = diag(1/σ², 2)
    fn fisher(&self, tangents: &mut [f32]) {
        for (row, per_std) in tangents.chunks_exact_mut(2 * self.len).zip(self.per_std.chunks_exact(self.len)) {
            let (means, log_stds) = row.split_at_mut(self.len);
            means.iter_mut().zip(per_std).for_each(|(t, per_std)| *t *= per_std * per_std);
            log_stds.iter_mut().for_each(|t| *t *= 2.0);
        }
    }

    // Σ ½·(e^2d − 1) − d + ½·((μ − μ′)/σ′)²,   d = log σ − log σ′
    fn kl(&self, other: &dyn DistributionRows, kl: &mut Vec<f32>) {
        kl_by_place(other, (self.mean.len() / self.len, self.len), kl, |other: &Self, i| {
            let [narrower, apart] = [[&self.log_std, &other.log_std], [&self.mean, &other.mean]]
                .map(|[own, other]| f64::from(own[i]) - f64::from(other[i]));
            let apart = apart * f64::from(other.per_std[i]);
            0.5 * (2.0 * narrower).exp_m1() - narrower + 0.5 * apart * apart
        });
    }
}
