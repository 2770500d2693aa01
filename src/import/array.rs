//! Arrays of numbers by name.

use std::collections::BTreeMap;

/// Numbers of a shape, the last dimension side by side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) numbers: Vec<f32>,
}

/// Arrays by name.
pub(super) type Arrays = BTreeMap<String, Array>;

/// What the numbers of an array are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    F16,
    Bf16,
    F32,
    F64,
    I64,
}

impl Kind {
    /// Bytes of a number.
    pub(super) fn width(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 | Self::I64 => 8,
        }
    }

    /// The number in so many bytes, from the lowest: f64 has each of them, but for integers beyond 2^53.
    pub(super) fn number(self, bytes: &[u8]) -> f64 {
        let two = || <[u8; 2]>::try_from(bytes).unwrap_or_default();
        let eight = || <[u8; 8]>::try_from(bytes).unwrap_or_default();
        match self {
            Self::F16 => half::f16::from_le_bytes(two()).to_f64(),
            Self::Bf16 => half::bf16::from_le_bytes(two()).to_f64(),
            Self::F32 => f32::from_le_bytes(bytes.try_into().unwrap_or_default()).into(),
            Self::F64 => f64::from_le_bytes(eight()),
            Self::I64 => i64::from_le_bytes(eight()) as f64,
        }
    }

    /// The bytes of numbers that are written from the highest, as they are from the lowest.
    pub(super) fn turned(self, mut bytes: Vec<u8>) -> Vec<u8> {
        bytes.chunks_exact_mut(self.width()).for_each(<[u8]>::reverse);
        bytes
    }
}

impl Array {
    /// From bytes, each number where a stride for each dimension leads to from a first one.
    pub(super) fn strided(
        bytes: &[u8],
        kind: Kind,
        offset: usize,
        (shape, stride): (&[usize], &[usize]),
    ) -> Result<Self, String> {
        let count = crate::layout::numbers(shape).filter(|_| shape.len() == stride.len());
        // No more numbers than there are bytes: what repeats itself is no parameter.
        let count = count.filter(|count| *count <= bytes.len() / kind.width());
        let count = count.ok_or_else(|| format!("shape {shape:?} is of more numbers than the file has"))?;
        let (mut numbers, mut index) = (Vec::with_capacity(count), vec![0usize; shape.len()]);
        for _ in 0..count {
            let mut steps = index.iter().zip(stride).map(|(index, stride)| index.checked_mul(*stride));
            let place = steps.try_fold(offset, |place, step| place.checked_add(step?));
            let start = place.and_then(|place| place.checked_mul(kind.width()));
            let end = start.and_then(|start| start.checked_add(kind.width()));
            let number = start.zip(end).and_then(|(start, end)| bytes.get(start..end));
            let number =
                number.ok_or_else(|| format!("shape {shape:?} reaches past the {} bytes that it has", bytes.len()))?;
            let number = kind.number(number);
            if number.is_finite() && !(number as f32).is_finite() {
                return Err(format!(
                    "it holds {number:e}, and networks here have float32, whose largest number is 3.4e38"
                ));
            }
            numbers.push(number as f32);
            for (index, side) in index.iter_mut().zip(shape).rev() {
                *index += 1;
                if *index < *side {
                    break;
                }
                *index = 0;
            }
        }
        // One alone may be a bound, of which infinity is none.
        if numbers.iter().any(|x| x.is_nan() || x.is_infinite() && numbers.len() > 1) {
            return Err("it holds a NaN or an infinity".into());
        }
        Ok(Self { shape: shape.to_vec(), numbers })
    }

    /// From bytes, all numbers side by side.
    pub(super) fn contiguous(bytes: &[u8], kind: Kind, shape: &[usize]) -> Result<Self, String> {
        let mut stride = vec![1usize; shape.len()];
        for side in (1..shape.len()).rev() {
            stride[side - 1] = stride[side].saturating_mul(shape[side]);
        }
        Self::strided(bytes, kind, 0, (shape, &stride))
    }

    /// From bytes, all numbers side by side, and those of the first dimension next to one another: Fortran's order.
    pub(super) fn columns(bytes: &[u8], kind: Kind, shape: &[usize]) -> Result<Self, String> {
        let mut stride = vec![1usize; shape.len()];
        for side in 1..shape.len() {
            stride[side] = stride[side - 1].saturating_mul(shape[side - 1]);
        }
        Self::strided(bytes, kind, 0, (shape, &stride))
    }
}
