//! Policies of state-dependent noise: networks give their features, on the host what they give on tensors, runs go on bit for bit,
//! and what has no features is refused.

use std::sync::{Arc, Mutex};

use candle_core::Tensor;
use candle_nn::{Module, linear};
use uphill::envs::{Action, End, Env, EnvError, Lanes, Pendulum, Spec, Step, VecEnv};
use uphill::models::{Site, apart};
use uphill::objective::RowSums;
use uphill::rollout::{Estimate, Minibatch};
use uphill::{
    Checkpoint, Collector, Config, Horizon, Metrics, MlpConfig, MlpModel, Mode, Model, ModuleModel, Params, Result,
    Rollout, Scratch, Seed, Stop, Trainer, algo,
};

/// Every model that has features.
mod on_tensors;
use on_tensors::OnTensors;

const MODELS: [&str; 6] = [
    "mlp(hidden=[7, 6])",
    "mlp(hidden=[8], shared_trunk=true)",
    "mlp(hidden=[])",
    "mlp_layer_norm(hidden=[6])",
    "gru(hidden=[5], units=6)",
    "lstm(hidden=[5], units=6)",
];

fn config(algo: &str, model: &str, more: &str) -> Config {
    let size = match algo {
        "reinforce" | "rloo" => "envs = 2\nepisodes = 2\nsteps = 1600",
        "npg" | "trpo" => "envs = 3\nn_steps = 8\nn_minibatches = 2\nsteps = 120",
        "ppo" => "envs = 3\nn_steps = 8\nn_minibatches = 2\nsteps = 120",
        _ => "envs = 3\nn_steps = 8\nsteps = 120",
    };
    let text = format!(
        "algo = '{algo}'\nenv = 'Pendulum-v1'\nmodel = '{model}'\n{size}\n\
         distribution = 'gsde(log_std_init=-1, sde_sample_freq=3)'\n"
    );
    Config::from_toml(&(text + more)).expect("a configuration")
}

/// A network, its parameters moved to where all of them count.
fn model_of(config: &Config) -> (Params, Box<dyn Model>) {
    let spec = config.make_envs(1).expect("an environment").spec().clone();
    let (mut params, model) = config.make_model(&Site::new(&spec, Seed(5))).expect("a model");
    params.update(|theta| theta.iter_mut().enumerate().for_each(|(i, x)| *x += (i as f32).cos() * 0.2)).expect("them");
    (params, model)
}

fn played(config: &Config, (params, model): (&Params, &dyn Model), steps: usize) -> Rollout {
    let mut collector = Collector::new(config.make_envs(config.envs).expect("environments"), Seed(8)).expect("a reset");
    collector.collect(model, params, Horizon::Steps(steps), true).expect("a rollout");
    collector.collect(model, params, Horizon::Steps(steps), true).expect("a rollout").0.clone()
}

#[track_caller]
fn close(what: &str, found: &[f32], expected: &[f32], bound: f32) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= bound * b.abs().max(1.0), "{what}, {i}: {a} for {b}");
    }
}

