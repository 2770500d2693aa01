//! Settings: every one documented, and every impossible value refused with what would be right.

use std::collections::BTreeSet;

use uphill::algo::ROWS;
use uphill::optim::Registry;
use uphill::words::Spec;
use uphill::{Catalogue, Config, Error, Trainer};

fn ppo() -> Config {
    Config::for_algo("ppo").expect("an algorithm")
}

/// The names of all optimizers.
fn optimizers() -> Vec<String> {
    Registry::default().recipes().map(|row| row.name.to_string()).collect()
}

fn spec(text: &str) -> Spec {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The message with which a configuration is refused.
fn refused(config: &Config) -> String {
    let error = config.validate().expect_err("an impossible setting");
    assert!(matches!(error, Error::Config(_) | Error::Device(_)), "{error:?}");
    error.to_string()
}

fn toml_refused(text: &str) -> String {
    let error = Config::from_toml(text).expect_err(text);
    assert!(matches!(error, Error::Config(_) | Error::Device(_)), "{error:?}");
    error.to_string()
}

/// Every file of `configs/` is a run that could begin.
#[test]
fn the_configurations_that_are_shown_are_complete_and_right() {
    let files = std::fs::read_dir("configs").expect("a folder").map(|entry| entry.expect("an entry").path());
    let names: Vec<_> = files
        .map(|path| {
            let config = Config::from_table(Config::read_toml(&path).expect("TOML")).expect("a configuration");
            config.make_envs(1).expect("environments");
            config.env.word.name
        })
        .collect();
    assert!(names.len() >= 4 && names.iter().any(|name| name == "Pendulum-v1"), "{names:?}");
}

#[test]
fn every_field_is_a_documented_setting_and_every_setting_a_field() {
    let fields: BTreeSet<String> = toml::Table::try_from(ppo()).expect("a table").keys().cloned().collect();
    let settings = Config::SETTINGS.iter().map(|(name, _)| (*name).to_string());
    assert_eq!(fields, settings.collect());
    for (name, meaning) in Config::SETTINGS {
        assert!(meaning.trim().len() > 5 && meaning.trim().ends_with('.'), "{name}: {meaning}");
    }
}

#[test]
fn every_combination_of_algorithm_and_optimizer_has_possible_defaults() {
    for algo in ROWS {
        Config::for_algo(algo.name).expect("an algorithm").validate().expect("possible defaults");
        for optimizer in optimizers() {
            let config = Config::new(algo.name, &optimizer).expect("known names");
            config.validate().expect("possible defaults");
            assert_eq!((&*config.algo.name, &config.optimizer), (algo.name, &spec(&optimizer)));
            assert_eq!(Config::from_toml(&config.to_toml().expect("TOML")).expect("the same"), config);
        }
    }
}

#[test]
fn unknown_names_are_answered_with_the_nearest_known_one() {
    for (text, nearest) in [
        ("gama = 0.9", "no setting `gama`; did you mean `gamma`?"),
        ("n_step = 5", "no setting `n_step`; did you mean `n_steps`?"),
        ("learning_rate = 0.1", "no setting `learning_rate`"),
        ("grid_world = {}", "did you mean `env`?"),
        (
            "algo = 'reinforse'",
            "no algorithm `reinforse`; did you mean `reinforce`? (reinforce, rloo, a2c, ppo, ppo_kl, dpo_drift, v_trace, npg, trpo, stream_ac)",
        ),
        ("algo = 'ppo(clip_coef=0.1)'", "ppo has no argument `clip_coef`; did you mean `clip_range`?"),
        ("algo = 'ppo(n_epochs=2.5)'", "ppo: n_epochs = 2.5 is impossible: it must be a whole number, from 1 to 10000"),
        ("algo = 'ppo(n_epochs)'", "ppo: n_steps = n_epochs is impossible: it must be a whole number"),
        ("algo = 'ppo(gamma=fast)'", "ppo: gamma = fast is impossible: it must be a number"),
        ("algo = 'ppo(n_epochs=2, n_epochs=3)'", "ppo: n_epochs is given twice"),
        ("algo = 'ppo(n_epochs=2)'\nn_epochs = 3", "n_epochs is given twice: as an argument of ppo, and by itself"),
        ("algo = 'ppo(3'", "algo = `ppo(3`: expected `,` or `)` at column 6, found the end"),
        ("algo = { n_epochs = 3 }", "algo = { n_epochs = 3 } is impossible: it must be a name in quotes, or a table"),
        ("algo = 'ppo'\nkl_coef = 0.2", "kl_coef = 0.2 has no effect: it is an argument of ppo_kl, and the run has"),
        ("model = 'mlp(hidden=64)'", "mlp: hidden = 64 is impossible: it must be whole numbers in brackets"),
        (
            "model = 'mlp(activation=swish)'",
            "mlp: activation = swish is impossible: it must be tanh or relu or silu or gelu",
        ),
        ("model = 'cnn'", "there is no model `cnn`; there are mlp, mlp_layer_norm"),
        ("env = 'CartPole-v1(length=2)'", "CartPole-v1 has no argument `length`: it takes none"),
        ("env = 'Bandit-v0(arms=0)'", "Bandit-v0: arms = 0 is impossible: it must be a whole number, from 1 to 10000"),
        ("optimizer = 'adam(lr=1e-3)'\nlr = 0.1", "lr has no effect: optimizer = `adam(lr=0.001)` says its own lr"),
        ("optimizer = 'clip_by_value(1) | sgd'\nmax_grad_norm = 1", "max_grad_norm has no effect: optimizer ="),
        ("max_grad_norm = inf\nclip_grad_by = 'whole'", "clip_grad_by has no effect: max_grad_norm = inf"),
        ("algo = 'A2C'", "(reinforce, rloo, a2c, ppo, ppo_kl, dpo_drift, v_trace, npg, trpo, stream_ac)"),
        ("algo = ''", "algo = ``: expected a name"),
        ("optimizer = 'rmsprob'", "no optimizer `rmsprob`; did you mean `rmsprop`?"),
        ("optimizer = 'admaw'", "no optimizer `admaw`; did you mean `adamw`?"),
        ("activation = 'swish'", "`tanh`, `relu`, `silu`, `gelu`, `leaky_relu`, `identity`"),
        ("model = 'mlp(critic_hidden=wide)'", "it must be whole numbers in brackets, each from 1 to 65536, or hidden"),
        ("init = 'he'", "`orthogonal`, `xavier`, `kaiming`"),
        ("[gridworld]\nslipp = 0.1", "slipp"),
    ] {
        let message = toml_refused(text);
        assert!(message.contains(nearest), "{text}: {message}");
    }
    for (env, nearest) in
        [("Cartpole-v1", "CartPole-v1"), ("GridWorld-4x4-v1", "GridWorld-4x4-v0"), ("four", "FourRooms-v0")]
    {
        let error = Trainer::new(&Config { env: env.into(), ..ppo() }).err().expect("an unknown environment");
        assert!(matches!(error, Error::Env(_)), "{error:?}");
        let expected = format!("no environment is called `{env}`; did you mean `{nearest}`?");
        assert!(error.to_string().starts_with(&expected), "{error}");
    }
}

#[test]
fn values_of_the_wrong_type_are_refused_by_name() {
    for (text, setting) in [
        ("env = 1", "env = 1"),
        ("algo = 3", "algo = 3 is impossible: it must be a name in quotes"),
        (
            "optimizer = 3",
            "optimizer = 3 is impossible: it must be text in quotes, a table with a name, an array of those, or a table of blocks' names and those",
        ),
        ("optimizer = { name = 'adam', lr = 'fast' }", "adam: lr: there is no schedule `fast`"),
        ("envs = 2.5", "envs = 2.5"),
        ("envs = '4'", "envs = \"4\""),
        ("envs = -1", "envs = -1"),
        ("seed = -1", "seed = -1"),
        ("seed = 1.5", "seed = 1.5"),
        ("hidden = 64", "hidden = 64"),
        ("hidden = [64, -1]", "hidden = [64, -1]"),
        ("hidden = ['a']", "hidden = [\"a\"]"),
        ("baseline = 1", "baseline = 1"),
        ("anneal_lr = 'yes'", "anneal_lr = \"yes\""),
        ("lr = 'fast'", "lr = \"fast\""),
        ("lr = 1979-05-27", "lr = 1979-05-27"),
        ("gridworld = 1", "gridworld = 1"),
    ] {
        let message = toml_refused(text);
        assert!(message.starts_with(setting), "{text}: {message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
    for text in ["lr = ", "lr = 1\nlr = 2", "= 3", "[[gridworld"] {
        let message = toml_refused(text);
        assert!(message.contains("line ") && message.contains("column "), "{text}: {message}");
    }
    // A whole number where any number may stand is no mistake.
    assert_eq!(Config::from_toml("gamma = 1").expect("a whole number").gamma, 1.0);
}

/// A change of one setting that makes a configuration impossible.
type Spoil = fn(&mut Config);

#[test]
fn every_impossible_value_is_refused_with_what_would_be_right() {
    let cases: &[(Spoil, &str)] = &[
        (|c| c.seed = 1 << 63, "seed = 9223372036854775808 is impossible: it must be below 2^63"),
        (|c| c.device = "gpu".into(), "`gpu` is no device: use cpu"),
        (|c| c.device = "cuda:x".into(), "`cuda:x` is no device"),
        (|c| c.steps = 0, "steps = 0 is impossible: it must be at least 1"),
        (|c| c.steps = u64::MAX, "steps = 18446744073709551615 is impossible: it must be at most"),
        (|c| c.envs = 0, "envs = 0 is impossible: it must be at least 1"),
        (|c| c.n_steps = 0, "n_steps = 0 is impossible: it must be a whole number, from 1 to 16777216"),
        (|c| c.episodes = 0, "episodes = 0 has no effect on ppo"),
        (|c| c.n_epochs = 0, "n_epochs = 0 is impossible: it must be a whole number, from 1 to 10000"),
        (|c| c.n_minibatches = 0, "n_minibatches = 0 is impossible: it must be a whole number, from 1 to 16777216"),
        (|c| c.n_minibatches = 513, "n_minibatches = 513 is impossible: what it splits is envs * n_steps = 512 steps"),
        (|c| c.gamma = 2.0, "gamma = 2 is impossible: it must lie in [0, 1]"),
        (|c| c.gamma = -0.1, "gamma = -0.1 is impossible"),
        (|c| c.gamma = f64::NAN, "gamma = nan is impossible"),
        (|c| c.gae_lambda = 1.01, "gae_lambda = 1.01 is impossible: it must lie in [0, 1]"),
        (|c| c.clip_range = 0.0.into(), "clip_range = 0 is impossible: it must be above 0 (inf turns it off)"),
        (|c| c.clip_range_vf = -1.0, "clip_range_vf = -1 is impossible: it must be above 0"),
        (|c| c.target_kl = 0.0, "target_kl = 0 is impossible: it must be above 0"),
        (|c| c.max_grad_norm = f64::NAN, "max_grad_norm = NaN is impossible: it must be above 0"),
        (|c| c.ent_coef = f64::INFINITY.into(), "ent_coef = inf is impossible: it must be finite"),
        (|c| c.vf_coef = -0.5, "vf_coef = -0.5 is impossible: it must be finite and not negative"),
        (|c| c.lr = -1e-3, "lr = -0.001 is impossible: it must be finite and not negative"),
        (|c| c.lr = f64::INFINITY, "lr = inf is impossible"),
        (|c| c.lr = f64::NAN, "lr = NaN is impossible"),
        (
            |c| c.optimizer = spec("adam(eps=-1e-8)"),
            "adam: eps = -1e-8 is impossible: it must be finite and not negative",
        ),
        (|c| c.optimizer = spec("scale_by_adam"), "optimizer = `scale_by_adam` has no learning rate: end it with"),
        (|c| c.optimizer = spec("adan"), "there is no optimizer `adan`; did you mean `adam`?"),
        (
            |c| c.hidden = vec![64, 0],
            "hidden = [64, 0] is impossible: it must be whole numbers in brackets, each from 1 to 65536",
        ),
        (|c| c.hidden = vec![65_537], "hidden = [65537] is impossible: it must be whole numbers in brackets"),
    ];
    for (spoil, expected) in cases {
        let mut config = ppo();
        spoil(&mut config);
        let message = refused(&config);
        assert!(message.starts_with(expected), "{message}, expected {expected}");
        assert!(Trainer::new(&config).is_err(), "a trainer was made with {message}");
    }
}

#[test]
fn values_at_the_edge_are_possible() {
    let edge = Config {
        seed: (1 << 63) - 1,
        gamma: 0.0,
        lr: 0.0,
        ent_coef: (-1.0).into(),
        hidden: vec![],
        n_minibatches: 512,
        max_grad_norm: f64::INFINITY,
        ..ppo()
    };
    edge.validate().expect("possible settings");
    let config = Config {
        gamma: 1.0,
        optimizer: spec("adam(beta1=0)"),
        hidden: vec![1, 65_536],
        envs: 65_536,
        n_steps: 1,
        ..ppo()
    };
    config.validate().expect("possible settings");
    for gae_lambda in [0.0, 1.0] {
        Config { gae_lambda, ..ppo() }.validate().expect("a possible setting");
    }
}

#[test]
fn an_argument_is_said_in_its_word_in_a_table_or_by_itself() {
    let flat = "algo = 'ppo'\nn_epochs = 7\nhidden = [8]\nenv = 'Bandit-v0'\narms = 3";
    let words = "algo = 'ppo(n_epochs=7)'\nmodel = 'mlp(hidden=[8])'\nenv = 'Bandit-v0(arms=3)'";
    let places = "algo = 'ppo(128, 7)'\nmodel = 'mlp([8])'\nenv = 'Bandit-v0(3)'";
    let tables =
        "[algo]\nname = 'ppo'\nn_epochs = 7\n[model]\nname = 'mlp'\nhidden = [8]\n[env]\nname = 'Bandit-v0'\narms = 3";
    let [flat, words, places, tables] =
        [flat, words, places, tables].map(|text| Config::from_toml(text).expect(text).to_toml().expect("TOML"));
    assert_eq!(flat, words);
    assert_eq!(flat, tables);
    assert_eq!(flat, places);
    assert!(flat.contains("n_epochs = 7") && flat.contains("env = \"Bandit-v0(arms=3)\""), "{flat}");
    assert!(!flat.contains("episodes"), "what has no effect is not written: {flat}");
    // An argument that is no setting stays in its word.
    let kl = Config::from_toml("algo = 'ppo_kl'\nkl_coef = 0.5\nn_steps = 64").expect("settings");
    assert_eq!((kl.algo.to_string().as_str(), kl.n_steps), ("ppo_kl(kl_coef=0.5)", 64));
    assert_eq!(Config::from_toml(&kl.to_toml().expect("TOML")).expect("settings"), kl);
}

#[test]
fn a_name_that_two_chosen_rows_have_is_said_in_one_of_them() {
    use uphill::catalogue::{EnvRow, MakeEnv};
    const ROW: EnvRow = EnvRow {
        name: "CartPole-v1",
        summary: "one with an argument that an algorithm has, too",
        params: &[uphill::words::Param::fixed("kl_coef", uphill::words::Range::Finite, "0", "nothing")],
        make: MakeEnv::one(|_| Ok(uphill::envs::make("CartPole-v1")?)),
    };
    let catalogue = Catalogue::default().with(ROW);
    let text = "algo = 'ppo_kl'\nkl_coef = 0.2";
    let error = Config::from_toml_with(text, &catalogue).expect_err("two have it").to_string();
    assert!(error.starts_with("kl_coef is an argument of ppo_kl and CartPole-v1"), "{error}");
    let said = Config::from_toml_with("algo = 'ppo_kl(kl_coef=0.2)'", &catalogue).expect("one of them");
    assert_eq!(said.algo.to_string(), "ppo_kl(kl_coef=0.2)");
}

#[test]
fn episodes_are_shared_out_evenly() {
    let reinforce = Config::for_algo("reinforce").expect("an algorithm");
    let message = refused(&Config { episodes: 6, envs: 4, ..reinforce.clone() });
    assert_eq!(message, "episodes = 6 is impossible: it must be a multiple of envs, which is 4");
    Config { episodes: 12, envs: 4, ..reinforce }.validate().expect("3 each");
}

#[test]
fn settings_of_another_algorithm_are_refused() {
    let a2c = Config::for_algo("a2c").expect("an algorithm");
    for (config, expected) in [
        (
            Config { n_epochs: 10, ..a2c.clone() },
            "n_epochs = 10 has no effect on a2c: it is a setting of ppo, ppo_kl, dpo_drift, v_trace, npg and trpo; leave it out, or leave it at 1",
        ),
        (
            Config { episodes: 6, ..ppo() },
            "episodes = 6 has no effect on ppo: it is a setting of reinforce and rloo; leave it out, or leave it at 8",
        ),
        (
            Config { n_steps: 7, ..Config::for_algo("reinforce").expect("known") },
            "n_steps = 7 has no effect on reinforce: it is a setting of a2c, ppo, ppo_kl, dpo_drift, v_trace, npg, trpo and stream_ac; leave it out, or leave it at 128",
        ),
        (
            Config { algo: "a2c".into(), ..ppo() },
            "clip_range_vf = 0.2 has no effect on a2c: it is a setting of ppo, ppo_kl and dpo_drift; leave it out, or leave it at inf",
        ),
    ] {
        assert_eq!(refused(&config), expected);
    }
    Config { n_epochs: 1, ..a2c }.validate().expect("so it is");
    let error = Config::from_toml("algo = 'a2c'\nn_epochs = 10").expect_err("no effect").to_string();
    assert!(error.starts_with("n_epochs = 10 has no effect on a2c"), "{error}");
}

#[test]
fn absurd_sizes_are_errors_before_anything_is_allocated() {
    let huge = usize::MAX;
    for (config, expected) in [
        (Config { envs: 1_000_000_000_000, ..ppo() }, "envs = 1000000000000 is impossible: it must be at most 65536"),
        (Config { envs: huge, ..ppo() }, "envs = "),
        (Config { n_steps: huge, ..ppo() }, "n_steps = "),
        (Config { envs: 65_536, n_steps: 16_777_216, ..ppo() }, "n_steps = 16777216 is impossible: envs * n_steps"),
        (Config { episodes: huge, ..Config::for_algo("reinforce").expect("known") }, "episodes = "),
        (Config { n_minibatches: huge, ..Config::for_algo("reinforce").expect("known") }, "n_minibatches = "),
        (Config { n_epochs: huge, ..ppo() }, "n_epochs = "),
        (Config { hidden: vec![65_536; 100], ..ppo() }, "hidden = 100 layers with 425201762304 weights"),
        (Config { hidden: vec![65_536; 2], ..ppo() }, "hidden = 2 layers with 4294967296 weights"),
        (Config { hidden: vec![1; 100_000], ..ppo() }, "hidden = 100000 layers"),
    ] {
        let message = refused(&config);
        assert!(message.starts_with(expected), "{message}, expected {expected}");
        assert!(Trainer::new(&config).is_err());
    }
    for text in ["seed = 9223372036854775808", "envs = 99999999999999999999", "steps = 1e400"] {
        toml_refused(text);
    }
    assert!(refused(&Config { seed: u64::MAX, ..ppo() }).starts_with("seed = "));
}

#[test]
fn a_file_lies_over_the_defaults_of_what_it_names() {
    assert_eq!(Config::from_toml("").expect("nothing"), ppo());
    let a2c = Config::from_toml("algo = 'a2c'\nenvs = 16").expect("settings");
    assert_eq!(a2c, Config { envs: 16, ..Config::for_algo("a2c").expect("an algorithm") });
    assert_eq!((a2c.optimizer, a2c.lr), (spec("rmsprop(eps=1e-5)"), 7e-4));

    // An optimizer that is not the algorithm's own brings its own learning rate, unless one is given.
    let lr = |text: &str| Config::from_toml(text).expect(text).lr;
    let own = |name: &str| Registry::default().row(name).expect("an optimizer").default_lr().expect("a rate");
    assert_eq!(lr("algo = 'a2c'\noptimizer = 'rmsprop'"), 7e-4);
    assert_eq!(lr("algo = 'a2c'\noptimizer = 'adam'"), own("adam"));
    assert_eq!(lr("optimizer = 'sgd'"), own("sgd"));
    assert_ne!(lr("optimizer = 'sgd'"), ppo().lr);
    assert_eq!(lr("optimizer = 'sgd'\nlr = 0.3"), 0.3);
    assert_eq!(lr("lr = 0.3\noptimizer = 'sgd'"), 0.3);
    let reinforce = Config::for_algo("reinforce").expect("an algorithm").lr;
    assert_eq!(lr("algo = 'reinforce'\noptimizer = 'adamw'"), reinforce, "adamw is adam's kin");
    assert_eq!(lr("algo = 'reinforce'"), reinforce);
    assert_eq!(lr("optimizer = 'clip_by_value(1) | lookahead(momentum)'"), own("momentum"));
    assert_eq!(lr("optimizer = 'clip_by_value(1) | lookahead(adam(eps=1e-3))'"), ppo().lr);
}

#[test]
fn an_optimizer_is_text_a_table_or_an_array() {
    let optimizer = |text: &str| Config::from_toml(text).expect(text).optimizer;
    let expected = spec("clip_by_value(max_value=1) | adam(lr=1e-3)");
    assert_eq!(optimizer("optimizer = 'clip_by_value(max_value=1) | adam(lr=1e-3)'"), expected);
    assert_eq!(optimizer("optimizer = [{ name = 'clip_by_value', max_value = 1 }, 'adam(lr=1e-3)']"), expected);
    assert_eq!(
        optimizer("[[optimizer]]\nname = 'clip_by_value'\nmax_value = 1\n[[optimizer]]\nname = 'adam'\nlr = 1e-3"),
        expected
    );
    let message = toml_refused("beta1 = 0.8");
    assert!(message.contains("no setting `beta1`: it goes into the optimizer, adam(beta1=0.8)"), "{message}");
}

#[test]
fn a_trainer_tells_the_optimizer_how_it_goes() {
    // A rise of a million would be needed for the learning rate to stay.
    let optimizer = spec("adam(lr=plateau(0.8, factor=0.5, patience=0, threshold=1e6))");
    let mut trainer = Trainer::new(&Config { optimizer, steps: 9_000, hidden: vec![4], ..ppo() }).expect("a trainer");
    let mut rates = Vec::new();
    let mut first_told = None;
    while let Some(metrics) = trainer.step().expect("an update") {
        rates.extend(metrics.lr);
        // It is told the mean of 100 episodes, once there are as many.
        first_told = first_told.or(trainer.history().return_mean_of_100().map(|_| rates.len()));
    }
    let told = first_told.expect("100 episodes");
    assert!(told > 1, "not after the first update");
    assert!(rates[..=told].iter().all(|&rate| rate == 0.8), "{rates:?}");
    assert_eq!(rates[told + 1..told + 3], [0.4, 0.2]);
}

#[test]
fn random_numbers_of_an_optimizer_come_from_the_runs_seed() {
    let trained = |optimizer: &str, seed: u64| {
        let config = Config { optimizer: spec(optimizer), seed, ..ppo() };
        let mut learner = config.make_optimizer().expect("an optimizer");
        let mut layout = uphill::Layout::default();
        layout.push("w", &[3]);
        let mut params = uphill::Params::new(layout, vec![0.0; 3], &candle_core::Device::Cpu).expect("parameters");
        learner.step(&mut params, &[0.0; 3], Default::default()).expect("a step");
        params.snapshot().expect("values")
    };
    let noisy = "add_noise | sgd(lr=1)";
    assert_eq!(trained(noisy, 1), trained(noisy, 1));
    assert_ne!(trained(noisy, 1), trained(noisy, 2));
    let own = "add_noise(seed=3) | sgd(lr=1)";
    assert_eq!(trained(own, 1), trained(own, 2));
}

#[test]
fn a_word_of_ones_own_is_known_where_its_registry_is() {
    use uphill::optim::{Chain, Make, Row, When, scale_by_learning_rate};
    use uphill::words::Param;
    const ROW: Row = Row {
        name: "downhill",
        summary: "sgd by another name",
        params: &[Param::lr("0.25")],
        make: Make::Recipe(|a| Ok(Chain::new().then(scale_by_learning_rate(a.schedule("lr")?)))),
    };
    let catalogue = Catalogue::default().with(ROW);
    let table: toml::Table = "optimizer = 'downhill'\nsteps = 2000\nhidden = [4]".parse().expect("TOML");
    let config = Config::from_table_with(table, &catalogue).expect("settings");
    assert_eq!(config.lr, 0.25);
    let without = Config { catalogue: Catalogue::default(), ..config.clone() };
    assert!(refused(&without).contains("no optimizer `downhill`"));
    assert!(Trainer::new(&without).is_err());
    let mut trainer = Trainer::new(&config).expect("a trainer");
    assert_eq!(trainer.optimizer().learning_rate(When::default()), Some(0.25));
    // Its policy can be used without it.
    let home = tempfile::tempdir().expect("a folder");
    let mut run = uphill::RunFolder::create(home.path(), &config, false).expect("a run");
    while let Some(metrics) = trainer.step().expect("an update") {
        run.log(&metrics).expect("a row");
    }
    run.finish(trainer).expect("a summary");
    uphill::Policy::load(home.path()).expect("a policy");
}
