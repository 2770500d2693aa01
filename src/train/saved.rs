//! The state of a run: taken from a trainer, and given to one.

use std::time::Instant;

use super::Trainer;
use crate::algo::{self, Learner};
use crate::arrays::Arrays;
use crate::checkpoint::{Checkpoint, Progress};
use crate::seed::{from_words, words};
use crate::{Error, OnDivergence, Result};

impl Trainer {
    /// The state of the run, to go on from elsewhere. Of several ranks it is that of all: each asks for it at once, and gets the
    /// same.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] after an error within an update: the run is then between two states. What
    /// [`World::gather`](crate::World::gather) fails with.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        let own = self.own_state()?;
        self.gathered(own)
    }

    /// Whether there is a state to save: an update that broke off leaves none.
    pub(crate) fn is_whole(&self) -> bool {
        !self.broken_off
    }

    /// The same with this rank's lanes alone.
    pub(super) fn own_state(&mut self) -> Result<Checkpoint> {
        if self.broken_off {
            let update = self.progress.update + 1;
            return Err(Error::Checkpoint(format!("update {update} was broken off: there is no whole state to save")));
        }
        let mut arrays = Arrays::default();
        let Learner { params, optimizer, shuffle, .. } = &mut self.learner;
        params.save("params", &mut arrays)?;
        optimizer.save("optimizer", &mut arrays)?;
        arrays.put("shuffle_rng", words(shuffle).to_vec());
        algo::save(&mut *self.algo, "algo", &mut arrays);
        self.learner.save_loss_scale(&mut arrays);
        self.collector.save(&mut arrays)?;
        self.normaliser.save(&mut arrays);
        self.history.save(&mut arrays);
        // To skip an update, what was before it is needed no longer, unless its evaluation is to come.
        let goes_back = self.config.on_divergence == OnDivergence::Rollback || self.evaluation_is_due();
        if let Some(good) = self.good.as_ref().filter(|_| goes_back) {
            arrays.extend(good);
        }
        let mut progress = Progress {
            env_steps: self.collector.env_steps(),
            episodes: self.history.episodes(),
            solved_at_step: self.history.solved_at_step(),
            wall_seconds: self.wall_seconds(),
            ..self.progress.clone()
        };
        self.save_best(&mut arrays, &mut progress);
        self.save_evaluations(&mut arrays, &mut progress);
        Ok(Checkpoint { config: self.config.clone(), progress, arrays })
    }

    /// The trainer that a checkpoint was made of: it goes on as if nothing had happened.
    ///
    /// # Errors
    /// As [`Trainer::new`] and [`Trainer::restore`].
    pub fn resume(checkpoint: &Checkpoint) -> Result<Self> {
        let mut trainer = Self::new(checkpoint.config())?;
        trainer.restore(checkpoint)?;
        Ok(trainer)
    }

    /// Goes on from the checkpoint of a trainer of the same configuration, with the same network and the same optimizer.
    /// `threads`, `device` and `max_memory` may differ, and so may the number of ranks, each of which goes on from the same checkpoint.
    ///
    /// Environments that cannot be saved start new episodes; a [note](Trainer::take_notes) says so.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for another configuration, or arrays that do not fit: the trainer is then good for nothing.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        if let Some(name) = checkpoint.other_setting(&self.config)? {
            let problem = format!("it is of a run with another setting {name}");
            return Err(Error::Checkpoint(problem));
        }
        self.go_on_from(checkpoint, Self::put_own_lanes)
    }

    /// Goes on from a state, with its lanes where `put_lanes` puts them, which says whether the environments go on.
    pub(super) fn go_on_from(
        &mut self,
        state: &Checkpoint,
        put_lanes: impl FnOnce(&mut Self, &Arrays, &Progress) -> Result<bool>,
    ) -> Result<()> {
        let Checkpoint { progress, arrays, .. } = state;
        self.broken_off = true;
        let Learner { params, optimizer, shuffle, .. } = &mut self.learner;
        params.restore("params", arrays)?;
        optimizer.restore("optimizer", arrays, params.layout())?;
        algo::restore(&mut *self.algo, "algo", arrays)?;
        let mut state = [0; 4];
        arrays.copy("shuffle_rng", &mut state)?;
        *shuffle =
            from_words(state).ok_or_else(|| Error::Checkpoint("`shuffle_rng` is no generator's state".into()))?;
        self.learner.restore_loss_scale(arrays)?;
        self.normaliser.restore(arrays)?;
        if !put_lanes(self, arrays, progress)? {
            self.normaliser.begin();
            self.algo.lanes_moved();
            self.notes.push("the environments cannot be saved: they start new episodes".into());
        }
        self.history.restore(arrays, progress.solved_at_step)?;
        self.history.follow(self.collector.episodes());
        self.restore_best(arrays, progress)?;
        self.restore_evaluations(arrays, progress)?;
        let good = arrays.starting_with("good.");
        self.good = (!good.is_empty()).then_some(good);
        self.progress = progress.clone();
        self.started = Instant::now();
        self.broken_off = false;
        Ok(())
    }
}
