//! Environments of Gymnasium's side by side.

use std::ops::Range;

use uphill::envs::{Actions, EnvError, Spec, Transitions, VecEnv};

use crate::env::{HEAD, read_step};
use crate::seat::{Request, Seat, Trouble};
use crate::spec::{check_length, observation_bytes, read_observation, spec, write_action, write_reset};

/// `N` environments of an installed Gymnasium, one after the other in this process or spread over several.
///
/// Each is stepped and reset by itself: the last observation of an episode is what its last step returned, and the first of the next
/// is asked for after it. Of a vector of Gymnasium's own the same is made of either mode in which it resets lanes by itself: in
/// the step that ends an episode, whose last observation is then in `final_obs`, or in the one after, before which the lanes that
/// have ended are reset by a mask.
///
/// Lanes are divided among processes in their order, and all of a step's requests are sent before the first answer is read. The
/// numbers of processes and of threads change no result.
pub struct GymnasiumLanes {
    spec: Spec,
    seats: Vec<(Seat, Range<usize>)>,
    seeds: Vec<Option<u128>>,
    /// Steps of the present episode, `[N]`.
    elapsed: Vec<u32>,
    request: Vec<u8>,
}

impl GymnasiumLanes {
    /// Makes so many, within this process or in `processes` others, under this name.
    pub(crate) fn open(id: &str, request: &Request, lanes: usize, processes: usize) -> uphill::Result<Self> {
        let groups = processes.clamp(1, lanes.max(1));
        let mut seats = Vec::new();
        let mut first: Option<Spec> = None;
        for group in 0..groups {
            let range = group * lanes / groups..(group + 1) * lanes / groups;
            let (seat, told) = Seat::open(&Request { lanes: range.len(), ..request.clone() }, processes > 0)?;
            first = Some(match first {
                Some(first) => first,
                None => spec(id, &told)?,
            });
            seats.push((seat, range));
        }
        let spec = first.ok_or_else(|| uphill::Error::Config(format!("{id}: at least 1 lane is needed")))?;
        Ok(Self { spec, seats, seeds: vec![None; lanes], elapsed: vec![0; lanes], request: Vec::new() })
    }

    /// An error of one lane, or of nobody knows which.
    fn wrong(&self, lane: Option<usize>, source: EnvError) -> EnvError {
        let id = self.spec.id.clone();
        let Some(lane) = lane.or_else(|| (self.seeds.len() == 1).then_some(0)) else { return source };
        EnvError::Lane { id, lane, seed: self.seeds[lane], step: self.elapsed[lane], source: Box::new(source) }
    }

    /// Asks every process for what `write` writes, which says whether there is anything to ask, and reads all answers.
    fn ask(
        &mut self,
        mut write: impl FnMut(Range<usize>, &mut Vec<u8>) -> bool,
    ) -> Result<Vec<Option<Vec<u8>>>, EnvError> {
        let mut asked = Vec::new();
        let mut trouble: Option<(usize, Trouble)> = None;
        for (seat, range) in &mut self.seats {
            self.request.clear();
            let ask = write(range.clone(), &mut self.request);
            asked.push(ask);
            if ask && let Err(problem) = seat.send(&self.request) {
                trouble.get_or_insert((range.start, problem));
            }
        }
        // All of them, so that what was answered to this is never taken for an answer to the next.
        let mut answers = Vec::new();
        for ((seat, range), ask) in self.seats.iter_mut().zip(asked) {
            let answer = ask.then(|| seat.receive()).transpose();
            answers.push(answer.unwrap_or_else(|problem| {
                trouble.get_or_insert((range.start, problem));
                None
            }));
        }
        match trouble {
            None => Ok(answers),
            Some((first, problem)) => Err(self.wrong(problem.lane.map(|lane| first + lane), problem.in_env())),
        }
    }

    /// Begins an episode in the lanes that `seed` has something for, and writes their first observations.
    fn begin(&mut self, seed: impl Fn(usize) -> Option<Option<u128>>, observation: &mut [f32]) -> Result<(), EnvError> {
        let answers = self.ask(|mut lanes, request| {
            request.push(b'R');
            lanes.clone().for_each(|lane| write_reset(seed(lane), request));
            lanes.any(|lane| seed(lane).is_some())
        })?;
        let (d, size) = (self.spec.observation_len(), observation_bytes(&self.spec.observation));
        for ((_, lanes), bytes) in self.seats.iter().zip(answers) {
            let Some(bytes) = bytes else { continue };
            let begun: Vec<usize> = lanes.clone().filter(|&lane| seed(lane).is_some()).collect();
            check_length(begun.len() * size, bytes.len()).map_err(|e| self.wrong(begun.first().copied(), e))?;
            for (&lane, bytes) in begun.iter().zip(bytes.chunks_exact(size)) {
                read_observation(&self.spec.observation, bytes, &mut observation[lane * d..(lane + 1) * d]);
            }
        }
        Ok(())
    }

    fn start(&mut self, seed: Option<u128>, observation: &mut [f32]) -> Result<(), EnvError> {
        let expected = "each lane is seeded one above the one before, all below 2^128";
        if let Some(first) = seed.filter(|seed| seed.checked_add(self.lanes() as u128).is_none()) {
            return Err(EnvError::Option { name: "seed", value: first.to_string(), expected });
        }
        let of_lane = |lane: usize| seed.map(|seed| seed + lane as u128);
        for (lane, own) in self.seeds.iter_mut().enumerate() {
            *own = of_lane(lane).or(*own);
        }
        self.elapsed.fill(0);
        self.begin(|lane| Some(of_lane(lane)), observation)
    }
}

impl VecEnv for GymnasiumLanes {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn lanes(&self) -> usize {
        self.seeds.len()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.start(seed.map(u128::from), observation)
    }

    fn reset_wide(&mut self, seed: u128, observation: &mut [f32]) -> Result<(), EnvError> {
        self.start(Some(seed), observation)
    }

    fn step(&mut self, actions: Actions<'_>, active: &[bool], out: Transitions<'_>) -> Result<(), EnvError> {
        let space = self.spec.action.clone();
        let answers = self.ask(|lanes, request| {
            request.push(b'S');
            request.extend(active[lanes.clone()].iter().map(|&active| u8::from(active)));
            lanes.clone().for_each(|lane| write_action(actions.lane(lane, &space), request));
            active[lanes].contains(&true)
        })?;
        let (d, size) = (self.spec.observation_len(), HEAD + observation_bytes(&self.spec.observation));
        let mut ended = vec![false; active.len()];
        for ((_, lanes), bytes) in self.seats.iter().zip(answers) {
            let Some(bytes) = bytes else { continue };
            let stepped: Vec<usize> = lanes.clone().filter(|&lane| active[lane]).collect();
            check_length(stepped.len() * size, bytes.len()).map_err(|e| self.wrong(stepped.first().copied(), e))?;
            for (&lane, bytes) in stepped.iter().zip(bytes.chunks_exact(size)) {
                let (step, row) = (read_step(bytes), lane * d..(lane + 1) * d);
                (out.reward[lane], out.end[lane]) = (step.reward, step.end);
                ended[lane] = step.end.ended();
                let led_to = if ended[lane] { &mut *out.final_observation } else { &mut *out.observation };
                read_observation(&self.spec.observation, &bytes[HEAD..], &mut led_to[row]);
                self.elapsed[lane] = if ended[lane] { 0 } else { self.elapsed[lane] + 1 };
            }
        }
        match ended.contains(&true) {
            true => self.begin(|lane| ended[lane].then_some(None), out.observation),
            false => Ok(()),
        }
    }
}
