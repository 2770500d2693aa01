//! The table of docs/learning.md: what every algorithm learns with its defaults, over several seeds.
//!
//! ```text
//! cargo run --release --example learning
//! cargo run --release --example learning -- --optimizer "lamb(lr=3e-3)"
//! cargo run --release --example learning -- configs/*.toml --seeds 10      # runs of one's own, over as many seeds
//! cargo run --release --example learning -- configs/*.toml --runs runs/learning    # kept there: broken off, it goes on
//! cargo run --release --example learning -- --published --seeds 10    # classic control, beside what others publish
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clap::Parser;
use uphill::screen::{Bar, returns, say, tell};
use uphill::stats::{Bootstrap, Interval, Scores, mean};
use uphill::{Config, Error, Evaluation, History, Metrics, Result, RunFolder, Seed, Trainer, algo, cli};

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
    #[arg(long, value_name = "SPEC", conflicts_with_all = ["configs", "published"])]
    optimizer: Option<String>,
    /// Four algorithms on five tasks of classic control, those of configs/, beside published figures
    #[arg(long, conflicts_with = "configs")]
    published: bool,
    /// Keep each run in a folder of its own in this one, and take from there what an earlier call has done
    #[arg(long, value_name = "FOLDER", conflicts_with = "optimizer")]
    runs: Option<PathBuf>,
    /// Seeds that learn side by side, each on one thread; it changes no result
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    jobs: u64,
}

/// A run of several seeds, and the return that counts as having learnt it.
struct Task {
    config: Config,
    target: f64,
    /// What others publish, and who.
    published: &'static [(f64, &'static str)],
    /// Where its runs are kept, without the seed.
    kept: Option<PathBuf>,
}

/// What a seed came to.
struct Outcome {
    history: History,
    eval: Evaluation,
    steps_per_second: f64,
}

/// Tasks, the steps they get, and the return that counts as having learnt them.
const TASKS: [(&str, u64, f64); 2] = [("CartPole-v1", 500_000, 475.0), ("GridWorld-4x4-v0", 150_000, 0.995)];
/// Returns that count as having learnt where an environment says none, or another one: what others publish, and of the last
/// four the best there is, of a taxi half a step less.
const TARGETS: [(&str, f64); 13] = [
    ("Pendulum-v1", -175.0),
    ("Acrobot-v1", -85.0),
    ("dm_control/cartpole-balance-v0", 790.36),
    ("dm_control/cartpole-swingup-v0", 590.21),
    ("dm_control/pendulum-swingup-v0", 472.19),
    ("MinAtar/Asterix-v1", 15.0),
    ("MinAtar/Breakout-v1", 50.1),
    ("MinAtar/Freeway-v1", 61.8),
    ("MinAtar/SpaceInvaders-v1", 167.1),
    ("TMaze-v0", 4.0),
    ("MemoryChain-v0", 1.0),
    ("RepeatPrevious-v0", 1.0),
    ("Taxi-v3", 7.4),
];

/// Stable-Baselines3's zoo, one run each: <https://github.com/DLR-RM/rl-baselines3-zoo/blob/master/benchmark.md>.
const ZOO: &str = "SB3 zoo";
/// SLM-Lab: <https://github.com/kengz/SLM-Lab/blob/master/docs/BENCHMARKS.md>.
const SLM: &str = "SLM-Lab";
/// The files of configs/ that stand beside a published figure, or beside the other algorithms on the same task.
const PUBLISHED: [(&str, &[(f64, &str)]); 20] = [
    ("cartpole-reinforce", &[(483.3, SLM)]),
    ("cartpole-a2c", &[(500.0, ZOO), (496.7, SLM)]),
    ("cartpole-ppo", &[(500.0, ZOO), (498.9, SLM)]),
    ("cartpole-trpo", &[(500.0, ZOO)]),
    ("acrobot-reinforce", &[]),
    ("acrobot-a2c", &[(-83.4, ZOO), (-84.0, SLM)]),
    ("acrobot-ppo", &[(-73.5, ZOO), (-81.3, SLM)]),
    ("acrobot-trpo", &[(-83.1, ZOO)]),
    ("mountaincar-reinforce", &[]),
    ("mountaincar-a2c", &[(-111.3, ZOO)]),
    ("mountaincar-ppo", &[(-110.4, ZOO)]),
    ("mountaincar-trpo", &[(-107.3, ZOO)]),
    ("mountaincar-continuous-reinforce", &[]),
    ("mountaincar-continuous-a2c", &[(91.2, ZOO)]),
    ("mountaincar-continuous-ppo", &[(88.3, ZOO)]),
    ("mountaincar-continuous-trpo", &[(92.5, ZOO)]),
    ("pendulum-reinforce", &[]),
    ("pendulum-a2c", &[(-163.0, ZOO)]),
    ("pendulum-ppo", &[(-172.2, ZOO)]),
    ("pendulum-trpo", &[(-174.6, ZOO)]),
];

