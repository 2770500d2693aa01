//! `metrics.csv`: rows that are whole, appended as they come, and kept in memory while they cannot be written.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::metrics::Metrics;
use crate::{Error, Result};

/// An open `metrics.csv`. No other process writes to it meanwhile.
pub(crate) struct MetricsFile {
    path: PathBuf,
    file: File,
    /// Bytes of the file that are whole rows.
    len: u64,
    /// Rows still to be written.
    pending: Vec<u8>,
}

impl MetricsFile {
    /// The file, which from now on is this process's alone; [`MetricsFile::keep`] says what of it stays.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: path.into(), file: lock(path)?, len: 0, pending: Vec::new() })
    }

    /// Goes on after the first `len` bytes of the file, and drops all others.
    pub(crate) fn keep(&mut self, len: u64) -> Result<()> {
        let there = self.file.metadata().map_err(Error::io(&self.path))?.len();
        if there < len {
            let problem = format!("{there} bytes, where the checkpoint knows of {len}: rows have been lost");
            return Err(Error::File { path: self.path.clone(), problem });
        }
        self.file.set_len(len).map_err(Error::io(&self.path))?;
        self.len = len;
        Ok(())
    }

    /// Appends a row. After an error it is kept, and written before the next.
    pub(crate) fn append(&mut self, metrics: &Metrics) -> Result<()> {
        let first = self.len == 0 && self.pending.is_empty();
        let mut row = csv::WriterBuilder::new().has_headers(first).from_writer(&mut self.pending);
        let added = row.serialize(metrics).map_err(std::io::Error::from).and_then(|()| row.flush());
        drop(row);
        added.map_err(Error::io(&self.path))?;
        self.write()
    }

    /// Sees to it that all rows are on the disk, and says how many bytes they are.
    pub(crate) fn sync(&mut self) -> Result<u64> {
        self.write()?;
        self.file.sync_data().map_err(Error::io(&self.path))?;
        Ok(self.len)
    }

    fn write(&mut self) -> Result<()> {
        if !self.path.exists() {
            self.put_back()?;
        }
        let written = self.file.seek(SeekFrom::Start(self.len)).and_then(|_| self.file.write_all(&self.pending));
        if let Err(e) = written {
            // Part of a row may be there. If it cannot be cut off either, the next attempt writes over it.
            let _ = self.file.set_len(self.len);
            return Err(Error::io(&self.path)(e));
        }
        self.len += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }

    /// Makes the file anew where someone removed it: the open one still has its rows.
    fn put_back(&mut self) -> Result<()> {
        let failed = |e| Error::io(&self.path)(e);
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut rows = Vec::new();
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Read::by_ref(&mut self.file).take(self.len).read_to_end(&mut rows).map_err(failed)?;
        let mut file = lock(&self.path)?;
        if let Err(e) = file.write_all(&rows) {
            // Not a part of it: the next attempt begins again.
            drop(file);
            let _ = std::fs::remove_file(&self.path);
            return Err(failed(e));
        }
        self.file = file;
        Ok(())
    }
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
