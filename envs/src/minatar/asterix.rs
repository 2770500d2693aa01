//! Asterix.

use crate::Colour;

use super::rules::{Chance, Move, Picture, Rules, Words, moved, on_screen, put};

/// Rows that things come through, one thing each: 1 to 8.
const ROWS: usize = 8;
const SPAWN: u8 = 10;
const MOVE: u8 = 5;
const RAMP: i8 = 100;

/// Treasure to be picked up, and enemies to be kept away from, which cross the screen.
///
/// - The player moves freely, by one cell, in rows 1 to 8.
/// - Every 10 frames something comes from the left or the right into one of the rows that are free, if one is, treasure with
///   probability 1/3, else an enemy. All move by a cell every 5 frames and leave on the other side.
/// - Treasure that is touched is gone: reward 1. An enemy that is touched ends the game.
/// - With ramping, every 102 frames things come a frame sooner, down to every frame, and every second time move a frame sooner,
///   too, down to every frame.
/// - The player starts in row 5, column 5, alone.
///
/// Channels: 0 player, 1 enemies, 2 the cell behind each thing, 3 treasure. Actions: 0 nothing, 1 left, 2 up, 3 right, 4 down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asterix {
    /// The player's column and row.
    x: u8,
    y: u8,
    /// What is in rows 1 to 8.
    things: [Option<Thing>; ROWS],
    spawn_timer: u8,
    spawn_speed: u8,
    move_timer: u8,
    move_speed: u8,
    ramp_timer: i8,
    ramp_index: u8,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Thing {
    x: i8,
    rightwards: bool,
    gold: bool,
}

impl Thing {
    fn way(self) -> i8 {
        if self.rightwards { 1 } else { -1 }
    }
}

impl Rules for Asterix {
    const ID: &'static str = "MinAtar/Asterix-v1";
    const MOVES: &'static [Move] = &[Move::Stay, Move::Left, Move::Up, Move::Right, Move::Down];
    const CHANNELS: &'static [Colour] =
        &[Colour(70, 130, 230), Colour(200, 60, 60), Colour(110, 110, 120), Colour(240, 200, 70)];
    const RAMPS: bool = true;

    fn start(_chance: &mut impl Chance) -> Self {
        Self {
            x: 5,
            y: 5,
            things: [None; ROWS],
            spawn_timer: SPAWN,
            spawn_speed: SPAWN,
            move_timer: MOVE,
            move_speed: MOVE,
            ramp_timer: RAMP,
            ramp_index: 0,
        }
    }

    fn advance(&mut self, action: Move, ramping: bool, chance: &mut impl Chance) -> (i32, bool) {
        if self.spawn_timer == 0 {
            self.spawn(chance);
            self.spawn_timer = self.spawn_speed;
        }
        self.x = moved(self.x, action.across(), 0..=9);
        self.y = moved(self.y, action.down(), 1..=8);
        let (mut reward, mut ended) = self.touch();
        if self.move_timer == 0 {
            self.move_timer = self.move_speed;
            for slot in &mut self.things {
                *slot =
                    slot.map(|thing| Thing { x: thing.x + thing.way(), ..thing }).filter(|thing| on_screen(thing.x));
            }
            let (more, touched) = self.touch();
            reward += more;
            ended |= touched;
        }
        self.spawn_timer -= 1;
        self.move_timer -= 1;
        if ramping {
            self.ramp();
        }
        (reward, ended)
    }

    fn show(&self, picture: &mut Picture<'_>) {
        picture.set(self.y, self.x as i8, 0);
        for (row, thing) in (1..).zip(&self.things) {
            if let Some(thing) = thing {
                picture.set(row, thing.x, if thing.gold { 3 } else { 1 });
                picture.set(row, thing.x - thing.way(), 2);
            }
        }
    }

    fn save(&self, state: &mut Vec<u64>) {
        put(state, [self.x, self.y].map(i64::from));
        for thing in self.things {
            // 0 for none.
            let of = |thing: Thing| {
                ((1 + i64::from(thing.x)) << 2) | (i64::from(thing.rightwards) << 1) | i64::from(thing.gold)
            };
            put(state, [thing.map_or(0, of)]);
        }
        put(state, [self.spawn_timer, self.spawn_speed, self.move_timer, self.move_speed].map(i64::from));
        put(state, [self.ramp_timer.into(), self.ramp_index.into()]);
    }

    fn restore(words: &mut Words<'_>) -> Option<Self> {
        let (x, y) = (words.number(0..=9)?, words.number(1..=8)?);
        let mut things = [None; ROWS];
        for slot in &mut things {
            let word: i8 = words.number(0..=43)?;
            *slot = match word {
                0 => None,
                1..4 => return None,
                _ => Some(Thing { x: (word >> 2) - 1, rightwards: word & 2 != 0, gold: word & 1 != 0 }),
            };
        }
        let [spawn_timer, spawn_speed] = [words.number(0..=SPAWN.into())?, words.number(1..=SPAWN.into())?];
        let [move_timer, move_speed] = [words.number(0..=MOVE.into())?, words.number(1..=MOVE.into())?];
        let (ramp_timer, ramp_index) = (words.number(-1..=RAMP.into())?, words.number(0..=SPAWN.into())?);
        Some(Self { x, y, things, spawn_timer, spawn_speed, move_timer, move_speed, ramp_timer, ramp_index })
    }
}

impl Asterix {
    /// Something new, in one of the free rows.
    fn spawn(&mut self, chance: &mut impl Chance) {
        let free = self.things.iter().filter(|slot| slot.is_none()).count();
        if free > 0 {
            let nth = chance.below(free as u32) as usize;
            let (rightwards, gold) = (chance.coin(), chance.below(3) == 0);
            let slot = self.things.iter_mut().filter(|slot| slot.is_none()).nth(nth);
            let x = if rightwards { 0 } else { 9 };
            slot.into_iter().for_each(|slot| *slot = Some(Thing { x, rightwards, gold }));
        }
    }

    /// What touching the thing in the player's cell comes to, if there is one.
    fn touch(&mut self) -> (i32, bool) {
        let slot = &mut self.things[usize::from(self.y) - 1];
        match *slot {
            Some(thing) if thing.x == self.x as i8 && thing.gold => {
                *slot = None;
                (1, false)
            }
            Some(thing) => (0, thing.x == self.x as i8),
            None => (0, false),
        }
    }

    fn ramp(&mut self) {
        if self.spawn_speed == 1 && self.move_speed == 1 {
            return;
        }
        if self.ramp_timer >= 0 {
            self.ramp_timer -= 1;
            return;
        }
        self.move_speed -= u8::from(self.move_speed > 1 && self.ramp_index % 2 == 1);
        self.spawn_speed -= u8::from(self.spawn_speed > 1);
        self.ramp_index += 1;
        self.ramp_timer = RAMP;
    }
}
