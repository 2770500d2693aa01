//! What is seen of a grid world, by an agent and by people.

use super::{GridObservation, Place};
use crate::{Cell, Colour, Drawing, Map, Shape, Space};

/// What an agent sees.
#[derive(Debug)]
pub(super) struct View {
    form: GridObservation,
    /// Whether the goal is drawn, and so shown.
    has_goal: bool,
    /// The image without walker and goal, where that is what is shown.
    background: Vec<f32>,
}

impl View {
    pub(super) fn new(map: &Map, form: GridObservation, has_goal: bool) -> Self {
        let channels = 4 + usize::from(has_goal);
        let background = match form {
            GridObservation::Image => {
                map.cells().iter().flat_map(|&cell| planes(cell).into_iter().take(channels)).collect()
            }
            _ => Vec::new(),
        };
        Self { form, has_goal, background }
    }

    /// What all observations are.
    pub(super) fn space(&self, map: &Map) -> Space {
        let parts = if self.has_goal { 2 } else { 1 };
        match self.form {
            GridObservation::OneHot => Space::uniform_box(parts * map.cells().len(), 0.0, 1.0),
            GridObservation::RowColumn => Space::uniform_box(2 * parts, 0.0, 1.0),
            GridObservation::Image => {
                Space::Image { height: map.rows(), width: map.columns(), channels: 3 + parts, max: 1 }
            }
        }
    }

    /// Writes the observation of a place, `[D]`.
    pub(super) fn show(&self, map: &Map, at: Place, observation: &mut [f32]) {
        match self.form {
            GridObservation::OneHot => {
                observation.fill(0.0);
                observation[at.cell] = 1.0;
                if let Some(goal) = at.goal {
                    observation[map.cells().len() + goal] = 1.0;
                }
            }
            GridObservation::RowColumn => {
                let scaled = |index: usize, len: usize| index as f32 / (len - 1).max(1) as f32;
                for (numbers, cell) in
                    observation.chunks_exact_mut(2).zip([Some(at.cell), at.goal].into_iter().flatten())
                {
                    let (row, column) = map.row_column(cell);
                    numbers.copy_from_slice(&[scaled(row, map.rows()), scaled(column, map.columns())]);
                }
            }
            GridObservation::Image => {
                let channels = if self.has_goal { 5 } else { 4 };
                observation.copy_from_slice(&self.background);
                observation[at.cell * channels] = 1.0;
                if let Some(goal) = at.goal {
                    observation[goal * channels + 4] = 1.0;
                }
            }
        }
    }
}

/// A cell's channels of an image, without the walker and a goal that is drawn.
fn planes(cell: Cell) -> [f32; 5] {
    match cell {
        Cell::Floor | Cell::Start | Cell::Reward(_) => [0.0; 5],
        Cell::Wall => [0.0, 1.0, 0.0, 0.0, 0.0],
        Cell::Goal | Cell::OwnGoal(_) => [0.0, 0.0, 1.0, 0.0, 0.0],
        Cell::Pit | Cell::Cliff => [0.0, 0.0, 0.0, 1.0, 0.0],
    }
}

/// A map from above, one unit a cell, with the walker as a blue disc; with a goal that is drawn, the others are pale.
pub(crate) fn picture(map: &Map, position: usize, goal: Option<usize>) -> Drawing {
    let corner = |cell| {
        let (row, column) = map.row_column(cell);
        (column as f32, row as f32)
    };
    let mut shapes: Vec<Shape> = (0..map.cells().len())
        .filter_map(|cell| {
            let (x, y) = corner(cell);
            let colour = match map.cells()[cell] {
                _ if goal == Some(cell) => GOAL,
                kind if kind.is_goal() && goal.is_some() => Colour(205, 230, 205),
                kind => colour(kind)?,
            };
            Some(Shape::rectangle(x, y, x + 1.0, y + 1.0, colour))
        })
        .collect();
    let (x, y) = corner(position);
    shapes.push(Shape::Disc { centre: (x + 0.5, y + 0.5), radius: 0.35, colour: Colour(30, 90, 200) });
    Drawing { width: map.columns() as f32, height: map.rows() as f32, background: Colour(245, 245, 245), shapes }
}

impl Drawing {
    /// The same over columns that are the bluer the stronger their wind.
    pub(super) fn over_wind(mut self, wind: &[u32]) -> Self {
        let column = |(x, &strength): (usize, &u32)| {
            let less = (15 * strength.min(6)) as u8;
            let colour = Colour(235 - less, 240 - less / 2, 250);
            Shape::rectangle(x as f32, 0.0, x as f32 + 1.0, self.height, colour)
        };
        let windy = wind.iter().enumerate().filter(|(_, strength)| **strength > 0);
        let mut shapes: Vec<Shape> = windy.map(column).collect();
        shapes.append(&mut self.shapes);
        Self { shapes, ..self }
    }
}

const GOAL: Colour = Colour(80, 180, 90);

/// What a cell looks like; floor shows the background.
fn colour(cell: Cell) -> Option<Colour> {
    match cell {
        Cell::Floor => None,
        Cell::Start => Some(Colour(200, 215, 240)),
        Cell::Goal | Cell::OwnGoal(_) => Some(GOAL),
        Cell::Wall => Some(Colour(60, 60, 60)),
        Cell::Pit => Some(Colour(150, 40, 40)),
        Cell::Cliff => Some(Colour(220, 140, 70)),
        Cell::Reward(reward) if reward < 0.0 => Some(Colour(245, 205, 205)),
        Cell::Reward(_) => Some(Colour(240, 225, 150)),
    }
}
