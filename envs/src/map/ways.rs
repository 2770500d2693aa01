//! The shortest ways over a map.

use super::{Cell, Map, MapError};
use crate::EnvError;

/// Which cells a step leads to from each: for cell `i` those at `ends[i]..ends[i + 1]` of `cells`.
struct Sources {
    ends: Vec<usize>,
    cells: Vec<usize>,
}

impl Sources {
    /// The cells from which a step may lead to each; `steps` calls its second argument with every cell that one from its
    /// first may lead to.
    fn new(len: usize, steps: impl Fn(usize, &mut dyn FnMut(usize))) -> Self {
        let mut ends = vec![0; len + 1];
        (0..len).for_each(|cell| steps(cell, &mut |next| ends[next + 1] += 1));
        (0..len).for_each(|cell| ends[cell + 1] += ends[cell]);
        let mut places = ends.clone();
        let mut cells = vec![0; ends[len]];
        for cell in 0..len {
            steps(cell, &mut |next| {
                cells[places[next]] = cell;
                places[next] += 1;
            });
        }
        Self { ends, cells }
    }

    fn of(&self, cell: usize) -> &[usize] {
        &self.cells[self.ends[cell]..self.ends[cell + 1]]
    }
}

impl Map {
    /// Every start must reach a goal, by these steps: see [`Sources::new`].
    pub(crate) fn check_goals(&self, steps: impl Fn(usize, &mut dyn FnMut(usize))) -> Result<(), MapError> {
        let ways = self.ways(self.goals(), steps, false);
        match self.starts.iter().find(|&&start| ways[start].is_none()) {
            None => Ok(()),
            Some(&start) => {
                let (line, column) = self.line_column(start);
                Err(MapError::UnreachableGoal { line, column })
            }
        }
    }

    /// Every start must reach every one of these goals, all of which may be walked on. That is so if one start does, and all
    /// others reach that one.
    pub(crate) fn check_all_goals(
        &self,
        goals: &[usize],
        steps: impl Fn(usize, &mut dyn FnMut(usize)),
    ) -> Result<(), MapError> {
        let apart = |from, cell| {
            let (line, column) = self.line_column(cell);
            Err(MapError::Apart { from, line, column })
        };
        let Some(&first) = self.starts.first() else { return Ok(()) };
        let back = self.ways(vec![first], &steps, false);
        if let Some(&start) = self.starts[1..].iter().find(|&&start| back[start].is_none()) {
            return apart(true, start);
        }
        let mut is_found = vec![false; self.cells.len()];
        is_found[first] = true;
        let mut frontier = vec![first];
        while let Some(cell) = frontier.pop() {
            steps(cell, &mut |next| {
                if !is_found[next] {
                    is_found[next] = true;
                    frontier.push(next);
                }
            });
        }
        goals.iter().find(|&&goal| !is_found[goal]).map_or(Ok(()), |&goal| apart(false, goal))
    }

    /// Refuses a limit of steps within which no luck leads from some start to a goal.
    pub(crate) fn check_limit(&self, limit: u32, steps: impl Fn(usize, &mut dyn FnMut(usize))) -> Result<(), EnvError> {
        let ways = self.ways(self.goals(), steps, true);
        let way = |start: usize| ways[start].unwrap_or(u32::MAX);
        match self.starts.iter().copied().max_by_key(|&start| way(start)).filter(|&start| way(start) > limit) {
            None => Ok(()),
            Some(start) => {
                let (row, column) = self.row_column(start);
                Err(EnvError::LimitTooShort { limit, way: way(start), row: row + 1, column: column + 1 })
            }
        }
    }

    /// The steps of the shortest way from each cell to one of `ends`, with any luck: one that slips aside may be lucky, and so
    /// may, where that counts, one that a cliff sends to another start. `None` where no way leads.
    fn ways(
        &self,
        ends: Vec<usize>,
        steps: impl Fn(usize, &mut dyn FnMut(usize)),
        over_cliffs: bool,
    ) -> Vec<Option<u32>> {
        let sources = Sources::new(self.cells.len(), steps);
        let mut ways = vec![None; self.cells.len()];
        let mut frontier = ends;
        frontier.iter().for_each(|&end| ways[end] = Some(0));
        let mut at_a_start = !over_cliffs;
        for steps in 1.. {
            if frontier.is_empty() {
                break;
            }
            if !at_a_start && frontier.iter().any(|&cell| self.starts.binary_search(&cell).is_ok()) {
                // Over a cliff is on this start.
                at_a_start = true;
                frontier.extend((0..self.cells.len()).filter(|&i| self.cells[i] == Cell::Cliff));
            }
            let mut next = Vec::new();
            for source in frontier.iter().flat_map(|&cell| sources.of(cell)) {
                if ways[*source].is_none() {
                    ways[*source] = Some(steps);
                    next.push(*source);
                }
            }
            frontier = next;
        }
        ways
    }
}
