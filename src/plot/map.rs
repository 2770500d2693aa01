//! Maps of a landscape side by side, with the paths of optimizers over them.

use plotters::prelude::*;
use tiny_skia::{PathBuilder, Rect};
use uphill_envs::counted;

use super::{
    AXIS, Area, Axis, Chart, Corners, DescentOptions, DescentPanel, DescentPath, Drawn, FAINT, Goal, HPos, Header,
    Landscape, Look, NAME_LINES, Picture, PlotError, Sheet, Style, Swatch, TEXT, VPos, check, distance, in_pixels,
    in_units, look::PLAIN_LOOKS, sheet::upright, significant,
};

/// Bands of grey, of which fewer are drawn where the landscape is flat.
const BANDS: usize = 16;
/// Greys of the best and of the worst band: every colour of the palette is told from each of them.
const GREYS: [RGBColor; 2] = [RGBColor(252, 252, 252), RGBColor(176, 176, 176)];
/// How much darker than its band a contour is.
const CONTOUR: f64 = 0.82;

/// Maps side by side, and paths over them.
pub(super) struct Maps<'a> {
    landscape: &'a Landscape,
    panels: &'a [DescentPanel],
    options: &'a DescentOptions,
    style: Style,
    /// The levels at which the landscape is cut.
    levels: Vec<f64>,
    /// The names of paths, each once.
    labels: Vec<&'a str>,
}

impl<'a> Maps<'a> {
    pub(super) fn new(
        landscape: &'a Landscape,
        panels: &'a [DescentPanel],
        options: &'a DescentOptions,
    ) -> Result<Self, PlotError> {
        let wide = 300 * u32::try_from(panels.len().max(1)).unwrap_or(u32::MAX / 300);
        check::size(options.scale, &[("width", options.width, wide), ("height", options.height, 300)])?;
        let mut labels: Vec<&str> = Vec::new();
        for DescentPath { label, points, values } in panels.iter().flat_map(|panel| &panel.paths) {
            let whole = !points.is_empty() && points.len() == values.len();
            check::that(whole, label, "it needs points, and as many values as points")?;
            if !labels.contains(&&**label) {
                labels.push(label);
            }
        }
        check::that(!labels.is_empty(), "the descent", "there is no path")?;
        let reason = "it has paths of more than 21 names, which cannot be told apart";
        check::that(labels.len() <= PLAIN_LOOKS, "the descent", reason)?;
        let style = Style::new(options.width, options.height, options.scale);
        Ok(Self { landscape, panels, options, style, levels: landscape.levels(BANDS), labels })
    }

    /// All that does not move, and where the maps are on it.
    pub(super) fn ground(&self) -> Result<(Picture, Vec<Corners>), PlotError> {
        let (style, options) = (&self.style, self.options);
        let em = |ems| style.em(ems);
        let entry = |(i, label): (usize, &&str)| (Swatch::Line(Look::of(i)), (*label).to_owned());
        let entries = self.labels.iter().enumerate().map(entry).collect();
        let (width, titles) = (in_units(options.width), (&*options.title, &*options.subtitle));
        let header = Header::new(style, width, titles, entries, NAME_LINES);
        let scale = style.widest(self.level_names()) + em(4.2);
        let axes = |_, size| axes(self.landscape, size, style);
        let headings = self.panels.iter().map(|panel| (panel.title.clone(), String::new())).collect();
        let names = (&*options.axes.0, &*options.axes.1);
        // All side by side.
        let sheet = Sheet { headings, least: 0, ..Sheet::new(style, width - scale, header, names, &axes) };
        let numbers = self.panels.iter().map(|panel| panel.paths.len()).max().unwrap_or(0);
        let rows = 1 + numbers.div_ceil(number_columns(sheet.chart_width(), style)) as i32;
        let numbers = em(1.5) * rows + em(0.4);
        let least = in_pixels(sheet.height(em(6.0)) + numbers);
        check::room("height", options.height, least)?;
        let mut places: Vec<Corners> = Vec::new();
        let mut ground = Picture::blank(options.width, options.height).with(|area| {
            sheet.draw(area, (scale, numbers), |_, chart| {
                places.push(chart.place());
                Ok(())
            })
        })?;
        places.iter().for_each(|place| self.draw_relief(&mut ground, *place));
        let ground = ground.with(|area| {
            let frame = |&place: &Corners| area.draw(&Rectangle::new(place, AXIS.stroke_width(style.hair)));
            places.iter().try_for_each(frame)?;
            let Some(&[(_, top), (right, bottom)]) = places.last() else { return Ok(()) };
            self.draw_scale(area, [(right + em(1.6), top), (right + em(2.6), bottom)])?;
            let beside = area.clone().shrink((0, top), (width, bottom - top));
            upright(&beside, style, &options.value, (width - em(0.6), VPos::Bottom))
        })?;
        Ok((ground, places))
    }

