//! How much better an action was than expected: one equation a file, over time-major slices `[T, N]`.

mod discounted_states;
mod gae;
mod lambda_return;
mod leave_one_out;
mod monte_carlo;
mod n_step;
mod upgo;
mod v_trace;

use std::fmt;

use candle_core::Tensor;
use uphill_envs::{End, counted};

pub use discounted_states::DiscountedStates;
pub use gae::{Gae, gae, gae_tensors};
pub use lambda_return::lambda_return;
pub use leave_one_out::LeaveOneOut;
pub use monte_carlo::{MonteCarlo, reward_to_go};
pub use n_step::{NStep, n_step_return};
pub use upgo::Upgo;
pub use v_trace::VTrace;

use crate::Result;
use crate::error::same_len;
use crate::rollout::{Estimate, Rollout};

/// What an end means for every estimator: `(bootstrap, carry)`.
///
/// - `bootstrap`, `[not terminated]`: whether the value of the state that the action led to counts. After a terminal
///   state there is nothing to come; after a truncation there is, only unseen.
/// - `carry`, `[not ended]`: whether what follows in the arrays belongs to the same episode.
///
/// Pardo et al. 2018, eq. 6, <https://arxiv.org/abs/1712.00378>.
#[must_use]
pub fn factors(end: End) -> (f32, f32) {
    match end {
        End::Not => (1.0, 1.0),
        End::Truncated => (1.0, 0.0),
        End::Terminated => (0.0, 0.0),
    }
}

/// `factor·x`, and 0 where the factor is 0: what has no weight has no say, be it NaN or infinite.
fn weighed(factor: f32, x: f32) -> f32 {
    if factor == 0.0 { 0.0 } else { factor * x }
}

/// Panics unless columns of a rollout are as long as `len`, and that is a whole number of steps of `lanes` lanes.
#[track_caller]
fn same_steps<const N: usize>(len: usize, lanes: usize, columns: [(&str, usize); N]) {
    for (what, got) in columns {
        same_len(what, len, got);
    }
    let whole = if lanes == 0 { len == 0 } else { len.is_multiple_of(lanes) };
    assert!(whole, "a length of {len} is no whole number of steps of {}", counted(lanes, "lane"));
}

/// What the network says of a rollout's steps, each `[T, N]`.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// Log-probability of each action.
    pub log_prob: &'a [f32],
    /// V of each observation.
    pub value: &'a [f32],
    /// V of the state that each action led to; see [`Rollout::next_value`].
    pub next_value: &'a [f32],
}

impl<'a> Judged<'a> {
    /// What it said when the rollout was made.
    #[must_use]
    pub fn when_made(rollout: &'a Rollout) -> Self {
        let Rollout { log_prob, value, next_value, .. } = rollout;
        Self { log_prob, value, next_value }
    }
}

/// Turns a rollout into advantages.
pub trait Estimator: fmt::Debug + Send {
    /// Whether it reads values, so that the critic has to be asked for them.
    fn needs_values(&self) -> bool;

    /// Whether it reads the log-probabilities of now, so that it has to be asked again before each pass over a rollout. False
    /// by default.
    fn needs_log_probs(&self) -> bool {
        false
    }

    /// The same as generalised advantage estimation, which alone has a form for [rollouts on a device](gae_tensors); `None`, the default, if
    /// it is another.
    fn on_device(&self) -> Option<Gae> {
        None
    }

    /// Replaces advantages and targets of `out` by those of every step, with discount factor `gamma`. `now` is what the network says of the
    /// steps now, values among it; `rollout.log_prob` is what the policy gave each action when it acted.
    ///
    /// # Panics
    /// If columns of the rollout that it reads differ in length, which those of a collector's never do.
    fn estimate_into(&self, rollout: &Rollout, gamma: f32, now: Judged<'_>, out: &mut Estimate);

    /// Advantages and targets of every step, with discount factor `gamma`, for the policy that acted.
    ///
    /// # Panics
    /// As [`estimate_into`](Estimator::estimate_into).
    fn estimate(&self, rollout: &Rollout, gamma: f32) -> Estimate {
        let mut out = Estimate::default();
        self.estimate_into(rollout, gamma, Judged::when_made(rollout), &mut out);
        out
    }
}

/// `x ← (x − mean) / (s + 1e-8)`, `s` the sample standard deviation (divisor `n − 1`). Fewer than two stay as they are.
///
/// Huang et al. 2022, detail 7, <https://iclr-blog-track.github.io/2022/03/25/ppo-implementation-details/>.
pub fn normalize(x: &mut [f32]) {
    if x.len() < 2 {
        return;
    }
    let n = x.len() as f64;
    let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
    let variance = x.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let scale = 1.0 / (variance.sqrt() + 1e-8);
    for v in x {
        *v = ((f64::from(*v) - mean) * scale) as f32;
    }
}

/// [`normalize`] of a tensor, `[B]`, in f32 where it is: within 10⁻⁵ of the host's, which sums in f64.
///
/// # Errors
/// [`Error::Tensor`](crate::Error::Tensor) if the device fails.
pub fn normalize_tensor(x: &Tensor) -> Result<Tensor> {
    let n = x.elem_count();
    if n < 2 {
        return Ok(x.clone());
    }
    let apart = x.broadcast_sub(&x.mean_all()?)?;
    let deviation = (apart.sqr()?.sum_all()? / (n - 1) as f64)?.sqrt()?;
    Ok(apart.broadcast_div(&(deviation + 1e-8)?)?)
}

#[cfg(test)]
mod tests;
