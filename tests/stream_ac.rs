//! Streaming actor-critic: each step against the paper's equations, all steps of an episode against the exact gradient, and what
//! becomes of traces where a lane does not go on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use candle_core::{Device, Tensor};
use candle_nn::{Module, linear};
use uphill::algo::Learner;
use uphill::envs::{End, Env, GridWorld, GridWorldConfig, Lanes, TimeLimit};
use uphill::models::Site;
use uphill::optim::When;
use uphill::{
    Collector, Config, Error, Evaluated, Horizon, MlpConfig, MlpModel, ModuleModel, Rollout, Seed, Trainer, oracle,
};

fn learner(config: &Config) -> Learner {
    let spec = config.make_envs(1).expect("an environment").spec().clone();
    let (params, network) = config.make_model(&Site::new(&spec, Seed(2))).expect("a model");
    Learner::new(network, params, config.make_optimizer().expect("an optimizer"), Seed(2))
}

fn now() -> When {
    When { update: 1, ..When::default() }
}

/// A linear policy of two actions and a linear critic of four numbers, learning in f64.
struct Reference {
    /// Logits' weights and biases, then the critic's.
    theta: Vec<f64>,
    traces: Vec<[f64; 15]>,
}

const GAMMA: f64 = 0.9;
const LAMBDA: f64 = 0.7;
const ENT_COEF: f64 = 0.05;
const LR: f64 = 0.02;
/// Of the policy, whose bound is felt now and then, and of the critic.
const KAPPA: [f64; 2] = [25.0, 8.0];

impl Reference {
    fn value(&self, s: &[f32]) -> f64 {
        s.iter().zip(&self.theta[10..14]).map(|(&s, w)| f64::from(s) * w).sum::<f64>() + self.theta[14]
    }

    /// Learns from a rollout of one step; says how often a step was shortened.
    fn learn(&mut self, rollout: &Rollout) -> usize {
        let (observation, lanes) = (rollout.observation.all(), rollout.lanes);
        let (mut step, mut bound) = ([0.0; 15], 0);
        for lane in 0..lanes {
            let s = &observation[4 * lane..4 * lane + 4];
            let next = match rollout.end[lane] {
                End::Terminated => None,
                End::Not => Some(&rollout.last_observation[4 * lane..4 * lane + 4]),
                End::Truncated => {
                    let i = rollout.truncated.iter().position(|&place| place == lane).expect("its observation");
                    Some(&rollout.truncated_observation[4 * i..4 * i + 4])
                }
            };
            let delta = f64::from(rollout.reward[lane]) + GAMMA * next.map_or(0.0, |s| self.value(s)) - self.value(s);
            let logit = |a: usize| {
                let weights = &self.theta[4 * a..4 * a + 4];
                s.iter().zip(weights).map(|(&s, w)| f64::from(s) * w).sum::<f64>() + self.theta[8 + a]
            };
            let exp = [logit(0).exp(), logit(1).exp()];
            let p = exp.map(|e| e / (exp[0] + exp[1]));
            let entropy: f64 = -p.iter().map(|p| p * p.ln()).sum::<f64>();
            let action = rollout.action.indices()[lane] as usize;
            let z = &mut self.traces[lane];
            z.iter_mut().for_each(|z| *z *= GAMMA * LAMBDA);
            for a in 0..2 {
                let of_log_prob = if a == action { 1.0 } else { 0.0 } - p[a];
                let of_entropy = -p[a] * (p[a].ln() + entropy);
                let g = of_log_prob + ENT_COEF * delta.signum() * of_entropy;
                (0..4).for_each(|i| z[4 * a + i] += g * f64::from(s[i]));
                z[8 + a] += g;
            }
            (0..4).for_each(|i| z[10 + i] += f64::from(s[i]));
            z[14] += 1.0;
            for (part, kappa) in [0..10, 10..15].into_iter().zip(KAPPA) {
                let m = LR * kappa * delta.abs().max(1.0) * z[part.clone()].iter().map(|z| z.abs()).sum::<f64>();
                bound += usize::from(m > 1.0);
                let size = (LR / m).min(LR);
                part.for_each(|i| step[i] += size * delta * z[i] / lanes as f64);
            }
            if rollout.end[lane].ended() {
                *z = [0.0; 15];
            }
        }
        self.theta.iter_mut().zip(step).for_each(|(theta, step)| *theta += step);
        bound
    }
}

