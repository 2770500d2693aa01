//! Acting with a policy: the likeliest action or one drawn, and what it remembers from one observation to the next.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use uphill::distributions::{Distribution, over};
use uphill::envs::Space;
use uphill::{Config, Error, Layout, Memory, Mode, Model, Params, Policy, Result, Scratch, Seed, Trainer};

fn policy(env: &str) -> Policy {
    let ppo = Config::for_algo("ppo").expect("an algorithm");
    let mut trainer = Trainer::new(&Config { env: env.into(), ..ppo }).expect("a trainer");
    for _ in 0..10 {
        trainer.step().expect("an update");
    }
    trainer.into_policy().expect("a policy")
}

/// An observation of CartPole where the policy above is not sure, and not indifferent.
const OBSERVATION: [f32; 4] = [0.1, 0.2, 0.03, 0.3];

/// A model whose outputs are observations, which are log-probabilities then.
struct Given(Arc<dyn Distribution>);

impl Given {
    fn policy(outputs: usize) -> Policy {
        let config = Config::for_algo("ppo").expect("an algorithm");
        let params = Params::new(Layout::default(), Vec::new(), &Device::Cpu).expect("no parameters");
        Policy::new(
            config,
            Box::new(Self(over("test", &Space::Discrete { n: outputs }).expect("a distribution"))),
            params,
        )
    }
}

impl Model for Given {
    fn observation_len(&self) -> usize {
        self.0.outputs()
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        &self.0
    }

    fn forward(&self, _: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        Ok((observation.clone(), observation.sum(1)?))
    }
}

#[test]
fn drawn_actions_are_as_frequent_as_they_are_probable() {
    let (policy, probabilities, n) = (Given::policy(3), [0.6_f64, 0.3, 0.1], 30_000);
    let logits = probabilities.map(|p| p.ln() as f32);
    let (observations, mut memory) = (logits.repeat(n), policy.memory(n));
    let drawn = |seed: u64, memory: &mut Memory| {
        let mut rng = Seed(seed).stream("actions", 0);
        policy.act(&observations, memory, Mode::Sampled(&mut rng)).expect("actions")
    };
    let actions = drawn(1, &mut memory);
    for (action, p) in probabilities.into_iter().enumerate() {
        let share = actions.indices().iter().filter(|&&drawn| drawn as usize == action).count() as f64 / n as f64;
        let deviation = (p * (1.0 - p) / n as f64).sqrt();
        assert!((share - p).abs() < 4.0 * deviation, "action {action}: {share}, where {p} is expected");
    }
    assert_eq!(actions, drawn(1, &mut memory), "the same seed draws the same");
    assert_ne!(actions, drawn(2, &mut memory));
    // One call after another goes on drawing.
    let mut rng = Seed(1).stream("actions", 0);
    let mut one = policy.memory(1);
    for &expected in &actions.indices()[..100] {
        assert_eq!(policy.act(&logits, &mut one, Mode::Sampled(&mut rng)).expect("an action").indices(), [expected]);
    }
    assert_eq!(policy.act(&observations, &mut memory, Mode::Likeliest).expect("actions").indices(), vec![0; n]);
    let equal = policy.act(&[0.5, 0.5, 0.5, 0.0, 1.0, 1.0], &mut policy.memory(2), Mode::Likeliest);
    assert_eq!(equal.expect("actions").indices(), [0, 1], "the first of equals");
}

#[test]
fn an_evaluation_draws_actions_where_it_is_asked_to() {
    let mut policy = policy("CartPole-v1");
    let drawn = |policy: &mut Policy, seed: u64| {
        let mut rng = Seed(seed).stream("actions", 0);
        policy.evaluate_with(20, Seed(1), Mode::Sampled(&mut rng)).expect("an evaluation")
    };
    let first = drawn(&mut policy, 1);
    assert_eq!(first, drawn(&mut policy, 1));
    assert_ne!(first, drawn(&mut policy, 2));
    let likeliest = policy.evaluate(20, Seed(1)).expect("an evaluation");
    assert_ne!(first, likeliest);
    assert_eq!(likeliest, policy.evaluate_with(20, Seed(1), Mode::Likeliest).expect("an evaluation"));
}

