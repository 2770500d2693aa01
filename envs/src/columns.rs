//! `N` lanes of one environment whose state is kept in columns.

use std::ops::Range;

use crate::episodes::{Episodes, all_finite, all_possible, caught, check_returned};
use crate::time_limit::cut;
use crate::{Actions, Env, EnvError, NumpyRng, Space, Spec, Step, Transitions, VecEnv};

/// An environment of discrete actions whose whole state is `S` numbers: what [`Columns`] needs to step many at once.
///
/// The methods are those of [`Env`] with the state and the generator outside, so that an environment's own
/// [`step`](Env::step) can call [`advance`](Self::advance) and its equations are written once.
pub trait Dynamics<const S: usize>: Env {
    /// The state that an episode starts in. All chance comes from `rng`.
    fn start(&self, rng: &mut NumpyRng) -> [f64; S];

    /// The state that `action`, which lies within the space, leads to, with what the step pays and whether the state is
    /// terminal. It never truncates.
    fn advance(&self, state: [f64; S], action: u32) -> ([f64; S], Step);

    /// Writes the observation of a state, `[D]`.
    fn observe(&self, state: [f64; S], observation: &mut [f32]);
}

/// Any environment with [`Dynamics`], `N` times within its time limit: `S` columns of `N` numbers.
///
/// It does what [`Lanes`](crate::Lanes) of as many environments in [`TimeLimit`](crate::TimeLimit)s do, to the bit, in
/// less time.
///
/// ```
/// use uphill_envs::{Actions, CartPole, Columns, End, Transitions, VecEnv};
///
/// let mut env = Columns::new(CartPole::new(), 2)?;
/// let (mut observation, mut final_observation) = ([0.0; 8], [0.0; 8]);
/// let (mut reward, mut end) = ([0.0; 2], [End::Not; 2]);
/// env.reset(Some(0), &mut observation)?;
/// let out = Transitions {
///     observation: &mut observation,
///     final_observation: &mut final_observation,
///     reward: &mut reward,
///     end: &mut end,
/// };
/// env.step(Actions::Discrete(&[0, 1]), &[true, true], out)?;
/// // Pushed apart, the carts move apart.
/// assert!(observation[1] < 0.0 && observation[5] > 0.0);
/// # Ok::<(), uphill_envs::EnvError>(())
/// ```
#[derive(Debug)]
pub struct Columns<E, const S: usize> {
    env: E,
    /// `[S][N]`.
    state: [Vec<f64>; S],
    rngs: Vec<NumpyRng>,
    episodes: Episodes,
    needs_reset: bool,
}

impl<E: Dynamics<S>, const S: usize> Columns<E, S> {
    /// `lanes` environments as `env` is, each with the generator of seed 0 until it is seeded.
    ///
    /// # Errors
    /// [`EnvError::Option`] for no lanes, or for an environment whose actions are not discrete or whose observations hold
    /// no number.
    pub fn new(env: E, lanes: usize) -> Result<Self, EnvError> {
        let action = &env.spec().action;
        if !matches!(action, Space::Discrete { .. }) {
            let (value, expected) = (action.kind().into(), "columns take discrete actions");
            return Err(EnvError::Option { name: "action space", value, expected });
        }
        let episodes = Episodes::new(Some(env.spec()), lanes)?;
        let state = std::array::from_fn(|_| vec![0.0; lanes]);
        Ok(Self { env, state, rngs: vec![NumpyRng::default(); lanes], episodes, needs_reset: true })
    }

    fn start(&mut self, seed: Option<u128>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.episodes.reset(seed, observation, |lane, seed, row| {
            if let Some(seed) = seed {
                self.rngs[lane] = NumpyRng::wide(seed);
            }
            start(&self.env, &mut self.state, lane, &mut self.rngs[lane], row);
            Ok(())
        })?;
        self.needs_reset = false;
        Ok(())
    }

