//! What is learnt on an NVIDIA GPU is what is learnt on the host. Each test is skipped, saying so, where there is none:
//! `cargo test --release --features cuda --test cuda -- --nocapture` on a machine that has one.

use candle_core::Device;
use uphill::philox::{LaneNumbers, Purpose};
use uphill::{Checkpoint, Config, Policy, Seed, Trainer};

/// Whether there is a GPU to learn on; says what is skipped where there is none.
fn has_gpu(test: &str) -> bool {
    match Device::new_cuda(0) {
        Ok(_) => true,
        Err(why) => {
            eprintln!("{test} is skipped: {why}");
            false
        }
    }
}

/// Every network, every kind of action and every objective, each a few lines of a configuration.
const KINDS: [(&str, &str); 31] = [
    ("rloo", "algo = 'rloo'\nepisodes = 8\nenv = 'CartPole-v1'"),
    ("reinforce", "algo = 'reinforce'\nepisodes = 8\nenv = 'CartPole-v1'"),
    ("a2c", "algo = 'a2c'\nn_steps = 8\nenv = 'CartPole-v1'"),
    ("ppo", "algo = 'ppo'\nenv = 'CartPole-v1'"),
    ("ppo_kl", "algo = 'ppo_kl'\nenv = 'CartPole-v1'"),
    ("dual clip", "algo = 'ppo(dual_clip=1.05)'\nenv = 'CartPole-v1'"),
    ("rpo", "algo = 'ppo(rpo_alpha=0.5)'\nenv = 'Pendulum-v1'"),
    ("dpo_drift", "algo = 'dpo_drift'\nenv = 'CartPole-v1'"),
    ("v_trace", "algo = 'v_trace'\nn_steps = 8\nenv = 'CartPole-v1'"),
    ("stream_ac", "algo = 'stream_ac'\nenv = 'CartPole-v1'"),
    ("npg", "algo = 'npg'\nn_steps = 32\nn_minibatches = 4\nenv = 'CartPole-v1'"),
    ("trpo", "algo = 'trpo'\nn_steps = 32\nn_minibatches = 4\nenv = 'Pendulum-v1'"),
    ("trpo gru", "algo = 'trpo'\nn_steps = 32\nn_minibatches = 4\nenv = 'CartPole-v1'\nmodel = 'gru'"),
    ("shared trunk", "algo = 'ppo'\nenv = 'CartPole-v1'\nshared_trunk = true\nactivation = 'relu'"),
    ("layer norm", "algo = 'ppo'\nenv = 'CartPole-v1'\nmodel = 'mlp_layer_norm'\nactivation = 'gelu'"),
    ("leaky", "algo = 'ppo'\nenv = 'CartPole-v1'\nactivation = 'leaky_relu'\ncritic_hidden = [8]"),
    ("masks", "algo = 'ppo'\nenv = 'Taxi-v3'"),
    ("gaussian", "algo = 'ppo'\nenv = 'Pendulum-v1'"),
    ("squashed", "algo = 'ppo'\nenv = 'Pendulum-v1'\ndistribution = 'squashed_diag_gaussian'"),
    ("dependent", "algo = 'ppo'\nenv = 'Pendulum-v1'\ndistribution = 'diag_gaussian(state_dependent_std = true)'"),
    ("gsde", "algo = 'ppo'\nenv = 'Pendulum-v1'\ndistribution = 'gsde(sde_sample_freq = 4)'"),
    (
        "scales",
        "algo = 'ppo'\nenv = 'Pendulum-v1'\nnormalize_observation = true\nnormalize_reward = true\nnormalize_value = true",
    ),
    ("gru", "algo = 'ppo'\nenv = 'MemoryChain-v0'\nmodel = 'gru'\nunits = 12"),
    ("lstm", "algo = 'ppo'\nenv = 'MemoryChain-v0'\nmodel = 'lstm'\nunits = 12"),
    ("gru gaussian", "algo = 'a2c'\nn_steps = 16\nenv = 'PendulumNoVelocity-v0'\nmodel = 'gru'"),
    ("minatar_cnn", "algo = 'ppo'\nenv = 'GridWorld-4x4-v0(observation=image)'\nmodel = 'minatar_cnn'"),
    ("impala_cnn", "algo = 'ppo'\nenv = 'GridWorld-4x4-v0(observation=image)'\nmodel = 'impala_cnn'"),
    ("categories", "algo = 'ppo'\nenv = 'Blackjack-v1'"),
    ("on the device", "algo = 'ppo'\nenv = 'CartPole-v1'\nenvs_on_device = true"),
    ("gaussian on the device", "algo = 'ppo'\nenv = 'Pendulum-v1'\nenvs_on_device = true"),
    ("walk on the device", "algo = 'ppo_kl'\nenv = 'FrozenLake-v1'\nenvs_on_device = true"),
];

