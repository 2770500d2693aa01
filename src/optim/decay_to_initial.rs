//! Decay towards where the parameters began.

use super::table::{Make, Param, Row};
use super::{Chain, Context, GradientTransform, Schedule, Slot, State};
use crate::Result;
use crate::kernels::vectorised;

/// See [`decay_to_initial`].
#[derive(Debug, Clone)]
pub struct DecayToInitial {
    weight_decay: Schedule,
    initial: State,
}

/// `u ← u + weight_decay·(theta − theta₀)`, theta₀ the parameters before the first step.
///
/// Before a direction it is L2 regularisation towards them; between the direction and the learning rate it is
/// decoupled. It keeps a network able to learn where decay towards 0 would shrink it.
///
/// Kumar et al. 2023, eq. 2, <https://arxiv.org/abs/2308.11958>.
#[must_use]
pub fn decay_to_initial(weight_decay: impl Into<Schedule>) -> DecayToInitial {
    DecayToInitial { weight_decay: weight_decay.into(), initial: State::default() }
}

impl GradientTransform for DecayToInitial {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let decay = self.weight_decay.at(context.when) as f32;
        let begun = self.initial.begun().is_some();
        let initial = self.initial.of(gradient.len());
        if !begun {
            initial.copy_from_slice(context.theta);
        }
        vectorised(
            #[inline(always)]
            move || {
                for ((g, theta), initial) in gradient.iter_mut().zip(context.theta).zip(initial) {
                    *g += decay * (theta - *initial);
                }
            },
        );
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("weight_decay", Slot::Schedule(&mut self.weight_decay));
        visit("initial", self.initial.slot());
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "decay_to_initial",
    summary: "decay towards the parameters before the first step",
    params: &[Param::weight_decay("")],
    make: Make::Link(|a| Ok(Chain::new().then(decay_to_initial(a.schedule("weight_decay")?)))),
}];
