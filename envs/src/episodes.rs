//! What every vector knows of the episodes in its lanes. Checks, errors and auto-reset are written here, once.

use crate::{Actions, EnvError, Space, Spec, Transitions};

/// The seeds and the lengths of the episodes that `N` lanes are in.
#[derive(Debug)]
pub(crate) struct Episodes {
    spec: Spec,
    seeds: Vec<Option<u128>>,
    /// Steps taken in the present episode, `[N]`.
    pub(crate) elapsed: Vec<u32>,
}

impl Episodes {
    /// Of `lanes` environments of this kind; there is a kind only if there is an environment.
    pub(crate) fn new(spec: Option<&Spec>, lanes: usize) -> Result<Self, EnvError> {
        let Some(spec) = spec.filter(|_| lanes > 0) else {
            return Err(EnvError::Option { name: "lanes", value: "0".into(), expected: "at least 1 lane" });
        };
        if spec.observation_len() == 0 {
            let expected = "at least 1 number in an observation";
            return Err(EnvError::Option { name: "observation length", value: "0".into(), expected });
        }
        spec.observation.check_observations()?;
        spec.action.check_actions()?;
        Ok(Self { spec: spec.clone(), seeds: vec![None; lanes], elapsed: vec![0; lanes] })
    }

    /// What each lane is.
    pub(crate) fn spec(&self) -> &Spec {
        &self.spec
    }

    /// `N`.
    pub(crate) fn lanes(&self) -> usize {
        self.elapsed.len()
    }

    /// An error of one lane, with all that is known of its episode; one that tells its lane already stays as it is.
    pub(crate) fn in_lane(&self, lane: usize, source: EnvError) -> EnvError {
        if matches!(source, EnvError::Lane { .. }) {
            return source;
        }
        EnvError::Lane {
            id: self.spec.id.clone(),
            lane,
            seed: self.seeds[lane],
            step: self.elapsed[lane],
            source: Box::new(source),
        }
    }

    /// The seed that a lane was last reset with.
    pub(crate) fn seed(&self, lane: usize) -> Option<u128> {
        self.seeds[lane]
    }

    /// Notes that every lane begins an episode, lane `i` from `seed + i`.
    pub(crate) fn begin(&mut self, seed: Option<u128>) {
        for (i, own) in self.seeds.iter_mut().enumerate() {
            *own = seed.map(|seed| seed.wrapping_add(i as u128)).or(*own);
        }
        self.elapsed.fill(0);
    }

    /// Starts an episode in every lane, lane `i` from `seed + i`. `start` resets one lane and writes its observation.
    pub(crate) fn reset(
        &mut self,
        seed: Option<u128>,
        observation: &mut [f32],
        mut start: impl FnMut(usize, Option<u128>, &mut [f32]) -> Result<(), EnvError>,
    ) -> Result<(), EnvError> {
        let d = self.spec.observation_len();
        EnvError::check_len("observation", self.lanes() * d, observation.len())?;
        if let Some(first) = seed.filter(|seed| seed.checked_add(self.lanes() as u128).is_none()) {
            let expected = "each lane is seeded one above the one before, all below 2^128";
            return Err(EnvError::Option { name: "seed", value: first.to_string(), expected });
        }
        for (i, row) in observation.chunks_exact_mut(d).enumerate() {
            let seed = seed.map(|seed| seed + i as u128);
            self.seeds[i] = seed.or(self.seeds[i]);
            self.elapsed[i] = 0;
            let started = caught(|| start(i, seed, row)).and_then(|()| check_observation(&self.spec.observation, row));
            started.map_err(|e| self.in_lane(i, e))?;
        }
        Ok(())
    }

