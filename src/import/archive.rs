//! Files of tensors by name, whichever program's.

use std::io::{Cursor, Read};

use safetensors::tensor::{Dtype, SafeTensors};
use serde_json::Value;
use uphill_envs::quoted;
use zip::ZipArchive;

use super::array::{Array, Arrays, Kind};
use super::{npy, pickle};

/// What a file holds.
pub(super) struct Found {
    pub(super) arrays: Arrays,
    /// What Stable-Baselines3 says of the algorithm; null where nothing does.
    pub(super) data: Value,
}

type Zip = ZipArchive<Cursor<Vec<u8>>>;

/// Reads a zip of Stable-Baselines3, of torch or of NumPy, or safetensors, by what it begins with.
pub(super) fn read(bytes: Vec<u8>) -> Result<Found, String> {
    if bytes.starts_with(b"PK") {
        return of_zip(open(bytes)?);
    }
    // What a pickle begins with from its second version on, and then no length of a header, which has zeros there.
    if matches!(*bytes, [0x80, 2..=5, 1..=255, ..]) {
        let remedy =
            "of a VecNormalize save its numbers: np.savez('stats.npz', mean=env.obs_rms.mean, var=env.obs_rms.var)";
        return Err(format!("this is a pickle, and none is ever executed: {remedy}"));
    }
    of_safetensors(&bytes)
}

fn open(bytes: Vec<u8>) -> Result<Zip, String> {
    ZipArchive::new(Cursor::new(bytes)).map_err(|e| format!("a broken zip: {e}"))
}

/// The bytes of an entry. Entries are not compressed, so that there are no more of them than the file has.
fn entry(zip: &mut Zip, name: &str) -> Result<Vec<u8>, String> {
    let shown = quoted(name);
    let mut bytes = Vec::new();
    let entry = zip.by_name(name).map_err(|e| {
        format!("entry `{shown}`: {e}; entries have to be stored as they are, as torch.save and np.savez do")
    })?;
    entry.take(super::MOST).read_to_end(&mut bytes).map_err(|e| format!("entry `{shown}`: {e}"))?;
    Ok(bytes)
}

/// What has been read of a file's entries. They may lie over one another, so that there are more bytes in them than in the file.
#[derive(Default)]
struct Room {
    taken: usize,
}

impl Room {
    fn of(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        self.taken += bytes.len() + 1;
        match self.taken as u64 <= super::MOST {
            true => Ok(bytes),
            false => Err(format!("its tensors have more than the {} bytes that such a file may have", super::MOST)),
        }
    }
}

fn of_zip(mut zip: Zip) -> Result<Found, String> {
    let names: Vec<String> = zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    if names.iter().any(|name| name == "policy.pth") {
        let data = match names.iter().any(|name| name == "data") {
            true => serde_json::from_slice(&entry(&mut zip, "data")?).map_err(|e| format!("entry `data`: {e}"))?,
            false => Value::Null,
        };
        let policy = entry(&mut zip, "policy.pth")?;
        let policy = open(policy).map_err(|e| format!("policy.pth: {e}"))?;
        return Ok(Found { arrays: of_torch(policy).map_err(|e| format!("policy.pth: {e}"))?, data });
    }
    if names.iter().any(|name| name.ends_with("data.pkl")) {
        return Ok(Found { arrays: of_torch(zip)?, data: Value::Null });
    }
    let (mut arrays, mut room) = (Arrays::new(), Room::default());
    for name in names.iter().filter(|name| name.ends_with(".npy")) {
        let bytes = room.of(entry(&mut zip, name)?)?;
        let array = npy::read(&bytes).map_err(|e| format!("`{}`: {e}", quoted(name)))?;
        arrays.insert(name.trim_end_matches(".npy").into(), array);
    }
    match arrays.is_empty() {
        false => Ok(Found { arrays, data: Value::Null }),
        true => Err("a zip without policy.pth of Stable-Baselines3, data.pkl of torch or an array of NumPy".into()),
    }
}

/// The tensors of a state dict, as torch saves it.
fn of_torch(mut zip: Zip) -> Result<Arrays, String> {
    let names: Vec<String> = zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let pickled = names.iter().find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"));
    let pickled = pickled.ok_or("there is no data.pkl, as torch saves it")?;
    let folder = pickled.trim_end_matches("data.pkl");
    if entry(&mut zip, &format!("{folder}byteorder")).is_ok_and(|order| order != b"little") {
        return Err("its numbers are written from the highest byte: save it on another machine".into());
    }
    let tensors = pickle::state_dict(&entry(&mut zip, pickled)?)?;
    let (mut arrays, mut room) = (Arrays::new(), Room::default());
    for pickle::Claim { name, storage, kind, offset, shape, stride } in tensors {
        let bytes = room.of(entry(&mut zip, &format!("{folder}data/{storage}"))?)?;
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
            Dtype::F32 => Kind::F32,
            Dtype::F64 => Kind::F64,
            Dtype::I64 => Kind::I64,
            other => return Err(format!("tensor `{}` is {other:?}: save it as float32", quoted(&name))),
        };
        let array = Array::contiguous(tensor.data(), kind, tensor.shape());
        let array = array.map_err(|e| format!("tensor `{}`: {e}", quoted(&name)))?;
        arrays.insert(name, array);
    }
    Ok(Found { arrays, data: Value::Null })
}
