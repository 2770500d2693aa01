//! Adafactor: the running mean of squares in as many numbers as a matrix has rows and columns.

use candle_core::{DType, Tensor};

use super::blocks::blocks_mut;
use super::table::{Make, Row};
use super::tensors::{at_least, joined, over, rms, scaled_by, wide};
use super::{Args, Chain, Context, GradientTransform, Need, Schedule, Slot, State, When, bytes_of, scale};
use super::{TensorContext, TensorState, TensorTransform};
use crate::kernels::{sum_of_squares, vectorised};
use crate::words::{Kind, Param, Range};
use crate::{Block, Layout, Result};

/// Whose Adafactor: they share the idea and little else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdafactorForm {
    /// `torch.optim.Adafactor`.
    Torch,
    /// `optax.adafactor`.
    Optax,
}

/// The settings of [`adafactor_step`].
#[derive(Debug, Clone, PartialEq)]
pub struct AdafactorConfig {
    /// Whose it is.
    pub form: AdafactorForm,
    /// The learning rate; in torch's form the largest, which 1/√t takes over from.
    pub lr: Schedule,
    /// How fast the means slow down: the newest squares have the share t^(−beta2_decay).
    pub beta2_decay: Schedule,
    /// Keeps a division from exploding; where it stands depends on the form.
    pub eps: f64,
    /// The least that a block's root mean square counts for.
    pub parameter_scale_floor: Schedule,
    /// The largest root mean square of a block's direction.
    pub clip: Schedule,
    /// Decoupled weight decay, times the learning rate in torch's form and by itself in optax's.
    pub weight_decay: Schedule,
    /// Sides from which on optax's form factors a matrix; torch's factors every one.
    pub min_dim: usize,
}

impl AdafactorConfig {
    /// The defaults of the reference.
    #[must_use]
    pub fn new(form: AdafactorForm, lr: impl Into<Schedule>) -> Self {
        let eps = match form {
            AdafactorForm::Torch => f64::from(f32::EPSILON),
            AdafactorForm::Optax => 1e-30,
        };
        let [beta2_decay, parameter_scale_floor, clip, weight_decay] = [0.8, 1e-3, 1.0, 0.0].map(Schedule::from);
        Self { form, lr: lr.into(), beta2_decay, eps, parameter_scale_floor, clip, weight_decay, min_dim: 128 }
    }

    /// How many matrices of how many rows and columns a block is; `None` where it is not factored.
    fn matrices(&self, block: &Block) -> Option<(usize, usize, usize)> {
        let [outer @ .., m, n] = block.shape.as_slice() else { return None };
        let factored = match self.form {
            AdafactorForm::Torch => true,
            AdafactorForm::Optax => outer.is_empty() && *m.min(n) >= self.min_dim,
        };
        (factored && m * n > 0).then(|| (outer.iter().product(), *m, *n))
    }

    /// How many numbers the rows, the columns and the unfactored blocks have, all together.
    fn counts(&self, blocks: &[Block]) -> (usize, usize, usize) {
        blocks.iter().fold((0, 0, 0), |(rows, columns, whole), block| match self.matrices(block) {
            Some((count, m, n)) => (rows + count * m, columns + count * n, whole),
            None => (rows, columns, whole + block.elem_count()),
        })
    }

    fn means(&self, when: When, t: f64) -> Means {
        let share = t.powf(-self.beta2_decay.at(when));
        let (added, least_mean, least) = match self.form {
            AdafactorForm::Torch => (0.0, self.eps, self.eps * self.eps),
            AdafactorForm::Optax => (self.eps, 0.0, 0.0),
        };
        Means { share, added, least_mean, least }
    }
}

/// See [`adafactor_step`].
#[derive(Debug, Clone)]
pub struct AdafactorStep {
    config: AdafactorConfig,
    rows: State,
    columns: State,
    square: State,
    steps: u64,
    sums: Vec<f64>,
}

