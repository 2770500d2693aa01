//! What stands above a point of the parameters: a return or a loss.

use candle_core::Device;
use uphill_envs::FiniteMdp;

use crate::advantage::normalize;
use crate::algo::OnPolicy;
use crate::models::{Asked, Model};
use crate::objective::{Objective, Report, Sum, TensorBatch};
use crate::rollout::{Estimate, Horizon};
use crate::seed::Seed;
use crate::{Buffers, Config, Error, Params, Result, Threads, oracle};

/// A function of the parameters of a configuration's network.
///
/// Heights are the same bits for any number of threads.
#[derive(Debug)]
pub struct Surface {
    config: Config,
    buffers: Buffers,
    measure: Measure,
}

#[derive(Debug)]
enum Measure {
    Exact(FiniteMdp),
    Sampled { episodes: usize, seed: Seed },
    Loss { objective: Sum, batch: TensorBatch, asked: Asked },
}

/// Points that one network is made for.
const SHARE: usize = 16;

/// Some points, and their heights when they are known.
type Share<'a> = (&'a [Vec<f32>], Result<Vec<f64>>);

impl Surface {
    /// `J(θ)`, the exact expected return with the configuration's `gamma`, in a grid world whose model is known. It has no
    /// time limit.
    ///
    /// # Errors
    /// [`Error::Config`] where there is no model.
    pub fn exact_return(config: &Config) -> Result<Surface> {
        let no_model =
            || Error::Config(format!("{}: it has no model to compute with, as grid worlds do", config.env.shown()));
        Ok(Surface {
            config: config.clone(),
            buffers: Buffers::default(),
            measure: Measure::Exact(config.model_of_env()?.ok_or_else(no_model)?),
        })
    }

    /// The mean undiscounted return of so many episodes of the policy `π_θ`, which draws its actions: everywhere with the
    /// same random numbers for environments and actions, those of `seed`, so that differences are the policy's.
    ///
    /// # Errors
    /// [`Error::Config`] for no episode or too many.
    pub fn mean_return(config: &Config, episodes: usize, seed: Seed) -> Result<Surface> {
        config.validate()?;
        let most = Config::MAX_ENVS;
        if !(1..=most).contains(&(episodes as u64)) {
            return Err(Error::Config(format!("episodes = {episodes} is impossible: it must be 1 to {most}")));
        }
        Ok(Surface {
            config: config.clone(),
            buffers: Buffers::default(),
            measure: Measure::Sampled { episodes, seed },
        })
    }

    /// The loss that the configuration's algorithm descends, on one rollout that the policy at `theta`, `[P]`, made with
    /// the streams of `seed`; its buffers are none for most networks. Advantages and targets are what they were there. Of a natural
    /// gradient it is minus the surrogate that its steps raise, which knows of no critic.
    ///
    /// # Errors
    /// [`Error::Config`] for an impossible configuration, and where the algorithm [has none](Surface::check_loss),
    /// [`Error::Shape`] if `theta` is not one of its network.
    pub fn loss(config: &Config, (theta, buffers): (&[f32], &Buffers), seed: Seed) -> Result<Surface> {
        config.validate()?;
        let algo = Self::loop_of(config)?;
        let (params, network) = network(config, theta, buffers)?;
        let mut collector = config.collector(config.envs, seed)?;
        let (rollout, _) = collector.collect(&*network, &params, algo.horizon, algo.estimator.needs_values())?;
        let estimate = algo.estimator.estimate(rollout, algo.gamma as f32);
        let estimate = Estimate { unit: network.value_unit(&params), ..estimate };
        let places: Vec<usize> = rollout.valid_steps().collect();
        let mut advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
        if algo.normalize_advantage {
            normalize(&mut advantage);
        }
        let batch = TensorBatch::new(rollout, &estimate, &places, &advantage, &Device::Cpu)?;
        let asked = Asked::of(&*network, rollout, &places, &batch.observation)?;
        Ok(Surface {
            config: config.clone(),
            buffers: buffers.clone(),
            measure: Measure::Loss { objective: algo.objective, batch, asked },
        })
    }

    /// The loop whose loss is drawn.
    fn loop_of(config: &Config) -> Result<OnPolicy> {
        let none = || {
            let problem = "descends no single loss that could be drawn: draw the return";
            Error::Config(format!("{} {problem}", config.algo))
        };
        config.make_algo()?.into_loss().ok_or_else(none)
    }

    /// Whether there is a [loss](Surface::loss) to draw of the configuration's algorithm.
    ///
    /// # Errors
    /// [`Error::Config`] where there is none.
    pub fn check_loss(config: &Config) -> Result<()> {
        Self::loop_of(config).map(|_| ())
    }

    /// The same for a network that has such buffers.
    #[must_use]
    pub fn with_buffers(self, buffers: &Buffers) -> Self {
        Self { buffers: buffers.clone(), ..self }
    }

    /// The heights above points `[K, P]`, `[K]`; `done` is called after each, from any thread.
    ///
    /// # Errors
    /// [`Error::Shape`] for a point of another length, [`Error::NotFinite`] where the network gives no distribution,
    /// [`Error::Mdp`] where the return does not exist.
    pub fn heights(&self, points: &[Vec<f32>], threads: &Threads, done: impl Fn() + Sync) -> Result<Vec<f64>> {
        let mut shares: Vec<Share<'_>> = points.chunks(SHARE).map(|points| (points, Ok(Vec::new()))).collect();
        threads.each(&mut shares, |_, (points, found)| *found = self.share(points, &done));
        let mut heights = Vec::with_capacity(points.len());
        for (_, found) in shares {
            heights.extend(found?);
        }
        Ok(heights)
    }

    /// Some points, on one thread.
    fn share(&self, points: &[Vec<f32>], done: &(impl Fn() + Sync)) -> Result<Vec<f64>> {
        let Some(first) = points.first() else { return Ok(Vec::new()) };
        let (mut params, network) = network(&self.config, first, &self.buffers)?;
        let height = |point: &Vec<f32>| {
            params.set(point)?;
            let height = self.measure.of(&self.config, &*network, &params);
            done();
            height
        };
        points.iter().map(height).collect()
    }
}

impl Measure {
    fn of(&self, config: &Config, network: &dyn Model, params: &Params) -> Result<f64> {
        match self {
            Measure::Exact(mdp) => oracle::exact_return(network, params, mdp, config.gamma),
            Measure::Sampled { episodes, seed } => {
                let mut collector = config.collector(*episodes, *seed)?;
                let (_, played) = collector.collect(network, params, Horizon::Episodes(1), false)?;
                Ok(played.iter().map(|episode| episode.episode_return).sum::<f64>() / *episodes as f64)
            }
            Measure::Loss { objective, batch, asked } => {
                let output = asked.answer(network, params)?;
                let output = output.masked(&**network.distribution(), batch.mask.as_ref())?;
                let loss = objective.loss(batch, &output, &mut Report::default())?;
                Ok(f64::from(loss.to_scalar::<f32>()?))
            }
        }
    }
}

fn network(config: &Config, theta: &[f32], buffers: &Buffers) -> Result<(Params, Box<dyn Model>)> {
    let spec = config.make_envs(1)?.spec().clone();
    config.model_at(&spec, theta, buffers)
}
