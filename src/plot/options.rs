//! What a picture of a benchmark says about itself, and its size.

use uphill_envs::counted;

use super::{
    Picture, PlotError,
    chart::Chart,
    check::{self, MOST},
    header::{Entry, Header, NAME_LINES},
    picture::{Drawn, in_units},
    sheet::{Panels, Sheet},
    style::Style,
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
        check::scale(self.scale)?;
        let expected = "at least 240 times `scale` and at most 10000 pixels";
        check::side("width", self.width, 240.0 * self.scale, expected)?;
        check::side("height", self.height.unwrap_or_default(), 0.0, "at most 10000 pixels, or none")?;
        // The text's size follows from the width alone: the height follows from what is written.
        Ok(Style::new(self.width, u32::MAX, self.scale))
    }

    /// The header of a picture of `what`.
    pub(super) fn header(&self, style: &Style, what: &str, entries: Vec<Entry>) -> Header {
        let seeds = counted(self.seeds, "seed");
        let (title, subtitle) = (format!("{what}: {}", self.task), format!("{seeds}, {}", self.protocol));
        Header::new(style, in_units(self.width), (&title, &subtitle), entries, NAME_LINES)
    }

    /// Draws panels below the header of a picture of `what`, with what `draw` draws on each chart. How high a chart
    /// would be and how high at least follows from how wide it is.
    pub(super) fn draw(
        &self,
        style: &Style,
        (what, entries): (&str, Vec<Entry>),
        panels: Panels<'_>,
        height: impl Fn(i32) -> (i32, i32),
        draw: impl FnMut(usize, &Chart<'_, '_>) -> Drawn,
    ) -> Result<Picture, PlotError> {
        let header = self.header(style, what, entries);
        let sheet = Sheet::new(style, in_units(self.width), header, panels);
        let (natural, least) = height(sheet.chart_width);
        let height = self.height(sheet.height(natural), sheet.height(least))?;
        sheet.draw((self.width, height), draw)
    }

    /// The height in pixels of a picture that would have so many units and can do with `least`.
    pub(super) fn height(&self, natural: i32, least: i32) -> Result<u32, PlotError> {
        let pixels = |units: i32| units.unsigned_abs().div_ceil(in_units(1).unsigned_abs());
        let least = pixels(least);
        let height = self.height.unwrap_or_else(|| pixels(natural).clamp(least.min(MOST), MOST));
        if height < least {
            return Err(PlotError::Size { side: "height", pixels: height, least });
        }
        Ok(height)
    }
}
