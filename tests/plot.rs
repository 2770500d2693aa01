//! Run folders to PNG, drawings to terminal text and GIF: decoded again and looked at.
#![cfg(feature = "pictures")]

use std::{fs, path::Path};

use tempfile::TempDir;
use uphill::{
    envs::{Colour, Drawing, Env, GridWorld, GridWorldConfig, Shape},
    plot::{PlotError, PlotOptions, RecordedRun, Series, curves, evaluations, reward_curve},
    render::{RenderError, to_terminal, write_apng, write_gif},
    stats::Interval,
};

const HEADER: &str = "update,env_steps,episodes,episode_return_mean,entropy";
const CONFIG: &str = "env = \"CartPole-v1\"\nalgo = \"ppo\"\noptimizer = \"adam\"\nseed = 1\nlr = 0.001\n";

const BLUE: [u8; 3] = [0, 114, 178];
const VERMILION: [u8; 3] = [213, 94, 0];
/// Blue at 20% on white.
const BLUE_BAND: [u8; 3] = [204, 227, 240];
const VERMILION_BAND: [u8; 3] = [247, 223, 204];
/// The threshold's grey.
const GREY: [u8; 3] = [102, 102, 102];

fn folder(config: &str, metrics: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.toml"), config).unwrap();
    fs::write(folder.path().join("metrics.csv"), metrics).unwrap();
    folder
}

/// A run whose return is `value` at each of 101 points from 0 to 100,000 steps.
fn run(algo: &str, seed: u64, value: impl Fn(f64) -> f64) -> RecordedRun {
    RecordedRun {
        name: format!("{algo}-{seed}"),
        env: "CartPole-v1".to_owned(),
        algo: algo.to_owned(),
        optimizer: "adam".to_owned(),
        seed,
        settings: Default::default(),
        metric: "episode_return_mean".to_owned(),
        env_steps: (0..=100).map(|i| i * 1000).collect(),
        values: (0..=100).map(|i| value(f64::from(i) / 100.0)).collect(),
    }
}

struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    fn read(path: &Path) -> Picture {
        let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Rgb, png::BitDepth::Eight));
        Picture { width: info.width as usize, height: info.height as usize, rgb }
    }

    fn drawn(runs: &[RecordedRun], options: &PlotOptions) -> Picture {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("curves.png");
        reward_curve(runs, options, &path).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file was left behind");
        Picture::read(&path)
    }

    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let i = (y * self.width + x) * 3;
        [self.rgb[i], self.rgb[i + 1], self.rgb[i + 2]]
    }

    /// Rows in the column `x`, below the legend, whose colour is within 12 of `colour` in every channel.
    fn rows(&self, x: usize, colour: [u8; 3]) -> Vec<usize> {
        (self.height / 8..self.height).filter(|&y| self.is(x, y, colour)).collect()
    }

    fn is(&self, x: usize, y: usize, colour: [u8; 3]) -> bool {
        self.at(x, y).into_iter().zip(colour).all(|(a, b)| a.abs_diff(b) <= 12)
    }

    /// Whether a pixel is at least half blue: a thin line has no pixel to itself.
    fn is_bluish(&self, x: usize, y: usize) -> bool {
        let [red, _, blue] = self.at(x, y);
        blue > 120 && blue.saturating_sub(red) > 80
    }

    /// Bluish pixels below the legend.
    fn bluish(&self) -> usize {
        let pixels = (self.height / 3..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        pixels.filter(|&(x, y)| self.is_bluish(x, y)).count()
    }

    fn count(&self, colour: [u8; 3]) -> usize {
        let pixels = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        pixels.filter(|&(x, y)| self.is(x, y, colour)).count()
    }
}

fn middle(rows: &[usize]) -> f64 {
    assert!(!rows.is_empty(), "the colour is not there");
    rows.iter().sum::<usize>() as f64 / rows.len() as f64
}

#[test]
fn a_straight_line_is_drawn_where_it_belongs() {
    for (width, height, scale) in [(1000, 600, 1.0), (600, 360, 1.0), (1200, 720, 2.0)] {
        let options = PlotOptions { width, height, scale, ..PlotOptions::default() };
        let picture = Picture::drawn(&[run("ppo", 1, |share| 500.0 * share)], &options);
        assert_eq!((picture.width, picture.height), (width as usize, height as usize));
        // Three columns well inside the axes: the line rises evenly from left to right.
        let at = |share: f64| middle(&picture.rows((f64::from(width) * share) as usize, BLUE));
        let (left, centre, right) = (at(0.3), at(0.5), at(0.7));
        assert!(left > centre && centre > right, "{left} {centre} {right}");
        assert!(((left + right) / 2.0 - centre).abs() < 1.5 * scale, "{left} {centre} {right}");
        // 40% of the picture's width is more than 40% of the plane's, and so of the rise.
        let rise = (left - right) / f64::from(height);
        assert!((0.28..0.42).contains(&rise), "{rise}");
    }
}

