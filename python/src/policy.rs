//! Trained policies.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::PyBytes;
use uphill::envs::Spec;
use uphill::{ActionColumn, Memory, Mode, Rng, Seed};

use crate::envs::{ToldSpec, bytes, numbers, spec};
use crate::watched::watched;
use crate::{catalogue, raised};

/// A policy, what it remembers of lanes, and what it draws actions with.
#[pyclass(frozen, module = "uphill._uphill")]
pub(crate) struct Policy {
    acting: Mutex<Acting>,
    spec: Spec,
}

struct Acting {
    policy: uphill::Policy,
    memory: Memory,
    rng: Rng,
}

#[pymethods]
impl Policy {
    /// Loads the last policy of a run, the best in training, or the best by evaluation.
    #[new]
    fn new(run: PathBuf, which: &str) -> PyResult<Self> {
        let load = match which {
            "last" => uphill::Policy::load_with,
            "best" => uphill::Policy::load_best_with,
            "best_by_eval" => uphill::Policy::load_best_by_eval_with,
            _ => return Err(raised(format!("which = {which:?} is impossible: it must be last, best or best_by_eval"))),
        };
        let policy = load(&run, &catalogue()).map_err(raised)?;
        let spec = policy.config().make_envs(1).map_err(raised)?.spec().clone();
        let acting = Acting { memory: policy.memory(1), policy, rng: Seed(0).stream("actions", 0) };
        Ok(Self { acting: Mutex::new(acting), spec })
    }

    /// What its environment is.
    fn spec(&self) -> ToldSpec {
        spec(&self.spec)
    }

    /// Its settings, in TOML.
    fn settings(&self, py: Python<'_>) -> PyResult<String> {
        self.acting
            .lock_py_attached(py)
            .unwrap_or_else(PoisonError::into_inner)
            .policy
            .config()
            .to_toml()
            .map_err(raised)
    }

    /// Draws from now on with the generator of this seed.
    fn seed(&self, py: Python<'_>, seed: u64) {
        self.acting.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner).rng = Seed(seed).stream("actions", 0);
    }

    /// The actions in the observations of so many lanes, all in bytes, among those that masks leave; what it remembers of lanes that
    /// begin it forgets.
    fn act<'py>(
        &self,
        py: Python<'py>,
        observation: &[u8],
        begins: Vec<bool>,
        masks: Option<Vec<bool>>,
        deterministic: bool,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let mut acting = self.acting.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner);
        let Acting { policy, memory, rng } = &mut *acting;
        if memory.lanes() != begins.len() {
            *memory = policy.memory(begins.len());
        }
        for (lane, _) in begins.iter().enumerate().filter(|(_, begins)| **begins) {
            memory.forget(lane);
        }
        let mode = if deterministic { Mode::Likeliest } else { Mode::Sampled(rng) };
        let observation = numbers(observation, f32::from_le_bytes);
        Ok(match policy.act_within(&observation, masks.as_deref(), memory, mode).map_err(raised)? {
            ActionColumn::Discrete(indices) => {
                PyBytes::new(py, &indices.iter().flat_map(|index| index.to_le_bytes()).collect::<Vec<u8>>())
            }
            ActionColumn::Continuous(numbers) => bytes(py, &numbers),
        })
    }

    /// Plays whole episodes in its environment: each one's return and length, where it was not cut off.
    #[allow(clippy::type_complexity, reason = "what Python takes as two lists")]
    fn evaluate(
        &self,
        py: Python<'_>,
        episodes: usize,
        seed: u64,
        deterministic: bool,
    ) -> PyResult<(Vec<Option<f64>>, Vec<Option<u32>>)> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let judged = watched(py, &stop, &mut |_, _| Ok(()), |_| {
            let mut acting = self.acting.lock().unwrap_or_else(PoisonError::into_inner);
            acting.policy.stop_when(move || asked.load(Ordering::Relaxed));
            let mut rng = Seed(seed).stream("actions", 0);
            let mode = if deterministic { Mode::Likeliest } else { Mode::Sampled(&mut rng) };
            let judged = acting.policy.evaluate_with(episodes, Seed(seed), mode);
            acting.policy.stop_when(|| false);
            judged
        })?;
        Ok((judged.returns, judged.lengths))
    }
}
