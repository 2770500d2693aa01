//! The likeliest mistakes on a command line and in a file, and to the letter what the programs say to each: one line that
//! names what was wrong, where, and what would be right. They are all in `mistakes.txt`; after a change of a message,
//! `UPDATE_EXPECT=1 cargo test --test mistakes` writes it anew, to be read critically.
//!
//! What a build can do is part of some messages, so this is of the default features.
#![cfg(not(any(feature = "cuda", feature = "metal", feature = "gym-rs")))]

use std::fs;
use std::path::Path;

use rayon::prelude::*;
use uphill::{Config, RunFolder, Trainer};

mod programs;

/// Files that hold a mistake each, and some that it takes to make others.
const FILES: &[(&str, &str)] = &[
    ("broken.toml", "algo = 'ppo'\nlr = \n"),
    ("twice.toml", "lr = 1e-3\nlr = 1e-4\n"),
    ("key.toml", "gama = 0.9\n"),
    ("words.toml", "learning_rate = 1e-3\n"),
    ("old_key.toml", "beta1 = 0.8\n"),
    ("total_timesteps.toml", "total_timesteps = 100_000\n"),
    ("batch_size.toml", "batch_size = 64\n"),
    ("kl_coeff.toml", "kl_coeff = 0.2\n"),
    ("max_steps.toml", "max_steps = 1000\n"),
    ("type.toml", "envs = 'four'\n"),
    ("list.toml", "hidden = 64\n"),
    ("choice.toml", "activation = 'swish'\n"),
    ("optimizer.toml", "optimizer = { lr = 1e-3 }\n"),
    ("section.toml", "[ppo]\nclip_range = 0.1\n"),
    ("world.toml", "map = 'S.G'\n"),
    ("character.toml", "map = '''\nS..\n.?.\n..G'''\n"),
    ("ragged_first.toml", "map = '''\nS...\n...\n..G'''\n"),
    ("blank.toml", "map = '''\nS.. \n...\n..G'''\n"),
    ("map", "S..\n..G\n"),
    ("ragged.toml", "map = '''\nS..\n..\n..G'''\n"),
    ("no_start.toml", "map = '..G'\n"),
    ("no_goal.toml", "map = 'S..'\n"),
    ("no_way.toml", "map = 'S#G'\n"),
    ("box_twice.toml", "map = 'SBG'\nstarts = 'SB'\nboxes = 'B'\n"),
    ("box_targets.toml", "map = 'SBTT'\nboxes = 'B'\nbox_rewards = { T = 1 }\ntargets_end = true\n"),
    ("box_none.toml", "map = 'S.TG'\nboxes = 'B'\nbox_rewards = { T = 1 }\n"),
    ("box_goal.toml", "map = 'SBT'\nboxes = 'B'\nbox_rewards = { T = 1 }\n"),
    ("box_target_none.toml", "map = 'SBG'\nboxes = 'B'\ntargets_end = true\n"),
    ("box_cliff.toml", "map = ['SBG', '..C']\nboxes = 'B'\n"),
    ("box_wall.toml", "map = ['SB.G', '...#']\nboxes = 'B'\nbox_rewards = { '#' = -1 }\n"),
    ("box_done.toml", "map = 'S.*'\nboxes = '*'\nbox_rewards = { '*' = 1 }\ntargets_end = true\n"),
    ("no_map.toml", "slip = 0.1\n"),
    ("option.toml", "map = 'S.G'\nslipp = 0.1\n"),
    ("range.toml", "map = 'S.G'\nslip = 2\n"),
    ("limit.toml", "map = 'S.G'\nmax_episode_steps = 1.5\n"),
    ("limit_text.toml", "map = 'S.G'\nmax_episode_steps = 'inf'\n"),
    ("limit_negative.toml", "map = 'S.G'\nmax_episode_steps = -1\n"),
    ("limit_zero.toml", "map = 'S.G'\nmax_episode_steps = 0\n"),
    ("threshold_text.toml", "map = 'S.G'\nreward_threshold = 'inf'\n"),
    ("reward_large.toml", "map = 'S.G'\ngoal_reward = 1e300\n"),
    ("reward_nan.toml", "map = 'S.G'\nstep_reward = nan\n"),
    ("reward_text.toml", "map = 'S.G'\npit_reward = '-1'\n"),
    ("cell_large.toml", "map = 'Sx.G'\n[cell_rewards]\nx = -1e39\n"),
    ("ragged_one.toml", "map = '''\nS..\n.\n..G'''\n"),
    ("world_settings.toml", "map = ['S.G']\nsteps = 100\n"),
    ("map_number.toml", "map = ['S.', 3]\n"),
    ("name_blank.toml", "map = 'S.G'\nid = ''\n"),
    ("cell_names.toml", "map = 'S.G'\ncell_rewards = { xx = 1 }\n"),
    ("cell_texts.toml", "map = 'S.G'\ncell_rewards = { x = 'a' }\n"),
    ("view.toml", "map = 'S.G'\nobservation = 'pixels'\n"),
    ("slip_text.toml", "map = 'S.G'\nslip = '0.1'\n"),
    ("no_pit.toml", "map = ['S..', '..G']\npit_reward = -1\n"),
    ("no_cliff.toml", "map = ['S..', '..G']\ncliff_reward = -5\n"),
    ("no_cell.toml", "map = ['Sx.', '..G']\ncell_rewards = { x = 0.1, y = 0.2 }\n"),
    ("no_letter.toml", "map = ['S..', '..G']\nwalls = '#X'\n"),
    ("no_start_letter.toml", "map = ['...', '..G']\nstarts = 'P'\nrandom_start = true\n"),
    ("settings_map.toml", "env = { name = 'GridWorld', map = ['S..', '..'] }\n"),
    ("settings_id.toml", "env = { name = 'GridWorld', map = 'S.G', id = '' }\n"),
    ("argument.toml", "algo = { name = 'ppo', n_epochs = { x = 'y' } }\n"),
    ("argument_name.toml", "model = { name = 'mlp', 'a b' = 3 }\n"),
    ("quotes.toml", "algo = '\"ppo\"'\n"),
    ("sink.toml", "sinks = 'jsonl'\n"),
    ("sinks.toml", "sinks = [3]\n"),
    ("old_world.toml", "[gridworld]\nmap = 'S..'\n"),
    ("task_env.toml", "[[tasks]]\nenv = 3\n"),
    ("task_name.toml", "[[tasks]]\nenv = { map = ['S.G'] }\n"),
    ("task_map.toml", "[[tasks]]\nenv = { name = 'GridWorld', map = ['S.', '.'] }\n"),
    ("task_none.toml", "[[tasks]]\nname = 'x'\n"),
    ("grid_algos.toml", "algos = 'ppo'\n"),
    ("grid_seeds.toml", "seeds = 'ten'\n"),
    ("grid_points.toml", "curve_points = -3\n"),
    ("grid_key.toml", "optimisers = ['sgd']\n"),
    ("grid_evaluated.toml", "tasks = [{ env = 'CartPole-v1' }]\n[settings]\neval_every = 1000\n"),
    ("grid_episodes.toml", "tasks = [{ env = 'CartPole-v1' }]\n[settings]\neval_episodes = 10\n"),
    ("grid_word.toml", "protocols = ['tunned']\n"),
    ("tune_key.toml", "[tune]\ntrails = 8\n"),
    ("tune_name.toml", "[tune.ranges]\nlearning_rate = { low = 1e-4, high = 1e-2 }\n"),
    ("tune_slip.toml", "[tune.ranges]\ngama = { low = 0.9, high = 1.0 }\n"),
    ("tune_other.toml", "algo = 'a2c'\n[tune.ranges]\nn_epochs = [1, 4]\n"),
    ("tune_value.toml", "[tune.ranges]\ngae_lambda = { low = 0.9, high = 1.1 }\n"),
    ("tune_choice.toml", "[tune.ranges]\noptimizer = ['adam', 'adan']\n"),
    ("tune_one.toml", "[tune.ranges]\nlr = [1e-3]\n"),
    ("tune_point.toml", "[tune.ranges]\nn_steps = { low = 64, high = 64 }\n"),
    ("tune_ends.toml", "[tune.ranges]\nlr = { low = 1e-2, high = 1e-4, log = true }\n"),
    ("tune_zero.toml", "[tune.ranges]\nlr = { low = 0, high = 1e-4, log = true }\n"),
    ("tune_half.toml", "[tune.ranges]\nn_steps = { low = 16.5, high = 64 }\n"),
    ("tune_text.toml", "[tune.ranges]\nactivation = { low = 1, high = 2 }\n"),
    ("tune_number.toml", "[tune.ranges]\nlr = 1e-3\n"),
    ("tune_twice.toml", "lr = 1e-3\n[tune.ranges]\nlr = [1e-3, 1e-2]\n"),
    ("tune_algo.toml", "[tune.ranges]\nalgo = ['ppo', 'a2c']\n"),
    ("tune_seed.toml", "seed = 3\n[tune]\ntrials = 3\n"),
    ("tune_seeds.toml", "[tune]\nseeds = [3, 4]\nreport_seeds = 3\n"),
    ("tune_together.toml", "envs = 1\n[tune.ranges]\nn_steps = [8, 64]\nn_minibatches = [1, 16]\n"),
    ("tune_idle.toml", "[tune]\npruner = 'none'\neta = 2\n"),
    ("tune_episodes.toml", "[tune]\neval_episodes = 10\n"),
    ("tune_tpe.toml", "[tune]\nsampler = 'tpe'\npruner = 'halving'\n"),
    ("tune_empty.toml", "[tune]\nranges = {}\n"),
    ("tune_table.toml", "tune = 3\n"),
    ("tune_area.toml", "env = 'Pendulum-v1'\n[tune]\nobjective = 'area'\n"),
    ("masks.toml", "mask_actions = true\n"),
    ("squashed.toml", "tasks = [{ env = 'CartPole-v1' }]\n[settings]\ndistribution = 'squashed_diag_gaussian'\n"),
    ("env.toml", "env = 'absent.toml'\n"),
    ("task_number.toml", "tasks = [3]\n"),
    ("wrapped.toml", "env = ['CartPole-v1', { name = 'action_repeat' }]\n"),
    ("env_bad.toml", "env = 'no_way.toml'\n"),
    ("grid.toml", "[[tasks]]\nenv = 'absent.toml'\n"),
    // Of other programs, where the file's name says the algorithm.
    (
        "zoo/ppo.yml",
        "d: &d\n  n_timesteps: 1000\nCartPole-v1:\n  <<: *d\nPendulum-v1:\n  <<: *d\n  gama: 0.9\nAnt-v4:\n  <<: *d\n",
    ),
    ("zoo/a2c.yml", "CartPole-v1:\n  n_timesteps: 1000\n  n_epochs: 4\n"),
    ("zoo/trpo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  sub_sampling_factor: 2\n"),
    ("zoo/sac.yml", "Pendulum-v1:\n  n_timesteps: 1000\n"),
    ("zoo/dqn.yml", "CartPole-v1:\n  n_timesteps: 1000\n  buffer_size: 100\n"),
    ("kind/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  n_envs: many\n"),
    ("half/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  n_steps: 100.5\n"),
    ("flag/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  normalize_advantage: 2\n"),
    ("range/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  gamma: 1.5\n"),
    ("nan/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  learning_rate: .nan\n"),
    ("endless/ppo.yml", "CartPole-v1:\n  gamma: 0.9\n"),
    ("strangers/ppo.yml", "Ant-v4:\n  n_timesteps: 1000\nHopper-v4:\n  n_timesteps: 1000\n"),
    ("stranger/ppo.yml", "Ant-v4:\n  n_timesteps: 1000\n"),
    ("lin/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  learning_rate: lin_fast\n"),
    ("exp/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  clip_range: cosine(0.2)\n"),
    ("batch/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  batch_size: 100\n"),
    ("wrapper/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  env_wrapper: gymnasium.wrappers.TimeAwareObservation\n"),
    ("cnn/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  policy: CnnPolicy\n"),
    ("literal/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  policy_kwargs: dict(net_arch=[64\n"),
    ("call/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  policy_kwargs: dict(net_arch=list(64))\n"),
    ("scales/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  normalize: dict(norm_ob=True)\n"),
    ("broken/ppo.yml", "CartPole-v1: {n_timesteps: 1000\n"),
    ("tabs/ppo.yml", "CartPole-v1:\n\tn_timesteps: 1000\n"),
    ("empty_file/ppo.yml", ""),
    ("remark/ppo.yml", "# nothing\n"),
    ("sequence/ppo.yml", "- CartPole-v1\n"),
    ("anchor/ppo.yml", "CartPole-v1:\n  <<: *defaults\n  n_timesteps: 1000\n"),
    ("merge/ppo.yml", "CartPole-v1:\n  <<: 5\n  n_timesteps: 1000\n"),
    ("repeated/ppo.yml", "CartPole-v1:\n  n_timesteps: 1000\n  n_timesteps: 2000\n"),
    ("nothing/ppo.yml", "CartPole-v1:\n"),
    ("services.yml", "services:\n  web:\n    image: python\n"),
    ("recipe.yml", "name: mine\nversion: 3\n"),
    ("folder.yml/.keep", ""),
    ("args.json", "{\"env_id\": \"CartPole-v1\", \"tau\": 0.005}"),
    ("args_env.json", "{\"env_id\": \"HalfCheetah-v4\"}"),
    ("args_none.json", "{\"num_envs\": 4}"),
    ("args_kind.toml", "env_id = 'CartPole-v1'\nnum_envs = 'four'\n"),
    ("args_few.toml", "env_id = 'CartPole-v1'\ntotal_timesteps = 100\n"),
    ("args_jax.json", "{\"ENV_NAME\": \"CartPole-v1\", \"LR\": 1e-3}"),
    ("several/seeds.csv", "seed\n3\n"),
    ("several/s3/config.toml", "env = 'CartPole-v1'\nalgo = 'ppo'\noptimizer = 'adam'\nseed = 3\n"),
    ("a_file", ""),
    ("empty/.keep", ""),
    ("run/config.toml", "env = 'CartPole-v1'\nalgo = 'ppo'\noptimizer = 'adam'\nseed = 1\n"),
    ("run/metrics.csv", "env_steps,episode_return_mean\n512,20\n"),
    ("broken_off/config.toml", "env = 'CartPole-v1'\nalgo = 'ppo'\noptimizer = 'adam'\nseed = 1\n"),
    ("broken_off/checkpoints/000003.ckpt", ""),
    ("broken_off/best.safetensors", ""),
    ("other/config.toml", "env = 'CartPole-v1'\nalgo = 'ppo'\noptimizer = 'adam'\nseed = 2\n"),
    ("other/metrics.csv", "env_steps,loss\n512,0.1\n"),
    ("young/config.toml", "env = 'CartPole-v1'\nalgo = 'ppo'\noptimizer = 'adam'\nseed = 3\n"),
    ("young/metrics.csv", "env_steps,episode_return_mean\n512,\n"),
];

