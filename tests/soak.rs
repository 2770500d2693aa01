//! What `soak` calls growth: a leak, and neither peaks nor what an allocator comes to keep.

#[path = "../examples/growth/mod.rs"]
mod growth;

use rand::RngExt;
use uphill::Seed;

fn grows(laps: impl Iterator<Item = f64>) -> bool {
    growth::grows(growth::thirds(&laps.collect::<Vec<_>>()).expect("enough laps"))
}

#[test]
fn a_leak_grows_and_nothing_else_does() {
    let mut rng = Seed(1).stream("test", 0);
    let mut noise = |size: f64| size * (rng.random::<f64>() - 0.5);
    for laps in [12_u32, 60, 600] {
        let laps = 0..laps;
        // 30 MB with half a megabyte of noise; a peak of a third of that again, late.
        assert!(!grows(laps.clone().map(|_| 30.0 + noise(0.5))));
        assert!(!grows(laps.clone().map(|i| 30.0 + noise(0.5) + if i % 10 == 9 { 10.0 } else { 0.0 })));
        // A peak in each third, each larger than the one before.
        let peak = |i: u32| [4, 6, 9].iter().position(|&twelfth| i == laps.end * twelfth / 12).map_or(0, |k| 5 << k);
        assert!(!grows(laps.clone().map(|i| 30.0 + noise(0.2) + f64::from(peak(i)))));
        // One step, early or late: a heavier kind of memory was needed once.
        for step in 1..10 {
            let at = f64::from(laps.end) * f64::from(step) / 10.0;
            assert!(
                !grows(laps.clone().map(|i| 30.0 + noise(0.2) + if f64::from(i) > at { 5.0 } else { 0.0 })),
                "{step}"
            );
        }
        // What is kept rises ever less.
        assert!(!grows(laps.clone().map(|i| 33.0 - 3.0 * (-f64::from(i) / 2.0).exp() + noise(0.2))));
        // A leak, however slow, once it has come to some percent.
        assert!(grows(laps.clone().map(|i| 30.0 + 3.0 * f64::from(i) / f64::from(laps.end) + noise(0.2))));
    }
    // The first laps, in which most is done for the first time, count for nothing.
    assert!(!grows((0..8_u32).map(|i| 33.0 - 4.6 * (-f64::from(i) / 2.0).exp())));
    assert_eq!(growth::thirds(&[1.0; growth::LEAST - 1]), None, "too short to tell");
}
