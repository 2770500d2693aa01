use uphill_envs::GridWorldConfig;

use super::findings;
use crate::optim::ClipGradBy;
use crate::{Config, Metrics};

fn row(explained: f64, clip: f64, entropy: f64, grad_norm: f64) -> Metrics {
    Metrics {
        update: 1,
        env_steps: 1,
        episodes: 1,
        episode_return_mean: None,
        episode_length_mean: None,
        policy_loss: None,
        value_loss: None,
        entropy: Some(entropy),
        approx_kl: None,
        clip_fraction: Some(clip),
        explained_variance: Some(explained),
        grad_norm,
        update_norm: 0.1,
        lr: None,
        steps_per_second: 1.0,
        others: Vec::new(),
    }
}

#[test]
fn each_sign_is_named_with_what_helps_and_a_healthy_run_is_left_in_peace() {
    let whole = Config { clip_grad_by: ClipGradBy::Whole, ..Config::for_algo("ppo").expect("a config") };
    let part = Config { clip_grad_by: ClipGradBy::Part, ..whole.clone() };
    let said = |config: &Config, row: Metrics| findings(vec![row; 20], 20, config, Some(2f64.ln()));
    assert_eq!(said(&whole, row(0.8, 0.1, 0.5, 1.0)), [""; 0]);
    for (row, word) in [
        (row(0.0, 0.1, 0.5, 1.0), "explained_variance"),
        (row(0.8, 0.0, 0.5, 1.0), "raise lr"),
        (row(0.8, 0.9, 0.5, 1.0), "lower lr"),
        (row(0.8, 0.1, 0.001, 1.0), "ent_coef"),
        (row(0.8, 0.1, 0.5, 180.0), "clip_grad_by"),
    ] {
        let found = said(&whole, row);
        assert!(found.len() == 1 && found[0].contains(word), "{word}: {found:?}");
    }
    let stream_ac = Config::for_algo("stream_ac").expect("a config");
    let row_of_steps = Metrics { clip_fraction: None, explained_variance: None, ..row(0.0, 0.0, 0.001, 1.0) };
    assert!(said(&stream_ac, row_of_steps)[0].ends_with("raise ent_coef, or raise kappa_policy"));
    // A limit that is not the whole gradient's, or that a link has taken over, says nothing of the policy's share.
    assert_eq!(said(&part, row(0.8, 0.1, 0.5, 180.0)), [""; 0]);
    let own = Config { optimizer: "clip_by_value(1) | adam".parse().expect("a spec"), ..whole };
    assert_eq!(said(&own, row(0.8, 0.1, 0.5, 180.0)), [""; 0]);
}

/// Rows with these mean returns and every sign of trouble.
fn troubled(returns: impl Iterator<Item = f64>) -> Vec<Metrics> {
    returns.map(|mean| Metrics { episode_return_mean: Some(mean), ..row(0.0, 0.0, 0.001, 1.0) }).collect()
}

#[test]
fn returns_that_rose_and_settled_say_that_nothing_is_amiss() {
    // An environment of which nothing is known.
    let config = Config { env: "Own-v0".into(), ..Config::for_algo("ppo").expect("a config") };
    let said = |config: &Config, of: &dyn Fn(f64) -> f64| {
        let rows = troubled((0..100).map(|i| of(f64::from(i) / 100.0)));
        findings(rows, 100, config, Some(4f64.ln()))
    };
    assert_eq!(said(&config, &|t| (20.0 * t).min(10.0)), [""; 0], "it rose and settled");
    let rising = said(&config, &|t| 10.0 * t);
    assert_eq!(rising.len(), 2, "it is still rising: {rising:?}");
    assert!(!rising.iter().any(|finding| finding.contains("explores")), "{rising:?}");
    for (what, of) in [
        ("it fell", &(|t: f64| -t) as &dyn Fn(f64) -> f64),
        ("it rose and fell", &|t| if t < 0.5 { t } else { 1.0 - t }),
    ] {
        assert_eq!(said(&config, of).len(), 3, "{what}");
    }
    // Where nothing was ever different, there is one thing to say, unless it was the best from the first.
    let (never, first) = (said(&config, &|_| 0.0), said(&config, &|t| if t > 0.985 { 1.0 } else { 0.0 }));
    assert!(never.len() == 1 && never[0].contains("every mean return was 0"), "{never:?}");
    assert!(!first.iter().any(|finding| finding.contains("every mean return")), "{first:?}");
    // A single update says it, too, of many episodes.
    for (episodes, count) in [(400, 1), (16, 3)] {
        let one = Metrics { episodes, ..troubled(std::iter::once(0.0)).remove(0) };
        assert_eq!(findings([one], 1, &config, Some(4f64.ln())).len(), count, "{episodes}");
    }
    // Of a grid world the best is known: 0.998 here, and no other place to settle is good.
    let world = GridWorldConfig { map: "S..G".into(), ..GridWorldConfig::default() };
    let world = Config { env: world.into(), ..config };
    assert_eq!(said(&world, &|t| (t * 2.0).min(0.998)), [""; 0]);
    assert_eq!(said(&world, &|_| 0.998), [""; 0]);
    assert_eq!(said(&world, &|t| (t - 1.0).min(-0.1)).len(), 3);
}

