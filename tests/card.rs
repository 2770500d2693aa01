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
    assert!(!page.contains("Nothing is recorded"), "its rows are there: {page}");
    fs::write(home.path().join("run/summary.json"), "[]").expect("a file");
    let (ok, said) = uphill(home.path(), &["card", "run", "--episodes", "3", "--out", "broken"]);
    assert!(!ok && said.contains("summary.json: this is no summary of a run"), "{said}");
    fs::remove_file(home.path().join("run/summary.json")).expect("a file");

    // Of a policy that came without its run nothing of the kind is known.
    let alone = home.path().join("alone");
    fs::create_dir(&alone).expect("a folder");
    for name in ["config.toml", "policy.safetensors"] {
        fs::copy(home.path().join("run").join(name), alone.join(name)).expect("a copy");
    }
    let (ok, said) = uphill(home.path(), &["card", "alone", "--episodes", "3", "--out", "of-alone"]);
    let page = fs::read_to_string(home.path().join("of-alone/README.md")).expect("a page");
    assert!(ok && page.contains("Nothing is recorded here of how it was trained"), "{said}: {page}");

    // The return of each episode, and the curve, which can be drawn.
    let returns: Vec<f64> = numbers["returns"].as_array().expect("a list").iter().filter_map(Value::as_f64).collect();
    assert!(returns.len() == 12 && (returns.iter().sum::<f64>() / 12.0 - mean).abs() < 1e-9, "{returns:?}");
    let (ok, said) = uphill(home.path(), &["plot", "run/card", "--out", "curve.png"]);
    assert!(ok && home.path().join("curve.png").is_file(), "{said}");
    let last = |folder: &str| {
        let rows = fs::read_to_string(home.path().join(folder).join("metrics.csv")).expect("rows");
        rows.lines().last().expect("a row").to_string()
    };
    let [steps, value] = last("run/card").split(',').map(String::from).collect::<Vec<_>>().try_into().expect("two");
    assert!(
        last("run").contains(&format!(",{steps},")) && last("run").contains(&format!(",{value},")),
        "{steps} {value}"
    );
}

#[test]
fn a_name_means_nothing_but_itself_on_the_page() {
    let home = tempfile::tempdir().expect("a folder");
    let world = "map = '''\nS.\n.G'''\nid = '[x](y) *a* <b>'\n";
    fs::write(home.path().join("world.toml"), world).expect("a file");
    train(home.path(), "world.toml", "run");
    let (ok, said) = uphill(home.path(), &["card", "run", "--episodes", "3"]);
    assert!(ok, "{said}");
    let page = fs::read_to_string(home.path().join("run/card/README.md")).expect("a page");
    assert!(page.contains("\n# ppo in \\[x\\](y) \\*a\\* &lt;b&gt;\n"), "{page}");
}

#[test]
fn a_card_is_replaced_where_that_is_asked_for_and_nothing_else_is() {
    let home = tempfile::tempdir().expect("a folder");
    let at = |name: &str| home.path().join(name);
    // Without a picture, whose making would take most of the time.
    train(home.path(), "Bandit-v0", "run");
    let make = |more: &[&str]| uphill(home.path(), &[&["card", "run", "--episodes", "3"], more].concat());
    assert!(make(&[]).0);
    let (ok, said) = make(&["--seed", "2"]);
    assert!(!ok && said.contains("run/card: this folder has a card already: give --force to replace it"), "{said}");
    let (ok, said) = make(&["--seed", "2", "--force"]);
    let results = || fs::read_to_string(at("run/card/results.json")).expect("numbers");
    assert!(ok && results().contains("\"eval_seed\": 2"), "{said}");

    // What somebody put beside it would be lost, and what is no card is nobody's to replace.
    fs::write(at("run/card/notes.txt"), "mine").expect("a file");
    let (ok, said) = make(&["--force"]);
    assert!(!ok && said.contains("card/notes.txt: this is no card's, and would be lost with it"), "{said}");
    assert_eq!(fs::read_to_string(at("run/card/notes.txt")).expect("it"), "mine");
    fs::create_dir(at("other")).expect("a folder");
    fs::write(at("other/README.md"), "mine").expect("a file");
    let (ok, said) = make(&["--force", "--out", "other"]);
    assert!(!ok && said.contains("other: this folder has something in it: give --out one"), "{said}");
    assert!(results().contains("\"eval_seed\": 2"));
}

#[test]
fn the_best_policy_has_a_card_as_well() {
    let home = tempfile::tempdir().expect("a folder");
    let arguments = ["train", "--steps", "4096", "--hidden", "8", "--eval-every", "512", "--quiet", "--out", "run"];
    let (ok, said) = uphill(home.path(), &[&arguments[..], &["--env", "Bandit-v0"]].concat());
    assert!(ok, "{said}");
    let (ok, said) = uphill(home.path(), &["card", "run", "--best", "--episodes", "3"]);
    assert!(ok && said.contains("run/card, the best by evaluation: return "), "{said}");
    let read = |name: &str| fs::read(home.path().join("run").join(name)).expect("a file");
    assert!(read("card/policy.safetensors") == read("best_by_eval.safetensors"));
    let text = |name: &str| String::from_utf8(read(name)).expect("text");
    assert!(text("card/results.json").contains("\"policy\": \"the best by evaluation\""));
    assert!(text("card/README.md").contains("This is the best by evaluation of its policies."));
}

