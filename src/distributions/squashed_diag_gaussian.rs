//! Normal distributions squashed into a box.

use std::f64::consts::{LN_2, PI};
use std::sync::Arc;

use candle_core::{D, Tensor};
use uphill_envs::Space;

use super::{
    ActionKind, Deviation, DiagGaussian, DiagGaussianTensor, Distribution, DistributionRows, DistributionTensor, Head,
    OwnBlock, Row, SquashedDiagGaussianRows, diag_gaussian,
};
use crate::{Error, Result};

/// Normal distributions over `K` numbers that a hyperbolic tangent squashes into a box: actions near its borders are as likely as
/// the policy wants, and none is clipped.
///
/// ```math
///   a = mid + half·tanh u,   u ~ N(μ, σ²)          log π(a|s) = Σₖ log N(uₖ; μₖ, σₖ²) − log halfₖ − c(uₖ)
///   H = Σₖ log σₖ + ½·log 2πe + log halfₖ + E c(uₖ),   c(u) = log(1 − tanh² u) = 2·(log 2 − |u| − log(1 + e^(−2|u|)))
/// ```
///
/// What is kept of an action is `u`, so that nothing is lost at the borders, where `tanh u` rounds to 1; the environment takes `a`.
/// The divergence is that of the normal distributions, which the same map does not change. The likeliest action is that of the
/// likeliest `u`, the mean. The expectation in the entropy has no closed form: it is a sum over points with an error below
/// 1e-7 for deviations up to 20, and the gradient is that sum's.
///
/// Haarnoja et al. 2018, appendix C, <https://arxiv.org/abs/1801.01290>.
#[derive(Debug, Clone, PartialEq)]
pub struct SquashedDiagGaussian {
    /// The normal distributions, and the box, whose bounds are finite.
    normal: DiagGaussian,
}

pub(super) const ROW: Row = Row {
    name: "squashed_diag_gaussian",
    summary: "a normal distribution for each number, which tanh squashes into the box",
    params: diag_gaussian::PARAMS,
    make: |args, space| {
        let made = DiagGaussian::of(args, space)?.map(SquashedDiagGaussian::new).transpose()?;
        Ok(made.map(|made| Arc::new(made) as _))
    },
};

impl SquashedDiagGaussian {
    /// These normal distributions, squashed into their box.
    ///
    /// # Errors
    /// [`Error::Config`] for a bound that is not finite, or not above the lower one.
    pub fn new(normal: DiagGaussian) -> Result<Self> {
        let bounds = normal.low.iter().zip(&normal.high).enumerate();
        match bounds.clone().find(|(_, (low, high))| !(*high - *low).is_finite() || low >= high) {
            None => Ok(Self { normal }),
            Some((k, (low, high))) => Err(Error::Config(format!(
                "squashed_diag_gaussian: number {k} of an action lies from {low} to {high}: what is squashed needs finite bounds, \
                 the lower one below; take diag_gaussian"
            ))),
        }
    }

    /// `Σ log half`.
    fn log_half(&self) -> f64 {
        let sides = self.normal.low.iter().zip(&self.normal.high);
        sides.map(|(&low, &high)| (0.5 * (f64::from(high) - f64::from(low))).ln()).sum()
    }
}

impl Distribution for SquashedDiagGaussian {
    fn outputs(&self) -> usize {
        self.normal.outputs()
    }

    fn own(&self) -> Option<OwnBlock> {
        self.normal.own()
    }

    fn action_len(&self) -> usize {
        self.normal.action_len()
    }

    fn action_kind(&self) -> ActionKind {
        ActionKind::Continuous
    }

    fn means(&self) -> usize {
        self.normal.means()
    }

    fn map_action(&self, actions: &mut [f32]) {
        let bounds = || self.normal.low.iter().zip(&self.normal.high);
        for action in actions.chunks_exact_mut(self.normal.low.len()) {
            for (a, (&low, &high)) in action.iter_mut().zip(bounds()) {
                let [mid, half] = [0.5 * low + 0.5 * high, 0.5 * high - 0.5 * low];
                *a = (mid + half * a.tanh()).clamp(low, high);
            }
        }
    }

    fn head(&self) -> Option<Head> {
        Some(Head::Normal {
            low: self.normal.low.clone(),
            high: self.normal.high.clone(),
            is_squashed: true,
            deviation: Deviation::Logarithm { shift: self.normal.shift() },
        })
    }

    fn is_over(&self, space: &Space) -> bool {
        self.normal.is_over(space)
    }

    fn max_entropy(&self) -> Option<f64> {
        None
    }

    fn rows(&self) -> Box<dyn DistributionRows> {
        Box::new(SquashedDiagGaussianRows::new(self.normal.low.len(), self.normal.shift(), self.log_half() as f32))
    }

