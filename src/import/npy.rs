//! Arrays as NumPy writes them: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use super::array::{Array, Kind};

/// What such a file begins with.
const MAGIC: &[u8] = b"\x93NUMPY";

/// The array of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Array, String> {
    let broken = || "it is no array of NumPy's".to_string();
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(broken)?;
    let (len, rest) = match rest {
        [1, _, a, b, rest @ ..] => (u16::from_le_bytes([*a, *b]).into(), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return Err(broken()),
    };
    let (header, numbers) = rest.split_at_checked(len).ok_or_else(broken)?;
    let header = str::from_utf8(header).map_err(|_| broken())?;
    let after = |key: &str| {
        let (_, value) = header.split_once(&format!("'{key}':"))?;
        Some(value.trim_start())
    };
    let kind = after("descr").and_then(|value| value.strip_prefix('\'')?.split('\'').next()).ok_or_else(broken)?;
    let (order, kind) = kind.split_at_checked(1).ok_or_else(broken)?;
    let kind = match (order, kind) {
        ("<" | ">", "f2") => Kind::F16,
        ("<" | ">", "f4") => Kind::F32,
        ("<" | ">", "f8") => Kind::F64,
        ("<" | ">", "i8") => Kind::I64,
        _ => {
            let other = uphill_envs::quoted(&format!("{order}{kind}"));
            return Err(format!("its numbers are {other}: save them as float32 or float64"));
        }
    };
    let is_fortran = after("fortran_order").is_some_and(|value| value.starts_with("True"));
    let shape = after("shape").and_then(|value| value.strip_prefix('(')?.split(')').next()).ok_or_else(broken)?;
    let sides = shape.split(',').map(str::trim).filter(|side| !side.is_empty());
    let shape = sides.map(|side| side.parse().map_err(|_| broken())).collect::<Result<Vec<usize>, _>>()?;
    let numbers = if order == ">" { &kind.turned(numbers.to_vec()) } else { numbers };
    match is_fortran {
        true => Array::columns(numbers, kind, &shape),
        false => Array::contiguous(numbers, kind, &shape),
    }
}
