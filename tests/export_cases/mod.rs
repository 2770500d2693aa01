//! Policies of every model and every distribution, for the tests of what they are exported to.

use uphill::catalogue::{EnvRow, MakeEnv};
use uphill::distributions::{Deviation, Head};
use uphill::envs::{self, Action, End, Env, EnvError, NumpyRng, Space, Spec};
use uphill::models::Site;
use uphill::words::Args;
use uphill::{ActionColumn, Catalogue, Config, Mode, Model, Params, Policy, Result, Scratch, Seed};

/// Random observations, whatever is done.
struct Blank {
    spec: Spec,
    rng: NumpyRng,
    masks: bool,
}

impl Blank {
    fn boxed(id: &str, observation: Space, action: Space, masks: bool) -> Box<dyn Env> {
        let spec = Spec { id: id.into(), observation, action, max_episode_steps: Some(9), reward_threshold: None };
        Box::new(Self { spec, rng: NumpyRng::new(0), masks })
    }

    fn show(&mut self, observation: &mut [f32]) {
        for x in observation {
            let uniform = self.rng.random();
            *x = match self.spec.observation {
                Space::Image { max, .. } => (uniform * (f64::from(max) + 1.0)).floor() as f32,
                _ => (6.0 * uniform - 3.0) as f32,
            };
        }
    }
}

impl Env for Blank {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.rng.restart(seed);
        self.show(observation);
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, observation: &mut [f32]) -> Result<envs::Step, EnvError> {
        self.show(observation);
        Ok(envs::Step { reward: 0.0, end: End::Not })
    }

    fn action_mask(&self, mask: &mut [bool]) -> bool {
        if self.masks {
            mask.iter_mut().enumerate().for_each(|(i, legal)| *legal = i != 1);
        }
        self.masks
    }
}

fn numbers() -> Space {
    Space::uniform_box(5, -3.0, 3.0)
}

fn image() -> Space {
    Space::Image { height: 10, width: 9, channels: 3, max: 255 }
}

fn small_box() -> Space {
    Space::Box { low: vec![-2.0, 0.0, f32::NEG_INFINITY], high: vec![2.0, 0.5, f32::INFINITY] }
}

fn finite_box() -> Space {
    Space::Box { low: vec![-2.0, 0.0], high: vec![2.0, 0.5] }
}

fn dials() -> Space {
    Space::MultiDiscrete { n: vec![3, 2, 4] }
}

const fn row(name: &'static str, one: fn(&Args) -> Result<Box<dyn Env>>) -> EnvRow {
    EnvRow { name, summary: "a test's", params: &[], make: MakeEnv::one(one) }
}

/// An environment of each kind of action, and some with masks or images.
fn catalogue() -> Catalogue {
    let rows = [
        row("Choice-v0", |_| Ok(Blank::boxed("Choice-v0", numbers(), Space::Discrete { n: 4 }, false))),
        row("Masked-v0", |_| Ok(Blank::boxed("Masked-v0", numbers(), Space::Discrete { n: 4 }, true))),
        row("Dials-v0", |_| Ok(Blank::boxed("Dials-v0", numbers(), dials(), false))),
        row("MaskedDials-v0", |_| Ok(Blank::boxed("MaskedDials-v0", numbers(), dials(), true))),
        row("Lamps-v0", |_| Ok(Blank::boxed("Lamps-v0", numbers(), Space::MultiBinary { n: 3 }, false))),
        row("Box-v0", |_| Ok(Blank::boxed("Box-v0", numbers(), small_box(), false))),
        row("Finite-v0", |_| Ok(Blank::boxed("Finite-v0", numbers(), finite_box(), false))),
        row("Picture-v0", |_| Ok(Blank::boxed("Picture-v0", image(), Space::Discrete { n: 4 }, false))),
        row("PictureBox-v0", |_| Ok(Blank::boxed("PictureBox-v0", image(), small_box(), false))),
        row("Large-v0", |_| {
            let large = Space::Image { height: 36, width: 38, channels: 2, max: 1 };
            Ok(Blank::boxed("Large-v0", large, Space::Discrete { n: 4 }, false))
        }),
    ];
    rows.into_iter().fold(Catalogue::default(), Catalogue::with)
}

