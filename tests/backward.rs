//! A network that autograd gets wrong is refused when it is made, by name; one that it gets right is not.

use std::sync::Arc;

use candle_core::{D, Device, Module, Tensor};
use candle_nn::{Init, VarBuilder, layer_norm, layer_norm_no_bias, linear, ops, rms_norm, seq};
use uphill::envs::{Space, Spec};
use uphill::models::{BoxedModule, GradientError, Heads, Site, apart};
use uphill::{Config, Error, MlpConfig, MlpModel, Model, ModuleModel, Params, Result, Seed, Trainer};
use uphill::{gradient, models::Activation};

const CPU: Device = Device::Cpu;

fn spec(width: usize, actions: usize) -> Spec {
    Spec {
        id: "Test-v0".into(),
        observation: Space::uniform_box(width, -1.0, 1.0),
        action: Space::Discrete { n: actions },
        max_episode_steps: None,
        reward_threshold: None,
    }
}

type Made = candle_core::Result<Heads>;
type Layer = candle_core::Result<BoxedModule>;
/// Makes a network of so many outputs.
type Net = Arc<dyn Fn(VarBuilder<'_>, usize) -> Layer + Send + Sync>;

/// A function as a module.
fn f(function: impl Fn(&Tensor) -> candle_core::Result<Tensor> + 'static) -> Layer {
    Ok(Box::new(Function(function)))
}

struct Function<T>(T);

impl<T: Fn(&Tensor) -> candle_core::Result<Tensor>> Module for Function<T> {
    fn forward(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        self.0(x)
    }
}

/// Two perceptrons of two hidden layers with something of one's own after the first.
fn with(vb: &VarBuilder<'_>, middle: &dyn Fn(VarBuilder<'_>) -> Layer) -> Made {
    let net = |vb: VarBuilder<'_>, outputs: usize| -> Layer {
        let (first, middle, second) =
            (linear(4, 16, vb.pp("0"))?, middle(vb.pp("middle"))?, linear(16, 16, vb.pp("1"))?);
        let head = linear(16, outputs, vb.pp("head"))?;
        f(move |x| head.forward(&second.forward(&middle.forward(&first.forward(x)?.tanh()?)?)?.gelu()?))
    };
    Ok(apart(net(vb.pp("actor"), 3)?, net(vb.pp("critic"), 1)?))
}

