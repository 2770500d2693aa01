//! All parameters of a network as one flat vector, `theta`, with named blocks.

use std::cell::Cell;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use candle_core::{CpuStorage, DType, Device, InplaceOp1, Tensor, Var};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};

use crate::Result;
use crate::arrays::Arrays;
use crate::buffers::Buffers;
use crate::error::check_len;
use crate::host_slice::with_slice;
use crate::init;
use crate::layout::{Block, Layout, numbers};
use crate::seed::Rng;

/// The parameters of a network: one variable `theta` of shape `[P]`, and which places of it are what.
///
/// Networks hold views of theta, which see every change at once; so nothing but this type should change it, and only
/// through `&mut self`. candle lets whoever holds a tensor write to it (`Tensor::slice_set`): once
/// [`theta`](Params::theta) has been handed out, products that are otherwise kept from pass to pass are made anew each
/// time, which is a little slower and right whatever is written. What is written on another device than the CPU through
/// the views of a [`VarBuilder`] alone is not seen by the optimizer.
#[derive(Debug)]
pub struct Params {
    theta: Var,
    /// What networks see them in.
    dtype: DType,
    /// The same numbers on the host, where theta lives on another device, once they have been asked for since they changed there.
    mirror: OnceLock<Vec<f32>>,
    layout: Layout,
    buffers: Buffers,
    changes: Arc<Changes>,
}

/// What is known of changes of the parameters.
#[derive(Debug, Default)]
struct Changes {
    /// How many have gone through [`Params`].
    counter: AtomicU64,
    /// Whether others may have written to them unseen.
    unseen: AtomicBool,
}

/// The parameters' state at one moment, for an operation that must notice when they have changed since.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    changes: Arc<Changes>,
    at: u64,
}

impl PartialEq for Version {
    /// The same parameters at the same moment, for certain.
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && Arc::ptr_eq(&self.changes, &other.changes) && !self.changed_unseen()
    }
}

impl Version {
    /// Whether no change since has gone through [`Params`].
    pub(crate) fn is_current(&self) -> bool {
        self.changes.counter.load(Ordering::Acquire) == self.at
    }

    /// Whether others may have written to the parameters unseen.
    pub(crate) fn changed_unseen(&self) -> bool {
        self.changes.unseen.load(Ordering::Acquire)
    }
}

impl Params {
    /// Parameters of this layout with these values, `[P]`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if there are not exactly `P` values.
    pub fn new(layout: Layout, values: Vec<f32>, device: &Device) -> Result<Self> {
        check_len("the parameter vector", layout.len(), values.len())?;
        let mirror = OnceLock::new();
        if !device.is_cpu() {
            mirror.get_or_init(|| values.clone());
        }
        let theta = Var::from_vec(values, layout.len(), device)?;
        Ok(Self { theta, dtype: DType::F32, mirror, layout, buffers: Buffers::default(), changes: Arc::default() })
    }

    /// The same parameters, not a copy, as a network sees them that is to answer in another type: blocks are brought to it as they
    /// are asked for, under autograd, and a gradient comes back in f32.
    #[must_use]
    pub fn seen_in(&self, dtype: DType) -> Self {
        let Self { theta, layout, buffers, changes, .. } = self;
        let (theta, layout, buffers, changes) = (theta.clone(), layout.clone(), buffers.clone(), changes.clone());
        Self { theta, dtype, mirror: OnceLock::new(), layout, buffers, changes }
    }

    /// The type that a network is to bring observations and blocks of [`theta`](Params::theta) to before it works on them: f32, but
    /// where it learns in less [precision](crate::Precision). A [`VarBuilder`] over these parameters has it.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Others of the same layout and buffers on the same device, with these values, `[P]`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if there are not exactly `P` values.
    pub(crate) fn with_values(&self, values: Vec<f32>) -> Result<Self> {
        let buffers = self.buffers.clone();
        Ok(Self { buffers, ..Self::new(self.layout.clone(), values, self.device())? })
    }

