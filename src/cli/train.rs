//! Trains an agent and leaves its numbers, its policy and its reward curve in a folder.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::dashboard::Dashboard;
use super::flags;
use super::interrupt::{EXIT_INTERRUPTED, is_interrupted, on_interrupt};
use super::list;
use super::ranks;
use super::seeds as population;
use super::settings::{self, configuration};
use crate::benchmark::Seeds;
use crate::envs::counted;
use crate::screen::{self, PatientBar, returns, say, tell};
use crate::{
    Catalogue, Config, Console, Error, Event, Keep, Overrides, Result, RunFolder, StoppedBy, Summary, Trainer, plot,
};

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    if let Some(kind) = args.get_one::<String>("list") {
        return list::names(kind, catalogue).map(|()| ExitCode::SUCCESS);
    }
    if let Some(seeds) = args.get_one::<Seeds>("seeds") {
        ranks::refuse("--seeds")?;
        return population::train(seeds, args, catalogue);
    }
    check_tui(args)?;
    let (run, trainer) = match args.get_one::<PathBuf>("resume") {
        Some(folder) => {
            check_alone(args, catalogue)?;
            resume(folder, args, catalogue)?
        }
        None => begin(args, catalogue)?,
    };
    finish(run, trainer, Shows::of(args), " --resume")
}

/// What is shown while it trains.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    Nothing,
    Progress,
    Dashboard,
}

impl Shows {
    pub(super) fn of(args: &ArgMatches) -> Self {
        match (args.get_flag("quiet"), args.get_flag("tui")) {
            (_, true) => Self::Dashboard,
            (true, _) => Self::Nothing,
            _ => Self::Progress,
        }
    }
}

/// That there is a terminal for a dashboard, and one run to show.
pub(super) fn check_tui(args: &ArgMatches) -> Result<()> {
    if !args.get_flag("tui") {
        return Ok(());
    }
    ranks::refuse("--tui")?;
    Dashboard::check()
}

