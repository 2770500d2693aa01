//! Draws the learning curves of run folders.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, Parser};

use super::picture::Scale;
use super::read;
use crate::envs::counted;
use crate::plot::{DEFAULT_METRIC, Picture, PlotError, PlotOptions, RecordedRun, curves, distinct, evaluations};
use crate::screen::{self, say, tell};
use crate::{Catalogue, Result};

/// Draws the learning curves of run folders to one picture, PNG or SVG.
///
/// Runs that differ only in their seed become one curve: their mean, with a band of one standard deviation.
/// A single run is its smoothed line over the unsmoothed one. Runs with evaluations have these as a curve of their own.
#[derive(Parser)]
struct Arguments {
    /// Run folders, each with config.toml and metrics.csv
    #[arg(required = true, value_name = "FOLDER")]
    runs: Vec<PathBuf>,
    /// Where the picture goes, as .png or .svg; a file of that name is replaced
    #[arg(long, value_name = "FILE", default_value = "curves.png")]
    out: PathBuf,
    /// The column of metrics.csv to draw
    #[arg(long, value_name = "NAME", default_value = DEFAULT_METRIC)]
    metric: String,
    /// Width of the moving average as a share of the steps, 0 (none) to 1
    #[arg(long, value_name = "SHARE", default_value_t = PlotOptions::default().smooth)]
    smooth: f64,
    /// Draw a dashed line at this value, such as the return at which the task counts as solved
    #[arg(long, value_name = "VALUE")]
    threshold: Option<f64>,
    /// The title [default: the environment's name]
    #[arg(long)]
    title: Option<String>,
    /// Width in pixels, before --scale
    #[arg(long, value_name = "PIXELS", default_value_t = PlotOptions::default().width)]
    width: u32,
    /// Height in pixels, before --scale
    #[arg(long, value_name = "PIXELS", default_value_t = PlotOptions::default().height)]
    height: u32,
    #[command(flatten)]
    scale: Scale,
}

pub(super) fn command(_: &Catalogue) -> Command {
    Arguments::command()
}

pub(super) fn run(args: &ArgMatches, _: &Catalogue) -> Result<ExitCode> {
    let arguments: Arguments = read(args)?;
    let runs = draw(&arguments)?;
    say(format_args!("{} drawn to {}", counted(runs, "run"), screen::path(&arguments.out)))?;
    Ok(ExitCode::SUCCESS)
}

/// Draws them and says how many there were.
fn draw(arguments: &Arguments) -> Result<usize> {
    Picture::check_path(&arguments.out)?;
    let read = |folder| RecordedRun::read_metric(folder, &arguments.metric);
    let read: Vec<_> = arguments.runs.iter().map(read).collect();
    // A run that has only begun keeps none of the others from being drawn.
    let nothing_yet = |run: &_| matches!(run, Err(PlotError::NoValues { .. }));
    let (empty, read): (Vec<_>, Vec<_>) =
        if read.iter().all(nothing_yet) { (Vec::new(), read) } else { read.into_iter().partition(nothing_yet) };
    let (runs, repeated) = distinct(read.into_iter().collect::<Result<_, _>>()?);

    let options = PlotOptions {
        width: arguments.scale.of(arguments.width),
        height: arguments.scale.of(arguments.height),
        scale: arguments.scale.factor,
        smooth: arguments.smooth,
        threshold: arguments.threshold,
        // Of the same kind as mean returns of training, and of no other column.
        beside: if arguments.metric == DEFAULT_METRIC { evaluations(&runs) } else { Vec::new() },
        title: arguments.title.clone(),
    };
    let picture = curves(&runs, &options)?;
    picture.save(&arguments.out)?;
    empty.iter().filter_map(|run| run.as_ref().err()).for_each(|why| tell(format_args!("left out: {why}")));
    repeated.iter().for_each(tell);
    picture.note(&arguments.out).iter().for_each(tell);
    Ok(runs.len())
}
