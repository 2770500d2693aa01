//! Observations that are images: what they may hold, and what is said of what they may not.

use uphill_envs::{
    Action, Actions, CartPole, End, Env, EnvError, FrameStack, GridObservation, GridWorld, GridWorldConfig, Lanes,
    OneHot, Space, Spec, Spread, Step, TimeLimit, Transitions, VecEnv, guarded,
};

/// 2 x 3 pixels of 2 channels, numbers up to 9.
const IMAGE: Space = Space::Image { height: 2, width: 3, channels: 2, max: 9 };
const D: usize = 12;

/// Shows its step's number in every place but one, where it shows something else from some step on; episodes end after 4.
#[derive(Clone)]
struct Screen {
    spec: Spec,
    step: u32,
    fault: (u32, usize, f32),
}

impl Screen {
    fn new(fault: (u32, usize, f32)) -> Self {
        let spec = Spec {
            id: "Screen-v0".into(),
            observation: IMAGE,
            action: Space::Discrete { n: 2 },
            max_episode_steps: None,
            reward_threshold: None,
        };
        Self { spec, step: 0, fault }
    }

    fn show(&self, observation: &mut [f32]) {
        observation.fill(self.step as f32);
        let (from, place, value) = self.fault;
        if self.step == from {
            observation[place] = value;
        }
    }
}

impl Env for Screen {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.step = 0;
        self.show(observation);
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.step += 1;
        self.show(observation);
        Ok(Step { reward: 1.0, end: if self.step == 4 { End::Terminated } else { End::Not } })
    }
}

/// A vector that nothing is known of but what it does.
struct Bare(Lanes<Screen>);

impl VecEnv for Bare {
    fn spec(&self) -> &Spec {
        self.0.spec()
    }

    fn lanes(&self) -> usize {
        self.0.lanes()
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, _: Actions<'_>, _: &[bool], out: Transitions<'_>) -> Result<(), EnvError> {
        out.observation.fill(1.0);
        out.observation[D + 7] = 2.5;
        out.end.fill(End::Not);
        out.reward.fill(0.0);
        Ok(())
    }
}

/// A step of two lanes, its tasks done one after the other where it is spread.
fn step(env: &mut dyn VecEnv, spread: bool) -> Result<(), String> {
    let out = Transitions {
        observation: &mut [0.0; 2 * D],
        final_observation: &mut [0.0; 2 * D],
        reward: &mut [0.0; 2],
        end: &mut [End::Not; 2],
    };
    let each: Spread<'_> = &|tasks| tasks.into_iter().for_each(|task| task());
    match spread {
        true => env.step_spread(Actions::Discrete(&[0, 1]), &[true; 2], out, each),
        false => env.step(Actions::Discrete(&[0, 1]), &[true; 2], out),
    }
    .map_err(|e| e.to_string())
}

