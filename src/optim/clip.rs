//! Gradient clipping by norm and by value.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use super::blocks::blocks_mut;
use super::table::{Make, Row};
use super::tensors::{at_most, length, scaled_by};
use super::{Chain, Context, GradientTransform, Schedule, Slot, scale};
use super::{TensorContext, TensorState, TensorTransform};
use crate::kernels::{sum_of_squares, vectorised};
use crate::words::{Param, Range};
use crate::{Block, Result};

/// What a largest norm is the norm of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClipGradBy {
    /// The whole gradient: see [`clip_by_global_norm`].
    #[default]
    Whole,
    /// The gradient of each part of the network: see [`clip_by_part_norm`].
    Part,
}

/// See [`clip_by_global_norm`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClipByGlobalNorm {
    max_norm: Schedule,
    exact: bool,
}

/// Scales the gradient down if its norm over all parameters is too large.
///
/// ```math
///   torch: g ← g·min(1, max_norm / (‖g‖ + 1e-6))            optax: g ← g·min(1, max_norm / ‖g‖)
/// ```
///
/// This is PyTorch's form (`torch.nn.utils.clip_grad_norm_`); [`ClipByGlobalNorm::exact`] makes optax's
/// (`optax.clip_by_global_norm`), whose result has the norm `max_norm` to rounding. An infinite `max_norm` never clips.
///
/// Pascanu et al. 2013, algorithm 1, <https://arxiv.org/abs/1211.5063>.
#[must_use]
pub fn clip_by_global_norm(max_norm: impl Into<Schedule>) -> ClipByGlobalNorm {
    ClipByGlobalNorm { max_norm: max_norm.into(), exact: false }
}

impl ClipByGlobalNorm {
    /// The same without PyTorch's 1e-6.
    #[must_use]
    pub fn exact(self) -> Self {
        Self { exact: true, ..self }
    }
}

impl GradientTransform for ClipByGlobalNorm {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let norm = context.norm.unwrap_or_else(|| sum_of_squares(gradient).sqrt());
        clip(gradient, norm, self.max_norm.at(context.when), if self.exact { 0.0 } else { 1e-6 });
        Ok(())
    }

    /// Only where the norm of the whole is known.
    fn goes_by_parts(&self, context: &Context<'_>) -> bool {
        context.norm.is_some()
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("max_norm", Slot::Schedule(&mut self.max_norm));
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ClipByGlobalNorm {
    fn update_tensor(&mut self, gradient: &Tensor, context: &TensorContext<'_>, _: &mut TensorState) -> Result<Tensor> {
        let norm = context.norm.clone().map_or_else(|| length(gradient), Ok)?;
        clip_tensor(gradient, &norm, self.max_norm.at(context.when), if self.exact { 0.0 } else { 1e-6 })
    }
}

fn clip(gradient: &mut [f32], norm: f64, max_norm: f64, slack: f64) {
    if max_norm.is_finite() {
        let factor = max_norm / (norm + slack);
        if factor < 1.0 {
            scale(gradient, factor);
        }
    }
}

/// The same of a tensor, whose norm is a scalar on its device.
fn clip_tensor(gradient: &Tensor, norm: &Tensor, max_norm: f64, slack: f64) -> Result<Tensor> {
    if !max_norm.is_finite() {
        return Ok(gradient.clone());
    }
    // What is not below 1, NaN among it, does not clip.
    scaled_by(gradient, &at_most(&norm.affine(1.0, slack)?.recip()?.affine(max_norm, 0.0)?, 1.0)?)
}

/// See [`clip_by_block_norm`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClipByBlockNorm {
    max_norm: Schedule,
}

/// Scales each block of the gradient down if its own norm is too large: `g ← g·min(1, max_norm / ‖g‖)` by block.
///
/// An infinite `max_norm` never clips.
#[must_use]
pub fn clip_by_block_norm(max_norm: impl Into<Schedule>) -> ClipByBlockNorm {
    ClipByBlockNorm { max_norm: max_norm.into() }
}

