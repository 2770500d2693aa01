use super::Axis;

fn names(axis: &Axis) -> Vec<&str> {
    axis.ticks.iter().map(|(_, name)| name.as_str()).collect()
}

#[test]
fn ticks_are_round_numbers_with_short_names() {
    let steps = |to| Axis::env_steps((0.0, to), 5.0);
    assert_eq!(names(&steps(500_000.0)), ["0", "100k", "200k", "300k", "400k", "500k"]);
    assert_eq!(names(&steps(2_400_000.0)), ["0", "500k", "1M", "1.5M", "2M"]);
    assert_eq!(names(&steps(3e9)), ["0", "1B", "2B", "3B"]);
    assert_eq!(names(&steps(900.0)), ["0", "200", "400", "600", "800"]);
    let values = |from, to| Axis::new((from, to), 0.0, 5.0);
    assert_eq!(names(&values(-1.0, 1.0)), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
    assert_eq!(names(&values(-20.0, 520.0)), ["0", "200", "400"]);
    let fine = ["0.00000", "0.00005", "0.00010", "0.00015", "0.00020", "0.00025"];
    assert_eq!(names(&values(0.0, 2.5e-4)), fine);
    assert_eq!(names(&values(0.0, 4e-7)), ["0", "1e−7", "2e−7", "3e−7", "4e−7"]);
    assert_eq!(names(&values(0.0, 2.5e7)), ["0", "5e6", "1.0e7", "1.5e7", "2.0e7", "2.5e7"]);
}

#[test]
fn a_logarithmic_axis_has_powers_of_ten_and_a_short_one_more() {
    let log = |from, to| Axis::logarithmic((from, to));
    assert_eq!(names(&log(1e-5, 0.1)), ["1e−5", "1e−4", "1e−3", "1e−2", "1e−1"]);
    assert_eq!(names(&log(2.0, 40_000.0)), ["10", "100", "1000", "1e4"]);
    assert_eq!(names(&log(0.02, 3.0)), ["0.1", "1"]);
    assert_eq!(names(&log(3e-3, 6e-3)), ["3e−3", "4e−3", "5e−3", "6e−3", "7e−3"]);
    assert_eq!(names(&log(1e-3, 1e-3)), ["8e−4", "9e−4", "1e−3"]);
    // Where no two digits with nothing but zeros after them are within.
    assert_eq!(names(&log(11_800.0, 12_500.0)), ["1e4", "1.2e4", "1.4e4", "1.6e4"]);
    assert_eq!(names(&log(0.118, 0.125)), ["0.1", "0.12", "0.14", "0.16"]);
    let axis = log(1e-4, 1e-2);
    assert!((axis.share(1e-3) - 0.5).abs() < 1e-12 && axis.share(1e-4) > 0.03);
}

#[test]
fn an_axis_stretches_to_a_tick_that_is_near_only() {
    for (last, to, ticks) in [(499_712.0, 500_000.0, 6), (470_000.0, 470_000.0, 5), (500_000.0, 500_000.0, 6)] {
        let axis = Axis::env_steps((0.0, last), 5.0);
        assert_eq!((axis.to, axis.ticks.len()), (to, ticks));
    }
}

#[test]
fn every_range_has_a_width_and_a_few_distinct_ticks() {
    let awkward = [0.0, -0.0, 1.0, -7.3, 1e-300, 1e-9, 500.0, 1e15, 1.8e19, 1e100, -1e100];
    for &from in &awkward {
        for &to in awkward.iter().filter(|&&to| to >= from) {
            let axis = Axis::new((from, to), 0.0, 6.0);
            assert!(axis.from < axis.to && (axis.to - axis.from).is_finite(), "{from} {to}");
            let distinct: std::collections::BTreeSet<_> = names(&axis).into_iter().collect();
            assert_eq!(distinct.len(), axis.ticks.len(), "{from} {to} {distinct:?}");
            assert!((2..=12).contains(&distinct.len()), "{from} {to} {distinct:?}");
        }
    }
}
