//! The frame of every program: a command line whose mistakes are told in one line with the remedy, where clap has a
//! paragraph, and an end that fits what became of the results.

// Each program uses some of it.
#![allow(dead_code)]

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, Command};
use uphill::screen::tell;
use uphill::{Error, Result, names};

/// The arguments of the program; leaves it at a mistake, and where only `--help` was asked for.
pub(crate) fn parse<A: clap::Parser>() -> A {
    let args = matches(A::command(), |_| None);
    A::from_arg_matches(&args).unwrap_or_else(|e| leave(&e, &A::command(), None))
}

/// The same for a command line that the program puts together itself, and knows a remedy for an unknown flag of.
pub(crate) fn matches(command: Command, remedy: impl Fn(&clap::Error) -> Option<String>) -> ArgMatches {
    let command = command.mut_args(|arg| {
        let takes_numbers = arg.get_long().is_some() && arg.get_action().takes_values();
        arg.allow_negative_numbers(takes_numbers)
    });
    command.clone().try_get_matches_from(arguments()).unwrap_or_else(|e| leave(&e, &command, remedy(&e)))
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

/// Says what was wrong and what would be right, and leaves.
fn leave(error: &clap::Error, command: &Command, remedy: Option<String>) -> ! {
    if !error.use_stderr() {
        // What was asked for, such as --help.
        let code = match error.print() {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => {
                tell(format_args!("error: {}", Error::Output(e)));
                1
            }
            _ => 0,
        };
        std::process::exit(code)
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
        clap::error::ErrorKind::ArgumentConflict => "give it once".into(),
        _ if more.is_empty() => "--help shows what may be given".into(),
        _ => more.join(" "),
    });
    tell(format_args!("{}{} {remedy}", problem.trim_end_matches(':'), if problem.ends_with(':') { ":" } else { ";" }));
    std::process::exit(2)
}

/// The flag, or the word for one, that was meant.
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
    if error.kind() != clap::error::ErrorKind::UnknownArgument {
        return None;
    }
    let name = text(ContextKind::InvalidArg)?.strip_prefix("--")?;
    let flags: Vec<&str> = command.get_arguments().filter_map(|arg| arg.get_long()).chain(["help"]).collect();
    Some(names::meant(name, &flags)?.question(|flag| format!("--{flag}")))
}

/// Set by the first Ctrl-C.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// What a program says that Ctrl-C ended.
pub(crate) const EXIT_INTERRUPTED: u8 = 130;

/// Whether Ctrl-C (or `kill`) asked the program to end.
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// From now on the first Ctrl-C (or `kill`) asks the program to end, and says so with these words; the second ends it at
/// once.
pub(crate) fn on_interrupt(words: Option<&'static str>) -> Result<()> {
    let handler = move || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(EXIT_INTERRUPTED.into());
        }
        words.iter().for_each(tell);
    };
    ctrlc::set_handler(handler).map_err(|e| Error::Config(format!("Ctrl-C cannot be watched for: {e}")))
}

/// What the program ends with.
pub(crate) fn end(done: Result<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
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

/// As [`end`], for a program that only succeeds or fails.
pub(crate) fn end_of(done: Result<()>) -> ExitCode {
    end(done.map(|()| ExitCode::SUCCESS))
}
