//! Seaquest.

use crate::Colour;

use super::rules::{Chance, Move, Picture, Rules, Words, moved, put};
use super::swarm::{DEEPEST, ENEMY_SHOT, MOVE, Swarm, Swimmer};

const OXYGEN: i16 = 200;
/// The most divers on board.
const CREW: u8 = 6;
const COOL_DOWN: u8 = 5;
/// Frames from one enemy to the next, and from one diver to the next.
const SPAWN: u8 = 20;
const DIVER: u8 = 30;
/// What [`MOVE`] comes down to.
const FASTEST_MOVE: u8 = 2;

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

impl Rules for Seaquest {
    const NAME: &'static str = "Seaquest";
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
                    self.submarines.push(enemy);
                } else {
                    self.fish.push(enemy);
                }
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

#[cfg(test)]
mod tests {
    use super::super::recorded::{Told, shown};
    use super::*;

    /// Under water, in row 4, column 5, where nothing comes for a while.
    fn under_water() -> Seaquest {
        Seaquest { y: 4, at_surface: false, ..Seaquest::start(&mut Told(&[])) }
    }

    fn play(game: &mut Seaquest, action: Move) -> (i32, bool) {
        game.advance(action, true, &mut Told(&[]))
    }

    fn of<const N: usize>(swimmers: &[Swimmer]) -> Swarm<N> {
        let mut swarm = Swarm::default();
        swimmers.iter().for_each(|&one| swarm.push(one));
        swarm
    }

    fn at(x: i8, y: u8, rightwards: bool) -> Swimmer {
        Swimmer { x, ..Swimmer::new(rightwards, y, 5) }
    }

    #[test]
    fn the_submarine_moves_and_faces_the_way_that_it_went() {
        let mut game = under_water();
        for (action, place) in [
            (Move::Right, (6, 4, true)),
            (Move::Up, (6, 3, true)),
            (Move::Left, (5, 3, false)),
            (Move::Down, (5, 4, false)),
        ] {
            play(&mut game, action);
            assert_eq!((game.x, game.y, game.rightwards), place);
        }
        let on = shown(&game, 10);
        assert!(on.contains(&450) && on.contains(&461), "front, and back behind it");
        game.y = 8;
        play(&mut game, Move::Down);
        assert_eq!(game.y, 8);
    }

    #[test]
    fn bullets_fly_a_cell_a_frame_and_one_comes_every_fifth() {
        let mut game = Seaquest { rightwards: true, ..under_water() };
        let at = [(); 7].map(|()| {
            play(&mut game, Move::Fire);
            game.bullets.get().iter().map(|b| b.x).collect::<Vec<_>>()
        });
        assert_eq!(at, [vec![6], vec![7], vec![8], vec![9], vec![], vec![6], vec![7]]);
    }

    #[test]
    fn an_enemy_that_is_shot_pays_and_is_gone_with_the_bullet() {
        let bullet = of(&[at(2, 6, true)]);
        let mut game = Seaquest { fish: of(&[at(3, 6, true), at(7, 6, true)]), bullets: bullet, ..under_water() };
        assert_eq!((play(&mut game, Move::Stay), game.fish.len, game.bullets.len), ((1, false), 1, 0));
        let mut game = Seaquest { submarines: of(&[at(3, 6, true)]), bullets: bullet, ..under_water() };
        assert_eq!((play(&mut game, Move::Stay), game.submarines.len, game.bullets.len), ((1, false), 0, 0));
        // One that comes to where the bullet is, too.
        let near = of(&[Swimmer { timer: 0, ..at(4, 6, false) }]);
        let mut game = Seaquest { fish: near, bullets: bullet, ..under_water() };
        assert_eq!((play(&mut game, Move::Stay), game.fish.len, game.bullets.len), ((1, false), 0, 0));
    }

    #[test]
    fn enemies_and_their_bullets_end_the_game_at_the_submarine_s_front() {
        let still = at(5, 4, true);
        let comes = Swimmer { timer: 0, ..at(4, 4, true) };
        let away = Swimmer { timer: 0, ..at(6, 4, true) };
        let leaves = Swimmer { timer: 0, ..still };
        for (enemy, ended) in [(still, true), (comes, true), (leaves, true), (away, false), (at(5, 5, true), false)] {
            let mut game = Seaquest { fish: of(&[enemy]), ..under_water() };
            assert_eq!(play(&mut game, Move::Stay), (0, ended), "a fish, {enemy:?}");
            let mut game = Seaquest { submarines: of(&[enemy]), ..under_water() };
            assert_eq!(play(&mut game, Move::Stay), (0, ended), "a submarine, {enemy:?}");
            let mut game = Seaquest { enemy_bullets: of(&[enemy]), ..under_water() };
            assert_eq!(play(&mut game, Move::Stay), (0, ended), "a bullet, {enemy:?}");
        }
    }

