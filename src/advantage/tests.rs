use uphill_envs::End;

use super::{DiscountedStates, Estimator, Gae, LeaveOneOut, MonteCarlo, NStep, Upgo, lambda_return};
use crate::Rollout;

/// Two lanes of four steps. Lane 0 terminates at step 1 and goes on; lane 1 is truncated at step 2.
fn rollout() -> Rollout {
    Rollout {
        lanes: 2,
        observation_len: 0,
        reward: vec![1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 40.0],
        end: vec![End::Not, End::Not, End::Terminated, End::Not, End::Not, End::Truncated, End::Not, End::Not],
        valid: vec![true; 8],
        value: vec![0.1, 1.0, 0.2, 2.0, 0.3, 3.0, 0.4, 4.0],
        // At a terminated step the value is poison here: an estimator that reads it shows it.
        next_value: vec![0.2, 2.0, 1e6, 3.0, 0.4, 3.5, 0.5, 5.0],
        ..Rollout::default()
    }
}

fn assert_close(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (i, (a, b)) in got.iter().zip(expected).enumerate() {
        assert!((a - b).abs() < 1e-4, "place {i}: {got:?} for {expected:?}");
    }
}

#[test]
fn monte_carlo_by_hand() {
    // γ = 0.5. Lane 0: 1 + 0.5·2, 2, then 3 + 0.5·4, 4. Lane 1: 10 + 0.5·(20 + 0.5·30), ..., 30, then 40.
    let seen = [2.0, 27.5, 2.0, 35.0, 5.0, 30.0, 4.0, 40.0];
    let without = MonteCarlo { baseline: false }.estimate(&rollout(), 0.5);
    assert_close(&without.advantage, &seen);
    // The critic adds 0.5·0.5 behind lane 0's window, 0.5·3.5 behind lane 1's truncation and 0.5·5 behind its window.
    let target = [2.0, 27.9375, 2.0, 35.875, 5.125, 31.75, 4.25, 42.5];
    let with_baseline = MonteCarlo { baseline: true }.estimate(&rollout(), 0.5);
    assert_close(&with_baseline.target, &target);
    let advantage: Vec<f32> = target.iter().zip(rollout().value).map(|(g, v)| g - v).collect();
    assert_close(&with_baseline.advantage, &advantage);
}

#[test]
fn the_weight_of_a_state_falls_within_an_episode_and_begins_anew_with_the_next() {
    let plain = MonteCarlo { baseline: true }.estimate(&rollout(), 0.5);
    let weighed = DiscountedStates(Box::new(MonteCarlo { baseline: true })).estimate(&rollout(), 0.5);
    // Lane 0 ends at step 1, lane 1 at step 2.
    let weights = [1.0, 1.0, 0.5, 0.5, 1.0, 0.25, 0.5, 1.0];
    let expected: Vec<f32> = plain.advantage.iter().zip(weights).map(|(a, w)| a * w).collect();
    assert_eq!(weighed.advantage, expected);
    assert_eq!(weighed.target, plain.target);
}

#[test]
fn one_and_two_step_returns_by_hand() {
    let one = NStep { n_steps: 1 }.estimate(&rollout(), 0.5);
    assert_close(&one.target, &[1.1, 11.0, 2.0, 21.5, 3.2, 31.75, 4.25, 42.5]);
    // Two steps, but never over an end or the window's edge.
    let two = NStep { n_steps: 2 }.estimate(&rollout(), 0.5);
    assert_close(&two.target, &[2.0, 20.75, 2.0, 35.875, 5.125, 31.75, 4.25, 42.5]);
}

#[test]
fn gae_at_its_two_ends_is_td_and_monte_carlo() {
    let rollout = rollout();
    let td = Gae { gae_lambda: 0.0 }.estimate(&rollout, 0.5);
    assert_close(&td.target, &NStep { n_steps: 1 }.estimate(&rollout, 0.5).target);
    let mc = Gae { gae_lambda: 1.0 }.estimate(&rollout, 0.5);
    assert_close(&mc.advantage, &MonteCarlo { baseline: true }.estimate(&rollout, 0.5).advantage);
    let many = NStep { n_steps: 100 }.estimate(&rollout, 0.5);
    assert_close(&mc.advantage, &many.advantage);
}

#[test]
fn gae_by_hand() {
    // γ = 0.5, λ = 0.5: δ of lane 0 is 1 + 0.1 − 0.1, 2 − 0.2, 3 + 0.2 − 0.3, 4 + 0.25 − 0.4; carry 0.25.
    let gae = Gae { gae_lambda: 0.5 }.estimate(&rollout(), 0.5);
    let lane0: Vec<f32> = gae.advantage.iter().copied().step_by(2).collect();
    assert_close(&lane0, &[1.0 + 0.25 * 1.8, 1.8, 2.9 + 0.25 * 3.85, 3.85]);
    // Lane 1: 10 + 1 − 1, 20 + 1.5 − 2, 30 + 1.75 − 3 (truncated: bootstraps, carries nothing), 40 + 2.5 − 4.
    let lane1: Vec<f32> = gae.advantage.iter().copied().skip(1).step_by(2).collect();
    let third = 28.75;
    let second = 19.5 + 0.25 * third;
    assert_close(&lane1, &[10.0 + 0.25 * second, second, third, 38.5]);
}

