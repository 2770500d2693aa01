//! Wrappers by their words: around which environments they go, what is known of these then, and how runs of them go on.

use std::fs;

use uphill::catalogue::{Catalogue, EnvRow, MakeEnv, Wrap, WrapperRow};
use uphill::envs::{Action, Env, EnvError, Space, Spec, Step, VecEnv, check_env, check_vec_env, make_vec};
use uphill::oracle::optimal_return;
use uphill::words::{Param, Range, Row, Wrapped};
use uphill::{Checkpoint, Config, Error, Policy, RunFolder, Seed, Trainer};

/// A walk up ten floors of which the number is shown.
struct Stairs {
    spec: Spec,
    floor: u32,
}

impl Env for Stairs {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        (self.floor, observation[0]) = (0, 0.0);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        if self.floor == 9 {
            return Err(EnvError::NeedsReset);
        }
        self.floor = (self.floor + self.spec.action.discrete(action)? as u32).min(9);
        observation[0] = self.floor as f32;
        let end = if self.floor == 9 { uphill::envs::End::Terminated } else { uphill::envs::End::Not };
        Ok(Step { reward: -1.0, end })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.push(self.floor.into());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[floor @ 0..10] = state else { return Err(EnvError::Saved { problem: "expected a floor" }) };
        self.floor = floor as u32;
        Ok(())
    }
}

const STAIRS: EnvRow = Row {
    name: "Stairs-v0",
    summary: "",
    params: &[],
    make: MakeEnv::one(|_| {
        let spec = Spec {
            id: "Stairs-v0".into(),
            observation: Space::Discrete { n: 10 },
            action: Space::Discrete { n: 2 },
            max_episode_steps: Some(40),
            reward_threshold: Some(-9.0),
        };
        Ok(Box::new(Stairs { spec, floor: 9 }))
    }),
};

/// Each wrapper around what it is for.
const EACH: [&str; 13] = [
    "Pendulum-v1 | action_repeat(3)",
    "CartPole-v1 | sticky_actions(0.3)",
    "Pendulum-v1 | sticky_actions",
    "CartPole-v1 | time_limit(30)",
    "Pendulum-v1 | time_aware",
    "CartPole-v1 | frame_stack(3)",
    "CartPole-v1 | hide([1, 3])",
    "MinAtar/Breakout-v0 | flatten",
    "Stairs-v0 | one_hot",
    "Pendulum-v1 | rescale_action",
    "Pendulum-v1 | clip_action",
    "GridWorld(map=['S|', '.G'], walls='|') | reward_scale(0.1) | time_aware",
    "Pendulum-v1 | rescale_action(-2, 3) | action_repeat(4) | sticky_actions(0.1) | time_aware | frame_stack(2)",
];

fn config(env: &str) -> Config {
    let catalogue = Catalogue::default().with(STAIRS);
    let text = format!("env = \"{env}\"\nalgo = 'a2c'\nenvs = 3\nn_steps = 8\nhidden = [8]\nsteps = 400");
    Config::from_toml_with(&text, &catalogue).unwrap_or_else(|e| panic!("{env}: {e}"))
}

fn ppo(env: &str) -> Config {
    Config { env: env.into(), ..Config::for_algo("ppo").expect("an algorithm") }
}

