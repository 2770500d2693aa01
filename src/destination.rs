//! Whether a file can be written, asked before the work whose result it is to hold.

use std::path::Path;

use crate::{Error, Result, whole_file};

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
    whole_file::check(path).or_else(|e| refused(format!("it cannot be written ({e}); {}", whole_file::remedy(&e))))
}
