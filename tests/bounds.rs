//! What a run may need: episodes that do not end, memory, files, and text of others in messages.
#![cfg(feature = "pictures")]

use std::io::Write;
use std::path::Path;

use allocation_counter::measure;
use candle_core::Device;
use uphill::benchmark::Grid;
use uphill::envs;
use uphill::init::Initialiser;
use uphill::optim::Registry;
use uphill::{Collector, Config, Error, Horizon, MlpModel, Policy, Seed, Trainer};

mod endless;
mod programs;

use endless::{Endless, endless};

#[test]
fn what_a_recurrent_network_keeps_of_each_step_is_reckoned() {
    let with = |model: &str, max_memory: f64| {
        let text = format!("algo = 'ppo'\nmodel = '{model}'\nenvs = 64\nn_steps = 4096\nmax_memory = {max_memory}");
        Trainer::new(&Config::from_toml(&text).expect("settings")).map(drop)
    };
    with("gru", 1.0).expect("enough");
    for model in ["gru", "lstm"] {
        // As much as a network without memory needs, and what it took when it was measured: 27 kB a step on tensors.
        assert!(with(model, 0.2).is_err(), "{model}");
    }
    assert!(with("lstm", 1.0).is_err());
    with("lstm", 4.0).expect("enough");
}

#[test]
fn whole_episodes_that_never_end_are_an_error_that_names_the_missing_limit() {
    let config = Config { max_memory: 0.002, ..endless("reinforce") };
    for (limit, said) in [
        (None, "the environment has no limit: set max_episode_steps (`TimeLimit::with_limit` in code)"),
        (Some(1_000_000_000), "its limit is 1000000000 steps: lower max_episode_steps"),
    ] {
        let mut trainer =
            Trainer::with_envs(&config, move |lanes| Endless::new(limit).lanes(lanes)).expect("a trainer");
        for _ in 0..2 {
            let mut outcome = None;
            let taken = measure(|| outcome = Some(trainer.step())).bytes_max;
            assert!(taken < 2 << 20, "{taken} bytes, of 0.002 GiB");
            let error = outcome.expect("one").expect_err("no end");
            let Error::Endless { steps, .. } = error else { panic!("{error}") };
            assert!((1_000..30_000).contains(&steps), "{steps}");
            assert!(error.to_string().contains(said) && error.to_string().starts_with("Endless-v0: "), "{error}");
            // All is as it was.
            assert_eq!(trainer.env_steps(), 0);
            assert!(trainer.checkpoint().is_ok());
        }
    }
    // Nor has a horizon of steps no bound.
    let env = Endless::new(None).lanes(2).expect("lanes");
    let (params, network) = MlpModel::new(env.spec(), &config.mlp(), Seed(1), &Device::Cpu).expect("a network");
    let mut collector = Collector::new(env, Seed(1)).expect("a reset");
    let refused = collector.collect(&network, &params, Horizon::Steps(usize::MAX), false).map(|_| ());
    assert!(matches!(refused, Err(Error::Config(_))), "{refused:?}");
}

#[test]
fn the_limit_of_a_spec_is_applied_where_no_time_limit_is() {
    let config = Config { n_steps: 16, n_minibatches: 2, ..endless("ppo") };
    let mut trainer = Trainer::with_envs(&config, |lanes| Endless::new(Some(5)).lanes(lanes)).expect("a trainer");
    let metrics = trainer.step().expect("an update").expect("more to do");
    assert_eq!((metrics.episodes, metrics.episode_length_mean), (6, Some(5.0)));
}

