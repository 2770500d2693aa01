//! A step in operations on tensors, as it is taken on a GPU, is the step of the host: each optimizer that has such a form, on tensors of
//! the CPU; on those of an NVIDIA GPU where there is one, with `--features cuda`.

use std::sync::OnceLock;

use candle_core::{Device, Tensor};
use rand::RngExt as _;
use uphill::optim::{Chain, Optimizer, Registry, Slot, When, scale_by_learning_rate};
use uphill::{Error, Layout, Params, Seed};

const STEPS: u64 = 200;

/// Matrices, tall and wide, a kernel, vectors, and a number by itself.
const BLOCKS: [(&str, &[usize]); 7] = [
    ("actor.0.weight", &[5, 3]),
    ("actor.0.bias", &[5]),
    ("actor.1.weight", &[2, 5]),
    ("actor.log_std", &[]),
    ("critic.0.kernel", &[2, 3, 2, 2]),
    ("critic.0.bias", &[2]),
    ("critic.1.weight", &[1, 4]),
];

/// Every recipe with a form on tensors, and what its arguments change; `lr` and the decay are put where `{}` is.
const FAMILIES: [&str; 22] = [
    "sgd({}, weight_decay=0.01)",
    "momentum({}, weight_decay=0.01)",
    "momentum({}, dampening=0.5)",
    "nesterov({}, weight_decay=0.01)",
    "nesterov_sutskever({})",
    "sign_sgd({})",
    "lion({}, weight_decay=0.1)",
    "rmsprop({}, weight_decay=0.01)",
    "rmsprop({}, preset=tf, momentum=0.9)",
    "rmsprop({}, preset=optax, centered=true)",
    "rmsprop({}, eps=0)",
    "adam({}, weight_decay=0.01)",
    "adam({}, eps=0)",
    "adamw({})",
    "amsgrad({})",
    "lars({}, weight_decay=0.01)",
    "lamb({}, weight_decay=0.01)",
    "lamb({}, clamp=0.4)",
    "adafactor({}, weight_decay=0.01)",
    "adafactor({}, form=optax, min_dim=2, clip=0.5)",
    "muon({}, adam_lr=1e-3)",
    "muon({}, nesterov=false, adjust=match_rms_adamw, ns_steps=3)",
];

/// What stands before and after a family: clipping, decay of its own.
const AROUND: [(&str, &str); 7] = [
    ("", ""),
    ("clip_by_global_norm(0.7) | ", ""),
    ("clip_by_global_norm(0.7, form=optax) | ", " | decay_weights(1e-3, blocks=weights)"),
    ("clip_by_part_norm(0.4) | ", ""),
    ("clip_by_block_norm(0.3) | ", ""),
    ("clip_by_block_rms(0.2) | ", " | decay_weights(1e-3)"),
    ("clip_by_value(0.25) | masked(\"weights\", trace(0.5)) | ", ""),
];

/// Learning rates, one of them that rises and falls.
const RATES: [&str; 2] = ["lr=1e-3", "lr=warmup(0.1, cosine(2e-3))"];

fn layout() -> Layout {
    let mut layout = Layout::default();
    for (name, shape) in BLOCKS {
        layout.push(name, shape);
    }
    layout
}

fn numbers(stream: u64, len: usize) -> Vec<f32> {
    let mut rng = Seed(101).stream("numbers", stream);
    (0..len).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect()
}

fn params() -> Params {
    let layout = layout();
    let values = numbers(0, layout.len());
    Params::new(layout, values, &Device::Cpu).expect("parameters")
}

/// Where steps on tensors are taken.
fn device() -> &'static Device {
    static DEVICE: OnceLock<Device> = OnceLock::new();
    DEVICE.get_or_init(|| Device::new_cuda(0).unwrap_or(Device::Cpu))
}

/// The same parameters there.
fn elsewhere() -> Params {
    let layout = layout();
    let values = numbers(0, layout.len());
    Params::new(layout, values, device()).expect("parameters")
}

fn at(step: u64) -> When {
    When { progress: step as f64 / STEPS as f64, update: 1 + step / 8 }
}

