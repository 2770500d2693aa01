//! The grid world as a finite decision process.

use crate::{FiniteMdp, GridWorld, MdpError, Outcome, map::Direction};

use super::Landing;

/// The most outcomes of a model, 32 MiB of them: a map of the largest size has at most 49152 unless cliffs send back to
/// one of many starts.
const MOST_OUTCOMES: usize = 1 << 20;

impl GridWorld {
    /// The decision process that this environment samples from, without any time limit.
    ///
    /// Its states are the [`model_cells`](Self::model_cells), in that order; its rewards are the f32 rewards of the
    /// configuration, exactly.
    ///
    /// # Errors
    /// [`MdpError::TooLarge`] on a map of many cliffs and many starts, each of which every cliff may lead to.
    pub fn model(&self) -> Result<FiniteMdp, MdpError> {
        let cells = self.model_cells();
        let mut state_of = vec![None; self.map.cells().len()];
        for (state, &cell) in cells.iter().enumerate() {
            state_of[cell] = Some(state);
        }
        let starts: Vec<usize> = self.map.starts().iter().filter_map(|&cell| state_of[cell]).collect();
        let start_probability = 1.0 / starts.len() as f64;

        let mut outcomes = Vec::with_capacity(cells.len() * Direction::ALL.len());
        let mut room = MOST_OUTCOMES;
        for &cell in &cells {
            for action in Direction::ALL {
                let mut row = Vec::new();
                if self.goes_on(cell) {
                    for (direction, probability) in self.directions(action).into_iter().filter(|&(_, p)| p > 0.0) {
                        let (reward, landing) = self.go(cell, direction);
                        let reward = f64::from(reward);
                        match landing {
                            Landing::On { cell, terminal } => {
                                let next = state_of[cell];
                                row.extend(next.map(|next| Outcome { probability, next, reward, terminal }));
                            }
                            Landing::Back => row.extend(starts.iter().map(|&next| Outcome {
                                probability: probability * start_probability,
                                next,
                                reward,
                                terminal: false,
                            })),
                        }
                    }
                }
                let Some(left) = room.checked_sub(row.len()) else {
                    return Err(MdpError::TooLarge { most: MOST_OUTCOMES });
                };
                room = left;
                outcomes.push(row);
            }
        }

        let mut start = vec![0.0; cells.len()];
        starts.iter().for_each(|&state| start[state] = start_probability);
        let d = self.spec.observation_len();
        let mut observations = vec![0.0; cells.len() * d];
        for (row, &cell) in observations.chunks_exact_mut(d).zip(&cells) {
            self.observe(cell, row);
        }
        FiniteMdp::new(Direction::ALL.len(), outcomes, start, observations)
    }

    /// The cells that an episode can come to stand on, terminal ones too, ascending: the states of the model.
    #[must_use]
    pub fn model_cells(&self) -> Vec<usize> {
        let mut found = vec![false; self.map.cells().len()];
        let mut frontier = self.map.starts().to_vec();
        frontier.iter().for_each(|&cell| found[cell] = true);
        while let Some(cell) = frontier.pop() {
            if !self.goes_on(cell) {
                continue;
            }
            for direction in Direction::ALL {
                if let (_, Landing::On { cell, .. }) = self.go(cell, direction)
                    && !found[cell]
                {
                    found[cell] = true;
                    frontier.push(cell);
                }
            }
        }
        (0..found.len()).filter(|&cell| found[cell]).collect()
    }

    /// Whether an episode goes on after coming to stand on this cell.
    fn goes_on(&self, cell: usize) -> bool {
        self.map.cells()[cell].is_floor()
    }
}
