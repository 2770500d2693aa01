//! Comparisons of optimizers: the same tables however they are run, every run kept, and what bad grids are told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use uphill::benchmark::write_report;
use uphill::benchmark::{Benchmark, Grid, LrGrid, Measure, Outcome, Protocol, Results, Seeds, Stage, Status, Task};
use uphill::envs::{Action, make};
use uphill::{Config, Seed, Threads, Trainer};

mod programs;

fn compare_optimizers() -> Command {
    programs::example("compare_optimizers")
}

/// Both protocols and a sweep on a small world: 2 optimizers x (2 + 2 + 2·2 + 2·1) runs of some milliseconds.
const TINY: &str = "
    title = 'Tiny'
    algos = ['a2c']
    optimizers = ['sgd', 'adam(lr=2e-3, eps=1e-5)']
    seeds = [3, 4]
    curve_points = 10
    eval_episodes = 3
    sweep = { multiples = [1.0, 10.0] }
    settings = { steps = 400, hidden = [8] }
    tuning = { trials = 2, seeds = [7], lr = { multiples = [1.0, 3.0] } }
    tasks = [{ env = 'GridWorld-4x4-v0' }]
";

fn grid(text: &str) -> Grid {
    Grid::from_toml(text).expect("a grid")
}

fn run_in(folder: &Path, grid: &Grid, threads: usize) -> Results {
    let benchmark = Benchmark::open(grid.clone(), folder, false).expect("a folder");
    benchmark.run(&Threads::new(threads).expect("threads"), true).expect("results")
}

fn tables(folder: &Path) -> [String; 2] {
    ["results.csv", "curves.csv"].map(|name| std::fs::read_to_string(folder.join(name)).expect("a table"))
}

fn cells(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("cells")).expect("cells");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

#[test]
fn the_tables_do_not_depend_on_the_number_of_threads() {
    let homes = [1, 2, 5].map(|threads| {
        let home = tempfile::tempdir().expect("a folder");
        run_in(home.path(), &grid(TINY), threads);
        home
    });
    let [one, two, five] = homes.each_ref().map(|home| tables(home.path()));
    assert_eq!(one, two);
    assert_eq!(one, five);
    assert_eq!(one[0].lines().count(), 1 + 2 * (2 + 4 + 2 + 2));
    assert_eq!(one[1].lines().count(), 1 + 10 * 2 * (2 + 4 + 2 + 2));
}

#[test]
fn a_run_of_the_grid_is_what_a_trainer_gives_alone() {
    let home = tempfile::tempdir().expect("a folder");
    let results = run_in(home.path(), &grid(TINY), 2);
    let adam = "adam(lr=0.002, eps=1e-5)";
    for run in results.of(Stage::Defaults, "GridWorld-4x4-v0", "a2c", adam) {
        // As documented: the learning rate is the optimizer's own, and annealed as every other's.
        let config = Config {
            env: run.task.clone().into(),
            steps: 400,
            hidden: vec![8],
            ..Config::for_algo("a2c").expect("a2c")
        };
        let optimizer = "adam(eps=1e-5)".parse().expect("a spec");
        let config = Config { optimizer, lr: 2e-3, seed: run.seed, threads: 3, ..config };
        let mut trainer = Trainer::new(&config).expect("a trainer");
        let mut curve = Vec::new();
        let mut updates = 0;
        while let Some(metrics) = trainer.step().expect("an update") {
            // 40 steps an update, and a point each 40 steps; before an episode has ended, the random policy's return.
            curve.push(metrics.episode_return_mean.unwrap_or(run.scale.random()));
            updates = metrics.update;
        }
        assert_eq!((run.curve.clone(), run.updates, run.status), (curve.clone(), updates, Status::Finished));
        assert_eq!(Some(&run.final_return), curve.last());
        assert_eq!(
            (run.episodes, run.solved_at_step),
            (trainer.history().episodes(), trainer.history().solved_at_step())
        );
        let evaluation = trainer.into_policy().expect("a policy").evaluate(3, Seed(run.seed)).expect("an evaluation");
        assert_eq!(Some(run.eval_return), evaluation.return_mean);
        let score = |x: f64| (x - run.scale.random()) / (0.995 - run.scale.random());
        // Trapezia from a score of 0 at step 0 on.
        let sum: f64 = curve.iter().map(|&x| score(x)).sum();
        let area = (sum - score(curve[9]) / 2.0) / 10.0;
        assert!((run.area - area).abs() < 1e-6, "{} {area}", run.area);
    }
}

