//! Named arrays of numbers: what all state of a run comes down to.

use std::collections::BTreeMap;

use uphill_envs::counted;

use crate::{Error, Result};

/// Counts that nothing ever reaches by counting, so that counting on from one cannot pass the largest number.
pub(crate) const MAX_COUNT: u64 = 1 << 62;

/// The numbers of one array.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Numbers {
    F32(Vec<f32>),
    F64(Vec<f64>),
    U64(Vec<u64>),
}

/// An array with its shape.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) numbers: Numbers,
}

impl Numbers {
    pub(crate) fn len(&self) -> usize {
        match self {
            Numbers::F32(x) => x.len(),
            Numbers::F64(x) => x.len(),
            Numbers::U64(x) => x.len(),
        }
    }
}

impl From<Vec<f32>> for Numbers {
    fn from(numbers: Vec<f32>) -> Self {
        Numbers::F32(numbers)
    }
}

impl From<Vec<f64>> for Numbers {
    fn from(numbers: Vec<f64>) -> Self {
        Numbers::F64(numbers)
    }
}

impl From<Vec<u64>> for Numbers {
    fn from(numbers: Vec<u64>) -> Self {
        Numbers::U64(numbers)
    }
}

/// A type of number that arrays are made of.
pub(crate) trait Number: Copy {
    const NAME: &'static str;
    fn of(numbers: &Numbers) -> Option<&[Self]>;
}

macro_rules! number {
    ($type:ty, $variant:ident) => {
        impl Number for $type {
            const NAME: &'static str = stringify!($variant);
            fn of(numbers: &Numbers) -> Option<&[Self]> {
                if let Numbers::$variant(x) = numbers { Some(x) } else { None }
            }
        }
    };
}
number!(f32, F32);
number!(f64, F64);
number!(u64, U64);

/// Arrays by name, in the order of their names.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Arrays(pub(crate) BTreeMap<String, Array>);

impl Arrays {
    /// Adds an array of one dimension.
    pub(crate) fn put(&mut self, name: impl Into<String>, numbers: impl Into<Numbers>) {
        let numbers = numbers.into();
        self.0.insert(name.into(), Array { shape: vec![numbers.len()], numbers });
    }

    /// Adds an array of a shape, which holds as many numbers.
    pub(crate) fn put_shaped(&mut self, name: impl Into<String>, shape: &[usize], numbers: impl Into<Numbers>) {
        self.0.insert(name.into(), Array { shape: shape.to_vec(), numbers: numbers.into() });
    }

    pub(crate) fn extend(&mut self, other: &Arrays) {
        self.0.extend(other.0.iter().map(|(name, array)| (name.clone(), array.clone())));
    }

    /// Those whose names start so.
    pub(crate) fn starting_with(&self, prefix: &str) -> Arrays {
        let ours = self.0.iter().filter(|(name, _)| name.starts_with(prefix));
        Arrays(ours.map(|(name, array)| (name.clone(), array.clone())).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The array of that name, of any length.
    pub(crate) fn get<T: Number>(&self, name: &str) -> Result<&[T]> {
        let wrong = |problem: String| Error::Checkpoint(problem);
        let array = self.0.get(name).ok_or_else(|| wrong(format!("there is no array `{name}`")))?;
        T::of(&array.numbers).ok_or_else(|| wrong(format!("array `{name}` is not of type {}", T::NAME)))
    }

    /// The array of that name, which has to hold so many numbers.
    pub(crate) fn get_len<T: Number>(&self, name: &str, len: usize) -> Result<&[T]> {
        let numbers = self.get(name)?;
        if numbers.len() == len {
            return Ok(numbers);
        }
        let got = counted(numbers.len(), "number");
        Err(Error::Checkpoint(format!("array `{name}` holds {got}, expected {len}")))
    }

    /// The one number of that name.
    pub(crate) fn one<T: Number>(&self, name: &str) -> Result<T> {
        self.get_len(name, 1).map(|numbers| numbers[0])
    }

    /// Copies a slice from the array of that name, which has to be as long.
    pub(crate) fn copy<T: Number>(&self, name: &str, to: &mut [T]) -> Result<()> {
        to.copy_from_slice(self.get_len(name, to.len())?);
        Ok(())
    }

    /// As [`Arrays::copy`], from an array that has to be of that shape.
    pub(crate) fn copy_shaped<T: Number>(&self, name: &str, shape: &[usize], to: &mut [T]) -> Result<()> {
        match self.0.get(name) {
            Some(array) if array.shape != shape => {
                let got = &array.shape;
                Err(Error::Checkpoint(format!("array `{name}` has shape {got:?}, expected {shape:?}")))
            }
            _ => self.copy(name, to),
        }
    }

    /// The first array with a NaN or an infinity in it. A lone number of an optimizer's may be infinite: so a best value
    /// begins.
    pub(crate) fn not_finite(&self) -> Option<&str> {
        let finite = |name: &str, numbers: &Numbers| match numbers {
            Numbers::F32(x) => x.iter().all(|x| x.is_finite()),
            Numbers::F64(x) if x.len() == 1 && name.contains("optimizer.") => !x[0].is_nan(),
            Numbers::F64(x) => x.iter().all(|x| x.is_finite()),
            Numbers::U64(_) => true,
        };
        self.0.iter().find(|(name, array)| !finite(name, &array.numbers)).map(|(name, _)| name.as_str())
    }
}
