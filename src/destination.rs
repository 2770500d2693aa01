//! Whether a file can be written, asked before the work whose result it is to hold.

use std::fs::OpenOptions;
use std::path::Path;

use crate::{Error, Result};

/// Checks that a file can be written to `path`, whose name must end in one of `endings`. Nothing stays of the attempt.
///
/// # Errors
/// [`Error::File`] for another ending, a path that names no file, a folder, and a folder that does not exist or cannot be
/// written to.
pub fn check(path: &Path, endings: &[&str]) -> Result<()> {
    let refused = |problem: String| Err(Error::File { path: path.into(), problem });
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !endings.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
        let endings: Vec<String> = endings.iter().map(|ending| format!(".{ending}")).collect();
        return refused(format!("the name of this file must end in {}", endings.join(" or ")));
    }
    if path.is_dir() {
        return refused("this is a folder: give a file".into());
    }
    // A file appears whole, from another one in the same folder that takes its name: so the folder must take files.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let trial = folder.join(format!(".uphill.{}.tmp", std::process::id()));
    match OpenOptions::new().write(true).create_new(true).open(&trial) {
        Ok(_) => std::fs::remove_file(&trial).map_err(Error::io(&trial)),
        Err(e) => refused(format!("it cannot be written ({e}); the folder must exist and be writable")),
    }
}

/// `path` with this ending: as it is where it has it, with it added where it has none.
///
/// # Errors
/// [`Error::File`] for another ending.
pub fn with_ending(path: &Path, ending: &str) -> Result<std::path::PathBuf> {
    match path.extension() {
        None => Ok(path.with_extension(ending)),
        Some(own) if own.eq_ignore_ascii_case(ending) => Ok(path.into()),
        Some(_) => {
            let problem = format!("the name of this file must end in .{ending}, or have no ending");
            Err(Error::File { path: path.into(), problem })
        }
    }
}

/// Makes a folder that a run goes to, with those that it is in.
///
/// # Errors
/// [`Error::File`] where a file or a link to nothing is in the way, [`Error::Io`] if it cannot be made.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    for part in path.ancestors() {
        let in_the_way = if part.is_file() {
            "this is a file: give --out a folder"
        } else if part.is_symlink() && !part.exists() {
            "this is a link to what does not exist: give --out a folder, or make what the link names"
        } else {
            continue;
        };
        return Err(Error::File { path: part.into(), problem: in_the_way.into() });
    }
    std::fs::create_dir_all(path).map_err(Error::io(path))
}