#[test]
fn every_wrapper_goes_around_an_environment_and_keeps_the_contract() {
    for row in Catalogue::default().wrappers() {
        let is_there = |env: &str| Wrapped::from(env).wrappers.iter().any(|word| word.name == row.name);
        assert!(EACH.into_iter().any(is_there), "{} is to be tried", row.name);
    }
    for env in EACH {
        let config = config(env);
        let as_env = |e: Error| EnvError::Panicked { message: e.to_string() };
        let breaches = |findings: Vec<uphill::envs::Finding>| {
            findings.into_iter().filter(|finding| finding.breach).map(|finding| finding.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(breaches(check_env(|| config.make_env().map_err(as_env))), [""; 0], "{env}");
        assert_eq!(breaches(check_vec_env(|lanes| config.make_envs(lanes).map_err(as_env))), [""; 0], "{env}");
        let again = Config::from_toml_with(&config.to_toml().expect("text"), &config.catalogue).expect("settings");
        assert_eq!(again, config, "{env}");
        assert_eq!(Wrapped::from(config.env.to_string()), config.env);
    }
}

#[test]
fn a_wrapped_run_goes_on_bit_for_bit() {
    let bits = |trainer: &Trainer| -> Vec<u32> {
        trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect()
    };
    for env in EACH {
        let config = config(env);
        let mut whole = Trainer::new(&config).expect("a trainer");
        let mut broken = Trainer::new(&config).expect("a trainer");
        while whole.step().expect("an update").is_some() {
            broken.step().expect("an update");
            let bytes = broken.checkpoint().expect("a state").to_bytes().expect("a file");
            let mut next = Trainer::new(&config).expect("a trainer");
            next.restore(&Checkpoint::from_bytes(&bytes).expect("a checkpoint")).expect("the same run");
            broken = next;
            assert_eq!(bits(&broken), bits(&whole), "{env}");
        }
    }
}

/// Where lanes are faster together than one by one they stay so.
#[test]
fn what_has_no_wrappers_is_made_as_if_there_were_none() {
    let state = |mut envs: Box<dyn VecEnv>| {
        let (mut observation, mut words) = (vec![0.0; 3 * envs.spec().observation_len()], Vec::new());
        envs.reset(Some(2), &mut observation).expect("a reset");
        assert!(envs.save(&mut words));
        (observation, words)
    };
    let [bare, wrapped] = ["CartPole-v1", "CartPole-v1 | time_limit(499)"].map(|env| ppo(env).make_envs(3));
    let (bare, wrapped) = (state(bare.expect("poles")), state(wrapped.expect("poles")));
    assert_eq!(bare, state(make_vec("CartPole-v1", 3).expect("poles")));
    assert!(bare.0 == wrapped.0 && bare.1 != wrapped.1, "the same episodes, kept lane by lane");
}

#[test]
fn the_limit_of_an_environment_counts_its_own_steps() {
    let episode = |env: &str| {
        let mut env = ppo(env).make_env().expect("an environment");
        let mut observation = vec![0.0; env.spec().observation_len()];
        env.reset(Some(1), &mut observation).expect("a reset");
        let mut steps = 1;
        while !env.step(Action::Continuous(&[0.0]), &mut observation).expect("a step").end.ended() {
            steps += 1;
        }
        (env.spec().max_episode_steps, steps, observation.pop().expect("a number"))
    };
    assert_eq!(episode("Pendulum-v1 | action_repeat(4) | time_aware"), (Some(50), 50, 1.0));
    assert_eq!(episode("Pendulum-v1 | time_aware | action_repeat(3)"), (Some(67), 67, 1.0));
    assert_eq!(episode("Pendulum-v1 | time_limit(30) | action_repeat(3) | time_aware"), (Some(10), 10, 1.0));
    assert_eq!(episode("Pendulum-v1 | action_repeat(3) | time_limit(30) | time_aware"), (Some(30), 30, 1.0));
    // What stands in the environment's own word is its own limit.
    let lake = config("FrozenLake-v1 | action_repeat(2)").with_limit(Some(20)).expect("an argument");
    assert_eq!(lake.env.to_string(), "FrozenLake-v1(max_episode_steps=20) | action_repeat(times=2)");
    assert_eq!(lake.make_envs(2).expect("lakes").spec().max_episode_steps, Some(10));
}

#[test]
fn what_is_known_of_a_task_is_said_of_no_other() {
    let known = |env: &str| {
        let config = ppo(env);
        let threshold = config.make_envs(1).expect("environments").spec().reward_threshold;
        (config.known_returns().expect("returns"), optimal_return(&config), threshold)
    };
    let (pole, world) = (known("CartPole-v1"), known("GridWorld-4x4-v0"));
    assert_eq!((pole.0, pole.2), (Some((22.27, 500.0)), Some(475.0)));
    assert!(world.0.is_some() && world.1.is_some() && world.2.is_some());
    for same in ["time_aware", "frame_stack(4)", "frame_stack(2) | time_aware"] {
        assert_eq!(known(&format!("CartPole-v1 | {same}")), pole, "{same}");
        assert_eq!(known(&format!("GridWorld-4x4-v0 | {same}")), world, "{same}");
    }
    for other in ["action_repeat(2)", "sticky_actions", "time_limit(50)", "hide([0])", "time_aware | sticky_actions"] {
        assert_eq!(known(&format!("CartPole-v1 | {other}")), (None, None, None), "{other}");
        assert_eq!(known(&format!("GridWorld-4x4-v0 | {other}")), (None, None, None), "{other}");
    }
    assert_eq!(known("CartPole-v1 | reward_scale(2)"), (None, None, Some(950.0)));
    // A model shows the states as the environment within does.
    for (env, frame_stack) in [("GridWorld-4x4-v0 | time_aware", 1), ("GridWorld-4x4-v0", 2)] {
        let config = Config { frame_stack, ..ppo(env) };
        assert_eq!(config.model_of_env().expect("none").map(drop), None, "{env}");
        assert_eq!(config.known_returns().expect("returns"), world.0);
    }
}

#[test]
fn what_does_not_go_together_is_refused_by_both_names() {
    let said = |env: &str| {
        let config = Config::from_toml_with(&format!("env = \"{env}\""), &Catalogue::default().with(STAIRS));
        let made = config.and_then(|config| config.make_envs(2).map(drop));
        match made.expect_err(env) {
            Error::Config(message) => message,
            Error::Env(e) => e.to_string(),
            other => panic!("{env}: {other:?}"),
        }
    };
    for (env, expected) in [
        ("CartPole-v1 | rescale_action", "rescale_action cannot go around CartPole-v1: actions = discrete"),
        ("CartPole-v1 | clip_action", "clip_action cannot go around CartPole-v1: actions = discrete"),
        ("CartPole-v1 | one_hot", "one_hot cannot go around CartPole-v1: observation space = continuous"),
        ("Stairs-v0 | flatten", "flatten cannot go around Stairs-v0: observations = discrete"),
        ("CliffWalking-v1 | time_aware", "time_aware cannot go around CliffWalking-v1: max_episode_steps = none"),
        (
            "MinAtar/Breakout-v1 | frame_stack(2) | time_aware",
            "time_aware cannot go around MinAtar/Breakout-v1 | frame_stack(frames=2): observations = image",
        ),
        ("Bandit-v0 | frame_stack(2)", "frame_stack(frames=2) cannot go around Bandit-v0: frame_stack = 2"),
        ("CartPole-v1 | hide([4])", "hide(places=[4]) cannot go around CartPole-v1: "),
        ("CartPole-v1 | time_limit(501)", "max_episode_steps = 501 has no effect: its episodes have 500 steps at most"),
        ("CartPole-v1 | hide([1, 1])", "places = [1, 1] is impossible: each of them stands there once"),
        (
            "CartPole-v1 | flatten",
            "flatten cannot go around CartPole-v1: it has no effect: observations are plain numbers",
        ),
        ("Pendulum-v1 | rescale_action(-2, 2)", "it has no effect: actions go from -2 to 2 already; leave it out"),
        ("Pendulum-v1 | rescale_action | rescale_action", "it has no effect: actions go from -1 to 1 already"),
        ("CartPole-v1 | reward_scale(1e-60)", "reward_scale(factor=1e-60) cannot go around CartPole-v1: factor = 0"),
        ("CartPole-v1 | sticky_actions(1)", "sticky_actions: probability = 1 is impossible: it must lie in [0, 1)"),
        ("CartPole-v1 | sticky_actions(prob=0.1)", "sticky_actions has no argument `prob`"),
        ("CartPole-v1 | action_repeat", "action_repeat needs times, how many times: action_repeat(times)"),
        ("CartPole-v1 | time_aware(1)", "time_aware takes no arguments"),
        ("CartPole-v1 | time_awre", "there is no wrapper `time_awre`; did you mean `time_aware`?"),
        ("CartPole-v1 | TimeAware", "did you mean `time_aware`?"),
        ("time_aware | CartPole-v1", "`time_aware` is a wrapper, and no environment: it comes after the environment"),
        ("CartPole-v1 | Pendulum-v1", "there is no wrapper `Pendulum-v1`"),
        ("CartPole-v1 |", "env = `CartPole-v1 |`: expected a name at column 14, found the end"),
        ("| CartPole-v1", "env = `| CartPole-v1`: expected a name at column 1, found `|`"),
        ("CartPole-v1 || time_aware", "expected a name at column 14, found `|`"),
        ("CartPole-v1 | action_repeat(4) x", "expected `|` or the end at column 32, found `x`"),
        ("Elsewhere-v0 | time_aware", "no environment is called `Elsewhere-v0`"),
    ] {
        let said = said(env);
        assert!(said.contains(expected), "{env}: {said}");
    }
    let many = format!("CartPole-v1{}", " | time_aware".repeat(17));
    assert_eq!(said(&many), "env: 17 wrappers are too many: 16 at most");
    let high = format!("CartPole-v1{}", " | frame_stack(64)".repeat(8));
    let numbers =
        "frame_stack = 64 of 67108864 numbers is impossible: all observations together have 67108864 numbers at most";
    assert!(said(&high).ends_with(numbers), "{}", said(&high));
    let twice = Config::from_toml("env = 'CartPole-v1 | frame_stack(2)'\nframe_stack = 4").expect_err("twice");
    assert!(twice.to_string().contains("frame_stack is given twice"), "{twice}");
    let both = Config { frame_stack: 4, ..ppo("CartPole-v1 | frame_stack(frames=2)") }.validate().expect_err("twice");
    assert_eq!(both.to_string(), twice.to_string());
    // Of environments made in code nothing is put around by a word.
    let mine = ppo("CartPole-v2 | time_aware").validate().expect_err("not ours").to_string();
    let expected = "env = CartPole-v2 | time_aware: wrappers go around rows of the catalogue: no environment is called \
                    `CartPole-v2`; did you mean `CartPole-v1`?";
    assert!(mine.starts_with(expected), "{mine}");
    let many = EnvRow { make: MakeEnv::many(|_, _| Err(Error::Config("none".into()))), ..STAIRS };
    let many = Config { catalogue: Catalogue::default().with(many), ..ppo("Stairs-v0 | time_aware") };
    let many = many.make_envs(2).map(drop).expect_err("many only").to_string();
    assert_eq!(many, "Stairs-v0 is made side by side only: time_aware cannot go around it");
}

#[test]
fn toml_has_three_ways_to_say_the_same() {
    let read = |text: &str| Config::from_toml(text).unwrap_or_else(|e| panic!("{text}: {e}")).env;
    let text = read("env = 'Pendulum-v1|action_repeat( 4 )|sticky_actions(0.1)'");
    assert_eq!(text.to_string(), "Pendulum-v1 | action_repeat(times=4) | sticky_actions(probability=0.1)");
    assert_eq!(text.file_name(), "Pendulum-v1-action_repeat-times-4-stick-2d36d278");
    for same in [
        "env = ['Pendulum-v1', { name = 'action_repeat', times = 4 }, 'sticky_actions(0.1)']",
        "env = ['Pendulum-v1 | action_repeat(4)', { name = 'sticky_actions', probability = 0.1 }]",
    ] {
        assert_eq!(read(same), text);
    }
    // What stands in quotes is no chain.
    let world = read("env = 'GridWorld(map=[\"S|\", \".G\"], walls=\"|\") | time_aware'");
    assert_eq!(world.to_string(), r#"GridWorld(map=["S|", ".G"], walls="|") | time_aware"#);
    assert_eq!(world.wrappers.len(), 1);
    for wrong in ["env = []", "env = [['CartPole-v1']]", "env = ['CartPole-v1', 3]", "env = 3"] {
        let said = Config::from_toml(wrong).expect_err(wrong).to_string();
        assert!(said.contains("it must be a name in quotes, or a table with a name"), "{said}");
    }
    for first in ["env = ['action_repeat(4)', 'Pendulum-v1']", "env = [{ name = 'time_aware' }, 'Pendulum-v1']"] {
        let config = Config::from_toml(first).and_then(|config| config.validate());
        let said = config.expect_err(first).to_string();
        assert!(said.contains("is a wrapper, and no environment: it comes after the environment"), "{said}");
    }
    // A name with signs of the language, of an environment made in code, stays a name.
    let word = |name: &str| uphill::words::Word::new(name);
    for env in [
        Wrapped::from(word("a|b")),
        Wrapped { word: word("a (b)"), wrappers: vec![word("time_aware")] },
        Wrapped::from("a | b"),
    ] {
        let config = Config { env: env.clone(), ..ppo("CartPole-v1") };
        let text = toml::to_string(&toml::Table::try_from(&config).expect("a table")).expect("text");
        assert_eq!(toml::from_str::<Config>(&text).expect("settings").env, env, "{text}");
    }
}

#[test]
fn a_wrapper_of_ones_own_is_a_row() {
    const SHIFT: WrapperRow = Row {
        name: "shift",
        summary: "adds to observations",
        params: &[Param::fixed("by", Range::Finite, "1", "what is added")],
        make: Wrap::same_task(|env, args| Ok(Box::new(Shift { env, by: args.number("by")? as f32 }))),
    };
    struct Shift {
        env: Box<dyn Env>,
        by: f32,
    }
    impl Env for Shift {
        fn spec(&self) -> &Spec {
            self.env.spec()
        }

        fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
            self.env.reset(seed, observation)?;
            observation.iter_mut().for_each(|x| *x += self.by);
            Ok(())
        }

        fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
            let step = self.env.step(action, observation)?;
            observation.iter_mut().for_each(|x| *x += self.by);
            Ok(step)
        }
    }

    let home = tempfile::tempdir().expect("a folder");
    let catalogue = Catalogue::default().with(SHIFT);
    catalogue.check().expect("a row that can be");
    let config = Config { catalogue: catalogue.clone(), ..config("CartPole-v1") };
    let config = Config { env: "CartPole-v1 | shift(0.5) | shift".into(), ..config };
    let mut shifted = vec![0.0; 4];
    config.make_env().expect("an environment").reset(Some(3), &mut shifted).expect("a reset");
    let mut plain = vec![0.0; 4];
    ppo("CartPole-v1").make_env().expect("an environment").reset(Some(3), &mut plain).expect("a reset");
    assert_eq!(shifted, plain.iter().map(|x| x + 0.5 + 1.0).collect::<Vec<f32>>());
    assert_eq!(config.known_returns().expect("returns"), Some((22.27, 500.0)));
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let folder = RunFolder::create(home.path(), &config, false).expect("a run");
    while trainer.step().expect("an update").is_some() {}
    folder.finish(trainer).expect("a summary");
    Policy::load_with(home.path(), &catalogue).expect("a policy").evaluate(2, Seed(1)).expect("episodes");
    let unknown = Policy::load(home.path()).map(drop).expect_err("not known").to_string();
    assert!(unknown.contains("not known here: wrapper `shift`"), "{unknown}");
    for (name, wrong) in [("sh|ift", "parentheses, `|`"), ("a(b)", "parentheses, `|`")] {
        let said = Catalogue::default().with(WrapperRow { name, ..SHIFT }).check().expect_err(name).to_string();
        assert!(said.contains(wrong), "{said}");
    }
}

#[test]
fn a_file_of_a_world_may_be_wrapped() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("maze.toml"), "map = ['S|', '.G']\nwalls = '|'\n").expect("a file");
    let path = home.path().join("maze.toml");
    let said = format!("{} | frame_stack(frames=2)", path.display());
    let config = ppo("CartPole-v1").in_env(&said).expect("a world");
    let expected = r#"GridWorld(map=["S|", ".G"], id="maze", walls="|") | frame_stack(frames=2)"#;
    assert_eq!(config.env.to_string(), expected);
    assert_eq!(config.env.shown(), "maze | frame_stack(frames=2)");
    for env in ["'maze.toml | frame_stack(frames=2)'", "['maze.toml', 'frame_stack(frames=2)']"] {
        let mut table = Config::parse_toml(&format!("env = {env}")).expect("TOML");
        Config::settle_env(&mut table, home.path(), &Catalogue::default()).expect("a world");
        assert_eq!(table["env"].as_str(), Some(expected));
    }
    // Runs of it go to a folder of their own.
    let folder = |config: &Config| RunFolder::default_path(config).display().to_string();
    let (bare, wrapped) = (folder(&ppo("x").in_env(&path.display().to_string()).expect("a world")), folder(&config));
    assert!(wrapped.starts_with("runs/maze-") && wrapped != bare, "{wrapped}, {bare}");
}