#[test]
fn the_critic_is_judged_by_the_last_tenth_and_clipping_by_all() {
    let config = Config::for_algo("ppo").expect("a config");
    let rows = |early: Metrics, late: Metrics| [vec![early; 90], vec![late; 10]].concat();
    // It learnt in the end; annealed steps clip nothing in the end.
    let good = rows(row(0.0, 0.2, 0.6, 1.0), row(0.9, 0.0, 0.5, 1.0));
    assert_eq!(findings(good, 100, &config, Some(2f64.ln())), [""; 0]);
    let lost = rows(row(0.9, 0.2, 0.6, 1.0), row(0.0, 0.2, 0.5, 1.0));
    assert_eq!(findings(lost, 100, &config, Some(2f64.ln())).len(), 1);
    assert_eq!(findings([], 0, &config, Some(2f64.ln())), [""; 0]);
}

/// Advice is of settings that the algorithm has.
#[test]
fn what_is_advised_are_settings_that_have_an_effect() {
    let rows = [row(0.0, 0.0, 0.001, 180.0), row(0.0, 0.9, 0.001, 180.0)];
    let never = Metrics { episodes: 400, ..troubled(std::iter::once(0.0)).remove(0) };
    for algo in crate::algo::ROWS {
        for more in ["", "clip_grad_by = 'whole'", "n_epochs = 1", "vf_coef = 0", "baseline = false"] {
            let text = format!("algo = '{}'\n{more}", algo.name);
            let Ok(config) = Config::from_toml(&text) else { continue };
            let found = rows.iter().map(|row| findings(vec![row.clone(); 20], 20, &config, Some(2f64.ln())));
            let found: Vec<String> = found.chain([findings([never.clone()], 1, &config, None)]).flatten().collect();
            for advice in &found {
                // What was seen stands before it.
                let (_, advised) = advice.rsplit_once(": ").expect("advice");
                let words = |name: &&str| advised.split([' ', ',', '(', ')', ';', ':']).any(|word| word == *name);
                let settings = Config::SETTINGS.iter().map(|(name, _)| *name);
                let others = crate::algo::ROWS.iter().flat_map(|row| row.params.iter().map(|param| param.name));
                for name in settings.chain(others).filter(words) {
                    let is_there = algo.param(name).is_some() || !config.is_idle(name);
                    assert!(is_there && config.without_effect(name).is_none(), "{text}: {name}: {advice}");
                    assert!(
                        name != "n_epochs" || !advised.contains("lower") || config.n_epochs > 1,
                        "{text}: {advice}"
                    );
                }
            }
            assert!(!found.is_empty(), "{text}");
        }
    }
    let said = |text: &str| {
        findings(vec![row(0.0, 0.9, 0.001, 1.0); 20], 20, &Config::from_toml(text).expect("settings"), Some(2f64.ln()))
            .join("\n")
    };
    assert!(said("algo = 'trpo'").contains("raise lr, n_epochs or steps"));
    assert!(said("algo = 'trpo'").ends_with("uniform policy's): lower max_kl"));
    assert!(said("algo = 'ppo(desired_kl=0.01)'").contains("lower desired_kl or n_epochs"));
    assert!(!said("vf_coef = 0").contains("explained_variance"));
    assert!(said("algo = 'ppo'").contains("normalize_reward does"));
    assert!(said("algo = 'ppo'\nenvs_on_device = true").contains("normalize_reward does"));
    assert!(!said("algo = 'ppo'\nnormalize_reward = true").contains("normalize_reward"));
}