#[test]
fn protocols_give_every_optimizer_its_own_default_and_the_same_number_of_trials() {
    let home = tempfile::tempdir().expect("a folder");
    let text = TINY.replace("'sgd',", "'sgd', 'rmsprop', 'trac(adam)', 'adam(lr=0.1) | ema(0.9)',");
    let results = run_in(home.path(), &grid(&text), 2);
    let tidy = |lr: f64| format!("{lr:.9e}").parse::<f64>().expect("a number");
    let lr = |optimizer: &str, stage| {
        let runs = results.of(stage, "GridWorld-4x4-v0", "a2c", optimizer);
        runs.map(|run| run.lr.expect("a learning rate")).collect::<Vec<_>>()
    };
    for (optimizer, default) in [
        ("sgd", 0.1),
        ("rmsprop", 7e-4),
        ("trac(adam)", 1e-3),
        ("adam(lr=0.1) | ema(0.9)", 0.1),
        ("adam(lr=0.002, eps=1e-5)", 2e-3),
    ] {
        let (ten, three) = (tidy(10.0 * default), tidy(3.0 * default));
        assert_eq!(lr(optimizer, Stage::Defaults), [default; 2], "{optimizer}");
        assert_eq!(lr(optimizer, Stage::Sweep), [default, default, ten, ten], "{optimizer}");
        assert_eq!(lr(optimizer, Stage::Tuning), [default, three], "{optimizer}");
        // The winner has the larger area on the tuning seeds; of equals it is the smaller learning rate.
        let area = |run: &uphill::benchmark::Run| run.area;
        let areas: Vec<f64> = results.of(Stage::Tuning, "GridWorld-4x4-v0", "a2c", optimizer).map(area).collect();
        let best = if areas[1] > areas[0] { three } else { default };
        assert_eq!(lr(optimizer, Stage::Tuned), [best; 2], "{optimizer}: {areas:?}");
    }
}

#[test]
fn equal_trials_are_won_by_the_smaller_learning_rate() {
    let home = tempfile::tempdir().expect("a folder");
    // Learning rates so small that no bit of any return changes.
    let text = TINY.replace("[1.0, 3.0]", "[1e-30, 1e-33]").replace("multiples = [1.0, 10.0]", "values = []");
    let results = run_in(home.path(), &grid(&text), 2);
    let tuned: Vec<_> = results.of(Stage::Tuned, "GridWorld-4x4-v0", "a2c", "sgd").map(|run| run.lr).collect();
    assert_eq!(tuned, [Some(1e-34); 2]);
}

#[test]
fn searches_draw_as_many_points_for_all_and_refuse_too_small_spaces() {
    let wide = TINY.replace(
        "trials = 2, ",
        "trials = 3, search = { sgd = { weight_decay = [0, 0.1], lr = [0.2, 0.4] }, \
        'adam(lr=0.002, eps=1e-5)' = { beta1 = [0.5, 0.9] } }, ",
    );
    let cells = grid(&wide).cells().expect("cells");
    let tried = |name: &str| {
        let own = cells.iter().filter(|cell| cell.stage == Stage::Tuning && cell.trial.optimizer.starts_with(name));
        own.map(|cell| format!("{} {:?}", cell.trial.spec, cell.trial.lr.expect("lr"))).collect::<BTreeSet<_>>()
    };
    let (sgd, adam) = (tried("sgd"), tried("adam"));
    assert_eq!((sgd.len(), adam.len()), (3, 3));
    let space = [(0, "0.2"), (0, "0.4"), (1, "0.2"), (1, "0.4")];
    let space = space.map(|(decay, lr)| format!("sgd(weight_decay={}) {lr}", ["0", "0.1"][decay]));
    assert!(sgd.iter().all(|tried| space.contains(tried)), "{sgd:?}");
    assert!(adam.iter().all(|tried| tried.starts_with("adam(eps=1e-5, beta1=0.")), "{adam:?}");
    let message = Grid::from_toml(&TINY.replace("trials = 2", "trials = 3")).expect_err("too few").to_string();
    assert!(message.starts_with("sgd has 2 points to try, tuning.trials = 3: list more learning rates"), "{message}");
}