#[test]
fn the_band_is_one_standard_deviation_to_either_side() {
    // Two runs 200 apart: the sample standard deviation is 100 * sqrt 2, about a mean of 250.
    let runs = [run("ppo", 1, |_| 150.0), run("ppo", 2, |_| 350.0), run("a2c", 1, |_| 100.0), run("a2c", 2, |_| 600.0)];
    let options = PlotOptions { threshold: Some(500.0), ..PlotOptions::default() };
    let picture = Picture::drawn(&runs[..2], &PlotOptions { threshold: Some(0.0), ..options.clone() });
    let x = 503;
    let band = picture.rows(x, BLUE_BAND);
    let line = middle(&picture.rows(x, BLUE));
    let (top, bottom) = (*band.first().unwrap() as f64, *band.last().unwrap() as f64);
    assert!(((top + bottom) / 2.0 - line).abs() < 2.0, "{top} {line} {bottom}");
    // The threshold at 0 is the scale: 250 below the mean, where the band reaches 141.4.
    let zero = (100..960).map(|x| picture.rows(x, GREY)).find(|rows| !rows.is_empty() && rows[0] > 300).unwrap();
    let ratio = (bottom - line) / (middle(&zero[..1]) - line);
    assert!((ratio - 141.4 / 250.0).abs() < 0.02, "{ratio}");

    // The other two are a curve of their own, in the next colour, wider still.
    let both = Picture::drawn(&runs, &options);
    assert!(both.count(VERMILION) > 300 && both.count(BLUE) > 300);
    assert_eq!(picture.count(VERMILION), 0);
}

#[test]
fn a_further_curve_has_its_band_and_its_line_of_the_legend_and_the_axes_hold_it() {
    let curve = [run("ppo", 1, |share| 100.0 * share)];
    let point = |i: u32| {
        let rise = f64::from(i) * 40.0;
        (f64::from(i) * 25_000.0, Interval { point: 200.0 + rise, low: 100.0 + rise, high: 300.0 + rise })
    };
    let series = |points: Vec<_>| vec![Series { label: "evaluation".into(), points }];
    let options = |beside| PlotOptions { beside, ..PlotOptions::default() };
    let with = Picture::drawn(&curve, &options(series((1..=3).map(point).collect())));
    let without = Picture::drawn(&curve, &options(vec![]));
    assert_eq!(without.count(VERMILION), 0);
    assert!(with.count(VERMILION) > 300 && with.count(BLUE) > 300);
    let band = with.rows(503, VERMILION_BAND);
    let line = middle(&with.rows(503, VERMILION));
    assert!((middle(&[band[0], band[band.len() - 1]]) - line).abs() < 2.0 && band.len() > 50, "{band:?} {line}");
    // Below it is all that is blue.
    assert!(with.rows(503, BLUE).iter().all(|&y| y as f64 > line + 50.0));
    for (points, reason) in [
        (vec![], "it has no points"),
        (vec![point(2), point(1)], "its points do not rise"),
        (vec![(0.0, Interval { point: f64::NAN, low: 0.0, high: 0.0 })], "is not of finite numbers"),
    ] {
        let said = curves(&curve, &options(series(points))).unwrap_err().to_string();
        assert!(said.contains(reason), "{said}");
    }
}

#[test]
fn evaluations_are_those_of_each_curve_and_their_mean_over_seeds() {
    const HEAD: &str = "update,env_steps,episodes,cut,return_mean,return_std,return_min,length_mean\n";
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, algo: &str, seed: u64, rows: Option<&str>| {
        let folder = home.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let config = format!("env = 'CartPole-v1'\nalgo = '{algo}'\noptimizer = 'adam'\nseed = {seed}\n");
        std::fs::write(folder.join("config.toml"), config).unwrap();
        std::fs::write(folder.join("metrics.csv"), "env_steps,episode_return_mean\n100,20\n200,30\n").unwrap();
        rows.iter().for_each(|rows| std::fs::write(folder.join("evaluations.csv"), HEAD.to_owned() + rows).unwrap());
        RecordedRun::read(folder).unwrap()
    };
    let one = write("one", "ppo", 1, Some("1,100,5,0,10,2,8,10\n2,200,5,0,30,4,20,30\n"));
    // Cut short by a kill, and an evaluation of which no mean is known.
    let two = write("two", "ppo", 2, Some("1,100,5,0,20,2,8,10\n2,150,5,1,,,,\n3,200,5,0,50,1,20,50\n4,3"));
    let other = write("other", "a2c", 1, Some("1,100,5,0,7,0,7,7\n"));
    let (without, unreadable) = (write("without", "ppo", 3, None), write("unreadable", "npg", 1, Some("1,1e9,x\n")));
    let interval = |point, low, high| Interval { point, low, high };

    let of_one = evaluations(std::slice::from_ref(&one));
    assert_eq!(of_one.len(), 1);
    assert_eq!(of_one[0].label, "evaluation, mean ± s.d. of 5 episodes");
    assert_eq!(of_one[0].points, [(100.0, interval(10.0, 8.0, 12.0)), (200.0, interval(30.0, 26.0, 34.0))]);

    let all = [one, two, other, without, unreadable];
    let of_all = evaluations(&all);
    let labels: Vec<&str> = of_all.iter().map(|series| series.label.as_str()).collect();
    assert_eq!(labels, ["ppo: evaluation, mean ± s.d. of 2 runs", "a2c: evaluation, mean ± s.d. of 5 episodes"]);
    let points = &of_all[0].points;
    let ends = [points[0], points[points.len() - 1]];
    for ((steps, found), (expected, mean, deviation)) in
        ends.into_iter().zip([(100.0, 15.0, 50f64), (200.0, 40.0, 200.0)])
    {
        let [low, high] = [-1.0, 1.0].map(|sign| mean + sign * deviation.sqrt());
        assert_eq!(steps, expected);
        assert!(
            (found.point - mean).abs() < 1e-9 && (found.low - low).abs() < 1e-9 && (found.high - high).abs() < 1e-9
        );
    }
    assert_eq!(of_all[1].points, [(100.0, interval(7.0, 7.0, 7.0))]);
    curves(&all, &PlotOptions { beside: of_all, ..PlotOptions::default() }).unwrap();
    assert!(evaluations(&all[3..]).is_empty());
}