#[test]
fn a_lambda_return_is_the_advantage_and_the_value_at_any_lambda() {
    let rollout = rollout();
    for lambda in [0.0, 0.5, 0.9, 1.0] {
        let Rollout { reward, next_value, end, lanes, .. } = &rollout;
        let found = lambda_return(reward, next_value, end, *lanes, 0.5, lambda);
        assert_close(&found, &Gae { gae_lambda: lambda }.estimate(&rollout, 0.5).target);
    }
    // λ = 0.5: 1 + 0.5·(0.5·0.2 + 0.5·2); 10 + 0.5·(0.5·2 + 0.5·(20 + 0.5·(0.5·3 + 0.5·31.75))); 2, which terminates.
    let Rollout { reward, next_value, end, lanes, .. } = &rollout;
    assert_close(&lambda_return(reward, next_value, end, *lanes, 0.5, 0.5)[..3], &[1.55, 17.671875, 2.0]);
}

#[test]
fn an_upgoing_return_goes_on_for_as_long_as_actions_were_no_worse_than_thought() {
    // Lane 0: its second step, 2 after which it is over, is above V = 0.2, so that the first goes on.
    // Lane 1: 20 + 0.5·3 is above V = 2, 30 + 0.5·3.5 above 3, but truncated.
    let plain = Upgo { lambda: 0.5 }.estimate(&rollout(), 0.5);
    let up = [2.0, 27.9375, 2.0, 35.875, 5.125, 31.75, 4.25, 42.5];
    let less = |values: &[f32]| up.iter().zip(values).map(|(g, v)| g - v).collect::<Vec<f32>>();
    assert_close(&plain.advantage, &less(&rollout().value));
    assert_close(&plain.target, &Gae { gae_lambda: 0.5 }.estimate(&rollout(), 0.5).target);
    // A critic that thought more of lane 0's second state and of lane 1's third cuts what leads there to its own word.
    let (mut proud, mut cut) = (rollout(), up);
    (proud.value[2], proud.next_value[0]) = (2.5, 2.5);
    (proud.value[5], proud.next_value[3]) = (40.0, 40.0);
    (cut[0], cut[3]) = (1.0 + 0.5 * 2.5, 20.0 + 0.5 * 40.0);
    cut[1] = 10.0 + 0.5 * cut[3];
    let found = Upgo { lambda: 0.5 }.estimate(&proud, 0.5);
    let expected: Vec<f32> = cut.iter().zip(&proud.value).map(|(g, v)| g - v).collect();
    assert_close(&found.advantage, &expected);
    // What is exactly as good as it was thought goes on.
    proud.value[2] = 2.0;
    let found = Upgo { lambda: 0.5 }.estimate(&proud, 0.5);
    assert_close(&found.advantage[..1], &[1.0 + 0.5 * 2.0 - 0.1]);
}

#[test]
fn an_episode_is_held_against_the_others_at_the_same_step() {
    // Episodes of 2 and 1 steps in lane 0, whose last place is no step, and of 4 in lane 1; γ = 0.5.
    let whole = Rollout {
        end: vec![End::Not, End::Not, End::Terminated, End::Not, End::Truncated, End::Not, End::Not, End::Terminated],
        valid: vec![true, true, true, true, true, true, false, true],
        ..rollout()
    };
    let found = LeaveOneOut.estimate(&whole, 0.5);
    // Returns to go: 2 and 2; 3; 10 + 0.5·(20 + 0.5·(30 + 0.5·40)), 45, 50, 40.
    let (first, second, third) = ([2.0, 2.0], [3.0], [32.5, 45.0, 50.0, 40.0]);
    let expected = [
        (0, first[0] - (second[0] + third[0]) / 2.0),
        (2, first[1] - third[1] / 2.0),
        (4, second[0] - (first[0] + third[0]) / 2.0),
        (1, third[0] - (first[0] + second[0]) / 2.0),
        (3, third[1] - first[1] / 2.0),
        (5, third[2]),
        (7, third[3]),
    ];
    for (place, expected) in expected {
        let found = found.advantage[place];
        assert!((found - expected).abs() < 1e-4, "place {place}: {found} for {expected}");
    }
    // One alone has nothing to be held against.
    let alone = Rollout { valid: [true, false].repeat(2).into_iter().chain([false; 4]).collect(), ..whole };
    assert_close(&LeaveOneOut.estimate(&alone, 0.5).advantage[..4], &[2.0, 32.5, 2.0, 45.0]);
}

#[test]
fn normalized_numbers_have_mean_0_and_deviation_1() {
    let mut x = [1.0, 2.0, 3.0, 4.0];
    super::normalize(&mut x);
    assert_close(&x, &[-1.161_895, -0.387_298, 0.387_298, 1.161_895]);
    let mut constant = [5.0, 5.0];
    super::normalize(&mut constant);
    assert_eq!(constant, [0.0, 0.0]);
    let mut single = [5.0];
    super::normalize(&mut single);
    assert_eq!(single, [5.0]);
}
