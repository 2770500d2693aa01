//! The network of MinAtar, by its word.

use super::cnn_model::{made, params, shape};
use super::trunk::TrunkStage;
use super::{CnnConfig, CnnModel, Make, Row};
use crate::Result;
use crate::words::{Args, Param};

const OF_ALL: [Param; 3] = params("[128]");

/// 16 filters of 3 x 3 pixels, one pixel apart, and a hidden layer of 128 units, each behind a rectifier: Young and Tian 2019,
/// <https://arxiv.org/abs/1903.03176>.
pub(super) const ROW: Row = Row {
    name: "minatar_cnn",
    summary: "16 filters of 3 x 3 pixels and a hidden layer, for small images; MinAtar's",
    params: &[Param::count("filters", (1, 4_096), "16", "filters of 3 x 3 pixels"), OF_ALL[0], OF_ALL[1], OF_ALL[2]],
    make: Make {
        layout: Some(|args, site| CnnModel::layout(site, &config(args)?)),
        build: |args, site| made(&config(args)?, site),
    },
};

fn config(args: &Args) -> Result<CnnConfig> {
    let conv = TrunkStage::Conv { filters: args.count("filters")?, side: 3, stride: 1, padding: 0 };
    shape(args, vec![conv, TrunkStage::Relu])
}
