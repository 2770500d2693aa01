//! Momentum: PyTorch's sum of gradients, with Nesterov's correction or without.

use candle_core::Tensor;

use super::recipes::coupled;
use super::table::{Make, Row};
use super::tensors::mix;
use super::{Args, Chain, Context, GradientTransform, Place, Schedule, Slot, State};
use super::{TensorContext, TensorState, TensorTransform};
use crate::Result;
use crate::kernels::vectorised;
use crate::words::{Param, Range};

/// See [`trace`].
#[derive(Debug, Clone)]
pub struct Trace {
    momentum: Schedule,
    dampening: Schedule,
    nesterov: bool,
    velocity: State,
    steps: u64,
}

/// A decaying sum of gradients: the heavy ball.
///
/// ```math
///   v ← μ·v + (1 − dampening)·g            u = v            Nesterov's: u = g + μ·v
/// ```
///
/// `v` begins as the first gradient, undamped, as in PyTorch's `SGD`; the learning rate is outside of it. No dampening:
/// the recipes `momentum` and `nesterov` are then `torch.optim.SGD(momentum=μ, nesterov=…)`.
///
/// Polyak 1964, eq. 9, <https://doi.org/10.1016/0041-5553(64)90137-5>; Nesterov's in this form: Bengio et al. 2013,
/// section 3.5, <https://arxiv.org/abs/1212.0901>.
#[must_use]
pub fn trace(momentum: impl Into<Schedule>) -> Trace {
    Trace { momentum: momentum.into(), dampening: 0.0.into(), nesterov: false, velocity: State::default(), steps: 0 }
}

impl Trace {
    /// The same with gradients that enter with weight `1 − dampening`, but for the first.
    #[must_use]
    pub fn dampening(self, dampening: impl Into<Schedule>) -> Self {
        Self { dampening: dampening.into(), ..self }
    }

    /// The same with Nesterov's correction.
    #[must_use]
    pub fn nesterov(self) -> Self {
        Self { nesterov: true, ..self }
    }
}

impl GradientTransform for Trace {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.steps += u64::from(context.begins());
        let weight = if self.steps > 1 { 1.0 - self.dampening.at(context.when) } else { 1.0 };
        let [momentum, weight] = [self.momentum.at(context.when), weight].map(|x| x as f32);
        // u = own·g + ahead·v
        let (own, ahead) = if self.nesterov { (1.0, momentum) } else { (0.0, 1.0) };
        let velocity = self.velocity.part(gradient.len(), context, 0.0);
        vectorised(
            #[inline(always)]
            move || {
                for (g, v) in gradient.iter_mut().zip(velocity) {
                    *v = momentum * *v + weight * *g;
                    *g = own * *g + ahead * *v;
                }
            },
        );
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("momentum", Slot::Schedule(&mut self.momentum));
        visit("dampening", Slot::Schedule(&mut self.dampening));
        visit("velocity", self.velocity.slot());
        visit("steps", Slot::Count(&mut self.steps));
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for Trace {
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor> {
        self.steps += 1;
        let weight = if self.steps > 1 { 1.0 - self.dampening.at(context.when) } else { 1.0 };
        let momentum = self.momentum.at(context.when);
        let velocity = mix(momentum, &state.take(gradient.elem_count(), 0.0)?, weight, gradient)?;
        state.put(velocity.clone());
        Ok(if self.nesterov { (gradient + velocity.affine(momentum, 0.0)?)? } else { velocity })
    }
}

const MOMENTUM: Param = Param::number("momentum", Range::Decay, "0.9", "decay of the sum of gradients");
const DAMPENING: Param =
    Param::number("dampening", Range::Share, "0", "what of each gradient but the first is left out");
const NESTEROV: Param = Param::flag("nesterov", "false", "whether to correct as Nesterov's method does");

fn heavy_ball(a: &Args<'_>) -> Result<Trace> {
    Ok(trace(a.schedule("momentum")?).dampening(a.schedule("dampening")?))
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "momentum",
        summary: "gradient descent with a heavy ball",
        params: &[Param::lr("0.01"), MOMENTUM, DAMPENING, Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| coupled(a, Chain::new().then(heavy_ball(a)?))),
    },
    Row {
        name: "nesterov",
        summary: "momentum with Nesterov's correction, PyTorch's form",
        params: &[Param::lr("0.01"), MOMENTUM, Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| coupled(a, Chain::new().then(trace(a.schedule("momentum")?).nesterov()))),
    },
    Row {
        name: "trace",
        summary: "momentum's direction",
        params: &[MOMENTUM, DAMPENING, NESTEROV],
        make: Make::Link(Place::Anywhere, |a| {
            let trace = heavy_ball(a)?;
            Ok(Chain::new().then(if a.flag("nesterov")? { trace.nesterov() } else { trace }))
        }),
    },
];
