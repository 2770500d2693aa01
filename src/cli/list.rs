//! The names there are, and what stands behind them.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use crate::catalogue::EnvFamily;
use crate::envs::{Space, Spec, counted, quoted};
use crate::optim::{self, Make};
use crate::screen::say;
use crate::words::{self, Param, Row};
use crate::{Catalogue, Config, Error, Result};

/// A kind of names.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// What one of them is.
    one: &'static str,
    summary: &'static str,
    rows: fn(&Catalogue) -> Vec<Entry>,
    /// What is to be known of one of them besides its arguments, a line of cells each.
    more: fn(&Catalogue, &str) -> Result<Vec<Vec<String>>>,
}

/// A row without what it makes.
struct Entry {
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
}

const fn kind(
    name: &'static str,
    one: &'static str,
    summary: &'static str,
    rows: fn(&Catalogue) -> Vec<Entry>,
) -> Kind {
    Kind { name, one, summary, rows, more: |_, _| Ok(Vec::new()) }
}

pub(super) const KINDS: [Kind; 9] = [
    Kind { more: environment, ..kind("envs", "environment", "what is acted in", environments) },
    kind("wrappers", "wrapper", "what goes around an environment, after |", |c| entries(c.wrappers())),
    kind("models", "model", "what acts and judges", |c| entries(c.models())),
    kind("distributions", "distribution", "what a model's outputs are a distribution of", |c| {
        entries(c.distributions())
    }),
    Kind { more: defaults, ..kind("algos", "algorithm", "what learns", |c| entries(c.algos())) },
    kind("optimizers", "optimizer", "what makes steps of gradients", |c| entries(optim(c, is_optimizer))),
    kind("links", "link", "what stands before and after an optimizer in a chain", |c| entries(optim(c, is_link))),
    kind("schedules", "schedule", "numbers that change over training", |c| entries(optim(c, is_schedule))),
    kind("sinks", "sink", "where the rows of a run go", |c| entries(c.sinks())),
];

fn entries<'a, M: 'a>(rows: impl IntoIterator<Item = &'a Row<M>>) -> Vec<Entry> {
    rows.into_iter().map(|row| Entry { name: row.name, summary: row.summary, params: row.params }).collect()
}

/// Every environment by its name; those of a family by the family's.
fn environments(catalogue: &Catalogue) -> Vec<Entry> {
    let family = |family: &EnvFamily| Entry { name: family.name, summary: family.summary, params: &[] };
    entries(catalogue.envs()).into_iter().chain(catalogue.families().iter().map(family)).collect()
}

fn optim(catalogue: &Catalogue, is_of: fn(&Make) -> bool) -> impl Iterator<Item = &optim::Row> {
    catalogue.optim().rows().iter().filter(move |row| is_of(&row.make))
}

fn is_optimizer(make: &Make) -> bool {
    matches!(make, Make::Recipe(_) | Make::Ending(_))
}

fn is_link(make: &Make) -> bool {
    matches!(make, Make::Clip(_) | Make::Link(..))
}

fn is_schedule(make: &Make) -> bool {
    matches!(make, Make::Schedule(_))
}

pub(super) fn command(_: &Catalogue) -> Command {
    Command::new("list")
        .about("Prints the kinds of names there are, the names of a kind, or the arguments behind a name")
        .arg(Arg::new("kind").value_name("KIND").value_parser(KINDS.map(|kind| kind.name)).help("The kind"))
        .arg(
            Arg::new("name")
                .value_name("NAME")
                .help("A name of that kind; of envs also a file of a world, and what has arguments or wrappers"),
        )
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let asked = args.get_one::<String>("kind").and_then(|asked| KINDS.iter().find(|kind| kind.name == asked));
    match (asked, args.get_one::<String>("name")) {
        (None, _) => print_pairs(&KINDS.map(|kind| (kind.name, kind.summary))),
        (Some(kind), None) => print_pairs(&pairs(kind, catalogue)),
        (Some(kind), Some(name)) => print_one(kind, catalogue, name),
    }
    .map(|()| ExitCode::SUCCESS)
}

/// The names of a kind, one a line; those of the language of optimizers with what they are.
pub(super) fn names(kind: &str, catalogue: &Catalogue) -> Result<()> {
    let rows = KINDS.iter().find(|row| row.name == kind).map(|row| pairs(row, catalogue)).unwrap_or_default();
    match kind {
        "envs" | "algos" => rows.iter().try_for_each(|(name, _)| say(name)),
        _ => print_pairs(&rows),
    }
}

fn print_one(kind: &Kind, catalogue: &Catalogue, name: &str) -> Result<()> {
    let mut rows = (kind.rows)(catalogue);
    if kind.name == "envs" && !name.contains(['(', '|']) {
        let is_of_family = catalogue.families().iter().any(|family| name.starts_with(family.prefix));
        // The whole name of one of a family; the family's own stands for none.
        if is_of_family && !rows.iter().any(|row| row.name == name) {
            rows.extend(entries([catalogue.env(name)?]));
        }
    }
    let Some(row) = rows.iter().find(|row| row.name == name) else {
        return match kind.name {
            "envs" => print_environment(catalogue, name),
            _ => Err(Error::unknown(kind.one, name, rows.iter().map(|row| row.name))),
        };
    };
    say(format_args!("{name}: {}", row.summary))?;
    let arguments = row.params.iter().map(argument);
    print_table(&arguments.chain((kind.more)(catalogue, name)?).collect::<Vec<_>>())
}