fn main() -> ExitCode {
    cli::run(learn)
}

fn learn(args: &Args) -> Result<()> {
    let tasks = tasks(args)?;
    let columns =
        "environment | algorithm | steps | training return | evaluation | its mean, 95% | learnt | solved at step";
    let beside = if args.published { " published |" } else { "" };
    say(format_args!("| {columns} | steps/s |{beside}"))?;
    say(format_args!("|---|---|---|---|---|---|---|---|---|{}", if args.published { "---|" } else { "" }))?;
    let (mut failures, seeds) = (Vec::new(), args.seeds);
    for Task { config, target, published, kept } in &tasks {
        let (env, name, steps) = (&config.env, &config.algo.name, config.steps);
        let (mut training, mut evaluation, mut solved, mut rates, mut learnt) = (vec![], vec![], vec![], vec![], 0);
        for (seed, outcome) in (args.first_seed..).zip(outcomes(config, kept.as_deref(), args)?) {
            let Outcome { history, eval, steps_per_second } = outcome;
            rates.push(steps_per_second);
            training.extend(history.return_mean());
            solved.extend(history.solved_at_step().map(|step| step as f64));
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
        let rate = median(&mut rates);
        let figures: Vec<String> = published.iter().map(|(figure, source)| format!("{figure} ({source})")).collect();
        let beside = match figures.join(", ") {
            _ if !args.published => String::new(),
            none if none.is_empty() => " - |".into(),
            figures => format!(" {figures} |"),
        };
        say(format_args!(
            "| {env} | {name} | {steps} | {train} | {eval} | {mean} | {learnt} of {seeds} | {solved} | {rate:.0} |{beside}"
        ))?;
    }
    say(if failures.is_empty() { "\nEvery seed has learnt its task." } else { "\nWhat has not learnt its task:\n" })?;
    failures.iter().try_for_each(say)
}

/// What each seed comes to, as many at once as are asked for.
fn outcomes(config: &Config, kept: Option<&Path>, args: &Args) -> Result<Vec<Outcome>> {
    let &Args { seeds, first_seed, jobs, .. } = args;
    let bar = Bar::new(&config.env.shown(), seeds * config.steps);
    let next = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let work = || {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let i = next.fetch_add(1, Ordering::Relaxed);
            if i >= seeds {
                break;
            }
            let threads = if jobs > 1 { 1 } else { config.threads };
            let config = Config { seed: first_seed + i, threads, ..config.clone() };
            let outcome = match kept {
                Some(path) => kept_run(&config, path, &bar),
                None => run(&config, &bar),
            };
            failed.fetch_or(outcome.is_err(), Ordering::Relaxed);
            done.push((i, outcome));
        }
        done
    };
    let mut done: Vec<(u64, Result<Outcome>)> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..jobs.min(seeds)).map(|_| scope.spawn(work)).collect();
        let mine = work();
        others.into_iter().flat_map(|other| other.join().expect("a thread that does not panic")).chain(mine).collect()
    });
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

/// A run from its start to its end.
fn run(config: &Config, bar: &Bar) -> Result<Outcome> {
    let mut trainer = Trainer::new(config)?;
    while step(&mut trainer, bar)?.is_some() {}
    let seed = Seed(config.seed);
    outcome(trainer, |trainer| trainer.into_policy()?.evaluate(100, seed))
}

