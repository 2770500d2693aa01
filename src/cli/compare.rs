//! Compares optimizers: tasks x algorithms x optimizers x seeds, at their defaults and tuned.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Command};

use super::{flags, ranks};
use crate::benchmark::{Benchmark, Estimate, Grid, LrGrid, Protocol, Seeds, Task, write_report};
use crate::envs::counted;
use crate::screen::say;
use crate::words::Wrapped;
use crate::{Catalogue, Result, Threads};

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    compare(args, catalogue).map(|()| ExitCode::SUCCESS)
}

fn compare(args: &ArgMatches, catalogue: &Catalogue) -> Result<()> {
    let grid = grid(args, catalogue)?;
    let each = args.get_one("threads").copied().unwrap_or(0);
    let threads = Threads::new(each)?;
    if args.get_flag("list-cells") {
        let cells = grid.cells()?;
        return cells.iter().try_for_each(|cell| say(format_args!("{:8}  {}", cell.stage.name(), cell.name())));
    }
    if args.get_flag("dry-run") {
        ranks::dismiss()?;
        let Estimate { runs, by_stage, thread_seconds } = Estimate::of(&grid)?;
        let by_stage = by_stage.iter().filter(|(_, count)| *count > 0);
        let by_stage: Vec<String> = by_stage.map(|(stage, count)| format!("{count} {}", stage.name())).collect();
        let ranks = ranks::world().map_or(1, |world| world.size());
        let (minutes, count) = (thread_seconds / 60.0, ranks * threads.count());
        say(format_args!("{}: {}", counted(runs, "run"), by_stage.join(", ")))?;
        let shared = minutes / count as f64;
        return say(format_args!("about {minutes:.1} minutes of one thread, {shared:.1} with {count}"));
    }

    let out = args.get_one::<PathBuf>("out").cloned().unwrap_or_else(|| default_folder(args));
    let benchmark = Benchmark::open(grid, out, args.get_flag("force"))?;
    let results = ranks::compare(&benchmark, &threads, each, args.get_flag("quiet"))?;
    write_report(&results, benchmark.path())?;
    if !args.get_flag("quiet") {
        say(results.endings())?;
        if let Some(caution) = results.caution() {
            say(caution)?;
        }
        say(format_args!("report   {}", benchmark.path().join("report.md").display()))?;
        say(format_args!("results  {}", benchmark.path().join("results.csv").display()))?;
    }
    Ok(())
}

/// The default grid, or that of `--config`, under the command line.
fn grid(args: &ArgMatches, catalogue: &Catalogue) -> Result<Grid> {
    let mut grid = match args.get_one::<PathBuf>("config") {
        Some(path) => Grid::read_with(path, catalogue)?,
        None => Grid { catalogue: catalogue.clone(), ..Grid::default() },
    };
    let words = |name: &str| args.get_many::<String>(name).map(|words| words.map(String::as_str).collect::<Vec<_>>());
    if let Some(envs) = words("tasks") {
        // A task that the grid has already keeps what is special about it.
        let known = |env: &str| grid.tasks.iter().find(|task| task.label() == env).cloned();
        let task = |env| known(env).map_or_else(|| Task::of(env, catalogue), Ok);
        grid.tasks = envs.into_iter().map(task).collect::<Result<_>>()?;
    }
    if let Some(algos) = words("algos") {
        grid.algos = algos.into_iter().map(Into::into).collect();
    }
    if let Some(optimizers) = words("optimizers") {
        grid.optimizers = optimizers.into_iter().map(str::parse).collect::<Result<_>>()?;
        let named: Vec<String> = grid.optimizers.iter().map(ToString::to_string).collect();
        grid.tuning.search.retain(|optimizer, _| named.contains(optimizer));
    }
    if let Some(protocols) = words("protocols") {
        let protocol = |word: &str| if word == "tuned" { Protocol::Tuned } else { Protocol::Defaults };
        grid.protocols = protocols.into_iter().map(protocol).collect();
    }
    if let Some(seeds) = args.get_one::<Seeds>("seeds") {
        grid.seeds = seeds.clone();
    }
    let numbers = |name: &str| args.get_many::<f64>(name).map(|numbers| numbers.copied().collect::<Vec<_>>());
    if let Some(multiples) = numbers("lr-multiples") {
        grid.sweep = LrGrid::Multiples(multiples);
    }
    if let Some(values) = numbers("lr") {
        grid.sweep = LrGrid::Values(values);
    }
    if let Some(&steps) = args.get_one::<i64>("steps") {
        grid.tasks.iter_mut().for_each(|task| drop(task.settings.insert("steps".into(), steps.into())));
    }
    if let Some(&limit) = args.get_one::<u32>("max-episode-steps") {
        let takes_one = |task: &&mut Task| {
            let row = catalogue.env(&Wrapped::from(task.env.as_str()).word.name);
            row.is_ok_and(|row| row.param("max_episode_steps").is_some())
        };
        grid.tasks.iter_mut().filter(takes_one).for_each(|task| task.max_episode_steps = Some(limit));
    }
    grid.validate()?;
    Ok(grid)
}

