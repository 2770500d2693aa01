//! Where a step goes.

/// One of the moves that there are. The first four have the numbers of the actions of Gymnasium's `CliffWalking-v1`; the
/// next four go on clockwise between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up = 0,
    Right = 1,
    Down = 2,
    Left = 3,
    UpRight = 4,
    DownRight = 5,
    DownLeft = 6,
    UpLeft = 7,
    Stay = 8,
}

impl Direction {
    /// All of them, each at the index of its action: four sides, four corners, and none.
    pub(crate) const ALL: [Direction; 9] = [
        Direction::Up,
        Direction::Right,
        Direction::Down,
        Direction::Left,
        Direction::UpRight,
        Direction::DownRight,
        Direction::DownLeft,
        Direction::UpLeft,
        Direction::Stay,
    ];
    /// Those to the sides, clockwise.
    pub(crate) const SIDES: [Direction; 4] = [Direction::Up, Direction::Right, Direction::Down, Direction::Left];

    /// The direction after `quarters` quarter turns clockwise.
    pub(crate) fn turned(self, quarters: usize) -> Direction {
        let index = self as usize;
        match index / 4 {
            circle @ (0 | 1) => Self::ALL[4 * circle + (index + quarters) % 4],
            _ => self,
        }
    }

    /// How many rows down and how many columns to the right.
    pub(crate) fn offsets(self) -> (isize, isize) {
        match self {
            Direction::Up => (-1, 0),
            Direction::Right => (0, 1),
            Direction::Down => (1, 0),
            Direction::Left => (0, -1),
            Direction::UpRight => (-1, 1),
            Direction::DownRight => (1, 1),
            Direction::DownLeft => (1, -1),
            Direction::UpLeft => (-1, -1),
            Direction::Stay => (0, 0),
        }
    }
}
