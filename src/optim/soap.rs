//! SOAP: Adam in the eigenbasis of Shampoo's statistics.

use nalgebra::DMatrix;

use super::blocks::blocks_mut;
use super::recipes::decoupled;
use super::spectrum::{LONGEST, Room, eigen, sides, square, work};
use super::table::{Make, Row};
use super::{Args, Chain, Context, GradientTransform, Need, Place, Schedule, Slot, Span, State, bytes_of};
use crate::words::{Param, Range};
use crate::{Block, Layout, Result, Stop};

/// See [`scale_by_soap`].
#[derive(Debug, Clone)]
pub struct ScaleBySoap {
    beta1: Schedule,
    beta2: Schedule,
    eps: Schedule,
    frequency: u64,
    max_dim: usize,
    statistics: Vec<f64>,
    bases: Vec<f64>,
    mean: State,
    square: State,
    calls: u64,
    room: Vec<Room>,
}

/// Turns a matrix of gradients into the eigenbasis of its rows' and columns' statistics, takes Adam's direction there,
/// and turns it back.
///
/// ```math
///   G′ = Q_Lᵀ·G·Q_R
///   M′ ← β₁·M′ + (1 − β₁)·G′         V ← β₂·V + (1 − β₂)·G′²
///   N′ = M′ / (√V + ε) · √(1 − β₂ᵗ) / (1 − β₁ᵗ)             u = Q_L·N′·Q_Rᵀ
///   L ← β₂·L + (1 − β₂)·G·Gᵀ         R ← β₂·R + (1 − β₂)·Gᵀ·G
///   every `frequency` steps:   Q ← orthonormalised P·Q for either side, M′ turned along, V permuted along
/// ```
///
/// As in the authors' code, the first gradient only starts the statistics, whose eigenvectors are the first bases, and
/// its direction is zero; ε stands outside the root and before the bias correction; a vector, and a side longer than
/// `max_dim`, stay in their own basis. M is kept turned, so that f32 is exact enough for its small components too;
/// statistics and bases are f64. A tensor of more dimensions counts as the matrix of its first dimension by all others.
///
/// The recipe `soap` decays in every call, as AdamW does, of the parameters before the step. The authors' code does not
/// decay in the first call, which moves nothing, and decays the parameters as they are after the step.
///
/// A gradient seldom spans its whole space, and of a null space every basis is an eigenbasis. So that the result does
/// not hang on rounding, `P = L + 10⁻⁶·tr(L)/n·diag(1, 1 − 1/n, …, 1/n)`: a ramp below the resolution of the authors'
/// f32 that picks one.
///
/// State: for an `m × n` matrix `2·m·n` numbers of 4 bytes and twice `m² + n²` of 8.
///
/// Vyas et al. 2024, algorithms 3 and 4, <https://arxiv.org/abs/2409.11321>;
/// the authors' code: <https://github.com/nikhilvyas/SOAP>.
#[must_use]
pub fn scale_by_soap(
    beta1: impl Into<Schedule>,
    beta2: impl Into<Schedule>,
    eps: impl Into<Schedule>,
    frequency: u64,
    max_dim: usize,
) -> ScaleBySoap {
    ScaleBySoap {
        beta1: beta1.into(),
        beta2: beta2.into(),
        eps: eps.into(),
        frequency: frequency.max(1),
        max_dim,
        statistics: Vec::new(),
        bases: Vec::new(),
        mean: State::default(),
        square: State::default(),
        calls: 0,
        room: Vec::new(),
    }
}

/// Numbers of a side's statistic; none of a long side.
fn size(max_dim: usize) -> impl Fn(usize) -> usize {
    move |n| if n <= max_dim { n * n } else { 0 }
}

/// Numbers of all statistics.
fn count(layout: &Layout, max_dim: usize) -> usize {
    let of = |(rows, columns)| size(max_dim)(rows) + size(max_dim)(columns);
    layout.blocks().iter().filter_map(sides).map(of).sum()
}

