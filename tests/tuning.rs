//! Searches for hyper-parameters: the same tables however they are run, the right trials gone on with, each run what it is
//! alone, and nothing reported on a seed that was tuned on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rand::RngExt;
use uphill::tuning::{Found, Sampler, Search, State, Trial, Tuner};
use uphill::{Config, Seed, Threads, Trainer, algo};

mod programs;

/// Runs of some milliseconds, whose learning rate falls over all of their steps.
const TINY: &str = "
    algo = 'a2c'
    env = 'GridWorld-4x4-v0'
    steps = 1_200
    hidden = [8]
    envs = 2
    [tune]
    trials = 9
    seeds = 2
    report_seeds = [5, 7]
    [tune.ranges]
    lr = { low = 1e-4, high = 1e-1, log = true }
    n_steps = { low = 4, high = 32 }
    optimizer = ['adam', 'rmsprop', 'sgd']
";

fn search(text: &str) -> Search {
    Search::from_toml(text).expect("a search")
}

fn run_in(folder: &Path, search: &Search, threads: usize) -> Found {
    let tuner = Tuner::open(search.clone(), folder).expect("a folder");
    tuner.run(&Threads::new(threads).expect("threads"), true).expect("trials")
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        let name = entry.file_name().expect("a name").to_string_lossy().into_owned();
        if entry.is_dir() {
            found.extend(files(&entry).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            found.insert(name, std::fs::read(&entry).expect("a file"));
        }
    }
    found
}

/// The configuration of a trial as a user writes it.
fn alone(trial: &Trial, seed: u64, text: &str) -> Config {
    let mut table = Config::parse_toml(text).expect("TOML");
    let Some(toml::Value::Table(tune)) = table.remove("tune") else { panic!("no [tune]") };
    let names = tune["ranges"].as_table().expect("ranges").keys().cloned();
    table.extend(names.zip(trial.values.iter().cloned()));
    table.insert("seed".into(), (seed as i64).into());
    Config::from_table(table).expect("a configuration")
}

/// What a run has come to at the first update that reaches so many steps.
fn return_at(config: &Config, steps: u64) -> f64 {
    let mut trainer = Trainer::new(config).expect("a trainer");
    let mut last = None;
    while trainer.env_steps() < steps {
        last = trainer.step().expect("an update").expect("an update").episode_return_mean;
    }
    let random = config.known_returns().expect("returns").expect("known").0;
    last.unwrap_or(random)
}

#[test]
fn the_folder_is_the_same_for_any_number_of_threads() {
    for sampler in ["sobol", "tpe"] {
        let search = search(&TINY.replace("trials = 9", &format!("trials = 11\nsampler = '{sampler}'")));
        let homes = [1, 2, 5].map(|threads| {
            let home = tempfile::tempdir().expect("a folder");
            run_in(home.path(), &search, threads);
            files(home.path())
        });
        assert_eq!(homes[0].keys().collect::<Vec<_>>(), homes[1].keys().collect::<Vec<_>>());
        assert!(homes[0] == homes[1] && homes[0] == homes[2], "{sampler}");
        assert!(homes[0].keys().all(|name| !name.ends_with("safetensors")), "no state is left of runs that are over");
    }
}

