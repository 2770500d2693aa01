//! Exact policy gradients on a finite MDP: what sampled estimators must equal on average.
//!
//! Estimators that play whole episodes, and leave out the discount before a step as nearly all do, equal
//! [`exact_episode_gradient`] if their returns or critics have no bias. That is the gradient of the return,
//! [`exact_policy_gradient`], only at `gamma = 1`; and none of this knows of a time limit. Windows that cut episodes weigh
//! states by [`visits`](FiniteMdp::visits) instead, see [`weighted_gradient`].
//!
//! A [`FiniteMdp`] (from [`GridWorld::model`](uphill_envs::GridWorld::model), or one's own) knows every probability,
//! so values, visits and the gradient of the return can be computed rather than sampled.

use candle_core::Tensor;
use uphill_envs::{FiniteMdp, counted, quoted};

use crate::episodes::LONGEST;
use crate::error::check_len;
use crate::models::Model;
use crate::{Config, Error, Params, Result};

/// The policy in every state of the MDP, `[S, A]`, each row a distribution.
///
/// # Errors
/// [`Error::Shape`] if network and MDP do not fit each other.
pub fn policy_table(network: &dyn Model, params: &Params, mdp: &FiniteMdp) -> Result<Vec<f64>> {
    let probabilities = probabilities(network, params, mdp)?.to_vec2::<f32>()?;
    let normalised = |row: Vec<f32>| {
        let total: f64 = row.iter().map(|&p| f64::from(p)).sum();
        row.into_iter().map(move |p| f64::from(p) / total)
    };
    Ok(probabilities.into_iter().flat_map(normalised).collect())
}

/// The expected discounted return of an episode, `J(θ)`.
///
/// # Errors
/// [`Error::Mdp`] where it does not exist (`gamma = 1` and a policy that may never end).
pub fn exact_return(network: &dyn Model, params: &Params, mdp: &FiniteMdp, gamma: f64) -> Result<f64> {
    Ok(mdp.start_value(&policy_table(network, params, mdp)?, gamma)?)
}

/// The probability that an episode of a policy, `[S, A]`, takes more than so many steps.
///
/// # Errors
/// [`Error::Shape`] for a policy of another size.
pub fn longer_than(policy: &[f64], mdp: &FiniteMdp, limit: u32) -> Result<f64> {
    check_len("the policy", mdp.states() * mdp.actions(), policy.len())?;
    let mut under_way = mdp.start().to_vec();
    for _ in 0..limit {
        let mut next = vec![0.0; mdp.states()];
        for (place, probability) in policy.iter().enumerate() {
            let (state, action) = (place / mdp.actions(), place % mdp.actions());
            let flow = under_way[state] * probability;
            for outcome in mdp.outcomes(state, action).iter().filter(|outcome| flow > 0.0 && !outcome.terminal) {
                next[outcome.next] += flow * outcome.probability;
            }
        }
        under_way = next;
    }
    Ok(under_way.iter().sum())
}

/// The largest undiscounted return that a policy can expect in an environment with a model, within its limit of steps or,
/// without one, within those of an evaluation. Not known of a world too large to find out in a moment, or an impossible one.
#[must_use]
pub fn optimal_return(config: &Config) -> Option<f64> {
    /// States times steps, and numbers of all observations.
    const MOST: usize = 4_000_000;
    let env = config.make_envs(1).ok()?;
    let limit = env.spec().max_episode_steps.unwrap_or(LONGEST);
    let numbers = env.spec().observation_len();
    let is_small = |states: usize, numbers: usize| states.saturating_mul(numbers.max(limit as usize)) <= MOST;
    // Before there is a model, whose states are as many as the numbers that show which of them it is.
    if !is_small(numbers, numbers) {
        return None;
    }
    // A map may be shown in two numbers; a quarter of it, at least, is taken to be walked on, and boxes to stand anywhere there.
    let (_, args) = config.env_row().ok()?;
    let (rows, boxes) = (args.texts("map").unwrap_or_default(), args.text("boxes").unwrap_or_default());
    let walked = rows.iter().map(|row| row.chars().count()).sum::<usize>() / 4;
    let boxes = rows.iter().flat_map(|row| row.chars()).filter(|&letter| boxes.contains(letter)).count();
    let ways = (0..boxes).fold(1_usize, |ways, k| ways.saturating_mul(walked.saturating_sub(k)) / (k + 1));
    if !is_small(walked.saturating_mul(ways), walked.max(numbers)) {
        return None;
    }
    let mdp = config.model_of_returns().ok()??;
    is_small(mdp.states(), numbers).then(|| mdp.optimal_value_within(limit))
}

/// The exact policy gradient `∇J(θ)`, `[P]`: what estimators follow that have `γᵗ` before each step, and at `gamma = 1`
/// all that are unbiased.
///
/// ```math
///   ∇J = Σₛ d(s) Σₐ ∇π(a|s)·Q(s,a)          d(s) = Σₜ γᵗ Pr(sₜ = s)
/// ```
///
/// Sutton et al. 2000, theorem 1.
///
/// # Errors
/// As [`exact_return`].
pub fn exact_policy_gradient(network: &dyn Model, params: &Params, mdp: &FiniteMdp, gamma: f64) -> Result<Tensor> {
    let coefficients = mdp.gradient_coefficients(&policy_table(network, params, mdp)?, gamma)?;
    weighted_gradient(network, params, mdp, &coefficients)
}