#[test]
fn what_networks_give_on_the_host_is_what_they_give_on_tensors() {
    for (model, algo) in MODELS.into_iter().zip(["ppo", "a2c"].into_iter().cycle()) {
        let config = config(algo, model, "ent_coef = 0.1");
        let (params, network) = model_of(&config);
        let tensors = OnTensors(&*network);
        let features = network.distribution().features();
        let width = 1 + 2 * features;
        assert_eq!((network.distribution().outputs(), features > 2), (width, true), "{model}");

        let rollout = played(&config, (&params, &*network), 20);
        let by_tensors = played(&config, (&params, &tensors), 20);
        close(model, &rollout.value, &by_tensors.value, 1e-4);
        close(model, rollout.action.numbers(), by_tensors.action.numbers(), 1e-3);
        // A row is what the head puts out, the features, and the deviations that all rows have.
        let outputs = |network: &dyn Model| {
            let (mut memory, mut outputs) = (vec![0.0; 3 * network.memory()], Vec::new());
            let x = &rollout.observation.numbers(0..3 * 3);
            network.answers_after(&params, x, &mut memory, &mut Scratch::default(), &mut outputs, None).expect("rows");
            outputs
        };
        let found = outputs(&*network);
        close(model, &found, &outputs(&tensors), 1e-5);
        let own = params.layout().block("actor.log_std").expect("deviations of its own").range();
        let theta = params.snapshot().expect("values");
        assert!(found.chunks(width).all(|row| row[1 + features..] == theta[own.clone()]), "{model}");
        assert_ne!(found[1..1 + features], found[width + 1..width + 1 + features], "{model}: of each state");

        let algo = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
        let mut estimate = algo.estimator.estimate(&rollout, 0.99);
        estimate.advantage.iter_mut().enumerate().for_each(|(i, a)| *a = (i as f32 * 0.7).sin());
        let places: Vec<usize> = (0..rollout.reward.len()).filter(|place| place % 3 != 2).collect();
        let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
        let gradient = |network: &dyn Model| {
            let (rollout, estimate, places, advantage) = (&rollout, &estimate, &places, &advantage);
            let batch = Minibatch { rollout, estimate, places, advantage, stop: Stop::default() };
            let (mut found, mut sums, mut scratch) = (Vec::new(), RowSums::default(), Scratch::default());
            algo.gradient(network, &params, batch, &mut scratch, &mut found, &mut sums).expect("a gradient");
            found
        };
        let (host, tensors) = (gradient(&*network), gradient(&tensors));
        close(&format!("{model}, the gradient"), &host, &tensors, 2e-5);
        assert!(host[own].iter().all(|g| g.abs() > 1e-6), "{model}: all deviations are learnt");
    }
}

/// What is left of actions when one linear function of observations, and a constant, has been taken from them.
fn unexplained(observation: &[f32], noise: &[f32]) -> f64 {
    let rows: Vec<[f64; 4]> = observation.chunks(3).map(|x| [x[0], x[1], x[2], 1.0].map(f64::from)).collect();
    // The normal equations, and the right side as a fifth column.
    let mut m = [[0.0f64; 5]; 4];
    for (x, &y) in rows.iter().zip(noise) {
        for i in 0..4 {
            (0..4).for_each(|j| m[i][j] += x[i] * x[j]);
            m[i][4] += x[i] * f64::from(y);
        }
    }
    m.iter_mut().enumerate().for_each(|(i, row)| row[i] += 1e-10);
    for i in 0..4 {
        for j in (0..4).filter(|&j| j != i) {
            let by = m[j][i] / m[i][i];
            (0..5).for_each(|c| m[j][c] -= by * m[i][c]);
        }
    }
    let said = |x: &[f64; 4]| (0..4).map(|i| x[i] * m[i][4] / m[i][i]).sum::<f64>();
    rows.iter().zip(noise).map(|(x, &y)| (said(x) - f64::from(y)).abs()).fold(0.0, f64::max)
}

