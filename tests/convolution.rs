//! Networks of images: they are torch's, and their way on the host is that through tensors, forward and back, on any number of
//! threads with the same bits.

use candle_core::{Device, Tensor};
use proptest::prelude::*;
use proptest::test_runner::{Config as Runner, RngSeed};
use rand::RngExt;
use serde::Deserialize;
use uphill::algo::OnPolicy;
use uphill::envs::{Space, Spec};
use uphill::init::Initialiser;
use uphill::models::{CnnConfig, CnnModel, NormalisedModel, Site, TrunkStage};
use uphill::objective::{Objective, Report, RowSums, TensorBatch};
use uphill::rollout::{Estimate, Minibatch, ObservationColumn};
use uphill::words::{Args, Word};
use uphill::{
    Catalogue, Collector, Config, Horizon, Model, Params, Result, Rollout, Scratch, Seed, Stop, Threads, gradient,
};

const CPU: Device = Device::Cpu;

fn spec([height, width, channels]: [usize; 3], max: u8, actions: usize) -> Spec {
    Spec {
        id: "Test-v0".into(),
        observation: Space::Image { height, width, channels, max },
        action: Space::Discrete { n: actions },
        max_episode_steps: None,
        reward_threshold: None,
    }
}

/// A model of this crate by its word.
fn model(word: &str, spec: &Spec) -> Result<(Params, Box<dyn Model>)> {
    let (catalogue, word) = (Catalogue::default(), Word::parse("model", word)?);
    let row = catalogue.model(&word.name)?;
    (row.make.build)(&Args::new(row, &word)?, &Site::new(spec, Seed(1)))
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("numbers")
}

#[derive(Deserialize)]
struct Reference {
    stride: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    model: String,
    image: [usize; 3],
    max: u8,
    batch: usize,
    actions: usize,
    outputs: Vec<f64>,
    values: Vec<f64>,
    gradients: Vec<(String, Vec<f64>)>,
}

/// Numbers in [-0.5, 0.5), as `reference/convolution.py` has them.
fn hashed(n: usize, seed: u64) -> impl Iterator<Item = f32> {
    let hash = move |i: u64| (i.wrapping_mul(2_654_435_761).wrapping_add(seed * 97) & 0xffff_ffff) >> 8;
    (0..n as u64).map(move |i| hash(i) as f32 / 16_777_216.0 - 0.5)
}

#[track_caller]
fn close(what: &str, got: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-3, |most: f64, x| most.max(x.abs()));
    for (i, (&g, e)) in got.iter().zip(expected).enumerate() {
        assert!((f64::from(g) - e).abs() <= tolerance * scale, "{what}, {i}: {g} for {e}");
    }
}

#[test]
fn the_networks_are_those_of_torch() {
    let reference: Reference = serde_json::from_str(include_str!("reference/convolution.json")).expect("JSON");
    for case in &reference.cases {
        let Case { image, max, batch, actions, .. } = *case;
        let (mut params, model) = model(&case.model, &spec(image, max, actions)).expect("a model");
        let layout = params.layout().clone();
        params
            .update(|theta| {
                for (seed, (name, _)) in case.gradients.iter().enumerate() {
                    let block = layout.block(name).unwrap_or_else(|| panic!("{}: no block {name}", case.model));
                    let scale = match block.shape[..] {
                        [_, fan] => ((2.0 / (fan as f64).sqrt()).log2() + 0.25).floor().exp2() as f32,
                        _ => 0.25,
                    };
                    let values = hashed(block.elem_count(), seed as u64 + 1).map(|x| scale * x);
                    theta[block.range()].iter_mut().zip(values).for_each(|(to, x)| *to = x);
                }
            })
            .expect("parameters");
        assert_eq!(layout.blocks().len(), case.gradients.len(), "{}", case.model);
        let d = model.observation_len();
        let pixel = |x: f32| ((f64::from(x) + 0.5) * (f64::from(max) + 1.0)).floor() as f32;
        let images: Vec<f32> = hashed(batch * d, 11).map(pixel).collect();

        let (mut outputs, mut values, mut scratch) = (Vec::new(), Vec::new(), Scratch::default());
        model.outputs(&params, &images, &mut scratch, &mut outputs).expect("outputs");
        model.values(&params, &images, &mut scratch, &mut values).expect("values");
        close(&format!("{}, outputs", case.model), &outputs, &case.outputs, 1e-5);
        close(&format!("{}, values", case.model), &values, &case.values, 1e-5);

        let tensor = |x: Vec<f32>, shape: &[usize]| Tensor::from_vec(x, shape, &CPU).expect("a tensor");
        let (outputs, values) = model.forward(&params, &tensor(images, &[batch, d])).expect("an answer");
        close(&format!("{}, outputs on tensors", case.model), &numbers(&outputs), &case.outputs, 1e-5);
        close(&format!("{}, values on tensors", case.model), &numbers(&values), &case.values, 1e-5);
        let weights = tensor(hashed(batch * actions, 12).collect(), &[batch, actions]);
        let by_value = tensor(hashed(batch, 13).collect(), &[batch]);
        let loss = (outputs * weights).and_then(|x| x.sum_all()).expect("a sum");
        let loss = (loss + (values * by_value).and_then(|x| x.sum_all()).expect("a sum")).expect("a loss");
        let gradient = numbers(&params.gradient(&loss).expect("a gradient"));
        for (name, expected) in &case.gradients {
            let range = layout.block(name).expect("a block").range();
            let found: Vec<f32> = gradient[range].iter().copied().step_by(reference.stride).collect();
            close(&format!("{}, {name}", case.model), &found, expected, 2e-5);
        }
    }
}

