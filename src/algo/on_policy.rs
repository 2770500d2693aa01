//! The loop that REINFORCE, A2C and PPO share.

use rand::seq::SliceRandom;

use crate::advantage::{Estimate, Estimator, normalize};
use crate::collect::Horizon;
use crate::nn::ActorCritic;
use crate::objective::{Batch, Objective, Report, Sum};
use crate::optim::Optimizer;
use crate::seed::Rng;
use crate::{Error, Params, Result, Rollout};

/// Estimate advantages on a rollout, then descend an objective on it, once or in several passes.
#[derive(Debug)]
pub struct OnPolicy {
    /// How much one rollout holds.
    pub horizon: Horizon,
    /// Discount factor γ.
    pub gamma: f64,
    /// Where advantages come from.
    pub estimator: Box<dyn Estimator>,
    /// What is descended.
    pub objective: Sum,
    /// Whether advantages get mean 0 and deviation 1 over each minibatch.
    pub normalize_advantage: bool,
    /// Passes over the rollout.
    pub n_epochs: usize,
    /// Minibatches per pass, of sizes that differ by one at most.
    pub n_minibatches: usize,
    /// A pass whose last minibatch had a larger approximate KL divergence is the last.
    pub target_kl: f64,
}

/// What learns: a network, its parameters, and what changes them.
pub struct Learner {
    /// The policy and value function.
    pub network: Box<dyn ActorCritic>,
    /// Their parameters.
    pub params: Params,
    /// What moves them.
    pub optimizer: Optimizer,
    /// Where minibatches are shuffled from.
    pub shuffle: Rng,
}

/// What one update was like: means over its gradient steps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UpdateReport {
    /// What the objective's terms reported, such as `policy_loss`.
    pub terms: Vec<(&'static str, f64)>,
    /// Norm of the gradient, before clipping.
    pub grad_norm: f64,
    /// Norm of the change of the parameters.
    pub update_norm: f64,
    /// `1 − Var[target − value] / Var[target]` over the rollout; NaN without a critic or where targets are constant.
    pub explained_variance: f64,
}

impl OnPolicy {
    /// One update from one rollout. `progress` is the share of training that is done.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a NaN or infinite loss or gradient, before it reaches the parameters.
    pub fn update(&self, learner: &mut Learner, rollout: &Rollout, progress: f64) -> Result<UpdateReport> {
        let estimate = self.estimator.estimate(rollout, self.gamma as f32);
        let mut places: Vec<usize> = rollout.valid_steps().collect();
        let minibatches = self.n_minibatches.clamp(1, places.len().max(1));
        let mut sums = Sums::default();
        for _ in 0..self.n_epochs {
            if minibatches > 1 {
                places.shuffle(&mut learner.shuffle);
            }
            let mut last_kl = 0.0;
            for m in 0..minibatches {
                let share = |m: usize| m * places.len() / minibatches;
                let batch = self.batch(rollout, &estimate, &places[share(m)..share(m + 1)], &learner.params)?;
                let (gradient, terms) = self.gradient(&*learner.network, &learner.params, &batch)?;
                let step = learner.optimizer.step(&mut learner.params, &gradient.to_vec1::<f32>()?, progress)?;
                last_kl = terms.iter().find(|(name, _)| *name == "approx_kl").map_or(0.0, |(_, kl)| *kl);
                sums.add(&terms, step.grad_norm, step.update_norm);
            }
            if last_kl > self.target_kl {
                break;
            }
        }
        let explained_variance =
            if self.estimator.needs_values() { explained_variance(rollout, &estimate) } else { f64::NAN };
        Ok(UpdateReport { explained_variance, ..sums.mean() })
    }

    /// The steps at these places of a rollout, on the device, with advantages as the objective takes them.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub fn batch(&self, rollout: &Rollout, estimate: &Estimate, places: &[usize], params: &Params) -> Result<Batch> {
        let mut advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
        if self.normalize_advantage {
            normalize(&mut advantage);
        }
        Batch::new(rollout, estimate, places, &advantage, params.theta().device())
    }

    /// The gradient of the loss on a batch, `[P]`, and what the terms reported.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the loss is not finite.
    pub fn gradient(
        &self,
        network: &dyn ActorCritic,
        params: &Params,
        batch: &Batch,
    ) -> Result<(candle_core::Tensor, Vec<(&'static str, f64)>)> {
        let output = network.forward(params, &batch.observation)?;
        let mut report = Report::default();
        let loss = self.objective.loss(batch, &output, &mut report)?;
        if !loss.to_scalar::<f32>()?.is_finite() {
            return Err(Error::NotFinite { what: "the loss".into() });
        }
        Ok((params.gradient(&loss)?, report.read()?))
    }
}

/// Running sums of what gradient steps report.
#[derive(Debug, Default)]
struct Sums {
    report: UpdateReport,
    count: f64,
}

impl Sums {
    fn add(&mut self, terms: &[(&'static str, f64)], grad_norm: f64, update_norm: f64) {
        if self.report.terms.is_empty() {
            self.report.terms = terms.iter().map(|(name, _)| (*name, 0.0)).collect();
        }
        for ((_, sum), (_, value)) in self.report.terms.iter_mut().zip(terms) {
            *sum += value;
        }
        self.report.grad_norm += grad_norm;
        self.report.update_norm += update_norm;
        self.count += 1.0;
    }

    fn mean(mut self) -> UpdateReport {
        for (_, sum) in &mut self.report.terms {
            *sum /= self.count;
        }
        self.report.grad_norm /= self.count;
        self.report.update_norm /= self.count;
        self.report
    }
}

fn explained_variance(rollout: &Rollout, estimate: &Estimate) -> f64 {
    let variance = |x: &dyn Fn(usize) -> f64| {
        let values: Vec<f64> = rollout.valid_steps().map(x).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64
    };
    let target = variance(&|i| f64::from(estimate.target[i]));
    let rest = variance(&|i| f64::from(estimate.target[i]) - f64::from(rollout.value[i]));
    if target > 0.0 { 1.0 - rest / target } else { f64::NAN }
}
