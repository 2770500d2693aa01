//! A user's own `VecEnv` is guarded as an `Env` is: what it must not do becomes an error that says where.

use uphill_envs::{
    Actions, CartPole, Columns, End, EnvError, Lanes, Space, Spec, Spread, TimeLimit, Transitions, VecEnv, guarded,
};

type Deed = fn(&mut Transitions<'_>);

/// Two lanes that count their steps and never end; in the third step one does something.
struct Own {
    spec: Spec,
    lanes: usize,
    steps: u64,
    deed: Deed,
}

impl Own {
    fn new(lanes: usize, max_episode_steps: Option<u32>, deed: Deed) -> Self {
        let spec = Spec {
            id: "Own-v0".into(),
            observation: Space::uniform_box(2, 0.0, 100.0),
            action: Space::Discrete { n: 3 },
            max_episode_steps,
            reward_threshold: None,
        };
        Self { spec, lanes, steps: 0, deed }
    }
}

impl VecEnv for Own {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn lanes(&self) -> usize {
        self.lanes
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        assert!(seed != Some(13), "unlucky");
        self.steps = 0;
        observation.fill(if seed == Some(14) { f32::NAN } else { 0.0 });
        Ok(())
    }

    fn step(&mut self, _: Actions<'_>, active: &[bool], mut out: Transitions<'_>) -> Result<(), EnvError> {
        self.steps += 1;
        for lane in (0..self.lanes).filter(|&lane| active[lane]) {
            out.observation[2 * lane..2 * lane + 2].fill(self.steps as f32);
            out.reward[lane] = 1.0;
            out.end[lane] = End::Not;
        }
        if self.steps == 3 {
            (self.deed)(&mut out);
        }
        Ok(())
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.push(self.steps);
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let &[steps] = state else { return Err(EnvError::Saved { problem: "expected a count" }) };
        self.steps = steps;
        Ok(())
    }
}

/// Steps until the first error, at most so often; the ends of the last step.
fn play(env: &mut dyn VecEnv, steps: usize) -> Result<Vec<End>, String> {
    let n = env.lanes();
    let (mut observation, mut last) = (vec![0.0; 2 * n], vec![0.0; 2 * n]);
    let (mut reward, mut end) = (vec![0.0; n], vec![End::Not; n]);
    for _ in 0..steps {
        let out = Transitions {
            observation: &mut observation,
            final_observation: &mut last,
            reward: &mut reward,
            end: &mut end,
        };
        env.step(Actions::Discrete(&vec![0; n]), &vec![true; n], out).map_err(|e| e.to_string())?;
    }
    Ok(end)
}

#[test]
fn what_a_vector_must_not_return_is_an_error_that_says_where() {
    let deeds: [(Deed, &str); 6] = [
        (
            |out| out.reward[1] = f32::NAN,
            "lane 1, step 2 of its episode, seed 8: the environment returned reward = NaN",
        ),
        (
            |out| out.reward[0] = f32::INFINITY,
            "lane 0, step 2 of its episode, seed 7: the environment returned reward = inf",
        ),
        (
            |out| out.observation[3] = f32::NEG_INFINITY,
            "lane 1, step 2 of its episode, seed 8: the environment returned observation[1] = -inf",
        ),
        (
            |out| {
                out.end[1] = End::Terminated;
                out.final_observation[2] = f32::NAN;
            },
            "lane 1, step 2 of its episode, seed 8: the environment returned observation[0] = NaN",
        ),
        (
            |_| panic!("out of rope"),
            "one of lanes 0 to 1, step 2 since the reset, seed 7 on: the environment panicked: out of rope",
        ),
        (|_| {}, ""),
    ];
    for (deed, said) in deeds {
        let mut env = guarded(Box::new(Own::new(2, None, deed))).unwrap();
        env.reset(Some(7), &mut [0.0; 4]).unwrap();
        assert!(play(&mut *env, 2).is_ok());
        match play(&mut *env, 1) {
            Ok(_) => assert_eq!(said, ""),
            Err(got) => assert!(!said.is_empty() && got.starts_with(&format!("Own-v0, {said}")), "{got}"),
        }
    }
    let mut alone = guarded(Box::new(Own::new(1, None, |_| panic!("out of rope")))).unwrap();
    alone.reset(Some(7), &mut [0.0; 2]).unwrap();
    let said = play(&mut *alone, 3).unwrap_err();
    assert_eq!(said, "Own-v0, lane 0, step 2 of its episode, seed 7: the environment panicked: out of rope");
}

#[test]
fn resets_actions_and_slices_are_guarded_too() {
    let mut env = guarded(Box::new(Own::new(2, None, |_| {}))).unwrap();
    let said = |error: EnvError| error.to_string();
    assert_eq!(
        said(env.reset(Some(13), &mut [0.0; 4]).unwrap_err()),
        "Own-v0, one of lanes 0 to 1, step 0 since the reset, seed 13 on: the environment panicked: unlucky"
    );
    assert!(said(env.reset(Some(14), &mut [0.0; 4]).unwrap_err()).starts_with("Own-v0, lane 0, step 0"));
    assert_eq!(said(env.reset(None, &mut [0.0; 3]).unwrap_err()), "observation has length 3, expected 4");
    env.reset(Some(1), &mut [0.0; 4]).unwrap();
    let mut step = |actions: &[u32], reward: &mut [f32]| {
        let out = Transitions {
            observation: &mut [0.0; 4],
            final_observation: &mut [0.0; 4],
            reward,
            end: &mut [End::Not; 2],
        };
        env.step(Actions::Discrete(actions), &[true; 2], out).map_err(said)
    };
    assert!(step(&[0, 3], &mut [0.0; 2]).unwrap_err().contains("lane 1"));
    assert_eq!(step(&[0, 1], &mut [0.0; 1]).unwrap_err(), "reward has length 1, expected 2");
    assert_eq!(step(&[0], &mut [0.0; 2]).unwrap_err(), "actions has length 1, expected 2");
    assert!(guarded(Box::new(Own::new(0, None, |_| {}))).is_err());
}

#[test]
fn an_episode_past_the_limit_of_its_spec_is_refused_at_once() {
    let mut env = guarded(Box::new(Own::new(2, Some(5), |_| {}))).unwrap();
    env.reset(Some(7), &mut [0.0; 4]).unwrap();
    let said = play(&mut *env, 5).unwrap_err();
    assert!(
        said.starts_with(
            "Own-v0, lane 0, step 5 of its episode, seed 7: the episode goes on past max_episode_steps = 5"
        )
    );
    assert!(said.contains("`TimeLimit`"), "{said}");
    // One that ends in time goes on.
    let ends: Deed = |out| out.end.fill(End::Truncated);
    let mut env = guarded(Box::new(Own::new(2, Some(3), ends))).unwrap();
    env.reset(Some(7), &mut [0.0; 4]).unwrap();
    assert_eq!(play(&mut *env, 3), Ok(vec![End::Truncated; 2]));
}

#[test]
fn a_guarded_vector_is_saved_with_its_episodes() {
    let new = || guarded(Box::new(Own::new(2, Some(5), |_| {}))).unwrap();
    let (mut one, mut state) = (new(), Vec::new());
    one.reset(Some(7), &mut [0.0; 4]).unwrap();
    play(&mut *one, 3).unwrap();
    assert!(one.save(&mut state));
    let mut other = new();
    other.restore(&state).unwrap();
    assert_eq!(play(&mut *one, 2), play(&mut *other, 2));
    assert!(other.restore(&state[..state.len() - 1]).is_err() && other.restore(&[]).is_err());
    // Its lanes are one by one only where it says so.
    let mut words = vec![7];
    assert!(!one.save_lane(0, &mut words) && words == [7]);
    let refused = other.restore_lane(1, &[0, 0, 3]).expect_err("no lane by itself").to_string();
    assert!(refused.contains("one by one"), "{refused}");
}

#[test]
fn what_guards_itself_stays_as_it_is() {
    let lanes = Lanes::new(vec![TimeLimit::new(CartPole::new())]).unwrap();
    let columns = Columns::new(CartPole::new(), 2).unwrap();
    assert!(lanes.is_guarded() && columns.is_guarded());
}

/// One that uses the threads it is offered.
struct Spreading(Own);

impl VecEnv for Spreading {
    fn spec(&self) -> &Spec {
        self.0.spec()
    }

    fn lanes(&self) -> usize {
        self.0.lanes()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.0.reset(seed, observation)
    }

    fn step(&mut self, _: Actions<'_>, _: &[bool], _: Transitions<'_>) -> Result<(), EnvError> {
        panic!("it is to be spread");
    }

    fn step_spread(
        &mut self,
        actions: Actions<'_>,
        active: &[bool],
        out: Transitions<'_>,
        spread: Spread<'_>,
    ) -> Result<(), EnvError> {
        let mut outcome = Ok(());
        spread(vec![Box::new(|| outcome = self.0.step(actions, active, out))]);
        outcome
    }
}

#[test]
fn a_vector_that_spreads_its_steps_is_guarded_as_well() {
    let mut env = guarded(Box::new(Spreading(Own::new(2, None, |out| out.reward[1] = f32::NAN)))).expect("two lanes");
    let (mut observation, mut last, mut reward, mut end) = ([0.0; 4], [0.0; 4], [0.0; 2], [End::Not; 2]);
    env.reset(Some(7), &mut observation).expect("a reset");
    let mut step = || {
        let out = Transitions {
            observation: &mut observation,
            final_observation: &mut last,
            reward: &mut reward,
            end: &mut end,
        };
        env.step_spread(Actions::Discrete(&[0, 0]), &[true; 2], out, &|tasks| tasks.into_iter().for_each(|task| task()))
    };
    assert_eq!((step(), step()), (Ok(()), Ok(())));
    let said = step().expect_err("not a number").to_string();
    assert!(said.contains("lane 1, step 2 of its episode, seed 8: the environment returned reward = NaN"), "{said}");
}
