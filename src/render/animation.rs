//! Drawings as an animation: GIF, which everything shows, and APNG, whose colours are exact.

mod apng;
mod changed;
mod gif;

use std::{collections::BTreeSet, path::Path};

use uphill_envs::{Drawing, Shape};

use super::{RenderError, check, rasterise};
use crate::whole_file;
use changed::Changed;
pub(crate) use gif::{encode as encode_gif, packed};

/// Writes drawings as an animated GIF, repeated for ever, whose longer side is `side` pixels; the other keeps the shape.
///
/// `fps` is frames a second, 1 to 50. All frames share one palette; it is exact as long as the pictures, soft edges
/// included, have at most 256 colours, and beyond that only edges are rounded, never the shapes' own colours as long
/// as those are at most 256. Every frame stores only what changed. The same input gives the same bytes. The file is whole or, if the program is killed, not there.
///
/// # Errors
/// A [`RenderError`] if there are no frames or they differ in size, a drawing cannot be rendered, `side` or the other
/// side that follows is not 1 to 4096, `fps` is out of range, or `path` cannot be written.
pub fn write_gif(frames: &[Drawing], fps: u32, side: u32, path: impl AsRef<Path>) -> Result<(), RenderError> {
    let size = size(frames, side)?;
    let paint = |i: usize| rasterise(&frames[i], size.0, size.1);
    write(path.as_ref(), &gif::encode(frames.len(), size, fps, &own_colours(frames), paint)?)
}

/// Writes drawings as an animated PNG, repeated for ever, as [`write_gif`] writes a GIF, with every colour as it was painted. What
/// knows no animation shows the first frame.
///
/// # Errors
/// As [`write_gif`].
pub fn write_apng(frames: &[Drawing], fps: u32, side: u32, path: impl AsRef<Path>) -> Result<(), RenderError> {
    let size = size(frames, side)?;
    write(path.as_ref(), &apng::encode(frames.len(), size, fps, |i| rasterise(&frames[i], size.0, size.1))?)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), RenderError> {
    whole_file::write(path, bytes).map_err(|source| RenderError::Write { path: path.to_owned(), source })
}

/// Width and height in pixels of drawings that can be rendered and are all of one size.
fn size(frames: &[Drawing], side: u32) -> Result<(u32, u32), RenderError> {
    let first = frames.first().ok_or(RenderError::NoFrames)?;
    for (frame, drawing) in frames.iter().enumerate() {
        check(drawing)?;
        if (drawing.width, drawing.height) != (first.width, first.height) {
            return Err(RenderError::FrameSize { frame, width: drawing.width, height: drawing.height });
        }
    }
    // As long as the longest side is, the other is as long as its share of it, and no less than a pixel.
    let longest = f64::from(first.width.max(first.height));
    let share = |length: f32| (f64::from(side) * f64::from(length) / longest).round() as u32;
    if !(1..=4096).contains(&side) {
        let (width, height) = (share(first.width), share(first.height));
        return Err(RenderError::Size { width, height, expected: "1 to 4096 pixels" });
    }
    Ok((share(first.width).max(1), share(first.height).max(1)))
}

fn check_sequence(count: usize, fps: u32) -> Result<(), RenderError> {
    if count == 0 {
        return Err(RenderError::NoFrames);
    }
    if !(1..=50).contains(&fps) {
        return Err(RenderError::FrameRate { fps });
    }
    Ok(())
}

/// The colours that the drawings name, which a palette must not bend.
fn own_colours(frames: &[Drawing]) -> BTreeSet<u32> {
    let shapes = frames.iter().flat_map(|drawing| &drawing.shapes).filter_map(|shape| match shape {
        Shape::Polygon(_, colour) | Shape::Disc { colour, .. } => Some(packed(*colour)),
        // Of one colour of a picture's there are many that are nearly it.
        Shape::Picture { .. } => None,
    });
    shapes.chain(frames.iter().map(|drawing| packed(drawing.background))).collect()
}
