//! Freeway.

use crate::Colour;

use super::rules::{Chance, Move, Picture, Rules, Words, moved, put};

/// Lanes, one car each: rows 1 to 8.
const LANES: usize = 8;
const BOTTOM: u8 = 9;
/// The player's column.
const COLUMN: u8 = 4;
/// Frames from one move of the player to the next.
const PLAYER: u8 = 3;
const SLOWEST: i8 = 5;
const FRAMES: u16 = 2500;

/// A road of eight lanes to be crossed from the bottom to the top.
///
/// - The player moves up and down in column 4, at most every third frame. At the top: reward 1, back to the bottom, and every car
///   gets another speed and direction.
/// - A car of speed `s`, 1 to 5, moves by a cell every `s + 1` frames, and from one side of the screen to the other. One that meets
///   the player sends it back to the bottom.
/// - The game ends after 2500 frames.
/// - All cars start in column 0.
///
/// Channels: 0 player, 1 cars, 2 to 6 the cell behind each car of speed 1 to 5. Actions: 0 nothing, 1 up, 2 down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Freeway {
    /// The player's row.
    row: u8,
    move_timer: u8,
    frames: u16,
    /// In rows 1 to 8.
    cars: [Car; LANES],
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Car {
    x: u8,
    timer: u8,
    /// Negative to the left.
    speed: i8,
}

impl Car {
    /// The next cell in this direction, around the screen.
    fn ahead(self, rightwards: bool) -> u8 {
        (self.x + if rightwards { 1 } else { 9 }) % 10
    }
}

impl Rules for Freeway {
    const NAME: &'static str = "Freeway";
    const MOVES: &'static [Move] = &[Move::Stay, Move::Up, Move::Down];
    const CHANNELS: &'static [Colour] = &[
        Colour(70, 130, 230),
        Colour(200, 60, 60),
        Colour(240, 150, 60),
        Colour(210, 140, 80),
        Colour(180, 130, 100),
        Colour(150, 120, 110),
        Colour(110, 110, 120),
    ];
    const RAMPS: bool = false;

    fn start(chance: &mut impl Chance) -> Self {
        let mut game = Self { row: BOTTOM, move_timer: PLAYER, frames: 0, cars: [Car::default(); LANES] };
        game.randomize(chance);
        game
    }

    fn advance(&mut self, action: Move, _ramping: bool, chance: &mut impl Chance) -> (i32, bool) {
        if self.move_timer == 0 && action.down() != 0 {
            self.move_timer = PLAYER;
            self.row = moved(self.row, action.down(), 0..=9);
        }
        let crossed = self.row == 0;
        if crossed {
            self.randomize(chance);
            self.row = BOTTOM;
        }
        for (row, car) in (1..).zip(&mut self.cars) {
            let hits = |car: &Car, player| car.x == COLUMN && player == row;
            if hits(car, self.row) {
                self.row = BOTTOM;
            }
            if car.timer > 0 {
                car.timer -= 1;
                continue;
            }
            car.timer = car.speed.unsigned_abs();
            car.x = car.ahead(car.speed > 0);
            if hits(car, self.row) {
                self.row = BOTTOM;
            }
        }
        self.move_timer = self.move_timer.saturating_sub(1);
        self.frames += 1;
        (crossed.into(), self.frames >= FRAMES)
    }

    fn show(&self, picture: &mut Picture<'_>) {
        picture.set(self.row, COLUMN as i8, 0);
        for (row, car) in (1..).zip(&self.cars) {
            picture.set(row, car.x as i8, 1);
            picture.set(row, car.ahead(car.speed < 0) as i8, 1 + usize::from(car.speed.unsigned_abs()));
        }
    }

    fn save(&self, state: &mut Vec<u64>) {
        put(state, [self.row.into(), self.move_timer.into(), self.frames.into()]);
        for car in &self.cars {
            put(state, [car.x.into(), car.timer.into(), car.speed.into()]);
        }
    }

    fn restore(words: &mut Words<'_>) -> Option<Self> {
        let (row, move_timer) = (words.number(0..=9)?, words.number(0..=PLAYER.into())?);
        let frames = words.number(0..=FRAMES.into())?;
        let mut cars = [Car::default(); LANES];
        for car in &mut cars {
            let (x, timer) = (words.number(0..=9)?, words.number(0..=SLOWEST.into())?);
            let speed = words.number((-SLOWEST).into()..=SLOWEST.into())?;
            *car = (speed != 0).then_some(Car { x, timer, speed })?;
        }
        Some(Self { row, move_timer, frames, cars })
    }
}

