//! Drawings as an animated GIF.

use std::{collections::BTreeMap, collections::BTreeSet, path::Path};

use gif::{DisposalMethod, Encoder, Frame, Repeat};
use uphill_envs::{Colour, Drawing, Shape};

use super::{RenderError, check, rasterise};
use crate::canvas::Canvas;
use crate::whole_file;

/// Colours in a GIF's palette.
const COLOURS: usize = 256;

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
    let bytes = encode(frames, fps, side)?;
    let path = path.as_ref();
    whole_file::write(path, &bytes).map_err(|source| RenderError::Write { path: path.to_owned(), source })
}

fn encode(frames: &[Drawing], fps: u32, side: u32) -> Result<Vec<u8>, RenderError> {
    let first = frames.first().ok_or(RenderError::NoFrames)?;
    for (frame, drawing) in frames.iter().enumerate() {
        check(drawing)?;
        if (drawing.width, drawing.height) != (first.width, first.height) {
            return Err(RenderError::FrameSize { frame, width: drawing.width, height: drawing.height });
        }
    }
    // As long as the longest side is, the other is as long as its share of it.
    let longest = f64::from(first.width.max(first.height));
    let pixels = |length: f32| (f64::from(side) * f64::from(length) / longest).round() as u32;
    let (width, height) = (pixels(first.width), pixels(first.height));
    if ![width, height].iter().all(|side| (1..=4096).contains(side)) {
        return Err(RenderError::Size { width, height, expected: "1 to 4096 pixels" });
    }
    let own = own_colours(frames);
    encode_pictures(frames.len(), (width, height), fps, &own, |i| rasterise(&frames[i], width, height))
}

/// An animated GIF, repeated for ever, of `count` pictures of one size. `own` are colours that the palette must not bend.
/// Each picture is painted twice.
pub(crate) fn encode_pictures<E: From<RenderError>>(
    count: usize,
    (width, height): (u32, u32),
    fps: u32,
    own: &BTreeSet<u32>,
    mut paint: impl FnMut(usize) -> Result<Canvas, E>,
) -> Result<Vec<u8>, E> {
    if count == 0 {
        return Err(RenderError::NoFrames.into());
    }
    if !(1..=50).contains(&fps) {
        return Err(RenderError::FrameRate { fps }.into());
    }
    let mut picture = |i| -> Result<Vec<Colour>, E> { Ok(paint(i)?.pixels().collect()) };

    // Every frame is painted twice, once for the palette and once for the file: all of them at once may not fit in memory.
    let mut used = BTreeSet::new();
    for i in 0..count {
        let mut colours: Vec<u32> = picture(i)?.into_iter().map(packed).collect();
        // Neighbours are mostly equal; dropping them first saves a look-up for nearly every pixel.
        colours.dedup();
        used.extend(colours);
    }
    let palette = Palette::new(&used, own);

    let size = |side: u32| side as u16;
    let failed = |error: gif::EncodingError| E::from(RenderError::from(error));
    let mut encoder = Encoder::new(Vec::new(), size(width), size(height), &palette.bytes).map_err(failed)?;
    encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
    let mut shown: Vec<u8> = Vec::new();
    for (i, place) in (0u64..).zip(0..count) {
        let indices: Vec<u8> = palette.indices(&picture(place)?);
        let changed = Changed::between(&shown, &indices, width as usize);
        let frame = Frame {
            // Hundredths of a second, rounded at each end, so that the rate holds on average: 30 a second is 3, 4, 3, ...
            delay: (rounded(100 * (i + 1), u64::from(fps)) - rounded(100 * i, u64::from(fps))) as u16,
            dispose: DisposalMethod::Keep,
            top: changed.top as u16,
            left: changed.left as u16,
            width: changed.width as u16,
            height: changed.height as u16,
            buffer: changed.cut(&shown, &indices, width as usize, palette.transparent).into(),
            transparent: palette.transparent.filter(|_| i > 0),
            ..Frame::default()
        };
        encoder.write_frame(&frame).map_err(failed)?;
        shown = indices;
    }
    encoder.into_inner().map_err(failed)
}

fn rounded(numerator: u64, denominator: u64) -> u64 {
    (numerator + denominator / 2) / denominator
}

pub(crate) fn packed(Colour(red, green, blue): Colour) -> u32 {
    u32::from_be_bytes([0, red, green, blue])
}

/// The colours that the drawings name, which a palette must not bend.
fn own_colours(frames: &[Drawing]) -> BTreeSet<u32> {
    let shapes = frames.iter().flat_map(|drawing| &drawing.shapes).map(|shape| match shape {
        Shape::Polygon(_, colour) | Shape::Disc { colour, .. } => packed(*colour),
    });
    shapes.chain(frames.iter().map(|drawing| packed(drawing.background))).collect()
}

