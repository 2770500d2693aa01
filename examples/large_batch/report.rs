//! All that comes of a study: its tables, `report.md` and the pictures.

use std::fmt::Write;
use std::path::Path;

use indicatif::HumanCount;
use uphill::plot::{Landmark, PictureOptions, ScalingPanel, Series, scaling_panels};
use uphill::stats::Interval;
use uphill::{Error, Result};

use crate::noise::{Point, Scale};
use crate::record::{Record, whole};
use crate::runs::{Group, Runs, Trial};
use crate::study::{Rule, Size, Study};
use crate::tables::{self, Standing};

/// What there is of a study.
pub(crate) struct Found<'a> {
    study: &'a Study,
    groups: Vec<Group>,
    standings: Vec<Standing>,
    noise: Vec<Point>,
}

impl<'a> Found<'a> {
    /// Does what is not done yet, if it `works`, and takes what is there.
    pub(crate) fn of(study: &'a Study, out: &Path, works: bool) -> Result<Self> {
        let runs = Runs::open(study, out, works)?;
        let groups = runs.all()?;
        if groups.is_empty() {
            let problem = "no optimizer's runs at a size are all there: leave --report out".to_string();
            return Err(Error::File { path: out.into(), problem });
        }
        let noise = runs.noise(&groups)?;
        let standings = tables::standings(study, &groups)?;
        Ok(Self { study, groups, standings, noise })
    }

    /// Writes the tables.
    pub(crate) fn write_tables(&self, out: &Path) -> Result<()> {
        tables::write_results(self.study, &self.groups, out)?;
        tables::write_statistics(&self.standings, out)?;
        tables::write_noise(&self.noise, out)
    }

    /// Writes the report and its pictures.
    pub(crate) fn write_report(&self, out: &Path) -> Result<()> {
        pictures(self.study, &self.standings, &self.noise, out)?;
        whole(&out.join("report.md"), self.text().as_bytes())
    }

    /// The report.
    pub(crate) fn text(&self) -> String {
        text(self.study, &self.groups, &self.standings, &self.noise)
    }
}

fn pictures(study: &Study, standings: &[Standing], noise: &[Point], out: &Path) -> Result<()> {
    let pictures = out.join("pictures");
    std::fs::create_dir_all(&pictures).map_err(|source| Error::Io { path: pictures.clone(), source })?;
    let seeds = study.reported.seeds.count() as usize;
    let task = format!("PPO on {}", study.env());
    let what = "medians of Kaplan and Meier with 95% bootstrap intervals; no point where fewer than half of the runs get there";
    let options = PictureOptions::new(task, seeds, what);
    let landmarks = landmarks(noise);
    let measures: [(&str, &str, Measure); 2] = [
        ("steps", "environment steps until the return is there", |it, size| (it.steps, size.all_steps())),
        ("updates", "updates until the return is there", |it, size| (it.updates, size.rollouts())),
    ];
    for (name, axis, measure) in measures {
        let curve = |optimizer: &str, rule: Rule, label: &str| {
            let own = |it: &&Standing| it.optimizer == optimizer && it.is_under(rule, study);
            let points = standings.iter().filter(own).filter_map(|it| point(study, it, measure));
            Series { label: label.into(), points: points.collect() }
        };
        let optimizers = || study.optimizers.iter().map(|optimizer| optimizer.name());
        let tuned = optimizers().map(|name| curve(name, Rule::Tuned, name)).filter(|it| !it.points.is_empty());
        let together = ScalingPanel { name: String::new(), curves: tuned.collect() };
        let apart = optimizers().map(|name| ScalingPanel {
            name: name.into(),
            // What is drawn last is seen where lines meet.
            curves: [Rule::Sqrt, Rule::Linear, Rule::Tuned]
                .map(|rule| curve(name, rule, rule.label()))
                .into_iter()
                .filter(|it| !it.points.is_empty())
                .collect(),
        });
        let apart: Vec<ScalingPanel> = apart.filter(|panel| !panel.curves.is_empty()).collect();
        let names = ("batch, environment steps", axis);
        for (title, what, panels) in [("Tuned", "tuned", &[together][..]), ("Three rules", "rules", &apart)] {
            if panels.iter().any(|panel| !panel.curves.is_empty()) {
                let picture = scaling_panels(title, panels, &landmarks, names, &options)?;
                picture.save(pictures.join(format!("{what}-{name}.png")))?;
            }
        }
    }
    Ok(())
}