#[test]
fn each_step_is_that_of_the_equations_across_ends_and_in_lanes_of_their_own() {
    let kappa = format!("kappa_policy={}, kappa_value={}", KAPPA[0], KAPPA[1]);
    let config = Config::from_toml(&format!(
        "algo = 'stream_ac(trace_lambda={LAMBDA}, {kappa})'\nenv = 'CartPole-v1 | time_limit(14)'\nhidden = []\n\
         gamma = {GAMMA}\nent_coef = {ENT_COEF}\nlr = {LR}\nenvs = 3\nnormalize_observation = false\nnormalize_reward = false"
    ))
    .expect("a configuration");
    let mut algo = config.make_algo().expect("an algorithm");
    assert_eq!((algo.horizon(), algo.rollouts()), (Horizon::Steps(1), 256));
    let mut learner = learner(&config);
    let names: Vec<_> = learner.params.layout().blocks().iter().map(|block| block.name.clone()).collect();
    assert_eq!(names, ["actor.head.weight", "actor.head.bias", "critic.head.weight", "critic.head.bias"]);
    let theta = learner.params.snapshot().expect("values").into_iter().map(f64::from).collect();
    let mut reference = Reference { theta, traces: vec![[0.0; 15]; 3] };
    let mut collector = Collector::new(config.make_envs(3).expect("environments"), Seed(4)).expect("a reset");
    let (mut ends, mut bound) = ([0, 0], 0);
    for t in 0..300 {
        let horizon = algo.horizon();
        let rollout = collector.collect(&*learner.network, &learner.params, horizon, true).expect("a step").0.clone();
        ends[0] += rollout.end.iter().filter(|&&end| end == End::Terminated).count();
        ends[1] += rollout.end.iter().filter(|&&end| end == End::Truncated).count();
        bound += reference.learn(&rollout);
        algo.update(&mut learner, &rollout, now().into()).expect("an update");
        for (i, (ours, theirs)) in learner.params.snapshot().expect("values").iter().zip(&reference.theta).enumerate() {
            assert!((f64::from(*ours) - theirs).abs() < 2e-5, "step {t}, parameter {i}: {ours} for {theirs}");
        }
    }
    assert!(ends[0] > 3 && ends[1] > 3, "{ends:?}: both kinds of end");
    assert!((100..1700).contains(&bound), "{bound} of 1800: steps of both kinds");
}

/// A small slippery world.
fn world() -> GridWorld {
    let map = "S.O\n.#.\n..G".into();
    let world = GridWorldConfig { map, slip: 0.2, step_reward: -0.1, pit_reward: -1.0, ..GridWorldConfig::default() };
    GridWorld::new(GridWorldConfig { max_episode_steps: None, ..world }).expect("a good map")
}

