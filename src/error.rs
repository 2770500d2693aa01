//! What can go wrong, each with what was wrong, where, and what would be right.

use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;
use uphill_envs::{counted, quoted};

use crate::names;
use crate::whole_file::shown_path;

/// Everything that a call into this crate can fail with.
#[derive(Error)]
#[non_exhaustive]
pub enum Error {
    /// A tensor operation failed.
    #[error("tensor operation: {0}")]
    Tensor(#[from] candle_core::Error),
    /// An environment refused what it was given, or returned what it must not.
    #[error(transparent)]
    Env(#[from] uphill_envs::EnvError),
    /// A finite MDP has no such value, or was given what is no policy of its.
    #[error(transparent)]
    Mdp(#[from] uphill_envs::MdpError),
    /// What a part above this one says: a picture, a statistic, a check, or a part of one's own. [`Error::cause`] has it by its
    /// type.
    #[error(transparent)]
    Part(Box<dyn std::error::Error + Send + Sync>),
    /// The device asked for cannot be had.
    #[error(transparent)]
    Device(#[from] crate::device::DeviceError),
    /// A setting is unknown, of the wrong type or impossible.
    #[error("{0}")]
    Config(String),
    /// A tensor, slice or file has another shape than was expected.
    #[error("{what} has shape {got:?}, expected {expected:?}")]
    Shape {
        /// Of what.
        what: String,
        /// The shape it should have.
        expected: Vec<usize>,
        /// The shape it has.
        got: Vec<usize>,
    },
    /// Episodes of a rollout of whole ones that do not end.
    #[error(
        "{id}: a rollout of whole episodes came to {}, the most that it may have, before all of them had ended; {remedy}",
        counted(steps, "step")
    )]
    Endless {
        /// The environment's name.
        id: String,
        /// Steps of the rollout, all lanes together.
        steps: u64,
        /// The limit that is missing, or what else would be right.
        remedy: String,
    },
    /// A [`Stop`](crate::Stop) broke off what was going on: an update by [`Trainer::stop_when`](crate::Trainer::stop_when),
    /// episodes by [`Policy::stop_when`](crate::Policy::stop_when). The trainer, or the policy, is as it was before.
    #[error("interrupted: what was going on was broken off, and all is as it was before")]
    Interrupted,
    /// A NaN or an infinity where none may be.
    #[error("{what} is not finite")]
    NotFinite {
        /// `the loss`, `the logits [...]`, or the first block of parameters whose gradient is not finite.
        what: String,
    },
    /// Training left the real numbers. The parameters are those of the last finite step.
    #[error("update {update}: {what} is not finite; {remedy}")]
    Diverged {
        /// The update in which it happened, counted from 1.
        update: u64,
        /// As in [`Error::NotFinite`].
        what: String,
        /// What usually helps in such a run.
        remedy: String,
    },
    /// A part of the run failed or panicked in an update: the algorithm, the network or the optimizer.
    #[error("update {update}: {source}")]
    Update {
        /// The update in which it happened, counted from 1.
        update: u64,
        /// Why.
        source: Box<Error>,
    },
    /// A file or folder could not be read or written.
    #[error("{}: {source}", shown_path(path))]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A result could not be written to standard output.
    #[error("the results cannot be printed: standard output: {0}")]
    Output(std::io::Error),
    /// A file was read but does not hold what it should.
    #[error("{}: {problem}", shown_path(path))]
    File {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// What was given as a checkpoint is none, is damaged, or does not fit.
    #[error("{0}")]
    Checkpoint(String),
    /// A rank is not where the others are: ranks run the same program with the same settings on the same kind of processor.
    #[error("rank {rank} has come apart from the others: {problem}")]
    Apart {
        /// Which one.
        rank: usize,
        /// How that shows.
        problem: String,
    },
    /// A sink of a run failed.
    #[error("the sink `{}`: {source}", quoted(name))]
    Sink {
        /// Which one.
        name: String,
        /// Why.
        source: Box<Error>,
    },
    /// A run of a comparison failed, and not because it diverged.
    #[error("{run}: {source}")]
    Run {
        /// Which one.
        run: String,
        /// Why.
        source: Box<Error>,
    },
}

/// The message itself, so that a program whose `main` returns a [`Result`] tells its user what the error says.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A result with this crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Panics, where the caller stands, unless `got` is `expected`: for functions whose slices belong together.
#[track_caller]
pub(crate) fn same_len(what: &str, expected: usize, got: usize) {
    assert!(got == expected, "{what} has length {got}, expected {expected}");
}

/// What a panic said, where it said anything.
pub(crate) fn said_in_panic(panic: &(dyn Any + Send)) -> Option<&str> {
    panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str))
}

/// Fails with [`Error::Shape`] unless `got` is `expected`.
pub(crate) fn check_len(what: &str, expected: usize, got: usize) -> Result<()> {
    if expected == got {
        return Ok(());
    }
    Err(Error::Shape { what: what.into(), expected: vec![expected], got: vec![got] })
}

impl Error {
    /// An error of a part of one's own.
    pub fn part(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Part(Box::new(error))
    }

    /// What a part said, by its type: `error.cause::<PlotError>()`.
    #[must_use]
    pub fn cause<T: std::error::Error + 'static>(&self) -> Option<&T> {
        match self {
            Self::Part(error) => error.downcast_ref(),
            Self::Sink { source, .. } | Self::Run { source, .. } | Self::Update { source, .. } => source.cause(),
            _ => None,
        }
    }

    /// Whether a file could not be read or written, by a sink or by whatever else: it may be, later.
    #[must_use]
    pub fn is_io(&self) -> bool {
        match self {
            Self::Io { .. } => true,
            Self::Sink { source, .. } | Self::Update { source, .. } => source.is_io(),
            _ => false,
        }
    }

    /// A name that is not among the known ones, with the one that was meant.
    pub(crate) fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Error {
        // A likeness takes time in proportion to both lengths.
        let name = &quoted(name);
        let known: Vec<&str> = known.collect();
        let all = known.join(", ");
        Error::Config(match names::meant(name, &known) {
            Some(meant) => format!("there is no {what} `{name}`; {} ({all})", meant.question(names::in_code)),
            None => format!("there is no {what} `{name}`; there are {all}"),
        })
    }

    /// The same with the file that it came from, where it is of settings or of an environment that they ask for.
    pub(crate) fn in_file(self, path: &Path) -> Error {
        match self {
            e @ (Error::Config(_) | Error::Env(_)) => Error::File { path: path.into(), problem: e.to_string() },
            e => e,
        }
    }

    /// Wraps an I/O error with the path it happened on: `.map_err(Error::io(path))`.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }
}
