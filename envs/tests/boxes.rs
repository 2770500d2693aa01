//! Boxes of a grid world, beside a simulator that was written apart from it, and their rules one by one.

mod yard;

use std::collections::{BTreeMap, BTreeSet};

use uphill_envs::{
    Action, Colour, End, Env, EnvError, GridMoves, GridObservation, GridWorld, GridWorldConfig, MapError, MdpError,
    NumpyRng, Shape, Space, Step,
};

use yard::{MOVES, best_by_hand, config, random_worlds};

const UP: u32 = 0;
const RIGHT: u32 = 1;
const DOWN: u32 = 2;
const LEFT: u32 = 3;

fn world(map: &str) -> GridWorld {
    GridWorld::new(config(map)).unwrap_or_else(|e| panic!("{map}: {e}"))
}

/// An episode from the first start: after each action the walker's cell, the boxes', what was paid and whether it is over.
fn follow(env: &mut GridWorld, actions: &[u32]) -> Vec<(usize, Vec<usize>, f32, bool)> {
    let mut seen = vec![0.0; env.spec().observation_len()];
    env.reset(Some(0), &mut seen).unwrap();
    let step = |&action| {
        let Step { reward, end } = env.step(Action::Discrete(action), &mut seen).unwrap();
        (env.position(), env.boxes().to_vec(), reward, end == End::Terminated)
    };
    actions.iter().map(step).collect()
}

fn last(env: &mut GridWorld, actions: &[u32]) -> (usize, Vec<usize>, f32, bool) {
    follow(env, actions).pop().unwrap()
}

#[test]
fn random_walks_push_what_the_rules_push() {
    let mut rng = NumpyRng::new(1);
    let (mut pushes, mut refused, mut paid, mut covered, mut windy) = (0, 0, 0, 0, 0);
    for (world, mut env, rules) in random_worlds(800, 3, 30) {
        let cells = rules.rows.len() * rules.rows[0].len();
        let has_boxes = world.map.contains(['B', '*']);
        let mut seen = vec![9.0; env.spec().observation_len()];
        let (mut yard, mut begun) = (rules.begin(), false);
        for _ in 0..120 {
            if !begun || yard.over {
                env.reset((!begun).then_some(5), &mut seen).unwrap();
                (yard, begun) = (rules.begin(), true);
            }
            let action = (rng.random() * world.moves.count() as f64) as u32;
            let (next, pays) = rules.step(&yard, MOVES[action as usize]);
            let step = env.step(Action::Discrete(action), &mut seen).unwrap();
            let place = format!("{world:?}\n{yard:?} {action}");
            assert_eq!((env.position(), env.boxes().to_vec()), rules.cells(&next), "{place}");
            assert_eq!((f64::from(step.reward), step.end == End::Terminated), (pays, next.over), "{place}");
            // The walker's plane, and the boxes'.
            let (cell, boxes) = rules.cells(&next);
            let mut shown = vec![0.0; cells * if has_boxes { 2 } else { 1 }];
            shown[cell] = 1.0;
            boxes.iter().for_each(|at| shown[cells + at] = 1.0);
            assert_eq!(seen, shown, "{place}");
            let ahead = MOVES[action as usize];
            let into = yard.boxes.contains(&(yard.walker.0 + ahead.0, yard.walker.1 + ahead.1));
            pushes += u32::from(next.boxes != yard.boxes);
            refused += u32::from(into && next.boxes == yard.boxes);
            paid += u32::from(rules.worth(&next.boxes) != rules.worth(&yard.boxes));
            covered += u32::from(next.over && rules.at(next.walker) != 'G' && rules.at(next.walker) != 'O');
            windy += u32::from(next.boxes != yard.boxes && rules.wind.iter().any(|&wind| wind > 0));
            yard = next;
        }
    }
    let seen = [pushes, refused, paid, covered, windy];
    assert!(seen.iter().all(|&count| count > 20), "too little happened: {seen:?}");
}