/// A network with weights away from their starts, twice: with its way on the host and without.
fn twins(spec: &Spec, config: &CnnConfig, seed: Seed) -> (Params, CnnModel, CnnModel) {
    let make = || CnnModel::new(spec, config, seed, &CPU).expect("a network");
    let ((mut params, host), (_, plain)) = (make(), make());
    let mut rng = seed.stream("test", 0);
    let moved = params.snapshot().expect("values").into_iter().map(|v| v + 0.2 * rng.random::<f32>() - 0.1);
    params.set(&moved.collect::<Vec<_>>()).expect("the same length");
    (params, host, plain.plain())
}

/// A rollout of images of one lane, kept as bytes.
fn anything(rows: usize, spec: &Spec, seed: Seed) -> (Rollout, Estimate) {
    let mut rng = seed.stream("rollout", 0);
    let (Space::Image { max, .. }, Space::Discrete { n }) = (&spec.observation, &spec.action) else { panic!("images") };
    let width = spec.observation_len();
    let observation: Vec<u8> = (0..width * rows).map(|_| rng.random_range(0..=*max)).collect();
    let mut numbers = |n: usize| (0..n).map(|_| 2.0 * rng.random::<f32>() - 1.0).collect::<Vec<f32>>();
    let rollout = Rollout {
        observation: observation.into(),
        action: (0..rows).map(|i| (i % n) as u32).collect::<Vec<_>>().into(),
        log_prob: numbers(rows).iter().map(|x| -1.4 + 0.5 * x).collect(),
        value: numbers(rows),
        ..Rollout::new(1, width)
    };
    (rollout, Estimate { advantage: numbers(rows), target: numbers(rows), ..Estimate::default() })
}

fn algo(name: &str) -> OnPolicy {
    let config = Config { ent_coef: 0.1.into(), ..Config::for_algo(name).expect("an algorithm") };
    config.make_algo().expect("an algorithm").into_on_policy().expect("a loss")
}

/// Windows of which all kinds that there are fit on images of at least 5 x 5 pixels.
fn stages() -> impl Strategy<Value = Vec<TrunkStage>> {
    let conv = (1usize..7, 1usize..4, 1usize..3, 0usize..2)
        .prop_map(|(filters, side, stride, padding)| TrunkStage::Conv { filters, side, stride, padding });
    let pool = (1usize..4, 1usize..3).prop_map(|(side, stride)| TrunkStage::Pool { side, stride, padding: side / 2 });
    let any = prop_oneof![3 => conv, 1 => pool, 1 => Just(TrunkStage::Residual), 1 => Just(TrunkStage::Relu)];
    prop::collection::vec(any, 0..5)
}