#[test]
fn what_a_run_needs_is_reckoned_before_it_starts() {
    let mut rows = vec![".".repeat(64); 64];
    rows[0].replace_range(..1, "S");
    rows[63].replace_range(63.., "G");
    let world = envs::GridWorldConfig {
        id: "wide".into(),
        map: rows.join("\n"),
        max_episode_steps: Some(500),
        ..envs::GridWorldConfig::default()
    };
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    let wide = Config { env: world.into(), envs: 65_536, n_steps: 256, ..ppo.clone() };
    let reinforce = Config::for_algo("reinforce").expect("an algorithm");
    for (config, expected) in [
        (wide.clone(), &["GiB, max_memory = 4 GiB", "65536 environments with 4096 numbers an observation"][..]),
        (Config { episodes: 65_536, env: wide.env, envs: 65_536, ..reinforce }, &["max_memory = 4 GiB"]),
        (Config { hidden: vec![8192, 8192], ..ppo.clone() }, &["GiB", "134340611 parameters", " allows it"]),
        (Config { max_memory: 1e-4, ..ppo.clone() }, &["max_memory = 0.0001 GiB"]),
    ] {
        let mut said = String::new();
        let peak = measure(|| said = Trainer::new(&config).map(|_| ()).expect_err("too much").to_string()).bytes_max;
        assert!(matches!(Trainer::new(&config), Err(Error::Config(_))));
        expected.iter().for_each(|expected| assert!(said.contains(expected), "{said}: {expected}"));
        assert!(peak < 8 << 20, "{peak} bytes to say {said}");
    }
    // What is said to hold it does, and not much less.
    for own in ["", "envs = 1024\nenvs_on_device = true\nn_minibatches = 1"] {
        let config =
            Config { max_memory: 1e-4, ..Config::from_toml(&format!("algo = 'ppo'\n{own}")).expect("settings") };
        let said = Trainer::new(&config).map(drop).expect_err("too much").to_string();
        assert_eq!(said.contains("for a rollout of theirs and its minibatches"), !own.is_empty(), "{said}");
        assert_eq!(said.contains("more `n_minibatches` do, "), !own.is_empty(), "{said}");
        let advised = said.split("and max_memory = ").nth(1).and_then(|rest| rest.split(' ').next());
        let advised: f64 = advised.and_then(|number| number.parse().ok()).expect("a number");
        let fits = |max_memory: f64| Config { max_memory, ..config.clone() };
        assert!(Trainer::new(&fits(0.98 * advised)).is_err(), "{said}");
        Trainer::new(&fits(advised)).map(drop).expect("room");
    }
    // What the optimizer keeps and works in counts, in its own layout.
    let of = |optimizer: &str| {
        let optimizer = optimizer.parse().expect("a spec");
        let init = Initialiser::Kaiming;
        Trainer::new(&Config { optimizer, init, hidden: vec![256, 256], max_memory: 0.03, ..ppo.clone() })
    };
    of("adam").map(|_| ()).expect("room for two numbers a parameter");
    of("partition(\"*.bias\", soap, \"*\", adam)").map(|_| ()).expect("room for vectors");
    for optimizer in ["soap", "shampoo", "lookahead(soap)", "partition(\"*.bias\", adam, \"*\", soap)"] {
        let said = of(optimizer).map(|_| ()).map_or_else(|e| e.to_string(), |()| "nothing".into());
        assert!(said.contains(" for the optimizer, "), "{optimizer}: {said}");
    }
    // So does what an algorithm keeps.
    for (algo, fits) in [("ppo", true), ("npg", false), ("trpo", false)] {
        let defaults = Config::for_algo(algo).expect("an algorithm");
        let config = Config { hidden: vec![512, 512], max_memory: 0.06, n_steps: 16, ..defaults };
        let said = Trainer::new(&config).map(drop).map_err(|error| error.to_string());
        let refused = said.as_ref().is_err_and(|said| said.contains("max_memory = 0.06 GiB"));
        assert!(if fits { said.is_ok() } else { refused }, "{algo}: {said:?}");
    }
    // Advised is what would help: many rollouts an update are never held together, nor has every algorithm all sizes.
    for (algo, sizes) in [
        ("ppo", "smaller `hidden` or `envs` or `n_steps` need less"),
        ("reinforce", "smaller `hidden` or `envs` need less"),
        ("stream_ac", "smaller `hidden` or `envs` need less"),
    ] {
        let config = Config { max_memory: 1e-4, ..Config::for_algo(algo).expect("an algorithm") };
        let said = Trainer::new(&config).map(drop).expect_err("too much").to_string();
        assert!(said.contains(sizes), "{algo}: {said}");
    }
    for memory in [0.0, -1.0, f64::NAN] {
        let refused = Config { max_memory: memory, ..ppo.clone() }.validate().expect_err("no memory").to_string();
        assert!(refused.starts_with("max_memory = "), "{refused}");
    }
    Config { max_memory: f64::INFINITY, ..ppo.clone() }.validate().expect("no limit");
    // An evaluation's lanes, too.
    let small = Config { max_memory: 0.01, hidden: vec![4], ..ppo.clone() };
    let mut policy = Trainer::new(&small).expect("a trainer").into_policy().expect("a policy");
    let refused = policy.evaluate(65_536, Seed(1)).expect_err("too many").to_string();
    assert!(refused.contains("65536 episodes side by side") && refused.contains("max_memory"), "{refused}");
    // What fits but takes long is said.
    let long = Config { init: Initialiser::Kaiming, hidden: vec![512, 512], n_steps: 4096, n_epochs: 100, ..ppo };
    let notes = Trainer::new(&long).expect("a trainer").take_notes();
    assert!(notes.len() == 1 && notes[0].contains("multiplications"), "{notes:?}");
    assert!(notes[0].ends_with("smaller `hidden` or `envs` or `n_steps` or `n_epochs` take less"), "{notes:?}");
    let a2c = Config::for_algo("a2c").expect("an algorithm");
    let notes = Trainer::new(&Config {
        init: Initialiser::Kaiming,
        hidden: vec![4096, 4096],
        n_steps: 512,
        max_memory: 9.0,
        ..a2c
    });
    let notes = notes.expect("a trainer").take_notes();
    assert!(notes.len() == 1 && notes[0].ends_with("smaller `hidden` or `envs` or `n_steps` take less"), "{notes:?}");
    let of = |optimizer: &str| {
        let optimizer = optimizer.parse().expect("a spec");
        let config =
            Config { optimizer, init: Initialiser::Kaiming, hidden: vec![512, 512], n_steps: 16, ..long.clone() };
        Trainer::new(&Config { n_epochs: 40, ..config }).expect("a trainer").take_notes().len()
    };
    let told = ["adam", "muon", "soap", "shampoo", "accumulate(1000, muon)"].map(of);
    assert_eq!(told, [0, 1, 1, 1, 0], "products of matrices count");
}

