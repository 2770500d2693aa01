//! Where everything of a picture of descent goes: header, maps with their axes, paths, numbers, and the scale of values.

use plotters::{
    coord::Shift,
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use uphill_envs::Colour;

use super::{
    DescentOptions, DescentPanel, DescentPath, Landscape, PlotError,
    axis::{Axis, Quantity, significant},
    backend::{Pen, UNITS_PER_PIXEL},
    chart::{AXIS, Measure, Pixel, TEXT, failed},
    landscape::Goal,
    legend::{FAINT, PALETTE},
    typeface::Typeface,
};
use crate::canvas::{Canvas, Point};

/// Bands of colour, of which fewer are drawn where the landscape is flat.
const BANDS: usize = 16;
/// Greys of the best and of the worst band: every colour of the palette is told from each of them.
const GREYS: (f64, f64) = (252.0, 176.0);
/// How much darker than its band a contour is.
const CONTOUR: f64 = 0.82;
const WHITE: RGBColor = RGBColor(255, 255, 255);

/// A map's place: two corners in whole pixels.
struct Place {
    left_top: (u32, u32),
    right_bottom: (u32, u32),
}

impl Place {
    fn corners(&self) -> [Point; 2] {
        [self.left_top, self.right_bottom].map(in_units).map(|(x, y)| (x as f32, y as f32))
    }

    fn holds(&self, &(x, y): &Point) -> bool {
        let [(left, top), (right, bottom)] = self.corners();
        (left..=right).contains(&x) && (top..=bottom).contains(&y)
    }
}

/// A picture whose paths are still to be drawn.
pub(super) struct Sheet<'a> {
    landscape: &'a Landscape,
    panels: &'a [DescentPanel],
    options: &'a DescentOptions,
    typeface: Typeface,
    measure: Measure,
    levels: Vec<f64>,
    labels: Vec<&'a str>,
    places: Vec<Place>,
    base: Canvas,
}

impl<'a> Sheet<'a> {
    /// Paints all that does not move.
    pub(super) fn new(
        landscape: &'a Landscape,
        panels: &'a [DescentPanel],
        options: &'a DescentOptions,
    ) -> Result<Self, PlotError> {
        let too_large = || PlotError::Option {
            name: "width",
            value: options.width.to_string(),
            expected: "small enough for memory",
        };
        let unit = 1.0 / f32::from(UNITS_PER_PIXEL);
        let white = Colour(255, 255, 255);
        let base = Canvas::new(options.width, options.height, (unit, unit), white).ok_or_else(too_large)?;
        let mut labels: Vec<&str> = Vec::new();
        for path in panels.iter().flat_map(|panel| &panel.paths) {
            if !labels.contains(&path.label.as_str()) {
                labels.push(&path.label);
            }
        }
        let mut sheet = Self {
            landscape,
            panels,
            options,
            typeface: Typeface::built_in()?,
            measure: Measure::new(options.width, options.height, options.scale),
            levels: landscape.levels(BANDS),
            labels,
            places: Vec::new(),
            base,
        };
        let mut base = sheet.base.clone();
        let top = sheet.header(&mut base)?;
        let scale_width = sheet.scale_width();
        sheet.places = sheet.places(top, scale_width);
        for place in &sheet.places {
            sheet.paint_map(&mut base, place);
        }
        sheet.axes(&mut base)?;
        sheet.scale(&mut base)?;
        sheet.base = base;
        Ok(sheet)
    }

    /// The picture after so many steps, or all of them.
    pub(super) fn at_step(&self, step: usize) -> Result<Canvas, PlotError> {
        let mut canvas = self.base.clone();
        for (place, panel) in self.places.iter().zip(self.panels) {
            if let Some(best) = self.options.best {
                self.paint_best(&mut canvas, self.at(place, best));
            }
            // All lines first and all ends last, so that no line hides where another one ends.
            for path in &panel.paths {
                self.paint_line(&mut canvas, place, path, step);
            }
            for path in &panel.paths {
                self.paint_ends(&mut canvas, place, path, step);
            }
            self.numbers(&mut canvas, place, panel, step)?;
        }
        Ok(canvas)
    }

