//! 10 x 10 cells, a bit each.

/// Cells of a row, and rows.
pub(crate) const SIDE: usize = 10;

/// A set of cells. Cell `(row, column)` is bit `10·row + column`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Board(pub(crate) u128);

impl Board {
    const ALL: u128 = (1 << (SIDE * SIDE)) - 1;
    /// The left column.
    const LEFT: u128 = {
        let (mut bits, mut row) = (0, 0);
        while row < SIDE {
            bits |= 1 << (row * SIDE);
            row += 1;
        }
        bits
    };

    /// These rows of these columns.
    pub(crate) const fn block(rows: [usize; 2], columns: [usize; 2]) -> Self {
        let (mut bits, mut row) = (0, rows[0]);
        while row < rows[1] {
            bits |= ((1 << columns[1]) - (1 << columns[0])) << (row * SIDE);
            row += 1;
        }
        Self(bits)
    }

    /// The set of these bits, if each is a cell.
    pub(crate) fn of_bits(bits: u128) -> Option<Self> {
        (bits & !Self::ALL == 0).then_some(Self(bits))
    }

    pub(crate) fn cell(row: u8, column: u8) -> Self {
        Self(1 << (usize::from(row) * SIDE + usize::from(column)))
    }

    pub(crate) fn column(column: u8) -> Self {
        Self(Self::LEFT << column)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// A row higher; what was in the top row is gone.
    pub(crate) fn up(self) -> Self {
        Self(self.0 >> SIDE)
    }

    /// A row lower; what was in the bottom row is gone.
    pub(crate) fn down(self) -> Self {
        Self(self.0 << SIDE & Self::ALL)
    }

    /// A row lower; what was in the bottom row comes to the top.
    pub(crate) fn rolled_down(self) -> Self {
        Self(self.down().0 | self.0 >> (SIDE * (SIDE - 1)))
    }

    /// A column to the left; what was in the left column is gone.
    pub(crate) fn left(self) -> Self {
        Self((self.0 & !Self::LEFT) >> 1)
    }

    /// A column to the right; what was in the right column is gone.
    pub(crate) fn right(self) -> Self {
        Self(self.0 << 1 & !Self::LEFT & Self::ALL)
    }

    /// The row of its lowest cell.
    pub(crate) fn lowest_row(self) -> Option<u8> {
        self.0.checked_ilog2().map(|bit| bit as u8 / SIDE as u8)
    }

    /// The place of each of its cells, row by row.
    pub(crate) fn cells(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let cell = (rest != 0).then_some(rest.trailing_zeros() as usize);
            rest &= rest.wrapping_sub(1);
            cell
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Board;

    #[test]
    fn what_leaves_a_side_is_gone() {
        let corners = [(0, 0), (0, 9), (9, 0), (9, 9)].map(|(row, column)| Board::cell(row, column));
        let all = corners.iter().fold(Board::default(), |all, &corner| all.or(corner));
        let of = |cells: &[(u8, u8)]| cells.iter().fold(Board::default(), |all, &(r, c)| all.or(Board::cell(r, c)));
        assert_eq!(all.left(), of(&[(0, 8), (9, 8)]));
        assert_eq!(all.right(), of(&[(0, 1), (9, 1)]));
        assert_eq!(all.up(), of(&[(8, 0), (8, 9)]));
        assert_eq!(all.down(), of(&[(1, 0), (1, 9)]));
        assert_eq!(all.rolled_down(), of(&[(1, 0), (1, 9), (0, 0), (0, 9)]));
        assert_eq!(all.cells().collect::<Vec<_>>(), [0, 9, 90, 99]);
        assert_eq!((all.lowest_row(), Board::default().lowest_row()), (Some(9), None));
        assert_eq!(Board::block([1, 3], [8, 10]), of(&[(1, 8), (1, 9), (2, 8), (2, 9)]));
        assert_eq!(Board::column(9).and(all), of(&[(0, 9), (9, 9)]));
        assert!(Board::of_bits(1 << 100).is_none() && Board::of_bits(1 << 99).is_some());
    }
}
