//! The settings of a run on the command line: a flag each.

use std::collections::BTreeSet;
use std::num::IntErrorKind;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgMatches};

use super::foreign::{self, Asked};
use super::over_file::{over_file, without};
use crate::config::Misplaced;
use crate::screen::tell;
use crate::words::{self, Kind, Param};
use crate::{Catalogue, Config, Error, Result, Trainer, algo, envs};

/// One flag a setting of [`Config`], and one an argument of a row that is none.
pub(super) fn flags(catalogue: &Catalogue) -> impl Iterator<Item = Arg> {
    let settings = Config::SETTINGS.iter().map(|(name, help)| {
        let help = format!("{} [default: {}]", help.trim(), defaults(name, catalogue));
        let most = if ["sinks", "hidden", "continued"].contains(name) { 64 } else { 1 };
        flag(name).help(help).help_heading("Settings").num_args(1..=most)
    });
    let own = own(catalogue).into_iter().map(|(param, rows)| {
        let defaults: BTreeSet<&str> = with(catalogue, param.name).map(|param| param.default).collect();
        let default = match param.default {
            "" => String::new(),
            _ if defaults.len() > 1 => " [default: the row's own]".into(),
            default => format!(" [default: {default}]"),
        };
        let help = format!("{} ({}){default}", param.meaning, rows.join(", "));
        let most = match param.name {
            name if is_texts(name, catalogue) => LONGEST_MAP,
            name if has_lists(name, catalogue) => 64,
            _ => 1,
        };
        flag(param.name).help(help).help_heading("Arguments of rows").num_args(1..=most)
    });
    settings.chain(own)
}

fn flag(name: &'static str) -> Arg {
    Arg::new(name).long(name.replace('_', "-")).alias(name).value_name("X")
}

/// The names of these flags.
pub(super) fn names(catalogue: &Catalogue) -> Vec<&'static str> {
    let settings = Config::SETTINGS.iter().map(|(name, _)| *name);
    settings.chain(own(catalogue).into_iter().map(|(param, _)| param.name)).collect()
}

/// Settings that are numbers, or words: schedules, and what a number stands for.
const NUMBERS_OR_WORDS: [&str; 3] = ["clip_range", "ent_coef", "stop_at_return"];

/// Texts that one flag may have, such as the rows of a map.
const LONGEST_MAP: usize = 4096;

/// Flags of the command that are no settings.
const TAKEN: [&str; 8] = ["config", "out", "force", "resume", "quiet", "list", "help", "version"];

/// Every argument of an environment, a model, a distribution or an algorithm, with its row.
fn arguments(catalogue: &Catalogue) -> impl Iterator<Item = (&'static str, &'static Param)> {
    let envs = catalogue.envs().iter().map(|row| (row.name, row.params));
    let models = catalogue.models().iter().map(|row| (row.name, row.params));
    let distributions = catalogue.distributions().iter().map(|row| (row.name, row.params));
    let algos = catalogue.algos().iter().map(|row| (row.name, row.params));
    envs.chain(models)
        .chain(distributions)
        .chain(algos)
        .flat_map(|(row, params)| params.iter().map(move |param| (row, param)))
}

/// Those of that name.
fn with<'a>(catalogue: &'a Catalogue, name: &'a str) -> impl Iterator<Item = &'static Param> + 'a {
    arguments(catalogue).map(|(_, param)| param).filter(move |param| param.name == name)
}

/// Whether all of them are lists of texts.
fn is_texts(name: &str, catalogue: &Catalogue) -> bool {
    with(catalogue, name).all(|param| matches!(param.kind, Kind::Texts))
}

/// Whether one of them is a list of numbers.
fn has_lists(name: &str, catalogue: &Catalogue) -> bool {
    with(catalogue, name).any(|param| matches!(param.kind, Kind::Counts(..) | Kind::CountsOr(..)))
}