    /// The colours of areas and lines.
    pub(super) fn colours(&self) -> Vec<Colour> {
        let bands = (0..=self.levels.len()).map(|band| self.grey(band));
        let lines = self.levels.iter().enumerate().map(|(i, _)| self.contour_grey(i));
        let paths = (0..self.labels.len()).map(|i| packed(PALETTE[i % PALETTE.len()]));
        bands.chain(lines).chain(paths).chain([TEXT, FAINT, WHITE].map(packed)).collect()
    }

    /// Title, subtitle and legend; returns where the maps may begin.
    fn header(&self, canvas: &mut Canvas) -> Result<i32, PlotError> {
        let em = |ems| self.measure.em(ems);
        let root = self.pen(canvas);
        let (left, room) = (em(0.9), self.width() - em(1.8));
        self.write(&root, &self.options.title, (1.3, TEXT), (left, em(0.55)), (HPos::Left, VPos::Top), room)?;
        self.write(&root, &self.options.subtitle, (1.0, FAINT), (left, em(2.3)), (HPos::Left, VPos::Top), room)?;
        let (swatch, gap, between, row) = (em(1.8), em(0.5), em(1.6), em(1.55));
        let mut at = (left, em(4.4));
        for (i, label) in self.labels.iter().enumerate() {
            let width = swatch + gap + self.text_width(label);
            if at.0 > left && at.0 + width > left + room {
                at = (left, at.1 + row);
            }
            let line = PathElement::new(vec![at, (at.0 + swatch, at.1)], colour(i).stroke_width(self.measure.line));
            root.draw(&line).map_err(failed)?;
            let text_room = left + room - at.0 - swatch - gap;
            let start = (at.0 + swatch + gap, at.1);
            self.write(&root, label, (1.0, TEXT), start, (HPos::Left, VPos::Center), text_room)?;
            at.0 += width + between;
        }
        Ok(at.1 + em(1.2))
    }

    /// The maps' places, side by side below `top`, with room for axes, numbers and the scale on the right.
    fn places(&self, top: i32, scale_width: i32) -> Vec<Place> {
        let em = |ems| self.measure.em(ems);
        let title = if self.panels.iter().any(|panel| !panel.title.is_empty()) { em(1.8) } else { em(0.3) };
        let rows = self.panels.iter().map(|panel| panel.paths.len()).max().unwrap_or(0);
        let below = em(3.6) + em(1.5) * self.number_rows(rows) as i32 + em(0.6);
        let (y_labels, gap) = (self.y_room(), em(1.4));
        let count = self.panels.len() as i32;
        let room = self.width() - em(0.9) - y_labels - scale_width - gap * (count - 1);
        let pixel = i32::from(UNITS_PER_PIXEL);
        let whole = |units: i32| (units / pixel).max(0) as u32;
        (0..count)
            .map(|i| {
                let left = em(0.9) + y_labels + i * (room / count + gap);
                Place {
                    left_top: (whole(left), whole(top + title)),
                    right_bottom: (whole(left + room / count), whole(self.height() - below)),
                }
            })
            .collect()
    }

    /// How many rows the numbers of so many paths take below a map.
    fn number_rows(&self, paths: usize) -> usize {
        1 + paths.div_ceil(self.number_columns())
    }

    /// How many numbers stand side by side below a map.
    fn number_columns(&self) -> usize {
        // Room for a line and for `−1.23e−10` or `diverged`.
        let each = self.measure.em(7.0);
        let all = self.width() - self.y_room() - self.scale_width();
        (all / self.panels.len().max(1) as i32 / each).clamp(1, 8) as usize
    }

    fn y_room(&self) -> i32 {
        let axis = self.axis(self.landscape.y(), 7.0);
        let labels = axis.ticks.iter().map(|&tick| self.text_width(&axis.label(tick)));
        labels.max().unwrap_or_default() + self.measure.em(2.4)
    }

