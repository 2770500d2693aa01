//! Means over pairs of different batches.

use crate::stats::StatsError;

/// Batches below which a bootstrap over them says nothing.
const LEAST: usize = 10;

/// What is left of a squared length, as a share of the largest, that is rounding: gradients are `f32`.
const ROUNDING: f64 = 1e-12;

/// `B` independent gradients in coordinates that keep all of their inner products, up to rounding: as many as they have
/// dimensions together, at most `B`. A mean over all pairs is then a sum over batches, for
///
/// ```math
///   Σ over a ≠ b of wₐ·w_b·gₐ·g_b = |Σₐ wₐ·gₐ|² − Σₐ wₐ²·|gₐ|²
/// ```
pub(super) struct Pairs {
    /// `[B, D]`.
    gradients: Points,
    /// The same, each of length 1; 0 where one of them is 0, which points nowhere.
    directions: Points,
    /// The exact gradient, `[D]`, if there is one.
    pub(super) exact: Option<Vec<f64>>,
}

/// What is the mean over pairs.
pub(super) struct Means {
    /// Of `gₐ·g_b`: estimates `|E g|²`.
    pub(super) norm_squared: f64,
    /// Of `|gₐ − g_b|² / 2`: estimates `tr Cov g`.
    pub(super) variance: f64,
    /// Of `cos(gₐ, g_b)`.
    pub(super) cosine: f64,
}

/// Points in space.
pub(super) struct Points {
    dimensions: usize,
    /// `[B, D]`.
    values: Vec<f64>,
    /// The squared length of each, `[B]`.
    squares: Vec<f64>,
}

impl Points {
    /// These points, `[B, D]`.
    pub(super) fn new(values: Vec<f64>, dimensions: usize) -> Self {
        let squares = values.chunks_exact(dimensions).map(|point| dot(point, point)).collect();
        Self { dimensions, values, squares }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.dimensions)
    }

    /// The same with each of them changed.
    pub(super) fn map(&self, change: impl Fn(usize, &[f64], &mut [f64])) -> Self {
        let mut values = vec![0.0; self.values.len()];
        let rows = self.rows().zip(values.chunks_exact_mut(self.dimensions));
        rows.enumerate().for_each(|(i, (from, to))| change(i, from, to));
        Self::new(values, self.dimensions)
    }

    /// The sum of so much of each, into `[D]`.
    pub(super) fn sum(&self, weights: &[f64], sum: &mut Vec<f64>) {
        sum.clear();
        sum.resize(self.dimensions, 0.0);
        for (row, &weight) in self.rows().zip(weights).filter(|(_, weight)| **weight != 0.0) {
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += weight * x);
        }
    }

    /// `Σ over a ≠ b of wₐ·w_b·xₐ·x_b`; `room` is overwritten.
    pub(super) fn over_pairs(&self, weights: &[f64], room: &mut Vec<f64>) -> f64 {
        self.sum(weights, room);
        let own: f64 = weights.iter().zip(&self.squares).map(|(weight, square)| weight * weight * square).sum();
        dot(room, room) - own
    }
}

impl Pairs {
    /// The pairs of gradients `[B, P]`, and the exact one, `[P]`.
    pub(super) fn of(gradients: &[Vec<f32>], exact: Option<&[f32]>) -> Result<Pairs, StatsError> {
        let batches = gradients.len();
        if batches < LEAST {
            let expected = "at least 10: fewer say nothing of how they vary";
            return Err(StatsError::Option { name: "batches", value: batches.to_string(), expected });
        }
        let parameters = gradients.first().map_or(0, Vec::len);
        for (i, gradient) in gradients.iter().enumerate() {
            check(&format!("the gradient of batch {i}"), gradient, parameters)?;
        }
        exact.map_or(Ok(()), |exact| check("the exact gradient", exact, parameters))?;
        let rows: Vec<&[f32]> = gradients.iter().map(Vec::as_slice).chain(exact).collect();
        let (mut coordinates, dimensions) = coordinates(&rows);
        let exact = exact.map(|_| coordinates.split_off(batches * dimensions));
        let gradients = Points::new(coordinates, dimensions);
        let directions = gradients.map(|i, from, to| {
            let norm = gradients.squares[i].sqrt();
            to.iter_mut().zip(from).for_each(|(to, x)| *to = if norm > 0.0 { x / norm } else { 0.0 });
        });
        Ok(Pairs { gradients, directions, exact })
    }

