//! What a configuration cannot say of a trainer.

use candle_core::Device;
use uphill_envs::Spec;

use crate::collect::MakeEnvs;
use crate::models::Model;
use crate::{Params, Result};

/// Makes a network and its parameters for environments of this kind on this device.
pub type BuildNetwork<'a> = Box<dyn FnOnce(&Spec, &Device) -> Result<(Params, Box<dyn Model>)> + 'a>;

/// Environments and a network of one's own, where they are not those that the configuration names.
#[derive(Default)]
pub struct Parts<'a> {
    /// The environments; [`Config::env`](crate::Config::env) is then only their name.
    pub envs: Option<MakeEnvs>,
    /// The network.
    pub network: Option<BuildNetwork<'a>>,
}
