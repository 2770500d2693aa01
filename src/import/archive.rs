//! Files of tensors by name, whichever program's.

use std::io::{Cursor, Read};

use safetensors::tensor::{Dtype, SafeTensors};
use uphill_envs::quoted;
use zip::ZipArchive;

use super::array::{Array, Arrays, Kind};
use super::said::Said;
use super::{npy, pickle};

/// What a file holds.
pub(super) struct Found {
    pub(super) arrays: Arrays,
    /// What Stable-Baselines3 says of the policy, where it does.
    pub(super) said: Option<Said>,
}

/// Reads a zip of Stable-Baselines3, of torch or of NumPy, or safetensors, by what it begins with.
pub(super) fn read(bytes: Vec<u8>) -> Result<Found, String> {
    if bytes.starts_with(b"PK") {
        return of_zip(Zip::open(bytes)?);
    }
    match is_none(&bytes) {
        Some(problem) => Err(problem),
        None => of_safetensors(&bytes),
    }
}

/// What is said of a file that is known to be something else, by what it begins with.
fn is_none(bytes: &[u8]) -> Option<String> {
    const ANEW: &str = "load it where it was saved, and save it anew: torch.save(agent.state_dict(), \"agent.pt\")";
    let is = |what: &str| Some(format!("this is {what}"));
    match bytes {
        [] => is("an empty file: nothing of it was saved, or copied"),
        // torch's own number, pickled.
        [0x80, 2..=5, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, ..] => {
            is(&format!("what torch saved before 1.6, a pickle, and none is ever executed: {ANEW}"))
        }
        // What a pickle begins with from its second version on, and then no length of a header, which has zeros there.
        [0x80, 2..=5, 1..=255, ..] => is("a pickle, and none is ever executed: of a VecNormalize save its numbers: \
             np.savez('stats.npz', mean=env.obs_rms.mean, var=env.obs_rms.var)"),
        [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => {
            is("one array of NumPy's: save them all by their names, np.savez('agent.npz', **arrays)")
        }
        [0x1f, 0x8b, ..] => is("packed by gzip: unpack it first"),
        [0x89, b'H', b'D', b'F', ..] => is("HDF5: save the same tensors as safetensors or npz, by the names torch has"),
        _ if bytes.get(257..262) == Some(b"ustar") => is(&format!("a tar: unpack it, or {ANEW}")),
        _ => None,
    }
}

/// An archive, and how much may still be read of it: entries are packed, or lie over one another, so that there are more bytes in them
/// than in the file.
struct Zip {
    archive: ZipArchive<Cursor<Vec<u8>>>,
    names: Vec<String>,
    left: u64,
}

/// The most bytes of all that an entry says in words: far more than any policy's has, and so little that what is made of it is not
/// much either.
const MOST_WORDS: u64 = 16 << 20;

impl Zip {
    fn open(bytes: Vec<u8>) -> Result<Self, String> {
        // Trained numbers are hardly smaller when they are packed, and are named a few times at most.
        let left = (bytes.len() as u64).saturating_mul(16).saturating_add(MOST_WORDS).min(super::MOST);
        let len = bytes.len();
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| {
            format!("a broken zip of {len} bytes, cut short or changed: copy it once more, or save it anew ({e})")
        })?;
        let names = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        Ok(Self { archive, names, left })
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|own| own == name)
    }

    /// The bytes of an entry, at most so many; what it says of their number is looked at before room is made for them.
    fn entry(&mut self, name: &str, most: u64) -> Result<Vec<u8>, String> {
        let shown = quoted(name);
        let problem = |e: &dyn std::fmt::Display| format!("entry `{shown}`: {e}");
        let entry = self.archive.by_name(name).map_err(|e| problem(&e))?;
        let (said, most) = (entry.size(), most.min(self.left));
        let large = || {
            let part = if most == self.left { "all of a file of this size" } else { "such an entry" };
            Err(problem(&format!(
                "it unpacks to {said} bytes or more, and {most} are the most that are left to {part}"
            )))
        };
        if said > most {
            return large();
        }
        let mut bytes = Vec::new();
        // What it says may be less than there is.
        entry.take(most + 1).read_to_end(&mut bytes).map_err(|e| problem(&e))?;
        if bytes.len() as u64 > most {
            return large();
        }
        self.left -= bytes.len() as u64;
        Ok(bytes)
    }
}

