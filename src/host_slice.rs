//! Tensors of the CPU as slices, without a copy.

use candle_core::{CpuStorage, Layout, Result, Tensor, bail};

/// The numbers of a contiguous `f32` storage.
pub(crate) fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("a tensor of this operation must be contiguous"),
    }
}

/// Reads a contiguous `f32` tensor on the CPU without copying it.
pub(crate) fn with_slice<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        candle_core::Storage::Cpu(storage) => f(contiguous(storage, layout)?),
        _ => bail!("a tensor of this operation must be on the CPU"),
    }
}
