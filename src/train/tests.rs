use candle_core::Tensor;
use uphill_envs::{Action, CartPole, Env, EnvError, Lanes, Spec, Step};

use super::{Overrides, Trainer};
use crate::optim::{Chain, Optimizer, Slot, When, scale_by_learning_rate};
use crate::{Config, Error, OnDivergence, Result, algo};

/// A pole that cannot be saved.
struct Unsaved(CartPole);

impl Env for Unsaved {
    fn spec(&self) -> &Spec {
        self.0.spec()
    }

    fn reset(&mut self, seed: Option<u64>, observation: &mut [f32]) -> Result<(), EnvError> {
        self.0.reset(seed, observation)
    }

    fn step(&mut self, action: Action<'_>, observation: &mut [f32]) -> Result<Step, EnvError> {
        self.0.step(action, observation)
    }
}

/// Four steps of an episode that goes on.
fn in_the_midst(overrides: Overrides<'_>) -> Trainer {
    let stream_ac = Config::for_algo("stream_ac").expect("an algorithm");
    let config = Config { n_steps: 4, hidden: vec![5], on_divergence: OnDivergence::Skip, ..stream_ac };
    let mut trainer = Trainer::with(&config, overrides).expect("a trainer");
    trainer.step().expect("an update").expect("steps are left");
    assert!(traces(&mut trainer).iter().any(|&z| z != 0.0));
    trainer
}

fn traces(trainer: &mut Trainer) -> Vec<f32> {
    let mut found = Vec::new();
    trainer.algo.state(&mut |_, slot| {
        if let Slot::Vector(traces) = slot {
            found.clone_from(traces);
        }
    });
    found
}

#[test]
fn traces_are_of_where_lanes_were_and_end_where_these_stand_elsewhere() {
    let mut skipped = in_the_midst(Overrides::default());
    skipped.note_good().expect("a note");
    skipped.go_back(Error::Diverged { update: 2, what: "a loss".into(), remedy: "none".into() }).expect("a way back");
    assert!(traces(&mut skipped).iter().all(|&z| z == 0.0));

    let mut saved = in_the_midst(Overrides::default());
    let (before, checkpoint) = (traces(&mut saved), saved.checkpoint().expect("a state"));
    saved.step().expect("an update").expect("steps are left");
    saved.restore(&checkpoint).expect("the same state");
    assert_eq!(traces(&mut saved), before);

    let envs: crate::MakeEnvs =
        std::sync::Arc::new(|lanes| Ok(Box::new(Lanes::new((0..lanes).map(|_| Unsaved(CartPole::new())).collect())?)));
    let mut lost = in_the_midst(Overrides { envs: Some(envs), ..Overrides::default() });
    let checkpoint = lost.checkpoint().expect("a state");
    lost.restore(&checkpoint).expect("the same state, in other episodes");
    assert!(traces(&mut lost).iter().all(|&z| z == 0.0));
}

/// A run of a few updates, whose optimizer takes its steps on tensors or on the host.
fn run(algo: &str, on_tensors: bool) -> Trainer {
    let of_algo = Config::for_algo(algo).expect("an algorithm");
    let optimizer = "adamw(lr=3e-3)".parse().expect("a chain");
    let config = Config { n_steps: 16, envs: 4, hidden: vec![8], steps: 1_000, optimizer, ..of_algo };
    let mut trainer = Trainer::new(&config).expect("a trainer");
    if on_tensors {
        let of_learner = &mut trainer.learner.optimizer;
        *of_learner = std::mem::replace(of_learner, Optimizer::new(Chain::new())).through_tensors();
    }
    trainer
}

fn theta(trainer: &Trainer) -> Vec<f32> {
    trainer.params().snapshot().expect("values")
}

fn near(one: &[f32], other: &[f32]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(x, y)| (x - y).abs() <= 1e-5)
}

#[test]
fn a_run_whose_steps_are_taken_on_tensors_is_that_of_the_host_and_goes_from_one_to_the_other() {
    for algo in ["ppo", "npg"] {
        let (mut host, mut tensors, mut both) = (run(algo, false), run(algo, true), run(algo, false));
        let start = theta(&host);
        for update in 0..4 {
            // On the host, on tensors, and again.
            let state = both.checkpoint().expect("a state");
            both = run(algo, update % 2 == 1);
            both.restore(&state).expect("the same run");
            let [one, other, third] =
                [&mut host, &mut tensors, &mut both].map(|run| run.step().expect("an update").expect("steps are left"));
            for (x, y) in [(one.grad_norm, other.grad_norm), (one.update_norm, third.update_norm)] {
                assert!(x > 0.0 && (x - y).abs() < 1e-4 * x, "{algo}: {x} {y}");
            }
        }
        assert!(!near(&theta(&host), &start), "{algo}");
        assert!(near(&theta(&host), &theta(&tensors)), "{algo}: on tensors");
        assert!(near(&theta(&host), &theta(&both)), "{algo}: in turn");
        let [one, other] = [&mut host, &mut tensors].map(|run| run.checkpoint().expect("a state"));
        let names = |state: &crate::Checkpoint| state.arrays.0.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&one), names(&other));
    }
}

