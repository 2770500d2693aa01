//! The flags that command lines are put together of.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use crate::benchmark::Seeds;
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

/// `10` for seeds 1 to 10, `5-14` or `5..14` for those, the last among them, `3,7` for these two.
pub(super) fn seeds(text: &str) -> Result<Seeds, String> {
    let whole = |text: &str| text.trim().parse::<u64>().map_err(|_| "such as 10 (1 to 10), 5-14 or 3,7".to_string());
    if let Some((first, last)) = text.split_once("..").or_else(|| text.split_once('-')) {
        let (first, last) = (whole(first)?, whole(last)?);
        let count = last.checked_sub(first).ok_or("the last seed is below the first")?.saturating_add(1);
        return Ok(Seeds::Range { first, count });
    }
    match text.contains(',') {
        true => Ok(Seeds::List(text.split(',').map(whole).collect::<Result<_, _>>()?)),
        false => Ok(Seeds::Range { first: 1, count: whole(text)? }),
    }
}
