//! Several choices at once: against PyTorch, against enumeration and differences, and the host against the tensors.

use candle_core::Tensor;
use rand::RngExt;
use serde::Deserialize;
use uphill::distributions::{ActionMut, Categorical, Distribution, MultiCategorical, over};
use uphill::envs::{Actions, Space};
use uphill::{Error, Seed};

mod twins;

use twins::{Answer, CPU, Recorded, near, on_host, on_tensors, wide};

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    actions: Vec<usize>,
    logits: Vec<f32>,
    action: Vec<u32>,
    #[serde(flatten)]
    recorded: Recorded,
}

fn multi(actions: &[usize]) -> MultiCategorical {
    MultiCategorical { actions: actions.to_vec() }
}

/// Logits of so many rows, and weights of log-probability and entropy; actions that are in the space.
fn anything(of: &MultiCategorical, rows: usize, seed: u64) -> (Vec<f32>, Vec<u32>, [Vec<f32>; 2]) {
    let mut rng = Seed(seed).stream("anything", 0);
    let mut numbers = |n: usize, far: f32| (0..n).map(|_| far * (rng.random::<f32>() - 0.5)).collect::<Vec<_>>();
    let (logits, by) = (numbers(rows * of.outputs(), 8.0), [numbers(rows, 2.0), numbers(rows, 2.0)]);
    let action = (0..rows).flat_map(|i| of.actions.iter().map(move |&n| (i * 7 % n) as u32)).collect();
    (logits, action, by)
}

#[test]
fn both_twins_say_what_pytorch_says() {
    let text = include_str!("reference/multi_categorical.json");
    let Reference { cases } = serde_json::from_str(text).expect("the reference");
    assert!(cases.len() >= 5);
    for case in cases {
        case.recorded.check(&multi(&case.actions), &case.logits, Actions::Discrete(&case.action));
    }
}

/// Every action of the product space, the last component first to move.
fn all_actions(actions: &[usize]) -> Vec<Vec<u32>> {
    actions.iter().fold(vec![vec![]], |known, &n| {
        known.iter().flat_map(|start| (0..n as u32).map(|a| [&start[..], &[a]].concat())).collect()
    })
}

#[test]
fn it_is_one_distribution_over_the_product_of_its_choices() {
    for actions in [vec![3, 2, 4], vec![1, 3], vec![5], vec![2, 2, 2, 2]] {
        let of = multi(&actions);
        let (logits, ..) = anything(&of, 1, 3);
        let every = all_actions(&actions);
        let rows = logits.repeat(every.len());
        let none = vec![0.0; every.len()];
        let found = on_host(&of, &rows, Actions::Discrete(&every.concat()), [&none, &none], 0);
        let log_probs = wide(&found.log_prob);
        let total: f64 = log_probs.iter().map(|l| l.exp()).sum();
        assert!((total - 1.0).abs() < 1e-6, "{actions:?}: {total}");
        let entropy: f64 = log_probs.iter().map(|l| -l.exp() * l).sum();
        near("the entropy", &found.entropy[..1], &[entropy], 1e-6);
        // The likeliest of all is likeliest in each, and the most entropy that of equals.
        let mut rows = of.rows();
        rows.set(&logits, of.outputs());
        let mut mode = vec![99; of.action_len()];
        assert_eq!(rows.mode(0, ActionMut::Discrete(&mut mode)), Some(()));
        let likeliest = (0..every.len()).max_by(|&a, &b| log_probs[a].total_cmp(&log_probs[b])).expect("one of them");
        assert_eq!(mode, every[likeliest]);
        assert!((of.max_entropy().expect("finite") - (every.len() as f64).ln()).abs() < 1e-12);
        // Of equals the first.
        rows.set(&vec![0.5; of.outputs()], of.outputs());
        rows.mode(0, ActionMut::Discrete(&mut mode)).expect("an action");
        assert_eq!(mode, vec![0; of.action_len()]);
    }
}

#[test]
fn gradients_are_the_slopes_of_the_definition() {
    for actions in [vec![3, 2, 4], vec![1, 3], vec![6]] {
        let of = multi(&actions);
        let (logits, action, by) = anything(&of, 4, 5);
        // The definition in f64: a sum over choices of log-softmax at the action, and of entropies.
        let value = |logits: &[f64]| -> f64 {
            let rows = logits.chunks(of.outputs()).zip(action.chunks(actions.len()));
            let row = |(i, (mut row, action)): (usize, (&[f64], &[u32]))| -> f64 {
                let choice = |(&n, &a): (&usize, &u32)| {
                    let own;
                    (own, row) = row.split_at(n);
                    let log_total = own.iter().map(|l| l.exp()).sum::<f64>().ln();
                    let entropy: f64 = own.iter().map(|l| (log_total - l) * (l - log_total).exp()).sum();
                    f64::from(by[0][i]) * (own[a as usize] - log_total) + f64::from(by[1][i]) * entropy
                };
                actions.iter().zip(action).map(choice).sum()
            };
            rows.enumerate().map(row).sum()
        };
        let at = wide(&logits);
        let slope = |i: usize| {
            let moved = |by: f64| {
                value(&at.iter().enumerate().map(|(j, x)| if i == j { x + by } else { *x }).collect::<Vec<_>>())
            };
            (moved(1e-5) - moved(-1e-5)) / 2e-5
        };
        let slopes: Vec<f64> = (0..at.len()).map(slope).collect();
        assert!(actions == [1] || slopes.iter().any(|s| s.abs() > 0.1), "not trivially zero");
        let weights = [&by[0][..], &by[1]];
        near("on the host", &on_host(&of, &logits, Actions::Discrete(&action), weights, 0).gradient, &slopes, 3e-6);
        near("on tensors", &on_tensors(&of, &logits, Actions::Discrete(&action), weights).gradient, &slopes, 3e-6);
    }
}

