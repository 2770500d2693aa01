//! Observations that are images: what they may hold, and what is said of what they may not.

use uphill_envs::{
    Action, Actions, End, Env, EnvError, Lanes, Space, Spec, Spread, Step, Transitions, VecEnv, guarded,
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
