//! Gradients of any size: where a direction should not depend on it, it does not.

use crate::{BLOCKS, at, numbers, optimizer, params, values};

/// What becomes of the parameters in some steps with gradients that are scaled by a factor; `None` where the optimizer
/// says that f32 is too narrow.
fn moved(spec: &str, scale: f64) -> Option<Vec<f32>> {
    let (mut optimizer, mut params) = (optimizer(spec), params(BLOCKS, &numbers(17, 40)));
    for step in 0..4 {
        let gradient: Vec<f32> = numbers(17, 41 + step).iter().map(|&g| (f64::from(g) * scale) as f32).collect();
        match optimizer.step(&mut params, &gradient, at(step)) {
            Ok(_) => {}
            Err(uphill::Error::NotFinite { what }) if what.starts_with("the optimizer's state `") => return None,
            Err(error) => panic!("{spec} at {scale}: {error}"),
        }
    }
    Some(values(&params))
}

fn close(spec: &str, scale: f64, ours: &[f32], expected: &[f32]) {
    for (a, b) in ours.iter().zip(expected) {
        assert!((a - b).abs() <= 2e-5 * (1.0 + b.abs()), "{spec} at {scale}: {ours:?}, expected {expected:?}");
    }
}

/// Where ε is nothing beside the gradients, or 0, directions are the same for gradients of any size.
#[test]
fn a_direction_that_its_paper_makes_of_any_gradient_does_not_depend_on_its_size() {
    for spec in [
        "sign_sgd",
        "lion",
        "adagrad",
        "rmsprop",
        "rmsprop(preset=optax, centered=true)",
        "adam",
        "adamw",
        "amsgrad",
        "adamax",
        "nadam",
        "adabelief",
        "yogi",
        "lars",
        "lamb",
        "adafactor",
        "adafactor(form=optax, min_dim=1)",
        "muon",
        "shampoo(lr=1)",
        "shampoo(lr=1, max_dim=2)",
        "soap",
        "schedule_free_adamw",
        "adam_rel",
        "clip_by_global_norm(0.5, form=optax) | sgd",
        "clip_by_block_norm(0.5) | sgd",
        "clip_by_block_rms(0.1) | sgd",
        "adaptive_clip | sgd",
        "scale_by_trust_ratio | scale_by_learning_rate(0.1)",
        "clip_by_global_norm(0.5, form=optax) | shampoo(lr=1)",
    ] {
        let expected = moved(spec, 1e8).expect("numbers of f32");
        for scale in [1e10, 1e12, 1e15, 1e17, 1e20, 1e30] {
            // A square of f32 ends at 3e38: past it, an error and no silence.
            match moved(spec, scale) {
                Some(ours) => close(spec, scale, &ours, &expected),
                None => assert!(scale > 1e17, "{spec} at {scale}"),
            }
        }
    }
    for spec in [
        "sign_sgd",
        "lion",
        "adagrad(eps=0)",
        "rmsprop(eps=0)",
        "adam(eps=0)",
        "adamw(eps=0)",
        "amsgrad(eps=0)",
        "adamax(eps=0)",
        "nadam(eps=0)",
        "adabelief(eps=0, eps_root=0)",
        "lars",
        "lamb(eps=0)",
        "muon(adam_lr=0)",
        "soap(eps=0)",
        "schedule_free_adamw(eps=0)",
        "adam_rel(eps=0)",
        "scale_by_trust_ratio | scale_by_learning_rate(0.1)",
    ] {
        let expected = moved(spec, 1.0).expect("numbers of f32");
        // The square of a smaller number has fewer digits in f32.
        let squares = !["sign_sgd", "lion", "lars", "muon(adam_lr=0)", "adamax(eps=0)"].contains(&spec)
            && !spec.starts_with("scale_by");
        for scale in [1e-5, 1e-10, 1e-15, 1e-20] {
            if scale > 1e-16 || !squares {
                close(spec, scale, &moved(spec, scale).expect("numbers of f32"), &expected);
            }
        }
    }
}

/// `(1·10ⁿ)` gives `u·10ⁿ`.
#[test]
fn a_linear_optimizer_moves_as_far_as_the_gradient_is_long() {
    for spec in
        ["sgd", "momentum(dampening=0.5)", "nesterov", "nesterov_sutskever", "centralize | sgd", "accumulate(2, sgd)"]
    {
        let walked = |scale: f64| {
            let (mut optimizer, mut params) = (optimizer(spec), params(BLOCKS, &[0.0; 17]));
            for step in 0..4 {
                let gradient: Vec<f32> =
                    numbers(17, 41 + step).iter().map(|&g| (f64::from(g) * scale) as f32).collect();
                optimizer.step(&mut params, &gradient, at(step)).expect("a step");
            }
            values(&params).iter().map(|&x| (f64::from(x) / scale) as f32).collect::<Vec<f32>>()
        };
        let expected = walked(1.0);
        for scale in [1e-20, 1e-10, 1e10, 1e20] {
            close(spec, scale, &walked(scale), &expected);
        }
    }
}

#[test]
fn shampoo_of_a_huge_vector_is_its_unit_vector() {
    for scale in [1e3, 1e10, 1e15, 1e20, 1e30] {
        let gradient: Vec<f32> = numbers(8, 50).iter().map(|&g| (f64::from(g) * scale) as f32).collect();
        let norm = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        let (mut optimizer, mut params) = (optimizer("shampoo(lr=1)"), params(&[("b", &[8])], &[0.0; 8]));
        optimizer.step(&mut params, &gradient, at(0)).expect("a step");
        for (moved, g) in values(&params).iter().zip(&gradient) {
            let expected = -f64::from(*g) / norm;
            assert!((f64::from(*moved) - expected).abs() < 1e-6, "{scale}: {moved}, expected {expected}");
        }
    }
}

#[test]
fn a_number_that_was_never_moved_is_left_alone_without_an_epsilon() {
    // A unit that is dead has gradients of 0: 0 over 0.
    for spec in ["adam(eps=0)", "amsgrad(eps=0)", "nadam(eps=0)", "radam(eps=0)", "adamax(eps=0)", "soap(eps=0)"] {
        let (mut optimizer, mut params) = (optimizer(spec), params(&[("b", &[3])], &[1.0; 3]));
        for step in 0..8 {
            optimizer.step(&mut params, &[1.0, 0.0, -1.0], at(step)).unwrap_or_else(|e| panic!("{spec}: {e}"));
        }
        // SOAP's own decay is of 0.01.
        assert!(values(&params)[1] > 0.99 && values(&params)[0] < 1.0, "{spec}: {:?}", values(&params));
    }
}

#[test]
fn a_gradient_is_clipped_to_limits_of_any_size() {
    for (spec, limit) in [
        ("clip_by_global_norm(1e-30, form=optax)", 1e-30),
        ("clip_by_block_norm(1e-30)", 1e-30),
        ("adaptive_clip(clipping=1e-12, eps=1)", 1e-12),
    ] {
        for scale in [1e-8f32, 1.0, 1e20, 1e35] {
            // A step as long as the parameters, straight to 0.
            let spec = format!("{spec} | scale_by_learning_rate({})", 1.0 / limit);
            let (mut optimizer, mut params) = (optimizer(&spec), params(&[("b", &[2])], &[0.6, 0.8]));
            optimizer.step(&mut params, &[3.0 * scale, 4.0 * scale], at(0)).expect("a step");
            assert!(values(&params).iter().all(|x| x.abs() < 1e-5), "{spec} at {scale}: {:?}", values(&params));
        }
    }
}