fn optimizer(spec: &str) -> Optimizer {
    spec.parse().unwrap_or_else(|error| panic!("{spec}: {error}"))
}

fn values(params: &Params) -> Vec<f32> {
    params.snapshot().expect("values")
}

fn tensor(x: &[f32]) -> Tensor {
    Tensor::from_slice(x, x.len(), device()).expect("a tensor")
}

/// Every piece of state by name, whatever it is.
fn state(optimizer: &mut Optimizer) -> Vec<(String, Vec<f64>)> {
    let mut pieces = Vec::new();
    let shown = optimizer.visit_state(&mut |name, slot| {
        let numbers = match slot {
            Slot::Vector(x) => x.iter().map(|&x| f64::from(x)).collect(),
            Slot::Count(n) => vec![*n as f64],
            other => panic!("{name}: {other:?}"),
        };
        pieces.push((name.to_string(), numbers));
    });
    shown.expect("state");
    pieces
}

fn put(optimizer: &mut Optimizer, pieces: &[(String, Vec<f64>)]) {
    let mut pieces = pieces.iter();
    let shown = optimizer.visit_state(&mut |name, slot| {
        let (of, numbers) = pieces.next().expect("as many pieces");
        assert_eq!(of, name);
        match slot {
            Slot::Vector(x) => *x = numbers.iter().map(|&x| x as f32).collect(),
            Slot::Count(n) => *n = numbers[0] as u64,
            other => panic!("{name}: {other:?}"),
        }
    });
    shown.expect("state");
}

/// A slope of 200 steps: drawn by chance, or that of a bowl whose floor is far.
#[derive(Clone, Copy, Debug)]
enum Slope {
    Drawn,
    Bowl,
}

impl Slope {
    fn at(self, step: u64, theta: &[f32]) -> Vec<f32> {
        match self {
            Slope::Drawn => {
                let mut drawn = numbers(1 + step, theta.len());
                // A parameter that nothing depends on.
                drawn[4] = 0.0;
                drawn
            }
            Slope::Bowl => {
                let floor = numbers(9_999, theta.len());
                let curved = |(i, (x, floor)): (usize, (&f32, f32))| {
                    (1 + i % 7) as f32 * 0.3 * (x - floor - 3.0 * floor.signum())
                };
                theta.iter().zip(floor).enumerate().map(curved).collect()
            }
        }
    }
}

/// Takes a step on tensors and says what it was like.
fn step_on_tensors(optimizer: &mut Optimizer, params: &mut Params, gradient: &[f32], step: u64) -> [f64; 2] {
    assert!(optimizer.steps_on_device(params));
    optimizer.step_on_device(params, &tensor(gradient), at(step)).expect("a step on tensors");
    let report = optimizer.settle().expect("a finite step");
    [report.grad_norm, report.update_norm]
}

fn step_on_host(optimizer: &mut Optimizer, params: &mut Params, gradient: &[f32], step: u64) -> [f64; 2] {
    let report = optimizer.step(params, gradient, at(step)).expect("a step on the host");
    [report.grad_norm, report.update_norm]
}

/// The largest difference, in numbers of which none counts for less than 1.
fn apart(one: &[f32], other: &[f32]) -> f64 {
    assert_eq!(one.len(), other.len());
    let far = |(x, y): (&f32, &f32)| f64::from((x - y).abs() / x.abs().max(1.0));
    // A maximum would pass over NaN.
    one.iter().zip(other).map(far).fold(0.0, |most, far| if far > most || far.is_nan() { far } else { most })
}

fn same_state(spec: &str, one: &[(String, Vec<f64>)], other: &[(String, Vec<f64>)]) {
    assert_eq!(one.len(), other.len(), "{spec}");
    for ((name, x), (of, y)) in one.iter().zip(other) {
        assert_eq!((name, x.len()), (of, y.len()), "{spec}");
        for (x, y) in x.iter().zip(y) {
            assert!((x - y).abs() <= 3e-6 * x.abs().max(1.0), "{spec}: {name}: {x} {y}");
        }
    }
}

