//! Who improves on whom: a matrix of probabilities.

use plotters::style::{
    RGBColor,
    text_anchor::{HPos, VPos},
};

use super::{
    Picture, PictureOptions, PlotError, check,
    header::Header,
    legend::{Entry, Swatch},
    paper::{FAINT, Paper, TEXT, in_units},
    row_labels::RowLabels,
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
    options.check()?;
    checked(labels, probabilities)?;
    let letters = options.lettering()?;
    let em = |ems| letters.em(ems);
    let entries = entries();
    let header =
        Header::of(&letters, options, "Probability that the row's optimizer beats the column's, in %", &entries);
    // Columns have the numbers of rows: long names would stand on their heads there.
    let numbered: Vec<String> = labels.iter().enumerate().map(|(i, label)| format!("{label}  {}", i + 1)).collect();
    let width = in_units(options.width);
    let names = RowLabels::new(&letters, width / 3, numbered.iter().map(String::as_str));
    let count = labels.len() as i32;
    let left = names.right + em(0.6);
    let cell = ((width - left - em(0.9)) / count).min(em(5.0));
    let least = letters.width("100", NUMBER) + letters.measure.hair as i32 * 2;
    if cell < least {
        let needed = (options.width as i32 + (least - cell) * count / in_units(1) + 1).unsigned_abs();
        return Err(PlotError::Size { side: "width", pixels: options.width, least: needed });
    }
    let (natural, lowest) = (names.height.max(em(1.9)).max(cell / 2), names.height.max(em(1.2)));
    let around = header.bottom + em(1.8) + em(0.7);
    let height = options.height(around + natural * count, around + lowest * count)?;
    let mut picture = Picture::new(options.width, height);
    let paper = Paper::new(&mut picture, &letters);
    header.draw(&paper)?;
    let (top, room) = (header.bottom + em(1.8), paper.height() - around);
    let edge = |row: usize| top + room * row as i32 / count;
    for (i, row) in probabilities.iter().enumerate() {
        let middle = left + cell * i as i32 + cell / 2;
        paper.write(&(i + 1).to_string(), (1.0, TEXT), (middle, top - em(0.3)), (HPos::Center, VPos::Bottom), cell)?;
        names.write(&paper, i, (edge(i) + edge(i + 1)) / 2)?;
        for (j, interval) in row.iter().enumerate() {
            let x = left + cell * j as i32;
            let corners = [(x, edge(i)), (x + cell, edge(i + 1))];
            draw_cell(&paper, corners, (i != j).then_some(interval))?;
        }
    }
    drop(paper);
    Ok(picture)
}

fn checked(labels: &[&str], probabilities: &[Vec<Interval>]) -> Result<(), PlotError> {
    if labels.len() < 2 {
        return Err(check::refused("the picture", "it needs two labels: one improves on the other"));
    }
    check::labels(labels.iter().copied())?;
    check::same_length("the matrix", probabilities.len(), labels.len(), "rows")?;
    for (i, (label, row)) in labels.iter().zip(probabilities).enumerate() {
        check::same_length(label, row.len(), labels.len(), "probabilities")?;
        for (_, interval) in row.iter().enumerate().filter(|(j, _)| *j != i) {
            check::interval(label, interval)?;
            let Interval { point, low, high } = *interval;
            if ![point, low, high].iter().all(|share| (0.0..=1.0).contains(share)) {
                return Err(check::refused(label, format!("{point} [{low}, {high}] is no probability, 0 to 1")));
            }
        }
    }
    Ok(())
}

fn entries() -> Vec<Entry> {
    let entry = |colour, swatch, text: &str| Entry { colour, dashes: None, swatch, text: text.to_owned() };
    vec![
        entry(shade(0.0), Swatch::Bar, "0: always worse"),
        entry(shade(0.25), Swatch::Bar, "25"),
        entry(shade(0.75), Swatch::Bar, "75"),
        entry(shade(1.0), Swatch::Bar, "100: always better"),
        entry(TEXT, Swatch::Disc, "the interval leaves out 50"),
    ]
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

fn draw_cell(paper: &Paper<'_>, corners: [(i32, i32); 2], interval: Option<&Interval>) -> Result<(), PlotError> {
    let [(left, top), (right, bottom)] = corners;
    let hair = paper.letters.measure.hair as i32;
    // A hair of white between the cells.
    let inner = [(left, top), (right - hair, bottom - hair)];
    let Some(interval) = interval else { return paper.rectangle(inner, NOBODY.into()) };
    paper.rectangle(inner, shade(interval.point).into())?;
    let decided = interval.low > 0.5 || interval.high < 0.5;
    let text = format!("{:.0}", interval.point * 100.0);
    let middle = ((left + right - hair) / 2, (top + bottom - hair) / 2);
    let colour = if decided { TEXT } else { FAINT };
    paper.write(&text, (NUMBER, colour), middle, (HPos::Center, VPos::Center), right - left)?;
    if decided {
        let radius = paper.em(0.13);
        paper.disc((right - hair - radius * 2, top + radius * 2), radius, TEXT)?;
    }
    Ok(())
}
