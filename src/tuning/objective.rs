//! What a run is judged by.

use serde::{Deserialize, Serialize};

use super::attempt::{Reached, Record};
use crate::Result;
use crate::stats::area_under_curve;

/// What a trial is judged by: the mean over its seeds of this, in undiscounted returns of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The mean return of the last 100 training episodes that count, as [`History`](crate::History) has it.
    FinalReturn,
    /// The mean of that over training, which also says how soon: the area under the learning curve, from the random policy's
    /// return at step 0 on.
    Area,
    /// The mean return of an evaluation with the likeliest actions, on seeds that training never sees.
    EvalReturn,
}

impl Objective {
    /// As files say it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Objective::FinalReturn => "final_return",
            Objective::Area => "area",
            Objective::EvalReturn => "eval_return",
        }
    }

    /// What a run had come to at a place on its way; `None` where it diverged, or has no return: none of its episodes had
    /// ended. That one counts as the random policy's, where this is known, as in a comparison.
    pub(super) fn of(self, reached: &Reached, record: &Record, random: Option<f64>) -> Result<Option<f64>> {
        if reached.diverged.is_some() {
            return Ok(None);
        }
        match self {
            Objective::FinalReturn => Ok(reached.final_return.or(random)),
            Objective::EvalReturn => Ok(reached.eval_return),
            Objective::Area => {
                let Some(random) = random else { return Ok(None) };
                let points = record.points(reached.steps);
                let points = points.map(|(at, mean)| (at, if mean.is_nan() { random } else { mean }));
                let (at, means): (Vec<u64>, Vec<f64>) = std::iter::once((0, random)).chain(points).unzip();
                if at.len() == 1 { Ok(Some(random)) } else { Ok(Some(area_under_curve(&at, &means)?)) }
            }
        }
    }
}
