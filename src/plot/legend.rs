//! What a plot says about its curves, and the colours that tell them apart.

use std::collections::BTreeSet;

use plotters::style::RGBColor;

use super::{PlotOptions, Run, curve::Curve, paper::FAINT};

/// Okabe and Ito's palette, told apart by the colour-blind too, without its yellow: that is too pale on white.
/// <https://jfly.uni-koeln.de/color/>
pub(super) const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];
/// A dash and a gap of the threshold's line, in text sizes.
pub(super) const THRESHOLD_DASHES: (f64, f64) = (0.45, 0.3);

/// One line of the legend: how it is drawn, and what it says.
pub(super) struct Entry {
    pub(super) colour: RGBColor,
    /// Solid where `None`, else the lengths of a dash and of the gap after it, in text sizes.
    pub(super) dashes: Option<(f64, f64)>,
    pub(super) swatch: Swatch,
    pub(super) text: String,
}

/// What stands before an entry's text.
pub(super) enum Swatch {
    /// A line, with a band around it or without.
    Line {
        band: bool,
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
    // More curves than colours: the next round is dashed.
    let rounds = [None, Some((0.6, 0.4)), Some((0.25, 0.3))];
    let seeds = seeds_of_all(curves);
    let entries = curves.iter().enumerate().map(|(i, curve)| Entry {
        colour: PALETTE[i % PALETTE.len()],
        dashes: rounds[i / PALETTE.len() % rounds.len()],
        swatch: Swatch::Line { band: curve.seeds.len() > 1 },
        text: match (&seeds, curve.seeds.as_slice()) {
            (None, [seed]) => format!("{} (seed {seed})", curve.label),
            (None, seeds) => format!("{} ({})", curve.label, count_seeds(seeds)),
            (Some(_), _) => curve.label.clone(),
        },
    });
    let threshold = options.threshold.map(|threshold| Entry {
        colour: FAINT,
        dashes: Some(THRESHOLD_DASHES),
        swatch: Swatch::Line { band: false },
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

/// What the curves are: of which seeds, and how smoothed.
pub(super) fn subtitle(curves: &[Curve], options: &PlotOptions) -> String {
    let banded = curves.iter().any(|curve| curve.seeds.len() > 1);
    let mut parts = vec![match (seeds_of_all(curves), banded) {
        (Some(seeds), true) => format!("mean ± s.d. of {seeds}"),
        (Some(seed), false) => seed,
        (None, true) => "mean ± s.d. over seeds".to_owned(),
        (None, false) => "one seed each".to_owned(),
    }];
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
