//! What is said of sampled gradients, where the truth is known: Gaussian gradients, and a grid world.
#![cfg(feature = "pictures")]

use rand_distr::{Distribution, StandardNormal};
use uphill::advantage::{Estimator, Gae, MonteCarlo};
use uphill::envs::{Env, FiniteMdp, GridWorld, GridWorldConfig};
use uphill::gradient::{GradientQuality, GradientSampler, noise_scale};
use uphill::plot::{GradientPanel, GradientValue, PictureOptions, gradient_panels};
use uphill::stats::{Bootstrap, Interval};
use uphill::{Buffers, Config, MlpModel, Params, Seed, Threads, oracle};

mod programs;

/// `[B, P]` from independent normal distributions.
fn gaussian(batches: usize, mean: &[f64], deviation: &[f64], seed: u64) -> Vec<Vec<f32>> {
    let mut rng = Seed(seed).stream("gaussian", 0);
    let mut draw = || {
        let one = |(mean, deviation): (&f64, &f64)| {
            let z: f64 = StandardNormal.sample(&mut rng);
            (mean + deviation * z) as f32
        };
        mean.iter().zip(deviation).map(one).collect()
    };
    (0..batches).map(|_| draw()).collect()
}

fn bootstrap(reps: usize) -> Bootstrap {
    Bootstrap { reps, ..Bootstrap::default() }
}

const MEAN: [f64; 5] = [0.5, -0.3, 0.0, 0.2, 0.1];
const DEVIATION: [f64; 5] = [1.0, 0.5, 2.0, 0.1, 0.0];

fn holds(interval: &Interval, truth: f64) -> bool {
    interval.low <= truth && truth <= interval.high
}

#[test]
fn two_kinds_of_gradient_by_hand() {
    // Of 45 pairs 20 are of one kind, with product and cosine 1, and 25 are at a right angle, half a distance of 1 apart.
    let gradients: Vec<Vec<f32>> = (0..10).map(|i| if i % 2 == 0 { vec![1.0, 0.0] } else { vec![0.0, 1.0] }).collect();
    let quality = GradientQuality::of(&gradients, 8.0, Some(&[0.5, 0.5]), &bootstrap(50)).expect("a quality");
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} for {b}");
    close(quality.norm_squared.point, 20.0 / 45.0);
    close(quality.variance.point, 25.0 / 45.0);
    close(quality.snr.point, 0.8);
    close(quality.cosine.point, 20.0 / 45.0);
    close(quality.noise_scale.point, 10.0);
    // Deviations (½, −½) and (−½, ½): products ½ within a kind, −½ between.
    let bias = quality.bias.expect("a bias");
    close(bias.squared, (20.0 - 25.0) / 2.0 / 45.0);
    close(bias.exact_norm_squared, 0.5);
    assert_eq!((bias.relative().point, bias.relative().low), (0.0, 0.0));
}

#[test]
fn gaussian_gradients_have_the_quality_that_they_were_made_with() {
    let (signal, noise) = (0.39, 5.26);
    let gradients = gaussian(200, &MEAN, &DEVIATION, 1);
    let quality = GradientQuality::of(&gradients, 10.0, None, &bootstrap(100)).expect("a quality");
    assert!((quality.norm_squared.point - signal).abs() < 0.2, "{quality:?}");
    assert!((quality.variance.point - noise).abs() < 0.9, "{quality:?}");
    assert!(holds(&quality.norm_squared, signal) && holds(&quality.variance, noise), "{quality:?}");
    assert!(holds(&quality.snr, signal / noise) && holds(&quality.noise_scale, 10.0 * noise / signal), "{quality:?}");
    assert_eq!(quality.bias, None);
}

#[test]
fn without_a_signal_none_is_seen() {
    // The squared length of the mean would be noise / B: 0.0526 here, for a signal of 0.
    let (mut mean, mut held, mut endless) = (0.0, 0, 0);
    for seed in 100..120 {
        let gradients = gaussian(100, &[0.0; 5], &DEVIATION, seed);
        let quality = GradientQuality::of(&gradients, 1.0, None, &bootstrap(60)).expect("a quality");
        held += usize::from(holds(&quality.norm_squared, 0.0) && holds(&quality.cosine, 0.0));
        endless += usize::from(quality.noise_scale.high == f64::INFINITY);
        mean += quality.norm_squared.point / 20.0;
    }
    assert!(mean.abs() < 0.04, "{mean}");
    assert!(held >= 17 && endless >= 17, "intervals that hold 0: {held} of 20; without an end: {endless}");
}

