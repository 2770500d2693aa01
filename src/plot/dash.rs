//! Dashed lines, which plotters does not have.

/// The pieces of a line that are `on` long, with gaps of `off` between them, measured along the line.
pub(super) fn dashed(points: &[(i32, i32)], on: f64, off: f64) -> Vec<Vec<(i32, i32)>> {
    let mut pieces: Vec<Vec<(i32, i32)>> = Vec::new();
    let mut drawing = true;
    let mut left = on;
    let mut piece: Vec<(i32, i32)> = points.first().copied().into_iter().collect();
    for (from, to) in points.iter().zip(points.iter().skip(1)) {
        let (dx, dy) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let length = dx.hypot(dy);
        let mut done = 0.0;
        while length - done > left {
            done += left;
            let cut = (from.0 + (dx * done / length).round() as i32, from.1 + (dy * done / length).round() as i32);
            if drawing {
                piece.push(cut);
                pieces.push(std::mem::take(&mut piece));
            } else {
                piece = vec![cut];
            }
            drawing = !drawing;
            left = if drawing { on } else { off };
        }
        left -= length - done;
        if drawing {
            piece.push(*to);
        }
    }
    if drawing {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::dashed;

    #[test]
    fn dashes_run_on_around_corners() {
        let pieces = dashed(&[(0, 0), (10, 0), (10, 10)], 6.0, 2.0);
        assert_eq!(pieces, [vec![(0, 0), (6, 0)], vec![(8, 0), (10, 0), (10, 4)], vec![(10, 6), (10, 10)]]);
        assert!(dashed(&[], 6.0, 2.0).iter().all(Vec::is_empty));
    }
}
