use uphill_envs::End;

use super::{Normaliser, RewardScale, ValueScale};
use crate::models::Site;
use crate::rollout::Estimate;
use crate::{Config, Rollout, Seed};

/// Two lanes: one whose episode ends in the middle, one that is parked after its first step.
fn played() -> Rollout {
    Rollout {
        reward: vec![1.0, -4.0, 2.0, 7.0, 3.0, 7.0],
        end: vec![End::Not, End::Terminated, End::Truncated, End::Not, End::Not, End::Not],
        valid: vec![true, true, true, false, true, false],
        ..Rollout::new(2, 0)
    }
}

#[test]
fn rewards_are_divided_by_the_deviation_of_discounted_returns() {
    let mut normaliser = Normaliser { reward: Some(RewardScale::new(2, 0.5, 1.5)), ..Normaliser::default() };
    let mut rollout = played();
    normaliser.scale_rewards(&mut rollout);
    // R: 1, −4 and its end, 2 + 0.5·1 and its end, 3.
    let returns = [1.0f64, -4.0, 2.5, 3.0];
    let mean = returns.iter().sum::<f64>() / 4.0;
    let deviation = (returns.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 4.0).sqrt();
    for (got, before) in rollout.reward.iter().zip(played().reward) {
        let expected = f64::from(before) / deviation;
        assert!((f64::from(*got) - expected.clamp(-1.5, 1.5)).abs() < 1e-6, "{got} {expected}");
    }
    // The next rollout goes on in the middle of the first lane's second episode.
    let mut next = Rollout { reward: vec![4.0], end: vec![End::Not], valid: vec![true], ..Rollout::new(1, 0) };
    let reward = normaliser.reward.as_mut().expect("the one above");
    reward.scale(&mut next);
    assert!((reward.running[0] - (4.0 + 0.5 * 3.0)).abs() < 1e-12);
    // Environments that could not be saved begin anew.
    normaliser.begin();
    assert_eq!(normaliser.reward.expect("the one above").running, [0.0; 2]);
}

#[test]
fn what_came_once_is_not_blown_up() {
    let mut rollout = Rollout {
        observation: vec![3.0, -4.0, 0.0, 1.0].into(),
        reward: vec![2.0],
        end: vec![End::Not],
        valid: vec![true],
        ..Rollout::new(1, 4)
    };
    let config = Config::for_algo("stream_ac").expect("an algorithm");
    let spec = config.make_env().expect("an environment").spec().clone();
    let (mut params, _) = config.make_model(&Site::new(&spec, Seed(1))).expect("a model");
    let mut normaliser = config.make_normaliser(&spec);
    normaliser.scale_rewards(&mut rollout);
    assert_eq!(rollout.reward, [2.0]);
    normaliser.follow(&rollout, &mut params);
    assert_eq!(params.buffers().get("normaliser.mean"), Some(&[3.0, -4.0, 0.0, 1.0][..]));
    assert_eq!(params.buffers().get("normaliser.variance"), Some(&[1.0; 4][..]));
}

#[test]
fn values_are_known_by_what_they_were_of_late_and_from_the_first_rollout_on() {
    let mut scale = ValueScale::default();
    let follow = |scale: &mut ValueScale, targets: [f32; 6]| {
        let estimate = Estimate { target: targets.to_vec(), ..Estimate::default() };
        scale.follow(&played(), &estimate)
    };
    // Places of a parked lane say nothing.
    let first = follow(&mut scale, [1.0, 2.0, 3.0, 99.0, 6.0, 99.0]);
    assert!((first.mean - 3.0).abs() < 1e-6 && (first.std - 3.5f32.sqrt()).abs() < 1e-6, "{first:?}");
    let second = follow(&mut scale, [10.0, 10.0, 10.0, 99.0, 10.0, 99.0]);
    let share = 0.01 / (0.01 + 0.99 * 0.01);
    let mean = share * 10.0 + (1.0 - share) * 3.0;
    let square: f64 = share * 100.0 + (1.0 - share) * 12.5;
    assert!((f64::from(second.mean) - mean).abs() < 1e-6, "{second:?} {mean}");
    assert!((f64::from(second.std) - (square - mean * mean).sqrt()).abs() < 1e-5, "{second:?}");
    // What does not vary is not blown up.
    let still = follow(&mut ValueScale::default(), [5.0; 6]);
    assert!((still.mean - 5.0).abs() < 1e-6 && still.std == 1e-4, "{still:?}");
}
