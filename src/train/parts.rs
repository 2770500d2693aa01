//! What a configuration cannot say of a trainer.

use std::sync::Arc;

use candle_core::Device;
use uphill_envs::{Spec, VecEnv};

use crate::nn::ActorCritic;
use crate::optim::Registry;
use crate::{Config, Params, Result};

/// Makes so many environments of one kind, to be stepped side by side.
pub type MakeEnvs = Arc<dyn Fn(usize) -> Result<Box<dyn VecEnv>> + Send + Sync>;

/// Makes a network and its parameters for environments of this kind on this device.
pub type BuildNetwork<'a> = Box<dyn FnOnce(&Spec, &Device) -> Result<(Params, Box<dyn ActorCritic>)> + 'a>;

/// Environments, a network, and words of an optimizer of one's own, where they are not those that the configuration names.
#[derive(Default)]
pub struct Parts<'a> {
    /// The words that an optimizer is made of.
    pub registry: Registry,
    /// The environments; [`Config::env`] is then only their name.
    pub envs: Option<MakeEnvs>,
    /// The network.
    pub network: Option<BuildNetwork<'a>>,
}

impl Config {
    /// What makes the environments that this configuration names.
    pub(crate) fn env_maker(&self) -> MakeEnvs {
        let config = self.clone();
        Arc::new(move |lanes| config.make_envs(lanes))
    }
}