/// An environment that is more than a name: the file of a world, a word with arguments, or one with wrappers.
fn print_environment(catalogue: &Catalogue, text: &str) -> Result<()> {
    let config = Config::for_algo_with("ppo", catalogue)?.in_env(text)?;
    let row = catalogue.env(&config.env.word.name)?;
    let envs = config.make_envs(1)?;
    say(format_args!("{}: {}; `list envs {}` has its arguments", quoted(text), row.summary, row.name))?;
    for word in &config.env.wrappers {
        say(format_args!("| {word}: {}", catalogue.wrapper(&word.name)?.summary))?;
    }
    print_table(&specified(envs.spec()))
}

fn pairs(kind: &Kind, catalogue: &Catalogue) -> Vec<(&'static str, &'static str)> {
    (kind.rows)(catalogue).into_iter().map(|row| (row.name, row.summary)).collect()
}

fn print_pairs(pairs: &[(&str, &str)]) -> Result<()> {
    print_table(&pairs.iter().map(|(name, summary)| vec![(*name).into(), (*summary).into()]).collect::<Vec<_>>())
}

/// Rows of cells, each column as wide as its widest cell; the last ends where it ends.
fn print_table(rows: &[Vec<String>]) -> Result<()> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    rows.iter().try_for_each(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        say(cells.collect::<Vec<_>>().join("  ").trim_end())
    })
}

/// The settings of every run that have other defaults with an algorithm.
fn defaults(catalogue: &Catalogue, name: &str) -> Result<Vec<Vec<String>>> {
    let cell = |(name, value): &(&str, &str)| {
        [*name, *value, "a setting", "of every run; this is its default here"].map(String::from).to_vec()
    };
    Ok(catalogue.algo(name)?.make.settings.iter().map(cell).collect())
}

fn environment(catalogue: &Catalogue, name: &str) -> Result<Vec<Vec<String>>> {
    let config = Config { env: name.into(), catalogue: catalogue.clone(), ..Config::for_algo("ppo")? };
    // One with an argument that must be given cannot be looked at without it.
    Ok(config.make_envs(1).map_or_else(|_| Vec::new(), |env| specified(env.spec())))
}

/// What an environment says that it is, a line of cells each.
fn specified(spec: &Spec) -> Vec<Vec<String>> {
    let space = |space: &Space| match space {
        Space::Discrete { n } => format!("{n} to choose from"),
        Space::MultiDiscrete { n } => {
            let each: Vec<String> = n.iter().map(ToString::to_string).collect();
            format!("{} to choose from", each.join(", "))
        }
        Space::MultiBinary { n } => format!("{n} to switch"),
        Space::Image { height, width, channels, max } => {
            format!("an image of {height} x {width} pixels, {}, 0 to {max}", counted(*channels, "channel"))
        }
        other => counted(other.flat_len(), "number"),
    };
    let none = || "none".to_string();
    [
        ("observation", space(&spec.observation)),
        ("action", space(&spec.action)),
        ("limit", spec.max_episode_steps.map_or_else(none, |limit| counted(limit, "step"))),
        ("solved at", spec.reward_threshold.map_or_else(none, |threshold| threshold.to_string())),
    ]
    .map(|(what, value)| vec![what.into(), value])
    .into()
}

/// What an argument is: name, default, range and meaning.
fn argument(param: &Param) -> Vec<String> {
    let default = if param.default.is_empty() { "must be given" } else { param.default };
    vec![param.name.into(), default.into(), range(&param.kind), param.meaning.into()]
}

fn range(kind: &words::Kind) -> String {
    use words::Kind;
    match kind {
        Kind::Number(range) | Kind::Steady(range) | Kind::Fixed(range) => {
            let range = range.to_string();
            range.trim_start_matches("it must ").trim_start_matches("be ").trim_start_matches("lie ").into()
        }
        Kind::Count(least, most) => format!("{least} to {most}"),
        Kind::Counts(least, most) => format!("numbers, each {least} to {most}"),
        Kind::CountsOr(word, least, most) => format!("numbers, each {least} to {most}, or {word}"),
        Kind::Limit(most) => format!("1 to {most}, or inf for none"),
        Kind::Word(words) => words.join(" or "),
        Kind::Flag => "true or false".into(),
        Kind::Text => "text".into(),
        Kind::Texts => "texts".into(),
        Kind::Chain => "a chain".into(),
        Kind::Schedule => "a schedule".into(),
        Kind::Pairs(first, second) => format!("pairs of {} and {}", range(first), range(second)),
    }
}
