//! Arguments of CleanRL's scripts, and those of PureJaxRL's in capitals.

use serde_json::{Map, Value};

use super::{Asked, Reading, config_error};
use crate::{Catalogue, Result};

/// Whether a table is theirs: of ours neither key would be one.
pub(super) fn is_theirs(root: &Map<String, Value>) -> bool {
    root.contains_key("env_id") || root.contains_key("ENV_NAME")
}

pub(super) fn read(
    _root: Map<String, Value>,
    _asked: &Asked,
    _catalogue: &Catalogue,
    _reading: &mut Reading,
) -> Result<()> {
    config_error("it is no file of rl-baselines3-zoo: that has an environment for each key at its top".into())
}