#[test]
fn the_threshold_is_dashed_and_only_where_it_was_asked_for() {
    let curve = [run("ppo", 1, |share| 400.0 * share)];
    let with = Picture::drawn(&curve, &PlotOptions { threshold: Some(475.0), ..PlotOptions::default() });
    // The row with most grey, below the header, is the threshold's; it has gaps.
    let grey = |y: usize| (100..980).filter(|&x| with.is(x, y, GREY)).count();
    let row = (80..500).max_by_key(|&y| grey(y)).unwrap();
    assert!((300..700).contains(&grey(row)), "{}", grey(row));
    let starts = (101..980).filter(|&x| with.is(x, row, GREY) && !with.is(x - 1, row, GREY)).count();
    assert!(starts > 30, "{starts} dashes");
    // The axis reaches beyond the curve to hold it: above everything that is blue.
    let highest = (0..with.width).filter_map(|x| with.rows(x, BLUE).first().copied()).min().unwrap();
    assert!(row < highest, "{row} {highest}");

    let without = Picture::drawn(&curve, &PlotOptions::default());
    let most = (80..500).map(|y| (100..980).filter(|&x| without.is(x, y, GREY)).count()).max().unwrap();
    assert!(most < 20, "{most}");
}

#[test]
fn smoothing_shows_in_the_picture() {
    // Alternating by 200 at every point: unsmoothed the full colour fills the plane, smoothed it is one line.
    let noisy = || run("ppo", 1, |share| if (share * 100.0).round() as i64 % 2 == 0 { 100.0 } else { 300.0 });
    let raw = Picture::drawn(&[noisy()], &PlotOptions { smooth: 0.0, ..PlotOptions::default() });
    let smooth = Picture::drawn(&[noisy()], &PlotOptions { smooth: 0.2, ..PlotOptions::default() });
    assert!(raw.count(BLUE) > smooth.count(BLUE) * 5, "{} {}", raw.count(BLUE), smooth.count(BLUE));
}

#[test]
fn degenerate_runs_are_drawn_too() {
    let with = |env_steps: &[u64], values: &[f64]| RecordedRun {
        env_steps: env_steps.to_vec(),
        values: values.to_vec(),
        ..run("ppo", 1, |_| 0.0)
    };
    let other_seed = |run: &RecordedRun| RecordedRun { seed: 2, ..run.clone() };
    let odd = [
        with(&[0], &[0.0]),
        with(&[512], &[20.0]),
        with(&[7, 7, 7], &[1.0, 2.0, 3.0]),
        with(&[0, 0], &[-1.0, 1.0]),
        with(&[0, 100], &[5.0, 5.0]),
        with(&[0, 100], &[-1e100, 1e100]),
        with(&[0, 100], &[1e-300, 2e-300]),
        with(&[1_000_000_000_000, 1_000_000_000_001], &[1.0, 2.0]),
        with(&[0, u64::MAX], &[1.0, 2.0]),
        with(&[u64::MAX - 1, u64::MAX], &[1.0, 2.0]),
    ];
    for run in &odd {
        for runs in [vec![run.clone()], vec![run.clone(), other_seed(run)]] {
            for (width, height, smooth) in [(240, 180, 0.0), (500, 200, 1.0)] {
                for threshold in [None, Some(-1e100)] {
                    let options = PlotOptions { width, height, smooth, threshold, ..PlotOptions::default() };
                    let picture = Picture::drawn(&runs, &options);
                    assert!(picture.bluish() > 5, "{:?} {options:?}", run.env_steps);
                }
            }
        }
    }
}

