//! The pictures of an optimizer benchmark: their SVG is parsed, their PNG decoded, and both looked at.
#![cfg(feature = "pictures")]

use std::fs;

use tempfile::TempDir;
use uphill::{
    plot::{
        CostPoint, IntervalRow, Landmark, LearningRateCurve, LearningRatePoint, Picture, PictureOptions, PlotError,
        ScalingCurve, ScalingPanel, Series, improvement_matrix, interval_rows, learning_curves,
        learning_rate_sensitivity, performance_profiles, quality_against_cost, scaling, scaling_panels,
    },
    stats::Interval,
};

/// Short names and long ones.
const NAMES: [&str; 16] = [
    "adam",
    "schedule_free_adamw",
    "clip_by_global_norm(0.5) | lamb(lr=3e-3, weight_decay=0.01)",
    "sgd",
    "momentum",
    "rmsprop",
    "adamw",
    "nadam",
    "lion",
    "soap(precondition_frequency=10)",
    "shampoo",
    "muon",
    "adagrad",
    "clip_by_global_norm(0.5) | trac(adam(lr=0.05))",
    "radam",
    "adabelief",
];

const BLUE: &str = "#0072b2";
const VERMILION: &str = "#d55e00";
const TEXT: &str = "#222222";

fn options() -> PictureOptions {
    PictureOptions::new("CartPole-v1", 30, "tuned on 10 other seeds, 95% bootstrap intervals")
}

fn around(point: f64, half: f64) -> Interval {
    Interval { point, low: point - half, high: point + half }
}

fn exactly(point: f64) -> Interval {
    around(point, 0.0)
}

/// A number from 0 to 1 that goes with an optimizer, spread evenly and in no order.
fn spread(i: usize, salt: usize) -> f64 {
    ((i * 31 + salt * 17 + 5) as f64 * 0.618_033_988_75).fract()
}

fn series(count: usize) -> Vec<Series> {
    let point = |i: usize, t: usize| (t as f64 * 5e4, around(spread(i, 0) * t as f64 / 10.0, 0.05));
    (0..count).map(|i| Series { label: NAMES[i].into(), points: (0..=10).map(|t| point(i, t)).collect() }).collect()
}

fn profiles(count: usize) -> Vec<Series> {
    let share = |i: usize, t: usize| (1.0 - t as f64 / 10.0).powf(0.3 + spread(i, 0));
    let point =
        |i: usize, t: usize| (t as f64 / 10.0, Interval { point: share(i, t), low: share(i, t) * 0.9, high: 1.0 });
    (0..count).map(|i| Series { label: NAMES[i].into(), points: (0..=10).map(|t| point(i, t)).collect() }).collect()
}

fn rows(count: usize) -> Vec<IntervalRow> {
    let intervals = |i| (0..4).map(|metric| around(spread(i, metric), 0.05)).collect();
    (0..count).map(|i| IntervalRow { label: NAMES[i].into(), intervals: intervals(i) }).collect()
}

const METRICS: [&str; 4] = ["IQM", "mean", "median", "optimality gap (less is better)"];

fn sensitivity(count: usize) -> Vec<LearningRateCurve> {
    let point = |i: usize, t: usize| {
        let broken = (t as f64 / 8.0 - spread(i, 0)).clamp(0.0, 1.0);
        let score = (broken < 0.6).then(|| around(spread(i, 1) * (t as f64 / 4.0).min(1.0), 0.05));
        LearningRatePoint { lr: 10f64.powf(-5.0 + t as f64 / 2.0), score, broken }
    };
    let points = |i| (0..=8).map(|t| point(i, t)).collect();
    (0..count).map(|i| LearningRateCurve { label: NAMES[i].into(), points: points(i) }).collect()
}

fn matrix(count: usize) -> Vec<Vec<Interval>> {
    let p = |i: usize, j: usize| 1.0 / (1.0 + (6.0 * (spread(j, 0) - spread(i, 0))).exp());
    let cell = |i, j| Interval { point: p(i, j), low: p(i, j) * 0.9, high: p(i, j).mul_add(0.9, 0.1) };
    (0..count).map(|i| (0..count).map(|j| cell(i, j)).collect()).collect()
}

fn costs(count: usize) -> Vec<CostPoint> {
    let cost = |i: usize| 8.0 * 10f64.powf(2.0 * spread(i, 2));
    let interval = |cost: f64| Interval { point: cost, low: cost * 0.9, high: cost * 1.1 };
    let point =
        |i: usize| CostPoint { label: NAMES[i].into(), cost: interval(cost(i)), quality: around(spread(i, 0), 0.04) };
    (0..count).map(point).collect()
}