/// What is reckoned of environments on the device is what they come to there, which is the same memory here, and not what those of the host
/// do.
#[test]
fn environments_on_the_device_are_reckoned_by_what_they_need_there() {
    for text in [
        "env = 'CartPole-v1'\nenvs = 256\nn_minibatches = 1",
        "env = 'Pendulum-v1'\nenvs = 1024\nn_steps = 4\nn_minibatches = 2\nnormalize_observation = true",
        "env = 'FrozenLake8x8-v1'\nenvs = 128\nn_steps = 32\nn_minibatches = 32\nhidden = [8]",
        "env = 'GridWorld-4x4-v0(observation=image)'\nmodel = 'minatar_cnn(hidden=[16])'\nenvs = 64\nn_minibatches = 2",
    ] {
        let common =
            "algo = 'ppo'\nenvs_on_device = true\nn_epochs = 1\nthreads = 1\nsteps = 1_000_000\nmax_memory = 1";
        let common = if text.contains("n_steps") { common.into() } else { format!("{common}\nn_steps = 16") };
        let config = Config::from_toml(&format!("{common}\n{text}")).expect(text);
        let needed = measure(|| {
            let mut trainer = Trainer::new(&config).expect("room");
            trainer.step().expect("an update");
            trainer.checkpoint().expect("a state");
        });
        let gib = needed.bytes_max as f64 / (1u64 << 30) as f64;
        Trainer::new(&Config { max_memory: 3.5 * gib, ..config.clone() }).map(drop).expect(text);
        let refused = Trainer::new(&Config { max_memory: gib, ..config }).map(drop);
        let said =
            refused.map_or_else(|error| error.to_string(), |()| format!("{text}: not even {gib} GiB is reckoned"));
        assert!(said.contains(" for a rollout of theirs"), "{said}");
    }
}

#[test]
fn counts_have_a_ceiling() {
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    for (config, name) in [
        (
            Config { n_epochs: 10_001, ..ppo.clone() },
            "n_epochs = 10001 is impossible: it must be a whole number, from 1 to 10000",
        ),
        (Config { steps: Config::MAX_STEPS + 1, ..ppo.clone() }, "steps = 1000000000000001 is impossible: it must be"),
    ] {
        let said = config.validate().expect_err("too many").to_string();
        assert!(said.starts_with(name), "{said}");
    }
    Config { n_epochs: 10_000, steps: Config::MAX_STEPS, ..ppo }.validate().expect("the most");
}

/// What an attacker would have a terminal do, and more of it than anyone reads.
fn evil() -> String {
    format!("\u{1b}]0;owned\u{7}\u{202e}{}", "x".repeat(1_000_000))
}

