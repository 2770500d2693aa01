//! Environments of the crate gym-rs, through one adapter.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use gym_rs::{
    core::{Env as GymEnv, EnvProperties},
    spaces::{BoxR, Discrete},
    utils::custom::traits::Sample,
};

use crate::{Action, End, Env, EnvError, NumpyRng, Space, Spec, Step};

/// Any environment of <https://docs.rs/gym-rs/0.3.0> that takes one of `n` actions.
///
/// Its dynamics are gym-rs's and not Gymnasium's, even where the names agree: `docs/gym-rs.md` of this repository tells
/// the differences. Observations and rewards are rounded to f32, spaces are translated, and an action outside the space is
/// refused before gym-rs would panic on it.
///
/// gym-rs seeds itself from the operating system at every reset without a seed, so each reset here hands it a seed drawn
/// from a generator of our own, which runs on as every other environment's does.
///
/// A gym-rs environment holds a slot for an SDL window, which must not leave its thread. So each lives in a thread of its
/// own, where it is made and stepped, and this is its remote control. A step costs two hand-overs between threads.
#[derive(Debug)]
pub struct GymRs {
    spec: Spec,
    rng: NumpyRng,
    orders: SyncSender<Order>,
    answers: Receiver<Answer>,
    needs_reset: bool,
}

/// What the environment's thread is to do next.
enum Order {
    Reset(u64),
    Step(usize),
}

/// What came of it; after a reset only the observation means anything.
struct Answer {
    observation: Vec<f64>,
    reward: f64,
    end: End,
}

/// A box of observations and the number of actions.
struct Spaces {
    low: Vec<f64>,
    high: Vec<f64>,
    actions: usize,
}

impl GymRs {
    /// The environment that `make` makes, under this name and with the limits of a [`Spec`].
    ///
    /// # Errors
    /// [`EnvError::Stopped`] if its thread cannot be started, or ends because `make` panics.
    pub fn new<G, O>(
        id: &str,
        max_episode_steps: Option<u32>,
        reward_threshold: Option<f64>,
        make: impl FnOnce() -> G + Send + 'static,
    ) -> Result<Self, EnvError>
    where
        G: GymEnv<Action = usize, Observation = O> + EnvProperties<ActionSpace = Discrete, ObservationSpace = BoxR<O>>,
        O: Sample + Into<Vec<f64>> + Clone,
    {
        let stopped = || EnvError::Stopped { id: id.into() };
        let (send_spaces, spaces) = sync_channel(1);
        let (orders, received) = sync_channel(1);
        let (send_answer, answers) = sync_channel(1);
        thread::Builder::new()
            .name(id.into())
            .spawn(move || serve(make(), &send_spaces, &received, &send_answer))
            .map_err(|_| stopped())?;
        let Spaces { low, high, actions } = spaces.recv().map_err(|_| stopped())?;
        let round = |bounds: Vec<f64>| bounds.into_iter().map(|x| x as f32).collect();
        let spec = Spec {
            id: id.into(),
            observation: Space::Box { low: round(low), high: round(high) },
            action: Space::Discrete { n: actions },
            max_episode_steps,
            reward_threshold,
        };
        Ok(Self { spec, rng: NumpyRng::default(), orders, answers, needs_reset: true })
    }

    /// Sends an order, waits for its answer and writes the observation.
    fn carry_out(&mut self, order: Order, observation: &mut [f32]) -> Result<Answer, EnvError> {
        let stopped = || EnvError::Stopped { id: self.spec.id.clone() };
        self.orders.send(order).map_err(|_| stopped())?;
        let answer = self.answers.recv().map_err(|_| stopped())?;
        EnvError::check_len("gym-rs's observation", observation.len(), answer.observation.len())?;
        for (out, &x) in observation.iter_mut().zip(&answer.observation) {
            *out = x as f32;
        }
        Ok(answer)
    }
}

/// The life of an environment's thread: until the remote control is dropped, or the environment panics.
fn serve<G, O>(mut env: G, spaces: &SyncSender<Spaces>, orders: &Receiver<Order>, answers: &SyncSender<Answer>)
where
    G: GymEnv<Action = usize, Observation = O> + EnvProperties<ActionSpace = Discrete, ObservationSpace = BoxR<O>>,
    O: Sample + Into<Vec<f64>> + Clone,
{
    let BoxR { low, high } = env.observation_space().clone();
    let actions = env.action_space().0;
    if spaces.send(Spaces { low: low.into(), high: high.into(), actions }).is_err() {
        return;
    }
    for order in orders {
        let answer = match order {
            Order::Reset(seed) => {
                let (observation, _) = env.reset(Some(seed), false, None);
                Answer { observation: observation.into(), reward: 0.0, end: End::Not }
            }
            Order::Step(action) => {
                let step = env.step(action);
                let truncated = if step.truncated { End::Truncated } else { End::Not };
                let end = if step.done { End::Terminated } else { truncated };
                Answer { observation: step.observation.into(), reward: step.reward.into_inner(), end }
            }
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}

impl GymRs {
    /// Starts an episode with another generator, or the one that it has.
    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        if let Some(rng) = rng {
            self.rng = rng;
        }
        let own = self.rng.next_u64();
        self.carry_out(Order::Reset(own), observation)?;
        self.needs_reset = false;
        Ok(())
    }
}

impl Env for GymRs {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.begin(seed.map(NumpyRng::new), observation)
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.begin(Some(NumpyRng::wide(seed)), observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        let action = self.spec.action.discrete(action)?;
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        let answer = self.carry_out(Order::Step(action), observation)?;
        self.needs_reset = answer.end.ended();
        Ok(Step { reward: answer.reward as f32, end: answer.end })
    }
}
