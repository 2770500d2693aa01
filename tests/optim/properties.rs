//! What must hold for any gradient.

use proptest::prelude::*;
use proptest::test_runner::{Config as Runner, RngSeed};
use uphill::Rng;
use uphill::optim::{Chain, GradientTransform, Make, Optimizer, Place, Registry, Row, Slot};
use uphill::words::{Kind, Param};

use crate::{BLOCKS, at, numbers, optimizer, params, recipes, values};

/// What a chain makes of a gradient in its first step, as a difference of parameters that start at 0.
fn moved(spec: &str, blocks: &[(&str, &[usize])], theta: &[f32], gradient: &[f32]) -> Vec<f32> {
    let mut params = params(blocks, theta);
    optimizer(spec).step(&mut params, gradient, at(0)).expect("a step");
    values(&params).iter().zip(theta).map(|(after, before)| after - before).collect()
}

/// What a chain of links makes of a gradient, undisturbed by parameters.
fn through(links: &str, gradient: &[f32]) -> Vec<f32> {
    moved(links, BLOCKS, &[0.0; 17], gradient)
}

fn norm(x: &[f32]) -> f64 {
    x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

fn gradients() -> impl Strategy<Value = Vec<f32>> {
    (prop::collection::vec(-1.0..1.0f32, 17), -3..4i32)
        .prop_map(|(g, scale)| g.into_iter().map(|g| g * 10f32.powi(scale)).collect())
}

proptest! {
    #![proptest_config(Runner { cases: 64, failure_persistence: None, rng_seed: RngSeed::Fixed(4), ..Runner::default() })]

    #[test]
    fn clipping_by_norm_is_idempotent_and_exact(g in gradients(), limit in 1e-3..10.0f64) {
        for (form, slack) in [("optax", 0.0), ("torch", 1e-6)] {
            let clip = format!("clip_by_global_norm({limit}, form={form})");
            let once = through(&clip, &g);
            if norm(&g) < limit {
                prop_assert_eq!(&once, &g);
            } else {
                let expected = limit * norm(&g) / (norm(&g) + slack);
                prop_assert!((norm(&once) / expected - 1.0).abs() < 1e-6, "{} for {}", norm(&once), expected);
            }
            for (a, b) in through(&format!("{clip} | {clip}"), &g).iter().zip(&once) {
                prop_assert!((a - b).abs() <= (2e-7 + (slack / limit) as f32) * b.abs());
            }
        }
    }

    #[test]
    fn clipping_by_block_clips_each_block_as_if_alone(g in gradients(), limit in 1e-3..10.0f64) {
        let clipped = through(&format!("clip_by_block_norm({limit})"), &g);
        for range in [0..12, 12..15, 15..17] {
            let (before, after) = (norm(&g[range.clone()]), norm(&clipped[range]));
            prop_assert!((after - before.min(limit)).abs() <= 1e-6 * limit.min(before));
        }
    }

    #[test]
    fn clipping_by_part_clips_actor_and_critic_each_as_if_alone(g in gradients(), limit in 1e-3..10.0f64) {
        let apart = format!("partition('actor.*', clip_by_global_norm({limit}), 'critic.*', clip_by_global_norm({limit}))");
        let (by_part, expected) = (through(&format!("clip_by_part_norm({limit})"), &g), through(&apart, &g));
        for (a, b) in by_part.iter().zip(&expected) {
            prop_assert!((a - b).abs() <= 2e-7 * b.abs(), "{a} for {b}");
        }
    }

    #[test]
    fn clipping_by_value_is_idempotent_and_exact(g in gradients(), limit in 1e-3..10.0f32) {
        let clip = format!("clip_by_value({limit})");
        let once = through(&clip, &g);
        let expected: Vec<f32> = g.iter().map(|g| g.max(-limit).min(limit)).collect();
        prop_assert_eq!(&once, &expected);
        prop_assert_eq!(through(&format!("{clip} | {clip}"), &g), once);
    }

    #[test]
    fn a_trust_ratio_does_not_see_the_gradients_scale(g in gradients(), power in -8..8i32) {
        // A power of two, so that scaling rounds nothing.
        let scaled: Vec<f32> = g.iter().map(|g| g * 2f32.powi(power)).collect();
        let theta = numbers(17, 5);
        for spec in ["scale_by_trust_ratio | scale_by_learning_rate(0.1)", "lars(lr=0.1)"] {
            let (one, other) = (moved(spec, BLOCKS, &theta, &g), moved(spec, BLOCKS, &theta, &scaled));
            for (a, b) in one.iter().zip(&other) {
                prop_assert!((a - b).abs() <= 1e-6, "{}: {} and {}", spec, a, b);
            }
        }
    }

    #[test]
    fn the_order_of_blocks_does_not_matter(g in gradients()) {
        let reversed = [BLOCKS[2], BLOCKS[1], BLOCKS[0]];
        let swap = |x: &[f32]| [&x[15..], &x[12..15], &x[..12]].concat();
        let theta = numbers(17, 6);
        for spec in recipes() {
            if spec.contains("noise") || spec.contains("perturb") {
                continue; // Random numbers are drawn in the order of the parameters.
            }
            let ours = moved(&spec, BLOCKS, &theta, &g);
            let theirs = moved(&spec, &reversed, &swap(&theta), &swap(&g));
            for (a, b) in swap(&ours).iter().zip(&theirs) {
                prop_assert!((a - b).abs() <= 1e-6 * (1.0 + a.abs()), "{}: {} and {}", spec, a, b);
            }
        }
    }

    #[test]
    fn a_chain_with_the_identity_is_the_chain(g in gradients()) {
        let theta = numbers(17, 7);
        for spec in recipes() {
            if spec.contains("noise") {
                continue; // Its stream is that of its place in the chain.
            }
            // What says where the parameters go, or shakes them, has nothing after it.
            let last = ["trac", "lookahead", "schedule_free", "perturb"].iter().any(|word| spec.contains(word));
            let after = if last { "ema(0)" } else { "decay_weights(0)" };
            let after = if spec.contains("lookahead") || spec.contains("schedule_free") { "" } else { after };
            let bar = if after.is_empty() { "" } else { " | " };
            let identities = format!("clip_by_value(inf) | {spec}{bar}{after}");
            prop_assert_eq!(moved(&identities, BLOCKS, &theta, &g), moved(&spec, BLOCKS, &theta, &g), "{}", spec);
        }
    }
}

/// A piece of state, copied.
#[derive(Debug, Clone, PartialEq)]
enum Saved {
    Vector(Vec<f32>),
    Wide(Vec<f64>),
    Count(u64),
    Scalar(f64),
    Rng(Rng),
}

fn save(optimizer: &mut Optimizer) -> Vec<(String, Saved)> {
    let mut saved = Vec::new();
    let shown = optimizer.visit_state(&mut |name, slot| {
        let copy = match slot {
            Slot::Vector(x) => Saved::Vector(x.clone()),
            Slot::Wide(x) => Saved::Wide(x.clone()),
            Slot::Count(n) => Saved::Count(*n),
            Slot::Scalar(x) => Saved::Scalar(*x),
            Slot::Rng(rng) => Saved::Rng(rng.clone()),
            Slot::Schedule(_) => panic!("{name}: what a schedule remembers is shown in its place"),
        };
        saved.push((name.to_string(), copy));
    });
    shown.expect("state on the host");
    saved
}

fn restore(optimizer: &mut Optimizer, saved: &[(String, Saved)]) {
    let mut pieces = saved.iter();
    let shown = optimizer.visit_state(&mut |name, slot| {
        let (expected, piece) = pieces.next().expect("as many pieces");
        assert_eq!(name, expected);
        match (slot, piece) {
            (Slot::Vector(x), Saved::Vector(y)) => x.clone_from(y),
            (Slot::Wide(x), Saved::Wide(y)) => x.clone_from(y),
            (Slot::Count(x), Saved::Count(y)) => *x = *y,
            (Slot::Scalar(x), Saved::Scalar(y)) => *x = *y,
            (Slot::Rng(x), Saved::Rng(y)) => x.clone_from(y),
            (slot, piece) => panic!("{name}: {slot:?} was {piece:?}"),
        }
    });
    shown.expect("state on the host");
    assert!(pieces.next().is_none(), "some pieces were not asked for");
}

#[test]
fn state_saved_and_restored_takes_the_next_steps_bit_for_bit() {
    for spec in every_row().into_iter().chain(recipes()) {
        // Any number of steps: before the first, in the middle of an accumulation, of a cycle, of a rollout.
        for before in [0, 1, 2, 7, 12] {
            let (mut one, mut its) = (optimizer(&spec), params(BLOCKS, &numbers(17, 8)));
            let gradient = |step: u64| {
                let mut gradient = numbers(17, 100 + step);
                if spec.starts_with("zero_non_finite") && step % 3 == 1 {
                    gradient[step as usize % 17] = f32::NAN;
                }
                gradient
            };
            for step in 0..before {
                one.step(&mut its, &gradient(step), at(step)).unwrap_or_else(|error| panic!("{spec}: {error}"));
                one.observe((step % 3) as f64, at(step));
            }
            let (mut other, mut others) = (optimizer(&spec), params(BLOCKS, &values(&its)));
            let saved = save(&mut one);
            let mut names: Vec<&String> = saved.iter().map(|(name, _)| name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), saved.len(), "{spec}: two pieces of state have one name");
            restore(&mut other, &saved);
            for step in before..before + 12 {
                let what = format!("{spec}, step {step} after {before}");
                assert_eq!(one.learning_rate(at(step)), other.learning_rate(at(step)), "{what}");
                assert_eq!(one.report(), other.report(), "{what}");
                // Training may end in the very moment in which it was taken up again.
                let evaluations = [one.evaluation(&its), other.evaluation(&others)].map(|e| e.expect("values"));
                assert_eq!(evaluations[0], evaluations[1], "{what}");
                let gradient = gradient(step);
                let one_report = one.step(&mut its, &gradient, at(step)).expect("a step");
                let other_report = other.step(&mut others, &gradient, at(step)).expect("a step");
                assert_eq!(one_report, other_report, "{what}");
                assert_eq!(values(&its), values(&others), "{what}");
                one.observe(1.0, at(step));
                other.observe(1.0, at(step));
            }
            assert_eq!(save(&mut one), save(&mut other), "{spec}");
        }
    }
}

