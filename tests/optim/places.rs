//! Where links may stand.

use uphill::optim::{Chain, Fallback, Make, Optimizer, Place, Registry, Row};
use uphill::words::Spec;

use crate::{BLOCKS, at, params, values};

fn refused(text: &str) -> String {
    let spec: Spec = text.parse().expect(text);
    let error = Registry::default().chain_with(&spec, &Fallback::default()).expect_err(text);
    assert_eq!(error.to_string().lines().count(), 1, "{error}");
    error.to_string()
}

#[test]
fn a_link_out_of_place_is_told_where_it_belongs() {
    for (text, expected) in [
        (
            "adam | add_decayed_weights(0.01)",
            "add_decayed_weights must stand before adam, which applies the learning rate",
        ),
        ("sgd | decay_to_initial(0.1)", "decay_to_initial must stand before sgd"),
        ("adam | add_noise", "add_noise must stand before adam"),
        ("sgd | scale_by_trust_ratio", "scale_by_trust_ratio must stand before sgd"),
        ("scale_by_learning_rate(1e-3) | scale_by_adam", "scale_by_adam must stand before scale_by_learning_rate"),
        ("sgd | masked(weights, scale_by_sign)", "scale_by_sign must stand before sgd"),
        ("lookahead(adam | add_noise)", "add_noise must stand before adam"),
        ("lookahead(adam) | add_noise", "add_noise must stand before adam"),
        ("partition('a*', adam, '*', sgd | add_noise)", "add_noise must stand before sgd"),
        ("partition('a*', adam, '*', sgd) | add_noise", "add_noise must stand before adam"),
        ("decay_weights(0.01) | sgd(0.1)", "decay_weights must stand after sgd, which applies the learning rate"),
        ("masked(weights, decay_weights(0.01)) | sgd(0.1)", "decay_weights must stand after sgd"),
        ("decay_weights(0.01) | lookahead(adam)", "decay_weights must stand after lookahead"),
        ("decay_weights(0.01) | accumulate(2, adam)", "decay_weights must stand after adam"),
        ("shrink_and_perturb(0.5, 0, 1) | sgd(0.1)", "shrink_and_perturb must stand after sgd"),
        ("sgd | shrink_and_perturb | clip_by_value(1)", "shrink_and_perturb must come last"),
        ("sgd | shrink_and_perturb | decay_weights(1)", "put decay_weights before it"),
        (
            "schedule_free(1) | clip_by_value(1e-9)",
            "schedule_free must come last, for it says where the parameters go: put clip_by_value before it",
        ),
        (
            "schedule_free_adamw | decay_weights(0.1)",
            "schedule_free_adamw must come last, for it says where the parameters go: it takes no decay_weights",
        ),
        (
            "lookahead(adam) | decay_weights(0.1)",
            "lookahead must come last, for it says where the parameters go: put decay_weights into its chain",
        ),
        ("trac(adam) | clip_by_value(0.1)", "put clip_by_value into its chain"),
        ("lookahead(trac(adam))", "lookahead and trac both say where the parameters go"),
        ("trac(accumulate(2, schedule_free))", "trac and schedule_free both say where the parameters go"),
        ("trac(scale_by_adam) | sgd", "trac: chain = `scale_by_adam` applies no learning rate"),
        ("lookahead(trace) | sgd", "lookahead: chain = `trace` applies no learning rate"),
        ("accumulate(4, centralize) | adam", "accumulate: chain = `centralize` applies no learning rate"),
        ("lookahead(adam) | ema", "lookahead and ema both say which parameters a finished policy has"),
        ("ema | schedule_free", "ema and schedule_free both say which"),
        ("ema | adam | ema(0.9)", "ema and ema both say which"),
        ("lookahead(adam | ema)", "lookahead and a link of its chain both say which"),
        ("partition('*', adam | ema) | ema", "partition and ema both say which"),
    ] {
        let message = refused(text);
        assert!(message.contains(expected), "{text}: {message}");
    }
}