#[test]
fn a_collector_holds_each_lanes_noise_for_as_many_steps_as_are_said() {
    // Without hidden layers the features are the observations.
    for (word, held) in [("gsde(sde_sample_freq=8)", Some(8)), ("gsde", None), ("gsde(sde_sample_freq=1)", Some(1))] {
        let text = format!("env = 'Pendulum-v1'\nmodel = 'mlp(hidden=[])'\ndistribution = '{word}'");
        let config = Config { envs: 3, ..Config::from_toml(&text).expect("a configuration") };
        let (params, network) = model_of(&config);
        let rollout = played(&config, (&params, &*network), 40);
        let (mut outputs, lanes) = (Vec::new(), config.envs);
        network.outputs(&params, &rollout.observation.all(), &mut Scratch::default(), &mut outputs).expect("outputs");
        for lane in 0..lanes {
            let fit = |from: usize, to: usize| {
                let places = || (from..to).map(|t| t * lanes + lane);
                let x: Vec<f32> = places().flat_map(|i| rollout.observation_at(i).into_owned()).collect();
                let noise: Vec<f32> = places().map(|i| rollout.action.numbers()[i] - outputs[i * 7]).collect();
                unexplained(&x, &noise)
            };
            match held {
                Some(1) => assert!(fit(0, 8) > 1e-2, "each step has its own"),
                Some(held) => {
                    assert!((0..40).step_by(held).all(|t| fit(t, t + held) < 1e-4), "{word}");
                    assert!((4..32).step_by(held).all(|t| fit(t, t + held) > 1e-3), "{word}");
                }
                None => assert!(fit(0, 40) < 1e-4, "{word}: {}", fit(0, 40)),
            }
        }
    }
}

/// What a pendulum showed, and what was done there.
type Seen = Arc<Mutex<Vec<([f32; 3], f32)>>>;

/// A pendulum that writes down what it showed and what was done there.
struct Watched {
    pendulum: Pendulum,
    shown: [f32; 3],
    seen: Seen,
}

