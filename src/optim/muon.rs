//! Muon: momentum with all of its singular values made nearly equal.

use candle_core::{DType, Tensor};
use nalgebra::DMatrix;

use super::blocks::blocks_mut;
use super::recipes::decoupled;
use super::table::{Make, Row};
use super::tensors::{at_least, joined, length, mix, wide};
use super::{Args, Chain, Context, GradientTransform, Need, Pattern, Place, Schedule, Slot, State, bytes_of};
use super::{TensorContext, TensorState, TensorTransform};
use super::{add_decayed_weights, partition, scale_by_adam, scale_by_learning_rate};
use crate::words::{Kind, Param, Range};
use crate::{Block, Layout, Result, Stop};

/// How Muon's step depends on the shape `[m, n]` of a matrix: what `torch.optim.Muon` calls `adjust_lr_fn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MuonScale {
    /// √max(1, m/n): Jordan's own.
    Original,
    /// 0.2·√max(m, n): a root mean square like that of AdamW's steps, so that its learning rates suit.
    /// Liu et al. 2025, section 2.2, <https://arxiv.org/abs/2502.16982>.
    MatchRmsAdamw,
}

impl MuonScale {
    fn factor(self, m: usize, n: usize) -> f64 {
        match self {
            MuonScale::Original => (m as f64 / n as f64).max(1.0).sqrt(),
            MuonScale::MatchRmsAdamw => 0.2 * (m.max(n) as f64).sqrt(),
        }
    }
}

/// See [`scale_by_muon`].
#[derive(Debug, Clone)]
pub struct ScaleByMuon {
    momentum: Schedule,
    nesterov: bool,
    ns_steps: usize,
    adjust: MuonScale,
    velocity: State,
    room: Vec<Room>,
}

/// Makes of a matrix's momentum the nearest matrix that stretches every direction alike, and leaves other blocks alone.
///
/// ```math
///   b ← μ·b + (1 − μ)·g              x = μ·b + (1 − μ)·g   (nesterov)   or   b
///   X ← X / ‖X‖,                     ns_steps times   X ← a·X + (b·XXᵀ + c·(XXᵀ)²)·X
///   u = scale·X                      a, b, c = 3.4445, −4.7750, 2.0315
/// ```
///
/// The result is not quite orthogonal: singular values end between about 0.7 and 1.2. As `torch.optim.Muon`, except that
/// the iteration runs in f64 and not in bfloat16, which is good to two digits only, and that ‖X‖ has no floor of 1e-7: the
/// direction is the same however short the gradient. What is not a matrix belongs to another optimizer.
///
/// Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>.
#[must_use]
pub fn scale_by_muon(momentum: impl Into<Schedule>, nesterov: bool, ns_steps: usize, adjust: MuonScale) -> ScaleByMuon {
    let (velocity, room) = (State::default(), Vec::new());
    ScaleByMuon { momentum: momentum.into(), nesterov, ns_steps, adjust, velocity, room }
}

impl GradientTransform for ScaleByMuon {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let momentum = self.momentum.at(context.when);
        let (mu, rest) = (momentum as f32, (1.0 - momentum) as f32);
        let mut velocity = self.velocity.of(count(context.layout));
        self.room.resize_with(context.layout.blocks().len(), Room::default);
        for ((block, g, _), room) in blocks_mut(context, gradient).zip(&mut self.room) {
            let Some((m, n)) = sides(block) else { continue };
            let Some(b) = velocity.split_off_mut(..g.len()) else { continue };
            for (g, b) in g.iter_mut().zip(b) {
                *b = mu * *b + rest * *g;
                *g = if self.nesterov { mu * *b + rest * *g } else { *b };
            }
            room.orthogonalise(g, (m, n), self.ns_steps, self.adjust.factor(m, n), context.stop)?;
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("momentum", Slot::Schedule(&mut self.momentum));
        visit("velocity", self.velocity.slot());
    }