#[test]
fn the_best_of_each_rung_go_on_and_every_run_is_what_it_is_alone() {
    let home = tempfile::tempdir().expect("a folder");
    let found = run_in(home.path(), &search(TINY), 2);
    let score = |trial: &Trial, steps| {
        let scores = [1_001, 1_002].map(|seed| return_at(&alone(trial, seed, TINY), steps));
        (scores[0] + scores[1]) / 2.0
    };
    let mut alive: Vec<usize> = (0..9).collect();
    for (steps, survivors) in [(133, 3), (400, 1), (1_200, 1)] {
        let scores: Vec<f64> = alive.iter().map(|&i| score(&found.trials[i], steps)).collect();
        let mut order: Vec<usize> = (0..alive.len()).collect();
        // Stable: of equals the first goes on.
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let next: BTreeSet<usize> = order[..survivors].iter().map(|&place| alive[place]).collect();
        for (place, &i) in alive.iter().enumerate() {
            let trial = &found.trials[i];
            let ended = if steps == 1_200 { State::Complete } else { State::Pruned };
            if steps == 1_200 || !next.contains(&i) {
                assert_eq!((trial.state, trial.steps, trial.score), (ended, steps, Some(scores[place])), "{trial:?}");
            } else {
                assert!(trial.steps > steps, "{trial:?}");
            }
        }
        alive.retain(|i| next.contains(i));
    }
    let best = found.best().expect("a best trial");
    assert_eq!((best.state, best.number), (State::Complete, alive[0] + 1));
    // And on the fresh seeds.
    let report = found.report.as_ref().expect("a report");
    let scores: Vec<Option<f64>> = report.runs.iter().map(|run| run.score).collect();
    assert_eq!(scores, [5, 7].map(|seed| Some(return_at(&alone(best, seed, TINY), 1_200))));
    let mean = report.mean.expect("an interval");
    assert!((mean.point - scores.iter().flatten().sum::<f64>() / 2.0).abs() < 1e-12);
    assert!(mean.low <= mean.point && mean.point <= mean.high);
    // `train --config` takes it as it is.
    let text = std::fs::read_to_string(home.path().join("best.toml")).expect("a file");
    assert_eq!(Config::from_toml(&text).expect("a configuration"), alone(best, 5, TINY));
}

#[test]
fn other_objectives_are_what_they_are_alone_and_looking_changes_nothing() {
    let text = TINY.replace("trials = 9", "trials = 3\nrungs = 2\neta = 2");
    let of = |objective: &str, text: &str| {
        let home = tempfile::tempdir().expect("a folder");
        run_in(home.path(), &search(&text.replace("[tune]", &format!("[tune]\nobjective = {objective}"))), 2)
    };
    // Where an evaluation depends on its seed.
    let poles = text.replace("GridWorld-4x4-v0", "CartPole-v1");
    let evaluated = of("'eval_return'\neval_episodes = 4", &poles);
    let best = evaluated.best().expect("a best trial");
    for (&score, seed) in best.scores.iter().zip([1_001, 1_002]) {
        let mut trainer = Trainer::new(&alone(best, seed, &poles)).expect("a trainer");
        while trainer.step().expect("an update").is_some() {}
        let evaluation = trainer.into_policy().expect("a policy").evaluate(4, Seed(seed)).expect("an evaluation");
        assert_eq!(score, evaluation.return_mean);
    }
    let found = of("'area'", &text);
    let best = found.best().expect("a best trial");
    for (&score, seed) in best.scores.iter().zip([1_001, 1_002]) {
        let config = alone(best, seed, TINY);
        let random = config.known_returns().expect("returns").expect("known").0;
        let mut trainer = Trainer::new(&config).expect("a trainer");
        let mut curve = vec![random];
        while let Some(metrics) = trainer.step().expect("an update") {
            // A point each 12 steps.
            while curve.len() <= 100 && metrics.env_steps >= 12 * curve.len() as u64 {
                curve.push(metrics.episode_return_mean.unwrap_or(random));
            }
        }
        let area: f64 = curve.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).sum::<f64>() / 100.0;
        assert!((score.expect("a score") - area).abs() < 1e-9, "{score:?} {area}");
    }
}

