//! Products of matrices whose rows and columns may begin anywhere, tile by tile in registers, on one thread and without an
//! allocation.
//!
//! Every element is one chain of fused products in the order of the inner dimension: the same bits on every instruction set,
//! whatever the tiles.
#![allow(unsafe_code)]

use std::mem::MaybeUninit;
use std::ops::Range;

use pulp::{MemMask, Simd, WithSimd};

use super::places::{Places, TILE};

/// Numbers in a row of a panel of the right factor: as many as a tile has.
pub(super) fn panel_width() -> usize {
    struct Width;
    impl WithSimd for Width {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES * if S::REGISTER_COUNT >= 32 { 4 } else { 2 }
        }
    }
    pulp::Arch::new().dispatch(Width)
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

/// A left factor: element `(i, l)` is the number at the place of row `i` plus that of column `l`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left<'a, R, D> {
    pub(super) numbers: &'a [f32],
    pub(super) rows: R,
    pub(super) depths: D,
}

/// A right factor.
#[derive(Debug, Clone, Copy)]
pub(super) enum Right<'a> {
    /// Rows that begin so far apart.
    Rows(&'a [f32], usize),
    /// Panels one after the other, of so many columns each, the [`panel_width`] or all, row by row.
    Panels(&'a [f32], usize),
}

/// `out = start + left·right`, with `left` `m` x `k`, `right` `k` x `n` and `out` `m` x `n`, whose rows begin at these places and
/// do not overlap.
///
/// Panics if a slice is too short: shapes are this crate's own affair.
pub(super) fn product<O: Places, R: Places, D: Places>(
    (out, outs): (&mut [f32], O),
    start: Start<'_>,
    left: Left<'_, R, D>,
    right: Right<'_>,
    [m, k, n]: [usize; 3],
) {
    if m == 0 || n == 0 {
        return;
    }
    assert!(outs.furthest(m) + n <= out.len(), "the product of {m} x {n}");
    if let Start::Row(row) = start {
        assert_eq!(row.len(), n, "the row that {m} x {n} numbers start from");
    }
    if k == 0 {
        for i in 0..m {
            // SAFETY: `furthest` was asked for `m`.
            let out = &mut out[unsafe { outs.at(i, 0) }..][..n];
            match start {
                Start::Zero => out.fill(0.0),
                Start::Output => {}
                Start::Row(row) => out.copy_from_slice(row),
            }
        }
        return;
    }
    assert!(left.rows.furthest(m) + left.depths.furthest(k) < left.numbers.len(), "the left factor of {m} x {k}");
    let (numbers, needed) = match right {
        Right::Rows(numbers, stride) => (numbers, (k - 1) * stride + n),
        Right::Panels(numbers, _) => (numbers, k * n),
    };
    assert!(needed <= numbers.len(), "the right factor of {k} x {n}");
    pulp::Arch::new().dispatch(Product { out, outs, start, left, right, m, k, n });
}

/// Checked factors, and what is made of them.
struct Product<'a, O, R, D> {
    out: &'a mut [f32],
    outs: O,
    start: Start<'a>,
    left: Left<'a, R, D>,
    right: Right<'a>,
    m: usize,
    k: usize,
    n: usize,
}

/// The most numbers of a panel, so many rows of two or four vectors of the right factor, which stays in the first cache.
const PANEL: usize = 8192;
/// A part of the right factor of more numbers than this is not in the first cache, or its rows push each other out of it, worst
/// at powers of two: a panel is then copied together, if there are [`MANY`] rows of the left factor to make up for it.
const NEAR: usize = 4096;
const MANY: usize = 12;
/// Steps along the inner dimension between two looks at its end, which would take as long as a step.
const SEVERAL: usize = 4;

