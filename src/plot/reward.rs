//! The picture of reward curves: a metric of some runs against environment steps.

use std::collections::BTreeSet;

use plotters::prelude::*;
use uphill_envs::shown;

use super::{
    Axis, Chart, Entry, FAINT, Header, Interval, Look, NAME_LINES, Picture, PlotError, PlotOptions, RecordedRun, Sheet,
    Style, Swatch, check, check::MOST, curve::Curve, in_pixels, in_units, label, look::LOOKS, with_minus,
};

/// How the threshold looks.
const THRESHOLD: Look = Look { colour: FAINT, dashes: Some((0.45, 0.3)), marker: None };
/// How much of a curve's colour its unsmoothed points have.
const RAW: f64 = 0.35;

/// Draws the curves of these runs.
pub(super) fn paint(runs: &[RecordedRun], curves: &[Curve], options: &PlotOptions) -> Result<Picture, PlotError> {
    let reason = format!("{} of them cannot be told apart; {LOOKS} can", curves.len());
    check::that(curves.len() + options.beside.len() <= LOOKS, "the curves", reason)?;
    let style = Style::new(options.width, options.height, options.scale);
    let title = options.title.clone().unwrap_or_else(|| environments(runs));
    let titles = (&*title, &*subtitle(runs, curves, options));
    let header = |lines| Header::new(&style, in_units(options.width), titles, entries(curves, options), lines);
    // The axes keep more than half of the height that was asked for: what more the legend takes is added to it.
    let height = |header: &Header| options.height + in_pixels(header.bottom - in_units(options.height) * 2 / 5);
    // Names in full, or, where a thousand lines of them have no room, in a line each.
    let lines = if height(&header(NAME_LINES)) > MOST { 1 } else { NAME_LINES };
    let header = header(lines);
    let height = height(&header);
    check::room("height", MOST, height)?;
    let metric = describe(runs.first().map_or("", |run| &run.metric));
    let axes = |_, size| axes(curves, options, &style, size);
    let sheet = Sheet::new(&style, in_units(options.width), header, ("environment steps", &metric), &axes);
    let draw = |chart: &Chart<'_, '_>| {
        for (i, curve) in curves.iter().enumerate() {
            let pen = Look::of(i).colour.mix(RAW).stroke_width(style.hair);
            chart.plot.draw(&PathElement::new(curve.raw.clone(), pen))?;
        }
        let beside = (curves.len()..).zip(&options.beside).map(|(i, series)| (Look::of(i), &*series.points));
        chart.curves(curves.iter().enumerate().map(|(i, curve)| (Look::of(i), &*curve.values)).chain(beside))?;
        let across = chart.plot.get_x_range();
        let line = options.threshold.map(|threshold| vec![(across.start, threshold), (across.end, threshold)]);
        line.map_or(Ok(()), |line| chart.stroke(&THRESHOLD, line, style.hair))
    };
    Picture::blank(options.width, height).with(|area| sheet.draw(area, (0, 0), |_, chart| draw(chart)))
}

/// The axes that hold all that is drawn, of this width and height.
fn axes(curves: &[Curve], options: &PlotOptions, style: &Style, (width, height): (i32, i32)) -> (Axis, Axis) {
    let (mut x, mut y) = ((f64::INFINITY, 0.0), check::NOWHERE);
    let reach = |&(env_steps, Interval { low, high, .. }): &(f64, Interval)| (env_steps, low, high);
    let values = curves.iter().flat_map(|curve| &curve.values).map(reach);
    let raw = curves.iter().flat_map(|curve| &curve.raw).map(|&(env_steps, value)| (env_steps, value, value));
    let beside = options.beside.iter().flat_map(|series| &series.points).map(reach);
    for (env_steps, low, high) in values.chain(raw).chain(beside) {
        check::stretch(&mut x, env_steps, env_steps);
        check::stretch(&mut y, low, high);
    }
    options.threshold.iter().for_each(|&threshold| check::stretch(&mut y, threshold, threshold));
    let (wide, high) = (style.count(width, 6.0, 9.0), style.count(height, 4.5, 7.0));
    (Axis::env_steps(x, wide), Axis::new(y, 0.04, high))
}

