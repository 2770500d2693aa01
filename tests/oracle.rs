//! Every sampled policy gradient against the exact one, on a grid world whose every probability is known.

use uphill::algo::{Learner, OnPolicy};
use uphill::envs::{End, FiniteMdp, GridWorld, GridWorldConfig, Lanes, TimeLimit, VecEnv};
use uphill::objective::RowSums;
use uphill::optim::When;
use uphill::rollout::Minibatch;
use uphill::{Collector, Config, Horizon, MlpConfig, MlpModel, Params, Rollout, Scratch, Seed, Stop, oracle};

const LANES: usize = 16;

/// A small slippery world without a time limit: a policy that tries everything ends every episode.
fn world(max_episode_steps: Option<u32>) -> GridWorld {
    GridWorld::new(GridWorldConfig {
        map: "S.O\n.#.\n..G".into(),
        slip: 0.2,
        step_reward: -0.1,
        pit_reward: -1.0,
        max_episode_steps,
        ..GridWorldConfig::default()
    })
    .expect("a good map")
}

fn lanes(world: &GridWorld, count: usize) -> Box<dyn VecEnv> {
    Box::new(Lanes::new(vec![TimeLimit::new(world.clone()); count]).expect("lanes"))
}

/// A linear policy that prefers something, and a linear critic, which on one-hot observations is a table.
struct Agent {
    network: MlpModel,
    params: Params,
    mdp: FiniteMdp,
}

impl Agent {
    /// `value` gives the critic's word in each state from the exact values.
    fn new(world: &GridWorld, gamma: f64, value: impl Fn(usize, f64) -> f64) -> Self {
        let mdp = world.model().expect("a model");
        let config = MlpConfig { hidden: vec![], ..MlpConfig::default() };
        let device = candle_core::Device::Cpu;
        let spec = uphill::envs::Env::spec(world).clone();
        let (mut params, network) = MlpModel::new(&spec, &config, Seed(5), &device).expect("a network");
        let mut theta = params.snapshot().expect("values");
        for block in params.layout().blocks() {
            // Logits up to ±1: far from uniform, near enough to it that every action is tried.
            if block.name == "actor.head.weight" {
                for (i, v) in theta[block.range()].iter_mut().enumerate() {
                    *v = ((i * 37 % 17) as f32 - 8.0) / 8.0;
                }
            }
        }
        params.set(&theta).expect("the same length");
        let table = oracle::policy_table(&network, &params, &mdp).expect("a policy");
        let exact = mdp.state_values(&table, gamma).expect("values");
        let critic = params.layout().block("critic.head.weight").expect("a critic").range();
        for (state, &exact) in exact.iter().enumerate() {
            let d = mdp.observation_len();
            let one = mdp.observations()[state * d..(state + 1) * d].iter().position(|&x| x == 1.0);
            if let Some(cell) = one {
                theta[critic.start + cell] = value(state, exact) as f32;
            }
        }
        params.set(&theta).expect("the same length");
        Self { network, params, mdp }
    }

    fn policy(&self) -> Vec<f64> {
        oracle::policy_table(&self.network, &self.params, &self.mdp).expect("a policy")
    }

    /// The places of the actor in the parameter vector: what the policy gradient is about.
    fn actor(&self) -> Vec<usize> {
        let blocks = self.params.layout().blocks().iter();
        blocks.filter(|block| block.name.starts_with("actor")).flat_map(|block| block.range()).collect()
    }
}

/// Mean and standard error of each coordinate of a sampled gradient.
struct Sampled {
    mean: Vec<f64>,
    standard_error: Vec<f64>,
}

/// Collects rollouts from fresh resets and averages their gradients, which `scale` turns from those of a loss that is
/// a mean over steps into estimates of the exact one.
fn sample(
    agent: &mut Agent,
    algo: &OnPolicy,
    world: &GridWorld,
    rollouts: u64,
    spoil: impl Fn(&mut Rollout),
    scale: impl Fn(usize, usize) -> f64,
) -> Sampled {
    sample_in(LANES, agent, algo, world, rollouts, spoil, scale)
}

