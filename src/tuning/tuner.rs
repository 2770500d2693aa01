//! The search itself.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use uphill_envs::{counted, shown};

use super::attempt::{Attempt, Record};
use super::found::{Found, Report, Reported};
use super::halving::{self, Standing};
use super::home;
use super::objective::Objective;
use super::search::Search;
use super::trial::{State, Trial};
use crate::benchmark::Progress;
use crate::{Config, Error, Result, Threads, own_folder, settings, whole_file};

/// A search and the folder that it is done in.
#[derive(Debug)]
pub struct Tuner {
    search: Search,
    folder: PathBuf,
    /// What a random policy earns, where that is known.
    random: Option<f64>,
    /// Held for as long as this is: no other process searches in the same folder.
    _lock: Option<File>,
}

/// A run to go on with, and what came of it.
struct Job {
    attempt: Attempt,
    known: Record,
    done: Option<Result<Record>>,
}

impl Tuner {
    /// Writes the search into the folder, which is new, empty, or one of the same search by its marker, `.uphill`. There may
    /// be more trials than before: those that are finished stay.
    ///
    /// # Errors
    /// [`Error::File`] if the folder holds what no search made, or another search, naming what differs, or if another process is
    /// at work in it; [`Error::Io`] if it cannot be written, or a name in it is a link.
    pub fn open(search: Search, folder: impl Into<PathBuf>) -> Result<Self> {
        let folder = folder.into();
        let random = search.random_return()?;
        home::claim(&folder)?;
        own_folder::make(&folder.join(home::RUNS))?;
        let lock = own_folder::lock(&folder, home::LOCK, "searching")?;
        for folder in [&folder, &folder.join(home::RUNS)] {
            whole_file::remove_leftovers(folder);
        }
        let (path, text) = (folder.join(home::SEARCH), search.to_toml()?);
        match whole_file::read(&path, settings::MAX_BYTES) {
            Ok(old) => check_same(&String::from_utf8_lossy(&old), &search, &path)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::io(&path)(e)),
        }
        whole_file::write_own(&path, text.as_bytes()).map_err(Error::io(&path))?;
        Ok(Self { search, folder, random, _lock: lock })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// Runs what is not finished yet, as many runs side by side as there are threads, and writes the tables and the picture.
    ///
    /// A trial that diverges is a result. Progress is shown on standard error unless `quiet`.
    ///
    /// # Errors
    /// [`Error::Run`], with the run's name, for any other failure of one; [`Error::Io`] if a file cannot be written. What is
    /// finished stays.
    pub fn run(&self, threads: &Threads, quiet: bool) -> Result<Found> {
        let plan = self.search.plan()?;
        let (seeds, reported) = (self.search.seeds.count(), self.search.report_seeds.count());
        let parts: usize = plan.iter().map(|(_, trials)| trials).sum();
        let progress = Progress::new(seeds * parts as u64 + reported, quiet);
        let rungs: Vec<u64> = plan.iter().map(|(steps, _)| *steps).collect();
        let mut trials: Vec<Trial> = Vec::new();
        while trials.len() < self.search.trials {
            let told: Vec<_> = trials.iter().map(|trial| (trial.place.as_slice(), trial.score)).collect();
            let (first, count) = (trials.len(), self.search.sampler.round(trials.len(), self.search.trials));
            let mut round: Vec<Trial> = Vec::with_capacity(count);
            for i in first..first + count {
                let (place, values) = self.search.draw(i, &told)?;
                // What could not be run is found before any is.
                self.search.config(&values)?;
                round.push(Trial::new(i + 1, place, values));
            }
            self.halve(&mut round, &rungs, threads, &progress)?;
            trials.extend(round);
        }
        let mut found = Found { search: self.search.clone(), trials, report: None };
        if let Some(best) = found.best() {
            found.report = Some(self.report(best, &rungs, threads, &progress)?);
        }
        found.write(&self.folder)?;
        #[cfg(feature = "pictures")]
        super::pictures::draw(&found, &self.folder)?;
        Ok(found)
    }

    /// Runs trials from rung to rung, the best of them further each time.
    fn halve(&self, trials: &mut [Trial], rungs: &[u64], threads: &Threads, progress: &Progress) -> Result<()> {
        let seeds = self.search.seeds.list();
        let mut alive: Vec<usize> = (0..trials.len()).collect();
        for (k, &rung) in rungs.iter().enumerate() {
            let mut attempts = Vec::new();
            for &i in &alive {
                for &seed in &seeds {
                    attempts.push(self.attempt(&trials[i], seed)?);
                }
            }
            let records = self.complete(attempts, &rungs[..=k], threads, progress)?;
            for (&i, records) in alive.iter().zip(records.chunks(seeds.len())) {
                trials[i].take(rung, &seeds, records, self.search.objective, self.random)?;
            }
            if rung == *rungs.last().unwrap_or(&rung) {
                break;
            }
            self.note_blind(rung, &records, progress);
            let scores: Vec<Option<f64>> = alive.iter().map(|&i| trials[i].score).collect();
            if let [Some(score), rest @ ..] = &*scores
                && !rest.is_empty()
                && rest.iter().all(|other| *other == Some(*score))
            {
                let (all, score) = (counted(scores.len(), "trial"), shown(*score));
                let why = "the first of them go on; fewer rungs, or more steps, begin later";
                progress.note(&format!(
                    "step {rung}: all {all} have the score {score}, and nothing tells them apart: {why}"
                ));
            }
            let standing = |&i: &usize| match (trials[i].score, trials[i].state) {
                (_, State::Diverged) => Standing::Diverged,
                (score, _) => score.map_or(Standing::Unknown, Standing::Score),
            };
            let standings: Vec<Standing> = alive.iter().map(standing).collect();
            let best = halving::best(&standings, halving::survivors(trials.len(), self.search.eta, k));
            let (next, over): (Vec<_>, Vec<_>) = (0..alive.len()).partition(|place| best.contains(place));
            for i in over.into_iter().map(|place| alive[place]) {
                if trials[i].state == State::Complete {
                    trials[i].state = State::Pruned;
                }
                // One that goes on from here, in a search that has grown, begins again.
                seeds.iter().try_for_each(|&seed| self.attempt(&trials[i], seed)?.end(&rungs[..=k]))?;
            }
            alive = next.into_iter().map(|place| alive[place]).collect();
        }
        Ok(())
    }

