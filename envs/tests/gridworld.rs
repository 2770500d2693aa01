//! [`GridWorld`]: its rules, its presets, and `CliffWalking` against what was recorded from Gymnasium.

use std::collections::BTreeMap;

use serde::Deserialize;
use uphill_envs::{
    Action, End, Env, EnvError, GridMoves, GridObservation, GridWorld, GridWorldConfig, NumpyRng, Shape, Step, make,
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

/// Where steps lead, from the first start.
fn cells(env: &mut GridWorld, actions: &[u32]) -> Vec<usize> {
    let mut observation = vec![0.0; env.spec().observation_len()];
    env.reset(Some(0), &mut observation).unwrap();
    let step = |&action| {
        env.step(Action::Discrete(action), &mut observation).unwrap();
        env.position()
    };
    actions.iter().map(step).collect()
}

#[test]
fn goals_pay_what_is_theirs_and_end_the_episode_unless_they_do_not() {
    let goals = BTreeMap::from([('A', 1.5), ('B', 10.0)]);
    let of = |goals_end| {
        let config =
            GridWorldConfig { goals: goals.clone(), goals_end, goal_reward: 3.0, ..config("SA.B\n..G.\n....") };
        GridWorld::new(config).unwrap()
    };
    assert_eq!(follow(&mut of(true), &[RIGHT]), [(1, 1.5, End::Terminated)]);
    assert_eq!(follow(&mut of(true), &[DOWN, RIGHT, RIGHT])[2], (6, 3.0, End::Terminated));
    let steps = [(1, 1.5), (2, -0.001), (3, 10.0), (3, -0.001), (7, -0.001), (6, 3.0)];
    let steps = steps.map(|(cell, reward)| (cell, reward, End::Not));
    assert_eq!(follow(&mut of(false), &[RIGHT, RIGHT, RIGHT, UP, DOWN, LEFT]), steps);
    // The best there is goes to the dear one, and back and forth where it may.
    let best = |env: GridWorld, steps| env.model().unwrap().optimal_value_within(steps);
    assert!((best(of(true), 100) - (10.0 - 6.0 * 0.001)).abs() < 1e-6, "{}", best(of(true), 100));
    assert!((best(of(false), 5) - (1.5 - 0.001 + 10.0 - 0.001 + 10.0)).abs() < 1e-6);
}

const WINDY: &str = "..........\n..........\n..........\nS......G..\n..........\n..........\n..........";

fn windy(moves: GridMoves) -> GridWorldConfig {
    let wind = vec![0, 0, 0, 1, 1, 1, 2, 2, 1, 0];
    GridWorldConfig { wind, moves, step_reward: -1.0, goal_reward: -1.0, ..config(WINDY) }
}

/// Sutton and Barto 2018, example 6.5 and exercise 6.9: 15 steps, with a king's moves 7, and staying is no help.
#[test]
fn the_windy_gridworld_is_that_of_the_book() {
    for (moves, steps) in [(GridMoves::Four, 15.0), (GridMoves::Eight, 7.0), (GridMoves::Nine, 7.0)] {
        let env = GridWorld::new(windy(moves)).unwrap();
        assert_eq!(env.spec().action, uphill_envs::Space::Discrete { n: moves.count() });
        let model = env.model().unwrap();
        assert_eq!(model.optimal_value_within(100), -steps, "{moves:?}");
        assert!((model.start_value(&model.optimal_policy(1.0).unwrap(), 1.0).unwrap() + steps).abs() < 1e-9);
    }
    // "If you are one cell to the right of the goal, then the action left takes you to the cell just above the goal."
    let beside = |map: &str| GridWorldConfig { map: map.into(), ..windy(GridMoves::Nine) };
    let from = |row: usize, column: usize| {
        let mut rows: Vec<Vec<char>> = WINDY.replace('S', ".").lines().map(|row| row.chars().collect()).collect();
        rows[row][column] = 'S';
        let rows: Vec<String> = rows.into_iter().map(String::from_iter).collect();
        GridWorld::new(beside(&rows.join("\n"))).unwrap()
    };
    assert_eq!(cells(&mut from(3, 8), &[LEFT]), [27]);
    // As the sum of move and wind, cut off at the edge: down in the top row against 1 and 2, at the bottom, and aside.
    assert_eq!(cells(&mut from(0, 3), &[DOWN]), [3]);
    assert_eq!(cells(&mut from(0, 6), &[DOWN]), [6]);
    assert_eq!(cells(&mut from(6, 3), &[DOWN]), [63]);
    assert_eq!(cells(&mut from(6, 6), &[DOWN]), [56]);
    assert_eq!(cells(&mut from(5, 6), &[RIGHT]), [37]);
    // A king's moves and staying, with and without wind.
    assert_eq!(cells(&mut from(3, 1), &[4, 5, 6, 7, 8]), [22, 33, 32, 21, 21]);
    assert_eq!(cells(&mut from(6, 6), &[8]), [46]);
    assert_eq!(cells(&mut from(6, 6), &[5]), [57]);
}

#[test]
fn wind_stops_at_walls_and_counts_nothing_on_its_way() {
    let config =
        GridWorldConfig { wind: vec![0, 3], step_reward: -1.0, pit_reward: -9.0, ..config("G.\n.O\n.O\nS.\n..") };
    let mut env = GridWorld::new(config.clone()).unwrap();
    assert_eq!(follow(&mut env, &[RIGHT]), [(7, -1.0, End::Not)]);
    assert_eq!(follow(&mut env, &[RIGHT, RIGHT]), [(7, -1.0, End::Not), (1, -1.0, End::Not)]);
    let mut walled =
        GridWorld::new(GridWorldConfig { map: "G.\n.#\n..\nS.\n..".into(), pit_reward: 0.0, ..config }).unwrap();
    assert_eq!(follow(&mut walled, &[RIGHT, RIGHT]), [(7, -1.0, End::Not), (5, -1.0, End::Not)]);
}

/// A world where everything is drawn: start, goal, slip, wind, and a cliff that leads back.
fn everything(goals_end: bool, map: &str) -> GridWorldConfig {
    GridWorldConfig {
        goals: [('A', 2.0), ('B', 3.0)].into(),
        cell_rewards: [('x', 0.5)].into(),
        slip: 0.3,
        wind: vec![0, 1, 0, 2],
        stochastic_wind: true,
        moves: GridMoves::Nine,
        random_start: true,
        random_goal: true,
        max_episode_steps: None,
        goals_end,
        ..config(map)
    }
}

/// Every start, step and goal that is drawn is one that the model knows, as often as it says.
#[test]
fn what_is_played_is_the_model_whatever_is_drawn() {
    let worlds = [
        everything(true, "A..B\n.#xC\n..O.\nG..."),
        everything(false, "A..B\n.#xC\n..O.\nG..."),
        everything(true, "S...\n.#..\n....\n...x"),
        GridWorldConfig { random_start: false, ..everything(false, "S..G\n..xC\n.A.C\n...B") },
        GridWorldConfig { random_goal: false, random_start: false, ..everything(true, "S..G\n..xC\n.A.C\nS.SB") },
    ];
    for mut world in worlds {
        world.goals.retain(|letter, _| world.map.contains(*letter));
        let mut env = GridWorld::new(world.clone()).unwrap();
        let (model, states) = (env.model().unwrap(), env.model_states().unwrap());
        let d = env.spec().observation_len();
        assert_eq!((states.len(), d), (model.states(), 16 * if world.random_goal { 2 } else { 1 }));
        let state = |env: &GridWorld| states.binary_search(&env.state()).unwrap();
        let mut rng = NumpyRng::new(7);
        let mut seen = vec![0.0; d];
        let (mut starts, mut begun) = (vec![0.0; states.len()], 0.0);
        let mut rows: Vec<BTreeMap<(usize, u32, bool), f64>> = vec![BTreeMap::new(); states.len() * 9];
        let mut over = true;
        for step in 0..120_000 {
            if over {
                env.reset((step == 0).then_some(5), &mut seen).unwrap();
                starts[state(&env)] += 1.0;
                begun += 1.0;
            }
            let (from, action) = (state(&env), (rng.random() * 9.0) as u32);
            assert_eq!(&model.observations()[from * d..(from + 1) * d], seen);
            let step = env.step(Action::Discrete(action), &mut seen).unwrap();
            over = step.end.ended() || rng.random() < 0.02;
            let way = (state(&env), step.reward.to_bits(), step.end.ended());
            *rows[from * 9 + action as usize].entry(way).or_default() += 1.0;
        }
        let near = |count: f64, n: f64, p: f64, what: &str| {
            let error = (n * p * (1.0 - p)).sqrt();
            assert!(p > 0.0 && (count - n * p).abs() <= 5.5 * error + 1.0, "{what}: {count} of {n} for {p}, {world:?}");
        };
        for (state, &count) in starts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            near(count, begun, model.start()[state], "a start");
        }
        for (pair, ways) in rows.iter().enumerate() {
            let n: f64 = ways.values().sum();
            for (&(next, reward, terminal), &count) in ways {
                let is_it = |o: &&uphill_envs::Outcome| {
                    (o.next, (o.reward as f32).to_bits(), o.terminal) == (next, reward, terminal)
                };
                let p: f64 = model.outcomes(pair / 9, pair % 9).iter().filter(is_it).map(|o| o.probability).sum();
                near(count, n, p.min(1.0), "a step");
            }
        }
    }
}

