//! What the words of a report mean.

use uphill_envs::counted;

use super::super::comparison::BOOTSTRAP;
use super::super::grid::Grid;

pub(super) fn definitions(grid: &Grid) -> String {
    let (points, episodes) = (counted(grid.curve_points, "point"), counted(grid.eval_episodes, "episode"));
    let (reps, level) = (BOOTSTRAP.reps, BOOTSTRAP.confidence_level * 100.0);
    format!(
        "## What the words mean

- *Return*: undiscounted sum of an episode's rewards. *Score*: `(return − random) / (optimum − random)`. Both ends are
  exact for grid worlds (the expected return within the time limit, from the model), measured for CartPole-v1 (a million
  random episodes), or the task's own.
- *Learning curve*: {points} at equal distances of environment steps; each is the mean return of the last 100
  training episodes, exploration included, after the first update that reached it. Episodes count in the order in which they
  began, once all that began before or together with them have ended: the first to end would be short ones, and lucky where
  short is lucky. Before every lane has ended its first episode a point is the random policy's return.
- *Final score*: the curve's last point. *Area*: the area under the curve of scores by the trapezoidal rule, from step 0
  with a score of 0 on, divided by the steps: the mean score during training. *Evaluation*: {episodes} with the
  likeliest action, on seeds of their own; it is in `results.csv`.
- The area is the primary score. Where runs are long enough, all good optimizers end at the optimum, so the final score
  tells them apart no more; the area also says how soon they got there. Both are in every table of scores.
- *IQM*: the interquartile mean, the mean of the middle half of all runs of all tasks and algorithms together. *Mean* and
  *median*: over tasks and algorithms, of the mean over runs. *Optimality gap*: by how much runs fall short of a score of
  1, on average; less is better. *P(better than x)*: the probability of improvement, that a run has a larger area than a
  run of x on the same task with the same algorithm; ties count half.
- `0.91 [0.88, 0.93]` is a number with its interval: the middle {level}% of {reps} bootstrap replicates, each of which draws
  as many seeds as there are, with replacement, for each task and algorithm by itself. The seed is the unit, never the
  episode. `[?]`: all replicates were the same, as they are of one seed or of seeds that all gave the same, so how uncertain
  the number is is not known.
- An optimizer *is better* than another where the interval of the probability of improvement lies above ½, and *worse* where
  it lies below. Elsewhere the runs do not tell them apart, which is not to say that they are equal. An interval of no
  width, where all runs of the one beat all of the other, decides nothing with fewer than 10 seeds.
- *Diverged*: a loss, gradient, policy or update was not finite. From there on the run counts as the random policy, score
  0, in every table; it is neither left out nor tried again. A task that it had solved before stays solved at that step.
- *Collapsed*: trained to the end, but the final score is 0 or less, and either the policy's entropy is below 5% of a
  uniform policy's or 100 training episodes in a row had once had a mean score of 0.25 or more. Its scores are its own.
- *Solved at step*: the first step at which the mean of the last 100 training episodes reached the environment's threshold; – where it
  has none. A run that did not is censored at the last step that it took, and one that diverged at the last that any took: it counts as one that
  needs more. The median is Kaplan and Meier's, *never* where fewer than half of the runs got there.
- *Share of learning rates near the best*: of those that were tried, evenly spaced or not, the share whose interquartile
  mean of areas is at least 90% of the best one's.
"
    )
}
