//! Which settings change nothing beside the others.

use uphill_envs::counted;

use super::{OF_ALGOS, OF_MODELS, StopAt};
use crate::algo::CRITIC;
use crate::distributions::AUTO;
use crate::names::listed;
use crate::optim::{Optimizer, Pattern, When};
use crate::words::{self, Param, Value, Word};
use crate::{Config, Error, Horizon, Precision, Result, models, settings};

impl Config {
    /// Whether a setting changes nothing, be it only that it says what holds unless said. Such a one is not written.
    pub(crate) fn is_idle(&self, name: &str) -> bool {
        let is_plain = match name {
            "critic_lr_factor" => self.critic_lr_factor == 1.0,
            "trunk_lr_factor" => self.trunk_lr_factor == 1.0,
            "log_std_lr_factor" => self.log_std_lr_factor == 1.0,
            "distribution" => self.distribution == Word::new(AUTO),
            "precision" => self.precision == Precision::F32,
            "eval_every" => self.eval_every == 0,
            "stop_at_return" => self.stop_at_return == StopAt::NEVER,
            "stop_without_improvement" => self.stop_without_improvement == 0,
            "continued" => self.continued.is_empty(),
            "envs_on_device" => !self.envs_on_device,
            _ => self.is_of_others(name),
        };
        is_plain || self.without_effect(name).is_some()
    }

    /// Why a setting, or an argument of the model or the algorithm, changes nothing beside the others, and what would be right
    /// instead.
    pub(crate) fn without_effect(&self, name: &str) -> Option<String> {
        let registry = self.catalogue.optim();
        let optimizer = |does: &str| format!("optimizer = `{}` {does}; leave one of them out", self.optimizer);
        let unscaled = |switch: &str| {
            format!("{switch} = false scales nothing that it could clip; leave it out, or set {switch} = true")
        };
        let said = |is_idle: bool, why: &str| is_idle.then(|| why.to_string());
        match name {
            "eval_episodes" | "eval_deterministic" | "stop_at_return" | "stop_without_improvement" => {
                let why =
                    "with eval_every = 0 nothing is evaluated before the end; leave it out, or set eval_every = 10_000";
                said(self.eval_every == 0, why)
            }
            "lr" | "anneal_lr" => (!registry.takes_lr(&self.optimizer)).then(|| optimizer("says its own lr")),
            "max_grad_norm" | "clip_grad_by" if registry.clips(&self.optimizer) => Some(optimizer("clips by itself")),
            "clip_grad_by" => {
                let why = "max_grad_norm = inf does not clip; leave it out, or set max_grad_norm = 0.5";
                said(self.max_grad_norm.is_infinite(), why).or_else(|| self.moves_one_part())
            }
            "clip_observation" => (!self.normalize_observation).then(|| unscaled("normalize_observation")),
            "clip_reward" => (!self.normalize_reward).then(|| unscaled("normalize_reward")),
            "vf_coef" => self.needs_no_values(),
            "critic_hidden" => self.learns_no_values().or_else(|| {
                let why =
                    "with shared_trunk = true actor and critic have the same hidden layers; leave one of them out";
                said(self.shared_trunk, why)
            }),
            "critic_lr_factor" if self.critic_lr_factor != 1.0 => self.learns_no_values(),
            "normalize_value" if self.normalize_value => self.learns_no_values(),
            "clip_range_vf" => self.learns_no_values().or_else(|| self.takes_one_step()),
            "clip_range" | "dual_clip" | "dpo_alpha" | "dpo_beta" | "kl_coef" | "kl_target" => self.takes_one_step(),
            "desired_kl" => self.takes_one_step().or_else(|| {
                let is_without = |optimizer: Optimizer| optimizer.learning_rate(When::default()).is_none();
                self.make_optimizer().is_ok_and(is_without).then(|| optimizer("has no learning rate"))
            }),
            "target_kl" => {
                let why = "n_epochs = 1 is one pass, which it cannot end; leave it out, or set n_epochs above 1";
                said(self.of_algo("n_epochs") && self.n_epochs == 1, why)
            }
            "recompute_advantages" => self.learns_no_values().or_else(|| {
                let why = "n_epochs = 1 is one pass, whose advantages are new; leave it out, or set n_epochs above 1";
                said(self.of_algo("n_epochs") && self.n_epochs == 1, why)
            }),
            "gae_lambda" => self.sees_no_later_step().or_else(|| {
                let is_upgo = self.algo.arg("estimator").and_then(Value::word) == Some("upgo");
                if is_upgo { self.learns_no_values() } else { None }
            }),
            "estimator" => self.sees_no_later_step(),
            "trace_lambda" if self.of_algo("clip_c") => self.sees_no_later_step(),
            "trace_lambda" => self.counts_no_later_step(),
            "clip_rho" => self.is_of_ratios_of_one(name),
            "clip_c" => self.sees_no_later_step().or_else(|| self.is_of_ratios_of_one(name)),
            "line_search_decay" => {
                let tries = self.algo.arg("line_search_steps").and_then(Value::number);
                let why = "line_search_steps = 1 tries one step; leave it out, or set line_search_steps above 1";
                said(tries == Some(1.0), why)
            }
            "discount_states" => {
                said(self.gamma == 1.0, "nothing is discounted with gamma = 1; leave it out, or set gamma below 1")
            }
            "sde_sample_freq" => {
                let Horizon::Steps(steps) = self.make_algo().ok()?.horizon() else { return None };
                let rollouts = self.make_algo().map_or(1, |algo| algo.rollouts());
                let (steps, algo) = (rollouts.saturating_mul(steps as u64), &self.algo.name);
                let held = self.distribution.arg(name).and_then(Value::number)?;
                let rest = if steps > 1 { format!(", or set {name} below {steps}") } else { String::new() };
                let why = format!(
                    "an update of {algo} as it is set is {} of a lane, and noise is drawn anew in each update; leave it out{rest}",
                    counted(steps, "step")
                );
                said(held >= steps as f64, &why)
            }
            "activation" | "layer_norm" | "layer_norm_eps" | "shared_trunk" => self.is_of_no_layers(name),
            _ => None,
        }
    }

