//! Who improves on whom: a matrix of probabilities.

use plotters::{
    element::{Circle, Rectangle},
    style::{
        Color, RGBColor,
        text_anchor::{HPos, VPos},
    },
};

use super::{
    Picture, PictureOptions, PlotError, check,
    header::{Entry, Swatch},
    look::Marker,
    picture::{Area, Corners, Drawn, in_units},
    rows::RowNames,
    style::{FAINT, Style, TEXT},
};
use crate::stats::Interval;

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
    let em = |ems| style.em(ems);
    checked(labels, probabilities)?;
    let bar = |probability, text: &str| Entry::new(Swatch::Bar(shade(probability)), text);
    let entries = vec![
        bar(0.0, "0: always worse"),
        bar(0.25, "25"),
        bar(0.75, "75"),
        bar(1.0, "100: always better"),
        Entry::new(Swatch::Mark(Marker::Disc, TEXT), "the interval leaves out 50"),
    ];
    let header = options.header(&style, "Probability that the row's optimizer beats the column's, in %", entries);
    // Columns have the numbers of rows: long names would stand on their heads there.
    let numbered: Vec<String> = labels.iter().zip(1..).map(|(label, i)| format!("{label}  {i}")).collect();
    let width = in_units(options.width);
    let names = RowNames::new(&style, width / 3, numbered.iter().map(String::as_str));
    let count = labels.len() as i32;
    let left = names.right + em(0.6);
    let cell = ((width - left - em(0.9)) / count).min(em(5.0));
    let least = style.width("100", NUMBER) + style.hair as i32 * 2;
    if cell < least {
        let needed = (options.width as i32 + (least - cell) * count / in_units(1) + 1).unsigned_abs();
        return Err(PlotError::Size { side: "width", pixels: options.width, least: needed });
    }
    let (natural, lowest) = (names.height.max(em(1.9)).max(cell / 2), names.height.max(em(1.2)));
    let (top, below) = (header.bottom + em(1.8), em(0.7));
    let height = options.height(top + below + natural * count, top + below + lowest * count)?;
    let edge = |row: usize| top + (in_units(height) - top - below) * row as i32 / count;
    Picture::blank(options.width, height).with(|area| {
        header.draw(area, &style)?;
        for (i, row) in probabilities.iter().enumerate() {
            let middle = left + cell * i as i32 + cell / 2;
            style.write(area, &(i + 1).to_string(), (middle, top - em(0.3)), (HPos::Center, VPos::Bottom))?;
            names.write(area, &style, i, (edge(i) + edge(i + 1)) / 2)?;
            for (j, interval) in row.iter().enumerate() {
                let x = left + cell * j as i32;
                // A hair of white between the cells.
                let hair = style.hair as i32;
                let corners = [(x, edge(i)), (x + cell - hair, edge(i + 1) - hair)];
                draw_cell(area, &style, corners, (i != j).then_some(interval))?;
            }
        }
        Ok(())
    })
}

fn checked(labels: &[&str], probabilities: &[Vec<Interval>]) -> Result<(), PlotError> {
    check::that(labels.len() > 1, "the picture", "it needs two labels: one improves on the other")?;
    check::labels(labels.iter().copied())?;
    check::same_length("the matrix", probabilities.len(), labels.len(), "rows")?;
    for (i, (label, row)) in labels.iter().zip(probabilities).enumerate() {
        check::same_length(label, row.len(), labels.len(), "probabilities")?;
        for (_, interval) in row.iter().enumerate().filter(|(j, _)| *j != i) {
            check::hold(label, check::NOWHERE, interval)?;
            let Interval { point, low, high } = *interval;
            let shares = [point, low, high].iter().all(|share| (0.0..=1.0).contains(share));
            check::that(shares, label, format!("{point} [{low}, {high}] is no probability, 0 to 1"))?;
        }
    }
    Ok(())
}

/// The colour of a probability.
fn shade(probability: f64) -> RGBColor {
    let (from, to, share) = if probability < 0.5 {
        (SCALE[0], SCALE[1], probability * 2.0)
    } else {
        (SCALE[1], SCALE[2], probability * 2.0 - 1.0)
    };
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * share).round() as u8;
    RGBColor(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

fn draw_cell(area: &Area<'_>, style: &Style, corners: Corners, interval: Option<&Interval>) -> Drawn {
    let Some(interval) = interval else { return area.draw(&Rectangle::new(corners, NOBODY.filled())) };
    area.draw(&Rectangle::new(corners, shade(interval.point).filled()))?;
    let [(left, top), (right, bottom)] = corners;
    let decided = interval.low > 0.5 || interval.high < 0.5;
    let font = style.font(NUMBER, if decided { TEXT } else { FAINT }, (HPos::Center, VPos::Center));
    area.draw_text(&format!("{:.0}", interval.point * 100.0), &font, ((left + right) / 2, (top + bottom) / 2))?;
    let radius = style.em(0.13);
    let dot = Circle::new((right - radius * 2, top + radius * 2), radius, TEXT.filled());
    if decided { area.draw(&dot) } else { Ok(()) }
}
