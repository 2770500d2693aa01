//! Makes the folder of a run from a policy of another program.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, Parser};

use super::read;
use crate::import::{self, Asked, Imported, word};
use crate::models::Activation;
use crate::own_folder::{self, Kind};
use crate::policy::POLICY;
use crate::screen::{self, say};
use crate::whole_folder::WholeFolder;
use crate::{Catalogue, Config, Error, Result, RunFolder};

/// Makes the folder of a run from a policy of Stable-Baselines3, sb3-contrib or CleanRL, for `evaluate` and `export`; no pickle is executed.
#[derive(Parser)]
struct Args {
    /// What was saved: a zip of Stable-Baselines3, torch's state dict, or the same tensors as safetensors or npz
    file: PathBuf,
    /// The environment that it was trained in
    #[arg(long)]
    env: String,
    /// The folder of the run to make
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// What stands between its layers, where the file does not say it and it is not tanh
    #[arg(long, value_parser = activation)]
    activation: Option<Activation>,
    /// That it was told which actions are legal, where the file does not say it
    #[arg(long)]
    masks: bool,
    /// An npz of the mean and var of observations, and of clip and epsilon, that they were normalised by
    #[arg(long, value_name = "FILE")]
    normaliser: Option<PathBuf>,
    /// Replace the run that is in the folder
    #[arg(long)]
    force: bool,
}

fn activation(text: &str) -> Result<Activation, String> {
    // The error names them all.
    toml::Value::from(text).try_into().map_err(|e: toml::de::Error| e.message().to_string())
}

pub(super) fn command(_: &Catalogue) -> Command {
    Args::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    import(&read(args)?, catalogue).map(|()| ExitCode::SUCCESS)
}

fn import(args: &Args, catalogue: &Catalogue) -> Result<()> {
    check_place(&args.out, args.force)?;
    let env = Config::env_settings(&args.env, catalogue)?;
    let env = env.get("env").and_then(toml::Value::as_str).unwrap_or(&args.env).to_string();
    let asked = Asked { env, activation: args.activation, masks: args.masks };
    let found = import::read(&args.file, args.normaliser.as_deref(), &asked, catalogue)?;
    let Imported { policy, of, network, assumed, any_action, clip_unsaid, .. } = found;
    // All of it is on the disk before anything is removed.
    let made = WholeFolder::beside(&args.out)?;
    drop(RunFolder::create(made.path(), policy.config(), false).map_err(|e| made.named(e))?);
    policy.save(&made.path().join(POLICY)).map_err(|e| made.named(e))?;
    if holds_nothing(&args.out)? {
        made.name()?;
    } else {
        let run = RunFolder::create(&args.out, policy.config(), args.force)?;
        let policy = run.path().join(POLICY);
        std::fs::rename(made.path().join(POLICY), &policy).map_err(Error::io(&policy))?;
    }
    let (file, out) = (screen::path(&args.file), screen::path(&args.out));
    say(format_args!("{file}: a policy of {of}'s, {network}, in {out}"))?;
    if any_action {
        say("any action is legal for it, though the environment says which are: --masks where it was told them")?;
    }
    if clip_unsaid {
        say("observations are clipped at 10 deviations, as an array `clip` says no other number")?;
    }
    assumed.map_or(Ok(()), |_| {
        let activation = word(policy.config().activation);
        say(format_args!(
            "it does not say what stands between its layers: {activation} was taken, --activation says another"
        ))
    })
}

/// Refuses a folder that holds anything, but for a run that may be replaced: what is imported is no run to go on with.
fn check_place(out: &Path, force: bool) -> Result<()> {
    if !out.is_dir() {
        return Ok(());
    }
    let contents: Vec<PathBuf> = own_folder::contents(out)?.into_iter().filter(|path| !is_left(path)).collect();
    let problem = match (own_folder::is_marked(out, Kind::Run)?, contents.first()) {
        (true, Some(_)) if !force && out.join("config.toml").exists() => {
            "this folder already holds a run: give --force to replace it, or --out another folder".into()
        }
        (false, Some(other)) => {
            format!("this folder holds {}, and is no run's: give --out a new or an empty folder", screen::path(other))
        }
        _ => return Ok(()),
    };
    Err(Error::File { path: out.into(), problem })
}

/// Whether it is what is left of a run that never began: metrics without a row.
fn is_left(path: &Path) -> bool {
    path.ends_with("metrics.csv") && path.metadata().is_ok_and(|file| file.len() == 0)
}

/// Whether nothing is lost where this folder is replaced as a whole.
fn holds_nothing(folder: &Path) -> Result<bool> {
    Ok(!folder.exists() || own_folder::contents(folder)?.iter().all(|path| is_left(path)))
}
