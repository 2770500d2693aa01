//! Whether autograd's gradient of a network is the slope of what the network puts out.

use candle_core::Tensor;
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use thiserror::Error;
use uphill_envs::{Space, Spec};

use super::{Model, Sequences, rows};
use crate::error::check_len;
use crate::layout::Block;
use crate::objective::Output;
use crate::seed::{Rng, Seed};
use crate::{Error, Params, Result};

/// How far the gradient of one block lies from the slope of one of the network's outputs.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BlockSlope {
    /// The block's name.
    pub block: String,
    /// `log-probabilities` or `values`, whichever deviates more.
    pub output: &'static str,
    /// The slope by autograd, along the direction in which it lies farthest off.
    pub autograd: f64,
    /// The slope along the same direction by central differences.
    pub differences: f64,
    /// The largest distance between the two over all directions, less what the differences are uncertain by, in parts of
    /// the steepest slope of this output along the block. 0 where nothing is known: at a kink, or where the outputs
    /// hardly change.
    pub deviation: f64,
}

/// What [`gradient::check`](crate::gradient::check) found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct GradientCheck {
    /// One a block, in the layout's order.
    pub blocks: Vec<BlockSlope>,
}

impl GradientCheck {
    /// The block that deviates most; `None` if there is no block.
    #[must_use]
    pub fn worst(&self) -> Option<&BlockSlope> {
        self.blocks.iter().max_by(|a, b| a.deviation.total_cmp(&b.deviation))
    }

    /// The same, if no block deviates by more than `tolerance`. Rounding leaves far less than 0.01, and kinks, as ReLU has
    /// them, less than 0.1.
    ///
    /// # Errors
    /// [`GradientError`] with the blocks that do.
    pub fn within(self, tolerance: f64) -> Result<Self, GradientError> {
        let wrong: Vec<_> = self.blocks.iter().filter(|slope| slope.deviation > tolerance).cloned().collect();
        if wrong.is_empty() { Ok(self) } else { Err(GradientError { blocks: wrong }) }
    }
}

/// Blocks of parameters whose gradient is not the slope of the network's outputs.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{}", self.message())]
#[non_exhaustive]
pub struct GradientError {
    /// Those blocks, at least one.
    pub blocks: Vec<BlockSlope>,
}

impl From<GradientError> for Error {
    fn from(error: GradientError) -> Self {
        Self::part(error)
    }
}

impl GradientError {
    fn message(&self) -> String {
        let names: Vec<_> = self.blocks.iter().map(|slope| format!("`{}`", slope.block)).collect();
        let steepest = self.blocks.iter().max_by(|a, b| a.differences.abs().total_cmp(&b.differences.abs()));
        let example = steepest.map_or(String::new(), |BlockSlope { block, output, autograd, differences, .. }| {
            format!("the slope of the {output} along `{block}` is {differences:.3}, autograd says {autograd:.3}")
        });
        format!(
            "the network learns wrongly in {}: {example}. An operation without a backward pass cuts the graph without \
             a word: of candle_nn `layer_norm` with a bias (take `layer_norm_no_bias`, or `ops::layer_norm_slow`), \
             `rms_norm` (`RmsNorm::forward_diff`, or `ops::rms_norm_slow`), `ops::softmax_last_dim` (`ops::softmax`), \
             `rotary_emb::rope` (`rope_slow`), `ops::sdpa` (matrix products and `ops::softmax`), and whatever goes \
             through `apply_op1_no_bwd` or its like. If it is meant so, the network says it by `Model::detached`",
            names.join(", ")
        )
    }
}