/// Every family in every surrounding, and what it descends: both, where nothing stands around it.
fn specs() -> impl Iterator<Item = (String, Vec<Slope>)> {
    FAMILIES.iter().enumerate().flat_map(|(i, family)| {
        AROUND.iter().enumerate().filter_map(move |(j, (before, after))| {
            let rate = RATES[(i + j) % 2];
            let family = family.replace("{}", rate);
            // A step that says where the parameters go takes nothing after it.
            let ends = ["adafactor", "nesterov_sutskever"].iter().any(|name| family.starts_with(name));
            let both = [Slope::Drawn, Slope::Bowl];
            let slopes = if j == 0 { both.to_vec() } else { vec![both[(i + j / 2) % 2]] };
            (!ends || after.is_empty()).then(|| (format!("{before}{family}{after}"), slopes))
        })
    })
}

#[test]
fn every_family_goes_on_tensors_where_it_goes_on_the_host() {
    let mut most: (f64, String) = (0.0, String::new());
    for (spec, slopes) in specs() {
        for slope in slopes {
            let (mut here, mut there) = (params(), elsewhere());
            let (mut host, mut tensors) = (optimizer(&spec), optimizer(&spec).through_tensors());
            for step in 0..STEPS {
                let on_host = slope.at(step, &values(&here));
                let on_tensors = slope.at(step, &values(&there));
                let one = step_on_host(&mut host, &mut here, &on_host, step);
                let other = step_on_tensors(&mut tensors, &mut there, &on_tensors, step);
                for (x, y) in one.iter().zip(other) {
                    assert!((x - y).abs() <= 1e-5 * x.abs(), "{spec}, {slope:?}, step {step}: {one:?} {other:?}");
                }
            }
            let far = apart(&values(&here), &values(&there));
            assert!(far <= 1e-6, "{spec}, {slope:?}: {far:e} apart");
            assert!(apart(&values(&here), &values(&params())) > 1e-4, "{spec}, {slope:?}: it stands still");
            assert_eq!(host.state_bytes(), tensors.state_bytes(), "{spec}");
            same_state(&spec, &state(&mut host), &state(&mut tensors));
            if far > most.0 {
                most = (far, format!("{spec}, {slope:?}"));
            }
        }
    }
    eprintln!("the furthest apart: {:.1e}, {}", most.0, most.1);
}

#[test]
fn the_recipes_with_a_form_on_tensors_are_those_that_are_tried_here() {
    let (registry, params) = (Registry::default(), params());
    let with: Vec<&str> = registry
        .recipes()
        .map(|row| row.name)
        .filter(|name| optimizer(name).through_tensors().steps_on_device(&params))
        .collect();
    let tried: Vec<&str> = FAMILIES.iter().filter_map(|family| family.split('(').next()).collect();
    for name in &with {
        assert!(tried.contains(name), "{name} is not tried");
    }
    for name in tried {
        assert!(with.contains(&name), "{name} has no form on tensors");
    }
}

#[test]
fn a_state_goes_from_the_host_to_tensors_and_back() {
    for family in FAMILIES {
        let spec = format!("clip_by_global_norm(0.7) | {}", family.replace("{}", RATES[1]));
        let (mut here, mut there) = (params(), elsewhere());
        let (mut host, mut other) = (optimizer(&spec), optimizer(&spec));
        for step in 0..30 {
            let gradient = Slope::Drawn.at(step, &values(&here));
            step_on_host(&mut host, &mut here, &gradient, step);
            if step % 10 == 0 && step > 0 {
                // On the host for ten steps, on tensors for ten, and back.
                let saved = state(&mut other);
                other = optimizer(&spec);
                // What has no room yet gets it with a step.
                other.step(&mut params(), &gradient, at(step)).expect("a step");
                if step == 10 {
                    other = other.through_tensors();
                }
                put(&mut other, &saved);
            }
            match step / 10 {
                1 => step_on_tensors(&mut other, &mut there, &gradient, step),
                _ => step_on_host(&mut other, &mut there, &gradient, step),
            };
        }
        let far = apart(&values(&here), &values(&there));
        assert!(far <= 1e-6, "{spec}: {far:e} apart");
        same_state(&spec, &state(&mut host), &state(&mut other));
    }
}

