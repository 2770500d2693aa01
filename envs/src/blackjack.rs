//! A card game.

mod model;

use crate::underway::Underway;
use crate::{Action, Colour, Drawing, End, Env, EnvError, NumpyRng, Shape, Space, Spec, Step};

/// What a card may be worth, each as likely: an ace counts as 1 here, and Jack, Queen and King as 10. Cards are drawn as if
/// they were put back.
const DECK: [u32; 13] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10];
/// A hand above this is lost.
const MOST: u32 = 21;
/// The dealer draws below this.
const DEALER_STANDS: u32 = 17;

/// Gymnasium's `Blackjack-v1`: come closer to 21 than the dealer without passing it.
///
/// - Observation, `[3]`: the player's sum, the dealer's open card (1 is an ace), and whether the player has a usable ace, one
///   that counts as 11 without passing 21 (0 or 1).
/// - Actions: 0 sticks, 1 takes another card.
/// - Reward: 1 for a game won, −1 for one lost, 0 for a draw and while it goes on. An ace and a ten at once win against all
///   but the dealer's ace and ten, as the book has it: Gymnasium's `sab=True`, with which it registers the game.
/// - Start: two cards for each side.
/// - Terminates when the player sticks, upon which the dealer draws up to 17, or passes 21. No limit and no threshold.
///
/// Sutton and Barto 2018, example 5.1, <http://incompleteideas.net/book/the-book-2nd.html>;
/// <https://github.com/Farama-Foundation/Gymnasium/blob/v1.3.0/gymnasium/envs/toy_text/blackjack.py>.
#[derive(Debug, Clone)]
pub struct Blackjack {
    spec: Spec,
    underway: Underway<Game>,
}

/// Cards held, as far as they matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hand {
    /// With each ace as 1.
    sum: u32,
    ace: bool,
    cards: u32,
}

impl Hand {
    const EMPTY: Self = Self { sum: 0, ace: false, cards: 0 };

    fn with(self, card: u32) -> Self {
        Self { sum: self.sum + card, ace: self.ace || card == 1, cards: self.cards + 1 }
    }

    /// Whether an ace counts as 11.
    fn usable_ace(self) -> bool {
        self.ace && self.sum + 10 <= MOST
    }

    fn total(self) -> u32 {
        self.sum + if self.usable_ace() { 10 } else { 0 }
    }

    fn is_bust(self) -> bool {
        self.total() > MOST
    }

    /// An ace and a ten.
    fn is_natural(self) -> bool {
        self.ace && self.sum == 11 && self.cards == 2
    }

    /// What this hand wins against a dealer who has drawn.
    fn against(self, dealer: Hand) -> f32 {
        if self.is_natural() && !dealer.is_natural() {
            return 1.0;
        }
        let score = |hand: Hand| if hand.is_bust() { 0 } else { hand.total() };
        match score(self).cmp(&score(dealer)) {
            std::cmp::Ordering::Less => -1.0,
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Greater => 1.0,
        }
    }
}

/// The cards on the table.
#[derive(Debug, Clone, Copy)]
struct Game {
    player: Hand,
    /// The open card and the hidden one.
    dealer: [u32; 2],
    /// The upper half of the generator's last number, if it was not used yet.
    half: Option<u32>,
}

/// numpy's generator where it is asked for 32 bits: it gives the lower half of a number, then the upper one.
struct Halves<'a> {
    rng: &'a mut NumpyRng,
    half: Option<u32>,
}

impl Halves<'_> {
    fn next_u32(&mut self) -> u32 {
        self.half.take().unwrap_or_else(|| {
            let number = self.rng.next_u64();
            self.half = Some((number >> 32) as u32);
            number as u32
        })
    }

    /// `Generator.integers(n)`, which `Generator.choice` draws an index with. Lemire 2019,
    /// <https://doi.org/10.1145/3230636>.
    fn below(&mut self, n: u32) -> u32 {
        let too_low = n.wrapping_neg() % n;
        loop {
            let product = u64::from(self.next_u32()) * u64::from(n);
            if product as u32 >= too_low {
                return (product >> 32) as u32;
            }
        }
    }

    fn card(&mut self) -> u32 {
        DECK[self.below(DECK.len() as u32) as usize]
    }
}

