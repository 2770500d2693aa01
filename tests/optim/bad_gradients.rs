//! What optimizers do with gradients that are not finite, too large or too short.

use uphill::Error;
use uphill::optim::{Chain, Optimizer, When, clip_by_value, scale_by_learning_rate};

use crate::{BLOCKS, at, numbers, optimizer, params, recipes, values};

#[test]
fn a_bad_gradient_is_named_and_changes_nothing() {
    for spec in recipes() {
        let run = |bad: Option<f32>| {
            let (mut optimizer, mut params) = (optimizer(&spec), params(BLOCKS, &numbers(17, 0)));
            optimizer.step(&mut params, &numbers(17, 1), at(0)).expect("a step");
            if let Some(bad) = bad {
                let mut gradient = numbers(17, 2);
                gradient[15] = bad;
                let error = optimizer.step(&mut params, &gradient, at(1)).expect_err("not finite");
                let named = matches!(&error, Error::NotFinite { what } if what == "the gradient of critic.bias");
                assert!(named, "{spec}: {error}");
            }
            optimizer.step(&mut params, &numbers(17, 3), at(1)).expect("a step");
            values(&params)
        };
        let expected = run(None);
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(run(Some(bad)), expected, "{spec} after {bad}");
        }
    }
}

#[test]
fn zero_non_finite_zeroes_counts_and_reports() {
    let start = numbers(17, 0);
    let mut gradient = numbers(17, 1);
    let moved = |spec: &str, gradient: &[f32]| {
        let (mut optimizer, mut params) = (optimizer(spec), params(BLOCKS, &start));
        let report = optimizer.step(&mut params, gradient, at(0)).expect("a step");
        assert!(report.grad_norm.is_finite() && report.update_norm.is_finite());
        (values(&params), optimizer.report())
    };
    (gradient[0], gradient[12], gradient[16]) = (0.0, 0.0, 0.0);
    let (expected, _) = moved("clip_by_global_norm(0.1) | adam", &gradient);
    (gradient[0], gradient[12], gradient[16]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
    let (mended, report) = moved("zero_non_finite | clip_by_global_norm(0.1) | adam", &gradient);
    assert_eq!(mended, expected);
    assert_eq!(report, [("non_finite_zeroed", 3.0)]);
    // Anywhere else it would come too late: a link before it has seen the gradient already.
    let mut params = params(BLOCKS, &start);
    let error = optimizer("adam | zero_non_finite").step(&mut params, &gradient, at(0)).expect_err("too late");
    assert!(matches!(error, Error::NotFinite { .. }), "{error}");
}

#[test]
fn a_limit_that_no_spec_may_say_does_not_panic() {
    for limit in [-0.5, 0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let chain = Chain::new().then(clip_by_value(limit)).then(scale_by_learning_rate(0.1));
        let mut params = params(BLOCKS, &numbers(17, 0));
        Optimizer::new(chain).step(&mut params, &numbers(17, 1), at(0)).expect("a step");
    }
}

#[test]
fn an_update_that_overflows_is_named_and_never_reaches_the_parameters() {
    let start = numbers(17, 0);
    let (mut optimizer, mut params) = (optimizer("sgd(lr=1e30)"), params(BLOCKS, &start));
    let mut gradient = vec![0.0; 17];
    gradient[13] = 1e30;
    let error = optimizer.step(&mut params, &gradient, When::default()).expect_err("too far");
    assert!(matches!(&error, Error::NotFinite { what } if what == "the update of actor.bias"), "{error}");
    assert_eq!(values(&params), start);
    let error = optimizer.step(&mut params, &[0.0; 3], When::default()).expect_err("too short");
    assert!(matches!(error, Error::Shape { .. }), "{error}");
}
