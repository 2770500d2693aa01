//! The frame of every program: a command line whose mistakes are told in one line with the remedy, where clap has a
//! paragraph, and an end that fits what became of the results.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::{ExitCode, Termination};

use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, Command};

use super::interrupt::EXIT_INTERRUPTED;
use crate::screen::tell;
use crate::{Error, Result, names};

/// Reads the command line and does the work that it asks for. A program may know a remedy for an unknown flag.
pub(super) fn perform<T: Termination>(
    command: Command,
    remedy: impl Fn(&clap::Error) -> Option<String>,
    work: impl FnOnce(&ArgMatches) -> Result<T>,
) -> ExitCode {
    match matches(command, remedy) {
        Ok(args) => end(work(&args)),
        Err(code) => code,
    }
}

/// The arguments, or what the program ends with at a mistake, and where only `--help` was asked for.
fn matches(command: Command, remedy: impl Fn(&clap::Error) -> Option<String>) -> Result<ArgMatches, ExitCode> {
    let (command, arguments) = (with_negative_numbers(command), arguments());
    command.clone().try_get_matches_from(&arguments).map_err(|e| {
        let asked = arguments.get(1).and_then(|name| command.find_subcommand(name));
        said(&e, asked.unwrap_or(&command), remedy(&e))
    })
}

fn with_negative_numbers(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let takes_numbers = arg.get_long().is_some() && arg.get_action().takes_values();
        arg.allow_negative_numbers(takes_numbers)
    });
    command.mut_subcommands(with_negative_numbers)
}

/// The command line with `-0.001` for `-1e-3`: clap knows negative numbers, but no negative exponents of theirs. Infinities
/// and NaN go behind a `=`.
fn arguments() -> Vec<OsString> {
    std::env::args_os().fold(Vec::new(), |mut before: Vec<OsString>, argument| {
        let number = argument.to_str().filter(|text| text.starts_with('-')).and_then(|text| text.parse::<f64>().ok());
        let flag = before.last_mut().filter(|flag| flag.as_encoded_bytes().starts_with(b"--"));
        match (number, flag) {
            (Some(number), _) if number.is_finite() => {
                let exponential = argument.to_str().is_some_and(|text| text.contains(['e', 'E']));
                before.push(if exponential { number.to_string().into() } else { argument });
            }
            (Some(_), Some(flag)) => {
                flag.push("=");
                flag.push(argument);
            }
            _ => before.push(argument),
        }
        before
    })
}

/// Says what was wrong and what would be right.
fn said(error: &clap::Error, command: &Command, remedy: Option<String>) -> ExitCode {
    if !error.use_stderr() {
        // What was asked for, such as --help.
        return end(error.print().map_err(Error::Output));
    }
    let text = error.to_string().replace("invalid digit found in string", "it must be a whole number, 0 or more");
    let text = text.replace("invalid float literal", "it must be a number");
    let said = |line: &&str| {
        !["Usage:", "For more information", "tip:"].iter().any(|start| line.starts_with(start)) && !line.is_empty()
    };
    let lines: Vec<&str> = text.lines().map(str::trim).filter(said).collect();
    let (problem, more) = lines.split_first().unwrap_or((&"error: the command line cannot be read", &[]));
    let meant = || meant(error, command);
    let remedy = remedy.or_else(meant).unwrap_or_else(|| match error.kind() {
        clap::error::ErrorKind::ArgumentConflict if problem.contains("multiple times") => "give it once".into(),
        clap::error::ErrorKind::ArgumentConflict => "leave one of the two out".into(),
        clap::error::ErrorKind::InvalidSubcommand => format!("there are {}", commands(command).join(", ")),
        _ if more.is_empty() => "--help shows what may be given".into(),
        _ => more.join(" "),
    });
    tell(format_args!("{}{} {remedy}", problem.trim_end_matches(':'), if problem.ends_with(':') { ":" } else { ";" }));
    ExitCode::from(2)
}

fn commands(command: &Command) -> Vec<&str> {
    command.get_subcommands().map(Command::get_name).collect()
}

/// The command, the flag, or the word for one, that was meant.
fn meant(error: &clap::Error, command: &Command) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    if let Some(ContextValue::Strings(words)) = error.get(ContextKind::ValidValue) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let meant = names::meant(text(ContextKind::InvalidValue)?, &words)?;
        return Some(meant.question(str::to_owned));
    }
    if let Some(name) = text(ContextKind::InvalidSubcommand) {
        return Some(names::meant(name, &commands(command))?.question(str::to_owned));
    }
    if error.kind() != clap::error::ErrorKind::UnknownArgument {
        return None;
    }
    let name = text(ContextKind::InvalidArg)?.strip_prefix("--")?;
    let flags: Vec<&str> = command.get_arguments().filter_map(|arg| arg.get_long()).chain(["help"]).collect();
    let flag = names::meant(name, &flags).map(|meant| meant.question(|flag| format!("--{flag}")));
    flag.or_else(|| Some(names::meant(name, &commands(command))?.question(str::to_owned)))
}

/// What the program ends with.
pub(super) fn end<T: Termination>(done: Result<T>) -> ExitCode {
    match done {
        Ok(done) => done.report(),
        // Whoever read the results has read enough of them.
        Err(Error::Output(e)) if e.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        // Whoever asked for it knows.
        Err(Error::Interrupted) => ExitCode::from(EXIT_INTERRUPTED),
        Err(error) => {
            tell(format_args!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}