/// Trains to the end, or until Ctrl-C. `alone` goes on with the run of a folder where the command is a program of its own.
pub(super) fn finish(mut run: RunFolder, mut trainer: Trainer, shows: Shows, alone: &str) -> Result<ExitCode> {
    let quiet = shows == Shows::Nothing;
    if run.is_finished(&trainer) {
        if !quiet {
            let (path, steps) = (screen::path(run.path()), trainer.env_steps());
            let why = why(trainer.stopped_by(), trainer.config()).map_or(String::new(), |why| format!(", as {why}"));
            let more = "nothing is left to do; --continue-for STEPS trains it for longer";
            say(format_args!("{path}: this run has ended already, at step {steps}{why}: {more}"))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    ranks::start(&run)?;
    on_interrupt(Some(match trainer.has_others() {
        false => "finishing what is under way; once more to leave at once",
        // What asks for it may be the end of a job that has lost a rank.
        true => "finishing what is under way, if all ranks are there; else the last checkpoint is to go on from",
    }))?;
    let trained = if shows == Shows::Dashboard {
        let dashboard = Dashboard::new(&trainer, run.path())?;
        let trained = go_on(&mut run, &mut trainer, &mut |seen| dashboard.see(&seen));
        dashboard.finish();
        trained
    } else {
        let mut console = Console::new(trainer.config(), quiet);
        let trained = go_on(&mut run, &mut trainer, &mut |seen| match seen {
            Seen::Warning(text) => console.warn(text),
            Seen::Event(Event::Update(metrics), _) => console.show(metrics),
            Seen::Event(Event::Evaluation(evaluated), _) => console.evaluated(evaluated),
        });
        console.finish();
        trained
    };
    trained.map_err(|error| broken_off(error, &mut run, &mut trainer))?;
    save(&mut run, &mut trainer).inspect_err(|_| name_last_checkpoint(&run))?;
    ranks::are_done();
    if trainer.has_others() {
        trainer.stop_when(is_interrupted);
    }
    run.take_notes().iter().for_each(tell);
    let report = trainer.optimizer().report();
    let why = why(trainer.stopped_by(), trainer.config());
    let path = run.path().to_path_buf();
    let mut bar = PatientBar::new("judging the policy");
    let finished = run.finish_telling(trainer, &mut |done, length| {
        if !quiet {
            bar.reach(done, length);
        }
    });
    drop(bar);
    match finished {
        Ok(summary) => {
            let shown = if quiet { Ok(()) } else { results(&summary, &path, (why, &report)) };
            if summary.finished {
                return shown.map(|()| ExitCode::SUCCESS);
            }
        }
        // The policy is kept, but not judged.
        Err(Error::Interrupted) => {}
        Err(error) => return Err(error),
    }
    tell(format_args!("interrupted: `{}` goes on with it", resume_command(alone, &path)));
    Ok(ExitCode::from(EXIT_INTERRUPTED))
}

/// What there is to be seen of a run that trains.
pub(super) enum Seen<'a> {
    /// Something that happened, and the trainer after it.
    Event(&'a Event, &'a Trainer),
    Warning(&'a str),
}

/// Trains to the end, or until Ctrl-C, and keeps in the folder what is due. Several ranks end after the same update, which Ctrl-C
/// does not break off: none knows when the others hear of it.
pub(super) fn go_on(run: &mut RunFolder, trainer: &mut Trainer, see: &mut dyn FnMut(Seen<'_>)) -> Result<()> {
    if !trainer.has_others() {
        trainer.stop_when(is_interrupted);
    }
    run.log_weights(trainer)?;
    let mut ends = is_interrupted() && !trainer.has_others();
    while !ends {
        let event = match trainer.advance() {
            Ok(Some(event)) => event,
            Ok(None) | Err(Error::Interrupted) => break,
            Err(error) => return Err(error),
        };
        trainer.take_notes().iter().for_each(|note| see(Seen::Warning(note)));
        let logged = match &event {
            Event::Update(metrics) => run.log(metrics).and(run.log_weights(trainer)),
            // Those the run takes itself.
            Event::Evaluation(_) => Ok(()),
        };
        let due = trainer.agree([is_interrupted(), run.is_due()])?;
        ends = due[0];
        // Before anything that the first rank alone does and that may fail.
        let state = due[1].then(|| trainer.checkpoint());
        if trainer.has_others()
            && let Some(Err(lost)) = state
        {
            return Err(lost);
        }
        let saved = logged.and_then(|()| match state {
            Some(state) => run.save_state(trainer, state),
            None => run.log_evaluations(trainer),
        });
        // What cannot be written now stays in memory and is written later: a full disk is no reason to stop training.
        if let Err(problem) = saved {
            let so_far = match run.last_checkpoint() {
                Some(_) => "nothing is lost yet",
                None => "no checkpoint could be written so far, and the run is in memory alone",
            };
            see(Seen::Warning(&format!("{problem}: {so_far}; the next attempt follows")));
        }
        run.take_notes().iter().for_each(|note| see(Seen::Warning(note)));
        see(Seen::Event(&event, trainer));
    }
    Ok(())
}

/// The command line that goes on with the run in a folder, as a shell takes it.
fn resume_command(alone: &str, folder: &Path) -> String {
    let mut arguments = std::env::args_os();
    let program = arguments.next().filter(|name| !name.is_empty()).unwrap_or_else(|| "uphill".into());
    let is_command = arguments.next().is_some_and(|name| ["train", "resume"].iter().any(|command| name == *command));
    let how = if is_command { " resume" } else { alone };
    let ranks = ranks::world().map_or(String::new(), |world| format!("mpirun -n {} ", world.size()));
    format!("{ranks}{}{how} {}", shell_word(Path::new(&program)), shell_word(folder))
}

/// A path as a word of a shell's command line: in quotation marks where the shell would take it for something else.
pub(super) fn shell_word(path: &Path) -> String {
    let text = screen::path(path);
    let text = if text.starts_with('-') { format!("./{text}") } else { text };
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:@%,".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text,
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Why an evaluation ended training, if one did.
fn why(stopped_by: Option<StoppedBy>, config: &Config) -> Option<String> {
    Some(match stopped_by? {
        by @ StoppedBy::StopAtReturn => format!("{by} = {}", config.stop_at_return),
        by @ StoppedBy::StopWithoutImprovement => format!("{by} = {}", config.stop_without_improvement),
    })
}

/// What a run came to.
fn results(summary: &Summary, path: &Path, (why, report): (Option<String>, &[(&'static str, f64)])) -> Result<()> {
    let (steps, seconds, rate) = (counted(summary.env_steps, "step"), summary.wall_seconds, summary.steps_per_second);
    say(format_args!("trained  {steps} in {seconds:.1} s ({rate:.0} steps/s)"))?;
    why.map_or(Ok(()), |why| say(format_args!("stopped  as {why}")))?;
    match (summary.solved_at_step, summary.reward_threshold) {
        (Some(step), _) => say(format_args!("solved   at step {step}"))?,
        (None, Some(_)) => say("solved   not yet")?,
        (None, None) => {}
    }
    if summary.divergences > 0 {
        let (divergences, updates) = (summary.divergences, counted(summary.updates, "update"));
        say(format_args!("diverged in {divergences} of {updates}, and went on each time"))?;
    }
    say(format_args!("return   {}", returns(&summary.eval)))?;
    if let (Some(mean), Some(update)) = (summary.best_eval_return_mean, summary.best_eval_update) {
        let [mean] = screen::amounts([mean]);
        say(format_args!("best     {mean} by evaluation after update {update}; `evaluate --best` plays it"))?;
    }
    // There is none of a run in which no episode ended.
    let curve = path.join("reward.png");
    if curve.is_file() {
        say(format_args!("curve    {}", screen::path(&curve)))?;
    }
    summary.findings.iter().try_for_each(|finding| say(format_args!("look at  {finding}")))?;
    report.iter().try_for_each(|(name, number)| say(format_args!("{name} {number}")))
}

/// A new run in a folder of its own.
fn begin(args: &ArgMatches, catalogue: &Catalogue) -> Result<(RunFolder, Trainer)> {
    let config = configuration(args, catalogue)?;
    let own = Overrides { world: ranks::world_of(&config), ..Overrides::default() };
    let mut trainer = Trainer::with(&config, own).map_err(|e| settings::of_trainer(args, catalogue, e))?;
    if let Some(note) = trainer.device_note() {
        tell(note);
    }
    trainer.take_notes().iter().for_each(tell);
    plot::note_on(&config.env.shown(), "reward.png").iter().for_each(|note| tell(format_args!("reward.png: {note}")));
    let path = args.get_one::<PathBuf>("out").cloned().unwrap_or_else(|| RunFolder::default_path(&config));
    let run = RunFolder::create(path, &config, args.get_flag("force"))?;
    Ok((run.with_keep(keep(args)), trainer))
}

/// The flags that are no settings, and mean nothing to a run that goes on.
pub(super) const OF_A_NEW_RUN: [&str; 4] = ["config", "out", "force", "seeds"];

/// That nothing is said beside `--resume` that the run has said.
fn check_alone(args: &ArgMatches, catalogue: &Catalogue) -> Result<()> {
    let set = |name: &str| args.value_source(name) == Some(ValueSource::CommandLine);
    let mut others = settings::names(catalogue).into_iter().chain(OF_A_NEW_RUN);
    if let Some(name) = others.find(|name| set(name)) {
        let name = name.replace('_', "-");
        let problem = format!("--resume goes on with the settings that the run began with: leave out --{name}");
        return Err(Error::Config(problem));
    }
    Ok(())
}

/// A run that was broken off, from its last checkpoint on, or one that has ended and is to be trained for longer.
pub(super) fn resume(folder: &Path, args: &ArgMatches, catalogue: &Catalogue) -> Result<(RunFolder, Trainer)> {
    let make = RunFolder::made_with(folder, catalogue, ranks::world_of);
    let (run, trainer, notes) = match args.get_one::<u64>("continue-for") {
        Some(&more) => RunFolder::continue_in(folder.into(), catalogue, more, make)?,
        None => RunFolder::resume_in(folder.into(), catalogue, make)?,
    };
    notes.iter().for_each(tell);
    Ok((run.with_keep(keep(args)), trainer))
}

pub(super) fn keep(args: &ArgMatches) -> Keep {
    let default = Keep::default();
    let every = args.get_one::<f64>("checkpoint-every").copied().map_or(default.every, Duration::from_secs_f64);
    Keep { every, last: args.get_one::<usize>("keep-checkpoints").copied().unwrap_or(default.last) }
}

/// Saves what is left to save, as often as it takes: until then the run is in memory alone.
pub(super) fn save(run: &mut RunFolder, trainer: &mut Trainer) -> Result<()> {
    let gives_up = is_interrupted();
    let state = trainer.checkpoint()?;
    loop {
        match run.save_state(trainer, Ok(state.clone())) {
            Err(problem) if problem.is_io() && !gives_up && !is_interrupted() => {
                let kept = "the run is kept in memory and saved once that is possible; Ctrl-C gives it up";
                tell(format_args!("{problem}: {kept}"));
                (0..50).take_while(|_| !is_interrupted()).for_each(|_| {
                    std::thread::sleep(Duration::from_millis(100));
                });
            }
            done => return done,
        }
    }
}

/// An error in the middle of training, after what is whole has been saved.
pub(super) fn broken_off(error: Error, run: &mut RunFolder, trainer: &mut Trainer) -> Error {
    // After an environment's error the trainer is as it was before the update, after others it may be between two states. The
    // state of all ranks is not to be had where one of them is lost.
    if !trainer.has_others()
        && let Err(problem) = run.save(trainer)
        && problem.is_io()
    {
        tell(problem);
    }
    name_last_checkpoint(run);
    error
}

fn name_last_checkpoint(run: &RunFolder) {
    if let Some(checkpoint) = run.last_checkpoint() {
        tell(format_args!("the last good checkpoint is {}", screen::path(checkpoint)));
    }
}

/// The command line: one flag a setting of [`Config`], and what concerns the run itself.
pub(super) fn command(catalogue: &Catalogue) -> Command {
    Command::new("train")
        .about("Trains an agent and leaves its numbers, its policy and its reward curve in a folder")
        .arg(flags::path("config", "FILE", "Settings to start from; the config.toml of a run repeats it. Also rl-baselines3-zoo's, CleanRL's and PureJaxRL's"))
        .arg(flags::path(
            "out",
            "FOLDER",
            "Where the run goes [default: runs/<env>-<algo>-<optimizer>-s<seed>, a digest after an own world's name]",
        ))
        .arg(flags::switch("force", "Replace the run that the folder holds already"))
        .arg(
            flags::value(
                "seeds",
                "SEEDS",
                "Train a run of each of these seeds, side by side: 10 (1 to 10), 5-14 or 3,7",
            )
            .value_parser(flags::seeds)
            .conflicts_with_all(["seed", "resume", "tui"]),
        )
        .arg(flags::path(
            "resume",
            "FOLDER",
            "Go on with the run in this folder, from its last checkpoint, as if it had never stopped",
        ))
        .arg(continue_for())
        .args(of_any_run())
        .arg(
            flags::value("list", "WHAT", "Print the names there are, one a line, and leave")
                .value_parser(list::KINDS.map(|kind| kind.name)),
        )
        .args(settings::flags(catalogue))
}

/// What may be said of a run that has ended.
pub(super) fn continue_for() -> Arg {
    let help =
        "Train a run that has ended for so many more steps; schedules then go by the share of all steps, old and new";
    flags::value("continue-for", "STEPS", help).value_parser(more_steps).requires("resume")
}

fn more_steps(text: &str) -> Result<u64, String> {
    let steps = text.replace('_', "").parse().ok().filter(|&steps| steps > 0);
    steps.ok_or_else(|| "expected a whole number of steps, such as 500_000".into())
}

/// What may be said of a new run and of one that goes on.
pub(super) fn of_any_run() -> [Arg; 4] {
    [
        flags::value("checkpoint-every", "SECONDS", "Time between checkpoints; it changes no result [default: 10]")
            .value_parser(seconds),
        flags::value("keep-checkpoints", "K", "How many of the last checkpoints stay, 1 or more [default: 3]")
            .value_parser(kept),
        flags::switch("quiet", "Print nothing but errors"),
        flags::switch(
            "tui",
            "Show curves, losses, speed and the agent at play on the whole terminal; q ends and saves",
        )
        .conflicts_with("quiet"),
    ]
}

fn seconds(text: &str) -> Result<f64, String> {
    let fits = |seconds: &f64| (0.0..=1e9).contains(seconds);
    text.parse().ok().filter(fits).ok_or_else(|| "expected seconds, such as 60 or 0.5".to_string())
}

fn kept(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&kept| kept > 0)
        .ok_or_else(|| "expected a whole number, 1 or more: a run goes on from one".into())
}

#[cfg(test)]
mod tests {
    use super::{Path, shell_word};

    #[test]
    fn a_path_is_in_quotation_marks_where_a_shell_would_take_it_for_something_else() {
        for (path, word) in [
            ("runs/CartPole-v1-ppo-adam-s1", "runs/CartPole-v1-ppo-adam-s1"),
            ("a run", "'a run'"),
            ("$HOME; it's `me`", r"'$HOME; it'\''s `me`'"),
            ("-x", "./-x"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }
}