    fn axis(&self, (from, to): (f64, f64), count: f64) -> Axis {
        Axis::new(Quantity::Metric, from, to, count)
    }

    fn paint_map(&self, canvas: &mut Canvas, place: &Place) {
        let (x, y) = (self.landscape.x(), self.landscape.y());
        let (left, top) = (f64::from(place.left_top.0), f64::from(place.left_top.1));
        let (right, bottom) = (f64::from(place.right_bottom.0), f64::from(place.right_bottom.1));
        canvas.paint_pixels(place.left_top, place.right_bottom, |px, py| {
            let across = (f64::from(px) - left) / (right - left);
            let up = (bottom - f64::from(py)) / (bottom - top);
            let value = self.landscape.value(x.0 + across * (x.1 - x.0), y.0 + up * (y.1 - y.0));
            self.grey(self.levels.partition_point(|&level| level <= value))
        });
        for (i, &level) in self.levels.iter().enumerate() {
            let pieces = self.landscape.contour(level);
            let lines: Vec<(Point, Point)> =
                pieces.into_iter().map(|[a, b]| (self.at(place, a), self.at(place, b))).collect();
            canvas.stroke_all(&lines, self.measure.hair as f32, self.contour_grey(i), 1.0);
        }
    }

    /// A band's grey: the best is the lightest.
    fn grey(&self, band: usize) -> Colour {
        let share = band as f64 / self.levels.len().max(1) as f64;
        let share = if self.landscape.goal() == Goal::Lowest { share } else { 1.0 - share };
        let grey = (GREYS.0 + (GREYS.1 - GREYS.0) * share).round() as u8;
        Colour(grey, grey, grey)
    }

    fn contour_grey(&self, level: usize) -> Colour {
        let darker = self.grey(level).0.min(self.grey(level + 1).0);
        let grey = (f64::from(darker) * CONTOUR).round() as u8;
        Colour(grey, grey, grey)
    }

