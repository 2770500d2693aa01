//! What is seen of a grid world, by an agent and by people.

use super::{Boxes, GridObservation, Place};
use crate::{Cell, Colour, Drawing, Map, Shape, Space};

/// What an agent sees.
#[derive(Debug)]
pub(super) struct View {
    form: GridObservation,
    /// Whether the goal is drawn, and so shown.
    has_goal: bool,
    /// How many boxes there are.
    boxes: usize,
    /// The image without walker, drawn goal and boxes, where that is what is shown.
    background: Vec<f32>,
}

impl View {
    pub(super) fn new(map: &Map, rules: &Boxes, form: GridObservation, has_goal: bool) -> Self {
        let view = Self { form, has_goal, boxes: rules.first().len(), background: Vec::new() };
        if form != GridObservation::Image {
            return view;
        }
        let mut background = vec![0.0; map.cells().len() * view.channels()];
        for (cell, pixel) in background.chunks_exact_mut(view.channels()).enumerate() {
            match map.cells()[cell] {
                Cell::Wall => pixel[1] = 1.0,
                Cell::Goal | Cell::OwnGoal(_) => pixel[2] = 1.0,
                Cell::Pit | Cell::Cliff => pixel[3] = 1.0,
                Cell::Floor | Cell::Start | Cell::Reward(_) | Cell::Box => {}
            }
            if view.boxes > 0 && rules.is_target(cell) {
                pixel[2] = 1.0;
            }
        }
        Self { background, ..view }
    }

    /// What is shown by a plane of its own: the walker, a goal that is drawn, and boxes.
    fn parts(&self) -> usize {
        1 + usize::from(self.has_goal) + usize::from(self.boxes > 0)
    }

    /// The numbers of a pixel.
    fn channels(&self) -> usize {
        3 + self.parts()
    }

    /// What all observations are.
    pub(super) fn space(&self, map: &Map) -> Space {
        match self.form {
            GridObservation::OneHot => Space::uniform_box(self.parts() * map.cells().len(), 0.0, 1.0),
            GridObservation::RowColumn => {
                Space::uniform_box(2 * (1 + usize::from(self.has_goal) + self.boxes), 0.0, 1.0)
            }
            GridObservation::Image => {
                Space::Image { height: map.rows(), width: map.columns(), channels: self.channels(), max: 1 }
            }
        }
    }

    /// Writes the observation of a place, `[D]`.
    pub(super) fn show(&self, map: &Map, at: Place, boxes: &[usize], observation: &mut [f32]) {
        match self.form {
            GridObservation::OneHot => {
                observation.fill(0.0);
                observation[at.cell] = 1.0;
                if let Some(goal) = at.goal {
                    observation[map.cells().len() + goal] = 1.0;
                }
                for cell in boxes {
                    observation[(self.parts() - 1) * map.cells().len() + cell] = 1.0;
                }
            }
            GridObservation::RowColumn => {
                let scaled = |index: usize, len: usize| index as f32 / (len - 1).max(1) as f32;
                let shown = [Some(at.cell), at.goal].into_iter().flatten().chain(boxes.iter().copied());
                for (numbers, cell) in observation.chunks_exact_mut(2).zip(shown) {
                    let (row, column) = map.row_column(cell);
                    numbers.copy_from_slice(&[scaled(row, map.rows()), scaled(column, map.columns())]);
                }
            }
            GridObservation::Image => {
                let channels = self.channels();
                observation.copy_from_slice(&self.background);
                observation[at.cell * channels] = 1.0;
                if let Some(goal) = at.goal {
                    observation[goal * channels + 4] = 1.0;
                }
                boxes.iter().for_each(|cell| observation[(cell + 1) * channels - 1] = 1.0);
            }
        }
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

    /// The same with boxes on it and dots where a box pays, below the last shape, which is the walker.
    pub(super) fn with_boxes(mut self, map: &Map, rules: &Boxes, boxes: &[usize]) -> Self {
        let corner = |cell| {
            let (row, column) = map.row_column(cell);
            (column as f32, row as f32)
        };
        let dot = |cell| {
            let (x, y) = corner(cell);
            Shape::Disc { centre: (x + 0.5, y + 0.5), radius: 0.15, colour: Colour(205, 90, 60) }
        };
        let crate_on = |&cell: &usize| {
            let (x, y) = corner(cell);
            let colour = if rules.is_target(cell) { Colour(120, 70, 30) } else { Colour(190, 135, 75) };
            Shape::rectangle(x + 0.12, y + 0.12, x + 0.88, y + 0.88, colour)
        };
        let walker = self.shapes.pop();
        self.shapes.extend((0..map.cells().len()).filter(|&cell| rules.is_target(cell)).map(dot));
        self.shapes.extend(boxes.iter().map(crate_on));
        self.shapes.extend(walker);
        self
    }
}

const GOAL: Colour = Colour(80, 180, 90);

/// What a cell looks like; floor shows the background.
fn colour(cell: Cell) -> Option<Colour> {
    match cell {
        Cell::Floor | Cell::Box => None,
        Cell::Start => Some(Colour(200, 215, 240)),
        Cell::Goal | Cell::OwnGoal(_) => Some(GOAL),
        Cell::Wall => Some(Colour(60, 60, 60)),
        Cell::Pit => Some(Colour(150, 40, 40)),
        Cell::Cliff => Some(Colour(220, 140, 70)),
        Cell::Reward(reward) if reward < 0.0 => Some(Colour(245, 205, 205)),
        Cell::Reward(_) => Some(Colour(240, 225, 150)),
    }
}