    /// Makes any candle-nn module trainable: `build` asks its [`VarBuilder`] for tensors and gets views of theta.
    ///
    /// `build` runs twice: once to learn names, shapes and [`Init`] hints, and once for real. Initial values are
    /// drawn from `rng` in the order in which the blocks were asked for. A name asked for again is the same block.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use candle_nn::{Module, linear};
    /// use uphill::{Params, Seed};
    ///
    /// let mut rng = Seed(0).stream("init", 0);
    /// let (params, layer) = Params::build(&Device::Cpu, &mut rng, |vb| linear(4, 2, vb.pp("head")))?;
    /// assert_eq!(params.layout().len(), 4 * 2 + 2);
    /// let y = layer.forward(&Tensor::ones((1, 4), candle_core::DType::F32, &Device::Cpu)?)?;
    /// assert_eq!(params.gradient(&y.sum_all()?)?.dims(), [10]);
    /// # Ok::<(), uphill::Error>(())
    /// ```
    ///
    /// # Errors
    /// What `build` fails with, and [`Error::Tensor`](crate::Error::Tensor) for tensors of another type than `f32`.
    pub fn build<M>(
        device: &Device,
        rng: &mut Rng,
        build: impl Fn(VarBuilder<'_>) -> candle_core::Result<M>,
    ) -> Result<(Self, M)> {
        let recorded = Arc::new(Mutex::new((Layout::default(), Vec::new())));
        build(VarBuilder::from_backend(Box::new(Recorder(recorded.clone())), DType::F32, device.clone()))?;
        let (layout, hints) = std::mem::take(&mut *recorded.lock().unwrap_or_else(PoisonError::into_inner));
        let mut values = vec![0.0; layout.len()];
        for (block, hint) in layout.blocks().iter().zip(&hints) {
            init::from_hint(hint, &block.shape, rng, &mut values[block.range()])?;
        }
        let params = Self::new(layout, values, device)?;
        let module = build(params.var_builder(params.theta.as_tensor()))?;
        Ok((params, module))
    }

    /// The same module over views of these parameters, under autograd as they are.
    ///
    /// # Errors
    /// What `build` fails with, and [`Error::Tensor`](crate::Error::Tensor) for a block that these parameters lack.
    pub fn view<M>(&self, build: impl Fn(VarBuilder<'_>) -> candle_core::Result<M>) -> Result<M> {
        Ok(build(self.var_builder(self.theta.as_tensor()))?)
    }

    /// The same over views that carry no gradient.
    ///
    /// # Errors
    /// As [`Params::view`].
    pub fn frozen<M>(&self, build: impl Fn(VarBuilder<'_>) -> candle_core::Result<M>) -> Result<M> {
        Ok(build(self.var_builder(&self.theta.as_detached_tensor()))?)
    }

    fn var_builder(&self, theta: &Tensor) -> VarBuilder<'static> {
        let views = Views { theta: theta.clone(), dtype: self.dtype, layout: self.layout.clone() };
        VarBuilder::from_backend(Box::new(views), self.dtype, theta.device().clone())
    }

    /// The whole vector, `[P]`, a variable of candle's autograd, of f32 whatever a network is to see it in. It shares its storage with the parameters; what is written
    /// there by other means than these parameters' own counts all the same.
    #[must_use]
    pub fn theta(&self) -> &Tensor {
        self.changes.unseen.store(true, Ordering::Release);
        self.theta.as_tensor()
    }

    /// The same for code that does not write to it.
    pub(crate) fn read_only(&self) -> &Tensor {
        self.theta.as_tensor()
    }

    /// Where they are.
    #[must_use]
    pub fn device(&self) -> &Device {
        self.theta.device()
    }

    /// Which places are what.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What goes with them and is not learnt by descent.
    #[must_use]
    pub fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    /// The same, to be written to.
    pub fn buffers_mut(&mut self) -> &mut Buffers {
        &mut self.buffers
    }

    /// Replaces all buffers by those of the same network elsewhere.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for buffers of other names, [`Error::Shape`](crate::Error::Shape) for those of
    /// other lengths.
    pub fn set_buffers(&mut self, buffers: &Buffers) -> Result<()> {
        self.buffers.copy_from(buffers)
    }

    /// Looks at all values, `[P]`, without a copy.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if theta is no contiguous `f32` tensor, which it is.
    pub fn read<R>(&self, f: impl FnOnce(&[f32]) -> R) -> Result<R> {
        if !self.theta.device().is_cpu() {
            return match self.changes.unseen.load(Ordering::Acquire) {
                true => Ok(f(&self.theta.to_vec1::<f32>()?)),
                false => Ok(f(self.mirrored()?)),
            };
        }
        Ok(with_slice(&self.theta, |theta| Ok(f(theta)))?)
    }

    /// A deep copy of all values, `[P]`.
    ///
    /// # Errors
    /// As [`Params::read`].
    pub fn snapshot(&self) -> Result<Vec<f32>> {
        self.read(<[f32]>::to_vec)
    }

    /// `∂loss/∂theta`, `[P]`; zero where the loss does not depend on it.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if an operation has no gradient, or the parameters changed since the forward pass.
    pub fn gradient(&self, loss: &Tensor) -> Result<Tensor> {
        let gradients = loss.backward()?;
        match gradients.get(&self.theta) {
            Some(gradient) => Ok(gradient.clone()),
            None => Ok(self.theta.zeros_like()?),
        }
    }

    /// Changes values, `[P]`, in place; on another device than the CPU, on the host and then there in one copy.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) if the device fails.
    pub fn update(&mut self, f: impl FnOnce(&mut [f32])) -> Result<()> {
        self.changes.counter.fetch_add(1, Ordering::AcqRel);
        if self.theta.device().is_cpu() {
            return Ok(self.theta.inplace_op1(&InPlace(Cell::new(Some(f))))?);
        }
        if self.changes.unseen.load(Ordering::Acquire) {
            self.mirror.take();
        }
        self.mirrored()?;
        let Some(mirror) = self.mirror.get_mut() else { return Ok(()) };
        f(mirror);
        Ok(self.theta.set(&Tensor::from_slice(mirror, mirror.len(), self.theta.device())?)?)
    }

    /// The mirror, as it has to be.
    fn mirrored(&self) -> Result<&[f32]> {
        if let Some(mirror) = self.mirror.get() {
            return Ok(mirror);
        }
        let values = self.theta.to_vec1()?;
        Ok(self.mirror.get_or_init(|| values))
    }

    /// Adds an update `[P]` where the parameters are, unless `sound`, a scalar of `u8` there, is 0; the host waits for nothing.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for an update of another length or elsewhere, and if the device fails.
    pub(crate) fn add(&mut self, update: &Tensor, sound: &Tensor) -> Result<()> {
        let theta = self.theta.as_detached_tensor();
        let moved = (&theta + update)?;
        let next = sound.broadcast_as(theta.shape())?.where_cond(&moved, &theta)?;
        self.changes.counter.fetch_add(1, Ordering::AcqRel);
        self.mirror.take();
        Ok(self.theta.set(&next)?)
    }

    /// Makes `scale·x + shift` of every value `x` at these places, where the parameters are; the host waits for nothing.
    ///
    /// # Errors
    /// [`Error::Tensor`](crate::Error::Tensor) for places that there are not, and if the device fails.
    pub(crate) fn affine(&mut self, places: Range<usize>, scale: f64, shift: f64) -> Result<()> {
        let some = self.theta.as_detached_tensor().narrow(0, places.start, places.len())?.affine(scale, shift)?;
        self.changes.counter.fetch_add(1, Ordering::AcqRel);
        self.mirror.take();
        Ok(self.theta.slice_set(&some, 0, places.start)?)
    }

    /// Replaces all values, `[P]`.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) if there are not exactly `P` values.
    pub fn set(&mut self, values: &[f32]) -> Result<()> {
        check_len("the parameter vector", self.layout.len(), values.len())?;
        self.update(|theta| theta.copy_from_slice(values))
    }

    /// Adds every block and buffer to `arrays`, its name after `prefix`.
    pub(crate) fn save(&self, prefix: &str, arrays: &mut Arrays) -> Result<()> {
        self.buffers.save(prefix, arrays);
        self.read(|theta| {
            for block in self.layout.blocks() {
                arrays.put_shaped(format!("{prefix}.{}", block.name), &block.shape, theta[block.range()].to_vec());
            }
        })
    }

    /// Takes every block and buffer from what [`Params::save`] left.
    pub(crate) fn restore(&mut self, prefix: &str, arrays: &Arrays) -> Result<()> {
        self.buffers.restore(prefix, arrays)?;
        let mut values = vec![0.0; self.layout.len()];
        for block in self.layout.blocks() {
            arrays.copy_shaped(&format!("{prefix}.{}", block.name), &block.shape, &mut values[block.range()])?;
        }
        self.set(&values)
    }

    pub(crate) fn version(&self) -> Version {
        Version { changes: self.changes.clone(), at: self.changes.counter.load(Ordering::Acquire) }
    }
}

/// A closure as candle's in-place operation.
struct InPlace<F>(Cell<Option<F>>);

impl<F: FnOnce(&mut [f32])> InplaceOp1 for InPlace<F> {
    fn name(&self) -> &'static str {
        "update-in-place"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &candle_core::Layout) -> candle_core::Result<()> {
        let (CpuStorage::F32(values), Some((start, end))) = (storage, layout.contiguous_offsets()) else {
            candle_core::bail!("{}: parameters are contiguous F32", self.name())
        };
        if let Some(f) = self.0.take() {
            f(&mut values[start..end]);
        }
        Ok(())
    }
}

type Recorded = (Layout, Vec<Init>);

/// Answers with zeros and writes down what was asked for.
struct Recorder(Arc<Mutex<Recorded>>);

impl SimpleBackend for Recorder {
    fn get(
        &self,
        shape: candle_core::Shape,
        name: &str,
        hint: Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        require_f32(name, dtype)?;
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (layout, hints) = &mut *recorded;
        match layout.block(name) {
            Some(block) => require_shape(block, shape.dims())?,
            None if numbers(shape.dims()).and_then(|numbers| numbers.checked_add(layout.len())).is_none() => {
                candle_core::bail!("parameter `{name}` was asked for with shape {shape:?}: no vector is that long")
            }
            None => {
                layout.push(name, shape.dims());
                hints.push(hint);
            }
        }
        Tensor::zeros(shape, dtype, device)
    }

