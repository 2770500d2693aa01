//! Interval estimates, one row an optimizer, one panel a metric.

use super::{Interval, PALETTE, Picture, PictureOptions, PlotError, Range, check, rows, rows::Estimates};

/// One row of [`interval_rows`].
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalRow {
    /// What it is called, such as the optimizer; not blank.
    pub label: String,
    /// One interval a metric, in the metrics' order.
    pub intervals: Vec<Interval>,
}

/// Draws interval estimates: a panel for each metric, such as IQM, mean, median and optimality gap, and in each a row
/// for each optimizer, the highest of the first metric at the top.
///
/// A bar is the interval, the dark stroke on it the point estimate. The picture grows with the number of rows.
///
/// As figure 9 of Agarwal et al. 2021, <https://arxiv.org/abs/2108.13264>.
///
/// # Errors
/// A [`PlotError`] if there is no metric or no row, a row has another number of intervals than there are metrics, a
/// number is not finite, an option is out of range, or the height that was asked for is too small for the rows.
///
/// ```
/// use uphill::plot::{IntervalRow, PictureOptions, interval_rows};
/// use uphill::stats::Interval;
///
/// let row = |label: &str, point: f64| IntervalRow {
///     label: label.into(),
///     intervals: vec![Interval { point, low: point - 0.05, high: point + 0.05 }; 2],
/// };
/// let options = PictureOptions::new("7 tasks", 30, "95% stratified bootstrap intervals");
/// let rows = [row("sgd", 0.4), row("adam", 0.8)];
/// interval_rows(&["IQM", "mean"], &rows, &options)?.png()?;
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn interval_rows(metrics: &[&str], rows: &[IntervalRow], options: &PictureOptions) -> Result<Picture, PlotError> {
    options.style()?;
    check::labels("metric", metrics.iter().copied())?;
    check::labels("row", rows.iter().map(|row| row.label.as_str()))?;
    let mut ranges = vec![check::NOWHERE; metrics.len()];
    for IntervalRow { label, intervals } in rows {
        check::same_length(label, intervals.len(), metrics.len(), "intervals")?;
        for (range, interval) in ranges.iter_mut().zip(intervals) {
            check::hold(label, range, *interval)?;
        }
    }
    let mut sorted: Vec<&IntervalRow> = rows.iter().collect();
    sorted.sort_by(|a, b| b.intervals[0].point.total_cmp(&a.intervals[0].point));
    let panel = |(i, range): (usize, Range)| Estimates {
        heading: (metrics[i].to_owned(), String::new()),
        logarithmic: false,
        range,
        marks: sorted.iter().map(|row| Some((row.intervals[i], PALETTE[0]))).collect(),
    };
    let panels: Vec<Estimates> = ranges.into_iter().enumerate().map(panel).collect();
    let labels = sorted.iter().map(|row| row.label.as_str()).collect();
    rows::draw(options, ("Scores", Vec::new()), labels, &panels)
}
