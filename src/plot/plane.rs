//! A rectangle with an axis along two of its sides.

use plotters::style::text_anchor::{HPos, VPos};

use super::{
    PlotError,
    axis::Axis,
    paper::{AXIS, GRID, Paper, Pixel, TEXT},
};

type Drawn = Result<(), PlotError>;

/// Where numbers lie on a picture.
pub(super) struct Plane {
    pub(super) left_top: Pixel,
    pub(super) right_bottom: Pixel,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Plane {
    /// Where a point lies.
    pub(super) fn at(&self, x: f64, y: f64) -> Pixel {
        (self.across(x), self.down(y))
    }

    pub(super) fn across(&self, x: f64) -> i32 {
        let (left, right) = (self.left_top.0, self.right_bottom.0);
        left + (f64::from(right - left) * self.x.share(x)).round() as i32
    }

    pub(super) fn down(&self, y: f64) -> i32 {
        let (top, bottom) = (self.left_top.1, self.right_bottom.1);
        bottom - (f64::from(bottom - top) * self.y.share(y)).round() as i32
    }

    /// All four sides.
    pub(super) fn frame(&self, paper: &Paper<'_>) -> Drawn {
        paper.frame([self.left_top, self.right_bottom], AXIS)
    }

    /// Pale lines at the vertical axis's ticks.
    pub(super) fn horizontal_grid(&self, paper: &Paper<'_>) -> Drawn {
        let (left, right) = (self.left_top.0, self.right_bottom.0);
        self.y.ticks.iter().map(|&tick| self.down(tick)).try_for_each(|y| paper.hair(&[(left, y), (right, y)], GRID))
    }

    /// Pale lines at the horizontal axis's ticks.
    pub(super) fn vertical_grid(&self, paper: &Paper<'_>) -> Drawn {
        let (top, bottom) = (self.left_top.1, self.right_bottom.1);
        self.x.ticks.iter().map(|&tick| self.across(tick)).try_for_each(|x| paper.hair(&[(x, top), (x, bottom)], GRID))
    }

    /// The bottom side with its ticks; of their labels every so many that none touches the next.
    pub(super) fn x_axis(&self, paper: &Paper<'_>) -> Drawn {
        let em = |ems| paper.em(ems);
        let ((left, _), (right, bottom)) = (self.left_top, self.right_bottom);
        paper.hair(&[(left, bottom), (right, bottom)], AXIS)?;
        for &tick in &self.x.ticks {
            let x = self.across(tick);
            paper.hair(&[(x, bottom), (x, bottom + em(0.28))], AXIS)?;
        }
        let labels: Vec<(i32, String)> =
            self.x.ticks.iter().map(|&tick| (self.across(tick), self.x.label(tick))).collect();
        let half = |label: &str| paper.letters.width(label, 1.0) / 2 + em(0.2);
        let touch = |pair: &[&(i32, String)]| matches!(pair, [a, b] if a.0 + half(&a.1) > b.0 - half(&b.1));
        let every = (1..labels.len()).find(|&every| {
            let kept: Vec<&(i32, String)> = labels.iter().step_by(every).collect();
            !kept.windows(2).any(touch)
        });
        for (x, label) in labels.iter().step_by(every.unwrap_or(labels.len()).max(1)) {
            let room = right - left + em(4.0);
            paper.write(label, (1.0, TEXT), (*x, bottom + em(0.45)), (HPos::Center, VPos::Top), room)?;
        }
        Ok(())
    }

    /// The left side with its ticks, and what they are called where there is room on its left.
    pub(super) fn y_axis(&self, paper: &Paper<'_>, labelled: bool) -> Drawn {
        let em = |ems| paper.em(ems);
        let ((left, top), (_, bottom)) = (self.left_top, self.right_bottom);
        paper.hair(&[(left, top), (left, bottom)], AXIS)?;
        for &tick in &self.y.ticks {
            let y = self.down(tick);
            paper.hair(&[(left - em(0.28), y), (left, y)], AXIS)?;
            if labelled {
                let anchor = (HPos::Right, VPos::Center);
                paper.write(&self.y.label(tick), (1.0, TEXT), (left - em(0.45), y), anchor, left)?;
            }
        }
        Ok(())
    }
}

/// What stands below a horizontal axis, or several, that reach from `left` to `right` and end at `bottom`.
pub(super) fn x_name(paper: &Paper<'_>, name: &str, (left, right): (i32, i32), bottom: i32) -> Drawn {
    let below = ((left + right) / 2, bottom + paper.em(1.75));
    paper.write(name, (1.0, TEXT), below, (HPos::Center, VPos::Top), right - left)
}

/// What stands at the picture's left edge along a vertical axis, or several, from `top` to `bottom`.
pub(super) fn y_name(paper: &Paper<'_>, name: &str, (top, bottom): (i32, i32)) -> Drawn {
    paper.write_upright(name, (paper.em(0.7), (top + bottom) / 2), VPos::Top, bottom - top)
}
