//! The loop that REINFORCE, A2C and PPO share.

use rand::seq::SliceRandom;

use crate::advantage::{Estimator, normalize};
use crate::arrays::Arrays;
use crate::kernels::all_finite;
use crate::metrics::UpdateReport;
use crate::nn::ActorCritic;
use crate::objective::{Batch, Objective, Report, RowSums, Sum, fused_loss};
use crate::optim::{Optimizer, StepReport, When, check_finite};
use crate::rollout::{Estimate, Horizon, Minibatch, Rollout};
use crate::seed::{Rng, Seed};
use crate::stop::Stop;
use crate::{Error, Params, Result};

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
    buffers: Buffers,
}

impl Learner {
    /// A learner whose minibatches are shuffled by the seed's stream `shuffle`.
    #[must_use]
    pub fn new(network: Box<dyn ActorCritic>, params: Params, optimizer: Optimizer, seed: Seed) -> Self {
        Self { network, params, optimizer, shuffle: seed.stream("shuffle", 0), buffers: Buffers::default() }
    }
}

/// Where a learner stood.
pub(crate) struct Standing {
    arrays: Arrays,
    shuffle: Rng,
}

impl Learner {
    /// Notes where it stands, for [`Learner::put_back`].
    pub(crate) fn note(&mut self) -> Result<Standing> {
        let mut arrays = Arrays::default();
        self.params.save("params", &mut arrays)?;
        self.optimizer.save("optimizer", &mut arrays);
        Ok(Standing { arrays, shuffle: self.shuffle.clone() })
    }

    /// Puts it back to where it stood.
    pub(crate) fn put_back(&mut self, standing: &Standing) -> Result<()> {
        self.params.restore("params", &standing.arrays)?;
        self.optimizer.restore("optimizer", &standing.arrays, self.params.layout())?;
        self.shuffle.clone_from(&standing.shuffle);
        Ok(())
    }

    /// Fails with [`Error::NotFinite`] if a parameter, or a number of the optimizer's, is not finite.
    pub(crate) fn check_finite(&mut self) -> Result<()> {
        let Self { params, optimizer, .. } = self;
        if !params.read(all_finite)? {
            params.read(|theta| check_finite("value", params.layout(), theta, f64::NAN))??;
        }
        match optimizer.not_finite() {
            Some(name) => Err(Error::NotFinite { what: format!("`{name}` of the optimizer's state") }),
            None => Ok(()),
        }
    }
}

/// What an update needs room for, kept so that the next one does not allocate.
#[derive(Default)]
struct Buffers {
    estimate: Estimate,
    places: Vec<usize>,
    advantage: Vec<f32>,
    gradient: Vec<f32>,
    sums: RowSums,
}

impl OnPolicy {
    /// The fewest steps that a rollout takes in so many environments; an episode has one at least.
    pub(crate) fn least_env_steps(&self, envs: usize) -> u64 {
        let (Horizon::Steps(count) | Horizon::Episodes(count)) = self.horizon;
        (count as u64).saturating_mul(envs as u64).max(1)
    }

    /// The most steps of the optimizer that an update takes.
    pub(crate) fn most_steps(&self) -> u64 {
        (self.n_epochs as u64).saturating_mul(self.n_minibatches.max(1) as u64)
    }

    /// One update from one rollout, at some time in training.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a NaN or infinite loss or gradient, before it reaches the parameters.
    pub fn update(&self, learner: &mut Learner, rollout: &Rollout, when: When) -> Result<UpdateReport> {
        self.update_unless(learner, rollout, when, Stop::default())
    }