#[test]
fn a_goal_that_is_drawn_is_shown() {
    let of =
        |observation| GridWorld::new(GridWorldConfig { observation, random_goal: true, ..config("S.#\n..G\nG..") });
    let mut drawn = [false; 9];
    let mut one_hot = of(GridObservation::OneHot).unwrap();
    let mut row_column = of(GridObservation::RowColumn).unwrap();
    let mut image = of(GridObservation::Image).unwrap();
    let (mut a, mut b, mut c) = (vec![0.0; 18], vec![0.0; 4], vec![0.0; 45]);
    assert_eq!(image.spec().observation, uphill_envs::Space::Image { height: 3, width: 3, channels: 5, max: 1 });
    for seed in 0..20 {
        one_hot.reset(Some(seed), &mut a).unwrap();
        row_column.reset(Some(seed), &mut b).unwrap();
        image.reset(Some(seed), &mut c).unwrap();
        let goal = one_hot.goal().unwrap();
        drawn[goal] = true;
        assert_eq!((a.iter().sum::<f32>(), a[0], a[9 + goal]), (2.0, 1.0, 1.0));
        assert_eq!(b, [0.0, 0.0, (goal / 3) as f32 / 2.0, (goal % 3) as f32 / 2.0]);
        // The walker, a wall, two goals of which one is drawn.
        assert_eq!((c.iter().sum::<f32>(), c[0], c[5 * goal + 2], c[5 * goal + 4]), (5.0, 1.0, 1.0, 1.0));
        let green = |shape: &&Shape| matches!(shape, Shape::Polygon(_, colour) if colour.1 == 180);
        assert_eq!(image.draw().unwrap().shapes.iter().filter(green).count(), 1);
    }
    assert_eq!(drawn, [false, false, false, false, false, true, true, false, false]);
    // The goal that is not drawn is floor.
    let mut env = of(GridObservation::OneHot).unwrap();
    let other = (0..).find(|&seed| env.reset(Some(seed), &mut a).is_ok() && env.goal() == Some(5)).unwrap();
    env.reset(Some(other), &mut a).unwrap();
    let steps = [DOWN, DOWN, RIGHT, RIGHT, UP].map(|action| env.step(Action::Discrete(action), &mut a).unwrap());
    assert_eq!(steps[1], Step { reward: -0.001, end: End::Not });
    assert_eq!(steps[4], Step { reward: 1.0, end: End::Terminated });
}