    #[test]
    fn submarines_fire_the_way_that_they_go_and_fish_do_not() {
        let mut game =
            Seaquest { y: 8, submarines: of(&[at(0, 6, true)]), fish: of(&[at(0, 2, true)]), ..under_water() };
        let mut bullet = None;
        let shots = (1..=25).filter(|_| {
            game.spawn_timer = 9;
            play(&mut game, Move::Stay);
            bullet =
                bullet.or(game.enemy_bullets.get().first().copied().map(|bullet| (bullet, game.submarines.get()[0].x)));
            game.submarines.get()[0].shot == ENEMY_SHOT
        });
        assert_eq!(shots.collect::<Vec<_>>(), [11, 22], "a frame after ten");
        let (bullet, x) = bullet.expect("a bullet");
        assert_eq!((bullet.x, bullet.y, bullet.rightwards), (x + 1, 6, true));
    }

    #[test]
    fn enemies_come_every_20_frames_unless_one_would_meet_another() {
        let mut game = Seaquest { spawn_timer: 0, ..under_water() };
        game.advance(Move::Stay, true, &mut Told(&[1, 0, 6]));
        assert_eq!(
            (game.submarines.get(), game.spawn_timer),
            (&[Swimmer { timer: 4, shot: 9, ..at(9, 7, false) }][..], 19)
        );
        for (draws, comes) in [([0, 1, 6], false), ([1, 1, 6], true), ([0, 1, 5], true)] {
            let mut game = Seaquest { spawn_timer: 0, ..game };
            game.advance(Move::Stay, true, &mut Told(&draws));
            assert_eq!((game.fish.len == 1, game.spawn_timer), (comes, 19), "{draws:?}");
        }
    }

    #[test]
    fn divers_come_on_board_and_six_are_the_most() {
        let mut game = Seaquest { diver_timer: 0, ..under_water() };
        game.advance(Move::Stay, true, &mut Told(&[0, 2]));
        assert_eq!((game.divers.get()[0].x, game.divers.get()[0].y, game.diver_timer), (0, 3, 29));
        let there = Seaquest { divers: of(&[at(5, 4, true)]), ..under_water() };
        let comes = Seaquest { divers: of(&[Swimmer { timer: 0, ..at(4, 4, true) }]), ..under_water() };
        for mut game in [there, comes] {
            play(&mut game, Move::Stay);
            assert_eq!((game.on_board, game.divers.len), (1, 0));
        }
        let mut full = Seaquest { on_board: 6, ..there };
        play(&mut full, Move::Stay);
        assert_eq!((full.on_board, full.divers.len), (6, 1));
        assert_eq!(shown(&full, 10).iter().filter(|&&place| place / 100 == 9 && place % 10 == 8).count(), 6);
    }

    #[test]
    fn oxygen_goes_under_water_and_without_it_the_game_ends() {
        let mut game = under_water();
        play(&mut game, Move::Stay);
        assert_eq!(game.oxygen, 199);
        game.oxygen = 2;
        let played = [(); 3].map(|()| play(&mut game, Move::Stay).1);
        assert_eq!(played, [false, false, true]);
        let gauge = |oxygen| {
            shown(&Seaquest { oxygen, ..under_water() }, 10).iter().filter(|&&i| i / 100 == 9 && i % 10 == 7).count()
        };
        assert_eq!([200, 199, 20, 19, 0].map(gauge), [10, 9, 1, 0, 0]);
        let mut floats = Seaquest::start(&mut Told(&[]));
        play(&mut floats, Move::Stay);
        assert_eq!(floats.oxygen, 200, "not at the surface");
    }

    #[test]
    fn surfacing_takes_a_diver_or_pays_for_six_and_without_any_the_game_ends() {
        let comes_up = |on_board| {
            let mut game = Seaquest { y: 1, oxygen: 139, on_board, ..under_water() };
            let played = play(&mut game, Move::Up);
            assert!(game.at_surface && game.oxygen == 200);
            (played, game.on_board)
        };
        assert_eq!(comes_up(0), ((0, true), 0));
        assert_eq!(comes_up(1), ((0, false), 0));
        assert_eq!(comes_up(5), ((0, false), 4));
        assert_eq!(comes_up(6), ((6, false), 0));
        // Only coming up counts, not staying there.
        let mut game = Seaquest { on_board: 2, ..Seaquest::start(&mut Told(&[])) };
        assert_eq!((play(&mut game, Move::Stay), game.on_board), ((0, false), 2));
    }

    #[test]
    fn it_gets_harder_each_time_at_the_surface() {
        let speeds = |ramping| {
            let mut game = under_water();
            (0..21)
                .map(|_| {
                    (game.y, game.on_board, game.at_surface, game.spawn_timer, game.diver_timer) = (0, 2, false, 9, 9);
                    game.advance(Move::Stay, ramping, &mut Told(&[]));
                    (game.spawn_speed, game.move_speed)
                })
                .collect::<Vec<_>>()
        };
        let hard = speeds(true);
        assert_eq!(hard[..7], [(19, 5), (18, 4), (17, 4), (16, 3), (15, 3), (14, 2), (13, 2)]);
        assert_eq!(hard[18..], [(1, 2); 3]);
        assert_eq!(speeds(false), [(20, 5); 21]);
    }
}
