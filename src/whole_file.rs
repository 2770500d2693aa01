//! Files that are either whole or not there.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// A path as a message shows it: the end of a very long one, and nothing that a terminal would obey.
pub(crate) fn shown_path(path: &Path) -> String {
    const MOST: usize = 400;
    let text = path.display().to_string();
    let count = text.chars().count();
    let end: String = text.chars().skip(count.saturating_sub(MOST)).collect();
    let parts: Vec<char> = end.chars().collect();
    // In pieces, as text is quoted no further than it is usually read.
    let escaped: String = parts.chunks(40).map(|part| uphill_envs::quoted(&part.iter().collect::<String>())).collect();
    if count > MOST { format!("…{escaped}") } else { escaped }
}

/// What writing to a path comes to. Only a name that is free, or that a regular file has, can be given to a new file.
#[derive(Debug)]
enum Place {
    /// A regular file, or nothing yet: where links lead to.
    File(PathBuf),
    /// A device or a pipe, which takes bytes as they come.
    Stream,
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        let there = match path.metadata() {
            Ok(there) => there,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return match path.read_link() {
                    Ok(target) => Err(dangling(&target)),
                    Err(_) => Ok(Place::File(path.into())),
                };
            }
            Err(e) => return Err(e),
        };
        match there.file_type() {
            // The link stays, and what it leads to gets the new content.
            kind if kind.is_file() && path.is_symlink() => fs::canonicalize(path).map(Place::File),
            kind if kind.is_file() => Ok(Place::File(path.into())),
            kind if kind.is_dir() => Err(io::Error::new(ErrorKind::IsADirectory, "this is a folder")),
            kind if is_disk(kind) => Err(io::Error::new(ErrorKind::InvalidInput, "this is a disk")),
            _ => Ok(Place::Stream),
        }
    }
}

/// What is said of a link to nothing: whether its name or its target was meant, nobody knows.
pub(crate) fn dangling(target: &Path) -> io::Error {
    let problem = format!("this is a link to {}, where there is nothing", target.display());
    io::Error::new(ErrorKind::NotFound, problem)
}

#[cfg(unix)]
fn is_disk(kind: fs::FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_block_device(&kind)
}

#[cfg(not(unix))]
fn is_disk(_: fs::FileType) -> bool {
    false
}

/// Writes `bytes` to `path` so that a kill at any moment leaves the old file or the new one, never a part.
///
/// A link to a file stays, and the file gets the bytes; a device or a pipe gets them as they come. The bytes of a file go
/// to a hidden one in the same folder (a rename across file systems would copy), which then takes the name. On an error
/// that file is removed and `path` is as it was.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    match Place::of(path)? {
        Place::Stream => File::options().write(true).open(path)?.write_all(bytes),
        Place::File(path) => {
            let name = name_of(&path)?.to_string_lossy().into_owned();
            // What an earlier write of this file left behind when it was killed; others' are theirs.
            remove_if(folder_of(&path), |of| of == name);
            Temporary::beside(&path)?.fill(bytes)
        }
    }
}

/// The same for a file of a folder that is ours, which leads nowhere else.
///
/// # Errors
/// Also for anything but a regular file under that name, links too.
pub(crate) fn write_own(path: &Path, bytes: &[u8]) -> io::Result<()> {
    check_own(path)?;
    Temporary::beside(path)?.fill(bytes)
}

/// Whether [`write()`] can be expected to succeed, without a change to what is there: for before the work.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    match Place::of(path)? {
        Place::Stream => Ok(()),
        Place::File(path) => Temporary::beside(&path).map(drop),
    }
}

/// Refuses what is neither a regular file nor absent.
pub(crate) fn check_own(path: &Path) -> io::Result<()> {
    let problem = match path.symlink_metadata() {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
        Ok(there) if there.is_file() => return Ok(()),
        Ok(there) if there.is_symlink() => "this is a link, and links out of the folder are not followed",
        Ok(there) if there.is_dir() => "this is a folder, where a file belongs",
        Ok(_) => "this is a device or a pipe, where a file belongs",
    };
    Err(io::Error::new(ErrorKind::InvalidInput, problem))
}

/// What would be right where writing failed.
pub(crate) fn remedy(problem: &io::Error) -> &'static str {
    match problem.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "there must be room for it: make some, or give another place"
        }
        _ => "the folder must exist and be writable, and the path be no folder",
    }
}

/// A hidden file that takes a name once it is whole, and is gone if it does not.
///
/// It is locked for as long as it is at work, so that none is taken for what a kill left.
pub(crate) struct Temporary {
    path: PathBuf,
    target: PathBuf,
    file: Option<File>,
}

impl Temporary {
    pub(crate) fn beside(target: &Path) -> io::Result<Self> {
        let mut hidden = OsString::from(".");
        hidden.push(name_of(target)?);
        // Two processes writing the same file must not share the temporary one.
        hidden.push(format!("{MARK}{}{ENDING}", std::process::id()));
        let path = target.with_file_name(hidden);
        // What has the name already is of an earlier process that had this number, or not ours to write through.
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        // A file system without locks is no reason not to write.
        let _ = file.try_lock();
        Ok(Self { path, target: target.into(), file: Some(file) })
    }

    fn fill(mut self, bytes: &[u8]) -> io::Result<()> {
        self.with(|file| file.write_all(bytes)).and_then(|()| self.name()).map(drop)
    }

    /// Has something written to it.
    pub(crate) fn with(&mut self, mut write: impl FnMut(&mut File) -> io::Result<()>) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), &mut write)
    }

    /// Gives it its name; the file is then open still, and locked.
    pub(crate) fn name(mut self) -> io::Result<Option<File>> {
        self.with(|file| file.sync_all())?;
        fs::rename(&self.path, &self.target)?;
        let file = self.file.take();
        sync_folder(&self.target)?;
        Ok(file)
    }
}

impl Temporary {
    /// The file alone, which is gone when it is closed.
    pub(crate) fn without_name(mut self) -> io::Result<File> {
        fs::remove_file(&self.path)?;
        self.file.take().ok_or_else(|| ErrorKind::NotFound.into())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // The first error is the one to report; that there may be nothing to remove is expected.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// How a temporary file's name goes on after that of the file which it is to become.
const MARK: &str = ".uphill-";
/// How it ends after the number of the process.
const ENDING: &str = ".tmp";

/// The name of the file that a temporary one of ours was to become.
pub(crate) fn becomes(temporary: &str) -> Option<&str> {
    let (name, number) = temporary.strip_prefix('.')?.strip_suffix(ENDING)?.rsplit_once(MARK)?;
    let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    (is_number && !name.is_empty()).then_some(name)
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

/// Removes the temporary files of writes that a kill broke off, and no other process's, nor other programs'.
pub(crate) fn remove_leftovers(folder: &Path) {
    remove_if(folder, |_| true);
}

fn remove_if(folder: &Path, of: impl Fn(&str) -> bool) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = name.to_str().and_then(becomes).is_some_and(&of);
        if ours && entry.file_type().is_ok_and(|kind| kind.is_file()) && is_left(&entry.path()) {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether nobody is at work on it.
fn is_left(temporary: &Path) -> bool {
    File::open(temporary).is_ok_and(|file| !matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn name_of(path: &Path) -> io::Result<&std::ffi::OsStr> {
    path.file_name().ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path names no file"))
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Sees to it that a new name outlives a power cut. Only Unix can open a folder.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder_of(path))?.sync_all() } else { Ok(()) }
}