#[test]
fn a_trial_that_diverges_is_the_worst_and_is_listed() {
    let text = TINY.replace("lr = { low = 1e-4, high = 1e-1, log = true }", "lr = [1e-3, 1e30]");
    let text = text.replace("optimizer = ['adam', 'rmsprop', 'sgd']", "");
    let home = tempfile::tempdir().expect("a folder");
    let found = run_in(home.path(), &search(&text), 2);
    let (bad, good): (Vec<&Trial>, Vec<&Trial>) =
        found.trials.iter().partition(|trial| trial.values[0].as_float() == Some(1e30));
    assert!(!bad.is_empty() && bad.iter().all(|trial| trial.state == State::Diverged && trial.score.is_none()));
    assert!(good.iter().all(|trial| trial.state != State::Diverged && trial.score.is_some()));
    let last = &found.ranked()[good.len()..];
    assert!(last.iter().all(|trial| trial.state == State::Diverged));
    let table = std::fs::read_to_string(home.path().join("trials.csv")).expect("a table");
    assert_eq!(
        table.lines().filter(|row| row.contains(",diverged,") && row.contains("seed 1001, update ")).count(),
        bad.len()
    );
    assert!(found.best().is_some_and(|best| best.values[0].as_float() == Some(1e-3)));

    // Where all do, there is nothing to report.
    let home = tempfile::tempdir().expect("a folder");
    let found = run_in(home.path(), &search(&text.replace("[1e-3, 1e30]", "[1e29, 1e30]")), 2);
    assert!(found.best().is_none() && found.report.is_none() && found.config().expect("none").is_none());
    assert_eq!(found.endings(), "9 trials: 0 complete, 0 pruned, 9 diverged");
    assert!(home.path().join("trials.csv").exists() && !home.path().join("best.toml").exists());
}

#[test]
fn no_trial_is_run_on_a_seed_that_is_reported() {
    let home = tempfile::tempdir().expect("a folder");
    let found = run_in(home.path(), &search(TINY), 2);
    let best = found.best().expect("a best trial").number;
    let mut reported = BTreeSet::new();
    for name in files(&home.path().join("trials")).into_keys() {
        let (trial, seed) = name.trim_end_matches(".toml").split_once("-s").expect("a trial and a seed");
        let (trial, seed): (usize, u64) = (trial.parse().expect("a number"), seed.parse().expect("a number"));
        if [5, 7].contains(&seed) {
            reported.insert((trial, seed));
        } else {
            assert!([1_001, 1_002].contains(&seed), "{name}");
        }
    }
    assert_eq!(reported, BTreeSet::from([(best, 5), (best, 7)]));
    let shared = TINY.replace("report_seeds = [5, 7]", "report_seeds = [5, 1002]");
    let problem = Search::from_toml(&shared).expect_err("a shared seed").to_string();
    assert!(problem.contains("tune.seeds: 1002 is among report_seeds too"), "{problem}");
}

#[test]
fn a_search_may_grow_and_is_then_what_a_larger_one_is() {
    let (small, large) = (search(TINY), search(&TINY.replace("trials = 9", "trials = 20")));
    let [grown, whole] = [0; 2].map(|_| tempfile::tempdir().expect("a folder"));
    run_in(grown.path(), &small, 2);
    let known = std::fs::metadata(grown.path().join("trials/0009-s1001.toml")).expect("a file").modified().ok();
    run_in(grown.path(), &large, 2);
    let after = std::fs::metadata(grown.path().join("trials/0009-s1001.toml")).expect("a file").modified().ok();
    assert_eq!(known, after, "what is finished stays");
    run_in(whole.path(), &large, 2);
    for name in ["trials.csv", "report.csv", "best.toml", "tuning.svg", "search.toml"] {
        assert_eq!(files(grown.path()).get(name), files(whole.path()).get(name), "{name}");
    }
    // Smaller, or otherwise, it is another one.
    for (other, difference) in [
        (TINY.to_string(), "tune.trials was 20 and is 9"),
        (TINY.replace("trials = 9", "trials = 20\neta = 2"), "tune.eta was 3 and is 2"),
        (TINY.replace("trials = 9", "trials = 20").replace("1_200", "1_300"), "steps was 1200 and is 1300"),
        (
            TINY.replace("trials = 9", "trials = 20").replace("high = 32", "high = 33"),
            "tune.ranges.n_steps.high was 32 and is 33",
        ),
    ] {
        let problem = Tuner::open(search(&other), grown.path()).expect_err("another search").to_string();
        assert!(problem.contains(&format!("holds another search: {difference}: give --out")), "{problem}");
    }
    std::fs::remove_file(grown.path().join(".uphill")).expect("a marker");
    let problem = Tuner::open(large, grown.path()).expect_err("no search's").to_string();
    assert!(problem.contains("no search made this"), "{problem}");
}