#[test]
fn many_curves_and_long_names_are_drawn_too() {
    let long = "a name that is longer than any plot is wide ".repeat(5);
    let runs: Vec<RecordedRun> = (0..40).map(|i| run(&format!("{long}{i}"), 1, |share| share * f64::from(i))).collect();
    for (width, height) in [(240, 180), (1000, 600)] {
        let options = PlotOptions { width, height, title: Some(long.clone()), ..PlotOptions::default() };
        let picture = Picture::drawn(&runs, &options);
        // The lower half is left to the axes, and the margins stay white.
        assert!((0..picture.height).all(|y| picture.at(picture.width - 1, y) == [255; 3]));
        let below = picture.height / 2..picture.height;
        assert!(below.into_iter().any(|y| picture.is_bluish(picture.width / 2, y)));
    }
}

#[test]
fn the_same_runs_give_the_same_bytes_and_a_new_plot_replaces_the_old() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("curves.png");
    let runs = [run("ppo", 1, f64::sin), run("ppo", 2, f64::cos)];
    fs::write(&path, "old").unwrap();
    reward_curve(&runs, &PlotOptions::default(), &path).unwrap();
    let first = fs::read(&path).unwrap();
    reward_curve(&runs, &PlotOptions::default(), &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), first);
    reward_curve(&runs[..1], &PlotOptions::default(), &path).unwrap();
    assert_ne!(fs::read(&path).unwrap(), first);
}

#[test]
fn a_run_folder_is_read() {
    let metrics = format!("{HEADER}\n1,128,0,,0.69\n2,256,3,21.5,0.68\n3,384,9,-3e1,0.67\n4,51");
    let folder = folder(CONFIG, &metrics);
    let run = RecordedRun::read(folder.path()).unwrap();
    assert_eq!((run.env.as_str(), run.algo.as_str(), run.optimizer.as_str()), ("CartPole-v1", "ppo", "adam"));
    assert_eq!((run.seed, run.settings["lr"].as_str()), (1, "0.001"));
    // The row without a return and the half-written last one are left out.
    assert_eq!((run.env_steps, run.values), (vec![256, 384], vec![21.5, -30.0]));
    let entropy = RecordedRun::read_metric(folder.path(), "entropy").unwrap();
    assert_eq!(entropy.values, [0.69, 0.68, 0.67]);
    assert_eq!(entropy.metric, "entropy");
}

#[test]
fn malformed_folders_are_refused_by_file_line_and_column() {
    let good = format!("{HEADER}\n1,128,1,20.0,0.6\n");
    let row = |row: &str| format!("{HEADER}\n1,128,1,20.0,0.6\n{row}\n");
    let cases: &[(&str, &str, &str)] = &[
        // config.toml, metrics.csv, what the message must say
        (CONFIG, "", "metrics.csv: empty; its first line must name the columns"),
        (CONFIG, "\n\n", "metrics.csv: empty"),
        (
            CONFIG,
            "env_steps,reward\n1,2\n",
            "metrics.csv, line 1: there is no column `episode_return_mean`; the columns are: env_steps, reward",
        ),
        (CONFIG, "steps,episode_return_mean\n1,2\n", "line 1: there is no column `env_steps`"),
        (CONFIG, &format!("{HEADER}\n"), "0 rows, none with a value in column `episode_return_mean`"),
        (CONFIG, &format!("{HEADER}\n1,128,0,,0.6\n"), "1 row, none with a value in column"),
        (CONFIG, &row("2,256,1,abc,0.6"), "line 3, column 4 (`episode_return_mean`): `abc` is not a finite number"),
        (CONFIG, &row("2,256,1,NaN,0.6"), "line 3, column 4 (`episode_return_mean`): `NaN` is not"),
        (CONFIG, &row("2,256,1,-inf,0.6"), "line 3, column 4 (`episode_return_mean`): `-inf` is not"),
        (CONFIG, &row("2,256,1,1e101,0.6"), "line 3, column 4"),
        (CONFIG, &row("2,,1,21,0.6"), "line 3, column 2 (`env_steps`): `` is not a whole number"),
        (CONFIG, &row("2,25.6,1,21,0.6"), "line 3, column 2 (`env_steps`): `25.6` is not a whole number"),
        (CONFIG, &row("2,-5,1,21,0.6"), "line 3, column 2 (`env_steps`): `-5` is not a whole number"),
        (CONFIG, &row("2,64,1,21,0.6"), "line 3: `env_steps` falls from 128 to 64"),
        (CONFIG, &row("2,256,1"), "line 3: 3 fields, where the header has 5"),
        (CONFIG, &row("2,256,1,21,0.6,9"), "line 3: 6 fields, where the header has 5"),
        ("env = \"a\"\nalgo = ppo\n", &good, "config.toml: not TOML at line 2, column 8:"),
        ("algo = \"ppo\"", &good, "config.toml: the key `env` must be a name in quotes"),
        ("env = \"a\"\nalgo = 3", &good, "config.toml: the key `algo` must be a name in quotes"),
        ("env = \"a\"\nalgo = \"b\"\noptimizer = \" \"", &good, "the key `optimizer` must be"),
        ("env = \"a\"\nalgo = \"b\"\noptimizer = \"c\"", &good, "the key `seed` must be a whole number, 0 or more"),
        ("env = \"a\"\nalgo = \"b\"\noptimizer = \"c\"\nseed = -1", &good, "the key `seed` must be"),
        ("env = \"a\"\nalgo = \"b\"\noptimizer = \"c\"\nseed = \"1\"", &good, "the key `seed` must be"),
    ];
    for (config, metrics, expected) in cases {
        let folder = folder(config, metrics);
        let message = RecordedRun::read(folder.path()).unwrap_err().to_string();
        assert!(message.starts_with(&*folder.path().display().to_string()), "no path in: {message}");
        assert!(message.contains(expected), "{message:?} does not say {expected:?}");
    }
}

