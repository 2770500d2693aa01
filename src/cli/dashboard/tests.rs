use std::time::Duration;

use expect_test::{ExpectFile, expect_file};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::agent::Scene;
use super::board::Board;
use super::curve::Curve;
use super::view;
use crate::envs::{Colour, Drawing, Shape};
use crate::evaluation::{Evaluated, Evaluation};
use crate::metrics::Metrics;
use crate::train::Spent;
use crate::{Config, Trainer};

fn trainer() -> Trainer {
    let config = Config { steps: 10_000, ..Config::for_algo("ppo").expect("ppo") };
    Trainer::new(&config).expect("a trainer")
}

fn spent(update: u64) -> Spent {
    let [collecting, learning, evaluating] = [300, 500, 100].map(|millis| Duration::from_millis(millis * update));
    Spent { collecting, learning, evaluating }
}

fn metrics(update: u64) -> Metrics {
    let x = update as f64;
    Metrics {
        update,
        env_steps: 100 * update,
        episodes: update,
        episode_return_mean: Some(20.0 + 3.0 * x),
        episode_length_mean: None,
        policy_loss: Some(-0.01 * (x / 3.0).sin()),
        value_loss: Some(40.0 / x),
        entropy: Some(0.693 - 0.002 * x),
        approx_kl: None,
        clip_fraction: None,
        explained_variance: None,
        grad_norm: 0.5 + 0.1 * (x / 5.0).cos(),
        update_norm: 0.1,
        lr: None,
        steps_per_second: 0.0,
        others: Vec::new(),
    }
}

/// A run that has come to the middle.
fn board() -> Board {
    let mut board = Board::new(&trainer(), "runs/mine".as_ref());
    for update in 1..=50 {
        board.update(&metrics(update), spent(update), Duration::from_secs(update));
        if update % 10 == 0 {
            let evaluation = Evaluation::of(vec![Some(25.0 + 3.0 * update as f64)], vec![Some(100)]);
            let evaluated = Evaluated { update, env_steps: 100 * update, is_best: false, evaluation };
            board.evaluated(&evaluated, spent(update));
        }
    }
    board
}

fn scene() -> Scene {
    let [paper, ink] = [Colour(255, 255, 255), Colour(0, 0, 0)];
    let shapes = vec![Shape::Disc { centre: (2.0, 1.0), radius: 0.8, colour: ink }];
    let drawing = Some(Drawing { width: 4.0, height: 2.0, background: paper, shapes });
    Scene { drawing, words: "step 7, return 7.00, learnt from 5,000 steps".into() }
}

fn drawn((width, height): (u16, u16), board: &Board, scene: &Scene, ends: bool) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal");
    terminal.draw(|frame| view::draw(frame, board, scene, Duration::from_secs(51), ends)).expect("a picture");
    let buffer = terminal.backend().buffer();
    let line = |row: &[ratatui::buffer::Cell]| row.iter().map(|cell| cell.symbol()).collect::<String>();
    let lines = buffer.content.chunks(width.into()).map(|row| format!("{}\n", line(row).trim_end()));
    lines.collect()
}

#[test]
fn a_window_of_any_size_shows_what_fits() {
    let snapshots: [((u16, u16), ExpectFile); 5] = [
        ((80, 24), expect_file!["../../../tests/dashboard/80x24.txt"]),
        ((40, 10), expect_file!["../../../tests/dashboard/40x10.txt"]),
        ((200, 60), expect_file!["../../../tests/dashboard/200x60.txt"]),
        ((20, 4), expect_file!["../../../tests/dashboard/20x4.txt"]),
        ((1, 1), expect_file!["../../../tests/dashboard/1x1.txt"]),
    ];
    for (size, snapshot) in snapshots {
        snapshot.assert_eq(&drawn(size, &board(), &scene(), false));
    }
}

#[test]
fn no_size_and_no_stage_of_a_run_is_too_much() {
    let fresh = Board::new(&trainer(), "runs/mine".as_ref());
    let mut odd = board();
    odd.update(&Metrics { grad_norm: f64::INFINITY, ..metrics(51) }, spent(51), Duration::from_secs(51));
    odd.warn(&"a long warning ".repeat(40));
    for board in [&fresh, &odd] {
        for scene in [Scene::default(), scene()] {
            for size in [(1, 1), (1, 50), (300, 1), (24, 5), (25, 6), (33, 9), (56, 14), (80, 8), (500, 200)] {
                drawn(size, board, &scene, false);
                let ending = drawn(size, board, &scene, true);
                assert!(size.0 < 60 || size.1 < 5 || ending.contains("finishing what is under way"), "{ending}");
            }
        }
    }
    assert!(drawn((80, 24), &fresh, &Scene::default(), false).contains("no update yet"));
}

#[test]
fn speeds_and_the_time_left_go_by_what_took_how_long() {
    let board = board();
    let speeds = board.speeds().map(|(_, rate)| rate.map(f64::round));
    // A hundred steps a second; 0.3 s of them were collecting, 0.5 s learning. Five evaluations of 100 steps took 5 s.
    assert_eq!(speeds, [Some(100.0), Some(333.0), Some(200.0), Some(100.0)]);
    assert_eq!(board.left(), Some(Duration::from_secs(50)));
    let fresh = Board::new(&trainer(), "runs/mine".as_ref());
    assert_eq!((fresh.speeds().map(|(_, rate)| rate), fresh.left()), ([None; 4], None));
}

#[test]
fn a_curve_keeps_its_shape_in_bounded_memory() {
    let mut curve = Curve::default();
    (0..1_000_000).for_each(|i| curve.push(f64::from(i), f64::from(i)));
    let points = curve.points();
    assert!((512..1024).contains(&points.len()), "{}", points.len());
    assert!(points[0].0 < 2_000.0, "its beginning is still there: {}", points[0].0);
    assert!(points.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
    assert!(points.iter().all(|(x, y)| x - y < 2_000.0), "means of neighbours");
    assert_eq!(curve.last(), Some(999_999.0));
}
