//! What the names on a command line stand for.

use crate::algo::{ALGOS, Recipe};
use crate::envs;
use crate::optim::{Make, Registry, Row};

/// The environments, the algorithms and the words of optimizers that a program knows.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) registry: Registry,
}

impl Known {
    pub(super) fn envs(&self) -> impl Iterator<Item = &'static str> {
        envs::ids()
    }

    pub(super) fn algos(&self) -> &'static [Recipe] {
        ALGOS
    }

    /// Whole optimizers.
    pub(super) fn optimizers(&self) -> impl Iterator<Item = &Row> {
        self.registry.rows().iter().filter(|row| row.is_recipe())
    }

    /// Parts of optimizers.
    pub(super) fn links(&self) -> impl Iterator<Item = &Row> {
        self.registry.rows().iter().filter(|row| matches!(row.make, Make::Clip(_) | Make::Link(..)))
    }

    /// Numbers that change over training.
    pub(super) fn schedules(&self) -> impl Iterator<Item = &Row> {
        self.registry.rows().iter().filter(|row| matches!(row.make, Make::Schedule(_)))
    }
}
