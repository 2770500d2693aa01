//! Which episodes count, and when: in the order in which they began.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use uphill_envs::counted;

use crate::arrays::{Arrays, MAX_COUNT};
use crate::{Error, Result, Rollout};

/// Steps after which nothing is known any more of an episode of a task without a limit: an evaluation cuts it off, and
/// while one is open in training no mean return is given. A policy may walk in circles for ever.
pub(crate) const LONGEST: u32 = 10_000;

/// An episode that counts: it has ended, and so have all that began before it or together with it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episode {
    /// The sum of its rewards, undiscounted.
    pub episode_return: f64,
    /// Its steps.
    pub length: u32,
    /// The environment steps of the whole run, all lanes together, from which on it counts.
    pub env_steps: u64,
}

/// An episode that has ended and does not count yet: the row it began in, its lane, its length, and the bits of its
/// return, in this order, so that the first to begin is the first in the queue.
type Held = Reverse<(u64, usize, u32, u64)>;

/// The row of an episode that has not begun, or that will not count.
const NEVER: u64 = u64::MAX;

/// What every lane is in the middle of, and the episodes that wait for others.
///
/// The first episodes to end are those that end soonest, and where a short episode is a lucky one their mean is luck. So
/// an episode counts once all that began in its row of steps or before have ended. Those that count are then the ones that
/// began first, whatever their length: of a policy that stands still independent draws, none of them preferred.
///
/// An episode that begins while too many wait is left out, from its beginning on: that cannot depend on how it will end.
#[derive(Clone)]
pub(crate) struct Episodes {
    /// Of the episode that each lane is in: rewards so far, steps so far, and the row it began in.
    returns: Vec<f64>,
    lengths: Vec<u32>,
    began: Vec<u64>,
    held: BinaryHeap<Held>,
    /// Rows of steps so far. The lanes of a row step together.
    row: u64,
    env_steps: u64,
    ended: u64,
    has_limit: bool,
    /// Those that count since the last rollout, in the order in which they began.
    counted: Vec<Episode>,
}

impl Episodes {
    /// Of so many lanes, each before its first step.
    pub(crate) fn new(lanes: usize, has_limit: bool) -> Self {
        Self {
            returns: vec![0.0; lanes],
            lengths: vec![0; lanes],
            began: vec![NEVER; lanes],
            // Some room from the start: hardly any run makes more of it while it steps.
            held: BinaryHeap::with_capacity(8 * lanes.max(64)),
            row: 0,
            env_steps: 0,
            ended: 0,
            has_limit,
            counted: Vec::new(),
        }
    }

    /// `N`.
    pub(crate) fn lanes(&self) -> usize {
        self.lengths.len()
    }

    /// Environment steps so far, all lanes together.
    pub(crate) fn env_steps(&self) -> u64 {
        self.env_steps
    }

    /// Episodes that have ended so far, whether they count or not.
    pub(crate) fn ended(&self) -> u64 {
        self.ended
    }

    /// Those that count since the rollout before.
    pub(crate) fn counted(&self) -> &[Episode] {
        &self.counted
    }

    /// Whether an episode that no limit will end is open for so long that nothing is known of what it will return.
    pub(crate) fn one_is_stuck(&self) -> bool {
        !self.has_limit && self.lengths.iter().any(|&length| length > LONGEST)
    }

    /// Goes on by a rollout.
    pub(crate) fn follow(&mut self, rollout: &Rollout) {
        self.counted.clear();
        for start in (0..rollout.reward.len()).step_by(rollout.lanes.max(1)) {
            let before = self.ended;
            for lane in (0..rollout.lanes).filter(|lane| rollout.valid[start + lane]) {
                if self.lengths[lane] == 0 {
                    self.began[lane] = if self.held.len() < self.room() { self.row } else { NEVER };
                }
                self.env_steps += 1;
                self.lengths[lane] += 1;
                self.returns[lane] += f64::from(rollout.reward[start + lane]);
                if rollout.end[start + lane].ended() {
                    self.end(lane);
                }
            }
            self.row += 1;
            if self.ended > before {
                self.release();
            }
        }
    }

    /// How many may wait before those that begin are left out.
    fn room(&self) -> usize {
        16 * self.lengths.len().max(4_096)
    }

