//! What the end of a run leaves in its folder.

use std::io::Write;

use super::{EVAL_EPISODES, RunFolder, SUMMARY, picture};
use crate::config::Config;
use crate::evaluation::Evaluation;
use crate::findings::findings;
use crate::metrics::{Metrics, reaches};
use crate::oracle::optimal_return;
use crate::own_folder;
use crate::policy::{Mode, POLICY};
use crate::seed::Seed;
use crate::summary::Summary;
use crate::train::{Best, Trainer};
use crate::{Error, Result, whole_file};

impl RunFolder {
    /// What `metrics.csv` shows that held the run back; nothing where someone made it unreadable.
    fn findings(&self, config: &Config, max_entropy: Option<f64>) -> Vec<String> {
        let rows =
            || csv::Reader::from_path(self.path.join("metrics.csv")).map(csv::Reader::into_deserialize::<Metrics>);
        let (Ok(all), Ok(again)) = (rows(), rows()) else { return Vec::new() };
        findings(again.flatten(), all.flatten().count(), config, max_entropy)
    }

    /// Keeps the policy, the best one too, judges it over 100 episodes, and draws the reward curve. The last checkpoint is of the end,
    /// unless several ranks learn, which save theirs together, or an update broke off.
    ///
    /// # Errors
    /// [`Error::Io`] if a file cannot be written, be it the checkpoint's: the policy is kept then; [`Error::Env`] if an environment fails, [`Error::Interrupted`] if
    /// [`Trainer::stop_when`] broke the episodes off: the policy is kept then, and the run, resumed, is judged again.
    pub fn finish(self, trainer: Trainer) -> Result<Summary> {
        self.finish_telling(trainer, &mut |_, _| {})
    }

    /// The same, which tells how far the episodes are, as [`Policy::evaluate_telling`](crate::Policy::evaluate_telling).
    ///
    /// # Errors
    /// As [`RunFolder::finish`].
    pub fn finish_telling(mut self, mut trainer: Trainer, told: &mut dyn FnMut(u64, u64)) -> Result<Summary> {
        let config = trainer.config().clone();
        let device = crate::device_name(trainer.params().device());
        let (env_steps, wall_seconds) = (trainer.env_steps(), trainer.wall_seconds());
        let (history, updates, divergences) = (trainer.history().clone(), trainer.updates(), trainer.divergences());
        let of_best = |best: Option<&Best>| best.map(|best| (best.return_mean, best.update)).unzip();
        let (best_return_mean, best_update) = of_best(trainer.best());
        let (best_eval_return_mean, best_eval_update) = of_best(trainer.best_by_eval());
        let (finished, stopped_by) = (trainer.is_done(), trainer.stopped_by());
        let logged = self.log_evaluations(&mut trainer);
        // Whoever has it trained for longer goes on from there. The state of several ranks only all of them have, and after an update
        // that broke off there is none.
        let is_saved = self.checkpoints.written == Some((updates, trainer.evaluated_at()));
        let to_save = !is_saved && trainer.is_whole() && !trainer.has_others();
        let saved = if to_save { self.save(&mut trainer) } else { Ok(()) };
        let threshold = trainer.spec().reward_threshold;
        self.save_best(&trainer)?;
        let mut policy = trainer.into_policy()?;
        policy.save(&own_folder::file(&self.path, POLICY)?)?;
        // A sink that has them not yet, or a disk too full for a checkpoint, is no reason to lose the policy.
        logged.and(saved)?;
        let eval = policy.evaluate_telling(EVAL_EPISODES, Seed(config.seed), Mode::Likeliest, told)?;
        let solved = threshold.zip(history.return_mean()).is_some_and(|(threshold, mean)| reaches(mean, threshold));
        let reached = solved || is_best(&config, &eval);
        let findings = if reached { Vec::new() } else { self.findings(&config, policy.distribution().max_entropy()) };
        let summary = Summary {
            env: config.env.shown(),
            algo: config.algo.to_string(),
            optimizer: config.optimizer.to_string(),
            seed: config.seed,
            device,
            env_steps,
            wall_seconds,
            steps_per_second: env_steps as f64 / wall_seconds,
            episodes: history.episodes(),
            episode_return_mean: history.return_mean(),
            solved_at_step: history.solved_at_step(),
            best_return_mean,
            best_update,
            best_eval_return_mean,
            best_eval_update,
            finished,
            stopped_by,
            reward_threshold: threshold,
            updates,
            divergences,
            findings,
            eval,
            version: env!("CARGO_PKG_VERSION"),
        };
        let path = self.path.join(SUMMARY);
        let mut json = serde_json::to_vec_pretty(&summary).map_err(|e| Error::io(&path)(e.into()))?;
        json.write_all(b"\n").map_err(Error::io(&path))?;
        whole_file::write_own(&path, &json).map_err(Error::io(&path))?;
        self.sinks.finish(&summary)?;
        picture::draw(&self.path, threshold)?;
        Ok(summary)
    }
}

/// Whether no policy does better in this environment than one with these returns, as far as they tell. Known of environments
/// with a model.
fn is_best(config: &Config, eval: &Evaluation) -> bool {
    let optimum = optimal_return(config);
    let (Some(optimum), Some(mean), Some(std)) = (optimum, eval.return_mean, eval.return_std) else { return false };
    // Within two standard errors, and what f32 rounds of a sum.
    mean + 2.0 * std / (eval.episodes as f64).sqrt() >= optimum - 1e-4 * (1.0 + optimum.abs())
}
