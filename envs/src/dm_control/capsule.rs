//! A rod with round ends.

/// The moment of inertia, kg·m², of a solid capsule about an axis through its middle and across its length.
///
/// `length` is that of the cylinder between the half-balls of `radius`, m; the `mass`, kg, is spread evenly. That of a half-ball
/// about its own centre of mass, 3/8 of the radius from its flat side, is moved to the middle of the capsule by Steiner's theorem.
pub(super) const fn inertia(mass: f64, radius: f64, length: f64) -> f64 {
    let ball = mass * 4.0 * radius / (4.0 * radius + 3.0 * length);
    let cylinder = mass - ball;
    cylinder * (3.0 * radius * radius + length * length) / 12.0
        + ball * (0.4 * radius * radius + length * (3.0 * radius + 2.0 * length) / 8.0)
}

#[cfg(test)]
mod tests {
    use super::inertia;

    #[test]
    fn it_is_that_of_a_ball_of_a_rod_and_of_mujocos_model() {
        assert!((inertia(2.0, 0.5, 0.0) - 0.4 * 2.0 * 0.25).abs() < 1e-15);
        assert!((inertia(3.0, 1e-9, 2.0) - 1.0).abs() < 1e-8);
        // `body_inertia` of the acrobot's lower arm.
        assert!((inertia(1.0, 0.049, 1.0) - 0.095_303_657_196_495_63).abs() < 1e-15);
    }
}
