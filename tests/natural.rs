//! Natural policy gradients: their direction, how far a step goes, what the optimizer moves, and what is refused.

use candle_nn::linear;
use uphill::advantage::{Estimator, Gae, normalize};
use uphill::algo::{Algorithm, Learner, OnPolicy};
use uphill::distributions::DistributionRows;
use uphill::models::{Site, apart};
use uphill::objective::{Entropy, Objective, PolicyGradient, RowSums, Sum, ValueLoss};
use uphill::optim::When;
use uphill::rollout::{Estimate, Minibatch};
use uphill::{
    Collector, Config, Error, ModuleModel, Overrides, Params, Result, Rollout, Scratch, Seed, Stop, Trainer,
    UpdateReport,
};

fn config(algo: &str, env: &str, more: &str) -> Config {
    let text = format!(
        "algo = '{algo}'\nenv = '{env}'\nenvs = 8\nn_steps = 32\nn_minibatches = 2\nthreads = 1\nhidden = [16]\n{more}"
    );
    Config::from_toml(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What learns by hand, and what plays.
struct Bench {
    algo: Box<dyn Algorithm>,
    learner: Learner,
    collector: Collector,
}

impl Bench {
    fn new(config: &Config) -> Self {
        let seed = Seed(config.seed);
        let envs = config.make_envs(config.envs).expect("environments");
        let (params, network) = config.make_model(&Site::new(envs.spec(), seed)).expect("a network");
        let optimizer = config.make_optimizer().expect("an optimizer");
        Self {
            algo: config.make_algo().expect("an algorithm"),
            learner: Learner::new(network, params, optimizer, seed),
            collector: Collector::new(envs, seed).expect("a reset"),
        }
    }

    fn play(&mut self) -> Rollout {
        let Self { algo, learner, collector } = self;
        collector.collect(&*learner.network, &learner.params, algo.horizon(), true).expect("a rollout").0.clone()
    }

    fn update(&mut self, rollout: &Rollout) -> Result<UpdateReport> {
        self.algo.update(&mut self.learner, rollout, When::default().into())
    }

    fn theta(&self) -> Vec<f32> {
        self.learner.params.snapshot().expect("values")
    }

    /// What the policy says of each step: its distributions, and the log-probability of what was done.
    fn judged(&self, rollout: &Rollout) -> (Box<dyn DistributionRows>, Vec<f32>) {
        let (rows, log_prob, _) = self.judgement(rollout);
        (rows, log_prob)
    }

    /// The mean entropy of its distributions.
    fn entropy(&self, rollout: &Rollout) -> f64 {
        let (.., entropy) = self.judgement(rollout);
        let places: Vec<usize> = rollout.valid_steps().collect();
        places.iter().map(|&i| f64::from(entropy[i])).sum::<f64>() / places.len() as f64
    }

    fn judgement(&self, rollout: &Rollout) -> (Box<dyn DistributionRows>, Vec<f32>, Vec<f32>) {
        let (network, mut outputs) = (&self.learner.network, Vec::new());
        let (of, x) = (network.distribution(), rollout.observation.all());
        network.outputs(&self.learner.params, &x, &mut Scratch::default(), &mut outputs).expect("outputs");
        for (row, mask) in outputs.chunks_exact_mut(of.outputs()).zip(rollout.mask.chunks(rollout.choices.max(1))) {
            row.iter_mut().zip(mask).filter(|(_, legal)| !**legal).for_each(|(logit, _)| *logit = f32::NEG_INFINITY);
        }
        let (mut rows, mut log_prob, mut entropy) = (of.rows(), Vec::new(), Vec::new());
        rows.set(&outputs, of.outputs());
        rows.judge(rollout.action.view(), &mut log_prob, &mut entropy);
        (rows, log_prob, entropy)
    }
}

fn term(report: &UpdateReport, name: &str) -> f64 {
    report.terms.iter().find(|(term, _)| *term == name).unwrap_or_else(|| panic!("{name}: {report:?}")).1
}

/// The advantages that an algorithm with these settings learns from.
fn advantages(config: &Config, rollout: &Rollout) -> Vec<f32> {
    let Estimate { advantage, .. } =
        Gae { gae_lambda: config.gae_lambda as f32 }.estimate(rollout, config.gamma as f32);
    let mut advantage: Vec<f32> = rollout.valid_steps().map(|i| advantage[i]).collect();
    if config.normalize_advantage {
        normalize(&mut advantage);
    }
    advantage
}

/// The blocks that are not the critic's, and those that are.
fn parts<'a>(bench: &Bench, theta: &'a [f32]) -> [Vec<&'a [f32]>; 2] {
    [false, true].map(|of_critic| {
        let blocks = bench.learner.params.layout().blocks().iter();
        let blocks = blocks.filter(|block| block.name.starts_with("critic.") == of_critic);
        blocks.map(|block| &theta[block.range()]).collect()
    })
}

/// `x` of `A·x = b`, by elimination.
fn solved(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let n = b.len();
    for i in 0..n {
        let pivot = (i..n).max_by(|&p, &q| a[p][i].abs().total_cmp(&a[q][i].abs())).expect("a row");
        a.swap(i, pivot);
        b.swap(i, pivot);
        for r in i + 1..n {
            let factor = a[r][i] / a[i][i];
            let row = a[i].clone();
            a[r].iter_mut().zip(&row).for_each(|(x, y)| *x -= factor * y);
            b[r] -= factor * b[i];
        }
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| a[i][j] * b[j]).sum();
        b[i] = (b[i] - known) / a[i][i];
    }
    b
}

