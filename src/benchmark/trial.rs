//! An optimizer with its learning rate and other hyper-parameters chosen.

use rand::seq::SliceRandom;
use uphill_envs::counted;

use super::grid::{Grid, LrGrid};
use crate::optim::Registry;
use crate::settings::shown;
use crate::words::{Kind, Spec, Value, Word};
use crate::{Error, Result, Seed};

/// One choice of hyper-parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The optimizer as the grid names it.
    pub optimizer: String,
    /// The same with its hyper-parameters, all but the learning rate.
    pub spec: Spec,
    /// The learning rate, annealed as the algorithm's settings say; `None` where the spec itself says it (a schedule, or
    /// links without a recipe).
    pub lr: Option<f64>,
}

impl Trial {
    /// Every hyper-parameter as documented, or as the spec itself says. A number as the recipe's `lr` is taken out of
    /// the spec, so that annealing applies to it as to every other.
    pub(super) fn documented(optimizer: &Spec, registry: &Registry) -> Result<Self> {
        registry.chain(optimizer)?;
        let mut trial = Self { optimizer: optimizer.to_string(), spec: optimizer.clone(), lr: None };
        let Some(recipe) = registry.recipe_of(optimizer) else { return Ok(trial) };
        let Some(link) = trial.spec.0.iter_mut().find(|link| link.name == recipe.name) else {
            // Inside of another link, such as trac(adam): the setting reaches it if it does not say its own.
            let says = says_lr(optimizer, registry);
            trial.lr = recipe.default_lr().filter(|_| !says);
            return Ok(trial);
        };
        for (i, (name, value)) in link.args.iter_mut().enumerate() {
            // Named, so that none changes its place when another goes.
            let pairs = |kind| matches!(kind, Kind::Pairs(..));
            if let (None, Some(param)) = (&name, recipe.params.get(i).filter(|param| !pairs(param.kind))) {
                *name = Some(param.name.to_string());
            }
            if let (Some("lr"), Value::Number(lr)) = (name.as_deref(), &*value) {
                trial.lr = Some(*lr);
            }
        }
        let is_lr = |(name, _): &(Option<String>, Value)| name.as_deref() == Some("lr");
        if trial.lr.is_some() {
            link.args.retain(|arg| !is_lr(arg));
        } else if !link.args.iter().any(is_lr) {
            trial.lr = recipe.default_lr();
        }
        Ok(trial)
    }

    /// The same at another learning rate.
    pub(super) fn at(&self, lr: f64) -> Result<Self> {
        match self.lr {
            Some(_) => Ok(Self { lr: Some(lr), ..self.clone() }),
            None => {
                let remedy = "name a recipe with a number as lr, or leave it out of `sweep` and the protocol tuned";
                Err(Error::Config(format!("{} has no learning rate that could be varied: {remedy}", self.optimizer)))
            }
        }
    }

    /// The same with another value of a hyper-parameter of its recipe.
    fn with(&self, name: &str, value: &toml::Value, registry: &Registry) -> Result<Self> {
        let mut trial = self.clone();
        let recipe = registry.recipe_of(&self.spec).map(|row| row.name);
        let Some(link) = trial.spec.0.iter_mut().find(|link| Some(link.name.as_str()) == recipe) else {
            return Err(Error::Config(format!("tuning.search: {} has no recipe to search over", self.optimizer)));
        };
        let one = toml::Table::from_iter([("name".into(), link.name.clone().into()), (name.into(), value.clone())]);
        let Spec(links) = Spec::try_from(&toml::Value::Table(one))?;
        let arg = links.into_iter().next().and_then(|Word { mut args, .. }| args.pop());
        link.args.retain(|(known, _)| known.as_deref() != Some(name));
        link.args.extend(arg);
        registry.chain(&trial.spec).map_err(|e| Error::Config(format!("tuning.search: {e}")))?;
        Ok(trial)
    }

    /// The trials of an optimizer, equally many for each.
    pub(super) fn search(&self, grid: &Grid) -> Result<Vec<Self>> {
        let registry = grid.catalogue.optim();
        let tuning = &grid.tuning;
        let mut space = vec![self.clone()];
        let mut lr_list = tuning.lr.clone();
        for (name, values) in tuning.search.get(&self.optimizer).into_iter().flatten() {
            if name == "lr" {
                let number = |value: &toml::Value| {
                    let number = value.as_float().or(value.as_integer().map(|x| x as f64));
                    let number = number.filter(|x| x.is_finite() && *x > 0.0);
                    let problem =
                        || format!("tuning.search: {}: lr = {} is no number above 0", self.optimizer, shown(value));
                    number.ok_or_else(|| Error::Config(problem()))
                };
                lr_list = LrGrid::Values(values.iter().map(number).collect::<Result<_>>()?);
                continue;
            }
            let with_each = |trial: Self| values.iter().map(move |value| (trial.clone(), value));
            let wider = space.into_iter().flat_map(with_each);
            space = wider.map(|(trial, value)| trial.with(name, value, registry)).collect::<Result<_>>()?;
            if space.len() > MAX_SPACE {
                return Err(Error::Config(format!("tuning.search: {} has too many combinations", self.optimizer)));
            }
        }
        let rates = lr_list.around(self.lr.unwrap_or(f64::NAN));
        let at_each = |lr: f64| space.iter().map(move |trial| trial.at(lr));
        let mut trials = rates.into_iter().flat_map(at_each).collect::<Result<Vec<_>>>()?;
        if trials.len() < tuning.trials {
            let (name, size, trials) = (&self.optimizer, counted(trials.len(), "point"), tuning.trials);
            let remedy = "list more learning rates or hyper-parameters, or lower tuning.trials";
            return Err(Error::Config(format!("{name} has {size} to try, tuning.trials = {trials}: {remedy}")));
        }
        if trials.len() > tuning.trials {
            // Which are drawn depends on the optimizer alone, not on its place in the grid; they keep their order.
            let mut places: Vec<usize> = (0..trials.len()).collect();
            places.shuffle(&mut Seed(tuning.search_seed).stream(&self.optimizer, 0));
            places.truncate(tuning.trials);
            places.sort_unstable();
            trials = places.into_iter().map(|i| trials[i].clone()).collect();
        }
        Ok(trials)
    }
}

/// The most combinations of hyper-parameters that are drawn from.
const MAX_SPACE: usize = 100_000;

/// Whether a recipe, however deep, says its learning rate.
fn says_lr(spec: &Spec, registry: &Registry) -> bool {
    spec.0.iter().any(|link| {
        let recipe = registry.row(&link.name).ok().filter(|row| row.is_recipe());
        let own = |(i, (name, _)): (usize, &(Option<String>, Value))| match name {
            Some(name) => name == "lr",
            None => recipe.and_then(|row| row.params.get(i)).is_some_and(|param| param.name == "lr"),
        };
        let inner = |(_, value): &(_, Value)| matches!(value, Value::Spec(spec) if says_lr(spec, registry));
        recipe.is_some() && link.args.iter().enumerate().any(own) || link.args.iter().any(inner)
    })
}
