//! Steps that are taken where the parameters are.

use candle_core::{DType, Device, Tensor};

use super::{Optimizer, SQUARES_FIT, StepReport};
use crate::error::check_len;
use crate::optim::tensors::{joined, length, wide};
use crate::optim::{GradientTransform, Slot, TensorContext, TensorState, When};
use crate::{Error, Layout, Params, Result, Stop};

/// What steps on tensors leave on their device.
#[derive(Debug, Default)]
pub(super) struct OnDevice {
    /// Whether steps are taken on tensors on the CPU, too.
    always: bool,
    /// The vectors of the chain's state, in the order in which it shows them, where they are not on the host, whose own are
    /// empty then; `None` in the place of one that is empty.
    pub(super) vectors: Option<Vec<Option<Tensor>>>,
    /// The norms of gradients and of updates, summed over the steps since they were last read: scalars.
    pub(super) norms: Option<[Tensor; 2]>,
}

impl Optimizer {
    /// Has steps be taken in operations on tensors wherever the parameters are, so that what a GPU does can be compared with the
    /// host, and tested, on the CPU. It is no faster there.
    #[must_use]
    pub fn through_tensors(mut self) -> Self {
        self.on_device.always = true;
        self
    }

    /// Whether steps for these parameters are taken where they are: on another device than the CPU, if every link of the chain has
    /// a form [on tensors](crate::optim::GradientTransform::on_tensors).
    pub fn steps_on_device(&mut self, params: &Params) -> bool {
        self.leaves_host(params) && self.chain.on_tensors().is_some()
    }

    fn leaves_host(&self, params: &Params) -> bool {
        let is_elsewhere = self.on_device.always || !params.device().is_cpu();
        is_elsewhere && !params.layout().is_empty()
    }

    /// Why steps are taken on the host though the parameters are elsewhere, in a sentence.
    pub(crate) fn note_of_host(&mut self, params: &Params) -> Option<String> {
        if !self.leaves_host(params) {
            return None;
        }
        let reason = self.chain.of_the_host()?;
        let way = "each of them copies the gradient to the host and the parameters back";
        Some(format!("the optimizer takes its steps on the host, for {reason}: {way}"))
    }

    /// As [`Optimizer::step`], in operations on tensors where the parameters are, with a gradient that is there too, `[P]`. The host
    /// waits for nothing: what the step was like is read by [`Optimizer::settle`], for all steps since at once.
    ///
    /// A step whose gradient or update is not finite, and each step after it until it is settled, changes neither the parameters nor
    /// a vector of the state: those of the last finite step are what remains. Counts of steps go on.
    ///
    /// Norms, and the matrices of Muon, are of f64 as on the host, and of f32 on Metal, which has no f64.
    ///
    /// # Errors
    /// [`Error::Shape`] for a gradient of another length, [`Error::Config`] if a link of the chain has no form
    /// [on tensors](crate::optim::GradientTransform::on_tensors), [`Error::Tensor`] if the device fails: the parameters have not
    /// changed then.
    pub fn step_on_device(&mut self, params: &mut Params, gradient: &Tensor, when: When) -> Result<()> {
        self.step_on_device_unless(params, gradient, when, Stop::default())
    }

    /// The same, broken off with [`Error::Interrupted`] where `stop` says so.
    pub(crate) fn step_on_device_unless(
        &mut self,
        params: &mut Params,
        gradient: &Tensor,
        when: When,
        stop: Stop<'_>,
    ) -> Result<()> {
        check_len("the gradient", params.layout().len(), gradient.elem_count())?;
        self.leave_host(params.device())?;
        let gradient = self.of_moved(&gradient.detach().flatten_all()?, params.layout())?;
        let norm = length(&gradient)?;
        let theta = params.read_only().detach();
        let (layout, lr_factor) = (params.layout(), self.lr_factor);
        let context = TensorContext { theta, layout, when, norm: Some(norm.clone()), stop, lr_factor };
        let mut state = TensorState::new(self.on_device.vectors.clone().unwrap_or_default(), params.device());
        let Some(chain) = self.chain.on_tensors() else {
            return Err(Error::Config(self.chain.of_the_host().unwrap_or_default()));
        };
        let update = chain.update_tensor(&gradient, &context, &mut state)?;
        let norms = [norm, length(&update)?];
        let norms = match &self.on_device.norms {
            Some([of_gradients, of_updates]) => [(of_gradients + &norms[0])?, (of_updates + &norms[1])?],
            None => norms,
        };
        // Nothing of what is not finite is NaN; and it stays in a sum.
        let none = (&norms[0] + &norms[1])?.affine(0.0, 0.0)?;
        let sound = none.eq(&none.zeros_like()?)?;
        let vectors = state.after(&sound)?;
        params.add(&update, &sound)?;
        self.on_device.vectors = Some(vectors);
        self.on_device.norms = Some(norms);
        Ok(())
    }

