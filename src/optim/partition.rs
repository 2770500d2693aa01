//! Different chains for different blocks.

use std::ops::Range;

use candle_core::Tensor;

use super::table::{Make, Row};
use super::tensors::joined;
use super::{Chain, Context, GradientTransform, Need, Pattern, Place, Slot, Span, When};
use super::{TensorContext, TensorState, TensorTransform};
use crate::error::check_len;
use crate::words::{Kind, Param};
use crate::{Block, Error, Layout, Result};

/// See [`partition`] and [`masked`].
#[derive(Debug)]
pub struct Partition {
    branches: Vec<Branch>,
    rest: Rest,
    /// Its branches are one chain over all blocks, but for learning rates.
    is_one_chain: bool,
}

/// What becomes of blocks that no branch means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// They are an error.
    Refused,
    /// Their gradient is left as it is.
    Passes,
    /// Their gradient is zero: they do not move.
    Held,
}

/// The blocks of one chain, side by side.
#[derive(Debug)]
struct Branch {
    blocks: Pattern,
    chain: Chain,
    layout: Layout,
    theta: Vec<f32>,
    gradient: Vec<f32>,
    /// Where each block stands in the whole vector, once that is known.
    places: Option<Vec<Range<usize>>>,
}

/// Sends each block through the first chain whose pattern means it; one that none means is an error.
///
/// A chain sees its own blocks alone, as if they were all there is: its norms are over them.
///
/// ```
/// use uphill::optim::{Chain, Pattern, partition};
/// let (fast, slow): (Chain, Chain) = ("adam(lr=1e-3)".parse()?, "sgd(lr=1e-2)".parse()?);
/// let both = Chain::new().then(partition([(Pattern::new("actor.*"), fast), (Pattern::new("*"), slow)]));
/// # Ok::<(), uphill::Error>(())
/// ```
#[must_use]
pub fn partition(branches: impl IntoIterator<Item = (Pattern, Chain)>) -> Partition {
    Partition { branches: branches.into_iter().map(Branch::new).collect(), rest: Rest::Refused, is_one_chain: false }
}

/// The same of one chain at several learning rates: what a link of it is for has to be among all blocks alone.
pub(super) fn at_rates(branches: impl IntoIterator<Item = (Pattern, Chain)>) -> Partition {
    Partition { is_one_chain: true, ..partition(branches) }
}

/// Sends some blocks through a chain and leaves the others as they are.
#[must_use]
pub fn masked(blocks: Pattern, chain: Chain) -> Partition {
    Partition { rest: Rest::Passes, ..partition([(blocks, chain)]) }
}

/// Sends some blocks through a chain, as if there were no others, whose gradient is zero.
pub(super) fn only(blocks: Pattern, chain: Chain) -> Partition {
    Partition { rest: Rest::Held, ..partition([(blocks, chain)]) }
}

impl Partition {
    /// The branch that a block goes through.
    fn branch_of(&self, block: &Block) -> Option<usize> {
        self.branches.iter().position(|branch| branch.blocks.matches(block))
    }

    /// The blocks of a branch, as if they were all there is, and where they stand in the whole vector.
    fn own(&self, branch: usize, layout: &Layout) -> (Layout, Vec<Range<usize>>) {
        let (mut own, mut places) = (Layout::default(), Vec::new());
        for block in layout.blocks().iter().filter(|block| self.branch_of(block) == Some(branch)) {
            own.push(block.name.clone(), &block.shape);
            places.push(block.range());
        }
        (own, places)
    }

    /// Refuses blocks that no branch means, and branches that mean none.
    fn check(&self, layout: &Layout) -> Result<()> {
        let homeless =
            layout.blocks().iter().find(|block| self.rest == Rest::Refused && self.branch_of(block).is_none());
        if let Some(block) = homeless {
            let known: Vec<&str> = self.branches.iter().map(|branch| branch.blocks.as_str()).collect();
            let (name, known) = (&block.name, known.join("`, `"));
            let problem = format!("partition: no pattern means the block {name} (`{known}`); a last \"*\" would");
            return Err(Error::Config(problem));
        }
        let is_idle = |(i, branch): &(usize, &Branch)| self.own(*i, layout).0.is_empty() && branch.blocks.names_some();
        match self.branches.iter().enumerate().find(is_idle) {
            Some((_, branch)) => Err(branch.blocks.means_none_of(layout)),
            None => Ok(()),
        }
    }

