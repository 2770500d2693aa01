//! Cards to be remembered in order.

use crate::{Action, End, Env, EnvError, NumpyRng, Space, Spec, Step};

/// Suits of a deck.
const SUITS: usize = 4;
/// Cards of a suit.
const RANKS: usize = 13;

/// Cards of shuffled decks are shown one after the other; from the `k`-th step after the first on the answer is right that names the
/// suit that was shown `k` cards ago.
///
/// - Observation, `[4]`: 1 at the place of the suit that is shown, 0 elsewhere.
/// - Action: a suit, 0 to 3. The answer to the `t`-th card, counted from 0, is about card `t − k`, and does not count while there is
///   none.
/// - Reward: `1 / (n − k)` for the right suit and as much less than 0 for another, `n` the number of all cards.
/// - The answer to the last card ends the episode, which takes `n` steps; they are the limit, too.
///
/// The best return is 1; whoever names suits by chance expects −0.5.
///
/// As `RepeatPrevious` of POPGym: Morad et al. 2023, <https://arxiv.org/abs/2303.01859>.
#[derive(Debug, Clone)]
pub struct RepeatPrevious {
    spec: Spec,
    k: usize,
    rng: NumpyRng,
    /// Suits, in the order in which they are shown.
    cards: Vec<u8>,
    time: usize,
    needs_reset: bool,
}

impl RepeatPrevious {
    /// So many cards back, in so many decks of 52.
    ///
    /// # Errors
    /// [`EnvError::Option`] for no deck or more than 100, and for `k` of 0 or of all cards and more.
    pub fn new(k: usize, decks: usize) -> Result<Self, EnvError> {
        if !(1..=100).contains(&decks) {
            let expected = "there are 1 to 100 decks";
            return Err(EnvError::Option { name: "decks", value: decks.to_string(), expected });
        }
        let n = decks * SUITS * RANKS;
        if !(1..n).contains(&k) {
            let expected = "it is 1 at least, and less than there are cards, 52 a deck";
            return Err(EnvError::Option { name: "k", value: k.to_string(), expected });
        }
        let spec = Spec {
            id: "RepeatPrevious-v0".into(),
            observation: Space::uniform_box(SUITS, 0.0, 1.0),
            action: Space::Discrete { n: SUITS },
            max_episode_steps: Some(n as u32),
            reward_threshold: None,
        };
        let cards = (0..n).map(|card| (card % SUITS) as u8).collect();
        Ok(Self { spec, k, rng: NumpyRng::default(), cards, time: 0, needs_reset: true })
    }

    fn observe(&self, observation: &mut [f32]) {
        observation.fill(0.0);
        observation[usize::from(self.cards[self.time.min(self.cards.len() - 1)])] = 1.0;
    }
}

impl Env for RepeatPrevious {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        EnvError::check_len("observation", SUITS, observation.len())?;
        self.rng.restart(seed);
        let n = self.cards.len();
        // From the same order, so that a seed says all.
        self.cards.iter_mut().enumerate().for_each(|(card, suit)| *suit = (card % SUITS) as u8);
        for i in (1..n).rev() {
            let other = ((self.rng.random() * (i + 1) as f64) as usize).min(i);
            self.cards.swap(i, other);
        }
        (self.time, self.needs_reset) = (0, false);
        self.observe(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        EnvError::check_len("observation", SUITS, observation.len())?;
        let answer = self.spec.action.discrete(action)?;
        if self.needs_reset {
            return Err(EnvError::NeedsReset);
        }
        let n = self.cards.len();
        let each = (1.0 / (n - self.k) as f64) as f32;
        let reward = match self.time.checked_sub(self.k).map(|asked| usize::from(self.cards[asked])) {
            None => 0.0,
            Some(suit) if suit == answer => each,
            Some(_) => -each,
        };
        self.time += 1;
        self.needs_reset = self.time == n;
        self.observe(observation);
        Ok(Step { reward, end: if self.needs_reset { End::Terminated } else { End::Not } })
    }

