use super::{exp_in_place, log1p_in_place, sigmoid_in_place, tanh_in_place};

/// Distance in units of the last place of the exact value rounded to f32.
fn ulps(got: f32, exact: f64) -> f64 {
    let nearest = exact as f32;
    if got == nearest || (got.is_nan() && exact.is_nan()) {
        return 0.0;
    }
    let ulp = f64::from(f32::from_bits(nearest.abs().to_bits() + 1)) - f64::from(nearest.abs());
    (f64::from(got) - exact).abs() / ulp
}

/// The largest error over every 997th of all finite f32 of both signs, 4.3 million values, among those taken.
fn worst(function: fn(&mut [f32]), exact: impl Fn(f64) -> f64, taken: impl Fn(f32) -> bool) -> (f64, f32) {
    let inputs: Vec<f32> = (0..f32::INFINITY.to_bits())
        .step_by(997)
        .flat_map(|bits| [0, 1 << 31].map(|s| bits | s))
        .map(f32::from_bits)
        .collect();
    let mut outputs = inputs.clone();
    function(&mut outputs);
    let errors = inputs.iter().zip(&outputs).filter(|(x, _)| taken(**x));
    errors
        .map(|(&x, &y)| (ulps(y, exact(f64::from(x))), x))
        .fold((0.0, 0.0), |a, b| if b.0 > a.0 || b.0.is_nan() { b } else { a })
}

#[test]
fn errors_are_what_is_said() {
    let normal = |x: f32| x > -87.33;
    for (name, bound, found) in [
        ("exp", 1.0, worst(exp_in_place, f64::exp, normal)),
        ("exp, subnormal", 2.0, worst(exp_in_place, f64::exp, |x| !normal(x))),
        ("log1p", 2.0, worst(log1p_in_place, f64::ln_1p, |_| true)),
        ("sigmoid", 3.0, worst(sigmoid_in_place, |x| 1.0 / (1.0 + (-x).exp()), |_| true)),
        ("tanh", 3.0, worst(tanh_in_place, f64::tanh, |_| true)),
    ] {
        println!("{name}: {} ulp at {}", found.0, found.1);
        assert!(found.0 <= bound, "{name}: {} ulp at {}", found.0, found.1);
    }
}

#[test]
fn one_by_one_gives_the_bits_of_many_at_a_time() {
    let inputs: Vec<f32> = (0..1003).map(|i| (i as f32 - 501.0) * 0.037).collect();
    for function in [exp_in_place, log1p_in_place, sigmoid_in_place, tanh_in_place] {
        let mut together = inputs.clone();
        function(&mut together);
        for (&x, y) in inputs.iter().zip(together) {
            let mut alone = [x];
            function(&mut alone);
            assert_eq!(alone[0].to_bits(), y.to_bits(), "at {x}");
        }
    }
}

#[test]
fn special_values_are_kept() {
    let of = |function: fn(&mut [f32]), x: f32| {
        let mut y = [x];
        function(&mut y);
        y[0]
    };
    let (inf, tiny) = (f32::INFINITY, f32::MIN_POSITIVE);
    for (function, x, y) in [
        (exp_in_place as fn(&mut [f32]), 0.0, 1.0),
        (exp_in_place, -0.0, 1.0),
        (exp_in_place, inf, inf),
        (exp_in_place, -inf, 0.0),
        (exp_in_place, 89.0, inf),
        (log1p_in_place, 0.0, 0.0),
        (log1p_in_place, -0.0, -0.0),
        (log1p_in_place, tiny, tiny),
        (log1p_in_place, inf, inf),
        (log1p_in_place, -1.0, -inf),
        (sigmoid_in_place, 0.0, 0.5),
        (sigmoid_in_place, inf, 1.0),
        (sigmoid_in_place, -inf, 0.0),
        (tanh_in_place, 0.0, 0.0),
        (tanh_in_place, -0.0, -0.0),
        (tanh_in_place, inf, 1.0),
        (tanh_in_place, -inf, -1.0),
        (tanh_in_place, tiny, tiny),
    ] {
        assert_eq!(of(function, x).to_bits(), f32::to_bits(y), "at {x}");
    }
    for function in [exp_in_place, log1p_in_place, sigmoid_in_place, tanh_in_place] {
        assert!(of(function, f32::NAN).is_nan());
    }
    assert!(of(log1p_in_place, -1.5).is_nan() && of(log1p_in_place, -inf).is_nan());
}