#[test]
fn a_number_that_is_no_pixel_is_named_with_its_place() {
    for (spread, (place, value, said)) in [false, true].into_iter().flat_map(|spread| {
        [
            (0, 0.5, "0.5 in row 0, column 0, channel 0"),
            (5, -1.0, "-1 in row 0, column 2, channel 1"),
            (6, 10.0, "10 in row 1, column 0, channel 0"),
            (11, f32::NAN, "NaN in row 1, column 2, channel 1"),
            (3, f32::INFINITY, "inf in row 0, column 1, channel 1"),
        ]
        .map(|fault| (spread, fault))
    }) {
        // In the second lane, in its second step.
        let mut env =
            Lanes::new(vec![Screen::new((9, 0, 0.0)), Screen::new((2, place, value))]).expect("lanes of screens");
        env.reset(Some(7), &mut [0.0; 2 * D]).expect("a reset");
        assert_eq!(step(&mut env, spread), Ok(()));
        let expected = format!(
            "Screen-v0, lane 1, step 1 of its episode, seed 8: the environment returned {said} of its image: it must be a \
             whole number, 0 to 9"
        );
        assert_eq!(step(&mut env, spread), Err(expected));

        // In a reset, by itself and after an episode.
        let mut env = Lanes::new(vec![Screen::new((0, place, value)); 2]).expect("lanes of screens");
        let refused = env.reset(Some(7), &mut [0.0; 2 * D]).expect_err("no pixel");
        assert!(refused.to_string().contains(said), "{refused}");
    }
    for spread in [false, true] {
        let mut env = Lanes::new(vec![Screen::new((9, 0, 0.0)); 2]).expect("lanes of screens");
        env.reset(Some(7), &mut [0.0; 2 * D]).expect("a reset");
        for _ in 0..9 {
            assert_eq!(step(&mut env, spread), Ok(()));
        }
    }
    let bare = Bare(Lanes::new(vec![Screen::new((9, 0, 0.0)); 2]).expect("lanes of screens"));
    let mut env = guarded(Box::new(bare)).expect("a guarded vector");
    env.reset(Some(7), &mut [0.0; 2 * D]).expect("a reset");
    let said = step(&mut *env, false).expect_err("no pixel");
    assert!(said.contains("lane 1") && said.contains("2.5 in row 1, column 0, channel 1"), "{said}");
}

#[test]
fn the_space_knows_its_elements() {
    assert_eq!((IMAGE.flat_len(), IMAGE.choices(), IMAGE.kind()), (D, 0, "image"));
    assert!(IMAGE.contains(&[9.0; D]) && IMAGE.contains(&[0.0; D]));
    for wrong in [&[0.0; D - 1][..], &[0.5; D], &[10.0; D], &[-1.0; D], &[f32::NAN; D]] {
        assert!(!IMAGE.contains(wrong), "{wrong:?}");
    }
    let refused = IMAGE.check_actions().expect_err("no actions").to_string();
    assert!(refused.contains("images are observations, not actions"), "{refused}");
    assert!(IMAGE.check(Action::Discrete(0)).is_err() && IMAGE.check(Action::Continuous(&[0.0; D])).is_err());
    for (height, width, channels, max) in [(0, 1, 1, 1), (1, 0, 1, 1), (1, 1, 0, 1), (1, 1, 1, 0)] {
        let mut screen = Screen::new((9, 0, 0.0));
        screen.spec.observation = Space::Image { height, width, channels, max };
        assert!(Lanes::new(vec![screen]).is_err(), "{height} x {width} x {channels}, {max}");
    }
}

/// A world of every kind of cell, shown as an image.
fn world() -> GridWorld {
    let map = "S.#\nxOC\n..G".into();
    let (cell_rewards, slip) = ([('x', 0.5)].into(), 0.3);
    let config = GridWorldConfig { map, cell_rewards, slip, observation: GridObservation::Image, ..Default::default() };
    GridWorld::new(config).expect("a world")
}

#[test]
fn a_grid_world_is_seen_from_above() {
    let mut env = world();
    assert_eq!(env.spec().observation, Space::Image { height: 3, width: 3, channels: 4, max: 1 });
    let mut seen = [9.0; 36];
    env.reset(Some(1), &mut seen).expect("a reset");
    let plane = |seen: &[f32], channel: usize| -> Vec<usize> {
        (0..9).filter(|cell| seen[4 * cell + channel] == 1.0).collect()
    };
    let mut visited = [false; 9];
    for step in 0..3_000u32 {
        assert!(env.spec().observation.contains(&seen), "{seen:?}");
        assert_eq!(plane(&seen, 0), [env.position()]);
        assert_eq!([1, 2, 3].map(|channel| plane(&seen, channel)), [vec![2], vec![8], vec![4, 5]]);
        visited[env.position()] = true;
        if env.step(Action::Discrete((step.wrapping_mul(2_654_435_761)) >> 30), &mut seen).expect("a step").end.ended()
        {
            visited[env.position()] = true;
            assert_eq!(plane(&seen, 0), [env.position()]);
            env.reset(None, &mut seen).expect("a reset");
        }
    }
    assert_eq!(visited, [true, true, false, true, true, false, true, true, true]);
    // Its model shows the same.
    let (model, cells) = (env.model().expect("a model"), env.model_states().expect("its states"));
    for (row, state) in model.observations().chunks_exact(36).zip(&cells) {
        assert_eq!((plane(row, 0), plane(row, 1), row.iter().sum::<f32>()), (vec![state.cell], vec![2], 5.0));
    }
}