#[test]
fn a_memory_of_other_lanes_is_refused() {
    let policy = policy("CartPole-v1");
    for lanes in [0, 1, 3] {
        let error = policy.act(&OBSERVATION.repeat(2), &mut policy.memory(lanes), Mode::Likeliest).expect_err("lanes");
        assert_eq!(error.to_string(), format!("the memory's lanes has shape [{lanes}], expected [2]"));
    }
    let of_another = Remembering::policy().memory(1);
    let error = policy.act(&OBSERVATION, &mut { of_another }, Mode::Likeliest).expect_err("another's");
    assert_eq!(error.to_string(), "the memory has shape [1], expected [0]");
}

/// A model that counts the observations of an episode, and prefers the action of that number.
struct Remembering(Given);

impl Remembering {
    fn model() -> Self {
        Self(Given(over("test", &Space::Discrete { n: 4 }).expect("a distribution")))
    }

    fn policy() -> Policy {
        let config = Config::for_algo("ppo").expect("an algorithm");
        let params = Params::new(Layout::default(), Vec::new(), &Device::Cpu).expect("no parameters");
        Policy::new(config, Box::new(Self::model()), params)
    }
}

impl Model for Remembering {
    fn observation_len(&self) -> usize {
        4
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        self.0.distribution()
    }

    fn forward(&self, params: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        self.0.forward(params, observation)
    }

    fn memory(&self) -> usize {
        1
    }

    fn answers_after(
        &self,
        params: &Params,
        observation: &[f32],
        memory: &mut [f32],
        scratch: &mut Scratch,
        outputs: &mut Vec<f32>,
        _values: Option<&mut Vec<f32>>,
    ) -> Result<()> {
        self.outputs(params, observation, scratch, outputs)?;
        for (row, seen) in outputs.chunks_mut(4).zip(memory) {
            row[*seen as usize % 4] += 10.0;
            *seen += 1.0;
        }
        Ok(())
    }
}

#[test]
fn a_memory_lasts_from_one_observation_to_the_next_until_it_is_told_to_forget() {
    let policy = Remembering::policy();
    let mut memory = policy.memory(2);
    let act = |memory: &mut Memory| policy.act(&[0.0; 8], memory, Mode::Likeliest).expect("actions").indices().to_vec();
    assert_eq!([act(&mut memory), act(&mut memory), act(&mut memory)], [[0, 0], [1, 1], [2, 2]]);
    memory.forget(1);
    memory.forget(7);
    assert_eq!(act(&mut memory), [3, 0]);
    assert_eq!(act(&mut policy.memory(2)), [0, 0]);
}

#[test]
fn training_refuses_a_model_that_does_not_say_how_it_remembers() {
    let config = Config::for_algo("ppo").expect("an algorithm");
    let build = |_: &_, device: &Device| {
        let over_two = Given(over("test", &Space::Discrete { n: 2 }).expect("a distribution"));
        Ok((Params::new(Layout::default(), Vec::new(), device)?, Box::new(Two(over_two)) as Box<dyn Model>))
    };
    let error: Error = Trainer::with_network(&config, build).err().expect("refused");
    let problem = "the network remembers 1 number of a lane: it has to say by `Model::forward_after` how";
    assert_eq!(error.to_string(), problem);
}

/// A model for CartPole that has a memory and does not say how.
struct Two(Given);

impl Model for Two {
    fn observation_len(&self) -> usize {
        4
    }

    fn distribution(&self) -> &Arc<dyn Distribution> {
        self.0.distribution()
    }

    fn forward(&self, _: &Params, observation: &Tensor) -> Result<(Tensor, Tensor)> {
        Ok((observation.narrow(1, 0, 2)?, observation.sum(1)?))
    }

    fn memory(&self) -> usize {
        1
    }
}
