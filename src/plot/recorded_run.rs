//! One run folder as the numbers a plot needs.

use std::{collections::BTreeMap, io, path::Path};

use csv::{Position, ReaderBuilder, StringRecord, Trim};

use uphill_envs::{counted, quoted};

use super::{PlotError, check};
use crate::config::world;
use crate::distributions::AUTO;
use crate::words::{Args, Value, Word, Wrapped};
use crate::{Catalogue, Config, own_folder, settings, whole_file};

/// The column that [`RecordedRun::read`] takes: the mean return of the last 100 episodes.
pub const DEFAULT_METRIC: &str = "episode_return_mean";

/// Values beyond this are refused: sums of their squares would no longer be finite.
const LARGEST: f64 = 1e100;

/// The largest `metrics.csv`, in bytes: some ten million updates.
const MAX_METRICS: u64 = 1 << 31;

/// One training run: what it was, and one metric of it against environment steps.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedRun {
    /// What messages call it: the folder it was read from.
    pub name: String,
    /// The environment's word, or what its argument `id` says.
    pub env: String,
    /// The algorithm's name.
    pub algo: String,
    /// The optimizer's name.
    pub optimizer: String,
    /// The seed.
    pub seed: u64,
    /// Every other key of `config.toml` with its value as text; one in a table is `table.key`, and an argument of an
    /// environment that has an `id` is `env.key`, such as `env.slip`, and likewise one of the model or the distribution. Runs that differ in one of these are not seeds of one
    /// curve.
    pub settings: BTreeMap<String, String>,
    /// The column that `values` came from.
    pub metric: String,
    /// Environment steps taken so far, never falling. `[points]`, at least one.
    pub env_steps: Vec<u64>,
    /// The metric at those steps, in its own unit, finite. `[points]`.
    pub values: Vec<f64>,
}

impl RecordedRun {
    /// Reads a run folder's `config.toml` and the column [`DEFAULT_METRIC`] of its `metrics.csv`.
    ///
    /// # Errors
    /// As [`RecordedRun::read_metric`].
    pub fn read(folder: impl AsRef<Path>) -> Result<RecordedRun, PlotError> {
        RecordedRun::read_metric(folder, DEFAULT_METRIC)
    }

    /// Reads a run folder's `config.toml` and one column of its `metrics.csv`.
    ///
    /// Rows whose field is empty (no episode counts yet) are left out. A last line without its newline and with
    /// fields missing is what a killed run leaves behind; it is left out too.
    ///
    /// # Errors
    /// A [`PlotError`] with file, line and column if a file is missing, unreadable or malformed, a number is not a
    /// finite one, steps fall, or no row has a value.
    pub fn read_metric(folder: impl AsRef<Path>, metric: &str) -> Result<RecordedRun, PlotError> {
        let folder = folder.as_ref();
        let config = read_file(folder, "config.toml", settings::MAX_BYTES)?;
        let metrics = read_file(folder, "metrics.csv", MAX_METRICS)?;
        RecordedRun::parse(&folder.display().to_string(), &config, &metrics, metric)
    }

    /// As [`RecordedRun::read_metric`], from what the two files hold: runs need not come from a file system. `name` is what
    /// messages call the folder.
    ///
    /// ```
    /// let config = b"env = 'CartPole-v1'\nalgo = 'ppo'\noptimizer = 'adam'\nseed = 1\n";
    /// let metrics = b"env_steps,episode_return_mean\n512,\n1024,21.5\n";
    /// let run = uphill::plot::RecordedRun::parse("mine", config, metrics, "episode_return_mean")?;
    /// assert_eq!((run.env_steps, run.values), (vec![1024], vec![21.5]));
    /// # Ok::<(), uphill::plot::PlotError>(())
    /// ```
    ///
    /// # Errors
    /// As [`RecordedRun::read_metric`], but for missing and unreadable files.
    pub fn parse(name: &str, config: &[u8], metrics: &[u8], metric: &str) -> Result<RecordedRun, PlotError> {
        let run = RecordedRun::described(name, config)?;
        let (env_steps, values) = parse_columns(&Path::new(name).join("metrics.csv"), metrics, metric)?;
        Ok(RecordedRun { metric: metric.to_owned(), env_steps, values, ..run })
    }

