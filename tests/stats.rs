//! Statistics agree with rliable on the same resamples to rounding and on their own to the Monte Carlo error, survival
//! with lifelines, and all of them with what their definitions imply.
//!
//! The numbers are those that `reference/stats.py` records.

use std::{collections::HashMap, sync::LazyLock};

use proptest::prelude::*;
use serde::Deserialize;
use uphill::{
    Seed,
    stats::{
        Aggregates, Bootstrap, Interval, KaplanMeier, PerformanceProfile, Reached, Scale, Scores, Sensitivity,
        StatsError, area_under_curve, iqm, mean, median, median_steps, optimality_gap, probability_of_improvement,
        probability_of_improvement_interval, restricted_mean_steps, share_near_best, steps_to_threshold,
    },
};

/// Largest distance from the references where the inputs are the same, relative to 1 or the number.
const BOUND: f64 = 1e-12;

#[track_caller]
fn assert_close(what: &str, got: f64, expected: f64) {
    let near = (got - expected).abs() <= BOUND * expected.abs().max(1.0);
    assert!(near || got == expected, "{what}: {got}, expected {expected}");
}

#[derive(Deserialize)]
struct Reference {
    levels: Vec<f64>,
    tau: Vec<f64>,
    sensitivity: Grid,
    curves: Vec<Curve>,
    survival: Vec<Survival>,
    methods: Vec<Method>,
    pairs: Vec<Pair>,
}

#[derive(Deserialize)]
struct Grid {
    lr: Vec<f64>,
    scores: Vec<Vec<Vec<f64>>>,
    iqm: Vec<f64>,
    near: Vec<f64>,
    shares: Vec<f64>,
}

#[derive(Deserialize)]
struct Curve {
    env_steps: Vec<u64>,
    score: Vec<f64>,
    area: f64,
}

#[derive(Deserialize)]
struct Survival {
    name: String,
    runs: Vec<(u64, u8)>,
    at: Vec<u64>,
    horizons: Vec<u64>,
    share_not_reached: Vec<f64>,
    /// Where null: infinite.
    median: Option<f64>,
    restricted_mean: Vec<f64>,
    drawn: Vec<String>,
    median_ends: Vec<[Option<f64>; 2]>,
    restricted_mean_ends: Vec<[Option<f64>; 2]>,
}

#[derive(Deserialize)]
struct Method {
    name: String,
    scores: Vec<Vec<f64>>,
    point: Vec<f64>,
    few: Vec<Vec<[f64; 2]>>,
    drawn: Vec<String>,
    many: Vec<[f64; 2]>,
}

#[derive(Deserialize)]
struct Pair {
    x: String,
    y: String,
    point: [f64; 1],
    few: Vec<[[f64; 2]; 1]>,
    drawn_x: Vec<String>,
    drawn_y: Vec<String>,
    many: Option<[[f64; 2]; 1]>,
}

static REFERENCE: LazyLock<Reference> =
    LazyLock::new(|| serde_json::from_str(include_str!("reference/stats.json")).expect("what stats.py wrote"));

fn digits(drawn: &str) -> impl Iterator<Item = usize> {
    drawn.bytes().map(|digit| usize::from(digit - b'0'))
}

/// The resample in which run `n` of task `m` is that run of task `m` which stands at `n * tasks + m`.
fn resampled(rows: &[Vec<f64>], drawn: &str) -> Scores {
    let tasks = rows[0].len();
    let flat: Vec<f64> = digits(drawn).enumerate().map(|(place, run)| rows[run][place % tasks]).collect();
    Scores::from_runs(&flat.chunks(tasks).collect::<Vec<_>>()).expect("a resample has the shape of the scores")
}

fn scores_by_name() -> HashMap<&'static str, &'static [Vec<f64>]> {
    REFERENCE.methods.iter().map(|method| (method.name.as_str(), method.scores.as_slice())).collect()
}

/// One replicate: points alone are asked for, by the public functions that a user has.
fn once() -> Bootstrap {
    Bootstrap { reps: 1, ..Bootstrap::default() }
}

