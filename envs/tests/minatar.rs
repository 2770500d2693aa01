//! What MinAtar's games share: sticky actions, options, pictures.

use uphill_envs::{
    Action, Breakout, End, Env, EnvError, MinAtar, MinAtarConfig, NumpyRng, Space, SpaceInvaders, TimeLimit, make,
};

fn breakout(sticky_action_prob: f64) -> MinAtar<Breakout> {
    MinAtar::new(MinAtarConfig { sticky_action_prob, ..MinAtarConfig::default() }).expect("a game")
}

/// The paddle's column.
fn paddle(observation: &[f32]) -> usize {
    (0..10).find(|column| observation[(90 + column) * 4] == 1.0).expect("a paddle")
}

#[test]
fn a_sticky_step_repeats_the_one_before_and_the_first_does_nothing() {
    let mut seen = vec![0.0; 400];
    let mut never = breakout(0.0);
    never.reset(Some(0), &mut seen).expect("a reset");
    let columns = [1, 1, 2, 0].map(|action| {
        never.step(Action::Discrete(action), &mut seen).expect("a step");
        paddle(&seen)
    });
    assert_eq!(columns, [3, 2, 3, 3]);
    let mut always = breakout(1.0);
    always.reset(Some(0), &mut seen).expect("a reset");
    for action in [1, 1, 2] {
        always.step(Action::Discrete(action), &mut seen).expect("a step");
        assert_eq!(paddle(&seen), 4);
    }
}

/// A step is sticky with the probability that was asked for: a tenth, as MinAtar has it.
#[test]
fn a_tenth_of_the_steps_are_sticky_unless_said() {
    let mut env = make("MinAtar/Breakout-v1").expect("a game");
    let (mut seen, mut chosen) = (vec![0.0; 400], NumpyRng::new(3));
    env.reset(Some(1), &mut seen).expect("a reset");
    let (mut last, mut told, mut sticky) = (None, 0, 0);
    for _ in 0..60_000 {
        let (before, action) = (paddle(&seen), (chosen.random() * 3.0) as u32);
        let end = env.step(Action::Discrete(action), &mut seen).expect("a step").end;
        let of = |action: u32| (before + [0, 9, 1][action as usize]) % 10;
        // What was done can be told where the two would differ.
        let done = (0..3).find(|&action| of(action) == paddle(&seen)).filter(|_| (1..9).contains(&before));
        if let (Some(last), Some(done)) = (last, done)
            && last != action
        {
            (told, sticky) = (told + 1, sticky + u32::from(done == last));
            assert!(done == last || done == action);
        }
        last = done;
        if end.ended() {
            env.reset(None, &mut seen).expect("a reset");
            last = None;
        }
    }
    let share = f64::from(sticky) / f64::from(told);
    assert!(told > 10_000 && (share - 0.1).abs() < 0.01, "{share} of {told}");
}

#[test]
fn an_impossible_option_is_refused() {
    let of = |config| MinAtar::<Breakout>::new(config).map(drop).map_err(|e| e.to_string());
    let default = MinAtarConfig::default();
    let said = |sticky_action_prob| of(MinAtarConfig { sticky_action_prob, ..default });
    for wrong in [-0.1, 1.1, f64::NAN] {
        assert!(said(wrong).is_err_and(|said| said.starts_with("sticky_action_prob = ")));
    }
    assert_eq!(said(1.0), Ok(()));
    let no_time = of(MinAtarConfig { max_episode_steps: Some(0), ..default });
    assert_eq!(no_time, Err("max_episode_steps = 0 is impossible: an episode takes at least 1 step".into()));
    let steady = MinAtarConfig { ramping: false, ..default };
    assert_eq!(of(steady), Err("ramping = false is impossible: this game does not get harder; leave it true".into()));
    assert!(MinAtar::<SpaceInvaders>::new(steady).is_ok());
}

#[test]
fn episodes_have_no_limit_unless_one_is_set() {
    assert_eq!(make("MinAtar/SpaceInvaders-v1").expect("a game").spec().max_episode_steps, None);
    let config = MinAtarConfig { max_episode_steps: Some(7), ..MinAtarConfig::default() };
    let mut env = TimeLimit::new(MinAtar::<SpaceInvaders>::new(config).expect("a game"));
    let mut seen = vec![0.0; 600];
    env.reset(Some(0), &mut seen).expect("a reset");
    let ends = [(); 7].map(|()| env.step(Action::Discrete(0), &mut seen).expect("a step").end);
    assert_eq!(ends, [[End::Not; 6].as_slice(), &[End::Truncated]].concat()[..]);
    assert_eq!(env.step(Action::Discrete(0), &mut seen), Err(EnvError::NeedsReset));
}

/// A picture shows a shape for each cell that something is on.
#[test]
fn a_picture_has_a_shape_for_each_cell_that_is_not_empty() {
    let mut env = breakout(0.0);
    let mut seen = vec![0.0; 400];
    env.reset(Some(0), &mut seen).expect("a reset");
    // 30 bricks, one of them behind the ball, and the paddle.
    assert_eq!(env.draw().expect("a picture").shapes.len(), 31);
}

/// The six actions of `v0` are those of `v1` in MinAtar's order, and the rest do nothing.
#[test]
fn all_six_actions_are_those_of_the_game_and_others_that_do_nothing() {
    for (game, moves) in [
        ("Asterix", &[0, 1, 2, 3, 4][..]),
        ("Breakout", &[0, 1, 3]),
        ("Freeway", &[0, 2, 4]),
        ("Seaquest", &[0, 1, 2, 3, 4, 5]),
        ("SpaceInvaders", &[0, 1, 3, 5]),
    ] {
        let [mut all, mut own] = ["v0", "v1"].map(|v| make(&format!("MinAtar/{game}-{v}")).expect("a game"));
        assert_eq!(all.spec().id, format!("MinAtar/{game}-v0"));
        assert_eq!(all.spec().action, Space::Discrete { n: 6 });
        assert_eq!(own.spec().action, Space::Discrete { n: moves.len() });
        let (mut a, mut b) = (vec![0.0; all.spec().observation_len()], vec![0.0; own.spec().observation_len()]);
        let (mut episode, mut rng) = (0, NumpyRng::new(3));
        all.reset(Some(7), &mut a).expect("a reset");
        own.reset(Some(7), &mut b).expect("a reset");
        for _ in 0..3_000 {
            let action = (6.0 * rng.random()) as u32;
            let same = moves.iter().position(|&own| own == action).unwrap_or(0) as u32;
            let step = all.step(Action::Discrete(action), &mut a).expect("a step");
            assert_eq!(own.step(Action::Discrete(same), &mut b).expect("a step"), step, "{game}, {action}");
            assert_eq!(a, b, "{game}, {action}");
            if step.end.ended() {
                episode += 1;
                all.reset(Some(episode), &mut a).expect("a reset");
                own.reset(Some(episode), &mut b).expect("a reset");
            }
        }
        assert!(episode > 0 || game == "Freeway", "{game}: it never ended");
        let beyond = all.step(Action::Discrete(6), &mut a);
        assert!(matches!(beyond, Err(EnvError::ActionOutOfRange { n: 6, .. })), "{beyond:?}");
    }
}
