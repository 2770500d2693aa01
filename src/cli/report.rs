//! Writes run folders as one HTML page.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, Parser};

use super::read;
use crate::report::{ReportOptions, html};
use crate::screen::{self, say, tell};
use crate::{Catalogue, Error, Result, destination, whole_file};

/// Writes run folders as one HTML page, which needs no connection: curves, results, an episode, settings.
///
/// Of several runs the curves lie over one another, and their results stand in a table that a click sorts.
#[derive(Parser)]
struct Arguments {
    /// Run folders, each with config.toml and metrics.csv
    #[arg(required = true, value_name = "FOLDER")]
    runs: Vec<PathBuf>,
    /// Where the page goes, as .html; a file of that name is replaced [default: report.html, of one run in its folder]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The title [default: what was trained, or how many runs there are]
    #[arg(long)]
    title: Option<String>,
    /// Seed of the start of the episode that is shown
    #[arg(long, default_value_t = ReportOptions::default().seed)]
    seed: u64,
    /// Steps of that episode at most; 0 shows none
    #[arg(long, default_value_t = ReportOptions::default().max_steps)]
    max_steps: u32,
}

pub(super) fn command(_: &Catalogue) -> Command {
    Arguments::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let Arguments { runs, out, title, seed, max_steps } = read(args)?;
    let runs = distinct(runs);
    let out = out.unwrap_or_else(|| match &*runs {
        [run] if run.is_dir() => run.join("report.html"),
        _ => Path::new("report.html").into(),
    });
    destination::check(&out, &["html"])?;
    let page = html(&runs, &ReportOptions { title, seed, max_steps }, catalogue)?;
    whole_file::write(&out, page.as_bytes()).map_err(Error::io(&out))?;
    say(screen::path(&out))?;
    Ok(ExitCode::SUCCESS)
}

/// Each folder once, by whatever path it was named.
fn distinct(runs: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut once: Vec<(PathBuf, PathBuf)> = Vec::new();
    for run in runs {
        let place = run.canonicalize().unwrap_or_else(|_| run.clone());
        match once.iter().find(|(_, known)| *known == place) {
            Some((known, _)) => {
                tell(format_args!(
                    "{} is the same run as {}: it is shown once",
                    screen::path(&run),
                    screen::path(known)
                ));
            }
            None => once.push((run, place)),
        }
    }
    once.into_iter().map(|(run, _)| run).collect()
}
