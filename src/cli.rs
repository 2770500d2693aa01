//! The command line: a program `uphill` whose commands train, judge, draw and compare, and the same commands as programs of
//! their own, which the examples are.
//!
//! A mistake on the command line is told in one line with what would be right. What a program ends with: 0 where all went
//! well, 1 for an error, 2 for a command line that cannot be read, 130 where Ctrl-C ended it.

mod card;
mod check;
mod chosen;
mod compare;
mod completions;
mod dashboard;
mod descent;
mod evaluate;
mod export;
mod flags;
mod foreign;
mod gradient;
mod import;
mod interrupt;
mod landscape;
mod list;
mod man;
mod new;
mod one_line;
mod over_file;
mod picture;
mod plot;
mod ranks;
mod report;
mod resume;
mod seeds;
mod settings;
mod train;
mod tune;
mod watch;

use std::process::{ExitCode, Termination};

use clap::{ArgMatches, Command, FromArgMatches, Parser};

use crate::{Catalogue, Error, Result};
use one_line::{end, perform};

/// A command of `uphill`, or a program of its own.
struct Program {
    name: &'static str,
    command: fn(&Catalogue) -> Command,
    run: fn(&ArgMatches, &Catalogue) -> Result<ExitCode>,
    /// What to do instead of giving a flag that there is not, where more is known than the flags there are.
    remedy: fn(&clap::Error, &Catalogue) -> Option<String>,
}

/// Every command, in the order in which `uphill --help` has them.
#[rustfmt::skip]
const PROGRAMS: [Program; 19] = [
    Program { name: "train", command: train::command, run: train::run, remedy: settings::remedy },
    Program { name: "resume", command: resume::command, run: resume::run, remedy: resume::remedy },
    Program { name: "evaluate", command: evaluate::command, run: evaluate::run, remedy: |_, _| None },
    Program { name: "export", command: export::command, run: export::run, remedy: |_, _| None },
    Program { name: "import", command: import::command, run: import::run, remedy: |_, _| None },
    Program { name: "card", command: card::command, run: card::run, remedy: |_, _| None },
    Program { name: "plot", command: plot::command, run: plot::run, remedy: |_, _| None },
    Program { name: "report", command: report::command, run: report::run, remedy: |_, _| None },
    Program { name: "watch", command: watch::command, run: watch::run, remedy: |_, _| None },
    Program { name: "compare", command: compare::command, run: compare::run, remedy: |_, _| None },
    Program { name: "tune", command: tune::command, run: tune::run, remedy: settings::remedy },
    Program { name: "gradient", command: gradient::command, run: gradient::run, remedy: |_, _| None },
    Program { name: "landscape", command: landscape::command, run: landscape::run, remedy: |_, _| None },
    Program { name: "descent", command: descent::command, run: descent::run, remedy: |_, _| None },
    Program { name: "new", command: new::command, run: new::run, remedy: |_, _| None },
    Program { name: "check", command: check::command, run: check::run, remedy: |_, _| None },
    Program { name: "list", command: list::command, run: list::run, remedy: |_, _| None },
    Program { name: "completions", command: completions::command, run: completions::run, remedy: |_, _| None },
    Program { name: "man", command: man::command, run: man::run, remedy: |_, _| None },
];

/// The command of that name.
fn of(name: &str) -> Result<&'static Program> {
    let names = PROGRAMS.iter().map(|program| program.name);
    PROGRAMS.iter().find(|program| program.name == name).ok_or_else(|| Error::unknown("command", name, names))
}

/// What the program is called: with rows of one's own it has a name of its own.
fn own_name() -> String {
    let path = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&path).file_stem().map(|name| name.to_string_lossy().into_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "uphill".into())
}

/// The whole command line.
fn command(catalogue: &Catalogue) -> Command {
    Command::new(own_name())
        .version(env!("CARGO_PKG_VERSION"))
        .about(env!("CARGO_PKG_DESCRIPTION"))
        .subcommands(PROGRAMS.iter().map(|program| (program.command)(catalogue).name(program.name)))
}

/// The program `uphill`: the first argument is a command, the others are the command's. With rows of one's own it is a program
/// of one's own, and has the whole command line for them:
///
/// ```no_run
/// use std::process::ExitCode;
/// use uphill::{Catalogue, cli};
///
/// fn main() -> ExitCode {
///     cli::main(&Catalogue::default())
/// }
/// ```
#[must_use]
pub fn main(catalogue: &Catalogue) -> ExitCode {
    if let Err(error) = catalogue.check() {
        return end::<()>(Err(error));
    }
    let first = std::env::args_os().nth(1).unwrap_or_default();
    let asked = PROGRAMS.iter().find(|program| first == program.name);
    let remedy = |error: &clap::Error| asked.and_then(|program| (program.remedy)(error, catalogue));
    ranks::together(asked.map_or("", |program| program.name), catalogue, || {
        perform(command(catalogue), remedy, |args| match args.subcommand() {
            Some((name, args)) => of(name).and_then(|program| (program.run)(args, catalogue)),
            None => command(catalogue).print_help().map_err(Error::Output).map(|()| ExitCode::SUCCESS),
        })
    })
}

/// A command of `uphill` as a program of its own, whose arguments are all the command's: that of `train` is `uphill train`.
#[must_use]
pub fn program(name: &str, catalogue: &Catalogue) -> ExitCode {
    match catalogue.check().and_then(|()| of(name)) {
        Ok(Program { name, command, run, remedy }) => ranks::together(name, catalogue, || {
            perform(command(catalogue), |error| remedy(error, catalogue), |args| run(args, catalogue))
        }),
        Err(error) => end::<()>(Err(error)),
    }
}

/// A program of one's own in the same frame: reads its command line, does its work, and says in one line what was wrong with
/// either.
#[must_use]
pub fn run<A: Parser, T: Termination>(work: impl FnOnce(&A) -> Result<T>) -> ExitCode {
    perform(A::command(), |_| None, |args| read(args).and_then(|args| work(&args)))
}

/// The arguments as what they were declared as.
fn read<A: FromArgMatches>(args: &ArgMatches) -> Result<A> {
    A::from_arg_matches(args).map_err(|e| Error::Config(e.to_string()))
}
