//! Several seeds side by side, `train --seeds`: each the same bits as alone, one table and one picture, gone on with by the same
//! command.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

mod programs;

const SHORT: &str = "train --env GridWorld-4x4-v0 --algo ppo --steps 1500 --hidden 8 --n-steps 64 --envs 2";

/// Runs `uphill` in a folder; arguments are separated by spaces.
fn run(folder: &Path, arguments: &str) -> Output {
    programs::example("uphill")
        .current_dir(folder)
        .args(arguments.split_whitespace())
        .output()
        .expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn succeeds(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What it says to a mistake.
fn refuses(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments}: {}", text(&output.stderr));
    text(&output.stderr)
}

/// A run's rows but for the column of a clock.
fn rows(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("metrics.csv")).expect("rows");
    text.lines().map(|line| line.rsplit_once(',').expect("columns").0.to_string()).collect()
}

fn same_run(one: &Path, other: &Path) {
    assert_eq!(rows(one), rows(other), "{}", one.display());
    for name in ["config.toml", "policy.safetensors"] {
        let [one, other] = [one, other].map(|folder| fs::read(folder.join(name)).expect("a file"));
        assert!(one == other, "{name}");
    }
}

#[test]
fn each_is_what_it_is_alone_and_all_are_one_table_and_one_picture() {
    let home = tempfile::tempdir().expect("a folder");
    let said = succeeds(home.path(), &format!("{SHORT} --threads 2 --seeds 7..9 --out several"));
    let several = home.path().join("several");
    for seed in [7, 8, 9] {
        succeeds(home.path(), &format!("{SHORT} --threads 2 --seed {seed} --out alone{seed} --quiet"));
        same_run(&several.join(format!("s{seed}")), &home.path().join(format!("alone{seed}")));
    }
    let table = fs::read_to_string(several.join("seeds.csv")).expect("a table");
    let lines: Vec<&str> = table.lines().collect();
    let head = "seed,env_steps,episode_return_mean,solved_at_step,eval_return_mean,eval_return_std";
    assert_eq!(lines[0], head);
    assert_eq!(lines.len(), 4);
    assert!(lines[1].starts_with("7,1536,") && lines[3].starts_with("9,1536,"), "{table}");
    assert!(fs::metadata(several.join("reward.png")).expect("a picture").len() > 10_000);
    assert_eq!(said.lines().filter(|line| line.starts_with("seed ")).count(), 3, "{said}");
    assert!(said.contains("mean of 3 seeds; 95 % interval "), "{said}");
    assert!(said.contains("; fewer than 10 seeds are too few for a claim\n"), "{said}");
    // Once more is nothing more, and another seed is one more.
    let kept = fs::metadata(several.join("s8/summary.json")).expect("a file").modified().expect("a time");
    succeeds(home.path(), &format!("{SHORT} --threads 1 --seeds 7-10 --out several --quiet"));
    assert_eq!(fs::metadata(several.join("s8/summary.json")).expect("a file").modified().expect("a time"), kept);
    assert!(several.join("s10/summary.json").exists());
    // It goes by a name of its own.
    succeeds(home.path(), &format!("{SHORT} --seeds 2 --quiet"));
    assert!(home.path().join("runs/GridWorld-4x4-v0-ppo-adam-seeds/s2/reward.png").exists());
}

#[test]
fn killed_at_any_moment_the_same_command_comes_to_the_same_bits() {
    let home = tempfile::tempdir().expect("a folder");
    let long = format!("{SHORT} --threads 2 --checkpoint-every 0 --quiet").replace("1500", "6000");
    succeeds(home.path(), &format!("{long} --seeds 4 --out whole"));
    let mut after = Duration::from_millis(150);
    loop {
        let mut broken = programs::example("uphill");
        broken.current_dir(home.path()).args(format!("{long} --seeds 4 --out broken").split_whitespace());
        let mut broken = broken.spawn().expect("the program runs");
        let begun = Instant::now();
        while begun.elapsed() < after && broken.try_wait().expect("a child").is_none() {
            std::thread::sleep(Duration::from_millis(10));
        }
        if let Some(status) = broken.try_wait().expect("a child") {
            assert!(status.success());
            break;
        }
        broken.kill().expect("a child");
        broken.wait().expect("a child");
        after = after * 3 / 2;
    }
    for seed in 1..=4 {
        let [whole, broken] = ["whole", "broken"].map(|name| home.path().join(format!("{name}/s{seed}")));
        same_run(&whole, &broken);
    }
    let table = |name: &str| fs::read(home.path().join(name).join("seeds.csv")).expect("a table");
    assert!(table("whole") == table("broken"));
}