#[test]
fn missing_and_unreadable_files_are_named() {
    let whole = folder(CONFIG, HEADER);
    for (file, kept) in [("metrics.csv", "config.toml"), ("config.toml", "metrics.csv")] {
        let folder = TempDir::new().unwrap();
        fs::copy(whole.path().join(kept), folder.path().join(kept)).unwrap();
        let error = RecordedRun::read(folder.path()).unwrap_err();
        assert!(matches!(&error, PlotError::Missing { file: missing, .. } if *missing == file), "{error}");
    }
    let a_file = whole.path().join("config.toml");
    assert!(matches!(RecordedRun::read(&a_file), Err(PlotError::NoFolder { .. })));
    assert!(matches!(RecordedRun::read("no/such/folder"), Err(PlotError::NoFolder { .. })));

    let folder_inside = folder(CONFIG, "");
    fs::remove_file(folder_inside.path().join("metrics.csv")).unwrap();
    fs::create_dir(folder_inside.path().join("metrics.csv")).unwrap();
    assert!(matches!(RecordedRun::read(folder_inside.path()), Err(PlotError::Read { .. })));

    let not_text = folder(CONFIG, "");
    fs::write(not_text.path().join("metrics.csv"), b"env_steps,episode_return_mean\n1,\xff\n").unwrap();
    assert!(matches!(RecordedRun::read(not_text.path()), Err(PlotError::Malformed { .. })));
    fs::write(not_text.path().join("config.toml"), b"env = \"\xff\"").unwrap();
    assert!(matches!(RecordedRun::read(not_text.path()), Err(PlotError::Malformed { .. })));
}

