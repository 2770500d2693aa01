//! A rollout on the host, and what is estimated on it pass by pass.

use rand::RngExt as _;

use super::OnPolicy;
use super::descent::Steps;
use crate::advantage::{Judged, normalize};
use crate::algo::Now;
use crate::algo::judgement::Judgement;
use crate::algo::loss_gradient::{LeftThere, Passes, loss_gradient_where_it_is};
use crate::models::{Model, ValuesAlong};
use crate::normaliser::ValueScale;
use crate::objective::{RowSums, TensorRollout};
use crate::rollout::{Estimate, Minibatch, Rollout};
use crate::scratch::Scratch;
use crate::seed::Seed;
use crate::{Params, Result};

/// The rollout, who is asked about it, and room for the answers.
pub(super) struct OnHost<'a> {
    pub(super) algo: &'a OnPolicy,
    pub(super) network: &'a dyn Model,
    pub(super) rollout: &'a Rollout,
    pub(super) now: Now<'a>,
    pub(super) seed: Seed,
    pub(super) values: Option<&'a mut ValueScale>,
    pub(super) estimate: &'a mut Estimate,
    pub(super) places: &'a mut Vec<usize>,
    pub(super) advantage: &'a mut Vec<f32>,
    pub(super) judgement: &'a mut Judgement,
    pub(super) of_critic: &'a mut ValuesAlong,
    pub(super) scratch: &'a mut Scratch,
    /// The rollout on a device, from the first minibatch on that goes through tensors.
    pub(super) uploaded: Option<TensorRollout>,
}

impl Steps for OnHost<'_> {
    // Whole lanes for a network with a memory, else steps.
    fn units(&self, units: &mut Vec<usize>) {
        match self.network.memory() {
            0 => units.extend(self.rollout.valid_steps()),
            _ => units.extend(0..self.rollout.lanes),
        }
    }

    fn begin(&mut self, pass: usize, params: &mut Params) -> Result<()> {
        let Self { algo, network, rollout, estimate, scratch, .. } = self;
        let (asks_policy, asks_critic) = (algo.estimator.needs_log_probs(), algo.recompute_advantages);
        let (gamma, made) = (algo.gamma as f32, Judged::when_made(rollout));
        if pass == 0 {
            estimate.shift.clear();
            // The network is still the one that acted.
            algo.estimator.estimate_into(rollout, gamma, made, estimate);
            if let Some(values) = &mut self.values {
                values.publish(rollout, estimate, params)?;
            }
            estimate.unit = network.value_unit(params);
        } else if asks_policy || asks_critic {
            let mut now = made;
            if asks_policy {
                self.judgement.judge(*network, params, rollout, scratch)?;
                now.log_prob = self.judgement.log_prob();
            }
            if asks_critic {
                self.of_critic.ask(*network, params, rollout, scratch)?;
                (now.value, now.next_value) = (&self.of_critic.value, &self.of_critic.next_value);
            }
            algo.estimator.estimate_into(rollout, gamma, now, estimate);
        }
        if algo.rpo_alpha > 0.0 {
            let streams = self.seed.within("rpo", self.now.when.update).within("epoch", pass as u64);
            let means = network.distribution().means();
            draw_shifts(streams, algo.rpo_alpha as f32, rollout, means, &mut estimate.shift);
        }
        Ok(())
    }

    fn gradient(
        &mut self,
        units: &mut [usize],
        params: &Params,
        passes: Passes,
        out: (&mut Vec<f32>, &mut RowSums),
    ) -> Result<(usize, Option<LeftThere>)> {
        let Self { algo, network, rollout, estimate, advantage, .. } = self;
        let places = if network.memory() > 0 { lane_steps(rollout, units, self.places) } else { units };
        advantage.clear();
        advantage.extend(places.iter().map(|&i| estimate.advantage[i]));
        if algo.normalize_advantage {
            normalize(advantage);
        }
        let batch = Minibatch { rollout, estimate, places, advantage, stop: self.now.stop };
        let room = (&mut *self.scratch, &mut self.uploaded);
        let left = loss_gradient_where_it_is(&algo.objective, (*network, params), passes, batch, room, out)?;
        Ok((places.len(), left))
    }

    fn explained_variance(&self) -> Result<f64> {
        let has_critic = self.algo.estimator.needs_values();
        Ok(if has_critic { explained_variance(self.rollout, self.estimate) } else { f64::NAN })
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

fn explained_variance(rollout: &Rollout, estimate: &Estimate) -> f64 {
    let mean = |x: &dyn Fn(usize) -> f64| {
        let (sum, count) = rollout.valid_steps().fold((0.0, 0.0), |(sum, count), i| (sum + x(i), count + 1.0));
        sum / count
    };
    let variance = |x: &dyn Fn(usize) -> f64| {
        let of_all = mean(x);
        mean(&|i| (x(i) - of_all).powi(2))
    };
    let (target, value) = (|i: usize| f64::from(estimate.target[i]), |i: usize| f64::from(rollout.value[i]));
    let squares = mean(&|i| target(i).powi(2) + value(i).powi(2));
    explained(variance(&target), variance(&|i| target(i) - value(i)), squares)
}

/// The share of the targets' variance that is not in the `rest`; NaN where there is none but that of rounding: a target is the sum of an
/// advantage and a value in f32, the mean of whose `squares` says how fine that is.
pub(super) fn explained(target: f64, rest: f64, squares: f64) -> f64 {
    const ROUNDING: f64 = 2.0 * f32::EPSILON as f64;
    if target > squares * ROUNDING * ROUNDING { 1.0 - rest / target } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::{draw_shifts, explained};
    use crate::rollout::Rollout;
    use crate::seed::Seed;

    fn drawn(seed: Seed, lanes: usize) -> Vec<f32> {
        let (mut shift, steps) = (vec![7.0; 3], 50);
        let rollout = Rollout { log_prob: vec![0.0; steps * lanes], ..Rollout::new(lanes, 0) };
        draw_shifts(seed, 0.5, &rollout, 2, &mut shift);
        shift
    }

    #[test]
    fn what_rounding_alone_makes_vary_is_not_explained() {
        // Returns of 1 as (1 - V) + V in f32.
        let values = (0..500).map(|i| 3.0 * (0.7 * i as f32).sin());
        let (targets, values): (Vec<f32>, Vec<f32>) = values.map(|v| ((1.0 - v) + v, v)).unzip();
        assert!(targets.iter().any(|&target| target != 1.0));
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let variance =
            |x: &[f64]| mean(x).mul_add(-mean(x), mean(&x.iter().map(|x| x * x).collect::<Vec<_>>())).max(1e-20);
        let wide = |x: &[f32]| x.iter().copied().map(f64::from).collect::<Vec<f64>>();
        let apart: Vec<f64> = wide(&targets).iter().zip(wide(&values)).map(|(t, v)| t - v).collect();
        let squares = mean(&wide(&targets).iter().zip(wide(&values)).map(|(t, v)| t * t + v * v).collect::<Vec<_>>());
        assert!(explained(variance(&wide(&targets)), variance(&apart), squares).is_nan());
        assert_eq!(explained(4.0, 1.0, 1e6), 0.75);
        assert_eq!(explained(1e-8, 1e-9, 1.0), 0.9);
        assert!(explained(0.0, 0.0, 0.0).is_nan());
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
