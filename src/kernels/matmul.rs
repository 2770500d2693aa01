//! Products of small matrices, on one thread and without an allocation.
//!
//! A library's product packs both factors first, which pays for large ones; a policy's are small, and more time would go
//! by between products than in them. Every element is one chain of fused products in the order of the inner dimension:
//! the same bits on every instruction set, whatever the tiles.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;

use pulp::{Simd, WithSimd};

/// The left factor, `m` x `k` numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Left<'a> {
    /// Row by row.
    Rows(&'a [f32]),
    /// Column by column: the transpose of `k` x `m` numbers row by row.
    Columns(&'a [f32]),
}

/// What the products are added to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start<'a> {
    /// Nothing.
    Zero,
    /// What the output holds.
    Output,
    /// The same row of `n` numbers, in each row.
    Row(&'a [f32]),
}

/// `out = start + a·b`, with `a` `m` x `k`, `b` `k` x `n` and `out` `m` x `n`, the last two row by row.
///
/// Panics if a slice has another length: shapes are this crate's own affair.
pub(crate) fn matmul(out: &mut [f32], start: Start<'_>, a: Left<'_>, b: &[f32], [m, k, n]: [usize; 3]) {
    let (Left::Rows(left) | Left::Columns(left)) = a;
    assert_eq!(left.len(), m * k, "the left factor of {m} x {k}");
    assert_eq!(b.len(), k * n, "the right factor of {k} x {n}");
    assert_eq!(out.len(), m * n, "the product of {m} x {n}");
    if let Start::Row(row) = start {
        assert_eq!(row.len(), n, "the row that {m} x {n} numbers start from");
    }
    let (row_stride, depth_stride) = match a {
        Left::Rows(_) => (k, 1),
        Left::Columns(_) => (1, m),
    };
    if k == 0 {
        out.chunks_exact_mut(n.max(1)).for_each(|out| start.copy_to(out, 0));
    }
    let (mut start, mut depth) = (start, 0);
    while depth < k {
        let next = (depth + DEPTH).min(k);
        let product = Product { out, start, a: left, b, row_stride, depth_stride, m, n, depth: depth..next };
        pulp::Arch::new().dispatch(product);
        (start, depth) = (Start::Output, next);
    }
}

impl Start<'_> {
    /// Replaces a part of a row of the output, from `column` on, by what it starts from.
    fn copy_to(self, out: &mut [f32], column: usize) {
        match self {
            Start::Zero => out.fill(0.0),
            Start::Output => {}
            Start::Row(row) => out.copy_from_slice(&row[column..]),
        }
    }
}

/// The part of the inner dimension that is gone through at a time: of the right factor a panel of so many rows and four
/// vectors stays in the first cache.
const DEPTH: usize = 128;

/// A right factor of so many columns or more has rows so far apart that those of a panel push each other out of the first cache, worst
/// at powers of two: the panel is then copied together, if there are [`MANY`] rows of the left factor to make up for it.
const WIDE: usize = 128;
const MANY: usize = 12;
/// The most numbers in a row of a panel: four vectors of sixteen.
const PANEL: usize = 64;

/// The products over one part of the inner dimension, and what they are added to.
struct Product<'a> {
    out: &'a mut [f32],
    start: Start<'a>,
    a: &'a [f32],
    b: &'a [f32],
    /// Element `(i, l)` of the left factor is `a[i * row_stride + l * depth_stride]`.
    row_stride: usize,
    depth_stride: usize,
    m: usize,
    n: usize,
    depth: std::ops::Range<usize>,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // Six rows of four vectors, their four of the right factor and one of the left are 29 registers; of two, 15. Of a few
        // rows four vectors go into 16 registers, too: more sums under way are waited for less.
        let mut column = 0;
        while (S::REGISTER_COUNT >= 32 || self.m < 4) && column + 4 * S::F32_LANES <= self.n {
            self.columns::<S, 4>(simd, column);
            column += 4 * S::F32_LANES;
        }
        while column + 2 * S::F32_LANES <= self.n {
            self.columns::<S, 2>(simd, column);
            column += 2 * S::F32_LANES;
        }
        while column + S::F32_LANES <= self.n {
            self.columns::<S, 1>(simd, column);
            column += S::F32_LANES;
        }
        if column < self.n {
            self.last_columns(column);
        }
    }
}

