//! What can go wrong between a drawing and a picture.

use std::{io, path::PathBuf};

use thiserror::Error;
use uphill_envs::shown;

use crate::whole_file::{remedy, shown_path};

/// Why a drawing was not rendered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The drawing itself has no area.
    #[error("a drawing of {} x {} units cannot be rendered; both must be finite and above zero", shown(*width), shown(*height))]
    DrawingSize {
        /// Its width in its own units.
        width: f32,
        /// Its height in its own units.
        height: f32,
    },
    /// A shape has a coordinate or a radius that is not finite.
    #[error("shape {shape} of the drawing (the first is 0) has a coordinate or radius that is not a finite number")]
    Coordinate {
        /// The shape's index.
        shape: usize,
    },
    /// The picture would have no pixels, or too many.
    #[error("a picture of {width} x {height} cannot be made; its sides must be {expected}")]
    Size {
        /// Its width, in pixels or terminal columns.
        width: u32,
        /// Its height, in pixels or terminal rows.
        height: u32,
        /// What they must be.
        expected: &'static str,
    },
    /// An animation needs a frame.
    #[error("no frames were given; an animation needs at least one")]
    NoFrames,
    /// A frame of an animation has other units than the first.
    #[error("frame {frame} (the first is 0) is {} x {} units, unlike the first; all must be of one size", shown(*width), shown(*height))]
    FrameSize {
        /// The frame's index.
        frame: usize,
        /// Its width in units.
        width: f32,
        /// Its height in units.
        height: f32,
    },
    /// The frame rate is out of range.
    #[error("{fps} frames a second; it must be 1 to 50, since viewers slow down a faster animation")]
    FrameRate {
        /// What was asked for.
        fps: u32,
    },
    /// The frames could not be turned into GIF.
    #[error("the animation could not be encoded as GIF: {0}")]
    Encode(#[from] gif::EncodingError),
    /// The frames could not be turned into PNG.
    #[error("the animation could not be encoded as PNG: {0}")]
    EncodePng(#[from] png::EncodingError),
    /// More frames than a file can count.
    #[error("{frames} frames are more than an animation can have")]
    Frames {
        /// How many there are.
        frames: usize,
    },
    /// The file could not be written.
    #[error("{}: cannot be written ({source}); {}", shown_path(path), remedy(source))]
    Write {
        /// The path that was asked for.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl From<RenderError> for crate::Error {
    fn from(error: RenderError) -> Self {
        Self::part(error)
    }
}
