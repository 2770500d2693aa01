//! Fisher-vector products of every network and every distribution, against the matrix that they never make.

use candle_core::Tensor;
use candle_nn::{Module, linear};
use uphill::envs::{End, Env, GridWorld, GridWorldConfig, Space, Spec};
use uphill::models::{NormalisedModel, PopArtModel, Sequences, Site};
use uphill::rollout::{Estimate, Minibatch};
use uphill::{
    ActionColumn, Config, Error, Layout, Model, ModuleModel, Params, Result, Rollout, Scratch, Seed, Stop, Threads,
};

const STEPS: usize = 5;
const LANES: usize = 3;
const ALL: usize = STEPS * LANES;

/// So many numbers that are all over the place.
fn numbers(count: usize, far: f32) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * far).sin()).collect()
}

fn spec(observation: Space, action: Space) -> Spec {
    let world = GridWorld::new(GridWorldConfig::four_by_four()).expect("a world");
    Spec { observation, action, ..world.spec().clone() }
}

/// A network by its words, its parameters moved to where all of them count.
fn network(spec: &Spec, model: &str, distribution: &str) -> (Params, Box<dyn Model>) {
    network_on(1, spec, model, distribution)
}

fn network_on(threads: usize, spec: &Spec, model: &str, distribution: &str) -> (Params, Box<dyn Model>) {
    let defaults = Config::for_algo("ppo").expect("an algorithm");
    let config = Config { model: model.into(), distribution: distribution.into(), ..defaults };
    let distribution = Some(config.make_distribution(spec).expect("a distribution"));
    let threads = Threads::new(threads).expect("threads");
    let site = Site { distribution, threads, ..Site::new(spec, Seed(5)) };
    let (mut params, model) = config.make_model(&site).expect("a network");
    stirred(&mut params);
    (params, model)
}

fn stirred(params: &mut Params) {
    let moved = |theta: &mut [f32]| theta.iter_mut().enumerate().for_each(|(i, x)| *x += (i as f32).cos() * 0.2);
    params.update(moved).expect("parameters");
}

/// Steps of some lanes, of which one begins anew in the middle, one has stopped before the end, and all are in the midst of
/// an episode at first.
fn rollout(spec: &Spec, model: &dyn Model) -> Rollout {
    let (width, of) = (spec.observation_len(), model.distribution());
    let observation = match spec.observation {
        Space::Image { max, .. } => {
            numbers(ALL * width, 0.7).iter().map(|x| (x.abs() * f32::from(max)).floor()).collect()
        }
        _ => numbers(ALL * width, 0.7),
    };
    let action = match spec.action {
        Space::Box { .. } => ActionColumn::from(numbers(ALL * of.action_len(), 0.3)),
        _ => ActionColumn::from(vec![0u32; ALL * of.action_len()]),
    };
    let choices = of.choices();
    // The first choice of each is legal always.
    let firsts: Vec<usize> = of.components().iter().scan(0, |sum, n| Some(std::mem::replace(sum, *sum + n))).collect();
    let legal =
        (0..ALL).flat_map(|i| (0..choices).map(move |a| (i, a))).map(|(i, a)| firsts.contains(&a) || (i + a) % 3 > 0);
    let mut rollout = Rollout {
        observation: observation.into(),
        action,
        choices,
        mask: legal.collect(),
        action_len: of.action_len(),
        memory: numbers(LANES * model.memory(), 0.9),
        log_prob: vec![-0.7; ALL],
        reward: vec![0.0; ALL],
        end: vec![End::Not; ALL],
        valid: vec![true; ALL],
        value: vec![0.0; ALL],
        next_value: vec![0.0; ALL],
        ..Rollout::new(LANES, width)
    };
    rollout.end[LANES + 1] = End::Terminated;
    rollout.end[2 * LANES + 2] = End::Truncated;
    for step in 3..STEPS {
        rollout.valid[step * LANES + 2] = false;
    }
    rollout
}

