//! Makes a folder to be shared on the Hugging Face Hub: [`card`](crate::card).

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, Parser};

use super::chosen::Chosen;
use super::interrupt::{is_interrupted, on_interrupt};
use super::read;
use super::train::shell_word;
use crate::card::Card;
use crate::render::Play;
use crate::screen::{self, PatientBar, returns, say, tell};
use crate::{Catalogue, Result, Seed};

/// Makes a folder to share a run's policy on the Hugging Face Hub: its files, what it returns, and a model card. Nothing is uploaded:
/// `hf upload NAME FOLDER` does that.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    chosen: Chosen,
    /// The folder to make; RUN/card by default
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Replace the card that the folder has
    #[arg(long)]
    force: bool,
    /// Whole episodes to judge the policy by, always taking its likeliest action
    #[arg(long, default_value_t = 100)]
    episodes: usize,
    /// Seed of the episodes' starts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What a licence is called there, such as mit or apache-2.0
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    license: Option<String>,
}

pub(super) fn command(_: &Catalogue) -> Command {
    Args::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    card(read(args)?, catalogue).map(|()| ExitCode::SUCCESS)
}

fn card(args: Args, catalogue: &Catalogue) -> Result<()> {
    let Args { chosen, out, force, episodes, seed, license } = args;
    let (mut policy, which) = chosen.load(catalogue)?;
    let folder = out.unwrap_or_else(|| chosen.run.join("card"));
    Card::check(&folder, force)?;
    let card = Card { which: chosen.which(), episodes, seed, license, ..Card::of(&chosen.run) };
    on_interrupt(None)?;
    policy.stop_when(is_interrupted);
    let mut bar = PatientBar::new("judging the policy");
    let result = card.write(&mut policy, &folder, force, &mut |done, length| bar.reach(done, length))?;
    drop(bar);
    if !folder.join("replay.gif").exists()
        && let Err(reason) = Play::begin(&policy, Seed(seed), false).and_then(|mut play| play.picture())
    {
        tell(format_args!("there is no replay.gif: {reason}"));
    }
    let (path, word) = (screen::path(&folder), shell_word(&folder));
    say(format_args!("{path}{which}: return {}; `hf upload NAME {word}` shares it", returns(&result)))
}
