//! Long steps that are broken off.

use std::sync::atomic::{AtomicUsize, Ordering};

use allocation_counter::measure;
use uphill::optim::{Chain, Context, GradientTransform};
use uphill::{Error, Layout, Stop};

use crate::{at, numbers};

const BLOCKS: [(&str, &[usize]); 3] = [("a", &[6, 9]), ("b", &[7]), ("c", &[8, 3])];
const LEN: usize = 54 + 7 + 24;

/// How often the third step of a chain asks whether to go on, and what becomes of it if the answer to one of them is no.
fn third_step(spec: &str, no: Option<usize>) -> (usize, Result<(), Error>) {
    let mut layout = Layout::default();
    for (name, shape) in BLOCKS {
        layout.push(name, shape);
    }
    let (mut chain, theta, asked) = (spec.parse::<Chain>().expect("a spec"), numbers(LEN, 1), AtomicUsize::new(0));
    let flag = || Some(asked.fetch_add(1, Ordering::Relaxed)) == no;
    let mut outcome = Ok(());
    for step in 0..3 {
        let context = Context::new(&theta, &layout, at(step));
        let stop = if step == 2 { Stop::when(&flag) } else { Stop::default() };
        outcome = chain.update(&mut numbers(LEN, 2 + step), &Context { stop, ..context });
    }
    (asked.load(Ordering::Relaxed), outcome)
}

#[test]
fn what_multiplies_matrices_asks_before_each_product_whether_to_go_on() {
    // Each time once more for the chain.
    let alone = [
        // Three products an iteration, in each of two matrices.
        ("scale_by_muon(ns_steps=5)", 1 + 2 * 5 * 3),
        ("scale_by_muon(ns_steps=10)", 1 + 2 * 10 * 3),
        // A statistic, its root and a product for each of five sides.
        ("scale_by_shampoo", 1 + 5 * 3),
        // The gradients of three blocks, and turning and turning back both sides of two of them.
        ("scale_by_soap(precondition_frequency=100)", 1 + 3 + 2 * 4),
        // Then new bases: a product, a decomposition and a product a side.
        ("scale_by_soap(precondition_frequency=1)", 1 + 3 + 2 * (4 + 6)),
        ("centralize | trace | centralize", 3),
    ];
    // Whoever wraps a chain hands the question on.
    let wrapped = [
        ("muon", 30),
        ("masked(\"*\", scale_by_muon)", 30),
        ("lookahead(muon)", 30),
        ("trac(muon)", 30),
        ("accumulate(3, muon)", 30),
        ("partition(\"a\", muon, \"*\", soap(precondition_frequency=1))", 15 + 12),
    ];
    for (i, (spec, expected)) in alone.into_iter().chain(wrapped).enumerate() {
        let (asked, outcome) = third_step(spec, None);
        outcome.unwrap_or_else(|e| panic!("{spec}: {e}"));
        let fits = if i < alone.len() { asked == expected } else { asked >= expected };
        assert!(fits, "{spec} asks {asked} times, expected {expected}");
        for no in 0..asked {
            let (heard, outcome) = third_step(spec, Some(no));
            assert!(matches!(outcome, Err(Error::Interrupted)), "{spec}: {outcome:?} after {no}");
            assert_eq!(heard, no + 1, "{spec}: it goes on after a no");
        }
    }
}

#[test]
fn room_for_a_restored_state_is_made_without_taking_a_step() {
    // A step would take room to work in, too, and of large matrices minutes.
    let mut layout = Layout::default();
    layout.push("w", &[80, 64]);
    for spec in ["muon", "shampoo", "soap", "lookahead(soap)", "trac(muon)", "accumulate(1, shampoo)"] {
        let mut chain = spec.parse::<Chain>().expect("a spec");
        let need = chain.needs(&layout);
        let taken = measure(|| chain.make_room(&layout).expect("room")).bytes_max as usize;
        // Links that keep a number a parameter do take one, with zeros for gradient and parameters.
        let most = need.state + 3 * size_of::<f32>() * layout.len();
        assert!((need.state - 256..most).contains(&taken), "{spec}: {taken} bytes for {}", need.state);
        assert!(need.state + need.work > 2 * most, "{spec}: {}", need.work);
    }
}
