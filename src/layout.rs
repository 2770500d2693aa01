//! Where the numbers of a network stand in one vector.

/// One named tensor within the parameter vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its path in the network, such as `actor.0.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where its first number stands in the vector.
    pub offset: usize,
}

impl Block {
    /// How many numbers it holds.
    #[must_use]
    pub fn elem_count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Its places in the vector.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.elem_count()
    }
}

/// How many numbers a tensor of this shape holds; `None` for more than a `usize` counts.
pub(crate) fn numbers(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |numbers, &side| numbers.checked_mul(side))
}

/// The blocks of a parameter vector, one after the other without a gap.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    blocks: Vec<Block>,
    len: usize,
}

impl Layout {
    /// Appends a block and returns its offset.
    ///
    /// # Panics
    /// If that makes more numbers than a `usize` counts.
    #[track_caller]
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize]) -> usize {
        let block = Block { name: name.into(), shape: shape.to_vec(), offset: self.len };
        let Some(len) = numbers(shape).and_then(|numbers| self.len.checked_add(numbers)) else {
            panic!("block `{}` of shape {shape:?} after {} numbers: no vector is that long", block.name, self.len)
        };
        self.len = len;
        let offset = block.offset;
        self.blocks.push(block);
        offset
    }

    /// The blocks in order.
    #[must_use]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// `P`, the length of the vector.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no parameter at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The block of that name.
    #[must_use]
    pub fn block(&self, name: &str) -> Option<&Block> {
        self.blocks.iter().find(|block| block.name == name)
    }

    /// The block that the number at `index` belongs to.
    #[must_use]
    pub fn block_at(&self, index: usize) -> Option<&Block> {
        self.blocks.iter().find(|block| block.range().contains(&index))
    }
}