impl Env for Watched {
    fn spec(&self) -> &Spec {
        self.pendulum.spec()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.pendulum.reset(seed, observation)?;
        self.shown.copy_from_slice(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let Action::Continuous(numbers) = action else { panic!("numbers") };
        self.seen.lock().expect("a list").push((self.shown, numbers[0]));
        let step = self.pendulum.step(action, observation)?;
        self.shown.copy_from_slice(observation);
        Ok(step)
    }
}

/// Its rollouts are of one step, and an update's are one after the other: over them noise is held.
#[test]
fn what_learns_from_each_step_holds_each_lanes_noise_over_an_update() {
    for (often, borders) in [("", &[0, 24, 48][..]), (", sde_sample_freq=16", &[0, 16, 24, 40, 48])] {
        // Without hidden layers, and where nothing is learnt, actions are linear in what is shown as long as a noise is held.
        let text = format!(
            "algo = 'stream_ac'\nenv = 'Pendulum-v1'\nhidden = []\nenvs = 2\nn_steps = 24\nlr = 0\n\
             normalize_observation = false\ndistribution = 'gsde(log_std_init=-3{often})'"
        );
        let seen: [Seen; 2] = Default::default();
        let lists = seen.clone();
        let make = move |_: usize| -> Result<Box<dyn VecEnv>> {
            let lanes = lists.iter().map(|seen: &Seen| Watched {
                pendulum: Pendulum::new(),
                shown: [0.0; 3],
                seen: seen.clone(),
            });
            Ok(Box::new(Lanes::new(lanes.collect())?))
        };
        let config = Config::from_toml(&text).expect("a configuration");
        let mut trainer = Trainer::with_envs(&config, make).expect("a trainer");
        trainer.step().and_then(|_| trainer.step()).expect("two updates");
        let lists = seen.map(|list| list.lock().expect("a list").clone());
        assert!(lists.iter().all(|list| list.len() == 48));
        let fit = |steps: Vec<&([f32; 3], f32)>| {
            let (x, noise): (Vec<_>, Vec<_>) = steps.into_iter().copied().unzip();
            unexplained(x.as_flattened(), &noise)
        };
        for list in &lists {
            for held in borders.windows(2) {
                assert!(fit(list[held[0]..held[1]].iter().collect()) < 1e-4, "{often} {held:?}");
            }
            for &border in &borders[1..borders.len() - 1] {
                assert!(fit(list[border - 8..border + 8].iter().collect()) > 1e-3, "{often} {border}");
            }
        }
        assert!(fit(lists.iter().flat_map(|list| &list[..8]).collect()) > 1e-3, "each lane has its own");
    }
}

fn untimed(metrics: Metrics) -> Metrics {
    Metrics { steps_per_second: 0.0, ..metrics }
}

/// The rows and the parameters' bits of a run, taken up again from a checkpoint after each of these updates.
fn run(config: &Config, breaks: &[usize]) -> (Vec<Metrics>, Vec<u32>) {
    let (mut rows, mut trainer) = (Vec::new(), Trainer::new(config).expect("a trainer"));
    while let Some(metrics) = trainer.step().expect("an update") {
        rows.push(untimed(metrics));
        if breaks.contains(&rows.len()) {
            let bytes = trainer.checkpoint().expect("a state").to_bytes().expect("a file");
            trainer = Trainer::resume(&Checkpoint::from_bytes(&bytes).expect("a checkpoint")).expect("a trainer");
        }
    }
    (rows, trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect())
}

#[test]
fn runs_go_on_from_checkpoints_bit_for_bit() {
    let of_model = MODELS.into_iter().map(|model| config("ppo", model, "normalize_observation = true"));
    let of_algo = algo::ROWS.iter().map(|algo| config(algo.name, MODELS[1], ""));
    for config in of_model.chain(of_algo) {
        let whole = run(&config, &[]);
        assert!(whole.0.len() >= 3, "{} updates", whole.0.len());
        assert_eq!(run(&config, &[1, 2]), whole, "{} with {}", config.algo, config.model);
        assert_ne!(run(&Config { seed: 9, ..config }, &[]).1, whole.1);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for model in [MODELS[0], MODELS[1], MODELS[4]] {
        for algo in ["ppo", "reinforce"] {
            let wide = Config { envs: 70, steps: 1_700, ..config(algo, model, "") };
            let wide = if algo == "reinforce" { Config { episodes: 70, steps: 14_000, ..wide } } else { wide };
            let alone = run(&Config { threads: 1, ..wide.clone() }, &[]);
            for threads in [2, 3] {
                assert_eq!(run(&Config { threads, ..wide.clone() }, &[]), alone, "{algo} {model} {threads}");
            }
        }
    }
}

/// A pendulum whose episodes end after 3 to 7 steps, each lane's as its first seed says.
#[derive(Default)]
struct Uneven {
    pendulum: Pendulum,
    limit: u64,
    steps: u64,
}

impl Env for Uneven {
    fn spec(&self) -> &Spec {
        self.pendulum.spec()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.limit = seed.map_or(self.limit, |seed| 3 + seed % 5);
        self.steps = 0;
        self.pendulum.reset(seed, observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.steps += 1;
        let end = if self.steps == self.limit { End::Terminated } else { End::Not };
        Ok(Step { end, ..self.pendulum.step(action, observation)? })
    }
}

/// Lanes have nothing to do with each other: what is held of one is drawn from its own generator, and only while it plays.
#[test]
fn groups_of_lanes_play_what_one_group_plays() {
    let config = config("ppo", MODELS[0], "");
    let (params, network) = model_of(&config);
    let make = |lanes: usize| -> Box<dyn VecEnv> {
        Box::new(Lanes::new((0..lanes).map(|_| Uneven::default()).collect()).expect("lanes"))
    };
    let mut one = Collector::new(make(6), Seed(3)).expect("a reset");
    let groups = vec![make(1), make(3), make(2)];
    let mut several = Collector::grouped(groups, Seed(3), uphill::Threads::default()).expect("a reset");
    for horizon in [Horizon::Steps(10), Horizon::Steps(4), Horizon::Episodes(2), Horizon::Steps(7)] {
        let taken = |collector: &mut Collector| {
            let (rollout, _) = collector.collect(&*network, &params, horizon, true).expect("a rollout");
            let numbers = rollout.valid_steps().map(|place| rollout.action.numbers()[place]);
            (numbers.collect::<Vec<_>>(), rollout.valid_steps().count() < rollout.valid.len())
        };
        let expected = taken(&mut one);
        assert_eq!(taken(&mut several), expected, "{horizon:?}");
        assert_eq!(expected.1, matches!(horizon, Horizon::Episodes(_)), "some lanes wait for others");
    }
}

#[test]
fn a_policy_that_is_asked_alone_draws_fresh_noise_each_time_and_acts_by_its_means_otherwise() {
    let policy = Trainer::new(&config("ppo", MODELS[0], "")).expect("a trainer").into_policy().expect("a policy");
    let (x, mut rng) = ([1.0, 0.0, 0.5], Seed(7).stream("actions", 0));
    let act = |mode: Mode<'_>| policy.act(&x, &mut policy.memory(1), mode).expect("an action").numbers()[0];
    let drawn = [(); 3].map(|()| act(Mode::Sampled(&mut rng)));
    assert!(drawn[0] != drawn[1] && drawn[1] != drawn[2], "{drawn:?}");
    assert_eq!(act(Mode::Likeliest), act(Mode::Likeliest));
}

#[test]
fn the_fisher_information_is_the_curvature_of_the_divergence_where_features_stand_still() {
    let spec = config("ppo", MODELS[0], "").make_envs(1).expect("an environment").spec().clone();
    for shared_trunk in [false, true] {
        let shape = MlpConfig { hidden: vec![6], shared_trunk, ..MlpConfig::default() };
        let distribution = config("ppo", MODELS[0], "").make_distribution(&spec).expect("a distribution");
        let site = Site { distribution: Some(distribution), ..Site::new(&spec, Seed(5)) };
        let (mut params, network) = MlpModel::for_site(&shape, &site).expect("a network");
        let x: Vec<f32> = (0..30).map(|i| (i as f32 * 1.3).sin()).collect();
        // Along the head and the deviations, on which the features do not depend.
        let mut along = vec![0.0; params.layout().len()];
        for name in ["actor.head.weight", "actor.head.bias", "actor.log_std"] {
            let block = params.layout().block(name).expect("a block").range();
            block.for_each(|i| along[i] = (i as f32 * 0.9).cos());
        }
        let (mut scratch, mut product) = (Scratch::default(), Vec::new());
        let rollout = Rollout {
            observation: x.clone().into(),
            action: vec![0.0f32; 10].into(),
            log_prob: vec![0.0; 10],
            value: vec![0.0; 10],
            ..Rollout::new(1, 3)
        };
        let estimate = Estimate { target: vec![0.0; 10], ..Estimate::default() };
        let (places, stop) = ((0..10).collect::<Vec<_>>(), Stop::default());
        let batch = Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage: &[0.0; 10], stop };
        network.fisher_vector_product(&params, batch, &along, &mut scratch, &mut product).expect("a product");
        let squared: f64 = along.iter().zip(&product).map(|(a, b)| f64::from(a * b)).sum();
        let theta = params.snapshot().expect("values");
        let mut rows_at = |by: f32| {
            let moved: Vec<f32> = theta.iter().zip(&along).map(|(x, d)| x + by * d).collect();
            params.set(&moved).expect("values");
            let (mut outputs, mut rows) = (Vec::new(), network.distribution().rows());
            network.outputs(&params, &x, &mut Scratch::default(), &mut outputs).expect("outputs");
            rows.set(&outputs, network.distribution().outputs());
            rows
        };
        let (h, here, mut kl) = (0.02, rows_at(0.0), Vec::new());
        let mut divergence = |by: f32| {
            here.kl(&*rows_at(by), &mut kl);
            kl.iter().map(|&kl| f64::from(kl)).sum::<f64>() / kl.len() as f64
        };
        let curvature = (divergence(h) + divergence(-h)) / f64::from(h).powi(2);
        assert!(squared > 0.1 && (squared / curvature - 1.0).abs() < 0.02, "{squared} for {curvature}");
    }
}

#[test]
fn what_has_no_features_is_refused_and_so_are_impossible_words() {
    let config = config("ppo", MODELS[0], "");
    let spec = config.make_envs(1).expect("an environment").spec().clone();
    let distribution = config.make_distribution(&spec).expect("a distribution");
    let site = Site { distribution: Some(distribution), ..Site::new(&spec, Seed(5)) };
    let build = |vb: candle_nn::VarBuilder<'_>| {
        let net = |name: &str| Ok::<_, candle_core::Error>(Box::new(linear(3, 1, vb.pp(name))?) as Box<dyn Module>);
        Ok(apart(net("actor")?, net("critic")?))
    };
    let message = ModuleModel::new(&site, build).map(drop).expect_err("no features").to_string();
    assert_eq!(
        message,
        "the distribution reads the actor's last hidden layer, which this network does not give: take the model mlp, \
         mlp_layer_norm, gru or lstm, or give it by `Site::distribution_with`"
    );
    // One's own modules give them by themselves: here of two units.
    let site = Site { distribution: Some(site.distribution_with(2).expect("a distribution")), ..site };
    let message = ModuleModel::new(&site, build).map(drop).expect_err("too few").to_string();
    assert!(message.contains("the actor's output for 2 observations"), "{message}");
    let give = |vb: candle_nn::VarBuilder<'_>| {
        let (hidden, head) = (linear(3, 2, vb.pp("hidden"))?, linear(2, 1, vb.pp("head"))?);
        let critic = linear(3, 1, vb.pp("critic"))?;
        Ok(Box::new(move |x: &Tensor| {
            let features = hidden.forward(x)?.tanh()?;
            Ok((Tensor::cat(&[&head.forward(&features)?, &features], 1)?, critic.forward(x)?))
        }) as uphill::models::Heads)
    };
    let (params, model) = ModuleModel::new(&site, give).expect("a network");
    assert_eq!(params.layout().block("actor.log_std").expect("deviations").elem_count(), 2);
    let (_, mlp) = MlpModel::for_site(&MlpConfig::default(), &site).expect("a network");
    assert_eq!((model.distribution().features(), mlp.distribution().features()), (2, 64));
    // Whoever brings a network brings one of the distribution that was chosen.
    Trainer::with_network(&config, |spec, device| {
        let site = Site { device, distribution: Some(config.make_distribution(spec)?), ..Site::new(spec, Seed(1)) };
        let (params, model) = MlpModel::for_site(&MlpConfig::default(), &site)?;
        Ok((params, Box::new(model)))
    })
    .expect("of as many features as it has");
    let other = Trainer::with_network(&config, |spec, device| {
        let (params, model) = MlpModel::new(spec, &MlpConfig::default(), Seed(1), device)?;
        Ok((params, Box::new(model)))
    });
    let message = other.map(drop).expect_err("another").to_string();
    assert!(message.starts_with("distribution = gsde(") && message.contains("DiagGaussian"), "{message}");

    let over_choices = Config::from_toml("env = 'CartPole-v1'\ndistribution = 'gsde'").expect("a configuration");
    let message = Trainer::new(&over_choices).map(drop).expect_err("choices").to_string();
    assert!(message.contains("distribution = gsde: it is not over discrete actions"), "{message}");
    for (text, expected) in [
        ("distribution = 'gsde(sde_sample_freq=0)'", "it must be a whole number from 1 to 1000000000, or inf for none"),
        (
            "sde_sample_freq = 4",
            "over the actions of CartPole-v1 it is categorical, which has no argument `sde_sample_freq`",
        ),
        ("env = 'Pendulum-v1'\nsde_sample_freq = 4", "has no argument `sde_sample_freq`; leave that out, or take gsde"),
        ("use_sde = true", "did you mean `distribution`? it is a word: gsde"),
    ] {
        let found = Config::from_toml(text).and_then(|config| Trainer::new(&config).map(drop));
        let message = found.expect_err("a mistake").to_string();
        assert!(message.contains(expected), "{message}");
    }
}