    fn tensor(&self, outputs: &Tensor) -> Result<Box<dyn DistributionTensor>> {
        let normal = DiagGaussianTensor::new(outputs, self.normal.shift())?;
        Ok(Box::new(SquashedDiagGaussianTensor { normal, log_half: self.log_half() }))
    }
}

/// How many points an expectation under a deviation `σ` is summed over, in deviations from −[`FAR`] to [`FAR`].
///
/// The trapezoidal rule converges geometrically for a function that is analytic in a strip, as `c(μ + σ·z)` is up to
/// `|Im z| = a = π/2σ`: with a spacing `h` the error is about `e^(a²/2 − 2πa/h)`, of which the first half is the normal density's
/// growth across the strip. It is kept at `e^−20`.
///
/// Trefethen and Weideman 2014, theorem 5.1, <https://doi.org/10.1137/130932132>.
pub(super) fn nodes(std: f64) -> usize {
    /// Deviations up to this many have as many points as they need.
    const MOST: f64 = 20.0;
    const EXPONENT: f64 = 20.0;
    // A wider strip is not better: the density grows faster than the error falls.
    let a = (0.5 * PI / std.min(MOST)).min((2.0 * EXPONENT).sqrt());
    let spacing = 2.0 * PI * a / (EXPONENT + 0.5 * a * a);
    (2.0 * FAR / spacing).ceil() as usize + 1
}

/// Beyond so many deviations a normal distribution has nothing that an f32 would show.
pub(super) const FAR: f64 = 6.5;

/// The points of so many, in deviations, and the weight of each.
pub(super) fn points(count: usize) -> impl Iterator<Item = (f64, f64)> {
    let spacing = 2.0 * FAR / (count - 1) as f64;
    (0..count).map(move |i| {
        let z = i as f64 * spacing - FAR;
        (z, spacing * (-0.5 * z * z).exp() / (2.0 * PI).sqrt())
    })
}

/// `B` times `K` squashed normal distributions.
#[derive(Debug, Clone)]
pub struct SquashedDiagGaussianTensor {
    normal: DiagGaussianTensor,
    log_half: f64,
}

/// `c(u)` of every element.
fn log_slope(u: &Tensor) -> Result<Tensor> {
    let size = u.abs()?;
    let rest = ((&size * -2.0)?.exp()? + 1.0)?.log()?;
    Ok((((size + rest)? - LN_2)? * -2.0)?)
}

impl DistributionTensor for SquashedDiagGaussianTensor {
    fn outputs(&self) -> &Tensor {
        self.normal.outputs()
    }

    fn log_prob(&self, action: &Tensor) -> Result<Tensor> {
        Ok(((self.normal.log_prob(action)? - log_slope(action)?.sum(D::Minus1)?)? - self.log_half)?)
    }

    fn entropy(&self) -> Result<Tensor> {
        let (mean, log_std) = self.normal.parameters();
        let largest: f32 = log_std.detach().flatten_all()?.max(0)?.to_scalar()?;
        let (z, weight): (Vec<f32>, Vec<f32>) =
            points(nodes(f64::from(largest).exp())).map(|(z, weight)| (z as f32, weight as f32)).unzip();
        let row = |x: &[f32]| Tensor::from_slice(x, (1, 1, x.len()), mean.device());
        let u = log_std.exp()?.unsqueeze(2)?.broadcast_mul(&row(&z)?)?.broadcast_add(&mean.unsqueeze(2)?)?;
        let expected = log_slope(&u)?.broadcast_mul(&row(&weight)?)?.sum((1, 2))?;
        Ok(((self.normal.entropy()? + expected)? + self.log_half)?)
    }

    fn kl(&self, other: &dyn DistributionTensor) -> Result<Tensor> {
        self.normal.kl(other)
    }

    fn described(&self) -> Result<Tensor> {
        self.normal.described()
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::LN_2;

    use super::{nodes, points};

    #[test]
    fn expectations_are_as_exact_as_is_said() {
        let slope = |u: f64| -2.0 * (u.abs() + (-2.0 * u.abs()).exp().ln_1p() - LN_2);
        for std in [0.01, 0.2, 0.5, 1.0, 2.7, 7.0, 20.0] {
            for mean in [0.0, 0.3, -1.7, 6.0, 40.0] {
                let sum = |count| points(count).map(|(z, weight)| weight * slope(mean + std * z)).sum::<f64>();
                let (found, exact): (f64, f64) = (sum(nodes(std)), sum(40_001));
                assert!((found - exact).abs() < 1e-7 * exact.abs().max(1.0), "N({mean}, {std}²): {found} {exact}");
            }
        }
        // What most policies have is cheap.
        assert!(nodes(1.0) < 30 && nodes(1e6) == nodes(20.0), "{}", nodes(1.0));
    }
}
