//! Schedules against their closed forms.

use std::f64::consts::PI;

use uphill::optim::{Chain, GradientTransform, Optimizer, Plateau, Schedule, When};

/// The learning rate of a spec at some progress.
fn lr(schedule: &str, progress: f64) -> f64 {
    let chain: Chain = format!("sgd(lr={schedule})").parse().unwrap_or_else(|e| panic!("{schedule}: {e}"));
    chain.learning_rate(When { progress, update: 1 }).expect("a learning rate")
}

#[test]
fn schedules_are_their_closed_forms() {
    type Form = fn(f64) -> f64;
    let forms: &[(&str, Form)] = &[
        ("0.3", |_| 0.3),
        ("constant(0.3)", |_| 0.3),
        ("linear(4, 2)", |p| 4.0 - 2.0 * p),
        ("linear(0, 2)", |p| 2.0 * p),
        ("cosine(3, 1)", |p| 2.0 + (PI * p).cos()),
        ("exponential(8, 1)", |p| 8.0 * 0.125f64.powf(p)),
        ("polynomial(3, 1, power=3)", |p| 1.0 + 2.0 * (1.0 - p).powi(3)),
        ("step(8, 0.5, every=0.25)", |p| 8.0 * 0.5f64.powi((p / 0.25).floor() as i32)),
        ("piecewise(3, 0.25, 2, 0.75, 1)", |p| {
            if p < 0.25 {
                3.0
            } else if p < 0.75 {
                2.0
            } else {
                1.0
            }
        }),
        ("warmup(0.25, linear(4, 0))", |p| if p < 0.25 { 16.0 * p } else { 4.0 - 4.0 * (p - 0.25) / 0.75 }),
        ("warmup(0.5, warmup(0.5, 2))", |p| if p < 0.5 { 0.0 } else { ((p - 0.5) / 0.25 * 2.0).min(2.0) }),
        ("one_cycle(25, share=0.25, div=25, final_div=10)", |p| {
            if p < 0.25 { 13.0 - 12.0 * (PI * p / 0.25).cos() } else { 12.55 + 12.45 * (PI * (p - 0.25) / 0.75).cos() }
        }),
        ("warmup_stable_decay(4, warmup=0.25, decay=0.5, end=2)", |p| {
            if p < 0.25 {
                16.0 * p
            } else if p < 0.5 {
                4.0
            } else {
                4.0 - 2.0 * (p - 0.5) / 0.5
            }
        }),
    ];
    for (schedule, form) in forms {
        for i in 0..=100 {
            let p = f64::from(i) / 100.0;
            let (ours, expected) = (lr(schedule, p), form(p));
            assert!((ours - expected).abs() < 1e-12, "{schedule} at {p}: {ours}, expected {expected}");
        }
        assert_eq!(lr(schedule, -1.0), lr(schedule, 0.0), "{schedule}");
        assert_eq!(lr(schedule, 2.0), lr(schedule, 1.0), "{schedule}");
    }
}

