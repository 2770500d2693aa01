//! The best policy of a run, whenever it was.

use super::Trainer;
use crate::arrays::Arrays;
use crate::checkpoint::Progress;
use crate::{Buffers, Error, Params, Result};

/// A policy whose mean return was the highest so far: [in training](Trainer::best) or [by evaluation](Trainer::best_by_eval).
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// That mean.
    pub return_mean: f64,
    /// In training, the update whose row of metrics has it; by evaluation, the update before it.
    pub update: u64,
    /// The parameters that it had with, `[P]`: in training those of training, by evaluation, where the optimizer averages
    /// parameters for that, the average.
    pub params: Vec<f32>,
    /// Their buffers, as they were then.
    pub buffers: Buffers,
}

impl Best {
    /// The policy with these parameters, if its mean return is above that of the best before.
    pub(super) fn above(
        before: Option<&Self>,
        mean: Option<f64>,
        update: u64,
        params: &Params,
    ) -> Result<Option<Self>> {
        let better = mean.filter(|&mean| Some(mean) > before.map(|best| best.return_mean));
        let best = |return_mean| -> Result<Self> {
            Ok(Self { return_mean, update, params: params.snapshot()?, buffers: params.buffers().clone() })
        };
        better.map(best).transpose()
    }

    /// Adds what it has with to `arrays`, by names that begin so.
    pub(super) fn save(&self, name: &str, arrays: &mut Arrays) {
        arrays.put(format!("{name}.params"), self.params.clone());
        self.buffers.save(name, arrays);
    }

    /// The one that [`Best::save`] left of a network with such parameters.
    pub(super) fn restore(
        name: &str,
        arrays: &Arrays,
        (return_mean, update): (f64, u64),
        like: &Params,
    ) -> Result<Self> {
        if !return_mean.is_finite() {
            return Err(Error::Checkpoint(format!("a mean return of {return_mean}")));
        }
        let (mut params, mut buffers) = (vec![0.0; like.layout().len()], like.buffers().clone());
        arrays.copy(&format!("{name}.params"), &mut params)?;
        buffers.restore(name, arrays)?;
        Ok(Self { return_mean, update, params, buffers })
    }
}

impl Trainer {
    /// The policy that played when the mean return of the last 100 episodes that count was the highest so far, looked for
    /// after every rollout; none before 100 episodes count. Of equally good ones it is the first.
    #[must_use]
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// The policy that is playing, if it is the best so far.
    pub(super) fn better(&self, update: u64) -> Result<Option<Best>> {
        Best::above(self.best.as_ref(), self.history.return_mean_of_100(), update, &self.learner.params)
    }

    pub(super) fn save_best(&self, arrays: &mut Arrays, progress: &mut Progress) {
        if let Some(best) = &self.best {
            (progress.best_return, progress.best_update) = (Some(best.return_mean), best.update);
            best.save("best", arrays);
        }
    }

    pub(super) fn restore_best(&mut self, arrays: &Arrays, progress: &Progress) -> Result<()> {
        let best = |mean| Best::restore("best", arrays, (mean, progress.best_update), &self.learner.params);
        self.best = progress.best_return.map(best).transpose()?;
        Ok(())
    }
}
