//! Shampoo: a preconditioner for each side of a matrix.

use nalgebra::{DMatrix, DVector};

use super::blocks::blocks_mut;
use super::recipes::coupled;
use super::spectrum::{LONGEST, Room, eigen, sides, square, work};
use super::table::{Make, Row};
use super::{Args, Chain, Context, GradientTransform, Need, Place, Slot, Span, bytes_of};
use crate::words::{Kind, Param, Range};
use crate::{Block, Layout, Result};

/// See [`scale_by_shampoo`].
#[derive(Debug, Clone)]
pub struct ScaleByShampoo {
    eps: f64,
    frequency: u64,
    max_dim: usize,
    statistics: Vec<f64>,
    roots: Vec<f64>,
    steps: u64,
    room: Vec<Room>,
}

/// Divides a matrix of gradients, from either side, by roots of the sums of its squares.
///
/// ```math
///   L ← L + G·Gᵀ          R ← R + Gᵀ·G          u = L^(−1/4)·G·R^(−1/4)               matrices
///   H ← H + g·gᵀ                                u = H^(−1/2)·g                        vectors
/// ```
///
/// L, R and H start at ε times the identity. A tensor of more dimensions counts as the matrix of its first dimension by
/// all others. Of a side longer than `max_dim` only the diagonal is kept. Roots are taken in the first step and then
/// every `frequency` steps, each time with that step's gradient in the sums; 1 is the authors' pseudo-code. All of it in
/// f64, by eigenvalues; one below ε, or below what f64 can tell from 0 beside the largest, counts as that: so the
/// direction does not depend on how large gradients are once ε is nothing beside their squares.
///
/// State: for an `m × n` matrix twice `m² + n²` numbers of 8 bytes.
///
/// Gupta et al. 2018, algorithms 1 and 2, <https://arxiv.org/abs/1802.09568>.
#[must_use]
pub fn scale_by_shampoo(eps: f64, frequency: u64, max_dim: usize) -> ScaleByShampoo {
    let (statistics, roots, room) = (Vec::new(), Vec::new(), Vec::new());
    ScaleByShampoo { eps, frequency: frequency.max(1), max_dim, statistics, roots, steps: 0, room }
}

/// Numbers of a side's statistic: a matrix, or of a long side its diagonal.
fn size(max_dim: usize) -> impl Fn(usize) -> usize {
    move |n| if n <= max_dim { n * n } else { n }
}

/// Numbers of all statistics.
fn count(layout: &Layout, max_dim: usize) -> usize {
    let of = |(rows, columns): (usize, Option<usize>)| size(max_dim)(rows) + columns.map_or(0, size(max_dim));
    layout.blocks().iter().map(sides_of).map(of).sum()
}

