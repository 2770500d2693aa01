//! The same loop on a rollout that is on the learning device: of it, nothing but what is reported goes to the host.

use candle_core::{DType, Device, Tensor};
use rand::seq::SliceRandom;

use super::super::learner::Buffers;
use super::{OnPolicy, Totals};
use crate::advantage::{Gae, gae_tensors, normalize_tensor};
use crate::algo::loss_gradient::{Passes, is_finite};
use crate::algo::{Learner, Now};
use crate::metrics::UpdateReport;
use crate::objective::{Objective, Report, TensorBatch};
use crate::rollout::{DeviceRollout, Horizon};
use crate::{Error, Result};

impl OnPolicy {
    /// How advantages are estimated on a device.
    ///
    /// # Errors
    /// [`Error::Config`] where that, or what is done with them, is known on the host only.
    pub(super) fn on_device(&self) -> Result<Gae> {
        let impossible = |problem: &str, remedy: &str| {
            Error::Config(format!("envs_on_device = true is impossible: {problem}; {remedy}, or leave it out"))
        };
        let Horizon::Steps(_) = self.horizon else {
            return Err(impossible("rollouts of whole episodes are made on the host", "take ppo"));
        };
        if self.rpo_alpha > 0.0 {
            return Err(impossible("the shifts of rpo_alpha are drawn on the host", "set rpo_alpha = 0"));
        }
        if self.recompute_advantages {
            return Err(impossible("recompute_advantages asks on the host", "set recompute_advantages = false"));
        }
        let of_others = "of advantages only generalised advantage estimation has a form on a device";
        self.estimator
            .on_device()
            .ok_or_else(|| impossible(of_others, "take ppo with estimator = gae or, of a2c, a gae_lambda below 1"))
    }

    /// As [`update`](crate::algo::Algorithm::update). Minibatches are shuffled on the host, by the same stream: their places are sent
    /// to the device.
    pub(super) fn update_on_device(
        &mut self,
        learner: &mut Learner,
        rollout: &DeviceRollout,
        now: Now<'_>,
    ) -> Result<UpdateReport> {
        let Gae { gae_lambda } = self.on_device()?;
        self.objective.begin(now.when);
        let Learner { network, params, optimizer, shuffle, precision, loss_scale, buffers, .. } = learner;
        let Buffers { units, gradient, sums, .. } = buffers;
        optimizer.forget_steps();
        let advantage = gae_tensors(rollout, self.gamma as f32, gae_lambda)?;
        let target = (&advantage + &rollout.value)?.flatten_all()?;
        let (advantage, value) = (advantage.flatten_all()?, rollout.value.flatten_all()?);
        units.clear();
        units.extend(0..rollout.steps * rollout.lanes);
        let minibatches = self.n_minibatches.clamp(1, units.len().max(1));
        let (mut totals, kl_name, mut rate) = (Totals::default(), self.objective.kl_name(), self.rate);
        for epoch in 0..self.n_epochs {
            if minibatches > 1 {
                units.shuffle(shuffle);
            }
            optimizer.set_lr_factor(rate.factor());
            let mut last_kl = 0.0;
            for m in 0..minibatches {
                now.stop.check()?;
                let places = &units[m * units.len() / minibatches..(m + 1) * units.len() / minibatches];
                let at = Places::new(places, minibatches, params.device())?;
                let own = at.of(&advantage)?;
                let batch = TensorBatch {
                    observation: at.of(&rollout.observation)?,
                    action: at.of(&rollout.action)?,
                    mask: None,
                    log_prob: at.of(&rollout.log_prob)?,
                    advantage: if self.normalize_advantage { normalize_tensor(&own)? } else { own },
                    target: at.of(&target)?,
                    value: at.of(&value)?,
                };
                let passes = Passes::of(*precision, loss_scale.as_ref());
                let seen = (passes.dtype != DType::F32).then(|| params.seen_in(passes.dtype));
                let output = network.answer(seen.as_ref().unwrap_or(params), &batch.observation)?;
                let mut report = Report::default();
                let loss = self.objective.loss(&batch, &output, &mut report)?;
                sums.clear();
                report.read()?.into_iter().for_each(|(name, mean)| sums.add(name, mean * places.len() as f64));
                if !loss.to_scalar::<f32>()?.is_finite() {
                    return Err(Error::NotFinite { what: "the loss".into() });
                }
                let on_device = passes.gradient(params, &loss)?;
                last_kl = totals.add(sums, places.len(), kl_name);
                if let Some(scale) = &mut *loss_scale
                    && !scale.takes(is_finite(&on_device)?)?
                {
                    continue;
                }
                let way = (Some(on_device), &mut *gradient);
                totals.add_step(optimizer.step_wherever(params, way, now.when, now.stop)?);
            }
            // One step from the policy that acted has come to nothing yet.
            if rate.adapts() && kl_name.is_some() && epoch + minibatches > 1 {
                rate = rate.after(last_kl);
            }
            if last_kl > self.target_kl {
                break;
            }
        }
        totals.add_norms(optimizer.settle()?);
        let explained_variance = explained_variance(&target, &value)?;
        let report = UpdateReport { explained_variance, ..totals.mean() }.finite()?;
        self.objective.follow(&report.terms);
        self.rate = rate;
        Ok(report)
    }
}

/// The places of a minibatch; all of them where it is the whole rollout.
struct Places(Option<Tensor>);

impl Places {
    fn new(places: &[usize], minibatches: usize, device: &Device) -> Result<Self> {
        let some = || Tensor::from_iter(places.iter().map(|&place| place as u32), device);
        Ok(Self((minibatches > 1).then(some).transpose()?))
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
    Ok(if whole > 0.0 { 1.0 - rest / whole } else { f64::NAN })
}
