//! Searches for hyper-parameters: trials drawn from ranges, on seeds that are not reported.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use super::{flags, ranks, settings};
use crate::screen::{self, say};
use crate::tuning::{DECIDED, Found, Search, State, Trial, Tuner, shown};
use crate::{Catalogue, Error, Result, Threads, words};

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    tune(args, catalogue).map(|()| ExitCode::SUCCESS)
}

fn tune(args: &ArgMatches, catalogue: &Catalogue) -> Result<()> {
    ranks::refuse("a search for hyper-parameters")?;
    let search = search(args, catalogue)?;
    let threads = Threads::new(args.get_one("threads").copied().unwrap_or(0))?;
    if args.get_flag("dry-run") {
        return say(search.described()?);
    }
    let out = args.get_one::<PathBuf>("out").cloned().map_or_else(|| default_folder(&search), Ok)?;
    let tuner = Tuner::open(search, out)?;
    let quiet = args.get_flag("quiet");
    let found = tuner.run(&threads, quiet)?;
    if !quiet {
        results(&found, tuner.path())?;
    }
    match found.best() {
        Some(_) => Ok(()),
        None => {
            let diverged = found.trials.iter().any(|trial| trial.state == State::Diverged);
            let remedy = if diverged { "smaller learning rates usually help" } else { "with more steps episodes end" };
            let problem = format!("no trial was trained to its end with a return: {remedy}");
            Err(Error::File { path: tuner.path().join("trials.csv"), problem })
        }
    }
}

/// The search of `--config`, or one by default, under the command line.
fn search(args: &ArgMatches, catalogue: &Catalogue) -> Result<Search> {
    let (mut of_file, mut notes) = settings::read_file(args, catalogue)?;
    let tune = match of_file.remove("tune") {
        None => toml::Table::new(),
        Some(toml::Value::Table(tune)) => tune,
        Some(other) => {
            let problem = format!("tune = {other} is impossible: it must be a table, [tune]");
            return Err(settings::in_file(args, Error::Config(problem)));
        }
    };
    let (names, keys) = (of_runs(catalogue), KEYS.iter().map(|(key, ..)| *key));
    let (table, of_line) = settings::table(args, &of_file, &names, catalogue)?;
    let alone = || Search::from_settings(of_file, tune.clone(), catalogue).map(drop);
    let mut under_line = tune.clone();
    for key in keys {
        if let Some(value) = args.get_one::<toml::Value>(key) {
            under_line.insert(key.replace('-', "_"), value.clone());
        }
    }
    let search = Search::from_settings(table, under_line, catalogue).map_err(|e| settings::blame(args, e, alone))?;
    notes.extend(of_line);
    settings::tell_all(args, &notes);
    Ok(search)
}

/// Keys of `[tune]` that are flags, with what they take and mean.
const KEYS: [(&str, &str, &str); 10] = [
    ("trials", "N", "Trials [default: 32]"),
    ("sampler", "SAMPLER", "How trials are drawn: random, sobol or tpe [default: sobol]"),
    ("pruner", "PRUNER", "What ends trials early: none or halving [default: halving; none where sampler is tpe]"),
    ("eta", "N", "By halving: one trial in N goes on from a rung, to N times its steps [default: 3]"),
    ("rungs", "N", "By halving: rungs, the whole length one of them [default: 3]"),
    ("objective", "WHAT", "What trials are judged by: final_return, area or eval_return [default: final_return]"),
    ("eval-episodes", "N", "By eval_return: episodes of an evaluation [default: 20]"),
    ("seeds", "SEEDS", "Seeds of each trial: 3 (1001 to 1003), 2001-2005 or 13,17 [default: 3]"),
    ("report-seeds", "SEEDS", "Seeds that the best is run on in the end: 10 (1 to 10), 5-14 or 3,7 [default: 10]"),
    ("search-seed", "SEED", "Seed of the draw of trials [default: 1]"),
];

/// The flags of settings that a search does not decide itself.
fn of_runs(catalogue: &Catalogue) -> Vec<&'static str> {
    let is_own = |name: &str| KEYS.iter().any(|(key, ..)| key.replace('-', "_") == name) || OTHERS.contains(&name);
    let is_decided = |name: &str| DECIDED.iter().any(|(decided, _)| *decided == name);
    settings::names(catalogue).into_iter().filter(|name| !is_own(name) && !is_decided(name)).collect()
}

