//! Folders that are ours: a marker in them says so, and what is written in them stays in them.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, Result, whole_file};

/// The marker's name.
pub(crate) const MARKER: &str = ".uphill";
/// What a person who opens it reads.
const HEAD: &str = "# uphill made this folder. It removes and replaces only what it made, and only beside this file.\n";
/// Far more than a marker has.
const LONGEST: u64 = 4096;

/// What a folder is the folder of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Run,
    Comparison,
    Search,
    Seeds,
}

impl Kind {
    /// As it is said of a folder.
    fn what(self) -> &'static str {
        match self {
            Kind::Run => "a run",
            Kind::Comparison => "a comparison",
            Kind::Search => "a search for hyper-parameters",
            Kind::Seeds => "several seeds",
        }
    }

    /// What there is to look at in it, where it is not the folder of a run.
    pub(crate) fn instead(self) -> Option<String> {
        let there = match self {
            Kind::Comparison => "its page is report.html, and `compare --config` goes on with its grid.toml",
            Kind::Search => "its trials are in trials.csv, and `train --config` trains with what best.toml says",
            Kind::Run | Kind::Seeds => return None,
        };
        Some(format!("this is the folder of {}, and of no run: {there}", self.what()))
    }
}

#[derive(Serialize, Deserialize)]
struct Marker {
    kind: Kind,
    schema: u32,
}

/// Makes a folder where there is none.
///
/// # Errors
/// [`Error::File`] naming what is in its place: a file, a device, a pipe, or a link to nothing.
pub(crate) fn make(path: &Path) -> Result<()> {
    let refused = |part: &Path, what: &str| {
        Err(Error::File { path: part.into(), problem: format!("this is {what}: give --out a folder") })
    };
    for part in path.ancestors() {
        match (part.metadata(), part.read_link()) {
            (Ok(there), _) if there.is_dir() => break,
            (Ok(there), _) if there.is_file() => return refused(part, "a file"),
            (Ok(_), _) => return refused(part, "a device or a pipe"),
            (Err(_), Ok(target)) => {
                return refused(part, &format!("a link to {}, where there is nothing", target.display()));
            }
            // Nothing yet, or within something that is no folder.
            (Err(_), Err(_)) => {}
        }
    }
    std::fs::create_dir_all(path).map_err(Error::io(path))
}

/// Whether the folder has a marker of this kind.
///
/// # Errors
/// [`Error::File`] for one of another kind, of a later version, or that is none.
pub(crate) fn is_marked(folder: &Path, kind: Kind) -> Result<bool> {
    let path = file(folder, MARKER)?;
    let problem = match marker(&path).map_err(Error::io(&path))? {
        None => return Ok(false),
        Some(Ok(Marker { kind: own, schema: 1 })) if own == kind => return Ok(true),
        Some(Ok(Marker { kind, schema: 1 })) => {
            format!("this is the folder of {}: give --out another one", kind.what())
        }
        Some(Ok(_)) => "a later version of uphill made this folder: give --out another one".into(),
        Some(Err(_)) => "this is no marker that uphill wrote: give --out another folder".into(),
    };
    Err(Error::File { path, problem })
}

/// What the folder is marked as being the folder of, where it is.
pub(crate) fn kind(folder: &Path) -> Option<Kind> {
    match marker(&folder.join(MARKER)) {
        Ok(Some(Ok(Marker { kind, schema: 1 }))) => Some(kind),
        _ => None,
    }
}

/// What is said of a file where the folder of a run is meant: its own folder, if that may be one; and of a folder that has runs in
/// it, as that of several seeds: one of these; of a comparison or a search: what it has to show; and of nothing. Nothing of what is none of these.
pub(crate) fn for_a_folder(path: &Path) -> Option<String> {
    if path.try_exists().is_ok_and(|exists| !exists) {
        return Some("there is no such folder".into());
    }
    if let Some(instead) = kind(path).and_then(Kind::instead) {
        return Some(instead);
    }
    let is_run = |folder: &Path| folder.join("config.toml").is_file();
    if path.is_dir() && !is_run(path) {
        let inside = path.read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let first = inside.filter(|folder| is_run(folder)).min()?;
        return Some(format!("this is a folder of runs: give one of them, such as {}", whole_file::shown_path(&first)));
    }
    let folder = path.parent().filter(|_| path.is_file())?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let such = if is_run(folder) { format!(", {}", whole_file::shown_path(folder)) } else { String::new() };
    Some(format!("this is a file: give the folder of a run{such}"))
}

/// What a marker says; nothing where there is none.
fn marker(path: &Path) -> std::io::Result<Option<std::result::Result<Marker, toml::de::Error>>> {
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(LONGEST).read_to_string(&mut text)) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        read => read.map(|_| Some(toml::from_str(&text))),
    }
}

/// Makes the folder one of ours.
pub(crate) fn mark(folder: &Path, kind: Kind) -> Result<()> {
    let path = folder.join(MARKER);
    let text = toml::to_string(&Marker { kind, schema: 1 }).map_err(|e| Error::Config(e.to_string()))?;
    whole_file::write_own(&path, format!("{HEAD}{text}").as_bytes()).map_err(Error::io(&path))
}

/// The path of a file of the folder, which is a regular one or not there yet.
///
/// # Errors
/// [`Error::Io`] for a link and anything else that would lead elsewhere.
pub(crate) fn file(folder: &Path, name: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    whole_file::check_own(&path).map_err(Error::io(&path))?;
    Ok(path)
}

/// Refuses a folder within ours that is a link or no folder at all; it need not be there yet.
pub(crate) fn check_folder(path: &Path) -> Result<()> {
    let problem = match path.symlink_metadata() {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::io(path)(e)),
        Ok(there) if there.is_dir() => return Ok(()),
        Ok(there) if there.is_symlink() => "this is a link, and links out of the folder are not followed",
        Ok(_) => "this is no folder, where one belongs",
    };
    Err(Error::File { path: path.into(), problem: problem.into() })
}

/// What stands in the folder, in order, but for what a kill may have left of the marker.
pub(crate) fn contents(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?.flatten();
    let left =
        |path: &Path| path.file_name().and_then(|name| name.to_str()).and_then(whole_file::becomes) == Some(MARKER);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| !left(path)).collect();
    paths.sort();
    Ok(paths)
}

/// Keeps other processes out of the folder for as long as the file is open; `doing` is what they are told.
///
/// # Errors
/// [`Error::File`] where another process has it; [`Error::Io`] if it cannot be made.
pub(crate) fn lock(folder: &Path, name: &str, doing: &str) -> Result<Option<File>> {
    let path = file(folder, name)?;
    let file = File::options().write(true).create(true).truncate(false).open(&path).map_err(Error::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            let problem = format!("another process is {doing} here: wait for it, or give --out another folder");
            Err(Error::File { path: folder.into(), problem })
        }
        // A file system without locks is no reason not to begin.
        Err(TryLockError::Error(_)) => Ok(None),
    }
}
