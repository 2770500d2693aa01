//! Configurations as TOML: read over the defaults that they name, and written.

use std::path::Path;

use uphill_envs::quoted;

use super::{OF_ALGOS, OF_MODELS, in_order, world};
use crate::catalogue::Catalogue;
use crate::words::{Spec, Value, Word, Wrapped};
use crate::{Config, Error, Result, algo, names, settings, whole_file};

impl Config {
    /// Reads settings from TOML and puts them over the defaults of the algorithm and optimizer that they name.
    ///
    /// ```
    /// let config = uphill::Config::from_toml("algo = 'a2c'\nenvs = 16")?;
    /// assert_eq!((config.envs, config.n_steps), (16, 5));
    /// assert!(uphill::Config::from_toml("gama = 0.9").unwrap_err().to_string().contains("`gamma`"));
    /// # Ok::<(), uphill::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Config`] for text that is not TOML, an unknown setting, or a value of the wrong type or out of range.
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::from_table(Self::parse_toml(text)?)
    }

    /// A TOML text as a table that nothing has looked at yet: for settings that others are to be laid over before
    /// [`Config::from_table`] takes them.
    ///
    /// # Errors
    /// [`Error::Config`] with line, column and that line for text that is not TOML.
    pub fn parse_toml(text: &str) -> Result<toml::Table> {
        settings::parse(text)
    }

    /// A file of settings as such a table: the `config.toml` of a run, or a grid world.
    ///
    /// # Errors
    /// [`Error::File`] for a folder, for more than 8 MiB, and for what is not TOML; [`Error::Io`] if it cannot be read.
    pub fn read_toml(path: &Path) -> Result<toml::Table> {
        let wrong = |problem: String| Error::File { path: path.into(), problem };
        if path.is_dir() {
            return Err(wrong("this is a folder: give a file, such as the config.toml of a run".into()));
        }
        let bytes = whole_file::read(path, settings::MAX_BYTES).map_err(Error::io(path))?;
        let text = str::from_utf8(&bytes).map_err(|e| wrong(format!("not UTF-8 text: {e}")))?;
        Self::parse_toml(text).map_err(|e| wrong(e.to_string()))
    }

    /// As [`Config::from_toml`], with rows of one's own.
    ///
    /// # Errors
    /// As [`Config::from_toml`].
    pub fn from_toml_with(text: &str, catalogue: &Catalogue) -> Result<Self> {
        Self::from_table_with(Self::parse_toml(text)?, catalogue)
    }

    /// As [`Config::from_toml`], from a table that is already parsed.
    ///
    /// # Errors
    /// [`Error::Config`] for an unknown setting, or a value of the wrong type or out of range.
    pub fn from_table(table: toml::Table) -> Result<Self> {
        Self::from_table_with(table, &Catalogue::default())
    }

    /// As [`Config::from_table`], with rows of one's own.
    ///
    /// # Errors
    /// As [`Config::from_table`].
    pub fn from_table_with(table: toml::Table, catalogue: &Catalogue) -> Result<Self> {
        let said: Vec<String> = table.keys().cloned().collect();
        let config = Self::read_and_validate(table, catalogue)?;
        if said.iter().any(|name| name == "mask_actions") {
            config.check_masks()?;
        }
        // What another row's argument is, was refused already.
        let idle = |name: &String| Some((name.clone(), config.without_effect(name)?));
        match said.iter().find_map(idle) {
            Some((name, why)) => Err(Error::Config(format!("{name} has no effect: {why}"))),
            None => Ok(config),
        }
    }

    /// The same for settings that several optimizers share: one of them may say by itself what they are for.
    pub(crate) fn read_and_validate(table: toml::Table, catalogue: &Catalogue) -> Result<Self> {
        let config = Self::read(table, catalogue, true)?;
        config.validate()?;
        Ok(config)
    }

    /// As [`Config::from_table_with`], but whatever algorithm and optimizer are called: a policy can be used without them.
    pub(crate) fn of_policy(table: toml::Table, catalogue: &Catalogue) -> Result<Self> {
        let config = Self::read(table, catalogue, false)?;
        config.validate_settings()?;
        Ok(config)
    }

    /// Reads a table over the defaults of the words that it names, whose rows `must` be known or not.
    pub(crate) fn read(mut table: toml::Table, catalogue: &Catalogue, must: bool) -> Result<Self> {
        catalogue.check()?;
        world::settle(&mut table)?;
        let mut base = Self { catalogue: catalogue.clone(), ..Self::base() };
        if let Some(value) = table.remove("env") {
            base.env = Wrapped::from_toml("env", &value)?;
        }
        let own_model = table.contains_key("model");
        for (name, word) in
            [("model", &mut base.model), ("distribution", &mut base.distribution), ("algo", &mut base.algo)]
        {
            if let Some(value) = table.remove(name) {
                *word = Word::from_toml(name, &value)?;
            }
        }
        if !own_model && let Some(model) = base.model_of_algo()? {
            base.model = model;
        }
        let mut said: Vec<(String, &str)> = Vec::new();
        for (word, row) in [
            (&base.env.word, catalogue.env(&base.env.word.name).ok().map(|row| row.params)),
            (&base.model, catalogue.model(&base.model.name).ok().filter(|_| own_model).map(|row| row.params)),
            (&base.distribution, catalogue.distribution(&base.distribution.name).ok().map(|row| row.params)),
            (&base.algo, catalogue.algo(&base.algo.name).ok().map(|row| row.params)),
        ] {
            let places = row.unwrap_or_default().iter().map(|param| param.name);
            let places = places.zip(&word.args).filter(|(_, (key, _))| key.is_none()).map(|(name, _)| name.to_string());
            let names = word.args.iter().filter(|_| row.is_some()).filter_map(|(key, _)| key.clone());
            let is_argument = |name: &String| Self::is_argument(name);
            said.extend(places.chain(names).filter(is_argument).map(|name| (name, word.name.as_str())));
        }
        if let Some((name, word)) = said.iter().find(|(name, _)| table.contains_key(name)) {
            let problem = format!("{name} is given twice: as an argument of {word}, and by itself");
            return Err(Error::Config(problem));
        }
        let mut defaults = base.with_defaults(must)?;
        if let Some(optimizer) = table.remove("optimizer") {
            defaults = defaults.with_optimizer(Spec::try_from(&optimizer)?);
        }
        let known = defaults.all()?;
        let mut settings = toml::Table::new();
        for (name, value) in table {
            match (name.as_str(), &value) {
                (name, value) if !known.contains_key(name) => {
                    let Some(word) = defaults.word_with(name)? else {
                        return Err(defaults.unknown_setting(name, value));
                    };
                    *word = word.clone().with(name, Value::said(name, value)?);
                    continue;
                }
                _ => {}
            }
            settings.insert(name, value);
        }
        let env = defaults.settled_env()?;
        let model = in_order(catalogue.model(&defaults.model.name), &defaults.model, &OF_MODELS)?;
        let algo = in_order(catalogue.algo(&defaults.algo.name), &defaults.algo, &OF_ALGOS)?;
        let config = Self::typed(settings::over::<Self>(known, settings)?, catalogue.clone())?;
        let distribution = in_order(catalogue.distribution(&defaults.distribution.name), &defaults.distribution, &[])?;
        let mut config = Self { env, model, distribution, algo, ..config };
        if !own_model {
            config.drop_idle_of_model();
        }
        Ok(config)
    }

    /// The word whose row has an argument of that name, if one has.
    ///
    /// # Errors
    /// [`Error::Config`] where several have.
    fn word_with(&mut self, name: &str) -> Result<Option<&mut Word>> {
        let catalogue = &self.catalogue;
        let words = [
            ("algo", &mut self.algo),
            ("model", &mut self.model),
            ("env", &mut self.env.word),
            ("distribution", &mut self.distribution),
        ];
        let having = words.into_iter().filter(|(setting, word)| catalogue.has(setting, word, name));
        let mut having: Vec<&mut Word> = having.map(|(_, word)| word).collect();
        if having.len() > 1 {
            let names: Vec<&str> = having.iter().map(|word| word.name.as_str()).collect();
            let problem = format!(
                "{name} is an argument of {}: say it in the word of the one that is meant",
                names::listed(&names)
            );
            return Err(Error::Config(problem));
        }
        Ok(having.pop())
    }

    /// What is said of a setting that there is not, next to the others.
    fn unknown_setting(&self, name: &str, value: &toml::Value) -> Error {
        let registry = self.catalogue.optim();
        let (name, said) = (&*quoted(name), settings::shown(value));
        let own = [
            self.catalogue.algo(&self.algo.name).map_or(&[][..], |row| row.params),
            self.catalogue.model(&self.model.name).map_or(&[][..], |row| row.params),
            self.catalogue.env(&self.env.word.name).map_or(&[][..], |row| row.params),
            self.catalogue.distribution(&self.distribution.name).map_or(&[][..], |row| row.params),
        ];
        let own = own.into_iter().flatten().map(|param| param.name).filter(|name| !Self::is_setting(name));
        let own: Vec<&str> = own.collect();
        // What is another row's would be refused.
        let settings = Self::SETTINGS.iter().map(|(name, _)| *name).filter(|name| !self.is_of_others(name));
        let known: Vec<&str> = settings.chain(own.iter().copied()).collect();
        let of_algo = self.catalogue.algos().iter().filter(|row| row.param(name).is_some()).map(|row| row.name);
        let of_model = self.catalogue.models().iter().filter(|row| row.param(name).is_some()).map(|row| row.name);
        let of_env = self.catalogue.envs().iter().filter(|row| row.param(name).is_some()).map(|row| row.name);
        let distributions = self.catalogue.distributions();
        let of_distribution = distributions.iter().filter(|row| row.param(name).is_some()).map(|row| row.name);
        let having: Vec<&str> = of_algo.chain(of_model).chain(of_env).chain(of_distribution).collect();
        let of_distribution_only = having.iter().all(|name| distributions.iter().any(|row| row.name == *name));
        let remedy = if !having.is_empty() {
            let file = if having.contains(&"GridWorld") { "; a file with a grid world is one for env" } else { "" };
            let own = names::same(name, &own).map(|meant| format!("; {}", meant.question(names::in_code)));
            let file = own.as_deref().unwrap_or(file);
            let chosen = [&self.env.word, &self.model, &self.algo].map(|word| quoted(&word.name)).join(", ");
            let chosen = if of_distribution_only {
                format!("{chosen}, distribution = {}", self.distribution.name)
            } else {
                chosen
            };
            return Error::Config(format!(
                "{name} = {said} has no effect: it is an argument of {}, and the run has {chosen}; leave it out, or choose what has it{file}",
                names::listed(&having)
            ));
        } else if let Some(row) = registry.recipe_of(&self.optimizer).filter(|row| row.param(name).is_some()) {
            format!(": it goes into the optimizer, {}({name}={said})", row.name)
        } else if let Some(meant) = names::meant(name, &known) {
            format!("; {}", meant.question(names::in_code))
        } else if let Some(why) = names::absent(name).filter(|why| !why.is_empty()) {
            format!(", nor what stands for it: {why}")
        } else if name == "tune" && value.is_table() {
            ": what is searched is for the command `tune`, which takes this file".into()
        } else if value.is_table() {
            format!(
                "; there are no sections but [env], [model], [distribution], [algo] and [optimizer]: what is in [{name}] goes to the top of the file"
            )
        } else {
            // So many that a list would be searched for what is wrong.
            ": `train --help` and docs/settings.md have all that there are".into()
        };
        Error::Config(format!("there is no setting `{name}`{remedy}"))
    }

    /// Every setting that has an effect as a TOML table.
    ///
    /// # Errors
    /// [`Error::Config`] for a number that TOML cannot hold (a seed of 2⁶³ or more).
    pub fn to_table(&self) -> Result<toml::Table> {
        let mut table = self.all()?;
        Self::SETTINGS.iter().filter(|(name, _)| self.is_idle(name)).for_each(|(name, _)| drop(table.remove(*name)));
        // What holds unless said stays unsaid: said, it would be refused where no environment forbids an action.
        let is_default = |row: &algo::Row| row.make.settings.iter().all(|(name, _)| *name != "mask_actions");
        if self.mask_actions && self.catalogue.algo(&self.algo.name).is_ok_and(is_default) {
            table.remove("mask_actions");
        }
        Ok(table)
    }

    /// Every setting, those without an effect too.
    pub(crate) fn all(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(|e| Error::Config(format!("{e}: numbers must be below 2^63")))
    }

    /// Every setting that has an effect as TOML: [`Config::from_toml`] of it gives this configuration back.
    ///
    /// # Errors
    /// As [`Config::to_table`].
    pub fn to_toml(&self) -> Result<String> {
        let mut table = self.to_table()?;
        let mut text = String::new();
        // What comes after a table belongs to it, so tables come last.
        let (tables, others): (Vec<&str>, Vec<&str>) = Self::SETTINGS
            .iter()
            .map(|(name, _)| *name)
            .partition(|name| table.get(*name).is_some_and(toml::Value::is_table));
        for name in others.into_iter().chain(tables) {
            if let Some(value) = table.remove(name) {
                let one = toml::to_string(&toml::Table::from_iter([(name.to_string(), value)]));
                text += &one.map_err(|e| Error::Config(e.to_string()))?;
            }
        }
        settings::readable(text)
    }
}