#[test]
fn gradients_without_noise_and_gradients_that_are_zero() {
    let quality = |gradient: [f32; 2]| {
        let gradients = vec![gradient.to_vec(); 10];
        GradientQuality::of(&gradients, 4.0, Some(&gradient), &bootstrap(20)).expect("a quality")
    };
    let constant = quality([2.0, 0.0]);
    assert_eq!((constant.snr.point, constant.cosine.point, constant.noise_scale.point), (f64::INFINITY, 1.0, 0.0));
    let zero = quality([0.0, 0.0]);
    assert_eq!((zero.snr.point, zero.cosine.point, zero.noise_scale.point), (0.0, 0.0, f64::INFINITY));
    let bias = zero.bias.expect("a bias");
    assert_eq!((bias.squared, bias.p_value), (0.0, 1.0));
}

#[test]
fn two_batch_sizes_tell_gradient_and_noise() {
    // E|G_B|² = |G|² + tr Σ / B with |G|² = 3 and tr Σ = 20.
    let at = |size: f64| (size, 3.0 + 20.0 / size);
    let scale = noise_scale(at(4.0), at(32.0));
    assert!((scale.norm_squared - 3.0).abs() < 1e-12 && (scale.variance - 20.0).abs() < 1e-12, "{scale:?}");
    assert!((scale.simple() - 20.0 / 3.0).abs() < 1e-12);
    // One batch of 7 against all 50 together is what pairs of batches say.
    let gradients = gaussian(50, &MEAN, &DEVIATION, 3);
    let square = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>();
    let small = gradients.iter().map(|g| square(&mut g.iter().map(|&x| f64::from(x)))).sum::<f64>() / 50.0;
    let mean = |i: usize| gradients.iter().map(|g| f64::from(g[i])).sum::<f64>() / 50.0;
    let scale = noise_scale((7.0, small), (350.0, square(&mut (0..5).map(mean))));
    let quality = GradientQuality::of(&gradients, 7.0, None, &bootstrap(10)).expect("a quality");
    assert!((scale.simple() / quality.noise_scale.point - 1.0).abs() < 1e-9, "{scale:?} {quality:?}");
}

#[test]
fn a_bias_is_found_with_an_error_of_the_right_size_and_none_is_not() {
    let wrong: Vec<f32> = MEAN.iter().zip([0.8, 0.6, 0.0, 0.0, 0.0]).map(|(m, d)| (m + d) as f32).collect();
    let right = MEAN.map(|m| m as f32);
    let (truth, count) = (1.0, 60);
    let (mut biases, mut errors, mut found, mut alarms, mut left) = (Vec::new(), 0.0, 0, 0, 0.0);
    for seed in 0..count {
        let gradients = gaussian(40, &MEAN, &DEVIATION, 1_000 + seed);
        let bias = |exact: &[f32]| {
            let quality = GradientQuality::of(&gradients, 1.0, Some(exact), &bootstrap(60)).expect("a quality");
            quality.bias.expect("a bias")
        };
        let (there, none) = (bias(&wrong), bias(&right));
        biases.push(there.squared);
        errors += there.standard_error / count as f64;
        found += usize::from(there.p_value < 0.05);
        alarms += usize::from(none.p_value < 0.1);
        left += none.squared / count as f64;
    }
    let mean = biases.iter().sum::<f64>() / count as f64;
    let deviation = (biases.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / (count as f64 - 1.0)).sqrt();
    assert!((mean - truth).abs() < 4.0 * deviation / (count as f64).sqrt(), "{mean} ± {deviation}");
    assert!((0.75..1.33).contains(&(errors / deviation)), "standard error {errors}, deviation {deviation}");
    assert!(left.abs() < 0.06, "{left} where there is no bias");
    assert!((1..=14).contains(&alarms), "{alarms} of {count} alarms at level 0.1");
    assert!(found > count as usize * 2 / 3, "found in {found} of {count}");
}