#[test]
fn what_is_lost_cut_off_or_changed_is_run_again() {
    let home = tempfile::tempdir().expect("a folder");
    run_in(home.path(), &grid(TINY), 2);
    let (before, files) = (tables(home.path()), cells(home.path()));
    let stamp = |path: &PathBuf| std::fs::read_to_string(path).expect("a cell");
    let contents: Vec<String> = files.iter().map(stamp).collect();
    // What has no effect on a run is not there.
    assert!(!contents.concat().contains("clip_observation"), "{}", contents[0]);
    // Lost; empty; cut off within the curve; a digit changed; another run's.
    std::fs::remove_file(&files[0]).expect("removed");
    std::fs::write(&files[1], "").expect("written");
    std::fs::write(&files[2], &contents[2][..contents[2].len() - 3]).expect("written");
    std::fs::write(&files[3], contents[3].replacen("\nupdates = ", "\nupdates = 1", 1)).expect("written");
    std::fs::write(&files[4], &contents[5]).expect("written");
    // Left by a process that was killed while it wrote.
    std::fs::write(home.path().join("cells/.half.toml.1.tmp"), "half").expect("written");
    std::fs::remove_file(home.path().join("results.csv")).expect("removed");
    run_in(home.path(), &grid(TINY), 2);
    assert_eq!(tables(home.path()), before);
    // All others were read, not run again: the seconds in their files are the old ones.
    for (path, content) in files.iter().zip(&contents).skip(5) {
        assert_eq!(&stamp(path), content, "{}", path.display());
    }
    assert_ne!(stamp(&files[1]), "");
}

#[test]
fn a_grid_may_grow_but_not_change_without_force() {
    let home = tempfile::tempdir().expect("a folder");
    run_in(home.path(), &grid(TINY), 2);
    let before = cells(home.path());
    let larger = TINY.replace("[3, 4]", "[3, 4, 5]").replace("['sgd',", "['sgd', 'lion',");
    let results = run_in(home.path(), &grid(&larger), 2);
    assert_eq!(results.runs.len(), 3 * (3 * (1 + 2 + 1) + 2));
    assert!(before.iter().all(|path| path.exists()));
    let fresh = tempfile::tempdir().expect("a folder");
    run_in(fresh.path(), &grid(&larger), 1);
    assert_eq!(tables(home.path()), tables(fresh.path()), "grown or at once, the tables are the same");

    let now = tables(home.path());
    for (other, problem) in [
        (TINY.to_string(), "optimizers had lion, as this grid has not"),
        (larger.replace("steps = 400", "steps = 500"), "settings.steps was 400 and is 500"),
        (larger.replace("trials = 2", "trials = 1"), "tuning.trials was 2 and is 1"),
        (larger.replace("[3, 4, 5]", "[3, 4]"), "seeds had 5, as this grid has not"),
        (larger.replace("curve_points = 10", "curve_points = 20"), "curve_points was 10 and is 20"),
    ] {
        let refused = Benchmark::open(grid(&other), home.path(), false).expect_err("another grid").to_string();
        let expected = format!("grid.toml: this folder holds another comparison: {problem}: give --force");
        assert!(refused.contains(&expected), "{refused}");
        assert_eq!(tables(home.path()), now, "a refusal touches nothing");
    }
    Benchmark::open(grid(TINY), home.path(), true).expect("forced");
    assert!(!home.path().join("results.csv").exists(), "tables of another grid are gone");
    run_in(home.path(), &grid(TINY), 2);
    assert_eq!(tables(home.path())[0].lines().count(), 1 + 2 * (2 + 4 + 2 + 2));
}

