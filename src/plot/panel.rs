//! Where everything of a picture of descent goes: header, maps with their axes, paths, numbers, and the scale of values.

use plotters::{
    prelude::*,
    style::text_anchor::{HPos, VPos},
};
use uphill_envs::{Colour, counted};

use super::{
    DescentOptions, DescentPanel, DescentPath, Landscape, PlotError,
    axis::{Axis, Quantity, significant},
    backend::{Surface, UNITS_PER_PIXEL},
    header::{ENTRY_LINES, Header, TITLE_LINES},
    legend::{Entry, Swatch},
    lettering::{Lettering, Measure},
    look::{Dashes, Look, PLAIN_LOOKS},
    paper::{AXIS, FAINT, Paper, TEXT, in_units},
    plane::{Plane, x_name, y_name},
    relief::Relief,
    trace::{Place, Trace, packed, paint_best},
};

const WHITE: RGBColor = RGBColor(255, 255, 255);

/// A picture whose paths are still to be drawn.
pub(super) struct Sheet<'a> {
    landscape: &'a Landscape,
    panels: &'a [DescentPanel],
    options: &'a DescentOptions,
    letters: Lettering,
    relief: Relief<'a>,
    labels: Vec<&'a str>,
    places: Vec<Place>,
    /// Where the maps may begin.
    top: i32,
}

impl<'a> Sheet<'a> {
    /// Finds a place for everything.
    pub(super) fn new(
        landscape: &'a Landscape,
        panels: &'a [DescentPanel],
        options: &'a DescentOptions,
    ) -> Result<Self, PlotError> {
        let mut labels: Vec<&str> = Vec::new();
        for path in panels.iter().flat_map(|panel| &panel.paths) {
            if !labels.contains(&path.label.as_str()) {
                labels.push(&path.label);
            }
        }
        if labels.len() > PLAIN_LOOKS {
            let reason = "it has paths of more than 21 names, which cannot be told apart";
            return Err(PlotError::Landscape { what: "the descent".into(), reason });
        }
        let letters = Lettering::new(Measure::new(options.width, options.height, options.scale))?;
        let relief = Relief::new(landscape);
        let mut sheet = Self { landscape, panels, options, letters, relief, labels, places: Vec::new(), top: 0 };
        let entries = sheet.entries();
        sheet.top = sheet.header(&entries).bottom;
        sheet.places = sheet.places(sheet.top, sheet.scale_width());
        let least = sheet.letters.em(6.0) / i32::from(UNITS_PER_PIXEL);
        let lacking = |place: &Place| least - (place.right_bottom.1 as i32 - place.left_top.1 as i32);
        match sheet.places.iter().map(lacking).max() {
            Some(lacking @ 1..) => {
                let (pixels, least) = (options.height, options.height + lacking.unsigned_abs());
                Err(PlotError::Size { side: "height", pixels, least })
            }
            _ => Ok(sheet),
        }
    }

    /// Paints all that does not move.
    pub(super) fn paint_ground(&self, surface: &mut dyn Surface) -> Result<(), PlotError> {
        let entries = self.entries();
        self.header(&entries).draw(&Paper::new(surface, &self.letters))?;
        for place in &self.places {
            self.relief.paint(surface, place, self.letters.measure.hair as f32);
        }
        self.axes(surface)?;
        self.scale(surface)
    }

    /// Paints the paths over it, after so many steps or all of them.
    pub(super) fn paint_paths(&self, surface: &mut dyn Surface, step: usize) -> Result<(), PlotError> {
        for (place, panel) in self.places.iter().zip(self.panels) {
            let line = self.letters.measure.line as f32;
            if let Some(best) = self.options.best {
                paint_best(surface, place.at(best), self.letters.em(0.6) as f32, line);
            }
            let trace = |path| Trace::new(place, path, step, self.ink(path), line);
            let traces: Vec<Trace<'_>> = panel.paths.iter().map(trace).collect();
            // All lines first and all ends last, so that no line hides where another one ends.
            traces.iter().for_each(|trace| trace.paint_line(surface));
            traces.iter().for_each(|trace| trace.paint_ends(surface));
            self.numbers(surface, place, panel, step)?;
        }
        Ok(())
    }

    /// The colours of areas and lines.
    pub(super) fn colours(&self) -> Vec<Colour> {
        let paths = (0..self.labels.len()).map(|i| packed(Look::of(i).colour));
        self.relief.colours().chain(paths).chain([TEXT, FAINT, WHITE].map(packed)).collect()
    }

