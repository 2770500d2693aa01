//! The classical method of Runge and Kutta.

/// The state `seconds` later, by one step of fourth order; `rate` is its derivative.
#[inline]
pub(super) fn runge_kutta<const S: usize>(
    state: [f64; S],
    seconds: f64,
    rate: impl Fn([f64; S]) -> [f64; S],
) -> [f64; S] {
    let after = |seconds: f64, rate: [f64; S]| std::array::from_fn(|i| state[i] + seconds * rate[i]);
    let first = rate(state);
    let second = rate(after(seconds / 2.0, first));
    let third = rate(after(seconds / 2.0, second));
    let fourth = rate(after(seconds, third));
    std::array::from_fn(|i| state[i] + seconds / 6.0 * (first[i] + 2.0 * (second[i] + third[i]) + fourth[i]))
}
