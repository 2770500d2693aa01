//! What stands between layers.

use serde::{Deserialize, Serialize};

/// The non-linearity between layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `tanh x`.
    #[default]
    Tanh,
    /// `max(x, 0)`.
    Relu,
    /// `x / (1 + e⁻ˣ)`.
    Silu,
    /// `x·Φ(x)`, `Φ` the distribution function of the standard normal distribution. Hendrycks and Gimpel 2016,
    /// <https://arxiv.org/abs/1606.08415>.
    Gelu,
    /// `x` above 0, `0.01·x` below.
    LeakyRelu,
    /// `x`.
    Identity,
}

/// The slope of [`Activation::LeakyRelu`] below 0.
pub(crate) const LEAK: f32 = 0.01;
