//! A function of two numbers, sampled on a grid, and its contours.

use super::{PlotError, check, drawable};

/// Which end of a landscape is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// The bottom: a loss.
    Lowest,
    /// The top: a return.
    Highest,
}

/// A function of two numbers on a rectangle, known on a grid and bilinear between.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscape {
    x: (f64, f64),
    y: (f64, f64),
    columns: usize,
    /// `[rows, columns]`, the lowest y first.
    values: Vec<f64>,
    goal: Goal,
}

impl Landscape {
    /// Samples `f(x, y)` on `columns × rows` points of a rectangle, corners included.
    ///
    /// # Errors
    /// A [`PlotError`] if a side has no length or fewer than two points, or a value is not a finite number within 1e100
    /// of zero; and what `f` fails with.
    pub fn sample<E: From<PlotError>>(
        x: (f64, f64),
        y: (f64, f64),
        (columns, rows): (usize, usize),
        goal: Goal,
        mut f: impl FnMut(f64, f64) -> Result<f64, E>,
    ) -> Result<Landscape, E> {
        let that = |holds, reason| check::that(holds, "the landscape", reason);
        let sides = x.0 < x.1 && y.0 < y.1 && [x.0, x.1, y.0, y.1].into_iter().all(drawable);
        that(sides, "its sides must be finite, and begin before they end")?;
        that(columns > 1 && rows > 1, "it needs two points a side")?;
        let mut values = Vec::new();
        let room = columns.checked_mul(rows).is_some_and(|count| values.try_reserve_exact(count).is_ok());
        that(room, "it has more points than memory holds")?;
        for row in 0..rows {
            for column in 0..columns {
                values.push(f(place(x, column, columns), place(y, row, rows))?);
            }
        }
        that(values.iter().copied().all(drawable), "a value is not a finite number within 1e100 of zero")?;
        Ok(Landscape { x, y, columns, values, goal })
    }

    /// From where to where x goes.
    #[must_use]
    pub fn x(&self) -> (f64, f64) {
        self.x
    }

    /// From where to where y goes.
    #[must_use]
    pub fn y(&self) -> (f64, f64) {
        self.y
    }

    /// Which end is good.
    #[must_use]
    pub fn goal(&self) -> Goal {
        self.goal
    }

    /// Its value at a point, which is moved into the rectangle.
    #[must_use]
    pub fn value(&self, x: f64, y: f64) -> f64 {
        let along = |(from, to): (f64, f64), at: f64, count: usize| {
            let place = ((at - from) / (to - from)).clamp(0.0, 1.0) * (count - 1) as f64;
            let cell = (place.floor() as usize).min(count - 2);
            (cell, place - cell as f64)
        };
        let rows = self.values.len() / self.columns;
        let ((column, right), (row, up)) = (along(self.x, x, self.columns), along(self.y, y, rows));
        let [a, b, c, d] = self.corners(column, row);
        (1.0 - up) * ((1.0 - right) * a + right * b) + up * ((1.0 - right) * d + right * c)
    }

    /// At most `bands − 1` levels, rising, between which lie bands: small ones at the good end, so that the way there
    /// is seen however steep the rest is. Fewer where the landscape is flat.
    #[must_use]
    pub fn levels(&self, bands: usize) -> Vec<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let last = (sorted.len() - 1) as f64;
        let share = |i: usize| {
            // From the good end a band's share of the area rises; 1.6 makes the first of 16 a hundredth.
            let share = (i as f64 / bands as f64).powf(1.6);
            if self.goal == Goal::Lowest { share } else { 1.0 - share }
        };
        let mut levels: Vec<f64> = (1..bands).map(|i| sorted[(share(i) * last).round() as usize]).collect();
        levels.sort_by(f64::total_cmp);
        let span = sorted[sorted.len() - 1] - sorted[0];
        levels.dedup_by(|b, a| *b - *a <= span * 1e-6);
        levels.retain(|&level| level > sorted[0]);
        levels
    }

    /// The line on which the landscape has this value, as pieces from one edge of a grid cell to another: marching squares.
    ///
    /// Lorensen and Cline 1987, in two dimensions, <https://doi.org/10.1145/37402.37422>. Of a saddle's two ways the one
    /// that the mean of the corners says.
    #[must_use]
    pub fn contour(&self, level: f64) -> Vec<[(f64, f64); 2]> {
        let rows = self.values.len() / self.columns;
        let (right, up) = (|i| place(self.x, i, self.columns), |i| place(self.y, i, rows));
        let mut pieces = Vec::new();
        for (row, column) in (0..rows - 1).flat_map(|row| (0..self.columns - 1).map(move |column| (row, column))) {
            let values = self.corners(column, row);
            let ([left, right], [bottom, top]) = ([column, column + 1].map(right), [row, row + 1].map(up));
            let places = [(left, bottom), (right, bottom), (right, top), (left, top)];
            let above = values.map(|value| value >= level);
            // Edge i goes from corner i to the next; those with ends on either side of the level are crossed.
            let crossing = |i: usize| {
                let j = (i + 1) % 4;
                let t = (level - values[i]) / (values[j] - values[i]);
                let ((x0, y0), (x1, y1)) = (places[i], places[j]);
                (above[i] != above[j]).then_some((x0 + t * (x1 - x0), y0 + t * (y1 - y0)))
            };
            match *(0..4).filter_map(crossing).collect::<Vec<_>>() {
                [a, b] => pieces.push([a, b]),
                [a, b, c, d] => {
                    let high_middle = values.iter().sum::<f64>() / 4.0 >= level;
                    // Corners that differ from the middle are cut off one by one.
                    pieces.extend(if above[0] == high_middle { [[a, b], [c, d]] } else { [[d, a], [b, c]] });
                }
                _ => {}
            }
        }
        pieces
    }

    /// The values around a cell, against the clock from the bottom left.
    fn corners(&self, column: usize, row: usize) -> [f64; 4] {
        let at = |column, row| self.values[row * self.columns + column];
        [at(column, row), at(column + 1, row), at(column + 1, row + 1), at(column, row + 1)]
    }
}

/// Where one of so many points along a side is.
fn place((from, to): (f64, f64), i: usize, count: usize) -> f64 {
    from + (to - from) * i as f64 / (count - 1) as f64
}

#[cfg(test)]
mod tests;
