//! What a search for hyper-parameters found: every trial's score against each of its values.

use plotters::prelude::*;

use super::{
    AXIS, Axis, Chart, Drawn, Look, Marker, PALETTE, Picture, PictureOptions, PlotError, Range, Style, Swatch, check,
    drawable,
};

const COMPLETE: RGBColor = PALETTE[0];
const PRUNED: RGBColor = PALETTE[5];
const DIVERGED: RGBColor = PALETTE[1];
const BEST: RGBColor = PALETTE[2];

/// A hyper-parameter that was searched.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchAxis {
    /// Numbers.
    Numbers {
        /// What it is called; not blank.
        name: String,
        /// Whether they are compared by their ratio, and above zero.
        log: bool,
    },
    /// One of some choices.
    Choices {
        /// What it is called; not blank.
        name: String,
        /// At least one.
        choices: Vec<String>,
    },
}

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Trained to its last step: a disc.
    Complete,
    /// Ended before, with the score that it had then: a ring.
    Pruned,
    /// Left the real numbers: a cross.
    Diverged,
}

/// A trial.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPoint {
    /// A value for each axis, in their order; of choices the number of the chosen one, from 0.
    pub values: Vec<f64>,
    /// Its score; one without is drawn at the bottom.
    pub score: Option<f64>,
    /// How it ended.
    pub mark: Mark,
    /// Whether it is the best of all.
    pub is_best: bool,
}

impl SearchAxis {
    fn name(&self) -> &str {
        match self {
            SearchAxis::Numbers { name, .. } | SearchAxis::Choices { name, .. } => name,
        }
    }
}

/// Draws a search: a panel with the trials in their order and the best score of a complete one so far, and a panel for each
/// hyper-parameter with the score of each trial against its value. All panels share the vertical axis; `score` is what stands
/// along it.
///
/// # Errors
/// A [`PlotError`] if there is no axis or no point, a point has another number of values than there are axes, a number is not
/// finite, a value on a logarithmic axis is not above zero, a choice is none, no point has a score, an option is out of range,
/// or the height that was asked for is too small for the panels.
///
/// ```
/// use uphill::plot::{Mark, PictureOptions, SearchAxis, SearchPoint, search};
///
/// let axes = [
///     SearchAxis::Numbers { name: "lr".into(), log: true },
///     SearchAxis::Choices { name: "optimizer".into(), choices: vec!["adam".into(), "sgd".into()] },
/// ];
/// let at = |lr, choice, score| SearchPoint { values: vec![lr, choice], score, mark: Mark::Complete, is_best: false };
/// let points = [at(1e-3, 0.0, Some(480.0)), at(1e-2, 1.0, Some(60.0)), at(1e-1, 0.0, None)];
/// search(&axes, &points, "final_return", &PictureOptions::new("CartPole-v1", 3, "mean of each trial"))?.png()?;
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn search(
    axes: &[SearchAxis],
    points: &[SearchPoint],
    score: &str,
    options: &PictureOptions,
) -> Result<Picture, PlotError> {
    let style = options.style()?;
    let (ranges, y) = checked(axes, points)?;
    let entries = [
        (Swatch::Mark(Marker::Disc, COMPLETE), "complete"),
        (Swatch::Mark(Marker::Ring, PRUNED), "pruned, with its score then"),
        (Swatch::Mark(Marker::Cross, DIVERGED), "diverged, or without a return"),
        (Swatch::Mark(Marker::Disc, BEST), "best"),
        (Swatch::Line(Look::plain(COMPLETE)), "best complete one so far"),
    ];
    let entries = entries.map(|(swatch, text)| (swatch, text.to_owned())).into();
    let of_panel = |i: usize, (width, height): (i32, i32)| {
        let wide = style.count(width, 3.5, 9.0);
        let x = match i.checked_sub(1).map(|k| (&axes[k], ranges[k])) {
            None => Axis::new((1.0, points.len().max(2) as f64), 0.03, wide),
            Some((SearchAxis::Numbers { log: true, .. }, range)) => Axis::logarithmic(range),
            Some((SearchAxis::Numbers { .. }, range)) => Axis::new(range, 0.03, wide),
            Some((SearchAxis::Choices { choices, .. }, _)) => {
                let room = width / choices.len() as i32 - style.em(0.5);
                Axis::of_choices(choices.iter().map(|choice| style.fit(choice, 1.0, room)))
            }
        };
        (x, vertical(&style, y, height))
    };
    let first = ("trial".to_owned(), "in the order of the search".to_owned());
    let headings = std::iter::once(first).chain(axes.iter().map(|axis| {
        let note = if matches!(axis, SearchAxis::Numbers { log: true, .. }) { "logarithmic" } else { "" };
        (axis.name().to_owned(), note.to_owned())
    }));
    let mut sheet = options.sheet(&style, ("Hyper-parameters", entries), ("value", score), &of_panel);
    (sheet.headings, sheet.least) = (headings.collect(), style.em(14.0));
    let heights = ((sheet.chart_width() * 3 / 5).min(style.em(22.0)), style.em(7.0));
    options.draw(&sheet, heights, |i, chart| match i.checked_sub(1) {
        None => {
            chart.stroke(&Look::plain(COMPLETE), best_so_far(points), style.line)?;
            marks(chart, points, |number, _| number as f64 + 1.0)
        }
        Some(k) => {
            let middle = if matches!(axes[k], SearchAxis::Choices { .. }) { 0.5 } else { 0.0 };
            marks(chart, points, |_, point| point.values[k] + middle)
        }
    })
}

