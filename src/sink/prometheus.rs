//! `metrics.prom`: how far a long run is, for Prometheus.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Make, Row, Sink};
use crate::evaluation::Evaluated;
use crate::metrics::Metrics;
use crate::whole_file;
use crate::words::Args;
use crate::{Error, Result};

pub(super) const ROW: Row = Row {
    name: "prometheus",
    summary: "the last row as text for Prometheus, renewed at most once a second: a file for node_exporter's textfile collector",
    params: &[],
    make: Make { file: "metrics.prom", open: |_: &Args, path: &Path| Ok(Box::new(Prometheus::new(path))) },
};

/// What is renewed sooner nobody reads: Prometheus asks every 15 seconds or so.
const RENEWED: Duration = Duration::from_secs(1);

/// Whole text at any time, of the last row and the last evaluation.
///
/// Source: <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.
struct Prometheus {
    path: PathBuf,
    /// The label of the run: the name of its folder.
    run: String,
    metrics: Option<Metrics>,
    evaluated: Option<Judged>,
    written: Option<Instant>,
}

/// An evaluation: environment steps before it, the mean return, and the mean length in steps.
type Judged = (u64, Option<f64>, Option<f64>);

impl Prometheus {
    fn new(path: &Path) -> Self {
        let folder = path.parent().and_then(|folder| std::path::absolute(folder).ok());
        let run = folder.as_ref().and_then(|folder| folder.file_name()).unwrap_or_default().to_string_lossy();
        Self { path: path.into(), run: escaped(&run), metrics: None, evaluated: None, written: None }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let mut gauge = |name: &str, help: &str, value: Option<f64>| {
            if let Some(value) = value {
                let value = if value.is_finite() { value.to_string() } else { unreal(value).into() };
                // Writing to a string does not fail.
                let _ = writeln!(text, "# HELP uphill_{name} {help}\n# TYPE uphill_{name} gauge");
                let _ = writeln!(text, "uphill_{name}{{run=\"{}\"}} {value}", self.run);
            }
        };
        if let Some(metrics) = &self.metrics {
            for (name, help) in HELP {
                gauge(name, help, metrics.column(name));
            }
            for (name, value) in &metrics.others {
                // A term of one's own may be called what no metric is.
                let known = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
                gauge(&name.chars().map(known).collect::<String>(), "As in metrics.csv.", Some(*value));
            }
        }
        if let Some((env_steps, return_mean, length_mean)) = self.evaluated {
            gauge("eval_env_steps", "Environment steps before the last evaluation.", Some(env_steps as f64));
            gauge("eval_return_mean", "Mean return of the last evaluation.", return_mean);
            gauge("eval_length_mean", "Mean length of its episodes, in steps.", length_mean);
        }
        text
    }

    fn write(&mut self) -> Result<()> {
        whole_file::write(&self.path, self.text().as_bytes()).map_err(Error::io(&self.path))?;
        self.written = Some(Instant::now());
        Ok(())
    }

    fn write_if_due(&mut self) -> Result<()> {
        match self.written {
            Some(at) if at.elapsed() < RENEWED => Ok(()),
            _ => self.write(),
        }
    }
}

/// Every column, and what it says.
const HELP: [(&str, &str); 15] = [
    ("update", "Updates so far."),
    ("env_steps", "Environment steps so far, all lanes together."),
    ("episodes", "Episodes finished so far."),
    ("episode_return_mean", "Mean return of the last 100 episodes that count."),
    ("episode_length_mean", "Mean length of the same, in steps."),
    ("policy_loss", "Mean policy loss over the update's gradient steps."),
    ("value_loss", "Mean value loss."),
    ("entropy", "Mean entropy of the policy, in nats."),
    ("approx_kl", "Mean estimate of KL(old policy, new policy), in nats."),
    ("clip_fraction", "Share of steps whose probability ratio was clipped."),
    ("explained_variance", "Share of the value targets' variance that the critic explains."),
    ("grad_norm", "Mean norm of the gradient, before clipping."),
    ("update_norm", "Mean norm of the parameters' change."),
    ("lr", "The learning rate."),
    ("steps_per_second", "Environment steps a second since training began."),
];

/// A label's text, as it stands between quotes.
fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// What is no real number, as Prometheus writes it.
fn unreal(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

impl Sink for Prometheus {
    fn row(&mut self, metrics: &Metrics) -> Result<()> {
        self.metrics = Some(metrics.clone());
        self.write_if_due()
    }

    fn evaluation(&mut self, evaluated: &Evaluated) -> Result<()> {
        let Evaluated { env_steps, evaluation, .. } = evaluated;
        self.evaluated = Some((*env_steps, evaluation.return_mean, evaluation.length_mean));
        self.write_if_due()
    }

    /// The file is no record: of what it says the last evaluation alone is to be gone on from, as the next one may be far.
    fn sync(&mut self) -> Result<String> {
        self.write()?;
        serde_json::to_string(&self.evaluated).map_err(Error::part)
    }

    fn resume(&mut self, mark: Option<&str>) -> Result<()> {
        // A version before this one left an empty mark.
        self.evaluated = mark.and_then(|mark| serde_json::from_str(mark).ok()).flatten();
        Ok(())
    }
}
