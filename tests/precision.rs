//! Learning in bf16 and f16: gradients near those of f32, parameters and all that is kept in f32, a loss that is scaled, and runs that
//! are the same to the bit.

mod children;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use candle_nn::{Module, linear};
use uphill::algo::{Algorithm, Learner, LossScale};
use uphill::distributions::Distribution;
use uphill::models::Site;
use uphill::optim::{Slot, When};
use uphill::{
    BuildNetwork, Checkpoint, Collector, Config, Horizon, Metrics, Model, ModuleModel, Overrides, Params, Precision,
    Result, Rollout, Seed, Trainer,
};

use children::{is_child, tell, told};

const LOW: [Precision; 2] = [Precision::Bf16, Precision::F16];

fn config(lines: &str) -> Config {
    Config::from_toml(lines).unwrap_or_else(|error| panic!("{lines}: {error}"))
}

fn bits(params: &Params) -> Vec<u32> {
    params.snapshot().expect("values").into_iter().map(f32::to_bits).collect()
}

/// The rows that are left of so many updates, without the clock.
fn rows(trainer: &mut Trainer, updates: usize) -> Vec<Metrics> {
    let step = |_| trainer.step().expect("an update").map(|row| Metrics { steps_per_second: 0.0, ..row });
    (0..updates).map_while(step).collect()
}