/// Adam's scale from two vectors a matrix, with clipping of its own and a step relative to the block's size.
///
/// ```math
///   β = 1 − t^(−beta2_decay)
///   rᵢ ← β·rᵢ + (1 − β)·meanⱼ(g²ᵢⱼ + ε)       cⱼ ← β·cⱼ + (1 − β)·meanᵢ(g²ᵢⱼ + ε)       vᵢⱼ = rᵢ·cⱼ / mean(r)
///   u = g / √v                   u ← u / max(1, rms(u)/clip)        s = max(parameter_scale_floor, rms(θ))
///   θ ← θ − s·lr·u − weight_decay·θ
/// ```
///
/// What is not factored keeps v whole. The equations are optax's, where only matrices of which both sides are at least
/// `min_dim` are factored. Torch's form factors every matrix (of a tensor, those of its last two dimensions); it has no
/// ε in the means but as a floor of mean(r) and, squared, of v; and min(lr, 1/√t) stands for lr, lr·weight_decay for
/// weight_decay. So the two differ on a network of 64 units.
///
/// It applies the learning rate itself, so it ends a chain. State: for a factored `m × n` matrix `m + n` numbers.
///
/// Shazeer and Stern 2018, algorithms 4 and 5, <https://arxiv.org/abs/1804.04235>.
#[must_use]
pub fn adafactor_step(config: AdafactorConfig) -> AdafactorStep {
    let [rows, columns, square] = [(); 3].map(|()| State::default());
    AdafactorStep { config, rows, columns, square, steps: 0, sums: Vec::new() }
}

impl GradientTransform for AdafactorStep {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.steps += 1;
        let Numbers { means, lr, decay, least, clip } = self.numbers(context.when, context.lr_factor);
        let AdafactorStep { config, rows, columns, square, sums, .. } = self;
        let counts = config.counts(context.layout.blocks());
        let (mut rows, mut columns, mut square) = (rows.of(counts.0), columns.of(counts.1), square.of(counts.2));
        for (block, u, theta) in blocks_mut(context, gradient) {
            match config.matrices(block) {
                Some((_, m, n)) => {
                    for matrix in u.chunks_exact_mut(m * n) {
                        let (Some(r), Some(c)) = (rows.split_off_mut(..m), columns.split_off_mut(..n)) else { break };
                        means.factored(matrix, (r, c), sums);
                    }
                }
                None => {
                    if let Some(v) = square.split_off_mut(..u.len()) {
                        means.whole(u, v);
                    }
                }
            }
            let rms = |x: &[f32]| (sum_of_squares(x) / x.len().max(1) as f64).sqrt();
            scale(u, -lr * rms(theta).max(least) / (rms(u) / clip).max(1.0));
            if decay != 0.0 {
                let decay = decay as f32;
                u.iter_mut().zip(theta).for_each(|(u, theta)| *u -= decay * theta);
            }
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        let AdafactorConfig { lr, beta2_decay, parameter_scale_floor, clip, weight_decay, .. } = &mut self.config;
        visit("lr", Slot::Schedule(lr));
        visit("beta2_decay", Slot::Schedule(beta2_decay));
        visit("parameter_scale_floor", Slot::Schedule(parameter_scale_floor));
        visit("clip", Slot::Schedule(clip));
        visit("weight_decay", Slot::Schedule(weight_decay));
        visit("rows", self.rows.slot());
        visit("columns", self.columns.slot());
        visit("square", self.square.slot());
        visit("steps", Slot::Count(&mut self.steps));
    }

    fn learning_rate(&self, when: When) -> Option<f64> {
        Some(self.config.lr.at(when))
    }

    fn needs(&mut self, layout: &Layout) -> Need {
        let (rows, columns, square) = self.config.counts(layout.blocks());
        Need::of_state(size_of::<f32>() * (rows + columns + square) + bytes_of(self, 0))
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        Some(self)
    }
}

