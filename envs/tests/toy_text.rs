//! The toy-text environments against episodes and tables recorded from Gymnasium (`reference/record.py`).

use serde::Deserialize;
use uphill_envs::{
    Action, End, Env, EnvError, FiniteMdp, FrozenLake, FrozenLakeConfig, MapError, Shape, Taxi, TimeLimit, make,
};

#[derive(Deserialize)]
struct Recorded {
    id: String,
    options: Options,
    model: Table,
    trajectories: Vec<Trajectory>,
}

/// Those of `gymnasium.make`.
#[derive(Deserialize)]
struct Options {
    is_slippery: Option<bool>,
    desc: Option<Vec<String>>,
    success_rate: Option<f64>,
    reward_schedule: Option<[f32; 3]>,
}

/// Gymnasium's `P`, `[S][A]`, with probabilities as their bits.
#[derive(Deserialize)]
struct Table {
    outcomes: Vec<Vec<Vec<Way>>>,
    start: Vec<u64>,
}

/// Probability, next state, reward, terminated.
type Way = (u64, usize, f64, bool);

#[derive(Deserialize)]
struct Trajectory {
    seed: u64,
    episodes: Vec<Episode>,
}

#[derive(Deserialize)]
struct Episode {
    first: usize,
    actions: String,
    rewards: Vec<f32>,
    observations: Vec<usize>,
    end: String,
}

/// The index of the 1 in a one-hot observation.
fn state(observation: &[f32]) -> usize {
    assert_eq!(observation.iter().sum::<f32>(), 1.0);
    observation.iter().position(|&x| x == 1.0).unwrap()
}

/// State by state, with the random numbers of resets and steps; how episodes ended.
fn follow(env: &mut dyn Env, place: &str, trajectories: Vec<Trajectory>) -> Vec<(End, f32)> {
    let mut ends = Vec::new();
    for trajectory in trajectories {
        let mut observation = vec![0.0; env.spec().observation_len()];
        for (i, episode) in trajectory.episodes.into_iter().enumerate() {
            let place = format!("{place}, seed {}, episode {i}", trajectory.seed);
            env.reset((i == 0).then_some(trajectory.seed), &mut observation).unwrap();
            assert_eq!(state(&observation), episode.first, "{place}");
            let last = episode.actions.len() - 1;
            for (t, digit) in episode.actions.bytes().enumerate() {
                let step = env.step(Action::Discrete(u32::from(digit - b'0')), &mut observation).unwrap();
                assert_eq!(state(&observation), episode.observations[t], "{place}, step {t}");
                assert_eq!(step.reward, episode.rewards[t], "{place}, step {t}");
                let end = match episode.end.as_str() {
                    _ if t < last => End::Not,
                    "terminated" => End::Terminated,
                    _ => End::Truncated,
                };
                assert_eq!(step.end, end, "{place}, step {t}");
                if end.ended() {
                    ends.push((end, step.reward));
                }
            }
        }
    }
    ends
}

/// The model is the table, bit for bit, but where the table goes on after an end or tells of states never come to.
/// The number of states with outcomes.
fn compare(model: &FiniteMdp, table: &Table, place: &str) -> usize {
    let start: Vec<u64> = model.start().iter().map(|p| p.to_bits()).collect();
    assert_eq!(start, table.start, "{place}");
    assert_eq!((model.states(), model.actions()), (table.outcomes.len(), table.outcomes[0].len()), "{place}");
    let going_on: Vec<usize> = (0..model.states()).filter(|&state| !model.is_terminal(state)).collect();
    for &state in &going_on {
        for (action, expected) in table.outcomes[state].iter().enumerate() {
            let possible = expected.iter().filter(|way| f64::from_bits(way.0) > 0.0).copied();
            let ours = model.outcomes(state, action).iter();
            let ours = ours.map(|way| (way.probability.to_bits(), way.next, way.reward, way.terminal));
            assert!(ours.eq(possible), "{place}, action {action} in state {state}");
        }
    }
    // Whatever is missing is an end or is entered from nowhere.
    let entered = going_on.iter().flat_map(|&state| table.outcomes[state].iter().flatten());
    for &(_, next, _, terminated) in entered {
        assert_eq!(terminated, model.is_terminal(next), "{place}, state {next}");
    }
    for (state, row) in model.observations().chunks_exact(model.observation_len()).enumerate() {
        assert_eq!(self::state(row), state, "{place}");
    }
    going_on.len()
}

fn lake(id: &str, options: &Options) -> FrozenLake {
    let registered = [FrozenLakeConfig::default(), FrozenLakeConfig::eight_by_eight()];
    let mut config = registered.into_iter().find(|config| config.id == id).unwrap();
    config.success_rate = options.success_rate.unwrap_or(config.success_rate);
    if options.is_slippery == Some(false) {
        config.success_rate = 1.0;
    }
    if let Some(desc) = &options.desc {
        config.map = desc.join("\n");
    }
    if let Some(rewards) = options.reward_schedule {
        [config.goal_reward, config.hole_reward, config.frozen_reward] = rewards;
    }
    FrozenLake::new(config).unwrap()
}

