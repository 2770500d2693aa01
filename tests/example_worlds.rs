//! Worlds that others drew, `examples/worlds`: each is what its file says, and its best return is exactly the file's number.

use std::fs;
use std::path::{Path, PathBuf};

use uphill::Config;
use uphill::envs::FiniteMdp;
use uphill::oracle::optimal_return;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/worlds")
}

/// The name of each file, its text, and its settings.
fn worlds() -> Vec<(String, String, Config)> {
    let entries = fs::read_dir(folder()).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    paths.sort();
    let world = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_str().expect("text").to_string();
        let text = fs::read_to_string(path).expect("text");
        let settings = Config::read_toml(path).and_then(Config::from_table).unwrap_or_else(|e| panic!("{name}: {e}"));
        (name, text, settings)
    };
    paths.iter().map(world).collect()
}

#[test]
fn the_best_return_of_each_world_is_the_number_in_its_file() {
    let worlds = worlds();
    assert!(worlds.len() >= 10, "{}", worlds.len());
    let mut wrong = Vec::new();
    for (name, text, config) in &worlds {
        let env = config.make_envs(1).expect("environments");
        let said = env.spec().reward_threshold.expect("an optimum");
        let optimum = optimal_return(config).expect("an exact model that is small enough");
        // Rewards are f32.
        if (optimum - said).abs() > 1e-6 * said.abs().max(1.0) {
            wrong.push(format!("{name}: reward_threshold = {optimum}"));
        }
        assert!(text.starts_with("# ") && text.contains("http"), "{name} says where it is from");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// But where boxes end it: in a corner they stay.
#[test]
fn an_end_can_be_reached_from_wherever_one_comes_to_stand() {
    for (name, _, config) in worlds() {
        if config.env.word.arg("targets_end").is_some() {
            continue;
        }
        let mdp = config.model_of_env().expect("a model").expect("a model");
        let ends = ends(&mdp);
        assert!(ends.iter().all(|&ends| ends), "{name}: {} of {} states lead to an end", ends.len(), mdp.states());
    }
}

/// Whether each state is an end, or some actions lead to one.
fn ends(mdp: &FiniteMdp) -> Vec<bool> {
    let mut ends: Vec<bool> = (0..mdp.states()).map(|state| mdp.is_terminal(state)).collect();
    loop {
        let leads = |state: usize| {
            let outcomes = (0..mdp.actions()).flat_map(|action| mdp.outcomes(state, action));
            outcomes.into_iter().any(|outcome| ends[outcome.next])
        };
        let found: Vec<usize> = (0..mdp.states()).filter(|&state| !ends[state] && leads(state)).collect();
        if found.is_empty() {
            return ends;
        }
        found.into_iter().for_each(|state| ends[state] = true);
    }
}

/// A line of the table for each, with the number that the file has.
#[test]
fn the_table_says_what_the_files_say() {
    let table = fs::read_to_string(folder().join("README.md")).expect("a table");
    for (name, _, config) in worlds() {
        let optimum = config.make_envs(1).expect("environments").spec().reward_threshold.expect("an optimum");
        let line = table
            .lines()
            .find(|line| line.contains(&format!("[`{name}`]({name})")))
            .unwrap_or_else(|| panic!("{name}"));
        let shown = format!("{}", (optimum * 1e4).round() / 1e4);
        assert!(line.contains(&format!("| {shown} |")), "{name}: {shown} in {line}");
    }
}
