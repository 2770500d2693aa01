//! Which blocks are meant.

use crate::{Block, Error, Layout};

/// A choice of blocks: alternatives with commas between, each a role or a name in which `*` stands for any text.
///
/// ```
/// use uphill::optim::Pattern;
/// use uphill::Layout;
///
/// let mut layout = Layout::default();
/// layout.push("actor.0.weight", &[64, 4]);
/// layout.push("actor.0.bias", &[64]);
/// let chosen = |pattern: &str| layout.blocks().iter().map(|b| Pattern::new(pattern).matches(b)).collect::<Vec<_>>();
/// assert_eq!(chosen("actor.*"), [true, true]);
/// assert_eq!(chosen("*.bias"), [false, true]);
/// assert_eq!(chosen("weights"), [true, false]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// The roles are `weights`, blocks of two dimensions or more, of which `matrices` have two, and `biases`, those of
    /// fewer; `*` alone is all.
    #[must_use]
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// The pattern as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it means every block.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.trim() == "*"
    }

    /// Whether some alternative is a name of its own, which no network need have.
    pub(super) fn names_some(&self) -> bool {
        self.0.split(',').any(|alternative| !matches!(alternative.trim(), "weights" | "matrices" | "biases" | "*"))
    }

    /// That it means no block of these, where one is to be named.
    pub(super) fn means_none_of(&self, layout: &Layout) -> Error {
        let names: Vec<&str> = layout.blocks().iter().map(|block| block.name.as_str()).collect();
        Error::Config(format!("the pattern `{}` means no block of {}", self.0, names.join(", ")))
    }

    /// Whether it means this block.
    #[must_use]
    pub fn matches(&self, block: &Block) -> bool {
        self.0.split(',').any(|alternative| match alternative.trim() {
            "weights" => block.shape.len() >= 2,
            "matrices" => block.shape.len() == 2,
            "biases" => block.shape.len() < 2,
            name => fits(name, &block.name),
        })
    }
}

/// Whether a text is the pattern with some text in place of each `*`.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let (parts, last) = rest.rsplit_once('*').map_or((None, rest), |(parts, last)| (Some(parts), last));
    for part in parts.into_iter().flat_map(|parts| parts.split('*')) {
        // The first place that fits leaves the most for the rest.
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("actor.*", "actor.0.weight", true),
            ("actor.*", "critic.0.weight", false),
            ("*.0.*", "actor.0.weight", true),
            ("*.bias", "actor.0.bias", true),
            ("*.bias", "actor.0.bias2", false),
            ("a*a", "a", false),
            ("a*b*a", "abba", true),
            ("actor", "actor.0", false),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
