//! What the time of training goes into.

use std::time::Duration;

/// How long a trainer has been at each of its parts since it was made. Clocks decide on no result, and these are in none.
///
/// ```
/// use uphill::{Config, Trainer};
///
/// let config = Config { env: "GridWorld-4x4-v0".into(), steps: 1_000, ..Config::for_algo("ppo")? };
/// let mut trainer = Trainer::new(&config)?;
/// trainer.step()?;
/// let spent = trainer.spent();
/// println!("{:.0} steps/s while collecting", trainer.env_steps() as f64 / spent.collecting.as_secs_f64());
/// # assert!(!spent.collecting.is_zero() && !spent.learning.is_zero() && spent.evaluating.is_zero());
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spent {
    /// Stepping environments and acting in them.
    pub collecting: Duration,
    /// Learning from what was collected.
    pub learning: Duration,
    /// Judging the policy.
    pub evaluating: Duration,
}
