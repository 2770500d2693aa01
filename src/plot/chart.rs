//! Where everything goes: title, legend, axes and curves on one picture.

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

use super::{
    PlotError, PlotOptions, Run,
    axis::{Axis, Quantity, describe},
    backend::{Pen, UNITS_PER_PIXEL},
    curve::Curve,
    dash::dashed,
    legend::{Entry, FAINT, THRESHOLD_DASHES, entries, environments, subtitle},
    typeface::Typeface,
};
use crate::canvas::Canvas;

pub(super) const TEXT: RGBColor = RGBColor(34, 34, 34);
pub(super) const AXIS: RGBColor = RGBColor(136, 136, 136);
const GRID: RGBColor = RGBColor(230, 230, 230);

/// How much of a curve's colour its band and its unsmoothed points have.
const BAND: f64 = 0.2;
const RAW: f64 = 0.35;

/// Positions in plotters' units, sub-pixels.
pub(super) type Pixel = (i32, i32);

pub(super) fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError::Draw(error.to_string())
}

/// All lengths, in plotters' units. They follow the text's size, and that the picture's.
pub(super) struct Measure {
    pub(super) text: f64,
    pub(super) line: u32,
    pub(super) hair: u32,
}

impl Measure {
    pub(super) fn new(width: u32, height: u32, scale: f64) -> Measure {
        let (width, height) = (f64::from(width) / scale, f64::from(height) / scale);
        let unit = scale * f64::from(UNITS_PER_PIXEL);
        // 14 at 1000 x 600 and 11.5 at 600 x 360: smaller cannot be read, much larger looks like a poster.
        let text = (width / 70.0).min(height / 42.0).clamp(11.5, 18.0);
        Measure {
            text: text * unit,
            line: (text / 7.0 * unit).round() as u32,
            hair: ((scale.round().max(1.0)) * f64::from(UNITS_PER_PIXEL)) as u32,
        }
    }

    /// A length of so many text sizes.
    pub(super) fn em(&self, ems: f64) -> i32 {
        (self.text * ems).round() as i32
    }
}

/// Paints the chart of `curves` on a canvas of its own.
pub(super) fn paint(runs: &[Run], curves: &[Curve], options: &PlotOptions) -> Result<Canvas, PlotError> {
    let too_large =
        || PlotError::Option { name: "width", value: options.width.to_string(), expected: "small enough for memory" };
    let white = uphill_envs::Colour(255, 255, 255);
    let unit = 1.0 / f32::from(UNITS_PER_PIXEL);
    let mut canvas = Canvas::new(options.width, options.height, (unit, unit), white).ok_or_else(too_large)?;
    let typeface = Typeface::built_in()?;
    let root = Pen { canvas: &mut canvas, typeface: &typeface }.into_drawing_area();
    let chart = Chart {
        root: &root,
        typeface: &typeface,
        measure: Measure::new(options.width, options.height, options.scale),
        runs,
        curves,
        options,
        entries: entries(curves, options),
    };
    chart.draw()?;
    drop(root);
    Ok(canvas)
}

struct Chart<'a, 'pen> {
    root: &'a DrawingArea<Pen<'pen>, Shift>,
    typeface: &'a Typeface,
    measure: Measure,
    runs: &'a [Run],
    curves: &'a [Curve],
    options: &'a PlotOptions,
    entries: Vec<Entry>,
}