/// The same in so many lanes.
fn sample_in(
    count: usize,
    agent: &mut Agent,
    algo: &OnPolicy,
    world: &GridWorld,
    rollouts: u64,
    spoil: impl Fn(&mut Rollout),
    scale: impl Fn(usize, usize) -> f64,
) -> Sampled {
    let n = agent.params.layout().len();
    let (mut sum, mut squares) = (vec![0.0; n], vec![0.0; n]);
    for i in 0..rollouts {
        let mut collector = Collector::new(lanes(world, count), Seed(i)).expect("a reset");
        let (rollout, episodes) =
            collector.collect(&agent.network, &agent.params, algo.horizon, true).expect("a rollout");
        let mut rollout = rollout.clone();
        spoil(&mut rollout);
        let estimate = algo.estimator.estimate(&rollout, algo.gamma as f32);
        let places: Vec<usize> = rollout.valid_steps().collect();
        let advantage: Vec<f32> = places.iter().map(|&i| estimate.advantage[i]).collect();
        let batch = Minibatch {
            rollout: &rollout,
            estimate: &estimate,
            places: &places,
            advantage: &advantage,
            stop: Stop::default(),
        };
        let mut gradient = Vec::new();
        let (mut scratch, mut sums) = (Scratch::default(), RowSums::default());
        algo.gradient(&agent.network, &agent.params, batch, &mut scratch, &mut gradient, &mut sums)
            .expect("a gradient");
        let scale = -scale(places.len(), episodes.len());
        for (j, g) in gradient.into_iter().enumerate() {
            let g = f64::from(g) * scale;
            sum[j] += g;
            squares[j] += g * g;
        }
    }
    Sampled::of(&sum, &squares, rollouts)
}

impl Sampled {
    /// From sums over so many rollouts of each coordinate and of its square.
    fn of(sum: &[f64], squares: &[f64], rollouts: u64) -> Self {
        let r = rollouts as f64;
        let mean: Vec<f64> = sum.iter().map(|s| s / r).collect();
        let variance = squares.iter().zip(&mean).map(|(s, m)| (s / r - m * m).max(0.0));
        let standard_error = variance.map(|v| (v / (r - 1.0)).sqrt()).collect();
        Self { mean, standard_error }
    }
}

/// The largest distance of a coordinate from the exact one, in its own standard errors.
fn worst_deviation(sampled: &Sampled, exact: &candle_core::Tensor, places: &[usize]) -> f64 {
    let exact: Vec<f32> = exact.to_vec1().expect("numbers");
    let deviation = |&i: &usize| {
        let distance = (sampled.mean[i] - f64::from(exact[i])).abs();
        // States that are never stood on have no gradient, exactly, in sample and in truth.
        if distance < 1e-7 { 0.0 } else { distance / sampled.standard_error[i] }
    };
    assert!(exact.iter().any(|g| g.abs() > 0.005), "the exact gradient is not trivially zero");
    places.iter().map(deviation).fold(0.0, f64::max)
}

fn config(algo: &str) -> Config {
    let defaults = Config::for_algo(algo).expect("an algorithm");
    Config { gamma: 1.0, envs: LANES, episodes: LANES, ent_coef: 0.0.into(), normalize_advantage: false, ..defaults }
}

/// The loop that a configuration's algorithm is.
fn on_policy(config: &Config) -> OnPolicy {
    config.make_algo().expect("an algorithm").into_on_policy().expect("a loop")
}

/// The gradient of whole episodes, summed over steps and averaged over episodes, is that of J.
fn whole_episodes(agent: &mut Agent, algo: &OnPolicy) -> f64 {
    let world = world(None);
    let sampled = sample(agent, algo, &world, 600, |_| {}, |steps, episodes| steps as f64 / episodes as f64);
    let exact = oracle::exact_policy_gradient(&agent.network, &agent.params, &agent.mdp, 1.0).expect("a gradient");
    worst_deviation(&sampled, &exact, &agent.actor())
}

#[test]
fn reinforce_without_a_baseline_follows_the_exact_gradient() {
    let mut agent = Agent::new(&world(None), 1.0, |_, _| 0.0);
    let algo = on_policy(&Config { baseline: false, ..config("reinforce") });
    let worst = whole_episodes(&mut agent, &algo);
    assert!(worst <= 4.0, "{worst} standard errors");
}

#[test]
fn reinforce_with_any_baseline_follows_the_exact_gradient() {
    // A baseline that is wrong in every state must not move the mean.
    let mut agent = Agent::new(&world(None), 1.0, |state, exact| 0.5 * exact + 0.1 * state as f64);
    let worst = whole_episodes(&mut agent, &on_policy(&config("reinforce")));
    assert!(worst <= 4.0, "{worst} standard errors");
}

#[test]
fn rloo_follows_the_exact_gradient() {
    let mut agent = Agent::new(&world(None), 1.0, |_, _| f64::NAN);
    let worst = whole_episodes(&mut agent, &on_policy(&config("rloo")));
    assert!(worst <= 4.0, "{worst} standard errors");
}

