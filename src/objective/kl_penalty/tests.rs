use super::KlPenalty;
use crate::algo::{self, Algorithm, Learner, OnPolicy};
use crate::arrays::Arrays;
use crate::objective::{ClippedSurrogate, Entropy, Objective, ValueLoss};
use crate::optim::When;
use crate::{Collector, Config, MlpModel, Seed};

fn coefficient(algo: &mut OnPolicy) -> f64 {
    let mut found = 0.0;
    algo.objective.state(&mut |name, number| {
        assert_eq!(name, "1.kl_coef");
        found = *number;
    });
    found
}

#[test]
fn the_coefficient_follows_the_divergence_and_is_saved() {
    let config = Config { n_epochs: 10, lr: 3e-3, anneal_lr: false, ..Config::for_algo("ppo").expect("known") };
    let with = |target_kl: f64| OnPolicy {
        objective: ClippedSurrogate::new(f64::INFINITY)
            .plus(1.0, KlPenalty::new(target_kl, 1.0))
            .plus(0.5, ValueLoss::default())
            .plus(-0.01, Entropy),
        ..config.make_algo().expect("an algorithm").into_on_policy().expect("a loop")
    };
    // Far below what ten passes come to, and far above.
    for (target_kl, after_three) in [(1e-6, 8.0), (1e3, 0.125)] {
        let mut algo = with(target_kl);
        let env = config.make_envs(config.envs).expect("environments");
        let (params, model) =
            MlpModel::new(env.spec(), &config.mlp(), Seed(1), &candle_core::Device::Cpu).expect("a model");
        let mut collector = Collector::new(env, Seed(1)).expect("a reset");
        let optimizer = config.make_optimizer().expect("an optimizer");
        let mut learner = Learner::new(Box::new(model), params, optimizer, Seed(1));
        for _ in 0..3 {
            let (rollout, _) =
                collector.collect(&*learner.network, &learner.params, algo.horizon, true).expect("a rollout");
            let report = algo.update(&mut learner, rollout, When::default().into()).expect("an update");
            let told = |name: &str| report.terms.iter().find(|(term, _)| *term == name).expect("told").1;
            assert!(told("kl") >= 0.0 && told("kl_coef") > 0.0, "{report:?}");
        }
        assert_eq!(coefficient(&mut algo), after_three);
        let mut arrays = Arrays::default();
        algo::save(&mut algo, "algo", &mut arrays);
        let mut other = with(target_kl);
        algo::restore(&mut other, "algo", &arrays).expect("the same state");
        assert_eq!(coefficient(&mut other), after_three);
    }
}
