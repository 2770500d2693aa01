//! The training loop, one update at a time.

mod assembled;
mod best;
mod dead_weights;
mod divergence;
mod evaluations;
mod event;
mod in_update;
mod of_ranks;
mod overrides;
mod saved;
mod spent;

use std::sync::Arc;
use std::time::{Duration, Instant};

use uphill_envs::Spec;

use crate::algo::{Algorithm, Learner, Now};
use crate::arrays::Arrays;
use crate::checkpoint::Progress;
use crate::collect::{Collector, MakeEnvs};
use crate::config::Config;
use crate::metrics::{History, Mean, Metrics, UpdateReport};
use crate::normaliser::Normaliser;
use crate::optim::{Optimizer, When};
use crate::policy::Policy;
use crate::schedule::Schedule;
use crate::sink::Weights;
use crate::stop::{Flag, Stop};
use crate::world::World;
use crate::{Error, Params, Result};

pub use best::Best;
use evaluations::Evaluations;
pub use event::Event;
use in_update::in_update;
pub use overrides::{BuildNetwork, Overrides};
pub use spent::Spent;

/// An update that learns for longer is one whose successor must be able to break off.
const SLOW: Duration = Duration::from_secs(1);

/// Trains a policy: [`run`](Trainer::run) to the end, [`advance`](Trainer::advance) by one thing that happens,
/// [`step`](Trainer::step) by one update.
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
    algo: Box<dyn Algorithm>,
    envs: MakeEnvs,
    own_envs: bool,
    collector: Collector,
    learner: Learner,
    normaliser: Normaliser,
    history: History,
    world: Arc<dyn World>,
    device_note: Option<String>,
    progress: Progress,
    /// Parameters and optimizer as they were when last noted as good to go back to.
    good: Option<Arrays>,
    best: Option<Best>,
    evaluations: Evaluations,
    /// Whether an error broke off an update after it had begun to change something.
    broken_off: bool,
    /// What a user should be told, since last asked.
    notes: Vec<String>,
    /// The algorithm's numbers that change over training.
    schedules: Vec<(&'static str, Schedule)>,
    /// What is to break off what is going on, and the same with patience.
    stop: Option<[Flag; 2]>,
    /// Whether learning from a rollout may take so long that it is worth being able to break it off; not known at first.
    slow: Option<bool>,
    started: Instant,
    spent: Spent,
}

impl Trainer {
    /// Lets `stop` break off what is going on, between two steps of the environments, two few hundred rows of a gradient and
    /// two products of large matrices: [`Trainer::advance`] then fails with [`Error::Interrupted`], and all is as it was before.
    /// An update that ends within two seconds is finished instead, and so is learning where no update before took a second.
    ///
    /// `stop` is asked often, from any thread: it should look at a flag and do no more. The policy that the trainer becomes
    /// is [broken off](Policy::stop_when) by it, too, an evaluation of more than two seconds.
    pub fn stop_when(&mut self, stop: impl Fn() -> bool + Send + Sync + 'static) {
        let stop = Flag::new(stop);
        let patient = stop.patient();
        self.collector.set_stop(&patient);
        self.stop = Some([stop, patient]);
    }

    /// One update: a rollout, mostly, and what is learnt from it.
    fn update(&mut self) -> Result<Metrics> {
        let (rollouts, update) = (self.algo.rollouts(), self.progress.update + 1);
        let when = self.when();
        let before = if rollouts > 1 { Some(self.own_state()?) } else { None };
        let (mut reports, mut steps) = (Mean::default(), 0);
        for rollout in 1..=rollouts {
            self.collector.go_on_after(steps);
            match (self.learn(rollout == rollouts), &before) {
                (Ok(report), _) => {
                    reports.add(report);
                    steps += self.collector.rollout().steps();
                }
                (Err(error @ Error::Diverged { .. }), _) | (Err(error), None) => return Err(error),
                // Of several rollouts some are learnt from.
                (Err(error), Some(before)) => {
                    self.begin_again(before)?;
                    return Err(error);
                }
            }
        }
        let mut report = self.learner.optimizer.report();
        report.extend(self.learner.loss_scale().iter().flat_map(|scale| scale.report()));
        let of_optimizer = (self.learner.optimizer.learning_rate(when), report);
        // The mean of fewer is good by luck, and what is once the best stays it.
        if let Some(mean) = self.history.return_mean_of_100() {
            self.learner.optimizer.observe(mean, when);
        }
        (self.progress.update, self.progress.divergences_in_a_row) = (update, 0);
        let (env_steps, seconds) = (self.env_steps(), self.wall_seconds());
        let scheduled = self.schedules.iter().map(|(name, schedule)| (*name, schedule.at(when)));
        Ok(Metrics::new(update, env_steps, &self.history, &reports.mean(), scheduled, of_optimizer, seconds))
    }

    /// How far the update that is next, or going on, has come.
    fn when(&self) -> When {
        When { progress: self.config.progress_at(self.env_steps()), update: self.progress.update + 1 }
    }

