//! The fused perceptron is its plain twin and the mathematics; any candle-nn module learns; wrong input is an error.

use candle_core::{DType, Device, Tensor};
use candle_nn::{Module, VarBuilder, linear, seq};
use proptest::prelude::*;
use proptest::test_runner::{Config as Runner, RngSeed};
use rand::RngExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use uphill::distributions::{CategoricalTensor, Distribution};
use uphill::envs::{Space, Spec};
use uphill::init::Initialiser;
use uphill::models::{Activation, Heads, Site, apart};
use uphill::objective::{Objective, Output, PolicyGradient, Report, RowSums, TensorBatch, ValueLoss};
use uphill::{
    Collector, Config, Error, Horizon, MlpConfig, MlpModel, Model, ModuleModel, Params, Result, Scratch, Seed, Trainer,
};

const CPU: Device = Device::Cpu;

fn spec(observation: usize, actions: usize) -> Spec {
    Spec {
        id: "Test-v0".into(),
        observation: Space::uniform_box(observation, -1.0, 1.0),
        action: Space::Discrete { n: actions },
        max_episode_steps: None,
        reward_threshold: None,
    }
}

/// A network of some shape with weights and biases away from their starts, twice: fused and plain.
struct Twins {
    params: Params,
    fused: MlpModel,
    plain: MlpModel,
}

impl Twins {
    fn new(spec: &Spec, config: &MlpConfig, seed: Seed) -> Self {
        let (mut params, fused) = MlpModel::new(spec, config, seed, &CPU).expect("a network");
        let (_, plain) = MlpModel::new(spec, config, seed, &CPU).expect("the same network");
        let mut rng = seed.stream("test", 0);
        let moved = params.snapshot().expect("values").into_iter().map(|v| v + 0.2 * rng.random::<f32>() - 0.1);
        params.set(&moved.collect::<Vec<_>>()).expect("the same length");
        Self { params, fused, plain: plain.plain() }
    }
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("numbers")
}

/// Any weights: the loss is `Σ w·log π + Σ u·V`.
fn weights(seed: Seed, len: usize) -> Vec<f32> {
    let mut rng = seed.stream("weights", 0);
    (0..len).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect()
}

fn loss(output: &Output, seed: Seed) -> Result<Tensor> {
    let log_probs = output.policy.described()?;
    let (rows, actions) = log_probs.dims2()?;
    let w = weights(seed, rows * (actions + 1));
    let on_log_probs = Tensor::from_slice(&w[rows..], (rows, actions), &CPU)?;
    let on_values = Tensor::from_slice(&w[..rows], rows, &CPU)?;
    Ok(((log_probs * on_log_probs)?.sum_all()? + (&output.value * on_values)?.sum_all()?)?)
}

/// The largest distance, relative to the largest entry or to 1.
fn relative(got: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let scale = expected.iter().fold(1.0, |m: f64, e| m.max(e.abs()));
    got.iter().zip(expected).map(|(&g, &e)| (f64::from(g) - e).abs() / scale).fold(0.0, f64::max)
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// The network written down once more, in f64, straight from the names of its blocks.
struct Mathematics<'a> {
    params: &'a Params,
    config: &'a MlpConfig,
    observation: &'a [f32],
    width: usize,
    actions: usize,
    /// The smallest distance of an activation's argument from zero, where ReLU has no derivative.
    margin: f64,
}

