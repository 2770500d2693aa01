//! The rules of boxes over again, written apart from the environment, and worlds of random maps to hold both against each other.

use std::collections::{BTreeMap, BTreeSet};

use uphill_envs::{GridMoves, GridWorld, GridWorldConfig, NumpyRng};

/// `B` a box, `T` a target, `*` a box on one, `w` where a box is a burden; whole rewards, so that sums are exact.
pub(crate) fn config(map: &str) -> GridWorldConfig {
    GridWorldConfig {
        map: map.into(),
        boxes: "B*".into(),
        box_rewards: [('T', 4.0), ('*', 4.0), ('w', -2.0)].into(),
        cell_rewards: [('x', 3.0)].into(),
        step_reward: -1.0,
        goal_reward: 9.0,
        pit_reward: -5.0,
        ..GridWorldConfig::default()
    }
}

/// The rules over again, on characters and pairs of numbers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Yard {
    pub(crate) walker: (i32, i32),
    pub(crate) boxes: BTreeSet<(i32, i32)>,
    pub(crate) over: bool,
}

pub(crate) struct Rules {
    pub(crate) rows: Vec<Vec<char>>,
    pub(crate) wind: Vec<i32>,
    pub(crate) targets_end: bool,
}

pub(crate) const MOVES: [(i32, i32); 9] =
    [(-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1), (0, 0)];

impl Rules {
    pub(crate) fn at(&self, (row, column): (i32, i32)) -> char {
        let row = usize::try_from(row).ok().and_then(|row| self.rows.get(row));
        row.and_then(|row| row.get(usize::try_from(column).ok()?)).copied().unwrap_or('#')
    }

    pub(crate) fn all(&self, letters: &str) -> impl Iterator<Item = (i32, i32)> {
        let places =
            self.rows.iter().enumerate().flat_map(|(r, row)| row.iter().enumerate().map(move |(c, &x)| (r, c, x)));
        places.filter(move |(.., x)| letters.contains(*x)).map(|(r, c, _)| (r as i32, c as i32))
    }

    pub(crate) fn begin(&self) -> Yard {
        Yard { walker: self.all("S").next().unwrap(), boxes: self.all("B*").collect(), over: false }
    }

    /// What all boxes are worth where they lie.
    pub(crate) fn worth(&self, boxes: &BTreeSet<(i32, i32)>) -> f64 {
        let worth = |&at| match self.at(at) {
            'T' | '*' => 4.0,
            'w' => -2.0,
            _ => 0.0,
        };
        boxes.iter().map(worth).sum()
    }

    pub(crate) fn step(&self, yard: &Yard, (mut down, right): (i32, i32)) -> (Yard, f64) {
        let (row, column) = yard.walker;
        let mut wind = self.wind[column as usize];
        if wind > 0 && down == 1 {
            (wind, down) = (wind - 1, 0);
        }
        let mut next = yard.clone();
        let ahead = (row + down, column + right);
        let behind = (row + 2 * down, column + 2 * right);
        if yard.boxes.contains(&ahead) {
            if self.at(behind) != '#' && !yard.boxes.contains(&behind) {
                next.boxes.remove(&ahead);
                next.boxes.insert(behind);
                next.walker = ahead;
            }
        } else if self.at(ahead) != '#' {
            next.walker = ahead;
        }
        while wind > 0 {
            let above = (next.walker.0 - 1, next.walker.1);
            if self.at(above) == '#' || next.boxes.contains(&above) {
                break;
            }
            next.walker = above;
            wind -= 1;
        }
        let is_done = self.targets_end && self.all("T*").all(|target| next.boxes.contains(&target));
        let (pays, over) = match self.at(next.walker) {
            _ if is_done => (9.0, true),
            _ if next.walker == yard.walker => (-1.0, false),
            'G' => (9.0, true),
            'O' => (-5.0, true),
            'x' => (3.0, false),
            _ => (-1.0, false),
        };
        next.over = over;
        let pays = pays + self.worth(&next.boxes) - self.worth(&yard.boxes);
        (next, pays)
    }

