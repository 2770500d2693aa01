//! [`GridWorld`]: its rules, its presets, and `CliffWalking` against what was recorded from Gymnasium.

use std::collections::BTreeMap;

use serde::Deserialize;
use uphill_envs::{
    Action, End, Env, EnvError, GridObservation, GridWorld, GridWorldConfig, NumpyRng, Shape, Step, make,
};

const UP: u32 = 0;
const RIGHT: u32 = 1;
const DOWN: u32 = 2;
const LEFT: u32 = 3;

/// The index of the 1 in a one-hot observation.
fn state(observation: &[f32]) -> usize {
    assert_eq!(observation.iter().sum::<f32>(), 1.0);
    observation.iter().position(|&x| x == 1.0).unwrap()
}

fn config(map: &str) -> GridWorldConfig {
    GridWorldConfig { map: map.into(), ..GridWorldConfig::default() }
}

/// The states, rewards and ends of one episode under these actions.
fn follow(env: &mut impl Env, actions: &[u32]) -> Vec<(usize, f32, End)> {
    let mut observation = vec![0.0; env.spec().observation_len()];
    env.reset(Some(0), &mut observation).unwrap();
    let step = |&a| {
        let Step { reward, end } = env.step(Action::Discrete(a), &mut observation).unwrap();
        (state(&observation), reward, end)
    };
    actions.iter().map(step).collect()
}

#[derive(Deserialize)]
struct Trajectory {
    id: String,
    seed: u64,
    first: usize,
    /// Action, state, reward, terminated, and the first state of the next episode where this one ended.
    steps: Vec<(u32, usize, f32, bool, Option<usize>)>,
}

/// State by state, with the slippery ones' random numbers.
#[test]
fn cliff_walking_is_gymnasiums() {
    let recorded: Vec<Trajectory> = serde_json::from_str(include_str!("reference/cliffwalking.json")).unwrap();
    let (mut ended, mut fallen, mut slipped) = (0, 0, false);
    for trajectory in recorded {
        let mut env = make(&trajectory.id).unwrap();
        assert_eq!((env.spec().max_episode_steps, env.spec().reward_threshold), (None, None));
        let mut observation = vec![0.0; 48];
        env.reset(Some(trajectory.seed), &mut observation).unwrap();
        assert_eq!(state(&observation), trajectory.first);
        for (t, (action, next, reward, terminated, after)) in trajectory.steps.into_iter().enumerate() {
            let step = env.step(Action::Discrete(action), &mut observation).unwrap();
            let place = format!("{}, seed {}, step {t}", trajectory.id, trajectory.seed);
            assert_eq!(state(&observation), next, "{place}");
            assert_eq!((step.reward, step.end == End::Terminated), (reward, terminated), "{place}");
            if let Some(after) = after {
                env.reset(None, &mut observation).unwrap();
                assert_eq!(state(&observation), after, "{place}");
                ended += 1;
            }
            fallen += u32::from(reward == -100.0);
            slipped |= trajectory.id.contains("Slippery");
        }
    }
    assert!(ended >= 3 && fallen > 100 && slipped, "the reference shows too little: {ended} ends, {fallen} falls");
}

/// The only shortest path of the small map, and its documented return.
#[test]
fn the_small_map_pays_what_it_says() {
    let mut env = make("GridWorld-4x4-v0").unwrap();
    let steps = follow(&mut env, &[RIGHT, RIGHT, DOWN, RIGHT, DOWN, DOWN]);
    assert_eq!(steps.iter().map(|s| s.0).collect::<Vec<_>>(), [1, 2, 6, 7, 11, 15]);
    assert!(steps[..5].iter().all(|s| s.1 == -0.001 && s.2 == End::Not));
    assert_eq!((steps[5].1, steps[5].2), (1.0, End::Terminated));
    let total: f64 = steps.iter().map(|s| f64::from(s.1)).sum();
    assert!((total - 0.995).abs() < 1e-7);
    // A pit ends the episode, a wall and the edge are stood at.
    assert_eq!(follow(&mut env, &[RIGHT, RIGHT, RIGHT])[2], (3, 0.0, End::Terminated));
    assert_eq!(
        follow(&mut env, &[UP, LEFT, RIGHT, DOWN]),
        [(0, -0.001, End::Not), (0, -0.001, End::Not), (1, -0.001, End::Not), (1, -0.001, End::Not)]
    );
}

