//! The pictures of a comparison, as PNG and SVG.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::analysis::{Analysis, known};
use super::cell::Stage;
use super::column::median;
use super::comparison::{BOOTSTRAP, Comparison, Verdict};
use super::results::{CLAIM, Results, Run};
use super::sensitivity::LearningRates;
use crate::plot::{
    CostPoint, IntervalRow, LearningRateCurve, LearningRatePoint, Picture, PictureOptions, PlotError, Series,
    improvement_matrix, interval_rows, learning_curves, learning_rate_sensitivity, performance_profiles,
    quality_against_cost,
};
use crate::stats::{Bootstrap, Interval, PerformanceProfile, Scores, interquartile_mean};
use crate::{Error, Result};

/// The folder of the pictures, in the folder of the comparison.
pub(super) const FOLDER: &str = "pictures";
/// The band of a curve has a hundred intervals, and no reader measures one: fewer replicates will do.
const BAND: Bootstrap = Bootstrap { reps: 1_000, ..BOOTSTRAP };
/// Thresholds of a performance profile.
const TAUS: usize = 101;

/// All pictures that were made.
#[derive(Debug, Default)]
pub(super) struct Gallery {
    folder: PathBuf,
    names: BTreeSet<String>,
    exhibits: Vec<Exhibit>,
}

/// Where in the report a picture stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Scores(Stage),
    Profiles(Stage),
    Improvement(Stage),
    Cost(Stage),
    Curves(Stage),
    LearningRates,
}

#[derive(Debug)]
struct Exhibit {
    place: Place,
    /// What it shows, in words.
    alt: String,
    /// The file's name without its ending, or why there is none.
    name: Result<String, String>,
}

impl Gallery {
    /// Draws all pictures into the folder of a comparison.
    ///
    /// A picture for which there is no room (a hundred optimizers, say) is left out, and the report says why.
    pub(super) fn paint(results: &Results, analysis: &Analysis, folder: &Path) -> Result<Self> {
        let folder = folder.join(FOLDER);
        std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        clear(&folder)?;
        let mut gallery = Self { folder, ..Self::default() };
        for comparison in analysis.comparisons.iter().filter(|comparison| comparison.algo.is_none()) {
            let (stage, name) = (comparison.stage, comparison.stage.name());
            let titled = |what: &str| options(results, &whole(results), stage, what);
            let picture = scores(comparison, titled("area and final score"));
            gallery.hang(Place::Scores(stage), format!("scores-{name}"), format!("Scores, {name}"), picture)?;
            let picture = profiles(results, comparison, titled("area under the curve of scores"))?;
            gallery.hang(
                Place::Profiles(stage),
                format!("profiles-{name}"),
                format!("Performance profiles, {name}"),
                picture,
            )?;
            if comparison.standings.len() > 1 {
                let picture = improvement(comparison, titled("area under the curve of scores"));
                let alt = format!("Probability of improvement, {name}");
                gallery.hang(Place::Improvement(stage), format!("improvement-{name}"), alt, picture)?;
            }
            let picture = cost(results, comparison, titled("IQM of the area under the curve of scores"))?;
            gallery.hang(
                Place::Cost(stage),
                format!("cost-{name}"),
                format!("Quality against cost, {name}"),
                picture,
            )?;
            for (task, algo) in results.grid.pairs() {
                let title = format!("{task} with {algo}");
                let picture = curves(results, stage, (task, algo))?.and_then(|curves| {
                    learning_curves(&curves, "score", &options(results, &title, stage, "IQM of scores"))
                });
                let alt = format!("Learning curves, {name}, {title}");
                gallery.hang(Place::Curves(stage), format!("curves-{name}-{task}-{algo}"), alt, picture)?;
            }
        }
        for rates in analysis.learning_rates.iter().filter(|rates| !rates.curves.is_empty()) {
            let (file, what) = match &rates.pair {
                Some((task, algo)) => (format!("-{task}-{algo}"), format!("{task} with {algo}")),
                None => (String::new(), whole(results)),
            };
            let picture = learning_rates(results, rates, &what);
            let alt = format!("Sensitivity to the learning rate, {what}");
            gallery.hang(Place::LearningRates, format!("learning-rates{file}"), alt, picture)?;
        }
        Ok(gallery)
    }

    /// The pictures of a place, as Markdown.
    pub(super) fn at(&self, place: Place) -> String {
        let shown = |exhibit: &Exhibit| match &exhibit.name {
            Ok(name) => format!("![{}]({FOLDER}/{name}.png)\n", exhibit.alt),
            Err(reason) => format!("*{}: not drawn, as {reason}.*\n", exhibit.alt),
        };
        let own: Vec<String> = self.exhibits.iter().filter(|exhibit| exhibit.place == place).map(shown).collect();
        own.join("\n")
    }

