//! Pictures of environments, for a terminal, and as animated GIF or PNG.
//!
//! ```
//! use uphill::envs::{Colour, Drawing, Shape};
//! use uphill::render::to_terminal;
//!
//! let ball = Shape::Disc { centre: (1.0, 1.0), radius: 0.8, colour: Colour(213, 94, 0) };
//! let drawing = Drawing { width: 2.0, height: 2.0, background: Colour(255, 255, 255), shapes: vec![ball] };
//! println!("{}", to_terminal(&drawing, 40, 20)?);
//! # Ok::<(), uphill::render::RenderError>(())
//! ```

mod animation;
mod episode;
mod error;
mod terminal;

pub(crate) use animation::{encode_gif, packed};
pub use animation::{write_apng, write_gif};
pub(crate) use episode::Episode;
#[cfg(feature = "cli")]
pub(crate) use episode::Play;
pub use error::RenderError;
#[cfg(feature = "cli")]
pub(crate) use terminal::half_blocks;
pub use terminal::to_terminal;

use uphill_envs::{Drawing, Shape};

use crate::canvas::Canvas;

/// Checks that a drawing has a size and that every shape is somewhere.
fn check(drawing: &Drawing) -> Result<(), RenderError> {
    let sized = |side: f32| side.is_finite() && side > 0.0;
    if !(sized(drawing.width) && sized(drawing.height)) {
        return Err(RenderError::DrawingSize { width: drawing.width, height: drawing.height });
    }
    match drawing.shapes.iter().position(|shape| !shape.is_finite()) {
        Some(shape) => Err(RenderError::Coordinate { shape }),
        None => Ok(()),
    }
}

/// Paints a checked drawing, stretched to `width` x `height` pixels, which keep its shape up to rounding.
fn rasterise(drawing: &Drawing, width: u32, height: u32) -> Result<Canvas, RenderError> {
    let (x, y) = (width as f32 / drawing.width, height as f32 / drawing.height);
    let mut canvas = Canvas::new(width, height, (x, y), drawing.background).ok_or(RenderError::Size {
        width,
        height,
        expected: "at least one pixel and small enough for memory",
    })?;
    for shape in &drawing.shapes {
        match shape {
            Shape::Polygon(corners, colour) => canvas.fill_polygon(corners, *colour, 1.0),
            Shape::Disc { centre, radius, colour } => canvas.fill_disc(*centre, *radius, *colour, 1.0),
            Shape::Picture { picture, from, to } => canvas.lay(picture, *from, *to),
        }
    }
    Ok(canvas)
}
