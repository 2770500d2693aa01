//! Pictures as an animated GIF, of 256 colours at most.

use std::collections::{BTreeMap, BTreeSet};

use gif::{DisposalMethod, Encoder, Frame, Repeat};
use uphill_envs::Colour;

use super::{Changed, check_sequence};
use crate::canvas::Canvas;
use crate::render::RenderError;

/// Colours in a GIF's palette.
const COLOURS: usize = 256;

/// The file, repeated for ever, of `count` pictures of one size. `own` are colours that the palette must not bend.
/// Each picture is painted twice.
pub(crate) fn encode<E: From<RenderError>>(
    count: usize,
    (width, height): (u32, u32),
    fps: u32,
    own: &BTreeSet<u32>,
    mut paint: impl FnMut(usize) -> Result<Canvas, E>,
) -> Result<Vec<u8>, E> {
    check_sequence(count, fps)?;
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
            buffer: cut(changed, &shown, &indices, width as usize, palette.transparent).into(),
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

/// What `changed` holds of `now`, with `transparent` for what is as `before`: runs of it take next to no room.
fn cut(changed: Changed, before: &[u8], now: &[u8], width: usize, transparent: Option<u8>) -> Vec<u8> {
    let pixel = |at: usize| match transparent {
        Some(same) if before.get(at) == now.get(at) => same,
        _ => now.get(at).copied().unwrap_or_default(),
    };
    changed.places(width).map(pixel).collect()
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

#[cfg(test)]
mod tests;
