//! What one run gave: facts alone, nothing that depends on another run or on a clock.

use serde::{Deserialize, Serialize};

use crate::{Config, Error, Metrics, Result, Seed, Trainer};

/// What was measured of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Environment steps taken, all lanes together.
    pub env_steps: u64,
    /// Updates done, one that diverged not among them.
    pub updates: u64,
    /// Episodes finished in training.
    pub episodes: u64,
    /// First environment step at which the mean of the last 100 episodes reached the environment's threshold, as
    /// [`History::solved_at_step`](crate::History::solved_at_step).
    pub solved_at_step: Option<u64>,
    /// The best mean return that 100 training episodes in a row had, seen after each update; `None` before there are 100.
    pub best_return: Option<f64>,
    /// Mean entropy of the policy over the last update, as a share of a uniform policy's.
    pub entropy: Option<f64>,
    /// Bytes of state that the optimizer kept.
    pub state_bytes: u64,
    /// Mean return of the evaluation; `None` if the run diverged, or if episodes without a limit were cut off.
    pub eval_return: Option<f64>,
    /// Where training left the real numbers, if it did.
    pub diverged: Option<Divergence>,
    /// The learning curve. Point `k` of `n`, from 1: the mean return of the last 100 training episodes that count (of all,
    /// if there are fewer; see [`History`](crate::History)) after the first update that reached `k/n` of the run's steps.
    /// `nan` before every lane has ended its first episode; a run that diverged has the points that it reached.
    pub curve: Vec<f64>,
}

/// Where a run left the real numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Divergence {
    /// The update, from 1.
    pub update: u64,
    /// What was not finite.
    pub what: String,
}

/// How a run is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Points of the learning curve.
    pub curve_points: usize,
    /// Episodes of the evaluation: with the likeliest action, on seeds that training never sees.
    pub eval_episodes: usize,
}

impl Outcome {
    /// Trains and evaluates. A run that diverges is an outcome.
    ///
    /// # Errors
    /// [`Error::Config`], [`Error::Env`] or [`Error::Update`]: what no choice of hyper-parameters is to blame for.
    pub fn of(config: &Config, measure: Measure) -> Result<Self> {
        let mut trainer = Trainer::new(config)?;
        let (mut last, mut curve, mut diverged) = (None::<Metrics>, Vec::new(), None);
        let reached = |k: usize, env_steps: u64| {
            u128::from(env_steps) * measure.curve_points as u128 >= k as u128 * u128::from(config.steps)
        };
        loop {
            match trainer.step() {
                Ok(Some(metrics)) => {
                    while curve.len() < measure.curve_points && reached(curve.len() + 1, metrics.env_steps) {
                        curve.push(metrics.episode_return_mean.unwrap_or(f64::NAN));
                    }
                    last = Some(metrics);
                }
                Ok(None) => break,
                Err(Error::Diverged { update, what, .. }) => {
                    diverged = Some(Divergence { update, what });
                    break;
                }
                Err(other) => return Err(other),
            }
        }
        let updates = last.as_ref().map_or(0, |metrics| metrics.update);
        let (env_steps, episodes) = (trainer.env_steps(), trainer.history().episodes());
        let solved_at_step = trainer.history().solved_at_step();
        let best_return = trainer.best().map(|best| best.return_mean);
        let state_bytes = trainer.state_bytes() as u64;
        let mut eval_return = None;
        let mut entropy = None;
        if diverged.is_none() {
            let mut policy = trainer.into_policy()?;
            let most = policy.distribution().max_entropy();
            entropy = last.and_then(|metrics| metrics.entropy).zip(most).map(|(nats, most)| nats / most);
            entropy = entropy.filter(|share| share.is_finite());
            match policy.evaluate(measure.eval_episodes, Seed(config.seed)) {
                Ok(evaluation) => eval_return = evaluation.return_mean,
                Err(Error::NotFinite { what }) => diverged = Some(Divergence { update: updates, what }),
                Err(other) => return Err(other),
            }
        }
        Ok(Self {
            env_steps,
            updates,
            episodes,
            solved_at_step,
            best_return,
            entropy,
            state_bytes,
            eval_return,
            diverged,
            curve,
        })
    }
}
