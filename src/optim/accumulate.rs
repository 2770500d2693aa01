//! One step from several gradients.

use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Need, Place, Slot, Span, State, When};
use crate::kernels::vectorised;
use crate::words::Param;
use crate::{Layout, Result};

/// See [`accumulate`].
#[derive(Debug)]
pub struct Accumulate {
    inner: Chain,
    k: u64,
    mean: State,
    count: u64,
}

/// Gives a chain the mean of every `k` gradients; the parameters stand still between.
///
/// ```math
///   ḡ ← ḡ + (g − ḡ)/i   for i = 1, …, k;      u = 0 but for i = k:   u = inner(ḡ),   ḡ ← 0
/// ```
///
/// As `optax.MultiSteps`: k micro-batches of equal size act as one that is k times as large. `k` below 1 counts as 1.
///
/// What a run ends with, fewer than `k` gradients, takes no step: it is dropped with the run. A checkpoint keeps it.
#[must_use]
pub fn accumulate(k: u64, inner: Chain) -> Accumulate {
    Accumulate { inner, k: k.max(1), mean: State::default(), count: 0 }
}

impl GradientTransform for Accumulate {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.count += 1;
        let share = (1.0 / self.count as f64) as f32;
        let mean = self.mean.of(gradient.len());
        let (sum, new) = (&mut *mean, &*gradient);
        vectorised(
            #[inline(always)]
            move || sum.iter_mut().zip(new).for_each(|(mean, g)| *mean += (g - *mean) * share),
        );
        if self.count < self.k {
            gradient.fill(0.0);
            return Ok(());
        }
        gradient.copy_from_slice(mean);
        mean.fill(0.0);
        self.count = 0;
        self.inner.update(gradient, &Context { norm: None, ..*context })
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.inner.state(&mut |name, slot| visit(&format!("inner.{name}"), slot));
        visit("mean", self.mean.slot());
        visit("count", Slot::Count(&mut self.count));
    }

    fn learning_rate(&self, when: When) -> Option<f64> {
        self.inner.learning_rate(when)
    }

    fn evaluation(&self, theta: &[f32], layout: &Layout) -> Result<Option<Vec<f32>>> {
        self.inner.evaluation(theta, layout)
    }

    fn spans(&self, show: &mut dyn FnMut(&'static str, Span)) {
        show("k of accumulate", Span::Steps(self.k));
        self.inner.spans(&mut |what, span| match span {
            Span::Steps(steps) => show(what, Span::Steps(steps.saturating_mul(self.k))),
            span => show(what, span),
        });
    }

    fn averages(&self) -> bool {
        self.inner.averages()
    }

    fn holds_parameters(&self) -> bool {
        self.inner.holds_parameters()
    }

    fn check_layout(&self, layout: &Layout) -> Result<()> {
        self.inner.check_layout(layout)
    }

    fn make_room(&mut self, layout: &Layout) -> Result<()> {
        self.mean.of(layout.len());
        self.inner.make_room(layout)
    }

    fn needs(&mut self, layout: &Layout) -> Need {
        let own = self.mean.slot().bytes(Some(layout.len())) + size_of_val(&self.count);
        let inner = self.inner.needs(layout);
        Need { multiplications: inner.multiplications / self.k as f64, ..inner } + Need::of_state(own)
    }

    fn report(&self, show: &mut dyn FnMut(&'static str, f64)) {
        self.inner.report(show);
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "accumulate",
    summary: "gives a chain the mean of every k gradients",
    params: &[Param::steps("k", 1, "", "gradients a step"), Param::chain("the optimizer that takes the step")],
    make: Make::Link(Place::Beside, |a| Ok(Chain::new().then(accumulate(a.count("k")?, a.optimizer("chain")?)))),
}];
