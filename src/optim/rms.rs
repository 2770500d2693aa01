//! RMSprop's direction, and its recipe in three conventions.

use candle_core::Tensor;

use super::moments::over;
use super::table::{Make, Row};
use super::tensors::{self, mix};
use super::{
    Args, Chain, Context, GradientTransform, Place, Schedule, Slot, State, add_decayed_weights, scale_by_learning_rate,
    trace,
};
use super::{TensorContext, TensorState, TensorTransform};
use crate::Result;
use crate::kernels::vectorised;
use crate::words::{Param, Range};

/// See [`scale_by_rms`].
#[derive(Debug, Clone)]
pub struct ScaleByRms {
    alpha: Schedule,
    eps: Schedule,
    start: f32,
    eps_inside: bool,
    centered: bool,
    square: State,
    mean: State,
}

/// Divides a gradient by the root of a running mean of its squares.
///
/// ```math
///   v ← α·v + (1 − α)·g²                         centered: m ← α·m + (1 − α)·g, and v − m² for v below
///   torch: u = g / (√v + ε), v₀ = 0      tf: u = g / √(v + ε), v₀ = 1      optax: u = g / √(v + ε), v₀ = 0
/// ```
///
/// `v` is not bias-corrected. This is PyTorch's convention, ε outside the root; [`ScaleByRms::eps_inside`],
/// [`ScaleByRms::starting_at`] and [`ScaleByRms::centered`] make the others.
///
/// The recipe `rmsprop` decays before it. Its momentum is [`trace`], after the direction and before the learning rate in
/// the preset `torch` (`torch.optim.RMSprop`), after the learning rate in `tf` (TensorFlow 1, what A2C's authors used)
/// and `optax` (`optax.rmsprop`), which matters only where the learning rate changes.
///
/// Tieleman and Hinton 2012, lecture 6.5, <https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf>;
/// centered: Graves 2013, eqs. 38-45, <https://arxiv.org/abs/1308.0850>.
#[must_use]
pub fn scale_by_rms(alpha: impl Into<Schedule>, eps: impl Into<Schedule>) -> ScaleByRms {
    let (alpha, eps) = (alpha.into(), eps.into());
    let (square, mean) = (State::default(), State::default());
    ScaleByRms { alpha, eps, start: 0.0, eps_inside: false, centered: false, square, mean }
}

impl ScaleByRms {
    /// The same with ε inside the root.
    #[must_use]
    pub fn eps_inside(self) -> Self {
        Self { eps_inside: true, ..self }
    }

    /// The same with a running mean of squares that starts at this number.
    #[must_use]
    pub fn starting_at(self, square: f64) -> Self {
        Self { start: square as f32, ..self }
    }

    /// The same with the running variance in place of the running mean of squares.
    #[must_use]
    pub fn centered(self) -> Self {
        Self { centered: true, ..self }
    }
}

impl GradientTransform for ScaleByRms {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let alpha = self.alpha.at(context.when);
        let [alpha, rest, eps] = [alpha, 1.0 - alpha, self.eps.at(context.when)].map(|x| x as f32);
        let (inside, outside) = if self.eps_inside { (eps, 0.0) } else { (0.0, eps) };
        let square = self.square.part(gradient.len(), context, self.start);
        if self.centered {
            let mean = self.mean.part(gradient.len(), context, 0.0);
            vectorised(
                #[inline(always)]
                move || {
                    for ((g, v), m) in gradient.iter_mut().zip(square).zip(mean) {
                        *v = alpha * *v + rest * (*g * *g);
                        *m = alpha * *m + rest * *g;
                        // Rounding may leave less than nothing of the variance of a gradient that never changes.
                        *g = over(*g, ((*v - *m * *m).max(0.0) + inside).sqrt() + outside);
                    }
                },
            );
        } else {
            vectorised(
                #[inline(always)]
                move || {
                    for (g, v) in gradient.iter_mut().zip(square) {
                        *v = alpha * *v + rest * (*g * *g);
                        *g = over(*g, (*v + inside).sqrt() + outside);
                    }
                },
            );
        }
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("alpha", Slot::Schedule(&mut self.alpha));
        visit("eps", Slot::Schedule(&mut self.eps));
        visit("square", self.square.slot());
        if self.centered {
            visit("mean", self.mean.slot());
        }
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ScaleByRms {
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor> {
        let (alpha, eps) = (self.alpha.at(context.when), self.eps.at(context.when));
        let (inside, outside) = if self.eps_inside { (eps, 0.0) } else { (0.0, eps) };
        let square = state.take(gradient.elem_count(), self.start)?;
        let square = mix(alpha, &square, 1.0 - alpha, &gradient.sqr()?)?;
        state.put(square.clone());
        let squares = match self.centered {
            true => {
                let mean = mix(alpha, &state.take(gradient.elem_count(), 0.0)?, 1.0 - alpha, gradient)?;
                state.put(mean.clone());
                (square - mean.sqr()?)?.relu()?
            }
            false => square,
        };
        let root = squares.affine(1.0, inside)?.sqrt()?.affine(1.0, outside)?;
        Ok(tensors::over(gradient, &root, eps as f32 > 0.0)?)
    }
}

const PRESET: Param =
    Param::word("preset", &["torch", "tf", "optax"], "torch", "where eps stands and what starts at 1");
const ALPHA: Param = Param::number("alpha", Range::Decay, "0.99", "decay of the running mean of squares");
const CENTERED: Param = Param::flag("centered", "false", "whether to divide by the deviation from the running mean");
const MOMENTUM: Param = Param::number("momentum", Range::Decay, "0", "decay of the sum of directions");

fn direction(a: &Args<'_>) -> Result<ScaleByRms> {
    let plain = scale_by_rms(a.schedule("alpha")?, a.schedule("eps")?);
    let rms = match a.word("preset")? {
        "tf" => plain.eps_inside().starting_at(1.0),
        "optax" => plain.eps_inside(),
        _ => plain,
    };
    Ok(if a.flag("centered")? { rms.centered() } else { rms })
}

fn rmsprop(a: &Args<'_>) -> Result<Chain> {
    let chain = Chain::new().then(add_decayed_weights(a.schedule("weight_decay")?)).then(direction(a)?);
    let lr = scale_by_learning_rate(a.schedule("lr")?);
    Ok(match (a.schedule("momentum")?, a.word("preset")?) {
        (Schedule::Constant(0.0), _) => chain.then(lr),
        (momentum, "torch") => chain.then(trace(momentum)).then(lr),
        (momentum, _) => chain.then(lr).then(trace(momentum)),
    })
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "rmsprop",
        summary: "gradient over its running root mean square",
        params: &[Param::lr("7e-4"), PRESET, ALPHA, Param::EPS, CENTERED, MOMENTUM, Param::WEIGHT_DECAY],
        make: Make::Recipe(rmsprop),
    },
    Row {
        name: "scale_by_rms",
        summary: "rmsprop's direction",
        params: &[PRESET, ALPHA, Param::EPS, CENTERED],
        make: Make::Link(Place::BeforeRate, |a| Ok(Chain::new().then(direction(a)?))),
    },
];
