//! A comparison over the ranks of an MPI: the first one reads and writes its folder, hands out runs, one to each thread that has
//! none, and does its share of them; the others know nothing but the settings of the runs that they are given.
//!
//! The others speak, the first one answers: what they have done, and how many threads have nothing to do, is a [`Report`], which is
//! made each second, too, as that says that the rank is there. So neither ever sends while the other does.
//!
//! A rank that is silent for longer than the patience is lost: its runs are given to others. It may come back, and what it brings
//! then is as good as theirs: a run is the same bits wherever it is done, and the first that comes counts.

mod hands;
mod manager;
mod worker;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::outcome::Measure;
use super::store::Finished;
use crate::{Error, Result};

pub(crate) use manager::Manager;
pub(crate) use worker::work;

/// What a rank is told before all else.
#[derive(Serialize, Deserialize)]
struct Terms {
    /// Of the program.
    version: String,
    /// Runs side by side, 0 for one a core.
    threads: usize,
    measure: Measure,
}

/// What a rank says.
#[derive(Serialize, Deserialize)]
struct Report {
    /// Threads that have nothing to do.
    idle: usize,
    /// Runs done since the last one.
    done: Vec<Done>,
}

/// What it is answered.
#[derive(Default, Serialize, Deserialize)]
struct Answer {
    /// There will be no more.
    ends: bool,
    /// Runs to do, no more than threads were idle; where there are none, the rank asks again.
    runs: Vec<Given>,
}

/// A run to do.
#[derive(Serialize, Deserialize)]
struct Given {
    /// Of the comparison, in the order in which runs come to be done.
    number: usize,
    /// As TOML.
    settings: String,
}

/// What came of a run.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Done {
    number: usize,
    /// The outcome, or what went wrong in the words of the error.
    finished: Result<Finished, String>,
}

fn written(message: &impl Serialize) -> Result<Vec<u8>> {
    toml::to_string(message).map(String::into_bytes).map_err(|e| Error::Config(e.to_string()))
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let told =
        |e| Error::Config(format!("what a rank was told cannot be read: do all ranks run the same program? {e}"));
    toml::from_str(&String::from_utf8_lossy(bytes)).map_err(told)
}

#[cfg(test)]
mod tests;
