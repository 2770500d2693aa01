//! One environment of Gymnasium's.

use uphill::envs::{Action, Drawing, End, Env, EnvError, Spec, Step};

use crate::picture::{no_picture, read_picture};
use crate::seat::{Request, Seat};
use crate::spec::{check_length, observation_bytes, read_observation, spec, write_action, write_reset};

/// One environment of an installed Gymnasium.
///
/// Its dynamics, its seeding and its limit are Gymnasium's: `reset(seed)` is `reset(seed=seed)`, `terminated` is
/// [`End::Terminated`] and `truncated` alone [`End::Truncated`]. Observations are rounded to f32, rewards to f32. It cannot be
/// saved, so a run that goes on begins new episodes.
///
/// Its pictures are what it renders as `rgb_array`. [`Env::prepare_picture`] makes it anew for that, in a process of its own: what
/// paints may fail as it likes, and what learns is not made to paint.
pub struct GymnasiumEnv {
    spec: Spec,
    made_of: Request,
    seat: Seat,
    request: Vec<u8>,
    needs_reset: bool,
    /// Whether it has painted.
    painted: bool,
}

impl GymnasiumEnv {
    /// Makes one, in this process or in one of its own, under this name.
    pub(crate) fn open(id: &str, request: &Request, in_worker: bool) -> uphill::Result<Self> {
        let made_of = Request { lanes: 1, ..request.clone() };
        let (seat, told) = Seat::open(&made_of, in_worker)?;
        Ok(Self { spec: spec(id, &told)?, made_of, seat, request: Vec::new(), needs_reset: true, painted: false })
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

    fn prepare_picture(&mut self) -> Result<(), EnvError> {
        if self.made_of.paints {
            return Ok(());
        }
        let request = Request { paints: true, ..self.made_of.clone() };
        let (seat, _) = Seat::open(&request, true).map_err(|e| no_picture(&self.spec.id, &e.to_string()))?;
        (self.seat, self.made_of, self.needs_reset) = (seat, request, true);
        Ok(())
    }

    fn picture(&mut self) -> Result<Drawing, EnvError> {
        if !self.made_of.paints {
            return Err(no_picture(&self.spec.id, "it was not made ready for pictures"));
        }
        self.request.clear();
        self.request.push(b'P');
        let bytes = self.seat.send(&self.request).and_then(|()| self.seat.receive()).map_err(|trouble| {
            // What has painted before can paint.
            if self.painted { trouble.in_env() } else { no_picture(&self.spec.id, &trouble.exception) }
        })?;
        self.painted = true;
        Ok(read_picture(&bytes)?.into())
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
