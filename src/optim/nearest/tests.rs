use super::{ELSEWHERE, nearest};
use crate::optim::Registry;

fn optimizer(name: &str) -> Option<String> {
    let registry = Registry::default();
    nearest(name, registry.rows().iter().filter(|row| row.place().is_some()).map(|row| row.name)).map(String::from)
}

#[test]
fn a_word_is_found_by_its_meaning_its_beginning_or_a_slip() {
    for (name, expected) in [
        ("adan", "adam"),
        ("Adam", "adam"),
        ("adam_w", "adamw"),
        ("sdg", "sgd"),
        ("rms", "rmsprop"),
        ("RMSProp", "rmsprop"),
        ("sgdm", "momentum"),
        ("clip", "clip_by_value"),
        ("clip_grad_norm", "clip_by_global_norm"),
        ("clip_by_vale", "clip_by_value"),
        ("scale_by_lr", "scale_by_learning_rate"),
        ("scale_by_adan", "scale_by_adam"),
        ("lookahed", "lookahead"),
        ("zero_nans", "zero_non_finite"),
    ] {
        assert_eq!(optimizer(name).as_deref(), Some(expected), "{name}");
    }
}

#[test]
fn what_may_mean_something_else_is_met_with_silence() {
    let others = "ranger sophia prodigy lbfgs rprop asgd adamp nadamw sam tiger novograd adahessian madgrad came \
        signum fromage swa scale scale_by_ranger dqn xyzzy chain add step";
    for name in others.split_whitespace() {
        assert_eq!(optimizer(name), None, "{name}");
    }
    let adam = ["lr", "beta1", "beta2", "eps", "weight_decay"];
    for name in ["beta3", "momentum", "lr_decay", "eps_root", "alpha", "max_dim", "nesterov"] {
        assert_eq!(nearest(name, adam.into_iter()), None, "{name}");
    }
    for (name, expected) in
        [("learning_rate", "lr"), ("b2", "beta2"), ("betas", "beta1"), ("beta", "beta1"), ("esp", "eps")]
    {
        let known = nearest(name, adam.into_iter());
        assert!(known == Some(expected) || (name == "beta" && known.is_some()), "{name}: {known:?}");
    }
}

#[test]
fn every_meaning_is_that_of_a_known_word() {
    let registry = Registry::default();
    let words = || registry.rows().iter().flat_map(|row| row.params.iter().map(|param| param.name).chain([row.name]));
    for (theirs, ours) in ELSEWHERE {
        assert!(words().all(|word| word != *theirs) || *theirs == "clip", "{theirs} is a word here");
        assert!(ours.iter().all(|ours| words().any(|word| word == *ours)), "{theirs}: {ours:?}");
    }
}
