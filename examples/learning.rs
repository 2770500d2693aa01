//! The table of docs/learning.md: what every algorithm learns with its defaults, over several seeds.
//!
//! ```text
//! cargo run --release --example learning
//! cargo run --release --example learning -- --optimizer "lamb(lr=3e-3)"
//! ```

use std::process::ExitCode;

use clap::Parser;
use uphill::screen::{returns, say};
use uphill::{Config, History, Result, Seed, Trainer, algo, cli};

/// What every algorithm learns with its defaults, over several seeds, as a table.
#[derive(Parser)]
struct Args {
    /// Optimizer of all of them [default: each algorithm's own]
    #[arg(long, value_name = "SPEC")]
    optimizer: Option<String>,
}

const SEEDS: u64 = 20;

/// Tasks, the steps they get, and the return that counts as having learnt them.
const TASKS: [(&str, u64, f64); 2] = [("CartPole-v1", 500_000, 475.0), ("GridWorld-4x4-v0", 150_000, 0.995)];

fn main() -> ExitCode {
    cli::run(learn)
}

fn learn(Args { optimizer }: &Args) -> Result<()> {
    say("| environment | algorithm | steps | training return | evaluation | learnt | solved at step |")?;
    say("|---|---|---|---|---|---|---|")?;
    let mut failures = Vec::new();
    for (env, steps, target) in TASKS {
        for algo in algo::ROWS {
            let (mut training, mut evaluation, mut solved, mut learnt) = (vec![], vec![], vec![], 0);
            for seed in 1..=SEEDS {
                let defaults = match optimizer {
                    Some(optimizer) => Config::new(algo.name, optimizer)?,
                    None => Config::for_algo(algo.name)?,
                };
                let config = Config { env: env.into(), steps, seed, ..defaults };
                let mut trainer = Trainer::new(&config)?;
                while trainer.step()?.is_some() {}
                let history: History = trainer.history().clone();
                training.extend(history.return_mean());
                solved.extend(history.solved_at_step().map(|step| step as f64));
                let eval = trainer.into_policy()?.evaluate(100, Seed(seed))?;
                // Rewards are f32: a sum of them may miss the exact optimum by its rounding.
                let has_learnt = eval.return_mean >= Some(target - 1e-6);
                learnt += u64::from(has_learnt);
                if !has_learnt {
                    failures.push(format!("- {env}, {}, seed {seed}: evaluation {}", algo.name, returns(&eval)));
                }
                evaluation.extend(eval.return_mean);
            }
            let (name, train, eval) = (algo.name, spread(&training), spread(&evaluation));
            let solved = if solved.is_empty() {
                "-".into()
            } else {
                format!("{} ({} of {SEEDS})", spread(&solved), solved.len())
            };
            say(format_args!("| {env} | {name} | {steps} | {train} | {eval} | {learnt} of {SEEDS} | {solved} |"))?;
        }
    }
    say(if failures.is_empty() { "\nEvery seed has learnt its task." } else { "\nWhat has not learnt its task:\n" })?;
    failures.iter().try_for_each(say)
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
