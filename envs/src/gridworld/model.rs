//! The grid world as a finite decision process.

use std::collections::BTreeSet;

use super::{GridState, Landing, Place, Push};
use crate::{FiniteMdp, GridWorld, MdpError, Outcome, tabular::MOST_OUTCOMES};

impl GridWorld {
    /// The decision process that this environment samples from, without any time limit.
    ///
    /// Its states are the [`model_states`](Self::model_states), in that order; its rewards are the f32 rewards of the
    /// configuration, exactly.
    ///
    /// # Errors
    /// [`MdpError::TooLarge`] on a map of very many cells, of many cliffs and many starts, each of which every cliff may lead
    /// to, of many cells that the goal is drawn from, or of several boxes, which can stand in a great many ways; [`MdpError::ManyNumbers`] where its observations would fill the memory.
    pub fn model(&self) -> Result<FiniteMdp, MdpError> {
        let states = self.model_states()?;
        let d = self.spec.observation_len();
        FiniteMdp::check_size(states.len(), d)?;
        // Every place that is looked for is there.
        let state_of = |state: GridState| states.binary_search(&state).unwrap_or_default();
        let actions = self.moves.all();

        let mut outcomes = Vec::with_capacity(states.len() * actions.len());
        let mut room = MOST_OUTCOMES;
        for state in &states {
            let (at, boxes) = (state.place(), &*state.boxes);
            for &action in actions {
                let mut row = Vec::new();
                if self.goes_on(at, boxes) {
                    for (direction, wind, probability) in self.chances(at.cell, action).filter(|&(_, _, p)| p > 0.0) {
                        let (reward, landing, push) = self.go(at, boxes, direction, wind);
                        let count = self.places_of(at, landing).count();
                        let terminal = matches!(landing, Landing::On { terminal: true, .. });
                        let boxes = pushed(boxes, push);
                        row.extend(self.places_of(at, landing).map(|next| Outcome {
                            probability: if count == 1 { probability } else { probability * (1.0 / count as f64) },
                            next: state_of(next.with(&boxes)),
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
            self.begins(cell).for_each(|at| start[state_of(at.with(self.rules.first()))] = share / goals as f64);
        }
        let mut observations = vec![0.0; states.len() * d];
        for (row, state) in observations.chunks_exact_mut(d).zip(&states) {
            self.view.show(&self.map, state.place(), &state.boxes, row);
        }
        FiniteMdp::new(actions.len(), outcomes, start, observations)
    }

    /// All that an episode can come to, terminal states too, ascending: the states of the model.
    ///
    /// # Errors
    /// [`MdpError::TooLarge`] for more of them than a model may have.
    pub fn model_states(&self) -> Result<Vec<GridState>, MdpError> {
        let too_large = MdpError::TooLarge { most: MOST_OUTCOMES };
        if self.map.starts().len().saturating_mul(self.drawn.len()) > MOST_OUTCOMES {
            return Err(too_large);
        }
        let begins = self.starts(None).flat_map(|cell| self.begins(cell));
        let mut frontier: Vec<GridState> = begins.map(|at| at.with(self.rules.first())).collect();
        let mut found: BTreeSet<GridState> = frontier.iter().cloned().collect();
        // Each that an episode goes on from has an outcome for every action.
        let mut room = MOST_OUTCOMES / self.moves.all().len();
        while let Some(state) = frontier.pop().filter(|_| found.len() <= MOST_OUTCOMES) {
            let (at, boxes) = (state.place(), &*state.boxes);
            if !self.goes_on(at, boxes) {
                continue;
            }
            room = room.checked_sub(1).ok_or(too_large.clone())?;
            for &action in self.moves.all() {
                for (direction, wind, _) in self.chances(at.cell, action) {
                    let (_, landing, push) = self.go(at, boxes, direction, wind);
                    // Of several starts, all that an episode may go back to are where it may begin, too.
                    if landing == Landing::Back && self.map.starts().len() > 1 {
                        continue;
                    }
                    let boxes = pushed(boxes, push);
                    let next = self.places_of(at, landing).map(|next| next.with(&boxes));
                    frontier.extend(next.filter(|next| found.insert(next.clone())));
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

/// Where boxes stand after a push.
fn pushed(boxes: &[usize], push: Option<Push>) -> Vec<usize> {
    let mut boxes = boxes.to_vec();
    if let Some(push) = push {
        push.apply(&mut boxes);
    }
    boxes
}