#[test]
fn a_long_gradient_does_not_hide_a_bias() {
    let (mean, exact) = ([10.0; 5], [10.8, 10.0, 10.0, 10.0, 10.0]);
    let quality = GradientQuality::of(&gaussian(60, &mean, &[0.5; 5], 1), 1.0, Some(&exact), &bootstrap(200));
    let bias = quality.expect("a quality").bias.expect("a bias");
    assert!(bias.p_value < 0.01, "{bias:?}");
}

#[test]
fn what_is_no_sample_is_refused() {
    let refused = |gradients: &[Vec<f32>], size: f64, exact: Option<&[f32]>| {
        GradientQuality::of(gradients, size, exact, &bootstrap(10)).expect_err("refused").to_string()
    };
    let good = gaussian(10, &MEAN, &DEVIATION, 1);
    assert!(refused(&good[..9], 1.0, None).contains("batches is 9; expected at least 10"));
    assert!(refused(&good, 0.0, None).contains("batch_size is 0"));
    let mut short = good.clone();
    short[3].pop();
    assert!(refused(&short, 1.0, None).contains("the gradient of batch 3 has 4 values instead of 5"));
    let mut infinite = good.clone();
    infinite[2][1] = f32::INFINITY;
    assert!(refused(&infinite, 1.0, None).contains("the gradient of batch 2 at parameter 1 is inf"));
    assert!(refused(&good, 1.0, Some(&[0.0])).contains("the exact gradient has 1 value instead of"));
    assert!(refused(&vec![Vec::new(); 10], 1.0, None).contains("has 0 values"));
}

const GAMMA: f64 = 0.9;

/// A small slippery world without a limit, a linear policy that prefers something, and a linear critic, which on one-hot
/// observations is a table: what `value` makes of the exact values.
fn agent(value: impl Fn(f64) -> f64) -> (Config, Vec<f32>, Vec<f32>) {
    let world = GridWorldConfig {
        map: "S.O\n.#.\n..G".into(),
        slip: 0.2,
        step_reward: -0.1,
        pit_reward: -1.0,
        max_episode_steps: None,
        ..GridWorldConfig::default()
    };
    let config =
        Config { env: world.clone().into(), hidden: vec![], gamma: GAMMA, ..Config::for_algo("a2c").expect("a2c") };
    let world = GridWorld::new(world).expect("a world");
    let (mut params, network) =
        MlpModel::new(world.spec(), &config.mlp(), Seed(5), &candle_core::Device::Cpu).expect("a network");
    let mut theta = params.snapshot().expect("values");
    let block = |params: &Params, name: &str| params.layout().block(name).expect("a block").range();
    for (i, weight) in theta[block(&params, "actor.head.weight")].iter_mut().enumerate() {
        *weight = ((i * 37 % 17) as f32 - 8.0) / 8.0;
    }
    params.set(&theta).expect("as long");
    let mdp: FiniteMdp = world.model().expect("a model");
    let policy = oracle::policy_table(&network, &params, &mdp).expect("a policy");
    let values = mdp.state_values(&policy, GAMMA).expect("values");
    let (critic, d) = (block(&params, "critic.head.weight").start, mdp.observation_len());
    for (state, &exact) in values.iter().enumerate() {
        if let Some(cell) = mdp.observations()[state * d..(state + 1) * d].iter().position(|&x| x == 1.0) {
            theta[critic + cell] = value(exact) as f32;
        }
    }
    params.set(&theta).expect("as long");
    let exact = oracle::exact_episode_gradient(&network, &params, &mdp, GAMMA).expect("a gradient");
    (config, theta, exact.to_vec1().expect("numbers"))
}

fn estimators() -> Vec<Box<dyn Estimator + Sync>> {
    vec![
        Box::new(MonteCarlo { baseline: false }),
        Box::new(MonteCarlo { baseline: true }),
        Box::new(Gae { gae_lambda: 0.0 }),
        Box::new(Gae { gae_lambda: 0.9 }),
    ]
}

