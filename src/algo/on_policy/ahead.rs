//! Steps by gradients in f16 that are taken before it is known whether these are finite.

use candle_core::Tensor;

use super::descent::Totals;
use crate::Result;
use crate::algo::LossScale;
use crate::optim::Mark;

/// Steps on a device of which the host has not asked yet whether their gradients are finite: it asks once a pass, for to ask is to wait.
///
/// Where one is not, neither it nor any step after it has changed a parameter or a vector of the optimizer's
/// ([`step_on_device`](crate::optim::Optimizer::step_on_device)). So who asks goes back to before it, skips it, halves the scale, and makes
/// those after it anew: the numbers of who had asked at each, for some work in vain where a scale is too large.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    steps: Vec<Step>,
    /// 0 where the gradient of a step is finite, else NaN.
    none: Vec<Tensor>,
}

/// A step, and what was before it.
#[derive(Debug)]
pub(super) struct Step {
    /// Which minibatch of its pass it is by.
    pub(super) minibatch: usize,
    pub(super) scale: LossScale,
    pub(super) optimizer: Mark,
    /// With what the minibatch itself reports.
    pub(super) totals: Totals,
    /// How many minibatches were unread, it among them.
    pub(super) unread: usize,
}

impl Ahead {
    /// Notes a step by a gradient.
    pub(super) fn put(&mut self, gradient: &Tensor, step: Step) -> Result<()> {
        // 0 times what is not finite is NaN, which stays in a sum.
        self.none.push(gradient.affine(0.0, 0.0)?.sum_all()?);
        self.steps.push(step);
        Ok(())
    }

    /// The first step whose gradient is not finite, of those that were noted since this was last asked.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if the device fails.
    pub(super) fn not_finite(&mut self) -> Result<Option<Step>> {
        let Self { steps, none } = std::mem::take(self);
        if none.is_empty() {
            return Ok(None);
        }
        let none = Tensor::stack(&none, 0)?.to_vec1::<f32>()?;
        Ok(steps.into_iter().zip(none).find(|(_, none)| *none != 0.0).map(|(step, _)| step))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use crate::algo::loss_gradient::{LeftThere, Passes};
    use crate::algo::on_policy::descent::{Descent, Steps};
    use crate::algo::{LossScale, Now};
    use crate::objective::{Report, RowSums};
    use crate::optim::{Optimizer, When};
    use crate::seed::Seed;
    use crate::{Config, Error, Layout, Params, Precision, Result};

    /// Gradients that follow from parameters, minibatch and scale, and are infinite in a minibatch where the loss is scaled by more than
    /// its bound.
    struct Made {
        bounds: Vec<f64>,
        /// The minibatches that were asked for, by their number.
        asked: Vec<usize>,
    }

    fn tensor(numbers: &[f32]) -> Tensor {
        Tensor::from_slice(numbers, numbers.len(), &Device::Cpu).expect("a tensor")
    }

    /// The loss of a minibatch, its gradient, and what is reported of it.
    fn made(params: &Params, bound: f64, unit: usize, scale: f64) -> (f32, Tensor) {
        let theta = params.snapshot().expect("values");
        let mut gradient: Vec<f32> = theta.iter().enumerate().map(|(i, x)| x - ((unit + i) as f32).sin()).collect();
        if scale > bound {
            gradient[unit % 3] = f32::INFINITY;
        }
        (theta[0] + unit as f32, tensor(&gradient))
    }

    impl Steps for Made {
        fn units(&self, units: &mut Vec<usize>) {
            units.extend(0..self.bounds.len());
        }

        fn begin(&mut self, _: usize, _: &mut Params) -> Result<()> {
            Ok(())
        }

        fn gradient(
            &mut self,
            units: &mut [usize],
            params: &Params,
            passes: Passes,
            (_, sums): (&mut Vec<f32>, &mut RowSums),
        ) -> Result<(usize, Option<LeftThere>)> {
            let [unit] = units else { panic!("a unit a minibatch") };
            self.asked.push(*unit);
            let (loss, gradient) = made(params, self.bounds[*unit], *unit, passes.scale);
            sums.clear();
            let mut report = Report::default();
            report.push("policy_loss", &Tensor::new(loss, &Device::Cpu)?);
            Ok((1, Some(LeftThere { gradient, loss: Tensor::new(loss, &Device::Cpu)?, report })))
        }

        fn explained_variance(&self) -> Result<f64> {
            Ok(f64::NAN)
        }
    }

    fn start(chain: &str) -> (Params, Optimizer) {
        let mut layout = Layout::default();
        layout.push("one", &[3]);
        let params = Params::new(layout, vec![0.5, -0.25, 2.0], &Device::Cpu).expect("parameters");
        (params, chain.parse::<Optimizer>().expect("a chain").through_tensors())
    }

    fn state(params: &Params, optimizer: &mut Optimizer) -> Vec<String> {
        let mut state = vec![format!("{:?}", params.snapshot().expect("values"))];
        optimizer.visit_state(&mut |name, slot| state.push(format!("{name} {slot:?}"))).expect("a state");
        state
    }

    /// The same with the host asking at each step: what there is then, the scale, and the means of what is reported.
    fn one_by_one(chain: &str, bounds: &[f64], epochs: usize) -> (Vec<String>, LossScale, [f64; 3], Result<()>) {
        let ((mut params, mut optimizer), mut scale) = (start(chain), LossScale::default());
        let (mut shuffle, mut units) = (Seed(3).stream("shuffle", 0), (0..bounds.len()).collect::<Vec<_>>());
        let (mut losses, mut taken, mut outcome) = (0.0, 0.0f64, Ok(()));
        'all: for _ in 0..epochs {
            rand::seq::SliceRandom::shuffle(&mut units[..], &mut shuffle);
            for &unit in &units {
                let (loss, gradient) = made(&params, bounds[unit], unit, scale.scale());
                losses += f64::from(loss);
                let is_finite = gradient.to_vec1::<f32>().expect("numbers").iter().all(|x| x.is_finite());
                match scale.takes(is_finite) {
                    Ok(true) => {
                        optimizer.step_on_device(&mut params, &gradient, When::default()).expect("a step");
                        taken += 1.0;
                    }
                    Ok(false) => {}
                    Err(error) => {
                        outcome = Err(error);
                        break 'all;
                    }
                }
            }
        }
        let norms = optimizer.settle().expect("norms");
        let means = [losses / (epochs * bounds.len()) as f64, norms.grad_norm, norms.update_norm];
        let of_taken = [means[0], means[1] / taken.max(1.0), means[2] / taken.max(1.0)];
        (state(&params, &mut optimizer), scale, of_taken, outcome)
    }

