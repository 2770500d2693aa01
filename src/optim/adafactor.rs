//! Adafactor: the running mean of squares in as many numbers as a matrix has rows and columns.

use super::blocks::blocks_mut;
use super::{Context, GradientTransform, Schedule, Slot, State, When, scale};
use crate::kernels::{sum_of_squares, vectorised};
use crate::{Block, Result};

/// Whose Adafactor: they share the idea and little else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdafactorForm {
    /// `torch.optim.Adafactor`.
    Torch,
    /// `optax.adafactor`.
    Optax,
}

/// The settings of [`adafactor_step`]. Its default has the defaults of both forms.
#[derive(Debug, Clone, PartialEq)]
pub struct AdafactorConfig {
    /// Whose it is.
    pub form: AdafactorForm,
    /// The learning rate: of torch's form the largest, which its own 1/√t takes over from.
    pub lr: Schedule,
    /// How fast the means slow down: the decay is 1 − t^(−beta2_decay).
    pub beta2_decay: Schedule,
    /// Keeps a division from exploding; where it stands depends on the form.
    pub eps: f64,
    /// The least that a block's root mean square counts for.
    pub min_scale: Schedule,
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
        let [beta2_decay, min_scale, clip, weight_decay] = [0.8, 1e-3, 1.0, 0.0].map(Schedule::from);
        Self { form, lr: lr.into(), beta2_decay, eps, min_scale, clip, weight_decay, min_dim: 128 }
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

/// Adam's scale from two vectors a matrix, with its own clipping and a step relative to the block's size.
///
/// ```text
///   β = 1 − t^(−beta2_decay)
///   rᵢ ← β·rᵢ + (1 − β)·meanⱼ(g²ᵢⱼ + ε)        cⱼ ← β·cⱼ + (1 − β)·meanᵢ(g²ᵢⱼ + ε)        vᵢⱼ = rᵢ·cⱼ / mean(r)
///   u = g / √v                    u ← u / max(1, rms(u)/clip)                 s = max(min_scale, rms(θ))
///   θ ← θ − s·lr·u − weight_decay·θ
/// ```
///
/// What is not factored keeps v whole. The equations are optax's, where only matrices of which both sides are at least
/// `min_dim` are factored. Torch's form factors every matrix (of a tensor, those of its last two dimensions), has no ε
/// in the means but as a floor of mean(r) and, squared, of v, min(lr, 1/√t) for lr, and lr·weight_decay for weight_decay. So
/// the two differ on a network of 64 units.
///
/// It applies the learning rate itself, so it ends a chain. State: for a factored `m × n` matrix `m + n` numbers.
///
/// Shazeer and Stern 2018, algorithms 4 and 5, <https://arxiv.org/abs/1804.04235>.
#[must_use]
pub fn adafactor_step(config: AdafactorConfig) -> AdafactorStep {
    let [rows, columns, square] = [(); 3].map(|()| State::default());
    AdafactorStep { config, rows, columns, square, steps: 0, sums: Vec::new() }
}

impl AdafactorConfig {
    /// How many matrices of how many rows and columns a block is; `None` where it is not factored.
    fn matrices(&self, block: &Block) -> Option<(usize, usize, usize)> {
        let [outer @ .., m, n] = block.shape.as_slice() else { return None };
        let factored = match self.form {
            AdafactorForm::Torch => true,
            AdafactorForm::Optax => outer.is_empty() && *m.min(n) >= self.min_dim,
        };
        (factored && m * n > 0).then(|| (outer.iter().product(), *m, *n))
    }

