//! Environments that are stepped on the learning device: what goes with them.

use candle_core::Device;
use uphill_envs::quoted;

use crate::device_lanes::on_the_host;
use crate::models::Model;
use crate::tensor_env::TensorEnv;
use crate::{Config, Error, Result};

fn impossible(problem: &str, remedy: &str) -> Error {
    Error::Config(format!("envs_on_device = true is impossible: {problem}; {remedy}, or leave it out"))
}

impl Config {
    /// Refuses environments on the device where something else of the run is known on the host only.
    pub(super) fn check_envs_on_device(&self) -> Result<()> {
        if !self.envs_on_device {
            return Ok(());
        }
        self.make_algo()?.check_on_device()?;
        if self.frame_stack != 1 || !self.env.wrappers.is_empty() {
            return Err(impossible("wrappers and stacked frames are of the host", "train without them"));
        }
        if self.normalize_value {
            return Err(impossible("normalize_value goes by what the host sees", "set normalize_value = false"));
        }
        let row = self.catalogue.env(&self.env.word.name);
        if row.is_ok_and(|row| row.make.tensors.is_none()) {
            let having = self.catalogue.envs().iter().filter(|row| row.make.tensors.is_some()).map(|row| row.name);
            let having = having.collect::<Vec<_>>().join(", ");
            let problem = format!("{} is stepped on the host only", quoted(&self.env.id()));
            return Err(impossible(&problem, &format!("take one of {having}")));
        }
        Ok(())
    }

    /// The environment as a tensor program on a device.
    ///
    /// # Errors
    /// [`Error::Config`] for one that has no such form, and what its row fails with.
    pub(crate) fn make_tensor_env(&self, device: &Device) -> Result<Box<dyn TensorEnv>> {
        let (row, args) = self.env_row()?;
        let unknown = || impossible(&format!("{} has no form on a device", row.name), "take CartPole-v1");
        let too_large = |error| match error {
            Error::Mdp(_) | Error::Config(_) => impossible(&error.to_string(), "take such a one"),
            other => other,
        };
        row.make.tensors.ok_or_else(unknown)?(&args, device).map_err(too_large)
    }

    /// Refuses a network that does not act on a device, environments of one's own, and several ranks.
    pub(crate) fn check_acts_on_device(&self, network: &dyn Model, own_envs: bool, ranks: usize) -> Result<()> {
        if !self.envs_on_device {
            return Ok(());
        }
        if own_envs {
            return Err(impossible(
                "environments of one's own are made for the host",
                "give their row a tensor program",
            ));
        }
        if ranks > 1 {
            return Err(impossible("lanes on a device are those of one process", "start one rank"));
        }
        if network.memory() > 0 {
            return Err(impossible("a network with a memory acts on the host", "set model = mlp"));
        }
        if network.distribution().sampler().is_none() {
            return Err(on_the_host(network));
        }
        Ok(())
    }
}
