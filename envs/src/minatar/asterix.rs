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
    const NAME: &'static str = "Asterix";
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

#[cfg(test)]
mod tests {
    use super::super::recorded::Told;
    use super::*;

    /// A game in which nothing comes for a while and nothing moves.
    fn quiet(things: &[(usize, Thing)]) -> Asterix {
        let mut game = Asterix { spawn_timer: 9, move_timer: 4, ..Asterix::start(&mut Told(&[])) };
        things.iter().for_each(|&(row, thing)| game.things[row - 1] = Some(thing));
        game
    }

    fn play(game: &mut Asterix, action: Move) -> (i32, bool) {
        game.advance(action, true, &mut Told(&[]))
    }

    const GOLD: Thing = Thing { x: 4, rightwards: true, gold: true };
    const ENEMY: Thing = Thing { gold: false, ..GOLD };

    #[test]
    fn the_player_moves_in_four_directions_within_rows_1_to_8() {
        let mut game = quiet(&[]);
        for (action, place) in [
            (Move::Up, (5, 4)),
            (Move::Right, (6, 4)),
            (Move::Down, (6, 5)),
            (Move::Left, (5, 5)),
            (Move::Stay, (5, 5)),
        ] {
            play(&mut game, action);
            assert_eq!((game.x, game.y), place);
        }
        for (corner, actions) in [((0, 1), [Move::Left, Move::Up]), ((9, 8), [Move::Right, Move::Down])] {
            let mut game = Asterix { x: corner.0, y: corner.1, ..quiet(&[]) };
            for action in actions {
                play(&mut game, action);
            }
            assert_eq!((game.x, game.y), corner);
        }
    }

    #[test]
    fn treasure_pays_and_is_gone_and_an_enemy_ends_the_game() {
        let mut game = quiet(&[(5, GOLD)]);
        assert_eq!((play(&mut game, Move::Left), game.things[4]), ((1, false), None));
        assert_eq!(play(&mut quiet(&[(5, ENEMY)]), Move::Left), (0, true));
        assert_eq!(play(&mut quiet(&[(5, ENEMY)]), Move::Stay), (0, false));
        // Likewise where they come to the player.
        let mut game = Asterix { move_timer: 0, ..quiet(&[(5, GOLD)]) };
        assert_eq!((play(&mut game, Move::Stay), game.things[4]), ((1, false), None));
        assert_eq!(play(&mut Asterix { move_timer: 0, ..quiet(&[(5, ENEMY)]) }, Move::Stay), (0, true));
    }

    #[test]
    fn things_come_every_10_frames_from_either_side_into_free_rows() {
        let mut game = Asterix { y: 1, ..Asterix::start(&mut Told(&[])) };
        let mut come = Vec::new();
        // The third free row from the left, an enemy; then the first, which is row 1, from the right, treasure.
        let mut chance = Told(&[2, 0, 1, 0, 1, 0]);
        for frame in 1..=22 {
            let before = game.things.iter().flatten().count();
            game.advance(Move::Stay, true, &mut chance);
            if game.things.iter().flatten().count() > before {
                come.push(frame);
            }
        }
        assert_eq!((come, chance.0.is_empty()), (vec![11, 21], true));
        assert!(game.things[2].is_some_and(|thing| thing.rightwards && !thing.gold));
        let moved_at_once = Thing { x: 8, rightwards: false, gold: true };
        assert_eq!(game.things[0], Some(moved_at_once));
        // Where no row is free, nothing comes, and nothing is drawn.
        let mut full = quiet(&(1..=8).map(|row| (row, ENEMY)).collect::<Vec<_>>());
        (full.spawn_timer, full.x) = (0, 9);
        play(&mut full, Move::Stay);
        assert_eq!((full.things, full.spawn_timer), ([Some(ENEMY); 8], 9));
    }

    #[test]
    fn things_move_every_5_frames_and_leave_on_the_other_side() {
        let left = Thing { x: 1, rightwards: false, gold: true };
        let mut game = quiet(&[(1, GOLD), (2, left)]);
        let mut places = Vec::new();
        for _ in 0..15 {
            game.spawn_timer = 9;
            play(&mut game, Move::Stay);
            places.push((game.things[0].map(|thing| thing.x), game.things[1].map(|thing| thing.x)));
        }
        let expected = [(0, 4, Some((4, Some(1)))), (4, 9, Some((5, Some(0)))), (9, 14, Some((6, None)))];
        for (first, end, at) in expected {
            assert!(places[first..end].iter().all(|&(x, y)| Some((x.unwrap_or(-1), y)) == at), "{places:?}");
        }
    }

    #[test]
    fn it_gets_harder_every_102_frames() {
        let mut game = quiet(&[]);
        let mut speeds = vec![(0, game.spawn_speed, game.move_speed)];
        for frame in 1..=1100 {
            (game.spawn_timer, game.move_timer) = (9, 4);
            play(&mut game, Move::Stay);
            let (_, spawn, speed) = speeds[speeds.len() - 1];
            if (spawn, speed) != (game.spawn_speed, game.move_speed) {
                speeds.push((frame, game.spawn_speed, game.move_speed));
            }
        }
        let spawn_speeds = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
        let move_speeds = [5, 5, 4, 4, 3, 3, 2, 2, 1, 1];
        let expected = (0..10).map(|i| (102 * i, spawn_speeds[i], move_speeds[i])).collect::<Vec<_>>();
        assert_eq!(speeds, expected);
        let mut steady = quiet(&[]);
        for _ in 0..1100 {
            steady.spawn_timer = 9;
            steady.advance(Move::Stay, false, &mut Told(&[]));
        }
        assert_eq!((steady.spawn_speed, steady.move_speed), (10, 5), "not without ramping");
    }
}
