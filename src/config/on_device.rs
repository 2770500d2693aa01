//! Environments that are stepped on the learning device: what goes with them.

use candle_core::Device;
use uphill_envs::quoted;

use crate::device_lanes::{drawn_on_the_host, sampler};
use crate::distributions;
use crate::host_only::HostOnly;
use crate::models::{self, Model};
use crate::tensor_env::TensorEnv;
use crate::{Config, Error, Result};

/// Names of environments that a message has room for.
const NAMED: usize = 6;

impl Config {
    /// Refuses environments on the device where something else of the run is known on the host only, and tells all of it that the settings
    /// say.
    pub(super) fn check_envs_on_device(&self) -> Result<()> {
        if !self.envs_on_device {
            return Ok(());
        }
        let mut found = self.make_algo()?.host_only();
        if self.frame_stack != 1 || !self.env.wrappers.is_empty() {
            found.push(HostOnly::new("wrappers and stacked frames are of the host", "train without them"));
        }
        if models::remembers(&self.model.name) {
            found.push(remembering());
        }
        // What it has to choose among depends on the actions; an environment that cannot be made is told of where it is.
        if let Ok(env) = self.make_env()
            && let Ok(distribution) = self.make_distribution(env.spec())
            && distribution.sampler().is_none()
        {
            let word = distributions::taken(self.catalogue.distributions(), &self.distribution, &env.spec().action)?;
            found.push(drawn_on_the_host(&word.name, &*distribution));
        }
        let row = self.catalogue.env(&self.env.word.name);
        if row.is_ok_and(|row| row.make.tensors.is_none()) {
            let having = self.catalogue.envs().iter().filter(|row| row.make.tensors.is_some());
            let having: Vec<_> = having.map(|row| row.name).collect();
            let (named, others) = having.split_at(having.len().min(NAMED));
            let others = if others.is_empty() { String::new() } else { format!(" and {} others", others.len()) };
            let problem = format!("{} is stepped on the host only", quoted(&self.env.id()));
            found.push(HostOnly::new(problem, format!("take one of {}{others}", named.join(", "))));
        }
        HostOnly::refuse(&found)
    }

    /// The environment as a tensor program on a device.
    ///
    /// # Errors
    /// [`Error::Config`] for one that has no such form, and what its row fails with.
    pub(crate) fn make_tensor_env(&self, device: &Device) -> Result<Box<dyn TensorEnv>> {
        let (row, args) = self.env_row()?;
        let unknown = || HostOnly::new(format!("{} has no form on a device", row.name), "take CartPole-v1").error();
        let too_large = |error| match error {
            Error::Mdp(_) | Error::Config(_) => HostOnly::new(error.to_string(), "take such a one").error(),
            other => other,
        };
        row.make.tensors.ok_or_else(unknown)?(&args, device).map_err(too_large)
    }

    /// Refuses a network that does not act on a device, environments of one's own, and several ranks, all at once.
    pub(crate) fn check_acts_on_device(&self, network: &dyn Model, own_envs: bool, ranks: usize) -> Result<()> {
        if !self.envs_on_device {
            return Ok(());
        }
        let mut found = Vec::new();
        if own_envs {
            let problem = "environments of one's own are made for the host";
            found.push(HostOnly::new(problem, "give their row a tensor program"));
        }
        if ranks > 1 {
            found.push(HostOnly::new("lanes on a device are those of one process", "start one rank"));
        }
        if network.memory() > 0 {
            found.push(remembering());
        }
        found.extend(sampler(&**network.distribution()).err());
        HostOnly::refuse(&found)
    }
}

fn remembering() -> HostOnly {
    HostOnly::new("a network with a memory acts on the host", "set model = mlp")
}
