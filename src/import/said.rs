//! What Stable-Baselines3 says of a policy beside its tensors, in JSON.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;
use uphill_envs::quoted;

use crate::models::Activation;

/// What is known of a policy by what its program says; what is pickled within it is not read.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Whose it is.
    pub(super) of: &'static str,
    /// Our name of the algorithm.
    pub(super) algo: &'static str,
    /// Steps that it was trained for.
    pub(super) steps: Option<i64>,
    /// Whether it was told which actions are legal.
    pub(super) masks: bool,
    /// The module of the policy's class.
    module: Option<String>,
    activation: Option<String>,
    extractor: Option<String>,
    /// Names of what it was told, which no policy here is.
    other: Vec<(&'static str, bool, &'static str)>,
}

/// What stands there. Whatever is of another form than is read, or of no interest, is not made into values: a few bytes may say many.
#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    policy_class: Option<&'a RawValue>,
    #[serde(borrow)]
    policy_kwargs: Option<&'a RawValue>,
    #[serde(borrow)]
    num_timesteps: Option<&'a RawValue>,
    #[serde(borrow)]
    clip_range: Option<&'a RawValue>,
    #[serde(borrow)]
    cg_damping: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Class {
    #[serde(rename = "__module__")]
    module: String,
}

/// Arguments of the policy's class, as far as they are read.
#[derive(Deserialize, Default)]
struct Kwargs<'a> {
    #[serde(borrow)]
    activation_fn: Option<&'a RawValue>,
    #[serde(borrow)]
    features_extractor_class: Option<&'a RawValue>,
    #[serde(borrow)]
    squash_output: Option<&'a RawValue>,
    #[serde(borrow)]
    use_expln: Option<&'a RawValue>,
    #[serde(borrow)]
    full_std: Option<&'a RawValue>,
    #[serde(borrow)]
    normalize_images: Option<&'a RawValue>,
}

/// What Python writes for numbers that JSON has not, as texts, of which none is read.
fn real_json(bytes: &[u8]) -> Cow<'_, [u8]> {
    const UNREAL: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let (mut real, mut kept, mut at, mut in_text) = (Vec::new(), 0, 0, false);
    while at < bytes.len() {
        let unreal = UNREAL.into_iter().find(|word| !in_text && bytes[at..].starts_with(word));
        if let Some(word) = unreal {
            real.extend_from_slice(&bytes[kept..at]);
            real.extend([b"\"", word, b"\""].concat());
            kept = at + word.len();
        }
        in_text ^= bytes[at] == b'"';
        // What is escaped ends no text.
        at += unreal.map_or(if in_text && bytes[at] == b'\\' { 2 } else { 1 }, <[u8]>::len);
    }
    match kept {
        0 => Cow::Borrowed(bytes),
        _ => Cow::Owned([&real, &bytes[kept..]].concat()),
    }
}

/// The value, where it is of that kind.
fn of_kind<'a, T: Deserialize<'a>>(value: Option<&'a RawValue>) -> Option<T> {
    value.and_then(|value| serde_json::from_str(value.get()).ok())
}

impl Said {
    /// Reads it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let bytes = real_json(bytes);
        let data: Data<'_> = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
        let kwargs: Kwargs<'_> = of_kind(data.policy_kwargs).unwrap_or_default();
        let others = [
            ("squash_output", kwargs.squash_output, true, "its actions are squashed, which gsde here does not do"),
            ("use_expln", kwargs.use_expln, true, "its deviations grow as expln says, and here as exp does"),
            ("full_std", kwargs.full_std, false, "its actions share their deviations, and here each has its own"),
            ("normalize_images", kwargs.normalize_images, false, "bytes of images are divided by 255"),
        ];
        let module = of_kind::<Class>(data.policy_class).map(|class| class.module);
        let is_contrib =
            data.cg_damping.is_some() || module.as_deref().is_some_and(|of| of.starts_with("sb3_contrib."));
        let other = others.into_iter().filter(|(_, value, wrong, _)| of_kind(*value) == Some(*wrong));
        Ok(Self {
            of: if is_contrib { "sb3-contrib" } else { "Stable-Baselines3" },
            algo: match (data.cg_damping, data.clip_range) {
                (Some(_), _) => "trpo",
                (None, Some(_)) => "ppo",
                (None, None) => "a2c",
            },
            masks: module.as_deref().is_some_and(|of| of.starts_with("sb3_contrib.common.maskable")),
            steps: of_kind(data.num_timesteps).filter(|steps| *steps > 0),
            module,
            activation: of_kind(kwargs.activation_fn),
            extractor: of_kind(kwargs.features_extractor_class),
            other: other.map(|(name, _, wrong, why)| (name, wrong, why)).collect(),
        })
    }

    /// Refuses what no policy here is.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some((name, value, why)) = self.other.first() {
            let value = if *value { "True" } else { "False" };
            return Err(format!("{name} = {value} has no place here: {why}"));
        }
        let extractor =
            self.extractor.as_deref().filter(|class| !["FlattenExtractor", "NatureCNN"].contains(&last(class)));
        extractor.map_or(Ok(()), |class| {
            let problem =
                "what it makes of observations is not in the tensors alone; there are FlattenExtractor, NatureCNN";
            Err(format!("features_extractor_class = {} has no place here: {problem}", quoted(class)))
        })
    }

    /// What stands between layers: what the policy was told, or what a class of Stable-Baselines3's own has where it is told nothing.
    pub(super) fn activation(&self) -> Result<Option<Activation>, String> {
        let Some(said) = &self.activation else {
            let theirs =
                |module: &str| ["stable_baselines3.", "sb3_contrib."].iter().any(|own| module.starts_with(own));
            return Ok(self.module.as_deref().is_some_and(theirs).then_some(Activation::Tanh));
        };
        let found = ACTIVATIONS.iter().find(|(theirs, ..)| *theirs == last(said)).map(|(_, _, ours)| *ours);
        let names = ACTIVATIONS.map(|(theirs, ..)| theirs).join(", ");
        found.map(Some).ok_or_else(|| format!("activation_fn = {} has no place here; there are {names}", quoted(said)))
    }
}

/// The name at the end of `<class 'torch.nn.modules.activation.Tanh'>`.
fn last(class: &str) -> &str {
    class.trim_end_matches("'>").rsplit('.').next().unwrap_or_default()
}

/// Activations by torch's names, and by ours.
const ACTIVATIONS: [(&str, &str, Activation); 6] = [
    ("Tanh", "tanh", Activation::Tanh),
    ("ReLU", "relu", Activation::Relu),
    ("SiLU", "silu", Activation::Silu),
    ("GELU", "gelu", Activation::Gelu),
    ("LeakyReLU", "leaky_relu", Activation::LeakyRelu),
    ("Identity", "identity", Activation::Identity),
];

/// Our name of an activation.
pub(crate) fn word(activation: Activation) -> &'static str {
    ACTIVATIONS.iter().find(|(.., ours)| *ours == activation).map_or("", |(_, ours, _)| ours)
}
