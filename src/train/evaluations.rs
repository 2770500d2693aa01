//! Evaluations in the midst of training: on seeds and environments of their own, so that training does not notice.

use std::time::Instant;

use super::{Best, Trainer};
use crate::algo::Learner;
use crate::arrays::Arrays;
use crate::checkpoint::{self, Progress};
use crate::evaluation::{Evaluated, StoppedBy};
use crate::policy::{Acting, Mode, Player};
use crate::seed::Seed;
use crate::{Error, Result};

/// What evaluations have come to.
#[derive(Default)]
pub(super) struct Evaluations {
    /// Environment steps at the last one.
    env_steps: u64,
    /// Those in a row, up to the last, that were no better than the best before them.
    without_improvement: u64,
    best: Option<Best>,
    stopped_by: Option<StoppedBy>,
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
        self.evaluations.stopped_by
    }

    /// The evaluations since last asked. A [`RunFolder`](crate::RunFolder) asks for them, and writes them.
    pub fn take_evaluations(&mut self) -> Vec<Evaluated> {
        std::mem::take(&mut self.evaluations.new)
    }

    /// Whether a multiple of `eval_every` has been reached or passed since the last evaluation.
    pub(super) fn evaluation_is_due(&self) -> bool {
        let reached = |env_steps: u64| env_steps.checked_div(self.config.eval_every);
        self.stopped_by().is_none() && reached(self.env_steps) > reached(self.evaluations.env_steps)
    }

    /// Judges the policy as it would be if training ended now. After an error all is as it was before.
    pub(super) fn evaluate(&mut self) -> Result<Evaluated> {
        let (begun, update, env_steps) = (Instant::now(), self.progress.update, self.env_steps);
        let Learner { network, params, optimizer, .. } = &self.learner;
        let averaged = optimizer.evaluation(params)?.map(|values| params.with_values(values)).transpose()?;
        let params = averaged.as_ref().unwrap_or(params);
        let seed = Seed(Seed(self.config.seed).derive("evaluations", update));
        let mut rng = seed.stream("evaluation_actions", 0);
        let mode = if self.config.eval_deterministic { Mode::Likeliest } else { Mode::Sampled(&mut rng) };
        let mut acting = Acting::until(self.stop.as_ref().map(|[_, patient]| patient.clone()));
        let player =
            Player { config: &self.config, envs: &self.envs, network: &**network, params, acting: &mut acting };
        let evaluation = player.evaluate(self.config.eval_episodes, seed, mode, &mut |_, _| {})?;
        let before = self.best_by_eval().map(|best| best.return_mean);
        let better = evaluation.return_mean.filter(|&mean| Some(mean) > before);
        let best = better.map(|return_mean| -> Result<Best> {
            Ok(Best { return_mean, update, params: params.snapshot()?, buffers: params.buffers().clone() })
        });
        let best = best.transpose()?;
        let evaluated = Evaluated { update, env_steps, is_best: best.is_some(), evaluation };
        self.count(&evaluated);
        self.evaluations.best = best.or(self.evaluations.best.take());
        self.evaluations.new.push(evaluated.clone());
        // What is reckoned by the clock is of training alone.
        self.started += begun.elapsed();
        Ok(evaluated)
    }

    /// Counts an evaluation, and stops training if that is what it calls for. One without a mean return is no better than any.
    fn count(&mut self, evaluated: &Evaluated) {
        let Evaluated { env_steps, is_best, ref evaluation, .. } = *evaluated;
        let (config, threshold) = (&self.config, self.spec().reward_threshold);
        let goal = config.stop_at_return.number(threshold).unwrap_or(f64::INFINITY);
        let continued_at = config.continued_at().unwrap_or(0);
        let last = self.evaluations.env_steps;
        let row =
            if last <= continued_at && continued_at < env_steps { 0 } else { self.evaluations.without_improvement };
        let row = if is_best { 0 } else { row + 1 };
        let most = config.stop_without_improvement;
        let stopped_by = match evaluation.return_mean {
            // Somebody has asked for more since.
            _ if env_steps <= continued_at => None,
            Some(mean) if mean >= goal => Some(StoppedBy::StopAtReturn),
            _ => Some(StoppedBy::StopWithoutImprovement).filter(|_| most > 0 && row >= most),
        };
        let now = &mut self.evaluations;
        (now.env_steps, now.without_improvement, now.stopped_by) = (env_steps, row, stopped_by);
    }

    pub(super) fn save_evaluations(&self, arrays: &mut Arrays, progress: &mut Progress) {
        let Evaluations { env_steps, without_improvement, ref best, stopped_by, .. } = self.evaluations;
        if env_steps == 0 {
            return;
        }
        let mut saved = checkpoint::Evaluations { env_steps, without_improvement, stopped_by, ..Default::default() };
        if let Some(best) = best {
            (saved.best_return, saved.best_update) = (Some(best.return_mean), best.update);
            best.save("best_by_eval", arrays);
        }
        progress.evaluations = Some(saved);
    }

    pub(super) fn restore_evaluations(&mut self, arrays: &Arrays, progress: &Progress) -> Result<()> {
        let saved = progress.evaluations.unwrap_or_default();
        let checkpoint::Evaluations { env_steps, without_improvement, best_return, best_update, stopped_by } = saved;
        if env_steps > self.env_steps {
            let now = self.env_steps;
            return Err(Error::Checkpoint(format!("an evaluation at step {env_steps}, of {now} that were taken")));
        }
        let best =
            best_return.map(|mean| Best::restore("best_by_eval", arrays, (mean, best_update), &self.learner.params));
        // What ended a run does not end it once more where it was continued.
        let stopped_by = stopped_by.filter(|_| self.config.continued_at().is_none_or(|at| env_steps > at));
        self.evaluations =
            Evaluations { env_steps, without_improvement, best: best.transpose()?, stopped_by, new: Vec::new() };
        Ok(())
    }
}
