//! Products of small matrices, on one thread and without an allocation.
//!
//! A library's product packs both factors first, which pays for large ones; a policy's are small, and more time would go
//! by between products than in them.

use super::places::{Every, Next};
pub(crate) use super::product::Start;
use super::product::{Left as Factor, Right, product};

/// The left factor, `m` x `k` numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Left<'a> {
    /// Row by row.
    Rows(&'a [f32]),
    /// Column by column: the transpose of `k` x `m` numbers row by row.
    Columns(&'a [f32]),
}

/// `out = start + a·b`, with `a` `m` x `k`, `b` `k` x `n` and `out` `m` x `n`, the last two row by row.
///
/// Panics if a slice has another length: shapes are this crate's own affair.
pub(crate) fn matmul(out: &mut [f32], start: Start<'_>, a: Left<'_>, b: &[f32], [m, k, n]: [usize; 3]) {
    let (Left::Rows(numbers) | Left::Columns(numbers)) = a;
    assert_eq!(numbers.len(), m * k, "the left factor of {m} x {k}");
    assert_eq!(b.len(), k * n, "the right factor of {k} x {n}");
    assert_eq!(out.len(), m * n, "the product of {m} x {n}");
    let (out, right, shape) = ((out, Every(n)), Right::Rows(b, n), [m, k, n]);
    match a {
        Left::Rows(_) => product(out, start, Factor { numbers, rows: Every(k), depths: Next }, right, shape),
        Left::Columns(_) => product(out, start, Factor { numbers, rows: Next, depths: Every(m) }, right, shape),
    }
}

#[cfg(test)]
mod tests;
