use std::ops::Range;

use super::loss_gradient::loss_gradient;
use super::natural::CRITIC;
use super::overshooting::bounded_step_size;
use super::params::{ENT_COEF, GAMMA, N_STEPS, scheduled};
use super::{Algorithm, Learner, Make, Now, Row};
use crate::advantage::{Estimator as _, Gae, Judged};
use crate::metrics::UpdateReport;
use crate::models::Model;
use crate::objective::{Eligibility, Objective as _};
use crate::optim::{Pattern, Slot};
use crate::rollout::{Horizon, Minibatch, Rollout};
use crate::words::{Args, Param, Range as Numbers};
use crate::{Error, Layout, Result};

pub(super) const ROW: Row = Row {
    name: "stream_ac",
    summary: "streaming actor-critic: learns from each step as it comes, by eligibility traces, and keeps none",
    params: &[
        Param {
            meaning: "steps per lane that an update, a row of the metrics, is made of; it learns after each",
            ..N_STEPS.or("256")
        },
        GAMMA,
        Param::fixed("trace_lambda", Numbers::Share, "0.8", "lambda of the traces: how far earlier steps are credited"),
        ENT_COEF.or("0.01"),
        Param::fixed(
            "kappa_policy",
            Numbers::NotNegative,
            "3",
            "how often the policy's step must fit into what would overshoot; 0 does not bound it",
        ),
        Param::fixed("kappa_value", Numbers::NotNegative, "2", "the same of the critic's"),
    ],
    make: Make {
        settings: &[
            ("model", "mlp(layer_norm=true, init=sparse)"),
            ("optimizer", "sgd"),
            ("lr", "1"),
            ("anneal_lr", "false"),
            ("max_grad_norm", "inf"),
            ("envs", "1"),
            ("normalize_observation", "true"),
            ("normalize_reward", "true"),
        ],
        build: |args, envs| Ok(Box::new(StreamAc::of(args, envs)?)),
    },
};

/// Stream AC(λ): one step of learning after each step of the environment, from that step alone.
///
/// ```math
///   δ   = r + γ·[not terminated]·V(s′) − V(s)
///   z_π ← γλ·z_π + ∇( log π(a|s) + ent_coef·sgn(δ)·H(π(·|s)) )        z_V ← γλ·z_V + ∇V(s)
///   θ   ← θ + α_π·δ·z_π                                              w   ← w + α_V·δ·z_V
/// ```
///
/// with steps of [bounded size](bounded_step_size), `α` of the optimizer's learning rate. A trace ends with its episode. Several lanes
/// have traces of their own, and the step is the mean of theirs. Parameters by the name of `critic.*` are the
/// critic's, all others, those that both share among them, the policy's.
///
/// Elsayed, Vasan and Mahmood 2024, algorithm 3, <https://arxiv.org/abs/2410.14606>; its networks are
/// drawn sparse and normalised, as the default is here, and have leaky rectifiers in two layers of 128.
#[derive(Debug)]
struct StreamAc {
    n_steps: usize,
    gamma: f64,
    trace_lambda: f64,
    /// Of the policy and of the critic.
    kappa: [f64; 2],
    objective: Eligibility,
    lanes: usize,
    /// `[N, P]`; empty before the first step.
    traces: Vec<f32>,
    /// Where the policy's parameters are, and where the critic's.
    parts: [Vec<Range<usize>>; 2],
    /// `[P]`: what the optimizer descends.
    step: Vec<f32>,
}

/// Sums over lanes.
#[derive(Default)]
struct Sums {
    value_loss: f64,
    entropy: f64,
    /// Of the policy and of the critic.
    step_size: [f64; 2],
}

impl StreamAc {
    fn of(args: &Args, lanes: usize) -> Result<Self> {
        Ok(Self {
            n_steps: args.count("n_steps")?,
            gamma: args.number("gamma")?,
            trace_lambda: args.number("trace_lambda")?,
            kappa: [args.number("kappa_policy")?, args.number("kappa_value")?],
            objective: Eligibility::new(scheduled(args, &ENT_COEF)?),
            lanes,
            traces: Vec::new(),
            parts: [Vec::new(), Vec::new()],
            step: Vec::new(),
        })
    }

    /// Makes room for parameters laid out so.
    fn fit(&mut self, layout: &Layout, lanes: usize) {
        self.step.clear();
        self.step.resize(layout.len(), 0.0);
        self.traces.resize(lanes * layout.len(), 0.0);
        if self.parts.iter().all(Vec::is_empty) {
            let of_critic = Pattern::new(CRITIC);
            for block in layout.blocks() {
                self.parts[usize::from(of_critic.matches(block))].push(block.range());
            }
        }
    }