/// In the order of `quantities` in stats.py.
fn quantities(scores: &Scores, tau: &[f64]) -> Vec<f64> {
    let mut all = vec![iqm(scores), mean(scores), median(scores), optimality_gap(scores, 1.0)];
    let runs = PerformanceProfile::of_runs(scores, tau, &once()).unwrap();
    let tasks = PerformanceProfile::of_task_means(scores, tau, &once()).unwrap();
    all.extend(runs.share.iter().chain(&tasks.share).map(|share| share.point));
    all
}

#[test]
fn aggregates_and_profiles_agree_with_rliable_and_so_do_their_intervals_on_its_resamples() {
    for Method { name, scores, point, few, drawn, .. } in &REFERENCE.methods {
        let got = quantities(&Scores::from_runs(scores).unwrap(), &REFERENCE.tau);
        let replicates: Vec<Vec<f64>> =
            drawn.iter().map(|drawn| quantities(&resampled(scores, drawn), &REFERENCE.tau)).collect();
        assert_eq!(got.len(), point.len());
        for (place, (&got, &point)) in got.iter().zip(point).enumerate() {
            assert_close(&format!("{name}, quantity {place}"), got, point);
            for (level, ends) in REFERENCE.levels.iter().zip(few) {
                let mut values: Vec<f64> = replicates.iter().map(|replicate| replicate[place]).collect();
                let interval = Interval::percentile(got, &mut values, *level).unwrap();
                let what = format!("{name}, quantity {place}, an end at {level}");
                assert_close(&what, interval.low, ends[place][0]);
                assert_close(&what, interval.high, ends[place][1]);
            }
        }
    }
}

#[test]
fn probability_of_improvement_agrees_with_rliable_and_so_does_its_interval_on_its_resamples() {
    let scores = scores_by_name();
    for Pair { x, y, point, few, drawn_x, drawn_y, .. } in &REFERENCE.pairs {
        let what = format!("{x} over {y}");
        let (x, y) = (scores[x.as_str()], scores[y.as_str()]);
        let got = probability_of_improvement(&Scores::from_runs(x).unwrap(), &Scores::from_runs(y).unwrap()).unwrap();
        assert_close(&what, got, point[0]);
        for (level, [ends]) in REFERENCE.levels.iter().zip(few) {
            let replicate = |(drawn_x, drawn_y): (&String, &String)| {
                probability_of_improvement(&resampled(x, drawn_x), &resampled(y, drawn_y)).unwrap()
            };
            let mut values: Vec<f64> = drawn_x.iter().zip(drawn_y).map(replicate).collect();
            let interval = Interval::percentile(got, &mut values, *level).unwrap();
            assert_close(&what, interval.low, ends[0]);
            assert_close(&what, interval.high, ends[1]);
        }
    }
}

/// Two ends from 50,000 replicates each: either has a standard error of 0.3 % of the interval's width where replicates
/// are about normal, so 2 % is more than four of their difference's. Where a statistic has steps (`lattice`), an end may
/// be one of them away.
#[track_caller]
fn assert_near(what: &str, interval: Interval, ends: [f64; 2], lattice: f64) {
    let tolerance = (0.02 * (ends[1] - ends[0])).max(lattice) + BOUND;
    for (got, expected) in [(interval.low, ends[0]), (interval.high, ends[1])] {
        assert!((got - expected).abs() <= tolerance, "{what}: {got}, expected {expected} within {tolerance}");
    }
}

#[test]
fn intervals_from_our_own_draws_come_near_those_of_rliable() {
    let bootstrap = Bootstrap { reps: 50_000, seed: Seed(3), ..Bootstrap::default() };
    for Method { name, scores, many, .. } in &REFERENCE.methods {
        let scores = Scores::from_runs(scores).unwrap();
        let Aggregates { iqm, mean, median, optimality_gap } = Aggregates::of(&scores, &bootstrap).unwrap();
        for (place, interval) in [iqm, mean, median, optimality_gap].into_iter().enumerate() {
            assert_near(&format!("{name}, aggregate {place}"), interval, many[place], 0.0);
        }
    }
    let (tied, bootstrap) = (&REFERENCE.methods[1], Bootstrap { reps: 10_000, ..bootstrap });
    let scores = Scores::from_runs(&tied.scores).unwrap();
    let profile = PerformanceProfile::of_runs(&scores, &REFERENCE.tau, &bootstrap).unwrap();
    for (place, &interval) in profile.share.iter().enumerate() {
        assert_near(&format!("profile at {}", profile.tau[place]), interval, tied.many[4 + place], 1.0 / 30.0);
    }
    let by_name = scores_by_name();
    for Pair { x, y, many, .. } in &REFERENCE.pairs {
        let Some([ends]) = many else { continue };
        let [first, second] = [x, y].map(|name| Scores::from_runs(by_name[name.as_str()]).unwrap());
        let interval = probability_of_improvement_interval(&first, &second, &bootstrap).unwrap();
        // Ends from 10,000 replicates have more than twice the error, which the steps of U cover.
        assert_near(&format!("{x} over {y}"), interval, *ends, 1.0 / 100.0);
    }
}