    fn begin(&mut self, layout: &Layout) -> Result<()> {
        self.check(layout)?;
        for i in 0..self.branches.len() {
            let (own, places) = self.own(i, layout);
            (self.branches[i].layout, self.branches[i].places) = (own, Some(places));
        }
        Ok(())
    }
}

impl Branch {
    fn new((blocks, chain): (Pattern, Chain)) -> Self {
        Self { blocks, chain, layout: Layout::default(), theta: Vec::new(), gradient: Vec::new(), places: None }
    }
}

/// The numbers at these places, one place after the other.
fn gather(places: &[Range<usize>], from: &[f32], to: &mut Vec<f32>) {
    to.clear();
    places.iter().for_each(|place| to.extend_from_slice(&from[place.clone()]));
}

/// Puts what [`gather`] took back.
fn scatter(places: &[Range<usize>], from: &[f32], to: &mut [f32]) {
    let mut rest = from;
    for place in places {
        let (block, others) = rest.split_at(place.len());
        to[place.clone()].copy_from_slice(block);
        rest = others;
    }
}

impl GradientTransform for Partition {
    fn update(&mut self, gradient: &mut [f32], context: &Context<'_>) -> Result<()> {
        if self.branches.iter().any(|branch| branch.places.is_none()) {
            self.begin(context.layout)?;
        }
        context.check(gradient)?;
        check_len("the gradient", context.layout.len(), gradient.len())?;
        let Context { when, stop, lr_factor, .. } = *context;
        for Branch { chain, layout, theta, gradient: own, places, .. } in &mut self.branches {
            let places = places.as_deref().unwrap_or_default();
            gather(places, context.theta, theta);
            gather(places, gradient, own);
            chain.update(own, &Context { stop, lr_factor, ..Context::new(theta, layout, when) })?;
            scatter(places, own, gradient);
        }
        Ok(())
    }

    fn state<'a>(&'a mut self, visit: &mut dyn FnMut(&str, Slot<'a>)) {
        for (i, branch) in self.branches.iter_mut().enumerate() {
            branch.chain.state(&mut |name, slot| visit(&format!("branch{i}.{name}"), slot));
        }
    }

    fn nameless<'a>(&'a mut self, visit: &mut dyn FnMut(Slot<'a>)) {
        self.branches.iter_mut().for_each(|branch| branch.chain.nameless(visit));
    }

    fn mends_non_finite(&self) -> bool {
        self.rest == Rest::Held && self.branches.iter().all(|branch| branch.chain.mends_non_finite())
    }

    fn learning_rate(&self, when: When) -> Option<f64> {
        // Of the rest, which stands last.
        self.branches.iter().rev().find_map(|branch| branch.chain.learning_rate(when))
    }

    fn evaluation(&self, theta: &[f32], layout: &Layout) -> Result<Option<Vec<f32>>> {
        let mut whole: Option<Vec<f32>> = None;
        for (i, branch) in self.branches.iter().enumerate() {
            let ((layout, places), mut own) = (self.own(i, layout), Vec::new());
            gather(&places, theta, &mut own);
            if let Some(better) = branch.chain.evaluation(&own, &layout)? {
                check_len("what a policy should have", own.len(), better.len())?;
                scatter(&places, &better, whole.get_or_insert_with(|| theta.to_vec()));
            }
        }
        Ok(whole)
    }

