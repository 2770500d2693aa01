//! Which known name a mistyped one is like.

/// The known name that another one is a slip of the hand for, or an abbreviation of; `None` if it is like none of them.
///
/// Case, `-`, `_` and a version at the end do not count. Alike are names that differ by at most a quarter of the letters of
/// the longer one, each inserted, left out, changed or swapped with its neighbour: names of three letters by one of them.
/// Four letters or more with which a known name begins are its abbreviation. So are names of the same words in another order.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (name, own) = (letters(name), words(name));
    let length = name.chars().count();
    let changes = |known: &str| {
        if own.len() > 1 && words(known) == own {
            return Some(0);
        }
        let known = letters(known);
        let longest = length.max(known.chars().count());
        let changes = strsim::damerau_levenshtein(&known, &name);
        let abbreviated = length >= 4 && known.starts_with(&name);
        (abbreviated || 4 * changes <= longest || (changes == 1 && longest == 3)).then_some(changes)
    };
    let alike = known.into_iter().filter_map(|known| Some((changes(known)?, known)));
    alike.min_by_key(|(changes, _)| *changes).map(|(_, known)| known)
}

/// The name without a version at its end.
fn stem(name: &str) -> &str {
    let version =
        |(_, version): &(&str, &str)| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit());
    name.rsplit_once("-v").filter(version).map_or(name, |(stem, _)| stem)
}

/// Its words, in an order that is always the same.
fn words(name: &str) -> Vec<String> {
    let words = stem(name).split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.map(str::to_lowercase).collect();
    words.sort_unstable();
    words
}

/// What of a name is compared.
fn letters(name: &str) -> String {
    stem(name).chars().filter(|letter| !matches!(letter, '-' | '_')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_hand_is_known_and_another_word_is_not_taken_for_one() {
        let envs = ["CartPole-v1", "GridWorld-4x4-v0", "FourRooms-v0", "CliffWalking-v1", "CliffWalkingSlippery-v1"];
        for (name, meant) in [
            ("CartPole-v0", Some("CartPole-v1")),
            ("cart_pole", Some("CartPole-v1")),
            ("FourRoms", Some("FourRooms-v0")),
            ("four", Some("FourRooms-v0")),
            ("GridWorld", Some("GridWorld-4x4-v0")),
            ("CliffWalking-v0", Some("CliffWalking-v1")),
            ("4x4-GridWorld", Some("GridWorld-4x4-v0")),
            ("MountainCar-v0", None),
            ("Acrobot-v1", None),
            ("Taxi-v3", None),
            ("Pendulum-v1", None),
            ("FrozenLake-v1", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, envs), meant, "{name}");
        }
        let algos = ["reinforce", "a2c", "ppo"];
        for (name, meant) in [
            ("pppo", Some("ppo")),
            ("PPO", Some("ppo")),
            ("pop", Some("ppo")),
            ("reinforse", Some("reinforce")),
            ("dqn", None),
            ("sac", None),
            ("td3", None),
            ("trpo", None),
            ("impala", None),
        ] {
            assert_eq!(nearest(name, algos), meant, "{name}");
        }
    }
}