    fn hang(&mut self, place: Place, stem: String, alt: String, picture: Result<Picture, PlotError>) -> Result<()> {
        let name = match picture {
            Ok(picture) => {
                let name = self.free(&stem);
                for ending in ["png", "svg"] {
                    picture.save(self.folder.join(format!("{name}.{ending}")))?;
                }
                Ok(name)
            }
            Err(refused @ (PlotError::Picture { .. } | PlotError::Size { .. })) => Err(refused.to_string()),
            Err(other) => return Err(other.into()),
        };
        self.exhibits.push(Exhibit { place, alt, name });
        Ok(())
    }

    /// A file name of plain characters that no other picture has.
    fn free(&mut self, stem: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
        let stem: String = stem.chars().map(plain).collect();
        let numbered = (2..).map(|number| format!("{stem}-{number}"));
        let mut names = std::iter::once(stem.clone()).chain(numbered);
        let name = names.find(|name| !self.names.contains(name)).unwrap_or(stem);
        self.names.insert(name.clone());
        name
    }
}

/// Removes the pictures of an earlier report: of a task that is no longer there, say.
pub(super) fn clear(folder: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    let picture = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "png" || ending == "svg");
    for path in entries.flatten().map(|entry| entry.path()).filter(picture) {
        std::fs::remove_file(&path).map_err(Error::io(&path))?;
    }
    Ok(())
}

/// The tasks and algorithms of a grid, for a title.
fn whole(results: &Results) -> String {
    let (tasks, algos) = (&results.grid.tasks, &results.grid.algos);
    let labels: Vec<&str> = tasks.iter().map(|task| task.label()).collect();
    let tasks = if labels.len() > 3 { format!("{} tasks", labels.len()) } else { labels.join(", ") };
    format!("{tasks} with {}", algos.join(" and "))
}

fn options(results: &Results, what: &str, stage: Stage, score: &str) -> PictureOptions {
    let grid = &results.grid;
    let (seeds, how) = match stage {
        Stage::Defaults => (grid.seeds.count(), "default hyper-parameters".to_string()),
        Stage::Sweep => (grid.seeds.count(), "a sweep of learning rates".to_string()),
        Stage::Tuning => (grid.tuning.seeds.count(), "the trials of tuning".to_string()),
        Stage::Tuned => (grid.seeds.count(), format!("tuned with {} trials each on other seeds", grid.tuning.trials)),
    };
    let intervals = match seeds {
        1 => "of one seed no intervals are known",
        few if few < CLAIM && stage.is_protocol() => {
            "95% stratified bootstrap intervals over seeds too few for a claim"
        }
        _ => "95% stratified bootstrap intervals over seeds",
    };
    PictureOptions::new(what, usize::try_from(seeds).unwrap_or(usize::MAX), format!("{how}; {score}; {intervals}"))
}

fn scores(comparison: &Comparison, options: PictureOptions) -> Result<Picture, PlotError> {
    let metrics = ["IQM of area", "IQM of final score", "mean of area", "optimality gap of area"];
    let row = |standing: &super::comparison::Standing| {
        let (area, last) = (&standing.area, &standing.final_score);
        let intervals = vec![area.iqm, last.iqm, area.mean, area.optimality_gap];
        IntervalRow { label: standing.optimizer.clone(), intervals }
    };
    let rows: Vec<IntervalRow> = comparison.standings.iter().map(row).collect();
    interval_rows(&metrics, &rows, &options)
}

/// The areas of an optimizer's runs, a column a task with an algorithm.
fn areas(results: &Results, stage: Stage, optimizer: &str) -> Result<Scores> {
    let column = |(task, algo)| results.of(stage, task, algo, optimizer).map(|run| run.area).collect::<Vec<_>>();
    Ok(Scores::from_tasks(&results.grid.pairs().map(column).collect::<Vec<_>>())?)
}

fn profiles(results: &Results, comparison: &Comparison, options: PictureOptions) -> Result<Result<Picture, PlotError>> {
    let ranking = comparison.ranking();
    let named = ranking.iter().filter_map(|&place| comparison.standings.get(place));
    let scores =
        named.map(|standing| Ok((standing.optimizer.clone(), areas(results, comparison.stage, &standing.optimizer)?)));
    let scores = scores.collect::<Result<Vec<_>>>()?;
    let all = || scores.iter().flat_map(|(_, scores)| scores.values()).copied();
    let (from, to) = (all().fold(0.0, f64::min), all().fold(1.0, f64::max));
    let tau: Vec<f64> = (0..TAUS).map(|i| from + (to - from) * i as f64 / (TAUS - 1) as f64).collect();
    let series = scores.iter().map(|(optimizer, scores)| {
        let profile = PerformanceProfile::of_runs(scores, &tau, &BAND)?;
        Ok(Series { label: optimizer.clone(), points: profile.tau.into_iter().zip(profile.share).collect() })
    });
    Ok(performance_profiles(&series.collect::<Result<Vec<_>>>()?, "area", &options))
}