#[test]
fn runs_that_diverge_are_kept_and_say_so() {
    let home = tempfile::tempdir().expect("a folder");
    let text = TINY
        .replace("multiples = [1.0, 10.0]", "values = [0.1, 1e38]")
        .replace("hidden", "max_grad_norm = inf, hidden");
    let results = run_in(home.path(), &grid(&text), 2);
    let runs: Vec<_> = results.of(Stage::Sweep, "GridWorld-4x4-v0", "a2c", "sgd").collect();
    assert_eq!(runs.len(), 4);
    for run in &runs[..2] {
        assert_eq!((run.status, run.diverged_update), (Status::Finished, None));
    }
    for run in &runs[2..] {
        assert_eq!(run.status, Status::Diverged);
        let update = run.diverged_update.expect("an update");
        assert_eq!(run.updates, update - 1);
        assert!(run.diverged_what.is_some());
        // From there on it counts as the random policy.
        let reached = usize::try_from(run.updates).expect("few");
        assert!(reached < 10);
        assert_eq!(run.curve[reached..], vec![run.scale.random(); 10 - reached]);
        assert_eq!((run.final_score, run.eval_score), (0.0, 0.0));
    }
    let table = &tables(home.path())[0];
    assert_eq!(table.lines().filter(|line| line.contains(",diverged,")).count(), 2 * 2, "sgd and adam, two seeds");
    write_report(&results, home.path()).expect("written");
    let report = std::fs::read_to_string(home.path().join("report.md")).expect("a report");
    assert!(report.contains("| `sgd` | 2 / 0 / 0 | 2 / 0 / 2 |"), "{report}");
    assert!(report.contains("**2 seeds are too few for a claim"), "{report}");
}

#[test]
fn a_policy_that_is_worth_less_than_a_random_one_after_training_has_collapsed() {
    let home = tempfile::tempdir().expect("a folder");
    let text = "
        optimizers = ['adam']
        protocols = []
        seeds = [1, 2, 3]
        sweep = { values = [1e-9, 3.0] }
        settings = { steps = 3000, hidden = [16] }
        tasks = [{ env = 'CartPole-v1' }]";
    let results = run_in(home.path(), &grid(text), 2);
    let ended = |lr: f64| {
        let runs = results.runs.iter().filter(|run| run.lr == Some(lr));
        runs.map(|run| (run.status, run.final_return)).collect::<Vec<_>>()
    };
    assert!(ended(1e-9).iter().all(|(status, _)| *status == Status::Finished), "slow is not collapsed");
    let large = ended(3.0);
    let collapsed: Vec<_> = large.iter().filter(|(status, _)| *status == Status::Collapsed).collect();
    assert!(!collapsed.is_empty(), "{large:?}");
    // A pole that is always pushed to one side falls within 8 to 11 steps: the run keeps its own score.
    assert!(collapsed.iter().all(|(_, final_return)| *final_return < 22.0), "{large:?}");
}

#[test]
fn grids_are_the_same_after_toml() {
    for grid in [grid(TINY), Grid::default(), Grid { seeds: Seeds::List(vec![1, 5]), ..Grid::default() }] {
        assert_eq!(Grid::from_toml(&grid.to_toml().expect("toml")).expect("a grid"), grid);
    }
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/comparing.md")).expect("the page");
    let example = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    assert_eq!(grid(example).tuning.search.len(), 1);
    let study = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/studies/optimizers/grid.toml"));
    let study = grid(&study.expect("the study's grid"));
    assert!(study.optimizers.len() >= 12 && study.tasks.len() >= 3 && study.algos == ["ppo", "a2c"]);
    assert!(study.seeds.count() >= 10 && study.protocols == [Protocol::Defaults, Protocol::Tuned]);
}

