//! Products with the Fisher information of a policy: what natural gradients and trust regions are made of.

use std::sync::Arc;

use candle_core::Tensor;

use super::along::Asked;
use super::nets::{Net, Nets};
use super::own_outputs::OwnOutputs;
use super::share::{self, Share};
use super::workers::Workers;
use super::{BLOCK, Model};
use crate::distributions::{Distribution, KeptRows, forbid};
use crate::error::check_len;
use crate::kernels::{Mlp, Passes, Transposed, sum_of_squares};
use crate::objective::RowSums;
use crate::rollout::Minibatch;
use crate::{Params, Result};

/// What a perceptron's products keep in its [`Scratch`](crate::Scratch).
#[derive(Default)]
pub(super) struct FisherScratch {
    transposed: Transposed,
    shards: Vec<FisherShard>,
    /// Of which there are none.
    sums: RowSums,
}

/// A perceptron and what its outputs mean.
type Network<'a> = (&'a Nets, &'a OwnOutputs, &'a Arc<dyn Distribution>, &'a Workers);

/// [`Model::fisher_vector_product`] of perceptrons, exactly and on the host, in shares of these workers: `J·v` forwards, `Jᵀ` backwards.
pub(super) fn on_host(
    (nets, own, distribution, workers): Network<'_>,
    params: &Params,
    batch: Minibatch<'_>,
    vector: &[f32],
    scratch: &mut FisherScratch,
    product: &mut Vec<f32>,
) -> Result<()> {
    let (Nets::Separate { actor: net, .. } | Nets::Shared(net)) = nets;
    batch.check()?;
    check_len("the network's input", net.inputs(), batch.rollout.observation_len)?;
    check_len("the vector", params.layout().len(), vector.len())?;
    let FisherScratch { transposed, shards, sums } = scratch;
    let count = share::count(batch.places.len(), net.share(), vector.len());
    shards.resize_with(shards.len().max(count), FisherShard::default);
    let shards = &mut shards[..count];
    let places = [net.places(), own.places()];
    let mine = workers.own(count);
    params.read(|theta| {
        transposed.update(net, theta, &params.version());
        workers.threads.each(&mut shards[mine.clone()], |index, shard| {
            shard.share.begin(theta.len(), &places);
            let (index, rows) = (mine.start + index, batch.places.len());
            let places = &batch.places[index * rows / count..(index + 1) * rows / count];
            shard.run((net, own, distribution), (theta, transposed), Minibatch { places, ..batch }, vector);
        });
    })?;
    workers.exchange(shards, |shard| &mut shard.share, (vector.len(), &places))?;
    product.clear();
    product.resize(vector.len(), 0.0);
    Share::total(shards.iter().map(|shard| &shard.share), (vector.len(), &places), product, sums)?;
    let mean = 1.0 / batch.places.len().max(1) as f32;
    product.iter_mut().for_each(|p| *p *= mean);
    Ok(())
}

/// Buffers for one share of a product, kept from product to product.
#[derive(Default)]
struct FisherShard {
    /// Its sum over rows, in place of a gradient.
    share: Share,
    policy: KeptRows,
    passes: Passes,
    observation: Vec<f32>,
    mask: Vec<bool>,
    tangents: Vec<f32>,
    outputs: Vec<f32>,
    legal: Vec<f32>,
    by_output: Vec<f32>,
    /// `[B, F]` zeros: features have no tangent, as they have no gradient.
    unread: Vec<f32>,
}

impl FisherShard {
    /// Adds what is due to the steps of a minibatch.
    fn run(
        &mut self,
        (net, own, distribution): (&Mlp, &OwnOutputs, &Arc<dyn Distribution>),
        (theta, transposed): (&[f32], &Transposed),
        Minibatch { rollout, places, stop, .. }: Minibatch<'_>,
        vector: &[f32],
    ) {
        let Self { share, policy, passes, observation: x, mask, tangents, outputs, legal, by_output, unread } = self;
        let (policy, product) = (policy.of(distribution), &mut share.gradient);
        let (actions, stride) = (distribution.network_outputs(), net.outputs());
        for places in places.chunks(BLOCK) {
            share.interrupted = stop.asked();
            if share.interrupted {
                return;
            }
            let rows = places.len();
            x.clear();
            rollout.observations_at(places, x);
            net.forward(theta, transposed, x, rows, passes);
            let (whole, all) = own.rows(theta, (passes.output(), stride), actions, passes.hidden(x), outputs);
            if rollout.choices == 0 {
                policy.set(whole, all);
            } else {
                rollout.masks_at(places, mask);
                legal.clear();
                legal.extend_from_slice(whole);
                forbid(legal, all, mask, rollout.choices);
                policy.set(legal, all);
            }
            tangents.clear();
            let by_network = net.tangent(theta, vector, x, rows, passes);
            unread.resize(rows * own.features(), 0.0);
            for (row, tangent) in by_network.chunks_exact(stride).enumerate() {
                own.push_row(vector, (row, &tangent[..actions]), unread, tangents);
            }
            policy.fisher(tangents);
            by_output.clear();
            by_output.resize(rows * stride, 0.0);
            for (out, t) in by_output.chunks_exact_mut(stride).zip(tangents.chunks_exact(actions + own.len())) {
                out[..actions].copy_from_slice(&t[..actions]);
                own.add(&t[actions..], product);
            }
            net.backward(theta, x, passes, by_output, product);
        }
    }
}