/// The best first, in rows and in columns.
fn improvement(comparison: &Comparison, mut options: PictureOptions) -> Result<Picture, PlotError> {
    let ranking = comparison.ranking();
    let labels: Vec<&str> = ranking.iter().map(|&place| comparison.standings[place].optimizer.as_str()).collect();
    let probability = |place: usize, other: usize| {
        let interval = comparison.standings[place].improvement[other];
        // Without width it says nothing, unless there are seeds enough for that to be no chance.
        let unknown = !known(&interval) && comparison.verdict(place, other) == Verdict::Undecided;
        if unknown { Interval { low: 0.0, high: 1.0, ..interval } } else { interval }
    };
    let row = |&place: &usize| ranking.iter().map(|&other| probability(place, other)).collect();
    let matrix: Vec<Vec<Interval>> = ranking.iter().map(row).collect();
    match improvement_matrix(&labels, &matrix, &options) {
        Err(PlotError::Size { side: "width", least, .. }) => {
            options.width = least;
            improvement_matrix(&labels, &matrix, &options)
        }
        drawn => drawn,
    }
}

fn cost(results: &Results, comparison: &Comparison, options: PictureOptions) -> Result<Result<Picture, PlotError>> {
    let mut points = Vec::new();
    for standing in &comparison.standings {
        let times = |(task, algo)| {
            let runs = results.of(comparison.stage, task, algo, &standing.optimizer);
            // No clock is so fine that a run takes no time at all, but zero has no logarithm.
            runs.map(|run| run.microseconds_per_update().max(1e-3).ln()).collect::<Vec<_>>()
        };
        let times = Scores::from_tasks(&results.grid.pairs().map(times).collect::<Vec<_>>())?;
        let middle = |times: &Scores| {
            let medians = times.by_task().filter_map(|runs| Scores::of_one_task(runs).ok()).map(|runs| median(&runs));
            (medians.sum::<f64>() / times.tasks() as f64).exp()
        };
        let cost = BAND.interval(&times, middle)?;
        points.push(CostPoint { label: standing.optimizer.clone(), cost, quality: standing.area.iqm });
    }
    let names = ("microseconds a rollout with its update (geometric mean over tasks and algorithms)", "IQM of area");
    Ok(quality_against_cost(&points, names, &options))
}

fn curves(results: &Results, stage: Stage, (task, algo): (&str, &str)) -> Result<Result<Vec<Series>, PlotError>> {
    let mut all = Vec::new();
    for optimizer in results.optimizers() {
        let runs: Vec<(Vec<u64>, Vec<f64>)> = results.of(stage, task, algo, &optimizer).map(Run::score_curve).collect();
        let Some((env_steps, _)) = runs.first() else { continue };
        // A stratum a point: each interval stands for itself.
        let scores = Scores::from_runs(&runs.iter().map(|(_, scores)| scores).collect::<Vec<_>>())?;
        let mut scratch = Vec::new();
        let intervals = BAND.intervals(&[&scores], env_steps.len(), |resampled, out| {
            let points = resampled.iter().flat_map(Scores::by_task);
            for (out, runs) in out.iter_mut().zip(points) {
                scratch.clear();
                scratch.extend_from_slice(runs);
                *out = interquartile_mean(&mut scratch);
            }
        })?;
        let points = env_steps.iter().map(|&step| step as f64).zip(intervals).collect();
        all.push(Series { label: optimizer, points });
    }
    Ok(Ok(all))
}

fn learning_rates(results: &Results, rates: &LearningRates, what: &str) -> Result<Picture, PlotError> {
    let curve = |curve: &super::sensitivity::Curve| {
        let points = curve.sensitivity.lr.iter().zip(&curve.sensitivity.score).zip(&curve.broken);
        let points = points.map(|((&lr, &score), &broken)| LearningRatePoint { lr, score: Some(score), broken });
        LearningRateCurve { label: curve.optimizer.clone(), points: points.collect() }
    };
    let curves: Vec<LearningRateCurve> = rates.curves.iter().map(curve).collect();
    let options = options(results, what, rates.stage, "IQM of the area under the curve of scores");
    learning_rate_sensitivity(&curves, "area", &options)
}
