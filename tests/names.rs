//! What is said to a name that is not ours: the word of another library gets ours, a slip of the hand what was meant, and
//! anything else nothing.

use uphill::{Config, algo, names};

/// Names that Stable-Baselines3 and its zoo, CleanRL, RLlib and Tianshou have for settings, and ours.
#[rustfmt::skip]
const THEIRS: &[(&str, &str)] = &[
    // Stable-Baselines3 and its zoo.
    ("total_timesteps", "steps"), ("n_timesteps", "steps"), ("n_envs", "envs"), ("learning_rate", "lr"),
    ("batch_size", "n_minibatches"), ("net_arch", "hidden"), ("activation_fn", "activation"), ("ortho_init", "init"),
    ("rms_prop_eps", "optimizer"), ("use_rms_prop", "optimizer"), ("num_threads", "threads"),
    // CleanRL.
    ("env_id", "env"), ("num_envs", "envs"), ("num_steps", "n_steps"), ("num_minibatches", "n_minibatches"),
    ("update_epochs", "n_epochs"), ("norm_adv", "normalize_advantage"), ("clip_coef", "clip_range"),
    ("clip_vloss", "clip_range_vf"), ("minibatch_size", "n_minibatches"), ("num_iterations", "steps"), ("cuda", "device"), ("use_amp", "precision"),
    // RLlib.
    ("train_batch_size", "n_steps"), ("sgd_minibatch_size", "n_minibatches"), ("num_sgd_iter", "n_epochs"),
    ("num_epochs", "n_epochs"), ("lambda", "gae_lambda"), ("lambda_", "gae_lambda"), ("clip_param", "clip_range"), ("vf_loss_coeff", "vf_coef"), ("entropy_coeff", "ent_coef"),
    ("grad_clip", "max_grad_norm"), ("use_critic", "baseline"), ("use_gae", "gae_lambda"), ("num_workers", "envs"),
    ("num_envs_per_worker", "envs"), ("rollout_fragment_length", "n_steps"), ("fcnet_hiddens", "hidden"),
    ("fcnet_activation", "activation"), ("vf_share_layers", "shared_trunk"), ("num_gpus", "device"),
    ("normalize", "normalize_observation"), ("norm_obs", "normalize_observation"), ("norm_reward", "normalize_reward"),
    ("clip_obs", "clip_observation"), ("action_masks", "mask_actions"), ("vec_normalize", "normalize_observation"),
    // Tianshou.
    ("task", "env"), ("training_num", "envs"), ("step_per_collect", "n_steps"), ("episode_per_collect", "episodes"),
    ("repeat_per_collect", "n_epochs"), ("hidden_sizes", "hidden"), ("eps_clip", "clip_range"), ("value_clip", "clip_range_vf"),
    ("advantage_normalization", "normalize_advantage"), ("lr_decay", "anneal_lr"), ("epoch", "n_epochs"),
    // Others, and slips of the hand.
    ("max_steps", "steps"), ("discount_factor", "gamma"), ("gama", "gamma"), ("n_step", "n_steps"), ("nsteps", "n_steps"),
    ("vf_coeff", "vf_coef"), ("kl_limit", "target_kl"), ("episode", "episodes"), ("optimiser", "optimizer"),
    ("seeds", "seed"), ("normalise_advantage", "normalize_advantage"), ("grid_world", "env"),
    ("Learning-Rate", "lr"), ("clip-range", "clip_range"), ("policy", "model"),
    ("use_sde", "distribution"), ("eval_freq", "eval_every"), ("n_eval_episodes", "eval_episodes"),
    ("max_no_improvement_evals", "stop_without_improvement"), ("stop_fn", "stop_at_return"),
];

/// Names that nothing here stands for, nor is like.
const NOBODYS: &[&str] = &[
    "kl_coeff",
    "kl_target",
    "reward_normalization",
    "buffer_size",
    "rew_norm",
    "verbose",
    "exp_name",
    "n_eval_envs",
    "torch_deterministic",
    "track",
    "vf_clip_param",
    "max_episode_steps",
    "tensorboard_log",
    "training",
    "norm_obs_keys",
    "is_rainy",
    "tau",
    "ranger",
    "foo",
    "colour",
    "x",
    "",
];

fn settings() -> impl Iterator<Item = &'static str> + Clone {
    Config::SETTINGS.iter().map(|(name, _)| *name)
}

