//! A whole multi-layer perceptron as one candle operation.

use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::mlp::{Mlp, Workspace};
use crate::host_slice::{contiguous, with_slice};
use crate::params::Version;

/// [`Mlp`] as a candle operation on `(theta [P], observation [B, D])` giving `[B, outputs]`.
///
/// Its gradient goes to theta alone: observations are data.
pub(crate) struct FusedMlp {
    mlp: Arc<Mlp>,
    /// The parameters' version at the forward pass. The activations kept here belong to that one and no other.
    version: Version,
    workspace: Mutex<Workspace>,
}

impl FusedMlp {
    pub(crate) fn new(mlp: Arc<Mlp>, version: Version) -> Self {
        Self { mlp, version, workspace: Mutex::default() }
    }
}

impl FusedMlp {
    /// Goes forward once more and says whether the outputs are still the same.
    fn again(&self, theta: &Tensor, observation: &Tensor, result: &Tensor, room: &mut Workspace) -> Result<bool> {
        let Workspace { transposed, passes } = room;
        with_slice(theta, |theta| {
            with_slice(observation, |x| {
                transposed.update(&self.mlp, theta, &self.version);
                self.mlp.forward(theta, transposed, x, x.len() / self.mlp.inputs().max(1), passes);
                Ok(())
            })
        })?;
        with_slice(result, |y| Ok(y.iter().zip(passes.output()).all(|(a, b)| a.to_bits() == b.to_bits())))
    }
}

impl CustomOp2 for FusedMlp {
    fn name(&self) -> &'static str {
        "fused-mlp"
    }

    fn cpu_fwd(
        &self,
        theta: &CpuStorage,
        theta_layout: &Layout,
        observation: &CpuStorage,
        observation_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let theta = contiguous(theta, theta_layout)?;
        let x = contiguous(observation, observation_layout)?;
        let (batch, width) = observation_layout.shape().dims2()?;
        if width != self.mlp.inputs() {
            bail!("fused-mlp: observations are of length {width}, the network takes {}", self.mlp.inputs());
        }
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        let Workspace { transposed, passes } = &mut *workspace;
        transposed.update(&self.mlp, theta, &self.version);
        self.mlp.forward(theta, transposed, x, batch, passes);
        Ok((CpuStorage::F32(passes.output().to_vec()), (batch, self.mlp.outputs()).into()))
    }

    fn bwd(
        &self,
        theta: &Tensor,
        observation: &Tensor,
        result: &Tensor,
        result_gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        if !self.version.is_current() {
            bail!("fused-mlp: the parameters were changed between the forward and the backward pass");
        }
        let mut workspace = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        if self.version.changed_unseen() && !self.again(theta, observation, result, &mut workspace)? {
            bail!("fused-mlp: the parameters were written to between the forward and the backward pass");
        }
        let result_gradient = result_gradient.contiguous()?;
        let mut gradient = vec![0.0; theta.elem_count()];
        with_slice(theta, |theta| {
            with_slice(observation, |x| {
                with_slice(&result_gradient, |g| {
                    self.mlp.backward(theta, x, &mut workspace.passes, g, &mut gradient);
                    Ok(())
                })
            })
        })?;
        Ok((Some(Tensor::from_vec(gradient, theta.shape(), theta.device())?), None))
    }
}
