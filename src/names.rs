//! What was meant by a name that nothing here has: a word of another library, or a slip of the hand.
//!
//! The other libraries are Stable-Baselines3 with its zoo, CleanRL, RLlib and Tianshou.

use uphill_envs::nearest;

/// Names of one meaning, and what to mind where the first one, ours, is taken for another.
type Names = (&'static [&'static str], &'static str);

const MINIBATCHES: &str = "it counts them: n_minibatches = envs * n_steps / steps in a minibatch";
const ROLLOUT: &str = "it counts a lane's steps: n_steps = steps in a rollout / envs";
const UPDATES: &str = "it counts environment steps: steps = updates * envs * n_steps";
const SWITCH: &str = "it is a number: as clip_range where values are clipped, inf where not";
const EVALUATIONS: &str = "it counts environment steps, of all lanes together";
const CHECKPOINTS: &str = "it counts seconds, and changes no result";

#[rustfmt::skip]
const SAME: &[Names] = &[
    (&["steps", "total_timesteps", "n_timesteps", "num_timesteps", "timesteps", "timesteps_total", "max_timesteps",
       "total_steps", "total_env_steps", "env_steps", "num_env_steps", "num_env_steps_sampled_lifetime", "train_steps",
       "training_steps", "n_total_steps", "num_frames", "total_frames", "frames", "budget"], ""),
    (&["steps", "max_steps"], "how long an episode may be is the environment's: max_episode_steps of a grid world"),
    (&["steps", "num_iterations", "n_iterations", "iterations", "training_iteration", "training_iterations", "max_iters",
       "num_updates", "n_updates", "total_updates", "max_epochs"], UPDATES),
    (&["steps", "step_per_epoch", "epoch_num_steps"], "it counts all of them: steps = epochs * steps in an epoch"),
    (&["max_episode_steps", "max_steps", "time_limit", "episode_limit", "max_episode_length", "max_ep_len", "horizon"], ""),
    (&["envs", "num_envs", "n_envs", "num_env", "nenvs", "training_num", "num_training_envs", "num_envs_per_env_runner",
       "num_envs_per_worker", "num_processes", "num_actors", "parallel_envs", "lanes", "n_lanes", "num_lanes"], ""),
    (&["envs", "num_workers", "num_rollout_workers", "num_env_runners"],
       "all lanes count, of all workers; threads is how many share the work"),
    (&["n_steps", "num_steps", "rollout_length", "rollout_steps", "n_rollout_steps", "rollout_fragment_length",
       "unroll_length", "num_steps_per_env", "steps_per_env"], ""),
    (&["n_steps", "train_batch_size", "train_batch_size_per_learner", "step_per_collect", "steps_per_epoch",
       "collection_step_num_env_steps", "rollout_size"], ROLLOUT),
    (&["n_minibatches", "num_minibatches", "num_mini_batch", "num_mini_batches", "nminibatches", "n_batches", "num_batches"],
       ""),
    (&["n_minibatches", "batch_size", "minibatch_size", "mini_batch_size", "sgd_minibatch_size"], MINIBATCHES),
    (&["n_epochs", "update_epochs", "num_epochs", "num_sgd_iter", "ppo_epochs", "ppo_epoch", "noptepochs", "k_epochs",
       "repeat_per_collect", "update_step_num_repetitions", "update_epoch"], ""),
    (&["n_epochs", "epoch", "epochs"], "it is the passes over a rollout; steps is how long to train"),
    (&["eval_every", "eval_freq", "eval_frequency", "eval_interval", "evaluation_interval", "test_freq"], EVALUATIONS),
    (&["eval_episodes", "n_eval_episodes", "num_eval_episodes", "evaluation_duration", "episode_per_test",
       "test_step_num_episodes"], ""),
    (&["eval_deterministic", "deterministic_eval"], ""),
    (&["stop_at_return", "stop_fn", "stop_reward", "stop_at_reward"], "it is a return, of an evaluation"),
    (&["stop_without_improvement", "max_no_improvement_evals", "early_stopping", "early_stopping_patience", "patience"],
       "it counts evaluations"),
    (&["continue_for", "reset_num_timesteps", "additional_timesteps", "extra_steps"], ""),
    (&["episodes", "n_episodes", "num_episodes", "episodes_per_update", "episode_per_collect",
       "collection_step_num_episodes"], ""),
    // Of a policy that is judged by itself.
    (&["episodes", "n_eval_episodes", "eval_episodes", "num_eval_episodes"], ""),
    (&["gamma", "discount", "discount_factor", "discount_rate"], ""),
    (&["gae_lambda", "gae_lambdas", "lambda", "lambda_", "lambd", "lam", "gae_lam", "gae"], ""),
    (&["gae_lambda", "gae_lambdas", "use_gae"], "1 is without"),
    (&["baseline", "use_critic", "use_baseline"], ""),
    (&["normalize_advantage", "norm_adv", "norm_advantage", "adv_norm", "normalize_adv", "advantage_normalization",
       "standardize_advantages", "whiten_advantages"], ""),
    (&["normalize_observation", "norm_obs", "normalize_obs", "obs_norm", "normalize_observations"], ""),
    (&["normalize_observation", "observation_filter", "normalize", "env_wrapper", "vec_normalize", "vecnormalize",
       "vec_normalize_kwargs", "normalize_kwargs"],
       "it is a switch, and normalize_reward another"),
    (&["mask_actions", "action_masking", "use_action_mask", "use_masking", "action_mask", "action_masks", "masking",
       "invalid_action_masking"], ""),
    (&["frame_stack", "n_stack", "num_stack", "frame_stacking", "framestack", "stack_size", "frames"], ""),
    (&["normalize_reward", "norm_reward", "norm_rew", "normalize_rewards", "normalize_rew"], ""),
    (&["normalize_reward", "reward_scale", "reward_scaling"],
       "it is a switch: rewards are divided by the deviation of the discounted return"),
    (&["clip_observation", "clip_obs", "clip_observations"], ""),
    (&["normalize_value", "popart", "use_popart", "value_norm", "use_valuenorm", "value_normalization", "normalize_values"], ""),
    (&["clip_reward", "clip_rewards"], "it is a number, of rewards that normalize_reward has scaled"),
    (&["clip_range", "clip_coef", "clip_param", "clip_ratio", "clip_eps", "clip_epsilon", "eps_clip", "clip"], ""),
    (&["recompute_advantages", "recompute_adv", "recompute_advantage"], ""),
    (&["dual_clip", "dual_clip_ratio", "dual_clip_coef", "dual_clip_c", "clip_ratio_c"], ""),
    (&["clip_range_vf", "value_clip_range", "clip_range_value"], ""),
    (&["clip_range_vf", "clip_vloss", "value_clip", "clip_value_loss", "use_clipped_value_loss"], SWITCH),
    (&["ent_coef", "entropy_coeff", "entropy_coef", "entropy_coefficient", "entropy_weight", "entropy_cost",
       "entropy_beta", "entropy_loss_coef", "ent_weight"], ""),
    (&["vf_coef", "vf_loss_coeff", "value_coef", "value_coeff", "value_loss_coef", "value_loss_coeff",
       "value_loss_weight", "critic_coef", "critic_loss_coef"],
       "half the squared error is weighed: where the whole is, 0.5 there is 1.0 here"),
    (&["target_kl", "max_kl", "kl_limit", "kl_threshold"], ""),
    (&["lr", "learning_rate", "learning_rates", "lrs", "stepsize", "step_size", "initial_lr"], ""),
    (&["lr", "pi_lr", "policy_lr", "actor_lr", "vf_lr", "critic_lr", "value_lr"],
       "actor and critic share it, unless the optimizer is a partition"),
    (&["anneal_lr", "lr_decay", "use_linear_lr_decay", "linear_lr_decay", "anneal_learning_rate"], ""),
    (&["anneal_lr", "lr_schedule", "lr_scheduler", "learning_rate_schedule"],
       "other schedules stand in the optimizer, as in adam(lr=cosine(3e-4, 0))"),
    (&["max_grad_norm", "grad_clip", "clip_grad", "clip_grad_norm", "clip_gradients", "gradient_clip", "gradient_clipping",
       "grad_norm_clip", "grad_norm", "max_gradient_norm"], ""),
    (&["clip_grad_by", "grad_clip_by"], "it is a word: whole or part"),
    (&["hidden", "net_arch", "hidden_sizes", "hidden_size", "hidden_dim", "hidden_dims", "hidden_layers", "hidden_units",
       "fcnet_hiddens", "layers", "n_layers", "num_layers", "policy_kwargs"], "it is a list, a number of units a layer"),
    (&["activation", "activation_fn", "fcnet_activation", "act_fn", "nonlinearity"], ""),
    (&["init", "ortho_init", "orthogonal_init", "weight_init", "initializer", "initialiser"],
       "it is a word: orthogonal, xavier, kaiming or sparse"),
    (&["shared_trunk", "vf_share_layers", "share_layers", "share_params", "share_features_extractor"], ""),
    (&["kl_coef", "kl_coeff", "init_kl_coef", "kl_beta"], ""),
    (&["max_kl", "delta", "target_kl"], ""),
    (&["cg_iterations", "cg_iters", "cg_max_steps", "cg_max_iters"], ""),
    (&["cg_damping", "damping", "damping_coeff"], ""),
    (&["line_search_steps", "line_search_max_iter", "backtrack_iters", "max_backtracks"], ""),
    (&["line_search_decay", "line_search_shrinking_factor", "backtrack_coeff", "backtrack_ratio"], ""),
    (&["n_epochs", "n_critic_updates", "optim_critic_iters", "train_v_iters", "vf_iters"], ""),
    (&["clip_rho", "vtrace_clip_rho_threshold", "clip_rho_threshold", "rho_bar"], ""),
    (&["clip_c", "vtrace_clip_c_threshold", "clip_c_threshold", "c_bar"], ""),
    (&["layer_norm_eps", "ln_eps"], ""),
    (&["distribution", "use_sde", "gsde", "state_dependent_exploration"],
       "it is a word: gsde has noise that depends on the state, as in gsde(sde_sample_freq=4)"),
    (&["model", "policy", "network", "net_type"], "it is a word: mlp, gru or another of `list models`"),
    (&["env", "tasks", "env_id", "env_name", "gym_id", "environment", "task", "game", "envs"], ""),
    (&["algo", "algorithm", "alg", "agent"], ""),
    (&["ppo", "maskable_ppo", "maskableppo", "ppo_mask"], "any algorithm takes legal actions only, where the environment says which are"),
    (&["ppo", "recurrent_ppo", "recurrentppo", "ppo_lstm"], "what remembers is the network: model = \"lstm\" or \"gru\""),
    (&["dpo_drift", "dpo", "discovered_policy_optimization", "discovered_policy_optimisation"],
       "it is discovered policy optimisation; of direct preference optimisation there is nothing here"),
    (&["ppo", "rpo", "robust_policy_optimization", "robust_policy_optimisation"], "robust policy optimisation is ppo(rpo_alpha=0.5)"),
    (&["optimizer", "optim", "opt", "optimizer_class", "optimiser"], ""),
    (&["optimizer", "optimizer_kwargs", "epsilon", "optim_eps", "adam_eps", "rms_prop_eps", "opt_eps"],
       "arguments stand in it, as in adam(eps=1e-5)"),
    (&["optimizer", "use_rms_prop", "use_rmsprop"], "it is a word: rmsprop or another"),
    (&["seed", "random_seed", "rng_seed", "random_state"], ""),
    (&["device", "cuda", "use_cuda", "no_cuda", "gpu", "use_gpu", "num_gpus", "gpus", "accelerator"],
       "it is a word: cpu, cuda, metal or auto"),
    (&["precision", "dtype", "mixed_precision", "amp", "use_amp", "autocast", "fp16", "use_fp16", "float16", "bfloat16"],
       "it is a word: f32, bf16 or f16"),
    (&["threads", "num_threads", "n_threads", "num_cpus", "n_jobs", "workers"], ""),
    (&["map", "desc"], ""),
    (&["map", "map_name"], "it is the rows; FrozenLake-v1 has Gymnasium's 4x4 by itself, and FrozenLake8x8-v1 its 8x8"),
    (&["goal_reward", "reward_schedule"], "its three numbers are goal_reward, hole_reward and frozen_reward"),
    (&["success_rate", "slip", "slip_probability", "slip_prob"], "it is how likely a move goes as it should: 1 - slip"),
    (&["id", "name"], ""),
    (&["env", "gridworld", "grid_world", "env_kwargs", "env_config"], "arguments stand in it, as in env = { name = \"GridWorld\", map = [\"S.G\"] }"),
    (&["slip", "is_slippery", "slippery"], "it is a probability: Gymnasium's slippery worlds have 2/3"),
    (&["reward_threshold", "solved_at", "threshold"], ""),
    // What is said on the command line alone.
    (&["out", "save_dir", "save_path", "output", "output_dir", "out_dir", "outdir", "logdir", "log_dir", "log_folder",
       "log_path", "run_dir", "results_dir", "storage_path", "local_dir"], ""),
    (&["config", "conf", "conf_file", "config_file", "config_path", "hyperparams"], ""),
    (&["force", "overwrite"], ""),
    (&["resume", "restore", "load", "load_path", "load_model", "resume_path", "resume_id", "resume_from", "checkpoint",
       "trained_agent"], ""),
    (&["checkpoint_every", "save_freq", "save_frequency", "save_interval", "checkpoint_freq", "checkpoint_frequency",
       "checkpoint_interval"], CHECKPOINTS),
    (&["keep_checkpoints", "keep_checkpoints_num", "num_to_keep", "max_to_keep"], ""),
    (&["quiet", "silent"], ""),
    (&["watch", "render"], ""),
    (&["gif", "capture_video", "video", "record_video"], ""),
    (&["metric", "column", "y"], ""),
    (&["smooth", "smoothing", "window"], "it is a share of the steps, 0 to 1"),
    (&["max_steps", "max_episode_steps", "time_limit"], ""),
    (&["fps", "frame_rate"], ""),
    // Commands.
    (&["train", "learn", "fit"], ""),
    (&["evaluate", "eval", "enjoy", "test"], ""),
    (&["compare", "compare_optimizers", "benchmark"], ""),
    (&["gradient", "gradient_quality"], ""),
];

