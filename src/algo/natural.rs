//! Natural policy gradients: steps that are measured by how far the policy moves.

use super::conjugate_gradients::{ConjugateGradients, Solved};
use super::judgement::Judgement;
use super::learner::Buffers;
use super::loss_gradient::loss_gradient;
use super::params::{ESTIMATOR, GAE_LAMBDA, GAMMA, N_EPOCHS, N_MINIBATCHES, N_STEPS, NORMALIZE_ADVANTAGE, estimator};
use super::{Algorithm, Learner, Now, OnPolicy};
use crate::advantage::{Estimator, Judged, normalize};
use crate::kernels::sum_of_squares;
use crate::metrics::UpdateReport;
use crate::models::Model;
use crate::objective::{ClippedSurrogate, PolicyGradient, Sum, ValueLoss};
use crate::optim::{Pattern, Slot, check_finite};
use crate::rollout::{Horizon, Minibatch, Rollout};
use crate::scratch::Scratch;
use crate::words::{Args, Kind, Param, Range};
use crate::{Error, Layout, Params, Result};

/// One step of the policy along its natural gradient, then the critic's regression on the rollout's returns.
///
/// ```math
///   (F + λ·I)·x = g          g = mean of Aₜ·∇log π(aₜ|sₜ),   F the policy's Fisher information in the rollout's states
///   θ ← θ + α·√(2·max_kl / xᵀ(F + λ·I)x)·x          α = 1, or what a line search finds
/// ```
///
/// `x` is found by conjugate gradients, with [`Model::fisher_vector_product`] for `F`. A step with `α = 1` has the divergence
/// `max_kl` by its quadratic approximation, or less, for λ is taken for part of `F`. Over several ranks all of it is
/// of their means, so that each takes the same step and reports the same of it; advantages are normalised by each rank over its own
/// rollout.
///
/// The policy's step knows of no optimizer. The critic is fitted by [`OnPolicy`] with a loss that has values in it and nothing else;
/// for it the optimizer [moves](Algorithm::optimized) the blocks `critic.*` alone, as if there were no others: neither a momentum nor a
/// decay of it moves the policy. What actor and critic share, a trunk, belongs to the policy: there the critic learns its own head on the
/// features that the policy has. Of two networks apart each has its own. A block that values alone read has to be named `critic.*`, too:
/// by another name nothing would ever move it. [`Algorithm::update`] binds a learner's optimizer to these blocks for good.
///
/// It reports `policy_loss`, minus the surrogate after the step; `surrogate_improvement`, by how much that is more than before; `kl`,
/// the mean of KL(π_old ‖ π), exactly; `entropy`, that of the policy after the step; `cg_residual`, `|g − (F + λ·I)·x| / |g|`; `policy_grad_norm`, `|g|`; and what the critic's
/// regression does. With a line search also `line_search_steps`, how many steps were tried, and `step_fraction`, the `α` that was
/// taken: 0 where none was, and the policy stayed as it was. No step is tried where there is no direction, as of advantages that are
/// all zero.
///
/// Kakade 2001, <https://papers.nips.cc/paper/2073-a-natural-policy-gradient>; the length of the step: Rajeswaran et al. 2017, eq. 5,
/// <https://arxiv.org/abs/1703.02660>, with `δ = 2·max_kl`; the line search: Schulman et al. 2015, appendix C, <https://arxiv.org/abs/1502.05477>.
#[derive(Debug)]
pub struct Natural {
    critic: OnPolicy,
    region: TrustRegion,
    normalize_advantage: bool,
    room: Room,
}

/// How far the policy may move in an update, and how its direction is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrustRegion {
    /// The divergence KL(π_old ‖ π) that a step comes to, or may come to.
    pub max_kl: f64,
    /// The most iterations of conjugate gradients.
    pub cg_iterations: usize,
    /// `λ`.
    pub cg_damping: f64,
    /// How a step is shortened until it is a good one; `None` takes it as it is.
    pub line_search: Option<LineSearch>,
}

/// Backtracking: the first of `α = 1, decay, decay², …` that raises the surrogate, `mean of Aₜ·π(aₜ|sₜ)/π_old(aₜ|sₜ)`, and whose
/// divergence is within `max_kl`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineSearch {
    /// How many steps are tried, at least 1.
    pub steps: usize,
    /// How much shorter each is than the one before, between 0 and 1.
    pub decay: f64,
}