const AXES: (&str, &str) = ("microseconds an update", "normalised score");

fn scalings(count: usize) -> Vec<ScalingCurve> {
    let point = |i: usize, t: i32| (2f64.powi(t), 2f64.powf(f64::from(t) * spread(i, 3)));
    (0..count)
        .map(|i| ScalingCurve { label: NAMES[i].into(), points: (0..=10).map(|t| point(i, t)).collect() })
        .collect()
}

const SCALES: (&str, &str) = ("ranks", "times as fast as one");

/// Two panels, each with all curves.
fn panels(count: usize) -> Vec<ScalingPanel> {
    let series = |curve: ScalingCurve| {
        let around = |(x, y): (f64, f64)| (x, Interval { point: y, low: y * 0.9, high: y * 1.2 });
        Series { label: curve.label, points: curve.points.into_iter().map(around).collect() }
    };
    let curves: Vec<Series> = scalings(count).into_iter().map(series).collect();
    ["tuned", "scaled"].map(|name| ScalingPanel { name: name.into(), curves: curves.clone() }).into()
}

fn landmark(at: Interval) -> Landmark {
    Landmark { label: "noise scale".into(), at }
}

/// All eight, each with this many optimizers.
fn pictures(count: usize, options: &PictureOptions) -> Vec<(&'static str, Result<Picture, PlotError>)> {
    vec![
        ("curves", learning_curves(&series(count), "normalised return", options)),
        ("profiles", performance_profiles(&profiles(count), "normalised score", options)),
        ("rows", interval_rows(&METRICS, &rows(count), options)),
        ("sensitivity", learning_rate_sensitivity(&sensitivity(count), "normalised score", options)),
        ("matrix", improvement_matrix(&NAMES[..count], &matrix(count), options)),
        ("cost", quality_against_cost(&costs(count), AXES, options)),
        ("scaling", scaling("What ranks gain", &scalings(count), SCALES, options)),
        ("panels", scaling_panels("Rules", &panels(count), &[landmark(around(9.0, 4.0))], SCALES, options)),
    ]
}

/// One element of an SVG: its attributes, and what its coordinates enclose.
#[derive(Debug, Clone)]
struct Shape {
    label: Option<String>,
    colour: String,
    opacity: f64,
    stroke: f64,
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Shape {
    fn width(&self) -> f64 {
        self.right - self.left
    }

    fn height(&self) -> f64 {
        self.bottom - self.top
    }

    fn middle(&self) -> (f64, f64) {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    fn meets(&self, other: &Shape) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }
}

/// The paths and lines of an SVG, after its white ground.
fn shapes(svg: &str) -> Vec<Shape> {
    let document = roxmltree::Document::parse(svg).expect("well-formed XML");
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "svg");
    let elements = root.children().filter(|node| node.is_element() && node.tag_name().name() != "rect");
    let shape = |node: roxmltree::Node<'_, '_>| {
        let text = node.attribute("d").expect("coordinates");
        let numbers: Vec<f64> = text
            .split(|c: char| c.is_ascii_alphabetic() || c == ',' || c == ' ')
            .filter(|number| !number.is_empty())
            .map(|number| number.parse().expect("a number"))
            .collect();
        let range = |first: usize| {
            let along = numbers.iter().skip(first).step_by(2);
            along.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &at| (low.min(at), high.max(at)))
        };
        let ((left, right), (top, bottom)) = (range(0), range(1));
        let number = |name: &str| node.attribute(name).map(|number| number.parse::<f64>().expect("a number"));
        let kind = if node.attribute("fill") == Some("none") { "stroke" } else { "fill" };
        Shape {
            label: node.attribute("aria-label").map(str::to_owned),
            colour: node.attribute(kind).expect("a colour").to_owned(),
            opacity: number(&format!("{kind}-opacity")).unwrap_or(1.0),
            stroke: number("stroke-width").unwrap_or(0.0),
            left,
            top,
            right,
            bottom,
        }
    };
    elements.map(shape).collect()
}

fn labels(svg: &str) -> Vec<Shape> {
    shapes(svg).into_iter().filter(|shape| shape.label.is_some()).collect()
}

fn all_text(svg: &str) -> String {
    labels(svg).into_iter().filter_map(|shape| shape.label).collect::<Vec<_>>().join(" ")
}

