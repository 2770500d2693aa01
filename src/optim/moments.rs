//! What Adam and its kin share: two running means and their bias corrections.

use candle_core::Tensor;

use super::tensors::mix;
use super::{Context, GradientTransform, Schedule, Slot, State, When};
use super::{TensorContext, TensorState, TensorTransform};
use crate::Result;
use crate::kernels::vectorised;

/// `x / root`, where the root of squares that were always 0, or too small for f32, makes 0.
#[inline(always)]
pub(super) fn over(x: f32, root: f32) -> f32 {
    if root == 0.0 { 0.0 } else { x / root }
}

/// A direction that is made of two running means, and of nothing else that is kept:
/// [`scale_by_adam`](super::scale_by_adam) and those of its kin that differ in the equation alone.
#[derive(Debug, Clone)]
pub struct ScaleByMoments {
    moments: Moments,
    equation: fn(Step<'_>, &mut [f32]),
    on_tensors: Option<OnTensors>,
}

/// The direction of the gradient, `m` and `v`, of which the latter two have been moved on.
type OnTensors = fn(&Step<'_>, &Tensor, &Tensor) -> Result<Tensor>;

impl ScaleByMoments {
    /// The direction that an equation makes: it moves the means on and puts the direction in the gradient's place.
    pub(super) fn new(moments: Moments, equation: fn(Step<'_>, &mut [f32])) -> Self {
        Self { moments, equation, on_tensors: None }
    }

    /// The same with a form on tensors, for an equation that moves both means as Adam does: what it makes of them.
    pub(super) fn with_tensors(self, direction: OnTensors) -> Self {
        Self { on_tensors: Some(direction), ..self }
    }

    /// Counts steps from 1 again; the means go on.
    pub(super) fn restart(&mut self) {
        self.moments.steps = 0;
    }
}

impl GradientTransform for ScaleByMoments {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        (self.equation)(self.moments.step(gradient.len(), context), gradient);
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.moments.state(visit);
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        if self.on_tensors.is_some() { Some(self) } else { None }
    }
}

impl TensorTransform for ScaleByMoments {
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor> {
        let step = self.moments.begin(context.when);
        let [mean, square] = self.moments.on_tensors(&step, gradient, state)?;
        match self.on_tensors {
            Some(direction) => direction(&step, &mean, &square),
            None => Ok(gradient.clone()),
        }
    }
}

/// Running means `m` of gradients and `v` of their squares, with decays that may change, and the ε below the quotient.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    beta1: Schedule,
    beta2: Schedule,
    eps: Schedule,
    start: f32,
    mean: State,
    square: State,
    steps: u64,
}

/// The moments in one step.
pub(super) struct Step<'a> {
    /// Steps taken, this one too.
    pub(super) t: u64,
    pub(super) beta1: f64,
    pub(super) beta2: f64,
    pub(super) eps: f64,
    /// `m` of the step before, as long as the gradient.
    pub(super) mean: &'a mut [f32],
    /// `v` of the step before, as long as the gradient.
    pub(super) square: &'a mut [f32],
}

impl Moments {
    pub(super) fn new(beta1: impl Into<Schedule>, beta2: impl Into<Schedule>, eps: impl Into<Schedule>) -> Self {
        let (beta1, beta2, eps) = (beta1.into(), beta2.into(), eps.into());
        Self { beta1, beta2, eps, start: 0.0, mean: State::default(), square: State::default(), steps: 0 }
    }

    /// The same where both means begin with this number.
    pub(super) fn from(self, start: f64) -> Self {
        Self { start: start as f32, ..self }
    }

    /// Begins a step, or a part of one, over `len` parameters.
    pub(super) fn step(&mut self, len: usize, context: &Context<'_>) -> Step<'_> {
        self.steps += u64::from(context.begins());
        let numbers = self.numbers(context.when);
        Step {
            mean: self.mean.part(len, context, self.start),
            square: self.square.part(len, context, self.start),
            ..numbers
        }
    }

    /// Begins a step on tensors: one whose moments are elsewhere.
    pub(super) fn begin(&mut self, when: When) -> Step<'static> {
        self.steps += 1;
        self.numbers(when)
    }

    fn numbers(&self, when: When) -> Step<'static> {
        let [beta1, beta2, eps] = [&self.beta1, &self.beta2, &self.eps].map(|schedule| schedule.at(when));
        Step { t: self.steps, beta1, beta2, eps, mean: &mut [], square: &mut [] }
    }

    /// `m ← β₁·m + (1 − β₁)·g` and `v ← β₂·v + (1 − β₂)·g²` on tensors.
    pub(super) fn on_tensors(
        &self,
        step: &Step<'_>,
        gradient: &Tensor,
        state: &mut TensorState,
    ) -> Result<[Tensor; 2]> {
        let mut next = |beta: f64, x: &Tensor| -> Result<Tensor> {
            let mean = mix(beta, &state.take(x.elem_count(), self.start)?, 1.0 - beta, x)?;
            state.put(mean.clone());
            Ok(mean)
        };
        Ok([next(step.beta1, gradient)?, next(step.beta2, &gradient.sqr()?)?])
    }

    pub(super) fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("beta1", Slot::Schedule(&mut self.beta1));
        visit("beta2", Slot::Schedule(&mut self.beta2));
        visit("eps", Slot::Schedule(&mut self.eps));
        visit("mean", self.mean.slot());
        visit("square", self.square.slot());
        visit("steps", Slot::Count(&mut self.steps));
    }
}

impl Step<'_> {
    /// `1 / (1 − β₁ᵗ)` and `1 / (1 − β₂ᵗ)`, which undo that a mean began at 0.
    pub(super) fn corrections(&self) -> (f64, f64) {
        let correction = |beta: f64| 1.0 / (1.0 - beta.powf(self.t as f64));
        (correction(self.beta1), correction(self.beta2))
    }

    /// `1 / (1 − β₁ᵗ)`, `1 / √(1 − β₂ᵗ)` and ε: the factors of `m` and of `√v`, and what is added to the latter.
    pub(super) fn factors(&self) -> [f32; 3] {
        let (first, second) = self.corrections();
        [first, second.sqrt(), self.eps].map(|x| x as f32)
    }

    /// `m ← β₁·m + (1 − β₁)·g`, `v ← β₂·v + (1 − β₂)·g²`, then `g ← direction(g, m, v)`.
    #[inline(always)]
    pub(super) fn adam(self, gradient: &mut [f32], direction: impl Fn(f32, f32, f32) -> f32) {
        let [b2, c2] = [self.beta2, 1.0 - self.beta2].map(|x| x as f32);
        self.with(
            gradient,
            #[inline(always)]
            move |g, _, v| b2 * v + c2 * (g * g),
            direction,
        );
    }

    /// `m ← β₁·m + (1 − β₁)·g`, `v ← square(g, m, v)`, then `g ← direction(g, m, v)`.
    #[inline(always)]
    pub(super) fn with(
        self,
        gradient: &mut [f32],
        square: impl Fn(f32, f32, f32) -> f32,
        direction: impl Fn(f32, f32, f32) -> f32,
    ) {
        let [b1, c1] = [self.beta1, 1.0 - self.beta1].map(|x| x as f32);
        let (mean, squares) = (self.mean, self.square);
        vectorised(
            #[inline(always)]
            move || {
                for ((g, m), v) in gradient.iter_mut().zip(mean).zip(squares) {
                    *m = b1 * *m + c1 * *g;
                    *v = square(*g, *m, *v);
                    *g = direction(*g, *m, *v);
                }
            },
        );
    }
}