impl TensorTransform for AdafactorStep {
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor> {
        self.steps += 1;
        let Numbers { means, lr, decay, least, clip } = self.numbers(context.when, context.lr_factor);
        let config = &self.config;
        let counts = config.counts(context.layout.blocks());
        let [rows, columns, square] = [counts.0, counts.1, counts.2].map(|len| state.take(len, 0.0));
        let (rows, columns, square) = (rows?, columns?, square?);
        let (mut new_rows, mut new_columns, mut new_square) = (Vec::new(), Vec::new(), Vec::new());
        let (mut of_rows, mut of_columns, mut of_square) = (0, 0, 0);
        let next = |vector: &Tensor, at: &mut usize, len: usize| {
            *at += len;
            vector.narrow(0, *at - len, len)
        };
        let update = context.by_block(gradient, |block, u, theta| {
            let len = block.elem_count();
            let u = match config.matrices(block) {
                Some((count, m, n)) => {
                    let r = next(&rows, &mut of_rows, count * m)?.reshape((count, m))?;
                    let c = next(&columns, &mut of_columns, count * n)?.reshape((count, n))?;
                    let [u, r, c] = means.factored_tensor(&u.reshape((count, m, n))?, &r, &c)?;
                    new_rows.push(r);
                    new_columns.push(c);
                    u.flatten_all()?
                }
                None => {
                    let v = next(&square, &mut of_square, len)?;
                    let toward = (u.sqr()?.affine(1.0, means.added)? - &v)?;
                    let v = (v + toward.affine(means.share, 0.0)?)?;
                    new_square.push(v.clone());
                    means.divide_tensor(&u, &v)?
                }
            };
            let short = at_least(&rms(&u)?.affine(clip.recip(), 0.0)?, 1.0)?;
            let factor = (at_least(&rms(&theta)?, least)?.affine(-lr, 0.0)? / short)?;
            let u = scaled_by(&u, &factor)?;
            Ok(if decay == 0.0 { u } else { (u - theta.affine(decay, 0.0)?)? })
        })?;
        for vectors in [new_rows, new_columns, new_square] {
            state.put(joined(&vectors)?);
        }
        Ok(update)
    }
}

/// What a step goes by.
struct Numbers {
    means: Means,
    lr: f64,
    decay: f64,
    least: f64,
    clip: f64,
}

impl AdafactorStep {
    /// Those of the step that has been counted last.
    fn numbers(&self, when: When, lr_factor: f64) -> Numbers {
        let (config, t) = (&self.config, self.steps as f64);
        let [lr, decay, least, clip] =
            [&config.lr, &config.weight_decay, &config.parameter_scale_floor, &config.clip].map(|x| x.at(when));
        let lr = lr * lr_factor;
        let (lr, decay) = match config.form {
            AdafactorForm::Torch => (lr.min(t.sqrt().recip()), lr * decay),
            AdafactorForm::Optax => (lr, decay),
        };
        Numbers { means: config.means(when, t), lr, decay, least, clip }
    }
}

/// How one step moves the running means.
struct Means {
    /// The share that the newest squares have.
    share: f64,
    /// What is added to them.
    added: f64,
    /// The least that the mean of the rows counts for, and the least that an estimate does.
    least_mean: f64,
    least: f64,
}

impl Means {
    /// Divides a matrix `[m, n]` by the root of its factored mean of squares, after moving the factors on.
    fn factored(&self, matrix: &mut [f32], (r, c): (&mut [f32], &mut [f32]), sums: &mut Vec<f64>) {
        let (m, n) = (r.len(), c.len());
        let toward = |x: &mut f32, mean: f64| {
            *x = (f64::from(*x) + self.share * (mean + self.added - f64::from(*x))) as f32;
        };
        sums.clear();
        sums.resize(n, 0.0);
        for (row, r) in matrix.chunks_exact(n).zip(r.iter_mut()) {
            toward(r, sum_of_squares(row) / n as f64);
            sums.iter_mut().zip(row).for_each(|(sum, &g)| *sum += f64::from(g) * f64::from(g));
        }
        sums.iter().zip(c.iter_mut()).for_each(|(sum, c)| toward(c, sum / m as f64));
        let mean = (r.iter().map(|&r| f64::from(r)).sum::<f64>() / m as f64).max(self.least_mean);
        for (row, &r) in matrix.chunks_exact_mut(n).zip(r.iter()) {
            let part = if mean > 0.0 { (f64::from(r) / mean) as f32 } else { 0.0 };
            self.divide(row.iter_mut().zip(c.iter().map(|c| part * c)));
        }
    }