    /// Title, subtitle and legend.
    fn header<'e>(&self, entries: &'e [Entry]) -> Header<'e> {
        let titles = (self.options.title.as_str(), self.options.subtitle.as_str());
        Header::new(&self.letters, self.width(), titles, entries, (TITLE_LINES, ENTRY_LINES))
    }

    fn entries(&self) -> Vec<Entry> {
        self.labels.iter().enumerate().map(|(i, label)| self.entry(i, label)).collect()
    }

    fn entry(&self, i: usize, label: &str) -> Entry {
        let Look { colour, dashes, .. } = Look::of(i);
        Entry { colour, dashes, swatch: Swatch::Line { band: false, marker: None }, text: label.to_owned() }
    }

    /// The maps' places, side by side below `top`, with room for axes, numbers and the scale on the right.
    fn places(&self, top: i32, scale_width: i32) -> Vec<Place> {
        let em = |ems| self.letters.em(ems);
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
                    right_bottom: (whole(left + room / count), whole(in_units(self.options.height) - below)),
                    x: self.landscape.x(),
                    y: self.landscape.y(),
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
        let each = self.letters.em(7.0);
        let all = self.width() - self.y_room() - self.scale_width();
        (all / self.panels.len().max(1) as i32 / each).clamp(1, 8) as usize
    }

    fn y_room(&self) -> i32 {
        let axis = self.axis(self.landscape.y(), 7.0);
        self.letters.widest(axis.ticks.iter().map(|&tick| axis.label(tick))) + self.letters.em(2.4)
    }

    fn axis(&self, (from, to): (f64, f64), count: f64) -> Axis {
        Axis::new(Quantity::Metric, from, to, count)
    }

    fn axes(&self, surface: &mut dyn Surface) -> Result<(), PlotError> {
        let em = |ems| self.letters.em(ems);
        let paper = Paper::new(surface, &self.letters);
        for (i, (place, panel)) in self.places.iter().zip(self.panels).enumerate() {
            let [(left, top), (right, bottom)] = place.corners();
            let count = |room: i32, each: f64| (f64::from(room) / f64::from(em(each))).clamp(2.0, 9.0);
            let plane = Plane {
                left_top: (left, top),
                right_bottom: (right, bottom),
                x: self.axis(self.landscape.x(), count(right - left, 5.0)),
                y: self.axis(self.landscape.y(), count(bottom - top, 4.0)),
            };
            plane.x_axis(&paper)?;
            plane.y_axis(&paper, i == 0)?;
            plane.frame(&paper)?;
            let above = ((left + right) / 2, top - em(0.45));
            paper.write(&panel.title, (1.0, TEXT), above, (HPos::Center, VPos::Bottom), right - left)?;
            x_name(&paper, &self.options.axes.0, (left, right), bottom)?;
            if i == 0 {
                y_name(&paper, &self.options.axes.1, (top, bottom))?;
            }
        }
        Ok(())
    }

    fn scale_width(&self) -> i32 {
        let em = |ems| self.letters.em(ems);
        em(1.6) + em(1.0) + em(0.5) + self.letters.widest(self.relief.level_names()) + em(2.4)
    }

    /// The bands beside the last map, with the values between them.
    fn scale(&self, surface: &mut dyn Surface) -> Result<(), PlotError> {
        let em = |ems| self.letters.em(ems);
        let Some(place) = self.places.last() else { return Ok(()) };
        let [(_, top), (right, bottom)] = place.corners();
        let (left, bands) = (right + em(1.6), self.relief.bands());
        let edge = |band: usize| bottom - (bottom - top) * band as i32 / bands as i32;
        let paper = Paper::new(surface, &self.letters);
        for band in 0..bands {
            let Colour(red, green, blue) = self.relief.grey(band);
            let corners = [(left, edge(band + 1)), (left + em(1.0), edge(band))];
            paper.rectangle(corners, RGBColor(red, green, blue).into())?;
        }
        paper.frame([(left, top), (left + em(1.0), bottom)], AXIS)?;
        let every = (f64::from(em(1.3)) / (f64::from(bottom - top) / bands as f64)).ceil().max(1.0) as usize;
        for (i, name) in self.relief.level_names().iter().enumerate().step_by(every) {
            let at = (left + em(1.5), edge(i + 1));
            paper.write(name, (1.0, TEXT), at, (HPos::Left, VPos::Center), self.width() - at.0)?;
        }
        let at = (self.width() - em(0.6), (top + bottom) / 2);
        paper.write_upright(&self.options.value, at, VPos::Bottom, bottom - top)
    }

    /// Below a map: the step, and each path's value there.
    fn numbers(
        &self,
        surface: &mut dyn Surface,
        place: &Place,
        panel: &DescentPanel,
        step: usize,
    ) -> Result<(), PlotError> {
        let em = |ems| self.letters.em(ems);
        let [(left, _), (right, bottom)] = place.corners();
        let paper = Paper::new(surface, &self.letters);
        let paths = self.panels.iter().flat_map(|panel| &panel.paths);
        let steps = paths.map(|path| path.points.len() - 1).max().unwrap_or(0);
        let row = |i: usize| bottom + em(3.6) + em(1.5) * i as i32 + em(0.75);
        let text = format!("{} after {}", self.options.value, counted(step.min(steps), "step"));
        paper.write(&text, (1.0, FAINT), (left, row(0)), (HPos::Left, VPos::Center), right - left)?;
        let columns = self.number_columns();
        for (i, path) in panel.paths.iter().enumerate() {
            let at = (left + (right - left) * (i % columns) as i32 / columns as i32, row(1 + i / columns));
            let end = (at.0 + em(1.0), at.1);
            let Look { colour, dashes, .. } = self.look(path);
            paper.line(&[at, end], colour, self.letters.measure.line, dashes)?;
            let value = path.values[step.min(path.values.len() - 1)];
            let text = if value.is_finite() { significant(value, 3) } else { "diverged".into() };
            let start = (at.0 + em(1.4), at.1);
            let room = (right - left) / columns as i32 - em(1.8);
            paper.write(&text, (1.0, TEXT), start, (HPos::Left, VPos::Center), room)?;
        }
        Ok(())
    }

    fn look(&self, path: &DescentPath) -> Look {
        Look::of(self.labels.iter().position(|label| *label == path.label).unwrap_or_default())
    }

    /// The colour of a path, and its dashes and gaps in units.
    fn ink(&self, path: &DescentPath) -> (Colour, Dashes) {
        let (Look { colour, dashes, .. }, text) = (self.look(path), self.letters.measure.text);
        (packed(colour), dashes.map(|(on, off)| (on * text, off * text)))
    }

    fn width(&self) -> i32 {
        in_units(self.options.width)
    }
}