impl GradientTransform for ScaleByShampoo {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        let blocks = context.layout.blocks();
        let ScaleByShampoo { eps, frequency, max_dim, statistics, roots, steps, room } = self;
        let is_full = |n: usize| n <= *max_dim;
        let (size, count) = (size(*max_dim), count(context.layout, *max_dim));
        let begins = statistics.len() != count || roots.len() != count;
        if begins {
            (*statistics, *roots) = (vec![0.0; count], vec![0.0; count]);
        }
        let power = |block| if sides_of(block).1.is_some() { -0.25 } else { -0.5 };
        let renew = begins || steps.is_multiple_of(*frequency);
        *steps += 1;
        room.resize_with(blocks.len(), Room::default);
        let (mut statistics, mut roots) = (statistics.as_mut_slice(), roots.as_mut_slice());
        for ((block, g, _), room) in blocks_mut(context, gradient).zip(room) {
            let (rows, columns) = sides_of(block);
            room.read(g, (rows, columns.unwrap_or(1)));
            let sides = [Some((rows, true)), columns.map(|n| (n, false))].into_iter().flatten();
            for (n, is_rows) in sides.filter(|&(n, _)| n > 0) {
                let (Some(statistic), Some(root)) =
                    (statistics.split_off_mut(..size(n)), roots.split_off_mut(..size(n)))
                else {
                    break;
                };
                context.stop.check()?;
                if begins {
                    statistic.iter_mut().step_by(if is_full(n) { n + 1 } else { 1 }).for_each(|x| *x = *eps);
                }
                match (is_full(n), is_rows) {
                    (true, true) => room.add_rows(statistic, 1.0, 1.0),
                    (true, false) => room.add_columns(statistic, 1.0, 1.0),
                    (false, true) => add_each(statistic, room.x.row_iter().map(|row| row.norm_squared())),
                    (false, false) => add_each(statistic, room.x.column_iter().map(|column| column.norm_squared())),
                }
                context.stop.check()?;
                if renew && is_full(n) {
                    let spectrum = eigen(block, square(statistic, n).into_owned())?;
                    // Below this, an eigenvalue is the rounding of the largest one.
                    let resolved = n as f64 * f64::EPSILON * spectrum.eigenvalues.amax();
                    let powers = spectrum.eigenvalues.map(|value| value.max(*eps).max(resolved).powf(power(block)));
                    root.copy_from_slice(from_spectrum(&spectrum.eigenvectors, &powers).as_slice());
                } else if renew {
                    root.iter_mut().zip(&*statistic).for_each(|(root, x)| *root = x.powf(power(block)));
                }
                context.stop.check()?;
                match (is_full(n), is_rows) {
                    (true, true) => room.multiply_left(&square(root, n)),
                    (true, false) => room.multiply_right(&square(root, n)),
                    (false, true) => room.y.row_iter_mut().zip(root).for_each(|(mut row, root)| row *= *root),
                    (false, false) => room.y.column_iter_mut().zip(root).for_each(|(mut column, root)| column *= *root),
                }
            }
            room.write(g);
        }
        Ok(())
    }

    fn spans(&self, show: &mut dyn FnMut(&'static str, Span)) {
        show("precondition_frequency of shampoo", Span::Steps(self.frequency));
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        visit("statistics", Slot::Wide(&mut self.statistics));
        visit("roots", Slot::Wide(&mut self.roots));
        visit("steps", Slot::Count(&mut self.steps));
    }

    fn make_room(&mut self, layout: &Layout) -> Result<()> {
        let count = count(layout, self.max_dim);
        (self.statistics, self.roots) = (vec![0.0; count], vec![0.0; count]);
        Ok(())
    }

    fn needs(&mut self, layout: &Layout) -> Need {
        let state = 2 * size_of::<f64>() * count(layout, self.max_dim) + bytes_of(self, 0);
        let sides = layout.blocks().iter().map(sides_of).map(|(rows, columns)| (rows, columns.unwrap_or(1)));
        Need::of_state(state) + work(sides, self.max_dim, 2, self.frequency)
    }
}

/// Rows and columns of a matrix; a vector has rows only.
fn sides_of(block: &Block) -> (usize, Option<usize>) {
    sides(block).map_or((block.elem_count(), None), |(rows, columns)| (rows, Some(columns)))
}

fn add_each(sums: &mut [f64], terms: impl Iterator<Item = f64>) {
    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
}

/// `V·diag(values)·Vᵀ`.
fn from_spectrum(vectors: &DMatrix<f64>, values: &DVector<f64>) -> DMatrix<f64> {
    let mut scaled = vectors.clone();
    scaled.column_iter_mut().zip(values.iter()).for_each(|(mut column, value)| column *= *value);
    scaled * vectors.transpose()
}

const EPS: Param = Param {
    name: "eps",
    kind: Kind::Fixed(Range::Positive),
    default: "1e-4",
    meaning: "what the sums of squares start at",
};
const FREQUENCY: Param = Param::steps("precondition_frequency", 1, "1", "steps from one root to the next");
const MAX_DIM: Param = Param::count("max_dim", LONGEST, "1024", "longest side that has more than a diagonal");

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "shampoo",
        summary: "gradients over roots of their squares, a matrix for each side",
        params: &[Param::lr("0.1"), EPS, FREQUENCY, MAX_DIM, Param::WEIGHT_DECAY],
        make: Make::Recipe(|a| coupled(a, link(a)?)),
    },
    Row {
        name: "scale_by_shampoo",
        summary: "shampoo's direction",
        params: &[EPS, FREQUENCY, MAX_DIM],
        make: Make::Link(Place::BeforeRate, link),
    },
];

fn link(a: &Args<'_>) -> Result<Chain> {
    let (frequency, max_dim) = (a.count("precondition_frequency")?, a.count("max_dim")? as usize);
    Ok(Chain::new().then(scale_by_shampoo(a.number("eps")?, frequency, max_dim)))
}
