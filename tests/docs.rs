//! `docs/settings.md` and the table of environments, written from the rows of the code: after a change of one,
//! `UPDATE_EXPECT=1 cargo test --test docs` writes them anew.
//!
//! What is built in is part of them, so this is of the default features.
#![cfg(not(any(feature = "cuda", feature = "metal", feature = "gym-rs")))]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use uphill::Config;
use uphill::algo::{ROWS, Row};
use uphill::envs::{Space, counted, ids, make, summary};

const WRAPPERS: &str = r#"They stand after the environment, each after a `|`, the innermost first, as in
`env = "Pendulum-v1 | action_repeat(4) | time_aware"`, or in TOML in an array,
`env = ["Pendulum-v1", { name = "action_repeat", times = 4 }, "time_aware"]`. The environment's own limit is within them and counts its
own steps; `steps` of a run counts those of what is wrapped. An environment's threshold and the returns that scores are measured by
stand where a wrapper only shows the same in another way or takes the same actions in other numbers; an exact model is of the
environment alone."#;

/// A row of a Markdown table.
fn row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    let rule = vec!["---".to_string(); head.len()];
    [head, rule].into_iter().chain(rows).map(|cells| row(&cells)).collect()
}

fn settings() -> String {
    let default = |algo: &Row, name: &str| {
        let config = Config::for_algo(algo.name).expect("an algorithm");
        // What clips has an effect where it is scaled.
        let scaled = Config { normalize_observation: true, normalize_reward: true, ..config.clone() };
        // What is said of evaluations has where there are some.
        let scaled = Config { eval_every: 1, ..scaled };
        let clips = if name.starts_with("normalize_") { &config } else { &scaled };
        let mut table = clips.to_table().expect("a table");
        // These have none as long as they say what holds anyway.
        table.entry("mask_actions").or_insert(config.mask_actions.into());
        table.entry("envs_on_device").or_insert(config.envs_on_device.into());
        table.entry("distribution").or_insert(config.distribution.to_string().into());
        table.entry("precision").or_insert(config.precision.to_string().into());
        let count = |count: u64| toml::Value::from(count as i64);
        let evaluations: [(&str, toml::Value); 4] = [
            ("eval_every", count(config.eval_every)),
            ("stop_at_return", config.stop_at_return.to_string().into()),
            ("stop_without_improvement", count(config.stop_without_improvement)),
            ("continued", config.continued.iter().copied().map(count).collect::<Vec<_>>().into()),
        ];
        table.extend(evaluations.map(|(name, value)| (name.to_string(), value)));
        for factor in ["critic_lr_factor", "trunk_lr_factor", "log_std_lr_factor"] {
            table.entry(factor).or_insert(1.0.into());
        }
        match table.get(name) {
            Some(value) => format!("`{}`", value.to_string().replace('"', "")),
            None => String::new(),
        }
    };
    let names: Vec<&str> = ["setting", "meaning"].into_iter().chain(ROWS.iter().map(|algo| algo.name)).collect();
    let rows = Config::SETTINGS.iter().map(|(name, meaning)| {
        let own = [format!("`{name}`"), meaning.trim().replace('|', "\\|")];
        own.into_iter().chain(ROWS.iter().map(|algo| default(algo, name))).collect()
    });
    table(&names, rows)
}

/// Rows with their arguments that are no settings.
fn named<M>(what: &str, rows: &[uphill::words::Row<M>]) -> String {
    let is_setting = |name: &str| Config::SETTINGS.iter().any(|(setting, _)| *setting == name);
    let own = |row: &uphill::words::Row<M>| {
        let own = row.params.iter().filter(|param| !is_setting(param.name));
        let shown = |param: &uphill::words::Param| match param.default {
            "" => format!("`{}`", param.name),
            default => format!("`{} = {default}`", param.name),
        };
        own.map(|param| format!("{}: {}", shown(param), param.meaning)).collect::<Vec<_>>().join("; ")
    };
    let cells = rows.iter().map(|row| vec![format!("`{}`", row.name), row.summary.to_string(), own(row)]);
    table(&[what, "what it is", "arguments of its own"], cells)
}

