//! Algorithms: the contract, and recipes over one loop, which estimates advantages and descends an objective.

mod a2c;
mod adaptive_rate;
mod conjugate_gradients;
mod dpo_drift;
mod judgement;
mod learner;
mod loss_gradient;
mod loss_scale;
mod natural;
mod npg;
mod on_policy;
mod overshooting;
mod params;
mod ppo;
mod ppo_kl;
mod reinforce;
mod rloo;
mod stream_ac;
mod trpo;
mod v_trace;

pub use adaptive_rate::AdaptiveRate;
pub use learner::Learner;
pub use loss_scale::LossScale;
pub(crate) use natural::CRITIC;
pub use natural::{LineSearch, Natural, TrustRegion};
pub use on_policy::OnPolicy;

use std::fmt;

use crate::arrays::Arrays;
use crate::host_only::HostOnly;
use crate::metrics::UpdateReport;
use crate::models::Model;
use crate::optim::{Begun, Pattern, Slot, When, restore_slot, save_slot};
use crate::rollout::{Horizon, Rollout};
use crate::stop::Stop;
use crate::words::Args;
use crate::{Layout, Result};

/// What turns rollouts into better parameters.
pub trait Algorithm: fmt::Debug + Send {
    /// How much one rollout holds.
    fn horizon(&self) -> Horizon;

    /// How many rollouts, each learnt from as it comes, make an update, which is a row of the metrics. 1, the default, in all that do not
    /// learn many times a moment.
    fn rollouts(&self) -> u64 {
        1
    }

    /// Whether it reads values, so that the critic has to be asked for them.
    fn needs_values(&self) -> bool;

    /// The most steps of the optimizer that it takes by one rollout.
    fn most_steps(&self) -> u64;

    /// How often it goes over a rollout: how long learning from it takes is reckoned by that.
    fn passes(&self) -> u64 {
        1
    }

    /// How many copies of the parameters, 4 bytes a number, it keeps besides those of a gradient and an optimizer: a run's memory is
    /// reckoned by it. 0, the default, are none.
    fn copies(&self) -> usize {
        0
    }

    /// The blocks that the optimizer moves, where it moves others by itself: to the optimizer it is as if there were none but
    /// these. `None`, the default, are all.
    fn optimized(&self) -> Option<Pattern> {
        None
    }

    /// Whether it learns in the type that [`Learner::in_precision`] says, and skips the steps that its loss scale does. False, the
    /// default: it then learns in f32 alone.
    fn takes_precision(&self) -> bool {
        false
    }

    /// Refuses a network, its parameters laid out so, that it cannot train in so many lanes. The default refuses none.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) with what would be right.
    fn check_network(&self, _network: &dyn Model, _layout: &Layout, _lanes: usize) -> Result<()> {
        Ok(())
    }

    /// All that keeps it from learning from [`Learner::on_device`], rollouts that are made on the learning device. The default learns
    /// from those of the host alone.
    fn host_only(&self) -> Vec<HostOnly> {
        vec![HostOnly::new("the algorithm learns from rollouts that are made on the host", "take ppo")]
    }

    /// Learns from one rollout.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite) for a NaN or infinite loss or gradient, before it reaches the parameters;
    /// [`Error::Interrupted`](crate::Error::Interrupted) where [`Now::stop`] says so.
    fn update(&mut self, learner: &mut Learner, rollout: &Rollout, now: Now<'_>) -> Result<UpdateReport>;

    /// Hears that the lanes stand elsewhere than its last rollout left them, in other episodes or further on in the same: what it
    /// [remembers](Algorithm::state) of where they were is to be forgotten. The default remembers nothing of them.
    fn lanes_moved(&mut self) {}

    /// The same as the loop over one objective that it is; `None`, the default, if it is none.
    fn into_on_policy(self: Box<Self>) -> Option<OnPolicy> {
        None
    }

    /// A loop whose loss is what an update brings down, of which pictures are made: by default the [same](Algorithm::into_on_policy).
    /// An algorithm that is no such loop may have one all the same, such as minus a surrogate that its steps raise.
    fn into_loss(self: Box<Self>) -> Option<OnPolicy> {
        self.into_on_policy()
    }

    /// Shows each piece of what it remembers from update to update, by names of its own in an order that does not change.
    /// Writing to the slots restores it.
    fn state<'a>(&'a mut self, _visit: &mut dyn FnMut(&str, Slot<'a>)) {}
}

/// When an update takes place, and whether it is to be broken off.
#[derive(Debug, Clone, Copy, Default)]
pub struct Now<'a> {
    /// How far training is.
    pub when: When,
    /// Asked between two steps of the optimizer, and within those that take long.
    pub stop: Stop<'a>,
}

impl From<When> for Now<'_> {
    fn from(when: When) -> Self {
        Self { when, stop: Stop::default() }
    }
}

/// The fewest steps that an update takes in so many environments; an episode has one at least.
pub(crate) fn least_env_steps(algo: &dyn Algorithm, envs: usize) -> u64 {
    let (Horizon::Steps(count) | Horizon::Episodes(count)) = algo.horizon();
    algo.rollouts().saturating_mul(count as u64).saturating_mul(envs as u64).max(1)
}

/// A named algorithm.
pub type Row = crate::words::Row<Make>;

/// How a row makes an algorithm.
#[derive(Debug, Clone, Copy)]
pub struct Make {
    /// Settings of a run whose defaults are others with it: their names, and values as the command line has them.
    pub settings: &'static [(&'static str, &'static str)],
    /// Makes it, for so many environments side by side.
    pub build: fn(&Args, usize) -> Result<Box<dyn Algorithm>>,
}

/// Every algorithm of this crate.
pub const ROWS: &[Row] = &[
    reinforce::ROW,
    rloo::ROW,
    a2c::ROW,
    ppo::ROW,
    ppo_kl::ROW,
    dpo_drift::ROW,
    v_trace::ROW,
    npg::ROW,
    trpo::ROW,
    stream_ac::ROW,
];

/// Adds what an algorithm remembers to `arrays`, the names after `prefix`.
pub(crate) fn save(algo: &mut dyn Algorithm, prefix: &str, arrays: &mut Arrays) {
    algo.state(&mut |name, slot| save_slot(format!("{prefix}.{name}"), slot, arrays));
}

/// Takes it from there.
pub(crate) fn restore(algo: &mut dyn Algorithm, prefix: &str, arrays: &Arrays) -> Result<()> {
    let mut outcome = Ok(());
    algo.state(&mut |name, slot| {
        if outcome.is_ok() {
            outcome = restore_slot(&format!("{prefix}.{name}"), slot, arrays, &mut Begun::default());
        }
    });
    outcome
}