proptest! {
    #![proptest_config(Runner { cases: 48, failure_persistence: None, rng_seed: RngSeed::Fixed(7), ..Runner::default() })]

    #[test]
    fn the_way_on_the_host_is_that_through_tensors(
        (height, width, channels, max) in (5usize..9, 5usize..9, 1usize..4, prop::sample::select(vec![1u8, 3, 255])),
        stages in stages(),
        hidden in prop::collection::vec(1usize..9, 0..2),
        (rows, shared_trunk, name, seed) in
            (1usize..20, any::<bool>(), prop::sample::select(vec!["ppo", "a2c", "reinforce"]), any::<u64>()),
    ) {
        let spec = spec([height, width, channels], max, 3);
        let config = CnnConfig { stages, hidden, init: Initialiser::Orthogonal, shared_trunk };
        // What does not fit is said to be so.
        prop_assume!(CnnModel::layout(&Site::new(&spec, Seed(1)), &config).is_ok());
        let (params, host, plain) = twins(&spec, &config, Seed(seed));
        let (rollout, estimate) = anything(rows, &spec, Seed(seed));
        let (mut on_host, mut on_tensors, mut scratch) = (Vec::new(), Vec::new(), Scratch::default());
        let images = rollout.observation.all();
        for values in [false, true] {
            let of = |network: &CnnModel, scratch: &mut Scratch, out: &mut Vec<f32>| match values {
                false => network.outputs(&params, &images, scratch, out),
                true => network.values(&params, &images, scratch, out),
            };
            of(&host, &mut scratch, &mut on_host).expect("answers");
            of(&plain, &mut Scratch::default(), &mut on_tensors).expect("answers");
            let expected: Vec<f64> = on_tensors.iter().map(|&x| x.into()).collect();
            close("answers", &on_host, &expected, 1e-5);
        }

        let places: Vec<usize> = (0..rows).rev().collect();
        let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
        let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage: &advantage, stop: Stop::default() };
        let algo = algo(name);
        let tensors = TensorBatch::new(&rollout, &estimate, &places, &advantage, &CPU).expect("tensors");
        let output = plain.answer(&params, &tensors.observation).expect("outputs");
        let loss = algo.objective.loss(&tensors, &output, &mut Report::default()).expect("a loss");
        let expected: Vec<f64> = numbers(&params.gradient(&loss).expect("a gradient")).into_iter().map(f64::from).collect();
        let (mut gradient, mut sums) = (Vec::new(), RowSums::default());
        let on_host = host.host_gradient(&params, batch, &algo.objective, &mut scratch, &mut gradient, &mut sums);
        let found = on_host.expect("a gradient").expect("a way on the host");
        let loss: f32 = loss.to_scalar().expect("a number");
        prop_assert!((found - f64::from(loss)).abs() <= 1e-5 * f64::from(loss.abs().max(1.0)), "{} {}", found, loss);
        close("gradient", &gradient, &expected, 2e-5);
    }
}

/// A network of every kind of stage.
fn every_stage() -> CnnConfig {
    CnnConfig {
        stages: vec![
            TrunkStage::Conv { filters: 5, side: 3, stride: 1, padding: 1 },
            TrunkStage::Pool { side: 3, stride: 2, padding: 1 },
            TrunkStage::Residual,
            TrunkStage::Relu,
            TrunkStage::Conv { filters: 3, side: 2, stride: 2, padding: 0 },
        ],
        hidden: vec![6],
        init: Initialiser::Orthogonal,
        shared_trunk: true,
    }
}

