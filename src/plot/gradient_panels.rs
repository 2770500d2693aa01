//! The quality of gradient estimators: one row an estimator, one panel a quantity.

use plotters::style::{Color, RGBColor};

use super::{
    Picture, PictureOptions, PlotError,
    axis::{Axis, Quantity},
    check,
    grid::{Grid, Heading},
    header::Header,
    legend::{Entry, Swatch},
    lettering::Lettering,
    look::PALETTE,
    paper::{FAINT, Paper, in_units},
    plane::Plane,
    row_labels::RowLabels,
};
use crate::stats::Interval;

/// Every other row's ground.
const ZEBRA: RGBColor = RGBColor(246, 246, 246);
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
    options.check()?;
    checked(rows, panels)?;
    let letters = options.lettering()?;
    let em = |ems| letters.em(ems);
    let entries = entries(panels);
    let header = Header::of(&letters, options, "Quality of policy gradients", &entries);
    let labels = RowLabels::new(&letters, in_units(options.width) * 2 / 5, rows.iter().copied());
    let heading = |panel: &GradientPanel| Heading { name: panel.name.clone(), note: panel.note.clone() };
    let headings: Vec<Heading> = panels.iter().map(heading).collect();
    let grid = Grid::new(&letters, in_units(options.width), &headings, labels.right + em(0.6), em(9.0));
    let count = rows.len() as i32;
    let (natural, least) = (labels.height + em(0.5), labels.height.max(em(0.8)));
    let height =
        options.height(header.bottom + grid.height(natural * count), header.bottom + grid.height(least * count))?;
    let mut picture = Picture::new(options.width, height);
    let paper = Paper::new(&mut picture, &letters);
    let places = grid.draw_headings(&paper, &header)?;
    for (i, (panel, &[left_top, right_bottom])) in panels.iter().zip(&places).enumerate() {
        let x = axis(&letters, grid.panel_width, panel)?;
        let plane = Plane { left_top, right_bottom, x, y: Axis::new(Quantity::Metric, 0.0, 1.0, 2.0) };
        let (top, bottom) = (left_top.1, right_bottom.1);
        let edge = |row: usize| top + (bottom - top) * row as i32 / count;
        let first = i % grid.columns == 0;
        for row in (0..rows.len()).step_by(2) {
            // From the labels on: the eye follows the stripe from a name to its marks.
            let left = if first { em(0.9) } else { left_top.0 - em(2.6) };
            paper.rectangle([(left, edge(row)), (right_bottom.0, edge(row + 1))], ZEBRA.into())?;
        }
        plane.vertical_grid(&paper)?;
        plane.x_axis(&paper)?;
        if !panel.logarithmic {
            let zero = plane.across(0.0);
            paper.hair(&[(zero, top), (zero, bottom)], FAINT)?;
        }
        for row in 0..rows.len() {
            let middle = (edge(row) + edge(row + 1)) / 2;
            if first {
                labels.write(&paper, row, middle)?;
            }
            if let Some(Some(value)) = panel.values.get(row) {
                draw(&paper, &plane, value, middle)?;
            }
        }
    }
    drop(paper);
    Ok(picture)
}

fn checked(rows: &[&str], panels: &[GradientPanel]) -> Result<(), PlotError> {
    check::some("the picture", rows.len(), "it needs at least one row")?;
    check::labels(rows.iter().copied())?;
    check::some("the picture", panels.len(), "it needs at least one panel")?;
    check::labels(panels.iter().map(|panel| panel.name.as_str()))?;
    for GradientPanel { name, values, .. } in panels {
        check::same_length(name, values.len(), rows.len(), "values")?;
        for Interval { point, low, high } in values.iter().flatten().map(|value| value.interval) {
            if [point, low, high].into_iter().any(f64::is_nan) || low > high {
                return Err(check::refused(name, format!("{point} [{low}, {high}] is no value with an interval")));
            }
        }
    }
    Ok(())
}

/// What the marks mean, as far as there are such.
fn entries(panels: &[GradientPanel]) -> Vec<Entry> {
    let entry = |colour, text: &str| Entry { colour, dashes: None, swatch: Swatch::Disc, text: text.to_owned() };
    let all = || panels.iter().flat_map(|panel| panel.values.iter().flatten());
    let sure = entry(PALETTE[0], "estimate, with its interval");
    let unsure = all().any(|value| !value.sure).then(|| entry(UNSURE, "not told from zero by these batches"));
    std::iter::once(sure).chain(unsure).collect()
}

/// An axis that holds what is finite, and above zero if it is logarithmic.
fn axis(letters: &Lettering, width: i32, panel: &GradientPanel) -> Result<Axis, PlotError> {
    let ends = |value: &GradientValue| [value.interval.low, value.interval.point, value.interval.high];
    let shown = |x: &f64| x.is_finite() && (!panel.logarithmic || *x > 0.0);
    let numbers = panel.values.iter().flatten().flat_map(ends).filter(shown);
    let range = numbers.fold(check::NOWHERE, |range, x| check::stretch(range, x, x));
    if range == check::NOWHERE {
        return Err(check::refused(&panel.name, "it has no value that its axis could show"));
    }
    if panel.logarithmic {
        return Ok(Axis::logarithmic(range.0.max(range.1 * 10f64.powf(-DECADES)), range.1));
    }
    let (from, to) = (range.0.min(0.0), range.1.max(0.0));
    let air = (to - from) * 0.06;
    let below = if from < 0.0 { air } else { 0.0 };
    Ok(Axis::new(Quantity::Metric, from - below, to + air, letters.count(width, 2.4, 6.0)))
}

fn draw(paper: &Paper<'_>, plane: &Plane, value: &GradientValue, middle: i32) -> Result<(), PlotError> {
    let colour = if value.sure { PALETTE[0] } else { UNSURE };
    let Interval { point, low, high } = value.interval;
    let at = |x: f64| match x {
        x if x <= plane.x.from => plane.left_top.0,
        x if x >= plane.x.to => plane.right_bottom.0,
        x => plane.across(x),
    };
    let line = paper.letters.measure.line as i32;
    paper.rectangle([(at(low), middle - line * 3 / 4), (at(high), middle + line * 3 / 4)], colour.mix(0.45))?;
    if (plane.x.from..=plane.x.to).contains(&point) {
        paper.disc((plane.across(point), middle), line * 7 / 4, colour)?;
    }
    Ok(())
}