impl GradientTransform for ClipByBlockNorm {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let max_norm = self.max_norm.at(context.when);
        for (_, gradient, _) in blocks_mut(context, gradient) {
            clip(gradient, sum_of_squares(gradient).sqrt(), max_norm, 0.0);
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("max_norm", Slot::Schedule(&mut self.max_norm));
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ClipByBlockNorm {
    fn update_tensor(&mut self, gradient: &Tensor, context: &TensorContext<'_>, _: &mut TensorState) -> Result<Tensor> {
        let max_norm = self.max_norm.at(context.when);
        context.by_block(gradient, |_, gradient, _| clip_tensor(&gradient, &length(&gradient)?, max_norm, 0.0))
    }
}

/// See [`clip_by_part_norm`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClipByPartNorm {
    max_norm: Schedule,
}

/// Scales the gradient of each part of the network down if its own norm is too large:
/// `g ← g·min(1, max_norm / (‖g‖ + 1e-6))` by part, in the form of [`clip_by_global_norm`].
///
/// A part is all blocks whose names have the same beginning, up to the first dot: `actor` and `critic`, or `trunk` and
/// `head`. A critic whose returns are large has a large gradient; under one norm for both it leaves the policy next to
/// nothing of a step, here it is clipped by itself. An infinite `max_norm` never clips.
#[must_use]
pub fn clip_by_part_norm(max_norm: impl Into<Schedule>) -> ClipByPartNorm {
    ClipByPartNorm { max_norm: max_norm.into() }
}

/// Whether two blocks belong to the same part of the network: their names are the same up to the first dot.
fn of_one_part(one: &Block, other: &Block) -> bool {
    let [one, other] = [one, other].map(|block| block.name.bytes().take_while(|&letter| letter != b'.'));
    one.eq(other)
}

impl GradientTransform for ClipByPartNorm {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let max_norm = self.max_norm.at(context.when);
        let blocks = context.layout.blocks();
        for (i, first) in blocks.iter().enumerate() {
            if blocks[..i].iter().any(|earlier| of_one_part(earlier, first)) {
                continue;
            }
            let own = || blocks[i..].iter().filter(|block| of_one_part(block, first)).map(Block::range);
            let norm = own().map(|range| sum_of_squares(&gradient[range])).sum::<f64>().sqrt();
            own().for_each(|range| clip(&mut gradient[range], norm, max_norm, 1e-6));
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("max_norm", Slot::Schedule(&mut self.max_norm));
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ClipByPartNorm {
    fn update_tensor(&mut self, gradient: &Tensor, context: &TensorContext<'_>, _: &mut TensorState) -> Result<Tensor> {
        let max_norm = self.max_norm.at(context.when);
        let mut parts: Vec<(&Block, Tensor)> = Vec::new();
        for block in context.layout.blocks().iter().filter(|block| block.elem_count() > 0) {
            let squares = length(&gradient.narrow(0, block.offset, block.elem_count())?)?.sqr()?;
            match parts.iter_mut().find(|(first, _)| of_one_part(first, block)) {
                Some((_, sum)) => *sum = (&*sum + squares)?,
                None => parts.push((block, squares)),
            }
        }
        context.by_block(gradient, |block, gradient, _| {
            match parts.iter().find(|(first, _)| of_one_part(first, block)) {
                Some((_, squares)) => clip_tensor(&gradient, &squares.sqrt()?, max_norm, 1e-6),
                None => Ok(gradient),
            }
        })
    }
}

/// See [`clip_by_block_rms`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClipByBlockRms {
    max_rms: Schedule,
}

/// Scales each block down if its root mean square is too large: `g ← g / max(1, rms(g) / max_rms)` by block.
///
/// As `optax.clip_by_block_rms`. An infinite `max_rms` never clips. Shazeer and Stern 2018, section 6,
/// <https://arxiv.org/abs/1804.04235>.
#[must_use]
pub fn clip_by_block_rms(max_rms: impl Into<Schedule>) -> ClipByBlockRms {
    ClipByBlockRms { max_rms: max_rms.into() }
}

impl GradientTransform for ClipByBlockRms {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let max_rms = self.max_rms.at(context.when);
        for (_, gradient, _) in blocks_mut(context, gradient) {
            let max_norm = max_rms * (gradient.len() as f64).sqrt();
            clip(gradient, sum_of_squares(gradient).sqrt(), max_norm, 0.0);
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("max_rms", Slot::Schedule(&mut self.max_rms));
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ClipByBlockRms {
    fn update_tensor(&mut self, gradient: &Tensor, context: &TensorContext<'_>, _: &mut TensorState) -> Result<Tensor> {
        let max_rms = self.max_rms.at(context.when);
        context.by_block(gradient, |_, gradient, _| {
            let max_norm = max_rms * (gradient.elem_count() as f64).sqrt();
            clip_tensor(&gradient, &length(&gradient)?, max_norm, 0.0)
        })
    }
}

/// See [`clip_by_value`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClipByValue {
    max_value: Schedule,
}

/// Clips every number of the gradient to `±max_value`; infinite never clips.
///
/// As `torch.nn.utils.clip_grad_value_`. Mikolov 2012, section 3.2.2.
#[must_use]
pub fn clip_by_value(max_value: impl Into<Schedule>) -> ClipByValue {
    ClipByValue { max_value: max_value.into() }
}

impl GradientTransform for ClipByValue {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        // A range that is upside down would panic.
        let limit = self.max_value.at(context.when).abs() as f32;
        if limit.is_finite() {
            vectorised(
                #[inline(always)]
                move || gradient.iter_mut().for_each(|g| *g = g.clamp(-limit, limit)),
            );
        }
        Ok(())
    }