/// What a step needs room for besides a learner's own, kept so that the next one does not allocate.
#[derive(Debug, Default)]
struct Room {
    /// The parameters before the step, and what they say.
    theta: Vec<f32>,
    old: Judgement,
    cg: ConjugateGradients,
    /// `[T, N]`.
    kl: Vec<f32>,
    /// Of Fisher-vector products.
    scratch: Scratch,
}

/// What a step did, over all ranks.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    improvement: f64,
    kl: f64,
    entropy: f64,
    tried: usize,
    /// 0 if none was taken.
    fraction: f64,
}

/// The blocks that values are fitted by.
pub(crate) const CRITIC: &str = "critic.*";

impl Natural {
    /// Policy steps within a region, and a critic fitted by such a loop. The loop's horizon, discount, estimator, passes and
    /// minibatches are taken; its objective and `target_kl` are not, and advantages are normalised over the whole rollout where it says
    /// that they are. What is estimated for the critic by an estimator that asks for log-probabilities, as V-trace does, is by those of
    /// the policy that acted in the first pass, though the policy has moved.
    #[must_use]
    pub fn new(critic: OnPolicy, region: TrustRegion) -> Self {
        let OnPolicy { horizon, gamma, estimator, normalize_advantage, n_epochs, n_minibatches, .. } = critic;
        let critic = regression((horizon, gamma, estimator), (n_epochs, n_minibatches));
        Self { critic, region, normalize_advantage, room: Room::default() }
    }

    /// By the arguments of [`PARAMS`].
    pub(super) fn of(args: &Args, line_search: Option<LineSearch>) -> Result<Self> {
        let returns = (Horizon::Steps(args.count("n_steps")?), args.number("gamma")?, estimator(args)?);
        let critic = regression(returns, (args.count("n_epochs")?, args.count("n_minibatches")?));
        let region = TrustRegion {
            max_kl: args.number("max_kl")?,
            cg_iterations: args.count("cg_iterations")?,
            cg_damping: args.number("cg_damping")?,
            line_search,
        };
        let normalize_advantage = args.flag("normalize_advantage")?;
        Ok(Self { critic, region, normalize_advantage, room: Room::default() })
    }

    /// Moves the policy; says what it did.
    fn step(&mut self, learner: &mut Learner, rollout: &Rollout, now: Now<'_>) -> Result<Vec<(&'static str, f64)>> {
        let Self { critic, region, normalize_advantage, room } = self;
        let Learner { network, params, buffers, .. } = learner;
        let network = &**network;
        let Buffers { estimate, places, advantage, judgement: new, gradient, sums, scratch: acting, .. } = buffers;
        let Room { theta, old, cg, kl, scratch } = room;
        estimate.shift.clear();
        critic.estimator.estimate_into(rollout, critic.gamma as f32, Judged::when_made(rollout), estimate);
        places.clear();
        places.extend(rollout.valid_steps());
        advantage.clear();
        advantage.extend(places.iter().map(|&i| estimate.advantage[i]));
        if *normalize_advantage {
            normalize(advantage);
        }
        let batch = Minibatch { rollout, estimate, places, advantage, stop: now.stop };
        loss_gradient(&PolicyGradient, (network, params), batch, (acting, &mut None), (gradient, sums))?;
        gradient.iter_mut().for_each(|g| *g = -*g);
        let norm = check_finite("gradient", params.layout(), gradient, sum_of_squares(gradient))?;
        check_apart(params.layout(), gradient)?;
        let Solved { curvature, residual } =
            cg.solve(gradient, (region.cg_damping, region.cg_iterations), |vector, product| {
                now.stop.check()?;
                network.fisher_vector_product(params, batch, vector, scratch, product)
            })?;
        old.judge(network, params, rollout, acting)?;
        let before = Before::of(old, batch);
        theta.clear();
        params.read(|values| theta.extend_from_slice(values))?;
        let measure = |params: &Params| {
            new.judge(network, params, rollout, acting)?;
            Ok(compared(old, new, batch, kl))
        };
        let length = (2.0 * region.max_kl / curvature).sqrt();
        let step = match length.is_finite() {
            true => region.search(params, (theta, cg.x(), length), now, measure),
            // There is no direction in which the surrogate rises.
            false => Ok(Step::default()),
        };
        let is_taken = step.as_ref().is_ok_and(|step| step.fraction > 0.0);
        if !is_taken {
            params.set(theta)?;
        }
        let step = step?;
        let mut terms = vec![
            ("policy_loss", -(before.surrogate + step.improvement)),
            ("surrogate_improvement", step.improvement),
            ("kl", step.kl),
            ("entropy", if is_taken { step.entropy } else { before.entropy }),
            ("cg_residual", residual),
            ("policy_grad_norm", norm),
        ];
        if region.line_search.is_some() {
            terms.extend([("line_search_steps", step.tried as f64), ("step_fraction", step.fraction)]);
        }
        Ok(terms)
    }
}