#[test]
fn host_and_tensors_agree_at_the_borders_too() {
    let inf = f32::INFINITY;
    let rows: [(&[usize], &[f32], &[u32]); 8] = [
        (&[3, 2], &[0.0, 0.0, -inf, 1.0, -inf], &[1, 0]),
        (&[2, 3], &[3e38, -3e38, f32::MAX, f32::MIN, 0.0], &[0, 0]),
        (&[2, 2], &[88.0, -88.0, -104.5, 0.0], &[0, 1]),
        (&[1, 1], &[7.0, -1e38], &[0, 0]),
        (&[1, 4, 1], &[1e30, 2.5, 2.5, 2.5, 2.5, -3.0], &[0, 3, 0]),
        (&[3, 3], &[0.0, f32::from_bits(1), -0.0, f32::MIN, f32::MIN, f32::MIN], &[2, 1]),
        (&[2], &[-inf, 0.5], &[1]),
        (&[2, 2, 2], &[40.0, -40.0, 0.0, 0.0, -40.0, 40.0], &[0, 1, 1]),
    ];
    for (actions, logits, action) in rows {
        let of = multi(actions);
        let (two, twice) = (logits.repeat(2), action.repeat(2));
        let by = [&[0.7, -1.3][..], &[-0.4, 0.9]];
        let (host, tensors) = (
            on_host(&of, &two, Actions::Discrete(&twice), by, 1),
            on_tensors(&of, &two, Actions::Discrete(&twice), by),
        );
        for (what, host, tensors) in [
            ("log-probability", &host.log_prob, &tensors.log_prob),
            ("entropy", &host.entropy, &tensors.entropy),
            ("gradient", &host.gradient, &tensors.gradient),
        ] {
            assert!(host.iter().all(|x| x.is_finite()), "{logits:?}: {what} {host:?}");
            near(&format!("{logits:?}: {what}"), host, &wide(tensors), 1e-6);
        }
    }
    // As many rows as there may be in a block, in every shape.
    for (seed, actions) in [&[3, 2, 4][..], &[1, 5], &[6], &[2; 9], &[4, 1, 1, 7]].into_iter().enumerate() {
        let of = multi(actions);
        let (logits, action, by) = anything(&of, 256, seed as u64);
        let by = [&by[0][..], &by[1]];
        let (host, tensors) = (
            on_host(&of, &logits, Actions::Discrete(&action), by, 1),
            on_tensors(&of, &logits, Actions::Discrete(&action), by),
        );
        near("log-probability", &host.log_prob, &wide(&tensors.log_prob), 1e-6);
        near("entropy", &host.entropy, &wide(&tensors.entropy), 1e-6);
        near("gradient", &host.gradient, &wide(&tensors.gradient), 1e-6);
    }
}

#[test]
fn one_choice_is_a_categorical_distribution_to_the_bit() {
    let (one, of) = (Categorical { actions: 5 }, multi(&[5]));
    let (logits, action, by) = anything(&of, 33, 8);
    let by = [&by[0][..], &by[1]];
    let bits = |of: &dyn Distribution| {
        let Answer { log_prob, entropy, gradient } = on_host(of, &logits, Actions::Discrete(&action), by, 0);
        let mut rows = of.rows();
        rows.set(&logits, 5);
        let (mut rng, mut drawn) = (Seed(1).stream("draw", 0), Vec::new());
        for row in 0..33 {
            let mut action = [0];
            let log_prob = rows.sample(row, &mut rng, ActionMut::Discrete(&mut action)).expect("an action");
            drawn.push((action, log_prob.to_bits()));
        }
        ([log_prob, entropy, gradient].map(|x| x.into_iter().map(f32::to_bits).collect::<Vec<_>>()), drawn)
    };
    assert_eq!(bits(&of), bits(&one));
}

