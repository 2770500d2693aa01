//! Numbers that go with a network's parameters and are not learnt by descent.

use crate::arrays::Arrays;
use crate::error::check_len;
use crate::layout::{Block, Layout};
use crate::{Error, Result};

/// Named arrays beside the parameters, such as a running mean: whoever learns sets them, no optimizer moves them, and they are
/// part of a policy's file.
///
/// ```
/// use uphill::Buffers;
///
/// let mut buffers = Buffers::default();
/// buffers.push("normaliser.mean", &[0.0, 0.0])?;
/// buffers.get_mut("normaliser.mean").expect("the one above").copy_from_slice(&[0.5, -2.0]);
/// assert_eq!(buffers.get("normaliser.mean"), Some(&[0.5, -2.0][..]));
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Buffers {
    layout: Layout,
    values: Vec<f32>,
}

impl Buffers {
    /// Adds an array with these values.
    ///
    /// # Errors
    /// [`Error::Config`] if there is one of that name.
    pub fn push(&mut self, name: impl Into<String>, values: &[f32]) -> Result<()> {
        let name = name.into();
        if self.layout.block(&name).is_some() {
            return Err(Error::Config(format!("there is a buffer `{name}` already: a network has each once")));
        }
        self.layout.push(name, &[values.len()]);
        self.values.extend_from_slice(values);
        Ok(())
    }

    /// The array of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[f32]> {
        self.layout.block(name).map(|block| &self.values[block.range()])
    }

    /// The same, to be written to.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut [f32]> {
        self.layout.block(name).map(|block| &mut self.values[block.range()])
    }

    /// Which places are what.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// All values, in order.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Changes all values in place, given which places are what.
    pub(crate) fn update(&mut self, f: impl FnOnce(&[Block], &mut [f32])) {
        f(self.layout.blocks(), &mut self.values);
    }

    /// Takes the values of others of the same names and lengths.
    pub(crate) fn copy_from(&mut self, other: &Self) -> Result<()> {
        let names = |buffers: &Self| buffers.layout.blocks().iter().map(|block| block.name.clone()).collect::<Vec<_>>();
        let (ours, theirs) = (names(self), names(other));
        if ours != theirs {
            let problem = format!("buffers {theirs:?} instead of {ours:?}: they are those of another network");
            return Err(Error::Config(problem));
        }
        for block in self.layout.blocks() {
            let theirs = other.get(&block.name).map_or(0, <[f32]>::len);
            check_len(&format!("the buffer {}", block.name), block.elem_count(), theirs)?;
        }
        self.values.copy_from_slice(&other.values);
        Ok(())
    }

    /// Adds every array to `arrays`, its name after `prefix`.
    pub(crate) fn save(&self, prefix: &str, arrays: &mut Arrays) {
        for block in self.layout.blocks() {
            arrays.put_shaped(format!("{prefix}.{}", block.name), &block.shape, self.values[block.range()].to_vec());
        }
    }

    /// Takes every array from what [`Buffers::save`] left.
    pub(crate) fn restore(&mut self, prefix: &str, arrays: &Arrays) -> Result<()> {
        for block in self.layout.blocks() {
            arrays.copy_shaped(&format!("{prefix}.{}", block.name), &block.shape, &mut self.values[block.range()])?;
        }
        Ok(())
    }
}