    /// Covers a rectangle with bands, on whole pixels, and contours.
    fn draw_relief(&self, picture: &mut Picture, [(left, top), (right, bottom)]: Corners) {
        let (x, y) = (self.landscape.x(), self.landscape.y());
        let (width, height) = (f64::from(right - left), f64::from(bottom - top));
        let pixel = in_units(1);
        let (columns, rows) = (left / pixel..right / pixel + 1, top / pixel..bottom / pixel + 1);
        let middle = |i: i32| f64::from(i * pixel + pixel / 2);
        let band = |column: i32, row: i32| {
            let (across, up) = ((middle(column) - f64::from(left)) / width, (f64::from(bottom) - middle(row)) / height);
            let value = self.landscape.value(x.0 + (x.1 - x.0) * across, y.0 + (y.1 - y.0) * up);
            self.levels.partition_point(|&level| level <= value)
        };
        let bands: Vec<Vec<usize>> =
            rows.clone().map(|row| columns.clone().map(|column| band(column, row)).collect()).collect();
        // Each band lies over the one below it, so that nothing shines through between them.
        for level in 0..=self.levels.len() {
            let mut area = PathBuilder::new();
            for (row, bands) in rows.clone().zip(&bands) {
                let mut from = columns.start;
                for run in bands.chunk_by(|a, b| (*a >= level) == (*b >= level)) {
                    let to = from + run.len() as i32;
                    let sides = [from, row, to, row + 1].map(|side| (side * pixel) as f32);
                    let strip = Rect::from_ltrb(sides[0], sides[1], sides[2], sides[3]);
                    strip.filter(|_| run[0] >= level).iter().for_each(|strip| area.push_rect(*strip));
                    from = to;
                }
            }
            picture.add(area.finish(), None, self.grey(level).to_backend_color());
        }
        let at = |(px, py): (f64, f64)| {
            let (across, up) = ((px - x.0) / (x.1 - x.0), (py - y.0) / (y.1 - y.0));
            ((f64::from(left) + width * across) as f32, (f64::from(bottom) - height * up) as f32)
        };
        for (i, &level) in self.levels.iter().enumerate() {
            let mut contour = PathBuilder::new();
            for [a, b] in self.landscape.contour(level) {
                let ((x0, y0), (x1, y1)) = (at(a), at(b));
                contour.move_to(x0, y0);
                contour.line_to(x1, y1);
            }
            picture.add(contour.finish(), Some(self.style.hair as f32), self.contour_grey(i).to_backend_color());
        }
    }

    /// The bands from bottom to top, with the values between them on their right.
    fn draw_scale(&self, area: &Area<'_>, [(left, top), (right, bottom)]: Corners) -> Drawn {
        let bands = self.levels.len() + 1;
        let edge = |band: usize| bottom - (bottom - top) * band as i32 / bands as i32;
        for band in 0..bands {
            let corners = [(left, edge(band + 1)), (right, edge(band))];
            area.draw(&Rectangle::new(corners, self.grey(band).filled()))?;
        }
        area.draw(&Rectangle::new([(left, top), (right, bottom)], AXIS.stroke_width(self.style.hair)))?;
        let every = (1 + self.style.em(1.3) * bands as i32 / (bottom - top).max(1)) as usize;
        for (i, name) in self.level_names().iter().enumerate().step_by(every) {
            self.style.write(area, name, (right + self.style.em(0.5), edge(i + 1)), (HPos::Left, VPos::Center))?;
        }
        Ok(())
    }