    pub(crate) fn cell(&self, (row, column): (i32, i32)) -> usize {
        row as usize * self.rows[0].len() + column as usize
    }

    pub(crate) fn cells(&self, yard: &Yard) -> (usize, Vec<usize>) {
        (self.cell(yard.walker), yard.boxes.iter().map(|&at| self.cell(at)).collect())
    }
}

/// So many worlds of random maps that are not refused, with their rules.
pub(crate) fn random_worlds(count: usize, seed: u64, most_cells: usize) -> Vec<(GridWorldConfig, GridWorld, Rules)> {
    let mut rng = NumpyRng::new(seed);
    let mut found = Vec::new();
    while found.len() < count {
        let mut below = |n: usize| (rng.random() * n as f64) as usize;
        let (rows, columns) = (2 + below(4), 2 + below(5));
        let mut letter = || char::from(b"............##BB*TTwxO"[below(22)]);
        let mut map: Vec<Vec<char>> = (0..rows).map(|_| (0..columns).map(|_| letter()).collect()).collect();
        map[below(rows)][below(columns)] = 'S';
        map[below(rows)][below(columns)] = 'G';
        let is_windy = below(3) == 0;
        let wind: Vec<u32> = (0..columns).map(|_| if is_windy { below(3) as u32 } else { 0 }).collect();
        let targets_end = below(2) == 0;
        let moves = [GridMoves::Four, GridMoves::Eight, GridMoves::Nine][below(3)];
        let text = map.iter().map(String::from_iter).collect::<Vec<_>>().join("\n");
        let limit = None;
        let world =
            GridWorldConfig { wind: wind.clone(), targets_end, moves, max_episode_steps: limit, ..config(&text) };
        let wind = wind.into_iter().map(|strength| strength as i32).collect();
        if let Some(env) = GridWorld::new(world.clone()).ok().filter(|_| rows * columns <= most_cells) {
            found.push((world, env, Rules { rows: map, wind, targets_end }));
        }
    }
    found
}

/// What the best policy earns within so many steps from each state that can be reached, by the rules alone: each of the three
/// directions of a slip pushes as it would if it were meant.
pub(crate) fn best_by_hand(rules: &Rules, moves: usize, slip: f64, steps: usize) -> (BTreeSet<Yard>, f64) {
    let aside = |action: usize, by: usize| match action / 4 {
        circle @ (0 | 1) => MOVES[4 * circle + (action + by) % 4],
        _ => MOVES[action],
    };
    let ways =
        |action| [(aside(action, 0), 1.0 - slip), (aside(action, 1), slip / 2.0), (aside(action, 3), slip / 2.0)];
    let mut found = BTreeSet::from([rules.begin()]);
    let mut frontier = vec![rules.begin()];
    while let Some(yard) = frontier.pop().filter(|_| found.len() < 3000) {
        let next = (0..moves).flat_map(ways).map(|(way, _)| rules.step(&yard, way).0);
        let next: Vec<Yard> = if yard.over { Vec::new() } else { next.collect() };
        frontier.extend(next.into_iter().filter(|next| found.insert(next.clone())));
    }
    let mut values: BTreeMap<&Yard, f64> = found.iter().map(|yard| (yard, 0.0)).collect();
    for _ in 0..if found.len() < 3000 { steps } else { 0 } {
        let value = |yard: &Yard| {
            let of = |action| {
                let worth = |(way, p): ((i32, i32), f64)| {
                    let (next, pays) = rules.step(yard, way);
                    p * (pays + values[&next])
                };
                ways(action).map(worth).iter().sum::<f64>()
            };
            if yard.over { 0.0 } else { (0..moves).map(of).fold(f64::NEG_INFINITY, f64::max) }
        };
        values = found.iter().map(|yard| (yard, value(yard))).collect();
    }
    let best = values[&rules.begin()];
    (found, best)
}
