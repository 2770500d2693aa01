//! The directions in which training moved most.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::error::check_len;
use crate::{Error, Result};

/// The first two principal components of some points of a way through the parameters.
///
/// ```math
///   M = [θ₁ − θ; …; θ_K − θ],    Mᶜ = M less its column means,    Mᶜ = U S Vᵀ
///   directions: the first two columns of V        shares: s₁² / Σ s², s₂² / Σ s²
/// ```
///
/// `θ` is where the way ended. It only moves the points and changes no component: a [`Plane`](super::Plane) goes through
/// it. Found by way of `Mᶜ Mᶜᵀ`, `[K, K]`, for `K` is far below `P`. A direction has length 1, and the sign that makes its
/// largest number positive.
///
/// Li et al. 2018, section 7, <https://arxiv.org/abs/1712.09913>: beware that even a random walk in many dimensions has
/// nearly all of its variance in a few components (Antognini and Sohl-Dickstein 2018, <https://arxiv.org/abs/1806.08805>).
#[derive(Debug, Clone, PartialEq)]
pub struct PrincipalDirections {
    /// The two directions, each `[P]`; at a right angle to each other.
    pub directions: [Vec<f32>; 2],
    /// Which share of the points' variance lies along each, 0 to 1, the larger first.
    pub shares: [f64; 2],
}

impl PrincipalDirections {
    /// The principal directions of points `[K, P]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for points of different lengths, [`Error::NotFinite`] for a point that is not finite,
    /// [`Error::Config`] if the points do not span a plane: fewer than three, or all on a line.
    pub fn of(points: &[Vec<f32>]) -> Result<PrincipalDirections> {
        let flat =
            || Error::Config("the points lie on a line or are one: they have no two principal directions".into());
        let first = points.first().ok_or_else(flat)?;
        for (i, point) in points.iter().enumerate() {
            check_len(&format!("point {i}"), first.len(), point.len())?;
            if point.iter().any(|x| !x.is_finite()) {
                return Err(Error::NotFinite { what: format!("point {i}") });
            }
        }
        let (parameters, count) = (first.len(), points.len());
        let mut columns = DMatrix::from_iterator(parameters, count, points.iter().flatten().map(|&x| f64::from(x)));
        let mean = columns.column_mean();
        columns.column_iter_mut().for_each(|mut column| column -= &mean);
        let products = columns.transpose() * &columns;
        let eigen = SymmetricEigen::new(products);
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
        let total: f64 = eigen.eigenvalues.iter().map(|value| value.max(0.0)).sum();
        let &[one, two, ..] = &order[..] else { return Err(flat()) };
        // Rounding leaves a line some width; relative to its length that is about the precision of f64.
        if eigen.eigenvalues[two] <= 1e-12 * total {
            return Err(flat());
        }
        let direction = |i: usize| {
            let long = &columns * eigen.eigenvectors.column(i);
            let unit = long.normalize();
            let largest = unit.iter().copied().fold(0.0, |most: f64, x| if x.abs() > most.abs() { x } else { most });
            unit.iter().map(|x| (x * largest.signum()) as f32).collect()
        };
        let share = |i: usize| eigen.eigenvalues[i] / total;
        Ok(PrincipalDirections { directions: [direction(one), direction(two)], shares: [share(one), share(two)] })
    }
}
