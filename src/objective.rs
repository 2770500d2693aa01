//! What learning descends: terms that add up to one loss.

mod clipped_surrogate;
mod discovered_drift;
mod eligibility;
mod entropy;
mod fused_loss;
mod host_loss;
mod kl_penalty;
mod policy_gradient;
mod tensor_rollout;
mod value_loss;

use std::fmt;

use candle_core::{DType, Device, Tensor};

pub use clipped_surrogate::ClippedSurrogate;
pub use discovered_drift::DiscoveredDrift;
pub use eligibility::Eligibility;
pub use entropy::Entropy;
pub(crate) use fused_loss::fused_loss;
pub(crate) use host_loss::HostLoss;
pub use kl_penalty::KlPenalty;
pub use policy_gradient::PolicyGradient;
pub(crate) use tensor_rollout::TensorRollout;
pub use value_loss::ValueLoss;

use crate::distributions::{Distribution, DistributionTensor};
use crate::error::same_len;
use crate::rollout::{ActionColumn, Estimate, Minibatch};
use crate::schedule::{Schedule, When};
use crate::{Result, Rollout, Stop};

/// What a network says of a batch of `B` observations.
#[derive(Debug)]
pub struct Output {
    /// The distribution over actions in each.
    pub policy: Box<dyn DistributionTensor>,
    /// The value of each, `[B]`.
    pub value: Tensor,
}

impl Output {
    /// What a network puts out, `[B, outputs]` and `[B]`: as f32, whatever type it works in.
    pub(crate) fn of(distribution: &dyn Distribution, outputs: &Tensor, value: &Tensor) -> Result<Self> {
        let (outputs, value) = (outputs.to_dtype(DType::F32)?, value.to_dtype(DType::F32)?);
        Ok(Self { policy: distribution.tensor(&outputs)?, value })
    }

    /// The same without the choices that a mask, `[B, A]` of 1 and 0, forbids.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for a mask of another shape.
    pub fn masked(self, distribution: &dyn Distribution, mask: Option<&Tensor>) -> Result<Self> {
        let Some(mask) = mask else { return Ok(self) };
        let outputs = self.policy.outputs();
        let (rows, choices) = mask.dims2()?;
        let forbidden = Tensor::full(f32::NEG_INFINITY, (rows, choices), outputs.device())?;
        let legal = mask.where_cond(&outputs.narrow(1, 0, choices)?, &forbidden)?;
        let rest = outputs.dim(1)? - choices;
        let outputs = match rest {
            0 => legal,
            rest => Tensor::cat(&[&legal, &outputs.narrow(1, choices, rest)?], 1)?,
        };
        Ok(Self { policy: distribution.tensor(&outputs)?, value: self.value })
    }
}

impl Output {
    /// The same with the policy's means shifted as an estimate says of the steps at these places.
    pub(crate) fn shifted(
        self,
        distribution: &dyn Distribution,
        estimate: &Estimate,
        places: &[usize],
    ) -> Result<Self> {
        if estimate.shift.is_empty() {
            return Ok(self);
        }
        let outputs = self.policy.outputs();
        let (rows, columns) = outputs.dims2()?;
        let mut by = vec![0.0; rows * columns];
        estimate.shift(&mut by, columns, distribution.means(), places);
        let outputs = (outputs + Tensor::from_vec(by, (rows, columns), outputs.device())?)?;
        Ok(Self { policy: distribution.tensor(&outputs)?, value: self.value })
    }
}

/// `B` steps of a rollout on the learning device.
#[derive(Debug, Clone)]
pub struct TensorBatch {
    /// `[B, D]`.
    pub observation: Tensor,
    /// Indices as `u32`, `[B]`, or `[B, K]` of more than one; numbers as `f32`, `[B, K]`.
    pub action: Tensor,
    /// `[B, A]`: which choices were legal, 1 or 0; `None` where none was forbidden.
    pub mask: Option<Tensor>,
    /// `[B]`: log-probability of the action under the policy that chose it.
    pub log_prob: Tensor,
    /// `[B]`.
    pub advantage: Tensor,
    /// `[B]`: what the value is regressed on.
    pub target: Tensor,
    /// `[B]`: the value when the rollout was made.
    pub value: Tensor,
}