/// Some steps of four lanes, all that they show.
fn play(env: &mut dyn VecEnv, observation: &mut [f32], steps: std::ops::Range<u32>) -> Vec<f32> {
    let (n, d) = (env.lanes(), env.spec().observation_len());
    let mut seen = Vec::new();
    for step in steps {
        let (mut last, mut reward, mut end) = (vec![0.0; n * d], vec![0.0; n], vec![End::Not; n]);
        let actions: Vec<u32> = (0..n as u32).map(|lane| (step + lane) * 7 % 5 % 4).collect();
        let out = Transitions {
            observation: &mut *observation,
            final_observation: &mut last,
            reward: &mut reward,
            end: &mut end,
        };
        env.step(Actions::Discrete(&actions), &vec![true; n], out).expect("a step");
        seen.extend_from_slice(observation);
        seen.extend(last.into_iter().chain(reward));
    }
    seen
}

/// Saved after some steps and restored into another, it goes on as if it had never been anywhere else.
fn saved_goes_on(make: impl Fn() -> Box<dyn VecEnv>) {
    let (mut one, mut other, mut state) = (make(), make(), Vec::new());
    let mut observation = vec![0.0; one.lanes() * one.spec().observation_len()];
    one.reset(Some(3), &mut observation).expect("a reset");
    play(&mut *one, &mut observation, 0..37);
    assert!(one.save(&mut state));
    let mut stood = observation.clone();
    let expected = play(&mut *one, &mut observation, 37..90);
    other.reset(Some(99), &mut vec![0.0; observation.len()]).expect("a reset");
    other.restore(&state).expect("a state");
    assert_eq!(play(&mut *other, &mut stood, 37..90), expected);
}

#[test]
fn a_saved_world_of_images_goes_on() {
    saved_goes_on(|| Box::new(Lanes::new(vec![TimeLimit::new(world()); 4]).expect("lanes")));
}

#[test]
fn stacked_frames_are_the_last_ones_the_oldest_first() {
    // Boxes one after the other.
    let (mut env, mut inner) = (FrameStack::new(CartPole::new(), 3).expect("a stack"), CartPole::new());
    let (mut seen, mut one) = (vec![0.0; 12], vec![0.0; 4]);
    let Space::Box { low, high } = &env.spec().observation else { panic!("a box") };
    let Space::Box { low: of_one, .. } = &inner.spec().observation else { panic!("a box") };
    assert_eq!((low.len(), high.len(), &low[8..]), (12, 12, &of_one[..]));
    for seed in [3, 4] {
        env.reset(Some(seed), &mut seen).expect("a reset");
        inner.reset(Some(seed), &mut one).expect("a reset");
        let mut frames = vec![one.clone(); 3];
        for action in [0, 1, 1, 0, 1] {
            assert_eq!(seen, frames.concat());
            let step = env.step(Action::Discrete(action), &mut seen).expect("a step");
            assert_eq!(step, inner.step(Action::Discrete(action), &mut one).expect("a step"));
            frames.remove(0);
            frames.push(one.clone());
        }
    }
    // An impossible step changes nothing.
    let before = seen.clone();
    assert!(env.step(Action::Discrete(9), &mut seen).is_err() && seen == before);

    // Of images each pixel has the channels of all.
    let (mut env, mut inner) = (FrameStack::new(world(), 2).expect("a stack"), world());
    assert_eq!(env.spec().observation, Space::Image { height: 3, width: 3, channels: 8, max: 1 });
    let (mut seen, mut one) = (vec![0.0; 72], vec![0.0; 36]);
    env.reset(Some(5), &mut seen).expect("a reset");
    inner.reset(Some(5), &mut one).expect("a reset");
    let mut before = one.clone();
    for step in 0..20u32 {
        for cell in 0..9 {
            let frames = [&before[4 * cell..4 * cell + 4], &one[4 * cell..4 * cell + 4]].concat();
            assert_eq!(seen[8 * cell..8 * cell + 8], frames, "step {step}, cell {cell}");
        }
        before.copy_from_slice(&one);
        let end = env.step(Action::Discrete(step % 2 * 2), &mut seen).expect("a step").end;
        inner.step(Action::Discrete(step % 2 * 2), &mut one).expect("a step");
        if end.ended() {
            break;
        }
    }
    assert!(FrameStack::new(CartPole::new(), 0).is_err() && FrameStack::new(CartPole::new(), 65).is_err());
}

