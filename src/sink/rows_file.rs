//! A file of rows that are whole, appended as they come, and kept in memory while they cannot be written.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::kept::Kept;
use crate::whole_file::{self, Temporary};
use crate::{Error, Result};

/// The whole rows of a file, as a checkpoint knows of them; none by default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rows {
    bytes: u64,
    /// SHA-256 of them, in hexadecimal.
    sum: String,
}

impl Default for Rows {
    fn default() -> Self {
        Self { bytes: 0, sum: Sha256::new().finalize().iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

/// As a mark that a sink gives.
impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.bytes, self.sum)
    }
}

impl Rows {
    /// Those that a mark tells of; none where it is no mark of a file of rows.
    fn of_mark(mark: &str) -> Option<Self> {
        let (bytes, sum) = mark.split_once(' ')?;
        Some(Self { bytes: bytes.parse().ok()?, sum: sum.into() })
    }
}

/// An open file of rows. No other process of ours writes to it meanwhile; what others do to it is undone.
pub(super) struct RowsFile {
    path: PathBuf,
    file: File,
    /// Bytes of the file that are whole rows.
    len: u64,
    /// SHA-256 of these bytes.
    sum: Sha256,
    /// The same bytes, out of reach of other programs.
    kept: Kept,
    /// The file as it was left.
    left: Option<Seen>,
    /// Whether something of it was there when it was opened.
    was_there: bool,
    /// Whether nothing was, not even a file without a byte.
    is_made: bool,
    /// Rows still to be written.
    pending: Vec<u8>,
    notes: Vec<String>,
}

/// What tells without reading a file whether it is the same, and unchanged.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Seen {
    file: Identity,
    len: u64,
    modified: Option<SystemTime>,
}

/// What a file is known by, whatever its name: device and inode.
#[cfg(unix)]
type Identity = (u64, u64);
/// What a file is known by, as far as it can be told: when it was made.
#[cfg(not(unix))]
type Identity = Option<SystemTime>;

impl Seen {
    fn of(there: &Metadata) -> Self {
        #[cfg(unix)]
        let file = (std::os::unix::fs::MetadataExt::dev(there), std::os::unix::fs::MetadataExt::ino(there));
        #[cfg(not(unix))]
        let file = there.created().ok();
        Self { file, len: there.len(), modified: there.modified().ok() }
    }
}

impl RowsFile {
    /// The file, which from now on is this process's alone; [`RowsFile::keep`] says what of it stays.
    pub(super) fn open(path: &Path) -> Result<Self> {
        // One without a byte is what an attempt to go on after a removal has left.
        let was_there = path.metadata().is_ok_and(|there| there.len() > 0);
        let is_made = path.symlink_metadata().is_err_and(|e| e.kind() == ErrorKind::NotFound);
        let (file, kept) = (lock(path)?, Kept::new(whole_file::folder_of(path)));
        Ok(Self {
            path: path.into(),
            file,
            len: 0,
            sum: Sha256::new(),
            kept,
            left: None,
            was_there,
            is_made,
            pending: Vec::new(),
            notes: Vec::new(),
        })
    }

    /// Goes on after the rows that [`RowsFile::sync`] told of, and drops all others. Where the file was removed it begins
    /// again, and a note says so.
    pub(super) fn keep(&mut self, rows: &Rows) -> Result<()> {
        let none = Rows::default();
        let is_gone = !self.was_there && *rows != none;
        if is_gone {
            let name = self.path.file_name().unwrap_or_default().display();
            self.notes.push(format!("{name} has been removed: the rows that it had are not there any more"));
        }
        let rows = if is_gone { &none } else { rows };
        let there = self.file.metadata().map_err(Error::io(&self.path))?.len();
        self.read_back(rows.bytes).map_err(Error::io(&self.path))?;
        if there < rows.bytes || rows.sum != self.rows().sum {
            let problem = "it is not what the run has written, but was changed or cut off: put its rows back, or remove the \
                           file to go on without them";
            return Err(Error::File { path: self.path.clone(), problem: problem.into() });
        }
        self.file.set_len(rows.bytes).map_err(Error::io(&self.path))?;
        self.len = rows.bytes;
        self.look();
        Ok(())
    }

    /// The same by a mark, which is one of [`RowsFile::sync`]; none without rows.
    pub(super) fn keep_marked(&mut self, mark: Option<&str>) -> Result<()> {
        let rows = mark.map_or(Some(Rows::default()), Rows::of_mark);
        let problem = || Error::Checkpoint(format!("`{}` marks no rows of a file", mark.unwrap_or_default()));
        self.keep(&rows.ok_or_else(problem)?)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn rows(&self) -> Rows {
        let sum = self.sum.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Rows { bytes: self.len, sum }
    }

    /// The file from its first byte on.
    pub(super) fn reader(&mut self) -> Result<impl Read> {
        self.file.seek(SeekFrom::Start(0)).map_err(Error::io(&self.path))?;
        Ok(&self.file)
    }

    /// Whether it has no row yet.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0 && self.pending.is_empty()
    }

