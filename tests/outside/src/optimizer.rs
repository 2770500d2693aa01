//! Momentum whose steps all have the same length.

use uphill::Result;
use uphill::optim::{Chain, Context, GradientTransform, Make, Row, Schedule, Slot, scale_by_learning_rate};
use uphill::words::{Param, Range};

pub const ROW: Row = Row {
    name: "even",
    summary: "momentum with steps of the same length",
    params: &[Param::lr("0.05"), Param::number("momentum", Range::Decay, "0.9", "decay of the running mean")],
    make: Make::Recipe(|args| {
        let direction = Even { momentum: args.schedule("momentum")?, mean: Vec::new() };
        Ok(Chain::new().then(direction).then(scale_by_learning_rate(args.schedule("lr")?)))
    }),
};

#[derive(Debug)]
struct Even {
    momentum: Schedule,
    mean: Vec<f32>,
}

impl GradientTransform for Even {
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

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("momentum", Slot::Schedule(&mut self.momentum));
        visit("mean", Slot::Vector(&mut self.mean));
    }
}