/// The ranges of the axes and of the scores.
fn checked(axes: &[SearchAxis], points: &[SearchPoint]) -> Result<(Vec<Range>, Range), PlotError> {
    check::labels("hyper-parameter", axes.iter().map(SearchAxis::name))?;
    check::that(!points.is_empty(), "the picture", "it needs at least one trial")?;
    let (mut ranges, mut y) = (vec![check::NOWHERE; axes.len()], check::NOWHERE);
    for (SearchPoint { values, score, .. }, number) in points.iter().zip(1..) {
        let what = format!("trial {number}");
        check::same_length(&what, values.len(), axes.len(), "values")?;
        for ((axis, &value), range) in axes.iter().zip(values).zip(&mut ranges) {
            let problem = || format!("its {} {value} is not a finite number within 1e100 of zero", axis.name());
            check::that(drawable(value), &what, problem())?;
            match axis {
                SearchAxis::Numbers { log: true, name } => check::has_logarithm(&what, name, value)?,
                SearchAxis::Numbers { .. } => {}
                SearchAxis::Choices { choices, name } => {
                    let is_one = (0..choices.len()).any(|choice| choice as f64 == value);
                    check::that(is_one, &what, format!("its {name} {value} is the number of no choice"))?;
                }
            }
            check::stretch(range, value, value);
        }
        if let Some(score) = *score {
            check::that(
                drawable(score),
                &what,
                format!("its score {score} is not a finite number within 1e100 of zero"),
            )?;
            check::stretch(&mut y, score, score);
        }
    }
    check::that(y != check::NOWHERE, "the picture", "no trial has a score")?;
    Ok((ranges, y))
}

/// The vertical axis, with room at the bottom for what has no score.
fn vertical(style: &Style, y: Range, height: i32) -> Axis {
    let strip = f64::from(style.em(1.2)) / f64::from((height - style.em(1.2)).max(1));
    let mut axis = Axis::new(y, 0.06, style.count(height, 2.6, 5.0));
    axis.from -= (axis.to - axis.from) * strip;
    axis
}

/// The best score of the complete trials up to each, as steps.
fn best_so_far(points: &[SearchPoint]) -> Vec<(f64, f64)> {
    let mut line: Vec<(f64, f64)> = Vec::new();
    for (point, number) in points.iter().zip(1..) {
        let Some(score) = point.score.filter(|_| point.mark == Mark::Complete) else { continue };
        let before = line.last().map(|(_, best)| *best);
        line.extend(before.filter(|best| score > *best).map(|best| (f64::from(number), best)));
        if before.is_none_or(|best| score > best) {
            line.push((f64::from(number), score));
        }
    }
    line.extend(line.last().map(|(_, best)| (points.len() as f64, *best)));
    line
}

/// A mark for each trial, the best one last.
fn marks(chart: &Chart<'_, '_>, points: &[SearchPoint], x: impl Fn(usize, &SearchPoint) -> f64) -> Drawn {
    let (style, [(left, _), (right, bottom)]) = (chart.style, chart.place());
    if points.iter().any(|point| point.score.is_none()) {
        let strip = bottom - style.em(1.2);
        chart.area.draw(&PathElement::new([(left, strip), (right, strip)], AXIS.stroke_width(style.hair)))?;
    }
    let order = [Mark::Diverged, Mark::Pruned, Mark::Complete].map(Some).into_iter().chain([None]);
    for mark in order {
        let own = |point: &&SearchPoint| mark.map_or(point.is_best, |mark| point.mark == mark && !point.is_best);
        for (number, point) in points.iter().enumerate().filter(|(_, point)| own(point)) {
            let (marker, colour) = match (point.is_best, point.mark, point.score) {
                (true, ..) => (Marker::Disc, BEST),
                (_, Mark::Diverged, _) | (_, _, None) => (Marker::Cross, DIVERGED),
                (_, Mark::Pruned, _) => (Marker::Ring, PRUNED),
                (_, Mark::Complete, _) => (Marker::Disc, COMPLETE),
            };
            let (across, down) = chart.at(x(number, point), point.score.unwrap_or_default());
            let down = if point.score.is_some() { down } else { bottom - style.em(0.6) };
            marker.draw(chart.area, (across, down), colour, style)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Mark, SearchPoint, best_so_far};

    #[test]
    fn the_best_so_far_is_of_complete_trials_and_never_falls() {
        let point = |score, mark| SearchPoint { values: Vec::new(), score, mark, is_best: false };
        let points = [
            point(Some(9.0), Mark::Pruned),
            point(Some(2.0), Mark::Complete),
            point(None, Mark::Diverged),
            point(Some(1.0), Mark::Complete),
            point(Some(3.0), Mark::Complete),
            point(Some(1.0), Mark::Complete),
        ];
        assert_eq!(best_so_far(&points), [(2.0, 2.0), (5.0, 2.0), (5.0, 3.0), (6.0, 3.0)]);
        assert_eq!(best_so_far(&points[..1]), []);
    }
}
