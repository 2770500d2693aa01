use super::*;
use crate::benchmark::{Divergence, Grid, Outcome};

/// The last rollout goes beyond the steps that were asked for: who solves the task in it does so while the others are watched still.
#[test]
fn who_never_solves_a_task_is_watched_to_the_last_step() {
    let grid = Grid { curve_points: 2, ..Grid::default() };
    let cells = grid.cells().expect("cells");
    let cell = cells.first().expect("a cell");
    let steps = cell.config.steps;
    let run = |solved_at_step, diverged: bool| {
        let outcome = Outcome {
            env_steps: if diverged { 100 } else { steps + 72 },
            updates: 4,
            episodes: 9,
            solved_at_step,
            best_return: None,
            entropy: None,
            state_bytes: 0,
            eval_return: Some(1.0),
            diverged: diverged.then(|| Divergence { update: 3, what: "the loss".into() }),
            curve: vec![1.0, 1.0],
        };
        Run::new(cell, &grid, &outcome, 1.0).expect("a run")
    };
    let of = |runs: &[Run]| {
        let runs: Vec<&Run> = runs.iter().collect();
        Entry::of("adam".into(), &runs).expect("an entry").solved
    };
    let late = Some(steps + 10);
    for other in [false, true] {
        let solved = of(&[run(late, false), run(None, other), run(None, other)]);
        assert_eq!((solved.median.point, solved.restricted_mean.point), (f64::INFINITY, steps as f64), "{other}");
        assert!((solved.censored - 2.0 / 3.0).abs() < 1e-12);
    }
    let solved = of(&[run(late, false), run(Some(40), false), run(None, false)]);
    assert_eq!(solved.median.point, (steps + 10) as f64);
    assert!(
        (solved.restricted_mean.point - (40 + 2 * steps) as f64 / 3.0).abs() < 1e-6,
        "{:?}",
        solved.restricted_mean
    );
}
