//! Schedules against their closed forms, and against those of torch and optax.

use std::f64::consts::PI;

use serde::Deserialize;
use uphill::optim::{Chain, GradientTransform, Make, Optimizer, Plateau, Registry, Schedule, When};
use uphill::words::Spec;

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

/// What `tests/reference/schedules.py` recorded in float64.
#[derive(Deserialize)]
struct Reference {
    progress: Vec<f64>,
    metrics: Vec<f64>,
    rows: Vec<Row>,
    plateaus: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    spec: String,
    source: String,
    values: Vec<f64>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../reference/schedules.json")).expect("the stored numbers")
}

/// Twelve digits are stored.
fn close(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-11 * theirs.abs() + 1e-16
}

#[test]
fn schedules_are_those_of_torch_and_optax() {
    let reference = reference();
    for Row { spec, source, values } in &reference.rows {
        assert_eq!(values.len(), reference.progress.len());
        for (&progress, &theirs) in reference.progress.iter().zip(values) {
            let ours = lr(spec, progress);
            assert!(close(ours, theirs), "{spec} at {progress}: {ours}, {source} gives {theirs}");
        }
    }
}

#[test]
fn a_plateau_is_that_of_torch() {
    let reference = reference();
    for Row { spec, source, values } in &reference.plateaus {
        assert_eq!(values.len(), reference.metrics.len());
        let mut optimizer = Optimizer::new(format!("sgd(lr={spec})").parse::<Chain>().expect(spec));
        for (i, (&metric, &theirs)) in reference.metrics.iter().zip(values).enumerate() {
            optimizer.observe(metric, When { progress: (i + 1) as f64 / 100.0, update: 0 });
            let ours = optimizer.learning_rate(When::default()).expect("a learning rate");
            assert!(close(ours, theirs), "{spec} after metric {i}: {ours}, {source} gives {theirs}");
        }
    }
}

#[test]
fn every_schedule_was_held_against_a_reference() {
    let Reference { rows, plateaus, .. } = reference();
    let specs: Vec<Spec> = rows.iter().chain(&plateaus).map(|row| row.spec.parse().expect("a spec")).collect();
    for row in Registry::default().rows().iter().filter(|row| matches!(row.make, Make::Schedule(_))) {
        assert!(specs.iter().any(|spec| spec.0[0].name == row.name), "{} has no reference", row.name);
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
    let mut plateau = Plateau::new(1.0, 0.5, 0.02).threshold(0.1).fall(1.0).cooldown(0.01).min(0.2);
    let metrics = [1.0, 2.0, 2.05, 2.05, 2.05, 2.05, 2.05, 2.05, 3.0, 3.0, 3.0, f64::NAN, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0];
    let values: Vec<f64> =
        (0..metrics.len()).map(|i| (plateau.observe(metrics[i], i as f64 / 100.0), plateau.value()).1).collect();
    let expected = [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2];
    assert_eq!(values, expected);
    // Through an optimizer, in any argument and within a warm-up.
    let chain = "sgd(lr=warmup(0.5, plateau(4, factor=0.5, patience=0)), weight_decay=plateau(1, 0.1, patience=0))";
    let mut optimizer = Optimizer::new(chain.parse::<Chain>().expect("a chain"));
    let when = When { progress: 0.9, update: 1 };
    let mut rates = vec![optimizer.learning_rate(when)];
    for progress in [0.7, 0.8, 0.9] {
        optimizer.observe(-5.0, When { progress, update: 1 });
        rates.push(optimizer.learning_rate(when));
    }
    assert_eq!(rates, [4.0, 4.0, 2.0, 1.0].map(Some));
}

/// What it comes to over training with this mean return at each hundredth of it.
fn falls(metric: impl Fn(usize) -> f64) -> Vec<usize> {
    let mut plateau = Plateau::new(1.0, 0.5, 0.2);
    let value = |i: usize, plateau: &mut Plateau| {
        let before = plateau.value();
        plateau.observe(metric(i), i as f64 / 100.0);
        plateau.value() < before
    };
    (0..100).filter(|&i| value(i, &mut plateau)).collect()
}

#[test]
fn a_plateau_is_no_fall_and_no_climb_back_and_noise_is_no_rise() {
    // Up to 300, down to 60 and up again, as A2C may go: at no time does that stand still.
    let wave = |i: usize| 180.0 + 120.0 * (i as f64 * std::f64::consts::PI / 25.0).sin();
    assert_eq!(falls(wave), [0; 0]);
    // A rise to 300 that stays there, give or take 4: a fifth of training after its highest, and each fifth from there.
    let noise = |i: usize| (i * 7919 % 9) as f64 - 4.0;
    let risen = falls(|i| (10.0 * i as f64).min(300.0) + if i < 30 { 0.0 } else { noise(i) });
    assert!(risen.len() >= 2 && risen.iter().all(|&i| i > 50), "{risen:?}");
    // However many observations training has: patience is a share of it.
    let mut often = Plateau::new(1.0, 0.5, 0.2);
    (0..10_000).for_each(|i| often.observe(1.0, f64::from(i) / 10_000.0));
    assert_eq!(often.value(), 0.0625, "four fifths");
}

#[test]
fn a_plateau_has_patience_anew_where_training_is_longer_than_it_was() {
    let mut plateau = Plateau::new(1.0, 0.5, 0.2).cooldown(0.05);
    let value = |plateau: &mut Plateau, progress| (plateau.observe(1.0, progress), plateau.value()).1;
    let whole = [0.9, 0.99].map(|progress| value(&mut plateau, progress));
    assert_eq!(whole, [1.0, 1.0]);
    // As many steps once more: half of training is left.
    let longer = [0.5, 0.69, 0.71, 0.94, 0.97].map(|progress| value(&mut plateau, progress));
    assert_eq!(longer, [1.0, 1.0, 0.5, 0.5, 0.25]);

    // However little longer: by a tenth, where patience would have been over within it.
    let mut plateau = Plateau::new(1.0, 0.5, 0.5);
    let whole = [0.45, 0.9, 0.94].map(|progress| value(&mut plateau, progress));
    let longer = [0.86, 0.96, 1.0].map(|progress| value(&mut plateau, progress));
    assert_eq!((whole, longer), ([1.0; 3], [1.0; 3]));
}

#[test]
fn a_number_is_a_schedule() {
    assert_eq!(Schedule::from(0.5).at(When::default()), 0.5);
}
