//! A share of a minibatch, from observations to gradient, on the host and without a graph.

use std::sync::Arc;

use super::nets::{Net, Nets};
use super::own_outputs::OwnOutputs;
use super::share::{self, Share};
use crate::distributions::Distribution;
use crate::kernels::{Mlp, add};
use crate::objective::{HostLoss, Objective, RowSums};
use crate::rollout::Minibatch;
use crate::{Params, Result, Threads};

/// The network of a share: what it is made of, their weights, and what its outputs mean.
type Network<'a, N> =
    (&'a Nets<N>, &'a [<N as Net>::Turned; 2], &'a Arc<dyn Distribution>, &'a OwnOutputs, &'a Threads);

/// Rows that go through a network together.
fn block<N: Net>(nets: &Nets<N>) -> usize {
    let (Nets::Separate { actor: net, .. } | Nets::Shared(net)) = nets;
    net.block()
}

/// Replaces `gradient` by that of an objective's mean over a minibatch, `[P]`, and `sums` by what its terms report, in shares on
/// these threads; returns the loss. Weights and shards are kept from call to call.
///
/// # Errors
/// As [`Model::host_gradient`](super::Model::host_gradient).
pub(super) fn gradient<N: Net>(
    (nets, distribution, own, threads): (&Nets<N>, &Arc<dyn Distribution>, &OwnOutputs, &Threads),
    params: &Params,
    batch: Minibatch<'_>,
    objective: &dyn Objective,
    (turned, shards): (&mut [N::Turned; 2], &mut Vec<Shard<N>>),
    (gradient, sums): (&mut Vec<f32>, &mut RowSums),
) -> Result<f64> {
    batch.check()?;
    batch.check_action(distribution.action_len(), distribution.action_kind())?;
    let count = batch.places.len().div_ceil(block(nets)).clamp(1, share::MOST);
    shards.resize_with(shards.len().max(count), Shard::default);
    let shards = &mut shards[..count];
    // Of a minibatch of one share, one thread takes the actor and another the critic.
    let alone = Threads::default();
    let within = if count == 1 { threads } else { &alone };
    params.read(|theta| {
        let version = params.version();
        let [first, second] = &mut *turned;
        match nets {
            Nets::Separate { actor, critic } => {
                within.both(|| actor.turn(first, theta, &version), || critic.turn(second, theta, &version));
            }
            Nets::Shared(net) => net.turn(first, theta, &version),
        }
        threads.each(shards, |index, shard| {
            shard.run((nets, turned, distribution, own, within), theta, batch, objective, (index, count));
        });
    })?;
    let loss = Share::total(shards.iter().map(|shard| &shard.share), gradient, sums)?;
    Ok(loss / batch.places.len() as f64)
}

/// Buffers for one share, kept from update to update.
pub(super) struct Shard<N: Net = Mlp> {
    share: Share,
    actor: N::Passes,
    critic: N::Passes,
    observation: Vec<f32>,
    value: Vec<f32>,
    /// The critic's gradient, in its places of `[P]`: it may be computed while the actor's is.
    apart: Vec<f32>,
    /// `[B, outputs]`: the policy's whole outputs, where a network does not give all.
    outputs: Vec<f32>,
    host: HostLoss,
}

impl<N: Net> Default for Shard<N> {
    fn default() -> Self {
        Self {
            share: Share::default(),
            actor: N::Passes::default(),
            critic: N::Passes::default(),
            observation: Vec::new(),
            value: Vec::new(),
            apart: Vec::new(),
            outputs: Vec::new(),
            host: HostLoss::default(),
        }
    }
}

impl<N: Net> Shard<N> {
    /// Loss and gradient of share `index` of `count`.
    fn run(
        &mut self,
        network: Network<'_, N>,
        theta: &[f32],
        batch: Minibatch<'_>,
        objective: &dyn Objective,
        (index, count): (usize, usize),
    ) {
        self.share.begin(theta.len());
        self.apart.clear();
        let rows = batch.places.len();
        let end = (index + 1) * rows / count;
        let mut start = index * rows / count;
        while start < end {
            self.share.interrupted = batch.stop.asked();
            if self.share.interrupted {
                return;
            }
            let block = start..(start + block(network.0)).min(end);
            start = block.end;
            let (places, advantage) = (&batch.places[block.clone()], &batch.advantage[block]);
            let block = Minibatch { places, advantage, ..batch };
            self.share.loss += self.block(network, theta, block, objective, 1.0 / rows as f32);
        }
        if let (Nets::Separate { critic, .. }, false) = (network.0, self.apart.is_empty()) {
            add(&mut self.share.gradient[critic.places()], &self.apart[critic.places()]);
        }
    }

    /// Adds one block's gradient, times `weight`, and returns its loss, a sum over rows.
    fn block(
        &mut self,
        network: Network<'_, N>,
        theta: &[f32],
        batch: Minibatch<'_>,
        objective: &dyn Objective,
        weight: f32,
    ) -> f64 {
        let (nets, [first, second], distribution, own, threads) = network;
        let actions = distribution.network_outputs();
        let b = batch.places.len();
        self.observation.clear();
        batch.rollout.observations_at(batch.places, &mut self.observation);

        // Logits are the first columns of the actor's output; values the critic's, or the last column of a shared one.
        let Self { actor: work, critic: critic_work, observation, .. } = self;
        let stride = match nets {
            Nets::Separate { actor, critic } => {
                let observation = &*observation;
                threads.both(
                    || actor.forward(theta, first, observation, b, work),
                    || critic.forward(theta, second, observation, b, critic_work),
                );
                self.value.clear();
                self.value.extend_from_slice(N::output(critic_work));
                actions
            }
            Nets::Shared(net) => {
                net.forward(theta, first, observation, b, work);
                self.value.clear();
                self.value.extend(N::output(work).chunks_exact(actions + 1).map(|row| row[actions]));
                actions + 1
            }
        };
        let (whole, hidden) = ((N::output(work), stride), N::hidden(work, observation));
        let (outputs, width) = own.rows(theta, whole, actions, hidden, &mut self.outputs);
        let outputs = (outputs, width, distribution);
        let (host, sums) = (&mut self.host, &mut self.share.sums);
        let loss = host.run(objective, outputs, &self.value, batch, weight, sums);
        let gradient = &mut self.share.gradient;
        own.take(&mut host.by_output, actions, stride, gradient);
        match nets {
            Nets::Separate { actor, critic } => {
                let (observation, host, apart) = (&*observation, &*host, &mut self.apart);
                threads.both(
                    || actor.backward(theta, observation, work, &host.by_output, gradient),
                    || {
                        apart.resize(theta.len(), 0.0);
                        critic.backward(theta, observation, critic_work, &host.by_value, apart);
                    },
                );
            }
            Nets::Shared(net) => {
                for (row, &d) in host.by_output.chunks_exact_mut(stride).zip(&host.by_value) {
                    row[actions] = d;
                }
                net.backward(theta, observation, work, &host.by_output, gradient);
            }
        }
        loss
    }
}