/// On observations that are one-hot a linear policy is a table: logits `W·s + b`. All that a step is made of is written out in f64.
#[test]
fn a_step_is_the_inverse_information_times_the_gradient_of_the_length_that_is_asked_for() {
    for (damping, max_kl) in [(0.1, 0.01), (1e-3, 0.002)] {
        let more = format!(
            "hidden = []\nn_epochs = 1\nalgo = 'npg(cg_iterations=300, cg_damping={damping}, max_kl={max_kl})'"
        );
        let text =
            "env = 'GridWorld-4x4-v0'\nenvs = 8\nn_steps = 64\nseed = 3\nn_minibatches = 1\nthreads = 1\n".to_string();
        let config = Config::from_toml(&(text + &more)).expect("a configuration");
        let mut bench = Bench::new(&config);
        bench
            .learner
            .params
            .update(|theta| {
                theta.iter_mut().enumerate().for_each(|(i, x)| *x += 0.5 * (i as f32).cos());
            })
            .expect("parameters");
        let rollout = bench.play();
        let before = bench.theta();
        let report = bench.update(&rollout).expect("an update");
        let after = bench.theta();
        let layout = bench.learner.params.layout();
        let place = |name: &str| layout.block(name).expect("a block").range();
        let (weight, bias) = (place("actor.head.weight"), place("actor.head.bias"));
        let (actions, width) = (bias.len(), rollout.observation_len);
        let n = actions * (width + 1);
        let (mut fisher, mut g) = (vec![vec![0.0; n]; n], vec![0.0; n]);
        let places: Vec<usize> = rollout.valid_steps().collect();
        let count = places.len() as f64;
        for (&i, &advantage) in places.iter().zip(&advantages(&config, &rollout)) {
            let s = rollout.observation_at(i).iter().position(|&x| x == 1.0).expect("one-hot");
            let logit = |a: usize| f64::from(before[weight.start + a * width + s]) + f64::from(before[bias.start + a]);
            let all: f64 = (0..actions).map(|a| logit(a).exp()).sum();
            let p: Vec<f64> = (0..actions).map(|a| logit(a).exp() / all).collect();
            // Where the parameters of an action in this state are: its weight and its bias.
            let own = |a: usize| [a * width + s, actions * width + a];
            for a in 0..actions {
                let chosen = if rollout.action.indices()[i] as usize == a { 1.0 } else { 0.0 };
                own(a).into_iter().for_each(|k| g[k] += f64::from(advantage) * (chosen - p[a]) / count);
                for b in 0..actions {
                    let m = if a == b { p[a] - p[a] * p[b] } else { -p[a] * p[b] };
                    own(a).into_iter().for_each(|k| own(b).into_iter().for_each(|l| fisher[k][l] += m / count));
                }
            }
        }
        fisher.iter_mut().enumerate().for_each(|(k, row)| row[k] += damping);
        let x = solved(fisher, g.clone());
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let length = (2.0 * max_kl / dot(&x, &g)).sqrt();
        let step: Vec<f64> = weight.chain(bias).map(|i| f64::from(after[i]) - f64::from(before[i])).collect();
        let expected: Vec<f64> = x.iter().map(|x| length * x).collect();
        let apart: Vec<f64> = step.iter().zip(&expected).map(|(s, e)| s - e).collect();
        let apart = (dot(&apart, &apart) / dot(&expected, &expected)).sqrt();
        assert!(apart < 1e-3, "damping {damping}: {apart:e}");
        assert!((term(&report, "policy_grad_norm") / dot(&g, &g).sqrt() - 1.0).abs() < 1e-4, "{report:?}");
        assert!(term(&report, "cg_residual") < 1e-4, "{report:?}");
    }
}

