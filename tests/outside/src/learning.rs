//! An objective and an algorithm: an actor-critic that is kept near indifference at first, and less and less so.

use candle_core::Tensor;
use uphill::Result;
use uphill::advantage::Gae;
use uphill::algo::{Algorithm, Learner, Make, Now, OnPolicy, Row};
use uphill::objective::{TensorBatch, Objective, Output, PolicyGradient, Report, Sum, ValueLoss};
use uphill::optim::Slot;
use uphill::rollout::{Horizon, Rollout};
use uphill::words::{Param, Range};
use uphill::UpdateReport;

pub const ROW: Row = Row {
    name: "calm",
    summary: "actor-critic with a pull towards indifference that fades",
    params: &[
        Param::count("n_steps", (1, 100_000), "16", "steps per lane between updates"),
        Param::fixed("gamma", Range::Share, "1", "discount factor"),
        Param::fixed("calm_coef", Range::NotNegative, "0.05", "weight of the pull to begin with"),
        Param::fixed("calm_decay", Range::Share, "0.98", "what an update leaves of that weight"),
    ],
    make: Make {
        settings: &[("envs", "8"), ("lr", "0.02")],
        build: |args, _| {
            let horizon = Horizon::Steps(args.count("n_steps")?);
            let objective = objective(args.number("calm_coef")?);
            let estimator = Box::new(Gae { gae_lambda: 0.95 });
            let inner = OnPolicy::new(horizon, args.number("gamma")?, estimator, objective);
            let (calm_coef, calm_decay) = (args.number("calm_coef")?, args.number("calm_decay")?);
            Ok(Box::new(Calm { inner, calm_coef, calm_decay }))
        },
    },
};

/// The log-probability of the actions taken, squared: least where all are alike.
#[derive(Debug)]
struct Indifference;

impl Objective for Indifference {
    fn loss(&self, batch: &TensorBatch, output: &Output, report: &mut Report) -> Result<Tensor> {
        let loss = output.policy.log_prob(&batch.action)?.sqr()?.mean_all()?;
        report.push("indifference", &loss);
        Ok(loss)
    }
}

fn objective(calm_coef: f64) -> Sum {
    PolicyGradient.plus(0.5, ValueLoss::default()).plus(calm_coef, Indifference)
}

#[derive(Debug)]
struct Calm {
    inner: OnPolicy,
    calm_coef: f64,
    calm_decay: f64,
}

impl Algorithm for Calm {
    fn horizon(&self) -> Horizon {
        self.inner.horizon()
    }

    fn needs_values(&self) -> bool {
        self.inner.needs_values()
    }

    fn most_steps(&self) -> u64 {
        self.inner.most_steps()
    }

    fn update(&mut self, learner: &mut Learner, rollout: &Rollout, now: Now<'_>) -> Result<UpdateReport> {
        self.inner.objective = objective(self.calm_coef);
        let mut report = self.inner.update(learner, rollout, now)?;
        report.terms.push(("calm_coef", self.calm_coef));
        self.calm_coef *= self.calm_decay;
        Ok(report)
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("calm_coef", Slot::Scalar(&mut self.calm_coef));
    }
}
