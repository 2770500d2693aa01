//! What was run, on what, and with which settings.

use std::fmt::Write as _;

use super::super::grid::{Grid, LrGrid, Protocol, Select};
use super::super::results::Results;
use super::markdown::{LARGE, block, code, owned, plain, table};
use crate::Result;
use crate::envs::{counted, shown};
use crate::optim::Registry;

pub(super) fn head(results: &Results) -> String {
    let grid = &results.grid;
    let mut text = format!("# {}\n\n", plain(&grid.title));
    let _ = writeln!(text, "{}. All of them are in every table.\n", results.endings());
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(
        text,
        "Made by uphill {version} on {}. The whole configuration is at the end and in `grid.toml`; every run is a row of \
         `results.csv`, every learning curve is in `curves.csv`, every number of the statistics in `statistics.csv`, and \
         every picture in `pictures/` as PNG and as SVG.",
        plain(&machine())
    );
    if let Some(caution) = results.caution() {
        let _ = writeln!(text, "\n**{caution}.**");
    }
    text
}

/// The machine in words.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cores = counted(cores, "core");
    // Where the system tells it, which is Linux alone.
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(format!("{}, ", line.split_once(':')?.1.trim()))
    });
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{}{cores}, {os} {arch}", model.unwrap_or_default())
}

pub(super) fn tasks(results: &Results) -> String {
    let grid = &results.grid;
    let header = owned(["task", "algorithm", "steps", "random policy's return (score 0)", "optimum (score 1)"]);
    let mut rows = Vec::new();
    for (task, algo) in grid.pairs() {
        let Some(run) = results.runs.iter().find(|run| run.task == task && run.algo == *algo) else { continue };
        let (random, optimum) = (number(run.scale.random()), number(run.scale.optimal()));
        rows.push(vec![plain(task), plain(algo), run.steps.to_string(), random, optimum]);
    }
    format!("## Tasks\n\n{}", table(&header, rows))
}

pub(super) fn optimizers(grid: &Grid) -> Result<String> {
    let registry = Registry::default();
    let header = owned(["optimizer", "default lr", "is"]);
    let mut rows = Vec::new();
    for trial in grid.defaults()? {
        let summary = registry.recipe_of(&trial.spec).map_or("a chain of links", |row| row.summary);
        let lr = trial.lr.map_or("in the chain".to_string(), shown);
        rows.push(vec![code(&trial.optimizer), lr, summary.into()]);
    }
    Ok(format!("## Optimizers\n\n{}", table(&header, rows)))
}

pub(super) fn protocols(grid: &Grid) -> String {
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
                    "- *tuned*: for each task, algorithm and optimizer the best of {}, over {space}{own}; judged \
                     by the mean of {judged} over seeds {tuning_seeds}, and then run on seeds {seeds}.",
                    counted(tuning.trials, "trial"),
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

/// The grid itself.
pub(super) fn configuration(grid: &Grid) -> Result<String> {
    let text = grid.to_toml()?;
    Ok(format!(
        "## Configuration\n\n<details>\n<summary><code>grid.toml</code>, complete</summary>\n\n{}\n\n</details>\n",
        block("toml", &text)
    ))
}

fn number(x: f64) -> String {
    if x.abs() >= LARGE {
        return shown(x);
    }
    let text = format!("{x:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn numbers(list: &[f64]) -> String {
    list.iter().copied().map(shown).collect::<Vec<_>>().join(", ")
}

/// `1 to 10`, or each of them.
fn seed_list(seeds: &[u64]) -> String {
    match seeds {
        [first, .., last] if seeds.windows(2).all(|pair| pair[0] + 1 == pair[1]) => format!("{first} to {last}"),
        _ => seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
    }
}
