//! What an optimizer of one's own does wrong, in words.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use candle_core::{Device, Tensor};
use rand_distr::{Distribution, StandardNormal};
use uphill_envs::{Finding, counted, quoted};

use super::{Optimizer, When};
use crate::arrays::Arrays;
use crate::seed::Seed;
use crate::{Layout, Params, Result};

/// Steps before its state is given to another, and steps that both take after.
const BEFORE: u64 = 4;
const AFTER: u64 = 4;
/// How far the steps on tensors may lead away from those on the host, in parts of these.
const NEAR: f64 = 1e-4;

/// Steps of a run, and those of a rollout.
const ALL: u64 = BEFORE + AFTER;
const A_ROLLOUT: u64 = 2;

/// A network small enough to be at once done with: matrices, filters, vectors, a single number.
fn layout() -> Layout {
    let mut layout = Layout::default();
    for (name, shape) in [
        ("actor.0.weight", &[6, 4][..]),
        ("actor.0.bias", &[6]),
        ("actor.filters.weight", &[2, 1, 3, 3]),
        ("actor.head.weight", &[2, 6]),
        ("actor.head.bias", &[2]),
        ("log_std", &[2]),
        ("critic.0.weight", &[6, 4]),
        ("critic.0.bias", &[6]),
        ("critic.head.weight", &[1, 6]),
        ("critic.head.bias", &[1]),
    ] {
        layout.push(name, shape);
    }
    layout
}

/// An optimizer on parameters of its own, and the gradients that it is given.
struct Walk {
    optimizer: Optimizer,
    params: Params,
    steps: u64,
}

impl Walk {
    fn new(make: &dyn Fn() -> Result<Optimizer>) -> Result<Self> {
        let layout = layout();
        let theta = normal(layout.len(), 0);
        Ok(Self { optimizer: make()?, params: Params::new(layout, theta, &Device::Cpu)?, steps: 0 })
    }

    fn when(&self) -> When {
        When { progress: self.steps as f64 / ALL as f64, update: 1 + self.steps / A_ROLLOUT }
    }

    /// Takes steps by gradients that differ from step to step.
    fn go(&mut self, steps: u64) -> Result<()> {
        for _ in 0..steps {
            let gradient = normal(self.params.layout().len(), self.steps + 1);
            let when = self.when();
            self.optimizer.step(&mut self.params, &gradient, when)?;
            self.steps += 1;
        }
        Ok(())
    }

    /// The same with gradients that are tensors.
    fn go_on_tensors(&mut self, steps: u64) -> Result<()> {
        for _ in 0..steps {
            let gradient = normal(self.params.layout().len(), self.steps + 1);
            let when = self.when();
            self.optimizer.step_on_device(&mut self.params, &Tensor::new(gradient, &Device::Cpu)?, when)?;
            self.steps += 1;
        }
        self.optimizer.settle().map(drop)
    }

    /// Another that goes on from what this one shows of its state.
    fn resumed(&mut self, make: &dyn Fn() -> Result<Optimizer>) -> Result<Self> {
        let mut arrays = Arrays::default();
        self.optimizer.save("optimizer", &mut arrays)?;
        let mut other = Self::new(make)?;
        other.optimizer.restore("optimizer", &arrays, self.params.layout())?;
        other.params.set(&self.params.snapshot()?)?;
        other.steps = self.steps;
        Ok(other)
    }

    /// The parameters, and those that a finished policy should have.
    fn bits(&self) -> Result<Vec<u32>> {
        let after = self.optimizer.evaluation(&self.params)?.unwrap_or_default();
        Ok(self.params.snapshot()?.iter().chain(&after).map(|x| x.to_bits()).collect())
    }
}

fn normal(len: usize, which: u64) -> Vec<f32> {
    let mut rng = Seed(20).stream("optimizer check", which);
    (0..len).map(|_| 0.5 * <StandardNormal as Distribution<f32>>::sample(&StandardNormal, &mut rng)).collect()
}

