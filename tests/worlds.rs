//! Grid worlds of one's own, from their files: what they are called, where their runs go, and what is said at the end.

use std::fs;
use std::path::Path;
use std::process::Output;

use safetensors::SafeTensors;
use sha2::{Digest, Sha256};
use uphill::catalogue::{Catalogue, EnvRow, MakeEnv};
use uphill::envs::{GridObservation, GridWorld, GridWorldConfig, TimeLimit};
use uphill::oracle::optimal_return;
use uphill::words::{Param, Row};
use uphill::{Config, RunFolder, Trainer};

mod programs;

const SHORT: &str = "--steps 200 --n-steps 32 --hidden 4 --quiet";

fn run(folder: &Path, program: &str, arguments: &str) -> Output {
    let mut program = programs::example(program);
    program.current_dir(folder).args(arguments.split_whitespace()).output().expect("the program runs")
}

fn succeeds(folder: &Path, program: &str, arguments: &str) -> String {
    let output = run(folder, program, arguments);
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// A folder with these files.
fn home(files: &[(&str, &str)]) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    home
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().expect("a name")).collect();
    names.sort();
    names
}

#[test]
fn each_world_has_a_default_folder_of_its_own_and_always_the_same() {
    let home = home(&[
        ("a.toml", "map = 'S.G'\n"),
        ("b.toml", "map = 'S..G'\n"),
        ("other/a.toml", "map = 'S...G'\n"),
        ("inline.toml", "[gridworld]\nmap = 'S....G'\n"),
        ("inline2.toml", "[gridworld]\nmap = 'S.....G'\n"),
    ]);
    for world in ["--env a.toml", "--env b.toml", "--env other/a.toml", "--config inline.toml", "--config inline2.toml"]
    {
        succeeds(home.path(), "train", &format!("{world} {SHORT}"));
    }
    let runs = names(&home.path().join("runs"));
    let starts: Vec<&str> = runs.iter().filter_map(|run| run.split('-').next()).collect();
    assert_eq!(starts, ["GridWorld", "GridWorld", "a", "a", "b"], "{runs:?}");
    assert!(runs.iter().all(|run| run.ends_with("-ppo-adam-s1")), "{runs:?}");
    // Said otherwise, the world is the same, and its folder taken.
    fs::write(home.path().join("a.toml"), "slip = 0.0\nmap = \"S.G\"\n").expect("a file");
    let said = String::from_utf8(run(home.path(), "train", &format!("--env a.toml {SHORT}")).stderr).expect("text");
    assert!(said.starts_with("error: runs/a-") && said.contains("already holds a run"), "{said}");
}

#[test]
fn the_default_folder_says_the_world_and_that_of_a_registered_name_is_as_it_was() {
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    let folder = |config: &Config| RunFolder::default_path(config).display().to_string();
    assert_eq!(folder(&ppo), "runs/CartPole-v1-ppo-adam-s1");
    let world = GridWorldConfig::default();
    let of = |world: GridWorldConfig| Config { env: world.into(), ..ppo.clone() };
    let world = GridWorldConfig { id: "lab/mine".into(), map: "S.G".into(), ..world };
    let path = folder(&of(world.clone()));
    let digits = path.strip_prefix("runs/lab-mine-").and_then(|rest| rest.strip_suffix("-ppo-adam-s1"));
    assert!(digits.is_some_and(|text| text.len() == 8 && text.chars().all(|c| c.is_ascii_hexdigit())), "{path}");
    assert_eq!(path, "runs/lab-mine-392927c6-ppo-adam-s1", "a digest that changes takes a run from its resume line");
    // What is said is the same world, however it is said.
    let said = r#"env = "GridWorld(id='lab/mine', map='S.G', slip=0)""#;
    assert_eq!(folder(&Config::from_toml(said).expect("a world")), path);
    let other = folder(&of(GridWorldConfig { id: "x".into(), ..world.clone() }));
    assert_eq!(other.replace("/x-", "/lab-mine-"), path);
    assert_ne!(folder(&of(GridWorldConfig { slip: 0.1, ..world.clone() })), path);
    // Signs of a map that no file name has count, too.
    let unnamed =
        |map: &str| folder(&Config::from_toml(&format!("env = \"GridWorld(map=['{map}'])\"")).expect("a world"));
    assert_ne!(unnamed("S..G.#"), unnamed("S..G.##"));
    assert!(unnamed("S.G").starts_with("runs/GridWorld-map-S.G-"), "{}", unnamed("S.G"));
    // What worlds have had since counts where it is not as by default.
    assert_ne!(folder(&of(GridWorldConfig { random_start: true, ..world })), path);
}