impl GradientTransform for ScaleBySoap {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let blocks = context.layout.blocks();
        let [beta1, beta2, eps] = [&self.beta1, &self.beta2, &self.eps].map(|x| x.at(context.when));
        let (size, count) = (size(self.max_dim), count(context.layout, self.max_dim));
        if self.statistics.len() != count || self.bases.len() != count {
            (self.statistics, self.bases) = (vec![0.0; count], vec![0.0; count]);
        }
        self.room.resize_with(blocks.len(), Room::default);
        // Adam's step count: the first gradient does not count.
        let t = self.calls;
        self.calls += 1;
        let adam = Adam::new(beta1, beta2, eps, t);
        let (mut means, mut squares) = (self.mean.of(gradient.len()), self.square.of(gradient.len()));
        let (mut statistics, mut bases) = (self.statistics.as_mut_slice(), self.bases.as_mut_slice());
        for ((block, g, _), room) in blocks_mut(context, gradient).zip(&mut self.room) {
            let (Some(mean), Some(square)) = (means.split_off_mut(..g.len()), squares.split_off_mut(..g.len())) else {
                break;
            };
            // A vector has no side with a basis of its own.
            let (rows, columns) = sides(block).unwrap_or_default();
            let mut side = |n: usize| Side {
                n,
                statistic: statistics.split_off_mut(..size(n)).unwrap_or_default(),
                basis: bases.split_off_mut(..size(n)).unwrap_or_default(),
            };
            let mut sides = Sides { rows: side(rows), columns: side(columns) };
            room.read(g, if rows > 0 { (rows, columns) } else { (g.len(), 1) });
            context.stop.check()?;
            if t == 0 {
                sides.add(room, beta2);
                for side in [&mut sides.rows, &mut sides.columns] {
                    context.stop.check()?;
                    side.begin(block)?;
                }
                g.fill(0.0);
                continue;
            }
            sides.turn(room, context.stop)?;
            for ((y, m), v) in room.y.iter_mut().zip(mean.iter_mut()).zip(square.iter_mut()) {
                *y = adam.direction(*y, m, v);
            }
            sides.turn_back(room, context.stop)?;
            room.write(g);
            sides.add(room, beta2);
            if t.is_multiple_of(self.frequency) {
                sides.renew(room, mean, square, context.stop)?;
            }
        }
        Ok(())
    }

    fn spans(&self, show: &mut dyn FnMut(&'static str, Span)) {
        show("precondition_frequency of soap", Span::Steps(self.frequency));
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        for (name, schedule) in [("beta1", &mut self.beta1), ("beta2", &mut self.beta2), ("eps", &mut self.eps)] {
            visit(name, Slot::Schedule(schedule));
        }
        visit("statistics", Slot::Wide(&mut self.statistics));
        visit("bases", Slot::Wide(&mut self.bases));
        visit("mean", self.mean.slot());
        visit("square", self.square.slot());
        visit("calls", Slot::Count(&mut self.calls));
    }

    fn make_room(&mut self, layout: &Layout) -> Result<()> {
        let count = count(layout, self.max_dim);
        (self.statistics, self.bases) = (vec![0.0; count], vec![0.0; count]);
        self.mean.of(layout.len());
        self.square.of(layout.len());
        Ok(())
    }

    fn needs(&mut self, layout: &Layout) -> Need {
        let (statistics, means) = (2 * count(layout, self.max_dim), 2 * layout.len());
        let state = size_of::<f64>() * statistics + size_of::<f32>() * means + bytes_of(self, 0);
        // A vector has room, and no side that is turned.
        let vectors = layout.blocks().iter().filter(|block| sides(block).is_none()).map(Block::elem_count);
        let room = Need { work: 4 * size_of::<f64>() * vectors.sum::<usize>(), ..Need::of_state(state) };
        room + work(layout.blocks().iter().filter_map(sides), self.max_dim, 3, self.frequency)
    }
}

/// Adam's arithmetic for one number.
struct Adam {
    beta1: f64,
    beta2: f64,
    eps: f64,
    correction: f64,
}

impl Adam {
    fn new(beta1: f64, beta2: f64, eps: f64, t: u64) -> Adam {
        let rest = |beta: f64| 1.0 - beta.powf(t as f64);
        Adam { beta1, beta2, eps, correction: rest(beta2).sqrt() / rest(beta1) }
    }

    fn direction(&self, g: f64, m: &mut f32, v: &mut f32) -> f64 {
        *m = (self.beta1 * f64::from(*m) + (1.0 - self.beta1) * g) as f32;
        *v = (self.beta2 * f64::from(*v) + (1.0 - self.beta2) * g * g) as f32;
        let root = f64::from(*v).sqrt() + self.eps;
        if root > 0.0 { f64::from(*m) / root * self.correction } else { 0.0 }
    }
}

/// Statistic and basis of one side, `n × n`; without either where the side keeps its own basis.
struct Side<'a> {
    n: usize,
    statistic: &'a mut [f64],
    basis: &'a mut [f64],
}

impl Side<'_> {
    fn is_turned(&self) -> bool {
        !self.basis.is_empty()
    }

    /// The statistic with the ramp that tells directions of a null space apart.
    fn resolved(&self) -> DMatrix<f64> {
        let mut matrix = square(self.statistic, self.n).into_owned();
        let step = 1e-6 * matrix.trace() / (self.n * self.n) as f64;
        (0..self.n).for_each(|i| matrix[(i, i)] += step * (self.n - i) as f64);
        matrix
    }

    /// The first basis: the statistic's eigenvectors, that of the largest eigenvalue first.
    fn begin(&mut self, block: &Block) -> Result<()> {
        if self.is_turned() {
            let spectrum = eigen(block, self.resolved())?;
            let order = falling(spectrum.eigenvalues.as_slice());
            self.basis.copy_from_slice(permuted(&spectrum.eigenvectors, &order).as_slice());
        }
        Ok(())
    }

    /// The next basis, by one round of power iteration: what turns the old basis into it, and which old column each of
    /// its columns came from. `None` where nothing turns.
    fn renew(&mut self, stop: Stop<'_>) -> Result<Option<(DMatrix<f64>, Vec<usize>)>> {
        if !self.is_turned() {
            return Ok(None);
        }
        stop.check()?;
        let old = square(self.basis, self.n).into_owned();
        let moved = self.resolved() * &old;
        let values: Vec<f64> = old.column_iter().zip(moved.column_iter()).map(|(q, s)| q.dot(&s)).collect();
        if values.iter().all(|&value| value == 0.0) {
            return Ok(None);
        }
        stop.check()?;
        let order = falling(&values);
        let new = permuted(&moved, &order).qr().q();
        self.basis.copy_from_slice(new.as_slice());
        stop.check()?;
        Ok(Some((old.tr_mul(&new), order)))
    }
}

