//! A learning rate that goes by how far the policy moves.

/// A factor of the learning rate by which the policy comes to move as far as is desired.
///
/// ```math
///   after a pass:   f ← f/1.5 if KL > 2·desired_kl,   f ← 1.5·f if KL < desired_kl/2          1/100 ≤ f ≤ 10
/// ```
///
/// `KL` is what the last minibatch of the pass reports of the policy that acted, over all ranks. A first pass of one minibatch takes its
/// only step from that policy, and tells nothing. The factor goes on top of what the optimizer's schedules say at the time: a rate that
/// falls to 0 by [`anneal_lr`](crate::Config::anneal_lr) does so still.
///
/// It is the rule of `rsl_rl`, <https://github.com/leggedrobotics/rsl_rl>, whose rate of 1e-3 stays between 1e-5 and 1e-2; Heess et al. 2017
/// have one like it for the coefficient of a penalty, <https://arxiv.org/abs/1707.02286>.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveRate {
    desired_kl: f64,
    pub(super) factor: f64,
}

/// How far from what is desired a divergence may be before the factor changes, and by how much it does.
const TOLERANCE: f64 = 2.0;
const CHANGE: f64 = 1.5;
const LEAST: f64 = 0.01;
const MOST: f64 = 10.0;

impl AdaptiveRate {
    /// A factor of 1 to begin with that aims at this divergence; infinity leaves it at that.
    #[must_use]
    pub fn new(desired_kl: f64) -> Self {
        Self { desired_kl, factor: 1.0 }
    }

    /// Whether it ever changes.
    pub(super) fn adapts(self) -> bool {
        self.desired_kl.is_finite()
    }

    /// The factor now.
    #[must_use]
    pub fn factor(self) -> f64 {
        self.factor
    }

    /// The same after a pass that came to this divergence.
    pub(super) fn after(self, kl: f64) -> Self {
        let factor = if kl > TOLERANCE * self.desired_kl {
            self.factor / CHANGE
        } else if kl < self.desired_kl / TOLERANCE {
            self.factor * CHANGE
        } else {
            self.factor
        };
        Self { factor: factor.clamp(LEAST, MOST), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::AdaptiveRate;

    #[test]
    fn the_factor_falls_and_rises_by_half_as_much_again_within_its_bounds() {
        let rate = AdaptiveRate::new(0.01);
        let factors = |kls: &[f64]| kls.iter().fold(rate, |rate, &kl| rate.after(kl)).factor();
        for (kl, expected) in [(0.021, 1.0 / 1.5), (0.02, 1.0), (0.01, 1.0), (0.005, 1.0), (0.0049, 1.5), (0.0, 1.5)] {
            assert_eq!(factors(&[kl]), expected, "{kl}");
        }
        assert!((factors(&[0.03, 0.001, 0.03, 0.03]) - 1.0 / 2.25).abs() < 1e-12);
        assert_eq!((factors(&[1.0; 20]), factors(&[0.0; 20])), (0.01, 10.0));
        assert!((factors(&[[1.0; 20], [0.0; 20]].concat()) - 10.0).abs() < 1e-12, "and back again");
        assert!(rate.adapts() && !AdaptiveRate::new(f64::INFINITY).adapts());
    }
}