fn measured((config, theta, exact): &(Config, Vec<f32>, Vec<f32>), batches: usize) -> Vec<GradientQuality> {
    let threads = Threads::new(2).expect("threads");
    let sampler = GradientSampler {
        config,
        envs: None,
        theta,
        buffers: &Buffers::default(),
        episodes: 16,
        seed: Seed(2),
        threads,
    };
    let sampled = sampler.sample(&estimators(), batches, || {}).expect("gradients");
    let of = |gradients: &Vec<Vec<f32>>| {
        GradientQuality::of(gradients, sampled.mean_steps(), Some(exact), &bootstrap(100)).expect("a quality")
    };
    sampled.gradients.iter().map(of).collect()
}

#[test]
fn whole_returns_have_no_bias_and_a_wrong_critic_does_the_more_it_is_trusted() {
    let qualities = measured(&agent(|exact| 0.3 * exact - 0.2), 200);
    let bias: Vec<_> = qualities.iter().map(|quality| quality.bias.expect("a bias")).collect();
    assert!(bias[0].p_value > 0.01 && bias[1].p_value > 0.01, "{bias:?}");
    assert!(bias[0].squared.abs() < 4.0 * bias[0].standard_error, "{bias:?}");
    assert!(bias[2].p_value < 0.01 && bias[2].squared > 8.0 * bias[2].standard_error, "{bias:?}");
    assert!(bias[2].squared > bias[3].squared, "{bias:?}");
    assert!(qualities[2].variance.high < qualities[0].variance.low, "{qualities:?}");
}

#[test]
fn an_exact_critic_brings_no_bias_however_much_it_is_trusted() {
    let qualities = measured(&agent(|exact| exact), 200);
    assert!(qualities.iter().all(|quality| quality.bias.is_some_and(|bias| bias.p_value > 0.01)), "{qualities:?}");
    assert!(qualities[1].variance.high < qualities[0].variance.low, "a baseline lowers the variance: {qualities:?}");
}

#[test]
fn threads_change_no_gradient_and_batches_are_independent() {
    let (config, theta, _) = agent(|exact| exact);
    let sample = |threads, batches| {
        let threads = Threads::new(threads).expect("threads");
        let sampler = GradientSampler {
            config: &config,
            envs: None,
            theta: &theta,
            buffers: &Buffers::default(),
            episodes: 3,
            seed: Seed(4),
            threads,
        };
        sampler.sample(&estimators(), batches, || {}).expect("gradients")
    };
    let one = sample(1, 20);
    assert_eq!(one, sample(3, 20));
    assert_eq!(one.gradients[0][..12], sample(1, 12).gradients[0][..], "a batch does not depend on how many there are");
    let mut steps = one.gradients[0].clone();
    steps.dedup();
    assert_eq!((steps.len(), one.steps.len()), (20, 20));
}

#[test]
fn without_discount_the_gradient_of_episodes_is_that_of_the_return() {
    let (config, theta, _) = agent(|exact| exact);
    let spec = config.make_envs(1).expect("environments").spec().clone();
    let (mut params, network) =
        MlpModel::new(&spec, &config.mlp(), Seed(5), &candle_core::Device::Cpu).expect("a network");
    params.set(&theta).expect("as long");
    let mdp = config.model_of_env().expect("a model").expect("a model");
    let vector = |tensor: candle_core::Tensor| tensor.to_vec1::<f32>().expect("numbers");
    let episodes = |gamma| vector(oracle::exact_episode_gradient(&network, &params, &mdp, gamma).expect("a gradient"));
    let returns = |gamma| vector(oracle::exact_policy_gradient(&network, &params, &mdp, gamma).expect("a gradient"));
    let distance = |a: Vec<f32>, b: Vec<f32>| a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(distance(episodes(1.0), returns(1.0)) < 1e-6);
    assert!(distance(episodes(0.5), returns(0.5)) > 1e-3);
}

