//! Each wrapper changes one thing, keeps the contract, and is saved and restored with what it is around.

use uphill_envs::{
    Action, ActionRepeat, CartPole, ClipAction, End, Env, EnvError, EpisodeStatistics, Flatten, FrameStack, GridWorld,
    GridWorldConfig, Pendulum, Recording, RescaleAction, RewardScale, Space, Spec, Step, StickyActions, TimeAware,
    TimeLimit, WithoutVelocity, check_env,
};

type Made = Result<Box<dyn Env>, EnvError>;
type Make = fn() -> Made;

fn pole() -> TimeLimit<CartPole> {
    TimeLimit::new(CartPole::new())
}

fn pendulum() -> TimeLimit<Pendulum> {
    TimeLimit::new(Pendulum::new())
}

#[test]
fn every_wrapper_keeps_the_contract_alone_and_within_others() {
    let wrapped: [(&str, Make); 12] = [
        ("action repeat", || Ok(Box::new(ActionRepeat::new(pole(), 3)?))),
        ("clip", || Ok(Box::new(ClipAction::new(pendulum())?))),
        ("statistics", || Ok(Box::new(EpisodeStatistics::new(pole(), 10)))),
        ("recording", || Ok(Box::new(Recording::new(pole(), 2, 30)?))),
        ("rescale", || Ok(Box::new(RescaleAction::new(pendulum(), -1.0, 1.0)?))),
        ("reward", || Ok(Box::new(RewardScale::new(pole(), 0.1)?))),
        ("sticky", || Ok(Box::new(StickyActions::new(pole(), 0.25)?))),
        ("sticky numbers", || Ok(Box::new(StickyActions::new(pendulum(), 0.25)?))),
        ("time", || Ok(Box::new(TimeAware::new(pole())?))),
        ("flatten", || {
            let image = Image { spec: image_spec(), inner: pole() };
            Ok(Box::new(Flatten::new(image)?))
        }),
        ("stack of time", || Ok(Box::new(FrameStack::new(TimeAware::new(pole())?, 3)?))),
        ("all", || {
            let inner = RescaleAction::new(StickyActions::new(ActionRepeat::new(pendulum(), 2)?, 0.1)?, -1.0, 1.0)?;
            Ok(Box::new(TimeLimit::new(TimeAware::new(RewardScale::new(inner, 0.01)?)?)))
        }),
    ];
    for (name, make) in wrapped {
        assert_eq!(check_env(make), [], "{name}");
    }
}

/// A cart-pole that is seen as two pixels: on which side the cart is, and the pole.
struct Image {
    spec: Spec,
    inner: TimeLimit<CartPole>,
}

fn image_spec() -> Spec {
    Spec { observation: Space::Image { height: 1, width: 2, channels: 1, max: 1 }, ..pole().spec().clone() }
}

impl Image {
    fn see(
        &mut self,
        observation: &mut [f32],
        step: impl FnOnce(&mut TimeLimit<CartPole>, &mut [f32]) -> Result<Step, EnvError>,
    ) -> Result<Step, EnvError> {
        if observation.len() != 2 {
            return Err(EnvError::Length { what: "observation", expected: 2, got: observation.len() });
        }
        let mut numbers = [0.0; 4];
        let step = step(&mut self.inner, &mut numbers)?;
        (observation[0], observation[1]) = (f32::from(numbers[0] > 0.0), f32::from(numbers[2] > 0.0));
        Ok(step)
    }
}

impl Env for Image {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        let none = Step { reward: 0.0, end: End::Not };
        self.see(observation, |env, numbers| env.reset(seed, numbers).map(|()| none)).map(drop)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.see(observation, |env, numbers| env.step(action, numbers))
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        self.inner.save(state)
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        self.inner.restore(state)
    }
}

/// An environment that pays what it is given, and takes nothing outside its box.
struct Echo(Spec);

impl Echo {
    fn new(low: f32, high: f32) -> Self {
        let action = Space::uniform_box(1, low, high);
        Self(Spec { action, observation: Space::uniform_box(1, 0.0, 0.0), ..pendulum().spec().clone() })
    }
}

impl Env for Echo {
    fn spec(&self) -> &Spec {
        &self.0
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let numbers = self.0.action.continuous(action)?;
        assert!(self.0.action.contains(numbers), "{numbers:?}");
        observation.fill(0.0);
        Ok(Step { reward: numbers[0], end: End::Not })
    }
}

