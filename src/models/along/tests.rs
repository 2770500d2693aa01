use super::ValuesAlong;
use crate::models::Site;
use crate::rollout::Horizon;
use crate::scratch::Scratch;
use crate::{Collector, Config, Seed, Threads};

#[test]
fn values_asked_for_anew_are_those_of_the_rollout_as_long_as_nothing_was_learnt() {
    for settings in [
        "",
        "shared_trunk = true",
        "model = 'gru(units=5)'",
        "model = 'lstm(units=5)'",
        "normalize_observation = true\nnormalize_value = true",
        "model = 'gru(units=5)'\nnormalize_observation = true\nnormalize_value = true",
        "model = 'minatar_cnn(filters=2)'\nenv = 'GridWorld-4x4-v0(observation=image) | time_limit(9)'",
    ] {
        let env = if settings.contains("env") { "" } else { "env = 'CartPole-v1 | time_limit(20)'" };
        let text = format!("{env}\n{settings}\nhidden = [6]\nenvs = 12");
        let config = Config::from_toml(&text).expect(settings);
        let make = |lanes| config.make_envs(lanes).expect("environments");
        let (mut params, network) = config.make_model(&Site::new(make(1).spec(), Seed(3))).expect("a model");
        for groups in [vec![make(12)], vec![make(5), make(1), make(6)]] {
            let mut collector = Collector::grouped(groups, Seed(3), Threads::new(1).expect("one")).expect("a reset");
            for horizon in [Horizon::Steps(61), Horizon::Steps(13), Horizon::Episodes(1)] {
                let rollout = collector.collect(&*network, &params, horizon, true).expect("a rollout").0.clone();
                assert!(rollout.truncated.len() > 3, "{settings}: some are truncated");
                assert!(rollout.truncated.is_sorted() && rollout.memory.len() == 12 * network.memory());
                let (mut values, mut scratch) = (ValuesAlong::default(), Scratch::default());
                // Twice, for the room is kept.
                for _ in 0..2 {
                    values.ask(&*network, &params, &rollout, &mut scratch).expect("values");
                    for i in rollout.valid_steps() {
                        let [now, next] = [&values.value, &values.next_value].map(|column| column[i]);
                        let apart = (now - rollout.value[i]).abs().max((next - rollout.next_value[i]).abs());
                        assert!(apart < 2e-6, "{settings}, place {i}: {apart}");
                    }
                }
                assert!(values.next_value.iter().any(|v| v.abs() > 0.01), "{settings}: not trivially zero");
                // Of what another network says nothing is left.
                let before = values.value.clone();
                params.update(|theta| theta.iter_mut().for_each(|x| *x *= 1.1)).expect("values");
                values.ask(&*network, &params, &rollout, &mut scratch).expect("values");
                assert_ne!(values.value, before, "{settings}");
            }
        }
    }
}
