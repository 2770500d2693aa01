//! Maps from text: what is read, and what is refused with a reason.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uphill_envs::{Cell, EnvError, GridMoves, GridWorld, GridWorldConfig, Letters, Map, MapError};

fn parse(text: &str) -> Result<Map, MapError> {
    Map::parse(text, &Letters::default())
}

#[test]
fn a_map_is_read_cell_by_cell() {
    let letters = Letters::new([], &BTreeMap::new(), &BTreeMap::from([('$', 2.5)])).unwrap();
    let map = Map::parse("\nS.#\n..$\nOCG\n\n", &letters).unwrap();
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
    let no_way = "no way leads through a wall, a pit, which ends the episode, or a cliff, which sends back to a start";
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
        (
            "S.\n.G\n\t",
            format!("line 3, column 1 of the map is a blank: {blank}; it is no space, which alone can be declared"),
        ),
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
    let square = vec![row(1024); 1024].join("\n");
    assert_eq!(Map::MAX_CELLS, 1024 * 1024);
    assert!(parse(&square).is_ok());
    let (rows, columns) = (1025, 1024);
    assert_eq!(parse(&format!("{square}\n{}", row(1024))), Err(MapError::TooLarge { rows, columns }));
    assert!(parse(&row(Map::MAX_CELLS)).is_ok());
    let (rows, columns) = (1, Map::MAX_CELLS + 1);
    assert_eq!(parse(&row(columns)), Err(MapError::TooLarge { rows, columns }));
    // One long row among short ones is refused before anything as large as both is made.
    let (rows, columns) = (1025, 2048);
    let ragged = format!("{}\n{}", row(columns), vec!["SG"; 1024].join("\n"));
    assert_eq!(parse(&ragged), Err(MapError::TooLarge { rows, columns }));
}

