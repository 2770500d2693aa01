//! A row: a word, what it takes, and what it makes.

use super::{Kind, Param};

/// A word: its name, its arguments, and what is made of them, by an `M`.
///
/// Rows are plain constants, and the only place where an argument's name, default, range and meaning are written down.
#[derive(Debug, Clone, Copy)]
pub struct Row<M> {
    /// What it is called.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// What it takes, in the order of positional arguments.
    pub params: &'static [Param],
    /// What it makes of them.
    pub make: M,
}

impl<M> Row<M> {
    /// The name with all arguments and their defaults: `adam(lr = 1e-3, beta1 = 0.9, …)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let param = |param: &Param| match (param.kind, param.default) {
            (Kind::Pairs(..), _) => format!("{}, …", param.name),
            (_, "") => param.name.to_string(),
            (_, default) => format!("{} = {default}", param.name),
        };
        format!("{}({})", self.name, self.params.iter().map(param).collect::<Vec<_>>().join(", "))
    }

    /// The argument of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|param| param.name == name)
    }
}
