//! Trainers in an environment of a test's own, and the gradients of a network for it.

use std::sync::Arc;

use candle_core::Device;
use candle_nn::{Module, linear};
use uphill::envs::{Spec, VecEnv};
use uphill::models::Site;
use uphill::objective::{Objective, Report, RowSums, TensorBatch};
use uphill::rollout::{Estimate, Minibatch};
use uphill::{
    BuildNetwork, Collector, Config, Horizon, Metrics, MlpConfig, MlpModel, Model, ModuleModel, Overrides, Params,
    Result, Rollout, Scratch, Seed, Stop, Trainer,
};

pub(crate) const CPU: Device = Device::Cpu;

/// So many environments side by side.
pub(crate) type Lanes = fn(usize) -> Result<Box<dyn VecEnv>>;

pub(crate) fn config(env: &str, algo: &str) -> Config {
    let streams = algo == "stream_ac";
    let defaults = Config::new(algo, if streams { "sgd" } else { "adam" }).expect("an algorithm");
    let config = match algo {
        "reinforce" | "rloo" => Config { episodes: 16, ..defaults },
        "ppo" | "ppo_kl" | "dpo_drift" => Config { n_steps: 32, ..defaults },
        "npg" | "trpo" => Config { n_steps: 32, n_minibatches: 4, ..defaults },
        _ => Config { n_steps: 8, ..defaults },
    };
    Config {
        env: env.into(),
        envs: if streams { 1 } else { 8 },
        // One weight in ten: a narrow network has nothing to begin with.
        hidden: vec![if streams { 64 } else { 16 }],
        lr: if streams { 1.0 } else { 0.01 },
        gamma: 0.5,
        ent_coef: 0.0.into(),
        threads: 1,
        steps: 12_000,
        ..config
    }
}

/// Candle modules whose actor has so many outputs.
pub(crate) fn modules(spec: &Spec, outputs: usize, seed: Seed, device: &Device) -> Result<(Params, ModuleModel)> {
    let width = spec.observation_len();
    ModuleModel::new(&Site { device, ..Site::new(spec, seed) }, move |vb| {
        let trunk = linear(width, 16, vb.pp("trunk"))?;
        let (actor, critic) = (linear(16, outputs, vb.pp("actor"))?, linear(16, 1, vb.pp("critic"))?);
        Ok(Box::new(move |observation| {
            let features = trunk.forward(observation)?.tanh()?;
            Ok((actor.forward(&features)?, critic.forward(&features)?))
        }))
    })
}

/// With modules whose actor has so many outputs, or the network that the configuration names.
pub(crate) fn trainer(config: &Config, lanes: Lanes, modules_of: Option<usize>) -> Trainer {
    let seed = Seed(config.seed);
    let build = |outputs: usize| -> BuildNetwork<'_> {
        Box::new(move |spec, device| {
            modules(spec, outputs, seed, device).map(|(params, model)| (params, Box::new(model) as Box<dyn Model>))
        })
    };
    let network = modules_of.map(build);
    Trainer::with(config, Overrides { envs: Some(Arc::new(lanes)), network, ..Overrides::default() })
        .expect("a trainer")
}

/// The rows of so many updates, without the clock.
pub(crate) fn rows(trainer: &mut Trainer, updates: usize) -> Vec<Metrics> {
    let step = |_| Metrics { steps_per_second: 0.0, ..trainer.step().expect("an update").expect("more to do") };
    (0..updates).map(step).collect()
}

pub(crate) fn bits(trainer: &Trainer) -> Vec<u32> {
    trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect()
}

/// What a fused network is asked about: itself, its parameters, observations that it has seen, and a gradient in them.
pub(crate) type Asked<'a> = (&'a MlpModel, &'a mut Params, &'a Rollout, &'a [f32]);

/// Compares the gradient on the host, and of the fused loss, with that through the graph, for trunks and objectives of several
/// kinds; and the Fisher information, which must be symmetric and give no vector a negative length. `change` makes the policy
/// another one than acted, and `more` asks the rest.
pub(crate) fn gradients_agree(
    lanes: Lanes,
    env: &str,
    bound: f32,
    change: impl Fn(&mut Params),
    more: impl Fn(Asked<'_>, [&[f32]; 2]),
) {
    let mlp = MlpConfig { hidden: vec![8], ..MlpConfig::default() };
    let mut collector = Collector::new(lanes(6).expect("lanes"), Seed(2)).expect("a reset");
    let spec = collector.spec().clone();
    let (old, network) = MlpModel::new(&spec, &mlp, Seed(2), &CPU).expect("a network");
    let rollout = collector.collect(&network, &old, Horizon::Steps(60), true).expect("a rollout").0.clone();
    let numbers = |far: usize| (0..360).map(|i| (i * far % 23) as f32 / 11.5 - 1.0).collect::<Vec<f32>>();
    let (estimate, advantage) =
        (Estimate { advantage: numbers(37), target: numbers(41), ..Estimate::default() }, numbers(29));
    let places: Vec<usize> = (0..360).rev().collect();
    let stop = Stop::default();
    let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage: &advantage, stop };
    for (shared_trunk, algo) in [false, true].into_iter().flat_map(|trunk| ["ppo", "a2c"].map(|algo| (trunk, algo))) {
        let mlp = MlpConfig { shared_trunk, ..mlp.clone() };
        let (mut params, fused) = MlpModel::new(&spec, &mlp, Seed(9), &CPU).expect("a network");
        let (_, plain) = MlpModel::new(&spec, &mlp, Seed(9), &CPU).expect("a network");
        let plain = plain.plain();
        change(&mut params);
        let config = Config { ent_coef: 0.3.into(), ..config(env, algo) };
        let algo = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
        let tensors = TensorBatch::new(&rollout, &estimate, &places, &advantage, &CPU).expect("tensors");
        let output = plain.answer(&params, &tensors.observation).expect("outputs");
        let loss = algo.objective.loss(&tensors, &output, &mut Report::default()).expect("a loss");
        let expected: Vec<f32> = params.gradient(&loss).and_then(|g| Ok(g.to_vec1()?)).expect("a gradient");
        assert!(expected.iter().any(|g| g.abs() > 0.01), "not trivially zero");
        for network in [&fused, &plain] {
            let (mut gradient, mut sums, mut room) = (Vec::new(), RowSums::default(), Scratch::default());
            algo.gradient(network, &params, batch, &mut room, &mut gradient, &mut sums).expect("a gradient");
            let apart = gradient.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart < bound, "{apart}");
        }
        let fisher = |vector: &[f32]| {
            let mut product = Vec::new();
            fused
                .fisher_vector_product(&params, batch, vector, &mut Scratch::default(), &mut product)
                .expect("a product");
            product
        };
        let vectors = [37, 41].map(|far| (0..expected.len()).map(|i| (i * far % 23) as f32 / 11.5 - 1.0).collect());
        let [u, v]: [Vec<f32>; 2] = vectors;
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let (fu, fv) = (fisher(&u), fisher(&v));
        assert!(dot(&u, &fu) > 0.0 && (dot(&v, &fu) - dot(&u, &fv)).abs() < 1e-4 * dot(&u, &fu), "{fu:?} {fv:?}");
        more((&fused, &mut params, &rollout, &expected), [&u, &fu]);
    }
}