    /// What a run is by its `config.toml`, without a value of it.
    pub(crate) fn described(name: &str, config: &[u8]) -> Result<RecordedRun, PlotError> {
        let file = Path::new(name).join("config.toml");
        let mut config = parse_config(&file, config)?;
        let (env, mut settings) = take_env(&mut config, &file)?;
        let (algo, optimizer) = (take_name(&mut config, "algo", &file)?, take_name(&mut config, "optimizer", &file)?);
        let seed = config.remove("seed").and_then(|value| u64::try_from(value.as_integer()?).ok());
        let seed = seed.ok_or_else(|| malformed(&file, "", "the key `seed` must be a whole number, 0 or more"))?;
        for (key, value) in UNSAID {
            config.entry(key).or_insert_with(|| of_text(value));
        }
        ["model", "distribution"].into_iter().for_each(|key| take_arguments(&mut config, key, &mut settings));
        flatten("", config, &mut settings);
        let (name, metric) = (name.to_owned(), String::new());
        Ok(RecordedRun { name, env, algo, optimizer, seed, settings, metric, env_steps: vec![], values: vec![] })
    }

    /// The run once for each column of its `metrics.csv` that has a value, in their order, but for the steps and what else only
    /// counts.
    ///
    /// # Errors
    /// As [`RecordedRun::read_metric`].
    pub(crate) fn read_columns(folder: &Path) -> Result<Vec<RecordedRun>, PlotError> {
        const COUNTERS: [&str; 3] = ["update", "env_steps", "episodes"];
        let config = read_file(folder, "config.toml", settings::MAX_BYTES)?;
        let metrics = read_file(folder, "metrics.csv", MAX_METRICS)?;
        let name = folder.display().to_string();
        let parse = |metric: &str| RecordedRun::parse(&name, &config, &metrics, metric);
        // What cannot be read has no columns here, and the reason below.
        let header = ReaderBuilder::new().trim(Trim::All).from_reader(&*metrics).headers().cloned().unwrap_or_default();
        let mut columns = Vec::new();
        for column in header.iter().filter(|name| !COUNTERS.contains(name)) {
            match parse(column) {
                Err(PlotError::NoValues { .. }) => {}
                run => columns.push(run?),
            }
        }
        // Of a file without any value that is what is wrong with it.
        if columns.is_empty() { parse(DEFAULT_METRIC).map(|run| vec![run]) } else { Ok(columns) }
    }

    /// Whether this is another's run once more, from the same folder or from a copy, which may be an older one: with the same
    /// settings and seed, and the same values as far as both go.
    fn repeats(&self, other: &RecordedRun) -> bool {
        let points = self.values.len().min(other.values.len());
        (self.seed, &self.env, &self.algo, &self.optimizer) == (other.seed, &other.env, &other.algo, &other.optimizer)
            && (&self.settings, &self.metric) == (&other.settings, &other.metric)
            && self.env_steps.get(..points) == other.env_steps.get(..points)
            && self.values.get(..points) == other.values.get(..points)
    }

    /// Whether this can be drawn: what reading guarantees, a run made by hand may break.
    pub(super) fn check(&self) -> Result<(), PlotError> {
        let that = |holds, reason| check::that(holds, &self.name, reason);
        that(!self.env_steps.is_empty(), "it has no points")?;
        that(self.env_steps.len() == self.values.len(), "`env_steps` and `values` have different lengths")?;
        that(self.env_steps.is_sorted(), "`env_steps` falls somewhere")?;
        that(self.values.iter().copied().all(drawable), "a value is not a finite number within 1e100 of zero")
    }
}

fn malformed(file: &Path, place: impl Into<String>, reason: impl Into<String>) -> PlotError {
    PlotError::Malformed { file: file.to_owned(), place: place.into(), reason: reason.into() }
}

