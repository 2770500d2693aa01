//! The grid world as a finite decision process.

use std::collections::BTreeSet;

use super::{Landing, Place};
use crate::{FiniteMdp, GridWorld, MdpError, Outcome, tabular::MOST_OUTCOMES};

impl GridWorld {
    /// The decision process that this environment samples from, without any time limit.
    ///
    /// Its states are the [`model_states`](Self::model_states), in that order; its rewards are the f32 rewards of the
    /// configuration, exactly.
    ///
    /// # Errors
    /// [`MdpError::TooLarge`] on a map of very many cells, of many cliffs and many starts, each of which every cliff may lead
    /// to, or of many cells that the goal is drawn from; [`MdpError::ManyNumbers`] where its observations would fill the memory.
    pub fn model(&self) -> Result<FiniteMdp, MdpError> {
        let states = self.places()?;
        let d = self.spec.observation_len();
        FiniteMdp::check_size(states.len(), d)?;
        // Every place that is looked for is there.
        let state_of = |at: Place| states.binary_search(&at).unwrap_or_default();
        let actions = self.moves.all();

        let mut outcomes = Vec::with_capacity(states.len() * actions.len());
        let mut room = MOST_OUTCOMES;
        for &at in &states {
            for &action in actions {
                let mut row = Vec::new();
                if self.goes_on(at) {
                    for (direction, wind, probability) in self.chances(at.cell, action).filter(|&(_, _, p)| p > 0.0) {
                        let (reward, landing) = self.go(at, direction, wind);
                        let count = self.places_of(at, landing).count();
                        let terminal = matches!(landing, Landing::On { terminal: true, .. });
                        row.extend(self.places_of(at, landing).map(|next| Outcome {
                            probability: if count == 1 { probability } else { probability * (1.0 / count as f64) },
                            next: state_of(next),
                            reward: f64::from(reward),
                            terminal,
                        }));
                    }
                }
                room = room.checked_sub(row.len()).ok_or(MdpError::TooLarge { most: MOST_OUTCOMES })?;
                outcomes.push(row);
            }
        }

        let mut start = vec![0.0; states.len()];
        let share = 1.0 / self.starts(None).count() as f64;
        for cell in self.starts(None) {
            let goals = self.goals(cell).count().max(1);
            self.begins(cell).for_each(|at| start[state_of(at)] = share / goals as f64);
        }
        let mut observations = vec![0.0; states.len() * d];
        for (row, &at) in observations.chunks_exact_mut(d).zip(&states) {
            self.view.show(&self.map, at, row);
        }
        FiniteMdp::new(actions.len(), outcomes, start, observations)
    }

    /// The cells that an episode can come to stand on, terminal ones too, each with the goal where that is drawn, ascending:
    /// the states of the model.
    ///
    /// # Errors
    /// [`MdpError::TooLarge`] for more of them than a model may have outcomes.
    pub fn model_states(&self) -> Result<Vec<(usize, Option<usize>)>, MdpError> {
        Ok(self.places()?.into_iter().map(|at| (at.cell, at.goal)).collect())
    }

    fn places(&self) -> Result<Vec<Place>, MdpError> {
        let too_large = MdpError::TooLarge { most: MOST_OUTCOMES };
        if self.map.starts().len().saturating_mul(self.drawn.len()) > MOST_OUTCOMES {
            return Err(too_large);
        }
        let mut frontier: Vec<Place> = self.starts(None).flat_map(|cell| self.begins(cell)).collect();
        let mut found: BTreeSet<Place> = frontier.iter().copied().collect();
        while let Some(at) = frontier.pop().filter(|_| found.len() <= MOST_OUTCOMES) {
            if !self.goes_on(at) {
                continue;
            }
            for &action in self.moves.all() {
                for (direction, wind, _) in self.chances(at.cell, action) {
                    match self.go(at, direction, wind).1 {
                        // Of several starts, all that an episode may go back to are where it may begin, too.
                        Landing::Back if self.map.starts().len() > 1 => {}
                        landing => frontier.extend(self.places_of(at, landing).filter(|next| found.insert(*next))),
                    }
                }
            }
        }
        if found.len() > MOST_OUTCOMES { Err(too_large) } else { Ok(found.into_iter().collect()) }
    }

    /// The places at which an episode that starts on this cell may begin, each as likely.
    fn begins(&self, cell: usize) -> impl Iterator<Item = Place> {
        let none = self.drawn.is_empty().then_some(Place { cell, goal: None });
        none.into_iter().chain(self.goals(cell).map(move |goal| Place { cell, goal: Some(goal) }))
    }

    /// The places that a landing may turn out to be, each as likely.
    fn places_of(&self, at: Place, landing: Landing) -> Box<dyn Iterator<Item = Place> + '_> {
        match landing {
            Landing::On { cell, .. } => Box::new(std::iter::once(Place { cell, ..at })),
            Landing::Next { cell } => Box::new(self.begins(cell)),
            Landing::Back => Box::new(self.starts(at.goal).map(move |cell| Place { cell, ..at })),
        }
    }
}
