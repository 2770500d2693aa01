//! REINFORCE on CartPole, by hand: collect episodes, weigh log-probabilities by what followed, climb.
//!
//! ```text
//! cargo run --release --example reinforce_cartpole
//! cargo run --release --example reinforce_cartpole -- --optimizer "rmsprop(lr=cosine(2e-3, 0))"
//! ```

use std::process::ExitCode;

use clap::Parser;
use uphill::advantage::{Estimator, MonteCarlo, normalize};
use uphill::models::Model;
use uphill::objective::{Objective, PolicyGradient, Report, TensorBatch};
use uphill::optim::{Optimizer, When};
use uphill::screen::say;
use uphill::{Collector, Horizon, MlpConfig, MlpModel, Result, Seed, cli, envs};

/// REINFORCE on CartPole, by hand.
#[derive(Parser)]
struct Args {
    /// An optimizer is a chain: clip the gradient, scale it by Adam, step against it
    #[arg(long, value_name = "SPEC", default_value = "clip_by_global_norm(0.5) | adam(lr=4e-3, eps=1e-5)")]
    optimizer: String,
}

fn main() -> ExitCode {
    cli::run(climb)
}

fn climb(Args { optimizer }: &Args) -> Result<()> {
    let mut optimizer: Optimizer = optimizer.parse()?;
    let seed = Seed(1);
    let device = candle_core::Device::Cpu;

    // Eight carts side by side. Each restarts by itself when its pole falls.
    let env = envs::make_vec("CartPole-v1", 8)?;
    let (mut params, network) = MlpModel::new(env.spec(), &MlpConfig::default(), seed, &device)?;
    let mut collector = Collector::new(env, seed)?;

    let returns_to_go = MonteCarlo { baseline: false };
    let updates = 150;
    for update in 1..=updates {
        // One whole episode a lane, with the actions drawn from the policy.
        let (rollout, episodes) = collector.collect(&network, &params, Horizon::Episodes(1), false)?;

        // How much reward followed each action, as compared to the others of this batch.
        let estimate = returns_to_go.estimate(rollout, 0.99);
        let steps: Vec<usize> = rollout.valid_steps().collect();
        let mut advantage: Vec<f32> = steps.iter().map(|&i| estimate.advantage[i]).collect();
        normalize(&mut advantage);

        // ∇J is the mean of advantage · ∇ log π; the loss is its negative.
        let batch = TensorBatch::new(rollout, &estimate, &steps, &advantage, &device)?;
        let output = network.answer(&params, &batch.observation)?;
        let loss = PolicyGradient.loss(&batch, &output, &mut Report::default())?;
        let gradient = params.gradient(&loss)?;
        optimizer.step(
            &mut params,
            &gradient.to_vec1()?,
            When { progress: (update - 1) as f64 / updates as f64, update },
        )?;

        if update % 10 == 0 {
            let mean = episodes.iter().map(|e| e.episode_return).sum::<f64>() / episodes.len() as f64;
            say(format_args!("update {update:>3}  {:>6} steps  mean return {mean:>5.1}", collector.env_steps()))?;
        }
    }
    Ok(())
}
