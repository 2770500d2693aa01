//! A grid of cells, read from text.

mod direction;
mod error;
mod letters;
mod ways;

pub(crate) use direction::Direction;
pub use error::MapError;
pub use letters::{Cell, Letters};

/// A rectangle of cells with at least one start.
///
/// A cell's index is `row * columns + column`, rows from the top and columns from the left, both from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    columns: usize,
    cells: Vec<Cell>,
    starts: Vec<usize>,
    /// Empty lines before it in its text.
    first: usize,
}

impl Map {
    /// The most cells of a map.
    ///
    /// What an observation of one number a cell and an exact model take ends sooner: a run says what it would need, and a
    /// model, too.
    pub const MAX_CELLS: usize = 1 << 20;

    /// Reads a map: a line a row, a character a cell, in these [`Letters`]. Empty lines before and after it are left out. From
    /// each start a goal can be walked to, in steps to the four sides.
    ///
    /// # Errors
    /// A [`MapError`] that says what is wrong and where.
    pub fn parse(text: &str, letters: &Letters) -> Result<Map, MapError> {
        let map = Self::read(text, letters, "", "")?;
        if map.starts.is_empty() {
            return Err(MapError::NoStart { known: letters.of("starts", |cell| cell == Cell::Start) });
        }
        if map.goals().is_empty() {
            return Err(MapError::NoGoal { known: letters.of("goals", Cell::is_goal) });
        }
        map.check_goals(map.walk())?;
        Ok(map)
    }

    /// The same without asking for starts, goals and ways between them. `blank` and `unknown` are what else may be done about
    /// such characters.
    pub(crate) fn read(
        text: &str,
        letters: &Letters,
        blank: &'static str,
        unknown: &'static str,
    ) -> Result<Map, MapError> {
        let lines: Vec<&str> = text.lines().collect();
        let first = lines.iter().position(|line| !line.is_empty()).ok_or(MapError::Empty)?;
        let last = lines.iter().rposition(|line| !line.is_empty()).ok_or(MapError::Empty)?;
        let lines = &lines[first..=last];
        let widths: Vec<usize> = lines.iter().map(|line| line.chars().count()).collect();
        let (rows, longest, columns) = (lines.len(), widths.iter().copied().max().unwrap_or(0), widths[0]);
        if rows.saturating_mul(longest) > Self::MAX_CELLS {
            return Err(MapError::TooLarge { rows, columns: longest });
        }
        // Before the lengths: a blank at a line's end makes that one too long.
        for (line, text) in (first + 1..).zip(lines) {
            let is_blank = |c: char| c.is_whitespace() && letters.read(c).is_none();
            if let Some((column, character)) = text.chars().enumerate().find(|&(_, c)| is_blank(c)) {
                let hint = if character == ' ' { blank } else { "; it is no space, which alone can be declared" };
                return Err(MapError::Blank { line, column: column + 1, hint });
            }
        }
        if let Some(row) = widths.iter().position(|&width| width != columns) {
            // The odd one is what fewer rows are as long as.
            let mut rows_of = std::collections::BTreeMap::<usize, usize>::new();
            widths.iter().for_each(|&width| *rows_of.entry(width).or_default() += 1);
            let most = |most, width: &usize| if rows_of[width] > rows_of[&most] { *width } else { most };
            let expected = widths.iter().fold(columns, most);
            let row = if expected == columns { row } else { 0 };
            return Err(MapError::Ragged { line: first + row + 1, expected, got: widths[row] });
        }

        let mut cells = Vec::with_capacity(rows * columns);
        for (row, line) in lines.iter().enumerate() {
            for (column, character) in line.chars().enumerate() {
                let cell = letters.read(character).ok_or_else(|| MapError::UnknownCharacter {
                    character,
                    line: first + row + 1,
                    column: column + 1,
                    known: letters.known(),
                    hint: unknown,
                })?;
                cells.push(cell);
            }
        }
        let starts = (0..cells.len()).filter(|&i| cells[i] == Cell::Start).collect();
        Ok(Map { columns, cells, starts, first })
    }

    /// The same where episodes start on any floor but that of an own reward.
    pub(crate) fn with_starts_anywhere(self) -> Self {
        Self { starts: self.free(), ..self }
    }

    /// The cells of floor without a reward of their own, ascending.
    pub(crate) fn free(&self) -> Vec<usize> {
        self.all(|cell| matches!(cell, Cell::Floor | Cell::Start))
    }

    /// The cells that are goals, ascending.
    pub(crate) fn goals(&self) -> Vec<usize> {
        self.all(Cell::is_goal)
    }

    fn all(&self, is_meant: impl Fn(Cell) -> bool) -> Vec<usize> {
        (0..self.cells.len()).filter(|&i| is_meant(self.cells[i])).collect()
    }

    /// Steps to the four sides, from floor to what is no wall.
    pub(crate) fn walk(&self) -> impl Fn(usize, &mut dyn FnMut(usize)) {
        |cell, lead| {
            if self.cells[cell].is_floor() {
                Direction::SIDES.into_iter().filter_map(|side| self.neighbour(cell, side)).for_each(lead);
            }
        }
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

    /// The line and the column of a cell in the text, both from 1.
    fn line_column(&self, cell: usize) -> (usize, usize) {
        let (row, column) = self.row_column(cell);
        (self.first + row + 1, column + 1)
    }

    /// The cell that a step in this direction enters; `None` at a wall and at the map's edge.
    pub(crate) fn neighbour(&self, cell: usize, direction: Direction) -> Option<usize> {
        let (row, column) = self.row_column(cell);
        let (down, right) = direction.offsets();
        let (row, column) = (row.checked_add_signed(down)?, column.checked_add_signed(right)?);
        let within = row < self.rows() && column < self.columns;
        let neighbour = row * self.columns + column;
        (within && self.cells[neighbour] != Cell::Wall).then_some(neighbour)
    }
}