#[test]
fn a_step_on_the_host_takes_up_the_state_that_tensors_left() {
    let (mut here, mut there) = (params(), elsewhere());
    let (mut host, mut both) = (optimizer("adamw"), optimizer("adamw").through_tensors());
    for step in 0..20 {
        let gradient = Slope::Drawn.at(step, &values(&here));
        step_on_host(&mut host, &mut here, &gradient, step);
        match step % 3 {
            0 => step_on_host(&mut both, &mut there, &gradient, step),
            _ => step_on_tensors(&mut both, &mut there, &gradient, step),
        };
    }
    assert!(apart(&values(&here), &values(&there)) <= 1e-6);
}

#[test]
fn what_is_not_finite_leaves_the_last_finite_step_until_it_is_settled() {
    let len = layout().len();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for (i, family) in FAMILIES.iter().enumerate() {
            let spec = family.replace("{}", "lr=1e-3");
            let (mut params, mut optimizer) = (elsewhere(), optimizer(&spec).through_tensors());
            let good = numbers(1, len);
            step_on_tensors(&mut optimizer, &mut params, &good, 0);
            let (before, vectors) = (values(&params), state(&mut optimizer));
            let mut gradient = good.clone();
            gradient[i % len] = bad;
            optimizer.step_on_device(&mut params, &tensor(&gradient), at(1)).expect("it is not known yet");
            // Not even a good one moves anything now.
            optimizer.step_on_device(&mut params, &tensor(&good), at(2)).expect("it is not known yet");
            let error = optimizer.settle().expect_err("a gradient that is not finite");
            assert_eq!(error.to_string(), "the gradient of the parameters is not finite", "{spec}");
            assert_eq!(values(&params), before, "{spec} {bad}");
            for ((name, x), (_, y)) in vectors.iter().zip(state(&mut optimizer)).filter(|((_, x), _)| x.len() > 1) {
                assert_eq!(*x, y, "{spec}: {name}");
            }
            step_on_tensors(&mut optimizer, &mut params, &good, 3);
            assert_ne!(values(&params), before, "{spec}");
        }
    }
}

#[test]
fn an_update_that_is_not_finite_is_told_from_a_gradient() {
    let mut params = elsewhere();
    let mut optimizer = Optimizer::new(Chain::new().then(scale_by_learning_rate(1e30))).through_tensors();
    let before = values(&params);
    let huge = vec![1e30; params.layout().len()];
    optimizer.step_on_device(&mut params, &tensor(&huge), at(0)).expect("it is not known yet");
    assert!(optimizer.settle().is_err_and(|e| e.to_string() == "the update of the parameters is not finite"));
    assert_eq!(values(&params), before);
    // A mean of squares that f32 does not hold, though the update is finite.
    let mut optimizer = self::optimizer("adam").through_tensors();
    optimizer.step_on_device(&mut params, &tensor(&huge), at(0)).expect("it is not known yet");
    let error = optimizer.settle().expect_err("an infinite state").to_string();
    assert!(error.contains("0.square") || error.contains(".square"), "{error}");
}

#[test]
fn norms_of_several_steps_are_summed_and_read_once() {
    let (mut params, mut optimizer) = (elsewhere(), optimizer("sgd(lr=0.5)").through_tensors());
    let len = params.layout().len();
    let mut sum = 0.0;
    for step in 0..5 {
        let gradient = numbers(step, len);
        sum += gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        optimizer.step_on_device(&mut params, &tensor(&gradient), at(step)).expect("a step");
    }
    let report = optimizer.settle().expect("finite steps");
    assert!((report.grad_norm - sum).abs() < 1e-9 * sum, "{report:?} {sum}");
    assert!((report.update_norm - 0.5 * sum).abs() < 1e-6 * sum, "{report:?} {sum}");
    assert_eq!(optimizer.settle().expect("no step").grad_norm, 0.0);
}

