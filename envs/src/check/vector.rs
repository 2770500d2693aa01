//! What a vector of environments does wrong.

use super::choice;
use super::walk::{ACTIONS, said};
use super::{Finding, spaces};
use crate::episodes::caught;
use crate::owned_action::OwnedAction;
use crate::{Actions, End, EnvError, NumpyRng, Space, Task, Transitions, VecEnv};

/// Lanes that are looked at, and the seed of the first.
const LANES: usize = 5;
const SEED: u64 = 20;
const STEPS: usize = 600;

/// Looks at vectors of environments that `make` makes, of so many lanes, and says what they do wrong; nothing is as it should
/// be. Those that are made of single environments by [`Lanes`](crate::Lanes) or [`Columns`](crate::Columns) keep all of it by
/// themselves: [`check_env`](crate::check_env) looks at these.
///
/// ```
/// assert_eq!(uphill_envs::check_vec_env(|lanes| uphill_envs::make_vec("CartPole-v1", lanes)), []);
/// ```
#[must_use]
pub fn check_vec_env(make: impl Fn(usize) -> Result<Box<dyn VecEnv>, EnvError>) -> Vec<Finding> {
    check(&make).err().into_iter().collect()
}

type Make<'a> = &'a dyn Fn(usize) -> Result<Box<dyn VecEnv>, EnvError>;

fn check(make: Make<'_>) -> Result<(), Finding> {
    let vector = made(make, LANES)?;
    if vector.lanes() != LANES {
        let what = format!("{} lanes were made where {LANES} were asked for", vector.lanes());
        return Err(Finding::breach(what, "a vector has as many lanes as it is asked for"));
    }
    spaces::look(vector.spec())?;
    let every: [bool; LANES] = [true; LANES];
    let together = Story::of(made(make, LANES)?, SEED, &|_, _| every.to_vec(), false)?;
    for lane in 0..LANES {
        let alone = Story::of(made(make, 1)?, SEED + lane as u64, &|_, _| vec![true], false)?;
        together.same_as(lane, &alone, 0, |place| {
            let remedy = "lane i is seeded `seed + i`, and sees nothing of the others";
            Finding::breach(format!("lane {lane} of {LANES} is not what it is alone: {place}"), remedy)
        })?;
    }
    // Lanes that rest every other time, each by a pattern of its own.
    let now_and_then = |lane: usize, t: usize| !(t + lane).is_multiple_of(3);
    let pattern = |t: usize, lanes: usize| (0..lanes).map(|lane| now_and_then(lane, t)).collect();
    let resting = Story::of(made(make, LANES)?, SEED, &pattern, false)?;
    for lane in 0..LANES {
        resting.same_as(lane, &together, lane, |place| {
            let remedy = "a lane that is not active stays as it is";
            Finding::breach(format!("lane {lane} changes while it is not active: {place}"), remedy)
        })?;
    }
    let spread = Story::of(made(make, LANES)?, SEED, &|_, _| every.to_vec(), true)?;
    for lane in 0..LANES {
        spread.same_as(lane, &together, lane, |place| {
            let remedy = "it comes to what step comes to";
            Finding::breach(format!("step_spread is not what step is, in lane {lane}: {place}"), remedy)
        })?;
    }
    refuses(make)
}

fn made(make: Make<'_>, lanes: usize) -> Result<Box<dyn VecEnv>, Finding> {
    let made = caught(|| make(lanes));
    made.map_err(|e| Finding::breach(format!("{lanes} lanes cannot be made: {}", said(&e)), "any number of lanes can"))
}

/// What each lane saw in its own steps.
struct Story(Vec<Vec<Moment>>);

/// Observation, the last one of an ended episode, reward and end, as bits.
type Moment = (Vec<u32>, Vec<u32>, u32, End);

