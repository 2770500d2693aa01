//! A share of a minibatch of whole lanes, from observations to gradient through time, on the host and without a graph.

use std::ops::Range;
use std::sync::Arc;

use super::along::Along;
use super::own_outputs::OwnOutputs;
use super::share::{self, Share};
use crate::distributions::Distribution;
use crate::kernels::{Gru, GruPasses, Mlp, Passes, Transposed};
use crate::objective::{HostLoss, Objective};
use crate::params::Version;
use crate::rollout::{Minibatch, Rollout};

/// Steps that are worth a shard of their own.
const SHARD: usize = 256;

/// Steps of all lanes that go through the network together: few enough that what is kept of them stays in the cache, many enough
/// that a step has several lanes.
const BLOCK: usize = 2048;

/// How many shards a minibatch is split into, for so many parameters.
pub(super) fn count(steps: usize, lanes: usize, parameters: usize) -> usize {
    share::count(steps, SHARD, parameters).min(lanes.max(1))
}

/// The parts of a network: what goes before the cell, the cell, the heads, and what its outputs mean.
#[derive(Clone, Copy)]
pub(super) struct HostGru<'a> {
    pub(super) front: &'a Mlp,
    pub(super) gru: &'a Gru,
    pub(super) heads: &'a Mlp,
    pub(super) own: &'a OwnOutputs,
    pub(super) distribution: &'a Arc<dyn Distribution>,
}

/// Its weights transposed.
#[derive(Debug, Default)]
pub(super) struct Turned {
    front: Transposed,
    recurrent: Transposed,
    heads: Transposed,
}

impl Turned {
    /// Turns them round, unless they are those of these parameters already.
    pub(super) fn update(&mut self, network: HostGru<'_>, theta: &[f32], version: &Version) {
        self.front.update(network.front, theta, version);
        self.recurrent.update(&network.gru.recurrent, theta, version);
        self.heads.update(network.heads, theta, version);
    }
}

/// Room for passes along lanes.
#[derive(Debug, Default)]
pub(super) struct Work {
    front: Passes,
    gru: GruPasses,
    heads: Passes,
    begins: Vec<bool>,
}

impl Work {
    /// `[T·L, outputs + 1]`: what the heads put out in the last forward pass.
    pub(super) fn output(&self) -> &[f32] {
        self.heads.output()
    }

    /// Goes along the steps that `begins`, `[T, L]`, is of: observations `[T, L, D]`, memory `[L, units]`.
    fn forward(&mut self, network: HostGru<'_>, (theta, turned): (&[f32], &Turned), x: &[f32], memory: &[f32]) {
        let rows = self.begins.len();
        network.front.forward(theta, &turned.front, x, rows, &mut self.front);
        let found = (&self.begins[..], memory);
        network.gru.forward((theta, &turned.recurrent), self.front.output(), found, &mut self.gru);
        network.heads.forward(theta, &turned.heads, &self.gru.output, rows, &mut self.heads);
    }

    /// `[T·L, units]`: what the cell put out, which the heads are on.
    pub(super) fn hidden(&self) -> &[f32] {
        &self.gru.output
    }

    /// One step of each lane, which replaces its memory.
    pub(super) fn step(&mut self, network: HostGru<'_>, parameters: (&[f32], &Turned), x: &[f32], memory: &mut [f32]) {
        self.begins.clear();
        self.begins.resize(x.len() / network.front.inputs(), false);
        self.forward(network, parameters, x, memory);
        memory.copy_from_slice(&self.gru.output);
    }
}

/// Buffers for one share, kept from update to update.
#[derive(Debug, Default)]
pub(super) struct LaneShard {
    pub(super) share: Share,
    work: Work,
    observation: Vec<f32>,
    memory: Vec<f32>,
    /// Of the steps of a block that are the minibatch's, `[B]`: where they are in its rollout, their advantages, and where in `[T, L]`.
    places: Vec<usize>,
    advantage: Vec<f32>,
    at: Vec<usize>,
    /// `[B, outputs + 1]`, `[B, F]` the features that are read, `[B, outputs]` with those of the distribution's own, and `[B]`.
    heads: Vec<f32>,
    features: Vec<f32>,
    outputs: Vec<f32>,
    value: Vec<f32>,
    /// `[T·L, outputs + 1]`, and `[T·L, units]`.
    by_heads: Vec<f32>,
    by_output: Vec<f32>,
    host: HostLoss,
}

