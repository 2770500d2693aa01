//! Numbers that change over training, and when in training they are asked for.

use std::f64::consts::PI;

mod plateau;

pub use plateau::Plateau;

/// When in training something happens.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct When {
    /// The share of training that is done, from 0 to 1: what schedules go by.
    pub progress: f64,
    /// Number of the rollout that is learnt from, counted from 1. Several steps may learn from the same one.
    pub update: u64,
}

/// A number as a function of [`When::progress`], the share `p` of training that is done, from 0 to 1.
///
/// Steps are not counted: a schedule is the same curve over a short run and a long one. A number is a schedule too:
/// wherever one is asked for, `0.9.into()` will do.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// The same all along.
    Constant(f64),
    /// `start + (end − start)·p`.
    Linear {
        /// Its value at progress 0.
        start: f64,
        /// Its value at progress 1.
        end: f64,
    },
    /// `end + (start − end)·(1 + cos πp)/2`. Loshchilov and Hutter 2017, eq. 5, without restarts,
    /// <https://arxiv.org/abs/1608.03983>.
    Cosine {
        /// Its value at progress 0.
        start: f64,
        /// Its value at progress 1.
        end: f64,
    },
    /// `start·(end / start)ᵖ`: the same factor over every stretch of the same length.
    Exponential {
        /// Its value at progress 0, above 0.
        start: f64,
        /// Its value at progress 1, above 0.
        end: f64,
    },
    /// `end + (start − end)·(1 − p)^power`.
    Polynomial {
        /// Its value at progress 0.
        start: f64,
        /// Its value at progress 1.
        end: f64,
        /// 1 is a straight line; above it, fast at first.
        power: f64,
    },
    /// `start·factor^⌊p / every⌋`.
    Step {
        /// Its value at progress 0.
        start: f64,
        /// What it is multiplied by.
        factor: f64,
        /// The share of training between two falls.
        every: f64,
    },
    /// The first number, then each point's from its progress on.
    Piecewise {
        /// Its value at progress 0.
        start: f64,
        /// Progress and value, in ascending order.
        points: Vec<(f64, f64)>,
    },
    /// In a straight line from 0 to what another begins with, over the first `share` of training; then all of the other
    /// over the rest. Goyal et al. 2017, section 2.2, <https://arxiv.org/abs/1706.02677>.
    Warmup {
        /// The share of training.
        share: f64,
        /// What follows.
        then: Box<Schedule>,
    },
    /// Up by half a cosine from `peak / div` over the first `share`, then down by half a cosine to
    /// `peak / (div·final_div)`. Smith and Topin 2018, <https://arxiv.org/abs/1708.07120>, in optax's form
    /// (`cosine_onecycle_schedule`); PyTorch's `OneCycleLR` reaches the peak a step earlier.
    OneCycle {
        /// Its largest value.
        peak: f64,
        /// The share of training over which it rises.
        share: f64,
        /// `peak` over its first value.
        div: f64,
        /// Its first value over its last.
        final_div: f64,
    },
    /// Warm-up, stable, decay: a straight line up from 0, `peak`, a straight line down to `end`. Hu et al. 2024,
    /// section 4.2, <https://arxiv.org/abs/2404.06395>.
    WarmupStableDecay {
        /// Its largest value.
        peak: f64,
        /// The share of training over which it rises.
        warmup: f64,
        /// The share of training over which it falls, up to the end.
        decay: f64,
        /// Its value at progress 1.
        end: f64,
    },
    /// Lowered whenever a metric has not improved for long.
    Plateau(Plateau),
}

impl Schedule {
    /// The value at some time; progress is clamped to `[0, 1]`.
    #[must_use]
    pub fn at(&self, when: When) -> f64 {
        let p = when.progress.clamp(0.0, 1.0);
        match self {
            Schedule::Constant(value) => *value,
            Schedule::Linear { start, end } => line(*start, *end, p),
            Schedule::Cosine { start, end } => half_cosine(*start, *end, p),
            Schedule::Exponential { start, end } => start * (end / start).powf(p),
            Schedule::Polynomial { start, end, power } => end + (start - end) * (1.0 - p).powf(*power),
            Schedule::Step { start, factor, every } => {
                // A hair more than p, so that rounding does not put a change off by a step.
                start * factor.powf((p / every + 1e-9).floor())
            }
            Schedule::Piecewise { start, points } => {
                points.iter().take_while(|(from, _)| *from <= p).last().map_or(*start, |(_, value)| *value)
            }
            Schedule::Warmup { share, then } if p < *share => {
                line(0.0, then.at(When { progress: 0.0, ..when }), p / share)
            }
            Schedule::Warmup { share, then } => then.at(When { progress: part(p, *share, 1.0), ..when }),
            Schedule::OneCycle { peak, share, div, .. } if p < *share => half_cosine(peak / div, *peak, p / share),
            Schedule::OneCycle { peak, share, div, final_div } => {
                half_cosine(*peak, peak / (div * final_div), part(p, *share, 1.0))
            }
            Schedule::WarmupStableDecay { peak, warmup, .. } if p < *warmup => line(0.0, *peak, p / warmup),
            Schedule::WarmupStableDecay { peak, decay, end, .. } if p > 1.0 - decay => {
                line(*peak, *end, part(p, 1.0 - decay, 1.0))
            }
            Schedule::WarmupStableDecay { peak, .. } => *peak,
            Schedule::Plateau(plateau) => plateau.value(),
        }
    }