fn made(middle: fn(VarBuilder<'_>) -> Layer) -> Result<(Params, ModuleModel)> {
    ModuleModel::new(&Site::new(&spec(4, 3), Seed(1)), move |vb| with(&vb, &middle))
}

/// The names of the blocks that are refused.
fn refused(middle: fn(VarBuilder<'_>) -> Layer) -> Vec<String> {
    match made(middle) {
        Err(error) => {
            let message = error.to_string();
            let Some(error) = error.cause::<GradientError>() else { panic!("another error: {message}") };
            let names: Vec<String> = error.blocks.iter().map(|slope| slope.block.clone()).collect();
            assert!(names.iter().all(|name| message.contains(&format!("`{name}`"))), "{message}");
            assert!(message.contains("layer_norm_no_bias"), "{message}");
            names
        }
        Ok(_) => Vec::new(),
    }
}

#[test]
fn operations_without_a_backward_pass_are_refused_by_the_blocks_that_they_cut_off() {
    let before = ["actor.0.bias", "actor.0.weight", "critic.0.bias", "critic.0.weight"];
    let cut = |middle: fn(VarBuilder<'_>) -> Layer, own: &[&str]| {
        let mut names = refused(middle);
        names.sort();
        let own = ["actor", "critic"].iter().flat_map(|net| own.iter().map(move |own| format!("{net}.middle.{own}")));
        let mut expected: Vec<String> = before.iter().map(ToString::to_string).chain(own).collect();
        expected.sort();
        assert_eq!(names, expected);
    };
    cut(|vb| Ok(Box::new(layer_norm(16, 1e-5, vb)?)), &["bias", "weight"]);
    cut(|vb| Ok(Box::new(rms_norm(16, 1e-5, vb)?)), &["weight"]);
    cut(|_| f(ops::softmax_last_dim), &[]);
    cut(|_| f(|x| Ok(x.detach())), &[]);
    // Half of the way is cut: the gradient is not zero, and wrong.
    cut(|_| f(|x| x + ops::softmax_last_dim(&(x * 3.0)?)? * 4.0), &[]);
}

#[test]
fn what_the_message_says_to_take_instead_is_taken() {
    assert!(refused(|vb| Ok(Box::new(layer_norm_no_bias(16, 1e-5, vb)?))).is_empty());
    assert!(
        refused(|vb| {
            let norm = rms_norm(16, 1e-5, vb)?;
            f(move |x| norm.forward_diff(x))
        })
        .is_empty()
    );
    assert!(refused(|_| f(|x| ops::softmax(x, D::Minus1))).is_empty());
    assert!(
        refused(|vb| {
            let (scale, shift) = (vb.get_with_hints(16, "weight", Init::Const(1.0))?, vb.get(16, "bias")?);
            f(move |x| ops::layer_norm_slow(x, &scale, &shift, 1e-5))
        })
        .is_empty()
    );
}

#[test]
fn correct_networks_are_taken_however_little_of_them_is_alive_at_first() {
    // A last layer of zeros: nothing before it has a gradient at first.
    let zeros = |vb: VarBuilder<'_>, outputs: usize| -> Layer {
        let (first, weight) = (linear(4, 16, vb.pp("0"))?, vb.get_with_hints((outputs, 16), "w", Init::Const(0.0))?);
        f(move |x| first.forward(x)?.relu()?.matmul(&weight.t()?))
    };
    // Units that are dead on every observation, behind a bias far below zero; one that is a hair from it.
    let dead = |bias: f64| {
        move |vb: VarBuilder<'_>, outputs: usize| -> Layer {
            let (weight, bias) = (vb.get((8, 4), "w")?, vb.get_with_hints(8, "b", Init::Const(bias))?);
            let head = linear(8, outputs, vb.pp("head"))?;
            f(move |x| head.forward(&x.matmul(&weight.t()?)?.broadcast_add(&bias)?.relu()?))
        }
    };
    // Zeros everywhere, at the kink of every unit.
    let kink = |vb: VarBuilder<'_>, outputs: usize| -> Layer {
        let w = vb.get_with_hints((8, 4), "w", Init::Const(0.0))?;
        let head = vb.get_with_hints((outputs, 8), "head", Init::Const(0.0))?;
        f(move |x| x.matmul(&w.t()?)?.relu()?.matmul(&head.t()?))
    };
    // A block that is asked for and not used, and one that normalisation makes void.
    let unused = |vb: VarBuilder<'_>, outputs: usize| -> Layer {
        vb.get((3, 3), "unused")?;
        let (first, norm, head) = (
            linear(4, 16, vb.pp("0"))?,
            layer_norm_no_bias(16, 1e-5, vb.pp("norm"))?,
            linear(16, outputs, vb.pp("1"))?,
        );
        let void = vb.get_with_hints(1, "void", Init::Const(0.5))?;
        f(move |x| head.forward(&norm.forward(&first.forward(x)?.broadcast_add(&void)?)?))
    };
    // Steps, whose slope is zero wherever they have one, beside what has another.
    let steps = |vb: VarBuilder<'_>, outputs: usize| -> Layer {
        let (first, head) = (linear(4, 16, vb.pp("0"))?, linear(16, outputs, vb.pp("1"))?);
        f(move |x| {
            let y = first.forward(x)?;
            head.forward(&(y.tanh()? + y.gt(0.3)?.to_dtype(y.dtype())?)?)
        })
    };
    // Actions that are out of the question.
    let masked = |vb: VarBuilder<'_>, outputs: usize| -> Layer {
        let net = seq().add(linear(4, 8, vb.pp("0"))?).add_fn(Tensor::tanh).add(linear(8, outputs, vb.pp("1"))?);
        f(move |x| {
            let y = net.forward(x)?;
            let mask = Tensor::from_vec((0..outputs).map(|i| u8::from(i == 1)).collect(), (1, outputs), y.device())?;
            let mask = mask.broadcast_as(y.shape())?;
            mask.where_cond(&Tensor::full(f32::NEG_INFINITY, y.shape(), y.device())?, &y)
        })
    };
    // Chance: nothing can be said.
    let chance = |vb: VarBuilder<'_>, outputs: usize| -> Layer {
        let net = linear(4, outputs, vb)?;
        f(move |x| net.forward(&ops::dropout(x, 0.5)?))
    };
    let nets: [(&str, Net); 8] = [
        ("zeros", Arc::new(zeros)),
        ("dead", Arc::new(dead(-1e3))),
        ("nearly dead", Arc::new(dead(-1.0 - 1e-3))),
        ("kink", Arc::new(kink)),
        ("unused", Arc::new(unused)),
        ("steps", Arc::new(steps)),
        ("masked", Arc::new(masked)),
        ("chance", Arc::new(chance)),
    ];
    for (name, net) in nets {
        for seed in 0..6 {
            let net = net.clone();
            let built = ModuleModel::new(&Site::new(&spec(4, 3), Seed(seed)), move |vb| {
                Ok(apart(net(vb.pp("actor"), 3)?, net(vb.pp("critic"), 1)?))
            });
            assert!(built.is_ok(), "{name} {seed}: {}", built.map(|_| ()).expect_err("refused"));
        }
    }
}

#[test]
fn the_parameters_are_those_that_were_drawn() {
    let build = |vb: VarBuilder<'_>| with(&vb, &|_| f(|x| Ok(x.clone())));
    let drawn = Params::build(&CPU, &mut Seed(7).stream("init", 0), build).expect("parameters").0;
    let (made, _) = ModuleModel::new(&Site::new(&spec(4, 3), Seed(7)), build).expect("a network");
    assert_eq!(made.snapshot().expect("values"), drawn.snapshot().expect("values"));
}

