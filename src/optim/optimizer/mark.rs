//! Where an optimizer stands between steps that are taken on a device.

use candle_core::Tensor;

use super::Optimizer;
use crate::optim::{GradientTransform, Slot};
use crate::seed::Rng;
use crate::{Params, Result};

/// What the host knows of the steps so far. The vectors of the state are not copied: a step that is not sound leaves them as they are.
#[derive(Debug)]
pub(crate) struct Mark {
    kept: Vec<Kept>,
    /// Which vectors there are already.
    begun: Vec<bool>,
    norms: Option<[Tensor; 2]>,
}

/// A piece of state that is on the host.
#[derive(Debug)]
enum Kept {
    Wide(Vec<f64>),
    Count(u64),
    Scalar(f64),
    Rng(Rng),
}

impl Optimizer {
    /// Notes where it stands before a step [on the device](Optimizer::step_on_device) of these parameters.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if the device fails.
    pub(crate) fn mark(&mut self, params: &Params) -> Result<Mark> {
        self.leave_host(params.device())?;
        let mut kept = Vec::new();
        self.chain.nameless(&mut |slot| match slot {
            Slot::Wide(numbers) => kept.push(Kept::Wide(numbers.clone())),
            Slot::Count(count) => kept.push(Kept::Count(*count)),
            Slot::Scalar(number) => kept.push(Kept::Scalar(*number)),
            Slot::Rng(rng) => kept.push(Kept::Rng(rng.clone())),
            // Vectors are on the device, and a schedule learns nothing from a step.
            Slot::Vector(_) | Slot::Schedule(_) => {}
        });
        let begun = self.on_device.vectors.iter().flatten().map(Option::is_some).collect();
        Ok(Mark { kept, begun, norms: self.on_device.norms.clone() })
    }

    /// Goes back to before a step whose gradient turned out not to be finite, so that neither it nor any after it changed the parameters
    /// or a vector of the state: all is as if they had not been taken.
    pub(crate) fn go_back(&mut self, mark: Mark) {
        let Mark { kept, begun, norms } = mark;
        let mut kept = kept.into_iter();
        self.chain.nameless(&mut |slot| match slot {
            Slot::Vector(_) | Slot::Schedule(_) => {}
            slot => match (slot, kept.next()) {
                (Slot::Wide(numbers), Some(Kept::Wide(before))) => *numbers = before,
                (Slot::Count(count), Some(Kept::Count(before))) => *count = before,
                (Slot::Scalar(number), Some(Kept::Scalar(before))) => *number = before,
                (Slot::Rng(rng), Some(Kept::Rng(before))) => *rng = before,
                _ => {}
            },
        });
        let vectors = self.on_device.vectors.iter_mut().flatten();
        vectors.zip(begun).filter(|(_, begun)| !begun).for_each(|(vector, _)| *vector = None);
        self.on_device.norms = norms;
    }
}