/// A file may have no more than some bytes here, as on a disk that is full.
#[cfg(unix)]
#[test]
fn a_full_disk_leaves_nothing_or_the_card_that_was_there() {
    let home = tempfile::tempdir().expect("a folder");
    // Without a picture, whose making would take most of the time.
    train(home.path(), "Bandit-v0", "run");
    let names = || {
        let entries =
            fs::read_dir(home.path().join("run")).expect("a folder").map(|entry| entry.expect("one").file_name());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    };
    let before = names();
    let on_a_full_disk = |more: &str| {
        let program = programs::example("uphill");
        let command = format!("trap '' XFSZ; ulimit -f 1; exec \"$0\" card run --episodes 3 {more}");
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &command]).arg(program.get_program()).current_dir(home.path()).output().expect("bash")
    };
    let failed = on_a_full_disk("");
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(!failed.status.success() && said.contains("run/card/policy.safetensors: File too large"), "{said}");
    assert_eq!(names(), before);
    assert!(uphill(home.path(), &["card", "run", "--episodes", "3", "--seed", "9"]).0);
    assert!(!on_a_full_disk("--force").status.success());
    let results = fs::read_to_string(home.path().join("run/card/results.json")).expect("numbers");
    assert!(results.contains("\"eval_seed\": 9") && names().len() == before.len() + 1, "{:?}", names());
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

#[test]
fn small_returns_are_not_rounded_away() {
    let home = tempfile::tempdir().expect("a folder");
    train(home.path(), "GridWorld-4x4-v0 | time_limit(37)", "run");
    let (ok, said) = uphill(home.path(), &["card", "run", "--episodes", "2"]);
    let page = fs::read_to_string(home.path().join("run/card/README.md")).expect("a page");
    let numbers: Value =
        serde_json::from_slice(&fs::read(home.path().join("run/card/results.json")).expect("a file")).expect("JSON");
    let mean = numbers["mean_reward"].as_f64().expect("a number");
    let shown = page.split_once("it returns ").and_then(|(_, rest)| rest.split_once(" \u{b1} ")).expect("a return").0;
    let shown: f64 = shown.parse().expect("a number");
    assert!(ok && mean.abs() < 1.0 && (shown - mean).abs() <= 0.0005, "{shown} for {mean}: {said}");
}

/// A policy that only another program plays is shared with what that is, and one of environments made in code without a picture of
/// those that have the name.
#[test]
fn what_only_a_program_of_its_own_can_play_is_told() {
    use uphill::envs::make_vec;
    use uphill::{Catalogue, Config, RunFolder, Trainer, card::Card};
    let home = tempfile::tempdir().expect("a folder");
    let base = Config { steps: 512, hidden: vec![8], ..Config::for_algo("ppo").expect("an algorithm") };
    let mlp = *Catalogue::default().model("mlp").expect("a row");
    let catalogue = Catalogue::default().with(uphill::models::Row { name: "mine", ..mlp });
    let config = Config { catalogue: catalogue.clone(), model: "mine".into(), ..base.clone() };
    let folder = home.path().join("own");
    let mut run = RunFolder::create(&folder, &config, false).expect("a folder");
    let mut trainer = Trainer::new(&config).expect("a trainer");
    while let Some(row) = trainer.step().expect("an update") {
        run.log(&row).expect("a row");
    }
    run.finish(trainer).expect("a run");
    let mut policy = Policy::load_with(&folder, &catalogue).expect("a policy");
    let mut card = Card::of(&folder);
    card.episodes = 2;
    card.write(&mut policy, &home.path().join("card"), false, &mut |_, _| {}).expect("a card");
    let page = fs::read_to_string(home.path().join("card/README.md")).expect("a page");
    assert!(
        page.contains("PROGRAM evaluate FOLDER --watch") && page.contains("load_with(\"FOLDER\", &catalogue)"),
        "{page}"
    );
    assert!(page.contains("PROGRAM is the one that has model `mine`") && !page.contains("uphill evaluate"), "{page}");

    let folder = home.path().join("code");
    let mut run = RunFolder::create(&folder, &base, false).expect("a folder");
    let own = |lanes| Ok(make_vec("CartPole-v1", lanes)?);
    let mut trainer = Trainer::with_envs(&base, own).expect("a trainer");
    while let Some(row) = trainer.step().expect("an update") {
        run.log(&row).expect("a row");
    }
    let mut policy = trainer.into_policy().expect("a policy");
    policy.save(&folder.join("policy.safetensors")).expect("a file");
    let mut card = Card::of(&folder);
    card.episodes = 2;
    card.write(&mut policy, &home.path().join("shared"), false, &mut |_, _| {}).expect("a card");
    assert!(!home.path().join("shared/replay.gif").exists());
    let page = fs::read_to_string(home.path().join("shared/README.md")).expect("a page");
    assert!(page.contains("uphill evaluate FOLDER\n"), "{page}");
}