/// Four lanes of 32 steps, plain descent: a step is the gradient, and small differences stay small.
fn config(lines: &str, device: &str) -> Config {
    let common = "envs = 4\nseed = 3\nsteps = 4096\noptimizer = 'sgd'\nlr = 0.05\n";
    let hidden = if lines.contains("_cnn") { "" } else { "hidden = [16, 16]\n" };
    let ppo = if lines.contains("'ppo") { "n_steps = 32\nn_epochs = 2\nn_minibatches = 4\n" } else { "" };
    let text = format!("{lines}\n{common}{hidden}{ppo}device = '{device}'\n");
    Config::from_toml(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Parameters before and after so many updates.
fn trained(config: &Config, updates: usize) -> [Vec<f32>; 2] {
    let mut trainer = Trainer::new(config).expect("a trainer");
    let before = trainer.params().snapshot().expect("values");
    for _ in 0..updates {
        trainer.step().expect("an update").expect("steps are left");
    }
    [before, trainer.params().snapshot().expect("values")]
}

/// What is tried on the GPU is possible: this much is seen without one.
#[test]
fn every_kind_learns_on_the_host() {
    for (name, lines) in KINDS {
        let [start, end] = trained(&config(lines, "cpu"), 1);
        assert_ne!(start, end, "{name}");
    }
}

fn norm(x: impl Iterator<Item = f32>) -> f64 {
    x.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

/// After one update of up to eight gradient steps the way gone is the host's to a few parts in ten thousand.
#[test]
fn an_update_goes_where_it_goes_on_the_host() {
    if !has_gpu("an update on the GPU") {
        return;
    }
    let mut wrong = Vec::new();
    for (name, lines) in KINDS {
        let outcome = std::panic::catch_unwind(|| {
            let [start, host] = trained(&config(lines, "cpu"), 1);
            let [same, gpu] = trained(&config(lines, "cuda"), 1);
            assert_eq!(start, same, "{name} starts elsewhere");
            let way = norm(host.iter().zip(&start).map(|(x, y)| x - y));
            let apart = norm(host.iter().zip(&gpu).map(|(x, y)| x - y));
            (way, apart)
        });
        match outcome {
            Ok((way, apart)) => {
                eprintln!("{name}: {apart:.1e} apart after a way of {way:.1e}");
                // NaN is wrong, too.
                if !(way > 0.0 && apart <= 3e-4 * way) {
                    wrong.push(format!("{name}: {apart:e} apart after a way of {way:e}"));
                }
            }
            Err(_) => wrong.push(format!("{name}: panicked")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// In 16 bits it goes the way of f32 on the host, to what eight steps of rounded gradients are apart.
#[test]
fn an_update_in_16_bits_goes_where_that_of_f32_goes_on_the_host() {
    if !has_gpu("an update in 16 bits on the GPU") {
        return;
    }
    let mut wrong = Vec::new();
    let of_f32_alone = |lines: &str| ["npg", "trpo", "stream_ac"].iter().any(|name| lines.contains(name));
    for (name, lines) in KINDS.into_iter().filter(|(_, lines)| !of_f32_alone(lines)) {
        let outcome = std::panic::catch_unwind(|| {
            let [start, host] = trained(&config(lines, "cpu"), 1);
            let [_, gpu] = trained(&config(&format!("precision = 'bf16'\n{lines}"), "cuda"), 1);
            let way = norm(host.iter().zip(&start).map(|(x, y)| x - y));
            (way, norm(host.iter().zip(&gpu).map(|(x, y)| x - y)))
        });
        match outcome {
            Ok((way, apart)) if way > 0.0 && apart <= LOW * way => {
                eprintln!("{name}: {apart:.1e} apart, way {way:.1e}");
            }
            outcome => wrong.push(format!("{name}: {outcome:?}")),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What bf16 may be off by.
const LOW: f64 = 0.1;

/// Sums of gradients begin on the card, go on on the host, and go on on the card again.
#[test]
fn a_run_goes_from_the_card_to_the_host_and_back() {
    if !has_gpu("a run on both") {
        return;
    }
    let on = |device| {
        let optimizer = "momentum".parse().expect("a chain");
        Config { optimizer, ..config("algo = 'ppo'\nenv = 'CartPole-v1'", device) }
    };
    let [start, host] = trained(&on("cpu"), 3);
    let mut trainer = Trainer::new(&on("cuda")).expect("a trainer");
    for device in ["cuda", "cpu", "cuda"] {
        let state = trainer.checkpoint().expect("a checkpoint");
        trainer = Trainer::new(&on(device)).expect("a trainer");
        trainer.restore(&state).expect("the same run");
        trainer.step().expect("an update").expect("steps are left");
    }
    assert_eq!(trainer.take_notes(), Vec::<String>::new());
    let there = trainer.params().snapshot().expect("values");
    let way = norm(host.iter().zip(&start).map(|(x, y)| x - y));
    let apart = norm(host.iter().zip(&there).map(|(x, y)| x - y));
    assert!(way > 0.0 && apart <= 3e-4 * way, "{apart:e} apart after a way of {way:e}");
    let optimizer = "soap".parse().expect("a chain");
    let on_host = Config { optimizer, ..config("algo = 'ppo'\nenv = 'CartPole-v1'", "cuda") };
    let notes = Trainer::new(&on_host).expect("a trainer").take_notes();
    assert!(notes.iter().any(|note| note.contains("takes its steps on the host, for ScaleBySoap")), "{notes:?}");
}

/// The same seed on the same card, twice.
#[test]
fn the_same_seed_gives_the_same_bits_on_the_same_card() {
    if !has_gpu("repetition on the GPU") {
        return;
    }
    let different: Vec<&str> = KINDS
        .iter()
        .filter(|(_, lines)| trained(&config(lines, "cuda"), 3) != trained(&config(lines, "cuda"), 3))
        .map(|&(name, _)| name)
        .collect();
    assert!(different.is_empty(), "not the same twice: {different:?}");
}

/// A run on the GPU is saved and resumed there, with the same bits, and its policy can be evaluated.
#[test]
fn what_was_saved_on_the_gpu_goes_on_with_the_same_bits() {
    if !has_gpu("resuming on the GPU") {
        return;
    }
    let home = tempfile::tempdir().expect("a folder");
    for (name, lines) in KINDS.iter().filter(|(name, _)| ["ppo", "gru", "minatar_cnn", "scales"].contains(name)) {
        let config = config(lines, "cuda");
        let mut whole = Trainer::new(&config).expect("a trainer");
        (0..2).for_each(|_| drop(whole.step().expect("an update")));
        let file = home.path().join(format!("{name}.safetensors"));
        whole.checkpoint().expect("a checkpoint").write(&file).expect("a file");
        let mut resumed = Trainer::resume(&Checkpoint::read(&file).expect("a checkpoint")).expect("a run");
        for _ in 0..2 {
            whole.step().expect("an update");
            resumed.step().expect("an update");
        }
        assert_eq!(whole.params().snapshot().expect("values"), resumed.params().snapshot().expect("values"), "{name}");
        let mut policy: Policy = whole.into_policy().expect("a policy");
        policy.evaluate(4, Seed(1)).expect("an evaluation");
    }
}

/// A card that is not there is named.
#[test]
fn the_generator_draws_the_same_bits_on_the_card() {
    if !has_gpu("the_generator_draws_the_same_bits_on_the_card") {
        return;
    }
    let draw = |device: &Device| {
        let numbers = LaneNumbers::new(Seed(3), 1_000).uniform((u64::from(u32::MAX) - 1, 5), Purpose::Start, 6, device);
        let numbers = numbers.expect("numbers").flatten_all().expect("numbers").to_vec1::<f32>().expect("numbers");
        numbers.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(draw(&Device::new_cuda(0).expect("a card")), draw(&Device::Cpu));
}

#[test]
fn a_card_of_another_number_is_refused() {
    if !has_gpu("the refusal of a second GPU") {
        return;
    }
    let lines = "algo = 'ppo'\nenv = 'CartPole-v1'";
    let Err(error) = Trainer::new(&config(lines, "cuda:99")) else { panic!("no machine has so many") };
    let error = error.to_string();
    assert!(error.contains("cuda:99") && error.contains("--device cpu"), "{error}");
}
