//! Observations, rewards and values on one scale, by what has been seen of them.

use crate::arrays::Arrays;
use crate::models::{NormalisedModel, PopArtModel};
use crate::moments::{EPS, Moments};
use crate::rollout::{DeviceRollout, Estimate, ValueUnit};
use crate::{Error, Params, Result, Rollout};

/// What is known of observations, of rewards and of values so far. It stands still while a rollout is played, and takes it in
/// step by step and lane by lane, the same for any number of threads: rewards and what values are regressed on before the
/// rollout is learnt from, observations afterwards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Normaliser {
    /// Of observations, of `D` numbers each.
    pub(crate) observation: Option<Moments>,
    pub(crate) reward: Option<RewardScale>,
    pub(crate) value: Option<ValueScale>,
}

/// The scale of rewards.
///
/// ```math
///   Rₜ = rₜ + γ·[not ended before]·Rₜ₋₁          r̂ₜ = clip(rₜ/√(Var R + ε), ±c)
/// ```
///
/// Engstrom et al. 2020, section 2, <https://arxiv.org/abs/2005.12729>; their mean is not taken off.
#[derive(Debug, Clone)]
pub(crate) struct RewardScale {
    gamma: f64,
    clip: f32,
    /// `[N]`: `Rₜ` of the episode under way in each lane.
    running: Vec<f64>,
    returns: Moments,
}

impl RewardScale {
    pub(crate) fn new(lanes: usize, gamma: f64, clip: f64) -> Self {
        Self { gamma, clip: clip as f32, running: vec![0.0; lanes], returns: Moments::new(1) }
    }

    /// Takes a rollout's rewards in, and brings them to the scale of all so far, those among them: what they are multiplied by.
    fn scale(&mut self, rollout: &mut Rollout) -> f32 {
        let Self { gamma, clip, running, returns } = self;
        let mut seen = Moments::new(1);
        for i in rollout.valid_steps() {
            let running = &mut running[i % rollout.lanes];
            *running = *gamma * *running + f64::from(rollout.reward[i]);
            seen.add(&[*running as f32]);
            if rollout.end[i].ended() {
                *running = 0.0;
            }
        }
        returns.merge(&seen);
        let scale = returns.scale().map(|variance| 1.0 / (variance + EPS).sqrt()).sum::<f64>() as f32;
        rollout.reward.iter_mut().for_each(|reward| *reward = (*reward * scale).clamp(-*clip, *clip));
        scale
    }
}

/// Mean and deviation of what values are regressed on, each rollout weighing less than the one after it.
///
/// ```math
///   m ← β·m + (1 − β)·x,   w ← β·w + (1 − β)          E x ≈ m/w
/// ```
#[derive(Debug, Clone, Default)]
pub(crate) struct ValueScale {
    weight: f64,
    mean: f64,
    square: f64,
}

/// `β`: what of the past is left after each rollout.
const DECAY: f64 = 0.99;
/// The least deviation: what does not vary is not blown up.
const LEAST_STD: f64 = 1e-4;

impl ValueScale {
    /// Takes a rollout's targets in, and has the network's values in the unit of all so far, those among them: van Hasselt et
    /// al. 2016, algorithm 1.
    ///
    /// # Errors
    /// [`Error::NotFinite`] where they are not finite: the network's values stay as they are.
    pub(crate) fn publish(&mut self, rollout: &Rollout, estimate: &Estimate, params: &mut Params) -> Result<()> {
        self.publish_of(&of_targets(rollout, estimate), params)
    }

    /// The same with the moments of its targets.
    ///
    /// # Errors
    /// As [`ValueScale::publish`].
    pub(crate) fn publish_of(&mut self, seen: &Moments, params: &mut Params) -> Result<()> {
        let unit = self.follow(seen);
        if !(unit.mean.is_finite() && unit.std.is_finite()) {
            return Err(Error::NotFinite { what: "what values are regressed on".into() });
        }
        PopArtModel::set_unit(params, unit)
    }

