//! The page of a card.

use std::path::Path;

use serde_json::json;

use super::{Card, Trained};
use crate::benchmark::plain;
use crate::policy::Which;
use crate::{Config, Evaluation, Result, screen};

/// The model card.
///
/// Source: <https://huggingface.co/docs/hub/model-cards#model-card-metadata>; the index is that of
/// <https://github.com/huggingface/huggingface_sb3>.
pub(super) fn page(
    card: &Card,
    config: &Config,
    (result, trained): (&Evaluation, Option<&Trained>),
    folder: &Path,
) -> Result<String> {
    let (env, algo) = (config.env.shown(), config.algo.name.clone());
    let [mean, std] = [result.return_mean, result.return_std].map(Option::unwrap_or_default);
    // JSON is YAML, too, whatever stands in a name.
    let quoted = |text: &str| json!(text).to_string();
    let licence = card.license.as_ref().map_or(String::new(), |name| format!("license: {}\n", quoted(name)));
    let (env_quoted, algo_quoted) = (quoted(&env), quoted(&algo));
    // Two decimals are usual there; small returns need more.
    let [mean, std] = match mean.abs().max(std) < 10.0 {
        true => screen::amounts([mean, std]),
        false => [mean, std].map(|x| format!("{x:.2}")),
    };
    let reward = quoted(&format!("{mean} +/- {std}"));
    let settings = config.to_toml()?;
    let replay = if folder.join("replay.gif").exists() { "![One episode](replay.gif)\n\n" } else { "" };
    let curve = if folder.join("reward.png").exists() { "![Return while learning](reward.png)\n\n" } else { "" };
    let (episodes, seed) = (result.episodes, card.seed);
    let which = match card.which {
        Which::Last => String::new(),
        best => format!("This is {} of its policies. ", best.shown()),
    };
    let (how, again) = match trained {
        None if folder.join("metrics.csv").exists() => (String::new(), ""),
        None => (
            "Nothing is recorded here of how it was trained; of the settings below those of learning may be defaults. "
                .into(),
            "",
        ),
        Some(Trained { env_steps, version, finished }) => (
            format!("Trained for {env_steps} steps by uphill {version}. "),
            if *finished { " `uphill train --config FOLDER/config.toml` makes it again, to the bit." } else { "" },
        ),
    };
    let watch = if replay.is_empty() { "" } else { " --watch" };
    let own_rows = config.own_rows();
    let (program, load, own) = match &*own_rows {
        [] => ("uphill", "load(\"FOLDER\")", String::new()),
        rows => {
            let rows = rows.join(", ");
            let own = format!(", PROGRAM is the one that has {rows}, and `catalogue` its rows");
            ("PROGRAM", "load_with(\"FOLDER\", &catalogue)", own)
        }
    };
    let again = again.replace("uphill train", &format!("{program} train"));
    Ok(format!(
        "---\n{licence}library_name: uphill\npipeline_tag: reinforcement-learning\ntags:\n- {env_quoted}\n- {algo_quoted}\n\
         - deep-reinforcement-learning\n- reinforcement-learning\n- uphill\nmodel-index:\n- name: {algo_quoted}\n  results:\n  \
         - task:\n      type: reinforcement-learning\n      name: reinforcement-learning\n    dataset:\n      \
         name: {env_quoted}\n      type: {env_quoted}\n    metrics:\n    - type: mean_reward\n      value: {reward}\n      \
         name: mean_reward\n      verified: false\n---\n\n# {} in {}\n\n{how}{which}Over \
         {episodes} episodes (seed {seed}), always taking the likeliest action, it returns {mean} ± {std}.\n\n\
         {replay}{curve}## Use\n\n```sh\n{program} evaluate FOLDER{watch}\n```\n\n```rust\nlet policy = \
         uphill::Policy::{load}?;\n```\n\nwhere FOLDER is where these files are{own}.{again}\n\n## Settings\n\n```toml\n{settings}```\n",
        plain(&algo),
        plain(&env),
    ))
}
