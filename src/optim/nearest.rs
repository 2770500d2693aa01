//! Which known word an unknown one stands for.

/// Words of other libraries, and those of this language that mean the same: the first that is known where it is asked for.
const ELSEWHERE: &[(&str, &[&str])] = &[
    // Optimizers and links: optax, torch, Keras, TensorFlow, timm.
    ("add_weight_decay", &["add_decayed_weights"]),
    ("agc", &["adaptive_clip"]),
    ("adaptive_grad_clip", &["adaptive_clip"]),
    ("averaged_model", &["ema"]),
    ("clip", &["clip_by_value"]),
    ("clip_by_norm", &["clip_by_block_norm"]),
    ("clip_grad_norm", &["clip_by_global_norm"]),
    ("clip_grad_norm_", &["clip_by_global_norm"]),
    ("clip_grad_value", &["clip_by_value"]),
    ("clip_grad_value_", &["clip_by_value"]),
    ("exponential_moving_average", &["ema"]),
    ("gradient_centralization", &["centralize"]),
    ("heavy_ball", &["momentum"]),
    ("multi_steps", &["accumulate"]),
    ("multi_transform", &["partition"]),
    ("scale_by_learning_rate_schedule", &["scale_by_learning_rate"]),
    ("scale_by_lr", &["scale_by_learning_rate"]),
    ("scale_by_schedule", &["scale_by_learning_rate"]),
    ("sgdm", &["momentum"]),
    ("skip_not_finite", &["zero_non_finite"]),
    ("zero_nans", &["zero_non_finite"]),
    // Schedules.
    ("cosine_annealing", &["cosine"]),
    ("cosine_decay", &["cosine"]),
    ("cosine_decay_schedule", &["cosine"]),
    ("exponential_decay", &["exponential"]),
    ("linear_decay", &["linear"]),
    ("linear_schedule", &["linear"]),
    ("multistep", &["piecewise"]),
    ("piecewise_constant", &["piecewise"]),
    ("reduce_lr_on_plateau", &["plateau"]),
    ("step_lr", &["step"]),
    ("wsd", &["warmup_stable_decay"]),
    // Arguments.
    ("b1", &["beta1"]),
    ("b2", &["beta2"]),
    ("betas", &["beta1"]),
    ("decay_rate", &["alpha", "beta2", "rho"]),
    ("end_value", &["end"]),
    ("epsilon", &["eps"]),
    ("every_k", &["k"]),
    ("init_value", &["start"]),
    ("initial_accumulator_value", &["initial_accumulator"]),
    ("learning_rate", &["lr"]),
    ("max_delta", &["max_value"]),
    ("max_grad_norm", &["max_norm"]),
    ("min_lr", &["min"]),
    ("mu", &["momentum"]),
    ("ns_iters", &["ns_steps"]),
    ("slow_step_size", &["alpha"]),
    ("step_size", &["lr"]),
    ("sync_period", &["k"]),
    ("wd", &["weight_decay"]),
    ("weight_decay_rate", &["weight_decay"]),
];

/// Optimizers that are not here and whose names are like those of others that are.
const OTHERS: &[&str] = &[
    "adai", "adamg", "adamod", "adamp", "adams", "asgd", "larc", "madgrad", "nadamw", "padam", "qhadam", "radamw",
    "rprop", "sgdp", "sgdw",
];

/// The least share of letters that two words must have in the same places.
const ALIKE: f64 = 0.65;

/// The known word that this one stands for: by its meaning elsewhere, as its beginning, or by a slip of the pen. `None`
/// where it may well mean something else: silence is better than a suggestion of another meaning.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let (name, known) = (name.to_lowercase(), known.collect::<Vec<_>>());
    let find = |word: &str| known.iter().copied().find(|known| *known == word);
    if let Some((_, ours)) = ELSEWHERE.iter().find(|(theirs, _)| *theirs == name) {
        return ours.iter().find_map(|word| find(word));
    }
    if OTHERS.contains(&&*name) {
        return None;
    }
    if let Some(word) = find(&name) {
        return Some(word);
    }
    if let [one] = known.iter().filter(|known| name.len() > 2 && known.starts_with(&name)).collect::<Vec<_>>()[..] {
        return Some(*one);
    }
    let alike =
        known.into_iter().map(|known| (likeness(known, &name), known)).filter(|(likeness, _)| *likeness > ALIKE);
    alike.min_by(|(one, _), (other, _)| other.total_cmp(one)).map(|(_, known)| known)
}

/// From 0, nothing alike, to 1, the same; 0 for words that differ in a number at the end, which is no slip.
fn likeness(known: &str, name: &str) -> f64 {
    // What words begin with in common, `scale_by_`, does not make the rest alike.
    let common =
        known.split_inclusive('_').zip(name.split_inclusive('_')).take_while(|(a, b)| a == b && a.ends_with('_'));
    let common: usize = common.map(|(word, _)| word.len()).sum();
    let (known, name) = (&known[common..], &name[common..]);
    let number = |c: char| c.is_ascii_digit();
    let [one, other] = [known, name].map(|word| word.trim_end_matches(number));
    if one == other && one.len() < known.len() && one.len() < name.len() {
        return 0.0;
    }
    strsim::normalized_damerau_levenshtein(known, name)
}

#[cfg(test)]
mod tests;
