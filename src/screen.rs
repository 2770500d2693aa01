//! What a program shows: results on standard output, all else on standard error, either of which may be closed or full.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use uphill_envs::counted;

use crate::{Error, Evaluation, Result, whole_file};

/// The longest that lines of progress are apart.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Writes a result, a line of it, to standard output.
///
/// # Errors
/// [`Error::Output`] if it cannot be written. [`BrokenPipe`](io::ErrorKind::BrokenPipe) in it says that whoever read the
/// results has read enough of them.
pub fn say(line: impl Display) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Error::Output)
}

/// Writes a line to standard error. Where that is closed or full it is lost, which is no reason to lose more.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether standard error is a terminal on which a bar can be drawn over and over: not where `TERM` is `dumb`.
pub(crate) fn redraws() -> bool {
    !ProgressDrawTarget::stderr().is_hidden()
}

/// Numbers with as many digits as the largest of them needs: three that count, one of them a decimal at least.
///
/// ```
/// assert_eq!(uphill::screen::amounts([0.995]), ["0.995"]);
/// assert_eq!(uphill::screen::amounts([-0.001]), ["-0.00100"]);
/// assert_eq!(uphill::screen::amounts([487.12, 0.04, -3.0]), ["487.1", "0.0", "-3.0"]);
/// ```
#[must_use]
pub fn amounts<const N: usize>(numbers: [f64; N]) -> [String; N] {
    let largest = numbers.iter().filter(|x| x.is_finite()).fold(0.0, |most: f64, x| most.max(x.abs()));
    let decimals = match largest {
        0.0 => 1,
        // Rounded first, so that 9.999 is as long as 10.
        _ => (2 - format!("{largest:.2e}").split_once('e').map_or(0, |(_, e)| e.parse().unwrap_or(0))).clamp(1, 300),
    };
    numbers.map(|x| {
        let exponential = !(1e-9..1e9).contains(&largest) && largest != 0.0;
        // No minus sign before what is zero as written; an infinity and NaN stay what they are.
        let x = if (x.abs() * 10f64.powi(decimals)) < 0.5 { 0.0 } else { x };
        if exponential { format!("{x:.2e}") } else { format!("{x:.*}", decimals as usize) }
    })
}

/// A path with nothing in it that a terminal would obey, and of a very long one its end.
#[must_use]
pub fn path(path: &Path) -> String {
    whole_file::shown_path(path)
}

/// The returns of an evaluation: mean, deviation and lowest, or why they are unknown.
#[must_use]
pub fn returns(of: &Evaluation) -> String {
    match (of.return_mean, of.return_std, of.return_min) {
        (Some(mean), Some(std), Some(min)) => {
            let [mean, std, min] = amounts([mean, std, min]);
            format!("{mean} ± {std}, lowest {min}, over {}", counted(of.episodes, "episode"))
        }
        _ => of.unknown().unwrap_or_default(),
    }
}

/// How far some work has come, on standard error: a bar on a terminal, a line now and then elsewhere.
#[derive(Debug)]
pub struct Bar(How);

#[derive(Debug)]
enum How {
    Drawn(ProgressBar),
    Lines(Mutex<Lines>),
}

#[derive(Debug)]
struct Lines {
    length: u64,
    done: u64,
    what: String,
    /// The tenth of the way, and the moment, of the last line.
    tenth: u64,
    at: Instant,
}

impl Bar {
    /// For work of some length, which is called so; [`begin`](Self::begin) says it later.
    #[must_use]
    pub fn new(what: &str, length: u64) -> Self {
        if redraws() {
            let style = ProgressStyle::with_template("{bar:32.cyan} {percent:>3}%  {msg}  {eta} left");
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─");
            let bar = ProgressBar::new(length).with_style(style);
            bar.set_message(what.to_owned());
            return Self(How::Drawn(bar));
        }
        let lines = Lines { length, done: 0, what: what.into(), tenth: 0, at: Instant::now() };
        Self(How::Lines(Mutex::new(lines)))
    }

    /// The next work, and how long it is.
    pub fn begin(&self, what: &str, length: u64) {
        match &self.0 {
            How::Drawn(bar) => {
                bar.reset();
                bar.set_length(length);
                bar.set_message(what.to_owned());
            }
            How::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                *lines = Lines { length, done: 0, what: what.into(), tenth: 0, at: Instant::now() };
            }
        }
    }

    /// The next part of the same work.
    pub fn part(&self, what: &str) {
        match &self.0 {
            How::Drawn(bar) => bar.set_message(what.to_owned()),
            How::Lines(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).what = what.into(),
        }
    }

    /// So much more of it is done.
    pub fn inc(&self, by: u64) {
        match &self.0 {
            How::Drawn(bar) => bar.inc(by),
            How::Lines(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                let done = lines.done.saturating_add(by);
                lines.reach(done);
            }
        }
    }

    /// So much of it is done.
    pub fn reach(&self, done: u64) {
        match &self.0 {
            How::Drawn(bar) => bar.set_position(done),
            How::Lines(lines) => lines.lock().unwrap_or_else(PoisonError::into_inner).reach(done),
        }
    }
}

/// A bar of what may be over at once: it is shown, or a line says what is going on, once that has taken a second.
#[derive(Debug)]
pub struct PatientBar<'a> {
    what: &'a str,
    begun: Instant,
    bar: Option<Bar>,
}

impl<'a> PatientBar<'a> {
    /// For work that is called so, and begins now.
    #[must_use]
    pub fn new(what: &'a str) -> Self {
        Self { what, begun: Instant::now(), bar: None }
    }

    /// So much of so much is done.
    pub fn reach(&mut self, done: u64, length: u64) {
        if self.bar.is_none() && self.begun.elapsed() >= Duration::from_secs(1) {
            if !redraws() {
                tell(self.what);
            }
            self.bar = Some(Bar::new(self.what, length));
        }
        self.bar.iter().for_each(|bar| bar.reach(done));
    }
}

impl Lines {
    fn reach(&mut self, done: u64) {
        self.done = done;
        let share = |of: u128| u128::from(done) * of / u128::from(self.length.max(1));
        let tenth = u64::try_from(share(10)).unwrap_or(u64::MAX);
        if tenth != self.tenth || self.at.elapsed() >= PATIENCE {
            (self.tenth, self.at) = (tenth, Instant::now());
            tell(format_args!("{:>3}%  {}", share(100).min(100), self.what));
        }
    }
}

impl Drop for Bar {
    /// Clears the bar, so that what follows, an error too, starts on a line of its own.
    fn drop(&mut self) {
        if let How::Drawn(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::amounts;

    #[test]
    fn a_number_has_the_digits_that_its_scale_needs() {
        for (numbers, shown) in [
            ([0.995, 0.0], ["0.995", "0.000"]),
            ([-0.001, -0.004], ["-0.00100", "-0.00400"]),
            ([500.0, -0.001], ["500.0", "0.0"]),
            ([9.999, 1.0], ["10.0", "1.0"]),
            ([0.81, 0.0004], ["0.810", "0.000"]),
            ([-65_375.4, 13.0], ["-65375.4", "13.0"]),
            ([0.0, -0.0], ["0.0", "0.0"]),
            ([f64::NAN, 1.0], ["NaN", "1.00"]),
            ([f64::NEG_INFINITY, 0.5], ["-inf", "0.500"]),
            ([1e30, 1.0], ["1.00e30", "1.00e0"]),
        ] {
            assert_eq!(amounts(numbers), shown, "{numbers:?}");
        }
    }
}
