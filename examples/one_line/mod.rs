//! Mistakes on the command line in one line with the remedy, where clap has a paragraph.

use clap::error::ErrorKind;

/// The arguments of the program; leaves it at a mistake, and where only `--help` was asked for.
// `train` reads its command line itself.
#[allow(dead_code)]
pub(crate) fn parse<A: clap::Parser>() -> A {
    A::try_parse().unwrap_or_else(|e| leave(&e, None))
}

/// Says what was wrong and what would be right, clap's own tip unless another remedy is known, and leaves.
pub(crate) fn leave(error: &clap::Error, remedy: Option<String>) -> ! {
    if !error.use_stderr() {
        error.exit();
    }
    let text = error.to_string().replace("invalid digit found in string", "it must be a whole number, 0 or more");
    let text = text.replace("invalid float literal", "it must be a number");
    let said =
        |line: &&str| !(line.is_empty() || line.starts_with("Usage:") || line.starts_with("For more information"));
    let lines: Vec<&str> = text.lines().map(str::trim).filter(said).collect();
    let (problem, tips) = lines.split_first().unwrap_or((&"error: the command line cannot be read", &[]));
    let remedy = remedy.unwrap_or_else(|| match error.kind() {
        ErrorKind::ArgumentConflict => "give it once".into(),
        _ if tips.is_empty() => "--help shows what may be given".into(),
        _ => tips.join(" "),
    });
    eprintln!("{}{} {remedy}", problem.trim_end_matches(':'), if problem.ends_with(':') { ":" } else { ";" });
    std::process::exit(2)
}