    fn axes(&self, canvas: &mut Canvas) -> Result<(), PlotError> {
        let em = |ems| self.measure.em(ems);
        let root = self.pen(canvas);
        let hair = AXIS.stroke_width(self.measure.hair);
        for (i, (place, panel)) in self.places.iter().zip(self.panels).enumerate() {
            let [(left, top), (right, bottom)] = [place.left_top, place.right_bottom].map(in_units);
            let middle = (left + right) / 2;
            let frame = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
            for side in frame.windows(2) {
                root.draw(&PathElement::new(side.to_vec(), hair)).map_err(failed)?;
            }
            let above = (middle, top - em(0.45));
            self.write(&root, &panel.title, (1.0, TEXT), above, (HPos::Center, VPos::Bottom), right - left)?;
            let wide = (f64::from(right - left) / self.measure.text / 5.0).clamp(2.0, 9.0);
            let x_axis = self.axis(self.landscape.x(), wide);
            for &tick in &x_axis.ticks {
                let (x, _) = self.at(place, (tick, self.landscape.y().0));
                let x = x.round() as i32;
                root.draw(&PathElement::new(vec![(x, bottom), (x, bottom + em(0.28))], hair)).map_err(failed)?;
                let below = (x, bottom + em(0.45));
                self.write(&root, &x_axis.label(tick), (1.0, TEXT), below, (HPos::Center, VPos::Top), right - left)?;
            }
            let below = (middle, bottom + em(1.75));
            self.write(&root, &self.options.axes.0, (1.0, TEXT), below, (HPos::Center, VPos::Top), right - left)?;
            let high = (f64::from(bottom - top) / self.measure.text / 4.0).clamp(2.0, 9.0);
            let y_axis = self.axis(self.landscape.y(), high);
            for &tick in &y_axis.ticks {
                let (_, y) = self.at(place, (self.landscape.x().0, tick));
                let y = y.round() as i32;
                root.draw(&PathElement::new(vec![(left - em(0.28), y), (left, y)], hair)).map_err(failed)?;
                if i == 0 {
                    let beside = (left - em(0.45), y);
                    let anchor = (HPos::Right, VPos::Center);
                    self.write(&root, &y_axis.label(tick), (1.0, TEXT), beside, anchor, left)?;
                }
            }
            if i == 0 {
                let style = self.style(1.0, TEXT, (HPos::Center, VPos::Top)).transform(FontTransform::Rotate270);
                let name = self.typeface.fit(&self.options.axes.1, self.measure.text as f32, (bottom - top) as f32);
                root.draw_text(&name, &style, (em(0.7), (top + bottom) / 2)).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// What the levels are called, on the right: every so many that they do not touch.
    fn level_names(&self) -> Vec<String> {
        let names = |digits| self.levels.iter().map(move |&level| significant(level, digits)).collect::<Vec<_>>();
        let told_apart = |names: &Vec<String>| names.windows(2).all(|pair| pair[0] != pair[1]);
        (2..6).map(names).find(told_apart).unwrap_or_else(|| names(6))
    }

    fn scale_width(&self) -> i32 {
        let names = self.level_names();
        let widest = names.iter().map(|name| self.text_width(name)).max().unwrap_or_default();
        self.measure.em(1.6) + self.measure.em(1.0) + self.measure.em(0.5) + widest + self.measure.em(2.4)
    }

    /// The bands beside the last map, with the values between them.
    fn scale(&self, canvas: &mut Canvas) -> Result<(), PlotError> {
        let em = |ems| self.measure.em(ems);
        let Some(place) = self.places.last() else { return Ok(()) };
        let [(right, top), (_, bottom)] = [(place.right_bottom.0, place.left_top.1), place.right_bottom].map(in_units);
        let (left, bands) = (right + em(1.6), self.levels.len() + 1);
        let edge = |band: usize| bottom - (bottom - top) * band as i32 / bands as i32;
        let root = self.pen(canvas);
        for band in 0..bands {
            let Colour(red, green, blue) = self.grey(band);
            let corners = [(left, edge(band + 1)), (left + em(1.0), edge(band))];
            root.draw(&Rectangle::new(corners, RGBColor(red, green, blue).filled())).map_err(failed)?;
        }
        let frame = [(left, top), (left + em(1.0), bottom)];
        root.draw(&Rectangle::new(frame, AXIS.stroke_width(self.measure.hair))).map_err(failed)?;
        let every = (f64::from(em(1.3)) / (f64::from(bottom - top) / bands as f64)).ceil().max(1.0) as usize;
        for (i, name) in self.level_names().iter().enumerate().step_by(every) {
            let at = (left + em(1.5), edge(i + 1));
            self.write(&root, name, (1.0, TEXT), at, (HPos::Left, VPos::Center), self.width() - at.0)?;
        }
        let style = self.style(1.0, TEXT, (HPos::Center, VPos::Bottom)).transform(FontTransform::Rotate270);
        let name = self.typeface.fit(&self.options.value, self.measure.text as f32, (bottom - top) as f32);
        root.draw_text(&name, &style, (self.width() - em(0.6), (top + bottom) / 2)).map_err(failed)
    }

    /// Where a point of the landscape lies, in the canvas's units.
    fn at(&self, place: &Place, (x, y): (f64, f64)) -> Point {
        let [(left, top), (right, bottom)] = [place.left_top, place.right_bottom].map(in_units);
        let share = |(from, to): (f64, f64), at: f64| (at - from) / (to - from);
        let across = f64::from(left) + f64::from(right - left) * share(self.landscape.x(), x);
        let down = f64::from(bottom) - f64::from(bottom - top) * share(self.landscape.y(), y);
        (across as f32, down as f32)
    }

    /// The points of a path up to a step, and its colour.
    fn points(&self, place: &Place, path: &DescentPath, step: usize) -> (Vec<Point>, Colour) {
        let index = self.labels.iter().position(|label| *label == path.label).unwrap_or_default();
        let points = path.points.iter().take(step.saturating_add(1));
        let finite = points.take_while(|(x, y)| x.is_finite() && y.is_finite());
        (finite.map(|&point| self.at(place, point)).collect(), packed(colour(index)))
    }

    /// A path up to a step, cut off at the map's edge, with a dot wherever a step is long enough to be seen.
    fn paint_line(&self, canvas: &mut Canvas, place: &Place, path: &DescentPath, step: usize) {
        let (points, ink) = self.points(place, path, step);
        let line = self.measure.line as f32;
        let pieces = within(&points, place.corners());
        for piece in &pieces {
            canvas.stroke(piece, line * 2.0, Colour(255, 255, 255), 0.75);
        }
        for piece in &pieces {
            canvas.stroke(piece, line, ink, 1.0);
        }
        let mut last: Option<Point> = None;
        for &point in points.iter().filter(|point| place.holds(point)) {
            let far = |a: Point| (a.0 - point.0).hypot(a.1 - point.1) > line * 4.0;
            if last.is_none_or(far) {
                canvas.fill_disc(point, line * 1.1, ink, 1.0);
                last = Some(point);
            }
        }
    }

    /// A ring where a path starts and a disc where it has got to.
    fn paint_ends(&self, canvas: &mut Canvas, place: &Place, path: &DescentPath, step: usize) {
        let (points, ink) = self.points(place, path, step);
        let line = self.measure.line as f32;
        if let Some(&start) = points.first().filter(|point| place.holds(point)) {
            canvas.fill_disc(start, line * 2.6, Colour(34, 34, 34), 1.0);
            canvas.fill_disc(start, line * 1.6, Colour(255, 255, 255), 1.0);
        }
        if let Some(&end) = points.last().filter(|point| points.len() > 1 && place.holds(point)) {
            canvas.fill_disc(end, line * 2.6, Colour(255, 255, 255), 1.0);
            canvas.fill_disc(end, line * 2.0, ink, 1.0);
        }
    }

    /// A cross: the best point.
    fn paint_best(&self, canvas: &mut Canvas, (x, y): Point) {
        let arm = self.measure.em(0.6) as f32;
        let lines = [((x - arm, y - arm), (x + arm, y + arm)), ((x - arm, y + arm), (x + arm, y - arm))];
        let line = self.measure.line as f32;
        canvas.stroke_all(&lines, line * 2.0, Colour(255, 255, 255), 0.85);
        canvas.stroke_all(&lines, line, Colour(34, 34, 34), 1.0);
    }

    /// Below a map: the step, and each path's value there.
    fn numbers(&self, canvas: &mut Canvas, place: &Place, panel: &DescentPanel, step: usize) -> Result<(), PlotError> {
        let em = |ems| self.measure.em(ems);
        let [(left, _), (right, bottom)] = [place.left_top, place.right_bottom].map(in_units);
        let root = self.pen(canvas);
        let paths = self.panels.iter().flat_map(|panel| &panel.paths);
        let steps = paths.map(|path| path.points.len() - 1).max().unwrap_or(0);
        let row = |i: usize| bottom + em(3.6) + em(1.5) * i as i32 + em(0.75);
        let text = format!("{} after {} steps", self.options.value, step.min(steps));
        self.write(&root, &text, (1.0, FAINT), (left, row(0)), (HPos::Left, VPos::Center), right - left)?;
        let columns = self.number_columns();
        for (i, path) in panel.paths.iter().enumerate() {
            let index = self.labels.iter().position(|label| *label == path.label).unwrap_or_default();
            let at = (left + (right - left) * (i % columns) as i32 / columns as i32, row(1 + i / columns));
            let line = vec![at, (at.0 + em(1.0), at.1)];
            root.draw(&PathElement::new(line, colour(index).stroke_width(self.measure.line))).map_err(failed)?;
            let value = path.values[step.min(path.values.len() - 1)];
            let text = if value.is_finite() { significant(value, 3) } else { "diverged".into() };
            let start = (at.0 + em(1.4), at.1);
            let room = (right - left) / columns as i32 - em(1.8);
            self.write(&root, &text, (1.0, TEXT), start, (HPos::Left, VPos::Center), room)?;
        }
        Ok(())
    }

    fn pen<'c>(&'c self, canvas: &'c mut Canvas) -> DrawingArea<Pen<'c>, Shift> {
        Pen { canvas, typeface: &self.typeface }.into_drawing_area()
    }

    fn style(&self, size: f64, colour: RGBColor, (horizontal, vertical): (HPos, VPos)) -> TextStyle<'static> {
        ("", self.measure.text * size).into_font().color(&colour).pos(Pos::new(horizontal, vertical))
    }

    fn write(
        &self,
        root: &DrawingArea<Pen<'_>, Shift>,
        text: &str,
        (size, colour): (f64, RGBColor),
        at: Pixel,
        anchor: (HPos, VPos),
        room: i32,
    ) -> Result<(), PlotError> {
        let text = self.typeface.fit(text, (self.measure.text * size) as f32, room as f32);
        root.draw_text(&text, &self.style(size, colour, anchor), at).map_err(failed)
    }

    fn text_width(&self, text: &str) -> i32 {
        self.typeface.width(text, self.measure.text as f32).ceil() as i32
    }

    fn width(&self) -> i32 {
        self.options.width as i32 * i32::from(UNITS_PER_PIXEL)
    }

    fn height(&self) -> i32 {
        self.options.height as i32 * i32::from(UNITS_PER_PIXEL)
    }
}

fn in_units((x, y): (u32, u32)) -> Pixel {
    let unit = i32::from(UNITS_PER_PIXEL);
    (x as i32 * unit, y as i32 * unit)
}

fn colour(index: usize) -> RGBColor {
    PALETTE[index % PALETTE.len()]
}

fn packed(RGBColor(red, green, blue): RGBColor) -> Colour {
    Colour(red, green, blue)
}

/// The parts of a line that lie within a rectangle: each segment cut by Liang and Barsky 1984.
fn within(points: &[Point], [(left, top), (right, bottom)]: [Point; 2]) -> Vec<Vec<Point>> {
    let mut pieces: Vec<Vec<Point>> = Vec::new();
    for (from, to) in points.iter().zip(points.iter().skip(1)) {
        let (dx, dy) = (f64::from(to.0) - f64::from(from.0), f64::from(to.1) - f64::from(from.1));
        let mut part = Some((0.0, 1.0));
        for (d, room) in [
            (-dx, f64::from(from.0) - f64::from(left)),
            (dx, f64::from(right) - f64::from(from.0)),
            (-dy, f64::from(from.1) - f64::from(top)),
            (dy, f64::from(bottom) - f64::from(from.1)),
        ] {
            part = part.and_then(|(start, end): (f64, f64)| {
                let t = room / d;
                match () {
                    () if d == 0.0 => (room >= 0.0).then_some((start, end)),
                    () if d < 0.0 => Some((start.max(t), end)),
                    () => Some((start, end.min(t))),
                }
            });
        }
        let Some((start, end)) = part.filter(|(start, end)| start <= end) else { continue };
        let place = |t: f64| ((f64::from(from.0) + dx * t) as f32, (f64::from(from.1) + dy * t) as f32);
        match pieces.last_mut().filter(|piece| start == 0.0 && piece.last() == Some(from)) {
            Some(piece) => piece.push(place(end)),
            None => pieces.push(vec![place(start), place(end)]),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::within;

    const SQUARE: [super::Point; 2] = [(0.0, 0.0), (4.0, 4.0)];

    #[test]
    fn a_line_is_cut_off_at_the_edges() {
        let line = [(1.0, 1.0), (5.0, 1.0), (5.0, 3.0), (-3.0, 3.0), (-3.0, -3.0)];
        let pieces = within(&line, SQUARE);
        assert_eq!(pieces, [vec![(1.0, 1.0), (4.0, 1.0)], vec![(4.0, 3.0), (0.0, 3.0)]]);
        let inside = [(1.0, 1.0), (2.0, 2.0), (3.0, 1.0)];
        assert_eq!(within(&inside, SQUARE), [inside.to_vec()]);
        assert!(within(&[(9.0, 9.0)], SQUARE).is_empty());
    }
}