/// Every row of the table that makes a link, as an optimizer in which every number that may change over training falls
/// by itself when the mean return stands still, which must be remembered too.
pub(crate) fn every_row() -> Vec<String> {
    let registry = Registry::default();
    let links = registry.rows().iter().filter(|row| !matches!(row.make, Make::Schedule(_)));
    links.map(|row| with_plateaus(row, |_| true)).collect()
}

/// A row as an optimizer in which the chosen numbers go by plateaus; what else has no default is said.
fn with_plateaus(row: &Row, chosen: impl Fn(&Param) -> bool) -> String {
    let argument = |param: &Param| match (param.kind, param.default) {
        (Kind::Number(_) | Kind::Steady(_), default) if chosen(param) => {
            let start = default.parse().ok().filter(|x: &f64| x.is_finite() && *x > 0.0).unwrap_or(0.25);
            Some(format!("{} = plateau({start}, 0.5, patience=0, min={})", param.name, start / 16.0))
        }
        (_, default) if !default.is_empty() => None,
        (Kind::Number(_) | Kind::Steady(_), _) => Some(format!("{} = 0.25", param.name)),
        (Kind::Count(..), _) => Some(format!("{} = 3", param.name)),
        (Kind::Text, _) => Some(format!("{} = \"actor.*\"", param.name)),
        (Kind::Chain, _) if row.name == "masked" => Some(format!("{} = trace", param.name)),
        (Kind::Chain, _) => Some(format!("{} = clip_by_value(0.5) | adam", param.name)),
        (Kind::Pairs(..), _) => Some("\"actor.*\", adam | ema(0.9), \"*\", lookahead(momentum, k=3)".into()),
        (kind, _) => panic!("{}: what is a {kind:?} without a default?", param.name),
    };
    let arguments = row.params.iter().filter_map(argument).collect::<Vec<_>>().join(", ");
    let link = format!("{}({arguments})", row.name);
    let has_rate = link.parse::<Chain>().unwrap_or_else(|e| panic!("{link}: {e}")).learning_rate(at(0)).is_some();
    match row.place() {
        _ if has_rate => link,
        Some(Place::AfterRate | Place::Last) => format!("scale_by_learning_rate(0.01) | {link}"),
        _ => format!("{link} | scale_by_learning_rate(0.01)"),
    }
}

