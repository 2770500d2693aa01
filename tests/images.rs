//! Environments that show images: kept as bytes, learnt from by every algorithm, saved, resumed and on any number of threads with
//! the same bits, and to the best policy that there is.

use uphill::envs::{Env, Space};
use uphill::rollout::ObservationKind;
use uphill::{Checkpoint, Collector, Config, Horizon, MakeEnvs, Overrides, Seed, Trainer, algo, oracle};

/// A small run of an algorithm with a model on a small world of images.
fn config(algo: &str, model: &str) -> Config {
    let text = format!(
        "algo = '{algo}'\nmodel = '{model}'\nenv = 'GridWorld-4x4-v0(observation=image)'\nsteps = 100_000\nthreads = 1"
    );
    let config = Config::from_toml(&text).expect("a configuration");
    match algo {
        "reinforce" | "rloo" => Config { envs: 4, episodes: 4, ..config },
        _ => Config { envs: 4, n_steps: 8, n_minibatches: config.n_minibatches.min(2), ..config },
    }
}

fn bits(trainer: &Trainer) -> Vec<u32> {
    trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect()
}

fn steps(trainer: &mut Trainer, count: usize) {
    for _ in 0..count {
        trainer.step().expect("an update").expect("steps are left");
    }
}

const SMALL: &str = "minatar_cnn(filters=3, hidden=[6])";

