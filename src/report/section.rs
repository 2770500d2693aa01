//! What a page of runs is made of, as HTML.

use std::collections::BTreeSet;

use indicatif::HumanCount;

use super::ReportedRun;
use super::markup::{escaped, number};
use super::table::{Cell, table};
use crate::envs::counted;

/// Where the script draws.
pub(super) const CURVES: &str = "<section aria-labelledby=\"curves\"><h2 id=\"curves\">Curves</h2>\n\
    <p class=\"hint\">Point at a curve for its values, or focus a chart and use the arrow keys. \
    Across: environment steps.</p>\n\
    <noscript><p>Curves and the episode are drawn by this page\u{2019}s own script, which this browser does not run.</p></noscript>\n\
    LEGEND<div id=\"charts\"></div></section>\n";

/// The page of one run.
pub(super) fn of_one(run: &ReportedRun) -> String {
    let (parts, settings) = (parts(run, 0), settings(run));
    let rows = evaluations(run).map(|rows| format!("<section><h2>Evaluations</h2>\n{rows}</section>\n"));
    let (curves, rows) = (CURVES.replace("LEGEND", ""), rows.unwrap_or_default());
    format!(
        "<section class=\"run\">\n{parts}</section>\n{curves}{rows}<section><h2>Settings</h2>\n{settings}</section>\n"
    )
}

/// The page of several.
pub(super) fn of_several(runs: &[ReportedRun]) -> String {
    let (results, differences) = (results(runs), differences(runs));
    let entry = |(i, run): (usize, &ReportedRun)| {
        let (look, name) = (look(i), escaped(&run.name));
        format!(
            "<button type=\"button\" data-run=\"{i}\" aria-pressed=\"true\"><svg class=\"swatch\" width=\"26\" height=\"10\" \
             aria-hidden=\"true\"><path class=\"line {look}\" d=\"M1 5H25\"/></svg>{name}</button>\n"
        )
    };
    let entries: String = runs.iter().enumerate().map(entry).collect();
    let legend = format!("<div id=\"legend\" role=\"group\" aria-label=\"Runs that are shown\">\n{entries}</div>\n");
    let one = |(i, run): (usize, &ReportedRun)| {
        let (name, parts, settings) = (escaped(&run.name), parts(run, i), settings(run));
        format!("<details class=\"run\"><summary>{name}</summary>\n{parts}<h3>Settings</h3>\n{settings}</details>\n")
    };
    let each: String = runs.iter().enumerate().map(one).collect();
    // The legend's names may hold anything, so it goes in last.
    let (before, after) = CURVES.split_once("LEGEND").unwrap_or((CURVES, ""));
    format!(
        "<section><h2>Results</h2>\n<p class=\"hint\">A click on a column\u{2019}s head sorts by it.</p>\n{results}</section>\n\
         {differences}{before}{legend}{after}<section><h2>Each run</h2>\n{each}</section>\n"
    )
}

/// The classes of a run's colour and dashes.
fn look(run: usize) -> String {
    format!("c{} d{}", run % 8, run / 8)
}

/// A row a run.
fn results(runs: &[ReportedRun]) -> String {
    const HEAD: [&str; 11] = [
        "run",
        "environment",
        "algorithm",
        "optimizer",
        "seed",
        "steps",
        "return",
        "s.d.",
        "lowest",
        "best in training",
        "solved at step",
    ];
    let count = |x: f64| HumanCount(x as u64).to_string();
    let row = |run: &ReportedRun| {
        vec![
            Cell::text(&run.name),
            Cell::text(run.env()),
            Cell::text(run.algo()),
            Cell::text(run.optimizer()),
            Cell::number(Some(run.seed() as f64), |_| run.seed().to_string()),
            Cell::number(Some(run.steps() as f64), count),
            Cell::number(run.summed("eval.return_mean"), number),
            Cell::number(run.summed("eval.return_std"), number),
            Cell::number(run.summed("eval.return_min"), number),
            Cell::number(run.summed("best_return_mean"), number),
            Cell::number(run.summed("solved_at_step"), count),
        ]
    };
    table("results", &HEAD.map(escaped), &runs.iter().map(row).collect::<Vec<_>>())
}

/// The settings that not all runs have alike; nothing where they have.
fn differences(runs: &[ReportedRun]) -> String {
    let keys: BTreeSet<&str> = runs.iter().flat_map(|run| run.settings().into_keys()).collect();
    let of = |key: &str| runs.iter().map(|run| run.settings().get(key).copied().unwrap_or("")).collect::<Vec<_>>();
    let differ = |key: &&str| of(key).windows(2).any(|two| two[0] != two[1]);
    let row = |key: &str| std::iter::once(key).chain(of(key)).map(Cell::text).collect();
    let rows: Vec<Vec<Cell>> = keys.into_iter().filter(differ).map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head: Vec<String> = std::iter::once("setting").chain(runs.iter().map(|run| &*run.name)).map(escaped).collect();
    format!("<section><h2>Settings that differ</h2>\n{}</section>\n", table("differences", &head, &rows))
}

/// Facts, findings and the episode.
fn parts(run: &ReportedRun, place: usize) -> String {
    let (facts, findings, replay) = (facts(run), findings(run), replay(run, place));
    format!("{facts}{findings}{replay}")
}