#[test]
fn a_walk_to_a_drawn_goal_goes_on_where_it_was_saved() {
    for world in [everything(false, "A..B\n.#xC\n..O.\nG..."), everything(true, "A..B\n.#xC\n..O.\nG...")] {
        let (mut one, mut other) = (GridWorld::new(world.clone()).unwrap(), GridWorld::new(world).unwrap());
        let mut seen = vec![0.0; 32];
        one.reset(Some(1), &mut seen).unwrap();
        let mut walk = |env: &mut GridWorld, from: u32| -> Vec<(usize, Option<usize>)> {
            let step = |i: u32| {
                if env.step(Action::Discrete(i * 5 % 9), &mut seen).unwrap().end.ended() {
                    env.reset(None, &mut seen).unwrap();
                }
                (env.position(), env.goal())
            };
            (from..from + 300).map(step).collect()
        };
        walk(&mut one, 0);
        let mut state = Vec::new();
        assert!(one.save(&mut state));
        other.restore(&state).unwrap();
        assert_eq!(walk(&mut one, 3), walk(&mut other, 3));
        // A goal that is none is refused, and so is what an undrawn one saves.
        state[2] = 9;
        assert!(matches!(other.restore(&state), Err(EnvError::Saved { .. })));
        state.remove(2);
        assert!(matches!(other.restore(&state), Err(EnvError::Saved { .. })));
    }
}

