//! Why a text is no map.

use thiserror::Error;

use crate::{Map, counted};

/// Why a text is no map. Lines and columns count from 1, in the text as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MapError {
    /// No cell at all.
    #[error("the map is empty: it needs at least a start `S` and a goal `G`")]
    Empty,
    /// More cells than [`Map::MAX_CELLS`].
    #[error(
        "the map has {} and {}: at most {} cells are allowed, such as 1024 rows and columns",
        counted(rows, "row"),
        counted(columns, "column"),
        Map::MAX_CELLS
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
    /// A blank that is not declared, where a reader of the map sees nothing.
    #[error(
        "line {line}, column {column} of the map is a blank: leave it out, or write `.` for floor and `#` for wall{}",
        hint
    )]
    Blank {
        /// Its line.
        line: usize,
        /// Its column.
        column: usize,
        /// What else may be done, or nothing.
        hint: &'static str,
    },
    /// A character that means nothing.
    #[error("line {line}, column {column} of the map holds {character:?}, which is no cell; known are {known}{hint}")]
    UnknownCharacter {
        /// The character.
        character: char,
        /// Its line.
        line: usize,
        /// Its column.
        column: usize,
        /// The characters that mean something on this map.
        known: String,
        /// What declares others, or nothing.
        hint: &'static str,
    },
    /// A character is declared that cannot be a cell, or stands for something else.
    #[error("{argument} declares {character:?}: take a visible character{}{known}", if known.is_empty() { "" } else { " other than " })]
    Reserved {
        /// What declares it.
        argument: &'static str,
        /// The character.
        character: char,
        /// The characters that are taken.
        known: String,
    },
    /// No cell to start on.
    #[error("the map has no start: mark at least one cell with {known}")]
    NoStart {
        /// The characters that stand for one.
        known: String,
    },
    /// No cell to end on.
    #[error("the map has no goal: mark at least one cell with {known}")]
    NoGoal {
        /// The characters that stand for one.
        known: String,
    },
    /// A start from which no goal can be walked to.
    #[error(
        "no goal can be reached from the start at line {line}, column {column} of the map: no way leads through a wall, a pit, which ends the episode, or a cliff, which sends back to a start"
    )]
    UnreachableGoal {
        /// The line of the start.
        line: usize,
        /// Its column.
        column: usize,
    },
    /// A cell from which not all others can be walked to, or that not all others lead to, where goals are drawn.
    #[error(
        "not every goal can be reached from every start: no way leads {} line {line}, column {column} of the map, and a goal may be drawn anywhere; make a wall of what nobody comes to",
        if *from { "from" } else { "to" }
    )]
    Apart {
        /// Whether it is a start that leads nowhere, or a goal that nothing leads to.
        from: bool,
        /// The line of the cell.
        line: usize,
        /// Its column.
        column: usize,
    },
}
