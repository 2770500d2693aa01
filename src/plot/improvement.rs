//! Who improves on whom: a matrix of probabilities.

use plotters::prelude::*;

use super::{
    Axis, Chart, Corners, Drawn, FAINT, HPos, Interval, Marker, Picture, PictureOptions, PlotError, Swatch, TEXT, VPos,
    check, in_units, rows::Rows,
};

/// Colours of 0, ½ and 1. Orange and blue are told apart by the colour-blind too, and dark text is read on both.
const SCALE: [RGBColor; 3] = [RGBColor(230, 159, 0), RGBColor(255, 255, 255), RGBColor(86, 180, 233)];
const NOBODY: RGBColor = RGBColor(238, 238, 238);
/// Size of a cell's number, in text sizes.
const NUMBER: f64 = 0.82;

/// Draws the matrix of probabilities of improvement: how probable it is, in percent, that a run of the row's optimizer
/// scores higher than one of the column's.
///
/// `probabilities` has a row for each label, `[labels, labels]`; its diagonal is not looked at. Rows and columns stand
/// in the order given. A cell whose interval leaves out one half has dark text and a dot in its corner; in the others
/// nothing is decided.
///
/// Agarwal et al. 2021, section 4.3, <https://arxiv.org/abs/2108.13264>.
///
/// # Errors
/// A [`PlotError`] if there are fewer than two labels, the matrix is not square, a probability is not 0 to 1, an option
/// is out of range, or the width or height that was asked for is too small for the cells.
///
/// ```
/// use uphill::plot::{PictureOptions, improvement_matrix};
/// use uphill::stats::Interval;
///
/// let (even, better) = (Interval { point: 0.5, low: 0.5, high: 0.5 }, Interval { point: 0.8, low: 0.7, high: 0.9 });
/// let worse = Interval { point: 0.2, low: 0.1, high: 0.3 };
/// let options = PictureOptions::new("7 tasks", 30, "95% stratified bootstrap intervals");
/// let picture = improvement_matrix(&["adam", "sgd"], &[vec![even, better], vec![worse, even]], &options)?;
/// assert!(picture.svg().contains("80"));
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn improvement_matrix(
    labels: &[&str],
    probabilities: &[Vec<Interval>],
    options: &PictureOptions,
) -> Result<Picture, PlotError> {
    let style = options.style()?;
    checked(labels, probabilities)?;
    let bar = |probability, text: &str| (Swatch::Bar(shade(probability)), text.to_owned());
    let entries = vec![
        bar(0.0, "0: always worse"),
        bar(0.25, "25"),
        bar(0.75, "75"),
        bar(1.0, "100: always better"),
        (Swatch::Mark(Marker::Disc, TEXT), "the interval leaves out 50".to_owned()),
    ];
    // Columns have the numbers of rows: long names would stand on their heads there.
    let numbered: Vec<String> = labels.iter().zip(1..).map(|(label, i)| format!("{label}  {i}")).collect();
    // A hair of white between the cells.
    let hair = style.hair as i32;
    let rows = Rows {
        labels: numbered.iter().map(String::as_str).collect(),
        headings: vec![Default::default()],
        numbers: LabelAreaPosition::Top,
        room: in_units(options.width) / 3,
        least: (style.width("100", NUMBER) + hair * 2) * labels.len() as i32,
        axis: &|_, _| Axis::columns(labels.len()),
    };
    let what = "Probability that the row's optimizer beats the column's, in %";
    rows.draw(options, (what, entries), |chart, (_, i), (top, bottom)| {
        let [(left, _), (right, _)] = chart.place();
        chart.area.draw(&Rectangle::new([(left, top), (right, bottom)], WHITE.filled()))?;
        for (j, interval) in probabilities[i].iter().enumerate() {
            let [left, right] = [j, j + 1].map(|column| chart.at(column as f64, 0.0).0);
            let cell = [(left, top), (right - hair, bottom - hair)];
            draw_cell(chart, cell, (i != j).then_some(interval))?;
        }
        Ok(())
    })
}

fn checked(labels: &[&str], probabilities: &[Vec<Interval>]) -> Result<(), PlotError> {
    check::that(labels.len() > 1, "the picture", "it needs two labels: one improves on the other")?;
    check::labels("label", labels.iter().copied())?;
    check::same_length("the matrix", probabilities.len(), labels.len(), "rows")?;
    for (i, (label, row)) in labels.iter().zip(probabilities).enumerate() {
        check::same_length(label, row.len(), labels.len(), "probabilities")?;
        for (_, interval) in row.iter().enumerate().filter(|(j, _)| *j != i) {
            let mut range = check::NOWHERE;
            check::hold(label, &mut range, *interval)?;
            let Interval { point, low, high } = interval;
            let reason = format!("{point} [{low}, {high}] is no probability, 0 to 1");
            check::that(range.0 >= 0.0 && range.1 <= 1.0, label, reason)?;
        }
    }
    Ok(())
}

/// The colour of a probability.
fn shade(probability: f64) -> RGBColor {
    DerivedColorMap::new(&SCALE).get_color(probability)
}

fn draw_cell(Chart { area, style, .. }: &Chart<'_, '_>, cell: Corners, interval: Option<&Interval>) -> Drawn {
    let Some(interval) = interval else { return area.draw(&Rectangle::new(cell, NOBODY.filled())) };
    area.draw(&Rectangle::new(cell, shade(interval.point).filled()))?;
    let [(left, top), (right, bottom)] = cell;
    let decided = interval.low > 0.5 || interval.high < 0.5;
    let font = style.font(NUMBER, if decided { TEXT } else { FAINT }, (HPos::Center, VPos::Center));
    area.draw_text(&format!("{:.0}", interval.point * 100.0), &font, ((left + right) / 2, (top + bottom) / 2))?;
    let radius = style.em(0.13);
    let dot = Circle::new((right - radius * 2, top + radius * 2), radius, TEXT.filled());
    if decided { area.draw(&dot) } else { Ok(()) }
}