/// Both sides of a block.
struct Sides<'a> {
    rows: Side<'a>,
    columns: Side<'a>,
}

impl Sides<'_> {
    /// Takes the gradient into the statistics.
    fn add(&mut self, room: &Room, beta2: f64) {
        if self.rows.is_turned() {
            room.add_rows(self.rows.statistic, beta2, 1.0 - beta2);
        }
        if self.columns.is_turned() {
            room.add_columns(self.columns.statistic, beta2, 1.0 - beta2);
        }
    }

    /// `Y ← Q_rowsᵀ·Y·Q_columns`.
    fn turn(&self, room: &mut Room, stop: Stop<'_>) -> Result<()> {
        if self.rows.is_turned() {
            stop.check()?;
            room.multiply_left_transposed(&square(self.rows.basis, self.rows.n));
        }
        if self.columns.is_turned() {
            stop.check()?;
            room.multiply_right(&square(self.columns.basis, self.columns.n));
        }
        Ok(())
    }

    /// `Y ← Q_rows·Y·Q_columnsᵀ`.
    fn turn_back(&self, room: &mut Room, stop: Stop<'_>) -> Result<()> {
        if self.rows.is_turned() {
            stop.check()?;
            room.multiply_left(&square(self.rows.basis, self.rows.n));
        }
        if self.columns.is_turned() {
            stop.check()?;
            let transposed = square(self.columns.basis, self.columns.n).transpose();
            room.multiply_right(&transposed.as_view());
        }
        Ok(())
    }

    /// Renews both bases; the running means, kept in the old ones, follow.
    fn renew(&mut self, room: &mut Room, mean: &mut [f32], square: &mut [f32], stop: Stop<'_>) -> Result<()> {
        let (rows, columns) = (self.rows.renew(stop)?, self.columns.renew(stop)?);
        room.y.iter_mut().zip(mean.iter()).for_each(|(y, m)| *y = f64::from(*m));
        if let Some((turn, _)) = &rows {
            room.multiply_left_transposed(&turn.as_view());
        }
        if let Some((turn, _)) = &columns {
            room.multiply_right(&turn.as_view());
        }
        room.write(mean);
        room.y.iter_mut().zip(square.iter()).for_each(|(y, v)| *y = f64::from(*v));
        if let Some((_, order)) = &rows {
            room.y = room.y.select_rows(order);
        }
        if let Some((_, order)) = &columns {
            room.y = permuted(&room.y, order);
        }
        room.write(square);
        Ok(())
    }
}

/// Places of the values, the largest value first.
fn falling(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order
}

fn permuted(matrix: &DMatrix<f64>, order: &[usize]) -> DMatrix<f64> {
    matrix.select_columns(order)
}

const BETA1: Param = Param::number("beta1", Range::Decay, "0.95", "decay of the running mean of gradients");
const BETA2: Param = Param::number("beta2", Range::Decay, "0.95", "decay of all running means of squares");
const FREQUENCY: Param = Param::steps("precondition_frequency", 1, "10", "steps from one basis to the next");
const MAX_DIM: Param = Param::count("max_dim", LONGEST, "10000", "longest side that is turned");

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "soap",
        summary: "adam in the eigenbasis of shampoo's statistics",
        params: &[Param::lr("3e-3"), BETA1, BETA2, Param::EPS, FREQUENCY, Param::weight_decay("0.01"), MAX_DIM],
        make: Make::Recipe(|a| decoupled(a, link(a)?)),
    },
    Row {
        name: "scale_by_soap",
        summary: "soap's direction",
        params: &[BETA1, BETA2, Param::EPS, FREQUENCY, MAX_DIM],
        make: Make::Link(Place::BeforeRate, link),
    },
];

fn link(a: &Args<'_>) -> Result<Chain> {
    let [beta1, beta2, eps] = [a.schedule("beta1")?, a.schedule("beta2")?, a.schedule("eps")?];
    let (frequency, max_dim) = (a.count("precondition_frequency")?, a.count("max_dim")? as usize);
    Ok(Chain::new().then(scale_by_soap(beta1, beta2, eps, frequency, max_dim)))
}
