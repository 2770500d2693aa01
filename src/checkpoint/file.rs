//! Checkpoints as bytes: one safetensors file whose header says what it is and carries a checksum of all of it.
//!
//! ```text
//!   8 bytes   length of the header
//!   header    JSON: every array's name, type, shape and place; `__metadata__` has one entry, `uphill.checkpoint`:
//!             {"schema", "version", "sha256", "progress", "config"} as JSON text
//!   the rest  the arrays' bytes
//! ```
//!
//! The checksum is SHA-256 of the whole file with the checksum's own 64 digits as zeros, so that no bit of it can change
//! unnoticed.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uphill_envs::counted;

use super::{Checkpoint, Progress};
use crate::arrays::{Array, Arrays, Numbers};
use crate::{Catalogue, Config, Error, Result, whole_file};

/// The layout of checkpoints that this version writes and reads. It changes whenever a checkpoint's meaning does.
const SCHEMA: u64 = 2;
/// The header's entry.
const KEY: &str = "uphill.checkpoint";
/// A checksum that is still to be taken.
const NO_SUM: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The largest file that is read, in bytes: far more than the largest network with the largest optimizer needs.
const MAX_BYTES: u64 = 1 << 33;
/// The largest header, in bytes.
const MAX_HEADER: u64 = 1 << 24;

/// What the header says besides the arrays' places.
#[derive(Serialize, Deserialize)]
struct Header {
    schema: u64,
    version: String,
    sha256: String,
    progress: Progress,
    config: String,
}

/// The one field that every schema has.
#[derive(Deserialize)]
struct AnySchema {
    schema: u64,
    version: String,
}

