//! A task of one's own, and the whole command line of uphill for it.

pub mod environment;

use uphill::Catalogue;

/// Everything that uphill has, and what is of this crate. Models, algorithms, optimizers and sinks of one's own are rows, too.
pub fn catalogue() -> Catalogue {
    Catalogue::default().with(environment::ROW)
}
