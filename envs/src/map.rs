//! A grid of cells, read from text.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::{EnvError, counted};

/// What one character of a map stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// `.`: free to walk on.
    Floor,
    /// `S`: floor on which episodes start.
    Start,
    /// `G`: terminates.
    Goal,
    /// `#`: cannot be entered.
    Wall,
    /// `O`: terminates.
    Pit,
    /// `C`: sends back to a start.
    Cliff,
    /// Any other declared character: floor that pays this reward on entering.
    Reward(f32),
}

impl Cell {
    /// The characters that mean the same on every map.
    const KNOWN: [(char, Cell); 6] = [
        ('S', Cell::Start),
        ('G', Cell::Goal),
        ('#', Cell::Wall),
        ('.', Cell::Floor),
        ('O', Cell::Pit),
        ('C', Cell::Cliff),
    ];

    fn read(character: char, cell_rewards: &BTreeMap<char, f32>) -> Option<Cell> {
        let known = Self::KNOWN.iter().find(|(c, _)| *c == character).map(|&(_, cell)| cell);
        known.or_else(|| cell_rewards.get(&character).map(|&reward| Cell::Reward(reward)))
    }

    /// Whether an episode goes on after entering it, on that very cell.
    pub(crate) fn is_floor(self) -> bool {
        matches!(self, Cell::Floor | Cell::Start | Cell::Reward(_))
    }
}

/// One of the four moves. The numbers are those of the actions of Gymnasium's `CliffWalking-v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up = 0,
    Right = 1,
    Down = 2,
    Left = 3,
}

impl Direction {
    /// All of them, clockwise, each at the index of its action.
    pub(crate) const ALL: [Direction; 4] = [Direction::Up, Direction::Right, Direction::Down, Direction::Left];

    /// The direction after `quarters` quarter turns clockwise.
    pub(crate) fn turned(self, quarters: usize) -> Direction {
        Self::ALL[(self as usize + quarters) % 4]
    }
}

/// Why a text is no map. Lines and columns count from 1, in the text as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MapError {
    /// No cell at all.
    #[error("the map is empty: it needs at least a start `S` and a goal `G`")]
    Empty,
    /// A side longer than [`Map::MAX_SIDE`].
    #[error(
        "the map has {} and {}: at most {} of each are allowed",
        counted(rows, "row"),
        counted(columns, "column"),
        Map::MAX_SIDE
    )]
    TooLarge {
        /// Its number of rows.
        rows: usize,
        /// The length of its longest row.
        columns: usize,
    },
    /// Rows of different lengths.
    #[error(
        "line {line} of the map has {}, most rows have {expected}: every row must be as long",
        counted(got, "cell")
    )]
    Ragged {
        /// The line of the row.
        line: usize,
        /// The length that most rows have, the first row's where two lengths are as frequent.
        expected: usize,
        /// The length of this one.
        got: usize,
    },
    /// A blank, where a reader of the map sees nothing.
    #[error(
        "line {line}, column {column} of the map is a blank: leave it out, or write `.` for floor and `#` for wall"
    )]
    Blank {
        /// Its line.
        line: usize,
        /// Its column.
        column: usize,
    },
    /// A character that means nothing.
    #[error("line {line}, column {column} of the map holds {character:?}, which is no cell; known are {known}")]
    UnknownCharacter {
        /// The character.
        character: char,
        /// Its line.
        line: usize,
        /// Its column.
        column: usize,
        /// The characters that mean something on this map.
        known: String,
    },
    /// `cell_rewards` declares a character that cannot be a cell of its own.
    #[error("cell_rewards declares {character:?}: take a visible character other than {known}")]
    Reserved {
        /// The character.
        character: char,
        /// The characters that are taken.
        known: String,
    },
    /// No cell to start on.
    #[error("the map has no start: mark at least one cell with `S`")]
    NoStart,
    /// No cell to end on.
    #[error("the map has no goal: mark at least one cell with `G`")]
    NoGoal,
    /// A start from which no goal can be walked to.
    #[error(
        "no goal can be reached from the start at line {line}, column {column} of the map: no way leads through `#` (a wall), `O` (a pit, which ends the episode) or `C` (a cliff, which sends back to a start)"
    )]
    UnreachableGoal {
        /// The line of the start.
        line: usize,
        /// Its column.
        column: usize,
    },
}

