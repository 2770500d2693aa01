//! Several ranks that an MPI has started. Where there is no `mpirun` these tests say so and do no more.
#![cfg(feature = "mpi")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use jobs::{Job, LONGEST, alone, fails, mpirun, succeeds, text, until, uphill};
use uphill::{Error, MpiWorld, RankError, World};

mod jobs;
mod programs;

const ENV: &str = "--env GridWorld-4x4-v0 --hidden 8 --n-steps 100 --envs 8 --n-minibatches 1 --threads 1";

/// What a run left that no clock decides: its policy, and its rows without the last column.
fn came_to(run: &Path) -> (Vec<u8>, Vec<String>) {
    let rows = fs::read_to_string(run.join("metrics.csv")).expect("metrics");
    let rows = rows.lines().map(|row| row.rsplit_once(',').expect("columns").0.to_string()).collect();
    (fs::read(run.join("policy.safetensors")).expect("a policy"), rows)
}

fn checkpoints(run: &Path) -> Vec<PathBuf> {
    let there = fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut there: Vec<PathBuf> =
        there.filter(|file| file.extension().is_some_and(|end| end == "safetensors")).collect();
    there.sort();
    there
}

/// Waits until the last checkpoint of a run is of a later update than this one.
fn a_checkpoint_after(run: &Path, before: Option<&PathBuf>, job: &mut Job) -> PathBuf {
    until("a checkpoint", || {
        assert!(job.0.try_wait().expect("a status").is_none(), "the job has ended: {}", job.said());
        checkpoints(run).pop().filter(|last| Some(last) > before)
    })
}

#[test]
fn any_number_of_ranks_trains_one_run_to_the_bits_of_one_process() {
    let _alone = alone();
    let home = tempfile::tempdir().expect("a folder");
    let arguments = |out: &str| format!("train {ENV} --steps 5000 --eval-every 1500 --eval-episodes 2 --out {out}");
    let mut alone = programs::example("uphill");
    alone.current_dir(home.path()).args(arguments("alone").split_whitespace());
    succeeds(alone);
    for ranks in [1, 2, 4] {
        let out = ranks.to_string();
        let Some(command) = uphill(home.path(), ranks, &arguments(&out)) else { return };
        let output = succeeds(command);
        assert_eq!(text(&output.stdout).matches("trained ").count(), 1, "one speaks: {}", text(&output.stdout));
        assert_eq!(came_to(&home.path().join(out)), came_to(&home.path().join("alone")), "{ranks} ranks");
    }
}

#[test]
fn a_run_goes_on_with_any_number_of_ranks_to_the_same_bits() {
    let _alone = alone();
    for (ranks, others) in [(2, 4), (4, 1)] {
        let home = tempfile::tempdir().expect("a folder");
        let run = home.path().join("run");
        let arguments = format!("train {ENV} --steps 8000 --out run --checkpoint-every 0 --keep-checkpoints 100");
        let Some(command) = uphill(home.path(), ranks, &arguments) else { return };
        succeeds(command);
        let whole = came_to(&run);
        let there = checkpoints(&run);
        assert!(there.len() > 4, "{there:?}");
        there[2..].iter().for_each(|file| fs::remove_file(file).expect("removed"));
        for name in ["summary.json", "policy.safetensors"] {
            fs::remove_file(run.join(name)).expect("removed");
        }
        succeeds(uphill(home.path(), others, "resume run").expect("mpirun"));
        assert_eq!(came_to(&run), whole, "{ranks} ranks");
        succeeds(uphill(home.path(), ranks, "resume run --continue-for 1000").expect("mpirun"));
        let rows = came_to(&run).1;
        assert!(rows.len() > whole.1.len() && rows[..whole.1.len()] == whole.1[..], "it went on");
    }
}

#[test]
fn a_mistake_is_told_once() {
    let _alone = alone();
    let home = tempfile::tempdir().expect("a folder");
    for (arguments, said) in [
        ("train --env CartPole-v7", "CartPole-v1"),
        ("train --no-such-flag 1", "--no-such-flag"),
        ("train --seeds 3", "--seeds is for one process, and these are 3 ranks"),
        ("train --envs 2", "envs = 2 is impossible for 3 ranks"),
        ("resume nowhere", "nowhere"),
    ] {
        let Some(command) = uphill(home.path(), 3, arguments) else { return };
        let stderr = fails(command);
        assert_eq!(stderr.matches("error: ").count(), 1, "{arguments}: {stderr}");
        assert!(stderr.contains(said), "{arguments}: {stderr}");
    }
    let Some(mut command) = uphill(home.path(), 2, "train") else { return };
    let stderr = fails({
        command.env("UPHILL_PATIENCE", "soon");
        command
    });
    assert!(stderr.contains("UPHILL_PATIENCE is soon: expected whole seconds"), "{stderr}");
    assert!(fs::read_dir(home.path()).expect("a folder").next().is_none(), "nothing is left behind");
}

const LONG: &str = "--steps 1000000000 --out run --checkpoint-every 0";

