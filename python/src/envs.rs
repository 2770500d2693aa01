//! Environments, alone and side by side.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyBytes;
use uphill::Config;
use uphill::envs::{Action, Actions, End, Env, Space, Spec, Transitions, VecEnv, guarded};

use crate::{catalogue, raised};

/// A space: its kind, how many there are of what, and the bounds of a box.
pub(crate) type ToldSpace = (&'static str, Vec<usize>, Vec<f32>, Vec<f32>);

/// Name, spaces of observations and actions, limit and threshold.
pub(crate) type ToldSpec = (String, ToldSpace, ToldSpace, Option<u32>, Option<f64>);

fn space(space: &Space) -> ToldSpace {
    let of = |n: Vec<usize>| (space.kind(), n, Vec::new(), Vec::new());
    match space {
        Space::Discrete { n } | Space::MultiBinary { n } => of(vec![*n]),
        Space::MultiDiscrete { n } => of(n.clone()),
        Space::Box { low, high } => (space.kind(), vec![low.len()], low.clone(), high.clone()),
        &Space::Image { height, width, channels, max } => of(vec![height, width, channels, max.into()]),
    }
}

pub(crate) fn spec(spec: &Spec) -> ToldSpec {
    let (observation, action) = (space(&spec.observation), space(&spec.action));
    (spec.id.clone(), observation, action, spec.max_episode_steps, spec.reward_threshold)
}

fn config(env: &str) -> PyResult<Config> {
    Config::for_algo_with("ppo", &catalogue()).and_then(|config| config.in_env(env)).map_err(raised)
}

pub(crate) fn bytes<'py>(py: Python<'py>, numbers: &[f32]) -> Bound<'py, PyBytes> {
    PyBytes::new(py, &numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}

/// Numbers of 32 bits from their bytes.
pub(crate) fn numbers<T>(bytes: &[u8], of: fn([u8; 4]) -> T) -> Vec<T> {
    bytes.chunks_exact(4).map(|b| of([b[0], b[1], b[2], b[3]])).collect()
}

/// The actions of lanes, as they are in memory.
enum Taken {
    Indices(Vec<u32>),
    Numbers(Vec<f32>),
}

impl Taken {
    fn of(space: &Space, bytes: &[u8]) -> Self {
        match space {
            Space::Box { .. } => Self::Numbers(numbers(bytes, f32::from_le_bytes)),
            _ => Self::Indices(numbers(bytes, u32::from_le_bytes)),
        }
    }

    fn view(&self) -> Actions<'_> {
        match self {
            Self::Indices(indices) => Actions::Discrete(indices),
            Self::Numbers(numbers) => Actions::Continuous(numbers),
        }
    }
}

/// One environment, within its limit. Who waits for it, here and below, lets other Python threads run: it may be one of Gymnasium's,
/// which needs them to.
#[pyclass(frozen, module = "uphill._uphill")]
pub(crate) struct Single(Mutex<Box<dyn Env>>);

#[pymethods]
impl Single {
    /// The environment of that name, arguments and wrappers.
    #[new]
    fn new(env: &str) -> PyResult<Self> {
        Ok(Self(Mutex::new(config(env)?.make_env().map_err(raised)?)))
    }

    /// What it is.
    fn spec(&self, py: Python<'_>) -> ToldSpec {
        spec(self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).spec())
    }

    /// Starts an episode; the bytes of its first observation.
    #[pyo3(signature = (seed=None))]
    fn reset<'py>(&self, py: Python<'py>, seed: Option<u128>) -> PyResult<Bound<'py, PyBytes>> {
        let mut env = self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let mut observation = vec![0.0; env.spec().observation_len()];
        let begun = match seed {
            Some(seed) => env.reset_wide(seed, &mut observation),
            None => env.reset(None, &mut observation),
        };
        begun.map_err(raised)?;
        Ok(bytes(py, &observation))
    }

    /// Takes an action, in bytes: the observation, the reward, and whether it was terminated and truncated.
    fn step<'py>(&self, py: Python<'py>, action: &[u8]) -> PyResult<(Bound<'py, PyBytes>, f32, bool, bool)> {
        let mut env = self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let taken = Taken::of(&env.spec().action, action);
        let mut observation = vec![0.0; env.spec().observation_len()];
        let action = match (&taken, &env.spec().action) {
            (Taken::Numbers(numbers), _) => Action::Continuous(numbers),
            (Taken::Indices(indices), Space::Discrete { .. }) => {
                Action::Discrete(*indices.first().ok_or_else(|| raised("an action of no number"))?)
            }
            (Taken::Indices(indices), _) => Action::MultiDiscrete(indices),
        };
        let step = env.step(action, &mut observation).map_err(raised)?;
        let (terminated, truncated) = (step.end == End::Terminated, step.end == End::Truncated);
        Ok((bytes(py, &observation), step.reward, terminated, truncated))
    }
}

/// Environments side by side, each begun anew in the step that ends its episode.
#[pyclass(frozen, module = "uphill._uphill")]
pub(crate) struct Lanes(Mutex<Box<dyn VecEnv>>);

/// Observations, last observations, rewards and ends (0, 1 terminated, 2 truncated) of a step.
type Stepped<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>, Vec<u8>);

#[pymethods]
impl Lanes {
    /// So many environments of that name, arguments and wrappers.
    #[new]
    fn new(env: &str, lanes: usize) -> PyResult<Self> {
        let most = Config::MAX_ENVS;
        if lanes as u64 > most {
            return Err(raised(format!("num_envs = {lanes} is impossible: it must be {most} or less")));
        }
        let lanes = config(env)?.make_envs(lanes).map_err(raised)?;
        Ok(Self(Mutex::new(guarded(lanes).map_err(raised)?)))
    }

    /// What each is.
    fn spec(&self, py: Python<'_>) -> ToldSpec {
        spec(self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).spec())
    }

    /// Starts an episode in each lane, lane `i` from `seed + i`; the bytes of the first observations.
    #[pyo3(signature = (seed=None))]
    fn reset<'py>(&self, py: Python<'py>, seed: Option<u128>) -> PyResult<Bound<'py, PyBytes>> {
        let mut env = self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let mut observation = vec![0.0; env.lanes() * env.spec().observation_len()];
        let begun = match seed {
            Some(seed) => env.reset_wide(seed, &mut observation),
            None => env.reset(None, &mut observation),
        };
        begun.map_err(raised)?;
        Ok(bytes(py, &observation))
    }

    /// Steps the lanes that are active by actions in bytes, from the observations that they stand at.
    fn step<'py>(
        &self,
        py: Python<'py>,
        actions: &[u8],
        active: Vec<bool>,
        observation: &[u8],
    ) -> PyResult<Stepped<'py>> {
        let mut env = self.0.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let (lanes, taken) = (env.lanes(), Taken::of(&env.spec().action, actions));
        let mut observation = numbers(observation, f32::from_le_bytes);
        let mut last = vec![0.0; observation.len()];
        let (mut reward, mut end) = (vec![0.0; lanes], vec![End::Not; lanes]);
        let out = Transitions {
            observation: &mut observation,
            final_observation: &mut last,
            reward: &mut reward,
            end: &mut end,
        };
        env.step(taken.view(), &active, out).map_err(raised)?;
        let ends = end.iter().map(|end| u8::from(end.ended()) + u8::from(*end == End::Truncated)).collect();
        Ok((bytes(py, &observation), bytes(py, &last), bytes(py, &reward), ends))
    }
}
