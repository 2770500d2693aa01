//! Elementary functions over slices: `exp`, `log1p`, `sigmoid` and `tanh` of every element, in place.
//!
//! No branch and no table, so that the compiler vectorises each loop; every product that is added is a fused one, which
//! is exact on every instruction set: the same bits one by one and sixteen at a time. Each error is the largest found over
//! every 997th of all finite `f32` of both signs, in units of the last place of the exact value.

use super::vector::vectorised;

/// Adding and subtracting 1.5·2²³ rounds to the nearest integer, whose low bits the sum then holds.
const ROUND: f32 = 12_582_912.0;
/// ln 2 in two parts: the first has few bits, so that a small integer times it is exact.
const LN2_HIGH: f32 = 0.693_359_4;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// `eˣ` of every element, in place: within 1 ulp, 2 ulp where the result is subnormal.
pub(crate) fn exp_in_place(x: &mut [f32]) {
    vectorised(
        #[inline(always)]
        move || x.iter_mut().for_each(|v| *v = exp(*v)),
    );
}

/// `ln(1 + x)` of every element, in place: within 2 ulp.
pub(crate) fn log1p_in_place(x: &mut [f32]) {
    vectorised(
        #[inline(always)]
        move || x.iter_mut().for_each(|v| *v = log1p(*v)),
    );
}

/// `1 / (1 + e⁻ˣ)` of every element, in place: within 3 ulp.
pub(crate) fn sigmoid_in_place(x: &mut [f32]) {
    vectorised(
        #[inline(always)]
        move || x.iter_mut().for_each(|v| *v = sigmoid(*v)),
    );
}

/// `tanh x` of every element, in place: within 3 ulp.
pub(crate) fn tanh_in_place(x: &mut [f32]) {
    vectorised(
        #[inline(always)]
        move || x.iter_mut().for_each(|v| *v = tanh(*v)),
    );
}

/// `2ⁿ` for `−127 < n < 128`, from a sum `n + ROUND`: its low bits, moved to the exponent's place.
#[inline(always)]
fn power_of_two(shifted: f32) -> f32 {
    f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits()))
}

/// `x = n·ln 2 + r` with `|r| ≤ ½ ln 2`: gives `n + ROUND`, and `eʳ − 1`.
///
/// `eʳ = 1 + r + r²·p(r)`, p of degree 5 near the minimax polynomial: its own error is 5e-11.
#[inline(always)]
fn split_exp(x: f32) -> (f32, f32) {
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let p = 1.991_838_5e-4f32;
    let p = p.mul_add(r, 1.394_607_4e-3);
    let p = p.mul_add(r, 8.333_264e-3);
    let p = p.mul_add(r, 4.166_627e-2);
    let p = p.mul_add(r, 0.166_666_67);
    let p = p.mul_add(r, 0.5);
    (shifted, p.mul_add(r * r, r))
}

/// `eˣ`.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // Past these the result is infinite or rounds to 0. Written so that NaN passes through.
    const HIGH: f32 = 89.0;
    const LOW: f32 = -104.0;
    let clamped = if x > HIGH { HIGH } else { x };
    let clamped = if clamped < LOW { LOW } else { clamped };
    let (shifted, expm1_r) = split_exp(clamped);
    // 2ⁿ may lie outside what an f32 holds, where the result does not: half of it at a time.
    let half = ((shifted - ROUND) * 0.5 + ROUND) - ROUND;
    let rest = (shifted - ROUND) - half;
    (1.0 + expm1_r) * power_of_two(half + ROUND) * power_of_two(rest + ROUND)
}

