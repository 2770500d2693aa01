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
    const ID: &'static str = "MinAtar/Freeway-v1";
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
