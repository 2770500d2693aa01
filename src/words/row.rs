//! A row: a word, what it takes, and what it makes.

use uphill_envs::{Spec, quoted};

use super::{Kind, Param, Value, parse, value};

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

    /// What is wrong with a row of one's own, where it is not its function: its name, or an argument's name or default.
    pub(crate) fn problem(&self) -> Option<String> {
        let of_row = |problem: &str| Some(format!("the row of `{}`: {problem}", quoted(self.name)));
        if self.name.contains(['(', ')', '|']) || self.name.trim() != self.name || Spec::check_id(self.name).is_err() {
            return of_row("its name must be 1 to 80 visible characters, without parentheses, `|` and a part `..`");
        }
        self.params.iter().enumerate().find_map(|(i, param)| {
            let name = quoted(param.name);
            let wrong = |problem: &str| of_row(&format!("argument `{name}`: {problem}"));
            // What stands in pairs has no name: it is a heading.
            let is_named = !matches!(param.kind, Kind::Pairs(..));
            if is_named && parse::is_number_word(param.name) {
                return wrong("it is read as a number: call it otherwise");
            }
            if is_named && (!parse::is_name(param.name) || param.name == "name") {
                return wrong("its name must be letters, digits and _, and not `name`, by which TOML has the row's");
            }
            if self.params[..i].iter().any(|before| before.name == param.name) {
                return wrong("it is there twice");
            }
            if matches!(param.kind, Kind::Pairs(..)) && i + 1 < self.params.len() {
                return wrong("pairs must be the last");
            }
            if let Kind::Word(words) = param.kind
                && let Some(number) = words.iter().find(|word| matches!(value(word), Ok(Value::Number(_))))
            {
                return wrong(&format!("its word {number} is read as a number: call it otherwise"));
            }
            if param.default.is_empty() {
                return None;
            }
            let fits = value(param.default).map_err(|e| e.to_string()).and_then(|value| match (param.kind, &value) {
                (Kind::Number(range) | Kind::Steady(range), Value::Number(x)) if !range.contains(*x) => {
                    Err(range.to_string())
                }
                _ => param.kind.check(&value),
            });
            fits.err().and_then(|problem| wrong(&format!("its default, {}, is impossible: {problem}", param.default)))
        })
    }

    /// The argument of that name.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|param| param.name == name)
    }
}
