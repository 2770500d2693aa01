//! What Python says that an environment is, and its observations and actions as bytes.

use serde::Deserialize;
use uphill::envs::{Action, EnvError, Space, Spec};
use uphill::{Error, Result};

/// A space, as Python tells it.
#[derive(Debug, Deserialize)]
struct ToldSpace {
    kind: String,
    n: Vec<usize>,
    #[serde(default)]
    low: String,
    #[serde(default)]
    high: String,
}

#[derive(Debug, Deserialize)]
struct Told {
    observation: ToldSpace,
    action: ToldSpace,
    max_episode_steps: Option<i64>,
    reward_threshold: Option<f64>,
}

/// What lanes are, from what Python says of them, under this name.
pub(crate) fn spec(id: &str, told: &[u8]) -> Result<Spec> {
    let wrong = |problem: String| Error::Config(format!("{id}: {problem}"));
    let told: Told = serde_json::from_slice(told).map_err(|e| wrong(e.to_string()))?;
    let limit = told.max_episode_steps.filter(|&limit| limit > 0).map(u32::try_from).transpose();
    Ok(Spec {
        id: id.into(),
        observation: space(told.observation).map_err(wrong)?,
        action: space(told.action).map_err(wrong)?,
        max_episode_steps: limit.map_err(|e| wrong(e.to_string()))?,
        reward_threshold: told.reward_threshold,
    })
}

fn space(told: ToldSpace) -> std::result::Result<Space, String> {
    Ok(match (told.kind.as_str(), told.n.as_slice()) {
        ("discrete", &[n]) => Space::Discrete { n },
        ("multi_discrete", _) => Space::MultiDiscrete { n: told.n },
        ("multi_binary", &[n]) => Space::MultiBinary { n },
        ("image", &[height, width, channels, max]) => {
            Space::Image { height, width, channels, max: u8::try_from(max).map_err(|e| e.to_string())? }
        }
        ("box", _) => Space::Box { low: bounds(&told.low)?, high: bounds(&told.high)? },
        (kind, n) => return Err(format!("a space {kind} {n:?} is none")),
    })
}

/// Numbers from the hexadecimal digits of their bytes.
fn bounds(digits: &str) -> std::result::Result<Vec<f32>, String> {
    let digit = |c: &u8| char::from(*c).to_digit(16).ok_or_else(|| "bounds that are no digits".to_string());
    let digits = digits.as_bytes().iter().map(digit).collect::<std::result::Result<Vec<u32>, _>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| (16 * pair[0] + pair[1]) as u8).collect();
    Ok(floats(&bytes).collect())
}

fn floats(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

/// Bytes of one observation.
pub(crate) fn observation_bytes(space: &Space) -> usize {
    match space {
        Space::Image { .. } => space.flat_len(),
        _ => 4 * space.flat_len(),
    }
}

/// Writes one observation from its bytes, which are as many as they should be.
pub(crate) fn read_observation(space: &Space, bytes: &[u8], observation: &mut [f32]) {
    match space {
        Space::Image { .. } => observation.iter_mut().zip(bytes).for_each(|(x, &byte)| *x = f32::from(byte)),
        _ => observation.iter_mut().zip(floats(bytes)).for_each(|(x, number)| *x = number),
    }
}

/// Appends an action's bytes.
pub(crate) fn write_action(action: Action<'_>, request: &mut Vec<u8>) {
    match action {
        Action::Discrete(index) => request.extend(index.to_le_bytes()),
        Action::MultiDiscrete(indices) => request.extend(indices.iter().flat_map(|index| index.to_le_bytes())),
        Action::Continuous(numbers) => request.extend(numbers.iter().flat_map(|x| x.to_le_bytes())),
    }
}

/// Appends whether and how a lane is reset.
pub(crate) fn write_reset(reset: Option<Option<u128>>, request: &mut Vec<u8>) {
    let (kind, seed) = match reset {
        None => (0, 0),
        Some(None) => (1, 0),
        Some(Some(seed)) => (2, seed),
    };
    request.push(kind);
    request.extend(seed.to_le_bytes());
}

/// Refuses an answer of another length: an environment returned an observation of another shape than its space has.
pub(crate) fn check_length(expected: usize, got: usize) -> std::result::Result<(), EnvError> {
    match expected == got {
        true => Ok(()),
        false => Err(EnvError::Length { what: "what Gymnasium returned, in bytes,", expected, got }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Space, spec};

    #[test]
    fn what_python_tells_is_read_and_what_it_never_tells_is_an_error() {
        let told = |observation: &str| {
            let text = format!(
                "{{\"observation\": {observation}, \"action\": {{\"kind\": \"discrete\", \"n\": [3]}}, \
                 \"max_episode_steps\": 5, \"reward_threshold\": null}}"
            );
            spec("gymnasium/X-v0", text.as_bytes())
        };
        let x = told("{\"kind\": \"box\", \"n\": [], \"low\": \"0000803f\", \"high\": \"0000807f\"}").expect("a box");
        assert_eq!(x.observation, Space::Box { low: vec![1.0], high: vec![f32::INFINITY] });
        assert_eq!((x.action, x.max_episode_steps), (Space::Discrete { n: 3 }, Some(5)));
        let image = told("{\"kind\": \"image\", \"n\": [2, 3, 1, 255]}").expect("an image").observation;
        assert_eq!(image, Space::Image { height: 2, width: 3, channels: 1, max: 255 });
        for wrong in ["{\"kind\": \"image\", \"n\": [2]}", "{\"kind\": \"tuple\", \"n\": []}", "7"] {
            assert!(told(wrong).expect_err("refused").to_string().starts_with("gymnasium/X-v0: "), "{wrong}");
        }
    }
}
