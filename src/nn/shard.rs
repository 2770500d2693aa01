//! A share of a minibatch, from observations to gradient, on the host and without a graph.

use super::mlp_actor_critic::Nets;
use crate::Rollout;
use crate::advantage::Estimate;
use crate::dist::CategoricalRows;
use crate::kernels::Workspace;
use crate::objective::{Objective, RowGradients, RowSums, Rows};

/// Some steps of a rollout, as an objective takes them.
#[derive(Debug, Clone, Copy)]
pub struct Minibatch<'a> {
    /// What was collected.
    pub rollout: &'a Rollout,
    /// Advantages and targets of all of it; the targets are read here.
    pub estimate: &'a Estimate,
    /// Places in `[T, N]` of the `B` steps.
    pub places: &'a [usize],
    /// `[B]`: advantages, one a place, so that they can have been normalised over the minibatch.
    pub advantage: &'a [f32],
}

/// Rows that go through the network together: few enough that all activations stay in the cache.
const BLOCK: usize = 256;

/// The most shards of one minibatch. Their number depends on the minibatch alone and not on the machine, so that sums are
/// taken in the same order everywhere.
const MAX_SHARDS: usize = 8;

/// How many shards a minibatch is split into.
pub(super) fn count(rows: usize) -> usize {
    rows.div_ceil(BLOCK).clamp(1, MAX_SHARDS)
}

/// Buffers for one share, kept from update to update.
#[derive(Debug, Default)]
pub(super) struct Shard {
    /// `[P]`: this share's part of the gradient.
    pub(super) gradient: Vec<f32>,
    /// This share's part of the loss, a sum over rows; `None` if the objective has no form on the host.
    pub(super) loss: Option<f64>,
    /// What the terms reported, sums over rows.
    pub(super) sums: RowSums,
    actor: Workspace,
    critic: Workspace,
    policy: CategoricalRows,
    observation: Vec<f32>,
    action: Vec<u32>,
    log_prob: Vec<f32>,
    entropy: Vec<f32>,
    value: Vec<f32>,
    old_log_prob: Vec<f32>,
    target: Vec<f32>,
    old_value: Vec<f32>,
    by_log_prob: Vec<f32>,
    by_entropy: Vec<f32>,
    by_value: Vec<f32>,
    by_output: Vec<f32>,
}

impl Shard {
    /// Loss and gradient of share `index` of `count`.
    pub(super) fn run(
        &mut self,
        nets: &Nets,
        actions: usize,
        theta: &[f32],
        batch: Minibatch<'_>,
        objective: &dyn Objective,
        (index, count): (usize, usize),
    ) {
        self.gradient.clear();
        self.gradient.resize(theta.len(), 0.0);
        self.sums.clear();
        self.loss = Some(0.0);
        let rows = batch.places.len();
        let end = (index + 1) * rows / count;
        let mut start = index * rows / count;
        while start < end {
            let block = start..(start + BLOCK).min(end);
            start = block.end;
            let places = &batch.places[block.clone()];
            let loss = self.block(nets, actions, theta, batch, places, &batch.advantage[block], objective);
            self.loss = self.loss.zip(loss).map(|(sum, loss)| sum + loss);
        }
    }

    /// Adds one block's gradient and returns its loss.
    #[allow(clippy::too_many_arguments)]
    fn block(
        &mut self,
        nets: &Nets,
        actions: usize,
        theta: &[f32],
        batch: Minibatch<'_>,
        places: &[usize],
        advantage: &[f32],
        objective: &dyn Objective,
    ) -> Option<f64> {
        let (rollout, b) = (batch.rollout, places.len());
        self.observation.clear();
        places.iter().for_each(|&i| self.observation.extend_from_slice(rollout.observation_at(i)));
        self.action.clear();
        self.action.extend(places.iter().map(|&i| rollout.action[i]));
        for (buffer, source) in [
            (&mut self.old_log_prob, &rollout.log_prob),
            (&mut self.target, &batch.estimate.target),
            (&mut self.old_value, &rollout.value),
        ] {
            buffer.clear();
            buffer.extend(places.iter().map(|&i| source[i]));
        }

        // Logits are the first columns of the actor's output; values the critic's, or the last column of a shared one.
        let Self { actor: work, critic: critic_work, observation, .. } = self;
        let stride = match nets {
            Nets::Separate { actor, critic } => {
                actor.forward(theta, observation, b, work);
                critic.forward(theta, observation, b, critic_work);
                self.value.clear();
                self.value.extend_from_slice(critic_work.output());
                actions
            }
            Nets::Shared(net) => {
                net.forward(theta, observation, b, work);
                self.value.clear();
                self.value.extend(work.output().chunks_exact(actions + 1).map(|row| row[actions]));
                actions + 1
            }
        };
        self.policy.set(work.output(), stride, actions);
        self.policy.of(&self.action, &mut self.log_prob, &mut self.entropy);

        for buffer in [&mut self.by_log_prob, &mut self.by_entropy, &mut self.by_value] {
            buffer.clear();
            buffer.resize(b, 0.0);
        }
        let now = Rows {
            log_prob: &self.log_prob,
            entropy: &self.entropy,
            value: &self.value,
            old_log_prob: &self.old_log_prob,
            advantage,
            target: &self.target,
            old_value: &self.old_value,
        };
        let mut out =
            RowGradients { log_prob: &mut self.by_log_prob, entropy: &mut self.by_entropy, value: &mut self.by_value };
        let loss = objective.rows(&now, 1.0 / batch.places.len() as f32, &mut out, &mut self.sums)?;

        self.by_output.clear();
        self.by_output.resize(b * stride, 0.0);
        let by = [&self.by_log_prob[..], &self.by_entropy];
        self.policy.backward(&self.action, &self.entropy, by, &mut self.by_output, stride);
        let gradient = &mut self.gradient;
        match nets {
            Nets::Separate { actor, critic } => {
                actor.backward(theta, observation, work, &self.by_output, gradient);
                critic.backward(theta, observation, critic_work, &self.by_value, gradient);
            }
            Nets::Shared(net) => {
                for (row, &d) in self.by_output.chunks_exact_mut(stride).zip(&self.by_value) {
                    row[actions] = d;
                }
                net.backward(theta, observation, work, &self.by_output, gradient);
            }
        }
        Some(loss)
    }
}
