use super::ConjugateGradients;

/// Symmetric, `[4, 4]`, of rank 2: this block and zeros.
fn of(block: [[f32; 2]; 2]) -> impl Fn(&[f32], &mut Vec<f32>) -> crate::Result<()> {
    move |vector, product| {
        product.clear();
        product.extend(block.map(|[a, b]| a * vector[0] + b * vector[1]));
        product.resize(4, 0.0);
        Ok(())
    }
}

#[test]
fn as_many_iterations_as_there_are_eigenvalues_solve_a_system() {
    let mut room = ConjugateGradients::default();
    // Of [[2, 1], [1, 2]]·x = (2, 0), with eigenvalues 1 and 3: every direction on the way is exact in f32.
    room.solve(&[2.0, 0.0, 0.0, 0.0], (0.5, 2), of([[1.5, 1.0], [1.0, 1.5]])).expect("a solution");
    for (x, exact) in room.x().iter().zip([4.0 / 3.0, -2.0 / 3.0, 0.0, 0.0]) {
        assert!((x - exact).abs() < 1e-12, "{:?}", room.x());
    }
    // Of [[2.5, 1], [1, 3.5]]·x = (1, −2), and 0.5·x = 0.5: products take what they multiply in f32.
    let (g, times) = ([1.0, -2.0, 0.5, 0.0], of([[2.0, 1.0], [1.0, 3.0]]));
    let solved = room.solve(&g, (0.5, 3), &times).expect("a solution");
    let exact = [5.5 / 7.75, -6.0 / 7.75, 1.0, 0.0];
    for (x, exact) in room.x().iter().zip(exact) {
        assert!((x - exact).abs() <= f64::from(f32::EPSILON), "{:?}", room.x());
    }
    assert!(solved.residual < 1e-6, "{solved:?}");
    let curvature: f64 = exact.iter().zip(g).map(|(x, g)| x * f64::from(g)).sum();
    assert!((solved.curvature - curvature).abs() < 1e-6, "{solved:?}");
    // One is along g, and leaves some.
    let rough = room.solve(&g, (0.5, 1), &times).expect("a solution");
    let along = room.x()[0];
    assert!(room.x().iter().zip(g).all(|(x, g)| (x - along * f64::from(g)).abs() < 1e-12));
    assert!(rough.residual > 0.01, "{rough:?}");
}

#[test]
fn what_is_nothing_or_not_finite_is_told() {
    let mut room = ConjugateGradients::default();
    let nothing = room.solve(&[0.0; 4], (0.1, 10), of([[2.0, 1.0], [1.0, 3.0]])).expect("zeros");
    assert_eq!((nothing.curvature, nothing.residual), (0.0, 0.0));
    let nan = |_: &[f32], product: &mut Vec<f32>| -> crate::Result<()> {
        product.clear();
        product.resize(4, f32::NAN);
        Ok(())
    };
    let error = room.solve(&[1.0; 4], (0.1, 10), nan).expect_err("NaN").to_string();
    assert!(error.contains("Fisher"), "{error}");
}
