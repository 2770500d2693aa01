//! The flags that command lines are put together of.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use crate::{Error, Result};

/// A flag that is given or not.
pub(super) fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// A flag with a value.
pub(super) fn value(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// A flag whose value is a file or a folder.
pub(super) fn path(name: &'static str, value_name: &'static str, help: &'static str) -> Arg {
    value(name, value_name, help).value_parser(clap::value_parser!(PathBuf))
}

/// Refuses a flag that was given and changes nothing; `why` says what would be right, too.
pub(super) fn without_effect(args: &ArgMatches, name: &str, why: &str) -> Result<()> {
    match args.value_source(name) {
        Some(ValueSource::CommandLine) => Err(Error::Config(format!("--{name} has no effect: {why}"))),
        _ => Ok(()),
    }
}
