//! Adagrad: gradients over the root of the sum of their squares.

use super::moments::over;
use super::recipes::coupled;
use super::table::{Make, Row};
use super::{Args, Chain, Context, GradientTransform, Place, Schedule, Slot, State};
use crate::Result;
use crate::kernels::vectorised;
use crate::words::{Kind, Param, Range};

/// See [`scale_by_adagrad`].
#[derive(Debug, Clone)]
pub struct ScaleByAdagrad {
    lr_decay: Schedule,
    initial_accumulator: f64,
    eps: Schedule,
    sum: State,
    steps: u64,
}

/// Divides a gradient by the root of the sum of all squares so far.
///
/// ```math
///   s ← s + g²      u = g / (√s + ε) / (1 + (t − 1)·lr_decay)
/// ```
///
/// `s` starts at `initial_accumulator`; ε is added outside the root, as in PyTorch (optax's form has it inside). The
/// recipe `adagrad` decays before it, as `torch.optim.Adagrad`.
///
/// Duchi et al. 2011, figure 1, diagonal, <https://jmlr.org/papers/v12/duchi11a.html>.
#[must_use]
pub fn scale_by_adagrad(
    lr_decay: impl Into<Schedule>,
    initial_accumulator: f64,
    eps: impl Into<Schedule>,
) -> ScaleByAdagrad {
    let (lr_decay, eps) = (lr_decay.into(), eps.into());
    ScaleByAdagrad { lr_decay, initial_accumulator, eps, sum: State::default(), steps: 0 }
}

impl GradientTransform for ScaleByAdagrad {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.steps += u64::from(context.begins());
        let factor = 1.0 / (1.0 + (self.steps - 1) as f64 * self.lr_decay.at(context.when));
        let [factor, eps] = [factor, self.eps.at(context.when)].map(|x| x as f32);
        let sum = self.sum.part(gradient.len(), context, self.initial_accumulator as f32);
        vectorised(
            #[inline(always)]
            move || {
                for (g, s) in gradient.iter_mut().zip(sum) {
                    *s += *g * *g;
                    *g = over(*g, s.sqrt() + eps) * factor;
                }
            },
        );
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("lr_decay", Slot::Schedule(&mut self.lr_decay));
        visit("eps", Slot::Schedule(&mut self.eps));
        visit("sum", self.sum.slot());
        visit("steps", Slot::Count(&mut self.steps));
    }
}

const LR_DECAY: Param = Param::number("lr_decay", Range::NotNegative, "0", "how fast steps shrink with their number");
const INITIAL: Param = Param {
    name: "initial_accumulator",
    kind: Kind::Fixed(Range::NotNegative),
    default: "0",
    meaning: "where the sum of squares starts",
};

fn direction(a: &Args<'_>) -> Result<Chain> {
    let initial = a.number("initial_accumulator")?;
    Ok(Chain::new().then(scale_by_adagrad(a.schedule("lr_decay")?, initial, a.schedule("eps")?)))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "adagrad",
        summary: "gradient over the root of the sum of its squares",
        params: &[Param::lr("1e-2"), LR_DECAY, Param::WEIGHT_DECAY, INITIAL, Param::eps("1e-10")],
        make: Make::Recipe(|a| coupled(a, direction(a)?)),
    },
    Row {
        name: "scale_by_adagrad",
        summary: "adagrad's direction",
        params: &[LR_DECAY, INITIAL, Param::eps("1e-10")],
        make: Make::Link(Place::BeforeRate, direction),
    },
];
