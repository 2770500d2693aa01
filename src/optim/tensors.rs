//! Steps in operations on tensors, where the parameters are.

use candle_core::{DType, Device, Tensor};

pub(super) use crate::device::wide;

use super::{Schedule, When};
use crate::error::check_len;
use crate::{Block, Layout, Result, Stop};

/// What a transform may know besides the gradient, of a step that is taken where the parameters are.
#[derive(Debug, Clone)]
pub struct TensorContext<'a> {
    /// The parameters before the step, `[P]`, outside of any graph.
    pub theta: Tensor,
    /// Which of them are what.
    pub layout: &'a Layout,
    /// When the step is taken.
    pub when: When,
    /// Norm of the whole gradient as the chain was given it, a scalar, for its first link; `None` for others.
    pub norm: Option<Tensor>,
    /// Whether to break off; see [`Context::stop`](super::Context::stop).
    pub stop: Stop<'a>,
    /// What a learning rate is multiplied by: 1 unless an algorithm adapts it.
    pub lr_factor: f64,
}

impl TensorContext<'_> {
    /// The learning rate of the step, by a link's own schedule.
    #[must_use]
    pub fn learning_rate(&self, schedule: &Schedule) -> f64 {
        schedule.at(self.when) * self.lr_factor
    }

    /// Replaces each block of a gradient `[P]` by what `change` makes of it and its parameters, vectors both.
    pub(super) fn by_block(
        &self,
        gradient: &Tensor,
        mut change: impl FnMut(&Block, Tensor, Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let mut changed = Vec::new();
        for block in self.layout.blocks().iter().filter(|block| block.elem_count() > 0) {
            let [gradient, theta] = [gradient, &self.theta].map(|x| x.narrow(0, block.offset, block.elem_count()));
            changed.push(change(block, gradient?, theta?)?);
        }
        joined(&changed)
    }
}

/// A [`GradientTransform`](super::GradientTransform) in operations on tensors: the same equation, of which nothing is read by the
/// host.
///
/// What goes by the count of steps and by schedules is as well known on the host, and is part of the transform itself; its
/// vectors are in a [`TensorState`].
pub trait TensorTransform {
    /// What becomes of a gradient, `[P]`, and of the state: every vector that
    /// [`GradientTransform::state`](super::GradientTransform::state) shows is taken and put once, in the order in which it shows them.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if the device fails, [`Error::Interrupted`](crate::Error::Interrupted) where
    /// the context's `stop` says so.
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor>;
}

/// The vectors of a chain's state on a device, in the course of a step.
#[derive(Debug)]
pub struct TensorState {
    device: Device,
    /// As the step before left them, those that have not been taken yet; `None` is an empty one.
    rest: std::vec::IntoIter<Option<Tensor>>,
    taken: Vec<Tensor>,
    put: Vec<Tensor>,
}

impl TensorState {
    pub(super) fn new(vectors: Vec<Option<Tensor>>, device: &Device) -> Self {
        Self { device: device.clone(), rest: vectors.into_iter(), taken: Vec::new(), put: Vec::new() }
    }

    /// The next vector, of so many numbers, as the step before left it; all of it is `start` before the first.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if it has another length, [`Error::Tensor`](crate::Error::Tensor) if the device fails.
    pub fn take(&mut self, len: usize, start: f32) -> Result<Tensor> {
        let vector = match self.rest.next().flatten() {
            Some(vector) => vector,
            None if len == 0 => joined(&[])?,
            None => Tensor::full(start, len, &self.device)?,
        };
        check_len("the optimizer's state", len, vector.elem_count())?;
        self.taken.push(vector.clone());
        Ok(vector)
    }

    /// What has become of the next vector that was taken.
    pub fn put(&mut self, vector: Tensor) {
        self.put.push(vector);
    }

    /// All vectors after the step, or before it where `sound`, a scalar, is 0.
    pub(super) fn after(self, sound: &Tensor) -> Result<Vec<Option<Tensor>>> {
        let pairs = self.put.iter().zip(&self.taken);
        pairs.map(|(new, old)| Ok((new.elem_count() > 0).then(|| choose(sound, new, old)).transpose()?)).collect()
    }
}

/// `yes` where a scalar is not 0, else `no`.
pub(super) fn choose(scalar: &Tensor, yes: &Tensor, no: &Tensor) -> candle_core::Result<Tensor> {
    scalar.broadcast_as(yes.shape())?.where_cond(yes, no)
}

/// One vector after the other.
pub(super) fn joined(vectors: &[Tensor]) -> Result<Tensor> {
    match vectors {
        // A device may have no tensor of nothing.
        [] => Ok(Tensor::zeros(0, DType::F32, &Device::Cpu)?),
        [one] => Ok(one.flatten_all()?),
        several => {
            let flat = several.iter().map(Tensor::flatten_all).collect::<candle_core::Result<Vec<_>>>()?;
            Ok(Tensor::cat(&flat, 0)?)
        }
    }
}

