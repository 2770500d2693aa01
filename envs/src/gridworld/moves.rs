//! Where a move goes, and how likely.

use super::{GridWorldConfig, Push};
use crate::{Cell, Map, map::Direction};

/// The moves of a grid world, the slips that they may make and the wind that carries them.
///
/// A move enters the next cell, or stays where that is a wall or past the edge. Then the wind of the column in which it began
/// carries it up, a cell at a time until a wall or the edge; a step down is one cell less of that. What is flown over counts
/// for nothing. On a map without walls this is Sutton and Barto 2018, example 6.5.
#[derive(Debug, Clone)]
pub(super) struct Moves {
    count: usize,
    slip: f64,
    wind: Vec<u32>,
    is_stochastic: bool,
}

impl Moves {
    pub(super) fn new(config: &GridWorldConfig) -> Self {
        let GridWorldConfig { moves, slip, stochastic_wind, .. } = *config;
        Self { count: moves.count(), slip, wind: config.wind.clone(), is_stochastic: stochastic_wind }
    }

    /// All moves, each at the index of its action.
    pub(super) fn all(&self) -> &'static [Direction] {
        &Direction::ALL[..self.count]
    }

    /// What may become of a move that begins in this column: a direction, a wind, and how likely.
    ///
    /// The order is that of the outcomes of Gymnasium's slippery environments, the direction to the left of the action, itself,
    /// the one to its right, and so is the one that a random number picks; in each, the wind from weak to strong.
    pub(super) fn chances(
        &self,
        column: usize,
        action: Direction,
    ) -> impl Iterator<Item = (Direction, u32, f64)> + Clone + use<> {
        let aside = self.slip / 2.0;
        let directions = [(action.turned(3), aside), (action, 1.0 - self.slip), (action.turned(1), aside)];
        let winds = self.winds(column);
        directions
            .into_iter()
            .flat_map(move |(direction, p)| winds.clone().map(move |(wind, q)| (direction, wind, p * q)))
    }

    /// How strong the wind of a column may be, and how likely: as it is said, or with 1 less and 1 more, each of the three as
    /// likely. Sutton and Barto 2018, exercise 6.10.
    fn winds(&self, column: usize) -> impl Iterator<Item = (u32, f64)> + Clone + use<> {
        let wind = self.wind.get(column).copied().unwrap_or(0);
        let (least, count) = if self.is_stochastic && wind > 0 { (wind - 1, 3) } else { (wind, 1) };
        let share = 1.0 / f64::from(count);
        (0..count).map(move |i| (least.saturating_add(i), share))
    }

    /// The cell that a move from this one ends on, where no box is in the way.
    pub(super) fn end(map: &Map, cell: usize, direction: Direction, wind: u32) -> usize {
        let (direction, wind) = against(direction, wind);
        let mut cell = map.neighbour(cell, direction).unwrap_or(cell);
        for _ in 0..wind {
            match map.neighbour(cell, Direction::Up) {
                Some(above) => cell = above,
                None => break,
            }
        }
        cell
    }

    /// The same among boxes, and the one that it pushes. Wind pushes none: it stops at one as at a wall.
    pub(super) fn end_among(
        map: &Map,
        boxes: &[usize],
        cell: usize,
        direction: Direction,
        wind: u32,
    ) -> (usize, Option<Push>) {
        let (direction, wind) = against(direction, wind);
        let (mut cell, push) = Push::step(map, boxes, cell, direction).unwrap_or((cell, None));
        let is_box = |cell| boxes.contains(&cell) || push.is_some_and(|push| push.ends_on(cell));
        for _ in 0..wind {
            match map.neighbour(cell, Direction::Up).filter(|&above| !is_box(above)) {
                Some(above) => cell = above,
                None => break,
            }
        }
        (cell, push)
    }

    /// The cells that a step may lead to with any luck, from those on which an episode goes on; boxes are in nobody's way.
    pub(super) fn steps<'a>(
        &'a self,
        map: &'a Map,
        goes_on: impl Fn(Cell) -> bool + 'a,
    ) -> impl Fn(usize, &mut dyn FnMut(usize)) + 'a {
        move |cell, lead| {
            if goes_on(map.cells()[cell]) {
                for &direction in self.all() {
                    for (wind, _) in self.winds(map.row_column(cell).1) {
                        lead(Self::end(map, cell, direction, wind));
                    }
                }
            }
        }
    }
}

/// A move and the wind that is left to carry it: a step down goes against one cell of it.
fn against(direction: Direction, wind: u32) -> (Direction, u32) {
    match wind.checked_sub(1) {
        None => (direction, 0),
        Some(less) => match direction {
            Direction::Down => (Direction::Stay, less),
            Direction::DownRight => (Direction::Right, less),
            Direction::DownLeft => (Direction::Left, less),
            other => (other, wind),
        },
    }
}