#[test]
fn four_rooms_takes_twenty_steps() {
    let mut env = make("FourRooms-v0").unwrap();
    assert_eq!(env.spec().observation_len(), 169);
    let path = [
        [DOWN, DOWN, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT, RIGHT],
        [DOWN, DOWN, DOWN, DOWN, DOWN, DOWN, DOWN, DOWN, RIGHT, RIGHT],
    ]
    .concat();
    let steps = follow(&mut env, &path);
    assert_eq!(steps[19].2, End::Terminated);
    assert!(steps[..19].iter().all(|s| s.2 == End::Not && s.1 == -0.01));
    let total: f64 = steps.iter().map(|s| f64::from(s.1)).sum();
    assert!((total - 0.81).abs() < 1e-6);
}

#[test]
fn each_kind_of_cell_pays_its_own_reward_and_only_that() {
    let mut env = GridWorld::new(GridWorldConfig {
        cell_rewards: BTreeMap::from([('+', 0.5), ('-', -0.25)]),
        cliff_reward: -7.0,
        goal_reward: 3.0,
        ..config("S+-.C\n....G")
    })
    .unwrap();
    let steps = follow(&mut env, &[RIGHT, UP, RIGHT, RIGHT, RIGHT, RIGHT]);
    assert_eq!(
        steps,
        [
            (1, 0.5, End::Not),
            (1, -0.001, End::Not), // staying on such a cell is not entering it
            (2, -0.25, End::Not),
            (3, -0.001, End::Not),
            (0, -7.0, End::Not), // over the cliff, back to the start, and on
            (1, 0.5, End::Not),
        ]
    );
    let mut env = GridWorld::new(GridWorldConfig { goal_reward: 3.0, ..config("SG") }).unwrap();
    assert_eq!(follow(&mut env, &[RIGHT]), [(1, 3.0, End::Terminated)]);
}

/// Each start and each direction comes as often as it should, within 4 standard errors.
#[test]
fn starts_and_slips_come_as_often_as_they_say() {
    fn check(counts: &[u32], probabilities: &[f64]) {
        let n = f64::from(counts.iter().sum::<u32>());
        for (&count, p) in counts.iter().zip(probabilities) {
            let standard_error = (n * p * (1.0 - p)).sqrt();
            assert!((f64::from(count) - n * p).abs() <= 4.0 * standard_error, "{counts:?} for {probabilities:?}");
        }
    }
    let mut env = GridWorld::new(GridWorldConfig { slip: 0.3, ..config("...G\n.S..\n....") }).unwrap();
    let mut observation = vec![0.0; 12];
    env.reset(Some(1), &mut observation).unwrap();
    for action in [UP, RIGHT, DOWN, LEFT] {
        let mut counts = [0; 4];
        for _ in 0..20_000 {
            env.reset(None, &mut observation).unwrap();
            env.step(Action::Discrete(action), &mut observation).unwrap();
            counts[[1, 6, 9, 4].iter().position(|&cell| cell == state(&observation)).unwrap()] += 1;
        }
        let mut expected = [0.15; 4];
        expected[action as usize] = 0.7;
        expected[(action as usize + 2) % 4] = 0.0;
        check(&counts, &expected);
    }

    let mut env = GridWorld::new(config("SSSG\n...C\n....\nS...")).unwrap();
    let mut observation = vec![0.0; 16];
    env.reset(Some(2), &mut observation).unwrap();
    let mut counts = [[0; 4]; 2];
    let which = |observation: &[f32]| [0, 1, 2, 12].iter().position(|&cell| cell == state(observation)).unwrap();
    for _ in 0..20_000 {
        env.reset(None, &mut observation).unwrap();
        counts[0][which(&observation)] += 1;
        if state(&observation) == 2 {
            env.step(Action::Discrete(DOWN), &mut observation).unwrap();
            env.step(Action::Discrete(RIGHT), &mut observation).unwrap();
            counts[1][which(&observation)] += 1;
        }
    }
    check(&counts[0], &[0.25; 4]);
    check(&counts[1], &[0.25; 4]);
}

