//! What has no weight has no say, be it NaN or infinite: no zero is made by multiplying with one.

use candle_core::{DType, Device, Tensor, Var};
use uphill::advantage::{Estimator, Gae, MonteCarlo, NStep};
use uphill::envs::End;
use uphill::models::{Activation, ops};
use uphill::objective::{ClippedSurrogate, Entropy, Objective, PolicyGradient, RowGradients, RowSums, Rows, ValueLoss};
use uphill::rollout::Estimate;
use uphill::{MlpConfig, MlpModel, Model, Rollout, Seed};

const ENDS: [End; 3] = [End::Not, End::Terminated, End::Truncated];
const STEPS: usize = 4;
const LANES: usize = 2;

/// Lane 0 ends as told, lane 1 truncates after its second step.
fn rollout(ends: [End; STEPS]) -> Rollout {
    let numbers = |from: f32| (0..STEPS * LANES).map(|i| from + (i * 37 % 11) as f32 / 7.0).collect::<Vec<_>>();
    let lane_1 = [End::Not, End::Truncated, End::Not, End::Not];
    Rollout {
        reward: numbers(-0.5),
        end: ends.into_iter().zip(lane_1).flat_map(|(a, b)| [a, b]).collect(),
        valid: vec![true; STEPS * LANES],
        value: numbers(0.3),
        next_value: numbers(1.0),
        ..Rollout::new(LANES, 0)
    }
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn no_number_reaches_over_an_end_or_into_another_lane() {
    let estimators: [Box<dyn Estimator>; 7] = [
        Box::new(Gae { gae_lambda: 0.95 }),
        Box::new(Gae { gae_lambda: 1.0 }),
        Box::new(Gae { gae_lambda: 0.0 }),
        Box::new(MonteCarlo { baseline: true }),
        Box::new(MonteCarlo { baseline: false }),
        Box::new(NStep { n_steps: 1 }),
        Box::new(NStep { n_steps: 9 }),
    ];
    for ends in (0..81).map(|i| [1, 3, 9, 27].map(|k| ENDS[i / k % 3])) {
        for estimator in &estimators {
            let clean = estimator.estimate(&rollout(ends), 0.9);
            // Poison everything of one place: all before an end before it, and the other lane, stays as it was.
            for (place, bad) in (0..STEPS * LANES).flat_map(|i| [f32::NAN, f32::INFINITY, f32::MIN].map(|x| (i, x))) {
                let mut poisoned = rollout(ends);
                for column in [&mut poisoned.reward, &mut poisoned.value, &mut poisoned.next_value] {
                    column[place] = bad;
                }
                let end = poisoned.end.clone();
                let found = estimator.estimate(&poisoned, 0.9);
                for i in (0..STEPS * LANES).filter(|&i| i != place) {
                    let before = i < place && i % LANES == place % LANES;
                    let connected = before && (i..place).step_by(LANES).all(|k| !end[k].ended());
                    if !connected {
                        let same = bits(&[found.advantage[i], found.target[i]])
                            == bits(&[clean.advantage[i], clean.target[i]]);
                        assert!(same, "{estimator:?}, ends {ends:?}: {bad} at {place} reaches {i}: {found:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_terminal_state_has_no_value_whatever_stands_there() {
    let ends = [End::Not, End::Terminated, End::Not, End::Not];
    let clean = Gae { gae_lambda: 0.95 }.estimate(&rollout(ends), 0.9);
    let mut poisoned = rollout(ends);
    poisoned.next_value[LANES] = f32::NAN;
    assert_eq!(Gae { gae_lambda: 0.95 }.estimate(&poisoned, 0.9), clean);
}

#[test]
fn a_discount_of_zero_counts_nothing_that_comes_later() {
    let mut rollout = rollout([End::Not; STEPS]);
    rollout.next_value.fill(f32::NAN);
    rollout.reward[6] = f32::INFINITY;
    let estimators: [Box<dyn Estimator>; 3] =
        [Box::new(Gae { gae_lambda: 0.9 }), Box::new(MonteCarlo { baseline: true }), Box::new(NStep { n_steps: 3 })];
    for estimator in estimators {
        let Estimate { advantage, .. } = estimator.estimate(&rollout, 0.0);
        for i in (0..STEPS * LANES).filter(|&i| i != 6) {
            assert_eq!(advantage[i], rollout.reward[i] - rollout.value[i], "{estimator:?} at {i}");
        }
    }
}

#[test]
fn a_term_without_weight_has_no_gradient_even_where_it_is_not_finite() {
    let bad = [f32::NAN, f32::INFINITY];
    let rows = Rows {
        log_prob: &[-0.5, -0.7],
        entropy: &[0.6, 0.6],
        value: &bad,
        old_log_prob: &[-0.5, -0.7],
        advantage: &[1.0, -1.0],
        target: &[0.0, 0.0],
        old_value: &[0.0, 0.0],
    };
    let objective =
        PolicyGradient.plus(0.0, ValueLoss::default()).plus(0.0, ClippedSurrogate::new(0.2)).plus(0.0, Entropy);
    let [mut log_prob, mut entropy, mut value] = [[0.0; 2]; 3];
    let mut out = RowGradients { log_prob: &mut log_prob, entropy: &mut entropy, value: &mut value };
    let mut sums = RowSums::default();
    let loss = objective.rows(&rows, 0.5, &mut out, &mut sums);
    assert!((loss - (0.5 - 0.7)).abs() < 1e-6, "{loss}");
    assert_eq!((log_prob, entropy, value), ([-0.5, 0.5], [0.0; 2], [0.0; 2]));
    assert!(sums.entries().iter().any(|(name, sum)| *name == "value_loss" && !sum.is_finite()), "it is reported");
}

#[test]
fn a_unit_that_stands_at_zero_has_the_same_slope_in_both_networks() {
    // No weight is drawn into the hidden units: all stand at 0, where ReLU has two slopes to choose from.
    let spec = uphill::envs::make("CartPole-v1").expect("an environment").spec().clone();
    for activation in [
        Activation::Relu,
        Activation::Tanh,
        Activation::Silu,
        Activation::Gelu,
        Activation::LeakyRelu,
        Activation::Identity,
    ] {
        let config = MlpConfig { hidden: vec![8], activation, ..MlpConfig::default() };
        let gradients = [false, true].map(|plain| {
            let (mut params, network) = MlpModel::new(&spec, &config, Seed(1), &Device::Cpu).expect("a network");
            let network = if plain { network.plain() } else { network };
            let mut theta = params.snapshot().expect("values");
            for block in params.layout().blocks().iter().filter(|block| block.name.contains(".0.")) {
                theta[block.range()].fill(0.0);
            }
            params.set(&theta).expect("values");
            let x = Tensor::ones((3, 4), DType::F32, &Device::Cpu).expect("ones");
            let output = network.answer(&params, &x).expect("outputs");
            let loss = output.value.sum_all().expect("a loss");
            params.gradient(&loss).and_then(|g| Ok(g.to_vec1::<f32>()?)).expect("a gradient")
        });
        let apart = gradients[0].iter().zip(&gradients[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-6, "{activation:?}: {apart}");
    }
}

#[test]
fn elementary_functions_are_candles_at_their_borders() {
    type Ours = fn(&Tensor) -> uphill::Result<Tensor>;
    type Theirs = fn(&Tensor) -> candle_core::Result<Tensor>;
    type Case<'a> = (&'a str, Ours, Theirs, &'a [f32]);
    let cases: [Case<'_>; 4] = [
        ("exp", ops::exp, |x| x.exp(), &[0.0, -0.0, 88.7, -87.0, -104.0, -200.0, f32::MIN, f32::NEG_INFINITY]),
        ("log1p", ops::log1p, |x| (x + 1.0)?.log(), &[0.0, -0.0, -0.5, 1.0, 1e10, f32::MAX]),
        ("sigmoid", ops::sigmoid, candle_nn::ops::sigmoid, &[0.0, 20.0, -20.0, 200.0, -200.0, f32::MAX, f32::MIN]),
        ("tanh", ops::tanh, |x| x.tanh(), &[0.0, -0.0, 9.0, 10.0, -10.0, f32::MAX, f32::MIN]),
    ];
    for (name, ours, theirs, inputs) in cases {
        let x = Var::from_slice(inputs, inputs.len(), &Device::Cpu).expect("numbers");
        let [a, b] = [ours(&x).expect("numbers"), theirs(&x).expect("numbers")].map(|y| {
            let gradient = y.sum_all().and_then(|y| y.backward()).expect("a gradient");
            let gradient = gradient.get(&x).expect("of x").to_vec1::<f32>().expect("numbers");
            (y.to_vec1::<f32>().expect("numbers"), gradient)
        });
        for (i, input) in inputs.iter().enumerate() {
            for (a, b) in [(a.0[i], b.0[i]), (a.1[i], b.1[i])] {
                let close = a == b || (a - b).abs() <= 2e-6 * b.abs().max(0.1);
                assert!(close && a.is_finite(), "{name} at {input}: {a} for candle's {b}");
            }
        }
    }
}