/// Compares autograd's gradient of a network with central differences, block by block, at these parameters and
/// observations, `[B, D]`; those of a network with a memory are the first steps of one episode.
///
/// ```text
///   ∂/∂θ Σ w·log π and ∂/∂θ Σ u·V, times d,     against     (L(θ + h·d) − L(θ − h·d)) / 2h
/// ```
///
/// The weights `w` and `u` and eight directions `d` a block are drawn from fixed seeds, `h` is taken where
/// several step sizes agree best. The parameters are changed on the way, and left as they were.
///
/// ```
/// use candle_core::Module;
/// use candle_nn::{linear, seq};
/// use uphill::models::{Site, apart};
/// use uphill::{ModuleModel, Seed, envs, gradient};
///
/// let spec = envs::make("CartPole-v1")?.spec().clone();
/// let (mut params, network) = ModuleModel::new(&Site::new(&spec, Seed(1)), |vb| {
///     let actor = seq().add(linear(4, 8, vb.pp("actor.0"))?).add_fn(|x| x.tanh()).add(linear(8, 2, vb.pp("actor.1"))?);
///     let critic = linear(4, 1, vb.pp("critic"))?;
///     Ok(apart(Box::new(actor), Box::new(critic)))
/// })?;
/// let observations = [0.1, -0.2, 0.3, 0.4, -0.5, 0.6, -0.7, 0.8];
/// let found = gradient::check(&network, &mut params, &observations)?.within(0.01)?;
/// assert_eq!(found.blocks.len(), 6);
/// # Ok::<(), uphill::Error>(())
/// ```
///
/// # Errors
/// [`Error::Shape`] if `observations` is not a whole number of rows, [`Error::Config`] without any row or for a network
/// that answers the same question in different ways, [`Error::NotFinite`] if it answers with NaN, and what its forward
/// and backward passes fail with.
pub fn check(network: &dyn Model, params: &mut Params, observations: &[f32]) -> Result<GradientCheck> {
    let (width, device) = (network.observation_len(), params.device().clone());
    let batch = rows(observations, width)?;
    if batch == 0 {
        return Err(Error::Config("a gradient is checked on at least 1 observation, not 0".into()));
    }
    let observation = Tensor::from_slice(observations, (batch, width), &device)?;
    if !answers_alike(network, params, &observation)? {
        let random = "the network answers the same observations differently each time: its gradient cannot be checked";
        return Err(Error::Config(random.into()));
    }
    if !Outputs::of(network, params, &observation)?.usable() {
        return Err(Error::NotFinite { what: "what the network answers to these observations".into() });
    }
    let blocks: Vec<usize> = (0..params.layout().blocks().len()).collect();
    Ok(GradientCheck { blocks: slopes(network, params, &observation, &blocks, 8)? })
}

/// Refuses a network with a block whose gradient autograd gets wrong: at generic parameters, as a head of zeros hides all
/// that is before it, and only what is wrong at each of several, as units may be dead or at their kink at one.
///
/// Nothing is said of a network that chance makes answer differently each time, or that is finite at none of them.
///
/// # Errors
/// [`GradientError`](crate::models::GradientError) with the blocks, and what a forward or backward pass fails with.
pub(crate) fn require_slopes(network: &dyn Model, params: &mut Params, spec: &Spec) -> Result<()> {
    check_len("the network's input", spec.observation_len(), network.observation_len())?;
    let shape = (PROBE_ROWS, spec.observation_len());
    let observation = Tensor::from_vec(probe(&spec.observation), shape, params.device())?;
    if !answers_alike(network, params, &observation)? {
        return Ok(());
    }
    let start = params.snapshot()?;
    let wrong = wrong_everywhere(network, params, &observation, &start);
    params.set(&start)?;
    let blocks = wrong?;
    if blocks.is_empty() { Ok(()) } else { Err(GradientError { blocks }.into()) }
}

/// Observations that a new network is tried on.
const PROBE_ROWS: usize = 8;
/// Parameters that it is tried at.
const POINTS: u64 = 3;
/// The deviation from which on a gradient is another: what rounding and curvature leave is a hundredth of it.
const WRONG: f64 = 0.2;

fn wrong_everywhere(
    network: &dyn Model,
    params: &mut Params,
    observation: &Tensor,
    start: &[f32],
) -> Result<Vec<BlockSlope>> {
    let layout = params.layout().clone();
    let mut suspects: Vec<usize> =
        (0..layout.blocks().len()).filter(|&i| !network.detached(&layout.blocks()[i].name)).collect();
    let mut wrong = Vec::new();
    for point in 0..POINTS {
        if suspects.is_empty() || !move_to(point, network, params, observation, start)? {
            return Ok(Vec::new());
        }
        let found = slopes(network, params, observation, &suspects, 2)?;
        (suspects, wrong) = suspects.into_iter().zip(found).filter(|(_, slope)| slope.deviation > WRONG).unzip();
    }
    Ok(wrong)
}

