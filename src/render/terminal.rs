//! A drawing as characters.

use std::fmt::Write;

use uphill_envs::{Colour, Drawing};

use super::{RenderError, check, rasterise};

/// Renders a drawing as text for a terminal with 24-bit colour, as large as fits into `columns` x `rows` characters.
///
/// Each character is two pixels: the upper half block in one colour on the other. The shape is kept for the usual
/// characters, twice as high as wide, so one side may come out smaller than asked. Lines end in a colour reset and
/// a newline, so the text can be printed anywhere.
///
/// # Errors
/// [`RenderError::Size`] if `columns` or `rows` is 0 or above 1000, [`RenderError::DrawingSize`] and
/// [`RenderError::Coordinate`] if the drawing itself cannot be rendered.
pub fn to_terminal(drawing: &Drawing, columns: u32, rows: u32) -> Result<String, RenderError> {
    let mut text = String::new();
    for line in half_blocks(drawing, columns, rows)? {
        // Escapes are the bulk of a frame, so only changes of colour are written.
        let (mut ink, mut paper) = (None, None);
        for [upper, lower] in line {
            if ink != Some(upper) {
                let Colour(red, green, blue) = upper;
                // Writing to a string cannot fail.
                let _ = write!(text, "\x1b[38;2;{red};{green};{blue}m");
                ink = Some(upper);
            }
            if paper != Some(lower) {
                let Colour(red, green, blue) = lower;
                let _ = write!(text, "\x1b[48;2;{red};{green};{blue}m");
                paper = Some(lower);
            }
            text.push('▀');
        }
        text.push_str("\x1b[0m\n");
    }
    Ok(text)
}

/// A drawing as lines of characters, each the colours of its upper and its lower half.
///
/// # Errors
/// As [`to_terminal`].
pub(crate) fn half_blocks(drawing: &Drawing, columns: u32, rows: u32) -> Result<Vec<Vec<[Colour; 2]>>, RenderError> {
    check(drawing)?;
    if !(1..=1000).contains(&columns) || !(1..=1000).contains(&rows) {
        let expected = "1 to 1000 columns and rows";
        return Err(RenderError::Size { width: columns, height: rows, expected });
    }
    let scale = (columns as f32 / drawing.width).min((rows * 2) as f32 / drawing.height);
    let width = ((drawing.width * scale).round() as u32).clamp(1, columns);
    // Even, because a character is two pixels high.
    let rows = ((drawing.height * scale / 2.0).round() as u32).clamp(1, rows);
    let canvas = rasterise(drawing, width, rows * 2)?;
    let pixels: Vec<Colour> = canvas.pixels().collect();
    let lines: Vec<&[Colour]> = pixels.chunks(width as usize).collect();
    let pair = |pair: &[&[Colour]]| pair[0].iter().zip(pair[1]).map(|(&upper, &lower)| [upper, lower]).collect();
    Ok(lines.chunks_exact(2).map(pair).collect())
}
