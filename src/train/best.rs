//! The best policy of a run, whenever it was.

use super::Trainer;
use crate::arrays::Arrays;
use crate::checkpoint::Progress;
use crate::{Buffers, Error, Result};

/// The policy that played when the mean return of the last 100 episodes that count was the highest so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// That mean.
    pub return_mean: f64,
    /// The update whose row of metrics has it.
    pub update: u64,
    /// The parameters that played before that update, `[P]`: those of training, no average of them.
    pub params: Vec<f32>,
    /// Their buffers, as they were then.
    pub buffers: Buffers,
}

impl Trainer {
    /// The best policy so far, looked for after every rollout; none before 100 episodes count. Of equally good ones it is
    /// the first.
    #[must_use]
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// The policy that is playing, if it is the best so far.
    pub(super) fn better(&self, update: u64) -> Result<Option<Best>> {
        let best = self.best.as_ref().map(|best| best.return_mean);
        let better = self.history.return_mean_of_100().filter(|&mean| Some(mean) > best);
        let played = || self.learner.params.read(<[f32]>::to_vec);
        let buffers = || self.learner.params.buffers().clone();
        better.map(|return_mean| Ok(Best { return_mean, update, params: played()?, buffers: buffers() })).transpose()
    }

    pub(super) fn save_best(&self, arrays: &mut Arrays, progress: &mut Progress) {
        if let Some(Best { return_mean, update, params, buffers }) = &self.best {
            (progress.best_return, progress.best_update) = (Some(*return_mean), *update);
            arrays.put("best.params", params.clone());
            buffers.save("best", arrays);
        }
    }

    pub(super) fn restore_best(&mut self, arrays: &Arrays, progress: &Progress) -> Result<()> {
        let mut params = vec![0.0; self.learner.params.layout().len()];
        let mut buffers = self.learner.params.buffers().clone();
        let best = |return_mean: f64| {
            if !return_mean.is_finite() {
                return Err(Error::Checkpoint(format!("a mean return of {return_mean}")));
            }
            arrays.copy("best.params", &mut params)?;
            buffers.restore("best", arrays)?;
            Ok(Best { return_mean, update: progress.best_update, params, buffers })
        };
        self.best = progress.best_return.map(best).transpose()?;
        Ok(())
    }
}
