//! Files that tell whether they are whole: TOML, below a line with a checksum of it.

use std::io::ErrorKind;
use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Result, whole_file};

/// What such a file of at most `most` bytes holds, nothing where there is none; what is wrong with it, if something is.
///
/// # Errors
/// [`Error::Io`] for a file that cannot be read.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, most: u64) -> Result<Result<Option<T>, String>> {
    match whole_file::read(path, most) {
        Ok(bytes) => Ok(parse(&String::from_utf8_lossy(&bytes)).map(Some)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Ok(None)),
        Err(e) => Err(Error::io(path)(e)),
    }
}

/// Writes one, which is then whole or as it was.
///
/// # Errors
/// [`Error::Io`] if it cannot be written; [`Error::Config`] for what TOML cannot hold.
pub(crate) fn write<T: Serialize>(path: &Path, content: &T) -> Result<()> {
    let body = toml::to_string(content).map_err(|e| Error::Config(e.to_string()))?;
    let text = format!("{}\n{body}", checksum(&body));
    whole_file::write_own(path, text.as_bytes()).map_err(Error::io(path))
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let (first, body) = text.split_once('\n').ok_or("it is cut off")?;
    match first == checksum(body) {
        true => toml::from_str(body).map_err(|e| e.message().to_string()),
        false => Err("it is cut off or changed".into()),
    }
}

fn checksum(body: &str) -> String {
    format!("# fnv1a = {:016x}", hash(body.as_bytes()))
}

/// FNV-1a, 64 bits, <http://www.isthe.com/chongo/tech/comp/fnv/>: the same in every version of every build.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
