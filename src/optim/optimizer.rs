//! What moves parameters.

mod mark;
mod on_device;

use std::collections::BTreeMap;

use rand::Rng as _;
use uphill_envs::counted;

pub(crate) use mark::Mark;
use on_device::OnDevice;

use super::partition::only;
use super::{Chain, Context, GradientTransform, Need, Pattern, Slot, Span, When};
use crate::arrays::{Arrays, MAX_COUNT, Number};
use crate::error::check_len;
use crate::kernels::{add, sum_of_squares};
use crate::seed::{Seed, from_words, words};
use crate::{Block, Error, Layout, Params, Result, Stop};

/// What one step of an optimizer was like.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepReport {
    /// Euclidean norm of the gradient, before any clipping; of its finite numbers, where the chain mends others.
    pub grad_norm: f64,
    /// Euclidean norm of what was added to the parameters.
    pub update_norm: f64,
}

/// A gradient of this norm can be squared in f32, and the squares of very many summed.
const SQUARES_FIT: f64 = 1e15;

/// A chain that moves parameters.
#[derive(Debug)]
pub struct Optimizer {
    chain: Chain,
    update: Vec<f32>,
    /// The blocks that it moves, if not all.
    blocks: Option<Pattern>,
    /// What learning rates are multiplied by.
    lr_factor: f64,
    on_device: OnDevice,
}

impl Optimizer {
    /// An optimizer whose updates are what the chain makes of gradients.
    ///
    /// Each generator of random numbers gets a stream of its own, by its seed and its place in the chain: two links draw
    /// apart though their seeds are one.
    #[must_use]
    pub fn new(mut chain: Chain) -> Self {
        chain.state(&mut |place, slot| {
            if let Slot::Rng(rng) = slot {
                *rng = Seed(rng.next_u64()).stream(place, 0);
            }
        });
        Self { chain, update: Vec::new(), blocks: None, lr_factor: 1.0, on_device: OnDevice::default() }
    }

    /// Has it move these blocks alone, as if there were no others: neither a decay nor an average, a norm or a noise knows of
    /// those, and their gradient may be anything. One that moves these alone already stays as it is.
    pub(crate) fn move_only(&mut self, blocks: &Pattern) {
        if self.blocks.as_ref() != Some(blocks) {
            let chain = std::mem::take(&mut self.chain);
            self.chain = Chain::new().then(only(blocks.clone(), chain));
            self.blocks = Some(blocks.clone());
        }
    }

    /// Has steps be taken with learning rates that are so many times those of the chain's schedules.
    pub(crate) fn set_lr_factor(&mut self, factor: f64) {
        self.lr_factor = factor;
    }

    /// Whether a finished policy has an average of parameters.
    #[must_use]
    pub fn averages(&self) -> bool {
        self.chain.averages()
    }

    /// Whether it holds parameters of earlier steps, of which it makes later ones.
    pub(crate) fn holds_parameters(&self) -> bool {
        self.chain.holds_parameters()
    }

    /// Refuses parameters that a link cannot be for, where it moves these blocks of them alone, or all.
    ///
    /// # Errors
    /// As [`GradientTransform::check_layout`].
    pub(crate) fn check_layout(&self, layout: &Layout, moved: Option<&Pattern>) -> Result<()> {
        let mut own = Layout::default();
        let is_moved = |block: &&Block| moved.is_none_or(|moved| moved.matches(block));
        for block in layout.blocks().iter().filter(is_moved) {
            own.push(block.name.clone(), &block.shape);
        }
        self.chain.check_layout(&own)
    }