/// Moves the parameters away from where they started, less far where the network does not stand it; says whether it
/// stands any of it.
fn move_to(point: u64, network: &dyn Model, params: &mut Params, observation: &Tensor, start: &[f32]) -> Result<bool> {
    for by in [1.0, 0.1, 0.01] {
        let mut rng = SEED.stream("point", point);
        let mut values = start.to_vec();
        for block in params.layout().blocks() {
            // Of matrices as far as they are usually drawn; of biases and scales, which start at 0 and 1, less.
            let far = if block.shape.len() > 1 { 0.5 * reach(block) } else { 0.1 };
            for value in &mut values[block.range()] {
                let normal: f64 = StandardNormal.sample(&mut rng);
                *value += (by * far * normal) as f32;
            }
        }
        params.set(&values)?;
        if Outputs::of(network, params, observation)?.usable() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where all that is drawn here comes from: the same in every run.
const SEED: Seed = Seed(0);

/// Observations inside a space, near zero where it allows them, `[PROBE_ROWS, D]`.
fn probe(space: &Space) -> Vec<f32> {
    let mut rng = SEED.stream("probe", 0);
    (0..PROBE_ROWS).flat_map(|_| within(space, &mut rng)).collect()
}

/// An observation inside a space, near zero where it allows that, `[D]`.
pub(crate) fn within(space: &Space, rng: &mut Rng) -> Vec<f32> {
    let index = |n: usize, rng: &mut Rng| rng.random_range(0..n.clamp(1, 1 << 20)) as f32;
    match space {
        Space::Discrete { n } => vec![index(*n, rng)],
        Space::MultiDiscrete { n } => n.iter().map(|&n| index(n, rng)).collect(),
        Space::MultiBinary { n } => (0..*n).map(|_| index(2, rng)).collect(),
        Space::Box { low, high } => {
            let between = |(&low, &high): (&f32, &f32)| {
                let (from, to) = (low.max(-2.0).min(high), high.min(2.0).max(low));
                from + (to - from) * rng.random::<f32>()
            };
            low.iter().zip(high).map(between).collect()
        }
        Space::Image { max, .. } => (0..space.flat_len()).map(|_| index(usize::from(*max) + 1, rng)).collect(),
    }
}

/// How far one number of a block may go for outputs to change by about as much as their inputs are large.
fn reach(block: &Block) -> f64 {
    let fan: usize = block.shape.iter().skip(1).product();
    1.0 / (fan.max(1) as f64).sqrt()
}

/// Log-probabilities `[B, A]` and values `[B]` on the host.
#[derive(PartialEq)]
struct Outputs([Vec<f32>; 2]);

impl Outputs {
    fn of(network: &dyn Model, params: &Params, observation: &Tensor) -> Result<Self> {
        let output = answer(network, params, observation)?;
        let numbers = |x: &Tensor| x.detach().flatten_all()?.to_vec1();
        Ok(Self([numbers(&output.policy.described()?)?, numbers(&output.value)?]))
    }

    /// Whether slopes can be taken here: an action may be out of the question, all else must be finite.
    fn usable(&self) -> bool {
        let [log_probs, values] = &self.0;
        log_probs.iter().all(|&l| l < f32::INFINITY) && values.iter().all(|v| v.is_finite())
    }
}

/// What a network says of observations; with a memory, of the steps of one episode.
fn answer(network: &dyn Model, params: &Params, observation: &Tensor) -> Result<Output> {
    if network.memory() == 0 {
        return network.answer(params, observation);
    }
    let observation: Vec<f32> = observation.flatten_all()?.to_vec1()?;
    let (outputs, value) =
        network.forward_along(params, &Sequences::of_one_lane(&observation, network, params.device())?)?;
    Ok(Output { policy: network.distribution().tensor(&outputs)?, value })
}

fn answers_alike(network: &dyn Model, params: &Params, observation: &Tensor) -> Result<bool> {
    let [one, two] = [Outputs::of(network, params, observation)?, Outputs::of(network, params, observation)?];
    // As bits, so that a NaN is like itself.
    let bits = |outputs: &Outputs| outputs.0.each_ref().map(|x| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>());
    Ok(bits(&one) == bits(&two))
}

/// The names of the two outputs, in the order of [`Outputs`].
const OUTPUTS: [&str; 2] = ["log-probabilities", "values"];

/// The slopes along some blocks at the present parameters, which are left as they were.
fn slopes(
    network: &dyn Model,
    params: &mut Params,
    observation: &Tensor,
    blocks: &[usize],
    directions: u64,
) -> Result<Vec<BlockSlope>> {
    let here = Outputs::of(network, params, observation)?;
    let mut rng = SEED.stream("weights", 0);
    // What is not finite, an action that is out of the question, has weight 0.
    let mut weight = |x: &f32| if x.is_finite() { StandardNormal.sample(&mut rng) } else { 0.0 };
    let weights: [Vec<f32>; 2] = here.0.each_ref().map(|x| x.iter().map(&mut weight).collect());
    let gradients = gradients(network, params, observation, &weights)?;
    let theta = params.snapshot()?;
    let mut probe = Probe { network, params, observation, theta: &theta, weights: &weights, here: &here };
    let found = blocks.iter().map(|&block| probe.block(block, directions, &gradients)).collect();
    params.set(&theta)?;
    found
}

/// `∂/∂θ Σ weight·output` of both outputs.
fn gradients(
    network: &dyn Model,
    params: &Params,
    observation: &Tensor,
    weights: &[Vec<f32>; 2],
) -> Result<[Vec<f32>; 2]> {
    let output = answer(network, params, observation)?;
    let gradient = |output: &Tensor, weights: &[f32]| -> Result<Vec<f32>> {
        let output = output.flatten_all()?;
        let weights = Tensor::from_slice(weights, weights.len(), output.device())?;
        let counted = weights.ne(0.0)?.where_cond(&output, &output.zeros_like()?)?;
        Ok(params.gradient(&(counted * weights)?.sum_all()?)?.to_vec1()?)
    };
    Ok([gradient(&output.policy.described()?, &weights[0])?, gradient(&output.value, &weights[1])?])
}

/// What differences are taken with.
struct Probe<'a> {
    network: &'a dyn Model,
    params: &'a mut Params,
    observation: &'a Tensor,
    theta: &'a [f32],
    weights: &'a [Vec<f32>; 2],
    here: &'a Outputs,
}

/// A slope by differences, and how far it may be off.
#[derive(Clone, Copy)]
struct Slope {
    slope: f64,
    uncertain: f64,
    step: f64,
    /// The slope ahead less the slope behind.
    bend: f64,
}

impl Slope {
    /// This slope as the one with another, larger step lets one see it.
    ///
    /// A curve bends less the smaller the step, a kink does not: what the bends of both steps come to at a step of 0 is
    /// the kink's, and half of it the error of a central difference across it.
    fn beside(self, larger: Slope) -> Slope {
        let kink = (self.bend * larger.step - larger.bend * self.step) / (larger.step - self.step);
        let uncertain = self.uncertain + (self.slope - larger.slope).abs() + 0.5 * kink.abs();
        Slope { uncertain, ..self }
    }
}

impl Probe<'_> {
    fn block(&mut self, block: usize, directions: u64, gradients: &[Vec<f32>; 2]) -> Result<BlockSlope> {
        let block = self.params.layout().blocks()[block].clone();
        let mut found: [Vec<(f64, Slope)>; 2] = Default::default();
        for number in 0..directions {
            let mut rng: Rng = SEED.stream(&block.name, number);
            let reach = reach(&block);
            let direction: Vec<f64> =
                (0..block.elem_count()).map(|_| if rng.random::<bool>() { reach } else { -reach }).collect();
            let autograd = gradients.each_ref().map(|gradient| {
                gradient[block.range()].iter().zip(&direction).map(|(&g, d)| f64::from(g) * d).sum::<f64>()
            });
            let slopes = self.along(&block, &direction, autograd)?;
            for ((found, autograd), slope) in found.iter_mut().zip(autograd).zip(slopes) {
                found.extend(slope.map(|slope| (autograd, slope)));
            }
        }
        let [log_probs, values] = [0, 1].map(|i| {
            let steepest = found[i].iter().fold(0.0, |most: f64, (a, d)| most.max(a.abs()).max(d.slope.abs()));
            let off = |(a, d): &(f64, Slope)| ((a - d.slope).abs() - d.uncertain).max(0.0);
            let farthest = found[i].iter().max_by(|x, y| off(x).total_cmp(&off(y)));
            let (autograd, differences) = farthest.map_or((0.0, 0.0), |(a, d)| (*a, d.slope));
            let deviation = farthest.map_or(0.0, |at| if steepest > 0.0 { off(at) / steepest } else { 0.0 });
            BlockSlope { block: block.name.clone(), output: OUTPUTS[i], autograd, differences, deviation }
        });
        // Of two outputs without a fault the one that says more.
        let key = |slope: &BlockSlope| (slope.deviation, slope.differences.abs());
        Ok(if key(&log_probs) >= key(&values) { log_probs } else { values })
    }

    /// The slopes of both outputs along a direction, where three of several step sizes agree best; `None` where they
    /// are not known well enough to judge autograd's by.
    fn along(&mut self, block: &Block, direction: &[f64], autograd: [f64; 2]) -> Result<[Option<Slope>; 2]> {
        let known = |slope: &Slope, autograd: f64| slope.uncertain <= KNOWN * slope.slope.abs().max(autograd.abs());
        let mut best: [Option<Slope>; 2] = [None; 2];
        let mut before: Option<[Slope; 2]> = None;
        let mut last: [f64; 2] = [f64::INFINITY; 2];
        for step in STEPS {
            let Some(slopes) = self.central(block, direction, step)? else { continue };
            let pairs = slopes.into_iter().zip(before.iter().flatten());
            for ((best, last), (slope, before)) in best.iter_mut().zip(&mut last).zip(pairs) {
                let beside = slope.beside(*before);
                // Two step sizes may agree by chance, among many kinks; three hardly do.
                let uncertain = beside.uncertain.max(std::mem::replace(last, beside.uncertain));
                if best.is_none_or(|best| uncertain < best.uncertain) {
                    *best = Some(Slope { uncertain, ..beside });
                }
            }
            if best.iter().zip(autograd).all(|(best, autograd)| best.is_some_and(|best| known(&best, 0.1 * autograd))) {
                break;
            }
            before = Some(slopes);
        }
        let [log_probs, values] = best;
        Ok([log_probs.filter(|slope| known(slope, autograd[0])), values.filter(|slope| known(slope, autograd[1]))])
    }

    /// Central differences with one step, uncertain by what rounding may do; `None` where an output is not finite.
    fn central(&mut self, block: &Block, direction: &[f64], step: f64) -> Result<Option<[Slope; 2]>> {
        let (up, down) = (self.at(block, direction, step)?, self.at(block, direction, -step)?);
        let theta = self.theta;
        self.params.update(|values| values[block.range()].copy_from_slice(&theta[block.range()]))?;
        let slopes = [0, 1].map(|i| {
            let (mut ahead, mut behind, mut size) = (0.0, 0.0, 0.0);
            let outputs = up.0[i].iter().zip(&self.here.0[i]).zip(&down.0[i]).zip(&self.weights[i]);
            for (((&up, &here), &down), &w) in outputs.filter(|(_, w)| **w != 0.0) {
                let [up, here, down, w] = [up, here, down, w].map(f64::from);
                ahead += w * (up - here);
                behind += w * (here - down);
                size += (w * up).abs() + (w * down).abs();
            }
            let rounding = 4.0 * f64::from(f32::EPSILON) * size;
            let (slope, uncertain) = ((ahead + behind) / (2.0 * step), rounding / (2.0 * step));
            Slope { slope, uncertain, step, bend: (ahead - behind) / step }
        });
        Ok(slopes.iter().all(|slope| slope.slope.is_finite()).then_some(slopes))
    }

    /// What the network puts out with a block moved along a direction.
    fn at(&mut self, block: &Block, direction: &[f64], by: f64) -> Result<Outputs> {
        let theta = &self.theta[block.range()];
        self.params.update(|values| {
            for ((value, &from), d) in values[block.range()].iter_mut().zip(theta).zip(direction) {
                *value = (f64::from(from) + by * d) as f32;
            }
        })?;
        Outputs::of(self.network, self.params, self.observation)
    }
}

/// Step sizes, in parts of a block's [`reach`].
const STEPS: [f64; 6] = [0.1, 0.05, 0.025, 0.012, 0.006, 0.003];
/// How much of a slope may be uncertain for anything to be said by it.
const KNOWN: f64 = 0.1;