#[test]
fn the_model_s_states_and_optimum_are_those_of_value_iteration_by_hand() {
    let (mut compared, mut with_boxes, mut most) = (0, 0, 0);
    for (index, (world, _, rules)) in random_worlds(120, 11, 16).into_iter().enumerate() {
        let slip = [0.0, 0.25][index % 2];
        let env = GridWorld::new(GridWorldConfig { slip, ..world.clone() }).unwrap();
        let steps = 9;
        let (found, best) = best_by_hand(&rules, world.moves.count(), slip, steps);
        if found.len() >= 3000 {
            continue;
        }
        let (model, states) = (env.model().unwrap(), env.model_states().unwrap());
        // Whether it is over is no part of a state's place.
        let by_hand: BTreeSet<_> = found.iter().map(|yard| rules.cells(yard)).collect();
        // A slip to neither side has no chance but is looked at.
        let known: BTreeSet<_> = states.iter().map(|state| (state.cell, state.boxes.clone())).collect();
        assert_eq!((known.len(), model.states()), (states.len(), states.len()));
        assert_eq!(by_hand, known, "{world:?}");
        let told = model.optimal_value_within(steps as u32);
        assert!((told - best).abs() < 1e-9, "{told} {best} {world:?}");
        compared += 1;
        with_boxes += usize::from(states.iter().any(|state| state.boxes != env.boxes()));
        most = most.max(states.len());
    }
    assert!(compared > 80 && with_boxes > 30 && most > 500, "{compared} {with_boxes} {most}");
}

/// Every step of a slippery world is one that the model knows, as often as it says.
#[test]
fn what_is_played_is_the_model() {
    let slippery = |map, random_goal| GridWorldConfig {
        slip: 0.4,
        random_goal,
        random_start: random_goal,
        goals_end: !random_goal,
        wind: vec![0, 1, 0, 0],
        stochastic_wind: true,
        max_episode_steps: None,
        ..config(map)
    };
    for world in [slippery("....\n.BT.\nS..G\n....", false), slippery("G...\n.BT.\n...G\n....", true)] {
        let mut env = GridWorld::new(world.clone()).unwrap();
        let (model, states) = (env.model().unwrap(), env.model_states().unwrap());
        let state = |env: &GridWorld| states.binary_search(&env.state()).expect("a state of the model");
        let d = env.spec().observation_len();
        assert_eq!(d, 16 * if world.random_goal { 3 } else { 2 });
        let mut seen = vec![0.0; d];
        let mut rng = NumpyRng::new(7);
        let mut rows: Vec<BTreeMap<(usize, u32, bool), f64>> = vec![BTreeMap::new(); states.len() * 4];
        let mut over = true;
        for step in 0..150_000 {
            if over {
                env.reset((step == 0).then_some(5), &mut seen).unwrap();
                assert!(model.start()[state(&env)] > 0.0);
            }
            let (from, action) = (state(&env), (rng.random() * 4.0) as u32);
            assert_eq!(&model.observations()[from * d..(from + 1) * d], seen);
            let step = env.step(Action::Discrete(action), &mut seen).unwrap();
            over = step.end.ended() || rng.random() < 0.02;
            let way = (state(&env), step.reward.to_bits(), step.end.ended());
            *rows[from * 4 + action as usize].entry(way).or_default() += 1.0;
        }
        for (pair, ways) in rows.iter().enumerate() {
            let n: f64 = ways.values().sum();
            for (&(next, reward, terminal), &count) in ways {
                let is_it = |o: &&uphill_envs::Outcome| {
                    (o.next, (o.reward as f32).to_bits(), o.terminal) == (next, reward, terminal)
                };
                let p: f64 = model.outcomes(pair / 4, pair % 4).iter().filter(is_it).map(|o| o.probability).sum();
                let error = (n * p * (1.0 - p)).abs().sqrt();
                assert!(p > 0.0 && (count - n * p).abs() <= 5.5 * error + 1.0, "{count} of {n} for {p}, {world:?}");
            }
        }
    }
}

