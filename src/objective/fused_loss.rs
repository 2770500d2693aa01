//! A whole objective as one candle operation.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::host_loss::HostLoss;
use super::{Objective, Output, RowSums};
use crate::distributions::Distribution;
use crate::host_slice::with_slice;
use crate::rollout::Minibatch;

/// The loss of a minibatch as one operation from the network's outputs to a scalar, its gradient computed along with it;
/// `sums` receives what the terms report, summed over rows. Autograd goes through it as through any other.
///
/// `None` if the outputs are not on the CPU or the objective has no form on the host: [`Objective::loss`] is then the way.
pub(crate) fn fused_loss(
    objective: &dyn Objective,
    distribution: &Arc<dyn Distribution>,
    output: &Output,
    batch: Minibatch<'_>,
    sums: &mut RowSums,
) -> crate::Result<Option<Tensor>> {
    let (logits, value) = (output.policy.outputs().contiguous()?, output.value.contiguous()?);
    if !logits.device().is_cpu() || !objective.has_rows() {
        return Ok(None);
    }
    let (rows, outputs) = logits.dims2()?;
    let mut host = HostLoss::default();
    sums.clear();
    let weight = 1.0 / rows as f32;
    let sum = with_slice(&logits, |logits| {
        with_slice(&value, |value| Ok(host.run(objective, (logits, outputs, distribution), value, batch, weight, sums)))
    })?;
    let op = FusedLoss {
        loss: (sum / rows as f64) as f32,
        by_logits: Tensor::from_vec(host.by_output, (rows, outputs), logits.device())?,
        by_value: Tensor::from_vec(host.by_value, rows, value.device())?,
    };
    Ok(Some(logits.apply_op2(&value, op)?))
}

/// A loss of `(logits [B, A], value [B])` that is known already, with its derivatives.
struct FusedLoss {
    loss: f32,
    by_logits: Tensor,
    by_value: Tensor,
}

impl CustomOp2 for FusedLoss {
    fn name(&self) -> &'static str {
        "fused-loss"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(vec![self.loss]), Shape::from(())))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        if gradient.elem_count() != 1 {
            bail!("fused-loss: the gradient of a scalar has one number, this one has {}", gradient.elem_count());
        }
        Ok((Some(self.by_logits.broadcast_mul(gradient)?), Some(self.by_value.broadcast_mul(gradient)?)))
    }
}

#[cfg(test)]
mod tests;
