//! A picture of bodies in a plane.

use crate::{Colour, Drawing, Shape};

/// dm_control's colour of bodies.
pub(super) const BODY: Colour = Colour(179, 128, 77);
/// Of what is to be moved.
pub(super) const EFFECTOR: Colour = Colour(179, 102, 51);
/// Of what is only there to be seen.
pub(super) const DECORATION: Colour = Colour(77, 128, 179);
/// Of where to go.
pub(super) const TARGET: Colour = Colour(153, 77, 77);

/// A page that shows so many metres to either side of a place in the middle.
pub(super) struct Page {
    pub(super) width: f32,
    pub(super) height: f32,
    /// Units a metre.
    pub(super) scale: f32,
}

impl Page {
    /// Where a place is on the page; metres go right and up, the page's units right and down.
    fn at(&self, (x, z): (f64, f64)) -> (f32, f32) {
        (self.width / 2.0 + self.scale * x as f32, self.height / 2.0 - self.scale * z as f32)
    }

    pub(super) fn disc(&self, centre: (f64, f64), radius: f32, colour: Colour) -> Shape {
        Shape::Disc { centre: self.at(centre), radius: self.scale * radius, colour }
    }

    /// A rectangle around a place.
    pub(super) fn block(&self, centre: (f64, f64), half: (f64, f64), colour: Colour) -> Shape {
        let (x0, y0) = self.at((centre.0 - half.0, centre.1 + half.1));
        let (x1, y1) = self.at((centre.0 + half.0, centre.1 - half.1));
        Shape::rectangle(x0, y0, x1, y1, colour)
    }

    /// A rod with round ends.
    pub(super) fn rod(&self, from: (f64, f64), to: (f64, f64), radius: f32, colour: Colour) -> [Shape; 3] {
        let ((x0, y0), (x1, y1)) = (self.at(from), self.at(to));
        let across = self.scale * radius / (x1 - x0).hypot(y1 - y0);
        let (dx, dy) = ((y0 - y1) * across, (x1 - x0) * across);
        let corners = vec![(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)];
        [Shape::Polygon(corners, colour), self.disc(from, radius, colour), self.disc(to, radius, colour)]
    }

    pub(super) fn drawing(&self, shapes: Vec<Shape>) -> Drawing {
        Drawing { width: self.width, height: self.height, background: Colour(255, 255, 255), shapes }
    }
}