#[test]
fn schedules_are_those_of_torch_and_optax() {
    // What torch 2.15 (torch.optim.lr_scheduler, float64) and optax 0.2.8 (float32) give at these of 100 steps.
    const STEPS: [f64; 6] = [0.0, 0.1, 0.3, 0.5, 0.75, 1.0];
    for (schedule, source, expected) in [
        (
            "cosine(0.1, 0.01)",
            "CosineAnnealingLR(T_max=100, eta_min=0.01)",
            [0.1, 0.09779754323328192, 0.08145033635316133, 0.055, 0.02318019484660535, 0.01],
        ),
        ("polynomial(0.1, 0)", "PolynomialLR(total_iters=100, power=2)", [0.1, 0.081, 0.049, 0.025, 0.00625, 0.0]),
        ("linear(0.1, 0.02)", "LinearLR(1, 0.2, total_iters=100)", [0.1, 0.092, 0.076, 0.06, 0.04, 0.02]),
        ("step(0.1, 0.1)", "StepLR(step_size=25, gamma=0.1)", [0.1, 0.1, 0.01, 1e-3, 1e-4, 1e-5]),
        (
            "exponential(0.1, 0.001)",
            "ExponentialLR(gamma=0.01**(1 / 100))",
            [0.1, 0.06309573444801937, 0.025118864315095843, 0.01, 0.0031622776601683937, 0.001],
        ),
        (
            "one_cycle(0.1)",
            "optax.cosine_onecycle_schedule(100, 0.1, 0.3)",
            [0.0040000006556510925, 0.028000004589557648, 0.1, 0.0811745673418045, 0.02830609492957592, 4e-07],
        ),
        (
            "warmup(0.2, cosine(0.1, 0.01))",
            "optax.warmup_cosine_decay_schedule(0, 0.1, 20, 100, 0.01)",
            [0.0, 0.05, 0.0965745821595192, 0.07222075760364532, 0.029999343678355217, 0.01],
        ),
    ] {
        for (progress, expected) in STEPS.into_iter().zip(expected) {
            let ours = lr(schedule, progress);
            assert!((ours - expected).abs() < 1e-7, "{schedule} at {progress}: {ours}, {source} gives {expected}");
        }
    }
}

#[test]
fn schedules_with_edges_are_whole() {
    for (schedule, at, expected) in [
        ("warmup(0, 2)", 0.0, 2.0),
        ("step(1, 0.5, every=0.1)", 0.3, 0.125),
        ("warmup(1, 2)", 0.5, 1.0),
        ("warmup(1, linear(2, 0))", 1.0, 0.0),
        ("one_cycle(1, share=0)", 0.0, 1.0),
        ("one_cycle(1, share=1)", 1.0, 4e-6),
        ("warmup_stable_decay(1, warmup=0, decay=0)", 0.0, 1.0),
        ("warmup_stable_decay(1, warmup=0, decay=1, end=0)", 1.0, 0.0),
        ("warmup_stable_decay(1, warmup=1, decay=0)", 1.0, 1.0),
    ] {
        assert!((lr(schedule, at) - expected).abs() < 1e-12, "{schedule} at {at}: {}", lr(schedule, at));
    }
}

#[test]
fn a_plateau_lowers_a_number_when_the_metric_stands_still() {
    // As torch.optim.lr_scheduler.ReduceLROnPlateau(mode="max", factor=0.5, patience=2, threshold=0.1,
    // threshold_mode="abs", cooldown=1, min_lr=0.2).
    let mut plateau = Plateau::new(1.0, 0.5, 2).threshold(0.1).cooldown(1).min(0.2);
    let metrics = [1.0, 2.0, 2.05, 2.05, 2.05, 2.05, 2.05, 2.05, 3.0, 3.0, 3.0, f64::NAN, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0];
    let values: Vec<f64> = metrics.iter().map(|&metric| (plateau.observe(metric), plateau.value()).1).collect();
    let expected = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2];
    assert_eq!(values, expected);
    // Through an optimizer, in any argument and within a warm-up.
    let chain = "sgd(lr=warmup(0.5, plateau(4, factor=0.5, patience=0)), weight_decay=plateau(1, 0.1, patience=0))";
    let mut optimizer = Optimizer::new(chain.parse::<Chain>().expect("a chain"));
    let when = When { progress: 1.0, update: 1 };
    let mut rates = vec![optimizer.learning_rate(when)];
    for metric in [-5.0, -5.0, -5.0] {
        optimizer.observe(metric);
        rates.push(optimizer.learning_rate(when));
    }
    assert_eq!(rates, [4.0, 4.0, 2.0, 1.0].map(Some));
}

#[test]
fn a_number_is_a_schedule() {
    assert_eq!(Schedule::from(0.5).at(When::default()), 0.5);
}
