//! Lines with intervals: learning curves and performance profiles.

use plotters::style::RGBColor;

use super::{
    Picture, PictureOptions, PlotError,
    axis::{Axis, Quantity},
    check,
    grid::{Grid, Heading},
    header::Header,
    legend::{Entry, Swatch},
    lettering::Lettering,
    look::PALETTE,
    paper::{Paper, in_units},
    plane::Plane,
    ribbon::Ribbon,
};
use crate::stats::Interval;

/// Lines in one panel at most: more are not told apart, so each gets a panel, with the others behind it.
const TOLD_APART: usize = 6;
/// Dashes of those lines: where the colour-blind take two of their colours for one, their dashes differ.
const DASHES: [Option<(f64, f64)>; TOLD_APART] = [None, None, Some((1.1, 0.35)), Some((0.3, 0.3)), None, None];
/// The lines behind.
const BEHIND: RGBColor = RGBColor(205, 205, 205);

/// A labelled line with an interval at each of its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What it is called, such as the optimizer; not blank.
    pub label: String,
    /// Where on the horizontal axis, rising, and the value there. At least one point.
    pub points: Vec<(f64, Interval)>,
}

/// Draws learning curves: a score against environment steps, with its intervals as bands.
///
/// `score` is what stands along the vertical axis, with its unit. Up to six curves share a panel; of more each has one
/// of its own, and the others are pale lines behind it.
///
/// # Errors
/// A [`PlotError`] if there is no curve, a curve has no points, steps that do not rise or are below zero, or numbers
/// that are not finite, or an option is out of range.
///
/// ```
/// use uphill::plot::{PictureOptions, Series, learning_curves};
/// use uphill::stats::Interval;
///
/// let learnt = |i: u32| {
///     let point = f64::from(i) / 10.0;
///     (f64::from(i) * 1e4, Interval { point, low: point * 0.8, high: point * 1.1 })
/// };
/// let adam = Series { label: "adam".into(), points: (0..=10).map(learnt).collect() };
/// let options = PictureOptions::new("CartPole-v1", 30, "mean return, 95% bootstrap intervals");
/// let picture = learning_curves(&[adam], "normalised return", &options)?;
/// assert!(picture.svg().starts_with("<svg"));
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn learning_curves(curves: &[Series], score: &str, options: &PictureOptions) -> Result<Picture, PlotError> {
    let (x, y) = checked(curves, options)?;
    if x.0 < 0.0 {
        return Err(check::refused("the learning curves", "environment steps are counted from zero up"));
    }
    // Learning starts at zero steps; only runs that were taken up late start elsewhere.
    let from = if x.0 > x.1 / 2.0 && x.0 < x.1 { x.0 } else { 0.0 };
    let air = (y.1 - y.0) * 0.04;
    let chart = Lines {
        what: "Learning curves",
        series: curves,
        names: ("environment steps", score),
        x: (Quantity::EnvSteps, from, x.1),
        y: (y.0 - air, y.1 + air),
    };
    chart.draw(options)
}

/// Draws performance profiles: the share of runs that score above τ, against τ, with its intervals as bands.
///
/// `score` is what τ is compared with. Lines and panels are as [`learning_curves`] has them.
///
/// Agarwal et al. 2021, section 4.2, <https://arxiv.org/abs/2108.13264>.
///
/// # Errors
/// As [`learning_curves`], where τ is in the place of steps; it may be below zero.
///
/// ```
/// use uphill::plot::{PictureOptions, Series, performance_profiles};
/// use uphill::stats::Interval;
///
/// let above = |i: u32| {
///     let tau = f64::from(i) / 10.0;
///     (tau, Interval { point: 1.0 - tau, low: (0.9 - tau).max(0.0), high: (1.1 - tau).min(1.0) })
/// };
/// let adam = Series { label: "adam".into(), points: (0..=10).map(above).collect() };
/// let options = PictureOptions::new("7 tasks", 30, "final scores, 95% bootstrap intervals");
/// let picture = performance_profiles(&[adam], "normalised score", &options)?;
/// assert_eq!(picture.width(), 1000);
/// # Ok::<(), uphill::plot::PlotError>(())
/// ```
pub fn performance_profiles(profiles: &[Series], score: &str, options: &PictureOptions) -> Result<Picture, PlotError> {
    let (x, y) = checked(profiles, options)?;
    let chart = Lines {
        what: "Performance profiles",
        series: profiles,
        names: (&format!("{score} τ"), &format!("share of runs with {score} > τ")),
        x: (Quantity::Metric, x.0, x.1),
        y: (y.0.min(0.0), y.1.max(1.0)),
    };
    chart.draw(options)
}

/// From where to where the points of all series reach, in both directions.
type Ranges = ((f64, f64), (f64, f64));

