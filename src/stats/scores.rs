//! The scores of one method: a run for each seed and task.

use super::StatsError;

/// Final scores of one method, `[runs, tasks]`: a row for each seed, a column for each task, all finite.
///
/// The unit is the run. What a run scored is one number, usually the mean return of its last policy over many
/// episodes: the episodes of one run share its seed, so they say nothing of what another seed would do.
/// A run that diverged stays in, with the score of the policy it left behind or the least there is.
///
/// ```
/// use uphill::stats::Scores;
///
/// let scores = Scores::from_runs(&[[0.9, 0.4], [0.7, 0.5], [0.8, 0.0]])?;
/// assert_eq!((scores.runs(), scores.tasks()), (3, 2));
/// assert_eq!(scores.by_task().next(), Some(&[0.9, 0.7, 0.8][..]));
/// # Ok::<(), uphill::stats::StatsError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    runs: usize,
    /// Task after task, so that a task's runs lie side by side.
    values: Vec<f64>,
}

impl Scores {
    /// Scores given run by run: row `n` holds what seed `n` scored on every task.
    ///
    /// # Errors
    /// A [`StatsError`] if there are no runs or no tasks, a row is longer or shorter than the first, or a score is
    /// not finite.
    pub fn from_runs<R: AsRef<[f64]>>(rows: &[R]) -> Result<Scores, StatsError> {
        let tasks = rows.first().map_or(0, |row| row.as_ref().len());
        for (run, row) in rows.iter().enumerate() {
            let got = row.as_ref().len();
            if got != tasks {
                return Err(StatsError::Length { what: format!("run {run}"), got, expected: tasks, each: "task" });
            }
        }
        let column = |task| rows.iter().map(move |row| row.as_ref()[task]);
        Scores::checked(rows.len(), tasks, (0..tasks).flat_map(column).collect())
    }

    /// Scores given task by task: column `m` holds what every seed scored on task `m`.
    ///
    /// # Errors
    /// As [`Scores::from_runs`], with a column in a row's place.
    pub fn from_tasks<C: AsRef<[f64]>>(columns: &[C]) -> Result<Scores, StatsError> {
        let runs = columns.first().map_or(0, |column| column.as_ref().len());
        for (task, column) in columns.iter().enumerate() {
            let got = column.as_ref().len();
            if got != runs {
                return Err(StatsError::Length { what: format!("task {task}"), got, expected: runs, each: "run" });
            }
        }
        let values = columns.iter().flat_map(|column| column.as_ref()).copied().collect();
        Scores::checked(runs, columns.len(), values)
    }

    /// Scores on a single task, one a seed.
    ///
    /// # Errors
    /// A [`StatsError`] if there are none or one is not finite.
    pub fn of_one_task(scores: &[f64]) -> Result<Scores, StatsError> {
        Scores::from_tasks(&[scores])
    }

    fn checked(runs: usize, tasks: usize, values: Vec<f64>) -> Result<Scores, StatsError> {
        if runs == 0 {
            return Err(StatsError::Empty { what: "runs" });
        }
        if tasks == 0 {
            return Err(StatsError::Empty { what: "tasks" });
        }
        if let Some(place) = values.iter().position(|score| !score.is_finite()) {
            let what = format!("the score of run {} on task {}", place % runs, place / runs);
            return Err(StatsError::NotFinite { what, value: values[place] });
        }
        Ok(Scores { runs, values })
    }

    /// How many runs there are of each task.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// How many tasks there are.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.values.len() / self.runs
    }

    /// Every score, `[tasks, runs]`: task after task.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The scores of each task's runs.
    pub fn by_task(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.runs)
    }

    /// The mean over runs of each task.
    pub fn task_means(&self) -> impl ExactSizeIterator<Item = f64> {
        self.by_task().map(|runs| runs.iter().sum::<f64>() / runs.len() as f64)
    }

    /// Overwrites these scores with ones of `source`, of the same shape: run `n` of each task with a run of that task
    /// that `draw` names.
    pub(super) fn resample(&mut self, source: &Scores, mut draw: impl FnMut() -> usize) {
        for (to, from) in self.values.chunks_exact_mut(self.runs).zip(source.by_task()) {
            for score in to {
                *score = from[draw()];
            }
        }
    }
}
