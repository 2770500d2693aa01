use super::natural::{LINE_SEARCH, PARAMS};
use super::{LineSearch, Make, Natural, Row, npg};
use crate::Result;
use crate::words::{Args, Param};

pub(super) const ROW: Row = Row {
    name: "trpo",
    summary: "trust-region policy optimisation: a natural gradient step, as long as it helps within a KL divergence",
    params: &params(),
    make: Make { settings: npg::SETTINGS, build: |args, _| Ok(Box::new(trpo(args)?)) },
};

const fn params() -> [Param; PARAMS.len() + LINE_SEARCH.len()] {
    let [a, b, c, d, e, f, g, h, i, j] = PARAMS;
    let [k, l] = LINE_SEARCH;
    [a, b, c, d, e, f, g, h, i, j, k, l]
}

/// Trust-region policy optimisation: the direction of [`npg`], and the longest step along it that a line search finds to raise the
/// surrogate within `max_kl`.
///
/// Schulman et al. 2015, <https://arxiv.org/abs/1502.05477>.
fn trpo(args: &Args) -> Result<Natural> {
    let search = LineSearch { steps: args.count("line_search_steps")?, decay: args.number("line_search_decay")? };
    Natural::of(args, Some(search))
}
