//! What a comparison, or a search, shows while it runs: a bar with the time left on a terminal, plain lines elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use uphill_envs::counted;

use crate::screen::{self, tell};

/// Shows on standard error how many runs are done.
#[derive(Debug)]
pub(crate) struct Progress {
    how: How,
    total: u64,
    done: AtomicU64,
    /// Runs skipped since runs last began.
    skipped: AtomicU64,
}

#[derive(Debug)]
enum How {
    Quiet,
    Bar(ProgressBar),
    /// A line each tenth of the way.
    Lines,
}

impl Progress {
    /// For so many runs.
    pub(crate) fn new(total: u64, quiet: bool) -> Self {
        let how = if quiet {
            How::Quiet
        } else if screen::redraws() {
            let runs = if total == 1 { "run" } else { "runs" };
            let template = format!(
                "{{bar:32.cyan}} {{percent:>3}}%  {{human_pos}} of {{human_len}} {runs}  {{eta}} left  {{msg}}"
            );
            let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
            How::Bar(ProgressBar::new(total).with_style(style.progress_chars("━╸─")))
        } else {
            How::Lines
        };
        Self { how, total, done: AtomicU64::new(0), skipped: AtomicU64::new(0) }
    }

    /// A run need not be done again.
    pub(crate) fn skip(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.skipped.fetch_add(1, Ordering::Relaxed);
    }

    /// What is not skipped begins now: the time left is reckoned from here.
    pub(crate) fn begin(&self) {
        let skipped = self.skipped.swap(0, Ordering::Relaxed);
        match &self.how {
            How::Bar(bar) => {
                bar.inc(skipped);
                bar.reset_eta();
                bar.enable_steady_tick(Duration::from_millis(500));
            }
            How::Lines if skipped > 0 => {
                let done = self.done.load(Ordering::Relaxed);
                tell(format_args!("{skipped:>6} there already: {done} of {} done", counted(self.total, "run")));
            }
            How::Lines | How::Quiet => {}
        }
    }

    /// A run is done.
    pub(crate) fn done(&self, name: &str) {
        let done = 1 + self.done.fetch_add(1, Ordering::Relaxed);
        let tenth = |done: u64| done * 10 / self.total.max(1);
        match &self.how {
            How::Bar(bar) => {
                bar.set_message(name.to_string());
                bar.inc(1);
            }
            How::Lines if tenth(done) > tenth(done - 1) => {
                tell(format_args!("{done:>6} of {}  {name}", counted(self.total, "run")));
            }
            How::Lines | How::Quiet => {}
        }
    }

    /// A line of text that stays, also where all else is quiet.
    pub(crate) fn note(&self, text: &str) {
        match &self.how {
            How::Bar(bar) => bar.println(text),
            How::Lines | How::Quiet => tell(text),
        }
    }
}

impl Drop for Progress {
    /// Clears the bar, so that what follows, an error too, starts on a line of its own.
    fn drop(&mut self) {
        if let How::Bar(bar) = &self.how {
            bar.finish_and_clear();
        }
    }
}
