//! The perceptron by its word.

use super::{Make, MlpConfig, MlpModel, Row};
use crate::Result;
use crate::words::{Args, Kind, Param};

/// The most units of a layer.
pub(super) const MAX_UNITS: u64 = 65_536;

pub(super) const HIDDEN: Param = Param {
    name: "hidden",
    kind: Kind::Counts(1, MAX_UNITS),
    default: "[64, 64]",
    meaning: "units of each hidden layer; [] is a network without any, which is linear",
};

/// As `hidden`.
const AS_HIDDEN: &str = "hidden";

const CRITIC_HIDDEN: Param = Param {
    name: "critic_hidden",
    kind: Kind::CountsOr(AS_HIDDEN, 1, MAX_UNITS),
    default: AS_HIDDEN,
    meaning: "units of the critic's hidden layers, where they are others than the actor's",
};

pub(super) const ACTIVATION: Param = Param::word(
    "activation",
    &["tanh", "relu", "silu", "gelu", "leaky_relu", "identity"],
    "tanh",
    "activation between layers",
);

pub(super) const INIT: Param =
    Param::word("init", &["orthogonal", "xavier", "kaiming", "sparse"], "orthogonal", "how weights are drawn");

pub(super) const ROW: Row = Row {
    name: "mlp",
    summary: "multi-layer perceptrons for actor and critic, apart or on a shared trunk",
    params: &[
        HIDDEN,
        ACTIVATION,
        INIT,
        CRITIC_HIDDEN,
        Param::flag(
            "layer_norm",
            "false",
            "whether each hidden layer gets mean 0 and deviation 1 over its units before its activation, without gains and biases",
        ),
        Param::flag("shared_trunk", "false", "whether actor and critic share their hidden layers"),
    ],
    make: Make {
        layout: Some(|args, site| MlpModel::layout(site, &shape(args)?)),
        build: |args, site| {
            let (params, model) = MlpModel::for_site(&shape(args)?, site)?;
            Ok((params, Box::new(model)))
        },
    },
};

fn shape(args: &Args) -> Result<MlpConfig> {
    Ok(MlpConfig {
        hidden: args.counts("hidden")?,
        critic_hidden: args.counts("critic_hidden").ok(),
        activation: args.choice("activation")?,
        init: args.choice("init")?,
        layer_norm: args.flag("layer_norm")?,
        shared_trunk: args.flag("shared_trunk")?,
    })
}
