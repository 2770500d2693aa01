//! `events.out.tfevents.uphill`: what TensorBoard shows.

mod event;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::rows_file::RowsFile;
use super::{Make, Row, Sink, Weights};
use crate::Result;
use crate::evaluation::Evaluated;
use crate::layout::Block;
use crate::metrics::Metrics;
use crate::words::{Args, Param};
use event::{Event, Histogram, Value};

pub(super) const ROW: Row = Row {
    name: "tensorboard",
    summary: "an event file for TensorBoard: scalars under the tags of another library, histograms of weights and gradients",
    params: &[
        Param::word("tags", &["cleanrl", "stable_baselines3"], "cleanrl", "whose names the scalars have"),
        Param::steps("histogram_every", 0, "10", "updates from one histogram to the next; 0 for none"),
    ],
    make: Make { file: "events.out.tfevents.uphill", open },
};

/// Whose names scalars have: which of [`NAMES`].
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tags {
    Cleanrl,
    StableBaselines3,
}

/// A column of `metrics.csv`, and what CleanRL and Stable-Baselines3 call it.
///
/// Sources: CleanRL, <https://docs.cleanrl.dev/rl-algorithms/ppo/#explanation-of-the-logged-metrics>; Stable-Baselines3,
/// <https://stable-baselines3.readthedocs.io/en/master/common/logger.html#explanation-of-logger-output>.
const NAMES: [(&str, [&str; 2]); 14] = [
    ("update", ["charts/update", "time/iterations"]),
    ("episodes", ["charts/episodes", "time/episodes"]),
    ("episode_return_mean", ["charts/episodic_return", "rollout/ep_rew_mean"]),
    ("episode_length_mean", ["charts/episodic_length", "rollout/ep_len_mean"]),
    ("policy_loss", ["losses/policy_loss", "train/policy_gradient_loss"]),
    ("value_loss", ["losses/value_loss", "train/value_loss"]),
    ("entropy", ["losses/entropy", "train/entropy_loss"]),
    ("approx_kl", ["losses/approx_kl", "train/approx_kl"]),
    ("clip_fraction", ["losses/clipfrac", "train/clip_fraction"]),
    ("explained_variance", ["losses/explained_variance", "train/explained_variance"]),
    ("grad_norm", ["losses/grad_norm", "train/grad_norm"]),
    ("update_norm", ["losses/update_norm", "train/update_norm"]),
    ("lr", ["charts/learning_rate", "train/learning_rate"]),
    ("steps_per_second", ["charts/SPS", "time/fps"]),
];

/// Opens the file.
fn open(args: &Args, path: &Path) -> Result<Box<dyn Sink>> {
    let (tags, histogram_every) = (args.choice::<Tags>("tags")?, args.count("histogram_every")? as u64);
    Ok(Box::new(TensorBoard { file: RowsFile::open(path)?, library: tags as usize, histogram_every }))
}

/// An event an update. Its step is the number of environment steps, its time the clock's: TensorBoard asks for one.
struct TensorBoard {
    file: RowsFile,
    /// Its place among the two.
    library: usize,
    histogram_every: u64,
}

impl TensorBoard {
    fn append(&mut self, env_steps: u64, values: Vec<Value>) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let is_first = self.file.is_empty();
        self.file.append(|bytes| {
            if is_first {
                Event::begin(now).write(bytes);
            }
            Event::of(now, env_steps, values).write(bytes);
            Ok(())
        })
    }
}

impl Sink for TensorBoard {
    fn row(&mut self, metrics: &Metrics) -> Result<()> {
        let Self { library, .. } = *self;
        // As Stable-Baselines3 has them: the entropy's loss is its negative, and the value loss is the whole squared error.
        let theirs = |tag: &str, value: f64| match tag {
            "train/entropy_loss" => -value,
            "train/value_loss" => 2.0 * value,
            _ => value,
        };
        let known = NAMES.iter().filter_map(|(column, tags)| {
            let tag = tags[library];
            metrics.column(column).map(|value| Value::scalar(tag.into(), theirs(tag, value)))
        });
        let group = ["losses", "train"][library];
        let others = metrics.others.iter().map(|(name, value)| Value::scalar(format!("{group}/{name}"), *value));
        let values = known.chain(others).collect();
        self.append(metrics.env_steps, values)
    }

    fn evaluation(&mut self, evaluated: &Evaluated) -> Result<()> {
        let of = &evaluated.evaluation;
        let tags = [["eval/episodic_return", "eval/episodic_length"], ["eval/mean_reward", "eval/mean_ep_length"]];
        let [tag_of_return, tag_of_length] = tags[self.library];
        let values = [(tag_of_return, of.return_mean), (tag_of_length, of.length_mean)];
        let values = values.into_iter().filter_map(|(tag, value)| Some(Value::scalar(tag.into(), value?))).collect();
        self.append(evaluated.env_steps, values)
    }

    fn wants_weights(&self, update: u64) -> bool {
        self.histogram_every > 0 && update.is_multiple_of(self.histogram_every)
    }

    fn weights(&mut self, weights: &Weights<'_>) -> Result<()> {
        let of = |group: &str, block: &Block, numbers: &[f32]| {
            let histogram = Histogram::of(&numbers[block.range()])?;
            Some(Value::histogram(format!("{group}/{}", block.name), histogram))
        };
        let blocks = weights.params.layout().blocks();
        let mut values: Vec<Value> =
            weights.params.read(|theta| blocks.iter().filter_map(|block| of("weights", block, theta)).collect())?;
        if let Some(gradient) = weights.gradient {
            values.extend(blocks.iter().filter_map(|block| of("gradients", block, gradient)));
        }
        self.append(weights.env_steps, values)
    }

    fn sync(&mut self) -> Result<String> {
        Ok(self.file.sync()?.to_string())
    }

    fn resume(&mut self, mark: Option<&str>) -> Result<()> {
        self.file.keep_marked(mark)
    }

    fn take_notes(&mut self) -> Vec<String> {
        self.file.take_notes()
    }
}
