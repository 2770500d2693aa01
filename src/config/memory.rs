//! What a run needs, reckoned from its shapes before it starts.

mod on_device;

use uphill_envs::{Spec, counted};

use on_device::OfDevice;

use super::resolve::groups;
use crate::algo::Algorithm;
use crate::names::in_code;
use crate::optim::Optimizer;
use crate::rollout::ObservationKind;
use crate::{Config, Error, Horizon, Layout, Result};

/// Copies of the parameters, 4 bytes a number, that an update and a checkpoint make: the parameters, their gradient and the
/// sums of the threads' shares, weights transposed for acting, and the parameters three times while they become a file.
const COPIES: f64 = 12.0;
/// Bytes of the further shares of a large minibatch, and steps from which on there are some.
const SHARES: f64 = 4.0 * (1 << 22) as f64;
const LARGE: f64 = 18_432.0;
/// Further copies where there are evaluations: an average that is evaluated, the best so far, and that three times while it
/// becomes a file.
const EVALUATED_COPIES: f64 = 5.0;
/// Copies of the optimizer's state: itself, and three times while it becomes a file.
const STATE_COPIES: f64 = 4.0;
/// Bytes of a rollout's step besides its observation, with those of its advantage, target and place.
const STEP: f64 = KEPT_OF_STEP + 20.0;
const KEPT_OF_STEP: f64 = 22.0;
/// Copies of a rollout that one of several ranks makes: its part, what came of all ranks as bytes and as rollouts, and those side by side.
const COPIES_OF_RANKS: f64 = 4.0;
/// Further copies of the parameters there: the shares of a gradient as bytes.
const SHARES_OF_RANKS: f64 = 8.0;
/// Bytes of a lane besides its observations: generators, episode, what the vector notes.
const LANE: f64 = 1024.0;
/// Observations of a lane that are kept: two of its own, one for going back, and its spaces' bounds.
const LANE_OBSERVATIONS: f64 = 8.0;
/// Episodes that a finished policy is judged by.
const EVALUATION: f64 = 100.0;
/// Bytes of a GiB.
const GIB: f64 = (1u64 << 30) as f64;
/// Multiplications of an update from which on it is said how long it may take.
const LONG: f64 = 1e11;

/// Where lanes are stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stepped {
    /// On the host, by so many ranks.
    OnHost(usize),
    /// On the learning device, with so many numbers of state a lane.
    OnDevice(usize),
}

/// What a run needs.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reckoning {
    /// The most steps of a rollout in each lane.
    pub(crate) most_steps: usize,
    /// What is to be said of an update that takes long.
    pub(crate) note: Option<String>,
}

impl Config {
    /// Refuses a run that needs more than [`max_memory`](Config::max_memory), on the host and the device together, or one of several ranks
    /// of it, with a network that keeps so many bytes of each row of a minibatch. Memory of a user's own environments is theirs to know.
    ///
    /// # Errors
    /// [`Error::Config`] with the number, and what it is made of.
    pub(crate) fn reckon(
        &self,
        spec: &Spec,
        layout: &Layout,
        (algo, kept_of_row): (&dyn Algorithm, usize),
        optimizer: &mut Optimizer,
        stepped: Stepped,
    ) -> Result<Reckoning> {
        let (parameters, lanes) = (layout.len() as f64, self.envs as f64);
        // Of an action's numbers the first is reckoned with the step.
        let beyond = spec.action.flat_len().saturating_sub(1);
        let masks = if self.mask_actions { spec.action.choices() } else { 0 };
        let of_number = ObservationKind::of(&spec.observation).bytes() as f64;
        let observation = of_number * spec.observation_len() as f64 + 4.0 * beyond as f64 + masks as f64;
        let evaluates = self.eval_every > 0;
        let of_ranks = if matches!(stepped, Stepped::OnHost(2..)) { SHARES_OF_RANKS } else { 0.0 };
        let copies = COPIES + of_ranks + if evaluates { EVALUATED_COPIES } else { 0.0 } + algo.copies() as f64;
        let network = 4.0 * copies * parameters;
        let need = optimizer.needs(layout);
        let learning = STATE_COPIES * need.state as f64 + need.work as f64;
        let evaluation = if evaluates { EVALUATION.max(self.eval_episodes as f64) } else { EVALUATION };
        let steps = match algo.horizon() {
            Horizon::Steps(steps) => Some(steps),
            Horizon::Episodes(_) => None,
        };
        let of_host = lane(spec.observation_len());
        let minibatches = (algo.most_steps().max(1) as f64 / algo.passes().max(1) as f64).max(1.0);
        // Bytes of a lane, of a step, of the shares of a large minibatch, and of what goes through the network together.
        let (of_lane, step, shares, together) = match stepped {
            // Lanes in several groups are played into rollouts of their own, which are then put side by side.
            Stepped::OnHost(1) if groups(self.envs) > 1 => (of_host, 2.0 * observation + STEP, SHARES, 0.0),
            Stepped::OnHost(1) => (of_host, observation + STEP, SHARES, 0.0),
            Stepped::OnHost(_) => (of_host, COPIES_OF_RANKS * (observation + KEPT_OF_STEP) + STEP, SHARES, 0.0),
            Stepped::OnDevice(state) => {
                let sizes = (steps.unwrap_or(1) as f64 * lanes, minibatches);
                let OfDevice { lane, step, together } = OfDevice::of(self, spec, (layout, state), sizes);
                (lane, step, 0.0, together)
            }
        };
        let kept = lanes * of_lane + evaluation * of_host;
        let step = step + kept_of_row as f64 / minibatches;
        let of_rollout = |steps: usize| {
            let count = steps as f64 * lanes;
            count * step + together + if count >= LARGE { shares } else { 0.0 }
        };
        let rollout = steps.map_or(0.0, of_rollout);
        let needed = network + learning + kept + rollout;
        let limit = self.max_memory * GIB;
        if needed > limit {
            let parameters = counted(layout.len(), "parameter");
            let (of_batches, batches) = match together > 0.0 && self.of_algo("n_minibatches") {
                true => (" and its minibatches", "more `n_minibatches` do, "),
                false => ("", ""),
            };
            let (envs, width) = (counted(self.envs, "environment"), counted(spec.observation_len(), "number"));
            return Err(Error::Config(format!(
                "the run needs about {}, max_memory = {} GiB: {} for {parameters}, {} for the optimizer, {} for {envs} \
                 with {width} an observation, {} for a rollout of theirs{of_batches}; smaller {} need less, {batches}an optimizer \
                 with less state does, and max_memory = {} allows it",
                at_least(needed),
                self.max_memory,
                amount(network),
                amount(learning),
                amount(kept),
                amount(rollout),
                // Of many rollouts an update holds one at a time.
                self.sizes(if algo.rollouts() == 1 { &["n_steps"] } else { &[] }),
                gib_that_hold(needed),
            )));
        }
        // A rollout that grows has room for twice as much.
        let room = ((limit - network - learning - kept) / (2.0 * step)).min(Self::MAX_ROLLOUT as f64) / lanes;
        let most_steps = steps.unwrap_or((room as usize).max(1));
        let passes = 3.0 * algo.passes() as f64 + 2.0;
        let optimizing = need.multiplications * algo.most_steps() as f64;
        let of_rollout = steps.map(|steps| parameters * lanes * steps as f64 * passes + optimizing);
        let multiplications = of_rollout.map(|count| count * algo.rollouts() as f64);
        let note = multiplications.filter(|&count| count > LONG).map(|count| {
            let (minutes, sizes) = (count / 1e10 / 60.0, self.sizes(&["n_steps", "n_epochs"]));
            format!(
                "an update takes about {count:.1e} multiplications, some {minutes:.1} minutes for one core; smaller {sizes} \
                 take less"
            )
        });
        Ok(Reckoning { most_steps, note })
    }

