//! What a run would gain by ranks, up to 1,024 of them: docs/scaling.md.
//!
//! What a rank reckons is measured here, in one process: to a world that answers for all others with what this rank sent, each update
//! costs what it costs the last of so many ranks, but for the wire. What the wire takes is `latency · (ranks - 1) · 2` until all have
//! told the first rank how much they have, and `latency · log2(ranks) + bytes of others / bandwidth` until each has what all have. The
//! slowest of all plays last: for a rollout the expected longest of so many of the times measured is taken.
//!
//! ```text
//! cargo run --release --example rank_model -- --out docs/scaling.png
//! ```

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use clap::Parser;
use uphill::plot::{PictureOptions, ScalingCurve, scaling};
use uphill::screen::say;
use uphill::{Config, Error, Overrides, Result, Trainer, World, cli};

/// What a run would gain by ranks, up to 1,024 of them.
#[derive(Parser)]
struct Args {
    /// Environment that ppo learns
    #[arg(long, default_value = "CartPole-v1")]
    env: String,
    /// Lanes of all ranks
    #[arg(long, default_value_t = 4_096)]
    envs: usize,
    /// Updates that are timed; one before them is not
    #[arg(long, default_value_t = 8)]
    updates: usize,
    /// Numbers of ranks
    #[arg(long, num_args = 1.., default_values_t = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024])]
    ranks: Vec<usize>,
    /// Where the picture goes
    #[arg(long)]
    out: Option<PathBuf>,
}

/// A wire: its name, microseconds that a message takes, and bytes a microsecond.
const WIRES: [(&str, f64, f64); 4] = [
    ("no wire: what ranks reckon", 0.0, f64::INFINITY),
    ("shared memory, as measured: 3 µs, 0.6 GB/s", 3.0, 600.0),
    ("assumed: 2 µs, 100 Gbit/s", 2.0, 12_500.0),
    ("assumed: 30 µs, 10 Gbit/s", 30.0, 1_250.0),
];

/// The last of several ranks, which none has more to do than, and to which the others say what it says.
#[derive(Debug)]
struct Echo {
    ranks: usize,
    /// When each gathering began and ended, and of how many bytes it was.
    gathered: Mutex<Vec<(Instant, Instant, usize)>>,
}

impl World for Echo {
    fn rank(&self) -> usize {
        self.ranks - 1
    }

    fn size(&self) -> usize {
        self.ranks
    }

    fn gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>> {
        let begun = Instant::now();
        let all = vec![own.to_vec(); self.ranks];
        if let Ok(mut gathered) = self.gathered.lock() {
            gathered.push((begun, Instant::now(), own.len()));
        }
        Ok(all)
    }
}

/// An update of a run, in microseconds.
struct Update {
    /// Until the rollout of this rank is there.
    playing: f64,
    /// All else that it reckons.
    learning: f64,
    /// The bytes that it sends each time.
    sent: Vec<usize>,
}

/// Times updates of the last of so many ranks.
fn timed(config: &Config, ranks: usize, updates: usize) -> Result<Vec<Update>> {
    let world = Arc::new(Echo { ranks, gathered: Mutex::default() });
    let mut trainer = Trainer::with(config, Overrides { world: Some(world.clone()), ..Overrides::default() })?;
    trainer.step()?;
    let micros = |from: Instant, to: Instant| to.duration_since(from).as_secs_f64() * 1e6;
    let mut times = Vec::with_capacity(updates);
    for _ in 0..updates {
        if let Ok(mut gathered) = world.gathered.lock() {
            gathered.clear();
        }
        let begun = Instant::now();
        trainer.step()?;
        let whole = micros(begun, Instant::now());
        let gathered = world.gathered.lock().map(|gathered| gathered.clone()).unwrap_or_default();
        let playing = gathered.first().map_or(0.0, |&(first, ..)| micros(begun, first));
        let answering: f64 = gathered.iter().map(|&(from, to, _)| micros(from, to)).sum();
        let sent = gathered.into_iter().map(|(.., bytes)| bytes).collect();
        times.push(Update { playing, learning: whole - playing - answering, sent });
    }
    Ok(times)
}