#[test]
fn bad_grids_are_told_what_is_wrong_with_them() {
    for (from, to, problem) in [
        ("seeds = [7]", "seeds = [4]", "tuning.seeds: 4 is among the reported seeds too"),
        ("seeds = [3, 4]", "seeds = [3, 3]", "seeds: 3 is there twice"),
        ("seeds = [3, 4]", "seeds = []", "seeds is empty"),
        ("'sgd',", "'sgd', 'sgd',", "optimizers: sgd is there twice"),
        ("'sgd',", "'sdg',", "there is no optimizer `sdg`; did you mean `sgd`?"),
        ("'sgd',", "'sgd(lr=cosine(1, 0))',", "sgd(lr=cosine(1, 0)) has no learning rate that could be varied"),
        ("['a2c']", "['a3c']", "there is no algorithm `a3c`; did you mean `a2c`?"),
        ("GridWorld-4x4-v0", "GridWorld-5x5-v0", "GridWorld-4x4-v0"),
        ("steps = 400", "steps = 0", "steps = 0 is impossible: it must be at least 1"),
        ("steps = 400", "stepz = 400", "there is no setting `stepz`; did you mean `steps`?"),
        ("steps = 400", "seed = 400", "settings has `seed`: it comes from `seeds`"),
        ("steps = 400", "lr = 0.1", "settings has `lr`: write it into the optimizer"),
        (
            "multiples = [1.0, 10.0]",
            "multiples = [-1.0]",
            "sweep holds -1: learning rates and their multiples are finite",
        ),
        ("curve_points = 10", "curve_points = 0", "curve_points = 0 is impossible: it must be 1 to 10000"),
        ("curve_points = 10", "curve_points = 401", "curve_points = 401 is impossible: the runs have 400 steps only"),
        ("curve_points = 10", "curve_pionts = 10", "there is no key `curve_pionts`; did you mean `curve_points`?"),
        (
            "trials = 2",
            "trials = 2, search = { sdg = {} }",
            "there is no optimizer in this grid `sdg`; did you mean `sgd`?",
        ),
        ("trials = 2", "trials = 2, search = { sgd = { beta1 = [1] } }", "tuning.search: sgd"),
        ("seeds = [3, 4]", "seeds = { first = 1, count = 9_000_000_000 }", "there may be 1000000 at most"),
        ("settings =", "algo_settings = { ppo = {} }\nsettings =", "algo_settings.ppo: ppo is none of algos"),
        ("{ env = 'GridWorld-4x4-v0' }", "{ env = 'W', settings = { gridworld = { map = 'SG' } } }", ""),
    ] {
        let text = TINY.replacen(from, to, 1);
        assert_ne!(text, TINY, "{from}");
        match Grid::from_toml(&text) {
            Err(e) => assert!(!problem.is_empty() && e.to_string().contains(problem), "{to}: {e}"),
            Ok(_) => assert_eq!(problem, "", "{to} passed"),
        }
    }
    let none = Grid { sweep: LrGrid::Values(vec![]), protocols: vec![], ..Grid::default() };
    assert!(none.validate().expect_err("nothing to run").to_string().contains("protocols is empty"));
    let ends = Task { random_return: Some(1.0), optimal_return: Some(0.0), ..Task::new("CartPole-v1") };
    let upside_down = Grid { tasks: vec![ends], ..Grid::default() };
    let message = upside_down.validate().expect_err("no scale").to_string();
    assert!(message.contains("random_return = 1, optimal_return = 0 is impossible"), "{message}");
}

#[test]
fn scores_are_0_for_a_random_policy_and_1_for_the_best() {
    let cells =
        grid(&TINY.replace("{ env = 'GridWorld-4x4-v0' }", "{ env = 'CartPole-v1' }, { env = 'FourRooms-v0' }"));
    let cells = cells.cells().expect("cells");
    for (env, episodes) in [("CartPole-v1", 3_000), ("FourRooms-v0", 200)] {
        let scale = cells.iter().find(|cell| cell.task == env).expect("a cell").scale;
        let optimum = if env == "CartPole-v1" { 500.0 } else { 0.81 };
        assert!((scale.optimal() - optimum).abs() < 1e-6, "{scale:?}");
        assert!((scale.normalise(scale.optimal()) - 1.0).abs() < 1e-12 && scale.normalise(scale.random()) == 0.0);
        // Random play agrees within four standard errors.
        let mut env = make(env).expect("an environment");
        let actions = if env.spec().observation_len() == 4 { 2 } else { 4 };
        let mut observation = vec![0.0; env.spec().observation_len()];
        let mut rng = Seed(1).stream("test", 0);
        let returns = (0..episodes).map(|episode| {
            let mut total = 0.0;
            env.reset((episode == 0).then_some(1), &mut observation).expect("a start");
            loop {
                let action = rand::RngExt::random_range(&mut rng, 0..actions);
                let step = env.step(Action::Discrete(action), &mut observation).expect("a step");
                total += f64::from(step.reward);
                if step.end.ended() {
                    return total;
                }
            }
        });
        let returns: Vec<f64> = returns.collect();
        let n = returns.len() as f64;
        let mean = returns.iter().sum::<f64>() / n;
        let error = (returns.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n / n).sqrt();
        assert!((mean - scale.random()).abs() < 4.0 * error, "{mean} ± {error}, {scale:?}");
    }
}