impl Game {
    fn deal(rng: &mut NumpyRng, half: Option<u32>) -> Self {
        let mut rng = Halves { rng, half };
        let dealer = [rng.card(), rng.card()];
        let player = Hand::EMPTY.with(rng.card()).with(rng.card());
        // Gymnasium chooses what its picture shows of the open card: a suit, and which of three faces.
        rng.below(4);
        if dealer[0] == 10 {
            rng.below(3);
        }
        Self { player, dealer, half: rng.half }
    }

    fn step(mut self, action: usize, rng: &mut NumpyRng) -> (Self, Step) {
        let mut rng = Halves { rng, half: self.half };
        let step = if action == 1 {
            self.player = self.player.with(rng.card());
            let bust = self.player.is_bust();
            Step { reward: if bust { -1.0 } else { 0.0 }, end: if bust { End::Terminated } else { End::Not } }
        } else {
            let mut dealer = self.dealer.into_iter().fold(Hand::EMPTY, Hand::with);
            while dealer.total() < DEALER_STANDS {
                dealer = dealer.with(rng.card());
            }
            Step { reward: self.player.against(dealer), end: End::Terminated }
        };
        (Self { half: rng.half, ..self }, step)
    }

    fn observation(&self) -> [f32; 3] {
        [self.player.total() as f32, self.dealer[0] as f32, f32::from(u8::from(self.player.usable_ace()))]
    }
}

impl Default for Blackjack {
    fn default() -> Self {
        Self::new()
    }
}

impl Blackjack {
    /// `gymnasium.make("Blackjack-v1")`.
    #[must_use]
    pub fn new() -> Self {
        let spec = Spec {
            id: "Blackjack-v1".into(),
            observation: Space::Box { low: vec![0.0; 3], high: vec![31.0, 10.0, 1.0] },
            action: Space::Discrete { n: 2 },
            max_episode_steps: None,
            reward_threshold: None,
        };
        Self { spec, underway: Underway::new(Game { player: Hand::EMPTY, dealer: [1, 1], half: None }) }
    }

    fn begin(&mut self, rng: Option<NumpyRng>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", self.spec.observation_len(), observation.len())?;
        let half = if rng.is_some() { None } else { self.underway.state().half };
        let game = self.underway.begin(rng, |rng| Game::deal(rng, half));
        observation.copy_from_slice(&game.observation());
        Ok(())
    }
}

impl Env for Blackjack {
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
        let action = self.spec.action.discrete(action)?;
        let (game, step) = self.underway.step(|game, rng| game.step(action, rng))?;
        observation.copy_from_slice(&game.observation());
        Ok(step)
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        let Game { player: Hand { sum, ace, cards }, dealer: [open, hidden], half } = self.underway.state();
        let half = half.map_or(0, |half| 1 << 32 | u64::from(half));
        self.underway.save([sum.into(), ace.into(), cards.into(), open.into(), hidden.into(), half], state)
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let within = |word: u64, low: u32, high: u32| u32::try_from(word).ok().filter(|x| (low..=high).contains(x));
        self.underway.restore(state, |[sum, ace, cards, open, hidden, half]| {
            let most = MOST + 10;
            let player =
                Hand { sum: within(sum, 0, most)?, ace: within(ace, 0, 1)? == 1, cards: within(cards, 0, most)? };
            let half = match half >> 32 {
                0 if half == 0 => None,
                1 => Some(half as u32),
                _ => return None,
            };
            Some(Game { player, dealer: [within(open, 1, 10)?, within(hidden, 1, 10)?], half })
        })
    }

    /// A bar as long as the dealer's open card above one as long as the player's sum, a line at 21, and a disc for a usable
    /// ace.
    fn draw(&self) -> Option<Drawing> {
        let [player, dealer, ace] = self.underway.state().observation();
        let white = Colour(250, 250, 250);
        let mut shapes = vec![
            Shape::rectangle(0.0, 2.0, dealer, 5.0, Colour(200, 80, 80)),
            Shape::rectangle(0.0, 7.0, player, 10.0, white),
            Shape::rectangle(MOST as f32 - 0.1, 1.0, MOST as f32 + 0.1, 11.0, Colour(0, 0, 0)),
        ];
        if ace == 1.0 {
            shapes.push(Shape::Disc { centre: (player / 2.0, 8.5), radius: 1.0, colour: Colour(30, 90, 200) });
        }
        Some(Drawing { width: 32.0, height: 12.0, background: Colour(7, 99, 36), shapes })
    }
}
