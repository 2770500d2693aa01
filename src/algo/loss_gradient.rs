//! The gradient of an objective on a minibatch, whichever way there is.

use candle_core::Tensor;

use crate::models::{Asked, Model};
use crate::objective::{Objective, Report, RowSums, TensorRollout, fused_loss};
use crate::rollout::Minibatch;
use crate::scratch::Scratch;
use crate::{Error, Params, Result};

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
    if let Some(on_device) =
        loss_gradient_where_it_is(objective, of, batch, (scratch, uploaded), (&mut *gradient, sums))?
    {
        *gradient = on_device.to_vec1()?;
    }
    Ok(())
}

/// The same, with what tensors make left on the parameters' device, `[P]`; `gradient` is as it was then.
///
/// # Errors
/// As [`loss_gradient`].
pub(super) fn loss_gradient_where_it_is(
    objective: &dyn Objective,
    (network, params): (&dyn Model, &Params),
    batch: Minibatch<'_>,
    (scratch, uploaded): (&mut Scratch, &mut Option<TensorRollout>),
    (gradient, sums): (&mut Vec<f32>, &mut RowSums),
) -> Result<Option<Tensor>> {
    let finite = |loss: f64| match loss.is_finite() {
        true => Ok(()),
        false => Err(Error::NotFinite { what: "the loss".into() }),
    };
    batch.check_action(network.distribution().action_len(), network.distribution().action_kind())?;
    batch.check_shift(network.distribution().means())?;
    if let Some(loss) = network.host_gradient(params, batch, objective, scratch, gradient, sums)? {
        return finite(loss).map(|()| None);
    }
    let Minibatch { rollout, estimate, places, stop, .. } = batch;
    let whole = match uploaded {
        Some(whole) => whole,
        None => uploaded.insert(TensorRollout::new(rollout, params.device())?),
    };
    let tensors = whole.batch(batch)?;
    let output = Asked::of(network, rollout, places, &tensors.observation)?.answer(network, params)?;
    let output = output.masked(&**network.distribution(), tensors.mask.as_ref())?;
    stop.check()?;
    let loss = match fused_loss(objective, network.distribution(), &output, batch, sums)? {
        Some(loss) => loss,
        None => {
            let mut report = Report::default();
            let output = output.shifted(&**network.distribution(), estimate, places)?;
            let loss = objective.loss(&tensors, &output, &mut report)?;
            sums.clear();
            report.read()?.into_iter().for_each(|(name, mean)| sums.add(name, mean * places.len() as f64));
            loss
        }
    };
    finite(f64::from(loss.to_scalar::<f32>()?))?;
    stop.check()?;
    Ok(Some(params.gradient(&loss)?))
}
