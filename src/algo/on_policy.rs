//! The loop that REINFORCE, A2C and PPO share.

mod on_device;

use rand::RngExt as _;
use rand::seq::SliceRandom;
use uphill_envs::quoted;

use super::learner::Buffers;
use super::loss_gradient::{Passes, is_finite, loss_gradient, loss_gradient_where_it_is};
use super::{AdaptiveRate, Algorithm, Learner, Now};
use crate::advantage::{Estimator, Judged, normalize};
use crate::metrics::UpdateReport;
use crate::models::Model;
use crate::objective::{Objective, RowSums, Sum};
use crate::optim::{Slot, StepReport};
use crate::rollout::{Estimate, Horizon, Minibatch, Rollout};
use crate::scratch::Scratch;
use crate::seed::Seed;
use crate::{Error, Layout, Params, Result};

/// Estimate advantages on a rollout, then descend an objective on it, once or in several passes.
#[derive(Debug)]
pub struct OnPolicy {
    /// How much one rollout holds.
    pub horizon: Horizon,
    /// Discount factor γ.
    pub gamma: f64,
    /// Where advantages come from.
    pub estimator: Box<dyn Estimator>,
    /// What is descended.
    pub objective: Sum,
    /// Whether advantages get mean 0 and deviation 1 over each minibatch.
    pub normalize_advantage: bool,
    /// Passes over the rollout.
    pub n_epochs: usize,
    /// Minibatches per pass, of sizes that differ by one step at most; for a network with a memory, of whole lanes, whose
    /// numbers differ by one at most.
    pub n_minibatches: usize,
    /// A pass whose last minibatch had a larger approximate KL divergence is the last.
    pub target_kl: f64,
    /// What learning rates are multiplied by, which goes by the divergence of passes.
    pub rate: AdaptiveRate,
    /// Whether each pass but the first has advantages and targets of its own, estimated anew from what the critic has become. How far a
    /// value may move is still from what it was when the rollout was made.
    ///
    /// Andrychowicz et al. 2021, section 3.5, <https://arxiv.org/abs/2006.05990>.
    pub recompute_advantages: bool,
    /// `α` of robust policy optimisation: where the policy learns, its [means](crate::distributions::Distribution::means) are shifted by
    /// chance, by another number in each step of each pass. Acting knows nothing of it; what is reported of the policy, a
    /// divergence among it, is of the shifted one. 0 shifts nothing.
    ///
    /// ```text
    ///   z ~ U(−α, α)          ρ = π(a; μ(s) + z, σ) / π_old(a; μ_old(s), σ_old)
    /// ```
    ///
    /// The numbers of a lane are a stream of the seed by update, pass and lane.
    ///
    /// Rahman and Xue 2022, algorithm 1, <https://arxiv.org/abs/2212.07536>.
    pub rpo_alpha: f64,
}

impl OnPolicy {
    /// One pass over each rollout, all of it at once, with nothing to hold or to help it.
    #[must_use]
    pub fn new(horizon: Horizon, gamma: f64, estimator: Box<dyn Estimator>, objective: Sum) -> Self {
        Self {
            horizon,
            gamma,
            estimator,
            objective,
            normalize_advantage: false,
            n_epochs: 1,
            n_minibatches: 1,
            target_kl: f64::INFINITY,
            rate: AdaptiveRate::new(f64::INFINITY),
            recompute_advantages: false,
            rpo_alpha: 0.0,
        }
    }

    /// Replaces `gradient` by that of the loss on a minibatch, `[P]`, and `sums` by what the terms report, summed over
    /// its steps: on the host where network and objective can, else through tensors on the parameters' device.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the loss is not finite, [`Error::Tensor`] if the device fails, [`Error::Interrupted`] where
    /// the minibatch's `stop` says so.
    pub fn gradient(
        &self,
        network: &dyn Model,
        params: &Params,
        batch: Minibatch<'_>,
        scratch: &mut Scratch,
        gradient: &mut Vec<f32>,
        sums: &mut RowSums,
    ) -> Result<()> {
        loss_gradient(&self.objective, (network, params), batch, (scratch, &mut None), (gradient, sums))
    }
}

impl Algorithm for OnPolicy {
    fn horizon(&self) -> Horizon {
        self.horizon
    }

    fn needs_values(&self) -> bool {
        self.estimator.needs_values()
    }

    fn most_steps(&self) -> u64 {
        (self.n_epochs as u64).saturating_mul(self.n_minibatches.max(1) as u64)
    }

    fn passes(&self) -> u64 {
        self.n_epochs as u64
    }

    fn takes_precision(&self) -> bool {
        true
    }