#[test]
fn frozen_lakes_are_gymnasiums() {
    let recorded: Vec<Recorded> = serde_json::from_str(include_str!("reference/frozenlake.json")).unwrap();
    let mut ends = Vec::new();
    let mut going_on = Vec::new();
    for (i, recorded) in recorded.into_iter().enumerate() {
        let place = format!("{} {i}", recorded.id);
        let env = lake(&recorded.id, &recorded.options);
        going_on.push(compare(&env.model().unwrap(), &recorded.model, &place));
        ends.extend(follow(&mut TimeLimit::new(env), &place, recorded.trajectories));
    }
    // All cells but holes and the goal.
    assert_eq!(going_on, [11, 53, 11, 12]);
    for seen in [(End::Terminated, 1.0), (End::Terminated, 0.0), (End::Truncated, 0.0), (End::Terminated, -1.0)] {
        assert!(ends.contains(&seen), "no episode of the reference ends with {seen:?}");
    }
}

/// Under both of its names; a random policy's first episode must not end before the limit.
#[test]
fn taxis_are_gymnasiums() {
    for id in ["Taxi-v3", "Taxi-v4"] {
        let recorded: Vec<Recorded> = serde_json::from_str(include_str!("reference/taxi.json")).unwrap();
        let mut env = make(id).unwrap();
        assert_eq!((env.spec().max_episode_steps, env.spec().reward_threshold), (Some(200), Some(8.0)));
        for recorded in recorded {
            // 25 cells, 4 places and the taxi, 4 destinations, less those where the passenger has arrived.
            assert_eq!(compare(&Taxi::v3().model().unwrap(), &recorded.model, id), 25 * 5 * 4 - 25 * 4);
            let steps = recorded.trajectories.iter().flat_map(|trajectory| &trajectory.episodes);
            let mut paid: Vec<f32> = steps.flat_map(|episode| episode.rewards.clone()).collect();
            paid.sort_by(f32::total_cmp);
            paid.dedup();
            assert_eq!(paid, [-10.0, -1.0, 20.0]);
            let ends = follow(&mut *env, id, recorded.trajectories);
            assert!(ends.contains(&(End::Terminated, 20.0)) && ends.iter().any(|end| end.0 == End::Truncated));
        }
    }
    assert_eq!(Taxi::v4().model(), Taxi::v3().model());
}

#[test]
fn taxis_masks_are_gymnasiums() {
    let recorded: Vec<String> = serde_json::from_str(include_str!("reference/taxi_masks.json")).unwrap();
    let mdp = Taxi::v4().model().unwrap();
    let ours = mdp.masks().unwrap().chunks_exact(6);
    assert_eq!(recorded.len(), 500);
    for (state, (theirs, ours)) in recorded.iter().zip(ours).enumerate() {
        let ours: String = ours.iter().map(|&legal| if legal { '1' } else { '0' }).collect();
        assert_eq!(*theirs, ours, "state {state}");
    }
    // The environment tells the mask of the state that it is in.
    let mut env = make("Taxi-v4").unwrap();
    let (mut observation, mut mask) = (vec![0.0; 500], [false; 6]);
    for seed in 0..50 {
        env.reset(Some(seed), &mut observation).unwrap();
        let state = observation.iter().position(|&x| x == 1.0).unwrap();
        assert!(env.action_mask(&mut mask));
        assert_eq!(mask, mdp.masks().unwrap()[6 * state..6 * state + 6], "state {state}");
    }
}

/// The mean over all starts of the shortest way's return, as backward induction over Gymnasium's `P` has it.
#[test]
fn the_best_taxi_earns_what_gymnasiums_table_says() {
    let best = Taxi::v3().model().unwrap().optimal_value_within(200);
    assert!((best - 7.93).abs() < 1e-9, "{best}");
}

/// The taxi and its passenger are where the state says, the destination is framed.
#[test]
fn the_picture_of_the_town_shows_the_state() {
    let mut env = Taxi::v3();
    let mut observation = vec![0.0; 500];
    env.reset(Some(0), &mut observation).unwrap();
    let middles = |env: &Taxi| -> Vec<(f32, f32)> {
        let drawing = env.draw().unwrap();
        assert_eq!((drawing.width, drawing.height), (5.0, 5.0));
        let middle = |shape: &Shape| match shape {
            Shape::Polygon(corners, _) => ((corners[0].0 + corners[2].0) / 2.0, (corners[0].1 + corners[2].1) / 2.0),
            &Shape::Disc { centre, .. } => centre,
            Shape::Picture { .. } => panic!("a shape of a colour"),
        };
        drawing.shapes[10..].iter().map(middle).collect()
    };
    let places = [(0.5, 0.5), (4.5, 0.5), (0.5, 4.5), (3.5, 4.5)];
    let mut state = Vec::new();
    env.save(&mut state);
    for (passenger, destination) in [(0, 1), (3, 2), (4, 0)] {
        // Row 1, column 3.
        state[0] = ((8 * 5 + passenger) * 4 + destination) as u64;
        env.restore(&state).unwrap();
        let taxi = (3.5, 1.5);
        let waits = places.get(passenger).copied().unwrap_or(taxi);
        assert_eq!(middles(&env), [places[destination], places[destination], taxi, waits]);
    }
}