/// A policy to export.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) policy: Policy,
    /// Its network once more.
    pub(crate) network: (Params, Box<dyn Model>),
    pub(crate) spec: Spec,
    /// Whether the environment forbids the second choice.
    pub(crate) masks: bool,
}

/// Every environment above with every distribution over its actions, and for each every model that takes its observations.
pub(crate) fn cases() -> Vec<Case> {
    let flat = [
        "mlp(hidden=[16, 12])",
        "mlp(hidden=[8], activation=relu, shared_trunk=true)",
        "mlp(hidden=[])",
        "mlp_layer_norm(hidden=[8, 6])",
        "gru(hidden=[8], units=7)",
        "lstm(hidden=[], units=7)",
        // What does not depend on the distribution.
        "mlp(hidden=[8, 8], activation=silu, layer_norm=true)",
        "mlp(hidden=[8], activation=gelu)",
        "mlp(hidden=[8], activation=leaky_relu)",
        "mlp(hidden=[8], activation=identity)",
    ];
    let each = &flat[..6];
    let small = ["minatar_cnn(filters=4, hidden=[16])", "impala_cnn(filters=[4, 5], hidden=[12], shared_trunk=false)"];
    let large = ["nature_cnn(hidden=[16])"];
    let any = ["auto"];
    let normal =
        ["diag_gaussian(log_std_init=-0.7)", "diag_gaussian(state_dependent_std=true, log_std_init=-0.5)", "gsde"];
    let squashed = ["squashed_diag_gaussian", "squashed_diag_gaussian(state_dependent_std=true)"];
    let of_images = ["diag_gaussian(log_std_init=0.3)"];
    let all: [(&str, &[&str], &[&str]); 11] = [
        ("Choice-v0", &any, &flat),
        ("Masked-v0", &any, &flat[..1]),
        ("Dials-v0", &any, each),
        ("MaskedDials-v0", &any, &flat[4..5]),
        ("Lamps-v0", &any, each),
        ("Box-v0", &normal, each),
        ("Finite-v0", &squashed, each),
        ("Picture-v0", &any, &small),
        ("PictureBox-v0", &of_images, &small),
        ("Large-v0", &any, &large),
        // Nothing holds down what overflows.
        ("Masked-v0", &any, &flat[2..3]),
    ];
    let mut cases = Vec::new();
    for (env, distributions, models) in all {
        for distribution in distributions {
            for model in models {
                // Half of them see observations on one scale.
                let normalised = cases.len() % 2 == 0 && !model.contains("cnn");
                cases.push(case(env, distribution, model, normalised));
            }
        }
    }
    cases
}

fn case(env: &str, distribution: &str, model: &str, normalised: bool) -> Case {
    let name = format!("{env} {distribution} {model}{}", if normalised { " normalised" } else { "" });
    let text = format!(
        "algo = 'ppo'\nenv = '{env}'\nmodel = '{model}'\ndistribution = '{distribution}'\nn_steps = 8\n\
         normalize_observation = {normalised}\n"
    );
    let config = Config::from_toml_with(&text, &catalogue()).expect(&name);
    let spec = config.make_envs(1).expect(&name).spec().clone();
    let [(params, network), (twin, model)] = [(); 2].map(|()| moved(&config, &spec, &name));
    Case {
        masks: env.starts_with("Masked"),
        policy: Policy::new(config, model, twin),
        network: (params, network),
        spec,
        name,
    }
}

/// A network with its parameters moved to where all of them count, and where the units of a layer differ.
fn moved(config: &Config, spec: &Spec, name: &str) -> (Params, Box<dyn Model>) {
    let (mut params, model) = config.make_model(&Site::new(spec, Seed(5))).expect(name);
    let by = if config.model.name.ends_with("cnn") { 0.05 } else { 0.1 };
    params.update(|theta| theta.iter_mut().enumerate().for_each(|(i, x)| *x += (i as f32).cos() * by)).expect(name);
    let mut buffers = params.buffers().clone();
    if let Some(mean) = buffers.get_mut("normaliser.mean") {
        mean.iter_mut().enumerate().for_each(|(i, x)| *x = 0.3 * i as f32 - 0.5);
    }
    if let Some(variance) = buffers.get_mut("normaliser.variance") {
        variance.iter_mut().enumerate().for_each(|(i, x)| *x = 0.1 + 2.0 * i as f32);
    }
    params.set_buffers(&buffers).expect(name);
    (params, model)
}

