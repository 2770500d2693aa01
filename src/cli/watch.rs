//! Serves the page of a run on this machine while the run goes on.

mod request;
mod server;
mod watched;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, Command, CommandFactory, Parser};

use server::Server;
use watched::Watched;

use super::interrupt::{is_interrupted, on_interrupt};
use super::read;
use crate::screen::{self, say, tell};
use crate::{Catalogue, Error, Result};

/// Serves a run's page on this machine, and keeps it up to date while the run goes on; Ctrl-C ends it.
///
/// The page is that of `uphill report`. It reads the folder and changes nothing, answers on 127.0.0.1 alone, and asks no other
/// place for anything.
#[derive(Parser)]
struct Arguments {
    /// The folder of the run; it need not have begun to train
    #[arg(value_name = "FOLDER")]
    run: PathBuf,
    /// Port to answer on; 0 takes one that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
}

pub(super) fn command(_: &Catalogue) -> Command {
    Arguments::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    let Arguments { run, port } = read(args)?;
    let shown = screen::path(&run);
    // What is wrong with the folder comes before a port is taken.
    let watched = Watched::open(run, catalogue)?;
    let server = Server::bind(port)?;
    on_interrupt(None)?;
    say(format_args!("{shown}: {}", server.address()))?;
    tell("Ctrl-C ends it; the run goes on");
    server.answer(&Arc::new(watched), is_interrupted)?;
    Err(Error::Interrupted)
}