fn checked(series: &[Series], options: &PictureOptions) -> Result<Ranges, PlotError> {
    options.check()?;
    check::some("the picture", series.len(), "it needs at least one line")?;
    check::labels(series.iter().map(|one| one.label.as_str()))?;
    let (mut x, mut y) = (check::NOWHERE, check::NOWHERE);
    for one in series {
        check::some(&one.label, one.points.len(), "it has no points")?;
        check::rising(&one.label, one.points.iter().map(|point| point.0))?;
        for (at, interval) in &one.points {
            check::interval(&one.label, interval)?;
            x = check::stretch(x, *at, *at);
            y = check::stretch(y, interval.low.min(interval.point), interval.high.max(interval.point));
        }
    }
    Ok((x, y))
}

struct Lines<'a> {
    what: &'a str,
    series: &'a [Series],
    names: (&'a str, &'a str),
    x: (Quantity, f64, f64),
    y: (f64, f64),
}

impl Lines<'_> {
    fn draw(&self, options: &PictureOptions) -> Result<Picture, PlotError> {
        let letters = options.lettering()?;
        let em = |ems| letters.em(ems);
        let together = self.series.len() <= TOLD_APART;
        let entries = if together { self.entries() } else { Vec::new() };
        let header = Header::of(&letters, options, self.what, &entries);
        let headings: Vec<Heading> = if together {
            vec![Heading::default()]
        } else {
            self.series.iter().map(|one| Heading { name: one.label.clone(), ..Heading::default() }).collect()
        };
        let left = self.axes(&letters, (em(60.0), em(60.0))).1.room(&letters);
        let grid = Grid::new(&letters, in_units(options.width), &headings, left, em(13.0));
        let (high, low) = (grid.panel_width * 3 / 5, em(6.0));
        let natural = grid.height(high.max(low));
        let height = options.height(header.bottom + natural, header.bottom + grid.height(low))?;
        let mut picture = Picture::new(options.width, height);
        let paper = Paper::new(&mut picture, &letters);
        let places = grid.draw_headings(&paper, &header)?;
        let plane = |&[left_top, right_bottom]: &[(i32, i32); 2]| {
            let (x, y) = self.axes(&letters, (grid.panel_width, right_bottom.1 - left_top.1));
            Plane { left_top, right_bottom, x, y }
        };
        let planes: Vec<Plane> = places.iter().map(plane).collect();
        grid.draw_axes(&paper, &planes, self.names)?;
        for (i, plane) in planes.iter().enumerate() {
            let ribbon = |(j, one)| ribbon(plane, one, if together { look(j) } else { look(0) });
            if together {
                let ribbons: Vec<Ribbon> = self.series.iter().enumerate().map(ribbon).collect();
                ribbons.iter().try_for_each(|ribbon| ribbon.draw_band(&paper))?;
                ribbons.iter().try_for_each(|ribbon| ribbon.draw_line(&paper))?;
                continue;
            }
            for (_, other) in self.series.iter().enumerate().filter(|(j, _)| *j != i) {
                let line: Vec<_> = other.points.iter().map(|(x, interval)| plane.at(*x, interval.point)).collect();
                paper.hair(&line, BEHIND)?;
            }
            if let Some(ribbon) = self.series.get(i).map(|one| ribbon((i, one))) {
                ribbon.draw_band(&paper)?;
                ribbon.draw_line(&paper)?;
            }
        }
        drop(paper);
        Ok(picture)
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |(i, one): (usize, &Series)| Entry {
            colour: look(i).0,
            dashes: look(i).1,
            swatch: Swatch::Line { band: true, marker: None },
            text: one.label.clone(),
        };
        self.series.iter().enumerate().map(entry).collect()
    }

    /// The axes of a panel of this width and height.
    fn axes(&self, letters: &Lettering, (width, height): (i32, i32)) -> (Axis, Axis) {
        let (quantity, from, to) = self.x;
        let x = Axis::new(quantity, from, to, letters.count(width, 5.0, 9.0));
        let x = if quantity == Quantity::EnvSteps { x.ending_on_a_tick() } else { x };
        (x, Axis::new(Quantity::Metric, self.y.0, self.y.1, letters.count(height, 2.6, 6.0)))
    }
}

/// Colour and dashes of the so-manieth line of a panel.
fn look(i: usize) -> (RGBColor, Option<(f64, f64)>) {
    (PALETTE[i % PALETTE.len()], DASHES[i % DASHES.len()])
}

fn ribbon(plane: &Plane, series: &Series, (colour, dashes): (RGBColor, Option<(f64, f64)>)) -> Ribbon {
    let through = |value: fn(&Interval) -> f64| {
        series.points.iter().map(|(x, interval)| plane.at(*x, value(interval))).collect::<Vec<_>>()
    };
    let (line, upper, lower) = (through(|i| i.point), through(|i| i.high), through(|i| i.low));
    Ribbon { line, upper, lower, colour, dashes, marker: None }
}