    /// What is added to squares, the floor of mean(r), and the floor of v.
    fn floors(&self) -> (f64, f64, f64) {
        match self.form {
            AdafactorForm::Torch => (0.0, self.eps, self.eps * self.eps),
            AdafactorForm::Optax => (self.eps, 0.0, 0.0),
        }
    }
}

impl AdafactorStep {
    /// Makes room for the state of every block.
    fn begin(&mut self, blocks: &[Block]) {
        let (mut rows, mut columns, mut whole) = (0, 0, 0);
        for block in blocks {
            match self.config.matrices(block) {
                Some((count, m, n)) => (rows, columns) = (rows + count * m, columns + count * n),
                None => whole += block.elem_count(),
            }
        }
        self.rows.of(rows);
        self.columns.of(columns);
        self.square.of(whole);
    }
}

impl GradientTransform for AdafactorStep {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        self.begin(context.layout.blocks());
        self.steps += 1;
        let AdafactorStep { config, rows, columns, square, steps, sums } = self;
        let t = *steps as f64;
        let rest = t.powf(-config.beta2_decay.at(context.when));
        let (lr, decay) = (config.lr.at(context.when), config.weight_decay.at(context.when));
        let (least, clip) = (config.min_scale.at(context.when), config.clip.at(context.when));
        let (lr, decay) = match config.form {
            AdafactorForm::Torch => (lr.min(t.sqrt().recip()), lr * decay),
            AdafactorForm::Optax => (lr, decay),
        };
        let floors = config.floors();
        let (mut rows, mut columns, mut square) = (rows.all(), columns.all(), square.all());
        for (block, u, theta) in blocks_mut(context, gradient) {
            match config.matrices(block) {
                Some((_, m, n)) => {
                    for matrix in u.chunks_exact_mut(m * n) {
                        let (Some(r), Some(c)) = (rows.split_off_mut(..m), columns.split_off_mut(..n)) else { break };
                        factored(matrix, (r, c), sums, rest, floors);
                    }
                }
                None => {
                    if let Some(v) = square.split_off_mut(..u.len()) {
                        whole(u, v, rest, floors);
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
        let AdafactorConfig { lr, beta2_decay, min_scale, clip, weight_decay, .. } = &mut self.config;
        visit("lr", Slot::Schedule(lr));
        visit("beta2_decay", Slot::Schedule(beta2_decay));
        visit("min_scale", Slot::Schedule(min_scale));
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
}

/// Divides a matrix `[m, n]` by the root of its factored square, after moving the factors on by `rest` of the way.
fn factored(
    matrix: &mut [f32],
    (r, c): (&mut [f32], &mut [f32]),
    sums: &mut Vec<f64>,
    rest: f64,
    (added, least_mean, least): (f64, f64, f64),
) {
    let (m, n) = (r.len(), c.len());
    let toward = |x: &mut f32, mean: f64| *x = (f64::from(*x) + rest * (mean + added - f64::from(*x))) as f32;
    sums.clear();
    sums.resize(n, 0.0);
    for (row, r) in matrix.chunks_exact(n).zip(r.iter_mut()) {
        toward(r, sum_of_squares(row) / n as f64);
        sums.iter_mut().zip(row).for_each(|(sum, &g)| *sum += f64::from(g) * f64::from(g));
    }
    sums.iter().zip(c.iter_mut()).for_each(|(sum, c)| toward(c, sum / m as f64));
    let mean = (r.iter().map(|&r| f64::from(r)).sum::<f64>() / m as f64).max(least_mean);
    let least = least as f32;
    for (row, &r) in matrix.chunks_exact_mut(n).zip(r.iter()) {
        let share = if mean > 0.0 { (f64::from(r) / mean) as f32 } else { 0.0 };
        vectorised(
            #[inline(always)]
            || {
                for (g, c) in row.iter_mut().zip(c.iter()) {
                    let v = (share * c).max(least);
                    *g = if v > 0.0 { *g / v.sqrt() } else { 0.0 };
                }
            },
        );
    }
}

/// Divides a block by the root of its running mean of squares, after moving that on by `rest` of the way.
fn whole(block: &mut [f32], v: &mut [f32], rest: f64, (added, _, least): (f64, f64, f64)) {
    let [rest, added, least] = [rest, added, least].map(|x| x as f32);
    vectorised(
        #[inline(always)]
        || {
            for (g, v) in block.iter_mut().zip(v) {
                *v += rest * (*g * *g + added - *v);
                let v = v.max(least);
                *g = if v > 0.0 { *g / v.sqrt() } else { 0.0 };
            }
        },
    );
}
