//! Room that is kept from call to call.

use std::any::Any;
use std::fmt;

use crate::stop::{Flag, Stop};

/// Room for whoever works with it, kept so that the next call does not allocate. It holds no state that matters: any may be
/// used with any model, and a fresh one gives the same answers.
#[derive(Default)]
pub struct Scratch {
    room: Option<Box<dyn Any + Send>>,
    pub(crate) stop: Option<Flag>,
    /// Whether who learns next, with this room, learns from what is passed now, all of it at once: a model may keep it.
    pub(crate) keeps: bool,
}

impl Scratch {
    /// The room of one's own kind; a fresh one where it was another's.
    pub fn of<T: Any + Send + Default>(&mut self) -> &mut T {
        self.with_stop().1
    }

    /// The same, and whether to break off, to be asked now and then by what takes long.
    pub fn with_stop<T: Any + Send + Default>(&mut self) -> (Stop<'_>, &mut T) {
        let Self { room, stop, .. } = self;
        if !room.as_ref().is_some_and(|room| room.is::<T>()) {
            *room = Some(Box::new(T::default()));
        }
        match room.as_mut().and_then(|room| room.downcast_mut()) {
            Some(room) => (Stop::of(stop.as_ref()), room),
            None => unreachable!("it has just been made"),
        }
    }

    /// Exchanges its room for another's.
    pub(crate) fn exchange(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.room, &mut other.room);
    }

    /// Whether to break off.
    #[must_use]
    pub fn stop(&self) -> Stop<'_> {
        Stop::of(self.stop.as_ref())
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch")
    }
}
