//! Space Invaders.

use crate::Colour;

use super::board::Board;
use super::rules::{Chance, Move, Picture, Rules, Words, moved, put, put_board};

const WAVE: Board = Board::block([0, 4], [2, 8]);
const GROUND: u8 = 9;
/// Frames between two shots of the cannon, and of the aliens.
const COOL_DOWN: u8 = 5;
const ALIEN_SHOT: u8 = 10;
/// Frames between two moves of the aliens: of the first wave, and of those from which on it stays.
const SLOWEST: u8 = 12;
const FASTEST: u8 = 6;

/// A cannon under a wave of aliens that come down.
///
/// - The cannon moves along the bottom and fires upwards, at most every fifth frame; bullets fly a cell a frame. One that meets an
///   alien is gone with it: reward 1.
/// - Aliens move together, by a cell every 12 frames, or as many as there are aliens if these are fewer. When one is at the side
///   that they move to, all come down by a row instead, and turn.
/// - Every 10 frames the lowest alien of the column nearest to the cannon fires down.
/// - The game ends when a bullet or an alien meets the cannon, or aliens are at the bottom when they are to come down.
/// - When all aliens are gone another wave is there, of 4 x 6; with ramping it moves a frame sooner than the one before, down to
///   every 6.
/// - The cannon starts in column 5, the aliens in rows 0 to 3 and columns 2 to 7, moving to the left.
///
/// Channels: 0 cannon, 1 aliens, 2 aliens while they move to the left, 3 to the right, 4 the cannon's bullets, 5 the aliens'.
/// Actions: 0 nothing, 1 left, 2 right, 3 fire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpaceInvaders {
    x: u8,
    shot_timer: u8,
    bullets: Board,
    aliens: Board,
    alien_bullets: Board,
    rightwards: bool,
    alien_interval: u8,
    alien_timer: u8,
    alien_shot_timer: u8,
}

impl Rules for SpaceInvaders {
    const ID: &'static str = "MinAtar/SpaceInvaders-v1";
    const MOVES: &'static [Move] = &[Move::Stay, Move::Left, Move::Right, Move::Fire];
    const CHANNELS: &'static [Colour] = &[
        Colour(70, 130, 230),
        Colour(90, 190, 90),
        Colour(90, 190, 90),
        Colour(150, 200, 80),
        Colour(240, 240, 240),
        Colour(200, 60, 60),
    ];
    const RAMPS: bool = true;

    fn start(_chance: &mut impl Chance) -> Self {
        Self {
            x: 5,
            shot_timer: 0,
            bullets: Board::default(),
            aliens: WAVE,
            alien_bullets: Board::default(),
            rightwards: false,
            alien_interval: SLOWEST,
            alien_timer: SLOWEST,
            alien_shot_timer: ALIEN_SHOT,
        }
    }

    fn advance(&mut self, action: Move, ramping: bool, _chance: &mut impl Chance) -> (i32, bool) {
        if action == Move::Fire && self.shot_timer == 0 {
            self.bullets = self.bullets.or(Board::cell(GROUND, self.x));
            self.shot_timer = COOL_DOWN;
        }
        self.x = moved(self.x, action.across(), 0..=9);
        let cannon = Board::cell(GROUND, self.x);
        self.bullets = self.bullets.up();
        self.alien_bullets = self.alien_bullets.down();
        let mut ended = self.alien_bullets.or(self.aliens).meets(cannon);
        if self.alien_timer == 0 {
            ended |= self.march() || self.aliens.meets(cannon);
        }
        if self.alien_shot_timer == 0 {
            self.alien_shot_timer = ALIEN_SHOT;
            self.alien_bullets = self.alien_bullets.or(self.nearest_alien());
        }
        let hit = self.aliens.and(self.bullets);
        (self.aliens, self.bullets) = (self.aliens.without(hit), self.bullets.without(hit));
        self.shot_timer = self.shot_timer.saturating_sub(1);
        self.alien_timer -= 1;
        self.alien_shot_timer -= 1;
        if self.aliens.is_empty() {
            self.alien_interval -= u8::from(ramping && self.alien_interval > FASTEST);
            self.aliens = WAVE;
        }
        (hit.len() as i32, ended)
    }

    fn show(&self, picture: &mut Picture<'_>) {
        picture.set(GROUND, self.x as i8, 0);
        picture.board(self.aliens, 1);
        picture.board(self.aliens, if self.rightwards { 3 } else { 2 });
        picture.board(self.bullets, 4);
        picture.board(self.alien_bullets, 5);
    }

    fn save(&self, state: &mut Vec<u64>) {
        put(state, [self.x, self.shot_timer, self.rightwards.into()].map(i64::from));
        put(state, [self.alien_interval, self.alien_timer, self.alien_shot_timer].map(i64::from));
        [self.bullets, self.aliens, self.alien_bullets].into_iter().for_each(|board| put_board(state, board));
    }

    fn restore(words: &mut Words<'_>) -> Option<Self> {
        let (x, shot_timer) = (words.number(0..=9)?, words.number(0..=COOL_DOWN.into())?);
        let (rightwards, alien_interval) = (words.flag()?, words.number(FASTEST.into()..=SLOWEST.into())?);
        let (alien_timer, alien_shot_timer) = (words.number(0..=SLOWEST.into())?, words.number(0..=ALIEN_SHOT.into())?);
        let (bullets, aliens, alien_bullets) = (words.board()?, words.board()?, words.board()?);
        let game = Self {
            x,
            shot_timer,
            bullets,
            aliens,
            alien_bullets,
            rightwards,
            alien_interval,
            alien_timer,
            alien_shot_timer,
        };
        Some(game).filter(|game| !game.aliens.is_empty())
    }
}

impl SpaceInvaders {
    /// Moves the aliens. Whether they were to come down from the bottom.
    fn march(&mut self) -> bool {
        self.alien_timer = self.alien_interval.min(self.aliens.len() as u8);
        let side = Board::column(if self.rightwards { 9 } else { 0 });
        if !self.aliens.meets(side) {
            self.aliens = if self.rightwards { self.aliens.right() } else { self.aliens.left() };
            return false;
        }
        self.rightwards ^= true;
        let landed = self.aliens.lowest_row() == Some(GROUND);
        self.aliens = self.aliens.rolled_down();
        landed
    }

    /// The lowest alien of the column nearest to the cannon; of two as near, of the left one.
    fn nearest_alien(&self) -> Board {
        let columns = (0..10).filter(|&column| self.aliens.meets(Board::column(column)));
        let nearest = columns.min_by_key(|column| column.abs_diff(self.x));
        let lowest = |column| Some(Board::cell(self.aliens.and(Board::column(column)).lowest_row()?, column));
        nearest.and_then(lowest).unwrap_or_default()
    }
}