/// Those that are no settings, and the rows that have each.
fn own(catalogue: &Catalogue) -> Vec<(&'static Param, Vec<&'static str>)> {
    let mut found: Vec<(&Param, Vec<&str>)> = Vec::new();
    for (row, param) in arguments(catalogue) {
        let is_setting = Config::SETTINGS.iter().any(|(name, _)| *name == param.name);
        match found.iter_mut().find(|(known, _)| known.name == param.name) {
            Some((_, rows)) => rows.push(row),
            None if is_setting || TAKEN.contains(&param.name) => {}
            None => found.push((param, vec![row])),
        }
    }
    found
}

/// The default of a setting: once if all algorithms share it, else that of each which has it.
fn defaults(name: &str, catalogue: &Catalogue) -> String {
    let of = |algo: &&algo::Row| {
        let table = Config::for_algo_with(algo.name, catalogue).and_then(|config| config.all());
        table.unwrap_or_default().get(name).map(|value| value.to_string().replace('"', "")).unwrap_or_default()
    };
    let ppo = catalogue.algos().iter().find(|algo| algo.name == "ppo").map(|algo| of(&algo)).unwrap_or_default();
    let is_argument = catalogue.algos().iter().any(|algo| algo.param(name).is_some());
    let having: Vec<_> = catalogue.algos().iter().filter(|row| !is_argument || row.param(name).is_some()).collect();
    if name == "algo" || having.iter().all(|algo| of(algo) == ppo) {
        return ppo;
    }
    having.iter().map(|algo| format!("{} {}", algo.name, of(algo))).collect::<Vec<_>>().join(", ")
}

/// Defaults of the algorithm and optimizer, under the file given by `--config`, under the command line.
pub(super) fn configuration(args: &ArgMatches, catalogue: &Catalogue) -> Result<Config> {
    let (of_file, mut notes) = read_file(args, catalogue)?;
    let (table, of_line) = table(args, &of_file, &names(catalogue), catalogue)?;
    let config = Config::from_table_with(table, catalogue)
        .map_err(|e| blame(args, e, || Config::from_table_with(of_file, catalogue).map(drop)))?;
    notes.extend(of_line);
    tell_all(args, &notes);
    Ok(config)
}

/// What is to be told of settings that are possible; a mistake has a line of its own alone.
pub(super) fn tell_all(args: &ArgMatches, notes: &[String]) {
    if !args.get_flag("quiet") {
        notes.iter().for_each(tell);
    }
}

