//! What a run leaves behind: complete, repeatable, never overwritten unasked, and refused if it was damaged.
#![cfg(feature = "pictures")]

use std::fs;
use std::path::Path;

use uphill::{Config, Policy, RunFolder, Seed, Trainer};

fn config() -> Config {
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    Config { env: "GridWorld-4x4-v0".into(), steps: 3_000, hidden: vec![16], target_kl: f64::INFINITY, ..ppo }
}

/// Trains into a folder and returns the parameters' bits.
fn run(config: &Config, path: &Path, force: bool) -> uphill::Result<Vec<u32>> {
    let mut folder = RunFolder::create(path, config, force)?;
    let mut trainer = Trainer::new(config)?;
    while let Some(metrics) = trainer.step()? {
        folder.log(&metrics)?;
    }
    let bits = trainer.params().snapshot()?.into_iter().map(f32::to_bits).collect();
    folder.finish(trainer)?;
    Ok(bits)
}

/// `metrics.csv` without its last column, the only one that a clock decides.
fn metrics(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path.join("metrics.csv")).expect("metrics");
    text.lines().map(|line| line.rsplit_once(',').expect("columns").0.to_string()).collect()
}

#[test]
fn a_run_is_complete_and_its_configuration_repeats_it() {
    let home = tempfile::tempdir().expect("a folder");
    let (first, second) = (home.path().join("first"), home.path().join("second"));
    let bits = run(&config(), &first, false).expect("a run");
    for file in ["config.toml", "metrics.csv", "policy.safetensors", "summary.json", "reward.png"] {
        assert!(first.join(file).is_file(), "{file} is missing");
    }
    let columns = "update,env_steps,episodes,episode_return_mean,episode_length_mean,policy_loss,value_loss,entropy,\
                   approx_kl,clip_fraction,explained_variance,grad_norm,update_norm,lr";
    assert_eq!(metrics(&first)[0], columns);
    assert_eq!(metrics(&first).len(), 1 + 6, "a row an update of 512 steps");
    let summary: serde_json::Value =
        serde_json::from_slice(&fs::read(first.join("summary.json")).expect("a summary")).expect("json");
    for key in ["env", "algo", "optimizer", "seed", "device", "env_steps", "wall_seconds", "steps_per_second"] {
        assert!(!summary[key].is_null(), "{key}");
    }
    assert!(summary.get("solved_at_step").is_some());
    assert!(summary["findings"].is_array());
    assert_eq!(summary["eval"]["episodes"], 100);

    let read = Config::from_toml(&fs::read_to_string(first.join("config.toml")).expect("text")).expect("a config");
    assert_eq!(read, config());
    assert_eq!(run(&read, &second, false).expect("a run"), bits);
    assert_eq!(metrics(&first), metrics(&second));
    let policy = |path: &Path| fs::read(path.join("policy.safetensors")).expect("a policy");
    assert_eq!(policy(&first), policy(&second));
}

#[test]
fn what_an_optimizer_reports_has_a_column_of_its_own_before_the_last() {
    let home = tempfile::tempdir().expect("a folder");
    let config = Config { optimizer: "zero_non_finite | trac(adam(3e-4))".parse().expect("a spec"), ..config() };
    let (whole, broken) = (home.path().join("whole"), home.path().join("broken"));
    run(&config, &whole, false).expect("a run");
    let text = fs::read_to_string(whole.join("metrics.csv")).expect("metrics");
    let header = text.lines().next().expect("a header");
    assert!(header.ends_with(",update_norm,lr,non_finite_zeroed,trac_scale,steps_per_second"), "{header}");
    let scales: Vec<f64> = metrics(&whole)[1..]
        .iter()
        .map(|row| row.rsplit_once(',').expect("columns").1.parse().expect("a number"))
        .collect();
    assert!(scales.len() == 6 && scales.windows(2).any(|pair| pair[0] != pair[1]), "{scales:?}");
    // A run that is broken off and goes on has the same.
    let mut folder = RunFolder::create(&broken, &config, false).expect("a folder");
    let mut trainer = Trainer::new(&config).expect("a trainer");
    for _ in 0..2 {
        folder.log(&trainer.step().expect("an update").expect("more to do")).expect("room");
    }
    folder.save(&mut trainer).expect("room");
    drop(folder);
    let (mut folder, mut trainer, _) = RunFolder::resume(&broken, Trainer::new).expect("it goes on");
    while let Some(metrics) = trainer.step().expect("an update") {
        folder.log(&metrics).expect("room");
    }
    folder.finish(trainer).expect("an end");
    assert_eq!(metrics(&whole), metrics(&broken));
}

#[test]
fn a_folder_that_holds_a_run_is_replaced_only_by_force() {
    let home = tempfile::tempdir().expect("a folder");
    run(&config(), home.path(), false).expect("a run");
    fs::write(home.path().join("notes.txt"), "mine").expect("a file");
    let before = metrics(home.path());
    let error = run(&config(), home.path(), false).expect_err("occupied").to_string();
    assert!(error.contains("--force") && error.contains(&*home.path().to_string_lossy()), "{error}");
    assert_eq!(metrics(home.path()), before);
    run(&Config { seed: 2, ..config() }, home.path(), true).expect("a run");
    assert_ne!(metrics(home.path()), before);
    assert_eq!(fs::read_to_string(home.path().join("notes.txt")).expect("a file"), "mine");
}