fn said(row: &Metrics, name: &str) -> Option<f64> {
    row.others.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// Every network, and every kind of action and of objective.
const KINDS: [(&str, &str); 26] = [
    ("rloo", "algo = 'rloo'\nepisodes = 8"),
    ("reinforce", "algo = 'reinforce'\nepisodes = 8"),
    ("a2c", "algo = 'a2c'\nn_steps = 32"),
    ("ppo", "algo = 'ppo'"),
    ("ppo_kl", "algo = 'ppo_kl'"),
    ("dpo_drift", "algo = 'dpo_drift'"),
    ("rpo", "algo = 'ppo(rpo_alpha=0.5)'\nenv = 'Pendulum-v1 | reward_scale(0.05)'"),
    ("v_trace", "algo = 'v_trace'\nn_steps = 32"),
    ("shared trunk", "algo = 'ppo'\nshared_trunk = true\nactivation = 'relu'"),
    ("layer norm", "algo = 'ppo'\nmodel = 'mlp_layer_norm'\nactivation = 'gelu'\nvf_coef = 0.1"),
    ("own layer norm", "algo = 'ppo'\nlayer_norm = true\nactivation = 'silu'\nvf_coef = 0.1"),
    ("leaky", "algo = 'ppo'\nactivation = 'leaky_relu'\ncritic_hidden = [8]"),
    ("linear", "algo = 'ppo'\nhidden = []"),
    ("masks", "algo = 'ppo'\nenv = 'Taxi-v3'"),
    ("gaussian", "algo = 'ppo'\nenv = 'Pendulum-v1 | reward_scale(0.05)'"),
    ("squashed", "algo = 'ppo'\nenv = 'Pendulum-v1 | reward_scale(0.05)'\ndistribution = 'squashed_diag_gaussian'"),
    (
        "dependent",
        "algo = 'ppo'\nenv = 'Pendulum-v1 | reward_scale(0.05)'\ndistribution = 'diag_gaussian(state_dependent_std = true)'",
    ),
    ("gsde", "algo = 'ppo'\nenv = 'Pendulum-v1 | reward_scale(0.05)'\ndistribution = 'gsde(sde_sample_freq = 4)'"),
    (
        "scales",
        "algo = 'ppo'\nenv = 'Pendulum-v1 | reward_scale(0.05)'\nnormalize_observation = true\nnormalize_reward = true\nvf_coef = 0.02",
    ),
    ("gru", "algo = 'ppo'\nenv = 'MemoryChain-v0'\nmodel = 'gru'\nunits = 12"),
    ("lstm", "algo = 'ppo'\nenv = 'MemoryChain-v0'\nmodel = 'lstm'\nunits = 12"),
    (
        "gru gaussian",
        "algo = 'a2c'\nn_steps = 32\nenv = 'PendulumNoVelocity-v0 | reward_scale(0.05)'\nmodel = 'gru'\nnormalize_observation = true",
    ),
    (
        "gru gsde",
        "algo = 'ppo'\nenv = 'PendulumNoVelocity-v0 | reward_scale(0.05)'\nmodel = 'gru'\ndistribution = 'gsde'",
    ),
    ("minatar_cnn", "algo = 'ppo'\nenv = 'GridWorld-4x4-v0(observation=image)'\nmodel = 'minatar_cnn'"),
    ("impala_cnn", "algo = 'ppo'\nenv = 'GridWorld-4x4-v0(observation=image)'\nmodel = 'impala_cnn'"),
    ("categories", "algo = 'ppo'\nenv = 'Blackjack-v1'"),
];

/// One step of plain descent by all of a rollout.
fn one_step(lines: &str, precision: Precision) -> Config {
    let common = "envs = 4\nseed = 3\nsteps = 4096\ngamma = 0.0\noptimizer = 'sgd'\nlr = 0.01\nanneal_lr = false\nmax_grad_norm = inf\n";
    let hidden = if lines.contains("_cnn") || lines.contains("hidden = ") { "" } else { "hidden = [16, 16]\n" };
    let env = if lines.contains("env = ") { "" } else { "env = 'CartPole-v1'\n" };
    let epochs = ["'ppo", "'dpo", "'v_trace"].iter().any(|name| lines.contains(name));
    let epochs = if epochs { "n_epochs = 1\nn_minibatches = 1\n" } else { "" };
    let ppo = if lines.contains("'ppo") || lines.contains("'dpo") { "n_steps = 32\n" } else { "" };
    config(&format!("{lines}\n{env}{common}{hidden}{epochs}{ppo}precision = '{precision}'"))
}

/// Where one step leads from where it begins.
fn way(mut trainer: Trainer) -> Vec<f64> {
    let before = trainer.params().snapshot().expect("values");
    trainer.step().expect("an update").expect("steps are left");
    assert_eq!(trainer.params().theta().dtype(), DType::F32);
    let after = trainer.params().snapshot().expect("values");
    before.iter().zip(after).map(|(before, after)| f64::from(after) - f64::from(*before)).collect()
}

fn norm(x: impl Iterator<Item = f64>) -> f64 {
    x.map(|x| x * x).sum::<f64>().sqrt()
}

/// How far a way is from that of f32, as a share of it.
fn apart(way: &[f64], of_f32: &[f64]) -> f64 {
    norm(way.iter().zip(of_f32).map(|(x, y)| x - y)) / norm(of_f32.iter().copied())
}

/// What each type may be off by: of bf16 a number is rounded by 2⁻⁹ of itself at most, of f16 by 2⁻¹², some ten times on the way.
fn bound(precision: Precision) -> f64 {
    match precision {
        Precision::Bf16 => 0.03,
        _ => 0.01,
    }
}

#[test]
fn gradients_are_those_of_f32_but_for_rounding() {
    let mut wrong = Vec::new();
    for (name, lines) in KINDS {
        let trained = |precision| way(Trainer::new(&one_step(lines, precision)).expect(name));
        let of_f32 = trained(Precision::F32);
        for precision in LOW {
            let apart = apart(&trained(precision), &of_f32);
            eprintln!("{name} in {precision}: {apart:.1e} apart");
            // NaN is wrong, too; and what is the same to 10⁻⁵ was not rounded.
            if !(apart > 1e-5 && apart <= bound(precision)) {
                wrong.push(format!("{name} in {precision}: {apart:e}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Rows of a batch are summed in f32: of 8,192 a sum in 16 bits would have lost most.
#[test]
fn the_gradient_of_a_bias_is_right_however_many_rows_there_are() {
    let lines = "algo = 'a2c'\nn_steps = 256\nhidden = [4]\nenvs = 32";
    let trained = |precision| {
        let config = Config { envs: 32, ..one_step(lines.trim_end_matches("\nenvs = 32"), precision) };
        let trainer = Trainer::new(&config).expect("a trainer");
        let layout = trainer.params().layout().clone();
        let way = way(trainer);
        let biases = layout.blocks().iter().filter(|block| block.name.ends_with("bias"));
        biases.flat_map(|block| way[block.range()].to_vec()).collect::<Vec<f64>>()
    };
    let of_f32 = trained(Precision::F32);
    for precision in LOW {
        let apart = apart(&trained(precision), &of_f32);
        assert!(apart <= bound(precision), "{precision}: {apart}");
    }
}

type Build = fn(&uphill::envs::Spec, &Device) -> Result<(Params, Box<dyn Model>)>;

fn with_network(config: &Config, build: Build) -> Result<Trainer> {
    let network: BuildNetwork<'_> = Box::new(build);
    Trainer::with(config, Overrides { network: Some(network), ..Overrides::default() })
}

fn modules(spec: &uphill::envs::Spec, device: &Device) -> Result<(Params, Box<dyn Model>)> {
    let (params, model) = ModuleModel::new(&Site { device, ..Site::new(spec, Seed(3)) }, |vb| {
        let trunk = linear(3, 16, vb.pp("trunk"))?;
        let (actor, critic) = (linear(16, 1, vb.pp("actor"))?, linear(16, 1, vb.pp("critic"))?);
        Ok(Box::new(move |observation| {
            let features = trunk.forward(observation)?.tanh()?;
            Ok((actor.forward(&features)?, critic.forward(&features)?))
        }))
    })?;
    Ok((params, Box::new(model)))
}

fn modules_with_memory(spec: &uphill::envs::Spec, device: &Device) -> Result<(Params, Box<dyn Model>)> {
    let (params, model) = ModuleModel::with_memory(&Site { device, ..Site::new(spec, Seed(3)) }, (8, &[]), |vb| {
        let cell = linear(3 + 8, 8, vb.pp("cell"))?;
        let (actor, critic) = (linear(8, 1, vb.pp("actor"))?, linear(8, 1, vb.pp("critic"))?);
        Ok(Box::new(move |observation, memory| {
            let memory = cell.forward(&Tensor::cat(&[observation, memory], 1)?)?.tanh()?;
            Ok((actor.forward(&memory)?, critic.forward(&memory)?, memory))
        }))
    })?;
    Ok((params, Box::new(model)))
}

/// Modules of candle-nn sum the rows of a bias in the type that they are in: 128 of them here.
#[test]
fn modules_of_ones_own_learn_in_it_too() {
    for build in [modules as Build, modules_with_memory] {
        let trained = |precision| {
            let lines = "algo = 'ppo'\nvf_coef = 0.1\nenv = 'Pendulum-v1 | reward_scale(0.05)'";
            way(with_network(&Config { hidden: vec![64, 64], ..one_step(lines, precision) }, build).expect("a trainer"))
        };
        let of_f32 = trained(Precision::F32);
        for precision in LOW {
            let apart = apart(&trained(precision), &of_f32);
            eprintln!("modules in {precision}: {apart:.1e} apart");
            assert!(apart > 1e-5 && apart <= 2.0 * bound(precision), "{precision}: {apart}");
        }
    }
}

/// A step of a thousandth of what 16 bits tell apart.
#[test]
fn steps_that_the_low_type_would_lose_are_kept() {
    for precision in LOW {
        let mut trainer = Trainer::new(&Config { lr: 1e-5, ..one_step("algo = 'ppo'", precision) }).expect("a trainer");
        let before = trainer.params().snapshot().expect("values");
        rows(&mut trainer, 8);
        let after = trainer.params().snapshot().expect("values");
        let moved = before.iter().zip(&after).filter(|(before, after)| before != after).count();
        let tensor = |x: &[f32]| Tensor::from_slice(x, x.len(), &Device::Cpu).expect("a tensor");
        let low = |x: &[f32]| {
            let low = tensor(x).to_dtype(precision.dtype()).and_then(|x| x.to_dtype(DType::F32)?.to_vec1::<f32>());
            low.expect("numbers")
        };
        let told_apart = low(&before).iter().zip(low(&after)).filter(|(before, after)| *before != after).count();
        assert!(moved > before.len() / 2 && told_apart < moved / 4, "{precision}: {moved}, {told_apart}");
    }
}

/// A learner, an algorithm, and a rollout for them.
fn learning(settings: &str, precision: Precision) -> (Learner, Box<dyn Algorithm>, Rollout) {
    let env = "CartPole-v1 | time_limit(20) | reward_scale(0.5)";
    let text = format!("{settings}\nenv = '{env}'\nhidden = [6]\nenvs = 4");
    let config = config(&text);
    let spec = config.make_envs(1).expect("an environment").spec().clone();
    let (params, network) = config.make_model(&Site::new(&spec, Seed(2))).expect("a model");
    let optimizer = config.make_optimizer().expect("an optimizer");
    let mut collector = Collector::new(config.make_envs(4).expect("environments"), Seed(2)).expect("a reset");
    let algo = config.make_algo().expect("an algorithm");
    let rollout = collector.collect(&*network, &params, Horizon::Steps(16), true).expect("a rollout").0.clone();
    (Learner::new(network, params, optimizer, Seed(2)).in_precision(precision), algo, rollout)
}

fn state(learner: &mut Learner) -> Vec<String> {
    let mut state = Vec::new();
    let mut shown = |name: &str, slot: Slot<'_>| {
        state.push(match slot {
            Slot::Vector(x) => format!("{name} {:?}", x.iter().map(|x| x.to_bits()).collect::<Vec<_>>()),
            Slot::Count(count) => format!("{name} {count}"),
            Slot::Scalar(number) => format!("{name} {:x}", number.to_bits()),
            other => panic!("{name}: {other:?}"),
        });
    };
    learner.optimizer.visit_state(&mut shown).expect("state");
    state
}

fn at(update: u64) -> When {
    When { update, ..When::default() }
}

/// A value loss that weighs a hundred overflows f16 until it is scaled by less.
#[test]
fn a_step_whose_gradient_overflows_is_skipped_and_changes_nothing_else() {
    let (mut learner, mut algo, rollout) = learning("algo = 'a2c'\nvf_coef = 100", Precision::F16);
    let now = |update| at(update).into();
    // A state that is not the first, so that what is untouched is something.
    learner = learner.in_precision(Precision::F32);
    algo.update(&mut learner, &rollout, now(1)).expect("an update in f32");
    learner = learner.in_precision(Precision::F16);
    let (before, state_before) = (bits(&learner.params), state(&mut learner));
    assert!(!state_before.is_empty());
    let mut skipped = 0;
    loop {
        let report = algo.update(&mut learner, &rollout, now(2 + skipped)).expect("an update");
        let scale = learner.loss_scale().expect("a scale").clone();
        if scale.skipped() == skipped {
            assert_eq!(scale.scale(), LossScale::INITIAL / f64::from(1u32 << skipped));
            assert!(report.grad_norm > 0.0 && report.update_norm > 0.0);
            break;
        }
        skipped += 1;
        assert_eq!((scale.skipped(), scale.scale()), (skipped, LossScale::INITIAL / f64::from(1u32 << skipped)));
        assert_eq!((report.grad_norm, report.update_norm), (0.0, 0.0));
        assert_eq!((bits(&learner.params), state(&mut learner)), (before.clone(), state_before.clone()));
    }
    assert!((2..14).contains(&skipped), "{skipped}");
    assert_ne!(bits(&learner.params), before);
    assert_ne!(state(&mut learner), state_before);
    // What has more room needs none of it.
    let (mut learner, mut algo, rollout) = learning("algo = 'a2c'\nvf_coef = 100", Precision::Bf16);
    let before = bits(&learner.params);
    algo.update(&mut learner, &rollout, now(1)).expect("an update");
    assert!(learner.loss_scale().is_none() && bits(&learner.params) != before);
}

/// There the host asks once a pass whether gradients were finite, and not at each step.
#[test]
fn steps_that_are_taken_on_tensors_are_skipped_as_on_the_host() {
    let settings = "algo = 'ppo'\nn_epochs = 3\nn_minibatches = 4\nvf_coef = 30";
    let ran = |on_tensors: bool| {
        let (mut learner, mut algo, rollout) = learning(settings, Precision::F16);
        if on_tensors {
            let chain: uphill::optim::Optimizer = "adamw(lr=3e-3)".parse().expect("a chain");
            learner.optimizer = chain.through_tensors();
        } else {
            learner.optimizer = "adamw(lr=3e-3)".parse().expect("a chain");
        }
        let reports: Vec<_> =
            (1..=3).map(|n| algo.update(&mut learner, &rollout, at(n).into()).expect("one")).collect();
        let numbers = reports.iter().flat_map(|report| [report.grad_norm, report.update_norm, report.terms[0].1]);
        let counts = state(&mut learner).into_iter().filter(|piece| !piece.contains('[')).collect::<Vec<_>>();
        (learner.loss_scale().cloned(), counts, numbers.collect::<Vec<_>>(), learner.params.snapshot().expect("values"))
    };
    let (host, tensors) = (ran(false), ran(true));
    let scale = host.0.as_ref().expect("a scale");
    assert!((2..12).contains(&scale.skipped()), "{scale:?}");
    assert_eq!((&host.0, &host.1), (&tensors.0, &tensors.1));
    assert!(host.1.iter().any(|count| count.ends_with(&format!(" {}", 36 - scale.skipped()))), "{:?}", host.1);
    for (one, other) in host.2.iter().zip(&tensors.2) {
        assert!((one - other).abs() <= 1e-3 * one.abs(), "{one} {other}");
    }
    for (one, other) in host.3.iter().zip(&tensors.3) {
        assert!((one - other).abs() <= 1e-4, "{one} {other}");
    }
}

/// Its gradients are not finite either, and would halve the scale at each of the twelve steps.
#[test]
fn a_loss_that_is_not_finite_says_nothing_of_its_scale() {
    let lines = "algo = 'ppo'\nn_epochs = 3\nn_minibatches = 4";
    let (mut learner, mut algo, mut rollout) = learning(lines, Precision::F16);
    rollout.reward.fill(f32::NAN);
    let error = algo.update(&mut learner, &rollout, at(1).into()).expect_err("a loss that is no number").to_string();
    assert!(error.contains("the loss is not finite"), "{error}");
    assert_eq!(learner.loss_scale(), Some(&LossScale::default()));
}

#[test]
fn a_gradient_is_the_same_whatever_the_loss_was_scaled_by() {
    // Half of it is a power of two again: what does not underflow does not change.
    let settings = "algo = 'a2c'\noptimizer = 'sgd'\nlr = 1.0\nanneal_lr = false\nmax_grad_norm = inf\ngamma = 0.0";
    let (mut scaled, mut algo, rollout) = learning(settings, Precision::F16);
    let start = scaled.params.snapshot().expect("values");
    algo.update(&mut scaled, &rollout, at(1).into()).expect("an update");
    assert_eq!(scaled.loss_scale().expect("a scale").skipped(), 0);
    let (mut whole, mut algo, _) = learning(settings, Precision::F32);
    algo.update(&mut whole, &rollout, at(1).into()).expect("an update");
    let ways = [&scaled, &whole].map(|learner| {
        let end = learner.params.snapshot().expect("values");
        end.iter().zip(&start).map(|(end, start)| f64::from(end - start)).collect::<Vec<f64>>()
    });
    let apart = apart(&ways[0], &ways[1]);
    assert!(apart <= bound(Precision::F16), "{apart}");
}

#[test]
fn the_scale_is_doubled_after_2000_steps_of_an_optimizer() {
    let settings = "algo = 'ppo'\nn_epochs = 64\nn_minibatches = 8\nn_steps = 16\nnormalize_advantage = false\nlr = 1e-6\nvf_coef = 0.01\ngamma = 0.0";
    let (mut learner, mut algo, rollout) = learning(settings, Precision::F16);
    for update in 1..=4 {
        let scale = learner.loss_scale().expect("a scale");
        assert_eq!((scale.scale(), scale.skipped()), (LossScale::INITIAL, 0), "before update {update}");
        algo.update(&mut learner, &rollout, at(update).into()).expect("an update");
    }
    assert_eq!(learner.loss_scale().expect("a scale").scale(), 2.0 * LossScale::INITIAL);
}

/// Runs whose first steps overflow, so that there is a scale to remember.
fn overflowing(precision: Precision, threads: usize) -> Config {
    config(&format!(
        "algo = 'ppo'\nenv = 'CartPole-v1'\nenvs = 40\nn_steps = 16\nn_epochs = 2\nn_minibatches = 2\nvf_coef = 3000\n\
         hidden = [12]\nthreads = {threads}\nsteps = 5_120\nseed = 4\nprecision = '{precision}'"
    ))
}

#[test]
fn a_run_that_goes_on_from_a_checkpoint_is_the_same_to_the_bit() {
    for precision in LOW {
        let config = overflowing(precision, 1);
        let mut whole = Trainer::new(&config).expect("a trainer");
        let first = rows(&mut whole, 3);
        let file = whole.checkpoint().and_then(|checkpoint| checkpoint.to_bytes()).expect("a file");
        let rest = rows(&mut whole, 99);
        assert_eq!((first.len(), rest.len()), (3, 5));
        let mut other = Trainer::resume(&Checkpoint::from_bytes(&file).expect("a checkpoint")).expect("a trainer");
        assert_eq!(rows(&mut other, 99), rest, "{precision}");
        assert_eq!(bits(other.params()), bits(whole.params()), "{precision}");
        let [(before, after), (skipped, skipped_after)] = ["loss_scale", "skipped_steps"]
            .map(|name| (said(&first[2], name), said(rest.last().expect("a row"), name)));
        match precision {
            Precision::F16 => {
                assert!(before < Some(LossScale::INITIAL) && skipped > Some(2.0), "{before:?} {skipped:?}");
                assert!(after <= before && skipped_after >= skipped);
            }
            _ => assert_eq!((before, skipped), (None, None)),
        }
        // In another type it would be another run.
        let mut changed = Trainer::new(&overflowing(Precision::F32, 1)).expect("a trainer");
        let refused = changed.restore(&Checkpoint::from_bytes(&file).expect("a checkpoint")).expect_err("another run");
        assert!(refused.to_string().contains("precision"), "{refused}");
    }
}

#[test]
fn the_same_configuration_gives_the_same_bits_on_any_number_of_threads() {
    for precision in LOW {
        let trained = |threads| {
            let mut trainer = Trainer::new(&overflowing(precision, threads)).expect("a trainer");
            (rows(&mut trainer, 99), bits(trainer.params()))
        };
        let one = trained(1);
        assert_eq!(one.0.len(), 8);
        assert!(one == trained(1) && one == trained(3), "{precision}");
        let of_f32 = {
            let mut trainer = Trainer::new(&overflowing(Precision::F32, 1)).expect("a trainer");
            rows(&mut trainer, 99);
            bits(trainer.params())
        };
        assert_ne!(one.1, of_f32, "{precision}");
    }
}

/// Run by itself this checks nothing; as a child of the test below it prints what its process computed.
#[test]
fn child_prints_its_bits() {
    if !is_child() {
        return;
    }
    for precision in LOW {
        let wide = Config { hidden: vec![96], steps: 640, ..overflowing(precision, 1) };
        let mut trainer = Trainer::new(&wide).expect("a trainer");
        tell(precision, (format!("{:?}", rows(&mut trainer, 99)), bits(trainer.params())));
    }
}

/// candle's own threads.
#[test]
fn the_number_of_threads_changes_no_bit() {
    let one = told("1");
    assert_eq!(one.len(), 2, "{one:?}");
    assert_eq!(one, told("3"));
}

/// In a small world all three find the way.
#[test]
fn a_policy_is_learnt_in_each() {
    for (precision, seed) in
        [Precision::F32, Precision::Bf16, Precision::F16].into_iter().flat_map(|p| [(p, 101), (p, 102)])
    {
        let config = config(&format!(
            "algo = 'ppo'\nenv = 'GridWorld-4x4-v0'\nenvs = 8\nn_steps = 32\nn_epochs = 4\nn_minibatches = 4\nhidden = [16]\n\
             lr = 0.003\nent_coef = 0.02\nsteps = 12_288\nthreads = 1\nseed = {seed}\nprecision = '{precision}'"
        ));
        let mut trainer = Trainer::new(&config).expect("a trainer");
        let last = rows(&mut trainer, 99).pop().expect("a row");
        let best = config.known_returns().expect("returns").expect("known").1;
        let mean = last.episode_return_mean.expect("episodes");
        assert!(mean > 0.95 * best, "{precision}, seed {seed}: {mean} of {best}");
    }
}

fn refused(outcome: Result<Trainer>) -> String {
    let error = outcome.err().expect("refused");
    assert!(matches!(error, uphill::Error::Config(_)), "{error:?}");
    error.to_string()
}

#[test]
fn what_does_not_learn_in_it_is_refused_before_anything_is_done() {
    for algo in ["npg", "trpo", "stream_ac"] {
        for precision in LOW {
            let text = format!("algo = '{algo}'\nprecision = '{precision}'");
            let message = Config::from_toml(&text).expect_err(algo).to_string();
            let expected =
                format!("precision = {precision} is impossible: {algo} learns in f32 alone; leave it out, or take");
            assert!(message.starts_with(&expected), "{message}");
            config(&text.replace(&precision.to_string(), "f32"));
        }
    }
    let message = Config::from_toml("precision = 'f64'").expect_err("no such type").to_string();
    assert!(message.contains("expected one of `f32`, `bf16`, `f16`"), "{message}");
}

/// A network that looks at its parameters as they are.
struct Deaf(Arc<dyn Distribution>);

impl Model for Deaf {
    fn observation_len(&self) -> usize {
        3
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        &self.0
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        let both = observation.matmul(&params.theta().narrow(0, 0, 9)?.reshape((3, 3))?)?;
        Ok((both.narrow(1, 0, 2)?, both.narrow(1, 2, 1)?.squeeze(1)?))
    }
}

fn deaf(spec: &uphill::envs::Spec, device: &Device) -> Result<(Params, Box<dyn Model>)> {
    let mut layout = uphill::Layout::default();
    layout.push("weight", &[3, 3]);
    let values = (0..9).map(|i| i as f32 / 9.0 - 0.4).collect();
    let distribution = Site::new(spec, Seed(1)).distribution()?;
    Ok((Params::new(layout, values, device)?, Box::new(Deaf(distribution))))
}

fn stubborn(spec: &uphill::envs::Spec, device: &Device) -> Result<(Params, Box<dyn Model>)> {
    let (params, model) = ModuleModel::new(&Site { device, ..Site::new(spec, Seed(3)) }, |vb| {
        let (actor, critic) = (linear(3, 1, vb.pp("actor"))?, linear(3, 1, vb.pp("critic"))?);
        Ok(Box::new(move |observation| {
            let scaled = observation.broadcast_mul(&Tensor::new(0.5f32, observation.device())?)?;
            Ok((actor.forward(&scaled)?, critic.forward(&scaled)?))
        }))
    })?;
    Ok((params, Box::new(model)))
}

#[test]
fn a_network_that_does_not_work_in_it_is_refused_with_what_it_should_do() {
    let lines = "algo = 'ppo'\nenv = 'Pendulum-v1 | reward_scale(0.05)'";
    for precision in LOW {
        let config = Config { hidden: vec![64, 64], ..one_step(lines, precision) };
        let message = refused(with_network(&config, deaf));
        let expected = format!(
            "precision = {precision} is impossible: the network works in f32 all the same: it is to bring observations and \
             parameters to `Params::dtype`; take precision = f32"
        );
        assert_eq!(message, expected);
        let message = refused(with_network(&config, stubborn));
        assert!(
            message.starts_with(&format!(
                "precision = {precision} is impossible: the network does not work in it on cpu, `"
            )),
            "{message}"
        );
        assert!(message.ends_with("; take precision = f32"), "{message}");
    }
    for build in [deaf as Build, stubborn] {
        with_network(&Config { hidden: vec![64, 64], ..one_step(lines, Precision::F32) }, build).expect("a trainer");
    }
}
