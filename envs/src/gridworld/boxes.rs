//! Boxes that are pushed.

use super::GridWorldConfig;
use crate::{Cell, EnvError, Map, counted, map::Direction, shown};

/// The boxes of a map and what they pay, which no episode changes. Where they stand is a list of cells, ascending: one box is
/// like another.
#[derive(Debug)]
pub(super) struct Boxes {
    first: Vec<usize>,
    /// What a box pays on each cell; empty where it pays nowhere.
    rewards: Vec<f32>,
    /// How many cells pay more than 0.
    targets: usize,
    targets_end: bool,
}

/// A box that a move pushes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Push {
    from: usize,
    to: usize,
}

impl Boxes {
    /// Those of this map, which is the configuration's.
    pub(super) fn new(config: &GridWorldConfig, map: &Map) -> Result<Self, EnvError> {
        let impossible = |name, value: String, expected| Err(EnvError::Option { name, value, expected });
        let first: Vec<usize> = (0..map.cells().len()).filter(|&cell| map.cells()[cell] == Cell::Box).collect();
        if !first.is_empty() && map.cells().contains(&Cell::Cliff) {
            let expected = "a cliff sends back to a start, on which a box may stand by then: a map has boxes or cliffs";
            return impossible("boxes", counted_boxes(first.len()), expected);
        }
        let letters = config.map.lines().filter(|line| !line.is_empty()).flat_map(str::chars);
        let rewards: Vec<f32> = match config.box_rewards.is_empty() {
            true => Vec::new(),
            false => letters.map(|letter| config.box_rewards.get(&letter).copied().unwrap_or(0.0)).collect(),
        };
        let is_paid_in_a_wall = |(reward, &cell): (&f32, &Cell)| *reward != 0.0 && cell == Cell::Wall;
        if let Some(at) = rewards.iter().zip(map.cells()).position(is_paid_in_a_wall) {
            let expected = "it is what a box pays in a wall, where none comes to lie: take characters of other cells";
            return impossible("box_rewards", shown(rewards[at]), expected);
        }
        let targets = rewards.iter().filter(|&&reward| reward > 0.0).count();
        let boxes = Self { first, rewards, targets, targets_end: config.targets_end };
        if config.targets_end {
            if targets == 0 {
                let expected = "it takes a target on the map, a cell with box_rewards above 0";
                return impossible("targets_end", "true".into(), expected);
            }
            if boxes.first.len() < targets {
                let value = format!("{} for {}", counted_boxes(boxes.first.len()), counted(targets, "target"));
                return impossible("boxes", value, "with targets_end it takes a box for each target");
            }
            if boxes.are_done(&boxes.first) {
                let expected = "a box is on every target from the start: the episode would end before it begins";
                return impossible("targets_end", "true".into(), expected);
            }
        }
        Ok(boxes)
    }

    /// Where they stand when an episode starts.
    pub(super) fn first(&self) -> &[usize] {
        &self.first
    }

    /// Whether a box that comes to lie on this cell is paid for.
    pub(super) fn is_target(&self, cell: usize) -> bool {
        self.rewards.get(cell).is_some_and(|&reward| reward > 0.0)
    }

    /// What a push pays: what the box pays where it comes to lie, less what it paid where it lay.
    pub(super) fn reward(&self, Push { from, to }: Push) -> f32 {
        if self.rewards.is_empty() { 0.0 } else { self.rewards[to] - self.rewards[from] }
    }

    /// Whether boxes that stand here end the episode.
    pub(super) fn are_done(&self, boxes: &[usize]) -> bool {
        self.targets_end && boxes.iter().filter(|&&cell| self.is_target(cell)).count() == self.targets
    }

    /// The same after a push.
    pub(super) fn are_done_by(&self, boxes: &[usize], push: Push) -> bool {
        let on_targets = || boxes.iter().filter(|&&cell| cell != push.from && self.is_target(cell)).count();
        self.targets_end && self.is_target(push.to) && on_targets() + 1 == self.targets
    }
}

impl Push {
    /// The cell that a step in this direction enters and the box that it pushes there; `None` at a wall, at the map's edge, and
    /// at a box behind which one of these or another box is.
    pub(super) fn step(map: &Map, boxes: &[usize], cell: usize, direction: Direction) -> Option<(usize, Option<Push>)> {
        let from = map.neighbour(cell, direction)?;
        if !boxes.contains(&from) {
            return Some((from, None));
        }
        let to = map.neighbour(from, direction).filter(|to| !boxes.contains(to))?;
        Some((from, Some(Push { from, to })))
    }

    /// Whether the box is on this cell now.
    pub(super) fn ends_on(self, cell: usize) -> bool {
        self.to == cell
    }

    /// Moves the box.
    pub(super) fn apply(self, boxes: &mut [usize]) {
        if let Some(moved) = boxes.iter_mut().find(|cell| **cell == self.from) {
            *moved = self.to;
            boxes.sort_unstable();
        }
    }
}

fn counted_boxes(count: usize) -> String {
    if count == 1 { "1 box".into() } else { format!("{count} boxes") }
}
