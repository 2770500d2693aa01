use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::optim::{Chain, Context, GradientTransform, Need, Slot, scale_by_learning_rate};
use crate::{Catalogue, Error};

/// What one of these does that it should not.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    HidesMomentum,
    HidesCount,
    NamesTwice,
    Grows,
    NotFinite,
    Panics,
    GivesUp,
    Shares,
    NeedsNothing,
    DoesNothing,
}

#[derive(Debug)]
struct Momentum {
    fault: Fault,
    before: Vec<f32>,
    more: Vec<f32>,
    steps: u64,
}

static SHARED: AtomicU32 = AtomicU32::new(0);

impl GradientTransform for Momentum {
    fn update(&mut self, gradient: &mut [f32], _: &Context<'_>) -> Result<()> {
        self.steps += 1;
        self.before.resize(gradient.len(), 0.0);
        let by = 1.0 / self.steps as f32;
        for (g, before) in gradient.iter_mut().zip(&mut self.before) {
            *before = 0.9 * *before + *g;
            *g = by * *before;
        }
        match self.fault {
            Fault::Grows => self.more.push(1.0),
            Fault::NotFinite if self.steps == 3 => gradient[5] = f32::NAN,
            Fault::Panics if self.steps == 3 => panic!("on purpose"),
            Fault::GivesUp if self.steps == 3 => return Err(Error::Config("no more of it".into())),
            Fault::Shares => gradient[0] += SHARED.fetch_add(1, Ordering::Relaxed) as f32,
            Fault::DoesNothing => gradient.fill(0.0),
            _ => {}
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        if self.fault != Fault::HidesMomentum {
            visit("before", Slot::Vector(&mut self.before));
        }
        if self.fault != Fault::HidesCount {
            visit(if self.fault == Fault::NamesTwice { "before" } else { "steps" }, Slot::Count(&mut self.steps));
        }
        if self.fault == Fault::Grows {
            visit("more", Slot::Vector(&mut self.more));
        }
    }

    fn needs(&mut self, layout: &Layout) -> Need {
        Need::of_state(if self.fault == Fault::NeedsNothing { 8 } else { 4 * layout.len() + 8 + 8 * 4 })
    }
}

fn found(fault: Fault, lr: f64) -> Vec<Finding> {
    check_optimizer(|| {
        let momentum = Momentum { fault, before: Vec::new(), more: Vec::new(), steps: 0 };
        Ok(Optimizer::new(Chain::new().then(momentum).then(scale_by_learning_rate(lr))))
    })
}

#[test]
fn each_fault_is_found_and_said_and_nothing_else() {
    assert_eq!(found(Fault::None, 0.1), []);
    for (fault, what) in [
        (Fault::HidesMomentum, "given the state that another shows after 1 step, it goes on otherwise"),
        (Fault::HidesCount, "given the state that another shows after 4 steps, it goes on otherwise"),
        (Fault::NamesTwice, "two pieces of its state are called `0.before`"),
        (Fault::Grows, "given the state of another after 4 steps it fails: "),
        (Fault::NotFinite, "in its first steps it fails: the update of actor.0.weight"),
        (Fault::Panics, "in its first steps it panics"),
        (Fault::GivesUp, "in its first steps it fails: no more of it"),
        (Fault::Shares, "two that are made alike take other steps"),
        (Fault::NeedsNothing, "it needs 8 bytes of state for a small network, and keeps 412"),
    ] {
        let findings = found(fault, 0.1);
        let [finding] = &*findings else { panic!("{fault:?}: {findings:?}") };
        assert!(finding.breach && finding.what.contains(what), "{fault:?}: {finding}");
    }
    for (fault, lr, what) in [
        (Fault::DoesNothing, 0.1, "no parameter changes in 8 steps"),
        (Fault::None, -0.1, "go with it and not against it"),
    ] {
        let findings = found(fault, lr);
        let [finding] = &*findings else { panic!("{fault:?}: {findings:?}") };
        assert!(!finding.breach && finding.what.contains(what), "{finding}");
    }
}

/// All that this crate has, at its defaults, and each of its schedules.
#[test]
fn those_of_this_crate_keep_the_contract() {
    let catalogue = Catalogue::default();
    let usual = crate::Config::for_algo("ppo").expect("an algorithm");
    let mut seen = 0;
    for row in catalogue.optim().recipes() {
        let config = crate::Config { optimizer: row.name.parse().expect("a name"), ..usual.clone() };
        let findings = check_optimizer(|| config.make_optimizer());
        assert_eq!(findings, [], "{}", row.name);
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}