impl TensorBatch {
    /// The steps at these places of `[T, N]`, in this order. `advantage` is `[B]`, one number a place, so that it can
    /// have been normalised over the batch; the targets are taken from the estimate. This is where data goes from the
    /// host to the device.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) for columns or advantages of other lengths, and for a place past the rollout's
    /// end; [`Error::Tensor`](crate::Error::Tensor) if the device fails.
    pub fn new(
        rollout: &Rollout,
        estimate: &Estimate,
        places: &[usize],
        advantage: &[f32],
        device: &Device,
    ) -> Result<Self> {
        Minibatch { rollout, estimate, places, advantage, stop: Stop::default() }.check()?;
        let b = places.len();
        let take = |x: &[f32]| Tensor::from_iter(places.iter().map(|&i| x[i]), device);
        let values = |x: &[f32]| Tensor::from_iter(places.iter().map(|&i| estimate.unit.of(x[i])), device);
        let mut observation = Vec::with_capacity(b * rollout.observation_len);
        rollout.observations_at(places, &mut observation);
        let (mut action, k) = (ActionColumn::default(), rollout.action_len);
        rollout.actions_at(places, &mut action);
        let action = match action {
            ActionColumn::Discrete(indices) if k == 1 => Tensor::from_vec(indices, b, device)?,
            ActionColumn::Discrete(indices) => Tensor::from_vec(indices, (b, k), device)?,
            ActionColumn::Continuous(numbers) => Tensor::from_vec(numbers, (b, k), device)?,
        };
        Ok(Self {
            observation: Tensor::from_vec(observation, (b, rollout.observation_len), device)?,
            action,
            mask: mask_tensor(rollout, places, device)?,
            log_prob: take(&rollout.log_prob)?,
            advantage: Tensor::from_slice(advantage, b, device)?,
            target: values(&estimate.target)?,
            value: values(&rollout.value)?,
        })
    }
}

fn mask_tensor(rollout: &Rollout, places: &[usize], device: &Device) -> Result<Option<Tensor>> {
    if rollout.choices == 0 {
        return Ok(None);
    }
    let mut mask = Vec::new();
    rollout.masks_at(places, &mut mask);
    let mask: Vec<u8> = mask.into_iter().map(u8::from).collect();
    Ok(Some(Tensor::from_vec(mask, (places.len(), rollout.choices), device)?))
}

/// Named numbers that terms report beside their loss, as scalars still on the device.
#[derive(Debug, Default)]
pub struct Report(Vec<(&'static str, Tensor)>);

impl Report {
    /// Adds a scalar, detached from the graph. Names are those of the columns of `metrics.csv`.
    pub fn push(&mut self, name: &'static str, value: &Tensor) {
        self.0.push((name, value.detach()));
    }

    /// Names and scalars, in the order in which they came.
    pub(crate) fn entries(&self) -> &[(&'static str, Tensor)] {
        &self.0
    }

    /// Reads all of them.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if the device fails.
    pub fn read(&self) -> Result<Vec<(&'static str, f64)>> {
        self.0.iter().map(|(name, value)| Ok((*name, f64::from(value.to_scalar::<f32>()?)))).collect()
    }
}

/// `B` steps on the host, with what the policy and the critic say of them now. Every array is `[B]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rows<'a> {
    /// `log π(aₜ|sₜ)`.
    pub log_prob: &'a [f32],
    /// The policy's entropy in `sₜ`, in nats.
    pub entropy: &'a [f32],
    /// `V(sₜ)`.
    pub value: &'a [f32],
    /// `log π_old(aₜ|sₜ)`, of the policy that chose the action.
    pub old_log_prob: &'a [f32],
    /// `Aₜ`.
    pub advantage: &'a [f32],
    /// What the value is regressed on.
    pub target: &'a [f32],
    /// The value when the rollout was made.
    pub old_value: &'a [f32],
}

impl Rows<'_> {
    /// Panics unless every array of these and of `out` is as long as the others.
    #[track_caller]
    fn fit(&self, out: &RowGradients<'_>) {
        let b = self.log_prob.len();
        for (what, len) in [
            ("entropy", self.entropy.len()),
            ("value", self.value.len()),
            ("old_log_prob", self.old_log_prob.len()),
            ("advantage", self.advantage.len()),
            ("target", self.target.len()),
            ("old_value", self.old_value.len()),
            ("the gradient by log_prob", out.log_prob.len()),
            ("the gradient by entropy", out.entropy.len()),
            ("the gradient by value", out.value.len()),
        ] {
            same_len(what, b, len);
        }
    }

    /// Some of these rows.
    fn part(&self, part: std::ops::Range<usize>) -> Self {
        Self {
            log_prob: &self.log_prob[part.clone()],
            entropy: &self.entropy[part.clone()],
            value: &self.value[part.clone()],
            old_log_prob: &self.old_log_prob[part.clone()],
            advantage: &self.advantage[part.clone()],
            target: &self.target[part.clone()],
            old_value: &self.old_value[part],
        }
    }
}

/// Rows whose report is taken together where their gradient is not, in room that need not be made.
const REPORTED: usize = 256;

/// Where terms add their derivatives by the first three of [`Rows`], each `[B]`.
#[derive(Debug, Default)]
pub struct RowGradients<'a> {
    /// By `log π(aₜ|sₜ)`.
    pub log_prob: &'a mut [f32],
    /// By the entropy.
    pub entropy: &'a mut [f32],
    /// By the value.
    pub value: &'a mut [f32],
}

