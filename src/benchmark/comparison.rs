//! How optimizers compare under one protocol, over several tasks and algorithms at once.

use super::cell::Stage;
use super::results::{CLAIM, Results, Run};
use crate::stats::{Aggregates, Bootstrap, Interval, Scores, probability_of_improvement_interval};
use crate::{Result, Seed};

/// How every interval of a report is made: 95%, 5,000 replicates, seed 0.
pub(crate) const BOOTSTRAP: Bootstrap = Bootstrap { reps: 5_000, confidence_level: 0.95, seed: Seed(0) };

/// All optimizers of a grid under one protocol; tasks with algorithms are the strata of the bootstrap.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Comparison {
    pub(super) stage: Stage,
    /// The one algorithm that it is about; `None`: all of the grid.
    pub(super) algo: Option<String>,
    /// Reported seeds: runs of each stratum.
    pub(super) seeds: u64,
    /// One each optimizer, in the grid's order.
    pub(super) standings: Vec<Standing>,
}

/// What one optimizer scored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Standing {
    pub(super) optimizer: String,
    /// Of the area under the curve of scores: the primary one.
    pub(super) area: Aggregates,
    /// Of the score at the end of training.
    pub(super) final_score: Aggregates,
    /// How probable it is that a run of it has a larger area than one of each optimizer, in the grid's order.
    pub(super) improvement: Vec<Interval>,
}

/// What an interval of a probability of improvement supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Better,
    Worse,
    Undecided,
}

impl Comparison {
    pub(super) fn of(results: &Results, stage: Stage, algo: Option<&str>) -> Result<Self> {
        let optimizers = results.optimizers();
        let scores = |of: fn(&Run) -> f64| {
            let of_one = |optimizer: &String| {
                let pairs = results.grid.pairs().filter(|(_, own)| algo.is_none_or(|algo| algo == *own));
                let column = |(task, own)| results.of(stage, task, own, optimizer).map(of).collect::<Vec<f64>>();
                Scores::from_tasks(&pairs.map(column).collect::<Vec<_>>())
            };
            optimizers.iter().map(of_one).collect::<Result<Vec<_>, _>>()
        };
        let (areas, finals) = (scores(|run| run.area)?, scores(|run| run.final_score)?);
        let mut standings = Vec::new();
        for ((optimizer, area), last) in optimizers.iter().zip(&areas).zip(&finals) {
            let beats = |other| probability_of_improvement_interval(area, other, &BOOTSTRAP);
            standings.push(Standing {
                optimizer: optimizer.clone(),
                area: Aggregates::of(area, &BOOTSTRAP)?,
                final_score: Aggregates::of(last, &BOOTSTRAP)?,
                improvement: areas.iter().map(beats).collect::<Result<_, _>>()?,
            });
        }
        Ok(Self { stage, algo: algo.map(Into::into), seeds: results.grid.seeds.count(), standings })
    }

    /// What it is about, as the tables call it.
    pub(super) fn scope(&self) -> &str {
        self.algo.as_deref().unwrap_or("all")
    }

    /// Places of the optimizers, the best interquartile mean of areas first; of equals the one named first.
    pub(super) fn ranking(&self) -> Vec<usize> {
        let iqm = |&place: &usize| self.standings[place].area.iqm.point;
        let mut places: Vec<usize> = (0..self.standings.len()).collect();
        places.sort_by(|a, b| iqm(b).total_cmp(&iqm(a)));
        places
    }

    /// The optimizer that all others are held against: the grid's first `adam`, or else its first.
    pub(super) fn reference(&self) -> usize {
        let is_adam = |name: &str| name == "adam" || name.starts_with("adam(");
        self.standings.iter().position(|standing| is_adam(&standing.optimizer)).unwrap_or_default()
    }

    /// What the numbers say of one optimizer against another.
    ///
    /// An interval of no width comes of runs that all beat, or all equal, those of the other: with few seeds by chance,
    /// so it decides nothing then.
    pub(super) fn verdict(&self, place: usize, other: usize) -> Verdict {
        let Interval { low, high, .. } = self.standings[place].improvement[other];
        match () {
            () if low == high && self.seeds < CLAIM => Verdict::Undecided,
            () if low > 0.5 => Verdict::Better,
            () if high < 0.5 => Verdict::Worse,
            () => Verdict::Undecided,
        }
    }
}
