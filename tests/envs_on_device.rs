//! Training with environments that are stepped on the learning device.

use uphill::models::{GRU, Model, RecurrentConfig, RecurrentModel};
use uphill::{Config, History, Metrics, Precision, Seed, Trainer};

fn config(env: &str) -> Config {
    let config = Config::for_algo("ppo").expect("an algorithm");
    Config { env: env.into(), envs: 32, envs_on_device: true, hidden: vec![16], n_steps: 32, ..config }
}

fn run(config: &Config, updates: usize) -> (Vec<u32>, Vec<Metrics>) {
    let mut trainer = Trainer::new(config).expect("a trainer");
    let rows = (0..updates).map(|_| trainer.step().expect("an update").expect("not the end")).collect();
    (bits(&trainer), rows)
}

fn bits(trainer: &Trainer) -> Vec<u32> {
    trainer.params().snapshot().expect("parameters").into_iter().map(f32::to_bits).collect()
}

#[test]
fn the_same_seed_gives_the_same_bits_for_any_number_of_threads() {
    for env in ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1"] {
        let config = config(env);
        let [one, two] = [1, 2].map(|threads| run(&Config { threads, ..config.clone() }, 4).0);
        assert_eq!(one, two, "{env}");
        assert_ne!(one, run(&Config { seed: config.seed + 1, ..config.clone() }, 4).0, "{env}");
        assert_ne!(one, run(&Config { envs_on_device: false, ..config }, 4).0, "{env}: the host draws other numbers");
    }
}

#[test]
fn a_resumed_run_goes_on_to_the_bit() {
    for (env, normalised) in [
        ("CartPole-v1", false),
        ("Pendulum-v1", false),
        ("FrozenLake-v1", false),
        ("CartPole-v1", true),
        ("Pendulum-v1", true),
    ] {
        let config = Config {
            normalize_observation: normalised,
            normalize_reward: normalised,
            normalize_value: normalised,
            ..config(env)
        };
        let mut trainer = Trainer::new(&config).expect("a trainer");
        for _ in 0..3 {
            trainer.step().expect("an update");
        }
        let mut resumed = Trainer::resume(&trainer.checkpoint().expect("a checkpoint")).expect("the same run");
        assert_eq!(resumed.take_notes(), Vec::<String>::new());
        for _ in 0..3 {
            let [one, other] = [&mut trainer, &mut resumed].map(|trainer| trainer.step().expect("an update"));
            let without_clock = |row: Option<Metrics>| row.map(|row| Metrics { steps_per_second: 0.0, ..row });
            assert_eq!(without_clock(one), without_clock(other), "{env}");
        }
        assert_eq!(bits(&trainer), bits(&resumed), "{env}");
        assert_eq!(trainer.params().buffers(), resumed.params().buffers(), "{env}");
        assert_eq!(trainer.params().buffers().get("normaliser.mean").is_some(), normalised);
    }
}

/// Where observations are on one scale and rewards on another the policy is learnt, what is told is what was earned, and the policy is
/// worth as much in the environments of the host.
#[test]
fn what_is_normalised_on_a_device_is_told_as_it_was_and_played_on_the_host() {
    let normalised = Config { normalize_observation: true, normalize_reward: true, ..config("CartPole-v1") };
    let config = Config { seed: 101, lr: 5e-3, n_epochs: 4, n_minibatches: 4, steps: 30_000, ..normalised };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    while trainer.step().expect("an update").is_some() {}
    let mean = trainer.history().return_mean().expect("a mean");
    assert!(mean > 60.0, "{mean}");
    let known = trainer.params().buffers().clone();
    assert!(known.get("normaliser.variance").expect("a buffer").iter().all(|&x| x > 0.0 && x < 0.9), "{known:?}");
    let mut policy = trainer.into_policy().expect("a policy");
    assert_eq!(*policy.params().buffers(), known);
    let judged = policy.evaluate(50, Seed(101)).expect("episodes").return_mean.expect("a mean");
    assert!(judged > 0.8 * mean, "{judged} of {mean}");
}

