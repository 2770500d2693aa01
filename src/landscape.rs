//! Planes through the space of parameters, and how high the return or the loss stands above them.
//!
//! ```math
//!   f(a, b) = F(θ + a·d₁ + b·d₂)
//! ```
//!
//! - Directions: random ones that are [`filter_normalised`], which show what lies around a policy, or the
//!   [`PrincipalDirections`] of the way that training took, which show the way.
//! - [`Plane`]: the two directions at a point, to and fro between `(a, b)` and parameters.
//! - [`Surface`]: what is measured above it, at many points on several threads.
//!
//! Li et al. 2018, *Visualizing the Loss Landscape of Neural Nets*, <https://arxiv.org/abs/1712.09913>.
//!
//! ```
//! use uphill::landscape::{Plane, Surface, filter_normalised};
//! use uphill::{Config, Seed, Threads, Trainer};
//!
//! let config = Config { env: "GridWorld-4x4-v0".into(), hidden: vec![8], ..Config::for_algo("ppo")? };
//! let trainer = Trainer::new(&config)?;
//! let (theta, layout) = (trainer.params().snapshot()?, trainer.params().layout());
//! let mut rng = Seed(1).stream("directions", 0);
//! let directions = [(); 2].map(|()| filter_normalised(&theta, layout, &mut rng));
//! let plane = Plane::new(theta, directions)?;
//!
//! let surface = Surface::exact_return(&config)?;
//! let points = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5)].map(|(a, b)| plane.at(a, b));
//! let returns = surface.heights(&points, &Threads::default(), || {})?;
//! assert!(returns.iter().all(|height| height.is_finite()));
//! # Ok::<(), uphill::Error>(())
//! ```

mod direction;
mod plane;
mod principal;
mod surface;

pub use direction::filter_normalised;
pub use plane::Plane;
pub use principal::PrincipalDirections;
pub use surface::Surface;