fn environments() -> String {
    let space = |space: &Space| match space {
        Space::Discrete { n } => format!("{n} to choose from"),
        other => counted(other.flat_len(), "number"),
    };
    let number = |number: Option<String>| number.unwrap_or_else(|| "none".into());
    let rows = ids().map(|id| {
        let env = make(id).expect("a registered environment");
        let spec = env.spec();
        vec![
            format!("`{id}`"),
            summary(id).expect("a registered environment").to_string(),
            space(&spec.observation),
            space(&spec.action),
            number(spec.max_episode_steps.map(|limit| format!("{limit} steps"))),
            number(spec.reward_threshold.map(|threshold| threshold.to_string())),
        ]
    });
    table(&["environment", "what it is", "observation", "action", "limit", "solved at"], rows)
}

#[test]
fn the_page_of_settings_says_what_the_code_does() {
    let catalogue = uphill::Catalogue::default();
    let with_arguments: Vec<_> = catalogue.envs().iter().filter(|row| !row.params.is_empty()).copied().collect();
    let page = format!(
        "# Settings\n\n\
         Each setting has one name: in code, in `config.toml` and, with `-` for `_`, on the command line. These are their\n\
         defaults with each algorithm; an optimizer of another kind than the algorithm's own brings its own `lr`, and so does\n\
         one that the command line names over a file that names another, unless `--lr` says it. What changes nothing beside\n\
         the others is refused where it is said: what clips observations and rewards where `normalize_observation` and\n\
         `normalize_reward` are off, what is said of evaluations with `eval_every = 0`, of a critic that learns nothing (`vf_coef = 0`, `baseline = false`), of hidden\n\
         layers where there are none, and of how far a policy may move where a rollout is learnt from in one step. `distribution`\n\
         may have arguments of the one that is chosen, as in `auto(log_std_init=-1)`, and a number that is a schedule is a column\n\
         of `metrics.csv`.\n\n\
         {}\n## Algorithms\n\n{}\n## Models\n\n{}\n## Distributions\n\n{}\n## Sinks\n\n{}\n## Environments\n\n{}\nWith arguments:\n\n{}\n## Wrappers\n\n{WRAPPERS}\n\n{}",
        settings(),
        named("algorithm", ROWS),
        named("model", uphill::models::ROWS),
        named("distribution", uphill::distributions::ROWS),
        named("sink", uphill::sink::ROWS),
        environments(),
        named("environment", &with_arguments),
        named("wrapper", catalogue.wrappers())
    );
    expect_file!["../docs/settings.md"].assert_eq(&page);
}

#[test]
fn the_crate_of_environments_says_which_there_are() {
    expect_file!["../envs/src/environments.md"].assert_eq(&environments());
    let readme = include_str!("../envs/README.md");
    assert!(readme.contains(&environments()), "envs/README.md must have this table:\n{}", environments());
}

/// The paths that a Markdown page shows as pictures, `![…](path)`.
fn pictures(page: &str) -> Vec<&str> {
    page.split("![").skip(1).filter_map(|rest| rest.split_once("](")?.1.split_once(')')).map(|(path, _)| path).collect()
}

/// What `cargo package --list` names, for a package of the workspace.
fn packed(package: &str) -> BTreeSet<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut list = std::process::Command::new(cargo);
    list.args(["package", "--list", "--allow-dirty", "--offline", "--package", package]);
    let output = list.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("names").lines().map(PathBuf::from).collect()
}

#[test]
fn packages_are_small_and_have_their_licences_readme_and_its_pictures() {
    for (package, folder, most, most_besides_code) in
        [("uphill", ".", 3_300_000, 195_000), ("uphill-envs", "envs", 650_000, 60_000)]
    {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let packed = packed(package);
        let readme = fs::read_to_string(folder.join("README.md")).expect("a README");
        for name in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"].into_iter().chain(pictures(&readme)) {
            assert!(packed.contains(Path::new(name)), "{package} packs no {name}");
        }
        // In the archive, all of it takes less than a third of that. Of the files those are not there that cargo writes itself, and Cargo.lock is
        // as long as what others wrote makes it.
        let size = |is_counted: fn(&Path) -> bool| -> u64 {
            let files =
                packed.iter().filter(|path| is_counted(path)).filter_map(|path| fs::metadata(folder.join(path)).ok());
            files.map(|file| file.len()).sum()
        };
        let (all, besides_code) =
            (size(|_| true), size(|path| !path.starts_with("src") && path != Path::new("Cargo.lock")));
        assert!(all < most, "{package} packs {all} bytes");
        assert!(besides_code < most_besides_code, "{package} packs {besides_code} bytes besides its code");
    }
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        let of =
            |folder: &str| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(licence)).expect("one");
        assert!(of(".") == of("envs"), "{licence} differs between the packages");
    }
}