/// Steps by these actions from a seed: observations, and what the steps returned.
fn steps(env: &mut dyn Env, seed: u64, actions: impl IntoIterator<Item = f32>) -> Vec<(Vec<f32>, Step)> {
    let mut observation = vec![0.0; env.spec().observation_len()];
    env.reset(Some(seed), &mut observation).unwrap();
    let discrete = matches!(env.spec().action, Space::Discrete { .. });
    let mut seen = Vec::new();
    for a in actions {
        let numbers = [a];
        let action = if discrete { Action::Discrete(a as u32) } else { Action::Continuous(&numbers) };
        let step = env.step(action, &mut observation).unwrap();
        seen.push((observation.clone(), step));
        if step.end.ended() {
            break;
        }
    }
    seen
}

#[test]
fn an_action_is_repeated_and_its_rewards_are_summed() {
    let one = steps(&mut pendulum(), 3, [1.0, 1.0, 1.0, -0.5, -0.5, -0.5]);
    let three = steps(&mut ActionRepeat::new(pendulum(), 3).unwrap(), 3, [1.0, -0.5]);
    for (k, (observation, step)) in three.iter().enumerate() {
        assert_eq!(*observation, one[3 * k + 2].0);
        assert_eq!(step.reward, one[3 * k..3 * k + 3].iter().map(|(_, step)| step.reward).sum::<f32>());
    }
    // 200 steps are 66 times 3 and 2 more.
    let mut env = ActionRepeat::new(pendulum(), 3).unwrap();
    assert_eq!(env.spec().max_episode_steps, Some(67));
    let whole = steps(&mut env, 3, std::iter::repeat(0.0));
    assert_eq!((whole.len(), whole[66].1.end), (67, End::Truncated));
    // A pole falls in the middle of one.
    let fallen = steps(&mut ActionRepeat::new(pole(), 4).unwrap(), 1, std::iter::repeat(1.0));
    let alone = steps(&mut pole(), 1, std::iter::repeat(1.0));
    assert_eq!(fallen.iter().map(|(_, step)| step.reward).sum::<f32>(), alone.len() as f32);
    assert_eq!(fallen.last().unwrap().1.end, End::Terminated);
}

#[test]
fn actions_are_clipped_and_scaled() {
    let at = |a: f32| steps(&mut pendulum(), 5, [a]);
    assert_eq!(steps(&mut ClipAction::new(pendulum()).unwrap(), 5, [7.0]), at(2.0));
    assert_eq!(steps(&mut ClipAction::new(pendulum()).unwrap(), 5, [-1e9]), at(-2.0));
    let scaled = |a: f32| steps(&mut RescaleAction::new(pendulum(), -1.0, 1.0).unwrap(), 5, [a]);
    for (outer, inner) in [(1.0, 2.0), (-1.0, -2.0), (0.5, 1.0), (0.0, 0.0)] {
        assert_eq!(scaled(outer), at(inner), "{outer}");
    }
    // What is taken, by an environment that refuses what is outside.
    for (low, high) in [(-2.0, 2.0), (0.1, 0.7), (-0.3, 1.1), (-1e-3, 3e7), (-7.7, -0.2)] {
        let taken = |env: &mut dyn Env, a: f32| steps(env, 0, [a])[0].1.reward;
        let mut clip = ClipAction::new(Echo::new(low, high)).unwrap();
        let mut scale = RescaleAction::new(Echo::new(low, high), -1.0, 1.0).unwrap();
        for (outer, inner) in [(f32::MAX, high), (f32::MIN, low)] {
            assert_eq!(taken(&mut clip, outer), inner);
        }
        for (outer, inner) in [(1.0, high), (-1.0, low)] {
            assert_eq!(taken(&mut scale, outer), inner, "{low} to {high}");
        }
    }
    let env = RescaleAction::new(pendulum(), 0.0, 10.0).unwrap();
    assert_eq!(env.spec().action, Space::uniform_box(1, 0.0, 10.0));
}

#[test]
fn time_goes_by_in_shares_of_the_limit() {
    let env = TimeLimit::with_limit(Pendulum::new(), 4).unwrap();
    let seen = steps(&mut TimeAware::new(env).unwrap(), 2, [0.0; 4]);
    assert_eq!(seen.iter().map(|(observation, _)| observation[3]).collect::<Vec<_>>(), [0.25, 0.5, 0.75, 1.0]);
}

#[test]
fn rewards_are_multiplied_and_so_is_the_threshold() {
    let mut env = RewardScale::new(pole(), 0.5).unwrap();
    assert_eq!(env.spec().reward_threshold, Some(237.5));
    assert!(steps(&mut env, 1, [1.0; 5]).iter().all(|(_, step)| step.reward == 0.5));
}

