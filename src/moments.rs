//! Mean and variance of numbers that come a few at a time.

use candle_core::{DType, Device, Tensor};

use crate::Result;
use crate::arrays::Arrays;
use crate::device::wide;

/// Added to a variance before the root of it divides.
pub(crate) const EPS: f64 = 1e-8;
/// Numbers on a device of which the moments are made together.
pub(crate) const TOGETHER: usize = 1 << 22;

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

    /// Of the rows of so many steps, `[T·N, D]`, where they are: first of each step's by themselves, then of all steps, so that a
    /// device has as many sums to make at once as there are steps and columns.
    ///
    /// In f64, as on the host: in f32 the mean of a million rows would have lost the bits that tell one rollout from the next, and
    /// squares beside a mean that is far from 0 all of theirs. Metal has no f64. The host waits once, for `2·D` numbers.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for what is no such matrix, and if the device fails.
    pub(crate) fn of_steps(rows: &Tensor, steps: usize) -> Result<Self> {
        let (count, width) = rows.dims2()?;
        let lanes = count / steps.max(1);
        let rows = rows.reshape((steps, lanes, width))?;
        let together = (TOGETHER / (lanes * width).max(1)).clamp(1, steps.max(1));
        let (mut means, mut squares) = (Vec::new(), Vec::new());
        for t in (0..steps).step_by(together) {
            let some = wide(&rows.narrow(0, t, together.min(steps - t))?)?;
            let mean = some.mean_keepdim(1)?;
            squares.push(some.broadcast_sub(&mean)?.sqr()?.sum(1)?);
            means.push(mean.squeeze(1)?);
        }
        let (means, squares) = (Tensor::cat(&means, 0)?, Tensor::cat(&squares, 0)?.sum(0)?);
        let mean = means.mean_keepdim(0)?;
        let apart = means.broadcast_sub(&mean)?.sqr()?.sum(0)?;
        let both = Tensor::stack(&[mean.squeeze(0)?, (squares + apart.affine(lanes as f64, 0.0)?)?], 0)?;
        let mut both = both.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec2()?.into_iter();
        let [mean, squares] = [(); 2].map(|()| both.next().unwrap_or_default());
        Ok(Self { count: count as u64, mean, squares })
    }

    /// Whether all of them are finite, as they are of numbers that are.
    pub(crate) fn are_finite(&self) -> bool {
        self.mean.iter().chain(&self.squares).all(|x| x.is_finite())
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
    use candle_core::{Device, Tensor};

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
    fn of_tensors_they_are_those_of_the_rows() {
        let numbers = |i: usize| [(i as f32 * 0.7).sin(), 1e4 + (i as f32 * 1.3).cos(), -3.0];
        for (steps, lanes) in [(1, 1), (1, 9), (37, 1), (37, 9), (3, 500_000)] {
            let rows: Vec<f32> = (0..steps * lanes).flat_map(numbers).collect();
            let tensor = Tensor::from_slice(&rows, (steps * lanes, 3), &Device::Cpu).expect("rows");
            let got = Moments::of_steps(&tensor, steps).expect("moments");
            let mut of_host = Moments::new(3);
            rows.chunks_exact(3).for_each(|row| of_host.add(row));
            assert_eq!(got.count, of_host.count);
            for (a, b) in got.mean.iter().zip(&of_host.mean) {
                assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{steps} x {lanes}: {a} {b}");
            }
            for (a, b) in got.squares.iter().zip(&of_host.squares) {
                assert!((a - b).abs() <= 1e-8 * b.abs(), "{steps} x {lanes}: {a} {b}");
            }
        }
        let rows = |x: f32| Tensor::new(&[[1.0f32], [x]], &Device::Cpu).expect("rows");
        for (x, is_finite) in [(3e38, true), (f32::INFINITY, false), (f32::NAN, false)] {
            assert_eq!(Moments::of_steps(&rows(x), 2).expect("moments").are_finite(), is_finite, "{x}");
        }
    }

    #[test]
    fn of_no_row_they_change_nothing() {
        let none = Moments::new(1);
        assert_eq!((none.mean(), none.variance().collect::<Vec<_>>()), (&[0.0][..], vec![1.0]));
    }
}
