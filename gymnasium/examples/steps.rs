//! Steps a second of environments under actions that are always 0 or in the middle of their box, with nothing learnt:
//! `cargo run --release -p uphill-gymnasium --example steps -- 16 gymnasium/CartPole-v1 "gymnasium/CartPole-v1(processes=2)"`.
//! The best of five rounds, the environments in turn. `scripts/beside-gymnasium.py` times Gymnasium's own vectors.

use std::time::{Duration, Instant};

use uphill::envs::{Actions, End, Space, Transitions, VecEnv};
use uphill::{Config, Error, Result};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

/// Steps a second, all lanes together, in one round.
fn rate(env: &mut dyn VecEnv) -> Result<f64> {
    let (n, d, width) = (env.lanes(), env.spec().observation_len(), env.spec().action.flat_len());
    let (mut observation, mut last) = (vec![0.0; n * d], vec![0.0; n * d]);
    let (mut reward, mut end, active) = (vec![0.0; n], vec![End::Not; n], vec![true; n]);
    let (indices, numbers) = (vec![0; n * width], vec![0.0; n * width]);
    let is_box = matches!(env.spec().action, Space::Box { .. });
    env.reset(Some(1), &mut observation)?;
    let (start, mut steps) = (Instant::now(), 0);
    while start.elapsed() < ROUND {
        let actions = if is_box { Actions::Continuous(&numbers) } else { Actions::Discrete(&indices) };
        let out = Transitions {
            observation: &mut observation,
            final_observation: &mut last,
            reward: &mut reward,
            end: &mut end,
        };
        env.step(actions, &active, out)?;
        steps += n;
    }
    Ok(steps as f64 / start.elapsed().as_secs_f64())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = || Error::Config("expected a number of lanes and names of environments".into());
    let lanes: usize = arguments.next().and_then(|lanes| lanes.parse().ok()).ok_or_else(usage)?;
    let names: Vec<String> = arguments.collect();
    let ppo = Config::for_algo_with("ppo", &uphill_gymnasium::catalogue())?;
    let make = |name: &String| Config { env: name.as_str().into(), ..ppo.clone() }.make_envs(lanes);
    let mut envs = names.iter().map(make).collect::<Result<Vec<_>>>()?;
    let mut best = vec![0.0f64; envs.len()];
    for _ in 0..ROUNDS {
        for (best, env) in best.iter_mut().zip(&mut envs) {
            *best = best.max(rate(&mut **env)?);
        }
    }
    names.iter().zip(best).for_each(|(name, rate)| println!("{rate:>12.0} steps/s  {name}"));
    Ok(())
}
