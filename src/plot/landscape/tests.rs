use super::{Goal, Landscape, PlotError};

fn sampled(f: impl Fn(f64, f64) -> f64) -> Landscape {
    Landscape::sample::<PlotError>((-2.0, 2.0), (-1.0, 3.0), (81, 61), Goal::Lowest, |x, y| Ok(f(x, y))).expect("one")
}

#[test]
fn values_are_exact_on_a_plane_and_stay_within_it() {
    let plane = sampled(|x, y| 3.0 * x - y);
    for (x, y) in [(0.0, 0.0), (1.37, 2.9), (-2.0, 3.0)] {
        assert!((plane.value(x, y) - (3.0 * x - y)).abs() < 1e-12);
    }
    assert_eq!(plane.value(9.0, -7.0), plane.value(2.0, -1.0));
}

#[test]
fn a_contour_lies_where_the_value_is() {
    let bowl = sampled(|x, y| x * x + (y - 1.0).powi(2));
    let pieces = bowl.contour(1.0);
    let length: f64 = pieces.iter().map(|[a, b]| (a.0 - b.0).hypot(a.1 - b.1)).sum();
    assert!((length - std::f64::consts::TAU).abs() < 0.01, "{length}");
    assert!(pieces.iter().flatten().all(|(x, y)| (x.hypot(y - 1.0) - 1.0).abs() < 1e-3));
    assert!(bowl.contour(99.0).is_empty());
}

#[test]
fn a_saddle_is_cut_as_its_middle_says() {
    let corners = |values: [f64; 4]| {
        let at = |x: f64, y: f64| values[if y < 0.5 { usize::from(x > 0.5) } else { 3 - usize::from(x > 0.5) }];
        Landscape::sample::<PlotError>((0.0, 1.0), (0.0, 1.0), (2, 2), Goal::Lowest, |x, y| Ok(at(x, y))).expect("one")
    };
    // The middle is low: the two high corners are cut off, bottom left and top right.
    let cut = corners([1.0, 0.0, 1.0, 0.0]).contour(0.75);
    let near = |piece: &[(f64, f64); 2], x: f64, y: f64| piece.iter().all(|p| (p.0 - x).hypot(p.1 - y) < 0.5);
    assert_eq!(cut.len(), 2);
    assert!(cut.iter().any(|piece| near(piece, 0.0, 0.0)) && cut.iter().any(|piece| near(piece, 1.0, 1.0)));
    // High: the low ones are.
    let cut = corners([1.0, 0.0, 1.0, 0.0]).contour(0.25);
    assert!(cut.iter().any(|piece| near(piece, 1.0, 0.0)) && cut.iter().any(|piece| near(piece, 0.0, 1.0)));
}

#[test]
fn levels_rise_and_a_flat_land_has_none() {
    let bowl = sampled(|x, y| x * x + y * y);
    let levels = bowl.levels(12);
    assert_eq!(levels.len(), 11);
    assert!(levels.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(sampled(|_, _| 3.0).levels(12).is_empty());
}