/// The settings of a file under those that flags of these names say, and what is to be told of that.
pub(super) fn table(
    args: &ArgMatches,
    of_file: &toml::Table,
    names: &[&'static str],
    catalogue: &Catalogue,
) -> Result<(toml::Table, Vec<String>)> {
    let mut of_line = toml::Table::new();
    let example = Config::for_algo("ppo")?.all()?;
    let mut is_world = false;
    for &name in names {
        let Some(texts) = args.get_many::<String>(name) else { continue };
        let texts: Vec<&str> = texts.map(String::as_str).collect();
        if name == "sinks" || (texts.len() > 1 && is_texts(name, catalogue)) {
            of_line.insert(name.into(), texts.into());
            continue;
        }
        // Of numbers, commas are between them or blanks.
        let text = texts.join(",");
        if name == "env" {
            of_line.extend(Config::env_settings(&text, catalogue)?);
            is_world = of_line.get(name) != Some(&text.into());
            continue;
        }
        let value = match example.get(name) {
            Some(_) if NUMBERS_OR_WORDS.contains(&name) && text.parse::<f64>().is_err() => text.clone().into(),
            Some(like) => parse(name, &text, like)?,
            None => own_value(name, &text, catalogue)?,
        };
        of_line.insert(name.into(), value);
    }
    if is_world {
        // What a file says goes under the line, be it a world's or a configuration's.
        let flags = of_line.clone();
        without(&mut of_line, "env", &flags)?;
    }
    let (notes, table) = over_file(of_file, of_line, catalogue).map_err(|e| in_file(args, e))?;
    if let Some(misplaced) = Misplaced::in_table(&table, catalogue)? {
        let flag = |name: &str| format!("it is a setting of the run, --{} or {name} = …", name.replace('_', "-"));
        let alone = || Config::from_table_with(of_file.clone(), catalogue).map(drop);
        return Err(if alone().is_err() { in_file(args, misplaced.error(flag)) } else { misplaced.error(flag) });
    }
    Ok((table, notes))
}

/// The settings of the file, none where there is none.
pub(super) fn of_file(args: &ArgMatches, catalogue: &Catalogue) -> Result<toml::Table> {
    read_file(args, catalogue).map(|(table, _)| table)
}

/// The same, with what is to be told of a file that was another program's.
pub(super) fn read_file(args: &ArgMatches, catalogue: &Catalogue) -> Result<(toml::Table, Vec<String>)> {
    let Some(path) = args.get_one::<PathBuf>("config") else { return Ok(Default::default()) };
    let (algo, env) = (args.get_one("algo"), args.get_one("env"));
    let asked = Asked::of(algo, env, args.contains_id("steps"), catalogue)?;
    if let Some(foreign) = foreign::read(path, &asked, catalogue).map_err(|e| in_file(args, e))? {
        return Ok((foreign.table, foreign.notes));
    }
    let mut table = Config::read_toml(path)?;
    if !args.contains_id("env") {
        Config::settle_env(&mut table, path.parent().unwrap_or(Path::new("")), catalogue)
            .map_err(|e| in_file(args, e))?;
    }
    Ok((table, Vec::new()))
}

/// The error of a trainer, which is the file's where its settings alone have it, too.
pub(super) fn of_trainer(args: &ArgMatches, catalogue: &Catalogue, error: Error) -> Error {
    let alone = || {
        let config = Config::from_table_with(of_file(args, catalogue)?, catalogue)?;
        Trainer::new(&config).map(drop)
    };
    blame(args, error, alone)
}

/// The error, with the file's name where its settings `alone` have the same mistake.
pub(super) fn blame(args: &ArgMatches, error: Error, alone: impl FnOnce() -> Result<()>) -> Error {
    let is_known = args.contains_id("config") && alone().is_err_and(|own| own.to_string() == error.to_string());
    if is_known { in_file(args, error) } else { error }
}

/// The error with the name of the file, if there is one.
pub(super) fn in_file(args: &ArgMatches, error: Error) -> Error {
    match args.get_one::<PathBuf>("config") {
        Some(path) => error.in_file(path),
        None => error,
    }
}

/// What a measurement is of, where it is not a run.
#[derive(clap::Args)]
pub(super) struct Trained {
    /// Environment: a name, which may have arguments, or the file of a grid world, and wrappers after |
    #[arg(long, default_value = "GridWorld-4x4-v0")]
    pub(super) env: String,
    /// Algorithm that trains
    #[arg(long, default_value = "ppo")]
    pub(super) algo: String,
    /// Network: a name, or one with arguments [default: the algorithm's own]
    #[arg(long)]
    model: Option<String>,
    /// Units of each hidden layer [default: small enough for a quick look]
    #[arg(long, value_name = "UNITS", num_args = 0..)]
    hidden: Option<Vec<String>>,
    /// Discount factor [default: the algorithm's own]
    #[arg(long)]
    gamma: Option<f64>,
    /// Seed of all that is drawn
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Threads, 0 for one a core; their number changes no result
    #[arg(long, default_value_t = 0)]
    pub(super) threads: usize,
}

impl Trained {
    /// The configuration of so many steps of its training, by the algorithm's own optimizer unless said; `hidden` is what
    /// layers an `mlp` has where nothing says it.
    pub(super) fn config(
        &self,
        optimizer: Option<&str>,
        steps: u64,
        hidden: &[usize],
        catalogue: &Catalogue,
    ) -> Result<Config> {
        let mut table = Config::env_settings(&self.env, catalogue)?;
        let words = [("model", self.model.as_deref()), ("algo", Some(&*self.algo)), ("optimizer", optimizer)];
        table.extend(words.into_iter().filter_map(|(name, word)| Some((name.into(), word?.into()))));
        let is_mlp = match &self.model {
            Some(model) => model == "mlp",
            None => Config::for_algo_with(&self.algo, catalogue).is_ok_and(|config| config.model == "mlp"),
        };
        let by_default = || is_mlp.then(|| hidden.iter().map(usize::to_string).collect());
        if let Some(units) = self.hidden.clone().or_else(by_default) {
            // As `train` has them.
            let units = if units.is_empty() { "none".into() } else { units.join(",") };
            table.insert("hidden".into(), parse("hidden", &units, &toml::Value::Array(Vec::new()))?);
        }
        table.extend(self.gamma.map(|gamma| ("gamma".into(), gamma.into())));
        if let Some(misplaced) = Misplaced::in_table(&table, catalogue)? {
            return Err(misplaced.error(|name| match ["hidden", "gamma", "seed", "threads"].contains(&name) {
                true => format!("it is a flag of its own, --{name}"),
                false => "it is a setting of a run, which `train` takes and this does not; leave it out".into(),
            }));
        }
        let config = Config::from_table_with(table, catalogue)?;
        let config = Config { steps, seed: self.seed, threads: self.threads, ..config };
        config.validate()?;
        Ok(config)
    }
}

/// Reads an argument that is no setting: as a word has it, lists also without brackets, and text also without quotes.
fn own_value(name: &str, text: &str, catalogue: &Catalogue) -> Result<toml::Value> {
    let is_text = with(catalogue, name).all(|param| matches!(param.kind, Kind::Text | Kind::Texts | Kind::Word(_)));
    if is_text && !text.trim_start().starts_with(['[', '"', '\'']) {
        return Ok(text.into());
    }
    // Where one row has a list and another a number, a comma or a bracket says which it is.
    let is_list = |param: &Param| match param.kind {
        Kind::Counts(..) => true,
        Kind::CountsOr(word, ..) => text.trim() != word,
        _ => false,
    };
    let is_list = with(catalogue, name).all(is_list) || (text.contains(',') && with(catalogue, name).any(is_list));
    let text = match text.trim() {
        "none" if is_list => "[]".to_string(),
        text if is_list && !text.starts_with('[') => format!("[{text}]"),
        text => text.to_string(),
    };
    let value = words::value(&text).map_err(|e| Error::Config(format!("--{}: {e}", name.replace('_', "-"))))?;
    Ok(value.to_toml(None))
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
pub(super) fn remedy(error: &clap::Error, catalogue: &Catalogue) -> Option<String> {
    if error.kind() != clap::error::ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = flag.strip_prefix("--")?.replace('-', "_");
    let having = catalogue.optim().recipes().filter(|row| row.param(&name).is_some());
    // The one that most runs have, if it takes such an argument.
    let Some(row) = having.min_by_key(|row| row.name != "adam").map(|row| row.name) else {
        return crate::names::absent(&name).filter(|why| !why.is_empty()).map(Into::into);
    };
    Some(format!("it goes into the optimizer, as in --optimizer \"{row}({name}=…)\""))
}

#[cfg(test)]
mod tests {
    use super::Trained;
    use crate::Catalogue;
    use crate::init::Initialiser;

    #[test]
    fn what_is_measured_has_the_network_of_its_algorithm_in_layers_of_its_own() {
        let of = |algo: &str, model: Option<&str>| {
            let (env, algo, model) = ("GridWorld-4x4-v0".into(), algo.into(), model.map(String::from));
            let trained = Trained { env, algo, model, hidden: None, gamma: None, seed: 1, threads: 1 };
            let config = trained.config(None, 100, &[7], &Catalogue::default()).expect("a configuration");
            (config.model.to_string(), config.hidden, config.init)
        };
        assert_eq!(of("ppo", None), ("mlp".into(), vec![7], Initialiser::Orthogonal));
        assert_eq!(of("stream_ac", None), ("mlp(layer_norm=true)".into(), vec![7], Initialiser::Sparse));
        assert_eq!(of("stream_ac", Some("mlp")), ("mlp".into(), vec![7], Initialiser::Orthogonal));
        assert_eq!(of("ppo", Some("mlp_layer_norm")).1, [64, 64]);
    }
}