    /// `theta += chain(gradient)`, `gradient` `[P]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a gradient of another length. [`Error::NotFinite`], with the first bad block's name, for a NaN
    /// or infinite gradient: neither parameters nor optimizer state have changed then. (A chain that begins with
    /// [`zero_non_finite`](super::zero_non_finite) takes it.) [`Error::NotFinite`] too if the chain makes a NaN or
    /// infinite update or state of a finite gradient: the parameters have not changed then, though the optimizer's state
    /// has.
    pub fn step(&mut self, params: &mut Params, gradient: &[f32], when: When) -> Result<StepReport> {
        let mut update = std::mem::take(&mut self.update);
        update.clear();
        update.extend_from_slice(gradient);
        let report = self.step_in_place(params, &mut update, when);
        self.update = update;
        report
    }

    /// As [`Optimizer::step`], without a copy of the gradient: what was added to the parameters takes its place.
    ///
    /// # Errors
    /// As [`Optimizer::step`].
    pub fn step_in_place(&mut self, params: &mut Params, gradient: &mut [f32], when: When) -> Result<StepReport> {
        self.step_unless(params, gradient, when, Stop::default())
    }

    /// The same, broken off with [`Error::Interrupted`] where `stop` says so: the parameters have not changed then, though
    /// the optimizer's state has.
    pub(crate) fn step_unless(
        &mut self,
        params: &mut Params,
        gradient: &mut [f32],
        when: When,
        stop: Stop<'_>,
    ) -> Result<StepReport> {
        check_len("the gradient", params.layout().len(), gradient.len())?;
        self.return_to_host()?;
        if let Some(moved) = &self.blocks {
            let others = params.layout().blocks().iter().filter(|block| !moved.matches(block));
            others.for_each(|block| gradient[block.range()].fill(0.0));
        }
        let norm = match self.chain.mends_non_finite() {
            true => None,
            false => Some(check_finite("gradient", params.layout(), gradient, sum_of_squares(gradient))?),
        };
        let grad_norm = norm.unwrap_or_else(|| {
            gradient.iter().filter(|g| g.is_finite()).map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt()
        });
        let (chain, lr_factor, mut squares) = (&mut self.chain, self.lr_factor, 0.0);
        params.read(|theta| {
            let context = Context { norm, stop, lr_factor, ..Context::new(theta, params.layout(), when) };
            chain.run(gradient, &context, &mut |part| squares += sum_of_squares(part))
        })??;
        let update_norm = check_finite("update", params.layout(), gradient, squares)?;
        if grad_norm > SQUARES_FIT {
            self.check_state()?;
        }
        params.update(|theta| add(theta, gradient))?;
        Ok(StepReport { grad_norm, update_norm })
    }

    /// Fails with [`Error::NotFinite`] for a vector of state that a gradient was too large for: an infinite mean of squares
    /// would stop its parameters for good, without a word.
    fn check_state(&mut self) -> Result<()> {
        let mut bad = None;
        self.shown(&mut |name, slot| {
            let finite = match slot {
                Slot::Vector(numbers) => numbers.iter().all(|x| x.is_finite()),
                Slot::Wide(numbers) => numbers.iter().all(|x| x.is_finite()),
                _ => true,
            };
            if !finite {
                bad.get_or_insert_with(|| format!("the optimizer's state `{name}`"));
            }
        });
        bad.map_or(Ok(()), |what| Err(Error::NotFinite { what }))
    }

    /// The learning rate at some time, as an algorithm has adapted it last; `None` if the chain has none.
    #[must_use]
    pub fn learning_rate(&self, when: When) -> Option<f64> {
        self.chain.learning_rate(when).map(|lr| lr * self.lr_factor)
    }

    /// Tells schedules that go by a metric, such as [`Schedule::Plateau`](super::Schedule::Plateau), its latest value
    /// and when it was seen. More is better.
    pub fn observe(&mut self, metric: f64, when: When) {
        self.chain.nameless(&mut |slot| {
            if let Slot::Schedule(schedule) = slot {
                schedule.observe(metric, when);
            }
        });
    }

