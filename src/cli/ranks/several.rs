//! The ranks that an MPI has started.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::benchmark::{Benchmark, Manager, Results, work};
use crate::cli::interrupt::{is_interrupted, on_interrupt};
use crate::cli::one_line::end;
use crate::screen::tell;
use crate::{
    Catalogue, Checkpoint, Config, Error, MpiWorld, Overrides, RankError, Result, RunFolder, Threads, Trainer, World,
};

/// The commands in which several ranks have a part, or are refused.
const COMMANDS: [&str; 4] = ["train", "resume", COMPARE, "tune"];
/// The one whose runs the ranks share.
const COMPARE: &str = "compare";
/// The variable that says after how many seconds a rank that has not answered is lost.
const PATIENCE: &str = "UPHILL_PATIENCE";

/// What the first rank knows of the others.
struct Others {
    world: Arc<MpiWorld>,
    stage: Stage,
}

/// What the others do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// They wait to be told what to do.
    Wait,
    /// They learn, or do runs.
    Work,
    /// They have done their part, and wait for the end.
    Done,
    /// Some have been lost, and would never come to the end.
    Lost,
}

/// The others, of the first rank of several.
static OTHERS: Mutex<Option<Others>> = Mutex::new(None);

/// Does this rank's part of a command: `first` is the first one's.
pub(in crate::cli) fn together(command: &str, catalogue: &Catalogue, first: impl FnOnce() -> ExitCode) -> ExitCode {
    if !COMMANDS.contains(&command) {
        return first();
    }
    let (world, patience) = match MpiWorld::begin() {
        Ok(world) => (world, patience()),
        Err(error) => return end::<()>(Err(error)),
    };
    let world = match &patience {
        Ok(Some(patience)) => world.with_patience(*patience),
        _ => world,
    };
    let (world, is_patient) = (Arc::new(world), patience.map(drop));
    if world.size() == 1 {
        return is_patient.map_or_else(|error| end::<()>(Err(error)), |()| first());
    }
    if world.rank() > 0 {
        if let Err(error) = is_patient.and_then(|()| follow(&world, command, catalogue)) {
            world.fail(&error.to_string());
        }
        world.wait();
        return ExitCode::SUCCESS;
    }
    others(|others| *others = Some(Others { world, stage: Stage::Wait }));
    let code = is_patient.map_or_else(|error| end::<()>(Err(error)), |()| first());
    let Some(Others { world, stage }) = others(Option::take) else { return code };
    match stage {
        Stage::Wait => {
            if let Err(error) = tell_others(&world, "", &[]) {
                world.fail(&error.to_string());
            }
        }
        // What is wrong has been said.
        Stage::Work => world.abort(),
        Stage::Done => {}
        Stage::Lost => {
            tell("all else is done: the job ends without the ranks that do not answer");
            world.abort_with(i32::from(code != ExitCode::SUCCESS));
        }
    }
    world.wait();
    code
}

