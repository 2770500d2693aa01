//! Pictures as an animated PNG.
//!
//! W3C 2025, PNG, third edition, <https://www.w3.org/TR/png-3/>.

use png::{BitDepth, BlendOp, ColorType, Compression, DisposeOp, Encoder};
use uphill_envs::Colour;

use super::{Changed, check_sequence};
use crate::canvas::Canvas;
use crate::render::RenderError;

/// The file, repeated for ever, of `count` pictures of one size. Every frame stores only the rectangle that changed.
pub(super) fn encode(
    count: usize,
    (width, height): (u32, u32),
    fps: u32,
    mut paint: impl FnMut(usize) -> Result<Canvas, RenderError>,
) -> Result<Vec<u8>, RenderError> {
    check_sequence(count, fps)?;
    let frames = u32::try_from(count).map_err(|_| RenderError::Frames { frames: count })?;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Balanced);
    encoder.set_animated(frames, 0)?;
    encoder.set_frame_delay(1, fps as u16)?;
    encoder.set_dispose_op(DisposeOp::None)?;
    encoder.set_blend_op(BlendOp::Source)?;
    let mut writer = encoder.write_header()?;
    let mut shown: Vec<Colour> = Vec::new();
    for i in 0..count {
        let now: Vec<Colour> = paint(i)?.pixels().collect();
        let changed = Changed::between(&shown, &now, width as usize);
        // Its corner would stick out while it has the size of the last one.
        writer.reset_frame_position()?;
        writer.set_frame_dimension(changed.width as u32, changed.height as u32)?;
        writer.set_frame_position(changed.left as u32, changed.top as u32)?;
        let pixels = changed.places(width as usize).filter_map(|at| now.get(at));
        let channels: Vec<u8> = pixels.flat_map(|&Colour(red, green, blue)| [red, green, blue]).collect();
        writer.write_image_data(&channels)?;
        shown = now;
    }
    writer.finish()?;
    Ok(bytes)
}
