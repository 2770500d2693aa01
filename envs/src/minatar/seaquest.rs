//! Seaquest.

use crate::Colour;

use super::rules::{Chance, Move, Picture, Rules, Words, moved, on_screen, put};

const OXYGEN: i16 = 200;
/// The most divers on board.
const CREW: u8 = 6;
const COOL_DOWN: u8 = 5;
const ENEMY_SHOT: u8 = 10;
/// Frames from one enemy to the next, from one diver to the next, and that each waits between two moves.
const SPAWN: u8 = 20;
const DIVER: u8 = 30;
const MOVE: u8 = 5;
const FASTEST_MOVE: u8 = 2;
const DEEPEST: i8 = 8;

/// A submarine among enemies and divers, which has to come up for air.
///
/// - The submarine moves freely, by one cell, in rows 0, the surface, to 8, and fires the way that it faces, at most every fifth
///   frame. Bullets fly a cell a frame.
/// - Every 20 frames an enemy comes from the left or the right into row 1 to 8, a submarine with probability 1/3, else a fish, unless
///   one in that row goes the other way. They move by a cell every 6 frames, and submarines fire every 11.
/// - A bullet of the player's that meets an enemy is gone with it: reward 1.
/// - Every 30 frames a diver comes and moves likewise. Touched it is on board, if less than six are.
/// - Under water a unit of oxygen goes with every frame, of 200. Coming up to the surface brings it back to 200 and takes a diver
///   from on board; where there are six it takes all of them, and the reward is 10 times the share of oxygen left, rounded down.
/// - With ramping, each time at the surface enemies come a frame sooner, down to every frame, and every second time move a frame
///   sooner, too, down to every 3.
/// - The game ends when an enemy or its bullet meets the submarine's front, when a frame begins without oxygen, and at the surface
///   with no diver on board.
/// - The submarine starts at the surface, in column 5, facing left, with all oxygen.
///
/// Channels: 0 the submarine's front, 1 its back, 2 its bullets, 3 the cell behind each enemy and diver, 4 bullets of enemies, 5 fish,
/// 6 enemy submarines, 7 oxygen in tenths, 8 divers on board, 9 divers. Actions: 0 nothing, 1 left, 2 up, 3 right, 4 down, 5 fire.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seaquest {
    x: u8,
    y: u8,
    rightwards: bool,
    oxygen: i16,
    on_board: u8,
    at_surface: bool,
    shot_timer: u8,
    spawn_timer: u8,
    spawn_speed: u8,
    diver_timer: u8,
    move_speed: u8,
    ramp_index: u8,
    bullets: Swarm<16>,
    enemy_bullets: Swarm<64>,
    fish: Swarm<64>,
    submarines: Swarm<64>,
    divers: Swarm<16>,
}

/// Something in the water.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Swimmer {
    x: i8,
    y: u8,
    rightwards: bool,
    /// Frames until it moves; a bullet does with every frame.
    timer: u8,
    /// Frames until it fires, if it does.
    shot: u8,
}

impl Swimmer {
    /// A new one, at the side that it comes from.
    fn new(rightwards: bool, y: u8, timer: u8) -> Self {
        Self { x: if rightwards { 0 } else { 9 }, y, rightwards, timer, shot: ENEMY_SHOT }
    }

    fn way(self) -> i8 {
        if self.rightwards { 1 } else { -1 }
    }
}

/// Swimmers of a kind, in the order in which they came.
#[derive(Debug, Clone, Copy)]
struct Swarm<const N: usize> {
    all: [Swimmer; N],
    len: usize,
}

impl<const N: usize> Default for Swarm<N> {
    fn default() -> Self {
        Self { all: [Swimmer::default(); N], len: 0 }
    }
}

impl<const N: usize> PartialEq for Swarm<N> {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<const N: usize> Swarm<N> {
    fn get(&self) -> &[Swimmer] {
        &self.all[..self.len]
    }

    fn get_mut(&mut self) -> &mut [Swimmer] {
        &mut self.all[..self.len]
    }

    /// There are never as many as there is room for: who comes last has left before.
    fn push(&mut self, swimmer: Swimmer) {
        if let Some(free) = self.all.get_mut(self.len) {
            *free = swimmer;
            self.len += 1;
        }
    }

