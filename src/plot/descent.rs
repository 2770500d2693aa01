//! The picture of gradient descent: paths of optimizers over a landscape, side by side, still or moving.

use std::{collections::BTreeSet, path::Path};

use super::{Landscape, PlotError, encode, panel::Sheet};
use crate::{canvas::Canvas, render, whole_file};

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

/// Draws the paths over the landscape, all of their steps, and writes the picture as PNG.
///
/// The same input gives the same bytes. The file is whole or, if the program is killed, not there.
///
/// # Errors
/// A [`PlotError`] if there is no panel or path, an option is out of range, or `path` cannot be written.
pub fn descent(
    landscape: &Landscape,
    panels: &[DescentPanel],
    options: &DescentOptions,
    path: impl AsRef<Path>,
) -> Result<(), PlotError> {
    let sheet = checked(landscape, panels, options)?;
    write(path.as_ref(), &encode(&sheet.at_step(usize::MAX)?)?)
}

/// Whether a picture of descent can be drawn as it is wanted, so that what is wrong with it is known before the work.
///
/// # Errors
/// As [`descent`], but for writing.
pub fn fits(landscape: &Landscape, panels: &[DescentPanel], options: &DescentOptions) -> Result<(), PlotError> {
    checked(landscape, panels, options).map(|_| ())
}

/// The same as an animated GIF, in which the paths grow: `frames` pictures at `fps` a second, and a rest at the end.
///
/// `painted` is told after each picture how many are painted; each is painted twice.
///
/// # Errors
/// As [`descent`], and if `frames` is 0 or `fps` is not 1 to 50.
pub fn descent_gif(
    landscape: &Landscape,
    panels: &[DescentPanel],
    options: &DescentOptions,
    (frames, fps): (usize, u32),
    path: impl AsRef<Path>,
    mut painted: impl FnMut(usize),
) -> Result<(), PlotError> {
    let sheet = checked(landscape, panels, options)?;
    let longest = panels.iter().flat_map(|panel| &panel.paths).map(|path| path.points.len()).max().unwrap_or(1);
    let rest = 2 * fps as usize;
    let mut last: Option<(usize, Canvas)> = None;
    let mut count = 0;
    let gif = render::encode_pictures(
        if frames == 0 { 0 } else { frames + rest },
        (options.width, options.height),
        fps,
        &sheet.colours().into_iter().map(render::packed).collect::<BTreeSet<u32>>(),
        |i| {
            let step = (i.min(frames) * (longest - 1)).div_ceil(frames);
            count += 1;
            painted(count);
            if let Some((_, canvas)) = last.as_ref().filter(|(shown, _)| *shown == step) {
                return Ok(canvas.clone());
            }
            let canvas = sheet.at_step(step)?;
            last = Some((step, canvas.clone()));
            Ok::<Canvas, PlotError>(canvas)
        },
    )?;
    write(path.as_ref(), &gif)
}

fn checked<'a>(
    landscape: &'a Landscape,
    panels: &'a [DescentPanel],
    options: &'a DescentOptions,
) -> Result<Sheet<'a>, PlotError> {
    let wrong = |name, value: String, expected| Err(PlotError::Option { name, value, expected });
    if !(0.5..=8.0).contains(&options.scale) {
        return wrong("scale", options.scale.to_string(), "0.5 to 8");
    }
    let fits = |side: u32, least: f64| f64::from(side) >= least * options.scale && side <= 10_000;
    if !fits(options.width, 300.0 * panels.len().max(1) as f64) {
        let expected = "at least 300 times `scale` for each panel and at most 10000 pixels";
        return wrong("width", options.width.to_string(), expected);
    }
    if !fits(options.height, 300.0) {
        return wrong("height", options.height.to_string(), "at least 300 times `scale` and at most 10000 pixels");
    }
    if panels.iter().all(|panel| panel.paths.is_empty()) {
        return Err(PlotError::Landscape { what: "the descent".into(), reason: "there is no path" });
    }
    for path in panels.iter().flat_map(|panel| &panel.paths) {
        if path.points.is_empty() || path.points.len() != path.values.len() {
            let reason = "it needs points, and as many values as points";
            return Err(PlotError::Landscape { what: path.label.clone(), reason });
        }
    }
    Sheet::new(landscape, panels, options)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    whole_file::write(path, bytes).map_err(|source| PlotError::Write { path: path.to_owned(), source })
}