pub(super) fn facts(run: &ReportedRun) -> String {
    let mut facts: Vec<(&str, String)> = Vec::new();
    let amounts = ["eval.return_mean", "eval.return_std", "eval.return_min"].map(|key| run.summed(key));
    if let ([Some(mean), Some(std), Some(min)], Some(episodes)) = (amounts, run.summed("eval.episodes")) {
        let [mean, std, min] = [mean, std, min].map(number);
        let over = counted(episodes as usize, "episode");
        facts.push(("Return", format!("{mean} \u{b1} {std}, lowest {min}, over {over} with the likeliest actions")));
    }
    let counts =
        [("Solved at step", "solved_at_step"), ("Episodes of training", "episodes"), ("Divergences", "divergences")];
    let all = run.settings().get("steps").and_then(|steps| steps.parse().ok());
    let all = all.filter(|_| !run.has_ended() && !run.is_policy_alone);
    let of = all.map_or(String::new(), |all| format!(" of {}", HumanCount(all)));
    if !run.is_policy_alone || run.steps() > 0 {
        facts.push(("Steps", format!("{}{of}", HumanCount(run.steps()))));
    }
    let summed = counts.iter().filter_map(|(name, key)| Some((*name, run.summed(key)?)));
    // That nothing diverged needs no word.
    let summed = summed.filter(|(name, count)| *name != "Divergences" || *count > 0.0);
    facts.extend(summed.map(|(name, count)| (name, HumanCount(count as u64).to_string())));
    if let Some(best) = run.summed("best_return_mean") {
        facts.push(("Best in training", format!("{}, the mean of 100 episodes", number(best))));
    }
    if let Some(best) = run.summed("best_eval_return_mean") {
        facts.push(("Best evaluation", number(best)));
    }
    if let (Some(seconds), Some(speed)) = (run.summed("wall_seconds"), run.summed("steps_per_second")) {
        facts.push(("Time", format!("{} s, {} steps a second", number(seconds), HumanCount(speed as u64))));
    }
    facts.extend([("Environment", run.env().into()), ("Algorithm", run.algo().into())]);
    facts.extend([("Optimizer", run.optimizer().to_string()), ("Seed", run.seed().to_string())]);
    facts.extend(
        [("Device", "device"), ("Version", "version")]
            .iter()
            .filter_map(|(name, key)| Some((*name, run.said(key)?.to_string()))),
    );
    let state = match (run.has_ended(), run.is_finished()) {
        (true, true) => "ended",
        (true, false) => "interrupted; it can go on",
        (false, _) if run.is_policy_alone => "a policy without the run that made it",
        (false, _) => "under way or broken off: there is no summary.json",
    };
    facts.extend([("State", state.to_string()), ("Folder", run.name.clone())]);
    let fact = |(name, value): &(&str, String)| format!("<div><dt>{name}</dt><dd>{}</dd></div>\n", escaped(value));
    format!("<dl>\n{}</dl>\n", facts.iter().map(fact).collect::<String>())
}

pub(super) fn findings(run: &ReportedRun) -> String {
    let items: String = run.findings().map(|finding| format!("<li>{}</li>\n", escaped(finding))).collect();
    match items.is_empty() {
        true => String::new(),
        false => format!("<h2>Findings</h2>\n<ul class=\"findings\">\n{items}</ul>\n"),
    }
}

pub(super) fn replay(run: &ReportedRun, place: usize) -> String {
    let shown = match &run.replay {
        Ok(replay) => {
            let end = if replay.ended { "" } else { " so far: it goes on" };
            let (steps, total) = (counted(replay.steps, "step"), number(replay.total));
            format!(
                "<figure class=\"replay\" data-run=\"{place}\">\n<canvas role=\"img\" aria-label=\"The episode, drawn\"></canvas>\n\
                 <div class=\"player\"><button type=\"button\" class=\"play\">Play</button>\
                 <input type=\"range\" min=\"0\" max=\"{}\" value=\"0\" aria-label=\"Step of the episode\"/>\
                 <output>0</output></div>\n<figcaption>With the likeliest actions: {steps}, return {total}{end}.</figcaption>\n\
                 </figure>\n",
                replay.steps
            )
        }
        Err(reason) => format!("<p>No episode is shown: {}.</p>\n", escaped(reason.trim_end_matches('.'))),
    };
    format!("<h2>An episode</h2>\n{shown}")
}

/// A row an evaluation, of a run that has some.
pub(super) fn evaluations(run: &ReportedRun) -> Option<String> {
    let series = run.evaluations.as_ref()?;
    let row = |(steps, interval): &(f64, crate::stats::Interval)| {
        vec![
            Cell::number(Some(*steps), |steps| HumanCount(steps as u64).to_string()),
            Cell::number(Some(interval.point), number),
            Cell::number(Some(interval.high - interval.point), number),
        ]
    };
    let rows: Vec<Vec<Cell>> = series.points.iter().map(row).collect();
    Some(table("evaluations", &["steps", "mean return", "s.d."].map(escaped), &rows))
}

pub(super) fn settings(run: &ReportedRun) -> String {
    format!("<details><summary>config.toml</summary><pre tabindex=\"0\">{}</pre></details>\n", escaped(&run.config))
}
