//! Where the rows and the columns of a product's factors begin.
#![allow(unsafe_code)]

/// Where rows, or columns, of a matrix begin.
pub(super) trait Places: Copy {
    /// Where the last of all numbers among the first `count` of them begins; panics if there are fewer.
    fn furthest(self, count: usize) -> usize;

    /// Where the one that is `r` after this one begins.
    ///
    /// # Safety
    /// It is one of those that [`furthest`](Places::furthest) was asked for.
    unsafe fn at(self, i: usize, r: usize) -> usize;
}

/// So far apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Every(pub(super) usize);

/// One after the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Next;

/// At these places.
#[derive(Debug, Clone, Copy)]
pub(super) struct At<'a>(pub(super) &'a Ascending);

/// Places, each past the one before.
#[derive(Debug, Default)]
pub(super) struct Ascending(Vec<usize>);

impl Ascending {
    pub(super) fn places(&self) -> &[usize] {
        &self.0
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds places, which panics unless each is past the one before.
    pub(super) fn extend(&mut self, places: impl Iterator<Item = usize>) {
        for place in places {
            assert!(self.0.last().is_none_or(|last| *last < place), "places in order");
            self.0.push(place);
        }
    }
}

/// Packed tile by tile, [`TILE`] rows and a factor of so many columns each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiles(pub(super) usize);

/// Rows of the largest tile.
pub(super) const TILE: usize = 6;

impl Places for Every {
    fn furthest(self, count: usize) -> usize {
        count.saturating_sub(1) * self.0
    }

    #[inline(always)]
    unsafe fn at(self, i: usize, r: usize) -> usize {
        i * self.0 + r * self.0
    }
}

impl Places for Next {
    fn furthest(self, count: usize) -> usize {
        count.saturating_sub(1)
    }

    #[inline(always)]
    unsafe fn at(self, i: usize, r: usize) -> usize {
        i + r
    }
}

impl Places for Tiles {
    fn furthest(self, count: usize) -> usize {
        (0..count.min(TILE)).map(|back| self.place(count - 1 - back)).max().unwrap_or(0)
    }

    #[inline(always)]
    unsafe fn at(self, i: usize, r: usize) -> usize {
        self.place(i) + r
    }
}

impl Tiles {
    #[inline(always)]
    fn place(self, row: usize) -> usize {
        row / TILE * TILE * self.0 + row % TILE
    }
}

impl Places for At<'_> {
    fn furthest(self, count: usize) -> usize {
        // They ascend.
        self.0.0[..count].last().copied().unwrap_or(0)
    }

    #[inline(always)]
    unsafe fn at(self, i: usize, r: usize) -> usize {
        // SAFETY: `furthest` has found so many.
        unsafe { *self.0.0.get_unchecked(i + r) }
    }
}
