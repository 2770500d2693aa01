//! Whether a folder's grid may become another one.

use std::path::Path;

use super::grid::{Grid, Protocol};
use crate::{Error, Result, settings};

/// Refuses a folder whose grid, `old`, has more than a new one or has it otherwise.
///
/// The runs themselves are in files by all that they depend on, so none is ever taken for another: this protects the
/// tables that the folder is known for.
pub(super) fn check(old: &str, new: &Grid, path: &Path, force: bool) -> Result<()> {
    if force {
        return Ok(());
    }
    let refused = |problem: String| {
        let remedy =
            "give --force to run this grid there (the runs that are the same are kept), or --out another folder";
        Err(Error::File { path: path.into(), problem: format!("{problem}: {remedy}") })
    };
    match Grid::parse(old) {
        Err(_) => refused("it is not a grid that this version reads".into()),
        Ok(old) => match difference(&old, new)? {
            Some(difference) => refused(format!("this folder holds another comparison: {difference}")),
            None => Ok(()),
        },
    }
}

/// The first thing that `new` lacks of `old`, or has otherwise.
fn difference(old: &Grid, new: &Grid) -> Result<Option<String>> {
    let lacks = [
        ("tasks", lacking(&old.tasks, &new.tasks, |task| task.label().to_string())),
        ("algos", lacking(&old.algos, &new.algos, String::clone)),
        ("optimizers", lacking(&old.optimizers, &new.optimizers, ToString::to_string)),
        ("protocols", lacking(&old.protocols, &new.protocols, |protocol| format!("{protocol:?}").to_lowercase())),
        ("seeds", lacking(&old.seeds.list(), &new.seeds.list(), u64::to_string)),
    ];
    if let Some((axis, item)) = lacks.into_iter().find_map(|(axis, item)| Some((axis, item?))) {
        return Ok(Some(format!("{axis} had {item}, as this grid has not")));
    }
    let (old_table, new_table) = (old.to_table()?, new.to_table()?);
    for key in ["curve_points", "eval_episodes", "settings", "algo_settings", "sweep", "tuning"] {
        // What no run of the old grid depended on may change.
        let unused = match key {
            "sweep" => old.sweep.numbers().is_empty(),
            "tuning" => !old.protocols.contains(&Protocol::Tuned),
            _ => false,
        };
        let (before, after) = (old_table.get(key), new_table.get(key));
        if !unused && before != after {
            return Ok(Some(settings::first_difference(key, before, after)));
        }
    }
    Ok(None)
}

/// The first of `old` that is not in `new`.
fn lacking<T: PartialEq>(old: &[T], new: &[T], name: impl Fn(&T) -> String) -> Option<String> {
    old.iter().find(|item| !new.contains(item)).map(name)
}