#[test]
fn settings_survive_a_file() {
    let config = config("CartPole-v1");
    let text = config.to_toml().expect("settings");
    assert!(text.contains("envs_on_device = true"), "{text}");
    assert_eq!(Config::from_toml(&text).expect("settings"), config);
    assert!(!Config { envs_on_device: false, ..config }.to_toml().expect("settings").contains("envs_on_device"));
}

/// Episodes count in the order in which they began, as on the host: under a policy that hardly learns their mean length is that of
/// the host's, within six of its standard errors, and not that of the short ones.
#[test]
fn episodes_are_counted_as_on_the_host() {
    let mean = |envs_on_device| {
        let config = Config { envs_on_device, envs: 512, lr: 0.0, n_epochs: 1, ..config("CartPole-v1") };
        let mut trainer = Trainer::new(&config).expect("a trainer");
        let row = std::iter::repeat_with(|| trainer.step().expect("an update").expect("not the end"))
            .find(|row| row.episodes > 20 * History::WINDOW as u64)
            .expect("episodes");
        row.episode_return_mean.expect("a mean")
    };
    let (on_device, on_host) = (mean(true), mean(false));
    // One deviation of an episode is some 12 steps, of the mean of 100 some 1.2, and of a difference 1.7.
    assert!((on_device - on_host).abs() < 10.0, "{on_device} and {on_host}");
}

#[test]
fn cart_pole_and_a_walk_are_learnt() {
    let config = Config { seed: 101, lr: 5e-3, n_epochs: 4, n_minibatches: 4, steps: 60_000, ..config("CartPole-v1") };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let mut best = f64::MIN;
    while let Some(row) = trainer.step().expect("an update") {
        best = best.max(row.episode_return_mean.unwrap_or(f64::MIN));
        if best > 150.0 {
            break;
        }
    }
    assert!(best > 150.0, "CartPole-v1: {best}");
    let config = Config { env: "GridWorld-4x4-v0".into(), steps: 40_000, ..config };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    while trainer.step().expect("an update").is_some() {}
    // 0.995 is the shortest way; at random it is less than 0.5.
    let mean = trainer.history().return_mean().expect("a mean");
    assert!(mean > 0.9, "GridWorld-4x4-v0: {mean}");
}