#[test]
fn messages_quote_80_characters_without_what_a_terminal_would_obey() {
    let (evil, ppo) = (evil(), Config::for_algo("ppo").expect("an algorithm"));
    let toml = |text: &str| Config::from_toml(text).and_then(|config| config.make_envs(1)).map(|_| ());
    let quoted = toml::Value::String(evil[..900_000].to_string());
    let key = format!("\"{}\"", "\\u001b[31m".repeat(20_000));
    let spec =
        |text: &str| text.parse::<uphill::words::Spec>().and_then(|spec| Registry::default().chain(&spec)).map(|_| ());
    let run = |config: &str, metrics: &str, metric: &str| {
        let read = uphill::plot::RecordedRun::parse("run", config.as_bytes(), metrics.as_bytes(), metric);
        read.map(|_| ()).map_err(Error::from)
    };
    let good = "env = 'e'\nalgo = 'a'\noptimizer = 'o'\nseed = 1\n";
    let outcomes = [
        Config::for_algo(&evil).map(|_| ()),
        Config { env: evil.clone().into(), ..ppo.clone() }.validate(),
        Config { device: evil.clone(), ..ppo }.validate(),
        envs::make(&evil).map(|_| ()).map_err(Error::from),
        toml(&evil),
        toml(&format!("algo = {quoted}")),
        toml(&format!("activation = {quoted}")),
        toml(&format!("lr = {quoted}")),
        toml(&format!("optimizer = {quoted}")),
        toml(&format!("optimizer = {{ name = {quoted} }}")),
        toml(&format!("{key} = 1")),
        toml(&format!("[env]\nname = 'GridWorld'\nmap = 'S.G'\n{key} = 1")),
        toml(&format!("[env]\nname = 'GridWorld'\nmap = {quoted}")),
        toml(&format!("[gridworld]\nmap = 'S.G'\n{key} = 1")),
        toml(&format!("[gridworld]\nmap = 'S.G'\nid = {quoted}")),
        toml(&format!("[gridworld]\nmap = {quoted}")),
        toml(&format!("[gridworld]\nmap = 'S.G'\nslip = {quoted}")),
        Grid::from_toml(&format!("title = {quoted}\nseeds = {quoted}")).map(|_| ()),
        spec(&evil),
        spec(&"x".repeat(1_000_000)),
        spec(&format!("adam({}=1)", "x".repeat(1_000_000))),
        spec(&format!("adam(lr='{evil}')")),
        spec(&format!("clip_by_value(1, form='{evil}')")),
        run(good, &format!("env_steps,{evil}\n1,2\n"), "episode_return_mean"),
        run(good, &format!("env_steps,v\n1,{evil}\n"), "v"),
        run(good, "env_steps,v\n1,2\n", &evil),
        run(&evil, "env_steps,v\n1,2\n", "v"),
    ];
    for (i, outcome) in outcomes.into_iter().enumerate() {
        let said = outcome.map_or_else(|error| error.to_string(), |()| panic!("{i} is accepted"));
        assert!(said.chars().count() < 1_000, "{i}: {} characters: {}", said.len(), &said[..200]);
        let obeyed = said.chars().find(|&c| c != '\n' && c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
        assert_eq!(obeyed, None, "{i}: {said:?}");
    }
}

#[test]
fn files_have_a_largest_size() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("config.toml");
    let mut file = std::fs::File::create(&path).expect("a file");
    (0..100).for_each(|_| file.write_all(&vec![b'\n'; 1 << 20]).expect("room"));
    std::fs::write(home.path().join("metrics.csv"), "env_steps,episode_return_mean\n1,2\n").expect("a file");
    std::fs::write(home.path().join("policy.safetensors"), "").expect("a file");
    type Reading = fn(&Path) -> Option<String>;
    let readings: [Reading; 5] = [
        |home| Config::read_toml(&home.join("config.toml")).err().map(|e| e.to_string()),
        |home| Policy::load(home).err().map(|e| e.to_string()),
        |home| uphill::RunFolder::resume(home, Trainer::new).err().map(|e| e.to_string()),
        |home| uphill::plot::RecordedRun::read(home).err().map(|e| e.to_string()),
        |home| Grid::read(&home.join("config.toml")).err().map(|e| e.to_string()),
    ];
    for (i, reading) in readings.iter().enumerate() {
        let mut said = None;
        let peak = measure(|| said = reading(home.path())).bytes_max;
        let said = said.expect("too large");
        assert!(said.contains("8388608 bytes"), "{i}: {said}");
        assert!(peak < 32 << 20, "{i}: {peak} bytes");
    }
    assert!(Config::from_toml(&"\n".repeat(9 << 20)).is_err());
    #[cfg(unix)]
    for endless in ["/dev/zero", "/dev/full"] {
        let said = Config::read_toml(Path::new(endless)).expect_err("no end").to_string();
        assert!(said.contains("8388608 bytes"), "{said}");
    }
}