/// No label is over another or beyond the picture's edges.
fn assert_apart(name: &str, picture: &Picture) {
    let labels = labels(&picture.svg());
    assert!(labels.len() > 5, "{name} has {} labels", labels.len());
    let (right, bottom) = (f64::from(picture.width()), f64::from(picture.height()));
    for (i, label) in labels.iter().enumerate() {
        let inside = label.left >= 0.0 && label.top >= 0.0 && label.right <= right && label.bottom <= bottom;
        assert!(inside, "{name}: {label:?}");
        let other = labels[..i].iter().find(|other| label.meets(other));
        assert!(other.is_none(), "{name}: {label:?} over {other:?}");
    }
}

#[test]
fn labels_do_not_overlap_and_lie_within_the_picture() {
    for count in [2, 5, 16] {
        for (width, scale) in [(500, 1.0), (1000, 1.0), (1000, 2.0)] {
            let options = PictureOptions { width, scale, ..options() };
            for (name, picture) in pictures(count, &options) {
                let picture = picture.unwrap_or_else(|error| panic!("{name}, {count}, {width}: {error}"));
                assert_apart(&format!("{name}, {count}, {width}"), &picture);
            }
        }
    }
}

#[test]
fn labels_of_large_numbers_do_not_overlap_either() {
    for (factor, shift) in [(1e5, 0.0), (1e4, -123_456.0), (1e-6, 0.0), (1e-4, 100.0), (1e9, 0.0)] {
        let scaled = |i: Interval| Interval {
            point: i.point * factor + shift,
            low: i.low * factor + shift,
            high: i.high * factor + shift,
        };
        let mut rows = rows(5);
        rows.iter_mut().flat_map(|row| &mut row.intervals).for_each(|interval| *interval = scaled(*interval));
        let mut curves = series(9);
        curves.iter_mut().flat_map(|curve| &mut curve.points).for_each(|(x, interval)| {
            (*x, *interval) = (*x * 123.0, scaled(*interval));
        });
        let mut profiles = profiles(9);
        profiles.iter_mut().flat_map(|profile| &mut profile.points).for_each(|(tau, _)| *tau = *tau * factor + shift);
        for width in [400, 1000] {
            let options = PictureOptions { width, ..options() };
            for picture in [
                interval_rows(&METRICS, &rows, &options),
                learning_curves(&curves, "return", &options),
                performance_profiles(&profiles, "return", &options),
            ] {
                assert_apart(&format!("{factor}, {shift}, {width}"), &picture.unwrap());
            }
        }
    }
}

#[test]
fn every_picture_says_task_seeds_protocol_and_names_every_optimizer_in_full() {
    for (name, picture) in pictures(16, &options()) {
        // Lines are broken at blanks and within names.
        let text = all_text(&picture.unwrap().svg()).replace(' ', "");
        for expected in ["CartPole-v1", "30seeds", "tunedon10otherseeds,95%bootstrapintervals"].iter().chain(&NAMES) {
            assert!(text.contains(&expected.replace(' ', "")), "{name} does not say {expected}: {text}");
        }
    }
    let one =
        interval_rows(&["IQM"], &[IntervalRow { label: "a<b & \"c\"".into(), intervals: vec![exactly(0.0)] }], &{
            PictureOptions { seeds: 1, ..options() }
        });
    let text = all_text(&one.unwrap().svg());
    assert!(text.contains("1 seed,") && text.contains("a<b & \"c\""), "{text}");
}

struct Pixels {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Pixels {
    fn of(picture: &Picture) -> Pixels {
        let bytes = picture.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut rgb = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rgb).unwrap();
        Pixels { width: info.width as usize, height: info.height as usize, rgb }
    }

    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let i = (y * self.width + x) * 3;
        [self.rgb[i], self.rgb[i + 1], self.rgb[i + 2]]
    }
}

#[test]
fn png_and_svg_show_the_same() {
    let options = PictureOptions { width: 300, scale: 0.5, ..options() };
    for (name, picture) in pictures(3, &options) {
        let picture = picture.unwrap();
        let (pixels, shapes) = (Pixels::of(&picture), shapes(&picture.svg()));
        assert_eq!((pixels.width, pixels.height), (picture.width() as usize, picture.height() as usize));
        let mut covered = vec![false; pixels.width * pixels.height];
        for shape in &shapes {
            let edge = shape.stroke / 2.0 + 1.0;
            let columns = (shape.left - edge).max(0.0) as usize..=((shape.right + edge) as usize).min(pixels.width - 1);
            let rows = (shape.top - edge).max(0.0) as usize..=((shape.bottom + edge) as usize).min(pixels.height - 1);
            let mut inked = false;
            for (x, y) in rows.flat_map(|y| columns.clone().map(move |x| (x, y))) {
                covered[y * pixels.width + x] = true;
                inked |= pixels.at(x, y) != [255; 3];
            }
            // The middle of the scale is white, and so is what no run diverged at.
            assert!(inked || shape.colour == "#ffffff" || shape.height() == 0.0, "{name}: no ink in {shape:?}");
        }
        for (i, covered) in covered.iter().enumerate() {
            let (x, y) = (i % pixels.width, i / pixels.width);
            assert!(*covered || pixels.at(x, y) == [255; 3], "{name}: ink at {x}, {y} where the SVG has none");
        }
    }
}