#[test]
fn a_policy_is_what_was_saved_or_an_error_that_names_the_damage() {
    let home = tempfile::tempdir().expect("a folder");
    let bits = run(&config(), home.path(), false).expect("a run");
    let mut policy = Policy::load(home.path()).expect("a policy");
    let loaded: Vec<u32> = policy.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect();
    assert_eq!(loaded, bits);
    let judged = policy.evaluate(20, Seed(1)).expect("an evaluation");
    assert_eq!(policy.evaluate(20, Seed(1)).expect("an evaluation"), judged);

    let file = home.path().join("policy.safetensors");
    let good = fs::read(&file).expect("bytes");
    let refused = |bytes: &[u8], expected: &str| {
        fs::write(&file, bytes).expect("a file");
        let error = Policy::load(home.path()).err().expect("a damaged file").to_string();
        assert!(error.contains("policy.safetensors") && error.contains(expected), "{error}");
    };
    refused(&[], "not a safetensors file");
    refused(&good[..good.len() / 2], "not a safetensors file");
    let mut nan = good;
    let last = nan.len() - 4;
    nan[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    refused(&nan, "NaN");
    let other = home.path().join("other");
    run(&Config { hidden: vec![8], ..config() }, &other, false).expect("a run");
    refused(&fs::read(other.join("policy.safetensors")).expect("bytes"), "expected F32");
    fs::remove_file(&file).expect("a file");
    let error = Policy::load(home.path()).err().expect("no policy").to_string();
    assert!(error.contains("there is no policy.safetensors here"), "{error}");
}

#[test]
fn a_policy_has_the_parameters_that_its_optimizer_means_for_evaluation() {
    let kept = |optimizer: &str| {
        let home = tempfile::tempdir().expect("a folder");
        let config = Config { optimizer: optimizer.parse().expect("a spec"), ..config() };
        let trained: Vec<f32> =
            run(&config, home.path(), false).expect("a run").into_iter().map(f32::from_bits).collect();
        (trained, Policy::load(home.path()).expect("a policy").params().snapshot().expect("values"))
    };
    let (trained, policy) = kept("adam");
    assert_eq!(trained, policy);
    // An average does not touch training: the same steps, another policy.
    let (beside, average) = kept("ema(0.9) | adam");
    assert_eq!(beside, trained);
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
    let away = distance(&average, &trained);
    assert!(away > 0.0 && away < 0.1 * distance(&trained, &vec![0.0; trained.len()]), "{away}");
    for optimizer in ["schedule_free_adamw", "lookahead(adam, k=7)"] {
        let (trained, policy) = kept(optimizer);
        assert_ne!(trained, policy, "{optimizer}");
    }
}

#[test]
fn an_impossible_number_of_episodes_is_refused_before_anything_is_allocated() {
    let home = tempfile::tempdir().expect("a folder");
    run(&config(), home.path(), false).expect("a run");
    let mut policy = Policy::load(home.path()).expect("a policy");
    for episodes in [0, 65_537, usize::MAX] {
        let message = policy.evaluate(episodes, Seed(1)).expect_err("impossible").to_string();
        assert_eq!(message, format!("episodes = {episodes} is impossible: it must be 1 to 65536"));
    }
}

#[test]
fn settings_that_are_wrong_say_what_would_be_right() {
    for (toml, expected) in [
        ("gama = 0.9", "`gamma`"),
        ("algo = 'pppo'", "did you mean `ppo`"),
        ("optimizer = 'adan'", "did you mean `adam`"),
        ("algo = 3", "name in quotes"),
        ("gamma = 2.0", "gamma = 2 is impossible"),
        ("lr = -1.0", "lr = -1 is impossible"),
        ("lr = nan", "lr = NaN is impossible"),
        ("optimizer = 'adam(beta1=1)'", "adam: beta1 = 1 is impossible"),
        ("envs = 0", "envs = 0 is impossible"),
        ("hidden = [64, 0]", "hidden = [64, 0] is impossible"),
        ("max_grad_norm = 0.0", "max_grad_norm = 0 is impossible"),
        ("algo = 'reinforce'\nepisodes = 6", "multiple of envs"),
        ("device = 'gpu'", "`gpu` is no device"),
        ("lr = 'fast'", "lr"),
        ("lr = ", "TOML"),
    ] {
        let error = Config::from_toml(toml).expect_err(toml).to_string();
        assert!(error.contains(expected), "{toml}: {error}");
    }
    let config = Config { env: "CartPole-v2".into(), ..config() };
    let error = Trainer::new(&config).err().expect("no such environment").to_string();
    assert!(error.contains("did you mean `CartPole-v1`"), "{error}");
}

/// By the loop of one's own, which saves nothing before the end, and where somebody made room.
#[test]
fn what_has_ended_can_be_trained_on_and_loses_nothing_without_its_checkpoints() {
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("run");
    run(&config(), &path, false).expect("a run");
    let (again, trainer, _) = RunFolder::resume(&path, Trainer::new).expect("its last checkpoint");
    assert!(again.is_finished(&trainer));
    drop((again, trainer));
    fs::remove_dir_all(path.join("checkpoints")).expect("checkpoints");
    let kept = |name: &str| fs::read(path.join(name)).expect("a file");
    let before = ["metrics.csv", "policy.safetensors", "summary.json", "config.toml"].map(kept);
    for refused in [
        RunFolder::resume(&path, Trainer::new).map(drop),
        RunFolder::continue_for(&path, 1_000, Trainer::new).map(drop),
    ] {
        let said = refused.expect_err("no checkpoint").to_string();
        assert!(said.contains("this run has ended, and left no checkpoint to go on from"), "{said}");
    }
    assert_eq!(["metrics.csv", "policy.safetensors", "summary.json", "config.toml"].map(kept), before);
}
