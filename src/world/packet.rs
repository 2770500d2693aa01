//! What ranks tell each other, as bytes.

use crate::{Error, Result};

/// A number that packets are made of, the same bytes on every machine.
pub(crate) trait Word: Copy {
    const BYTES: usize;
    fn put(self, to: &mut [u8]);
    fn take(from: &[u8]) -> Self;
}

macro_rules! word {
    ($($type:ty),*) => {$(
        impl Word for $type {
            const BYTES: usize = size_of::<Self>();

            #[inline]
            fn put(self, to: &mut [u8]) {
                to.copy_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn take(from: &[u8]) -> Self {
                let mut bytes = [0; size_of::<Self>()];
                bytes.copy_from_slice(from);
                Self::from_le_bytes(bytes)
            }
        }
    )*};
}
word!(u8, u32, u64, f32, f64);

/// Columns of numbers one after another, each after its length.
#[derive(Debug, Default)]
pub(crate) struct Packet(pub(crate) Vec<u8>);

impl Packet {
    pub(crate) fn put<T: Word>(&mut self, column: &[T]) {
        self.0.extend_from_slice(&(column.len() as u64).to_le_bytes());
        let begin = self.0.len();
        self.0.resize(begin + column.len() * T::BYTES, 0);
        self.0[begin..].chunks_exact_mut(T::BYTES).zip(column).for_each(|(to, x)| x.put(to));
    }

    pub(crate) fn put_flags(&mut self, column: &[bool]) {
        self.put(&column.iter().map(|&flag| u8::from(flag)).collect::<Vec<u8>>());
    }
}

/// The same columns, to be taken in the order in which they were put.
#[derive(Debug)]
pub(crate) struct Unpacked<'a> {
    rank: usize,
    rest: &'a [u8],
}

impl<'a> Unpacked<'a> {
    /// What a rank has sent.
    pub(crate) fn of(rank: usize, bytes: &'a [u8]) -> Self {
        Self { rank, rest: bytes }
    }

    /// What is wrong with it.
    pub(crate) fn apart(&self, problem: impl Into<String>) -> Error {
        Error::Apart { rank: self.rank, problem: problem.into() }
    }

    fn column<T: Word>(&mut self) -> Result<&'a [u8]> {
        let column = self.rest.split_first_chunk().and_then(|(len, rest)| {
            let bytes = usize::try_from(u64::from_le_bytes(*len)).ok()?.checked_mul(T::BYTES)?;
            rest.split_at_checked(bytes)
        });
        let (column, rest) = column.ok_or_else(|| self.apart("what it sent is not what is due here"))?;
        self.rest = rest;
        Ok(column)
    }

    /// The next column, in place of what `to` holds.
    pub(crate) fn take_into<T: Word>(&mut self, to: &mut Vec<T>) -> Result<()> {
        let column = self.column::<T>()?;
        to.clear();
        to.extend(column.chunks_exact(T::BYTES).map(T::take));
        Ok(())
    }

    pub(crate) fn take<T: Word>(&mut self) -> Result<Vec<T>> {
        let mut column = Vec::new();
        self.take_into(&mut column)?;
        Ok(column)
    }

    /// The next column, which has to be as long as `to`.
    pub(crate) fn fill<T: Word>(&mut self, to: &mut [T]) -> Result<()> {
        let column = self.column::<T>()?;
        let (expected, got) = (to.len(), column.len() / T::BYTES);
        if got != expected {
            return Err(self.apart(format!("it sent {got} numbers where {expected} are due")));
        }
        to.iter_mut().zip(column.chunks_exact(T::BYTES)).for_each(|(to, from)| *to = T::take(from));
        Ok(())
    }

    /// The next column's one number.
    pub(crate) fn one<T: Word + Default>(&mut self) -> Result<T> {
        let mut one = [T::default()];
        self.fill(&mut one)?;
        Ok(one[0])
    }

    pub(crate) fn take_flags(&mut self, to: &mut Vec<bool>) -> Result<()> {
        to.clear();
        to.extend(self.column::<u8>()?.iter().map(|&flag| flag != 0));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Packet, Unpacked};

    #[test]
    fn columns_come_as_they_went() {
        let mut packet = Packet::default();
        packet.put(&[1.5f32, -0.0, f32::INFINITY]);
        packet.put::<f64>(&[]);
        packet.put(&[u64::MAX]);
        packet.put_flags(&[true, false]);
        let mut unpacked = Unpacked::of(3, &packet.0);
        let bits: Vec<u32> = unpacked.take::<f32>().expect("a column").into_iter().map(f32::to_bits).collect();
        assert_eq!(bits, [1.5f32, -0.0, f32::INFINITY].map(f32::to_bits));
        assert!(unpacked.take::<f64>().expect("a column").is_empty());
        assert_eq!(unpacked.one::<u64>().expect("a number"), u64::MAX);
        let mut flags = vec![false; 7];
        unpacked.take_flags(&mut flags).expect("flags");
        assert_eq!(flags, [true, false]);
        assert_eq!(
            unpacked.take::<u8>().expect_err("nothing is left").to_string(),
            "rank 3 has come apart from the others: what it sent is not what is due here"
        );
    }

    #[test]
    fn what_is_cut_off_or_longer_than_it_can_be_is_an_error() {
        let mut packet = Packet::default();
        packet.put(&[7u32; 5]);
        for len in 0..packet.0.len() {
            assert!(Unpacked::of(0, &packet.0[..len]).take::<u32>().is_err(), "{len}");
        }
        assert!(Unpacked::of(0, &u64::MAX.to_le_bytes()).take::<u64>().is_err());
        let problem = Unpacked::of(1, &packet.0).fill(&mut [0u32; 4]).expect_err("another length").to_string();
        assert!(problem.ends_with("it sent 5 numbers where 4 are due"), "{problem}");
    }
}