    fn end(&mut self, lane: usize) {
        self.ended += 1;
        let began = std::mem::replace(&mut self.began[lane], NEVER);
        let (length, sum) = (std::mem::take(&mut self.lengths[lane]), std::mem::take(&mut self.returns[lane]));
        if began != NEVER {
            self.held.push(Reverse((began, lane, length, sum.to_bits())));
        }
    }

    /// Lets those count that began before every open one.
    fn release(&mut self) {
        let oldest = self.began.iter().copied().min().unwrap_or(NEVER);
        while let Some(&Reverse((began, _, length, sum))) = self.held.peek()
            && began < oldest
        {
            self.held.pop();
            let (episode_return, env_steps) = (f64::from_bits(sum), self.env_steps);
            self.counted.push(Episode { episode_return, length, env_steps });
        }
    }

    /// Adds all of it to `arrays`; steps and episodes so far are the caller's to keep.
    pub(crate) fn save(&self, arrays: &mut Arrays) {
        arrays.put("lanes.episode_return", self.returns.clone());
        arrays.put("lanes.length", self.lengths.iter().map(|&length| length.into()).collect::<Vec<u64>>());
        arrays.put("lanes.began", self.began.clone());
        arrays.put("lanes.row", vec![self.row]);
        let mut held: Vec<_> = self.held.iter().map(|Reverse(held)| *held).collect();
        held.sort_unstable();
        arrays.put("held.began", held.iter().map(|held| held.0).collect::<Vec<_>>());
        arrays.put("held.lane", held.iter().map(|held| held.1 as u64).collect::<Vec<_>>());
        arrays.put("held.length", held.iter().map(|held| held.2.into()).collect::<Vec<u64>>());
        arrays.put("held.episode_return", held.iter().map(|held| f64::from_bits(held.3)).collect::<Vec<_>>());
    }

    /// Goes on from what [`Episodes::save`] left, after so many steps and episodes. Where the lanes do not go on, but start
    /// new episodes, those that waited for the old ones are left out with them.
    pub(crate) fn restore(&mut self, arrays: &Arrays, (env_steps, ended): (u64, u64), lanes_go_on: bool) -> Result<()> {
        let wrong = |problem: String| Error::Checkpoint(problem);
        let possible = |saved: u64| {
            let length = u32::try_from(saved).ok().filter(|&length| length < u32::MAX / 2);
            length.ok_or_else(|| wrong(format!("an episode of {saved} steps")))
        };
        let lanes = self.lengths.len();
        let row = arrays.one::<u64>("lanes.row")?;
        if row > MAX_COUNT {
            return Err(wrong(format!("`lanes.row` = {row} is more than a run ever comes to")));
        }
        arrays.copy("lanes.episode_return", &mut self.returns)?;
        let lengths = arrays.get_len::<u64>("lanes.length", lanes)?;
        self.lengths = lengths.iter().map(|&length| possible(length)).collect::<Result<_>>()?;
        arrays.copy("lanes.began", &mut self.began)?;
        let held_began = arrays.get::<u64>("held.began")?;
        let held_lane = arrays.get_len::<u64>("held.lane", held_began.len())?;
        let held_length = arrays.get_len::<u64>("held.length", held_began.len())?;
        let held_return = arrays.get_len::<f64>("held.episode_return", held_began.len())?;
        let after_now = |&began: &u64| began >= row && began != NEVER;
        if let Some(began) = self.began.iter().chain(held_began).find(|began| after_now(began)) {
            return Err(wrong(format!("an episode that began in row {began} of {row}")));
        }
        if held_began.len() > self.room() + lanes {
            return Err(wrong(format!("{} waiting for others", counted(held_began.len(), "episode"))));
        }
        self.held.clear();
        for (((&began, &lane), &length), sum) in held_began.iter().zip(held_lane).zip(held_length).zip(held_return) {
            let lane = usize::try_from(lane).ok().filter(|&lane| lane < lanes);
            let lane = lane.ok_or_else(|| wrong(format!("an episode of a lane that is none of {lanes}")))?;
            self.held.push(Reverse((began, lane, possible(length)?, sum.to_bits())));
        }
        if !lanes_go_on {
            self.returns.fill(0.0);
            self.lengths.fill(0);
            self.held.clear();
        }
        // What has not begun holds nobody up.
        let not_begun = self.lengths.iter().zip(&mut self.began).filter(|(length, _)| **length == 0);
        not_begun.for_each(|(_, began)| *began = NEVER);
        self.counted.clear();
        (self.row, self.env_steps, self.ended) = (row, env_steps, ended);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
