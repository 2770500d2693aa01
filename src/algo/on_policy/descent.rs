//! Passes over a rollout in shuffled minibatches, a step of the optimizer each.

use rand::seq::SliceRandom as _;

use super::OnPolicy;
use super::ahead::{Ahead, Step};
use super::unread::Unread;
use crate::algo::loss_gradient::{LeftThere, Passes, is_finite};
use crate::algo::{AdaptiveRate, LossScale, Now};
use crate::metrics::UpdateReport;
use crate::objective::{Objective as _, RowSums};
use crate::optim::{Optimizer, StepReport};
use crate::seed::Rng;
use crate::{Error, Params, Precision, Result};

/// A rollout, wherever it is, as passes are made over it.
pub(super) trait Steps {
    /// Adds what minibatches are made of, a number each.
    fn units(&self, units: &mut Vec<usize>);

    /// Estimates what a pass learns from.
    fn begin(&mut self, pass: usize, params: &mut Params) -> Result<()>;

    /// The gradient on a minibatch of these units: how many rows it has, and what stays on a device.
    /// `gradient` and `sums` are as [`loss_gradient_where_it_is`](crate::algo::loss_gradient::loss_gradient_where_it_is) leaves them.
    fn gradient(
        &mut self,
        units: &mut [usize],
        params: &Params,
        passes: Passes,
        out: (&mut Vec<f32>, &mut RowSums),
    ) -> Result<(usize, Option<LeftThere>)>;

    /// How much of its targets' variance the critic explains that made it; NaN without one.
    fn explained_variance(&self) -> Result<f64>;
}

/// What moves, and room for it.
pub(super) struct Descent<'a> {
    pub(super) params: &'a mut Params,
    pub(super) optimizer: &'a mut Optimizer,
    pub(super) shuffle: &'a mut Rng,
    pub(super) precision: Precision,
    pub(super) loss_scale: &'a mut Option<LossScale>,
    pub(super) units: &'a mut Vec<usize>,
    pub(super) gradient: &'a mut Vec<f32>,
    pub(super) kept_gradient: &'a mut Option<Vec<f32>>,
    pub(super) sums: &'a mut RowSums,
}