/// At most 256 colours, and which of them stands for each colour that occurs.
struct Palette {
    /// Red, green, blue, red, ...
    bytes: Vec<u8>,
    index: BTreeMap<u32, u8>,
    /// What stands for a pixel that stays as it was, if there is room for it.
    transparent: Option<u8>,
}

impl Palette {
    /// The finest palette that is small enough: every colour itself if they fit, else the colours other than `own`
    /// rounded to fewer and fewer bits. No dithering: that would speckle plain areas and swell the file.
    fn new(used: &BTreeSet<u32>, own: &BTreeSet<u32>) -> Palette {
        // Two bits a channel are 64 colours, so the last row always fits, if need be with `own` rounded as well.
        let plans = (2..=8).rev().map(|bits| (bits, true)).chain((2..=8).rev().map(|bits| (bits, false)));
        for (bits, keep_own) in plans {
            let stands = |colour: u32| if keep_own && own.contains(&colour) { colour } else { coarse(colour, bits) };
            let colours: BTreeSet<u32> = used.iter().map(|&colour| stands(colour)).collect();
            if colours.len() > COLOURS {
                continue;
            }
            let places: BTreeMap<u32, u8> = colours.iter().copied().zip(0..=u8::MAX).collect();
            let index = used.iter().filter_map(|&colour| Some((colour, *places.get(&stands(colour))?))).collect();
            let free = (colours.len() < COLOURS).then_some(0);
            let bytes = colours.iter().copied().chain(free).flat_map(|colour| colour.to_be_bytes().into_iter().skip(1));
            return Palette { bytes: bytes.collect(), index, transparent: free.map(|_| colours.len() as u8) };
        }
        Palette { bytes: vec![0; 3], index: BTreeMap::new(), transparent: None }
    }

    fn indices(&self, pixels: &[Colour]) -> Vec<u8> {
        let runs = pixels.chunk_by(|a, b| a == b);
        let places = runs.map(|run| (run.first().map_or(0, |&colour| self.index(colour)), run.len()));
        places.flat_map(|(place, length)| std::iter::repeat_n(place, length)).collect()
    }

    fn index(&self, colour: Colour) -> u8 {
        self.index.get(&packed(colour)).copied().unwrap_or_default()
    }
}

/// A colour rounded to `bits` a channel, 1 to 8; black and white stay what they are.
fn coarse(colour: u32, bits: u32) -> u32 {
    let levels = (1u32 << bits) - 1;
    let round = |channel: u8| {
        let level = (u32::from(channel) * levels + 127) / 255;
        ((level * 255 + levels / 2) / levels) as u8
    };
    let [_, red, green, blue] = colour.to_be_bytes();
    packed(Colour(round(red), round(green), round(blue)))
}

/// The smallest rectangle that holds every pixel in which two frames differ.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Changed {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Changed {
    /// Frames are rows of `width` pixels. Where nothing changed it is one pixel, since a frame cannot be empty; where
    /// there was no frame before it is everything.
    fn between(before: &[u8], now: &[u8], width: usize) -> Changed {
        if before.len() != now.len() {
            return Changed { left: 0, top: 0, width, height: now.len() / width };
        }
        let rows = before.chunks(width).zip(now.chunks(width)).enumerate().filter(|(_, (before, now))| before != now);
        let mut changed: Option<Changed> = None;
        let mut right = 0;
        for (row, (before, now)) in rows {
            let differs = |column: &usize| before[*column] != now[*column];
            let (Some(first), Some(last)) = ((0..width).find(differs), (0..width).rev().find(differs)) else {
                continue;
            };
            right = right.max(last);
            let (left, top) = changed.map_or((first, row), |so_far| (so_far.left.min(first), so_far.top));
            changed = Some(Changed { left, top, width: right - left + 1, height: row - top + 1 });
        }
        changed.unwrap_or(Changed { left: 0, top: 0, width: 1, height: 1 })
    }

    /// The rectangle of `now`, with `transparent` for what is as `before`: runs of it take next to no room.
    fn cut(self, before: &[u8], now: &[u8], width: usize, transparent: Option<u8>) -> Vec<u8> {
        let place = |row: usize| row * width + self.left..row * width + self.left + self.width;
        let changed = |at: usize| match transparent {
            Some(same) if before.get(at) == now.get(at) => same,
            _ => now.get(at).copied().unwrap_or_default(),
        };
        (self.top..self.top + self.height).flat_map(place).map(changed).collect()
    }
}

#[cfg(test)]
mod tests;
