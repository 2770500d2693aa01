//! MinAtar: five Atari games on 10 x 10 cells.

mod asterix;
mod board;
mod breakout;
mod freeway;
#[cfg(test)]
mod recorded;
mod rules;
mod seaquest;
mod space_invaders;
mod swarm;

pub use asterix::Asterix;
pub use breakout::Breakout;
pub use freeway::Freeway;
pub use seaquest::Seaquest;
pub use space_invaders::SpaceInvaders;

use crate::{Action, Colour, Drawing, End, Env, EnvError, NumpyRng, Shape, Space, Spec, Step, shown};
use board::SIDE;
use rules::{Move, Picture, Rules, Words};

/// The options of a [`MinAtar`] game.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MinAtarConfig {
    /// The probability, in `[0, 1]`, that a step repeats the action of the step before, whatever was chosen; the first step of
    /// an episode repeats action 0. 0.1, as MinAtar has it.
    pub sticky_action_prob: f64,
    /// Whether the actions are MinAtar's six in every game, as its `v0` has them, instead of those that do something in this one;
    /// the others do nothing.
    pub all_actions: bool,
    /// Whether the game gets harder with time, where it can: [`Asterix`], [`Seaquest`] and [`SpaceInvaders`].
    pub ramping: bool,
    /// Steps after which [`TimeLimit`](crate::TimeLimit) truncates. None, as MinAtar has it.
    pub max_episode_steps: Option<u32>,
}

impl Default for MinAtarConfig {
    fn default() -> Self {
        Self { sticky_action_prob: 0.1, all_actions: false, ramping: true, max_episode_steps: None }
    }
}

/// A game of MinAtar: [`Asterix`], [`Breakout`], [`Freeway`], [`Seaquest`] or [`SpaceInvaders`].
///
/// - Observation: an image, `[10, 10, C]`, of 0 and 1, a channel for each kind of thing; the game tells its channels, and rows
///   and columns count from the top left, from 0.
/// - Actions: those of MinAtar that do something in this game, its minimal set, in MinAtar's order, which is nothing, left, up,
///   right, down, fire; as `v0`, with [`MinAtarConfig::all_actions`], all six, of which the others do nothing.
/// - Time: MinAtar has no limit of steps. One is set by [`MinAtarConfig::max_episode_steps`].
/// - Chance: with probability [`sticky_action_prob`](MinAtarConfig::sticky_action_prob) a step repeats the action before. All
///   chance is the environment's one generator's; a step draws from it only what it needs.
///
/// The rules are those of Young and Tian 2019, <https://arxiv.org/abs/1903.03176>, and its README, written anew; where these leave
/// something open, such as how many frames a timer takes, it is as in gymnax 1.0.1, which the tests follow step by step. A seed does
/// not give the same episode as in either. Names are those of MinAtar's Gymnasium registration, `v0` with all six actions
/// in every game and `v1` with the minimal sets.
///
/// Where gymnax differs:
///
/// - It has no sticky actions, as if `sticky_action_prob = 0`, and cuts episodes after 1000 steps, Freeway's after 2500. Before
///   version 1.0 it called that terminal.
/// - In Asterix a new thing never comes into one of the free rows, another each time, and where it finds none free it may take a
///   thing away.
/// - In Seaquest surfacing with six divers leaves -1 of them, so that one more can be missing; here it leaves none.
/// - In Space Invaders, up to version 1.0.0, the first wave has a seventh column of aliens, and a bullet hits where the cannon was
///   before it moved.
#[derive(Debug, Clone)]
pub struct MinAtar<G> {
    config: MinAtarConfig,
    spec: Spec,
    rng: NumpyRng,
    game: G,
    /// The action of the step before.
    last: usize,
    needs_reset: bool,
}

