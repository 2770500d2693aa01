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
mod tests {
    use rand::RngExt;
    use uphill_envs::End;

    use super::{Episodes, LONGEST, Rollout};
    use crate::Seed;
    use crate::arrays::Arrays;
    use crate::metrics::History;

    /// A row of steps, each with its reward, in which these lanes end their episodes.
    fn row(rewards: &[f32], ends: &[bool]) -> Rollout {
        let lanes = rewards.len();
        let end = ends.iter().map(|&ends| if ends { End::Terminated } else { End::Not }).collect();
        Rollout { reward: rewards.to_vec(), end, valid: vec![true; lanes], ..Rollout::new(lanes, 0) }
    }

    fn returns(episodes: &Episodes) -> Vec<f64> {
        episodes.counted().iter().map(|episode| episode.episode_return).collect()
    }

    #[test]
    fn episodes_count_in_the_order_in_which_they_began() {
        let mut episodes = Episodes::new(2, true);
        let mut after = |rewards: [f32; 2], ends: [bool; 2]| {
            episodes.follow(&row(&rewards, &ends));
            (returns(&episodes), episodes.ended())
        };
        assert_eq!(after([1.0, 0.0], [true, false]), (vec![], 1), "the other lane's began as soon");
        assert_eq!(after([2.0, 0.0], [true, false]), (vec![], 2));
        assert_eq!(after([0.0, 7.0], [false, true]), (vec![1.0, 7.0, 2.0], 3), "all that began before row 2");
        assert_eq!(after([0.0, 3.0], [false, true]), (vec![], 4));
        assert_eq!(after([4.0, 0.0], [true, false]), (vec![4.0, 3.0], 5));
        let last = episodes.counted().last().expect("an episode");
        assert_eq!((last.length, last.env_steps), (1, 10), "it counts from the step on at which it could");
    }

    #[test]
    fn lanes_that_wait_for_others_begin_when_they_go_on() {
        let mut episodes = Episodes::new(2, true);
        let whole = |rewards: [f32; 4], ends: [bool; 4], valid: [bool; 4]| {
            let rows = [row(&rewards[..2], &ends[..2]), row(&rewards[2..], &ends[2..])];
            let [first, second] = rows.map(|row| (row.reward, row.end));
            let (reward, end) = ([first.0, second.0].concat(), [first.1, second.1].concat());
            Rollout { reward, end, valid: valid.to_vec(), ..Rollout::new(2, 0) }
        };
        // The first lane plays one step and waits, the second two.
        let rollout = whole([1.0, 2.0, 9.0, 3.0], [true, false, false, true], [true, true, false, true]);
        episodes.follow(&rollout);
        assert_eq!((returns(&episodes), episodes.env_steps()), (vec![1.0, 5.0], 3));
        episodes.follow(&rollout);
        assert_eq!((returns(&episodes), episodes.env_steps()), (vec![1.0, 5.0], 6));
    }

    /// Half of all episodes take 2 steps and return 1, half take 20 and return 0: what the mean is after so many rows, from
    /// many runs of this many lanes, with its standard error.
    fn means(lanes: usize, runs: u64, rows: &[usize]) -> Vec<Option<(f64, f64)>> {
        let mut found = vec![Vec::new(); rows.len()];
        for run in 0..runs {
            let mut rng = Seed(run).stream("lengths", lanes as u64);
            let (mut episodes, mut history) = (Episodes::new(lanes, true), History::new(None));
            let (mut left, mut lucky) = (vec![0; lanes], vec![false; lanes]);
            for t in 1..=*rows.last().expect("a row") {
                for lane in (0..lanes).filter(|&lane| left[lane] == 0).collect::<Vec<_>>() {
                    lucky[lane] = rng.random();
                    left[lane] = if lucky[lane] { 2 } else { 20 };
                }
                left.iter_mut().for_each(|left| *left -= 1);
                let ends: Vec<bool> = left.iter().map(|&left| left == 0).collect();
                let reward = |lane: usize| f32::from(u8::from(ends[lane] && lucky[lane]));
                episodes.follow(&row(&(0..lanes).map(reward).collect::<Vec<_>>(), &ends));
                history.follow(&episodes);
                if let Some(place) = rows.iter().position(|&row| row == t) {
                    found[place].extend(history.return_mean());
                }
            }
        }
        let moments = |means: &Vec<f64>| {
            let n = means.len() as f64;
            let mean = means.iter().sum::<f64>() / n;
            let variance = means.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
            (means.len() as u64 == runs).then_some((mean, (variance / n).sqrt()))
        };
        found.iter().map(moments).collect()
    }