impl LaneShard {
    /// Loss and gradient of share `index` of `count` of the lanes.
    pub(super) fn run(
        &mut self,
        network: HostGru<'_>,
        (theta, turned): (&[f32], &Turned),
        (batch, along): (Minibatch<'_>, &Along),
        objective: &dyn Objective,
        (index, count): (usize, usize),
    ) {
        self.share.begin(theta.len(), std::slice::from_ref(&(0..theta.len())));
        let lanes = along.lanes.len();
        let (mut start, end) = (index * lanes / count, (index + 1) * lanes / count);
        let together = (BLOCK / along.steps.max(1)).max(4);
        while start < end {
            self.share.interrupted = batch.stop.asked();
            if self.share.interrupted {
                return;
            }
            let block = start..(start + together).min(end);
            start = block.end;
            let steps = self.gather(batch, along, &block);
            self.lay_out(batch.rollout, &along.lanes[block.clone()], steps);
            self.work.forward(network, (theta, turned), &self.observation, &self.memory);
            self.share.loss += self.descend(network, theta, batch, objective);
            let (work, gradient) = (&mut self.work, &mut self.share.gradient);
            let to = (&mut gradient[..], &mut self.by_output);
            network.heads.backward_to_input(theta, &work.gru.output, &mut work.heads, &self.by_heads, to);
            let lanes = (&work.begins[..], block.len());
            network.gru.backward(theta, lanes, &self.by_output, &mut work.gru, gradient);
            network.front.backward(theta, &self.observation, &mut work.front, &work.gru.by_input, gradient);
        }
    }

    /// Picks the minibatch's steps in some of its lanes, and says how many steps these have to be gone along.
    fn gather(&mut self, batch: Minibatch<'_>, along: &Along, block: &Range<usize>) -> usize {
        let Self { places, advantage, at, .. } = self;
        places.clear();
        advantage.clear();
        at.clear();
        let mut steps = 0;
        for (&place, &of_place) in batch.places.iter().zip(batch.advantage) {
            let (lane, step) = (along.lane_of(place), place / batch.rollout.lanes);
            if block.contains(&lane) {
                places.push(place);
                advantage.push(of_place);
                at.push(step * block.len() + lane - block.start);
                steps = steps.max(step + 1);
            }
        }
        steps
    }

    /// Lays out what the network takes of some lanes.
    fn lay_out(&mut self, rollout: &Rollout, lanes: &[usize], steps: usize) {
        let Self { work, observation, memory, .. } = self;
        observation.clear();
        memory.clear();
        work.begins.clear();
        let places = || (0..steps).flat_map(|t| lanes.iter().map(move |lane| t * rollout.lanes + lane));
        rollout.observation.numbers_at(places(), rollout.observation_len, observation);
        work.begins.extend(places().map(|place| rollout.begins(place)));
        let m = rollout.memory.len() / rollout.lanes;
        lanes.iter().for_each(|lane| memory.extend_from_slice(&rollout.memory[lane * m..(lane + 1) * m]));
    }

    /// The loss of the minibatch's steps in this block, a sum over them; leaves the derivatives by what the heads put out, zero in
    /// all other steps.
    fn descend(&mut self, network: HostGru<'_>, theta: &[f32], batch: Minibatch<'_>, objective: &dyn Objective) -> f64 {
        let Self { work, heads, features, outputs, value, by_heads, host, share, .. } = self;
        let Share { gradient, sums, .. } = share;
        let HostGru { own, distribution, .. } = network;
        let actions = distribution.network_outputs();
        let stride = actions + 1;
        heads.clear();
        value.clear();
        for row in self.at.iter().map(|at| &work.output()[at * stride..(at + 1) * stride]) {
            heads.extend_from_slice(row);
            value.push(row[actions]);
        }
        features.clear();
        let read = own.features();
        self.at.iter().for_each(|at| features.extend_from_slice(&work.hidden()[at * read..(at + 1) * read]));
        let (rows, width) = own.rows(theta, (heads, stride), actions, features, outputs);
        let weight = 1.0 / batch.places.len() as f32;
        let block = Minibatch { places: &self.places, advantage: &self.advantage, ..batch };
        let loss = host.run(objective, (rows, width, distribution), value, block, weight, sums);
        own.take(&mut host.by_output, actions, stride, gradient);
        by_heads.clear();
        by_heads.resize(work.output().len(), 0.0);
        for ((at, by_output), by_value) in self.at.iter().zip(host.by_output.chunks_exact(stride)).zip(&host.by_value) {
            let row = &mut by_heads[at * stride..(at + 1) * stride];
            row.copy_from_slice(by_output);
            row[actions] = *by_value;
        }
        loss
    }
}
