//! Fused CPU kernels behind candle custom operations, and the only `unsafe` of the crate.
//!
//! Each has a twin in plain candle operations, which is its reference in the tests and the path on a GPU.

mod activation;
mod gemm;
mod mlp;
mod vector;

pub(crate) use mlp::{FusedMlp, Layer, Mlp, Workspace, with_slice};
pub(crate) use vector::{sum_of_squares, vectorised};
