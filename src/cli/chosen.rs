//! Which policy of a run a command is for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::policy::BEST_BY_EVAL;
use crate::screen::{self, tell};
use crate::{Catalogue, Policy, Result, RunFolder, Which};

/// A run, and which of its policies.
#[derive(Args)]
pub(super) struct Chosen {
    /// The folder of the run
    pub(super) run: PathBuf,
    /// Load the best policy of the run, not the one it ended with: by its evaluations where one had a mean return (eval_every), else by
    /// the mean return of 100 episodes of training; --best=training and --best=evaluation say by which
    #[arg(long, value_name = "BY", num_args = 0..=1, require_equals = true, hide_possible_values = true)]
    best: Option<Option<By>>,
}

/// What a policy was the best by.
#[derive(Clone, Copy, ValueEnum)]
enum By {
    Training,
    Evaluation,
}

impl Chosen {
    /// Which of the run's policies is asked for.
    pub(super) fn which(&self) -> Which {
        let Self { run, best } = self;
        let has_evaluated = || run.join(BEST_BY_EVAL).exists();
        match best.map(|by| by.unwrap_or(if has_evaluated() { By::Evaluation } else { By::Training })) {
            None => Which::Last,
            Some(By::Training) => Which::BestInTraining,
            Some(By::Evaluation) => Which::BestByEvaluation,
        }
    }

    /// The policy that is asked for, and what is said of which it is where it is not the last. Tells of settings that are not
    /// what was trained.
    pub(super) fn load(&self, catalogue: &Catalogue) -> Result<(Policy, String)> {
        let (run, which) = (&self.run, self.which());
        let policy = which.load(run, catalogue)?;
        if let Some(name) = RunFolder::changed_setting(run, policy.config()) {
            let config = screen::path(&run.join("config.toml"));
            tell(format_args!(
                "{config}: {name} is another than in the run's checkpoints: this is not what was trained"
            ));
        }
        Ok((policy, if which == Which::Last { String::new() } else { format!(", {}", which.shown()) }))
    }
}