/// How many standard errors the mean over episodes of all steps of one, the parameters held where they are, is from the exact
/// gradient in its worst coordinate, with a critic that says so much of what is right.
fn errors_from_exact(trace_lambda: f64, critic: f64) -> f64 {
    let (world, gamma) = (world(), 0.9);
    let mdp = world.model().expect("a model");
    let config = MlpConfig { hidden: vec![], ..MlpConfig::default() };
    let spec = Env::spec(&world).clone();
    let (mut params, network) = MlpModel::new(&spec, &config, Seed(5), &Device::Cpu).expect("a network");
    let mut theta = params.snapshot().expect("values");
    let actor: Vec<usize> = {
        let blocks = params.layout().blocks().iter().filter(|block| block.name.starts_with("actor"));
        blocks.flat_map(|block| block.range()).collect()
    };
    for &i in &actor {
        theta[i] = ((i * 37 % 17) as f32 - 8.0) / 8.0;
    }
    params.set(&theta).expect("values");
    let table = oracle::policy_table(&network, &params, &mdp).expect("a policy");
    let exact_values = mdp.state_values(&table, gamma).expect("values");
    let weights = params.layout().block("critic.head.weight").expect("a critic").range();
    for (state, exact) in exact_values.iter().enumerate() {
        let d = mdp.observation_len();
        let row = &mdp.observations()[state * d..(state + 1) * d];
        if let Some(cell) = row.iter().position(|&x| x == 1.0) {
            theta[weights.start + cell] = (critic * exact) as f32;
        }
    }
    params.set(&theta).expect("values");
    let exact = oracle::exact_episode_gradient(&network, &params, &mdp, gamma).expect("a gradient");
    let exact: Vec<f32> = exact.to_vec1().expect("values");

    let algo = format!("stream_ac(trace_lambda={trace_lambda}, kappa_policy=0, kappa_value=0)");
    let text = format!("algo = '{algo}'\nenv = 'GridWorld-4x4-v0'\ngamma = {gamma}\nent_coef = 0\nlr = 1");
    let config = Config::from_toml(&text).expect("a configuration");
    let mut algo = config.make_algo().expect("an algorithm");
    let optimizer = config.make_optimizer().expect("an optimizer");
    let mut learner = Learner::new(Box::new(network), params, optimizer, Seed(2));
    let env = Box::new(Lanes::new(vec![TimeLimit::new(world)]).expect("a lane"));
    let mut collector = Collector::new(env, Seed(4)).expect("a reset");
    let episodes = 1_500;
    let (mut sum, mut squares) = (vec![0.0; actor.len()], vec![0.0; actor.len()]);
    for _ in 0..episodes {
        let mut of_episode = vec![0.0; actor.len()];
        loop {
            let (network, params) = (&*learner.network, &learner.params);
            let rollout = collector.collect(network, params, Horizon::Steps(1), true).expect("a step").0.clone();
            algo.update(&mut learner, &rollout, now().into()).expect("an update");
            let moved = learner.params.snapshot().expect("values");
            of_episode.iter_mut().zip(&actor).for_each(|(sum, &i)| *sum += f64::from(moved[i]) - f64::from(theta[i]));
            learner.params.set(&theta).expect("values");
            if rollout.end[0].ended() {
                break;
            }
        }
        for (j, g) in of_episode.into_iter().enumerate() {
            sum[j] += g;
            squares[j] += g * g;
        }
    }
    let n = f64::from(episodes);
    let errors = actor.iter().enumerate().filter_map(|(j, &i)| {
        let mean = sum[j] / n;
        let standard_error = ((squares[j] / n - mean * mean) / n).sqrt();
        (standard_error > 1e-9).then(|| (mean - f64::from(exact[i])).abs() / standard_error)
    });
    errors.fold(0.0, f64::max)
}

/// The steps of an episode add up to advantages by lambda of whole episodes: unbiased to the end of it, and where the critic is
/// right; short traces and a critic that knows nothing are biased, which is meant.
#[test]
fn the_steps_of_an_episode_add_up_to_the_exact_gradient() {
    for (trace_lambda, critic, is_exact) in [(1.0, 0.5, true), (0.8, 1.0, true), (0.3, 0.0, false)] {
        let errors = errors_from_exact(trace_lambda, critic);
        assert_eq!(errors < 4.0, is_exact, "lambda {trace_lambda}, {critic} of the values: {errors} standard errors");
        assert!(is_exact || errors > 8.0, "lambda {trace_lambda}, {critic} of the values: {errors} standard errors");
    }
}