#[test]
fn what_is_cut_on_purpose_can_be_said() {
    let build = |vb: VarBuilder<'_>| with(&vb, &|_| f(|x| Ok(x.detach())));
    let names = ["actor.0", "critic.0.weight", "critic.0.bias"];
    let (_, network) = ModuleModel::with_detached(&Site::new(&spec(4, 3), Seed(1)), &names, build).expect("said");
    assert!(network.detached("actor.0.weight") && !network.detached("actor.1.weight"));
    let left = ModuleModel::with_detached(&Site::new(&spec(4, 3), Seed(1)), &names[..2], build);
    let error = left.map(|_| ()).expect_err("one is not said");
    let error = error.cause::<GradientError>().expect("a wrong gradient");
    assert_eq!(error.blocks.iter().map(|slope| slope.block.as_str()).collect::<Vec<_>>(), ["critic.0.bias"]);
    let unknown = ModuleModel::with_detached(&Site::new(&spec(4, 3), Seed(1)), &["actor.00"], build);
    let message = unknown.map(|_| ()).expect_err("no such block").to_string();
    assert!(message.contains("actor.00"), "{message}");
}

/// A network whose values are cut off from the trunk that they share with the policy, on purpose or not.
fn shared(cut: bool, purpose: bool) -> Result<(Params, Box<dyn Model>)> {
    let detached: &[&str] = if purpose { &["trunk"] } else { &[] };
    let build = move |vb: VarBuilder<'_>| -> Made {
        let (trunk, actor, critic) =
            (linear(4, 8, vb.pp("trunk"))?, linear(8, 2, vb.pp("actor"))?, linear(8, 1, vb.pp("critic"))?);
        Ok(Box::new(move |observation| {
            let x = trunk.forward(observation)?.tanh()?;
            let outputs = actor.forward(&x)?;
            Ok((outputs, critic.forward(&if cut { x.detach() } else { x })?))
        }))
    };
    let (params, model) = ModuleModel::with_detached(&Site::new(&spec(4, 2), Seed(1)), detached, build)?;
    Ok((params, Box::new(model)))
}

#[test]
fn a_trainer_refuses_a_network_that_is_cut_for_one_of_its_outputs() {
    let config = Config { steps: 1_000, ..Config::for_algo("ppo").expect("an algorithm") };
    let with = |cut, purpose| Trainer::with_network(&config, |_, _| shared(cut, purpose)).map(|_| ());
    let error = with(true, false).map(|_| ()).expect_err("the values do not reach the trunk");
    let error = error.cause::<GradientError>().expect("a wrong gradient");
    let found: Vec<_> = error.blocks.iter().map(|slope| (slope.block.as_str(), slope.output)).collect();
    assert_eq!(found, [("trunk.weight", "values"), ("trunk.bias", "values")]);
    with(false, false).expect("whole");
    with(true, true).expect("on purpose");
    let narrow =
        Trainer::with_network(&Config { env: "FourRooms-v0".into(), ..config.clone() }, |_, _| shared(false, false));
    assert!(matches!(narrow.map(|_| ()), Err(Error::Shape { .. })), "observations of another width");
}

#[test]
fn a_check_finds_what_is_wrong_and_by_how_much() {
    for activation in [
        Activation::Tanh,
        Activation::Silu,
        Activation::Relu,
        Activation::Gelu,
        Activation::LeakyRelu,
        Activation::Identity,
    ] {
        let config = MlpConfig { hidden: vec![16, 16], activation, ..MlpConfig::default() };
        let (mut params, network) = MlpModel::new(&spec(4, 3), &config, Seed(1), &CPU).expect("a network");
        let before = params.snapshot().expect("values");
        let observations: Vec<f32> = (0..40).map(|i| (i as f32 * 0.7).sin()).collect();
        let found = gradient::check(&network, &mut params, &observations).expect("a check");
        assert_eq!(params.snapshot().expect("values"), before);
        assert_eq!(found.blocks.len(), params.layout().blocks().len());
        let worst = found.worst().expect("blocks").clone();
        let most = if matches!(activation, Activation::Relu | Activation::LeakyRelu) { 0.1 } else { 0.01 };
        assert!(worst.deviation < most, "{activation:?}: {worst:?}");
        let alive = found.blocks.iter().filter(|slope| slope.differences != 0.0).count();
        assert!(alive > 8, "{activation:?}: {alive} of 12 blocks have a slope: {found:?}");
        found.within(most).expect("right");
    }
    let (mut params, network) = shared(true, true).expect("a network");
    let found = gradient::check(&*network, &mut params, &[0.3, -0.4, 0.5, 0.6, 1.0, 0.2, -0.3, 0.1]).expect("a check");
    let error = found.within(0.01).expect_err("cut");
    assert_eq!(error.blocks.len(), 2, "{error:?}");
    assert!(
        error.blocks.iter().all(|slope| slope.autograd == 0.0 && slope.differences != 0.0 && slope.deviation > 0.9)
    );
    assert!(matches!(gradient::check(&*network, &mut params, &[0.0; 5]), Err(Error::Shape { .. })));
    assert!(matches!(gradient::check(&*network, &mut params, &[]), Err(Error::Config(_))));
    assert!(matches!(gradient::check(&*network, &mut params, &[f32::NAN; 4]), Err(Error::NotFinite { .. })));
}