#[test]
fn a_failure_that_no_learning_rate_is_to_blame_for_stops_with_the_runs_name() {
    let config = Config { device: "cuda:99".into(), ..Config::for_algo("ppo").expect("ppo") };
    let measure = Measure { curve_points: 5, eval_episodes: 1 };
    assert!(Outcome::of(&config, measure).is_err());
    let error = uphill::Error::Run {
        run: "CartPole-v1-ppo-sgd-lr0.1-s1".into(),
        source: Box::new(Outcome::of(&config, measure).expect_err("no such device")),
    };
    assert!(error.to_string().starts_with("CartPole-v1-ppo-sgd-lr0.1-s1: "), "{error}");
}

#[test]
fn killed_ten_times_at_random_moments_it_ends_with_the_same_tables() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::write(home.path().join("grid.toml"), TINY.replace("[3, 4]", "{ first = 10, count = 12 }"))
        .expect("written");
    let compare = |out: &str| {
        let mut command = compare_optimizers();
        command.current_dir(home.path()).args(["--config", "grid.toml", "--threads", "2", "--out", out]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    // Once before, so that building it takes none of the time.
    drop(compare("whole"));
    let started = std::time::Instant::now();
    assert!(compare("whole").status().expect("it runs").success());
    let whole = started.elapsed();
    let mut rng = Seed(11).stream("test", 0);
    let mut killed = 0;
    for _ in 0..10 {
        let mut child = compare("killed").spawn().expect("it runs");
        // Most moments are within a run of the grid, some while the program starts.
        let share: f64 = rand::RngExt::random(&mut rng);
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * share * 0.25));
        let done = child.try_wait().expect("a child").is_some();
        child.kill().expect("killed");
        child.wait().expect("dead");
        killed += u32::from(!done);
    }
    let before = cells(&home.path().join("killed")).len();
    assert!(compare("killed").status().expect("it runs").success());
    assert_eq!(tables(&home.path().join("killed")), tables(&home.path().join("whole")));
    let statistics = |out: &str| std::fs::read(home.path().join(out).join("statistics.csv")).expect("a table");
    assert_eq!(statistics("killed"), statistics("whole"));
    for folder in ["killed", "killed/cells", "killed/pictures"] {
        let mut files =
            std::fs::read_dir(home.path().join(folder)).expect("a folder").map(|file| file.expect("a file").path());
        assert!(
            !files.any(|file| file.extension().is_some_and(|ending| ending == "tmp")),
            "{folder}: something is half written"
        );
    }
    assert!(killed >= 5, "killed {killed} times of ten; {before} files were there in the end");
}

#[test]
fn the_command_line_changes_the_grid_and_its_mistakes_are_told() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let output = compare_optimizers().current_dir(home.path()).args(arguments).output().expect("it runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (ok, listed, _) = run(&[
        "--tasks",
        "GridWorld-4x4-v0",
        "--algos",
        "a2c",
        "--optimizers",
        "sgd",
        "adam(eps=1e-5)",
        "--seeds",
        "5-6",
        "--protocols",
        "--lr",
        "1e-2",
        "1",
        "--steps",
        "200",
        "--list-cells",
    ]);
    assert!(ok);
    let expected = "sweep     GridWorld-4x4-v0-a2c-sgd-lr0.01-s5\nsweep     GridWorld-4x4-v0-a2c-sgd-lr0.01-s6\n";
    assert!(listed.starts_with(expected) && listed.lines().count() == 8, "{listed}");
    let (ok, told, _) = run(&["--tasks", "GridWorld-4x4-v0", "--steps", "600", "--optimizers", "sgd", "--dry-run"]);
    assert!(ok && told.starts_with("47 runs: 10 defaults, 27 tuning, 10 tuned\nabout "), "{told}");
    assert!(std::fs::read_dir(home.path()).expect("a folder").next().is_none(), "asking leaves nothing behind");
    for (arguments, problem) in [
        (vec!["--optimizers", "adm"], "error: there is no optimizer `adm`; did you mean `adam`?"),
        (vec!["--seeds", "990-1010"], "error: tuning.seeds: 1001 is among the reported seeds too"),
        (vec!["--seeds", "few"], "such as 10 (1 to 10), 5-14 or 3,7"),
        (vec!["--config", "none.toml"], "error: none.toml: "),
        (vec!["--threads", "1000"], "error: threads = 1000 is impossible"),
    ] {
        let (ok, _, told) = run(&arguments);
        assert!(!ok && told.contains(problem), "{arguments:?}: {told}");
    }
}