    #[test]
    fn who_asks_once_a_pass_comes_to_the_same_bits_as_who_asks_at_each_step() {
        let (none, now) = (f64::INFINITY, Now::default());
        for chain in ["adamw(lr=0.1)", "clip_by_global_norm(0.5) | trace | scale_by_learning_rate(0.1)", "sgd"] {
            for (bounds, epochs, skipped) in [
                (vec![none; 5], 3, 0),
                // The first of all, the last of a pass, several in a row, and all, until the scale is small enough.
                (vec![40_000.0, none, none, none], 2, 1),
                (vec![1e9, 9_000.0, 1e9, 40_000.0, 300.0, 1e9], 3, 5),
                (vec![5_000.0; 4], 2, 4),
                (vec![0.5, none, none], 30, 16),
            ] {
                let (of_each, scale, means, outcome) = one_by_one(chain, &bounds, epochs);
                assert_eq!(scale.skipped(), skipped, "{chain} {bounds:?}");
                let ((mut params, mut optimizer), mut shuffle) = (start(chain), Seed(3).stream("shuffle", 0));
                let mut steps = Made { bounds: bounds.clone(), asked: Vec::new() };
                let algo = Config::for_algo("ppo").and_then(|config| config.make_algo()).expect("an algorithm");
                let mut algo = algo.into_on_policy().expect("a loop");
                (algo.n_epochs, algo.n_minibatches) = (epochs, bounds.len());
                let mut loss_scale = Some(LossScale::default());
                let descent = Descent {
                    params: &mut params,
                    optimizer: &mut optimizer,
                    shuffle: &mut shuffle,
                    precision: Precision::F16,
                    loss_scale: &mut loss_scale,
                    units: &mut Vec::new(),
                    gradient: &mut Vec::new(),
                    kept_gradient: &mut None,
                    sums: &mut RowSums::default(),
                };
                let report = descent.run(&algo, &mut steps, now);
                assert_eq!(loss_scale, Some(scale), "{chain} {bounds:?}");
                assert_eq!(state(&params, &mut optimizer), of_each, "{chain} {bounds:?}");
                // Nothing is made anew but what came after a step that was skipped.
                let asked = steps.asked.len();
                assert!(if skipped == 0 { asked == epochs * bounds.len() } else { asked >= bounds.len() }, "{asked}");
                match outcome {
                    Ok(()) => {
                        let (report, _) = report.expect("an update");
                        let got = [report.terms[0].1, report.grad_norm, report.update_norm];
                        for (got, expected) in got.into_iter().zip(means) {
                            assert!((got - expected).abs() <= 1e-12 * expected.abs(), "{got} {expected}");
                        }
                    }
                    Err(expected) => {
                        let error = report.expect_err("no smaller scale");
                        assert!(matches!(error, Error::NotFinite { .. }));
                        assert_eq!(error.to_string(), expected.to_string());
                    }
                }
            }
        }
    }
}