    /// Numbers between which its values always lie; for checks of range.
    pub(crate) fn extremes(&self) -> Vec<f64> {
        match self {
            Schedule::Constant(value) => vec![*value],
            Schedule::Linear { start, end }
            | Schedule::Cosine { start, end }
            | Schedule::Exponential { start, end }
            | Schedule::Polynomial { start, end, .. } => vec![*start, *end],
            Schedule::Step { start, .. } => vec![*start, self.at(When { progress: 1.0, update: 0 })],
            Schedule::Piecewise { start, points } => points.iter().map(|(_, value)| *value).chain([*start]).collect(),
            Schedule::Warmup { then, .. } => then.extremes().into_iter().chain([0.0]).collect(),
            Schedule::OneCycle { peak, div, final_div, .. } => vec![*peak, peak / div, peak / (div * final_div)],
            Schedule::WarmupStableDecay { peak, end, .. } => vec![0.0, *peak, *end],
            Schedule::Plateau(plateau) => plateau.extremes().to_vec(),
        }
    }

    /// Whether it goes by a metric.
    #[must_use]
    pub(crate) fn observes(&self) -> bool {
        match self {
            Schedule::Plateau(_) => true,
            Schedule::Warmup { then, .. } => then.observes(),
            _ => false,
        }
    }

    /// The same, times a factor that is not negative.
    #[must_use]
    pub(crate) fn times(self, factor: f64) -> Self {
        match self {
            Schedule::Constant(value) => Schedule::Constant(factor * value),
            Schedule::Linear { start, end } => Schedule::Linear { start: factor * start, end: factor * end },
            Schedule::Cosine { start, end } => Schedule::Cosine { start: factor * start, end: factor * end },
            Schedule::Exponential { start, end } => Schedule::Exponential { start: factor * start, end: factor * end },
            Schedule::Polynomial { start, end, power } => {
                Schedule::Polynomial { start: factor * start, end: factor * end, power }
            }
            Schedule::Step { start, factor: fall, every } => {
                Schedule::Step { start: factor * start, factor: fall, every }
            }
            Schedule::Piecewise { start, points } => {
                let points = points.into_iter().map(|(from, value)| (from, factor * value)).collect();
                Schedule::Piecewise { start: factor * start, points }
            }
            Schedule::Warmup { share, then } => Schedule::Warmup { share, then: Box::new(then.times(factor)) },
            Schedule::OneCycle { peak, share, div, final_div } => {
                Schedule::OneCycle { peak: factor * peak, share, div, final_div }
            }
            Schedule::WarmupStableDecay { peak, warmup, decay, end } => {
                Schedule::WarmupStableDecay { peak: factor * peak, warmup, decay, end: factor * end }
            }
            Schedule::Plateau(plateau) => Schedule::Plateau(plateau.times(factor)),
        }
    }

    /// Tells it the latest value of the metric that it goes by, if it goes by one. More is better.
    pub fn observe(&mut self, metric: f64, when: When) {
        match self {
            Schedule::Plateau(plateau) => plateau.observe(metric, when.progress),
            Schedule::Warmup { then, .. } => then.observe(metric, when),
            _ => {}
        }
    }

    /// Shows what it remembers of metrics, if it goes by them.
    pub fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, &'a mut f64)) {
        match self {
            Schedule::Plateau(plateau) => plateau.state(visit),
            Schedule::Warmup { then, .. } => then.state(visit),
            _ => {}
        }
    }
}

impl From<f64> for Schedule {
    fn from(value: f64) -> Self {
        Schedule::Constant(value)
    }
}

fn line(start: f64, end: f64, p: f64) -> f64 {
    start + (end - start) * p
}

fn half_cosine(start: f64, end: f64, p: f64) -> f64 {
    end + (start - end) * 0.5 * (1.0 + (PI * p).cos())
}

/// How far `p` has come from `from` to `to`; all the way where they are one.
fn part(p: f64, from: f64, to: f64) -> f64 {
    if to > from { (p - from) / (to - from) } else { 1.0 }
}
