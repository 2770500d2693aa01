//! Nesterov's momentum as Sutskever wrote it.

use candle_core::Tensor;

use super::table::{Make, Row};
use super::tensors::mix;
use super::{Chain, Context, GradientTransform, Schedule, Slot, State, When};
use super::{TensorContext, TensorState, TensorTransform};
use crate::Result;
use crate::kernels::vectorised;
use crate::words::{Param, Range};

/// See [`nesterov_sutskever`].
#[derive(Debug, Clone)]
pub struct NesterovSutskever {
    lr: Schedule,
    momentum: Schedule,
    velocity: State,
}

/// A whole optimizer: Nesterov's momentum with the gradient where the momentum would carry the parameters.
///
/// ```math
///   v ← μ·v − lr·g(φ)      u = μ·v − μ·v_old + v,   the step of φ = θ + μ·v
/// ```
///
/// What is trained is φ, the point at which the gradient is taken; `v` starts at 0, so that φ starts at θ. The learning
/// rate is inside the velocity, where PyTorch's form ([`Trace::nesterov`](super::Trace::nesterov)) has it outside: the
/// two differ only where it changes.
///
/// Sutskever et al. 2013, eqs. 3 and 4, <https://proceedings.mlr.press/v28/sutskever13.html>.
#[must_use]
pub fn nesterov_sutskever(lr: impl Into<Schedule>, momentum: impl Into<Schedule>) -> NesterovSutskever {
    NesterovSutskever { lr: lr.into(), momentum: momentum.into(), velocity: State::default() }
}

impl GradientTransform for NesterovSutskever {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let [lr, momentum] = [context.learning_rate(&self.lr), self.momentum.at(context.when)].map(|x| x as f32);
        let velocity = self.velocity.part(gradient.len(), context, 0.0);
        vectorised(
            #[inline(always)]
            move || {
                for (g, v) in gradient.iter_mut().zip(velocity) {
                    let old = *v;
                    *v = momentum * old - lr * *g;
                    *g = momentum * (*v - old) + *v;
                }
            },
        );
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("lr", Slot::Schedule(&mut self.lr));
        visit("momentum", Slot::Schedule(&mut self.momentum));
        visit("velocity", self.velocity.slot());
    }

    fn learning_rate(&self, when: When) -> Option<f64> {
        Some(self.lr.at(when))
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for NesterovSutskever {
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor> {
        let [lr, momentum] = [context.learning_rate(&self.lr), self.momentum.at(context.when)];
        let old = state.take(gradient.elem_count(), 0.0)?;
        let new = mix(momentum, &old, -lr, gradient)?;
        state.put(new.clone());
        Ok(((&new - old)?.affine(momentum, 0.0)? + new)?)
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "nesterov_sutskever",
    summary: "momentum with Nesterov's correction, Sutskever's form",
    params: &[Param::lr("0.01"), Param::number("momentum", Range::Decay, "0.9", "decay of the velocity")],
    make: Make::Recipe(|a| Ok(Chain::new().then(nesterov_sutskever(a.schedule("lr")?, a.schedule("momentum")?)))),
}];