#[test]
fn runs_and_options_that_cannot_be_drawn_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("curves.png");
    let draw = |runs: &[RecordedRun], options: &PlotOptions| reward_curve(runs, options, &path).unwrap_err();
    let (good, options) = (run("ppo", 1, f64::sin), PlotOptions::default());
    assert!(matches!(draw(&[], &options), PlotError::Picture { .. }));

    let steps = |env_steps: Vec<u64>, values: Vec<f64>| RecordedRun { env_steps, values, ..good.clone() };
    for broken in [
        steps(vec![], vec![]),
        steps(vec![1, 2], vec![1.0]),
        steps(vec![2, 1], vec![1.0, 2.0]),
        steps(vec![1], vec![f64::NAN]),
        steps(vec![1], vec![f64::INFINITY]),
        steps(vec![1], vec![-1e101]),
    ] {
        let error = draw(&[good.clone(), broken], &options);
        assert!(matches!(error, PlotError::Picture { .. }), "{error}");
    }
    let other = RecordedRun { metric: "entropy".to_owned(), ..good.clone() };
    assert!(matches!(draw(&[good.clone(), other], &options), PlotError::Picture { .. }));
    let later = RecordedRun { env_steps: (200_000..200_101).collect(), ..good.clone() };
    assert!(matches!(draw(&[good.clone(), later], &options), PlotError::Picture { .. }));

    let base = PlotOptions::default();
    for (name, options) in [
        ("width", PlotOptions { width: 0, ..base.clone() }),
        ("width", PlotOptions { width: 10_001, ..base.clone() }),
        ("height", PlotOptions { height: 0, ..base.clone() }),
        ("height", PlotOptions { height: 300, scale: 2.0, ..base.clone() }),
        ("scale", PlotOptions { scale: f64::NAN, ..base.clone() }),
        ("scale", PlotOptions { scale: 0.0, ..base.clone() }),
        ("smooth", PlotOptions { smooth: -0.1, ..base.clone() }),
        ("smooth", PlotOptions { smooth: f64::NAN, ..base.clone() }),
        ("threshold", PlotOptions { threshold: Some(f64::NAN), ..base }),
    ] {
        let error = draw(std::slice::from_ref(&good), &options);
        assert!(matches!(&error, PlotError::Option { name: found, .. } if *found == name), "{name}: {error}");
    }
    assert!(!path.exists());

    let a_folder = folder.path().join("a.png");
    fs::create_dir(&a_folder).unwrap();
    for path in [folder.path().join("no/such/folder.png"), a_folder.clone(), a_folder.join("b.svg").join("c.svg")] {
        let error = reward_curve(std::slice::from_ref(&good), &options, &path).unwrap_err();
        assert!(matches!(error, PlotError::Write { .. }), "{}: {error}", path.display());
    }
    fs::remove_dir(&a_folder).unwrap();
    // Another kind of picture is refused by its name before anything is read or drawn.
    for name in ["curves.pdf", "curves.jpg", "curves.svgz", "curves", ".png", "curves.png.gif", ""] {
        let error = reward_curve(&[], &options, folder.path().join(name)).unwrap_err();
        assert!(matches!(error, PlotError::Format { .. }), "{name}: {error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "a temporary file was left behind");
}

const WHITE: Colour = Colour(255, 255, 255);
const RED: Colour = Colour(200, 30, 30);

/// A red square of side 20 in a white field of 100 x 50, at `x`.
fn square(x: f32) -> Drawing {
    let shapes = vec![Shape::rectangle(x, 10.0, x + 20.0, 30.0, RED)];
    Drawing { width: 100.0, height: 50.0, background: WHITE, shapes }
}

#[test]
fn a_drawing_becomes_terminal_text() {
    let text = to_terminal(&square(0.0), 100, 40).unwrap();
    // 100 columns of square pixels, two a character: 25 lines fit, not 40.
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 25);
    let (red, white) = ("\x1b[38;2;200;30;30m\x1b[48;2;200;30;30m", "\x1b[38;2;255;255;255m\x1b[48;2;255;255;255m");
    assert_eq!(lines[0], format!("{white}{}\x1b[0m", "▀".repeat(100)));
    assert_eq!(lines[10], format!("{red}{}{white}{}\x1b[0m", "▀".repeat(20), "▀".repeat(80)));
    // Narrower than high: the height is what limits now, and odd rows hold half of a cell.
    assert_eq!(to_terminal(&square(0.0), 500, 10).unwrap().lines().count(), 10);
    assert_eq!(to_terminal(&square(0.0), 1, 1).unwrap().matches('▀').count(), 1);
    let tall = Drawing { width: 1.0, height: 1000.0, ..square(0.0) };
    assert_eq!(to_terminal(&tall, 80, 24).unwrap().lines().count(), 24);
}

#[test]
fn discs_are_round_and_edges_are_soft() {
    let disc = Shape::Disc { centre: (50.0, 25.0), radius: 20.0, colour: RED };
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("disc.gif");
    write_gif(&[Drawing { shapes: vec![disc], ..square(0.0) }], 10, 400, &path).unwrap();
    let (width, _, frames) = read_gif(&path);
    let colour = |x: usize, y: usize| frames[0].0[y * width + x];
    for (x, y) in [(200, 22), (200, 178), (122, 100), (278, 100), (255, 155)] {
        assert_eq!(colour(x, y), [200, 30, 30], "{x} {y}");
    }
    for (x, y) in [(200, 17), (200, 183), (117, 100), (283, 100), (260, 160)] {
        assert_eq!(colour(x, y), [255, 255, 255], "{x} {y}");
    }
    let between = frames[0].0.iter().filter(|&&pixel| pixel != [200, 30, 30] && pixel != [255; 3]).count();
    assert!(between > 200, "{between} pixels on an edge");
}

/// Width, height, and each frame as it is shown with its delay in hundredths of a second.
type Frames = (usize, usize, Vec<(Vec<[u8; 3]>, u16)>);

fn read_gif(path: &Path) -> Frames {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder = options.read_info(fs::File::open(path).unwrap()).unwrap();
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let mut shown = vec![[0; 3]; width * height];
    let mut frames = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        for (i, pixel) in frame.buffer.chunks(4).enumerate() {
            let (x, y) = (i % usize::from(frame.width), i / usize::from(frame.width));
            // A pixel that is transparent stays as it was.
            if pixel[3] > 0 {
                shown[(y + usize::from(frame.top)) * width + x + usize::from(frame.left)] =
                    [pixel[0], pixel[1], pixel[2]];
            }
        }
        frames.push((shown.clone(), frame.delay));
    }
    (width, height, frames)
}

