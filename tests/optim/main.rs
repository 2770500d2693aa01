//! Optimizers: against their references, their properties, their text form, and their page of the documentation.

mod bad_gradients;
mod docs;
mod forged;
mod needs;
mod places;
mod properties;
mod reference;
mod scales;
mod schedules;
mod spans;
mod spec;
mod stops;
mod streams;

use candle_core::Device;
use uphill::optim::{Chain, Optimizer, Registry, Row, When};
use uphill::{Layout, Params};

/// Parameters in blocks of these names and shapes.
fn params(blocks: &[(&str, &[usize])], values: &[f32]) -> Params {
    let mut layout = Layout::default();
    for (name, shape) in blocks {
        layout.push(*name, shape);
    }
    Params::new(layout, values.to_vec(), &Device::Cpu).expect("as many values as places")
}

fn optimizer(spec: &str) -> Optimizer {
    Optimizer::new(spec.parse::<Chain>().unwrap_or_else(|error| panic!("{spec}: {error}")))
}

fn values(params: &Params) -> Vec<f32> {
    params.snapshot().expect("values")
}

/// Every recipe, and every other optimizer that must behave like one: wrappers around a recipe.
fn recipes() -> Vec<String> {
    let registry = Registry::default();
    let names = registry.recipes().map(|row: &Row| row.name.to_string());
    let wrapped = [
        "trac(adam)",
        "lookahead(adam)",
        "accumulate(2, adam)",
        "adam | ema(0.9)",
        "clip_by_value(0.5) | momentum",
        "clip_by_block_norm(0.5) | nesterov",
        "clip_by_block_rms(0.5) | adam",
        "adaptive_clip | sgd",
        "centralize | adam",
        "add_noise(eta=0.01) | adam",
        "decay_to_initial(0.1) | sgd",
        "sgd | decay_weights(0.01)",
        "rmsprop(preset=tf, centered=true, momentum=0.9)",
        "rmsprop(preset=optax, momentum=0.5)",
        "adafactor(form=optax)",
        "adam(lr=plateau(0.1, patience=0.02))",
        "partition(\"actor.*\", adam, \"*\", momentum)",
        "masked(\"weights\", centralize) | lion",
        "adam | shrink_and_perturb(every=2)",
    ];
    names.chain(wrapped.map(String::from)).collect()
}

/// The blocks that most tests use, P = 17.
const BLOCKS: &[(&str, &[usize])] = &[("actor.weight", &[3, 4]), ("actor.bias", &[3]), ("critic.bias", &[2])];

/// Numbers that look random, in ±1.
fn numbers(len: usize, seed: u64) -> Vec<f32> {
    use rand::RngExt;
    let mut rng = uphill::Seed(seed).stream("test", 0);
    (0..len).map(|_| rng.random_range(-1.0..1.0f32)).collect()
}

fn at(step: u64) -> When {
    When { progress: step as f64 / 100.0, update: 1 + step / 4 }
}
