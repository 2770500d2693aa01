//! Arguments that many optimizers have.

use crate::words::{Kind, Param, Range};

impl Param {
    /// Decay of a running mean of gradients.
    pub const BETA1: Self = Self::number("beta1", Range::Decay, "0.9", "decay of the running mean of gradients");
    /// Decay of a running mean of squared gradients.
    pub const BETA2: Self = Self::number("beta2", Range::Decay, "0.999", "decay of the running mean of squares");
    /// What keeps a quotient from exploding.
    pub const EPS: Self = Self::eps("1e-8");
    /// Weight decay, off.
    pub const WEIGHT_DECAY: Self = Self::weight_decay("0");

    /// A learning rate: where a spec does not say it, the setting `lr` does.
    #[must_use]
    pub const fn lr(default: &'static str) -> Self {
        Self::number("lr", Range::NotNegative, default, "learning rate")
    }

    /// A learning rate that should not fall: where a spec does not say it, the setting `lr` does, but not `anneal_lr`.
    #[must_use]
    pub const fn steady_lr(default: &'static str) -> Self {
        Self { kind: Kind::Steady(Range::NotNegative), ..Self::lr(default) }
    }

    /// A small number below a quotient.
    #[must_use]
    pub const fn eps(default: &'static str) -> Self {
        Self::number("eps", Range::NotNegative, default, "keeps the quotient from exploding")
    }

    /// A factor of the parameters that is added to the gradient or the update.
    #[must_use]
    pub const fn weight_decay(default: &'static str) -> Self {
        Self::number("weight_decay", Range::NotNegative, default, "weight decay")
    }

    /// The seed of a link that draws random numbers; in training the run's, unless said. Below 2⁵⁰, so that every digit
    /// counts.
    #[must_use]
    pub const fn seed() -> Self {
        Self::count("seed", (0, (1 << 50) - 1), "0", "seed of the noise; in training the run's, unless said")
    }

    /// The chain that a wrapper wraps.
    #[must_use]
    pub const fn chain(meaning: &'static str) -> Self {
        Self { name: "chain", kind: Kind::Chain, default: "", meaning }
    }
}
