//! Several ranks that an MPI has started. Where there is no `mpirun` these tests say so and do no more.
#![cfg(feature = "mpi")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use jobs::{Job, LONGEST, alone, fails, mpirun, succeeds, text, until, uphill};
use uphill::{Error, MpiWorld, RankError, World};

mod jobs;
mod programs;

const ENV: &str = "--env GridWorld-4x4-v0 --hidden 8 --n-steps 32 --envs 2 --threads 1";

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
fn ranks_train_one_run_to_the_same_bits_again() {
    let _alone = alone();
    for ranks in [1, 2, 4] {
        let home = tempfile::tempdir().expect("a folder");
        for out in ["one", "again"] {
            let arguments = format!("train {ENV} --steps 1500 --eval-every 500 --eval-episodes 2 --out {out}");
            let Some(command) = uphill(home.path(), ranks, &arguments) else { return };
            let output = succeeds(command);
            assert_eq!(text(&output.stdout).matches("trained ").count(), 1, "one speaks: {}", text(&output.stdout));
        }
        assert_eq!(came_to(&home.path().join("one")), came_to(&home.path().join("again")), "{ranks} ranks");
        if ranks == 1 {
            let mut alone = programs::example("uphill");
            let arguments = format!("train {ENV} --steps 1500 --eval-every 500 --eval-episodes 2 --out alone");
            alone.current_dir(home.path()).args(arguments.split_whitespace());
            succeeds(alone);
            assert_eq!(came_to(&home.path().join("one")), came_to(&home.path().join("alone")));
        }
    }
}

#[test]
fn a_run_goes_on_with_as_many_ranks_to_the_same_bits_and_with_no_other_number() {
    let _alone = alone();
    for ranks in [2, 4] {
        let home = tempfile::tempdir().expect("a folder");
        let run = home.path().join("run");
        let arguments = format!("train {ENV} --steps 3000 --out run --checkpoint-every 0 --keep-checkpoints 100");
        let Some(command) = uphill(home.path(), ranks, &arguments) else { return };
        succeeds(command);
        let whole = came_to(&run);
        let there = checkpoints(&run);
        assert!(there.len() > 4, "{there:?}");
        there[2..].iter().for_each(|file| fs::remove_file(file).expect("removed"));
        for name in ["summary.json", "policy.safetensors"] {
            fs::remove_file(run.join(name)).expect("removed");
        }
        let refused = fails(uphill(home.path(), ranks + 1, "resume run").expect("mpirun"));
        let expected =
            format!("run: the lanes of {ranks} ranks are none of {} ranks: go on with `mpirun -n {ranks}`", ranks + 1);
        assert!(refused.contains(&expected), "{refused}");
        succeeds(uphill(home.path(), ranks, "resume run").expect("mpirun"));
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
        "sums" => {
            // In f32 another order comes to other sums.
            let part = |rank: usize, i: usize| [1e8, 1.0, -1e8, 0.1][(rank + i) % 4] * (1.0 + i as f32 * 0.3);
            for length in [1, 7, 4_097, 300_000] {
                let mut numbers: Vec<f32> = (0..length).map(|i| part(rank, i)).collect();
                world.sum(&mut numbers).expect("a sum");
                for (i, sum) in numbers.iter().enumerate() {
                    let expected = (1..world.size()).fold(part(0, i), |sum, rank| sum + part(rank, i));
                    assert_eq!(sum.to_bits(), expected.to_bits(), "number {i} of {length}");
                }
            }
            assert!(MpiWorld::begin().is_err_and(|error| matches!(error.cause(), Some(RankError::Begun))));
        }
        "astray" if rank == 0 => {
            let error = world.sum(&mut [0.0; 3]).expect_err("others are elsewhere");
            assert!(matches!(error.cause(), Some(RankError::Astray { rank: 1, expected: 3, got: 2 })), "{error}");
            world.fail(&error.to_string());
        }
        "astray" => drop(world.sum(&mut [0.0; 2])),
        "fails" if rank == 0 => {
            let error: Error = world.sum(&mut [0.0; 3]).expect_err("one has failed");
            println!("first: {error}");
            world.fail(&error.to_string());
        }
        "fails" if rank == 2 => world.fail("its disk is on fire"),
        "fails" => drop(world.sum(&mut [0.0; 3])),
        // The first rank does not listen.
        "deaf" if rank == 0 => std::thread::sleep(LONGEST),
        "deaf" => world.fail("nobody listens"),
        other => panic!("{other}"),
    }
}

#[test]
fn sums_are_taken_in_the_order_of_ranks() {
    let _alone = alone();
    for ranks in [1, 2, 4] {
        let Some(output) = job(ranks, "sums") else { return };
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    }
}

#[test]
fn ranks_that_are_at_different_places_are_found_out() {
    let _alone = alone();
    let Some(output) = job(2, "astray") else { return };
    let said = text(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("rank 1 sent 2 numbers where 3 were due"), "{said}");
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
