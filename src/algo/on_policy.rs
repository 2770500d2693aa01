//! The loop that REINFORCE, A2C and PPO share.

mod ahead;
mod descent;
mod on_device;
mod on_host;
mod unread;

use uphill_envs::quoted;

use descent::{Descent, Steps};
use on_device::OnDevice;
use on_host::OnHost;

use super::learner::Buffers;
use super::loss_gradient::loss_gradient;
use super::{AdaptiveRate, Algorithm, Learner, Now};
use crate::advantage::Estimator;
use crate::host_only::HostOnly;
use crate::metrics::UpdateReport;
use crate::models::Model;
use crate::objective::{Objective, RowSums, Sum};
use crate::optim::Slot;
use crate::rollout::{Horizon, Minibatch, Rollout};
use crate::scratch::Scratch;
use crate::{Error, Layout, Params, Result};

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
    /// Minibatches per pass, of sizes that differ by one step at most; for a network with a memory, of whole lanes, whose
    /// numbers differ by one at most.
    pub n_minibatches: usize,
    /// A pass whose last minibatch had a larger approximate KL divergence is the last.
    pub target_kl: f64,
    /// What learning rates are multiplied by, which goes by the divergence of passes.
    pub rate: AdaptiveRate,
    /// Whether each pass but the first has advantages and targets of its own, estimated anew from what the critic has become. How far a
    /// value may move is still from what it was when the rollout was made.
    ///
    /// Andrychowicz et al. 2021, section 3.5, <https://arxiv.org/abs/2006.05990>.
    pub recompute_advantages: bool,
    /// `α` of robust policy optimisation: where the policy learns, its [means](crate::distributions::Distribution::means) are shifted by
    /// chance, by another number in each step of each pass. Acting knows nothing of it; what is reported of the policy, a
    /// divergence among it, is of the shifted one. 0 shifts nothing.
    ///
    /// ```math
    ///   z ~ U(−α, α)          ρ = π(a; μ(s) + z, σ) / π_old(a; μ_old(s), σ_old)
    /// ```
    ///
    /// The numbers of a lane are a stream of the seed by update, pass and lane.
    ///
    /// Rahman and Xue 2022, algorithm 1, <https://arxiv.org/abs/2212.07536>.
    pub rpo_alpha: f64,
}

impl OnPolicy {
    /// One pass over each rollout, all of it at once, with nothing to hold or to help it.
    #[must_use]
    pub fn new(horizon: Horizon, gamma: f64, estimator: Box<dyn Estimator>, objective: Sum) -> Self {
        Self {
            horizon,
            gamma,
            estimator,
            objective,
            normalize_advantage: false,
            n_epochs: 1,
            n_minibatches: 1,
            target_kl: f64::INFINITY,
            rate: AdaptiveRate::new(f64::INFINITY),
            recompute_advantages: false,
            rpo_alpha: 0.0,
        }
    }

    /// Replaces `gradient` by that of the loss on a minibatch, `[P]`, and `sums` by what the terms report, summed over
    /// its steps: on the host where network and objective can, else through tensors on the parameters' device.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the loss is not finite, [`Error::Tensor`] if the device fails, [`Error::Interrupted`] where
    /// the minibatch's `stop` says so.
    pub fn gradient(
        &self,
        network: &dyn Model,
        params: &Params,
        batch: Minibatch<'_>,
        scratch: &mut Scratch,
        gradient: &mut Vec<f32>,
        sums: &mut RowSums,
    ) -> Result<()> {
        loss_gradient(&self.objective, (network, params), batch, (scratch, &mut None), (gradient, sums))
    }
}

impl Algorithm for OnPolicy {
    fn horizon(&self) -> Horizon {
        self.horizon
    }

    fn needs_values(&self) -> bool {
        self.estimator.needs_values()
    }

    fn most_steps(&self) -> u64 {
        (self.n_epochs as u64).saturating_mul(self.n_minibatches.max(1) as u64)
    }

    fn passes(&self) -> u64 {
        self.n_epochs as u64
    }

    fn takes_precision(&self) -> bool {
        true
    }

    fn check_network(&self, network: &dyn Model, _: &Layout, lanes: usize) -> Result<()> {
        let policy = network.distribution();
        if self.rpo_alpha > 0.0 && policy.means() == 0 {
            let problem = format!("it shifts means, and the policy, {}, has none", quoted(&format!("{policy:?}")));
            let remedy = "leave it out, or take actions that are numbers";
            return Err(Error::Config(format!("rpo_alpha = {} is impossible: {problem}; {remedy}", self.rpo_alpha)));
        }
        if network.memory() == 0 || self.n_minibatches <= lanes {
            return Ok(());
        }
        let range = format!("the network has a memory, whose minibatches are whole lanes, and envs = {lanes}");
        Err(Error::Config(format!("n_minibatches = {} is impossible: {range}", self.n_minibatches)))
    }

    fn host_only(&self) -> Vec<HostOnly> {
        self.of_the_host()
    }

    fn update(&mut self, learner: &mut Learner, rollout: &Rollout, now: Now<'_>) -> Result<UpdateReport> {
        let made_there = learner.on_device.take();
        if made_there.is_none() {
            self.check_network(&*learner.network, learner.params.layout(), rollout.lanes)?;
        }
        self.objective.begin(now.when);
        let Learner { network, params, optimizer, shuffle, precision, loss_scale, seed, values, buffers, .. } = learner;
        let Buffers {
            estimate,
            units,
            places,
            advantage,
            judgement,
            values: of_critic,
            gradient,
            kept_gradient,
            sums,
            scratch,
        } = buffers;
        let network = &**network;
        let mut of_host;
        let mut of_device;
        let steps: &mut dyn Steps = match &made_there {
            Some(made_there) => {
                of_device = OnDevice::new(self, network, made_there, values.as_mut())?;
                &mut of_device
            }
            None => {
                let (algo, values, seed, uploaded) = (&*self, values.as_mut(), *seed, None);
                of_host = OnHost {
                    algo,
                    network,
                    rollout,
                    now,
                    seed,
                    values,
                    estimate,
                    places,
                    advantage,
                    judgement,
                    of_critic,
                    scratch,
                    uploaded,
                };
                &mut of_host
            }
        };
        let precision = *precision;
        let descent =
            Descent { params, optimizer, shuffle, precision, loss_scale, units, gradient, kept_gradient, sums };
        let (report, rate) = descent.run(self, steps, now)?;
        self.objective.follow(&report.terms);
        self.rate = rate;
        Ok(report)
    }

    fn into_on_policy(self: Box<Self>) -> Option<OnPolicy> {
        Some(*self)
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        if self.rate.adapts() {
            visit("lr_factor", Slot::Scalar(&mut self.rate.factor));
        }
        self.objective.state(&mut |name, number| visit(&format!("objective.{name}"), Slot::Scalar(number)));
    }
}