#[test]
fn every_number_that_may_change_hears_of_the_mean_return() {
    for row in Registry::default().rows().iter().filter(|row| !matches!(row.make, Make::Schedule(_))) {
        for param in row.params.iter().filter(|param| matches!(param.kind, Kind::Number(_) | Kind::Steady(_))) {
            let spec = with_plateaus(row, |other| other.name == param.name);
            let mut optimizer = optimizer(&spec);
            let mut plateaus = || {
                let saved = save(&mut optimizer).into_iter().filter(|(name, _)| name.ends_with(".value"));
                let before: Vec<(String, Saved)> = saved.collect();
                (1..4).for_each(|step| optimizer.observe(1.0, at(step)));
                before
            };
            let (before, after) = (plateaus(), plateaus());
            assert!(!before.is_empty(), "{spec}: nothing would tell {}", param.name);
            assert!(before.iter().zip(&after).all(|(before, after)| before != after), "{spec}: {after:?}");
        }
    }
}

#[test]
fn zero_gradients_move_nothing_but_decay() {
    let start = numbers(17, 9);
    for spec in recipes() {
        // Noise moves by design; optax's Yogi starts its mean of gradients at 1e-6.
        if ["noise", "perturb", "yogi"].iter().any(|name| spec.contains(name)) {
            continue;
        }
        let registry = Registry::default();
        let row = registry.recipes().find(|row| row.name == spec);
        let decays = row.is_some_and(|row| row.param("weight_decay").is_some());
        let spec = match decays {
            true => format!("{spec}(weight_decay=0)"),
            false => spec.replace("decay_weights(0.01)", "decay_weights(0)"),
        };
        let (mut optimizer, mut params) = (optimizer(&spec), params(BLOCKS, &start));
        for step in 0..4 {
            optimizer.step(&mut params, &[0.0; 17], at(step)).expect("a step");
        }
        assert_eq!(values(&params), start, "{spec}");
    }
    for (spec, factor) in [
        ("sgd(0.1, weight_decay=0.5)", 0.95),
        ("adamw(0.1, weight_decay=0.5)", 0.95),
        ("sgd | decay_weights(0.5)", 0.5),
    ] {
        let (mut optimizer, mut params) = (optimizer(spec), params(BLOCKS, &start));
        optimizer.step(&mut params, &[0.0; 17], at(0)).expect("a step");
        for (after, before) in values(&params).iter().zip(&start) {
            assert!((after - factor * before).abs() < 1e-6, "{spec}: {before} became {after}");
        }
    }
}