#[test]
fn the_same_numbers_give_the_same_bytes_and_files_are_whole() {
    let options = PictureOptions { width: 300, scale: 0.5, ..options() };
    let folder = TempDir::new().unwrap();
    for ((name, first), (_, second)) in pictures(3, &options).into_iter().zip(pictures(3, &options)) {
        let (first, second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.svg(), second.svg(), "{name}");
        assert_eq!(first.png().unwrap(), second.png().unwrap(), "{name}");
        first.save(folder.path().join("a.PNG")).unwrap();
        assert_eq!(fs::read(folder.path().join("a.PNG")).unwrap(), first.png().unwrap());
        first.save(folder.path().join("a.svg")).unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("a.svg")).unwrap(), first.svg());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "a temporary file was left behind");
    }
    let picture = learning_curves(&series(2), "score", &options).unwrap();
    for name in ["a.jpg", "a", ""] {
        let error = picture.save(folder.path().join(name)).unwrap_err();
        assert!(matches!(error, PlotError::Format { .. }), "{name}: {error}");
    }
    let error = picture.save(folder.path().join("no/such/folder.png")).unwrap_err();
    assert!(matches!(error, PlotError::Write { .. }), "{error}");
}

#[test]
fn many_curves_get_a_panel_each() {
    let panels = |count| {
        let svg = learning_curves(&series(count), "score", &options()).unwrap().svg();
        // Each panel has one pale blue band.
        shapes(&svg).iter().filter(|shape| shape.colour == BLUE && shape.opacity < 1.0 && shape.width() > 100.0).count()
    };
    assert_eq!((panels(6), panels(7), panels(16)), (1, 7, 16));
    // Those of one panel are told apart by more than their colours.
    let svg = learning_curves(&series(6), "score", &options()).unwrap().svg();
    let pieces =
        |colour: &str| shapes(&svg).iter().filter(|shape| shape.colour == colour && shape.stroke > 0.0).count();
    assert!(pieces(BLUE) == 2 && pieces("#009e73") > 10 && pieces("#cc79a7") > pieces("#009e73"));
}

#[test]
fn rows_are_sorted_and_bars_are_as_long_as_their_intervals() {
    let row = |label: &str, interval| IntervalRow { label: label.into(), intervals: vec![interval] };
    let intervals =
        [around(0.2, 0.1), Interval { point: 0.8, low: 0.6, high: 0.9 }, Interval { point: 0.5, low: 0.5, high: 0.9 }];
    let rows = [row("worst", intervals[0]), row("best", intervals[1]), row("middle", intervals[2])];
    let svg = interval_rows(&["IQM"], &rows, &options()).unwrap().svg();
    let mut sorted: Vec<Shape> = labels(&svg)
        .into_iter()
        .filter(|label| ["best", "middle", "worst"].contains(&label.label.as_deref().unwrap_or_default()))
        .collect();
    sorted.sort_by(|a, b| a.top.total_cmp(&b.top));
    assert_eq!(sorted.iter().filter_map(|s| s.label.as_deref()).collect::<Vec<_>>(), ["best", "middle", "worst"]);

    let shapes = shapes(&svg);
    let find =
        |pale: bool| shapes.iter().filter(move |s| s.colour == BLUE && (s.opacity < 1.0) == pale).collect::<Vec<_>>();
    let (bars, points) = (find(true), find(false));
    assert_eq!((bars.len(), points.len()), (3, 3));
    // 0.3 wide, 0.4 wide and 0.2 wide, from the top.
    let unit = bars[0].width() / 0.3;
    for (bar, width) in bars.iter().zip([0.3, 0.4, 0.2]) {
        assert!((bar.width() - width * unit).abs() < 0.5, "{bar:?} {width}");
    }
    let left = |i: usize| points[i].middle().0 - bars[i].left;
    assert!((left(0) - 0.2 * unit).abs() < 1.0 && left(1).abs() < 1.0 && (left(2) - 0.1 * unit).abs() < 1.0);
    // Each bar stands beside its name.
    for (bar, name) in bars.iter().zip(&sorted) {
        assert!((bar.middle().1 - name.middle().1).abs() < 5.0, "{bar:?} {name:?}");
    }
}

