//! How a trainer is put together: environments, network, optimizer and algorithm, all of it checked before there are many of them.

use std::sync::Arc;
use std::time::Instant;

use candle_core::Device;
use uphill_envs::{Spec, VecEnv, quoted};

use super::evaluations::Evaluations;
use super::{Overrides, Spent, Trainer, dead_weights};
use crate::algo::{Learner, least_env_steps};
use crate::checkpoint::Progress;
use crate::collect::Collector;
use crate::config::{Config, Stepped};
use crate::device::DeviceChoice;
use crate::device_lanes::DeviceLanes;
use crate::metrics::History;
use crate::models::{self, Model, Site, require_slopes};
use crate::rollout::Horizon;
use crate::seed::Seed;
use crate::world::{Alone, dealt};
use crate::{Error, Layout, Params, Result, Threads};

impl Trainer {
    /// Environments, network, optimizer and algorithm, as configured.
    ///
    /// # Errors
    /// [`Error::Config`] for an impossible setting and for a run that needs more than
    /// [`max_memory`](Config::max_memory) or [stops](Config::stop_at_return) at a threshold that its environment does not have,
    /// [`Error::Device`] for a device that cannot be had, [`Error::Env`]
    /// for an unknown environment.
    pub fn new(config: &Config) -> Result<Self> {
        Self::with(config, Overrides::default())
    }

    /// The same with a network of one's own, such as a [`ModuleModel`](crate::ModuleModel).
    ///
    /// # Errors
    /// As [`Trainer::new`], [`Error::Shape`] if the network takes other observations, [`GradientError`](crate::models::GradientError) if autograd gets a
    /// block of it wrong and [`Model::detached`] does not say so, and what `build` fails with.
    pub fn with_network(
        config: &Config,
        build: impl FnOnce(&Spec, &Device) -> Result<(Params, Box<dyn Model>)>,
    ) -> Result<Self> {
        Self::with(config, Overrides { network: Some(Box::new(build)), ..Overrides::default() })
    }

    /// The same in environments of one's own: `make` makes so many of them, to be stepped side by side.
    ///
    /// ```
    /// use uphill::envs::{CartPole, Lanes, TimeLimit};
    /// use uphill::{Config, Trainer};
    ///
    /// let config = Config { env: "ShortPole".into(), steps: 1_000, ..Config::for_algo("ppo")? };
    /// let mut trainer = Trainer::with_envs(&config, |lanes| {
    ///     let short = TimeLimit::with_limit(CartPole::new(), 50)?.named("ShortPole")?;
    ///     Ok(Box::new(Lanes::new(vec![short; lanes])?))
    /// })?;
    /// trainer.step()?;
    /// # Ok::<(), uphill::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Trainer::new`], and what `make` fails with; [`Error::Config`] if it makes another number of lanes, or
    /// environments of another name than [`Config::env`].
    pub fn with_envs(
        config: &Config,
        make: impl Fn(usize) -> Result<Box<dyn VecEnv>> + Send + Sync + 'static,
    ) -> Result<Self> {
        Self::with(config, Overrides { envs: Some(Arc::new(make)), ..Overrides::default() })
    }

