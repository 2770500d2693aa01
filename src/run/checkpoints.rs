//! The checkpoints in the folder of a run.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::{Checkpoint, Error, Result, whole_file};

/// When checkpoints are written, and which of them stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// How long after a checkpoint the next one is due. When they are made changes no result.
    pub every: Duration,
    /// How many stay.
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
}

impl Checkpoints {
    pub(super) fn of_run(run: &Path) -> Self {
        Self { folder: run.join("checkpoints"), keep: Keep::default(), saved_at: Instant::now(), last: None }
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
        std::fs::create_dir_all(&self.folder).map_err(Error::io(&self.folder))?;
        let file = self.folder.join(format!("{:010}.safetensors", checkpoint.progress.update));
        whole_file::write(&file, &bytes).map_err(Error::io(&file))?;
        self.last = Some(file);
        for old in self.numbered().iter().rev().skip(self.keep.last.max(1)) {
            std::fs::remove_file(old).map_err(Error::io(old))?;
        }
        Ok(())
    }

    /// All of them, the last one last.
    pub(super) fn numbered(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = self.all().collect();
        files.sort();
        files
    }

    /// Each of them.
    pub(super) fn all(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        files.filter(|file| file.extension().is_some_and(|extension| extension == "safetensors"))
    }

    /// Removes the temporary files of writes that a kill broke off.
    pub(super) fn remove_leftovers(&self) {
        whole_file::remove_leftovers(&self.folder);
    }
}
