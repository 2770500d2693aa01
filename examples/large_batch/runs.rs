//! The runs of a study, in the order in which they are done.

use std::path::{Path, PathBuf};

use uphill::screen::{Bar, tell};
use uphill::stats::Reached;
use uphill::{Error, Result};

use crate::noise::Point;
use crate::record::Record;
use crate::study::{Optimizer, Rule, Size, Study};

/// The records of a study's runs.
pub(crate) struct Runs<'a> {
    pub(crate) study: &'a Study,
    /// Where they are, and where noise scales are.
    folder: PathBuf,
    noise: PathBuf,
    /// Whether what is missing is done.
    works: bool,
    bar: Bar,
}

/// What came of an optimizer at a size. The learning rates are multiples of its `lr`.
pub(crate) struct Group {
    pub(crate) optimizer: usize,
    pub(crate) size: Size,
    pub(crate) tried: Vec<Trial>,
    /// The place of the best in `tried`.
    pub(crate) best: usize,
    pub(crate) reported: Vec<(Rule, Trial)>,
}

/// A learning rate, and what came of each seed.
pub(crate) struct Trial {
    pub(crate) multiple: f64,
    pub(crate) records: Vec<Record>,
}

impl<'a> Runs<'a> {
    /// In a folder that has their records, or gets them.
    pub(crate) fn open(study: &'a Study, out: &Path, works: bool) -> Result<Self> {
        let folder = out.join("records");
        std::fs::create_dir_all(&folder).map_err(|source| Error::Io { path: folder.clone(), source })?;
        let steps = |size: &Size| size.steps * study.runs(size);
        let bar = Bar::new("steps at most", study.sizes.iter().map(steps).sum());
        Ok(Self { study, folder, noise: out.join("noise"), works, bar })
    }

    /// Every group, small sizes first; where nothing is to be done those that are whole.
    pub(crate) fn all(&self) -> Result<Vec<Group>> {
        let study = self.study;
        let mut base = vec![None; study.optimizers.len()];
        let mut groups = Vec::new();
        for size in &study.sizes {
            for (i, optimizer) in study.optimizers.iter().enumerate() {
                let Some(group) = self.group(i, optimizer, size, base[i])? else { continue };
                base[i].get_or_insert(group.tried[group.best].multiple);
                groups.push(group);
            }
        }
        Ok(groups)
    }

    /// Noise scales along runs of the first optimizer at the first size that got there.
    pub(crate) fn noise(&self, groups: &[Group]) -> Result<Vec<Point>> {
        let study = self.study;
        let first = groups.iter().find(|group| group.optimizer == 0 && group.size.batch == study.base().batch);
        let Some((group, (_, trial))) = first.and_then(|group| Some((group, group.reported.first()?))) else {
            return Ok(Vec::new());
        };
        let mut points = Vec::new();
        let got_there =
            study.reported.seeds.list().into_iter().zip(&trial.records).filter(|(_, record)| record.reached);
        for (seed, record) in got_there.take(study.noise.runs) {
            let config = study.config(&study.optimizers[0], &group.size, trial.multiple, seed)?;
            self.bar.part(&format!("noise scales, seed {seed}"));
            points.extend(study.noise.along(&config, record.rollouts, &self.noise, self.works)?.into_iter().flatten());
        }
        Ok(points)
    }

    fn group(&self, place: usize, optimizer: &Optimizer, size: &Size, base: Option<f64>) -> Result<Option<Group>> {
        let study = self.study;
        if base.is_none() && size.batch > study.base().batch {
            return Ok(None);
        }
        let mut tried = Vec::new();
        for multiple in study.tried(size, base) {
            let Some(trial) = self.trial(optimizer, size, multiple, &study.tuning.seeds.list())? else {
                return Ok(None);
            };
            tried.push(trial);
        }
        let best = winner(&tried, size.all_steps());
        let tuned = tried[best].multiple;
        let mut reported = Vec::new();
        for &rule in study.rules(size) {
            let factor = rule.factor(size.batch, study.base().batch);
            let multiple = factor.zip(base).map_or(tuned, |(factor, base)| factor * base);
            let Some(trial) = self.trial(optimizer, size, multiple, &study.reported.seeds.list())? else {
                return Ok(None);
            };
            reported.push((rule, trial));
        }
        Ok(Some(Group { optimizer: place, size: *size, tried, best, reported }))
    }

    /// The records of a learning rate on these seeds; none where one is missing and nothing is to be done.
    fn trial(&self, optimizer: &Optimizer, size: &Size, multiple: f64, seeds: &[u64]) -> Result<Option<Trial>> {
        let mut records = Vec::new();
        for &seed in seeds {
            let config = self.study.config(optimizer, size, multiple, seed)?;
            let name = format!("{}-{}-x{multiple}-s{seed}", optimizer.name(), size.batch);
            let path = self.folder.join(format!("{name}.json"));
            let record = match Record::read(&path, &config)? {
                Some(record) => record,
                None if !self.works => return Ok(None),
                None => {
                    self.bar.part(&name);
                    let record = Record::of(&config).inspect_err(|_| tell(format_args!("in {name}:")))?;
                    record.write(&path)?;
                    record
                }
            };
            self.bar.inc(size.steps);
            records.push(record);
        }
        Ok(Some(Trial { multiple, records }))
    }
}

/// The place of the best: the fewest steps on average, where a run that does not get there counts all it had; of those that are
/// alike the one with the larger last returns, and then the smaller learning rate.
pub(crate) fn winner(tried: &[Trial], most: u64) -> usize {
    let mean = |trial: &Trial, of: &dyn Fn(&Record) -> f64| {
        trial.records.iter().map(of).sum::<f64>() / trial.records.len().max(1) as f64
    };
    let score = |trial: &Trial| {
        let steps = mean(trial, &|record| Reached::env_steps(record.steps(most)) as f64);
        (-steps, mean(trial, &|record| record.last_return().unwrap_or(f64::MIN)))
    };
    let better = |a: (f64, f64), b: (f64, f64)| a.0 > b.0 || (a.0 == b.0 && a.1 > b.1);
    (0..tried.len()).fold(0, |best, i| if better(score(&tried[i]), score(&tried[best])) { i } else { best })
}
