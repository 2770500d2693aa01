//! Learning curves from run folders; [`descent`], the paths of optimizers over a landscape; and the pictures of an
//! optimizer benchmark. All of them are a [`Picture`], which is written as PNG or as SVG, whichever its name ends in.
//!
//! The pictures of a benchmark take plain labels and [`Interval`]s:
//!
//! - [`learning_curves`]: how scores grow with environment steps;
//! - [`interval_rows`]: IQM and other aggregates, one row an optimizer;
//! - [`performance_profiles`]: the share of runs above each score;
//! - [`learning_rate_sensitivity`]: too small is slow, too large diverges;
//! - [`improvement_matrix`]: who probably beats whom;
//! - [`quality_against_cost`]: what a score takes;
//! - [`search()`]: what a search for hyper-parameters found.
//!
//! A run folder holds `config.toml` and `metrics.csv`. Runs that differ only in their seed become one curve: their
//! mean with a band of one standard deviation. A single run is its smoothed line over the points as they were. The
//! typeface is built in, so a plot needs no font and no library of the system.
//!
//! ```no_run
//! use uphill::plot::{PlotOptions, RecordedRun, reward_curve};
//!
//! let runs = [RecordedRun::read("runs/a")?, RecordedRun::read("runs/b")?];
//! let options = PlotOptions { threshold: Some(475.0), ..PlotOptions::default() };
//! reward_curve(&runs, &options, "curves.png")?;
//! # Ok::<(), uphill::plot::PlotError>(())
//! ```

mod axis;
mod backend;
mod chart;
mod check;
mod cost;
mod curve;
mod descent;
mod error;
mod estimates;
mod evaluations;
mod header;
mod improvement;
mod label;
mod landscape;
mod look;
mod map;
mod options;
mod picture;
mod recorded_run;
mod reward;
mod rows;
mod scaling;
mod search;
mod sensitivity;
mod series;
mod sheet;
mod style;
mod svg;
mod typeface;

use std::path::Path;

pub use cost::{CostPoint, quality_against_cost};
pub use descent::{DescentOptions, DescentPanel, DescentPath, descent, descent_gif};
pub use error::PlotError;
pub use estimates::{GradientPanel, GradientValue, IntervalRow, gradient_panels, interval_rows};
pub use evaluations::evaluations;
pub use improvement::improvement_matrix;
pub use landscape::{Goal, Landscape};
pub use options::PictureOptions;
pub use picture::{Picture, note_on};
pub use recorded_run::{DEFAULT_METRIC, RecordedRun, distinct};
pub use scaling::{Landmark, ScalingCurve, ScalingPanel, scaling, scaling_panels};
pub use search::{Mark, SearchAxis, SearchPoint, search};
pub use sensitivity::{LearningRateCurve, LearningRatePoint, learning_rate_sensitivity};
pub use series::{Series, learning_curves, performance_profiles};

// What all pictures are made of.
use axis::{Axis, significant, with_minus};
use chart::Chart;
use check::Range;
use header::{Entry, Header, Swatch};
use look::{Look, Marker, PALETTE};
use picture::{Area, Corners, Drawn, distance, in_pixels, in_units};
use plotters::style::text_anchor::{HPos, VPos};
use recorded_run::drawable;
use sheet::Sheet;
use style::{AXIS, FAINT, NAME_LINES, Style, TEXT};

use crate::envs::shown;
use crate::stats::Interval;

/// How a plot looks.
#[derive(Debug, Clone, PartialEq)]
pub struct PlotOptions {
    /// Width in pixels, at least 240 times `scale` and at most 10000.
    pub width: u32,
    /// Height in pixels, at least 180 times `scale` and at most 10000. A picture whose legend would leave the axes less
    /// than half of it is so much higher.
    pub height: u32,
    /// Pixels in one point of text and lines, 0.5 to 8: 2 with twice the width and height gives the same picture,
    /// sharp on a screen of high density.
    pub scale: f64,
    /// Width of the centred moving average, as a share of a curve's environment steps, 0 (none) to 1. Each run is
    /// smoothed before the mean over seeds is taken.
    pub smooth: f64,
    /// A value at which to draw a dashed line, in the metric's unit.
    pub threshold: Option<f64>,
    /// Further curves, with their intervals as bands, such as [`evaluations`].
    pub beside: Vec<Series>,
    /// The first line of text; the environments' names where `None`.
    pub title: Option<String>,
}

impl Default for PlotOptions {
    /// 1000 x 600 pixels, smoothed over 2% of the steps, no threshold and no further curve.
    fn default() -> PlotOptions {
        PlotOptions {
            width: 1000,
            height: 600,
            scale: 1.0,
            smooth: 0.02,
            threshold: None,
            beside: Vec::new(),
            title: None,
        }
    }
}

impl PlotOptions {
    fn check(&self) -> Result<(), PlotError> {
        check::size(self.scale, &[("width", self.width, 240), ("height", self.height, 180)])?;
        let smooth = (0.0..=1.0).contains(&self.smooth);
        check::option(smooth, "smooth", shown(self.smooth), "a share of the steps, 0 to 1")?;
        let threshold = self.threshold.unwrap_or_default();
        let expected = "a finite number within 1e100 of zero";
        check::option(recorded_run::drawable(threshold), "threshold", shown(threshold), expected)?;
        let (mut x, mut y) = (check::NOWHERE, check::NOWHERE);
        for Series { label, points } in &self.beside {
            check::labels("curve", [label.as_str()])?;
            check::rising(label, &mut x, points.iter().map(|point| point.0))?;
            points.iter().try_for_each(|(_, interval)| check::hold(label, &mut y, *interval))?;
        }
        Ok(())
    }
}

/// Draws a metric of some runs against environment steps and writes the picture to `path`, as PNG or as SVG, whichever
/// its name ends in: [`curves`], saved.
///
/// # Errors
/// As [`curves`] and [`Picture::save`].
pub fn reward_curve(runs: &[RecordedRun], options: &PlotOptions, path: impl AsRef<Path>) -> Result<(), PlotError> {
    Picture::check_path(&path)?;
    curves(runs, options)?.save(path)
}

/// Draws a metric of some runs against environment steps.
///
/// Runs with the same environment, algorithm, optimizer and settings are one curve: the mean over their seeds on the
/// steps that all of them cover, each run smoothed first, and a band of one sample standard deviation to either side.
/// The same input gives the same picture.
///
/// # Errors
/// A [`PlotError`] if there is no run, an option is out of range, or runs are of different metrics or share no steps.
pub fn curves(runs: &[RecordedRun], options: &PlotOptions) -> Result<Picture, PlotError> {
    options.check()?;
    check::that(!runs.is_empty(), "the picture", "it needs at least one run")?;
    for run in runs {
        run.check()?;
        let reason =
            format!("it has values of `{}` and others of `{}`, which share no axis", runs[0].metric, run.metric);
        check::that(run.metric == runs[0].metric, "the picture", reason)?;
    }
    reward::paint(runs, &curve::curves(runs, options.smooth)?, options)
}