    /// What makes steps smaller, by the names of the settings that do it here.
    pub(crate) fn what_calms(&self) -> String {
        let bounds = ["kappa_policy", "kappa_value"].map(|name| (name, self.argument(name)));
        let (mut smaller, mut larger) = (Vec::new(), Vec::new());
        if self.of_algo("max_kl") {
            smaller.push("max_kl");
            larger.push("cg_damping");
        }
        larger.extend(bounds.iter().filter(|(_, kappa)| kappa.is_some()).map(|(name, _)| *name));
        // A step that is bounded is no shorter at a lower rate, nor where its gradient is.
        if !bounds.iter().any(|(_, kappa)| kappa.is_some_and(|kappa| kappa > 0.0)) {
            smaller.push("lr");
            smaller.extend((!self.catalogue.optim().clips(&self.optimizer)).then_some("max_grad_norm"));
        }
        let ways = [("smaller", smaller), ("larger", larger)].into_iter().filter(|(_, names)| !names.is_empty());
        ways.map(|(how, names)| format!("a {how} {}", names.join(" or "))).collect::<Vec<_>>().join(", or ")
    }

    /// A number that is an argument of the algorithm's row, as it is set.
    pub(crate) fn argument(&self, name: &str) -> Option<f64> {
        let row = self.catalogue.algo(&self.algo.name).ok()?;
        row.param(name)?;
        self.args(row, &self.algo, &OF_ALGOS).ok()?.number(name).ok()
    }

    /// Whether a setting is an argument of the algorithm.
    pub(crate) fn of_algo(&self, name: &str) -> bool {
        self.catalogue.algo(&self.algo.name).is_ok_and(|row| row.param(name).is_some())
    }