#[test]
fn a_box_is_pushed_where_the_cell_behind_it_is_free() {
    let pushed = |map: &str, action| {
        let (cell, boxes, ..) = last(&mut world(map), &[action]);
        (cell, boxes)
    };
    assert_eq!(pushed("SB..G", RIGHT), (1, vec![2]));
    assert_eq!(pushed("G.BS", LEFT), (2, vec![1]));
    assert_eq!(pushed("S\nB\n.\nG", DOWN), (1, vec![2]));
    assert_eq!(pushed("G\n.\nB\nS", UP), (2, vec![1]));
    // Not against a wall, another box or the edge; two boxes are too heavy.
    assert_eq!(pushed("SB#.\n...G", RIGHT), (0, vec![1]));
    assert_eq!(pushed("SBB.\n...G", RIGHT), (0, vec![1, 2]));
    assert_eq!(pushed("SB\n.G", RIGHT), (0, vec![1]));
    // Onto what is the walker's matter alone: a pit, a goal, and floor that pays.
    for under in ['O', 'G', 'x', 'w'] {
        assert_eq!(pushed(&format!("SB{under}.\n...G"), RIGHT), (1, vec![2]), "{under}");
    }
    // The list of boxes stays in order when one passes another.
    assert_eq!(pushed(".S..\n.B.B\n....\nG...", DOWN), (5, vec![7, 9]));
    // In all directions that there are, diagonals too, and a refused push pays what a refused step does.
    let king = |map: &str| GridWorld::new(GridWorldConfig { moves: GridMoves::Nine, ..config(map) }).unwrap();
    assert_eq!(last(&mut king("S..\n.B.\n..G"), &[5]), (4, vec![8], -1.0, false));
    assert_eq!(last(&mut king("S..\n.B.\nG.#"), &[5]), (0, vec![4], -1.0, false));
    assert_eq!(last(&mut king("S..\n.B.\n..G"), &[8]), (0, vec![4], -1.0, false));
}

#[test]
fn wind_pushes_no_box_and_a_slip_does() {
    let windy = |map: &str, wind: Vec<u32>| GridWorld::new(GridWorldConfig { wind, ..config(map) }).unwrap();
    // It stops below a box, below the one just pushed up, and does not push the one that it is against.
    let mut env = windy("...G\n.B..\n....\nS...", vec![0, 3, 0, 0]);
    assert_eq!(follow(&mut env, &[RIGHT, RIGHT])[0], (13, vec![5], -1.0, false));
    assert_eq!(last(&mut env, &[RIGHT, UP]), (9, vec![5], -1.0, false));
    let mut env = windy("...G\n....\n.B..\nS...", vec![0, 3, 0, 0]);
    assert_eq!(last(&mut env, &[RIGHT, UP]), (9, vec![5], -1.0, false));
    // A step down against the wind is one cell less of it, and pushes nothing.
    let mut env = windy("...G\n....\nS...\n.B..\n....", vec![0, 1, 0, 0]);
    assert_eq!(follow(&mut env, &[RIGHT, DOWN]), vec![(9, vec![13], -1.0, false); 2]);
    // Slips go aside, each as often as not, and push there.
    let mut env = GridWorld::new(GridWorldConfig { slip: 1.0, ..config("..B..\n..S..\n..B..\nG....\n.....") }).unwrap();
    let mut seen = vec![0.0; env.spec().observation_len()];
    let mut ways = BTreeMap::new();
    env.reset(Some(1), &mut seen).unwrap();
    for _ in 0..200 {
        env.reset(None, &mut seen).unwrap();
        env.step(Action::Discrete(RIGHT), &mut seen).unwrap();
        *ways.entry((env.position(), env.boxes().to_vec())).or_insert(0) += 1;
    }
    // Up is the edge behind the box; down pushes.
    let places: Vec<_> = ways.keys().cloned().collect();
    assert_eq!(places, [(7, vec![2, 12]), (12, vec![2, 17])]);
    assert!(ways.values().all(|&count| count > 60), "{ways:?}");
}

