//! Trains a policy for every registered environment, and makes the gallery of them: a folder each, and a page.
//!
//! ```text
//! cargo run --release --example gallery                       # what is missing, or has other settings than gallery/gallery.toml
//! cargo run --release --example gallery -- --only MinAtar     # of these alone; killed, it goes on where it was
//! ```

mod page;
mod row;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use uphill::card::Card;
use uphill::screen::{self, Bar, returns, say, tell};
use uphill::{Config, Error, Policy, Result, RunFolder, Trainer, cli};

use row::Row;

/// Trains a policy for every registered environment, and makes the gallery of them: a folder each, and a page.
#[derive(Parser)]
struct Args {
    /// The gallery's folder, in which gallery.toml says what is in it
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/gallery"))]
    out: PathBuf,
    /// Where the runs are kept, and gone on with
    #[arg(long, value_name = "FOLDER", default_value = "runs/gallery")]
    runs: PathBuf,
    /// Only environments with this in their name; the page is then left as it is where another is missing
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// Steps of the episode that is shown, and the longer side of its picture in pixels: small, as there are many.
const SHOWN: (u32, u32) = (150, 160);

fn main() -> ExitCode {
    cli::run(make)
}

fn make(Args { out, runs, only }: &Args) -> Result<()> {
    let rows = row::read(&out.join("gallery.toml"))?;
    let is_asked = |row: &Row| only.as_ref().is_none_or(|only| row.env.contains(only.as_str()));
    for row in rows.iter().filter(|row| is_asked(row)) {
        let folder = out.join(row.folder());
        if is_there(row, &folder)? {
            continue;
        }
        let run = runs.join(row.folder());
        train(&row.config, &run)?;
        let mut card = Card::of(&run);
        (card.license, card.curve, (card.steps, card.side)) = (Some("mit".into()), false, SHOWN);
        let evaluation = card.write(&mut Policy::load(&run)?, &folder, true, &mut |_, _| {})?;
        say(format_args!("{}: return {}", row.env, returns(&evaluation)))?;
    }
    for row in &rows {
        if !is_there(row, &out.join(row.folder()))? {
            tell(format_args!("{} is missing, or of other settings: the page is left as it is", row.env));
            return Ok(());
        }
    }
    let path = out.join("README.md");
    let page = page::page(&rows, out)?;
    // Beside it first: a kill leaves the old page or the new one.
    let new = out.join(".README.md.new");
    fs::write(&new, page)
        .and_then(|()| fs::rename(&new, &path))
        .map_err(|source| Error::Io { path: path.clone(), source })?;
    say(format_args!("{}: {} policies", screen::path(&path), rows.len()))
}

/// Whether a folder has the card of a run with these settings. Cards appear whole.
fn is_there(row: &Row, folder: &Path) -> Result<bool> {
    let path = folder.join("config.toml");
    Ok(path.is_file() && Config::read_toml(&path)? == Config::parse_toml(&row.config.to_toml()?)?)
}

/// Trains to the end in a folder, from where a run of the same settings in it was broken off.
fn train(config: &Config, path: &Path) -> Result<()> {
    let file = path.join("config.toml");
    let goes_on = file.is_file() && Config::read_toml(&file)? == Config::parse_toml(&config.to_toml()?)?;
    let (mut run, mut trainer) = if goes_on {
        let (run, trainer, notes) = RunFolder::resume(path, Trainer::new)?;
        notes.iter().for_each(tell);
        (run, trainer)
    } else {
        (RunFolder::create(path, config, true)?, Trainer::new(config)?)
    };
    if run.is_finished(&trainer) {
        return Ok(());
    }
    let bar = Bar::new(&config.env.shown(), config.steps);
    bar.reach(trainer.env_steps());
    while let Some(metrics) = trainer.step()? {
        run.log(&metrics)?;
        run.save_if_due(&mut trainer)?;
        bar.reach(trainer.env_steps());
    }
    run.save(&mut trainer)?;
    run.finish(trainer).map(drop)
}