    /// Replaces what is to be descended by the mean over the lanes of their bounded steps, at this learning rate.
    fn descent(&mut self, learner: &mut Learner, rollout: &Rollout, now: Now<'_>, lr: f64) -> Result<Sums> {
        let Learner { network, params, buffers, .. } = learner;
        let (estimate, gradient, sums, scratch) =
            (&buffers.estimate, &mut buffers.gradient, &mut buffers.sums, &mut buffers.scratch);
        let (decay, mut total, mut uploaded) = ((self.gamma * self.trace_lambda) as f32, Sums::default(), None);
        for (lane, trace) in self.traces.chunks_exact_mut(self.step.len()).enumerate() {
            let delta = estimate.advantage[lane] / estimate.unit.std;
            let sign = if delta == 0.0 { 0.0 } else { delta.signum() };
            let batch = Minibatch { rollout, estimate, places: &[lane], advantage: &[sign], stop: now.stop };
            loss_gradient(
                &self.objective,
                (&**network, params),
                batch,
                (&mut *scratch, &mut uploaded),
                (&mut *gradient, &mut *sums),
            )?;
            for (z, g) in trace.iter_mut().zip(gradient.iter()) {
                *z = decay * *z - g;
            }
            for (part, (kappa, total)) in self.parts.iter().zip(self.kappa.iter().zip(&mut total.step_size)) {
                let length: f32 = part.iter().map(|range| sum_of_absolutes(&trace[range.clone()])).sum();
                let size = bounded_step_size(lr, *kappa, delta.into(), length.into());
                // The optimizer multiplies by the learning rate.
                let share = if lr > 0.0 { size / lr } else { 1.0 };
                let by = (share * f64::from(delta) / rollout.lanes as f64) as f32;
                for range in part {
                    let step = self.step[range.clone()].iter_mut();
                    step.zip(&trace[range.clone()]).for_each(|(step, z)| *step -= by * z);
                }
                *total += size;
            }
            if rollout.end[lane].ended() {
                trace.fill(0.0);
            }
            total.value_loss += 0.5 * f64::from(delta).powi(2);
            total.entropy += sums.entries().iter().find(|(name, _)| *name == "entropy").map_or(0.0, |(_, sum)| *sum);
        }
        Ok(total)
    }
}

/// `‖x‖₁`, in several sums side by side.
fn sum_of_absolutes(x: &[f32]) -> f32 {
    let (chunks, rest) = x.as_chunks::<16>();
    let mut sums = [0.0f32; 16];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += x.abs());
    }
    sums.iter().sum::<f32>() + rest.iter().map(|x| x.abs()).sum::<f32>()
}

impl Algorithm for StreamAc {
    fn horizon(&self) -> Horizon {
        Horizon::Steps(1)
    }

    fn rollouts(&self) -> u64 {
        self.n_steps as u64
    }

    fn needs_values(&self) -> bool {
        true
    }

    fn most_steps(&self) -> u64 {
        1
    }

    fn copies(&self) -> usize {
        // The traces, once more where an update may have to go back to, and what is descended.
        2 * self.lanes + 1
    }

    // A part that has no parameters has no step to bound.
    fn check_network(&self, _: &dyn Model, layout: &Layout, _: usize) -> Result<()> {
        let of_critic = Pattern::new(CRITIC);
        let count = layout.blocks().iter().filter(|block| of_critic.matches(block)).count();
        for ((name, kappa), is_missing) in ["kappa_policy", "kappa_value"]
            .into_iter()
            .zip(self.kappa)
            .zip([count == layout.blocks().len(), count == 0])
        {
            let default = ROW.param(name).and_then(|param| param.default.parse::<f64>().ok());
            if is_missing && default != Some(kappa) {
                let whose = if count == 0 { "no block of the network is" } else { "all blocks of the network are" };
                let why = format!("{whose} named `{CRITIC}`, as what is the critic's own is");
                return Err(Error::Config(format!(
                    "{name} = {kappa} has no effect: {why}; leave it out, or name the critic's own so, and no other"
                )));
            }
        }
        Ok(())
    }

    fn update(&mut self, learner: &mut Learner, rollout: &Rollout, now: Now<'_>) -> Result<UpdateReport> {
        self.fit(learner.params.layout(), rollout.lanes);
        self.objective.begin(now.when);
        let estimate = &mut learner.buffers.estimate;
        estimate.shift.clear();
        let td_error = Gae { gae_lambda: 0.0 };
        td_error.estimate_into(rollout, self.gamma as f32, Judged::when_made(rollout), estimate);
        if let Some(values) = &mut learner.values {
            values.publish(rollout, estimate, &mut learner.params)?;
        }
        estimate.unit = learner.network.value_unit(&learner.params);
        let lr = learner.optimizer.learning_rate(now.when).unwrap_or(1.0);
        let sums = self.descent(learner, rollout, now, lr)?;
        let step = learner.optimizer.step_unless(&mut learner.params, &mut self.step, now.when, now.stop)?;
        let mean = |sum: f64| sum / rollout.lanes as f64;
        let terms = vec![
            ("value_loss", mean(sums.value_loss)),
            ("entropy", mean(sums.entropy)),
            ("policy_step_size", mean(sums.step_size[0])),
            ("value_step_size", mean(sums.step_size[1])),
        ];
        let (grad_norm, update_norm) = (step.grad_norm, step.update_norm);
        UpdateReport { terms, grad_norm, update_norm, explained_variance: f64::NAN }.finite()
    }

    fn lanes_moved(&mut self) {
        self.traces.fill(0.0);
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("traces", Slot::Vector(&mut self.traces));
    }
}