#[test]
fn the_area_under_a_curve_agrees_with_numpy() {
    for Curve { env_steps, score, area } in &REFERENCE.curves {
        assert_close(&format!("{env_steps:?}"), area_under_curve(env_steps, score).unwrap(), *area);
    }
    assert_eq!(area_under_curve(&[7], &[3.5]), Ok(3.5), "a single point is its own mean");
}

#[test]
fn a_curve_reaches_its_threshold_at_a_record_or_is_censored_at_its_end() {
    let (env_steps, score) = ([10, 20, 30], [1.0, 5.0, 4.0]);
    assert_eq!(steps_to_threshold(&env_steps, &score, 5.0), Ok(Reached::At(20)));
    assert_eq!(steps_to_threshold(&env_steps, &score, 4.0), Ok(Reached::At(20)));
    assert_eq!(steps_to_threshold(&env_steps, &score, 5.5), Ok(Reached::NotBy(30)));
}

fn reached(&(env_steps, event): &(u64, u8)) -> Reached {
    if event == 1 { Reached::At(env_steps) } else { Reached::NotBy(env_steps) }
}

#[test]
fn shares_not_reached_medians_and_restricted_means_agree_with_lifelines() {
    for survival in &REFERENCE.survival {
        let Survival { name, at, horizons, .. } = survival;
        let runs: Vec<Reached> = survival.runs.iter().map(reached).collect();
        let curve = KaplanMeier::of(&runs).unwrap();
        for (&at, &share) in at.iter().zip(&survival.share_not_reached) {
            assert_close(&format!("{name} at {at}"), curve.share_not_reached(at), share);
        }
        assert_eq!(curve.median(), survival.median.unwrap_or(f64::INFINITY), "{name}");
        for (&horizon, &mean) in horizons.iter().zip(&survival.restricted_mean) {
            assert_close(&format!("{name} up to {horizon}"), curve.restricted_mean(horizon).unwrap(), mean);
        }
        // Every resample, its own horizon or not, by the functions that give the interval.
        let resample = |drawn: &String| digits(drawn).map(|run| runs[run]).collect::<Vec<_>>();
        let resamples: Vec<Vec<Reached>> = survival.drawn.iter().map(resample).collect();
        let median = |runs: &Vec<Reached>| median_steps(runs, &once()).unwrap().point;
        for (level, ends) in REFERENCE.levels.iter().zip(&survival.median_ends) {
            let interval = percentile(&resamples, median, *level);
            assert_ends(&format!("median of {name}"), interval, *ends);
        }
        if survival.runs.iter().all(|&(end, event)| event == 1 || end == horizons[1]) {
            let mean = |runs: &Vec<Reached>| restricted_mean_steps(runs, horizons[1], &once()).unwrap().point;
            for (level, ends) in REFERENCE.levels.iter().zip(&survival.restricted_mean_ends) {
                let interval = percentile(&resamples, mean, *level);
                assert_ends(&format!("restricted mean of {name}"), interval, *ends);
            }
        }
    }
}

fn percentile(resamples: &[Vec<Reached>], statistic: impl Fn(&Vec<Reached>) -> f64, level: f64) -> Interval {
    Interval::percentile(0.0, &mut resamples.iter().map(statistic).collect::<Vec<_>>(), level).unwrap()
}

#[track_caller]
fn assert_ends(what: &str, interval: Interval, ends: [Option<f64>; 2]) {
    assert_close(what, interval.low, ends[0].unwrap_or(f64::INFINITY));
    assert_close(what, interval.high, ends[1].unwrap_or(f64::INFINITY));
}