#[test]
fn own_characters_must_be_visible_and_free() {
    let none = BTreeMap::new();
    for character in ['S', 'G', '#', '.', 'O', 'C', ' ', '\t', '\n', '\0'] {
        let found = Letters::new([], &none, &BTreeMap::from([(character, 1.0)]));
        let is_it = |e: &MapError| matches!(e, MapError::Reserved { character: c, .. } if *c == character);
        assert!(found.as_ref().is_err_and(is_it), "{found:?}");
    }
    let letters = Letters::new([], &none, &BTreeMap::from([('$', 1.0)])).unwrap();
    let unknown = Map::parse("S?G", &letters).unwrap_err().to_string();
    assert!(unknown.ends_with("`C`, `$`"), "{unknown}");
    // Twice the same is no way to say what it is; what is one by default may be another.
    let own = |kinds: &[(&'static str, &str, Cell)], goals: &[char]| {
        let goals = goals.iter().map(|&c| (c, 1.0)).collect();
        Letters::new(kinds.iter().copied(), &goals, &none).map_err(|e| e.to_string())
    };
    let (floor, walls) = (("floor", "x_", Cell::Floor), ("walls", "_", Cell::Wall));
    assert_eq!(
        own(&[floor, walls], &[]).unwrap_err(),
        "walls declares '_': take a visible character other than `x` of floor, `_` of floor"
    );
    assert_eq!(own(&[], &[' ']).unwrap_err(), "goals declares ' ': take a visible character");
    assert_eq!(
        own(&[("floor", "xx", Cell::Floor)], &[]).unwrap_err(),
        "floor declares 'x': take a visible character other than `x` of floor"
    );
    assert!(own(&[("pits", " ", Cell::Pit)], &[]).is_err());
    assert!(own(&[("floor", ". _", Cell::Floor), ("walls", "#", Cell::Wall)], &['O', 'G']).is_ok());
}

/// A grid world of this map.
fn world(map: &str) -> GridWorldConfig {
    GridWorldConfig { map: map.into(), ..GridWorldConfig::default() }
}

#[test]
fn a_map_is_read_in_the_letters_that_are_declared() {
    // As D4RL writes mazes: `O` is open.
    let config = GridWorldConfig { floor: "O".into(), random_start: true, ..world("#####\n#OOG#\n#####") };
    let read = GridWorld::new(config).unwrap();
    assert_eq!(read.map().cells()[6..9], [Cell::Floor, Cell::Floor, Cell::Goal]);
    assert_eq!(read.map().starts(), [6, 7]);
    // As pycolab does: blanks are floor, and several characters walls.
    let config = GridWorldConfig {
        floor: " ".into(),
        walls: "#X".into(),
        starts: "P".into(),
        pits: "~".into(),
        cliffs: "^".into(),
        goals: [('A', 1.0), ('B', 10.0)].into(),
        ..world("#X###\n#P A#\n#~^B#\n  ###")
    };
    let read = GridWorld::new(config.clone()).unwrap();
    use Cell::{Cliff, Floor, OwnGoal, Pit, Start, Wall};
    assert_eq!(read.map().cells()[..10], [Wall, Wall, Wall, Wall, Wall, Wall, Start, Floor, OwnGoal(1.0), Wall]);
    assert_eq!(read.map().cells()[10..], [Wall, Pit, Cliff, OwnGoal(10.0), Wall, Floor, Floor, Wall, Wall, Wall]);
    // What is declared away stands for nothing, and the message says what declares it.
    let said = |config: GridWorldConfig| GridWorld::new(config).unwrap_err().to_string();
    let unknown = said(GridWorldConfig { map: "P.A".into(), ..config.clone() });
    assert!(unknown.starts_with("line 1, column 2 of the map holds '.', which is no cell; known are "), "{unknown}");
    for name in ["floor", "walls", "starts", "pits", "cliffs", "goals", "cell_rewards"] {
        assert!(unknown.contains(&format!("`{name}`")), "{unknown}");
    }
    assert!(said(world("S G")).contains(r#"floor = " " says so"#));
    assert_eq!(said(GridWorldConfig { map: "SA".into(), ..config.clone() }).lines().count(), 1);
    let lacks = |map: &str| said(GridWorldConfig { map: map.into(), ..config.clone() });
    assert_eq!(lacks(" A"), "the map has no start: mark at least one cell with `P`");
    assert_eq!(lacks("P "), "the map has no goal: mark at least one cell with `G`, `A`, `B`");
    let none = GridWorldConfig { starts: String::new(), ..world(".G") };
    assert_eq!(said(none), "the map has no start: mark at least one cell with a character that `starts` declares");
    // A lake has no such arguments, and says nothing of them.
    assert!(!parse("S?G").unwrap_err().to_string().contains("floor ="));
}

#[test]
fn a_way_is_one_that_the_moves_and_the_wind_allow() {
    // Kings pass between corners.
    assert!(matches!(GridWorld::new(world("S#\n#G")), Err(EnvError::Map(MapError::UnreachableGoal { .. }))));
    let eight = GridWorldConfig { moves: GridMoves::Eight, ..world("S#\n#G") };
    assert!(GridWorld::new(eight.clone()).is_ok());
    assert!(GridWorld::new(GridWorldConfig { max_episode_steps: Some(1), ..eight }).is_ok());
    // Against a wind of 1 there is no way down.
    let windy = GridWorldConfig { wind: vec![1], ..world("S\n.\nG") };
    assert!(matches!(
        GridWorld::new(windy.clone()),
        Err(EnvError::Map(MapError::UnreachableGoal { line: 1, column: 1 }))
    ));
    assert!(GridWorld::new(GridWorldConfig { stochastic_wind: true, ..windy }).is_ok());
    let up = GridWorldConfig { wind: vec![1], max_episode_steps: Some(1), ..world("G\n.\nS") };
    assert!(GridWorld::new(up).is_ok());
}

#[test]
fn a_grid_world_hands_the_map_error_on() {
    let config = GridWorldConfig { map: "S".into(), ..GridWorldConfig::default() };
    assert_eq!(GridWorld::new(config).unwrap_err(), EnvError::Map(MapError::NoGoal { known: "`G`".into() }));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*|[SG#.OC\r\n\\$ ]{0,80}", reward in any::<f32>()) {
        let letters = Letters::new([], &BTreeMap::new(), &BTreeMap::from([('$', reward)]));
        let _ = Map::parse(&text, &letters.unwrap());
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
            Err(MapError::NoStart { .. }) => prop_assert!(!lines.concat().contains('S')),
            Err(MapError::NoGoal { .. }) => prop_assert!(!lines.concat().contains('G')),
            Err(error) => prop_assert!(matches!(error, MapError::UnreachableGoal { .. }), "{}", error),
        }
    }
}
