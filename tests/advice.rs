//! Advice is followed as it is given: what a message says to write instead is taken.

use std::fs;
use std::path::Path;
use std::process::Output;

use uphill::benchmark::Grid;
use uphill::{Catalogue, Config, distributions, names};

mod programs;

/// What is between two texts, if the message has both.
fn between<'a>(message: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

fn listed(names: &str) -> Vec<&str> {
    names.split([',', ' ']).filter(|name| !name.is_empty() && *name != "and" && *name != "or").collect()
}

/// A setting as a file has it by default.
fn default_of(setting: &str) -> String {
    let text = Config::for_algo("ppo").and_then(|config| toml::Table::try_from(config).map_err(|_| unreachable!()));
    text.expect("settings").get(setting).expect("a setting").to_string()
}

/// Reads settings, and where they are refused sets what the message says to set, or leaves out what it says to leave out.
fn reads(text: &str) -> Result<(), String> {
    let Err(message) = Config::from_toml(text) else { return Ok(()) };
    let message = message.to_string();
    let set = message.split_once(", or set ").map(|(_, remedy)| format!("{remedy}\n{text}"));
    let left_out =
        message.split_once(" has no effect: ").filter(|_| message.ends_with("; leave it out")).map(|(name, _)| {
            let is_other = |line: &&str| !line.starts_with(&format!("{name} = "));
            text.lines().filter(is_other).collect::<Vec<_>>().join("\n")
        });
    match set.or(left_out) {
        Some(text) => Config::from_toml(&text).map(drop).map_err(|e| format!("{message}: {e}")),
        None => Err(message),
    }
}

const WORDS: [&str; 6] = ["env", "model", "distribution", "algo", "optimizer", "sinks"];

#[test]
fn a_setting_in_a_row_that_lacks_it_is_sent_where_it_is_taken() {
    let catalogue = Catalogue::default();
    let algos = catalogue.algos().iter().map(|row| ("algo", row.name));
    let rows = algos.chain(catalogue.models().iter().map(|row| ("model", row.name)));
    let (mut sent, mut told) = (0, 0);
    for (word, row) in rows {
        for (setting, _) in Config::SETTINGS.iter().filter(|(name, _)| !WORDS.contains(name)) {
            let value = default_of(setting);
            let Err(message) = Config::from_toml(&format!("{word} = '{row}({setting}={})'", value.replace('"', "")))
            else {
                continue;
            };
            let message = message.to_string();
            if message.contains("it is a setting of the run") {
                sent += 1;
                assert!(message.contains(&format!("{setting} = …")), "{message}");
                let text = format!("{setting} = {value}\n{word} = '{row}'");
                // Whether actions are forbidden is the environment's.
                let text = if *setting == "mask_actions" { format!("env = 'Taxi-v3'\n{text}") } else { text };
                assert_eq!(reads(&text), Ok(()), "{message}");
            } else if let Some(others) = between(&message, "it is an argument of ", ";") {
                told += 1;
                for other in listed(others) {
                    let word = if catalogue.algo(other).is_ok() { "algo" } else { "model" };
                    let text = format!("{word} = '{other}({setting}={})'", value.replace('"', ""));
                    assert_eq!(reads(&text), Ok(()), "{message}");
                }
            } else {
                panic!("{word} = {row}({setting}): {message}");
            }
        }
    }
    assert!(sent > 50 && told > 10, "{sent} {told}");
    let of_model = Config::from_toml("algo = 'ppo(hidden=[8])'\nmodel = 'mlp'").expect_err("a setting").to_string();
    assert_eq!(of_model, "ppo has no argument `hidden`: it is a setting of the run, hidden = …");
    let lr = Config::from_toml("algo = 'ppo(lr=0.1)'").expect_err("a setting").to_string();
    assert!(lr.ends_with("or an argument of the optimizer, such as adam(lr=…)"), "{lr}");
}

#[test]
fn a_name_of_another_library_is_sent_to_what_the_run_has() {
    let mut meant = 0;
    for algo in Catalogue::default().algos() {
        for (theirs, _) in names::table() {
            let Err(message) = Config::from_toml(&format!("algo = '{}'\n{theirs} = 1", algo.name)) else { continue };
            let message = message.to_string();
            let Some(ours) = between(&message, "did you mean `", "`") else { continue };
            let is_own = Config::SETTINGS.iter().any(|(name, _)| *name == ours);
            if is_own && !WORDS.contains(&ours) && ours != "mask_actions" {
                meant += 1;
                let text = format!("{ours} = {}\nalgo = '{}'", default_of(ours), algo.name);
                assert_eq!(reads(&text), Ok(()), "{} {theirs}: {message}", algo.name);
            }
        }
    }
    assert!(meant > 500, "{meant}");
}