/// `F·v` by the matrix itself: each output's gradient, and the distribution's own information of a row.
fn explicit(model: &dyn Model, params: &Params, rollout: &Rollout, places: &[usize], vector: &[f32]) -> Vec<f64> {
    let (width, of) = (rollout.observation_len, model.distribution());
    let x =
        Tensor::from_vec(rollout.observation.all().to_vec(), (STEPS, LANES, width), params.device()).expect("numbers");
    let outputs = match model.memory() {
        0 => model.forward(params, &x.flatten_to(1).expect("rows")).expect("outputs").0,
        m => {
            let begins = (0..ALL).map(|i| i >= LANES && rollout.end[i - LANES].ended()).collect();
            let memory = Tensor::from_slice(&rollout.memory, (LANES, m), params.device()).expect("a memory");
            model.forward_along(params, &Sequences { observation: x, begins, memory }).expect("outputs").0
        }
    };
    let n = of.outputs();
    let mut product = vec![0.0; vector.len()];
    for &place in places {
        let row = outputs.get(place).expect("a row");
        let slopes: Vec<Vec<f32>> = (0..n)
            .map(|c| {
                params.gradient(&row.get(c).expect("an output")).and_then(|g| Ok(g.to_vec1()?)).expect("a gradient")
            })
            .collect();
        let mut legal: Vec<f32> = row.to_vec1().expect("numbers");
        let mask = &rollout.mask[place * rollout.choices..(place + 1) * rollout.choices];
        mask.iter().zip(&mut legal).filter(|(legal, _)| !**legal).for_each(|(_, logit)| *logit = f32::NEG_INFINITY);
        let mut rows = of.rows();
        rows.set(&legal.repeat(n), n);
        let mut units: Vec<f32> = (0..n * n).map(|i| if i / n == i % n { 1.0 } else { 0.0 }).collect();
        rows.fisher(&mut units);
        let dot = |a: &[f32]| a.iter().zip(vector).map(|(a, v)| f64::from(*a) * f64::from(*v)).sum::<f64>();
        let along: Vec<f64> = slopes.iter().map(|slope| dot(slope)).collect();
        for (c, slope) in slopes.iter().enumerate() {
            let weight: f64 = (0..n).map(|d| f64::from(units[d * n + c]) * along[d]).sum::<f64>() / places.len() as f64;
            product.iter_mut().zip(slope).for_each(|(p, s)| *p += weight * f64::from(*s));
        }
    }
    product
}

fn product(
    model: &dyn Model,
    params: &Params,
    rollout: &Rollout,
    places: &[usize],
    vector: &[f32],
) -> Result<Vec<f32>> {
    let (estimate, advantage) = (Estimate { target: vec![0.0; ALL], ..Estimate::default() }, vec![0.0; places.len()]);
    let batch = Minibatch { rollout, estimate: &estimate, places, advantage: &advantage, stop: Stop::default() };
    let mut product = vec![7.0];
    model.fisher_vector_product(params, batch, vector, &mut Scratch::default(), &mut product)?;
    Ok(product)
}

/// How far a product is from the matrix's, in parts of its length: over all parameters, and at most over those of one block that is
/// not next to nothing.
fn off(layout: &Layout, found: &[f32], exact: &[f64]) -> [f64; 2] {
    let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
    let apart: Vec<f64> = found.iter().zip(exact).map(|(f, x)| f64::from(*f) - x).collect();
    let all = length(exact);
    assert!(all > 1e-4, "not trivially zero: {all}");
    let blocks = layout.blocks().iter().map(|block| block.range()).filter(|at| length(&exact[at.clone()]) > 1e-2 * all);
    let of_block = blocks.map(|at| length(&apart[at.clone()]) / length(&exact[at])).fold(0.0, f64::max);
    [length(&apart) / all, of_block]
}

fn checked(what: &str, spec: &Spec, (params, model): (&Params, &dyn Model), bounds: [f64; 2]) {
    let rollout = rollout(spec, model);
    let places: Vec<usize> = rollout.valid_steps().collect();
    let within = |apart: [f64; 2]| apart.iter().zip(bounds).all(|(apart, bound)| *apart < bound);
    let vectors = [numbers(params.layout().len(), 0.37), numbers(params.layout().len(), 1.31)];
    let found = vectors.each_ref().map(|v| product(model, params, &rollout, &places, v).expect("a product"));
    for (vector, found) in vectors.iter().zip(&found) {
        let apart = off(params.layout(), found, &explicit(model, params, &rollout, &places, vector));
        assert!(within(apart), "{what}: {apart:?}");
    }
    // It is symmetric, gives no vector a negative length, and knows nothing of the critic.
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
    let [uu, uv, vu] = [[0, 0], [0, 1], [1, 0]].map(|[i, j]| dot(&vectors[i], &found[j]));
    assert!(uu > 0.0 && (uv - vu).abs() < (4.0 * bounds[0]).max(1e-5) * uu.abs(), "{what}: {uv} {vu} {uu}");
    let critic = params.layout().blocks().iter().filter(|block| block.name.starts_with("critic."));
    assert!(critic.flat_map(|block| &found[0][block.range()]).all(|&x| x == 0.0), "{what}");
    // Some of the steps, in any order, are what they are among others.
    let few = [7, 1, 4];
    let found = product(model, params, &rollout, &few, &vectors[0]).expect("a product");
    let apart = off(params.layout(), &found, &explicit(model, params, &rollout, &few, &vectors[0]));
    assert!(within(apart), "{what}, some steps: {apart:?}");
}

