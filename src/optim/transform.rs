//! What every link of a chain is, and the chain itself.

use std::fmt;

use candle_core::Tensor;

use super::{Need, Schedule, TensorContext, TensorState, TensorTransform, When};
use crate::error::check_len;
use crate::kernels::{all_finite, vectorised};
use crate::seed::Rng;
use crate::{Error, Layout, Result, Stop};

/// What a transform may know besides the gradient.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The parameters before the step, `[P]`.
    pub theta: &'a [f32],
    /// Which of them are what.
    pub layout: &'a Layout,
    /// When the step is taken.
    pub when: When,
    /// Where the gradient and `theta` begin in the whole vector: 0 but for a part given to a transform that
    /// [goes by parts](GradientTransform::goes_by_parts).
    pub offset: usize,
    /// Norm of the whole gradient as the chain was given it, for its first link; `None` for others.
    pub norm: Option<f64>,
    /// Whether to break off: what takes seconds asks between its blocks and iterations. The step is then not taken, and the
    /// state left is none to go on from.
    pub stop: Stop<'a>,
    /// What a learning rate is multiplied by: 1 unless an algorithm adapts it.
    pub lr_factor: f64,
}

impl<'a> Context<'a> {
    /// A whole step.
    #[must_use]
    pub fn new(theta: &'a [f32], layout: &'a Layout, when: When) -> Self {
        Self { theta, layout, when, offset: 0, norm: None, stop: Stop::default(), lr_factor: 1.0 }
    }

    /// The learning rate of the step, by a link's own schedule.
    #[must_use]
    pub fn learning_rate(&self, schedule: &Schedule) -> f64 {
        schedule.at(self.when) * self.lr_factor
    }

    /// The part of so many numbers from a place of this one on.
    fn part(self, from: usize, len: usize) -> Self {
        Self { theta: &self.theta[from..from + len], offset: self.offset + from, ..self }
    }

    /// Fails with [`Error::Shape`](crate::Error::Shape) unless there are as many parameters as numbers of the gradient.
    pub(super) fn check(&self, gradient: &[f32]) -> Result<()> {
        check_len("the gradient", self.theta.len(), gradient.len())?;
        check_len("the layout", gradient.len().max(self.layout.len()), self.layout.len())
    }

    /// Whether this is a whole step or its first part, in which steps are counted.
    #[must_use]
    pub fn begins(&self) -> bool {
        self.offset == 0
    }
}

/// One link of a chain: a gradient `[P]` in, a gradient `[P]` out.
///
/// What the last link leaves is added to the parameters.
pub trait GradientTransform: fmt::Debug + Send {
    /// Transforms a gradient in place and updates whatever state the transform keeps.
    ///
    /// # Errors
    /// Whatever makes the step impossible; those of this crate fail only if a matrix cannot be decomposed. A [`Chain`]
    /// refuses a gradient, parameters and a layout that are not equally long with [`Error::Shape`](crate::Error::Shape).
    /// [`Error::Interrupted`](crate::Error::Interrupted) where [`Context::stop`] says so.
    ///
    /// # Panics
    /// A single link may, if those lengths differ: a chain or an [`Optimizer`](super::Optimizer) looks at them first.
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()>;

    /// Whether [`update`](GradientTransform::update) may be given the gradient part by part, in order, each with its own
    /// part of the parameters, as if it were the whole: so several transforms go over it while it is near.
    ///
    /// State of `P` numbers is then used from [`Context::offset`] on, and steps are counted where a step
    /// [begins](Context::begins).
    fn goes_by_parts(&self, _context: &Context<'_>) -> bool {
        false
    }

