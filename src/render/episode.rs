//! One episode of a policy, drawn.

use crate::envs::Drawing;
use crate::{Mode, Policy, Result, Seed};

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
        let mut env = policy.config().make_env()?;
        let mut observation = vec![0.0; env.spec().observation_len()];
        env.reset(Some(seed.0), &mut observation)?;
        let frames = env.draw().into_iter().collect();
        let mut played = Self { frames, steps: 0, total: 0.0, ended: false };
        let (mut memory, mut rng) = (policy.memory(1), seed.stream("watch", 0));
        let mut mask = vec![true; env.spec().action.choices()];
        while played.steps < max_steps as usize && !played.ended {
            go_on()?;
            let mode = if sampled { Mode::Sampled(&mut rng) } else { Mode::Likeliest };
            let masks = policy.config().mask_actions && !mask.is_empty() && env.action_mask(&mut mask);
            let chosen = policy.act_within(&observation, masks.then_some(&mask[..]), &mut memory, mode)?;
            let step = env.step(chosen.view().lane(0, &env.spec().action), &mut observation)?;
            played.frames.extend(env.draw());
            played.steps += 1;
            played.total += f64::from(step.reward);
            played.ended = step.end.ended();
        }
        Ok(played)
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