    /// Refuses slices of a wrong length and actions outside their space, before any lane has moved.
    pub(crate) fn check(&self, actions: Actions<'_>, active: &[bool], out: &Transitions<'_>) -> Result<(), EnvError> {
        let (n, d) = (self.lanes(), self.spec.observation_len());
        EnvError::check_len("active", n, active.len())?;
        EnvError::check_len("observation", n * d, out.observation.len())?;
        EnvError::check_len("final_observation", n * d, out.final_observation.len())?;
        EnvError::check_len("reward", n, out.reward.len())?;
        EnvError::check_len("end", n, out.end.len())?;
        let width = self.spec.action.flat_len();
        match (actions, &self.spec.action) {
            // Of indices for a box it is said that they are none of its points, whatever their number is.
            (Actions::Discrete(a), Space::Box { .. }) => EnvError::check_len("actions", n, a.len())?,
            (Actions::Discrete(a), _) => EnvError::check_len("actions", n * width, a.len())?,
            (Actions::Continuous(a), _) => EnvError::check_len("actions", n * width, a.len())?,
        }
        if let (Actions::Discrete(a), Space::Discrete { n }) = (actions, &self.spec.action) {
            // Without an early exit the compiler looks at many at a time. Which one is wrong is asked only if one is.
            let wrong = |(&a, &active): (&u32, &bool)| active & (a as usize >= *n);
            if !a.iter().zip(active).fold(false, |any, lane| any | wrong(lane)) {
                return Ok(());
            }
        }
        let mut lanes = (0..n).filter(|&i| active[i]);
        lanes.try_for_each(|i| {
            self.spec.action.check(actions.lane(i, &self.spec.action)).map_err(|e| self.in_lane(i, e))
        })
    }

    /// Keeps the observation that the episode of `lane` ended on, and starts the next one in its place.
    pub(crate) fn restart(
        &mut self,
        lane: usize,
        out: &mut Transitions<'_>,
        start: impl FnOnce(&mut [f32]) -> Result<(), EnvError>,
    ) -> Result<(), EnvError> {
        let d = self.spec.observation_len();
        let row = lane * d..(lane + 1) * d;
        let (observation, last) = (&mut out.observation[row.clone()], &mut out.final_observation[row]);
        let restarted = restart(&self.spec.observation, &mut self.elapsed[lane], observation, last, start);
        restarted.map_err(|e| self.in_lane(lane, e))
    }

    /// What each lane is, and the steps of all.
    pub(crate) fn all_lanes(&mut self) -> (&Spec, &mut [u32]) {
        (&self.spec, &mut self.elapsed)
    }
}

impl Episodes {
    /// Appends three words a lane.
    pub(crate) fn save(&self, state: &mut Vec<u64>) {
        (0..self.lanes()).for_each(|lane| self.save_lane(lane, state));
    }

    /// Appends those of one.
    pub(crate) fn save_lane(&self, lane: usize, state: &mut Vec<u64>) {
        // 0 for no seed, else its upper half and 1; then its lower half.
        let [upper, lower] =
            self.seeds[lane].map_or([0, 0], |seed| [((seed >> 64) as u64).saturating_add(1), seed as u64]);
        state.extend([upper, lower, self.elapsed[lane].into()]);
    }

    /// Goes on from saved words and returns those after them.
    pub(crate) fn restore<'a>(&mut self, state: &'a [u64]) -> Result<&'a [u64], EnvError> {
        let Some((lanes, rest)) = state.split_at_checked(3 * self.lanes()) else {
            return Err(EnvError::Saved { problem: "it is of fewer lanes" });
        };
        for (lane, words) in lanes.chunks_exact(3).enumerate() {
            self.restore_lane(lane, words)?;
        }
        Ok(rest)
    }

    /// The same for one lane.
    pub(crate) fn restore_lane<'a>(&mut self, lane: usize, state: &'a [u64]) -> Result<&'a [u64], EnvError> {
        let Some((&[upper, lower, elapsed], rest)) = state.split_first_chunk() else {
            return Err(EnvError::Saved { problem: "it is of no lane" });
        };
        self.seeds[lane] = upper.checked_sub(1).map(|upper| u128::from(upper) << 64 | u128::from(lower));
        self.elapsed[lane] = saved_length(elapsed)?;
        Ok(rest)
    }
}

/// Keeps the observation that an episode ended on, and starts the next one in its place. The caller is [`caught`].
pub(crate) fn restart(
    space: &Space,
    elapsed: &mut u32,
    observation: &mut [f32],
    final_observation: &mut [f32],
    start: impl FnOnce(&mut [f32]) -> Result<(), EnvError>,
) -> Result<(), EnvError> {
    final_observation.copy_from_slice(observation);
    *elapsed = 0;
    start(observation)?;
    check_observation(space, observation)
}

/// Steps of an episode, from a saved word.
pub(crate) fn saved_length(word: u64) -> Result<u32, EnvError> {
    let length = u32::try_from(word).ok().filter(|&length| length < u32::MAX / 2);
    length.ok_or(EnvError::Saved { problem: "no episode is of that length" })
}

