//! Statistics of training do not prefer episodes that end soon, whatever is made of them: means, solved, best, plateaus,
//! areas; and where an episode has no end nothing is claimed of it.

use candle_core::Device;
use uphill::benchmark::{Benchmark, Grid};
use uphill::envs::GridWorldConfig;
use uphill::{Config, MlpModel, Model, Policy, RunFolder, Seed, Threads, Trainer, oracle};

/// A world in which a random walk that returns much is a short one: from the start it is one step to the goal, or a long
/// way to the limit.
fn near_the_goal(limit: u32) -> GridWorldConfig {
    GridWorldConfig {
        id: "Near".into(),
        map: ".....\n..S..\n..G..\n.....\n.....".into(),
        step_reward: -0.05,
        max_episode_steps: Some(limit),
        reward_threshold: Some(0.9),
        ..GridWorldConfig::default()
    }
}

/// Training that changes nothing.
fn frozen(world: GridWorldConfig, envs: usize) -> Config {
    Config {
        env: world.into(),
        optimizer: "sgd(0)".parse().expect("a spec"),
        envs,
        n_steps: 4,
        hidden: vec![4],
        ..Config::for_algo("a2c").expect("an algorithm")
    }
}

/// What the policy of a configuration returns before it has learnt anything, from the model of its world.
fn exact_mean(config: &Config) -> f64 {
    let mdp = config.model_of_env().expect("a model").expect("a model");
    let spec = config.make_envs(1).expect("environments").spec().clone();
    let limit = spec.max_episode_steps.expect("a limit");
    let (params, network) = MlpModel::new(&spec, &config.mlp(), Seed(config.seed), &Device::Cpu).expect("a network");
    let table = oracle::policy_table(&network, &params, &mdp).expect("a policy");
    mdp.start_value_within(&table, limit).expect("a value")
}

