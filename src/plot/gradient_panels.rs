//! The quality of gradient estimators: one row an estimator, one panel a quantity.

use plotters::style::RGBColor;

use super::{Interval, PALETTE, Picture, PictureOptions, PlotError, Swatch, check, rows, rows::Estimates};

/// What cannot be told from zero.
const UNSURE: RGBColor = RGBColor(150, 150, 150);

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
    rows::draw(options, ("Quality of policy gradients", entries), rows.to_vec(), &estimates)
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
