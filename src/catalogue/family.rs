//! Environments by names that nobody can list beforehand.

use uphill_envs::quoted;

use super::EnvRow;
use crate::{Error, Result};

/// Environments whose names begin alike, such as all of another library: which there are, and what arguments they take, is
/// found out when one is asked for.
///
/// ```
/// use uphill::catalogue::{Catalogue, EnvFamily, EnvRow, MakeEnv};
/// use uphill::envs::{CartPole, TimeLimit};
/// use uphill::words::Row;
///
/// const OTHER: EnvRow = Row {
///     name: "lab/Other-v0",
///     summary: "one of the lab's",
///     params: &[],
///     make: MakeEnv::one(|_| Ok(Box::new(TimeLimit::new(CartPole::new())))),
/// };
/// const LAB: EnvFamily = EnvFamily {
///     prefix: "lab/",
///     name: "lab/NAME",
///     summary: "any environment of the lab",
///     find: |name| match name {
///         "lab/Other-v0" => Ok(&OTHER),
///         _ => Err(uphill::Error::Config(format!("the lab has no environment `{name}`"))),
///     },
/// };
///
/// let catalogue = Catalogue::default().with(LAB);
/// assert_eq!(catalogue.env("lab/Other-v0")?.summary, "one of the lab's");
/// assert!(catalogue.env("lab/None-v0").is_err());
/// # Ok::<(), uphill::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct EnvFamily {
    /// What each name begins with, to and with a `/`.
    pub prefix: &'static str,
    /// What stands for all of them in lists, such as `lab/NAME`.
    pub name: &'static str,
    /// What they are, in a line.
    pub summary: &'static str,
    /// The row of such a name, which is that name. It lives as long as the program, so one name has one row.
    pub find: fn(&str) -> Result<&'static EnvRow>,
}

impl EnvFamily {
    /// What is wrong with it.
    pub(super) fn problem(&self) -> Option<String> {
        let of_family = |problem: &str| Some(format!("the family `{}`: {problem}", quoted(self.prefix)));
        if self.prefix.len() < 2 || !self.prefix.ends_with('/') || self.prefix.contains(['(', ')', '|']) {
            return of_family("its names must begin with letters and a `/`, such as `lab/`");
        }
        if !self.name.starts_with(self.prefix) || self.name == self.prefix {
            return of_family("its name must begin as its environments' do, such as `lab/NAME`");
        }
        None
    }

    /// The row of a name that begins as its names do.
    pub(super) fn row(&self, name: &str) -> Result<&'static EnvRow> {
        let row = (self.find)(name)?;
        let other =
            || format!("the family `{}`: for `{}` it found the row of `{}`", self.prefix, quoted(name), row.name);
        let problem = if row.name == name { row.problem() } else { Some(other()) };
        problem.map_or(Ok(row), |problem| Err(Error::Config(problem)))
    }
}

#[cfg(test)]
mod tests {
    use super::EnvFamily;
    use crate::catalogue::{EnvRow, MakeEnv};
    use crate::words::{Param, Row};
    use crate::{Catalogue, Error};

    const ROW: EnvRow = Row {
        name: "lab/Pole-v0",
        summary: "a pole",
        params: &[Param::flag("heavy", "false", "whether it is heavy")],
        make: MakeEnv::one(|_| Ok(Box::new(uphill_envs::CartPole::new()))),
    };
    const LAB: EnvFamily = EnvFamily {
        prefix: "lab/",
        name: "lab/NAME",
        summary: "the lab's",
        find: |name| match name {
            "lab/Pole-v0" | "lab/Mistaken-v0" => Ok(&ROW),
            _ => Err(Error::Config(format!("the lab has no {name}"))),
        },
    };

    fn said(catalogue: &Catalogue, name: &str) -> String {
        catalogue.env(name).expect_err("refused").to_string()
    }

    #[test]
    fn a_name_is_found_by_its_family_and_has_its_arguments() {
        let catalogue = Catalogue::default().with(LAB);
        assert_eq!(catalogue.env("lab/Pole-v0").expect("a row").params[0].name, "heavy");
        let config = |text: &str| crate::Config::from_toml_with(text, &catalogue);
        config("env = 'lab/Pole-v0(heavy=true)'").expect("a configuration");
        let refused = config("env = 'lab/Pole-v0(heavi=true)'").expect_err("refused").to_string();
        assert!(refused.contains("did you mean `heavy`?"), "{refused}");
        assert_eq!(said(&catalogue, "lab/Car-v0"), "the lab has no lab/Car-v0");
        assert!(said(&catalogue, "lap/Pole-v0").contains("lab/NAME"), "{}", said(&catalogue, "lap/Pole-v0"));
        let mistaken = "the family `lab/`: for `lab/Mistaken-v0` it found the row of `lab/Pole-v0`";
        assert_eq!(said(&catalogue, "lab/Mistaken-v0"), mistaken);
    }

    #[test]
    fn a_row_of_one_s_own_goes_before_a_family_and_an_impossible_family_is_refused() {
        let own = EnvRow { name: "lab/Pole-v0", summary: "mine", ..ROW };
        let catalogue = Catalogue::default().with(LAB).with(own);
        assert_eq!(catalogue.env("lab/Pole-v0").expect("a row").summary, "mine");
        for (prefix, name, problem) in [
            ("", "NAME", "must begin with letters"),
            ("lab", "labNAME", "must begin with letters"),
            ("lab/", "NAME", "must begin as its environments' do"),
        ] {
            let refused = Catalogue::default().with(EnvFamily { prefix, name, ..LAB }).check();
            assert!(refused.expect_err("refused").to_string().contains(problem), "{prefix} {name}");
        }
        assert!(Catalogue::default().with(LAB) != Catalogue::default());
    }
}
