//! One episode of a policy, drawn.

use crate::envs::{Drawing, Env};
use crate::seed::Rng;
use crate::{Memory, Mode, Policy, Result, Seed};

/// What a policy did in an episode.
pub(crate) struct Episode {
    /// The start and what came of each step; none of an environment that has no picture.
    pub(crate) frames: Vec<Drawing>,
    /// Steps that were taken.
    pub(crate) steps: usize,
    /// The sum of their rewards.
    pub(crate) total: f64,
    /// Whether it ended with the last of them, and was not cut off.
    pub(crate) ended: bool,
}

impl Episode {
    /// Plays one from a start by `seed`, `max_steps` at most, with the likeliest actions or with `sampled` ones. Before each step
    /// `go_on` is asked, whose error breaks it off.
    pub(crate) fn play(
        policy: &mut Policy,
        seed: Seed,
        max_steps: u32,
        sampled: bool,
        go_on: impl Fn() -> Result<()>,
    ) -> Result<Self> {
        let mut play = Play::begin(policy, seed, sampled)?;
        let mut frames: Vec<Drawing> = play.draw().into_iter().collect();
        while play.steps < max_steps as usize && !play.ended {
            go_on()?;
            play.step()?;
            frames.extend(play.draw());
        }
        let Play { steps, total, ended, .. } = play;
        Ok(Self { frames, steps, total, ended })
    }
}

/// An episode that is under way.
pub(crate) struct Play<'p> {
    policy: &'p Policy,
    env: Box<dyn Env>,
    observation: Vec<f32>,
    memory: Memory,
    /// What draws actions, if any are drawn.
    rng: Option<Rng>,
    mask: Vec<bool>,
    /// Steps so far.
    pub(crate) steps: usize,
    /// The sum of their rewards.
    pub(crate) total: f64,
    /// Whether it ended with the last of them.
    pub(crate) ended: bool,
}

impl<'p> Play<'p> {
    /// Begins one from a start by `seed`, with the likeliest actions or with `sampled` ones.
    pub(crate) fn begin(policy: &'p Policy, seed: Seed, sampled: bool) -> Result<Self> {
        let mut env = policy.config().make_env()?;
        let mut observation = vec![0.0; env.spec().observation_len()];
        env.reset(Some(seed.0), &mut observation)?;
        let mask = vec![true; env.spec().action.choices()];
        let (memory, rng) = (policy.memory(1), sampled.then(|| seed.stream("watch", 0)));
        Ok(Self { policy, env, observation, memory, rng, mask, steps: 0, total: 0.0, ended: false })
    }

    /// The environment as it is now; none of one that has no picture.
    pub(crate) fn draw(&mut self) -> Option<Drawing> {
        self.env.draw()
    }

    /// Takes a step.
    pub(crate) fn step(&mut self) -> Result<()> {
        let Self { policy, env, observation, memory, rng, mask, .. } = self;
        let mode = rng.as_mut().map_or(Mode::Likeliest, Mode::Sampled);
        let masks = policy.config().mask_actions && !mask.is_empty() && env.action_mask(mask);
        let chosen = policy.act_within(observation, masks.then_some(&mask[..]), memory, mode)?;
        let step = env.step(chosen.view().lane(0, &env.spec().action), observation)?;
        self.steps += 1;
        self.total += f64::from(step.reward);
        self.ended = step.end.ended();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Episode;
    use crate::{Config, Seed, Trainer};

    #[test]
    fn no_action_is_taken_that_the_environment_forbids() {
        let config = Config { env: "Taxi-v3".into(), ..Config::for_algo("ppo").expect("ppo") };
        let mut policy = Trainer::new(&config).and_then(Trainer::into_policy).expect("a policy");
        let played = Episode::play(&mut policy, Seed(3), 200, true, || Ok(())).expect("an episode");
        // A step costs 1, and one that is not legal 10.
        assert!(played.total >= -200.0, "{} in {} steps", played.total, played.steps);
    }
}
