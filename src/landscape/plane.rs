//! A plane through the space of parameters.

use crate::error::check_len;
use crate::{Error, Result};

/// Two directions at a point: `θ(a, b) = θ + a·d₁ + b·d₂`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    origin: Vec<f32>,
    directions: [Vec<f32>; 2],
    /// `d₁·d₁`, `d₁·d₂`, `d₂·d₂`.
    gram: [f64; 3],
}

impl Plane {
    /// The plane through `origin`, `[P]`, along two directions, each `[P]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for different lengths, [`Error::Config`] if the directions are on a line.
    pub fn new(origin: Vec<f32>, directions: [Vec<f32>; 2]) -> Result<Plane> {
        for direction in &directions {
            check_len("a direction", origin.len(), direction.len())?;
        }
        let [one, two] = &directions;
        let gram = [dot(one, one), dot(one, two), dot(two, two)];
        // Written so that NaN fails.
        let wide = gram[0] * gram[2] - gram[1] * gram[1] > 1e-12 * gram[0] * gram[2];
        if !wide {
            return Err(Error::Config("the two directions are on a line: they span no plane".into()));
        }
        Ok(Plane { origin, directions, gram })
    }

    /// The parameters at `(a, b)`, `[P]`.
    #[must_use]
    pub fn at(&self, a: f64, b: f64) -> Vec<f32> {
        let [one, two] = &self.directions;
        let moved = |((o, one), two): ((&f32, &f32), &f32)| f64::from(*o) + a * f64::from(*one) + b * f64::from(*two);
        self.origin.iter().zip(one).zip(two).map(|point| moved(point) as f32).collect()
    }

    /// Where the point of the plane lies that is nearest to `theta`, `[P]`, and which share of its squared distance from
    /// the plane's origin that leaves out: 0 in the plane, 1 straight above the origin.
    ///
    /// # Errors
    /// [`Error::Shape`] for another length.
    pub fn project(&self, theta: &[f32]) -> Result<((f64, f64), f64)> {
        check_len("the parameter vector", self.origin.len(), theta.len())?;
        let away: Vec<f32> = theta.iter().zip(&self.origin).map(|(t, o)| t - o).collect();
        let [one, two] = self.directions.each_ref().map(|direction| dot(&away, direction));
        let [g11, g12, g22] = self.gram;
        let determinant = g11 * g22 - g12 * g12;
        let (a, b) = ((g22 * one - g12 * two) / determinant, (g11 * two - g12 * one) / determinant);
        let (within, all) = (a * one + b * two, dot(&away, &away));
        let outside = if all > 0.0 { (1.0 - within / all).clamp(0.0, 1.0) } else { 0.0 };
        Ok(((a, b), outside))
    }
}

fn dot(x: &[f32], y: &[f32]) -> f64 {
    x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
}
