//! A number that falls when learning stands still.

/// A number that is multiplied by a factor whenever a metric has stood still for a share of training.
///
/// ```math
///   metric > best + threshold, or metric < best − max(threshold, fall·(highest − lowest)):
///                                best ← metric, since ← p
///   p − since > patience:        value ← max(factor·value, min), since ← p + cooldown
/// ```
///
/// `p` is the share of training that is done, from 0 to 1, so that patience is the same over a short run and a long one,
/// and whether an update learns from 40 steps or from 4,000. Highest and lowest are of the metric so far: a return that
/// has fallen by a tenth of its range does not stand still, and is measured from where it fell to; less is noise. Where a run
/// that has ended is trained for longer, `p` falls, and patience begins anew.
///
/// With a fall of 1, which never comes to pass, these are the rules of `torch.optim.lr_scheduler.ReduceLROnPlateau` with
/// `mode="max"` and `threshold_mode="abs"`, which counts observations: a relative threshold would mean the wrong thing
/// for negative returns. The metric is what [`Optimizer::observe`](crate::optim::Optimizer::observe) is told; a trainer tells the
/// mean return of the last 100 episodes after each update, from the first 100 that count on: that of fewer is good by
/// luck, and would stay the best.
#[derive(Debug, Clone, PartialEq)]
pub struct Plateau {
    start: f64,
    factor: f64,
    patience: f64,
    threshold: f64,
    fall: f64,
    cooldown: f64,
    min: f64,
    value: f64,
    best: f64,
    since: f64,
    /// Where it was told of the metric last.
    at: f64,
    lowest: f64,
    highest: f64,
}

impl Plateau {
    /// From `start` on, times `factor` after more than this share of training without a rise or a fall.
    #[must_use]
    pub fn new(start: f64, factor: f64, patience: f64) -> Self {
        Self {
            start,
            factor,
            patience,
            threshold: 1e-4,
            fall: 0.1,
            cooldown: 0.0,
            min: 0.0,
            value: start,
            best: f64::NEG_INFINITY,
            since: 0.0,
            at: 0.0,
            lowest: f64::INFINITY,
            highest: f64::NEG_INFINITY,
        }
    }

    /// The same where a rise must be larger than this, in the metric's unit, to count.
    #[must_use]
    pub fn threshold(self, threshold: f64) -> Self {
        Self { threshold, ..self }
    }

    /// The same where a fall must be larger than this share of the metric's range so far to count; 1 never does.
    #[must_use]
    pub fn fall(self, fall: f64) -> Self {
        Self { fall, ..self }
    }

    /// The same where this share of training after a change does not count.
    #[must_use]
    pub fn cooldown(self, cooldown: f64) -> Self {
        Self { cooldown, ..self }
    }

    /// The same where the number does not fall below this.
    #[must_use]
    pub fn min(self, min: f64) -> Self {
        Self { min, ..self }
    }

    /// The number now.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Takes the metric's next value, at some share of training. NaN is neither rise nor fall.
    pub fn observe(&mut self, metric: f64, progress: f64) {
        // Where progress fell, as where a finished run is trained on: no time before it counts.
        if progress < self.at {
            self.since = progress;
        }
        self.at = progress;
        (self.lowest, self.highest) = (self.lowest.min(metric), self.highest.max(metric));
        let fall = (self.fall * (self.highest - self.lowest)).max(self.threshold);
        if metric > self.best + self.threshold || metric < self.best - fall {
            (self.best, self.since) = (metric, self.since.max(progress));
        } else if progress - self.since > self.patience + ROUNDING {
            self.value = (self.value * self.factor).max(self.min.min(self.value));
            self.since = progress + self.cooldown;
        }
    }

    /// The same, times a factor.
    pub(super) fn times(self, factor: f64) -> Self {
        Self { start: factor * self.start, min: factor * self.min, value: factor * self.value, ..self }
    }

    pub(super) fn extremes(&self) -> [f64; 2] {
        [self.start, self.min.min(self.start)]
    }

    pub(super) fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, &'a mut f64)) {
        visit("value", &mut self.value);
        visit("best", &mut self.best);
        visit("since", &mut self.since);
        visit("at", &mut self.at);
        visit("lowest", &mut self.lowest);
        visit("highest", &mut self.highest);
    }
}

/// So that a patience of three hundredths is not over after three of them.
const ROUNDING: f64 = 1e-9;
