//! TRAC: a tuner that finds how far from the start it is safe to be.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Need, Place, Slot, Span, State, When};
use crate::words::{Kind, Param, Range};
use crate::{Layout, Result};

/// Discounts of the six tuners, the authors'.
const BETAS: [f64; 6] = [0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999];
const NAMES: [(&str, &str); 6] = [
    ("variance.0", "sigma.0"),
    ("variance.1", "sigma.1"),
    ("variance.2", "sigma.2"),
    ("variance.3", "sigma.3"),
    ("variance.4", "sigma.4"),
    ("variance.5", "sigma.5"),
];

/// See [`trac`].
#[derive(Debug)]
pub struct Trac {
    inner: Chain,
    s_init: f64,
    eps: f64,
    start: State,
    path: State,
    variance: [f64; 6],
    sigma: [f64; 6],
    scale: f64,
    gradient: Vec<f32>,
}

/// Scales a chain's whole way from the initial parameters by what one-dimensional, parameter-free tuners learn.
///
/// ```math
///   h = ⟨d, g⟩                  d ← d + inner(g)
///   vⱼ ← βⱼ²·vⱼ + h²            σⱼ ← βⱼ·σⱼ − h              S = Σⱼ s_init·erfi(σⱼ/(√2·√vⱼ + ε)) / erfi(1/√2)
///   θ ← θ₀ + max(S, 0)·d
/// ```
///
/// βⱼ = 0.9, 0.99, …, 0.999999; d, v and σ start at 0. The longer the way agrees with the gradients the farther it
/// goes, and where it does not the parameters fall back to the start: plasticity is kept through changes of the task.
/// The first steps are tiny, of the order of `s_init`. It ends a chain; `g` is the gradient that reaches it.
///
/// Muppidi et al. 2024, algorithms 1 and 2, <https://arxiv.org/abs/2405.16642>, with the authors' constants. Their code
/// reads d off the parameters, (θ − θ₀)/(S + ε), and so forgets it for good once S is not positive; here, as in the
/// paper, it is kept, which also saves the first steps from being swallowed by rounding.
#[must_use]
pub fn trac(inner: Chain, s_init: f64, eps: f64) -> Trac {
    let (start, path) = (State::default(), State::default());
    Trac { inner, s_init, eps, start, path, variance: [0.0; 6], sigma: [0.0; 6], scale: 0.0, gradient: Vec::new() }
}

impl GradientTransform for Trac {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        context.check(gradient)?;
        self.gradient.clear();
        self.gradient.extend_from_slice(gradient);
        self.inner.update(gradient, context)?;
        let begins = self.start.begun().is_none();
        let (start, path) = (self.start.of(gradient.len()), self.path.of(gradient.len()));
        if begins {
            start.copy_from_slice(context.theta);
        }
        let mut h = 0.0;
        for ((d, u), g) in path.iter_mut().zip(gradient.iter()).zip(&self.gradient) {
            h += f64::from(*d) * f64::from(*g);
            *d += u;
        }
        self.scale = 0.0;
        for ((beta, variance), sigma) in BETAS.iter().zip(&mut self.variance).zip(&mut self.sigma) {
            *variance = beta * beta * *variance + h * h;
            *sigma = beta * *sigma - h;
            let x = *sigma / (SQRT_2 * variance.sqrt() + self.eps);
            self.scale += self.s_init * erfi(x) / erfi(FRAC_1_SQRT_2);
        }
        let scale = self.scale.max(0.0) as f32;
        for (((u, theta), start), d) in gradient.iter_mut().zip(context.theta).zip(start).zip(path) {
            *u = (*start - theta) + scale * *d;
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.inner.state(&mut |name, slot| visit(&format!("inner.{name}"), slot));
        visit("start", self.start.slot());
        visit("path", self.path.slot());
        for (((variance, sigma), v), s) in NAMES.into_iter().zip(&mut self.variance).zip(&mut self.sigma) {
            visit(variance, Slot::Scalar(v));
            visit(sigma, Slot::Scalar(s));
        }
        visit("scale", Slot::Scalar(&mut self.scale));
    }