    /// The same, broken off with [`Error::Interrupted`] where `stop` says so: between two minibatches, and within the
    /// gradient or the step of one that takes long.
    pub(crate) fn update_unless(
        &self,
        learner: &mut Learner,
        rollout: &Rollout,
        when: When,
        stop: Stop<'_>,
    ) -> Result<UpdateReport> {
        let Learner { network, params, optimizer, shuffle, buffers } = learner;
        let Buffers { estimate, places, advantage, gradient, sums } = buffers;
        self.estimator.estimate_into(rollout, self.gamma as f32, estimate);
        places.clear();
        places.extend(rollout.valid_steps());
        let minibatches = self.n_minibatches.clamp(1, places.len().max(1));
        let mut totals = Totals::default();
        for _ in 0..self.n_epochs {
            if minibatches > 1 {
                places.shuffle(shuffle);
            }
            let mut last_kl = 0.0;
            for m in 0..minibatches {
                stop.check()?;
                let share = |m: usize| m * places.len() / minibatches;
                let places = &places[share(m)..share(m + 1)];
                advantage.clear();
                advantage.extend(places.iter().map(|&i| estimate.advantage[i]));
                if self.normalize_advantage {
                    normalize(advantage);
                }
                let batch = Minibatch { rollout, estimate, places, advantage, stop };
                self.gradient(&mut **network, params, batch, gradient, sums)?;
                let step = optimizer.step_unless(params, gradient, when, stop)?;
                last_kl = totals.add(sums, places.len(), step);
            }
            if last_kl > self.target_kl {
                break;
            }
        }
        let explained_variance =
            if self.estimator.needs_values() { explained_variance(rollout, estimate) } else { f64::NAN };
        Ok(UpdateReport { explained_variance, ..totals.mean() })
    }

    /// Replaces `gradient` by that of the loss on a minibatch, `[P]`, and `sums` by what the terms report, summed over
    /// its steps: on the host where network and objective can, else through tensors on the parameters' device.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the loss is not finite, [`Error::Tensor`] if the device fails, [`Error::Interrupted`] where
    /// the minibatch's `stop` says so.
    pub fn gradient(
        &self,
        network: &mut dyn ActorCritic,
        params: &Params,
        batch: Minibatch<'_>,
        gradient: &mut Vec<f32>,
        sums: &mut RowSums,
    ) -> Result<()> {
        let finite = |loss: f64| match loss.is_finite() {
            true => Ok(()),
            false => Err(Error::NotFinite { what: "the loss".into() }),
        };
        if let Some(loss) = network.host_gradient(params, batch, &self.objective, gradient, sums)? {
            return finite(loss);
        }
        let Minibatch { rollout, estimate, places, advantage, stop } = batch;
        let tensors = Batch::new(rollout, estimate, places, advantage, params.device())?;
        let output = network.forward(params, &tensors.observation)?;
        stop.check()?;
        let loss = match fused_loss(&self.objective, &output, batch, sums)? {
            Some(loss) => loss,
            None => {
                let mut report = Report::default();
                let loss = self.objective.loss(&tensors, &output, &mut report)?;
                sums.clear();
                report.read()?.into_iter().for_each(|(name, mean)| sums.add(name, mean * places.len() as f64));
                loss
            }
        };
        finite(f64::from(loss.to_scalar::<f32>()?))?;
        stop.check()?;
        *gradient = params.gradient(&loss)?.to_vec1()?;
        Ok(())
    }
}

/// Running sums of what gradient steps report.
#[derive(Debug, Default)]
struct Totals {
    report: UpdateReport,
    count: f64,
}

impl Totals {
    /// Adds the means over a minibatch of so many rows; returns its approximate KL divergence, 0 where none is reported.
    fn add(&mut self, sums: &RowSums, rows: usize, step: StepReport) -> f64 {
        let mut approx_kl = 0.0;
        for &(name, sum) in sums.entries() {
            let mean = sum / rows as f64;
            match self.report.terms.iter_mut().find(|(known, _)| *known == name) {
                Some((_, total)) => *total += mean,
                None => self.report.terms.push((name, mean)),
            }
            if name == "approx_kl" {
                approx_kl = mean;
            }
        }
        self.report.grad_norm += step.grad_norm;
        self.report.update_norm += step.update_norm;
        self.count += 1.0;
        approx_kl
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
        let (sum, count) = rollout.valid_steps().fold((0.0, 0.0), |(sum, count), i| (sum + x(i), count + 1.0));
        let mean = sum / count;
        rollout.valid_steps().map(|i| (x(i) - mean).powi(2)).sum::<f64>() / count
    };
    let target = variance(&|i| f64::from(estimate.target[i]));
    let rest = variance(&|i| f64::from(estimate.target[i]) - f64::from(rollout.value[i]));
    if target > 0.0 { 1.0 - rest / target } else { f64::NAN }
}