#[test]
fn settings_name_the_file_of_a_world_which_lies_beside_them() {
    let home = home(&[
        ("lab/settings.toml", "env = 'maze.toml'\nsteps = 200\n"),
        ("lab/grid.toml", "curve_points = 5\n[[tasks]]\nenv = 'maze.toml'\n[[tasks]]\nenv = 'GridWorld-4x4-v0'\n"),
        ("lab/maze.toml", "map = 'S.G'\n"),
        ("lab/gone.toml", "env = 'absent.toml'\n"),
    ]);
    succeeds(home.path(), "train", &format!("--config lab/settings.toml {SHORT} --out r"));
    let config = fs::read_to_string(home.path().join("r/config.toml")).expect("a configuration");
    let config = Config::from_toml(&config).expect("settings");
    assert_eq!(config.env.to_string(), r#"GridWorld(map=["S.G"], id="maze")"#);
    let grid =
        "--config lab/grid.toml --algos a2c --optimizers sgd --seeds 1 --protocols defaults --steps 200 --dry-run";
    assert!(succeeds(home.path(), "compare_optimizers", grid).starts_with("2 runs: 2 defaults"));
    // The command line goes over the file, whose world then need not be there.
    succeeds(home.path(), "train", &format!("--config lab/gone.toml --env lab/maze.toml {SHORT} --out over"));
    let said = String::from_utf8(run(home.path(), "train", "--config lab/gone.toml").stderr).expect("text");
    assert_eq!(said, "error: lab/absent.toml: No such file or directory (os error 2)\n");
}

#[test]
fn a_map_is_a_list_of_rows_in_every_file_and_on_the_command_line() {
    let home = home(&[
        ("rows.toml", "map = ['S..', 'O.G']\n"),
        ("bars.toml", "map = ['S|S', 'S|G']\ncell_rewards = { '|' = 0.5 }\n"),
        ("settings.toml", "env = { name = 'GridWorld', map = ['S|S', 'S|G'], cell_rewards = { '|' = 0.5 } }\n"),
        ("lone.toml", "env = 'GridWorld'\nmap = ['S|S', 'S|G']\ncell_rewards = ['|=0.5']\n"),
        (
            "grid.toml",
            "curve_points = 5\n[[tasks]]\nenv = { name = 'GridWorld', map = ['S|S', 'S|G'], id = 'm', cell_rewards = { '|' = 0.5 } }\n",
        ),
    ]);
    for (arguments, env) in [
        (&["--env", "rows.toml"][..], r#"GridWorld(map=["S..", "O.G"], id="rows")"#),
        (&["--env", "GridWorld", "--map", "S..", "O.G"], r#"GridWorld(map=["S..", "O.G"])"#),
        (&["--env", "bars.toml"], r#"GridWorld(map=["S|S", "S|G"], id="bars", cell_rewards=["|=0.5"])"#),
        (&["--config", "settings.toml"], r#"GridWorld(map=["S|S", "S|G"], cell_rewards=["|=0.5"])"#),
        (&["--config", "lone.toml"], r#"GridWorld(map=["S|S", "S|G"], cell_rewards=["|=0.5"])"#),
        (
            &["--env", "GridWorld", "--map", "S|S", "S|G", "--cell-rewards", "|=0.5"],
            r#"GridWorld(map=["S|S", "S|G"], cell_rewards=["|=0.5"])"#,
        ),
        (
            &["--env", "GridWorld", "--map", "S|G", "--cell-rewards", "|=0.5"],
            r#"GridWorld(map=["S|G"], cell_rewards=["|=0.5"])"#,
        ),
    ] {
        let arguments = [arguments, &["--force", "--out", "run"]].concat().join(" ");
        succeeds(home.path(), "train", &format!("{arguments} {SHORT}"));
        let text = fs::read_to_string(home.path().join("run/config.toml")).expect("a configuration");
        assert_eq!(Config::from_toml(&text).expect("settings").env.to_string(), env);
    }
    let grid =
        "--config grid.toml --algos a2c --optimizers sgd --seeds 1 --protocols defaults --steps 200 --list-cells";
    assert!(succeeds(home.path(), "compare_optimizers", grid).contains("m-a2c-sgd"));
}

#[test]
fn a_flag_goes_over_the_file_of_a_world() {
    let home = home(&[("maze.toml", "map = ['S..', '..G']\nslip = 0.3\n")]);
    succeeds(home.path(), "train", &format!("--env maze.toml --slip 0.1 {SHORT} --out run"));
    let text = fs::read_to_string(home.path().join("run/config.toml")).expect("a configuration");
    let env = Config::from_toml(&text).expect("settings").env.to_string();
    assert_eq!(env, r#"GridWorld(map=["S..", "..G"], id="maze", slip=0.1)"#);
    // Said twice on the line, it is refused.
    let word = "GridWorld(map='S.G',slip=0.3)";
    let said = run(home.path(), "train", &format!("--env {word} --slip 0.1")).stderr;
    assert!(String::from_utf8_lossy(&said).contains("slip is given twice"));
}

#[test]
fn a_policy_at_the_optimum_is_given_no_advice() {
    let home = home(&[
        ("w.toml", "map = 'S..G'\n"),
        ("far.toml", "map = 'S.........................G'\nmax_episode_steps = 30\n"),
    ]);
    let said = succeeds(home.path(), "train", "--env w.toml --steps 2000 --out w");
    assert!(said.contains("return   0.998") && !said.contains("look at"), "{said}");
    // One that found nothing is.
    let said = succeeds(home.path(), "train", "--env far.toml --steps 2000 --out far");
    assert!(said.contains("look at"), "{said}");
}

#[test]
fn the_best_return_is_that_of_the_shortest_way_within_the_limit() {
    let world = |map: &str| GridWorldConfig { map: map.into(), ..GridWorldConfig::default() };
    let ppo = uphill::Config::for_algo("ppo").expect("an algorithm");
    let optimal_return =
        |world: &GridWorldConfig| optimal_return(&uphill::Config { env: world.clone().into(), ..ppo.clone() });
    let near = |world: &GridWorldConfig, best: f64| {
        let known = optimal_return(world).expect("a world that is small enough");
        assert!((known - best).abs() < 1e-6, "{known} {best}");
    };
    near(&world("S..G"), 0.998);
    near(&GridWorldConfig::cliff_walking(), -13.0);
    let vast = GridWorldConfig { max_episode_steps: Some(u32::MAX), ..world("S..G") };
    assert_eq!(optimal_return(&vast), None);
    assert_eq!(optimal_return(&world("no map")), None);
}

/// A walk that is shown in two numbers, and whose model nobody should ask for.
const WALK: EnvRow = Row {
    name: "Walk-v0",
    summary: "a walk",
    params: &[Param::texts("map", "", "its rows")],
    make: MakeEnv {
        model: Some(|_| panic!("a model is made")),
        ..MakeEnv::one(|args| {
            let observation = GridObservation::RowColumn;
            let map = args.texts("map")?.join("\n");
            Ok(Box::new(TimeLimit::new(GridWorld::new(GridWorldConfig { map, observation, ..Default::default() })?)))
        })
    },
};

#[test]
fn no_model_is_made_of_a_world_that_is_far_too_large() {
    let catalogue = Catalogue::default().with(WALK);
    let map = format!("'S{0}G', {1}", ".".repeat(98), vec![format!("'{}'", ".".repeat(100)); 99].join(", "));
    let config = Config::from_toml_with(&format!("env = \"Walk-v0(map=[{map}])\""), &catalogue).expect("a world");
    assert_eq!(optimal_return(&config), None);
}

#[test]
fn a_walk_on_a_map_is_a_row_with_arguments_however_it_is_said() {
    let word = r#"GridWorld(map=["S.x", "O.G"], cell_rewards=["x=0.5"], slip=0.1, observation=row_column)"#;
    let rest = "slip = 0.1\ncell_rewards = { x = 0.5 }\n";
    let said = [
        format!("env = '{word}'"),
        r#"env = { name = "GridWorld", map = ["S.x", "O.G"], cell_rewards = ["x=0.5"], slip = 0.1, observation = "row_column" }"#.into(),
        format!("observation = 'row_column'\n[env]\nname = 'GridWorld'\nmap = \"\"\"\nS.x\nO.G\n\"\"\"\n{rest}"),
        "env = 'GridWorld'\nslip = 0.1\nobservation = 'row_column'\nmap = \"S.x\\nO.G\"\ncell_rewards = ['x=0.5']".into(),
        // As earlier versions had it.
        "[gridworld]\nmap = \"S.x\\nO.G\"\nslip = 0.1\nobservation = 'row-column'\ncell_rewards = { x = 0.5 }".into(),
    ];
    for text in said {
        let config = Config::from_toml(&text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(config.env.to_string(), word, "{text}");
        assert_eq!(Config::from_toml(&config.to_toml().expect("text")).expect("the same"), config);
        assert!(!config.to_toml().expect("text").contains("gridworld"));
        let env = config.make_envs(1).expect("environments");
        assert_eq!((&*env.spec().id, env.spec().observation_len()), ("GridWorld", 2));
    }
    // Names that look like a chain are rows of a map, too.
    let lake = "env = { name = 'FrozenLake-v1', map = ['SFF', 'FHG'], is_slippery = false }";
    let lake = Config::from_toml(lake).expect("a lake");
    assert_eq!(lake.env.to_string(), r#"FrozenLake-v1(map=["SFF", "FHG"], is_slippery=false)"#);
    assert_eq!(optimal_return(&lake), Some(1.0));
    let limit = |env: &str| {
        let config = Config::from_toml(&format!("env = '{env}'")).expect("a world");
        config.make_envs(1).expect("environments").spec().max_episode_steps
    };
    assert_eq!(limit("FourRooms-v0(max_episode_steps=50)"), Some(50));
    assert_eq!(limit("FrozenLake-v1(max_episode_steps=inf)"), None);

    for (text, problem) in [
        ("env = 'GridWorld'", "GridWorld needs map"),
        ("env = 'GridWorld(map=\"S..\")'", "the map has no goal"),
        ("env = 'GridWorld(map=\"S.G\", slip=2)'", "slip = 2 is impossible: it must lie in [0, 1]"),
        ("env = 'GridWorld(map=\"S.G\", slipp=2)'", "did you mean `slip`?"),
        ("env = 'GridWorld(map=\"SxG\", cell_rewards=[\"x\"])'", "it must be a character, = and a number"),
        (
            "env = 'GridWorld(map=\"S.G\", max_episode_steps=0)'",
            "it must be a whole number from 1 to 4294967295, or inf",
        ),
        ("env = 'FrozenLake-v1(is_slippery=false, success_rate=0.5)'", "success_rate has no effect"),
        (
            "env = 'FrozenLake-v1(goal_reward=1e39)'",
            "goal_reward = 1e39 is impossible: it must be within 3.4e38 of zero",
        ),
        ("env = 'GridWorld(map=\"SxG\", cell_rewards=[\"x=1e39\"])'", "it must be a character, = and a number"),
        ("env = 'FourRooms-v0(map=\"S.G\")'", "FourRooms-v0 has no argument `map`"),
        (
            "map = 'S.G'",
            "map = \"S.G\" has no effect: it is an argument of FrozenLake-v1, FrozenLake8x8-v1 and GridWorld",
        ),
    ] {
        let made = Config::from_toml(text).and_then(|config| config.make_envs(1).map(|_| ()));
        let said = made.expect_err(text).to_string();
        assert!(said.contains(problem), "{text}: {said}");
    }
}

/// The same checkpoint with other text as its configuration, and the checksum that it should have.
fn with_config(file: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    let (_, metadata) = SafeTensors::read_metadata(file).expect("a checkpoint");
    let entries = metadata.metadata().as_ref().expect("entries");
    let (key, text) = entries.iter().next().expect("an entry");
    let mut header: serde_json::Value = serde_json::from_str(text).expect("a header");
    header["config"] = change(header["config"].as_str().expect("text")).into();
    header["sha256"] = "0".repeat(64).into();
    let tensors = SafeTensors::deserialize(file).expect("tensors");
    let entries = std::collections::HashMap::from([(key.clone(), header.to_string())]);
    let mut file = safetensors::serialize(tensors.tensors(), Some(entries)).expect("a file");
    let zeros = "0".repeat(64);
    let place = file.windows(64).position(|window| window == zeros.as_bytes()).expect("a place");
    let sum: String = Sha256::digest(&file).iter().map(|byte| format!("{byte:02x}")).collect();
    file[place..place + 64].copy_from_slice(sum.as_bytes());
    file
}

#[test]
fn every_program_takes_a_world_as_a_word_or_by_flags_and_a_run_of_an_earlier_version() {
    let home = home(&[
        ("old.toml", "env = 'mine'\n[gridworld]\nid = 'mine'\nmap = 'S.G'\nslip = 0.1\n"),
        ("lake.toml", "[[tasks]]\nenv = 'FrozenLake-v1'\nmax_episode_steps = 20\nsettings.steps = 200\n"),
    ]);
    let env = |run: &str| {
        let text = fs::read_to_string(home.path().join(run).join("config.toml")).expect("a configuration");
        Config::from_toml(&text).expect("settings").env.to_string()
    };
    succeeds(home.path(), "train", &format!("--env GridWorld(map='S.G',slip=0.1) {SHORT} --out word"));
    succeeds(home.path(), "train", &format!("--env GridWorld --map S.G --slip 0.1 {SHORT} --out flags"));
    assert_eq!((env("word"), env("flags")), (env("flags"), r#"GridWorld(map=["S.G"], slip=0.1)"#.into()));
    // What the command line says goes over the file, in whatever form that has it.
    succeeds(home.path(), "train", &format!("--config old.toml --slip 0.2 {SHORT} --out old"));
    assert_eq!(env("old"), r#"GridWorld(map=["S.G"], id="mine", slip=0.2)"#);
    let summary = fs::read_to_string(home.path().join("old/summary.json")).expect("a summary");
    assert!(summary.contains(r#""env": "mine""#), "{summary}");

    // A run of an earlier version is judged, and goes on: it and its checkpoints had every option of the world in a table.
    let world = GridWorldConfig { id: "mine".into(), map: "S.G".into(), slip: 0.2, ..GridWorldConfig::default() };
    let world = toml::Table::from_iter([("gridworld".into(), toml::Value::try_from(world).expect("a table"))]);
    let earlier = |text: &str| {
        let (line, rest) = text.split_once('\n').expect("a line");
        assert!(line.starts_with("env = "), "{line}");
        format!("env = 'mine'\n{rest}{world}")
    };
    let config = home.path().join("old/config.toml");
    fs::write(&config, earlier(&fs::read_to_string(&config).expect("settings"))).expect("settings");
    for file in fs::read_dir(home.path().join("old/checkpoints")).expect("a folder") {
        let path = file.expect("a checkpoint").path();
        let changed = with_config(&fs::read(&path).expect("a checkpoint"), earlier);
        fs::write(path, changed).expect("a checkpoint");
    }
    assert!(succeeds(home.path(), "evaluate", "old --episodes 2").contains("return"));
    fs::remove_file(home.path().join("old/summary.json")).expect("a summary");
    succeeds(home.path(), "train", "--resume old");
    assert_eq!(RunFolder::resume(home.path().join("old"), Trainer::new).expect("a run").1.config().env.id(), "mine");

    // A comparison takes words, and limits what takes a limit.
    let two = "--algos a2c --optimizers sgd --seeds 1 --protocols defaults --steps 200 --list-cells";
    let said = succeeds(home.path(), "compare_optimizers", &format!("--tasks GridWorld(map='S.G',id=mine) {two}"));
    assert!(said.contains("mine-a2c-sgd"), "{said}");
    let said = succeeds(home.path(), "compare_optimizers", &format!("--config lake.toml {two}"));
    assert!(said.contains("FrozenLake-v1-a2c"), "{said}");
}

#[test]
fn a_world_has_letters_goals_wind_and_draws_of_its_own_however_it_is_said() {
    let word = r##"GridWorld(map=["X_A", "X@B"], cell_rewards=[], floor="_", walls="X", starts="@", goals=["A=1", "B=10"], goals_end=false, moves=eight, wind=[0, 1, 0], stochastic_wind=true, random_start=true, random_goal=true)"##;
    let canonical = word.replace("cell_rewards=[], ", "");
    let arguments = "floor = '_'\nwalls = 'X'\nstarts = '@'\ngoals = { A = 1, B = 10.0 }\ngoals_end = false\nmoves = 'eight'\n\
                     wind = [0, 1, 0]\nstochastic_wind = true\nrandom_start = true\nrandom_goal = true\n";
    let home = home(&[("w.toml", &format!("id = 'GridWorld'\nmap = ['X_A', 'X@B']\n{arguments}"))]);
    let of_file = |text: &str| Config::from_toml(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    for text in [
        format!("env = '{word}'"),
        format!("[env]\nname = 'GridWorld'\nmap = ['X_A', 'X@B']\n{arguments}"),
        format!("[gridworld]\nmap = ['X_A', 'X@B']\n{arguments}"),
    ] {
        let config = of_file(&text);
        assert_eq!(Config::from_toml(&config.to_toml().expect("text")).expect("the same"), config);
        let env = config.make_envs(1).expect("environments");
        assert_eq!((env.spec().observation_len(), env.spec().action.choices()), (12, 8), "{text}");
    }
    assert_eq!(of_file(&format!("[gridworld]\nmap = ['X_A', 'X@B']\n{arguments}")).env.to_string(), canonical);
    // A blank stays one of the letters that it stands beside.
    for floor in ["floor = ' D'", "floor = 'D '"] {
        let spaced = of_file(&format!("[env]\nname = 'GridWorld'\nmap = ['S DG']\n{floor}"));
        assert!(spaced.make_envs(1).is_ok(), "{floor}");
    }
    // Of a file, by flags, and from a run that is gone on with.
    succeeds(home.path(), "train", &format!("--env w.toml {SHORT} --out file"));
    let flags = "--env GridWorld --map X_A X@B --floor _ --walls X --starts @ --goals A=1 B=10 --goals-end false --moves eight \
                 --wind 0,1,0 --stochastic-wind true --random-start true --random-goal true";
    succeeds(home.path(), "train", &format!("{flags} {SHORT} --out flags"));
    let env = |run: &str| {
        let text = fs::read_to_string(home.path().join(run).join("config.toml")).expect("a configuration");
        of_file(&text).env
    };
    assert_eq!((env("file").to_string(), env("flags").to_string()), (canonical.clone(), canonical));
    assert!(succeeds(home.path(), "evaluate", "file --episodes 2").contains("return"));

    for (text, problem) in [
        ("map='S.G', goals=['A']", "goals: \"A\" is impossible: it must be a character, = and a number"),
        ("map='S.G', goals=['A=1']", "goals has no effect: the map has no goal `A`"),
        ("map='S.A', goals=['A=1'], goal_reward=2", "goal_reward has no effect: the map has no goal `G`"),
        ("map='S.G', pits='xy', pit_reward=-1", "pit_reward has no effect: the map has no pit `x`, `y`"),
        ("map='S.G', wind=[1]", "wind = 1 number is impossible: it takes one number for each column of the map"),
        ("map='S.G', moves='nine'", "it must be four or eight or nine, without quotes"),
        ("map='S.G', moves=five", "moves = five is impossible: it must be four or eight or nine"),
        ("map='S_G'", "`floor`, `walls`, `starts`, `pits`, `cliffs` and `boxes` say what other characters stand for"),
    ] {
        let text = format!("env = \"GridWorld({text})\"");
        let said =
            Config::from_toml(&text).and_then(|config| config.make_envs(1).map(drop)).expect_err(&text).to_string();
        assert!(said.contains(problem), "{text}: {said}");
    }
}

/// What one number a cell would need is said by the run, and a map that large is walked in other forms.
#[test]
fn a_map_too_large_for_one_number_a_cell_says_what_it_would_need() {
    let row = ".".repeat(150);
    let map = format!("S{}\n{}{}G", &row[1..], format!("{row}\n").repeat(148), &row[1..]);
    let world = GridWorldConfig { map, max_episode_steps: Some(1_000), ..GridWorldConfig::default() };
    let config = |world: GridWorldConfig| Config {
        env: world.into(),
        hidden: vec![64],
        max_memory: 0.1,
        ..Config::for_algo("ppo").expect("an algorithm")
    };
    let large = config(world.clone());
    let said = Trainer::new(&large).map(drop).expect_err("too much").to_string();
    assert!(said.contains("max_memory = 0.1 GiB") && said.contains("22500 numbers an observation"), "{said}");
    // So is what its model would, where that is asked for; where it would only help, it is not known.
    let said = large.model_of_env().expect_err("too large").to_string();
    assert!(said.contains("22500 states, 22500 numbers each, would need 1931 MiB, and may 256 MiB"), "{said}");
    assert_eq!((optimal_return(&large), large.known_returns().expect("none")), (None, None));
    let small = config(GridWorldConfig { observation: uphill::envs::GridObservation::RowColumn, ..world });
    assert!(Trainer::new(&small).is_ok());
    assert!(small.model_of_env().expect("a model").is_some());
}

/// Pushing a box is an environment in every program: as a file, by flags, gone on with, drawn and judged.
#[test]
fn a_world_of_boxes_is_one_however_it_is_said() {
    let word = r######"GridWorld(map=["#####", "#@ .#", "# $ #", "#   #", "#####"], id="w", floor=" ", starts="@", boxes="$", box_rewards=[".=1"], targets_end=true)"######;
    let map = "map = ['#####', '#@ .#', '# $ #', '#   #', '#####']";
    let world =
        format!("{map}\nfloor = ' '\nstarts = '@'\nboxes = '$'\nbox_rewards = {{ '.' = 1 }}\ntargets_end = true\n");
    let home = home(&[("w.toml", &world)]);
    succeeds(home.path(), "train", &format!("--env w.toml {SHORT} --out run"));
    let text = fs::read_to_string(home.path().join("run/config.toml")).expect("a configuration");
    let config = Config::from_toml(&text).expect("settings");
    assert_eq!(config.env.to_string(), word);
    let flags = "--env GridWorld --map ##### #@_.# #_$_# #___# ##### --floor _ --starts @ --boxes $ --box-rewards .=1 --targets-end true";
    succeeds(home.path(), "train", &format!("{flags} {SHORT} --out flags"));
    succeeds(home.path(), "train", "--resume run --continue-for 200 --quiet");
    succeeds(home.path(), "evaluate", "run --episodes 2 --gif run.gif");
    assert!(home.path().join("run.gif").exists());
    let said = succeeds(home.path(), "uphill", "check w.toml");
    assert!(said.contains("w.toml") && !said.contains("error"), "{said}");
    assert!(succeeds(home.path(), "uphill", "list envs w.toml").contains("50 numbers"), "{said}");
    // Right, round it and up, five steps: the exact optimum, which the model knows.
    let optimum = optimal_return(&config).expect("a world that is small enough");
    assert!((optimum - (1.0 + 1.0 - 4.0 * 0.001)).abs() < 1e-6, "{optimum}");
    let env = config.make_envs(1).expect("environments");
    assert_eq!(env.spec().observation_len(), 50);
    // Of many boxes no model is asked for.
    let crowd = "map = ['S.......', '.BBB.BB.', '........', '........', '.......G']\nboxes = 'B'\nname = 'GridWorld'\n";
    let config = Config::from_toml(&format!("[env]\n{crowd}")).expect("settings");
    assert_eq!(optimal_return(&config), None);
    assert!(config.make_envs(1).is_ok());
}

/// What is written is read again, whatever the shape of the map.
#[test]
fn a_run_in_the_largest_map_can_be_read_again() {
    let row = ".".repeat(50);
    let rows: Vec<&str> = std::iter::once(&*row).cycle().take(20_970).collect();
    let map = format!("S{}\n{}\n{}G", &row[1..], rows.join("\n"), &row[1..]);
    let world = GridWorldConfig { map, observation: GridObservation::RowColumn, ..GridWorldConfig::default() };
    let home = tempfile::tempdir().expect("a folder");
    let config = Config { env: world.into(), steps: 64, ..Config::for_algo("ppo").expect("an algorithm") };
    drop(RunFolder::create(home.path().join("run"), &config, false).expect("a run"));
    let path = home.path().join("run/config.toml");
    assert!(path.metadata().expect("a file").len() > 1 << 20);
    assert_eq!(Config::from_table(Config::read_toml(&path).expect("settings")).expect("the same"), config);
}