/// Flags that are no keys of `[tune]` and no settings.
const OTHERS: [&str; 5] = ["config", "out", "threads", "quiet", "dry_run"];

/// `runs/tune-<env>-<algo>`.
fn default_folder(search: &Search) -> Result<PathBuf> {
    let (env, algo) = search.what()?;
    Ok(Path::new("runs").join(format!("tune-{}-{}", words::file_name(&env), words::file_name(&algo))))
}

/// Trials that the table on the screen has at most.
const SHOWN: usize = 5;

fn results(found: &Found, folder: &Path) -> Result<()> {
    table(found).iter().try_for_each(say)?;
    say(format_args!("trials   {}", found.endings()))?;
    if let Some(best) = found.best() {
        let why = "the best of many is lucky, too, and its score here flatters it";
        say(format_args!("best     trial {}, chosen by {}: {why}", best.number, of_seeds(found)))?;
        say(format_args!("worth    {}", found.worth()))?;
    }
    for (what, name) in [("table", "trials.csv"), ("config", "best.toml"), ("picture", "tuning.png")] {
        let path = folder.join(name);
        if path.is_file() {
            say(format_args!("{what:<8} {}", screen::path(&path)))?;
        }
    }
    Ok(())
}

fn of_seeds(found: &Found) -> String {
    let seeds = found.search.seeds.list().iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    format!("its mean {} of seeds {seeds}", found.search.objective.name())
}

/// The best trials, a line each below a heading.
fn table(found: &Found) -> Vec<String> {
    let names = found.search.ranges.iter().map(|(name, _)| name.clone());
    let head = ["trial", "state", "step", "score"].map(String::from).into_iter().chain(names).collect();
    let row = |trial: &&Trial| -> Vec<String> {
        let score = trial.score.map_or("none".into(), |score| screen::amounts([score])[0].clone());
        let own = [trial.number.to_string(), trial.state.name().into(), trial.steps.to_string(), score];
        own.into_iter().chain(trial.values.iter().map(shown)).collect()
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(found.ranked().iter().take(SHOWN).map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect()
}

/// A value of a key as TOML has it: a number where it is one, and a word without quotes.
fn value(text: &str) -> Result<toml::Value, String> {
    Ok(text.replace('_', "").parse::<i64>().map_or_else(|_| text.into(), Into::into))
}

/// Seeds as TOML has them: how many, or which.
fn seeds(text: &str) -> Result<toml::Value, String> {
    match text.contains(['-', ',', '.']) {
        true => toml::Value::try_from(flags::seeds(text)?).map_err(|e| e.to_string()),
        false => text.parse::<i64>().map(Into::into).map_err(|_| "such as 3, 2001-2005 or 13,17".into()),
    }
}

pub(super) fn command(catalogue: &Catalogue) -> Command {
    let names = of_runs(catalogue);
    let keys = KEYS.map(|(name, what, help)| {
        let flag = flags::value(name, what, help).help_heading("Search");
        if what == "SEEDS" { flag.value_parser(seeds) } else { flag.value_parser(value) }
    });
    let is_of_runs = |arg: &Arg| names.iter().any(|name| *name == arg.get_id().as_str());
    Command::new("tune")
        .about(
            "Searches for hyper-parameters over ranges, on seeds that are not reported, and judges the best on fresh ones; \
            killed, the same command does the rest",
        )
        .arg(flags::path("config", "FILE", "Settings to start from, as of a run, with what is searched below [tune]"))
        .arg(flags::path("out", "FOLDER", "Where results go [default: runs/tune-<env>-<algo>]"))
        .arg(
            flags::value("threads", "N", "Runs side by side, 0 for one a core; their number changes no result")
                .value_parser(clap::value_parser!(usize)),
        )
        .arg(flags::switch("quiet", "Print nothing but errors and what was found broken"))
        .arg(flags::switch("dry-run", "Print which runs there are, and leave"))
        .args(keys)
        .args(settings::flags(catalogue).filter(is_of_runs))
}
