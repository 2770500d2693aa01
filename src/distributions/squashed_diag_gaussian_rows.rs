//! Normal distributions squashed into a box, on the host, as many times as there are rows.

use std::any::Any;
use std::f64::consts::LN_2;

use uphill_envs::Actions;

use super::squashed_diag_gaussian::{nodes, points};
use super::{ActionMut, DiagGaussianRows, DistributionRows, numbers};
use crate::kernels::{exp_in_place, log1p_in_place};
use crate::seed::Rng;

/// `B` times `K` squashed normal distributions on the host, in buffers that are kept: the twin of
/// [`SquashedDiagGaussianTensor`](super::SquashedDiagGaussianTensor). An action's numbers are as they are before they are squashed.
#[derive(Debug)]
pub struct SquashedDiagGaussianRows {
    len: usize,
    normal: DiagGaussianRows,
    /// `Σ log half`.
    log_half: f32,
    /// `[B, K]`: `E c(u)`, and its slopes in `μ` and in `log σ`.
    expected: Vec<[f64; 3]>,
    /// The points of all expectations, one's after the other's: `u`, then `e^(−2|u|)`, then its `log1p`.
    u: Vec<f32>,
    exp: Vec<f32>,
    log1p: Vec<f32>,
    /// By their number the points that have been asked for, and their weights.
    grids: Vec<Vec<(f64, f64)>>,
}

/// `c(u) = log(1 − tanh² u)`.
fn log_slope(u: f32) -> f32 {
    let size = u.abs();
    -2.0 * (size + (-2.0 * size).exp().ln_1p() - LN_2 as f32)
}

/// So many points and their weights, made when they are first asked for.
fn grid(grids: &mut Vec<Vec<(f64, f64)>>, count: usize) -> &[(f64, f64)] {
    if grids.len() <= count {
        grids.resize_with(count + 1, Vec::new);
    }
    if grids[count].is_empty() {
        grids[count].extend(points(count));
    }
    &grids[count]
}

impl SquashedDiagGaussianRows {
    /// No row yet, of so many numbers an action; `shift` is added to the outputs that are logarithms of deviations, and
    /// `log_half` is the sum of the logarithms of half the box's sides.
    #[must_use]
    pub fn new(len: usize, shift: f32, log_half: f32) -> Self {
        let normal = DiagGaussianRows::new(len, shift);
        let [u, exp, log1p] = [const { Vec::new() }; 3];
        Self { len, normal, log_half, expected: Vec::new(), u, exp, log1p, grids: Vec::new() }
    }

    /// Sums `c(u)` and its slopes over the points of every number.
    fn expect(&mut self) {
        let Self { normal, expected, u, exp, log1p, grids, .. } = self;
        let (means, stds) = normal.parameters();
        u.clear();
        let each = || means.iter().zip(stds).filter(|(mean, _)| !mean.is_nan());
        for (&mean, &std) in each() {
            let grid = grid(grids, nodes(f64::from(std)));
            u.extend(grid.iter().map(|(z, _)| (f64::from(mean) + f64::from(std) * z) as f32));
        }
        exp.clear();
        exp.extend(u.iter().map(|u| -2.0 * u.abs()));
        exp_in_place(exp);
        log1p.clone_from(exp);
        log1p_in_place(log1p);
        expected.clear();
        let mut points_of_all = u.iter().zip(&*exp).zip(&*log1p);
        for (mean, &std) in means.iter().zip(stds) {
            if mean.is_nan() {
                expected.push([f64::NAN; 3]);
                continue;
            }
            let std = f64::from(std);
            let mut sums = [0.0; 3];
            for (&(z, weight), ((&u, &e), &log1p)) in grid(grids, nodes(std)).iter().zip(&mut points_of_all) {
                let [size, e, log1p] = [u.abs(), e, log1p].map(f64::from);
                let tanh = f64::from(u).signum() * (1.0 - e) / (1.0 + e);
                let slope = -2.0 * tanh;
                let terms = [-2.0 * (size + log1p - LN_2), slope, slope * std * z];
                sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += weight * term);
            }
            expected.push(sums);
        }
    }

    /// `Σ log half + c(u)` of an action.
    fn log_slopes(&self, action: &[f32]) -> f32 {
        self.log_half + action.iter().copied().map(log_slope).sum::<f32>()
    }
}

impl DistributionRows for SquashedDiagGaussianRows {
    fn set(&mut self, outputs: &[f32], stride: usize) {
        self.normal.set(outputs, stride);
        self.expect();
    }

    fn sample(&self, row: usize, rng: &mut Rng, action: ActionMut<'_>) -> Option<f32> {
        let ActionMut::Continuous(numbers) = action else { return None };
        let log_prob = self.normal.sample(row, rng, ActionMut::Continuous(&mut *numbers))?;
        Some(log_prob - self.log_slopes(numbers)).filter(|l| l.is_finite())
    }

    fn mode(&self, row: usize, action: ActionMut<'_>) -> Option<()> {
        self.normal.mode(row, action)
    }

    fn judge(&self, actions: Actions<'_>, log_prob: &mut Vec<f32>, entropy: &mut Vec<f32>) {
        self.normal.judge(actions, log_prob, entropy);
        for (l, action) in log_prob.iter_mut().zip(numbers(actions).chunks_exact(self.len)) {
            *l -= self.log_slopes(action);
        }
        for (h, expected) in entropy.iter_mut().zip(self.expected.chunks_exact(self.len)) {
            *h += self.log_half + expected.iter().map(|[c, ..]| c).sum::<f64>() as f32;
        }
    }

    // To the normal distribution's, for its own do not change with the outputs: ∂H / ∂μ = E c′          ∂H / ∂ log σ = E c′·σz
    fn backward(&self, actions: Actions<'_>, entropy: &[f32], by: [&[f32]; 2], out: &mut [f32], stride: usize) {
        self.normal.backward(actions, entropy, by, out, stride);
        let rows = out.chunks_exact_mut(stride).zip(self.expected.chunks_exact(self.len)).zip(by[1]);
        for ((out, expected), &dh) in rows {
            let (means, rest) = out.split_at_mut(self.len);
            for (([_, by_mean, by_log_std], mean), log_std) in expected.iter().zip(means).zip(rest) {
                *mean += dh * *by_mean as f32;
                *log_std += dh * *by_log_std as f32;
            }
        }
    }

    fn fisher(&self, tangents: &mut [f32]) {
        self.normal.fisher(tangents);
    }

    fn kl(&self, other: &dyn DistributionRows, kl: &mut Vec<f32>) {
        match (other as &dyn Any).downcast_ref::<Self>() {
            Some(other) => self.normal.kl(&other.normal, kl),
            None => {
                kl.clear();
                kl.resize(self.normal.parameters().0.len() / self.len, f32::NAN);
            }
        }
    }
}
