//! One safe matrix product over strided views of slices, on one thread.
#![allow(unsafe_code)]

/// A strided view of a matrix in a slice: element `(i, j)` is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `rows` x `columns` numbers, row by row.
    pub(crate) fn row_major(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "a {rows} x {columns} matrix");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    pub(crate) fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// `out = a·b`, or `out += a·b` with `accumulate`; `out` is row-major `[a.rows, b.columns]`.
///
/// One thread, and a summation order that depends on the shapes alone: the same bits every time on one machine.
pub(crate) fn matmul(out: &mut [f32], accumulate: bool, a: Matrix<'_>, b: Matrix<'_>) {
    assert_eq!(a.columns, b.rows, "inner dimensions");
    assert_eq!(out.len(), a.rows * b.columns, "output of {} x {}", a.rows, b.columns);
    if out.is_empty() {
        return;
    }
    let scale = if accumulate { 1.0 } else { 0.0 };
    // SAFETY: `Matrix` is built only by `row_major`, whose assertion makes `data.len() == rows * columns`, and
    // `transposed`, which keeps the set of reachable indices; so every index that gemm forms from these sizes and
    // strides lies within its slice. `out` is borrowed mutably, hence apart from both, and its length is asserted.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            accumulate,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            scale,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Matrix, matmul};

    fn naive(a: &[f32], b: &[f32], m: usize, k: usize, n: usize) -> Vec<f32> {
        let mut out = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                out[i * n + j] = (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
            }
        }
        out
    }

    #[test]
    fn agrees_with_the_definition_over_shapes_and_transposes() {
        for (m, k, n) in [(1, 1, 1), (1, 64, 2), (4, 4, 64), (7, 5, 3), (128, 64, 64), (33, 17, 1)] {
            // Small integers: every product and sum is exact, so the order of summation cannot matter.
            let a: Vec<f32> = (0..m * k).map(|i| ((i * 7) % 11) as f32 - 5.0).collect();
            let b: Vec<f32> = (0..k * n).map(|i| ((i * 5) % 13) as f32 - 6.0).collect();
            let expected = naive(&a, &b, m, k, n);
            let mut out = vec![f32::NAN; m * n];
            matmul(&mut out, false, Matrix::row_major(&a, m, k), Matrix::row_major(&b, k, n));
            assert_eq!(out, expected, "{m} x {k} x {n}");
            let transposed: Vec<f32> = (0..m * k).map(|i| a[(i % m) * k + i / m]).collect();
            matmul(&mut out, true, Matrix::row_major(&transposed, k, m).transposed(), Matrix::row_major(&b, k, n));
            let doubled: Vec<f32> = expected.iter().map(|x| 2.0 * x).collect();
            assert_eq!(out, doubled, "accumulated, transposed {m} x {k} x {n}");
        }
    }
}