fn others<T>(with: impl FnOnce(&mut Option<Others>) -> T) -> T {
    with(&mut OTHERS.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The ranks, where there are several.
pub(in crate::cli) fn world() -> Option<Arc<dyn World>> {
    others(|others| others.as_ref().map(|others| others.world.clone() as Arc<dyn World>))
}

/// The ranks that learn by such a configuration, where there are several.
pub(in crate::cli) fn world_of(config: &Config) -> Option<Arc<dyn World>> {
    others(|others| others.as_ref().map(|others| among_gpus(others.world.clone(), config)))
}

/// The same ranks, from GPU to GPU where each learns on one.
#[cfg(feature = "nccl")]
fn among_gpus(world: Arc<MpiWorld>, config: &Config) -> Arc<dyn World> {
    let patience = world.patience();
    match config.device.parse() {
        Ok(crate::DeviceChoice::Cuda(gpu)) => Arc::new(crate::NcclWorld::over(world, gpu).with_patience(patience)),
        _ => world,
    }
}

/// The same ranks: no NCCL is built in.
#[cfg(not(feature = "nccl"))]
fn among_gpus(world: Arc<MpiWorld>, _: &Config) -> Arc<dyn World> {
    world
}

/// Refuses what several ranks cannot do.
pub(in crate::cli) fn refuse(what: &str) -> Result<()> {
    let size = world().map_or(1, |world| world.size());
    match size {
        1 => Ok(()),
        _ => {
            Err(Error::Config(format!("{what} is for one process, and these are {size} ranks: run it without mpirun")))
        }
    }
}

/// Lets the others begin, or go on, with the run in a folder.
pub(in crate::cli) fn start(run: &RunFolder) -> Result<()> {
    let Some(world) = others(|others| others.as_ref().map(|others| others.world.clone())) else { return Ok(()) };
    let checkpoint = run.last_checkpoint().map(|file| std::fs::read(file).map_err(Error::io(file))).transpose()?;
    let settings = run.config().to_toml()?;
    set(Stage::Work);
    tell_others(&world, &settings, &checkpoint.unwrap_or_default())
}

/// Does the runs of a comparison, on all ranks: `threads` of this one, `each` of any other.
pub(in crate::cli) fn compare(benchmark: &Benchmark, threads: &Threads, each: usize, quiet: bool) -> Result<Results> {
    let Some(world) = others(|others| others.as_ref().map(|others| others.world.clone())) else {
        return benchmark.run(threads, quiet);
    };
    let mut manager = Manager::new(&world, benchmark, threads.count())?;
    set(Stage::Work);
    tell_others(&world, &Manager::terms(benchmark, each)?, &[])?;
    let results = manager.run(benchmark, quiet);
    let is_broken = results.as_ref().is_err_and(|error| error.cause::<RankError>().is_some());
    if !is_broken {
        set(if manager.end(quiet)? { Stage::Done } else { Stage::Lost });
    }
    results
}

/// Lets the others end, as there is nothing for them to do.
pub(in crate::cli) fn dismiss() -> Result<()> {
    let Some(world) = others(|others| others.as_ref().map(|others| others.world.clone())) else { return Ok(()) };
    set(Stage::Done);
    tell_others(&world, "", &[])
}

/// Notes that the others have done their part.
pub(in crate::cli) fn are_done() {
    set(Stage::Done);
}

fn set(stage: Stage) {
    others(|others| others.iter_mut().for_each(|others| others.stage = stage));
}

/// Tells the others the run's settings and its checkpoint; without settings there is nothing to do.
fn tell_others(world: &MpiWorld, settings: &str, checkpoint: &[u8]) -> Result<()> {
    world.gather(settings.as_bytes())?;
    world.gather(checkpoint).map(drop)
}

/// How long a rank is waited for, where that is said.
fn patience() -> Result<Option<Duration>> {
    let Some(text) = std::env::var_os(PATIENCE) else { return Ok(None) };
    let seconds = text.to_str().and_then(|text| text.parse().ok()).filter(|seconds| (1..=1_000_000).contains(seconds));
    let problem = || format!("{PATIENCE} is {}: expected whole seconds, from 1 to 1000000", text.to_string_lossy());
    seconds.map(|seconds| Some(Duration::from_secs(seconds))).ok_or_else(|| Error::Config(problem()))
}

/// The part of any rank but the first: it learns, or does the runs, that the first one tells it to, and says nothing.
fn follow(world: &Arc<MpiWorld>, command: &str, catalogue: &Catalogue) -> Result<()> {
    let [settings, checkpoint] = [world.gather(&[])?, world.gather(&[])?].map(|all| all.into_iter().next());
    let settings = String::from_utf8(settings.unwrap_or_default()).map_err(|e| Error::Config(e.to_string()))?;
    if settings.is_empty() {
        return Ok(());
    }
    if command == COMPARE {
        return work(world, &settings, catalogue);
    }
    on_interrupt(None)?;
    let config = Config::from_toml_with(&settings, catalogue)?;
    let overrides = Overrides { world: Some(among_gpus(world.clone(), &config)), ..Overrides::default() };
    let mut trainer = Trainer::with(&config, overrides)?;
    if let Some(bytes) = checkpoint.filter(|bytes| !bytes.is_empty()) {
        trainer.restore(&Checkpoint::from_bytes_with(&bytes, catalogue)?)?;
    }
    let mut ends = false;
    while !ends && trainer.advance()?.is_some() {
        // The first rank's are written.
        drop((trainer.take_notes(), trainer.take_evaluations()));
        let due = trainer.agree([is_interrupted(), false])?;
        ends = due[0];
        if due[1] {
            trainer.checkpoint()?;
        }
    }
    trainer.checkpoint().map(drop)
}
