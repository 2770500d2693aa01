//! Actions of several choices at once: what is one of them, and what is said of what is not.

use uphill_envs::{Action, Actions, End, Env, EnvError, Lanes, Space, Spec, Step, Transitions, VecEnv, guarded};

/// Shows the action that it was given last.
struct Mirror {
    spec: Spec,
}

impl Mirror {
    fn new(n: &[usize]) -> Self {
        let spec = Spec {
            id: "Mirror-v0".into(),
            observation: Space::MultiDiscrete { n: n.to_vec() },
            action: Space::MultiDiscrete { n: n.to_vec() },
            max_episode_steps: None,
            reward_threshold: None,
        };
        Self { spec }
    }
}

impl Env for Mirror {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, _: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        observation.fill(0.0);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        let chosen = self.spec.action.multi_discrete(action)?;
        observation.iter_mut().zip(chosen).for_each(|(seen, &a)| *seen = a as f32);
        Ok(Step { reward: 1.0, end: End::Not })
    }
}

/// The same, as a vector that does not look after itself.
struct Unguarded(Lanes<Mirror>);

impl VecEnv for Unguarded {
    fn spec(&self) -> &Spec {
        self.0.spec()
    }

    fn lanes(&self) -> usize {
        self.0.lanes()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.0.reset(seed, observation)
    }

    fn step(&mut self, actions: Actions<'_>, active: &[bool], out: Transitions<'_>) -> Result<(), EnvError> {
        assert_eq!(actions, Actions::Discrete(&[0, 1, 2, 3]), "what is refused does not come this far");
        self.0.step(actions, active, out)
    }
}

fn step(env: &mut dyn VecEnv, actions: Actions<'_>, active: [bool; 2]) -> Result<Vec<f32>, EnvError> {
    let mut observation = [9.0; 4];
    let out = Transitions {
        observation: &mut observation,
        final_observation: &mut [0.0; 4],
        reward: &mut [0.0; 2],
        end: &mut [End::Not; 2],
    };
    env.step(actions, &active, out)?;
    Ok(observation.to_vec())
}

#[test]
fn an_element_has_an_index_for_each_component() {
    let space = Space::MultiDiscrete { n: vec![3, 1, 4] };
    assert_eq!((space.flat_len(), space.kind()), (3, "multi-discrete"));
    assert!(space.contains(&[2.0, 0.0, 3.0]) && space.contains(&[0.0, -0.0, 0.0]));
    for other in [&[3.0, 0.0, 0.0][..], &[0.0, 1.0, 0.0], &[0.0, 0.0, 4.0], &[0.5, 0.0, 0.0], &[-1.0, 0.0, 0.0]] {
        assert!(!space.contains(other), "{other:?}");
    }
    for other in [&[0.0, 0.0][..], &[0.0; 4], &[], &[f32::NAN, 0.0, 0.0], &[f32::INFINITY, 0.0, 0.0]] {
        assert!(!space.contains(other), "{other:?}");
    }
}

#[test]
fn each_lane_takes_its_own_part_of_the_actions() {
    let mut envs = Lanes::new(vec![Mirror::new(&[3, 4]), Mirror::new(&[3, 4])]).unwrap();
    envs.reset(None, &mut [0.0; 4]).unwrap();
    assert_eq!(step(&mut envs, Actions::Discrete(&[0, 1, 2, 3]), [true; 2]).unwrap(), [0.0, 1.0, 2.0, 3.0]);
    // What is asked of a lane that is not active is nobody's business.
    assert_eq!(step(&mut envs, Actions::Discrete(&[7, 7, 1, 0]), [false, true]).unwrap(), [9.0, 9.0, 1.0, 0.0]);
}

#[test]
fn an_action_outside_the_space_is_refused_by_its_component() {
    let lanes = || Lanes::new(vec![Mirror::new(&[3, 4]), Mirror::new(&[3, 4])]).unwrap();
    for mut envs in [Box::new(lanes()) as Box<dyn VecEnv>, guarded(Box::new(Unguarded(lanes()))).unwrap()] {
        envs.reset(Some(5), &mut [0.0; 4]).unwrap();
        let said =
            |envs: &mut dyn VecEnv, actions: Actions<'_>| step(envs, actions, [true; 2]).unwrap_err().to_string();
        assert_eq!(
            said(&mut *envs, Actions::Discrete(&[0, 1, 2, 4])),
            "Mirror-v0, lane 1, step 0 of its episode, seed 6: component 1: action 4 is outside the action space: it has \
             4 actions, 0 to 3"
        );
        assert!(said(&mut *envs, Actions::Discrete(&[3, 4, 0, 0])).contains("lane 0"), "the first component first");
        for wrong in [0, 2, 3, 5] {
            let expected = format!("actions has length {wrong}, expected 4");
            let few_or_many = vec![0; wrong];
            assert_eq!(said(&mut *envs, Actions::Discrete(&few_or_many)), expected);
        }
        assert!(
            said(&mut *envs, Actions::Continuous(&[0.0; 4]))
                .ends_with("a continuous action was given to a multi-discrete action space")
        );
        assert_eq!(step(&mut *envs, Actions::Discrete(&[0, 1, 2, 3]), [true; 2]).unwrap(), [0.0, 1.0, 2.0, 3.0]);
    }
}

#[test]
fn one_environment_refuses_what_is_none_of_its_actions() {
    let mut env = Mirror::new(&[3, 4]);
    let mut said = |action| env.step(action, &mut [0.0; 2]).unwrap_err();
    let past = |k, action, n| EnvError::ActionOutOfRange { component: Some(k), action, n };
    assert_eq!(said(Action::MultiDiscrete(&[3, 0])), past(0, 3, 3));
    assert_eq!(said(Action::MultiDiscrete(&[0, u32::MAX])), past(1, u32::MAX, 4));
    let length = |got| EnvError::Length { what: "action", expected: 2, got };
    assert_eq!((said(Action::MultiDiscrete(&[0])), said(Action::MultiDiscrete(&[0; 3]))), (length(1), length(3)));
    let kind = |expected, got| EnvError::ActionKind { expected, got };
    assert_eq!(said(Action::Discrete(0)), kind("multi-discrete", "discrete"));
    let one = Space::Discrete { n: 3 };
    assert_eq!(one.check(Action::MultiDiscrete(&[0])), Err(kind("discrete", "multi-discrete")));
    assert_eq!(one.multi_discrete(Action::Discrete(0)), Err(kind("discrete", "discrete")));
    let real = Space::uniform_box(1, 0.0, 1.0);
    assert_eq!(real.check(Action::MultiDiscrete(&[0])), Err(kind("continuous", "multi-discrete")));
}

#[test]
fn environments_that_can_do_nothing_have_no_lanes() {
    for action in [
        Space::MultiDiscrete { n: vec![] },
        Space::MultiDiscrete { n: vec![2, 0] },
        Space::Discrete { n: 0 },
        Space::uniform_box(0, 0.0, 0.0),
    ] {
        let mut env = Mirror::new(&[2, 2]);
        env.spec.action = action;
        let refused = Lanes::new(vec![env]).map(drop).unwrap_err();
        assert!(matches!(refused, EnvError::Option { name: "action space", .. }), "{refused}");
    }
}
