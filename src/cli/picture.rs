//! What every command that draws does: how large a picture is, what is wrong with it before the work, what is said after it.

use std::path::Path;

use crate::plot::{DescentOptions, DescentPanel, DescentPath, Goal, Landscape, Picture, descent};
use crate::screen::{self, say, tell};
use crate::{Error, Result};

/// A factor on the size of a picture and of all that is in it.
#[derive(clap::Args)]
pub(super) struct Scale {
    /// Make everything this many times larger, 0.5 to 8: 2 is sharp on screens of high density
    #[arg(long = "scale", value_name = "FACTOR", default_value_t = 1.0)]
    pub(super) factor: f64,
}

impl Scale {
    /// The pixels that so many become.
    pub(super) fn of(&self, pixels: u32) -> u32 {
        (f64::from(pixels) * self.factor).round() as u32
    }
}

/// Lays out panels of paths over a surface, with nothing on it yet: what is wrong with the picture is found before the work
/// that it shows.
pub(super) fn rehearse(labels: &[String], panels: usize, options: &DescentOptions) -> Result<()> {
    let plane = Landscape::sample((0.0, 1.0), (0.0, 1.0), (2, 2), Goal::Lowest, |x, _| Ok::<f64, Error>(x))?;
    let path = |label: &String| DescentPath { label: label.clone(), points: vec![(0.0, 0.0)], values: vec![0.0] };
    let panel = || DescentPanel { title: String::new(), paths: labels.iter().map(path).collect() };
    let panels: Vec<DescentPanel> = std::iter::repeat_with(panel).take(panels).collect();
    descent(&plane, &panels, options)?;
    Ok(())
}

/// The numbers behind a picture, what is to be minded about it, and the files it is in, its own first.
pub(super) fn results(picture: &Picture, numbers: &[String], files: &[&Path]) -> Result<()> {
    files.first().and_then(|file| picture.note(file)).iter().for_each(tell);
    numbers.iter().try_for_each(say)?;
    files.iter().try_for_each(|file| say(screen::path(file)))
}
