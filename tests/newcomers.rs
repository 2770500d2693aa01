//! What somebody runs into who comes from another library or has rows of their own: each time the mistake is named, with
//! what would be right.

use std::fs;
use std::path::Path;
use std::process::Output;

use uphill::catalogue::{AnyRow, EnvRow, MakeEnv};
use uphill::envs::{CartPole, Lanes, TimeLimit};
use uphill::init::Initialiser;
use uphill::optim::{Chain, Make, Registry, Row, scale_by_learning_rate};
use uphill::words::{Kind, Param, Range};
use uphill::{Catalogue, Config, Error, Metrics, Policy, Result, RunFolder, Sink, Trainer, sink};

mod programs;

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    programs::example(program).current_dir(folder).args(arguments).output().expect("the program runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const fn env(name: &'static str, params: &'static [Param]) -> EnvRow {
    EnvRow { name, summary: "", params, make: MakeEnv::one(|_| Ok(uphill::envs::make("CartPole-v1")?)) }
}

const fn optimizer(name: &'static str, params: &'static [Param]) -> Row {
    let make = Make::Recipe(|a| Ok(Chain::new().then(scale_by_learning_rate(a.schedule("lr")?))));
    Row { name, summary: "", params, make }
}

fn refused(row: impl Into<AnyRow>) -> String {
    let catalogue = Catalogue::default().with(row);
    let error = Config::from_toml_with("steps = 100", &catalogue).expect_err("a row that cannot be");
    assert!(matches!(error, Error::Config(_)));
    error.to_string()
}

#[test]
fn a_mistake_in_a_row_is_found_when_the_catalogue_is_used_whatever_the_run_is() {
    const WIND: Param = Param::fixed("wind", Range::Share, "0.5", "how strong");
    for (row, problem) in [
        (env("Boat-v0", const { &[WIND, WIND] }), "the row of `Boat-v0`: argument `wind`: it is there twice"),
        (
            env("Boat-v0", const { &[WIND.or("2")] }),
            "argument `wind`: its default, 2, is impossible: it must lie in [0, 1]",
        ),
        (env("Boat-v0", const { &[WIND.or("[1")] }), "argument `wind`: its default, [1, is impossible: "),
        (
            env("Boat-v0", const { &[Param::fixed("wind speed", Range::Share, "0", "")] }),
            "argument `wind speed`: its name must be",
        ),
        (env("Boat-v0", const { &[Param::fixed("name", Range::Share, "0", "")] }), "and not `name`"),
        (
            env("Boat(v0)", &[]),
            "the row of `Boat(v0)`: its name must be 1 to 80 visible characters, without parentheses",
        ),
        (env("", &[]), "the row of ``: its name must be"),
    ] {
        let said = refused(row);
        assert!(said.contains(problem), "{said}");
    }
    let make = MakeEnv { one: None, many: None, model: None, returns: None, tensors: None };
    let none = EnvRow { make, ..env("Boat-v0", &[]) };
    assert!(refused(none).contains("it makes no environment"));
    let open: fn(&uphill::words::Args, &Path) -> Result<Box<dyn Sink>> = |_, _| Err(Error::Config("never".into()));
    let csv = sink::Row { name: "csv", summary: "", params: &[], make: sink::Make { file: "a.csv", open } };
    assert!(refused(csv).contains("the row of `csv`: every run has that sink"));

    let lr = const { &[Param::lr("-1")] };
    assert!(refused(optimizer("mine", lr)).contains("`lr`: its default, -1, is impossible: it must be finite and not"));
    assert!(refused(optimizer("my-own", &[])).contains("the row of `my-own`: its name must be letters, digits and _"));
    // A word of another kind is no other version of this one.
    for (name, kind) in [("cosine", "a schedule"), ("clip_by_value", "a link")] {
        let said = refused(optimizer(name, const { &[Param::lr("0.1")] }));
        let expected = format!("the row of `{name}`: it is an optimizer, and one that is {kind} has that name");
        assert!(said.starts_with(&expected), "{said}");
        let registry = Registry::default().with(optimizer(name, const { &[Param::lr("0.1")] }));
        assert!(registry.chain_with(&"adam".parse().expect("a spec"), &uphill::optim::Fallback::default()).is_err());
    }
    // One of the same kind is.
    let catalogue =
        Catalogue::default().with(optimizer("sgd", const { &[Param::lr("0.1")] })).with(env("CartPole-v1", &[WIND]));
    assert_eq!(Config::from_toml_with("optimizer = 'sgd'", &catalogue).expect("a configuration").lr, 0.1);
}

