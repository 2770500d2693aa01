//! A network of candle-nn modules: one hidden layer that actor and critic share.

use candle_core::Module;
use candle_nn::linear;
use uphill::ModuleModel;
use uphill::models::{Make, Row};
use uphill::words::Param;

pub const ROW: Row = Row {
    name: "gelu_trunk",
    summary: "one layer of units with gelu, shared by actor and critic",
    params: &[Param::count("units", (1, 1024), "24", "units of the layer")],
    make: Make {
        layout: None,
        build: |args, site| {
            let (inputs, units) = (site.spec.observation_len(), args.count("units")?);
            let (params, model) = ModuleModel::new(site, move |vb| {
                let trunk = linear(inputs, units, vb.pp("trunk"))?;
                let (actor, critic) = (linear(units, 2, vb.pp("actor"))?, linear(units, 1, vb.pp("critic"))?);
                Ok(Box::new(move |observation| {
                    let features = trunk.forward(observation)?.gelu()?;
                    Ok((actor.forward(&features)?, critic.forward(&features)?))
                }))
            })?;
            Ok((params, Box::new(model)))
        },
    },
};
