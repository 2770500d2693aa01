//! Completes the command line of `uphill` in a shell.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use clap_complete::{Shell, generate};

use crate::screen::say;
use crate::{Catalogue, Result};

pub(super) fn command(_: &Catalogue) -> Command {
    let shell = clap::builder::EnumValueParser::<Shell>::new();
    Command::new("completions")
        .about("Prints the script by which a shell completes this command line")
        .arg(Arg::new("shell").value_name("SHELL").value_parser(shell).required(true).help("The shell"))
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let mut script = Vec::new();
    if let Some(&shell) = args.get_one::<Shell>("shell") {
        generate(shell, &mut super::command(catalogue), super::own_name(), &mut script);
    }
    say(String::from_utf8_lossy(&script).trim_end()).map(|()| ExitCode::SUCCESS)
}
