//! Linear systems whose matrix is known by its products alone.

use crate::{Error, Result};

/// Solves `(F + λ·I)·x = g` for a symmetric `F` without negative eigenvalues, in room that is kept. Vectors and sums are in f64,
/// in an order that depends on nothing but their length; products of `F` are in f32.
///
/// Hestenes and Stiefel 1952, section 3, <https://doi.org/10.6028/jres.049.044>.
#[derive(Debug, Default)]
pub(super) struct ConjugateGradients {
    x: Vec<f64>,
    residual: Vec<f64>,
    direction: Vec<f64>,
    damped: Vec<f64>,
    /// What `F` is multiplied with, and what comes of it.
    vector: Vec<f32>,
    product: Vec<f32>,
}

/// How well a system was solved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Solved {
    /// `xᵀ·(F + λ·I)·x`.
    pub(super) curvature: f64,
    /// `|g − (F + λ·I)·x| / |g|`; 0 for a `g` of zeros.
    pub(super) residual: f64,
}

/// The square of a residual, in parts of that of `g`, below which products in f32 bring no better.
const ENOUGH: f64 = 1e-10;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `x ← x + factor·y`.
fn add_scaled(x: &mut [f64], factor: f64, y: &[f64]) {
    x.iter_mut().zip(y).for_each(|(x, y)| *x += factor * y);
}

impl ConjugateGradients {
    /// Takes so many iterations at most, from zero. `times` replaces its second argument by `F` times its first.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a product that is not, and what `times` fails with.
    pub(super) fn solve(
        &mut self,
        g: &[f32],
        (damping, iterations): (f64, usize),
        mut times: impl FnMut(&[f32], &mut Vec<f32>) -> Result<()>,
    ) -> Result<Solved> {
        let Self { x, residual, direction, damped, vector, product } = self;
        let mut multiply = |by: &[f64], damped: &mut Vec<f64>| -> Result<f64> {
            vector.clear();
            vector.extend(by.iter().map(|&x| x as f32));
            times(vector, product)?;
            damped.clear();
            damped.extend(product.iter().zip(by).map(|(&p, x)| f64::from(p) + damping * x));
            let curvature = dot(by, damped);
            match curvature.is_finite() {
                true => Ok(curvature),
                false => Err(Error::NotFinite { what: "a product with the Fisher information".into() }),
            }
        };
        x.clear();
        x.resize(g.len(), 0.0);
        residual.clear();
        residual.extend(g.iter().map(|&g| f64::from(g)));
        direction.clone_from(residual);
        let all = dot(residual, residual);
        let mut left = all;
        for _ in 0..iterations {
            if left <= ENOUGH * all {
                break;
            }
            let curvature = multiply(direction, damped)?;
            if curvature <= 0.0 {
                break;
            }
            let step = left / curvature;
            add_scaled(x, step, direction);
            add_scaled(residual, -step, damped);
            let now = dot(residual, residual);
            direction.iter_mut().zip(&*residual).for_each(|(d, r)| *d = r + now / left * *d);
            left = now;
        }
        // As it is, and not as the recursion says.
        let curvature = multiply(x, damped)?;
        let off = damped.iter().zip(g).map(|(p, &g)| (f64::from(g) - p).powi(2)).sum::<f64>();
        Ok(Solved { curvature, residual: if all > 0.0 { (off / all).sqrt() } else { 0.0 } })
    }

    /// What the last system's `x` is.
    pub(super) fn x(&self) -> &[f64] {
        &self.x
    }
}

#[cfg(test)]
mod tests;
