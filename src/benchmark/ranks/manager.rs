//! The first rank.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use uphill_envs::counted;

use super::super::progress::Progress;
use super::super::results::Results;
use super::super::{Benchmark, Job};
use super::hands::Hands;
use super::{Answer, Done, Given, Report, Terms, read, written};
use crate::world::World;
use crate::{Error, MpiWorld, Result};

/// Runs that a rank is given at once: an answer that is short does not hold up this rank where the other hangs. Who has more threads
/// with nothing to do asks again.
const AT_ONCE: usize = 8;

/// Hands out the runs of a comparison over ranks, and does some itself.
pub(crate) struct Manager<'a> {
    world: &'a MpiWorld,
    hands: Hands,
    /// All ranks, this one first.
    ranks: Vec<Rank>,
    /// Runs that there were before those under way.
    before: usize,
}

/// What is known of a rank.
#[derive(Clone)]
struct Rank {
    /// The runs that it was given and has not done.
    doing: Vec<usize>,
    heard: Instant,
    is_lost: bool,
    /// It knows that there will be no more runs.
    has_ended: bool,
}

/// Runs under way.
struct Round<'a, 'b> {
    jobs: &'a mut [Job<'b>],
    /// Those that nobody does, by their places.
    waiting: VecDeque<usize>,
    /// None has failed.
    goes_on: bool,
}

impl<'a> Manager<'a> {
    /// What the other ranks are told for [`work`](super::work), of which each has so many runs side by side; 0 for one a core.
    pub(crate) fn terms(benchmark: &Benchmark, threads: usize) -> Result<String> {
        let version = env!("CARGO_PKG_VERSION").into();
        let terms = Terms { version, threads, measure: benchmark.grid.measure() };
        toml::to_string(&terms).map_err(|e| Error::Config(e.to_string()))
    }

    /// With so many runs side by side on this rank.
    ///
    /// # Errors
    /// [`Error::Config`] if the system refuses a thread.
    pub(crate) fn new(world: &'a MpiWorld, benchmark: &Benchmark, threads: usize) -> Result<Self> {
        let rank = Rank { doing: Vec::new(), heard: Instant::now(), is_lost: false, has_ended: false };
        let hands = Hands::new(threads, benchmark.grid.measure())?;
        Ok(Self { world, hands, ranks: vec![rank; world.size()], before: 0 })
    }

    /// As [`Benchmark::run`], where all ranks do runs.
    ///
    /// # Errors
    /// As [`Benchmark::run`], and where a rank cannot go on.
    pub(crate) fn run(&mut self, benchmark: &Benchmark, quiet: bool) -> Result<Results> {
        benchmark.run_by(quiet, &mut |jobs, progress| self.each(benchmark, jobs, progress))
    }

    /// Does jobs, all of them unless one fails.
    fn each(&mut self, benchmark: &Benchmark, jobs: &mut [Job<'_>], progress: &Progress) -> Result<()> {
        let (count, begun) = (jobs.len(), Instant::now());
        let mut round = Round { jobs, waiting: (0..count).collect(), goes_on: true };
        loop {
            let done = self.hands.take(Duration::ZERO);
            self.take(0, done, benchmark, &mut round, progress);
            for place in round.next(self.hands.idle()) {
                self.ranks[0].doing.push(self.before + place);
                self.hands.give(self.before + place, round.jobs[place].cell.config.clone());
            }
            while let Some((rank, bytes)) = self.world.heard()? {
                let Report { idle, done } = read(&bytes)?;
                self.hear(rank, progress);
                self.take(rank, done, benchmark, &mut round, progress);
                let mut answer = Answer::default();
                for place in round.next(idle.min(AT_ONCE)) {
                    let (number, settings) = (self.before + place, round.jobs[place].cell.config.to_toml()?);
                    self.ranks[rank].doing.push(number);
                    answer.runs.push(Given { number, settings });
                }
                self.world.tell(rank, &written(&answer)?);
            }
            for number in self.lose(progress) {
                round.give_back(number - self.before);
            }
            let is_under_way = |place: usize| self.ranks.iter().any(|rank| rank.doing.contains(&(self.before + place)));
            let is_over = match round.goes_on {
                true => round.jobs.iter().all(|job| job.finished.is_some()),
                false => (0..count).all(|place| round.jobs[place].finished.is_some() || !is_under_way(place)),
            };
            if is_over {
                self.before += count;
                // What is done twice need not be waited for.
                self.ranks.iter_mut().for_each(|rank| rank.doing.clear());
                return Ok(());
            }
            self.world.pause(begun);
        }
    }

    /// Tells the others that all is done; whether all have heard it.
    ///
    /// # Errors
    /// Where a rank cannot go on.
    pub(crate) fn end(mut self, quiet: bool) -> Result<bool> {
        let (progress, begun) = (Progress::new(0, quiet), Instant::now());
        let answer = written(&Answer { ends: true, ..Answer::default() })?;
        self.ranks[0].has_ended = true;
        while self.ranks.iter().any(|rank| !rank.has_ended && !rank.is_lost) {
            while let Some((rank, _)) = self.world.heard()? {
                self.hear(rank, &progress);
                self.world.tell(rank, &answer);
                self.ranks[rank].has_ended = true;
            }
            self.lose(&progress);
            self.world.pause(begun);
        }
        Ok(self.ranks.iter().all(|rank| rank.has_ended))
    }

    /// Notes that a rank has spoken.
    fn hear(&mut self, rank: usize, progress: &Progress) {
        let known = &mut self.ranks[rank];
        known.heard = Instant::now();
        if std::mem::take(&mut known.is_lost) {
            progress.note(&format!("rank {rank} answers again"));
        }
    }

    /// Takes what a rank has done. Runs of before are done already, by whoever was faster.
    fn take(
        &mut self,
        rank: usize,
        done: Vec<Done>,
        benchmark: &Benchmark,
        round: &mut Round<'_, '_>,
        progress: &Progress,
    ) {
        for Done { number, finished } in done {
            self.ranks[rank].doing.retain(|&doing| doing != number);
            let job = number.checked_sub(self.before).and_then(|place| round.jobs.get_mut(place));
            if let Some(job) = job.filter(|job| job.finished.is_none()) {
                round.goes_on &= benchmark.keep(job, finished.map_err(Error::Config), progress);
            }
        }
    }

    /// The runs of ranks that have not been heard for too long.
    fn lose(&mut self, progress: &Progress) -> Vec<usize> {
        let (patience, mut lost) = (self.world.patience(), Vec::new());
        for (rank, known) in self.ranks.iter_mut().enumerate().skip(1) {
            if !known.is_lost && !known.has_ended && known.heard.elapsed() > patience {
                known.is_lost = true;
                let runs = std::mem::take(&mut known.doing);
                let left = match runs.len() {
                    0 => "others do its part".into(),
                    count => format!("others do its part, and {} that it was given", counted(count, "run")),
                };
                progress.note(&format!("rank {rank} has not answered for {} s: {left}", patience.as_secs()));
                lost.extend(runs);
            }
        }
        lost
    }
}

impl Round<'_, '_> {
    /// The next that nobody does, so many at most.
    fn next(&mut self, most: usize) -> Vec<usize> {
        let mut next = Vec::new();
        while self.goes_on && next.len() < most {
            let Some(place) = self.waiting.pop_front() else { break };
            // One that was lost may have come back with it.
            if self.jobs[place].finished.is_none() {
                next.push(place);
            }
        }
        next
    }

    /// Nobody does it any more.
    fn give_back(&mut self, place: usize) {
        self.waiting.push_front(place);
    }
}
