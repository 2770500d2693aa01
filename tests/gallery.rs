//! The gallery: a policy for every environment, which plays as its card says.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use uphill::{Catalogue, Mode, Policy, Seed};

/// Episodes of each that are played again.
const EPISODES: usize = 2;

fn folder(env: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("gallery").join(env.replace('/', "-"))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Of those that are registered by default: what a feature adds has no policy here.
fn envs() -> Vec<&'static str> {
    let catalogue = Catalogue::default();
    catalogue.envs().iter().map(|row| row.name).filter(|name| !name.starts_with("gym-rs/")).collect()
}

#[test]
fn every_environment_has_a_policy_and_the_page_shows_it() {
    let missing: Vec<_> = envs().into_iter().filter(|env| !folder(env).join("README.md").is_file()).collect();
    assert!(
        missing.is_empty(),
        "{missing:?}: give each a [[policy]] in gallery/gallery.toml, and run `cargo run --release --example gallery`"
    );
    let page = text(&folder("README.md"));
    for env in envs() {
        assert!(page.contains(&format!("| [{env}]({}) |", env.replace('/', "-"))), "{env} is not on the page");
    }
    // What is there and not registered is a policy that nothing loads.
    let entries = fs::read_dir(folder("")).expect("the gallery").map(|entry| entry.expect("an entry").path());
    let known: Vec<_> = envs().into_iter().map(folder).collect();
    let other: Vec<_> = entries.filter(|path| path.is_dir() && !known.contains(path)).collect();
    assert!(other.is_empty(), "{other:?}: this is no environment's");
}

#[test]
fn each_policy_plays_the_episodes_that_its_results_have() {
    // On one kind of processor the same bits (docs/reliability.md). On another a network's sums round differently: an action may be
    // another where two were all but equal, and all that comes after it. What the same policy then returns from the same starts is at
    // worst another draw of what it was, whose mean over all episodes is within four deviations of the difference of two means but
    // once in 16,000 times. A table's outputs are sums of a weight, a bias and zeros, which every processor rounds alike: those are equal.
    let mut differ = Vec::new();
    for env in envs() {
        let folder = folder(env);
        let results: Value = serde_json::from_str(&text(&folder.join("results.json"))).expect("JSON");
        let mut policy = Policy::load(&folder).unwrap_or_else(|e| panic!("{env}: {e}"));
        let seed = Seed(results["eval_seed"].as_u64().expect("a seed"));
        let played = policy.evaluate_with(EPISODES, seed, Mode::Likeliest).expect("episodes");
        let returns: Vec<f64> = played.returns.into_iter().map(|one| one.expect("an end")).collect();
        let stored: Vec<f64> =
            results["returns"].as_array().expect("returns").iter().filter_map(Value::as_f64).collect();
        let episodes = results["n_eval_episodes"].as_u64().expect("a number") as usize;
        assert!(episodes == stored.len() && episodes >= 100, "{env}: {} returns", stored.len());
        let n = episodes as f64;
        let mean = stored.iter().sum::<f64>() / n;
        let std = (stored.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / n).sqrt();
        for (name, expected) in [("mean_reward", mean), ("std_reward", std)] {
            let got = results[name].as_f64().expect("a number");
            assert!(
                (got - expected).abs() <= 1e-9 * (1.0 + expected.abs()),
                "{env}: {name} = {got}, its returns have {expected}"
            );
        }
        if returns == stored[..EPISODES] {
            continue;
        }
        let is_table = policy.config().hidden.is_empty();
        let of_all = policy.evaluate_with(stored.len(), seed, Mode::Likeliest).expect("episodes");
        let (again, its_std) = (of_all.return_mean.expect("a mean"), of_all.return_std.expect("a deviation"));
        let bound = 4.0 * ((std.powi(2) + its_std.powi(2)) / n).sqrt() + 1e-3 * (1.0 + mean.abs());
        if is_table || (again - mean).abs() > bound {
            differ.push(format!("{env}: {returns:?}, not {:?}", &stored[..EPISODES]));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

#[test]
fn the_index_of_each_card_says_what_its_results_say() {
    for env in envs() {
        let folder = folder(env);
        let results: Value = serde_json::from_str(&text(&folder.join("results.json"))).expect("JSON");
        let page = text(&folder.join("README.md"));
        let (head, _) = page.strip_prefix("---\n").and_then(|page| page.split_once("---\n")).expect("metadata");
        let head: Value = serde_saphyr::from_str(head).expect("YAML");
        let result = &head["model-index"][0]["results"][0];
        assert_eq!(result["dataset"]["type"], results["env_id"], "{env}");
        let [mean, std] = ["mean_reward", "std_reward"].map(|name| results[name].as_f64().expect("a number"));
        assert_eq!(result["metrics"][0]["type"], "mean_reward");
        assert_eq!(result["metrics"][0]["value"], format!("{mean:.2} +/- {std:.2}").as_str(), "{env}");
    }
}

#[test]
fn the_gallery_is_small() {
    fn size(path: &Path) -> u64 {
        let there = path.metadata().expect("it is there");
        if !there.is_dir() {
            return there.len();
        }
        fs::read_dir(path).expect("a folder").map(|entry| size(&entry.expect("an entry").path())).sum()
    }
    let size = size(&folder(""));
    assert!(size < 2_500_000, "the gallery has {size} bytes: give networks fewer units, or replays fewer steps");
}