#[test]
fn stripes_end_where_the_last_axis_does_and_meet_between_panels() {
    for width in [500, 1000] {
        let options = PictureOptions { width, ..options() };
        let svg = interval_rows(&METRICS, &rows(5), &options).unwrap().svg();
        let edge = |shape: &Shape| (shape.right * 8.0).round() as i32;
        let shapes = shapes(&svg);
        let stripes: Vec<&Shape> = shapes.iter().filter(|shape| shape.colour == "#000000").collect();
        let axes = shapes.iter().filter(|shape| shape.colour == "#888888" && shape.width() > 20.0);
        let ends: std::collections::BTreeSet<i32> = axes.map(edge).collect();
        assert!(
            stripes.len() > 3 && stripes.iter().all(|stripe| ends.iter().any(|end| (end - edge(stripe)).abs() <= 8))
        );
        for stripe in stripes.iter().filter(|stripe| stripe.left > stripes[0].left) {
            let before = |other: &&&Shape| other.top == stripe.top && (other.right - stripe.left).abs() <= 0.25;
            assert!(stripes.iter().any(|other| before(&other)), "{stripe:?}");
        }
    }
}

#[test]
fn a_number_without_room_leaves_its_grid_line() {
    let large = |point: f64| around(point * 4e5 + 3e5, 1e5);
    let row = |i: usize| IntervalRow { label: NAMES[i].into(), intervals: vec![large(i as f64); 3] };
    let options = PictureOptions { width: 500, ..options() };
    let svg = interval_rows(&METRICS[..3], &[row(0), row(1)], &options).unwrap().svg();
    let lines = shapes(&svg).iter().filter(|shape| shape.colour == "#e6e6e6" && shape.width() == 0.0).count();
    let number = |label: &Shape| label.label.as_ref().is_some_and(|text| text.parse::<f64>().is_ok());
    let numbers = labels(&svg).into_iter().filter(number).count();
    assert!(numbers >= 3 && lines > numbers, "{lines} lines, {numbers} numbers");
}

#[test]
fn the_learning_rate_picture_shows_what_diverged_and_what_is_best() {
    let at = |lr, score: Option<f64>, broken| LearningRatePoint { lr, score: score.map(|s| around(s, 0.1)), broken };
    let points =
        vec![at(1e-4, Some(0.2), 0.0), at(1e-3, Some(0.9), 0.25), at(1e-2, Some(0.1), 0.5), at(0.1, None, 1.0)];
    let curve = LearningRateCurve { label: "adam".into(), points };
    let svg = learning_rate_sensitivity(&[curve], "score", &options()).unwrap().svg();
    assert!(all_text(&svg).contains("best at 1e−3"), "{}", all_text(&svg));
    let shapes = shapes(&svg);
    let diverged: Vec<&Shape> = shapes.iter().filter(|shape| shape.colour == VERMILION).collect();
    // After the legend's: tint and bar of three learning rates, each of its own share.
    let tints: Vec<f64> = diverged.iter().filter(|s| s.opacity < 1.0).map(|s| s.opacity).collect();
    assert_eq!(tints.len(), 3);
    assert!(tints.windows(2).all(|pair| pair[0] < pair[1]), "{tints:?}");
    let bars: Vec<&&Shape> = diverged.iter().filter(|s| s.opacity == 1.0 && s.stroke == 0.0).skip(1).collect();
    let full = bars[2].height();
    assert!((bars[0].height() / full - 0.25).abs() < 0.02 && (bars[1].height() / full - 0.5).abs() < 0.02);
    // Powers of ten are evenly spaced.
    let middle = |i: usize| bars[i].middle().0;
    assert!((middle(2) - 2.0 * middle(1) + middle(0)).abs() < 0.5);
    // A cross of two strokes in the legend, and one where half of the runs diverged and there is a score.
    let crosses: Vec<&&Shape> = diverged.iter().filter(|s| s.stroke > 0.0).collect();
    assert_eq!(crosses.len(), 4);
    assert!((crosses[2].middle().0 - middle(1)).abs() < 0.5, "{:?} {}", crosses[2], middle(1));
    // The best has a disc: the second after the legend's.
    let discs: Vec<&Shape> =
        shapes.iter().filter(|s| s.colour == BLUE && s.opacity == 1.0 && s.stroke == 0.0).collect();
    assert!(discs.iter().skip(1).any(|disc| (disc.middle().0 - middle(0)).abs() < 0.5), "{discs:?}");
}

