//! A taxi in a small town.

use crate::underway::Underway;
use crate::{
    Action, Colour, Drawing, End, Env, EnvError, FiniteMdp, MdpError, NumpyRng, Outcome, Shape, Space, Spec, Step,
};

/// Rows and columns of the town.
const SIDE: usize = 5;
/// Where there is no way from a cell to the one on its right, as `(row, column)`.
const WALLS: [(usize, usize); 6] = [(0, 1), (1, 1), (3, 0), (3, 2), (4, 0), (4, 2)];
/// The four places: red, green, yellow and blue.
const PLACES: [(usize, usize); 4] = [(0, 0), (0, 4), (4, 0), (4, 3)];
/// The passenger's number in the taxi; at a place it is that of the place.
const ABOARD: usize = PLACES.len();
const ACTIONS: usize = 6;
const STATES: usize = SIDE * SIDE * (PLACES.len() + 1) * PLACES.len();

/// Gymnasium's `Taxi-v3`: fetch a passenger at one of four places and bring them to another.
///
/// - Observation, `[500]`: one-hot. The index of the 1 is Gymnasium's state,
///   `((row · 5 + column) · 5 + passenger) · 4 + destination`; places are 0 to 3, a passenger aboard is 4.
/// - Actions: 0 down, 1 up, 2 right, 3 left, 4 picks up, 5 drops off. A move into a wall stays where it is.
/// - Reward: 20 for dropping off at the destination, −10 for picking up or dropping off where that cannot be done, −1 for
///   any other step. A passenger may be dropped off at a wrong place, too.
/// - Start: any cell, passenger and destination at two different places, each such state equally likely.
/// - Terminates when the passenger is at the destination. Limit 200 steps, solved at a mean return of 8. The best policy's
///   mean over all starts is 7.93: 100 episodes reach the threshold by luck with their starts.
///
/// - Legal by its [`action_mask`](Env::action_mask), as by Gymnasium's, is what changes the state; the others can be taken.
///
/// Nothing is random but the start; its generator gives one number a step all the same, as Gymnasium's. Its options
/// `is_rainy` and `fickle_passenger` are not there.
///
/// Dietterich 2000, <https://doi.org/10.1613/jair.639>;
/// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/toy_text/taxi.py>.
#[derive(Debug, Clone)]
pub struct Taxi {
    spec: Spec,
    underway: Underway<usize>,
}

/// What a state's number stands for.
#[derive(Debug, Clone, Copy)]
struct Town {
    row: usize,
    column: usize,
    passenger: usize,
    destination: usize,
}

impl Town {
    fn of(state: usize) -> Self {
        let (rest, destination) = (state / PLACES.len(), state % PLACES.len());
        let (cell, passenger) = (rest / (PLACES.len() + 1), rest % (PLACES.len() + 1));
        Self { row: cell / SIDE, column: cell % SIDE, passenger, destination }
    }

    fn state(self) -> usize {
        ((self.row * SIDE + self.column) * (PLACES.len() + 1) + self.passenger) * PLACES.len() + self.destination
    }

    /// The number of the place that the taxi stands at.
    fn place(self) -> Option<usize> {
        PLACES.iter().position(|&place| place == (self.row, self.column))
    }

    /// What an action leads to, what it pays, and whether the passenger has arrived.
    fn after(self, action: usize) -> (Self, f32, bool) {
        let Self { row, column, passenger, destination } = self;
        let moved = match action {
            0 => Self { row: (row + 1).min(SIDE - 1), ..self },
            1 => Self { row: row.saturating_sub(1), ..self },
            2 if column + 1 < SIDE && !WALLS.contains(&(row, column)) => Self { column: column + 1, ..self },
            3 if column > 0 && !WALLS.contains(&(row, column - 1)) => Self { column: column - 1, ..self },
            2 | 3 => self,
            4 if self.place() == Some(passenger) => Self { passenger: ABOARD, ..self },
            5 if passenger == ABOARD
                && let Some(place) = self.place() =>
            {
                let arrived = place == destination;
                return (Self { passenger: place, ..self }, if arrived { 20.0 } else { -1.0 }, arrived);
            }
            _ => return (self, -10.0, false),
        };
        (moved, -1.0, false)
    }
}

/// Which actions change a state.
fn changes(state: usize) -> [bool; ACTIONS] {
    std::array::from_fn(|action| Town::of(state).after(action).0.state() != state)
}

/// How likely an episode starts in each state.
fn starts() -> impl Iterator<Item = f64> {
    let starts =
        |state: usize| Town::of(state).passenger != ABOARD && Town::of(state).passenger != Town::of(state).destination;
    let probability = 1.0 / (SIDE * SIDE * PLACES.len() * (PLACES.len() - 1)) as f64;
    (0..STATES).map(move |state| if starts(state) { probability } else { 0.0 })
}