impl Checkpoint {
    /// The checkpoint as the bytes of a file.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if a parameter or a number of the optimizer's is a NaN or an infinity: such a state is not one
    /// to go on from. [`Error::Config`] for a configuration that TOML cannot hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        if let Some(name) = self.arrays.not_finite() {
            return Err(Error::NotFinite { what: format!("`{name}` of the checkpoint") });
        }
        let header = Header {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").into(),
            sha256: NO_SUM.into(),
            progress: self.progress.clone(),
            config: self.config.to_toml()?,
        };
        let failed = |e: String| Error::Checkpoint(e);
        let header = serde_json::to_string(&header).map_err(|e| failed(e.to_string()))?;
        let bytes: Vec<(&str, &Array, Vec<u8>)> =
            self.arrays.0.iter().map(|(name, array)| (name.as_str(), array, little_endian(&array.numbers))).collect();
        let views = bytes.iter().map(|(name, array, bytes)| {
            let view = TensorView::new(dtype(&array.numbers), array.shape.clone(), bytes);
            view.map(|view| (*name, view)).map_err(|e| failed(e.to_string()))
        });
        let views = views.collect::<Result<Vec<_>>>()?;
        let metadata = HashMap::from([(KEY.to_string(), header)]);
        let mut file = safetensors::serialize(views, Some(metadata)).map_err(|e| failed(e.to_string()))?;
        let place = find(&file, NO_SUM.as_bytes()).ok_or_else(|| failed("the header lost its checksum".into()))?;
        let sum = checksum(&file, place);
        file[place..place + sum.len()].copy_from_slice(sum.as_bytes());
        Ok(file)
    }

    /// The checkpoint that the bytes of a file are.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] for bytes that are no checkpoint, of another schema, cut off or changed in any bit.
    pub fn from_bytes(file: &[u8]) -> Result<Self> {
        Self::from_bytes_with(file, &Catalogue::default())
    }

    /// The same of a run with rows of this catalogue, which may have names of ours.
    ///
    /// # Errors
    /// As [`Checkpoint::from_bytes`].
    pub fn from_bytes_with(file: &[u8], catalogue: &Catalogue) -> Result<Self> {
        let wrong = |problem: String| Error::Checkpoint(problem);
        let whole = |e| wrong(format!("cut off, or not a safetensors file ({e})"));
        let (header_len, header) = SafeTensors::read_metadata(file).map_err(whole)?;
        let tensors = SafeTensors::deserialize(file).map_err(whole)?;
        let text = header.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let text = text.ok_or_else(|| wrong("a safetensors file, but not a checkpoint of uphill".into()))?;
        let damaged = || wrong("damaged: its contents do not have the checksum it was written with".into());
        let AnySchema { schema, version } = serde_json::from_str(text).map_err(|_| damaged())?;
        if schema != SCHEMA {
            let problem = format!(
                "written by uphill {version} with schema {schema}; this is uphill {}, which reads schema {SCHEMA}",
                env!("CARGO_PKG_VERSION")
            );
            return Err(wrong(problem));
        }
        let header: Header = serde_json::from_str(text).map_err(|_| damaged())?;
        let sum = header.sha256.as_bytes();
        let place = if sum.len() == NO_SUM.len() { find(&file[..header_len + 8], sum) } else { None };
        let place = place.ok_or_else(damaged)?;
        if checksum(file, place) != header.sha256 {
            return Err(damaged());
        }
        let config = Config::parse_toml(&header.config).and_then(|table| Config::of_policy(table, catalogue));
        let config = config.map_err(|e| wrong(format!("its configuration: {e}")))?;
        let mut arrays = Arrays::default();
        for (name, view) in tensors.iter() {
            let numbers =
                numbers(&view).ok_or_else(|| wrong(format!("array `{name}` is of type {:?}", view.dtype())))?;
            arrays.put_shaped(name, view.shape(), numbers);
        }
        header.progress.check()?;
        if let Some(name) = arrays.not_finite() {
            return Err(wrong(format!("array `{name}` holds a NaN or an infinity")));
        }
        Ok(Self { config, progress: header.progress, arrays })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::File`] for what [`Checkpoint::from_bytes`] refuses.
    pub fn read(path: &Path) -> Result<Self> {
        Self::read_with(path, &Catalogue::default())
    }

    /// The same of a run with rows of this catalogue, which may have names of ours.
    ///
    /// # Errors
    /// As [`Checkpoint::read`].
    pub fn read_with(path: &Path, catalogue: &Catalogue) -> Result<Self> {
        let wrong = |problem: String| Error::File { path: path.into(), problem };
        let mut file = File::open(path).map_err(Error::io(path))?;
        let len = file.metadata().map_err(Error::io(path))?.len();
        // What a file claims is checked before there is made room for it.
        let mut start = [0; 8];
        let header = file.read_exact(&mut start).map(|()| u64::from_le_bytes(start));
        let header = header.map_err(|_| wrong(format!("cut off after {}", counted(len, "byte"))))?;
        if header > MAX_HEADER || header.saturating_add(8) > len {
            return Err(wrong(format!("cut off, or not a checkpoint: {len} bytes with a header of {header}")));
        }
        if len > MAX_BYTES {
            return Err(wrong(format!("{len} bytes are more than the {MAX_BYTES} that a checkpoint may have")));
        }
        let mut bytes = start.to_vec();
        file.take(header).read_to_end(&mut bytes).map_err(Error::io(path))?;
        let metadata: safetensors::tensor::Metadata = serde_json::from_slice(&bytes[8..])
            .map_err(|e| wrong(format!("damaged, or not a checkpoint: its header: {e}")))?;
        let data = metadata.data_len() as u64;
        if len != 8 + header + data {
            return Err(wrong(format!("cut off: {len} bytes where its header says {}", 8 + header + data)));
        }
        let bytes = whole_file::read(path, MAX_BYTES).map_err(Error::io(path))?;
        Self::from_bytes_with(&bytes, catalogue).map_err(|e| wrong(e.to_string()))
    }
}

/// SHA-256 of the file with the 64 bytes at `place` as zeros, in hexadecimal.
fn checksum(file: &[u8], place: usize) -> String {
    let mut sum = Sha256::new();
    sum.update(&file[..place]);
    sum.update(NO_SUM);
    sum.update(&file[place + NO_SUM.len()..]);
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn find(file: &[u8], what: &[u8]) -> Option<usize> {
    file.windows(what.len()).position(|window| window == what)
}

fn dtype(numbers: &Numbers) -> Dtype {
    match numbers {
        Numbers::F32(_) => Dtype::F32,
        Numbers::F64(_) => Dtype::F64,
        Numbers::U64(_) => Dtype::U64,
    }
}

fn little_endian(numbers: &Numbers) -> Vec<u8> {
    match numbers {
        Numbers::F32(x) => x.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Numbers::F64(x) => x.iter().flat_map(|x| x.to_le_bytes()).collect(),
        Numbers::U64(x) => x.iter().flat_map(|x| x.to_le_bytes()).collect(),
    }
}

fn numbers(view: &TensorView<'_>) -> Option<Numbers> {
    let (four, eight) = (view.data().as_chunks().0, view.data().as_chunks().0);
    match view.dtype() {
        Dtype::F32 => Some(Numbers::F32(four.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())),
        Dtype::F64 => Some(Numbers::F64(eight.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect())),
        Dtype::U64 => Some(Numbers::U64(eight.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect())),
        _ => None,
    }
}
