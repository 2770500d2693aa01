//! What training shows while it runs: a progress bar on a terminal, plain lines elsewhere.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::config::Config;
use crate::episodes::LONGEST;
use crate::evaluation::Evaluated;
use crate::metrics::Metrics;
use crate::screen::{self, tell};

/// Shows progress on standard error, so that standard output stays free for results.
pub struct Console {
    how: How,
    /// The last warning: one that comes again with every update is shown once.
    warned: String,
    /// Environments side by side.
    lanes: u64,
    /// What the last evaluation came to, as the bar shows it.
    evaluated: String,
    /// Whether it has been said that no episode ends.
    told: bool,
}

enum How {
    Quiet,
    Bar(ProgressBar),
    /// A line each tenth of the way, or after a while: the environment steps at which the next one is due, and the moment of
    /// the last one.
    Lines {
        due: u64,
        every: u64,
        at: Instant,
    },
}

impl Console {
    /// A bar if standard error is a terminal that can draw one, lines if not, nothing if `quiet`.
    #[must_use]
    pub fn new(config: &Config, quiet: bool) -> Self {
        let how = if quiet {
            How::Quiet
        } else if screen::redraws() {
            let template = "{bar:32.cyan} {percent:>3}%  {human_pos} of {human_len} steps  {msg}  {eta} left";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            How::Bar(ProgressBar::new(config.steps).with_style(style.progress_chars("━╸─")))
        } else {
            let every = (config.steps / 10).max(1);
            How::Lines { due: every, every, at: Instant::now() }
        };
        Self { how, warned: String::new(), lanes: config.envs as u64, evaluated: String::new(), told: false }
    }

    /// Shows one update.
    pub fn show(&mut self, metrics: &Metrics) {
        let shown = match metrics.episode_return_mean {
            Some(mean) => format!("return {}", screen::amounts([mean])[0]),
            None if metrics.episodes == 0 => "no episode ended yet".to_string(),
            None => "return -".to_string(),
        };
        let longest = u64::from(LONGEST);
        if metrics.episodes == 0 && metrics.env_steps / self.lanes.max(1) > longest && !self.told && !self.is_quiet() {
            self.told = true;
            self.warn(&format!(
                "no episode has ended in {longest} steps of each environment: without one there is no return; a limit of \
                 steps (max_episode_steps) ends those that would not end by themselves"
            ));
        }
        match &mut self.how {
            How::Quiet => {}
            How::Bar(bar) => {
                bar.set_message(format!("{:.0} steps/s  {shown}{}", metrics.steps_per_second, self.evaluated));
                bar.set_position(metrics.env_steps);
            }
            How::Lines { due, every, at } => {
                if metrics.env_steps >= *due || at.elapsed() >= screen::PATIENCE {
                    let (steps, rate) = (metrics.env_steps, metrics.steps_per_second);
                    let unit = if steps == 1 { "step " } else { "steps" };
                    tell(format_args!("{steps:>9} {unit}  {rate:>7.0} steps/s  {shown}"));
                    *at = Instant::now();
                    *due = (metrics.env_steps / *every + 1) * *every;
                }
            }
        }
    }

    /// Shows an evaluation: a line of its own, or part of the bar from here on.
    pub fn evaluated(&mut self, evaluated: &Evaluated) {
        let mean = evaluated.evaluation.return_mean.map_or("-".into(), |mean| screen::amounts([mean])[0].clone());
        self.evaluated = format!("  evaluated {mean}");
        if matches!(self.how, How::Lines { .. }) {
            let (steps, returns) = (evaluated.env_steps, screen::returns(&evaluated.evaluation));
            let best = if evaluated.is_best { ", the best so far" } else { "" };
            tell(format_args!("{steps:>9} steps  evaluation {returns}{best}"));
        }
    }

    fn is_quiet(&self) -> bool {
        matches!(self.how, How::Quiet)
    }

    /// Shows a warning, even if quiet, but not the same twice in a row.
    pub fn warn(&mut self, warning: &str) {
        if self.warned == warning {
            return;
        }
        self.warned = warning.into();
        match &self.how {
            How::Bar(bar) => bar.suspend(|| tell(warning)),
            _ => tell(warning),
        }
    }

    /// Clears the bar, so that what follows starts on a line of its own.
    pub fn finish(&mut self) {
        if let How::Bar(bar) = &self.how {
            bar.finish_and_clear();
        }
    }
}
