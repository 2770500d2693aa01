//! Nothing imports upwards: each file of `src` names only what stands in its own layer or below, and within a layer no two
//! modules name each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The layers from the ground up, as `src/lib.rs` tells of them.
const LAYERS: [(&str, &[&str]); 10] = [
    (
        "ground",
        &[
            "arrays",
            "checked_file",
            "destination",
            "device",
            "error",
            "host_only",
            "host_slice",
            "init",
            "names",
            "on_divergence",
            "own_folder",
            "philox",
            "precision",
            "schedule",
            "scratch",
            "seed",
            "settings",
            "stop",
            "whole_file",
            "whole_folder",
            "words",
            "world",
        ],
    ),
    ("parameters", &["buffers", "kernels", "layout", "moments", "pace", "params", "threads"]),
    ("rollouts", &["rollout", "tensor_env"]),
    (
        "experience",
        &[
            "advantage",
            "collect",
            "device_lanes",
            "distributions",
            "episodes",
            "lane_group",
            "metrics",
            "models",
            "normaliser",
            "objective",
        ],
    ),
    ("learning", &["algo", "evaluation", "optim", "sink", "summary"]),
    ("catalogue", &["catalogue"]),
    ("configuration", &["config"]),
    ("training", &["checkpoint", "console", "policy", "screen", "train"]),
    (
        "laboratory",
        &[
            "benchmark",
            "canvas",
            "card",
            "export",
            "findings",
            "gradient",
            "import",
            "landscape",
            "oracle",
            "plot",
            "render",
            "report",
            "run",
            "stats",
            "tuning",
        ],
    ),
    ("programs", &["bin", "cli"]),
];

/// The module at the top that a file belongs to.
fn module(file: &Path) -> String {
    let first = file.components().nth(1).expect("src/...").as_os_str().to_str().expect("text");
    first.trim_end_matches(".rs").to_string()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files(&entry, found);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            found.push(entry);
        }
    }
}

/// A file's code, without its tests and comments.
fn code(file: &Path) -> String {
    if file.ends_with("tests.rs") {
        return String::new();
    }
    let text = std::fs::read_to_string(file).expect("text");
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The first names of all paths from the crate's root: of `crate::a::B` and `crate::{C, d::E}` they are `a`, `C` and `d`.
fn named(code: &str) -> BTreeSet<String> {
    let ident = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = BTreeSet::new();
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            None => drop(names.insert(ident(after))),
            Some(group) => {
                let (mut depth, mut start) = (0, 0);
                for (i, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' | ',' if depth == 0 => {
                            names.insert(ident(&group[start..i]));
                            start = i + 1;
                            if c == '}' {
                                break;
                            }
                        }
                        '}' => depth -= 1,
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

/// Which module each name that the crate's root hands on is of.
fn handed_on() -> BTreeMap<String, String> {
    let mut of = BTreeMap::new();
    for line in code(Path::new("src/lib.rs")).replace('\n', " ").split("pub use ").skip(1) {
        let path = line.split(';').next().unwrap_or_default();
        if let Some((module, names)) = path.split_once("::") {
            for name in names.trim_matches(['{', '}']).split(',') {
                of.insert(name.trim().to_string(), module.trim().to_string());
            }
        }
    }
    of
}

/// What each module at the top names of the others.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let (mut found, handed_on) = (Vec::new(), handed_on());
    files(Path::new("src"), &mut found);
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in found.iter().filter(|file| *file != Path::new("src/lib.rs")) {
        let module = module(file);
        let others = named(&code(file)).into_iter().map(|name| handed_on.get(&name).cloned().unwrap_or(name));
        imports.entry(module.clone()).or_default().extend(others.filter(|other| *other != module));
    }
    let modules: BTreeSet<String> = imports.keys().cloned().collect();
    imports.values_mut().for_each(|others| others.retain(|other| modules.contains(other)));
    imports
}

fn layer(module: &str) -> usize {
    LAYERS
        .iter()
        .position(|(_, modules)| modules.contains(&module))
        .unwrap_or_else(|| panic!("{module} is in no layer"))
}

#[test]
fn nothing_imports_upwards() {
    let imports = imports();
    assert!(imports["train"].contains("config") && imports["lane_group"].contains("models"), "imports are found");
    let mut upwards = Vec::new();
    for (module, others) in &imports {
        for other in others {
            if layer(other) > layer(module) {
                let (from, to) = (LAYERS[layer(module)].0, LAYERS[layer(other)].0);
                upwards.push(format!("{module} ({from}) -> {other} ({to})"));
            }
        }
    }
    assert!(upwards.is_empty(), "{upwards:#?}");
}

#[test]
fn no_modules_go_in_a_circle() {
    let mut left = imports();
    // Whoever names none of those that are left is done, again and again.
    while !left.is_empty() {
        let names: BTreeSet<String> = left.keys().cloned().collect();
        let before = left.len();
        left.retain(|_, others| others.iter().any(|other| names.contains(other)));
        assert!(left.len() < before, "a circle of {:?}", left.keys().collect::<Vec<_>>());
    }
}

#[test]
fn a_module_has_one_form() {
    let mut found = Vec::new();
    files(Path::new("src"), &mut found);
    let mods: Vec<_> = found.iter().filter(|file| file.ends_with("mod.rs")).collect();
    assert!(mods.is_empty(), "`x.rs` beside `x/`, not `x/mod.rs`: {mods:?}");
}
