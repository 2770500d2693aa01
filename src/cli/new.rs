//! Writes a crate of one's own.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgMatches, Command, CommandFactory, Parser};

use super::read;
use crate::envs::quoted;
use crate::screen::{self, say};
use crate::whole_folder::WholeFolder;
use crate::{Catalogue, Error, Result};

/// Writes a crate of your own: an environment to change, its test, and the whole command line for it
///
/// The crate builds, passes its test and trains as it is written. What is next is said at the end, and in its README.
#[derive(Parser)]
struct Args {
    /// The folder to make, whose last part is the crate's name: letters, digits, `-` and `_`
    name: PathBuf,
    /// The folder of uphill's source to build on, where it is not the one that this program was built from
    #[arg(long, value_name = "FOLDER")]
    uphill: Option<PathBuf>,
}

/// The files, and where they go.
const FILES: [(&str, &str); 7] = [
    ("Cargo.toml", include_str!("new/manifest.txt")),
    ("README.md", include_str!("new/README.md")),
    ("config.toml", include_str!("new/config.toml")),
    (".gitignore", "/target\n/runs\n"),
    ("src/lib.rs", include_str!("new/lib.rs")),
    ("src/main.rs", include_str!("new/main.rs")),
    ("src/environment.rs", include_str!("new/environment.rs")),
];
const TEST: (&str, &str) = ("tests/environment.rs", include_str!("new/test.rs"));

pub(super) fn command(_: &Catalogue) -> Command {
    Args::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let Args { name: folder, uphill } = read(args)?;
    let names = Names::of(&folder)?;
    names.check_environment(catalogue)?;
    let uphill = dependency(uphill.as_deref())?;
    if folder.exists() {
        let problem = format!("{} is there already: give the folder another name", screen::path(&folder));
        return Err(Error::Config(problem));
    }
    let made = WholeFolder::beside(&folder)?;
    for (file, text) in FILES.into_iter().chain([TEST]) {
        let path = made.path().join(file);
        let to_io = |source| made.named(Error::Io { path: path.clone(), source });
        std::fs::create_dir_all(path.parent().unwrap_or(made.path())).map_err(to_io)?;
        std::fs::write(&path, names.put_into(text).replace("UPHILL", &uphill)).map_err(to_io)?;
    }
    made.name()?;
    say(format_args!("{} is a crate with the environment {}-v0. In it:", screen::path(&folder), names.environment))?;
    say("  cargo test                                       # what is wrong with the environment, in words")?;
    say("  cargo run --release -- train --config config.toml   # learns it")?;
    say("src/environment.rs is what to change.")?;
    Ok(ExitCode::SUCCESS)
}

/// What the crate and its parts are called.
struct Names {
    /// As cargo calls it: `my-task`.
    package: String,
    /// As Rust calls it: `my_task`.
    module: String,
    /// As the environment: `MyTask`, whose type is `MyTaskEnv`.
    environment: String,
}

impl Names {
    /// From the last part of a path.
    fn of(folder: &Path) -> Result<Self> {
        let package = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let first = package.chars().next().is_some_and(|c| c.is_ascii_alphabetic());
        let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !(first && package.len() <= 60 && package.chars().all(known)) {
            let name = quoted(package);
            let right = "it has up to 60 letters, digits, `-` and `_`, a letter first, such as my-task";
            return Err(Error::Config(format!("`{name}` is no name of a crate: {right}")));
        }
        let parts = package.split(['-', '_']).filter(|part| !part.is_empty());
        let environment: String = parts.map(|part| part[..1].to_ascii_uppercase() + &part[1..]).collect();
        let module = package.replace('-', "_");
        if TAKEN.contains(&module.as_str()) {
            let problem =
                format!("a crate cannot be called `{package}`: Rust or uphill has that name; my-{package} is one");
            return Err(Error::Config(problem));
        }
        Ok(Self { package: package.into(), module, environment })
    }

    /// Refuses the name of an environment that there is: one of the same name would take its place, and of one that is spelled
    /// in another way nobody could tell which is meant.
    fn check_environment(&self, catalogue: &Catalogue) -> Result<()> {
        let own = bare(&self.environment);
        match catalogue.envs().iter().find(|row| bare(row.name) == own) {
            None => Ok(()),
            Some(row) => Err(Error::Config(format!(
                "there is an environment {}, and this crate's would be {}-v0: give the folder another name, such as my-{}",
                row.name, self.environment, self.package
            ))),
        }
    }

    fn put_into(&self, text: &str) -> String {
        let text = text.replace("PACKAGE", &self.package).replace("CRATE", &self.module);
        let text = text.replace("NAME-v0", &format!("{}-v0", self.environment));
        // So that no name is that of something the environment uses, such as Action or Space.
        text.replace("TYPE", &format!("{}Env", self.environment))
    }
}

/// The letters and digits of an environment's name, all small, without its version.
fn bare(name: &str) -> String {
    let is_version = |end: &str| !end.is_empty() && end.chars().all(|c| c.is_ascii_digit());
    let name = name.rsplit_once("-v").filter(|(_, end)| is_version(end)).map_or(name, |(name, _)| name);
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// What cargo, or a crate that depends on uphill, has another meaning for.
const TAKEN: [&str; 59] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "debug",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "uphill",
    "use",
    "where",
    "while",
];

/// How the crate says what it builds on: the source at hand, else the version that this is.
fn dependency(folder: Option<&Path>) -> Result<String> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
    let is_uphill = |folder: &Path| {
        std::fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("name = \"uphill\""))
    };
    let path = match folder {
        Some(folder) if !is_uphill(folder) => {
            let problem = format!("--uphill {}: there is no source of uphill", screen::path(folder));
            return Err(Error::Config(format!("{problem}; it is the folder with its Cargo.toml")));
        }
        Some(folder) => std::path::absolute(folder).map_err(|source| Error::Io { path: folder.into(), source })?,
        None if is_uphill(built_from) => built_from.to_path_buf(),
        None => return Ok(format!("{:?}", env!("CARGO_PKG_VERSION"))),
    };
    // A text of TOML, whatever is in it.
    let path = toml::Value::from(path.to_string_lossy().into_owned());
    Ok(format!("{{ path = {path} }}"))
}
