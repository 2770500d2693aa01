//! What a picture of a benchmark says about itself, and its size.

use super::{
    PlotError,
    lettering::{Lettering, Measure},
    paper::in_units,
};
use crate::envs::{counted, shown};

/// Pixels that no side of a picture exceeds.
pub(super) const MOST: u32 = 10_000;

/// What a picture of a benchmark says about itself, and its size.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureOptions {
    /// What was learnt: the environment's name, or how many and which. Part of the title; not blank.
    pub task: String,
    /// How many seeds each optimizer had, at least 1. Part of the subtitle.
    pub seeds: usize,
    /// How it was measured: how learning rates were chosen, what score and what intervals are. The rest of the
    /// subtitle; not blank.
    pub protocol: String,
    /// Width in pixels, at least 240 times `scale` and at most 10000.
    pub width: u32,
    /// Height in pixels, at most 10000; what is drawn decides where `None`.
    pub height: Option<u32>,
    /// Pixels in one point of text and lines, 0.5 to 8: 2 with twice the width gives the same picture, sharp on a
    /// screen of high density.
    pub scale: f64,
}

impl PictureOptions {
    /// 1000 pixels wide and as high as it needs.
    pub fn new(task: impl Into<String>, seeds: usize, protocol: impl Into<String>) -> PictureOptions {
        PictureOptions { task: task.into(), seeds, protocol: protocol.into(), width: 1000, height: None, scale: 1.0 }
    }

    /// The letters of such a picture.
    pub(super) fn lettering(&self) -> Result<Lettering, PlotError> {
        // The text's size follows from the width alone: the height follows from what is written.
        Lettering::new(Measure::new(self.width, u32::MAX, self.scale))
    }

    pub(super) fn check(&self) -> Result<(), PlotError> {
        let wrong = |name, value: String, expected| Err(PlotError::Option { name, value, expected });
        if self.task.trim().is_empty() {
            return wrong("task", format!("`{}`", self.task), "the name of what was learnt: the title says it");
        }
        if self.seeds == 0 {
            return wrong("seeds", "0".into(), "how many seeds each optimizer had, at least 1");
        }
        if self.protocol.trim().is_empty() {
            return wrong("protocol", format!("`{}`", self.protocol), "how it was measured: the subtitle says it");
        }
        if !(0.5..=8.0).contains(&self.scale) {
            return wrong("scale", shown(self.scale), "0.5 to 8");
        }
        if f64::from(self.width) < 240.0 * self.scale || self.width > MOST {
            return wrong("width", self.width.to_string(), "at least 240 times `scale` and at most 10000 pixels");
        }
        match self.height {
            Some(height) if height > MOST => wrong("height", height.to_string(), "at most 10000 pixels, or none"),
            _ => Ok(()),
        }
    }

    /// Title and subtitle of a picture of `what`.
    pub(super) fn titles(&self, what: &str) -> (String, String) {
        let seeds = counted(self.seeds, "seed");
        (format!("{what}: {}", self.task), format!("{seeds}, {}", self.protocol))
    }

    /// The height in pixels of a picture that would have so many units and can do with `least`.
    pub(super) fn height(&self, natural: i32, least: i32) -> Result<u32, PlotError> {
        let pixels = |units: i32| units.unsigned_abs().div_ceil(in_units(1).unsigned_abs());
        let (height, least) = (self.height.unwrap_or_else(|| pixels(natural).min(MOST)), pixels(least));
        if height < least {
            return Err(PlotError::Size { side: "height", pixels: height, least });
        }
        Ok(height)
    }
}