/// A rectangle of cells with at least one start, from each of which a goal can be walked to.
///
/// A cell's index is `row * columns + column`, rows from the top and columns from the left, both from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    columns: usize,
    cells: Vec<Cell>,
    starts: Vec<usize>,
}

impl Map {
    /// The most rows and the most columns of a map.
    ///
    /// An exact model solves a dense system as large as the number of cells; 64 x 64 is where that stops being quick.
    pub const MAX_SIDE: usize = 64;

    /// Reads a map: a line a row, a character a cell (see [`Cell`]). Empty lines before and after it are left out.
    ///
    /// `cell_rewards` declares further characters: floor that pays this reward on entering.
    ///
    /// # Errors
    /// A [`MapError`] that says what is wrong and where.
    pub fn parse(text: &str, cell_rewards: &BTreeMap<char, f32>) -> Result<Map, MapError> {
        let taken = || list(Cell::KNOWN.iter().map(|&(c, _)| c));
        if let Some(&character) = cell_rewards
            .keys()
            .find(|&&c| c.is_whitespace() || c.is_control() || Cell::KNOWN.iter().any(|&(known, _)| known == c))
        {
            return Err(MapError::Reserved { character, known: taken() });
        }

        let lines: Vec<&str> = text.lines().collect();
        let first = lines.iter().position(|line| !line.is_empty()).ok_or(MapError::Empty)?;
        let last = lines.iter().rposition(|line| !line.is_empty()).ok_or(MapError::Empty)?;
        let lines = &lines[first..=last];
        let widths = || lines.iter().map(|line| line.chars().count());
        let (rows, longest, columns) = (lines.len(), widths().max().unwrap_or(0), widths().next().unwrap_or(0));
        if rows.max(longest) > Self::MAX_SIDE {
            return Err(MapError::TooLarge { rows, columns: longest });
        }
        // Before the lengths: a blank at a line's end makes that one too long.
        for (line, text) in (first + 1..).zip(lines) {
            if let Some(column) = text.chars().position(char::is_whitespace) {
                return Err(MapError::Blank { line, column: column + 1 });
            }
        }
        let rows_of = |width: usize| widths().filter(|&other| other == width).count();
        let expected = widths().fold(columns, |most, width| if rows_of(width) > rows_of(most) { width } else { most });
        if let Some((row, got)) = widths().enumerate().find(|&(_, width)| width != expected) {
            return Err(MapError::Ragged { line: first + row + 1, expected, got });
        }

        let mut cells = Vec::with_capacity(rows * columns);
        for (row, line) in lines.iter().enumerate() {
            for (column, character) in line.chars().enumerate() {
                let cell = Cell::read(character, cell_rewards).ok_or_else(|| MapError::UnknownCharacter {
                    character,
                    line: first + row + 1,
                    column: column + 1,
                    known: list(Cell::KNOWN.iter().map(|&(c, _)| c).chain(cell_rewards.keys().copied().take(32))),
                })?;
                cells.push(cell);
            }
        }
        let starts: Vec<usize> = (0..cells.len()).filter(|&i| cells[i] == Cell::Start).collect();
        let map = Map { columns, cells, starts };
        map.check_goals(first)?;
        Ok(map)
    }

