//! Gradients of several estimators on the same independent batches of episodes.

use crate::advantage::{Estimator, Judged};
use crate::algo::OnPolicy;
use crate::models::Model;
use crate::objective::RowSums;
use crate::rollout::{Estimate, Horizon, Minibatch};
use crate::scratch::Scratch;
use crate::seed::Seed;
use crate::{Buffers, Config, Error, MakeEnvs, Params, Result, Stop, Threads};

/// Plays independent batches of whole episodes with one policy, and takes each estimator's policy gradient of each.
///
/// ```math
///   g = 1/E · Σ over the E episodes of a batch Σₜ Aₜ·∇ log π(aₜ|sₜ)
/// ```
///
/// On whole episodes that all end by themselves every estimator is after one and the same gradient, that of
/// [`oracle::exact_episode_gradient`](crate::oracle::exact_episode_gradient), so what differs is the estimator. Where a time
/// limit cuts some, those that ask a critic for what was cut off are after another than those that do not. It goes
/// uphill, and has neither entropy nor value loss in it nor are advantages normalised. All estimators see the same
/// episodes: differences between them are larger than their intervals, each for itself, make them look.
#[derive(Clone)]
pub struct GradientSampler<'a> {
    /// Environment, network and `gamma`; the rest is not used.
    pub config: &'a Config,
    /// What makes the environments, where they are others than the configuration's, such as the same without a limit of steps.
    pub envs: Option<MakeEnvs>,
    /// Where in the parameters, `[P]`.
    pub theta: &'a [f32],
    /// What goes with them, [`Params::buffers`]; none for a network that has none.
    pub buffers: &'a Buffers,
    /// Episodes in a batch, `E`, at least 1.
    pub episodes: usize,
    /// Batch `i` is played with the seed's stream `gradient_batch` number `i`.
    pub seed: Seed,
    /// What batches are shared among. Their number changes no gradient.
    pub threads: Threads,
}

/// What [`GradientSampler::sample`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientBatches {
    /// For each estimator the gradient of each batch: `[estimators, B, P]`.
    pub gradients: Vec<Vec<Vec<f32>>>,
    /// Environment steps in each batch, `[B]`.
    pub steps: Vec<usize>,
}

impl GradientBatches {
    /// Environment steps in a batch, on average.
    #[must_use]
    pub fn mean_steps(&self) -> f64 {
        self.steps.iter().sum::<usize>() as f64 / self.steps.len() as f64
    }
}

/// Batches that one network is made for.
const SHARE: usize = 8;

/// Of one batch: the gradient of each estimator, and its steps.
type Sampled = (Vec<Vec<f32>>, usize);

impl GradientSampler<'_> {
    /// The gradients of `batches` batches; `done` is called after each, from any thread.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for an impossible configuration,
    /// [`Error::Shape`](crate::Error::Shape) if `theta` is not one of this configuration's network,
    /// [`Error::NotFinite`](crate::Error::NotFinite) if the policy gives no distribution.
    pub fn sample(
        &self,
        estimators: &[Box<dyn Estimator + Sync>],
        batches: usize,
        done: impl Fn() + Sync,
    ) -> Result<GradientBatches> {
        // Whatever the algorithm of the configuration is, this is the plain policy gradient of its network on its task.
        let Config { env, model, distribution, catalogue, gamma, hidden, activation, init, shared_trunk, .. } =
            self.config.clone();
        let Config { normalize_observation, clip_observation, mask_actions, frame_stack, .. } = *self.config;
        let network = Config {
            model,
            distribution,
            catalogue,
            hidden,
            activation,
            init,
            shared_trunk,
            ..Config::for_algo("reinforce")?
        };
        let shown = Config { normalize_observation, clip_observation, frame_stack, ..network };
        let task = Config { env, gamma, mask_actions, ..shown };
        let config =
            Config { envs: self.episodes, episodes: self.episodes, baseline: false, ent_coef: 0.0.into(), ..task };
        // What this has no use for, the training may have had: a critic's layers.
        config.validate_settings()?;
        // No value is learnt, but those that estimators ask for are in the network's unit.
        let config = Config { normalize_value: self.config.normalize_value, ..config };
        let mut shares: Vec<(std::ops::Range<usize>, Result<Vec<Sampled>>)> =
            (0..batches).step_by(SHARE).map(|first| (first..(first + SHARE).min(batches), Ok(Vec::new()))).collect();
        self.threads
            .each(&mut shares, |_, (range, found)| *found = self.share(&config, estimators, range.clone(), &done));
        let mut all = GradientBatches { gradients: vec![Vec::new(); estimators.len()], steps: Vec::new() };
        for (_, found) in shares {
            for (gradients, steps) in found? {
                all.gradients.iter_mut().zip(gradients).for_each(|(all, gradient)| all.push(gradient));
                all.steps.push(steps);
            }
        }
        Ok(all)
    }

    /// Some batches, on one thread.
    fn share(
        &self,
        config: &Config,
        estimators: &[Box<dyn Estimator + Sync>],
        batches: std::ops::Range<usize>,
        done: &(impl Fn() + Sync),
    ) -> Result<Vec<Sampled>> {
        let loop_of = config.make_algo()?.into_on_policy();
        let algo = loop_of.ok_or_else(|| Error::Config(format!("{} is no loop over one objective", config.algo)))?;
        let spec = config.make_envs(1)?.spec().clone();
        let (params, network) = config.model_at(&spec, self.theta, self.buffers)?;
        let batch = |i: usize| {
            let seed = Seed(self.seed.derive("gradient_batch", i as u64));
            let found = self.batch(config, (&algo, &*network, &params), estimators, seed);
            done();
            found
        };
        batches.map(batch).collect()
    }

    fn batch(
        &self,
        config: &Config,
        (algo, network, params): (&OnPolicy, &dyn Model, &Params),
        estimators: &[Box<dyn Estimator + Sync>],
        seed: Seed,
    ) -> Result<Sampled> {
        let mut collector = match &self.envs {
            Some(make) => config.collector_of(make(self.episodes)?, seed)?,
            None => config.collector(self.episodes, seed)?,
        };
        let with_values = estimators.iter().any(|estimator| estimator.needs_values());
        let (rollout, _) = collector.collect(network, params, Horizon::Episodes(1), with_values)?;
        let places: Vec<usize> = rollout.valid_steps().collect();
        let (mut estimate, mut sums, mut scratch) = (Estimate::default(), RowSums::default(), Scratch::default());
        let mut gradients = Vec::with_capacity(estimators.len());
        for estimator in estimators {
            estimator.estimate_into(rollout, config.gamma as f32, Judged::when_made(rollout), &mut estimate);
            estimate.unit = network.value_unit(params);
            let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
            let batch = Minibatch {
                rollout,
                estimate: &estimate,
                places: &places,
                advantage: &advantage,
                stop: Stop::default(),
            };
            let mut gradient = Vec::new();
            algo.gradient(network, params, batch, &mut scratch, &mut gradient, &mut sums)?;
            // The loss is a mean over steps and goes down.
            let scale = -(places.len() as f32) / self.episodes as f32;
            gradient.iter_mut().for_each(|g| *g *= scale);
            gradients.push(gradient);
        }
        Ok((gradients, places.len()))
    }
}
