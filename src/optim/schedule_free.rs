//! Schedule-free learning: an average in place of a falling learning rate.

use super::table::{Make, Row};
use super::{Args, Chain, Place, add_decayed_weights, scale_by_adam};
use super::{Context, GradientTransform, Schedule, Slot, Span, State, When};
use crate::kernels::vectorised;
use crate::words::{Kind, Param, Range};
use crate::{Layout, Result};

/// See [`schedule_free`].
#[derive(Debug, Clone)]
pub struct ScheduleFree {
    lr: Schedule,
    beta1: f64,
    warmup_steps: u64,
    z: State,
    steps: u64,
    largest: f64,
    weights: f64,
}

/// Steps with gradients taken between a fast point z and the average x of all its places: x needs no schedule.
///
/// ```math
///   γ = lr·min(1, t/warmup_steps)      w = (largest γ so far)²      c = w / Σw
///   y ← (1 − c)·y + c·z + γ·(β₁·(1 − c) − 1)·u           z ← z − γ·u
///   where   y = (1 − β₁)·z + β₁·x,       x ← (1 − c)·x + c·z
/// ```
///
/// `u` is the direction that the links before it leave, at the trained parameters, which are y; a finished policy has x.
/// All start at one point. It ends a chain, in the place of
/// [`scale_by_learning_rate`](super::scale_by_learning_rate), and brings its own momentum: the links before it should
/// have none. `beta1` lies above 0 and up to 1.
///
/// Defazio et al. 2024, algorithm 1, <https://arxiv.org/abs/2405.15682>; warm-up and weights as in the authors'
/// `schedulefree` with r = 0 and a power of 2.
#[must_use]
pub fn schedule_free(lr: impl Into<Schedule>, beta1: f64, warmup_steps: u64) -> ScheduleFree {
    ScheduleFree { lr: lr.into(), beta1, warmup_steps, z: State::default(), steps: 0, largest: 0.0, weights: 0.0 }
}

impl ScheduleFree {
    /// The learning rate of step `t`, counted from 1.
    fn lr(&self, t: u64, when: When) -> f64 {
        let warm = if t < self.warmup_steps { t as f64 / self.warmup_steps as f64 } else { 1.0 };
        self.lr.at(when) * warm
    }
}

impl GradientTransform for ScheduleFree {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        context.check(gradient)?;
        let begins = self.steps == 0;
        self.steps += 1;
        let lr = self.lr(self.steps, context.when) * context.lr_factor;
        self.largest = self.largest.max(lr);
        let weight = self.largest * self.largest;
        self.weights += weight;
        let c = if self.weights > 0.0 { weight / self.weights } else { 0.0 };
        let z = self.z.of(gradient.len());
        if begins {
            z.copy_from_slice(context.theta);
        }
        let [c, gain, lr] = [c, lr * (self.beta1 * (1.0 - c) - 1.0), lr].map(|x| x as f32);
        vectorised(
            #[inline(always)]
            move || {
                for ((u, y), z) in gradient.iter_mut().zip(context.theta).zip(z) {
                    let direction = *u;
                    *u = c * (*z - y) + gain * direction;
                    *z -= lr * direction;
                }
            },
        );
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("lr", Slot::Schedule(&mut self.lr));
        visit("z", self.z.slot());
        visit("steps", Slot::Count(&mut self.steps));
        visit("largest", Slot::Scalar(&mut self.largest));
        visit("weights", Slot::Scalar(&mut self.weights));
    }

    fn learning_rate(&self, when: When) -> Option<f64> {
        Some(self.lr(self.steps.max(1), when))
    }

    fn spans(&self, show: &mut dyn FnMut(&'static str, Span)) {
        if self.warmup_steps > 0 {
            show("warmup_steps of schedule_free", Span::Steps(self.warmup_steps));
        }
    }

    fn averages(&self) -> bool {
        true
    }

    fn evaluation(&self, theta: &[f32], _: &Layout) -> Result<Option<Vec<f32>>> {
        let share = (1.0 - 1.0 / self.beta1) as f32;
        Ok(self.z.beside(theta)?.map(|z| z.iter().zip(theta).map(|(z, y)| y + share * (z - y)).collect()))
    }
}

const BETA1: Param = Param {
    name: "beta1",
    kind: Kind::Fixed(Range::PositiveShare),
    default: "0.9",
    meaning: "share of the average in the point at which gradients are taken",
};
const WARMUP: Param = Param::steps("warmup_steps", 0, "0", "steps over which the learning rate rises");

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "schedule_free_sgd",
        summary: "sgd with an average in place of a schedule",
        params: &[Param::steady_lr("1"), BETA1, WARMUP, Param::WEIGHT_DECAY],
        make: Make::Ending(|a| last(a, Chain::new().then(add_decayed_weights(a.schedule("weight_decay")?)))),
    },
    Row {
        name: "schedule_free_adamw",
        summary: "adamw with an average in place of a schedule",
        params: &[Param::steady_lr("2.5e-3"), BETA1, Param::BETA2, Param::EPS, WARMUP, Param::WEIGHT_DECAY],
        make: Make::Ending(|a| {
            // The average is the momentum: Adam's own is off.
            let scaled = Chain::new().then(scale_by_adam(0.0, a.schedule("beta2")?, a.schedule("eps")?));
            last(a, scaled.then(add_decayed_weights(a.schedule("weight_decay")?)))
        }),
    },
    Row {
        name: "schedule_free",
        summary: "schedule_free_sgd's direction and learning rate, with an average in place of a schedule",
        params: &[Param::steady_lr("1"), BETA1, WARMUP],
        make: Make::Link(Place::End, |a| last(a, Chain::new())),
    },
];

fn last(a: &Args<'_>, chain: Chain) -> Result<Chain> {
    Ok(chain.then(schedule_free(a.schedule("lr")?, a.number("beta1")?, a.count("warmup_steps")?)))
}