#[test]
fn a_saved_stack_goes_on() {
    saved_goes_on(|| {
        let stack = || TimeLimit::with_limit(FrameStack::new(world(), 3).expect("a stack"), 11).expect("a limit");
        Box::new(Lanes::new((0..4).map(|_| stack()).collect()).expect("lanes"))
    });
    // An odd number of numbers.
    let (mut stack, mut state) = (FrameStack::new(Dial::new(4.0), 3), Vec::new());
    assert!(
        stack.as_mut().is_err_and(|e| e.to_string()
            == "frame_stack = 3 of discrete is impossible: observations of boxes and images are stacked")
    );
    let mut odd = FrameStack::new(OneHot::new(Dial::new(2.0)).expect("one-hot numbers"), 3).expect("a stack");
    odd.reset(None, &mut [0.0; 15]).expect("a reset");
    assert!(!odd.save(&mut state) && state.is_empty(), "it cannot tell its state");
    assert!(FrameStack::new(world(), 2).expect("a stack").restore(&[0; 3]).is_err());
}

/// Five choices, of which it shows one, and cannot be saved.
#[derive(Debug)]
struct Dial {
    spec: Spec,
    shows: f32,
}

impl Dial {
    fn new(shows: f32) -> Self {
        let observation = Space::Discrete { n: 5 };
        Self { spec: Spec { observation, id: "Dial-v0".into(), ..Screen::new((9, 0, 0.0)).spec }, shows }
    }
}

impl Env for Dial {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(self.shows);
        Ok(())
    }

    fn step(&mut self, _: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        observation.fill(self.shows - 1.0);
        Ok(Step { reward: 0.0, end: End::Not })
    }
}

#[test]
fn choices_become_one_hot_numbers() {
    let mut env = OneHot::new(Dial::new(4.0)).expect("one-hot numbers");
    assert_eq!(env.spec().observation, Space::uniform_box(5, 0.0, 1.0));
    let mut seen = [9.0; 5];
    env.reset(None, &mut seen).expect("a reset");
    assert_eq!(seen, [0.0, 0.0, 0.0, 0.0, 1.0]);
    env.step(Action::Discrete(0), &mut seen).expect("a step");
    assert_eq!(seen, [0.0, 0.0, 0.0, 1.0, 0.0]);
    // Several choices side by side.
    let mut two = Dial::new(1.0);
    two.spec.observation = Space::MultiDiscrete { n: vec![2, 3] };
    OneHot::new(two).expect("one-hot numbers").reset(None, &mut seen).expect("a reset");
    assert_eq!(seen, [0.0, 1.0, 0.0, 1.0, 0.0]);
    for wrong in [5.0, -1.0, 0.5, f32::NAN] {
        let refused = OneHot::new(Dial::new(wrong)).expect("one-hot numbers").reset(None, &mut seen).expect_err("none");
        let said = format!("the environment returned observation[0] = {wrong}: it must be a whole number, 0 to 4");
        assert_eq!(refused.to_string(), said);
    }
    assert!(OneHot::new(CartPole::new()).is_err());
}
