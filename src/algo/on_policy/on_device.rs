//! A rollout that is on the learning device: of it, nothing but what is reported goes to the host.

use candle_core::{Device, Tensor};

use super::OnPolicy;
use super::descent::Steps;
use super::on_host::explained;
use crate::advantage::{Gae, gae_tensors, normalize_tensor};
use crate::algo::loss_gradient::{LeftThere, Passes};
use crate::host_only::HostOnly;
use crate::models::Model;
use crate::moments::Moments;
use crate::normaliser::ValueScale;
use crate::objective::{Objective as _, Report, RowSums, TensorBatch};
use crate::rollout::{DeviceRollout, Horizon};
use crate::{Params, Result};

impl OnPolicy {
    /// What of it is known on the host only.
    pub(super) fn of_the_host(&self) -> Vec<HostOnly> {
        let mut found = Vec::new();
        match self.horizon {
            Horizon::Episodes(_) => {
                found.push(HostOnly::new("rollouts of whole episodes are made on the host", "take ppo"));
            }
            Horizon::Steps(_) if self.estimator.on_device().is_none() => found.push(of_other_advantages()),
            Horizon::Steps(_) => {}
        }
        if self.rpo_alpha > 0.0 {
            found.push(HostOnly::new("the shifts of rpo_alpha are drawn on the host", "set rpo_alpha = 0"));
        }
        if self.recompute_advantages {
            let problem = "recompute_advantages asks on the host";
            found.push(HostOnly::new(problem, "set recompute_advantages = false"));
        }
        found
    }
}

fn of_other_advantages() -> HostOnly {
    HostOnly::new(
        "of advantages only generalised advantage estimation has a form on a device",
        "take ppo with estimator = gae, or a2c with that and a gae_lambda below 1",
    )
}

/// The rollout, and what is estimated on it. Minibatches are shuffled on the host, by the same stream: their places are sent to the
/// device.
pub(super) struct OnDevice<'a> {
    algo: &'a OnPolicy,
    network: &'a dyn Model,
    rollout: &'a DeviceRollout,
    /// What is known of values, where they are learnt on one scale.
    values: Option<&'a mut ValueScale>,
    /// `[T·N]` each.
    advantage: Tensor,
    target: Tensor,
    value: Tensor,
    /// Targets and values as the objective is told of them: in the network's own unit, from the first pass on.
    in_unit: [Tensor; 2],
}

impl<'a> OnDevice<'a> {
    /// Estimates advantages.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for another estimator than that of GAE, [`Error::Tensor`](crate::Error::Tensor) if the
    /// device fails.
    pub(super) fn new(
        algo: &'a OnPolicy,
        network: &'a dyn Model,
        rollout: &'a DeviceRollout,
        values: Option<&'a mut ValueScale>,
    ) -> Result<Self> {
        let Gae { gae_lambda } = algo.estimator.on_device().ok_or_else(|| of_other_advantages().error())?;
        let advantage = gae_tensors(rollout, algo.gamma as f32, gae_lambda)?;
        let target = (&advantage + &rollout.value)?.flatten_all()?;
        let (advantage, value) = (advantage.flatten_all()?, rollout.value.flatten_all()?);
        let in_unit = [target.clone(), value.clone()];
        Ok(Self { algo, network, rollout, values, advantage, target, value, in_unit })
    }
}

impl Steps for OnDevice<'_> {
    fn units(&self, units: &mut Vec<usize>) {
        units.extend(0..self.rollout.steps * self.rollout.lanes);
    }

    fn begin(&mut self, pass: usize, params: &mut Params) -> Result<()> {
        if pass > 0 {
            return Ok(());
        }
        if let Some(values) = &mut self.values {
            values.publish_of(&Moments::of_steps(&self.target.unsqueeze(1)?, self.rollout.steps)?, params)?;
        }
        let unit = self.network.value_unit(params);
        self.in_unit = [unit.of_tensor(self.target.clone())?, unit.of_tensor(self.value.clone())?];
        Ok(())
    }

    fn gradient(
        &mut self,
        places: &mut [usize],
        params: &Params,
        passes: Passes,
        (_, sums): (&mut Vec<f32>, &mut RowSums),
    ) -> Result<(usize, Option<LeftThere>)> {
        let Self { algo, network, rollout, .. } = self;
        let at = Places::new(places, self.value.elem_count(), params.device())?;
        let advantage = at.of(&self.advantage)?;
        let batch = TensorBatch {
            observation: at.of(&rollout.observation)?,
            action: at.of(&rollout.action)?,
            mask: None,
            log_prob: at.of(&rollout.log_prob)?,
            advantage: if algo.normalize_advantage { normalize_tensor(&advantage)? } else { advantage },
            target: at.of(&self.in_unit[0])?,
            value: at.of(&self.in_unit[1])?,
        };
        let seen = passes.seen(params);
        let output = network.answer(seen.as_ref().unwrap_or(params), &batch.observation)?;
        sums.clear();
        let mut report = Report::default();
        let loss = algo.objective.loss(&batch, &output, &mut report)?;
        Ok((places.len(), Some(passes.left_there(params, &loss, report)?)))
    }

    fn explained_variance(&self) -> Result<f64> {
        explained_variance(&self.target, &self.value)
    }
}

/// The places of a minibatch; all of them where it is the whole rollout.
struct Places(Option<Tensor>);

impl Places {
    fn new(places: &[usize], all: usize, device: &Device) -> Result<Self> {
        let some = || Tensor::from_iter(places.iter().map(|&place| place as u32), device);
        Ok(Self((places.len() < all).then(some).transpose()?))
    }

    fn of(&self, column: &Tensor) -> Result<Tensor> {
        Ok(self.0.as_ref().map_or(Ok(column.clone()), |places| column.index_select(places, 0))?)
    }
}

/// How much of the targets' variance a critic explains, in f32.
fn explained_variance(target: &Tensor, value: &Tensor) -> Result<f64> {
    let variance = |x: &Tensor| -> Result<f64> {
        let apart = x.broadcast_sub(&x.mean_all()?)?;
        Ok(f64::from(apart.sqr()?.mean_all()?.to_scalar::<f32>()?))
    };
    let (whole, rest) = (variance(target)?, variance(&(target - value)?)?);
    let squares = f64::from((target.sqr()? + value.sqr()?)?.mean_all()?.to_scalar::<f32>()?);
    Ok(explained(whole, rest, squares))
}