impl Product<'_> {
    /// All rows of `V` vectors from `column` on.
    #[inline(always)]
    fn columns<S: Simd, const V: usize>(&mut self, simd: S, column: usize) {
        let (width, b, n) = (V * S::F32_LANES, self.b, self.n);
        if n < WIDE || self.m < MANY || width > PANEL {
            return self.rows::<S, V>(simd, column, (&b[self.depth.start * n + column..], n));
        }
        let mut panel = [const { MaybeUninit::<f32>::uninit() }; DEPTH * PANEL];
        for (l, to) in self.depth.clone().zip(panel.chunks_exact_mut(width)) {
            to.iter_mut().zip(&b[l * n + column..][..width]).for_each(|(to, &b)| {
                to.write(b);
            });
        }
        // SAFETY: the loop has written `width` numbers for each row, one row after the other: the depth is at most `DEPTH`, and
        // `width` at most `PANEL`.
        let panel = unsafe { std::slice::from_raw_parts(panel.as_ptr().cast::<f32>(), self.depth.len() * width) };
        self.rows::<S, V>(simd, column, (panel, width));
    }

    /// The same with those vectors of the right factor, and what is between two of their rows.
    #[inline(always)]
    fn rows<S: Simd, const V: usize>(&mut self, simd: S, column: usize, right: (&[f32], usize)) {
        assert!(right.0.len() >= (self.depth.len() - 1) * right.1 + V * S::F32_LANES);
        let mut row = 0;
        while row + 6 <= self.m {
            self.tile::<S, 6, V>(simd, row, column, right);
            row += 6;
        }
        while row + 4 <= self.m {
            self.tile::<S, 4, V>(simd, row, column, right);
            row += 4;
        }
        while row + 2 <= self.m {
            self.tile::<S, 2, V>(simd, row, column, right);
            row += 2;
        }
        if row < self.m {
            self.tile::<S, 1, V>(simd, row, column, right);
        }
    }

    /// `R` rows of `V` vectors, whose sums stay in registers.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        row: usize,
        column: usize,
        (right, stride): (&[f32], usize),
    ) {
        debug_assert!(row + R <= self.m && column + V * S::F32_LANES <= self.n);
        // SAFETY: `matmul` has asserted that the slices are m·k, k·n and m·n long, and a row that is started from n, `columns` and `with_simd` that these
        // rows and columns lie within m and n, `depth` lies within k, and `rows` has asserted that `right` holds as many rows of
        // V vectors; so every index formed here does within its slice.
        // Vectors are plain numbers without an alignment of their own in unaligned reads and writes.
        unsafe {
            let out = self.out.as_mut_ptr().add(row * self.n + column);
            let place = |r: usize, v: usize| r * self.n + v * S::F32_LANES;
            let mut sums: [[S::f32s; V]; R] = match self.start {
                Start::Zero => [[simd.splat_f32s(0.0); V]; R],
                Start::Output => std::array::from_fn(|r| {
                    std::array::from_fn(|v| out.add(place(r, v)).cast::<S::f32s>().read_unaligned())
                }),
                Start::Row(start) => {
                    let start = start.as_ptr().add(column);
                    [std::array::from_fn(|v| start.add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned()); R]
                }
            };
            let mut b = right.as_ptr();
            let mut a = self.a.as_ptr().add(row * self.row_stride + self.depth.start * self.depth_stride);
            for _ in self.depth.clone() {
                let right: [S::f32s; V] =
                    std::array::from_fn(|v| b.add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned());
                for (r, sums) in sums.iter_mut().enumerate() {
                    let left = simd.splat_f32s(*a.add(r * self.row_stride));
                    for (sum, &right) in sums.iter_mut().zip(&right) {
                        *sum = simd.mul_add_f32s(left, right, *sum);
                    }
                }
                // Past the last row there is no element to point to, and nothing is read through either.
                b = b.wrapping_add(stride);
                a = a.wrapping_add(self.depth_stride);
            }
            for (r, sums) in sums.iter().enumerate() {
                for (v, &sum) in sums.iter().enumerate() {
                    out.add(place(r, v)).cast::<S::f32s>().write_unaligned(sum);
                }
            }
        }
    }

    /// The columns past the last whole vector, each element in the same order.
    #[inline(always)]
    fn last_columns(&mut self, column: usize) {
        for row in 0..self.m {
            let out = &mut self.out[row * self.n + column..(row + 1) * self.n];
            self.start.copy_to(out, column);
            for l in self.depth.clone() {
                let left = self.a[row * self.row_stride + l * self.depth_stride];
                let right = &self.b[l * self.n + column..(l + 1) * self.n];
                out.iter_mut().zip(right).for_each(|(sum, &right)| *sum = left.mul_add(right, *sum));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::transpose::transpose;
    use super::{DEPTH, Left, Start, matmul};

    /// Every element in the order of the inner dimension, one fused product at a time.
    fn naive(start: &[f32], a: &[f32], b: &[f32], [m, k, n]: [usize; 3]) -> Vec<f32> {
        let mut out = start.to_vec();
        for i in 0..m {
            for j in 0..n {
                for l in 0..k {
                    out[i * n + j] = a[i * k + l].mul_add(b[l * n + j], out[i * n + j]);
                }
            }
        }
        out
    }

    fn numbers(len: usize, seed: u32) -> Vec<f32> {
        (0..len as u32).map(|i| ((i.wrapping_mul(2_654_435_761).wrapping_add(seed)) >> 8) as f32 / 1e7 - 0.8).collect()
    }

    #[test]
    fn every_bit_is_that_of_the_definition_over_shapes_and_starts() {
        let mut shapes = vec![
            [128, 64, 64],
            [64, 300, 64],
            [20, 300, 512],
            [13, 129, 200],
            [2, DEPTH + 1, 33],
            [0, 3, 4],
            [3, 0, 4],
            [3, 4, 0],
        ];
        for m in 1..=13 {
            for n in [1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 130, 256] {
                shapes.push([m, 5, n]);
            }
        }
        for shape @ [m, k, n] in shapes {
            let (a, b, before, row) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3), numbers(n, 4));
            let mut columns = Vec::new();
            transpose(&a, m, k, &mut columns);
            for left in [Left::Rows(&a), Left::Columns(&columns)] {
                for (start, from) in [
                    (Start::Zero, vec![0.0; m * n]),
                    (Start::Output, before.clone()),
                    (Start::Row(&row), row.repeat(m)),
                ] {
                    let mut out = before.clone();
                    matmul(&mut out, start, left, &b, shape);
                    let expected = naive(&from, &a, &b, shape);
                    let same = out.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{shape:?} {start:?}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "the right factor")]
    fn another_length_is_refused() {
        matmul(&mut [0.0; 4], Start::Zero, Left::Rows(&[0.0; 4]), &[0.0; 3], [2, 2, 2]);
    }
}