    /// One rollout, the last of its update or not, and what is learnt from it.
    fn learn(&mut self, is_last: bool) -> Result<UpdateReport> {
        let when = self.when();
        let update = when.update;
        let config = &self.config;
        let diverged = |largest_reward| {
            move |error| match error {
                Error::NotFinite { what } => {
                    Error::Diverged { update, what, remedy: divergence::remedy(config, largest_reward) }
                }
                other => other,
            }
        };
        let goes_back = self.algo.rollouts() == 1;
        let note = match goes_back && self.stop.is_some() && self.slow.unwrap_or(true) {
            true => Some((
                self.learner.note(&mut *self.algo)?,
                self.normaliser.clone(),
                (self.history.clone(), self.collector.episodes().clone()),
            )),
            false => None,
        };
        let Learner { network, params, .. } = &mut self.learner;
        let begun = Instant::now();
        in_update(update, || self.collector.collect(&**network, params, self.algo.horizon(), self.algo.needs_values()))
            .map_err(diverged(0.0))?;
        self.spent.collecting += begun.elapsed();
        self.learner.on_device = self.collector.take_device_rollout();
        let rewards = &self.collector.rollout().reward;
        let diverged = diverged(rewards.iter().fold(0.0, |most: f32, reward| most.max(reward.abs())));
        self.history.follow(self.collector.episodes());
        let best = if is_last { self.better(update)? } else { None };
        self.broken_off = true;
        let there = self.learner.on_device.as_mut();
        self.normaliser.scale_rewards(self.collector.rollout_mut(), there)?;
        // Whoever learns takes the rollout with it.
        let seen = self.learner.on_device.as_ref().map(|there| self.normaliser.seen(there)).transpose();
        let seen = seen.map_err(diverged)?.flatten();
        let begun = Instant::now();
        let breaks_off = note.is_some() || !goes_back;
        let stop = Stop::of(self.stop.as_ref().filter(|_| breaks_off).map(|[_, patient]| patient));
        self.learner.values.clone_from(&self.normaliser.value);
        exchange_room(&mut self.learner, &mut self.collector);
        let now = Now { when, stop };
        let report = in_update(update, || self.algo.update(&mut self.learner, self.collector.rollout(), now));
        exchange_room(&mut self.learner, &mut self.collector);
        self.spent.learning += begun.elapsed();
        if let (Err(Error::Interrupted), Some((learner, normaliser, (history, episodes)))) = (&report, note) {
            self.learner.put_back(&learner, &mut *self.algo)?;
            self.collector.put_back(episodes);
            (self.normaliser, self.history) = (normaliser, history);
            self.broken_off = false;
            return Err(Error::Interrupted);
        }
        // For good: an optimizer may do its longest work every so many steps.
        self.slow = Some(self.slow == Some(true) || begun.elapsed() > SLOW);
        let report = report.and_then(|report| report.finite()).map_err(diverged)?;
        if is_last {
            self.learner.check_finite().map_err(diverged)?;
        }
        self.normaliser.value.clone_from(&self.learner.values);
        self.normaliser.follow(self.collector.rollout(), seen, &mut self.learner.params);
        self.broken_off = false;
        self.best = best.or(self.best.take());
        Ok(report)
    }

    /// What happened since last asked that a user should be told.
    pub fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Divergences that the run went on after.
    #[must_use]
    pub fn divergences(&self) -> u64 {
        self.progress.divergences
    }

    /// Updates so far, those that diverged among them.
    #[must_use]
    pub fn updates(&self) -> u64 {
        self.progress.update
    }

    /// What the run was configured with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What each environment is.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        self.collector.spec()
    }

    /// What `auto` chose as the device and why, if the configuration left it to choose.
    #[must_use]
    pub fn device_note(&self) -> Option<&str> {
        self.device_note.as_deref()
    }

    /// The last 100 episodes that count.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The parameters as they are now.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.learner.params
    }

    /// Whether the gradient on the last minibatch of each update is kept from now on, before anything is made of it: a copy a minibatch.
    /// Of algorithms that take minibatches, on any device.
    pub fn keep_gradient(&mut self, is_kept: bool) {
        self.learner.keep_gradient(is_kept);
    }

    /// What is learnt, as it is now, with the gradient where it is [kept](Trainer::keep_gradient).
    #[must_use]
    pub fn weights(&self) -> Weights<'_> {
        let (update, env_steps) = (self.updates(), self.env_steps());
        Weights { update, env_steps, params: &self.learner.params, gradient: self.learner.kept_gradient() }
    }

    /// Environment steps taken, all lanes together.
    #[must_use]
    pub fn env_steps(&self) -> u64 {
        self.collector.env_steps()
    }

    /// Seconds since the trainer was made, with those before the checkpoint that it goes on from, but for those of evaluations.
    #[must_use]
    pub fn wall_seconds(&self) -> f64 {
        self.progress.wall_seconds + self.started.elapsed().as_secs_f64()
    }

    /// What the time since the trainer was made went into.
    #[must_use]
    pub fn spent(&self) -> Spent {
        self.spent
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
        let mut policy = Policy::new(self.config, network, params);
        if self.own_envs {
            policy = policy.in_envs(self.envs);
        }
        if let Some([stop, _]) = self.stop {
            policy.set_stop(stop.patient());
        }
        Ok(policy)
    }
}

/// Lends whoever learns the room of whoever has played all lanes, or gives it back: weights are turned round there once, and what was
/// passed may be there still.
fn exchange_room(learner: &mut Learner, collector: &mut Collector) {
    collector.only_room().into_iter().for_each(|room| learner.exchange_room(room));
}

#[cfg(test)]
mod tests;