/// What a rule finds. `Err` is a breach after which there is nothing more to look for.
type Found = Result<Vec<Finding>, Finding>;

/// One thing that is looked for.
type Rule = fn(&dyn Fn() -> Result<Optimizer>) -> Found;

const RULES: [Rule; 6] = [steps, repeats, names, goes_on, needs, on_tensors];

/// Looks at optimizers that `make` makes, and says what they do wrong or unusually; nothing is as it should be.
///
/// A transform that keeps something from step to step and does not show it in [`state`](super::GradientTransform::state) trains as it should,
/// and a run that is resumed goes another way: nothing else would say so.
///
/// ```
/// use uphill::optim::{Chain, Optimizer, check_optimizer, scale_by_learning_rate, trace};
///
/// assert_eq!(check_optimizer(|| Ok(Optimizer::new(Chain::new().then(trace(0.9)).then(scale_by_learning_rate(0.1))))), []);
/// ```
#[must_use]
pub fn check_optimizer(make: impl Fn() -> Result<Optimizer>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for rule in RULES {
        match rule(&make) {
            Ok(found) => findings.extend(found),
            Err(breach) => {
                findings.push(breach);
                break;
            }
        }
    }
    findings.sort_by_key(|finding| !finding.breach);
    findings
}

/// What comes of it, an error or a panic as a breach that says when.
fn tried<T>(when: &str, f: impl FnOnce() -> Result<T>) -> Result<T, Finding> {
    let remedy = "it is given a finite gradient of each parameter, and is to make a finite step of it";
    match catch_unwind(AssertUnwindSafe(f)) {
        Ok(outcome) => outcome.map_err(|e| Finding::breach(format!("{when} it fails: {e}"), remedy)),
        Err(_) => Err(Finding::breach(format!("{when} it panics"), remedy)),
    }
}

/// It can be made, and takes finite steps, some of which move something.
fn steps(make: &dyn Fn() -> Result<Optimizer>) -> Found {
    let made = catch_unwind(AssertUnwindSafe(|| Walk::new(make)));
    let cannot =
        |why: String| Finding::breach(format!("it cannot be made: {why}"), "make it of what it can be made of");
    let mut walk = made.map_err(|_| cannot("it panics".into()))?.map_err(|e| cannot(e.to_string()))?;
    let theta = tried("at first", || walk.params.snapshot())?;
    tried("in its first steps", || walk.go(ALL))?;
    let now = tried("after them", || walk.params.snapshot())?;
    let mut found = Vec::new();
    if now == theta {
        let what = format!("no parameter changes in {}", counted(ALL, "step"));
        found.push(Finding::habit(what, "what the last link leaves of a gradient is added to the parameters"));
    }
    // Against one and the same gradient: whatever it makes of it, the loss is to fall along it.
    let mut walk = tried("anew", || Walk::new(make))?;
    let gradient = normal(walk.params.layout().len(), 1);
    tried("with the same gradient again and again", || {
        for _ in 0..ALL {
            let when = walk.when();
            walk.optimizer.step(&mut walk.params, &gradient, when)?;
            walk.steps += 1;
        }
        Ok(())
    })?;
    let now = tried("after them", || walk.params.snapshot())?;
    let moved = now.iter().zip(&theta).map(|(now, before)| f64::from(now - before));
    let along: f64 = moved.zip(&gradient).map(|(by, &g)| by * f64::from(g)).sum();
    if along > 0.0 {
        let what = "where the gradient is the same in each step, parameters go with it and not against it";
        found.push(Finding::habit(what, "a gradient is that of a loss: end the chain with scale_by_learning_rate"));
    }
    Ok(found)
}

/// Two that are made alike take the same steps.
fn repeats(make: &dyn Fn() -> Result<Optimizer>) -> Found {
    let bits = || {
        let mut walk = Walk::new(make)?;
        walk.go(ALL)?;
        walk.bits()
    };
    match tried("made twice", bits)? == tried("made twice", bits)? {
        true => Ok(Vec::new()),
        false => Err(Finding::breach(
            "two that are made alike take other steps by the same gradients",
            "draw from a generator that is made of a seed, and keep nothing that two of them share",
        )),
    }
}

