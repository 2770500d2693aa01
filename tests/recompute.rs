//! Advantages that are estimated anew before each pass.

use uphill::algo::OnPolicy;
use uphill::algo::{Algorithm, Learner};
use uphill::models::Site;
use uphill::optim::When;
use uphill::{Collector, Config, Horizon, Rollout, Scratch, Seed, Trainer};

/// One pass, all at once, of what a configuration says; values are learnt without regard to the old ones, which then differ.
fn loop_of(config: &Config, n_epochs: usize, recompute_advantages: bool) -> OnPolicy {
    let algo = config.make_algo().expect("an algorithm").into_on_policy().expect("a loop");
    OnPolicy { n_epochs, n_minibatches: 1, recompute_advantages, ..algo }
}

fn learner(config: &Config) -> Learner {
    let spec = config.make_envs(1).expect("an environment").spec().clone();
    let (params, network) = config.make_model(&Site::new(&spec, Seed(2))).expect("a model");
    Learner::new(network, params, config.make_optimizer().expect("an optimizer"), Seed(2))
}

fn bits(learner: &Learner) -> Vec<u32> {
    learner.params.snapshot().expect("values").into_iter().map(f32::to_bits).collect()
}

/// The same rollout with the values that the critic gives it now.
fn judged_anew(learner: &Learner, rollout: &Rollout) -> Rollout {
    let mut scratch = Scratch::default();
    let mut values = |observation: &[f32]| {
        let mut values = Vec::new();
        learner.network.values(&learner.params, observation, &mut scratch, &mut values).expect("values");
        values
    };
    let value = values(&rollout.observation.all());
    let mut next_value: Vec<f32> =
        value[rollout.lanes..].iter().copied().chain(values(&rollout.last_observation)).collect();
    next_value.iter_mut().zip(&rollout.end).filter(|(_, end)| end.ended()).for_each(|(next, _)| *next = 0.0);
    let at_truncated = values(&rollout.truncated_observation);
    rollout.truncated.iter().zip(at_truncated).for_each(|(&place, value)| next_value[place] = value);
    Rollout { value, next_value, ..rollout.clone() }
}

#[test]
fn a_second_pass_goes_by_what_the_critic_has_become() {
    for (algo, settings) in [
        ("ppo", "clip_range_vf = inf"),
        ("ppo_kl", "clip_range_vf = inf"),
        ("dpo_drift", "clip_range_vf = inf\ngae_lambda = 0.5"),
        ("ppo", "clip_range_vf = inf\nshared_trunk = true\nnormalize_observation = true"),
    ] {
        let text =
            format!("algo = '{algo}'\n{settings}\nenv = 'CartPole-v1 | time_limit(20)'\nhidden = [6]\nlr = 0.01");
        let config = Config::from_toml(&text).expect(settings);
        let mut collector = Collector::new(config.make_envs(6).expect("environments"), Seed(2)).expect("a reset");
        let [mut whole, mut parts, mut without] = [(); 3].map(|()| learner(&config));
        let rollout =
            collector.collect(&*whole.network, &whole.params, Horizon::Steps(64), true).expect("a rollout").0.clone();
        assert!(rollout.truncated.len() > 3);
        let now = When { update: 1, ..When::default() };
        loop_of(&config, 2, true).update(&mut whole, &rollout, now.into()).expect("an update");
        loop_of(&config, 1, false).update(&mut parts, &rollout, now.into()).expect("an update");
        let rollout_now = judged_anew(&parts, &rollout);
        assert_ne!(rollout_now.next_value, rollout.next_value);
        loop_of(&config, 1, false).update(&mut parts, &rollout_now, now.into()).expect("an update");
        assert_eq!(bits(&whole), bits(&parts), "{text}");
        loop_of(&config, 2, false).update(&mut without, &rollout, now.into()).expect("an update");
        assert_ne!(bits(&whole), bits(&without), "{text}");
    }
}

#[test]
fn it_learns_the_same_on_any_number_of_threads_and_something_else_than_without() {
    for (algo, model) in [("ppo", "mlp"), ("ppo", "gru(units=6)"), ("v_trace", "mlp"), ("v_trace", "gru(units=6)")] {
        let trained = |recompute: bool, threads: usize| {
            let text = format!(
                "algo = '{algo}(recompute_advantages={recompute}, n_epochs=3)'\nmodel = '{model}'\nthreads = {threads}\n\
                 env = 'Pendulum-v1 | time_limit(9)'\nenvs = 40\nn_steps = 16\nhidden = [8]\nsteps = 1_000_000"
            );
            let mut trainer = Trainer::new(&Config::from_toml(&text).expect("settings")).expect("a trainer");
            (0..3).for_each(|_| drop(trainer.step().expect("an update").expect("steps are left")));
            trainer.params().snapshot().expect("values").into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        let one = trained(true, 1);
        assert_eq!(one, trained(true, 3), "{algo} {model}");
        assert_ne!(one, trained(false, 1), "{algo} {model}");
    }
}

#[test]
fn a_rollout_that_lacks_what_values_are_asked_for_is_refused() {
    let config = Config { hidden: vec![4], ..Config::for_algo("ppo").expect("an algorithm") };
    let mut learner = learner(&config);
    let mut collector = Collector::new(config.make_envs(2).expect("environments"), Seed(2)).expect("a reset");
    let rollout =
        collector.collect(&*learner.network, &learner.params, Horizon::Steps(8), true).expect("one").0.clone();
    let lacking = Rollout { last_observation: Vec::new(), ..rollout };
    let error = loop_of(&config, 2, true).update(&mut learner, &lacking, When::default().into()).expect_err("lacking");
    assert!(error.to_string().contains("last observations"), "{error}");
}
