//! `results.csv`, `statistics.csv` and `noise.csv`: all but what a clock decides.

use std::path::Path;

use serde::Serialize;
use uphill::stats::{
    Bootstrap, Interval, Reached, Scores, median_steps, probability_of_improvement_interval, restricted_mean_steps,
};
use uphill::{Error, Result};

use crate::noise::Point;
use crate::record::{Record, whole};
use crate::runs::{Group, Trial};
use crate::study::{Rule, Study};

/// What an optimizer came to at a size by a rule.
pub(crate) struct Standing {
    pub(crate) rule: Rule,
    pub(crate) optimizer: String,
    pub(crate) batch: u64,
    pub(crate) lr: f64,
    /// Runs that had the return.
    pub(crate) reached: usize,
    pub(crate) diverged: usize,
    pub(crate) runs: usize,
    /// Environment steps until then, Kaplan-Meier's median; infinite where fewer than half of the runs got there.
    pub(crate) steps: Interval,
    /// The same within the steps that a run had, on average.
    pub(crate) mean_steps: Interval,
    /// Updates until then, the median.
    pub(crate) updates: Interval,
    /// How often a run took fewer steps than one of the first optimizer, tuned at the same size; none of that itself.
    pub(crate) better_than_first: Option<Interval>,
    /// How often a run took fewer steps than one of the same optimizer, tuned at the same size; none of tuned ones.
    pub(crate) better_than_tuned: Option<Interval>,
}

#[derive(Serialize)]
struct ResultRow<'a> {
    rule: &'a str,
    optimizer: &'a str,
    batch: u64,
    lr: f64,
    seed: u64,
    reached: bool,
    env_steps: u64,
    updates: u64,
    last_return: Option<f64>,
    diverged_update: Option<u64>,
}

#[derive(Serialize)]
struct StatisticRow<'a> {
    rule: &'a str,
    optimizer: &'a str,
    batch: u64,
    lr: f64,
    statistic: &'a str,
    point: f64,
    low: f64,
    high: f64,
}

#[derive(Serialize)]
struct NoiseRow {
    seed: u64,
    update: u64,
    env_steps: u64,
    return_mean: Option<f64>,
    policy: Option<f64>,
    policy_low: Option<f64>,
    policy_high: Option<f64>,
    value: Option<f64>,
    value_low: Option<f64>,
    value_high: Option<f64>,
}

/// All standings, in the order of the groups.
pub(crate) fn standings(study: &Study, groups: &[Group]) -> Result<Vec<Standing>> {
    let bootstrap = Bootstrap { reps: study.reported.replicates, ..Bootstrap::default() };
    let mut standings = Vec::new();
    for group in groups {
        let tuned = |optimizer: usize| {
            let same = |other: &&Group| other.optimizer == optimizer && other.size.batch == group.size.batch;
            groups.iter().find(same).map(|group| &group.reported[0].1)
        };
        for (rule, trial) in &group.reported {
            let first = tuned(0).filter(|_| (group.optimizer, *rule) != (0, Rule::Tuned));
            let own = Some(&group.reported[0].1).filter(|_| *rule != Rule::Tuned);
            let against = |other: Option<&Trial>| {
                other.map(|other| improvement(trial, other, group.size.all_steps(), &bootstrap)).transpose()
            };
            let steps: Vec<Reached> = trial.records.iter().map(|record| record.steps(group.size.all_steps())).collect();
            let updates = |record: &Record| match record.reached {
                true => Reached::At(record.rollouts),
                false => Reached::NotBy(group.size.rollouts()),
            };
            let updates: Vec<Reached> = trial.records.iter().map(updates).collect();
            standings.push(Standing {
                rule: *rule,
                optimizer: study.optimizers[group.optimizer].name().into(),
                batch: group.size.batch,
                lr: study.optimizers[group.optimizer].lr * trial.multiple,
                reached: trial.records.iter().filter(|record| record.reached).count(),
                diverged: trial.records.iter().filter(|record| record.diverged.is_some()).count(),
                runs: trial.records.len(),
                mean_steps: restricted_mean_steps(&steps, group.size.all_steps(), &bootstrap)?,
                steps: median_steps(&steps, &bootstrap)?,
                updates: median_steps(&updates, &bootstrap)?,
                better_than_first: against(first)?,
                better_than_tuned: against(own)?,
            });
        }
    }
    Ok(standings)
}

