//! Labels beside points, none over another or over a point.

use super::paper::Pixel;

/// A rectangle: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

impl Area {
    /// So far around a point in each direction.
    pub(super) fn around((x, y): Pixel, across: i32, down: i32) -> Area {
        Area { left: x - across, top: y - down, right: x + across, bottom: y + down }
    }

    pub(super) fn centre(&self) -> Pixel {
        ((self.left + self.right) / 2, (self.top + self.bottom) / 2)
    }

    fn meets(&self, other: &Area) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn holds(&self, other: &Area) -> bool {
        self.left <= other.left && self.top <= other.top && self.right >= other.right && self.bottom >= other.bottom
    }

    /// The point of it that is nearest to another.
    pub(super) fn nearest(&self, (x, y): Pixel) -> Pixel {
        (x.clamp(self.left, self.right), y.clamp(self.top, self.bottom))
    }
}

/// The places of labels of these widths beside their points, within `bounds`; `None` if one finds none.
///
/// Each label, in order, takes the first place that is free on rings around its point, from the `first`-th on, which are
/// `step` apart: right, left, above, below, and between. It is free if it meets no label that has its place, none of the
/// `obstacles`, and, if `clear_ways`, if the way from it to its point crosses no label.
pub(super) fn place(
    labels: &[(Pixel, i32)],
    height: i32,
    obstacles: &[Area],
    bounds: Area,
    (first, step): (i32, i32),
    clear_ways: bool,
) -> Option<Vec<Area>> {
    // Parts of a turn: right first, for that is where reading goes on; at last all around, for crowds.
    const SIDES: [f64; 8] = [0.0, 4.0, 2.0, 6.0, 1.0, 7.0, 3.0, 5.0];
    let directions: Vec<f64> =
        SIDES.into_iter().map(|eighths| eighths / 8.0).chain((0..48u8).map(|i| f64::from(i) / 48.0)).collect();
    let mut placed: Vec<Area> = Vec::new();
    let mut ways: Vec<Vec<Area>> = Vec::new();
    for &((x, y), width) in labels {
        let rings = first..first + 24;
        let mut places = rings.flat_map(|ring| directions.iter().map(move |turn| (ring, turn)));
        let found = places.find_map(|(ring, turn)| {
            let (down, across) = (turn * std::f64::consts::TAU).sin_cos();
            let distance = f64::from(step * ring);
            let along = |part: f64, half: i32| (part * (distance + f64::from(half))).round() as i32;
            let centre = (x + along(across, width / 2), y - along(down, height / 2));
            let area = Area::around(centre, width / 2, height / 2);
            let way = way((x, y), area.nearest((x, y)), step);
            let taken = placed.iter().chain(obstacles).any(|other| area.meets(other));
            let crossed = ways.iter().flatten().any(|piece| area.meets(piece))
                || way.iter().any(|piece| placed.iter().any(|other| piece.meets(other)));
            let free = bounds.holds(&area) && !taken && !(clear_ways && crossed);
            free.then_some((area, way))
        });
        let (area, way) = found?;
        placed.push(area);
        ways.push(way);
    }
    Some(placed)
}

/// Small pieces that cover the straight way between two points.
fn way(from: Pixel, to: Pixel, step: i32) -> Vec<Area> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let pieces = dx.abs().max(dy.abs()) / (step / 4).max(1) + 1;
    let at = |i: i32| (from.0 + dx * i / pieces, from.1 + dy * i / pieces);
    (0..=pieces).map(|i| Area::around(at(i), 1, 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Area, place};

    const BOUNDS: Area = Area { left: 0, top: 0, right: 1000, bottom: 1000 };

    #[test]
    fn a_label_stands_on_the_right_and_moves_where_that_is_taken() {
        let alone = place(&[((500, 500), 100)], 20, &[], BOUNDS, (1, 10), true).expect("a place");
        assert_eq!(alone, [Area { left: 510, top: 490, right: 610, bottom: 510 }]);
        let edge = place(&[((950, 500), 100)], 20, &[], BOUNDS, (1, 10), true).expect("a place");
        assert_eq!(edge, [Area { left: 840, top: 490, right: 940, bottom: 510 }]);
        let wall = Area { left: 505, top: 0, right: 510, bottom: 1000 };
        assert!(place(&[((500, 500), 100)], 20, &[wall], BOUNDS, (1, 10), true).expect("a place")[0].right <= 505);
    }

    #[test]
    fn many_labels_of_one_point_do_not_meet_and_too_many_find_no_place() {
        let labels = [((500, 500), 200); 9];
        let places = place(&labels, 20, &[], BOUNDS, (1, 10), true).expect("places");
        for (i, a) in places.iter().enumerate() {
            assert!(BOUNDS.holds(a) && places[..i].iter().all(|b| !a.meets(b)), "{places:?}");
        }
        assert_eq!(place(&[((500, 500), 900); 60], 20, &[], BOUNDS, (1, 10), true), None);
        assert_eq!(place(&[((500, 500), 1100)], 20, &[], BOUNDS, (1, 10), true), None);
    }
}