#[test]
fn a_long_vector_goes_part_by_part_as_a_short_one_goes_whole() {
    // Element by element these do the same wherever an element stands, and 50,000 are more than one part.
    const LONG: usize = 50_000;
    let registry = Registry::default();
    let whole = ["lars", "lamb", "adafactor", "muon", "shampoo", "soap"];
    let specs = registry.recipes().map(|row| row.name.to_string()).filter(|name| !whole.contains(&&**name));
    let more =
        ["clip_by_value(0.1) | momentum(dampening=0.5)", "decay_to_initial(0.5) | sgd", "adam | decay_weights(0.1)"];
    for spec in specs.chain(more.map(String::from)) {
        let (mut long, mut short) = (optimizer(&spec), optimizer(&spec));
        let start = numbers(LONG, 20);
        let (mut all, mut last) = (params(&[("w", &[LONG])], &start), params(&[("w", &[100])], &start[LONG - 100..]));
        for step in 0..5 {
            let gradient = numbers(LONG, 21 + step);
            long.step(&mut all, &gradient, at(step)).expect("a step");
            short.step(&mut last, &gradient[LONG - 100..], at(step)).expect("a step");
            assert_eq!(values(&all)[LONG - 100..], values(&last), "{spec}, step {step}");
        }
    }
}

#[test]
fn a_step_allocates_nothing_after_the_first() {
    let mut allocating = Vec::new();
    for spec in recipes() {
        let (mut optimizer, mut params) = (optimizer(&spec), params(BLOCKS, &numbers(17, 10)));
        let mut gradient = numbers(17, 11);
        // Twice: soap's first gradient only starts its statistics; accumulation steps at its second.
        for step in 0..3 {
            optimizer.step(&mut params, &gradient, at(step)).expect("a step");
        }
        let bytes = optimizer.state_bytes();
        let used = allocation_counter::measure(|| {
            for step in 3..23 {
                optimizer.step_in_place(&mut params, &mut gradient, at(step)).expect("a step");
            }
        });
        // Handing out the parameters is candle's: no step can do without. Decompositions of matrices need room, too.
        let candle = allocation_counter::measure(|| (3..23).for_each(|_| params.update(|_| {}).expect("parameters")));
        if used.count_total > candle.count_total && !["shampoo", "soap"].contains(&&*spec) {
            allocating.push(format!("{spec}: {} allocations", used.count_total - candle.count_total));
        }
        assert_eq!(optimizer.state_bytes(), bytes, "{spec}");
    }
    assert!(allocating.is_empty(), "{}", allocating.join("\n"));
}

