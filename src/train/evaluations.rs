//! Evaluations in the midst of training: on seeds and environments of their own, so that training does not notice.

use std::time::Instant;

use super::{Best, Trainer};
#[cfg(feature = "cli")]
use crate::Buffers;
use crate::algo::Learner;
use crate::arrays::Arrays;
use crate::checkpoint::{self, Checkpoint, Progress};
use crate::evaluation::{Evaluated, StoppedBy};
use crate::metrics::reaches;
use crate::policy::{Acting, Mode, Player};
use crate::seed::Seed;
use crate::{Error, Result};

/// What evaluations have come to.
#[derive(Default)]
pub(super) struct Evaluations {
    so_far: checkpoint::Evaluations,
    /// The policy that [`best_return`](checkpoint::Evaluations::best_return) is of.
    best: Option<Best>,
    /// Those that nobody has taken yet.
    new: Vec<Evaluated>,
}

impl Trainer {
    /// The best policy by evaluation so far; none before an evaluation had a mean return. Of equally good ones it is the first.
    #[must_use]
    pub fn best_by_eval(&self) -> Option<&Best> {
        self.evaluations.best.as_ref()
    }

    /// The setting by which an evaluation has ended training, if one has.
    #[must_use]
    pub fn stopped_by(&self) -> Option<StoppedBy> {
        self.evaluations.so_far.stopped_by
    }

    /// The evaluations since last asked, which are kept until then, also where an [`Event`](crate::Event) told of them. A
    /// [`RunFolder`](crate::RunFolder) asks for them, and writes them.
    pub fn take_evaluations(&mut self) -> Vec<Evaluated> {
        std::mem::take(&mut self.evaluations.new)
    }

    /// Goes on from [a state](Trainer::own_state), with the evaluations since, which nobody has taken yet.
    pub(super) fn begin_again(&mut self, from: &Checkpoint) -> Result<()> {
        let new = self.take_evaluations();
        let so_far = (from.progress.env_steps, from.progress.episodes);
        self.go_on_from(from, |trainer, arrays, _| trainer.collector.restore(arrays, so_far))?;
        self.evaluations.new = new;
        Ok(())
    }

    /// Whether a multiple of `eval_every` has been reached or passed since the last evaluation.
    pub(super) fn evaluation_is_due(&self) -> bool {
        let reached = |env_steps: u64| env_steps.checked_div(self.config.eval_every);
        self.stopped_by().is_none() && reached(self.env_steps()) > reached(self.evaluations.so_far.env_steps)
    }

    /// Judges the policy as it would be if training ended now. After an error all is as it was before.
    pub(super) fn evaluate(&mut self) -> Result<Evaluated> {
        let (begun, update, env_steps) = (Instant::now(), self.progress.update, self.env_steps());
        let Learner { network, params, optimizer, .. } = &self.learner;
        let averaged = optimizer.evaluation(params)?.map(|values| params.with_values(values)).transpose()?;
        let params = averaged.as_ref().unwrap_or(params);
        let seed = Seed(Seed(self.config.seed).derive("evaluations", update));
        let mut rng = seed.stream("evaluation_actions", 0);
        let mode = if self.config.eval_deterministic { Mode::Likeliest } else { Mode::Sampled(&mut rng) };
        let mut acting = Acting::until(self.stop.as_ref().map(|[_, patient]| patient.clone()));
        let (config, envs, threads) = (&self.config, &self.envs, Some(self.collector.threads()));
        let player = Player { config, envs, network: &**network, params, acting: &mut acting, threads };
        let played = player.evaluate(config.eval_episodes, seed, mode, &mut |_, _| {});
        self.check_alike(&played)?;
        let evaluation = played?;
        let mean = evaluation.return_mean;
        let best = Best::above(self.best_by_eval(), mean, update, params)?;
        let evaluated = Evaluated { update, env_steps, is_best: best.is_some(), evaluation };
        self.count(env_steps, mean, best);
        self.evaluations.new.push(evaluated.clone());
        // What is reckoned by the clock is of training alone.
        self.started += begun.elapsed();
        self.spent.evaluating += begun.elapsed();
        Ok(evaluated)
    }

    /// The step of the last evaluation; 0 before the first.
    pub(crate) fn evaluated_at(&self) -> u64 {
        self.evaluations.so_far.env_steps
    }

    /// What an evaluation would judge now: the parameters, or their average where the optimizer keeps one, and the buffers.
    #[cfg(feature = "cli")]
    pub(crate) fn judged(&self) -> Result<(Vec<f32>, Buffers)> {
        let Learner { params, optimizer, .. } = &self.learner;
        let theta = optimizer.evaluation(params)?.map_or_else(|| params.snapshot(), Ok)?;
        Ok((theta, params.buffers().clone()))
    }

    /// Counts an evaluation, of the best policy so far or not, and stops training if that is what it calls for. One without a mean
    /// return is no better than any.
    fn count(&mut self, env_steps: u64, mean: Option<f64>, best: Option<Best>) {
        let (config, threshold) = (&self.config, self.spec().reward_threshold);
        let goal = config.stop_at_return.number(threshold).unwrap_or(f64::INFINITY);
        let continued_at = config.continued_at().unwrap_or(0);
        let before = self.evaluations.so_far;
        let goes_on = before.env_steps > continued_at || env_steps <= continued_at;
        let without_improvement = match &best {
            Some(_) => 0,
            None => 1 + if goes_on { before.without_improvement } else { 0 },
        };
        let most = config.stop_without_improvement;
        let stopped_by = match mean {
            // Somebody has asked for more since.
            _ if env_steps <= continued_at => None,
            Some(mean) if reaches(mean, goal) => Some(StoppedBy::StopAtReturn),
            _ => Some(StoppedBy::StopWithoutImprovement).filter(|_| most > 0 && without_improvement >= most),
        };
        let now = &mut self.evaluations;
        now.so_far = checkpoint::Evaluations { env_steps, without_improvement, stopped_by, ..before };
        if let Some(best) = best {
            (now.so_far.best_return, now.so_far.best_update) = (Some(best.return_mean), best.update);
            now.best = Some(best);
        }
    }

    pub(super) fn save_evaluations(&self, arrays: &mut Arrays, progress: &mut Progress) {
        let Evaluations { so_far, best, .. } = &self.evaluations;
        progress.evaluations = Some(*so_far).filter(|so_far| so_far.env_steps > 0);
        best.iter().for_each(|best| best.save("best_by_eval", arrays));
    }

    pub(super) fn restore_evaluations(&mut self, arrays: &Arrays, progress: &Progress) -> Result<()> {
        let saved = progress.evaluations.unwrap_or_default();
        if saved.env_steps > self.env_steps() {
            let (then, now) = (saved.env_steps, self.env_steps());
            return Err(Error::Checkpoint(format!("an evaluation at step {then}, of {now} that were taken")));
        }
        let params = &self.learner.params;
        let best =
            saved.best_return.map(|mean| Best::restore("best_by_eval", arrays, (mean, saved.best_update), params));
        // What ended a run does not end it once more where it was continued.
        let goes_on = self.config.continued_at().is_some_and(|at| saved.env_steps <= at);
        let so_far = checkpoint::Evaluations { stopped_by: saved.stopped_by.filter(|_| !goes_on), ..saved };
        self.evaluations = Evaluations { so_far, best: best.transpose()?, new: Vec::new() };
        Ok(())
    }
}
