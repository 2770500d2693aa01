//! What can go wrong between run folders and a picture.

use std::{io, path::PathBuf};

use thiserror::Error;
use uphill_envs::counted;

use crate::whole_file::{remedy, shown_path};

/// Why no plot was made. Each message names the place and what would be right there; lines and columns count from 1.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A run folder lacks one of its files, or is no folder.
    #[error("{}: there is no {file} here; a run folder holds config.toml and metrics.csv", shown_path(folder))]
    Missing {
        /// The folder that was asked for.
        folder: PathBuf,
        /// The file that it lacks.
        file: &'static str,
    },
    /// A file is there but cannot be read.
    #[error("{}: cannot be read: {source}", shown_path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `metrics.csv` has not even a header.
    #[error("{}: empty; its first line must name the columns, `env_steps` and `{column}` among them", shown_path(file))]
    Empty {
        /// The file.
        file: PathBuf,
        /// The column that was asked for.
        column: String,
    },
    /// The header lacks a column.
    #[error("{}, line 1: there is no column `{column}`; the columns are: {found}", shown_path(file))]
    Column {
        /// The file.
        file: PathBuf,
        /// The column that is needed.
        column: String,
        /// The columns that are there, separated by commas.
        found: String,
    },
    /// A row has more or fewer fields than the header.
    #[error("{}, line {line}: {}, where the header has {expected}", shown_path(file), counted(found, "field"))]
    Fields {
        /// The file.
        file: PathBuf,
        /// The row's line.
        line: u64,
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// A field does not hold what its column needs.
    #[error("{}, line {line}, column {column} (`{name}`): `{text}` is not {expected}", shown_path(file))]
    Number {
        /// The file.
        file: PathBuf,
        /// The row's line.
        line: u64,
        /// The field's number in its row.
        column: usize,
        /// The column's name.
        name: String,
        /// What the field holds.
        text: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The environment steps go back.
    #[error("{}, line {line}: `env_steps` falls from {before} to {now}; it counts up", shown_path(file))]
    Order {
        /// The file.
        file: PathBuf,
        /// The row's line.
        line: u64,
        /// The count in the row before.
        before: u64,
        /// The count in this row.
        now: u64,
    },
    /// The table cannot be taken apart, for example because it is not UTF-8.
    #[error("{}: not a table of comma-separated UTF-8 text: {source}", shown_path(file))]
    Table {
        /// The file.
        file: PathBuf,
        /// The reason, with its line.
        source: csv::Error,
    },
    /// The column is there and no row has a value in it: the run ended before every lane had ended an episode.
    #[error(
        "{}: {}, none with a value in column `{column}`; nothing can be drawn",
        shown_path(file),
        counted(rows, "row")
    )]
    NoValues {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// Rows in the file.
        rows: usize,
    },
    /// `config.toml` is not TOML.
    #[error("{}, line {line}, column {column}: {message}", shown_path(file))]
    Config {
        /// The file.
        file: PathBuf,
        /// The line of the mistake.
        line: usize,
        /// Its column, in characters.
        column: usize,
        /// What the parser expected there.
        message: String,
    },
    /// `config.toml` lacks a key or has something else under it.
    #[error("{}: the key `{key}` must be {expected}", shown_path(file))]
    Setting {
        /// The file.
        file: PathBuf,
        /// The top-level key.
        key: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// A [`Run`](super::Run) made by hand is not one that can be drawn.
    #[error("run {name}: {reason}")]
    Run {
        /// The run's name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is nothing to draw.
    #[error("no runs were given; a plot needs at least one")]
    NoRuns,
    /// Runs hold values of different columns, which share no axis.
    #[error("runs of different metrics, `{first}` and `{second}`, cannot share an axis; read all with the same one")]
    Metrics {
        /// The first run's metric.
        first: String,
        /// One that differs.
        second: String,
    },
    /// The runs that would be averaged share no environment step.
    #[error("{label}: the runs have no environment step in common, so they have no mean; plot them one by one")]
    NoOverlap {
        /// The curve's label.
        label: String,
    },
    /// An option is out of its range.
    #[error("option `{name}` is {value}; it must be {expected}")]
    Option {
        /// The option's name.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// The typeface built into this library cannot be used.
    #[error("the built-in typeface cannot be read: the library was built with a damaged assets/Roboto-Regular.ttf")]
    Font,
    /// The chart could not be drawn.
    #[error("the chart could not be drawn: {0}")]
    Draw(String),
    /// The picture could not be turned into PNG.
    #[error("the picture could not be encoded as PNG: {0}")]
    Encode(#[from] png::EncodingError),
    /// The pictures could not be turned into an animation.
    #[error(transparent)]
    Animation(#[from] crate::render::RenderError),
    /// A landscape or a path over it has nothing to draw, or numbers that cannot be.
    #[error("{what} cannot be drawn: {reason}")]
    Landscape {
        /// What it is called.
        what: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Data of a benchmark's picture is missing, or cannot be drawn.
    #[error("{what} cannot be drawn: {reason}")]
    Picture {
        /// What it is called.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A picture has no room for all that it must show.
    #[error(
        "a {side} of {pixels} pixels has no room for all that is drawn; it must be at least {least}, and no side can exceed 10000"
    )]
    Size {
        /// `width` or `height`.
        side: &'static str,
        /// How long it is.
        pixels: u32,
        /// How long it must be.
        least: u32,
    },
    /// The file's name does not say what kind of picture it is, or one that is not made.
    #[error("{}: the name {expected}", shown_path(path))]
    Format {
        /// The path that was asked for.
        path: PathBuf,
        /// Of what it is the name, and what it must end in.
        expected: &'static str,
    },
    /// The picture could not be written.
    #[error("{}: cannot be written ({source}); {}", shown_path(path), remedy(source))]
    Write {
        /// The path that was asked for.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl From<PlotError> for crate::Error {
    fn from(error: PlotError) -> Self {
        Self::part(error)
    }
}