    /// The parameters that a finished policy should have, `[P]`; `None` where they are those that are trained.
    ///
    /// # Errors
    /// As [`Params::read`]; [`Error::Shape`] if a link's are not as many as the parameters.
    pub fn evaluation(&self, params: &Params) -> Result<Option<Vec<f32>>> {
        let values = params.read(|theta| self.chain.evaluation(theta, params.layout()))??;
        values
            .iter()
            .try_for_each(|values| check_len("what a policy should have", params.layout().len(), values.len()))?;
        Ok(values)
    }

    /// What is too long for a run of so many rollouts and steps, such as the `k` of an accumulation: a sentence each.
    #[must_use]
    pub fn misfits(&self, rollouts: u64, steps: u64) -> Vec<String> {
        let mut misfits = Vec::new();
        self.chain.spans(&mut |what, span| {
            let (span, run, unit) = match span {
                Span::Steps(span) => (span, steps, "optimizer step"),
                Span::Rollouts(span) => (span, rollouts, "update"),
            };
            if span > run {
                let run = counted(run, unit);
                misfits.push(format!("{what} is {span}: this run is over after {run}, before it has an effect"));
            }
        });
        misfits
    }

    /// What happened so far that a user should know: names and numbers.
    #[must_use]
    pub fn report(&self) -> Vec<(&'static str, f64)> {
        let mut report = Vec::new();
        self.chain.report(&mut |name, number| report.push((name, number)));
        report
    }

    /// Shows every piece of the chain's state by name, in an order that does not change: `0.mean`, `1.inner.0.steps`.
    ///
    /// Writing to the slots restores a state. What a hyper-parameter that goes by a metric remembers is among them;
    /// other hyper-parameters are not state.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the state is on a device that fails: it comes to the host, and goes back there in the next step.
    pub fn visit_state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) -> Result<()> {
        self.return_to_host()?;
        self.shown(visit);
        Ok(())
    }

    /// The same of a state that is on the host.
    fn shown<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.chain.state(&mut |name, slot| match slot {
            Slot::Schedule(schedule) => {
                schedule.state(&mut |part, number| visit(&format!("{name}.{part}"), Slot::Scalar(number)));
            }
            slot => visit(name, slot),
        });
    }

    /// Adds every piece of the chain's state to `arrays`, its name after `prefix`.
    pub(crate) fn save(&mut self, prefix: &str, arrays: &mut Arrays) -> Result<()> {
        self.visit_state(&mut |name, slot| save_slot(format!("{prefix}.{name}"), slot, arrays))
    }

    /// Goes on from the state of an optimizer of the same spec over parameters of this layout, as [`Optimizer::save`] left
    /// it: every vector has to be as long as a step would make it, or empty where none was taken.
    pub(crate) fn restore(&mut self, prefix: &str, arrays: &Arrays, layout: &Layout) -> Result<()> {
        self.forget_device();
        self.chain.make_room(layout)?;
        let (mut outcome, mut links) = (Ok(()), BTreeMap::new());
        self.shown(&mut |name, slot| {
            if outcome.is_ok() {
                let (link, _) = name.rsplit_once('.').unwrap_or_default();
                let begun: &mut Begun = links.entry(link.to_string()).or_default();
                outcome = restore_slot(&format!("{prefix}.{name}"), slot, arrays, begun);
            }
        });
        outcome?;
        match links.into_values().find_map(Begun::contradiction) {
            Some((yes, no)) => {
                Err(Error::Checkpoint(format!("`{no}` is empty, though `{yes}` says that steps were taken")))
            }
            None => Ok(()),
        }
    }

    /// The first piece of the chain's state with a NaN or an infinity in it.
    ///
    /// # Errors
    /// [`Error::Tensor`] if the state is on a device that fails.
    pub(crate) fn not_finite(&mut self) -> Result<Option<String>> {
        if !self.is_finite_on_device()? {
            self.return_to_host()?;
        }
        let mut found = None;
        if !self.chain.is_finite() {
            self.shown(&mut |name, slot| {
                if found.is_none() && !slot.finite() {
                    found = Some(name.to_string());
                }
            });
        }
        Ok(found)
    }

    /// Bytes of state that the chain keeps, of which most begins with the first step.
    pub fn state_bytes(&mut self) -> usize {
        let mut bytes = self.bytes_on_device();
        self.chain.nameless(&mut |slot| bytes += slot.bytes(None));
        bytes
    }

    /// What the chain needs for parameters of this layout, reckoned before any step: of state as many bytes as
    /// [`state_bytes`](Optimizer::state_bytes) will be, or as a link knows at most.
    pub fn needs(&mut self, layout: &Layout) -> Need {
        self.chain.needs(layout)
    }
}

