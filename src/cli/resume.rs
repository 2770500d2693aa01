//! Goes on with a run that was broken off, or trains one that has ended for longer: `train --resume` by a name of its own.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgMatches, Command};

use super::{settings, train};
use crate::{Catalogue, Result};

pub(super) fn command(_: &Catalogue) -> Command {
    Command::new("resume")
        .about("Goes on with the run in a folder, from its last checkpoint, as if it had never stopped")
        .arg(
            Arg::new("resume")
                .value_name("FOLDER")
                .value_parser(clap::value_parser!(PathBuf))
                .required(true)
                .help("The folder of the run"),
        )
        .arg(train::continue_for())
        .args(train::of_any_run())
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let folder = args.get_one::<PathBuf>("resume").cloned().unwrap_or_default();
    train::check_tui(args)?;
    let (run, trainer) = train::resume(&folder, args, catalogue)?;
    train::finish(run, trainer, train::Shows::of(args), "")
}

/// What to do with a setting.
pub(super) fn remedy(error: &clap::Error, catalogue: &Catalogue) -> Option<String> {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = flag.strip_prefix("--")?.replace('-', "_");
    let is_said = settings::names(catalogue).contains(&&*name) || train::OF_A_NEW_RUN.contains(&&*name);
    is_said.then(|| "a run goes on with the settings that it began with: leave it out".into())
}
