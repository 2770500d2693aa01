//! The names there are, and what stands behind them.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use super::known::Known;
use crate::algo::Recipe;
use crate::envs::{self, Space};
use crate::optim::self;
use crate::words::Param;
use crate::screen::say;
use crate::{Config, Error, Result};

/// A kind of names.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// What one of them is.
    one: &'static str,
    summary: &'static str,
    /// Each name, and what it is in a line.
    rows: fn(&Known) -> Vec<(&str, &str)>,
    /// What is to be known of one of them, a line of cells each.
    more: fn(&Known, &str) -> Result<Vec<Vec<String>>>,
}

pub(super) const KINDS: [Kind; 5] = [
    Kind {
        name: "envs",
        one: "environment",
        summary: "what is acted in",
        rows: |known| known.envs().map(|id| (id, envs::summary(id).unwrap_or_default())).collect(),
        more: |_, name| environment(name),
    },
    Kind {
        name: "algos",
        one: "algorithm",
        summary: "what learns",
        rows: |known| known.algos().iter().map(|algo| (algo.name, algo.summary)).collect(),
        more: |known, name| algorithm(known, name),
    },
    Kind {
        name: "optimizers",
        one: "optimizer",
        summary: "what makes steps of gradients",
        rows: |known| words(known.optimizers()),
        more: |known, name| Ok(arguments(known.optimizers(), name)),
    },
    Kind {
        name: "links",
        one: "link",
        summary: "what stands before and after an optimizer in a chain",
        rows: |known| words(known.links()),
        more: |known, name| Ok(arguments(known.links(), name)),
    },
    Kind {
        name: "schedules",
        one: "schedule",
        summary: "numbers that change over training",
        rows: |known| words(known.schedules()),
        more: |known, name| Ok(arguments(known.schedules(), name)),
    },
];

pub(super) fn command(_: &Known) -> Command {
    Command::new("list")
        .about("Prints the kinds of names there are, the names of a kind, or the arguments behind a name")
        .arg(Arg::new("kind").value_name("KIND").value_parser(KINDS.map(|kind| kind.name)).help("The kind"))
        .arg(Arg::new("name").value_name("NAME").help("A name of that kind"))
}

pub(super) fn run(args: &ArgMatches, known: &Known) -> Result<ExitCode> {
    let asked = args.get_one::<String>("kind").and_then(|asked| KINDS.iter().find(|kind| kind.name == asked));
    match (asked, args.get_one::<String>("name")) {
        (None, _) => print_pairs(&KINDS.map(|kind| (kind.name, kind.summary))),
        (Some(kind), None) => print_pairs(&(kind.rows)(known)),
        (Some(kind), Some(name)) => print_one(kind, known, name),
    }
    .map(|()| ExitCode::SUCCESS)
}

/// The names of a kind, one a line; those of the language of optimizers with what they are.
pub(super) fn names(kind: &str, known: &Known) -> Result<()> {
    let rows = KINDS.iter().find(|row| row.name == kind).map(|row| (row.rows)(known)).unwrap_or_default();
    match kind {
        "envs" | "algos" => rows.iter().try_for_each(|(name, _)| say(name)),
        _ => print_pairs(&rows),
    }
}

fn print_one(kind: &Kind, known: &Known, name: &str) -> Result<()> {
    let rows = (kind.rows)(known);
    let names = || rows.iter().map(|(name, _)| *name);
    let (name, summary) =
        rows.iter().find(|(row, _)| *row == name).ok_or_else(|| Error::unknown(kind.one, name, names()))?;
    say(format_args!("{name}: {summary}"))?;
    print_table(&(kind.more)(known, name)?)
}

fn print_pairs(pairs: &[(&str, &str)]) -> Result<()> {
    print_table(&pairs.iter().map(|(name, summary)| vec![(*name).into(), (*summary).into()]).collect::<Vec<_>>())
}

/// Rows of cells, each column as wide as its widest cell; the last ends where it ends.
fn print_table(rows: &[Vec<String>]) -> Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter().try_for_each(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        say(cells.collect::<Vec<_>>().join("  ").trim_end())
    })
}

fn words<'a>(rows: impl Iterator<Item = &'a optim::Row>) -> Vec<(&'a str, &'a str)> {
    rows.map(|row| (row.name, row.summary)).collect()
}

fn environment(name: &str) -> Result<Vec<Vec<String>>> {
    let env = envs::make(name)?;
    let spec = env.spec();
    let space = |space: &Space| match space {
        Space::Discrete { n } => format!("{n} to choose from"),
        other => format!("{} numbers", other.flat_len()),
    };
    let none = || "none".to_string();
    Ok([
        ("observation", space(&spec.observation)),
        ("action", space(&spec.action)),
        ("limit", spec.max_episode_steps.map_or_else(none, |limit| format!("{limit} steps"))),
        ("solved at", spec.reward_threshold.map_or_else(none, |threshold| threshold.to_string())),
    ]
    .map(|(what, value)| vec![what.into(), value])
    .into())
}

/// The settings that an algorithm heeds, with their defaults.
fn algorithm(known: &Known, name: &str) -> Result<Vec<Vec<String>>> {
    let Some(algo) = known.algos().iter().find(|algo| algo.name == name) else { return Ok(Vec::new()) };
    let defaults = (algo.defaults)().to_table()?;
    let is_of = |algo: &Recipe, setting: &str| algo.settings.contains(&setting);
    let is_heeded = |setting: &str| is_of(algo, setting) || !known.algos().iter().any(|other| is_of(other, setting));
    let settings = Config::SETTINGS.iter().filter(|(setting, _)| is_heeded(setting));
    let default = |setting: &str| defaults.get(setting).map(|value| value.to_string().replace('"', ""));
    let cells = |(setting, meaning): &(&str, &str)| {
        vec![(*setting).into(), default(setting).unwrap_or_default(), meaning.trim().into()]
    };
    Ok(settings.map(cells).collect())
}

/// What a word of the language of optimizers takes: name, default, range and meaning.
fn arguments<'a>(mut rows: impl Iterator<Item = &'a optim::Row>, name: &str) -> Vec<Vec<String>> {
    let cells = |param: &Param| {
        let default = if param.default.is_empty() { "must be given" } else { param.default };
        vec![param.name.into(), default.into(), range(&param.kind), param.meaning.into()]
    };
    rows.find(|row| row.name == name).map(|row| row.params.iter().map(cells).collect()).unwrap_or_default()
}

fn range(kind: &optim::Kind) -> String {
    use optim::Kind;
    match kind {
        Kind::Number(range) | Kind::Steady(range) | Kind::Fixed(range) => {
            let range = range.to_string();
            range.trim_start_matches("it must ").trim_start_matches("be ").trim_start_matches("lie ").into()
        }
        Kind::Count(least, most) => format!("{least} to {most}"),
        Kind::Word(words) => words.join(" or "),
        Kind::Flag => "true or false".into(),
        Kind::Text => "text".into(),
        Kind::Chain => "a chain".into(),
        Kind::Schedule => "a schedule".into(),
        Kind::Pairs(first, second) => format!("pairs of {} and {}", range(first), range(second)),
    }
}
