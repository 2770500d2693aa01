//! The checkpoints in the folder of a run.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::{Checkpoint, Error, Result, own_folder, whole_file};

/// What their names end in.
const ENDING: &str = ".safetensors";

/// When checkpoints are written, and which of them stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// How long after a checkpoint the next one is due. When they are made changes no result.
    pub every: Duration,
    /// How many stay; the last one always does, as a run goes on from it.
    pub last: usize,
}

impl Default for Keep {
    /// One every 10 seconds, the last 3 of them.
    fn default() -> Self {
        Self { every: Duration::from_secs(10), last: 3 }
    }
}

/// The folder `checkpoints` of a run.
pub(super) struct Checkpoints {
    folder: PathBuf,
    pub(super) keep: Keep,
    saved_at: Instant,
    /// The last one that was written, or that the run went on from.
    pub(super) last: Option<PathBuf>,
    /// The update of the last one that was written, and the step of its last evaluation.
    pub(super) written: Option<(u64, u64)>,
}

impl Checkpoints {
    pub(super) fn of_run(run: &Path) -> Self {
        Self {
            folder: run.join("checkpoints"),
            keep: Keep::default(),
            saved_at: Instant::now(),
            last: None,
            written: None,
        }
    }

    pub(super) fn are_due(&self) -> bool {
        self.saved_at.elapsed() >= self.keep.every
    }

    /// Notes that one is being written, whether or not that will succeed.
    pub(super) fn begin(&mut self) {
        self.saved_at = Instant::now();
    }

    /// Writes one, and removes all but the last few.
    pub(super) fn write(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let bytes = checkpoint.to_bytes()?;
        own_folder::check_folder(&self.folder)?;
        std::fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder))?;
        let update = checkpoint.progress.update;
        let file = self.folder.join(format!("{update:010}{ENDING}"));
        whole_file::write_own(&file, &bytes).map_err(Error::io(&file))?;
        self.last = Some(file);
        let evaluated = checkpoint.progress.evaluations.map_or(0, |evaluations| evaluations.env_steps);
        self.written = Some((update, evaluated));
        // One of a later update is of steps that are being taken again: it does not count, or this one would go for it.
        let until_now = |file: &&PathBuf| update_of(file).is_some_and(|of| of <= update);
        for old in self.numbered().iter().rev().filter(until_now).skip(self.keep.last.max(1)) {
            std::fs::remove_file(old).map_err(Error::io(old))?;
        }
        Ok(())
    }

    /// All of them, the last one last.
    pub(super) fn numbered(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.all().collect();
        files.sort_by_key(|file| update_of(file));
        files
    }

    /// Each of them. Files of other names are somebody's own.
    pub(super) fn all(&self) -> impl Iterator<Item = PathBuf> + use<> {
        self.entries().filter(|file| update_of(file).is_some())
    }

    /// The names of checkpoints that somebody else put there, as they look.
    pub(super) fn foreign(&self) -> Vec<String> {
        let names = self.entries().filter(|file| update_of(file).is_none());
        let names = names.filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned()));
        let mut names: Vec<String> = names.filter(|name| name.ends_with(ENDING)).collect();
        names.sort();
        names
    }

    /// Whether none of them, nor their folder, leads elsewhere.
    pub(super) fn check(&self) -> Result<()> {
        own_folder::check_folder(&self.folder)?;
        self.all().try_for_each(|file| whole_file::check_own(&file).map_err(Error::io(file)))
    }

    fn entries(&self) -> impl Iterator<Item = PathBuf> + use<> {
        std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path())
    }

    /// Removes the temporary files of writes that a kill broke off.
    pub(super) fn remove_leftovers(&self) {
        whole_file::remove_leftovers(&self.folder);
    }
}

/// The update that a checkpoint is named for: ten digits, or as many as it has.
pub(super) fn update_of(file: &Path) -> Option<u64> {
    let digits = file.file_name()?.to_str()?.strip_suffix(ENDING)?;
    digits.parse().ok().filter(|update| format!("{update:010}") == digits)
}