/// What fits a critic to the returns of such rollouts, in so many passes and minibatches. It reads no advantages.
fn regression(
    (horizon, gamma, estimator): (Horizon, f64, Box<dyn Estimator>),
    (n_epochs, n_minibatches): (usize, usize),
) -> OnPolicy {
    OnPolicy { n_epochs, n_minibatches, ..OnPolicy::new(horizon, gamma, estimator, Sum::of(ValueLoss::default())) }
}

impl TrustRegion {
    /// Goes from `theta` along `x`, so many times its length, and less far until a step is a good one. If none is, the parameters are
    /// those of the last that was tried.
    ///
    /// # Errors
    /// [`Error::NotFinite`] without a line search if the policy leaves the real numbers, and what `measure` fails with.
    fn search(
        &self,
        params: &mut Params,
        (theta, x, length): (&[f32], &[f64], f64),
        now: Now<'_>,
        mut measure: impl FnMut(&Params) -> Result<Step>,
    ) -> Result<Step> {
        let LineSearch { steps, decay } = self.line_search.unwrap_or(LineSearch { steps: 1, decay: 1.0 });
        let mut fraction = 1.0;
        for tried in 1..=steps {
            now.stop.check()?;
            let step = fraction * length;
            params.update(|to| {
                let from = theta.iter().zip(x);
                to.iter_mut().zip(from).for_each(|(to, (&from, x))| *to = (f64::from(from) + step * x) as f32);
            })?;
            let step = Step { tried, fraction, ..measure(params)? };
            let is_finite = step.improvement.is_finite() && step.kl.is_finite();
            let is_within = step.improvement > 0.0 && step.kl <= self.max_kl;
            match self.line_search {
                None if !is_finite => {
                    return Err(Error::NotFinite { what: "the policy after a step along its natural gradient".into() });
                }
                Some(_) if !(is_finite && is_within) => fraction *= decay,
                _ => return Ok(step),
            }
        }
        Ok(Step { tried: steps, ..Step::default() })
    }
}

/// What there is before a step.
#[derive(Debug, Clone, Copy)]
struct Before {
    /// That of the policy that acted, whose ratios are all 1.
    surrogate: f64,
    entropy: f64,
}

impl Before {
    fn of(old: &Judgement, batch: Minibatch<'_>) -> Self {
        let surrogate: f64 = batch.advantage.iter().map(|&a| f64::from(a)).sum();
        let entropy: f64 = batch.places.iter().map(|&place| f64::from(old.entropy()[place])).sum();
        let count = batch.places.len() as f64;
        Self { surrogate: f64::from((surrogate / count) as f32), entropy: f64::from((entropy / count) as f32) }
    }
}

/// What the surrogate, the divergence and the entropy have become from one policy to another: means over the steps of a minibatch.
fn compared(old: &Judgement, new: &Judgement, batch: Minibatch<'_>, kl: &mut Vec<f32>) -> Step {
    if let (Some(old), Some(new)) = (old.policy(), new.policy()) {
        old.kl(new, kl);
    }
    let (mut improvement, mut divergence, mut entropy) = (0.0, 0.0, 0.0);
    for (&place, &advantage) in batch.places.iter().zip(batch.advantage) {
        let log_ratio = f64::from(new.log_prob()[place]) - f64::from(old.log_prob()[place]);
        improvement += f64::from(advantage) * log_ratio.exp_m1();
        divergence += f64::from(kl[place]);
        entropy += f64::from(new.entropy()[place]);
    }
    let count = batch.places.len() as f64;
    let [improvement, kl, entropy] = [improvement, divergence, entropy].map(|sum| f64::from((sum / count) as f32));
    Step { improvement, kl, entropy, ..Step::default() }
}

