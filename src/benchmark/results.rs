//! The tables of a comparison.

use std::path::Path;

use serde::Serialize;
use uphill_envs::counted;

use super::cell::{Cell, Stage};
use super::grid::{Grid, Select};
use super::outcome::Outcome;
use super::trial::Trial;
use super::whole_csv;
use crate::Result;
use crate::stats::{Scale, area_under_curve};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Trained to the end.
    Finished,
    /// Trained to the end, and the policy is worth no more than a random one though it has long left it: the score is 0
    /// or less, and either the policy hardly explores any more (entropy below 5% of a uniform policy's) or 100
    /// episodes in a row had once scored a quarter or more.
    Collapsed,
    /// Left the real numbers. From there on it counts as the random policy, whose score is 0.
    Diverged,
}

/// Seeds below which a difference between optimizers is no claim.
pub(crate) const CLAIM: u64 = 10;
/// Below this share of a uniform policy's entropy a policy hardly explores any more.
const HARDLY_EXPLORES: f64 = 0.05;
/// A policy that has scored this had learnt something.
const HAD_LEARNT: f64 = 0.25;

/// One run: a row of `results.csv`. Returns are undiscounted; scores are returns on the task's [`Scale`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// The row's number, from 1.
    pub run: usize,
    /// The protocol, or what else it is for.
    pub protocol: Stage,
    /// The task.
    pub task: String,
    /// The algorithm.
    pub algo: String,
    /// The optimizer as the grid names it.
    pub optimizer: String,
    /// The same with all hyper-parameters that were chosen, but the learning rate.
    pub spec: String,
    /// The learning rate; empty where `spec` says it.
    pub lr: Option<f64>,
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub status: Status,
    /// The update in which it diverged.
    pub diverged_update: Option<u64>,
    /// What was not finite then.
    pub diverged_what: Option<String>,
    /// Environment steps taken, all lanes together.
    pub env_steps: u64,
    /// Updates.
    pub updates: u64,
    /// Episodes finished in training.
    pub episodes: u64,
    /// The last point of the learning curve.
    pub final_return: f64,
    /// The same as a score.
    pub final_score: f64,
    /// The area under the curve of scores, as a mean score: [`area_under_curve`] of [`Run::score_curve`].
    pub area: f64,
    /// Mean return of the evaluation, with the likeliest actions; the random policy's for a run that diverged.
    pub eval_return: f64,
    /// The same as a score.
    pub eval_score: f64,
    /// First environment step at which the mean of the last 100 episodes reached the environment's threshold; empty if
    /// it did not within the run.
    pub solved_at_step: Option<u64>,
    /// Steps that the run was to take; its last rollout may have gone beyond them.
    pub steps: u64,
    /// Bytes of the optimizer's state.
    pub state_bytes: u64,
    /// The learning curve: mean return of the last 100 training episodes that count at each point, `[curve_points]`. It has the
    /// random policy's return before every lane has ended its first, and from where the run diverged.
    #[serde(skip)]
    pub curve: Vec<f64>,
    /// The scale of its task.
    #[serde(skip)]
    pub scale: Scale,
    /// Seconds of processor time that training and evaluation took: the only number that a clock decides, and in no table of results.
    #[serde(skip)]
    pub seconds: f64,
}

/// A row of `curves.csv`.
#[derive(Serialize)]
struct Point {
    run: usize,
    env_steps: u64,
    episode_return_mean: f64,
    score: f64,
}

/// A row of `timings.csv`.
#[derive(Serialize)]
struct Timing {
    run: usize,
    seconds: f64,
    microseconds_per_update: f64,
}

/// Every run of a comparison, in the order of the grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// What was run.
    pub grid: Grid,
    /// Its runs: by stage, task, algorithm, optimizer, hyper-parameters and seed.
    pub runs: Vec<Run>,
}

impl Run {
    pub(super) fn new(cell: &Cell, grid: &Grid, outcome: &Outcome, seconds: f64) -> Result<Self> {
        let Cell { stage, task, algo, trial, scale, config } = cell;
        let mut curve = outcome.curve.clone();
        curve.resize(grid.curve_points, f64::NAN);
        curve.iter_mut().filter(|point| point.is_nan()).for_each(|point| *point = scale.random());
        let final_return = curve.last().copied().unwrap_or(scale.random());
        let eval_return = outcome.eval_return.unwrap_or(scale.random());
        let had_learnt = outcome.best_return.is_some_and(|best| scale.normalise(best) >= HAD_LEARNT);
        let hardly_explores = outcome.entropy.is_some_and(|share| share < HARDLY_EXPLORES);
        let status = match &outcome.diverged {
            Some(_) => Status::Diverged,
            None if scale.normalise(final_return) <= 0.0 && (hardly_explores || had_learnt) => Status::Collapsed,
            None => Status::Finished,
        };
        let mut run = Self {
            run: 0,
            protocol: *stage,
            task: task.clone(),
            algo: algo.clone(),
            optimizer: trial.optimizer.clone(),
            spec: trial.spec.to_string(),
            lr: trial.lr,
            seed: config.seed,
            status,
            diverged_update: outcome.diverged.as_ref().map(|diverged| diverged.update),
            diverged_what: outcome.diverged.as_ref().map(|diverged| diverged.what.clone()),
            env_steps: outcome.env_steps,
            updates: outcome.updates,
            episodes: outcome.episodes,
            final_return,
            final_score: scale.normalise(final_return),
            area: f64::NAN,
            eval_return,
            eval_score: scale.normalise(eval_return),
            solved_at_step: outcome.solved_at_step,
            steps: config.steps,
            state_bytes: outcome.state_bytes,
            curve,
            scale: *scale,
            seconds,
        };
        let (env_steps, scores) = run.score_curve();
        run.area = area_under_curve(&env_steps, &scores)?;
        Ok(run)
    }

