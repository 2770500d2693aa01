//! The picture of gradient descent: paths of optimizers over a landscape, side by side, still or moving.

use std::path::Path;

use super::{
    Landscape, Picture, PlotError,
    map::Maps,
    picture::{writable, write},
};
use crate::render;

/// The way of one optimizer.
#[derive(Debug, Clone, PartialEq)]
pub struct DescentPath {
    /// What the legend calls it. Paths of one name have one colour, in every panel.
    pub label: String,
    /// Where it was after each step, the start first. At least one; a number that is not finite ends it.
    pub points: Vec<(f64, f64)>,
    /// The function's own value at each of them, for the numbers below the panel.
    pub values: Vec<f64>,
}

/// One map with some paths.
#[derive(Debug, Clone, PartialEq)]
pub struct DescentPanel {
    /// What stands above it, such as the learning rate; empty where there is one panel alone.
    pub title: String,
    /// The paths, in order.
    pub paths: Vec<DescentPath>,
}

/// How a picture of descent looks.
#[derive(Debug, Clone, PartialEq)]
pub struct DescentOptions {
    /// Width in pixels, at least 300 times `scale` for each panel and at most 10000.
    pub width: u32,
    /// Height in pixels, at least 300 times `scale` and at most 10000.
    pub height: u32,
    /// Pixels in one point of text and lines, 0.5 to 8.
    pub scale: f64,
    /// The first line of text.
    pub title: String,
    /// The second.
    pub subtitle: String,
    /// What stands along the axes.
    pub axes: (String, String),
    /// What the values are called.
    pub value: String,
    /// A point to mark as the best.
    pub best: Option<(f64, f64)>,
}

impl Default for DescentOptions {
    /// 1000 x 720 pixels without a title; x, y and f(x, y).
    fn default() -> Self {
        Self {
            width: 1000,
            height: 720,
            scale: 1.0,
            title: String::new(),
            subtitle: String::new(),
            axes: ("x".into(), "y".into()),
            value: "f(x, y)".into(),
            best: None,
        }
    }
}

/// Draws the paths over the landscape, all of their steps. The same input gives the same picture.
///
/// # Errors
/// A [`PlotError`] if there is no panel or path, or an option is out of range.
pub fn descent(landscape: &Landscape, panels: &[DescentPanel], options: &DescentOptions) -> Result<Picture, PlotError> {
    let maps = Maps::new(landscape, panels, options)?;
    let (ground, places) = maps.ground()?;
    maps.draw_paths(ground, &places, usize::MAX)
}

/// The same as an animated GIF, in which the paths grow: `frames` pictures at `fps` a second, and a rest at the end.
///
/// `painted` is told after each picture how many are painted; each is painted twice.
///
/// # Errors
/// As [`descent`], and if `frames` is 0, `fps` is not 1 to 50, or `path` does not end in `.gif` or cannot be written.
pub fn descent_gif(
    landscape: &Landscape,
    panels: &[DescentPanel],
    options: &DescentOptions,
    (frames, fps): (usize, u32),
    path: impl AsRef<Path>,
    mut painted: impl FnMut(usize),
) -> Result<(), PlotError> {
    let path = path.as_ref();
    if !path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gif")) {
        return Err(PlotError::Format { path: path.to_owned(), expected: "of an animation must end in .gif" });
    }
    writable(path)?;
    let maps = Maps::new(landscape, panels, options)?;
    let (ground, places) = maps.ground()?;
    let whole = maps.draw_paths(ground.clone(), &places, usize::MAX)?;
    let own = whole.shapes.iter().map(|shape| render::packed(shape.colour)).collect();
    let ground = ground.canvas()?;
    let longest = panels.iter().flat_map(|panel| &panel.paths).map(|path| path.points.len()).max().unwrap_or(1);
    let rest = 2 * fps as usize;
    let mut count = 0;
    let gif = render::encode_gif(
        if frames == 0 { 0 } else { frames + rest },
        (options.width, options.height),
        fps,
        &own,
        |i| {
            let step = (i.min(frames) * (longest - 1)).div_ceil(frames);
            count += 1;
            painted(count);
            let mut canvas = ground.clone();
            maps.draw_paths(Picture::blank(options.width, options.height), &places, step)?.paint(&mut canvas);
            Ok::<_, PlotError>(canvas)
        },
    )?;
    write(path, &gif)
}
