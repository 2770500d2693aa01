//! What a picture of a benchmark says about itself, and its size.

use uphill_envs::counted;

use super::{
    Axis, Chart, Drawn, Entry, Header, NAME_LINES, Picture, PlotError, Sheet, Style, check, check::MOST, in_pixels,
    in_units,
};

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

    /// The sizes of text and lines, if the options are in range.
    pub(super) fn style(&self) -> Result<Style, PlotError> {
        let (task, protocol) = (&self.task, &self.protocol);
        let expected = "the name of what was learnt: the title says it";
        check::option(!task.trim().is_empty(), "task", format!("`{task}`"), expected)?;
        check::option(self.seeds > 0, "seeds", "0".into(), "how many seeds each optimizer had, at least 1")?;
        let expected = "how it was measured: the subtitle says it";
        check::option(!protocol.trim().is_empty(), "protocol", format!("`{protocol}`"), expected)?;
        check::size(self.scale, &[("width", self.width, 240)])?;
        let height = self.height.unwrap_or_default();
        check::option(height <= MOST, "height", height.to_string(), "at most 10000 pixels, or none")?;
        // The text's size follows from the width alone: the height follows from what is written.
        Ok(Style::new(self.width, u32::MAX, self.scale))
    }

    /// The sheet of a picture of `what`, with one panel.
    pub(super) fn sheet<'a>(
        &self,
        style: &'a Style,
        (what, entries): (&str, Vec<Entry>),
        names: (&'a str, &'a str),
        axes: &'a dyn Fn(usize, (i32, i32)) -> (Axis, Axis),
    ) -> Sheet<'a> {
        let (title, seeds) = (format!("{what}: {}", self.task), counted(self.seeds, "seed"));
        let (width, titles) = (in_units(self.width), (&*title, &*format!("{seeds}, {}", self.protocol)));
        Sheet::new(style, width, Header::new(style, width, titles, entries, NAME_LINES), names, axes)
    }

    /// Draws a sheet, and what `draw` draws on each of its charts, which would be so high, and so high at least.
    pub(super) fn draw(
        &self,
        sheet: &Sheet<'_>,
        heights: (i32, i32),
        draw: impl FnMut(usize, &Chart<'_, '_>) -> Drawn,
    ) -> Result<Picture, PlotError> {
        let (natural, least) = (in_pixels(sheet.height(heights.0)), in_pixels(sheet.height(heights.1)));
        let height = self.height.unwrap_or_else(|| natural.clamp(least.min(MOST), MOST));
        check::room("height", height, least)?;
        Picture::blank(self.width, height).with(|area| sheet.draw(area, (0, 0), draw))
    }
}