    /// The settings that make a run smaller, those of these among them that are the algorithm's.
    fn sizes(&self, of_algo: &[&str]) -> String {
        let of_algo = of_algo.iter().filter(|name| self.of_algo(name));
        let names: Vec<String> = ["hidden", "envs"].iter().chain(of_algo).map(|name| in_code(name)).collect();
        names.join(" or ")
    }

    /// Refuses so many lanes of an evaluation, if they need more than [`max_memory`](Config::max_memory).
    ///
    /// # Errors
    /// [`Error::Config`] with the number.
    pub(crate) fn reckon_lanes(&self, observation_len: usize, lanes: usize) -> Result<()> {
        let needed = lanes as f64 * lane(observation_len);
        if needed <= self.max_memory * GIB {
            return Ok(());
        }
        let (needed, limit) = (amount(needed), self.max_memory);
        let (episodes, numbers) = (counted(lanes, "episode"), counted(observation_len, "number"));
        Err(Error::Config(format!(
            "an evaluation of {episodes} side by side, with {numbers} an observation, needs about {needed}, \
             max_memory = {limit} GiB: evaluate fewer"
        )))
    }
}

/// So many bytes, in the unit in which they are a number to remember.
fn amount(bytes: f64) -> String {
    rounded(bytes, f64::round)
}

/// The same, and never less.
fn at_least(bytes: f64) -> String {
    rounded(bytes, f64::ceil)
}

fn rounded(bytes: f64, round: impl Fn(f64) -> f64) -> String {
    let units = [(GIB, "GiB"), (GIB / 1024.0, "MiB"), (GIB / 1024.0 / 1024.0, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= 0.1 * unit) {
        Some((unit, name)) => format!("{:.1} {name}", round(10.0 * bytes / unit) / 10.0),
        None => format!("{bytes} bytes"),
    }
}

/// What `max_memory` has to be for so many bytes, to three figures, and never less.
fn gib_that_hold(bytes: f64) -> String {
    let gib = bytes / GIB;
    let places = (2.0 - gib.log10().floor()).max(0.0);
    let scale = 10f64.powf(places);
    format!("{:.*}", places as usize, (gib * scale).ceil() / scale)
}

/// Bytes of one lane.
fn lane(observation_len: usize) -> f64 {
    4.0 * LANE_OBSERVATIONS * observation_len as f64 + LANE
}

#[cfg(test)]
mod tests {
    use super::{GIB, amount, at_least, gib_that_hold};

    #[test]
    fn what_is_needed_is_never_said_to_be_less() {
        let mib = GIB / 1024.0;
        assert_eq!([amount(1.21 * mib), at_least(1.21 * mib), at_least(1.5 * GIB)], ["1.2 MiB", "1.3 MiB", "1.5 GiB"]);
        for (bytes, gib) in [(1.21 * mib, "0.00119"), (GIB, "1.00"), (12.34 * GIB, "12.4"), (1234.5 * GIB, "1235")] {
            assert_eq!(gib_that_hold(bytes), gib);
        }
    }
}