/// Each run once, however often it was read, and what is to be said of those left out. Of a run and an older copy of it the
/// longer one stays, in the place of the first.
#[must_use]
pub fn distinct(runs: Vec<RecordedRun>) -> (Vec<RecordedRun>, Vec<String>) {
    let (mut once, mut notes) = (Vec::<RecordedRun>::new(), Vec::new());
    for run in runs {
        match once.iter_mut().find(|known| run.repeats(known)) {
            None => once.push(run),
            Some(known) => {
                let shown = |run: &RecordedRun| whole_file::shown_path(Path::new(&run.name));
                notes.push(format!("{} is the same run as {}: it counts once", shown(&run), shown(known)));
                if run.values.len() > known.values.len() {
                    *known = run;
                }
            }
        }
    }
    (once, notes)
}

/// Whether a plot can show this value.
pub(super) fn drawable(value: f64) -> bool {
    // Not a number compares false, so it is refused as well.
    value.abs() <= LARGEST
}

fn take_name(config: &mut toml::Table, key: &str, file: &Path) -> Result<String, PlotError> {
    match config.remove(key) {
        Some(toml::Value::String(text)) if !text.trim().is_empty() => Ok(text),
        _ => Err(malformed(file, "", format!("the key `{key}` must be a name in quotes"))),
    }
}

/// What the environment is called, and its arguments where that does not say them.
fn take_env(config: &mut toml::Table, file: &Path) -> Result<(String, BTreeMap<String, String>), PlotError> {
    // Where earlier versions had a grid world of one's own.
    world::settle(config).map_err(|e| malformed(file, "", e.to_string()))?;
    let text = take_name(config, "env", file)?;
    let arguments = Wrapped::parse("env", &text).and_then(|env| {
        let catalogue = Catalogue::default();
        let row = catalogue.env(&env.word.name)?;
        let args = row.param("id").map(|_| Args::new(row, &env.word)).transpose()?;
        Ok(args.map(|args| (Wrapped { word: Word::new(&env.id()), ..env }.to_string(), args)))
    });
    let Ok(Some((id, args))) = arguments else { return Ok((text, BTreeMap::new())) };
    let others = args.values().iter().filter(|(name, _)| *name != "id");
    let shown = |value: &Value| match value {
        Value::Texts(rows) => rows.join("\n"),
        other => other.text().unwrap_or_else(|| other.to_string()),
    };
    Ok((id, others.map(|(name, value)| (format!("env.{name}"), shown(value))).collect()))
}

/// Settings that no run writes while they are so.
const UNSAID: [(&str, &str); 6] = [
    ("critic_lr_factor", "1.0"),
    ("distribution", AUTO),
    ("envs_on_device", "false"),
    ("log_std_lr_factor", "1.0"),
    ("mask_actions", "true"),
    ("trunk_lr_factor", "1.0"),
];

fn of_text(value: &str) -> toml::Value {
    value.parse().unwrap_or_else(|_| value.into())
}

/// Sets the arguments of a word apart from its name, those that it does not say too.
fn take_arguments(config: &mut toml::Table, key: &str, settings: &mut BTreeMap<String, String>) {
    let Some(Ok(word)) = config.get(key).map(|value| Word::from_toml(key, value)) else { return };
    let catalogue = Catalogue::default();
    let args = match key {
        "model" => catalogue.model(&word.name).and_then(|row| Args::new(row, &word)),
        _ => catalogue.distribution(&word.name).and_then(|row| Args::new(row, &word)),
    };
    // Of a row of somebody's own, and of `auto`, what is said.
    let said = || word.args.iter().filter_map(|(name, value)| Some((name.clone()?, value.to_string()))).collect();
    let all = |args: Args| args.values().iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
    let arguments: Vec<(String, String)> = args.map_or_else(|_| said(), all);
    let is_own = |name: &str| Config::SETTINGS.iter().all(|(setting, _)| *setting != name);
    let own = arguments.into_iter().filter(|(name, _)| is_own(name));
    settings.extend(own.map(|(name, value)| (format!("{key}.{name}"), value)));
    config.insert(key.into(), word.name.into());
}