#[test]
fn an_error_of_a_sink_names_the_sink() {
    struct Full;
    impl Sink for Full {
        fn row(&mut self, _: &Metrics) -> Result<()> {
            Err(Error::Config("no room".into()))
        }
        fn sync(&mut self) -> Result<String> {
            Err(Error::Config("no room at all".into()))
        }
        fn resume(&mut self, mark: Option<&str>) -> Result<()> {
            if mark.is_none() { Ok(()) } else { Err(Error::Config("a mark".into())) }
        }
    }
    let home = tempfile::tempdir().expect("a folder");
    let config = Config { steps: 512, hidden: vec![4], ..Config::for_algo("ppo").expect("an algorithm") };
    let run = RunFolder::create(home.path(), &config, false).expect("a run");
    let mut run = run.with_sink("board", Box::new(Full)).expect("a sink");
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let metrics = trainer.step().expect("an update").expect("a row");
    assert_eq!(run.log(&metrics).expect_err("full").to_string(), "the sink `board`: no room");
    assert_eq!(run.save(&mut trainer).expect_err("full").to_string(), "the sink `board`: no room at all");
}

#[test]
fn a_setting_in_the_word_of_a_row_is_said_to_be_one() {
    for (word, expected) in [
        (
            "algo = 'ppo(lr=1e-3)'",
            "ppo has no argument `lr`: it is a setting of the run, lr = …, or an argument of the optimizer, such as adam(lr=…)",
        ),
        ("algo = 'ppo(hidden=[8])'", "ppo has no argument `hidden`: it is a setting of the run, hidden = …"),
        (
            "env = 'CartPole-v1(max_grad_norm=1)'",
            "CartPole-v1 has no argument `max_grad_norm`: it is a setting of the run, max_grad_norm = …",
        ),
    ] {
        assert_eq!(Config::from_toml(word).expect_err(word).to_string(), expected);
    }
}

#[test]
fn memory_that_is_small_is_said_in_a_unit_that_is_small() {
    let config = Config { max_memory: 1e-4, ..Config::for_algo("ppo").expect("an algorithm") };
    let said = Trainer::new(&config).map(drop).expect_err("too much").to_string();
    assert!(!said.contains(" 0.0 ") && said.contains(" MiB") && said.contains(" KiB"), "{said}");
}

#[test]
fn another_optimizer_than_that_of_the_file_has_its_own_learning_rate() {
    let home = tempfile::tempdir().expect("a folder");
    let short = ["--steps", "200", "--n-steps", "32", "--hidden", "4"];
    let train = |more: &[&str]| run(home.path(), "train", &[&short, more].concat());
    let lr = |folder: &str| {
        let text = fs::read_to_string(home.path().join(folder).join("config.toml")).expect("settings");
        let config = Config::from_toml(&text).expect("settings");
        (config.optimizer.to_string(), config.lr)
    };
    assert!(train(&["--out", "first", "--lr", "0.002"]).status.success());
    let other = train(&["--config", "first/config.toml", "--optimizer", "sgd", "--out", "other"]);
    assert!(other.status.success(), "{}", said(&other));
    assert_eq!(lr("other"), ("sgd".into(), Config::new("ppo", "sgd").expect("known").lr));
    assert!(said(&other).contains("lr: the optimizer's own"), "{}", said(&other));
    for (optimizer, more, expected) in [
        // Said on the line, it is that; of the same kind, it is what the file has.
        ("sgd", &["--lr", "0.5"][..], 0.5),
        ("adamw", &[], 0.002),
    ] {
        let arguments = ["--config", "first/config.toml", "--optimizer", optimizer, "--force", "--out", "more"];
        let output = train(&[&arguments, more].concat());
        assert!(output.status.success() && !said(&output).contains("lr:"), "{}", said(&output));
        assert_eq!(lr("more"), (optimizer.into(), expected));
    }
    // What the other one says by itself the file says no longer.
    let whole = ["--config", "first/config.toml", "--optimizer", "clip_by_value(1) | sgd(lr=0.1)", "--out", "whole"];
    let whole = train(&whole);
    assert!(whole.status.success(), "{}", said(&whole));
    // A file that names no optimizer means its rate for any.
    fs::write(home.path().join("rate.toml"), "lr = 0.003\n").expect("a file");
    assert!(train(&["--config", "rate.toml", "--optimizer", "sgd", "--out", "any"]).status.success());
    assert_eq!(lr("any"), ("sgd".into(), 0.003));
}

