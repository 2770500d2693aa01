//! Rows of estimates with their intervals: the scores of optimizers, and the quality of gradient estimators.

use plotters::prelude::*;

use super::{
    AXIS, Axis, Entry, Interval, PALETTE, Picture, PictureOptions, PlotError, Range, Swatch, check, in_units,
    rows::Rows,
};

/// How much of its colour an interval's bar has.
const BAR: f64 = 0.45;
/// What cannot be told from zero.
const UNSURE: RGBColor = RGBColor(150, 150, 150);
/// Magnitudes below the largest by more than this factor are drawn at the axis's end.
const SMALLEST: f64 = 1e-6;

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
    draw(options, ("Scores", Vec::new()), labels, &panels)
}

/// One panel of [`gradient_panels`].
#[derive(Debug, Clone, PartialEq)]
pub struct GradientPanel {
    /// What is shown, with its unit; not blank.
    pub name: String,
    /// A paler line below the name: which side is good.
    pub note: String,
    /// Whether the axis is logarithmic: for what is above zero and spans powers of ten. An interval that begins at or below
    /// zero is drawn to the axis's end, and so is one that has no end.
    pub logarithmic: bool,
    /// One value a row, in the rows' order; `None` where there is none.
    pub values: Vec<Option<GradientValue>>,
}

/// What a panel shows of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientValue {
    /// The value and its interval. Infinite ends are drawn to the axis's end.
    pub interval: Interval,
    /// Whether it can be told from zero; drawn grey if not.
    pub sure: bool,
}

/// Draws what gradient estimators are worth: a panel a quantity, in each a row an estimator, in the order given.
///
/// A bar is the interval, the dark stroke on it the estimate. The picture grows with the number of rows.
///
/// # Errors
/// A [`PlotError`] if there is no row or no panel, a panel has another number of values than there are rows or none that
/// is finite, a value is NaN, an option is out of range, or the height that was asked for is too small for the rows.
///
/// ```
/// use uphill::plot::{GradientPanel, GradientValue, PictureOptions, gradient_panels};
/// use uphill::stats::Interval;
///
/// let value = |point: f64| {
///     Some(GradientValue { interval: Interval { point, low: point / 2.0, high: point * 2.0 }, sure: true })
/// };
/// let snr = GradientPanel {
///     name: "signal-to-noise".into(),
///     note: "higher is better".into(),
///     logarithmic: true,
///     values: vec![value(0.02), value(0.5)],
/// };
/// let options = PictureOptions::new("CartPole-v1", 1, "batches of 8 episodes");
/// gradient_panels(&["REINFORCE", "GAE 0.95"], &[snr], &options)?.png()?;
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn gradient_panels(
    rows: &[&str],
    panels: &[GradientPanel],
    options: &PictureOptions,
) -> Result<Picture, PlotError> {
    options.style()?;
    check::labels("row", rows.iter().copied())?;
    check::labels("panel", panels.iter().map(|panel| panel.name.as_str()))?;
    let estimates: Vec<Estimates> =
        panels.iter().map(|panel| estimates(panel, rows.len())).collect::<Result<_, _>>()?;
    let mut entries = vec![(Swatch::Bar(PALETTE[0]), "estimate, with its interval".to_owned())];
    if panels.iter().flat_map(|panel| panel.values.iter().flatten()).any(|value| !value.sure) {
        entries.push((Swatch::Bar(UNSURE), "not told from zero by these batches".to_owned()));
    }
    draw(options, ("Quality of policy gradients", entries), rows.to_vec(), &estimates)
}

fn estimates(panel: &GradientPanel, rows: usize) -> Result<Estimates, PlotError> {
    let GradientPanel { name, note, logarithmic, values } = panel;
    check::same_length(name, values.len(), rows, "values")?;
    let mut range = check::NOWHERE;
    for Interval { point, low, high } in values.iter().flatten().map(|value| value.interval) {
        let reason = format!("{point} [{low}, {high}] is no value with an interval");
        check::that(low <= high && !point.is_nan(), name, reason)?;
        // What the axis can show: what is finite, and above zero if it is logarithmic.
        let shown = |x: &f64| x.is_finite() && (!logarithmic || *x > 0.0);
        [low, point, high].into_iter().filter(shown).for_each(|x| check::stretch(&mut range, x, x));
    }
    check::that(range != check::NOWHERE, name, "it has no value that its axis could show")?;
    if !logarithmic {
        check::stretch(&mut range, 0.0, 0.0);
    }
    let mark = |value: GradientValue| (value.interval, if value.sure { PALETTE[0] } else { UNSURE });
    let marks = values.iter().map(|value| value.map(mark)).collect();
    Ok(Estimates { heading: (name.clone(), note.clone()), logarithmic: *logarithmic, range, marks })
}

/// A panel of intervals.
struct Estimates {
    heading: (String, String),
    logarithmic: bool,
    /// What the axis must hold.
    range: Range,
    /// One a row; none where nothing is drawn.
    marks: Vec<Option<(Interval, RGBColor)>>,
}

/// Draws estimates under the names of rows: a bar is the interval, the dark stroke on it the point.
fn draw(
    options: &PictureOptions,
    header: (&str, Vec<Entry>),
    labels: Vec<&str>,
    panels: &[Estimates],
) -> Result<Picture, PlotError> {
    let style = options.style()?;
    let axis = |i: usize, width| {
        let Estimates { logarithmic, range: (from, to), .. } = panels[i];
        if logarithmic {
            return Axis::logarithmic((from.max(to * SMALLEST), to));
        }
        Axis::new((from, to), 0.06, style.count(width, 1.9, 6.0))
    };
    let headings = panels.iter().map(|panel| panel.heading.clone()).collect();
    let (numbers, room) = (LabelAreaPosition::Bottom, in_units(options.width) * 2 / 5);
    let rows = Rows { labels, headings, numbers, room, least: style.em(8.0), axis: &axis };
    rows.draw(options, header, |chart, (i, row), (top, bottom)| {
        let across = chart.plot.get_x_range();
        let at = |x: f64| chart.at(x.clamp(across.start, across.end), 0.0).0;
        if across.start < 0.0 && across.end > 0.0 {
            let zero = PathElement::new([(at(0.0), top), (at(0.0), bottom)], AXIS.stroke_width(style.hair));
            chart.area.draw(&zero)?;
        }
        let Some((Interval { point, low, high }, colour)) = panels[i].marks[row] else { return Ok(()) };
        let (middle, half) = ((top + bottom) / 2, ((bottom - top) * 3 / 10).min(style.em(0.5)));
        let bar = [(at(low), middle - half), (at(high), middle + half)];
        chart.area.draw(&Rectangle::new(bar, colour.mix(BAR).filled()))?;
        let (thin, tall) = (style.line as i32 / 2, half + style.em(0.12));
        let stroke = [(at(point) - thin, middle - tall), (at(point) + thin, middle + tall)];
        let stroke = Rectangle::new(stroke, colour.filled());
        if across.contains(&point) { chart.area.draw(&stroke) } else { Ok(()) }
    })
}
