//! Mean and variance of numbers that come a few at a time.

use crate::Result;
use crate::arrays::Arrays;

/// Added to a variance before the root of it divides.
pub(crate) const EPS: f64 = 1e-8;

/// Count, means and sums of squared deviations of rows of `D` numbers.
///
/// Row by row after Welford 1962, <https://doi.org/10.1080/00401706.1962.10490022>; two of them together after Chan et al. 1979,
/// <http://i.stanford.edu/pub/cstr/reports/cs/tr/79/773/CS-TR-79-773.pdf>.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Moments {
    count: u64,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// Of no row yet.
    pub(crate) fn new(width: usize) -> Self {
        Self { count: 0, mean: vec![0.0; width], squares: vec![0.0; width] }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: &[f32]) {
        self.count += 1;
        let share = 1.0 / self.count as f64;
        for ((mean, squares), &x) in self.mean.iter_mut().zip(&mut self.squares).zip(row) {
            let before = f64::from(x) - *mean;
            *mean += share * before;
            *squares += before * (f64::from(x) - *mean);
        }
    }

    /// Adds the rows of others.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        let (ours, theirs) = (self.count as f64, other.count as f64);
        self.count += other.count;
        let share = theirs / (ours + theirs);
        for (i, (mean, squares)) in self.mean.iter_mut().zip(&mut self.squares).enumerate() {
            let apart = other.mean[i] - *mean;
            *mean += share * apart;
            *squares += other.squares[i] + ours * share * apart * apart;
        }
    }

    /// The mean of each column, 0 of none.
    pub(crate) fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The variance of each column (divisor `n`), 1 of none.
    pub(crate) fn variance(&self) -> impl Iterator<Item = f64> {
        self.squares.iter().map(|squares| if self.count == 0 { 1.0 } else { squares / self.count as f64 })
    }

    /// The same to bring numbers to scale by: 1 of a single row, too, which does not tell how they vary.
    pub(crate) fn scale(&self) -> impl Iterator<Item = f64> {
        let is_told = self.count > 1;
        self.variance().map(move |variance| if is_told { variance } else { 1.0 })
    }

    /// Adds them to `arrays`, the names after `prefix`.
    pub(crate) fn save(&self, prefix: &str, arrays: &mut Arrays) {
        arrays.put(format!("{prefix}.count"), vec![self.count]);
        arrays.put(format!("{prefix}.mean"), self.mean.clone());
        arrays.put(format!("{prefix}.squares"), self.squares.clone());
    }

    /// Goes on from what [`Moments::save`] left.
    pub(crate) fn restore(&mut self, prefix: &str, arrays: &Arrays) -> Result<()> {
        self.count = arrays.one(&format!("{prefix}.count"))?;
        arrays.copy(&format!("{prefix}.mean"), &mut self.mean)?;
        arrays.copy(&format!("{prefix}.squares"), &mut self.squares)
    }
}

#[cfg(test)]
mod tests {
    use super::Moments;

    /// Mean and variance of a column in two passes.
    fn plain(column: impl Iterator<Item = f32> + Clone) -> (f64, f64) {
        let n = column.clone().count() as f64;
        let mean = column.clone().map(f64::from).sum::<f64>() / n;
        (mean, column.map(|x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n)
    }

    #[test]
    fn in_pieces_they_are_those_of_all() {
        // A column far from 0 for its width, which plain sums of squares would lose.
        let rows: Vec<[f32; 2]> = (0..1_000).map(|i| [(i as f32 * 0.7).sin(), 1e4 + (i as f32 * 1.3).cos()]).collect();
        let mut all = Moments::new(2);
        for piece in [&rows[..1], &rows[1..1], &rows[1..400], &rows[400..]] {
            let mut part = Moments::new(2);
            piece.iter().for_each(|row| part.add(row));
            all.merge(&part);
        }
        for column in 0..2 {
            let (mean, variance) = plain(rows.iter().map(|row| row[column]));
            let got = all.variance().nth(column).expect("a column");
            assert!((all.mean()[column] - mean).abs() < 1e-9 * mean.abs().max(1.0), "{} {mean}", all.mean()[column]);
            assert!((got / variance - 1.0).abs() < 1e-9, "{got} {variance}");
        }
    }

    #[test]
    fn of_no_row_they_change_nothing() {
        let none = Moments::new(1);
        assert_eq!((none.mean(), none.variance().collect::<Vec<_>>()), (&[0.0][..], vec![1.0]));
    }
}