    /// Every start must reach a goal; `first` is the index of the map's first line in its text.
    fn check_goals(&self, first: usize) -> Result<(), MapError> {
        if self.starts.is_empty() {
            return Err(MapError::NoStart);
        }
        if !self.cells.contains(&Cell::Goal) {
            return Err(MapError::NoGoal);
        }
        // Walking between floors can be undone, so the cells that reach a goal are those that one walks to from it.
        let mut reaches = vec![false; self.cells.len()];
        let mut frontier: Vec<usize> = (0..self.cells.len()).filter(|&i| self.cells[i] == Cell::Goal).collect();
        while let Some(cell) = frontier.pop() {
            for neighbour in Direction::ALL.into_iter().filter_map(|direction| self.neighbour(cell, direction)) {
                if self.cells[neighbour].is_floor() && !reaches[neighbour] {
                    reaches[neighbour] = true;
                    frontier.push(neighbour);
                }
            }
        }
        match self.starts.iter().find(|&&start| !reaches[start]) {
            None => Ok(()),
            Some(start) => {
                let (row, column) = self.row_column(*start);
                Err(MapError::UnreachableGoal { line: first + row + 1, column: column + 1 })
            }
        }
    }

    /// Refuses a limit of steps within which no luck leads from some start to a goal.
    pub(crate) fn check_limit(&self, limit: u32) -> Result<(), EnvError> {
        let ways = self.ways();
        let way = |start: usize| ways[start].unwrap_or(u32::MAX);
        match self.starts.iter().copied().max_by_key(|&start| way(start)).filter(|&start| way(start) > limit) {
            None => Ok(()),
            Some(start) => {
                let (row, column) = self.row_column(start);
                Err(EnvError::LimitTooShort { limit, way: way(start), row: row + 1, column: column + 1 })
            }
        }
    }

    /// The steps of the shortest way from each cell to a goal, with any luck: one that slips aside may be lucky, and so may
    /// one that a cliff sends to another start. `None` for what is no floor, and where no way leads.
    fn ways(&self) -> Vec<Option<u32>> {
        let mut ways = vec![None; self.cells.len()];
        let mut frontier: Vec<usize> = (0..self.cells.len()).filter(|&i| self.cells[i] == Cell::Goal).collect();
        let mut at_a_start = false;
        for steps in 0.. {
            if frontier.is_empty() {
                break;
            }
            if !at_a_start && frontier.iter().any(|&cell| self.cells[cell] == Cell::Start) {
                // Over a cliff is on this start.
                at_a_start = true;
                frontier.extend((0..self.cells.len()).filter(|&i| self.cells[i] == Cell::Cliff));
            }
            let mut next = Vec::new();
            for cell in frontier {
                for neighbour in Direction::ALL.into_iter().filter_map(|direction| self.neighbour(cell, direction)) {
                    if self.cells[neighbour].is_floor() && ways[neighbour].is_none() {
                        ways[neighbour] = Some(steps + 1);
                        next.push(neighbour);
                    }
                }
            }
            frontier = next;
        }
        ways
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.cells.len() / self.columns
    }

    /// The number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All cells by their index, row by row.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The indices of the cells on which episodes start, ascending; at least one.
    #[must_use]
    pub fn starts(&self) -> &[usize] {
        &self.starts
    }

    /// The row and the column of a cell.
    #[must_use]
    pub fn row_column(&self, cell: usize) -> (usize, usize) {
        (cell / self.columns, cell % self.columns)
    }

    /// The cell that a step in this direction enters; `None` at a wall and at the map's edge.
    pub(crate) fn neighbour(&self, cell: usize, direction: Direction) -> Option<usize> {
        let (row, column) = self.row_column(cell);
        let (row, column) = match direction {
            Direction::Up => (row.checked_sub(1)?, column),
            Direction::Right => (row, column + 1),
            Direction::Down => (row + 1, column),
            Direction::Left => (row, column.checked_sub(1)?),
        };
        let within = row < self.rows() && column < self.columns;
        let neighbour = row * self.columns + column;
        (within && self.cells[neighbour] != Cell::Wall).then_some(neighbour)
    }
}

/// `S`, `G`, ...
fn list(characters: impl Iterator<Item = char>) -> String {
    characters.map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ")
}
