//! `report.md`: what was run, how, and what came out.

use std::fmt::Write as _;
use std::path::Path;

use super::cell::Stage;
use super::grid::{Grid, LrGrid, Protocol, Select};
use super::results::{Results, Run, Status};
use crate::optim::Registry;
use crate::{Error, Result, whole_file};

/// A part of the report that is made elsewhere: statistics, pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// Its Markdown, in which files are named relative to the report.
    pub body: String,
}

/// Writes `report.md` into the folder of a comparison: its own tables, and `sections` between results and costs.
///
/// # Errors
/// [`Error::Io`] if it cannot be written.
pub fn write_report(results: &Results, folder: &Path, sections: &[Section]) -> Result<()> {
    let path = folder.join("report.md");
    whole_file::write(&path, text(results, sections)?.as_bytes()).map_err(Error::io(&path))
}

fn text(results: &Results, sections: &[Section]) -> Result<String> {
    let grid = &results.grid;
    let mut parts = vec![
        head(results),
        tasks(results),
        optimizers(grid)?,
        protocols(grid),
        endings(results),
        scores(results),
        winners(results),
        learning_rates(results),
    ];
    parts.extend(sections.iter().map(|section| format!("## {}\n\n{}\n", section.title, section.body.trim())));
    parts.extend([costs(results), definitions(grid)]);
    parts.retain(|part| !part.is_empty());
    Ok(parts.join("\n"))
}

/// A Markdown table.
fn table(header: &[String], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    // A `|` would end the cell.
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = vec!["---".to_string(); header.len()];
    let rows: String = rows.into_iter().map(|row| line(&row)).collect();
    format!("{}{}{rows}", line(header), line(&rule))
}

fn owned<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_string).to_vec()
}

fn head(results: &Results) -> String {
    let grid = &results.grid;
    let mut text = format!("# {}\n\n", grid.title);
    let _ = writeln!(text, "{}. All of them are in every table.\n", results.endings());
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(
        text,
        "Made by uphill {version} on {}. The whole configuration is `grid.toml`, \
        every run is a row of `results.csv`, every learning curve is in `curves.csv`.",
        machine()
    );
    if let Some(caution) = results.caution() {
        let _ = writeln!(text, "\n**{caution}.**");
    }
    text
}

/// The machine in words.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cores = if cores == 1 { "1 core".to_string() } else { format!("{cores} cores") };
    // Where the system tells it, which is Linux alone.
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(format!("{}, ", line.split_once(':')?.1.trim()))
    });
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{}{cores}, {os} {arch}", model.unwrap_or_default())
}

fn tasks(results: &Results) -> String {
    let grid = &results.grid;
    let header = owned(["task", "algorithm", "steps", "random policy's return (score 0)", "optimum (score 1)"]);
    let mut rows = Vec::new();
    for (task, algo) in pairs(grid) {
        let Some(run) = results.runs.iter().find(|run| run.task == task && run.algo == *algo) else { continue };
        let (random, optimum) = (number(run.scale.random_return), number(run.scale.optimal_return));
        rows.push(vec![task.into(), algo.into(), run.steps.to_string(), random, optimum]);
    }
    format!("## Tasks\n\n{}", table(&header, rows))
}

fn optimizers(grid: &Grid) -> Result<String> {
    let registry = Registry::default();
    let header = owned(["optimizer", "default lr", "is"]);
    let mut rows = Vec::new();
    for trial in grid.defaults()? {
        let summary = registry.recipe_of(&trial.spec).map_or("a chain of links", |row| row.summary);
        let lr = trial.lr.map_or("in the chain".to_string(), |lr| format!("{lr}"));
        rows.push(vec![format!("`{}`", trial.optimizer), lr, summary.into()]);
    }
    Ok(format!("## Optimizers\n\n{}", table(&header, rows)))
}

fn protocols(grid: &Grid) -> String {
    let mut text = "## Protocols\n\n".to_string();
    let seeds = seed_list(&grid.seeds.list());
    for protocol in &grid.protocols {
        match protocol {
            Protocol::Defaults => {
                let _ = writeln!(
                    text,
                    "- *defaults*: each optimizer with the hyper-parameters that `docs/optimizers.md` \
                    documents for it, its learning rate too, not with those that an algorithm prefers; seeds {seeds}."
                );
            }
            Protocol::Tuned => {
                let tuning = &grid.tuning;
                let judged = match tuning.select {
                    Select::Area => "the area under the curve of scores",
                    Select::FinalScore => "the score at the end of training",
                    Select::EvalScore => "the score of the evaluation",
                };
                let space = match &tuning.lr {
                    LrGrid::Multiples(list) => format!("learning rates of {} times the default", numbers(list)),
                    LrGrid::Values(list) => format!("learning rates of {}", numbers(list)),
                };
                let own = if tuning.search.is_empty() {
                    ""
                } else {
                    ", and what `tuning.search` in `grid.toml` lists for single optimizers"
                };
                let tuning_seeds = seed_list(&tuning.seeds.list());
                let _ = writeln!(
                    text,
                    "- *tuned*: for each task, algorithm and optimizer the best of {} trials, over {space}{own}; judged \
                     by the mean of {judged} over seeds {tuning_seeds}, and then run on seeds {seeds}.",
                    tuning.trials,
                );
            }
        }
    }
    if !grid.sweep.numbers().is_empty() {
        let _ = writeln!(text, "- *sweep*: every learning rate of the grid's `sweep`, on seeds {seeds}.");
    }
    text + "\nAll optimizers have the same gradient clipping and the same annealing of the learning rate: the algorithm's. \
        (An optimizer that has links of its own for either keeps them.)\n"
}

