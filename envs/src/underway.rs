//! One environment's way through its episodes.

use crate::{EnvError, NumpyRng, Step};

/// The state that an environment is in, the generator that it draws from, and whether its episode is over: what the
/// methods of [`Env`](crate::Env) share where the equations are functions of a state.
#[derive(Debug, Clone)]
pub(crate) struct Underway<T> {
    rng: NumpyRng,
    state: T,
    needs_reset: bool,
}

impl<T: Copy> Underway<T> {
    /// An environment not yet reset; the state is only there to be drawn.
    pub(crate) fn new(state: T) -> Self {
        Self { rng: NumpyRng::default(), state, needs_reset: true }
    }

    pub(crate) fn state(&self) -> T {
        self.state
    }

    /// Starts an episode in what `first` draws, with another generator or the one that it has.
    pub(crate) fn begin(&mut self, rng: Option<NumpyRng>, first: impl FnOnce(&mut NumpyRng) -> T) -> T {
        if let Some(rng) = rng {
            self.rng = rng;
        }
        self.state = first(&mut self.rng);
        self.needs_reset = false;
        self.state
    }

    /// Goes where `advance` leads.
    pub(crate) fn step(&mut self, advance: impl FnOnce(T, &mut NumpyRng) -> (T, Step)) -> Result<(T, Step), EnvError> {
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        let (state, step) = advance(self.state, &mut self.rng);
        self.state = state;
        self.needs_reset = step.end.ended();
        Ok((state, step))
    }

    /// Appends everything; `words` are those of the state.
    pub(crate) fn save<const W: usize>(&self, words: [u64; W], saved: &mut Vec<u64>) -> bool {
        saved.extend(words);
        saved.push(self.needs_reset.into());
        saved.extend(self.rng.place());
        true
    }

    /// Takes it back. `read` makes a state of its words, if they are of one.
    pub(crate) fn restore<const W: usize>(
        &mut self,
        saved: &[u64],
        read: impl FnOnce([u64; W]) -> Option<T>,
    ) -> Result<(), EnvError> {
        let problem = "expected the state of such an environment, 0 or 1, and a generator's three words";
        let read = |saved: &[u64]| {
            let (&words, rest) = saved.split_first_chunk::<W>()?;
            let &[needs_reset @ (0 | 1), low, high, drawn] = rest else { return None };
            Some(Self { rng: NumpyRng::at([low, high, drawn]), state: read(words)?, needs_reset: needs_reset == 1 })
        };
        *self = read(saved).ok_or(EnvError::Saved { problem })?;
        Ok(())
    }
}
