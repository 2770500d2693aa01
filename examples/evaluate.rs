//! Loads what `train` left in a folder, prints the policy's returns, and shows it at work.
//!
//! ```text
//! cargo run --release --example evaluate -- runs/CartPole-v1-ppo-adam-s1
//! cargo run --release --example evaluate -- runs/CartPole-v1-ppo-adam-s1 --best
//! cargo run --release --example evaluate -- runs/CartPole-v1-ppo-adam-s1 --watch
//! cargo run --release --example evaluate -- runs/CartPole-v1-ppo-adam-s1 --gif cartpole.gif
//! ```

mod one_line;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use uphill::envs::{self, Action, Drawing, Env, GridWorld, TimeLimit};
use uphill::{Error, Policy, Seed, render};

/// Loads a run's policy, prints its returns, and shows it at work.
#[derive(Parser)]
struct Args {
    /// The folder of the run
    run: PathBuf,
    /// Load the best policy of the run, not the one it ended with
    #[arg(long)]
    best: bool,
    /// Whole episodes to judge the policy by, always taking its likeliest action
    #[arg(long, default_value_t = 100)]
    episodes: usize,
    /// Seed of the episodes' starts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Show one episode in the terminal
    #[arg(long)]
    watch: bool,
    /// Write one episode as an animated GIF
    #[arg(long, value_name = "FILE")]
    gif: Option<PathBuf>,
    /// Steps of the episode to show at most
    #[arg(long, default_value_t = 500)]
    max_steps: usize,
    /// Frames a second
    #[arg(long, default_value_t = 25)]
    fps: u32,
}

fn main() -> ExitCode {
    match evaluate(&one_line::parse::<Args>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

fn evaluate(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let mut policy = if args.best { Policy::load_best(&args.run) } else { Policy::load(&args.run) }?;
    let result = policy.evaluate(args.episodes, Seed(args.seed))?;
    let (run, episodes) = (args.run.display(), args.episodes);
    match (result.return_mean, result.return_std, result.return_min) {
        (Some(mean), Some(std), Some(min)) => {
            println!("{run}: return {mean:.2} ± {std:.2}, lowest {min:.2}, over {episodes} episodes");
        }
        _ => println!("{run}: return {}", result.unknown().unwrap_or_default()),
    }

    if !args.watch && args.gif.is_none() {
        return Ok(());
    }
    let frames = episode(&mut policy, args)?;
    if args.watch {
        for frame in &frames {
            // Up to the top left corner, then the frame over the last one.
            print!("\x1b[2J\x1b[H{}", render::to_terminal(frame, 80, 24)?);
            std::thread::sleep(Duration::from_secs_f64(1.0 / f64::from(args.fps.max(1))));
        }
    }
    if let Some(path) = &args.gif {
        render::write_gif(&frames, args.fps, 600, path)?;
        println!("{} frames in {}", frames.len(), path.display());
    }
    Ok(())
}

/// The pictures of one episode.
fn episode(policy: &mut Policy, args: &Args) -> Result<Vec<Drawing>, Error> {
    let config = policy.config();
    let mut env: Box<dyn Env> = match &config.gridworld {
        Some(grid) => Box::new(TimeLimit::new(GridWorld::new(grid.clone())?)),
        None => envs::make(&config.env)?,
    };
    let mut observation = vec![0.0; env.spec().observation_len()];
    env.reset(Some(args.seed), &mut observation)?;
    let mut frames: Vec<Drawing> = env.draw().into_iter().collect();
    if frames.is_empty() {
        return Err(Error::Config(format!("{} has no picture to show", env.spec().id)));
    }
    for _ in 0..args.max_steps {
        let action = policy.act(&observation)?[0];
        let step = env.step(Action::Discrete(action), &mut observation)?;
        frames.extend(env.draw());
        if step.end.ended() {
            break;
        }
    }
    Ok(frames)
}
