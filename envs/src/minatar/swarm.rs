//! What swims in Seaquest.

use super::rules::{Picture, Words, on_screen, put};

/// Frames between two shots of an enemy, and that a swimmer waits between two moves.
pub(super) const ENEMY_SHOT: u8 = 10;
pub(super) const MOVE: u8 = 5;
/// The lowest row.
pub(super) const DEEPEST: i8 = 8;
/// The channel of the cells behind swimmers.
const TRAIL: usize = 3;

/// Something in the water.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Swimmer {
    pub(super) x: i8,
    pub(super) y: u8,
    pub(super) rightwards: bool,
    /// Frames until it moves; a bullet does with every frame.
    pub(super) timer: u8,
    /// Frames until it fires, if it does.
    pub(super) shot: u8,
}

impl Swimmer {
    /// A new one, at the side that it comes from.
    pub(super) fn new(rightwards: bool, y: u8, timer: u8) -> Self {
        Self { x: if rightwards { 0 } else { 9 }, y, rightwards, timer, shot: ENEMY_SHOT }
    }

    pub(super) fn way(self) -> i8 {
        if self.rightwards { 1 } else { -1 }
    }
}

/// Swimmers of a kind, in the order in which they came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Swarm<const N: usize> {
    all: [Swimmer; N],
    pub(super) len: usize,
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
    pub(super) fn get(&self) -> &[Swimmer] {
        &self.all[..self.len]
    }

    pub(super) fn get_mut(&mut self) -> &mut [Swimmer] {
        &mut self.all[..self.len]
    }

    /// There are never as many as there is room for: who comes last has left before.
    pub(super) fn push(&mut self, swimmer: Swimmer) {
        if let Some(free) = self.all.get_mut(self.len) {
            *free = swimmer;
            self.len += 1;
        }
    }

    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&Swimmer) -> bool) {
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
    pub(super) fn swim(&mut self, interval: u8) {
        for swimmer in self.get_mut() {
            match swimmer.timer {
                0 => (swimmer.x, swimmer.timer) = (swimmer.x + swimmer.way(), interval),
                _ => swimmer.timer -= 1,
            }
        }
        self.retain(|swimmer| on_screen(swimmer.x));
    }

    /// Moves all, as bullets are.
    pub(super) fn fly(&mut self) {
        self.get_mut().iter_mut().for_each(|bullet| bullet.x += bullet.way());
        self.retain(|bullet| on_screen(bullet.x));
    }

    pub(super) fn is_at(&self, x: u8, y: u8) -> bool {
        self.get().iter().any(|one| (one.x, one.y) == (x as i8, y))
    }

    /// Takes away what these bullets hit, one each, and the bullets that do. How many.
    pub(super) fn shot_by<const M: usize>(&mut self, bullets: &mut Swarm<M>) -> i32 {
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

    pub(super) fn show(&self, picture: &mut Picture<'_>, channel: usize, leaves_trail: bool) {
        for one in self.get() {
            picture.set(one.y, one.x, channel);
            if leaves_trail {
                picture.set(one.y, one.x - one.way(), TRAIL);
            }
        }
    }

    pub(super) fn save(&self, state: &mut Vec<u64>) {
        put(state, [self.len as i64]);
        for one in self.get() {
            put(state, [one.x.into(), one.y.into(), one.rightwards.into(), one.timer.into(), one.shot.into()]);
        }
    }

    pub(super) fn restore(words: &mut Words<'_>) -> Option<Self> {
        let len = words.number(0..=N as i64)?;
        let mut swarm = Self { len, ..Self::default() };
        for one in swarm.get_mut() {
            let (x, y, rightwards) = (words.number(0..=9)?, words.number(0..=DEEPEST.into())?, words.flag()?);
            *one = Swimmer {
                x,
                y,
                rightwards,
                timer: words.number(0..=MOVE.into())?,
                shot: words.number(0..=ENEMY_SHOT.into())?,
            };
        }
        Some(swarm)
    }
}
