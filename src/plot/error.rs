//! What can go wrong between run folders and a picture.

use std::{io, path::PathBuf};

use thiserror::Error;

use crate::whole_file::{remedy, shown_path};

/// Why no plot was made. Each message names the place and what would be right there; lines and columns count from 1.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A folder lacks one of the files of a run.
    #[error("{}: there is no {file} here; a run folder holds config.toml and metrics.csv", shown_path(folder))]
    Missing {
        /// The folder that was asked for.
        folder: PathBuf,
        /// The file that it lacks.
        file: &'static str,
    },
    /// What was asked for is a file or a folder of runs, and not the folder of a run, or is not there.
    #[error("{}: {remedy}", shown_path(file))]
    NoFolder {
        /// What was asked for.
        file: PathBuf,
        /// What to ask for, or that it is not there.
        remedy: String,
    },
    /// A file is there but cannot be read.
    #[error("{}: cannot be read: {source}", shown_path(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file does not hold what it should at some place.
    #[error("{}{place}: {reason}", shown_path(file))]
    Malformed {
        /// The file.
        file: PathBuf,
        /// Line, column and name, as far as there are such.
        place: String,
        /// What is there, and what would be right.
        reason: String,
    },
    /// `metrics.csv` is empty, or no row has a value in the column: the run ended before every lane had ended an episode.
    #[error("{}: {reason}", shown_path(file))]
    NoValues {
        /// The file.
        file: PathBuf,
        /// What it lacks.
        reason: String,
    },
    /// What a picture is of is missing, or cannot be drawn.
    #[error("{what} cannot be drawn: {reason}")]
    Picture {
        /// What it is called.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An option is out of its range.
    #[error("option `{name}` is {value}; it must be {expected}")]
    Option {
        /// The option's name.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        expected: String,
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
    /// The picture could not be turned into PNG.
    #[error("the picture could not be encoded as PNG: {0}")]
    Encode(#[from] png::EncodingError),
    /// The pictures could not be turned into an animation.
    #[error(transparent)]
    Animation(#[from] crate::render::RenderError),
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
