//! Scores of different tasks on one scale.

use super::{Scores, StatsError};

/// A task's scale: what a random policy scores, and what an optimal one (or an expert, or a human) does.
///
/// ```text
///   normalised score = (score − random) / (optimal − random)
/// ```
///
/// So 0 is no better than random and 1 is optimal; below and above are possible. Without a common scale the task with
/// the largest rewards decides every aggregate. Where less is better, `optimal` is the lesser.
///
/// Agarwal et al. 2021, section 2, <https://arxiv.org/abs/2108.13264>.
///
/// ```
/// let cartpole = uphill::stats::Scale::new(22.0, 500.0)?;
/// assert_eq!(cartpole.normalise(261.0), 0.5);
/// # Ok::<(), uphill::stats::StatsError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    random: f64,
    optimal: f64,
}

impl Scale {
    /// The scale on which `random` is 0 and `optimal` is 1, both mean undiscounted returns.
    ///
    /// # Errors
    /// A [`StatsError`] if one is not finite or both are the same.
    pub fn new(random: f64, optimal: f64) -> Result<Scale, StatsError> {
        for (name, value) in [("random", random), ("optimal", optimal)] {
            if !value.is_finite() {
                return Err(StatsError::NotFinite { what: format!("the {name} score"), value });
            }
        }
        if random == optimal { Err(StatsError::Scale { value: random }) } else { Ok(Scale { random, optimal }) }
    }

    /// What a random policy scores.
    #[must_use]
    pub fn random(&self) -> f64 {
        self.random
    }

    /// What an optimal one scores.
    #[must_use]
    pub fn optimal(&self) -> f64 {
        self.optimal
    }

    /// Where a score lies on the scale.
    #[must_use]
    pub fn normalise(&self, score: f64) -> f64 {
        (score - self.random) / (self.optimal - self.random)
    }
}

impl Scores {
    /// These scores, each on its task's scale.
    ///
    /// # Errors
    /// A [`StatsError`] if there is not one scale for each task, or a score is so large that it leaves the numbers.
    pub fn normalised(&self, scales: &[Scale]) -> Result<Scores, StatsError> {
        if scales.len() != self.tasks() {
            let what = "the list of scales".into();
            return Err(StatsError::Length { what, got: scales.len(), expected: self.tasks(), each: "task" });
        }
        let column = |(runs, scale): (&[f64], &Scale)| -> Vec<f64> {
            runs.iter().map(|&score| scale.normalise(score)).collect()
        };
        Scores::from_tasks(&self.by_task().zip(scales).map(column).collect::<Vec<_>>())
    }
}
