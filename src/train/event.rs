//! What happens in training, one thing after another.

use std::ops::ControlFlow;

use super::{Trainer, divergence};
use crate::evaluation::Evaluated;
use crate::metrics::Metrics;
use crate::{Error, Result};

/// The next thing that happened in training.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A rollout was learnt from.
    Update(Metrics),
    /// The policy was judged.
    Evaluation(Evaluated),
}

impl Trainer {
    /// Trains to the end, and shows the trainer and what happened to `each` after every update and every evaluation. Where
    /// `each` breaks, training ends there, to be gone on with or not, and this is what it broke with.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use uphill::{Config, Event, Trainer};
    ///
    /// let config = Config {
    ///     env: "GridWorld-4x4-v0".into(),
    ///     steps: 20_000,
    ///     eval_every: 2_000,
    ///     ..Config::for_algo("ppo")?
    /// };
    /// let mut trainer = Trainer::new(&config)?;
    /// let solved = trainer.run(|trainer, event| {
    ///     match event {
    ///         Event::Update(metrics) => println!("{} steps: KL {:?}", metrics.env_steps, metrics.approx_kl),
    ///         Event::Evaluation(it) if it.evaluation.return_min >= Some(0.9) => return ControlFlow::Break(it.env_steps),
    ///         Event::Evaluation(it) => println!("{} updates: {:?}", trainer.updates(), it.evaluation.return_mean),
    ///     }
    ///     ControlFlow::Continue(())
    /// })?;
    /// println!("every episode comes to 0.9 from step {solved:?} on");
    /// # assert!(solved.is_some_and(|step| step < 20_000));
    /// # Ok::<(), uphill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Trainer::advance`].
    pub fn run<B>(&mut self, mut each: impl FnMut(&mut Self, Event) -> ControlFlow<B>) -> Result<Option<B>> {
        while let Some(event) = self.advance()? {
            if let ControlFlow::Break(with) = each(self, event) {
                return Ok(Some(with));
            }
        }
        Ok(None)
    }

    /// An evaluation where one is due, else an update; `None` once training is over.
    ///
    /// # Errors
    /// [`Error::Diverged`] for a NaN or infinite loss, gradient or policy, unless
    /// [`on_divergence`](crate::Config::on_divergence) goes on after it: the parameters are then those of the last finite step.
    /// [`Error::Env`] if an environment fails, [`Error::Endless`] if episodes do not end and [`Error::Interrupted`] where
    /// [`Trainer::stop_when`] broke it off: the trainer is then as it was before. [`Error::Update`] if the algorithm, the network or the
    /// optimizer fails or panics: while it acts, the trainer is as it was before; while it learns, it has no whole state to save or to
    /// go on from.
    pub fn advance(&mut self) -> Result<Option<Event>> {
        loop {
            if self.evaluation_is_due() {
                match self.evaluate() {
                    // The update before it left such a policy; judged is the one that was gone back to.
                    Err(Error::NotFinite { what }) => {
                        let (update, remedy) = (self.progress.update, divergence::remedy(&self.config, 0.0));
                        self.go_back(Error::Diverged { update, what, remedy })?;
                        continue;
                    }
                    done => return done.map(Event::Evaluation).map(Some),
                }
            }
            if self.is_done() {
                return Ok(None);
            }
            self.note_good()?;
            match self.update() {
                Err(error @ Error::Diverged { .. }) => {
                    self.go_back(error)?;
                    self.progress.update += 1;
                }
                done => return done.map(Event::Update).map(Some),
            }
        }
    }

    /// The next update; `None` once training is over. An evaluation that is due comes before it, and can be
    /// [taken](Trainer::take_evaluations).
    ///
    /// # Errors
    /// As [`Trainer::advance`].
    pub fn step(&mut self) -> Result<Option<Metrics>> {
        loop {
            match self.advance()? {
                Some(Event::Update(metrics)) => return Ok(Some(metrics)),
                Some(Event::Evaluation(_)) => {}
                None => return Ok(None),
            }
        }
    }

    /// Whether training is over: all steps are taken, or an evaluation has [stopped](Trainer::stopped_by) it, and none is due.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_over = self.env_steps() >= self.config.steps || self.stopped_by().is_some();
        is_over && !self.evaluation_is_due()
    }
}
