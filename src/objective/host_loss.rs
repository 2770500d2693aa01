//! An objective's loss on host slices, from what a network put out to the derivatives by it, in one pass and without a
//! graph.

use super::{Objective, RowGradients, RowSums, Rows};
use std::sync::Arc;

use crate::distributions::{Distribution, KeptRows, forbid};
use crate::rollout::{ActionColumn, Minibatch};

/// Buffers for the loss of some steps, kept from minibatch to minibatch.
#[derive(Debug, Default)]
pub(crate) struct HostLoss {
    policy: KeptRows,
    /// `[B, K]`.
    action: ActionColumn,
    /// `[B, A]`, and `[B, stride]` the outputs without what that forbids, their means shifted.
    mask: Vec<bool>,
    meant: Vec<f32>,
    log_prob: Vec<f32>,
    entropy: Vec<f32>,
    old_log_prob: Vec<f32>,
    target: Vec<f32>,
    old_value: Vec<f32>,
    by_log_prob: Vec<f32>,
    by_entropy: Vec<f32>,
    /// `[B]`: the derivative by each value.
    pub(crate) by_value: Vec<f32>,
    /// `[B, stride]`: the derivative by each output, in the first columns; the others are zero.
    pub(crate) by_output: Vec<f32>,
}

impl HostLoss {
    /// The sum over rows of an objective, and its derivatives times `weight`.
    ///
    /// `outputs` are `[B, stride]` the network's outputs in the first columns, `value` is `[B]`, for the `B` steps of the
    /// minibatch, and are not read where the objective does not read the policy. The objective has rows.
    pub(crate) fn run(
        &mut self,
        objective: &dyn Objective,
        (outputs, stride, distribution): (&[f32], usize, &Arc<dyn Distribution>),
        value: &[f32],
        batch: Minibatch<'_>,
        weight: f32,
        sums: &mut RowSums,
    ) -> f64 {
        let Minibatch { rollout, estimate, places, advantage, .. } = batch;
        rollout.actions_at(places, &mut self.action);
        self.old_log_prob.clear();
        self.old_log_prob.extend(places.iter().map(|&i| rollout.log_prob[i]));
        for (buffer, source) in [(&mut self.target, &estimate.target), (&mut self.old_value, &rollout.value)] {
            buffer.clear();
            buffer.extend(places.iter().map(|&i| estimate.unit.of(source[i])));
        }
        let policy = self.policy.of(distribution);
        let reads_policy = objective.reads_policy();
        if !reads_policy {
            for unread in [&mut self.log_prob, &mut self.entropy] {
                unread.clear();
                unread.resize(places.len(), 0.0);
            }
        } else if rollout.choices == 0 && estimate.shift.is_empty() {
            policy.set(outputs, stride);
        } else {
            rollout.masks_at(places, &mut self.mask);
            self.meant.clear();
            self.meant.extend_from_slice(outputs);
            forbid(&mut self.meant, stride, &self.mask, rollout.choices);
            estimate.shift(&mut self.meant, stride, distribution.means(), places);
            policy.set(&self.meant, stride);
        }
        if reads_policy {
            policy.judge(self.action.view(), &mut self.log_prob, &mut self.entropy);
        }
        for buffer in [&mut self.by_log_prob, &mut self.by_entropy, &mut self.by_value] {
            buffer.clear();
            buffer.resize(places.len(), 0.0);
        }
        let now = Rows {
            log_prob: &self.log_prob,
            entropy: &self.entropy,
            value,
            old_log_prob: &self.old_log_prob,
            advantage,
            target: &self.target,
            old_value: &self.old_value,
        };
        let mut out =
            RowGradients { log_prob: &mut self.by_log_prob, entropy: &mut self.by_entropy, value: &mut self.by_value };
        let loss = objective.rows(&now, weight, &mut out, sums);
        self.by_output.clear();
        self.by_output.resize(places.len() * stride, 0.0);
        if reads_policy {
            let by = [&self.by_log_prob[..], &self.by_entropy];
            policy.backward(self.action.view(), &self.entropy, by, &mut self.by_output, stride);
        }
        loss
    }
}