/// What estimators follow that play whole episodes and leave out the discount before a step, as nearly all do, `[P]`.
///
/// ```math
///   Σₛ η(s) Σₐ ∇π(a|s)·Q(s,a)          η(s) = Σₜ Pr(sₜ = s),   Q discounted by γ
/// ```
///
/// At `gamma = 1` this is `∇J`; below, states count alike however late they come, and it may point quite another way.
///
/// Thomas 2014, *Bias in natural actor-critic algorithms*, <https://proceedings.mlr.press/v32/thomas14.html>.
///
/// # Errors
/// As [`exact_return`]; [`Error::Mdp`] also for a policy that may never end, whatever the discount.
pub fn exact_episode_gradient(network: &dyn Model, params: &Params, mdp: &FiniteMdp, gamma: f64) -> Result<Tensor> {
    let policy = policy_table(network, params, mdp)?;
    let (visits, values) = (mdp.occupancy(&policy, 1.0)?, mdp.action_values(&policy, gamma)?);
    let rows = visits.iter().zip(values.chunks_exact(mdp.actions()));
    let coefficients: Vec<f64> = rows.flat_map(|(visits, row)| row.iter().map(move |q| visits * q)).collect();
    weighted_gradient(network, params, mdp, &coefficients)
}

/// `Σₛₐ c(s,a)·∇π(a|s)`, `[P]`, for coefficients `[S, A]` held fixed.
///
/// With `c = d(s)·Q(s,a)` it is the gradient of the discounted return; with another weight of the states in place of `d`,
/// what an estimator that samples states with that weight follows.
///
/// # Errors
/// [`Error::Shape`] if network, MDP and coefficients do not fit each other.
pub fn weighted_gradient(
    network: &dyn Model,
    params: &Params,
    mdp: &FiniteMdp,
    coefficients: &[f64],
) -> Result<Tensor> {
    let probabilities = probabilities(network, params, mdp)?;
    let (expected, got) = (probabilities.dims().to_vec(), vec![coefficients.len()]);
    if coefficients.len() != probabilities.elem_count() {
        return Err(Error::Shape { what: "the coefficients".into(), expected, got });
    }
    let coefficients = Tensor::from_iter(coefficients.iter().map(|&c| c as f32), probabilities.device())?;
    params.gradient(&(probabilities * coefficients.reshape(expected)?)?.sum_all()?)
}

/// `π(a|s)` of every action in every state, `[S, A]`; several choices are one among all their combinations, the last of them first
/// to move.
fn probabilities(network: &dyn Model, params: &Params, mdp: &FiniteMdp) -> Result<Tensor> {
    let policy = network.distribution();
    let components = policy.components();
    let joint = components.iter().fold(1usize, |product, &n| product.saturating_mul(n));
    if components.is_empty() {
        let policy = quoted(&format!("{policy:?}"));
        let actions = counted(mdp.actions(), "action");
        return Err(Error::Config(format!("the network's policy, {policy}, is no choice among the MDP's {actions}")));
    }
    let (expected, got) = (vec![mdp.observation_len(), mdp.actions()], vec![network.observation_len(), joint]);
    if expected != got {
        return Err(Error::Shape { what: "the network (observation, actions)".into(), expected, got });
    }
    if network.memory() > 0 {
        let problem = "the network has a memory: what it does in a state goes by what was before, and has no exact return or gradient";
        return Err(Error::Config(problem.into()));
    }
    let shape = (mdp.states(), mdp.observation_len());
    let observation = Tensor::from_slice(mdp.observations(), shape, params.device())?;
    let (mut outputs, _) = network.forward(params, &observation)?;
    if let Some(masks) = mdp.masks() {
        if components.len() > 1 {
            let problem =
                "a model says of whole actions which are legal, and the network's policy makes several choices";
            return Err(Error::Config(problem.into()));
        }
        // A terminal state may have no legal action, and takes none.
        let rows = masks.chunks_exact(mdp.actions());
        let legal = rows.flat_map(|row| row.iter().map(|&legal| u8::from(legal || !row.contains(&true))));
        let legal = Tensor::from_iter(legal, outputs.device())?.reshape(outputs.shape())?;
        let forbidden = Tensor::full(f32::NEG_INFINITY, outputs.shape(), outputs.device())?;
        outputs = legal.where_cond(&outputs, &forbidden)?;
    }
    let policy = policy.tensor(&outputs)?;
    let of = |action: usize| {
        let chosen: Vec<u32> = action_at(action, &components).collect();
        let all = chosen.repeat(mdp.states());
        let shape = if chosen.len() == 1 { vec![mdp.states()] } else { vec![mdp.states(), chosen.len()] };
        policy.log_prob(&Tensor::from_vec(all, shape, params.device())?)
    };
    let columns = (0..joint).map(of).collect::<Result<Vec<_>>>()?;
    Ok(Tensor::stack(&columns, 1)?.exp()?)
}

/// The choices that a combination is made of.
fn action_at(action: usize, components: &[usize]) -> impl Iterator<Item = u32> {
    components.iter().enumerate().map(move |(k, &n)| {
        let later: usize = components[k + 1..].iter().product();
        (action / later % n) as u32
    })
}
