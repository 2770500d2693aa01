//! Decay towards where the parameters began.

use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Place, Schedule, Slot, State};
use crate::Result;
use crate::kernels::vectorised;
use crate::words::Param;

/// See [`decay_to_initial`].
#[derive(Debug, Clone)]
pub struct DecayToInitial {
    weight_decay: Schedule,
    initial: State,
    steps: u64,
}

/// `u ← u + weight_decay·(theta − theta₀)`, theta₀ the parameters before the first step.
///
/// Before a direction it is L2 regularisation towards them; between the direction and the learning rate it is
/// decoupled. It keeps a network able to learn where decay towards 0 would shrink it.
///
/// Kumar et al. 2023, eq. 2, <https://arxiv.org/abs/2308.11958>.
#[must_use]
pub fn decay_to_initial(weight_decay: impl Into<Schedule>) -> DecayToInitial {
    DecayToInitial { weight_decay: weight_decay.into(), initial: State::default(), steps: 0 }
}

impl GradientTransform for DecayToInitial {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        context.check(gradient)?;
        let decay = self.weight_decay.at(context.when) as f32;
        self.steps += u64::from(context.begins());
        let begins = self.steps == 1;
        let initial = self.initial.part(gradient.len(), context, 0.0);
        if begins {
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

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn holds_parameters(&self) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("weight_decay", Slot::Schedule(&mut self.weight_decay));
        visit("initial", self.initial.slot());
        visit("steps", Slot::Count(&mut self.steps));
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "decay_to_initial",
    summary: "decay towards the parameters before the first step",
    params: &[Param::weight_decay("")],
    make: Make::Link(Place::BeforeRate, |a| Ok(Chain::new().then(decay_to_initial(a.schedule("weight_decay")?)))),
}];