#[test]
fn a_gif_holds_every_frame_exactly_and_small() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("square.gif");
    let drawings: Vec<Drawing> = (0..=30u8).map(|i| square(f32::from(i / 2 * 2))).collect();
    write_gif(&drawings, 30, 200, &path).unwrap();
    let (width, height, frames) = read_gif(&path);
    assert_eq!((width, height, frames.len()), (200, 100, 31));
    // 30 a second in hundredths of a second: right on average.
    assert_eq!(frames[..30].iter().map(|frame| u32::from(frame.1)).sum::<u32>(), 100);
    for (i, (pixels, _)) in frames.iter().enumerate() {
        let left = i / 2 * 4;
        let red = |x: usize, y: usize| (left..left + 40).contains(&x) && (20..60).contains(&y);
        for (at, pixel) in pixels.iter().enumerate() {
            let expected = if red(at % width, at / width) { [200, 30, 30] } else { [255; 3] };
            assert_eq!(*pixel, expected, "frame {i}, pixel {at}");
        }
    }
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.len() < 6000, "{} bytes", bytes.len());
    write_gif(&drawings, 30, 200, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

/// Width, height, and each frame as it is shown with its share of a second.
type ExactFrames = (usize, usize, Vec<(Vec<[u8; 3]>, (u16, u16))>);

fn read_apng(path: &Path) -> ExactFrames {
    let mut reader = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap())).read_info().unwrap();
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let count = reader.info().animation_control.unwrap().num_frames;
    let mut shown = vec![[0; 3]; width * height];
    let mut frames = Vec::new();
    for _ in 0..count {
        let mut buffer = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut buffer).unwrap();
        let control = reader.info().frame_control.unwrap();
        let (columns, left, top) = (control.width as usize, control.x_offset as usize, control.y_offset as usize);
        for (i, pixel) in buffer.as_chunks().0.iter().take(columns * control.height as usize).enumerate() {
            shown[(top + i / columns) * width + left + i % columns] = *pixel;
        }
        frames.push((shown.clone(), (control.delay_num, control.delay_den)));
    }
    (width, height, frames)
}