#[test]
fn runs_that_all_reach_a_threshold_have_the_bootstrap_of_their_mean() {
    let steps = [20, 30, 35, 50, 80, 110];
    let bootstrap = Bootstrap { seed: Seed(9), ..Bootstrap::default() };
    let plain = Scores::of_one_task(&steps.map(|step| step as f64)).unwrap();
    let plain = bootstrap.interval(&plain, mean).unwrap();
    let survival = restricted_mean_steps(&steps.map(Reached::At), 200, &bootstrap).unwrap();
    assert!(plain.low < plain.point && plain.point < plain.high);
    assert_close("point", survival.point, plain.point);
    assert_close("low", survival.low, plain.low);
    assert_close("high", survival.high, plain.high);
}

#[test]
fn runs_that_never_reach_a_threshold_are_not_dropped() {
    let [quick, never] = [Reached::At(10), Reached::NotBy(100)];
    let bootstrap = Bootstrap::default();
    let interval = median_steps(&[quick, quick, quick, never, never, never, never], &bootstrap).unwrap();
    assert_eq!((interval.point, interval.high), (f64::INFINITY, f64::INFINITY));
    assert_eq!(interval.low, 10.0);
    let late = KaplanMeier::of(&[quick, never]).unwrap().restricted_mean(101);
    assert!(matches!(late, Err(StatsError::Option { name: "horizon", .. })), "what was not watched: {late:?}");
    // No resample of these falls before step 100; one that was watched for 10 steps alone keeps its share of 1.
    let interval = restricted_mean_steps(&[Reached::NotBy(10), Reached::At(100)], 100, &bootstrap);
    assert_eq!(interval, Ok(Interval { point: 100.0, low: 100.0, high: 100.0 }));
}

#[test]
fn sensitivity_is_the_curve_over_the_grid_and_the_share_of_it_near_the_best() {
    let Grid { lr, scores, iqm: curve, near, shares } = &REFERENCE.sensitivity;
    let grid: Vec<(f64, Scores)> =
        lr.iter().zip(scores).map(|(&lr, rows)| (lr, Scores::from_runs(rows).unwrap())).collect();
    for (&near, &share) in near.iter().zip(shares) {
        let sensitivity = Sensitivity::of(&grid, near, iqm, &Bootstrap::default()).unwrap();
        assert_eq!(&sensitivity.lr, lr);
        for (got, &expected) in sensitivity.score.iter().zip(curve) {
            assert_close("score", got.point, expected);
            assert!(got.low < got.point && got.point < got.high);
        }
        assert_close("share", sensitivity.share_near_best.point, share);
        assert_eq!(sensitivity.best_lr, 1e-3);
    }
    assert_eq!(share_near_best(&[-0.3, 0.0], 0.9), 0.0, "nothing beats a random policy");
    assert_eq!(share_near_best(&[0.9, 1.0, 0.89], 0.9), 2.0 / 3.0);
}

#[test]
fn scores_are_normalised_task_by_task() {
    let scores = Scores::from_runs(&[[10.0, -100.0], [60.0, -200.0]]).unwrap();
    let scales = [Scale::new(10.0, 110.0).unwrap(), Scale::new(-200.0, 0.0).unwrap()];
    let normalised = scores.normalised(&scales).unwrap();
    assert_eq!(normalised, Scores::from_runs(&[[0.0, 0.5], [0.5, 0.0]]).unwrap());
}

#[test]
fn a_replicate_draws_each_task_by_itself_and_two_methods_by_themselves() {
    // Run n scores n on both tasks: drawn together the tasks would always agree.
    let rows: Vec<[f64; 2]> = (0..8).map(|run| [f64::from(run), f64::from(run)]).collect();
    let scores = Scores::from_runs(&rows).unwrap();
    let (mut tasks_differ, mut methods_differ, mut same_x) = (0, 0, Vec::new());
    let bootstrap = Bootstrap { reps: 100, ..Bootstrap::default() };
    let both = |x: &Scores, y: &Scores| {
        let columns: Vec<&[f64]> = x.by_task().collect();
        tasks_differ += usize::from(columns[0] != columns[1]);
        methods_differ += usize::from(x != y);
        same_x.push(x.clone());
        0.0
    };
    bootstrap.interval_of_two(&scores, &scores, both).unwrap();
    assert_eq!((tasks_differ, methods_differ), (100, 100));
    let mut alone = Vec::new();
    bootstrap
        .interval(&scores, |x| {
            alone.push(x.clone());
            0.0
        })
        .unwrap();
    assert!(alone == same_x, "the first method is resampled alike, whatever else is in the call");
}

