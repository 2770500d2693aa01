//! Loads what `train` left in a folder, prints the policy's returns, and shows it at work.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgGroup, ArgMatches, Command, CommandFactory, Parser};

use super::chosen::Chosen;
use super::interrupt::{is_interrupted, on_interrupt};
use super::read;
use crate::envs::{Drawing, counted};
use crate::render::{self, Episode, Play, RenderError};
use crate::screen::{self, PatientBar, returns, say};
use crate::{Catalogue, Error, Mode, Policy, Result, Seed, destination};

/// Loads a run's policy, prints its returns, and shows it at work.
#[derive(Parser)]
#[command(group = ArgGroup::new("shown").multiple(true))]
struct Args {
    #[command(flatten)]
    chosen: Chosen,
    /// Whole episodes to judge the policy by, always taking its likeliest action
    #[arg(long, default_value_t = 100)]
    episodes: usize,
    /// Draw actions from the policy's distribution, as training does, instead of the likeliest
    #[arg(long)]
    sampled: bool,
    /// Seed of the episodes' starts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Show one episode in the terminal
    #[arg(long, group = "shown")]
    watch: bool,
    /// Write one episode as an animated GIF
    #[arg(long, value_name = "FILE", group = "shown")]
    gif: Option<PathBuf>,
    /// Write one episode as an animated PNG, whose colours are exact
    #[arg(long, value_name = "FILE", group = "shown")]
    apng: Option<PathBuf>,
    /// Steps of the episode to show at most
    #[arg(long, requires = "shown", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    max_steps: u32,
    /// Frames a second
    #[arg(long, requires = "shown", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..))]
    fps: u32,
}

/// Pixels of the longer side of an animation.
const SIDE: u32 = 600;

impl Args {
    /// The files that are asked for, and what their names may end in.
    fn files(&self) -> impl Iterator<Item = (&PathBuf, &'static [&'static str])> {
        let gif = self.gif.iter().map(|path| (path, &["gif"][..]));
        gif.chain(self.apng.iter().map(|path| (path, &["png", "apng"][..])))
    }

    /// Whether an episode is to be seen.
    fn shows(&self) -> bool {
        self.watch || self.files().next().is_some()
    }
}

pub(super) fn command(_: &Catalogue) -> Command {
    Args::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    evaluate(&read(args)?, catalogue).map(|()| ExitCode::SUCCESS)
}

fn evaluate(args: &Args, catalogue: &Catalogue) -> Result<()> {
    let (mut policy, which) = args.chosen.load(catalogue)?;
    check(&policy, args)?;
    on_interrupt(None)?;
    policy.stop_when(is_interrupted);
    let seed = Seed(args.seed);
    let mut rng = seed.stream("evaluation_actions", 0);
    let mode = if args.sampled { Mode::Sampled(&mut rng) } else { Mode::Likeliest };
    let mut bar = PatientBar::new("judging the policy");
    let result = policy.evaluate_telling(args.episodes, seed, mode, &mut |done, length| bar.reach(done, length))?;
    drop(bar);
    let frames = match args.shows() {
        true => Episode::play(&mut policy, seed, args.max_steps, args.sampled, unless_interrupted)?.frames,
        false => Vec::new(),
    };
    // The file before the words, which may find nobody to read them.
    if let Some(path) = &args.gif {
        render::write_gif(&frames, args.fps, SIDE, path)?;
    }
    if let Some(path) = &args.apng {
        render::write_apng(&frames, args.fps, SIDE, path)?;
    }
    say(format_args!("{}{which}: return {}", screen::path(&args.chosen.run), returns(&result)))?;
    if args.watch {
        watch(&frames, args.fps)?;
    }
    args.files()
        .try_for_each(|(path, _)| say(format_args!("{} in {}", counted(frames.len(), "frame"), screen::path(path))))
}

/// What would fail after the episodes are played.
fn check(policy: &Policy, args: &Args) -> Result<()> {
    if !args.shows() {
        return Ok(());
    }
    for (path, endings) in args.files() {
        destination::check(path, endings)?;
        if !(1..=50).contains(&args.fps) {
            return Err(RenderError::FrameRate { fps: args.fps }.into());
        }
    }
    Play::begin(policy, Seed(args.seed), false)?.picture().map(drop)
}

/// Shows the pictures one over the other, as large as the terminal is.
fn watch(frames: &[Drawing], fps: u32) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for frame in frames {
        unless_interrupted()?;
        // Asked for each of them: the window may change. The last line is the cursor's.
        let (rows, columns) = terminal::Term::stdout().size_checked().unwrap_or((25, 80));
        let picture =
            render::to_terminal(frame, columns.clamp(1, 1000).into(), rows.saturating_sub(1).clamp(1, 1000).into())?;
        // Up to the top left corner, then the frame over the last one. A window that has just become narrower cuts its lines off
        // and does not wrap them.
        write!(out, "\x1b[?7l\x1b[2J\x1b[H{picture}\x1b[?7h").and_then(|()| out.flush()).map_err(Error::Output)?;
        std::thread::sleep(Duration::from_secs_f64(1.0 / f64::from(fps)));
    }
    Ok(())
}

fn unless_interrupted() -> Result<()> {
    if is_interrupted() { Err(Error::Interrupted) } else { Ok(()) }
}