    /// Steps the lanes of `run`, all of them active. `lane` is the one it is at.
    #[inline]
    fn step_run(
        &mut self,
        run: Range<usize>,
        actions: &[u32],
        out: &mut Transitions<'_>,
        lane: &mut usize,
    ) -> Result<(), EnvError> {
        let d = self.spec().observation_len();
        let rows = &mut out.observation[run.start * d..run.end * d];
        let (rewards, ends) = (&mut out.reward[run.clone()], &mut out.end[run.clone()]);
        let elapsed = &mut self.episodes.elapsed[run.clone()];
        let mut state = self.state.each_mut().map(|column| &mut column[run.clone()]);
        let lanes = rows.chunks_exact_mut(d).zip(rewards.iter_mut()).zip(ends.iter_mut().zip(elapsed.iter_mut()));
        let mut ended = false;
        for (i, (&action, ((row, reward), (end, elapsed)))) in actions[run.clone()].iter().zip(lanes).enumerate() {
            *lane = run.start + i;
            let (next, step) = self.env.advance(state.each_ref().map(|column| column[i]), action);
            for (column, x) in state.iter_mut().zip(next) {
                column[i] = x;
            }
            self.env.observe(next, row);
            *reward = step.reward;
            *elapsed += 1;
            *end = step.end.or(cut(self.env.spec(), *elapsed));
            ended |= end.ended();
        }
        if !(all_possible(&self.episodes.spec().observation, rows) && all_finite(rewards)) {
            for (lane, (row, &reward)) in run.zip(rows.chunks_exact(d).zip(rewards.iter())) {
                self.episodes.elapsed[lane] -= 1;
                let checked = check_returned(&self.episodes.spec().observation, row, reward);
                checked.map_err(|e| self.episodes.in_lane(lane, e))?;
            }
        } else if ended {
            for i in run {
                *lane = i;
                if out.end[i].ended() {
                    self.episodes.restart(i, out, |row| {
                        start(&self.env, &mut self.state, i, &mut self.rngs[i], row);
                        Ok(())
                    })?;
                }
            }
        }
        Ok(())
    }
}

/// Puts a first state into the columns of `lane` and writes its observation.
fn start<E: Dynamics<S>, const S: usize>(
    env: &E,
    state: &mut [Vec<f64>; S],
    lane: usize,
    rng: &mut NumpyRng,
    observation: &mut [f32],
) {
    let first = env.start(rng);
    for (column, x) in state.iter_mut().zip(first) {
        column[lane] = x;
    }
    env.observe(first, observation);
}

impl<E: Dynamics<S>, const S: usize> VecEnv for Columns<E, S> {
    fn spec(&self) -> &Spec {
        self.episodes.spec()
    }

    fn lanes(&self) -> usize {
        self.episodes.lanes()
    }

    fn is_guarded(&self) -> bool {
        true
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.start(seed.map(u128::from), observation)
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.start(Some(seed), observation)
    }

    fn step(&mut self, actions: Actions<'_>, active: &[bool], mut out: Transitions<'_>) -> Result<(), EnvError> {
        self.episodes.check(actions, active, &out)?;
        // Actions of the other kind have passed only if there is no active lane.
        let Actions::Discrete(actions) = actions else { return Ok(()) };
        let mut first = 0;
        for run in active.chunk_by(|a, b| a == b) {
            let lanes = first..first + run.len();
            first = lanes.end;
            if !run[0] {
                continue;
            }
            if self.needs_reset {
                return Err(self.episodes.in_lane(lanes.start, EnvError::NeedsReset));
            }
            let mut lane = lanes.start;
            caught(|| self.step_run(lanes, actions, &mut out, &mut lane)).map_err(|e| {
                self.needs_reset = true;
                self.episodes.in_lane(lane, e)
            })?;
        }
        Ok(())
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        self.episodes.save(state);
        state.push(self.needs_reset.into());
        state.extend(self.rngs.iter().flat_map(NumpyRng::place));
        state.extend(self.state.iter().flatten().map(|x| x.to_bits()));
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let (lanes, rest) = (self.lanes(), self.episodes.restore(state)?);
        let (Some((&needs_reset @ (0 | 1), rest)), true) = (rest.split_first(), rest.len() == 1 + (3 + S) * lanes)
        else {
            return Err(EnvError::Saved { problem: "it is of another number of lanes, or of another environment" });
        };
        let (places, state) = rest.split_at(3 * lanes);
        self.needs_reset = needs_reset == 1;
        self.rngs.iter_mut().zip(places.as_chunks().0).for_each(|(rng, &place)| *rng = NumpyRng::at(place));
        let columns = self.state.iter_mut().flatten();
        columns.zip(state).for_each(|(x, &bits)| *x = f64::from_bits(bits));
        Ok(())
    }

    fn save_lane(&self, lane: usize, state: &mut Vec<u64>) -> bool {
        self.episodes.save_lane(lane, state);
        state.extend(self.rngs[lane].place());
        state.extend(self.state.iter().map(|column| column[lane].to_bits()));
        true
    }

    fn restore_lane(&mut self, lane: usize, state: &[u64]) -> Result<(), EnvError> {
        let rest = self.episodes.restore_lane(lane, state)?;
        let Some((&place, state)) = rest.split_first_chunk().filter(|(_, state)| state.len() == S) else {
            return Err(EnvError::Saved { problem: "it is of another environment" });
        };
        self.rngs[lane] = NumpyRng::at(place);
        self.state.iter_mut().zip(state).for_each(|(column, &bits)| column[lane] = f64::from_bits(bits));
        Ok(())
    }
}