    fn goes_by_parts(&self, _: &Context<'_>) -> bool {
        true
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("max_value", Slot::Schedule(&mut self.max_value));
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ClipByValue {
    fn update_tensor(&mut self, gradient: &Tensor, context: &TensorContext<'_>, _: &mut TensorState) -> Result<Tensor> {
        let limit = self.max_value.at(context.when).abs() as f32;
        Ok(if limit.is_finite() { gradient.clamp(-limit, limit)? } else { gradient.clone() })
    }
}

const FORM: Param = Param::word("form", &["torch", "optax"], "torch", "whether 1e-6 is added to the norm");

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "clip_by_global_norm",
        summary: "scales the gradient down to a norm over all parameters",
        params: &[Param::number("max_norm", Range::Limit, "", "largest norm"), FORM],
        make: Make::Clip(|a| {
            let clip = clip_by_global_norm(a.schedule("max_norm")?);
            Ok(Chain::new().then(if a.word("form")? == "optax" { clip.exact() } else { clip }))
        }),
    },
    Row {
        name: "clip_by_part_norm",
        summary: "scales the gradient of each part of the network (actor, critic) down to a norm",
        params: &[Param::number("max_norm", Range::Limit, "", "largest norm of a part")],
        make: Make::Clip(|a| Ok(Chain::new().then(clip_by_part_norm(a.schedule("max_norm")?)))),
    },
    Row {
        name: "clip_by_block_norm",
        summary: "scales each block of the gradient down to a norm",
        params: &[Param::number("max_norm", Range::Limit, "", "largest norm of a block")],
        make: Make::Clip(|a| Ok(Chain::new().then(clip_by_block_norm(a.schedule("max_norm")?)))),
    },
    Row {
        name: "clip_by_block_rms",
        summary: "scales each block of the gradient down to a root mean square",
        params: &[Param::number("max_rms", Range::Limit, "", "largest root mean square of a block")],
        make: Make::Clip(|a| Ok(Chain::new().then(clip_by_block_rms(a.schedule("max_rms")?)))),
    },
    Row {
        name: "clip_by_value",
        summary: "clips every number of the gradient",
        params: &[Param::number("max_value", Range::Limit, "", "largest size of a number")],
        make: Make::Clip(|a| Ok(Chain::new().then(clip_by_value(a.schedule("max_value")?)))),
    },
];

#[cfg(test)]
mod tests {
    use super::of_one_part;
    use crate::layout::Block;

    #[test]
    fn a_part_goes_up_to_the_first_dot() {
        let block = |name: &str| Block { name: name.into(), shape: vec![1], offset: 0 };
        for (one, other, together) in [
            ("actor.0.weight", "actor.1.bias", true),
            ("actor", "actor.log_std", true),
            ("actor.head", "trunk.head", false),
            ("act.or", "actor.0", false),
        ] {
            assert_eq!(of_one_part(&block(one), &block(other)), together, "{one} and {other}");
            assert_eq!(of_one_part(&block(other), &block(one)), together, "{other} and {one}");
        }
    }
}