/// Lanes that are played.
pub(crate) const LANES: usize = 3;

/// A step of a policy.
pub(crate) struct Step {
    /// `[lanes, D]`.
    pub(crate) observation: Vec<f32>,
    /// `[lanes, K]`.
    pub(crate) action: Vec<f32>,
    /// What its distribution is, `[lanes, ...]`: `logits`, or `mean` and `std`.
    pub(crate) described: Vec<(&'static str, Vec<f32>)>,
}

/// What a policy does in random observations, step by step.
pub(crate) struct Played {
    pub(crate) lanes: usize,
    pub(crate) steps: Vec<Step>,
    /// `[lanes, choices]`, where the environment forbids some.
    pub(crate) mask: Option<Vec<bool>>,
}

/// Two steps in so many lanes.
pub(crate) fn played(case: &Case, lanes: usize) -> Played {
    let mut env = case.policy.config().make_envs(lanes).expect("environments");
    let (params, network) = &case.network;
    let distribution = network.distribution();
    let (mut memory, mut numbers) = (case.policy.memory(lanes), vec![0.0; lanes * network.memory()]);
    let choices = distribution.choices();
    let mask = case.masks.then(|| (0..lanes * choices).map(|i| i % choices != 1).collect::<Vec<_>>());
    let mut step = |seed: u64| {
        let mut observation = vec![0.0; lanes * case.spec.observation_len()];
        env.reset(Some(seed), &mut observation).expect("a reset");
        let actions =
            case.policy.act_within(&observation, mask.as_deref(), &mut memory, Mode::Likeliest).expect("acts");
        let action = match actions {
            ActionColumn::Discrete(indices) => indices.iter().map(|&index| index as f32).collect(),
            ActionColumn::Continuous(numbers) => numbers,
        };
        let (mut outputs, scratch) = (Vec::new(), &mut Scratch::default());
        network.answers_after(params, &observation, &mut numbers, scratch, &mut outputs, None).expect("answers");
        if let Some(mask) = &mask {
            outputs.iter_mut().zip(mask).filter(|(_, legal)| !**legal).for_each(|(l, _)| *l = f32::NEG_INFINITY);
        }
        let rows = || outputs.chunks_exact(distribution.outputs());
        let described = match distribution.head().expect("one that says it") {
            Head::Choices(_) | Head::Switches(_) => vec![("logits", outputs.clone())],
            Head::Normal { low, deviation, .. } => {
                let mean = rows().flat_map(|row| row[..low.len()].to_vec()).collect();
                let std = rows().flat_map(|row| stds(&row[low.len()..], low.len(), deviation)).collect();
                vec![("mean", mean), ("std", std)]
            }
        };
        Step { observation, action, described }
    };
    let steps = [3, 4].map(&mut step).into();
    Played { lanes, steps, mask }
}

/// The deviations of a row, from its outputs after the means.
fn stds(after: &[f32], k: usize, deviation: Deviation) -> Vec<f32> {
    match deviation {
        Deviation::Logarithm { shift } => after.iter().map(|log_std| (log_std + shift).exp()).collect(),
        Deviation::Features { least } => {
            let features = after.len() / (1 + k);
            let square = |i: usize, j: usize| (after[i] * after[features + i * k + j].exp()).powi(2);
            (0..k).map(|j| ((0..features).map(|i| square(i, j)).sum::<f32>() + least).sqrt()).collect()
        }
    }
}

/// Checks numbers of actions, or of what they are drawn from: within 1e-6 of their scale.
#[track_caller]
pub(crate) fn same(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let is_same = found == expected || (found - expected).abs() <= 1e-6 * expected.abs().max(1.0);
        assert!(is_same, "{what} [{i}]: {found} for {expected}");
    }
}

/// What comes of an observation with a NaN: numbers are NaN, the first legal choice, and no switch.
pub(crate) fn of_a_nan(case: &Case, action: &[f32]) {
    let is_real = case.policy.distribution().means() > 0;
    let good = |x: &f32| if is_real { x.is_nan() } else { *x == 0.0 };
    assert!(!action.is_empty() && action.iter().all(good), "{}: {action:?}", case.name);
}