#[test]
fn the_matrix_marks_what_is_decided() {
    let better = Interval { point: 0.81, low: 0.7, high: 0.9 };
    let worse = Interval { point: 0.19, low: 0.1, high: 0.3 };
    let even = Interval { point: 0.6, low: 0.4, high: 0.7 };
    // The diagonal is not looked at, so that it may be anything.
    let nothing = Interval { point: f64::NAN, low: 1.0, high: 0.0 };
    let rows = [vec![nothing, better, even], vec![worse, nothing, better], vec![even, worse, nothing]];
    let svg = improvement_matrix(&["a", "b", "c"], &rows, &options()).unwrap().svg();
    let all = shapes(&svg);
    let cell = |text: &str| all.iter().find(|shape| shape.label.as_deref() == Some(text)).expect("a cell");
    assert_eq!((cell("81").colour.as_str(), cell("19").colour.as_str()), (TEXT, TEXT));
    assert_ne!(cell("60").colour, TEXT);
    // A dot in the legend, and one for each decided cell.
    let dots = all.iter().filter(|s| s.label.is_none() && s.colour == TEXT && s.width() < 10.0).count();
    assert_eq!(dots, 1 + 4);
    // The row's and the column's numbers say which cell it is: a beats b.
    let numbers = |text: &str| all.iter().filter(|s| s.label.as_deref() == Some(text)).collect::<Vec<_>>();
    assert!((numbers("2")[0].middle().0 - cell("81").middle().0).abs() < 3.0);
    let name = all.iter().find(|s| s.label.as_deref() == Some("a  1")).expect("a row");
    assert!((name.middle().1 - cell("81").middle().1).abs() < 4.0);
}

#[test]
fn names_beside_points_become_numbers_where_they_have_no_room() {
    let crowd: Vec<CostPoint> = (0..16)
        .map(|i| CostPoint { label: NAMES[i].into(), cost: exactly(10.0 + i as f64), quality: exactly(0.5) })
        .chain([CostPoint { label: "far".into(), cost: exactly(1e4), quality: exactly(0.9) }])
        .collect();
    let text = |points: &[CostPoint], width| {
        let picture = quality_against_cost(points, AXES, &PictureOptions { width, ..options() }).unwrap();
        assert_apart("a crowd", &picture);
        all_text(&picture.svg())
    };
    assert!(!text(&costs(5), 1000).contains(" 5 "), "{}", text(&costs(5), 1000));
    let numbered = text(&crowd, 500);
    assert!(numbered.contains(" 16 ") && numbered.contains(" 17 "), "{numbered}");
    // What none beats in both has the first colour: the cheapest and the best.
    let svg = quality_against_cost(&crowd, AXES, &options()).unwrap().svg();
    let discs = shapes(&svg).iter().filter(|s| s.colour == BLUE && s.stroke == 0.0).count();
    assert_eq!(discs, 1 + 2);
}