    fn check_network(&self, network: &dyn Model, _: &Layout, lanes: usize) -> Result<()> {
        let policy = network.distribution();
        if self.rpo_alpha > 0.0 && policy.means() == 0 {
            let problem = format!("it shifts means, and the policy, {}, has none", quoted(&format!("{policy:?}")));
            let remedy = "leave it out, or take actions that are numbers";
            return Err(Error::Config(format!("rpo_alpha = {} is impossible: {problem}; {remedy}", self.rpo_alpha)));
        }
        if network.memory() == 0 || self.n_minibatches <= lanes {
            return Ok(());
        }
        let range = format!("the network has a memory, whose minibatches are whole lanes, and envs = {lanes}");
        Err(Error::Config(format!("n_minibatches = {} is impossible: {range}", self.n_minibatches)))
    }

    fn check_on_device(&self) -> Result<()> {
        self.on_device().map(drop)
    }

    fn update(&mut self, learner: &mut Learner, rollout: &Rollout, now: Now<'_>) -> Result<UpdateReport> {
        if let Some(on_device) = learner.on_device.take() {
            return self.update_on_device(learner, &on_device, now);
        }
        self.check_network(&*learner.network, learner.params.layout(), rollout.lanes)?;
        self.objective.begin(now.when);
        let Learner { network, params, optimizer, shuffle, precision, loss_scale, seed, values, buffers, .. } = learner;
        let Buffers { estimate, units, places, advantage, judgement, values: of_critic, gradient, sums, scratch } =
            buffers;
        let mut uploaded = None;
        let by_lane = network.memory() > 0;
        optimizer.forget_steps();
        estimate.shift.clear();
        units.clear();
        match by_lane {
            true => units.extend(0..rollout.lanes),
            false => units.extend(rollout.valid_steps()),
        }
        let minibatches = self.n_minibatches.clamp(1, units.len().max(1));
        let (mut totals, kl_name, mut rate) = (Totals::default(), self.objective.kl_name(), self.rate);
        for epoch in 0..self.n_epochs {
            let (asks_policy, asks_critic) = (self.estimator.needs_log_probs(), self.recompute_advantages);
            let made = Judged::when_made(rollout);
            if epoch == 0 {
                // The network is still the one that acted.
                self.estimator.estimate_into(rollout, self.gamma as f32, made, estimate);
                if let Some(values) = values {
                    values.publish(rollout, estimate, params)?;
                }
                estimate.unit = network.value_unit(params);
            } else if asks_policy || asks_critic {
                let mut now = made;
                if asks_policy {
                    judgement.judge(&**network, params, rollout, scratch)?;
                    now.log_prob = judgement.log_prob();
                }
                if asks_critic {
                    of_critic.ask(&**network, params, rollout, scratch)?;
                    (now.value, now.next_value) = (&of_critic.value, &of_critic.next_value);
                }
                self.estimator.estimate_into(rollout, self.gamma as f32, now, estimate);
            }
            if self.rpo_alpha > 0.0 {
                let means = network.distribution().means();
                let streams = seed.within("rpo", now.when.update).within("epoch", epoch as u64);
                draw_shifts(streams, self.rpo_alpha as f32, rollout, means, &mut estimate.shift);
            }
            if minibatches > 1 {
                units.shuffle(shuffle);
            }
            optimizer.set_lr_factor(rate.factor());
            let mut last_kl = 0.0;
            for m in 0..minibatches {
                now.stop.check()?;
                let (from, to) = (m * units.len() / minibatches, (m + 1) * units.len() / minibatches);
                let share = &mut units[from..to];
                let places = if by_lane { lane_steps(rollout, share, places) } else { share };
                advantage.clear();
                advantage.extend(places.iter().map(|&i| estimate.advantage[i]));
                if self.normalize_advantage {
                    normalize(advantage);
                }
                let batch = Minibatch { rollout, estimate, places, advantage, stop: now.stop };
                let of = (&**network, &*params);
                let out = (&mut *gradient, &mut *sums);
                let passes = Passes::of(*precision, loss_scale.as_ref());
                let room = (&mut *scratch, &mut uploaded);
                let on_device = loss_gradient_where_it_is(&self.objective, of, passes, batch, room, out)?;
                last_kl = totals.add(sums, places.len(), kl_name);
                if let (Some(scale), Some(gradient)) = (&mut *loss_scale, &on_device)
                    && !scale.takes(is_finite(gradient)?)?
                {
                    continue;
                }
                totals.add_step(optimizer.step_wherever(params, (on_device, &mut *gradient), now.when, now.stop)?);
            }
            // One step from the policy that acted has come to nothing yet.
            let is_told = kl_name.is_some() && epoch + minibatches > 1;
            if rate.adapts() && is_told {
                rate = rate.after(last_kl);
            }
            if last_kl > self.target_kl {
                break;
            }
        }
        totals.add_norms(optimizer.settle()?);
        let explained_variance =
            if self.estimator.needs_values() { explained_variance(rollout, estimate) } else { f64::NAN };
        let report = UpdateReport { explained_variance, ..totals.mean() }.finite()?;
        self.objective.follow(&report.terms);
        self.rate = rate;
        Ok(report)
    }

