use super::{ActionColumn, ActionKind, ObservationColumn, Rollout};
use uphill_envs::End;

/// So many lanes and steps of actions of two numbers: lane, then step.
fn part(first: u32, lanes: u32, steps: u32) -> Rollout {
    let len = (lanes * steps) as usize;
    let places = (0..steps).flat_map(|t| (first..first + lanes).map(move |lane| [lane, t]));
    let column = || places.clone().map(|[lane, t]| (10 * lane + t) as f32).collect::<Vec<_>>();
    Rollout {
        action_len: 2,
        observation: places.clone().flat_map(|[lane, t]| [lane as f32, t as f32, 1.0]).collect::<Vec<_>>().into(),
        action: places.clone().flatten().collect::<Vec<u32>>().into(),
        log_prob: column(),
        reward: column(),
        end: vec![End::Not; len],
        valid: vec![true; len],
        value: column(),
        next_value: column(),
        ..Rollout::new(lanes as usize, 3)
    }
}

#[test]
fn lanes_side_by_side_keep_their_actions() {
    let mut joined = Rollout::default();
    joined.join([&part(0, 2, 4), &part(2, 3, 4)].into_iter());
    assert_eq!(joined, part(0, 5, 4));
    // The shorter part has done nothing where the longer goes on.
    joined.join([&part(0, 2, 1), &part(2, 1, 2)].into_iter());
    assert_eq!(joined.action.indices(), [0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 2, 1]);
    assert_eq!(joined.valid, [true, true, true, false, false, true]);
}

#[test]
fn lanes_of_numbers_side_by_side_keep_their_actions() {
    let of = |first, lanes, steps| {
        let part = part(first, lanes, steps);
        let numbers: Vec<f32> = part.action.indices().iter().map(|&a| a as f32 + 0.5).collect();
        Rollout { action: numbers.into(), ..part }
    };
    let mut joined = Rollout::default();
    joined.join([&of(0, 2, 4), &of(2, 3, 4)].into_iter());
    assert_eq!(joined, of(0, 5, 4));
    joined.join([&part(0, 2, 1)].into_iter());
    assert_eq!((joined.action.kind(), joined.action.indices()), (ActionKind::Discrete, &[0, 0, 1, 0][..]));
}

#[test]
fn images_side_by_side_keep_their_bytes() {
    let of = |first, lanes, steps| {
        let part = part(first, lanes, steps);
        let mut bytes = ObservationColumn::Byte(Vec::new());
        bytes.extend(&part.observation.numbers(0..part.observation.len()));
        Rollout { observation: bytes, ..part }
    };
    let mut joined = Rollout::default();
    joined.join([&of(0, 2, 4), &of(2, 3, 4)].into_iter());
    assert_eq!(joined, of(0, 5, 4));
    assert_eq!(*joined.observation_at(7), [2.0, 1.0, 1.0]);
    let mut taken = vec![9.0];
    joined.observations_at(&[19, 0], &mut taken);
    assert_eq!(taken, [9.0, 4.0, 3.0, 1.0, 0.0, 0.0, 1.0]);
    joined.join([&part(0, 2, 1)].into_iter());
    assert_eq!(joined.observation, ObservationColumn::from(vec![0.0, 0.0, 1.0, 1.0, 0.0, 1.0]));
}

#[test]
fn actions_are_taken_whole_from_their_places() {
    let (mut actions, wide) = (ActionColumn::from(vec![7; 9]), part(0, 2, 3));
    wide.actions_at(&[5, 0, 2], &mut actions);
    assert_eq!(actions.indices(), [1, 2, 0, 0, 0, 1]);
    let one = Rollout { action: vec![4, 5, 6].into(), ..Rollout::new(1, 0) };
    one.actions_at(&[2, 0], &mut actions);
    assert_eq!(actions.indices(), [6, 4]);
    let numbers = Rollout { action: vec![0.5, 1.5, 2.5, 3.5].into(), action_len: 2, ..Rollout::new(1, 0) };
    numbers.actions_at(&[1], &mut actions);
    assert_eq!(actions, ActionColumn::from(vec![2.5, 3.5]));
}
