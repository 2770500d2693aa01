//! Links that draw random numbers: each from a stream of its own.

use crate::{BLOCKS, at, numbers, optimizer, params, values};

/// How parameters move under an optimizer whose links draw noise, after some steps with gradients of zeros.
fn drawn(spec: &str) -> Vec<f32> {
    let start = if spec.contains("perturb") { numbers(17, 3) } else { vec![0.0; 17] };
    let (mut optimizer, mut params) = (optimizer(spec), params(BLOCKS, &start));
    for step in 0..8 {
        optimizer.step(&mut params, &[0.0; 17], at(step)).expect("a step");
    }
    values(&params).iter().zip(&start).map(|(after, before)| after - before).collect()
}

#[test]
fn links_of_one_seed_draw_apart_wherever_they_stand() {
    for noise in ["add_noise(1)", "add_noise(1, seed=3)"] {
        // Blocks [12], [3] and [2]: the first three numbers of either branch came from one stream.
        let moved = drawn(&format!("partition(\"actor.weight\", {noise} | sgd(1), \"*\", {noise} | sgd(1))"));
        assert!(moved[..5].iter().zip(&moved[12..]).all(|(a, b)| a != b), "{noise}: {moved:?}");
        let moved = drawn(&format!("masked(\"actor.weight\", {noise}) | masked(biases, {noise}) | sgd(1)"));
        assert!(moved[..5].iter().zip(&moved[12..]).all(|(a, b)| a != b), "{noise}: {moved:?}");
    }
    for (one, two) in [
        ("add_noise(1) | sgd(1)", "add_noise(1) | add_noise(1) | sgd(1)"),
        ("add_noise(1) | lookahead(sgd(1), k=9)", "add_noise(1) | lookahead(add_noise(1) | sgd(1), k=9)"),
        ("add_noise(1) | accumulate(1, sgd(1))", "add_noise(1) | accumulate(1, add_noise(1) | sgd(1))"),
        ("sgd(0) | shrink_and_perturb(1, 1, 2)", "sgd(0) | partition(\"*\", shrink_and_perturb(1, 1, 2))"),
    ] {
        let (one, two) = (drawn(one), drawn(two));
        // Drawn twice from one stream it would be twice as far, or the same.
        assert!(one.iter().zip(&two).all(|(a, b)| (b - 2.0 * a).abs() > 1e-6 && a != b), "{one:?} {two:?}");
    }
}

#[test]
fn two_noises_in_a_row_have_the_sum_of_their_variances() {
    const N: usize = 10_000;
    let (mut optimizer, mut params) =
        (optimizer("add_noise(1) | add_noise(1) | sgd(1)"), params(&[("w", &[N])], &[0.0; N]));
    optimizer.step(&mut params, &[0.0; N], at(0)).expect("a step");
    let variance = values(&params).iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / N as f64;
    assert!((variance - 2.0).abs() < 5.0 * 2.0 * f64::sqrt(2.0 / N as f64), "{variance}");
}

#[test]
fn a_stream_is_told_by_its_seed_and_its_place() {
    let two = |first: u64| drawn(&format!("add_noise(1, seed={first}) | add_noise(0, seed=1) | sgd(1)"));
    assert_eq!(two(7), two(7));
    assert_ne!(two(7), two(8));
    assert_ne!(drawn("centralize | add_noise(1) | sgd(1)"), drawn("add_noise(1) | centralize | sgd(1)"));
}