/// What `f` returns, a panic in it as an error.
///
/// Whatever it was changing may be half changed: the vector needs a reset then, as after any error.
pub(crate) fn caught<T>(f: impl FnOnce() -> Result<T, EnvError>) -> Result<T, EnvError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
        Err(EnvError::Panicked { message: said.unwrap_or("without a message").into() })
    })
}

/// Whether all numbers are finite.
#[inline]
pub(crate) fn all_finite(numbers: &[f32]) -> bool {
    // An exponent of ones is that of a number not finite, and carries into the sign. Without an early exit the compiler
    // looks at many at a time.
    let carry = |x: &f32| (x.to_bits() & 0x7f80_0000) + 0x0080_0000;
    numbers.iter().fold(0, |any, x| any | carry(x)) >> 31 == 0
}

/// Whether all numbers are such as observations of this space are made of: finite, and of an image what it may hold.
#[inline]
pub(crate) fn all_possible(space: &Space, numbers: &[f32]) -> bool {
    match space {
        Space::Image { max, .. } => all_pixels(*max, numbers),
        _ => all_finite(numbers),
    }
}

/// Whether all numbers are whole and within `0..=max`.
#[inline]
fn all_pixels(max: u8, numbers: &[f32]) -> bool {
    // Numbers from here up to twice as much are the whole ones: the sum is rounded to one. There is an instruction for many of
    // these at a time, other than for the nearest byte.
    const WHOLE: f32 = 8_388_608.0;
    let max = f32::from(max);
    let is_one = |&x: &f32| ((x + WHOLE) - WHOLE == x) & (x >= 0.0) & (x <= max);
    numbers.iter().fold(true, |all, x| all & is_one(x))
}

/// Refuses an observation that is impossible in its space, and names the first such number by its place.
#[inline]
fn check_observation(space: &Space, observation: &[f32]) -> Result<(), EnvError> {
    if all_possible(space, observation) {
        return Ok(());
    }
    let found = observation.iter().enumerate().find(|(_, x)| !all_possible(space, std::slice::from_ref(x)));
    found.map_or(Ok(()), |(i, &value)| Err(impossible(space, i, value)))
}

/// What is said of number `i` of an observation.
#[cold]
fn impossible(space: &Space, i: usize, value: f32) -> EnvError {
    match space {
        &Space::Image { width, channels, max, .. } => {
            let (pixel, channel) = (i / channels, i % channels);
            EnvError::NotAPixel { row: pixel / width, column: pixel % width, channel, value, max }
        }
        _ => EnvError::NotFinite { what: format!("observation[{i}]"), value },
    }
}

/// Refuses what an environment must not return.
#[inline]
pub(crate) fn check_returned(space: &Space, observation: &[f32], reward: f32) -> Result<(), EnvError> {
    check_observation(space, observation)?;
    if reward.is_finite() { Ok(()) } else { Err(EnvError::NotFinite { what: "reward".into(), value: reward }) }
}

#[cfg(test)]
mod tests {
    use super::{all_finite, all_pixels};

    #[test]
    fn one_number_that_is_not_finite_is_found_wherever_it_stands() {
        for n in 0..40 {
            for largest in [f32::MAX, f32::MIN, -f32::MIN_POSITIVE, f32::from_bits(1), -0.0] {
                assert!(all_finite(&vec![largest; n]), "{n} times {largest}");
            }
            for (place, bad) in
                (0..n).flat_map(|i| [f32::NAN, -f32::NAN, f32::INFINITY, -f32::INFINITY].map(|x| (i, x)))
            {
                let mut numbers = vec![1.0; n];
                numbers[place] = bad;
                assert!(!all_finite(&numbers), "{bad} at {place} of {n}");
            }
        }
    }

    #[test]
    fn one_number_that_is_no_pixel_is_found_wherever_it_stands() {
        for n in 1..40 {
            let pixels: Vec<f32> = (0..n).map(|i| (i * 7 % 10) as f32).collect();
            assert!(all_pixels(9, &pixels), "{pixels:?}");
            for (place, bad) in (0..n).flat_map(|i| {
                [0.5, -1.0, 10.0, 255.0, 256.0, -0.1, f32::NAN, f32::INFINITY, f32::NEG_INFINITY].map(|x| (i, x))
            }) {
                let mut numbers = pixels.clone();
                numbers[place] = bad;
                assert!(!all_pixels(9, &numbers), "{bad} at {place} of {n}");
            }
        }
        assert!(all_pixels(255, &[0.0, -0.0, 255.0]) && !all_pixels(255, &[256.0]) && all_pixels(1, &[]));
    }
}
