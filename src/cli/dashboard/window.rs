//! The terminal, taken and given back.

use std::io::{self, BufWriter, Stderr, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::{Frame, Terminal};

use crate::{Error, Result};

/// Whether the terminal is taken.
static SHOWN: AtomicBool = AtomicBool::new(false);

/// Whether a dashboard has the terminal.
pub(in crate::cli) fn is_shown() -> bool {
    SHOWN.load(Ordering::SeqCst)
}

/// Gives the terminal back as it was, if a dashboard has it. Whoever is drawing ends the picture first, and draws no other.
pub(in crate::cli) fn leave() {
    // The same thread may hold it already: one that panics while it draws.
    let mut out = io::stderr().lock();
    if SHOWN.swap(false, Ordering::SeqCst) {
        // Nobody is left to be told.
        let _ = disable_raw_mode();
        let _ = execute!(out, LeaveAlternateScreen, Show);
    }
}

/// The terminal while it is taken. [`leave`] gives it back.
pub(super) struct Window(Terminal<CrosstermBackend<BufWriter<Stderr>>>);

impl Window {
    /// Takes the terminal. A panic gives it back before it says what happened.
    pub(super) fn open() -> Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                leave();
                before(panic);
            }));
        });
        let open = || -> io::Result<Self> {
            enable_raw_mode()?;
            SHOWN.store(true, Ordering::SeqCst);
            execute!(io::stderr(), EnterAlternateScreen, Clear(ClearType::All))?;
            Terminal::new(CrosstermBackend::new(BufWriter::new(io::stderr()))).map(Self)
        };
        let problem = |e: io::Error| Error::Config(format!("--tui cannot have the terminal: {e}; leave it out"));
        open().inspect_err(|_| leave()).map_err(problem)
    }

    /// Draws a picture, as large as the terminal is now, unless it was given back.
    pub(super) fn draw(&mut self, picture: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        let mut whole = io::stderr().lock();
        if is_shown() {
            self.0.draw(picture)?;
        }
        whole.flush()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        leave();
    }
}