#[test]
fn a_policy_is_loaded_in_little_more_room_than_its_file() {
    let home = tempfile::tempdir().expect("a folder");
    let config = Config { hidden: vec![1024, 1024], ..Config::for_algo("ppo").expect("an algorithm") };
    std::fs::write(home.path().join("config.toml"), config.to_toml().expect("text")).expect("a file");
    let spec = config.make_envs(1).expect("an environment").spec().clone();
    let shape = uphill::MlpConfig { init: Initialiser::Kaiming, ..config.mlp() };
    let (params, network) = MlpModel::new(&spec, &shape, Seed(3), &Device::Cpu).expect("a network");
    let file = home.path().join("policy.safetensors");
    Policy::new(config, Box::new(network), params).save(&file).expect("a file");
    let size = file.metadata().expect("a file").len();
    let mut loaded = None;
    let peak = measure(|| loaded = Some(Policy::load(home.path()).expect("a policy"))).bytes_max;
    assert!(size > 8_000_000 && peak < 3 * size, "{peak} bytes for a file of {size}");
    drop(loaded);
    // A file that is larger than the network is not read.
    std::fs::File::options().append(true).open(&file).expect("a file").set_len(1 << 33).expect("a sparse file");
    let mut said = String::new();
    let peak = measure(|| said = Policy::load(home.path()).map(|_| ()).expect_err("too large").to_string()).bytes_max;
    assert!(said.contains("bytes that such a file may have") && peak < 1 << 20, "{peak} bytes: {said}");
}

fn train(home: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = programs::example("train").current_dir(home).args(arguments).output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_world_without_a_threshold_is_neither_solved_nor_not_yet() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("w.toml"), "map = 'S..G'\ngoal_reward = 10\n").expect("a file");
    std::fs::write(home.path().join("t.toml"), "map = 'S..G'\nreward_threshold = 0.5\n").expect("a file");
    std::fs::write(home.path().join("empty.toml"), "map = 'S..G'\nid = ''\n").expect("a file");
    std::fs::write(home.path().join("short.toml"), "map = 'S....G'\nmax_episode_steps = 4\n").expect("a file");
    let short = ["--steps", "600", "--hidden", "4", "--n-steps", "32"];
    let of = |world: &str, out: &str| train(home.path(), &[&["--env", world, "--out", out][..], &short].concat());
    let (code, results, said) = of("w.toml", "w");
    assert_eq!(code, Some(0), "{said}");
    assert!(!results.contains("solved") && results.contains("return"), "{results}");
    let summary = std::fs::read_to_string(home.path().join("w/summary.json")).expect("a summary");
    assert!(summary.contains("\"reward_threshold\": null") && summary.contains("\"updates\": 5"), "{summary}");
    assert!(of("t.toml", "t").1.contains("solved"));
    for (world, expected) in [("empty.toml", "id = \"\" is impossible"), ("short.toml", "takes 5 steps")] {
        let (code, _, said) = of(world, "none");
        assert!(code == Some(1) && said.contains(expected), "{said}");
        assert!(!home.path().join("none").exists());
    }
}

#[test]
fn a_run_that_diverged_and_went_on_says_how_often() {
    let home = tempfile::tempdir().expect("a folder");
    // Every other update of Adam's second moment leaves f32 at such a gradient, until nothing else is left.
    let arguments = "--env GridWorld-4x4-v0 --algo a2c --vf-coef 0 --ent-coef 1e25 --max-grad-norm inf --optimizer adam \
                     --steps 400 --out run";
    let (code, _, said) = train(home.path(), &arguments.split_whitespace().collect::<Vec<_>>());
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("error: update 1: ")
            && said.contains("the optimizer's state `")
            && said.contains("is not finite"),
        "{said}"
    );
    assert!(!said.contains("nothing is lost"), "{said}");
    let mut arguments = arguments.split_whitespace().collect::<Vec<_>>();
    arguments.extend(["--on-divergence", "skip", "--force"]);
    let steps = arguments.iter().position(|a| *a == "400").expect("steps");
    arguments[steps] = "200";
    let (code, results, said) = train(home.path(), &arguments);
    assert_eq!(code, Some(0), "{said}");
    assert!(results.contains("diverged in 5 of 5 updates, and went on each time"), "{results} {said}");
    let summary = std::fs::read_to_string(home.path().join("run/summary.json")).expect("a summary");
    assert!(summary.contains("\"divergences\": 5"), "{summary}");
}
