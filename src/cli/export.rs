//! Writes a run's policy for other programs.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, ArgMatches, Command, CommandFactory, Parser};

use super::chosen::Chosen;
use super::read;
use crate::envs::counted;
use crate::export::{Actor, OPSET};
use crate::screen::{self, say};
use crate::{Catalogue, Error, Result, destination, whole_file};

/// Writes a run's policy for other programs: its normaliser, network and likeliest action in one file.
#[derive(Parser)]
#[command(group = ArgGroup::new("formats").multiple(true).required(true))]
struct Args {
    #[command(flatten)]
    chosen: Chosen,
    /// Write it as ONNX
    #[arg(long, value_name = "FILE", group = "formats")]
    onnx: Option<PathBuf>,
    /// Write it as a C header, which needs nothing but math.h
    #[arg(long, value_name = "FILE", group = "formats")]
    c: Option<PathBuf>,
    /// Write it as Rust that needs no standard library
    #[arg(long, value_name = "FILE", group = "formats")]
    rust: Option<PathBuf>,
    /// What the names in a C header begin with
    #[arg(long, requires = "c", default_value = "policy")]
    name: String,
}

pub(super) fn command(_: &Catalogue) -> Command {
    Args::command()
}

pub(super) fn run(args: &ArgMatches, catalogue: &Catalogue) -> Result<ExitCode> {
    export(&read(args)?, catalogue).map(|()| ExitCode::SUCCESS)
}

fn export(args: &Args, catalogue: &Catalogue) -> Result<()> {
    for (path, ending) in [(&args.onnx, "onnx"), (&args.c, "h"), (&args.rust, "rs")] {
        path.iter().try_for_each(|path| destination::check(path, &[ending]))?;
    }
    let (policy, which) = args.chosen.load(catalogue)?;
    let actor = Actor::of(&policy)?;
    // All of them before any is written.
    let (onnx, header) = (args.onnx.as_ref().map(|_| actor.onnx()), args.c.as_ref().map(|_| actor.c(&args.name)));
    let (header, source) = (header.transpose()?, args.rust.as_ref().map(|_| actor.rust()));
    let what = format!("the policy of {}{which}", screen::path(&args.chosen.run));
    let files = [
        (&args.onnx, onnx, format!("ONNX of opset {OPSET}")),
        (&args.c, header.map(String::into_bytes), "C".into()),
        (&args.rust, source.map(String::into_bytes), "Rust".into()),
    ];
    for (path, bytes, format) in files {
        if let (Some(path), Some(bytes)) = (path, bytes) {
            write(path, &bytes)?;
            let size = counted(bytes.len(), "byte");
            say(format_args!("{what} in {}: {format}, {size}", screen::path(path)))?;
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    whole_file::write(path, bytes).map_err(Error::io(path))
}
