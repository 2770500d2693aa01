//! An optimizer of one's own, plugged into PPO by name: momentum whose steps all have the same length.
//!
//! ```text
//! cargo run --release --example custom_optimizer
//! cargo run --release --example custom_optimizer -- "clip_by_value(0.1) | normalized(lr=cosine(0.2, 0), momentum=0.8)"
//! ```

use std::process::ExitCode;

use clap::Parser;
use uphill::optim::scale_by_learning_rate;
use uphill::optim::{Chain, Context, GradientTransform, Make, Row, Schedule, Slot};
use uphill::screen::say;
use uphill::words::{Param, Range, Spec};
use uphill::{Catalogue, Config, Result, Seed, Trainer, cli};

/// `m ← μ·m + (1 − μ)·g`, `u = m / ‖m‖`.
#[derive(Debug)]
struct Normalized {
    momentum: Schedule,
    mean: Vec<f32>,
}

impl GradientTransform for Normalized {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let momentum = self.momentum.at(context.when) as f32;
        self.mean.resize(gradient.len(), 0.0);
        for (m, g) in self.mean.iter_mut().zip(&*gradient) {
            *m = momentum * *m + (1.0 - momentum) * g;
        }
        let norm = self.mean.iter().map(|m| m * m).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        gradient.iter_mut().zip(&self.mean).for_each(|(g, m)| *g = m / norm);
        Ok(())
    }

    /// What is kept from step to step, so that it can be saved.
    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("momentum", Slot::Schedule(&mut self.momentum));
        visit("mean", Slot::Vector(&mut self.mean));
    }
}

/// Its row in the table of optimizers: name, arguments with default, range and meaning, and the chain it stands for.
const NORMALIZED: Row = Row {
    name: "normalized",
    summary: "momentum with steps of the same length",
    params: &[Param::lr("0.1"), Param::number("momentum", Range::Decay, "0.9", "decay of the running mean")],
    make: Make::Recipe(|args| {
        let direction = Normalized { momentum: args.schedule("momentum")?, mean: Vec::new() };
        Ok(Chain::new().then(direction).then(scale_by_learning_rate(args.schedule("lr")?)))
    }),
};

/// PPO with an optimizer of one's own.
#[derive(Parser)]
struct Args {
    /// The optimizer, in which `normalized` is a word like any other
    #[arg(default_value = "normalized")]
    optimizer: Spec,
}

fn main() -> ExitCode {
    cli::run(train)
}

fn train(Args { optimizer }: &Args) -> Result<()> {
    let catalogue = Catalogue::default().with(NORMALIZED);
    let ppo = Config::for_algo("ppo")?;
    let config = Config { catalogue, optimizer: optimizer.clone(), lr: 0.1, steps: 100_000, ..ppo };
    let mut trainer = Trainer::new(&config)?;
    while let Some(metrics) = trainer.step()? {
        if metrics.env_steps % 10_240 == 0 {
            let (steps, mean) = (metrics.env_steps, metrics.episode_return_mean.unwrap_or(0.0));
            say(format_args!("{steps:>7} steps  mean return {mean:>5.1}"))?;
        }
    }
    let evaluated = trainer.into_policy()?.evaluate(100, Seed(1))?.return_mean;
    say(format_args!("evaluated: {:.1}", evaluated.unwrap_or(f64::NAN)))
}
