//! Names of tensors that are wrapped, or of no actor and critic.

use uphill_envs::quoted;

use super::array::Arrays;

/// The same tensors without what torch's wrappers put before their names: `torch.compile`, and those of several devices.
pub(super) fn unwrapped(arrays: Arrays) -> Result<Arrays, String> {
    let mut plain = Arrays::new();
    for (name, array) in arrays {
        let parts: Vec<&str> = name.split('.').filter(|part| !["_orig_mod", "module"].contains(part)).collect();
        let short = parts.join(".");
        if plain.contains_key(&short) {
            let (name, short) = (quoted(&name), quoted(&short));
            return Err(format!(
                "tensor `{name}` is in the file twice, with and without its wrapper: save it once, as `{short}`"
            ));
        }
        plain.insert(short, array);
    }
    Ok(plain)
}

/// What is said of tensors that are of no actor and critic.
pub(super) fn unknown(arrays: &Arrays) -> String {
    let has = |name: &str| arrays.contains_key(name);
    let begins = |prefix: &str| arrays.keys().any(|name| name.starts_with(prefix));
    let other = [
        ("quantile_net.", "QRDQN"),
        ("q_net.", "DQN"),
        ("actor.latent_pi.0.ra_mean", "CrossQ"),
        ("actor.latent_pi.", "SAC or TQC"),
        ("actor.mu.", "TD3 or DDPG"),
        ("fc_mean.", "SAC"),
        ("fc_mu.", "TD3 or DDPG"),
        ("action_net.0.", "ARS"),
    ];
    const READ: &str =
        "PPO, A2C, TRPO, MaskablePPO and RecurrentPPO of Stable-Baselines3 and sb3-contrib, and PPO of CleanRL";
    if let Some((_, of)) = other.iter().find(|(prefix, _)| begins(prefix)) {
        return format!(
            "its tensors are those of {of}, whose network is none here; what is read are actors with critics: {READ}"
        );
    }
    let halves = [
        ("action_net.weight", "value_net.weight"),
        ("actor.0.weight", "critic.0.weight"),
        ("actor_mean.0.weight", "critic.0.weight"),
        ("actor.weight", "critic.weight"),
    ];
    for (actor, critic) in halves {
        let (there, missing, of) = match (has(actor), has(critic)) {
            (true, false) => (actor, critic, ["an actor", "a critic"]),
            (false, true) => (critic, actor, ["a critic", "an actor"]),
            _ => continue,
        };
        let [this, other] = of;
        return format!(
            "it has {this} (`{there}`, ...) and not {other} (`{missing}`, ...): save the whole state dict, of both"
        );
    }
    let shown: Vec<String> = arrays.keys().take(4).map(|name| quoted(name)).collect();
    let more = if arrays.len() > shown.len() { ", ..." } else { "" };
    format!(
        "its tensors ({}{more}) are neither those of a PPO or A2C of Stable-Baselines3 (mlp_extractor.policy_net.0.weight, \
         action_net.weight, ...) nor those of CleanRL's ppo.py, ppo_continuous_action.py or ppo_atari.py (actor.0.weight, ...)",
        shown.join(", ")
    )
}