#[test]
fn an_apng_holds_every_frame_and_colour_exactly_and_small() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("square.png");
    // Soft edges over grounds of more colours than a GIF has.
    let ground = |i: u8| Shape::rectangle(0.0, 0.0, 100.0, 50.0, Colour(i, 255 - i, i / 2));
    let disc = |i: u8| Shape::Disc { centre: (f32::from(i) * 3.0, 25.3), radius: 9.7, colour: RED };
    let frame = |i: u8| Drawing { shapes: vec![ground(i), disc(i)], ..square(0.0) };
    let drawings: Vec<Drawing> = (0..30).map(frame).chain([frame(29)]).collect();
    write_apng(&drawings, 30, 200, &path).unwrap();
    let (width, height, frames) = read_apng(&path);
    assert_eq!((width, height, frames.len()), (200, 100, 31));
    let mut colours = std::collections::BTreeSet::new();
    for (i, (pixels, delay)) in frames.iter().enumerate() {
        assert_eq!(*delay, (1, 30));
        let shade = i.min(29) as u8;
        assert_eq!(pixels[199], [shade, 255 - shade, shade / 2], "frame {i}");
        let centre = 50 * width + (usize::from(shade) * 6).max(1);
        assert_eq!(pixels[centre], [RED.0, RED.1, RED.2], "frame {i}");
        colours.extend(pixels.iter().copied());
    }
    assert!(colours.len() > 256, "{} colours", colours.len());
    assert_eq!(frames[30].0, frames[29].0);

    // What moves over a ground that stays is a rectangle of each frame's own.
    let moves: Vec<Drawing> =
        (0..4).map(|i| Drawing { shapes: vec![ground(7), disc(10 * i)], ..square(0.0) }).collect();
    write_apng(&moves, 10, 200, &path).unwrap();
    for (i, (pixels, _)) in read_apng(&path).2.iter().enumerate() {
        for at in 0..4 {
            let expected = if at == i { [RED.0, RED.1, RED.2] } else { [7, 248, 3] };
            assert_eq!(pixels[50 * width + (60 * at).max(1)], expected, "frame {i}, place {at}");
        }
    }

    // What stands still takes next to no room.
    let still: Vec<Drawing> = vec![frame(3); 200];
    write_apng(&still, 10, 200, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert!(bytes.len() < 40_000, "{} bytes", bytes.len());
    assert_eq!(read_apng(&path).2.len(), 200);
    write_apng(&still, 10, 200, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn every_size_of_map_has_animations() {
    let folder = TempDir::new().unwrap();
    let (path, exact) = (folder.path().join("map.gif"), folder.path().join("map.png"));
    for (columns, rows) in [(64, 1), (1, 64), (64, 64), (2, 1), (1, 2), (64, 3), (5, 64)] {
        let row = |row: usize| {
            let cell = |column: usize| match (row, column) {
                (0, 0) => 'S',
                place if place == (rows - 1, columns - 1) => 'G',
                _ => '.',
            };
            (0..columns).map(cell).collect::<String>()
        };
        let map = (0..rows).map(row).collect::<Vec<_>>().join("\n");
        let config = GridWorldConfig { map, max_episode_steps: None, ..GridWorldConfig::default() };
        let mut world = GridWorld::new(config).unwrap();
        let mut observation = vec![0.0; world.spec().observation_len()];
        world.reset(Some(1), &mut observation).unwrap();
        write_gif(&[world.draw().unwrap()], 10, 600, &path).unwrap();
        write_apng(&[world.draw().unwrap()], 10, 600, &exact).unwrap();
        let (width, height, _) = read_gif(&path);
        assert_eq!((width, height), {
            let (width, height, _) = read_apng(&exact);
            (width, height)
        });
        assert_eq!(width.max(height), 600, "{columns} x {rows}");
        assert!(
            width.min(height) >= 9 && (width > height) == (columns > rows),
            "{columns} x {rows}: {width} x {height}"
        );
    }
}

#[test]
fn drawings_that_cannot_be_rendered_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.gif");
    let good = square(0.0);
    let write = |frames: &[Drawing], fps, width| write_gif(frames, fps, width, &path).unwrap_err();
    assert!(matches!(write(&[], 30, 100), RenderError::NoFrames));
    assert!(matches!(write(std::slice::from_ref(&good), 0, 100), RenderError::FrameRate { fps: 0 }));
    assert!(matches!(write(std::slice::from_ref(&good), 51, 100), RenderError::FrameRate { fps: 51 }));
    let exact = |frames: &[Drawing], fps| write_apng(frames, fps, 100, &path).unwrap_err();
    assert!(matches!(exact(&[], 30), RenderError::NoFrames));
    assert!(matches!(exact(std::slice::from_ref(&good), 51), RenderError::FrameRate { fps: 51 }));
    assert!(matches!(write(std::slice::from_ref(&good), 30, 0), RenderError::Size { .. }));
    assert!(matches!(write(std::slice::from_ref(&good), 30, 5000), RenderError::Size { .. }));
    let tall = Drawing { width: 1e-30, height: 1e30, ..good.clone() };
    assert!(matches!(write(std::slice::from_ref(&tall), 30, 0), RenderError::Size { width: 0, height: 0, .. }));
    let other = Drawing { width: 101.0, ..good.clone() };
    assert!(matches!(write(&[good.clone(), other], 30, 100), RenderError::FrameSize { frame: 1, .. }));
    for (width, height) in [(0.0, 50.0), (100.0, -1.0), (f32::NAN, 50.0), (100.0, f32::INFINITY)] {
        let flat = Drawing { width, height, ..good.clone() };
        assert!(matches!(to_terminal(&flat, 80, 24), Err(RenderError::DrawingSize { .. })), "{width} {height}");
        assert!(matches!(write(&[flat], 30, 100), RenderError::DrawingSize { .. }));
    }
    let nowhere = [
        Shape::Polygon(vec![(0.0, 0.0), (f32::NAN, 1.0), (1.0, 1.0)], RED),
        Shape::Disc { centre: (0.0, f32::INFINITY), radius: 1.0, colour: RED },
        Shape::Disc { centre: (0.0, 0.0), radius: f32::NAN, colour: RED },
    ];
    for shape in nowhere {
        let drawing = Drawing { shapes: vec![Shape::rectangle(0.0, 0.0, 1.0, 1.0, RED), shape], ..good.clone() };
        assert!(matches!(to_terminal(&drawing, 80, 24), Err(RenderError::Coordinate { shape: 1 })));
    }
    for (columns, rows) in [(0, 24), (80, 0), (1001, 24)] {
        assert!(matches!(to_terminal(&good, columns, rows), Err(RenderError::Size { .. })));
    }
    assert!(!path.exists());
    write_gif(&[tall], 30, 100, &path).unwrap();
    assert_eq!((read_gif(&path).0, read_gif(&path).1), (1, 100));
    let nowhere = folder.path().join("no/such/folder.gif");
    assert!(matches!(write_gif(&[good], 30, 100, nowhere), Err(RenderError::Write { .. })));
}

#[test]
fn shapes_without_area_or_far_outside_paint_nothing() {
    let harmless = vec![
        Shape::Polygon(vec![], RED),
        Shape::Polygon(vec![(1.0, 1.0)], RED),
        Shape::Polygon(vec![(1.0, 1.0), (90.0, 40.0)], RED),
        Shape::Disc { centre: (50.0, 25.0), radius: 0.0, colour: RED },
        Shape::Disc { centre: (50.0, 25.0), radius: -3.0, colour: RED },
        Shape::Disc { centre: (1e30, 25.0), radius: 1.0, colour: RED },
        Shape::rectangle(f32::MAX / 2.0, 0.0, f32::MAX, 10.0, RED),
    ];
    let empty = Drawing { shapes: vec![], ..square(0.0) };
    let drawing = Drawing { shapes: harmless, ..square(0.0) };
    assert_eq!(to_terminal(&drawing, 80, 24).unwrap(), to_terminal(&empty, 80, 24).unwrap());
}
