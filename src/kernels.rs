//! Fused CPU kernels behind candle custom operations, and the only `unsafe` of the crate.
//!
//! Each has a twin in plain candle operations, which is its reference in the tests and the path on a GPU.
//! `scripts/valgrind.sh` runs their tests under memcheck.

mod activation;
mod cnn;
mod conv;
mod crew;
mod elementary;
mod fused_mlp;
mod gru;
mod layer;
mod layer_norm;
mod matmul;
mod mlp;
mod places;
mod product;
mod scalar_products;
mod transpose;
mod vector;
mod windows;

pub use activation::Activation;
pub(crate) use activation::LEAK;
pub(crate) use cnn::{Cnn, CnnPasses, Stage, TurnedCnn};
pub(crate) use conv::Conv;
pub(crate) use crew::Crew;
pub(crate) use elementary::{exp_in_place, log1p_in_place, sigmoid_in_place, tanh_in_place};
pub(crate) use fused_mlp::FusedMlp;
pub(crate) use gru::{Gru, GruPasses};
pub(crate) use layer::Layer;
pub(crate) use layer_norm::EPS;

pub(crate) use mlp::{Mlp, Passes, Transposed};
pub(crate) use vector::{add, all_finite, sum_of_squares, vectorised};
pub(crate) use windows::Windows;