impl Mathematics<'_> {
    fn layer(&self, theta: &[f64], name: &str, x: &[f64], inputs: usize) -> Vec<f64> {
        let block = |part: &str| self.params.layout().block(&format!("{name}.{part}")).expect("a block").range();
        let (weight, bias) = (&theta[block("weight")], &theta[block("bias")]);
        let row = |x: &[f64], o: usize| {
            x.iter().zip(&weight[o * inputs..(o + 1) * inputs]).map(|(x, w)| x * w).sum::<f64>() + bias[o]
        };
        x.chunks_exact(inputs).flat_map(|x| (0..bias.len()).map(move |o| row(x, o)).collect::<Vec<_>>()).collect()
    }

    fn hidden(&mut self, theta: &[f64], name: &str) -> (Vec<f64>, usize) {
        let (mut x, mut inputs) = (wide(self.observation), self.width);
        let hidden = if name == "critic" { self.config.critic_hidden.as_ref() } else { None };
        for (l, &units) in hidden.unwrap_or(&self.config.hidden).iter().enumerate() {
            x = self.layer(theta, &format!("{name}.{l}"), &x, inputs);
            inputs = units;
            for v in &mut x {
                self.margin = self.margin.min(v.abs());
                *v = match self.config.activation {
                    Activation::Tanh => v.tanh(),
                    Activation::Relu => v.max(0.0),
                    Activation::Silu => *v / (1.0 + (-*v).exp()),
                    Activation::Gelu => *v * normal_cdf(*v),
                    Activation::LeakyRelu => v.max(0.01 * *v),
                    Activation::Identity => *v,
                };
            }
        }
        (x, inputs)
    }

    /// Log-probabilities `[B, A]` and values `[B]`.
    fn forward(&mut self, theta: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let trunk = |name| if self.config.shared_trunk { "trunk" } else { name };
        let (actor, critic) = (trunk("actor"), trunk("critic"));
        let (x, inputs) = self.hidden(theta, actor);
        let mut logits = self.layer(theta, "actor.head", &x, inputs);
        for row in logits.chunks_exact_mut(self.actions) {
            let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total = max + row.iter().map(|l| (l - max).exp()).sum::<f64>().ln();
            row.iter_mut().for_each(|l| *l -= total);
        }
        let (x, inputs) = self.hidden(theta, critic);
        (logits, self.layer(theta, "critic.head", &x, inputs))
    }

    fn loss(&mut self, theta: &[f64], seed: Seed) -> f64 {
        let (log_probs, values) = self.forward(theta);
        let w = weights(seed, log_probs.len() + values.len());
        w.iter().zip(values.iter().chain(&log_probs)).map(|(&w, x)| f64::from(w) * x).sum()
    }
}

/// How an observation tensor lies in memory.
#[derive(Debug, Clone, Copy)]
enum View {
    Whole,
    /// Some rows of a longer tensor: contiguous, with an offset.
    Rows,
    /// Some columns of a wider tensor: rows with gaps between them.
    Columns,
    Transposed,
}

fn view(observation: &[f32], rows: usize, width: usize, view: View) -> candle_core::Result<Tensor> {
    let whole = Tensor::from_slice(observation, (rows, width), &CPU)?;
    let poison = Tensor::full(f32::NAN, (rows.max(width), rows.max(width)), &CPU)?;
    match view {
        View::Whole => Ok(whole),
        View::Rows => {
            let padding = poison.narrow(0, 0, 1)?.narrow(1, 0, width)?;
            Tensor::cat(&[&padding, &whole, &padding], 0)?.narrow(0, 1, rows)
        }
        View::Columns => {
            let padding = poison.narrow(0, 0, rows)?.narrow(1, 0, 1)?;
            Tensor::cat(&[&padding, &whole, &padding], 1)?.narrow(1, 1, width)
        }
        View::Transposed => whole.t()?.contiguous()?.t(),
    }
}

fn observations(seed: Seed, len: usize) -> Vec<f32> {
    let mut rng = seed.stream("observation", 0);
    (0..len).map(|_| 4.0 * rng.random::<f32>() - 2.0).collect()
}

#[derive(Debug, Clone)]
struct Case {
    rows: usize,
    width: usize,
    actions: usize,
    config: MlpConfig,
    view: View,
    seed: u64,
}

const ACTIVATIONS: [Activation; 6] = [
    Activation::Tanh,
    Activation::Relu,
    Activation::Silu,
    Activation::Gelu,
    Activation::LeakyRelu,
    Activation::Identity,
];

/// Whether its slope jumps.
fn kinks(activation: Activation) -> bool {
    matches!(activation, Activation::Relu | Activation::LeakyRelu)
}

