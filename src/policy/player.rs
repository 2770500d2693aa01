//! A network at play: how it acts, and what its episodes come to.

use uphill_envs::{End, Transitions};

use super::acting::{Memory, Mode};
use crate::config::Config;
use crate::distributions::{KeptRows, forbid, no_distribution};
use crate::episodes::LONGEST;
use crate::error::check_len;
use crate::evaluation::Evaluation;
use crate::models::{self, Model};
use crate::pace::Pace;
use crate::rollout::ActionColumn;
use crate::scratch::Scratch;
use crate::seed::Seed;
use crate::stop::Flag;
use crate::{Error, MakeEnvs, Params, Result, Threads};

/// What acting keeps from call to call.
#[derive(Default)]
pub(crate) struct Acting {
    pub(super) scratch: Scratch,
    outputs: Vec<f32>,
    rows: KeptRows,
}

impl Acting {
    /// The same, broken off where `stop` says so.
    pub(crate) fn until(stop: Option<Flag>) -> Self {
        let mut acting = Self::default();
        acting.scratch.stop = stop;
        acting
    }
}

/// The action in each of `B` observations, and within their masks: [`Policy::act_within`](super::Policy::act_within).
pub(super) fn act(
    (network, params): (&dyn Model, &Params),
    acting: &mut Acting,
    (observation, mask): (&[f32], Option<&[bool]>),
    memory: &mut Memory,
    mut mode: Mode<'_>,
) -> Result<ActionColumn> {
    let lanes = models::rows(observation, network.observation_len())?;
    check_len("the memory's lanes", lanes, memory.lanes())?;
    check_len("the memory", lanes * network.memory(), memory.numbers.len())?;
    let Acting { scratch, outputs, rows } = acting;
    let distribution = network.distribution();
    network.answers_after(params, observation, &mut memory.numbers, scratch, outputs, None)?;
    let (width, policy) = (distribution.outputs(), rows.of(distribution));
    check_len("the network's output", lanes * width, outputs.len())?;
    if let Some(mask) = mask {
        check_len("the action mask", lanes * distribution.choices(), mask.len())?;
        forbid(outputs, width, mask, distribution.choices());
    }
    policy.set(outputs, width);
    let k = distribution.action_len();
    let mut actions = ActionColumn::new(distribution.action_kind());
    actions.resize(lanes * k);
    for row in 0..lanes {
        let action = actions.room(row * k..(row + 1) * k);
        let chosen = match &mut mode {
            Mode::Likeliest => policy.mode(row, action),
            Mode::Sampled(rng) => policy.sample(row, rng, action).map(drop),
        };
        chosen.ok_or_else(|| no_distribution(&outputs[row * width..(row + 1) * width]))?;
    }
    if let ActionColumn::Continuous(numbers) = &mut actions {
        distribution.map_action(numbers);
    }
    Ok(actions)
}

/// A network with parameters and environments that are lent for some episodes: those of a policy, or of what still learns.
pub(crate) struct Player<'a> {
    pub(crate) config: &'a Config,
    pub(crate) envs: &'a MakeEnvs,
    pub(crate) network: &'a dyn Model,
    pub(crate) params: &'a Params,
    pub(crate) acting: &'a mut Acting,
    /// Those that there are already.
    pub(crate) threads: Option<&'a Threads>,
}

impl Player<'_> {
    /// Plays whole episodes in new environments: [`Policy::evaluate_telling`](super::Policy::evaluate_telling).
    pub(crate) fn evaluate(
        self,
        episodes: usize,
        seed: Seed,
        mut mode: Mode<'_>,
        told: &mut dyn FnMut(u64, u64),
    ) -> Result<Evaluation> {
        let Self { config, envs, network, params, acting, threads } = self;
        let most = Config::MAX_ENVS;
        if !(1..=most).contains(&(episodes as u64)) {
            return Err(Error::Config(format!("episodes = {episodes} is impossible: it must be 1 to {most}")));
        }
        config.reckon_lanes(network.observation_len(), episodes)?;
        let mut env = config.make_with(envs, episodes)?;
        models::check_fits(network, env.spec())?;
        let limit = env.spec().max_episode_steps;
        let d = env.spec().observation_len();
        let mut observation = vec![0.0; episodes * d];
        let mut final_observation = observation.clone();
        let (mut reward, mut end) = (vec![0.0; episodes], vec![End::Not; episodes]);
        let (mut active, mut played) = (vec![true; episodes], vec![(0.0f64, 0); episodes]);
        let mut memory = Memory::new(episodes, network.memory());
        let (mut pace, mut threads) = (Pace::default(), threads.cloned());
        env.reset(Some(seed.derive("evaluation", 0)), &mut observation)?;
        let mut mask = vec![true; episodes * network.distribution().choices()];
        let masks = config.mask_actions && !mask.is_empty() && env.action_masks(&mut mask)?;
        let most = limit.unwrap_or(LONGEST);
        for step in 1..=most {
            acting.scratch.stop().check()?;
            pace.begin();
            if masks {
                env.action_masks(&mut mask)?;
            }
            let seen = (&observation[..], masks.then_some(&mask[..]));
            let actions = act((network, params), acting, seen, &mut memory, mode.again())?;
            let out = Transitions {
                observation: &mut observation,
                final_observation: &mut final_observation,
                reward: &mut reward,
                end: &mut end,
            };
            pace.step(&mut *env, (actions.view(), &active, out), 1, threads.as_ref())?;
            if threads.is_none() && pace.is_slow(1, Threads::MAX) {
                // Made only where there is much for them to do.
                threads = Some(Threads::new(config.threads)?);
            }
            for i in (0..episodes).filter(|&i| active[i]) {
                played[i].0 += f64::from(reward[i]);
                played[i].1 = step;
            }
            for (active, end) in active.iter_mut().zip(&end) {
                *active &= !end.ended();
            }
            let under_way = active.iter().filter(|active| **active).count();
            let left = under_way as u64 * u64::from(most - step);
            told(episodes as u64 * u64::from(most) - left, episodes as u64 * u64::from(most));
            if under_way == 0 {
                break;
            }
        }
        let whole = |(episode, open): ((f64, u32), bool)| Some(episode).filter(|_| !open || limit.is_some());
        let (returns, lengths) = played.into_iter().zip(active).map(whole).map(Option::unzip).unzip();
        Ok(Evaluation::of(returns, lengths))
    }
}