    /// Says where runs are told apart by nothing, as none of their episodes counts yet.
    fn note_blind(&self, rung: u64, records: &[Record], progress: &Progress) {
        let is_blind = |record: &&Record| {
            let reached = record.at(rung).filter(|reached| reached.diverged.is_none());
            reached.is_some_and(|reached| reached.final_return.is_none())
        };
        let (blind, all) = (records.iter().filter(is_blind).count(), counted(records.len(), "run"));
        if blind > 0 && self.search.objective != Objective::EvalReturn {
            let why = "no episode of theirs counts yet, and they count as a random policy or as nothing";
            progress.note(&format!("step {rung}: {blind} of {all} cannot be judged: {why}; fewer rungs begin later"));
        }
    }

    /// The best trial on the reported seeds, from the first step to the last at one go.
    fn report(&self, best: &Trial, rungs: &[u64], threads: &Threads, progress: &Progress) -> Result<Report> {
        let seeds = self.search.report_seeds.list();
        let whole = &rungs[rungs.len() - 1..];
        let attempts = seeds.iter().map(|&seed| self.attempt(best, seed)).collect::<Result<_>>()?;
        let records = self.complete(attempts, whole, threads, progress)?;
        let run = |(&seed, record): (&u64, &Record)| {
            let Some(reached) = record.at(whole[0]) else { return Ok(None) };
            let score = self.search.objective.of(reached, record, self.random)?;
            Ok(Some(Reported { seed, score, env_steps: reached.env_steps, diverged: reached.diverged.clone() }))
        };
        let runs = seeds.iter().zip(&records).map(run).collect::<Result<Vec<_>>>()?;
        Report::of(runs.into_iter().flatten().collect())
    }

    /// A run of a trial.
    fn attempt(&self, trial: &Trial, seed: u64) -> Result<Attempt> {
        let config = self.search.config(&trial.values)?;
        let eval_episodes = match self.search.objective {
            Objective::EvalReturn => self.search.eval_episodes,
            Objective::FinalReturn | Objective::Area => 0,
        };
        Ok(Attempt {
            name: format!("{:04}-s{seed}", trial.number),
            config: Config { seed, threads: 1, device: "cpu".into(), ..config },
            eval_episodes,
            folder: self.folder.join(home::RUNS),
        })
    }

    /// Every one of these runs to the last of these rungs, from its file or run now.
    fn complete(
        &self,
        attempts: Vec<Attempt>,
        rungs: &[u64],
        threads: &Threads,
        progress: &Progress,
    ) -> Result<Vec<Record>> {
        let last = rungs.last().copied().unwrap_or_default();
        let mut jobs: Vec<Job> = Vec::with_capacity(attempts.len());
        for attempt in attempts {
            let known = attempt.read()?.unwrap_or_else(|problem| {
                progress.note(&format!("{problem}: this run is done again"));
                Record::default()
            });
            let done = known.at(last).is_some().then(|| {
                progress.skip();
                Ok(known.clone())
            });
            jobs.push(Job { attempt, known, done });
        }
        progress.begin();
        let failed = AtomicBool::new(false);
        threads.each(&mut jobs, |_, job| {
            if job.done.is_some() || failed.load(Ordering::Relaxed) {
                return;
            }
            let done = job.attempt.go_on(std::mem::take(&mut job.known), rungs);
            match &done {
                Ok(_) => progress.done(&job.attempt.name),
                Err(_) => failed.store(true, Ordering::Relaxed),
            }
            job.done = Some(done);
        });
        let mut records = Vec::with_capacity(jobs.len());
        for Job { attempt, done, .. } in jobs {
            match done {
                Some(Ok(record)) => records.push(record),
                Some(Err(source)) => return Err(Error::Run { run: attempt.name, source: Box::new(source) }),
                // Left out because another failed, whose error comes.
                None => {}
            }
        }
        Ok(records)
    }
}

/// Refuses a folder of another search. One of more trials is the same.
fn check_same(old: &str, new: &Search, path: &Path) -> Result<()> {
    let refused = |problem: String| {
        Err(Error::File { path: path.into(), problem: format!("{problem}: give --out another folder") })
    };
    let Ok(before) = settings::parse(old).and_then(|table| Search::from_table(table, &new.catalogue)) else {
        return refused("it is not a search that this version reads".into());
    };
    let (mut before_table, after) = (before.to_table()?, new.to_table()?);
    if let Some(toml::Value::Table(tune)) = before_table.get_mut("tune")
        && before.trials < new.trials
    {
        tune.insert("trials".into(), (new.trials as i64).into());
    }
    match before_table == after {
        true => Ok(()),
        false => {
            let tables = [before_table, after].map(toml::Value::Table);
            let difference = settings::first_difference("", Some(&tables[0]), Some(&tables[1]));
            let difference = difference.trim_start_matches('.');
            refused(format!("this folder holds another search: {difference}"))
        }
    }
}
