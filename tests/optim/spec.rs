//! Optimizers as text: what is understood, what it is written back as, and what mistakes are answered with.

use proptest::prelude::*;
use proptest::test_runner::{Config as Runner, RngSeed};
use uphill::Error;
use uphill::optim::{Chain, Fallback, GradientTransform, Make, Optimizer, Registry, When};
use uphill::words::{Kind, Spec, Value, Word};

use crate::{BLOCKS, at, numbers, params, recipes, values};

fn spec(text: &str) -> Spec {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What an optimizer is refused with.
fn refused(text: &str) -> String {
    let error = text.parse::<Spec>().and_then(|spec| Registry::default().chain(&spec)).expect_err(text);
    assert!(matches!(error, Error::Config(_)), "{text}: {error:?}");
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    error.to_string()
}

#[test]
fn text_is_written_back_in_one_form() {
    for (text, expected) in [
        ("adam", "adam"),
        ("  adam ( ) ", "adam"),
        ("adam(lr=1e-3,eps=.5)", "adam(lr=0.001, eps=0.5)"),
        ("adam(1E-3, 0.90)|ema(.99)", "adam(0.001, 0.9) | ema(0.99)"),
        ("clip_by_value(inf)|adam(lr=cosine(3e-4,0))", "clip_by_value(inf) | adam(lr=cosine(3e-4, 0))"),
        ("masked('a*', adam | ema)", "masked(\"a*\", adam | ema)"),
        ("masked('say \"a\"', adam)", "masked('say \"a\"', adam)"),
        ("rmsprop(preset=tf, centered = true)", "rmsprop(preset=tf, centered=true)"),
        ("x(-1e-9, 1_000, 2e6)", "x(-1e-9, 1000, 2e6)"),
    ] {
        assert_eq!(spec(text).to_string(), expected);
        assert_eq!(spec(expected), spec(text));
    }
    // No number, and yet a number and no name.
    let nan = spec(&spec("x(nan)").to_string());
    assert!(matches!(nan.0[0].args[0].1, Value::Number(x) if x.is_nan()), "{nan:?}");
}

#[test]
fn text_that_is_no_spec_is_answered_with_the_place() {
    for (text, expected) in [
        ("", "expected a name at column 1, found the end"),
        ("adam(", "expected a name at column 6, found the end"),
        ("adam(lr=)", "expected a name at column 9, found `)`"),
        ("adam(lr=1e-3", "expected `,` or `)` at column 13, found the end"),
        ("adam)", "expected `|` or the end at column 5, found `)`"),
        ("adam |", "expected a name at column 7, found the end"),
        ("| adam", "expected a name at column 1, found `|`"),
        ("adam(lr=1..2)", "expected a number at column 9, found `1`"),
        // Words may begin with a digit (`8x8`), so these are words, and the argument says what it wanted.
        ("adam(lr=1e)", "adam: lr: \"1e\" is neither a number nor a schedule"),
        ("adam(lr=0x10)", "adam: lr: \"0x10\" is neither a number nor a schedule"),
        ("masked(\"actor)", "expected the closing quotation mark at column 15"),
        ("adam, sgd", "expected `|` or the end at column 5, found `,`"),
        ("ädam", "expected a name at column 1, found `ä`"),
        ("adam(lr=ä)", "expected a name at column 9, found `ä`"),
    ] {
        let message = refused(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
    // Nesting is limited, so that no text can exhaust the stack.
    let deep = format!("{}adam{}", "lookahead(".repeat(100_000), ")".repeat(100_000));
    assert!(refused(&deep).contains("within each other"));
}

#[test]
fn a_mistake_names_the_nearest_word_and_its_arguments() {
    for (text, expected) in [
        ("adan", &["no optimizer `adan`", "did you mean `adam`?", "adam(lr = 1e-3, beta1 = 0.9, beta2 = 0.999"][..]),
        ("Adam", &["did you mean `adam`?"]),
        ("sdg", &["did you mean `sgd`?"]),
        ("clip(1)", &["did you mean `clip_by_"]),
        ("xyzzy", &["no optimizer `xyzzy`; there are sgd, scale_by_learning_rate, momentum,", "adam, adamw"]),
        ("adam(learning_rate=1)", &["did you mean `lr`?"]),
        (
            "adam(amsgrad=true)",
            &["adam has no argument `amsgrad`: adam(lr", "amsgrad is an optimizer of its own: amsgrad(lr"],
        ),
        ("adam(lr=adam)", &["no schedule `adam`; there are constant, linear, cosine,"]),
        ("clip_by_vale(1)", &["did you mean `clip_by_value`? clip_by_value(max_value)"]),
        ("adam(beta=0.5)", &["adam has no argument `beta`", "did you mean `beta1`?", "adam(lr = 1e-3,"]),
        ("adam(lr=cosin(1, 0))", &["adam: lr", "no schedule `cosin`", "did you mean `cosine`? cosine(start, end = 0)"]),
        ("cosine(1, 0)", &["cosine is a schedule, not an optimizer"]),
        ("adam(1, 2, 3, 4, 5, 6)", &["adam takes 5 arguments at most: adam(lr"]),
        ("adam(lr=1, 0.9)", &["adam: 0.9 needs its argument's name before it"]),
        ("adam(1, lr=2)", &["adam: lr is given twice"]),
        ("clip_by_global_norm", &["clip_by_global_norm needs max_norm, largest norm: clip_by_global_norm(max_norm"]),
        ("lookahead", &["lookahead needs chain"]),
        ("lookahead(sgdd)", &["lookahead: chain: there is no optimizer `sgdd`; did you mean `sgd`?"]),
        (
            "partition(blocks=\"a\")",
            &["partition: blocks, chain have no name, but stand in pairs after all others, as text"],
        ),
        ("partition(\"a\")", &["partition: blocks, chain come in pairs"]),
        ("adam | clip_by_value(1) | sgd", &["adam and sgd both apply a learning rate: a chain takes one"]),
        ("adam | scale_by_learning_rate(0.1)", &["adam and scale_by_learning_rate both apply a learning rate"]),
        ("lookahead(adam) | schedule_free", &["lookahead and schedule_free both apply a learning rate"]),
        ("trac(adam | sgd)", &["trac: chain: adam and sgd both apply"]),
        (
            "partition('a*', accumulate(2, adam), '*', trace)",
            &["the chain of \"a*\" applies a learning rate, that of \"*\" none"],
        ),
        ("masked('a*', adam) | trace", &["masked: its chain applies a learning rate", "partition gives each block"]),
        ("rmsprop(preset=jax)", &["rmsprop: preset = jax is impossible: it must be torch or tf or optax"]),
        ("rmsprop(centered=1)", &["rmsprop: centered = 1 is impossible: it must be true or false"]),
        ("masked(1, adam)", &["masked: blocks = 1 is impossible: it must be text in quotes"]),
        ("lookahead(1)", &["lookahead: chain = 1 is impossible: it must be an optimizer or a chain"]),
    ] {
        let message = refused(text);
        for expected in expected {
            assert!(message.contains(expected), "{text}: {message}, expected {expected}");
        }
    }
}

#[test]
fn what_is_no_whole_optimizer_is_refused() {
    for (text, expected) in [
        ("scale_by_adam", "`scale_by_adam` has no learning rate: end it with an optimizer such as adam"),
        ("masked(weights, trace) | ema", "has no learning rate"),
        ("adam | zero_non_finite", "zero_non_finite must be the first link of all"),
        ("accumulate(2, zero_non_finite | adam)", "zero_non_finite must be the first link of all"),
        ("zero_non_finite | lookahead(zero_non_finite | adam)", "zero_non_finite must be the first link of all"),
    ] {
        let message = text.parse::<Optimizer>().expect_err(text).to_string();
        assert!(message.contains(expected), "{text}: {message}");
        assert!(text.parse::<Chain>().is_ok(), "{text} is a chain all the same");
    }
    for text in ["adam", "schedule_free", "zero_non_finite | sgd", "partition('a*', scale_by_adam, '*', trace) | sgd"] {
        text.parse::<Optimizer>().unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

#[test]
fn an_impossible_value_says_its_range() {
    for (text, expected) in [
        ("adam(lr=-1)", "adam: lr = -1 is impossible: it must be finite and not negative"),
        ("adam(lr=inf)", "adam: lr = inf is impossible"),
        ("adam(lr=nan)", "adam: lr = nan is impossible"),
        ("adam(beta1=1)", "adam: beta1 = 1 is impossible: it must lie in [0, 1)"),
        ("adam(beta2=linear(0.5, 1))", "adam: beta2 = linear(0.5, 1) is impossible: all along, it must lie in [0, 1)"),
        ("adam(lr=linear(1, -1))", "all along, it must be finite and not negative"),
        ("adam(lr=warmup(2, 1))", "warmup: share = 2 is impossible: it must lie in [0, 1]"),
        ("adam(lr=step(1, 0.1, every=0))", "step: every = 0 is impossible: it must be finite and above 0"),
        ("adam(lr=exponential(1, 0))", "exponential: end = 0 is impossible"),
        ("adam(lr=piecewise(1, 0.5, 2, 0.5, 3))", "each progress must lie above the one before"),
        ("adam(lr=piecewise(1, 1.5, 2))", "progress, value = 1.5 is impossible: it must lie in [0, 1]"),
        ("adam(lr=piecewise(1, 0.5))", "come in pairs"),
        ("adam(lr=warmup_stable_decay(1, 0.6, 0.6))", "0.6 + 0.6 is more than all training"),
        ("adam(lr=linear(cosine(1, 0), 0))", "linear: start = cosine(1, 0) is impossible: it must be a number"),
        ("adagrad(initial_accumulator=linear(0, 1))", "it must be a number, and cannot change over training"),
        ("clip_by_global_norm(0)", "max_norm = 0 is impossible: it must be above 0 (inf turns it off)"),
        (
            "add_noise(seed=0.5)",
            "add_noise: seed = 0.5 is impossible: it must be a whole number, from 0 to 1125899906842623",
        ),
        ("muon(ns_steps=1e12)", "muon: ns_steps = 1e12 is impossible: it must be a whole number, from 1 to 100"),
        ("soap(max_dim=1e9)", "max_dim = 1e9 is impossible: it must be a whole number, from 1 to 16384"),
        ("lookahead(adam, k=1e10)", "k = 1e10 is impossible: it must be a whole number, from 1 to 1000000000"),
        (
            "adam(lr=plateau(1, patience=10))",
            "plateau: patience = 10 is impossible: it must lie in [0, 1): a share of training, not",
        ),
        ("adam(lr=plateau(1, cooldown=1))", "cooldown = 1 is impossible: it must lie in [0, 1): a share of training"),
        ("accumulate(0, adam)", "k = 0 is impossible: it must be a whole number, from 1 to 1000000000"),
    ] {
        let message = refused(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

/// Every count has an end: no text asks for more steps, rollouts or memory than there could be.
#[test]
fn every_count_has_a_ceiling() {
    let mut counts = 0;
    for row in Registry::default().rows() {
        for param in row.params {
            let Kind::Count(least, most) = param.kind else { continue };
            counts += 1;
            assert!(least < most && most < 1 << 53, "{}: {}", row.name, param.name);
            let needed = row.params.iter().filter(|other| other.default.is_empty() && other.name != param.name);
            let needed: String = needed.map(|other| format!(", {}=adam", other.name)).collect();
            let message = refused(&format!("{}({}={}{needed})", row.name, param.name, most + 1));
            assert!(message.contains(&format!("from {least} to {most}")), "{message}");
        }
    }
    assert!(counts >= 14, "{counts}");
    let long = |count: usize| vec!["trace"; count].join(" | ") + " | sgd";
    assert!(long(63).parse::<Chain>().is_ok());
    assert!(refused(&long(64)).contains("a chain of 65 links is too long: 64 at most"));
    let points = |count: usize| (1..=count).map(|i| format!(", {}, 1", i as f64 / 1e3)).collect::<String>();
    assert!(format!("sgd(lr=piecewise(1{}))", points(256)).parse::<Chain>().is_ok());
    assert!(refused(&format!("sgd(lr=piecewise(1{}))", points(257))).contains("257 pairs are too many: 256 at most"));
}

/// Every number of every recipe, one at a time, where it must not be.
#[test]
fn every_number_of_every_recipe_has_a_range() {
    let registry = Registry::default();
    for row in registry.recipes() {
        for param in row.params {
            if let Kind::Number(_) | Kind::Steady(_) | Kind::Fixed(_) | Kind::Count(..) = param.kind {
                for bad in ["-1", "nan", "-inf"] {
                    let message = refused(&format!("{}({}={bad})", row.name, param.name));
                    assert!(message.contains("is impossible: "), "{message}");
                }
            }
        }
    }
}

#[test]
fn every_row_is_documented_and_its_defaults_are_possible() {
    let registry = Registry::default();
    for row in registry.rows() {
        assert!(row.summary.len() > 5 && !row.summary.ends_with('.'), "{}: {}", row.name, row.summary);
        assert_eq!(registry.rows().iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        for param in row.params {
            assert!(param.meaning.len() > 2, "{}: {}", row.name, param.name);
        }
        let whole = row.params.iter().all(|param| !param.default.is_empty());
        if whole && !matches!(row.make, Make::Schedule(_)) {
            registry.chain(&spec(row.name)).unwrap_or_else(|error| panic!("{}: {error}", row.name));
            // Said or left out, a default is the same.
            let said = row.params.iter().map(|param| format!("{}={}", param.name, param.default));
            let said = format!("{}({})", row.name, said.collect::<Vec<_>>().join(", "));
            assert_eq!(moved(&said), moved(row.name), "{said}");
        }
        if row.is_recipe() {
            assert!(row.default_lr().is_some_and(|lr| lr > 0.0), "{} has no learning rate", row.name);
        }
    }
}

fn moved(text: &str) -> Vec<f32> {
    let (mut optimizer, mut params) = (crate::optimizer(text), params(BLOCKS, &numbers(17, 1)));
    for step in 0..3 {
        optimizer.step(&mut params, &numbers(17, 2 + step), at(step)).expect("a step");
    }
    values(&params)
}

#[test]
fn toml_may_say_the_same_in_text_tables_and_arrays() {
    let of = |toml: &str| {
        let table: toml::Table = toml.parse().unwrap_or_else(|error| panic!("{toml}: {error}"));
        Spec::try_from(&table["optimizer"])
    };
    for (toml, expected) in [
        ("optimizer = 'adam(lr=1e-3)'", "adam(lr=1e-3)"),
        ("optimizer = { name = 'adam', lr = 1e-3, eps = 1 }", "adam(eps=1, lr=1e-3)"),
        ("[optimizer]\nname = 'adam'\nlr = 'cosine(3e-4, 0)'", "adam(lr=cosine(3e-4, 0))"),
        (
            "[optimizer]\nname = 'adam'\nlr = { name = 'linear', start = 1, end = 0.5 }",
            "adam(lr=linear(end=0.5, start=1))",
        ),
        (
            "optimizer = ['zero_non_finite', { name = 'rmsprop', preset = 'tf', centered = true }]",
            "zero_non_finite | rmsprop(centered=true, preset=tf)",
        ),
        (
            "optimizer = { name = 'masked', blocks = 'actor.*', chain = ['centralize', 'scale_by_adam'] }",
            "masked(blocks=\"actor.*\", chain=centralize | scale_by_adam)",
        ),
    ] {
        let ours = of(toml).expect(toml);
        let mut expected = spec(expected);
        // A table has no order of its own.
        fn sort(spec: &mut Spec) {
            for link in &mut spec.0 {
                link.args.sort_by(|(a, _), (b, _)| a.cmp(b));
                link.args.iter_mut().for_each(|(_, value)| {
                    if let Value::Spec(inner) = value {
                        sort(inner);
                    }
                });
            }
        }
        let mut sorted = ours.clone();
        sort(&mut sorted);
        sort(&mut expected);
        assert_eq!(sorted, expected, "{toml}");
        assert_eq!(spec(&ours.to_string()), ours, "{toml}");
        Registry::default().chain(&ours).expect(toml);
    }
    for (toml, expected) in [
        ("optimizer = 1", "optimizer = 1 is impossible"),
        ("optimizer = []", "optimizer = [] is impossible"),
        ("optimizer = { lr = 1 }", "is impossible: it must be text in quotes, a table with a name"),
        ("optimizer = { name = 'adam lr' }", "`adam lr` is no name"),
        ("optimizer = { name = 'masked', blocks = '''\"a' ''' }", "both kinds of quotation marks"),
    ] {
        let message = of(toml).expect_err(toml).to_string();
        assert!(message.contains(expected), "{toml}: {message}");
    }
}

#[test]
fn settings_apply_where_a_spec_does_not_say() {
    let registry = Registry::default();
    let lr = |text: &str, fallback: &Fallback| {
        let chain = registry.chain_with(&spec(text), fallback).expect(text);
        [0.0, 0.5].map(|progress| chain.learning_rate(When { progress, update: 1 }).expect("a rate"))
    };
    let fallback = Fallback { lr: Some(0.5), anneal_lr: true, ..Fallback::default() };
    assert_eq!(lr("adam", &fallback), [0.5, 0.25]);
    assert_eq!(lr("adam(eps=1e-5)", &fallback), [0.5, 0.25]);
    assert_eq!(lr("adam(0.1)", &fallback), [0.1, 0.1]);
    assert_eq!(lr("adam(lr=cosine(1, 0))", &fallback), [1.0, 0.5]);
    assert_eq!(lr("lookahead(adam)", &fallback), [0.5, 0.25]);
    assert_eq!(lr("schedule_free_sgd", &fallback), [0.5, 0.5], "an average in place of a schedule");
    assert_eq!(lr("schedule_free_adamw(lr=linear(1, 0))", &fallback), [1.0, 0.5]);
    assert_eq!(lr("adam", &Fallback { anneal_lr: false, ..fallback }), [0.5, 0.5]);
    assert_eq!(lr("adam", &Fallback::default()), [1e-3, 1e-3]);

    // By how much the gradient [3, 4, 0, …] of norm 5 is clipped.
    let clipped = |text: &str, gradient: f32| {
        let fallback = Fallback { max_grad_norm: 1.0, ..Fallback::default() };
        let mut optimizer = Optimizer::new(registry.chain_with(&spec(text), &fallback).expect(text));
        let (mut params, mut all) = (params(BLOCKS, &[0.0; 17]), vec![0.0; 17]);
        (all[0], all[1]) = (gradient, 4.0);
        optimizer.step(&mut params, &all, When::default()).expect("a step");
        values(&params)[1]
    };
    assert!((clipped("sgd(1)", 3.0) + 0.8).abs() < 1e-6);
    assert!((clipped("clip_by_value(2) | sgd(1)", 3.0) + 2.0).abs() < 1e-6, "the spec's own clipping wins");
    assert!((clipped("masked(weights, clip_by_global_norm(10)) | sgd(1)", 3.0) + 4.0).abs() < 1e-6, "however deep");
    assert!((clipped("zero_non_finite | sgd(1)", f32::NAN) + 1.0).abs() < 1e-6, "after what mends the gradient");
}

#[test]
fn file_names_are_short_and_safe() {
    for (text, expected) in [
        ("adam", "adam"),
        ("adam(lr=1e-3)", "adam-lr-0.001"),
        ("clip_by_value(1) | sgd(0.1)", "clip_by_value-1-sgd-0.1"),
        ("masked(\"../*\", adam)", "masked-..-adam-1fbf1f33"),
    ] {
        assert_eq!(spec(text).file_name(), expected);
    }
    let long =
        |beta: f64| spec(&format!("clip_by_global_norm(0.5) | adam(lr=cosine(3e-4, 0), beta1={beta})")).file_name();
    assert_ne!(long(0.8), long(0.9));
    assert!(long(0.8).len() <= 48 && long(0.8).starts_with("clip_by_global_norm-0.5-adam"), "{}", long(0.8));
}

fn specs() -> impl Strategy<Value = Spec> {
    let name = "[a-z_][a-z0-9_]{0,8}".prop_filter("a number", |name| name.parse::<f64>().is_err());
    let number =
        prop_oneof![any::<f64>().prop_filter("NaN is not itself", |x| !x.is_nan()), Just(1e-3), Just(f64::INFINITY)];
    let leaf = prop_oneof![number.prop_map(Value::Number), "[^'\"]{0,6}".prop_map(Value::Text)];
    let key = prop::option::of(name.clone());
    let link = |value: BoxedStrategy<Value>| {
        let args = prop::collection::vec((key.clone(), value), 0..4);
        (name.clone(), args).prop_map(|(name, args)| Word { name, args })
    };
    let chain = |value: BoxedStrategy<Value>| prop::collection::vec(link(value), 1..4).prop_map(Spec);
    let value = leaf.prop_recursive(3, 16, 4, {
        let name = name.clone();
        let key = prop::option::of(name.clone());
        move |inner| {
            let args = prop::collection::vec((key.clone(), inner), 0..4);
            let link = (name.clone(), args).prop_map(|(name, args)| Word { name, args });
            prop::collection::vec(link, 1..3).prop_map(|links| Value::Spec(Spec(links)))
        }
    });
    chain(value.boxed())
}

proptest! {
    #![proptest_config(Runner { cases: 256, failure_persistence: None, rng_seed: RngSeed::Fixed(5), ..Runner::default() })]

    #[test]
    fn what_is_written_is_read_back(spec in specs()) {
        let text = spec.to_string();
        prop_assert_eq!(text.parse::<Spec>().expect("the same"), spec, "{}", text);
    }

    #[test]
    fn no_text_is_too_much(text in "[a-z(),|=\"'.0-9e+ -]{0,40}") {
        // An error or a spec, and no panic.
        if let Ok(spec) = text.parse::<Spec>() {
            let _ = Registry::default().chain(&spec);
        }
    }
}

#[test]
fn every_recipe_can_be_written_back() {
    for text in recipes() {
        assert_eq!(spec(&spec(&text).to_string()), spec(&text));
        assert!(spec(&text).to_string().parse::<Chain>().is_ok());
    }
}