#[test]
fn a_lane_that_stands_elsewhere_has_no_trace() {
    let text = "algo = 'stream_ac'\nenv = 'CartPole-v1'\nhidden = [5]\nenvs = 2";
    let config = Config::from_toml(text).expect("a configuration");
    let bits = |forgets: bool, begins: u64| {
        let mut algo = config.make_algo().expect("an algorithm");
        let mut learner = learner(&config);
        let theta = learner.params.snapshot().expect("values");
        let mut collector = Collector::new(config.make_envs(2).expect("environments"), Seed(4)).expect("a reset");
        for t in 0..6 {
            let (network, params) = (&*learner.network, &learner.params);
            let rollout = collector.collect(network, params, Horizon::Steps(1), true).expect("a step").0.clone();
            if t == 5 && forgets {
                algo.lanes_moved();
            }
            if t >= begins {
                algo.update(&mut learner, &rollout, now().into()).expect("an update");
            }
            if t < 5 {
                learner.params.set(&theta).expect("values");
            }
        }
        learner.params.snapshot().expect("values").into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(bits(true, 0), bits(false, 5));
    assert_ne!(bits(false, 0), bits(false, 5));
}

/// The first value learnt is that of one step: its deviation, which is none, counts as a ten-thousandth.
#[test]
fn errors_are_in_the_unit_that_values_are_learnt_in() {
    let first = |more: &str| {
        let text = format!("algo = 'stream_ac'\nenv = 'CartPole-v1'\nhidden = [5]\nn_steps = 1\n{more}");
        let mut trainer = Trainer::new(&Config::from_toml(&text).expect("a configuration")).expect("a trainer");
        trainer.step().expect("an update").expect("steps are left").value_loss.expect("a loss")
    };
    let ratio = first("normalize_value = true") / first("");
    assert!((ratio / 1e8 - 1.0).abs() < 1e-3, "{ratio}");
}

/// Rows without their clock, the parameters and all evaluations at the end, and how often training was broken off.
fn trained(trainer: &mut Trainer) -> (Vec<String>, Vec<u32>, Vec<Evaluated>, u32) {
    let (mut rows, mut breaks) = (Vec::new(), 0);
    loop {
        match trainer.step() {
            Ok(Some(metrics)) => rows.push(format!("{:?}", uphill::Metrics { steps_per_second: 0.0, ..metrics })),
            Ok(None) => break,
            Err(Error::Interrupted) => {
                breaks += 1;
                trainer.checkpoint().expect("a whole state");
            }
            Err(other) => panic!("{other}"),
        }
    }
    let params = trainer.params().snapshot().expect("values");
    (rows, params.into_iter().map(f32::to_bits).collect(), trainer.take_evaluations(), breaks)
}

#[test]
fn an_update_of_many_steps_that_is_broken_off_begins_again() {
    let text = "algo = 'stream_ac'\nenv = 'CartPole-v1'\nhidden = [5]\nn_steps = 40\nenvs = 2\nsteps = 800\n\
                optimizer = 'adam'\nnormalize_value = true\nthreads = 1\neval_every = 80\neval_episodes = 1";
    let config = Config::from_toml(text).expect("a configuration");
    let whole = trained(&mut Trainer::new(&config).expect("a trainer"));
    let mut trainer = Trainer::new(&config).expect("a trainer");
    let asked = AtomicU64::new(0);
    // The first yes is what two seconds of patience begin with; each of the others breaks an update off, wherever it is.
    trainer.stop_when(move || {
        let count = asked.fetch_add(1, Ordering::Relaxed);
        if count == 1 {
            std::thread::sleep(Duration::from_millis(2_100));
        }
        [0, 50, 131, 300, 302, 1_501, 3_000].contains(&count)
    });
    let broken = trained(&mut trainer);
    assert_eq!((broken.0, broken.1), (whole.0, whole.1));
    assert_eq!(broken.2, whole.2);
    assert_eq!((broken.2.len(), broken.3), (10, 6));
}

/// All that a policy and its critic have in common, or one that names nothing.
#[test]
fn a_bound_of_a_part_without_parameters_is_refused() {
    let message = |kappa: &str, name: &'static str| {
        let text = format!("algo = 'stream_ac{kappa}'\nenv = 'CartPole-v1'\nsteps = 512");
        let config = Config::from_toml(&text).expect("a configuration");
        let trainer = Trainer::with_network(&config, move |spec, device| {
            let site = Site { device, ..Site::new(spec, Seed(1)) };
            let (params, model) = ModuleModel::new(&site, move |vb| {
                let layer = linear(4, 3, vb.pp(name))?;
                Ok(Box::new(move |x: &Tensor| {
                    let both = layer.forward(x)?;
                    Ok((both.narrow(1, 0, 2)?, both.narrow(1, 2, 1)?))
                }) as uphill::models::Heads)
            })?;
            Ok((params, Box::new(model)))
        });
        trainer.and_then(|mut trainer| trainer.step()).map(drop).map_err(|e| e.to_string())
    };
    let refused = message("(kappa_value=5)", "body").expect_err("no step of a critic");
    assert!(
        refused.starts_with("kappa_value = 5 has no effect: no block of the network is named `critic.*`"),
        "{refused}"
    );
    let refused = message("(kappa_policy=5)", "critic.body").expect_err("no step of a policy");
    assert!(refused.starts_with("kappa_policy = 5 has no effect: all blocks of the network are"), "{refused}");
    for (kappa, name) in [("", "body"), ("(kappa_policy=5)", "body"), ("(kappa_value=5)", "critic.body")] {
        assert_eq!(message(kappa, name), Ok(()), "{kappa} {name}");
    }
}