#[test]
fn damaged_files_are_made_again() {
    let home = tempfile::tempdir().expect("a folder");
    let search = search(TINY);
    run_in(home.path(), &search, 2);
    let whole = files(home.path());
    let cut = home.path().join("trials/0001-s1001.toml");
    let text = std::fs::read_to_string(&cut).expect("a file");
    std::fs::write(&cut, &text[..text.len() / 2]).expect("a file");
    std::fs::write(home.path().join("trials/0002-s1001.toml"), &text).expect("a file");
    std::fs::remove_file(home.path().join("trials/0003-s1002.toml")).expect("a file");
    // States of runs that are not there any more, or are none.
    std::fs::write(home.path().join("trials/0002-s1001-133.safetensors"), "none").expect("a file");
    run_in(home.path(), &search, 2);
    assert!(files(home.path()) == whole);
}

#[test]
fn a_search_that_was_killed_and_begun_again_is_the_one_that_was_not() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("tune.toml");
    std::fs::write(&file, TINY.replace("1_200", "4_000")).expect("a file");
    let tune = |out: &str| {
        let mut program = programs::example("uphill");
        program.current_dir(home.path()).args([
            "tune",
            "--config",
            "tune.toml",
            "--quiet",
            "--threads",
            "2",
            "--out",
            out,
        ]);
        program.stdout(Stdio::null()).stderr(Stdio::null());
        program
    };
    let begun = Instant::now();
    assert!(tune("whole").status().expect("the program runs").success());
    let whole = begun.elapsed().as_secs_f64();
    let mut rng = Seed(11).stream("kills", 0);
    let mut kills = 0;
    for _ in 0..30 {
        let mut child = tune("broken").spawn().expect("the program starts");
        // Less of it than is left, so that most of them hit.
        std::thread::sleep(Duration::from_secs_f64(whole * 0.3 * rng.random::<f64>()));
        let running = child.try_wait().expect("its state").is_none();
        child.kill().expect("a kill");
        child.wait().expect("its end");
        kills += usize::from(running);
        if kills >= 12 || !running {
            break;
        }
    }
    assert!(kills >= 3, "{kills} kills");
    assert!(tune("broken").status().expect("the program runs").success());
    let [whole, broken] = ["whole", "broken"].map(|name| files(&home.path().join(name)));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&whole), names(&broken));
    for (name, bytes) in &whole {
        assert!(broken.get(name) == Some(bytes), "{name} after {kills} kills");
    }
}

#[test]
fn a_file_says_all_of_a_search_and_every_algorithm_has_ranges_of_its_own() {
    for row in algo::ROWS {
        let search = Search::from_toml(&format!("algo = '{}'\nsteps = 100_000", row.name)).expect(row.name);
        assert!(search.ranges.iter().any(|(name, _)| name == "lr"), "{}", row.name);
        assert!((search.trials, search.sampler) == (32, Sampler::Sobol));
        assert_eq!(Search::from_toml(&search.to_toml().expect("TOML")).expect("the same"), search, "{}", row.name);
    }
    for text in [TINY.to_string(), TINY.replace("trials = 9", "trials = 9\nsampler = 'tpe'\nobjective = 'eval_return'")]
    {
        let search = search(&text);
        assert_eq!(Search::from_toml(&search.to_toml().expect("TOML")).expect("the same"), search);
    }
    // That of the page on tuning.
    let page = include_str!("../docs/tuning.md");
    let text = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("a file");
    assert_eq!(search(text).ranges.len(), 5);
    assert!(search(text).described().expect("a plan").contains("96 runs to step 11111, 30 runs to step 33333"));
    let search = Search::from_toml("algo = 'stream_ac'\nent_coef = 0").expect("a search");
    let names = search.ranges.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["kappa_policy", "kappa_value", "lr", "trace_lambda"]);
    // What is said is not searched.
    let search = Search::from_toml("algo = 'ppo'\nlr = 1e-3").expect("a search");
    assert_eq!(search.ranges.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["ent_coef", "gae_lambda"]);
}