#[test]
fn every_algorithm_learns_and_goes_on_from_a_checkpoint_with_the_same_bits() {
    let of_all = algo::ROWS.iter().map(|row| (row.name, SMALL));
    let others = [
        ("ppo", "minatar_cnn(filters=3, hidden=[], shared_trunk=false)"),
        ("a2c", "impala_cnn(filters=[2], hidden=[4])"),
        ("ppo", "mlp(hidden=[5])"),
        ("a2c", "gru(hidden=[], units=4)"),
        ("ppo", "lstm(hidden=[], units=4)"),
    ];
    for (algo, model) in of_all.chain(others) {
        // A network that does not scale observations itself may have them normalised.
        let config = Config { normalize_observation: model.contains("lstm"), ..config(algo, model) };
        let mut trainer = Trainer::new(&config).unwrap_or_else(|e| panic!("{algo} with {model}: {e}"));
        let start = bits(&trainer);
        steps(&mut trainer, 2);
        let bytes = trainer.checkpoint().and_then(|checkpoint| checkpoint.to_bytes()).expect("bytes");
        let mut elsewhere = Trainer::resume(&Checkpoint::from_bytes(&bytes).expect("a file")).expect("a trainer");
        steps(&mut trainer, 2);
        steps(&mut elsewhere, 2);
        assert_eq!(bits(&trainer), bits(&elsewhere), "{algo} with {model}");
        let now = bits(&trainer);
        for block in trainer.params().layout().blocks() {
            // Without values to learn a critic stays as it was drawn.
            let learns = algo != "rloo" || !block.name.starts_with("critic.");
            let changed = now[block.range()] != start[block.range()];
            assert_eq!(changed, learns, "{algo} with {model}: {}", block.name);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let trained = |threads: usize| {
        let config = Config { envs: 70, n_minibatches: 1, threads, ..config("ppo", SMALL) };
        let mut trainer = Trainer::new(&config).expect("a trainer");
        steps(&mut trainer, 2);
        bits(&trainer)
    };
    let one = trained(1);
    assert_eq!(one, trained(2));
    assert_eq!(one, trained(3));
}

#[test]
fn a_rollout_keeps_images_in_a_byte_a_number() {
    let config = config("ppo", SMALL);
    let mut collector = Collector::new(config.make_envs(3).expect("environments"), Seed(1)).expect("a reset");
    let site = uphill::models::Site::new(collector.spec(), Seed(2));
    let (params, network) = config.make_model(&site).expect("a network");
    let (rollout, _) = collector.collect(&*network, &params, Horizon::Steps(5), true).expect("a rollout");
    assert_eq!((rollout.observation.kind(), rollout.observation.len()), (ObservationKind::Byte, 3 * 5 * 64));
    for place in 0..15 {
        // Where the walker is, one wall in each of two places, the goal, and two pits.
        let seen = rollout.observation_at(place);
        let plane = |channel: usize| seen.iter().skip(channel).step_by(4).sum::<f32>();
        assert_eq!([0, 1, 2, 3].map(plane), [1.0, 2.0, 1.0, 2.0]);
    }
    // What was kept gives the values that it gave.
    let mut values = Vec::new();
    let scratch = &mut uphill::Scratch::default();
    network.values(&params, &rollout.observation.all(), scratch, &mut values).expect("values");
    assert_eq!(rollout.value, values);
}

#[test]
fn memory_is_reckoned_by_bytes() {
    // A million steps of 64 numbers: 64 MiB of bytes, 256 MiB of numbers.
    let run = |observation: &str| {
        let env = format!("GridWorld(map=[\"S...\", \"....\", \"....\", \"...G\"], observation={observation})");
        let text = format!("algo = 'ppo'\nmodel = 'mlp(hidden=[4])'\nenv = '{env}'\nmax_memory = 0.15");
        let config = Config { envs: 4, n_steps: 1 << 18, steps: 1 << 30, ..Config::from_toml(&text).expect("a run") };
        Trainer::new(&config).map(drop)
    };
    run("image").expect("bytes fit");
    // As many numbers in four bytes do not, as a one-hot world of 64 cells has them.
    let cells = "........";
    let map = format!("[\"S.......\", {}, \".......G\"]", vec![format!("\"{cells}\""); 6].join(", "));
    let text = format!(
        "algo = 'ppo'\nmodel = 'mlp(hidden=[4])'\nenv = 'GridWorld(map={map})'\nmax_memory = 0.15\nenvs = 4\nn_steps = {}\nsteps = {}",
        1 << 18,
        1u64 << 30
    );
    let refused = Trainer::new(&Config::from_toml(&text).expect("a run")).map(drop).expect_err("numbers do not fit");
    assert!(refused.to_string().contains("max_memory"), "{refused}");
}

#[test]
fn rows_that_a_network_of_images_keeps_are_reckoned() {
    // 65,536 steps of 64 bytes are little; of each a minibatch keeps what 2 x 2 windows of 16 filters put out and 16 slopes, twice a network.
    let run = |n_minibatches: usize| {
        let env = "GridWorld-4x4-v0(observation=image)";
        let text = format!(
            "algo = 'ppo'\nmodel = 'minatar_cnn(hidden=[16])'\nenv = '{env}'\nmax_memory = 0.05\nn_minibatches = {n_minibatches}"
        );
        let config = Config { envs: 64, n_steps: 1 << 10, steps: 1 << 30, ..Config::from_toml(&text).expect("a run") };
        Trainer::new(&config).map(drop)
    };
    run(4).expect("quarters fit");
    let refused = run(1).expect_err("all at once does not fit").to_string();
    assert!(refused.contains("for a rollout of theirs"), "{refused}");
}

#[test]
fn a_normaliser_in_front_of_a_network_that_scales_is_refused() {
    // Also where another model stands between them.
    for normalize_value in [false, true] {
        let config = Config { normalize_observation: true, normalize_value, ..config("ppo", SMALL) };
        let said = Trainer::new(&config).map(drop).expect_err("scaled twice").to_string();
        assert!(said.contains("set normalize_observation = false"), "{said}");
    }
}

#[test]
fn a_convolutional_network_learns_the_best_policy_of_a_world_it_sees() {
    let env = "GridWorld-4x4-v0(observation=image)";
    let text = format!(
        "algo = 'ppo'\nmodel = 'minatar_cnn(filters=8, hidden=[16])'\nenv = '{env}'\nthreads = 1\nenvs = 8\n\
         n_steps = 32\nlr = 0.005\nent_coef = 0.02\nsteps = 10_000"
    );
    let config = Config::from_toml(&text).expect("a run");
    let mut trainer = Trainer::new(&config).expect("a trainer");
    while trainer.step().expect("an update").is_some() {}
    let theta = trainer.params().snapshot().expect("values");
    let (params, network) = config.model_at(trainer.spec(), &theta, trainer.params().buffers()).expect("the network");
    let mdp = config.model_of_env().expect("a model").expect("an exact one");
    let table = oracle::policy_table(&*network, &params, &mdp).expect("a policy");
    // The likeliest action of each state.
    let likeliest = table.chunks_exact(mdp.actions()).flat_map(|row| {
        let most = row.iter().copied().fold(0.0, f64::max);
        row.iter().map(move |&p| f64::from(u8::from(p == most)))
    });
    let (best, limit) = (oracle::optimal_return(&config).expect("an optimum"), 100);
    let found = mdp.start_value_within(&likeliest.collect::<Vec<_>>(), limit).expect("a return");
    assert!((found - best).abs() < 1e-6, "{found} of {best}");
    let drawn = mdp.start_value_within(&table, limit).expect("a return");
    assert!(drawn > best - 0.1, "{drawn} of {best}");
}

#[test]
fn frames_are_stacked_by_a_setting() {
    let stacked = |env: &str, k: usize| Config { env: env.into(), frame_stack: k, ..config("ppo", SMALL) };
    // Every way to the environments.
    let world = Config { frame_stack: 3, ..config("ppo", SMALL) };
    let space = Space::Image { height: 4, width: 4, channels: 12, max: 1 };
    let envs = world.make_envs(2).expect("environments");
    assert_eq!((envs.lanes(), &envs.spec().observation, envs.spec().max_episode_steps), (2, &space, Some(100)));
    assert_eq!(world.make_env().expect("an environment").spec().observation, space);
    let mut trainer = Trainer::new(&world).expect("a trainer");
    steps(&mut trainer, 1);
    let bytes = trainer.checkpoint().and_then(|checkpoint| checkpoint.to_bytes()).expect("bytes");
    let mut elsewhere = Trainer::resume(&Checkpoint::from_bytes(&bytes).expect("a file")).expect("a trainer");
    for trainer in [&mut trainer, &mut elsewhere] {
        steps(trainer, 2);
    }
    assert_eq!(bits(&trainer), bits(&elsewhere));
    trainer.into_policy().expect("a policy").evaluate(3, Seed(1)).expect("episodes");

    // Numbers of boxes; and it is written down.
    let carts = Config { model: "mlp".into(), ..stacked("CartPole-v1", 4) };
    assert_eq!(carts.make_envs(1).expect("a cart").spec().observation_len(), 16);
    let text = carts.to_toml().expect("a text");
    assert!(text.contains("frame_stack = 4"), "{text}");
    assert_eq!(Config::from_toml(&text).expect("a configuration").frame_stack, 4);

    for k in [0, 65] {
        let said = Trainer::new(&stacked("CartPole-v1", k)).map(drop).expect_err("no stack").to_string();
        assert_eq!(said, format!("frame_stack = {k} is impossible: it must be 1 to 64 observations"));
    }
    let own: MakeEnvs = std::sync::Arc::new(|lanes| Ok(uphill::envs::make_vec("CartPole-v1", lanes)?));
    let parts = Overrides { envs: Some(own), ..Overrides::default() };
    let said = Trainer::with(&carts, parts).map(drop).expect_err("environments of one's own").to_string();
    assert!(said.starts_with("frame_stack = 4 has no effect on environments of one's own: "), "{said}");
}
