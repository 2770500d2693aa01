//! The training loop, one update at a time.

use std::time::Instant;

use candle_core::Device;
use uphill_envs::Spec;

use crate::algo::{Learner, OnPolicy};
use crate::collect::Collector;
use crate::config::Config;
use crate::device::DeviceChoice;
use crate::metrics::{History, Metrics};
use crate::nn::{ActorCritic, MlpActorCritic};
use crate::optim::{Optimizer, Registry, When};
use crate::policy::Policy;
use crate::seed::Seed;
use crate::{Error, Params, Result, Threads};

/// Trains a policy, one update a [`step`](Trainer::step).
///
/// ```
/// use uphill::{Config, Trainer};
///
/// let config = Config { env: "GridWorld-4x4-v0".into(), steps: 1_000, ..Config::for_algo("ppo")? };
/// let mut trainer = Trainer::new(&config)?;
/// while let Some(metrics) = trainer.step()? {
///     println!("{:>8} {:?}", metrics.env_steps, metrics.episode_return_mean);
/// }
/// # Ok::<(), uphill::Error>(())
/// ```
pub struct Trainer {
    config: Config,
    algo: OnPolicy,
    collector: Collector,
    learner: Learner,
    history: History,
    device_note: Option<String>,
    updates: u64,
    started: Instant,
}

impl Trainer {
    /// Environments, network, optimizer and algorithm, as configured.
    ///
    /// # Errors
    /// [`Error::Config`] for an impossible setting, [`Error::Device`] for a device that cannot be had, [`Error::Env`]
    /// for an unknown environment.
    pub fn new(config: &Config) -> Result<Self> {
        Self::with_registry(config, &Registry::default())
    }

    /// The same with an optimizer that may have words of one's own.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn with_registry(config: &Config, registry: &Registry) -> Result<Self> {
        let threads = Threads::new(config.threads)?;
        Self::assemble(config, registry, &threads, |spec, device| {
            let (params, network) = MlpActorCritic::new(spec, &config.mlp(), Seed(config.seed), device)?;
            Ok((params, Box::new(network.on(threads.clone()))))
        })
    }

    /// The same with a network of one's own, such as a [`ModuleActorCritic`](crate::ModuleActorCritic).
    ///
    /// # Errors
    /// As [`Trainer::new`], and what `build` fails with.
    pub fn with_network(
        config: &Config,
        build: impl FnOnce(&Spec, &Device) -> Result<(Params, Box<dyn ActorCritic>)>,
    ) -> Result<Self> {
        Self::with_parts(config, &Registry::default(), build)
    }

    /// The same with both.
    ///
    /// # Errors
    /// As [`Trainer::with_network`].
    pub fn with_parts(
        config: &Config,
        registry: &Registry,
        build: impl FnOnce(&Spec, &Device) -> Result<(Params, Box<dyn ActorCritic>)>,
    ) -> Result<Self> {
        Self::assemble(config, registry, &Threads::new(config.threads)?, build)
    }

    fn assemble(
        config: &Config,
        registry: &Registry,
        threads: &Threads,
        build: impl FnOnce(&Spec, &Device) -> Result<(Params, Box<dyn ActorCritic>)>,
    ) -> Result<Self> {
        config.validate_with(registry)?;
        let seed = Seed(config.seed);
        let (device, device_note) = config.device.parse::<DeviceChoice>()?.open()?;
        let collector = Collector::grouped(config.make_groups()?, seed, threads.clone())?;
        let spec = collector.spec();
        let (params, network) = build(spec, &device)?;
        let history = History::new(spec.reward_threshold);
        let learner = Learner::new(network, params, config.make_optimizer_with(registry)?, seed);
        Ok(Self {
            config: config.clone(),
            algo: config.make_algo()?,
            collector,
            learner,
            history,
            device_note,
            updates: 0,
            started: Instant::now(),
        })
    }

    /// One rollout and one update from it; `None` once the configured steps are taken.
    ///
    /// # Errors
    /// [`Error::Diverged`] for a NaN or infinite loss, gradient or policy: the parameters are then those of the last
    /// finite step. [`Error::Env`] if an environment fails.
    pub fn step(&mut self) -> Result<Option<Metrics>> {
        let before = self.collector.env_steps();
        if before >= self.config.steps {
            return Ok(None);
        }
        self.updates += 1;
        let when = When { progress: before as f64 / self.config.steps as f64, update: self.updates };
        let diverged = |error, update| match error {
            Error::NotFinite { what } => Error::Diverged { update, what },
            other => other,
        };
        let Learner { network, params, .. } = &mut self.learner;
        let (rollout, episodes) = self
            .collector
            .collect(&**network, params, self.algo.horizon, self.algo.estimator.needs_values())
            .map_err(|e| diverged(e, self.updates))?;
        for &episode in episodes {
            self.history.push(episode);
        }
        let report = self.algo.update(&mut self.learner, rollout, when).map_err(|e| diverged(e, self.updates))?;
        let lr = self.learner.optimizer.learning_rate(when);
        if let Some(mean) = self.history.return_mean() {
            self.learner.optimizer.observe(mean);
        }
        let (env_steps, seconds) = (self.collector.env_steps(), self.started.elapsed().as_secs_f64());
        Ok(Some(Metrics::new(self.updates, env_steps, &self.history, &report, lr, seconds)))
    }

    /// What the run was configured with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What `auto` chose as the device and why, if the configuration left it to choose.
    #[must_use]
    pub fn device_note(&self) -> Option<&str> {
        self.device_note.as_deref()
    }

    /// The last 100 episodes.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The parameters as they are now.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.learner.params
    }

    /// Environment steps taken, all lanes together.
    #[must_use]
    pub fn env_steps(&self) -> u64 {
        self.collector.env_steps()
    }

    /// Seconds since the trainer was made.
    #[must_use]
    pub fn wall_seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// What moves the parameters.
    #[must_use]
    pub fn optimizer(&self) -> &Optimizer {
        &self.learner.optimizer
    }

    /// Bytes of state that the optimizer keeps.
    pub fn state_bytes(&mut self) -> usize {
        self.learner.optimizer.state_bytes()
    }

    /// Ends training and keeps the policy. Where the optimizer averages parameters for evaluation, it has the average.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the device fails.
    pub fn into_policy(self) -> Result<Policy> {
        let Learner { network, mut params, optimizer, .. } = self.learner;
        if let Some(values) = optimizer.evaluation(&params)? {
            params.set(&values)?;
        }
        Ok(Policy::new(self.config, network, params))
    }
}
