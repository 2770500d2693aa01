//! Squashed normal distributions: against PyTorch, at the borders, and in a policy.

use rand::RngExt;
use serde::Deserialize;
use uphill::distributions::{ActionMut, DiagGaussian, Distribution, SquashedDiagGaussian};
use uphill::envs::{Actions, Space};
use uphill::{Config, Seed, Trainer};

mod twins;

use twins::{Recorded, kl_on_host, near, on_host, on_tensors, wide};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    low: Vec<f32>,
    high: Vec<f32>,
    outputs: Vec<f32>,
    action: Vec<f32>,
    squeezed: Vec<f64>,
    #[serde(flatten)]
    recorded: Recorded,
}

fn squashed(k: usize) -> SquashedDiagGaussian {
    SquashedDiagGaussian::new(DiagGaussian::new(vec![-1.0; k], vec![1.0; k])).expect("a box")
}

#[test]
fn both_twins_say_what_pytorch_says() {
    let text = include_str!("reference/squashed_diag_gaussian.json");
    let Reference { cases } = serde_json::from_str(text).expect("the reference");
    assert!(cases.len() >= 5);
    for Case { low, high, outputs, action, squeezed, recorded } in cases {
        let of = SquashedDiagGaussian::new(DiagGaussian::new(low.clone(), high.clone())).expect("a box");
        recorded.check(&of, &outputs, Actions::Continuous(&action));
        let mut mapped = action;
        of.map_action(&mut mapped);
        near("what the environment takes", &mapped, &squeezed, 1e-6);
        let within = |(i, a): (usize, &f32)| (low[i % low.len()]..=high[i % high.len()]).contains(a);
        assert!(mapped.iter().enumerate().all(within));
    }
}