#[test]
fn options_that_fit_no_map_are_refused_with_what_would() {
    let said = |config: GridWorldConfig| GridWorld::new(config).unwrap_err().to_string();
    let wind = GridWorldConfig { wind: vec![1, 2], ..config("S.G") };
    assert_eq!(said(wind), "wind = 2 numbers is impossible: it takes one number for each column of the map");
    let calm = GridWorldConfig { stochastic_wind: true, ..config("S.G") };
    assert_eq!(said(calm), "stochastic_wind = true is impossible: it takes wind in some column");
    let one = GridWorldConfig { random_goal: true, ..config("S.G") };
    assert!(
        said(one).starts_with(
            "random_goal = true is impossible: it takes several goals on the map, to draw one of, or none"
        )
    );
    let apart = GridWorldConfig { random_goal: true, random_start: true, ..config("..#.\n..#.") };
    let expected = "not every goal can be reached from every start: no way leads from line 1, column 4 of the map";
    assert!(said(apart.clone()).starts_with(expected), "{}", said(apart));
    let behind = GridWorldConfig { random_goal: true, ..config("\nS.#.\n..#.") };
    assert!(said(behind).contains("no way leads to line 2, column 4 of the map"));
    let goals = BTreeMap::from([('A', f32::NAN)]);
    assert!(matches!(
        GridWorld::new(GridWorldConfig { goals, ..config("S.A") }),
        Err(EnvError::Option { name: "goals", .. })
    ));
}

/// What would fill the memory is refused with the amount, before it does.
#[test]
fn a_large_map_is_walked_and_has_the_model_that_memory_allows() {
    let square = |side: usize, observation| {
        let map = format!("S{0}\n{1}{0}G", ".".repeat(side - 1), format!("{}\n", ".".repeat(side)).repeat(side - 2));
        let limit = Some(4 * side as u32);
        GridWorld::new(GridWorldConfig { observation, max_episode_steps: limit, ..config(&map) }).unwrap()
    };
    let mut env = square(200, GridObservation::OneHot);
    assert_eq!(env.spec().observation_len(), 40_000);
    assert_eq!(follow(&mut env, &[DOWN, RIGHT]), [(200, -0.001, End::Not), (201, -0.001, End::Not)]);
    let said = "the observations of the model's 40000 states, 40000 numbers each, would need 6104 MiB, and may 256 MiB";
    let error = env.model().unwrap_err().to_string();
    assert!(error.starts_with(said), "{error}");
    let model = square(200, GridObservation::RowColumn).model().unwrap();
    assert_eq!((model.states(), model.observation_len()), (40_000, 2));
    let uniform = model.uniform_policy();
    let error = model.state_values(&uniform, 0.9).unwrap_err().to_string();
    assert!(error.starts_with("the exact values of 40000 states need a matrix of 12207 MiB"), "{error}");
    let anywhere = GridWorldConfig { random_goal: true, map: vec!["S".repeat(200); 200].join("\n"), ..config("") };
    let error = GridWorld::new(anywhere).unwrap().model().unwrap_err();
    assert!(error.to_string().starts_with("the model has more than 1048576 outcomes"), "{error}");
    // Copies share what is large.
    let copies = vec![square(300, GridObservation::Image); 1000];
    assert_eq!(copies.len(), 1000);
}
