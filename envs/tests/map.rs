//! Maps from text: what is read, and what is refused with a reason.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uphill_envs::{Cell, EnvError, GridWorld, GridWorldConfig, Map, MapError};

fn parse(text: &str) -> Result<Map, MapError> {
    Map::parse(text, &BTreeMap::new())
}

#[test]
fn a_map_is_read_cell_by_cell() {
    let map = Map::parse("\nS.#\n..$\nOCG\n\n", &BTreeMap::from([('$', 2.5)])).unwrap();
    assert_eq!((map.rows(), map.columns()), (3, 3));
    assert_eq!(map.cells()[..3], [Cell::Start, Cell::Floor, Cell::Wall]);
    assert_eq!(map.cells()[3..], [Cell::Floor, Cell::Floor, Cell::Reward(2.5), Cell::Pit, Cell::Cliff, Cell::Goal]);
    assert_eq!(map.starts(), [0]);
    assert_eq!(map.row_column(5), (1, 2));
    assert_eq!(parse("S.\r\n.G\r\n"), parse("S.\n.G"));
}

#[test]
fn each_fault_is_told_with_its_place() {
    let known = "`S`, `G`, `#`, `.`, `O`, `C`";
    let no_way = "no way leads through `#` (a wall), `O` (a pit, which ends the episode) or `C` (a cliff, which sends \
                  back to a start)";
    let blank = "leave it out, or write `.` for floor and `#` for wall";
    let cases = [
        ("", "the map is empty: it needs at least a start `S` and a goal `G`".to_string()),
        ("\n\n", "the map is empty: it needs at least a start `S` and a goal `G`".into()),
        (".G\n..", "the map has no start: mark at least one cell with `S`".into()),
        ("S.\n..", "the map has no goal: mark at least one cell with `G`".into()),
        ("\n.S\n##\nSG", format!("no goal can be reached from the start at line 2, column 2 of the map: {no_way}")),
        ("S.\n.x\n.G", format!("line 2, column 2 of the map holds 'x', which is no cell; known are {known}")),
        ("\nS. \n..G", format!("line 2, column 3 of the map is a blank: {blank}")),
        ("S. \n.G", format!("line 1, column 3 of the map is a blank: {blank}")),
        ("S.\n .G\n", format!("line 2, column 1 of the map is a blank: {blank}")),
        ("S.\n.G\n\t", format!("line 3, column 1 of the map is a blank: {blank}")),
        ("S.\n\n.G", "line 2 of the map has 0 cells, most rows have 2: every row must be as long".into()),
        ("\nS..\n...\n.G", "line 4 of the map has 2 cells, most rows have 3: every row must be as long".into()),
        ("S...\n...\n..G", "line 1 of the map has 4 cells, most rows have 3: every row must be as long".into()),
        ("S.\n..G", "line 2 of the map has 3 cells, most rows have 2: every row must be as long".into()),
    ];
    for (text, message) in cases {
        assert_eq!(parse(text).map_err(|e| e.to_string()), Err(message), "{text:?}");
    }
}

#[test]
fn a_start_that_only_a_wall_pit_or_cliff_parts_from_the_goal_is_named() {
    for barrier in ['#', 'O', 'C'] {
        let text = format!("S.G\n{barrier}{barrier}{barrier}\n.S.");
        let found = parse(&text);
        assert_eq!(found, Err(MapError::UnreachableGoal { line: 3, column: 2 }), "{text}");
    }
    // A goal ends the episode: there is no way through it either, nor need there be.
    assert!(parse("SGS").is_ok());
}

#[test]
fn a_map_may_be_as_large_as_the_limit_and_no_larger() {
    let row = |width: usize| format!("S{}G", ".".repeat(width - 2));
    assert!(parse(&vec![row(Map::MAX_SIDE); Map::MAX_SIDE].join("\n")).is_ok());
    let (rows, columns) = (1, Map::MAX_SIDE + 1);
    assert_eq!(parse(&row(columns)), Err(MapError::TooLarge { rows, columns }));
    let (rows, columns) = (Map::MAX_SIDE + 1, 2);
    assert_eq!(parse(&vec!["SG"; rows].join("\n")), Err(MapError::TooLarge { rows, columns }));
}

#[test]
fn own_characters_must_be_visible_and_free() {
    for character in ['S', 'G', '#', '.', 'O', 'C', ' ', '\t', '\n', '\0'] {
        let found = Map::parse("SG", &BTreeMap::from([(character, 1.0)]));
        assert!(matches!(found, Err(MapError::Reserved { character: c, .. }) if c == character), "{found:?}");
    }
    let unknown = Map::parse("S?G", &BTreeMap::from([('$', 1.0)])).unwrap_err().to_string();
    assert!(unknown.ends_with("`C`, `$`"), "{unknown}");
}

#[test]
fn a_grid_world_hands_the_map_error_on() {
    let config = GridWorldConfig { map: "S".into(), ..GridWorldConfig::default() };
    assert_eq!(GridWorld::new(config).unwrap_err(), EnvError::Map(MapError::NoGoal));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*|[SG#.OC\r\n\\$ ]{0,80}", reward in any::<f32>()) {
        let _ = Map::parse(&text, &BTreeMap::from([('$', reward)]));
    }

    /// A text of known cells is a map, or one of the faults that such a text can have; a map has all its cells.
    #[test]
    fn a_map_of_known_cells_is_read_whole(rows in 1_usize..6, columns in 1_usize..6, seed in any::<u64>()) {
        let mut rng = uphill_envs::NumpyRng::new(seed);
        let kinds = ['S', 'G', '#', '.', 'O', 'C', '.', '.'];
        let lines: Vec<String> = (0..rows)
            .map(|_| (0..columns).map(|_| kinds[rng.categorical([0.125; 8])]).collect())
            .collect();
        match parse(&lines.join("\n")) {
            Ok(map) => {
                prop_assert_eq!((map.rows(), map.columns()), (rows, columns));
                for (cell, character) in map.cells().iter().zip(lines.concat().chars()) {
                    prop_assert_eq!(*cell == Cell::Start, character == 'S');
                    prop_assert_eq!(*cell == Cell::Wall, character == '#');
                }
                let config = GridWorldConfig { map: lines.join("\n"), ..GridWorldConfig::default() };
                prop_assert!(GridWorld::new(config).unwrap().model().is_ok());
            }
            Err(MapError::NoStart) => prop_assert!(!lines.concat().contains('S')),
            Err(MapError::NoGoal) => prop_assert!(!lines.concat().contains('G')),
            Err(error) => prop_assert!(matches!(error, MapError::UnreachableGoal { .. }), "{}", error),
        }
    }
}