    /// Takes a step by a gradient that is on the parameters' device, or else in `host`, where it is to be taken. What it was like is said
    /// at once by a step on the host, and by [`Optimizer::settle`] of others, which are zeros here.
    pub(crate) fn step_wherever(
        &mut self,
        params: &mut Params,
        (on_device, host): (Option<Tensor>, &mut Vec<f32>),
        when: When,
        stop: Stop<'_>,
    ) -> Result<StepReport> {
        match (self.steps_on_device(params), on_device) {
            (true, Some(gradient)) => self.step_on_device_unless(params, &gradient, when, stop)?,
            (true, None) => {
                let gradient = Tensor::from_slice(host, host.len(), params.device())?;
                self.step_on_device_unless(params, &gradient, when, stop)?;
            }
            (false, on_device) => {
                if let Some(gradient) = on_device {
                    *host = gradient.to_vec1()?;
                }
                return self.step_unless(params, host, when, stop);
            }
        }
        Ok(StepReport::default())
    }

    /// What the steps on a device since the last call were like: each norm, summed over them. This is where the host waits for them.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the gradient or the update of one of them was not finite: see [`Optimizer::step_on_device`] for what
    /// remains. Likewise for a state that a huge gradient was too large for, though the parameters have moved on then.
    /// [`Error::Tensor`] if the device fails.
    pub fn settle(&mut self) -> Result<StepReport> {
        let Some(norms) = self.on_device.norms.take() else { return Ok(StepReport::default()) };
        let numbers = read(&Tensor::stack(&norms, 0)?)?;
        let [grad_norm, update_norm] = [0, 1].map(|i| numbers.get(i).copied().unwrap_or_default());
        for (what, norm) in [("gradient", grad_norm), ("update", update_norm)] {
            if !norm.is_finite() {
                return Err(Error::NotFinite { what: format!("the {what} of the parameters") });
            }
        }
        let bad = if grad_norm > SQUARES_FIT { self.not_finite()? } else { None };
        match bad {
            Some(name) => Err(Error::NotFinite { what: format!("the optimizer's state `{name}`") }),
            None => Ok(StepReport { grad_norm, update_norm }),
        }
    }

    /// Forgets what [`Optimizer::settle`] would say of steps that an error broke off.
    pub(crate) fn forget_steps(&mut self) {
        self.on_device.norms = None;
    }

    /// Forgets all that is on a device, for a state that takes its place.
    pub(super) fn forget_device(&mut self) {
        (self.on_device.vectors, self.on_device.norms) = (None, None);
    }

    /// A gradient whose numbers are zero in blocks that are not moved, whatever they were.
    fn of_moved(&self, gradient: &Tensor, layout: &Layout) -> Result<Tensor> {
        let Some(moved) = &self.blocks else { return Ok(gradient.clone()) };
        let blocks = layout.blocks().iter().filter(|block| block.elem_count() > 0);
        let pieces = blocks.map(|block| {
            let own = gradient.narrow(0, block.offset, block.elem_count())?;
            if moved.matches(block) { Ok(own) } else { own.zeros_like() }
        });
        joined(&pieces.collect::<candle_core::Result<Vec<_>>>()?)
    }

    /// Moves the vectors of the state to a device.
    pub(super) fn leave_host(&mut self, device: &Device) -> Result<()> {
        if self.on_device.vectors.is_some() {
            return Ok(());
        }
        let (mut vectors, mut outcome) = (Vec::new(), Ok(()));
        self.chain.nameless(&mut |slot| {
            if let Slot::Vector(numbers) = slot {
                let on_device = (!numbers.is_empty()).then(|| Tensor::from_slice(numbers, numbers.len(), device));
                match on_device.transpose() {
                    Ok(vector) => vectors.push(vector),
                    Err(error) => outcome = Err(error),
                }
            }
        });
        outcome?;
        self.chain.nameless(&mut |slot| {
            if let Slot::Vector(numbers) = slot {
                *numbers = Vec::new();
            }
        });
        self.on_device.vectors = Some(vectors);
        Ok(())
    }

    /// Moves them back to the host.
    pub(super) fn return_to_host(&mut self) -> Result<()> {
        let Some(vectors) = &self.on_device.vectors else { return Ok(()) };
        let numbers = vectors.iter().map(|vector| vector.as_ref().map_or(Ok(Vec::new()), Tensor::to_vec1));
        let mut numbers = numbers.collect::<candle_core::Result<Vec<Vec<f32>>>>()?.into_iter();
        self.chain.nameless(&mut |slot| {
            if let Slot::Vector(vector) = slot {
                *vector = numbers.next().unwrap_or_default();
            }
        });
        self.on_device.vectors = None;
        Ok(())
    }

    /// Bytes of state on a device.
    pub(super) fn bytes_on_device(&self) -> usize {
        let vectors = self.on_device.vectors.iter().flatten().flatten();
        vectors.map(|vector| size_of::<f32>() * vector.elem_count()).sum()
    }

    /// Whether all state on a device is finite, for certain.
    pub(super) fn is_finite_on_device(&self) -> Result<bool> {
        let mut total: Option<Tensor> = None;
        for vector in self.on_device.vectors.iter().flatten().flatten() {
            let length = length(vector)?;
            total = Some(total.map_or(Ok(length.clone()), |total| total + &length)?);
        }
        total.map_or(Ok(true), |total| Ok(read(&total.unsqueeze(0)?)?.iter().all(|x| x.is_finite())))
    }
}

/// Numbers of a device.
fn read(numbers: &Tensor) -> Result<Vec<f64>> {
    Ok(wide(numbers)?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()?)
}