/// One command line each; what stands in quotes is one argument.
const MISTAKES: &str = r#"
# A flag that there is not
train --gama 0.9
train --optimiser adam
train --learning-rate 1e-3
train --beta1 0.8
train --clip-coef 0.1
train --save-dir there
train --total-timesteps 100
train --batch_size 64
train --kl-coeff 0.2
train --verbose 1
train --capture-video
train --track
train --cuda true
train --torch-deterministic true
train --tensorboard-log there
evaluate judged --render
train --max-steps 100
train CartPole-v1
compare_optimizers --envs CartPole-v1
compare_optimizers --learning-rate 0.1
descent --lr 0.1
learning --steps 100
throughput --jsn
soak --hours 1
landscape --env-id CartPole-v1
reinforce_cartpole --optimzer adam
train --training false
train --vec-normalize true
train --norm-obs-keys x
train --action-masks true
train --map-name 8x8
train --is-rainy true
train --reward-schedule 1,0,0
train --epsilon 1e-8
train --eval-freq 1000
train --n-eval-episodes 5
train --max-no-improvement-evals 5
train --n-eval-envs 5
# A flag without its value, or given twice
train --lr
train --lr --seed 7
train --lr 1e-3 --lr 1e-4
train --list games
train --list optimisers
landscape --surface retrun
# A name that there is not
train --env CartPole-v0
train --env cartpole
train --env LunarLander-v3
train --algo pppo
train --algo dqn
train --algo PPO
train --algo MaskablePPO
train --algo recurrent_ppo
compare_optimizers --tasks CartPole-v3
gradient_quality --env LunarLander-v3
landscape --algo sac
train --optimizer adan
train --activation swish
train --device gpu
train --device cuda
train --precision f64
train --algo trpo --precision bf16
train --algo stream_ac --precision f16
train --fp16 true
# An optimizer that is none
train --optimizer adam(lr=3e-4
train --optimizer adam(beta=0.5)
train --optimizer adam(beta1=1)
train --optimizer adam(lr=cosin(1e-3,0))
train --optimizer "adam | sgd"
train --optimizer clip_by_global_norm(0.5)
# An argument that is none
train --algo ppo(lr=1e-3)
train --algo ppo(hidden=[8])
train --env GridWorld
train --env GridWorld(map=['S.'])
train --env GridWorld(map=['S.G'],slipp=0.1)
train --env gridworld(map=['S.G'])
train --env GridWorld --map S.G --slip 2
train --env GridWorld --map S.G --observation row-column
train --env FrozenLake-v1 --map SFF|FFG
train --env FrozenLake-v1(is_slippery=false,success_rate=0.5)
train --env FrozenLake-v1(slip=0.1)
train --env FrozenLake-v1 --slip 0.1
train --env FrozenLake-v1(map_name='8x8')
train --env FrozenLake-v1(map_name=8x8)
train --env GaussianBandit-v0(arms=3x)
train --algo a2c(clip_range=0.1)
train --env Pendulum-v1 --distribution auto(foo=1)
train --env Pendulum-v1 --sde-sample-freq 4
train --log-std-init -1
gradient_quality --algo ppo(normalize_value=true)
gradient_quality --algo ppo(hidden=[8])
compare_optimizers --algos ppo(normalize_value=true)
train --env FrozenLake-v1(reward_schedule=[1,0,0])
train --env FrozenLake-v1(max_episode_steps=5)
train --env FrozenLake-v1(map=['SFF','FFG'],hole_reward=-1)
train --env GridWorld(map=['S.G'],is_slippery=true)
train --env Taxi-v3(is_rainy=true)
train --env Taxi-v3 --is-slippery false
train --mask-actions true
train --algo 'ppo(n_epochs=3)'
train --env 'CartPole-v1'
# A value of the wrong kind
train --lr 3,5e-4
train --steps 1e6
train --seed 9223372036854775808
train --seed -1
train --hidden 64x64
train --hidden 64,,64
train --hidden ""
train --lr ""
train --anneal-lr yes
# A value without an effect
train --vf-coef 0 --normalize-value true
train --vf-coef 0 --critic-hidden 8
train --hidden none --activation relu
train --hidden none --shared-trunk true
train --algo reinforce(baseline=false) --critic-hidden 8
train --algo reinforce(baseline=false) --vf-coef 1
train --n-epochs 1 --target-kl 0.1
train --n-epochs 1 --n-minibatches 1 --clip-range 0.1
train --env Bandit-v0 --frame-stack 4
train --mask-actions false
train --clip-reward 5
train --eval-episodes 5
train --eval-deterministic false
train --stop-at-return 475
train --stop-without-improvement 5
train --continue-for 1000
compare_optimizers --config grid_evaluated.toml
compare_optimizers --config grid_episodes.toml
gradient_quality --env GaussianBandit-v0(arms=1)
gradient_quality --steps 0 --optimizer sgd
landscape --reach 2
landscape --algo ppo --steps 512 --optimizers adam(lr=1e-3)
landscape --surface loss --episodes 4
descent --seed 3
# A value out of its range
train --lr -1e-3
train --lr -inf
train --ent-coef -inf
train --gamma 1.5
train --clip-range 0
train --steps 0
train --envs 0
train --envs 1000000
train --threads 1000
train --hidden 64,0
train --keep-checkpoints 0
train --keep-checkpoints -1
train --n-minibatches 2 --envs 1 --n-steps 1
train --n-minibatches 1000
train --algo reinforce --episodes 6
train --eval-every 1000 --steps 999
train --eval-every 100 --eval-episodes 0
train --eval-every 100 --stop-at-return -inf
train --eval-every 100 --stop-at-return solved
train --eval-every 100 --stop-at-return reward_threshold --env Pendulum-v1
train --eval-every 1e4
train --continued 5
train --continued 5,
train --lr -1e300
train --gamma 1e300
train --optimizer adam(eps=-1e300)
# A file of settings
train --config absent.toml
train --config run
train --config broken.toml
train --config twice.toml
train --config key.toml
train --config words.toml
train --config old_key.toml
train --config total_timesteps.toml
train --config batch_size.toml
train --config kl_coeff.toml
train --config max_steps.toml
train --config type.toml
train --config list.toml
train --config choice.toml
train --config optimizer.toml
train --config section.toml
train --config world.toml
train --config env.toml
train --config env_bad.toml
train --config settings_map.toml
train --config settings_map.toml --seed 3
train --config settings_id.toml
train --config argument.toml
train --config argument_name.toml
train --config quotes.toml
train --config sink.toml
train --config sinks.toml
train --config old_world.toml
train --config masks.toml
compare_optimizers --config grid.toml
compare_optimizers --config squashed.toml
compare_optimizers --config task_env.toml
compare_optimizers --config task_name.toml
compare_optimizers --config task_map.toml
compare_optimizers --config task_none.toml
compare_optimizers --config grid_algos.toml
compare_optimizers --config grid_seeds.toml
compare_optimizers --config grid_points.toml
compare_optimizers --config grid_key.toml
compare_optimizers --config grid_word.toml
# A file of another program
train --config zoo/ppo.yml
train --config zoo/ppo.yml --env Pendulum-v1
train --config zoo/ppo.yml --env Acrobot-v1
train --config zoo/ppo.yml --env CartPole-v0
train --config zoo/ppo.yml --env CartPole-v1 --algo dqn
train --config zoo/a2c.yml
train --config zoo/trpo.yml
train --config zoo/sac.yml
train --config zoo/dqn.yml
train --config kind/ppo.yml
train --config half/ppo.yml
train --config flag/ppo.yml
train --config range/ppo.yml
train --config nan/ppo.yml
uphill train --config endless/ppo.yml
train --config stranger/ppo.yml
train --config strangers/ppo.yml
train --config lin/ppo.yml
train --config exp/ppo.yml
train --config batch/ppo.yml
train --config wrapper/ppo.yml
train --config cnn/ppo.yml
train --config literal/ppo.yml
train --config call/ppo.yml
train --config scales/ppo.yml
train --config broken/ppo.yml
train --config tabs/ppo.yml
train --config empty_file/ppo.yml
train --config remark/ppo.yml
train --config sequence/ppo.yml
train --config anchor/ppo.yml
train --config merge/ppo.yml
train --config repeated/ppo.yml
uphill train --config nothing/ppo.yml
train --config huge.yml
train --config services.yml
train --config recipe.yml
train --config folder.yml
train --config absent.yml
train --config args.json
train --config args_env.json
train --config args_none.json
train --config args_kind.toml
train --config args_few.toml
train --config args_jax.json
# A grid world
train --env absent.toml
train --env character.toml
train --env ragged.toml
train --env ragged_first.toml
train --env blank.toml
train --env no_start.toml
train --env no_goal.toml
train --env no_way.toml
train --env box_twice.toml
train --env box_targets.toml
train --env box_none.toml
train --env box_goal.toml
train --env box_target_none.toml
train --env box_cliff.toml
train --env box_wall.toml
train --env box_done.toml
train --env no_map.toml
train --env option.toml
train --env range.toml
train --env limit.toml
train --env limit_text.toml
train --env limit_negative.toml
train --env limit_zero.toml
train --env threshold_text.toml
train --env reward_large.toml
train --env reward_nan.toml
train --env reward_text.toml
train --env cell_large.toml
train --env ragged_one.toml
train --env world_settings.toml
train --env env_bad.toml
train --env map_number.toml
train --env name_blank.toml
train --env cell_names.toml
train --env cell_texts.toml
train --env view.toml
train --env slip_text.toml
train --env no_pit.toml
train --env no_cliff.toml
train --env no_cell.toml
train --env no_letter.toml
train --env no_start_letter.toml
train --env map
train --env nowhere
compare_optimizers --tasks option.toml
gradient_quality --env no_way.toml
train --algo "reinforce(discount_states=true, gamma=1)"
train --algo rloo --episodes 1 --envs 1
train --algo rloo --vf-coef 0.5
train --algo ppo --estimator upg
train --seeds 0
train --seeds 9-3
train --seeds 1,2,1
train --seeds 4 --seed 3
train --seeds four
# A wrapper
train --action-repeat 4
train --env "CartPole-v1 | time_awre"
train --env "CartPole-v1 | Pendulum-v1"
train --env "time_aware | CartPole-v1"
train --env "CartPole-v2 | time_aware"
train --env "CartPole-v1 |"
train --env "CartPole-v1 | action_repeat(4) time_aware"
train --env "CartPole-v1 | action_repeat"
train --env "CartPole-v1 | action_repeat(0)"
train --env "CartPole-v1 | time_aware(3)"
train --env "CartPole-v1 | sticky_actions(p=0.1)"
train --env "CartPole-v1 | rescale_action"
train --env "CartPole-v1 | time_limit(1000)"
train --env "CartPole-v1 | time_limit(500)"
train --env "CliffWalking-v1 | time_aware"
train --env "CartPole-v1 | frame_stack(4)" --frame-stack 3
train --env "CartPole-v1 | frame_stack(1)"
train --env "CartPole-v1 | hide([])"
train --env "CartPole-v1 | reward_scale(1)"
train --env "CartPole-v1 | sticky_actions(0)"
train --env "CartPole-v1 | time-aware"
train --env "MinAtar/Breakout-v1 | time_aware"
train --env "absent.toml | time_aware"
train --env "blank.toml | time_aware"
train --config wrapped.toml
compare_optimizers --tasks "CartPole-v1 | sticky_actions"
compare_optimizers --tasks Bandit-v0 "Bandit-v0(arms=10)" --dry-run
compare_optimizers --config task_number.toml
# Where the run goes
train --out run
train --out a_file
train --out a_file/run
train --out dangling
compare_optimizers --out a_file
compare_optimizers --out dangling
# Other programs
evaluate
evaluate absent
evaluate empty
evaluate run
evaluate broken_off
evaluate run/config.toml
evaluate several
uphill resume several
plot several
uphill resume run/config.toml
evaluate run --episodes many
evaluate run --watsch
evaluate run --seed -1
evaluate run --n-eval-episodes 5
evaluate judged --best
evaluate judged --best=evaluation
evaluate judged --best=returns
evaluate judged --gif a.mp4
evaluate judged --gif absent/a.gif
evaluate judged --gif empty
evaluate judged --gif a.gif --fps 0
evaluate judged --gif a.gif --fps 51
evaluate judged --watch --fps 0
evaluate judged --gif a.gif --max-steps 0
evaluate judged --apng a.gif
evaluate judged --apng a.png --fps 51
evaluate judged --episodes 0
plot
plot absent
plot empty
plot run/metrics.csv
plot run other
plot young
plot run --metric retrun
plot run --smooth 2
plot run --smooth -1
plot run --smooth -1e-3
plot run --width -1
plot run --threshold -nan
plot run --output there.png
plot run --width 10
plot run --out absent/curves.png
plot run --out empty
plot run --out curves.pdf
plot absent --out empty
evaluate absent --gif empty
evaluate absent --gif absent/a.gif
# What would be found only after the work
gradient_quality --out gq.pdf
gradient_quality --out absent/gq.png
gradient_quality --out empty
gradient_quality --width 10
gradient_quality --scale 0
gradient_quality --n-steps 5 5
gradient_quality --batches 5
landscape --out l.pdf
landscape --out absent/l
landscape --width 10
landscape --optimizers adam adan
landscape --episodes 0 --env CartPole-v1
descent --out d.jpg
descent --out absent/d.png
descent --height 10
descent --learning-rates 0.1 -1e-3
descent --surface return --optimizers adan
soak --minutes -1
compare_optimizers --seeds 0
gradient_quality --n-steps 0
gradient_quality --hidden 0
# A search for hyper-parameters
uphill tune --gama 0.9
uphill tune --seed 3
uphill tune --trials 0
uphill tune --trials many
uphill tune --sampler sobel
uphill tune --pruner median
uphill tune --objective return
uphill tune --eta 1
uphill tune --rungs 1
uphill tune --seeds 0
uphill tune --report-seeds 2000
uphill tune --seeds 1-3
uphill tune --seeds few
uphill tune --rungs 9 --steps 200
uphill tune --eval-episodes 5
uphill tune --optimizer adam(lr=1e-3) --gae-lambda 0.9 --ent-coef 0.01
uphill tune --env CliffWalking-v1
uphill tune --out a_file
uphill tune --out judged
uphill tune --config tune_key.toml
uphill tune --config tune_name.toml
uphill tune --config tune_slip.toml
uphill tune --config tune_other.toml
uphill tune --config tune_value.toml
uphill tune --config tune_choice.toml
uphill tune --config tune_one.toml
uphill tune --config tune_point.toml
uphill tune --config tune_ends.toml
uphill tune --config tune_zero.toml
uphill tune --config tune_half.toml
uphill tune --config tune_text.toml
uphill tune --config tune_number.toml
uphill tune --config tune_twice.toml
uphill tune --config tune_twice.toml --lr 1e-3
uphill tune --config tune_algo.toml
uphill tune --config tune_seed.toml
uphill tune --config tune_seeds.toml
uphill tune --config tune_together.toml
uphill tune --config tune_idle.toml
uphill tune --config tune_episodes.toml
uphill tune --config tune_tpe.toml
uphill tune --config tune_empty.toml
uphill tune --config tune_table.toml
uphill tune --config tune_area.toml
train --config tune_one.toml
# A command that there is not, and what one takes
uphill tran
uphill xyz
uphill compare_optimizers
uphill enjoy
uphill --list envs
uphill --steps 100
uphill help tran
uphill train --gama 0.9
uphill train --beta1 0.8
uphill train CartPole-v1
uphill evaluate run --watsch
uphill evaluate absent
uphill descent --learning-rates 0.1 -1e-3
uphill resume
uphill resume absent
uphill resume run --lr 1e-3
uphill resume run --force
uphill resume run --quite
uphill resume run --reset-num-timesteps false
uphill resume run --continue-for 0
uphill resume judged --continue-for 1000
uphill list games
uphill list optimisers
uphill list envs CartPole-v0
uphill list envs no_letter.toml
uphill list envs key.toml
uphill list envs grid.toml
uphill list envs absent.toml
uphill list envs Pendulum-v1|hide([0,9])
uphill list optimizers adan
uphill completions tcsh
uphill man --out a_file
# A policy for other programs, and one of another program's
uphill export run
uphill export run --onnx policy.pb
uphill export run --onnx absent/policy.onnx
uphill export judged --c policy.h --name 2nd
uphill export run --onnx policy.onnx --name pole
uphill export absent --onnx policy.onnx
uphill import policy.zip
uphill import absent.zip --env CartPole-v1 --out imported
uphill import key.toml --env CartPole-v1 --out imported
uphill import judged/policy.safetensors --env CartPole-v1 --out imported
uphill import judged/policy.safetensors --env CartPole-v1 --out imported --activation swish
"#;

fn arguments(line: &str) -> Vec<String> {
    line.split('"')
        .enumerate()
        .flat_map(|(i, part)| match i % 2 {
            0 => part.split_whitespace().map(String::from).collect(),
            _ => vec![part.to_string()],
        })
        .collect()
}

fn answer(home: &Path, line: &str) -> String {
    let mut arguments = arguments(line).into_iter();
    let name = arguments.next().expect("a program");
    let mut program = programs::example(&name);
    program.current_dir(home).args(arguments);
    if name == "train" && !line.contains("--steps") {
        // Were the mistake overlooked, the run should at least be short.
        program.args(["--steps", "100"]);
    }
    let output = program.output().expect("the program runs");
    let message = String::from_utf8(output.stderr).expect("text");
    assert!(matches!(output.status.code(), Some(1 | 2)), "{line}: {:?} {message}", output.status);
    assert!(output.stdout.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stdout));
    assert!(message.starts_with("error: ") && message.trim_end().lines().count() == 1, "{line}: {message}");
    // So many of something have a plural, one has none.
    let words: Vec<&str> = message.split_whitespace().collect();
    let is_plural = |word: &str| word.ends_with('s') && !["is", "as", "was", "has"].contains(&word);
    let odd =
        words.windows(2).find(|pair| pair[0] == "1" && is_plural(pair[1].trim_matches(|c: char| !c.is_alphabetic())));
    assert_eq!(odd, None, "{line}: {message}");
    assert!(!home.join("runs").exists(), "{line} left a folder behind");
    message
}

#[test]
fn each_mistake_has_one_line_that_says_what_would_be_right() {
    let home = tempfile::tempdir().expect("a folder");
    for (name, text) in FILES {
        let path = home.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let huge = format!("# {}\nCartPole-v1: {{n_timesteps: 1000}}\n", "x".repeat(1 << 23));
    fs::write(home.path().join("huge.yml"), huge).expect("a file");
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere", home.path().join("dangling")).expect("a link");
    let judged =
        Config { env: "GridWorld-4x4-v0".into(), steps: 512, ..Config::for_algo("ppo").expect("an algorithm") };
    let run = RunFolder::create(home.path().join("judged"), &judged, false).expect("a run");
    run.finish(Trainer::new(&judged).expect("a trainer")).expect("a run");
    let lines: Vec<&str> = MISTAKES.lines().filter(|line| !line.is_empty()).collect();
    let said = lines.par_iter().map(|line| match line.strip_prefix("# ") {
        Some(heading) => format!("\n{heading}\n\n"),
        None => format!("$ {line}\n{}", answer(home.path(), line)),
    });
    let transcript = said.collect::<String>();
    expect_test::expect_file!["mistakes.txt"].assert_eq(transcript.trim_start());
}
