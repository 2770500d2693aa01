//! The settings of a run on the command line: a flag each.

use std::num::IntErrorKind;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgMatches};

use super::known::Known;
use crate::algo::Recipe;
use crate::{Config, Error, Result, envs, names};

/// One flag a setting of [`Config`].
pub(super) fn flags(known: &Known) -> impl Iterator<Item = Arg> {
    Config::SETTINGS.iter().map(|(name, help)| {
        Arg::new(*name)
            .long(name.replace('_', "-"))
            .alias(*name)
            .value_name("X")
            .help(format!("{} [default: {}]", help.trim(), defaults(name, known)))
            .help_heading("Settings")
    })
}

/// The default of a setting: once if all algorithms share it, else each algorithm's.
fn defaults(name: &str, known: &Known) -> String {
    let of = |algo: &Recipe| {
        let table = (algo.defaults)().to_table().unwrap_or_default();
        table.get(name).map(|value| value.to_string().replace('"', "")).unwrap_or_default()
    };
    let ppo = known.algos().iter().find(|algo| algo.name == "ppo").map(of).unwrap_or_default();
    if name == "algo" || known.algos().iter().all(|algo| of(algo) == ppo) {
        return ppo;
    }
    known.algos().iter().map(|algo| format!("{} {}", algo.name, of(algo))).collect::<Vec<_>>().join(", ")
}

/// Defaults of the algorithm and optimizer, under the file given by `--config`, under the command line.
pub(super) fn configuration(args: &ArgMatches, known: &Known) -> Result<Config> {
    let file = args.get_one::<PathBuf>("config");
    let mut of_file = file.map(|path| Config::read_toml(path)).transpose()?.unwrap_or_default();
    if let Some(path) = file.filter(|_| !args.contains_id("env")) {
        Config::settle_env(&mut of_file, path.parent().unwrap_or(Path::new("")))?;
    }
    let mut table = of_file.clone();
    let example = Config::for_algo("ppo")?.to_table()?;
    for (name, _) in Config::SETTINGS {
        let Some(text) = args.get_one::<String>(name) else { continue };
        if *name == "env" {
            table.remove("gridworld");
            table.extend(Config::env_settings(text)?);
            continue;
        }
        table.insert((*name).into(), parse(name, text, &example[*name])?);
    }
    Config::from_table_with(table, &known.registry).map_err(|e| match file {
        // The file alone has the same mistake, so it is the file's.
        Some(path)
            if Config::from_table_with(of_file, &known.registry).is_err_and(|own| own.to_string() == e.to_string()) =>
        {
            Error::File { path: path.into(), problem: e.to_string() }
        }
        _ => e,
    })
}

/// Reads a setting from the command line as what its default is: a number, a list, a switch or a word.
fn parse(name: &str, text: &str, like: &toml::Value) -> Result<toml::Value> {
    let wrong = |expected: &str| {
        let text = if text.trim().is_empty() { "''".into() } else { envs::quoted(text) };
        Error::Config(format!("--{} {text}: expected {expected}", name.replace('_', "-")))
    };
    let whole = |text: &str| text.trim().replace('_', "").parse::<i64>();
    match like {
        toml::Value::Integer(_) => whole(text).map(Into::into).map_err(|e| match e.kind() {
            IntErrorKind::PosOverflow => wrong("a whole number below 2^63"),
            _ => wrong("a whole number, such as 500_000"),
        }),
        toml::Value::Float(_) => text.parse::<f64>().map(Into::into).map_err(|_| wrong("a number, such as 2.5e-4")),
        toml::Value::Boolean(_) => text.parse::<bool>().map(Into::into).map_err(|_| wrong("true or false")),
        toml::Value::Array(_) => {
            if ["none", "[]"].contains(&text.trim()) {
                return Ok(toml::Value::Array(Vec::new()));
            }
            let items = text.trim().trim_start_matches('[').trim_end_matches(']').split(',');
            let items = items.map(|item| whole(item).map(toml::Value::from)).collect::<Result<Vec<_>, _>>();
            items.map(Into::into).map_err(|_| wrong("whole numbers with commas between, such as 64,64, or none"))
        }
        _ => Ok(text.into()),
    }
}

/// What to do instead of giving an optimizer's argument as a flag, or why no flag stands for a name of other libraries.
pub(super) fn remedy(error: &clap::Error, known: &Known) -> Option<String> {
    if error.kind() != clap::error::ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = flag.strip_prefix("--")?.replace('-', "_");
    if let Some(why) = names::absent(&name) {
        return Some(why).filter(|why| !why.is_empty()).map(Into::into);
    }
    let having = known.optimizers().filter(|row| row.param(&name).is_some());
    // The one that most runs have, if it takes such an argument.
    let row = having.min_by_key(|row| row.name != "adam")?.name;
    Some(format!("it goes into the optimizer, as in --optimizer \"{row}({name}=…)\""))
}