#[test]
fn another_seed_of_the_search_draws_other_trials() {
    let values = |text: &str| {
        let home = tempfile::tempdir().expect("a folder");
        let found = run_in(home.path(), &search(text), 2);
        found.trials.into_iter().map(|trial| trial.values).collect::<Vec<_>>()
    };
    let small = TINY.replace("1_200", "585").replace("trials = 9", "trials = 4");
    let own = values(&small);
    for change in ["search_seed = 2", "sampler = 'random'"] {
        let other = values(&small.replace("[tune]", &format!("[tune]\n{change}")));
        assert!(own.iter().zip(&other).all(|(one, another)| one != another), "{change}");
    }
}

#[test]
fn a_first_rung_within_the_first_rollout_is_refused_with_the_least_steps_that_are_right() {
    let rollouts = "envs = 4\nn_steps = 32";
    for (settings, tune, least) in [
        (rollouts, "", 129 * 9),
        (rollouts, "objective = 'eval_return'", 128 * 9),
        (rollouts, "eta = 2\nrungs = 2", 129 * 2),
        (rollouts, "pruner = 'none'", 129),
        (rollouts, "sampler = 'tpe'", 129),
        ("envs = 4", "ranges = { n_steps = [16, 64] }", 257 * 9),
        ("algo = 'a2c'\nenvs = 4\nn_steps = 8", "", 33 * 9),
        // One that learns within an update has nothing to wait for but its end.
        ("algo = 'stream_ac'\nenvs = 2\nn_steps = 32", "", 64 * 9),
        // How long whole episodes are shows when they are played.
        ("algo = 'reinforce'\nenvs = 4", "", 9 * 9),
    ] {
        let of = |steps: u64| Search::from_toml(&format!("{settings}\nsteps = {steps}\n[tune]\n{tune}"));
        of(least).expect(settings);
        let message = of(least - 1).expect_err(settings).to_string();
        let said = message.contains("all trials are what they began as")
            && message.contains(&format!("take {least} steps or more"));
        assert!(said, "{settings} {tune}: {message}");
        assert_eq!(message.ends_with("fewer rungs"), !tune.contains("none") && !tune.contains("tpe"), "{message}");
    }
}

#[test]
fn trials_that_nothing_tells_apart_are_said_to_be_so() {
    let home = tempfile::tempdir().expect("a folder");
    for (env, is_said) in [("MountainCar-v0 | time_limit(20)", true), ("CartPole-v1 | time_limit(20)", false)] {
        let mut program = programs::example("uphill");
        program.current_dir(home.path()).args(["tune", "--env", env, "--algo", "reinforce", "--out"]);
        let output = program.arg(if is_said { "same" } else { "other" }).args([
            "--steps",
            "900",
            "--hidden",
            "4",
            "--trials",
            "3",
            "--seeds",
            "1",
            "--report-seeds",
            "1",
        ]);
        let output = output.output().expect("the program runs");
        let said = String::from_utf8(output.stderr).expect("text");
        assert!(output.status.success(), "{said}");
        let note = "step 100: all 3 trials have the score -20, and nothing tells them apart: the first of them go on";
        assert_eq!(said.contains(note), is_said, "{said}");
    }
}