    /// A band's grey: the best is the lightest.
    fn grey(&self, band: usize) -> RGBColor {
        let share = band as f64 / self.levels.len().max(1) as f64;
        let share = if self.landscape.goal() == Goal::Lowest { share } else { 1.0 - share };
        DerivedColorMap::new(&GREYS).get_color(share)
    }

    fn contour_grey(&self, level: usize) -> RGBColor {
        let darker = self.grey(level).0.min(self.grey(level + 1).0);
        let grey = (f64::from(darker) * CONTOUR).round() as u8;
        RGBColor(grey, grey, grey)
    }

    /// What the levels are called, in as few digits as tell each from the next.
    fn level_names(&self) -> Vec<String> {
        let names = |digits| self.levels.iter().map(move |&level| significant(level, digits)).collect::<Vec<_>>();
        let told_apart = |names: &Vec<String>| names.windows(2).all(|pair| pair[0] != pair[1]);
        (2..6).map(names).find(told_apart).unwrap_or_else(|| names(6))
    }

    /// Draws the paths over the maps, after so many steps or all of them.
    pub(super) fn draw_paths(&self, picture: Picture, places: &[Corners], step: usize) -> Result<Picture, PlotError> {
        picture.with(|area| {
            for (&place, panel) in places.iter().zip(self.panels) {
                let [(left, top), (right, bottom)] = place;
                let axes = axes(self.landscape, (right - left, bottom - top), &self.style);
                let chart = Chart::bare(area, &self.style, place, axes)?;
                if let Some(best) = self.options.best.filter(|best| self.holds(best)) {
                    let (arm, line) = (self.style.em(0.6), self.style.line);
                    chart.plot.draw(&Cross::new(best, arm, WHITE.mix(0.85).stroke_width(line * 2)))?;
                    chart.plot.draw(&Cross::new(best, arm, TEXT.stroke_width(line)))?;
                }
                let ways = panel.paths.iter().map(|path| (self.look(path), finite(path, step)));
                let ways: Vec<(Look, Vec<(f64, f64)>)> = ways.collect();
                // All lines first and all ends last, so that no line hides where another one ends.
                ways.iter().try_for_each(|(look, points)| self.draw_line(&chart, look, points))?;
                ways.iter().try_for_each(|(look, points)| self.draw_ends(&chart, look, points))?;
                self.draw_numbers(area, place, panel, step)?;
            }
            Ok(())
        })
    }

    fn look(&self, path: &DescentPath) -> Look {
        Look::of(self.labels.iter().position(|label| *label == path.label).unwrap_or_default())
    }

    /// A path, cut off at the map's edge, with a dot wherever a step is long enough to be seen.
    fn draw_line(&self, chart: &Chart<'_, '_>, look: &Look, points: &[(f64, f64)]) -> Drawn {
        let line = self.style.line;
        let pieces = within(points, [self.landscape.x(), self.landscape.y()]);
        for piece in &pieces {
            chart.plot.draw(&PathElement::new(piece.clone(), WHITE.mix(0.75).stroke_width(line * 2)))?;
        }
        pieces.into_iter().try_for_each(|piece| chart.stroke(look, piece, line))?;
        let mut last: Option<(i32, i32)> = None;
        for &point in points.iter().filter(|point| self.holds(point)) {
            let at = chart.at(point.0, point.1);
            if last.is_none_or(|last| distance(last, at) > f64::from(line * 4)) {
                chart.plot.draw(&Circle::new(point, line * 11 / 10, look.colour.filled()))?;
                last = Some(at);
            }
        }
        Ok(())
    }

    /// A ring where a path starts and a disc where it has got to.
    fn draw_ends(&self, chart: &Chart<'_, '_>, look: &Look, points: &[(f64, f64)]) -> Drawn {
        let discs = |at: &(f64, f64), discs: [(u32, RGBColor); 2]| {
            let discs = discs.into_iter().filter(|_| self.holds(at));
            let disc =
                |(tenths, colour): (u32, RGBColor)| Circle::new(*at, self.style.line * tenths / 10, colour.filled());
            discs.map(disc).try_for_each(|disc| chart.plot.draw(&disc))
        };
        points.first().map_or(Ok(()), |start| discs(start, [(26, TEXT), (16, WHITE)]))?;
        let end = points.last().filter(|_| points.len() > 1);
        end.map_or(Ok(()), |end| discs(end, [(26, WHITE), (20, look.colour)]))
    }