    /// The same with any of these.
    ///
    /// # Errors
    /// As [`Trainer::new`], and what the parts fail with.
    pub fn with(config: &Config, overrides: Overrides<'_>) -> Result<Self> {
        let Overrides { envs, network, world } = overrides;
        let world = world.unwrap_or_else(|| Arc::new(Alone));
        config.validate()?;
        Self::check_ranks(config.envs, world.size())?;
        let (seed, threads) = (Seed(config.seed), Threads::new(config.threads)?);
        let (device, device_note) = config.device.parse::<DeviceChoice>()?.open()?;
        let own_envs = envs.is_some();
        if own_envs && config.frame_stack != 1 {
            let (k, remedy) = (config.frame_stack, "leave it out, and put each of them in an `envs::FrameStack`");
            let problem = format!("frame_stack = {k} has no effect on environments of one's own: {remedy}");
            return Err(Error::Config(problem));
        }
        let envs = envs.unwrap_or_else(|| config.env_maker());
        let algo = config.make_algo()?;
        let mut optimizer = config.make_optimizer()?;
        if let Some(blocks) = algo.optimized() {
            optimizer.move_only(&blocks);
        }
        let on_device = config.envs_on_device && !own_envs;
        let on_device = on_device.then(|| config.make_tensor_env(&device)).transpose()?;
        let stepped = match &on_device {
            Some(env) => Stepped::OnDevice(env.state_len()),
            None => Stepped::OnHost(world.size()),
        };
        let mut reckon = |spec: &Spec| match &network {
            Some(_) => config.reckon(spec, &Layout::default(), (&*algo, 0), &mut optimizer, stepped),
            None => {
                let layout = config.layout(spec)?.unwrap_or_default();
                config.reckon(spec, &layout, (&*algo, 0), &mut optimizer, stepped)
            }
        };
        if !own_envs {
            // Before there are many of them.
            reckon(config.make_with(&envs, 1)?.spec())?;
        }
        let mut collector = if let Some(env) = on_device {
            let lanes = DeviceLanes::new(env, config.envs, seed, &device)?;
            Collector::on_device(lanes, config.envs, seed, threads.clone())
        } else {
            let own = config.make_groups(&envs, dealt(&*world, world.rank(), config.envs).len())?;
            Collector::of_ranks(world.clone(), config.envs, own, seed, threads.clone())?
        };
        if !config.mask_actions {
            collector = collector.without_masks()?;
        }
        let spec = collector.spec();
        reckon(spec)?;
        if config.stop_at_return.number(spec.reward_threshold).is_none() {
            let (id, goal) = (quoted(&spec.id), config.stop_at_return);
            let problem = format!("stop_at_return = {goal} is impossible: {id} has no such threshold; give a number");
            return Err(Error::Config(problem));
        }
        let spec_limit = spec.max_episode_steps;
        let is_known = network.is_none() && config.layout(spec)?.is_some();
        let (mut params, network) = match network {
            Some(build) => config.normalised(build(spec, &device)?)?,
            None => {
                config.make_model(&Site { device: &device, threads, world: world.clone(), ..Site::new(spec, seed) })?
            }
        };
        if !is_known {
            models::check_fits(&*network, spec)?;
            config.check_distribution(&*network, spec)?;
            models::check_answers(&*network, &params)?;
            require_slopes(&*network, &mut params, spec)?;
        }
        algo.check_network(&*network, params.layout(), config.envs)?;
        config.check_acts_on_device(&*network, own_envs, world.size())?;
        models::check_precision(&*network, &params, config.precision)?;
        config.check_lr_factors(params.layout(), &*algo)?;
        optimizer.check_layout(params.layout(), algo.optimized().as_ref())?;
        let reckoning = {
            let kept = match stepped {
                Stepped::OnHost(_) => network.kept_of_row(),
                Stepped::OnDevice(_) => network.kept_on_tensors(),
            };
            let algo = (&*algo, kept);
            config.reckon(spec, params.layout(), algo, &mut optimizer, stepped)?
        };
        let (history, normaliser) = (History::new(spec.reward_threshold), config.make_normaliser(spec));
        collector.set_most_steps(reckoning.most_steps);
        collector.remember(network.memory());
        if algo.most_steps() == 1 {
            collector.keep_passes();
        }
        let mut learner = Learner::new(network, params, optimizer, seed).in_precision(config.precision);
        let updates = config.steps.div_ceil(least_env_steps(&*algo, config.envs));
        let optimizer_steps = updates.saturating_mul(algo.rollouts()).saturating_mul(algo.most_steps());
        let mut notes = learner.optimizer.misfits(updates, optimizer_steps);
        notes.extend(reckoning.note);
        if matches!(algo.horizon(), Horizon::Episodes(_)) && spec_limit.is_none() {
            let (env, algo) = (config.env.shown(), &config.algo.name);
            notes.push(format!(
                "{algo} learns from whole episodes, and {env} has no limit of steps: where none ends no update is made; \
                 max_episode_steps or the wrapper time_limit sets one"
            ));
        }
        notes.extend(dead_weights::note(config, &learner.params)?);
        notes.extend(learner.optimizer.note_of_host(&learner.params));
        Ok(Self {
            config: config.clone(),
            envs,
            own_envs,
            collector,
            normaliser,
            history,
            world,
            device_note,
            progress: Progress::default(),
            good: None,
            best: None,
            evaluations: Evaluations::default(),
            broken_off: false,
            notes,
            algo,
            learner,
            schedules: config.schedules()?,
            stop: None,
            slow: None,
            started: Instant::now(),
            spent: Spent::default(),
        })
    }
}
