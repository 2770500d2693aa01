//! How good a sampled gradient is: its bias, its variance, and how large a batch should be.
//!
//! An estimator gives one gradient `g ∈ ℝᴾ` a batch. What it is worth is seen only over independent batches, so all that
//! is here takes the gradients of some of them, `[B, P]`, from wherever they come:
//!
//! ```math
//!   |E g|²                 the signal
//!   tr Cov g               the noise of one batch
//!   snr    = |E g|² / tr Cov g
//!   cosine = E cos(g, g')                  two independent batches
//!   noise_scale = n · tr Cov g / |E g|²    n the size of a batch: where batches stop to pay
//!   bias   = E g − ∇J                      where the exact gradient is known
//! ```
//!
//! Each is estimated as a mean over pairs of different batches, so none is shifted by the noise that it is about: the
//! squared length of a mean of noisy gradients, which would be the plain estimate of the signal, is not zero where there
//! is no signal at all.
//!
//! ```
//! use uphill::advantage::{Estimator, Gae, MonteCarlo};
//! use uphill::gradient::{GradientQuality, GradientSampler};
//! use uphill::stats::Bootstrap;
//! use uphill::{Config, Seed, Threads, Trainer};
//!
//! let config = Config { env: "GridWorld-4x4-v0".into(), hidden: vec![8], ..Config::for_algo("ppo")? };
//! let trainer = Trainer::new(&config)?;
//! let (theta, buffers) = (trainer.params().snapshot()?, trainer.params().buffers());
//! let (seed, threads) = (Seed(1), Threads::default());
//! let sampler = GradientSampler { config: &config, envs: None, theta: &theta, buffers, episodes: 4, seed, threads };
//! let estimators: [Box<dyn Estimator + Sync>; 2] =
//!     [Box::new(MonteCarlo { baseline: false }), Box::new(Gae { gae_lambda: 0.95 })];
//! let sampled = sampler.sample(&estimators, 12, || {})?;
//! let bootstrap = Bootstrap { reps: 200, ..Bootstrap::default() };
//! for (estimator, gradients) in estimators.iter().zip(&sampled.gradients) {
//!     let quality = GradientQuality::of(gradients, sampled.mean_steps(), None, &bootstrap)?;
//!     println!("{estimator:?}: signal-to-noise {:.3}", quality.snr.point);
//! }
//! # Ok::<(), uphill::Error>(())
//! ```

mod bias;
mod noise_scale;
mod pairs;
mod quality;
mod sampler;

pub use crate::models::{BlockSlope, GradientCheck, GradientError, check_gradient as check};
pub use bias::Bias;
pub use noise_scale::{NoiseScale, noise_scale};
pub use quality::GradientQuality;
pub use sampler::{GradientBatches, GradientSampler};
