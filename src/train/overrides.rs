//! What a configuration cannot say of a trainer.

use std::sync::Arc;

use candle_core::Device;
use uphill_envs::Spec;

use crate::collect::MakeEnvs;
use crate::models::Model;
use crate::world::World;
use crate::{Params, Result};

/// Makes a network and its parameters for environments of this kind on this device.
pub type BuildNetwork<'a> = Box<dyn FnOnce(&Spec, &Device) -> Result<(Params, Box<dyn Model>)> + 'a>;

/// Environments, a network and a world of one's own, where they are not those that the configuration names.
#[derive(Default)]
pub struct Overrides<'a> {
    /// The environments; [`Config::env`](crate::Config::env) is then only their name.
    pub envs: Option<MakeEnvs>,
    /// The network.
    pub network: Option<BuildNetwork<'a>>,
    /// The processes that learn together with this one.
    pub world: Option<Arc<dyn World>>,
}
