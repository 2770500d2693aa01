//! Products with the Fisher information of a policy: what natural gradients and trust regions are made of.

use super::nets::Nets;
use super::{MlpModel, Model, rows};
use crate::distributions::KeptRows;
use crate::error::check_len;
use crate::kernels::{Passes, Transposed};
use crate::scratch::Scratch;
use crate::{Error, Params, Result};

/// What such a product keeps in its [`Scratch`].
#[derive(Default)]
struct FisherScratch {
    transposed: Transposed,
    policy: KeptRows,
    passes: Passes,
    tangents: Vec<f32>,
    outputs: Vec<f32>,
    by_output: Vec<f32>,
    /// `[B, F]` zeros: features have no tangent, as they have no gradient.
    unread: Vec<f32>,
}

/// Rows that go through the network together.
const BLOCK: usize = 256;

impl MlpModel {
    /// Replaces `product` by `F·vector`, both `[P]`, `F` the policy's Fisher information averaged over observations
    /// `[B, D]`, without ever making `F`:
    ///
    /// ```text
    ///   F = mean over s of Σₐ π(a|s)·∇log π(a|s)·∇log π(a|s)ᵀ = mean of Jᵀ·(diag(π) − π·πᵀ)·J,     J = ∂logits/∂θ
    /// ```
    ///
    /// It is the Hessian of KL(π_old, π) at `π = π_old`. Along the critic's own parameters it is zero. A damping
    /// `+ λ·vector` is the caller's to add.
    ///
    /// Pearlmutter 1994, <https://doi.org/10.1162/neco.1994.6.1.147>; Schulman et al. 2015, appendix C,
    /// <https://arxiv.org/abs/1502.05477>.
    ///
    /// # Errors
    /// [`Error::Shape`] for observations that are not a whole number of rows, or a vector of another length than `P`;
    /// [`Error::Config`] on another device than the CPU.
    pub fn fisher_vector_product(
        &self,
        params: &Params,
        observation: &[f32],
        vector: &[f32],
        scratch: &mut Scratch,
        product: &mut Vec<f32>,
    ) -> Result<()> {
        let (net, stride) = match self.nets() {
            Nets::Separate { actor, .. } => (actor, actor.outputs()),
            Nets::Shared(net) => (net, net.outputs()),
        };
        let (width, own, actions) = (net.inputs(), self.own(), self.distribution().network_outputs());
        let batch = rows(observation, width)?;
        check_len("the vector", params.layout().len(), vector.len())?;
        if !params.device().is_cpu() {
            return Err(Error::Config("Fisher-vector products are taken on the CPU only".into()));
        }
        product.clear();
        product.resize(vector.len(), 0.0);
        let FisherScratch { transposed, policy, passes, tangents, outputs, by_output, unread } = scratch.of();
        let policy = policy.of(self.distribution());
        params.read(|theta| {
            transposed.update(net, theta, &params.version());
            for x in observation.chunks(BLOCK * width) {
                let rows = x.len() / width;
                net.forward(theta, transposed, x, rows, passes);
                let (whole, all) = own.rows(theta, (passes.output(), stride), actions, passes.hidden(x), outputs);
                policy.set(whole, all);
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
        })?;
        let mean = 1.0 / batch.max(1) as f32;
        product.iter_mut().for_each(|p| *p *= mean);
        Ok(())
    }
}
