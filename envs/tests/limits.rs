//! Names, thresholds and limits of environments: what is refused, and what is applied.

use uphill_envs::{
    Action, Actions, End, Env, EnvError, FrozenLake, FrozenLakeConfig, GridWorld, GridWorldConfig, Lanes, Space, Spec,
    Step, TimeLimit, Transitions, VecEnv, ids, make,
};

fn config(map: &str) -> GridWorldConfig {
    GridWorldConfig { map: map.into(), ..GridWorldConfig::default() }
}

#[test]
fn a_world_of_one_s_own_counts_as_solved_only_where_it_says_so() {
    assert_eq!(GridWorldConfig::default().reward_threshold, None);
    let world: GridWorldConfig = toml_like(r#"{"map": "S..G", "goal_reward": 10}"#);
    assert_eq!(GridWorld::new(world).unwrap().spec().reward_threshold, None);
    let world: GridWorldConfig = toml_like(r#"{"map": "S..G", "reward_threshold": 0.5}"#);
    assert_eq!(GridWorld::new(world).unwrap().spec().reward_threshold, Some(0.5));
    for (id, threshold) in [("GridWorld-4x4-v0", Some(0.9)), ("FourRooms-v0", Some(0.7)), ("CliffWalking-v1", None)] {
        assert_eq!(make(id).unwrap().spec().reward_threshold, threshold, "{id}");
    }
}

fn toml_like(json: &str) -> GridWorldConfig {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_limit_shorter_than_the_shortest_way_is_refused_with_both_numbers() {
    let of = |limit: u32, config: GridWorldConfig| {
        GridWorld::new(GridWorldConfig { max_episode_steps: Some(limit), ..config }).map(|_| ())
    };
    let refused = |limit, config| of(limit, config).unwrap_err().to_string();
    let said = "max_episode_steps = 4 is impossible: from the start in row 1, column 1 of the map the shortest way to a \
                goal takes 5 steps";
    assert_eq!(refused(4, config("S....G")), said);
    assert_eq!(of(5, config("S....G")), Ok(()));
    // Round a wall; no slip makes a way shorter.
    let walled = config("S#G\n...");
    for slip in [0.0, 0.5, 1.0] {
        assert!(refused(3, GridWorldConfig { slip, ..walled.clone() }).contains("takes 4 steps"));
        assert_eq!(of(4, GridWorldConfig { slip, ..walled.clone() }), Ok(()));
    }
    // The farthest start counts.
    assert!(refused(3, config("S....GS")).contains("row 1, column 1 of the map the shortest way to a goal takes 5"));
    assert!(refused(3, config("SG....S")).contains("row 1, column 7 of the map the shortest way to a goal takes 5"));
    // A cliff is a short cut to the luckiest start: one step over it, one from there.
    assert_eq!(of(2, config("GS....S\n......C")), Ok(()));
    assert!(refused(1, config("GS....S\n......C")).contains("takes 2 steps"));
    // On a lake it is the same.
    let lake = |limit: u32, config: FrozenLakeConfig| {
        FrozenLake::new(FrozenLakeConfig { max_episode_steps: Some(limit), ..config }).map(|_| ())
    };
    assert!(
        lake(5, FrozenLakeConfig::default()).unwrap_err().to_string().contains("the shortest way to a goal takes 6")
    );
    assert_eq!(lake(6, FrozenLakeConfig::default()), Ok(()));
    assert_eq!(lake(5, FrozenLakeConfig { frozen_reward: 2.0, ..FrozenLakeConfig::default() }), Ok(()));
    // The largest map's default limit.
    let mut rows = vec![".".repeat(64); 64];
    rows[0].replace_range(..1, "S");
    rows[63].replace_range(63.., "G");
    assert!(refused(100, config(&rows.join("\n"))).contains("takes 126 steps"));
    // Where something pays more than the goal, getting there is not what it is about.
    for other in [
        GridWorldConfig { step_reward: 0.1, goal_reward: 0.0, ..config("S....G") },
        GridWorldConfig { pit_reward: 2.0, ..config("S....G\nO.....") },
        GridWorldConfig { cell_rewards: [('x', 2.0)].into(), ..config("Sx...G") },
    ] {
        assert_eq!(of(2, other), Ok(()));
    }
    assert!(GridWorld::new(GridWorldConfig { max_episode_steps: None, ..config("S....G") }).is_ok());
}

#[test]
fn a_name_can_stand_in_a_line_and_in_a_folder_s_name() {
    let long = "x".repeat(81);
    for id in ["", " ", " a", "a ", "a\nb", "a\u{1b}[31mb", "..", "a/../b", "a\\..", "/a", "a/", ".", "a\tb", &long] {
        let refused = GridWorld::new(GridWorldConfig { id: id.into(), ..config("SG") }).unwrap_err();
        assert!(matches!(refused, EnvError::Option { name: "id", .. }), "{id:?}: {refused:?}");
        assert!(refused.to_string().chars().all(|c| !c.is_control()), "{refused}");
        assert!(refused.to_string().len() < 250, "{refused}");
        let short = TimeLimit::new(GridWorld::new(config("SG")).unwrap());
        assert!(short.named(id).is_err());
    }
    let longest = "x".repeat(80);
    let good = ["a", "my world", "Welt-Ä", "世界", "a..b", &longest];
    for id in ids().map(String::from).chain(good.map(String::from)) {
        assert!(GridWorld::new(GridWorldConfig { id: id.clone(), ..config("SG") }).is_ok(), "{id}");
    }
    let named = TimeLimit::with_limit(GridWorld::new(config("SG")).unwrap(), 7).unwrap().named("Seven").unwrap();
    assert_eq!((&*named.spec().id, named.spec().max_episode_steps), ("Seven", Some(7)));
}

/// Counts, and never ends.
#[derive(Clone)]
struct Endless(Spec, f32);

impl Endless {
    fn new(max_episode_steps: Option<u32>) -> Self {
        let spec = Spec {
            id: "Endless-v0".into(),
            observation: Space::uniform_box(1, 0.0, 1e9),
            action: Space::Discrete { n: 2 },
            max_episode_steps,
            reward_threshold: None,
        };
        Self(spec, 0.0)
    }
}

impl Env for Endless {
    fn spec(&self) -> &Spec {
        &self.0
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.1 = 0.0;
        observation[0] = 0.0;
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.1 += 1.0;
        observation[0] = self.1;
        Ok(Step { reward: 1.0, end: End::Not })
    }
}

#[test]
fn lanes_apply_the_limit_of_a_spec_that_no_time_limit_does() {
    let mut bare = Lanes::new(vec![Endless::new(Some(3)); 2]).unwrap();
    let mut wrapped = Lanes::new(vec![TimeLimit::new(Endless::new(Some(3))); 2]).unwrap();
    let mut unlimited = Lanes::new(vec![Endless::new(None); 2]).unwrap();
    let mut seen = Vec::new();
    for env in [&mut bare as &mut dyn VecEnv, &mut wrapped, &mut unlimited] {
        let (mut observation, mut last) = ([0.0; 2], [0.0; 2]);
        let (mut reward, mut end) = ([0.0; 2], [End::Not; 2]);
        env.reset(Some(0), &mut observation).unwrap();
        let mut all = Vec::new();
        for _ in 0..7 {
            let out = Transitions {
                observation: &mut observation,
                final_observation: &mut last,
                reward: &mut reward,
                end: &mut end,
            };
            env.step(Actions::Discrete(&[0, 1]), &[true; 2], out).unwrap();
            all.push((observation, last, end));
        }
        seen.push(all);
    }
    assert_eq!(seen[0], seen[1]);
    let ends: Vec<usize> = (0..7).filter(|&t| seen[0][t].2 == [End::Truncated; 2]).collect();
    assert_eq!(ends, [2, 5]);
    assert!(seen[2].iter().all(|step| step.2 == [End::Not; 2]));
}