    /// Why the algorithm has no use for a critic, if it has none.
    fn needs_no_values(&self) -> Option<String> {
        let needs = self.make_algo().map_or(true, |algo| algo.needs_values());
        let remedy = if self.of_algo("baseline") { ", or set baseline = true" } else { "" };
        let why = || format!("no value is learnt by {} as it is set; leave it out{remedy}", self.algo.name);
        (!needs).then(why)
    }

    /// Whether a critic learns.
    pub(crate) fn learns_values(&self) -> bool {
        self.learns_no_values().is_none()
    }

    /// Why the critic learns nothing, if it does not.
    fn learns_no_values(&self) -> Option<String> {
        let is_unweighed = self.of_algo("vf_coef") && self.vf_coef == 0.0;
        let why = || "no value is learnt with vf_coef = 0; leave it out, or set vf_coef above 0".to_string();
        self.needs_no_values().or_else(|| is_unweighed.then(why))
    }

    /// Why no step after another counts towards it, if that is so.
    fn counts_no_later_step(&self) -> Option<String> {
        let why = || "with gamma = 0 no later step counts; leave it out, or set gamma above 0".to_string();
        (self.gamma == 0.0).then(why)
    }

    /// Why there is none in a rollout, if that is so.
    fn sees_no_later_step(&self) -> Option<String> {
        let why = || "with n_steps = 1 no later step is seen; leave it out, or set n_steps above 1".to_string();
        let is_short = self.of_algo("n_steps") && self.n_steps == 1;
        self.counts_no_later_step().or_else(|| is_short.then(why))
    }

    /// Why a limit of ratios of probabilities limits none, if that is so: before the only pass they are those of the policy that acted.
    fn is_of_ratios_of_one(&self, name: &str) -> Option<String> {
        let is_idle = self.n_epochs == 1 && self.argument(name).is_some_and(|limit| limit >= 1.0);
        let why = || {
            format!(
                "n_epochs = 1 is one pass, before which all ratios are 1; leave it out, or set n_epochs above 1 or {name} below 1"
            )
        };
        is_idle.then(why)
    }

    /// Why the gradient is that of one part of the network, if that is so; of models of one's own it is not known.
    fn moves_one_part(&self) -> Option<String> {
        let why = || format!("by {} the optimizer moves the critic alone; leave it out", self.algo.name);
        let is_critic = |blocks: Option<Pattern>| blocks.is_some_and(|blocks| blocks == Pattern::new(CRITIC));
        let of_critic = self.make_algo().is_ok_and(|algo| is_critic(algo.optimized()));
        let is_ours = models::ROWS.iter().any(|row| self.model == row.name);
        of_critic.then(why).or_else(|| if is_ours && !self.shared_trunk { self.learns_no_values() } else { None })
    }

    /// Why nothing that holds a policy near the one that acted has anything to hold, if that is so.
    fn takes_one_step(&self) -> Option<String> {
        let takes_one = self.of_algo("n_epochs") && self.n_epochs == 1 && self.n_minibatches == 1;
        let why = "n_epochs = 1 and n_minibatches = 1 take one step from what acted, with nothing to hold";
        takes_one.then(|| format!("{why}; leave it out, or set one of them above 1"))
    }

    /// Why what is said of hidden layers has none, if that is so; of models of one's own it is not known.
    fn is_of_no_layers(&self, name: &str) -> Option<String> {
        let of_actor = self.hidden.is_empty();
        let of_critic = self.mlp().critic_hidden.is_none_or(|layers| layers.is_empty());
        // What networks for images share is their filters, too.
        let is_of_layers = name != "shared_trunk" || self.model == "mlp";
        let is_ours = models::ROWS.iter().any(|row| self.model == row.name);
        let why = || "hidden = [] is a network without hidden layers; leave it out, or give it layers".to_string();
        (is_ours && is_of_layers && of_actor && of_critic).then(why)
    }