#[test]
fn rows_and_columns_are_scaled_to_one() {
    let row_column = |map| GridWorldConfig { observation: GridObservation::RowColumn, ..config(map) };
    let mut env = GridWorld::new(row_column("S..\n...\n...\n...\n..G")).unwrap();
    let mut observation = [9.0; 2];
    env.reset(None, &mut observation).unwrap();
    assert_eq!(observation, [0.0, 0.0]);
    env.step(Action::Discrete(DOWN), &mut observation).unwrap();
    env.step(Action::Discrete(RIGHT), &mut observation).unwrap();
    assert_eq!(observation, [0.25, 0.5]);
    for action in [RIGHT, DOWN, DOWN, DOWN] {
        env.step(Action::Discrete(action), &mut observation).unwrap();
    }
    assert_eq!(observation, [1.0, 1.0]);
    // A map of one row has no distance to scale by.
    let mut env = GridWorld::new(row_column("SG")).unwrap();
    env.reset(None, &mut observation).unwrap();
    assert_eq!(observation, [0.0, 0.0]);
}

#[test]
fn impossible_options_are_refused_by_name() {
    let refused = |config| match GridWorld::new(config) {
        Err(EnvError::Option { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    let good = GridWorldConfig::default();
    for slip in [-0.1, 1.1, f64::NAN] {
        assert_eq!(refused(GridWorldConfig { slip, ..good.clone() }), "slip");
    }
    assert_eq!(refused(GridWorldConfig { step_reward: f32::NAN, ..good.clone() }), "step_reward");
    assert_eq!(refused(GridWorldConfig { goal_reward: f32::INFINITY, ..good.clone() }), "goal_reward");
    assert_eq!(refused(GridWorldConfig { pit_reward: f32::NAN, ..good.clone() }), "pit_reward");
    assert_eq!(refused(GridWorldConfig { cliff_reward: f32::NAN, ..good.clone() }), "cliff_reward");
    let cell_rewards = BTreeMap::from([('x', f32::NAN)]);
    assert_eq!(refused(GridWorldConfig { cell_rewards, ..good.clone() }), "cell_rewards");
    assert_eq!(refused(GridWorldConfig { max_episode_steps: Some(0), ..good.clone() }), "max_episode_steps");
    assert_eq!(refused(GridWorldConfig { reward_threshold: Some(f64::NAN), ..good.clone() }), "reward_threshold");
    for slip in [0.0, 1.0] {
        assert!(GridWorld::new(GridWorldConfig { slip, ..good.clone() }).is_ok());
    }
}

#[test]
fn a_configuration_survives_being_written_and_read() {
    let config = GridWorldConfig { cell_rewards: BTreeMap::from([('$', 2.0)]), ..GridWorldConfig::four_rooms() };
    let text = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<GridWorldConfig>(&text).unwrap(), config);
    let partial: GridWorldConfig = serde_json::from_str(r#"{"observation": "row-column", "slip": 0.1}"#).unwrap();
    let expected = GridWorldConfig { observation: GridObservation::RowColumn, slip: 0.1, ..GridWorldConfig::default() };
    assert_eq!(partial, expected);
    let misspelt = serde_json::from_str::<GridWorldConfig>(r#"{"slipp": 0.1}"#).unwrap_err().to_string();
    assert!(misspelt.contains("slipp") && misspelt.contains("step_reward"), "{misspelt}");
}

#[test]
fn the_picture_shows_where_the_walker_stands() {
    let mut env = GridWorld::new(config("S.#\n..G")).unwrap();
    follow(&mut env, &[RIGHT, DOWN]);
    let drawing = env.draw().unwrap();
    assert_eq!((drawing.width, drawing.height), (3.0, 2.0));
    assert!(matches!(drawing.shapes.last(), Some(Shape::Disc { centre: (1.5, 1.5), .. })));
}

/// Two worlds that differ in what they pay walk the same way: rewards draw no random numbers.
#[test]
fn rewards_do_not_disturb_the_walk() {
    let slippery = GridWorldConfig { slip: 0.5, ..GridWorldConfig::four_rooms() };
    let other = GridWorldConfig { step_reward: -1.0, ..slippery.clone() };
    let (mut a, mut b) = (GridWorld::new(slippery).unwrap(), GridWorld::new(other).unwrap());
    let mut observation = vec![0.0; 169];
    a.reset(Some(3), &mut observation).unwrap();
    b.reset(Some(3), &mut observation).unwrap();
    let mut rng = NumpyRng::new(0);
    for _ in 0..200 {
        let action = Action::Discrete((rng.random() * 4.0) as u32);
        let step = a.step(action, &mut observation).unwrap();
        b.step(action, &mut observation).unwrap();
        assert_eq!(a.position(), b.position());
        if step.end.ended() {
            break;
        }
    }
}