/// Sums over rows of what terms report, by the names of [`Report`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowSums(Vec<(&'static str, f64)>);

impl RowSums {
    /// Adds to the sum of that name.
    pub fn add(&mut self, name: &'static str, sum: f64) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, total)) => *total += sum,
            None => self.0.push((name, sum)),
        }
    }

    /// Names and sums, in the order in which they first came.
    #[must_use]
    pub fn entries(&self) -> &[(&'static str, f64)] {
        &self.0
    }

    /// Forgets all sums, and keeps the room.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// A term of the loss. Every term is a mean over the batch's steps.
pub trait Objective: fmt::Debug + Send + Sync {
    /// The loss of a batch, a scalar, given what the network says of its observations.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for shapes that do not go together.
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor>;

    /// Whether it is a sum over rows of a function of the row's log-probability, entropy and value, so that
    /// [`rows`](Objective::rows) gives it on the host. False, the default: then it is taken on tensors.
    fn has_rows(&self) -> bool {
        false
    }

    /// Whether it reads what the policy says: the row's log-probability or entropy. True, the default; where it is false, a policy that
    /// has a network of its own need not be asked, and the log-probabilities and entropies of [`rows`](Objective::rows) are zeros.
    fn reads_policy(&self) -> bool {
        true
    }

    /// That sum, where [`has_rows`](Objective::has_rows) says that it is one; adds `weight` times its derivatives.
    ///
    /// # Panics
    /// Those of this crate do if the slices differ in length.
    fn rows(&self, _: &Rows<'_>, _weight: f32, _: &mut RowGradients<'_>, _: &mut RowSums) -> f64 {
        f64::NAN
    }

    /// The name under which it reports an estimate of `KL(π_old, π)`; `None`, the default, if it reports none. By it
    /// `target_kl` ends an update.
    fn kl_name(&self) -> Option<&'static str> {
        None
    }

    /// Hears when an update begins, for numbers that change over training. Before the first they are as at its beginning.
    fn begin(&mut self, _when: When) {}

    /// Hears what an update reported, means over its gradient steps, for a term whose coefficient goes by it. What is
    /// remembered has to be shown by [`state`](Objective::state).
    fn follow(&mut self, _reported: &[(&'static str, f64)]) {}

    /// Shows each number that it remembers, by names of its own in an order that does not change. Writing to them
    /// restores it.
    fn state<'a>(&'a mut self, _visit: &mut dyn FnMut(&str, &'a mut f64)) {}

    /// This term plus `coefficient` times another: `ClippedSurrogate::new(0.2).plus(0.5, ValueLoss::default())`. The coefficient
    /// may be a schedule.
    fn plus(self, coefficient: impl Into<Schedule>, term: impl Objective + 'static) -> Sum
    where
        Self: Sized + 'static,
    {
        Sum::of(self).and(1.0, coefficient.into(), term)
    }

    /// This term minus `coefficient` times another, which is a bonus: `.minus(0.01, Entropy)`.
    fn minus(self, coefficient: impl Into<Schedule>, term: impl Objective + 'static) -> Sum
    where
        Self: Sized + 'static,
    {
        Sum::of(self).and(-1.0, coefficient.into(), term)
    }
}

/// `first + Σ coefficient·term`.
#[derive(Debug)]
pub struct Sum {
    first: Box<dyn Objective>,
    rest: Vec<Weighted>,
}

/// A term and its coefficient.
#[derive(Debug)]
struct Weighted {
    /// The coefficient now.
    coefficient: f64,
    sign: f64,
    schedule: Schedule,
    term: Box<dyn Objective>,
}

impl Sum {
    /// One term, with nothing added to it.
    #[must_use]
    pub fn of(term: impl Objective + 'static) -> Self {
        Self { first: Box::new(term), rest: Vec::new() }
    }

    fn and(mut self, sign: f64, schedule: Schedule, term: impl Objective + 'static) -> Self {
        let coefficient = sign * schedule.at(When::default());
        self.rest.push(Weighted { coefficient, sign, schedule, term: Box::new(term) });
        self
    }
}

impl Objective for Sum {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let mut sum = self.first.loss(batch, output, report)?;
        for Weighted { coefficient, term, .. } in &self.rest {
            let loss = term.loss(batch, output, report)?;
            // A term with coefficient 0 is evaluated for what it reports; a gradient of zero need not be computed.
            if *coefficient != 0.0 {
                sum = (sum + (loss * *coefficient)?)?;
            }
        }
        Ok(sum)
    }

    fn has_rows(&self) -> bool {
        self.first.has_rows() && self.rest.iter().all(|part| part.term.has_rows())
    }

    fn reads_policy(&self) -> bool {
        self.first.reads_policy() || self.rest.iter().any(|part| part.term.reads_policy())
    }

    fn kl_name(&self) -> Option<&'static str> {
        self.first.kl_name().or_else(|| self.rest.iter().find_map(|part| part.term.kl_name()))
    }

    fn begin(&mut self, when: When) {
        self.first.begin(when);
        for Weighted { coefficient, sign, schedule, term } in &mut self.rest {
            *coefficient = *sign * schedule.at(when);
            term.begin(when);
        }
    }

    fn follow(&mut self, reported: &[(&'static str, f64)]) {
        self.first.follow(reported);
        self.rest.iter_mut().for_each(|part| part.term.follow(reported));
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, &'a mut f64)) {
        let rest = self.rest.iter_mut().map(|part| &mut part.term);
        for (i, term) in std::iter::once(&mut self.first).chain(rest).enumerate() {
            term.state(&mut |name, number| visit(&format!("{i}.{name}"), number));
        }
    }

    fn rows(&self, rows: &Rows<'_>, weight: f32, out: &mut RowGradients<'_>, sums: &mut RowSums) -> f64 {
        rows.fit(out);
        let b = rows.log_prob.len();
        let mut sum = self.first.rows(rows, weight, out, sums);
        for Weighted { coefficient, term, .. } in &self.rest {
            if *coefficient == 0.0 {
                // It reports, and has no gradient: 0 times one that is not finite would be NaN.
                let [mut log_prob, mut entropy, mut value] = [[0.0; REPORTED]; 3];
                for start in (0..b.max(1)).step_by(REPORTED) {
                    let part = start..(start + REPORTED).min(b);
                    let mut unused = RowGradients {
                        log_prob: &mut log_prob[..part.len()],
                        entropy: &mut entropy[..part.len()],
                        value: &mut value[..part.len()],
                    };
                    term.rows(&rows.part(part), 0.0, &mut unused, sums);
                }
            } else {
                sum += coefficient * term.rows(rows, weight * *coefficient as f32, out, sums);
            }
        }
        sum
    }

    fn plus(self, coefficient: impl Into<Schedule>, term: impl Objective + 'static) -> Sum {
        self.and(1.0, coefficient.into(), term)
    }

    fn minus(self, coefficient: impl Into<Schedule>, term: impl Objective + 'static) -> Sum {
        self.and(-1.0, coefficient.into(), term)
    }
}
