//! What each optimizer makes of the learning rates that it was run at.

use super::cell::Stage;
use super::comparison::BOOTSTRAP;
use super::grid::Protocol;
use super::results::{Results, Run, Status};
use crate::Result;
use crate::stats::{Scores, Sensitivity, iqm};

/// The part of the best score that counts as near it.
pub(super) const NEAR: f64 = 0.9;

/// The curves of all optimizers, on one task with one algorithm or over all of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LearningRates {
    /// The runs that it is from.
    pub(super) stage: Stage,
    /// One task with one algorithm; `None`: all of the grid.
    pub(super) pair: Option<(String, String)>,
    /// One each optimizer whose learning rate was varied, in the grid's order.
    pub(super) curves: Vec<Curve>,
}

/// One optimizer's.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub(super) optimizer: String,
    /// Interquartile mean of the area at each learning rate.
    pub(super) sensitivity: Sensitivity,
    /// The share of runs that collapsed or diverged at each.
    pub(super) broken: Vec<f64>,
}

impl LearningRates {
    /// Of the grid as a whole where it has several tasks or algorithms, and of each task with each algorithm.
    pub(super) fn all(results: &Results) -> Result<Vec<Self>> {
        let grid = &results.grid;
        let stage = match grid.sweep.numbers().is_empty() {
            false => Stage::Sweep,
            true if grid.protocols.contains(&Protocol::Tuned) => Stage::Tuning,
            true => return Ok(Vec::new()),
        };
        let pairs: Vec<(&str, &str)> = grid.pairs().collect();
        let mut all = Vec::new();
        if pairs.len() > 1 {
            all.push(Self::of(results, stage, &pairs, None)?);
        }
        for &(task, algo) in &pairs {
            all.push(Self::of(results, stage, &[(task, algo)], Some((task.into(), algo.into())))?);
        }
        Ok(all)
    }

    fn of(results: &Results, stage: Stage, pairs: &[(&str, &str)], pair: Option<(String, String)>) -> Result<Self> {
        let mut curves = Vec::new();
        for optimizer in results.optimizers() {
            let optimizer = optimizer.as_str();
            let all = pairs.iter().flat_map(|&(task, algo)| results.of(stage, task, algo, optimizer));
            let mut rates: Vec<f64> = all.filter_map(|run| run.lr).collect();
            rates.sort_by(f64::total_cmp);
            rates.dedup();
            let (mut grid, mut broken) = (Vec::new(), Vec::new());
            for lr in rates {
                let mut columns: Vec<Vec<&Run>> = Vec::new();
                for &(task, algo) in pairs {
                    columns.push(results.of(stage, task, algo, optimizer).filter(|run| run.lr == Some(lr)).collect());
                }
                let areas = |runs: &Vec<&Run>| runs.iter().map(|run| run.area).collect::<Vec<_>>();
                grid.push((lr, Scores::from_tasks(&columns.iter().map(areas).collect::<Vec<_>>())?));
                let of_all = columns.concat();
                let broke = of_all.iter().filter(|run| run.status != Status::Finished).count();
                broken.push(broke as f64 / of_all.len() as f64);
            }
            if !grid.is_empty() {
                let sensitivity = Sensitivity::of(&grid, NEAR, iqm, &BOOTSTRAP)?;
                curves.push(Curve { optimizer: optimizer.into(), sensitivity, broken });
            }
        }
        Ok(Self { stage, pair, curves })
    }

    /// What it is about, as the tables call it.
    pub(super) fn scope(&self) -> String {
        self.pair.as_ref().map_or("all".into(), |(task, algo)| format!("{task} {algo}"))
    }
}
