//! Folders that appear whole.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::whole_file::{becomes, folder_of};
use crate::{Error, Result, own_folder};

/// A hidden folder that takes a name once it is whole, and is gone with all that is in it if it does not.
///
/// It is locked for as long as it is filled, so that none is taken for what a kill left.
pub(crate) struct WholeFolder {
    path: PathBuf,
    target: PathBuf,
    held: Option<File>,
}

impl WholeFolder {
    /// An empty one beside what it is to become, in which what earlier ones left is removed that a kill broke off.
    ///
    /// # Errors
    /// As [`own_folder::make`] for the folder that it is in; [`Error::Io`] if it cannot be made.
    pub(crate) fn beside(target: &Path) -> Result<Self> {
        // A link stays, and what it leads to becomes the folder.
        let target = fs::canonicalize(target).unwrap_or_else(|_| target.into());
        let problem = || "the path names no folder: give --out one".into();
        let name = target.file_name().ok_or_else(|| Error::File { path: target.clone(), problem: problem() })?;
        let within = folder_of(&target);
        own_folder::make(within)?;
        remove_leftovers(within, &name.to_string_lossy());
        let path = target.with_file_name(hidden(&target, std::process::id()));
        fs::create_dir(&path).map_err(Error::io(&path))?;
        // Only Unix can open a folder.
        let held = File::open(&path).ok().filter(|folder| folder.try_lock().is_ok());
        Ok(Self { path, target, held })
    }

    /// Where it is until it has its name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it is to become.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// An error of a file in it, which is called as it would have been.
    #[cfg(feature = "cli")]
    pub(crate) fn named(&self, error: Error) -> Error {
        match error {
            Error::Io { path, source } => {
                let path = path.strip_prefix(&self.path).map_or_else(|_| path.clone(), |rest| self.target.join(rest));
                Error::Io { path, source }
            }
            other => other,
        }
    }

    /// Gives it its name. What has the name is removed: whoever asks has seen that it may be.
    ///
    /// # Errors
    /// [`Error::Io`]; what had the name is then as it was.
    pub(crate) fn name(mut self) -> Result<()> {
        let failed = |e: io::Error| Error::io(&self.target)(e);
        // Called as a leftover of process 0, which there is not: if a kill comes now, the next one here removes it.
        let old = self.path.with_file_name(hidden(&self.target, 0));
        let is_there = match fs::rename(&self.target, &old) {
            Ok(()) => true,
            Err(e) if e.kind() == ErrorKind::NotFound => false,
            Err(e) => return Err(failed(e)),
        };
        if let Err(e) = fs::rename(&self.path, &self.target) {
            if is_there {
                // The first error is the one to report.
                let _ = fs::rename(&old, &self.target);
            }
            return Err(failed(e));
        }
        self.held = None;
        if is_there {
            fs::remove_dir_all(&old).map_err(Error::io(&old))?;
        }
        if cfg!(unix) {
            File::open(folder_of(&self.target)).and_then(|folder| folder.sync_all()).map_err(failed)
        } else {
            Ok(())
        }
    }
}

impl Drop for WholeFolder {
    fn drop(&mut self) {
        // The first error is the one to report; one that has its name is not there any more.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// What one is called that a process fills, as temporary files are: two processes must not share one.
fn hidden(target: &Path, process: u32) -> OsString {
    let mut hidden = OsString::from(".");
    hidden.push(target.file_name().unwrap_or_default());
    hidden.push(format!(".uphill-{process}.tmp"));
    hidden
}

/// Removes the folders of that name which a kill broke off, and no other process's.
fn remove_leftovers(within: &Path, name: &str) {
    for entry in fs::read_dir(within).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_of = entry.file_name().to_str().and_then(becomes) == Some(name);
        if is_of && entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_left(&path) {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Whether nobody is at work in it.
fn is_left(folder: &Path) -> bool {
    File::open(folder).is_ok_and(|folder| !matches!(folder.try_lock(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::WholeFolder;

    #[test]
    fn a_folder_takes_its_name_whole_and_leaves_nothing_otherwise() {
        let home = tempfile::tempdir().expect("a folder");
        let target = home.path().join("card");
        let names = || {
            let mut names: Vec<_> =
                fs::read_dir(home.path()).expect("it").map(|e| e.expect("one").file_name()).collect();
            names.sort();
            names
        };
        let begun = WholeFolder::beside(&target).expect("a folder");
        fs::write(begun.path().join("file"), "new").expect("a file");
        assert!(!target.exists());
        drop(begun);
        assert!(names().is_empty(), "{:?}", names());

        // What a kill left goes, with what is in it; another's of a like name stays.
        for left in [".card.uphill-1.tmp", ".cards.uphill-1.tmp"] {
            fs::create_dir(home.path().join(left)).expect("a folder");
            fs::write(home.path().join(left).join("file"), "half").expect("a file");
        }
        let begun = WholeFolder::beside(&target).expect("a folder");
        fs::write(begun.path().join("file"), "new").expect("a file");
        begun.name().expect("its name");
        assert_eq!(names(), [".cards.uphill-1.tmp", "card"]);

        // One that has the name is replaced.
        let begun = WholeFolder::beside(&target).expect("a folder");
        fs::write(begun.path().join("other"), "newer").expect("a file");
        begun.name().expect("its name");
        assert_eq!(names(), [".cards.uphill-1.tmp", "card"]);
        assert!(!target.join("file").exists() && target.join("other").exists());
    }
}