#[test]
fn what_people_write_stands() {
    for text in [
        "clip_by_global_norm(0.5) | adam",
        "add_decayed_weights(0.01) | adam",
        "scale_by_adam | add_decayed_weights(0.01) | scale_by_learning_rate(1e-3)",
        "scale_by_adam | add_decayed_weights(0.01, weights) | scale_by_trust_ratio | scale_by_learning_rate(1e-3)",
        "adam | clip_by_value(1e-3)",
        "adam | decay_weights(0.01)",
        "adam | decay_weights(0.01, weights) | clip_by_global_norm(1) | shrink_and_perturb | ema",
        "trace | sgd",
        "sgd | trace",
        "scale_by_rms | trace | scale_by_learning_rate(0.1)",
        "zero_non_finite | add_noise | centralize | adaptive_clip | decay_to_initial(0.1) | lion",
        "adam | masked(weights, decay_weights(0.01))",
        "masked(weights, add_decayed_weights(0.01)) | adam",
        "partition('a*', scale_by_adam, '*', trace) | sgd",
        "partition('a*', adam | decay_weights(0.1), '*', schedule_free)",
        "lookahead(clip_by_value(1) | accumulate(2, adam | shrink_and_perturb), k=3)",
        "trac(adam | ema)",
        "trac(adam) | ema",
        "scale_by_adam | schedule_free(1e-3)",
    ] {
        let spec: Spec = text.parse().expect(text);
        let built = Registry::default().chain_with(&spec, &Fallback { max_grad_norm: 0.5, ..Fallback::default() });
        built.unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}

/// Whatever the places let through goes downhill and does not make parameters grow.
#[test]
fn no_pair_that_is_let_through_climbs_or_grows() {
    let registry = Registry::default();
    let links: Vec<&Row> = registry.rows().iter().filter(|row| row.place().is_some()).collect();
    let text = |row: &Row| match row.name {
        "masked" => "masked(\"*\", trace)".to_string(),
        "partition" => "partition(\"*\", adam(0.01))".into(),
        "accumulate" => "accumulate(1, adam(0.01))".into(),
        "lookahead" | "trac" => format!("{}(adam(0.01))", row.name),
        "scale_by_learning_rate" => "scale_by_learning_rate(0.01)".into(),
        "add_noise" => "add_noise(1e-12)".into(),
        "shrink_and_perturb" => "shrink_and_perturb(0.5, 0, 1)".into(),
        _ if row.name.starts_with("schedule_free") => format!("{}(0.01)", row.name),
        _ => {
            let needed =
                row.params.iter().filter(|param| param.default.is_empty()).map(|param| format!("{}=0.01", param.name));
            format!("{}({})", row.name, needed.collect::<Vec<_>>().join(", "))
        }
    };
    // Away from 0, where the parameters are as large as they are: what climbs, or makes them grow, goes on along it.
    let (start, gradient) = ([0.5; 17], [0.25; 17]);
    let along = |x: &[f32]| x.iter().zip(&gradient).map(|(x, g)| x * g).sum::<f32>();
    let mut stood = 0;
    for (one, other) in links.iter().flat_map(|one| links.iter().map(move |other| (one, other))) {
        let spec = format!("{} | {}", text(one), text(other));
        let Ok(mut optimizer) = spec.parse::<Optimizer>() else { continue };
        stood += 1;
        let mut params = params(BLOCKS, &start);
        for step in 0..20 {
            optimizer.step(&mut params, &gradient, at(step)).unwrap_or_else(|error| panic!("{spec}: {error}"));
        }
        let (before, after) = (along(&start), along(&values(&params)));
        // The first steps of TRAC are swallowed by rounding.
        assert!(after < before || (spec.contains("trac") && after == before), "{spec}: from {before} to {after}");
    }
    assert!(stood > 300, "{stood} pairs");
}

#[test]
fn a_row_of_ones_own_says_its_place() {
    const AFTER: Row = Row {
        name: "after",
        summary: "a link of a user's",
        params: &[],
        make: Make::Link(Place::AfterRate, |_| Ok(Chain::new())),
    };
    let registry = Registry::default().with(AFTER);
    let built = |text: &str| registry.chain_with(&text.parse().expect(text), &Fallback::default());
    assert!(built("adam | after").is_ok());
    assert!(built("after | adam").expect_err("too early").to_string().contains("after must stand after adam"));
}
