//! Blackjack as a finite decision process.

use super::{Blackjack, DEALER_STANDS, DECK, Hand, MOST};
use crate::{FiniteMdp, MdpError, Outcome};

/// The dealer's open cards.
const OPEN: [u32; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/// Every hand that the player may have, one of each kind that fares alike: without a usable ace, with one, the natural, and
/// those that are lost.
fn hands() -> Vec<Hand> {
    let hand = |sum, ace, cards| Hand { sum, ace, cards };
    let hard = (4..=MOST).map(|sum| hand(sum, false, 2));
    let soft = (2..=11).map(|sum| hand(sum, true, 3));
    let lost = (MOST + 1..=MOST + 10).map(|sum| hand(sum, false, 3));
    hard.chain(soft).chain([hand(11, true, 2)]).chain(lost).collect()
}

/// The index in [`hands`] of the one that fares as this one.
fn index(hands: &[Hand], hand: Hand) -> Option<usize> {
    let kind = |hand: Hand| (hand.total(), hand.usable_ace(), hand.is_natural());
    hands.iter().position(|&other| kind(other) == kind(hand))
}

/// What the dealer ends with and how likely, from the open card on: card by card, hands that are the same taken together.
fn dealt(open: u32) -> Vec<(Hand, f64)> {
    let mut held = vec![(Hand::EMPTY.with(open), 1.0)];
    let mut ends = Vec::new();
    while !held.is_empty() {
        let mut goes_on = Vec::new();
        for (hand, probability) in held {
            for hand in DECK.map(|card| hand.with(card)) {
                let into = if hand.total() < DEALER_STANDS { &mut goes_on } else { &mut ends };
                let share = probability / DECK.len() as f64;
                match into.iter_mut().find(|(other, _)| *other == hand) {
                    Some((_, sum)) => *sum += share,
                    None => into.push((hand, share)),
                }
            }
        }
        held = goes_on;
    }
    ends
}

impl Blackjack {
    /// The decision process that this environment samples from.
    ///
    /// Its states are the player's hands as far as they differ, 29 that go on and 10 that are lost, each against the ten open
    /// cards of the dealer. An ace and a ten at once is a state apart from another 21 with a usable ace, though both look
    /// alike.
    ///
    /// # Errors
    /// None; [`MdpError`] is that of [`FiniteMdp::new`].
    pub fn model(&self) -> Result<FiniteMdp, MdpError> {
        let hands = hands();
        let share = 1.0 / DECK.len() as f64;
        let state = |hand: Hand, open: u32| {
            let hand = index(&hands, hand)?;
            Some(hand * OPEN.len() + (open - 1) as usize)
        };
        let ends = OPEN.map(dealt);

        let mut outcomes = Vec::new();
        for (&hand, open) in hands.iter().flat_map(|hand| OPEN.map(|open| (hand, open))) {
            let (mut stick, mut hit) = (Vec::new(), Vec::new());
            if let (false, Some(here)) = (hand.is_bust(), state(hand, open)) {
                for wins in [1.0, 0.0, -1.0] {
                    let ways = ends[(open - 1) as usize].iter().filter(|(dealer, _)| hand.against(*dealer) == wins);
                    let probability = ways.map(|(_, probability)| probability).sum();
                    // Whatever comes of it, the player sees what was there before.
                    stick.push(Outcome { probability, next: here, reward: wins.into(), terminal: true });
                }
                stick.retain(|way| way.probability > 0.0);
                hit.extend(DECK.into_iter().filter_map(|card| {
                    let hand = hand.with(card);
                    let terminal = hand.is_bust();
                    let reward = if terminal { -1.0 } else { 0.0 };
                    Some(Outcome { probability: share, next: state(hand, open)?, reward, terminal })
                }));
            }
            outcomes.extend([stick, hit]);
        }

        let mut start = vec![0.0; hands.len() * OPEN.len()];
        for (first, second, open) in
            DECK.iter().flat_map(|a| DECK.iter().flat_map(move |b| DECK.map(|open| (a, b, open))))
        {
            if let Some(state) = state(Hand::EMPTY.with(*first).with(*second), open) {
                start[state] += share * share * share;
            }
        }
        let seen = |hand: &Hand, open: u32| [hand.total() as f32, open as f32, f32::from(u8::from(hand.usable_ace()))];
        let observations = hands.iter().flat_map(|hand| OPEN.into_iter().flat_map(move |open| seen(hand, open)));
        FiniteMdp::new(2, outcomes, start, observations.collect())
    }
}
