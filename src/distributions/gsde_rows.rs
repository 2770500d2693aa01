//! Normal distributions whose noise is a function of the state, on the host, as many times as there are rows.

use std::any::Any;

use rand_distr::{Distribution, StandardNormal};
use uphill_envs::Actions;

use super::gsde::{LEAST_STD, LEAST_VARIANCE};
use super::{ActionMut, DiagGaussianRows, DistributionRows, numbers, numbers_of};
use crate::kernels::exp_in_place;
use crate::seed::Rng;

/// `B` times `K` normal distributions of deviations that depend on features, on the host, in buffers that are kept: the twin of
/// [`GsdeTensor`](super::GsdeTensor).
///
/// A row that is [renewed](DistributionRows::renew) before it is drawn from holds its noise; one that never was draws it anew each
/// time, which is a draw from the normal distributions.
#[derive(Debug)]
pub struct GsdeRows {
    len: usize,
    features: usize,
    sample_freq: Option<u64>,
    normal: DiagGaussianRows,
    /// `[B, F, K]`: `φᵢ·e^Lᵢⱼ`, so that `σⱼ²` is the sum of their squares and the least variance.
    gains: Vec<f32>,
    /// `[F, K]`: `L` of the row that was set last, and `e^L`. All rows of a network have the same.
    log_std: Vec<f32>,
    std: Vec<f32>,
    /// `[B, 2K]`: `μ`, then `log σ`.
    outputs: Vec<f32>,
    /// Of each row that holds a noise, `[1 + F, K]`: `ε` in its deviations, of `ε₀` first.
    held: Vec<Vec<f32>>,
}

impl GsdeRows {
    /// No row yet, of so many numbers an action and so many features; a noise is held for `sample_freq` steps, or for a whole
    /// rollout.
    #[must_use]
    pub fn new(len: usize, features: usize, sample_freq: Option<u64>) -> Self {
        let [gains, log_std, std, outputs] = [const { Vec::new() }; 4];
        let normal = DiagGaussianRows::new(len, 0.0);
        Self { len, features, sample_freq, normal, gains, log_std, std, outputs, held: Vec::new() }
    }

    /// `∂ log σ / ∂L`, the part of the variance that is a feature's, from its gain and `1/σ`.
    fn share(gain: f32, per_std: f32) -> f32 {
        (gain * per_std).powi(2)
    }
}

impl DistributionRows for GsdeRows {
    fn set(&mut self, outputs: &[f32], stride: usize) {
        let Self { len: k, features: f, normal, gains, log_std, std, outputs: of_normal, .. } = self;
        let (k, f) = (*k, *f);
        let width = k + f + f * k;
        assert!(
            (1..=stride).contains(&width),
            "{width} is no number of outputs in rows of length {stride}: take 1 to {stride}"
        );
        let whole = outputs.len();
        assert!(whole.is_multiple_of(stride), "a length of {whole} is no whole number of rows of {stride}");
        gains.clear();
        of_normal.clear();
        for row in outputs.chunks_exact(stride) {
            let (mean, rest) = row.split_at(k);
            let (features, own) = rest[..f + f * k].split_at(f);
            if log_std != own {
                own.clone_into(log_std);
                own.clone_into(std);
                exp_in_place(std);
            }
            of_normal.extend_from_slice(mean);
            let place = of_normal.len();
            of_normal.resize(place + k, LEAST_VARIANCE);
            let variance = &mut of_normal[place..];
            for (feature, std) in features.iter().zip(std.chunks_exact(k)) {
                let place = gains.len();
                gains.extend(std.iter().map(|std| feature * std));
                variance.iter_mut().zip(&gains[place..]).for_each(|(variance, gain)| *variance += gain * gain);
            }
            variance.iter_mut().for_each(|variance| *variance = 0.5 * variance.ln());
        }
        normal.set(of_normal, 2 * k);
    }

    fn renew(&mut self, row: usize, step: usize, rng: &mut Rng) {
        if self.held.len() <= row {
            self.held.resize_with(row + 1, Vec::new);
        }
        let held = &mut self.held[row];
        let is_due = self.sample_freq.map_or(step == 0, |steps| (step as u64).is_multiple_of(steps));
        if is_due || held.is_empty() {
            held.clear();
            held.extend((0..(1 + self.features) * self.len).map(|_| -> f32 { StandardNormal.sample(rng) }));
        }
    }

