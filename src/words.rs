//! The language in which rows are asked for: a word and its arguments, `adam(lr=1e-3)` or `ppo(n_epochs=10)`.
//!
//! A [`Row`] says once what a word is called, what it takes, what each argument may be and means, and what is made of them:
//! the parser, error messages, `--list`, the tests and the tables of the docs read it there.

mod args;
mod in_toml;
mod param;
mod parse;
mod row;
mod scheduled;
mod word;
mod wrapped;

pub use args::Args;
pub use param::{Kind, Param, Range};
pub use row::Row;
pub use scheduled::Scheduled;
pub use word::{Spec, Value, Word};
pub use wrapped::Wrapped;

pub(crate) use args::bind;
pub(crate) use in_toml::{text, texts};
pub(crate) use parse::{is_name, value, wrappers};
pub(crate) use word::{digest, file_name};
