//! Why environments cannot be stepped on the learning device.

use crate::{Error, Result};

/// Bytes of a message about it.
const MOST: usize = 600;

/// Something of a run that is known or done on the host only, and what would be right where environments are on the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOnly {
    problem: String,
    remedy: String,
}

impl HostOnly {
    /// A problem, in a clause, and what to do about it.
    pub fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }

    /// The error that tells it.
    #[must_use]
    pub fn error(&self) -> Error {
        let Self { problem, remedy } = self;
        Error::Config(format!("{REFUSED}{problem}; {remedy}, or leave it out"))
    }

    /// Tells all at once; of very many those that a message has room for.
    ///
    /// # Errors
    /// [`Error::Config`] where there is any.
    pub fn refuse(all: &[Self]) -> Result<()> {
        match all {
            [] => Ok(()),
            [one] => Err(one.error()),
            several => {
                let mut message = REFUSED.to_string();
                for (i, Self { problem, remedy }) in several.iter().enumerate() {
                    let next = format!("({}) {problem}; {remedy}. ", i + 1);
                    if message.len() + next.len() + LAST.len() + "And 10 more. ".len() >= MOST {
                        message.push_str(&format!("And {} more. ", several.len() - i));
                        break;
                    }
                    message.push_str(&next);
                }
                Err(Error::Config(message + LAST))
            }
        }
    }
}

const REFUSED: &str = "envs_on_device = true is impossible: ";
const LAST: &str = "Or leave it out";

#[cfg(test)]
mod tests {
    use super::{HostOnly, MOST};

    #[test]
    fn all_are_told_at_once_and_of_very_many_those_that_there_is_room_for() {
        let said = |count: usize| {
            let all: Vec<_> =
                (0..count).map(|i| HostOnly::new(format!("{i} is of the host"), "take another")).collect();
            HostOnly::refuse(&all).map_or_else(|error| error.to_string(), |()| String::new())
        };
        assert_eq!(said(0), "");
        assert_eq!(said(1), "envs_on_device = true is impossible: 0 is of the host; take another, or leave it out");
        assert_eq!(
            said(2),
            "envs_on_device = true is impossible: (1) 0 is of the host; take another. (2) 1 is of the host; take another. \
             Or leave it out"
        );
        for count in 3..60 {
            assert!(said(count).len() < MOST, "{}", said(count));
        }
        assert!(said(59).ends_with(" more. Or leave it out"), "{}", said(59));
    }
}
