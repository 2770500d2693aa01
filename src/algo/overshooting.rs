//! How far a step along an eligibility trace may go.

/// The step size of overshooting-bounded gradient descent: `lr`, or less where a step of it could change what is learnt by more than
/// the error that it is to mend.
///
/// ```text
///   lr / max(1, lr·κ·max(|δ|, 1)·‖z‖₁)
/// ```
///
/// `length` is `‖z‖₁`, the sum of a trace's absolute values, and `kappa`, κ, how much larger than by the trace alone the change is
/// taken to be.
///
/// Elsayed, Vasan and Mahmood 2024, algorithm 2, <https://arxiv.org/abs/2410.14606>.
pub(super) fn bounded_step_size(lr: f64, kappa: f64, delta: f64, length: f64) -> f64 {
    lr / (lr * kappa * delta.abs().max(1.0) * length).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::bounded_step_size;

    #[test]
    fn a_long_trace_or_a_large_error_shortens_the_step() {
        // In reach: the learning rate itself.
        assert_eq!(bounded_step_size(0.1, 2.0, 0.5, 5.0), 0.1);
        // 0.5·2·1·5 = 5 times as far as allowed; a smaller error allows no longer step.
        assert_eq!(bounded_step_size(0.5, 2.0, 0.5, 5.0), 0.1);
        assert_eq!(bounded_step_size(0.5, 2.0, 0.01, 5.0), 0.1);
        // Four times the error, a fourth of the step: what comes of both is the same.
        assert_eq!(bounded_step_size(0.5, 2.0, -4.0, 5.0), 0.025);
        // Past the bound the learning rate no longer matters: 1 / (κ·|δ|·‖z‖₁).
        assert_eq!(bounded_step_size(1.0, 2.0, -4.0, 5.0), 0.025);
        assert_eq!(bounded_step_size(0.0, 2.0, 3.0, 5.0), 0.0);
    }
}