/// Every kind of action, memory and scale that a policy may have.
const TASKS: [(&str, &str); 10] = [
    ("CartPole-v1", ""),
    ("CartPole-v1", "shared_trunk = true"),
    ("CartPole-v1", "model = 'mlp_layer_norm'"),
    ("GridWorld-4x4-v0", ""),
    ("Pendulum-v1", ""),
    ("Pendulum-v1", "distribution = 'squashed_diag_gaussian'"),
    ("Pendulum-v1", "distribution = 'diag_gaussian(state_dependent_std=true)'"),
    ("Pendulum-v1", "distribution = 'gsde'"),
    ("Taxi-v3", ""),
    ("FourRooms-v0", ""),
];

#[test]
fn an_accepted_step_raises_the_surrogate_within_the_divergence() {
    // By the defaults, with steps that go too far by their approximation, and with so much room that they may do harm.
    let eager = "trpo(cg_iterations=30, cg_damping=1e-5, max_kl=1e-3)";
    let (mut shortened, regions) = (0, [("trpo", 0.01), (eager, 1e-3), ("trpo(max_kl=5)", 5.0)]);
    for ((env, more), (algo, max_kl)) in TASKS.into_iter().flat_map(|task| regions.map(|region| (task, region))) {
        let config = config(algo, env, more);
        let mut bench = Bench::new(&config);
        let mut taken = 0;
        for _ in 0..4 {
            let rollout = bench.play();
            let (old, old_log_prob) = bench.judged(&rollout);
            let report = bench.update(&rollout).expect("an update");
            let (new, log_prob) = bench.judged(&rollout);
            let mut kl = Vec::new();
            old.kl(&*new, &mut kl);
            let places: Vec<usize> = rollout.valid_steps().collect();
            let count = places.len() as f64;
            let kl = places.iter().map(|&i| f64::from(kl[i])).sum::<f64>() / count;
            let advantage = advantages(&config, &rollout);
            let gain = |(&i, &a): (&usize, &f32)| f64::from(a) * (f64::from(log_prob[i] - old_log_prob[i]).exp() - 1.0);
            let improvement = places.iter().zip(&advantage).map(gain).sum::<f64>() / count;
            let what = format!("{algo} {env} {more}: {report:?}, {kl} and {improvement}");
            assert!(kl <= max_kl * 1.001 && improvement >= 0.0, "{what}");
            let entropy = bench.entropy(&rollout);
            assert!((term(&report, "entropy") - entropy).abs() < 1e-4 * (1.0 + entropy.abs()), "{what}: {entropy}");
            assert!((term(&report, "kl") - kl).abs() < 1e-5 * (1.0 + kl), "{what}");
            assert!((term(&report, "surrogate_improvement") - improvement).abs() < 1e-4, "{what}");
            let fraction = term(&report, "step_fraction");
            let tried = term(&report, "line_search_steps");
            assert!(fraction == 0.0 || (fraction - 0.8f64.powf(tried - 1.0)).abs() < 1e-9, "{what}");
            assert!(
                ["value_loss", "entropy", "policy_loss", "cg_residual"]
                    .iter()
                    .all(|name| term(&report, name).is_finite())
            );
            taken += usize::from(fraction > 0.0);
            shortened += usize::from(tried > 1.0);
        }
        assert!(taken >= 2, "{algo} {env} {more}: only {taken} of 4 steps");
    }
    assert!(shortened > 20, "{shortened}");
}

