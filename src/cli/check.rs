//! Says what an environment does wrong.

use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, Parser};

use super::read;
use crate::envs::{EnvError, Finding, check_env, check_vec_env};
use crate::screen::say;
use crate::{Catalogue, Config, Error, Result};

/// Leads environments through some ten thousand steps and says what they do wrong
///
/// Each line says what was seen and where, and after it what would be right. `wrong` breaks the contract of the trait `Env`
/// or `VecEnv`; `unusual` is allowed, and seldom meant. It ends with 1 where anything is wrong.
#[derive(Parser)]
struct Args {
    /// Environments: names, which may have arguments, or files of grid worlds, and wrappers after |
    #[arg(value_name = "ENV", required = true)]
    envs: Vec<String>,
}

pub(super) fn command(_: &Catalogue) -> Command {
    Args::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let Args { envs } = read(args)?;
    let configs = envs.iter().map(|env| Config::for_algo_with("ppo", catalogue)?.in_env(env));
    let mut any = false;
    for config in configs.collect::<Result<Vec<_>>>()? {
        let findings = look_at(&config)?;
        for finding in &findings {
            say(format_args!("{}: {finding}", config.env))?;
        }
        if findings.is_empty() {
            say(format_args!("{}: keeps its contract", config.env))?;
        }
        any |= findings.iter().any(|finding| finding.breach);
    }
    Ok(if any { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is found of the environment alone, where it can be had alone, and then of many side by side.
fn look_at(config: &Config) -> Result<Vec<Finding>> {
    // What cannot be made at all is no finding.
    config.make_envs(1)?;
    let row = config.catalogue.env(&config.env.word.name)?;
    let mut findings = match row.make.one {
        Some(_) => {
            config.make_env()?;
            check_env(|| config.make_env().map_err(of_environment))
        }
        None => Vec::new(),
    };
    if !findings.iter().any(|finding| finding.breach) {
        findings.extend(check_vec_env(|lanes| config.make_envs(lanes).map_err(of_environment)));
    }
    Ok(findings)
}

/// The error of an environment that could be made just now.
fn of_environment(error: Error) -> EnvError {
    match error {
        Error::Env(error) => error,
        other => EnvError::Panicked { message: other.to_string() },
    }
}
