//! The table of docs/learning.md: what every algorithm learns with its defaults, over several seeds.
//!
//! ```text
//! cargo run --release --example learning
//! cargo run --release --example learning -- --optimizer "lamb(lr=3e-3)"
//! cargo run --release --example learning -- configs/*.toml --seeds 10      # runs of one's own, over as many seeds
//! ```

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use uphill::screen::{returns, say};
use uphill::stats::{Bootstrap, Interval, Scores, mean};
use uphill::{Config, Error, History, Result, Seed, Trainer, algo, cli};

/// What every algorithm learns with its defaults, or what runs of one's own learn, over several seeds, as a table.
#[derive(Parser)]
struct Args {
    /// Runs to repeat, each a config.toml [default: every algorithm on two tasks]
    configs: Vec<PathBuf>,
    /// Seeds of each, from 1 on
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    seeds: u64,
    /// Seeds from this one on
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Optimizer of all of them [default: each algorithm's own]
    #[arg(long, value_name = "SPEC", conflicts_with = "configs")]
    optimizer: Option<String>,
}

/// Tasks, the steps they get, and the return that counts as having learnt them.
const TASKS: [(&str, u64, f64); 2] = [("CartPole-v1", 500_000, 475.0), ("GridWorld-4x4-v0", 150_000, 0.995)];
/// Returns that count as having learnt where an environment says none, or another one: what others publish, and of the last
/// four the best there is, of a taxi half a step less.
const TARGETS: [(&str, f64); 13] = [
    ("Pendulum-v1", -175.0),
    ("Acrobot-v1", -85.0),
    ("dm_control/cartpole-balance-v0", 855.47),
    ("dm_control/cartpole-swingup-v0", 640.86),
    ("dm_control/pendulum-swingup-v0", 242.81),
    ("MinAtar/Asterix-v1", 15.0),
    ("MinAtar/Breakout-v1", 50.1),
    ("MinAtar/Freeway-v1", 61.8),
    ("MinAtar/SpaceInvaders-v1", 167.1),
    ("TMaze-v0", 4.0),
    ("MemoryChain-v0", 1.0),
    ("RepeatPrevious-v0", 1.0),
    ("Taxi-v3", 7.4),
];

fn main() -> ExitCode {
    cli::run(learn)
}

fn learn(args: &Args) -> Result<()> {
    let runs = runs(args)?;
    say(
        "| environment | algorithm | steps | training return | evaluation | its mean, 95% | learnt | solved at step |",
    )?;
    say("|---|---|---|---|---|---|---|---|")?;
    let (mut failures, seeds) = (Vec::new(), args.seeds);
    for (config, target) in &runs {
        let (env, name, steps) = (&config.env, &config.algo.name, config.steps);
        let (mut training, mut evaluation, mut solved, mut learnt) = (vec![], vec![], vec![], 0);
        for seed in args.first_seed..args.first_seed + seeds {
            let mut trainer = Trainer::new(&Config { seed, ..config.clone() })?;
            while trainer.step()?.is_some() {}
            let history: History = trainer.history().clone();
            training.extend(history.return_mean());
            solved.extend(history.solved_at_step().map(|step| step as f64));
            let eval = trainer.into_policy()?.evaluate(100, Seed(seed))?;
            // Rewards are f32: a sum of them may miss the exact optimum by its rounding.
            let has_learnt = eval.return_mean >= Some(target - 1e-6);
            learnt += u64::from(has_learnt);
            if !has_learnt {
                failures.push(format!("- {env}, {name}, seed {seed}: evaluation {}", returns(&eval)));
            }
            evaluation.extend(eval.return_mean);
        }
        let (train, eval, mean) = (spread(&training), spread(&evaluation), interval(&evaluation)?);
        let solved =
            if solved.is_empty() { "-".into() } else { format!("{} ({} of {seeds})", spread(&solved), solved.len()) };
        say(format_args!("| {env} | {name} | {steps} | {train} | {eval} | {mean} | {learnt} of {seeds} | {solved} |"))?;
    }
    say(if failures.is_empty() { "\nEvery seed has learnt its task." } else { "\nWhat has not learnt its task:\n" })?;
    failures.iter().try_for_each(say)
}

/// What is trained, and the return that counts as having learnt it.
fn runs(Args { configs, optimizer, .. }: &Args) -> Result<Vec<(Config, f64)>> {
    if configs.is_empty() {
        let defaults = |algo: &str| match optimizer {
            Some(optimizer) => Config::new(algo, optimizer),
            None => Config::for_algo(algo),
        };
        let tasks = TASKS.iter().flat_map(|task| algo::ROWS.iter().map(move |row| (task, row.name)));
        let run = |(&(env, steps, target), algo): (&(&str, u64, f64), &str)| {
            Ok((Config { env: env.into(), steps, ..defaults(algo)? }, target))
        };
        return tasks.map(run).collect();
    }
    let run = |path: &PathBuf| {
        let config = Config::from_table(Config::read_toml(path)?)?;
        let spec = config.make_envs(1)?.spec().clone();
        let known = TARGETS.iter().find(|(env, _)| *env == spec.id).map(|(_, target)| *target);
        let unknown = || Error::Config(format!("{}: {} has no return at which it is solved", path.display(), spec.id));
        let target = known.or(spec.reward_threshold).ok_or_else(unknown)?;
        Ok((config, target))
    };
    configs.iter().map(run).collect()
}

/// Where the mean over all seeds there could be lies; unknown of an evaluation that was cut off.
fn interval(evaluation: &[f64]) -> Result<String> {
    if evaluation.is_empty() {
        return Ok("-".into());
    }
    let bootstrap = Bootstrap { reps: 10_000, ..Bootstrap::default() };
    let Interval { low, high, .. } = bootstrap.interval(&Scores::of_one_task(evaluation)?, mean)?;
    let digits = if high.abs() < 10.0 { 4 } else { 2 };
    Ok(format!("{low:.digits$} to {high:.digits$}"))
}

/// Mean and sample standard deviation over seeds.
fn spread(x: &[f64]) -> String {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let digits = match mean.abs() {
        1_000.0.. => 0,
        10.0.. => 2,
        _ => 4,
    };
    format!("{mean:.digits$} ± {:.digits$}", variance.sqrt())
}
