//! Files that are either whole or not there.

use std::{ffi::OsString, fs, io, io::Read, io::Write, path::Path};

/// Writes `bytes` to `path` so that a kill at any moment leaves the old file or the new one, never a part.
///
/// The bytes go to a hidden file in the same folder (a rename across file systems would copy), which then takes
/// the name. On an error that file is removed and `path` is as it was.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    // Two processes writing the same file must not share the temporary one.
    hidden.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(hidden);
    let written = fs::File::create(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_folder(path)
    });
    if written.is_err() {
        // The first error is the one to report; that there may be nothing to remove is expected.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// What a file holds, if that is no more than `most` bytes; of a larger one no more than that is read.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path)?;
    // A folder can be opened, but has no bytes: reading it says so.
    let len = file.metadata()?.len();
    if len <= most {
        // One more, since a device has no length.
        file.take(most + 1).read_to_end(&mut bytes)?;
    }
    if len > most || bytes.len() as u64 > most {
        let problem = format!("the file has more than the {most} bytes that such a file may have");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}

/// Removes the temporary files of writes that a kill broke off.
pub(crate) fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(".tmp") {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Sees to it that a new name outlives a power cut. Only Unix can open a folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}