#[test]
fn the_picture_has_its_rows_and_refuses_what_is_none() {
    let value =
        |point: f64, high: f64, sure| Some(GradientValue { interval: Interval { point, low: -0.1, high }, sure });
    let panel = |name: &str, logarithmic, values| GradientPanel {
        name: name.into(),
        note: "a note".into(),
        logarithmic,
        values,
    };
    let values = vec![value(0.2, 0.4, true), value(0.0, 0.1, false), None];
    let endless = vec![value(2.0, f64::INFINITY, true), value(f64::INFINITY, f64::INFINITY, false), None];
    let panels = [panel("bias", false, values.clone()), panel("noise", true, endless.clone())];
    let options = PictureOptions::new("CartPole-v1", 1, "of a test");
    let picture = gradient_panels(&["REINFORCE", "GAE", "none"], &panels, &options).expect("a picture");
    let svg = picture.svg();
    for text in ["REINFORCE", "GAE", "bias", "noise", "a note", "not told from zero by these batches"] {
        assert!(svg.contains(text), "{text}");
    }
    assert!(picture.png().expect("a file").len() > 1_000);
    let refused = |rows: &[&str], panel: GradientPanel| {
        gradient_panels(rows, &[panel], &options).expect_err("refused").to_string()
    };
    assert!(refused(&["a", "b"], panel("bias", false, values)).contains("3 values where 2 belong"));
    assert!(refused(&[], panel("bias", false, vec![])).contains("at least one row"));
    assert!(
        refused(&["a"], panel("bias", false, vec![value(f64::NAN, 1.0, true)])).contains("no value with an interval")
    );
    assert!(refused(&["a"], panel("noise", true, vec![endless[1]])).contains("no value that its axis could show"));
}

#[test]
fn many_batches_take_time_in_proportion_to_their_number() {
    // A table of pairs would have 900 million numbers.
    let gradients = gaussian(30_000, &MEAN, &DEVIATION, 3);
    let exact: Vec<f32> = MEAN.iter().map(|&mean| mean as f32).collect();
    let quality = GradientQuality::of(&gradients, 1.0, Some(&exact), &bootstrap(100)).expect("a quality");
    assert!(holds(&quality.norm_squared, MEAN.iter().map(|x| x * x).sum()), "{quality:?}");
    assert!(holds(&quality.variance, DEVIATION.iter().map(|x| x * x).sum()), "{quality:?}");
    assert!(quality.bias.is_some_and(|bias| bias.p_value > 0.01), "{quality:?}");
}

#[test]
fn where_the_bias_is_not_measured_it_is_said_why() {
    let home = tempfile::tempdir().expect("a folder");
    let gradient = |line: &[&str]| {
        let few = ["--batches", "10", "--episodes", "2", "--hidden", "4", "--n-steps", "1", "--gae-lambdas", "0"];
        let mut program = programs::example("gradient_quality");
        let output = program.current_dir(home.path()).args(few).args(line).output().expect("the program runs");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    for (line, expected) in [
        (&["--env", "Bandit-v0"][..], None),
        (&["--env", "GaussianBandit-v0(arms=3)"], None),
        (&["--env", "Bandit-v0", "--model", "mlp(critic_hidden=[3])"], None),
        (&["--env", "Corridor-v0(length=3)"], None),
        (&["--env", "DelayedReward-v0(delay=3)"], None),
        (&["--env", "RandomMdp-v0(states=4)"], None),
        (&["--env", "GridWorld-4x4-v0"], None),
        (&["--env", "CartPole-v1"], Some("no exact model of CartPole-v1 is known")),
        (&["--env", "GridWorld-4x4-v0", "--model", "gru"], Some("the network has a memory")),
    ] {
        let (is_done, table, said) = gradient(&[line, &["--steps", "0"]].concat());
        assert!(is_done, "{line:?}: {said}");
        let why = table.lines().find_map(|line| line.strip_prefix("bias unknown: "));
        assert_eq!(why.is_some(), expected.is_some(), "{line:?}: {table}");
        assert!(why.unwrap_or_default().starts_with(expected.unwrap_or_default()), "{line:?}: {table}");
        assert_eq!(table.contains("      –"), expected.is_some(), "{line:?}: {table}");
    }
    let (is_done, _, said) = gradient(&["--env", "GaussianBandit-v0(arms=1)"]);
    assert!(!is_done && said.starts_with("error: GaussianBandit-v0(arms=1) has one action"), "{said}");
}