/// `ln(1 + x)`.
///
/// With `1 + x = 2ᵏ·(1 + f)`, `√½ ≤ 1 + f < √2`, it is `k·ln 2 + ln(1 + f)`. `f` is `x·2⁻ᵏ + (2⁻ᵏ − 1)` with one
/// rounding, so that nothing of a small x is lost; `ln(1 + f) = f − ½f² + f³·p(f)`, p of degree 8: its own error is 8e-10.
#[inline(always)]
pub(super) fn log1p(x: f32) -> f32 {
    // The exponent of 1 + x, once moved so that it counts from √½.
    const SQRT_HALF: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
    let above = (1.0 + x).to_bits().wrapping_sub(SQRT_HALF);
    let k = (above as i32) >> 23;
    // A quarter of x times four times 2⁻ᵏ: for the largest x, 2⁻ᵏ itself would be subnormal.
    let scale = f32::from_bits(4.0f32.to_bits().wrapping_sub((k as u32) << 23));
    let f = (0.25 * x).mul_add(scale, 0.25 * scale - 1.0);
    let p = 6.746_597e-2f32;
    let p = p.mul_add(f, -0.116_796_53);
    let p = p.mul_add(f, 0.118_903_24);
    let p = p.mul_add(f, -0.124_051_355);
    let p = p.mul_add(f, 0.142_192_24);
    let p = p.mul_add(f, -0.166_680_07);
    let p = p.mul_add(f, 0.200_021_34);
    let p = p.mul_add(f, -0.250_000_1);
    let p = p.mul_add(f, 0.333_333_13);
    let f2 = f * f;
    let k = k as f32;
    let tail = (f2 * f).mul_add(p, f2.mul_add(-0.5, k * LN2_LOW));
    let y = k.mul_add(LN2_HIGH, f + tail);
    let y = if x == f32::INFINITY { x } else { y };
    let y = if x == -1.0 { f32::NEG_INFINITY } else { y };
    // Below 2⁻²⁵ it is x, whose quarter may have lost bits; and so the sign of −0 is kept.
    let y = if x.abs() < 1e-8 { x } else { y };
    if x >= -1.0 { y } else { f32::NAN }
}

/// `1 / (1 + e⁻ˣ)`, from the side on which the power does not overflow.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    let t = exp(-x.abs());
    (if x < 0.0 { t } else { 1.0 }) / (1.0 + t)
}

/// The standard normal density, `e^(−x²/2) / √2π`.
#[inline(always)]
pub(super) fn normal_pdf(x: f32) -> f32 {
    const PER_ROOT_2PI: f32 = 0.398_942_3;
    PER_ROOT_2PI * exp(-0.5 * x * x)
}

/// The standard normal distribution function: within 1.2e-7.
///
/// With `t = 1/(1 + p·|x|/√2)` it is `1 − ½·e^(−x²/2)·q(t)` above 0, `q` of degree 5. Abramowitz and Stegun 1964, 7.1.26.
#[inline(always)]
pub(super) fn normal_cdf(x: f32) -> f32 {
    let t = 1.0 / x.abs().mul_add(0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2, 1.0);
    let q = 1.061_405_4f32;
    let q = q.mul_add(t, -1.453_152_1);
    let q = q.mul_add(t, 1.421_413_8);
    let q = q.mul_add(t, -0.284_496_72);
    let q = q.mul_add(t, 0.254_829_6);
    let tail = 0.5 * q * t * exp(-0.5 * x * x);
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// `tanh x`: with `u = 2|x|` it is `expm1(u) / (expm1(u) + 2)`, which loses nothing near zero, and
/// `expm1(u) = 2ⁿ·expm1(r) + (2ⁿ − 1)`.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    // Past 9.02 the nearest f32 to tanh is 1. The clamp, written so that NaN passes through, keeps 2ⁿ finite.
    const LIMIT: f32 = 9.02;
    let magnitude = x.abs();
    let magnitude = if magnitude > LIMIT { LIMIT } else { magnitude };
    let (shifted, expm1_r) = split_exp(2.0 * magnitude);
    let two_n = power_of_two(shifted);
    let expm1_u = two_n.mul_add(expm1_r, two_n - 1.0);
    (expm1_u / (expm1_u + 2.0)).copysign(x)
}

#[cfg(test)]
mod tests;