#[test]
fn gradients_are_slopes() {
    let spec = spec([6, 5, 2], 9, 3);
    let smooth = vec![
        TrunkStage::Conv { filters: 4, side: 3, stride: 1, padding: 1 },
        TrunkStage::Conv { filters: 3, side: 2, stride: 2, padding: 0 },
    ];
    // A kink in the way leaves less than a tenth.
    for (config, tolerance) in
        [(CnnConfig { stages: smooth, hidden: vec![], ..every_stage() }, 0.01), (every_stage(), 0.1)]
    {
        let (mut params, host, _) = twins(&spec, &config, Seed(5));
        let (rollout, _) = anything(4, &spec, Seed(5));
        let checked = gradient::check(&host, &mut params, &rollout.observation.all()).expect("a check");
        checked.within(tolerance).expect("slopes");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let spec = spec([6, 5, 1], 9, 3);
    let (params, host, _) = twins(&spec, &every_stage(), Seed(5));
    let (rollout, estimate) = anything(600, &spec, Seed(6));
    let places: Vec<usize> = (0..600).rev().collect();
    let batch = Minibatch {
        rollout: &rollout,
        estimate: &estimate,
        places: &places,
        advantage: &estimate.advantage,
        stop: Stop::default(),
    };
    let algo = algo("ppo");
    let mut host = host;
    let of = |host: &CnnModel| {
        let (mut gradient, mut sums) = (Vec::new(), RowSums::default());
        let mut scratch = Scratch::default();
        for _ in 0..2 {
            host.host_gradient(&params, batch, &algo.objective, &mut scratch, &mut gradient, &mut sums)
                .expect("a gradient")
                .expect("a way on the host");
        }
        gradient.iter().map(|g| g.to_bits()).collect::<Vec<_>>()
    };
    let alone = of(&host);
    for threads in [2, 3] {
        host = host.on(Threads::new(threads).expect("threads"));
        assert!(of(&host) == alone, "{threads} threads");
    }
    // The same images as numbers.
    let as_numbers = ObservationColumn::from(rollout.observation.all().into_owned());
    let (kept, numbers) = (rollout.clone(), Rollout { observation: as_numbers, ..rollout.clone() });
    let (mut outputs, mut others) = (Vec::new(), Vec::new());
    for (rollout, out) in [(&kept, &mut outputs), (&numbers, &mut others)] {
        let batch = Minibatch { rollout, ..batch };
        host.host_gradient(&params, batch, &algo.objective, &mut Scratch::default(), out, &mut RowSums::default())
            .expect("a gradient");
    }
    assert!(outputs == others);
}

#[test]
fn outputs_and_values_at_once_are_those_of_each_and_a_rollout_has_the_same() {
    let env = "GridWorld-4x4-v0(observation=image)";
    for (word, shared) in [("minatar_cnn(filters=3)", true), ("minatar_cnn(filters=3, shared_trunk=false)", false)] {
        let config = Config::from_toml(&format!("algo = 'ppo'\nenv = '{env}'\nmodel = '{word}'")).expect("a run");
        let envs = config.make_envs(3).expect("environments");
        let (params, model) = model(word, envs.spec()).expect("a model");
        assert_eq!(model.answers_at_once(), shared, "{word}");
        let mut collector = Collector::new(envs, Seed(1)).expect("a reset");
        let (rollout, _) = collector.collect(&*model, &params, Horizon::Steps(9), true).expect("a rollout");
        let (images, mut scratch) = (rollout.observation.all(), Scratch::default());
        let [mut outputs, mut values, mut both_outputs, mut both_values] = [(); 4].map(|()| Vec::new());
        model.outputs(&params, &images, &mut scratch, &mut outputs).expect("outputs");
        model.values(&params, &images, &mut scratch, &mut values).expect("values");
        assert!(values.iter().any(|value| *value != values[0]), "{word}: {values:?}");
        assert_eq!(rollout.value, values, "{word}");
        let asked = Some(&mut both_values);
        model.answers_after(&params, &images, &mut [], &mut scratch, &mut both_outputs, asked).expect("answers");
        assert_eq!((both_outputs, both_values), (outputs, values), "{word}");
    }
}

#[test]
fn what_does_not_fit_is_said_before_any_work() {
    let small = spec([10, 7, 4], 1, 3);
    let refused = |word: &str, spec: &Spec| model(word, spec).err().map(|e| e.to_string()).unwrap_or_default();
    let said = refused("nature_cnn", &small);
    assert!(
        said.starts_with("Test-v0: stage 0 of the network looks at 8 x 8 pixels and is given 10 x 7: ")
            && said.contains("too small"),
        "{said}"
    );
    assert!(
        refused("nature_cnn", &spec([12, 12, 1], 1, 3))
            .contains("stage 2 of the network looks at 4 x 4 pixels and is given 2 x 2")
    );
    assert!(refused("minatar_cnn", &spec([2, 9, 1], 1, 3)).contains("looks at 3 x 3 pixels and is given 2 x 9"));
    let flat = Spec { observation: Space::uniform_box(4, 0.0, 1.0), ..small.clone() };
    for word in ["minatar_cnn", "nature_cnn", "impala_cnn"] {
        let said = refused(word, &flat);
        assert_eq!(
            said,
            "Test-v0: its observations are 4 numbers, and the network takes images: take another model, such as mlp"
        );
    }
    assert!(refused("minatar_cnn(filters=0)", &small).contains("filters"));
    for stage in [
        TrunkStage::Conv { filters: 0, side: 1, stride: 1, padding: 0 },
        TrunkStage::Conv { filters: 1, side: 0, stride: 1, padding: 0 },
        TrunkStage::Conv { filters: 1, side: 1, stride: 0, padding: 0 },
        TrunkStage::Pool { side: 2, stride: 1, padding: 2 },
        TrunkStage::Pool { side: 17, stride: 1, padding: 16 },
    ] {
        let config = CnnConfig { stages: vec![stage], ..every_stage() };
        assert!(CnnModel::layout(&Site::new(&small, Seed(1)), &config).is_err(), "{stage:?}");
    }
    let (mut params, network) = model("minatar_cnn", &small).expect("a network");
    let said = NormalisedModel::new(network, &mut params, 10.0).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(said.contains("brings its observations to scale itself"), "{said}");
}
