//! The type of the numbers that learning's forward and backward passes are in.

use std::fmt;

use candle_core::DType;
use serde::{Deserialize, Serialize};

/// What a network's forward and backward passes are in while it learns; all else stays f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits: 24 of precision, numbers to 3·10³⁸.
    #[default]
    F32,
    /// 16 bits: 8 of precision, numbers to 3·10³⁸.
    Bf16,
    /// 16 bits: 11 of precision, numbers to 65,504; the loss is scaled, so that small derivatives do not vanish.
    F16,
}

impl Precision {
    /// As candle names it.
    #[must_use]
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
            Self::F16 => DType::F16,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.dtype().as_str())
    }
}