#[test]
fn a_killed_rank_ends_the_job_and_the_run_goes_on_from_its_last_checkpoint_until_ctrl_c() {
    let _alone = alone();
    for killed in [2, 0] {
        let home = tempfile::tempdir().expect("a folder");
        let run = home.path().join("run");
        let Some(command) = uphill(home.path(), 4, &format!("train {ENV} {LONG}")) else { return };
        let mut job = Job::start(command);
        let first = a_checkpoint_after(&run, None, &mut job);
        a_checkpoint_after(&run, Some(&first), &mut job);
        Job::signal(job.pid_of(killed), "-KILL");
        let (code, said) = job.end();
        assert!(code != Some(0) && said.contains("signal 9"), "{code:?}: {said}");
        assert!(killed == 0 || said.contains("else the last checkpoint is to go on from"), "{said}");
        let last = checkpoints(&run).pop().expect("a checkpoint");

        let mut job = Job::start(uphill(home.path(), 4, "resume run --checkpoint-every 0").expect("mpirun"));
        a_checkpoint_after(&run, Some(&last), &mut job);
        Job::signal(job.0.id(), "-INT");
        let (code, said) = job.end();
        assert!(code != Some(0), "{said}");
        assert!(!said.contains("error: "), "{said}");
        // What is there after it can be gone on from, too.
        let last = checkpoints(&run).pop().expect("a checkpoint");
        let mut job = Job::start(uphill(home.path(), 4, "resume run --checkpoint-every 0").expect("mpirun"));
        a_checkpoint_after(&run, Some(&last), &mut job);
    }
}

#[test]
fn ctrl_c_of_every_rank_ends_the_run_after_the_same_update() {
    let _alone = alone();
    let home = tempfile::tempdir().expect("a folder");
    let run = home.path().join("run");
    let Some(command) = uphill(home.path(), 2, &format!("train {ENV} {LONG}")) else { return };
    let mut job = Job::start(command);
    a_checkpoint_after(&run, None, &mut job);
    // One that hears of it is enough.
    Job::signal(job.pid_of(1), "-INT");
    let (code, said) = job.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("interrupted: `mpirun -n 2 ") && said.contains(" resume run` goes on with it"), "{said}");
    assert!(run.join("policy.safetensors").is_file());
}

#[test]
fn a_rank_that_hangs_ends_the_job_and_is_named() {
    let _alone = alone();
    for hanging in [1, 0] {
        let home = tempfile::tempdir().expect("a folder");
        let run = home.path().join("run");
        let Some(mut command) = uphill(home.path(), 3, &format!("train {ENV} {LONG}")) else { return };
        command.env("UPHILL_PATIENCE", "10");
        let mut job = Job::start(command);
        a_checkpoint_after(&run, None, &mut job);
        Job::signal(job.pid_of(hanging), "-STOP");
        let (code, said) = job.end();
        let expected = format!("rank {hanging} has not answered for 1");
        assert!(code != Some(0) && said.contains(&expected), "{code:?}: {said}");
        // The others wait for the first one a little longer than it does for them.
        assert!(hanging == 0 || said.matches("error: ").count() == 1, "{said}");
    }
}

/// The job that [`rank_of_a_job`] is one of.
const JOB: &str = "UPHILL_TEST_JOB";

/// This test as the ranks of a job.
fn job(ranks: usize, name: &str) -> Option<Output> {
    let mut command = mpirun(ranks, std::env::current_exe().expect("this test"))?;
    command.args(["--exact", "rank_of_a_job", "--ignored", "--nocapture"]).env(JOB, name);
    Some(command.output().expect("mpirun runs"))
}

#[test]
#[ignore = "it is a rank of the jobs below"]
fn rank_of_a_job() {
    let Ok(job) = std::env::var(JOB) else { return };
    let world = MpiWorld::begin().expect("the first");
    let rank = world.rank();
    match job.as_str() {
        "gathers" => {
            let of = |rank: usize, length: usize| vec![rank as u8 + 1; length * (rank + 1) % 70_001];
            for length in [0, 1, 7, 4_097, 70_000, 300_000] {
                let all = world.gather(&of(rank, length)).expect("all");
                let expected: Vec<Vec<u8>> = (0..world.size()).map(|rank| of(rank, length)).collect();
                assert!(all == expected, "{length}");
            }
            assert!(MpiWorld::begin().is_err_and(|error| matches!(error.cause(), Some(RankError::Begun))));
        }
        "fails" if rank == 0 => {
            let error: Error = world.gather(&[1, 2, 3]).expect_err("one has failed");
            println!("first: {error}");
            world.fail(&error.to_string());
        }
        "fails" if rank == 2 => world.fail("its disk is on fire"),
        "fails" => drop(world.gather(&[1, 2, 3])),
        // The first rank does not listen.
        "deaf" if rank == 0 => std::thread::sleep(LONGEST),
        "deaf" => world.fail("nobody listens"),
        other => panic!("{other}"),
    }
}

#[test]
fn all_ranks_get_what_each_has_in_their_order() {
    let _alone = alone();
    for ranks in [1, 2, 4] {
        let Some(output) = job(ranks, "gathers") else { return };
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    }
}

#[test]
fn the_first_rank_says_what_another_failed_with() {
    let _alone = alone();
    let Some(output) = job(3, "fails") else { return };
    assert!(!output.status.success());
    assert!(text(&output.stdout).contains("first: rank 2: its disk is on fire"), "{}", text(&output.stderr));
    assert_eq!(
        text(&output.stderr).matches("error: rank 2: its disk is on fire").count(),
        1,
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_rank_that_failed_speaks_for_itself_where_nobody_listens() {
    let _alone = alone();
    let Some(output) = job(2, "deaf") else { return };
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("error: rank 1: nobody listens"), "{}", text(&output.stderr));
}