/// Of two episodes, each is all that the other is held against: the mean stays, for any discount.
#[test]
fn rloo_of_two_episodes_follows_the_gradient_of_the_discounted_return() {
    let (world, gamma) = (world(None), 0.9);
    let mut agent = Agent::new(&world, gamma, |_, _| f64::NAN);
    let algo = "rloo(discount_states=true)".into();
    let config = Config { algo, gamma, envs: 2, episodes: 2, ..config("rloo") };
    let of_episodes = |steps: usize, episodes: usize| steps as f64 / episodes as f64;
    let sampled = sample_in(2, &mut agent, &on_policy(&config), &world, 4_000, |_| {}, of_episodes);
    let Agent { network, params, mdp } = &agent;
    let exact = oracle::exact_policy_gradient(network, params, mdp, gamma).expect("a gradient");
    let worst = worst_deviation(&sampled, &exact, &agent.actor());
    assert!(worst <= 4.0, "{worst} standard errors");
}

#[test]
fn a2c_with_the_exact_critic_follows_the_exact_gradient() {
    let mut agent = Agent::new(&world(None), 1.0, |_, exact| exact);
    let algo = on_policy(&Config { n_steps: 3, ..config("a2c") });
    let worst = whole_episodes(&mut agent, &OnPolicy { horizon: Horizon::Episodes(1), ..algo });
    assert!(worst <= 4.0, "{worst} standard errors");
}

#[test]
fn the_first_epoch_of_ppo_follows_the_exact_gradient() {
    let mut agent = Agent::new(&world(None), 1.0, |_, exact| exact);
    let algo = on_policy(&config("ppo"));
    let worst = whole_episodes(&mut agent, &OnPolicy { horizon: Horizon::Episodes(1), ..algo });
    assert!(worst <= 4.0, "{worst} standard errors");
}

#[test]
fn a_critic_that_is_wrong_biases_a2c_and_the_test_sees_it() {
    let mut agent = Agent::new(&world(None), 1.0, |state, exact| 0.5 * exact + 0.1 * state as f64);
    let algo = on_policy(&Config { n_steps: 1, ..config("a2c") });
    let worst = whole_episodes(&mut agent, &OnPolicy { horizon: Horizon::Episodes(1), ..algo });
    assert!(worst > 8.0, "only {worst} standard errors");
}

/// Windows that cut episodes, and a time limit that truncates them: the states are weighed by how often such a window
/// visits them, and the exact critic answers for what was cut.
fn windows(algo: &OnPolicy, steps: usize, spoil: impl Fn(&mut Rollout)) -> f64 {
    let (limit, gamma) = (6, algo.gamma);
    let world = world(Some(limit));
    let mut agent = Agent::new(&world, gamma, |_, exact| exact);
    let sampled = sample(&mut agent, algo, &world, 1_500, spoil, |_, _| 1.0);
    let (policy, mdp) = (agent.policy(), &agent.mdp);
    let visits = mdp.visits(&policy, steps, Some(limit)).expect("visits");
    let q = mdp.action_values(&policy, gamma).expect("values");
    let coefficients: Vec<f64> = q.iter().enumerate().map(|(i, q)| visits[i / mdp.actions()] * q).collect();
    let exact = oracle::weighted_gradient(&agent.network, &agent.params, mdp, &coefficients).expect("a gradient");
    worst_deviation(&sampled, &exact, &agent.actor())
}

#[test]
fn windows_bootstrap_through_truncation_without_bias() {
    let steps = 20;
    for name in ["a2c", "ppo", "ppo_kl", "dpo_drift", "v_trace"] {
        let algo = on_policy(&Config { n_steps: steps, gamma: 0.95, ..config(name) });
        let worst = windows(&algo, steps, |_| {});
        assert!(worst <= 4.0, "{name}: {worst} standard errors");
    }
}

