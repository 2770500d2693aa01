//! Every configuration is the same after it was written to a file and read.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config as Runner, RngSeed};
use uphill::Config;
use uphill::algo::ROWS;
use uphill::envs::{GridObservation, GridWorldConfig};
use uphill::init::Initialiser;
use uphill::models::Activation;
use uphill::optim::Registry;

/// The names of all optimizers.
fn optimizers() -> Vec<String> {
    Registry::default().recipes().map(|row| row.name.to_string()).collect()
}

fn numbers() -> impl Strategy<Value = f64> {
    prop_oneof![Just(f64::INFINITY), Just(1e-300), Just(0.1 + 0.2), 1e-12..1e12f64]
}

fn shares() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 0.0..1.0f64]
}

fn gridworlds() -> impl Strategy<Value = GridWorldConfig> {
    let limit = prop::option::of(1u32..1000);
    (shares(), -2.0..2.0f32, limit, prop::option::of(-5.0..5.0f64), any::<bool>()).prop_map(
        |(slip, step_reward, max_episode_steps, reward_threshold, row_column)| GridWorldConfig {
            id: "Caf\u{e9} \"1\"".into(),
            map: "S.x\n\u{2603}#G".into(),
            cell_rewards: BTreeMap::from([('x', step_reward / 3.0), ('\u{2603}', 0.25)]),
            slip,
            step_reward,
            observation: if row_column { GridObservation::RowColumn } else { GridObservation::OneHot },
            max_episode_steps,
            reward_threshold,
            ..GridWorldConfig::default()
        },
    )
}

fn configs() -> impl Strategy<Value = Config> {
    let names = (0..ROWS.len(), prop::sample::select(optimizers()), 0u64..1 << 63, 1..=Config::MAX_STEPS);
    let counts = (1usize..100, 1usize..100, 1usize..9, any::<[bool; 4]>(), prop::collection::vec(1usize..500, 0..5));
    let limits = [numbers(), numbers(), numbers(), numbers()];
    let decays = [shares(), shares()];
    let kinds = (0..3usize, 0..4usize, prop::option::of(gridworlds()), 0.0..1.0f64);
    (names, counts, limits, decays, kinds).prop_map(|(names, counts, limits, decays, kinds)| {
        let (algo, optimizer, seed, steps) = names;
        let (envs, n_steps, n_epochs, [baseline, normalize_advantage, anneal_lr, shared_trunk], hidden) = counts;
        let [clip_range, clip_range_vf, target_kl, max_grad_norm] = limits;
        let [gamma, gae_lambda] = decays;
        let (activation, init, gridworld, lr) = kinds;
        let own = Config::new(ROWS[algo].name, &optimizer).expect("known names");
        let config = Config {
            env: gridworld.map_or("a \"quoted\" name".into(), Into::into),
            device: "auto".into(),
            seed,
            steps,
            envs,
            n_steps,
            episodes: 3 * envs,
            n_epochs,
            n_minibatches: 1 + n_steps / 2,
            gamma,
            gae_lambda,
            baseline,
            normalize_advantage,
            clip_range: clip_range.into(),
            clip_range_vf,
            ent_coef: (-lr).into(),
            vf_coef: lr / 3.0,
            target_kl,
            lr,
            anneal_lr,
            max_grad_norm,
            hidden,
            activation: [Activation::Tanh, Activation::Relu, Activation::Silu][activation],
            init: [Initialiser::Orthogonal, Initialiser::Xavier, Initialiser::Kaiming, Initialiser::Sparse][init],
            shared_trunk,
            ..own.clone()
        };
        // What the algorithm has not stays as it is.
        let has = |name: &str| ROWS[algo].param(name).is_some();
        let config = Config {
            n_steps: if has("n_steps") { config.n_steps } else { own.n_steps },
            episodes: if has("episodes") { config.episodes } else { own.episodes },
            n_epochs: if has("n_epochs") { config.n_epochs } else { own.n_epochs },
            n_minibatches: if has("n_minibatches") { config.n_minibatches } else { own.n_minibatches },
            gae_lambda: if has("gae_lambda") { config.gae_lambda } else { own.gae_lambda },
            baseline: if has("baseline") { config.baseline } else { own.baseline },
            clip_range: if has("clip_range") { config.clip_range.clone() } else { own.clip_range.clone() },
            clip_range_vf: if has("clip_range_vf") { config.clip_range_vf } else { own.clip_range_vf },
            target_kl: if has("target_kl") { config.target_kl } else { own.target_kl },
            ent_coef: if has("ent_coef") { config.ent_coef.clone() } else { own.ent_coef.clone() },
            vf_coef: if has("vf_coef") { config.vf_coef } else { own.vf_coef },
            normalize_advantage: if has("normalize_advantage") { normalize_advantage } else { own.normalize_advantage },
            ..config
        };
        // So does what has no effect beside the others.
        let (learns, one_pass) = (config.baseline && config.vf_coef > 0.0, has("n_epochs") && config.n_epochs == 1);
        let holds = !one_pass || config.n_minibatches > 1;
        let has_layers = !config.hidden.is_empty();
        let sees_later = config.gamma > 0.0 && config.n_steps > 1;
        Config {
            gae_lambda: if sees_later { config.gae_lambda } else { own.gae_lambda },
            vf_coef: if config.baseline { config.vf_coef } else { own.vf_coef },
            clip_range: if holds { config.clip_range.clone() } else { own.clip_range.clone() },
            clip_range_vf: if holds && learns { config.clip_range_vf } else { own.clip_range_vf },
            target_kl: if one_pass { own.target_kl } else { config.target_kl },
            activation: if has_layers { config.activation } else { own.activation },
            model: if has_layers { config.model.clone() } else { "mlp".into() },
            shared_trunk: has_layers && config.shared_trunk,
            ..config
        }
    })
}

proptest! {
    #![proptest_config(Runner { cases: 64, failure_persistence: None, rng_seed: RngSeed::Fixed(3), ..Runner::default() })]

    #[test]
    fn toml_holds_every_setting_exactly(config in configs()) {
        let text = config.to_toml().expect("TOML");
        prop_assert_eq!(&Config::from_toml(&text).expect("the same settings"), &config);
        prop_assert_eq!(Config::from_table(config.to_table().expect("a table")).expect("the same settings"), config);
    }
}
