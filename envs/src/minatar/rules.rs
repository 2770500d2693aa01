//! What one game of MinAtar is to the environment around it.

use std::ops::RangeInclusive;

use crate::{Colour, NumpyRng};

use super::board::{Board, SIDE};

/// What the player may do, in MinAtar's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Stay,
    Left,
    Up,
    Right,
    Down,
    Fire,
}

impl Move {
    /// All of them, in MinAtar's order.
    pub(super) const ALL: &'static [Move] = &[Move::Stay, Move::Left, Move::Up, Move::Right, Move::Down, Move::Fire];

    /// How far it goes to the right.
    pub(super) fn across(self) -> i8 {
        i8::from(self == Move::Right) - i8::from(self == Move::Left)
    }

    /// How far it goes down.
    pub(super) fn down(self) -> i8 {
        i8::from(self == Move::Down) - i8::from(self == Move::Up)
    }
}

/// Where a game's chance comes from.
pub trait Chance {
    /// One of `0..n`, each as likely.
    fn below(&mut self, n: u32) -> u32;

    /// One of two.
    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

impl Chance for NumpyRng {
    fn below(&mut self, n: u32) -> u32 {
        (self.random() * f64::from(n)) as u32
    }
}

/// The state of a game and its rules.
pub trait Rules: Copy + Send + 'static {
    /// What MinAtar calls it.
    const NAME: &'static str;
    /// The moves that do something in it, in MinAtar's order; it takes any other for none.
    const MOVES: &'static [Move];
    /// The colour of each channel of its image.
    const CHANNELS: &'static [Colour];
    /// Whether it can get harder with time.
    const RAMPS: bool;

    /// The state that an episode starts in.
    fn start(chance: &mut impl Chance) -> Self;

    /// Plays a frame. Returns its reward, and whether it ended the game.
    fn advance(&mut self, action: Move, ramping: bool, chance: &mut impl Chance) -> (i32, bool);

    /// Paints what is to be seen.
    fn show(&self, picture: &mut Picture<'_>);

    /// Appends the state.
    fn save(&self, state: &mut Vec<u64>);

    /// The state of these words, if they are one.
    fn restore(words: &mut Words<'_>) -> Option<Self>;
}

/// An image, `[10, 10, C]`.
pub struct Picture<'a> {
    pixels: &'a mut [f32],
    channels: usize,
}

impl<'a> Picture<'a> {
    /// One on which nothing is.
    pub(super) fn new(pixels: &'a mut [f32], channels: usize) -> Self {
        pixels.fill(0.0);
        Self { pixels, channels }
    }

    /// Something on a cell; beyond the left and the right side there is nothing to be seen.
    pub(super) fn set(&mut self, row: u8, column: i8, channel: usize) {
        if on_screen(column) {
            self.pixels[(usize::from(row) * SIDE + column as usize) * self.channels + channel] = 1.0;
        }
    }

    /// Something on each of these cells.
    pub(super) fn board(&mut self, board: Board, channel: usize) {
        board.cells().for_each(|cell| self.pixels[cell * self.channels + channel] = 1.0);
    }
}

/// Whether a column is one of the screen's.
pub(super) fn on_screen(column: i8) -> bool {
    (0..SIDE as i8).contains(&column)
}

/// A column or row moved, but not past these.
pub(super) fn moved(place: u8, by: i8, within: RangeInclusive<i8>) -> u8 {
    (place as i8 + by).clamp(*within.start(), *within.end()) as u8
}

/// Appends small numbers to a saved state.
pub(super) fn put<const N: usize>(state: &mut Vec<u64>, numbers: [i64; N]) {
    state.extend(numbers.map(|x| x as u64));
}

/// Appends a board.
pub(super) fn put_board(state: &mut Vec<u64>, board: Board) {
    state.extend([board.0 as u64, (board.0 >> 64) as u64]);
}

/// A saved state, read from its beginning; `None` where it is none.
pub struct Words<'a>(&'a [u64]);

impl<'a> Words<'a> {
    pub(super) fn new(words: &'a [u64]) -> Self {
        Self(words)
    }

    /// What has not been read.
    pub(super) fn rest(self) -> &'a [u64] {
        self.0
    }

    fn word(&mut self) -> Option<u64> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    pub(super) fn number<T: TryFrom<i64>>(&mut self, within: RangeInclusive<i64>) -> Option<T> {
        let number = self.word()? as i64;
        T::try_from(number).ok().filter(|_| within.contains(&number))
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        self.number::<u8>(0..=1).map(|flag| flag == 1)
    }

    pub(super) fn board(&mut self) -> Option<Board> {
        let (low, high) = (self.word()?, self.word()?);
        Board::of_bits(u128::from(high) << 64 | u128::from(low))
    }
}
