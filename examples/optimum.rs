//! How near runs come to the best there is: what their policies are exactly worth, against the exact optimum.
//!
//! ```text
//! cargo run --release --example optimum -- examples/worlds/*.toml
//! cargo run --release --example optimum -- examples/worlds/windy.toml --seeds 1
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use uphill::envs::FiniteMdp;
use uphill::rollout::ActionColumn;
use uphill::screen::say;
use uphill::{Catalogue, Config, Error, Mode, Policy, Result, Trainer, cli, oracle};

/// How near runs come to the best there is, as a table: settings whose environment has an exact model and a limit of steps.
#[derive(Parser)]
struct Args {
    /// Runs to repeat, each a file of settings
    #[arg(required = true)]
    configs: Vec<PathBuf>,
    /// Seeds of each
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    seeds: u64,
    /// Seeds from this one on
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// How much less than the optimum still counts as it, as a share of it
    #[arg(long, default_value_t = 1e-6)]
    within: f64,
}

fn main() -> ExitCode {
    cli::run(compare)
}

fn compare(Args { configs, seeds, first_seed, within }: &Args) -> Result<()> {
    say("| environment | steps | optimum | mean of seeds | worst | reached |")?;
    say("|---|---|---|---|---|---|")?;
    for path in configs {
        let config = settings(path)?;
        let unknown = |what: &str| Error::Config(format!("{}: {} has no {what}", path.display(), config.env.id()));
        let mdp = config.model_of_env()?.ok_or_else(|| unknown("exact model"))?;
        let limit = config.make_envs(1)?.spec().max_episode_steps.ok_or_else(|| unknown("limit of steps"))?;
        let optimum = oracle::optimal_return(&config).ok_or_else(|| unknown("optimum that is found in a moment"))?;
        let mut returns = Vec::new();
        for seed in *first_seed..first_seed + seeds {
            let mut trainer = Trainer::new(&Config { seed, ..config.clone() })?;
            while trainer.step()?.is_some() {}
            returns.push(mdp.start_value_within(&likeliest(&trainer.into_policy()?, &mdp)?, limit)?);
        }
        let reached = returns.iter().filter(|&&value| value >= optimum - within * optimum.abs().max(1.0)).count();
        let (mean, worst) =
            (returns.iter().sum::<f64>() / *seeds as f64, returns.iter().copied().fold(f64::INFINITY, f64::min));
        let (env, steps) = (config.env.id(), config.steps);
        say(format_args!("| {env} | {steps} | {optimum:.4} | {mean:.4} | {worst:.4} | {reached} of {seeds} |"))?;
    }
    Ok(())
}

/// The settings of a file, whose environment may be another file beside it.
fn settings(path: &Path) -> Result<Config> {
    let mut table = Config::read_toml(path)?;
    Config::settle_env(&mut table, path.parent().unwrap_or(Path::new("")), &Catalogue::default())?;
    Config::from_table(table)
}

/// The policy that always takes the likeliest action, `[S, A]`.
fn likeliest(policy: &Policy, mdp: &FiniteMdp) -> Result<Vec<f64>> {
    let ActionColumn::Discrete(actions) =
        policy.act(mdp.observations(), &mut policy.memory(mdp.states()), Mode::Likeliest)?
    else {
        return Err(Error::Config("a policy of numbers has no table".into()));
    };
    let row = |action: u32| (0..mdp.actions()).map(move |other| f64::from(u8::from(other == action as usize)));
    Ok(actions.into_iter().flat_map(row).collect())
}
