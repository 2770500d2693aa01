//! Breakout.

use crate::Colour;

use super::board::Board;
use super::rules::{Chance, Move, Picture, Rules, Words, moved, put, put_board};

const BRICKS: Board = Board::block([1, 4], [0, 10]);
const BOTTOM: u8 = 9;

/// A paddle at the bottom and a ball that flies along diagonals, under three rows of bricks.
///
/// - A ball at a side or the top is reflected. At a brick it is too, and the brick is gone: reward 1. A ball that has just broken
///   one flies through others until it is out of them.
/// - At the paddle it goes back as it came, or is reflected, by the side that it comes to the paddle from. Elsewhere at the bottom
///   the game ends.
/// - When all bricks are gone and the ball comes to the bottom, three rows are there again.
/// - It starts in row 3, in the left or the right column, on its way down; the paddle in column 4.
///
/// Channels: 0 paddle, 1 ball, 2 where the ball was before, 3 bricks. Actions: 0 nothing, 1 left, 2 right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breakout {
    /// Row and column.
    ball: (u8, u8),
    /// The same, of the frame before.
    last: (u8, u8),
    falls: bool,
    rightwards: bool,
    paddle: u8,
    bricks: Board,
    /// Whether the ball is among bricks, of which it has broken one.
    strike: bool,
}

impl Rules for Breakout {
    const NAME: &'static str = "Breakout";
    const MOVES: &'static [Move] = &[Move::Stay, Move::Left, Move::Right];
    const CHANNELS: &'static [Colour] =
        &[Colour(70, 130, 230), Colour(240, 240, 240), Colour(110, 110, 120), Colour(210, 90, 60)];
    const RAMPS: bool = false;

    fn start(chance: &mut impl Chance) -> Self {
        let rightwards = chance.coin();
        let ball = (3, if rightwards { 0 } else { 9 });
        Self { ball, last: ball, falls: true, rightwards, paddle: 4, bricks: BRICKS, strike: false }
    }

    fn advance(&mut self, action: Move, _ramping: bool, _chance: &mut impl Chance) -> (i32, bool) {
        self.paddle = moved(self.paddle, action.across(), 0..=9);
        self.last = self.ball;
        let (before, paddle) = (self.ball, self.paddle);
        let way = |forward: bool| if forward { 1 } else { -1 };
        let (row, column) = (before.0 as i8 + way(self.falls), before.1 as i8 + way(self.rightwards));
        if !(0..=9).contains(&column) {
            self.rightwards ^= true;
        }
        let column = column.clamp(0, 9) as u8;
        let (mut reward, mut ended, mut among_bricks) = (0, false, false);
        self.ball = (row.clamp(0, BOTTOM as i8) as u8, column);
        let cell = Board::cell(self.ball.0, column);
        if row < 0 {
            self.falls = true;
        } else if self.bricks.meets(cell) {
            among_bricks = true;
            if !self.strike {
                reward = 1;
                self.bricks = self.bricks.without(cell);
                self.bounce(before.0);
            }
        } else if self.ball.0 == BOTTOM {
            if self.bricks.is_empty() {
                self.bricks = BRICKS;
            }
            if before.1 == paddle {
                self.bounce(before.0);
            } else if column == paddle {
                self.rightwards ^= true;
                self.bounce(before.0);
            } else {
                ended = true;
            }
        }
        self.strike = among_bricks;
        (reward, ended)
    }

    fn show(&self, picture: &mut Picture<'_>) {
        picture.set(BOTTOM, self.paddle as i8, 0);
        picture.set(self.ball.0, self.ball.1 as i8, 1);
        picture.set(self.last.0, self.last.1 as i8, 2);
        picture.board(self.bricks, 3);
    }

    fn save(&self, state: &mut Vec<u64>) {
        let places = [self.ball.0, self.ball.1, self.last.0, self.last.1, self.paddle];
        put(state, places.map(i64::from));
        put(state, [self.falls, self.rightwards, self.strike].map(i64::from));
        put_board(state, self.bricks);
    }

    fn restore(words: &mut Words<'_>) -> Option<Self> {
        let ball = (words.number(0..=9)?, words.number(0..=9)?);
        let last = (words.number(0..=9)?, words.number(0..=9)?);
        let paddle = words.number(0..=9)?;
        let (falls, rightwards, strike) = (words.flag()?, words.flag()?, words.flag()?);
        Some(Self { ball, last, falls, rightwards, paddle, strike, bricks: words.board()? })
    }
}

impl Breakout {
    /// Back to the row that it came from, and the other way from now on.
    fn bounce(&mut self, row: u8) {
        self.ball.0 = row;
        self.falls ^= true;
    }
}