fn endings(results: &Results) -> String {
    let stages = stages(results);
    let header = ["optimizer".to_string()].into_iter().chain(stages.iter().map(|stage| stage.name().to_string()));
    let rows = results.optimizers().into_iter().map(|optimizer| {
        let of_stage = |&stage: &Stage| {
            let own = || results.runs.iter().filter(|run| run.protocol == stage && run.optimizer == optimizer);
            let count = |status: Status| own().filter(|run| run.status == status).count();
            let (all, collapsed, diverged) = (own().count(), count(Status::Collapsed), count(Status::Diverged));
            format!("{} / {collapsed} / {diverged}", all - collapsed - diverged)
        };
        [format!("`{optimizer}`")].into_iter().chain(stages.iter().map(of_stage)).collect()
    });
    format!("## How runs ended\n\nFinished / collapsed / diverged:\n\n{}", table(&header.collect::<Vec<_>>(), rows))
}

fn scores(results: &Results) -> String {
    let grid = &results.grid;
    let mut text = String::new();
    for stage in stages(results).into_iter().filter(|stage| matches!(stage, Stage::Defaults | Stage::Tuned)) {
        let header = ["optimizer".to_string()].into_iter();
        let header = header.chain(pairs(grid).map(|(task, algo)| format!("{task} {algo}")));
        let rows = results.optimizers().into_iter().map(|optimizer| {
            let cell = |(task, algo)| {
                let runs: Vec<&Run> = results.of(stage, task, algo, &optimizer).collect();
                format!("{:.3} / {:.3}", mean(&runs, |run| run.final_score), mean(&runs, |run| run.area))
            };
            [format!("`{optimizer}`")].into_iter().chain(pairs(grid).map(cell)).collect()
        });
        let name = stage.name();
        let table = table(&header.collect::<Vec<_>>(), rows);
        let _ = write!(text, "## Scores, {name}\n\nFinal score / area, means over seeds:\n\n{table}\n");
    }
    text.trim_end_matches('\n').to_string() + if text.is_empty() { "" } else { "\n" }
}

fn winners(results: &Results) -> String {
    let grid = &results.grid;
    if !grid.protocols.contains(&Protocol::Tuned) {
        return String::new();
    }
    let header = ["optimizer".to_string()].into_iter();
    let header = header.chain(pairs(grid).map(|(task, algo)| format!("{task} {algo}")));
    let rows = results.optimizers().into_iter().map(|optimizer| {
        let cell = |(task, algo)| {
            let run = results.of(Stage::Tuned, task, algo, &optimizer).next();
            run.map_or(String::new(), |run| match run.lr {
                Some(lr) if grid.tuning.search.contains_key(&optimizer) => format!("lr {lr}, `{}`", run.spec),
                Some(lr) => format!("lr {lr}"),
                None => format!("`{}`", run.spec),
            })
        };
        [format!("`{optimizer}`")].into_iter().chain(pairs(grid).map(cell)).collect()
    });
    format!("## What tuning chose\n\n{}", table(&header.collect::<Vec<_>>(), rows))
}