/// The standard normal distribution function, by the series of the error function.
fn normal_cdf(x: f64) -> f64 {
    let z = x / std::f64::consts::SQRT_2;
    let (mut term, mut sum) = (z, z);
    for n in 1..200 {
        term *= -z * z / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    0.5 + sum / std::f64::consts::PI.sqrt()
}

fn cases() -> impl Strategy<Value = Case> {
    let units = prop::sample::select(vec![1usize, 3, 5, 7, 17, 33]);
    let activation = prop::sample::select(ACTIVATIONS.to_vec());
    let init = prop::sample::select(vec![Initialiser::Orthogonal, Initialiser::Xavier, Initialiser::Kaiming]);
    let critic = prop::option::of(prop::collection::vec(units.clone(), 0..=3));
    let config = (prop::collection::vec(units, 0..=4), critic, activation, init, any::<bool>()).prop_map(
        |(hidden, critic, activation, init, shared_trunk)| {
            let critic_hidden = critic.filter(|_| !shared_trunk);
            MlpConfig { hidden, critic_hidden, activation, init, shared_trunk, ..MlpConfig::default() }
        },
    );
    let view = prop::sample::select(vec![View::Whole, View::Rows, View::Columns, View::Transposed]);
    let rows = prop::sample::select(vec![1usize, 3, 7, 33, 128, 1000]);
    (rows, 1usize..10, 1usize..7, config, view, any::<u64>())
        .prop_map(|(rows, width, actions, config, view, seed)| Case { rows, width, actions, config, view, seed })
}

/// How far outputs may lie from the f64 network's. Measured over 3,000 cases: 8.2e-7.
const OUTPUT_BOUND: f64 = 3e-6;
/// How far the two paths' gradients may lie apart. Measured over 3,000 cases: 9.8e-7.
const GRADIENT_BOUND: f64 = 4e-6;
/// ReLU's derivative jumps at 0: where a unit's argument lies nearer, two roundings may take different sides.
const KINK: f64 = 1e-5;

proptest! {
    #![proptest_config(Runner { cases: 96, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..Runner::default() })]

    #[test]
    fn the_fused_network_is_its_plain_twin_and_both_are_the_mathematics(case in cases()) {
        let Case { rows, width, actions, ref config, view: how, seed } = case;
        let seed = Seed(seed);
        let Twins { params, mut fused, mut plain } = Twins::new(&spec(width, actions), config, seed);
        let host = observations(seed, rows * width);
        let observation = view(&host, rows, width, how).expect("a view");

        let mut exact = Mathematics { params: &params, config, observation: &host, width, actions, margin: f64::MAX };
        let theta = wide(&params.snapshot().expect("values"));
        let (log_probs, values) = exact.forward(&theta);
        prop_assume!(!kinks(config.activation) || exact.margin > KINK);

        let mut gradients = Vec::new();
        for network in [&mut fused, &mut plain] {
            let output = network.answer(&params, &observation).expect("outputs");
            prop_assert!(relative(&numbers(&output.policy.described().expect("numbers")), &log_probs) <= OUTPUT_BOUND);
            prop_assert!(relative(&numbers(&output.value), &values) <= OUTPUT_BOUND);
            let gradient = params.gradient(&loss(&output, seed).expect("a loss")).expect("a gradient");
            gradients.push(numbers(&gradient));

            // Host slices and tensors give the same answers.
            let (mut on_host, mut values_on_host, mut room) = (Vec::new(), Vec::new(), Scratch::default());
            network.outputs(&params, &host, &mut room, &mut on_host).expect("logits");
            network.values(&params, &host, &mut room, &mut values_on_host).expect("values");
            let logits = Tensor::from_slice(&on_host, (rows, actions), &CPU).expect("a tensor");
            let policy = CategoricalTensor::new(&logits).expect("a policy");
            prop_assert!(relative(&numbers(policy.log_probs().expect("numbers")), &wide(&numbers(&output.policy.described().expect("numbers")))) <= OUTPUT_BOUND);
            prop_assert!(relative(&values_on_host, &wide(&numbers(&output.value))) <= OUTPUT_BOUND);
        }
        let difference = relative(&gradients[0], &wide(&gradients[1]));
        prop_assert!(difference <= GRADIENT_BOUND, "gradients differ by {difference}");
    }
}

#[test]
fn host_outputs_of_the_fused_network_are_the_bits_of_its_forward_pass() {
    for shared_trunk in [false, true] {
        let config = MlpConfig { shared_trunk, ..MlpConfig::default() };
        let Twins { params, fused, .. } = Twins::new(&spec(4, 3), &config, Seed(1));
        let host = observations(Seed(1), 128 * 4);
        let observation = view(&host, 128, 4, View::Whole).expect("a tensor");
        let output = fused.answer(&params, &observation).expect("outputs");
        let (mut logits, mut values, mut room) = (Vec::new(), Vec::new(), Scratch::default());
        fused.outputs(&params, &host, &mut room, &mut logits).expect("logits");
        fused.values(&params, &host, &mut room, &mut values).expect("values");
        let policy =
            CategoricalTensor::new(&Tensor::from_slice(&logits, (128, 3), &CPU).expect("a tensor")).expect("a policy");
        assert_eq!(
            numbers(policy.log_probs().expect("numbers")),
            numbers(&output.policy.described().expect("numbers"))
        );
        assert_eq!(values, numbers(&output.value));
    }
}

#[test]
fn gradients_are_the_slopes_of_the_loss() {
    // Central differences of the f64 network: their own error is about 1e-9, so what is left is that of f32,
    // measured as 2.1e-7.
    let (h, mut worst) = (1e-5, 0.0f64);
    for activation in ACTIVATIONS {
        for shared_trunk in [false, true] {
            for hidden in [vec![], vec![7], vec![9, 5], vec![5, 3, 5]] {
                let critic_hidden = (hidden.len() == 2 && !shared_trunk).then(|| vec![6]);
                let config = MlpConfig { hidden, critic_hidden, activation, shared_trunk, ..MlpConfig::default() };
                let (rows, width, actions, seed) = (11, 4, 3, Seed(11));
                let Twins { params, fused, .. } = Twins::new(&spec(width, actions), &config, seed);
                let host = observations(seed, rows * width);
                let observation = view(&host, rows, width, View::Whole).expect("a tensor");
                let output = fused.answer(&params, &observation).expect("outputs");
                let gradient = numbers(&params.gradient(&loss(&output, seed).expect("a loss")).expect("a gradient"));
                let mut exact = Mathematics {
                    params: &params,
                    config: &config,
                    observation: &host,
                    width,
                    actions,
                    margin: f64::MAX,
                };
                let theta = wide(&params.snapshot().expect("values"));
                let slopes: Vec<f64> = (0..theta.len())
                    .map(|i| {
                        let mut loss_at = |by: f64| {
                            let mut theta = theta.clone();
                            theta[i] += by;
                            exact.loss(&theta, seed)
                        };
                        (loss_at(h) - loss_at(-h)) / (2.0 * h)
                    })
                    .collect();
                assert!(exact.margin > h || !kinks(activation), "a unit stands on its kink");
                assert!(slopes.iter().all(|s| s.is_finite()) && slopes.iter().any(|s| s.abs() > 0.1));
                let difference = relative(&gradient, &slopes);
                assert!(difference < 1e-6, "{config:?}: {difference}");
                worst = worst.max(difference);
            }
        }
    }
    // Not trivially equal: f32 and f64 do differ.
    assert!(worst > 0.0);
}

#[test]
fn parameters_changed_between_forward_and_backward_are_an_error() {
    let Twins { mut params, fused, .. } = Twins::new(&spec(4, 2), &MlpConfig::default(), Seed(1));
    let observation = Tensor::ones((3, 4), DType::F32, &CPU).expect("ones");
    let before = loss(&fused.answer(&params, &observation).expect("outputs"), Seed(1)).expect("a loss");
    params.gradient(&before).expect("nothing has changed yet");

    params.update(|_| ()).expect("an update");
    let message = params.gradient(&before).expect_err("the parameters have changed").to_string();
    assert!(message.contains("changed between the forward and the backward pass"), "{message}");

    let after = loss(&fused.answer(&params, &observation).expect("outputs"), Seed(1)).expect("a loss");
    params.gradient(&after).expect("a fresh forward pass");
    params.set(&params.snapshot().expect("values")).expect("values");
    assert!(params.gradient(&after).is_err(), "set changes them too");
}

#[test]
fn parameters_written_through_candle_are_seen_by_all_that_is_kept() {
    let Twins { mut params, fused, .. } = Twins::new(&spec(4, 7), &MlpConfig::default(), Seed(1));
    let host = observations(Seed(1), 12);
    let observation = view(&host, 3, 4, View::Whole).expect("a tensor");
    let mut room = Scratch::default();
    let mut logits = |params: &Params, network: &MlpModel| {
        let mut logits = Vec::new();
        network.outputs(params, &host, &mut room, &mut logits).expect("logits");
        logits
    };
    let learn = |params: &Params, network: &MlpModel| {
        let rollout = uphill::Rollout {
            observation: host.clone().into(),
            action: vec![1, 2, 6].into(),
            log_prob: vec![-1.0; 3],
            value: vec![0.0; 3],
            ..uphill::Rollout::new(3, 4)
        };
        let estimate = uphill::rollout::Estimate {
            advantage: vec![1.0; 3],
            target: vec![0.0; 3],
            ..uphill::rollout::Estimate::default()
        };
        let batch = uphill::rollout::Minibatch {
            rollout: &rollout,
            estimate: &estimate,
            places: &[0, 1, 2],
            advantage: &[1.0; 3],
            stop: uphill::Stop::default(),
        };
        let (mut gradient, mut sums) = (Vec::new(), Default::default());
        let objective = uphill::objective::PolicyGradient;
        let loss = network.host_gradient(params, batch, &objective, &mut Scratch::default(), &mut gradient, &mut sums);
        loss.expect("a gradient").expect("fused");
        gradient
    };
    let (before, gradient_before) = (logits(&params, &fused), learn(&params, &fused));
    let passed = loss(&fused.answer(&params, &observation).expect("outputs"), Seed(1)).expect("a loss");

    let written: Vec<f32> = params.snapshot().expect("values").iter().map(|x| 1.5 * x + 0.01).collect();
    let values = Tensor::from_slice(&written, written.len(), &CPU).expect("a tensor");
    params.theta().slice_set(&values, 0, 0).expect("written");
    let message = params.gradient(&passed).expect_err("the parameters have changed").to_string();
    assert!(message.contains("between the forward and the backward pass"), "{message}");
    let (after, gradient_after) = (logits(&params, &fused), learn(&params, &fused));
    let output = fused.answer(&params, &observation).expect("outputs");
    let by_tensors = numbers(&params.gradient(&loss(&output, Seed(1)).expect("a loss")).expect("a gradient"));

    params.set(&written).expect("the same, through the front door");
    let (mut fresh, fused_anew) = MlpModel::new(&spec(4, 7), &MlpConfig::default(), Seed(1), &CPU).expect("anew");
    fresh.set(&written).expect("values");
    assert_eq!(after, logits(&fresh, &fused_anew));
    assert_eq!(gradient_after, learn(&fresh, &fused_anew));
    let output = fused_anew.answer(&fresh, &observation).expect("outputs");
    assert_eq!(by_tensors, numbers(&fresh.gradient(&loss(&output, Seed(1)).expect("a loss")).expect("a gradient")));
    assert!(before != after && gradient_before != gradient_after, "what was written makes a difference");
    // Nothing written, nothing refused: a look at theta alone is harmless.
    let passed = loss(&fused.answer(&params, &observation).expect("outputs"), Seed(1)).expect("a loss");
    assert_eq!(params.theta().dims(), [written.len()]);
    params.gradient(&passed).expect("unchanged");
}

#[test]
fn wrong_shapes_are_errors() {
    let Twins { mut params, fused, plain } = Twins::new(&spec(4, 2), &MlpConfig::default(), Seed(1));
    let (module_params, module) = module(4, 2, Seed(1));
    let networks: [(&Params, &dyn Model); 3] = [(&params, &fused), (&params, &plain), (&module_params, &module)];
    for (params, network) in networks {
        for shape in [vec![3, 5], vec![3, 3], vec![4], vec![2, 3, 4], vec![]] {
            let observation = Tensor::zeros(shape.as_slice(), DType::F32, &CPU).expect("zeros");
            let answer = network.forward(params, &observation);
            assert!(matches!(answer, Err(Error::Tensor(_))), "{shape:?}: {answer:?}");
        }
        let doubles = Tensor::zeros((3, 4), DType::F64, &CPU).expect("zeros");
        assert!(matches!(network.forward(params, &doubles), Err(Error::Tensor(_))), "f64");
        let (mut out, mut room) = (Vec::new(), Scratch::default());
        for len in [1, 5, 11] {
            for answer in [
                network.outputs(params, &vec![0.0; len], &mut room, &mut out),
                network.values(params, &vec![0.0; len], &mut room, &mut out),
            ] {
                assert!(matches!(answer, Err(Error::Shape { .. })), "{len}: {answer:?}");
            }
        }
        network.values(params, &[], &mut room, &mut out).expect("no observation has no value");
        assert!(out.is_empty());
        network.outputs(params, &[], &mut room, &mut out).expect("no observation has no logits");
        assert!(out.is_empty());
    }
    assert!(matches!(params.set(&[0.0]), Err(Error::Shape { .. })));
    assert!(matches!(Params::new(params.layout().clone(), vec![0.0], &CPU), Err(Error::Shape { .. })));
}

#[test]
fn a_hidden_layer_of_no_units_is_refused() {
    let config = MlpConfig { hidden: vec![8, 0], ..MlpConfig::default() };
    let message = MlpModel::new(&spec(4, 2), &config, Seed(1), &CPU).expect_err("no units").to_string();
    assert_eq!(message, "hidden layer 1 has 0 units: a layer needs at least 1");
}

#[test]
fn an_environment_with_nothing_to_do_is_refused() {
    let nothing = MlpModel::new(&spec(1, 0), &MlpConfig::default(), Seed(1), &CPU).expect_err("nothing to do");
    let said = "action space = Discrete { n: 0 } is impossible: at least 1 action";
    assert_eq!((matches!(nothing, Error::Env(_)), nothing.to_string()), (true, said.into()));
}

/// One hidden layer and a head each, of candle-nn's own modules.
fn heads(vb: &VarBuilder<'_>, width: usize, actions: usize) -> candle_core::Result<Heads> {
    let actor = seq().add(linear(width, 16, vb.pp("actor.0"))?).add(candle_nn::Activation::Gelu).add(linear(
        16,
        actions,
        vb.pp("actor.1"),
    )?);
    let critic =
        seq().add(linear(width, 16, vb.pp("critic.0"))?).add_fn(Tensor::tanh).add(linear(16, 1, vb.pp("critic.1"))?);
    Ok(apart(Box::new(actor), Box::new(critic)))
}

fn module(width: usize, actions: usize, seed: Seed) -> (Params, ModuleModel) {
    ModuleModel::new(&Site::new(&spec(width, actions), seed), move |vb| heads(&vb, width, actions)).expect("a network")
}

#[test]
fn candle_modules_learn_the_grid_world_to_its_optimum() {
    let defaults = Config::for_algo("a2c").expect("an algorithm");
    let config = Config { env: "GridWorld-4x4-v0".into(), steps: 20_000, lr: 0.01, ..defaults };
    let build = |spec: &Spec, device: &Device| {
        let Space::Discrete { n } = spec.action else { unreachable!("a grid world has four moves") };
        let width = spec.observation_len();
        let (params, network) =
            ModuleModel::new(&Site { device, ..Site::new(spec, Seed(config.seed)) }, move |vb| heads(&vb, width, n))?;
        Ok((params, Box::new(network) as Box<dyn Model>))
    };
    let untrained =
        Trainer::with_network(&config, build).expect("a trainer").into_policy().expect("a policy").evaluate(1, Seed(1));
    assert!(untrained.expect("an evaluation").return_mean.expect("a limit") < 0.5, "there is something to learn");
    let mut trainer = Trainer::with_network(&config, build).expect("a trainer");
    while trainer.step().expect("an update").is_some() {}
    let evaluation = trainer.into_policy().expect("a policy").evaluate(5, Seed(1)).expect("an evaluation");
    assert!((evaluation.return_min.expect("a limit") - 0.995).abs() < 1e-5, "{evaluation:?}");
}

#[test]
fn initial_values_of_candle_modules_come_from_our_seed() {
    let values = |seed| module(4, 2, Seed(seed)).0.snapshot().expect("values");
    assert_eq!(values(1), values(1));
    assert_ne!(values(1), values(2));
    // candle-nn's hints are honoured: `linear` asks for weights by Kaiming's rule and biases within 1/√inputs.
    let (params, _) = module(4, 2, Seed(1));
    let values = params.snapshot().expect("values");
    let bias = &values[params.layout().block("actor.0.bias").expect("a block").range()];
    assert!(bias.iter().all(|b| b.abs() <= 0.5) && bias.iter().any(|b| b.abs() > 0.1), "{bias:?}");
    assert_eq!(params.layout().len(), 4 * 16 + 16 + 16 * 2 + 2 + 4 * 16 + 16 + 16 + 1);
}

#[test]
fn a_variable_builder_asked_for_the_impossible_says_so() {
    let build = |f: &dyn Fn(&VarBuilder<'_>) -> candle_core::Result<()>| {
        Params::build(&CPU, &mut Seed(1).stream("init", 0), |vb| f(&vb)).map(|_| ())
    };
    let refused = |f: &dyn Fn(&VarBuilder<'_>) -> candle_core::Result<()>, expected: &str| {
        let error = build(f).expect_err(expected);
        assert!(matches!(error, Error::Tensor(_)), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    refused(
        &|vb| vb.get((2, 3), "w").and_then(|_| vb.get((3, 2), "w")).map(|_| ()),
        "parameter `w` has shape [2, 3], but [3, 2] was asked for",
    );
    refused(
        &|vb| vb.clone().set_dtype(DType::F64).get(2, "w").map(|_| ()),
        "parameter `w` was asked for as F64: parameters are F32",
    );
    refused(&|vb| vb.get_unchecked("w").map(|_| ()), "parameter `w` was asked for without a shape");
    build(&|vb| vb.get((2, 3), "w").and_then(|_| vb.get((2, 3), "w")).map(|_| ())).expect("one block, shared");

    let (params, _) = module(4, 2, Seed(1));
    let message = params.view(|vb| linear(4, 3, vb.pp("tail"))).map(|_| ()).expect_err("no such block").to_string();
    assert!(message.contains("there is no parameter `tail.weight`"), "{message}");
}

#[test]
fn modules_of_the_wrong_width_are_refused_when_the_network_is_made() {
    for (actor, critic, expected) in
        [(3, 1, "the actor's output"), (1, 1, "the actor's output"), (2, 2, "the critic's output")]
    {
        let built = ModuleModel::new(&Site::new(&spec(4, 2), Seed(1)), move |vb| {
            Ok(apart(Box::new(linear(4, actor, vb.pp("actor"))?), Box::new(linear(4, critic, vb.pp("critic"))?)))
        });
        let error = built.map(|_| ()).expect_err(expected);
        assert!(matches!(error, Error::Shape { .. }), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// A network that forgets half of what it was asked.
struct Forgetful(ModuleModel);

impl Model for Forgetful {
    fn observation_len(&self) -> usize {
        self.0.observation_len()
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        self.0.distribution()
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        let (outputs, values) = self.0.forward(params, observation)?;
        let half = values.dim(0)? / 2;
        Ok((outputs, values.narrow(0, 0, half)?))
    }
}

#[test]
fn a_network_that_answers_with_too_little_is_an_error() {
    let env = uphill::envs::make_vec("CartPole-v1", 2).expect("an environment");
    let (params, network) = module(4, 2, Seed(1));
    let mut collector = Collector::new(env, Seed(1)).expect("a reset");
    let collected = collector.collect(&Forgetful(network), &params, Horizon::Steps(4), true);
    assert!(matches!(collected, Err(Error::Shape { .. })), "{collected:?}");
    let (params, wrong) = module(3, 2, Seed(1));
    let collected = collector.collect(&wrong, &params, Horizon::Steps(4), true);
    assert!(matches!(collected, Err(Error::Shape { .. })), "{collected:?}");
}

#[test]
fn a_module_over_views_of_theta_sees_every_change_of_it() {
    let build = |vb: VarBuilder<'_>| linear(4, 2, vb.pp("head"));
    let (mut params, layer) = Params::build(&CPU, &mut Seed(1).stream("init", 0), build).expect("a layer");
    let frozen = params.frozen(build).expect("the same layer");
    let x = Tensor::ones((1, 4), DType::F32, &CPU).expect("ones");
    params.set(&[0.5; 10]).expect("values");
    for layer in [&layer, &frozen] {
        assert_eq!(numbers(&layer.forward(&x).expect("outputs")), [2.5, 2.5]);
    }
    let gradient = |layer: &candle_nn::Linear| {
        let loss = layer.forward(&x).and_then(|y| y.sum_all()).expect("a loss");
        numbers(&params.gradient(&loss).expect("a gradient"))
    };
    assert_eq!(gradient(&layer), [1.0; 10]);
    assert_eq!(gradient(&frozen), [0.0; 10]);
}

#[test]
fn trainers_and_policies_may_go_to_another_thread() {
    fn goes<T: Send>() {}
    fn is_shared<T: Sync>() {}
    goes::<Trainer>();
    goes::<uphill::Policy>();
    is_shared::<uphill::Policy>();
}

#[test]
fn a_module_answers_for_the_parameters_that_it_is_given() {
    let ((params, model), (other, _)) = (module(4, 2, Seed(1)), module(4, 2, Seed(2)));
    let x = Tensor::ones((3, 4), DType::F32, &CPU).expect("ones");
    let answers = |model: &ModuleModel, params: &Params| numbers(&model.forward(params, &x).expect("outputs").0);
    assert_ne!(answers(&model, &params), answers(&model, &other));
    assert_eq!(answers(&model, &other), answers(&module(4, 2, Seed(2)).1, &other));
    // And its gradient is by those.
    let loss = model.forward(&other, &x).and_then(|(outputs, _)| Ok(outputs.sqr()?.sum_all()?)).expect("a loss");
    assert!(numbers(&other.gradient(&loss).expect("a gradient")).iter().any(|g| *g != 0.0));
    assert!(numbers(&params.gradient(&loss).expect("a gradient")).iter().all(|g| *g == 0.0));
}

/// A network that counts how often it is asked for tensors, and the most rows at a time.
struct Counted {
    model: ModuleModel,
    asked: AtomicUsize,
    most: AtomicUsize,
}

impl Model for Counted {
    fn observation_len(&self) -> usize {
        self.model.observation_len()
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        self.model.distribution()
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.most.fetch_max(observation.dim(0)?, Ordering::Relaxed);
        self.model.forward(params, observation)
    }
}

/// The policy gradient, told of on tensors alone.
#[derive(Debug)]
struct OnTensors;

impl Objective for OnTensors {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        PolicyGradient.loss(batch, output, report)
    }
}

#[test]
fn a_gradient_costs_one_forward_pass_whether_its_objective_has_rows_or_not() {
    let (params, model) = module(4, 2, Seed(1));
    let model = Counted { model, asked: AtomicUsize::new(0), most: AtomicUsize::new(0) };
    let rollout = uphill::Rollout {
        observation: vec![0.1; 12].into(),
        action: vec![1, 0, 1].into(),
        log_prob: vec![-0.7; 3],
        value: vec![0.0; 3],
        ..uphill::Rollout::new(3, 4)
    };
    let estimate = uphill::rollout::Estimate {
        advantage: vec![1.0, -1.0, 0.5],
        target: vec![0.0; 3],
        ..uphill::rollout::Estimate::default()
    };
    let batch = uphill::rollout::Minibatch {
        rollout: &rollout,
        estimate: &estimate,
        places: &[0, 1, 2],
        advantage: &estimate.advantage,
        stop: uphill::Stop::default(),
    };
    let config = Config::for_algo("ppo").expect("an algorithm");
    let ppo = || config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
    let gradient = |objective| {
        let algo = uphill::algo::OnPolicy { objective, ..ppo() };
        let (mut gradient, mut sums) = (Vec::new(), RowSums::default());
        model.asked.store(0, Ordering::Relaxed);
        algo.gradient(&model, &params, batch, &mut Scratch::default(), &mut gradient, &mut sums).expect("a gradient");
        assert_eq!(model.asked.load(Ordering::Relaxed), 1);
        gradient
    };
    let with = gradient(PolicyGradient.plus(0.5, ValueLoss::default()));
    let without = gradient(OnTensors.plus(0.5, ValueLoss::default()));
    assert!(relative(&with, &wide(&without)) < 1e-6, "{with:?} {without:?}");
}

#[test]
fn a_long_rollout_is_judged_in_blocks() {
    let (params, model) = module(4, 2, Seed(1));
    let model = Counted { model, asked: AtomicUsize::new(0), most: AtomicUsize::new(0) };
    let (host, mut values) = (observations(Seed(1), 4 * 1_000), Vec::new());
    model.values(&params, &host, &mut Scratch::default(), &mut values).expect("values");
    assert_eq!((values.len(), model.most.load(Ordering::Relaxed)), (1_000, 256));
    let whole = view(&host, 1_000, 4, View::Whole).expect("a tensor");
    let (_, expected) = model.forward(&params, &whole).expect("outputs");
    assert!(relative(&values, &wide(&numbers(&expected))) < 1e-6);
}
