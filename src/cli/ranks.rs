//! Several ranks of one program: the first one reads the command line, keeps the run's folder and speaks, the others learn with
//! it, or do runs of its comparison. Without the feature `mpi` there is one.

#[cfg(not(feature = "mpi"))]
mod alone;
#[cfg(feature = "mpi")]
mod several;

#[cfg(not(feature = "mpi"))]
pub(super) use alone::{are_done, compare, dismiss, refuse, start, together, world, world_of};
#[cfg(feature = "mpi")]
pub(super) use several::{are_done, compare, dismiss, refuse, start, together, world, world_of};
