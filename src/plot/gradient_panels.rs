//! The quality of gradient estimators: one row an estimator, one panel a quantity.

use plotters::{
    element::{Circle, PathElement, Rectangle},
    style::{Color, RGBColor},
};

use super::{
    Picture, PictureOptions, PlotError,
    axis::{Axis, Quantity},
    check,
    header::{Entry, Swatch},
    look::{Marker, PALETTE},
    rows::{BAR, Rows},
    sheet::Heading,
    style::{FAINT, Style},
};
use crate::stats::Interval;

/// What cannot be told from zero.
const UNSURE: RGBColor = RGBColor(150, 150, 150);
/// Magnitudes below the largest by more than this are drawn at the axis's end.
const DECADES: f64 = 6.0;

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
/// A dot is the estimate, the line through it the interval. The picture grows with the number of rows.
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
    let style = options.style()?;
    let ranges = checked(rows, panels)?;
    let mut all = panels.iter().flat_map(|panel| panel.values.iter().flatten());
    let mut entries = vec![Entry::new(Swatch::Mark(Marker::Disc, PALETTE[0]), "estimate, with its interval")];
    if all.any(|value| !value.sure) {
        entries.push(Entry::new(Swatch::Mark(Marker::Disc, UNSURE), "not told from zero by these batches"));
    }
    let heading = |panel: &GradientPanel| Heading { name: panel.name.clone(), note: panel.note.clone() };
    let table = Rows {
        labels: rows.to_vec(),
        headings: panels.iter().map(heading).collect(),
        least: style.em(9.0),
        axis: &|i, width| axis(&style, width, panels[i].logarithmic, ranges[i]),
    };
    table.draw(options, ("Quality of policy gradients", entries), |chart, i, row| {
        let (from, to) = chart.across();
        let at = |x: f64| chart.at(x.clamp(from, to), 0.0).0;
        if !panels[i].logarithmic {
            let zero = [row.middle - row.height / 2, row.middle + row.height / 2].map(|y| (at(0.0), y));
            chart.area.draw(&PathElement::new(zero, FAINT.stroke_width(style.hair)))?;
        }
        let Some(GradientValue { interval: Interval { point, low, high }, sure }) = panels[i].values[row.number] else {
            return Ok(());
        };
        let (colour, half) = (if sure { PALETTE[0] } else { UNSURE }, style.line as i32 * 3 / 4);
        let bar = [(at(low), row.middle - half), (at(high), row.middle + half)];
        chart.area.draw(&Rectangle::new(bar, colour.mix(BAR).filled()))?;
        let disc = Circle::new((at(point), row.middle), style.line * 7 / 4, colour.filled());
        if (from..=to).contains(&point) { chart.area.draw(&disc) } else { Ok(()) }
    })
}

/// From where to where what an axis can show reaches in each panel: what is finite, and above zero if it is logarithmic.
fn checked(rows: &[&str], panels: &[GradientPanel]) -> Result<Vec<(f64, f64)>, PlotError> {
    check::that(!rows.is_empty(), "the picture", "it needs at least one row")?;
    check::labels(rows.iter().copied())?;
    check::that(!panels.is_empty(), "the picture", "it needs at least one panel")?;
    check::labels(panels.iter().map(|panel| panel.name.as_str()))?;
    let range = |GradientPanel { name, values, logarithmic, .. }: &GradientPanel| {
        check::same_length(name, values.len(), rows.len(), "values")?;
        let mut range = check::NOWHERE;
        for Interval { point, low, high } in values.iter().flatten().map(|value| value.interval) {
            let reason = format!("{point} [{low}, {high}] is no value with an interval");
            check::that(low <= high && !point.is_nan(), name, reason)?;
            let shown = |x: &f64| x.is_finite() && (!logarithmic || *x > 0.0);
            range = [low, point, high].into_iter().filter(shown).fold(range, |range, x| check::stretch(range, x, x));
        }
        check::that(range != check::NOWHERE, name, "it has no value that its axis could show")?;
        Ok(range)
    };
    panels.iter().map(range).collect()
}

fn axis(style: &Style, width: i32, logarithmic: bool, (from, to): (f64, f64)) -> Axis {
    if logarithmic {
        return Axis::logarithmic(from.max(to * 10f64.powf(-DECADES)), to);
    }
    let (from, to) = (from.min(0.0), to.max(0.0));
    let air = (to - from) * 0.06;
    let below = if from < 0.0 { air } else { 0.0 };
    Axis::new(Quantity::Metric, from - below, to + air, style.count(width, 2.4, 6.0))
}