#[test]
fn numbers_that_cannot_be_drawn_are_refused_by_name() {
    let (nan, upside_down) = (exactly(f64::NAN), Interval { point: 1.0, low: 2.0, high: 0.0 });
    let line = |points: Vec<(f64, Interval)>| vec![Series { label: "adam".into(), points }];
    let one = exactly(1.0);
    let curves = |series: &[Series]| learning_curves(series, "score", &options()).unwrap_err().to_string();
    let twice = [line(vec![(0.0, one)]), line(vec![(0.0, one)])].concat();
    let blank = [Series { label: " ".into(), points: vec![(0.0, one)] }];
    for (series, reason) in [
        (&[][..], "it needs at least one line"),
        (&line(vec![]), "adam cannot be drawn: it has no points"),
        (&line(vec![(0.0, nan)]), "adam cannot be drawn: its interval NaN [NaN, NaN] is not of finite numbers"),
        (&line(vec![(0.0, exactly(1e101))]), "is not of finite numbers within 1e100"),
        (&line(vec![(0.0, upside_down)]), "its interval [2, 0] ends before it begins"),
        (&line(vec![(f64::INFINITY, one)]), "it has a point at inf"),
        (&line(vec![(5.0, one), (5.0, one)]), "its points do not rise along the axis: 5 follows 5"),
        (&line(vec![(-1.0, one)]), "environment steps are counted from zero up"),
        (&twice, "adam cannot be drawn: the label is there twice"),
        (&blank, "a label is blank"),
    ] {
        assert!(curves(series).contains(reason), "{} does not say {reason}", curves(series));
    }
    assert!(performance_profiles(&line(vec![(-1.0, one), (0.0, one)]), "score", &options()).is_ok());

    let row = |intervals| [IntervalRow { label: "adam".into(), intervals }];
    let rows =
        |metrics: &[&str], rows: &[IntervalRow]| interval_rows(metrics, rows, &options()).unwrap_err().to_string();
    assert!(rows(&[], &row(vec![])).contains("at least one metric"));
    assert!(rows(&["IQM"], &[]).contains("at least one row"));
    assert!(rows(&["IQM"], &row(vec![])).contains("adam cannot be drawn: it has 0 intervals where 1 belong"));
    assert!(rows(&["IQM"], &row(vec![nan])).contains("adam"));

    let curve = |lr, score, broken| {
        let points = vec![LearningRatePoint { lr, score, broken }];
        let curves = [LearningRateCurve { label: "adam".into(), points }];
        learning_rate_sensitivity(&curves, "score", &options()).unwrap_err().to_string()
    };
    assert!(curve(0.0, Some(one), 0.0).contains("its learning rate 0 has no place on a logarithmic axis"));
    assert!(curve(f64::NAN, Some(one), 0.0).contains("not a finite number"));
    assert!(curve(0.1, Some(one), 1.1).contains("1.1 is no share"));
    assert!(curve(0.1, Some(one), f64::NAN).contains("NaN is no share"));
    assert!(curve(0.1, Some(nan), 0.0).contains("adam"));
    assert!(curve(0.1, None, 1.0).contains("no learning rate has a score"));

    let half = exactly(0.5);
    let matrix =
        |labels: &[&str], rows: &[Vec<Interval>]| improvement_matrix(labels, rows, &options()).unwrap_err().to_string();
    assert!(matrix(&["a"], &[vec![half]]).contains("two labels"));
    assert!(matrix(&["a", "b"], &[vec![half, half]]).contains("it has 1 rows where 2 belong"));
    assert!(matrix(&["a", "b"], &[vec![half, half], vec![half]]).contains("b cannot be drawn: it has 1 probabilities"));
    assert!(matrix(&["a", "b"], &[vec![half, exactly(1.5)], vec![half, half]]).contains("is no probability"));
    assert!(matrix(&["a", "a"], &[vec![half, half], vec![half, half]]).contains("twice"));

    let cost = |cost, quality| {
        let point = CostPoint { label: "adam".into(), cost, quality };
        quality_against_cost(&[point], AXES, &options()).unwrap_err().to_string()
    };
    assert!(cost(exactly(0.0), one).contains("its cost 0 has no place on a logarithmic axis"));
    assert!(cost(one, nan).contains("adam") && cost(nan, one).contains("adam"));
    assert!(quality_against_cost(&[], AXES, &options()).unwrap_err().to_string().contains("at least one point"));

    let gain = |points| {
        let curve = ScalingCurve { label: "adam".into(), points };
        scaling("Gain", &[curve], SCALES, &options()).unwrap_err().to_string()
    };
    assert!(gain(vec![(0.0, 1.0)]).contains("its ranks 0 has no place on a logarithmic axis"));
    assert!(gain(vec![(1.0, -1.0)]).contains("its times as fast as one -1 has no place"));
    assert!(gain(vec![(2.0, 1.0), (1.0, 1.0)]).contains("adam") && gain(vec![(1.0, f64::NAN)]).contains("adam"));
    assert!(gain(vec![]).contains("adam") && scaling("Gain", &[], SCALES, &options()).is_err());

    let marked = |panels: &[ScalingPanel], at| {
        scaling_panels("Gain", panels, &[landmark(at)], SCALES, &options()).unwrap_err().to_string()
    };
    assert!(marked(&[], one).contains("at least one panel"));
    assert!(
        marked(&panels(2), exactly(0.0)).contains("noise scale") && marked(&panels(2), nan).contains("noise scale")
    );
    assert!(marked(&panels(2), around(1.0, 2.0)).contains("its ranks -1 has no place on a logarithmic axis"));
    let mut below = panels(2);
    below[1].curves[0].points[0].1.low = 0.0;
    assert!(marked(&below, one).contains("its times as fast as one 0 has no place"));
    let mut called = panels(2);
    called[0].curves[0].label = "noise scale".into();
    assert!(marked(&called, one).contains("twice"));
}

