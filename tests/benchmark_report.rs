//! What is reckoned and drawn from a comparison's runs: the same numbers as by hand, every picture in its place, and no
//! certainty that the runs do not give.
#![cfg(feature = "pictures")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use uphill::Threads;
use uphill::benchmark::{Benchmark, Grid, Results, Run, Stage, write_report};
use uphill::stats::{
    Aggregates, Bootstrap, Interval, Reached, Scores, Sensitivity, area_under_curve, iqm, median_steps,
    probability_of_improvement_interval,
};

const SMALL: &str = "
    title = 'Small'
    algos = ['a2c', 'ppo']
    optimizers = ['sgd', 'adam(lr=1e-2)']
    seeds = [3, 4, 5]
    curve_points = 10
    eval_episodes = 2
    settings = { steps = 1600, hidden = [8] }
    algo_settings.ppo = { n_steps = 20, n_minibatches = 2, n_epochs = 2 }
    tuning = { trials = 2, seeds = [7, 8], lr = { multiples = [1.0, 3.0] } }
    tasks = [{ env = 'GridWorld-4x4-v0' }]
";
/// One small task alone.
const TINY: &str = "
    algos = ['a2c']
    optimizers = ['sgd', 'adam(lr=1e-2)', 'lion']
    protocols = ['tuned']
    seeds = [3]
    curve_points = 10
    eval_episodes = 2
    settings = { steps = 400, hidden = [8] }
    tuning = { trials = 2, seeds = [7, 8], lr = { multiples = [1.0, 3.0] } }
    tasks = [{ env = 'GridWorld-4x4-v0' }]
";
const PAIRS: [(&str, &str); 2] = [("GridWorld-4x4-v0", "a2c"), ("GridWorld-4x4-v0", "ppo")];

fn compare(text: &str, folder: &Path) -> Results {
    let benchmark = Benchmark::open(Grid::from_toml(text).expect("a grid"), folder, false).expect("a folder");
    let results = benchmark.run(&Threads::new(2).expect("threads"), true).expect("results");
    write_report(&results, folder).expect("a report");
    results
}

/// [`SMALL`], run once for all tests that only look at it.
static COMPARED: LazyLock<(tempfile::TempDir, Results)> = LazyLock::new(|| {
    let home = tempfile::tempdir().expect("a folder");
    let results = compare(SMALL, home.path());
    (home, results)
});

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect("a file")
}

/// What a row of `statistics.csv` is about, and its numbers.
type Rows = BTreeMap<[String; 4], (f64, Option<(f64, f64)>)>;

fn statistics(folder: &Path) -> Rows {
    let text = read(folder, "statistics.csv");
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let rows = table.records().map(|row| {
        let row = row.expect("a row");
        let number = |i: usize| row[i].parse::<f64>().ok();
        let ends = number(5).zip(number(6));
        ([0, 1, 2, 3].map(|i| row[i].to_string()), (number(4).expect("a point"), ends))
    });
    rows.collect()
}