/// The expected longest of so many draws from some times.
fn longest_of(times: &mut [f64], ranks: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    let (n, ranks) = (times.len() as f64, ranks as f64);
    let below = |i: usize| (i as f64 / n).powf(ranks);
    times.iter().enumerate().map(|(i, time)| time * (below(i + 1) - below(i))).sum()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Microseconds on a wire in an update.
fn on_wire(sent: &[usize], ranks: usize, (latency, bandwidth): (f64, f64)) -> f64 {
    let others = (ranks - 1) as f64;
    let one = |&bytes: &usize| latency * (2.0 * others + (ranks as f64).log2()) + others * bytes as f64 / bandwidth;
    sent.iter().map(one).sum()
}

fn main() -> ExitCode {
    cli::run(model)
}

fn model(args: &Args) -> Result<()> {
    let config = Config { envs: args.envs, threads: 1, steps: 1_000_000_000_000, ..Config::for_algo("ppo")? };
    let config = config.in_env(&args.env)?;
    if let Some(ranks) = args.ranks.iter().find(|&&ranks| ranks == 0 || !args.envs.is_multiple_of(ranks)) {
        return Err(Error::Config(format!("--ranks {ranks}: {} lanes are not as many for each of them", args.envs)));
    }
    say(format_args!(
        "| ranks | playing, ms | the slowest of all, ms | the rest, ms | sent by each, kB | {} |",
        names()
    ))?;
    say(format_args!("|---|---|---|---|---|{}", "---|".repeat(WIRES.len())))?;
    let mut alone = None;
    let mut curves = vec![Vec::new(); WIRES.len()];
    for &ranks in &args.ranks {
        let updates = timed(&config, ranks, args.updates.max(1))?;
        let mut playing: Vec<f64> = updates.iter().map(|update| update.playing).collect();
        let learning = median(updates.iter().map(|update| update.learning).collect());
        let (own, slowest) = (median(playing.clone()), longest_of(&mut playing, ranks));
        let sent = &updates[0].sent;
        let whole = |wire| slowest + learning + on_wire(sent, ranks, wire);
        let alone = *alone.get_or_insert(own + learning);
        let gains: Vec<f64> =
            WIRES.iter().map(|&(_, latency, bandwidth)| alone / whole((latency, bandwidth))).collect();
        curves.iter_mut().zip(&gains).for_each(|(curve, &gain)| curve.push((ranks as f64, gain)));
        let gains: Vec<String> = gains.iter().map(|gain| format!("{gain:.2}")).collect();
        let kilobytes = sent.iter().sum::<usize>() as f64 / 1e3;
        let [own, slowest, learning] = [own, slowest, learning].map(|micros| micros / 1e3);
        say(format_args!(
            "| {ranks} | {own:.2} | {slowest:.2} | {learning:.2} | {kilobytes:.0} | {} |",
            gains.join(" | ")
        ))?;
    }
    let Some(out) = &args.out else { return Ok(()) };
    let for_nothing = (args.ranks.iter().map(|&ranks| (ranks as f64, ranks as f64)).collect(), "ranks for nothing");
    let named = WIRES.iter().zip(curves).map(|((name, ..), curve)| (curve, *name)).chain([for_nothing]);
    let curves: Vec<ScalingCurve> = named.map(|(points, label)| ScalingCurve { label: label.into(), points }).collect();
    let options = PictureOptions::new(
        format!("ppo on {}, {} lanes in all, one thread a rank", args.env, args.envs),
        1,
        format!("medians of {} updates", args.updates),
    );
    scaling("What ranks gain", &curves, ("ranks", "times as fast as one"), &options)?.save(out)?;
    say(format_args!("{}", out.display()))
}

fn names() -> String {
    WIRES.map(|(name, ..)| name.to_string()).join(" | ")
}
