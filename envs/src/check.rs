//! What an environment of one's own does wrong, in words.

mod choice;
mod episodes;
mod habits;
mod last_steps;
mod masks;
mod refusals;
mod saving;
mod seeds;
mod spaces;
mod vector;
mod walk;

use std::fmt;

use crate::episodes::caught;
use crate::{Env, EnvError, Spec};

pub use vector::check_vec_env;

/// What an environment does that its contract forbids, or that it allows and that is seldom meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Whether the contract forbids it.
    pub breach: bool,
    /// What was seen, and where.
    pub what: String,
    /// What would be right.
    pub remedy: &'static str,
}

impl Finding {
    /// What a contract forbids.
    #[must_use]
    pub fn breach(what: impl Into<String>, remedy: &'static str) -> Self {
        Self { breach: true, what: what.into(), remedy }
    }

    /// What is allowed, and seldom meant.
    #[must_use]
    pub fn habit(what: impl Into<String>, remedy: &'static str) -> Self {
        Self { breach: false, ..Self::breach(what, remedy) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", if self.breach { "wrong" } else { "unusual" }, self.what, self.remedy)
    }
}

/// What is looked at: what makes the environment, and what it says that it is.
struct Subject<'a> {
    make: &'a dyn Fn() -> Result<Box<dyn Env>, EnvError>,
    spec: Spec,
}

impl Subject<'_> {
    /// One of the environments.
    fn env(&self) -> Result<Box<dyn Env>, Finding> {
        made(self.make)
    }
}

fn made(make: &dyn Fn() -> Result<Box<dyn Env>, EnvError>) -> Result<Box<dyn Env>, Finding> {
    caught(make).map_err(|e| Finding::breach(format!("it cannot be made: {e}"), "make it of what it can be made of"))
}

/// What a rule finds. `Err` is a breach after which there is nothing more to look for.
type Found = Result<Vec<Finding>, Finding>;

/// One thing that is looked for.
type Rule = fn(&Subject<'_>) -> Found;

/// The rules, in stages: what breaks one stage is not looked for again in the next.
const STAGES: [&[Rule]; 8] = [
    &[spaces::name, spaces::actions, spaces::observations],
    &[spaces::numbers],
    &[episodes::starts],
    &[episodes::goes_on],
    &[seeds::repeats],
    &[seeds::alone],
    &[seeds::runs_on, episodes::ends, refusals::refuses, refusals::outlives, masks::allows, saving::saves],
    &[
        habits::actions,
        habits::observations,
        habits::rewards,
        habits::ends,
        habits::saves,
        habits::draws,
        seeds::differ,
        last_steps::by_the_clock,
        last_steps::shown,
    ],
];

/// Looks at environments that `make` makes, several side by side, and says what they do wrong or unusually; nothing is as it
/// should be. Breaches of the contract of [`Env`] come first.
///
/// ```
/// use uphill_envs::{CartPole, TimeLimit, check_env};
///
/// assert_eq!(check_env(|| Ok(TimeLimit::new(CartPole::new()))), []);
/// ```
///
/// It takes some ten thousand steps, with actions drawn at random from fixed seeds: the same environment is found to be
/// the same each time.
#[must_use]
pub fn check_env<E: Env + 'static>(make: impl Fn() -> Result<E, EnvError>) -> Vec<Finding> {
    let make = || -> Result<Box<dyn Env>, EnvError> { Ok(Box::new(make()?)) };
    let spec = match made(&make).map(|env| env.spec().clone()) {
        Ok(spec) => spec,
        Err(finding) => return vec![finding],
    };
    let subject = Subject { make: &make, spec };
    let mut findings = Vec::new();
    for stage in STAGES {
        for rule in stage {
            match rule(&subject) {
                Ok(found) => findings.extend(found),
                Err(breach) => findings.push(breach),
            }
        }
        if findings.iter().any(|finding| finding.breach) {
            break;
        }
    }
    findings
}