/// What the state of one link says of whether a step was taken.
#[derive(Default)]
pub(crate) struct Begun {
    /// A piece that says yes.
    yes: Option<String>,
    /// A piece that says no.
    no: Option<String>,
}

impl Begun {
    fn contradiction(self) -> Option<(String, String)> {
        self.yes.zip(self.no)
    }
}

/// Numbers of a slot that makes `room` for so many: as many, or none. What begins later than with the first step has no
/// room yet, and may be of any length.
fn vector<'a, T: Number>(name: &str, room: usize, arrays: &'a Arrays, begun: &mut Begun) -> Result<&'a [T]> {
    let numbers = arrays.get(name)?;
    match (numbers.len(), room) {
        (_, 0) => Ok(numbers),
        (0, _) => {
            begun.no = Some(name.into());
            Ok(numbers)
        }
        _ => {
            begun.yes = Some(name.into());
            arrays.get_len(name, room)
        }
    }
}

/// Adds a piece of state to `arrays`.
pub(crate) fn save_slot(name: String, slot: Slot<'_>, arrays: &mut Arrays) {
    match slot {
        Slot::Vector(numbers) => arrays.put(name, numbers.clone()),
        Slot::Wide(numbers) => arrays.put(name, numbers.clone()),
        Slot::Count(count) => arrays.put(name, vec![*count]),
        Slot::Scalar(number) => arrays.put(name, vec![*number]),
        Slot::Rng(rng) => arrays.put(name, words(rng).to_vec()),
        // What it remembers is shown in its place.
        Slot::Schedule(_) => {}
    }
}

/// Takes a piece of state from `arrays`.
pub(crate) fn restore_slot(name: &str, slot: Slot<'_>, arrays: &Arrays, begun: &mut Begun) -> Result<()> {
    match slot {
        Slot::Vector(numbers) => *numbers = vector(name, numbers.len(), arrays, begun)?.to_vec(),
        Slot::Wide(numbers) => *numbers = vector(name, numbers.len(), arrays, begun)?.to_vec(),
        Slot::Count(count) => match arrays.one(name)? {
            too_large if too_large > MAX_COUNT => {
                return Err(Error::Checkpoint(format!("`{name}` = {too_large} is more than a run ever comes to")));
            }
            possible => {
                *count = possible;
                if possible > 0 {
                    begun.yes = Some(name.into());
                }
            }
        },
        Slot::Scalar(number) => *number = arrays.one(name)?,
        Slot::Rng(rng) => {
            let mut state = [0; 4];
            arrays.copy(name, &mut state)?;
            *rng = from_words(state).ok_or_else(|| Error::Checkpoint(format!("`{name}` is no generator's state")))?;
        }
        Slot::Schedule(_) => {}
    }
    Ok(())
}

/// Euclidean norm of a gradient, an update or the parameters, which must be finite, from its sum of squares.
pub(crate) fn check_finite(what: &str, layout: &Layout, x: &[f32], squares: f64) -> Result<f64> {
    let norm = squares.sqrt();
    if norm.is_finite() {
        return Ok(norm);
    }
    let block = x.iter().position(|x| !x.is_finite()).and_then(|i| layout.block_at(i));
    let name = block.map_or("the parameters", |block| block.name.as_str());
    Err(Error::NotFinite { what: format!("the {what} of {name}") })
}

#[cfg(test)]
mod tests;