#[test]
fn draws_are_stable() {
    let scores = Scores::of_one_task(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]).unwrap();
    let mut drawn = Vec::new();
    Bootstrap { reps: 1, ..Bootstrap::default() }
        .interval(&scores, |scores| {
            drawn = scores.values().to_vec();
            0.0
        })
        .unwrap();
    assert_eq!(
        drawn,
        [4.0, 8.0, 9.0, 2.0, 0.0, 7.0, 8.0, 6.0, 6.0, 4.0],
        "a change here changes every published interval"
    );
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let message = |error: StatsError| error.to_string();
    let none: [[f64; 2]; 0] = [];
    assert_eq!(Scores::from_runs(&none), Err(StatsError::Empty { what: "runs" }));
    assert_eq!(Scores::from_runs(&[[0.0; 0]]), Err(StatsError::Empty { what: "tasks" }));
    assert_eq!(Scores::of_one_task(&[]), Err(StatsError::Empty { what: "runs" }));
    let ragged = Scores::from_runs(&[vec![1.0, 2.0], vec![3.0]]).unwrap_err();
    assert_eq!(message(ragged), "run 1 has 1 value instead of 2, one for each task");
    let nan = Scores::from_runs(&[[1.0, 2.0], [3.0, f64::INFINITY]]).unwrap_err();
    assert!(message(nan.clone()).starts_with("the score of run 1 on task 1 is inf; a finite number"), "{nan}");
    let [one, two] = [Scores::from_runs(&[[1.0]]).unwrap(), Scores::from_runs(&[[1.0, 2.0]]).unwrap()];
    assert_eq!(probability_of_improvement(&one, &two), Err(StatsError::Tasks { x: 1, y: 2 }));
    assert_eq!(Scale::new(3.0, 3.0), Err(StatsError::Scale { value: 3.0 }));
    let bootstrap = Bootstrap::default();
    let reps = Bootstrap { reps: 0, ..bootstrap }.interval(&one, iqm).unwrap_err();
    assert_eq!(message(reps), "reps is 0; expected at least 1");
    let reps = Bootstrap { reps: usize::MAX, ..bootstrap }.interval(&one, iqm).unwrap_err();
    assert!(matches!(reps, StatsError::Option { name: "reps", .. }), "{reps}");
    for confidence_level in [0.0, 1.0, 95.0, f64::NAN] {
        let level = Bootstrap { confidence_level, ..bootstrap }.interval(&one, iqm).unwrap_err();
        assert!(matches!(level, StatsError::Option { name: "confidence_level", .. }), "{level}");
    }
    let mut calls = 0;
    let late = bootstrap.interval(&one, |_| {
        calls += 1;
        if calls == 6 { f64::NAN } else { 1.0 }
    });
    assert_eq!(late, Err(StatsError::Undefined { place: 0, replicate: Some(4) }));
    let order = area_under_curve(&[10, 30, 30], &[1.0, 2.0, 3.0]).unwrap_err();
    assert_eq!(message(order), "env_steps at place 2 is 30 after 30; each must be greater than the one before");
    assert!(matches!(area_under_curve(&[10, 30], &[1.0]), Err(StatsError::Length { got: 1, expected: 2, .. })));
    assert_eq!(area_under_curve(&[], &[]), Err(StatsError::Empty { what: "env_steps" }));
    let grid = [(1e-3, one.clone()), (1e-4, one)];
    let order = Sensitivity::of(&grid, 0.9, iqm, &bootstrap);
    assert_eq!(order, Err(StatsError::Order { what: "lr", place: 1, previous: 1e-3, value: 1e-4 }));
}