/// A run whose folder is kept: as far as it is there it is not done again.
fn kept_run(config: &Config, path: &Path, bar: &Bar) -> Result<Outcome> {
    let path = PathBuf::from(format!("{}-s{}", path.display(), config.seed));
    let (mut run, mut trainer) = if path.join("config.toml").exists() {
        let (run, trainer, notes) = RunFolder::resume(&path, Trainer::new)?;
        notes.iter().for_each(tell);
        (run, trainer)
    } else {
        (RunFolder::create(&path, config, false)?, Trainer::new(config)?)
    };
    // The number of threads changes no result.
    let settings = |config: &Config| Config { threads: 0, ..config.clone() }.to_toml();
    if settings(trainer.config())? != settings(config)? {
        let problem = "this is a run of other settings: give --runs another folder, or remove this one";
        return Err(Error::File { path, problem: problem.into() });
    }
    bar.inc(trainer.env_steps());
    if run.is_finished(&trainer) {
        return outcome(trainer, |trainer| trainer.into_policy()?.evaluate(100, Seed(config.seed)));
    }
    while let Some(metrics) = step(&mut trainer, bar)? {
        run.log(&metrics)?;
        run.save_if_due(&mut trainer)?;
    }
    run.save(&mut trainer)?;
    outcome(trainer, |trainer| Ok(run.finish(trainer)?.eval))
}

/// An update, of which the bar hears.
fn step(trainer: &mut Trainer, bar: &Bar) -> Result<Option<Metrics>> {
    let before = trainer.env_steps();
    let metrics = trainer.step()?;
    bar.inc(trainer.env_steps() - before);
    Ok(metrics)
}

/// What a trainer that has come to its end has learnt, judged by 100 episodes.
fn outcome(trainer: Trainer, judge: impl FnOnce(Trainer) -> Result<Evaluation>) -> Result<Outcome> {
    let (history, steps_per_second) = (trainer.history().clone(), trainer.env_steps() as f64 / trainer.wall_seconds());
    Ok(Outcome { history, steps_per_second, eval: judge(trainer)? })
}

/// What is trained.
fn tasks(Args { configs, optimizer, runs, published, .. }: &Args) -> Result<Vec<Task>> {
    if configs.is_empty() && !published {
        let defaults = |algo: &str| match optimizer {
            Some(optimizer) => Config::new(algo, optimizer),
            None => Config::for_algo(algo),
        };
        let tasks = TASKS.iter().flat_map(|task| algo::ROWS.iter().map(move |row| (task, row.name)));
        let run = |(&(env, steps, target), algo): (&(&str, u64, f64), &str)| {
            let config = Config { env: env.into(), steps, ..defaults(algo)? };
            let kept = runs.as_ref().map(|runs| runs.join(format!("{env}-{algo}")));
            Ok(Task { config, target, published: &[], kept })
        };
        return tasks.map(run).collect();
    }
    let run = |(path, published): (PathBuf, _)| {
        let path = &path;
        let config = Config::from_table(Config::read_toml(path)?)?;
        let spec = config.make_envs(1)?.spec().clone();
        let known = TARGETS.iter().find(|(env, _)| *env == spec.id).map(|(_, target)| *target);
        let unknown = || Error::Config(format!("{}: {} has no return at which it is solved", path.display(), spec.id));
        let target = known.or(spec.reward_threshold).ok_or_else(unknown)?;
        let kept = runs.as_ref().map(|runs| runs.join(path.file_stem().unwrap_or_default()));
        Ok(Task { config, target, published, kept })
    };
    if *published {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
        return PUBLISHED.iter().map(|(name, figure)| run((folder.join(format!("{name}.toml")), *figure))).collect();
    }
    configs.iter().map(|path| run((path.clone(), &[]))).collect()
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

/// The middle one of at least one, the upper of two.
fn median(x: &mut [f64]) -> f64 {
    x.sort_by(f64::total_cmp);
    x[x.len() / 2]
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