#[test]
fn the_statistics_are_those_of_the_library() {
    let (home, results) = &*COMPARED;
    let rows = statistics(home.path());
    let bootstrap = Bootstrap { reps: 5_000, ..Bootstrap::default() };
    let same = |protocol: Stage, scope: &str, optimizer: &str, statistic: &str, expected: Interval| {
        let key = [protocol.name(), scope, optimizer, statistic].map(String::from);
        let found = rows.get(&key).unwrap_or_else(|| panic!("no {key:?}"));
        let ends = (expected.low < expected.high).then_some((expected.low, expected.high));
        assert_eq!(found, &(expected.point, ends), "{key:?}");
    };
    let scores = |stage, optimizer: &str, pairs: &[(&str, &str)], of: fn(&Run) -> f64| {
        let column = |&(task, algo): &(&str, &str)| results.of(stage, task, algo, optimizer).map(of).collect();
        Scores::from_tasks(&pairs.iter().map(column).collect::<Vec<Vec<f64>>>()).expect("scores")
    };
    for stage in [Stage::Defaults, Stage::Tuned] {
        for (scope, pairs) in [("all", PAIRS.to_vec()), ("a2c", vec![PAIRS[0]])] {
            for optimizer in ["sgd", "adam(lr=0.01)"] {
                for name in ["area", "final_score"] {
                    let of: fn(&Run) -> f64 = if name == "area" { |run| run.area } else { |run| run.final_score };
                    let all = Aggregates::of(&scores(stage, optimizer, &pairs, of), &bootstrap).expect("aggregates");
                    let named = [("iqm", all.iqm), ("mean", all.mean), ("median", all.median)];
                    for (aggregate, interval) in named.into_iter().chain([("optimality_gap", all.optimality_gap)]) {
                        same(stage, scope, optimizer, &format!("{name}_{aggregate}"), interval);
                    }
                }
            }
            let [sgd, adam] = ["sgd", "adam(lr=0.01)"].map(|name| scores(stage, name, &pairs, |run| run.area));
            let better = probability_of_improvement_interval(&adam, &sgd, &bootstrap).expect("a probability");
            same(stage, scope, "adam(lr=0.01)", "area_probability_of_improvement_over sgd", better);
        }
        for (task, algo) in PAIRS {
            let runs: Vec<&Run> = results.of(stage, task, algo, "sgd").collect();
            let scope = format!("{task} {algo}");
            let area = scores(stage, "sgd", &[(task, algo)], |run| run.area);
            same(stage, &scope, "sgd", "area_iqm", bootstrap.interval(&area, iqm).expect("an interval"));
            let solved = |run: &&Run| run.solved_at_step.map_or(Reached::NotBy(run.env_steps), Reached::At);
            let solved: Vec<Reached> = runs.iter().map(solved).collect();
            let median = median_steps(&solved, &bootstrap).expect("a median");
            same(stage, &scope, "sgd", "steps_to_solved_median", median);
            let half = |run: &&Run| {
                let points = run.curve_points().map(|(step, point)| (step, run.scale.normalise(point)));
                let (steps, scores): (Vec<u64>, Vec<f64>) = points.unzip();
                // The area begins at step 0 with a random policy's score.
                let from_0 = |first, rest: &[f64]| [&[first], rest].concat();
                let steps_from_0: Vec<u64> = std::iter::once(0).chain(steps.iter().copied()).collect();
                let area = area_under_curve(&steps_from_0, &from_0(0.0, &scores)).expect("an area");
                assert_eq!(run.area, area);
                // From the first point on after which none is below ½.
                let good = (0..10).find(|&i| scores[i..].iter().all(|&score| score >= 0.5));
                good.map_or(Reached::NotBy(1600), |i| Reached::At(steps[i]))
            };
            let half: Vec<Reached> = runs.iter().map(half).collect();
            same(stage, &scope, "sgd", "steps_to_half_median", median_steps(&half, &bootstrap).expect("a median"));
        }
    }
    let of_rate = |lr: f64| {
        let column = |(task, algo)| {
            let runs = results.of(Stage::Tuning, task, algo, "sgd").filter(|run| run.lr == Some(lr));
            runs.map(|run| run.area).collect::<Vec<f64>>()
        };
        (lr, Scores::from_tasks(&PAIRS.map(column)).expect("scores"))
    };
    let sensitivity = Sensitivity::of(&[of_rate(0.1), of_rate(0.3)], 0.9, iqm, &bootstrap).expect("a sensitivity");
    same(Stage::Tuning, "all", "sgd", "lr_share_near_best", sensitivity.share_near_best);
    same(Stage::Tuning, "all", "sgd", "area_iqm_at_lr 0.3", sensitivity.score[1]);
}

