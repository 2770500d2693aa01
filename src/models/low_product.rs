//! A matrix product of numbers of 16 bits.

use candle_core::backend::BackendStorage as _;
use candle_core::{CpuStorage, CustomOp2, DType, Layout, Result, Shape, Tensor};

/// `x·y`, `[n, k]` by `[k, m]`, of bf16 or f16, summed in f32 and rounded once, whatever the device.
///
/// A GPU does that by itself. On the CPU candle sums f16 in f16, which loses what is small beside a sum of many rows, and brings
/// all of the storage that a view is of to f32.
pub(super) fn low_product(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    if x.device().is_cpu() { x.apply_op2(y, LowProduct) } else { x.matmul(y) }
}

struct LowProduct;

impl CustomOp2 for LowProduct {
    fn name(&self) -> &'static str {
        "low-product"
    }

    fn cpu_fwd(&self, x: &CpuStorage, of_x: &Layout, y: &CpuStorage, of_y: &Layout) -> Result<(CpuStorage, Shape)> {
        let ((n, k), (_, m)) = (of_x.shape().dims2()?, of_y.shape().dims2()?);
        let ((wide_x, at_x), (wide_y, at_y)) = (wide(x, of_x)?, wide(y, of_y)?);
        let product = wide_x.matmul(&wide_y, (1, n, m, k), &at_x, &at_y)?;
        let shape = Shape::from((n, m));
        Ok((product.to_dtype(&Layout::contiguous(&shape), x.dtype())?, shape))
    }

    fn bwd(&self, x: &Tensor, y: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((Some(low_product(gradient, &y.t()?)?), Some(low_product(&x.t()?, gradient)?)))
    }
}

/// A matrix in f32, turned as it is where it is a whole one on its side.
fn wide(x: &CpuStorage, of_x: &Layout) -> Result<(CpuStorage, Layout)> {
    let turned = of_x.transpose(0, 1)?;
    if !of_x.is_contiguous() && turned.is_contiguous() {
        return Ok((x.to_dtype(&turned, DType::F32)?, Layout::contiguous(turned.shape()).transpose(0, 1)?));
    }
    Ok((x.to_dtype(of_x, DType::F32)?, Layout::contiguous(of_x.shape())))
}

#[cfg(test)]
mod tests {
    use candle_core::{DType, Device, Tensor, Var};

    use super::low_product;

    fn numbers(len: usize, far: usize) -> Vec<f32> {
        (0..len).map(|i| (i * far % 29) as f32 / 14.5 - 0.9).collect()
    }

    /// Products and their gradients, of whole matrices and of views, against f32 of the same numbers.
    #[test]
    fn it_is_the_product_in_f32_rounded_once() {
        let (n, k, m) = (5, 2_100, 3);
        for dtype in [DType::BF16, DType::F16] {
            let low = |from: Vec<f32>, shape: (usize, usize)| {
                let wide = Tensor::from_vec(from, shape, &Device::Cpu).expect("a tensor");
                Var::from_tensor(&wide.to_dtype(dtype).expect("numbers")).expect("a variable")
            };
            let (x, y) = (low(numbers((n + 2) * k, 11), (n + 2, k)), low(numbers(m * k, 17), (m, k)));
            // A view from the third row on, and a matrix on its side.
            let (view, side) = (x.narrow(0, 2, n).expect("rows"), y.t().expect("turned"));
            let wide = |x: &Tensor| x.to_dtype(DType::F32).expect("numbers");
            let (low, in_f32) =
                (low_product(&view, &side).expect("a product"), wide(&view).matmul(&wide(&side)).expect("a product"));
            let flat = |x: &Tensor| x.flatten_all().and_then(|x| x.to_vec1::<f32>()).expect("numbers");
            let rounded = |x: &Tensor| flat(&wide(&x.to_dtype(dtype).expect("rounded")));
            assert_eq!((low.dtype(), flat(&wide(&low))), (dtype, rounded(&in_f32)));
            let slopes = [&wide(&low), &in_f32].map(|product| {
                let gradients = product.sqr().and_then(|x| x.mean_all()?.backward()).expect("gradients");
                [x.as_tensor(), y.as_tensor()].map(|x| flat(&wide(gradients.get(x).expect("a gradient"))))
            });
            for (low, in_f32) in slopes[0].iter().zip(&slopes[1]) {
                let most = in_f32.iter().fold(0.0f32, |most, x| most.max(x.abs()));
                let apart = low.iter().zip(in_f32).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
                assert!(most > 0.1 && apart < 0.02 * most, "{dtype:?}: {apart} of {most}");
            }
        }
    }
}
