//! Trains for as long as it is told to, the same runs of every optimizer over and over, saving after every update and going
//! on from what was saved; and watches whether memory, file handles or files grow from one lap to the next.
//!
//! ```text
//! cargo run --release --example soak -- --minutes 60
//! ```

mod growth;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use rand::RngExt;
use uphill::envs::counted;
use uphill::optim::Registry;
use uphill::screen::{Bar, say};
use uphill::{Config, Error, Keep, Result, RunFolder, Seed, Trainer, algo, cli};

/// Trains for a while and watches whether memory, file handles or files grow
#[derive(Parser)]
struct Args {
    /// How long
    #[arg(long, default_value_t = 1.0, value_parser = minutes)]
    minutes: f64,
    /// Seed of the choice of runs
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What was seen at one moment.
#[derive(Clone, Copy)]
struct Sample {
    seconds: f64,
    /// Resident memory, bytes.
    memory: usize,
    /// Open files, where the system tells.
    handles: Option<usize>,
}

impl Sample {
    fn take(begun: Instant) -> Self {
        let handles = std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count);
        let memory = memory_stats::memory_stats().map_or(0, |stats| stats.physical_mem);
        Self { seconds: begun.elapsed().as_secs_f64(), memory, handles }
    }
}

/// Updates before a run is broken off, and again before it ends.
const TURN: u64 = 5;

fn main() -> ExitCode {
    cli::run(|args| soak(args).map(|flat| ExitCode::from(u8::from(!flat))))
}

fn minutes(text: &str) -> Result<f64, String> {
    let fits = |minutes: &f64| (0.0..=1e6).contains(minutes);
    text.parse().ok().filter(fits).ok_or_else(|| "expected minutes, such as 60 or 0.5".to_string())
}

fn soak(args: &Args) -> Result<bool> {
    let home = std::env::temp_dir().join(format!("uphill-soak-{}", std::process::id()));
    let (begun, whole) = (Instant::now(), Duration::from_secs_f64(60.0 * args.minutes));
    let (mut laps, mut runs, mut leftovers) = (Vec::new(), 0_u64, 0_usize);
    let bar = Bar::new("", whole.as_secs());

    while begun.elapsed() < whole {
        // Each lap is the same runs, so that whatever memory is more after it than after the one before is a leak.
        let mut rng = Seed(args.seed).stream("soak", 0);
        for recipe in Registry::default().recipes() {
            let config = config(recipe.name, &mut rng)?;
            one(&config, &home)?;
            runs += 1;
            leftovers += hidden(&home);
            std::fs::remove_dir_all(&home).map_err(|source| Error::Io { path: home.clone(), source })?;
            bar.reach(begun.elapsed().as_secs());
        }
        let sample = Sample::take(begun);
        bar.part(&format!("{}  {:.1} MB", counted(laps.len() + 1, "lap"), sample.memory as f64 / 1e6));
        laps.push(sample);
    }
    drop(bar);
    report(&laps, runs, leftovers)
}

/// A run from its beginning to its end, broken off and gone on with on the way, of which nothing is left in memory.
fn one(config: &Config, home: &Path) -> Result<()> {
    let begun = RunFolder::create(home, config, false)?;
    take_turn(begun, Trainer::new(config)?)?;
    let (run, trainer, _) = RunFolder::resume(home, Trainer::new)?;
    let (run, trainer) = take_turn(run, trainer)?;
    run.finish(trainer).map(drop)
}

fn take_turn(run: RunFolder, mut trainer: Trainer) -> Result<(RunFolder, Trainer)> {
    let mut run = run.with_keep(Keep { every: Duration::ZERO, ..Keep::default() });
    for _ in 0..TURN {
        let Some(metrics) = trainer.step()? else { break };
        run.log(&metrics)?;
        run.save(&mut trainer)?;
    }
    Ok((run, trainer))
}

/// A small run with this optimizer, of any kind.
fn config(optimizer: &str, rng: &mut uphill::Rng) -> Result<Config> {
    let algo = algo::ROWS[rng.random_range(0..algo::ROWS.len())].name;
    let env = ["CartPole-v1", "GridWorld-4x4-v0", "FourRooms-v0"][rng.random_range(0..3)];
    let config = Config::new(algo, optimizer)?;
    Ok(Config { env: env.into(), seed: rng.random_range(0..1_000), steps: 60_000, hidden: vec![32, 32], ..config })
}

/// Temporary files that were not cleared away.
fn hidden(run: &Path) -> usize {
    let files =
        [run.to_path_buf(), run.join("checkpoints")].into_iter().flat_map(std::fs::read_dir).flatten().flatten();
    files.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")).count()
}

/// Says what was seen, and whether nothing grew.
fn report(laps: &[Sample], runs: u64, leftovers: usize) -> Result<bool> {
    let seconds = laps.last().map_or(0.0, |last| last.seconds);
    let (count, runs, left) = (counted(laps.len(), "lap"), counted(runs, "run"), counted(leftovers, "file"));
    say(format_args!("{seconds:.0} s: {count} of {runs} together, {left} left over"))?;
    let Some([first, middle, last]) = growth::thirds(&of(laps, |lap| Some(lap.memory as f64 / 1e6))) else {
        say(format_args!("too short to tell: {} laps are needed", growth::LEAST))?;
        return Ok(false);
    };
    say(format_args!("memory   {first:.2}, {middle:.2} and {last:.2} MB: medians of the laps' thirds after warm-up"))?;
    let handles = growth::thirds(&of(laps, |lap| lap.handles.map(|handles| handles as f64)));
    if let Some([first, middle, last]) = handles {
        say(format_args!("handles  {first}, {middle} and {last}"))?;
    }
    let grows =
        growth::grows([first, middle, last]) || handles.is_some_and(|[first, _, last]| last > first) || leftovers > 0;
    say(if grows { "something grows" } else { "flat" })?;
    Ok(!grows)
}

fn of(laps: &[Sample], what: impl Fn(&Sample) -> Option<f64>) -> Vec<f64> {
    laps.iter().filter_map(what).collect()
}
