//! Texts beside points, none over another or over a point.

use super::Corners;

/// So far around a point in each direction.
pub(super) fn around((x, y): (i32, i32), across: i32, down: i32) -> Corners {
    [(x - across, y - down), (x + across, y + down)]
}

/// The point of a rectangle that is nearest to another.
pub(super) fn nearest([(left, top), (right, bottom)]: Corners, (x, y): (i32, i32)) -> (i32, i32) {
    (x.clamp(left, right), y.clamp(top, bottom))
}

pub(super) fn distance(a: (i32, i32), b: (i32, i32)) -> f64 {
    f64::from(a.0 - b.0).hypot(f64::from(a.1 - b.1))
}

fn meet([a, b]: Corners, [c, d]: Corners) -> bool {
    a.0 < d.0 && c.0 < b.0 && a.1 < d.1 && c.1 < b.1
}

fn holds([a, b]: Corners, [c, d]: Corners) -> bool {
    a.0 <= c.0 && a.1 <= c.1 && b.0 >= d.0 && b.1 >= d.1
}

/// The places of texts of these widths beside their points, within `bounds`; `None` if one finds none.
///
/// Each text, in order, takes the first place that is free on rings around its point, from the `first`-th on, which are
/// `step` apart: right, left, above, below, and between. It is free if it meets none of the `obstacles` and no text that
/// has its place and, if `clear_ways`, if neither crosses the way of the other to its point.
pub(super) fn place(
    texts: &[((i32, i32), i32)],
    height: i32,
    obstacles: &[Corners],
    bounds: Corners,
    (first, step): (i32, i32),
    clear_ways: bool,
) -> Option<Vec<Corners>> {
    // Eighths of a turn: right first, for that is where reading goes on; at last all around, for crowds.
    const SIDES: [f64; 8] = [0.0, 4.0, 2.0, 6.0, 1.0, 7.0, 3.0, 5.0];
    let turns: Vec<f64> = SIDES.into_iter().chain((0..48u8).map(|i| f64::from(i) / 6.0)).collect();
    let (mut placed, mut ways): (Vec<Corners>, Vec<Corners>) = (Vec::new(), Vec::new());
    for &((x, y), width) in texts {
        let mut places = (first..first + 24).flat_map(|ring| turns.iter().map(move |turn| (ring, turn)));
        let (text, way) = places.find_map(|(ring, turn)| {
            let (up, across) = (turn * std::f64::consts::FRAC_PI_4).sin_cos();
            let along = |part: f64, half: i32| (part * f64::from(step * ring + half)).round() as i32;
            let text = around((x + along(across, width / 2), y - along(up, height / 2)), width / 2, height / 2);
            let way = way((x, y), nearest(text, (x, y)), step / 4);
            let meets = |one: Corners, others: &[Corners]| others.iter().any(|&other| meet(one, other));
            let crossed = || meets(text, &ways) || way.iter().any(|&piece| meets(piece, &placed));
            let taken = !holds(bounds, text) || meets(text, obstacles) || meets(text, &placed);
            (!taken && !(clear_ways && crossed())).then_some((text, way))
        })?;
        placed.push(text);
        ways.extend(way);
    }
    Some(placed)
}

/// Small pieces, so far apart, that cover the straight way between two points.
fn way(from: (i32, i32), to: (i32, i32), apart: i32) -> Vec<Corners> {
    let count = distance(from, to) as i32 / apart.max(1) + 1;
    let at = |i: i32| (from.0 + (to.0 - from.0) * i / count, from.1 + (to.1 - from.1) * i / count);
    (0..=count).map(|i| around(at(i), 1, 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Corners, holds, meet, place};

    const BOUNDS: Corners = [(0, 0), (1000, 1000)];

    #[test]
    fn a_text_stands_on_the_right_and_moves_where_that_is_taken() {
        let alone = |at, obstacles: &[Corners]| place(&[(at, 100)], 20, obstacles, BOUNDS, (1, 10), true);
        assert_eq!(alone((500, 500), &[]), Some(vec![[(510, 490), (610, 510)]]));
        assert_eq!(alone((950, 500), &[]), Some(vec![[(840, 490), (940, 510)]]));
        assert_eq!(alone((500, 500), &[[(505, 0), (530, 1000)]]), Some(vec![[(390, 490), (490, 510)]]));
    }

    #[test]
    fn many_texts_of_one_point_do_not_meet_and_too_many_find_no_place() {
        let texts = [((500, 500), 60); 9];
        let places = place(&texts, 20, &[], BOUNDS, (6, 10), true).expect("places");
        for (i, a) in places.iter().enumerate() {
            assert!(holds(BOUNDS, *a) && places[..i].iter().all(|b| !meet(*a, *b)), "{places:?}");
        }
        assert_eq!(place(&[((500, 500), 900); 60], 20, &[], BOUNDS, (1, 10), true), None);
        assert_eq!(place(&[((500, 500), 1100)], 20, &[], BOUNDS, (1, 10), true), None);
    }
}
