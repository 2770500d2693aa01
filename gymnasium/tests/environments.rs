//! Gymnasium's environments as uphill's. Needs a Python with Gymnasium: see docs/gymnasium.md.

use uphill::envs::{Actions, End, Env, Transitions, VecEnv};
use uphill::{Config, Trainer};

fn config(env: &str) -> Config {
    let ppo = Config::for_algo_with("ppo", &uphill_gymnasium::catalogue()).expect("an algorithm");
    Config { env: env.into(), ..ppo }
}

fn lanes(env: &str, lanes: usize) -> Box<dyn VecEnv> {
    config(env).make_envs(lanes).unwrap_or_else(|e| panic!("{env}: {e}"))
}

fn refused(env: &str) -> String {
    config(env).make_envs(2).err().expect("refused").to_string()
}

/// All that so many steps of lanes come to, as words that are the same only if all bits are; in each step the action that
/// `choose` takes in lane and step, on what it sees.
fn played(env: &mut dyn VecEnv, steps: usize, choose: impl Fn(usize, usize, &[f32]) -> u32) -> Vec<u32> {
    let (n, d) = (env.lanes(), env.spec().observation_len());
    let (mut observation, mut final_observation) = (vec![0.0; n * d], vec![0.0; n * d]);
    let (mut reward, mut end) = (vec![0.0; n], vec![End::Not; n]);
    env.reset(Some(42), &mut observation).expect("a start");
    let mut words: Vec<u32> = observation.iter().map(|x| x.to_bits()).collect();
    for step in 0..steps {
        let actions: Vec<u32> = (0..n).map(|lane| choose(lane, step, &observation[lane * d..])).collect();
        let (observation, final_observation) = (&mut observation[..], &mut final_observation[..]);
        let out = Transitions { observation, final_observation, reward: &mut reward, end: &mut end };
        env.step(Actions::Discrete(&actions), &vec![true; n], out).expect("a step");
        for lane in 0..n {
            words.extend(observation[lane * d..(lane + 1) * d].iter().map(|x| x.to_bits()));
            words.extend([reward[lane].to_bits(), end[lane] as u32]);
            if end[lane].ended() {
                words.extend(final_observation[lane * d..(lane + 1) * d].iter().map(|x| x.to_bits()));
            }
        }
    }
    words
}

/// Lane 1 balances, to the limit; the others do what falls sooner or later.
fn balance(lane: usize, step: usize, observation: &[f32]) -> u32 {
    match lane {
        1 => (observation[2] + 0.5 * observation[3] > 0.0).into(),
        _ => ((step / (lane + 1)) % 2) as u32,
    }
}

#[test]
fn cart_pole_is_the_built_in_one_bit_for_bit_however_lanes_are_stepped() {
    let built_in = played(&mut *lanes("CartPole-v1", 3), 1100, balance);
    let truncated = End::Truncated as u32;
    assert!(built_in.contains(&truncated) && built_in.contains(&(End::Terminated as u32)));
    for how in [
        "",
        "(processes=2)",
        "(processes=16)",
        "(vectorization=sync)",
        "(vectorization=sync, autoreset=next_step)",
        "(vectorization=async)",
        "(vectorization=async, autoreset=next_step)",
    ] {
        let ours = played(&mut *lanes(&format!("gymnasium/CartPole-v1{how}"), 3), 1100, balance);
        assert!(ours == built_in, "gymnasium/CartPole-v1{how}");
    }
    let own = config("gymnasium/CartPole-v1").make_envs(2).expect("lanes");
    let known = config("CartPole-v1").make_envs(2).expect("lanes");
    assert_eq!(own.spec().observation, known.spec().observation);
    assert_eq!(own.spec().max_episode_steps, Some(500));
    assert_eq!(own.spec().reward_threshold, Some(475.0));
}

#[test]
fn ppo_learns_the_same_parameters_as_in_the_built_in_cart_pole() {
    let learned = |env: &str| {
        let mut trainer = Trainer::new(&Config { steps: 2048, envs: 4, ..config(env) }).expect("a trainer");
        while trainer.step().expect("an update").is_some() {}
        trainer.params().snapshot().expect("numbers").iter().map(|x| x.to_bits()).collect::<Vec<_>>()
    };
    let built_in = learned("CartPole-v1");
    assert!(learned("gymnasium/CartPole-v1") == built_in);
    assert!(learned("gymnasium/CartPole-v1(processes=2)") == built_in);
}

