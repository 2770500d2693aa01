//! A share of a minibatch, from observations to gradient, on the host and without a graph.

use std::ops::Range;
use std::sync::Arc;

use super::nets::{Net, Nets};
use super::own_outputs::OwnOutputs;
use super::share::{self, Share};
use super::workers::Workers;
use crate::distributions::Distribution;
use crate::kernels::{Mlp, add};
use crate::objective::{HostLoss, Objective, RowSums};
use crate::rollout::Minibatch;
use crate::{Params, Result, Threads};

/// The network of a share: what it is made of, their weights, and what its outputs mean.
type Network<'a, N> =
    (&'a Nets<N>, &'a [<N as Net>::Turned; 2], &'a Arc<dyn Distribution>, &'a OwnOutputs, &'a Threads);

/// Rows times parameters from which on a share is worth two threads: less are learnt from in the time that it takes for what both need
/// to go from one core to another a few times.
const WORTH_TWO: usize = 1 << 19;

/// The network that says how rows are split.
fn leading<N: Net>(nets: &Nets<N>) -> &N {
    let (Nets::Separate { actor: net, .. } | Nets::Shared(net)) = nets;
    net
}

/// The places of a gradient that no network puts off, before, between and after those.
fn at_once<N: Net>(nets: &Nets<N>, parameters: usize) -> [Range<usize>; 3] {
    let mut put_off = nets.each().into_iter().filter_map(|net| net.put_off());
    let [a, b] = [(); 2].map(|()| put_off.next().unwrap_or(parameters..parameters));
    let [a, b] = if a.start <= b.start { [a, b] } else { [b, a] };
    [0..a.start, a.end..b.start, b.end..parameters]
}

/// Whether the network that says the policy is asked: one that has nothing else to say is not, where nothing reads it.
fn asks_policy<N>(nets: &Nets<N>, objective: &dyn Objective) -> bool {
    matches!(nets, Nets::Shared(_)) || objective.reads_policy()
}

/// Replaces `gradient` by that of an objective's mean over a minibatch, `[P]`, and `sums` by what its terms report, in shares of
/// these workers; returns the loss. Weights and shards are kept from call to call.
///
/// # Errors
/// As [`Model::host_gradient`](super::Model::host_gradient).
pub(super) fn gradient<N: Net>(
    (nets, distribution, own, workers): (&Nets<N>, &Arc<dyn Distribution>, &OwnOutputs, &Workers),
    params: &Params,
    batch: Minibatch<'_>,
    objective: &dyn Objective,
    (turned, shards): (&mut [N::Turned; 2], &mut Vec<Shard<N>>),
    (gradient, sums): (&mut Vec<f32>, &mut RowSums),
) -> Result<f64> {
    batch.check()?;
    batch.check_action(distribution.action_len(), distribution.action_kind())?;
    batch.check_shift(distribution.means())?;
    let parameters = params.layout().len();
    let count = share::count(batch.places.len(), leading(nets).share(), parameters);
    shards.resize_with(shards.len().max(count), Shard::default);
    let shards = &mut shards[..count];
    // Of a minibatch of one share, one thread takes the actor and another the critic, where that saves more than their meeting costs.
    let (alone, threads) = (Threads::default(), &workers.threads);
    let is_worth_two = batch.places.len().saturating_mul(parameters) >= WORTH_TWO;
    let within = if count == 1 && is_worth_two { threads } else { &alone };
    // What is put off is made up of what all shares have left here.
    let is_whole = nets.each().into_iter().any(|net| net.put_off().is_some());
    let mine = if is_whole { 0..count } else { workers.own(count) };
    params.read(|theta| {
        let version = params.version();
        let [first, second] = &mut *turned;
        match nets {
            Nets::Separate { actor, critic } => {
                within.both(
                    || {
                        if objective.reads_policy() {
                            actor.turn(first, theta, &version);
                        }
                    },
                    || critic.turn(second, theta, &version),
                );
            }
            Nets::Shared(net) => net.turn(first, theta, &version),
        }
        threads.each(&mut shards[mine.clone()], |index, shard| {
            let index = (mine.start + index, count);
            shard.run((nets, turned, distribution, own, within), theta, batch, objective, index);
        });
    })?;
    let places = at_once(nets, parameters);
    if !is_whole {
        workers.exchange(shards, |shard| &mut shard.share, (parameters, &places))?;
    }
    let loss = match shards {
        [one] if !is_whole => one.share.give(gradient, sums)?,
        _ => Share::total(shards.iter().map(|shard| &shard.share), (parameters, &places), gradient, sums)?,
    };
    let (first, others) = shards.split_at_mut(1);
    let is_asked = |which: usize| which > 0 || asks_policy(nets, objective);
    for (which, net) in nets.each().into_iter().enumerate().filter(|(_, net)| net.put_off().is_some()) {
        if !is_asked(which) {
            net.put_off().into_iter().for_each(|places| gradient[places].fill(0.0));
            continue;
        }
        let others: Vec<_> = others.iter().map(|shard| if which == 0 { &shard.actor } else { &shard.critic }).collect();
        let first = &mut first[0];
        let first = if which == 0 { &mut first.actor } else { &mut first.critic };
        net.make_up(first, &others, threads, gradient);
    }
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
    /// Passes of the first network, or of the second.
    pub(super) fn passes(&mut self, which: usize) -> &mut N::Passes {
        if which == 0 { &mut self.actor } else { &mut self.critic }
    }

    /// Loss and gradient of share `index` of `count`.
    fn run(
        &mut self,
        network: Network<'_, N>,
        theta: &[f32],
        batch: Minibatch<'_>,
        objective: &dyn Objective,
        (index, count): (usize, usize),
    ) {
        let (nets, .., threads) = network;
        // Where both passes back go at the same time.
        let apart = match nets {
            Nets::Separate { critic, .. } if asks_policy(nets, objective) && threads.count() > 1 => critic.places(),
            _ => 0..0,
        };
        self.apart.resize(apart.end.max(self.apart.len()), 0.0);
        self.apart[apart.clone()].fill(0.0);
        self.share.begin(theta.len(), &at_once(network.0, theta.len()));
        N::begin(&mut self.actor);
        N::begin(&mut self.critic);
        let rows = batch.places.len();
        let end = (index + 1) * rows / count;
        let mut start = index * rows / count;
        while start < end {
            self.share.interrupted = batch.stop.asked();
            if self.share.interrupted {
                return;
            }
            let block = start..(start + leading(network.0).block()).min(end);
            start = block.end;
            let (places, advantage) = (&batch.places[block.clone()], &batch.advantage[block]);
            let block = Minibatch { places, advantage, ..batch };
            self.share.loss += self.block(network, theta, block, objective, 1.0 / rows as f32);
        }
        add(&mut self.share.gradient[apart.clone()], &self.apart[apart]);
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
        let (actions, asks_policy) = (distribution.network_outputs(), asks_policy(nets, objective));
        let b = batch.places.len();
        self.observation.clear();
        batch.rollout.observations_at(batch.places, &mut self.observation);

        // Logits are the first columns of the actor's output; values the critic's, or the last column of a shared one.
        let Self { actor: work, critic: critic_work, observation, .. } = self;
        let stride = match nets {
            Nets::Separate { actor, critic } => {
                let observation = &*observation;
                threads.both(
                    || {
                        if asks_policy {
                            actor.forward(theta, first, observation, b, work);
                        }
                    },
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
        let (outputs, width) = if asks_policy {
            let (whole, hidden) = ((N::output(work), stride), N::hidden(work, observation));
            own.rows(theta, whole, actions, hidden, &mut self.outputs)
        } else {
            (&[][..], actions + own.len())
        };
        let outputs = (outputs, width, distribution);
        let (host, sums) = (&mut self.host, &mut self.share.sums);
        let loss = host.run(objective, outputs, &self.value, batch, weight, sums);
        let gradient = &mut self.share.gradient;
        own.take(&mut host.by_output, actions, stride, gradient);
        match nets {
            Nets::Separate { actor, critic } => {
                let (observation, host, apart) = (&*observation, &*host, &mut self.apart);
                if !asks_policy {
                    critic.backward((theta, second), observation, critic_work, &host.by_value, gradient);
                } else if threads.count() == 1 {
                    actor.backward((theta, first), observation, work, &host.by_output, gradient);
                    critic.backward((theta, second), observation, critic_work, &host.by_value, gradient);
                } else {
                    threads.both(
                        || actor.backward((theta, first), observation, work, &host.by_output, gradient),
                        || critic.backward((theta, second), observation, critic_work, &host.by_value, apart),
                    );
                }
            }
            Nets::Shared(net) => {
                for (row, &d) in host.by_output.chunks_exact_mut(stride).zip(&host.by_value) {
                    row[actions] = d;
                }
                net.backward((theta, first), observation, work, &host.by_output, gradient);
            }
        }
        loss
    }
}