    /// The learning curve as `(env_steps, return)`: point `k` of `n` stands at `k/n` of the run's steps.
    pub fn curve_points(&self) -> impl Iterator<Item = (u64, f64)> {
        let n = self.curve.len() as u128;
        let at = move |k: usize| ((k as u128 + 1) * u128::from(self.steps) / n.max(1)) as u64;
        self.curve.iter().enumerate().map(move |(k, &point)| (at(k), point))
    }

    /// The learning curve as steps and scores, from step 0 on, where the policy is as good as a random one: score 0.
    #[must_use]
    pub fn score_curve(&self) -> (Vec<u64>, Vec<f64>) {
        let points = self.curve_points().map(|(env_steps, point)| (env_steps, self.scale.normalise(point)));
        std::iter::once((0, 0.0)).chain(points).unzip()
    }

    /// What a rollout with its update took, evaluation included.
    #[must_use]
    pub fn microseconds_per_update(&self) -> f64 {
        1e6 * self.seconds / self.updates.max(1) as f64
    }

    /// What trials are judged by.
    fn judged(&self, select: Select) -> f64 {
        match select {
            Select::Area => self.area,
            Select::FinalScore => self.final_score,
            Select::EvalScore => self.eval_score,
        }
    }
}

/// The best of some trials, by the mean over their runs (all complete, `seeds` in a row for each trial). Of equally good
/// ones it is that with the smaller learning rate, then the one named first.
pub(super) fn winner(trials: &[Trial], runs: &[Run], seeds: usize, select: Select) -> Option<Trial> {
    let mean = |runs: &[Run]| runs.iter().map(|run| run.judged(select)).sum::<f64>() / runs.len() as f64;
    let judged = trials.iter().zip(runs.chunks(seeds.max(1)).map(mean));
    let better = |(best, best_mean): (&'_ Trial, f64), (trial, mean): (&'_ Trial, f64)| {
        let smaller = trial.lr < best.lr;
        mean > best_mean || (mean == best_mean && smaller)
    };
    let best = judged.reduce(|best, next| if better(best, next) { next } else { best });
    best.map(|(trial, _)| trial.clone())
}

impl Results {
    /// The runs of one protocol, task, algorithm and optimizer, by hyper-parameters and seed.
    pub fn of<'a>(
        &'a self,
        stage: Stage,
        task: &'a str,
        algo: &'a str,
        optimizer: &'a str,
    ) -> impl Iterator<Item = &'a Run> {
        let same = move |run: &&Run| run.task == task && run.algo == algo && run.optimizer == optimizer;
        self.runs.iter().filter(move |run| run.protocol == stage).filter(same)
    }

    /// How many runs there are and how they ended, in words.
    #[must_use]
    pub fn endings(&self) -> String {
        let count = |status: Status| self.runs.iter().filter(|run| run.status == status).count();
        let (finished, collapsed) = (count(Status::Finished), count(Status::Collapsed));
        let (runs, diverged) = (counted(self.runs.len(), "run"), count(Status::Diverged));
        format!("{runs}: {finished} finished, {collapsed} collapsed, {diverged} diverged")
    }

    /// That there are too few seeds for a claim, where there are.
    #[must_use]
    pub fn caution(&self) -> Option<String> {
        let seeds = self.grid.seeds.count();
        let noun = if seeds == 1 { "seed is" } else { "seeds are" };
        let text = format!("{seeds} {noun} too few for a claim: take {CLAIM} or more before believing a difference");
        Some(text).filter(|_| seeds < CLAIM)
    }

    /// The stages that have runs.
    pub(super) fn stages(&self) -> Vec<Stage> {
        Stage::ALL.into_iter().filter(|&stage| self.runs.iter().any(|run| run.protocol == stage)).collect()
    }

    /// Names of the optimizers, as the grid has them.
    #[must_use]
    pub fn optimizers(&self) -> Vec<String> {
        self.grid.optimizers.iter().map(ToString::to_string).collect()
    }

    /// Writes `results.csv`, `curves.csv` and `timings.csv`.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        whole_csv(&folder.join("results.csv"), self.runs.iter())?;
        let points = self.runs.iter().flat_map(|run| {
            let point = move |(env_steps, episode_return_mean)| {
                let score = run.scale.normalise(episode_return_mean);
                Point { run: run.run, env_steps, episode_return_mean, score }
            };
            run.curve_points().map(point)
        });
        whole_csv(&folder.join("curves.csv"), points)?;
        let timings = self.runs.iter().map(|run| {
            let microseconds_per_update = run.microseconds_per_update();
            Timing { run: run.run, seconds: run.seconds, microseconds_per_update }
        });
        whole_csv(&folder.join("timings.csv"), timings)
    }
}

#[cfg(test)]
mod tests;
