//! The way of one optimizer on its map: a line with dots for steps, a ring where it starts, a disc where it has got to.

use uphill_envs::Colour;

use super::{
    DescentPath,
    backend::Surface,
    dash::dashed,
    look::Dashes,
    paper::{Pixel, TEXT, in_units},
};
use crate::canvas::Point;

const WHITE: Colour = Colour(255, 255, 255);

/// A map's place: two corners in whole pixels, and the numbers that lie there.
pub(super) struct Place {
    pub(super) left_top: (u32, u32),
    pub(super) right_bottom: (u32, u32),
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
}

impl Place {
    /// The corners, in the canvas's units.
    pub(super) fn corners(&self) -> [Pixel; 2] {
        [self.left_top, self.right_bottom].map(|(x, y)| (in_units(x), in_units(y)))
    }

    /// Where a point of the landscape lies, in the canvas's units.
    pub(super) fn at(&self, (x, y): (f64, f64)) -> Point {
        let [(left, top), (right, bottom)] = self.corners();
        let share = |(from, to): (f64, f64), at: f64| (at - from) / (to - from);
        let across = f64::from(left) + f64::from(right - left) * share(self.x, x);
        let down = f64::from(bottom) - f64::from(bottom - top) * share(self.y, y);
        (across as f32, down as f32)
    }

    fn holds(&self, &(x, y): &Point) -> bool {
        let [(left, top), (right, bottom)] = self.edges();
        (left..=right).contains(&x) && (top..=bottom).contains(&y)
    }

    fn edges(&self) -> [Point; 2] {
        self.corners().map(|(x, y)| (x as f32, y as f32))
    }
}

/// A path up to some step, in the canvas's units.
pub(super) struct Trace<'a> {
    place: &'a Place,
    points: Vec<Point>,
    ink: Colour,
    dashes: Dashes,
    line: f32,
}

impl<'a> Trace<'a> {
    /// The path up to a step, in lines of so many units, with dashes and gaps of so many; a point that is not finite ends it.
    pub(super) fn new(
        place: &'a Place,
        path: &DescentPath,
        step: usize,
        (ink, dashes): (Colour, Dashes),
        line: f32,
    ) -> Self {
        let points = path.points.iter().take(step.saturating_add(1));
        let finite = points.take_while(|(x, y)| x.is_finite() && y.is_finite());
        Self { place, points: finite.map(|&point| place.at(point)).collect(), ink, dashes, line }
    }

    /// Cut off at the map's edge, with a dot wherever a step is long enough to be seen.
    pub(super) fn paint_line(&self, surface: &mut dyn Surface) {
        let pieces = within(&self.points, self.place.edges());
        for piece in &pieces {
            surface.stroke(piece, self.line * 2.0, (WHITE, 0.75));
        }
        for piece in pieces.iter().flat_map(|piece| self.dashed(piece)) {
            surface.stroke(&piece, self.line, (self.ink, 1.0));
        }
        let mut last: Option<Point> = None;
        for &point in self.points.iter().filter(|point| self.place.holds(point)) {
            let far = |a: Point| (a.0 - point.0).hypot(a.1 - point.1) > self.line * 4.0;
            if last.is_none_or(far) {
                surface.disc(point, self.line * 1.1, (self.ink, 1.0));
                last = Some(point);
            }
        }
    }

    fn dashed(&self, piece: &[Point]) -> Vec<Vec<Point>> {
        let Some((on, off)) = self.dashes else { return vec![piece.to_vec()] };
        let points: Vec<Pixel> = piece.iter().map(|(x, y)| (x.round() as i32, y.round() as i32)).collect();
        let dashes = dashed(&points, on, off).into_iter();
        dashes.map(|dash| dash.into_iter().map(|(x, y)| (x as f32, y as f32)).collect()).collect()
    }

    /// A ring where it starts and a disc where it has got to.
    pub(super) fn paint_ends(&self, surface: &mut dyn Surface) {
        if let Some(&start) = self.points.first().filter(|point| self.place.holds(point)) {
            surface.disc(start, self.line * 2.6, (packed(TEXT), 1.0));
            surface.disc(start, self.line * 1.6, (WHITE, 1.0));
        }
        if let Some(&end) = self.points.last().filter(|point| self.points.len() > 1 && self.place.holds(point)) {
            surface.disc(end, self.line * 2.6, (WHITE, 1.0));
            surface.disc(end, self.line * 2.0, (self.ink, 1.0));
        }
    }
}

/// A cross: the best point.
pub(super) fn paint_best(surface: &mut dyn Surface, (x, y): Point, arm: f32, line: f32) {
    let lines = [((x - arm, y - arm), (x + arm, y + arm)), ((x - arm, y + arm), (x + arm, y - arm))];
    surface.stroke_all(&lines, line * 2.0, (WHITE, 0.85));
    surface.stroke_all(&lines, line, (packed(TEXT), 1.0));
}

/// A colour as canvases have it.
pub(super) fn packed(plotters::style::RGBColor(red, green, blue): plotters::style::RGBColor) -> Colour {
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
