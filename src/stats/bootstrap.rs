//! Intervals by resampling runs.

use rand::distr::{Distribution, Uniform};

use super::{Interval, Scores, StatsError, interval::check_confidence_level};
use crate::{Rng, Seed};

/// The stratified percentile bootstrap: how uncertain a statistic is because the seeds could have been others.
///
/// A replicate draws, for each task by itself, as many runs of that task as there are, with replacement, and takes the
/// statistic of them; the interval spans the middle `confidence_level` of all replicates
/// ([`Interval::percentile`]). Tasks are the strata: they are what they are and are not drawn. The unit is the run, never the
/// episode. Two methods are drawn independently of each other, for equal seeds do not pair their runs.
///
/// With a single run every replicate is that run, so the interval has no width and says nothing. Few runs give
/// intervals that are somewhat too narrow; ten or more are well covered.
///
/// Draws are from the stream `bootstrap` of `seed`, indexed by the place of the method in the call, so the same seed
/// gives the same bits, and a method is resampled alike whatever statistic is asked of it.
///
/// Agarwal et al. 2021, section 4.1 and appendix A.3, <https://arxiv.org/abs/2108.13264>.
///
/// ```
/// use uphill::stats::{Bootstrap, Scores, iqm};
///
/// let ppo = Scores::of_one_task(&[0.9, 0.8, 0.95, 0.7, 0.85])?;
/// let a2c = Scores::of_one_task(&[0.6, 0.9, 0.5, 0.0, 0.65])?;
/// let bootstrap = Bootstrap::default();
/// let interval = bootstrap.interval(&ppo, iqm)?;
/// let difference = bootstrap.interval_of_two(&ppo, &a2c, |ppo, a2c| iqm(ppo) - iqm(a2c))?;
/// assert!(interval.low <= interval.point && interval.point <= interval.high);
/// assert!(difference.low > 0.0, "PPO is better than A2C here: {difference:?}");
/// # Ok::<(), uphill::stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Replicates, at least 1. A published interval deserves 10,000 or more, or its ends move with the seed.
    pub reps: usize,
    /// The share of replicates that the interval holds, between 0 and 1.
    pub confidence_level: f64,
    /// Where the draws come from.
    pub seed: Seed,
}

impl Default for Bootstrap {
    /// 2,000 replicates, 95 %, seed 0.
    fn default() -> Bootstrap {
        Bootstrap { reps: 2_000, confidence_level: 0.95, seed: Seed(0) }
    }
}

impl Bootstrap {
    /// The interval of a statistic of one method.
    ///
    /// # Errors
    /// A [`StatsError`] if a setting is out of range, or the statistic is NaN for the scores or a resample of them.
    pub fn interval(&self, scores: &Scores, mut statistic: impl FnMut(&Scores) -> f64) -> Result<Interval, StatsError> {
        self.one(&[scores], |resampled| match resampled {
            [scores] => statistic(scores),
            _ => f64::NAN,
        })
    }

    /// The interval of a statistic of two methods: a difference, a ratio, a probability.
    ///
    /// # Errors
    /// As [`Bootstrap::interval`].
    pub fn interval_of_two(
        &self,
        x: &Scores,
        y: &Scores,
        mut statistic: impl FnMut(&Scores, &Scores) -> f64,
    ) -> Result<Interval, StatsError> {
        self.one(&[x, y], |resampled| match resampled {
            [x, y] => statistic(x, y),
            _ => f64::NAN,
        })
    }

    /// The intervals of several quantities of any number of methods, all from the same resamples; each interval stands
    /// for itself (pointwise, not simultaneous).
    ///
    /// `statistic` is given the methods in the order of `samples`, and writes `quantities` numbers. It is called once
    /// with the scores themselves and then once a replicate.
    ///
    /// # Errors
    /// As [`Bootstrap::interval`].
    pub fn intervals(
        &self,
        samples: &[&Scores],
        quantities: usize,
        mut statistic: impl FnMut(&[Scores], &mut [f64]),
    ) -> Result<Vec<Interval>, StatsError> {
        let mut resampled: Vec<Scores> = samples.iter().copied().cloned().collect();
        let mut point = Vec::new();
        let many = |_| StatsError::Option {
            name: "quantities",
            value: quantities.to_string(),
            expected: "so few that they fit into memory",
        };
        point.try_reserve_exact(quantities).map_err(many)?;
        point.resize(quantities, f64::NAN);
        statistic(&resampled, &mut point);
        let mut draws = Vec::new();
        for (place, sample) in samples.iter().enumerate() {
            draws.push(self.draws(place, sample.runs())?);
        }
        self.replicate(&point, |out| {
            for ((to, from), draws) in resampled.iter_mut().zip(samples).zip(&mut draws) {
                to.resample(from, || draws.next());
            }
            statistic(&resampled, out);
        })
    }

    fn one(&self, samples: &[&Scores], mut statistic: impl FnMut(&[Scores]) -> f64) -> Result<Interval, StatsError> {
        let intervals = self.intervals(samples, 1, |resampled, out| out.fill(statistic(resampled)))?;
        intervals.first().copied().ok_or(StatsError::Empty { what: "intervals" })
    }

    /// The intervals around `point` of what `replicate` writes, one replicate a call.
    pub(crate) fn replicate(
        &self,
        point: &[f64],
        mut replicate: impl FnMut(&mut [f64]),
    ) -> Result<Vec<Interval>, StatsError> {
        check_confidence_level(self.confidence_level)?;
        let reps = |expected| StatsError::Option { name: "reps", value: self.reps.to_string(), expected };
        if self.reps == 0 {
            return Err(reps("at least 1"));
        }
        if let Some(place) = point.iter().position(|value| value.is_nan()) {
            return Err(StatsError::Undefined { place, replicate: None });
        }
        // Quantity after quantity, so that the replicates of one lie side by side when they are sorted.
        let mut replicates = Vec::new();
        let room = self.reps.saturating_mul(point.len());
        replicates.try_reserve_exact(room).map_err(|_| reps("so few that all replicates fit into memory"))?;
        replicates.resize(room, 0.0);
        let mut out = vec![f64::NAN; point.len()];
        for rep in 0..self.reps {
            replicate(&mut out);
            for (place, &value) in out.iter().enumerate() {
                if value.is_nan() {
                    return Err(StatsError::Undefined { place, replicate: Some(rep) });
                }
                replicates[place * self.reps + rep] = value;
            }
        }
        let interval =
            |(&point, replicates): (&f64, &mut [f64])| Interval::percentile(point, replicates, self.confidence_level);
        point.iter().zip(replicates.chunks_exact_mut(self.reps)).map(interval).collect()
    }

    /// The runs drawn of a sample of so many, the sample being the call's `place`-th.
    pub(crate) fn draws(&self, place: usize, runs: usize) -> Result<Draws, StatsError> {
        let uniform = Uniform::new(0, runs).map_err(|_| StatsError::Empty { what: "runs" })?;
        Ok(Draws { uniform, rng: self.seed.stream("bootstrap", place as u64) })
    }
}

/// Runs drawn with replacement.
pub(crate) struct Draws {
    uniform: Uniform<usize>,
    rng: Rng,
}

impl Draws {
    pub(crate) fn next(&mut self) -> usize {
        self.uniform.sample(&mut self.rng)
    }
}