#[test]
fn a_divergence_on_tensors_leaves_the_parameters_and_one_that_was_broken_off_says_nothing_of_the_next() {
    let mut trainer = run("ppo", true);
    let gradient =
        Tensor::full(f32::NAN, trainer.params().layout().len(), &candle_core::Device::Cpu).expect("a tensor");
    let Trainer { learner, .. } = &mut trainer;
    let step = learner.optimizer.step_on_device(&mut learner.params, &gradient, When::default());
    step.expect("it is not known yet");
    trainer.step().expect("an update").expect("steps are left");
    let before = theta(&trainer);
    let endless = Chain::new().then(scale_by_learning_rate(f64::INFINITY));
    trainer.learner.optimizer = Optimizer::new(endless).through_tensors();
    let error = trainer.step().expect_err("an update that is not finite");
    let Error::Diverged { update: 2, what, .. } = error else { panic!("{error}") };
    assert_eq!(what, "the update of the parameters");
    assert_eq!(theta(&trainer), before);
}

/// A run that leaves the real numbers is told of settings that it has, by whatever algorithm.
#[test]
fn what_helps_after_a_divergence_are_settings_that_have_an_effect() {
    let optimizers = ["sgd(lr=1)", "adam", "clip_by_global_norm(1) | adam"];
    for row in algo::ROWS {
        for optimizer in optimizers {
            let text = format!("algo = '{}'\noptimizer = '{optimizer}'", row.name);
            let config = Config::from_toml(&text).expect("settings");
            let remedy = super::divergence::remedy(&config, 0.0);
            let words: Vec<&str> = remedy.split([' ', ',']).collect();
            let named = |name: &str| words.contains(&name);
            let mut count = 0;
            for (name, _) in Config::SETTINGS.iter().filter(|(name, _)| named(name)) {
                let value = match *name {
                    "lr" => continue,
                    "on_divergence" => "'rollback'",
                    _ => "0.05",
                };
                assert!(Config::from_toml(&format!("{text}\n{name} = {value}")).is_ok(), "{text} {name}: {remedy}");
                count += 1;
            }
            for param in row.params.iter().filter(|param| named(param.name)) {
                let text = format!("algo = '{}({}=0.05)'\noptimizer = '{optimizer}'", row.name, param.name);
                assert!(Config::from_toml(&text).is_ok(), "{text}: {remedy}");
                count += 1;
            }
            assert!(count > 0, "{text}: {remedy}");
            assert_eq!(named("lr"), row.name != "stream_ac", "{text}: {remedy}");
            assert_eq!(named("max_kl"), ["npg", "trpo"].contains(&row.name), "{text}: {remedy}");
            let again = Config { on_divergence: OnDivergence::Skip, ..config };
            assert!(!super::divergence::remedy(&again, 0.0).contains("on_divergence"));
        }
    }
    let unbounded = Config::from_toml("algo = 'stream_ac(kappa_policy=0, kappa_value=0)'\nlr = 1e30\nsteps = 4096");
    let mut trainer = Trainer::new(&unbounded.expect("settings")).expect("a trainer");
    let error = std::iter::repeat_with(|| trainer.step()).find_map(Result::err).expect("a divergence").to_string();
    let expected = "a smaller lr or max_grad_norm, or a larger kappa_policy or kappa_value usually helps, and on_divergence = rollback or skip goes on";
    assert!(error.ends_with(expected), "{error}");
}

#[test]
fn a_run_that_gives_up_says_how_often_it_diverged() {
    for text in ["optimizer = 'adam(lr=1e30)'\nmax_grad_norm = inf", "precision = 'f16'\nlr = 1e8\nanneal_lr = false"] {
        let text = format!("algo = 'ppo'\nn_steps = 8\nn_minibatches = 1\non_divergence = 'skip'\n{text}");
        let mut trainer = Trainer::new(&Config::from_toml(&text).expect("settings")).expect("a trainer");
        let error = std::iter::repeat_with(|| trainer.step()).find_map(Result::err).expect("a divergence").to_string();
        assert!(error.contains("the 10 updates before it diverged, too, and the run ends: a smaller lr"), "{error}");
        assert_eq!(error.contains("precision = bf16"), text.contains("f16"), "{error}");
    }
}

#[test]
fn what_acting_kept_is_learnt_from_as_if_it_were_passed_again() {
    let parameters = |text: &str, keeps: bool| -> Result<Vec<u32>> {
        let mut trainer = Trainer::new(&Config::from_toml(text)?)?;
        let room = trainer.collector.only_room().expect("one policy plays all lanes");
        assert!(std::mem::replace(&mut room.keeps, keeps));
        for _ in 0..12 {
            trainer.update()?;
        }
        Ok(trainer.learner.params.snapshot()?.iter().map(|theta| theta.to_bits()).collect())
    };
    for settings in [
        "",
        "shared_trunk = true",
        "layer_norm = true\nactivation = 'silu'",
        "hidden = []\nnormalize_observation = true",
        "gae_lambda = 0.9\nn_steps = 64\nhidden = [20]",
        "env = 'Pendulum-v1'\ndistribution = 'gsde'\ncritic_hidden = [7]",
        "env = 'MemoryChain-v0'\nestimator = 'upgo'\nnormalize_value = true",
    ] {
        let text = format!("algo = 'a2c'\nenvs = 4\n{settings}");
        let [kept, again] = [true, false].map(|keeps| parameters(&text, keeps).expect("updates"));
        assert_eq!(kept, again, "{settings}");
    }
}
