//! The games against steps recorded from gymnax: `tests/reference/record_minatar.py`.

use serde::Deserialize;

use super::board::SIDE;
use super::rules::{Chance, Move, Picture, Rules, Words};
use super::{Asterix, Breakout, Freeway, Seaquest, SpaceInvaders};

/// Chance that has been told what comes.
pub(super) struct Told<'a>(pub(super) &'a [u32]);

impl Chance for Told<'_> {
    fn below(&mut self, n: u32) -> u32 {
        let drawn = self.0.split_off_first().expect("a draw that was not to be");
        assert!(*drawn < n, "{drawn} of {n}");
        *drawn
    }
}

/// The places of the ones of an image.
pub(super) fn shown(game: &impl Rules, channels: usize) -> Vec<usize> {
    let mut pixels = vec![f32::NAN; SIDE * SIDE * channels];
    game.show(&mut Picture::new(&mut pixels, channels));
    assert!(pixels.iter().all(|&x| x == 0.0 || x == 1.0));
    (0..pixels.len()).filter(|&i| pixels[i] == 1.0).collect()
}

#[derive(Deserialize)]
struct Segment {
    states: Vec<Vec<i128>>,
    moves: String,
    chance: Vec<Vec<u32>>,
    rewards: Vec<i32>,
    ended: bool,
    shown: Vec<Vec<usize>>,
}

/// Plays all segments of a file; how many steps, what they pay, and how often the game ended.
fn follow<G: Rules>(file: &str) -> (usize, i32, usize) {
    let path = format!("{}/tests/reference/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    let segments: Vec<Segment> = serde_json::from_str(&text).expect("segments");
    let (mut steps, mut rewards, mut ends) = (0, 0, 0);
    for (i, segment) in segments.iter().enumerate() {
        let recorded = |step: usize| segment.states[step].iter().map(|&word| word as u64).collect::<Vec<_>>();
        let first = recorded(0);
        let mut words = Words::new(&first);
        let mut game = G::restore(&mut words).unwrap_or_else(|| panic!("segment {i}: {first:?} is no state"));
        assert!(words.rest().is_empty(), "segment {i}");
        assert_eq!(shown(&game, G::CHANNELS.len()), segment.shown[0], "segment {i}");
        for (step, action) in segment.moves.bytes().enumerate() {
            let mut chance = Told(&segment.chance[step]);
            let action = Move::ALL[usize::from(action - b'0')];
            assert!(G::MOVES.contains(&action));
            let (reward, ended) = game.advance(action, true, &mut chance);
            let place = || format!("segment {i}, step {step}, {action:?} from {:?}", segment.states[step]);
            assert!(chance.0.is_empty(), "{}: fewer draws", place());
            let mut state = Vec::new();
            game.save(&mut state);
            assert_eq!(state, recorded(step + 1), "{}", place());
            let last = step + 1 == segment.moves.len();
            assert_eq!((reward, ended), (segment.rewards[step], last && segment.ended), "{}", place());
            if (step + 1) % 7 == 0 {
                assert_eq!(shown(&game, G::CHANNELS.len()), segment.shown[(step + 1) / 7], "{}", place());
            }
            (steps, rewards, ends) = (steps + 1, rewards + reward, ends + usize::from(ended));
        }
    }
    (steps, rewards, ends)
}

/// A record in which little happens would show little.
fn shows_much((steps, rewards, ends): (usize, i32, usize), least: (usize, i32, usize)) {
    assert!(steps >= least.0 && rewards >= least.1 && ends >= least.2, "{steps} steps, reward {rewards}, {ends} ends");
}

#[test]
fn asterix_does_what_was_recorded() {
    shows_much(follow::<Asterix>("minatar_asterix.json"), (600, 15, 3));
}

#[test]
fn breakout_does_what_was_recorded() {
    shows_much(follow::<Breakout>("minatar_breakout.json"), (600, 30, 3));
}

#[test]
fn freeway_does_what_was_recorded() {
    shows_much(follow::<Freeway>("minatar_freeway.json"), (800, 1, 1));
}

#[test]
fn seaquest_does_what_was_recorded() {
    shows_much(follow::<Seaquest>("minatar_seaquest.json"), (250, 10, 5));
}

#[test]
fn space_invaders_does_what_was_recorded() {
    shows_much(follow::<SpaceInvaders>("minatar_space_invaders.json"), (600, 50, 3));
}