const KL: &str =
    "the algorithm ppo_kl has a penalty on the KL divergence; in ppo target_kl ends the passes over a rollout early";
const TARGETS: &str = "normalize_reward scales rewards, and normalize_value what values are regressed on";
const REPLAY: &str = "no algorithm here has a replay buffer or a target network";
const NETWORK: &str = "model is the network, such as mlp, gru or lstm; `list models NAME` has its arguments";
const CONTINUOUS: &str =
    "it is an argument of a distribution: distribution = \"diag_gaussian(log_std_init=-1, state_dependent_std=false)\"";
const SQUASHED: &str = "distribution = squashed_diag_gaussian squashes numbers into their box";
const NOISE: &str =
    "numbers as actions are drawn from normal distributions, each step by itself unless distribution = gsde";
const LOG: &str = "every update is a row of metrics.csv in the run's folder, and --sinks sends it elsewhere, too";
const WORLD: &str = "it is an argument of walks on a map, such as GridWorld; other environments say their own";
const LOSS: &str = "it bounds the squared error there; clip_range_vf, how far a value may move, is another thing";
const NORMALISER: &str =
    "what training has seen scales observations in evaluation, too, where nothing more is learnt of them";
const TAXI: &str = "a taxi here is Gymnasium's without rain and with passengers who know where they go";
const EVALUATION: &str = "the episodes of an evaluation, eval_episodes, are played side by side";