    /// Divides a block by the root of its running mean of squares, after moving that on.
    fn whole(&self, block: &mut [f32], v: &mut [f32]) {
        let (share, added) = (self.share as f32, self.added as f32);
        for (g, v) in block.iter().zip(v.iter_mut()) {
            *v += share * (g * g + added - *v);
        }
        self.divide(block.iter_mut().zip(v.iter().copied()));
    }

    /// The same of `count` matrices `[count, m, n]`, their rows' means `[count, m]` and their columns' `[count, n]`: what becomes of
    /// each.
    fn factored_tensor(&self, g: &Tensor, r: &Tensor, c: &Tensor) -> Result<[Tensor; 3]> {
        let squares = wide(g)?.sqr()?;
        let toward = |x: &Tensor, mean: Tensor| -> Result<Tensor> {
            let x = wide(x)?;
            Ok((&x + (mean.affine(1.0, self.added)? - &x)?.affine(self.share, 0.0)?)?.to_dtype(DType::F32)?)
        };
        let (r, c) = (toward(r, squares.mean(2)?)?, toward(c, squares.mean(1)?)?);
        let of_rows = wide(&r)?;
        let mean = at_least(&of_rows.mean_keepdim(1)?, self.least_mean)?.broadcast_as(of_rows.shape())?;
        let part = over(&of_rows, &mean, self.least_mean > 0.0)?.to_dtype(DType::F32)?;
        let v = part.unsqueeze(2)?.broadcast_mul(&c.unsqueeze(1)?)?;
        Ok([self.divide_tensor(g, &v)?, r, c])
    }

    fn divide_tensor(&self, g: &Tensor, v: &Tensor) -> Result<Tensor> {
        let has_least = self.least as f32 > 0.0;
        let root = if has_least { at_least(v, self.least)?.sqrt()? } else { v.sqrt()? };
        Ok(over(g, &root, has_least)?)
    }

    /// `g ← g/√v`; 0 where v is.
    fn divide<'a>(&self, pairs: impl Iterator<Item = (&'a mut f32, f32)>) {
        let least = self.least as f32;
        vectorised(
            #[inline(always)]
            move || {
                for (g, v) in pairs {
                    let v = v.max(least);
                    *g = if v > 0.0 { *g / v.sqrt() } else { 0.0 };
                }
            },
        );
    }
}

pub(super) const ROWS: &[Row] = &[Row {
    name: "adafactor",
    summary: "adam's scale from two vectors a matrix, with steps relative to the parameters",
    params: &[
        Param::lr("1e-2"),
        Param::word("form", &["torch", "optax"], "torch", "whose conventions"),
        Param::number("beta2_decay", Range::NotNegative, "0.8", "how fast the running mean of squares slows down"),
        Param {
            name: "eps",
            kind: Kind::Fixed(Range::NotNegative),
            default: "0",
            meaning: "keeps the quotient from exploding; 0 is the form's own, 1.19e-7 or 1e-30",
        },
        Param::number("parameter_scale_floor", Range::NotNegative, "1e-3", "the least size that a block counts for"),
        Param::number("clip", Range::Limit, "1", "largest root mean square of a block's direction"),
        Param::WEIGHT_DECAY,
        Param::count("min_dim", (0, 1_000_000_000), "128", "sides from which on the form optax factors a matrix"),
    ],
    make: Make::Recipe(recipe),
}];

fn recipe(a: &Args<'_>) -> Result<Chain> {
    let form = if a.word("form")? == "torch" { AdafactorForm::Torch } else { AdafactorForm::Optax };
    let defaults = AdafactorConfig::new(form, a.schedule("lr")?);
    let eps = a.number("eps")?;
    Ok(Chain::new().then(adafactor_step(AdafactorConfig {
        beta2_decay: a.schedule("beta2_decay")?,
        eps: if eps > 0.0 { eps } else { defaults.eps },
        parameter_scale_floor: a.schedule("parameter_scale_floor")?,
        clip: a.schedule("clip")?,
        weight_decay: a.schedule("weight_decay")?,
        min_dim: a.count("min_dim")? as usize,
        ..defaults
    })))
}