/// How far the parameters are moved for a difference, in parts of their length.
const STEP: f64 = 1e-3;

/// [`Model::fisher_vector_product`] through tensors, the slopes along the vector by central differences.
pub(super) fn by_differences<M: Model + ?Sized>(
    model: &M,
    params: &Params,
    batch: Minibatch<'_>,
    vector: &[f32],
    product: &mut Vec<f32>,
) -> Result<()> {
    let (distribution, layout) = (model.distribution(), params.layout());
    batch.check()?;
    check_len("the network's input", model.observation_len(), batch.rollout.observation_len)?;
    check_len("the vector", layout.len(), vector.len())?;
    product.clear();
    product.resize(vector.len(), 0.0);
    let mut along = vector.to_vec();
    layout.blocks().iter().filter(|block| model.detached(&block.name)).for_each(|block| along[block.range()].fill(0.0));
    let (theta, length) = (params.snapshot()?, sum_of_squares(&along).sqrt());
    if length == 0.0 || batch.places.is_empty() {
        return Ok(());
    }
    let h = STEP * sum_of_squares(&theta).sqrt().max(1.0) / length;
    let moved = |by: f64| {
        params.with_values(theta.iter().zip(&along).map(|(t, v)| (f64::from(*t) + by * f64::from(*v)) as f32).collect())
    };
    let (ahead, behind) = (moved(h)?, moved(-h)?);
    let mut policy = distribution.rows();
    let (width, from) = (distribution.outputs(), distribution.network_outputs());
    // What remembers goes along whole lanes.
    let size = if model.memory() > 0 { batch.places.len() } else { BLOCK };
    let mut mask = Vec::new();
    for places in batch.places.chunks(size) {
        batch.stop.check()?;
        let mut observation = Vec::new();
        batch.rollout.observations_at(places, &mut observation);
        let shape = (places.len(), batch.rollout.observation_len);
        let observation = Tensor::from_vec(observation, shape, params.device())?;
        let asked = Asked::of(model, batch.rollout, places, &observation)?;
        let answered =
            |params: &Params| -> Result<Tensor> { Ok(asked.answer(model, params)?.policy.outputs().clone()) };
        let numbers = |outputs: &Tensor| -> Result<Vec<f32>> { Ok(outputs.flatten_all()?.to_vec1()?) };
        // One after the other, so that no two graphs are held at once.
        let plus = numbers(&answered(&ahead)?)?;
        let minus = numbers(&answered(&behind)?)?;
        let mut tangents: Vec<f32> =
            plus.iter().zip(&minus).map(|(p, m)| ((f64::from(*p) - f64::from(*m)) / (2.0 * h)) as f32).collect();
        // Features have no tangent, as they have no gradient.
        let features = from..from + distribution.features();
        tangents.chunks_exact_mut(width).for_each(|row| row[features.clone()].fill(0.0));
        let outputs = answered(params)?;
        let mut legal = numbers(&outputs)?;
        batch.rollout.masks_at(places, &mut mask);
        forbid(&mut legal, width, &mask, batch.rollout.choices);
        policy.set(&legal, width);
        policy.fisher(&mut tangents);
        let weights = Tensor::from_vec(tangents, (places.len(), width), params.device())?;
        let gradient: Vec<f32> = params.gradient(&(outputs * weights)?.sum_all()?)?.to_vec1()?;
        product.iter_mut().zip(gradient).for_each(|(p, g)| *p += g);
    }
    let mean = 1.0 / batch.places.len() as f32;
    product.iter_mut().for_each(|p| *p *= mean);
    Ok(())
}
