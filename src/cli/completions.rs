//! Completes the command line of `uphill` in a shell.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use clap_complete::{Shell, generate};

use super::known::Known;
use crate::Result;
use crate::screen::say;

pub(super) fn command(_: &Known) -> Command {
    let shell = clap::builder::EnumValueParser::<Shell>::new();
    Command::new("completions")
        .about("Prints the script by which a shell completes the command line of uphill")
        .arg(Arg::new("shell").value_name("SHELL").value_parser(shell).required(true).help("The shell"))
}

pub(super) fn run(args: &ArgMatches, known: &Known) -> Result<ExitCode> {
    let mut script = Vec::new();
    if let Some(&shell) = args.get_one::<Shell>("shell") {
        generate(shell, &mut super::command(known), "uphill", &mut script);
    }
    say(String::from_utf8_lossy(&script).trim_end()).map(|()| ExitCode::SUCCESS)
}