    /// Appends a row, which `add` writes whole. After an error it is kept, and written before the next.
    pub(super) fn append(&mut self, add: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<()> {
        add(&mut self.pending).map_err(Error::io(&self.path))?;
        self.write()
    }

    /// Sees to it that all rows are on the disk, and says which they are.
    pub(super) fn sync(&mut self) -> Result<Rows> {
        self.write()?;
        self.file.sync_data().map_err(Error::io(&self.path))?;
        Ok(self.rows())
    }

    /// What has been found since the last call: that others changed the file, and what became of that.
    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn write(&mut self) -> Result<()> {
        let as_left = self.path.symlink_metadata().is_ok_and(|there| Some(Seen::of(&there)) == self.left);
        if !as_left {
            self.put_back()?;
        }
        let written = self.file.seek(SeekFrom::Start(self.len)).and_then(|_| self.file.write_all(&self.pending));
        if let Err(e) = written {
            // Part of a row may be there. If it cannot be cut off either, the next attempt writes over it.
            let _ = self.file.set_len(self.len);
            self.look();
            return Err(Error::io(&self.path)(e));
        }
        self.len += self.pending.len() as u64;
        self.sum.update(&self.pending);
        self.kept.push(&self.pending);
        self.pending.clear();
        self.look();
        Ok(())
    }

    /// Notes how the file is left.
    fn look(&mut self) {
        self.left = self.file.metadata().ok().as_ref().map(Seen::of);
    }

    /// Takes in the first so many bytes of the file.
    fn read_back(&mut self, bytes: u64) -> io::Result<()> {
        (self.kept, self.sum) = (Kept::new(whole_file::folder_of(&self.path)), Sha256::new());
        self.file.seek(SeekFrom::Start(0))?;
        let mut rows = Read::by_ref(&mut self.file).take(bytes);
        let mut part = vec![0; 1 << 16];
        loop {
            match rows.read(&mut part)? {
                0 => return Ok(()),
                n => {
                    self.sum.update(&part[..n]);
                    self.kept.push(&part[..n]);
                }
            }
        }
    }

    /// Makes the file whole where someone removed, replaced or changed it. What is there instead, which may be somebody's
    /// work, gets another name.
    fn put_back(&mut self) -> Result<()> {
        let failed = |e| Error::io(&self.path)(e);
        let there = match self.path.symlink_metadata() {
            Ok(there) => Some(there),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(failed(e)),
        };
        let own = self.file.metadata().ok().as_ref().map(Seen::of);
        let is_own = there.as_ref().is_some_and(|there| Some(Seen::of(there).file) == own.map(|own| own.file));
        if is_own && self.kept.are_in(&mut self.file).map_err(failed)? {
            // Touched, not changed.
            self.left = own;
            return Ok(());
        }
        // Of a run that another process has begun here since.
        let _other = match &there {
            Some(there) if there.is_file() && !is_own => Some(lock(&self.path)?),
            _ => None,
        };
        std::fs::create_dir_all(whole_file::folder_of(&self.path)).map_err(failed)?;
        let mut whole = Temporary::beside(&self.path).map_err(failed)?;
        whole.with(|file| self.kept.copy_to(file)).map_err(failed)?;
        let path = self.path.display();
        self.notes.push(match there {
            None => format!("{path} was removed: it is there again with all its rows"),
            Some(_) => {
                let aside = aside(&self.path);
                std::fs::rename(&self.path, &aside).map_err(failed)?;
                let aside = aside.display();
                format!("{path} was changed by another program: it has all its rows again, and what was there is now {aside}")
            }
        });
        if let Some(file) = whole.name().map_err(failed)? {
            self.file = file;
        }
        self.look();
        Ok(())
    }
}

impl Drop for RowsFile {
    /// Leaves nothing where nothing was and no row came.
    fn drop(&mut self) {
        // The very file that was made, and not what somebody has put in its place, a pipe or a device.
        let own = self.file.metadata().ok().filter(Metadata::is_file).as_ref().map(Seen::of);
        let there = self.path.symlink_metadata().ok().as_ref().map(Seen::of);
        if self.is_made && self.is_empty() && own.is_some_and(|own| own.len == 0 && Some(own) == there) {
            // Without a byte it is as good as removed, should it not go.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Gives a file that holds something another name, as it is not the run's, and says so.
pub(crate) fn put_aside(path: &Path) -> Result<Option<String>> {
    if !path.metadata().is_ok_and(|there| there.len() > 0) {
        return Ok(None);
    }
    let aside = aside(path);
    std::fs::rename(path, &aside).map_err(Error::io(path))?;
    let (path, aside) = (path.display(), aside.display());
    Ok(Some(format!("{path} holds rows that this run's checkpoint does not know of: what was there is now {aside}")))
}

/// A name beside a file's that is free.
fn aside(path: &Path) -> PathBuf {
    let named = |ending: String| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let numbered = (2..).map(|i| format!(".replaced-{i}"));
    let mut names = std::iter::once(".replaced".to_string()).chain(numbered).map(named);
    names.find(|name| name.symlink_metadata().is_err()).unwrap_or_else(|| named(".replaced".into()))
}

/// Opens a file to read and write, for this process alone.
fn lock(path: &Path) -> Result<File> {
    let mut how = OpenOptions::new();
    let file = how.read(true).write(true).create(true).truncate(false).open(path).map_err(Error::io(path))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let problem = "another process is training in this folder: wait for it, or give --out another folder";
            Err(Error::File { path: path.into(), problem: problem.into() })
        }
        // A file system without locks is no reason not to train.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}
