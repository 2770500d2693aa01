//! Lookahead: k steps forward, one step back.

use super::resolve::two_averages;
use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Need, Place, Schedule, Slot, Span, State, When};
use crate::words::{Param, Range};
use crate::{Error, Layout, Result};

/// See [`lookahead`].
#[derive(Debug)]
pub struct Lookahead {
    inner: Chain,
    k: u64,
    alpha: Schedule,
    slow: State,
    steps: u64,
}

/// Lets a chain run for `k` steps, then goes back to a point on the way.
///
/// ```math
///   θ ← θ + inner(g)                 every k-th step:   φ ← φ + α·(θ − φ),   θ ← φ
/// ```
///
/// `φ` starts at θ; it is what a finished policy has. The inner chain's state is kept when θ goes back. As
/// `optax.lookahead`. `k` below 1 counts as 1. Of the steps after the last k-th of a run, fewer than `k`, a finished
/// policy has nothing.
///
/// Zhang et al. 2019, algorithm 1, <https://arxiv.org/abs/1907.08610>.
#[must_use]
pub fn lookahead(inner: Chain, k: u64, alpha: impl Into<Schedule>) -> Lookahead {
    Lookahead { inner, k: k.max(1), alpha: alpha.into(), slow: State::default(), steps: 0 }
}

impl GradientTransform for Lookahead {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        context.check(gradient)?;
        self.inner.update(gradient, context)?;
        let begins = self.steps == 0;
        let slow = self.slow.of(gradient.len());
        if begins {
            slow.copy_from_slice(context.theta);
        }
        self.steps += 1;
        if self.steps.is_multiple_of(self.k) {
            let alpha = self.alpha.at(context.when) as f32;
            for ((u, theta), slow) in gradient.iter_mut().zip(context.theta).zip(slow) {
                *slow += alpha * (theta + *u - *slow);
                *u = *slow - theta;
            }
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.inner.state(&mut |name, slot| visit(&format!("inner.{name}"), slot));
        visit("alpha", Slot::Schedule(&mut self.alpha));
        visit("slow", self.slow.slot());
        visit("steps", Slot::Count(&mut self.steps));
    }

    fn learning_rate(&self, when: When) -> Option<f64> {
        self.inner.learning_rate(when)
    }

    fn evaluation(&self, theta: &[f32], _: &Layout) -> Result<Option<Vec<f32>>> {
        Ok(self.slow.beside(theta)?.map(<[f32]>::to_vec))
    }

    fn spans(&self, show: &mut dyn FnMut(&'static str, Span)) {
        show("k of lookahead", Span::Steps(self.k));
        self.inner.spans(show);
    }

    fn averages(&self) -> bool {
        true
    }

    fn check_layout(&self, layout: &Layout) -> Result<()> {
        self.inner.check_layout(layout)
    }

    fn make_room(&mut self, layout: &Layout) -> Result<()> {
        self.slow.of(layout.len());
        self.inner.make_room(layout)
    }

    fn needs(&mut self, layout: &Layout) -> Need {
        let own = [Slot::Schedule(&mut self.alpha), self.slow.slot(), Slot::Count(&mut self.steps)];
        let own = own.into_iter().map(|slot| slot.bytes(Some(layout.len()))).sum();
        Need::of_state(own) + self.inner.needs(layout)
    }

    fn report(&self, show: &mut dyn FnMut(&'static str, f64)) {
        self.inner.report(show);
    }

    fn mends_non_finite(&self) -> bool {
        self.inner.mends_non_finite()
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "lookahead",
    summary: "lets a chain run for k steps, then goes back to a point on the way",
    params: &[
        Param::chain("the optimizer that runs ahead"),
        Param::steps("k", 1, "5", "steps that it runs"),
        Param::number("alpha", Range::Share, "0.5", "share of the way that is kept"),
    ],
    make: Make::Link(Place::End, |a| {
        let inner = a.optimizer("chain")?;
        match inner.averages() {
            true => Err(Error::Config(two_averages("lookahead", "a link of its chain"))),
            false => Ok(Chain::new().then(lookahead(inner, a.count("k")?, a.schedule("alpha")?))),
        }
    }),
}];