#[test]
fn nothing_is_lost_at_the_borders() {
    // Here the squashed action is a border to the last bit: log(1 − tanh² u) would be −∞.
    for (outputs, action) in [
        (&[30.0f32, 0.0][..], &[30.5f32][..]),
        (&[-400.0, 1.0], &[-401.0]),
        (&[0.0, -20.0], &[1e-9]),
        (&[1e6, 2.0], &[1e6 + 1.0]),
        (&[9.0, -9.0, 0.5, 3.0], &[9.5, -40.0]),
        (&[0.0, 3.5], &[88.0]),
    ] {
        let of = squashed(action.len());
        let by = [&[0.7f32][..], &[-0.4]];
        let (host, tensors) = (
            on_host(&of, outputs, Actions::Continuous(action), by, 1),
            on_tensors(&of, outputs, Actions::Continuous(action), by),
        );
        for (what, host, tensors) in [
            ("log-probability", &host.log_prob, &tensors.log_prob),
            ("entropy", &host.entropy, &tensors.entropy),
            ("gradient", &host.gradient, &tensors.gradient),
        ] {
            assert!(host.iter().all(|x| x.is_finite()), "{outputs:?}: {what} {host:?}");
            near(&format!("{outputs:?}: {what}"), host, &wide(tensors), 2e-6);
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_what_it_says() {
    let mut rng = Seed(5).stream("anything", 0);
    let mut numbers = |n: usize, far: f32| (0..n).map(|_| far * (rng.random::<f32>() - 0.5)).collect::<Vec<_>>();
    for k in [1, 3] {
        let (of, outputs, action, by) = (squashed(k), numbers(2 * k, 3.0), numbers(k, 3.0), [0.6f32, -1.3]);
        let by = [&by[..1], &by[1..]];
        let value = |outputs: &[f32]| {
            let found = on_host(&of, outputs, Actions::Continuous(&action), by, 0);
            f64::from(by[0][0]) * f64::from(found.log_prob[0]) + f64::from(by[1][0]) * f64::from(found.entropy[0])
        };
        let slope = |i: usize| {
            let moved = |by: f32| {
                let mut outputs = outputs.clone();
                outputs[i] += by;
                (value(&outputs), f64::from(outputs[i]))
            };
            let ((above, right), (below, left)) = (moved(0.01), moved(-0.01));
            (above - below) / (right - left)
        };
        let slopes: Vec<f64> = (0..outputs.len()).map(slope).collect();
        near("slopes", &on_host(&of, &outputs, Actions::Continuous(&action), by, 0).gradient, &slopes, 5e-4);
    }
}

#[test]
fn squashed_actions_are_drawn_as_often_as_they_are_probable() {
    // The density of the action, summed over tenths of the box, against how often it lies there.
    let (of, outputs, n) = (squashed(1), [0.4f32, -0.2], 100_000);
    let mut rows = of.rows();
    rows.set(&outputs, 2);
    let (mut rng, mut found, mut drawn) = (Seed(4).stream("draws", 0), [0.0f64; 10], Vec::new());
    for _ in 0..n {
        let mut action = [f32::NAN];
        let log_prob = rows.sample(0, &mut rng, ActionMut::Continuous(&mut action)).expect("an action");
        drawn.push((action[0], log_prob));
        of.map_action(&mut action);
        found[(((action[0] + 1.0) * 5.0) as usize).min(9)] += 1.0;
    }
    // What is said of a draw is what is said of it later, to the bit.
    let (actions, none) = (drawn.iter().map(|(a, _)| *a).collect::<Vec<_>>(), vec![0.0; n as usize]);
    let judged = on_host(&of, &outputs.repeat(n as usize), Actions::Continuous(&actions), [&none, &none], 0).log_prob;
    assert!(drawn.iter().zip(&judged).all(|((_, said), judged)| said.to_bits() == judged.to_bits()));
    let points = 4_000;
    let tenth = |i: usize| {
        let u: Vec<f32> = (0..points)
            .map(|p| (-1.0 + 0.2 * (i as f64 + (f64::from(p) + 0.5) / f64::from(points))).atanh() as f32)
            .collect();
        let none = vec![0.0; points as usize];
        let all = outputs.repeat(points as usize);
        let density = on_host(&of, &all, Actions::Continuous(&u), [&none, &none], 0).log_prob;
        wide(&density).iter().map(|l| l.exp()).sum::<f64>() * 0.2 / f64::from(points)
    };
    let expected: Vec<f64> = (0..10).map(tenth).collect();
    assert!((expected.iter().sum::<f64>() - 1.0).abs() < 1e-3, "{expected:?}");
    let chi_square: f64 =
        found.iter().zip(&expected).map(|(found, p)| (found - p * f64::from(n)).powi(2) / (p * f64::from(n))).sum();
    // Beyond 27.9 of 9 degrees of freedom once in a thousand times.
    assert!(chi_square < 27.9, "{chi_square}: {found:?}");
    let mut mode = [9.0];
    rows.mode(0, ActionMut::Continuous(&mut mode)).expect("an action");
    of.map_action(&mut mode);
    assert!((f64::from(mode[0]) - 0.4f64.tanh()).abs() < 1e-7);
}

#[test]
fn a_box_without_bounds_is_refused_and_so_is_a_distribution_over_other_actions() {
    let endless = DiagGaussian::new(vec![-1.0, f32::NEG_INFINITY], vec![1.0, 1.0]);
    let message = SquashedDiagGaussian::new(endless).expect_err("no bound").to_string();
    assert!(message.contains("number 1 of an action lies from -inf to 1"), "{message}");
    for (text, expected) in [
        (
            "env = 'CartPole-v1'\ndistribution = 'diag_gaussian'",
            "distribution = diag_gaussian: it is not over discrete actions, as CartPole-v1 has them; take categorical",
        ),
        ("env = 'Pendulum-v1'\ndistribution = 'categorical'", "take diag_gaussian or squashed_diag_gaussian"),
    ] {
        let config = Config::from_toml(text).expect("a configuration");
        let message = Trainer::new(&config).map(drop).expect_err("another kind of actions").to_string();
        assert!(message.contains(expected), "{message}");
    }
    for (text, expected) in [
        (
            "env = 'Pendulum-v1'\ndistribution = 'diag_gaussian(log_std_init=-100)'",
            "log_std_init = -100 is impossible: it must lie from -20 to 20",
        ),
        ("env = 'RandomMdp-v0(branching=30)'", "branching = 30 is impossible: there are 20 states to lead to"),
        ("distribution = 'squashed'", "no distribution `squashed`"),
        ("distribution = 'diag_gaussian(log_std=-1)'", "log_std_init"),
        (
            "log_std_init = -1",
            "over the actions of CartPole-v1 it is categorical, which has no argument `log_std_init`",
        ),
    ] {
        let found = Config::from_toml(text).and_then(|config| Trainer::new(&config).map(drop));
        let message = found.expect_err("a mistake").to_string();
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn what_a_policy_draws_from_is_a_setting_that_its_run_keeps() {
    for (word, blocks) in [
        ("squashed_diag_gaussian(log_std_init=-0.5)", Some(-0.5f32)),
        ("diag_gaussian(log_std_init=-1)", Some(-1.0)),
        ("squashed_diag_gaussian(state_dependent_std=true)", None),
        ("diag_gaussian(log_std_init=-2, state_dependent_std=true)", None),
    ] {
        for model in ["mlp", "mlp_layer_norm", "gru"] {
            let text = format!(
                "env = 'Pendulum-v1'\nmodel = '{model}'\ndistribution = '{word}'\nsteps = 512\nenvs = 4\nn_steps = 32\nhidden = [8]"
            );
            let text = if model == "mlp_layer_norm" { text.replace("hidden = [8]", "") } else { text };
            let config = Config::from_toml(&text).expect("a configuration");
            assert_eq!(Config::from_toml(&config.to_toml().expect("text")).expect("again"), config);
            let mut trainer = Trainer::new(&config).expect("a trainer");
            let (params, name) = (trainer.params(), "actor.log_std");
            let theta = params.snapshot().expect("numbers");
            let begins = params.layout().block(name).map(|block| theta[block.range()].to_vec());
            assert_eq!(begins, blocks.map(|initial| vec![initial]), "{word} {model}");
            trainer.step().expect("an update");
        }
    }
}

#[test]
fn a_policy_of_another_kind_diverges_by_no_number() {
    let (of, mut rows) = (squashed(1), DiagGaussian::new(vec![-1.0], vec![1.0]).rows());
    rows.set(&[0.0, 0.0], 2);
    let mut own = of.rows();
    own.set(&[0.0, 0.0], 2);
    let mut kl = Vec::new();
    own.kl(&*rows, &mut kl);
    assert!(kl.len() == 1 && kl[0].is_nan());
    rows.kl(&*own, &mut kl);
    assert!(kl.len() == 1 && kl[0].is_nan());
    assert_eq!(kl_on_host(&of, &[0.3, 0.2], &[0.3, 0.2]), [0.0]);
    assert!(of.is_over(&Space::uniform_box(1, -1.0, 1.0)) && !of.is_over(&Space::uniform_box(1, -2.0, 1.0)));
}