    fn sample(&self, row: usize, rng: &mut Rng, action: ActionMut<'_>) -> Option<f32> {
        let Some(held) = self.held.get(row).filter(|held| !held.is_empty()) else {
            return self.normal.sample(row, rng, action);
        };
        let numbers = numbers_of(action);
        self.normal.mode(row, ActionMut::Continuous(&mut *numbers))?;
        let (least, held) = held.split_at(self.len);
        numbers.iter_mut().zip(least).for_each(|(a, z)| *a += LEAST_STD * z);
        let gains = &self.gains[row * held.len()..(row + 1) * held.len()];
        for (gains, z) in gains.chunks_exact(self.len).zip(held.chunks_exact(self.len)) {
            numbers.iter_mut().zip(gains.iter().zip(z)).for_each(|(a, (gain, z))| *a += gain * z);
        }
        self.normal.log_prob(row, numbers)
    }

    fn mode(&self, row: usize, action: ActionMut<'_>) -> Option<()> {
        self.normal.mode(row, action)
    }

    fn judge(&self, actions: Actions<'_>, log_prob: &mut Vec<f32>, entropy: &mut Vec<f32>) {
        self.normal.judge(actions, log_prob, entropy);
    }

    fn backward(
        &self,
        actions: Actions<'_>,
        _entropy: &[f32],
        [by_log_prob, by_entropy]: [&[f32]; 2],
        out: &mut [f32],
        stride: usize,
    ) {
        let (k, f) = (self.len, self.features);
        let rows = self.normal.each(numbers(actions)).zip(out.chunks_exact_mut(stride));
        for (((start, action), out), (&d, &dh)) in rows.zip(by_log_prob.iter().zip(by_entropy)) {
            let (means, rest) = out.split_at_mut(k);
            let (features, own) = rest[..f + f * k].split_at_mut(f);
            features.fill(0.0);
            let (gains, per_std) = (&self.gains[start * f..(start + k) * f], &self.normal.per_std()[start..start + k]);
            for (j, (by_mean, &a)) in means.iter_mut().zip(action).enumerate() {
                let by_log_std;
                [*by_mean, by_log_std] = self.normal.slopes(start + j, a, [d, dh]);
                for (out, gain) in own.iter_mut().zip(gains).skip(j).step_by(k) {
                    *out = by_log_std * Self::share(*gain, per_std[j]);
                }
            }
        }
    }

    // Of (μ, log σ) M is diag(1/σ², 2), and features have no part in it.
    fn fisher(&self, tangents: &mut [f32]) {
        let (k, f) = (self.len, self.features);
        let rows = tangents.chunks_exact_mut(k + f + f * k).zip(self.normal.per_std().chunks_exact(k));
        for (row, (tangents, per_std)) in rows.enumerate() {
            let (means, rest) = tangents.split_at_mut(k);
            let (features, own) = rest.split_at_mut(f);
            features.fill(0.0);
            let gains = &self.gains[row * f * k..(row + 1) * f * k];
            for (j, (mean, &per_std)) in means.iter_mut().zip(per_std).enumerate() {
                *mean *= per_std * per_std;
                let share = |(t, gain): (&mut f32, &f32)| Self::share(*gain, per_std) * *t;
                let along: f32 = own.iter_mut().zip(gains).skip(j).step_by(k).map(share).sum();
                for (t, gain) in own.iter_mut().zip(gains).skip(j).step_by(k) {
                    *t = 2.0 * Self::share(*gain, per_std) * along;
                }
            }
        }
    }

    fn kl(&self, other: &dyn DistributionRows, kl: &mut Vec<f32>) {
        match (other as &dyn Any).downcast_ref::<Self>() {
            Some(other) => self.normal.kl(&other.normal, kl),
            None => {
                kl.clear();
                kl.resize(self.outputs.len() / (2 * self.len), f32::NAN);
            }
        }
    }
}
