//! An environment's state as a few shapes, for any renderer.

use crate::Picture;

/// Red, green and blue, 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// One filled shape. Coordinates are those of its [`Drawing`]: x to the right, y downwards.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// A filled polygon through these points.
    Polygon(Vec<(f32, f32)>, Colour),
    /// A filled disc.
    Disc {
        /// Its centre.
        centre: (f32, f32),
        /// Its radius.
        radius: f32,
        /// Its colour.
        colour: Colour,
    },
    /// Pixels, stretched over a rectangle.
    Picture {
        /// What is in it.
        picture: Picture,
        /// Its upper left corner.
        from: (f32, f32),
        /// Its lower right corner.
        to: (f32, f32),
    },
}

impl Shape {
    /// A filled, axis-parallel rectangle between two corners.
    #[must_use]
    pub fn rectangle(x0: f32, y0: f32, x1: f32, y1: f32, colour: Colour) -> Shape {
        Shape::Polygon(vec![(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)
    }

    /// Whether it has a place: every number is finite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        match self {
            Shape::Polygon(points, _) => points.iter().all(|(x, y)| x.is_finite() && y.is_finite()),
            Shape::Disc { centre: (x, y), radius, .. } => [x, y, radius].iter().all(|x| x.is_finite()),
            Shape::Picture { from, to, .. } => [from.0, from.1, to.0, to.1].iter().all(|x| x.is_finite()),
        }
    }
}

impl From<Picture> for Drawing {
    /// The picture alone, a unit a pixel.
    fn from(picture: Picture) -> Self {
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        let shapes = vec![Shape::Picture { picture, from: (0.0, 0.0), to: (width, height) }];
        Self { width, height, background: Colour(0, 0, 0), shapes }
    }
}

impl Drawing {
    /// Whether it has a size, and every shape a place.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        let size = [self.width, self.height].iter().all(|&x| x.is_finite() && x > 0.0);
        size && self.shapes.iter().all(Shape::is_finite)
    }
}

/// A picture of `width` x `height` units; shapes are painted in order, over `background`.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Units from left to right.
    pub width: f32,
    /// Units from top to bottom.
    pub height: f32,
    /// The colour under all shapes.
    pub background: Colour,
    /// What is painted, first to last.
    pub shapes: Vec<Shape>,
}