impl<G: Rules> MinAtar<G> {
    /// The game with these options.
    ///
    /// # Errors
    /// [`EnvError::Option`] for a probability that is none, a limit of zero steps, and `ramping = false` in a game that does not get
    /// harder.
    pub fn new(config: MinAtarConfig) -> Result<Self, EnvError> {
        let impossible = |name, value: String, expected| Err(EnvError::Option { name, value, expected });
        if !(0.0..=1.0).contains(&config.sticky_action_prob) {
            return impossible("sticky_action_prob", shown(config.sticky_action_prob), "a probability, 0 to 1");
        }
        if config.max_episode_steps == Some(0) {
            return impossible("max_episode_steps", "0".into(), "an episode takes at least 1 step");
        }
        if !(config.ramping || G::RAMPS) {
            return impossible("ramping", "false".into(), "this game does not get harder; leave it true");
        }
        let spec = Spec {
            id: format!("MinAtar/{}-v{}", G::NAME, u8::from(!config.all_actions)),
            observation: Space::Image { height: SIDE, width: SIDE, channels: G::CHANNELS.len(), max: 1 },
            action: Space::Discrete { n: moves::<G>(&config).len() },
            max_episode_steps: config.max_episode_steps,
            reward_threshold: None,
        };
        let game = G::start(&mut NumpyRng::default());
        Ok(Self { config, spec, rng: NumpyRng::default(), game, last: 0, needs_reset: true })
    }

    /// What it was made of.
    #[must_use]
    pub fn config(&self) -> &MinAtarConfig {
        &self.config
    }

    /// Starts an episode with another generator, or the one that it has.
    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        if let Some(rng) = rng {
            self.rng = rng;
        }
        self.game = G::start(&mut self.rng);
        (self.last, self.needs_reset) = (0, false);
        self.game.show(&mut Picture::new(observation, G::CHANNELS.len()));
        Ok(())
    }
}

/// What each action is.
fn moves<G: Rules>(config: &MinAtarConfig) -> &'static [Move] {
    if config.all_actions { Move::ALL } else { G::MOVES }
}

impl<G: Rules> Env for MinAtar<G> {
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
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        let chosen = self.spec.action.discrete(action)?;
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        let sticky = self.config.sticky_action_prob;
        if !(sticky > 0.0 && self.rng.random() < sticky) {
            self.last = chosen;
        }
        let (reward, ended) =
            self.game.advance(moves::<G>(&self.config)[self.last], self.config.ramping, &mut self.rng);
        self.needs_reset = ended;
        self.game.show(&mut Picture::new(observation, G::CHANNELS.len()));
        Ok(Step { reward: reward as f32, end: if ended { End::Terminated } else { End::Not } })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        self.game.save(state);
        state.extend([self.last as u64, self.needs_reset.into()]);
        state.extend(self.rng.place());
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let read = |state| {
            let mut words = Words::new(state);
            let game = G::restore(&mut words)?;
            let last = words.number(0..=moves::<G>(&self.config).len() as i64 - 1)?;
            let needs_reset = words.flag()?;
            let &[low, high, drawn] = words.rest() else { return None };
            Some((game, last, needs_reset, NumpyRng::at([low, high, drawn])))
        };
        let problem = "expected the state of this game, an action, 0 or 1, and a generator's three words";
        (self.game, self.last, self.needs_reset, self.rng) = read(state).ok_or(EnvError::Saved { problem })?;
        Ok(())
    }

    /// The cells, one unit each, in the colour of the first of its channels that is on.
    fn draw(&self) -> Option<Drawing> {
        let channels = G::CHANNELS.len();
        let mut pixels = vec![0.0; SIDE * SIDE * channels];
        self.game.show(&mut Picture::new(&mut pixels, channels));
        let cells = pixels.chunks_exact(channels).enumerate();
        let shapes = cells.filter_map(|(cell, channels)| {
            let (x, y) = ((cell % SIDE) as f32, (cell / SIDE) as f32);
            let channel = channels.iter().position(|&on| on > 0.0)?;
            Some(Shape::rectangle(x, y, x + 1.0, y + 1.0, G::CHANNELS[channel]))
        });
        let (side, background) = (SIDE as f32, Colour(20, 20, 30));
        Some(Drawing { width: side, height: side, background, shapes: shapes.collect() })
    }
}