/// Scores of up to 8 runs on up to 4 tasks, some of them equal.
fn any_scores() -> impl Strategy<Value = Vec<Vec<f64>>> {
    let score = prop_oneof![-2.0..3.0, (0..4).prop_map(f64::from)];
    (1..=8usize, 1..=4usize)
        .prop_flat_map(move |(runs, tasks)| prop::collection::vec(prop::collection::vec(score.clone(), tasks), runs))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn aggregates_lie_between_the_extremes_and_know_no_order_of_runs(
        rows in any_scores(),
        shuffle in any::<prop::sample::Index>(),
    ) {
        let scores = Scores::from_runs(&rows).unwrap();
        let least = scores.values().iter().copied().fold(f64::INFINITY, f64::min) - BOUND;
        let most = scores.values().iter().copied().fold(f64::NEG_INFINITY, f64::max) + BOUND;
        for aggregate in [iqm, mean, median] {
            prop_assert!((least..=most).contains(&aggregate(&scores)));
        }
        prop_assert!(optimality_gap(&scores, 1.0) >= 0.0 - BOUND);
        let mut turned = rows.clone();
        turned.rotate_left(shuffle.index(rows.len()));
        let turned = Scores::from_runs(&turned).unwrap();
        prop_assert_eq!(iqm(&turned), iqm(&scores));
        prop_assert!((mean(&turned) - mean(&scores)).abs() < BOUND);
        prop_assert!((median(&turned) - median(&scores)).abs() < BOUND);
    }

    #[test]
    fn intervals_shift_with_the_scores_and_a_constant_has_no_width(rows in any_scores(), seed in any::<u64>()) {
        let bootstrap = Bootstrap { reps: 50, seed: Seed(seed), ..Bootstrap::default() };
        let shifted: Vec<Vec<f64>> = rows.iter().map(|row| row.iter().map(|score| score + 10.0).collect()).collect();
        let [here, there] = [rows, shifted].map(|rows| {
            let scores = Scores::from_runs(&rows).unwrap();
            (bootstrap.interval(&scores, iqm).unwrap(), bootstrap.interval_of_two(&scores, &scores, |_, _| 1.5).unwrap())
        });
        prop_assert!((there.0.low - here.0.low - 10.0).abs() < 1e-9);
        prop_assert!((there.0.high - here.0.high - 10.0).abs() < 1e-9);
        prop_assert!(here.0.low <= here.0.high);
        prop_assert_eq!(here.1, Interval { point: 1.5, low: 1.5, high: 1.5 });
    }

    #[test]
    fn one_method_beats_the_other_or_is_beaten(x in any_scores(), y in any_scores()) {
        let tasks = x[0].len().min(y[0].len());
        let [x, y] = [x, y].map(|rows| {
            Scores::from_runs(&rows.iter().map(|row| &row[..tasks]).collect::<Vec<_>>()).unwrap()
        });
        let better = probability_of_improvement(&x, &y).unwrap();
        prop_assert!((0.0..=1.0).contains(&better));
        prop_assert!((better + probability_of_improvement(&y, &x).unwrap() - 1.0).abs() < BOUND);
        prop_assert!((probability_of_improvement(&x, &x).unwrap() - 0.5).abs() < BOUND);
    }

    #[test]
    fn profiles_fall_from_one_to_zero(rows in any_scores()) {
        let scores = Scores::from_runs(&rows).unwrap();
        let tau: Vec<f64> = (0..30).map(|place| -2.5 + 0.2 * f64::from(place)).collect();
        let bootstrap = Bootstrap { reps: 30, ..Bootstrap::default() };
        for profile in [PerformanceProfile::of_runs, PerformanceProfile::of_task_means] {
            let share = profile(&scores, &tau, &bootstrap).unwrap().share;
            prop_assert_eq!((share[0].point, share[29].point), (1.0, 0.0));
            for pair in share.windows(2) {
                prop_assert!(pair[0].point >= pair[1].point && pair[0].low >= pair[1].low && pair[0].high >= pair[1].high);
            }
        }
    }

    #[test]
    fn the_share_not_reached_falls_and_its_area_grows(runs in prop::collection::vec((1..50u64, 0..2u8), 1..20)) {
        let runs: Vec<Reached> = runs.iter().map(reached).collect();
        let curve = KaplanMeier::of(&runs).unwrap();
        prop_assert_eq!(curve.share_not_reached(0), 1.0);
        for step in 0..60 {
            let [now, next] = [step, step + 1].map(|step| curve.share_not_reached(step));
            prop_assert!(now >= next && next >= 0.0);
            if let (Ok(now_area), Ok(next_area)) = (curve.restricted_mean(step), curve.restricted_mean(step + 1)) {
                prop_assert!((next_area - now_area - now).abs() < 1e-9, "S is the slope of its area");
            }
        }
    }
}
