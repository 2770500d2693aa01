//! Layers of a few outputs, each a scalar product.
#![allow(unsafe_code)]

use pulp::{Simd, WithSimd};

/// Parts that a scalar product is summed in.
const PARTS: usize = 16;

/// `out[i, j] = b[j] + Σₖ x[i, k]·W[j, k]`, summed in sixteen parts and then those, in an order that depends on the
/// number of inputs alone. `weight` is `[outputs, inputs]` and `x` `[rows, inputs]`, row by row.
///
/// Panics if a slice has another length: shapes are this crate's own affair.
pub(super) fn scalar_products(weight: &[f32], bias: &[f32], x: &[f32], out: &mut [f32]) {
    let (inputs, rows) = (weight.len() / bias.len(), out.len() / bias.len());
    assert_eq!(weight.len(), inputs * bias.len(), "the weight of {} outputs", bias.len());
    assert_eq!([x.len(), out.len()], [inputs * rows, bias.len() * rows], "{rows} rows of {inputs} inputs");
    pulp::Arch::new().dispatch(ScalarProducts { weight, bias, x, out, inputs });
}

struct ScalarProducts<'a> {
    weight: &'a [f32],
    bias: &'a [f32],
    x: &'a [f32],
    out: &'a mut [f32],
    inputs: usize,
}

impl WithSimd for ScalarProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match PARTS / S::F32_LANES {
            1 => self.in_vectors::<S, 1>(simd),
            2 => self.in_vectors::<S, 2>(simd),
            4 => self.in_vectors::<S, 4>(simd),
            _ => self.in_vectors::<S, PARTS>(simd),
        }
    }
}

impl ScalarProducts<'_> {
    /// `V` vectors hold the sixteen parts.
    #[inline(always)]
    fn in_vectors<S: Simd, const V: usize>(self, simd: S) {
        assert_eq!(V * S::F32_LANES, PARTS, "vectors that hold the parts");
        let Self { weight, bias, x, out, inputs } = self;
        if inputs == 0 {
            return out.chunks_exact_mut(bias.len()).for_each(|out| out.copy_from_slice(bias));
        }
        for (x, out) in x.chunks_exact(inputs).zip(out.chunks_exact_mut(bias.len())) {
            let (x_parts, x_rest) = x.as_chunks::<PARTS>();
            for ((w, b), out) in weight.chunks_exact(inputs).zip(bias).zip(out) {
                let (w_parts, w_rest) = w.as_chunks::<PARTS>();
                let mut sums = [simd.splat_f32s(0.0); V];
                for (x, w) in x_parts.iter().zip(w_parts) {
                    for (v, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: sixteen numbers are `V` vectors of plain numbers, and the reads need no alignment.
                        let [x, w] = unsafe {
                            [x, w].map(|part| part.as_ptr().add(v * S::F32_LANES).cast::<S::f32s>().read_unaligned())
                        };
                        *sum = simd.mul_add_f32s(x, w, *sum);
                    }
                }
                // SAFETY: as above, `V` vectors are sixteen numbers.
                let sums: [f32; PARTS] = unsafe { std::mem::transmute_copy(&sums) };
                let eight: [f32; 8] = std::array::from_fn(|l| sums[l] + sums[l + 8]);
                let four: [f32; 4] = std::array::from_fn(|l| eight[l] + eight[l + 4]);
                let sum = (four[0] + four[2]) + (four[1] + four[3]);
                let rest = x_rest.iter().zip(w_rest).fold(sum, |sum, (&x, &w)| x.mul_add(w, sum));
                *out = rest + b;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PARTS, scalar_products};

    #[test]
    fn every_bit_is_that_of_the_definition_over_lengths_and_rows() {
        let numbers = |len: usize, seed: u32| -> Vec<f32> {
            (0..len as u32)
                .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32 / 1e7 - 0.8)
                .collect()
        };
        for inputs in [0, 1, 3, 15, 16, 17, 33, 64, 100] {
            for (outputs, rows) in [(1, 1), (1, 7), (2, 3), (4, 5), (3, 0)] {
                let (weight, bias, x) = (numbers(outputs * inputs, 1), numbers(outputs, 2), numbers(rows * inputs, 3));
                let mut out = vec![f32::NAN; rows * outputs];
                scalar_products(&weight, &bias, &x, &mut out);
                for (i, out) in out.iter().enumerate() {
                    let (row, output) = (i / outputs, i % outputs);
                    let (x, w) = (&x[row * inputs..][..inputs], &weight[output * inputs..][..inputs]);
                    let whole = inputs - inputs % PARTS;
                    let mut sums = [0.0f32; PARTS];
                    (0..whole).for_each(|k| sums[k % PARTS] = x[k].mul_add(w[k], sums[k % PARTS]));
                    for half in [8, 4, 2, 1] {
                        (0..half).for_each(|l| sums[l] += sums[l + half]);
                    }
                    let sum = (whole..inputs).fold(sums[0], |sum, k| x[k].mul_add(w[k], sum));
                    assert_eq!(
                        out.to_bits(),
                        (sum + bias[output]).to_bits(),
                        "{inputs} inputs, {outputs} outputs, row {row}"
                    );
                }
            }
        }
    }
}
