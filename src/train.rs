//! The training loop, one update at a time.

use std::time::Instant;

use candle_core::Device;
use uphill_envs::Spec;

use crate::algo::{Learner, OnPolicy};
use crate::checkpoint::{Arrays, Checkpoint, Progress};
use crate::collect::Collector;
use crate::config::Config;
use crate::device::DeviceChoice;
use crate::divergence::OnDivergence;
use crate::metrics::{History, Metrics};
use crate::nn::{ActorCritic, MlpActorCritic};
use crate::optim::{Optimizer, Registry, When};
use crate::policy::Policy;
use crate::seed::{Seed, from_words, words};
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
    progress: Progress,
    /// Parameters and optimizer as they were when last noted as good to go back to.
    good: Option<Arrays>,
    /// Whether an error broke off an update after it had begun to change something.
    broken_off: bool,
    /// What a user should be told, since last asked.
    notes: Vec<String>,
    started: Instant,
}

/// Divergences one after the other, without an update between them that did not, after which a run gives up.
const GIVES_UP_AFTER: u64 = 10;

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
            progress: Progress::default(),
            good: None,
            broken_off: false,
            notes: Vec::new(),
            started: Instant::now(),
        })
    }

    /// One rollout and one update from it; `None` once the configured steps are taken.
    ///
    /// # Errors
    /// [`Error::Diverged`] for a NaN or infinite loss, gradient or policy, unless
    /// [`on_divergence`](Config::on_divergence) goes on after it: the parameters are then those of the last finite step.
    /// [`Error::Env`] if an environment fails: the trainer is then as it was before the update.
    pub fn step(&mut self) -> Result<Option<Metrics>> {
        while self.collector.env_steps() < self.config.steps {
            self.note_good()?;
            match self.update() {
                Err(error @ Error::Diverged { .. }) => self.go_back(error)?,
                done => return done.map(Some),
            }
        }
        Ok(None)
    }

    fn update(&mut self) -> Result<Metrics> {
        let before = self.collector.env_steps();
        let update = self.progress.update + 1;
        let when = When { progress: before as f64 / self.config.steps as f64, update };
        let diverged = |error| match error {
            Error::NotFinite { what } => Error::Diverged { update, what },
            other => other,
        };
        let Learner { network, params, .. } = &mut self.learner;
        let (rollout, episodes) = self
            .collector
            .collect(&**network, params, self.algo.horizon, self.algo.estimator.needs_values())
            .map_err(diverged)?;
        for &episode in episodes {
            self.history.push(episode);
        }
        self.broken_off = true;
        let report = self.algo.update(&mut self.learner, rollout, when).map_err(diverged)?;
        let lr = self.learner.optimizer.learning_rate(when);
        if let Some(mean) = self.history.return_mean() {
            self.learner.optimizer.observe(mean);
        }
        self.broken_off = false;
        (self.progress.update, self.progress.divergences_in_a_row) = (update, 0);
        let (env_steps, seconds) = (self.collector.env_steps(), self.wall_seconds());
        Ok(Metrics::new(update, env_steps, &self.history, &report, lr, seconds))
    }

    /// Notes parameters and optimizer, if it is time to.
    fn note_good(&mut self) -> Result<()> {
        let due = |every| self.good.is_none() || self.progress.update.is_multiple_of(every);
        if self.config.on_divergence.notes_every().is_some_and(due) {
            let good = self.good.insert(Arrays::default());
            self.learner.params.save("good.params", good)?;
            self.learner.optimizer.save("good.optimizer", good);
        }
        Ok(())
    }

    /// Puts parameters and optimizer back to where they were last good. The update counts, and so do its steps.
    fn go_back(&mut self, error: Error) -> Result<()> {
        let again = self.progress.divergences_in_a_row + 1;
        let Some(good) = self.good.as_ref().filter(|_| again <= GIVES_UP_AFTER) else { return Err(error) };
        self.learner.params.restore("good.params", good)?;
        self.learner.optimizer.restore("good.optimizer", good)?;
        self.broken_off = false;
        self.progress.update += 1;
        self.progress.divergences += 1;
        self.progress.divergences_in_a_row = again;
        let did = match self.config.on_divergence {
            OnDivergence::Skip => "the update was skipped",
            _ => "parameters and optimizer went back to where they were last good",
        };
        self.notes.push(format!("{error}; {did}"));
        Ok(())
    }

    /// The state of the run, to go on from elsewhere.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] after an error within an update: the run is then between two states.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        if self.broken_off {
            let update = self.progress.update + 1;
            return Err(Error::Checkpoint(format!("update {update} was broken off: there is no whole state to save")));
        }
        let mut arrays = Arrays::default();
        let Learner { params, optimizer, shuffle, .. } = &mut self.learner;
        params.save("params", &mut arrays)?;
        optimizer.save("optimizer", &mut arrays);
        arrays.put("shuffle_rng", words(shuffle).to_vec());
        self.collector.save(&mut arrays);
        self.history.save(&mut arrays);
        if let (OnDivergence::Rollback, Some(good)) = (self.config.on_divergence, &self.good) {
            arrays.extend(good);
        }
        let progress = Progress {
            env_steps: self.collector.env_steps(),
            episodes: self.history.episodes(),
            solved_at_step: self.history.solved_at_step(),
            wall_seconds: self.wall_seconds(),
            ..self.progress.clone()
        };
        Ok(Checkpoint { config: self.config.clone(), progress, arrays })
    }

    /// The trainer that a checkpoint was made of: it goes on as if nothing had happened.
    ///
    /// # Errors
    /// As [`Trainer::new`] and [`Trainer::restore`].
    pub fn resume(checkpoint: &Checkpoint) -> Result<Self> {
        let mut trainer = Self::new(checkpoint.config())?;
        trainer.restore(checkpoint)?;
        Ok(trainer)
    }

    /// Goes on from the checkpoint of a trainer of the same configuration, with the same network and the same optimizer.
    /// `threads` and `device` may differ.
    ///
    /// Environments that cannot be saved start new episodes; a [note](Trainer::take_notes) says so.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for another configuration, or arrays that do not fit: the trainer is then good for nothing.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let Checkpoint { config, progress, arrays } = checkpoint;
        let Config { threads, device, .. } = self.config.clone();
        let same = Config { threads, device, ..config.clone() };
        if same != self.config {
            let (theirs, ours) = (same.to_table()?, self.config.to_table()?);
            let name = ours.iter().find(|(name, value)| theirs.get(*name) != Some(*value));
            let name = name.map_or("gridworld", |(name, _)| name.as_str());
            let problem = format!("it is of a run with another setting {name}");
            return Err(Error::Checkpoint(problem));
        }
        self.broken_off = true;
        let Learner { params, optimizer, shuffle, .. } = &mut self.learner;
        params.restore("params", arrays)?;
        optimizer.restore("optimizer", arrays)?;
        let mut state = [0; 4];
        arrays.copy("shuffle_rng", &mut state)?;
        *shuffle =
            from_words(state).ok_or_else(|| Error::Checkpoint("`shuffle_rng` is no generator's state".into()))?;
        if !self.collector.restore(arrays, progress.env_steps)? {
            self.notes.push("the environments cannot be saved: they start new episodes".into());
        }
        self.history.restore(arrays, progress.episodes, progress.solved_at_step)?;
        let good = arrays.starting_with("good.");
        self.good = (!good.is_empty()).then_some(good);
        self.progress = progress.clone();
        self.started = Instant::now();
        self.broken_off = false;
        Ok(())
    }

    /// What happened since last asked that a user should be told.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// How far the run was when it was last between two updates.
    pub(crate) fn progress_mut(&mut self) -> &mut Progress {
        &mut self.progress
    }

    /// Divergences that the run went on after.
    #[must_use]
    pub fn divergences(&self) -> u64 {
        self.progress.divergences
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

    /// Seconds since the trainer was made, with those before the checkpoint that it goes on from.
    #[must_use]
    pub fn wall_seconds(&self) -> f64 {
        self.progress.wall_seconds + self.started.elapsed().as_secs_f64()
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
