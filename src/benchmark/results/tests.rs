use super::{Grid, Outcome, Run, Status};
use crate::benchmark::Divergence;

#[test]
fn how_a_run_ended_is_told_by_its_last_score_its_entropy_and_its_best_hundred_episodes() {
    let grid = Grid { curve_points: 4, ..Grid::default() };
    let cells = grid.cells().expect("cells");
    let cell = cells.iter().find(|cell| cell.task == "CartPole-v1").expect("a cell");
    let ended = |last: f64, entropy: f64, best: Option<f64>| {
        let outcome = Outcome {
            env_steps: 100,
            updates: 4,
            episodes: 9,
            solved_at_step: None,
            best_return: best,
            entropy: Some(entropy),
            state_bytes: 0,
            eval_return: Some(last),
            diverged: None,
            // The first episodes were lucky.
            curve: vec![f64::NAN, 400.0, 30.0, last],
        };
        let run = Run::new(cell, &grid, &outcome, 1.0).expect("a run");
        assert_eq!((run.curve[0], run.final_return), (cell.scale.random(), last));
        let diverged = Some(Divergence { update: 3, what: "the loss".into() });
        let broken = Outcome { diverged, eval_return: None, curve: vec![f64::NAN, 400.0], ..outcome };
        let broken = Run::new(cell, &grid, &broken, 1.0).expect("a run");
        assert_eq!((broken.status, broken.final_score, broken.eval_score), (Status::Diverged, 0.0, 0.0));
        assert_eq!(broken.curve[1..], [400.0, cell.scale.random(), cell.scale.random()]);
        run.status
    };
    assert_eq!(ended(300.0, 0.01, Some(300.0)), Status::Finished, "it plays well");
    assert_eq!(ended(20.0, 0.99, None), Status::Finished, "slow, after a lucky start");
    assert_eq!(ended(20.0, 0.99, Some(30.0)), Status::Finished, "slow");
    assert_eq!(ended(20.0, 0.01, None), Status::Collapsed, "it hardly explores");
    assert_eq!(ended(20.0, 0.99, Some(300.0)), Status::Collapsed, "it had learnt");
}
