//! Files of other programs given to `--config`, from end to end: the run is made, said to be whose it is, and repeated by its own
//! `config.toml`.
#![cfg(feature = "cli")]

use std::fs;
use std::path::Path;
use std::process::Output;

mod programs;

/// In the format of rl-baselines3-zoo, with anchors and merge keys.
const ZOO: &str = "\
default: &usual
  policy: 'MlpPolicy'
  n_envs: 2
  n_timesteps: !!float 1e6
  normalize: true
Pendulum-v1:
  <<: *usual
  n_steps: 128
  batch_size: 32
  n_epochs: 2
  learning_rate: lin_1e-3
  vf_coef: 0.7
  target_kl: 0.02
  use_sde: True
  sde_sample_freq: 4
  verbose: 1
  policy_kwargs: \"dict(log_std_init=-1, net_arch=dict(pi=[8], vf=[16]))\"
Humanoid-v4:
  <<: *usual
";

fn run(folder: &Path, arguments: &str) -> Output {
    let mut program = programs::example("uphill");
    program.current_dir(folder).args(arguments.split_whitespace()).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// Runs it and returns what it said on standard error.
fn succeeds(folder: &Path, arguments: &str) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments}: {}", text(&output.stderr));
    text(&output.stderr)
}

#[test]
fn a_file_of_the_zoo_trains_and_its_own_settings_repeat_the_run() {
    let home = tempfile::tempdir().expect("a folder");
    let (home, read) = (home.path(), |name: &str| fs::read_to_string(home.path().join(name)).expect("a file"));
    fs::write(home.join("ppo.yml"), ZOO).expect("a file");
    let said = succeeds(home, "train --config ppo.yml --env Pendulum-v1 --steps 1000 --out zoo");
    let notes: Vec<&str> = said.lines().filter(|line| line.starts_with("ppo.yml: ")).collect();
    assert_eq!(notes.len(), 3, "{said}");
    assert!(notes[0].starts_with("ppo.yml: Pendulum-v1 by ppo of rl-baselines3-zoo"), "{said}");
    assert!(notes[1].contains("verbose") && notes[2].contains("target_kl"), "{said}");
    let config = read("zoo/config.toml");
    for line in [
        "env = \"Pendulum-v1\"",
        "model = \"mlp(critic_hidden=[16])\"",
        "distribution = \"gsde(log_std_init=-1, sde_sample_freq=4)\"",
        "steps = 1000",
        "n_minibatches = 8",
        "vf_coef = 1.4",
        "target_kl = 0.03",
        "anneal_lr = true",
        "normalize_reward = true",
    ] {
        assert!(config.lines().any(|of_run| of_run == line), "no `{line}` in\n{config}");
    }
    let quiet = succeeds(home, "train --config zoo/config.toml --out again --quiet");
    assert!(!quiet.contains("ppo.yml"), "{quiet}");
    assert_eq!(read("again/config.toml"), config);
    let learnt = |name: &str| {
        let rows = read(name);
        let column = rows.lines().next().and_then(|head| head.split(',').position(|name| name == "policy_loss"));
        let column = column.expect("a column");
        rows.lines().map(|row| row.split(',').nth(column).expect("a cell").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(learnt("again/metrics.csv"), learnt("zoo/metrics.csv"));
    assert_eq!(learnt("zoo/metrics.csv").len(), 1 + 4);
}

#[test]
fn flags_go_over_a_file_of_another_program() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    fs::write(home.join("args.toml"), "env_id = 'CartPole-v1'\nnum_envs = 2\nnum_steps = 64\nexp_name = 'mine'\n")
        .expect("a file");
    let line = "train --config args.toml --steps 500 --lr 1e-3 --hidden 8 --quiet --out run";
    assert_eq!(succeeds(home, line), "", "nothing is told with --quiet");
    let config = fs::read_to_string(home.join("run/config.toml")).expect("a file");
    for line in ["envs = 2", "n_steps = 64", "steps = 500", "lr = 0.001", "hidden = [8]", "clip_range_vf = 0.2"] {
        assert!(config.lines().any(|of_run| of_run == line), "no `{line}` in\n{config}");
    }
}

#[test]
fn mistakes_name_the_file_in_one_line() {
    let home = tempfile::tempdir().expect("a folder");
    let home = home.path();
    for (name, file) in [
        ("ppo.yml", ZOO.to_string()),
        ("a2c.yml", "CartPole-v1:\n  n_timesteps: 1e4\n  n_epochs: 2\n".into()),
        ("broken.yml", "CartPole-v1: {n_envs: 1\n".into()),
        ("args.py", "config = {\n    \"LR\": 2.5e-4,\n}\n".into()),
        ("game.yml", "ENV_NAME: Breakout-MinAtar\nLR: 1e-3\n".into()),
        ("args.json", "{\"env_id\": \"CartPole-v1\", \"tau\": 1}".into()),
    ] {
        fs::write(home.join(name), file).expect("a file");
    }
    for (line, said) in [
        (
            "--config ppo.yml",
            "ppo.yml: it is for 2 environments: say which one by --env; of those that are here it has Pendulum-v1",
        ),
        ("--config a2c.yml", "a2c.yml: a2c of Stable-Baselines3 has no `n_epochs`"),
        ("--config broken.yml --algo ppo", "broken.yml: not YAML: "),
        ("--config args.json", "args.json: CleanRL's PPO has no `tau`"),
        (
            "--config args.py",
            "args.py: it is a program, and no settings: write its arguments to a file of YAML or JSON",
        ),
        ("--config game.yml", "called `Breakout-MinAtar`; did you mean `MinAtar/Breakout-v1`?"),
        ("--config gone.yml", "gone.yml"),
    ] {
        let output = run(home, &format!("train {line}"));
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{line}: {error}");
        assert!(error.starts_with("error: ") && error.contains(said) && error.lines().count() == 1, "{line}: {error}");
    }
    assert!(!home.join("runs").exists());
}
