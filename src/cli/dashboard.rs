//! `--tui`: training on the whole terminal while it goes on. It looks at the trainer between two updates and changes nothing of it.

mod agent;
mod board;
mod curve;
mod panel;
mod view;
mod window;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use agent::Agent;
use board::Board;
use ratatui::crossterm::event::{self, Event as Input, KeyCode, KeyEventKind, KeyModifiers};
use window::Window;
pub(super) use window::{is_shown, leave};

use super::interrupt::{interrupt, is_interrupted};
use super::train::Seen;
use crate::screen::{self, tell};
use crate::{Error, Event, Result, Trainer};

/// How far pictures are apart.
const PICTURE: Duration = Duration::from_millis(50);

/// What is on the terminal, until it is dropped.
pub(super) struct Dashboard {
    board: Arc<Mutex<Board>>,
    agent: Agent,
    begun: Instant,
    drawing: Option<JoinHandle<()>>,
}

impl Dashboard {
    /// Refuses a place where nothing can be drawn, before there is anything to lose.
    pub(super) fn check() -> Result<()> {
        match screen::redraws() {
            true => Ok(()),
            false => Err(Error::Config(
                "--tui draws on standard error, and that is no terminal that can draw: leave it out, or run it in a \
                 terminal, without `2>` and with TERM other than `dumb`"
                    .into(),
            )),
        }
    }

    /// Takes the terminal, for the run in a folder.
    pub(super) fn new(trainer: &Trainer, folder: &Path) -> Result<Self> {
        let board = Arc::new(Mutex::new(Board::new(trainer, folder)));
        let agent = Agent::new(trainer)?;
        let mut window = Window::open()?;
        let begun = Instant::now();
        let (shown, scene) = (board.clone(), agent.scene());
        let draw = move || {
            while is_shown() {
                let (board, scene) = (lock(&shown).clone(), lock(&scene).clone());
                // What cannot be drawn is no reason to stop training.
                let _ = window.draw(|frame| view::draw(frame, &board, &scene, begun.elapsed(), is_interrupted()));
                obey();
            }
        };
        let drawing = Builder::new().name("dashboard".into()).spawn(draw).inspect_err(|_| leave());
        let problem = |e| Error::Config(format!("--tui cannot draw: {e}; leave it out"));
        Ok(Self { board, agent, begun, drawing: Some(drawing.map_err(problem)?) })
    }

    /// Shows what there is to be seen.
    pub(super) fn see(&self, seen: &Seen<'_>) {
        let mut board = lock(&self.board);
        match seen {
            Seen::Warning(text) => board.warn(text),
            Seen::Event(Event::Update(metrics), trainer) => {
                board.update(metrics, trainer.spent(), self.begun.elapsed());
            }
            Seen::Event(Event::Evaluation(evaluated), trainer) => board.evaluated(evaluated, trainer.spent()),
        }
        drop(board);
        if let Seen::Event(_, trainer) = seen {
            self.agent.follow(trainer);
        }
    }

    /// Gives the terminal back, and leaves the warnings on it.
    pub(super) fn finish(mut self) {
        self.end();
        lock(&self.board).warnings().for_each(tell);
    }

    fn end(&mut self) {
        leave();
        self.drawing.take().into_iter().for_each(|drawing| drop(drawing.join()));
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.end();
    }
}

/// Waits for keys until the next picture, and does what they say.
fn obey() {
    match event::poll(PICTURE) {
        Ok(true) => {}
        Ok(false) => return,
        // There is no keyboard.
        Err(_) => return std::thread::sleep(PICTURE),
    }
    if let Ok(Input::Key(key)) = event::read()
        && key.kind == KeyEventKind::Press
    {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => drop(interrupt()),
            // Only once: a key that is held down is no wish to lose anything.
            KeyCode::Char('q') if !control && !is_interrupted() => drop(interrupt()),
            _ => {}
        }
    }
}

/// What another thread left, whatever has become of that.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
