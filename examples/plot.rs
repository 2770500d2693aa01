//! Draws the learning curves of run folders.
//!
//! `cargo run --release --example plot -- runs/a runs/b --out curves.png`

mod one_line;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use uphill::Result;
use uphill::envs::counted;
use uphill::plot::{DEFAULT_METRIC, Picture, PlotOptions, Run, curves, distinct};
use uphill::screen::{self, say, tell};

/// Draw the learning curves of run folders to one picture, PNG or SVG.
///
/// Runs that differ only in their seed become one curve: their mean, with a band of one standard deviation.
/// A single run is its smoothed line over the unsmoothed one.
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
    /// Make everything this many times larger, 0.5 to 8: 2 is sharp on screens of high density
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    scale: f64,
}

fn main() -> ExitCode {
    one_line::end_of(run(&one_line::parse::<Arguments>()))
}

fn run(arguments: &Arguments) -> Result<()> {
    let runs = draw(arguments)?;
    say(format_args!("{} drawn to {}", counted(runs, "run"), screen::path(&arguments.out)))
}

/// Draws them and says how many there were.
fn draw(arguments: &Arguments) -> Result<usize> {
    Picture::check_path(&arguments.out)?;
    let read = |folder| Run::read_metric(folder, &arguments.metric);
    let (runs, repeated) = distinct(arguments.runs.iter().map(read).collect::<Result<_, _>>()?);

    let scaled = |pixels: u32| (f64::from(pixels) * arguments.scale).round() as u32;
    let options = PlotOptions {
        width: scaled(arguments.width),
        height: scaled(arguments.height),
        scale: arguments.scale,
        smooth: arguments.smooth,
        threshold: arguments.threshold,
        title: arguments.title.clone(),
    };
    let picture = curves(&runs, &options)?;
    picture.save(&arguments.out)?;
    repeated.iter().for_each(tell);
    picture.note(&arguments.out).iter().for_each(tell);
    Ok(runs.len())
}
