use candle_core::{DType, Device, Tensor};
use uphill_envs::End;

use super::{Normaliser, RewardScale, ValueScale, of_targets};
use crate::models::Site;
use crate::moments::Moments;
use crate::rollout::{DeviceRollout, Estimate};
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
    normaliser.scale_rewards(&mut rollout, None).expect("on the host");
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
    normaliser.scale_rewards(&mut rollout, None).expect("on the host");
    assert_eq!(rollout.reward, [2.0]);
    normaliser.follow(&rollout, None, &mut params);
    assert_eq!(params.buffers().get("normaliser.mean"), Some(&[3.0, -4.0, 0.0, 1.0][..]));
    assert_eq!(params.buffers().get("normaliser.variance"), Some(&[1.0; 4][..]));
}

#[test]
fn values_are_known_by_what_they_were_of_late_and_from_the_first_rollout_on() {
    let mut scale = ValueScale::default();
    let follow = |scale: &mut ValueScale, targets: [f32; 6]| {
        let estimate = Estimate { target: targets.to_vec(), ..Estimate::default() };
        scale.follow(&of_targets(&played(), &estimate))
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

/// `T` steps of five lanes, on the host and on a device, with a column far from 0.
fn on_both(t: usize, from: usize) -> (Rollout, DeviceRollout) {
    let number = |i: usize, by: f32| ((from + i) as f32 * by).sin();
    let (lanes, len) = (5, 5 * t);
    let observation: Vec<f32> = (0..len).flat_map(|i| [number(i, 0.7), 300.0 + number(i, 1.3)]).collect();
    let rollout = Rollout {
        reward: (0..len).map(|i| 7.0 * number(i, 0.3)).collect(),
        end: (0..len).map(|i| [End::Not, End::Not, End::Terminated, End::Truncated][(from + i) % 7 % 4]).collect(),
        valid: vec![true; len],
        observation: observation.clone().into(),
        ..Rollout::new(lanes, 2)
    };
    let column = || Tensor::zeros((t, lanes), DType::F32, &Device::Cpu).expect("a column");
    let there = DeviceRollout {
        steps: t,
        lanes,
        observation: Tensor::from_vec(observation, (len, 2), &Device::Cpu).expect("observations"),
        action: column(),
        log_prob: column(),
        reward: Tensor::from_slice(&rollout.reward, (t, lanes), &Device::Cpu).expect("rewards"),
        value: column(),
        next_value: column(),
        carry: column(),
    };
    (rollout, there)
}

#[test]
fn what_is_on_a_device_is_normalised_as_on_the_host() {
    let config =
        Config::from_toml("algo = 'ppo'\nenv = 'MountainCar-v0'\nnormalize_observation = true\nclip_observation = 1.5");
    let config = config.expect("settings");
    let spec = config.make_env().expect("an environment").spec().clone();
    let (mut params, _) = config.make_model(&Site::new(&spec, Seed(1))).expect("a model");
    let mut of_host = Normaliser {
        observation: Some(Moments::new(2)),
        reward: Some(RewardScale::new(5, 0.9, 0.5)),
        ..Normaliser::default()
    };
    let mut of_device = of_host.clone();
    let mut published = [Vec::new(), Vec::new()];
    for (t, from) in [(1, 0), (40, 5), (13, 205)] {
        let (rollout, mut there) = on_both(t, from);
        let [mut on_host, mut told] = [rollout.clone(), rollout];
        of_host.scale_rewards(&mut on_host, None).expect("rewards");
        of_device.scale_rewards(&mut told, Some(&mut there)).expect("rewards");
        // The same numbers: nothing of them is summed on the device.
        assert_eq!(there.reward.flatten_all().and_then(|x| x.to_vec1::<f32>()).expect("rewards"), on_host.reward);
        assert!(t == 1 || on_host.reward.iter().any(|x| x.abs() == 0.5), "some are clipped");
        let seen = of_device.seen(&there).expect("moments");
        assert!(seen.is_some());
        for (known, (rollout, seen)) in [(&mut of_host, (&on_host, None)), (&mut of_device, (&told, seen))] {
            known.follow(rollout, seen, &mut params);
            let buffer = |name: &str| params.buffers().get(name).expect("a buffer").to_vec();
            published.rotate_left(1);
            published[1] = [buffer("normaliser.mean"), buffer("normaliser.variance")].concat();
        }
        for (a, b) in published[0].iter().zip(&published[1]) {
            // To the last bit of f32.
            assert!((a - b).abs() <= 1.2e-7 * b.abs(), "{a} on the host, {b} on a device");
        }
    }
    assert!(published[1][1] > 299.0 && published[1][3] < 1.0, "{published:?}");
}

#[test]
fn an_observation_on_a_device_that_is_not_finite_is_an_error() {
    let known = Normaliser { observation: Some(Moments::new(2)), ..Normaliser::default() };
    for bad in [f32::NAN, f32::INFINITY] {
        let (_, there) = on_both(3, 0);
        let last = Tensor::new(&[[0.0, bad]], &Device::Cpu).expect("a row");
        there.observation.slice_set(&last, 0, 14).expect("a place");
        let error = known.seen(&there).expect_err("no number").to_string();
        assert!(error.contains("an observation is not finite"), "{error}");
        assert!(Normaliser::default().seen(&there).expect("nobody asks").is_none());
    }
}
