use candle_core::{Device, Tensor};
use uphill_envs::End;

use super::DeviceLanes;
use crate::advantage::{gae, gae_tensors, normalize, normalize_tensor};
use crate::algo::{Learner, Now};
use crate::collect::Collector;
use crate::models::{Model, Site};
use crate::rollout::{ActionColumn, DeviceRollout, Horizon, ObservationColumn, Rollout};
use crate::scratch::Scratch;
use crate::seed::Seed;
use crate::stop::Flag;
use crate::{Config, Error, Params, Result, Threads};

fn config(env: &str) -> Config {
    of_algo(env, "ppo")
}

fn of_algo(env: &str, algo: &str) -> Config {
    let text = format!("env = '{env}'\nalgo = '{algo}'\nhidden = [8]\nn_steps = 64");
    Config::from_toml(&text).expect("settings")
}

fn lanes(config: &Config, count: usize) -> DeviceLanes {
    let env = config.make_tensor_env(&Device::Cpu).expect("a twin");
    DeviceLanes::new(env, count, Seed(7), &Device::Cpu).expect("lanes")
}

fn network(config: &Config, lanes: &DeviceLanes) -> (Params, Box<dyn Model>) {
    config.make_model(&Site::new(lanes.spec(), Seed(7))).expect("a network")
}

fn numbers(x: &Tensor) -> Vec<f32> {
    x.flatten_all().expect("numbers").to_vec1().expect("f32")
}

fn near(one: &[f32], other: &[f32], bound: f32) {
    assert_eq!(one.len(), other.len());
    for (i, (a, b)) in one.iter().zip(other).enumerate() {
        assert!((a - b).abs() <= bound * a.abs().max(1.0), "{i}: {a} and {b}");
    }
}

/// Two rollouts, one after the other, and what the host was told of each.
fn collected(config: &Config, count: usize, steps: usize) -> [(DeviceRollout, Rollout); 2] {
    let mut lanes = lanes(config, count);
    let (params, network) = network(config, &lanes);
    [0, 1].map(|_| {
        let mut told = Rollout::default();
        let made = lanes.collect(&*network, &params, steps, &mut told).expect("a rollout");
        (made, told)
    })
}

#[test]
fn episodes_end_at_their_limit_and_by_themselves_and_the_next_begins() {
    // Limit 12: some poles fall before, and some do not.
    for env in ["CartPole-v1", "Pendulum-v1", "GridWorld-4x4-v0(max_episode_steps=12)"] {
        let config = config(env);
        let limit = lanes(&config, 1).spec().max_episode_steps.expect("a limit") as usize;
        let (n, steps) = (16, 260);
        let [(made, told), _] = collected(&config, n, steps);
        assert_eq!((told.steps(), told.lanes), (steps, n));
        let mut elapsed = vec![0; n];
        let mut ends = [0, 0];
        for (i, end) in told.end.iter().enumerate() {
            let lane = i % n;
            elapsed[lane] += 1;
            match end {
                End::Truncated => assert_eq!(elapsed[lane], limit, "{env}"),
                End::Not => assert!(elapsed[lane] < limit, "{env}"),
                End::Terminated => assert!(elapsed[lane] <= limit, "{env}"),
            }
            if end.ended() {
                ends[usize::from(*end == End::Truncated)] += 1;
                elapsed[lane] = 0;
            }
        }
        let expected = if env == "CartPole-v1" { [true, false] } else { [env != "Pendulum-v1", true] };
        assert_eq!(ends.map(|count| count > 0), expected, "{env}: {ends:?}");
        let carry: Vec<f32> = told.end.iter().map(|end| f32::from(u8::from(!end.ended()))).collect();
        assert_eq!(numbers(&made.carry), carry);
        assert_eq!(numbers(&made.reward), told.reward);
    }
}