/// No two pieces of state have one name.
fn names(make: &dyn Fn() -> Result<Optimizer>) -> Found {
    let mut walk = tried("made anew", || Walk::new(make))?;
    tried("in its first steps", || walk.go(1))?;
    let (mut seen, mut twice) = (BTreeSet::new(), BTreeSet::new());
    tried("asked for its state", || {
        walk.optimizer.visit_state(&mut |name, _| {
            if !seen.insert(name.to_string()) {
                twice.insert(name.to_string());
            }
        })
    })?;
    match twice.first() {
        None => Ok(Vec::new()),
        Some(name) => Err(Finding::breach(
            format!("two pieces of its state are called `{}`", quoted(name)),
            "give each its own name: they are saved by it",
        )),
    }
}

/// One that is given the state of another goes on as that one does.
fn goes_on(make: &dyn Fn() -> Result<Optimizer>) -> Found {
    const REMEDY: &str =
        "show in `state` all that is kept from step to step, and give it in `make_room` the length that it has then";
    for before in [1, BEFORE] {
        let after = format!("after {}", counted(before, "step"));
        let mut walk = tried("made anew", || Walk::new(make))?;
        tried("in its first steps", || walk.go(before))?;
        let mut other = tried(&format!("given the state of another {after}"), || walk.resumed(make))
            .map_err(|finding| Finding::breach(finding.what, REMEDY))?;
        for walk in [&mut walk, &mut other] {
            tried(&format!("going on {after}"), || walk.go(AFTER))?;
        }
        if tried("after them", || walk.bits())? != tried("after them", || other.bits())? {
            let what = format!("given the state that another shows {after}, it goes on otherwise than that one");
            return Err(Finding::breach(what, REMEDY));
        }
    }
    Ok(Vec::new())
}

/// It keeps no more than it says.
fn needs(make: &dyn Fn() -> Result<Optimizer>) -> Found {
    let mut walk = tried("made anew", || Walk::new(make))?;
    let said = tried("asked what it needs", || Ok(walk.optimizer.needs(walk.params.layout()).state))?;
    tried("in its first steps", || walk.go(ALL))?;
    let kept = walk.optimizer.state_bytes();
    if kept <= said {
        return Ok(Vec::new());
    }
    let what = format!("it needs {} of state for a small network, and keeps {kept}", counted(said, "byte"));
    Ok(vec![Finding::breach(what, "max_memory goes by `needs`: reckon all that is kept there")])
}

/// On tensors it takes the steps that it takes on the host.
fn on_tensors(make: &dyn Fn() -> Result<Optimizer>) -> Found {
    let make_there = || Ok(make()?.through_tensors());
    let mut there = tried("made anew", || Walk::new(&make_there))?;
    if !there.optimizer.steps_on_device(&there.params) {
        return Ok(Vec::new());
    }
    let mut here = tried("made anew", || Walk::new(make))?;
    tried("in its first steps", || here.go(BEFORE))?;
    tried("on tensors", || there.go_on_tensors(BEFORE))?;
    let [before, here, there] = [Walk::new(make), Ok(here), Ok(there)]
        .map(|walk| tried("after them", || walk.and_then(|walk| walk.params.snapshot())));
    let (before, here, there) = (before?, here?, there?);
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
    let (apart, all) = (distance(&here, &there), distance(&here, &before));
    if apart <= NEAR * all {
        return Ok(Vec::new());
    }
    let what = format!(
        "its steps on tensors lead {apart:.0e} away from where those on the host lead, {all:.0e} from the start"
    );
    Ok(vec![Finding::breach(what, "let `on_tensors` make of a gradient what `update` makes of it")])
}

#[cfg(test)]
mod tests;
