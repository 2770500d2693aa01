//! DeepMind's control suite: bodies with joints, moved by continuous actions.

mod acrobot;
mod capsule;
mod cartpole;
mod domain;
mod limit;
mod mass;
mod page;
mod pendulum;
mod runge_kutta;
mod tolerance;

pub use acrobot::DmAcrobot;
pub use cartpole::DmCartPole;
pub use pendulum::DmPendulum;

use crate::underway::Underway;
use crate::{Action, Drawing, End, Env, EnvError, NumpyRng, Space, Spec, Step};
use domain::Domain;

/// Control steps of an episode.
const LIMIT: u32 = 1000;
/// m/s².
const GRAVITY: f64 = 9.81;

/// A task of DeepMind's control suite, from its state: [`DmCartPole`], [`DmPendulum`] or [`DmAcrobot`].
///
/// - Observation, `[D]`: the numbers of dm_control's dictionary one after the other, which the domain tells. No bounds.
/// - Action, `[1]`: within ±1; beyond, it counts as ±1.
/// - Reward: 0 to 1, of the state that the step led to and the action.
/// - Never terminates. Limit 1000 steps, at which dm_control's discount stays 1: an end there is a truncation. Its authors say no
///   return at which a task is solved; none is above 1000.
///
/// There is no MuJoCo in it. The equations of motion are derived by hand for the bodies of dm_control's models and integrated by the
/// method and the time step that each model names, in f64; observations are f32 roundings. From a state of MuJoCo's a step leads to
/// MuJoCo's next one to within 1e-14 of each number, or of 1 where it is smaller; not to the bit, since operations come in another
/// order. Only where the cart-pole's rail ends does MuJoCo's solver stop before it is exact: a step there may come 1e-5 apart from
/// MuJoCo 3.17's, and 1e-10 from 3.1.1's. Whole trajectories of the same actions were 1e-15 to 1e-5 apart at their ends: the more,
/// the more often the rail ended, and the longer a pole was balanced or the acrobot whirled, which makes much of a last bit. Recorded
/// from dm_control 1.0.50 with MuJoCo 3.17.0 (`tests/reference/record_dm_control.py`).
///
/// A seed means an episode of this crate's own: starts are distributed as dm_control's, drawn from [`NumpyRng`] where dm_control
/// draws from numpy's older `RandomState`. Names are those of Shimmy's Gymnasium registration. The first words of a saved state are
/// MuJoCo's `qpos` and `qvel` as bits of f64, so that [`restore`](Env::restore) can start from any state.
///
/// Tassa et al. 2018, <https://arxiv.org/abs/1801.00690>; Todorov et al. 2012, <https://doi.org/10.1109/IROS.2012.6386109>;
/// <https://github.com/google-deepmind/dm_control/tree/1.0.50/dm_control/suite>.
///
/// ```
/// use uphill_envs::{Action, DmControl, DmCartPole, Env};
///
/// let mut env = DmControl::new(DmCartPole::balance());
/// let mut observation = [0.0; 5];
/// env.reset(Some(0), &mut observation)?;
/// let step = env.step(Action::Continuous(&[0.0]), &mut observation)?;
/// // Upright, slow and near the middle.
/// assert!(step.reward > 0.9);
/// # Ok::<(), uphill_envs::EnvError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DmControl<D, const S: usize> {
    spec: Spec,
    domain: D,
    underway: Underway<[f64; S]>,
}

impl<D: Domain<S>, const S: usize> DmControl<D, S> {
    /// The task, without its time limit.
    #[must_use]
    pub fn new(domain: D) -> Self {
        let spec = Spec {
            id: domain.id().into(),
            observation: Space::uniform_box(D::OBSERVED, f32::NEG_INFINITY, f32::INFINITY),
            action: Space::uniform_box(1, -1.0, 1.0),
            max_episode_steps: Some(LIMIT),
            reward_threshold: None,
        };
        Self { spec, domain, underway: Underway::new([0.0; S]) }
    }

    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", D::OBSERVED, observation.len())?;
        let state = self.underway.begin(rng, |rng| self.domain.start(rng));
        self.domain.observe(state, observation);
        Ok(())
    }
}

impl<D: Domain<S>, const S: usize> Env for DmControl<D, S> {
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
        EnvError::check_len("observation", D::OBSERVED, observation.len())?;
        let control = f64::from(self.spec.action.continuous(action)?[0]).clamp(-1.0, 1.0);
        let domain = &self.domain;
        let (state, step) = self.underway.step(|state, _| {
            let state = domain.advance(state, control);
            (state, Step { reward: domain.reward(state, control) as f32, end: End::Not })
        })?;
        domain.observe(state, observation);
        Ok(step)
    }

    fn save(&self, saved: &mut Vec<u64>) -> bool {
        self.underway.save(self.underway.state().map(f64::to_bits), saved)
    }

    fn restore(&mut self, saved: &[u64]) -> Result<(), EnvError> {
        self.underway.restore(saved, |words| Some(words.map(f64::from_bits)))
    }

    /// The bodies in dm_control's colours, seen from the front.
    fn draw(&self) -> Option<Drawing> {
        Some(self.domain.draw(self.underway.state()))
    }
}