#[test]
fn noise_is_normal_with_the_variance_of_its_paper() {
    // Neelakantan et al. 2015, section 3: η / (1 + t)^γ for t = 0, 1, …; with the defaults η = 0.01 and γ = 0.55.
    const N: usize = 10_000;
    let n = N as f64;
    let gradient = numbers(N, 12);
    let (mut optimizer, mut params) = (optimizer("add_noise(seed=3)"), params(&[("w", &[N])], &[0.0; N]));
    let mut last = vec![0.0; N];
    for t in 0..64 {
        let before = values(&params);
        optimizer.step(&mut params, &gradient, at(0)).expect("a step");
        let sigma = (0.01 / (1.0 + f64::from(t)).powf(0.55)).sqrt();
        let after = values(&params);
        let noise = after.iter().zip(&before).zip(&gradient).map(|((a, b), g)| f64::from(a - b - g) / sigma);
        let noise: Vec<f64> = noise.collect();
        let mean = |f: &dyn Fn(f64) -> f64| noise.iter().map(|&x| f(x)).sum::<f64>() / n;
        let with_last = noise.iter().zip(&last).map(|(a, b)| a * b).sum::<f64>() / n;
        // Each with its value for a normal distribution and its standard error in a sample of this size.
        for (what, sample, expected, variance) in [
            ("mean", mean(&|x| x), 0.0, 1.0),
            ("variance", mean(&|x| x * x), 1.0, 2.0),
            ("skewness", mean(&|x| x.powi(3)), 0.0, 15.0),
            ("kurtosis", mean(&|x| x.powi(4)), 3.0, 96.0),
            ("correlation with the last step", with_last, 0.0, 1.0),
        ] {
            let error = f64::sqrt(variance / n);
            assert!((sample - expected).abs() < 4.5 * error, "{what} at t = {t}: {sample}, not {expected} ± {error}");
        }
        last = noise;
    }
}

#[test]
fn shrinking_and_perturbing_happens_once_in_so_many_rollouts() {
    let (mut optimizer, mut params) =
        (optimizer("sgd(0) | shrink_and_perturb(0.5, deviation=0, every=2)"), params(BLOCKS, &[1.0; 17]));
    let mut first = Vec::new();
    for step in 0..16 {
        optimizer.step(&mut params, &[0.0; 17], at(step)).expect("a step");
        first.push(values(&params)[0]);
    }
    // Four steps a rollout, numbered from 1: the second and the fourth shrink, in their first steps.
    assert_eq!(first, [[1.0; 4], [0.5; 4], [0.5; 4], [0.25; 4]].concat());
}

#[test]
fn each_branch_is_as_if_its_blocks_were_all_there_is() {
    let spec = "clip_by_global_norm(0.1, form=optax) | adam(lr=0.1) | ema(0.5)";
    let mut both = optimizer(&format!("partition(\"actor.*\", {spec}, \"*\", sgd(lr=0.1))"));
    let (mut alone, start) = (optimizer(spec), numbers(17, 13));
    let (mut all, mut actor) = (params(BLOCKS, &start), params(&BLOCKS[..2], &start[..15]));
    for step in 0..5 {
        let gradient = numbers(17, 14 + step);
        both.step(&mut all, &gradient, at(step)).expect("a step");
        alone.step(&mut actor, &gradient[..15], at(step)).expect("a step");
        assert_eq!(values(&all)[..15], values(&actor));
    }
    let [whole, part] =
        [both.evaluation(&all), alone.evaluation(&actor)].map(|e| e.expect("values").expect("an average"));
    assert_eq!(whole[..15], part);
    assert_eq!(whole[15..], values(&all)[15..], "a branch without an average keeps its parameters");
}

#[test]
fn a_block_that_no_branch_means_is_named() {
    let mut params = params(BLOCKS, &[1.0; 17]);
    let mut wrong = |spec: &str| optimizer(spec).step(&mut params, &[1.0; 17], at(0)).expect_err(spec).to_string();
    let message = wrong("partition(\"actor.*\", adam)");
    assert!(message.contains("critic.bias") && message.contains("`actor.*`"), "{message}");
    let message = wrong("masked(\"acter.*\", centralize) | sgd");
    assert!(message.contains("`acter.*` means no block of actor.weight"), "{message}");
}