/// What is drawn of a standing, and the most that there was of it.
type Measure = fn(&Standing, &Size) -> (Interval, u64);

/// A point of a curve; none where fewer than half of the runs got there. An interval without an upper end ends at what runs had.
fn point(study: &Study, standing: &Standing, measure: Measure) -> Option<(f64, Interval)> {
    let size = study.sizes.iter().find(|size| size.batch == standing.batch)?;
    let (Interval { point, low, high }, most) = measure(standing, size);
    let high = high.min((most as f64).max(point));
    point.is_finite().then_some((standing.batch as f64, Interval { point, low, high }))
}

impl Standing {
    /// Whether it is of this rule: at the first size all rules are the same.
    fn is_under(&self, rule: Rule, study: &Study) -> bool {
        self.rule == rule || self.batch == study.base().batch
    }
}

impl Rule {
    fn label(self) -> &'static str {
        match self {
            Self::Tuned => "tuned at each size",
            Self::Sqrt => "scaled by the square root",
            Self::Linear => "scaled linearly",
        }
    }
}

/// The median of the noise scales, with the middle half of them.
fn landmarks(noise: &[Point]) -> Vec<Landmark> {
    let of = |what: &str, scale: fn(&Point) -> Scale| {
        // Where no signal is seen it is larger than any.
        let mut scales: Vec<f64> = noise.iter().map(|point| scale(point).point.unwrap_or(f64::INFINITY)).collect();
        scales.sort_by(f64::total_cmp);
        let at = |share: usize| scales.get(scales.len() * share / 4).copied().filter(|scale| scale.is_finite());
        let at = Interval { point: at(2)?, low: at(1)?, high: at(3)? };
        Some(Landmark { label: format!("noise scale of the {what}'s gradient, median and middle half"), at })
    };
    [of("policy", |point| point.policy), of("value", |point| point.value)].into_iter().flatten().collect()
}

fn text(study: &Study, groups: &[Group], standings: &[Standing], noise: &[Point]) -> String {
    let trials = || groups.iter().flat_map(|group| group.tried.iter().chain(group.reported.iter().map(|(_, it)| it)));
    let runs: usize = trials().map(|trial| trial.records.len()).sum();
    let mut text = format!("# Large batches: PPO on {}\n\n{runs} rows of runs, ", study.env());
    let missing = study.sizes.len() * study.optimizers.len() - groups.len();
    let _ = match missing {
        0 => writeln!(text, "all that `study.toml` asks for.\n"),
        _ => writeln!(
            text,
            "of {} of {} pairs of optimizer and size that `study.toml` asks for; the others were not run, or not all of their runs.\n",
            groups.len(),
            groups.len() + missing
        ),
    };
    text.push_str(
        "A row is an optimizer at a size by a rule, over the reported seeds. *Steps* are environment steps until an evaluation had the \
         return, *updates* rollouts that were learnt from, all gradient steps of one together; both are medians of Kaplan and Meier with 95% bootstrap intervals, – where fewer than half of the \
         runs got there. *P* is how often a run takes fewer steps than one of the first optimizer tuned at that size, and than one of the same optimizer \
         tuned there; what never got there is behind all that did, and two that are alike count half.\n",
    );
    for size in &study.sizes {
        let own: Vec<&Standing> = standings.iter().filter(|it| it.batch == size.batch).collect();
        if own.is_empty() {
            continue;
        }
        let first = study.optimizers[0].name();
        let (batch, most) = (HumanCount(size.batch), HumanCount(size.all_steps()));
        let _ = write!(text, "\n## {batch} steps a batch, {most} at most\n\n");
        let _ = writeln!(
            text,
            "| optimizer | rule | lr | got there | steps | updates | P, `{first}` tuned | P, itself tuned |\n|---|---|---|---|---|---|---|---|"
        );
        for it in own {
            let diverged = if it.diverged > 0 { format!(", {} diverged", it.diverged) } else { String::new() };
            let _ = writeln!(
                text,
                "| `{}` | {} | {} | {} of {}{diverged} | {} | {} | {} | {} |",
                it.optimizer,
                it.rule.name(),
                significant(it.lr),
                it.reached,
                it.runs,
                count(it.steps),
                count(it.updates),
                share(it.better_than_first),
                share(it.better_than_tuned),
            );
        }
    }
    text.push_str(&best(study, groups));
    text.push_str(&of_noise(noise));
    text.push_str(&costs(study, groups));
    text.push_str("\n![Steps, tuned](pictures/tuned-steps.png)\n\n![Updates, tuned](pictures/tuned-updates.png)\n\n");
    text.push_str("![Steps by rule](pictures/rules-steps.png)\n\n![Updates by rule](pictures/rules-updates.png)\n");
    text
}