impl Story {
    /// Leads a vector through its episodes, those lanes active that `active` says of a step; each lane has actions of its own.
    fn of(
        mut vector: Box<dyn VecEnv>,
        seed: u64,
        active: &dyn Fn(usize, usize) -> Vec<bool>,
        spread: bool,
    ) -> Result<Self, Finding> {
        let (space, d, n) = (vector.spec().action.clone(), vector.spec().observation_len(), vector.lanes());
        let failed = |t: usize, e: &EnvError| {
            let remedy = "legal actions can be taken for ever: an episode that ends is followed by the next";
            Finding::breach(format!("step {t} after reset(Some({seed})): {}", said(e)), remedy)
        };
        let mut rngs: Vec<_> = (0..n as u64).map(|lane| NumpyRng::new(ACTIONS + seed + lane)).collect();
        let (mut observation, mut last) = (vec![f32::NAN; n * d], vec![f32::NAN; n * d]);
        caught(|| vector.reset(Some(seed), &mut observation)).map_err(|e| failed(0, &e))?;
        let mut story: Vec<Vec<_>> =
            observation.chunks_exact(d).map(|row| vec![(bits(row), Vec::new(), 0, End::Not)]).collect();
        let (mut reward, mut end) = (vec![f32::NAN; n], vec![End::Not; n]);
        for t in 0..STEPS {
            let active = active(t, n);
            let mut masks = vec![true; n * space.choices()];
            let told = caught(|| vector.action_masks(&mut masks)).map_err(|e| failed(t, &e))?;
            let (mut indices, mut numbers) = (Vec::new(), Vec::new());
            for lane in 0..n {
                let mask = told.then(|| &masks[lane * space.choices()..][..space.choices()]);
                // A lane that rests draws nothing.
                let choice = match active[lane] {
                    true => choice::random(&space, mask, &mut rngs[lane]),
                    false => choice::random(&space, mask, &mut NumpyRng::new(0)),
                };
                match choice {
                    OwnedAction::Index(index) => indices.push(index),
                    OwnedAction::Indices(of_one) => indices.extend(of_one),
                    OwnedAction::Numbers(of_one) => numbers.extend(of_one),
                }
            }
            let actions = match space {
                Space::Box { .. } => Actions::Continuous(&numbers),
                _ => Actions::Discrete(&indices),
            };
            let before = observation.clone();
            let out = Transitions {
                observation: &mut observation,
                final_observation: &mut last,
                reward: &mut reward,
                end: &mut end,
            };
            caught(|| match spread {
                true => vector
                    .step_spread(actions, &active, out, &|tasks| tasks.into_iter().for_each(|task: Task<'_>| task())),
                false => vector.step(actions, &active, out),
            })
            .map_err(|e| failed(t + 1, &e))?;
            for lane in 0..n {
                let row = lane * d..(lane + 1) * d;
                if active[lane] {
                    let over = if end[lane].ended() { bits(&last[row.clone()]) } else { Vec::new() };
                    story[lane].push((bits(&observation[row]), over, reward[lane].to_bits(), end[lane]));
                } else if bits(&observation[row.clone()]) != bits(&before[row]) {
                    let what = format!("the observation of lane {lane}, not active, is written in step {}", t + 1);
                    return Err(Finding::breach(what, "nothing of a lane that is not active is written"));
                }
            }
        }
        Ok(Self(story))
    }

    /// Whether a lane saw what a lane of another story saw, as far as both go.
    fn same_as(
        &self,
        lane: usize,
        other: &Self,
        other_lane: usize,
        breach: impl Fn(String) -> Finding,
    ) -> Result<(), Finding> {
        let both = self.0[lane].iter().zip(&other.0[other_lane]);
        match both.enumerate().find(|(_, (one, other))| one != other) {
            None => Ok(()),
            Some((t, (one, other))) => {
                let what = match () {
                    () if one.3 != other.3 => format!("end {:?} and {:?}", one.3, other.3),
                    () if one.2 != other.2 => {
                        format!("reward {} and {}", f32::from_bits(one.2), f32::from_bits(other.2))
                    }
                    () if one.0 != other.0 => "the observations differ".into(),
                    () => "the last observations of an episode differ".into(),
                };
                Err(breach(format!("its step {t}: {what}")))
            }
        }
    }
}

fn bits(row: &[f32]) -> Vec<u32> {
    row.iter().map(|x| x.to_bits()).collect()
}

/// Slices of a wrong length are errors.
fn refuses(make: Make<'_>) -> Result<(), Finding> {
    let mut vector = made(make, LANES)?;
    let room = LANES * vector.spec().observation_len();
    for length in [room - 1, room + 1] {
        match caught(|| vector.reset(Some(SEED), &mut vec![0.0; length])) {
            Err(EnvError::Length { .. }) => {}
            answer => {
                let what = match answer {
                    Err(e) => format!("reset with room for {length} numbers, of {room}: {}", said(&e)),
                    Ok(()) => format!("reset takes room for {length} numbers, {LANES} observations have {room}"),
                };
                return Err(Finding::breach(what, "return EnvError::Length for a slice of another length"));
            }
        }
    }
    Ok(())
}
