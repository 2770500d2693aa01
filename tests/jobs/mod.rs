//! Jobs of several ranks that `mpirun` starts, and what tests do to them. Each test binary uses some of these.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::programs;

/// No test waits longer for what is due to happen.
pub(crate) const LONGEST: Duration = Duration::from_secs(120);
/// One job at a time: more ranks than cores wait for each other.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static JOB: Mutex<()> = Mutex::new(());
    JOB.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `mpirun` for so many ranks of a program, whoever runs it and on however few cores; none where there is none.
pub(crate) fn mpirun(ranks: usize, program: impl AsRef<OsStr>) -> Option<Command> {
    let is_there = Command::new("mpirun").arg("--version").output().is_ok();
    if !is_there {
        eprintln!("skipped: there is no mpirun");
        return None;
    }
    let mut command = Command::new("mpirun");
    // Open MPI's; others pass over them.
    for name in ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"] {
        command.env(name, "1");
    }
    command.args(["-n", &ranks.to_string()]).arg(program);
    Some(command)
}

/// Ranks of the program in a folder; arguments are separated by spaces.
pub(crate) fn uphill(folder: &Path, ranks: usize, arguments: &str) -> Option<Command> {
    let program = programs::example("uphill");
    let mut command = mpirun(ranks, program.get_program())?;
    command.current_dir(folder).args(arguments.split_whitespace());
    Some(command)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn succeeds(mut command: Command) -> Output {
    let output = command.output().expect("mpirun runs");
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    output
}

pub(crate) fn fails(mut command: Command) -> String {
    let output = command.output().expect("mpirun runs");
    assert!(!output.status.success(), "{command:?}: {}", text(&output.stderr));
    text(&output.stderr)
}

/// A job that is ended with this test.
pub(crate) struct Job(pub(crate) Child);

impl Drop for Job {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Job {
    pub(crate) fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("mpirun runs"))
    }

    /// The same, where what it says goes into a file.
    pub(crate) fn start_telling(mut command: Command, file: &Path) -> Self {
        let file = fs::File::create(file).expect("a file");
        Self(command.stdout(Stdio::null()).stderr(file).spawn().expect("mpirun runs"))
    }

    /// The process of a rank.
    pub(crate) fn pid_of(&self, rank: usize) -> u32 {
        let is_child = |pid: u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
            parent == Some(self.0.id())
        };
        let is_rank = |pid: u32| {
            let named = [format!("OMPI_COMM_WORLD_RANK={rank}"), format!("PMI_RANK={rank}")];
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|&byte| byte == 0).any(|entry| named.iter().any(|named| named.as_bytes() == entry))
        };
        let pids = fs::read_dir("/proc").expect("processes").flatten();
        let mut pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.find(|&pid| is_child(pid) && is_rank(pid)).expect("the process of a rank")
    }

    pub(crate) fn signal(pid: u32, signal: &str) {
        let sent = Command::new("kill").args([signal, &pid.to_string()]).status().expect("kill runs");
        assert!(sent.success(), "kill {signal} {pid}");
    }

    /// What it ends with, and what it has said.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let status = until("the job to end", || self.0.try_wait().expect("a status"));
        (status.code(), self.said())
    }

    /// What it has said, now that it has ended.
    pub(crate) fn said(&mut self) -> String {
        let mut said = String::new();
        if let Some(mut stderr) = self.0.stderr.take() {
            stderr.read_to_string(&mut said).expect("text");
        }
        said
    }
}

pub(crate) fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(done) = done() {
            return done;
        }
        assert!(begun.elapsed() < LONGEST, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
