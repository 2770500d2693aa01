//! The network that learnt Atari games, by its word.

use super::cnn_model::{made, params, shape};
use super::trunk::TrunkStage;
use super::{CnnConfig, CnnModel, Make, Row};
use crate::Result;
use crate::words::Args;

/// 32 filters of 8 x 8 pixels, 4 apart, 64 of 4 x 4, 2 apart, 64 of 3 x 3, 1 apart, and a hidden layer of 512 units, each
/// behind a rectifier: Mnih et al. 2015, methods, <https://doi.org/10.1038/nature14236>.
pub(super) const ROW: Row = Row {
    name: "nature_cnn",
    summary: "three layers of filters and a hidden one, for images of 36 x 36 pixels and more; that of Atari games",
    params: &params("[512]"),
    make: Make {
        layout: Some(|args, site| CnnModel::layout(site, &config(args)?)),
        build: |args, site| made(&config(args)?, site),
    },
};

fn config(args: &Args) -> Result<CnnConfig> {
    let layers = [(32, 8, 4), (64, 4, 2), (64, 3, 1)].into_iter();
    let stages = layers
        .flat_map(|(filters, side, stride)| [TrunkStage::Conv { filters, side, stride, padding: 0 }, TrunkStage::Relu]);
    shape(args, stages.collect())
}
