//! What a plot says about its curves, and the colours that tell them apart.

use std::collections::BTreeSet;

use plotters::style::RGBColor;

use super::{
    PlotOptions, Run,
    curve::Curve,
    look::{Dashes, Look, Marker},
    paper::FAINT,
};

/// A dash and a gap of the threshold's line, in text sizes.
pub(super) const THRESHOLD_DASHES: (f64, f64) = (0.45, 0.3);

/// One line of the legend: how it is drawn, and what it says.
pub(super) struct Entry {
    pub(super) colour: RGBColor,
    /// Solid where `None`, else the lengths of a dash and of the gap after it, in text sizes.
    pub(super) dashes: Dashes,
    pub(super) swatch: Swatch,
    pub(super) text: String,
}

/// What stands before an entry's text.
pub(super) enum Swatch {
    /// A line, with a band around it or without, and with what stands on it.
    Line {
        band: bool,
        marker: Option<Marker>,
    },
    /// An area.
    Bar,
    Disc,
    Cross,
    /// What a point is called where its name has no room.
    Number(usize),
}

/// One entry a curve, in order, then the threshold's.
pub(super) fn entries(curves: &[Curve], options: &PlotOptions) -> Vec<Entry> {
    let seeds = seeds_of_all(curves);
    let entries = curves.iter().enumerate().map(|(i, curve)| Entry {
        colour: Look::of(i).colour,
        dashes: Look::of(i).dashes,
        swatch: Swatch::Line { band: curve.seeds.len() > 1, marker: Look::of(i).marker },
        text: match (&seeds, curve.seeds.as_slice()) {
            (None, [seed]) => format!("{} (seed {seed})", curve.label),
            (None, seeds) => format!("{} ({})", curve.label, count_seeds(seeds)),
            (Some(_), _) => curve.label.clone(),
        },
    });
    let threshold = options.threshold.map(|threshold| Entry {
        colour: FAINT,
        dashes: Some(THRESHOLD_DASHES),
        swatch: Swatch::Line { band: false, marker: None },
        text: {
            let far = threshold.abs() >= 1e9;
            let number = if far { format!("{threshold:e}") } else { threshold.to_string() };
            format!("threshold {}", number.replace('-', "−"))
        },
    });
    entries.chain(threshold).collect()
}

/// What the seeds of every curve are, where that is the same for all, in words.
fn seeds_of_all(curves: &[Curve]) -> Option<String> {
    let mut words = curves.iter().map(|curve| match curve.seeds.as_slice() {
        [seed] => format!("seed {seed}"),
        seeds => count_seeds(seeds),
    });
    let first = words.next()?;
    words.all(|other| other == first).then_some(first)
}

/// What the curves are: what they have in common, of which seeds, and how smoothed.
pub(super) fn subtitle(curves: &[Curve], common: Option<String>, options: &PlotOptions) -> String {
    let banded = curves.iter().any(|curve| curve.seeds.len() > 1);
    let mut parts: Vec<String> = common.into_iter().collect();
    parts.push(match (seeds_of_all(curves), banded) {
        (Some(seeds), true) => format!("mean ± s.d. of {seeds}"),
        (Some(seed), false) => seed,
        (None, true) => "mean ± s.d. over seeds".to_owned(),
        (None, false) => "one seed each".to_owned(),
    });
    if options.smooth > 0.0 {
        // Two significant digits are all that a reader can use.
        let percent = (options.smooth * 1000.0).round() / 10.0;
        parts.push(format!("smoothed over {percent}% of the steps"));
    }
    if curves.iter().any(|curve| !curve.raw.is_empty()) {
        parts.push("unsmoothed behind it".to_owned());
    }
    parts.join(", ")
}

/// The environments' names, or their number if they are many.
pub(super) fn environments(runs: &[Run]) -> String {
    let environments: BTreeSet<&str> = runs.iter().map(|run| run.env.as_str()).collect();
    if environments.len() > 3 {
        return format!("{} environments", environments.len());
    }
    environments.into_iter().collect::<Vec<_>>().join(", ")
}

/// `5 seeds`; a seed that was run twice is no second seed, so then it is `5 runs`.
fn count_seeds(seeds: &[u64]) -> String {
    let distinct: BTreeSet<u64> = seeds.iter().copied().collect();
    let what = if distinct.len() == seeds.len() { "seeds" } else { "runs" };
    format!("{} {what}", seeds.len())
}