impl Freeway {
    /// Another speed and direction for every car, where it is.
    fn randomize(&mut self, chance: &mut impl Chance) {
        for car in &mut self.cars {
            let speed = 1 + chance.below(SLOWEST as u32) as i8;
            (car.timer, car.speed) = (speed as u8, if chance.coin() { speed } else { -speed });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::recorded::{Told, shown};
    use super::*;

    /// Eight cars of speed 1 to the right.
    const SLOW: &[u32] = &[0; 16];
    /// Eight cars of speed 5 to the left.
    const FAST: &[u32] = &[4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1, 4, 1];

    /// A game whose cars all are in the same column and do not move for a while.
    fn parked(x: u8) -> Freeway {
        let game = Freeway::start(&mut Told(FAST));
        Freeway { cars: game.cars.map(|car| Car { x, ..car }), ..game }
    }

    fn play(game: &mut Freeway, action: Move) -> (i32, bool) {
        game.advance(action, true, &mut Told(&[]))
    }

    #[test]
    fn the_player_moves_every_third_frame_up_and_down() {
        let mut game = parked(0);
        let mut up = |action| {
            game.cars = parked(0).cars;
            play(&mut game, action);
            game.row
        };
        assert_eq!([Move::Up; 8].map(&mut up), [9, 9, 9, 8, 8, 8, 7, 7]);
        assert_eq!([Move::Down; 8].map(&mut up), [7, 8, 8, 8, 9, 9, 9, 9]);
    }

    #[test]
    fn the_top_pays_and_sends_back_and_gives_the_cars_other_speeds() {
        let mut game = Freeway { row: 1, move_timer: 0, ..parked(7) };
        assert_eq!(game.advance(Move::Up, true, &mut Told(SLOW)), (1, false));
        assert_eq!(game.row, 9);
        assert_eq!(game.cars, [Car { x: 7, timer: 0, speed: 1 }; 8]);
    }

    #[test]
    fn a_car_that_meets_the_player_sends_it_back() {
        for row in 1..=8 {
            // One that stands there, one that comes, and one that leaves, before it has.
            for (x, timer) in [(4, 3), (5, 0), (4, 0)] {
                let mut game = Freeway { row, ..parked(0) };
                game.cars[usize::from(row) - 1] = Car { x, timer, speed: -5 };
                assert_eq!((play(&mut game, Move::Stay), game.row), ((0, false), 9), "row {row}, car at {x}");
            }
            let mut game = Freeway { row, ..parked(0) };
            assert_eq!((play(&mut game, Move::Stay), game.row), ((0, false), row));
        }
    }

    #[test]
    fn cars_move_by_their_speed_around_the_screen() {
        let mut game = Freeway::start(&mut Told(SLOW));
        game.cars[1] = Car { x: 1, timer: 5, speed: -5 };
        let mut places = Vec::new();
        for _ in 0..24 {
            play(&mut game, Move::Stay);
            places.push((game.cars[0].x, game.cars[1].x));
        }
        let expected = (1..=24).map(|frame| ((frame / 2 % 10) as u8, [1, 0, 9, 8, 7][frame / 6])).collect::<Vec<_>>();
        assert_eq!(places, expected);
        // The trail is in the channel of the speed, behind the car, around the screen, too.
        let mut game = parked(0);
        game.cars[1] = Car { x: 3, timer: 1, speed: 2 };
        let on = shown(&game, 7);
        let at = |row: usize, column: usize, channel: usize| on.contains(&((10 * row + column) * 7 + channel));
        assert!(at(9, 4, 0) && at(1, 0, 1) && at(1, 1, 6) && at(2, 3, 1) && at(2, 2, 3));
        assert_eq!(on.len(), 17);
        game.cars[0].speed = 5;
        assert!(shown(&game, 7).contains(&((10 + 9) * 7 + 6)));
    }

    #[test]
    fn the_game_ends_after_2500_frames() {
        let mut game = Freeway::start(&mut Told(SLOW));
        let frames = (1..5000).find(|_| play(&mut game, Move::Stay).1);
        assert_eq!(frames, Some(2500));
    }
}
