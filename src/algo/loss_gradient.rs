//! The gradient of an objective on a minibatch, whichever way there is.

use crate::models::{Asked, Model};
use crate::objective::{Objective, Report, RowSums, TensorBatch, fused_loss};
use crate::rollout::Minibatch;
use crate::scratch::Scratch;
use crate::world::{self, World};
use crate::{Error, Params, Result};

/// Replaces `gradient` by that of an objective's mean over a minibatch, `[P]`, and `sums` by what its terms report, summed over
/// its steps: on the host where network and objective can, else through tensors on the parameters' device.
///
/// # Errors
/// [`Error::NotFinite`] if the loss is not finite, [`Error::Tensor`] if the device fails, [`Error::Interrupted`] where the
/// minibatch's `stop` says so.
pub(super) fn loss_gradient(
    objective: &dyn Objective,
    (network, params): (&dyn Model, &Params),
    batch: Minibatch<'_>,
    scratch: &mut Scratch,
    (gradient, sums): (&mut Vec<f32>, &mut RowSums),
) -> Result<()> {
    let finite = |loss: f64| match loss.is_finite() {
        true => Ok(()),
        false => Err(Error::NotFinite { what: "the loss".into() }),
    };
    batch.check_action(network.distribution().action_len(), network.distribution().action_kind())?;
    batch.check_shift(network.distribution().means())?;
    if let Some(loss) = network.host_gradient(params, batch, objective, scratch, gradient, sums)? {
        return finite(loss);
    }
    let Minibatch { rollout, estimate, places, advantage, stop } = batch;
    let tensors = TensorBatch::new(rollout, estimate, places, advantage, params.device())?;
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
    *gradient = params.gradient(&loss)?.to_vec1()?;
    Ok(())
}

/// The same, and its mean over all ranks. On one whose loss is not finite it is NaN, for the others wait for it, and are to know
/// that there is none.
pub(super) fn mean_gradient(
    objective: &dyn Objective,
    of: (&dyn Model, &Params),
    batch: Minibatch<'_>,
    scratch: &mut Scratch,
    (gradient, sums): (&mut Vec<f32>, &mut RowSums),
    world: &dyn World,
) -> Result<()> {
    match loss_gradient(objective, of, batch, scratch, (gradient, sums)) {
        Err(Error::NotFinite { .. }) if world.size() > 1 => {
            gradient.clear();
            gradient.resize(of.1.layout().len(), f32::NAN);
        }
        done => done?,
    }
    world::mean(world, gradient)
}