/// Names that nothing here stands for, and why.
const WRAPPERS: &str =
    "what goes around an environment stands after it, env = \"CartPole-v1 | action_repeat(4)\"; `list wrappers` has it";

#[rustfmt::skip]
const ABSENT: &[Names] = &[
    (&["kl_coeff", "kl_coef", "kl_target", "init_kl_coef", "kl_beta"], KL),
    (&["training", "obs_rms"], NORMALISER),
    (&["norm_obs_keys"], "normalize_observation scales each number of an observation"),
    (&["is_rainy", "fickle_passenger"], TAXI),
    (&["rew_norm", "ret_rms", "return_scaling", "reward_normalization"], TARGETS),
    (&["buffer_size", "learning_starts", "train_freq", "gradient_steps", "tau", "target_update_interval",
       "exploration_fraction", "exploration_final_eps", "epsilon_greedy", "replay_buffer_config"], REPLAY),
    (&["model_config", "use_lstm", "features_extractor"], NETWORK),
    (&["squash_output", "squash", "tanh_squash", "policy_squash"], SQUASHED),
    (&["log_std_init", "init_std", "state_dependent_std", "free_log_std"], CONTINUOUS),
    (&["action_noise"], NOISE),
    (&["vf_clip_param", "vf_clip"], LOSS),
    (&["max_episode_steps", "reward_threshold", "time_limit", "horizon"], WORLD),
    (&["action_repeat", "frame_skip", "frameskip", "sticky_actions", "repeat_action_probability", "time_aware", "rescale_action",
       "clip_action", "clip_actions", "one_hot", "wrappers", "wrapper", "wrapper_class", "env_wrappers"], WRAPPERS),
    (&["verbose", "progress_bar"], "progress is shown unless --quiet says no"),
    (&["capture_video", "video", "record_video", "render", "render_mode"], "`evaluate FOLDER --watch` shows a policy, `--gif FILE` or `--apng FILE` films it"),
    (&["log_interval", "log_freq", "tensorboard_log", "tensorboard", "track", "wandb", "wandb_project_name", "wandb_entity", "use_wandb", "logger",
       "log_to_file"], LOG),
    (&["test_num", "n_eval_envs", "num_eval_envs"], EVALUATION),
    (&["torch_deterministic", "deterministic", "cudnn_deterministic"], "a run is the same to the bit for the same configuration"),
    (&["entropy_coeff_schedule", "exp_name", "save_model", "framework", "vec_env",
       "batch_mode"], ""),
];