    /// Whether a setting is an argument of rows, and of none that is chosen.
    pub(super) fn is_of_others(&self, name: &str) -> bool {
        let having = self.having(name);
        !having.is_empty() && !having.iter().any(|(_, chosen)| *chosen)
    }

    /// The rows that have a setting as their argument, and whether each is chosen.
    fn having(&self, name: &str) -> Vec<(&'static str, bool)> {
        let algos = self.catalogue.algos().iter().map(|row| (row.name, row.params, self.algo == row.name));
        let models = self.catalogue.models().iter().map(|row| (row.name, row.params, self.model == row.name));
        let algos = algos.filter(|_| OF_ALGOS.contains(&name));
        let rows = algos.chain(models.filter(|_| OF_MODELS.contains(&name)));
        let has = |params: &[Param]| params.iter().any(|param| param.name == name);
        rows.filter(|(_, params, _)| has(params)).map(|(row, _, chosen)| (row, chosen)).collect()
    }

    /// Refuses a setting that is an argument of another row's only, and one that is not what the algorithm and the model have
    /// unless said, but changes nothing. What an optimizer's words decide they decide over the settings.
    pub(super) fn check_effects(&self) -> Result<()> {
        let (own, defaults) = (self.all()?, Self::base().all()?);
        for (name, value) in &own {
            let (having, default) = (self.having(name), defaults.get(name));
            if !self.is_of_others(name) || default == Some(value) {
                continue;
            }
            let others = listed(&having.iter().map(|(row, _)| *row).collect::<Vec<_>>());
            let is_of_model = OF_MODELS.contains(&name.as_str());
            let chosen = if is_of_model { &self.model } else { &self.algo };
            let (value, chosen) = (settings::shown(value), &chosen.name);
            let rest =
                default.map_or(String::new(), |default| format!(", or leave it at {}", settings::shown(default)));
            let problem = format!("{name} = {value} has no effect on {chosen}: it is a setting of {others}");
            return Err(Error::Config(format!("{problem}; leave it out{rest}")));
        }
        let chosen =
            Self { algo: self.algo.name.as_str().into(), model: self.model.name.as_str().into(), ..Self::base() };
        let chosen = Self { catalogue: self.catalogue.clone(), ..chosen }.with_defaults(true)?.all()?;
        let of_optimizer = ["lr", "anneal_lr", "max_grad_norm", "clip_grad_by"];
        let is_said = |name: &str| !of_optimizer.contains(&name) && own.get(name) != chosen.get(name);
        let settings = Self::SETTINGS.iter().map(|(name, _)| *name).filter(|name| is_said(name));
        match settings.chain(self.arguments()).find_map(|name| Some((name, self.without_effect(name)?))) {
            Some((name, why)) => Err(Error::Config(format!("{name} has no effect: {why}"))),
            None => Ok(()),
        }
    }

    /// The arguments of the model, the algorithm and the distribution that are no settings and not what they are unless said.
    fn arguments(&self) -> impl Iterator<Item = &'static str> {
        let models = self.catalogue.model(&self.model.name).map_or(&[][..], |row| row.params);
        let algos = self.catalogue.algo(&self.algo.name).map_or(&[][..], |row| row.params);
        let distributions = self.catalogue.distribution(&self.distribution.name).map_or(&[][..], |row| row.params);
        let of_algo = self.model_of_algo().ok().flatten().filter(|word| self.model == word.name.as_str());
        let own = move |param: &Param| of_algo.as_ref().and_then(|word| word.arg(param.name).cloned());
        let said = |(word, param, own): &(&Word, &'static Param, Option<Value>)| {
            let default = own.clone().or(words::value(param.default).ok());
            word.arg(param.name).is_some_and(|value| Some(value) != default.as_ref())
        };
        let models = models.iter().map(move |param| (&self.model, param, own(param)));
        let others = [(&self.algo, algos), (&self.distribution, distributions)];
        let others = others.into_iter().flat_map(|(word, params)| params.iter().map(move |param| (word, param, None)));
        models.chain(others).filter(said).map(|(_, param, _)| param.name)
    }
}