#[test]
fn a_distribution_that_does_not_fit_names_those_that_do() {
    let mut refused = 0;
    for env in ["CartPole-v1", "Pendulum-v1", "Taxi-v3", "Bandit-v0"] {
        let config = |distribution: &str| Config {
            env: env.into(),
            distribution: distribution.into(),
            ..Config::for_algo("ppo").expect("an algorithm")
        };
        let spec = config("auto").make_envs(1).expect("an environment").spec().clone();
        let rows = distributions::ROWS.iter().map(|row| row.name.to_string());
        let with_arguments = ["log_std_init=-1", "sde_sample_freq=4", "state_dependent_std=true"];
        for word in rows.chain(with_arguments.map(|argument| format!("auto({argument})"))) {
            let Err(message) = config(&word).make_distribution(&spec) else { continue };
            let message = message.to_string();
            refused += 1;
            assert!(message.contains(" take ") || message.contains("leave that out"), "{message}");
            let arguments = word.strip_prefix("auto").unwrap_or_default();
            if let Some((_, fitting)) = message.split_once(" take ") {
                for other in listed(fitting) {
                    let other = format!("{other}{arguments}");
                    assert!(config(&other).make_distribution(&spec).is_ok(), "{env} {word}: {message}");
                }
            }
        }
    }
    assert!(refused > 10, "{refused}");
}

fn run(folder: &Path, line: &[&str]) -> Output {
    let (program, arguments) = line.split_first().expect("a command");
    programs::example("uphill").arg(program).args(arguments).current_dir(folder).output().expect("the program runs")
}

#[test]
fn each_command_says_what_it_takes_itself() {
    let home = tempfile::tempdir().expect("a folder");
    let short = ["--steps", "64", "--n-steps", "16", "--quiet", "--force", "--out", "run"];
    let quick = ["--steps", "0", "--batches", "10", "--episodes", "2", "--out", "a.png"];
    for (command, rest, mistake, expected, remedy) in [
        (
            "train",
            &short[..],
            ["--algo", "ppo(hidden=[8])"],
            "ppo has no argument `hidden`: it is a setting of the run, --hidden or hidden = …",
            &["--hidden", "8"][..],
        ),
        (
            "train",
            &short[..],
            ["--algo", "a2c(clip_range=0.1)"],
            "a2c has no argument `clip_range`: it is an argument of ppo; leave it out, or choose what has it",
            &["--algo", "ppo(clip_range=0.1)"],
        ),
        (
            "train",
            &short[..],
            ["--sde-sample-freq", "4"],
            "it is categorical, which has no argument `sde_sample_freq`; leave that out",
            &[],
        ),
        (
            "gradient",
            &quick[..],
            ["--algo", "ppo(hidden=[8])"],
            "ppo has no argument `hidden`: it is a flag of its own, --hidden",
            &["--hidden", "4"],
        ),
        (
            "gradient",
            &quick[..],
            ["--algo", "ppo(normalize_value=true)"],
            "ppo has no argument `normalize_value`: it is a setting of a run, which `train` takes and this does not; leave it out",
            &["--algo", "ppo", "--hidden", "4"],
        ),
    ] {
        let with = |more: &[&str]| run(home.path(), &[&[command], rest, more].concat());
        let said = String::from_utf8(with(&mistake).stderr).expect("text");
        assert!(said.trim_end().ends_with(expected), "{said}");
        let followed = with(remedy);
        assert!(followed.status.success(), "{remedy:?}: {}", String::from_utf8_lossy(&followed.stderr));
    }
    // A comparison has settings in the file of its grid.
    let grid = "algos = ['ppo']\noptimizers = ['adam']\ntasks = [{ env = 'CartPole-v1' }]\n";
    let wrong = Grid::from_toml(&grid.replace("'ppo'", "'ppo(normalize_value=true)'")).expect_err("a setting");
    let expected = "it is a setting, normalize_value = … below [settings] in the file of a grid";
    assert!(wrong.to_string().ends_with(expected), "{wrong}");
    Grid::from_toml(&format!("{grid}[settings]\nnormalize_value = true\n")).expect("as it says");
}

#[test]
fn what_the_chosen_distribution_has_is_taken_without_naming_it() {
    let home = tempfile::tempdir().expect("a folder");
    let short = ["--steps", "64", "--n-steps", "16", "--hidden", "4", "--quiet", "--force", "--out", "run"];
    let train = |more: &[&str]| run(home.path(), &[&["train"], &short[..], more].concat());
    for line in [&["--log-std-init", "-1"][..], &["--distribution", "auto(log_std_init=-1)"]] {
        let output = train(&[&["--env", "Pendulum-v1"], line].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = fs::read_to_string(home.path().join("run/config.toml")).expect("settings");
        let config = Config::from_toml(&text).expect("settings");
        let spec = config.make_envs(1).expect("an environment").spec().clone();
        let own = config.make_distribution(&spec).expect("a distribution").own().expect("deviations");
        assert_eq!(own.initial, -1.0);
        // What a run leaves begins another.
        fs::rename(home.path().join("run"), home.path().join("before")).expect("a folder");
        assert!(train(&["--config", "before/config.toml"]).status.success());
        fs::remove_dir_all(home.path().join("before")).expect("a folder");
    }
    let message = |text: &str| Config::from_toml(text).expect_err("a mistake").to_string();
    assert!(message("distribution = 'auto(log_std_init=\"a\")'").contains("log_std_init = \"a\" is impossible"));
    assert!(message("distribution = 'auto(log_std_int=1)'").contains("did you mean `log_std_init`?"));
    assert!(!message("distribution = 'auto(foo=1)'").contains("auto;"));
}
