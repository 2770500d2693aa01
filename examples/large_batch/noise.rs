//! The noise scales of the gradients of policy and of value along a run.

use std::path::Path;

use serde::{Deserialize, Serialize};
use uphill::advantage::{Estimator, Gae, Judged, normalize};
use uphill::algo::OnPolicy;
use uphill::gradient::GradientQuality;
use uphill::objective::{Objective, PolicyGradient, RowSums, Sum, ValueLoss};
use uphill::rollout::{Estimate, Minibatch};
use uphill::stats::Bootstrap;
use uphill::{Collector, Config, Error, Horizon, Model, Params, Result, Rollout, Scratch, Seed, Stop, Trainer};

use crate::record::whole;

/// What is measured, and how well.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Noise {
    /// Shares of a run, of the updates that it took until it had the return.
    pub(crate) at: Vec<f64>,
    /// Lanes that are played with the policy there, each by itself.
    pub(crate) lanes: usize,
    /// Lanes in a batch.
    pub(crate) lanes_of_batch: usize,
    /// Steps that each plays before it counts, so that they are wherever episodes lead.
    pub(crate) warm_up: usize,
    /// Reported runs that it is measured along.
    pub(crate) runs: usize,
}

/// What was found at a point of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Point {
    /// Settings of the run, as TOML.
    pub(crate) config: String,
    pub(crate) seed: u64,
    pub(crate) update: u64,
    pub(crate) env_steps: u64,
    pub(crate) return_mean: Option<f64>,
    pub(crate) policy: Scale,
    pub(crate) value: Scale,
}

/// A noise scale in environment steps, with its interval; none is infinite: no signal is told from the noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scale {
    pub(crate) point: Option<f64>,
    pub(crate) low: Option<f64>,
    pub(crate) high: Option<f64>,
}

impl Noise {
    /// What there is at these points of a run that takes so many updates, from its file or measured now; none where it is not there
    /// and nothing is to be done.
    pub(crate) fn along(
        &self,
        config: &Config,
        updates: u64,
        folder: &Path,
        works: bool,
    ) -> Result<Option<Vec<Point>>> {
        std::fs::create_dir_all(folder).map_err(|source| Error::Io { path: folder.into(), source })?;
        let path = folder.join(format!("s{}.json", config.seed));
        let text = config.to_toml()?;
        if let Ok(kept) = std::fs::read_to_string(&path)
            && let Ok(points) = serde_json::from_str::<Vec<Point>>(&kept)
            && points.len() == self.at.len()
            && points.iter().all(|point| point.config == text)
        {
            return Ok(Some(points));
        }
        if !works {
            return Ok(None);
        }
        let mut trainer = Trainer::new(config)?;
        let mut points = Vec::new();
        for &share in &self.at {
            while trainer.updates() < (share * updates as f64).round() as u64 && trainer.step()?.is_some() {}
            points.push(self.point(&trainer, &text)?);
        }
        let bytes = serde_json::to_vec(&points).map_err(|e| Error::Config(e.to_string()))?;
        whole(&path, &bytes)?;
        Ok(Some(points))
    }

    /// What there is at the policy and the critic that a trainer has come to.
    fn point(&self, trainer: &Trainer, text: &str) -> Result<Point> {
        let config = trainer.config();
        let (params, network) =
            config.model_at(trainer.spec(), &trainer.params().snapshot()?, trainer.params().buffers())?;
        let seed = Seed(Seed(config.seed).derive("noise_scale", trainer.updates()));
        let mut lanes = Collector::new(config.make_envs(self.lanes)?, seed)?;
        lanes.collect(&*network, &params, Horizon::Steps(self.warm_up), false)?;
        let (rollout, _) = lanes.collect(&*network, &params, Horizon::Steps(config.n_steps), true)?;
        let mut estimate = Estimate::default();
        let estimator = Gae { gae_lambda: config.gae_lambda as f32 };
        estimator.estimate_into(rollout, config.gamma as f32, Judged::when_made(rollout), &mut estimate);
        // Over all lanes at once, where PPO does so over a batch: batches differ by nothing but what is in them.
        normalize(&mut estimate.advantage);
        let of = (config, &*network, &params);
        Ok(Point {
            config: text.into(),
            seed: config.seed,
            update: trainer.updates(),
            env_steps: trainer.env_steps(),
            return_mean: trainer.history().return_mean(),
            policy: self.scale(of, PolicyGradient, rollout, &estimate)?,
            value: self.scale(of, ValueLoss::default(), rollout, &estimate)?,
        })
    }

    /// The noise scale of an objective's gradient.
    fn scale(
        &self,
        (config, network, params): (&Config, &dyn Model, &Params),
        objective: impl Objective + 'static,
        rollout: &Rollout,
        estimate: &Estimate,
    ) -> Result<Scale> {
        let horizon = Horizon::Steps(config.n_steps);
        let estimator = Box::new(Gae { gae_lambda: config.gae_lambda as f32 });
        let algo = OnPolicy::new(horizon, config.gamma, estimator, Sum::of(objective));
        let (mut sums, mut scratch, mut gradients) = (RowSums::default(), Scratch::default(), Vec::new());
        for first in (0..rollout.lanes).step_by(self.lanes_of_batch) {
            let lanes = first..(first + self.lanes_of_batch).min(rollout.lanes);
            let rows = 0..rollout.reward.len() / rollout.lanes;
            let places: Vec<usize> =
                rows.flat_map(|row| lanes.clone().map(move |lane| row * rollout.lanes + lane)).collect();
            let advantage: Vec<f32> = places.iter().map(|&place| estimate.advantage[place]).collect();
            let batch = Minibatch { rollout, estimate, places: &places, advantage: &advantage, stop: Stop::default() };
            let mut gradient = Vec::new();
            algo.gradient(network, params, batch, &mut scratch, &mut gradient, &mut sums)?;
            gradients.push(gradient);
        }
        let steps = (self.lanes_of_batch * config.n_steps) as f64;
        let bootstrap = Bootstrap { reps: 1_000, ..Bootstrap::default() };
        let scale = GradientQuality::of(&gradients, steps, None, &bootstrap)?.noise_scale;
        let known = |x: f64| x.is_finite().then_some(x);
        Ok(Scale { point: known(scale.point), low: known(scale.low), high: known(scale.high) })
    }
}
