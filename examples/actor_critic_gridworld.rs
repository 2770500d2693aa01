//! Actor-critic on a grid world of one's own, held against the exact answer that its model gives.
//!
//! ```text
//! cargo run --release --example actor_critic_gridworld
//! cargo run --release --example actor_critic_gridworld -- --optimizer "adam(lr=5e-3)"
//! ```

use std::process::ExitCode;

use clap::Parser;
use uphill::algo::Learner;
use uphill::envs::{Env, GridWorld, GridWorldConfig, Lanes, TimeLimit};
use uphill::optim::When;
use uphill::screen::say;
use uphill::words::Spec;
use uphill::{Collector, Config, MlpModel, Result, Seed, cli, oracle};

/// Actor-critic on a grid world of one's own.
#[derive(Parser)]
struct Args {
    /// Optimizer
    #[arg(long, value_name = "SPEC", default_value = "rmsprop(eps=1e-5)")]
    optimizer: Spec,
}

fn main() -> ExitCode {
    cli::run(learn)
}

fn learn(Args { optimizer }: &Args) -> Result<()> {
    // S start, G goal, # wall, O pit. One move in ten slips sideways.
    let map = "S...\n.#.O\n...G";
    let world = GridWorld::new(GridWorldConfig { map: map.into(), slip: 0.1, ..GridWorldConfig::default() })?;

    // The model knows every probability, so it can say how well any policy can do.
    let model = world.model()?;
    let gamma = 0.99;
    let best: f64 = model.optimal_values(gamma)?.iter().zip(model.start()).map(|(v, p)| v * p).sum();
    say(format_args!("{map}\n\nno policy returns more than {best:.4} from the start\n"))?;

    // A2C with its defaults, on eight such worlds, with a linear policy: one-hot cells make it a table.
    let config = Config { gamma, hidden: vec![], lr: 5e-3, optimizer: optimizer.clone(), ..Config::for_algo("a2c")? };
    let mut algo = config.make_algo()?;
    let seed = Seed(config.seed);
    let (params, network) = MlpModel::new(world.spec(), &config.mlp(), seed, &candle_core::Device::Cpu)?;
    let mut collector = Collector::new(Box::new(Lanes::new(vec![TimeLimit::new(world); config.envs])?), seed)?;
    let mut learner = Learner::new(Box::new(network), params, config.make_optimizer()?, seed);

    let updates = 3_000_u64;
    for update in 1..=updates {
        let progress = (update - 1) as f64 / updates as f64;
        let (rollout, _) = collector.collect(&*learner.network, &learner.params, algo.horizon(), true)?;
        algo.update(&mut learner, rollout, When { progress, update }.into())?;

        if update % 300 == 0 {
            // Not sampled: the exact expected return of the present policy.
            let exact = oracle::exact_return(&*learner.network, &learner.params, &model, gamma)?;
            let short = best - exact;
            say(format_args!("update {update:>4}  exact return {exact:>7.4}  short of the best by {short:.4}"))?;
        }
    }
    Ok(())
}
