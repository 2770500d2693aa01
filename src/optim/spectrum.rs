//! The sides of a matrix: statistics of a gradient's rows and columns, and their eigenvalues.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut, Dyn, SymmetricEigen};

use super::Need;
use crate::{Block, Error, Result};

/// Rounds after which the eigenvalue iteration is given up; it takes about two a row.
const ROUNDS: usize = 100_000;

/// The range of `max_dim`: a square matrix of the longest side has 2 GiB in f64.
pub(super) const LONGEST: (u64, u64) = (1, 16_384);

/// Rows and columns of a block as nalgebra sees it, column by column: a block `[m, n]` is an `n × m` matrix, a tensor
/// one of as many columns as its first dimension. `None` for a vector and for what is empty.
pub(super) fn sides(block: &Block) -> Option<(usize, usize)> {
    let [first, rest @ ..] = block.shape.as_slice() else { return None };
    (!rest.is_empty() && block.elem_count() > 0).then(|| (rest.iter().product(), *first))
}

/// A square matrix.
pub(super) fn square(numbers: &[f64], n: usize) -> DMatrixView<'_, f64> {
    DMatrixView::from_slice(numbers, n, n)
}

/// Eigenvalues and eigenvectors of a symmetric matrix.
pub(super) fn eigen(block: &Block, matrix: DMatrix<f64>) -> Result<SymmetricEigen<f64, Dyn>> {
    SymmetricEigen::try_new(matrix, f64::EPSILON, ROUNDS)
        .ok_or_else(|| Error::NotFinite { what: format!("an eigenvalue of the statistics of {}", block.name) })
}

/// Matrices of a side that finding its eigenvalues, or renewing its basis, has at a time.
const EIGEN_ROOM: usize = 8;
/// Times that a side's length to the third is multiplied for that, about.
const EIGEN_PRODUCTS: f64 = 10.0;

/// What working with blocks of these shapes needs, if `turns` products with each side of up to `max_dim` are taken in every
/// step, and eigenvalues every `frequency` steps.
pub(super) fn work(blocks: impl Iterator<Item = (usize, usize)>, max_dim: usize, turns: usize, frequency: u64) -> Need {
    let (mut rooms, mut longest, mut multiplications) = (0, 0, 0.0);
    for (rows, columns) in blocks {
        rooms += 4 * rows * columns;
        for (n, other) in [(rows, columns), (columns, rows)].into_iter().filter(|&(n, _)| n > 1 && n <= max_dim) {
            longest = longest.max(n);
            let square = (n * n) as f64;
            multiplications += square * (turns * other) as f64 + EIGEN_PRODUCTS * square * n as f64 / frequency as f64;
        }
    }
    Need { state: 0, work: size_of::<f64>() * (rooms + EIGEN_ROOM * longest * longest), multiplications }
}

/// A gradient as a matrix in f64, and room for its arithmetic.
#[derive(Debug, Clone, Default)]
pub(super) struct Room {
    pub(super) x: DMatrix<f64>,
    transposed: DMatrix<f64>,
    /// What becomes of it.
    pub(super) y: DMatrix<f64>,
    product: DMatrix<f64>,
}

impl Room {
    /// Takes in a gradient that has `rows` rows.
    pub(super) fn read(&mut self, g: &[f32], (rows, columns): (usize, usize)) {
        if self.x.shape() != (rows, columns) {
            [&mut self.x, &mut self.y, &mut self.product]
                .into_iter()
                .for_each(|matrix| *matrix = DMatrix::zeros(rows, columns));
            self.transposed = DMatrix::zeros(columns, rows);
        }
        self.x.iter_mut().zip(g).for_each(|(x, &g)| *x = f64::from(g));
        self.x.transpose_to(&mut self.transposed);
        self.y.copy_from(&self.x);
    }

    /// Writes out what became of it.
    pub(super) fn write(&self, g: &mut [f32]) {
        g.iter_mut().zip(self.y.iter()).for_each(|(g, y)| *g = *y as f32);
    }

    /// `statistic ← keep·statistic + gain·X·Xᵀ`.
    pub(super) fn add_rows(&self, statistic: &mut [f64], keep: f64, gain: f64) {
        let n = self.x.nrows();
        DMatrixViewMut::from_slice(statistic, n, n).gemm(gain, &self.x, &self.transposed, keep);
    }

    /// `statistic ← keep·statistic + gain·Xᵀ·X`.
    pub(super) fn add_columns(&self, statistic: &mut [f64], keep: f64, gain: f64) {
        let n = self.x.ncols();
        DMatrixViewMut::from_slice(statistic, n, n).gemm(gain, &self.transposed, &self.x, keep);
    }

    /// `Y ← A·Y`.
    pub(super) fn multiply_left(&mut self, a: &DMatrixView<'_, f64>) {
        self.product.gemm(1.0, a, &self.y, 0.0);
        std::mem::swap(&mut self.y, &mut self.product);
    }

    /// `Y ← Aᵀ·Y`.
    pub(super) fn multiply_left_transposed(&mut self, a: &DMatrixView<'_, f64>) {
        self.product.gemm_tr(1.0, a, &self.y, 0.0);
        std::mem::swap(&mut self.y, &mut self.product);
    }

    /// `Y ← Y·A`.
    pub(super) fn multiply_right(&mut self, a: &DMatrixView<'_, f64>) {
        self.product.gemm(1.0, &self.y, a, 0.0);
        std::mem::swap(&mut self.y, &mut self.product);
    }
}
