//! Adadelta: steps in the parameters' own unit.

use super::recipes::coupled;
use super::table::{Make, Row};
use super::{Args, Chain, Context, GradientTransform, Place, Schedule, Slot, State};
use crate::Result;
use crate::kernels::vectorised;
use crate::words::{Param, Range};

/// See [`scale_by_adadelta`].
#[derive(Debug, Clone)]
pub struct ScaleByAdadelta {
    rho: Schedule,
    eps: Schedule,
    square: State,
    moved: State,
}

/// Multiplies a gradient by the ratio of two running root mean squares: of directions, and of gradients.
///
/// ```math
///   s ← ρ·s + (1 − ρ)·g²      u = √(a + ε) / √(s + ε)·g      a ← ρ·a + (1 − ρ)·u²
/// ```
///
/// Both start at 0, so ε decides how large the first steps are; it is added inside both roots. `a` is of directions
/// without the learning rate, as in PyTorch. The recipe `adadelta` decays before it, as `torch.optim.Adadelta`.
///
/// Zeiler 2012, algorithm 1, <https://arxiv.org/abs/1212.5701>.
#[must_use]
pub fn scale_by_adadelta(rho: impl Into<Schedule>, eps: impl Into<Schedule>) -> ScaleByAdadelta {
    ScaleByAdadelta { rho: rho.into(), eps: eps.into(), square: State::default(), moved: State::default() }
}

impl GradientTransform for ScaleByAdadelta {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let rho = self.rho.at(context.when);
        let [rho, rest, eps] = [rho, 1.0 - rho, self.eps.at(context.when)].map(|x| x as f32);
        let (square, moved) =
            (self.square.part(gradient.len(), context, 0.0), self.moved.part(gradient.len(), context, 0.0));
        vectorised(
            #[inline(always)]
            move || {
                for ((g, s), a) in gradient.iter_mut().zip(square).zip(moved) {
                    *s = rho * *s + rest * (*g * *g);
                    *g *= (*a + eps).sqrt() / (*s + eps).sqrt();
                    *a = rho * *a + rest * (*g * *g);
                }
            },
        );
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("rho", Slot::Schedule(&mut self.rho));
        visit("eps", Slot::Schedule(&mut self.eps));
        visit("square", self.square.slot());
        visit("moved", self.moved.slot());
    }
}

const RHO: Param = Param::number("rho", Range::Decay, "0.9", "decay of both running means of squares");
const EPS: Param = Param::number("eps", Range::Positive, "1e-6", "inside both roots; how large the first steps are");

fn direction(a: &Args<'_>) -> Result<Chain> {
    Ok(Chain::new().then(scale_by_adadelta(a.schedule("rho")?, a.schedule("eps")?)))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "adadelta",
        summary: "steps in the parameters' own unit",
        params: &[Param::lr("1"), RHO, EPS, Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| coupled(a, direction(a)?)),
    },
    Row {
        name: "scale_by_adadelta",
        summary: "adadelta's direction",
        params: &[RHO, EPS],
        make: Make::Link(Place::BeforeRate, direction),
    },
];
