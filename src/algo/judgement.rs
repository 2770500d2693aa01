//! What a policy says of the steps of a rollout.

use crate::distributions::{DistributionRows, KeptRows, forbid};
use crate::error::check_len;
use crate::models::{Model, outputs_along};
use crate::rollout::Rollout;
use crate::scratch::Scratch;
use crate::{Params, Result};

/// What a policy says of all steps of a rollout, without the choices that are forbidden, in room that is kept.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    policy: KeptRows,
    outputs: Vec<f32>,
    entropy: Vec<f32>,
    log_prob: Vec<f32>,
}

impl Judgement {
    /// Asks the policy with these parameters.
    pub(super) fn judge(
        &mut self,
        network: &dyn Model,
        params: &Params,
        rollout: &Rollout,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let Self { policy, outputs, entropy, log_prob } = self;
        outputs_along(network, params, rollout, scratch, outputs)?;
        let (width, policy) = (network.distribution().outputs(), policy.of(network.distribution()));
        check_len("the network's output", rollout.log_prob.len() * width, outputs.len())?;
        forbid(outputs, width, &rollout.mask, rollout.choices);
        policy.set(outputs, width);
        policy.judge(rollout.action.view(), log_prob, entropy);
        Ok(())
    }

    /// What it gives each action, `[T, N]`.
    pub(super) fn log_prob(&self) -> &[f32] {
        &self.log_prob
    }

    /// Its entropy in each state, `[T, N]`.
    pub(super) fn entropy(&self) -> &[f32] {
        &self.entropy
    }

    /// Its distributions, one a step; `None` before it was asked.
    pub(super) fn policy(&self) -> Option<&dyn DistributionRows> {
        self.policy.get()
    }
}