    fn learning_rate(&self, when: When) -> Option<f64> {
        self.inner.learning_rate(when)
    }

    fn evaluation(&self, theta: &[f32], layout: &Layout) -> Result<Option<Vec<f32>>> {
        self.inner.evaluation(theta, layout)
    }

    fn spans(&self, show: &mut dyn FnMut(&'static str, Span)) {
        self.inner.spans(show);
    }

    fn averages(&self) -> bool {
        self.inner.averages()
    }

    fn holds_parameters(&self) -> bool {
        true
    }

    fn check_layout(&self, layout: &Layout) -> Result<()> {
        self.inner.check_layout(layout)
    }

    fn make_room(&mut self, layout: &Layout) -> Result<()> {
        self.start.of(layout.len());
        self.path.of(layout.len());
        self.inner.make_room(layout)
    }

    fn needs(&mut self, layout: &Layout) -> Need {
        let vectors = 2 * size_of::<f32>() * layout.len();
        let numbers = size_of_val(&self.variance) + size_of_val(&self.sigma) + size_of_val(&self.scale);
        let gradient = size_of::<f32>() * layout.len();
        Need { work: gradient, ..Need::of_state(vectors + numbers) } + self.inner.needs(layout)
    }

    fn report(&self, show: &mut dyn FnMut(&'static str, f64)) {
        self.inner.report(show);
        show("trac_scale", self.scale);
    }
}

/// The imaginary error function, `2/√π·Σ x²ⁿ⁺¹/(n!·(2n + 1))`: every term has the sign of x, so nothing cancels.
/// Infinite from |x| = 26.7 on, where its value passes what an f64 holds.
fn erfi(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.abs() > 26.7 {
        return f64::INFINITY.copysign(x);
    }
    let (mut power, mut sum, mut n) = (x, x, 0.0);
    loop {
        n += 1.0;
        power *= x * x / n;
        let term = power / (2.0 * n + 1.0);
        sum += term;
        if term.abs() <= sum.abs() * 1e-17 {
            return sum * 2.0 / PI.sqrt();
        }
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "trac",
    summary: "scales a chain's whole way from the start by what parameter-free tuners learn",
    params: &[
        Param::chain("the optimizer that is tuned"),
        Param {
            name: "s_init",
            kind: Kind::Fixed(Range::Positive),
            default: "1e-8",
            meaning: "size of the first scale",
        },
        Param {
            name: "eps",
            kind: Kind::Fixed(Range::Positive),
            default: "1e-8",
            meaning: "keeps the quotients from exploding",
        },
    ],
    make: Make::Link(Place::End, |a| {
        Ok(Chain::new().then(trac(a.optimizer("chain")?, a.number("s_init")?, a.number("eps")?)))
    }),
}];

#[cfg(test)]
mod tests {
    use super::erfi;

    #[test]
    fn erfi_has_the_tabulated_values() {
        // Abramowitz and Stegun's Dawson integral D: erfi(x) = 2/√π·exp(x²)·D(x); D(0.5), D(1), D(2), D(5).
        for (x, dawson) in
            [(0.5, 0.424_436_383_5), (1.0, 0.538_079_506_9), (2.0, 0.301_340_388_9), (5.0, 0.102_134_074_4)]
        {
            let expected = 2.0 / std::f64::consts::PI.sqrt() * f64::exp(x * x) * dawson;
            assert!((erfi(x) / expected - 1.0).abs() < 1e-9, "{x}: {}", erfi(x));
            assert_eq!(erfi(-x), -erfi(x));
        }
        assert_eq!((erfi(0.0), erfi(1e-300)), (0.0, 2.0 / std::f64::consts::PI.sqrt() * 1e-300));
        assert!(erfi(26.6).is_finite() && erfi(1e9).is_infinite());
    }
}
