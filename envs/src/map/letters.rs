//! What the characters of a map stand for.

use std::collections::BTreeMap;

use crate::MapError;

/// What one character of a map stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell {
    /// `.`: free to walk on.
    Floor,
    /// `S`: floor on which episodes start.
    Start,
    /// `G`: a goal.
    Goal,
    /// A goal that pays this reward on entering.
    OwnGoal(f32),
    /// `#`: cannot be entered.
    Wall,
    /// `O`: terminates.
    Pit,
    /// `C`: sends back to a start.
    Cliff,
    /// Floor that pays this reward on entering.
    Reward(f32),
    /// Floor on which a box stands when an episode starts.
    Box,
}

impl Cell {
    /// Whether it is floor, on which an episode goes on in any case.
    pub(crate) fn is_floor(self) -> bool {
        matches!(self, Cell::Floor | Cell::Start | Cell::Reward(_) | Cell::Box)
    }

    /// Whether it is a goal.
    pub(crate) fn is_goal(self) -> bool {
        matches!(self, Cell::Goal | Cell::OwnGoal(_))
    }
}

/// The characters that a map may be written in. By default `S` a start, `G` a goal, `#` a wall, `.` floor, `O` a pit, `C` a
/// cliff.
///
/// ```
/// use std::collections::BTreeMap;
/// use uphill_envs::{Cell, Letters, Map};
///
/// let letters = Letters::new([("floor", " ", Cell::Floor)], &BTreeMap::from([('A', 2.0)]), &BTreeMap::new())?;
/// let map = Map::parse("S A", &letters)?;
/// assert_eq!(map.cells(), [Cell::Start, Cell::Floor, Cell::OwnGoal(2.0)]);
/// # Ok::<(), uphill_envs::MapError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Letters(Vec<(char, Cell)>);

/// The characters that stand for something unless another is declared to.
const KNOWN: [(char, Cell); 6] = [
    ('S', Cell::Start),
    ('G', Cell::Goal),
    ('#', Cell::Wall),
    ('.', Cell::Floor),
    ('O', Cell::Pit),
    ('C', Cell::Cliff),
];

/// How many characters of one's own are named where one is not known.
const NAMED: usize = 32;

impl Default for Letters {
    fn default() -> Self {
        Self(KNOWN.into())
    }
}

impl Letters {
    /// The characters that stand for some kinds of cell, each kind with what declares it and all characters that stand for
    /// it; other kinds keep theirs. What is declared goes before what a character stands for by default.
    ///
    /// `goals` are goals and `cell_rewards` floor that pay so much on entering; the latter need characters that stand for
    /// nothing else. A blank can be floor or wall.
    ///
    /// # Errors
    /// [`MapError::Reserved`] for a character that cannot be seen or is declared twice.
    pub fn new<'a>(
        kinds: impl IntoIterator<Item = (&'static str, &'a str, Cell)>,
        goals: &BTreeMap<char, f32>,
        cell_rewards: &BTreeMap<char, f32>,
    ) -> Result<Self, MapError> {
        let mut letters = Self::default();
        let mut declared: Vec<(char, Cell, &str)> = Vec::new();
        let mut declare = |argument, character: char, cell| {
            let can_be_seen = !character.is_whitespace() && !character.is_control();
            let may_be_blank = character == ' ' && matches!(cell, Cell::Floor | Cell::Wall);
            if !(can_be_seen || may_be_blank) || declared.iter().any(|&(other, ..)| other == character) {
                let known: Vec<String> = declared.iter().map(|(c, _, by)| format!("`{c}` of {by}")).collect();
                return Err(MapError::Reserved { argument, character, known: known.join(", ") });
            }
            declared.push((character, cell, argument));
            Ok(())
        };
        for (argument, characters, cell) in kinds {
            letters.0.retain(|&(character, known)| known != cell || characters.contains(character));
            let own = |character: &char| !KNOWN.contains(&(*character, cell));
            characters.chars().filter(own).try_for_each(|character| declare(argument, character, cell))?;
        }
        goals.iter().try_for_each(|(&character, &reward)| declare("goals", character, Cell::OwnGoal(reward)))?;
        letters.0.retain(|(character, _)| declared.iter().all(|(other, ..)| other != character));
        letters.0.extend(declared.into_iter().map(|(character, cell, _)| (character, cell)));
        for (&character, &reward) in cell_rewards {
            if character.is_whitespace() || character.is_control() || letters.read(character).is_some() {
                return Err(MapError::Reserved { argument: "cell_rewards", character, known: letters.known() });
            }
            letters.0.push((character, Cell::Reward(reward)));
        }
        Ok(letters)
    }

    /// The same where characters that stand for nothing else are floor; `argument` is what declares them.
    pub(crate) fn or_floor(
        mut self,
        argument: &'static str,
        mut characters: impl Iterator<Item = char>,
    ) -> Result<Self, MapError> {
        characters.try_for_each(|character| {
            if self.read(character).is_none() {
                if character.is_whitespace() || character.is_control() {
                    return Err(MapError::Reserved { argument, character, known: String::new() });
                }
                self.0.push((character, Cell::Floor));
            }
            Ok(())
        })?;
        Ok(self)
    }

    /// What a character stands for.
    pub(super) fn read(&self, character: char) -> Option<Cell> {
        self.0.iter().find(|(known, _)| *known == character).map(|&(_, cell)| cell)
    }

    /// Those that stand for something, as errors name them.
    pub(super) fn known(&self) -> String {
        list(self.0.iter().map(|&(character, _)| character).take(KNOWN.len() + NAMED))
    }

    /// Those that stand for such a cell, as errors name them; without any, the argument that declares one.
    pub(crate) fn of(&self, argument: &str, is_meant: impl Fn(Cell) -> bool) -> String {
        let meant: Vec<char> = self.0.iter().filter(|(_, cell)| is_meant(*cell)).map(|&(c, _)| c).collect();
        if meant.is_empty() { format!("a character that `{argument}` declares") } else { list(meant.into_iter()) }
    }
}

/// `S`, `G`, ...
fn list(characters: impl Iterator<Item = char>) -> String {
    characters.map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ")
}
