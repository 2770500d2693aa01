//! A rollout that was made on the learning device, and stays there.

use candle_core::Tensor;

/// Steps of `N` lanes on a device, every one of them taken, time-major as those of a [`Rollout`](super::Rollout) are.
#[derive(Debug, Clone)]
pub struct DeviceRollout {
    /// `T`.
    pub steps: usize,
    /// `N`.
    pub lanes: usize,
    /// `[T·N, D]`: what the action answered to.
    pub observation: Tensor,
    /// Indices as `u32`, `[T·N]`, or numbers as `f32`, `[T·N, K]`, as they were drawn.
    pub action: Tensor,
    /// `[T·N]`: log-probability of the action under the policy that chose it.
    pub log_prob: Tensor,
    /// `[T, N]`.
    pub reward: Tensor,
    /// `[T, N]`: V of the observation.
    pub value: Tensor,
    /// `[T, N]`: V of the state that the action led to, of an episode's last where it was truncated, and 0 where it terminated.
    pub next_value: Tensor,
    /// `[T, N]`: 1 where the episode goes on after the step, and 0 where it ended.
    pub carry: Tensor,
}
