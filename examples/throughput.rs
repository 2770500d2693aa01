//! How many environment steps a second whole training loops take, and what share of the machine's arithmetic that is; how
//! many environments take alone; or how many loops take whose environments are on a device.
//!
//! ```text
//! cargo run --release --example throughput
//! cargo run --release --example throughput -- --json                # an object a line
//! cargo run --release --example throughput -- --env                 # every environment, with actions at random
//! cargo run --release --example throughput -- --env CartPole-v1 "GridWorld-4x4-v0(slip=0.1)"
//! cargo run --release --example throughput -- --on-device cuda      # 1,024 to 16,384 lanes, on that device and on the host
//! ```

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use candle_core::{Device, Tensor};
use clap::Parser;
use rand::RngExt;
use serde_json::json;
use uphill::envs::{Actions, End, Space, Transitions};
use uphill::screen::say;
use uphill::{Catalogue, Config, Result, Rng, Seed, Trainer, cli};

/// How many environment steps a second whole training loops take, and what share of the machine's arithmetic that is.
#[derive(Parser)]
struct Args {
    /// Print an object a line
    #[arg(long)]
    json: bool,
    /// Time these environments alone, or every one that there is, with random actions
    #[arg(long, num_args = 0.., value_name = "ENV")]
    env: Option<Vec<String>>,
    /// Time loops of 1,024 to 16,384 lanes that learn on this device, with their environments there and on the host
    #[arg(long, conflicts_with = "env")]
    on_device: Option<String>,
}

/// Algorithm, lanes, and steps a lane between updates; REINFORCE plays two whole episodes a lane.
const LOOPS: [(&str, usize, usize); 10] = [
    ("reinforce", 4, 0),
    ("reinforce", 64, 0),
    ("reinforce", 1_024, 0),
    ("a2c", 4, 5),
    ("a2c", 64, 5),
    ("a2c", 1_024, 5),
    ("ppo", 4, 128),
    ("ppo", 64, 128),
    ("ppo", 1_024, 128),
    ("ppo", 2_048, 32),
];

/// Timings of each loop, of which the median counts.
const REPEATS: usize = 3;
/// At least so many seconds a timing.
const SECONDS: f64 = 0.7;

fn main() -> ExitCode {
    cli::run(measure)
}

fn measure(Args { json, env, on_device }: &Args) -> Result<()> {
    match (env, on_device) {
        (Some(envs), _) => measure_environments(envs, *json),
        (None, Some(device)) => measure_on_device(device, *json),
        (None, None) => measure_loops(*json),
    }
}

/// PPO of four minibatches a pass, 32 steps a lane, as many lanes as a device is for.
fn measure_on_device(device: &str, json: bool) -> Result<()> {
    if !json {
        say(format_args!("| environment | lanes | environments | steps/s on {device} |\n|---|---|---|---|"))?;
    }
    for env in ["CartPole-v1", "Pendulum-v1", "GridWorld-4x4-v0"] {
        for lanes in [1_024, 4_096, 16_384] {
            for envs_on_device in [true, false] {
                let (device, steps) = (device.to_string(), Config::MAX_STEPS);
                let config = Config { device, steps, envs: lanes, envs_on_device, ..Config::for_algo("ppo")? };
                let rate = steps_per_second(&Config { env: env.into(), n_steps: 32, n_minibatches: 4, ..config })?;
                let place = if envs_on_device { "device" } else { "host" };
                match json {
                    true => say(json!({ "env": env, "lanes": lanes, "environments": place,
                                        "steps_per_second": rate.round() }))?,
                    false => say(format_args!("| {env} | {lanes} | {place} | {rate:.0} |"))?,
                }
            }
        }
    }
    Ok(())
}

/// Lanes that an environment is timed with.
const LANES: usize = 1_024;

/// Environment steps a second on one thread: the median over some timings.
fn measure_environments(envs: &[String], json: bool) -> Result<()> {
    let all =
        Catalogue::default().envs().iter().filter(|row| row.name != "GridWorld").map(|row| row.name.into()).collect();
    let envs: Vec<String> = if envs.is_empty() { all } else { envs.to_vec() };
    let configs = envs.iter().map(|env| Config::for_algo("ppo")?.in_env(env)).collect::<Result<Vec<_>>>()?;
    if !json {
        say(format_args!("| environment, {LANES} lanes, one thread | steps/s |\n|---|---|"))?;
    }
    for config in configs {
        let rate = steps_of_environments(&config)?;
        match json {
            true => say(json!({ "env": config.env.to_string(), "lanes": LANES, "steps_per_second": rate.round() }))?,
            false => say(format_args!("| {} | {rate:.0} |", config.env.to_string().replace('|', "\\|")))?,
        }
    }
    Ok(())
}

