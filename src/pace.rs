//! Whether environments take so long that their lanes are worth threads of their own. A clock decides on threads here, and on
//! no number: lanes do the same on any.

use std::time::{Duration, Instant};

use uphill_envs::{Actions, EnvError, Transitions, VecEnv};

use crate::Threads;

/// Steps that are timed, the first ones.
const TIMED: u32 = 8;
/// What handing a step to other threads takes.
const HANDING: Duration = Duration::from_micros(100);

/// How long a step of a group of lanes takes, the least of the first few.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    timed: u32,
    /// When the step at hand began, if it is timed.
    begun: Option<Instant>,
    /// The policy's part of it.
    acting: Duration,
    /// The environments' part of it, on one thread.
    stepping: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { timed: 0, begun: None, acting: Duration::MAX, stepping: Duration::MAX }
    }
}

impl Pace {
    /// Begins a step, in which the policy acts first.
    pub(crate) fn begin(&mut self) {
        self.begun = (self.timed < TIMED).then(Instant::now);
    }

    /// Steps the environments of one of so many groups: on `threads`, if there are any and it is worth it.
    pub(crate) fn step(
        &mut self,
        env: &mut dyn VecEnv,
        (actions, active, out): (Actions<'_>, &[bool], Transitions<'_>),
        groups: usize,
        threads: Option<&Threads>,
    ) -> Result<(), EnvError> {
        if let Some(threads) = threads.filter(|threads| self.is_slow(groups, threads.count())) {
            return env.step_spread(actions, active, out, &|tasks| threads.run(tasks));
        }
        let begun = self.begun.take().map(|begun| (begun.elapsed(), Instant::now()));
        env.step(actions, active, out)?;
        if let Some((acting, begun)) = begun {
            self.timed += 1;
            self.acting = self.acting.min(acting);
            self.stepping = self.stepping.min(begun.elapsed());
        }
        Ok(())
    }

    /// Whether a step of so many such groups takes less time where they step one after another, each on all of so many
    /// threads, than where they step side by side, each on one. Unknown, it does not.
    pub(crate) fn is_slow(&self, groups: usize, threads: usize) -> bool {
        let [acting, stepping, handing] = [self.acting, self.stepping, HANDING].map(|time| time.as_secs_f64());
        let (groups, threads) = (groups as f64, threads as f64);
        let rounds = (groups / threads).ceil();
        self.timed == TIMED && groups * (acting + stepping / threads + handing) < rounds * (acting + stepping)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, TIMED};

    #[test]
    fn threads_are_worth_it_where_the_environments_take_most_of_the_time() {
        let pace = |acting: u64, stepping: u64| Pace {
            timed: TIMED,
            begun: None,
            acting: Duration::from_micros(acting),
            stepping: Duration::from_micros(stepping),
        };
        // acting and stepping in microseconds, groups, threads.
        for (acting, stepping, groups, threads, slow) in [
            (10, 3_000, 1, 2, true),
            (10, 3_000, 1, 1, false),
            (10, 50, 1, 64, false),
            (10, 150, 1, 2, false),
            (10, 300, 1, 2, true),
            // As many groups as threads have all of them at work.
            (10, 3_000, 2, 2, false),
            (10, 3_000, 16, 2, false),
            (10, 3_000, 2, 8, true),
            (3_000, 3_000, 2, 8, false),
            // Three groups on two threads are two rounds.
            (10, 3_000, 3, 2, true),
        ] {
            let said = pace(acting, stepping).is_slow(groups, threads);
            assert_eq!(said, slow, "{acting} + {stepping}, {groups} groups, {threads} threads");
        }
        assert!(!Pace::default().is_slow(1, 2), "not known yet");
    }
}