/// The observation of a state, `[D]`.
fn observe(state: usize, observation: &mut [f32]) {
    observation.fill(0.0);
    observation[state] = 1.0;
}

impl Taxi {
    /// `Taxi-v3`, which Gymnasium has up to version 1.2, without its time limit.
    #[must_use]
    pub fn v3() -> Self {
        Self::named("Taxi-v3")
    }

    /// `Taxi-v4`, which Gymnasium has from version 1.3 on: without rain and with a passenger who stays at their word, the
    /// same.
    #[must_use]
    pub fn v4() -> Self {
        Self::named("Taxi-v4")
    }

    fn named(id: &str) -> Self {
        let spec = Spec {
            id: id.into(),
            observation: Space::uniform_box(STATES, 0.0, 1.0),
            action: Space::Discrete { n: ACTIONS },
            max_episode_steps: Some(200),
            reward_threshold: Some(8.0),
        };
        Self { spec, underway: Underway::new(0) }
    }

    /// The decision process that this environment samples from, without any time limit.
    ///
    /// Its states are Gymnasium's, in the order of their numbers. From the 100 in which the passenger is at the destination
    /// nothing comes: only an end leads to them, or nothing does.
    ///
    /// # Errors
    /// None; [`MdpError`] is that of [`FiniteMdp::new`].
    pub fn model(&self) -> Result<FiniteMdp, MdpError> {
        let outcomes = (0..STATES * ACTIONS).map(|pair| {
            let town = Town::of(pair / ACTIONS);
            if town.passenger == town.destination {
                return Vec::new();
            }
            let (next, reward, terminal) = town.after(pair % ACTIONS);
            vec![Outcome { probability: 1.0, next: next.state(), reward: reward.into(), terminal }]
        });
        let mut observations = vec![0.0; STATES * STATES];
        for (state, row) in observations.chunks_exact_mut(STATES).enumerate() {
            observe(state, row);
        }
        let masks = (0..STATES).flat_map(changes).collect();
        FiniteMdp::new(ACTIONS, outcomes.collect(), starts().collect(), observations)?.with_masks(masks)
    }

    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", STATES, observation.len())?;
        let state = self.underway.begin(rng, |rng| rng.categorical(starts()));
        observe(state, observation);
        Ok(())
    }
}

impl Env for Taxi {
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
        EnvError::check_len("observation", STATES, observation.len())?;
        let action = self.spec.action.discrete(action)?;
        let (state, step) = self.underway.step(|state, rng| {
            rng.next_u64();
            let (next, reward, arrived) = Town::of(state).after(action);
            (next.state(), Step { reward, end: if arrived { End::Terminated } else { End::Not } })
        })?;
        observe(state, observation);
        Ok(step)
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        self.underway.save([self.underway.state() as u64], state)
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        self.underway.restore(state, |[state]| usize::try_from(state).ok().filter(|&state| state < STATES))
    }

    /// Gymnasium's `action_mask`: what would change the state.
    fn action_mask(&self, mask: &mut [bool]) -> bool {
        mask.copy_from_slice(&changes(self.underway.state()));
        true
    }

    /// The town from above, one unit a cell: places in their colours, walls black, the destination framed, the taxi dark
    /// with its passenger, a disc, who else waits at a place.
    fn draw(&self) -> Option<Drawing> {
        const WALL: f32 = 0.04;
        const COLOURS: [Colour; PLACES.len()] =
            [Colour(235, 150, 150), Colour(150, 220, 150), Colour(240, 230, 130), Colour(150, 170, 240)];
        let town = Town::of(self.underway.state());
        let square = |(row, column): (usize, usize), margin: f32, colour| {
            let (x, y) = (column as f32, row as f32);
            Shape::rectangle(x + margin, y + margin, x + 1.0 - margin, y + 1.0 - margin, colour)
        };
        let background = Colour(245, 245, 245);
        let taxi = (town.row, town.column);
        let waits = PLACES.get(town.passenger).copied().unwrap_or(taxi);
        let goal = PLACES[town.destination];
        let places = PLACES.into_iter().zip(COLOURS).map(|(place, colour)| square(place, 0.0, colour));
        let walls = WALLS.map(|(row, column)| {
            let (x, y) = (column as f32 + 1.0, row as f32);
            Shape::rectangle(x - WALL, y, x + WALL, y + 1.0, Colour(0, 0, 0))
        });
        let frame = [square(goal, 0.05, Colour(60, 60, 60)), square(goal, 0.1, COLOURS[town.destination])];
        let centre = (waits.1 as f32 + 0.5, waits.0 as f32 + 0.5);
        let riders =
            [square(taxi, 0.2, Colour(60, 60, 60)), Shape::Disc { centre, radius: 0.15, colour: Colour(30, 90, 200) }];
        Some(Drawing {
            width: SIDE as f32,
            height: SIDE as f32,
            background,
            shapes: places.chain(walls).chain(frame).chain(riders).collect(),
        })
    }
}
