//! Texts beside points, none over another or over a point.

/// A rectangle of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patch {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) right: i32,
    pub(super) bottom: i32,
}

impl Patch {
    /// So far around a point in each direction.
    pub(super) fn around((x, y): (i32, i32), across: i32, down: i32) -> Patch {
        Patch { left: x - across, top: y - down, right: x + across, bottom: y + down }
    }

    pub(super) fn centre(&self) -> (i32, i32) {
        ((self.left + self.right) / 2, (self.top + self.bottom) / 2)
    }

    /// The point of it that is nearest to another.
    pub(super) fn nearest(&self, (x, y): (i32, i32)) -> (i32, i32) {
        (x.clamp(self.left, self.right), y.clamp(self.top, self.bottom))
    }

    fn meets(&self, other: &Patch) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    fn holds(&self, other: &Patch) -> bool {
        self.left <= other.left && self.top <= other.top && self.right >= other.right && self.bottom >= other.bottom
    }
}

/// The places of texts of these widths beside their points, within `bounds`; `None` if one finds none.
///
/// Each text, in order, takes the first place that is free on rings around its point, from the `first`-th on, which are
/// `step` apart: right, left, above, below, and between. It is free if it meets none of the `obstacles` and no text that
/// has its place and, if `clear_ways`, if neither crosses the way of the other to its point.
pub(super) fn place(
    texts: &[((i32, i32), i32)],
    height: i32,
    obstacles: &[Patch],
    bounds: Patch,
    (first, step): (i32, i32),
    clear_ways: bool,
) -> Option<Vec<Patch>> {
    // Eighths of a turn: right first, for that is where reading goes on; at last all around, for crowds.
    const SIDES: [f64; 8] = [0.0, 4.0, 2.0, 6.0, 1.0, 7.0, 3.0, 5.0];
    let turns: Vec<f64> = SIDES.into_iter().chain((0..48u8).map(|i| f64::from(i) / 6.0)).collect();
    let (mut placed, mut ways): (Vec<Patch>, Vec<Patch>) = (Vec::new(), Vec::new());
    for &((x, y), width) in texts {
        let mut places = (first..first + 24).flat_map(|ring| turns.iter().map(move |turn| (ring, turn)));
        let (patch, way) = places.find_map(|(ring, turn)| {
            let (up, across) = (turn * std::f64::consts::FRAC_PI_4).sin_cos();
            let along = |part: f64, half: i32| (part * f64::from(step * ring + half)).round() as i32;
            let patch = Patch::around((x + along(across, width / 2), y - along(up, height / 2)), width / 2, height / 2);
            let way = way((x, y), patch.nearest((x, y)), step / 4);
            let meets = |patch: &Patch, others: &[Patch]| others.iter().any(|other| patch.meets(other));
            let free = bounds.holds(&patch)
                && !meets(&patch, obstacles)
                && !meets(&patch, &placed)
                && !(clear_ways && (meets(&patch, &ways) || way.iter().any(|piece| meets(piece, &placed))));
            free.then_some((patch, way))
        })?;
        placed.push(patch);
        ways.extend(way);
    }
    Some(placed)
}

/// Small pieces, so far apart, that cover the straight way between two points.
fn way(from: (i32, i32), to: (i32, i32), apart: i32) -> Vec<Patch> {
    let count = distance(from, to) as i32 / apart.max(1) + 1;
    let at = |i: i32| (from.0 + (to.0 - from.0) * i / count, from.1 + (to.1 - from.1) * i / count);
    (0..=count).map(|i| Patch::around(at(i), 1, 1)).collect()
}

pub(super) fn distance(a: (i32, i32), b: (i32, i32)) -> f64 {
    f64::from(a.0 - b.0).hypot(f64::from(a.1 - b.1))
}

#[cfg(test)]
mod tests {
    use super::{Patch, place};

    const BOUNDS: Patch = Patch { left: 0, top: 0, right: 1000, bottom: 1000 };

    #[test]
    fn a_text_stands_on_the_right_and_moves_where_that_is_taken() {
        let alone = place(&[((500, 500), 100)], 20, &[], BOUNDS, (1, 10), true).expect("a place");
        assert_eq!(alone, [Patch { left: 510, top: 490, right: 610, bottom: 510 }]);
        let edge = place(&[((950, 500), 100)], 20, &[], BOUNDS, (1, 10), true).expect("a place");
        assert_eq!(edge, [Patch { left: 840, top: 490, right: 940, bottom: 510 }]);
        let wall = Patch { left: 505, top: 0, right: 530, bottom: 1000 };
        let beyond = place(&[((500, 500), 100)], 20, &[wall], BOUNDS, (1, 10), true).expect("a place");
        assert_eq!(beyond, [Patch { left: 390, top: 490, right: 490, bottom: 510 }]);
    }

    #[test]
    fn many_texts_of_one_point_do_not_meet_and_too_many_find_no_place() {
        let texts = [((500, 500), 60); 9];
        let places = place(&texts, 20, &[], BOUNDS, (6, 10), true).expect("places");
        for (i, a) in places.iter().enumerate() {
            assert!(BOUNDS.holds(a) && places[..i].iter().all(|b| !a.meets(b)), "{places:?}");
        }
        assert_eq!(place(&[((500, 500), 900); 60], 20, &[], BOUNDS, (1, 10), true), None);
        assert_eq!(place(&[((500, 500), 1100)], 20, &[], BOUNDS, (1, 10), true), None);
    }
}