/// One entry a curve, in order, then those of further ones and the threshold.
fn entries(curves: &[Curve], options: &PlotOptions) -> Vec<Entry> {
    let shared = seeds_of_all(curves).is_some();
    let entry = |(i, curve): (usize, &Curve)| {
        let swatch = if curve.seeds.len() > 1 { Swatch::Band(Look::of(i)) } else { Swatch::Line(Look::of(i)) };
        (swatch, if shared { curve.label.clone() } else { format!("{} ({})", curve.label, seeds(curve)) })
    };
    let threshold = |value| (Swatch::Line(THRESHOLD), format!("threshold {}", with_minus(shown(value))));
    let beside = (curves.len()..).zip(&options.beside);
    let beside = beside.map(|(i, series)| (Swatch::Band(Look::of(i)), series.label.clone()));
    curves.iter().enumerate().map(entry).chain(beside).chain(options.threshold.map(threshold)).collect()
}

/// `seed 3`, or `5 seeds`; a seed that was run twice is no second seed, so then it is `5 runs`.
fn seeds(curve: &Curve) -> String {
    let distinct: BTreeSet<u64> = curve.seeds.iter().copied().collect();
    match *curve.seeds {
        [seed] => format!("seed {seed}"),
        ref all if all.len() == distinct.len() => format!("{} seeds", all.len()),
        ref all => format!("{} runs", all.len()),
    }
}

/// What the seeds of every curve are, where that is the same for all.
fn seeds_of_all(curves: &[Curve]) -> Option<String> {
    let first = seeds(curves.first()?);
    curves.iter().all(|curve| seeds(curve) == first).then_some(first)
}

/// What the curves are: what they have in common, of which seeds, and how smoothed.
fn subtitle(runs: &[RecordedRun], curves: &[Curve], options: &PlotOptions) -> String {
    let banded = curves.iter().any(|curve| curve.seeds.len() > 1);
    let seeds = match (seeds_of_all(curves), banded) {
        (Some(seeds), true) => format!("mean ± s.d. of {seeds}"),
        (Some(seed), false) => seed,
        (None, true) => "mean ± s.d. over seeds".to_owned(),
        (None, false) => "one seed each".to_owned(),
    };
    // Two significant digits are all that a reader can use.
    let percent = (options.smooth * 1000.0).round() / 10.0;
    let smoothed = (options.smooth > 0.0).then(|| format!("smoothed over {percent}% of the steps"));
    let raw = curves.iter().any(|curve| !curve.raw.is_empty()).then(|| "unsmoothed behind it".to_owned());
    let parts = label::common(runs).into_iter().chain([seeds]).chain(smoothed).chain(raw);
    parts.collect::<Vec<_>>().join(", ")
}

/// The environments' names, or their number if they are many.
fn environments(runs: &[RecordedRun]) -> String {
    let environments: BTreeSet<&str> = runs.iter().map(|run| run.env.as_str()).collect();
    if environments.len() > 3 {
        return format!("{} environments", environments.len());
    }
    environments.into_iter().collect::<Vec<_>>().join(", ")
}

/// What stands along the vertical axis for a column of `metrics.csv`, with its unit.
fn describe(metric: &str) -> String {
    match metric {
        "episode_return_mean" => "return of an episode (mean of last 100)",
        "episode_length_mean" => "length of an episode in steps (mean of last 100)",
        "entropy" => "entropy of the policy (nats)",
        "approx_kl" => "approximate KL divergence of an update (nats)",
        "clip_fraction" => "share of clipped samples",
        "explained_variance" => "explained variance of returns (1 is perfect)",
        "grad_norm" => "norm of the gradient before clipping",
        "lr" => "learning rate",
        "steps_per_second" => "environment steps per second",
        other => return other.replace('_', " "),
    }
    .to_owned()
}