impl<O: Places, R: Places, D: Places> WithSimd for Product<'_, O, R, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // Of four vectors of sixteen numbers, or of two of eight.
        let deep = if S::REGISTER_COUNT >= 32 { 128 } else { 256 };
        let mut depth = 0;
        while depth < self.k {
            let next = (depth + deep).min(self.k);
            // Six rows of four vectors, their four of the right factor and one of the left are 29 registers; of two, 15. Two rows
            // of four vectors go into 16, too: more sums under way are waited for less.
            let few = self.m < 4 && matches!(self.right, Right::Rows(..));
            let mut column = 0;
            while (S::REGISTER_COUNT >= 32 || few) && column + 4 * S::F32_LANES <= self.n {
                self.columns::<S, 4>(simd, column, depth..next);
                column += 4 * S::F32_LANES;
            }
            while column + 2 * S::F32_LANES <= self.n {
                self.columns::<S, 2>(simd, column, depth..next);
                column += 2 * S::F32_LANES;
            }
            while column + S::F32_LANES <= self.n {
                self.columns::<S, 1>(simd, column, depth..next);
                column += S::F32_LANES;
            }
            if column < self.n {
                let right = self.right_from(column, depth);
                self.rows::<S, 1, true>(simd, column, depth..next, right);
            }
            (self.start, depth) = (Start::Output, next);
        }
    }
}

impl<'a, O: Places, R: Places, D: Places> Product<'a, O, R, D> {
    /// The right factor from a row and a column on, and what is between two of its rows.
    #[inline(always)]
    fn right_from(&self, column: usize, depth: usize) -> (&'a [f32], usize) {
        match self.right {
            Right::Rows(numbers, stride) => (&numbers[depth * stride + column..], stride),
            Right::Panels(numbers, width) => {
                let first = column / width * width;
                let stride = width.min(self.n - first);
                (&numbers[first * self.k + depth * stride + column - first..], stride)
            }
        }
    }

    /// All rows of `V` vectors from `column` on, over a part of the inner dimension.
    #[inline(always)]
    fn columns<S: Simd, const V: usize>(&mut self, simd: S, column: usize, depth: Range<usize>) {
        let (width, (numbers, stride)) = (V * S::F32_LANES, self.right_from(column, depth.start));
        let is_near = stride == width || depth.len() * stride <= NEAR;
        if is_near || self.m < MANY || depth.len() * width > PANEL {
            return self.rows::<S, V, false>(simd, column, depth, (numbers, stride));
        }
        let mut panel = [const { MaybeUninit::<f32>::uninit() }; PANEL];
        for (l, to) in panel.chunks_exact_mut(width).take(depth.len()).enumerate() {
            let from = &numbers[l * stride..][..width];
            to.iter_mut().zip(from).for_each(|(to, &b)| {
                to.write(b);
            });
            prefetch(from.as_ptr().wrapping_add(width));
        }
        // SAFETY: the loop has written `width` numbers for each row, one row after the other, as many as a panel has at most.
        let panel = unsafe { std::slice::from_raw_parts(panel.as_ptr().cast::<f32>(), depth.len() * width) };
        self.rows::<S, V, false>(simd, column, depth, (panel, width));
    }

    /// The same with those vectors of the right factor, and what is between two of their rows; a `PART` of one is what
    /// columns are left.
    #[inline(always)]
    fn rows<S: Simd, const V: usize, const PART: bool>(
        &mut self,
        simd: S,
        column: usize,
        depth: Range<usize>,
        right: (&[f32], usize),
    ) {
        let width = if PART { self.n - column } else { V * S::F32_LANES };
        assert!(right.0.len() >= (depth.len() - 1) * right.1 + width && column + width <= self.n);
        let mut row = 0;
        // SAFETY: `product` and the line above have asserted what each needs; rows are counted to `m`.
        unsafe {
            while row + TILE <= self.m {
                self.tile::<S, TILE, V, PART>(simd, [row, column], depth.clone(), right);
                row += TILE;
            }
            while row + 4 <= self.m {
                self.tile::<S, 4, V, PART>(simd, [row, column], depth.clone(), right);
                row += 4;
            }
            while row + 2 <= self.m {
                self.tile::<S, 2, V, PART>(simd, [row, column], depth.clone(), right);
                row += 2;
            }
            if row < self.m {
                self.tile::<S, 1, V, PART>(simd, [row, column], depth, right);
            }
        }
    }