#[test]
fn without_a_line_search_a_step_has_about_the_divergence_that_is_asked_for() {
    for (env, more) in TASKS {
        let mut bench = Bench::new(&config("npg(cg_iterations=30, cg_damping=1e-3, max_kl=1e-4)", env, more));
        // A policy that has made up its mind: at first its head is next to nothing, and curves more than it is steep.
        let stir = |theta: &mut [f32]| theta.iter_mut().enumerate().for_each(|(i, x)| *x += 0.5 * (i as f32).cos());
        bench.learner.params.update(stir).expect("parameters");
        for _ in 0..2 {
            let rollout = bench.play();
            let report = bench.update(&rollout).expect("an update");
            assert!((3e-5..2e-4).contains(&term(&report, "kl")), "{env} {more}: {report:?}");
            assert!(!report.terms.iter().any(|(name, _)| *name == "step_fraction"), "{report:?}");
        }
    }
}

/// So far that no policy is better there, and tried once.
const TOO_FAR: &str = "trpo(max_kl=1e9, line_search_steps=1)";

#[test]
fn the_optimizer_moves_the_critic_and_nothing_else() {
    for optimizer in [
        "adamw(weight_decay=0.5)",
        "add_decayed_weights(0.5) | momentum(lr=0.1)",
        "adam | decay_weights(0.1)",
        "adam | ema(0.9)",
        "schedule_free_adamw",
        "lookahead(adam(lr=1e-2), k=2)",
        "add_noise | adam",
        "adam | shrink_and_perturb",
        "muon",
        "decay_to_initial(0.1) | adam",
    ] {
        for more in ["", "shared_trunk = true"] {
            let more = format!("optimizer = '{optimizer}'\n{more}");
            let mut bench = Bench::new(&config(TOO_FAR, "Pendulum-v1", &more));
            let mut stayed = 0;
            for _ in 0..4 {
                let rollout = bench.play();
                let before = bench.theta();
                let report = bench.update(&rollout).expect("an update");
                let after = bench.theta();
                let ([policy, critic], [now, critic_now]) = (parts(&bench, &before), parts(&bench, &after));
                assert!(critic.iter().zip(&critic_now).all(|(a, b)| a != b), "{optimizer}");
                if term(&report, "step_fraction") == 0.0 {
                    stayed += 1;
                    assert_eq!(policy, now, "{optimizer} {more}");
                    assert_eq!((term(&report, "kl"), term(&report, "surrogate_improvement")), (0.0, 0.0));
                    assert_eq!(term(&report, "line_search_steps"), 1.0);
                }
                // A policy that is finished has the actor as it is, whatever averages the critic.
                if let Some(values) = bench.learner.optimizer.evaluation(&bench.learner.params).expect("values") {
                    assert_eq!(parts(&bench, &values)[0], now, "{optimizer} {more}");
                }
            }
            assert!(stayed > 0, "{optimizer} {more}");
        }
    }
}