#[test]
fn a_landmark_stands_in_each_panel_where_its_numbers_are() {
    let curve = |x: [f64; 2]| Series { label: "adam".into(), points: x.map(|x| (x, exactly(x))).into() };
    let panels = [("a", [1.0, 100.0]), ("b", [10.0, 1000.0])]
        .map(|(name, x)| ScalingPanel { name: name.into(), curves: vec![curve(x)] });
    let at = landmark(Interval { point: 10.0, low: 1.0, high: 100.0 });
    let svg = scaling_panels("Rules", &panels, &[at], SCALES, &options()).unwrap().svg();
    let of = |colour: &str, bands: bool| -> Vec<Shape> {
        let own = |shape: &Shape| shape.colour == colour && (shape.opacity < 1.0) == bands && shape.height() > 30.0;
        shapes(&svg).into_iter().filter(own).collect()
    };
    let (bands, curves) = (of("#3c3c3c", true), of(BLUE, false));
    assert_eq!((bands.len(), curves.len()), (2, 2));
    let near = |a: f64, b: f64| (a - b).abs() < 1.0;
    assert!(near(bands[0].left, curves[0].left) && near(bands[0].right, curves[0].right), "{bands:?}, {curves:?}");
    assert!(
        near((bands[1].left + bands[1].right) / 2.0, curves[1].left),
        "both panels have one axis: {bands:?}, {curves:?}"
    );
    assert!(bands.iter().zip(&curves).all(|(band, curve)| band.height() > curve.height() / 2.0));
}

#[test]
fn options_out_of_range_and_heights_too_small_for_the_rows_are_refused() {
    for (name, options) in [
        ("task", PictureOptions { task: " ".into(), ..options() }),
        ("seeds", PictureOptions { seeds: 0, ..options() }),
        ("protocol", PictureOptions { protocol: String::new(), ..options() }),
        ("width", PictureOptions { width: 239, ..options() }),
        ("width", PictureOptions { width: 10_001, ..options() }),
        ("width", PictureOptions { width: 479, scale: 2.0, ..options() }),
        ("height", PictureOptions { height: Some(10_001), ..options() }),
        ("scale", PictureOptions { scale: f64::NAN, ..options() }),
        ("scale", PictureOptions { scale: 9.0, ..options() }),
    ] {
        for (picture, result) in pictures(3, &options) {
            let error = result.unwrap_err();
            assert!(matches!(&error, PlotError::Option { name: found, .. } if *found == name), "{picture}: {error}");
        }
    }
    for (picture, result) in pictures(16, &PictureOptions { height: Some(120), ..options() }) {
        let error = result.unwrap_err();
        let PlotError::Size { side: "height", pixels: 120, least } = error else { panic!("{picture}: {error}") };
        // What the message asks for is enough, and a pixel less is not.
        let with = |height| {
            let options = PictureOptions { height: Some(height), ..options() };
            pictures(16, &options).into_iter().find(|(name, _)| *name == picture).expect("it").1
        };
        assert!(with(least).is_ok() && with(least - 1).is_err(), "{picture}: {least}");
    }
    // Heights grow with what is drawn.
    let height = |count| interval_rows(&METRICS, &rows(count), &options()).unwrap().height();
    assert!(height(16) > height(8) && height(8) > height(3));
    let error = improvement_matrix(&NAMES, &matrix(16), &PictureOptions { width: 240, ..options() }).unwrap_err();
    assert!(matches!(error, PlotError::Size { side: "width", .. }), "{error}");
}

#[test]
fn degenerate_numbers_are_drawn_too() {
    let awkward = [0.0, -1e100, 1e100, 1e-300, 5.0];
    for a in awkward {
        for b in awkward {
            let lone = [Series {
                label: "a".into(),
                points: vec![(0.0, Interval { point: a, low: a.min(b), high: a.max(b) })],
            }];
            for options in [options(), PictureOptions { width: 240, ..options() }] {
                learning_curves(&lone, "score", &options).unwrap();
                let row = [IntervalRow { label: "a".into(), intervals: vec![lone[0].points[0].1] }];
                interval_rows(&["IQM"], &row, &options).unwrap();
            }
        }
    }
    let point = |cost: f64| CostPoint { label: format!("{cost}"), cost: exactly(cost), quality: exactly(0.0) };
    quality_against_cost(&[point(1e-100), point(1e100)], AXES, &options()).unwrap();
}
