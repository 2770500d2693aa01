/// Whether one of the numbers is none.
fn broken(x: &[f32]) -> bool {
    x.iter().any(|x| x.is_nan())
}

fn copy(x: &[f32], y: &mut [f32], n: usize) {
    y[..n].copy_from_slice(&x[..n]);
}

fn constant(row: &[f32], y: &mut [f32], n: usize) {
    y[..n].copy_from_slice(&row[..n]);
}

fn exponential(y: &mut [f32], n: usize, shift: f32) {
    for y in &mut y[..n] {
        *y = exp(*y + shift);
    }
}

fn spread(weight: &[f32], x: &[f32], y: &mut [f32], n: usize, k: usize, least: f32) {
    for j in 0..k {
        let mut sum = least;
        for i in 0..n {
            sum += x[i] * x[i] * weight[i * k + j];
        }
        y[j] = sqrt(sum);
    }
}

/// The number brought into bounds; one that is none stays none.
fn within(low: f32, high: f32, x: f32) -> f32 {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

fn normalise(mean: &[f32], scale: &[f32], x: &mut [f32], n: usize, clip: f32) {
    for i in 0..n {
        x[i] = within(-clip, clip, (x[i] - mean[i]) * scale[i]);
    }
}

fn scale(x: &mut [f32], n: usize, factor: f32) {
    for x in &mut x[..n] {
        *x *= factor;
    }
}

fn linear(weight: &[f32], bias: &[f32], x: &[f32], y: &mut [f32], inputs: usize, outputs: usize) {
    for j in 0..outputs {
        let mut sum = 0.0;
        for i in 0..inputs {
            sum += weight[j * inputs + i] * x[i];
        }
        y[j] = sum + bias[j];
    }
}

fn layer_norm(x: &mut [f32], n: usize, eps: f32) {
    let (mut mean, mut variance) = (0.0, 0.0);
    for x in &x[..n] {
        mean += *x;
    }
    mean /= n as f32;
    for x in &mut x[..n] {
        *x -= mean;
        variance += *x * *x;
    }
    let factor = 1.0 / sqrt(variance / n as f32 + eps);
    for x in &mut x[..n] {
        *x *= factor;
    }
}

fn affine(gain: &[f32], bias: &[f32], x: &mut [f32], n: usize) {
    for i in 0..n {
        x[i] = x[i] * gain[i] + bias[i];
    }
}

/// The exponential function: 2 to a whole power, times a polynomial of what is left, at most half of log 2.
fn exp(x: f32) -> f32 {
    if x.is_nan() {
        return x;
    }
    if x > 88.7 {
        return f32::INFINITY;
    }
    if x < -87.0 {
        return 0.0;
    }
    let turns = (x * core::f32::consts::LOG2_E + if x < 0.0 { -0.5 } else { 0.5 }) as i32;
    // log 2 in two parts, the first of which times a whole power is exact.
    let r = x - turns as f32 * 0.693_359_4 + turns as f32 * 2.121_944_4e-4;
    let mut sum = 1.0;
    let mut k = 7.0;
    while k > 0.0 {
        sum = 1.0 + sum * r / k;
        k -= 1.0;
    }
    // In two steps, as a whole power of 128 is no number.
    let half = turns / 2;
    let power = |turns: i32| f32::from_bits(((turns + 127) << 23) as u32);
    sum * power(half) * power(turns - half)
}

/// The square root, by Newton's method.
fn sqrt(x: f32) -> f32 {
    if !(x > 0.0 && x.is_finite()) {
        return x;
    }
    let mut y = f32::from_bits((x.to_bits() >> 1) + 0x1fc0_0000);
    let mut step = 0;
    while step < 4 {
        y = 0.5 * (y + x / y);
        step += 1;
    }
    y
}

/// The hyperbolic tangent: near 0 the beginning of its series, which loses nothing there.
fn tanh(x: f32) -> f32 {
    let size = x.abs();
    if size < 0.2 {
        let s = x * x;
        return x * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
    }
    let y = 1.0 - 2.0 / (exp(2.0 * size) + 1.0);
    if x < 0.0 { -y } else { y }
}

/// The error function: Abramowitz and Stegun 1964, 7.1.26, within 1.5e-7.
fn erf(x: f32) -> f32 {
    let size = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * size);
    let sum = t * (0.254_829_6 + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152 + t * 1.061_405_4))));
    let y = 1.0 - sum * exp(-size * size);
    if x < 0.0 { -y } else { y }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

