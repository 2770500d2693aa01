//! YAML, of which JSON is a part, as a table.

use std::path::Path;

use serde_json::{Map, Value};
use uphill_envs::quoted;

use crate::{Error, Result, settings, whole_file};

/// What the parser says to programmers.
const ADVICE: [&str; 2] = [", set DuplicateKeyPolicy in Options if acceptable", " by the configured policy"];

/// A file of YAML or JSON whose top is a mapping; anchors and merge keys are resolved.
///
/// # Errors
/// [`Error::File`] for a folder, for more than 8 MiB, for what is not YAML, and for one that goes too deep or whose aliases
/// would come to too much; [`Error::Io`] if it cannot be read.
pub(super) fn yaml(path: &Path) -> Result<Map<String, Value>> {
    let wrong = |problem: String| Error::File { path: path.into(), problem };
    if path.is_dir() {
        return Err(wrong("this is a folder: give a file".into()));
    }
    let bytes = whole_file::read(path, settings::MAX_BYTES).map_err(Error::io(path))?;
    let text = str::from_utf8(&bytes).map_err(|e| wrong(format!("not UTF-8 text: {e}")))?;
    match serde_saphyr::from_str(text) {
        Ok(Value::Object(root)) if !root.is_empty() => Ok(root),
        Ok(_) => Err(wrong("there are no settings in it: keys with values, such as n_envs: 4".into())),
        Err(e) => {
            let message = e.without_snippet().to_string();
            let flat = message.split_whitespace().map(quoted).collect::<Vec<_>>().join(" ");
            Err(wrong(format!("not YAML: {}", ADVICE.iter().fold(flat, |text, advice| text.replace(advice, "")))))
        }
    }
}
