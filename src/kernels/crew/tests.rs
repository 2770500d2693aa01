use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::Crew;

#[test]
fn work_is_done_here_and_by_helpers_and_nobody_is_at_it_afterwards() {
    let crew = Crew::new(3).expect("threads");
    for round in 0..3_000 {
        let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        crew.call(round % 4, &|| {
            begun.fetch_add(1, Ordering::Relaxed);
            ended.fetch_add(1, Ordering::Relaxed);
        });
        let begun = begun.into_inner();
        assert_eq!(begun, ended.into_inner());
        assert!((1..=1 + round % 4).contains(&begun), "{begun} at round {round}");
        // Long enough for helpers to fall asleep, now and then.
        if round % 500 == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Comes, and waits until so many have come; nobody waits for ever for one who does not.
fn meet(there: &AtomicUsize, count: usize) {
    there.fetch_add(1, Ordering::SeqCst);
    for _ in 0..10_000 {
        if there.load(Ordering::SeqCst) >= count {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn as_many_help_as_are_asked_whether_awake_or_asleep() {
    let crew = Crew::new(3).expect("threads");
    for round in 0..60 {
        let (helpers, there) = (1 + round % 3, AtomicUsize::new(0));
        crew.call(helpers, &|| meet(&there, 1 + helpers));
        assert_eq!(there.into_inner(), 1 + helpers, "round {round}");
    }
}

#[test]
fn a_call_within_a_call_and_from_another_thread_is_done_alone() {
    let crew = Crew::new(2).expect("threads");
    let count = AtomicUsize::new(0);
    crew.call(2, &|| crew.call(2, &|| _ = count.fetch_add(1, Ordering::Relaxed)));
    assert!((1..=3).contains(&count.into_inner()));
    let count = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| crew.call(2, &|| _ = count.fetch_add(1, Ordering::Relaxed))));
        }
    });
    assert!((2_000..=6_000).contains(&count.into_inner()));
}

#[test]
fn a_panic_comes_out_after_all_have_ended_and_the_crew_goes_on() {
    let crew = Crew::new(1).expect("threads");
    for of_caller in [true, false, true, false] {
        let (there, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let here = std::thread::current().id();
        let done = catch_unwind(AssertUnwindSafe(|| {
            crew.call(1, &|| {
                meet(&there, 2);
                assert!((std::thread::current().id() == here) != of_caller, "meant");
                std::thread::sleep(Duration::from_millis(2));
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }));
        assert!(done.is_err() && ended.into_inner() == 1);
    }
}