fn tanh_all(x: &mut [f32], n: usize) {
    for x in &mut x[..n] {
        *x = tanh(*x);
    }
}

fn relu_all(x: &mut [f32], n: usize) {
    for x in &mut x[..n] {
        *x = if *x < 0.0 { 0.0 } else { *x };
    }
}

fn leak_all(x: &mut [f32], n: usize) {
    for x in &mut x[..n] {
        *x = if *x > 0.0 { *x } else { 0.01 * *x };
    }
}

fn silu_all(x: &mut [f32], n: usize) {
    for x in &mut x[..n] {
        *x *= sigmoid(*x);
    }
}

fn gelu_all(x: &mut [f32], n: usize) {
    for x in &mut x[..n] {
        *x *= 0.5 * (1.0 + erf(*x * core::f32::consts::FRAC_1_SQRT_2));
    }
}

/// How many windows there are, of these sizes: height, width and channels of an image, side, stride and padding of a window.
fn places([height, width, _, side, stride, padding]: [usize; 6]) -> usize {
    ((height + 2 * padding - side) / stride + 1) * ((width + 2 * padding - side) / stride + 1)
}

/// Tells of each pixel under the window of a place where its numbers begin, and which of the window's it is. In the border are none.
fn under(place: usize, sizes: [usize; 6], mut pixel: impl FnMut(usize, usize)) {
    let [height, width, channels, side, stride, padding] = sizes;
    let columns = (width + 2 * padding - side) / stride + 1;
    let (top, left) = (place / columns * stride, place % columns * stride);
    for r in 0..side {
        for c in 0..side {
            let (row, column) = (top + r, left + c);
            if row >= padding && row < height + padding && column >= padding && column < width + padding {
                pixel(((row - padding) * width + column - padding) * channels, r * side + c);
            }
        }
    }
}

fn filters(weight: &[f32], bias: &[f32], x: &[f32], y: &mut [f32], sizes: [usize; 6], filters: usize) {
    let [_, _, channels, side, ..] = sizes;
    for place in 0..places(sizes) {
        for f in 0..filters {
            let mut sum = 0.0;
            under(place, sizes, |pixel, own| {
                let own = (f * side * side + own) * channels;
                for i in 0..channels {
                    sum += weight[own + i] * x[pixel + i];
                }
            });
            y[place * filters + f] = sum + bias[f];
        }
    }
}

fn pool(x: &[f32], y: &mut [f32], sizes: [usize; 6]) {
    let [_, _, channels, ..] = sizes;
    for place in 0..places(sizes) {
        for i in 0..channels {
            let mut most = f32::NEG_INFINITY;
            under(place, sizes, |pixel, _| {
                let x = x[pixel + i];
                most = if x > most || x.is_nan() { x } else { most };
            });
            y[place * channels + i] = most;
        }
    }
}

fn add(x: &[f32], y: &mut [f32], n: usize) {
    for i in 0..n {
        y[i] += x[i];
    }
}

fn gru(x: &[f32], m: &[f32], memory: &mut [f32], units: usize) {
    for i in 0..units {
        let reset = sigmoid(x[i] + m[i]);
        let update = sigmoid(x[units + i] + m[units + i]);
        let fresh = tanh(x[2 * units + i] + reset * m[2 * units + i]);
        memory[i] = fresh + update * (memory[i] - fresh);
    }
}

fn lstm(x: &[f32], m: &[f32], memory: &mut [f32], units: usize) {
    for i in 0..units {
        let input = sigmoid(x[i] + m[i]);
        let forget = sigmoid(x[units + i] + m[units + i]);
        let cell = tanh(x[2 * units + i] + m[2 * units + i]);
        let output = sigmoid(x[3 * units + i] + m[3 * units + i]);
        memory[units + i] = forget * memory[units + i] + input * cell;
        memory[i] = output * tanh(memory[units + i]);
    }
}
