//! How the likeliest action follows from what a policy puts out: what other programs are told of a distribution.

/// What a distribution makes of the outputs of a network's last layer where its likeliest action is taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Head {
    /// Of each choice among so many, one's logits after the other's, the first of the largest.
    Choices(Vec<usize>),
    /// Of each of so many switches whether its logit is above 0.
    Switches(usize),
    /// The means, brought into a box.
    Normal {
        /// Lower bound of each number, `[K]`.
        low: Vec<f32>,
        /// Upper bound of each number, `[K]`.
        high: Vec<f32>,
        /// Whether a hyperbolic tangent squashes the means into the box, `mid + half·tanh μ`, instead of their being clipped to it.
        is_squashed: bool,
        /// What the deviations are.
        deviation: Deviation,
    },
}

/// What the deviations of normal distributions are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Deviation {
    /// `σ = e^(L + shift)`, `L` the last `K` outputs: parameters of their own, or a network's.
    Logarithm {
        /// What is added to each.
        shift: f32,
    },
    /// `σⱼ² = Σᵢ φᵢ²·e^(2Lᵢⱼ) + least`, `φ` the features, `L`, `[F, K]`, the last outputs.
    Features {
        /// What is added to each square.
        least: f32,
    },
}