#[test]
fn what_is_in_the_way_is_refused_before_the_work() {
    let home = tempfile::tempdir().expect("a folder");
    let train = |more: &str| format!("{SHORT} --quiet {more}");
    succeeds(home.path(), &train("--seeds 2 --out several"));
    for (more, what) in [
        ("--seeds 3 --out several --lr 0.5", "several/s1/config.toml: this is a run of other settings, lr = "),
        ("--seeds 3 --out several/s1", "this is the folder of a run: give --out another one"),
        ("--out several", "this is the folder of several seeds: give --out another one"),
        ("--seeds 0", "--seeds: they are 0; there may be 1 to 1000"),
        ("--seeds 3,5,3", "--seeds: 3 is named twice"),
        ("--seeds 9223372036854775807-9223372036854775808", "seed = 9223372036854775808"),
    ] {
        let said = refuses(home.path(), &train(more));
        assert!(said.contains(what), "{more}: {said}");
    }
    assert!(!home.path().join("several/s3").exists(), "nothing has begun");
    fs::create_dir(home.path().join("own")).expect("a folder");
    fs::write(home.path().join("own/reward.png"), "mine").expect("a file");
    let said = refuses(home.path(), &train("--seeds 2 --out own"));
    assert!(said.contains("own/reward.png: several seeds need a folder of their own"), "{said}");
    assert_eq!(fs::read(home.path().join("own/reward.png")).expect("a file"), b"mine");
    // Forced, runs of other settings make way.
    succeeds(home.path(), &train("--seeds 2 --out several --lr 0.5 --force"));
    let config = fs::read_to_string(home.path().join("several/s2/config.toml")).expect("settings");
    assert!(config.contains("lr = 0.5"), "{config}");
    let output = run(home.path(), &train("--seeds 2 --seed 3"));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn one_that_fails_is_named_and_the_others_end() {
    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir(home.path().join("several")).expect("a folder");
    fs::write(home.path().join("several/s2"), "in the way").expect("a file");
    let said = refuses(home.path(), &format!("{SHORT} --quiet --seeds 3 --out several"));
    assert!(said.contains("seed 2: ") && said.contains("several/s2: this is a file"), "{said}");
    assert!(said.contains("1 of 3 seeds failed"), "{said}");
    let table = fs::read_to_string(home.path().join("several/seeds.csv")).expect("a table");
    let seeds: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(seeds, ["1", "3"]);
}

#[test]
fn memory_is_that_of_all_that_learn_at_once() {
    let home = tempfile::tempdir().expect("a folder");
    let one = format!("{SHORT} --threads 2 --max-memory 0.0003");
    let output = run(home.path(), &format!("{one} --seeds 2 --out several"));
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("max_memory = 0.0003 has room for 1 of these runs at a time; 2 could learn side by side"),
        "{said}"
    );
}

#[test]
fn the_table_keeps_the_seeds_of_before() {
    let home = tempfile::tempdir().expect("a folder");
    succeeds(home.path(), &format!("{SHORT} --quiet --seeds 4-5 --out several"));
    succeeds(home.path(), &format!("{SHORT} --quiet --seeds 2,5 --out several"));
    fs::create_dir(home.path().join("several/s9")).expect("a folder of something else");
    let table = fs::read_to_string(home.path().join("several/seeds.csv")).expect("a table");
    let seeds: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(seeds, ["2", "4", "5"]);
}