/// What a task's authors call solved is said of no other task.
#[test]
fn a_threshold_is_of_the_task_that_it_was_given_for() {
    let threshold = |env: &dyn Env| env.spec().reward_threshold;
    assert_eq!(threshold(&ActionRepeat::new(pole(), 2).unwrap()), None);
    assert_eq!(threshold(&StickyActions::new(pole(), 0.25).unwrap()), None);
    assert_eq!(threshold(&WithoutVelocity::new("Blind", pole(), &[1, 3]).unwrap()), None);
    assert_eq!(threshold(&WithoutVelocity::cart_pole().unwrap()), Some(475.0));
    assert_eq!(threshold(&TimeLimit::with_limit(pole(), 100).unwrap()), None);
    assert_eq!(threshold(&TimeLimit::with_limit(CartPole::new(), 500).unwrap()), Some(475.0));
    assert_eq!(threshold(&TimeAware::new(pole()).unwrap()), Some(475.0));
    assert_eq!(threshold(&FrameStack::new(pole(), 4).unwrap()), Some(475.0));
}

#[test]
fn actions_stick_as_often_as_is_said() {
    // A pendulum tells what was taken: actions alternate, and the reward of one that stuck is another.
    let probability = 0.3;
    let (mut env, mut free) = (StickyActions::new(Pendulum::new(), probability).unwrap(), Pendulum::new());
    let (mut a, mut b) = ([0.0; 3], [0.0; 3]);
    env.reset(Some(1), &mut a).unwrap();
    let (mut stuck, mut last, n) = (0, None, 4_000);
    for t in 0..n {
        let mut state = Vec::new();
        assert!(env.save(&mut state));
        // Three in turn: what sticks is never what is given, however long it does.
        let given = [1.5, -0.5, 0.5][t as usize % 3];
        let step = env.step(Action::Continuous(&[given]), &mut a).unwrap();
        // The environment's own words are the last.
        free.reset(Some(0), &mut b).unwrap();
        free.restore(&state[5..]).unwrap();
        let as_given = free.step(Action::Continuous(&[given]), &mut b).unwrap();
        if as_given != step || a != b {
            stuck += 1;
            free.restore(&state[5..]).unwrap();
            let taken: f32 = last.unwrap();
            assert_eq!(free.step(Action::Continuous(&[taken]), &mut b).unwrap(), step);
        } else {
            last = Some(given);
        }
    }
    let deviation = (f64::from(n) * probability * (1.0 - probability)).sqrt();
    let expected = f64::from(n) * probability;
    assert!((f64::from(stuck) - expected).abs() < 5.0 * deviation, "{stuck} of {n}, expected {expected:.0}");
    // Never at 0.
    let sticky = steps(&mut StickyActions::new(pole(), 0.0).unwrap(), 4, [0.0, 1.0, 0.0, 1.0]);
    assert_eq!(sticky, steps(&mut pole(), 4, [0.0, 1.0, 0.0, 1.0]));
}

#[test]
fn episodes_are_counted_and_kept_as_many_as_asked() {
    let mut env = EpisodeStatistics::new(pole(), 2);
    let mut lengths = Vec::new();
    for seed in 0..3 {
        lengths.push(steps(&mut env, seed, std::iter::repeat(1.0)).len() as u32);
    }
    let kept: Vec<_> = env.episodes().iter().map(|played| (played.total, played.steps, played.end)).collect();
    assert_eq!(kept, [1, 2].map(|k| (f64::from(lengths[k]), lengths[k], End::Terminated)));
}

#[test]
fn every_second_episode_is_recorded() {
    let mut env = Recording::new(pole(), 2, 6).unwrap();
    steps(&mut env, 0, [1.0, 1.0, 1.0]);
    assert_eq!(env.take().len(), 4, "the first state and three more");
    assert_eq!(env.take().len(), 0);
    steps(&mut env, 0, std::iter::repeat(1.0));
    assert_eq!(env.take().len(), 6, "no more than asked for");
    steps(&mut env, 1, std::iter::repeat(1.0));
    assert_eq!(env.take().len(), 0, "the second is not");
}

#[test]
fn what_is_impossible_is_refused() {
    let refused = [
        ActionRepeat::new(pole(), 0).map(drop),
        ClipAction::new(pole()).map(drop),
        RescaleAction::new(pole(), -1.0, 1.0).map(drop),
        RescaleAction::new(pendulum(), 1.0, 1.0).map(drop),
        RescaleAction::new(pendulum(), f32::NEG_INFINITY, 1.0).map(drop),
        RewardScale::new(pole(), 0.0).map(drop),
        RewardScale::new(pole(), f32::NAN).map(drop),
        StickyActions::new(pole(), 1.0).map(drop),
        TimeAware::new(GridWorld::new(GridWorldConfig::cliff_walking()).unwrap()).map(drop),
        Recording::new(pole(), 0, 1).map(drop),
    ];
    for (k, refused) in refused.iter().enumerate() {
        let error = refused.clone().unwrap_err();
        assert!(matches!(error, EnvError::Option { .. }), "{k}: {error}");
    }
}