/// `runs/compare`, or for the file `studies/optimizers/grid.toml` `runs/compare-optimizers-grid`.
fn default_folder(args: &ArgMatches) -> PathBuf {
    let Some(path) = args.get_one::<PathBuf>("config") else { return "runs/compare".into() };
    let folder = path.parent().and_then(Path::file_name).map(|name| format!("-{}", name.to_string_lossy()));
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Path::new("runs").join(format!("compare{}-{stem}", folder.unwrap_or_default()))
}

pub(super) fn command(_: &Catalogue) -> Command {
    let many = |name: &'static str, value: &'static str, help: &'static str| {
        flags::value(name, value, help).num_args(1..).help_heading("Grid")
    };
    let number = || clap::value_parser!(f64);
    Command::new("compare")
        .about(
            "Compares optimizers over tasks, algorithms and seeds, at their defaults and tuned; \
            killed, the same command does the rest",
        )
        .arg(many(
            "tasks",
            "ENV",
            "Environments: names, which may have arguments, or files of grid worlds, and wrappers after |",
        ))
        .arg(many("algos", "ALGO", "Algorithms"))
        .arg(many("optimizers", "OPTIMIZER", "Optimizers: names, or chains such as \"adam(lr=3e-4, eps=1e-5)\""))
        .arg(
            flags::value("seeds", "SEEDS", "Reported seeds: 10 (1 to 10), 5-14 or 3,7")
                .value_parser(flags::seeds)
                .help_heading("Grid"),
        )
        .arg(
            many("protocols", "PROTOCOL", "How hyper-parameters are come by; none runs the learning rates alone")
                .num_args(0..)
                .value_parser(["defaults", "tuned"]),
        )
        .arg(
            many("lr", "LR", "Run every optimizer at each of these learning rates, too")
                .value_parser(number())
                .value_delimiter(','),
        )
        .arg(
            many("lr-multiples", "X", "Run every optimizer at these multiples of its default learning rate, too")
                .value_parser(number())
                .value_delimiter(',')
                .conflicts_with("lr"),
        )
        .arg(
            flags::value("steps", "N", "Environment steps of every run")
                .value_parser(clap::value_parser!(i64).range(1..))
                .help_heading("Grid"),
        )
        .arg(
            flags::value(
                "max-episode-steps",
                "N",
                "Limit of an episode's steps, in environments with an argument of this name, such as grid worlds",
            )
            .value_parser(clap::value_parser!(u32).range(1..))
            .help_heading("Grid"),
        )
        .arg(flags::path("config", "FILE", "A grid to start from; the grid.toml of a comparison repeats it"))
        .arg(flags::path("out", "FOLDER", "Where results go [default: runs/compare, or runs/compare-<name of FILE>]"))
        .arg(
            flags::value("threads", "N", "Runs side by side, 0 for one a core")
                .value_parser(clap::value_parser!(usize)),
        )
        .arg(flags::switch(
            "force",
            "Run this grid in a folder that holds another one; runs that are the same are kept",
        ))
        .arg(flags::switch("quiet", "Print nothing but errors and what was found broken"))
        .arg(flags::switch("dry-run", "Print how many runs there are and about how long they take, and leave"))
        .arg(flags::switch("list-cells", "Print the name of each run, and leave; tuned ones are not known before"))
}
