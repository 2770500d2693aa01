//! What a dashboard knows of a run.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use super::curve::Curve;
use crate::episodes::LONGEST;
use crate::evaluation::Evaluated;
use crate::metrics::Metrics;
use crate::plot::{RecordedRun, evaluations};
use crate::train::Spent;
use crate::{Trainer, screen};

/// What speeds are the mean over.
const WINDOW: Duration = Duration::from_secs(10);
/// The least that two looks at the clock are apart.
const APART: Duration = Duration::from_millis(250);
/// Warnings that are kept: the last ones.
const WARNINGS: usize = 20;

/// The columns whose curves are small, and what they are called.
const SMALL: [(&str, &str); 4] = [
    ("policy_loss", "policy loss"),
    ("value_loss", "value loss"),
    ("grad_norm", "gradient norm"),
    ("entropy", "entropy, nats"),
];

/// Steps, and what the time to there went into.
#[derive(Clone, Copy, Default)]
struct Look {
    at: Duration,
    env_steps: u64,
    spent: Spent,
}

/// What is known of a run.
#[derive(Clone)]
pub(super) struct Board {
    /// What is trained: environment, algorithm, optimizer and seed.
    pub(super) title: String,
    pub(super) folder: String,
    /// Environment steps, of all that there will be, and those before this program went on with it.
    pub(super) env_steps: u64,
    pub(super) steps: u64,
    begun_at: u64,
    /// The return at which the task counts as solved.
    pub(super) threshold: Option<f64>,
    pub(super) returns: Curve,
    pub(super) evaluations: Curve,
    /// By what they are called.
    pub(super) small: [(&'static str, Curve); 4],
    looks: VecDeque<Look>,
    /// When the last update ended.
    updated: Duration,
    /// Steps of all evaluations, and the time that they took.
    evaluated: (u64, Duration),
    warnings: VecDeque<String>,
}

impl Board {
    /// What is known before an update, with what the folder holds of a run that goes on.
    pub(super) fn new(trainer: &Trainer, folder: &Path) -> Self {
        let config = trainer.config();
        let (env, algo, optimizer) = (config.env.shown(), &config.algo.name, config.optimizer.to_string());
        let title = format!("{env}  {algo}  {optimizer}  seed {}", config.seed);
        let mut board = Self {
            title,
            folder: screen::path(folder),
            env_steps: trainer.env_steps(),
            steps: config.steps,
            begun_at: trainer.env_steps(),
            threshold: trainer.spec().reward_threshold,
            returns: Curve::default(),
            evaluations: Curve::default(),
            small: SMALL.map(|(_, name)| (name, Curve::default())),
            looks: VecDeque::from([Look { env_steps: trainer.env_steps(), ..Look::default() }]),
            updated: Duration::ZERO,
            evaluated: (0, Duration::ZERO),
            warnings: VecDeque::new(),
        };
        if board.begun_at > 0 {
            board.remember(folder);
        }
        board
    }

    /// Takes what the files of a run hold. One that cannot be read leaves its curve empty: it is but looked at.
    fn remember(&mut self, folder: &Path) {
        let fill = |curve: &mut Curve, of: &RecordedRun| {
            of.env_steps.iter().zip(&of.values).for_each(|(&x, &y)| curve.push(x as f64, y));
        };
        if let Ok(run) = RecordedRun::read(folder) {
            fill(&mut self.returns, &run);
            let series = evaluations(std::slice::from_ref(&run));
            series.iter().flat_map(|series| &series.points).for_each(|(x, it)| self.evaluations.push(*x, it.point));
        }
        for ((column, _), (_, curve)) in SMALL.iter().zip(&mut self.small) {
            RecordedRun::read_metric(folder, column).iter().for_each(|run| fill(curve, run));
        }
    }

    /// Takes an update that ended `at`, by the dashboard's clock.
    pub(super) fn update(&mut self, metrics: &Metrics, spent: Spent, at: Duration) {
        let x = metrics.env_steps as f64;
        (self.env_steps, self.updated) = (metrics.env_steps, at);
        metrics.episode_return_mean.iter().for_each(|&mean| self.returns.push(x, mean));
        for ((column, _), (_, curve)) in SMALL.iter().zip(&mut self.small) {
            metrics.column(column).iter().for_each(|&value| curve.push(x, value));
        }
        let now = Look { at, env_steps: metrics.env_steps, spent };
        // The last one moves on with every update, those before it stay apart.
        if let [.., before, last] = self.looks.make_contiguous()
            && at.saturating_sub(before.at) < APART
        {
            *last = now;
        } else {
            self.looks.push_back(now);
        }
        while self.looks.len() > 2 && at.saturating_sub(self.looks[1].at) >= WINDOW {
            self.looks.pop_front();
        }
    }

    /// Takes an evaluation.
    pub(super) fn evaluated(&mut self, evaluated: &Evaluated, spent: Spent) {
        let evaluation = &evaluated.evaluation;
        evaluation.return_mean.iter().for_each(|&mean| self.evaluations.push(evaluated.env_steps as f64, mean));
        let steps: u64 = evaluation.lengths.iter().map(|length| u64::from(length.unwrap_or(LONGEST))).sum();
        self.evaluated = (self.evaluated.0 + steps, spent.evaluating);
    }

    /// Takes a warning, but not the same twice in a row.
    pub(super) fn warn(&mut self, warning: &str) {
        if self.warnings.back().is_none_or(|last| last != warning) {
            self.warnings.push_back(warning.into());
        }
        if self.warnings.len() > WARNINGS {
            self.warnings.pop_front();
        }
    }

    pub(super) fn warnings(&self) -> impl DoubleEndedIterator<Item = &String> {
        self.warnings.iter()
    }

    /// Steps a second as a whole, and of each part while it was at work; those that are not known are `None`.
    pub(super) fn speeds(&self) -> [(&'static str, Option<f64>); 4] {
        let (first, last) = (self.looks.front().copied(), self.looks.back().copied());
        let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
        let per = |steps: u64, time: Duration| Some(steps as f64 / time.as_secs_f64()).filter(|rate| rate.is_finite());
        let steps = last.env_steps.saturating_sub(first.env_steps);
        let of = |part: fn(&Spent) -> Duration| per(steps, part(&last.spent).saturating_sub(part(&first.spent)));
        [
            ("steps/s", per(steps, last.at.saturating_sub(first.at))),
            ("collecting", of(|spent| spent.collecting)),
            ("learning", of(|spent| spent.learning)),
            ("evaluating", per(self.evaluated.0, self.evaluated.1)),
        ]
    }

    /// The share of all steps that is done, 0 to 1.
    pub(super) fn done(&self) -> f64 {
        (self.env_steps as f64 / self.steps.max(1) as f64).min(1.0)
    }

    /// What is left of the time, as fast as it went so far.
    pub(super) fn left(&self) -> Option<Duration> {
        let (done, left) = (self.env_steps.saturating_sub(self.begun_at), self.steps.saturating_sub(self.env_steps));
        Duration::try_from_secs_f64(left as f64 / done as f64 * self.updated.as_secs_f64()).ok()
    }
}