    fn into_on_policy(self: Box<Self>) -> Option<OnPolicy> {
        Some(*self)
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        if self.rate.adapts() {
            visit("lr_factor", Slot::Scalar(&mut self.rate.factor));
        }
        self.objective.state(&mut |name, number| visit(&format!("objective.{name}"), Slot::Scalar(number)));
    }
}

/// Replaces `shift` by numbers between `±alpha`, `[T, N, means]`, each lane's by a stream of its own.
fn draw_shifts(seed: Seed, alpha: f32, rollout: &Rollout, means: usize, shift: &mut Vec<f32>) {
    let len = rollout.log_prob.len();
    shift.resize(len * means, 0.0);
    for lane in 0..rollout.lanes {
        let mut rng = seed.stream("lane", lane as u64);
        for place in (lane..len).step_by(rollout.lanes) {
            let of_place = &mut shift[place * means..(place + 1) * means];
            of_place.fill_with(|| alpha * (2.0 * rng.random::<f32>() - 1.0));
        }
    }
}

/// The valid steps of some lanes, in order, and these lanes in theirs.
fn lane_steps<'a>(rollout: &Rollout, lanes: &mut [usize], places: &'a mut Vec<usize>) -> &'a [usize] {
    lanes.sort_unstable();
    let lanes = &*lanes;
    places.clear();
    let steps = (0..rollout.steps()).flat_map(|t| lanes.iter().map(move |lane| t * rollout.lanes + lane));
    places.extend(steps.filter(|&place| rollout.valid[place]));
    places
}

/// Running sums of what gradient steps report.
#[derive(Debug, Default)]
struct Totals {
    report: UpdateReport,
    count: f64,
    /// Steps taken.
    steps: f64,
}

impl Totals {
    /// Adds the means over a minibatch of so many rows; returns that of the approximate KL divergence, 0 where none is
    /// reported.
    fn add(&mut self, sums: &RowSums, rows: usize, kl_name: Option<&str>) -> f64 {
        let mut approx_kl = 0.0;
        for &(name, sum) in sums.entries() {
            let mean = sum / rows as f64;
            self.report.add_term(name, mean);
            if Some(name) == kl_name {
                approx_kl = mean;
            }
        }
        self.count += 1.0;
        approx_kl
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
    fn mean(mut self) -> UpdateReport {
        let of_steps = self.count / self.steps.max(1.0);
        self.report.grad_norm *= of_steps;
        self.report.update_norm *= of_steps;
        self.report.over(self.count)
    }
}

fn explained_variance(rollout: &Rollout, estimate: &Estimate) -> f64 {
    let variance = |x: &dyn Fn(usize) -> f64| {
        let (sum, count) = rollout.valid_steps().fold((0.0, 0.0), |(sum, count), i| (sum + x(i), count + 1.0));
        let mean = sum / count;
        rollout.valid_steps().map(|i| (x(i) - mean).powi(2)).sum::<f64>() / count
    };
    let target = variance(&|i| f64::from(estimate.target[i]));
    let rest = variance(&|i| f64::from(estimate.target[i]) - f64::from(rollout.value[i]));
    if target > 0.0 { 1.0 - rest / target } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::draw_shifts;
    use crate::rollout::Rollout;
    use crate::seed::Seed;

    fn drawn(seed: Seed, lanes: usize) -> Vec<f32> {
        let (mut shift, steps) = (vec![7.0; 3], 50);
        let rollout = Rollout { log_prob: vec![0.0; steps * lanes], ..Rollout::new(lanes, 0) };
        draw_shifts(seed, 0.5, &rollout, 2, &mut shift);
        shift
    }

    #[test]
    fn shifts_are_uniform_and_of_a_lane_however_many_others_there_are() {
        let whole = drawn(Seed(1), 6);
        assert_eq!(whole.len(), 600);
        assert!(whole.iter().all(|z| (-0.5..0.5).contains(z)) && whole.iter().any(|z| z.abs() > 0.49), "{whole:?}");
        let mean = whole.iter().sum::<f32>() / 600.0;
        let variance = whole.iter().map(|z| (z - mean).powi(2)).sum::<f32>() / 600.0;
        // Three deviations of each: 0.289/√600 and 1/12·√(0.8/600).
        assert!(mean.abs() < 0.036 && (variance - 1.0 / 12.0).abs() < 0.0092, "{mean} {variance}");
        for (of_all, of_part) in whole.chunks_exact(12).zip(drawn(Seed(1), 4).chunks_exact(8)) {
            assert_eq!(of_all[..8], *of_part);
        }
        assert_ne!(whole, drawn(Seed(2), 6));
        let of_updates = [1, 2].map(|update| drawn(Seed(1).within("rpo", update).within("epoch", 0), 6));
        assert_ne!(of_updates[0], of_updates[1]);
    }
}