#[test]
fn training_in_which_no_episode_ends_says_so_once() {
    let home = tempfile::tempdir().expect("a folder");
    // A way along a cliff that nobody finds.
    let map = format!("[\"S{}G\", \"{}\"]", ".".repeat(30), "C".repeat(32));
    let env = format!("GridWorld(map={map}, max_episode_steps=inf)");
    let output = run(
        home.path(),
        "train",
        &["--env", &env, "--envs", "1", "--steps", "11000", "--n-steps", "500", "--hidden", "4", "--out", "run"],
    );
    let said = said(&output);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("no episode has ended in 10000 steps of each environment").count(), 1, "{said}");
    assert!(said.matches("  no episode ended yet").count() >= 10 && !said.contains("return -"), "{said}");
}

#[test]
fn a_policy_of_environments_made_in_code_says_what_loads_it() {
    let home = tempfile::tempdir().expect("a folder");
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    let config = Config { env: "ShortPole".into(), steps: 512, hidden: vec![4], ..ppo };
    let trainer = Trainer::with_envs(&config, |lanes| {
        let short = TimeLimit::with_limit(CartPole::new(), 50)?.named("ShortPole")?;
        Ok(Box::new(Lanes::new(vec![short; lanes])?))
    });
    let run = RunFolder::create(home.path(), &config, false).expect("a run");
    let mut trainer = trainer.expect("a trainer");
    while trainer.step().expect("an update").is_some() {}
    run.finish(trainer).expect("a summary");
    let said = Policy::load(home.path()).map(drop).expect_err("not known").to_string();
    for word in ["environment `ShortPole`", "`Catalogue`", "`Policy::load_with`", "`RunFolder::resume`"] {
        assert!(said.contains(word), "{said}");
    }
    let short = EnvRow {
        make: MakeEnv::one(|_| Ok(Box::new(TimeLimit::with_limit(CartPole::new(), 50)?.named("ShortPole")?))),
        ..env("ShortPole", &[])
    };
    Policy::load_with(home.path(), &Catalogue::default().with(short)).expect("as it says");
}