#[cfg(test)]
mod tests {
    use super::super::recorded::Told;
    use super::*;

    fn start() -> Breakout {
        Breakout::start(&mut Told(&[0]))
    }

    fn play(game: &mut Breakout, action: Move) -> (i32, bool) {
        game.advance(action, true, &mut Told(&[]))
    }

    #[test]
    fn the_ball_starts_in_a_corner_of_the_bricks_on_its_way_down() {
        let (left, right) = (start(), Breakout::start(&mut Told(&[1])));
        assert_eq!((left.ball, left.rightwards, left.falls, left.paddle), ((3, 0), true, true, 4));
        assert_eq!((right.ball, right.rightwards, right.falls), ((3, 9), false, true));
        assert_eq!((left.bricks.len(), left.bricks), (30, Board::block([1, 4], [0, 10])));
    }

    #[test]
    fn the_paddle_moves_within_the_screen() {
        let mut game = start();
        for (action, columns) in [(Move::Left, [3, 2, 1]), (Move::Right, [2, 3, 4])] {
            assert_eq!(
                columns.map(|_| {
                    play(&mut game, action);
                    game.paddle
                }),
                columns
            );
        }
        (game.paddle, game.ball) = (0, (4, 0));
        play(&mut game, Move::Left);
        assert_eq!(game.paddle, 0);
        (game.paddle, game.ball) = (9, (4, 0));
        play(&mut game, Move::Right);
        assert_eq!(game.paddle, 9);
    }

    #[test]
    fn the_ball_flies_along_diagonals_and_is_reflected_at_the_sides_and_the_top() {
        let mut game = Breakout { ball: (5, 8), ..start() };
        let mut fly = || {
            assert_eq!(play(&mut game, Move::Stay), (0, false));
            game.ball
        };
        assert_eq!([fly(), fly(), fly()], [(6, 9), (7, 9), (8, 8)]);
        let mut game = Breakout { ball: (1, 3), bricks: Board::cell(2, 9), falls: false, ..start() };
        let mut fly = || {
            assert_eq!(play(&mut game, Move::Stay), (0, false));
            game.ball
        };
        assert_eq!([fly(), fly(), fly()], [(0, 4), (0, 5), (1, 6)]);
    }

    #[test]
    fn a_brick_that_is_hit_is_gone_for_a_reward_and_reflects_the_ball() {
        let mut game = Breakout { ball: (4, 4), falls: false, ..start() };
        assert_eq!(play(&mut game, Move::Stay), (1, false));
        assert_eq!((game.ball, game.falls, game.bricks.len(), game.last), ((4, 5), true, 29, (4, 4)));
        assert!(!game.bricks.meets(Board::cell(3, 5)));
        // At once among bricks again, it flies through.
        let mut game = Breakout { ball: (2, 4), strike: true, bricks: Board::block([3, 4], [0, 10]), ..start() };
        assert_eq!((play(&mut game, Move::Stay), game.ball, game.bricks.len()), ((0, false), (3, 5), 10));
        play(&mut game, Move::Stay);
        assert!(!game.strike, "it is out of them");
    }

    #[test]
    fn the_paddle_sends_the_ball_back_or_reflects_it_and_without_the_game_ends() {
        let at = |paddle| Breakout { ball: (8, 4), paddle, ..start() };
        // Under the ball it is reflected; where it comes to, it goes back as it came.
        for (paddle, rightwards) in [(4, true), (5, false)] {
            let mut game = at(paddle);
            assert_eq!(play(&mut game, Move::Stay), (0, false));
            assert_eq!((game.ball, game.falls, game.rightwards), ((8, 5), false, rightwards), "paddle in {paddle}");
        }
        assert_eq!(play(&mut at(5), Move::Left), (0, false), "moved under it in time");
        assert_eq!(play(&mut at(6), Move::Stay), (0, true));
        assert_eq!(play(&mut at(3), Move::Stay), (0, true));
    }

    #[test]
    fn three_rows_are_there_again_when_all_bricks_are_gone() {
        let mut game = Breakout { ball: (4, 4), falls: false, bricks: Board::cell(3, 5), ..start() };
        assert_eq!((play(&mut game, Move::Stay), game.bricks), ((1, false), Board::default()));
        while game.ball.0 < 8 {
            play(&mut game, Move::Stay);
            assert!(game.bricks.is_empty(), "not before the ball is at the bottom");
        }
        game.paddle = game.ball.1;
        assert_eq!((play(&mut game, Move::Stay), game.bricks), ((0, false), BRICKS));
    }
}