/// The keys of a table, and those of the tables in it.
fn flatten(prefix: &str, table: toml::Table, settings: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            toml::Value::Table(inner) => flatten(&format!("{key}."), inner, settings),
            toml::Value::String(text) => drop(settings.insert(key, text)),
            other => drop(settings.insert(key, in_one_line(&other.to_string()))),
        }
    }
}

/// The text with a blank for each of its breaks.
pub(super) fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read_file(folder: &Path, name: &'static str, most: u64) -> Result<Vec<u8>, PlotError> {
    let path = folder.join(name);
    whole_file::read(&path, most).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => match own_folder::for_a_folder(folder) {
            Some(remedy) => PlotError::NoFolder { file: folder.to_owned(), remedy },
            None => PlotError::Missing { folder: folder.to_owned(), file: name },
        },
        _ => PlotError::Read { path, source: error },
    })
}

fn parse_config(file: &Path, bytes: &[u8]) -> Result<toml::Table, PlotError> {
    let text = str::from_utf8(bytes).map_err(|error| malformed(file, "", format!("not UTF-8 text: {error}")))?;
    settings::parse(text).map_err(|error| malformed(file, "", error.to_string()))
}

/// `env_steps` and the values of `metric`, both `[points]`.
fn parse_columns(file: &Path, bytes: &[u8], metric: &str) -> Result<(Vec<u64>, Vec<f64>), PlotError> {
    let table = |error| malformed(file, "", format!("not a table of comma-separated UTF-8 text: {error}"));
    let no_values = |reason| PlotError::NoValues { file: file.to_owned(), reason };
    // Flexible, because the length check below knows the line and forgives a half-written last one.
    let mut reader = ReaderBuilder::new().trim(Trim::All).flexible(true).from_reader(bytes);
    let header = reader.headers().map_err(table)?.clone();
    if header.iter().all(str::is_empty) {
        let names = format!("`env_steps` and `{}` among them", quoted(metric));
        return Err(no_values(format!("empty; its first line must name the columns, {names}")));
    }
    let find = |name: &str| {
        let (wanted, found) = (quoted(name), header.iter().take(40).map(quoted).collect::<Vec<_>>().join(", "));
        let reason = format!("there is no column `{wanted}`; the columns are: {found}");
        header.iter().position(|column| column == name).ok_or_else(|| malformed(file, ", line 1", reason))
    };
    let columns = [find("env_steps")?, find(metric)?];

    let (mut env_steps, mut values, mut before, mut rows) = (Vec::new(), Vec::new(), 0, 0);
    // One record serves all rows: a record of its own for each would take many times the room of a short row.
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(table)? {
        let line = record.position().map_or(0, Position::line);
        if record.len() < header.len() && reader.position().byte() == bytes.len() as u64 && !bytes.ends_with(b"\n") {
            break;
        }
        rows += 1;
        let wrong = |reason| malformed(file, format!(", line {line}"), reason);
        if record.len() != header.len() {
            let (found, expected) = (counted(record.len(), "field"), header.len());
            return Err(wrong(format!("{found}, where the header has {expected}")));
        }
        let [steps, value] = columns.map(|column| record.get(column).unwrap_or_default());
        let number = |column: usize, field, expected| {
            let name = quoted(header.get(column).unwrap_or_default());
            let place = format!(", line {line}, column {} (`{name}`)", column + 1);
            malformed(file, place, format!("`{}` is not {expected}", quoted(field)))
        };
        let now = steps.parse().map_err(|_| number(columns[0], steps, "a whole number of steps, 0 or more"))?;
        if now < before {
            return Err(wrong(format!("`env_steps` falls from {before} to {now}; it counts up")));
        }
        before = now;
        if !value.is_empty() {
            let known = value.parse().ok().filter(|&value| drawable(value));
            let expected = "a finite number within 1e100 of zero, or empty";
            values.push(known.ok_or_else(|| number(columns[1], value, expected))?);
            env_steps.push(now);
        }
    }
    if values.is_empty() {
        let (rows, column) = (counted(rows, "row"), quoted(metric));
        return Err(no_values(format!("{rows}, none with a value in column `{column}`; nothing can be drawn")));
    }
    Ok((env_steps, values))
}