#[test]
fn actions_are_drawn_as_often_as_they_are_probable_and_choices_apart() {
    let actions = [3, 1, 2];
    let of = multi(&actions);
    let logits = [0.0, 1.0, -1.0, 3.0, 0.3, -0.4];
    let every = all_actions(&actions);
    let none = vec![0.0; every.len()];
    let log_probs =
        on_host(&of, &logits.repeat(every.len()), Actions::Discrete(&every.concat()), [&none, &none], 0).log_prob;
    let (mut rows, mut rng, n) = (of.rows(), Seed(4).stream("draws", 0), 60_000);
    rows.set(&logits, of.outputs());
    let mut counts = vec![0.0; every.len()];
    for _ in 0..n {
        let mut action = [9; 3];
        let log_prob = rows.sample(0, &mut rng, ActionMut::Discrete(&mut action)).expect("an action");
        let place = every.iter().position(|known| *known == action).expect("one of the space");
        assert!((log_prob - log_probs[place]).abs() < 1e-6);
        counts[place] += 1.0;
    }
    let expected = log_probs.iter().map(|&l| f64::from(l).exp() * f64::from(n));
    let chi_square: f64 = counts.iter().zip(expected).map(|(&found, p): (&f64, f64)| (found - p).powi(2) / p).sum();
    // Five degrees of freedom: beyond 20.5 once in a thousand times.
    assert!(chi_square < 20.5, "{chi_square}: {counts:?}");
    // Choice after choice from one generator: each as it would be drawn alone.
    let mut alone = Seed(6).stream("draws", 0);
    let mut together = Seed(6).stream("draws", 0);
    for _ in 0..100 {
        let mut action = [9; 3];
        rows.sample(0, &mut together, ActionMut::Discrete(&mut action)).expect("an action");
        let each = [&logits[..3], &logits[3..4], &logits[4..]].map(|own| {
            let (mut row, mut action) = (Categorical { actions: own.len() }.rows(), [9]);
            row.set(own, own.len());
            row.sample(0, &mut alone, ActionMut::Discrete(&mut action)).expect("an action");
            action[0]
        });
        assert_eq!(action, each);
    }
}

#[test]
fn a_choice_that_is_none_makes_none_of_its_row_and_of_no_other() {
    let of = multi(&[2, 3]);
    let good = [0.1, 0.2, 0.3, 0.4, 0.5];
    for (place, bad) in (0..5).flat_map(|i| [f32::NAN, f32::INFINITY].map(|x| (i, x))) {
        let mut logits = good.repeat(3);
        logits[5 + place] = bad;
        let mut rows = of.rows();
        rows.set(&logits, 5);
        let (mut rng, mut action) = (Seed(1).stream("draws", 0), [0; 2]);
        for row in 0..3 {
            let is_one = row != 1;
            assert_eq!(rows.sample(row, &mut rng, ActionMut::Discrete(&mut action)).is_some(), is_one, "{place} {bad}");
            assert_eq!(rows.mode(row, ActionMut::Discrete(&mut action)).is_some(), is_one, "{place} {bad}");
        }
        let (mut log_prob, mut entropy) = (Vec::new(), Vec::new());
        rows.judge(Actions::Discrete(&[0; 6]), &mut log_prob, &mut entropy);
        assert_eq!(log_prob.iter().map(|l| l.is_nan()).collect::<Vec<_>>(), [false, true, false]);
    }
}

#[test]
fn it_is_over_one_space_alone_and_takes_outputs_of_one_length_alone() {
    let space = Space::MultiDiscrete { n: vec![2, 3] };
    let of = over("Dials-v0", &space).expect("a distribution");
    assert_eq!((of.outputs(), of.action_len(), of.is_over(&space)), (5, 2, true));
    for other in [Space::MultiDiscrete { n: vec![3, 2] }, Space::MultiDiscrete { n: vec![5] }, Space::Discrete { n: 5 }]
    {
        assert!(!of.is_over(&other), "{other:?}");
    }
    assert!(!Categorical { actions: 2 }.is_over(&Space::MultiDiscrete { n: vec![2] }));
    for columns in [4, 6] {
        let outputs = Tensor::zeros((3, columns), candle_core::DType::F32, &CPU).expect("zeros");
        assert!(matches!(of.tensor(&outputs), Err(Error::Tensor(_))), "{columns} columns");
    }
    let policy = of.tensor(&Tensor::zeros((3, 5), candle_core::DType::F32, &CPU).expect("zeros")).expect("a policy");
    assert_eq!((policy.described().expect("numbers").dims(), policy.outputs().dims()), (&[3, 5][..], &[3, 5][..]));
    for shape in [vec![3], vec![2, 2], vec![3, 3]] {
        let action = Tensor::zeros(shape, candle_core::DType::U32, &CPU).expect("zeros");
        assert!(matches!(policy.log_prob(&action), Err(Error::Tensor(_))), "{action:?}");
    }
    let past_end = Tensor::new(&[[0u32, 3], [0, 0], [0, 0]], &CPU).expect("actions");
    assert!(matches!(policy.log_prob(&past_end), Err(Error::Tensor(_))));
    let nothing = over("Dials-v0", &Space::MultiDiscrete { n: vec![2, 0] }).expect_err("nothing to choose");
    assert!(nothing.to_string().starts_with("action space = MultiDiscrete"), "{nothing}");
}
