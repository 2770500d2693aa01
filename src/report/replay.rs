//! An episode as the page's script plays it.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

mod images;

use super::ReportOptions;
use crate::envs::{Drawing, Shape};
use crate::render::{Episode, RenderError, packed};
use crate::{Catalogue, Policy, Result, Seed};
use images::images;

/// How many parts the longer side has: places are whole numbers of them.
const PARTS: f64 = 4000.0;

/// A shape: its colour's place in the palette, then `x`, `y` and the radius of a disc, or a polygon's corners, of which there
/// are three at least; −1, the place of its image and two corners of a picture; and 0 alone for the shape that has this place in the
/// frame before.
type Outline = Vec<i64>;

/// An episode of a policy that always takes its likeliest action.
#[derive(Debug, Serialize)]
pub(super) struct Replay {
    width: i64,
    height: i64,
    background: String,
    colours: Vec<String>,
    /// Pictures, as URLs.
    images: Vec<String>,
    frames: Vec<Vec<Outline>>,
    /// Steps that were taken.
    pub(super) steps: usize,
    /// The sum of their rewards.
    pub(super) total: f64,
    /// Whether the episode ended with the last of them.
    pub(super) ended: bool,
}

impl Replay {
    /// Plays an episode with the run's last policy.
    pub(super) fn of(run: &Path, options: &ReportOptions, catalogue: &Catalogue) -> Result<Self> {
        let mut policy = Policy::load_with(run, catalogue)?;
        let episode = Episode::play(&mut policy, Seed(options.seed), options.max_steps, false, || Ok(()))?;
        let first = episode.frames.first().ok_or(RenderError::NoFrames)?;
        let palette: BTreeSet<u32> = episode.frames.iter().flat_map(|frame| &frame.shapes).filter_map(colour).collect();
        let palette: Vec<u32> = palette.into_iter().collect();
        let unit = PARTS / f64::from(first.width.max(first.height));
        let (images, mut places) = images(&episode.frames)?;
        let mut before: Vec<Outline> = Vec::new();
        let mut frame = |drawing: &Drawing| -> Vec<Outline> {
            let now: Vec<Outline> =
                drawing.shapes.iter().map(|shape| outline(shape, unit, &palette, &mut places)).collect();
            let same = |i: usize, shape: &Outline| before.get(i) == Some(shape);
            let change = |(i, shape): (usize, &Outline)| if same(i, shape) { vec![0] } else { shape.clone() };
            let changes = now.iter().enumerate().map(change).collect();
            before = now;
            changes
        };
        Ok(Self {
            width: parts(first.width, unit),
            height: parts(first.height, unit),
            background: web(packed(first.background)),
            images,
            frames: episode.frames.iter().map(&mut frame).collect(),
            colours: palette.iter().map(|&colour| web(colour)).collect(),
            steps: episode.steps,
            total: episode.total,
            ended: episode.ended,
        })
    }
}

/// The one colour of a shape that has one.
fn colour(shape: &Shape) -> Option<u32> {
    match shape {
        Shape::Polygon(_, colour) | Shape::Disc { colour, .. } => Some(packed(*colour)),
        Shape::Picture { .. } => None,
    }
}

/// As CSS has it.
fn web(colour: u32) -> String {
    format!("#{colour:06x}")
}

fn parts(length: f32, unit: f64) -> i64 {
    (f64::from(length) * unit).round() as i64
}

/// A shape's numbers; `images` are the places of those of all pictures that are still to come.
fn outline(shape: &Shape, unit: f64, palette: &[u32], images: &mut impl Iterator<Item = usize>) -> Outline {
    let place = colour(shape).and_then(|colour| palette.binary_search(&colour).ok()).unwrap_or_default() as i64;
    let numbers: Vec<f32> = match shape {
        Shape::Polygon(corners, _) => corners.iter().flat_map(|&(x, y)| [x, y]).collect(),
        Shape::Disc { centre: (x, y), radius, .. } => vec![*x, *y, *radius],
        Shape::Picture { from, to, .. } => {
            let image = images.next().unwrap_or_default() as i64;
            let corners = [from.0, from.1, to.0, to.1].map(|number| parts(number, unit));
            return [-1, image].into_iter().chain(corners).collect();
        }
    };
    std::iter::once(place).chain(numbers.into_iter().map(|number| parts(number, unit))).collect()
}
