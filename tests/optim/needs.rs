//! What an optimizer will need, against what it takes.

use allocation_counter::measure;
use uphill::Layout;
use uphill::optim::{Chain, Optimizer};

use crate::properties::every_row;
use crate::{at, numbers, optimizer, params, recipes};

/// A matrix of either kind, a tensor, vectors, an empty block.
const BLOCKS: &[(&str, &[usize])] = &[
    ("actor.0.weight", &[6, 9]),
    ("actor.0.bias", &[6]),
    ("actor.1.weight", &[40, 3]),
    ("actor.1.kernel", &[2, 3, 5]),
    ("critic.0.weight", &[7]),
    ("critic.1.weight", &[0, 4]),
];
const LEN: usize = 54 + 6 + 120 + 30 + 7;

#[test]
fn an_optimizer_keeps_the_bytes_that_were_reckoned() {
    let long_sides = ["shampoo(max_dim=8)", "soap(max_dim=8)", "adafactor(form=optax, min_dim=5)", "soap | ema(0.9)"];
    let nested =
        ["lookahead(soap)", "trac(shampoo)", "accumulate(2, muon)", "masked(\"weights\", scale_by_soap) | lion"];
    let more = long_sides.into_iter().chain(nested).map(String::from);
    for spec in recipes().into_iter().chain(every_row()).chain(more) {
        let (mut optimizer, mut params) = (optimizer(&spec), params(BLOCKS, &numbers(LEN, 1)));
        let need = optimizer.needs(params.layout());
        for step in 0..3 {
            optimizer.step(&mut params, &numbers(LEN, 2 + step), at(step)).unwrap_or_else(|e| panic!("{spec}: {e}"));
        }
        assert_eq!(need.state, optimizer.state_bytes(), "{spec}");
        assert_eq!(need, optimizer.needs(params.layout()), "{spec}: it does not hang on when it is reckoned");
    }
}

#[test]
fn a_step_takes_no_more_than_was_reckoned_and_reckoning_takes_nothing() {
    let blocks: &[(&str, &[usize])] = &[("a", &[48, 80]), ("b", &[80]), ("c", &[64, 64])];
    let len = 48 * 80 + 80 + 64 * 64;
    for spec in recipes().into_iter().chain(["shampoo(max_dim=50)", "soap(max_dim=50)"].map(String::from)) {
        if spec.contains("actor") {
            continue;
        }
        let (mut optimizer, mut params) = (optimizer(&spec), params(blocks, &numbers(len, 1)));
        let mut gradient = numbers(len, 2);
        let need = optimizer.needs(params.layout());
        let handed_out = measure(|| params.update(|_| {}).expect("parameters")).bytes_max;
        let taken = measure(|| {
            for step in 0..11 {
                optimizer.step_in_place(&mut params, &mut gradient, at(step)).expect("a step");
            }
        });
        let reckoned = (need.state + need.work) as u64 + handed_out;
        // Names and layouts of branches do not grow with the parameters. A product of matrices copies parts of them to where
        // they lie well, 3 MB at most: next to nothing for large ones, but not for these.
        assert!(4 * taken.bytes_max < 5 * reckoned + 65_536, "{spec}: {} bytes, reckoned {reckoned}", taken.bytes_max);
        assert!(2 * taken.bytes_max + 65_536 > reckoned, "{spec}: {} bytes, reckoned {reckoned}", taken.bytes_max);
    }
    let mut layout = Layout::default();
    layout.push("actor.w", &[16_384, 16_384]);
    for spec in recipes() {
        let mut optimizer = Optimizer::new(spec.parse::<Chain>().expect("a spec"));
        let taken = measure(|| assert!(optimizer.needs(&layout).state < 1 << 40)).bytes_max;
        assert!(taken < 16_384, "{spec}: {taken} bytes");
    }
}