/// The learning rates that won, against what was tried.
fn best(study: &Study, groups: &[Group]) -> String {
    let mut text = "\n## What won\n\nThe learning rate with the fewest steps over the tuning seeds; * at an end of what was tried.\n\n".to_string();
    let head: Vec<String> = study.sizes.iter().map(|size| HumanCount(size.batch).to_string()).collect();
    let _ = writeln!(text, "| optimizer | {} |\n|---|{}", head.join(" | "), "---|".repeat(head.len()));
    for (i, optimizer) in study.optimizers.iter().enumerate() {
        let cell = |batch: u64| {
            let group = groups.iter().find(|group| group.optimizer == i && group.size.batch == batch)?;
            let at_an_end = group.best == 0 || group.best + 1 == group.tried.len();
            Some(format!(
                "{}{}",
                significant(optimizer.lr * group.tried[group.best].multiple),
                if at_an_end { " *" } else { "" }
            ))
        };
        let cells: Vec<String> = study.sizes.iter().map(|size| cell(size.batch).unwrap_or("–".into())).collect();
        let _ = writeln!(text, "| `{}` | {} |", optimizer.name(), cells.join(" | "));
    }
    text
}

fn of_noise(noise: &[Point]) -> String {
    if noise.is_empty() {
        return String::new();
    }
    let mut text = "\n## Noise scales\n\nIn environment steps, with 95% bootstrap intervals over batches; ∞ where no signal is told from noise.\n\n".to_string();
    text.push_str(
        "| seed | update | steps | training return | of the policy | of the value |\n|---|---|---|---|---|---|\n",
    );
    let shown = |scale: Scale| {
        let number = |x: Option<f64>| x.map_or("∞".into(), |x| format!("{x:.0}"));
        format!("{} [{}, {}]", number(scale.point), number(scale.low), number(scale.high))
    };
    for point in noise {
        let mean = point.return_mean.map_or("–".into(), |mean| format!("{mean:.0}"));
        let (policy, value) = (shown(point.policy), shown(point.value));
        let _ =
            writeln!(text, "| {} | {} | {} | {mean} | {policy} | {value} |", point.seed, point.update, point.env_steps);
    }
    text
}

/// Processor time, which alone in the report a clock decides.
fn costs(study: &Study, groups: &[Group]) -> String {
    let seconds = |trial: &Trial| trial.records.iter().map(|record: &Record| record.seconds).sum::<f64>();
    let mut text = "\n## Costs\n\n".to_string();
    let mut all = 0.0;
    for size in &study.sizes {
        let own = groups.iter().filter(|group| group.size.batch == size.batch);
        let sum: f64 =
            own.flat_map(|it| it.tried.iter().chain(it.reported.iter().map(|(_, it)| it))).map(seconds).sum();
        // The sum of none is -0.
        if sum <= 0.0 {
            continue;
        }
        all += sum;
        let _ =
            writeln!(text, "- {} steps a batch: {:.1} minutes of processor time", HumanCount(size.batch), sum / 60.0);
    }
    let _ = writeln!(text, "- all: {:.1} minutes", all / 60.0);
    text
}

/// A count with its interval.
fn count(Interval { point, low, high }: Interval) -> String {
    if point.is_infinite() {
        return "–".into();
    }
    let high = if high.is_finite() { HumanCount(high as u64).to_string() } else { "∞".into() };
    format!("{} [{}, {high}]", HumanCount(point as u64), HumanCount(low as u64))
}

fn share(it: Option<Interval>) -> String {
    it.map_or(String::new(), |Interval { point, low, high }| format!("{point:.2} [{low:.2}, {high:.2}]"))
}

/// Three digits.
fn significant(x: f64) -> String {
    let digits = (2 - x.abs().log10().floor() as i32).max(0) as usize;
    let text = format!("{x:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}