    /// `T` rows of `V` vectors, whose sums stay in registers.
    ///
    /// # Safety
    /// `product` has checked the factors, rows and columns lie within `m` and `n`, the depth within `k`, and `right` holds as many
    /// rows of `V` vectors, or of such a `PART` of one.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "closures within iterators are not always compiled along")]
    unsafe fn tile<S: Simd, const T: usize, const V: usize, const PART: bool>(
        &mut self,
        simd: S,
        [row, column]: [usize; 2],
        depth: Range<usize>,
        (right, stride): (&[f32], usize),
    ) {
        // SAFETY: the caller says so; vectors are plain numbers without an alignment of their own in unaligned reads and writes,
        // and what is past the columns is neither read nor written.
        unsafe {
            let part = simd.mask_between_m32s(0, (self.n - column) as u32);
            let out = self.out.as_mut_ptr().add(column);
            let left = self.left.numbers.as_ptr();
            let (mut outs, mut lefts) = ([out; T], [left; T]);
            let mut sums = [[simd.splat_f32s(0.0); V]; T];
            for r in 0..T {
                outs[r] = out.add(self.outs.at(row, r));
                lefts[r] = left.add(self.left.rows.at(row, r));
                let from = match self.start {
                    Start::Zero => continue,
                    Start::Output => outs[r].cast_const(),
                    Start::Row(start) => start.as_ptr().add(column),
                };
                for v in 0..V {
                    sums[r][v] = load::<S, PART>(simd, from.add(v * S::F32_LANES), part);
                }
            }
            let (mut l, mut b) = (depth.start, right.as_ptr());
            while l + SEVERAL <= depth.end {
                for u in 0..SEVERAL {
                    one::<S, T, V, PART>(simd, &mut sums, &lefts, self.left.depths.at(l, u), b, part);
                    b = b.wrapping_add(stride);
                }
                l += SEVERAL;
            }
            while l < depth.end {
                one::<S, T, V, PART>(simd, &mut sums, &lefts, self.left.depths.at(l, 0), b, part);
                b = b.wrapping_add(stride);
                l += 1;
            }
            for r in 0..T {
                prefetch(outs[r].wrapping_add(V * S::F32_LANES));
                for v in 0..V {
                    match PART {
                        true => simd.mask_store_ptr_f32s(part, outs[r], sums[r][v]),
                        false => outs[r].add(v * S::F32_LANES).cast::<S::f32s>().write_unaligned(sums[r][v]),
                    }
                }
            }
        }
    }
}

/// Has the machine fetch what is here for the next column.
#[inline(always)]
fn prefetch(from: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: any address will do.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(from.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = from;
}

/// Adds the products of one row of the right factor, at `b`, to sums.
///
/// # Safety
/// It has so many numbers, and each row of the left factor one in the place `at`.
#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "closures within iterators are not always compiled along")]
unsafe fn one<S: Simd, const T: usize, const V: usize, const PART: bool>(
    simd: S,
    sums: &mut [[S::f32s; V]; T],
    lefts: &[*const f32; T],
    at: usize,
    b: *const f32,
    part: MemMask<S::m32s>,
) {
    // SAFETY: the caller says so.
    unsafe {
        let mut right = [simd.splat_f32s(0.0); V];
        for v in 0..V {
            right[v] = load::<S, PART>(simd, b.add(v * S::F32_LANES), part);
        }
        for r in 0..T {
            let left = simd.splat_f32s(*lefts[r].add(at));
            for v in 0..V {
                sums[r][v] = simd.mul_add_f32s(left, right[v], sums[r][v]);
            }
        }
    }
}

/// A vector of numbers, or a part of one.
///
/// # Safety
/// All of them, or those of the part, are there.
#[inline(always)]
unsafe fn load<S: Simd, const PART: bool>(simd: S, from: *const f32, part: MemMask<S::m32s>) -> S::f32s {
    // SAFETY: the caller says so, and reads need no alignment.
    unsafe { if PART { simd.mask_load_ptr_f32s(part, from) } else { from.cast::<S::f32s>().read_unaligned() } }
}

#[cfg(test)]
mod tests;