impl Descent<'_> {
    /// Makes all passes, or as many as the divergence allows: what they report, and the rate that it leads to.
    pub(super) fn run(
        mut self,
        algo: &OnPolicy,
        steps: &mut dyn Steps,
        now: Now<'_>,
    ) -> Result<(UpdateReport, AdaptiveRate)> {
        self.optimizer.forget_steps();
        self.units.clear();
        steps.units(self.units);
        let (mut totals, mut unread, kl_name) = (Totals::default(), Unread::default(), algo.objective.kl_name());
        let loss_scale = self.loss_scale.clone();
        let made = self.passes(algo, steps, now, (&mut totals, &mut unread));
        if matches!(made, Ok(_) | Err(Error::NotFinite { .. }))
            && let Err(error) = unread.read(&mut totals, kl_name)
        {
            // What followed a loss that is not finite says nothing of its scale.
            *self.loss_scale = loss_scale;
            return Err(error);
        }
        let rate = made?;
        totals.add_norms(self.optimizer.settle()?);
        let explained_variance = steps.explained_variance()?;
        Ok((UpdateReport { explained_variance, ..totals.mean() }.finite()?, rate))
    }

    /// The passes: the rate that the last one leads to. What is left on a device is read where the divergence is asked for.
    fn passes(
        &mut self,
        algo: &OnPolicy,
        steps: &mut dyn Steps,
        now: Now<'_>,
        (totals, unread): (&mut Totals, &mut Unread),
    ) -> Result<AdaptiveRate> {
        let minibatches = algo.n_minibatches.clamp(1, self.units.len().max(1));
        let (kl_name, mut rate) = (algo.objective.kl_name(), algo.rate);
        for pass in 0..algo.n_epochs {
            steps.begin(pass, self.params)?;
            if minibatches > 1 {
                self.units.shuffle(self.shuffle);
            }
            self.optimizer.set_lr_factor(rate.factor());
            let (mut ahead, mut m) = (Ahead::default(), 0);
            loop {
                while m < minibatches {
                    self.minibatch((m, minibatches), steps, now, kl_name, (totals, unread, &mut ahead))?;
                    m += 1;
                }
                let Some(step) = ahead.not_finite()? else { break };
                m = step.minibatch + 1;
                self.skip(step, totals, unread)?;
            }
            // One step from the policy that acted has come to nothing yet.
            let is_told = kl_name.is_some() && pass + minibatches > 1;
            if rate.adapts() || algo.target_kl.is_finite() {
                unread.read(totals, kl_name)?;
            }
            if rate.adapts() && is_told {
                rate = rate.after(totals.last_kl);
            }
            if totals.last_kl > algo.target_kl {
                break;
            }
        }
        Ok(rate)
    }

    /// Minibatch `m` of so many, and the step by its gradient.
    fn minibatch(
        &mut self,
        (m, minibatches): (usize, usize),
        steps: &mut dyn Steps,
        now: Now<'_>,
        kl_name: Option<&str>,
        (totals, unread, ahead): (&mut Totals, &mut Unread, &mut Ahead),
    ) -> Result<()> {
        let Self { params, optimizer, precision, loss_scale, units, gradient, kept_gradient, sums, .. } = self;
        now.stop.check()?;
        let (from, to) = (m * units.len() / minibatches, (m + 1) * units.len() / minibatches);
        let passes = Passes::of(*precision, loss_scale.as_ref());
        let out = (&mut **gradient, &mut **sums);
        let (rows, left) = steps.gradient(&mut units[from..to], params, passes, out)?;
        let on_device = left.map(|left| unread.put(left));
        if !unread.has_terms() {
            totals.add(sums.entries().iter().map(|&(name, sum)| (name, sum / rows as f64)), kl_name);
        }
        if let Some(kept) = &mut **kept_gradient {
            kept.clear();
            match &on_device {
                Some(gradient) => *kept = gradient.to_vec1()?,
                None => kept.extend_from_slice(gradient),
            }
        }
        if let (Some(scale), Some(gradient)) = (&mut **loss_scale, &on_device) {
            let is_finite = match optimizer.steps_on_device(params) {
                true => {
                    let (scale, optimizer) = (scale.clone(), optimizer.mark(params)?);
                    let (totals, unread) = (totals.clone(), unread.len());
                    ahead.put(gradient, Step { minibatch: m, scale, optimizer, totals, unread })?;
                    true
                }
                // The host has to wait for it in any case.
                false => is_finite(gradient)?,
            };
            if !scale.takes(is_finite)? {
                return Ok(());
            }
        }
        totals.add_step(optimizer.step_wherever(params, (on_device, &mut **gradient), now.when, now.stop)?);
        Ok(())
    }

    /// Skips a step of which it is known by now that its gradient is not finite, and goes back to it.
    fn skip(&mut self, step: Step, totals: &mut Totals, unread: &mut Unread) -> Result<()> {
        let mut scale = step.scale;
        self.optimizer.go_back(step.optimizer);
        *totals = step.totals;
        unread.truncate(step.unread);
        let taken = scale.takes(false);
        *self.loss_scale = Some(scale);
        taken.map(drop)
    }
}

/// Running sums of what gradient steps report.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    report: UpdateReport,
    count: f64,
    /// Steps taken.
    steps: f64,
    /// The approximate KL divergence of the last minibatch, 0 where none is reported.
    pub(super) last_kl: f64,
}

impl Totals {
    /// Adds the means over a minibatch, of which one of that name is the approximate KL divergence.
    pub(super) fn add(&mut self, means: impl Iterator<Item = (&'static str, f64)>, kl_name: Option<&str>) {
        self.last_kl = 0.0;
        for (name, mean) in means {
            self.report.add_term(name, mean);
            if Some(name) == kl_name {
                self.last_kl = mean;
            }
        }
        self.count += 1.0;
    }

    /// Adds a step that was taken.
    fn add_step(&mut self, step: StepReport) {
        self.add_norms(step);
        self.steps += 1.0;
    }

    fn add_norms(&mut self, step: StepReport) {
        self.report.grad_norm += step.grad_norm;
        self.report.update_norm += step.update_norm;
    }

    /// Norms are of the steps that were taken, 0 where none was.
    pub(super) fn mean(mut self) -> UpdateReport {
        let of_steps = self.count / self.steps.max(1.0);
        self.report.grad_norm *= of_steps;
        self.report.update_norm *= of_steps;
        self.report.over(self.count)
    }
}