#[test]
fn the_registered_lakes_are_gymnasiums() {
    let limits = |id| {
        let env = make(id).unwrap();
        (env.spec().max_episode_steps, env.spec().reward_threshold)
    };
    assert_eq!(limits("FrozenLake-v1"), (Some(100), Some(0.7)));
    assert_eq!(limits("FrozenLake8x8-v1"), (Some(200), Some(0.85)));
    // Backward induction over Gymnasium's `P` gives these; its own comments say 0.74 and 0.91.
    let best = [0.744_190_287_829_268_9, 0.913_220_150_201_628_8];
    for (config, best) in [FrozenLakeConfig::default(), FrozenLakeConfig::eight_by_eight()].into_iter().zip(best) {
        let (id, limit) = (config.id.clone(), config.max_episode_steps.unwrap());
        let model = FrozenLake::new(config).unwrap().model().unwrap();
        let value = model.optimal_value_within(limit);
        assert!((value - best).abs() < 1e-12, "{id}: {value}");
    }
}

#[test]
fn what_is_no_lake_is_refused() {
    let refused = |config| FrozenLake::new(config).unwrap_err();
    let of = |map: &str| refused(FrozenLakeConfig { map: map.into(), ..FrozenLakeConfig::default() });
    assert!(matches!(of("SF.G"), EnvError::Map(MapError::UnknownCharacter { character: '.', line: 1, column: 3, .. })));
    assert!(matches!(of("SFF\nFOG"), EnvError::Map(MapError::UnknownCharacter { character: 'O', line: 2, .. })));
    assert!(matches!(of("SF\nF"), EnvError::Map(MapError::Ragged { line: 2, .. })));
    assert_eq!(of(""), EnvError::Map(MapError::Empty));
    assert!(matches!(of("FG"), EnvError::Map(MapError::NoStart { .. })));
    assert!(matches!(of("SF"), EnvError::Map(MapError::NoGoal { .. })));
    let message = of("SHG").to_string();
    assert!(message.starts_with("map = a start at line 1, column 1 without a way is impossible: "), "{message}");
    let with = |change: fn(&mut FrozenLakeConfig)| {
        let mut config = FrozenLakeConfig::default();
        change(&mut config);
        match refused(config) {
            EnvError::Option { name, .. } => name,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(with(|config| config.success_rate = 1.1), "success_rate");
    assert_eq!(with(|config| config.success_rate = f64::NAN), "success_rate");
    assert_eq!(with(|config| config.hole_reward = f32::NAN), "hole_reward");
    assert_eq!(with(|config| config.max_episode_steps = Some(0)), "max_episode_steps");
    assert_eq!(with(|config| config.reward_threshold = Some(f64::INFINITY)), "reward_threshold");
    assert_eq!(with(|config| config.id = "..".into()), "id");
}

/// Ice that no way leads to has no outcomes; what is left can be solved.
#[test]
fn a_lake_with_an_island_has_a_model() {
    let map = "SFG\nHHH\nFFF".to_string();
    let env = FrozenLake::new(FrozenLakeConfig { map, success_rate: 1.0, ..FrozenLakeConfig::default() }).unwrap();
    let model = env.model().unwrap();
    assert!((0..9).all(|state| model.is_terminal(state) == (state > 1)));
    assert_eq!(model.optimal_values(1.0).unwrap()[..3], [1.0, 1.0, 0.0]);
}

/// The walker's disc is on the cell stood on, over the holes and the goal.
#[test]
fn the_picture_of_a_lake_shows_the_state() {
    let mut env = FrozenLake::new(FrozenLakeConfig { success_rate: 1.0, ..FrozenLakeConfig::default() }).unwrap();
    let mut observation = [0.0; 16];
    env.reset(Some(0), &mut observation).unwrap();
    env.step(Action::Discrete(2), &mut observation).unwrap();
    let drawing = env.draw().unwrap();
    assert_eq!((drawing.width, drawing.height, drawing.shapes.len()), (4.0, 4.0, 1 + 4 + 1 + 1));
    assert!(matches!(drawing.shapes[6], Shape::Disc { centre: (1.5, 0.5), .. }), "{:?}", drawing.shapes[6]);
}
