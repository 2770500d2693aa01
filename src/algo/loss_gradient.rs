//! The gradient of an objective on a minibatch, whichever way there is.

use candle_core::{DType, Tensor};

use super::LossScale;
use crate::models::{Asked, Model};
use crate::objective::{Objective, Report, RowSums, TensorRollout, fused_loss};
use crate::rollout::Minibatch;
use crate::scratch::Scratch;
use crate::{Error, Params, Precision, Result};

/// What tensors make of a minibatch, left on the parameters' device.
#[derive(Debug)]
pub(super) struct LeftThere {
    /// `[P]`, of f32.
    pub(super) gradient: Tensor,
    /// A scalar.
    pub(super) loss: Tensor,
    /// What terms report, where it is not among the sums already.
    pub(super) report: Report,
}

/// How learning's forward and backward passes are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passes {
    /// What the network works in.
    pub(super) dtype: DType,
    /// What the loss is multiplied by before its way back, and the gradient divided by after it.
    pub(super) scale: f64,
}

impl Passes {
    /// In this type, with the loss scaled so, if it is at all.
    pub(super) fn of(precision: Precision, scale: Option<&LossScale>) -> Self {
        Self { dtype: precision.dtype(), scale: scale.map_or(1.0, LossScale::scale) }
    }

    /// The parameters as the network is to see them, where that is another way.
    pub(super) fn seen(self, params: &Params) -> Option<Params> {
        (self.dtype != DType::F32).then(|| params.seen_in(self.dtype))
    }

    /// The gradient of a loss, `[P]`, of f32, and the loss itself, neither of them waited for.
    pub(super) fn left_there(self, params: &Params, loss: &Tensor, report: Report) -> Result<LeftThere> {
        let gradient = match self.scale {
            1.0 => params.gradient(loss)?,
            scale => params.gradient(&loss.affine(scale, 0.0)?)?.affine(1.0 / scale, 0.0)?,
        };
        Ok(LeftThere { gradient, loss: loss.detach(), report })
    }
}

impl Default for Passes {
    /// In f32, as it is.
    fn default() -> Self {
        Self { dtype: DType::F32, scale: 1.0 }
    }
}

/// Replaces `gradient` by that of an objective's mean over a minibatch, `[P]`, and `sums` by what its terms report, summed over
/// its steps: on the host where network and objective can, else through tensors on the parameters' device, where `uploaded` keeps the
/// rollout from one of its minibatches to the next.
///
/// # Errors
/// [`Error::NotFinite`] if the loss is not finite, [`Error::Tensor`] if the device fails, [`Error::Interrupted`] where the
/// minibatch's `stop` says so.
pub(super) fn loss_gradient(
    objective: &dyn Objective,
    of: (&dyn Model, &Params),
    batch: Minibatch<'_>,
    (scratch, uploaded): (&mut Scratch, &mut Option<TensorRollout>),
    (gradient, sums): (&mut Vec<f32>, &mut RowSums),
) -> Result<()> {
    let (room, out) = ((scratch, uploaded), (gradient, sums));
    let rows = batch.places.len();
    let (gradient, sums) = out;
    let out = (&mut *gradient, &mut *sums);
    if let Some(left) = loss_gradient_where_it_is(objective, of, Passes::default(), batch, room, out)? {
        check_loss(f64::from(left.loss.to_scalar::<f32>()?))?;
        left.report.read()?.into_iter().for_each(|(name, mean)| sums.add(name, mean * rows as f64));
        *gradient = left.gradient.to_vec1()?;
    }
    Ok(())
}

/// The same by such passes, with what tensors make left where it is, and the loss unread; `gradient` is as it was then. In another type
/// than f32 tensors make all of it: logits and values become f32 again before anything is made of them.
///
/// # Errors
/// As [`loss_gradient`].
pub(super) fn loss_gradient_where_it_is(
    objective: &dyn Objective,
    (network, params): (&dyn Model, &Params),
    passes: Passes,
    batch: Minibatch<'_>,
    (scratch, uploaded): (&mut Scratch, &mut Option<TensorRollout>),
    (gradient, sums): (&mut Vec<f32>, &mut RowSums),
) -> Result<Option<LeftThere>> {
    batch.check_action(network.distribution().action_len(), network.distribution().action_kind())?;
    batch.check_shift(network.distribution().means())?;
    if passes.dtype == DType::F32
        && let Some(loss) = network.host_gradient(params, batch, objective, scratch, gradient, sums)?
    {
        return check_loss(loss).map(|()| None);
    }
    let seen = passes.seen(params);
    let Minibatch { rollout, estimate, places, stop, .. } = batch;
    let whole = match uploaded {
        Some(whole) => whole,
        None => uploaded.insert(TensorRollout::new(rollout, params.device())?),
    };
    let tensors = whole.batch(batch)?;
    let output =
        Asked::of(network, rollout, places, &tensors.observation)?.answer(network, seen.as_ref().unwrap_or(params))?;
    let output = output.masked(&**network.distribution(), tensors.mask.as_ref())?;
    stop.check()?;
    sums.clear();
    let mut report = Report::default();
    let loss = match fused_loss(objective, network.distribution(), &output, batch, sums)? {
        Some(loss) => loss,
        None => {
            let output = output.shifted(&**network.distribution(), estimate, places)?;
            objective.loss(&tensors, &output, &mut report)?
        }
    };
    stop.check()?;
    passes.left_there(params, &loss, report).map(Some)
}

/// Refuses a loss that is not finite.
pub(super) fn check_loss(loss: f64) -> Result<()> {
    if loss.is_finite() { Ok(()) } else { Err(Error::NotFinite { what: "the loss".into() }) }
}

/// Whether all numbers of a gradient are finite; this is where the host waits for it.
///
/// # Errors
/// [`Error::Tensor`] if the device fails.
pub(super) fn is_finite(gradient: &Tensor) -> Result<bool> {
    // Nothing of what is not finite is NaN; and it stays in a sum.
    Ok(gradient.affine(0.0, 0.0)?.sum_all()?.to_scalar::<f32>()? == 0.0)
}
