//! A folder to share a policy: it can be loaded, its page is what the Hub reads, and its numbers are the policy's.

use std::fs;
use std::path::Path;

use serde_json::Value;
use uphill::{Policy, Seed};

mod programs;

fn uphill(home: &Path, arguments: &[&str]) -> (bool, String) {
    let output = programs::example("uphill").current_dir(home).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr });
    (output.status.success(), said.into_owned())
}

fn train(home: &Path, env: &str, out: &str) {
    let (ok, said) =
        uphill(home, &["train", "--env", env, "--steps", "2048", "--hidden", "8", "--quiet", "--out", out]);
    assert!(ok, "{said}");
}

#[test]
fn the_page_and_the_numbers_are_the_policy_s() {
    let home = tempfile::tempdir().expect("a folder");
    train(home.path(), "CartPole-v1", "run");
    let (ok, said) = uphill(home.path(), &["card", "run", "--episodes", "12", "--seed", "5", "--license", "mit"]);
    assert!(ok && said.contains("run/card: return ") && said.contains("hf upload NAME"), "{said}");
    let folder = home.path().join("run/card");

    // What is shared is a policy that can be loaded, and returns what the card says.
    let mut shared = Policy::load(&folder).expect("a policy");
    let (mean, std) = {
        let of = shared.evaluate(12, Seed(5)).expect("episodes");
        (of.return_mean.expect("a mean"), of.return_std.expect("a deviation"))
    };
    let numbers: Value =
        serde_json::from_slice(&fs::read(folder.join("results.json")).expect("numbers")).expect("JSON");
    assert_eq!((numbers["mean_reward"].as_f64(), numbers["std_reward"].as_f64()), (Some(mean), Some(std)));
    assert_eq!((numbers["n_eval_episodes"].as_u64(), numbers["eval_seed"].as_u64()), (Some(12), Some(5)));

    let page = fs::read_to_string(folder.join("README.md")).expect("a page");
    let (head, rest) = page.strip_prefix("---\n").and_then(|page| page.split_once("---\n")).expect("metadata");
    let head: Value = serde_saphyr::from_str(head).expect("YAML");
    let result = &head["model-index"][0]["results"][0];
    assert_eq!(head["license"], "mit");
    assert_eq!(head["library_name"], "uphill");
    assert_eq!(result["task"]["type"], "reinforcement-learning");
    assert_eq!(
        (&result["dataset"]["name"], &result["metrics"][0]["type"]),
        (&"CartPole-v1".into(), &"mean_reward".into())
    );
    assert_eq!(result["metrics"][0]["value"], format!("{mean:.2} +/- {std:.2}").as_str());
    for name in ["policy.safetensors", "config.toml", "reward.png"] {
        assert!(
            fs::read(folder.join(name)).expect("a copy")
                == fs::read(home.path().join("run").join(name)).expect("a file")
        );
    }
    assert!(
        rest.contains("![One episode](replay.gif)")
            && fs::read(folder.join("replay.gif")).expect("it").starts_with(b"GIF89a")
    );

    assert!(
        rest.contains("Trained for 2048 steps by uphill ") && rest.contains("makes it again, to the bit"),
        "{rest}"
    );

    // What was not trained here is not said to be.
    fs::remove_file(home.path().join("run/summary.json")).expect("a file");
    let (ok, said) = uphill(home.path(), &["card", "run", "--episodes", "3", "--out", "other"]);
    let page = fs::read_to_string(home.path().join("other/README.md")).expect("a page");
    assert!(ok && !page.contains("Trained for") && !page.contains("again"), "{said}: {page}");

    // Nothing of anybody's is replaced.
    let (ok, said) = uphill(home.path(), &["card", "run"]);
    assert!(!ok && said.contains("run/card: this folder has something in it: give --out one"), "{said}");
}

#[test]
fn names_with_anything_in_them_are_quoted_and_what_has_no_picture_has_none() {
    let home = tempfile::tempdir().expect("a folder");
    train(home.path(), "GaussianBandit-v0 | action_repeat(2)", "run");
    let (ok, said) = uphill(home.path(), &["card", "run", "--out", "shared", "--episodes", "3"]);
    assert!(ok, "{said}");
    let page = fs::read_to_string(home.path().join("shared/README.md")).expect("a page");
    let head = page.split("---\n").nth(1).expect("metadata");
    let head: Value = serde_saphyr::from_str(head).expect("YAML");
    assert_eq!(head["tags"][0], "GaussianBandit-v0 | action_repeat(times=2)");
    assert!(!home.path().join("shared/replay.gif").exists() && !page.contains("replay.gif"));

    let (ok, said) = uphill(home.path(), &["card", "nowhere"]);
    assert!(!ok && said.contains("nowhere"), "{said}");
}
