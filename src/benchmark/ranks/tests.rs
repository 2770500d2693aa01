use super::super::outcome::{Divergence, Outcome};
use super::super::store::Clock;
use super::*;

/// A run's outcome goes from rank to rank, and none of its bits is another.
#[test]
fn an_outcome_is_the_same_after_it_was_sent() {
    let outcome = Outcome {
        env_steps: 400,
        updates: 10,
        episodes: 3,
        solved_at_step: None,
        best_return: Some(-0.0),
        entropy: Some(f64::MIN_POSITIVE),
        state_bytes: 1 << 40,
        eval_return: Some(0.1 + 0.2),
        diverged: Some(Divergence { update: 4, what: "the loss of \"x\"\n".into() }),
        curve: vec![f64::NAN, f64::INFINITY, 1.0 / 3.0, -1e-300, 12.0],
    };
    let bits = |outcome: &Outcome| outcome.curve.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    let sent = Done { number: 7, finished: Ok((outcome.clone(), Clock { seconds: 0.1 })) };
    let failed = Done { number: 8, finished: Err("it panicked: \"no\"".into()) };
    let report = Report { idle: 2, done: vec![sent, failed] };
    let got: Report = read(&written(&report).expect("text")).expect("a report");
    assert_eq!(got.idle, 2);
    let [Done { number: 7, finished: Ok((finished, clock)) }, failed] = &got.done[..] else { panic!("{:?}", got.done) };
    assert_eq!(bits(finished), bits(&outcome));
    assert_eq!(finished.best_return.map(f64::to_bits), Some((-0.0f64).to_bits()));
    assert_eq!(Outcome { curve: Vec::new(), ..finished.clone() }, Outcome { curve: Vec::new(), ..outcome });
    assert_eq!(clock.seconds, 0.1);
    assert_eq!(failed, &report.done[1]);
    assert!(read::<Report>(b"idle = 1\n").is_err_and(|e| e.to_string().contains("the same program")));
}
