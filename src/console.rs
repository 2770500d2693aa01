//! What training shows while it runs: a progress bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::config::Config;
use crate::metrics::Metrics;

/// Shows progress on standard error, so that standard output stays free for results.
pub struct Console {
    how: How,
    /// The last warning: one that comes again with every update is shown once.
    warned: String,
}

enum How {
    Quiet,
    Bar(ProgressBar),
    /// A line each tenth of the way: the environment steps at which the next one is due.
    Lines {
        due: u64,
        every: u64,
    },
}

impl Console {
    /// A bar if standard error is a terminal, lines if not, nothing if `quiet`.
    #[must_use]
    pub fn new(config: &Config, quiet: bool) -> Self {
        let how = if quiet {
            How::Quiet
        } else if std::io::stderr().is_terminal() {
            let template = "{bar:32.cyan} {percent:>3}%  {human_pos} of {human_len} steps  {msg}  {eta} left";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            How::Bar(ProgressBar::new(config.steps).with_style(style.progress_chars("━╸─")))
        } else {
            let every = (config.steps / 10).max(1);
            How::Lines { due: every, every }
        };
        Self { how, warned: String::new() }
    }

    /// Shows one update.
    pub fn show(&mut self, metrics: &Metrics) {
        let shown = match metrics.episode_return_mean {
            Some(mean) => format!("return {mean:.1}"),
            None => "return -".to_string(),
        };
        match &mut self.how {
            How::Quiet => {}
            How::Bar(bar) => {
                bar.set_message(format!("{:.0} steps/s  {shown}", metrics.steps_per_second));
                bar.set_position(metrics.env_steps);
            }
            How::Lines { due, every } => {
                if metrics.env_steps >= *due {
                    let (steps, rate) = (metrics.env_steps, metrics.steps_per_second);
                    eprintln!("{steps:>9} steps  {rate:>7.0} steps/s  {shown}");
                    *due = (metrics.env_steps / *every + 1) * *every;
                }
            }
        }
    }

    /// Shows a warning, even if quiet, but not the same twice in a row.
    pub fn warn(&mut self, warning: &str) {
        if self.warned == warning {
            return;
        }
        self.warned = warning.into();
        match &self.how {
            How::Bar(bar) => bar.suspend(|| eprintln!("{warning}")),
            _ => eprintln!("{warning}"),
        }
    }

    /// Clears the bar, so that what follows starts on a line of its own.
    pub fn finish(&mut self) {
        if let How::Bar(bar) = &self.how {
            bar.finish_and_clear();
        }
    }
}