#[test]
fn a_box_pays_where_it_comes_to_lie_and_takes_it_back_where_it_leaves() {
    // From floor onto a target, from one to the next, off it, onto a burden.
    let steps = follow(&mut world("SBTT.w.G"), &[RIGHT, RIGHT, RIGHT, RIGHT, RIGHT]);
    assert_eq!(steps.iter().map(|step| step.2).collect::<Vec<_>>(), [3.0, -1.0, -5.0, -3.0, 1.0]);
    // One that stands on a target from the start owes it when it leaves; what the walker enters pays as ever.
    let steps = follow(&mut world("S*xxG"), &[RIGHT, RIGHT]);
    assert_eq!(steps.iter().map(|step| step.2).collect::<Vec<_>>(), [-5.0, 3.0]);
    // A box may lie on a goal that pays for it, and the walker pushes it off in order to stand there.
    let goal = GridWorldConfig { box_rewards: [('G', -3.0)].into(), ..config("SBG..") };
    assert_eq!(
        follow(&mut GridWorld::new(goal).unwrap(), &[RIGHT, RIGHT]),
        [(1, vec![2], -4.0, false), (2, vec![3], 12.0, true)]
    );
}

#[test]
fn boxes_on_all_targets_end_the_episode_where_that_is_asked_for() {
    let ends = |map: &str, targets_end| GridWorld::new(GridWorldConfig { targets_end, ..config(map) }).unwrap();
    let map = "SBT...\n.BT..B\n.....G";
    // The last one pays goal_reward in place of the step's, and what the box pays.
    let steps = follow(&mut ends(map, true), &[RIGHT, LEFT, DOWN, RIGHT]);
    assert_eq!(
        steps.iter().map(|step| (step.2, step.3)).collect::<Vec<_>>()[..3],
        [(3.0, false), (-1.0, false), (-1.0, false)]
    );
    assert_eq!(steps[3], (7, vec![2, 8, 11], 13.0, true));
    assert_eq!(follow(&mut ends(map, false), &[RIGHT, LEFT, DOWN, RIGHT])[3], (7, vec![2, 8, 11], 3.0, false));
    // It takes no goal then. One that is there ends the episode, too, and so does a pit.
    assert_eq!(last(&mut ends("SBT", true), &[RIGHT]), (1, vec![2], 13.0, true));
    assert_eq!(last(&mut ends("SBT\nG..", true), &[DOWN]), (3, vec![1], 9.0, true));
    // A burden is no target, and a box from one target to another covers no more of them than before.
    assert_eq!(last(&mut ends("S*T.\n.B..", true), &[RIGHT]), (1, vec![2, 5], -1.0, false));
    // The exact optimum: push it there, and no more than that.
    assert_eq!(ends("S.BT", true).model().unwrap().optimal_value_within(10), -1.0 + 13.0);
    // Boxes that end the episode begin anew with the next.
    let mut env = ends("SBT", true);
    let mut seen = vec![0.0; 6];
    env.reset(Some(0), &mut seen).unwrap();
    env.step(Action::Discrete(RIGHT), &mut seen).unwrap();
    assert_eq!(env.step(Action::Discrete(LEFT), &mut seen), Err(EnvError::NeedsReset));
    env.reset(None, &mut seen).unwrap();
    assert_eq!((env.boxes(), &*seen), (&[1][..], &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0][..]));
}