#[test]
fn what_the_optimizer_does_not_move_is_in_no_norm() {
    for (optimizer, largest) in [("sgd(lr=0.5)", f64::INFINITY), ("clip_by_global_norm(1e-2) | sgd(lr=0.5)", 1e-2)] {
        let more = format!("optimizer = '{optimizer}'\nshared_trunk = true");
        let config = config(TOO_FAR, "Pendulum-v1", &more);
        let once = Config { n_epochs: 1, n_minibatches: 1, max_grad_norm: f64::INFINITY, ..config };
        let mut bench = Bench::new(&once);
        let rollout = bench.play();
        let before = bench.theta();
        let report = bench.update(&rollout).expect("an update");
        let after = bench.theta();
        let ([_, was], [_, is]) = (parts(&bench, &before), parts(&bench, &after));
        let moved = was.concat().iter().zip(is.concat()).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
        let norm = 0.5 * report.grad_norm.min(largest);
        assert!(report.grad_norm > 0.1 && (report.update_norm / norm - 1.0).abs() < 1e-5, "{optimizer}: {report:?}");
        assert!((moved / norm - 1.0).abs() < 1e-4, "{optimizer}: {moved}, {report:?}");
    }
}

#[test]
fn no_step_is_tried_without_a_direction() {
    let mut bench = Bench::new(&config("trpo", "CartPole-v1", ""));
    let rollout = bench.play();
    let nothing = || vec![0.0; rollout.reward.len()];
    let rollout = Rollout { reward: nothing(), value: nothing(), next_value: nothing(), ..rollout.clone() };
    let before = bench.theta();
    let report = bench.update(&rollout).expect("an update");
    let after = bench.theta();
    assert_eq!(parts(&bench, &before)[0], parts(&bench, &after)[0]);
    for name in ["line_search_steps", "step_fraction", "policy_loss", "surrogate_improvement", "kl", "cg_residual"] {
        assert_eq!(term(&report, name), 0.0, "{name}: {report:?}");
    }
}