#[test]
fn huge_and_tiny_gradients_are_clipped_as_on_the_host() {
    let len = layout().len();
    for size in [1e37f32, 1e30, 1e-30, 1e-40, 1e-43] {
        for spec in ["clip_by_global_norm(1e-3) | sgd(lr=0.1)", "lars(lr=10)", "scale_by_muon | sgd(lr=0.1)"] {
            let gradient: Vec<f32> = numbers(3, len).iter().map(|x| x * size).collect();
            let (mut here, mut there) = (params(), elsewhere());
            step_on_host(&mut optimizer(spec), &mut here, &gradient, 0);
            step_on_tensors(&mut optimizer(spec).through_tensors(), &mut there, &gradient, 0);
            assert!(apart(&values(&here), &values(&there)) <= 1e-6, "{spec} {size}");
        }
    }
}

#[test]
fn a_link_that_has_no_form_on_tensors_keeps_the_chain_on_the_host() {
    let params = params();
    assert!(optimizer("adam").through_tensors().steps_on_device(&params));
    assert!(!optimizer("adam").steps_on_device(&params), "the parameters are on the CPU");
    for spec in ["soap", "adam | ema(0.9)", "zero_non_finite | adam", "partition(\"actor.*\", adam, \"*\", shampoo)"] {
        let mut optimizer = optimizer(spec).through_tensors();
        assert!(!optimizer.steps_on_device(&params), "{spec}");
    }
    let mut moved = elsewhere();
    let gradient = tensor(&numbers(1, params.layout().len()));
    let refused = optimizer("adam | ema(0.9)").step_on_device(&mut moved, &gradient, at(0));
    assert!(matches!(&refused, Err(Error::Config(why)) if why.contains("Ema")), "{refused:?}");
    let short = optimizer("adam").step_on_device(&mut moved, &tensor(&[1.0]), at(0));
    assert!(matches!(short, Err(Error::Shape { .. })), "{short:?}");
    assert_eq!(values(&moved), values(&params));
}

#[test]
fn a_branch_without_blocks_is_left_alone() {
    let mut layout = Layout::default();
    layout.push("bias", &[3]);
    let (mut host, mut tensors) = (optimizer("muon"), optimizer("muon").through_tensors());
    let make = |device| Params::new(layout.clone(), vec![1.0, -2.0, 3.0], device).expect("parameters");
    let (mut here, mut there) = (make(&Device::Cpu), make(device()));
    for step in 0..3 {
        step_on_host(&mut host, &mut here, &[0.1, 0.2, -0.3], step);
        step_on_tensors(&mut tensors, &mut there, &[0.1, 0.2, -0.3], step);
    }
    assert!(apart(&values(&here), &values(&there)) <= 1e-6);
    same_state("muon", &state(&mut host), &state(&mut tensors));
    let both = "partition(\"weights\", adam, \"*\", sgd)";
    let (mut host, mut tensors) = (optimizer(both), optimizer(both).through_tensors());
    step_on_host(&mut host, &mut here, &[0.1; 3], 0);
    step_on_tensors(&mut tensors, &mut there, &[0.1; 3], 0);
    same_state(both, &state(&mut host), &state(&mut tensors));
}

#[test]
fn a_schedule_that_goes_by_a_metric_goes_on_on_tensors() {
    let make = || optimizer("adam(lr=plateau(0.1, patience=0.02))");
    let (mut here, mut there) = (params(), elsewhere());
    let (mut host, mut tensors) = (make(), make().through_tensors());
    for step in 0..50 {
        let gradient = numbers(step, here.layout().len());
        step_on_host(&mut host, &mut here, &gradient, step);
        step_on_tensors(&mut tensors, &mut there, &gradient, step);
        [&mut host, &mut tensors].into_iter().for_each(|optimizer| optimizer.observe(1.0, at(step)));
    }
    let rate = host.learning_rate(at(50));
    assert!(rate.is_some_and(|rate| rate < 0.1) && rate == tensors.learning_rate(at(50)), "{rate:?}");
    assert!(apart(&values(&here), &values(&there)) <= 1e-6);
}