#[test]
fn seeds_past_64_bits_are_taken_as_gymnasium_takes_them() {
    let first = |env: &str| {
        let mut env = lanes(env, 2);
        let mut observation = vec![0.0; 8];
        env.reset_wide(u128::from(u64::MAX), &mut observation).expect("a start");
        observation.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(first("gymnasium/CartPole-v1"), first("CartPole-v1"));
}

#[test]
fn lanes_that_stand_still_stay_where_they_are() {
    for how in ["", "(processes=2)"] {
        let mut env = lanes(&format!("gymnasium/CartPole-v1{how}"), 3);
        let (mut observation, mut last) = (vec![0.0; 12], vec![0.0; 12]);
        let (mut reward, mut end) = (vec![9.0; 3], vec![End::Not; 3]);
        env.reset(Some(1), &mut observation).expect("a start");
        let before = observation.clone();
        let mut step = |active: [bool; 3], observation: &mut [f32]| {
            let out = Transitions { observation, final_observation: &mut last, reward: &mut reward, end: &mut end };
            env.step(Actions::Discrete(&[0, 1, 0]), &active, out).expect("a step");
            reward.clone()
        };
        assert_eq!(step([false, true, false], &mut observation), [9.0, 1.0, 9.0]);
        assert_eq!((&observation[..4], &observation[8..]), (&before[..4], &before[8..]));
        assert!(observation[4..8] != before[4..8]);
        step([true, false, true], &mut observation);
        // As if each had been stepped once at the same time.
        let mut together = lanes("gymnasium/CartPole-v1", 3);
        let mut other = vec![0.0; 12];
        together.reset(Some(1), &mut other).expect("a start");
        let out =
            Transitions { observation: &mut other, final_observation: &mut last, reward: &mut reward, end: &mut end };
        together.step(Actions::Discrete(&[0, 1, 0]), &[true; 3], out).expect("a step");
        assert_eq!(observation, other, "{how}");
    }
}

#[test]
fn a_lane_of_gymnasium_s_own_vector_cannot_stand_still_and_go_on() {
    let mut env = lanes("gymnasium/CartPole-v1(vectorization=sync)", 2);
    let (mut observation, mut last) = (vec![0.0; 8], vec![0.0; 8]);
    let (mut reward, mut end) = (vec![0.0; 2], vec![End::Not; 2]);
    let mut step = |env: &mut dyn VecEnv, active: [bool; 2]| {
        let out = Transitions {
            observation: &mut observation,
            final_observation: &mut last,
            reward: &mut reward,
            end: &mut end,
        };
        env.step(Actions::Discrete(&[0, 1]), &active, out)
    };
    let mut start = vec![0.0; 8];
    env.reset(Some(1), &mut start).expect("a start");
    step(&mut *env, [true, false]).expect("it may stand still for good");
    let error = step(&mut *env, [true, true]).expect_err("refused").to_string();
    assert!(error.contains("lane 1: a vector of Gymnasium's steps all of its lanes at once"), "{error}");
    env.reset(Some(1), &mut start).expect("a start");
    step(&mut *env, [true, true]).expect("begun anew");
}

#[test]
fn a_policy_is_judged_in_its_environment_whoever_steps_the_lanes() {
    let judged = |env: &str| {
        let policy = Trainer::new(&config(env)).expect("a trainer").into_policy();
        policy.expect("a policy").evaluate(8, uphill::Seed(3)).expect("episodes").returns
    };
    let built_in = judged("CartPole-v1");
    for how in ["", "(processes=2)", "(vectorization=sync)", "(vectorization=sync, autoreset=next_step)"] {
        assert_eq!(judged(&format!("gymnasium/CartPole-v1{how}")), built_in, "{how}");
    }
}

#[test]
fn keyword_arguments_have_names_kinds_and_defaults() {
    let catalogue = uphill_gymnasium::catalogue();
    let row = catalogue.env("gymnasium/FrozenLake-v1").expect("a row");
    let default = |name: &str| row.param(name).unwrap_or_else(|| panic!("{name}")).default;
    assert_eq!((default("map_name"), default("is_slippery"), default("desc")), ("\"4x4\"", "true", "\"None\""));
    assert_eq!(default("reward_schedule"), "\"(1, 0, 0)\"");
    assert!(row.param("render_mode").is_none());
    assert_eq!(lanes("gymnasium/FrozenLake-v1(map_name=8x8)", 1).spec().observation.choices(), 64);
    assert_eq!(lanes("gymnasium/FrozenLake-v1(desc=\"['SF', 'FG']\")", 1).spec().observation.choices(), 4);
    // The same as the built-in one that takes no step sideways.
    let walk = |_: usize, step: usize, _: &[f32]| [1, 1, 2, 2, 1, 2][step % 6];
    let built_in = played(&mut *lanes("FrozenLake-v1(is_slippery=false)", 2), 60, walk);
    assert!(played(&mut *lanes("gymnasium/FrozenLake-v1(is_slippery=false) | one_hot", 2), 60, walk) == built_in);
    let slippery = played(&mut *lanes("FrozenLake-v1", 2), 60, walk);
    assert!(played(&mut *lanes("gymnasium/FrozenLake-v1 | one_hot", 2), 60, walk) == slippery && slippery != built_in);
    let error = refused("gymnasium/FrozenLake-v1(slippery=false)");
    assert!(error.contains("has no argument `slippery`; did you mean `is_slippery`?"), "{error}");
    let error = refused("gymnasium/FrozenLake-v1(is_slippery=7)");
    assert!(error.contains("is_slippery = 7 is impossible: it must be true or false"), "{error}");
}

#[test]
fn what_cannot_be_had_is_refused_with_what_would_be_right() {
    for (env, said) in [
        ("gymnasium/CartPoleX-v1", "no environment is called `gymnasium/CartPoleX-v1` in Gymnasium 1."),
        ("gymnasium/CartPoleX-v1", "did you mean `gymnasium/CartPole-v1`?"),
        ("gymnasium/CartPole-v1(autoreset=next_step)", "autoreset has no effect"),
        (
            "gymnasium/CartPole-v1(vectorization=sync, processes=2)",
            "processes has no effect on a vector of Gymnasium's",
        ),
        ("gymnasium/CartPole-v1(wrappers=[\"Flat\"])", "wrappers: \"Flat\" is impossible"),
        (
            "gymnasium/CartPole-v1(vectorization=vector_entry_point, autoreset=next_step)",
            "resets lanes only as it steps the others",
        ),
        (
            "gymnasium/Blackjack-v1",
            "its observation space, Tuple(Discrete(32), Discrete(11), Discrete(2)), cannot be had here",
        ),
        ("gymnasium/Blackjack-v1", "wrappers=[\"FlattenObservation\"] makes it a Box"),
        ("gymnasium/nowhere_at_all:Env-v0", "has no module nowhere_at_all"),
        (
            "gymnasium/CartPole-v1(wrappers=[\"TimeLimit(steps=3)\"])",
            "missing a required argument: 'max_episode_steps'; it takes max_episode_steps",
        ),
        ("gymnasium/CartPole-v1(wrappers=[\"TimeLimit(-3)\"])", "positive"),
    ] {
        let error = refused(env);
        assert!(error.contains(said), "{env}: {error}");
    }
    assert_eq!(lanes("gymnasium/Blackjack-v1(wrappers=[\"FlattenObservation\"])", 1).spec().observation_len(), 45);
    let mut alone = config("gymnasium/CartPole-v1").make_env().expect("one");
    assert!(
        alone
            .step(uphill::envs::Action::Discrete(0), &mut [0.0; 4])
            .expect_err("refused")
            .to_string()
            .contains("reset")
    );
}

#[test]
fn a_name_without_its_prefix_is_recognised() {
    let wrong = |env: &str| config("CartPole-v1").in_env(env).expect_err("refused").to_string();
    assert!(
        wrong("LunarLander-v3").ends_with("; did you mean `gymnasium/LunarLander-v3`?"),
        "{}",
        wrong("LunarLander-v3")
    );
}

#[test]
fn it_paints_only_what_is_made_ready_and_plays_the_same_then() {
    let start = |env: &mut dyn Env| {
        let mut observation = vec![0.0; 4];
        env.reset(Some(7), &mut observation).expect("a start");
        env.step(uphill::envs::Action::Discrete(1), &mut observation).expect("a step");
        observation
    };
    let mut env = config("gymnasium/CartPole-v1 | time_aware").make_env().expect("one");
    let mut bare = config("gymnasium/CartPole-v1").make_env().expect("one");
    let alone = start(&mut *bare);
    let error = bare.picture().expect_err("none").to_string();
    assert!(error.contains("has no picture to show: it was not made ready for pictures"), "{error}");
    bare.prepare_picture().expect("it paints");
    assert_eq!(start(&mut *bare), alone);
    let first = bare.picture().expect("a picture");
    assert_eq!((first.width, first.height, first.shapes.len()), (600.0, 400.0, 1));
    bare.step(uphill::envs::Action::Discrete(1), &mut [0.0; 4]).expect("a step");
    assert!(bare.picture().expect("a picture") != first);
    // Through what is around it, too.
    env.prepare_picture().expect("it paints");
    env.reset(Some(7), &mut [0.0; 5]).expect("a start");
    assert_eq!(env.picture().expect("a picture").width, 600.0);
}

/// What Python itself comes to, in numbers: of each step the reward, the end and the sum of what is seen.
fn in_python(code: &str) -> Option<Vec<f64>> {
    let python = std::env::var_os("VIRTUAL_ENV").map(|home| std::path::Path::new(&home).join("bin/python3"));
    let said =
        std::process::Command::new(python.unwrap_or("python3".into())).args(["-c", code]).output().expect("Python");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    said.status.success().then(|| text.split_whitespace().map(|x| x.parse().expect("a number")).collect())
}

#[test]
fn a_game_of_atari_is_what_python_plays() {
    const CODE: &str = "
import gymnasium, ale_py
ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
gymnasium.register_envs(ale_py)
env = gymnasium.make('ALE/Breakout-v5', frameskip=1, max_num_frames_per_episode=400)
env = gymnasium.wrappers.AtariPreprocessing(env, terminal_on_life_loss=LIVES)
seen, _ = env.reset(seed=42)
print(int(seen.sum()))
for step in range(300):
    seen, reward, terminated, truncated, _ = env.step([1, 3, 3, 0, 2][step % 5])
    print(reward, 1 if terminated else 2 if truncated else 0, int(seen.sum()))
    if terminated or truncated:
        print(int(env.reset()[0].sum()))
";
    if in_python("import ale_py, cv2").is_none() {
        return eprintln!("skipped: this Python has no ale-py, or no opencv-python-headless");
    }
    for (lives, ends) in [("False", 2.0), ("True", 1.0)] {
        let expected = in_python(&CODE.replace("LIVES", lives)).expect("episodes");
        let word = format!(
            "gymnasium/ALE/Breakout-v5(frameskip=1, max_num_frames_per_episode=400, \
             wrappers=['AtariPreprocessing(terminal_on_life_loss={lives})'])"
        );
        let mut env = lanes(&word, 1);
        let d = env.spec().observation_len();
        assert_eq!((d, env.spec().max_episode_steps), (84 * 84, None));
        let sum = |pixels: &[f32]| pixels.iter().map(|&x| f64::from(x)).sum::<f64>();
        let (mut observation, mut last) = (vec![0.0; d], vec![0.0; d]);
        let (mut reward, mut end) = (vec![0.0], vec![End::Not]);
        env.reset(Some(42), &mut observation).expect("a start");
        let mut ours = vec![sum(&observation)];
        for step in 0..300 {
            let out = Transitions {
                observation: &mut observation,
                final_observation: &mut last,
                reward: &mut reward,
                end: &mut end,
            };
            env.step(Actions::Discrete(&[[1, 3, 3, 0, 2][step % 5]]), &[true], out).expect("a step");
            let led_to = if end[0].ended() { &last } else { &observation };
            ours.extend([f64::from(reward[0]), f64::from(end[0] as u32), sum(led_to)]);
            ours.extend(end[0].ended().then(|| sum(&observation)));
        }
        assert!(ours == expected && expected[1..].contains(&ends), "{lives}");
    }
    let stacked = lanes("gymnasium/ALE/Breakout-v5(frameskip=1, wrappers=['AtariPreprocessing']) | frame_stack(4)", 1);
    let image = uphill::envs::Space::Image { height: 84, width: 84, channels: 4, max: 255 };
    assert_eq!(stacked.spec().observation, image);
}
