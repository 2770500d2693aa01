//! Weight decay, towards 0.

use candle_core::Tensor;

use super::blocks::blocks_mut;
use super::table::{Make, Row};
use super::{Chain, Context, GradientTransform, Pattern, Place, Schedule, Slot};
use super::{TensorContext, TensorState, TensorTransform};
use crate::kernels::vectorised;
use crate::words::{Kind, Param};
use crate::{Layout, Result};

/// See [`add_decayed_weights`].
#[derive(Debug, Clone, PartialEq)]
pub struct AddDecayedWeights {
    weight_decay: Schedule,
    blocks: Pattern,
}

/// `u ← u + weight_decay·theta`.
///
/// What it means depends on its place. Before a direction such as [`scale_by_adam`](super::scale_by_adam) it is L2
/// regularisation, coupled with the adaptive scale; between the direction and the learning rate it is decoupled decay,
/// `theta ← (1 − lr·weight_decay)·theta`: Loshchilov and Hutter 2019, algorithm 2, <https://arxiv.org/abs/1711.05101>.
/// After the learning rate it would make the parameters grow: decay that the learning rate does not scale is
/// [`decay_weights`].
#[must_use]
pub fn add_decayed_weights(weight_decay: impl Into<Schedule>) -> AddDecayedWeights {
    AddDecayedWeights { weight_decay: weight_decay.into(), blocks: Pattern::new("*") }
}

/// `u ← u − weight_decay·theta`: decoupled decay that no learning rate scales, `theta ← (1 − weight_decay)·theta`.
///
/// It stands after the learning rate. Hanson and Pratt 1988, eq. 3,
/// <https://proceedings.neurips.cc/paper/1988/hash/1c9ac0159c94d8d0cbedc973445af2da-Abstract.html>.
#[must_use]
pub fn decay_weights(weight_decay: impl Into<Schedule>) -> DecayWeights {
    DecayWeights(add_decayed_weights(weight_decay))
}

/// See [`decay_weights`].
#[derive(Debug, Clone, PartialEq)]
pub struct DecayWeights(AddDecayedWeights);

impl AddDecayedWeights {
    /// The same for these blocks alone, such as `weights`.
    #[must_use]
    pub fn of(self, blocks: Pattern) -> Self {
        Self { blocks, ..self }
    }

    fn add(&self, gradient: &mut [f32], context: &Context<'_>, sign: f64) {
        let decay = (sign * self.weight_decay.at(context.when)) as f32;
        if decay == 0.0 {
            return;
        }
        if self.blocks.is_all() {
            add_scaled(gradient, decay, context.theta);
            return;
        }
        for (block, gradient, theta) in blocks_mut(context, gradient) {
            if self.blocks.matches(block) {
                add_scaled(gradient, decay, theta);
            }
        }
    }

    fn add_tensor(&self, gradient: &Tensor, context: &TensorContext<'_>, sign: f64) -> Result<Tensor> {
        let decay = sign * self.weight_decay.at(context.when);
        if decay as f32 == 0.0 {
            return Ok(gradient.clone());
        }
        if self.blocks.is_all() {
            return Ok((gradient + context.theta.affine(decay, 0.0)?)?);
        }
        context.by_block(gradient, |block, gradient, theta| match self.blocks.matches(block) {
            true => Ok((gradient + theta.affine(decay, 0.0)?)?),
            false => Ok(gradient),
        })
    }
}

impl DecayWeights {
    /// The same for these blocks alone, such as `weights`.
    #[must_use]
    pub fn of(self, blocks: Pattern) -> Self {
        Self(self.0.of(blocks))
    }
}

/// `x ← x + factor·y`.
pub(super) fn add_scaled(x: &mut [f32], factor: f32, y: &[f32]) {
    vectorised(
        #[inline(always)]
        move || {
            for (x, y) in x.iter_mut().zip(y) {
                *x += factor * y;
            }
        },
    );
}

impl GradientTransform for AddDecayedWeights {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.add(gradient, context, 1.0);
        Ok(())
    }

    fn check_layout(&self, layout: &Layout) -> Result<()> {
        let is_idle = self.blocks.names_some() && !layout.blocks().iter().any(|block| self.blocks.matches(block));
        if is_idle { Err(self.blocks.means_none_of(layout)) } else { Ok(()) }
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        self.blocks.is_all()
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("weight_decay", Slot::Schedule(&mut self.weight_decay));
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for AddDecayedWeights {
    fn update_tensor(&mut self, gradient: &Tensor, context: &TensorContext<'_>, _: &mut TensorState) -> Result<Tensor> {
        self.add_tensor(gradient, context, 1.0)
    }
}

impl GradientTransform for DecayWeights {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.0.add(gradient, context, -1.0);
        Ok(())
    }

    fn check_layout(&self, layout: &Layout) -> Result<()> {
        self.0.check_layout(layout)
    }

    fn goes_by_parts(&self, context: &Context<'_>) -> bool {
        self.0.goes_by_parts(context)
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.0.state(visit);
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for DecayWeights {
    fn update_tensor(&mut self, gradient: &Tensor, context: &TensorContext<'_>, _: &mut TensorState) -> Result<Tensor> {
        self.0.add_tensor(gradient, context, -1.0)
    }
}

/// Which blocks a link is about; all, where a spec does not say.
pub(super) const BLOCKS: Param =
    Param { name: "blocks", kind: Kind::Text, default: "\"*\"", meaning: "name pattern, `weights` or `biases`" };

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "add_decayed_weights",
        summary: "adds a multiple of the parameters: coupled before a direction, decoupled after it",
        params: &[Param::weight_decay(""), BLOCKS],
        make: Make::Link(Place::BeforeRate, |a| {
            let blocks = Pattern::new(a.text("blocks")?);
            Ok(Chain::new().then(add_decayed_weights(a.schedule("weight_decay")?).of(blocks)))
        }),
    },
    Row {
        name: "decay_weights",
        summary: "decay that the learning rate does not scale; stands after it",
        params: &[Param::weight_decay(""), BLOCKS],
        make: Make::Link(Place::AfterRate, |a| {
            let blocks = Pattern::new(a.text("blocks")?);
            Ok(Chain::new().then(decay_weights(a.schedule("weight_decay")?).of(blocks)))
        }),
    },
];
