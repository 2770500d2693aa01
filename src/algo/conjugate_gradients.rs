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
mod tests {
    use super::ConjugateGradients;

    /// Symmetric, `[4, 4]`, of rank 2: this block and zeros.
    fn of(block: [[f32; 2]; 2]) -> impl Fn(&[f32], &mut Vec<f32>) -> crate::Result<()> {
        move |vector, product| {
            product.clear();
            product.extend(block.map(|[a, b]| a * vector[0] + b * vector[1]));
            product.resize(4, 0.0);
            Ok(())
        }
    }

    #[test]
    fn as_many_iterations_as_there_are_eigenvalues_solve_a_system() {
        let mut room = ConjugateGradients::default();
        // Of [[2, 1], [1, 2]]·x = (2, 0), with eigenvalues 1 and 3: every direction on the way is exact in f32.
        room.solve(&[2.0, 0.0, 0.0, 0.0], (0.5, 2), of([[1.5, 1.0], [1.0, 1.5]])).expect("a solution");
        for (x, exact) in room.x().iter().zip([4.0 / 3.0, -2.0 / 3.0, 0.0, 0.0]) {
            assert!((x - exact).abs() < 1e-12, "{:?}", room.x());
        }
        // Of [[2.5, 1], [1, 3.5]]·x = (1, −2), and 0.5·x = 0.5: products take what they multiply in f32.
        let (g, times) = ([1.0, -2.0, 0.5, 0.0], of([[2.0, 1.0], [1.0, 3.0]]));
        let solved = room.solve(&g, (0.5, 3), &times).expect("a solution");
        let exact = [5.5 / 7.75, -6.0 / 7.75, 1.0, 0.0];
        for (x, exact) in room.x().iter().zip(exact) {
            assert!((x - exact).abs() <= f64::from(f32::EPSILON), "{:?}", room.x());
        }
        assert!(solved.residual < 1e-6, "{solved:?}");
        let curvature: f64 = exact.iter().zip(g).map(|(x, g)| x * f64::from(g)).sum();
        assert!((solved.curvature - curvature).abs() < 1e-6, "{solved:?}");
        // One is along g, and leaves some.
        let rough = room.solve(&g, (0.5, 1), &times).expect("a solution");
        let along = room.x()[0];
        assert!(room.x().iter().zip(g).all(|(x, g)| (x - along * f64::from(g)).abs() < 1e-12));
        assert!(rough.residual > 0.01, "{rough:?}");
    }

    #[test]
    fn what_is_nothing_or_not_finite_is_told() {
        let mut room = ConjugateGradients::default();
        let nothing = room.solve(&[0.0; 4], (0.1, 10), of([[2.0, 1.0], [1.0, 3.0]])).expect("zeros");
        assert_eq!((nothing.curvature, nothing.residual), (0.0, 0.0));
        let nan = |_: &[f32], product: &mut Vec<f32>| -> crate::Result<()> {
            product.clear();
            product.resize(4, f32::NAN);
            Ok(())
        };
        let error = room.solve(&[1.0; 4], (0.1, 10), nan).expect_err("NaN").to_string();
        assert!(error.contains("Fisher"), "{error}");
    }
}