#[test]
fn values_are_regressed_without_a_word_from_a_policy_of_its_own() {
    let images =
        "n_steps = 80\nenv = 'GridWorld-4x4-v0(observation=image)'\nmodel = 'minatar_cnn(filters=2, hidden=[4]";
    for (more, is_skipped) in [
        ("n_steps = 80\nenv = 'CartPole-v1'\nhidden = [16]".to_string(), true),
        ("n_steps = 80\nenv = 'Pendulum-v1'\ndistribution = 'gsde'".to_string(), true),
        ("n_steps = 80\nenv = 'CartPole-v1'\nshared_trunk = true".to_string(), false),
        (format!("{images}, shared_trunk=false)'"), true),
        (format!("{images})'"), false),
        // Through tensors all of a network is asked.
        ("n_steps = 80\nenv = 'CartPole-v1'\nmodel = 'mlp_layer_norm'".to_string(), false),
    ] {
        for threads in [1, 2] {
            let text = format!("algo = 'ppo'\nenvs = 8\nthreads = {threads}\n{more}");
            let config = Config::from_toml(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            let mut bench = Bench::new(&config);
            let rollout = bench.play();
            let Learner { network, params, .. } = &mut bench.learner;
            let estimate = Gae { gae_lambda: 0.9 }.estimate(&rollout, 0.9);
            let places: Vec<usize> = rollout.valid_steps().collect();
            let advantage = vec![1.0; places.len()];
            let stop = Stop::default();
            let batch =
                Minibatch { rollout: &rollout, estimate: &estimate, places: &places, advantage: &advantage, stop };
            let (mut scratch, mut found) = (Scratch::default(), Vec::new());
            let mut gradient = |params: &Params, objective: Sum| {
                let of_ppo = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
                let (algo, mut sums) = (OnPolicy { objective, ..of_ppo }, RowSums::default());
                let done = algo.gradient(&**network, params, batch, &mut scratch, &mut found, &mut sums);
                done.expect("a gradient");
                (found.iter().map(|g| g.to_bits()).collect::<Vec<_>>(), sums.entries()[0])
            };
            // In room that a whole gradient was in.
            gradient(params, PolicyGradient.minus(0.1, Entropy));
            let with = gradient(params, ValueLoss::default().minus(0.0, Entropy));
            gradient(params, PolicyGradient.minus(0.1, Entropy));
            let alone = gradient(params, Sum::of(ValueLoss::default()));
            // Zeros may have either sign.
            let bits = |words: &[u32]| words.iter().map(|&word| f32::from_bits(word) + 0.0).map(f32::to_bits).collect();
            let [with_bits, alone_bits]: [Vec<u32>; 2] = [bits(&with.0), bits(&alone.0)];
            assert!(with_bits == alone_bits && with.1 == alone.1, "{text}");
            assert!(alone_bits.iter().any(|&word| word != 0), "{text}: not trivially zero");
            if is_skipped {
                let actor: Vec<_> = params.layout().blocks().iter().filter(|b| b.name.starts_with("actor.")).collect();
                let places: Vec<_> = actor.iter().flat_map(|block| block.range()).collect();
                params.update(|theta| places.iter().for_each(|&i| theta[i] = f32::NAN)).expect("parameters");
                assert!(gradient(params, Sum::of(ValueLoss::default())) == alone, "{text}");
            }
        }
    }
}

#[test]
fn an_optimizer_keeps_no_state_of_what_it_does_not_move() {
    let config = Config { steps: 4_000, ..config("trpo", "CartPole-v1", "optimizer = 'adam'") };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    trainer.step().expect("an update");
    let blocks = trainer.params().layout().blocks().iter();
    let critic: usize = blocks.filter(|b| b.name.starts_with("critic.")).map(|b| b.range().len()).sum();
    let bytes = trainer.state_bytes();
    assert!((8 * critic..8 * critic + 64).contains(&bytes), "{bytes} of {critic}");
}

#[test]
fn values_observations_and_rewards_may_be_scaled() {
    let scaled = "normalize_observation = true\nnormalize_reward = true\nnormalize_value = true\nsteps = 2048";
    for (env, model) in
        [("Pendulum-v1", "mlp"), ("Pendulum-v1", "mlp_layer_norm"), ("CartPole-v1", "gru(hidden=[8], units=8)")]
    {
        let text = format!(
            "algo = 'trpo'\nenv = '{env}'\nenvs = 8\nn_steps = 32\nn_minibatches = 2\nmodel = '{model}'\n{scaled}"
        );
        let mut trainer = Trainer::new(&Config::from_toml(&text).expect("settings")).expect("a trainer");
        while let Some(row) = trainer.step().expect("an update") {
            let told = |name: &str| row.others.iter().find(|(term, _)| *term == name).expect(name).1;
            assert!(told("kl") <= 0.01 && row.value_loss.is_some_and(|loss| loss < 20.0), "{model}: {row:?}");
        }
        let unit = trainer.params().buffers().get("pop_art").expect("a unit").to_vec();
        assert_ne!(unit, [0.0, 1.0], "{model}");
    }
}

#[test]
fn what_is_broken_off_leaves_the_parameters_as_they_were() {
    // All of a line search's steps go too far, so that it breaks off where the parameters have moved, too.
    let mut bench = Bench::new(&config("trpo(cg_iterations=1, max_kl=1e9, line_search_steps=5)", "Pendulum-v1", ""));
    let rollout = bench.play();
    let before = bench.theta();
    for asked_before in 0..10 {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let asked = || count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= asked_before;
        let now = uphill::algo::Now { when: When::default(), stop: Stop::when(&asked) };
        let broken = bench.algo.update(&mut bench.learner, &rollout, now);
        assert!(matches!(broken, Err(Error::Interrupted)), "{broken:?}");
        assert_eq!(bench.theta(), before, "after {asked_before} questions");
    }
    let report = bench.update(&rollout).expect("an update");
    assert_eq!(term(&report, "line_search_steps"), 5.0, "{report:?}");
}

#[test]
fn a_network_that_does_not_say_what_is_the_critics_is_refused() {
    let refused = |names: [&'static str; 2], uses_both: bool| {
        let config = Config { steps: 1_000, ..config("trpo", "CartPole-v1", "") };
        let build = move |spec: &uphill::envs::Spec, device: &candle_core::Device| {
            let site = Site { device, ..Site::new(spec, Seed(1)) };
            let (params, model) = ModuleModel::new(&site, move |vb| {
                let (actor, critic) = (linear(4, 2, vb.pp(names[0]))?, linear(4, 1, vb.pp(names[1]))?);
                let own = || apart(Box::new(actor.clone()), Box::new(critic.clone()));
                if !uses_both {
                    return Ok(own());
                }
                let both = own();
                Ok(Box::new(move |x: &candle_core::Tensor| {
                    let (outputs, value) = both(x)?;
                    Ok((outputs.broadcast_mul(&value)?, value))
                }))
            })?;
            Ok((params, Box::new(model) as Box<dyn uphill::Model>))
        };
        let overrides = Overrides { network: Some(Box::new(build)), ..Overrides::default() };
        Trainer::with(&config, overrides).and_then(|mut trainer| trainer.step()).map(drop).map_err(|e| e.to_string())
    };
    assert_eq!(refused(["actor", "critic"], false), Ok(()));
    assert_eq!(refused(["policy", "critic"], false), Ok(()));
    let message = refused(["actor", "value"], false).expect_err("no critic");
    assert!(message.contains("`critic.*` alone; no block of the network is named so"), "{message}");
    let message = refused(["critic.a", "critic.b"], false).expect_err("all of it");
    assert!(message.contains("all blocks of the network are named so"), "{message}");
    let message = refused(["actor", "critic"], true).expect_err("the policy reads the critic");
    assert!(message.starts_with("update 1: the block `critic."), "{message}");
}

#[test]
fn a_rate_of_what_the_optimizer_does_not_move_is_refused() {
    for (more, name) in [
        ("env = 'Pendulum-v1'\nlog_std_lr_factor = 2", "log_std_lr_factor"),
        ("env = 'CartPole-v1'\nshared_trunk = true\ntrunk_lr_factor = 2", "trunk_lr_factor"),
    ] {
        let config = Config::from_toml(&format!("algo = 'trpo'\n{more}")).expect("settings");
        let message = Trainer::new(&config).map(drop).expect_err("no effect").to_string();
        let why = "has no effect: by trpo the optimizer does not move";
        assert!(message.starts_with(name) && message.contains(why), "{message}");
    }
    let config = Config::from_toml("algo = 'trpo'\nenv = 'CartPole-v1'\ncritic_lr_factor = 2").expect("settings");
    assert!(Trainer::new(&config).is_ok());
}

#[test]
fn both_learn_to_balance() {
    for algo in ["npg", "trpo"] {
        let text =
            format!("algo = '{algo}'\nenv = 'CartPole-v1'\nsteps = 60000\nseed = 101\nthreads = 1\nhidden = [32]");
        let config = Config::from_toml(&text).expect("settings");
        let mut trainer = Trainer::new(&config).expect("a trainer");
        while trainer.step().expect("an update").is_some() {}
        let judged = trainer.into_policy().and_then(|mut policy| policy.evaluate(20, Seed(1))).expect("episodes");
        assert!(judged.return_mean.is_some_and(|mean| mean > 300.0), "{algo}: {judged:?}");
    }
}