#[test]
fn boxes_are_seen_in_every_form_and_drawn() {
    let of = |observation, random_goal| {
        let world = GridWorldConfig { observation, random_goal, ..config("S.B\nTB#\nG.G") };
        GridWorld::new(world).unwrap()
    };
    let show = |mut env: GridWorld, actions: &[u32]| {
        let mut seen = vec![9.0; env.spec().observation_len()];
        env.reset(Some(0), &mut seen).unwrap();
        for &action in actions {
            env.step(Action::Discrete(action), &mut seen).unwrap();
        }
        (seen, env)
    };
    let (seen, env) = show(of(GridObservation::OneHot, false), &[RIGHT, DOWN]);
    assert_eq!(env.boxes(), [2, 7]);
    let ones: Vec<usize> = (0..seen.len()).filter(|&i| seen[i] == 1.0).collect();
    assert_eq!((seen.len(), ones), (18, vec![4, 9 + 2, 9 + 7]));
    let (seen, env) = show(of(GridObservation::OneHot, true), &[RIGHT, DOWN]);
    let ones: Vec<usize> = (0..seen.len()).filter(|&i| seen[i] == 1.0).collect();
    assert_eq!((seen.len(), ones), (27, vec![4, 9 + env.goal().unwrap(), 18 + 2, 18 + 7]));
    let (seen, _) = show(of(GridObservation::RowColumn, false), &[RIGHT, DOWN]);
    assert_eq!(seen, [0.5, 0.5, 0.0, 1.0, 1.0, 0.5]);
    // The walker, walls, goals and targets, pits, and boxes last.
    let (seen, env) = show(of(GridObservation::Image, false), &[RIGHT, DOWN]);
    assert_eq!(env.spec().observation, Space::Image { height: 3, width: 3, channels: 5, max: 1 });
    let ones: Vec<(usize, usize)> = (0..seen.len()).filter(|&i| seen[i] == 1.0).map(|i| (i / 5, i % 5)).collect();
    assert_eq!(ones, [(2, 4), (3, 2), (4, 0), (5, 1), (6, 2), (7, 4), (8, 2)]);
    let (seen, env) = show(of(GridObservation::Image, true), &[RIGHT, DOWN]);
    assert_eq!(env.spec().observation, Space::Image { height: 3, width: 3, channels: 6, max: 1 });
    let boxes: Vec<usize> = (0..9).filter(|&cell| seen[6 * cell + 5] == 1.0).collect();
    let goals: Vec<usize> = (0..9).filter(|&cell| seen[6 * cell + 4] == 1.0).collect();
    assert_eq!((boxes, goals), (vec![2, 7], vec![env.goal().unwrap()]));
    // A picture: a dot on the target, two boxes, and the walker on top of all.
    let (_, env) = show(of(GridObservation::OneHot, false), &[]);
    let shapes = env.draw().unwrap().shapes;
    let [.., dot, one, two, walker] = &*shapes else { panic!("{shapes:?}") };
    let brown = Colour(190, 135, 75);
    assert!(matches!(dot, Shape::Disc { centre: (0.5, 1.5), .. }), "{dot:?}");
    assert_eq!(
        [one, two],
        [&Shape::rectangle(2.12, 0.12, 2.88, 0.88, brown), &Shape::rectangle(1.12, 1.12, 1.88, 1.88, brown)]
    );
    assert!(matches!(walker, Shape::Disc { centre: (0.5, 0.5), .. }), "{walker:?}");
    // On a target it is dark.
    let (_, env) = show(world("SBTG"), &[RIGHT]);
    let dark = Shape::rectangle(2.12, 0.12, 2.88, 0.88, Colour(120, 70, 30));
    assert!(env.draw().unwrap().shapes.contains(&dark));
}

