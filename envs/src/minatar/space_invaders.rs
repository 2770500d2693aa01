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
    const NAME: &'static str = "SpaceInvaders";
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

#[cfg(test)]
mod tests {
    use super::super::recorded::{Told, shown};
    use super::*;

    /// A game of these aliens, which neither move nor fire for a while.
    fn quiet(aliens: Board) -> SpaceInvaders {
        SpaceInvaders { aliens, ..SpaceInvaders::start(&mut Told(&[])) }
    }

    fn play(game: &mut SpaceInvaders, action: Move) -> (i32, bool) {
        game.advance(action, true, &mut Told(&[]))
    }

    #[test]
    fn the_cannon_moves_and_fires_every_fifth_frame() {
        let mut game = quiet(WAVE);
        play(&mut game, Move::Left);
        assert_eq!(game.x, 4);
        (game.x, _) = (9, play(&mut game, Move::Right));
        play(&mut game, Move::Right);
        assert_eq!(game.x, 9);
        let mut game = quiet(Board::cell(0, 0));
        let fired = [(); 8].map(|()| {
            play(&mut game, Move::Fire);
            game.bullets.meets(Board::cell(8, 5))
        });
        assert_eq!(fired, [true, false, false, false, false, true, false, false]);
        assert_eq!(game.bullets, Board::cell(6, 5).or(Board::cell(1, 5)));
    }

    #[test]
    fn a_bullet_takes_an_alien_with_it_and_pays() {
        let mut game = SpaceInvaders { bullets: Board::cell(4, 5), ..quiet(WAVE) };
        assert_eq!(play(&mut game, Move::Stay), (1, false));
        assert_eq!((game.bullets, game.aliens), (Board::default(), WAVE.without(Board::cell(3, 5))));
    }

    #[test]
    fn aliens_march_come_down_and_turn_at_the_side() {
        let mut game = quiet(WAVE);
        let mut seen = Vec::new();
        for frame in 1..=60 {
            game.alien_shot_timer = 9;
            let before = game.aliens;
            play(&mut game, Move::Stay);
            if game.aliens != before {
                seen.push((frame, game.aliens, game.rightwards));
            }
        }
        let expected = [
            (13, Board::block([0, 4], [1, 7]), false),
            (25, Board::block([0, 4], [0, 6]), false),
            (37, Board::block([1, 5], [0, 6]), true),
            (49, Board::block([1, 5], [1, 7]), true),
        ];
        assert_eq!(seen, expected);
        let on = shown(&game, 6);
        assert!(on.contains(&(11 * 6 + 1)) && on.contains(&(11 * 6 + 3)) && !on.contains(&(11 * 6 + 2)));
        // Turned at the right side, too.
        let mut game = SpaceInvaders { alien_timer: 0, rightwards: true, ..quiet(Board::cell(2, 9)) };
        play(&mut game, Move::Stay);
        assert_eq!((game.aliens, game.rightwards), (Board::cell(3, 9), false));
    }

    #[test]
    fn few_aliens_are_fast_and_one_moves_with_every_frame() {
        let mut few = SpaceInvaders { alien_timer: 0, ..quiet(Board::block([0, 1], [3, 7])) };
        let columns = [(); 9].map(|()| {
            play(&mut few, Move::Stay);
            few.aliens.cells().next()
        });
        assert_eq!(columns, [2, 2, 2, 2, 1, 1, 1, 1, 0].map(Some));
        let mut one = SpaceInvaders { alien_timer: 0, ..quiet(Board::cell(0, 3)) };
        let columns = [(); 4].map(|()| {
            play(&mut one, Move::Stay);
            one.aliens.cells().next()
        });
        assert_eq!(columns, [2, 1, 0, 10].map(Some));
    }

    #[test]
    fn every_10_frames_the_lowest_alien_of_the_nearest_column_fires() {
        let aliens = Board::block([0, 3], [2, 4]).or(Board::cell(0, 7));
        let mut game = SpaceInvaders { alien_shot_timer: 0, ..quiet(aliens) };
        play(&mut game, Move::Stay);
        assert_eq!(game.alien_bullets, Board::cell(2, 3), "of two as near the left one");
        let mut game = SpaceInvaders { alien_shot_timer: 0, ..quiet(aliens) };
        play(&mut game, Move::Right);
        assert_eq!(game.alien_bullets, Board::cell(0, 7));
        let fired = (0..25).filter(|_| {
            game.alien_timer = 9;
            play(&mut game, Move::Stay);
            game.alien_shot_timer == 9
        });
        assert_eq!(fired.collect::<Vec<_>>(), [9, 19]);
    }

    #[test]
    fn a_bullet_or_an_alien_at_the_cannon_and_aliens_that_land_end_the_game() {
        let under_fire = SpaceInvaders { alien_bullets: Board::cell(8, 5), ..quiet(WAVE) };
        assert_eq!(play(&mut under_fire.clone(), Move::Stay), (0, true));
        assert_eq!(play(&mut under_fire.clone(), Move::Left), (0, false), "it moves out of the way");
        assert_eq!(play(&mut quiet(Board::cell(9, 4)), Move::Left), (0, true));
        assert_eq!(play(&mut quiet(Board::cell(9, 4)), Move::Right), (0, false));
        let comes = SpaceInvaders { alien_timer: 0, ..quiet(Board::cell(9, 6)) };
        assert_eq!(play(&mut comes.clone(), Move::Stay), (0, true));
        let lands = SpaceInvaders { alien_timer: 0, ..quiet(Board::cell(9, 0)) };
        assert_eq!(play(&mut lands.clone(), Move::Stay), (0, true));
    }

    #[test]
    fn a_wave_that_is_shot_is_followed_by_a_faster_one() {
        let shot = |ramping| {
            let mut game = quiet(WAVE);
            [(); 8].map(|()| {
                (game.aliens, game.bullets, game.alien_timer) = (Board::cell(3, 5), Board::cell(4, 5), 9);
                let played = game.advance(Move::Stay, ramping, &mut Told(&[]));
                assert_eq!((played, game.aliens, game.aliens.len()), ((1, false), WAVE, 24));
                game.alien_interval
            })
        };
        assert_eq!(shot(true), [11, 10, 9, 8, 7, 6, 6, 6]);
        assert_eq!(shot(false), [12; 8]);
    }
}