    fn holds(&self, (x, y): &(f64, f64)) -> bool {
        let inside = |(from, to): (f64, f64), at: &f64| (from..=to).contains(at);
        inside(self.landscape.x(), x) && inside(self.landscape.y(), y)
    }

    /// Below a map: the step, and each path's value there.
    fn draw_numbers(&self, area: &Area<'_>, place: Corners, panel: &DescentPanel, step: usize) -> Drawn {
        let (style, em) = (&self.style, |ems| self.style.em(ems));
        let [(left, _), (right, bottom)] = place;
        let paths = self.panels.iter().flat_map(|panel| &panel.paths);
        let steps = paths.map(|path| path.points.len() - 1).max().unwrap_or(0);
        let row = |i: usize| bottom + em(3.6) + em(1.5) * i as i32 + em(0.75);
        let anchor = (HPos::Left, VPos::Center);
        let text = format!("{} after {}", self.options.value, counted(step.min(steps), "step"));
        area.draw_text(&style.fit(&text, 1.0, right - left), &style.font(1.0, FAINT, anchor), (left, row(0)))?;
        let columns = number_columns(right - left, style);
        for (i, path) in panel.paths.iter().enumerate() {
            let (x, y) = (left + (right - left) * (i % columns) as i32 / columns as i32, row(1 + i / columns));
            self.look(path).stroke(area, vec![(x, y), (x + em(1.0), y)], style.line, style)?;
            let value = path.values[step.min(path.values.len() - 1)];
            let text = if value.is_finite() { significant(value, 3) } else { "diverged".into() };
            style.write(area, &text, (x + em(1.4), y), anchor)?;
        }
        Ok(())
    }
}

/// The axes of a map of this width and height.
fn axes(landscape: &Landscape, (width, height): (i32, i32), style: &Style) -> (Axis, Axis) {
    let axis = |range, room, each| Axis::new(range, 0.0, style.count(room, each, 9.0));
    (axis(landscape.x(), width, 5.0), axis(landscape.y(), height, 4.0))
}

/// How many numbers stand side by side below a map, each with a line and `−1.23e−10` or `diverged`.
fn number_columns(width: i32, style: &Style) -> usize {
    (width / style.em(7.0)).clamp(1, 8) as usize
}

/// A path's points up to a step; one that is not finite ends it.
fn finite(path: &DescentPath, step: usize) -> Vec<(f64, f64)> {
    let points = path.points.iter().take(step.saturating_add(1)).copied();
    points.take_while(|(x, y)| x.is_finite() && y.is_finite()).collect()
}

/// The parts of a line that lie within a rectangle: each segment cut by Liang and Barsky 1984.
fn within(points: &[(f64, f64)], [x, y]: [(f64, f64); 2]) -> Vec<Vec<(f64, f64)>> {
    let mut pieces: Vec<Vec<(f64, f64)>> = Vec::new();
    for (&from, &to) in points.iter().zip(points.iter().skip(1)) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let mut part = Some((0.0, 1.0));
        for (d, room) in [(-dx, from.0 - x.0), (dx, x.1 - from.0), (-dy, from.1 - y.0), (dy, y.1 - from.1)] {
            part = part.and_then(|(start, end): (f64, f64)| match () {
                () if d == 0.0 => (room >= 0.0).then_some((start, end)),
                () if d < 0.0 => Some((start.max(room / d), end)),
                () => Some((start, end.min(room / d))),
            });
        }
        let Some((start, end)) = part.filter(|(start, end)| start <= end) else { continue };
        let place = |t: f64| (from.0 + dx * t, from.1 + dy * t);
        match pieces.last_mut().filter(|piece| start == 0.0 && piece.last() == Some(&from)) {
            Some(piece) => piece.push(place(end)),
            None => pieces.push(vec![place(start), place(end)]),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::within;

    const SQUARE: [(f64, f64); 2] = [(0.0, 4.0), (0.0, 4.0)];

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
