//! Optimizers compared: tasks × algorithms × optimizers × seeds, each run once, every run kept.
//!
//! A [`Grid`] says what is run. [`Benchmark`] runs it in a folder, several runs side by side, and can be killed at any
//! moment: what is finished stays, and the same call does the rest. A run's result is the same bits as when it is run
//! alone, so the tables do not depend on how many threads there were or how often they were stopped.
//!
//! ```no_run
//! use uphill::Threads;
//! use uphill::benchmark::{Benchmark, Grid, write_report};
//!
//! let grid = Grid::default();
//! let benchmark = Benchmark::open(grid, "runs/compare", false)?;
//! let results = benchmark.run(&Threads::new(0)?, false)?;
//! write_report(&results, benchmark.path())?;
//! # Ok::<(), uphill::Error>(())
//! ```
//!
//! The folder has `grid.toml` (complete), `cells/` (a file a finished run), `results.csv` (a row a run), `curves.csv`
//! (learning curves), `timings.csv` (all that a clock decides); [`write_report`] adds `statistics.csv`, `pictures/` and
//! `report.md`, and with the feature `pictures` `report.html`, which is all of it in one file.

mod analysis;
mod cell;
mod column;
mod comparison;
mod cost;
mod estimate;
mod extension;
mod gallery;
mod grid;
mod home;
mod outcome;
#[cfg(feature = "pictures")]
mod pictures;
mod progress;
#[cfg(all(feature = "cli", feature = "mpi"))]
mod ranks;
mod report;
mod results;
mod sensitivity;
mod store;
mod task;
mod trial;
mod validate;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use cpu_time::ThreadTime;
use serde::Serialize;

use crate::{Config, Error, Result, Threads, settings, whole_file};

pub use cell::{Cell, Stage};
pub use estimate::Estimate;
pub use grid::{Grid, LrGrid, Protocol, Seeds, Select, Tuning};
pub use outcome::{Divergence, Measure, Outcome};
pub use report::write_report;
pub use results::{Results, Run, Status};
pub use task::Task;
pub use trial::Trial;

pub(crate) use comparison::BOOTSTRAP;
pub(crate) use progress::Progress;
#[cfg(all(feature = "cli", feature = "mpi"))]
pub(crate) use ranks::{Manager, work};
#[cfg(feature = "pictures")]
pub(crate) use report::markdown::plain;
pub(crate) use results::CLAIM;

use cell::Plan;
use store::{Clock, Finished, Store};

/// A grid and the folder that it is run in.
#[derive(Debug)]
pub struct Benchmark {
    grid: Grid,
    folder: PathBuf,
    store: Store,
    plan: Plan,
}

/// Finished runs by their files.
type Done = HashMap<PathBuf, Finished>;

impl Benchmark {
    /// Checks the grid and writes it into the folder. Runs of it that the folder holds already are kept, so a grid may
    /// grow: more seeds, optimizers, tasks. With `force` it may change in any other way, too, and still keeps the runs
    /// that are the same.
    ///
    /// The folder is new, empty, or a comparison's by its marker, `.uphill`. With `force` it may hold other things, too, as
    /// long as none has a name that a comparison writes.
    ///
    /// # Errors
    /// [`Error::Config`] for an impossible grid, or for runs that could not begin, naming the first; [`Error::File`] if the folder holds what no comparison made, or a grid that
    /// this one does not extend, naming what differs, or if another process is running in it; [`Error::Io`] if it cannot be
    /// written, or a name in it is a link.
    pub fn open(grid: Grid, folder: impl Into<PathBuf>, force: bool) -> Result<Self> {
        let folder = folder.into();
        grid.validate()?;
        let plan = Plan::new(&grid)?;
        grid.rehearse()?;
        home::claim(&folder, force)?;
        let store = Store::open(&folder, grid.measure())?;
        let (path, text) = (folder.join(home::GRID), grid.to_toml()?);
        match whole_file::read(&path, settings::MAX_BYTES).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()) {
            Ok(old) if old == text => {}
            Ok(old) => {
                extension::check(&old, &grid, &path, force)?;
                // Tables of another grid must not be taken for this one's; its runs can make them again.
                for table in home::TABLES.map(|name| folder.join(name)) {
                    if table.exists() {
                        std::fs::remove_file(&table).map_err(Error::io(&table))?;
                    }
                }
                gallery::clear(&folder.join(gallery::FOLDER))?;
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::io(&path)(e)),
        }
        whole_file::write_own(&path, text.as_bytes()).map_err(Error::io(&path))?;
        Ok(Self { grid, folder, store, plan })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Runs what is not finished yet, as many runs side by side as there are threads, and writes the tables.
    ///
    /// A run that diverges is a result. Progress is shown on standard error unless `quiet`.
    ///
    /// # Errors
    /// [`Error::Run`], with the run's name, for any other failure of one; [`Error::Io`] if a file cannot be written. What
    /// is finished stays.
    pub fn run(&self, threads: &Threads, quiet: bool) -> Result<Results> {
        self.run_by(quiet, &mut |jobs, progress| {
            let failed = AtomicBool::new(false);
            threads.each(jobs, |_, job| {
                if !failed.load(Ordering::Relaxed)
                    && !self.keep(job, trained(&job.cell.config, self.grid.measure()), progress)
                {
                    failed.store(true, Ordering::Relaxed);
                }
            });
            Ok(())
        })
    }

