//! Matrices turned round, as passes forward take the weights that passes backward take as they are.
#![allow(unsafe_code)]

/// The side of the squares that are turned one after the other.
const SIDE: usize = 8;

/// Turns `rows` x `columns` numbers, row by row, round: `out` is `columns` x `rows`.
///
/// Panics if `x` has another length.
pub(crate) fn transpose(x: &[f32], rows: usize, columns: usize, out: &mut Vec<f32>) {
    out.resize(x.len(), 0.0);
    transpose_to(x, rows, columns, out);
}

/// The same into room of that length.
pub(crate) fn transpose_to(x: &[f32], rows: usize, columns: usize, out: &mut [f32]) {
    assert_eq!([x.len(), out.len()], [rows * columns; 2], "{rows} x {columns} numbers to transpose");
    // Square by square, so that both sides stay in the cache; what is left at the borders number by number.
    let whole = [rows - rows % SIDE, columns - columns % SIDE];
    turn_squares(x, [rows, columns], whole, out);
    for row in 0..rows {
        for column in if row < whole[0] { whole[1] } else { 0 }..columns {
            out[column * rows + row] = x[row * columns + column];
        }
    }
}

/// The corners of all squares in so many rows and columns.
fn corners([rows, columns]: [usize; 2]) -> impl Iterator<Item = [usize; 2]> {
    (0..rows).step_by(SIDE).flat_map(move |top| (0..columns).step_by(SIDE).map(move |left| [top, left]))
}

/// The squares of `whole` rows and columns among all of them.
fn turn_squares(x: &[f32], [rows, columns]: [usize; 2], whole: [usize; 2], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx") {
        // SAFETY: the machine has AVX, and whoever calls has asserted that both slices hold all rows and columns.
        return unsafe { turn_squares_avx(x.as_ptr(), [rows, columns], whole, out.as_mut_ptr()) };
    }
    for [top, left] in corners(whole) {
        for column in left..left + SIDE {
            let to = &mut out[column * rows + top..][..SIDE];
            to.iter_mut().enumerate().for_each(|(row, to)| *to = x[(top + row) * columns + column]);
        }
    }
}

/// The same, each in registers.
///
/// # Safety
/// `x` points to `rows` times `columns` numbers, `out` to as many, and `whole` are no more than there are.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx")]
unsafe fn turn_squares_avx(x: *const f32, [rows, columns]: [usize; 2], whole: [usize; 2], out: *mut f32) {
    for [top, left] in corners(whole) {
        // SAFETY: the caller says that all of these rows are there.
        unsafe { turn_square_avx(x.add(top * columns + left), columns, out.add(left * rows + top), rows) };
    }
}

/// One square: pairs of rows interleaved, then pairs of pairs, then halves exchanged.
///
/// # Safety
/// `x` and `out` point to eight rows of eight numbers each, so far apart.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx")]
unsafe fn turn_square_avx(x: *const f32, stride: usize, out: *mut f32, out_stride: usize) {
    use std::arch::x86_64::{
        __m256, _mm256_loadu_ps as load, _mm256_permute2f128_ps as halves, _mm256_shuffle_ps as pairs,
        _mm256_storeu_ps as store, _mm256_unpackhi_ps as high, _mm256_unpacklo_ps as low,
    };
    // SAFETY: the caller says that all of these rows are there; reads and writes need no alignment.
    unsafe {
        let row: [__m256; SIDE] = std::array::from_fn(|r| load(x.add(r * stride)));
        let four = |r: usize| {
            let [a, b, c, d] = [row[r], row[r + 1], row[r + 2], row[r + 3]];
            let [ab, cd, ab_high, cd_high] = [low(a, b), low(c, d), high(a, b), high(c, d)];
            [
                pairs::<0x44>(ab, cd),
                pairs::<0xee>(ab, cd),
                pairs::<0x44>(ab_high, cd_high),
                pairs::<0xee>(ab_high, cd_high),
            ]
        };
        for (column, (upper, lower)) in four(0).into_iter().zip(four(4)).enumerate() {
            store(out.add(column * out_stride), halves::<0x20>(upper, lower));
            store(out.add((column + 4) * out_stride), halves::<0x31>(upper, lower));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SIDE, transpose};

    #[test]
    fn every_number_goes_where_it_belongs_and_back() {
        for (rows, columns) in
            [(1, 1), (3, 50), (64, 4), (17, 33), (0, 5), (5, 0), (SIDE, SIDE), (2 * SIDE, 3 * SIDE + 1), (64, 64)]
        {
            let x: Vec<f32> = (0..rows * columns).map(|i| i as f32 - 7.5).collect();
            let (mut transposed, mut back) = (Vec::new(), Vec::new());
            transpose(&x, rows, columns, &mut transposed);
            for i in 0..rows {
                for j in 0..columns {
                    assert_eq!(transposed[j * rows + i], x[i * columns + j], "{rows} x {columns}: {i}, {j}");
                }
            }
            transpose(&transposed, columns, rows, &mut back);
            assert_eq!(back, x);
        }
    }
}