    pub(super) fn gradients(&self) -> &Points {
        &self.gradients
    }

    pub(super) fn batches(&self) -> usize {
        self.gradients.squares.len()
    }

    /// The means over pairs of different batches, each batch counted so many times. Copies of one batch are no pair: they
    /// are not independent, and would lend the signal their noise.
    pub(super) fn means(&self, counts: &[f64], room: &mut Vec<f64>) -> Means {
        let all: f64 = counts.iter().sum();
        let (mut pairs, mut square) = (0.0, 0.0);
        for (&count, own) in counts.iter().zip(&self.gradients.squares) {
            pairs += count * (all - count);
            square += count * (all - count) * own;
        }
        let norm_squared = self.gradients.over_pairs(counts, room) / pairs;
        let variance = (square / pairs - norm_squared).max(0.0);
        Means { norm_squared, variance, cosine: self.directions.over_pairs(counts, room) / pairs }
    }
}

/// Rows `[B, P]` in as few coordinates `[B, D]`, at least 1, as keep their inner products: by pivoted Gram-Schmidt, which is
/// the pivoted Cholesky factor of these products, one column after another until what is left is rounding. Golub and Van Loan
/// 2013, *Matrix Computations*, section 4.2.8.
fn coordinates(rows: &[&[f32]]) -> (Vec<f64>, usize) {
    let product = |x: &[f32], y: &[f32]| {
        // In lanes, which one sum would not be.
        let mut sums = [0.0; 8];
        let (x, y) = (x.chunks(8), y.chunks(8));
        x.zip(y).for_each(|(x, y)| {
            sums.iter_mut().zip(x).zip(y).for_each(|((sum, x), y)| *sum += f64::from(*x) * f64::from(*y));
        });
        sums.iter().sum::<f64>()
    };
    let mut left: Vec<f64> = rows.iter().map(|row| product(row, row)).collect();
    let least = ROUNDING * left.iter().copied().fold(0.0, f64::max);
    let mut columns: Vec<Vec<f64>> = Vec::new();
    while let Some((pivot, &square)) = left.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)) {
        if square <= least || columns.len() == rows.len() {
            break;
        }
        let length = square.sqrt();
        let mut column: Vec<f64> = rows.iter().map(|row| product(row, rows[pivot])).collect();
        for known in &columns {
            let of_pivot = known[pivot];
            column.iter_mut().zip(known).for_each(|(x, known)| *x -= of_pivot * known);
        }
        column.iter_mut().for_each(|x| *x /= length);
        left.iter_mut().zip(&column).for_each(|(left, x)| *left -= x * x);
        left[pivot] = 0.0;
        columns.push(column);
    }
    if columns.is_empty() {
        columns.push(vec![0.0; rows.len()]);
    }
    let values = (0..rows.len()).flat_map(|row| columns.iter().map(move |column| column[row]));
    (values.collect(), columns.len())
}

pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// A gradient has as many parameters as the others, all finite.
pub(super) fn check(what: &str, gradient: &[f32], parameters: usize) -> Result<(), StatsError> {
    if gradient.len() != parameters || parameters == 0 {
        let (what, got, expected) = (what.to_owned(), gradient.len(), parameters.max(1));
        return Err(StatsError::Length { what, got, expected, each: "parameter" });
    }
    match gradient.iter().position(|g| !g.is_finite()) {
        None => Ok(()),
        Some(i) => {
            let value = f64::from(gradient[i]);
            Err(StatsError::NotFinite { what: format!("{what} at parameter {i}"), value })
        }
    }
}