#[test]
fn a_row_may_have_arguments_of_every_kind() {
    const BOAT: EnvRow = EnvRow {
        name: "Boat-v0",
        summary: "",
        params: &[
            Param::counts("sails", (1, 9), "[2, 3]", "sails of each mast"),
            Param::text("flag", "white", "its colour"),
            Param::texts("crew", r#"["Ada", "Bo Li"]"#, "who is aboard"),
            Param::limit("crew_limit", 100, "inf", "how many may be aboard"),
        ],
        make: MakeEnv::one(|args| {
            let (sails, flag) = (args.counts("sails")?, args.text("flag")?);
            let (crew, limit) = (args.texts("crew")?, args.limit("crew_limit")?);
            Err(Error::Config(format!("{sails:?} {flag} {crew:?} {limit:?}")))
        }),
    };
    let catalogue = Catalogue::default().with(BOAT);
    catalogue.check().expect("a row that can be");
    let made = |env: &str| {
        let config = Config::from_toml_with(&format!("env = {env}"), &catalogue)?;
        config.make_envs(1).map(drop)
    };
    for (env, expected) in [
        ("'Boat-v0'", r#"[2, 3] white ["Ada", "Bo Li"] None"#),
        ("'Boat-v0([1], \"red\", [\"Cy\"], 3)'", r#"[1] red ["Cy"] Some(3)"#),
        (
            "{ name = 'Boat-v0', sails = [4], flag = 'dark blue', crew = ['Di', 'Ed'] }",
            r#"[4] dark blue ["Di", "Ed"] None"#,
        ),
        ("'Boat-v0(sails=[0])'", "sails = [0] is impossible: it must be whole numbers in brackets, each from 1 to 9"),
        ("'Boat-v0(crew=3)'", "crew = 3 is impossible: it must be texts in brackets"),
        ("'Boat-v0(crew_limit=0.5)'", "it must be a whole number from 1 to 100, or inf for none"),
        ("'Boat-v0(crew=[\"Di\", 3])'", "expected text in quotes at column"),
    ] {
        let said = made(env).expect_err(env).to_string();
        assert!(said.contains(expected), "{env}: {said}");
    }
    assert!(matches!(BOAT.params[0].kind, Kind::Counts(1, 9)));
}

#[test]
fn every_row_of_ours_is_one_that_may_be_added() {
    let ours = Catalogue::default();
    let sinks = ours.sinks().iter().filter(|row| row.name != "csv").copied();
    let rows = ours.envs().iter().copied().map(AnyRow::from);
    let rows = rows.chain(ours.wrappers().iter().copied().map(AnyRow::from));
    let rows = rows.chain(ours.models().iter().copied().map(AnyRow::from));
    let rows = rows.chain(ours.algos().iter().copied().map(AnyRow::from));
    let rows = rows.chain(ours.optim().rows().iter().copied().map(AnyRow::from)).chain(sinks.map(AnyRow::from));
    rows.fold(ours.clone(), Catalogue::with).check().expect("rows that can be");
}

#[test]
fn what_a_file_clips_goes_with_what_the_line_no_longer_scales() {
    let home = tempfile::tempdir().expect("a folder");
    let file =
        "algo = \"ppo\"\nsteps = 600\nenvs = 2\nhidden = [4]\nnormalize_observation = true\nclip_observation = 5.0\n";
    fs::write(home.path().join("run.toml"), file).expect("a file");
    let line = ["--config", "run.toml", "--normalize-observation", "false", "--out", "run", "--quiet"];
    let output = run(home.path(), "train", &line);
    assert!(output.status.success(), "{}", said(&output));
    let kept = fs::read_to_string(home.path().join("run/config.toml")).expect("a configuration");
    assert!(!kept.contains("clip_observation"), "{kept}");
    // In code, where nothing says what was said, a value of one's own is one that was meant.
    let config = Config { clip_reward: 5.0, ..Config::for_algo("ppo").expect("an algorithm") };
    let message = config.validate().expect_err("idle").to_string();
    assert!(message.contains("clip_reward has no effect: normalize_reward = false"), "{message}");
}

#[test]
fn a_run_whose_configuration_was_changed_says_so_and_is_not_given_up() {
    let home = tempfile::tempdir().expect("a folder");
    let config = Config { steps: 4_000, envs: 2, hidden: vec![4], ..Config::for_algo("ppo").expect("an algorithm") };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let mut folder = RunFolder::create(home.path(), &config, false).expect("a run");
    let metrics = trainer.step().expect("an update").expect("steps are left");
    folder.log(&metrics).expect("a row");
    folder.save(&mut trainer).expect("a checkpoint");
    drop(folder);
    let path = home.path().join("config.toml");
    let text = fs::read_to_string(&path).expect("a configuration");
    fs::write(&path, text.replace("gamma = 0.99", "gamma = 0.9")).expect("a file");
    let message = RunFolder::resume(home.path(), Trainer::new).err().expect("another run").to_string();
    assert!(message.contains("gamma is another than in the run's checkpoints: put it back as it was"), "{message}");
    fs::write(&path, text).expect("a file");
    assert!(RunFolder::resume(home.path(), Trainer::new).is_ok());
}

#[test]
fn a_flag_is_a_list_where_the_row_that_is_asked_for_has_one() {
    let home = tempfile::tempdir().expect("a folder");
    let small = ["--steps", "64", "--n-steps", "16", "--quiet", "--force", "--out", "run"];
    let world = ["--env", "GridWorld-4x4-v0", "--observation", "image", "--hidden", "4"];
    for (more, expected) in [
        (&["--model", "minatar_cnn", "--filters", "3"][..], "minatar_cnn(filters=3)"),
        (&["--model", "impala_cnn", "--filters", "[2]"], "impala_cnn(filters=[2])"),
        (&["--model", "impala_cnn", "--filters", "2,2"], "impala_cnn(filters=[2, 2])"),
        (&["--critic-hidden", "6"], "mlp(critic_hidden=[6])"),
        (&["--critic-hidden", "none"], "mlp(critic_hidden=[])"),
        (&["--critic-hidden", "hidden"], "mlp(critic_hidden=hidden)"),
    ] {
        let output = run(home.path(), "train", &[&small[..], &world, more].concat());
        assert!(output.status.success(), "{more:?}: {}", said(&output));
        let text = fs::read_to_string(home.path().join("run/config.toml")).expect("settings");
        assert_eq!(Config::from_toml(&text).expect("settings").model.to_string(), expected);
    }
}

#[test]
fn another_algorithm_or_network_than_that_of_the_file_takes_what_it_has() {
    let home = tempfile::tempdir().expect("a folder");
    let file = "algo = 'ppo(clip_range=0.1, gamma=0.9)'\nsteps = 200\nn_steps = 32\nn_epochs = 3\nhidden = [4]\nshared_trunk = true\n";
    fs::write(home.path().join("ppo.toml"), file).expect("a file");
    let lake = "env = 'FrozenLake-v1'\nis_slippery = false\nsteps = 200\nn_steps = 32\nhidden = [4]\n";
    fs::write(home.path().join("lake.toml"), lake).expect("a file");
    let train = |config: &str, more: &[&str]| {
        let output = run(home.path(), "train", &[&["--config", config, "--force", "--out", "run"], more].concat());
        assert!(output.status.success(), "{}", said(&output));
        let text = fs::read_to_string(home.path().join("run/config.toml")).expect("settings");
        (Config::from_toml(&text).expect("settings"), said(&output))
    };
    let (config, told) = train("ppo.toml", &["--algo", "a2c"]);
    assert_eq!((config.algo.to_string().as_str(), config.gamma, config.n_steps), ("a2c", 0.9, 32));
    assert!(told.contains("left out of the file, as a2c has no such argument: n_epochs\n"), "{told}");
    let (config, told) = train("ppo.toml", &["--algo", "ppo(n_epochs=2)"]);
    assert_eq!((config.n_epochs, config.clip_range, config.gamma), (2, 0.1.into(), 0.9));
    assert!(!told.contains("left out"), "{told}");
    let (config, told) = train("ppo.toml", &["--model", "gru"]);
    assert_eq!(config.model.to_string(), "gru");
    assert!(told.contains("left out of the file, as gru has no such argument: shared_trunk\n"), "{told}");
    let (config, told) = train("lake.toml", &["--env", "CartPole-v1"]);
    assert_eq!(config.env.to_string(), "CartPole-v1");
    assert!(told.contains("left out of the file, as CartPole-v1 has no such argument: is_slippery\n"), "{told}");
    let (config, told) = train("lake.toml", &["--env", "FrozenLake8x8-v1", "--quiet"]);
    assert_eq!(config.env.to_string(), "FrozenLake8x8-v1(is_slippery=false)");
    assert!(told.is_empty(), "{told}");
    // What no chosen row ever had is the file's mistake.
    fs::write(home.path().join("mixed.toml"), "algo = 'a2c'\nn_epochs = 3\n").expect("a file");
    let output = run(home.path(), "train", &["--config", "mixed.toml", "--algo", "reinforce"]);
    assert!(said(&output).starts_with("error: n_epochs = 3 has no effect on reinforce"), "{}", said(&output));
}

#[test]
fn the_defaults_of_an_algorithm_do_not_go_to_another_by_the_file_of_its_run() {
    let home = tempfile::tempdir().expect("a folder");
    let train = |more: &[&str]| {
        let output = run(home.path(), "train", &[&["--force", "--steps", "64", "--hidden", "6"], more].concat());
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let settings = |folder: &str| {
        let text = fs::read_to_string(home.path().join(folder).join("config.toml")).expect("settings");
        Config::from_toml(&text).expect("settings")
    };
    let names =
        "anneal_lr, envs, init, lr, max_grad_norm, model, normalize_observation, normalize_reward and optimizer";
    let names_of = |a: &str, b: &str| format!("left out of the file, as {a} has other defaults than {b}: {names}\n");
    for (own, other) in [("stream_ac", "dpo_drift"), ("dpo_drift", "stream_ac")] {
        train(&["--algo", own, "--out", own, "--n-steps", "8"]);
        let told = train(&["--config", &format!("{own}/config.toml"), "--algo", other, "--out", "other"]);
        let meant = Config { hidden: vec![6], n_steps: 8, steps: 64, ..Config::for_algo(other).expect("an algorithm") };
        assert_eq!(settings("other"), meant, "{told}");
        assert!(told.contains(&names_of(other, own)), "{told}");
    }
    // What was chosen stays, in the network's word or by itself.
    let chosen = "algo = 'stream_ac'\nmodel = 'mlp(layer_norm=true, init=xavier)'\nlr = 0.5\nenvs = 2\n";
    fs::write(home.path().join("chosen.toml"), chosen).expect("a file");
    let told = train(&["--config", "chosen.toml", "--algo", "a2c", "--out", "other"]);
    assert!(told.contains("left out of the file, as a2c has other defaults than stream_ac: model\n"), "{told}");
    let a2c = settings("other");
    assert_eq!((a2c.model.to_string().as_str(), a2c.init, a2c.lr, a2c.envs), ("mlp", Initialiser::Xavier, 0.5, 2));
}

#[test]
fn masks_are_refused_where_they_were_asked_for_and_nothing_is_illegal() {
    let home = tempfile::tempdir().expect("a folder");
    let short = ["--steps", "200", "--n-steps", "32", "--hidden", "4", "--quiet", "--force", "--out", "run"];
    let train = |more: &[&str]| run(home.path(), "train", &[&short, more].concat());
    let refused = "mask_actions = true has no effect: CartPole-v1 forbids no action; leave it out";
    assert!(said(&train(&["--mask-actions", "true"])).contains(refused));
    assert_eq!(Config::from_toml("mask_actions = true").expect_err("idle").to_string(), refused);
    assert!(train(&["--mask-actions", "true", "--env", "Taxi-v3"]).status.success());
    // What a run leaves begins another.
    for env in ["Taxi-v3", "CartPole-v1"] {
        assert!(train(&["--env", env]).status.success());
        fs::rename(home.path().join("run"), home.path().join(env)).expect("a folder");
        let again = train(&["--config", &format!("{env}/config.toml")]);
        assert!(again.status.success(), "{}", said(&again));
    }
    assert!(train(&["--mask-actions", "false", "--env", "Taxi-v3"]).status.success());
    let text = fs::read_to_string(home.path().join("run/config.toml")).expect("settings");
    assert!(!Config::from_toml(&text).expect("settings").mask_actions, "{text}");
}

#[test]
fn a_run_whose_configuration_was_changed_is_judged_with_a_note() {
    let home = tempfile::tempdir().expect("a folder");
    let short = ["--steps", "200", "--n-steps", "32", "--hidden", "4", "--quiet", "--out", "run"];
    let line = ["--env", "GridWorld", "--map", "S..", "..G", "--slip", "0.2"];
    assert!(run(home.path(), "train", &[&short[..], &line].concat()).status.success());
    let judged = || {
        let output = run(home.path(), "evaluate", &["run", "--episodes", "2"]);
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    assert_eq!(judged(), "");
    let path = home.path().join("run/config.toml");
    let text = fs::read_to_string(&path).expect("settings");
    fs::write(&path, text.replace("slip=0.2", "slip=0")).expect("a file");
    let expected = "run/config.toml: env is another than in the run's checkpoints: this is not what was trained\n";
    assert_eq!(judged(), expected);
    // How many threads there are changes nothing.
    fs::write(&path, text.replace("threads = 0", "threads = 1")).expect("a file");
    assert_eq!(judged(), "");
}

#[test]
fn lists_of_numbers_have_commas_or_blanks_between_them() {
    let home = tempfile::tempdir().expect("a folder");
    let short = ["--steps", "64", "--n-steps", "16", "--quiet", "--force", "--out", "run"];
    for (line, hidden, model) in [
        (&["--hidden", "8", "4"][..], vec![8, 4], "mlp"),
        (&["--hidden", "8,4"], vec![8, 4], "mlp"),
        (&["--hidden", "8", "--critic-hidden", "6", "3"], vec![8], "mlp(critic_hidden=[6, 3])"),
    ] {
        let output = run(home.path(), "train", &[&short[..], line].concat());
        assert!(output.status.success(), "{line:?}: {}", said(&output));
        let text = fs::read_to_string(home.path().join("run/config.toml")).expect("settings");
        let config = Config::from_toml(&text).expect("settings");
        assert_eq!((config.hidden, config.model.to_string()), (hidden, model.to_string()), "{line:?}");
    }
    let measure = ["--steps", "0", "--batches", "10", "--episodes", "1", "--out", "a.png"];
    for line in [
        &["--hidden", "4,4", "--n-steps", "1,5", "--gae-lambdas", "0,1"][..],
        &["--hidden", "4", "4", "--n-steps", "1", "5", "--gae-lambdas", "0", "1"],
        &["--hidden", "none", "--n-steps", "1", "--gae-lambdas", "0"],
    ] {
        let output = run(home.path(), "gradient_quality", &[&measure[..], line].concat());
        assert!(output.status.success(), "{line:?}: {}", said(&output));
    }
}

#[test]
fn a_file_of_a_run_is_not_its_folder() {
    let home = tempfile::tempdir().expect("a folder");
    let short = ["--steps", "64", "--n-steps", "16", "--hidden", "4", "--quiet", "--out", "run"];
    assert!(run(home.path(), "train", &short).status.success());
    for (program, line) in [
        ("evaluate", &["run/config.toml"][..]),
        ("evaluate", &["run/policy.safetensors", "--best"]),
        ("plot", &["run/metrics.csv"]),
        ("train", &["--resume", "run/config.toml"]),
    ] {
        let output = run(home.path(), program, line);
        let file = line.iter().find(|word| word.starts_with("run/")).expect("a file");
        assert_eq!(said(&output), format!("error: {file}: this is a file: give the folder of a run, run\n"));
    }
}

#[test]
fn judging_that_takes_long_is_announced() {
    let home = tempfile::tempdir().expect("a folder");
    // Too long a way to be found by chance.
    let way = format!(r#"GridWorld(map=["S{}G"], max_episode_steps=5_000)"#, ".".repeat(400));
    let slow = ["--env", &way, "--hidden", "128,128", "--steps", "64", "--n-steps", "16"];
    let output = run(home.path(), "train", &[&slow[..], &["--n-epochs", "1", "--out", "run"]].concat());
    assert!(output.status.success() && said(&output).contains("judging the policy\n"), "{}", said(&output));
    let output = run(home.path(), "evaluate", &["run"]);
    assert!(output.status.success() && said(&output).contains("judging the policy\n"), "{}", said(&output));
    let quick = ["--env", "Bandit-v0", "--hidden", "4", "--steps", "64", "--out", "quick"];
    assert!(!said(&run(home.path(), "train", &quick)).contains("judging"));
}

#[test]
fn a_run_in_an_environment_that_has_a_name_of_ours_goes_on() {
    const POLE: EnvRow = env("CartPole-v1", &[Param::count("poles", (1, 9), "1", "how many there are")]);
    let catalogue = Catalogue::default().with(POLE);
    let text = "env = 'CartPole-v1(poles=2)'\nalgo = 'a2c'\nenvs = 2\nhidden = [4]\nsteps = 60";
    let config = Config::from_toml_with(text, &catalogue).expect("settings");
    let home = tempfile::tempdir().expect("a folder");
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let mut folder = RunFolder::create(home.path(), &config, false).expect("a run");
    let step = |trainer: &mut Trainer, folder: &mut RunFolder| {
        let metrics = trainer.step().expect("an update").expect("steps are left");
        folder.log(&metrics).expect("a row");
        folder.save(trainer).expect("a checkpoint");
    };
    step(&mut trainer, &mut folder);
    drop(folder);
    let (mut folder, mut again, notes) = RunFolder::resume_with(home.path(), &catalogue).expect("the run goes on");
    assert_eq!((again.env_steps(), &notes[..]), (trainer.env_steps(), &[][..]));
    while !again.is_done() {
        step(&mut again, &mut folder);
        trainer.step().expect("an update");
    }
    drop(folder);
    assert_eq!(again.params().snapshot().expect("numbers"), trainer.params().snapshot().expect("numbers"));
    let (_, longer, _) = RunFolder::continue_with(home.path(), &catalogue, 40).expect("the run goes on");
    assert_eq!(longer.config().steps, 100);
}

#[test]
fn a_word_that_reads_as_a_number_is_refused_in_a_row() {
    let kind = Param::word("kind", &["plain", "nan"], "plain", "which it is");
    let said = refused(env("Words-v0", Box::leak(Box::new([kind]))));
    assert!(said.contains("its word nan is read as a number: call it otherwise"), "{said}");
}

#[test]
fn learning_from_whole_episodes_of_a_task_without_a_limit_is_said_to_wait_for_their_ends() {
    let note = |env: &str, algo: &str| {
        let config = Config { env: env.into(), hidden: vec![4], ..Config::for_algo(algo).expect("an algorithm") };
        let notes = Trainer::new(&config).expect("a trainer").take_notes();
        notes.iter().any(|note| note.contains("where none ends no update is made"))
    };
    let endless = "GridWorld(map=[\"S.G\"], max_episode_steps=inf)";
    assert!(note(endless, "reinforce") && !note(endless, "a2c") && !note("GridWorld-4x4-v0", "reinforce"));
}

#[test]
fn links_for_blocks_that_there_are_not_are_refused_before_there_is_a_run() {
    let home = tempfile::tempdir().expect("a folder");
    let of_trpo = r#"partition("actor.*", adam(lr=1e-3), "*", sgd(lr=1e-2))"#;
    let means_none = "means no block of ";
    for (algo, optimizer, why) in [
        ("ppo", r#"masked("actr.*", centralize) | adam"#, "the pattern `actr.*` means no block of "),
        ("ppo", r#"partition("actor.*", adam)"#, "partition: no pattern means the block critic.0.weight"),
        ("ppo", r#"scale_by_adam | add_decayed_weights(0.01, "bias") | scale_by_learning_rate(1e-3)"#, means_none),
        ("ppo", r#"accumulate(2, trac(adam | decay_weights(0.01, "actr.*")))"#, means_none),
        ("trpo", of_trpo, "the pattern `actor.*` means no block of critic.0.weight"),
    ] {
        let output =
            run(home.path(), "train", &["--algo", algo, "--optimizer", optimizer, "--steps", "100", "--out", "run"]);
        assert!(!output.status.success() && said(&output).contains(why), "{optimizer}: {}", said(&output));
        assert!(!home.path().join("run").exists(), "{optimizer}");
    }
    // Of several algorithms one alone has them: nothing is begun, either.
    let compare = ["--algos", "ppo", "trpo", "--tasks", "CartPole-v1", "--protocols", "defaults", "--seeds", "2"];
    let compare = [&compare[..], &["--steps", "600", "--optimizers", of_trpo, "adam", "--out", "comparison"]].concat();
    let output = run(home.path(), "compare_optimizers", &compare);
    assert!(!output.status.success() && said(&output).contains(means_none), "{}", said(&output));
    assert!(!home.path().join("comparison").exists());
    // What stands in one chain has its blocks whatever learning rates they have.
    let decayed = r#"scale_by_adam | add_decayed_weights(0.01, "actor.*") | scale_by_learning_rate(1e-3)"#;
    let at_rates = ["--critic-lr-factor", "2", "--steps", "100", "--quiet", "--optimizer"];
    let output = run(home.path(), "train", &[&at_rates[..], &[decayed, "--out", "rates"]].concat());
    assert!(output.status.success(), "{}", said(&output));
    let output =
        run(home.path(), "train", &[&at_rates[..], &[&decayed.replace("actor", "actr"), "--out", "none"]].concat());
    assert!(said(&output).contains(means_none), "{}", said(&output));
    // Roles need not be there, and what has blocks learns.
    let optimizer = r#"masked("matrices", centralize) | scale_by_adam | add_decayed_weights(0.01, "actor.*") | scale_by_learning_rate(1e-3)"#;
    let output = run(home.path(), "train", &["--optimizer", optimizer, "--steps", "100", "--out", "run", "--quiet"]);
    assert!(output.status.success(), "{}", said(&output));
}