    #[test]
    fn a_mean_does_not_prefer_short_episodes() {
        // Of the first 100 that end, all are short ones; of one lane's first n, given n, each is as good as its first.
        for (lanes, runs, slack) in [(1, 1_000, 0.0), (4, 500, 0.04), (64, 40, 0.01), (256, 20, 0.01)] {
            let rows = [20, 24, 30, 39, 50, 100];
            for (rows, moments) in rows.iter().zip(means(lanes, runs, &rows)) {
                let (mean, error) = moments.expect("every lane has ended an episode");
                let off = (mean - 0.5).abs();
                assert!(off <= slack + 4.5 * error, "{lanes} lanes, {rows} rows: {mean} ± {error}");
            }
        }
        assert_eq!(means(64, 20, &[2, 19]), [None, None], "some lane has ended none");
    }

    #[test]
    fn an_episode_that_no_limit_ends_makes_every_mean_unknown() {
        for (has_limit, known) in [(true, true), (false, false)] {
            let (mut episodes, mut history) = (Episodes::new(2, has_limit), History::new(Some(0.5)));
            let mut follow = |ends: [bool; 2]| {
                episodes.follow(&row(&[1.0, 1.0], &ends));
                history.follow(&episodes);
                (history.return_mean().is_some(), history.solved_at_step(), history.episodes())
            };
            assert_eq!(follow([true, true]), (true, None, 2));
            (0..LONGEST).for_each(|_| assert!(follow([true, false]).0));
            assert_eq!(follow([true, false]), (known, None, 3 + u64::from(LONGEST)));
            let (known, solved, _) = follow([false, true]);
            assert!(known && solved.is_some(), "the episode counts, and those that waited for it");
        }
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_left_out_is_so_from_its_beginning() {
        let mut episodes = Episodes::new(2, true);
        let room = episodes.room();
        for _ in 0..room + 50 {
            episodes.follow(&row(&[1.0, 0.0], &[true, false]));
        }
        assert_eq!((episodes.held.len(), episodes.ended()), (room, room as u64 + 50));
        episodes.follow(&row(&[1.0, 5.0], &[false, true]));
        assert_eq!(returns(&episodes).len(), room + 1);
        assert_eq!(returns(&episodes)[1], 5.0, "the one that the others waited for began with the first");
        episodes.follow(&row(&[1.0, 6.0], &[true, true]));
        assert_eq!(returns(&episodes), [6.0], "the first lane's had begun while there was no room");
        episodes.follow(&row(&[3.0, 6.0], &[true, true]));
        assert_eq!(returns(&episodes), [3.0, 6.0]);
    }

    #[test]
    fn lanes_that_do_not_go_on_take_with_them_what_waited_for_them() {
        let mut episodes = Episodes::new(2, true);
        episodes.follow(&row(&[1.0, 0.0], &[true, false]));
        let mut arrays = Arrays::default();
        episodes.save(&mut arrays);
        let restored = |lanes_go_on| {
            let mut other = Episodes::new(2, true);
            other.restore(&arrays, (2, 1), lanes_go_on).expect("a state");
            other.follow(&row(&[4.0, 5.0], &[true, true]));
            (returns(&other), other.env_steps(), other.ended())
        };
        assert_eq!(restored(true), (vec![1.0, 5.0, 4.0], 4, 3));
        assert_eq!(restored(false), (vec![4.0, 5.0], 4, 3));
        arrays.put("held.lane", vec![2u64]);
        let error = Episodes::new(2, true).restore(&arrays, (2, 1), true).expect_err("forged").to_string();
        assert!(error.contains("a lane that is none of 2"), "{error}");
        arrays.put("held.lane", vec![0u64]);
        arrays.put("held.began", vec![1u64]);
        let error = Episodes::new(2, true).restore(&arrays, (2, 1), true).expect_err("forged").to_string();
        assert!(error.contains("began in row 1 of 1"), "{error}");
    }
}