/// For each task and algorithm, the mean area at each learning rate that was tried.
fn learning_rates(results: &Results) -> String {
    let grid = &results.grid;
    let stage = match grid.sweep.numbers().is_empty() {
        false => Stage::Sweep,
        true if grid.protocols.contains(&Protocol::Tuned) => Stage::Tuning,
        true => return String::new(),
    };
    let mut text = format!(
        "## Learning rates\n\nMean area at each learning rate, from the runs of *{}*; in brackets how many of them \
         diverged or collapsed, if any. Too small a learning rate is slow, too large a one breaks the policy.\n",
        stage.name()
    );
    for (task, algo) in pairs(grid) {
        let _ = write!(text, "\n### {task}, {algo}\n\n");
        for optimizer in results.optimizers() {
            let mut by_lr: Vec<(f64, Vec<&Run>)> = Vec::new();
            for run in results.of(stage, task, algo, &optimizer) {
                let lr = run.lr.unwrap_or(f64::NAN);
                match by_lr.iter_mut().find(|(known, _)| *known == lr) {
                    Some((_, runs)) => runs.push(run),
                    None => by_lr.push((lr, vec![run])),
                }
            }
            by_lr.sort_by(|(a, _), (b, _)| a.total_cmp(b));
            let shown = by_lr.iter().map(|(lr, runs)| {
                let broken = runs.iter().filter(|run| run.status != Status::Finished).count();
                let broken = if broken == 0 { String::new() } else { format!(" ({broken} of {})", runs.len()) };
                format!("{lr}: {:.2}{broken}", mean(runs, |run| run.area))
            });
            let _ = writeln!(text, "- `{optimizer}`: {}", shown.collect::<Vec<_>>().join(" · "));
        }
    }
    text
}

fn costs(results: &Results) -> String {
    let grid = &results.grid;
    let header = ["optimizer".to_string(), "state, bytes".to_string()].into_iter();
    let header = header.chain(pairs(grid).map(|(task, algo)| format!("{task} {algo}")));
    let rows = results.optimizers().into_iter().map(|optimizer| {
        let own = results.runs.iter().filter(|run| run.optimizer == optimizer);
        let state = own.map(|run| run.state_bytes).max().unwrap_or_default();
        let cell = |(task, algo)| {
            let same = |run: &&Run| run.task == task && run.algo == algo && run.optimizer == optimizer;
            let per_update = |run: &Run| 1e6 * run.seconds / run.updates.max(1) as f64;
            let mut times: Vec<f64> = results.runs.iter().filter(same).map(per_update).collect();
            times.sort_by(f64::total_cmp);
            times.get(times.len() / 2).map_or(String::new(), |time| format!("{time:.0}"))
        };
        [format!("`{optimizer}`"), state.to_string()].into_iter().chain(pairs(grid).map(cell)).collect()
    });
    format!(
        "## Costs\n\nMedian microseconds a rollout with its update, evaluation included, runs side by side; and the most \
         bytes of state:\n\n{}",
        table(&header.collect::<Vec<_>>(), rows)
    )
}

fn definitions(grid: &Grid) -> String {
    let (points, episodes) = (grid.curve_points, grid.eval_episodes);
    format!(
        "## What the words mean

- *Return*: undiscounted sum of an episode's rewards. *Score*: `(return − random) / (optimum − random)`. Both ends are
  exact for grid worlds (the expected return within the time limit, from the model), measured for CartPole-v1 (a million
  random episodes), or the task's own.
- *Learning curve*: {points} points at equal distances of environment steps; each is the mean return of the last 100
  training episodes, exploration included, after the first update that reached it. Before the first episode has ended it
  is the random policy's return.
- *Final score*: the curve's last point. *Area*: the mean score over all of its points. *Evaluation*: {episodes} episodes
  with the likeliest action, on seeds of their own.
- *Diverged*: a loss, gradient, policy or update was not finite. From there on the run counts as the random policy, score
  0, in every table; it is neither left out nor tried again. A task that it had solved before stays solved at that step.
- *Collapsed*: trained to the end, but the final score is 0 or less, and either the policy's entropy is below 5% of a
  uniform policy's or 100 training episodes in a row had once had a mean score of 0.25 or more. Its scores are its own.
- *Solved at step*: the first step at which the mean of the last 100 training episodes reached the environment's threshold.
  A run that did not is censored at its number of steps.
"
    )
}

/// Tasks with algorithms, in the grid's order.
fn pairs(grid: &Grid) -> impl Iterator<Item = (&str, &str)> {
    grid.tasks.iter().flat_map(|task| grid.algos.iter().map(|algo| (task.label(), algo.as_str())))
}

/// The stages that have runs.
fn stages(results: &Results) -> Vec<Stage> {
    Stage::ALL.into_iter().filter(|&stage| results.runs.iter().any(|run| run.protocol == stage)).collect()
}

fn mean(runs: &[&Run], of: impl Fn(&Run) -> f64) -> f64 {
    runs.iter().map(|run| of(run)).sum::<f64>() / runs.len() as f64
}

fn number(x: f64) -> String {
    let text = format!("{x:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn numbers(list: &[f64]) -> String {
    list.iter().map(f64::to_string).collect::<Vec<_>>().join(", ")
}

/// `1 to 10`, or each of them.
fn seed_list(seeds: &[u64]) -> String {
    match seeds {
        [first, .., last] if seeds.windows(2).all(|pair| pair[0] + 1 == pair[1]) => format!("{first} to {last}"),
        _ => seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    }
}