    fn spans(&self, show: &mut dyn FnMut(&'static str, Span)) {
        self.branches.iter().for_each(|branch| branch.chain.spans(show));
    }

    fn averages(&self) -> bool {
        self.branches.iter().any(|branch| branch.chain.averages())
    }

    fn holds_parameters(&self) -> bool {
        self.branches.iter().any(|branch| branch.chain.holds_parameters())
    }

    fn check_layout(&self, layout: &Layout) -> Result<()> {
        self.check(layout)?;
        let own = |i: usize| if self.is_one_chain { layout.clone() } else { self.own(i, layout).0 };
        let mut branches = self.branches.iter().enumerate().map(|(i, branch)| (branch, own(i)));
        branches.try_for_each(|(branch, own)| if own.is_empty() { Ok(()) } else { branch.chain.check_layout(&own) })
    }

    fn make_room(&mut self, layout: &Layout) -> Result<()> {
        self.begin(layout)?;
        self.branches.iter_mut().try_for_each(|branch| branch.chain.make_room(&branch.layout))
    }

    fn needs(&mut self, layout: &Layout) -> Need {
        let layouts: Vec<Layout> = (0..self.branches.len()).map(|i| self.own(i, layout).0).collect();
        let of = |(branch, own): (&mut Branch, Layout)| {
            let gathered = Need { work: 2 * size_of::<f32>() * own.len(), ..Need::default() };
            gathered + branch.chain.needs(&own)
        };
        self.branches.iter_mut().zip(layouts).map(of).sum()
    }

    fn report(&self, show: &mut dyn FnMut(&'static str, f64)) {
        self.branches.iter().for_each(|branch| branch.chain.report(show));
    }

    fn on_tensors(&mut self) -> Option<&mut dyn TensorTransform> {
        if self.branches.iter_mut().all(|branch| branch.chain.on_tensors().is_some()) { Some(self) } else { None }
    }
}

impl TensorTransform for Partition {
    fn update_tensor(
        &mut self,
        gradient: &Tensor,
        context: &TensorContext<'_>,
        state: &mut TensorState,
    ) -> Result<Tensor> {
        if self.branches.iter().any(|branch| branch.places.is_none()) {
            self.begin(context.layout)?;
        }
        let mut pieces = Vec::new();
        for Branch { chain, layout, places, .. } in &mut self.branches {
            if layout.is_empty() {
                // A device may have no tensor of nothing; on the host, too, its links are not asked.
                let mut outcome = Ok(());
                chain.nameless(&mut |slot| {
                    if let (Slot::Vector(_), true) = (slot, outcome.is_ok()) {
                        outcome = state.take(0, 0.0).map(|none| state.put(none));
                    }
                });
                outcome?;
                continue;
            }
            let places = places.as_deref().unwrap_or_default();
            let own = TensorContext { theta: gathered(places, &context.theta)?, layout, norm: None, ..*context };
            let update = chain.update_tensor(&gathered(places, gradient)?, &own, state)?;
            let mut at = 0;
            for place in places.iter().filter(|place| !place.is_empty()) {
                pieces.push((place.start, update.narrow(0, at, place.len())?));
                at += place.len();
            }
        }
        for block in context.layout.blocks().iter().filter(|block| block.elem_count() > 0) {
            if self.branch_of(block).is_none() {
                let own = gradient.narrow(0, block.offset, block.elem_count())?;
                pieces.push((block.offset, if self.rest == Rest::Held { own.zeros_like()? } else { own }));
            }
        }
        pieces.sort_by_key(|(start, _)| *start);
        joined(&pieces.into_iter().map(|(_, piece)| piece).collect::<Vec<_>>())
    }
}

/// The numbers of a tensor at these places, one place after the other.
fn gathered(places: &[Range<usize>], from: &Tensor) -> Result<Tensor> {
    let pieces = places.iter().filter(|place| !place.is_empty()).map(|place| from.narrow(0, place.start, place.len()));
    joined(&pieces.collect::<candle_core::Result<Vec<_>>>()?)
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "masked",
        summary: "links for some blocks, the others stay as they are: masked(\"actor.*\", centralize)",
        params: &[
            Param {
                name: "blocks",
                kind: Kind::Text,
                default: "",
                meaning: "name pattern, `weights`, `matrices` or `biases`",
            },
            Param::chain("what those blocks go through"),
        ],
        make: Make::Link(Place::Beside, |a| {
            let chain = a.chain("chain")?;
            if chain.learning_rate(When::default()).is_some() {
                let problem = "its chain applies a learning rate, and the other blocks would have none";
                return Err(Error::Config(format!("masked: {problem}: partition gives each block its own optimizer")));
            }
            Ok(Chain::new().then(masked(Pattern::new(a.text("blocks")?), chain)))
        }),
    },
    Row {
        name: "partition",
        summary: "a chain for each kind of block: partition(\"actor.*\", adam(3e-4), \"critic.*\", adam(1e-3))",
        params: &[Param {
            name: "blocks, chain",
            kind: Kind::Pairs(&Kind::Text, &Kind::Chain),
            default: "",
            meaning: "the first pattern that means a block says its chain",
        }],
        make: Make::Link(Place::Beside, |a| {
            let branches = a.branches()?.into_iter().map(|(blocks, chain)| (Pattern::new(blocks), chain));
            Ok(Chain::new().then(partition(branches)))
        }),
    },
];
