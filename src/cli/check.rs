//! Says what an environment or an optimizer does wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, Parser};

use super::read;
use crate::envs::{EnvError, Finding, check_env, check_vec_env, quoted};
use crate::optim::check_optimizer;
use crate::screen::say;
use crate::words::Spec;
use crate::{Catalogue, Config, Error, Result};

/// Leads environments through some ten thousand steps, and optimizers through a few, and says what they do wrong
///
/// Each line says what was seen and where, and after it what would be right. `wrong` breaks the contract of the trait `Env`,
/// `VecEnv` or `GradientTransform`; `unusual` is allowed, and seldom meant. It ends with 1 where anything is wrong.
#[derive(Parser)]
#[group(required = true, multiple = true)]
struct Args {
    /// Environments: names, which may have arguments, or files of grid worlds, and wrappers after |
    #[arg(value_name = "ENV")]
    envs: Vec<String>,
    /// Optimizers: names, which may have arguments, or chains of links
    #[arg(long, value_name = "OPTIMIZER", num_args = 1..)]
    optimizers: Vec<Spec>,
}

pub(super) fn command(_: &Catalogue) -> Command {
    Args::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let Args { envs, optimizers } = read(args)?;
    let usual = Config::for_algo_with("ppo", catalogue)?;
    let in_envs: Vec<_> = envs.iter().map(|env| usual.clone().in_env(env)).collect::<Result<_>>()?;
    let by: Vec<_> = optimizers.iter().map(|optimizer| by_optimizer(&usual, optimizer)).collect::<Result<_>>()?;
    let mut any = false;
    for (env, config) in envs.iter().zip(&in_envs) {
        // As it was asked for: the word of a file has its whole map.
        any |= tell(env, said(config))?;
    }
    for (optimizer, config) in optimizers.iter().zip(&by) {
        any |= tell(&optimizer.to_string(), of_findings(&check_optimizer(|| config.make_optimizer())))?;
    }
    Ok(if any { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Prints what is said of something, and hands on whether any of it is wrong.
fn tell(name: &str, (lines, wrong): (Vec<String>, bool)) -> Result<bool> {
    let name = quoted(name);
    for line in &lines {
        say(format_args!("{name}: {line}"))?;
    }
    if lines.is_empty() {
        say(format_args!("{name}: keeps its contract"))?;
    }
    Ok(wrong)
}

/// The settings with this optimizer, which there is.
fn by_optimizer(usual: &Config, optimizer: &Spec) -> Result<Config> {
    let config = Config { optimizer: optimizer.clone(), ..usual.clone() };
    config.make_optimizer().map(|_| config)
}

fn of_findings(findings: &[Finding]) -> (Vec<String>, bool) {
    (findings.iter().map(Finding::to_string).collect(), findings.iter().any(|finding| finding.breach))
}

/// What is said of an environment, and whether any of it is wrong. One that cannot be made keeps none of the others waiting.
fn said(config: &Config) -> (Vec<String>, bool) {
    match catch_unwind(AssertUnwindSafe(|| look_at(config))) {
        Ok(Ok((findings, misnamed))) => {
            let (lines, wrong) = of_findings(&findings);
            (lines.into_iter().chain(misnamed).collect(), wrong)
        }
        Ok(Err(e)) => (vec![format!("wrong: it cannot be made: {e}")], true),
        Err(_) => (vec!["wrong: it panics when it is made".into()], true),
    }
}

/// What is found of the environment alone, where it can be had alone, and then of many side by side; and of its name.
fn look_at(config: &Config) -> Result<(Vec<Finding>, Option<String>)> {
    let row = config.catalogue.env(&config.env.word.name)?;
    let (mut findings, mut misnamed) = (Vec::new(), None);
    if row.make.one.is_some() {
        misnamed = other_name(config, &config.make_env()?.spec().id);
        findings = check_env(|| config.make_env().map_err(of_environment));
    }
    if !findings.iter().any(|finding| finding.breach) {
        config.make_envs(1)?;
        findings.extend(check_vec_env(|lanes| config.make_envs(lanes).map_err(of_environment)));
    }
    Ok((findings, misnamed))
}

/// What is said of an environment that calls itself something else than its row does. Wrappers and arguments may give it
/// another name, and so may rows that make several.
fn other_name(config: &Config, id: &str) -> Option<String> {
    let (word, wrappers) = (&config.env.word, &config.env.wrappers);
    let other = word.args.is_empty() && wrappers.is_empty() && !id.contains(&word.name);
    let remedy = "errors have that name: give the spec the row's";
    other.then(|| format!("unusual: its spec calls it `{}`; {remedy}", quoted(id)))
}

/// The error of an environment that could be made just now.
fn of_environment(error: Error) -> EnvError {
    match error {
        Error::Env(error) => error,
        other => EnvError::Panicked { message: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::{other_name, said};
    use crate::catalogue::{EnvRow, MakeEnv};
    use crate::envs::CartPole;
    use crate::{Catalogue, Config};

    fn broken(name: &'static str, make: MakeEnv) -> Config {
        let row = EnvRow { name, summary: "one with a mistake", params: &[], make };
        let catalogue = Catalogue::default().with(row);
        Config::for_algo_with("ppo", &catalogue).and_then(|config| config.in_env(name)).expect("a row of the catalogue")
    }

    #[test]
    fn one_by_another_name_or_that_panics_has_its_line() {
        let config = broken("Pole-v7", MakeEnv::one(|_| Ok(Box::new(CartPole::new()))));
        let line = "unusual: its spec calls it `CartPole-v1`; errors have that name: give the spec the row's";
        assert_eq!(said(&config), (vec![line.to_string()], false));
        let config = broken("Panic-v0", MakeEnv::one(|_| panic!("no level file")));
        assert_eq!(said(&config), (vec!["wrong: it panics when it is made".to_string()], true));
    }

    #[test]
    fn ours_are_called_what_their_rows_are() {
        let catalogue = Catalogue::default();
        for row in catalogue.envs().iter().filter(|row| row.make.one.is_some()) {
            let config = Config::for_algo_with("ppo", &catalogue).and_then(|config| config.in_env(row.name));
            // Some have arguments that must be said.
            if let Some((config, env)) = config.ok().and_then(|config| config.make_env().ok().map(|env| (config, env)))
            {
                assert_eq!(other_name(&config, &env.spec().id), None, "{}", row.name);
            }
        }
    }
}
