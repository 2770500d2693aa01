//! Whether something grows, or only varies.

/// Samples of which nothing is said: what is done for the first time takes memory that its allocator then keeps.
const WARM_UP: usize = 2;
/// By how much of what it was a third may lie above the one before.
const ALLOWED: f64 = 0.01;

/// Fewer samples tell nothing.
pub(crate) const LEAST: usize = WARM_UP + 6;

/// Medians of the thirds of samples that were taken at the same point of equal laps, without the first ones.
pub(crate) fn thirds(samples: &[f64]) -> Option<[f64; 3]> {
    let warm = samples.get(WARM_UP..).filter(|_| samples.len() >= LEAST)?;
    let third = warm.len() / 3;
    let (first, rest) = warm.split_at(third);
    let (middle, last) = rest.split_at(rest.len() - third);
    Some([first, middle, last].map(median))
}

/// Whether each third lies above the one before. What leaks, leaks in all laps alike; what an allocator comes to keep rises
/// ever less, and one lap's peak moves no median.
pub(crate) fn grows(thirds: [f64; 3]) -> bool {
    thirds.windows(2).all(|pair| pair[1] > (1.0 + ALLOWED) * pair[0])
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
