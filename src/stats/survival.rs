//! How many steps a method needs, when some of its runs never get there.

use serde::Serialize;

use super::{Bootstrap, Interval, StatsError};

/// When a run reached a threshold, in environment steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// At this step.
    At(u64),
    /// Not by this step, the run's last: right-censored.
    NotBy(u64),
}

impl Reached {
    /// The step that is known, reached or not.
    #[must_use]
    pub fn env_steps(self) -> u64 {
        match self {
            Reached::At(steps) | Reached::NotBy(steps) => steps,
        }
    }
}

/// The Kaplan-Meier estimate of the share of runs that have not reached a threshold yet.
///
/// ```math
///   S(t) = Π (1 − dᵢ / nᵢ) over the steps tᵢ ≤ t at which dᵢ runs reached it, of nᵢ that had neither reached it nor ended before
/// ```
///
/// Runs that never reach it stay in for as long as they ran. Dropping them would make the method look fast that fails
/// most; counting their last step as the one they needed would, too.
///
/// Kaplan and Meier 1958, <https://doi.org/10.1080/01621459.1958.10501452>.
///
/// ```
/// use uphill::stats::{KaplanMeier, Reached};
///
/// let runs = [Reached::At(20_000), Reached::At(50_000), Reached::At(30_000), Reached::NotBy(100_000)];
/// let curve = KaplanMeier::of(&runs)?;
/// assert_eq!(curve.share_not_reached(25_000), 0.75);
/// assert_eq!(curve.median(), 30_000.0);
/// assert_eq!(curve.restricted_mean(100_000)?, (20_000.0 + 50_000.0 + 30_000.0 + 100_000.0) / 4.0);
/// # Ok::<(), uphill::stats::StatsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KaplanMeier {
    /// Steps at which the share falls, rising, and the share from there on.
    falls: Vec<(u64, f64)>,
    /// The longest that a run was watched.
    last: u64,
}

impl KaplanMeier {
    /// The estimate from one method's runs on one task.
    ///
    /// # Errors
    /// [`StatsError::Empty`] if there are no runs.
    pub fn of(runs: &[Reached]) -> Result<KaplanMeier, StatsError> {
        if runs.is_empty() {
            return Err(StatsError::Empty { what: "runs" });
        }
        let mut curve = KaplanMeier { falls: Vec::new(), last: 0 };
        curve.refit(&mut runs.to_vec());
        Ok(curve)
    }

    /// Becomes the estimate from other runs, in the room it has.
    fn refit(&mut self, runs: &mut [Reached]) {
        runs.sort_unstable_by_key(|run| run.env_steps());
        self.falls.clear();
        self.last = runs.last().map_or(0, |run| run.env_steps());
        let (mut at_risk, mut share) = (runs.len(), 1.0);
        // A run that ended at a step at which others reached the threshold was still watched there.
        for together in runs.chunk_by(|a, b| a.env_steps() == b.env_steps()) {
            let reached = together.iter().filter(|run| matches!(run, Reached::At(_))).count();
            if reached > 0 {
                share *= (at_risk - reached) as f64 / at_risk as f64;
                self.falls.extend(together.first().map(|run| (run.env_steps(), share)));
            }
            at_risk -= together.len();
        }
    }

    /// `S(env_steps)`: the share of runs that have not reached the threshold by then. Beyond the last step that a run
    /// was watched, the share there.
    #[must_use]
    pub fn share_not_reached(&self, env_steps: u64) -> f64 {
        let until = self.falls.partition_point(|&(step, _)| step <= env_steps);
        self.falls[..until].last().map_or(1.0, |&(_, share)| share)
    }

    /// The steps at which the share falls, each with the share from there on; before the first it is 1.
    #[must_use]
    pub fn falls(&self) -> &[(u64, f64)] {
        &self.falls
    }

    /// The first step by which half of the runs have reached the threshold: the least `t` with `S(t) ≤ ½`; infinite
    /// where fewer than half ever do.
    #[must_use]
    pub fn median(&self) -> f64 {
        // A product that is ½ in the real numbers may be one rounding above it.
        let half = 0.5 + 1e-12;
        self.falls.iter().find(|&&(_, share)| share <= half).map_or(f64::INFINITY, |&(step, _)| step as f64)
    }

    /// The restricted mean: the steps that a run spends below the threshold within `horizon` steps, on average.
    ///
    /// ```math
    ///   RMST = ∫₀ʰ S(t) dt
    /// ```
    ///
    /// Where every run was watched for the whole horizon it is the mean of `min(steps, horizon)`.
    ///
    /// Royston and Parmar 2013, <https://doi.org/10.1186/1471-2288-13-152>.
    ///
    /// # Errors
    /// [`StatsError::Option`] if no run was watched that long while some had not reached the threshold.
    pub fn restricted_mean(&self, horizon: u64) -> Result<f64, StatsError> {
        if horizon > self.last && self.share_not_reached(self.last) > 0.0 {
            let expected = "no more steps than the longest run has: what comes after was not seen";
            return Err(StatsError::Option { name: "horizon", value: horizon.to_string(), expected });
        }
        Ok(self.area(horizon))
    }

    fn area(&self, horizon: u64) -> f64 {
        let (mut area, mut from, mut share) = (0.0, 0, 1.0);
        for &(step, next) in self.falls.iter().take_while(|&&(step, _)| step < horizon) {
            area += share * (step - from) as f64;
            (from, share) = (step, next);
        }
        area + share * (horizon - from) as f64
    }
}

/// [`KaplanMeier::median`] with its interval, runs drawn anew by the bootstrap. The upper end is infinite where too many
/// runs never reach the threshold.
///
/// Efron 1981, <https://doi.org/10.1080/01621459.1981.10477650>.
///
/// # Errors
/// A [`StatsError`] if there are no runs or a setting of `bootstrap` is out of range.
pub fn median_steps(runs: &[Reached], bootstrap: &Bootstrap) -> Result<Interval, StatsError> {
    let median = KaplanMeier::of(runs)?.median();
    over_resamples(runs, bootstrap, median, KaplanMeier::median)
}

/// [`KaplanMeier::restricted_mean`] with its interval, runs drawn anew by the bootstrap. Where a resample was not
/// watched up to `horizon`, its share stays what it was.
///
/// # Errors
/// As [`median_steps`] and [`KaplanMeier::restricted_mean`].
pub fn restricted_mean_steps(runs: &[Reached], horizon: u64, bootstrap: &Bootstrap) -> Result<Interval, StatsError> {
    let mean = KaplanMeier::of(runs)?.restricted_mean(horizon)?;
    over_resamples(runs, bootstrap, mean, |curve| curve.area(horizon))
}

fn over_resamples(
    runs: &[Reached],
    bootstrap: &Bootstrap,
    point: f64,
    statistic: impl Fn(&KaplanMeier) -> f64,
) -> Result<Interval, StatsError> {
    let mut draws = bootstrap.draws(0, runs.len())?;
    let mut resampled = runs.to_vec();
    let mut curve = KaplanMeier::of(runs)?;
    let intervals = bootstrap.replicate(&[point], |out| {
        resampled.iter_mut().for_each(|run| *run = runs[draws.next()]);
        curve.refit(&mut resampled);
        out.fill(statistic(&curve));
    })?;
    intervals.first().copied().ok_or(StatsError::Empty { what: "intervals" })
}