/// Refuses a network whose policy depends on what is the critic's by its name.
fn check_apart(layout: &Layout, gradient: &[f32]) -> Result<()> {
    let of_critic = Pattern::new(CRITIC);
    let mut blocks = layout.blocks().iter().filter(|block| of_critic.matches(block));
    match blocks.find(|block| gradient[block.range()].iter().any(|&g| g != 0.0)) {
        None => Ok(()),
        Some(block) => {
            let name = &block.name;
            let problem = "is the critic's by its name, whose regression would move the policy, which depends on it";
            Err(Error::Config(format!(
                "the block `{name}` {problem}: give it a name that does not begin with `critic.`"
            )))
        }
    }
}

impl Algorithm for Natural {
    fn horizon(&self) -> Horizon {
        self.critic.horizon
    }

    fn needs_values(&self) -> bool {
        self.critic.needs_values()
    }

    fn most_steps(&self) -> u64 {
        self.critic.most_steps()
    }

    fn passes(&self) -> u64 {
        // One for the gradient, one for each product, and one that shows how well the system was solved.
        self.critic.passes().saturating_add(self.region.cg_iterations as u64 + 2)
    }

    fn copies(&self) -> usize {
        // The parameters before the step; four vectors in f64, what is multiplied and its product; of a product the sums of the threads'
        // shares, or parameters ahead and behind.
        1 + 4 * 2 + 2 + 8
    }

    fn optimized(&self) -> Option<Pattern> {
        Some(Pattern::new(CRITIC))
    }

    fn check_network(&self, network: &dyn Model, layout: &Layout, lanes: usize) -> Result<()> {
        self.critic.check_network(network, layout, lanes)?;
        let of_critic = Pattern::new(CRITIC);
        let count = layout.blocks().iter().filter(|block| of_critic.matches(block)).count();
        if count > 0 && count < layout.blocks().len() {
            return Ok(());
        }
        let is_missing = if count == 0 { "no block of the network is" } else { "all blocks of the network are" };
        let what = "a natural gradient moves the policy, and the optimizer the blocks `critic.*` alone";
        Err(Error::Config(format!("{what}; {is_missing} named so: name the critic's own so, and no other")))
    }

    /// Minus the surrogate, whose slope where the rollout was made is minus `g`; the critic's regression has no part in it.
    fn into_loss(self: Box<Self>) -> Option<OnPolicy> {
        let Self { critic, normalize_advantage, .. } = *self;
        Some(OnPolicy { objective: Sum::of(ClippedSurrogate::new(f64::INFINITY)), normalize_advantage, ..critic })
    }

    fn update(&mut self, learner: &mut Learner, rollout: &Rollout, now: Now<'_>) -> Result<UpdateReport> {
        self.check_network(&*learner.network, learner.params.layout(), rollout.lanes)?;
        learner.optimizer.move_only(&Pattern::new(CRITIC));
        let mut terms = self.step(learner, rollout, now)?;
        // Afterwards, for the features of a trunk that both share have moved.
        let mut report = self.critic.update(learner, rollout, now)?;
        terms.append(&mut report.terms);
        UpdateReport { terms, ..report }.finite()
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        self.critic.state(visit);
    }
}

/// The most iterations of conjugate gradients, and of a line search.
const MOST: u64 = 10_000;

/// The arguments that such rows have in common.
pub(super) const PARAMS: [Param; 10] = [
    N_STEPS,
    Param { meaning: "passes of the critic over each rollout", ..N_EPOCHS.or("10") },
    N_MINIBATCHES.or("16"),
    GAMMA,
    GAE_LAMBDA,
    ESTIMATOR,
    Param {
        meaning: "whether to give advantages mean 0 and deviation 1 over each rollout",
        ..NORMALIZE_ADVANTAGE.or("true")
    },
    Param::fixed("max_kl", Range::Positive, "0.01", "KL divergence of a step from the policy that acted"),
    Param {
        name: "cg_iterations",
        kind: Kind::Count(1, MOST),
        default: "10",
        meaning: "most iterations of conjugate gradients",
    },
    Param::fixed("cg_damping", Range::NotNegative, "0.1", "what is added to the diagonal of the Fisher information"),
];

/// Those of a line search.
pub(super) const LINE_SEARCH: [Param; 2] = [
    Param {
        name: "line_search_steps",
        kind: Kind::Count(1, MOST),
        default: "10",
        meaning: "how many lengths of a step are tried",
    },
    Param::fixed("line_search_decay", Range::Decay, "0.8", "how much shorter each is than the one before"),
];