fn plane() -> Space {
    Space::Box { low: vec![-1.0, -2.0], high: vec![1.0, 2.0] }
}

const ACTIONS: usize = 7;

fn actions(which: usize) -> (Space, &'static str) {
    match which {
        0 => (Space::Discrete { n: 3 }, "auto"),
        1 => (Space::MultiDiscrete { n: vec![2, 3] }, "auto"),
        2 => (Space::MultiBinary { n: 3 }, "auto"),
        3 => (plane(), "diag_gaussian(log_std_init=-0.5)"),
        4 => (plane(), "diag_gaussian(state_dependent_std=true)"),
        5 => (plane(), "squashed_diag_gaussian"),
        _ => (plane(), "gsde(log_std_init=-0.5)"),
    }
}

/// What products on the host are off by, over all and over a block, and what those by differences are.
const EXACT: [f64; 2] = [1e-5; 2];
const BY_DIFFERENCES: [f64; 2] = [1e-3; 2];

#[test]
fn perceptrons_have_the_exact_product() {
    for which in 0..ACTIONS {
        for model in [
            "mlp(hidden=[6, 5])",
            "mlp(hidden=[6], shared_trunk=true, activation=silu)",
            "mlp(hidden=[])",
            "mlp(hidden=[6, 5], layer_norm=true)",
        ] {
            let (action, distribution) = actions(which);
            let spec = spec(Space::uniform_box(4, -1.0, 1.0), action);
            let (params, network) = network(&spec, model, distribution);
            checked(&format!("{model} {distribution} {which}"), &spec, (&params, &*network), EXACT);
        }
    }
}

#[test]
fn many_steps_are_shared_out_alike_on_any_number_of_threads() {
    for (which, model) in [(0, "mlp(hidden=[6])"), (3, "mlp(hidden=[6], shared_trunk=true)"), (6, "mlp(hidden=[5])")] {
        let (action, distribution) = actions(which);
        let spec = spec(Space::uniform_box(4, -1.0, 1.0), action);
        let (params, network) = network(&spec, model, distribution);
        let rollout = rollout(&spec, &*network);
        let few: Vec<usize> = rollout.valid_steps().collect();
        // The same again and again have the same mean; so many are several shares, of blocks of their own.
        let many = few.repeat(200);
        let vector = numbers(params.layout().len(), 0.37);
        let exact = explicit(&*network, &params, &rollout, &few, &vector);
        let [one, three] = [1, 3].map(|threads| {
            let (params, network) = network_on(threads, &spec, model, distribution);
            product(&*network, &params, &rollout, &many, &vector).expect("a product")
        });
        assert_eq!(one, three, "{model}");
        let apart = off(params.layout(), &one, &exact);
        assert!(apart.iter().zip(EXACT).all(|(apart, bound)| *apart < bound), "{model}: {apart:?}");
    }
}

#[test]
fn all_other_networks_have_it_by_differences() {
    let (gru, lstm) = ("gru(hidden=[4], units=3)", "lstm(hidden=[], units=4)");
    let of_all = (0..ACTIONS).map(|which| (which, "mlp_layer_norm(hidden=[5])"));
    for (which, model) in of_all.chain([(0, gru), (1, lstm), (3, lstm), (6, gru)]) {
        {
            let (action, distribution) = actions(which);
            let spec = spec(Space::uniform_box(4, -1.0, 1.0), action);
            let (params, network) = network(&spec, model, distribution);
            checked(&format!("{model} {distribution} {which}"), &spec, (&params, &*network), BY_DIFFERENCES);
        }
    }
}

#[test]
fn so_have_networks_of_images() {
    for which in [0, 1, 3] {
        for model in [
            "minatar_cnn(filters=2, hidden=[4])",
            "minatar_cnn(filters=2, hidden=[4], shared_trunk=false)",
            "impala_cnn(filters=[2], hidden=[4])",
        ] {
            let (action, distribution) = actions(which);
            let spec = spec(Space::Image { height: 5, width: 6, channels: 2, max: 9 }, action);
            let (params, network) = network(&spec, model, distribution);
            // Rectifiers have kinks.
            checked(&format!("{model} {distribution}"), &spec, (&params, &*network), [1e-2, 3e-2]);
        }
    }
}

#[test]
fn scales_of_observations_and_values_are_between() {
    for (model, bound) in [("mlp(hidden=[6])", EXACT), ("gru(hidden=[4], units=3)", BY_DIFFERENCES)] {
        let spec = spec(Space::uniform_box(4, -1.0, 1.0), actions(0).0);
        let (mut params, network) = network(&spec, model, "auto");
        let normalised = NormalisedModel::new(network, &mut params, 1.5).expect("a normaliser");
        params.buffers_mut().get_mut("normaliser.mean").expect("means").copy_from_slice(&[0.1, -0.2, 0.3, 0.0]);
        params.buffers_mut().get_mut("normaliser.variance").expect("variances").copy_from_slice(&[0.1, 0.5, 2.0, 1.0]);
        let scaled = PopArtModel::new(Box::new(normalised), &mut params).expect("a scale");
        checked(model, &spec, (&params, &scaled), bound);
    }
}

