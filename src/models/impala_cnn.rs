//! The residual network of IMPALA, by its word.

use super::cnn_model::{made, params, shape};
use super::trunk::TrunkStage;
use super::{CnnConfig, CnnModel, Make, Row};
use crate::Result;
use crate::words::{Args, Kind, Param};

const OF_ALL: [Param; 3] = params("[256]");

/// For each number of filters a section of filters of 3 x 3 pixels, a pool of 3 x 3, 2 apart, and two residual blocks; then a
/// rectifier and a hidden layer of 256 units behind another: Espeholt et al. 2018, fig. 3 right,
/// <https://arxiv.org/abs/1802.01561>, without its LSTM, as Procgen has it: Cobbe et al. 2020, <https://arxiv.org/abs/1912.01588>.
pub(super) const ROW: Row = Row {
    name: "impala_cnn",
    summary: "sections of filters, a pool and two residual blocks, and a hidden layer; IMPALA's and Procgen's",
    params: &[
        Param {
            name: "filters",
            kind: Kind::Counts(1, 4_096),
            default: "[16, 32, 32]",
            meaning: "filters of each section, which halves both sides of its images",
        },
        OF_ALL[0],
        OF_ALL[1],
        OF_ALL[2],
    ],
    make: Make {
        layout: Some(|args, site| CnnModel::layout(site, &config(args)?)),
        build: |args, site| made(&config(args)?, site),
    },
};

fn config(args: &Args) -> Result<CnnConfig> {
    let filters = args.counts("filters")?;
    let sections = filters.into_iter().flat_map(|filters| {
        [
            TrunkStage::Conv { filters, side: 3, stride: 1, padding: 1 },
            TrunkStage::Pool { side: 3, stride: 2, padding: 1 },
            TrunkStage::Residual,
            TrunkStage::Residual,
        ]
    });
    shape(args, sections.chain([TrunkStage::Relu]).collect())
}
