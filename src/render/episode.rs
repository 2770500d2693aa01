//! One episode of a policy, drawn.

use crate::envs::{Drawing, Env, Shape, counted};
use crate::seed::Rng;
use crate::{Error, Memory, Mode, Policy, Result, Seed};

/// Bytes that the pictures of an episode have at most.
const MOST: usize = 1 << 30;

/// What a policy did in an episode.
pub(crate) struct Episode {
    /// The start and what came of each step.
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
    ///
    /// # Errors
    /// [`EnvError::NoPicture`](crate::envs::EnvError::NoPicture) of an environment that cannot be seen, before the first step; what its steps and its pictures fail with.
    pub(crate) fn play(
        policy: &mut Policy,
        seed: Seed,
        max_steps: u32,
        sampled: bool,
        go_on: impl Fn() -> Result<()>,
    ) -> Result<Self> {
        let mut play = Play::begin(policy, seed, sampled)?;
        let mut frames = vec![play.picture()?];
        let mut kept = bytes(&frames[0]);
        while play.steps < max_steps as usize && !play.ended {
            go_on()?;
            play.step()?;
            let frame = play.picture()?;
            kept += bytes(&frame);
            check_room(kept, frames.len())?;
            frames.push(frame);
        }
        let Play { steps, total, ended, .. } = play;
        Ok(Self { frames, steps, total, ended })
    }
}

/// Bytes of the pictures in a frame; what shapes take is next to nothing.
fn bytes(frame: &Drawing) -> usize {
    let of = |shape: &Shape| if let Shape::Picture { picture, .. } = shape { picture.rgb().len() } else { 0 };
    frame.shapes.iter().map(of).sum()
}

/// Refuses pictures of so many bytes, after so many frames that there was room for.
fn check_room(kept: usize, frames: usize) -> Result<()> {
    if kept <= MOST {
        return Ok(());
    }
    let (frames, most) = (counted(frames, "frame"), MOST >> 20);
    Err(Error::Config(format!(
        "no more than {frames} of this size are kept, for they fill {most} MiB: show fewer steps"
    )))
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
    ///
    /// # Errors
    /// [`EnvError::NoPicture`](crate::envs::EnvError::NoPicture) of an environment that cannot be seen.
    pub(crate) fn begin(policy: &'p Policy, seed: Seed, sampled: bool) -> Result<Self> {
        let mut env = policy.make_seen_env()?;
        let mut observation = vec![0.0; env.spec().observation_len()];
        env.prepare_picture()?;
        env.reset(Some(seed.0), &mut observation)?;
        let mask = vec![true; env.spec().action.choices()];
        let (memory, rng) = (policy.memory(1), sampled.then(|| seed.stream("watch", 0)));
        Ok(Self { policy, env, observation, memory, rng, mask, steps: 0, total: 0.0, ended: false })
    }

    /// The environment as it is now.
    pub(crate) fn picture(&mut self) -> Result<Drawing> {
        Ok(self.env.picture()?)
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
    use super::{Episode, MOST, bytes, check_room};
    use crate::envs::Picture;
    use crate::{Config, Seed, Trainer};

    #[test]
    fn pictures_take_no_more_memory_than_that() {
        let picture = Picture::new(600, 400, vec![0; 720_000]).expect("a picture");
        assert_eq!(bytes(&picture.into()), 720_000);
        check_room(MOST, 1491).expect("room");
        let error = check_room(MOST + 1, 1491).expect_err("no room").to_string();
        assert!(error.contains("no more than 1491 frames of this size are kept, for they fill 1024 MiB"), "{error}");
    }

    #[test]
    fn no_action_is_taken_that_the_environment_forbids() {
        let config = Config { env: "Taxi-v3".into(), ..Config::for_algo("ppo").expect("ppo") };
        let mut policy = Trainer::new(&config).and_then(Trainer::into_policy).expect("a policy");
        let played = Episode::play(&mut policy, Seed(3), 200, true, || Ok(())).expect("an episode");
        // A step costs 1, and one that is not legal 10.
        assert!(played.total >= -200.0, "{} in {} steps", played.total, played.steps);
    }
}