    fn make_room(&mut self, layout: &Layout) -> Result<()> {
        self.velocity.of(count(layout));
        Ok(())
    }

    fn needs(&mut self, layout: &Layout) -> Need {
        let (state, rounds) = (size_of::<f32>() * count(layout) + bytes_of(self, 0), self.ns_steps as f64);
        let of = |(m, n): (usize, usize)| {
            let (short, long) = (m.min(n), m.max(n));
            let room = 3 * m * n + 2 * short * short;
            let multiplications = rounds * (short * short) as f64 * (2 * long + short) as f64;
            Need { state: 0, work: size_of::<f64>() * room, multiplications }
        };
        Need::of_state(state) + layout.blocks().iter().filter_map(sides).map(of).sum()
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for ScaleByMuon {
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor> {
        let momentum = self.momentum.at(context.when);
        let velocity = state.take(count(context.layout), 0.0)?;
        let (mut at, mut moved) = (0, Vec::new());
        let update = context.by_block(gradient, |block, g, _| {
            let Some((m, n)) = sides(block) else { return Ok(g) };
            let b = mix(momentum, &velocity.narrow(0, at, m * n)?, 1.0 - momentum, &g)?;
            at += m * n;
            moved.push(b.clone());
            let g = if self.nesterov { mix(momentum, &b, 1.0 - momentum, &g)? } else { b };
            let x = orthogonalised(&g.reshape((m, n))?, self.ns_steps, context.stop)?;
            Ok(x.affine(self.adjust.factor(m, n), 0.0)?.to_dtype(DType::F32)?.flatten_all()?)
        })?;
        state.put(joined(&moved)?);
        Ok(update)
    }
}

/// Newton-Schulz on a tensor `[m, n]`, [`wide`]; broken off between two rounds.
fn orthogonalised(g: &Tensor, steps: usize, stop: Stop<'_>) -> Result<Tensor> {
    let (m, n) = g.dims2()?;
    let x = wide(g)?;
    let mut x = if m > n { x.t()?.contiguous()? } else { x };
    let tiny = if x.dtype() == DType::F64 { f64::MIN_POSITIVE } else { f32::MIN_POSITIVE.into() };
    x = x.broadcast_div(&at_least(&length(&x)?, tiny)?)?;
    for _ in 0..steps {
        stop.check()?;
        let gram = x.matmul(&x.t()?)?;
        let polynomial = mix(-4.7750, &gram, 2.0315, &gram.matmul(&gram)?)?;
        x = (x.affine(3.4445, 0.0)? + polynomial.matmul(&x)?)?;
    }
    Ok(if m > n { x.t()?.contiguous()? } else { x })
}

/// The sides of a matrix; `None` for what is none, or empty.
fn sides(block: &Block) -> Option<(usize, usize)> {
    match *block.shape.as_slice() {
        [m, n] if m * n > 0 => Some((m, n)),
        _ => None,
    }
}

/// How many numbers all matrices have.
fn count(layout: &Layout) -> usize {
    layout.blocks().iter().filter_map(sides).map(|(m, n)| m * n).sum()
}

/// Room for one block's iteration.
#[derive(Debug, Clone, Default)]
struct Room {
    x: DMatrix<f64>,
    transposed: DMatrix<f64>,
    gram: DMatrix<f64>,
    polynomial: DMatrix<f64>,
    product: DMatrix<f64>,
}

impl Room {
    /// `g ← scale·NewtonSchulz(g)`, `[m, n]`; broken off between two products.
    fn orthogonalise(
        &mut self,
        g: &mut [f32],
        (m, n): (usize, usize),
        steps: usize,
        scale: f64,
        stop: Stop<'_>,
    ) -> Result<()> {
        // A wide matrix, so that the Gram matrix is the smaller one. The iteration does not care for a transposition,
        // and in nalgebra, where columns are contiguous, `[m, n]` as it lies in memory is an n x m matrix.
        let (short, long) = (m.min(n), m.max(n));
        let Room { x, transposed, gram, polynomial, product } = self;
        if x.shape() != (short, long) {
            [&mut *x, &mut *product].into_iter().for_each(|matrix| *matrix = DMatrix::zeros(short, long));
            *transposed = DMatrix::zeros(long, short);
            [&mut *gram, &mut *polynomial].into_iter().for_each(|matrix| *matrix = DMatrix::zeros(short, short));
        }
        let as_it_lies = n <= m;
        let target = if as_it_lies { &mut *x } else { &mut *transposed };
        target.iter_mut().zip(g.iter()).for_each(|(x, &g)| *x = f64::from(g));
        if !as_it_lies {
            transposed.transpose_to(x);
        }
        // Of any length but 0: no floor that would matter to gradients that are merely short.
        *x /= x.norm().max(f64::MIN_POSITIVE);
        for _ in 0..steps {
            stop.check()?;
            x.transpose_to(transposed);
            gram.gemm(1.0, x, transposed, 0.0);
            stop.check()?;
            polynomial.copy_from(gram);
            polynomial.gemm(2.0315, gram, gram, -4.7750);
            stop.check()?;
            product.copy_from(x);
            product.gemm(1.0, polynomial, x, 3.4445);
            std::mem::swap(x, product);
        }
        if !as_it_lies {
            x.transpose_to(transposed);
        }
        let source = if as_it_lies { x } else { transposed };
        g.iter_mut().zip(source.iter()).for_each(|(g, x)| *g = (scale * x) as f32);
        Ok(())
    }
}

const MOMENTUM: Param = Param::number("momentum", Range::Decay, "0.95", "decay of the running mean of gradients");
const NESTEROV: Param = Param::flag("nesterov", "true", "whether to look a step ahead");
const NS_STEPS: Param =
    Param::count("ns_steps", (1, 100), "5", "rounds of the Newton-Schulz iteration, which settles within ten");
const ADJUST: Param = Param::word("adjust", &["original", "match_rms_adamw"], "original", "how steps scale with shape");

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "muon",
        summary: "momentum stretched alike in every direction for matrices, adamw for the rest",
        params: &[
            Param::lr("1e-3"),
            MOMENTUM,
            NESTEROV,
            NS_STEPS,
            Param::weight_decay("0.1"),
            ADJUST,
            Param {
                name: "adam_lr",
                kind: Kind::Number(Range::NotNegative),
                default: "1e-3",
                meaning: "learning rate of what is no matrix",
            },
        ],
        make: Make::Recipe(recipe),
    },
    Row {
        name: "scale_by_muon",
        summary: "muon's direction for matrices; other blocks stay as they are",
        params: &[MOMENTUM, NESTEROV, NS_STEPS, ADJUST],
        make: Make::Link(Place::BeforeRate, link),
    },
];

fn link(a: &Args<'_>) -> Result<Chain> {
    let adjust = if a.word("adjust")? == "original" { MuonScale::Original } else { MuonScale::MatchRmsAdamw };
    let (nesterov, ns_steps) = (a.flag("nesterov")?, a.count("ns_steps")? as usize);
    Ok(Chain::new().then(scale_by_muon(a.schedule("momentum")?, nesterov, ns_steps, adjust)))
}

/// `torch.optim.Muon` for matrices; for the rest `torch.optim.AdamW` with its defaults but for the weight decay.
fn recipe(a: &Args<'_>) -> Result<Chain> {
    let rest = Chain::new()
        .then(scale_by_adam(0.9, 0.999, 1e-8))
        .then(add_decayed_weights(a.schedule("weight_decay")?))
        .then(scale_by_learning_rate(a.schedule("adam_lr")?));
    let branches = [(Pattern::new("matrices"), decoupled(a, link(a)?)?), (Pattern::new("*"), rest)];
    Ok(Chain::new().then(partition(branches)))
}
