//! Grid worlds of one's own, from their files: what they are called, where their runs go, and what is said at the end.

use std::fs;
use std::path::Path;
use std::process::Output;

use uphill::envs::GridWorldConfig;
use uphill::oracle::optimal_return;
use uphill::{Config, RunFolder};

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
    let of = |world: GridWorldConfig| Config { env: "lab/mine".into(), gridworld: Some(world), ..ppo.clone() };
    let path = folder(&of(world.clone()));
    let digits = path.strip_prefix("runs/lab-mine-").and_then(|rest| rest.strip_suffix("-ppo-adam-s1"));
    assert!(digits.is_some_and(|text| text.len() == 8 && text.chars().all(|c| c.is_ascii_hexdigit())), "{path}");
    assert_eq!(path, "runs/lab-mine-bf0e7138-ppo-adam-s1", "a digest that changes takes a run from its resume line");
    assert_eq!(folder(&of(GridWorldConfig { id: "x".into(), ..world.clone() })), path);
    assert_ne!(folder(&of(GridWorldConfig { slip: 0.1, ..world })), path);
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
    assert_eq!((&*config.env.name, &*config.gridworld.expect("a world").map), ("maze", "S.G"));
    let grid =
        "--config lab/grid.toml --algos a2c --optimizers sgd --seeds 1 --protocols defaults --steps 200 --dry-run";
    assert!(succeeds(home.path(), "compare_optimizers", grid).starts_with("2 runs: 2 defaults"));
    // The command line goes over the file, whose world then need not be there.
    succeeds(home.path(), "train", &format!("--config lab/gone.toml --env lab/maze.toml {SHORT} --out over"));
    let said = String::from_utf8(run(home.path(), "train", "--config lab/gone.toml").stderr).expect("text");
    assert_eq!(said, "error: lab/absent.toml: No such file or directory (os error 2)\n");
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
        |world: &GridWorldConfig| optimal_return(&uphill::Config { gridworld: Some(world.clone()), ..ppo.clone() });
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