/// The direction of one iteration of conjugate gradients is the gradient's, and its length is told.
#[test]
fn the_gradient_behind_a_natural_step_is_the_exact_one() {
    let (limit, steps, gamma) = (6, 20, 0.95);
    let world = world(Some(limit));
    for algo in ["npg", "trpo"] {
        let agent = Agent::new(&world, gamma, |_, exact| exact);
        let small = Config { n_steps: steps, n_epochs: 1, n_minibatches: 1, gamma, ..config(algo) };
        // So small a step always helps.
        let config = Config { algo: format!("{algo}(cg_iterations=1, max_kl=1e-4)").as_str().into(), ..small };
        let theta = agent.params.snapshot().expect("values");
        let (mut sum, mut squares, rollouts) = (vec![0.0; theta.len()], vec![0.0; theta.len()], 1_500);
        for i in 0..rollouts {
            let mut collector = Collector::new(lanes(&world, LANES), Seed(i)).expect("a reset");
            let mut algo = config.make_algo().expect("an algorithm");
            let (rollout, _) =
                collector.collect(&agent.network, &agent.params, algo.horizon(), true).expect("a rollout");
            let fresh = Agent::new(&world, gamma, |_, exact| exact);
            let optimizer = config.make_optimizer().expect("an optimizer");
            let mut learner = Learner::new(Box::new(fresh.network), fresh.params, optimizer, Seed(i));
            let report = algo.update(&mut learner, rollout, When::default().into()).expect("an update");
            let norm = report.terms.iter().find(|(name, _)| *name == "policy_grad_norm").expect("its length").1;
            let after = learner.params.snapshot().expect("values");
            let step: Vec<f64> = agent.actor().into_iter().map(|i| f64::from(after[i]) - f64::from(theta[i])).collect();
            let length = step.iter().map(|x| x * x).sum::<f64>().sqrt();
            assert!(length > 0.0, "a step is taken: {report:?}");
            for (i, step) in agent.actor().into_iter().zip(step) {
                let g = step * norm / length;
                sum[i] += g;
                squares[i] += g * g;
            }
        }
        let sampled = Sampled::of(&sum, &squares, rollouts);
        let (policy, mdp) = (agent.policy(), &agent.mdp);
        let visits = mdp.visits(&policy, steps, Some(limit)).expect("visits");
        let q = mdp.action_values(&policy, gamma).expect("values");
        let coefficients: Vec<f64> = q.iter().enumerate().map(|(i, q)| visits[i / mdp.actions()] * q).collect();
        let exact = oracle::weighted_gradient(&agent.network, &agent.params, mdp, &coefficients).expect("a gradient");
        let worst = worst_deviation(&sampled, &exact, &agent.actor());
        assert!(worst <= 4.0, "{algo}: {worst} standard errors");
    }
}

/// What it is meant for is a bias: how far the mean is from the exact gradient, and which way it points, are told.
#[test]
fn upgoing_returns_are_biased_on_purpose_and_the_test_sees_it() {
    let mut agent = Agent::new(&world(None), 1.0, |_, exact| exact);
    let algo = on_policy(&Config { n_steps: 3, algo: "a2c(estimator=upgo)".into(), ..config("a2c") });
    let algo = OnPolicy { horizon: Horizon::Episodes(1), ..algo };
    let world = world(None);
    let sampled = sample(&mut agent, &algo, &world, 600, |_| {}, |steps, episodes| steps as f64 / episodes as f64);
    let exact = oracle::exact_policy_gradient(&agent.network, &agent.params, &agent.mdp, 1.0).expect("a gradient");
    let worst = worst_deviation(&sampled, &exact, &agent.actor());
    let exact: Vec<f32> = exact.to_vec1().expect("numbers");
    let dot = |x: &dyn Fn(usize) -> f64, y: &dyn Fn(usize) -> f64| {
        agent.actor().into_iter().map(|i| x(i) * y(i)).sum::<f64>()
    };
    let (mean, exact) = (|i: usize| sampled.mean[i], |i: usize| f64::from(exact[i]));
    let cosine = dot(&mean, &exact) / (dot(&mean, &mean) * dot(&exact, &exact)).sqrt();
    let length = (dot(&mean, &mean) / dot(&exact, &exact)).sqrt();
    println!("{worst} {cosine} {length}");
    assert!(worst > 8.0, "only {worst} standard errors");
    assert!((0.5..0.99).contains(&cosine), "the two point {cosine} the same way");
}

#[test]
fn taking_truncation_for_termination_is_a_bias_that_the_test_sees() {
    let steps = 20;
    let ppo = on_policy(&Config { n_steps: steps, gamma: 0.95, ..config("ppo") });
    let worst = windows(&ppo, steps, |rollout| {
        for end in rollout.end.iter_mut().filter(|end| **end == End::Truncated) {
            *end = End::Terminated;
        }
    });
    assert!(worst > 8.0, "only {worst} standard errors");
}

#[test]
fn bootstrapping_from_the_state_after_a_reset_is_a_bias_that_the_test_sees() {
    let steps = 20;
    let ppo = on_policy(&Config { n_steps: steps, gamma: 0.95, ..config("ppo") });
    let worst = windows(&ppo, steps, |rollout| {
        for i in 0..rollout.value.len() - LANES {
            if rollout.end[i] == End::Truncated {
                rollout.next_value[i] = rollout.value[i + LANES];
            }
        }
    });
    assert!(worst > 8.0, "only {worst} standard errors");
}