#[test]
fn an_episode_goes_on_where_it_was_saved() {
    let worlds = [
        GridWorldConfig { slip: 0.3, ..config("S....\n.B.B.\n..TG.\n....#") },
        GridWorldConfig { slip: 0.3, random_goal: true, random_start: true, ..config(".....\n.B.B.\n..T..\n....#") },
    ];
    for config in worlds {
        let (mut one, mut other) = (GridWorld::new(config.clone()).unwrap(), GridWorld::new(config).unwrap());
        let mut seen = vec![0.0; one.spec().observation_len()];
        let mut walk = |env: &mut GridWorld, from: u32| -> Vec<_> {
            let step = |i: u32| {
                let step = env.step(Action::Discrete(i * 7 % 11 % 4), &mut seen).unwrap();
                if step.end.ended() {
                    env.reset(None, &mut seen).unwrap();
                }
                let bits: Vec<u32> = seen.iter().map(|x| x.to_bits()).collect();
                (env.position(), env.goal(), env.boxes().to_vec(), step.reward.to_bits(), bits)
            };
            (from..from + 300).map(step).collect()
        };
        let first = one.boxes().to_vec();
        one.reset(Some(1), &mut vec![0.0; one.spec().observation_len()]).unwrap();
        for steps in 0.. {
            walk(&mut one, steps);
            if one.boxes() != first {
                break;
            }
        }
        let mut state = Vec::new();
        assert!(one.save(&mut state));
        other.restore(&state).unwrap();
        let mut again = Vec::new();
        other.save(&mut again);
        assert_eq!(again, state);
        assert_eq!(walk(&mut one, 3), walk(&mut other, 3));
        // Words that are of no such episode.
        let goal = usize::from(other.goal().is_some());
        let boxes = 2 + goal;
        let refused = |change: &dyn Fn(&mut Vec<u64>)| {
            let mut words = state.clone();
            change(&mut words);
            let mut env = other.clone();
            let (before, at) = (env.boxes().to_vec(), env.position());
            assert!(matches!(env.restore(&words), Err(EnvError::Saved { .. })), "{words:?}");
            assert_eq!((env.boxes(), env.position()), (&*before, at));
        };
        refused(&|words| words[boxes] = 99);
        refused(&|words| words[boxes + 1] = 19); // a wall
        refused(&|words| words[boxes] = words[0]); // the walker
        refused(&|words| words.swap(boxes, boxes + 1));
        refused(&|words| words[boxes] = words[boxes + 1]);
        refused(&|words| words.truncate(words.len() - 1));
        refused(&|words| words.insert(boxes, 0));
        refused(&|words| words.truncate(2));
        refused(&|words| words.clear());
        refused(&|words| words[1] = 2);
    }
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let said = |config: GridWorldConfig| GridWorld::new(config).unwrap_err().to_string();
    let ending = |map: &str| GridWorldConfig { targets_end: true, ..config(map) };
    for (world, message) in [
        (
            ending("SB.G"),
            "targets_end = true is impossible: it takes a target on the map, a cell with box_rewards above 0",
        ),
        (ending("SBTT"), "boxes = 1 box for 2 targets is impossible: with targets_end it takes a box for each target"),
        (ending("S.TG"), "boxes = 0 boxes for 1 target is impossible: with targets_end it takes a box for each target"),
        (
            ending("S.*B"),
            "targets_end = true is impossible: a box is on every target from the start: the episode would end before it begins",
        ),
        (
            config("SB.\nC.G"),
            "boxes = 1 box is impossible: a cliff sends back to a start, on which a box may stand by then: a map has boxes or cliffs",
        ),
        (
            GridWorldConfig { box_rewards: [('#', -1.0)].into(), ..config("SB#G\n....") },
            "box_rewards = -1 is impossible: it is what a box pays in a wall, where none comes to lie: take characters of other cells",
        ),
        (
            GridWorldConfig { box_rewards: [('T', f32::NAN)].into(), ..config("SBTG") },
            "box_rewards = NaN is impossible: a finite number",
        ),
        (
            GridWorldConfig { box_rewards: [('T', 2e38)].into(), ..config("SBTG") },
            "box_rewards = 2e38 is impossible: what a step pays with it must stay within 3.4e38 of zero",
        ),
        (
            config("SBT"),
            "the map has no goal: mark at least one cell with `G`, or end it by boxes on all targets: targets_end = true",
        ),
        // A start on a box.
        (
            GridWorldConfig { starts: "B".into(), ..config("BG") },
            "boxes declares 'B': take a visible character other than `B` of starts",
        ),
        (
            GridWorldConfig { walls: "#B".into(), ..config("SBG") },
            "boxes declares 'B': take a visible character other than `B` of walls",
        ),
        (GridWorldConfig { boxes: " ".into(), ..config("S G") }, "boxes declares ' ': take a visible character"),
        (
            GridWorldConfig { box_rewards: [(' ', 1.0)].into(), ..config("S G") },
            "box_rewards declares ' ': take a visible character",
        ),
    ] {
        assert_eq!(said(world), message);
    }
    // The cells where the goal is drawn may have boxes later on, and starts have none.
    let anywhere = GridWorldConfig { random_start: true, ..config("B.\n.G") };
    assert_eq!(GridWorld::new(anywhere).unwrap().map().starts(), [1, 2]);
    // Boxes are in nobody's way where a goal must be in reach, and without box rewards a limit may be too short for it.
    assert!(GridWorld::new(config("SB#G\n.B.#\n..B.")).is_err());
    assert!(GridWorld::new(config("SB.BG")).is_ok());
    let short = GridWorldConfig { box_rewards: BTreeMap::new(), max_episode_steps: Some(3), ..config("SB..G") };
    assert!(matches!(GridWorld::new(short), Err(EnvError::LimitTooShort { way: 4, .. })));
    assert!(GridWorld::new(GridWorldConfig { max_episode_steps: Some(3), ..config("SBT.G") }).is_ok());
    assert!(matches!(
        GridWorld::new(GridWorldConfig { boxes: "S".into(), ..config("SG") }),
        Err(EnvError::Map(MapError::NoStart { .. }))
    ));
}