impl Chart<'_, '_> {
    fn draw(&self) -> Result<(), PlotError> {
        let top = self.draw_header()?;
        let (x_axis, y_axis) = self.axes(top);
        let em = |ems| self.measure.em(ems);
        let text = |size: f64, colour: &RGBColor| ("", self.measure.text * size).into_font().color(colour);
        let (left, below) = (self.left_room(&y_axis), em(3.7));
        let high = self.height() - top - em(0.7) - below;
        let plane = self.root.margin(top, em(0.7), em(0.7), em(2.0));
        let mut chart = ChartBuilder::on(&plane)
            .set_label_area_size(LabelAreaPosition::Left, left)
            .set_label_area_size(LabelAreaPosition::Bottom, below)
            .build_cartesian_2d(x_axis.clone(), y_axis)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.stroke_width(self.measure.hair))
            .light_line_style(TRANSPARENT)
            .axis_style(AXIS.stroke_width(self.measure.hair))
            .set_all_tick_mark_size(em(0.28))
            .label_style(text(1.0, &TEXT))
            .axis_desc_style(text(1.0, &TEXT))
            .x_desc("environment steps")
            .y_desc(self.typeface.fit(&describe(self.metric()), self.measure.text as f32, high as f32))
            .draw()
            .map_err(failed)?;
        let at = |env_steps: f64, value: f64| chart.backend_coord(&(env_steps, value));
        self.draw_curves(&at)?;
        if let Some(threshold) = self.options.threshold {
            let ends = [at(x_axis.from, threshold), at(x_axis.to, threshold)];
            self.draw_line(&ends, FAINT, self.measure.hair, Some(THRESHOLD_DASHES))?;
        }
        Ok(())
    }

    /// All bands first and all lines last, so that no band hides another curve's line.
    fn draw_curves(&self, at: &dyn Fn(f64, f64) -> Pixel) -> Result<(), PlotError> {
        let thin = self.measure.hair;
        for (curve, entry) in self.curves.iter().zip(&self.entries) {
            let upper = curve.places.iter().map(|place| at(place.env_steps, place.mean + place.deviation));
            let lower = curve.places.iter().rev().map(|place| at(place.env_steps, place.mean - place.deviation));
            if curve.seeds.len() > 1 {
                let band: Vec<Pixel> = upper.chain(lower).collect();
                if let [upper, lower] = band.as_slice() {
                    // A single place has a height and no width: a bar in place of a band.
                    self.draw_line(&[*upper, *lower], entry.colour, self.measure.line, None)?;
                } else {
                    self.root.draw(&Polygon::new(band, entry.colour.mix(BAND))).map_err(failed)?;
                }
            }
            let raw: Vec<Pixel> = curve.raw.iter().map(|&(env_steps, value)| at(env_steps, value)).collect();
            self.root.draw(&PathElement::new(raw, entry.colour.mix(RAW).stroke_width(thin))).map_err(failed)?;
        }
        for (curve, entry) in self.curves.iter().zip(&self.entries) {
            let line: Vec<Pixel> = curve.places.iter().map(|place| at(place.env_steps, place.mean)).collect();
            // What has no length, as one point or on an axis that a far threshold stretches, would not be seen.
            let width = self.measure.line;
            let near = |a: Pixel, b: Pixel| a.0.abs_diff(b.0).max(a.1.abs_diff(b.1)) <= width;
            if let Some(first) = line.first().filter(|first| line.iter().all(|point| near(**first, *point))) {
                let disc = Circle::new(*first, self.measure.line * 2, entry.colour.filled());
                self.root.draw(&disc).map_err(failed)?;
            }
            self.draw_line(&line, entry.colour, self.measure.line, entry.dashes)?;
        }
        Ok(())
    }

    /// Title, subtitle and legend; returns where the axes may begin.
    fn draw_header(&self) -> Result<i32, PlotError> {
        let em = |ems| self.measure.em(ems);
        let (left, room) = (em(0.9), self.width() - em(1.8));
        let title = self.options.title.clone().unwrap_or_else(|| environments(self.runs));
        self.write(&title, 1.3, TEXT, (left, em(0.55)), VPos::Top, room)?;
        self.write(&subtitle(self.curves, self.options), 1.0, FAINT, (left, em(2.3)), VPos::Top, room)?;

        let (swatch, gap, between, row) = (em(1.8), em(0.5), em(1.6), em(1.55));
        let mut at = (left, em(4.3));
        // The axes keep more than half of the height however many curves there are.
        let last_row = (self.height() * 7 / 20).max(at.1);

        for (i, entry) in self.entries.iter().enumerate() {
            let width = swatch + gap + self.text_width(&entry.text, 1.0);
            if at.0 > left && at.0 + width > left + room {
                at = (left, at.1 + row);
            }
            if at.1 > last_row {
                let more = format!("and {} more", self.entries.len() - i);
                self.write(&more, 1.0, FAINT, at, VPos::Center, room)?;
                break;
            }
            let (x0, x1) = (at.0, at.0 + swatch);
            if entry.band {
                let half = em(0.42);
                let corners = [(x0, at.1 - half), (x1, at.1 + half)];
                self.root.draw(&Rectangle::new(corners, entry.colour.mix(BAND).filled())).map_err(failed)?;
            }
            self.draw_line(&[(x0, at.1), (x1, at.1)], entry.colour, self.measure.line, entry.dashes)?;
            let text_room = left + room - x1 - gap;
            self.write(&entry.text, 1.0, TEXT, (x1 + gap, at.1), VPos::Center, text_room)?;
            at.0 += width + between;
        }
        Ok(at.1 + em(1.3))
    }

    fn metric(&self) -> &str {
        self.runs.first().map_or("", |run| &run.metric)
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
        let count = |room: i32, each: f64, most: f64| (f64::from(room) / self.measure.text / each).clamp(2.0, most);
        let wide = count(self.width(), 7.0, 9.0);
        let high = count(self.height() - top, 4.5, 7.0);
        (
            Axis::new(Quantity::EnvSteps, from, x.1, wide).ending_on_a_tick(),
            Axis::new(Quantity::Metric, y.0 - air, y.1 + air, high),
        )
    }

    /// Left of the axis: its name, upright, and the widest of its labels.
    fn left_room(&self, y_axis: &Axis) -> i32 {
        let labels = y_axis.ticks.iter().map(|&tick| self.text_width(&y_axis.label(tick), 1.0));
        labels.max().unwrap_or_default() + self.measure.em(2.6)
    }

    fn draw_line(
        &self,
        points: &[Pixel],
        colour: RGBColor,
        width: u32,
        dashes: Option<(f64, f64)>,
    ) -> Result<(), PlotError> {
        let pieces = match dashes {
            None => vec![points.to_vec()],
            Some((on, off)) => dashed(points, on * self.measure.text, off * self.measure.text),
        };
        for piece in pieces {
            self.root.draw(&PathElement::new(piece, colour.stroke_width(width))).map_err(failed)?;
        }
        Ok(())
    }

    fn write(
        &self,
        text: &str,
        size: f64,
        colour: RGBColor,
        at: Pixel,
        vertical: VPos,
        room: i32,
    ) -> Result<(), PlotError> {
        let size = self.measure.text * size;
        let style = ("", size).into_font().color(&colour).pos(Pos::new(HPos::Left, vertical));
        self.root.draw_text(&self.typeface.fit(text, size as f32, room as f32), &style, at).map_err(failed)
    }

    fn text_width(&self, text: &str, size: f64) -> i32 {
        self.typeface.width(text, (self.measure.text * size) as f32).ceil() as i32
    }

    fn width(&self) -> i32 {
        self.root.dim_in_pixel().0 as i32
    }

    fn height(&self) -> i32 {
        self.root.dim_in_pixel().1 as i32
    }
}