/// `a·x + b·y`.
pub(super) fn mix(a: f64, x: &Tensor, b: f64, y: &Tensor) -> candle_core::Result<Tensor> {
    x.affine(a, 0.0)? + y.affine(b, 0.0)?
}

/// `factor·x`, though the factor should pass f32.
pub(super) fn scaled(x: &Tensor, factor: f64) -> Result<Tensor> {
    if factor != 0.0 && factor.is_finite() && !(factor as f32).is_normal() {
        return Ok(wide(x)?.affine(factor, 0.0)?.to_dtype(DType::F32)?);
    }
    Ok(x.affine(factor, 0.0)?)
}

/// The same by a scalar that is [`wide`].
pub(super) fn scaled_by(x: &Tensor, factor: &Tensor) -> Result<Tensor> {
    Ok(wide(x)?.broadcast_mul(factor)?.to_dtype(DType::F32)?)
}

/// `x / root`, where the root of squares that were always 0 makes 0; nothing of that kind is asked where something above 0 has
/// been added to it.
pub(super) fn over(x: &Tensor, root: &Tensor, is_positive: bool) -> candle_core::Result<Tensor> {
    let quotient = (x / root)?;
    if is_positive { Ok(quotient) } else { root.eq(&root.zeros_like()?)?.where_cond(&x.zeros_like()?, &quotient) }
}

/// Sums of so many rows are made side by side: a device sums one row in one place.
const ROWS: usize = 256;

/// `‖x‖`, a scalar that is [`wide`].
pub(super) fn length(x: &Tensor) -> Result<Tensor> {
    let squares = wide(x)?.flatten_all()?.sqr()?;
    let columns = squares.elem_count() / ROWS;
    let rows = squares.narrow(0, 0, ROWS * columns)?;
    let rest = squares.narrow(0, ROWS * columns, squares.elem_count() - ROWS * columns)?;
    let sum = match (columns, rest.elem_count()) {
        (0, _) => rest.sum_all()?,
        (_, 0) => rows.reshape((ROWS, columns))?.sum(1)?.sum_all()?,
        _ => (rows.reshape((ROWS, columns))?.sum(1)?.sum_all()? + rest.sum_all()?)?,
    };
    Ok(sum.sqrt()?)
}

/// The root mean square, a scalar that is [`wide`].
pub(super) fn rms(x: &Tensor) -> Result<Tensor> {
    Ok(length(x)?.affine((x.elem_count().max(1) as f64).sqrt().recip(), 0.0)?)
}

/// The larger of each number and `least`, which stands for NaN, too.
pub(super) fn at_least(x: &Tensor, least: f64) -> candle_core::Result<Tensor> {
    let least = x.ones_like()?.affine(least, 0.0)?;
    x.gt(&least)?.where_cond(x, &least)
}

/// The smaller of each number and `most`, which stands for NaN, too.
pub(super) fn at_most(x: &Tensor, most: f64) -> candle_core::Result<Tensor> {
    let most = x.ones_like()?.affine(most, 0.0)?;
    x.lt(&most)?.where_cond(x, &most)
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::{at_least, at_most, length, over, scaled};

    fn tensor(x: &[f32]) -> Tensor {
        Tensor::from_slice(x, x.len(), &Device::Cpu).expect("a tensor")
    }

    #[test]
    fn lengths_are_right_for_any_number_of_numbers() {
        for len in [1, 3, 255, 256, 257, 512, 1000, 4097] {
            let x: Vec<f32> = (0..len).map(|i| (i % 17) as f32 - 5.0).collect();
            // Small integers: exact in any order.
            let squares: f64 = x.iter().map(|&x| f64::from(x).powi(2)).sum();
            let length = length(&tensor(&x)).expect("a length").to_scalar::<f64>().expect("a number");
            assert_eq!(length, squares.sqrt(), "{len}");
        }
    }

    #[test]
    fn a_factor_may_pass_f32_and_nan_is_no_limit() {
        let product = scaled(&tensor(&[3e30, 0.0]), 1e-50).expect("a product").to_vec1::<f32>().expect("numbers");
        assert!((product[0] / 3e-20 - 1.0).abs() < 1e-6 && product[1] == 0.0, "{product:?}");
        let x = tensor(&[f32::NAN, 1.0, 3.0]);
        let numbers = |x: candle_core::Result<Tensor>| x.and_then(|x| x.to_vec1::<f32>()).expect("numbers");
        assert_eq!(numbers(at_least(&x, 2.0)), [2.0, 2.0, 3.0]);
        assert_eq!(numbers(at_most(&x, 2.0)), [2.0, 1.0, 2.0]);
        assert_eq!(numbers(over(&tensor(&[5.0, 6.0]), &tensor(&[0.0, 2.0]), false)), [0.0, 3.0]);
    }
}