#[test]
fn what_has_no_form_on_a_device_is_refused_with_what_would_be_right() {
    let on_device = |text: &str| Config::from_toml(&format!("envs_on_device = true\n{text}"));
    for (text, problem, remedy) in [
        ("env = 'Taxi-v3'", "Taxi-v3 is stepped on the host only", "take one of CartPole-v1, "),
        ("env = 'Pendulum-v1 | action_repeat(4)'", "wrappers and stacked frames are of the host", "train without them"),
        ("frame_stack = 4", "wrappers and stacked frames are of the host", "train without them"),
        ("algo = 'reinforce'", "rollouts of whole episodes are made on the host", "take ppo"),
        ("algo = 'stream_ac'", "learns from rollouts that are made on the host", "take ppo"),
        ("algo = 'trpo'", "learns from rollouts that are made on the host", "take ppo"),
        ("algo = 'v_trace'", "of advantages only generalised advantage estimation", "take ppo"),
        ("algo = 'a2c(gae_lambda=0.9, estimator=upgo)'", "of advantages only generalised", "a2c with that and"),
        ("algo = 'a2c'", "of advantages only generalised advantage estimation", "a gae_lambda below 1"),
        ("algo = 'ppo(rpo_alpha=0.5)'\nenv = 'Pendulum-v1'", "the shifts of rpo_alpha", "set rpo_alpha = 0"),
        (
            "algo = 'ppo(recompute_advantages=true)'",
            "recompute_advantages asks on the host",
            "set recompute_advantages = false",
        ),
        ("model = 'gru'", "a network with a memory acts on the host", "set model = mlp"),
        ("env = 'Pendulum-v1'\ndistribution = 'gsde'", "gsde is drawn from on the host only", "take diag_gaussian"),
    ] {
        let message = on_device(text).expect_err(text).to_string();
        assert!(message.starts_with("envs_on_device = true is impossible: "), "{text}: {message}");
        assert!(
            message.contains(problem) && message.contains(remedy) && message.contains("leave "),
            "{text}: {message}"
        );
    }
    // All of them are told at once.
    let text = "algo = 'ppo(rpo_alpha=0.5, recompute_advantages=true)'\nenv = 'PendulumNoVelocity-v0 | time_aware'\nmodel = 'lstm'\n\
                distribution = 'gsde'";
    let message = on_device(text).expect_err("five reasons").to_string();
    for part in [
        "(1) the shifts of rpo_alpha are drawn on the host; set rpo_alpha = 0. (2) recompute_advantages",
        "(3) wrappers and",
        "(4) a network with a memory",
        "(5) gsde is drawn from on the host only; take diag_gaussian. ",
        "Or leave it out",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert!(message.starts_with("envs_on_device = true is impossible: (1) ") && message.len() < 600, "{message}");
    // A map whose observations fill no table is played on the host.
    let row = format!("\"{}\"", ".".repeat(95));
    let map = format!("[\"SG{}\", {}]", ".".repeat(93), vec![row; 94].join(", "));
    let message = Trainer::new(&on_device(&format!("env = 'GridWorld(map={map})'")).expect("a map")).err();
    let message = message.expect("too large a table").to_string();
    assert!(message.starts_with("envs_on_device = true is impossible: the observations"), "{message}");
    assert!(message.contains("would need 311 MiB") && message.ends_with("leave it out"), "{message}");
    let own = |lanes| -> uphill::Result<Box<dyn uphill::envs::VecEnv>> {
        Ok(Box::new(uphill::envs::Lanes::new(vec![
            uphill::envs::TimeLimit::new(uphill::envs::CartPole::new());
            lanes
        ])?))
    };
    let message = Trainer::with_envs(&config("CartPole-v1"), own).err().expect("own").to_string();
    assert!(message.contains("environments of one's own are made for the host"), "{message}");
    // A network of one's own tells what it is when it is made.
    let remembers = |spec: &uphill::envs::Spec, device: &_| -> uphill::Result<(_, Box<dyn Model>)> {
        let (params, network) = RecurrentModel::new(&GRU, spec, &RecurrentConfig::default(), Seed(1), device)?;
        Ok((params, Box::new(network)))
    };
    let message = Trainer::with_network(&config("CartPole-v1"), remembers).err().expect("a memory").to_string();
    assert!(message.contains("a network with a memory acts on the host; set model = mlp"), "{message}");
}

#[test]
fn passes_in_16_bits_learn_nearly_the_same_from_the_same_steps() {
    let trainer = |precision: Precision| {
        let optimizer = "sgd(lr=0.05)".parse().expect("a chain");
        let base = Config { n_epochs: 1, n_minibatches: 1, optimizer, ..config("CartPole-v1") };
        Trainer::new(&Config { precision, ..base }).expect("a trainer")
    };
    let way = |precision: Precision| -> Vec<f32> {
        let mut trainer = trainer(precision);
        let theta = |trainer: &Trainer| trainer.params().snapshot().expect("parameters");
        let before = theta(&trainer);
        trainer.step().expect("an update");
        theta(&trainer).iter().zip(before).map(|(after, before)| after - before).collect()
    };
    let length = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
    let (full, low) = (way(Precision::F32), way(Precision::Bf16));
    let apart: Vec<f32> = low.iter().zip(&full).map(|(low, full)| low - full).collect();
    assert!(length(&full) > 1e-4 && length(&apart) > 0.0, "it has an effect");
    assert!(length(&apart) < 0.03 * length(&full), "{} of {}", length(&apart), length(&full));

    // In f16 steps are skipped until the scale fits, each of which halves it, and leaves the parameters as they are.
    let mut trainer = trainer(Precision::F16);
    let (before, mut skipped) = (bits(&trainer), 0.0);
    while bits(&trainer) == before {
        let row = trainer.step().expect("an update").expect("not the end");
        let number = |name: &str| row.others.iter().find(|other| other.0 == name).expect(name).1;
        assert_eq!(number("loss_scale"), 65_536.0 / number("skipped_steps").exp2());
        skipped = number("skipped_steps");
    }
    assert!(skipped > 0.0 && skipped < 16.0, "{skipped}");
}
