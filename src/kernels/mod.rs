//! Fused CPU kernels behind candle custom operations, and the only `unsafe` of the crate.
//!
//! Each has a twin in plain candle operations, which is its reference in the tests and the path on a GPU.

mod activation;
mod categorical;
mod gemm;
mod mlp;
mod vector;

pub(crate) use categorical::CategoricalRows;
pub(crate) use mlp::{FusedMlp, Layer, Mlp, Workspace, with_slice};
pub(crate) use vector::{add, sum_of_squares, vectorised};
