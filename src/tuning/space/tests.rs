use super::Space;

fn of(text: &str, is_whole: Option<bool>) -> crate::Result<Space> {
    let table: toml::Table = format!("x = {text}").parse().expect("TOML");
    Space::of("x", &table["x"], is_whole)
}

#[test]
fn points_are_spread_evenly_over_a_range_or_over_its_logarithm() {
    let linear = of("{ low = 0.9, high = 1 }", Some(false)).expect("a range");
    let log = of("{ low = 1e-5, high = 1e-1, log = true }", Some(false)).expect("a range");
    for (u, x, y) in [(0.0, 0.9, 1e-5), (0.25, 0.925, 1e-4), (0.5, 0.95, 1e-3), (0.75, 0.975, 1e-2)] {
        assert_eq!((linear.at(u).as_float(), log.at(u).as_float()), (Some(x), Some(y)));
    }
    for i in 0..1000 {
        let u = f64::from(i) / 1000.0;
        assert!((0.9..=1.0).contains(&linear.at(u).as_float().expect("a number")));
        assert!((1e-5..=1e-1).contains(&log.at(u).as_float().expect("a number")));
    }
    // A narrow range is told apart, too.
    let narrow = of("{ low = 0.9999, high = 0.99999 }", Some(false)).expect("a range");
    let values: std::collections::BTreeSet<String> =
        (0..100).map(|i| narrow.at(f64::from(i) / 100.0).to_string()).collect();
    assert_eq!(values.len(), 100);
}

#[test]
fn a_range_by_its_logarithm_may_be_as_wide_as_numbers_go() {
    let space = of("{ low = 1e-300, high = 1e300, log = true }", Some(false)).expect("a range");
    for u in (0..100u8).map(|i| f64::from(i) / 100.0) {
        let x = space.at(u).as_float().expect("a number");
        assert!((x.log10() - (600.0 * u - 300.0)).abs() < 1.0, "{x} at {u}");
    }
}

#[test]
fn every_whole_number_and_every_choice_has_its_share() {
    let whole = of("{ low = 2, high = 5 }", Some(true)).expect("a range");
    let choices = of("[64, 128, 256, 512]", Some(true)).expect("choices");
    let mut counts = [[0; 4]; 2];
    for i in 0..1000 {
        let u = f64::from(i) / 1000.0;
        counts[0][whole.at(u).as_integer().expect("whole") as usize - 2] += 1;
        counts[1][choices.at(u).as_integer().expect("whole").ilog2() as usize - 6] += 1;
    }
    assert_eq!(counts, [[250; 4]; 2]);
    let log = of("{ low = 1, high = 1000, log = true }", Some(true)).expect("a range");
    assert_eq!([0.0, 0.3334, 0.6667, 0.9999].map(|u| log.at(u).as_integer()), [1, 10, 100, 1000].map(Some));
}

#[test]
fn what_is_no_range_is_refused_with_what_would_be_right() {
    for (text, is_whole, said) in [
        ("[0.9]", Some(false), "one value is no range, and has no effect: write x = 0.9 above [tune] instead"),
        ("{ low = 1, high = 1.0 }", Some(false), "one value is no range"),
        ("{ low = 2, high = 1 }", Some(false), "low = 2 is above high = 1: put them the other way round"),
        ("{ low = 0, high = 1, log = true }", Some(false), "low = 0, which has no logarithm"),
        ("{ low = 1, high = 2.5 }", Some(true), "low and high must be whole numbers"),
        ("{ low = 1 }", Some(true), "lacks high"),
        ("{ low = 1, hihg = 2 }", Some(true), "`high`"),
        ("{ low = nan, high = 2 }", Some(false), "finite"),
        ("{ low = -1e308, high = 1e308 }", Some(false), "further than numbers reach"),
        ("{ low = 1, high = 2, log = 1 }", Some(false), "true or false"),
        ("{ low = 1, high = 2 }", None, "give its choices in brackets"),
        ("[]", None, "two choices or more"),
        ("['adam', 'adam']", None, "\"adam\" is there twice"),
        ("3", Some(true), "or choices in brackets"),
    ] {
        let problem = of(text, is_whole).expect_err(text).to_string();
        assert!(problem.starts_with("tune.ranges.x: ") && problem.contains(said), "{text}: {problem}");
    }
}
