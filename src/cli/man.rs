//! The manual, made of what `--help` shows.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, Command};
use clap_mangen::Man;

use super::flags;
use crate::screen::{self, say};
use crate::{Catalogue, Error, Result, whole_file};

pub(super) fn command(_: &Catalogue) -> Command {
    let out = "Write its page and one a command to this folder, which is made; files of that name are replaced";
    Command::new("man")
        .about("Prints the manual page, or writes those of all its commands to a folder")
        .arg(flags::path("out", "DIR", out))
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let mut whole = super::command(catalogue).disable_help_subcommand(true);
    whole.build();
    let Some(folder) = args.get_one::<PathBuf>("out") else {
        return say(String::from_utf8_lossy(&page(&whole)?).trim_end()).map(|()| ExitCode::SUCCESS);
    };
    if folder.is_file() {
        let problem = "the pages go to a folder, and this is a file; name another one".into();
        return Err(Error::File { path: folder.into(), problem });
    }
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    for command in std::iter::once(&whole).chain(whole.get_subcommands()) {
        let path = folder.join(format!("{}.1", command.get_display_name().unwrap_or(command.get_name())));
        whole_file::write(&path, &page(command)?).map_err(Error::io(&path))?;
        say(screen::path(&path))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A manual page in troff.
fn page(command: &Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).map_err(Error::Output)?;
    Ok(page)
}
