//! A policy and `N` environments make a rollout.

use uphill_envs::{Actions, End, Transitions, VecEnv};

use crate::dist::Categorical;
use crate::nn::ActorCritic;
use crate::params::check_len;
use crate::seed::{Rng, Seed};
use crate::{Error, Params, Result, Rollout};

/// How much one rollout holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// So many steps in every lane, cutting episodes where they stand; the next rollout goes on from there.
    Steps(usize),
    /// So many whole episodes in every lane. A lane that has played its own waits for the others, so that every
    /// episode counts alike: taking the first to finish would prefer short ones.
    Episodes(usize),
}

/// One finished episode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episode {
    /// The sum of its rewards, undiscounted.
    pub episode_return: f64,
    /// Its steps.
    pub length: u32,
    /// The environment steps of the whole run, all lanes together, when it ended.
    pub env_steps: u64,
}

/// Steps environments with a policy and keeps where they stand between rollouts.
pub struct Collector {
    env: Box<dyn VecEnv>,
    observation: Vec<f32>,
    rngs: Vec<Rng>,
    returns: Vec<f64>,
    lengths: Vec<u32>,
    env_steps: u64,
    // What a rollout needs room for, kept so that the next one does not allocate.
    rollout: Rollout,
    episodes: Vec<Episode>,
    episodes_left: Vec<usize>,
    active: Vec<bool>,
    logits: Vec<f32>,
    final_observation: Vec<f32>,
    /// Places in `[T, N]` where an episode was truncated, and the observations they were truncated at.
    truncated: Vec<usize>,
    truncated_at: Vec<f32>,
    values: Vec<f32>,
}

impl Collector {
    /// Resets every lane. Lane `i` plays with the environment seed `s + i`, `s` being the seed's stream `lanes`, and
    /// draws its actions from stream `policy` number `i`: what one lane does never depends on how many others there are.
    ///
    /// # Errors
    /// [`Error::Env`] if a reset fails.
    pub fn new(mut env: Box<dyn VecEnv>, seed: Seed) -> Result<Self> {
        let lanes = env.lanes();
        let mut observation = vec![0.0; lanes * env.spec().observation_len()];
        env.reset(Some(seed.derive("lanes", 0)), &mut observation)?;
        let rngs = (0..lanes as u64).map(|i| seed.stream("policy", i)).collect();
        Ok(Self {
            final_observation: vec![0.0; observation.len()],
            env,
            observation,
            rngs,
            returns: vec![0.0; lanes],
            lengths: vec![0; lanes],
            env_steps: 0,
            rollout: Rollout::default(),
            episodes: Vec::new(),
            episodes_left: Vec::new(),
            active: Vec::new(),
            logits: Vec::new(),
            truncated: Vec::new(),
            truncated_at: Vec::new(),
            values: Vec::new(),
        })
    }

    /// The environments.
    #[must_use]
    pub fn env(&self) -> &dyn VecEnv {
        &*self.env
    }

    /// Environment steps taken so far, all lanes together.
    #[must_use]
    pub fn env_steps(&self) -> u64 {
        self.env_steps
    }

    /// Acts until the horizon and returns the rollout with the episodes that ended in it, in order. Both are written
    /// over by the next call.
    ///
    /// Without `with_values` all values are zero and the critic is not asked.
    ///
    /// # Errors
    /// [`Error::Env`] if an environment fails, [`Error::NotFinite`] if the policy gives no distribution,
    /// [`Error::Shape`] if the network answers with too few or too many numbers.
    pub fn collect(
        &mut self,
        network: &mut dyn ActorCritic,
        params: &Params,
        horizon: Horizon,
        with_values: bool,
    ) -> Result<(&Rollout, &[Episode])> {
        let (lanes, d, actions) = (self.env.lanes(), network.observation_len(), network.action_count());
        if d != self.env.spec().observation_len() {
            let (expected, got) = (vec![self.env.spec().observation_len()], vec![d]);
            return Err(Error::Shape { what: "the network's input".into(), expected, got });
        }
        let Self { rollout, episodes, episodes_left, active, logits, final_observation, .. } = self;
        let Self { truncated, truncated_at, values, .. } = self;
        rollout.clear(lanes, d);
        episodes.clear();
        truncated.clear();
        truncated_at.clear();
        episodes_left.clear();
        episodes_left.resize(lanes, if let Horizon::Episodes(n) = horizon { n } else { usize::MAX });
        active.clear();
        active.extend(episodes_left.iter().map(|&left| left > 0));

        let mut t = 0;
        while active.contains(&true) && horizon != Horizon::Steps(t) {
            network.logits(params, &self.observation, logits)?;
            check_len("the network's logits", lanes * actions, logits.len())?;
            let start = t * lanes;
            let len = start + lanes;
            rollout.observation.extend_from_slice(&self.observation);
            rollout.action.resize(len, 0);
            rollout.log_prob.resize(len, 0.0);
            rollout.reward.resize(len, 0.0);
            rollout.end.resize(len, End::Not);
            rollout.valid.extend_from_slice(active);
            for lane in (0..lanes).filter(|&lane| active[lane]) {
                let row = &logits[lane * actions..(lane + 1) * actions];
                let (action, log_prob) = Categorical::sample(row, &mut self.rngs[lane])?;
                rollout.action[start + lane] = action;
                rollout.log_prob[start + lane] = log_prob;
            }
            let out = Transitions {
                observation: &mut self.observation,
                final_observation,
                reward: &mut rollout.reward[start..],
                end: &mut rollout.end[start..],
            };
            self.env.step(Actions::Discrete(&rollout.action[start..]), active, out)?;
            for lane in (0..lanes).filter(|&lane| rollout.valid[start + lane]) {
                self.env_steps += 1;
                self.returns[lane] += f64::from(rollout.reward[start + lane]);
                self.lengths[lane] += 1;
                let end = rollout.end[start + lane];
                if end == End::Truncated {
                    truncated.push(start + lane);
                    truncated_at.extend_from_slice(&final_observation[lane * d..(lane + 1) * d]);
                }
                if end.ended() {
                    episodes.push(Episode {
                        episode_return: std::mem::take(&mut self.returns[lane]),
                        length: std::mem::take(&mut self.lengths[lane]),
                        env_steps: self.env_steps,
                    });
                    episodes_left[lane] -= 1;
                    active[lane] = episodes_left[lane] > 0;
                }
            }
            t += 1;
        }

        if with_values {
            network.values(params, &rollout.observation, &mut rollout.value)?;
            check_len("the network's values", t * lanes, rollout.value.len())?;
            // V of the state each action led to is V of the next observation, unless the episode ended here.
            network.values(params, &self.observation, values)?;
            rollout.next_value.extend(rollout.value.iter().skip(lanes).chain(&*values));
            network.values(params, truncated_at, values)?;
            for (next, end) in rollout.next_value.iter_mut().zip(&rollout.end) {
                if end.ended() {
                    *next = 0.0;
                }
            }
            for (&place, &value) in truncated.iter().zip(&*values) {
                rollout.next_value[place] = value;
            }
        } else {
            rollout.value.resize(t * lanes, 0.0);
            rollout.next_value.resize(t * lanes, 0.0);
        }
        Ok((rollout, episodes))
    }
}