/// A known name that has the meaning of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meant<'a> {
    /// The known name.
    pub name: &'a str,
    /// What is different about it; empty where nothing is.
    pub but: &'static str,
}

impl Meant<'_> {
    /// ``did you mean `lr`?`` and what to mind, the name written by `shown`.
    #[must_use]
    pub fn question(&self, shown: impl Fn(&str) -> String) -> String {
        let space = if self.but.is_empty() { "" } else { " " };
        format!("did you mean {}?{space}{}", shown(self.name), self.but)
    }
}

/// The one of some known names that was meant by another: the one of the same meaning, else the one that it is like.
/// `None` where there is neither: a name of another meaning helps nobody.
#[must_use]
pub fn meant<'a>(name: &str, known: &[&'a str]) -> Option<Meant<'a>> {
    let named = |name| Meant { name, but: "" };
    // With a hyphen or in capitals.
    let itself = known.iter().copied().find(|known| plain(known) == plain(name)).map(named);
    let like = || nearest(&plain(name), known.iter().copied()).map(named);
    itself.or_else(|| same(name, known)).or_else(|| if absent(name).is_some() { None } else { like() })
}

/// The one of some known names that has the meaning of another.
pub(crate) fn same<'a>(name: &str, known: &[&'a str]) -> Option<Meant<'a>> {
    let name = plain(name);
    let one_of = |ours: &str| known.iter().copied().find(|known| plain(known) == ours);
    let with_name = |(names, _): &&Names| names.contains(&&*name);
    let of_row = |(names, but): &Names| {
        let (place, ours, known) = names.iter().enumerate().find_map(|(i, ours)| Some((i, ours, one_of(ours)?)))?;
        let is_another = place == 0 && name != *ours;
        Some(Meant { name: known, but: if is_another { but } else { "" } })
    };
    SAME.iter().filter(with_name).find_map(of_row)
}

/// Why no setting stands for a name that other libraries have; empty where there is nothing to say to it, `None` for a name
/// that they have not.
#[must_use]
pub fn absent(name: &str) -> Option<&'static str> {
    let name = plain(name);
    ABSENT.iter().find(|(names, _)| names.contains(&&*name)).map(|(_, why)| *why)
}

/// Every name of another library that is known here, with ours.
pub fn table() -> impl Iterator<Item = (&'static str, &'static str)> {
    SAME.iter().flat_map(|(names, _)| names[1..].iter().map(|theirs| (*theirs, names[0])))
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace('-', "_")
}

/// Several names as a message has them: `a, b and c`.
pub(crate) fn listed(names: &[&str]) -> String {
    match names {
        [before @ .., last] if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        names => names.concat(),
    }
}

/// A name as messages show it.
pub(crate) fn in_code(name: &str) -> String {
    format!("`{name}`")
}