    /// Shows every piece of state by name, so that it can be counted, saved and restored.
    fn state<'a>(&'a mut self, _visit: &mut dyn FnMut(&str, Slot<'a>)) {}

    /// The same without names; what is made of chains need not make any, which takes room.
    fn nameless<'a>(&'a mut self, visit: &mut dyn FnMut(Slot<'a>)) {
        self.state(&mut |_, slot| visit(slot));
    }

    /// The learning rate that this transform applies, if it is the one that applies it.
    fn learning_rate(&self, _when: When) -> Option<f64> {
        None
    }

    /// The parameters that a finished policy should have, `[P]`, where they are not those that are trained.
    ///
    /// State may have been restored and no step taken since.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where the parameters are not as many as those of the steps before.
    fn evaluation(&self, _theta: &[f32], _layout: &Layout) -> Result<Option<Vec<f32>>> {
        Ok(None)
    }

    /// Shows every stretch of training, by what it is, that has to pass before the transform does what it is for: a run
    /// that is shorter is told.
    fn spans(&self, _show: &mut dyn FnMut(&'static str, Span)) {}

    /// Whether [`evaluation`](GradientTransform::evaluation) has parameters of its own: of a chain one link may.
    fn averages(&self) -> bool {
        false
    }

    /// Whether it holds parameters of earlier steps, of which it makes later ones, as all that [averages](GradientTransform::averages)
    /// does: who gives parameters another unit in between may not go with it.
    fn holds_parameters(&self) -> bool {
        self.averages()
    }

    /// Refuses parameters that it cannot be for, or is without effect on, such as a pattern that means none of their blocks. Asked before
    /// training; the default refuses none.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) with what it does not fit.
    fn check_layout(&self, _layout: &Layout) -> Result<()> {
        Ok(())
    }

    /// Gives all state the length that it has from the first step on, for parameters of this layout. What it holds then
    /// has no meaning: it is about to be restored.
    ///
    /// As it stands, it takes a step with a gradient of zeros.
    ///
    /// # Errors
    /// As [`update`](GradientTransform::update).
    fn make_room(&mut self, layout: &Layout) -> Result<()> {
        let zeros = vec![0.0; layout.len()];
        self.update(&mut zeros.clone(), &Context::new(&zeros, layout, When::default()))
    }

    /// What it needs for parameters of this layout, reckoned without taking it.
    ///
    /// As it stands, a number a parameter for each vector of its [`state`](GradientTransform::state), and nothing else.
    fn needs(&mut self, layout: &Layout) -> Need {
        Need::of_state(bytes_of(self, layout.len()))
    }

    /// What happened so far that a user should know, such as how many numbers were not finite: a name and a number.
    fn report(&self, _show: &mut dyn FnMut(&'static str, f64)) {}

    /// Whether it makes a finite gradient of any: a chain that begins with such a link is given NaN and infinities
    /// instead of refusing them.
    fn mends_non_finite(&self) -> bool {
        false
    }

    /// The same in operations on tensors, for parameters that are on another device than the CPU; `None` where it is for the
    /// host alone, as what [mends](GradientTransform::mends_non_finite) a gradient is.
    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        None
    }
}

/// A stretch of training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// So many steps of the optimizer.
    Steps(u64),
    /// So many rollouts.
    Rollouts(u64),
}

/// A piece of a transform's state.
#[derive(Debug)]
pub enum Slot<'a> {
    /// Numbers, one a parameter or fewer; empty before the first step, and of one length from then on.
    Vector(&'a mut Vec<f32>),
    /// Numbers that f32 is too narrow for, such as matrices that are to be decomposed; empty before the first step.
    Wide(&'a mut Vec<f64>),
    /// A count, such as that of steps.
    Count(&'a mut u64),
    /// A number.
    Scalar(&'a mut f64),
    /// A generator of random numbers.
    Rng(&'a mut Rng),
    /// A hyper-parameter that may change by itself: one that [`Schedule::Plateau`] lowers has a memory of metrics.
    Schedule(&'a mut Schedule),
}

/// Bytes of a transform's state if each of its vectors has so many numbers.
pub(super) fn bytes_of<T: GradientTransform + ?Sized>(transform: &mut T, numbers: usize) -> usize {
    let mut bytes = 0;
    transform.state(&mut |_, slot| bytes += slot.bytes(Some(numbers)));
    bytes
}

impl Slot<'_> {
    /// Bytes that it takes; those of a vector if it had so many numbers, where that is given.
    pub(super) fn bytes(self, numbers: Option<usize>) -> usize {
        match self {
            Slot::Vector(vector) => size_of::<f32>() * numbers.unwrap_or(vector.len()),
            Slot::Wide(vector) => size_of::<f64>() * numbers.unwrap_or(vector.len()),
            Slot::Count(_) | Slot::Scalar(_) => 8,
            Slot::Rng(_) => size_of::<Rng>(),
            Slot::Schedule(schedule) => {
                let mut bytes = 0;
                schedule.state(&mut |_, _| bytes += size_of::<f64>());
                bytes
            }
        }
    }

    /// Whether it holds no NaN and no infinity. A lone number may be infinite: so a best value begins.
    pub(super) fn finite(self) -> bool {
        match self {
            Slot::Vector(numbers) => all_finite(numbers),
            Slot::Wide(numbers) => numbers.iter().all(|x| x.is_finite()),
            Slot::Scalar(number) => !number.is_nan(),
            Slot::Count(_) | Slot::Rng(_) => true,
            Slot::Schedule(schedule) => {
                let mut finite = true;
                schedule.state(&mut |_, number| finite &= !number.is_nan());
                finite
            }
        }
    }
}

/// Several transforms, one after the other.
///
/// Of a chain in words each link is held to its [`Place`](super::Place); in code the order is the caller's own.
#[derive(Debug, Default)]
pub struct Chain(Vec<Box<dyn GradientTransform>>);

impl Chain {
    /// The chain without a link: it gives back what it got.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The chain with another link at its end.
    #[must_use]
    pub fn then(mut self, transform: impl GradientTransform + 'static) -> Self {
        self.0.push(Box::new(transform));
        self
    }

    /// The chain with all links of another at its end.
    #[must_use]
    pub fn append(mut self, mut other: Chain) -> Self {
        self.0.append(&mut other.0);
        self
    }
}

/// How many numbers are a part: a few vectors of them fit into a core's own cache.
const PART: usize = 16_384;

impl Chain {
    /// What keeps the chain on the host, if anything does: the first link that has no form on tensors.
    pub(super) fn of_the_host(&mut self) -> Option<String> {
        self.0.iter_mut().find_map(|link| match link.on_tensors() {
            Some(_) => None,
            None => Some(is_of_the_host(&**link)),
        })
    }

    /// Whether all state is finite.
    pub(super) fn is_finite(&mut self) -> bool {
        let mut finite = true;
        self.nameless(&mut |slot| finite &= slot.finite());
        finite
    }

    /// Sends a gradient through all links and shows the result, part by part, in order.
    ///
    /// Neighbours that go by parts go over each part in turn: memory is read and written once for all of them.
    pub(super) fn run(
        &mut self,
        gradient: &mut [f32],
        context: &Context<'_>,
        show: &mut dyn FnMut(&[f32]),
    ) -> Result<()> {
        context.check(gradient)?;
        let (mut links, mut context) = (self.0.as_mut_slice(), *context);
        while !links.is_empty() {
            let unknown = Context { norm: None, ..context };
            let together = links.iter().enumerate();
            let together =
                together.take_while(|(i, link)| link.goes_by_parts(if *i == 0 { &context } else { &unknown })).count();
            context.stop.check()?;
            let (now, rest) = links.split_at_mut(together.max(1));
            let part = if together > 1 { PART } else { gradient.len().max(1) };
            for (k, gradient) in gradient.chunks_mut(part).enumerate() {
                let mut here = context.part(k * part, gradient.len());
                for link in &mut *now {
                    link.update(gradient, &here)?;
                    here.norm = None;
                }
                if rest.is_empty() {
                    show(gradient);
                }
            }
            (links, context) = (rest, unknown);
        }
        Ok(())
    }
}

impl GradientTransform for Chain {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.run(gradient, context, &mut |_| {})
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        for (i, transform) in self.0.iter_mut().enumerate() {
            transform.state(&mut |name, slot| visit(&format!("{i}.{name}"), slot));
        }
    }

    fn nameless<'a>(&'a mut self, visit: &mut dyn FnMut(Slot<'a>)) {
        self.0.iter_mut().for_each(|link| link.nameless(visit));
    }

    fn learning_rate(&self, when: When) -> Option<f64> {
        self.0.iter().find_map(|transform| transform.learning_rate(when))
    }

    fn evaluation(&self, theta: &[f32], layout: &Layout) -> Result<Option<Vec<f32>>> {
        self.0.iter().find_map(|transform| transform.evaluation(theta, layout).transpose()).transpose()
    }

    fn spans(&self, show: &mut dyn FnMut(&'static str, Span)) {
        self.0.iter().for_each(|transform| transform.spans(show));
    }

    fn averages(&self) -> bool {
        self.0.iter().any(|transform| transform.averages())
    }

    fn holds_parameters(&self) -> bool {
        self.0.iter().any(|transform| transform.holds_parameters())
    }

    fn check_layout(&self, layout: &Layout) -> Result<()> {
        self.0.iter().try_for_each(|transform| transform.check_layout(layout))
    }

    fn make_room(&mut self, layout: &Layout) -> Result<()> {
        self.0.iter_mut().try_for_each(|transform| transform.make_room(layout))
    }

    fn needs(&mut self, layout: &Layout) -> Need {
        self.0.iter_mut().map(|transform| transform.needs(layout)).sum()
    }

    fn report(&self, show: &mut dyn FnMut(&'static str, f64)) {
        self.0.iter().for_each(|transform| transform.report(show));
    }

    fn mends_non_finite(&self) -> bool {
        self.0.first().is_some_and(|first| first.mends_non_finite())
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        if self.of_the_host().is_none() { Some(self) } else { None }
    }
}

impl TensorTransform for Chain {
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor> {
        let (mut gradient, mut context) = (gradient.clone(), context.clone());
        for link in &mut self.0 {
            context.stop.check()?;
            let Some(on_tensors) = link.on_tensors() else { return Err(Error::Config(is_of_the_host(&**link))) };
            gradient = on_tensors.update_tensor(&gradient, &context, state)?;
            context.norm = None;
        }
        Ok(gradient)
    }
}

/// Says of a link that it is no step on tensors.
fn is_of_the_host(link: &dyn GradientTransform) -> String {
    let shown = format!("{link:?}");
    let name = shown.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    format!("{name} is reckoned on the host alone")
}

/// A vector as long as the parameters that a transform keeps from step to step; it starts at one number throughout.
#[derive(Debug, Clone, Default)]
pub(super) struct State(Vec<f32>);

impl State {
    /// The part of the vector that belongs to a gradient of this length; all of it starts at `start`.
    pub(super) fn part(&mut self, len: usize, context: &Context<'_>, start: f32) -> &mut [f32] {
        let whole = self.from(context.layout.len().max(context.offset + len), start);
        &mut whole[context.offset..context.offset + len]
    }

    /// The vector, which starts at zero.
    pub(super) fn of(&mut self, len: usize) -> &mut [f32] {
        self.from(len, 0.0)
    }

    /// The vector, which starts at `start`.
    pub(super) fn from(&mut self, len: usize, start: f32) -> &mut [f32] {
        self.0.resize(len, start);
        &mut self.0
    }

    /// The vector, if it has been asked for before.
    pub(super) fn begun(&self) -> Option<&[f32]> {
        (!self.0.is_empty()).then_some(&self.0)
    }

    /// The same beside the parameters, which have to be as many.
    pub(super) fn beside(&self, theta: &[f32]) -> Result<Option<&[f32]>> {
        let begun = self.begun();
        begun.iter().try_for_each(|begun| check_len("the parameter vector", begun.len(), theta.len()))?;
        Ok(begun)
    }

    pub(super) fn slot(&mut self) -> Slot<'_> {
        Slot::Vector(&mut self.0)
    }
}

/// `x ← factor·x`.
pub(super) fn scale(x: &mut [f32], factor: f64) {
    let (exact, factor) = (factor, factor as f32);
    if exact != 0.0 && exact.is_finite() && !factor.is_normal() {
        // The factor passes f32, the product need not: a huge gradient that is clipped, a tiny direction made long.
        x.iter_mut().for_each(|x| *x = (f64::from(*x) * exact) as f32);
        return;
    }
    vectorised(
        #[inline(always)]
        move || x.iter_mut().for_each(|x| *x *= factor),
    );
}
