//! Where everything goes: title, legend, axes and curves on one picture.

use plotters::prelude::*;

use super::{
    Picture, PlotError, PlotOptions, Run,
    axis::{Axis, Quantity, describe},
    backend::UNITS_PER_PIXEL,
    caption::MOST,
    curve::Curve,
    header::{ENTRY_LINES, Header, TITLE_LINES},
    legend::{THRESHOLD_DASHES, entries, environments, subtitle},
    lettering::{Lettering, Measure},
    look::{LOOKS, Look},
    paper::{FAINT, Paper, Pixel, in_units},
    plane::{Plane, x_name, y_name},
    ribbon::Ribbon,
};

/// How much of a curve's colour its unsmoothed points have.
const RAW: f64 = 0.35;

/// Paints the chart of `curves`, which have something in common.
pub(super) fn paint(
    runs: &[Run],
    (curves, common): (&[Curve], Option<String>),
    options: &PlotOptions,
) -> Result<Picture, PlotError> {
    if curves.len() > LOOKS {
        let reason = format!("{} of them cannot be told apart; {LOOKS} can", curves.len());
        return Err(PlotError::Picture { what: "the curves".into(), reason });
    }
    let letters = Lettering::new(Measure::new(options.width, options.height, options.scale))?;
    let entries = entries(curves, options);
    let title = options.title.clone().unwrap_or_else(|| environments(runs));
    let titles = (title.as_str(), &*subtitle(curves, common, options));
    let header = |lines| Header::new(&letters, in_units(options.width), titles, &entries, (TITLE_LINES, lines));
    // The axes keep more than half of the height that was asked for: what more the legend takes is added to it.
    let allowed = in_units(options.height) * 2 / 5;
    let height = |header: &Header<'_>| {
        options.height + (header.bottom - allowed).max(0).unsigned_abs().div_ceil(UNITS_PER_PIXEL.into())
    };
    // Names in full, or, where a thousand lines of them have no room, in a line each.
    let lines = if height(&header(ENTRY_LINES)) > MOST { 1 } else { ENTRY_LINES };
    let header = header(lines);
    let height = height(&header);
    if height > MOST {
        return Err(PlotError::Size { side: "height", pixels: MOST, least: height });
    }
    let mut picture = Picture::new(options.width, height);
    let paper = Paper::new(&mut picture, &letters);
    header.draw(&paper)?;
    Chart { paper: &paper, metric: runs.first().map_or("", |run| &run.metric), curves, options }.draw(header.bottom)?;
    drop(paper);
    Ok(picture)
}

struct Chart<'a, 'pen> {
    paper: &'a Paper<'pen>,
    metric: &'a str,
    curves: &'a [Curve],
    options: &'a PlotOptions,
}

impl Chart<'_, '_> {
    fn draw(&self, top: i32) -> Result<(), PlotError> {
        let em = |ems| self.paper.em(ems);
        let (x, y) = self.axes(top);
        let right_bottom = (self.paper.width() - em(2.0), self.paper.height() - em(3.6));
        let plane = Plane { left_top: (y.room(self.paper.letters), top), right_bottom, x, y };
        plane.horizontal_grid(self.paper)?;
        plane.x_axis(self.paper)?;
        plane.y_axis(self.paper, true)?;
        x_name(self.paper, "environment steps", (plane.left_top.0, right_bottom.0), right_bottom.1)?;
        y_name(self.paper, &describe(self.metric), (top, right_bottom.1))?;
        self.draw_curves(&plane)?;
        if let Some(threshold) = self.options.threshold {
            let ends = [plane.at(plane.x.from, threshold), plane.at(plane.x.to, threshold)];
            self.paper.line(&ends, FAINT, self.paper.letters.measure.hair, Some(THRESHOLD_DASHES))?;
        }
        Ok(())
    }

    /// All bands first and all lines last, so that no band hides another curve's line.
    fn draw_curves(&self, plane: &Plane) -> Result<(), PlotError> {
        let at = |env_steps: f64, value: f64| plane.at(env_steps, value);
        let ribbon = |(i, curve): (usize, &Curve)| {
            let look = Look::of(i);
            let through = |deviations: f64| {
                curve.places.iter().map(|p| at(p.env_steps, p.mean + deviations * p.deviation)).collect()
            };
            let (line, upper, lower) = (through(0.0), through(1.0), through(-1.0));
            Ribbon { line, upper, lower, colour: look.colour, dashes: look.dashes, marker: look.marker }
        };
        let ribbons: Vec<Ribbon> = self.curves.iter().enumerate().map(ribbon).collect();
        for (curve, ribbon) in self.curves.iter().zip(&ribbons) {
            if curve.seeds.len() > 1 {
                ribbon.draw_band(self.paper)?;
            }
            let raw: Vec<Pixel> = curve.raw.iter().map(|&(env_steps, value)| at(env_steps, value)).collect();
            self.paper.faint_line(raw, ribbon.colour.mix(RAW))?;
        }
        ribbons.iter().try_for_each(|ribbon| ribbon.draw_line(self.paper))
    }

    /// The axes that hold all that is drawn, with ticks for the room there is below `top`.
    fn axes(&self, top: i32) -> (Axis, Axis) {
        let (mut x, mut y) = ((f64::INFINITY, 0.0f64), (f64::INFINITY, f64::NEG_INFINITY));
        let mut hold = |env_steps: f64, value: f64| {
            x = (x.0.min(env_steps), x.1.max(env_steps));
            y = (y.0.min(value), y.1.max(value));
        };
        for curve in self.curves {
            for place in &curve.places {
                hold(place.env_steps, place.mean - place.deviation);
                hold(place.env_steps, place.mean + place.deviation);
            }
            curve.raw.iter().for_each(|&(env_steps, value)| hold(env_steps, value));
        }
        if let Some(threshold) = self.options.threshold {
            y = (y.0.min(threshold), y.1.max(threshold));
        }
        // Learning starts at zero steps; only a run that was taken up late starts elsewhere.
        let from = if x.0 > x.1 / 2.0 && x.0 < x.1 { x.0 } else { 0.0 };
        let air = (y.1 - y.0) * 0.04;
        let wide = self.paper.letters.count(self.paper.width(), 7.0, 9.0);
        let high = self.paper.letters.count(self.paper.height() - top, 4.5, 7.0);
        (
            Axis::new(Quantity::EnvSteps, from, x.1, wide).ending_on_a_tick(),
            Axis::new(Quantity::Metric, y.0 - air, y.1 + air, high),
        )
    }
}