#[test]
fn a_gradient_that_is_stopped_on_purpose_has_no_part_in_it() {
    let spec = spec(Space::uniform_box(4, -1.0, 1.0), actions(0).0);
    let (mut params, network) = ModuleModel::with_detached(&Site::new(&spec, Seed(3)), &["features"], |vb| {
        let features = linear(4, 5, vb.pp("features"))?;
        let (actor, critic) = (linear(5, 3, vb.pp("actor"))?, linear(5, 1, vb.pp("critic"))?);
        Ok(Box::new(move |x| {
            let features = features.forward(x)?.tanh()?.detach();
            Ok((actor.forward(&features)?, critic.forward(&features)?))
        }))
    })
    .expect("a network");
    stirred(&mut params);
    checked("stopped", &spec, (&params, &network), BY_DIFFERENCES);
}

/// The information of a policy is the curvature of its divergence from itself.
#[test]
fn it_is_the_curvature_of_the_divergence() {
    for (model, which) in [("mlp(hidden=[6])", 0), ("mlp_layer_norm(hidden=[5])", 1), ("mlp(hidden=[5])", 3)] {
        let (action, distribution) = actions(which);
        let spec = spec(Space::uniform_box(4, -1.0, 1.0), action);
        let (mut params, network) = network(&spec, model, distribution);
        let rollout = Rollout { choices: 0, mask: Vec::new(), ..rollout(&spec, &*network) };
        let places: Vec<usize> = (0..ALL).collect();
        let vector = numbers(params.layout().len(), 0.37);
        let found = product(&*network, &params, &rollout, &places, &vector).expect("a product");
        let squared: f64 = vector.iter().zip(&found).map(|(v, p)| f64::from(v * p)).sum();
        let theta = params.snapshot().expect("values");
        let (x, h) = (rollout.observation.all().to_vec(), 0.01f32);
        let mut at = |by: f32| {
            params.set(&theta.iter().zip(&vector).map(|(t, v)| t + by * v).collect::<Vec<_>>()).expect("values");
            let (mut outputs, mut rows) = (Vec::new(), network.distribution().rows());
            network.outputs(&params, &x, &mut Scratch::default(), &mut outputs).expect("outputs");
            rows.set(&outputs, network.distribution().outputs());
            rows
        };
        let here = at(0.0);
        let mut divergence = |by: f32| {
            let mut kl = Vec::new();
            here.kl(&*at(by), &mut kl);
            kl.iter().map(|&kl| f64::from(kl)).sum::<f64>() / ALL as f64
        };
        let curvature = (divergence(h) + divergence(-h)) / f64::from(h).powi(2);
        assert!((squared / curvature - 1.0).abs() < 0.02, "{model}: {squared} for {curvature}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let spec = spec(Space::uniform_box(4, -1.0, 1.0), actions(0).0);
    for model in ["mlp(hidden=[5])", "mlp_layer_norm(hidden=[5])", "gru(hidden=[], units=3)"] {
        let (params, network) = network(&spec, model, "auto");
        let rollout = rollout(&spec, &*network);
        let vector = vec![0.1; params.layout().len()];
        let wrong = product(&*network, &params, &rollout, &[0, 1], &vector[1..]);
        assert!(matches!(wrong, Err(Error::Shape { .. })), "{model}: {wrong:?}");
        let wrong = product(&*network, &params, &rollout, &[0, ALL], &vector);
        assert!(matches!(wrong, Err(Error::Shape { .. })), "{model}: {wrong:?}");
        let narrow = Rollout { observation_len: 3, observation: vec![0.0; 3 * ALL].into(), ..rollout.clone() };
        let wrong = product(&*network, &params, &narrow, &[0, 1], &vector);
        assert!(matches!(wrong, Err(Error::Shape { .. })), "{model}: {wrong:?}");
        let zeros = product(&*network, &params, &rollout, &[0, 1], &vec![0.0; vector.len()]).expect("a product");
        assert!(zeros.iter().all(|&x| x == 0.0), "{model}");
        let asked = || true;
        let (estimate, stop) = (Estimate { target: vec![0.0; ALL], ..Estimate::default() }, Stop::when(&asked));
        let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &[0], advantage: &[0.0], stop };
        let broken = network.fisher_vector_product(&params, batch, &vector, &mut Scratch::default(), &mut Vec::new());
        assert!(matches!(broken, Err(Error::Interrupted)), "{model}: {broken:?}");
    }
}