    /// Takes the moments of a rollout's targets in.
    fn follow(&mut self, seen: &Moments) -> ValueUnit {
        let (mean, variance) = (seen.mean()[0], seen.variance().sum::<f64>());
        for (known, now) in
            [(&mut self.weight, 1.0), (&mut self.mean, mean), (&mut self.square, variance + mean * mean)]
        {
            *known = DECAY * *known + (1.0 - DECAY) * now;
        }
        let mean = self.mean / self.weight;
        let std = (self.square / self.weight - mean * mean).max(0.0).sqrt().max(LEAST_STD);
        ValueUnit { mean: mean as f32, std: std as f32 }
    }
}

fn of_targets(rollout: &Rollout, estimate: &Estimate) -> Moments {
    let mut seen = Moments::new(1);
    rollout.valid_steps().filter_map(|i| estimate.target.get(i)).for_each(|&target| seen.add(&[target]));
    seen
}

impl Normaliser {
    /// Brings the rewards of a rollout that has just been played to scale, and the same that are on a device where they are: the host
    /// has been told of them, for the episodes, and so it knows without asking what they are multiplied by.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub(crate) fn scale_rewards(&mut self, rollout: &mut Rollout, there: Option<&mut DeviceRollout>) -> Result<()> {
        let Some(reward) = &mut self.reward else { return Ok(()) };
        let (scale, clip) = (f64::from(reward.scale(rollout)), reward.clip);
        if let Some(there) = there {
            there.reward = there.reward.affine(scale, 0.0)?.clamp(-clip, clip)?;
        }
        Ok(())
    }

    /// The moments of observations that are on a device, where they are followed.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if one of them is not finite: the network, which clips them, would not show it. [`Error::Tensor`] if the
    /// device fails.
    pub(crate) fn seen(&self, there: &DeviceRollout) -> Result<Option<Moments>> {
        if self.observation.is_none() {
            return Ok(None);
        }
        let seen = Moments::of_steps(&there.observation, there.steps)?;
        match seen.are_finite() {
            true => Ok(Some(seen)),
            false => Err(Error::NotFinite { what: "an observation".into() }),
        }
    }

    /// Takes in the observations of a rollout that has been learnt from, or the [moments](Normaliser::seen) of those that are not on
    /// the host, and tells the network.
    pub(crate) fn follow(&mut self, rollout: &Rollout, seen: Option<Moments>, params: &mut Params) {
        let Some(observation) = &mut self.observation else { return };
        let of_host = || {
            let mut seen = Moments::new(rollout.observation_len);
            rollout.valid_steps().for_each(|i| seen.add(&rollout.observation_at(i)));
            seen
        };
        observation.merge(&seen.unwrap_or_else(of_host));
        NormalisedModel::publish(params.buffers_mut(), observation.mean(), observation.scale());
    }

    /// Notes that every lane begins an episode.
    pub(crate) fn begin(&mut self) {
        self.reward.iter_mut().for_each(|reward| reward.running.fill(0.0));
    }

    /// Adds what is known to `arrays`.
    pub(crate) fn save(&self, arrays: &mut Arrays) {
        if let Some(observation) = &self.observation {
            observation.save("normaliser.observation", arrays);
        }
        if let Some(reward) = &self.reward {
            reward.returns.save("normaliser.returns", arrays);
            arrays.put("normaliser.running", reward.running.clone());
        }
        if let Some(ValueScale { weight, mean, square }) = &self.value {
            arrays.put("normaliser.value", vec![*weight, *mean, *square]);
        }
    }

    /// Goes on from what [`Normaliser::save`] left.
    pub(crate) fn restore(&mut self, arrays: &Arrays) -> Result<()> {
        if let Some(observation) = &mut self.observation {
            observation.restore("normaliser.observation", arrays)?;
        }
        if let Some(reward) = &mut self.reward {
            reward.returns.restore("normaliser.returns", arrays)?;
            arrays.copy("normaliser.running", &mut reward.running)?;
        }
        if let Some(ValueScale { weight, mean, square }) = &mut self.value {
            let mut numbers = [0.0; 3];
            arrays.copy("normaliser.value", &mut numbers)?;
            [*weight, *mean, *square] = numbers;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