#[test]
fn the_page_has_all_of_the_report() {
    let (home, _) = &*COMPARED;
    let (report, page) = (read(home.path(), "report.md"), read(home.path(), "report.html"));
    assert_eq!(page.matches("data:image/svg+xml;base64,").count(), report.matches("](pictures/").count());
    assert_eq!(page.matches("<table class=\"sortable\"").count(), report.matches("\n| --- |").count());
    // What the table says, cell by cell, without its marks.
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).expect("a style").0;
    let script = page.rsplit_once("<script>").and_then(|(_, rest)| rest.split_once("</script>")).expect("a script").0;
    let text = page.replace(style, "").replace(script, "");
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
    let tree = roxmltree::Document::parse_with_options(&text, options).expect("well formed");
    let text = |node: roxmltree::Node| -> String {
        node.descendants().filter_map(|one| one.text().filter(|_| one.is_text())).collect()
    };
    let cells: BTreeSet<String> =
        tree.descendants().filter(|one| one.has_tag_name("td") || one.has_tag_name("th")).map(text).collect();
    let rows = report.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    for cell in rows.flat_map(|row| row.trim_matches(['|', ' ']).split(" | ")) {
        let plain = cell.replace(['`', '*', '\\'], "").trim().to_string();
        assert!(cells.contains(&plain), "{cell}");
    }
    for own in ["http:", "https:", "<link", "<iframe"] {
        assert!(!page.replace("http://www.w3.org/2000/svg", "").contains(own), "{own}");
    }
}

#[test]
fn the_report_shows_every_picture_and_none_is_missing() {
    let (home, _) = &*COMPARED;
    let report = read(home.path(), "report.md");
    let shown: BTreeSet<String> = report
        .split("](pictures/")
        .skip(1)
        .map(|rest| rest.split(')').next().expect("a closing bracket").to_string())
        .collect();
    let files: BTreeSet<String> = std::fs::read_dir(home.path().join("pictures"))
        .expect("pictures")
        .map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    let (png, svg): (BTreeSet<String>, BTreeSet<String>) = files.into_iter().partition(|name| name.ends_with(".png"));
    assert_eq!(shown, png);
    assert_eq!(svg, png.iter().map(|name| name.replace(".png", ".svg")).collect());
    for name in [
        "scores-defaults.png",
        "profiles-tuned.png",
        "improvement-tuned.png",
        "cost-tuned.png",
        "curves-tuned-GridWorld-4x4-v0-ppo.png",
        "learning-rates-GridWorld-4x4-v0-ppo.png",
        "learning-rates.png",
    ] {
        assert!(png.contains(name), "{name} is not in {png:?}");
    }
    assert_eq!(png.len(), 2 * (4 + 2) + 3);
    // A picture says task, seeds and protocol.
    let curves = read(home.path(), "pictures/curves-tuned-GridWorld-4x4-v0-ppo.svg");
    let title = "aria-label=\"Learning curves: GridWorld-4x4-v0 with ppo\"";
    assert!(
        curves.contains(title) && curves.contains("aria-label=\"3 seeds, tuned with 2 trials each"),
        "{curves:.900}"
    );
    let rates = read(home.path(), "pictures/learning-rates.svg");
    assert!(rates.contains("aria-label=\"2 seeds, the trials of tuning"), "{rates:.900}");
    // The exact configuration is part of it.
    assert!(report.contains(&format!("```toml\n{}\n```", read(home.path(), "grid.toml").trim_end())));
    assert!(report.contains(concat!("Made by uphill ", env!("CARGO_PKG_VERSION"), " on ")), "{report:.600}");
}

#[test]
fn one_seed_gives_no_certainty() {
    let home = tempfile::tempdir().expect("a folder");
    compare(TINY, home.path());
    for (key, (_, ends)) in statistics(home.path()) {
        let reported = key[0] != "tuning";
        assert!(!reported || ends.is_none(), "{key:?}: {ends:?}");
    }
    let report = read(home.path(), "report.md");
    assert!(report.contains("**1 seed is too few for a claim"), "{report:.900}");
    assert!(report.contains("So few seeds support no statement about which optimizer is better."), "{report:.2000}");
    assert!(!report.contains("By the intervals of the probability of improvement"), "{report:.2000}");
    let standings = report.lines().find(|line| line.starts_with("| `sgd` |")).expect("a row");
    assert_eq!(standings.matches("[?]").count(), 6, "{standings}");
    // No cell of the matrix has the dot that the legend explains.
    let matrix = read(home.path(), "pictures/improvement-tuned.svg");
    assert_eq!(dots(&matrix), 1, "the legend's alone");
    assert!(matrix.contains("of one seed no intervals are known"));
    // Another grid's pictures are not shown beside this one's.
    let other = TINY.replace(", 'lion'", "");
    drop(Benchmark::open(Grid::from_toml(&other).expect("a grid"), home.path(), true).expect("forced"));
    assert!(!home.path().join("pictures/scores-tuned.png").exists() && !home.path().join("statistics.csv").exists());
}