/// Too many ways to stand for a model are its typed error, and the world is played all the same.
#[test]
fn a_world_without_a_model_is_played() {
    let map = "S.......\n.B.B.B..\n........\n.B.B....\n....TTT.\n.......G";
    let mut env = GridWorld::new(GridWorldConfig { slip: 0.2, ..config(map) }).unwrap();
    for error in [env.model().unwrap_err(), env.model_states().unwrap_err()] {
        assert_eq!(error, MdpError::TooLarge { most: 1 << 20 });
        assert!(error.to_string().starts_with("the model has more than 1048576 outcomes"), "{error}");
        assert!(error.to_string().ends_with("with few boxes"), "{error}");
    }
    let mut seen = vec![0.0; 96];
    env.reset(Some(3), &mut seen).unwrap();
    for i in 0..500 {
        if env.step(Action::Discrete(i * 7 % 11 % 4), &mut seen).unwrap().end.ended() {
            env.reset(None, &mut seen).unwrap();
        }
        assert_eq!(seen[48..].iter().sum::<f32>(), 5.0);
    }
}

/// Levels in letters that others write them in.
#[test]
fn sokoban_is_read_in_the_letters_that_it_is_written_in() {
    let level = GridWorldConfig {
        map: "#####\n#@$.#\n# * #\n#####".into(),
        floor: " ".into(),
        starts: "@+".into(),
        boxes: "$*".into(),
        box_rewards: [('.', 1.0), ('*', 1.0), ('+', 1.0)].into(),
        targets_end: true,
        step_reward: -0.1,
        goal_reward: 9.9,
        ..GridWorldConfig::default()
    };
    let mut env = GridWorld::new(level.clone()).unwrap();
    assert_eq!((env.boxes(), env.map().starts()), (&[7, 12][..], &[6][..]));
    let (cell, boxes, reward, over) = last(&mut env, &[RIGHT]);
    assert_eq!((cell, boxes, over), (7, vec![8, 12], true));
    assert!((f64::from(reward) - 10.9).abs() < 1e-6);
    // The player on a target, which a box still has to cover.
    let mut env = GridWorld::new(GridWorldConfig { map: "#####\n#  ##\n#$+ #\n# $.#\n#####".into(), ..level }).unwrap();
    assert_eq!((env.boxes(), env.map().starts()), (&[11, 17][..], &[12][..]));
    let steps = follow(&mut env, &[UP, LEFT]);
    assert!(steps.iter().all(|step| !step.3 && (step.2 + 0.1).abs() < 1e-6));
}