    fn save(&self, state: &mut Vec<u64>) -> bool {
        state.extend([self.time as u64, self.needs_reset.into()]);
        state.extend(self.rng.place());
        state.extend(self.cards.iter().map(|&suit| u64::from(suit)));
        true
    }

    fn restore(&mut self, state: &[u64]) -> Result<(), EnvError> {
        let n = self.cards.len();
        match *state {
            [time, needs_reset @ 0..=1, low, high, drawn, ref cards @ ..]
                if time <= n as u64 && cards.len() == n && cards.iter().all(|&suit| suit < SUITS as u64) =>
            {
                (self.time, self.needs_reset) = (time as usize, needs_reset == 1);
                self.rng = NumpyRng::at([low, high, drawn]);
                self.cards.iter_mut().zip(cards).for_each(|(to, &suit)| *to = suit as u8);
                Ok(())
            }
            _ => {
                let problem = "expected a time within the cards, 0 or 1, a generator's three words, and a suit a card";
                Err(EnvError::Saved { problem })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RepeatPrevious;
    use crate::{Action, End, Env};

    fn suit(seen: &[f32]) -> u32 {
        seen.iter().position(|&x| x == 1.0).expect("a suit") as u32
    }

    #[test]
    fn whoever_remembers_is_paid_and_whoever_does_not_is_not() {
        for (k, decks) in [(1, 1), (4, 1), (32, 2)] {
            let (mut env, mut seen) = (RepeatPrevious::new(k, decks).expect("cards"), [0.0; 4]);
            for seed in 0..3 {
                env.reset(Some(seed), &mut seen).expect("a reset");
                let (mut shown, mut total, mut counts) = (vec![suit(&seen)], 0.0, [0; 4]);
                counts[suit(&seen) as usize] += 1;
                for t in 0..52 * decks {
                    // The right answer, but for one card.
                    let answer = t.checked_sub(k).map_or(0, |asked| shown[asked]);
                    let answer = if t == k { (answer + 1) % 4 } else { answer };
                    let step = env.step(Action::Discrete(answer), &mut seen).expect("a step");
                    total += f64::from(step.reward);
                    let last = t + 1 == 52 * decks;
                    assert_eq!(step.end, if last { End::Terminated } else { End::Not });
                    if !last {
                        shown.push(suit(&seen));
                        counts[suit(&seen) as usize] += 1;
                    }
                }
                assert!((total - (1.0 - 2.0 / (52 * decks - k) as f64)).abs() < 1e-5, "{total}");
                assert_eq!(counts, [13 * decks; 4]);
                assert!(env.step(Action::Discrete(0), &mut seen).is_err());
            }
        }
        assert!(RepeatPrevious::new(52, 1).is_err() && RepeatPrevious::new(0, 1).is_err());
    }

    #[test]
    fn it_goes_on_from_where_it_was_saved() {
        let (mut env, mut seen) = (RepeatPrevious::new(4, 1).expect("cards"), [0.0; 4]);
        env.reset(Some(5), &mut seen).expect("a reset");
        (0..20).for_each(|_| drop(env.step(Action::Discrete(1), &mut seen)));
        let mut words = Vec::new();
        assert!(env.save(&mut words));
        let mut other = RepeatPrevious::new(4, 1).expect("cards");
        other.restore(&words).expect("the same words");
        let mut seen_there = [0.0; 4];
        for _ in 0..100 {
            let steps = [env.step(Action::Discrete(2), &mut seen), other.step(Action::Discrete(2), &mut seen_there)];
            assert_eq!((&steps[0], seen), (&steps[1], seen_there));
            if steps[0].is_err() || steps[0].as_ref().is_ok_and(|step| step.end.ended()) {
                env.reset(None, &mut seen).expect("a reset");
                other.reset(None, &mut seen_there).expect("a reset");
            }
        }
        assert!(other.restore(&words[1..]).is_err());
    }
}