fn steps_of_environments(config: &Config) -> Result<f64> {
    let mut envs = config.make_envs(LANES)?;
    let (d, space) = (envs.spec().observation_len(), envs.spec().action.clone());
    let mut rng = Seed(1).stream("actions", 0);
    // Enough drawn beforehand that no lane takes the same way again and again.
    let drawn: Vec<(Vec<u32>, Vec<f32>)> = (0..61).map(|_| random_actions(&space, &mut rng)).collect();
    let (mut observation, mut last) = (vec![0.0; LANES * d], vec![0.0; LANES * d]);
    let (mut reward, mut end, active) = (vec![0.0; LANES], vec![End::Not; LANES], vec![true; LANES]);
    envs.reset(Some(1), &mut observation)?;
    let mut rates = Vec::new();
    for _ in 0..=REPEATS {
        let (start, mut steps) = (Instant::now(), 0);
        while start.elapsed().as_secs_f64() < SECONDS / 2.0 {
            for (indices, numbers) in &drawn {
                let actions =
                    if indices.is_empty() { Actions::Continuous(numbers) } else { Actions::Discrete(indices) };
                let out = Transitions {
                    observation: &mut observation,
                    final_observation: &mut last,
                    reward: &mut reward,
                    end: &mut end,
                };
                envs.step(actions, &active, out)?;
                steps += LANES;
            }
        }
        rates.push(steps as f64 / start.elapsed().as_secs_f64());
    }
    // The first has met what was not there yet.
    rates.remove(0);
    rates.sort_by(f64::total_cmp);
    Ok(rates[REPEATS / 2])
}

/// An action of every lane: indices, or numbers of a box.
fn random_actions(space: &Space, rng: &mut Rng) -> (Vec<u32>, Vec<f32>) {
    let (mut indices, mut numbers) = (Vec::new(), Vec::new());
    for _ in 0..LANES {
        match space {
            Space::Discrete { n } => indices.push(rng.random_range(0..*n as u32)),
            Space::MultiDiscrete { n } => indices.extend(n.iter().map(|&n| rng.random_range(0..n as u32))),
            Space::MultiBinary { n } => indices.extend((0..*n).map(|_| rng.random_range(0..2))),
            Space::Box { low, high } => {
                numbers
                    .extend(low.iter().zip(high).map(|(&low, &high)| rng.random_range(low.max(-1e3)..=high.min(1e3))));
            }
            Space::Image { .. } => {}
        }
    }
    (indices, numbers)
}

fn measure_loops(json: bool) -> Result<()> {
    let peak = peak_flops()?;
    if !json {
        say(format_args!("A core multiplies large matrices at {:.0} GFLOP/s.\n", peak / 1e9))?;
        say("| algorithm | lanes x steps | threads | steps/s | share of the arithmetic |\n|---|---|---|---|---|")?;
    }
    for (algo, lanes, n_steps) in LOOPS {
        for threads in [1, 2] {
            let defaults = Config::for_algo(algo)?;
            let config = Config { envs: lanes, threads, steps: Config::MAX_STEPS, ..defaults };
            let config = match algo {
                "reinforce" => Config { episodes: 2 * lanes, ..config },
                _ => Config { n_steps, ..config },
            };
            let rate = steps_per_second(&config)?;
            let share = rate * flops_per_step(&config) / (peak * threads as f64);
            let horizon = if algo == "reinforce" { "2 episodes".to_string() } else { n_steps.to_string() };
            if json {
                let horizon = (algo != "reinforce").then_some(n_steps);
                say(json!({ "algo": algo, "lanes": lanes, "horizon": horizon, "threads": threads,
                            "steps_per_second": rate.round(), "flop_share": (share * 1e3).round() / 1e3 }))?;
            } else {
                let share = 100.0 * share;
                say(format_args!("| {algo} | {lanes} x {horizon} | {threads} | {rate:.0} | {share:.0} % |"))?;
            }
        }
    }
    Ok(())
}

/// The median over some timings of one trainer, which has made room in its first updates.
fn steps_per_second(config: &Config) -> Result<f64> {
    let mut trainer = Trainer::new(config)?;
    for _ in 0..3 {
        trainer.step()?;
    }
    let mut rates = Vec::new();
    for _ in 0..REPEATS {
        let (start, before) = (Instant::now(), trainer.env_steps());
        while start.elapsed().as_secs_f64() < SECONDS {
            trainer.step()?;
        }
        rates.push((trainer.env_steps() - before) as f64 / start.elapsed().as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    Ok(rates[REPEATS / 2])
}

/// Products and sums that one environment step costs: each of two networks forward once when it is acted and judged, and
/// three times that (forward, and backward by weights and by inputs) in each pass over it.
fn flops_per_step(config: &Config) -> f64 {
    let network = |outputs: usize| {
        let widths: Vec<usize> = [4].into_iter().chain(config.hidden.iter().copied()).chain([outputs]).collect();
        widths.windows(2).map(|pair| 2 * pair[0] * pair[1]).sum::<usize>()
    };
    ((1 + 3 * config.n_epochs) * (network(2) + network(1))) as f64
}

/// Products and sums a second a core that candle's matrix product reaches on all cores: the best of some tries.
fn peak_flops() -> Result<f64> {
    const N: usize = 768;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let a = Tensor::full(0.5f32, (N, N), &Device::Cpu)?;
    let mut best = f64::MAX;
    for _ in 0..60 {
        let start = Instant::now();
        black_box(a.matmul(&a)?);
        best = best.min(start.elapsed().as_secs_f64());
    }
    Ok(2.0 * (N * N * N) as f64 / best / cores as f64)
}
