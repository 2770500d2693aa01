//! One environment of Gymnasium's.

use uphill::envs::{Action, End, Env, EnvError, Spec, Step};

use crate::seat::{Request, Seat};
use crate::spec::{check_length, observation_bytes, read_observation, spec, write_action, write_reset};

/// One environment of an installed Gymnasium.
///
/// Its dynamics, its seeding and its limit are Gymnasium's: `reset(seed)` is `reset(seed=seed)`, `terminated` is
/// [`End::Terminated`] and `truncated` alone [`End::Truncated`]. Observations are rounded to f32, rewards to f32. It cannot be
/// saved, so a run that goes on begins new episodes.
pub struct GymnasiumEnv {
    spec: Spec,
    seat: Seat,
    request: Vec<u8>,
    needs_reset: bool,
}

impl GymnasiumEnv {
    /// Makes one, in this process or in one of its own, under this name.
    pub(crate) fn open(id: &str, request: &Request, in_worker: bool) -> uphill::Result<Self> {
        let (seat, told) = Seat::open(&Request { lanes: 1, ..request.clone() }, in_worker)?;
        Ok(Self { spec: spec(id, &told)?, seat, request: Vec::new(), needs_reset: true })
    }

    /// Asks for what the request says.
    fn ask(&mut self) -> Result<Vec<u8>, EnvError> {
        self.seat.send(&self.request).and_then(|()| self.seat.receive()).map_err(|trouble| trouble.in_env())
    }

    fn begin(&mut self, seed: Option<u128>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.check_len(observation)?;
        self.request.clear();
        self.request.push(b'R');
        write_reset(Some(seed), &mut self.request);
        let bytes = self.ask()?;
        check_length(observation_bytes(&self.spec.observation), bytes.len())?;
        read_observation(&self.spec.observation, &bytes, observation);
        self.needs_reset = false;
        Ok(())
    }

    fn check_len(&self, observation: &[f32]) -> Result<(), EnvError> {
        let (expected, got) = (self.spec.observation_len(), observation.len());
        if expected == got { Ok(()) } else { Err(EnvError::Length { what: "observation", expected, got }) }
    }
}

impl Env for GymnasiumEnv {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.begin(seed.map(u128::from), observation)
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.begin(Some(seed), observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.check_len(observation)?;
        self.spec.action.check(action)?;
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        self.request.clear();
        self.request.extend(b"S\x01");
        write_action(action, &mut self.request);
        let bytes = self.ask()?;
        check_length(HEAD + observation_bytes(&self.spec.observation), bytes.len())?;
        let step = read_step(&bytes);
        read_observation(&self.spec.observation, &bytes[HEAD..], observation);
        self.needs_reset = step.end.ended();
        Ok(step)
    }
}

/// Bytes of a step before its observation.
pub(crate) const HEAD: usize = 9;

/// A step from its bytes, [`HEAD`] or more.
pub(crate) fn read_step(bytes: &[u8]) -> Step {
    let reward = f64::from_le_bytes(std::array::from_fn(|i| bytes[i])) as f32;
    let end = match bytes[HEAD - 1] {
        0 => End::Not,
        1 => End::Terminated,
        _ => End::Truncated,
    };
    Step { reward, end }
}