fn of_zip(mut zip: Zip) -> Result<Found, String> {
    if zip.has("policy.pth") {
        let said = match zip.has("data") {
            true => Some(Said::read(&zip.entry("data", MOST_WORDS)?).map_err(|e| format!("entry `data`: {e}"))?),
            false => None,
        };
        let within = |e: String| format!("policy.pth: {e}");
        let policy = zip.entry("policy.pth", super::MOST)?;
        if let Some(problem) = is_none(&policy) {
            return Err(within(problem));
        }
        let arrays = Zip::open(policy).and_then(of_torch).map_err(within)?;
        return Ok(Found { arrays, said });
    }
    if zip.names.iter().any(|name| name.ends_with("data.pkl")) {
        return Ok(Found { arrays: of_torch(zip)?, said: None });
    }
    let mut arrays = Arrays::new();
    for name in zip.names.clone().iter().filter(|name| name.ends_with(".npy")) {
        let bytes = zip.entry(name, super::MOST)?;
        let array = npy::read(&bytes).map_err(|e| format!("`{}`: {e}", quoted(name)))?;
        arrays.insert(name.trim_end_matches(".npy").into(), array);
    }
    match arrays.is_empty() {
        false => Ok(Found { arrays, said: None }),
        true => Err("a zip without policy.pth of Stable-Baselines3, data.pkl of torch or an array of NumPy".into()),
    }
}

/// The tensors of a state dict, as torch saves it.
fn of_torch(mut zip: Zip) -> Result<Arrays, String> {
    let pickled = zip.names.iter().find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
    let pickled = pickled.ok_or("there is no data.pkl, as torch saves it")?.clone();
    let folder = pickled.trim_end_matches("data.pkl");
    let order = format!("{folder}byteorder");
    let is_big = zip.has(&order) && zip.entry(&order, MOST_WORDS)? == b"big";
    let tensors = pickle::state_dict(&zip.entry(&pickled, MOST_WORDS)?)?;
    let mut arrays = Arrays::new();
    for pickle::Claim { name, storage, kind, offset, shape, stride } in tensors {
        let bytes = zip.entry(&format!("{folder}data/{storage}"), super::MOST)?;
        let bytes = if is_big { kind.turned(bytes) } else { bytes };
        let array = Array::strided(&bytes, kind, offset, (&shape, &stride));
        let array = array.map_err(|e| format!("tensor `{}`: {e}", quoted(&name)))?;
        arrays.insert(name, array);
    }
    Ok(arrays)
}

fn of_safetensors(bytes: &[u8]) -> Result<Found, String> {
    let what = "no zip of Stable-Baselines3, torch or NumPy, and no safetensors";
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| format!("{what}: {e}"))?;
    let mut arrays = Arrays::new();
    for (name, tensor) in tensors.tensors() {
        let kind = match tensor.dtype() {
            Dtype::F16 => Kind::F16,
            Dtype::BF16 => Kind::Bf16,
            Dtype::F32 => Kind::F32,
            Dtype::F64 => Kind::F64,
            Dtype::I64 => Kind::I64,
            other => return Err(format!("tensor `{}` is {other:?}: save it as float32", quoted(&name))),
        };
        let array = Array::contiguous(tensor.data(), kind, tensor.shape());
        let array = array.map_err(|e| format!("tensor `{}`: {e}", quoted(&name)))?;
        arrays.insert(name, array);
    }
    Ok(Found { arrays, said: None })
}