/// Discs of the ink that text has: they are circles of four cubic or more quadratic arcs, and spell nothing.
fn dots(svg: &str) -> usize {
    svg.lines().filter(|line| line.starts_with("<path fill=\"#222222\"") && line.contains('Q')).count()
}

#[test]
fn where_everything_breaks_there_is_a_report_that_tells_nobody_apart() {
    let home = tempfile::tempdir().expect("a folder");
    let text = "
        algos = ['a2c']
        optimizers = ['sgd(lr=1e38)', 'momentum(lr=1e38)']
        protocols = ['tuned']
        seeds = { first = 1, count = 10 }
        curve_points = 10
        eval_episodes = 2
        settings = { steps = 400, hidden = [8], max_grad_norm = inf }
        tuning = { trials = 1, seeds = [17, 18], lr = { multiples = [1.0] } }
        tasks = [{ env = 'CartPole-v1' }]";
    let results = compare(text, home.path());
    assert!(results.endings().contains(" 0 finished"), "{}", results.endings());
    let rows = statistics(home.path());
    let row = |statistic: &str| rows[&["tuned", "all", "sgd(lr=1e38)", statistic].map(String::from)];
    assert_eq!(row("final_score_iqm"), (0.0, None));
    assert_eq!(row("area_probability_of_improvement_over momentum(lr=1e38)"), (0.5, None));
    let report = read(home.path(), "report.md");
    assert!(report.contains("none is better or worse than it; these numbers do not tell"), "{report:.1500}");
    assert!(report.contains("| `sgd(lr=1e38)` | 0 / 0 / 2 | 0 / 0 / 10 |"), "{report}");
    assert!(home.path().join("pictures/learning-rates-CartPole-v1-a2c.png").exists());
}

#[test]
fn a_folder_is_one_comparisons_at_a_time() {
    let home = tempfile::tempdir().expect("a folder");
    let grid = Grid::from_toml(SMALL).expect("a grid");
    let first = Benchmark::open(grid.clone(), home.path(), false).expect("a folder");
    let refused = Benchmark::open(grid.clone(), home.path(), false).expect_err("it is taken").to_string();
    assert!(refused.contains("another process is running a comparison here: wait for it"), "{refused}");
    drop(first);
    let half = home.path().join("cells/.half.toml.uphill-1.tmp");
    std::fs::write(&half, "half").expect("written");
    let _second = Benchmark::open(grid, home.path(), false).expect("it is free again");
    assert!(!half.exists(), "what a killed process left is gone");
}

/// Its environment says no return from which it is solved. In the grid it is a text alone.
#[test]
fn a_task_without_a_threshold_is_not_called_one_that_was_never_solved() {
    let text = "
        algos = ['a2c']
        optimizers = ['sgd']
        protocols = ['defaults']
        seeds = [3]
        curve_points = 10
        eval_episodes = 2
        settings = { steps = 400, hidden = [8] }
        tasks = ['Bandit-v0']
    ";
    let home = tempfile::tempdir().expect("a folder");
    compare(text, home.path());
    let report = read(home.path(), "report.md");
    let (_, solved) = report.split_once("until the task was solved").expect("a table");
    let row = solved.lines().find(|line| line.contains("sgd")).expect("a row");
    assert!(row.contains('–') && !row.contains("never"), "{row}");
}
