//! Bytes that no other program can change.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::whole_file::Temporary;

/// Bytes that only grow: the last of them in memory, all before in a file that has no name, and so is gone with the process.
pub(super) struct Kept {
    /// Where such a file can be made.
    folder: PathBuf,
    file: Option<File>,
    /// Bytes in the file.
    filed: u64,
    last: Vec<u8>,
}

/// Bytes that are kept in memory: some thousand rows, so that most runs need no file.
const IN_MEMORY: usize = 1 << 19;

impl Kept {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), file: None, filed: 0, last: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.last.extend_from_slice(bytes);
        if self.last.len() > IN_MEMORY {
            // What cannot be written stays in memory.
            let _ = self.put_away();
        }
    }

    fn put_away(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(Temporary::beside(&self.folder.join("rows"))?.without_name()?),
        };
        file.seek(SeekFrom::Start(self.filed))?;
        file.write_all(&self.last)?;
        self.filed += self.last.len() as u64;
        self.last.clear();
        Ok(())
    }

    /// All of them, from the first on.
    fn reader(&mut self) -> io::Result<impl Read> {
        let filed = match &mut self.file {
            Some(file) => {
                file.seek(SeekFrom::Start(0))?;
                Some(file)
            }
            None => None,
        };
        let filed: Box<dyn Read> = filed.map_or(Box::new(io::empty()), |file| Box::new(file));
        Ok(filed.take(self.filed).chain(&*self.last))
    }

    pub(super) fn copy_to(&mut self, to: &mut File) -> io::Result<()> {
        io::copy(&mut self.reader()?, to).map(drop)
    }

    /// Whether a file holds these bytes and no others.
    pub(super) fn are_in(&mut self, file: &mut File) -> io::Result<bool> {
        file.seek(SeekFrom::Start(0))?;
        let (mut own, mut other) = (self.reader()?, file);
        let (mut one, mut two) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        loop {
            let (n, m) = (fill(&mut own, &mut one)?, fill(&mut other, &mut two)?);
            if n != m || one[..n] != two[..m] {
                return Ok(false);
            }
            if n == 0 {
                return Ok(true);
            }
        }
    }
}

/// Reads until the buffer is full or there is no more.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