    fn get_unchecked(&self, name: &str, _: DType, _: &Device) -> candle_core::Result<Tensor> {
        candle_core::bail!("parameter `{name}` was asked for without a shape, so it cannot be made")
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.block(name).is_some()
    }
}

/// Answers with views of theta, or with what is asked for in another type.
struct Views {
    theta: Tensor,
    dtype: DType,
    layout: Layout,
}

impl SimpleBackend for Views {
    fn get(
        &self,
        shape: candle_core::Shape,
        name: &str,
        _: Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let view = self.get_unchecked(name, dtype, device)?;
        if let Some(block) = self.layout.block(name) {
            require_shape(block, shape.dims())?;
        }
        Ok(view)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, _: &Device) -> candle_core::Result<Tensor> {
        if dtype != self.dtype {
            require_f32(name, dtype)?;
        }
        let Some(block) = self.layout.block(name) else { candle_core::bail!("there is no parameter `{name}`") };
        self.theta.narrow(0, block.offset, block.elem_count())?.reshape(block.shape.as_slice())?.to_dtype(dtype)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.layout.block(name).is_some()
    }
}

fn require_f32(name: &str, dtype: DType) -> candle_core::Result<()> {
    if dtype != DType::F32 {
        candle_core::bail!("parameter `{name}` was asked for as {dtype:?}: parameters are F32")
    }
    Ok(())
}

fn require_shape(block: &Block, shape: &[usize]) -> candle_core::Result<()> {
    if block.shape != shape {
        candle_core::bail!("parameter `{}` has shape {:?}, but {shape:?} was asked for", block.name, block.shape)
    }
    Ok(())
}