/// Through a truncation V is that of the state the episode finished on, which the network is asked for once more here: what it is
/// shown is worked out from the observation and the action by the tensor program itself.
#[test]
fn values_go_through_truncation_and_never_through_termination() -> Result<()> {
    for env in ["Pendulum-v1", "GridWorld-4x4-v0(max_episode_steps=12)"] {
        let config = config(env);
        let [(made, told), _] = collected(&config, 8, 210);
        let twin = config.make_tensor_env(&Device::Cpu)?;
        let (params, network) = network(&config, &lanes(&config, 8));
        let (next, value) = (numbers(&made.next_value), numbers(&made.value));
        assert!(!told.truncated.is_empty());
        for (i, end) in told.end.iter().enumerate() {
            match end {
                End::Terminated => assert_eq!(next[i], 0.0),
                End::Not if i + 8 < value.len() => assert_eq!(next[i], value[i + 8]),
                End::Not => assert_ne!(next[i], 0.0),
                End::Truncated => {
                    let place = Tensor::new(&[i as u32], &Device::Cpu)?;
                    let seen = made.observation.index_select(&place, 0)?;
                    let state = if env == "Pendulum-v1" {
                        let [cos, sin, speed] = numbers(&seen)[..] else { panic!("three numbers") };
                        Tensor::new(&[[sin.atan2(cos), speed]], &Device::Cpu)?
                    } else {
                        let of = |state: f32| Tensor::new(&[[state]], &Device::Cpu);
                        let is_it = |state: f32| numbers(&twin.observe(&of(state).unwrap()).unwrap()) == numbers(&seen);
                        of((0..16).map(|state| state as f32).find(|&state| is_it(state)).expect("a state"))?
                    };
                    let action = made.action.index_select(&place, 0)?;
                    let led_to = twin.observe(&twin.step(&state, &action, None)?.state)?;
                    near(&[next[i]], &numbers(&network.answer(&params, &led_to)?.value), 1e-4);
                    // A walk may be cut off where it starts.
                    assert!(env != "Pendulum-v1" || value.get(i + 8) != Some(&next[i]), "V of the next start");
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_lane_does_the_same_however_many_there_are_and_rollouts_go_on() {
    for env in ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1"] {
        let config = config(env);
        let ([few, _], [(_, whole), _]) = (collected(&config, 3, 40), collected(&config, 7, 80));
        let [(_, first), (_, second)] = collected(&config, 7, 40);
        for t in 0..40 {
            assert_eq!(few.1.reward[3 * t..3 * t + 3], first.reward[7 * t..7 * t + 3], "{env}, step {t}");
        }
        assert_eq!([first.reward, second.reward].concat(), whole.reward, "{env}");
        assert_eq!([first.end, second.end].concat(), whole.end, "{env}");
    }
}

#[test]
fn rewound_lanes_do_the_same_again() -> Result<()> {
    let config = config("CartPole-v1");
    let mut lanes = lanes(&config, 5);
    let (params, network) = network(&config, &lanes);
    let (mut once, mut again) = (Rollout::default(), Rollout::default());
    lanes.collect(&*network, &params, 30, &mut once)?;
    lanes.note();
    lanes.collect(&*network, &params, 50, &mut once)?;
    lanes.rewind();
    lanes.collect(&*network, &params, 50, &mut again)?;
    assert_eq!(once, again);
    lanes.set_stop(Flag::new(|| true));
    let broken_off = lanes.collect(&*network, &params, 50, &mut again);
    assert!(matches!(broken_off, Err(Error::Interrupted)));
    Ok(())
}

#[test]
fn several_ranks_are_refused_with_what_would_be_right() {
    let config = Config { envs_on_device: true, ..config("CartPole-v1") };
    let (_, network) = network(&config, &lanes(&config, 1));
    assert!(config.check_acts_on_device(&*network, false, 1).is_ok());
    let message = config.check_acts_on_device(&*network, false, 2).expect_err("two ranks").to_string();
    assert!(
        message.ends_with("lanes on a device are those of one process; start one rank, or leave it out"),
        "{message}"
    );
}

#[test]
fn whole_episodes_are_refused() {
    let config = config("CartPole-v1");
    let (params, network) = network(&config, &lanes(&config, 4));
    let mut collector = Collector::on_device(lanes(&config, 4), 4, Seed(7), Threads::default());
    let error = collector.collect(&*network, &params, Horizon::Episodes(2), true).expect_err("episodes").to_string();
    assert!(error.contains("so many steps, and not whole episodes"), "{error}");
    assert_eq!(collector.collect(&*network, &params, Horizon::Steps(5), true).expect("steps").0.steps(), 5);
    assert!(collector.take_device_rollout().is_some() && collector.take_device_rollout().is_none());
    assert_eq!(collector.env_steps(), 20);
}

#[test]
fn advantages_are_the_hosts() -> Result<()> {
    let [_, (made, told)] = collected(&config("GridWorld-4x4-v0(max_episode_steps=12)"), 8, 64);
    let own = numbers(&gae_tensors(&made, 0.99, 0.95)?);
    let (value, next) = (numbers(&made.value), numbers(&made.next_value));
    let of_host = gae(&told.reward, &value, &next, &told.end, 8, 0.99, 0.95);
    assert_eq!(own, of_host);
    let mut normal = of_host;
    normalize(&mut normal);
    near(&numbers(&normalize_tensor(&gae_tensors(&made, 0.99, 0.95)?.flatten_all()?)?), &normal, 1e-5);
    let one = Tensor::new(&[3.0f32], &Device::Cpu)?;
    assert_eq!(numbers(&normalize_tensor(&one)?), [3.0]);
    Ok(())
}

/// The same steps as a rollout of the host.
fn on_host(made: &DeviceRollout, told: &Rollout, network: &dyn Model) -> Result<Rollout> {
    let action = match network.distribution().components().is_empty() {
        true => ActionColumn::Continuous(numbers(&made.action)),
        false => ActionColumn::Discrete(made.action.to_vec1()?),
    };
    Ok(Rollout {
        observation: ObservationColumn::Number(numbers(&made.observation)),
        action,
        action_len: network.distribution().action_len(),
        log_prob: numbers(&made.log_prob),
        value: numbers(&made.value),
        next_value: numbers(&made.next_value),
        truncated: Vec::new(),
        ..told.clone()
    })
}

#[test]
fn learning_from_it_is_learning_from_the_same_rollout_on_the_host() -> Result<()> {
    for (env, algo) in [
        ("CartPole-v1", "ppo"),
        ("CartPole-v1", "ppo_kl"),
        ("Pendulum-v1", "ppo"),
        ("GridWorld-4x4-v0", "dpo_drift"),
        ("CartPole-v1", "a2c(gae_lambda=0.9)"),
    ] {
        let config = of_algo(env, algo);
        let [(made, told), _] = collected(&config, 8, 64);
        let learn = |on_device: bool| -> Result<(Vec<f32>, crate::UpdateReport)> {
            let (params, network) = network(&config, &lanes(&config, 8));
            let rollout = on_host(&made, &told, &*network)?;
            let mut learner = Learner::new(network, params, config.make_optimizer()?, Seed(7));
            learner.on_device = on_device.then(|| made.clone());
            let report = config.make_algo()?.update(&mut learner, &rollout, Now::default())?;
            Ok((learner.params.snapshot()?, report))
        };
        let ((own, report), (of_host, of_host_report)) = (learn(true)?, learn(false)?);
        // Adam divides by gradients' sizes: where one is nearly 0 its last bits show.
        near(&own, &of_host, 1e-4);
        let terms = |report: &crate::UpdateReport| report.terms.iter().map(|(_, x)| *x as f32).collect::<Vec<_>>();
        near(&terms(&report), &terms(&of_host_report), 1e-3);
        near(&[report.explained_variance as f32], &[of_host_report.explained_variance as f32], 1e-3);
        let (begun, _) = network(&config, &lanes(&config, 8));
        assert_ne!(own, begun.snapshot()?, "{env}, {algo}: nothing was learnt");
    }
    Ok(())
}

#[test]
fn log_probabilities_are_those_of_the_policy_that_acted() -> Result<()> {
    for env in ["CartPole-v1", "Pendulum-v1"] {
        let config = config(env);
        let [(made, told), _] = collected(&config, 8, 64);
        let (params, network) = network(&config, &lanes(&config, 8));
        let rollout = on_host(&made, &told, &*network)?;
        let (mut outputs, mut log_prob, mut entropy) = (Vec::new(), Vec::new(), Vec::new());
        network.outputs(&params, &numbers(&made.observation), &mut Scratch::default(), &mut outputs)?;
        let mut rows = network.distribution().rows();
        rows.set(&outputs, network.distribution().outputs());
        rows.judge(rollout.action.view(), &mut log_prob, &mut entropy);
        near(&numbers(&made.log_prob), &log_prob, 1e-5);
    }
    Ok(())
}

#[test]
fn a_policy_that_is_no_distribution_is_an_error() -> Result<()> {
    let config = config("CartPole-v1");
    let mut lanes = lanes(&config, 2);
    let (mut params, network) = network(&config, &lanes);
    params.update(|theta| theta.fill(f32::NAN))?;
    let error = lanes.collect(&*network, &params, 3, &mut Rollout::default()).expect_err("NaN").to_string();
    assert!(error.contains("one of the policy's outputs"), "{error}");
    Ok(())
}