#[test]
fn the_mean_return_of_a_frozen_policy_is_its_exact_one_from_any_number_of_lanes() {
    let limit = 40;
    for (lanes, seeds, slack) in [(1, 200, 0.0), (4, 60, 0.06), (128, 6, 0.03)] {
        let rows = [40, 48, 60, 100];
        let mut off = vec![Vec::new(); rows.len()];
        for seed in 1..=seeds {
            let steps = (lanes * rows[rows.len() - 1]) as u64;
            let config = Config { seed, steps, ..frozen(near_the_goal(limit), lanes) };
            let exact = exact_mean(&config);
            let mut trainer = Trainer::new(&config).expect("a trainer");
            while let Some(metrics) = trainer.step().expect("an update") {
                let row = metrics.env_steps as usize / lanes;
                if lanes == 128 && row < 40 {
                    assert_eq!(metrics.episode_return_mean, None, "a lane is still in its first episode");
                    assert!(metrics.episodes > 0);
                }
                if let Some(place) = rows.iter().position(|&at| at == row) {
                    off[place].push(metrics.episode_return_mean.expect("all lanes have ended one") - exact);
                }
            }
        }
        for (row, off) in rows.iter().zip(off) {
            let n = off.len() as f64;
            let mean = off.iter().sum::<f64>() / n;
            let error = (off.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
            assert!(mean.abs() <= slack + 4.5 * error, "{lanes} lanes, row {row}: off by {mean} ± {error}");
        }
    }
}

#[test]
fn a_frozen_policy_solves_nothing_and_has_no_lucky_best_nor_a_plateau_before_100_episodes_count() {
    let world = near_the_goal(200);
    let config = Config { steps: 256 * 212, ..frozen(world, 256) };
    let exact = exact_mean(&config);
    assert!(exact < 0.3, "{exact}");
    let mut trainer = Trainer::new(&config).expect("a trainer");
    while trainer.step().expect("an update").is_some() {}
    assert_eq!(trainer.history().solved_at_step(), None);
    let (best, last) = (trainer.best().expect("a best policy"), trainer.history().return_mean().expect("a mean"));
    assert!(best.return_mean < 0.5 && last < 0.5, "{} {last}, exactly {exact}", best.return_mean);
    assert!(best.update >= 50, "no lane could have ended all its first episodes before");

    // A plateau that is told nothing changes nothing.
    let told = Config { steps: 256 * 100, lr: 1.0, ..config };
    let told = Config { optimizer: "sgd(lr=plateau(1e-12, patience=0))".parse().expect("a spec"), ..told };
    let mut trainer = Trainer::new(&told).expect("a trainer");
    while let Some(metrics) = trainer.step().expect("an update") {
        assert_eq!(metrics.lr, Some(1e-12), "update {}", metrics.update);
    }
}

#[test]
fn the_area_of_a_frozen_policy_is_that_of_a_random_one() {
    let text = r#"
        algos = ['a2c']
        optimizers = ['sgd(0)']
        protocols = ['defaults']
        seeds = { first = 1, count = 4 }
        curve_points = 20
        eval_episodes = 2
        settings = { envs = 64, n_steps = 4, hidden = [4], steps = 5_120 }
        [[tasks]]
        env = 'Near'
        [tasks.settings.gridworld]
        map = ".....\n..S..\n..G..\n.....\n....."
        step_reward = -0.05
        max_episode_steps = 40
    "#;
    let home = tempfile::tempdir().expect("a folder");
    let benchmark = Benchmark::open(Grid::from_toml(text).expect("a grid"), home.path(), false).expect("a folder");
    let results = benchmark.run(&Threads::new(2).expect("threads"), true).expect("results");
    let areas: Vec<f64> = results.runs.iter().map(|run| run.area).collect();
    let mean = areas.iter().sum::<f64>() / areas.len() as f64;
    assert!(mean.abs() < 0.08, "{areas:?}");
    for run in &results.runs {
        let highest = run.score_curve().1.into_iter().fold(0.0, f64::max);
        assert!(highest < 0.4, "seed {}: a point at {highest}", run.seed);
    }
}

/// A policy that always takes one action.
fn always(action: usize, world: GridWorldConfig) -> Policy {
    let config = frozen(world, 1);
    let spec = config.make_envs(1).expect("environments").spec().clone();
    let (mut params, network) = MlpModel::new(&spec, &config.mlp(), Seed(1), &Device::Cpu).expect("a network");
    let mut values = vec![0.0; params.layout().len()];
    let bias = params.layout().blocks().iter().rfind(|block| block.name.starts_with("actor")).expect("a bias").range();
    assert_eq!(bias.len(), network.distribution().outputs());
    values[bias.start + action] = 1.0;
    params.set(&values).expect("values");
    Policy::new(config, Box::new(network), params)
}

#[test]
fn an_evaluation_counts_no_stump_as_a_return() {
    // To the right is the goal from one start and a wall from the other.
    let world = |limit| GridWorldConfig {
        map: "S..G\nS...".into(),
        max_episode_steps: limit,
        reward_threshold: None,
        ..GridWorldConfig::default()
    };
    let right = 1;
    let cut = always(right, world(None)).evaluate(8, Seed(1)).expect("an evaluation");
    assert!(cut.cut > 0 && cut.cut < 8, "{cut:?}");
    assert_eq!((cut.return_mean, cut.return_std, cut.return_min), (None, None, None));
    assert_eq!(cut.returns.iter().filter(|one| one.is_none()).count(), cut.cut);
    let said = cut.unknown().expect("a reason");
    assert!(said.starts_with(&format!("unknown: {} of 8 episodes cut off after 10000 steps", cut.cut)), "{said}");
    assert!(said.contains("max_episode_steps"), "{said}");
    assert!(serde_json::to_value(&cut).expect("json")["return_mean"].is_null());

    let limited = always(right, world(Some(50))).evaluate(8, Seed(1)).expect("an evaluation");
    assert_eq!((limited.cut, limited.unknown()), (0, None));
    assert!((limited.return_min.expect("known") + 0.05).abs() < 1e-6, "{limited:?}");
    assert!(limited.returns.iter().all(Option::is_some));
}

#[test]
fn a_run_in_which_no_episode_counts_ends_with_what_is_known_of_it() {
    let world = GridWorldConfig {
        map: "S...............................................G".into(),
        max_episode_steps: Some(300),
        reward_threshold: None,
        ..GridWorldConfig::default()
    };
    let home = tempfile::tempdir().expect("a folder");
    let config = Config { steps: 400, ..frozen(world, 2) };
    let mut folder = RunFolder::create(home.path(), &config, false).expect("a folder");
    let mut trainer = Trainer::new(&config).expect("a trainer");
    while let Some(metrics) = trainer.step().expect("an update") {
        folder.log(&metrics).expect("a row");
    }
    let summary = folder.finish(trainer).expect("a summary, though nothing is known");
    assert_eq!((summary.episode_return_mean, summary.solved_at_step, summary.best_return_mean), (None, None, None));
    assert!(!home.path().join("reward.png").exists(), "nothing to draw");
}

#[test]
fn a_comparison_refuses_a_task_without_a_limit_or_is_given_one() {
    let grid = |task: &str| Grid::from_toml(&format!("optimizers = ['adam']\ncurve_points = 10\ntasks = [{task}]"));
    let refused = |task: &str| grid(task).expect_err("impossible").to_string();
    let said = refused("{ env = 'CliffWalking-v1' }");
    assert!(said.starts_with("CliffWalking-v1: its episodes have no limit of steps"), "{said}");
    assert!(said.contains("`max_episode_steps = 200`") && said.contains("--max-episode-steps"), "{said}");
    let own = "settings.gridworld = { map = 'S..G', max_episode_steps = inf, reward_threshold = inf }";
    let said = refused(&format!("{{ env = 'Mine', {own} }}"));
    assert!(said.starts_with("Mine: its episodes have no limit of steps"), "{said}");
    let said = refused("{ env = 'CartPole-v1', max_episode_steps = 100 }");
    assert!(
        said.contains("only environments with an argument max_episode_steps, such as grid worlds, can be given"),
        "{said}"
    );

    let grid = grid("{ env = 'CliffWalking-v1', max_episode_steps = 200 }").expect("a grid");
    assert_eq!(Grid::from_toml(&grid.to_toml().expect("text")).expect("a grid"), grid);
    let cells = grid.cells().expect("cells");
    let limit = cells[0].config.make_envs(1).expect("environments").spec().max_episode_steps;
    assert_eq!(limit, Some(200));
    // Within the limit everything has a return, so the scale has two ends: the shortest way is 13 steps long.
    assert!((cells[0].scale.normalise(-13.0) - 1.0).abs() < 1e-9);
}