#[test]
fn the_exact_gradient_is_the_slope_of_the_exact_return() {
    let mut agent = Agent::new(&world(None), 0.9, |_, exact| exact);
    let exact = oracle::exact_policy_gradient(&agent.network, &agent.params, &agent.mdp, 0.9).expect("a gradient");
    let exact: Vec<f32> = exact.to_vec1().expect("numbers");
    let theta = agent.params.snapshot().expect("values");
    let mut moved = |i: usize, by: f32| {
        let mut theta = theta.clone();
        theta[i] += by;
        agent.params.set(&theta).expect("the same length");
        oracle::exact_return(&agent.network, &agent.params, &agent.mdp, 0.9).expect("a return")
    };
    let h = 1e-2;
    for (i, &g) in exact.iter().enumerate() {
        let slope = (moved(i, h) - moved(i, -h)) / f64::from(2.0 * h);
        assert!((slope - f64::from(g)).abs() < 1e-4, "parameter {i}: slope {slope}, gradient {g}");
    }
}

#[test]
fn below_a_discount_of_one_the_loss_follows_the_gradient_of_episodes_and_not_that_of_the_return() {
    let (world, gamma) = (world(None), 0.8);
    let mut agent = Agent::new(&world, gamma, |_, _| 0.0);
    let algo = on_policy(&Config { baseline: false, gamma, ..config("reinforce") });
    let sampled = sample(&mut agent, &algo, &world, 600, |_| {}, |steps, episodes| steps as f64 / episodes as f64);
    let Agent { network, params, mdp } = &agent;
    let episodes = oracle::exact_episode_gradient(network, params, mdp, gamma).expect("a gradient");
    let returns = oracle::exact_policy_gradient(network, params, mdp, gamma).expect("a gradient");
    let (of_episodes, of_return) =
        (worst_deviation(&sampled, &episodes, &agent.actor()), worst_deviation(&sampled, &returns, &agent.actor()));
    assert!(of_episodes <= 4.0 && of_return > 8.0, "{of_episodes} and {of_return} standard errors");
    let [a, b] = [episodes, returns].map(|g| g.to_vec1::<f32>().expect("numbers"));
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| f64::from(x * y)).sum::<f64>();
    let cosine = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
    assert!((0.5..0.995).contains(&cosine), "the two point {cosine} the same way");
}

#[test]
fn with_the_weight_of_a_state_it_follows_the_gradient_of_the_discounted_return() {
    for (gamma, baseline) in [(0.8, false), (0.9, true)] {
        let world = world(None);
        let mut agent = Agent::new(&world, gamma, |state, exact| 0.5 * exact + 0.1 * state as f64);
        let algo = "reinforce(discount_states=true)".into();
        let algo = on_policy(&Config { algo, baseline, gamma, ..config("reinforce") });
        let sampled = sample(&mut agent, &algo, &world, 600, |_| {}, |steps, episodes| steps as f64 / episodes as f64);
        let Agent { network, params, mdp } = &agent;
        let exact = oracle::exact_policy_gradient(network, params, mdp, gamma).expect("a gradient");
        let worst = worst_deviation(&sampled, &exact, &agent.actor());
        assert!(worst <= 4.0, "gamma {gamma}: {worst} standard errors");
    }
}

#[test]
fn under_a_time_limit_a_baseline_does_more_than_lower_the_variance() {
    let mean = |limit: Option<u32>, baseline: bool| {
        let world = world(limit);
        let mut agent = Agent::new(&world, 1.0, |_, exact| exact);
        let algo = on_policy(&Config { baseline, ..config("reinforce") });
        let sampled = sample(&mut agent, &algo, &world, 600, |_| {}, |steps, episodes| steps as f64 / episodes as f64);
        (sampled, agent.actor())
    };
    let apart = |limit| {
        let ((with, places), (without, _)) = (mean(limit, true), mean(limit, false));
        let distance = |&i: &usize| {
            let error = with.standard_error[i].hypot(without.standard_error[i]);
            if error > 0.0 { (with.mean[i] - without.mean[i]).abs() / error } else { 0.0 }
        };
        places.iter().map(distance).fold(0.0, f64::max)
    };
    let (unlimited, limited) = (apart(None), apart(Some(6)));
    assert!(unlimited <= 4.5, "without a limit the means are {unlimited} standard errors apart");
    assert!(limited > 8.0, "under a limit the means are only {limited} standard errors apart");
}
