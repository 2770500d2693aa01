//! A folder to be shared on the Hugging Face Hub: the policy, what it returns, and a page about it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, Parser};
use serde::Deserialize;
use serde_json::json;

use super::interrupt::{is_interrupted, on_interrupt};
use super::read;
use crate::evaluation::Evaluation;
use crate::render::{self, Episode};
use crate::screen::{self, PatientBar, returns, say, tell};
use crate::{Catalogue, Config, Error, Policy, Result, Seed, own_folder, whole_file};

/// Makes a folder to share a run's policy on the Hugging Face Hub: its files, what it returns, and a model card. Nothing is uploaded:
/// `hf upload NAME FOLDER` does that.
#[derive(Parser)]
struct Args {
    /// The folder of the run
    run: PathBuf,
    /// The folder to make; RUN/card by default
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Whole episodes to judge the policy by, always taking its likeliest action
    #[arg(long, default_value_t = 100)]
    episodes: usize,
    /// Seed of the episodes' starts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What a licence is called there, such as mit or apache-2.0
    #[arg(long, value_name = "NAME")]
    license: Option<String>,
}

/// Steps of the episode that is shown, and its frames a second.
const SHOWN: (u32, u32) = (500, 25);

pub(super) fn command(_: &Catalogue) -> Command {
    Args::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    card(&read(args)?, catalogue).map(|()| ExitCode::SUCCESS)
}

fn card(args: &Args, catalogue: &Catalogue) -> Result<()> {
    let mut policy = Policy::load_with(&args.run, catalogue)?;
    let folder = args.out.clone().unwrap_or_else(|| args.run.join("card"));
    check(&folder)?;
    let trained = Trained::of(&args.run)?;
    on_interrupt(None)?;
    policy.stop_when(is_interrupted);
    let mut bar = PatientBar::new("judging the policy");
    let (mode, seed) = (crate::Mode::Likeliest, Seed(args.seed));
    let result = policy.evaluate_telling(args.episodes, seed, mode, &mut |done, length| bar.reach(done, length))?;
    drop(bar);
    if let Some(problem) = result.unknown() {
        return Err(Error::Config(format!("the card's mean return is {problem}")));
    }
    let unless_interrupted = || if is_interrupted() { Err(Error::Interrupted) } else { Ok(()) };
    let frames = Episode::play(&mut policy, seed, SHOWN.0, false, unless_interrupted)?.frames;
    own_folder::make(&folder)?;
    // The page last: a folder without one is not whole.
    if frames.is_empty() {
        tell(format_args!("{} has no picture to show: there is no replay.gif", policy.config().env.shown()));
    } else {
        render::write_gif(&frames, SHOWN.1, 600, folder.join("replay.gif"))?;
    }
    for (name, must) in [("policy.safetensors", true), ("config.toml", true), ("reward.png", false)] {
        let from = args.run.join(name);
        if must || from.is_file() {
            let bytes = fs::read(&from).map_err(Error::io(&from))?;
            write(&folder, name, &bytes)?;
        }
    }
    let config = policy.config();
    let numbers = json!({
        "env_id": config.env.shown(),
        "mean_reward": result.return_mean,
        "std_reward": result.return_std,
        "min_reward": result.return_min,
        "is_deterministic": true,
        "n_eval_episodes": result.episodes,
        "eval_seed": args.seed,
        "n_envs": config.envs,
        "total_timesteps": trained.as_ref().map(|trained| trained.env_steps),
        "library": concat!("uphill ", env!("CARGO_PKG_VERSION")),
    });
    write(&folder, "results.json", format!("{numbers:#}\n").as_bytes())?;
    write(&folder, "README.md", page(config, &result, (args, trained.as_ref()), &folder)?.as_bytes())?;
    let path = screen::path(&folder);
    say(format_args!("{path}: return {}; `hf upload NAME {path}` shares it", returns(&result)))
}

/// What the run's summary says of its training; a policy that was imported has none.
#[derive(Deserialize)]
struct Trained {
    env_steps: u64,
    version: String,
    finished: bool,
}

impl Trained {
    fn of(run: &Path) -> Result<Option<Self>> {
        let path = run.join("summary.json");
        if !path.exists() {
            return Ok(None);
        }
        let bytes = fs::read(&path).map_err(Error::io(&path))?;
        let problem = |e: serde_json::Error| Error::File { path: path.clone(), problem: e.to_string() };
        serde_json::from_slice(&bytes).map(Some).map_err(problem)
    }
}

/// Refuses a folder that has something in it.
fn check(folder: &Path) -> Result<()> {
    match own_folder::contents(folder) {
        Ok(there) if !there.is_empty() => {
            let problem = "this folder has something in it: give --out one that is new or empty".into();
            Err(Error::File { path: folder.into(), problem })
        }
        _ => Ok(()),
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = folder.join(name);
    whole_file::write(&path, bytes).map_err(Error::io(&path))
}

/// The model card.
///
/// Source: <https://huggingface.co/docs/hub/model-cards#model-card-metadata>; the index is that of
/// <https://github.com/huggingface/huggingface_sb3>.
fn page(
    config: &Config,
    result: &Evaluation,
    (args, trained): (&Args, Option<&Trained>),
    folder: &Path,
) -> Result<String> {
    let (env, algo) = (config.env.shown(), config.algo.name.clone());
    let [mean, std] = [result.return_mean, result.return_std].map(Option::unwrap_or_default);
    // JSON is YAML, too, whatever stands in a name.
    let quoted = |text: &str| json!(text).to_string();
    let licence = args.license.as_ref().map_or(String::new(), |name| format!("license: {}\n", quoted(name)));
    let (env_quoted, algo_quoted) = (quoted(&env), quoted(&algo));
    let reward = quoted(&format!("{mean:.2} +/- {std:.2}"));
    let settings = config.to_toml()?;
    let replay = if folder.join("replay.gif").exists() { "![One episode](replay.gif)\n\n" } else { "" };
    let curve = if folder.join("reward.png").exists() { "![Return while learning](reward.png)\n\n" } else { "" };
    let (episodes, seed) = (result.episodes, args.seed);
    let (how, again) = match trained {
        None => (String::new(), ""),
        Some(Trained { env_steps, version, finished }) => (
            format!("Trained for {env_steps} steps by uphill {version}. "),
            if *finished { " `uphill train --config FOLDER/config.toml` makes it again, to the bit." } else { "" },
        ),
    };
    Ok(format!(
        "---\n{licence}library_name: uphill\npipeline_tag: reinforcement-learning\ntags:\n- {env_quoted}\n- {algo_quoted}\n\
         - deep-reinforcement-learning\n- reinforcement-learning\n- uphill\nmodel-index:\n- name: {algo_quoted}\n  results:\n  \
         - task:\n      type: reinforcement-learning\n      name: reinforcement-learning\n    dataset:\n      \
         name: {env_quoted}\n      type: {env_quoted}\n    metrics:\n    - type: mean_reward\n      value: {reward}\n      \
         name: mean_reward\n      verified: false\n---\n\n# {algo} in {env}\n\n{how}Over \
         {episodes} episodes (seed {seed}), always taking the likeliest action, it returns {mean:.2} ± {std:.2}.\n\n\
         {replay}{curve}## Use\n\n```sh\nuphill evaluate FOLDER --watch\n```\n\n```rust\nlet policy = \
         uphill::Policy::load(\"FOLDER\")?;\n```\n\nwhere FOLDER is where these files are.{again}\n\n## Settings\n\n```toml\n{settings}```\n"
    ))
}