    /// The same where `each` does jobs, all of them unless one fails.
    fn run_by(&self, quiet: bool, each: Each<'_>) -> Result<Results> {
        let progress = Progress::new(self.grid.cell_count(), quiet);
        let mut done = Done::new();
        let mut runs = self.complete(&self.plan.cells, each, &progress, &mut done)?;
        let winners = self.winners(&runs);
        let tuned = self.plan.tuned(&self.grid, &winners)?;
        runs.extend(self.complete(&tuned, each, &progress, &mut done)?);
        (1..).zip(&mut runs).for_each(|(number, run)| run.run = number);
        let results = Results { grid: self.grid.clone(), runs };
        results.write(&self.folder)?;
        Ok(results)
    }

    /// The best trial of each group, from runs that are all complete; none without the protocol tuned.
    fn winners(&self, runs: &[Run]) -> Vec<Trial> {
        let seeds = usize::try_from(self.grid.tuning.seeds.count()).unwrap_or(usize::MAX);
        let first = runs.iter().position(|run| run.protocol == Stage::Tuning).unwrap_or(runs.len());
        let mut rest = &runs[first..];
        let of_group = |group: &cell::Group| {
            let (own, others) = rest.split_at(group.trials.len().saturating_mul(seeds).min(rest.len()));
            rest = others;
            results::winner(&group.trials, own, seeds, self.grid.tuning.select)
        };
        self.plan.groups.iter().filter_map(of_group).collect()
    }

    /// Every one of these runs, from its file or done now.
    fn complete(&self, cells: &[Cell], each: Each<'_>, progress: &Progress, done: &mut Done) -> Result<Vec<Run>> {
        let paths = cells.iter().map(|cell| self.store.path(cell)).collect::<Result<Vec<_>>>()?;
        let mut jobs: Vec<Job<'_>> = Vec::new();
        // The same run may be in the grid for several reasons: a winner that is the default, say.
        let mut first: HashMap<&Path, usize> = HashMap::new();
        for (cell, path) in cells.iter().zip(&paths) {
            let number = first.len();
            if done.contains_key(path) || *first.entry(path).or_insert(number) != number {
                progress.skip();
                continue;
            }
            match self.store.read(cell)? {
                Ok(Some(finished)) => {
                    done.insert(path.clone(), finished);
                    progress.skip();
                    continue;
                }
                Ok(None) => {}
                Err(problem) => progress.note(&format!("{problem}: this run is done again")),
            }
            jobs.push(Job { cell, path, finished: None });
        }
        progress.begin();
        each(&mut jobs, progress)?;
        for Job { cell, path, finished } in jobs {
            match finished {
                Some(Ok(finished)) => done.insert(path.clone(), finished),
                Some(Err(source)) => return Err(Error::Run { run: cell.name(), source: Box::new(source) }),
                // Left out because another failed, whose error comes.
                None => None,
            };
        }
        let result = |(cell, path): (&Cell, &PathBuf)| {
            done.get(path).map(|(outcome, clock)| Run::new(cell, &self.grid, outcome, clock.seconds))
        };
        cells.iter().zip(&paths).filter_map(result).collect()
    }

    /// Takes what came of a job, and writes it into the folder where that is an outcome; whether it is, and is there.
    fn keep(&self, job: &mut Job<'_>, finished: Result<Finished>, progress: &Progress) -> bool {
        let finished = finished.and_then(|finished| self.store.write(job.cell, &finished).map(|()| finished));
        if finished.is_ok() {
            progress.done(&job.cell.name());
        }
        job.finished.insert(finished).is_ok()
    }
}

/// Does a run.
fn trained(config: &Config, measure: Measure) -> Result<Finished> {
    // Of this thread alone, which is all that a run takes: what else the machine does hardly counts.
    let started = ThreadTime::now();
    let outcome = Outcome::of(config, measure)?;
    Ok((outcome, Clock { seconds: started.elapsed().as_secs_f64() }))
}

/// What does jobs.
type Each<'a> = &'a mut dyn FnMut(&mut [Job<'_>], &Progress) -> Result<()>;

/// A run to do, and what came of it.
struct Job<'a> {
    cell: &'a Cell,
    path: &'a PathBuf,
    finished: Option<Result<Finished>>,
}

/// Writes rows as CSV with a header, as a file that is whole or not there.
fn whole_csv<T: Serialize>(path: &Path, rows: impl Iterator<Item = T>) -> Result<()> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let failed = |e: csv::Error| Error::io(path)(e.into());
    for row in rows {
        table.serialize(row).map_err(failed)?;
    }
    let bytes = table.into_inner().map_err(|e| Error::io(path)(e.into_error()))?;
    whole_file::write_own(path, &bytes).map_err(Error::io(path))
}