    fn retain(&mut self, mut keeps: impl FnMut(&Swimmer) -> bool) {
        let mut kept = 0;
        for i in 0..self.len {
            if keeps(&self.all[i]) {
                self.all[kept] = self.all[i];
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// Moves those whose time it is, every `interval + 1` frames.
    fn swim(&mut self, interval: u8) {
        for swimmer in self.get_mut() {
            match swimmer.timer {
                0 => (swimmer.x, swimmer.timer) = (swimmer.x + swimmer.way(), interval),
                _ => swimmer.timer -= 1,
            }
        }
        self.retain(|swimmer| on_screen(swimmer.x));
    }

    /// Moves all, as bullets are.
    fn fly(&mut self) {
        self.get_mut().iter_mut().for_each(|bullet| bullet.x += bullet.way());
        self.retain(|bullet| on_screen(bullet.x));
    }

    fn is_at(&self, x: u8, y: u8) -> bool {
        self.get().iter().any(|one| (one.x, one.y) == (x as i8, y))
    }

    /// Takes away what these bullets hit, one each, and the bullets that do. How many.
    fn shot_by<const M: usize>(&mut self, bullets: &mut Swarm<M>) -> i32 {
        let before = bullets.len;
        bullets.retain(|bullet| {
            let hit = self.get().iter().position(|one| (one.x, one.y) == (bullet.x, bullet.y));
            if let Some(hit) = hit {
                self.all.copy_within(hit + 1..self.len, hit);
                self.len -= 1;
            }
            hit.is_none()
        });
        (before - bullets.len) as i32
    }

    fn show(&self, picture: &mut Picture<'_>, channel: usize, leaves_trail: bool) {
        for one in self.get() {
            picture.set(one.y, one.x, channel);
            if leaves_trail {
                picture.set(one.y, one.x - one.way(), 3);
            }
        }
    }

    fn save(&self, state: &mut Vec<u64>) {
        put(state, [self.len as i64]);
        for one in self.get() {
            put(state, [one.x.into(), one.y.into(), one.rightwards.into(), one.timer.into(), one.shot.into()]);
        }
    }

    fn restore(words: &mut Words<'_>) -> Option<Self> {
        let len = words.number(0..=N as i64)?;
        let mut swarm = Self { len, ..Self::default() };
        for one in swarm.get_mut() {
            let (x, y, rightwards) = (words.number(0..=9)?, words.number(0..=DEEPEST.into())?, words.flag()?);
            *one = Swimmer { x, y, rightwards, timer: words.number(0..=MOVE.into())?, shot: words.number(0..=10)? };
        }
        Some(swarm)
    }
}

impl Rules for Seaquest {
    const ID: &'static str = "MinAtar/Seaquest-v1";
    const MOVES: &'static [Move] = &[Move::Stay, Move::Left, Move::Up, Move::Right, Move::Down, Move::Fire];
    const CHANNELS: &'static [Colour] = &[
        Colour(70, 130, 230),
        Colour(50, 90, 170),
        Colour(240, 240, 240),
        Colour(110, 110, 120),
        Colour(240, 150, 60),
        Colour(90, 190, 90),
        Colour(200, 60, 60),
        Colour(150, 200, 240),
        Colour(250, 230, 150),
        Colour(240, 200, 70),
    ];
    const RAMPS: bool = true;

    fn start(_chance: &mut impl Chance) -> Self {
        Self {
            x: 5,
            y: 0,
            rightwards: false,
            oxygen: OXYGEN,
            on_board: 0,
            at_surface: true,
            shot_timer: 0,
            spawn_timer: SPAWN,
            spawn_speed: SPAWN,
            diver_timer: DIVER,
            move_speed: MOVE,
            ramp_index: 0,
            bullets: Swarm::default(),
            enemy_bullets: Swarm::default(),
            fish: Swarm::default(),
            submarines: Swarm::default(),
            divers: Swarm::default(),
        }
    }

    fn advance(&mut self, action: Move, ramping: bool, chance: &mut impl Chance) -> (i32, bool) {
        self.spawn(chance);
        self.steer(action);
        self.bullets.fly();
        let mut reward = self.fish.shot_by(&mut self.bullets) + self.submarines.shot_by(&mut self.bullets);
        self.pick_up();
        self.divers.swim(MOVE);
        self.pick_up();

        let mut ended = self.submarines.is_at(self.x, self.y);
        self.submarines.swim(self.move_speed);
        ended |= self.submarines.is_at(self.x, self.y);
        reward += self.submarines.shot_by(&mut self.bullets);
        self.enemies_fire();

        ended |= self.enemy_bullets.is_at(self.x, self.y);
        self.enemy_bullets.fly();
        ended |= self.enemy_bullets.is_at(self.x, self.y);

        ended |= self.fish.is_at(self.x, self.y);
        self.fish.swim(self.move_speed);
        ended |= self.fish.is_at(self.x, self.y);
        reward += self.fish.shot_by(&mut self.bullets);

        for timer in [&mut self.spawn_timer, &mut self.diver_timer, &mut self.shot_timer] {
            *timer = timer.saturating_sub(1);
        }
        ended |= self.oxygen <= 0;
        if self.y > 0 {
            self.oxygen -= 1;
            self.at_surface = false;
        } else if !self.at_surface {
            ended |= self.on_board == 0;
            reward += self.surface(ramping);
        }
        (reward, ended)
    }

    fn show(&self, picture: &mut Picture<'_>) {
        picture.set(self.y, self.x as i8, 0);
        picture.set(self.y, self.x as i8 + if self.rightwards { -1 } else { 1 }, 1);
        self.bullets.show(picture, 2, false);
        self.enemy_bullets.show(picture, 4, false);
        self.fish.show(picture, 5, true);
        self.submarines.show(picture, 6, true);
        self.divers.show(picture, 9, true);
        (0..self.tenths() as i8).for_each(|column| picture.set(9, column, 7));
        (9 - self.on_board as i8..9).for_each(|column| picture.set(9, column, 8));
    }

    fn save(&self, state: &mut Vec<u64>) {
        put(state, [self.x, self.y, self.rightwards.into(), self.on_board, self.at_surface.into()].map(i64::from));
        put(state, [self.oxygen.into(), self.shot_timer.into(), self.spawn_timer.into(), self.spawn_speed.into()]);
        put(state, [self.diver_timer, self.move_speed, self.ramp_index].map(i64::from));
        self.bullets.save(state);
        self.enemy_bullets.save(state);
        self.fish.save(state);
        self.submarines.save(state);
        self.divers.save(state);
    }

    fn restore(words: &mut Words<'_>) -> Option<Self> {
        Some(Self {
            x: words.number(0..=9)?,
            y: words.number(0..=DEEPEST.into())?,
            rightwards: words.flag()?,
            on_board: words.number(0..=CREW.into())?,
            at_surface: words.flag()?,
            oxygen: words.number(-1..=OXYGEN.into())?,
            shot_timer: words.number(0..=COOL_DOWN.into())?,
            spawn_timer: words.number(0..=SPAWN.into())?,
            spawn_speed: words.number(1..=SPAWN.into())?,
            diver_timer: words.number(0..=DIVER.into())?,
            move_speed: words.number(FASTEST_MOVE.into()..=MOVE.into())?,
            ramp_index: words.number(0..=SPAWN.into())?,
            bullets: Swarm::restore(words)?,
            enemy_bullets: Swarm::restore(words)?,
            fish: Swarm::restore(words)?,
            submarines: Swarm::restore(words)?,
            divers: Swarm::restore(words)?,
        })
    }
}

impl Seaquest {
    /// The enemy and the diver whose time it is.
    fn spawn(&mut self, chance: &mut impl Chance) {
        if self.spawn_timer == 0 {
            self.spawn_timer = self.spawn_speed;
            let (rightwards, is_submarine) = (chance.coin(), chance.below(3) == 0);
            let enemy = Swimmer::new(rightwards, 1 + chance.below(8) as u8, self.move_speed);
            let comes_towards = |other: &Swimmer| other.y == enemy.y && other.rightwards != rightwards;
            if !self.submarines.get().iter().chain(self.fish.get()).any(comes_towards) {
                if is_submarine {
                    self.submarines.push(enemy)
                } else {
                    self.fish.push(enemy)
                };
            }
        }
        if self.diver_timer == 0 {
            self.diver_timer = DIVER;
            let rightwards = chance.coin();
            self.divers.push(Swimmer::new(rightwards, 1 + chance.below(8) as u8, MOVE));
        }
    }

    fn steer(&mut self, action: Move) {
        self.x = moved(self.x, action.across(), 0..=9);
        self.y = moved(self.y, action.down(), 0..=DEEPEST);
        match action {
            Move::Left => self.rightwards = false,
            Move::Right => self.rightwards = true,
            Move::Fire if self.shot_timer == 0 => {
                self.shot_timer = COOL_DOWN;
                self.bullets.push(Swimmer {
                    x: self.x as i8,
                    y: self.y,
                    rightwards: self.rightwards,
                    timer: 0,
                    shot: 0,
                });
            }
            _ => {}
        }
    }

    fn pick_up(&mut self) {
        let at = (self.x as i8, self.y);
        self.divers.retain(|diver| {
            let comes = (diver.x, diver.y) == at && self.on_board < CREW;
            self.on_board += u8::from(comes);
            !comes
        });
    }

    fn enemies_fire(&mut self) {
        for enemy in self.submarines.get_mut() {
            if enemy.shot == 0 {
                enemy.shot = ENEMY_SHOT;
                self.enemy_bullets.push(Swimmer { timer: 0, shot: 0, ..*enemy });
            } else {
                enemy.shot -= 1;
            }
        }
    }

    /// Tenths of the oxygen left, rounded down.
    fn tenths(&self) -> i16 {
        self.oxygen.max(0) * 10 / OXYGEN
    }

    /// What coming up to the surface pays.
    fn surface(&mut self, ramping: bool) -> i32 {
        let is_full = self.on_board == CREW;
        let reward = if is_full { self.tenths().into() } else { 0 };
        self.on_board = if is_full { 0 } else { self.on_board.saturating_sub(1) };
        (self.oxygen, self.at_surface) = (OXYGEN, true);
        if ramping && (self.spawn_speed > 1 || self.move_speed > FASTEST_MOVE) {
            self.move_speed -= u8::from(self.move_speed > FASTEST_MOVE && self.ramp_index % 2 == 1);
            self.spawn_speed -= u8::from(self.spawn_speed > 1);
            self.ramp_index += 1;
        }
        reward
    }
}
