//! The inertia of two joints.

/// The symmetric mass matrix of two coordinates: its diagonal, `first` and `second`, and what couples them, `both`.
pub(super) struct Mass {
    pub(super) first: f64,
    pub(super) both: f64,
    pub(super) second: f64,
}

impl Mass {
    const fn determinant(&self) -> f64 {
        self.first * self.second - self.both * self.both
    }

    /// The accelerations under a generalised force on each coordinate.
    pub(super) fn accelerations(&self, [first, second]: [f64; 2]) -> [f64; 2] {
        let determinant = self.determinant();
        [
            (self.second * first - self.both * second) / determinant,
            (self.first * second - self.both * first) / determinant,
        ]
    }

    /// By how much a force of 1 on the first coordinate accelerates it.
    pub(super) const fn mobility(&self) -> f64 {
        self.second / self.determinant()
    }
}