/// How often a run of the one takes fewer steps than one of the other.
fn improvement(one: &Trial, other: &Trial, most: u64, bootstrap: &Bootstrap) -> Result<Interval> {
    let scores = |trial: &Trial| {
        // What never got there is behind all that did.
        let score = |record: &Record| if record.reached { -(record.env_steps as f64) } else { -(2.0 * most as f64) };
        Scores::of_one_task(&trial.records.iter().map(score).collect::<Vec<_>>())
    };
    Ok(probability_of_improvement_interval(&scores(one)?, &scores(other)?, bootstrap)?)
}

/// Writes a row for every run: those that were tuned by, too.
pub(crate) fn write_results(study: &Study, groups: &[Group], out: &Path) -> Result<()> {
    let rows = groups.iter().flat_map(|group| {
        let optimizer = &study.optimizers[group.optimizer];
        let tried = group.tried.iter().map(|trial| ("tuning", trial, study.tuning.seeds.list()));
        let reported = group.reported.iter().map(|(rule, trial)| (rule.name(), trial, study.reported.seeds.list()));
        tried.chain(reported).flat_map(move |(rule, trial, seeds)| {
            let row = move |(seed, record): (u64, &Record)| ResultRow {
                rule,
                optimizer: optimizer.name(),
                batch: group.size.batch,
                lr: optimizer.lr * trial.multiple,
                seed,
                reached: record.reached,
                env_steps: record.env_steps,
                updates: record.rollouts,
                last_return: record.last_return(),
                diverged_update: record.diverged,
            };
            seeds.into_iter().zip(&trial.records).map(row).collect::<Vec<_>>()
        })
    });
    write_csv(&out.join("results.csv"), rows)
}

/// Writes what is reckoned from the reported runs.
pub(crate) fn write_statistics(standings: &[Standing], out: &Path) -> Result<()> {
    let exactly = |point: usize| Interval { point: point as f64, low: point as f64, high: point as f64 };
    let rows = standings.iter().flat_map(|standing| {
        let row = |statistic, Interval { point, low, high }| StatisticRow {
            rule: standing.rule.name(),
            optimizer: &standing.optimizer,
            batch: standing.batch,
            lr: standing.lr,
            statistic,
            point,
            low,
            high,
        };
        let own = [
            ("reached", exactly(standing.reached)),
            ("diverged", exactly(standing.diverged)),
            ("median_steps", standing.steps),
            ("restricted_mean_steps", standing.mean_steps),
            ("median_updates", standing.updates),
        ];
        let first = standing.better_than_first.map(|it| ("probability_of_fewer_steps_than_the_first_optimizer", it));
        let tuned = standing.better_than_tuned.map(|it| ("probability_of_fewer_steps_than_tuned", it));
        own.into_iter().chain(first).chain(tuned).map(|(name, it)| row(name, it)).collect::<Vec<_>>()
    });
    write_csv(&out.join("statistics.csv"), rows)
}

/// Writes the noise scales.
pub(crate) fn write_noise(points: &[Point], out: &Path) -> Result<()> {
    let row = |point: &Point| NoiseRow {
        seed: point.seed,
        update: point.update,
        env_steps: point.env_steps,
        return_mean: point.return_mean,
        policy: point.policy.point,
        policy_low: point.policy.low,
        policy_high: point.policy.high,
        value: point.value.point,
        value_low: point.value.low,
        value_high: point.value.high,
    };
    write_csv(&out.join("noise.csv"), points.iter().map(row))
}

fn write_csv<T: Serialize>(path: &Path, rows: impl Iterator<Item = T>) -> Result<()> {
    let failed = |e: csv::Error| Error::Io { path: path.into(), source: e.into() };
    let mut table = csv::Writer::from_writer(Vec::new());
    for row in rows {
        table.serialize(row).map_err(failed)?;
    }
    let bytes = table.into_inner().map_err(|e| Error::Io { path: path.into(), source: e.into_error() })?;
    whole(path, &bytes)
}