#[test]
fn a_setting_of_another_library_is_answered_with_ours() {
    for (theirs, ours) in THEIRS {
        let found = names::meant(theirs, &settings().collect::<Vec<_>>()).map(|meant| meant.name);
        assert_eq!(found, Some(*ours), "{theirs}");
        // It is a setting of some algorithm: of another one it is not said.
        let rows = || uphill::algo::ROWS.iter().filter(|row| row.params.iter().any(|param| param.name == *ours));
        let algo = rows().find(|row| row.name == "ppo").or(rows().next()).map_or("ppo", |row| row.name);
        let file = format!("algo = \"{algo}\"\n\"{theirs}\" = 1");
        let message = Config::from_toml(&file).expect_err(theirs).to_string();
        let known = settings().any(|name| name == *theirs);
        assert!(known || message.contains(&format!("did you mean `{ours}`?")), "{message}");
    }
}

#[test]
fn a_setting_that_counts_something_else_says_how_to_convert_it() {
    for (theirs, how) in [
        ("batch_size", "n_minibatches = envs * n_steps / steps in a minibatch"),
        ("train_batch_size", "n_steps = steps in a rollout / envs"),
        ("num_iterations", "steps = updates * envs * n_steps"),
        ("clip_vloss", "as clip_range where values are clipped, inf where not"),
        ("use_gae", "1 is without"),
        ("max_steps", "max_episode_steps of a grid world"),
    ] {
        let message = Config::from_toml(&format!("{theirs} = 1")).expect_err(theirs).to_string();
        assert!(message.contains(how), "{message}");
    }
    let same = Config::from_toml("num_envs = 8").expect_err("unknown").to_string();
    assert_eq!(same, "there is no setting `num_envs`; did you mean `envs`?");
}

#[test]
fn a_name_of_another_meaning_is_no_suggestion() {
    for name in NOBODYS {
        assert_eq!(names::meant(name, &settings().collect::<Vec<_>>()), None, "{name}");
        let message = Config::from_toml(&format!("\"{name}\" = 1")).expect_err(name).to_string();
        assert!(!message.contains("did you mean"), "{message}");
    }
    let kl = Config::from_toml("kl_coeff = 0.2").expect_err("unknown").to_string();
    assert!(
        kl.contains(
            "no setting `kl_coeff`, nor what stands for it: the algorithm ppo_kl has a penalty on the KL divergence"
        ),
        "{kl}"
    );
    let dpo = Config::for_algo("dpo").expect_err("another word").to_string();
    assert!(
        dpo.contains("did you mean `dpo_drift`? it is discovered policy optimisation; of direct preference"),
        "{dpo}"
    );
    for name in ["dqn", "sac", "td3", "ddpg", "impala", "es"] {
        let message = Config::for_algo(name).expect_err(name).to_string();
        assert_eq!(
            message,
            format!(
                "there is no algorithm `{name}`; there are reinforce, rloo, a2c, ppo, ppo_kl, dpo_drift, v_trace, npg, trpo, stream_ac"
            )
        );
    }
    assert_eq!(algo::ROWS.len(), 10, "the algorithms that the above names");
}

#[test]
fn each_name_of_ours_that_the_table_leads_to_is_one() {
    // With the flags of `train` that are no settings, the other programs' flags, the options of a grid world, and commands.
    let others = [
        "out",
        "config",
        "force",
        "resume",
        "checkpoint_every",
        "keep_checkpoints",
        "continue_for",
        "quiet",
        "watch",
        "gif",
        "metric",
        "smooth",
        "fps",
        "max_steps",
        "map",
        "id",
        "slip",
        "success_rate",
        "goal_reward",
        "ppo",
        "dpo_drift",
        "max_episode_steps",
        "reward_threshold",
        "train",
        "evaluate",
        "compare",
        "gradient",
    ];
    let catalogue = uphill::Catalogue::default();
    let of_algos = catalogue.algos().iter().flat_map(|row| row.params);
    let arguments: Vec<&str> =
        of_algos.chain(catalogue.models().iter().flat_map(|row| row.params)).map(|param| param.name).collect();
    for (theirs, ours) in names::table() {
        assert!(
            settings().chain(others).chain(arguments.iter().copied()).any(|name| name == ours),
            "{theirs} leads to {ours}"
        );
    }
}
